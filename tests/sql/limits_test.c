/* Depth, size and positions: deep and long input is refused or read in time that grows with its
 * length. */
#include "base/assert.h"
#include "support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static struct str repeated(struct fixture *f, const char *head, const char *part, size_t count,
                           const char *tail) {
    struct buf out = {0};
    buf_add_c(&out, head);
    for (size_t i = 0; i < count; i++)
        buf_add_c(&out, part);
    buf_add_c(&out, tail);
    struct str text = str_dup(&f->arena, buf_str(&out));
    buf_release(&out);
    return text;
}

static bool parses(struct fixture *f, struct str text) {
    struct sql_stmt *stmt;
    return sql_parse(&f->arena, &f->pool, text, (struct pos){1, 1}, SQL_POSTGRESQL, &stmt, &f->err);
}

static const struct {
    const char *head, *part, *tail;
} nests[] = {
    {"SELECT ", "(", "1"},
    {"SELECT ", "NOT ", "TRUE"},
    {"SELECT ", "- ", "a"},
    {"SELECT ", "+", "a"},
    {"SELECT ", "(SELECT ", "1"},
    {"SELECT ", "CASE WHEN ", "1"},
    {"SELECT ", "CAST(", "1"},
    {"SELECT ", "f(", "1"},
    {"SELECT ", "f(1, f(", "1"},
    {"SELECT ", "EXISTS (SELECT ", "1"},
    {"SELECT a FROM ", "(SELECT a FROM ", "t"},
    {"SELECT ", "1 IN (", "1"},
    {"SELECT ", "a BETWEEN ", "1"},
    {"SELECT ", "a = ANY (SELECT ", "1"},
    {"SELECT a FROM t WHERE ", "1 + (1, ", "1"},
    {"CREATE TABLE t (a int CHECK ", "(", "1"},
    {"INSERT INTO t ", "SELECT a FROM (", "t"},
};

static const struct {
    const char *head, *part;
} chains[] = {
    {"SELECT 1", " + 1"},      {"SELECT a", " OR a"},
    {"SELECT a", "::int"},     {"SELECT a", " IS NULL"},
    {"SELECT a", " || a"},     {"SELECT a", " IS TRUE"},
    {"SELECT a", " IN (1)"},   {"SELECT a", " BETWEEN 1 AND 2"},
    {"SELECT a", " LIKE 'x'"},
};

static void test_depth_is_limited(void **state) {
    (void)state;
    for (size_t i = 0; i < LW_COUNT_OF(nests); i++) {
        struct fixture f;
        fixture_init(&f);
        if (parses(&f, repeated(&f, nests[i].head, nests[i].part, 100000, nests[i].tail)))
            fail_msg("100000 times %s is read", nests[i].part);
        assert_true(f.err.pos.line == 1 && f.err.pos.column > 1);
        fixture_release(&f);
    }
    for (size_t i = 0; i < LW_COUNT_OF(chains); i++) {
        struct fixture f;
        fixture_init(&f);
        if (parses(&f, repeated(&f, chains[i].head, chains[i].part, 100000, "")))
            fail_msg("100000 times %s is read", chains[i].part);
        assert_non_null(strstr(f.err.message, "levels"));
        fixture_release(&f);
    }
}

/* What the limits allow can be printed, read again, copied, compared. */
static void test_deepest_round_trips(void **state) {
    (void)state;
    enum { LEVELS = SQL_HEIGHT_MAX - 1 };
    for (size_t i = 0; i < LW_COUNT_OF(chains); i++) {
        struct fixture f;
        fixture_init(&f);
        struct str text = repeated(&f, chains[i].head, chains[i].part, LEVELS / 2, "");
        struct sql_stmt *stmt = must_parse(&f, SQL_POSTGRESQL, text);
        must_round_trip(&f, stmt);
        assert_true(sql_equal(stmt, sql_copy(&f.arena, stmt), &f.pool));
        fixture_release(&f);
    }
    struct fixture f;
    fixture_init(&f);
    must_round_trip(&f,
                    must_parse(&f, SQL_POSTGRESQL, repeated(&f, "SELECT ", "NOT ", LEVELS, "a")));
    must_round_trip(&f, must_parse(&f, SQL_POSTGRESQL, repeated(&f, "SELECT ", "- ", LEVELS, "a")));
    must_round_trip(&f,
                    must_parse(&f, SQL_POSTGRESQL, repeated(&f, "SELECT a", " + a", LEVELS, "")));
    fixture_release(&f);
}

