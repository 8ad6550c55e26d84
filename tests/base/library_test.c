/* Libraries that are loaded when needed: what is missing is said. */
#include "base/library.h"

#include "base/assert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_found(void **state) {
    (void)state;
    size_t (*length)(const char *) = NULL;
    const struct library_function functions[] = {{"strlen", &length}};
    struct err err;
    assert_true(library_load("libc.so.6", "such a URL", functions, 1, &err));
    assert_int_equal(length("four"), 4);
}

static void test_missing_library(void **state) {
    (void)state;
    struct err err;
    assert_false(library_load("libnowhere.so.9", "such a URL", NULL, 0, &err));
    assert_non_null(strstr(err.message, "such a URL needs the library libnowhere.so.9: "));
}

static void test_missing_function(void **state) {
    (void)state;
    void (*function)(void) = NULL;
    const struct library_function functions[] = {{"lw_no_such_function", &function}};
    struct err err;
    assert_false(library_load("libc.so.6", "such a URL", functions, 1, &err));
    assert_string_equal(err.message,
                        "the library libc.so.6 has no lw_no_such_function: it is too old");
    assert_null(function);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),
        cmocka_unit_test(test_missing_library),
        cmocka_unit_test(test_missing_function),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
