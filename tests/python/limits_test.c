/* What is too deep, too long or no text at all is told, never fallen over; what is only large is read. */
#include "support.h"

#include "base/buf.h"

#include <stdio.h>

static void assert_too_deep(const char *start, const char *part, size_t count, const char *end) {
    struct arena arena = {0};
    struct py_module *module = py_parse(&arena, repeated(&arena, start, part, count, end));
    if (module->error_count != 1)
        fail_msg("%s%s...: %u errors", start, part, module->error_count);
    const char *message = module->errors[0].message;
    if (strcmp(message, "too deeply nested") != 0 &&
        strcmp(message, "too many nested parentheses") != 0 &&
        strcmp(message, "too many levels of indentation") != 0)
        fail_msg("%s%s...: %s", start, part, message);
    arena_release(&arena);
}

static void deep_trees(void **state) {
    (void)state;
    static const char *const parts[][3] = {
        {"x = ", "(", ""},
        {"x = ", "[", ""},
        {"x = ", "{", ""},
        {"x = ", "f(", ""},
        {"x = ", "a[", ""},
        {"x = ", "-", "1"},
        {"x = ", "not ", "1"},
        {"x = ", "lambda: ", "1"},
        {"x = ", "a if b else ", "1"},
        {"x = ", "a**", "1"},
        {"x = a", ".b", ""},
        {"x = a", "()", ""},
        {"x = a", "[0]", ""},
        {"x = a", "+a", ""},
        {"x = ", "await ", "a\n"},
        {"x = ", "f'{", ""},
        {"del ", "(", ""},
        {"for ", "(", ""},
        {"import a\nx = ", "f(a.b).c[", ""},
        {"if a: b\n", "elif a: b\n", ""},
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (strcmp(parts[i][1], "await ") == 0)
            continue; /* await await is no Python */
        assert_too_deep(parts[i][0], parts[i][1], 100000, parts[i][2]);
    }
    assert_too_deep("match x:\n    case ", "[", 100000, ": pass");
    assert_too_deep("match x:\n    case ", "A(", 100000, ": pass");
    assert_too_deep("match a", ".b", 100000, ":\n    case 1: pass\n");
}

static void deep_blocks(void **state) {
    (void)state;
    struct arena arena = {0};
    char text[32768];
    size_t len = 0;
    for (size_t depth = 0; depth < 120; depth++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%*sif a:\n", (int)depth, "");
    len += (size_t)snprintf(text + len, sizeof(text) - len, "%*sb\nkept = 1\n", 120, "");
    struct py_module *module = parse_c(&arena, text);
    assert_int_equal(module->error_count, 1);
    assert_string_equal(module->errors[0].message, "too many levels of indentation");
    struct py_list body = module->root->Module.body;
    assert_int_equal(body.items[body.count - 1]->kind, PY_Assign);
    arena_release(&arena);
}

static void measure(const struct py_node *node, void *context) {
    uint32_t *height = context, most = 0;
    py_visit_children(node, measure, &most);
    if (most + 1 > *height)
        *height = most + 1;
}

/* Chains in chains: none is long, all together are high. */
static void heights_add_up(void **state) {
    (void)state;
    struct arena arena = {0};
    struct buf text = {0};
    for (int i = 0; i < 150; i++)
        buf_add_c(&text, "(");
    buf_add_c(&text, "a");
    for (int i = 0; i < 150; i++)
        buf_add_c(&text, ".b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b)");
    struct py_module *module = py_parse(&arena, buf_str(&text));
    assert_int_equal(module->error_count, 1);
    assert_string_equal(module->errors[0].message, "too deeply nested");
    buf_clear(&text);
    for (int i = 0; i < 1000; i++)
        buf_add_c(&text, "a + ");
    buf_add_c(&text, "a");
    module = py_parse(&arena, buf_str(&text));
    assert_int_equal(module->error_count, 0);
    uint32_t height = 0;
    measure(module->root, &height);
    assert_int_equal(height, 1003);
    assert_true(height <= PY_HEIGHT_MAX);
    buf_release(&text);
    arena_release(&arena);
}

/* In memory that grows with the text, no faster. */
static void long_lists(void **state) {
    (void)state;
    static const char *const parts[][3] = {
        {"x = [", "1, ", "]"},     {"x = ", "a < ", "1"},  {"x = ", "'s' ", "''"},
        {"x = ", "a or ", "b"},    {"f(", "a=1, ", ")"},   {"x = ", "y = ", "1"},
        {"x = ", "1, ", "2"},      {"", "a\n", "b"},       {"x = f'", "{a}b{{", "'"},
        {"global ", "a, ", "b"},   {"import a", ".b", ""}, {"import a", " . b", ""},
        {"x = {", "a: b, ", "}"},  {"", "a; ", "b"},       {"def f(", "a, ", "): 1"},
        {"x = ", "f'{a}' ", "''"}, {"match(", "a, ", ")"}, {"with (", "a, ", "): 1"},
    };
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        struct str text = repeated(&arena, parts[i][0], parts[i][1], 50000, parts[i][2]);
        struct py_module *module = py_parse(&arena, text);
        if (module->error_count > 0)
            fail_msg("%s%s...: %s", parts[i][0], parts[i][1], module->errors[0].message);
        if (arena.byte_count > 100 * text.len)
            fail_msg("%s%s...: %zu bytes", parts[i][0], parts[i][1], arena.byte_count);
        arena_reset(&arena);
    }
    arena_release(&arena);
}

