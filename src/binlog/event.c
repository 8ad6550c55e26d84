#include "base/assert.h"
#include "binlog/internal.h"
#include "binlog/type.h"

enum { POST_HEADERS_AT = 57, UUID_BYTES = 16 };

struct trace_event tell_event(struct binlog *log, enum trace_event_kind kind, int64_t time_us) {
    return (struct trace_event){
        .kind = kind,
        .server = TRACE_MYSQL,
        .place = {.file = log->file, .offset = log->place},
        .time_us = time_us,
        .transaction = buf_str(&log->transaction.name),
    };
}

void tell(struct binlog *log, const struct trace_event *event) {
    log->sink->event(log->sink->context, event);
}

void tell_gap(struct binlog *log, uint64_t offset, const char *reason, uint64_t byte_count) {
    struct trace_event event = tell_event(log, TRACE_GAP, -1);
    event.place.offset = offset;
    event.gap = (struct trace_gap){.reason = reason, .byte_count = byte_count};
    tell(log, &event);
}

void event_end_file(struct binlog *log) {
    if (log->transaction.is_open) {
        tell_gap(log, log->split.offset, "the log ends within a transaction: taken as rolled back", 0);
        transaction_end(log, TRACE_ROLLBACK, -1);
    }
    transaction_forget(log);
    table_cache_clear(&log->tables);
}

static void read_format(struct binlog *log, struct str body) {
    memset(log->post_header_bytes, 0, sizeof(log->post_header_bytes));
    if (body.len <= POST_HEADERS_AT || bytes_le(str_sub(body, 0, 2)) != 4) {
        tell_gap(log, log->place, "a binary log of a version other than 4", 0);
        return;
    }
    log->is_mariadb = version_is_mariadb(str_sub(body, 2, 52));
    for (size_t i = POST_HEADERS_AT; i < body.len && i - POST_HEADERS_AT + 1 < EVENT_TYPES_MAX; i++)
        log->post_header_bytes[i - POST_HEADERS_AT + 1] = (uint8_t)body.ptr[i];
}

static struct str gtid_text(char *text, size_t size, struct str uuid, struct str tag, uint64_t number) {
    static const char digits[] = "0123456789abcdef";
    LW_ASSERT(uuid.len == UUID_BYTES && size > 3 * UUID_BYTES);
    size_t len = 0;
    for (size_t i = 0; i < uuid.len; i++) { /* once a transaction: not by printf */
        if (i == 4 || i == 6 || i == 8 || i == 10)
            text[len++] = '-';
        text[len++] = digits[(uint8_t)uuid.ptr[i] >> 4];
        text[len++] = digits[uuid.ptr[i] & 0xF];
    }
    len += (size_t)snprintf(text + len, size - len, "%s%.*s:%llu", tag.len > 0 ? ":" : "",
                            STR_ARG(tag), (unsigned long long)number);
    LW_ASSERT(len < size);
    return (struct str){text, len};
}

/* MySQL's GTID: flags, server's UUID, number; from 5.7 on logical clocks, from 8.0 on the time of the commit here and on the first
 * server. */
static bool read_gtid(struct binlog *log, const struct binlog_event *event, int64_t time_us) {
    enum { TIME_BYTES = 7, CLOCKS = 2, HAS_FIRST_TIME_BIT = 55 };
    struct cursor in = cursor_of(event->body);
    cursor_le(&in, 1);
    struct str uuid = cursor_bytes(&in, UUID_BYTES);
    uint64_t number = cursor_le(&in, 8);
    if (in.is_bad)
        return false;
    int64_t commit_us = -1;
    if (in.left.len >= 17 + TIME_BYTES && cursor_le(&in, 1) == CLOCKS) {
        cursor_bytes(&in, 16);
        commit_us = (int64_t)(cursor_le(&in, TIME_BYTES) & ((UINT64_C(1) << HAS_FIRST_TIME_BIT) - 1));
    }
    char text[128];
    struct str name = gtid_text(text, sizeof(text), uuid, (struct str){0}, number);
    bool is_anonymous = event->type == EVENT_ANONYMOUS_GTID;
    transaction_name(log, is_anonymous ? (struct str){0} : name, commit_us, time_us);
    return true;
}

