/* Comments, and which lines are one statement: what the lexer keeps beside its tokens. */
#include "support.h"

#include "base/buf.h"

/* "2 # x|4! # y": line and text of each comment, a '!' behind the line of one that stands alone. */
static void assert_comments(const char *text, const char *expected) {
    struct arena arena = {0};
    struct buf found = {0};
    struct py_module *module = parse_c(&arena, text);
    for (uint32_t i = 0; i < module->comment_count; i++) {
        const struct py_comment *comment = &module->comments[i];
        struct str part = str_sub(module->text, comment->start, comment->end);
        buf_printf(&found, "%s%u%s %.*s", i > 0 ? "|" : "", comment->line,
                   comment->is_alone ? "!" : "", STR_ARG(part));
    }
    buf_add_c(&found, "");
    assert_string_equal(found.ptr, expected);
    buf_release(&found);
    arena_release(&arena);
}

static void comments(void **state) {
    (void)state;
    assert_comments("x = 1", "");
    assert_comments("# a\nx = 1 # b", "1! # a|2 # b");
    assert_comments("x = '# no'  # yes\r\ny = \"\"\"\n# no\n\"\"\"\n", "1 # yes");
    assert_comments("x = f'{a!r:#x} # no'\nf('# no', # yes\n  # inside\n)\n", "2 # yes|3 # inside");
    assert_comments("x = f'''{ # field\n a}'''\n", "1 # field");
    assert_comments("if a: # head\n    # body\n    b()\n# outside\n    c()\n",
                    "1 # head|2! # body|4! # outside");
    assert_comments("x = 1 \\\n  + 2 # end", "2 # end");
    assert_comments("#", "1! #");
}

/* What the lexer reads twice gives its comments once. */
static void comments_beside_errors(void **state) {
    (void)state;
    assert_comments("a() # one\nb( # two\nc() # three\nd() # four\n", "1 # one|2 # two|3 # three|4 # four");
    assert_comments("a() # one\n?\nd() # four\n", "1 # one|3 # four");
    assert_comments("a('x' # one\n  f'{y}' # two\n)\n", "1 # one|2 # two");
}

static void assert_lines(const char *text, uint32_t line, uint32_t first, uint32_t last) {
    struct arena arena = {0};
    struct py_joined lines = py_statement_lines(parse_c(&arena, text), line);
    if (lines.first != first || lines.last != last)
        fail_msg("%s: line %u is in %u to %u", text, line, lines.first, lines.last);
    arena_release(&arena);
}

static void statements(void **state) {
    (void)state;
    const char *text = "a()\n"
                       "b(\n"
                       "    1,\n"
                       "\n"
                       ")\n"
                       "c()\n"
                       "if (d and\n"
                       "        e):\n"
                       "    f = '''\n"
                       "'''; g()\n"
                       "h = 1 \\\n"
                       "    + 2";
    static const uint32_t expected[][2] = {{1, 1}, {2, 5}, {2, 5},  {2, 5},   {2, 5},   {6, 6},
                                           {7, 8}, {7, 8}, {9, 10}, {9, 10}, {11, 12}, {11, 12}};
    for (uint32_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        assert_lines(text, i + 1, expected[i][0], expected[i][1]);
    assert_lines("a(\nb()\n", 2, 2, 2); /* an error gives up the bracket */
    assert_lines("", 1, 1, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comments),
        cmocka_unit_test(comments_beside_errors),
        cmocka_unit_test(statements),
    };
    return cmocka_run_group_tests_name("comments", tests, NULL, NULL);
}
