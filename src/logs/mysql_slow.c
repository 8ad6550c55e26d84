/* The slow query log of MySQL and MariaDB (and Percona): comment lines with who and how long, `use db;` where it changed, `SET
 * timestamp=`, and the statement with a semicolon behind it, all at its end.
 * MySQL manual, 7.4.5; MariaDB: Slow Query Log Overview.
 */
#include "logs/logs.h"
#include "logs/mysql.h"
#include "logs/sessions.h"

#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

struct slow_log {
    struct log_lines lines; /* the first, see out.h */
    struct log_out out;
    struct log_clock clock;
    struct log_sessions sessions;
    uint64_t run;
    bool has_entry, has_user; /* an entry begins with `# Time:` or `# User@Host:`, and has one of the latter */
    uint64_t offset, line;
    const char *lost;
};

/* What the comments of an entry say. */
struct entry {
    struct str user, database;
    uint64_t thread, error;
    bool has_thread, has_error, has_affected, has_sent;
    int64_t duration_us, sent, affected;
    int64_t end_us, timestamp_us; /* -1: not told */
    struct str sql;
};

static const char *const no_entry = "lines that belong to no entry before them";

static bool begins_time(struct str line) {
    return str_starts(line, "# Time: ");
}

static bool begins_user(struct str line) {
    return str_starts(line, "# User@Host: ");
}

static struct str without_end(struct str line) {
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    return line;
}

/* `root[root] @ localhost [127.0.0.1]  Id:     5`: the account's name, then the one it was given as, in brackets. */
static void read_user(struct entry *entry, struct str line) {
    struct str text = str_sub(line, strlen("# User@Host: "), line.len);
    entry->user = str_sub(text, 0, str_find(text, '[', 0));
    for (size_t at = str_find(text, 'I', 0); at < text.len; at = str_find(text, 'I', at + 1)) {
        struct str rest = str_sub(text, at, text.len);
        if (!str_starts(rest, "Id:"))
            continue;
        rest = str_sub(rest, 3, rest.len);
        while (rest.len > 0 && rest.ptr[0] == ' ')
            rest = str_sub(rest, 1, rest.len);
        entry->has_thread |= log_number(&rest, &entry->thread);
    }
}

static bool take_count(struct str value, int64_t *count) {
    uint64_t number;
    if (!log_number(&value, &number) || number > INT64_MAX)
        return false;
    *count = (int64_t)number;
    return true;
}

static void read_pair(struct entry *entry, struct str key, struct str value) {
    uint64_t number;
    if (str_is(key, "Query_time")) {
        log_millionths(&value, &entry->duration_us);
    } else if (STR_IS_ONE_OF(key, "Thread_id", "Id")) {
        entry->has_thread |= log_number(&value, &entry->thread);
    } else if (str_is(key, "Schema")) {
        entry->database = value;
    } else if (str_is(key, "Rows_sent")) {
        entry->has_sent = take_count(value, &entry->sent);
    } else if (str_is(key, "Rows_affected")) {
        entry->has_affected = take_count(value, &entry->affected);
    } else if (STR_IS_ONE_OF(key, "Last_errno", "Errno") && log_number(&value, &number)) {
        entry->has_error = true;
        entry->error = number;
    }
}

/* `# Thread_id: 5  Schema: test  QC_hit: No`. */
static void read_pairs(struct entry *entry, struct str line) {
    for (size_t at = 2; at < line.len;) {
        while (at < line.len && line.ptr[at] == ' ')
            at++;
        size_t colon = str_find(line, ':', at);
        if (colon == line.len)
            return;
        struct str key = str_sub(line, at, colon);
        size_t from = colon + 1;
        /* One space, then a value; `Schema:  QC_hit:` has none. */
        if (from < line.len && line.ptr[from] == ' ')
            from++;
        size_t to = str_find(line, ' ', from);
        read_pair(entry, key, str_sub(line, from, to));
        at = to;
    }
}

/* Without a zone, and in seconds, it says less than the timestamp behind it. */
static void read_time(struct slow_log *log, struct entry *entry, struct str line) {
    struct str text = str_sub(line, strlen("# Time: "), line.len);
    int64_t us;
    if (text.len > 10 && text.ptr[4] == '-' && log_clock_date(&log->clock, &text, &us) &&
        log_clock_zone(&log->clock, &text, &us))
        entry->end_us = us;
}

/* Takes a line off the front. */
static struct str take_text_line(struct str *text) {
    size_t end = str_find(*text, '\n', 0);
    struct str line = str_sub(*text, 0, end);
    *text = str_sub(*text, end < text->len ? end + 1 : end, text->len);
    return line;
}

