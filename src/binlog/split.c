/* A log is a run of events, each with its length in its header; a file begins with a magic number. Every length, type and
 * checksum may be wrong. An event says where in its file the next begins: where what precedes it is damaged, that is what it
 * is known by. */
#include "base/assert.h"
#include "binlog/internal.h"
#include "binlog/type.h"

enum {
    MAGIC_BYTES = 4,
    /* A magic number counts together with the header behind it. */
    MAGIC_HEADER_BYTES = MAGIC_BYTES + EVENT_HEADER_BYTES,
    FORMAT_BYTES_MAX = 1024,
};

#define MAGIC "\xfe\x62\x69\x6e"
#define MAGIC_ENCRYPTED "\xfd\x62\x69\x6e" /* MySQL's, behind which all is encrypted */

struct header {
    uint32_t time_s;
    uint8_t type;
    uint32_t server_id;
    uint32_t size; /* with this header and the checksum */
    uint32_t next; /* the position behind the event in the file it was first written to; 0: not told */
    uint16_t flags;
};

static struct header header_of(struct str bytes) {
    struct cursor in = cursor_of(bytes);
    struct header header = {0};
    header.time_s = (uint32_t)cursor_le(&in, 4);
    header.type = (uint8_t)cursor_le(&in, 1);
    header.server_id = (uint32_t)cursor_le(&in, 4);
    header.size = (uint32_t)cursor_le(&in, 4);
    header.next = (uint32_t)cursor_le(&in, 4);
    header.flags = (uint16_t)cursor_le(&in, 2);
    return header;
}

static bool is_known_type(const struct header *header) {
    return (header->type > 0 && header->type <= EVENT_MYSQL_LAST) ||
           (header->type >= EVENT_MARIADB_FIRST && header->type <= EVENT_MARIADB_LAST) ||
           (header->flags & EVENT_FLAG_IGNORABLE) != 0;
}

static uint32_t shift_of(const struct header *header, uint64_t offset) {
    return (uint32_t)(offset + header->size - header->next);
}

/* A format description can be told without the one before it. */
static bool is_format(const struct header *header) {
    return header->type == EVENT_FORMAT && header->size > EVENT_HEADER_BYTES + 57 &&
           header->size <= FORMAT_BYTES_MAX;
}

static bool is_file_start(struct str bytes) {
    if (bytes.len < MAGIC_HEADER_BYTES || memcmp(bytes.ptr, MAGIC, MAGIC_BYTES) != 0)
        return false;
    struct header header = header_of(str_sub(bytes, MAGIC_BYTES, MAGIC_HEADER_BYTES));
    return is_format(&header);
}

static uint32_t size_min(const struct split *split) {
    return EVENT_HEADER_BYTES + (split->has_checksum ? CHECKSUM_BYTES : 0);
}

/* Whether an event may begin here, where the one before it ends. */
static bool may_begin(const struct split *split, const struct header *header, uint64_t offset) {
    if (split->state == SPLIT_FILE)
        return is_format(header);
    if (header->size < size_min(split))
        return false;
    bool fits = split->knows_shift && header->next != 0 && shift_of(header, offset) == split->shift;
    if (header->size > BINLOG_EVENT_BYTES_MAX)
        return fits;
    if (fits || is_format(header))
        return true;
    /* Events of a relay log, and those that a server makes for a replica, have other positions. */
    return is_known_type(header) && (header->next == 0 || header->server_id == split->server_id ||
                                     !split->knows_shift || header->type == EVENT_ROTATE);
}

/* Whether an event is to be believed in amid bytes that are damaged. */
static bool begins_again(const struct split *split, struct str bytes, uint64_t offset) {
    struct header header = header_of(bytes);
    if (split->is_encrypted)
        return false;
    if (header.type == EVENT_FORMAT && is_format(&header))
        return bytes.ptr[EVENT_HEADER_BYTES] == 4 && bytes.ptr[EVENT_HEADER_BYTES + 1] == 0;
    if (split->reason == NULL || header.size < size_min(split) ||
        header.size > BINLOG_EVENT_BYTES_MAX || !is_known_type(&header))
        return false;
    if (split->knows_shift)
        return header.next != 0 && shift_of(&header, offset) == split->shift;
    return split->server_id != 0 && header.server_id == split->server_id && header.next != 0;
}