/* A number of MySQL's serialization library: as many one bits at the end of the first byte as bytes follow it. */
static uint64_t read_serial(struct cursor *in) {
    uint64_t first = cursor_le(in, 1);
    unsigned more = 0;
    while (more < 8 && (first >> more & 1) != 0)
        more++;
    if (more == 8)
        return cursor_le(in, 8);
    return first >> (more + 1) | cursor_le(in, more) << (7 - more);
}

/* A signed one: the lowest bit is the sign. */
static int64_t read_serial_signed(struct cursor *in) {
    uint64_t value = read_serial(in);
    return (value & 1) != 0 ? (int64_t)~(value >> 1) : (int64_t)(value >> 1);
}

/* MySQL 8.3's GTID with a tag: a message of fields, each with its number before it. */
static bool read_gtid_tagged(struct binlog *log, struct str body, int64_t time_us) {
    enum { FLAGS, UUID, GNO, TAG, LAST_COMMITTED, SEQUENCE_NUMBER, COMMIT_US };
    struct cursor in = cursor_of(body);
    read_serial(&in); /* version of the form */
    read_serial(&in); /* size */
    read_serial(&in); /* the last field that may not be left out */
    struct str tag = {0};
    char uuid[UUID_BYTES] = {0}, text[128];
    uint64_t number = 0;
    int64_t commit_us = -1;
    while (in.left.len > 0 && !in.is_bad && commit_us < 0) {
        switch (read_serial(&in)) {
        case FLAGS:
            read_serial(&in);
            break;
        case UUID:
            for (size_t i = 0; i < sizeof(uuid); i++)
                uuid[i] = (char)read_serial(&in);
            break;
        case GNO:
            number = (uint64_t)read_serial_signed(&in);
            break;
        case TAG:
            tag = cursor_bytes(&in, read_serial(&in));
            break;
        case LAST_COMMITTED:
        case SEQUENCE_NUMBER:
            read_serial_signed(&in);
            break;
        case COMMIT_US:
            commit_us = (int64_t)read_serial(&in);
            break;
        default:
            in.left.len = 0;
        }
    }
    if (in.is_bad || tag.len > 32)
        return false;
    transaction_name(log, gtid_text(text, sizeof(text), (struct str){uuid, sizeof(uuid)}, tag, number),
                     commit_us, time_us);
    return true;
}

/* MariaDB's: the number and the domain here, the server in the header. The event is also the BEGIN, unless what follows is one
 * statement that ends by itself. */
static bool read_mariadb_gtid(struct binlog *log, struct str body, int64_t time_us) {
    enum { IS_STANDALONE = 1, IS_XA_END = 128 };
    struct cursor in = cursor_of(body);
    uint64_t number = cursor_le(&in, 8);
    uint32_t domain = (uint32_t)cursor_le(&in, 4);
    uint64_t flags = cursor_le(&in, 1);
    if (in.is_bad)
        return false;
    char text[64];
    int len = snprintf(text, sizeof(text), "%lu-%lu-%llu", (unsigned long)domain,
                       (unsigned long)log->split.server_id, (unsigned long long)number);
    transaction_name(log, (struct str){text, (size_t)len}, -1, time_us);
    if ((flags & (IS_STANDALONE | IS_XA_END)) == 0)
        transaction_begin(log, time_us);
    return true;
}

static void annotate(struct binlog *log, struct str sql) {
    buf_clear(&log->annotation);
    buf_add(&log->annotation, sql);
}

/* What follows in this file is encrypted, up to the next file. */
static void begin_encryption(struct binlog *log) {
    struct split *split = &log->split;
    split->state = SPLIT_LOST;
    split->gap_at = split->offset;
    split->reason = "the binary log is encrypted";
    split->is_encrypted = true;
}

/* Events that say nothing of what changed, or that belong to a statement told by its text. */
static bool is_passed_over(uint8_t type) {
    switch (type) {
    case EVENT_STOP:
    case EVENT_ROTATE:
    case EVENT_INTVAR:
    case EVENT_RAND:
    case EVENT_USER_VAR:
    case EVENT_APPEND_BLOCK:
    case EVENT_DELETE_FILE:
    case EVENT_BEGIN_LOAD_QUERY:
    case EVENT_HEARTBEAT:
    case EVENT_HEARTBEAT_V2:
    case EVENT_IGNORABLE:
    case EVENT_PREVIOUS_GTIDS:
    case EVENT_TRANSACTION_CONTEXT:
    case EVENT_VIEW_CHANGE:
    case EVENT_BINLOG_CHECKPOINT:
    case EVENT_GTID_LIST:
        return true;
    default:
        return false;
    }
}