static double parse_seconds(struct fixture *f, struct str text) {
    struct timespec from, to;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    must_round_trip(f, must_parse(f, SQL_POSTGRESQL, text));
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

/* Eight times the text may take some more than eight times as long, not sixty-four times. */
static void check_linear(const char *head, const char *part, const char *tail) {
    enum { PARTS = 2000, FACTOR = 8 };
    struct fixture f;
    fixture_init(&f);
    double small = parse_seconds(&f, repeated(&f, head, part, PARTS, tail));
    double large = parse_seconds(&f, repeated(&f, head, part, PARTS * FACTOR, tail));
    if (large > 0.2 && large > small * FACTOR * 3)
        fail_msg("%s: %f s, then %f s", part, small, large);
    fixture_release(&f);
}

static void test_time_is_linear(void **state) {
    (void)state;
    check_linear("SELECT a FROM t WHERE a IN (1", ", 2", ")");
    check_linear("SELECT a", ", b", " FROM t");
    check_linear("INSERT INTO t VALUES (1, 'x')", ", (2, 'it''s')", "");
    check_linear("SELECT '", "''", "'");
    check_linear("SELECT a /*", " /* x */ ", "*/");
    check_linear("SELECT a", "\n\n", "FROM t");
    check_linear("CREATE TABLE t (a int", ", CHECK (a > 1)", ")");
}

/* Each host value gets one number, however many there are. */
static void test_many_hosts(void **state) {
    (void)state;
    struct fixture f;
    struct buf text = {0};
    enum { HOSTS = 20000 };
    fixture_init(&f);
    buf_add_c(&text, "SELECT a FROM t WHERE a IN (:h0");
    for (int i = 1; i < HOSTS; i++)
        buf_printf(&text, ", :h%d", i);
    buf_add_c(&text, ") OR a = :h7 OR b IN (:h7) OR c = :r.x OR d = :r.y");
    struct sql_stmt *stmt = must_parse(&f, SQL_POSTGRESQL, buf_str(&text));
    assert_int_equal(stmt->hosts.count, HOSTS + 3);
    assert_true(stmt->hosts.items[HOSTS].is_list);
    assert_text(stmt->hosts.items[HOSTS + 2].name, "r");
    assert_text(stmt->hosts.items[HOSTS + 2].column, "y");
    buf_clear(&text);
    buf_add_c(&text, "SELECT 1");
    for (int i = 0; i < 70000; i++)
        buf_printf(&text, ", :h%d", i);
    assert_false(parses(&f, buf_str(&text)));
    assert_text(str_from_c(f.err.message), "more than 60000 host values");
    buf_release(&text);
    fixture_release(&f);
}

static void test_positions(void **state) {
    (void)state;
    struct fixture f;
    struct sql_stmt *stmt;
    fixture_init(&f);
    struct pos start = {10, 5};
    assert_true(sql_parse(&f.arena, &f.pool, STR("SELECT a,\n  b FROM t -- x\n WHERE c = 1"), start,
                          SQL_POSTGRESQL, &stmt, &f.err));
    const struct sql_select *select = stmt->select;
    assert_true(stmt->pos.line == 10 && stmt->pos.column == 5);
    assert_true(select->items.items[0].expr->pos.line == 10);
    assert_int_equal(select->items.items[0].expr->pos.column, 12);
    assert_true(select->items.items[1].expr->pos.line == 11);
    assert_int_equal(select->items.items[1].expr->pos.column, 3);
    assert_true(select->where->pos.line == 12 && select->where->pos.column == 8);
    assert_false(
        sql_parse(&f.arena, &f.pool, STR("SELECT 1\n FROM"), start, SQL_POSTGRESQL, &stmt, &f.err));
    assert_true(f.err.pos.line == 11 && f.err.pos.column == 6);
    fixture_release(&f);
}

static void check_end(enum sql_dialect dialect, const char *text, size_t from, size_t expected) {
    struct err err;
    size_t end;
    if (!sql_statement_end(str_from_c(text), from, (struct pos){1, 1}, dialect, &end, &err))
        fail_msg("%s: %s", text, err.message);
    assert_int_equal(end, expected);
}

static void test_statement_end(void **state) {
    (void)state;
    struct err err;
    size_t end;
    check_end(SQL_POSTGRESQL, "SELECT 1; SELECT 2", 0, 8);
    check_end(SQL_POSTGRESQL, "SELECT 1; SELECT 2", 9, 18);
    check_end(SQL_POSTGRESQL, "SELECT ';' || \";\" || $$;$$ /* ; */ -- ;\n; x", 0, 40);
    check_end(SQL_POSTGRESQL, "a (b; (c;)) d;", 0, 13);
    check_end(SQL_POSTGRESQL, "a ) b;", 0, 5);
    check_end(SQL_POSTGRESQL, "", 0, 0);
    check_end(SQL_MYSQL, "'\\';' # ;\n;", 0, 10);
    check_end(SQL_SQLITE, "[;] `;`;", 0, 7);
    assert_false(
        sql_statement_end(STR("a;\n b 'x"), 2, (struct pos){3, 4}, SQL_POSTGRESQL, &end, &err));
    assert_true(err.pos.line == 4 && err.pos.column == 4);
    assert_false(
        sql_statement_end(STR("x /* y"), 0, (struct pos){3, 4}, SQL_POSTGRESQL, &end, &err));
    assert_true(err.pos.line == 3 && err.pos.column == 6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_depth_is_limited), cmocka_unit_test(test_deepest_round_trips),
        cmocka_unit_test(test_time_is_linear),   cmocka_unit_test(test_many_hosts),
        cmocka_unit_test(test_positions),        cmocka_unit_test(test_statement_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