/* From here on an event has to be found. */
static void get_lost(struct split *split, const char *reason, bool is_encrypted) {
    split->gap_at = split->offset;
    split->reason = reason;
    split->is_encrypted = is_encrypted;
    split->state = SPLIT_LOST;
}

static void tell_lost(struct binlog *log) {
    struct split *split = &log->split;
    log->place = split->gap_at;
    struct trace_event event = tell_event(log, TRACE_GAP, -1);
    event.gap = (struct trace_gap){.reason = split->reason,
                                   .byte_count = split->offset - split->gap_at,
                                   .is_encrypted = split->is_encrypted};
    tell(log, &event);
    split->reason = NULL;
    split->is_encrypted = false;
}

/* Looks for an event in `window`; answers how many bytes precede it. */
static size_t find(struct binlog *log, struct str window, size_t *wanted) {
    struct split *split = &log->split;
    size_t i = split->offset == split->gap_at ? 1 : 0; /* not where it was lost */
    for (; i + MAGIC_HEADER_BYTES <= window.len; i++) {
        struct str rest = str_sub(window, i, window.len);
        bool is_file = is_file_start(rest);
        if (!is_file && !begins_again(split, rest, split->offset + i))
            continue;
        split->offset += i;
        tell_lost(log);
        split->state = is_file || split->server_id == 0 ? SPLIT_FILE : SPLIT_EVENTS;
        return i;
    }
    size_t passed = window.len >= MAGIC_HEADER_BYTES ? window.len - (MAGIC_HEADER_BYTES - 1) : 0;
    split->offset += passed;
    *wanted = MAGIC_HEADER_BYTES;
    return passed;
}

bool version_is_mariadb(struct str version) {
    for (size_t i = 0; i + 7 <= version.len; i++)
        if (str_equal_nocase(str_sub(version, i, i + 7), STR("mariadb")))
            return true;
    return false;
}

/* A format description says in its last 5 bytes whether it and what follows it have checksums; servers before
 * them (MySQL 5.6.1, MariaDB 5.3) say nothing. */
static bool format_has_checksum(struct str event) {
    enum { VERSION_AT = EVENT_HEADER_BYTES + 2, VERSION_BYTES = 50 };
    struct str version = str_sub(event, VERSION_AT, VERSION_AT + VERSION_BYTES);
    unsigned parts[3] = {0};
    for (size_t i = 0, part = 0; i < version.len && part < 3; i++) {
        if (version.ptr[i] >= '0' && version.ptr[i] <= '9' && parts[part] < 10000)
            parts[part] = parts[part] * 10 + (unsigned)(version.ptr[i] - '0');
        else if (version.ptr[i] == '.')
            part++;
        else
            break;
    }
    unsigned number = parts[0] * 10000 + parts[1] * 100 + parts[2];
    return number >= (version_is_mariadb(version) ? 50300 : 50601);
}

static bool checksum_is_right(struct str event, const struct header *header) {
    struct str data = str_sub(event, 0, event.len - CHECKSUM_BYTES);
    uint32_t told = (uint32_t)bytes_le(str_sub(event, data.len, event.len));
    if (!is_format(header) || (header->flags & EVENT_FLAG_IN_USE) == 0)
        return crc32_of(0, data) == told;
    /* The flag is set in the file when the sum has been made. */
    enum { FLAGS_AT = 17 };
    char first[EVENT_HEADER_BYTES];
    memcpy(first, data.ptr, sizeof(first));
    first[FLAGS_AT] = (char)(first[FLAGS_AT] & ~EVENT_FLAG_IN_USE);
    uint32_t sum = crc32_of(0, (struct str){first, sizeof(first)});
    return crc32_of(sum, str_sub(data, sizeof(first), data.len)) == told;
}

