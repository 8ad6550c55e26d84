/* The file formats of captures: pcap (draft-ietf-opsawg-pcap) and pcapng (draft-ietf-opsawg-pcapng). What is damaged is passed over
 * to the next place that looks like a packet. */
#include "base/buf.h"
#include "base/vec.h"
#include "wire/flow.h"
#include "wire/reader.h"
#include "wire/wire.h"

#include <stdlib.h>

enum {
    PACKET_BYTES_MAX = 1 << 20, /* more is taken for damage */
    SNAP_DEFAULT = 262144,
    FILE_HEADER_BYTES = 24,
    RECORD_HEADER_BYTES = 16,
    BLOCK_BYTES_MIN = 12,
    INTERFACES_MAX = 65536,
    CLOCK_JUMP_S = 7 * 86400, /* between packets of an undamaged capture, at most */
};

enum { MAGIC_US = 0xa1b2c3d4, MAGIC_NS = 0xa1b23c4d, BLOCK_SECTION = 0x0a0d0d0a, SECTION_ORDER = 0x1a2b3c4d };

enum { BLOCK_INTERFACE = 1, BLOCK_PACKET = 2, BLOCK_SIMPLE = 3, BLOCK_NAMES = 4, BLOCK_STATISTICS = 5, BLOCK_ENHANCED = 6,
       BLOCK_JOURNAL = 9, BLOCK_SECRETS = 10 };

enum { OPTION_END = 0, OPTION_RESOLUTION = 9, OPTION_OFFSET = 14 };

struct interface {
    uint32_t link_type, snap;
    uint8_t resolution; /* digits of a second; with 0x80: binary digits */
    int64_t offset_s;
};

enum format { FORMAT_NONE, FORMAT_PCAP, FORMAT_PCAPNG, FORMAT_BAD };

struct pcap {
    const struct trace_sink *sink;
    struct str file;
    struct flows *flows;
    enum format format;
    bool is_big_endian, is_nanoseconds;
    VEC(struct interface) interfaces; /* pcap: one */
    struct buf pending;
    uint64_t offset; /* of the first byte that is not done with */
    uint64_t lost;   /* bytes passed over since what was read last */
    uint64_t lost_offset;
    int64_t last_s; /* when the last packet was seen; -1: none yet */
};

static void *pcap_open(const struct trace_sink *sink, const struct trace_options *options) {
    struct pcap *pcap = mem_alloc(sizeof(*pcap));
    *pcap = (struct pcap){.sink = sink, .file = options->file, .last_s = -1};
    pcap->flows = flows_open(sink, options->file, options->server_port);
    return pcap;
}

static void pcap_close(void *decoder) {
    struct pcap *pcap = decoder;
    flows_close(pcap->flows);
    free(pcap->interfaces.items);
    buf_release(&pcap->pending);
    free(pcap);
}

static void tell_gap(const struct pcap *pcap, const char *reason, uint64_t byte_count, uint64_t offset) {
    struct trace_event event = {
        .kind = TRACE_GAP,
        .place = {pcap->file, offset, 0},
        .time_us = -1,
        .gap = {.reason = reason, .byte_count = byte_count},
    };
    pcap->sink->event(pcap->sink->context, &event);
}

static uint64_t read_number(const struct pcap *pcap, struct reader *reader, size_t byte_count) {
    return pcap->is_big_endian ? read_be(reader, byte_count) : read_le(reader, byte_count);
}

/* --- packets --- */

static void add_packet(struct pcap *pcap, uint32_t link_type, struct str bytes, uint64_t original, int64_t time_us,
                       uint64_t offset) {
    struct packet packet;
    switch (packet_read(link_type, bytes, &packet)) {
    case PACKET_TCP:
        flows_add(pcap->flows, &packet, time_us, offset);
        break;
    case PACKET_FRAGMENT:
        tell_gap(pcap, "a fragment of an IP packet is not put together", original, offset);
        break;
    case PACKET_CUT:
        tell_gap(pcap, "the headers of a packet are not whole", original, offset);
        break;
    case PACKET_UNKNOWN_LINK:
        tell_gap(pcap, "packets of this kind of link are not read", original, offset);
        break;
    case PACKET_OTHER:
        break;
    }
}

