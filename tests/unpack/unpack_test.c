/* Unpacking in pieces of any size: streams made by gzip, zlib and zstd themselves. */
#include "unpack/unpack.h"

#include "base/assert.h"

#include <setjmp.h>
#include <stdarg.h>

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TEXT "one write, another write, and one write is lost\n"

/* printf TEXT | gzip -9n, zlib.compress(TEXT), its raw deflate, zstd -3. */
static const struct {
    enum unpack_kind kind;
    struct str bytes;
} streams[] = {
    {UNPACK_GZIP,
     STR("\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\xcf\x4b\x55\x28\x2f\xca\x2c"
         "\x49\xd5\x51\x48\xcc\xcb\x2f\xc9\x48\x2d\x42\x70\x53\x14\xf2\x61\xb2\x0a"
         "\x99\xc5\x0a\x39\xf9\xc5\x25\x5c\x00\x76\xf0\x16\xbf\x30\x00\x00\x00")},
    {UNPACK_ZLIB,
     STR("\x78\x9c\xcb\xcf\x4b\x55\x28\x2f\xca\x2c\x49\xd5\x51\x48\xcc\xcb\x2f\xc9"
         "\x48\x2d\x42\x70\x53\x14\xf2\x61\xb2\x0a\x99\xc5\x0a\x39\xf9\xc5\x25\x5c"
         "\x00\xac\x6c\x11\x2a")},
    {UNPACK_DEFLATE,
     STR("\xcb\xcf\x4b\x55\x28\x2f\xca\x2c\x49\xd5\x51\x48\xcc\xcb\x2f\xc9\x48\x2d"
         "\x42\x70\x53\x14\xf2\x61\xb2\x0a\x99\xc5\x0a\x39\xf9\xc5\x25\x5c\x00")},
    {UNPACK_ZSTD,
     STR("\x28\xb5\x2f\xfd\x04\x58\x35\x01\x00\xe8\x6f\x6e\x65\x20\x77\x72\x69\x74"
         "\x65\x2c\x20\x61\x6e\x6f\x74\x68\x65\x72\x64\x20\x20\x69\x73\x20\x6c\x6f"
         "\x73\x74\x0a\x02\x00\x41\x15\x4c\xb6\x19\x06\xbd\xaf\xe2\xbb")},
};

static struct unpack *open_unpack(enum unpack_kind kind) {
    struct err err;
    struct unpack *unpack = unpack_new(kind, &err);
    if (unpack == NULL) {
        print_message("%s\n", err.message);
        skip();
    }
    return unpack;
}

/* Unpacks with at most `in_size` bytes of input and `out_size` of room at a time. */
static enum unpack_state run_in_pieces(struct unpack *unpack, struct str bytes, size_t in_size,
                                       size_t out_size, struct buf *text) {
    char room[256];
    LW_ASSERT(out_size <= sizeof(room));
    for (;;) {
        struct str piece = str_sub(bytes, 0, in_size < bytes.len ? in_size : bytes.len);
        size_t before = piece.len, written;
        enum unpack_state state = unpack_run(unpack, &piece, room, out_size, &written);
        buf_add(text, (struct str){room, written});
        bytes = str_sub(bytes, before - piece.len, bytes.len);
        if (state != UNPACK_MORE || (written == 0 && piece.len == before))
            return state;
    }
}

static void test_pieces(void **state) {
    (void)state;
    for (size_t i = 0; i < LW_COUNT_OF(streams); i++) {
        struct unpack *unpack = open_unpack(streams[i].kind);
        for (size_t in = 1; in < 64; in += 9) {
            for (size_t out = 1; out < 64; out += 9) {
                struct buf text = {0};
                assert_int_equal(run_in_pieces(unpack, streams[i].bytes, in, out, &text), UNPACK_END);
                assert_true(str_is(buf_str(&text), TEXT));
                buf_release(&text);
                unpack_restart(unpack);
            }
        }
        unpack_free(unpack);
    }
}

static void test_whole(void **state) {
    (void)state;
    for (size_t i = 0; i < LW_COUNT_OF(streams); i++) {
        struct unpack *unpack = open_unpack(streams[i].kind);
        struct str bytes = streams[i].bytes;
        char text[128];
        size_t len = strlen(TEXT);
        assert_true(unpack_whole(unpack, bytes, text, len));
        assert_memory_equal(text, TEXT, len);
        assert_false(unpack_whole(unpack, bytes, text, len - 1));
        assert_false(unpack_whole(unpack, bytes, text, len + 1));
        for (size_t cut = 0; cut < bytes.len; cut++)
            assert_false(unpack_whole(unpack, str_sub(bytes, 0, cut), text, len));
        unpack_free(unpack);
    }
}

static void test_damage(void **state) {
    (void)state;
    for (size_t i = 0; i < LW_COUNT_OF(streams); i++) {
        struct unpack *unpack = open_unpack(streams[i].kind);
        struct buf text = {0};
        assert_int_equal(run_in_pieces(unpack, STR("\xff\xff\xff\xff\xff\xff\xff\xff"), 8, 64, &text),
                         UNPACK_BAD);
        assert_int_equal(text.len, 0);
        buf_release(&text);
        unpack_free(unpack);
    }
}

static void test_free_none(void **state) {
    (void)state;
    unpack_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_free_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
