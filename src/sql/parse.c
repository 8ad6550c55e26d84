/* The parser's entry points, its handling of tokens and names. The grammar is in parse_expr.c
 * (operators), parse_call.c (what looks like a call), parse_select.c, parse_dml.c, parse_ddl.c,
 * parse_session.c. */
#include "sql/parse.h"

#include "base/assert.h"
#include "sql/reserved.h"

#include <stdarg.h>

void parse_fail(struct parser *p, struct pos pos, const char *format, ...) {
    if (p->has_failed)
        return;
    char message[ERR_MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    err_set(p->err, pos, "%s", message);
    p->has_failed = true;
    p->token = (struct token){.kind = TOKEN_END, .pos = pos};
}

enum { SHOWN_BYTES_MAX = 40 };

void parse_expected(struct parser *p, const char *what) {
    if (p->token.kind == TOKEN_END) {
        parse_fail(p, p->token.pos, "expected %s, found the end", what);
        return;
    }
    struct str text = str_sub(p->lexer.text, p->token.start, p->token.end);
    bool is_cut = text.len > SHOWN_BYTES_MAX;
    if (is_cut)
        text = str_sub(text, 0, SHOWN_BYTES_MAX);
    parse_fail(p, p->token.pos, "expected %s, found %.*s%s", what, STR_ARG(text),
               is_cut ? "..." : "");
}

void parse_not_modelled(struct parser *p, struct pos pos, const char *what) {
    parse_fail(p, pos, "%s not modelled", what);
}

void parse_advance(struct parser *p) {
    if (p->has_failed)
        return;
    struct err err;
    if (!lexer_next(&p->lexer, &p->token, &err))
        parse_fail(p, err.pos, "%s", err.message);
}

struct token parse_peek(const struct parser *p) {
    struct lexer copy = p->lexer;
    struct token token = {.kind = TOKEN_END};
    if (!p->has_failed && !lexer_next(&copy, &token, NULL))
        token = (struct token){.kind = TOKEN_END};
    return token;
}

struct token parse_peek2(const struct parser *p) {
    struct lexer copy = p->lexer;
    struct token token = {.kind = TOKEN_END};
    if (p->has_failed || !lexer_next(&copy, &token, NULL) || !lexer_next(&copy, &token, NULL))
        token = (struct token){.kind = TOKEN_END};
    return token;
}

bool token_is_word(const struct token *token, const char *word) {
    return token->kind == TOKEN_WORD && str_equal_nocase(token->text, str_from_c(word));
}

bool parse_at(const struct parser *p, const char *word) {
    return token_is_word(&p->token, word);
}

bool parse_at_symbol(const struct parser *p, uint32_t symbol) {
    return p->token.kind == TOKEN_SYMBOL && p->token.symbol == symbol;
}

bool parse_accept(struct parser *p, const char *word) {
    if (!parse_at(p, word))
        return false;
    parse_advance(p);
    return true;
}

bool parse_accept_symbol(struct parser *p, uint32_t symbol) {
    if (!parse_at_symbol(p, symbol))
        return false;
    parse_advance(p);
    return true;
}

bool parse_accept2(struct parser *p, const char *first, const char *second) {
    if (!parse_at(p, first))
        return false;
    struct token next = parse_peek(p);
    if (!token_is_word(&next, second))
        return false;
    parse_advance(p);
    parse_advance(p);
    return true;
}

void parse_expect(struct parser *p, const char *word) {
    if (!parse_accept(p, word))
        parse_expected(p, word);
}

void parse_expect_symbol(struct parser *p, uint32_t symbol) {
    if (parse_accept_symbol(p, symbol))
        return;
    LW_ASSERT(symbol < 0x80);
    char what[4] = {'\'', (char)symbol, '\'', '\0'};
    parse_expected(p, what);
}

void parse_refuse(struct parser *p, const char *word, const char *what) {
    if (parse_at(p, word))
        parse_not_modelled(p, p->token.pos, what);
}

bool parse_at_name(const struct parser *p) {
    return p->token.kind == TOKEN_QUOTED ||
           (p->token.kind == TOKEN_WORD && (reserved_in(p->token.text) & RESERVED_PARSER) == 0);
}

/* PostgreSQL folds names that are not quoted to lower case. */
static struct str fold_name(struct parser *p, const struct token *token) {
    struct str name = token->text;
    if (token->kind == TOKEN_QUOTED || p->dialect != SQL_POSTGRESQL)
        return name;
    bool has_upper = false;
    for (size_t i = 0; i < name.len; i++)
        has_upper |= name.ptr[i] >= 'A' && name.ptr[i] <= 'Z';
    if (!has_upper)
        return name;
    char *folded = str_to_c(p->arena, name);
    for (size_t i = 0; i < name.len; i++)
        if (folded[i] >= 'A' && folded[i] <= 'Z')
            folded[i] = (char)(folded[i] - 'A' + 'a');
    return (struct str){folded, name.len};
}

struct str parse_name(struct parser *p, const char *what) {
    if (!parse_at_name(p)) {
        parse_expected(p, what);
        return STR("");
    }
    if (p->token.text.len == 0)
        parse_fail(p, p->token.pos, "a name must not be empty");
    struct str name = fold_name(p, &p->token);
    parse_advance(p);
    return name;
}

struct str parse_table_name(struct parser *p) {
    parse_refuse(p, "LATERAL", "LATERAL is");
    struct pos pos = p->token.pos;
    struct str name = parse_name(p, "a table's name");
    if (!parse_accept_symbol(p, SYM1('.')))
        return name;
    if (!str_is(name, "public") && !str_is(name, "main"))
        parse_not_modelled(p, pos, "a schema other than public and main is");
    return parse_name(p, "a table's name");
}

void parse_name_list(struct parser *p, struct name_vec *names) {
    parse_expect_symbol(p, SYM1('('));
    do {
        struct str name = parse_name(p, "a column's name");
        VEC_PUSH(p->arena, &names->list, name);
    } while (parse_accept_symbol(p, SYM1(',')));
    parse_expect_symbol(p, SYM1(')'));
}

struct str parse_alias(struct parser *p) {
    if (parse_accept(p, "AS"))
        return parse_name(p, "an alias");
    return parse_at_name(p) ? parse_name(p, "an alias") : STR("");
}

bool parse_enter(struct parser *p) {
    if (p->nest >= NEST_MAX)
        parse_fail(p, p->token.pos, "nested too deep");
    p->nest++;
    return !p->has_failed;
}

void parse_leave(struct parser *p) {
    LW_ASSERT(p->nest > 0);
    p->nest--;
}

/* Constructs that are known and known not to be handled. */
static bool refuse_statement(struct parser *p) {
    static const struct {
        const char *word, *what;
    } refused[] = {
        {"VALUES", "VALUES as a statement is"},
        {"REPLACE", "REPLACE is"},
        {"MERGE", "MERGE is"},
        {"TRUNCATE", "TRUNCATE is"},
        {"DROP", "DROP is"},
        {"COPY", "COPY is"},
        {"CALL", "CALL is"},
        {"DO", "DO is"},
        {"EXECUTE", "EXECUTE is"},
        {"PREPARE", "PREPARE is"},
        {"DEALLOCATE", "DEALLOCATE is"},
        {"DECLARE", "DECLARE CURSOR is"},
        {"FETCH", "FETCH is"},
        {"CLOSE", "CLOSE is"},
        {"EXPLAIN", "EXPLAIN is"},
        {"SHOW", "SHOW is"},
        {"PRAGMA", "PRAGMA is"},
        {"USE", "USE is"},
        {"LISTEN", "LISTEN is"},
        {"NOTIFY", "NOTIFY is"},
        {"ANALYZE", "ANALYZE is"},
        {"VACUUM", "VACUUM is"},
        {"GRANT", "GRANT is"},
        {"REVOKE", "REVOKE is"},
        {"RESET", "RESET is"},
        {"DISCARD", "DISCARD is"},
        {"COMMENT", "COMMENT is"},
        {"HANDLER", "HANDLER is"},
        {"XA", "XA is"},
        {"LOAD", "LOAD is"},
        {"TABLE", "TABLE as a statement is"},
    };
    for (size_t i = 0; i < LW_COUNT_OF(refused); i++)
        parse_refuse(p, refused[i].word, refused[i].what);
    return p->has_failed;
}

static void parse_select_statement(struct parser *p) {
    p->holder->kind = SQL_STMT_SELECT;
    p->holder->select = parse_select(p);
}

/* WITH in front of any statement; SELECT within one has its own. */
static void parse_with_statement(struct parser *p) {
    struct with_query *before = parse_with(p);
    if (parse_at(p, "INSERT"))
        parse_insert(p);
    else if (parse_at(p, "UPDATE"))
        parse_update(p);
    else if (parse_at(p, "DELETE"))
        parse_delete(p);
    else if (parse_at(p, "SELECT"))
        parse_select_statement(p);
    else
        parse_expected(p, "SELECT, INSERT, UPDATE or DELETE");
    parse_with_end(p, before);
}

static void parse_statement(struct parser *p) {
    if (parse_at(p, "WITH")) {
        parse_with_statement(p);
    } else if (parse_at(p, "SELECT") || parse_at_symbol(p, SYM1('('))) {
        parse_select_statement(p);
    } else if (parse_at(p, "INSERT")) {
        parse_insert(p);
    } else if (parse_at(p, "UPDATE")) {
        parse_update(p);
    } else if (parse_at(p, "DELETE")) {
        parse_delete(p);
    } else if (parse_at(p, "BEGIN") || parse_at(p, "START")) {
        parse_begin(p);
    } else if (parse_at(p, "COMMIT") || parse_at(p, "END") || parse_at(p, "ROLLBACK") ||
               parse_at(p, "ABORT") || parse_at(p, "SAVEPOINT") || parse_at(p, "RELEASE")) {
        parse_end(p);
    } else if (parse_accept2(p, "PREPARE", "TRANSACTION")) {
        parse_prepare_transaction(p);
    } else if (parse_at(p, "SET")) {
        parse_set(p);
    } else if (parse_at(p, "LOCK") || parse_at(p, "UNLOCK")) {
        parse_lock_table(p);
    } else if (parse_at(p, "CREATE")) {
        parse_create(p);
    } else if (parse_at(p, "ALTER")) {
        parse_alter(p);
    } else if (!refuse_statement(p)) {
        parse_expected(p, "a statement");
    }
}

static void parser_init(struct parser *p, struct arena *arena, struct text_pool *pool,
                        struct str text, struct pos start, enum sql_dialect dialect,
                        struct sql_stmt *holder, struct err *err) {
    *p = (struct parser){
        .arena = arena, .pool = pool, .dialect = dialect, .holder = holder, .err = err};
    lexer_init(&p->lexer, arena, text, start, dialect);
    map_init(&p->hosts, arena);
    map_init(&p->list_hosts, arena);
    for (size_t i = 0; i < holder->hosts.count; i++) {
        const struct sql_host *host = &holder->hosts.items[i];
        struct str key = host->column.len == 0 ? host->name
                                               : str_printf(arena, "%.*s.%.*s", STR_ARG(host->name),
                                                            STR_ARG(host->column));
        map_put(host->is_list ? &p->list_hosts : &p->hosts, key, (void *)(uintptr_t)(i + 1));
    }
    parse_advance(p);
}

static bool parse_finish(struct parser *p) {
    if (p->token.symbol == SYM3('/', '*', '!'))
        parse_not_modelled(p, p->token.pos, "a conditional comment of MySQL is");
    if (p->token.kind != TOKEN_END)
        parse_expected(p, "the end");
    return !p->has_failed;
}

bool sql_parse(struct arena *arena, struct text_pool *pool, struct str text, struct pos start,
               enum sql_dialect dialect, struct sql_stmt **stmt, struct err *err) {
    struct parser p;
    struct sql_stmt *made = ARENA_NEW(arena, struct sql_stmt);
    made->text = text;
    parser_init(&p, arena, pool, text, start, dialect, made, err);
    made->pos = p.token.pos;
    parse_statement(&p);
    parse_accept_symbol(&p, SYM1(';'));
    if (!parse_finish(&p))
        return false;
    *stmt = made;
    return true;
}

bool sql_parse_expr(struct arena *arena, struct text_pool *pool, struct str text, struct pos start,
                    enum sql_dialect dialect, struct sql_stmt *holder, struct sql_expr **expr,
                    struct err *err) {
    struct parser p;
    parser_init(&p, arena, pool, text, start, dialect, holder, err);
    struct sql_expr *made = parse_expr(&p);
    if (!parse_finish(&p))
        return false;
    *expr = made;
    return true;
}
