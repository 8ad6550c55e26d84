/* The general query log of MySQL and MariaDB: a line with time, thread, command and argument for each command as it
 * arrives; further lines of a statement as they are. The time is `2026-11-27T10:55:42.123456Z` since MySQL 5.7; in MySQL 5.6 and
 * MariaDB it is local, in seconds, and left out where it is that of the line before.
 * MySQL manual, 7.4.3; MariaDB: General Query Log.
 */
#include "logs/logs.h"
#include "logs/mysql.h"

#include "base/assert.h"

#include <stdlib.h>

enum command {
    COMMAND_NONE,
    COMMAND_OTHER, /* Ping, Prepare, Close stmt, ...: nothing ran */
    COMMAND_CONNECT, COMMAND_INIT_DB, COMMAND_CHANGE_USER, COMMAND_QUIT,
    COMMAND_QUERY, COMMAND_EXECUTE,
};

struct header {
    uint64_t thread;
    int64_t time_us;
    enum command command;
    size_t text_from; /* in the entry */
};

struct general_log {
    struct log_lines lines; /* the first, see out.h */
    struct log_out out;
    struct log_clock clock;
    int64_t time_us; /* of the last line that had one */
    uint64_t run;    /* how often the server has started */
    bool has_entry;
    struct header entry;
    uint64_t offset, line;
    const char *lost;
};

static const char *const no_entry = "lines that belong to no command before them";

static bool take_word(struct str *text, struct str word) {
    if (text->len < word.len || memcmp(text->ptr, word.ptr, word.len) != 0 ||
        (text->len > word.len && text->ptr[word.len] != '\t' && text->ptr[word.len] != '\r'))
        return false;
    *text = str_sub(*text, text->len > word.len ? word.len + 1 : word.len, text->len);
    return true;
}

/* The server's names of commands (sql/sql_parse.cc, command_name), with the argument behind a tab. */
static bool take_command(struct str *text, enum command *command) {
    static const struct {
        struct str name;
        enum command command;
    } commands[] = {
        {STR("Query"), COMMAND_QUERY},
        {STR("Execute"), COMMAND_EXECUTE},
        {STR("Prepare"), COMMAND_OTHER},
        {STR("Close stmt"), COMMAND_OTHER},
        {STR("Reset stmt"), COMMAND_OTHER},
        {STR("Connect"), COMMAND_CONNECT},
        {STR("Quit"), COMMAND_QUIT},
        {STR("Init DB"), COMMAND_INIT_DB},
        {STR("Change user"), COMMAND_CHANGE_USER},
        {STR("Field List"), COMMAND_OTHER},
        {STR("Long Data"), COMMAND_OTHER},
        {STR("Fetch"), COMMAND_OTHER},
        {STR("Bulk_execute"), COMMAND_OTHER},
        {STR("Set option"), COMMAND_OTHER},
        {STR("Ping"), COMMAND_OTHER},
        {STR("Statistics"), COMMAND_OTHER},
        {STR("Processlist"), COMMAND_OTHER},
        {STR("Reset connection"), COMMAND_OTHER},
        {STR("Reset Connection"), COMMAND_OTHER},
        {STR("Refresh"), COMMAND_OTHER},
        {STR("Create DB"), COMMAND_OTHER},
        {STR("Drop DB"), COMMAND_OTHER},
        {STR("Shutdown"), COMMAND_OTHER},
        {STR("Kill"), COMMAND_OTHER},
        {STR("Debug"), COMMAND_OTHER},
        {STR("Time"), COMMAND_OTHER},
        {STR("Sleep"), COMMAND_OTHER},
        {STR("Delayed insert"), COMMAND_OTHER},
        {STR("Binlog Dump"), COMMAND_OTHER},
        {STR("Binlog Dump GTID"), COMMAND_OTHER},
        {STR("Table Dump"), COMMAND_OTHER},
        {STR("Connect Out"), COMMAND_OTHER},
        {STR("Register Slave"), COMMAND_OTHER},
        {STR("Register Replica"), COMMAND_OTHER},
        {STR("Daemon"), COMMAND_OTHER},
        {STR("Clone"), COMMAND_OTHER},
        {STR("Group Replication Data Stream subscription"), COMMAND_OTHER},
        {STR("Error"), COMMAND_OTHER},
    };
    for (size_t i = 0; i < LW_COUNT_OF(commands); i++)
        if (take_word(text, commands[i].name)) {
            *command = commands[i].command;
            return true;
        }
    return false;
}

/* The time, or what stands in its place; `*time_us` stays as it is then. */
static bool take_time(struct log_clock *clock, struct str *text, int64_t *time_us) {
    if (text->len < 8)
        return false;
    if (text->ptr[0] == '\t') {
        if (text->ptr[1] != '\t')
            return false;
        *text = str_sub(*text, 2, text->len);
        return true;
    }
    if (text->ptr[0] < '0' || text->ptr[0] > '9')
        return false;
    int64_t us;
    if (text->ptr[6] == ' ' ? !log_clock_short_date(clock, text, &us)
                            : !log_clock_date(clock, text, &us) || !log_clock_zone(clock, text, &us))
        return false;
    if (text->len == 0 || text->ptr[0] != '\t')
        return false;
    *text = str_sub(*text, 1, text->len);
    *time_us = us;
    return true;
}

/* Whether a line begins a command. `header->time_us` is that of the line before, at first. */
static bool read_header(struct log_clock *clock, struct str line, struct header *header) {
    struct str text = line;
    if (text.len == 0 || (text.ptr[0] != '\t' && (text.ptr[0] < '0' || text.ptr[0] > '9')) ||
        !take_time(clock, &text, &header->time_us))
        return false;
    while (text.len > 0 && text.ptr[0] == ' ')
        text = str_sub(text, 1, text.len);
    if (!log_number(&text, &header->thread) || text.len == 0 || text.ptr[0] != ' ')
        return false;
    text = str_sub(text, 1, text.len);
    if (!take_command(&text, &header->command))
        return false;
    if (line.ptr[0] != '\t')
        clock->is_zone_assumed |= line.ptr[6] == ' ';
    header->text_from = line.len - text.len;
    return true;
}