static int64_t us_of(uint64_t ticks, const struct interface *interface) {
    unsigned digits = interface->resolution & 0x7f;
    int64_t us;
    if (interface->resolution & 0x80) {
        if (digits > 62)
            return -1;
        uint64_t fraction = ticks & ((UINT64_C(1) << digits) - 1);
        uint64_t seconds = ticks >> digits;
        unsigned drop = digits > 40 ? digits - 40 : 0; /* a millionth of 2^40 is exact enough */
        us = (int64_t)(seconds & INT32_MAX) * 1000000 + (int64_t)((fraction >> drop) * 1000000 >> (digits - drop));
    } else {
        for (; digits > 6; digits--)
            ticks /= 10;
        us = (int64_t)(ticks & INT64_MAX >> 1);
        for (; digits < 6 && us < INT64_MAX / 16; digits++)
            us *= 10;
    }
    bool is_sane = interface->offset_s > -(INT64_C(1) << 40) && interface->offset_s < INT64_C(1) << 40;
    return us + (is_sane ? interface->offset_s * 1000000 : 0);
}

/* --- pcap --- */

static size_t read_file_header(struct pcap *pcap, struct str bytes) {
    if (bytes.len < FILE_HEADER_BYTES)
        return 0;
    struct reader reader = reader_of(bytes);
    read_bytes(&reader, 16);
    uint32_t snap = (uint32_t)read_number(pcap, &reader, 4);
    uint32_t link_type = (uint32_t)read_number(pcap, &reader, 4) & 0xffff;
    MVEC_PUSH(&pcap->interfaces, (struct interface){.link_type = link_type, .snap = snap});
    return FILE_HEADER_BYTES;
}

struct record {
    int64_t seconds, us;
    uint64_t captured, original;
};

static bool read_record_header(const struct pcap *pcap, struct str bytes, struct record *record) {
    struct reader reader = reader_of(bytes);
    record->seconds = (int64_t)read_number(pcap, &reader, 4);
    int64_t fraction = (int64_t)read_number(pcap, &reader, 4);
    record->us = pcap->is_nanoseconds ? fraction / 1000 : fraction;
    record->captured = read_number(pcap, &reader, 4);
    record->original = read_number(pcap, &reader, 4);
    int64_t jump = pcap->last_s < 0 ? 0 : record->seconds - pcap->last_s;
    return record->captured <= PACKET_BYTES_MAX && record->captured <= record->original &&
           fraction < (pcap->is_nanoseconds ? 1000000000 : 1000000) && jump <= CLOCK_JUMP_S && jump >= -CLOCK_JUMP_S;
}

/* Amid damage a header is only believed if what follows it is a packet. */
static bool is_believable(const struct pcap *pcap, struct str bytes, const struct record *record) {
    struct packet packet;
    enum packet_kind kind = packet_read(pcap->interfaces.items[0].link_type, bytes, &packet);
    return pcap->last_s >= 0 && (kind == PACKET_TCP || kind == PACKET_OTHER) && record->captured >= 20;
}

static void begin_loss(struct pcap *pcap) {
    if (pcap->lost == 0)
        pcap->lost_offset = pcap->offset;
    pcap->lost++;
}

static void end_loss(struct pcap *pcap) {
    if (pcap->lost > 0)
        tell_gap(pcap, "the capture is damaged", pcap->lost, pcap->lost_offset);
    pcap->lost = 0;
}

/* One record; 0: there is not enough of it; 1: it is none. */
static size_t read_record(struct pcap *pcap, struct str bytes) {
    struct record record;
    if (bytes.len < RECORD_HEADER_BYTES)
        return 0;
    if (!read_record_header(pcap, bytes, &record)) {
        begin_loss(pcap);
        return 1;
    }
    if (bytes.len - RECORD_HEADER_BYTES < record.captured)
        return 0;
    size_t end = RECORD_HEADER_BYTES + (size_t)record.captured;
    struct str packet = str_sub(bytes, RECORD_HEADER_BYTES, end);
    if (pcap->lost > 0 && !is_believable(pcap, packet, &record)) {
        begin_loss(pcap);
        return 1;
    }
    end_loss(pcap);
    pcap->last_s = record.seconds;
    add_packet(pcap, pcap->interfaces.items[0].link_type, packet, record.original,
               record.seconds * 1000000 + record.us, pcap->offset);
    return end;
}

