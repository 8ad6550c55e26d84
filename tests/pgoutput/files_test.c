/* Recordings of what PostgreSQL 15 sent (recorder.py, scenario.py; full: REPLICA IDENTITY FULL, default: the primary key): read whole, in
 * pieces of any size, cut and damaged anywhere. A `.events` was read through by hand against the scenario when it was made. */
#include "base/assert.h"
#include "pgoutput/pgoutput.h"
#include "../support/changes.h"
#include "../support/pieces.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define FOLDER "tests/pgoutput/streams"

static const char *const streams[] = {"postgresql-15-full", "postgresql-15-default"};

static void test_whole(void **state) {
    (void)state;
    for (size_t i = 0; i < LW_COUNT_OF(streams); i++)
        check_whole(&pgoutput_decoder, FOLDER, streams[i], "stream");
}

static void test_pieces(void **state) {
    (void)state;
    struct arena arena = {0};
    for (size_t i = 0; i < LW_COUNT_OF(streams); i++)
        check_pieces(&pgoutput_decoder, read_recorded(&arena, FOLDER, streams[i], "stream"), read_recorded(&arena, FOLDER, streams[i], "events"));
    arena_release(&arena);
}

static void test_cuts(void **state) {
    (void)state;
    enum { LINES_OF_END_MAX = 3 }; /* of the message, of the transaction, its commit */
    struct arena arena = {0};
    for (size_t i = 0; i < LW_COUNT_OF(streams); i++)
        check_cuts(&pgoutput_decoder, read_recorded(&arena, FOLDER, streams[i], "stream"), read_recorded(&arena, FOLDER, streams[i], "events"), LINES_OF_END_MAX);
    arena_release(&arena);
}

/* A length that is wrong is found out, and reading goes on at a message behind it. */
static void test_lengths(void **state) {
    (void)state;
    struct arena arena = {0};
    struct str bytes = read_recorded(&arena, FOLDER, streams[1], "stream"), wanted = read_recorded(&arena, FOLDER, streams[1], "events");
    char *copy = arena_copy(&arena, bytes.ptr, bytes.len);
    for (size_t at = PGOUTPUT_MAGIC_BYTES; at + PGOUTPUT_HEADER_BYTES < bytes.len;) {
        size_t len = 0;
        for (size_t i = 1; i < PGOUTPUT_HEADER_BYTES; i++)
            len = len << 8 | (unsigned char)bytes.ptr[at + i];
        static const unsigned char damages[][2] = {{1, 0xff}, {4, 0x40}, {4, 0x01}, {0, 0x20}};
        for (size_t i = 0; i < LW_COUNT_OF(damages); i++) {
            char *byte = &copy[at + damages[i][0]];
            struct buf told = {0};
            *byte = (char)(*byte ^ damages[i][1]);
            print_events(&told, &pgoutput_decoder, (struct str){copy, bytes.len}, 0, true);
            *byte = (char)(*byte ^ damages[i][1]);
            /* Of a table that is not described there are no rows: up to four here. */
            if (!has_gap(buf_str(&told)) || lines_of(buf_str(&told)) + 14 < lines_of(wanted))
                fail_msg("damage %zu of the message at %zu: %zu of %zu lines\n%s", i, at, lines_of(buf_str(&told)), lines_of(wanted), told.ptr);
            buf_release(&told);
        }
        at += 1 + len;
    }
    arena_release(&arena);
}

/* Any byte: nothing worse than another event or a gap. */
static void test_damage(void **state) {
    (void)state;
    struct arena arena = {0};
    struct str bytes = read_recorded(&arena, FOLDER, streams[1], "stream");
    char *copy = arena_copy(&arena, bytes.ptr, bytes.len);
    for (size_t at = 0; at < bytes.len; at++) {
        struct buf told = {0};
        copy[at] = (char)(copy[at] ^ (1 << at % 8));
        print_events(&told, &pgoutput_decoder, (struct str){copy, bytes.len}, 0, true);
        copy[at] = bytes.ptr[at];
        assert_true(lines_of(buf_str(&told)) > 0);
        buf_release(&told);
    }
    arena_release(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),   cmocka_unit_test(test_pieces), cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_lengths), cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