/* The event of which all bytes are here. Its length, or 0 if it is damaged. */
static size_t take(struct binlog *log, struct str event, const struct header *header) {
    struct split *split = &log->split;
    bool has_checksum = split->has_checksum;
    bool can_tell = header->type == EVENT_FORMAT && is_format(header) && format_has_checksum(event);
    if (can_tell) /* a format description is summed wherever there may be sums at all */
        has_checksum = true;
    else if (header->type == EVENT_FORMAT)
        has_checksum = false;
    if (has_checksum && !checksum_is_right(event, header)) {
        bool is_sum_off = can_tell && event.ptr[event.len - CHECKSUM_BYTES - 1] == 0;
        if (!is_sum_off) {
            get_lost(split, "an event's checksum is wrong", false);
            return 0;
        }
    }
    if (header->type == EVENT_FORMAT)
        split->has_checksum = can_tell && event.ptr[event.len - CHECKSUM_BYTES - 1] == 1;
    if (header->next != 0) {
        uint32_t shift = shift_of(header, split->offset);
        split->knows_shift = split->shift == shift;
        split->shift = shift;
    }
    split->server_id = header->server_id;
    split->state = SPLIT_EVENTS;
    log->place = split->offset;
    size_t tail = has_checksum ? CHECKSUM_BYTES : 0;
    struct binlog_event inner = {header->type, header->time_s, header->flags,
                                 str_sub(event, EVENT_HEADER_BYTES, event.len - tail)};
    split->offset += event.len; /* first: a file that is encrypted from here on says so */
    event_read(log, &inner);
    return event.len;
}

/* Deals with the front of `window`: answers how many bytes that were, or 0 and in `wanted` how many it needs. */
static size_t step(struct binlog *log, struct str window, size_t *wanted) {
    struct split *split = &log->split;
    *wanted = 1;
    if (split->state == SPLIT_SKIP) {
        size_t len = split->skip < window.len ? (size_t)split->skip : window.len;
        split->skip -= len;
        split->offset += len;
        if (split->skip == 0)
            split->state = SPLIT_EVENTS;
        return len;
    }
    if (split->state == SPLIT_LOST)
        return find(log, window, wanted);
    *wanted = MAGIC_HEADER_BYTES; /* no file is shorter */
    if (window.len < MAGIC_HEADER_BYTES) {
        *wanted = EVENT_HEADER_BYTES;
        if (window.len < EVENT_HEADER_BYTES)
            return 0;
        if (memcmp(window.ptr, MAGIC, MAGIC_BYTES) == 0) {
            *wanted = MAGIC_HEADER_BYTES;
            return 0;
        }
    }
    if (is_file_start(window)) {
        if (split->server_id != 0)
            event_end_file(log);
        split->state = SPLIT_FILE;
        split->knows_shift = false;
        split->offset += MAGIC_BYTES;
        return MAGIC_BYTES;
    }
    struct header header = header_of(window);
    if (!may_begin(split, &header, split->offset)) {
        bool is_encrypted = memcmp(window.ptr, MAGIC_ENCRYPTED, MAGIC_BYTES) == 0;
        if (split->server_id != 0 && memcmp(window.ptr, MAGIC, MAGIC_BYTES) == 0) {
            /* A file whose first event is damaged: its others are known by their positions in it. */
            event_end_file(log);
            split->shift = (uint32_t)split->offset;
            split->knows_shift = true;
        }
        get_lost(split,
                 is_encrypted                   ? "the binary log is encrypted"
                 : split->state == SPLIT_FILE ? "no binary log begins here"
                                              : "no event can begin here",
                 is_encrypted);
        return find(log, window, wanted);
    }
    if (header.size > BINLOG_EVENT_BYTES_MAX) {
        tell_gap(log, split->offset, "an event is larger than what is kept of one", header.size);
        split->state = SPLIT_SKIP;
        split->skip = header.size;
        return 0;
    }
    if (window.len < header.size) {
        *wanted = header.size;
        return 0;
    }
    size_t taken = take(log, str_sub(window, 0, header.size), &header);
    return taken != 0 ? taken : find(log, window, wanted);
}

static bool go_on(void *context, struct str window, size_t *taken, size_t *wanted) {
    struct binlog *log = context;
    enum split_state before = log->split.state;
    *taken = step(log, window, wanted);
    return *taken > 0 || log->split.state != before;
}

void split_feed(struct binlog *log, struct str bytes) {
    pieces_feed(&log->split.pieces, bytes, go_on, log);
}

void split_end(struct binlog *log) {
    struct split *split = &log->split;
    while (split->state != SPLIT_LOST && split->pieces.held.len > 0) {
        /* If it is its length that is damaged, there are others in it. */
        get_lost(split, "the log ends within an event", false);
        pieces_again(&split->pieces, go_on, log);
    }
    if (split->state == SPLIT_LOST) {
        split->offset += split->pieces.held.len;
        tell_lost(log);
    } else if (split->state == SPLIT_SKIP) {
        tell_gap(log, split->offset, "the log ends within an event", 0);
    }
    buf_release(&split->pieces.held);
    event_end_file(log);
}
