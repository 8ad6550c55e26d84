/* Events in compressed form: MySQL's transactions with binlog_transaction_compression, a run of events in one zstd stream, and the
 * single events of MariaDB's log_bin_compress. Neither is unpacked beyond BINLOG_EVENT_BYTES_MAX at a time. */
#include "base/assert.h"
#include "binlog/internal.h"

enum { PIECE_BYTES = 1 << 16 };

static bool open_unpack(struct binlog *log, struct unpack **unpack, enum unpack_kind kind) {
    struct err err;
    if (*unpack != NULL || (*unpack = unpack_new(kind, &err)) != NULL)
        return true;
    tell_gap(log, log->place,
             kind == UNPACK_ZSTD ? "compressed events can't be read: libzstd is not there"
                                 : "compressed events can't be read: zlib is not there",
             0);
    return false;
}

bool payload_unpack(struct binlog *log, struct str packed, struct str *unpacked) {
    enum { IS_PACKED = 0x80, METHOD = 0x70, LEN_BYTES = 0x07 };
    struct cursor in = cursor_of(packed);
    unsigned head = (unsigned)cursor_le(&in, 1);
    uint64_t size = cursor_be(&in, head & LEN_BYTES);
    if (in.is_bad || (head & IS_PACKED) == 0 || (head & METHOD) != 0 || (head & LEN_BYTES) > 4) {
        tell_gap(log, log->place, "a compressed event is damaged", 0);
        return false;
    }
    if (size > BINLOG_EVENT_BYTES_MAX) {
        tell_gap(log, log->place, "an event is larger than what is kept of one", size);
        return false;
    }
    if (!open_unpack(log, &log->zlib, UNPACK_ZLIB))
        return false;
    struct buf *out = &log->unpacked;
    buf_clear(out);
    if (out->capacity <= size)
        buf_add_repeat(out, '\0', (size_t)size);
    else
        out->len = (size_t)size;
    if (size > 0 && !unpack_whole(log->zlib, in.left, out->ptr, (size_t)size)) {
        tell_gap(log, log->place, "a compressed event is damaged", 0);
        return false;
    }
    *unpacked = buf_str(out);
    return true;
}

/* One of the events of a payload; they have no checksum. Its length, or 0 if not all of it is there; false: damaged. */
static bool read_inner(struct binlog *log, struct str bytes, size_t *len) {
    *len = 0;
    if (bytes.len < EVENT_HEADER_BYTES)
        return true;
    struct cursor in = cursor_of(bytes);
    struct binlog_event event = {0};
    event.time_s = (uint32_t)cursor_le(&in, 4);
    event.type = (uint8_t)cursor_le(&in, 1);
    cursor_le(&in, 4);
    uint32_t size = (uint32_t)cursor_le(&in, 4);
    cursor_le(&in, 4);
    event.flags = (uint16_t)cursor_le(&in, 2);
    if (size < EVENT_HEADER_BYTES || size > BINLOG_EVENT_BYTES_MAX)
        return false;
    if (bytes.len < size)
        return true;
    event.body = str_sub(bytes, EVENT_HEADER_BYTES, size);
    event_read(log, &event);
    *len = size;
    return true;
}

/* Takes all whole events off the front of `inner`. */
static bool read_inners(struct binlog *log) {
    struct buf *inner = &log->inner;
    size_t done = 0, len;
    bool is_good;
    do {
        is_good = read_inner(log, str_sub(buf_str(inner), done, inner->len), &len);
        done += len;
    } while (is_good && len > 0);
    if (done > 0) {
        memmove(inner->ptr, inner->ptr + done, inner->len - done);
        inner->len -= done;
    }
    return is_good;
}

static bool unpack_transaction(struct binlog *log, struct unpack *unpack, struct str packed) {
    char piece[PIECE_BYTES];
    struct buf *inner = &log->inner;
    buf_clear(inner);
    for (;;) {
        size_t before = packed.len, written;
        enum unpack_state state = unpack_run(unpack, &packed, piece, sizeof(piece), &written);
        if (inner->len + written > BINLOG_EVENT_BYTES_MAX + PIECE_BYTES)
            return false;
        buf_add(inner, (struct str){piece, written});
        if (!read_inners(log))
            return false;
        if (state == UNPACK_END && packed.len > 0)
            unpack_restart(unpack); /* of a large transaction there are several frames */
        else if (state != UNPACK_MORE)
            return state == UNPACK_END && inner->len == 0;
        else if (written == 0 && packed.len == before)
            return false;
    }
}

void payload_read(struct binlog *log, const struct binlog_event *event) {
    enum { END, SIZE, METHOD, UNPACKED_SIZE, ZSTD = 0, NONE = 255 };
    struct cursor in = cursor_of(event->body);
    uint64_t size = 0, method = NONE;
    for (uint64_t field; !in.is_bad && (field = cursor_packed(&in)) != END;) {
        struct str value = cursor_counted(&in);
        struct cursor number = cursor_of(value);
        if (field == SIZE)
            size = cursor_packed(&number);
        else if (field == METHOD)
            method = cursor_packed(&number);
    }
    struct str packed = cursor_bytes(&in, size);
    bool is_good = !in.is_bad && (method == ZSTD || method == NONE);
    log->is_in_payload = true;
    if (is_good && method == NONE) {
        buf_clear(&log->inner);
        buf_add(&log->inner, packed);
        is_good = read_inners(log) && log->inner.len == 0;
    } else if (is_good && open_unpack(log, &log->zstd, UNPACK_ZSTD)) {
        unpack_restart(log->zstd);
        is_good = unpack_transaction(log, log->zstd, packed);
    }
    log->is_in_payload = false;
    if (!is_good)
        tell_gap(log, log->place, "a compressed transaction is damaged", event->body.len);
    if (log->inner.capacity > 4 << 20)
        buf_release(&log->inner);
}
