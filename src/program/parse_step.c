/* The notation's parser: steps. A step that starts with a name and `=` or `.` changes that
 * variable, whatever the name is; otherwise its first word says what it is. What is no word of
 * the notation is SQL. */
#include "base/assert.h"
#include "program/parse.h"

static bool parse_block(struct parser *p);

static struct pos start_of(const struct parser *p) {
    return p->lexer.token.pos;
}

/* The builder refuses what nests too deeply. */
static bool builder_ok(struct parser *p) {
    if (p->build.has_failed)
        *p->err = p->build.err;
    return !p->build.has_failed;
}

static bool step_var(struct parser *p, const char *what, uint16_t *var) {
    struct txn_span at = txn_parse_span(p, p->lexer.token.pos, p->lexer.token.end);
    struct str name;
    if (!txn_parse_name(p, what, &name))
        return false;
    *var = txn_find_var(p->program, name);
    if (*var != TXN_NO_VAR)
        return true;
    if (p->program->vars.count == TXN_VARS_MAX)
        return txn_fault(p->err, at, "more than %d variables", (int)TXN_VARS_MAX);
    *var = txn_var(p->arena, p->program, name);
    return true;
}

/* The end of a step without a body: an origin, and the `;`. The span ends before both. */
static bool finish_step(struct parser *p, struct txn_step *step, struct pos end) {
    step->span.end = end;
    return txn_parse_origin(p, step, 0) && txn_parse_sign(p, ";");
}

/* The body of a step that the builder has opened. */
static bool finish_head(struct parser *p, struct txn_step *step, struct pos end) {
    step->span.end = end;
    return builder_ok(p) && txn_parse_origin(p, step, 0) && parse_block(p);
}

static const char *const into_words[] = {
    [TXN_INTO_ROW] = "row",     [TXN_INTO_RELOAD] = "reload", [TXN_INTO_ROWS] = "rows",
    [TXN_INTO_VALUE] = "value", [TXN_INTO_LIST] = "list",     [TXN_INTO_COUNT] = "count",
    [TXN_INTO_KEY] = "key",
};

static enum txn_into into_of(const struct parser *p) {
    struct token next = txn_parse_peek(p);
    for (size_t i = TXN_INTO_ROW; i < LW_COUNT_OF(into_words); i++)
        if (txn_token_is_word(&p->lexer.token, into_words[i]) && txn_token_is_name(&next))
            return (enum txn_into)i;
    return TXN_INTO_NOTHING;
}

/* [save] [row x =] SQL; */
static bool parse_sql_step(struct parser *p, bool is_save) {
    struct pos start = start_of(p), end;
    struct str column = {0};
    struct sql_stmt *stmt;
    struct txn_span origin;
    uint16_t var = TXN_NO_VAR;
    if (is_save)
        txn_lexer_next(&p->lexer);
    enum txn_into into = into_of(p);
    if (into != TXN_INTO_NOTHING) {
        txn_lexer_next(&p->lexer);
        if (!step_var(p, "a variable", &var))
            return false;
        if (into == TXN_INTO_KEY &&
            (!txn_parse_sign(p, ".") || !txn_parse_name(p, "the key's column", &column)))
            return false;
        if (!txn_parse_sign(p, "="))
            return false;
    }
    if (!txn_parse_sql(p, &stmt, &origin, &end))
        return false;
    struct txn_step *step =
        txn_build_stmt(&p->build, txn_parse_span(p, start, end), into, var, stmt);
    step->sql.column_name = column;
    step->sql.is_save = is_save;
    if (origin.start.line != 0) {
        struct parse_origin found = {p->program, step, 0, origin};
        VEC_PUSH(p->arena, &p->origins, found);
    }
    return builder_ok(p);
}

/* The end of the text in the parentheses that were opened before `from`: quotes count, nothing
 * else. */
static size_t closing_parenthesis(struct str text, size_t from) {
    size_t depth = 1;
    for (size_t at = from; at < text.len; at++) {
        char byte = text.ptr[at];
        if (byte == '\'' || byte == '"' || byte == '`')
            at = str_find(text, byte, at + 1);
        else if (byte == '(')
            depth++;
        else if (byte == ')' && --depth == 0)
            return at;
    }
    return text.len;
}

