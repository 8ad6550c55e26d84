/* The notation's parser: the file as a whole - schema, rows, programs, runs - and the helpers of
 * all rules. */
#include "program/parse.h"

#include "base/assert.h"
#include "program/notation.h"

#include <stdarg.h>

enum { SHOWN_MAX = 40, PROGRAMS_MAX = 4096 };

bool txn_parse_fault(struct parser *p, const char *format, ...) {
    const struct token *token = &p->lexer.token;
    struct txn_span at = txn_parse_span(p, token->pos, token->end);
    if (token->kind == TOKEN_BAD)
        return txn_fault(p->err, at, "%s", token->fault);
    char message[ERR_MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    return txn_fault(p->err, at, "%s", message);
}

bool txn_parse_expected(struct parser *p, const char *what) {
    const struct token *token = &p->lexer.token;
    if (token->kind == TOKEN_END)
        return txn_parse_fault(p, "expected %s, found the end of the file", what);
    int shown = token->text.len < SHOWN_MAX ? (int)token->text.len : SHOWN_MAX;
    return txn_parse_fault(p, "expected %s, found `%.*s`", what, shown, token->text.ptr);
}

bool txn_parse_accept(struct parser *p, const char *sign) {
    if (!txn_token_is_sign(&p->lexer.token, sign))
        return false;
    txn_lexer_next(&p->lexer);
    return true;
}

bool txn_parse_accept_word(struct parser *p, const char *word) {
    if (!txn_token_is_word(&p->lexer.token, word))
        return false;
    txn_lexer_next(&p->lexer);
    return true;
}

bool txn_parse_sign(struct parser *p, const char *sign) {
    char what[8];
    snprintf(what, sizeof(what), "`%s`", sign);
    return txn_parse_accept(p, sign) || txn_parse_expected(p, what);
}

bool txn_parse_name(struct parser *p, const char *what, struct str *name) {
    if (!txn_token_is_name(&p->lexer.token))
        return txn_parse_expected(p, what);
    *name = txn_token_content(p->arena, &p->lexer.token);
    txn_lexer_next(&p->lexer);
    return true;
}

bool txn_parse_dotted(struct parser *p, const char *what, struct str *name) {
    size_t dots = 0;
    if (!txn_parse_name(p, what, name))
        return false;
    while (txn_parse_accept(p, ".")) {
        struct str part;
        if (++dots > TXN_DOTS_MAX)
            return txn_parse_fault(p, "a name has too many dots");
        if (!txn_parse_name(p, "a name after the dot", &part))
            return false;
        *name = str_printf(p->arena, "%.*s.%.*s", STR_ARG(*name), STR_ARG(part));
    }
    return true;
}

bool txn_parse_string(struct parser *p, const char *what, struct str *text) {
    if (p->lexer.token.kind != TOKEN_STRING)
        return txn_parse_expected(p, what);
    *text = txn_token_content(p->arena, &p->lexer.token);
    txn_lexer_next(&p->lexer);
    return true;
}

bool txn_parse_count(struct parser *p, const char *what, uint32_t *count) {
    const struct token *token = &p->lexer.token;
    if (token->kind != TOKEN_NUMBER)
        return txn_parse_expected(p, what);
    uint64_t number = 0;
    for (size_t i = 0; i < token->text.len; i++) {
        if (token->text.ptr[i] == '.')
            return txn_parse_fault(p, "%s must be a whole number", what);
        number = number * 10 + (uint64_t)(token->text.ptr[i] - '0');
        if (number > 1000000000)
            return txn_parse_fault(p, "%s is too large", what);
    }
    *count = (uint32_t)number;
    txn_lexer_next(&p->lexer);
    return true;
}

struct token txn_parse_peek(const struct parser *p) {
    struct lexer ahead = p->lexer;
    txn_lexer_next(&ahead);
    return ahead.token;
}

struct txn_span txn_parse_span(const struct parser *p, struct pos start, struct pos end) {
    return (struct txn_span){.path = p->path, .start = start, .end = end};
}

/* Statements outside of programs: schema and rows. */
static bool parse_setup(struct parser *p) {
    struct txn_span at = txn_parse_span(p, p->lexer.token.pos, p->lexer.token.end), origin;
    struct sql_stmt *stmt;
    struct pos end;
    if (!txn_parse_sql(p, &stmt, &origin, &end))
        return false;
    if (origin.start.line != 0)
        return txn_fault(p->err, at, "an origin goes with steps of programs");
    if (stmt->hosts.count > 0) {
        struct txn_span host =
            txn_parse_span(p, stmt->hosts.items[0].pos, stmt->hosts.items[0].pos);
        return txn_fault(p->err, host, "host values stand in programs only");
    }
    switch (stmt->kind) {
    case SQL_STMT_CREATE_TABLE:
    case SQL_STMT_CREATE_INDEX:
        return schema_apply(p->arena, &p->scenario->schema, stmt, p->err) ||
               err_in_file(p->err, p->path);
    case SQL_STMT_INSERT:
    case SQL_STMT_UPDATE:
    case SQL_STMT_DELETE:
        if (!sql_resolve(p->arena, &p->scenario->schema, stmt, p->err))
            return err_in_file(p->err, p->path);
        VEC_PUSH(p->arena, &p->scenario->setup, stmt);
        return true;
    default:
        return txn_fault(p->err, at, "outside of programs stand CREATE, INSERT, UPDATE and DELETE");
    }
}

static int find_program(const struct parser *p, struct str name) {
    for (size_t i = 0; i < p->scenario->programs.count; i++)
        if (str_equal(p->scenario->programs.items[i]->name, name))
            return (int)i;
    return -1;
}

static bool parse_params(struct parser *p) {
    if (!txn_parse_sign(p, "("))
        return false;
    if (txn_parse_accept(p, ")"))
        return true;
    do {
        struct token token = p->lexer.token;
        struct str name;
        if (!txn_parse_name(p, "a parameter's name", &name))
            return false;
        struct txn_span at = txn_parse_span(p, token.pos, token.end);
        if (txn_find_var(p->program, name) != TXN_NO_VAR)
            return txn_fault(p->err, at, "parameter `%.*s` stands twice", STR_ARG(name));
        if (p->program->param_count == TXN_VARS_MAX)
            return txn_fault(p->err, at, "more than %d parameters", (int)TXN_VARS_MAX);
        txn_add_param(p->arena, p->program, name);
    } while (txn_parse_accept(p, ","));
    return txn_parse_sign(p, ")");
}

static bool parse_program(struct parser *p) {
    struct str name;
    txn_lexer_next(&p->lexer);
    struct token first = p->lexer.token;
    if (!txn_parse_dotted(p, "the program's name", &name))
        return false;
    struct txn_span at = txn_parse_span(p, first.pos, first.end);
    if (find_program(p, name) >= 0)
        return txn_fault(p->err, at, "there is a program `%.*s` already", STR_ARG(name));
    if (p->scenario->programs.count == PROGRAMS_MAX)
        return txn_fault(p->err, at, "more than %d programs", (int)PROGRAMS_MAX);
    p->program = txn_program_new(p->arena, name, at);
    p->origin_path = (struct str){0};
    txn_builder_init(&p->build, p->arena, p->pool, p->program, p->dialect);
    if (!parse_params(p) || !txn_parse_origin(p, NULL, 0) || !txn_parse_program_body(p))
        return false;
    VEC_PUSH(p->arena, &p->scenario->programs, p->program);
    return true;
}

/* A session of a run. Its program may stand further down, so the name waits in `names`. */
struct session_names {
    VEC(struct str) items;
};

static bool parse_session(struct parser *p, struct txn_run *run, struct session_names *names) {
    struct token first = p->lexer.token;
    struct txn_session session = {0};
    struct str name;
    if (!txn_parse_dotted(p, "a program's name", &name) || !txn_parse_sign(p, "("))
        return false;
    if (!txn_parse_accept(p, ")")) {
        do {
            struct value value;
            if (!txn_parse_value(p, &value))
                return false;
            VEC_PUSH(p->arena, &session.args, value);
        } while (txn_parse_accept(p, ","));
        if (!txn_parse_sign(p, ")"))
            return false;
    }
    session.span = txn_parse_span(p, first.pos, first.end);
    if (run->sessions.count == TXN_SESSIONS_MAX)
        return txn_fault(p->err, session.span, "more than %d sessions in a run",
                         (int)TXN_SESSIONS_MAX);
    VEC_PUSH(p->arena, &run->sessions, session);
    VEC_PUSH(p->arena, &names->items, name);
    return true;
}

static bool parse_run(struct parser *p, struct session_names *names) {
    struct txn_run run = {0};
    txn_lexer_next(&p->lexer);
    if (txn_token_is_name(&p->lexer.token)) {
        struct lexer saved = p->lexer;
        struct str name;
        if (!txn_parse_dotted(p, "a name", &name))
            return false;
        if (txn_parse_accept(p, ":"))
            run.name = name;
        else
            p->lexer = saved;
    }
    do {
        if (!parse_session(p, &run, names))
            return false;
    } while (txn_parse_accept(p, "||"));
    if (!txn_parse_sign(p, ";"))
        return false;
    VEC_PUSH(p->arena, &p->scenario->runs, run);
    return true;
}

static bool link_session(struct parser *p, struct txn_session *session, struct str name) {
    int index = find_program(p, name);
    if (index < 0) {
        struct suggestion hint;
        txn_suggestion_init(&hint, name);
        for (size_t i = 0; i < p->scenario->programs.count; i++)
            txn_suggestion_try(&hint, p->scenario->programs.items[i]->name);
        return txn_fault(p->err, session->span, "unknown program `%.*s`%s", STR_ARG(name),
                         txn_suggestion_text(&hint));
    }
    session->program = (uint16_t)index;
    size_t wanted = p->scenario->programs.items[index]->param_count;
    if (session->args.count == wanted)
        return true;
    return txn_fault(p->err, session->span, "`%.*s` takes %zu argument%s, %u given", STR_ARG(name),
                     wanted, wanted == 1 ? "" : "s", session->args.count);
}

static bool link_runs(struct parser *p, const struct session_names *names) {
    size_t next = 0;
    for (size_t r = 0; r < p->scenario->runs.count; r++) {
        struct txn_run *run = &p->scenario->runs.items[r];
        for (size_t s = 0; s < run->sessions.count; s++)
            if (!link_session(p, &run->sessions.items[s], names->items.items[next++]))
                return false;
    }
    LW_ASSERT(next == names->items.count);
    return true;
}

static bool parse_item(struct parser *p, struct session_names *names) {
    const struct token *token = &p->lexer.token;
    if (txn_token_is_word(token, "program"))
        return parse_program(p);
    if (txn_token_is_word(token, "run"))
        return parse_run(p, names);
    if (token->kind == TOKEN_WORD && txn_parse_is_sql_verb(token->text))
        return parse_setup(p);
    return txn_parse_expected(p, "an SQL statement, `program` or `run`");
}

static bool parse_scenario(struct parser *p) {
    struct session_names names = {0};
    while (p->lexer.token.kind != TOKEN_END)
        if (!parse_item(p, &names))
            return false;
    for (size_t i = 0; i < p->scenario->programs.count; i++)
        if (!txn_check(p->arena, &p->scenario->schema, p->pool, p->scenario->programs.items[i],
                       p->err))
            return false;
    if (!link_runs(p, &names))
        return false;
    txn_parse_origins(p);
    return true;
}

bool txn_parse(struct arena *arena, struct text_pool *pool, struct str path, struct str text,
               enum sql_dialect dialect, struct txn_scenario **scenario, struct err *err) {
    struct parser p = {.arena = arena, .pool = pool, .path = path, .dialect = dialect, .err = err};
    struct err unwanted;
    if (err == NULL)
        p.err = &unwanted;
    p.scenario = ARENA_NEW(arena, struct txn_scenario);
    p.scenario->path = path;
    txn_lexer_init(&p.lexer, text);
    if (!parse_scenario(&p))
        return false;
    *scenario = p.scenario;
    return true;
}
