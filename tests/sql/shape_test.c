/* Shapes of statements: alike but for literals, and what stands in for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sql/shape.h"

static bool same(const char *a, const char *b, enum sql_dialect dialect) {
    struct sql_shape left = {0}, right = {0};
    sql_shape_read(&left, str_from_c(a), dialect);
    sql_shape_read(&right, str_from_c(b), dialect);
    bool is_same = memcmp(left.hash, right.hash, sizeof(left.hash)) == 0;
    sql_shape_release(&left);
    sql_shape_release(&right);
    return is_same;
}

static void alike(void **state) {
    (void)state;
    assert_true(same("SELECT 1", "SELECT 22", SQL_POSTGRESQL));
    assert_true(same("UPDATE t SET a = 'x''y' WHERE id = 1", "UPDATE  t SET a = NULL\n WHERE id = -7;", SQL_POSTGRESQL));
    assert_true(same("SELECT a FROM t WHERE id IN (1, 2, 3)", "SELECT a FROM t WHERE id IN (9)", SQL_POSTGRESQL));
    assert_true(same("SELECT 1 /* route='/a' */", "SELECT 1", SQL_POSTGRESQL));
    assert_true(same("SELECT \"a\"", "SELECT 'b'", SQL_MYSQL));
    assert_true(same("SELECT $1", "SELECT $2", SQL_POSTGRESQL));
    assert_true(same("SELECT E'a\\'b'", "SELECT $q$it's$q$", SQL_POSTGRESQL));
    assert_true(same("SELECT _utf8mb4'a'", "SELECT X'ff'", SQL_MYSQL));
    assert_false(same("SELECT \"a\"", "SELECT \"b\"", SQL_POSTGRESQL));
    assert_false(same("SELECT a FROM t WHERE b IS NULL", "SELECT a FROM t WHERE b IS NOT NULL", SQL_POSTGRESQL));
    assert_false(same("SELECT a - 1", "SELECT a + 1", SQL_POSTGRESQL));
    assert_false(same("INSERT INTO t VALUES (1, 2)", "INSERT INTO t VALUES (1)", SQL_POSTGRESQL));
}

static void assert_template(const char *text, enum sql_dialect dialect, const char *expected) {
    struct sql_shape shape = {0};
    struct buf out = {0};
    sql_shape_read(&shape, str_from_c(text), dialect);
    sql_shape_template(&shape, str_from_c(text), &out);
    assert_string_equal(out.ptr, expected);
    buf_release(&out);
    sql_shape_release(&shape);
}

static void templates(void **state) {
    (void)state;
    assert_template("SELECT a FROM t WHERE id IN (1, 2, 3) AND b = 'x' LIMIT 21", SQL_POSTGRESQL,
                    "SELECT a FROM t WHERE id IN (:v0) AND b = :v1 LIMIT :v2");
    assert_template("UPDATE t SET a = a - 1, b = -2, c = '2026-01-01'::date, d = NULL WHERE e IS NULL", SQL_POSTGRESQL,
                    "UPDATE t SET a = a - :v0, b = :v1, c = :v2::date, d = :v3 WHERE e IS NULL");
    assert_template("SELECT `a` FROM `t` WHERE `b` = \"x\\\"y\" # c = 1\n", SQL_MYSQL,
                    "SELECT `a` FROM `t` WHERE `b` = :v0 # c = 1\n");
    assert_template("SELECT ?, 1e-3, 0x1F, .5", SQL_MYSQL, "SELECT :v0, :v1, :v2, :v3");
}

static void literals(void **state) {
    (void)state;
    struct arena arena = {0};
    struct sql_shape shape = {0};
    sql_shape_read(&shape, STR("SELECT 'it''s', $2, -7, E'a\\nb' /*file='a.py%3A3'*/"), SQL_POSTGRESQL);
    assert_int_equal(shape.literals.count, 4);
    assert_true(str_is(sql_literal_text(&arena, &shape.literals.items[0], SQL_POSTGRESQL), "it's"));
    assert_int_equal(shape.literals.items[1].kind, SQL_LITERAL_PARAMETER);
    assert_int_equal(shape.literals.items[1].parameter, 1);
    assert_true(str_is(shape.literals.items[2].text, "-7"));
    assert_true(str_is(sql_literal_text(&arena, &shape.literals.items[3], SQL_POSTGRESQL), "a\nb"));
    assert_true(str_is(shape.comment, "file='a.py%3A3'"));
    sql_shape_release(&shape);
    arena_release(&arena);
}

static void broken(void **state) {
    (void)state;
    static const char *const texts[] = {"SELECT 'a", "SELECT /* a", "SELECT \"a", "SELECT $a$ b", "'"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct sql_shape shape = {0};
        sql_shape_read(&shape, str_from_c(texts[i]), SQL_POSTGRESQL);
        assert_true(shape.is_broken);
        sql_shape_release(&shape);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(alike), cmocka_unit_test(templates),
                                       cmocka_unit_test(literals), cmocka_unit_test(broken)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
