/* Edits joined and applied, and diffs: read back by a small applier, random texts give what they were made of. */
#include "base/assert.h"
#include "patch/patch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

static struct str diff(struct arena *arena, const char *before, const char *after) {
    struct buf out = {0};
    patch_diff(STR("shop/views.py"), str_from_c(before), str_from_c(after), &out);
    struct str text = str_dup(arena, buf_str(&out));
    buf_release(&out);
    return text;
}

static void assert_diff(const char *before, const char *after, const char *expected) {
    struct arena arena = {0};
    assert_string_equal(diff(&arena, before, after).ptr, expected);
    arena_release(&arena);
}

#define HEAD "--- a/shop/views.py\n+++ b/shop/views.py\n"

static void test_diff(void **state) {
    (void)state;
    assert_diff("a\n", "a\n", "");
    assert_diff("a\nb\nc\n", "a\nB\nc\n", HEAD "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n");
    assert_diff("", "a\n", HEAD "@@ -0,0 +1 @@\n+a\n");
    assert_diff("a\n", "", HEAD "@@ -1 +0,0 @@\n-a\n");
    assert_diff("a", "a\nb", HEAD "@@ -1 +1,2 @@\n-a\n\\ No newline at end of file\n"
                                  "+a\n+b\n\\ No newline at end of file\n");
    assert_diff("a\r\nb\r\n", "a\r\n", HEAD "@@ -1,2 +1 @@\n a\r\n-b\r\n");
}

static void test_hunks(void **state) {
    (void)state;
    /* Six lines between two changes keep them in one hunk, seven don't. */
    assert_diff("x\n1\n2\n3\n4\n5\n6\ny\n", "X\n1\n2\n3\n4\n5\n6\nY\n",
                HEAD "@@ -1,8 +1,8 @@\n-x\n+X\n 1\n 2\n 3\n 4\n 5\n 6\n-y\n+Y\n");
    assert_diff("x\n1\n2\n3\n4\n5\n6\n7\ny\n", "X\n1\n2\n3\n4\n5\n6\n7\nY\n",
                HEAD "@@ -1,4 +1,4 @@\n-x\n+X\n 1\n 2\n 3\n"
                     "@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-y\n+Y\n");
}

static void test_names(void **state) {
    (void)state;
    struct buf out = {0};
    patch_diff(STR("my shop/views.py"), STR("a\n"), STR("b\n"), &out);
    assert_true(str_starts(buf_str(&out), "--- a/my shop/views.py\t\n+++ b/my shop/views.py\t\n@@"));
    buf_clear(&out);
    patch_diff(STR("a\"b\\c\n"), STR("a\n"), STR("b\n"), &out);
    assert_true(str_starts(buf_str(&out), "--- \"a/a\\\"b\\\\c\\012\"\n"));
    buf_release(&out);
}

/* What `patch` does, with every context line looked at. */
static struct str apply_diff(struct arena *arena, struct str before, struct str diff) {
    struct buf out = {0};
    size_t at = 0, line = 1;
    bool is_cut = false;
    for (size_t from = 0; from < diff.len;) {
        size_t to = str_find(diff, '\n', from);
        struct str text = str_sub(diff, from, to);
        from = to + 1;
        if (str_starts(text, "---") || str_starts(text, "+++"))
            continue;
        if (str_starts(text, "@@")) {
            size_t first = (size_t)strtoul(text.ptr + 4, NULL, 10);
            bool is_empty = strncmp(strchr(text.ptr, ','), ",0 ", 3) == 0 &&
                            strchr(text.ptr, ',') < strchr(text.ptr, '+');
            for (; line < first + (is_empty ? 1 : 0); line++) {
                size_t end = str_find(before, '\n', at) + 1;
                buf_add(&out, str_sub(before, at, end));
                at = end;
            }
            continue;
        }
        if (text.ptr[0] == '\\') {
            is_cut = true;
            continue;
        }
        struct str rest = str_sub(text, 1, text.len);
        if (text.ptr[0] != '+') {
            size_t end = str_find(before, '\n', at);
            LW_ASSERT(str_equal(str_sub(before, at, end), rest));
            at = end + (end < before.len);
            line++;
        }
        if (text.ptr[0] != '-') {
            buf_add(&out, rest);
            buf_add_char(&out, '\n');
            is_cut = false;
        }
    }
    if (is_cut && out.len > 0 && at == before.len)
        out.len--;
    buf_add(&out, str_sub(before, at < before.len ? at : before.len, before.len));
    struct str text = str_dup(arena, buf_str(&out));
    buf_release(&out);
    return text;
}