static void many_errors(void **state) {
    (void)state;
    struct arena arena = {0};
    struct py_module *module = py_parse(&arena, repeated(&arena, "", "x = = 1\ny = 1\n", 1000, ""));
    assert_int_equal(module->error_count, PY_ERRORS_MAX);
    assert_int_equal(module->errors[98].pos.line, 2 * 98 + 1);
    assert_string_equal(module->errors[PY_ERRORS_MAX - 1].message,
                        "too many errors, the rest of the file is not read");
    assert_int_equal(module->root->Module.body.count, PY_ERRORS_MAX - 1);
    arena_release(&arena);
}

static void assert_unreadable(const char *text, size_t len, uint32_t line, uint32_t column,
                              const char *message) {
    struct arena arena = {0};
    struct py_module *module = py_parse(&arena, str_dup(&arena, (struct str){text, len}));
    assert_int_equal(module->error_count, 1);
    assert_string_equal(module->errors[0].message, message);
    assert_int_equal(module->errors[0].pos.line, line);
    assert_int_equal(module->errors[0].pos.column, column);
    assert_int_equal(module->root->Module.body.count, 0);
    arena_release(&arena);
}

#define ASSERT_UNREADABLE(text, ...) assert_unreadable(text, sizeof(text) - 1, __VA_ARGS__)

static void no_text(void **state) {
    (void)state;
    ASSERT_UNREADABLE("a = 1\nb\0 = 2\n", 2, 2, "source code cannot contain null bytes");
    ASSERT_UNREADABLE("a = '\xff'\n", 1, 6, "not valid UTF-8");
    ASSERT_UNREADABLE("# \xed\xa0\x80\n", 1, 3, "not valid UTF-8");
    ASSERT_UNREADABLE("# coding: klingon\n", 1, 1, "unknown encoding: klingon");
    ASSERT_UNREADABLE("# coding: utf-16\n", 1, 1, "unknown encoding: utf-16");
    ASSERT_UNREADABLE("# coding: ascii\na = '\xe9'\n", 2, 6, "not valid in the encoding ascii");
    ASSERT_UNREADABLE("\xef\xbb\xbf# coding: latin-1\n", 1, 1,
                      "the encoding cookie contradicts the UTF-8 byte order mark");
}

static void other_encodings(void **state) {
    (void)state;
    static const char *const texts[] = {
        "# -*- coding: latin-1 -*-\nx = '\xe9'\n",
        "#!/bin/python\n# vim: set fileencoding=ISO_8859_15 :\nx = '\xe9'\n",
        "# coding=cp1252\nx = '\xe9'\n",
        "\n# coding: koi8-r\nx = '\xc1'\n",
        "# coding: utf8\nx = '\xc3\xa9'\n",
        "x = 1\n# coding: klingon\n",
    };
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct py_module *module = parse_c(&arena, texts[i]);
        if (module->error_count > 0)
            fail_msg("%s: %s", texts[i], module->errors[0].message);
        assert_int_equal(module->root->Module.body.count, 1);
    }
    arena_release(&arena);
}

static void nothing(void **state) {
    (void)state;
    static const char *const texts[] = {"",           "\n",     "   ",         "# c",
                                        "\t\n\x0c\n", "\\\n\n", "\xef\xbb\xbf"};
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct py_module *module = parse_c(&arena, texts[i]);
        assert_int_equal(module->error_count, 0);
        assert_int_equal(module->root->Module.body.count, 0);
    }
    arena_release(&arena);
}

static void one_error(void **state) {
    (void)state;
    assert_error("x = (1,\n", 1, 5, "'(' was never closed", 0);
    assert_error("'''a\nb\n", 1, 1, "unterminated triple-quoted string literal", 0);
    assert_error("a\nf'{b\n", 2, 3, "'{' was never closed", 1);
    assert_error("a\nx = \\", 2, 5, "unexpected end of file after line continuation character", 1);
    assert_error("a\nb \\ c\nd", 2, 3, "unexpected character after line continuation character", 2);
    assert_error("  a\nb\n", 1, 3, "unexpected indent", 1);
    assert_error("if a:\n\tb\n        c\nd\n", 3, 9,
                 "inconsistent use of tabs and spaces in indentation", 2);
    assert_error("a $ b\nc\n", 1, 3, "invalid character '$'", 1);
    assert_error("a \x01 b\nc\n", 1, 3, "invalid control character 0x01", 1);
    assert_error("a\n)\nb\n", 2, 1, "unmatched ')'", 2);
    assert_error("b'\xc3\xa9'", 1, 3, "bytes can only contain ASCII literal characters", 0);
    assert_error("'a' b'b'", 1, 5, "cannot mix bytes and nonbytes literals", 0);
    assert_error("t'a' 'b'", 1, 6, "cannot mix t-string literals with string literals", 0);
    assert_error("'\\U00110000'", 1, 2, "illegal Unicode character in \\U escape", 0);
    assert_error("'a\\N{B(}'", 1, 3, "malformed \\N character escape", 0);
    assert_error("f'\\N{{A}'", 1, 3, "malformed \\N character escape", 0);
    assert_error("f'{lambda x: 1}'", 1, 4, "lambda in an f-string needs parentheses", 0);
    assert_error("f'{a:{b}'", 1, 9, "f-string: expecting '}'", 0);
    assert_error("f'a\n", 1, 1, "unterminated f-string literal", 0);
    assert_error("try: a\nexcept A, B as c: b\n", 2, 8,
                 "multiple exception types must be parenthesized when using 'as'", 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deep_trees),      cmocka_unit_test(deep_blocks),
        cmocka_unit_test(heights_add_up),  cmocka_unit_test(long_lists),
        cmocka_unit_test(many_errors),     cmocka_unit_test(no_text),
        cmocka_unit_test(other_encodings), cmocka_unit_test(nothing),
        cmocka_unit_test(one_error),
    };
    return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
