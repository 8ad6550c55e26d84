#include "wire/connection.h"

#include "base/assert.h"
#include "wire/reader.h"

#include <stdlib.h>

static const char began_before[] = "the connection began before the capture";

static const struct wire_class *const classes[] = {
    [WIRE_POSTGRESQL] = &postgresql_class,
    [WIRE_MYSQL] = &mysql_class,
};

static void begin_gap(struct wire_connection *c, const char *reason) {
    c->gap_reason = reason;
    c->gap_offset = c->offset;
    c->gap_time_us = c->time_us;
    c->gap_bytes = 0;
}

struct wire_connection *wire_open(enum wire_protocol protocol, const struct wire_source *source) {
    struct wire_connection *c = mem_alloc(sizeof(*c));
    *c = (struct wire_connection){
        .class = classes[protocol],
        .source = *source,
        .time_us = -1,
        .mode = source->is_midway ? WIRE_JOINING : WIRE_READING,
    };
    c->decoder = c->class->open(c);
    return c;
}

static struct trace_event event_of(const struct wire_connection *c, enum trace_event_kind kind,
                                   int64_t time_us, uint64_t offset) {
    return (struct trace_event){
        .kind = kind,
        .server = c->class->server,
        .place = {c->source.file, offset, 0},
        .session = c->source.session,
        .time_us = time_us,
    };
}

static void tell(const struct wire_connection *c, const struct trace_event *event) {
    c->source.sink->event(c->source.sink->context, event);
}

void wire_gap(struct wire_connection *c, const char *reason, uint64_t byte_count) {
    struct trace_event event = event_of(c, TRACE_GAP, c->time_us, c->offset);
    event.gap = (struct trace_gap){.reason = reason, .byte_count = byte_count};
    tell(c, &event);
}

static void end_gap(struct wire_connection *c) {
    if (c->gap_reason == NULL)
        return;
    struct trace_event event = event_of(c, TRACE_GAP, c->gap_time_us, c->gap_offset);
    event.gap = (struct trace_gap){c->gap_reason, c->gap_bytes, c->is_gap_encrypted};
    tell(c, &event);
    c->gap_reason = NULL;
}

static void drop_pending(struct wire_connection *c) {
    for (int side = 0; side < 2; side++) {
        c->gap_bytes += c->streams[side].pending.len;
        buf_release(&c->streams[side].pending);
        c->streams[side].skip = 0;
    }
}

static void join(struct wire_connection *c, const char *reason) {
    if (c->gap_reason == NULL)
        begin_gap(c, reason);
    drop_pending(c);
    wire_forget_asked(c);
    c->mode = WIRE_JOINING;
    c->tail_len = 0;
    c->is_burst_bad = false;
    c->is_client_waiting = false;
    c->class->restart(c);
}

void wire_doubt(struct wire_connection *c, const char *reason) {
    if (c->mode != WIRE_READING)
        return;
    if (++c->doubt_count > WIRE_DOUBTS_MAX)
        wire_go_blind(c, "too much of the connection could not be read", false);
    else
        join(c, reason);
}

void wire_go_blind(struct wire_connection *c, const char *reason, bool is_encrypted) {
    join(c, reason);
    c->gap_reason = reason;
    c->is_gap_encrypted = is_encrypted;
    c->mode = WIRE_BLIND;
}

static bool looks_encrypted(struct str bytes) {
    /* A record of TLS: type, major version, length (RFC 8446, 5.1). */
    struct reader reader = reader_of(bytes);
    uint8_t type = read_byte(&reader);
    uint16_t version = (uint16_t)read_be(&reader, 2);
    uint64_t length = read_be(&reader, 2);
    return !reader.is_short && type >= 0x14 && type <= 0x17 && version >= 0x0301 &&
           version <= 0x0304 && length > 0 && length <= 16384 + 2048;
}

static void receive_all(struct wire_connection *c, enum wire_side side, struct str bytes);
static void feed_joining(struct wire_connection *c, enum wire_side side, struct str bytes);

/* The server sends after the client did: was that a command in full, sent while nothing else was under way? */
static bool try_to_join(struct wire_connection *c) {
    struct buf burst = c->streams[WIRE_CLIENT].pending;
    bool is_command =
        burst.len > 0 && !c->is_burst_bad &&
        c->class->is_command(buf_str(&burst), (struct str){c->tail, c->tail_len});
    c->streams[WIRE_CLIENT].pending = (struct buf){0};
    c->is_burst_bad = false;
    if (is_command) {
        int64_t time_us = c->time_us;
        uint64_t offset = c->offset;
        c->mode = WIRE_READING;
        c->time_us = c->burst_time_us;
        c->offset = c->burst_offset;
        end_gap(c);
        receive_all(c, WIRE_CLIENT, buf_str(&burst));
        c->time_us = time_us;
        c->offset = offset;
    } else {
        c->gap_bytes += burst.len;
    }
    buf_release(&burst);
    return is_command;
}