static uint64_t next_random(uint64_t *seed) {
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 33;
}

/* Few different lines, so that many are alike. */
static struct str random_text(struct arena *arena, uint64_t *seed, bool is_ended) {
    struct buf out = {0};
    size_t count = next_random(seed) % 40;
    for (size_t i = 0; i < count; i++)
        buf_printf(&out, "%c%s", (char)('a' + next_random(seed) % 3),
                   i + 1 < count || is_ended ? "\n" : "");
    struct str text = str_dup(arena, buf_str(&out));
    buf_release(&out);
    return text;
}

static void test_random_texts(void **state) {
    (void)state;
    uint64_t seed = 11;
    for (int i = 0; i < 3000; i++) {
        struct arena arena = {0};
        struct buf out = {0};
        struct str before = random_text(&arena, &seed, true), after = random_text(&arena, &seed, true);
        patch_diff(STR("x"), before, after, &out);
        struct str applied = out.len > 0 ? apply_diff(&arena, before, buf_str(&out)) : before;
        assert_string_equal(applied.ptr, after.ptr);
        buf_release(&out);
        arena_release(&arena);
    }
}

static void test_edits(void **state) {
    (void)state;
    struct arena arena = {0};
    struct py_module py = {.text = STR("one two three\n")};
    struct module module = {.path = STR("a.py"), .py = &py};
    struct patch patch = {.arena = &arena}, more = {.arena = &arena}, other = {.arena = &arena};
    assert_true(patch_add(&patch, (struct patch_edit){&module, 4, 7, STR("2"), false}));
    assert_true(patch_add(&patch, (struct patch_edit){&module, 0, 0, STR("zero\n"), false}));
    assert_true(patch_add(&patch, (struct patch_edit){&module, 0, 0, STR("half\n"), false}));
    assert_false(patch_add(&patch, (struct patch_edit){&module, 5, 9, STR("?"), false}));
    assert_false(patch_add(&patch, (struct patch_edit){&module, 5, 5, STR("?"), false}));
    assert_string_equal(patch_apply(&arena, &patch, &module).ptr, "zero\nhalf\none 2 three\n");
    /* The same edit twice is one; what stands beside it is fine, an insertion at the place of another's is not. */
    assert_true(patch_add(&more, (struct patch_edit){&module, 4, 7, STR("2"), false}));
    assert_true(patch_add(&more, (struct patch_edit){&module, 7, 13, STR(""), false}));
    assert_true(patch_join(&patch, &more));
    assert_int_equal(patch.edits.count, 4);
    assert_string_equal(patch_apply(&arena, &patch, &module).ptr, "zero\nhalf\none 2\n");
    assert_true(patch_add(&other, (struct patch_edit){&module, 14, 14, STR("end\n"), false}));
    assert_true(patch_add(&other, (struct patch_edit){&module, 0, 0, STR("-1\n"), false}));
    assert_false(patch_join(&patch, &other));
    assert_int_equal(patch.edits.count, 4);
    arena_release(&arena);
}

static void test_imports_of_two(void **state) {
    (void)state;
    struct arena arena = {0};
    struct py_module py = {.text = STR("x\n")};
    struct module module = {.path = STR("a.py"), .py = &py};
    struct patch a = {.arena = &arena}, b = {.arena = &arena};
    assert_true(patch_add(&a, (struct patch_edit){&module, 0, 0, STR("import a\n"), true}));
    assert_true(patch_add(&b, (struct patch_edit){&module, 0, 0, STR("import b\n"), true}));
    assert_false(patch_is_same(&a, &b));
    assert_true(patch_join(&a, &b));
    assert_true(patch_join(&a, &b));
    assert_string_equal(patch_apply(&arena, &a, &module).ptr, "import a\nimport b\nx\n");
    arena_release(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_diff),         cmocka_unit_test(test_hunks),
        cmocka_unit_test(test_names),        cmocka_unit_test(test_random_texts),
        cmocka_unit_test(test_edits),        cmocka_unit_test(test_imports_of_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
