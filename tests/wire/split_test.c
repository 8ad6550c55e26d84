/* Texts of several statements are cut where the server cuts them. */
#include "base/buf.h"
#include "wire/split.h"
#include "wire/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The statements with `|` between them. */
static void check_split(const char *text, enum trace_server server, const char *expected) {
    struct buf out = {0};
    struct str one;
    for (size_t at = 0; split_next(str_from_c(text), server, &at, &one);) {
        buf_add_c(&out, out.len > 0 ? "|" : "");
        buf_add(&out, one);
    }
    assert_string_equal(out.ptr != NULL ? out.ptr : "", expected);
    buf_release(&out);
}

static void test_postgresql(void **state) {
    (void)state;
    enum trace_server pg = TRACE_POSTGRESQL;
    check_split("", pg, "");
    check_split(" ; -- x;\n; /* ; /* ; */ ; */ ", pg, "");
    check_split("a; b ;c", pg, "a|b |c");
    check_split("a ';' ; b", pg, "a ';' |b");
    check_split("'it''s;' ; \"x;\"\"y;\"; c", pg, "'it''s;' |\"x;\"\"y;\"|c");
    check_split("'\\'; b", pg, "'\\'|b");
    check_split("E'\\';' ; b", pg, "E'\\';' |b");
    check_split("$$;$$; $a$;$$;$a$; $1;c", pg, "$$;$$|$a$;$$;$a$|$1|c");
    check_split("/* /* ; */ ; */ a; b -- ;", pg, "/* /* ; */ ; */ a|b -- ;");
    check_split("CREATE RULE r AS ON INSERT TO t DO (a; b); c", pg, "CREATE RULE r AS ON INSERT TO t DO (a; b)|c");
    check_split("CREATE FUNCTION f() BEGIN ATOMIC a; CASE x END; END; c", pg,
                "CREATE FUNCTION f() BEGIN ATOMIC a; CASE x END; END|c");
    check_split("BEGIN; a; END; b", pg, "BEGIN|a|END|b");
    check_split("a $x$ never closed ; b", pg, "a $x$ never closed ; b");
    check_split("a # b; c", pg, "a # b|c");
    check_split("a `;` b", pg, "a `|` b");
}

static void test_mysql(void **state) {
    (void)state;
    enum trace_server my = TRACE_MYSQL;
    check_split("a; b # ;\n; c -- ;", my, "a|b # ;\n|c -- ;");
    check_split("a '\\';' ; \"\\\";\" ; `;`", my, "a '\\';' |\"\\\";\" |`;`");
    check_split("a --1; b", my, "a --1|b");
    check_split("/* a; /* */ b; /*!40101 SET x */; c", my, "/* a; /* */ b|/*!40101 SET x */|c");
    check_split("CREATE PROCEDURE p() BEGIN a; b; END", my, "CREATE PROCEDURE p() BEGIN a; b; END");
    check_split("CREATE TABLE t (a INT); b", my, "CREATE TABLE t (a INT)|b");
    check_split("BEGIN NOT ATOMIC a; b; END", my, "BEGIN NOT ATOMIC a; b; END");
    check_split("BEGIN; a; COMMIT", my, "BEGIN|a|COMMIT");
}

static void check_word(const char *text, const char *expected) {
    struct str word = split_first_word(str_from_c(text), TRACE_MYSQL);
    assert_true(str_is(word, expected));
}

static void test_first_word(void **state) {
    (void)state;
    check_word("call p()", "call");
    check_word(" /* x */ (SELECT 1)", "SELECT");
    check_word("-- x", "");
    check_word("", "");
}

static void check_double(double number, const char *postgresql, const char *mysql) {
    struct buf out = {0};
    value_add_double(&out, number, VALUE_POSTGRESQL);
    assert_string_equal(out.ptr, postgresql);
    buf_clear(&out);
    value_add_double(&out, number, VALUE_MYSQL);
    assert_string_equal(out.ptr, mysql);
    buf_release(&out);
}

/* As PostgreSQL 15 and MariaDB 10.11 print them. */
static void test_double(void **state) {
    (void)state;
    check_double(0, "0", "0");
    check_double(-1.5, "-1.5", "-1.5");
    check_double(0.1 + 0.2, "0.30000000000000004", "0.30000000000000004");
    check_double(1e14, "100000000000000", "100000000000000");
    check_double(1e15, "1e+15", "1e15");
    check_double(0.0001, "0.0001", "0.0001");
    check_double(0.00001234, "1.234e-05", "0.00001234");
    check_double(1.5e300, "1.5e+300", "1.5e300");
}

static void test_days(void **state) {
    (void)state;
    for (int64_t day = -800000; day < 800000; day += 97) {
        struct buf out = {0};
        value_add_date(&out, day);
        if (day > value_days_of(1, 1, 1)) {
            int year, month, date;
            assert_int_equal(sscanf(out.ptr, "%d-%d-%d", &year, &month, &date), 3);
            assert_true(value_days_of(year, (unsigned)month, (unsigned)date) == day);
        }
        buf_release(&out);
    }
    assert_true(value_days_of(1970, 1, 1) == 0);
    assert_true(value_days_of(2000, 3, 1) == 11017);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_postgresql), cmocka_unit_test(test_mysql), cmocka_unit_test(test_first_word),
        cmocka_unit_test(test_double),     cmocka_unit_test(test_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