static void remember_tail(struct wire_connection *c, struct str bytes) {
    struct str kept = bytes.len > WIRE_TAIL_BYTES
                          ? str_sub(bytes, bytes.len - WIRE_TAIL_BYTES, bytes.len)
                          : bytes;
    size_t old = c->tail_len + kept.len > WIRE_TAIL_BYTES ? WIRE_TAIL_BYTES - kept.len : c->tail_len;
    memmove(c->tail, c->tail + c->tail_len - old, old);
    if (kept.len > 0)
        memcpy(c->tail + old, kept.ptr, kept.len);
    c->tail_len = old + kept.len;
}

static void feed_joining(struct wire_connection *c, enum wire_side side, struct str bytes) {
    if (c->gap_reason == NULL)
        begin_gap(c, began_before);
    struct buf *burst = &c->streams[WIRE_CLIENT].pending;
    if (side == WIRE_SERVER) {
        if (burst->len > 0 || c->is_burst_bad) {
            if (try_to_join(c)) {
                wire_feed(c, side, bytes, c->time_us, c->offset);
                return;
            }
        }
        remember_tail(c, bytes);
        c->gap_bytes += bytes.len;
        return;
    }
    bool is_first = burst->len == 0;
    if (c->is_burst_bad || burst->len + bytes.len > WIRE_BURST_BYTES_MAX) {
        c->gap_bytes += burst->len + bytes.len;
        buf_release(burst);
        c->is_burst_bad = true;
        return;
    }
    if (is_first) {
        c->burst_time_us = c->time_us;
        c->burst_offset = c->offset;
    }
    buf_add(burst, bytes);
    if ((is_first || burst->len < WIRE_GUESS_BYTES) && looks_encrypted(buf_str(burst)))
        wire_go_blind(c, "the connection is encrypted", true);
}

/* Bytes of a message that is passed over are left out. */
static struct str without_skipped(struct wire_stream *stream, struct str bytes) {
    uint64_t skipped = stream->skip < bytes.len ? stream->skip : bytes.len;
    stream->skip -= skipped;
    return str_sub(bytes, (size_t)skipped, bytes.len);
}

static void receive_all(struct wire_connection *c, enum wire_side side, struct str bytes) {
    struct wire_stream *stream = &c->streams[side];
    struct buf whole = {0};
    bytes = without_skipped(stream, bytes);
    if (stream->pending.len > 0) {
        buf_add(&stream->pending, bytes);
        whole = stream->pending;
        stream->pending = (struct buf){0};
        bytes = buf_str(&whole);
    }
    size_t done = 0;
    while (c->mode == WIRE_READING && done < bytes.len) {
        if (side == WIRE_CLIENT && c->is_client_waiting)
            break;
        bool was_waiting = c->is_client_waiting;
        size_t used = c->class->receive(c, side, str_sub(bytes, done, bytes.len));
        if (used == 0)
            break;
        done += used;
        struct str rest = without_skipped(stream, str_sub(bytes, done, bytes.len));
        done = bytes.len - rest.len;
        if (was_waiting && !c->is_client_waiting && c->mode == WIRE_READING)
            receive_all(c, WIRE_CLIENT, (struct str){0});
    }
    struct str rest = str_sub(bytes, done, bytes.len);
    if (c->mode == WIRE_JOINING && rest.len > 0) {
        feed_joining(c, side, rest);
    } else if (c->mode == WIRE_BLIND) {
        c->gap_bytes += rest.len;
    } else if (rest.len > 0) {
        if (whole.ptr != NULL) {
            memmove(whole.ptr, whole.ptr + done, rest.len);
            whole.len = rest.len;
            stream->pending = whole;
            return;
        }
        buf_add(&stream->pending, rest);
    }
    buf_release(&whole);
}

void wire_feed(struct wire_connection *c, enum wire_side side, struct str bytes, int64_t time_us,
               uint64_t offset) {
    c->time_us = time_us;
    c->offset = offset;
    if (bytes.len == 0)
        return;
    if (c->mode == WIRE_BLIND) {
        c->gap_bytes += bytes.len;
        return;
    }
    if (c->mode == WIRE_JOINING) {
        feed_joining(c, side, bytes);
        return;
    }
    receive_all(c, side, bytes);
    if (c->mode != WIRE_READING)
        return;
    if (c->streams[WIRE_CLIENT].pending.len > 2 * WIRE_MESSAGE_BYTES_MAX && c->is_client_waiting)
        wire_doubt(c, "the client went on without an answer that it needs");
}

void wire_lost(struct wire_connection *c, uint64_t byte_count, const char *reason, int64_t time_us,
               uint64_t offset) {
    c->time_us = time_us;
    c->offset = offset;
    if (c->mode == WIRE_READING)
        join(c, reason);
    else if (c->gap_reason == NULL)
        begin_gap(c, reason);
    if (c->mode == WIRE_JOINING) {
        drop_pending(c);
        c->tail_len = 0;
        c->is_burst_bad = true;
    }
    c->gap_bytes += byte_count;
}