/* `SET timestamp=1795776942;`, in MySQL 5.7 and later behind `SET insert_id=7,`; MariaDB may add a fraction. */
static bool read_timestamp(struct entry *entry, struct str line) {
    if (!str_starts(line, "SET "))
        return false;
    for (size_t at = 4; at < line.len; at++) {
        struct str rest = str_sub(line, at, line.len);
        int64_t us;
        if (str_starts(rest, "timestamp=")) {
            rest = str_sub(rest, strlen("timestamp="), rest.len);
            if (!log_millionths(&rest, &us) || rest.len == 0 || rest.ptr[0] != ';')
                return false;
            entry->timestamp_us = us;
            return true;
        }
        if (rest.ptr[0] != ',' && !str_starts(rest, "last_insert_id=") && !str_starts(rest, "insert_id=") &&
            !(rest.ptr[0] >= '0' && rest.ptr[0] <= '9') && !(rest.ptr[0] >= '_' && rest.ptr[0] <= 'z') &&
            rest.ptr[0] != '=')
            return false;
    }
    return false;
}

static struct str unquoted(struct str name) {
    if (name.len >= 2 && name.ptr[0] == '`' && name.ptr[name.len - 1] == '`')
        return str_sub(name, 1, name.len - 1);
    return name;
}

/* The entry's comments, then `use`, then the time; what is left is the statement. */
static bool read_entry(struct slow_log *log, struct str text, struct entry *entry) {
    *entry = (struct entry){.end_us = -1, .timestamp_us = -1};
    while (text.len > 0 && text.ptr[0] == '#') {
        if (str_starts(text, "# administrator command: "))
            break;
        struct str line = without_end(take_text_line(&text));
        if (begins_time(line))
            read_time(log, entry, line);
        else if (begins_user(line))
            read_user(entry, line);
        else if (!str_starts(line, "# explain:"))
            read_pairs(entry, line);
    }
    if (str_starts(text, "use ")) {
        struct str line = without_end(take_text_line(&text));
        if (str_ends(line, ";"))
            line.len--;
        entry->database = unquoted(str_sub(line, 4, line.len));
    }
    struct str rest = text;
    if (read_timestamp(entry, without_end(take_text_line(&rest))))
        text = rest;
    if (text.len > 0 && text.ptr[text.len - 1] == '\r')
        text.len--;
    if (text.len > 0 && text.ptr[text.len - 1] == ';')
        text.len--;
    entry->sql = text;
    if (entry->end_us < 0)
        entry->end_us = entry->timestamp_us;
    return entry->has_thread || entry->user.len > 0;
}

static struct trace_event event_of(const struct slow_log *log, enum trace_event_kind kind,
                                   const struct entry *entry, uint64_t session) {
    struct trace_event event = log_out_event(&log->out, kind, log->offset, log->line);
    event.session = session;
    event.time_us = entry->end_us;
    return event;
}

static bool is_news(uint64_t *hash, struct str text) {
    uint64_t now = log_hash(text);
    if (text.len == 0 || *hash == now)
        return false;
    *hash = now;
    return true;
}

static uint64_t session_of(struct slow_log *log, const struct entry *entry) {
    if (!entry->has_thread) {
        if (!log->out.are_sessions_told)
            log_out_gap(&log->out, "this slow log does not tell threads: sessions are not told apart",
                        log->offset, log->line, 0);
        log->out.are_sessions_told = true;
        return 0;
    }
    struct log_session *session = log_sessions_get(&log->sessions, entry->thread, log->run);
    bool is_user = is_news(&session->user_hash, entry->user);
    bool is_database = is_news(&session->database_hash, entry->database);
    if (is_user || is_database) {
        struct trace_event event = event_of(log, TRACE_SESSION, entry, session->number);
        event.user = entry->user;
        event.database = entry->database;
        log_out_tell(&log->out, &event);
    }
    return session->number;
}

static void end_session(struct slow_log *log, const struct entry *entry) {
    struct log_session *session = log_sessions_find(&log->sessions, entry->thread, log->run);
    if (session == NULL)
        return;
    struct trace_event event = event_of(log, TRACE_END, entry, session->number);
    log_sessions_remove(&log->sessions, session);
    log_out_tell(&log->out, &event);
}

/* Whether a statement that sent no row was one that could have. */
static bool is_select(struct str sql) {
    return sql.len > 6 && str_equal_nocase(str_sub(sql, 0, 6), STR("SELECT"));
}

