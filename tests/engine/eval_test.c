/* Expressions: each is the item of a SELECT without FROM, on each engine; and queries over a few rows. What
 * is expected was checked on PostgreSQL 15, MariaDB 10.11 and SQLite 3.40; a decimal's trailing zeros, a
 * double's ".0" and the difference between true and 1 are not kept. */
#include "support.h"

#include "base/assert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const enum engine_kind engines[] = {ENGINE_POSTGRESQL, ENGINE_MARIADB, ENGINE_SQLITE};

struct expectation {
    const char *sql; /* after SELECT */
    const char *values
        [3]; /* PostgreSQL, MariaDB, SQLite; "!": an error; NULL: as PostgreSQL; "": not compared */
};

static const struct expectation expressions[] = {
    {"1 + 2 * 3", {"7"}},
    {"7 / 2", {"3", "3.5", "3"}},
    {"7 % 3", {"1"}},
    {"1 / 0", {"!", "NULL", "NULL"}},
    {"-3", {"-3"}},
    {"9223372036854775807 + 1", {"!", "!", ""}}, /* SQLite goes on with a double */
    {"null + 1", {"NULL"}},
    {"1 = 1", {"true"}},
    {"null = null", {"NULL"}},
    {"null is null", {"true"}},
    {"1 is not null", {"true"}},
    {"null and false", {"false"}},
    {"null and true", {"NULL"}},
    {"null or true", {"true"}},
    {"null or false", {"NULL"}},
    {"not null", {"NULL"}},
    {"not (1 = 2)", {"true"}},
    {"1 in (2, 1)", {"true"}},
    {"1 in (2, null)", {"NULL"}},
    {"1 not in (2, 3)", {"true"}},
    {"1 not in (2, null)", {"NULL"}},
    {"null in (1)", {"NULL"}},
    {"2 between 1 and 3", {"true"}},
    {"4 between 1 and null", {"NULL"}},
    {"0 between 1 and null", {"false"}},
    {"2 not between 1 and 3", {"false"}},
    {"'abc' like 'a%'", {"true"}},
    {"'ABC' like 'a%'", {"false", "true", "true"}},
    {"'a%c' like 'a\\%c'", {"true", "true", "false"}},
    {"'abc' like 'a_c'", {"true"}},
    {"'abc' like '%b'", {"false"}},
    {"'aXbXc' like 'a%X_'", {"true"}},
    {"'abc' not like '%z%'", {"true"}},
    {"null like 'a'", {"NULL"}},
    {"'a' = 'A'", {"false", "true", "false"}},
    {"'5' = 5", {"true", "true", ""}}, /* without a column SQLite converts neither */
    {"'x' = 5", {"!", "false", "false"}},
    {"case when 1 = 2 then 3 else 4 end", {"4"}},
    {"case 2 when 1 then 10 when 2 then 20 end", {"20"}},
    {"case 3 when 1 then 10 end", {"NULL"}},
    {"coalesce(null, null, 3)", {"3"}},
    {"nullif(3, 3)", {"NULL"}},
    {"nullif(3, 4)", {"3"}},
    {"abs(-3)", {"3"}},
    {"round(2.5)", {"3"}},
    {"round(-2.5)", {"-3"}},
    {"round(1.25, 1)", {"1.3"}},
    {"upper('abc')", {"'ABC'"}},
    {"lower('ABC')", {"'abc'"}},
    {"length('abc')", {"3"}},
    {"substr('abcdef', 2, 3)", {"'bcd'"}},
    {"trim('  a ')", {"'a'"}},
    {"cast('12' as integer)", {"12"}},
    {"cast(12 as varchar(10))", {"'12'"}},
    {"cast(2.5 as integer)", {"3", "3", "2"}},
    {"cast('x' as integer)", {"!", "0", "0"}},
    {"date_trunc('day', now())", {"!", "!", "!"}},
    {"(1, 2) = (1, 2)", {"true"}},
    {"(1, 2) = (1, 3)", {"false"}},
    {"(1, 2) < (1, 3)", {"true"}},
    {"(1, 2) in ((3, 4), (1, 2))", {"true"}},
    {"exists (select 1)", {"true"}},
    {"(select 3)", {"3"}},
    {"1 in (select 1)", {"true"}},
};

static size_t failures;