/* --- pcapng --- */

static void read_interface(struct pcap *pcap, struct str body) {
    struct reader reader = reader_of(body);
    struct interface interface = {.link_type = (uint32_t)read_number(pcap, &reader, 2), .resolution = 6};
    read_bytes(&reader, 2);
    interface.snap = (uint32_t)read_number(pcap, &reader, 4);
    while (reader_left(&reader) >= 4) {
        uint64_t option = read_number(pcap, &reader, 2), length = read_number(pcap, &reader, 2);
        struct reader value = reader_of(read_bytes(&reader, length));
        read_bytes(&reader, -length & 3);
        if (option == OPTION_END)
            break;
        if (option == OPTION_RESOLUTION && length == 1)
            interface.resolution = read_byte(&value);
        else if (option == OPTION_OFFSET && length == 8)
            interface.offset_s = (int64_t)read_number(pcap, &value, 8);
    }
    if (pcap->interfaces.count < INTERFACES_MAX)
        MVEC_PUSH(&pcap->interfaces, interface);
}

static void read_packet_block(struct pcap *pcap, uint32_t type, struct str body) {
    struct reader reader = reader_of(body);
    uint64_t number = 0, ticks = 0, captured, original;
    if (type != BLOCK_SIMPLE) {
        number = read_number(pcap, &reader, type == BLOCK_PACKET ? 2 : 4);
        if (type == BLOCK_PACKET)
            read_bytes(&reader, 2);
        ticks = read_number(pcap, &reader, 4) << 32;
        ticks |= read_number(pcap, &reader, 4);
        captured = read_number(pcap, &reader, 4);
        original = read_number(pcap, &reader, 4);
    } else {
        original = captured = read_number(pcap, &reader, 4);
        uint32_t snap = pcap->interfaces.count > 0 ? pcap->interfaces.items[0].snap : 0;
        if (snap > 0 && captured > snap)
            captured = snap;
        if (captured > reader_left(&reader))
            captured = reader_left(&reader);
    }
    struct str bytes = read_bytes(&reader, captured);
    if (reader.is_short || number >= pcap->interfaces.count) {
        tell_gap(pcap, "a packet of the capture is malformed", body.len, pcap->offset);
        return;
    }
    const struct interface *interface = &pcap->interfaces.items[number];
    int64_t time_us = type == BLOCK_SIMPLE ? -1 : us_of(ticks, interface);
    add_packet(pcap, interface->link_type, bytes, original, time_us, pcap->offset);
}

static bool is_section(struct pcap *pcap, struct str bytes) {
    struct reader reader = reader_of(bytes);
    read_bytes(&reader, 8);
    struct reader again = reader;
    if (read_be(&reader, 4) == SECTION_ORDER)
        pcap->is_big_endian = true;
    else if (read_le(&again, 4) == SECTION_ORDER)
        pcap->is_big_endian = false;
    else
        return false;
    return true;
}

static bool is_known_block(uint32_t type) {
    return (type >= BLOCK_INTERFACE && type <= BLOCK_ENHANCED) || type == BLOCK_JOURNAL || type == BLOCK_SECRETS ||
           type == BLOCK_SECTION;
}

static void read_body(struct pcap *pcap, uint32_t type, struct str body) {
    switch (type) {
    case BLOCK_SECTION:
        pcap->interfaces.count = 0;
        break;
    case BLOCK_INTERFACE:
        read_interface(pcap, body);
        break;
    case BLOCK_ENHANCED:
    case BLOCK_PACKET:
    case BLOCK_SIMPLE:
        read_packet_block(pcap, type, body);
        break;
    default:
        break; /* names, statistics, what programs keep for themselves */
    }
}

/* One block, as read_record. */
static size_t read_block(struct pcap *pcap, struct str bytes) {
    if (bytes.len < BLOCK_BYTES_MIN)
        return 0;
    struct reader reader = reader_of(bytes);
    bool is_bad = read_be(&reader, 4) == BLOCK_SECTION && !is_section(pcap, bytes);
    reader = reader_of(bytes);
    uint32_t type = (uint32_t)read_number(pcap, &reader, 4);
    uint64_t length = read_number(pcap, &reader, 4);
    is_bad |= length < BLOCK_BYTES_MIN || length % 4 != 0 || length > PACKET_BYTES_MAX;
    is_bad |= pcap->lost > 0 && !is_known_block(type);
    if (is_bad) {
        begin_loss(pcap);
        return 1;
    }
    if (bytes.len < length)
        return 0;
    struct str body = read_bytes(&reader, length - BLOCK_BYTES_MIN);
    if (read_number(pcap, &reader, 4) != length) {
        begin_loss(pcap);
        return 1;
    }
    end_loss(pcap);
    read_body(pcap, type, body);
    return (size_t)length;
}

