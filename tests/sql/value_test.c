/* Values: exact arithmetic, order, interned texts, instants, and how they are written. */
#include "base/assert.h"
#include "support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct str text_of(struct fixture *f, struct value value) {
    struct buf out = {0};
    value_print(&f->pool, value, &out);
    struct str text = str_dup(&f->arena, buf_str(&out));
    buf_release(&out);
    return text;
}

static struct value literal(struct fixture *f, const char *text) {
    struct sql_stmt holder = {.kind = SQL_STMT_SELECT};
    struct sql_expr *expr;
    if (!sql_parse_expr(&f->arena, &f->pool, str_from_c(text), (struct pos){1, 1}, SQL_POSTGRESQL,
                        &holder, &expr, &f->err))
        fail_msg("%s", f->err.message);
    assert_int_equal(expr->kind, SQL_LITERAL);
    return expr->literal;
}

/* "-" stands for an operation that must fail. */
static void check(struct fixture *f, const char *a, enum value_op op, const char *b,
                  bool integer_division, const char *expected) {
    struct value result;
    bool is_ok = value_arith(op, literal(f, a), literal(f, b), integer_division, &result);
    struct str text = is_ok ? text_of(f, result) : STR("-");
    if (!str_is(text, expected))
        fail_msg("%s op %d %s: got %.*s, expected %s", a, (int)op, b, STR_ARG(text), expected);
}

static void test_arithmetic(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    check(&f, "2", VALUE_ADD, "3", true, "5");
    check(&f, "9223372036854775807", VALUE_ADD, "1", true, "-");
    check(&f, "-9223372036854775808", VALUE_SUB, "1", true, "-");
    check(&f, "4611686018427387904", VALUE_MUL, "2", true, "-");
    check(&f, "-9223372036854775808", VALUE_DIV, "-1", true, "-");
    check(&f, "-9223372036854775808", VALUE_MOD, "-1", true, "0");
    check(&f, "7", VALUE_DIV, "2", true, "3");
    check(&f, "-7", VALUE_DIV, "2", true, "-3");
    check(&f, "-7", VALUE_MOD, "2", true, "-1");
    check(&f, "7", VALUE_DIV, "0", true, "-");
    check(&f, "7", VALUE_MOD, "0", true, "-");
    check(&f, "7", VALUE_DIV, "2", false, "3.5");
    check(&f, "10", VALUE_DIV, "2", false, "5");
    check(&f, "1", VALUE_DIV, "3", false, "0.333333333333");
    check(&f, "2", VALUE_DIV, "3", false, "0.666666666667");
    check(&f, "-2", VALUE_DIV, "3", false, "-0.666666666667");
    check(&f, "1.10", VALUE_ADD, "2.2", true, "3.30");
    check(&f, "0.1", VALUE_SUB, "0.3", true, "-0.2");
    check(&f, "1.10", VALUE_MUL, "2.0", true, "2.20");
    check(&f, "0.000000001", VALUE_MUL, "0.000000001", true, "0.000000000000000001");
    check(&f, "1.50", VALUE_DIV, "0.5", true, "3.00");
    check(&f, "0.5", VALUE_DIV, "0.000000000000000001", true, "500000000000000000.0");
    check(&f, "1000000000000000000.", VALUE_DIV, "0.01", true, "-");
    check(&f, "5.5", VALUE_MOD, "2", true, "1.5");
    check(&f, "1.5", VALUE_DIV, "0.0", true, "-");
    check(&f, "NULL", VALUE_ADD, "1", true, "NULL");
    check(&f, "1", VALUE_DIV, "NULL", true, "NULL");
    check(&f, "'x'", VALUE_ADD, "1", true, "-");
    check(&f, "TRUE", VALUE_ADD, "1", true, "2");
    fixture_release(&f);
}

static void test_order(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    static const char *const ascending[] = {
        "-9223372036854775808", "-1.5", "-1", "0.00", "0.001", "1", "1.000000000000000001",
        "9223372036854775807"};
    for (size_t i = 0; i < LW_COUNT_OF(ascending); i++)
        for (size_t k = 0; k < LW_COUNT_OF(ascending); k++) {
            int order =
                value_compare(&f.pool, literal(&f, ascending[i]), literal(&f, ascending[k]));
            assert_int_equal(order, i < k ? -1 : i > k);
        }
    assert_true(value_equal(&f.pool, literal(&f, "1"), literal(&f, "1.00")));
    assert_false(value_equal(&f.pool, literal(&f, "1"), literal(&f, "TRUE")));
    assert_int_equal(value_compare(&f.pool, literal(&f, "1"), literal(&f, "TRUE")), 0);
    assert_true(value_equal(&f.pool, value_null(), value_null()));
    assert_false(value_equal(&f.pool, value_null(), literal(&f, "0")));
    assert_true(value_compare(&f.pool, literal(&f, "'b'"), literal(&f, "'ab'")) > 0);
    assert_true(value_compare(&f.pool, literal(&f, "'a'"), literal(&f, "'ab'")) < 0);
    assert_true(value_compare(&f.pool, literal(&f, "'1'"), literal(&f, "2")) > 0);
    fixture_release(&f);
}

