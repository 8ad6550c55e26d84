/* Constants' values, identifiers' normal form, positions. */
#include "python/value.h"

#include "support.h"

static void assert_string(const char *source, const char *value, size_t len) {
    struct arena arena = {0};
    struct str got;
    struct py_node *node = parse_expr(&arena, source);
    assert_int_equal(node->kind, PY_Constant);
    assert_true(py_string_value(&arena, node, &got));
    assert_int_equal(got.len, len);
    assert_memory_equal(got.ptr, value, len);
    arena_release(&arena);
}

#define ASSERT_STRING(source, value) assert_string(source, value, sizeof(value) - 1)

static void strings(void **state) {
    (void)state;
    ASSERT_STRING("'plain'", "plain");
    ASSERT_STRING("''", "");
    ASSERT_STRING("'a' \"b\" '''c''' r'\\n'", "abc\\n");
    ASSERT_STRING("('a' # 'x'\n 'b'\\\n'c')", "abc");
    ASSERT_STRING("'\\n\\t\\\\\\'\\\"\\a\\0\\x41\\101\\q'", "\n\t\\'\"\a\0AA\\q");
    ASSERT_STRING("'\\u00e9\\U0001F600\\777'", "\xc3\xa9\xf0\x9f\x98\x80\xc7\xbf");
    ASSERT_STRING("'\\ud800'", "\xed\xa0\x80");
    ASSERT_STRING("'''a\r\nb\rc\\\r\nd'''", "a\nb\ncd");
    ASSERT_STRING("b'\\xff\\u0041' B'\\377'", "\xff\\u0041\xff");
    ASSERT_STRING("Rb'\\x'", "\\x");
    ASSERT_STRING("\"it's\" '\"'", "it's\"");
}

static void named_escape_is_not_exact(void **state) {
    (void)state;
    struct arena arena = {0};
    struct str got;
    assert_false(py_string_value(&arena, parse_expr(&arena, "'a\\N{BULLET}b'"), &got));
    assert_int_equal(got.len, 5);
    assert_memory_equal(got.ptr,
                        "a\xef\xbf\xbd"
                        "b",
                        5);
    arena_release(&arena);
}

static void unchanged_strings_are_slices(void **state) {
    (void)state;
    struct arena arena = {0};
    const char *source = "x = 'kept'";
    struct py_node *node = parse_expr(&arena, source);
    struct str got;
    assert_true(py_string_value(&arena, node->Assign.value, &got));
    assert_ptr_equal(got.ptr, source + 5);
    assert_ptr_equal(node->Assign.targets.items[0]->Name.id.ptr, source);
    arena_release(&arena);
}

static void numbers(void **state) {
    (void)state;
    static const struct {
        const char *source;
        int64_t value;
    } ints[] = {{"0", 0},
                {"1_000", 1000},
                {"0xfF", 255},
                {"0b1_01", 5},
                {"0o17", 15},
                {"00_0", 0},
                {"9223372036854775807", INT64_MAX}};
    struct arena arena = {0};
    int64_t value;
    for (size_t i = 0; i < sizeof(ints) / sizeof(ints[0]); i++) {
        assert_true(py_int_value(parse_expr(&arena, ints[i].source), &value));
        assert_int_equal(value, ints[i].value);
    }
    assert_false(py_int_value(parse_expr(&arena, "9223372036854775808"), &value));
    assert_true(py_float_value(parse_expr(&arena, "1_0.5e-1")) == 1.05);
    assert_true(py_float_value(parse_expr(&arena, ".5")) == 0.5);
    assert_true(py_float_value(parse_expr(&arena, "1_2J")) == 12);
    arena_release(&arena);
}

static void names_are_normalised(void **state) {
    (void)state;
    static const char *const names[][2] = {
        {"ﬁ", "fi"},  {"ｗｉｄｔｈ", "width"},
        {"é", "é"}, /* e and U+0301, the letter */
        {"가", "가"}, {"ａ̖́", "á̖"},
        {"µ", "μ"},   {"xª", "xa"},
    };
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct py_node *node = parse_expr(&arena, names[i][0]);
        assert_int_equal(node->kind, PY_Name);
        assert_string_equal(str_to_c(&arena, node->Name.id), names[i][1]);
    }
    arena_release(&arena);
}

static void positions(void **state) {
    (void)state;
    struct arena arena = {0};
    struct py_module *module = parse_c(&arena, "\xef\xbb\xbf"
                                               "a\r\nb\rc\né = d");
    assert_int_equal(module->error_count, 0);
    assert_int_equal(module->line_count, 4);
    struct py_list body = module->root->Module.body;
    assert_int_equal(body.count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(body.items[i]->line, i + 1);
        assert_int_equal(py_pos(module, body.items[i]->start).line, i + 1);
        assert_int_equal(py_pos(module, body.items[i]->start).column, 1);
    }
    const struct py_node *value = body.items[3]->Assign.value;
    assert_int_equal(py_pos(module, value->start).column, 6);
    arena_release(&arena);
}

static void keywords(void **state) {
    (void)state;
    static const char *const words[] = {
#define PY_TOKEN(name, text)
#define PY_KEYWORD(name, first, second, last, length) #name,
#include "python/token.def"
#undef PY_TOKEN
#undef PY_KEYWORD
    };
    struct arena arena = {0};
    assert_int_equal(sizeof(words) / sizeof(words[0]), 35);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        struct str as_name = str_printf(&arena, "%s = 1", words[i]);
        struct str longer = str_printf(&arena, "%s_ = %.3s0 = 1", words[i], words[i]);
        assert_int_equal(parse_c(&arena, str_to_c(&arena, as_name))->error_count, 1);
        assert_int_equal(parse_c(&arena, str_to_c(&arena, longer))->error_count, 0);
    }
    arena_release(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings),
        cmocka_unit_test(named_escape_is_not_exact),
        cmocka_unit_test(unchanged_strings_are_slices),
        cmocka_unit_test(numbers),
        cmocka_unit_test(names_are_normalised),
        cmocka_unit_test(positions),
        cmocka_unit_test(keywords),
    };
    return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
