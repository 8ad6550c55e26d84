/* The JSON reader: what it takes, what it decodes, where it finds fault. */
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void print(const struct json_value *value, struct buf *out) {
    static const char *const words[] = {"null", "false", "true"};
    if (value->kind <= JSON_TRUE) {
        buf_add_c(out, words[value->kind]);
    } else if (value->kind == JSON_NUMBER) {
        buf_add(out, value->text);
    } else if (value->kind == JSON_STRING) {
        buf_add_json(out, value->text);
    } else {
        buf_add_char(out, value->kind == JSON_ARRAY ? '[' : '{');
        for (const struct json_value *inner = value->first; inner != NULL; inner = inner->next) {
            buf_add_c(out, inner == value->first ? "" : ",");
            if (value->kind == JSON_OBJECT)
                buf_printf(out, "%.*s=", STR_ARG(inner->name));
            print(inner, out);
        }
        buf_add_char(out, value->kind == JSON_ARRAY ? ']' : '}');
    }
}

static void assert_json(const char *text, const char *expected) {
    struct arena arena = {0};
    struct json_value *root;
    struct err err;
    struct buf out = {0};
    if (!json_parse(&arena, str_from_c(text), &root, &err))
        fail_msg("%s: %u:%u: %s", text, err.pos.line, err.pos.column, err.message);
    print(root, &out);
    assert_string_equal(out.ptr, expected);
    buf_release(&out);
    arena_release(&arena);
}

static void assert_no_json(const char *text, unsigned line, unsigned column, const char *message) {
    struct arena arena = {0};
    struct json_value *root;
    struct err err;
    if (json_parse(&arena, str_from_c(text), &root, &err))
        fail_msg("%s: no error", text);
    if (err.pos.line != line || err.pos.column != column || strstr(err.message, message) == NULL)
        fail_msg("%s: %u:%u: %s", text, err.pos.line, err.pos.column, err.message);
    arena_release(&arena);
}

static void values(void **state) {
    (void)state;
    assert_json(" [ null , true,false ]\r\n", "[null,true,false]");
    assert_json("{\"a\":{\"b\":[]},\"a\":{}}", "{a={b=[]},a={}}");
    assert_json("[0,-0,12,-1.50,1e5,2E-07,0.0e+1]", "[0,-0,12,-1.50,1e5,2E-07,0.0e+1]");
    assert_json("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20AC\\ud83d\\ude00\"",
                "\"\\\"\\\\/\\b\\f\\n\\r\\t\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
}

static void faults(void **state) {
    (void)state;
    assert_no_json("", 1, 1, "a value is wanted here");
    assert_no_json("[1,\n]", 2, 1, "a value is wanted here");
    assert_no_json("[1 2]", 1, 4, "',' or ']' is wanted here");
    assert_no_json("{\"a\" 1}", 1, 6, "':' is wanted here");
    assert_no_json("{a:1}", 1, 2, "a string is wanted here");
    assert_no_json("{\"a\":1,}", 1, 8, "a string is wanted here");
    assert_no_json("nul", 1, 1, "a value is wanted here");
    assert_no_json("nullx", 1, 5, "something stands behind its end");
    assert_no_json("01", 1, 3, "a value is wanted here");
    assert_no_json("1.", 1, 3, "digits are wanted behind the point");
    assert_no_json("1e+", 1, 4, "digits are wanted in the exponent");
    assert_no_json("+1", 1, 1, "a value is wanted here");
    assert_no_json("\"\\x\"", 1, 4, "an unknown escape");
    assert_no_json("\"\\u12g4\"", 1, 6, "four digits are wanted");
    assert_no_json("\"\\ud83d\"", 1, 8, "half a character");
    assert_no_json("\"\\ude00\"", 1, 8, "half a character");
    assert_no_json("\"\\ud83d\\n\"", 1, 9, "half a character");
    assert_no_json("\"a\nb\"", 1, 3, "a control character");
    assert_no_json("[\"a", 1, 4, "a string has no end");
    assert_no_json("\"\xff\"", 1, 2, "not valid UTF-8");
}

static void members_and_counts(void **state) {
    (void)state;
    struct arena arena = {0};
    struct json_value *root;
    struct err err;
    size_t count = 7;
    assert_true(json_parse(&arena, STR("{\"a\":1,\"b\":-1,\"a\":20,\"c\":1.0,\"d\":\"3\"}"), &root, &err));
    assert_true(json_count(json_member(root, "a"), 20, &count));
    assert_int_equal(count, 20);
    assert_false(json_count(json_member(root, "a"), 19, &count));
    assert_false(json_count(json_member(root, "b"), 99, &count));
    assert_false(json_count(json_member(root, "c"), 99, &count));
    assert_false(json_count(json_member(root, "d"), 99, &count));
    assert_null(json_member(root, "e"));
    assert_null(json_member(json_member(root, "a"), "a"));
    assert_int_equal(count, 20);
    arena_release(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
        cmocka_unit_test(faults),
        cmocka_unit_test(members_and_counts),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