/* x.column = sql(expression); */
static bool parse_set_sql(struct parser *p, struct pos start, uint16_t var, struct str column) {
    txn_lexer_next(&p->lexer);
    size_t from = p->lexer.token.offset + 1;
    struct pos place = p->lexer.token.end;
    size_t to = closing_parenthesis(p->lexer.text, from);
    if (to == p->lexer.text.len)
        return txn_parse_fault(p, "this parenthesis is not closed");
    struct txn_step *step =
        txn_build_set_column(&p->build, txn_parse_span(p, start, place), var, column, NULL);
    step->sql_hosts = ARENA_NEW(p->arena, struct sql_stmt);
    step->sql_hosts->kind = SQL_STMT_SELECT;
    step->sql_hosts->pos = place;
    if (!sql_parse_expr(p->arena, p->pool, str_sub(p->lexer.text, from, to), place, p->dialect,
                        step->sql_hosts, &step->sql_expr, p->err))
        return err_in_file(p->err, p->path);
    txn_lexer_skip_to(&p->lexer, to);
    struct pos end = p->lexer.token.end;
    return txn_parse_sign(p, ")") && finish_step(p, step, end);
}

/* new table(column = expression, ...) */
static bool parse_new(struct parser *p, struct pos start, uint16_t var) {
    struct str table;
    txn_lexer_next(&p->lexer);
    if (!txn_parse_name(p, "a table", &table))
        return false;
    struct txn_step *step = txn_build_new(&p->build, txn_parse_span(p, start, start), var, table);
    if (!txn_parse_sign(p, "("))
        return false;
    struct pos end = p->lexer.token.end;
    if (!txn_parse_accept(p, ")")) {
        do {
            struct str column;
            struct txn_expr *value;
            if (!txn_parse_name(p, "a column", &column) || !txn_parse_sign(p, "=") ||
                !txn_parse_expr(p, &value))
                return false;
            txn_new_column(&p->build, step, column, value);
        } while (txn_parse_accept(p, ","));
        end = p->lexer.token.end;
        if (!txn_parse_sign(p, ")"))
            return false;
    }
    return finish_step(p, step, end);
}

/* [x =] call function { } */
static bool parse_call_step(struct parser *p, struct pos start, uint16_t result) {
    struct str function;
    txn_lexer_next(&p->lexer);
    if (!txn_parse_dotted(p, "a function's name", &function))
        return false;
    struct pos end = p->lexer.last_end;
    struct txn_step *step =
        txn_build_call(&p->build, txn_parse_span(p, start, end), function, result);
    if (!finish_head(p, step, end))
        return false;
    txn_build_end(&p->build, step);
    return true;
}

/* x = ...;  x.column = ...; */
static bool parse_assignment(struct parser *p) {
    struct pos start = start_of(p);
    struct str column = {0};
    struct txn_expr *expr;
    uint16_t var;
    if (!step_var(p, "a variable", &var))
        return false;
    bool has_column = txn_parse_accept(p, ".");
    if (has_column && !txn_parse_name(p, "a column", &column))
        return false;
    if (!txn_parse_sign(p, "="))
        return false;
    struct token next = txn_parse_peek(p);
    if (has_column && txn_token_is_word(&p->lexer.token, "sql") && txn_token_is_sign(&next, "("))
        return parse_set_sql(p, start, var, column);
    if (!has_column && txn_token_is_word(&p->lexer.token, "new") && txn_token_is_name(&next))
        return parse_new(p, start, var);
    if (!has_column && txn_token_is_word(&p->lexer.token, "call") && txn_token_is_name(&next))
        return parse_call_step(p, start, var);
    if (!txn_parse_expr(p, &expr))
        return false;
    struct txn_span at = txn_parse_span(p, start, expr->span.end);
    struct txn_step *step = has_column ? txn_build_set_column(&p->build, at, var, column, expr)
                                       : txn_build_assign(&p->build, at, var, expr);
    return finish_step(p, step, expr->span.end);
}

static bool parse_if(struct parser *p) {
    struct pos start = start_of(p);
    struct txn_expr *cond;
    txn_lexer_next(&p->lexer);
    if (!txn_parse_expr(p, &cond))
        return false;
    struct txn_step *step = txn_build_if(&p->build, txn_parse_span(p, start, start), cond);
    if (!finish_head(p, step, cond->span.end))
        return false;
    if (txn_parse_accept_word(p, "else")) {
        txn_build_else(&p->build, step);
        bool ok = txn_token_is_word(&p->lexer.token, "if") ? parse_if(p) : parse_block(p);
        if (!ok)
            return false;
    }
    txn_build_end(&p->build, step);
    return true;
}

