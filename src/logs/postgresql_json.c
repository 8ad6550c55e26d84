/* PostgreSQL's jsonlog (15 and later): one object a line. Its own small reader, which unescapes in place and looks at the
 * members that count; PostgreSQL manual, 20.8.5. */
#include "logs/logs.h"
#include "logs/postgresql.h"

#include "base/assert.h"
#include "base/utf8.h"

#include <stdlib.h>

struct json_log {
    struct log_lines lines; /* the first, see out.h */
    struct postgresql_log log;
};

/* A line as it is read. */
struct cursor {
    char *at, *end;
    bool is_cut; /* the end of the line is not there: a text may end with it */
};

static bool take_byte(struct cursor *cursor, char byte) {
    if (cursor->at == cursor->end || *cursor->at != byte)
        return false;
    cursor->at++;
    return true;
}

static int hex4(const char *at) {
    struct str digits = {at, 4};
    uint64_t value = 0;
    for (size_t i = 0; i < 4; i++) {
        char c = digits.ptr[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + (uint64_t)digit;
    }
    return (int)value;
}

/* The escape at cursor->at, behind its backslash, goes to `to`; NULL if it is none. PostgreSQL writes \u for control
 * characters only, so a half of a pair stands for itself. */
static char *take_escape(struct cursor *cursor, char *to) {
    static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    char c = *cursor->at++;
    if (c == 'u') {
        int point = cursor->end - cursor->at >= 4 ? hex4(cursor->at) : -1;
        if (point < 0)
            return NULL;
        cursor->at += 4;
        return utf8_put(to, (uint32_t)point);
    }
    const char *letter = c != '\0' ? strchr(letters, c) : NULL;
    if (letter == NULL)
        return NULL;
    *to++ = meant[letter - letters];
    return to;
}

/* A text with its quotes, unescaped in place. */
static bool take_text(struct cursor *cursor, struct str *text) {
    if (!take_byte(cursor, '"'))
        return false;
    char *begin = cursor->at, *to = begin;
    while (cursor->at < cursor->end && *cursor->at != '"' && *cursor->at != '\\')
        cursor->at++;
    to = cursor->at;
    while (cursor->at < cursor->end && *cursor->at != '"') {
        if (*cursor->at == '\\') {
            cursor->at++;
            if (cursor->at == cursor->end || (to = take_escape(cursor, to)) == NULL)
                return false;
            continue;
        }
        *to++ = *cursor->at++;
    }
    *text = (struct str){begin, (size_t)(to - begin)};
    return take_byte(cursor, '"') || cursor->is_cut;
}

/* A text, or the letters of a number, true, false or null. */
static bool take_value(struct cursor *cursor, struct str *value) {
    if (cursor->at < cursor->end && *cursor->at == '"')
        return take_text(cursor, value);
    char *begin = cursor->at;
    while (cursor->at < cursor->end && *cursor->at != ',' && *cursor->at != '}')
        cursor->at++;
    *value = (struct str){begin, (size_t)(cursor->at - begin)};
    return value->len > 0;
}

enum member {
    MEMBER_OTHER, TIMESTAMP, USER, DBNAME, SESSION_ID, ERROR_SEVERITY, STATE_CODE, MESSAGE, DETAIL,
    CONTEXT, STATEMENT, APPLICATION_NAME, MEMBER_COUNT
};

static enum member member_of(struct str name) {
    static const struct str names[MEMBER_COUNT] = {
        [TIMESTAMP] = STR("timestamp"),   [USER] = STR("user"),
        [DBNAME] = STR("dbname"),         [SESSION_ID] = STR("session_id"),
        [ERROR_SEVERITY] = STR("error_severity"), [STATE_CODE] = STR("state_code"),
        [MESSAGE] = STR("message"),       [DETAIL] = STR("detail"),
        [CONTEXT] = STR("context"),       [STATEMENT] = STR("statement"),
        [APPLICATION_NAME] = STR("application_name"),
    };
    for (int i = 1; i < MEMBER_COUNT; i++)
        if (names[i].len == name.len && memcmp(names[i].ptr, name.ptr, name.len) == 0)
            return (enum member)i;
    return MEMBER_OTHER;
}

static bool read_object(struct cursor *cursor, struct str values[MEMBER_COUNT]) {
    struct str name, value;
    if (!take_byte(cursor, '{'))
        return false;
    do {
        if (!take_text(cursor, &name) || !take_byte(cursor, ':') || !take_value(cursor, &value))
            return cursor->is_cut && cursor->at == cursor->end;
        values[member_of(name)] = value;
    } while (take_byte(cursor, ','));
    return cursor->is_cut ? cursor->at == cursor->end
                          : take_byte(cursor, '}') && cursor->at == cursor->end;
}

static bool read_session(struct str id, struct postgresql_entry *entry) {
    if (!log_hex_number(&id, &entry->start) || id.len == 0 || id.ptr[0] != '.')
        return false;
    id = str_sub(id, 1, id.len);
    return log_hex_number(&id, &entry->pid) && id.len == 0;
}

static bool read_time(struct json_log *log, struct str time, int64_t *time_us) {
    if (!log_clock_date(&log->log.clock, &time, time_us) || time.len == 0)
        return false;
    time = str_sub(time, 1, time.len);
    return log_clock_zone(&log->log.clock, &time, time_us);
}

static bool take_object(struct json_log *log, struct str line) {
    struct str values[MEMBER_COUNT] = {0};
    char *begin = log_lines_writable(&log->lines, line);
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    struct cursor cursor = {begin, begin + line.len, log->lines.is_partial};
    struct postgresql_entry entry = {
        .is_cut = log->lines.is_partial,
        .offset = log_lines_offset(&log->lines),
        .line = log->lines.line,
    };
    if (!read_object(&cursor, values) || !read_time(log, values[TIMESTAMP], &entry.time_us) ||
        values[ERROR_SEVERITY].len == 0)
        return false;
    entry.severity = postgresql_severity_of(values[ERROR_SEVERITY]);
    if (entry.severity == POSTGRESQL_OTHER)
        return true;
    if (!read_session(values[SESSION_ID], &entry))
        return false;
    entry.user = values[USER];
    entry.database = values[DBNAME];
    entry.application = values[APPLICATION_NAME];
    entry.sqlstate = values[STATE_CODE];
    entry.message = values[MESSAGE];
    entry.detail = values[DETAIL];
    entry.context = values[CONTEXT];
    entry.statement = values[STATEMENT];
    postgresql_log_take(&log->log, &entry);
    return true;
}

static enum log_keep take_line(void *decoder, struct str line) {
    struct json_log *log = decoder;
    log_out_skipped(&log->log.out, &log->lines);
    if (line.len > 0 && !take_object(log, line))
        log_out_gap(&log->log.out, "a line that is no jsonlog object", log_lines_offset(&log->lines),
                    log->lines.line, line.len + 1);
    return LOG_KEEP_NONE;
}

static void take_too_long(void *decoder) {
    (void)decoder;
    LW_UNREACHABLE(); /* nothing is ever kept */
}

static void *open_log(const struct trace_sink *sink, const struct trace_options *options) {
    static const struct log_line_class class = {take_line, take_too_long, NULL};
    struct json_log *log = mem_alloc(sizeof(*log));
    *log = (struct json_log){0};
    postgresql_log_init(&log->log, sink, options);
    log_lines_init(&log->lines, &class, log, &log->log.out);
    return log;
}

static void close_log(void *decoder) {
    struct json_log *log = decoder;
    postgresql_log_release(&log->log);
    log_lines_release(&log->lines);
    free(log);
}

static int detect(struct str head) {
    for (size_t from = 0; from < head.len; from = str_find(head, '\n', from) + 1)
        if (str_starts(str_sub(head, from, head.len), "{\"timestamp\":\""))
            return from == 0 ? 98 : 90;
    return 0;
}

const struct trace_decoder_class logs_postgresql_json = {
    .name = "postgresql-json",
    .title = "PostgreSQL jsonlog",
    .same_as = "postgresql-log",
    .detect = detect,
    .open = open_log,
    .feed = log_feed,
    .next_file = log_next_file,
    .end = log_end,
    .close = close_log,
};