static struct trace_event event_of(const struct general_log *log, enum trace_event_kind kind) {
    struct trace_event event = log_out_event(&log->out, kind, log->offset, log->line);
    event.session = mysql_log_session(log->run, log->entry.thread);
    event.time_us = log->entry.time_us;
    return event;
}

/* `user@host on db using Socket`; in MySQL 5.6 without "using", in MariaDB with "as anonymous". */
static void tell_connect(struct general_log *log, struct str text) {
    struct trace_event event = event_of(log, TRACE_SESSION);
    if (str_starts(text, "Access denied"))
        return;
    event.user = str_sub(text, 0, str_find(text, '@', 0));
    size_t at = event.user.len;
    while (at + 4 <= text.len && memcmp(text.ptr + at, " on ", 4) != 0)
        at++;
    if (at + 4 <= text.len) {
        struct str database = str_sub(text, at + 4, text.len);
        for (size_t i = 0; i <= database.len; i++)
            if (str_starts(str_sub(database, i, database.len), " using ")) {
                database.len = i;
                break;
            }
        if (!str_starts(database, "using "))
            event.database = database;
    }
    log_out_tell(&log->out, &event);
}

/* An EXECUTE by SQL is written twice: as it came, and then as Execute with the statement's own text. */
static bool is_execute(struct str sql) {
    return sql.len > 8 && str_equal_nocase(str_sub(sql, 0, 7), STR("EXECUTE")) &&
           (sql.ptr[7] == ' ' || sql.ptr[7] == '\n' || sql.ptr[7] == '\t');
}

static void take_entry(struct general_log *log, bool is_cut) {
    if (!log->has_entry)
        return;
    log->has_entry = false;
    struct str kept = log_lines_kept(&log->lines);
    struct str text = str_sub(kept, log->entry.text_from, kept.len);
    struct trace_event event;
    switch (log->entry.command) {
    case COMMAND_QUERY:
    case COMMAND_EXECUTE:
        if (log->entry.command == COMMAND_QUERY && is_execute(text))
            break;
        event = event_of(log, TRACE_STATEMENT);
        event.statement.sql = text;
        event.statement.is_cut = is_cut;
        log_out_tell(&log->out, &event);
        break;
    case COMMAND_CONNECT:
        tell_connect(log, text);
        break;
    case COMMAND_CHANGE_USER:
        tell_connect(log, text);
        break;
    case COMMAND_INIT_DB:
        event = event_of(log, TRACE_SESSION);
        event.database = text;
        log_out_tell(&log->out, &event);
        break;
    case COMMAND_QUIT:
        event = event_of(log, TRACE_END);
        log_out_tell(&log->out, &event);
        break;
    default:
        break;
    }
}

static enum log_keep take_line(void *decoder, struct str line) {
    struct general_log *log = decoder;
    log_out_skipped(&log->out, &log->lines);
    struct header header = {.time_us = log->time_us};
    if (read_header(&log->clock, line, &header)) {
        take_entry(log, false);
        log->time_us = header.time_us;
        log->has_entry = true;
        log->entry = header;
        log->offset = log_lines_offset(&log->lines);
        log->line = log->lines.line;
        log->lost = no_entry;
        log_out_zone(&log->out, &log->clock, log->offset, log->line);
        return LOG_KEEP_FROM;
    }
    if (mysql_log_is_banner(line)) {
        take_entry(log, false);
        log->run++;
        return LOG_KEEP_NONE;
    }
    if (log->has_entry)
        return LOG_KEEP_ALL;
    if (line.len > 0 && !mysql_log_is_banner_rest(line))
        log_out_gap(&log->out, log->lost, log_lines_offset(&log->lines), log->lines.line, line.len + 1);
    return LOG_KEEP_NONE;
}

static void take_too_long(void *decoder) {
    struct general_log *log = decoder;
    take_entry(log, true);
    log->lost = log_too_long;
}

static void take_unfinished(void *decoder) {
    take_entry(decoder, false);
}

static void *open_log(const struct trace_sink *sink, const struct trace_options *options) {
    static const struct log_line_class class = {take_line, take_too_long, take_unfinished};
    struct general_log *log = mem_alloc(sizeof(*log));
    *log = (struct general_log){.lost = no_entry, .time_us = -1, .run = 1};
    log_out_init(&log->out, sink, options, TRACE_MYSQL);
    log_lines_init(&log->lines, &class, log, &log->out);
    return log;
}

static void close_log(void *decoder) {
    struct general_log *log = decoder;
    log_lines_release(&log->lines);
    free(log);
}

static int detect(struct str head) {
    struct log_clock clock = {0};
    int headers = 0, lines = 0;
    for (size_t from = 0; from < head.len && lines < 200; lines++) {
        size_t to = str_find(head, '\n', from);
        struct header header = {.time_us = -1};
        headers += read_header(&clock, str_sub(head, from, to), &header);
        from = to + 1;
    }
    return headers >= 3 ? 95 : headers > 0 ? 85 : 0;
}

const struct trace_decoder_class logs_mysql_general = {
    .name = "mysql-general",
    .title = "MySQL or MariaDB general query log",
    .same_as = "mysql-log",
    .detect = detect,
    .open = open_log,
    .feed = log_feed,
    .next_file = log_next_file,
    .end = log_end,
    .close = close_log,
};