/* for row in rows { } */
static bool parse_for(struct parser *p) {
    struct pos start = start_of(p);
    uint16_t row, rows;
    txn_lexer_next(&p->lexer);
    if (!step_var(p, "a variable", &row))
        return false;
    if (!txn_parse_accept_word(p, "in"))
        return txn_parse_expected(p, "`in`");
    struct pos end = p->lexer.token.end;
    if (!step_var(p, "a list variable", &rows))
        return false;
    struct txn_step *step = txn_build_for(&p->build, txn_parse_span(p, start, end), row, rows);
    if (!finish_head(p, step, end))
        return false;
    txn_build_end(&p->build, step);
    return true;
}

static bool parse_repeat(struct parser *p) {
    struct pos start = start_of(p);
    uint32_t rounds;
    txn_lexer_next(&p->lexer);
    struct pos end = p->lexer.token.end;
    if (!txn_parse_count(p, "a number of rounds", &rounds))
        return false;
    struct txn_step *step = txn_build_repeat(&p->build, txn_parse_span(p, start, end), rounds);
    if (!finish_head(p, step, end))
        return false;
    txn_build_end(&p->build, step);
    return true;
}

static bool parse_isolation(struct parser *p, enum sql_isolation *isolation) {
    if (!txn_parse_accept_word(p, "level"))
        return txn_parse_expected(p, "`level`");
    if (txn_parse_accept_word(p, "serializable")) {
        *isolation = SQL_SERIALIZABLE;
        return true;
    }
    if (txn_parse_accept_word(p, "repeatable")) {
        *isolation = SQL_REPEATABLE_READ;
        return txn_parse_accept_word(p, "read") || txn_parse_expected(p, "`read`");
    }
    if (!txn_parse_accept_word(p, "read"))
        return txn_parse_expected(p, "an isolation level");
    bool is_committed = txn_parse_accept_word(p, "committed");
    *isolation = is_committed ? SQL_READ_COMMITTED : SQL_READ_UNCOMMITTED;
    return is_committed || txn_parse_accept_word(p, "uncommitted") ||
           txn_parse_expected(p, "`committed` or `uncommitted`");
}

/* atomic [isolation level ...] [without savepoint] { } */
static bool parse_atomic(struct parser *p) {
    struct pos start = start_of(p), end = p->lexer.token.end;
    enum sql_isolation isolation = SQL_ISOLATION_DEFAULT;
    txn_lexer_next(&p->lexer);
    if (txn_parse_accept_word(p, "isolation") && !parse_isolation(p, &isolation))
        return false;
    bool is_savepoint_off = txn_parse_accept_word(p, "without");
    if (is_savepoint_off && !txn_parse_accept_word(p, "savepoint"))
        return txn_parse_expected(p, "`savepoint`");
    struct txn_step *step = txn_build_atomic(&p->build, txn_parse_span(p, start, end));
    step->isolation = isolation;
    step->is_savepoint_off = is_savepoint_off;
    if (!finish_head(p, step, end))
        return false;
    txn_build_end(&p->build, step);
    return true;
}

static bool parse_except(struct parser *p, struct txn_step *step) {
    struct pos start = start_of(p);
    txn_lexer_next(&p->lexer);
    struct txn_span at = txn_parse_span(p, start, p->lexer.last_end);
    struct txn_handler *handler = txn_build_except(&p->build, at, step);
    if (txn_token_is_name(&p->lexer.token)) {
        do {
            struct str class_name;
            if (!txn_parse_dotted(p, "an exception's class", &class_name))
                return false;
            VEC_PUSH(p->arena, &handler->classes, class_name);
        } while (txn_parse_accept(p, ","));
        handler->span.end = p->lexer.last_end;
    }
    return txn_parse_origin(p, step, step->handlers.count) && parse_block(p);
}