static int64_t row_count_of(const struct entry *entry) {
    if (entry->has_affected)
        return entry->affected > entry->sent ? entry->affected : entry->sent;
    return entry->has_sent && (entry->sent > 0 || is_select(entry->sql)) ? entry->sent : -1;
}

static void tell_statement(struct slow_log *log, const struct entry *entry, bool is_cut) {
    char code[24];
    uint64_t session = session_of(log, entry);
    struct trace_event event = event_of(log, TRACE_STATEMENT, entry, session);
    if (entry->end_us >= entry->duration_us)
        event.time_us = entry->end_us - entry->duration_us;
    event.statement.sql = entry->sql;
    event.statement.is_cut = is_cut;
    event.statement.end_us = entry->end_us;
    event.statement.row_count = row_count_of(entry);
    if (entry->has_error) {
        event.statement.outcome = entry->error == 0 ? TRACE_OK : TRACE_FAILED;
        int len = snprintf(code, sizeof(code), "%llu", (unsigned long long)entry->error);
        if (entry->error != 0)
            event.statement.error_code = (struct str){code, (size_t)len};
    }
    log_out_tell(&log->out, &event);
}

static void take_entry(struct slow_log *log, bool is_cut) {
    if (!log->has_entry)
        return;
    log->has_entry = false;
    struct entry entry;
    struct str kept = log_lines_kept(&log->lines);
    if (!log->has_user || !read_entry(log, kept, &entry)) {
        log_out_gap(&log->out, "an entry that is not understood", log->offset, log->line, kept.len + 1);
        return;
    }
    if (str_starts(entry.sql, "# administrator command: ")) {
        if (str_starts(entry.sql, "# administrator command: Quit") && entry.has_thread)
            end_session(log, &entry);
        return;
    }
    if (entry.sql.len > 0)
        tell_statement(log, &entry, is_cut);
}

static enum log_keep take_line(void *decoder, struct str line) {
    struct slow_log *log = decoder;
    log_out_skipped(&log->out, &log->lines);
    bool is_user = begins_user(line), is_time = begins_time(line);
    if (is_time || (is_user && (!log->has_entry || log->has_user))) {
        take_entry(log, false);
        log->has_entry = true;
        log->has_user = is_user;
        log->offset = log_lines_offset(&log->lines);
        log->line = log->lines.line;
        log->lost = no_entry;
        return LOG_KEEP_FROM;
    }
    log->has_user |= is_user;
    if (line.len > 0 && line.ptr[0] == '/' && mysql_log_is_banner(line)) {
        take_entry(log, false);
        log->run++;
        return LOG_KEEP_NONE;
    }
    if (log->has_entry)
        return LOG_KEEP_ALL;
    if (line.len > 0 && !mysql_log_is_banner_rest(line) && !mysql_log_is_banner(line))
        log_out_gap(&log->out, log->lost, log_lines_offset(&log->lines), log->lines.line, line.len + 1);
    return LOG_KEEP_NONE;
}

static void take_too_long(void *decoder) {
    struct slow_log *log = decoder;
    take_entry(log, true);
    log->lost = log_too_long;
}

static void take_unfinished(void *decoder) {
    take_entry(decoder, false);
}

static void *open_log(const struct trace_sink *sink, const struct trace_options *options) {
    static const struct log_line_class class = {take_line, take_too_long, take_unfinished};
    struct slow_log *log = mem_alloc(sizeof(*log));
    *log = (struct slow_log){.lost = no_entry, .run = 1};
    log_out_init(&log->out, sink, options, TRACE_MYSQL);
    log_lines_init(&log->lines, &class, log, &log->out);
    return log;
}

static void close_log(void *decoder) {
    struct slow_log *log = decoder;
    log_sessions_release(&log->sessions);
    log_lines_release(&log->lines);
    free(log);
}

/* `# User@Host:`, and `# Query_time:` in the lines behind it. */
static int detect(struct str head) {
    bool has_user = false;
    for (size_t from = 0; from < head.len;) {
        size_t to = str_find(head, '\n', from);
        struct str line = str_sub(head, from, to);
        has_user |= begins_user(line);
        if (has_user && str_starts(line, "# Query_time: "))
            return 95;
        from = to + 1;
    }
    return 0;
}

const struct trace_decoder_class logs_mysql_slow = {
    .name = "mysql-slow",
    .title = "MySQL or MariaDB slow query log",
    .same_as = "mysql-log",
    .detect = detect,
    .open = open_log,
    .feed = log_feed,
    .next_file = log_next_file,
    .end = log_end,
    .close = close_log,
};
