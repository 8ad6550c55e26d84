/* Ways to connect: URLs that must open, and URLs that must not, without a word of their passwords. server_test.py says
 * which, and sets up users, certificates, sockets and password files for them. */
#include "support.h"

#include "base/buf.h"

static size_t next_line(const char *text, size_t from, struct str *line) {
    struct str all = str_from_c(text);
    size_t to = str_find(all, '\n', from);
    *line = str_sub(all, from, to);
    return to < all.len ? to + 1 : to;
}

/* Each opens, and answers. */
static void test_opens(void **state) {
    (void)state;
    const char *urls = lab_environment("LOSTWRITE_OPENS");
    struct live_options options = {.session_count = 1};
    size_t count = 0;
    for (size_t at = 0; urls[at] != '\0'; count++) {
        struct str url, place;
        struct live *live;
        struct err err;
        const struct live_answer *answer;
        at = next_line(urls, at, &url);
        if (!live_open(url, &options, &live, &err))
            fail_msg("%.*s: %s", STR_ARG(url), err.message);
        assert_true(live_make_place(live, &place, &err));
        assert_true(live_exec(live, 0, STR("SELECT 1"), &answer, &err));
        assert_true(str_is(answer->cells[0], "1"));
        assert_true(live_close(live, &err));
    }
    assert_true(count > 0);
}

/* Lines "URL what the message says". */
static void test_refused(void **state) {
    (void)state;
    const char *lines = lab_environment("LOSTWRITE_REFUSED");
    struct live_options options = {.session_count = 1};
    size_t count = 0;
    for (size_t at = 0; lines[at] != '\0'; count++) {
        struct arena arena = {0};
        struct str line;
        struct live *live;
        struct err err;
        at = next_line(lines, at, &line);
        size_t space = str_find(line, ' ', 0);
        const char *part = str_to_c(&arena, str_sub(line, space + 1, line.len));
        if (live_open(str_sub(line, 0, space), &options, &live, &err))
            fail_msg("%.*s opens", STR_ARG(line));
        if (strstr(err.message, part) == NULL || strstr(err.message, "Secret") != NULL)
            fail_msg("%.*s: %s", STR_ARG(line), err.message);
        arena_release(&arena);
    }
    assert_true(count > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opens),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