/* try { } except A, B { } except { } else { } finally { } */
static bool parse_try(struct parser *p) {
    struct pos start = start_of(p), end = p->lexer.token.end;
    txn_lexer_next(&p->lexer);
    struct txn_step *step = txn_build_try(&p->build, txn_parse_span(p, start, end));
    if (!finish_head(p, step, end))
        return false;
    while (txn_token_is_word(&p->lexer.token, "except"))
        if (!parse_except(p, step))
            return false;
    if (txn_parse_accept_word(p, "else")) {
        txn_build_else(&p->build, step);
        if (!parse_block(p))
            return false;
    }
    if (txn_parse_accept_word(p, "finally")) {
        txn_build_finally(&p->build, step);
        if (!parse_block(p))
            return false;
    }
    txn_build_end(&p->build, step);
    return true;
}

static bool parse_raise(struct parser *p) {
    struct pos start = start_of(p), end = p->lexer.token.end;
    struct str class_name = {0};
    txn_lexer_next(&p->lexer);
    if (txn_token_is_name(&p->lexer.token)) {
        if (!txn_parse_dotted(p, "an exception's class", &class_name))
            return false;
        end = p->lexer.last_end;
    }
    struct txn_step *step = txn_build_raise(&p->build, txn_parse_span(p, start, end), class_name);
    return finish_step(p, step, end);
}

static bool parse_return(struct parser *p) {
    struct pos start = start_of(p), end = p->lexer.token.end;
    struct txn_expr *expr = NULL;
    txn_lexer_next(&p->lexer);
    bool has_expr =
        !txn_token_is_sign(&p->lexer.token, ";") && !txn_token_is_sign(&p->lexer.token, "@");
    if (has_expr && !txn_parse_expr(p, &expr))
        return false;
    if (has_expr)
        end = expr->span.end;
    struct txn_step *step = txn_build_return(&p->build, txn_parse_span(p, start, end), expr);
    return finish_step(p, step, end);
}

static bool parse_jump(struct parser *p) {
    struct txn_span at = txn_parse_span(p, p->lexer.token.pos, p->lexer.token.end);
    bool is_break = txn_token_is_word(&p->lexer.token, "break");
    txn_lexer_next(&p->lexer);
    struct txn_step *step =
        is_break ? txn_build_break(&p->build, at) : txn_build_continue(&p->build, at);
    return finish_step(p, step, at.end);
}

/* "name" (key), of a lock. */
static bool parse_lock_name(struct parser *p, struct str *name, struct txn_expr **key,
                            struct pos *end) {
    *key = NULL;
    *end = p->lexer.token.end;
    if (!txn_parse_string(p, "the lock's name in quotes", name))
        return false;
    if (!txn_parse_accept(p, "("))
        return true;
    if (!txn_parse_expr(p, key))
        return false;
    *end = p->lexer.token.end;
    return txn_parse_sign(p, ")");
}

static bool parse_with_lock(struct parser *p) {
    struct pos start = start_of(p), end;
    struct str name;
    struct txn_expr *key;
    txn_lexer_next(&p->lexer);
    txn_lexer_next(&p->lexer);
    if (!parse_lock_name(p, &name, &key, &end))
        return false;
    struct txn_step *step =
        txn_build_with_lock(&p->build, txn_parse_span(p, start, end), name, key);
    if (!finish_head(p, step, end))
        return false;
    txn_build_end(&p->build, step);
    return true;
}

static bool parse_lock(struct parser *p) {
    struct pos start = start_of(p), end;
    struct str name;
    struct txn_expr *key;
    enum txn_step_kind kind =
        txn_token_is_word(&p->lexer.token, "lock") ? TXN_STEP_LOCK : TXN_STEP_UNLOCK;
    txn_lexer_next(&p->lexer);
    if (!parse_lock_name(p, &name, &key, &end))
        return false;
    struct txn_step *step =
        txn_build_lock(&p->build, txn_parse_span(p, start, end), kind, name, key);
    return finish_step(p, step, end);
}

/* effect "charge" (x.amount, 7); */
static bool parse_effect(struct parser *p) {
    struct pos start = start_of(p);
    struct str name;
    txn_lexer_next(&p->lexer);
    struct pos end = p->lexer.token.end;
    if (!txn_parse_string(p, "what happens, in quotes", &name))
        return false;
    struct txn_step *step = txn_build_effect(&p->build, txn_parse_span(p, start, end), name);
    if (txn_parse_accept(p, "(")) {
        do {
            struct txn_expr *arg;
            if (!txn_parse_expr(p, &arg))
                return false;
            txn_step_add_arg(&p->build, step, arg);
        } while (txn_parse_accept(p, ","));
        end = p->lexer.token.end;
        if (!txn_parse_sign(p, ")"))
            return false;
    }
    return finish_step(p, step, end);
}

