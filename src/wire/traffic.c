#include "wire/traffic.h"

#include "base/buf.h"
#include "wire/wire.h"

#include <stdlib.h>

enum { SLOTS = 4096 };

struct traffic_connection {
    uint64_t number;
    struct wire_connection *wire; /* NULL: what it is is not known yet */
    struct buf head;              /* what came before that was known; only the client's or only the server's */
    enum wire_side head_side;
    int64_t head_us;
    struct traffic_connection *next;
};

struct traffic {
    const struct trace_sink *sink;
    struct str file;
    struct traffic_connection *slots[SLOTS];
    struct buf pending;
    uint64_t offset; /* of the first byte that is not done with */
    uint64_t lost;   /* bytes that are no frame, and were not told yet */
    bool has_magic;
};

static void put(unsigned char *at, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; i++)
        at[i] = (unsigned char)(value >> (8 * i));
}

static uint64_t get(const char *at, int bytes) {
    uint64_t value = 0;
    for (int i = bytes; i-- > 0;)
        value = value << 8 | (unsigned char)at[i];
    return value;
}

void traffic_put_header(const struct traffic_frame *frame, unsigned char header[TRAFFIC_HEADER_BYTES]) {
    put(header, TRAFFIC_SYNC, 4);
    put(header + 4, (uint64_t)frame->kind, 1);
    put(header + 5, frame->len, 3);
    put(header + 8, frame->connection, 8);
    put(header + 16, (uint64_t)frame->time_us, 8);
    put(header + 24, frame->lost_bytes, 8);
}

static bool read_header(const char *bytes, struct traffic_frame *frame) {
    *frame = (struct traffic_frame){(enum traffic_kind)get(bytes + 4, 1), (uint32_t)get(bytes + 5, 3), get(bytes + 8, 8),
                                    (int64_t)get(bytes + 16, 8), get(bytes + 24, 8)};
    return get(bytes, 4) == TRAFFIC_SYNC && frame->kind >= TRAFFIC_OPEN && frame->kind <= TRAFFIC_CLOSE &&
           frame->len <= TRAFFIC_FRAME_BYTES_MAX && frame->connection != 0;
}

static struct traffic_connection **place_of(struct traffic *traffic, uint64_t number) {
    struct traffic_connection **place = &traffic->slots[(number * 0x9E3779B97F4A7C15u) >> 52];
    while (*place != NULL && (*place)->number != number)
        place = &(*place)->next;
    return place;
}

static void open_wire(struct traffic *traffic, struct traffic_connection *c, enum wire_protocol protocol) {
    c->wire = wire_open(protocol, &(struct wire_source){.sink = traffic->sink, .file = traffic->file,
                                                        .session = c->number});
}

static struct traffic_connection *connection_of(struct traffic *traffic, uint64_t number) {
    struct traffic_connection **place = place_of(traffic, number);
    if (*place == NULL) {
        *place = mem_alloc(sizeof(**place));
        **place = (struct traffic_connection){.number = number};
    }
    return *place;
}

static void end_connection(struct traffic *traffic, struct traffic_connection **place, int64_t time_us, bool is_closed) {
    struct traffic_connection *c = *place;
    if (c == NULL)
        return;
    *place = c->next;
    if (c->wire != NULL) {
        wire_end(c->wire, time_us, traffic->offset, is_closed);
        wire_close(c->wire);
    }
    buf_release(&c->head);
    free(c);
}

static void tell_gap(const struct traffic *traffic, const char *reason, uint64_t offset, uint64_t byte_count) {
    struct trace_event event = {.kind = TRACE_GAP, .time_us = -1, .place = {traffic->file, offset, 0}};
    event.gap = (struct trace_gap){.reason = reason, .byte_count = byte_count};
    traffic->sink->event(traffic->sink->context, &event);
}

/* Bytes of a connection of which it is not known yet what it is. */
static void guess(struct traffic *traffic, struct traffic_connection *c, enum wire_side side, struct str bytes,
                  int64_t time_us) {
    if (c->head.len == 0) {
        c->head_side = side;
        c->head_us = time_us;
    }
    if (side == c->head_side)
        buf_add(&c->head, bytes);
    enum wire_protocol protocol;
    enum wire_side sender;
    if (!wire_guess(buf_str(&c->head), &protocol, &sender)) {
        if (c->head.len >= WIRE_GUESS_BYTES || side != c->head_side) {
            tell_gap(traffic, "a connection that speaks neither PostgreSQL's protocol nor MySQL's", traffic->offset, bytes.len);
            buf_clear(&c->head);
        }
        return;
    }
    open_wire(traffic, c, protocol);
    wire_feed(c->wire, c->head_side, buf_str(&c->head), c->head_us, traffic->offset);
    buf_release(&c->head);
    if (side != c->head_side)
        wire_feed(c->wire, side, bytes, time_us, traffic->offset);
}

