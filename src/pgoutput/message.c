/* What a message says: transactions, and rows as the plugin pgoutput writes them (the manual's "Logical Replication Message Formats"). */
#include "pgoutput/internal.h"
#include "wire/postgresql_value.h"

#include <inttypes.h>

enum { XLOG_DATA_BYTES = 25, KEEPALIVE_BYTES = 18 };

#define POSTGRESQL_EPOCH_US INT64_C(946684800000000) /* 2000-01-01 UTC */

static const char damaged[] = "a message of logical decoding is damaged";

struct trace_event pgout_event(const struct pgoutput *stream, enum trace_event_kind kind) {
    return (struct trace_event){
        .kind = kind,
        .server = TRACE_POSTGRESQL,
        .place = {.file = stream->file, .offset = stream->place},
        .time_us = stream->commit_us,
        .transaction = str_from_c(stream->transaction),
    };
}

void pgout_tell(const struct pgoutput *stream, const struct trace_event *event) {
    stream->sink->event(stream->sink->context, event);
}

void pgout_gap(const struct pgoutput *stream, uint64_t offset, const char *reason, uint64_t byte_count) {
    struct trace_event event = pgout_event(stream, TRACE_GAP);
    event.time_us = -1;
    event.place.offset = offset;
    event.gap = (struct trace_gap){.reason = reason, .byte_count = byte_count};
    pgout_tell(stream, &event);
}

/* --- transactions --- */

static void end_transaction(struct pgoutput *stream) {
    if (stream->is_open) {
        struct trace_event event = pgout_event(stream, TRACE_COMMIT);
        pgout_tell(stream, &event);
    }
    stream->is_open = false;
    stream->commit_us = -1;
    stream->transaction[0] = '\0';
}

/* Only what is committed is sent, so what there is of it counts. */
static void end_cut_transaction(struct pgoutput *stream, uint64_t offset) {
    if (stream->is_open)
        pgout_gap(stream, offset, "a transaction's end is missing: taken as committed", 0);
    end_transaction(stream);
}

static bool begin(struct pgoutput *stream, struct str body) {
    struct reader reader = reader_of(body);
    read_be(&reader, 8); /* where its commit stands in the WAL */
    int64_t commit_us = (int64_t)read_be(&reader, 8);
    uint32_t xid = (uint32_t)read_be(&reader, 4);
    if (reader.is_short)
        return false;
    end_cut_transaction(stream, stream->place);
    stream->is_open = true;
    stream->commit_us = commit_us > 0 && commit_us < INT64_MAX / 2 ? commit_us + POSTGRESQL_EPOCH_US : -1;
    snprintf(stream->transaction, sizeof(stream->transaction), "%" PRIu32, xid);
    struct trace_event event = pgout_event(stream, TRACE_BEGIN);
    pgout_tell(stream, &event);
    return true;
}

void pgout_end_file(struct pgoutput *stream) {
    end_cut_transaction(stream, stream->split.offset);
    stream->is_in_stream = false;
    pgout_clear(&stream->relations);
    buf_clear(&stream->described);
}

/* --- rows --- */

/* The columns of one row. Texts are put into `texts`, and `ptr` is their place there until fix_texts. */
static bool read_tuple(struct pgoutput *stream, const struct relation *relation, struct reader *reader, bool is_key,
                       struct trace_value *values) {
    if (read_be(reader, 2) != relation->column_count)
        return false;
    for (size_t i = 0; i < relation->column_count; i++) {
        char kind = (char)read_byte(reader);
        struct trace_value *value = &values[i];
        *value = (struct trace_value){.state = TRACE_ABSENT, .is_text = true};
        if (kind == 'n') {
            /* Of an old key, what is no key is sent as if it were NULL. */
            value->state = is_key && !relation->is_identity[i] ? TRACE_ABSENT : TRACE_NULL;
        } else if (kind == 't' || kind == 'b') {
            struct str text = read_bytes(reader, read_be(reader, 4));
            if (reader->is_short)
                return false;
            size_t at = stream->texts.len;
            value->state = pgwire_value_add(&stream->texts, relation->types[i], kind == 'b', text);
            value->text = (struct str){NULL, stream->texts.len - at};
            value->is_text = pgwire_type_is_text(relation->types[i], text);
            if (value->state == TRACE_ABSENT)
                pgout_gap(stream, stream->place, "a binary value of a type that is not known", text.len);
        } else if (kind != 'u') {
            return false;
        }
    }
    return !reader->is_short;
}

/* Each text stands behind the one before it. */
static const char *fix_texts(const char *at, struct trace_value *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (values[i].state != TRACE_VALUE)
            continue;
        values[i].text.ptr = at;
        at += values[i].text.len;
    }
    return at;
}

/* What a message of a row says, behind the table's number: the old row or its key, the new one. */
static const char *read_row(struct pgoutput *stream, enum trace_change_kind kind, const struct relation *relation,
                            struct reader *reader) {
    bool has_before = false, has_after = kind != TRACE_DELETE;
    char mark = (char)read_byte(reader);
    buf_clear(&stream->texts);
    if (kind != TRACE_INSERT && (mark == 'K' || mark == 'O')) {
        has_before = true;
        if (!read_tuple(stream, relation, reader, mark == 'K', stream->before))
            return damaged;
        if (has_after)
            mark = (char)read_byte(reader);
    }
    if (has_after ? mark != 'N' : !has_before)
        return damaged;
    if (has_after && !read_tuple(stream, relation, reader, false, stream->after))
        return damaged;
    if (reader_left(reader) > 0)
        return damaged;
    const char *at = stream->texts.ptr != NULL ? stream->texts.ptr : "";
    if (has_before)
        at = fix_texts(at, stream->before, relation->column_count);
    if (has_after)
        fix_texts(at, stream->after, relation->column_count);
    for (size_t i = 0; has_before && has_after && i < relation->column_count; i++)
        if (stream->after[i].state == TRACE_ABSENT)
            stream->after[i] = stream->before[i];
    struct trace_event event = pgout_event(stream, TRACE_CHANGE);
    event.change = (struct trace_change){
        .kind = kind,
        .schema = relation->schema,
        .table = relation->name,
        .columns = relation->columns,
        .is_key = relation->is_key,
        .column_count = relation->column_count,
        .before = has_before ? stream->before : NULL,
        .after = has_after ? stream->after : NULL,
    };
    pgout_tell(stream, &event);
    return NULL;
}