static bool unknown_step(struct parser *p) {
    static const char *const words[] = {
        "row",    "rows",   "value",  "list",   "count",   "key",      "reload", "save",
        "if",     "for",    "repeat", "break",  "atomic",  "continue", "try",    "raise",
        "return", "call",   "lock",   "unlock", "with",    "effect",   "SELECT", "INSERT",
        "UPDATE", "DELETE", "COMMIT", "BEGIN",  "ROLLBACK"};
    const struct token *token = &p->lexer.token;
    if (token->kind != TOKEN_WORD)
        return txn_parse_expected(p, "a step or `}`");
    if (str_is(token->text, "else") || str_is(token->text, "except") ||
        str_is(token->text, "finally"))
        return txn_parse_fault(p, "`%.*s` without an `if` or `try` before it",
                               STR_ARG(token->text));
    struct suggestion hint;
    txn_suggestion_init(&hint, token->text);
    for (size_t i = 0; i < LW_COUNT_OF(words); i++)
        txn_suggestion_try(&hint, str_from_c(words[i]));
    int shown = token->text.len < 40 ? (int)token->text.len : 40;
    return txn_parse_fault(p, "unknown step `%.*s`%s", shown, token->text.ptr,
                           txn_suggestion_text(&hint));
}

/* Steps that start with a word of the notation. */
struct keyword_step {
    const char *word;
    bool (*parse)(struct parser *p);
};

static const struct keyword_step keyword_steps[] = {
    {"if", parse_if},         {"for", parse_for},       {"repeat", parse_repeat},
    {"break", parse_jump},    {"continue", parse_jump}, {"atomic", parse_atomic},
    {"try", parse_try},       {"raise", parse_raise},   {"return", parse_return},
    {"effect", parse_effect},
};

static bool parse_step(struct parser *p) {
    const struct token *token = &p->lexer.token;
    struct token next = txn_parse_peek(p);
    if (txn_token_is_name(token) &&
        (txn_token_is_sign(&next, "=") || txn_token_is_sign(&next, ".")))
        return parse_assignment(p);
    if (token->kind != TOKEN_WORD)
        return unknown_step(p);
    bool has_string = next.kind == TOKEN_STRING;
    if (has_string && (str_is(token->text, "lock") || str_is(token->text, "unlock")))
        return parse_lock(p);
    if (str_is(token->text, "with") && txn_token_is_word(&next, "lock"))
        return parse_with_lock(p);
    if (str_is(token->text, "call") && txn_token_is_name(&next))
        return parse_call_step(p, token->pos, TXN_NO_VAR);
    if (str_is(token->text, "save"))
        return parse_sql_step(p, true);
    if (into_of(p) != TXN_INTO_NOTHING || txn_parse_is_sql_verb(token->text))
        return parse_sql_step(p, false);
    for (size_t i = 0; i < LW_COUNT_OF(keyword_steps); i++)
        if (str_is(token->text, keyword_steps[i].word))
            return keyword_steps[i].parse(p);
    return unknown_step(p);
}

static bool parse_block(struct parser *p) {
    if (!txn_parse_sign(p, "{"))
        return false;
    while (!txn_parse_accept(p, "}"))
        if (!parse_step(p))
            return false;
    return true;
}

/* var name "what the source calls it"; */
static bool parse_var_declaration(struct parser *p) {
    uint16_t var;
    txn_lexer_next(&p->lexer);
    return step_var(p, "a variable", &var) &&
           txn_parse_string(p, "what the source calls it, in quotes",
                            &p->program->vars.items[var].source_name) &&
           txn_parse_sign(p, ";");
}

bool txn_parse_program_body(struct parser *p) {
    if (!txn_parse_sign(p, "{"))
        return false;
    for (;;) {
        struct token next = txn_parse_peek(p);
        if (!txn_token_is_word(&p->lexer.token, "var") || !txn_token_is_name(&next))
            break;
        if (!parse_var_declaration(p))
            return false;
    }
    while (!txn_parse_accept(p, "}"))
        if (!parse_step(p))
            return false;
    return true;
}
