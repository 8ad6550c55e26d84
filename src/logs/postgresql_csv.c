/* PostgreSQL's csvlog: a record of 22 to 26 columns (by version) for each entry; texts in quotes, which may hold line feeds.
 * PostgreSQL manual, 20.8.4. */
#include "logs/logs.h"
#include "logs/postgresql.h"

#include <stdlib.h>

enum column {
    LOG_TIME, USER_NAME, DATABASE_NAME, PROCESS_ID, CONNECTION_FROM, SESSION_ID, SESSION_LINE_NUM,
    COMMAND_TAG, SESSION_START_TIME, VIRTUAL_TRANSACTION_ID, TRANSACTION_ID, ERROR_SEVERITY,
    SQL_STATE_CODE, MESSAGE, DETAIL, HINT, INTERNAL_QUERY, INTERNAL_QUERY_POS, CONTEXT, QUERY,
    QUERY_POS, LOCATION, APPLICATION_NAME,
    COLUMNS_MIN = APPLICATION_NAME, /* 8.4 */
    COLUMNS_MAX = 32                /* 26 since 14; later ones may have more */
};

struct field {
    struct str text;
    bool has_quotes; /* doubled, within */
};

struct csv_log {
    struct log_lines lines; /* the first, see out.h */
    struct postgresql_log log;
    bool has_entry; /* a record is not at its end: within quotes */
    uint64_t offset, line;     /* of its beginning */
    const char *lost;
    struct field fields[COLUMNS_MAX];
    size_t field_count;
};

static const char *const damaged = "a record that is no csvlog record";
static const char *const no_record = "lines that belong to no record before them";

/* `2026-11-27 10:55:42.123 UTC,`: what a line within a text hardly begins with. */
static bool begins_record(struct str line) {
    static const char shape[] = "dddd-dd-dd dd:dd:dd.ddd ";
    size_t len = sizeof(shape) - 1;
    if (line.len < len + 2 || line.ptr[4] != '-' || line.ptr[19] != '.')
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = line.ptr[i];
        if (shape[i] == 'd' ? c < '0' || c > '9' : c != shape[i])
            return false;
    }
    size_t comma = len;
    while (comma < line.len && comma - len <= 12 && line.ptr[comma] != ',')
        comma++;
    return comma < line.len && comma > len && line.ptr[comma] == ',';
}

static bool has_odd_quotes(struct str line) {
    bool is_odd = false;
    for (const char *at = line.ptr, *end = at + line.len;
         (at = memchr(at, '"', (size_t)(end - at))) != NULL; at++)
        is_odd = !is_odd;
    return is_odd;
}

/* The end of a quoted text that begins at `from`, behind its quote; len if it has none. */
static size_t quoted_end(struct str record, size_t from, bool *has_quotes) {
    for (size_t at = from;; at += 2) {
        at = str_find(record, '"', at);
        if (at >= record.len)
            return record.len;
        if (at + 1 == record.len || record.ptr[at + 1] != '"')
            return at;
        *has_quotes = true;
    }
}

enum split { SPLIT_BAD, SPLIT_OPEN, SPLIT_WHOLE };

/* SPLIT_OPEN: it ends within quotes. */
static enum split split(struct csv_log *log, struct str record) {
    log->field_count = 0;
    for (size_t at = 0;;) {
        if (log->field_count == COLUMNS_MAX)
            return SPLIT_BAD;
        struct field *field = &log->fields[log->field_count++];
        *field = (struct field){0};
        size_t to;
        if (at < record.len && record.ptr[at] == '"') {
            size_t end = quoted_end(record, at + 1, &field->has_quotes);
            field->text = str_sub(record, at + 1, end);
            if (end == record.len)
                return SPLIT_OPEN;
            to = end + 1;
        } else {
            to = at;
            while (to < record.len && record.ptr[to] != ',')
                to++;
            field->text = (struct str){record.ptr + at, to - at};
        }
        if (to == record.len)
            return log->field_count >= COLUMNS_MIN ? SPLIT_WHOLE : SPLIT_BAD;
        if (record.ptr[to] != ',')
            return SPLIT_BAD;
        at = to + 1;
    }
}

/* A column's text, doubled quotes undone in place; empty if this version does not have it. */
static struct str column(struct csv_log *log, enum column which) {
    if ((size_t)which >= log->field_count)
        return (struct str){0};
    struct field *field = &log->fields[which];
    if (!field->has_quotes)
        return field->text;
    char *begin = log_lines_writable(&log->lines, field->text), *to = begin;
    const char *from = begin, *end = begin + field->text.len;
    for (const char *quote; (quote = memchr(from, '"', (size_t)(end - from))) != NULL;) {
        size_t len = (size_t)(quote - from) + 1;
        memmove(to, from, len);
        to += len;
        from += len < (size_t)(end - from) ? len + 1 : len;
    }
    memmove(to, from, (size_t)(end - from));
    field->text.len = (size_t)(to - begin) + (size_t)(end - from);
    field->has_quotes = false;
    return field->text;
}

static bool read_session(struct csv_log *log, struct postgresql_entry *entry) {
    struct str id = column(log, SESSION_ID);
    if (!log_hex_number(&id, &entry->start) || id.len == 0 || id.ptr[0] != '.')
        return false;
    id = str_sub(id, 1, id.len);
    return log_hex_number(&id, &entry->pid) && id.len == 0;
}