static const char *read_change(struct pgoutput *stream, enum trace_change_kind kind, struct str body) {
    struct reader reader = reader_of(body);
    uint32_t oid = (uint32_t)read_be(&reader, 4);
    if (reader.is_short)
        return damaged;
    if (!stream->is_open)
        return "a changed row stands in no transaction";
    const struct relation *relation = pgout_relation(&stream->relations, oid);
    if (relation == NULL)
        return "a row of a table that is not described before it";
    if (relation->column_count == 0)
        return NULL;
    return read_row(stream, kind, relation, &reader);
}

static void add_name(struct buf *out, struct str name) {
    buf_add_char(out, '"');
    for (size_t i = 0; i < name.len; i++)
        buf_add_repeat(out, name.ptr[i], name.ptr[i] == '"' ? 2 : 1);
    buf_add_char(out, '"');
}

static const char *truncate_tables(struct pgoutput *stream, struct str body) {
    struct reader reader = reader_of(body);
    uint64_t count = read_be(&reader, 4);
    read_byte(&reader); /* CASCADE, RESTART IDENTITY */
    if (reader.is_short || count == 0 || reader_left(&reader) != count * 4)
        return damaged;
    buf_clear(&stream->sql);
    buf_add_c(&stream->sql, "TRUNCATE ");
    for (uint64_t i = 0; i < count; i++) {
        const struct relation *relation = pgout_relation(&stream->relations, (uint32_t)read_be(&reader, 4));
        if (relation == NULL)
            return "a TRUNCATE of a table that is not described before it";
        if (i > 0)
            buf_add_c(&stream->sql, ", ");
        add_name(&stream->sql, relation->schema);
        buf_add_char(&stream->sql, '.');
        add_name(&stream->sql, relation->name);
    }
    struct trace_event event = pgout_event(stream, TRACE_STATEMENT);
    event.statement = (struct trace_statement){.sql = buf_str(&stream->sql), .outcome = TRACE_OK, .end_us = -1, .row_count = -1};
    pgout_tell(stream, &event);
    return NULL;
}

/* --- messages --- */

/* What the plugin wrote. NULL if all is well, else what is wrong. */
static const char *read_plugin(struct pgoutput *stream, char type, struct str body) {
    if (stream->is_in_stream && type != 'E') /* told when it began */
        return NULL;
    switch (type) {
    case 'B':
        return begin(stream, body) ? NULL : damaged;
    case 'C':
        end_transaction(stream);
        return NULL;
    case 'R':
        return pgout_describe(stream, body) ? NULL : damaged;
    case 'I':
        return read_change(stream, TRACE_INSERT, body);
    case 'U':
        return read_change(stream, TRACE_UPDATE, body);
    case 'D':
        return read_change(stream, TRACE_DELETE, body);
    case 'T':
        return truncate_tables(stream, body);
    case 'O': /* where the transaction comes from */
    case 'Y': /* a type's name */
    case 'M': /* pg_logical_emit_message: changes no row */
        return NULL;
    case 'S':
        stream->is_in_stream = true;
        return "a transaction is sent before its end: not read";
    case 'E':
        stream->is_in_stream = false;
        return NULL;
    case 'c':
    case 'A':
        return NULL; /* the end of one that was not read */
    case 'b':
    case 'P':
    case 'K':
    case 'r':
    case 'p':
        return "a transaction of two phases is sent before its end: not read";
    default:
        return "a message of logical decoding of a type that is not known";
    }
}

void pgout_message(struct pgoutput *stream, char type, struct str body) {
    if (type == 't') {
        buf_clear(&stream->described);
        buf_add(&stream->described, body);
        return;
    }
    bool is_data = body.ptr[0] == 'w' && body.len > XLOG_DATA_BYTES;
    if (!is_data && body.ptr[0] == 'k' && body.len == KEEPALIVE_BYTES)
        return;
    const char *problem = damaged;
    if (is_data)
        problem = read_plugin(stream, body.ptr[XLOG_DATA_BYTES], str_sub(body, XLOG_DATA_BYTES + 1, body.len));
    if (problem != NULL)
        pgout_gap(stream, stream->place, problem, PGOUTPUT_HEADER_BYTES + body.len);
}

bool pgout_begins(struct str bytes) {
    struct reader reader = reader_of(bytes);
    read_byte(&reader);
    uint64_t len = read_be(&reader, 4);
    bool is_data = read_byte(&reader) == 'w';
    uint64_t start = read_be(&reader, 8), end = read_be(&reader, 8), sent_us = read_be(&reader, 8);
    char type = (char)read_byte(&reader);
    /* The server gives one position twice, and a clock of this century or the next two. */
    return is_data && len > 4 + XLOG_DATA_BYTES && len < PGOUTPUT_MESSAGE_BYTES_MAX && start == end && sent_us > 0 &&
           sent_us < (uint64_t)300 * 366 * 86400 * 1000000 && type != '\0' && strchr("BCORYIUDTM", type) != NULL;
}
