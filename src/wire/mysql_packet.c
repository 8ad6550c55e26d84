/* Packets: split at 16 MB, and compressed. */
#include "unpack/unpack.h"
#include "wire/mysql.h"

enum { PACKET_BYTES_MAX = 0xffffff, HEADER_BYTES = 4, COMPRESSED_HEADER_BYTES = 7 };

static void handle_part(struct wire_connection *c, enum wire_side side, uint64_t total,
                        uint8_t sequence, struct str kept) {
    struct mywire_side *of = &((struct my *)c->decoder)->sides[side];
    struct mywire_packet packet = {kept, total, sequence, kept.len < total};
    bool is_last = total < PACKET_BYTES_MAX;
    if (!is_last || of->is_joining) {
        if (!of->is_joining) {
            buf_clear(&of->joined);
            of->joined_total = 0;
            of->joined_sequence = sequence;
            of->is_joining = true;
        }
        size_t room = WIRE_MESSAGE_BYTES_MAX - of->joined.len;
        buf_add(&of->joined, str_sub(kept, 0, kept.len < room ? kept.len : room));
        of->joined_total += total;
        if (!is_last)
            return;
        of->is_joining = false;
        packet = (struct mywire_packet){buf_str(&of->joined), of->joined_total, of->joined_sequence,
                                    of->joined.len < of->joined_total};
    }
    struct buf joined = of->joined;
    of->joined = (struct buf){0};
    mywire_handle(c, side, &packet);
    buf_release(&joined);
}

/* One packet; 0: there is not enough of it. */
static size_t receive_plain(struct wire_connection *c, enum wire_side side, struct str bytes,
                            uint64_t *skip) {
    struct reader reader = reader_of(bytes);
    uint64_t total = read_le(&reader, 3);
    uint8_t sequence = read_byte(&reader);
    size_t kept = total < WIRE_MESSAGE_BYTES_MAX ? (size_t)total : WIRE_MESSAGE_BYTES_MAX;
    if (reader.is_short || reader_left(&reader) < kept)
        return 0;
    *skip = total - kept;
    handle_part(c, side, total, sequence, read_bytes(&reader, kept));
    return HEADER_BYTES + kept;
}

static void drop_skipped(struct mywire_side *of) {
    size_t skipped = of->inner_skip < of->inner.len ? (size_t)of->inner_skip : of->inner.len;
    of->inner_skip -= skipped;
    of->inner.len -= skipped;
    memmove(of->inner.ptr, of->inner.ptr + skipped, of->inner.len);
}

/* What a compressed packet held is plain packets again, cut anywhere. */
static void receive_inner(struct wire_connection *c, enum wire_side side) {
    struct mywire_side *of = &((struct my *)c->decoder)->sides[side];
    struct buf inner;
    if (of->inner.len > 0 && of->inner_skip > 0)
        drop_skipped(of);
    inner = of->inner;
    of->inner = (struct buf){0};
    size_t done = 0;
    while (c->mode == WIRE_READING && done < inner.len) {
        size_t used = receive_plain(c, side, str_sub(buf_str(&inner), done, inner.len), &of->inner_skip);
        if (used == 0)
            break;
        done += used;
        uint64_t skipped = of->inner_skip < inner.len - done ? of->inner_skip : inner.len - done;
        of->inner_skip -= skipped;
        done += (size_t)skipped;
    }
    if (c->mode != WIRE_READING) {
        buf_release(&inner);
        return;
    }
    if (done > 0)
        memmove(inner.ptr, inner.ptr + done, inner.len - done);
    inner.len -= done;
    of->inner = inner;
    if (inner.len == 0)
        buf_release(&of->inner);
}

static size_t receive_compressed(struct wire_connection *c, enum wire_side side, struct str bytes) {
    struct my *my = c->decoder;
    struct mywire_side *of = &my->sides[side];
    struct reader reader = reader_of(bytes);
    uint64_t length = read_le(&reader, 3);
    read_byte(&reader); /* its number */
    uint64_t plain = read_le(&reader, 3);
    if (reader.is_short || reader_left(&reader) < length)
        return 0;
    struct str body = read_bytes(&reader, length);
    if (plain == 0) {
        buf_add(&of->inner, body);
    } else {
        size_t at = of->inner.len;
        buf_add_repeat(&of->inner, 0, (size_t)plain);
        if (my->unpack == NULL)
            my->unpack = unpack_new(my->is_zstd ? UNPACK_ZSTD : UNPACK_ZLIB, NULL);
        if (my->unpack == NULL) {
            wire_go_blind(c, my->is_zstd ? "it is compressed, and libzstd is not here" : "it is compressed, and zlib is not here", false);
            return 0;
        }
        if (!unpack_whole(my->unpack, body, of->inner.ptr + at, (size_t)plain)) {
            wire_go_blind(c, "a compressed packet could not be unpacked", false);
            return 0;
        }
    }
    receive_inner(c, side);
    return COMPRESSED_HEADER_BYTES + (size_t)length;
}

size_t mywire_receive_packets(struct wire_connection *c, enum wire_side side, struct str bytes) {
    const struct my *my = c->decoder;
    if (my->is_compressed)
        return receive_compressed(c, side, bytes);
    return receive_plain(c, side, bytes, &c->streams[side].skip);
}

void mywire_forget_packets(struct my *my) {
    for (int side = 0; side < 2; side++) {
        buf_release(&my->sides[side].joined);
        buf_release(&my->sides[side].inner);
        my->sides[side] = (struct mywire_side){0};
    }
}
