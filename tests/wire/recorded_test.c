/* Recorded traffic of a proxy: cut anywhere, damaged, of an unknown kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "wire/traffic.h"

struct told {
    struct buf text;
    size_t gap_count;
};

static void take(void *context, const struct trace_event *event) {
    struct told *told = context;
    if (event->kind == TRACE_GAP)
        told->gap_count++;
    if (event->kind == TRACE_STATEMENT)
        buf_printf(&told->text, "%llu %.*s;", (unsigned long long)event->session, STR_ARG(event->statement.sql));
}

static void add_frame(struct buf *out, enum traffic_kind kind, uint64_t connection, struct str bytes) {
    unsigned char header[TRAFFIC_HEADER_BYTES];
    struct traffic_frame frame = {kind, (uint32_t)bytes.len, connection, 1790000000000000, 0};
    traffic_put_header(&frame, header);
    buf_add(out, (struct str){(const char *)header, sizeof(header)});
    buf_add(out, bytes);
}

#define BYTES(text) ((struct str){text, sizeof(text) - 1})

/* A connection of PostgreSQL that asks one thing; `kind` says what the proxy was told that it is. */
static void make(struct buf *out, const char *kind) {
    buf_add_c(out, TRAFFIC_MAGIC);
    add_frame(out, TRAFFIC_OPEN, 3, (struct str){kind, 1});
    add_frame(out, TRAFFIC_CLIENT, 3, BYTES("\0\0\0\x12\0\x03\0\0user\0lab\0\0"));
    add_frame(out, TRAFFIC_SERVER, 3, BYTES("R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I"));
    add_frame(out, TRAFFIC_CLIENT, 3, BYTES("Q\0\0\0\x0dSELECT 1\0"));
    add_frame(out, TRAFFIC_SERVER, 3, BYTES("C\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I"));
    add_frame(out, TRAFFIC_CLOSE, 3, (struct str){0});
}

static void play(struct str bytes, size_t piece, struct told *told) {
    struct trace_sink sink = {take, told};
    struct trace_options options = {.file = STR("recorded")};
    void *decoder = traffic_decoder.open(&sink, &options);
    for (size_t at = 0; at < bytes.len; at += piece)
        traffic_decoder.feed(decoder, str_sub(bytes, at, at + piece < bytes.len ? at + piece : bytes.len));
    traffic_decoder.end(decoder);
    traffic_decoder.close(decoder);
}

static void whole_and_in_pieces(void **state) {
    (void)state;
    for (const char *kind = "P?"; *kind != '\0'; kind++) {
        struct buf bytes = {0};
        make(&bytes, kind);
        assert_int_equal(traffic_decoder.detect(buf_str(&bytes)), 100);
        for (size_t piece = 1; piece <= bytes.len; piece += piece < 70 ? 1 : bytes.len) {
            struct told told = {0};
            play(buf_str(&bytes), piece, &told);
            assert_string_equal(told.text.ptr, "3 SELECT 1;");
            assert_int_equal(told.gap_count, 0);
            buf_release(&told.text);
        }
        buf_release(&bytes);
    }
}

static void cut_anywhere(void **state) {
    (void)state;
    struct buf bytes = {0};
    make(&bytes, "P");
    for (size_t len = 0; len < bytes.len; len++) {
        struct told told = {0};
        play((struct str){bytes.ptr, len}, len + 1, &told);
        buf_release(&told.text);
    }
    struct told told = {0};
    play((struct str){bytes.ptr, bytes.len - 5}, 64, &told);
    assert_string_equal(told.text.ptr, "3 SELECT 1;");
    assert_int_equal(told.gap_count, 1);
    buf_release(&told.text);
    buf_release(&bytes);
}

/* What is no frame is passed over to the next one. */
static void damaged(void **state) {
    (void)state;
    struct buf bytes = {0}, noisy = {0};
    make(&bytes, "P");
    buf_add(&noisy, (struct str){bytes.ptr, TRAFFIC_MAGIC_BYTES});
    buf_add_c(&noisy, "what is this?");
    buf_add(&noisy, (struct str){bytes.ptr + TRAFFIC_MAGIC_BYTES, bytes.len - TRAFFIC_MAGIC_BYTES});
    struct told told = {0};
    play(buf_str(&noisy), 7, &told);
    assert_string_equal(told.text.ptr, "3 SELECT 1;");
    assert_int_equal(told.gap_count, 1);
    buf_release(&told.text);
    buf_release(&bytes);
    buf_release(&noisy);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(whole_and_in_pieces), cmocka_unit_test(cut_anywhere),
                                       cmocka_unit_test(damaged)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