static void check_expression(struct lab *lab, const char *sql, const char *expected) {
    struct db_result result;
    struct buf statement = {0}, got = {0};
    buf_printf(&statement, "select %s", sql);
    lab_exec(lab, 0, str_to_c(&lab->arena, buf_str(&statement)), &result);
    if (result.status != DB_OK) {
        buf_add_c(&got, "!");
    } else {
        assert_int_equal(result.row_count, 1);
        value_print(&lab->pool, result.rows[0], &got);
    }
    if (!str_is(buf_str(&got), expected))
        print_error("%s: %s: expected %s, got %s\n", engine_name(lab->config.engine), sql, expected,
                    got.ptr),
            failures++;
    buf_release(&statement);
    buf_release(&got);
}

static void test_expressions(void **state) {
    (void)state;
    for (size_t e = 0; e < LW_COUNT_OF(engines); e++) {
        struct lab lab;
        lab_init(&lab, engines[e], SQL_READ_COMMITTED, 1);
        lab_setup(&lab, "");
        for (size_t i = 0; i < LW_COUNT_OF(expressions); i++) {
            const struct expectation *expectation = &expressions[i];
            const char *expected = expectation->values[e];
            if (expected == NULL)
                expected = expectation->values[0];
            if (expected[0] != '\0')
                check_expression(&lab, expectation->sql, expected);
        }
        lab_release(&lab);
    }
    assert_int_equal(failures, 0);
}

/* ---- queries ---- */

static const char *const setup =
    "create table a (id integer primary key, name varchar(10), n integer);"
    "create table b (id integer primary key, aid integer, v integer);"
    "insert into a values (1, 'one', 10), (2, 'two', 20), (3, 'three', null), (4, 'four', 20);"
    "insert into b values (1, 1, 5), (2, 1, 6), (3, 2, 7), (4, null, 8);";

static const struct {
    const char *sql;
    const char *rows; /* NULLs sort last on PostgreSQL: no ORDER BY over them here */
} queries[] = {
    {"select id from a where n = 20 order by id desc", "[('4',), ('2',)]"},
    {"select id from a order by id limit 2 offset 1", "[('2',), ('3',)]"},
    {"select count(*), count(n), sum(n), min(n), max(n) from a", "[('4', '3', '50', '10', '20')]"},
    {"select count(distinct n) from a", "[('2',)]"},
    {"select sum(n), count(*) from a where id > 9", "[(None, '0')]"},
    {"select n, count(*) as c from a where n is not null group by n order by n",
     "[('10', '1'), ('20', '2')]"},
    {"select n, count(*) as c from a where n is not null group by n having count(*) > 1",
     "[('20', '2')]"},
    {"select distinct n from a where n is not null order by n", "[('10',), ('20',)]"},
    {"select a.id, b.id from a inner join b on b.aid = a.id order by b.id",
     "[('1', '1'), ('1', '2'), ('2', '3')]"},
    {"select a.id, b.id from a left join b on b.aid = a.id where a.id > 1 order by a.id",
     "[('2', '3'), ('3', None), ('4', None)]"},
    {"select a.id from a left join b on b.aid = a.id where b.id is null order by a.id",
     "[('3',), ('4',)]"},
    {"select a.id from a, b where a.id = b.aid and b.v > 5 order by b.v", "[('1',), ('2',)]"},
    {"select id from a where exists (select 1 from b where b.aid = a.id) order by id",
     "[('1',), ('2',)]"},
    {"select id from a where not exists (select 1 from b where b.aid = a.id) order by id",
     "[('3',), ('4',)]"},
    {"select id from a where id in (select aid from b where v > 6)", "[('2',)]"},
    {"select id from a where id not in (select aid from b)", "[]"},
    {"select id, (select sum(v) from b where b.aid = a.id) from a where id < 3 order by id",
     "[('1', '11'), ('2', '7')]"},
    {"select s.total from (select aid, sum(v) as total from b group by aid) s where s.aid = 1",
     "[('11',)]"},
    {"select id from a where (select count(*) from b where b.aid = a.id) = 2", "[('1',)]"},
    {"select max(n) - min(n) from a", "[('10',)]"},
    {"select id from a where n + 0 = 20 and id <> 2", "[('4',)]"},
    {"select a.n, sum(b.v) from a inner join b on b.aid = a.id group by a.n order by sum(b.v) desc",
     "[('10', '11'), ('20', '7')]"},
};

