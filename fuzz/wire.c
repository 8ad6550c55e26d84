/* A connection of either protocol. The first byte says which, and whether it is seen from its beginning; then come pieces: a byte
 * of which the lowest bit is the side and the rest how many bytes (127: 16 times what the next byte says). Told alike whether
 * fed in these pieces or byte by byte, in bounded memory. */
#include "events.h"
#include "wire/reader.h"
#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void feed(struct wire_connection *c, enum wire_side side, struct str bytes, size_t step) {
    for (size_t at = 0; at < bytes.len; at += step) {
        size_t end = bytes.len - at < step ? bytes.len : at + step;
        wire_feed(c, side, str_sub(bytes, at, end), 1, 1);
        LW_ASSERT(wire_byte_size(c) <= (size_t)WIRE_BYTES_MAX + WIRE_COMPRESSED_BYTES_MAX);
    }
}

static struct told run(struct str input, size_t step) {
    struct told told = {0, 0};
    struct trace_sink sink = {told_event, &told};
    struct reader reader = reader_of(input);
    uint8_t mode = read_byte(&reader);
    struct wire_source source = {.sink = &sink, .session = 7, .is_midway = (mode & 2) != 0};
    struct wire_connection *c = wire_open(mode & 1 ? WIRE_MYSQL : WIRE_POSTGRESQL, &source);
    while (reader_left(&reader) > 0) {
        uint8_t head = read_byte(&reader);
        size_t len = head >> 1;
        if (len == 127)
            len = (size_t)read_byte(&reader) * 16;
        if (len == 0) {
            wire_lost(c, 3, "bytes are missing", 1, 1);
            continue;
        }
        if (len > reader_left(&reader))
            len = reader_left(&reader);
        feed(c, head & 1 ? WIRE_SERVER : WIRE_CLIENT, read_bytes(&reader, len), step);
    }
    wire_end(c, 2, 2, (mode & 4) != 0);
    wire_close(c);
    return told;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str input = {(const char *)data, size};
    struct told whole = run(input, size + 1), single = run(input, 1), some = run(input, 5);
    LW_ASSERT(whole.count == single.count && whole.hash == single.hash);
    LW_ASSERT(whole.count == some.count && whole.hash == some.hash);
    return 0;
}
