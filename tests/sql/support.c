#include "support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

void fixture_init(struct fixture *f) {
    arena_init(&f->arena);
    text_pool_init(&f->pool, &f->arena);
}

void fixture_release(struct fixture *f) {
    arena_release(&f->arena);
}

struct sql_stmt *must_parse(struct fixture *f, enum sql_dialect dialect, struct str text) {
    struct sql_stmt *stmt = NULL;
    if (sql_parse(&f->arena, &f->pool, text, (struct pos){1, 1}, dialect, &stmt, &f->err))
        return stmt;
    size_t at = f->err.pos.line == 1 ? f->err.pos.column - 1 : 0;
    struct str around = str_sub(text, at > 300 ? at - 300 : 0, text.len);
    fail_msg("%s:%u:%u: %s in %.*s", sql_dialect_name(dialect), f->err.pos.line, f->err.pos.column,
             f->err.message, STR_ARG(around));
    return stmt;
}

struct str printed(struct fixture *f, const struct sql_stmt *stmt, enum sql_dialect dialect) {
    struct buf out = {0};
    sql_print(stmt, &f->pool, dialect, &out);
    struct str text = str_dup(&f->arena, buf_str(&out));
    buf_release(&out);
    return text;
}

void must_round_trip(struct fixture *f, const struct sql_stmt *stmt) {
    for (int i = 0; i < DIALECT_COUNT; i++) {
        enum sql_dialect dialect = (enum sql_dialect)i;
        struct str text = printed(f, stmt, dialect);
        struct sql_stmt *again = must_parse(f, dialect, text);
        struct str second = printed(f, again, dialect);
        if (!sql_equal(stmt, again, &f->pool) || !str_equal(text, second))
            fail_msg("%s: %.*s is read as %.*s", sql_dialect_name(dialect), STR_ARG(text),
                     STR_ARG(second));
    }
}

void must_apply(struct fixture *f, struct schema *schema, enum sql_dialect dialect,
                const char *c_text) {
    struct str text = str_from_c(c_text);
    for (size_t at = 0; at < text.len;) {
        size_t end;
        assert_true(sql_statement_end(text, at, (struct pos){1, 1}, dialect, &end, &f->err));
        struct sql_stmt *ddl = must_parse(f, dialect, str_sub(text, at, end));
        if (!schema_apply(&f->arena, schema, ddl, &f->err))
            fail_msg("%s", f->err.message);
        at = end + 1;
    }
}

void assert_text(struct str actual, const char *expected) {
    if (!str_is(actual, expected))
        fail_msg("got      %.*s\nexpected %s", STR_ARG(actual), expected);
}