void wire_go_on_in(struct wire_connection *c, struct str file) {
    c->source.file = file;
}

void wire_end(struct wire_connection *c, int64_t time_us, uint64_t offset, bool is_closed) {
    if (c->is_ended)
        return;
    c->time_us = time_us;
    c->offset = offset;
    if (c->mode == WIRE_READING)
        c->class->end(c);
    drop_pending(c);
    end_gap(c);
    c->mode = WIRE_BLIND;
    if (is_closed)
        wire_tell_end(c);
    c->is_ended = true;
}

void wire_close(struct wire_connection *c) {
    c->class->close(c);
    wire_forget_asked(c);
    for (int side = 0; side < 2; side++)
        buf_release(&c->streams[side].pending);
    arena_release(&c->scratch);
    free(c);
}

bool wire_is_blind(const struct wire_connection *c) {
    return c->mode == WIRE_BLIND;
}

size_t wire_byte_size(const struct wire_connection *c) {
    return sizeof(*c) + c->streams[0].pending.capacity + c->streams[1].pending.capacity +
           c->asked_bytes + c->scratch.byte_count + c->class->byte_size(c);
}

bool wire_ask(struct wire_connection *c, uint8_t kind, struct str body, bool is_cut) {
    size_t byte_size = sizeof(struct wire_ask) + body.len;
    if (c->asked_bytes + byte_size > WIRE_ASKED_BYTES_MAX) {
        wire_doubt(c, "more commands wait for an answer than are kept");
        return false;
    }
    struct wire_ask *ask = mem_alloc(byte_size);
    *ask = (struct wire_ask){NULL, kind, is_cut, c->time_us, c->offset, body.len};
    if (body.len > 0)
        memcpy(ask->body, body.ptr, body.len);
    *(c->asked_last != NULL ? &c->asked_last->next : &c->asked) = ask;
    c->asked_last = ask;
    c->asked_bytes += byte_size;
    return true;
}

struct str wire_ask_body(const struct wire_ask *ask) {
    return (struct str){ask->body, ask->len};
}

void wire_answered(struct wire_connection *c) {
    struct wire_ask *ask = c->asked;
    LW_ASSERT(ask != NULL);
    c->asked = ask->next;
    if (c->asked == NULL)
        c->asked_last = NULL;
    c->asked_bytes -= sizeof(*ask) + ask->len;
    free(ask);
}

void wire_forget_asked(struct wire_connection *c) {
    while (c->asked != NULL)
        wire_answered(c);
}

void wire_tell(struct wire_connection *c, struct wire_statement *s) {
    struct trace_rows rows;
    struct trace_event event = event_of(c, TRACE_STATEMENT, s->sent_us, s->offset);
    wire_statement_tell(s, &c->scratch, &event.statement, &rows);
    tell(c, &event);
    if (c->scratch.byte_count > WIRE_MESSAGE_BYTES_MAX)
        arena_release(&c->scratch);
    else
        arena_reset(&c->scratch);
    wire_statement_begin(s, -1, 0);
}

void wire_tell_session(struct wire_connection *c, struct str user, struct str database,
                       struct str application) {
    struct trace_event event = event_of(c, TRACE_SESSION, c->time_us, c->offset);
    event.user = user;
    event.database = database;
    event.application = application;
    c->is_session_told = true;
    tell(c, &event);
}

void wire_tell_end(struct wire_connection *c) {
    struct trace_event event = event_of(c, TRACE_END, c->time_us, c->offset);
    tell(c, &event);
}

bool wire_guess(struct str bytes, enum wire_protocol *protocol, enum wire_side *sender) {
    struct reader reader = reader_of(bytes);
    uint64_t length = read_be(&reader, 4);
    uint64_t code = read_be(&reader, 4);
    *protocol = WIRE_POSTGRESQL;
    *sender = WIRE_CLIENT;
    if (!reader.is_short && length >= 8 && length <= 65536 &&
        (code >> 16 == 3 || (code >= 80877102 && code <= 80877104)))
        return true;
    *protocol = WIRE_MYSQL;
    *sender = WIRE_SERVER;
    reader = reader_of(bytes);
    uint64_t packet = read_le(&reader, 4);
    uint64_t version = read_byte(&reader);
    uint64_t digit = read_byte(&reader);
    if (!reader.is_short && packet >= 30 && packet < 512 && version == 10 && digit >= '0' &&
        digit <= '9')
        return true;
    return false;
}

bool wire_guess_command(struct str bytes, enum wire_protocol *protocol) {
    for (size_t i = 0; i < LW_COUNT_OF(classes); i++) {
        *protocol = (enum wire_protocol)i;
        if (bytes.len > 0 && classes[i]->is_command(bytes, (struct str){0}))
            return true;
    }
    return false;
}