static void test_queries(void **state) {
    (void)state;
    for (size_t e = 0; e < LW_COUNT_OF(engines); e++) {
        struct lab lab;
        lab_init(&lab, engines[e], SQL_READ_COMMITTED, 1);
        lab_setup(&lab, setup);
        for (size_t i = 0; i < LW_COUNT_OF(queries); i++) {
            struct db_result result;
            struct buf got = {0};
            lab_exec(&lab, 0, queries[i].sql, &result);
            answer_print(&lab, lab.db, lab_stmt(&lab, str_from_c(queries[i].sql)), &result, &got);
            if (!str_is(buf_str(&got), queries[i].rows))
                fail_msg("%s: %s: expected %s, got %s", engine_name(engines[e]), queries[i].sql,
                         queries[i].rows, got.ptr);
            buf_release(&got);
        }
        lab_release(&lab);
    }
}

static void expect_error(struct lab *lab, const char *sql, enum db_error error) {
    struct db_result result;
    lab_exec(lab, 0, sql, &result);
    assert_int_equal(result.status, DB_FAILED);
    assert_int_equal(result.error, error);
}

static void test_errors(void **state) {
    (void)state;
    struct lab lab;
    lab_init(&lab, ENGINE_POSTGRESQL, SQL_READ_COMMITTED, 1);
    lab_setup(&lab, setup);
    expect_error(&lab, "select (select id from a)", DB_ERROR_CARDINALITY);
    expect_error(&lab, "select id from a where name = 5 and id = 'x'", DB_ERROR_DATA);
    expect_error(&lab, "select id from a limit -1", DB_ERROR_DATA);
    expect_error(&lab, "insert into a values (9, 'longer than ten', 1)", DB_ERROR_DATA);
    expect_error(&lab, "insert into a values (9, 'x', 3000000000)", DB_ERROR_DATA);
    expect_error(&lab, "select frobnicate(id) from a", DB_ERROR_NOT_MODELLED);
    expect_error(&lab,
                 "select count(*) from a a1, a a2, a a3, a a4, a a5, a a6, a a7, a a8, a a9, a b1, "
                 "a b2, a b3",
                 DB_ERROR_LIMIT);
    lab_release(&lab);
}

/* Host values: F() over the updated row, and a list in IN. */
static void test_binds(void **state) {
    (void)state;
    struct lab lab;
    struct db_result result;
    struct err err;
    struct sql_expr *f;
    lab_init(&lab, ENGINE_MARIADB, SQL_READ_COMMITTED, 1);
    lab_setup(&lab, setup);
    struct sql_stmt *update =
        (struct sql_stmt *)lab_stmt(&lab, STR("update a set n = :n where id in (:ids)"));
    assert_true(sql_parse_expr(&lab.arena, &lab.pool, STR("n + 1"), (struct pos){1, 1}, SQL_MYSQL,
                               update, &f, &err));
    assert_true(sql_resolve_expr(&lab.arena, &lab.schema, 0, f, &err));
    const struct value ids[] = {value_int(1), value_int(4)};
    const struct db_bind binds[] = {
        {.kind = DB_BIND_EXPR, .expr = f},
        {.kind = DB_BIND_LIST, .list = ids, .list_count = LW_COUNT_OF(ids)}};
    db_exec(lab.db, 0, update, binds, &result);
    assert_int_equal(result.status, DB_OK);
    assert_int_equal(result.affected, 2);
    lab_exec(&lab, 0, "select n from a where id in (1, 4) order by id", &result);
    assert_int_equal(result.row_count, 2);
    assert_int_equal(result.rows[0].number, 11);
    assert_int_equal(result.rows[1].number, 21);
    assert_int_equal(result.ref_count, 1);
    assert_int_equal(db_version_session(lab.db, result.row_refs[0].version), 0);
    lab_release(&lab);
}

/* MySQL assigns from left to right, the others from the old row. */
static void test_assignment_order(void **state) {
    (void)state;
    for (size_t e = 0; e < LW_COUNT_OF(engines); e++) {
        struct lab lab;
        struct db_result result;
        lab_init(&lab, engines[e], SQL_READ_COMMITTED, 1);
        lab_setup(&lab, setup);
        lab_exec(&lab, 0, "update b set v = v + 1, aid = v where id = 1", &result);
        assert_int_equal(result.status, DB_OK);
        lab_exec(&lab, 0, "select aid from b where id = 1", &result);
        assert_int_equal(result.rows[0].number, engines[e] == ENGINE_MARIADB ? 6 : 5);
        lab_release(&lab);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expressions),      cmocka_unit_test(test_queries),
        cmocka_unit_test(test_errors),           cmocka_unit_test(test_binds),
        cmocka_unit_test(test_assignment_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
