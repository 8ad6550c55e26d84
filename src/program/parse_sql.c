/* The notation's parser: where SQL stands among the steps, and where a step came from. */
#include "base/assert.h"
#include "program/parse.h"

/* How many `@` before the end of a statement are tried as an origin's start; a path may hold
 * some. */
enum { ORIGIN_TRIES_MAX = 8 };

bool txn_parse_is_sql_verb(struct str word) {
    static const char *const verbs[] = {
        "SELECT", "INSERT",   "UPDATE", "DELETE",  "BEGIN",     "START", "COMMIT",
        "END",    "ROLLBACK", "ABORT",  "RELEASE", "SAVEPOINT", "SET",   "LOCK",
        "UNLOCK", "CREATE",   "WITH",   "REPLACE", "DROP",      "ALTER", "TRUNCATE",
        "MERGE",  "VALUES",   "PRAGMA", "ANALYZE", "EXPLAIN"};
    for (size_t i = 0; i < LW_COUNT_OF(verbs); i++)
        if (str_equal_nocase(word, str_from_c(verbs[i])))
            return true;
    return false;
}

/* `line:column` */
static bool origin_pos(struct parser *p, struct pos *pos) {
    if (!txn_parse_count(p, "a line", &pos->line) || !txn_parse_sign(p, ":") ||
        !txn_parse_count(p, "a column", &pos->column))
        return false;
    if (pos->line > 0 && pos->column > 0)
        return true;
    return txn_parse_fault(p, "lines and columns count from 1");
}

/* After the `@`. */
static bool origin_span(struct parser *p, struct txn_span *span) {
    *span = (struct txn_span){.path = p->origin_path};
    if (p->lexer.token.kind == TOKEN_STRING) {
        if (!txn_parse_string(p, "a path", &span->path) || !txn_parse_sign(p, ":"))
            return false;
    }
    if (!origin_pos(p, &span->start))
        return false;
    return !txn_parse_accept(p, "-") || origin_pos(p, &span->end);
}

static bool origin_has_path(struct parser *p, struct txn_span at, struct txn_span span) {
    if (span.path.len > 0)
        return true;
    return txn_fault(p->err, at,
                     "the place needs a path, as the program has none: @ \"views.py\":3:1");
}

bool txn_parse_origin(struct parser *p, struct txn_step *step, size_t handler) {
    struct txn_span span, at = txn_parse_span(p, p->lexer.token.pos, p->lexer.token.end);
    if (!txn_parse_accept(p, "@"))
        return true;
    if (!origin_span(p, &span) || !origin_has_path(p, at, span))
        return false;
    if (step == NULL)
        p->origin_path = span.path;
    struct parse_origin origin = {p->program, step, handler, span};
    VEC_PUSH(p->arena, &p->origins, origin);
    return true;
}

/* Whether the statement could end after `sql`: it doesn't within a string or a comment. */
static bool can_end_after(const struct parser *p, struct str sql) {
    struct str closed = str_printf(p->arena, "%.*s;", STR_ARG(sql));
    size_t end;
    return sql_statement_end(closed, 0, (struct pos){1, 1}, p->dialect, &end, NULL) &&
           end == sql.len;
}

/* Finds an origin at the end of an SQL text: the text from some `@` on must be one, and nothing
 * else. */
static bool origin_at_end(const struct parser *p, struct str sql, struct txn_span *span,
                          size_t *len) {
    size_t at = sql.len;
    if (at == 0 || sql.ptr[at - 1] < '0' || sql.ptr[at - 1] > '9')
        return false;
    for (size_t tries = 0; tries < ORIGIN_TRIES_MAX; tries++) {
        while (at > 0 && sql.ptr[at - 1] != '@')
            at--;
        if (at == 0)
            return false;
        struct parser attempt = *p;
        struct err unwanted;
        attempt.err = &unwanted;
        txn_lexer_init(&attempt.lexer, str_sub(sql, at, sql.len));
        at--;
        bool is_whole = origin_span(&attempt, span) && attempt.lexer.token.kind == TOKEN_END;
        if (is_whole && can_end_after(p, str_sub(sql, 0, at))) {
            *len = at;
            return true;
        }
    }
    return false;
}

static struct str trim_end(struct str text) {
    while (text.len > 0 && strchr(" \t\r\n\f", text.ptr[text.len - 1]) != NULL &&
           text.ptr[text.len - 1] != '\0')
        text.len--;
    return text;
}

static struct pos pos_after(struct pos pos, struct str text) {
    struct pos last = pos_of_offset(text, text.len);
    if (last.line == 1)
        return (struct pos){pos.line, pos.column + last.column - 1};
    return (struct pos){pos.line + last.line - 1, last.column};
}

bool txn_parse_sql(struct parser *p, struct sql_stmt **stmt, struct txn_span *origin,
                   struct pos *end) {
    struct token first = p->lexer.token;
    struct txn_span at = txn_parse_span(p, first.pos, first.end);
    struct str rest = str_sub(p->lexer.text, first.offset, p->lexer.text.len);
    size_t length;
    *origin = (struct txn_span){0};
    if (!sql_statement_end(rest, 0, first.pos, p->dialect, &length, p->err))
        return err_in_file(p->err, p->path);
    bool is_closed = length < rest.len;
    struct str sql = trim_end(str_sub(rest, 0, length));
    if (origin_at_end(p, sql, origin, &sql.len)) {
        sql = trim_end(sql);
        if (!origin_has_path(p, at, *origin))
            return false;
    } else {
        *origin = (struct txn_span){0};
    }
    if (sql.len == 0)
        return txn_parse_expected(p, "an SQL statement");
    if (!sql_parse(p->arena, p->pool, sql, first.pos, p->dialect, stmt, p->err))
        return err_in_file(p->err, p->path);
    *end = pos_after(first.pos, sql);
    txn_lexer_skip_to(&p->lexer, first.offset + length);
    return !is_closed ? txn_parse_expected(p, "`;`") : txn_parse_sign(p, ";");
}

static void expr_origin(struct txn_expr *expr, struct txn_span span) {
    expr->span = span;
    for (size_t i = 0; i < expr->args.count; i++)
        expr_origin(expr->args.items[i], span);
}

static void step_origin(struct txn_step *step, struct txn_span span) {
    step->span = span;
    if (step->expr != NULL)
        expr_origin(step->expr, span);
    for (size_t i = 0; i < step->args.count; i++)
        expr_origin(step->args.items[i], span);
}

void txn_parse_origins(struct parser *p) {
    for (size_t i = 0; i < p->origins.count; i++) {
        const struct parse_origin *origin = &p->origins.items[i];
        if (origin->step == NULL)
            origin->program->span = origin->span;
        else if (origin->handler > 0)
            origin->step->handlers.items[origin->handler - 1].span = origin->span;
        else
            step_origin(origin->step, origin->span);
    }
}
