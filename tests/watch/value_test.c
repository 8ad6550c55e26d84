/* Values as watch compares them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "watch/value.h"

static const struct hash_key key = {{0x0706050403020100u, 0x0f0e0d0c0b0a0908u}};

/* The test vectors of SipHash's paper: the bytes 0, 1, 2, ... under the key 00 01 ... 0f. */
static void siphash(void **state) {
    (void)state;
    char bytes[15];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)i;
    assert_true(keyed_hash(&key, (struct str){bytes, 0}) == 0x726fdb47dd0e0e31u);
    assert_true(keyed_hash(&key, (struct str){bytes, 8}) == 0x93f5f5799a932462u);
    assert_true(keyed_hash(&key, (struct str){bytes, 15}) == 0xa129ca6149be45e5u);
}

static bool equal(const char *a, const char *b) {
    struct seen_value left = seen_value(&key, str_from_c(a), false), right = seen_value(&key, str_from_c(b), false);
    return seen_equal(&left, &right);
}

static void equals(void **state) {
    (void)state;
    assert_true(equal("7", "7.00"));
    assert_true(equal("-0", "0"));
    assert_true(equal("007", "7"));
    assert_true(equal("true", "t"));
    assert_true(equal("2026-11-27 10:00:00+00", "2026-11-27T10:00:00+00:00"));
    assert_false(equal("7", "70"));
    assert_false(equal("1.5", "15"));
    assert_false(equal("a", "b"));
    struct seen_value null = seen_null(), absent = {.state = TRACE_ABSENT};
    assert_true(seen_equal(&null, &null));
    assert_false(seen_equal(&absent, &absent));
}

static void clocks(void **state) {
    (void)state;
    struct seen_value time = seen_value(&key, STR("2026-11-27 10:00:00"), true);
    assert_true(time.is_time);
    assert_true(seen_is_clock(&time, time.number + 1000000));
    assert_true(seen_is_clock(&time, time.number + (int64_t)2 * 3600 * 1000000));
    assert_false(seen_is_clock(&time, time.number + (int64_t)600 * 1000000));
    assert_false(seen_is_clock(&time, time.number + (int64_t)48 * 3600 * 1000000));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(siphash), cmocka_unit_test(equals), cmocka_unit_test(clocks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