static bool read_time(struct csv_log *log, int64_t *time_us) {
    struct str time = column(log, LOG_TIME);
    if (!log_clock_date(&log->log.clock, &time, time_us) || time.len == 0)
        return false;
    time = str_sub(time, 1, time.len);
    return log_clock_zone(&log->log.clock, &time, time_us);
}

/* Tells of the record that was split; false if it is none. */
static bool take_fields(struct csv_log *log, bool is_cut) {
    struct postgresql_entry entry = {.is_cut = is_cut, .offset = log->offset, .line = log->line};
    if (log->field_count <= MESSAGE || !read_time(log, &entry.time_us))
        return false;
    entry.severity = postgresql_severity_of(column(log, ERROR_SEVERITY));
    if (!read_session(log, &entry))
        return false;
    if (entry.severity == POSTGRESQL_OTHER)
        return true;
    entry.user = column(log, USER_NAME);
    entry.database = column(log, DATABASE_NAME);
    entry.application = column(log, APPLICATION_NAME);
    entry.sqlstate = column(log, SQL_STATE_CODE);
    entry.message = column(log, MESSAGE);
    entry.detail = column(log, DETAIL);
    entry.context = column(log, CONTEXT);
    entry.statement = column(log, QUERY);
    postgresql_log_take(&log->log, &entry);
    return true;
}

static void lose(struct csv_log *log, const char *reason, size_t byte_count) {
    log_out_gap(&log->log.out, reason, log->offset, log->line, byte_count);
}

/* What is kept is no record. */
static void lose_kept(struct csv_log *log) {
    if (log->has_entry)
        lose(log, damaged, log_lines_kept(&log->lines).len + 1);
    log->has_entry = false;
}

/* A line that begins a record, or goes on with the one that is kept. */
static enum log_keep take_record(struct csv_log *log, struct str record) {
    enum log_keep keep = log->has_entry ? LOG_KEEP_ALL : LOG_KEEP_FROM;
    enum split state = split(log, record);
    if (state == SPLIT_OPEN || log->lines.is_partial) {
        log->has_entry = true;
        return keep;
    }
    log->has_entry = false;
    if (state == SPLIT_WHOLE && take_fields(log, false))
        log->lost = no_record;
    else
        lose(log, damaged, record.len + 1);
    return LOG_KEEP_NONE;
}

static enum log_keep take_line(void *decoder, struct str line) {
    struct csv_log *log = decoder;
    log_out_skipped(&log->log.out, &log->lines);
    bool begins = begins_record(line);
    if (log->has_entry && !begins) {
        /* Most lines of a long text have no quote that could end it. */
        if (!has_odd_quotes(line) && !log->lines.is_partial)
            return LOG_KEEP_ALL;
        struct str kept = log_lines_kept(&log->lines);
        return take_record(log, (struct str){kept.ptr, (size_t)(line.ptr + line.len - kept.ptr)});
    }
    lose_kept(log);
    log->offset = log_lines_offset(&log->lines);
    log->line = log->lines.line;
    if (begins)
        return take_record(log, line);
    lose(log, log->lost, line.len + 1);
    return LOG_KEEP_NONE;
}

static void take_too_long(void *decoder) {
    struct csv_log *log = decoder;
    if (log->has_entry && (split(log, log_lines_kept(&log->lines)) == SPLIT_BAD || !take_fields(log, true)))
        lose_kept(log);
    log->has_entry = false;
    log->lost = log_too_long;
}

static void take_unfinished(void *decoder) {
    lose_kept(decoder);
}

static void *open_log(const struct trace_sink *sink, const struct trace_options *options) {
    static const struct log_line_class class = {take_line, take_too_long, take_unfinished};
    struct csv_log *log = mem_alloc(sizeof(*log));
    *log = (struct csv_log){.lost = no_record};
    postgresql_log_init(&log->log, sink, options);
    log_lines_init(&log->lines, &class, log, &log->log.out);
    return log;
}

static void close_log(void *decoder) {
    struct csv_log *log = decoder;
    postgresql_log_release(&log->log);
    log_lines_release(&log->lines);
    free(log);
}

/* A record near the beginning; a rotated log may begin within one. */
static int detect(struct str head) {
    int records = 0, others = 0;
    for (size_t from = 0; from < head.len && records < 3;) {
        size_t to = str_find(head, '\n', from);
        struct str line = str_sub(head, from, to);
        size_t comma = str_find(line, ',', 0);
        bool is_record = begins_record(line) && comma + 1 < line.len &&
                         (line.ptr[comma + 1] == '"' || line.ptr[comma + 1] == ',');
        records += is_record;
        others += !is_record;
        from = to + 1;
    }
    return records >= 3 || (records > 0 && others == 0) ? 95 : records > 0 ? 80 : 0;
}

const struct trace_decoder_class logs_postgresql_csv = {
    .name = "postgresql-csv",
    .title = "PostgreSQL csvlog",
    .same_as = "postgresql-log",
    .detect = detect,
    .open = open_log,
    .feed = log_feed,
    .next_file = log_next_file,
    .end = log_end,
    .close = close_log,
};