static void test_texts_are_interned(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    char bytes[] = "one";
    int64_t one = text_pool_add(&f.pool, (struct str){bytes, 3});
    bytes[0] = 'x';
    assert_int_equal(text_pool_add(&f.pool, STR("one")), one);
    assert_int_not_equal(text_pool_add(&f.pool, STR("xne")), one);
    assert_text(text_pool_get(&f.pool, one), "one");
    enum { TEXTS = 5000 };
    for (int i = 0; i < TEXTS; i++)
        text_pool_add(&f.pool, str_printf(&f.arena, "text %d", i));
    assert_int_equal(f.pool.count, TEXTS + 2);
    assert_int_equal(text_pool_add(&f.pool, STR("text 4999")), TEXTS + 1);
    fixture_release(&f);
}

static void test_texts_over_others(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    int64_t one = text_pool_add(&f.pool, STR("one"));
    size_t base_count = f.pool.count;
    struct text_pool left, right, above;
    text_pool_init_over(&left, &f.arena, &f.pool);
    text_pool_init_over(&right, &f.arena, &f.pool);
    assert_int_equal(text_pool_add(&left, STR("one")), one);
    int64_t two = text_pool_add(&left, STR("two"));
    int64_t three = text_pool_add(&right, STR("three"));
    assert_int_equal(two, base_count);
    assert_int_equal(two, three); /* each has its own */
    assert_text(text_pool_get(&left, two), "two");
    assert_text(text_pool_get(&right, three), "three");
    assert_int_equal(f.pool.count, base_count);
    text_pool_init_over(&above, &f.arena, &left);
    assert_int_equal(text_pool_add(&above, STR("two")), two);
    assert_int_equal(text_pool_add(&above, STR("one")), one);
    assert_text(text_pool_get(&above, text_pool_add(&above, STR("four"))), "four");
    assert_text(text_pool_get(&above, one), "one");
    assert_text(text_pool_get(&above, two), "two");
    fixture_release(&f);
}

static void test_instants(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t microseconds;
        const char *printed;
    } cases[] = {
        {"1970-01-01", 0, "'1970-01-01 00:00:00'"},
        {"1969-12-31 23:59:59.999999", -1, "'1969-12-31 23:59:59.999999'"},
        {"2000-02-29T12:30", 951827400000000, "'2000-02-29 12:30:00'"},
        {"2024-12-31 23:59:59.5Z", 1735689599500000, "'2024-12-31 23:59:59.500000'"},
        {"2024-01-01 02:00:00+02:00", 1704067200000000, "'2024-01-01 00:00:00'"},
        {"2024-01-01 00:00-0130", 1704072600000000, "'2024-01-01 01:30:00'"},
        {"0001-01-01", -62135596800000000, "'0001-01-01 00:00:00'"},
        {"9999-12-31", 253402214400000000, "'9999-12-31 00:00:00'"},
    };
    static const char *const wrong[] = {"",
                                        "2024",
                                        "2024-13-01",
                                        "2023-02-29",
                                        "1900-02-29",
                                        "2024-01-01 ",
                                        "2024-01-01 24:00",
                                        "2024-01-01 10:60",
                                        "2024-01-01 10:00:00.",
                                        "2024-01-01 10:00+99",
                                        "2024-01-01x",
                                        "2024-1-1",
                                        "2024-01-01 10:00:00.1234567"};
    struct fixture f;
    struct value value;
    fixture_init(&f);
    for (size_t i = 0; i < LW_COUNT_OF(cases); i++) {
        assert_true(value_parse_time(str_from_c(cases[i].text), &value));
        assert_int_equal(value.number, cases[i].microseconds);
        assert_text(text_of(&f, value), cases[i].printed);
    }
    for (size_t i = 0; i < LW_COUNT_OF(wrong); i++)
        if (value_parse_time(str_from_c(wrong[i]), &value))
            fail_msg("%s is taken for an instant", wrong[i]);
    for (int64_t day = -719528; day < 2932896; day += 97) { /* years 0 to 9999 */
        struct buf out = {0};
        assert_true(value_time_text(value_time(day * 86400000000), &out));
        assert_true(value_parse_time(buf_str(&out), &value));
        assert_int_equal(value.number, day * 86400000000);
        buf_release(&out);
    }
    fixture_release(&f);
}

static void test_printing(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    assert_text(text_of(&f, value_bool(true)), "true");
    assert_text(text_of(&f, value_decimal(-5, 2)), "-0.05");
    assert_text(text_of(&f, value_decimal(INT64_MIN, 18)), "-9.223372036854775808");
    assert_text(text_of(&f, value_text(&f.pool, STR("it's"))), "'it''s'");
    struct value generated = value_time(INT64_MAX);
    assert_text(text_of(&f, generated), "9223372036854775807");
    generated = value_time(3);
    generated.origin = 1;
    assert_text(text_of(&f, generated), "3");
    fixture_release(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arithmetic),         cmocka_unit_test(test_order),
        cmocka_unit_test(test_texts_are_interned), cmocka_unit_test(test_texts_over_others),
        cmocka_unit_test(test_instants),
        cmocka_unit_test(test_printing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