static void take_frame(struct traffic *traffic, const struct traffic_frame *frame, struct str bytes) {
    struct traffic_connection *c = frame->kind == TRAFFIC_CLOSE ? NULL : connection_of(traffic, frame->connection);
    switch (frame->kind) {
    case TRAFFIC_OPEN:
        if (bytes.len == 1 && bytes.ptr[0] != '?' && c->wire == NULL)
            open_wire(traffic, c, bytes.ptr[0] == 'M' ? WIRE_MYSQL : WIRE_POSTGRESQL);
        break;
    case TRAFFIC_CLIENT:
    case TRAFFIC_SERVER: {
        enum wire_side side = frame->kind == TRAFFIC_CLIENT ? WIRE_CLIENT : WIRE_SERVER;
        if (c->wire != NULL)
            wire_feed(c->wire, side, bytes, frame->time_us, traffic->offset);
        else
            guess(traffic, c, side, bytes, frame->time_us);
        break;
    }
    case TRAFFIC_LOST:
        if (c->wire != NULL)
            wire_lost(c->wire, 0, "the proxy was faster than the decoder", frame->time_us, traffic->offset);
        break;
    case TRAFFIC_CLOSE:
        end_connection(traffic, place_of(traffic, frame->connection), frame->time_us, true);
        break;
    }
}

static void tell_lost(struct traffic *traffic) {
    if (traffic->lost > 0)
        tell_gap(traffic, "bytes that are no frame of recorded traffic", traffic->offset - traffic->lost, traffic->lost);
    traffic->lost = 0;
}

/* Takes one frame, or passes over a byte that begins none; answers how many bytes are done with, 0: more are needed. */
static size_t take(struct traffic *traffic, struct str bytes) {
    struct traffic_frame frame;
    if (!traffic->has_magic) {
        if (bytes.len < TRAFFIC_MAGIC_BYTES)
            return 0;
        traffic->has_magic = true;
        if (str_starts(bytes, TRAFFIC_MAGIC))
            return TRAFFIC_MAGIC_BYTES;
    }
    if (bytes.len < TRAFFIC_HEADER_BYTES)
        return 0;
    if (!read_header(bytes.ptr, &frame)) {
        traffic->lost++;
        return 1;
    }
    if (bytes.len < TRAFFIC_HEADER_BYTES + frame.len)
        return 0;
    tell_lost(traffic);
    take_frame(traffic, &frame, str_sub(bytes, TRAFFIC_HEADER_BYTES, TRAFFIC_HEADER_BYTES + frame.len));
    return TRAFFIC_HEADER_BYTES + frame.len;
}

static size_t take_all(struct traffic *traffic, struct str bytes) {
    size_t done = 0;
    for (size_t taken; (taken = take(traffic, str_sub(bytes, done, bytes.len))) > 0; traffic->offset += taken)
        done += taken;
    return done;
}

static void traffic_feed(void *decoder, struct str bytes) {
    struct traffic *traffic = decoder;
    if (traffic->pending.len == 0) {
        size_t done = take_all(traffic, bytes);
        buf_add(&traffic->pending, str_sub(bytes, done, bytes.len));
        return;
    }
    buf_add(&traffic->pending, bytes);
    size_t done = take_all(traffic, buf_str(&traffic->pending));
    struct str rest = str_sub(buf_str(&traffic->pending), done, traffic->pending.len);
    memmove(traffic->pending.ptr, rest.ptr, rest.len);
    traffic->pending.len = rest.len;
    traffic->pending.ptr[rest.len] = '\0';
}

static void *traffic_open(const struct trace_sink *sink, const struct trace_options *options) {
    struct traffic *traffic = mem_alloc(sizeof(*traffic));
    *traffic = (struct traffic){.sink = sink, .file = options->file};
    return traffic;
}

static void end_all(struct traffic *traffic) {
    tell_lost(traffic);
    if (traffic->pending.len > 0)
        tell_gap(traffic, "the recorded traffic is cut", traffic->offset, traffic->pending.len);
    buf_clear(&traffic->pending);
    for (size_t i = 0; i < SLOTS; i++)
        while (traffic->slots[i] != NULL)
            end_connection(traffic, &traffic->slots[i], -1, false);
}

static void traffic_next_file(void *decoder, struct str file) {
    struct traffic *traffic = decoder;
    end_all(traffic);
    traffic->file = file;
    traffic->offset = 0;
    traffic->has_magic = false;
}

static void traffic_end(void *decoder) {
    end_all(decoder);
}

static void traffic_close(void *decoder) {
    struct traffic *traffic = decoder;
    end_all(traffic);
    buf_release(&traffic->pending);
    free(traffic);
}

static int traffic_detect(struct str head) {
    return str_starts(head, TRAFFIC_MAGIC) ? 100 : 0;
}

const struct trace_decoder_class traffic_decoder = {
    .name = "proxy-recording",
    .title = "traffic recorded by lostwrite watch --listen",
    .detect = traffic_detect,
    .open = traffic_open,
    .feed = traffic_feed,
    .next_file = traffic_next_file,
    .end = traffic_end,
    .close = traffic_close,
};