/* --- both --- */

static size_t find_format(struct pcap *pcap, struct str bytes) {
    if (bytes.len < 4)
        return 0;
    struct reader big = reader_of(bytes), little = big;
    uint32_t magic = (uint32_t)read_be(&big, 4), reversed = (uint32_t)read_le(&little, 4);
    if (magic == BLOCK_SECTION) {
        pcap->format = FORMAT_PCAPNG;
        return read_block(pcap, bytes);
    }
    pcap->is_big_endian = magic == MAGIC_US || magic == MAGIC_NS;
    pcap->is_nanoseconds = magic == MAGIC_NS || reversed == MAGIC_NS;
    if (!pcap->is_big_endian && reversed != MAGIC_US && reversed != MAGIC_NS) {
        pcap->format = FORMAT_BAD;
        begin_loss(pcap);
        return 1;
    }
    size_t done = read_file_header(pcap, bytes);
    if (done > 0)
        pcap->format = FORMAT_PCAP;
    return done;
}

static size_t read_next(struct pcap *pcap, struct str bytes) {
    switch (pcap->format) {
    case FORMAT_PCAP:
        return read_record(pcap, bytes);
    case FORMAT_PCAPNG:
        return read_block(pcap, bytes);
    case FORMAT_NONE:
        return find_format(pcap, bytes);
    case FORMAT_BAD:
        pcap->lost += bytes.len;
        return bytes.len;
    }
    return 0;
}

static void pcap_feed(void *decoder, struct str bytes) {
    struct pcap *pcap = decoder;
    struct buf whole = pcap->pending;
    if (whole.len > 0) {
        buf_add(&whole, bytes);
        bytes = buf_str(&whole);
    }
    size_t done = 0;
    while (done < bytes.len) {
        size_t used = read_next(pcap, str_sub(bytes, done, bytes.len));
        if (used == 0)
            break;
        done += used;
        pcap->offset += used;
    }
    struct str rest = str_sub(bytes, done, bytes.len);
    if (whole.len > 0) {
        if (done > 0)
            memmove(whole.ptr, rest.ptr, rest.len);
        whole.len = rest.len;
    } else {
        buf_clear(&whole);
        buf_add(&whole, rest);
    }
    pcap->pending = whole;
}

static void end_file(struct pcap *pcap) {
    end_loss(pcap);
    if (pcap->pending.len > 0)
        tell_gap(pcap, "the capture ends within a packet", pcap->pending.len, pcap->offset);
    buf_release(&pcap->pending);
}

static void pcap_end(void *decoder) {
    struct pcap *pcap = decoder;
    flows_end(pcap->flows);
    end_file(pcap);
}

/* Connections go on in it; it has a header of its own. */
static void pcap_next_file(void *decoder, struct str file) {
    struct pcap *pcap = decoder;
    end_file(pcap);
    pcap->file = file;
    pcap->format = FORMAT_NONE;
    pcap->interfaces.count = 0;
    pcap->offset = 0;
    flows_next_file(pcap->flows, file);
}

static int pcap_detect(struct str head) {
    if (head.len < 4)
        return 0;
    struct reader big = reader_of(head), little = big;
    uint32_t magic = (uint32_t)read_be(&big, 4), reversed = (uint32_t)read_le(&little, 4);
    if (magic == MAGIC_US || magic == MAGIC_NS || reversed == MAGIC_US || reversed == MAGIC_NS)
        return 100;
    return magic == BLOCK_SECTION ? 100 : 0;
}

const struct trace_decoder_class pcap_decoder = {
    .name = "pcap",
    .title = "capture of network traffic (pcap, pcapng)",
    .detect = pcap_detect,
    .open = pcap_open,
    .feed = pcap_feed,
    .next_file = pcap_next_file,
    .end = pcap_end,
    .close = pcap_close,
};
