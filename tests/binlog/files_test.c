/* Logs of real servers (logs/README.md): read whole, in pieces of any size, cut and damaged anywhere. */
#include "base/assert.h"
#include "binlog/binlog.h"
#include "../support/changes.h"
#include "../support/pieces.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define FOLDER "tests/binlog/logs"

static const struct {
    const char *name;
    bool has_checksums;
} logs[] = {
    {"mariadb-10.11-full", true}, {"mariadb-10.11-compressed", false}, {"mariadb-11.8-nodup", true},
    {"mysql-5.6-full", true},     {"mysql-5.6-minimal", false},        {"mysql-9.7-full", true},
    {"mysql-9.7-compressed", true},
};

static void test_whole(void **state) {
    (void)state;
    for (size_t i = 0; i < LW_COUNT_OF(logs); i++)
        check_whole(&binlog_decoder, FOLDER, logs[i].name, "binlog");
}

static void test_pieces(void **state) {
    (void)state;
    struct arena arena = {0};
    for (size_t i = 0; i < LW_COUNT_OF(logs); i++)
        check_pieces(&binlog_decoder, read_recorded(&arena, FOLDER, logs[i].name, "binlog"), read_recorded(&arena, FOLDER, logs[i].name, "events"));
    arena_release(&arena);
}

/* Behind the cut there is at most a gap, and the end of the transaction. */
static void test_cut(void **state) {
    (void)state;
    enum { LINES_OF_END_MAX = 3 }; /* of the event, of the transaction, its rollback */
    struct arena arena = {0};
    for (size_t i = 0; i < LW_COUNT_OF(logs); i++)
        check_cuts(&binlog_decoder, read_recorded(&arena, FOLDER, logs[i].name, "binlog"), read_recorded(&arena, FOLDER, logs[i].name, "events"), LINES_OF_END_MAX);
    arena_release(&arena);
}

/* The flag that a file's first event has while the server writes the file: no checksum covers it. Here, all have bit 0. */
static bool is_in_use_flag(struct str bytes, size_t at) {
    enum { FLAGS_AT = 17, TYPE_AT = 4, FORMAT = 15, MAGIC_BYTES = 4 };
    size_t event = at - FLAGS_AT;
    return at >= FLAGS_AT + MAGIC_BYTES && at % 8 == 0 && bytes.ptr[event + TYPE_AT] == FORMAT &&
           str_starts(str_sub(bytes, event - MAGIC_BYTES, bytes.len), "\xfe\x62\x69\x6e");
}

/* One byte is wrong: with checksums that is told, and costs no more than the events that it stands in. */
static void test_damage(void **state) {
    (void)state;
    enum { LINES_LOST_MAX = 4, HEAD_BYTES = 400, STEP = 5 };
    struct arena arena = {0};
    for (size_t i = 0; i < LW_COUNT_OF(logs); i++) {
        struct str bytes = read_recorded(&arena, FOLDER, logs[i].name, "binlog");
        struct str wanted = read_recorded(&arena, FOLDER, logs[i].name, "events");
        char *copy = arena_copy(&arena, bytes.ptr, bytes.len);
        for (size_t at = 0; at < bytes.len; at += STEP) {
            struct buf told = {0};
            copy[at] = (char)(copy[at] ^ (1 << at % 8));
            print_events(&told, &binlog_decoder, (struct str){copy, bytes.len}, 0, true);
            copy[at] = bytes.ptr[at];
            struct str text = buf_str(&told);
            if (is_in_use_flag(bytes, at))
                assert_true(str_equal(text, wanted));
            else if (logs[i].has_checksums && !has_gap(text))
                fail_msg("%s: damage at %zu is not told", logs[i].name, at);
            if (logs[i].has_checksums && at > HEAD_BYTES &&
                lines_of(text) + LINES_LOST_MAX < lines_of(wanted))
                fail_msg("%s: damage at %zu costs %zu of %zu lines", logs[i].name, at,
                         lines_of(wanted) - lines_of(text), lines_of(wanted));
            buf_release(&told);
        }
    }
    arena_release(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