/* The kinds of events but those of rows. False: it is none of them. */
static bool read_control(struct binlog *log, const struct binlog_event *event, int64_t time_us) {
    bool is_read = true;
    switch (event->type) {
    case EVENT_FORMAT:
        read_format(log, event->body);
        break;
    case EVENT_QUERY:
    case EVENT_EXECUTE_LOAD_QUERY:
        query_read(log, event, false);
        break;
    case EVENT_QUERY_COMPRESSED:
        query_read(log, event, true);
        break;
    case EVENT_XID:
        transaction_end(log, TRACE_COMMIT, time_us);
        break;
    case EVENT_XA_PREPARE:
        transaction_xa_prepare(log, event->body, time_us);
        break;
    case EVENT_GTID:
    case EVENT_ANONYMOUS_GTID:
        is_read = read_gtid(log, event, time_us);
        break;
    case EVENT_GTID_TAGGED:
        is_read = read_gtid_tagged(log, event->body, time_us);
        break;
    case EVENT_MARIADB_GTID:
        is_read = read_mariadb_gtid(log, event->body, time_us);
        break;
    case EVENT_ROWS_QUERY: /* its length is a byte, and too small for most */
        annotate(log, event->body.len > 0 ? str_sub(event->body, 1, event->body.len) : event->body);
        break;
    case EVENT_ANNOTATE_ROWS:
        annotate(log, event->body);
        break;
    case EVENT_INCIDENT:
        tell_gap(log, log->place, "the server tells of an incident: events may be missing here", 0);
        break;
    case EVENT_START_ENCRYPTION:
        begin_encryption(log);
        break;
    case EVENT_TRANSACTION_PAYLOAD:
        payload_read(log, event);
        break;
    default:
        return false;
    }
    if (!is_read)
        tell_gap(log, log->place, "a GTID event is damaged", 0);
    return true;
}

void event_read(struct binlog *log, const struct binlog_event *event) {
    int64_t time_us = (int64_t)event->time_s * 1000000;
    if (log->is_in_payload && (event->type == EVENT_TRANSACTION_PAYLOAD || event->type == EVENT_FORMAT ||
                               event->type == EVENT_START_ENCRYPTION)) {
        tell_gap(log, log->place, "a compressed transaction holds what can't be in one", 0);
        return;
    }
    if (is_passed_over(event->type) || read_control(log, event, time_us))
        return;
    switch (event->type) {
    case EVENT_TABLE_MAP:
        if (!table_cache_read(&log->tables, event->body,
                              log->post_header_bytes[EVENT_TABLE_MAP] == 6 ? 4 : 6, log->lookup))
            tell_gap(log, log->place, "a table's description is damaged", 0);
        if (log->tables.has_stale)
            tell_gap(log, log->place, "a table has other columns now than it had here: their names are not known", 0);
        log->tables.has_stale = false;
        break;
    case EVENT_WRITE_ROWS_V0:
    case EVENT_UPDATE_ROWS_V0:
    case EVENT_DELETE_ROWS_V0:
        tell_gap(log, log->place, "rows in the form of MySQL before 5.1.18", 0);
        break;
    case EVENT_WRITE_ROWS_V1:
    case EVENT_UPDATE_ROWS_V1:
    case EVENT_DELETE_ROWS_V1:
    case EVENT_WRITE_ROWS:
    case EVENT_UPDATE_ROWS:
    case EVENT_DELETE_ROWS:
    case EVENT_PARTIAL_UPDATE_ROWS:
    case EVENT_WRITE_ROWS_COMPRESSED_V1:
    case EVENT_UPDATE_ROWS_COMPRESSED_V1:
    case EVENT_DELETE_ROWS_COMPRESSED_V1:
    case EVENT_WRITE_ROWS_COMPRESSED:
    case EVENT_UPDATE_ROWS_COMPRESSED:
    case EVENT_DELETE_ROWS_COMPRESSED:
        rows_read(log, event);
        break;
    default:
        if ((event->flags & EVENT_FLAG_IGNORABLE) == 0)
            tell_gap(log, log->place, "an event of a type that is not known", 0);
    }
}
