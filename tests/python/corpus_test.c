/* Each tests/python/corpus/NAME.py against the tree in NAME.dump. All but python314.dump and errors.dump were
 * made from CPython 3.13's own tree; to change one: pydump NAME.py | tail -n +2. */
#include "support.h"

#include "base/buf.h"
#include "base/file.h"
#include "python/dump.h"

static void check_case(void **state) {
    const char *name = *state;
    struct arena arena = {0};
    struct err err;
    struct str source = {0}, expected = {0};
    char *path = str_to_c(&arena, str_printf(&arena, "tests/python/corpus/%s.py", name));
    char *dump_path = str_to_c(&arena, str_printf(&arena, "tests/python/corpus/%s.dump", name));
    if (!file_read(&arena, path, &source, &err) || !file_read(&arena, dump_path, &expected, &err))
        fail_msg("%s: %s", err.path, err.message);
    struct buf out = {0};
    py_dump(&out, py_parse(&arena, source));
    struct str got = buf_str(&out);
    for (uint32_t line = 1; !str_equal(text_line(expected, line), text_line(got, line)) ||
                            text_line(expected, line).len > 0;
         line++) {
        struct str want = text_line(expected, line), have = text_line(got, line);
        if (!str_equal(want, have))
            fail_msg("%s:%u\nexpected: %.*s\ngot:      %.*s", dump_path, line, STR_ARG(want),
                     STR_ARG(have));
    }
    assert_int_equal(got.len, expected.len);
    buf_release(&out);
    arena_release(&arena);
}

#define CASE(name)                                                                                 \
    { name, check_case, NULL, NULL, (void *)name }

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE("errors"),    CASE("fstrings"),   CASE("layout"), CASE("match"),
        CASE("python314"), CASE("statements"), CASE("types"),
    };
    return cmocka_run_group_tests_name("corpus", tests, NULL, NULL);
}
