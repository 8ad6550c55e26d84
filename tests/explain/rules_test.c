/* The list of rules and their pages: each whole, each in its place. */
#include "explain/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { PAGE_COLUMNS_MAX = 100 };

static void test_codes_are_numbered(void **state) {
    (void)state;
    assert_int_equal(RULE_COUNT, 13);
    for (int i = 0; i < RULE_COUNT; i++) {
        char code[16];
        snprintf(code, sizeof(code), "LW%03d", i + 1);
        assert_string_equal(rule_code((enum rule)i), code);
    }
}

static void test_names(void **state) {
    (void)state;
    for (int i = 0; i < RULE_COUNT; i++) {
        const char *name = rule_name((enum rule)i);
        assert_true(strlen(name) > 3 && strlen(name) <= 40);
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz-"), strlen(name));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(name, rule_name((enum rule)j));
        size_t length = strlen(rule_summary((enum rule)i));
        assert_in_range(length, 20, 92);
        assert_true(rule_summary((enum rule)i)[length - 1] != '.');
    }
}

static void test_parse(void **state) {
    (void)state;
    for (int i = 0; i < RULE_COUNT; i++) {
        enum rule by_code = RULE_COUNT, by_name = RULE_COUNT;
        assert_true(rule_parse(str_from_c(rule_code((enum rule)i)), &by_code));
        assert_true(rule_parse(str_from_c(rule_name((enum rule)i)), &by_name));
        assert_int_equal(by_code, i);
        assert_int_equal(by_name, i);
    }
    enum rule rule = RULE_COUNT;
    assert_true(rule_parse(STR("lw003"), &rule));
    assert_int_equal(rule, RULE_READ_MODIFY_WRITE);
    rule = RULE_COUNT;
    assert_false(rule_parse(STR("LW3"), &rule));
    assert_false(rule_parse(STR("LW014"), &rule));
    assert_false(rule_parse(STR(""), &rule));
    assert_false(rule_parse(STR("LW0030"), &rule));
    assert_int_equal(rule, RULE_COUNT);
}

/* Whether `line` is one of the page's. */
static bool has_line(struct str page, struct str line) {
    for (size_t start = 0; start < page.len;) {
        size_t end = str_find(page, '\n', start);
        if (str_equal(str_sub(page, start, end), line))
            return true;
        start = end + 1;
    }
    return false;
}

static void test_pages_are_whole(void **state) {
    (void)state;
    static const char *const headings[] = {"## Effect",      "## Example",
                                           "## Fix",         "## Engines and levels",
                                           "## Other names", "## What lostwrite shows"};
    for (int i = 0; i < RULE_COUNT; i++) {
        struct str page = rule_page((enum rule)i);
        char title[80];
        snprintf(title, sizeof(title), "# %s %s\n", rule_code((enum rule)i),
                 rule_name((enum rule)i));
        assert_true(str_starts(page, title));
        assert_true(str_ends(page, "\n"));
        for (size_t j = 0; j < sizeof(headings) / sizeof(headings[0]); j++) {
            if (!has_line(page, str_from_c(headings[j])))
                fail_msg("%s has no '%s'", rule_code((enum rule)i), headings[j]);
        }
    }
}

static void test_pages_fit(void **state) {
    (void)state;
    for (int i = 0; i < RULE_COUNT; i++) {
        struct str page = rule_page((enum rule)i);
        for (size_t start = 0; start < page.len;) {
            size_t end = str_find(page, '\n', start);
            assert_in_range(end - start, 0, PAGE_COLUMNS_MAX);
            start = end + 1;
        }
        /* All the bytes of the file are there, none of them a NUL or a tab. */
        assert_int_equal(strlen(page.ptr), page.len);
        assert_null(strchr(page.ptr, '\t'));
    }
}

/* A page that names another rule names one that exists. */
static void test_references(void **state) {
    (void)state;
    for (int i = 0; i < RULE_COUNT; i++) {
        struct str page = rule_page((enum rule)i);
        for (const char *at = page.ptr; (at = strstr(at, "LW")) != NULL; at += 2) {
            enum rule rule;
            assert_true(rule_parse((struct str){at, 5}, &rule));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes_are_numbered),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_pages_are_whole),
        cmocka_unit_test(test_pages_fit),
        cmocka_unit_test(test_references),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
