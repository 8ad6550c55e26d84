#include "support.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

const char *const fixture_schema =
    "CREATE TABLE counter (id integer PRIMARY KEY, count integer NOT NULL, name varchar(20));\n"
    "CREATE TABLE other (id integer PRIMARY KEY, counter_id integer REFERENCES counter (id));\n";

void fixture_init(struct fixture *f) {
    memset(f, 0, sizeof(*f));
    arena_init(&f->arena);
    text_pool_init(&f->pool, &f->arena);
}

void fixture_release(struct fixture *f) {
    arena_release(&f->arena);
}

struct txn_scenario *fixture_parse(struct fixture *f, const char *text) {
    struct txn_scenario *scenario;
    struct err err;
    if (!txn_parse(&f->arena, &f->pool, STR("test.txn"), str_from_c(text), SQL_POSTGRESQL,
                   &scenario, &err))
        fail_msg("%s:%u:%u: %s", err.path, err.pos.line, err.pos.column, err.message);
    return scenario;
}

const char *fixture_fault(struct fixture *f, const char *text) {
    struct txn_scenario *scenario;
    struct err err;
    assert_false(txn_parse(&f->arena, &f->pool, STR("test.txn"), str_from_c(text), SQL_POSTGRESQL,
                           &scenario, &err));
    assert_string_equal(err.path, "test.txn");
    return str_printf(&f->arena, "%u:%u: %s", err.pos.line, err.pos.column, err.message).ptr;
}

struct txn_scenario *fixture_round_trip(struct fixture *f, const struct txn_scenario *scenario,
                                        enum sql_dialect dialect) {
    struct buf printed = {0};
    struct txn_scenario *again;
    struct err err;
    txn_print(scenario, &f->pool, dialect, &printed);
    struct str text = str_dup(&f->arena, buf_str(&printed));
    buf_release(&printed);
    if (!txn_parse(&f->arena, &f->pool, scenario->path, text, dialect, &again, &err))
        fail_msg("printed text at %u:%u: %s\n%s", err.pos.line, err.pos.column, err.message,
                 text.ptr);
    if (!txn_equal(scenario, again, &f->pool))
        fail_msg("reading the printed text gives another scenario:\n%s", text.ptr);
    return again;
}
