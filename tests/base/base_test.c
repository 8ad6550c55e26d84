/* The base library: arenas, slices, buffers, vectors, maps, UTF-8, errors with positions, files. */
#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/map.h"
#include "base/parallel.h"
#include "base/str.h"
#include "base/utf8.h"
#include "base/vec.h"

#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- arena ---- */

static void test_arena_blocks(void **state) {
    (void)state;
    struct arena arena = {0};
    enum { BLOCKS = 2000 };
    unsigned char *blocks[BLOCKS];
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = arena_alloc(&arena, i);
        assert_int_equal((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
        for (size_t j = 0; j < i; j++)
            assert_int_equal(blocks[i][j], 0);
        memset(blocks[i], (int)(i % 251), i);
    }
    for (size_t i = 0; i < BLOCKS; i++) { /* none overlaps another */
        for (size_t j = 0; j < i; j++)
            assert_int_equal(blocks[i][j], i % 251);
    }
    assert_true(arena.byte_count >= (size_t)BLOCKS * (BLOCKS - 1) / 2);
    arena_release(&arena);
    assert_null(arena.chunk);
    assert_int_equal(arena.byte_count, 0);
}

static void test_arena_reset(void **state) {
    (void)state;
    struct arena arena = {0};
    arena_reset(&arena);
    for (int i = 0; i < 100; i++)
        memset(arena_alloc(&arena, 10000), 0xff, 10000);
    arena_reset(&arena);
    size_t kept = arena.byte_count;
    assert_true(kept >= 10000);
    /* What was written before the reset does not shine through, and the kept chunk is used again. */
    unsigned char *block = arena_alloc(&arena, 10000);
    for (size_t j = 0; j < 10000; j++)
        assert_int_equal(block[j], 0);
    assert_int_equal(arena.byte_count, kept);
    arena_release(&arena);
}

static void test_arena_take(void **state) {
    (void)state;
    struct arena to = {0}, from = {0};
    arena_take(&to, &from);
    assert_null(to.chunk);
    char *blocks[200];
    for (int round = 0; round < 2; round++) { /* into an empty one, into one that holds something */
        for (int i = 0; i < 100; i++)
            blocks[round * 100 + i] = memset(arena_alloc(&from, 5000), round * 100 + i, 5000);
        size_t byte_count = to.byte_count + from.byte_count;
        arena_take(&to, &from);
        assert_null(from.chunk);
        assert_int_equal(from.byte_count, 0);
        assert_int_equal(to.byte_count, byte_count);
    }
    memset(arena_alloc(&to, 100000), 0xff, 100000);
    memset(arena_alloc(&from, 100000), 0xff, 100000);
    for (int i = 0; i < 200; i++)
        for (int k = 0; k < 5000; k++)
            assert_int_equal((unsigned char)blocks[i][k], i);
    arena_release(&from);
    arena_release(&to);
}

static void test_arena_large_and_copy(void **state) {
    (void)state;
    struct arena arena = {0};
    char *large = arena_alloc(&arena, 5 << 20);
    large[(5 << 20) - 1] = 'x';
    assert_string_equal(arena_copy(&arena, "abc", 4), "abc");
    assert_non_null(arena_copy(&arena, NULL, 0));
    assert_non_null(ARENA_ARRAY(&arena, int, 0));
    arena_release(&arena);
}

/* ---- str ---- */

static void test_str_compare(void **state) {
    (void)state;
    assert_true(str_equal(STR("ab"), STR("ab")));
    assert_false(str_equal(STR("ab"), STR("abc")));
    assert_true(str_equal((struct str){0}, STR("")));
    assert_true(str_equal_nocase(STR("SELECT_1"), STR("select_1")));
    assert_false(str_equal_nocase(STR("[") /* 0x5b, beside 'Z' */, STR("{")));
    assert_true(str_is(str_from_c(NULL), ""));
    assert_true(str_compare(STR("a"), STR("b")) < 0);
    assert_true(str_compare(STR("ab"), STR("a")) > 0);
    assert_true(str_compare(STR("a"), STR("ab")) < 0);
    assert_int_equal(str_compare(STR("ab"), STR("ab")), 0);
    assert_true(str_compare(STR("\xff"), STR("a")) > 0);
}

static void test_str_parts(void **state) {
    (void)state;
    struct str text = STR("abc,def");
    assert_true(str_is(str_sub(text, 4, 7), "def"));
    assert_int_equal(str_sub(text, 7, 7).len, 0);
    assert_int_equal(str_sub((struct str){0}, 0, 0).len, 0);
    assert_true(str_starts(text, "abc") && str_starts(text, "") && !str_starts(text, "bc"));
    assert_true(str_ends(text, "def") && str_ends(text, "") && !str_ends(text, "xabc,def"));
    assert_int_equal(str_find(text, ',', 0), 3);
    assert_int_equal(str_find(text, ',', 4), 7);
    assert_int_equal(str_find(text, ',', 99), 7);
    static const char *const names[] = {"one", "two"};
    assert_true(str_is_one_of(STR("two"), names, 2));
    assert_false(str_is_one_of(STR("two"), names, 1));
    assert_true(STR_IS_ONE_OF(STR("one"), "zero", "one"));
    assert_false(STR_IS_ONE_OF(STR("on"), "zero", "one"));
}

static void test_str_copies(void **state) {
    (void)state;
    struct arena arena = {0};
    char buffer[] = "xyz";
    struct str copy = str_dup(&arena, (struct str){buffer, 2});
    buffer[0] = '!';
    assert_true(str_is(copy, "xy"));
    assert_int_equal(copy.ptr[2], '\0');
    assert_string_equal(str_to_c(&arena, (struct str){0}), "");
    assert_true(str_is(str_printf(&arena, "%d-%s", 42, "b"), "42-b"));
    assert_true(str_is(str_printf(&arena, "%d %u %zu %c%% %.*s|", INT_MIN, UINT_MAX, SIZE_MAX, 'x', 2, "abc"),
                       "-2147483648 4294967295 18446744073709551615 x% ab|"));
    assert_true(str_is(str_printf(&arena, "%.*s%s", 5, "ab\0cd", ""), "ab"));
    assert_true(str_is(str_printf(&arena, "%s %5d %02x %u", "a", 7, 10, 1u), "a     7 0a 1"));
    struct str longer = str_printf(&arena, "%.*s%300s%u", 1, "y", "z", 7u);
    assert_int_equal(longer.len, 302);
    assert_true(str_ends(longer, " z7"));
    longer = str_printf(&arena, "%.*s%.*s", STR_ARG(longer), STR_ARG(longer));
    assert_int_equal(longer.len, 604);
    assert_true(str_starts(longer, "y  ") && str_ends(longer, " z7") && longer.ptr[604] == '\0');
    assert_true(str_hash(STR("ab")) != str_hash(STR("ba")));
    arena_release(&arena);
}

/* ---- buf ---- */

static void test_buf(void **state) {
    (void)state;
    struct buf buf = {0};
    assert_int_equal(buf_str(&buf).len, 0);
    assert_string_equal(buf_str(&buf).ptr, "");
    buf_clear(&buf);
    for (int i = 0; i < 1000; i++)
        buf_printf(&buf, "%04d,", i);
    assert_int_equal(buf.len, 5000);
    assert_memory_equal(buf.ptr + 4995, "0999,", 6);
    buf_clear(&buf);
    buf_add(&buf, STR("a\0b"));
    buf_add_c(&buf, "c");
    buf_add_char(&buf, 'd');
    buf_add_repeat(&buf, '-', 3);
    buf_add_repeat(&buf, '-', 0);
    assert_int_equal(buf.len, 8);
    assert_memory_equal(buf.ptr, "a\0bcd---", 9);
    buf_release(&buf);
    assert_null(buf.ptr);
}

static void assert_json(struct str text, const char *expected) {
    struct buf buf = {0};
    buf_add_json(&buf, text);
    assert_string_equal(buf.ptr, expected);
    buf_release(&buf);
}

static void test_buf_json(void **state) {
    (void)state;
    assert_json(STR(""), "\"\"");
    assert_json(STR("a\"b\\c/d"), "\"a\\\"b\\\\c/d\"");
    assert_json(STR("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"");
    assert_json(STR("\0\x01\x1f\x7f"), "\"\\u0000\\u0001\\u001f\x7f\"");
    assert_json(STR("\xc3\xa9\xf0\x9f\x90\x8d"), "\"\xc3\xa9\xf0\x9f\x90\x8d\"");
    assert_json(STR("\xff\xc3"), "\"\\ufffd\\ufffd\"");
}

/* ---- vec ---- */

static void test_vec(void **state) {
    (void)state;
    struct arena arena = {0};
    VEC(int) in_arena = {0};
    VEC(int) owned = {0};
    for (int i = 0; i < 1000; i++) {
        VEC_PUSH(&arena, &in_arena, i);
        MVEC_PUSH(&owned, -i);
    }
    assert_int_equal(in_arena.count, 1000);
    assert_true(in_arena.capacity >= 1000);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(in_arena.items[i], i);
        assert_int_equal(owned.items[i], -i);
    }
    free(owned.items);
    arena_release(&arena);
}

/* ---- map ---- */

static void test_map(void **state) {
    (void)state;
    enum { KEYS = 5000 };
    static int values[KEYS];
    struct arena arena = {0};
    struct map map;
    map_init(&map, &arena);
    assert_null(map_get(&map, STR("none")));
    assert_false(map_has(&map, STR("")));
    for (int i = 0; i < KEYS; i++) {
        map_put(&map, str_printf(&arena, "key %d", i), &values[i]);
        assert_false(map_has(&map, str_printf(&arena, "key %d", i + 1)));
    }
    assert_int_equal(map.count, KEYS);
    for (int i = 0; i < KEYS; i++) {
        assert_ptr_equal(map_get(&map, str_printf(&arena, "key %d", i)), &values[i]);
        assert_ptr_equal(map.entries[i].value, &values[i]); /* in order of insertion */
    }
    map_put(&map, STR("key 7"), NULL);
    assert_int_equal(map.count, KEYS);
    assert_true(map_has(&map, STR("key 7")));
    assert_null(map_get(&map, STR("key 7")));
    map_put(&map, STR(""), &values[0]);
    assert_ptr_equal(map_get(&map, (struct str){0}), &values[0]);
    arena_release(&arena);
}

/* ---- utf8 ---- */

/* RFC 3629, written apart from the decoder. */
static size_t encode(uint32_t point, char *bytes) {
    if (point < 0x80) {
        bytes[0] = (char)point;
        return 1;
    }
    size_t len = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--, point >>= 6)
        bytes[i] = (char)(0x80 | (point & 0x3f));
    bytes[0] = (char)(((0xf00 >> len) & 0xff) | point);
    return len;
}

static void test_utf8_all_points(void **state) {
    (void)state;
    for (uint32_t point = 0; point <= 0x10ffff; point++) {
        char bytes[4];
        size_t len = encode(point, bytes), got_len;
        int32_t got = utf8_decode((struct str){bytes, len}, &got_len);
        bool is_surrogate = point >= 0xd800 && point <= 0xdfff;
        if (is_surrogate ? got != -1 || got_len != 1 : got != (int32_t)point || got_len != len)
            fail_msg("U+%04x: %d", point, got);
        if (len > 1 && utf8_sequence_len((struct str){bytes, len - 1}) != 0)
            fail_msg("U+%04x cut short", point);
    }
}

static void test_utf16_len(void **state) {
    (void)state;
    assert_int_equal(utf8_utf16_len(STR("")), 0);
    assert_int_equal(utf8_utf16_len(STR("save")), 4);
    assert_int_equal(utf8_utf16_len(STR("gr\xc3\xb6\xc3\x9f\x65")), 5);
    assert_int_equal(utf8_utf16_len(STR("\xe2\x98\x83")), 1);
    assert_int_equal(utf8_utf16_len(STR("\xf0\x9f\xa6\x80!")), 3);
    assert_int_equal(utf8_utf16_len(STR("\xff\xf0\x9f")), 3);
}

static void test_utf8_invalid(void **state) {
    (void)state;
    static const char *const invalid[] = {"\x80",
                                          "\xbf",
                                          "\xc0\xaf",
                                          "\xc1\xbf",
                                          "\xe0\x9f\xbf",
                                          "\xf0\x8f\xbf\xbf",
                                          "\xf4\x90\x80\x80",
                                          "\xf5\x80\x80\x80",
                                          "\xff",
                                          "\xc3(",
                                          "\xe2\x82(",
                                          "\xf0\x9f\x90("};
    for (size_t i = 0; i < LW_COUNT_OF(invalid); i++)
        assert_int_equal(utf8_sequence_len(str_from_c(invalid[i])), 0);
    assert_int_equal(utf8_sequence_len(STR("")), 0);
}

/* ---- err ---- */

static void test_positions(void **state) {
    (void)state;
    struct str text = STR("ab\n\ncd\r\ne");
    static const uint32_t lines[] = {1, 1, 1, 2, 3, 3, 3, 3, 4, 4};
    static const uint32_t columns[] = {1, 2, 3, 1, 1, 2, 3, 4, 1, 2};
    for (size_t offset = 0; offset <= text.len; offset++) {
        struct pos pos = pos_of_offset(text, offset);
        assert_int_equal(pos.line, lines[offset]);
        assert_int_equal(pos.column, columns[offset]);
    }
    assert_true(str_is(text_line(text, 1), "ab"));
    assert_true(str_is(text_line(text, 2), ""));
    assert_true(str_is(text_line(text, 3), "cd"));
    assert_true(str_is(text_line(text, 4), "e"));
    assert_int_equal(text_line(text, 0).len, 0);
    assert_int_equal(text_line(text, 5).len, 0);
    assert_int_equal(text_line(text, 4000000000u).len, 0);
}

static void assert_printed(const struct err *err, const char *expected) {
    struct buf buf = {0};
    err_print(err, &buf);
    assert_string_equal(buf.ptr, expected);
    buf_release(&buf);
}

static void test_err(void **state) {
    (void)state;
    struct err err;
    assert_false(err_set(&err, (struct pos){3, 7}, "no %s", "luck"));
    assert_printed(&err, "3:7: error: no luck\n");
    assert_false(err_in_file(&err, STR("a.py")));
    assert_printed(&err, "a.py:3:7: error: no luck\n");
    err_set(&err, (struct pos){0, 0}, "x");
    assert_printed(&err, "error: x\n");
    err_in_file(&err, STR("a.py"));
    assert_printed(&err, "a.py: error: x\n");
    assert_false(err_set(NULL, (struct pos){1, 1}, "x"));
    assert_false(err_in_file(NULL, STR("x")));
    char long_text[2000];
    memset(long_text, 'm', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    err_set(&err, (struct pos){1, 1}, "%s", long_text);
    err_in_file(&err, str_from_c(long_text));
    assert_int_equal(strlen(err.message), ERR_MESSAGE_BYTES - 1);
    assert_int_equal(strlen(err.path), ERR_PATH_BYTES - 1);
}

/* ---- file ---- */

static void test_file(void **state) {
    (void)state;
    struct arena arena = {0};
    struct str text;
    struct err err;
    char path[] = "/tmp/lostwrite-base-XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_true(file_read(&arena, path, &text, &err));
    assert_int_equal(text.len, 0);
    enum { BYTES = 100000 };
    char *bytes = arena_alloc(&arena, BYTES);
    for (size_t i = 0; i < BYTES; i++)
        bytes[i] = (char)(i * 7);
    assert_int_equal(write(descriptor, bytes, BYTES), BYTES);
    close(descriptor);
    assert_true(file_read(&arena, path, &text, &err));
    assert_int_equal(text.len, BYTES);
    assert_memory_equal(text.ptr, bytes, BYTES);
    assert_int_equal(text.ptr[BYTES], '\0');
    unlink(path);
    assert_false(file_read(&arena, path, &text, &err));
    assert_string_equal(err.path, path);
    assert_non_null(strstr(err.message, "cannot read: "));
    assert_false(file_read(&arena, "/", &text, &err));
    assert_non_null(strstr(err.message, "folder"));
    arena_release(&arena);
}

/* ---- assert ---- */

static void break_rule(void) {
    LW_ASSERT(1 + 1 == 3);
}

static void sub_out_of_bounds(void) {
    (void)str_sub(STR("abc"), 2, 4);
}

static void allocate_too_much(void) {
    struct arena arena = {0};
    (void)arena_alloc_array(&arena, SIZE_MAX / 4, 8);
}

/* The wait status of a child that runs `function`; what it printed goes to `*output`. */
static int status_of(void (*function)(void), char *output, size_t byte_size) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        dup2(ends[1], STDERR_FILENO);
        function();
        _exit(0);
    }
    close(ends[1]);
    ssize_t got = read(ends[0], output, byte_size - 1);
    output[got > 0 ? got : 0] = '\0';
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* ---- parallel ---- */

enum { ITEMS = 5000 };

static void count_item(void *context, size_t item) {
    ((int *)context)[item]++;
}

static void test_parallel_does_each_once(void **state) {
    (void)state;
    static const size_t threads[] = {0, 1, 2, 5, 100};
    for (size_t i = 0; i < LW_COUNT_OF(threads); i++) {
        int counts[ITEMS] = {0};
        parallel_run(threads[i], ITEMS, count_item, counts);
        for (size_t k = 0; k < ITEMS; k++)
            assert_int_equal(counts[k], 1);
        parallel_run(threads[i], 0, count_item, NULL);
    }
    assert_true(parallel_core_count() > 0);
}

static void test_asserts_stop(void **state) {
    (void)state;
    char output[4096];
    int status = status_of(break_rule, output, sizeof(output));
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_non_null(strstr(output, "1 + 1 == 3"));
    assert_non_null(strstr(output, "base_test.c"));
    status = status_of(sub_out_of_bounds, output, sizeof(output));
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    status = status_of(allocate_too_much, output, sizeof(output));
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 2);
    assert_non_null(strstr(output, "out of memory"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena_blocks),
        cmocka_unit_test(test_arena_reset),
        cmocka_unit_test(test_arena_take),
        cmocka_unit_test(test_arena_large_and_copy),
        cmocka_unit_test(test_str_compare),
        cmocka_unit_test(test_str_parts),
        cmocka_unit_test(test_str_copies),
        cmocka_unit_test(test_buf),
        cmocka_unit_test(test_buf_json),
        cmocka_unit_test(test_vec),
        cmocka_unit_test(test_map),
        cmocka_unit_test(test_utf8_all_points),
        cmocka_unit_test(test_utf8_invalid),
        cmocka_unit_test(test_utf16_len),
        cmocka_unit_test(test_positions),
        cmocka_unit_test(test_err),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_parallel_does_each_once),
        cmocka_unit_test(test_asserts_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
