/* PostgreSQL's log in its plain form: lines with a prefix, then `LOG:  ` and a message; further lines of a text begin with a
 * tab; DETAIL, CONTEXT and STATEMENT lines belong to the ERROR or LOG before them. */
#include "logs/lines.h"
#include "logs/logs.h"
#include "logs/postgresql.h"
#include "logs/prefix.h"

#include "base/assert.h"
#include "base/buf.h"

#include <stdlib.h>

enum part_kind { PART_MESSAGE, PART_DETAIL, PART_CONTEXT, PART_STATEMENT, PART_OTHER, PART_COUNT };

struct part {
    enum part_kind kind;
    size_t line_from, from; /* in the entry: its line, and its text */
};

/* A slice of the entry. */
struct range {
    size_t from, len;
};

enum { PARTS_MAX = 16 };

struct stderr_log {
    struct log_lines lines; /* the first, see out.h */
    struct postgresql_log log;
    struct log_prefix prefix;
    bool is_prefix_known;
    struct buf head; /* what came before the prefix was known */
    bool has_entry;
    struct log_prefix_line header; /* of the entry's first line; its slices are of no use later */
    struct range user, database, application, sqlstate;
    uint64_t offset, line;
    struct part parts[PARTS_MAX];
    size_t part_count;
    const char *lost; /* why lines that belong to an entry are left out, if there is none */
};

static const char *const no_entry = "lines that belong to no entry before them";

/* "\n\t" becomes "\n", in place. */
static struct str without_tabs(struct stderr_log *log, struct str text) {
    size_t first = str_find(text, '\n', 0);
    if (first == text.len)
        return text;
    char *begin = log_lines_writable(&log->lines, text);
    char *to = begin + first;
    const char *end = begin + text.len;
    for (const char *from = to; from < end;) {
        const char *next = memchr(from + 1, '\n', (size_t)(end - from - 1));
        if (next == NULL)
            next = end;
        *to++ = '\n';
        const char *line = from + 1 < next && from[1] == '\t' ? from + 2 : from + 1;
        memmove(to, line, (size_t)(next - line));
        to += next - line;
        from = next;
    }
    return (struct str){begin, (size_t)(to - begin)};
}

static void set_part(struct stderr_log *log, struct postgresql_entry *entry, enum part_kind kind,
                     struct str text) {
    struct str *to = kind == PART_MESSAGE   ? &entry->message
                     : kind == PART_DETAIL  ? &entry->detail
                     : kind == PART_CONTEXT ? &entry->context
                     : kind == PART_STATEMENT ? &entry->statement : NULL;
    if (to != NULL)
        *to = without_tabs(log, text);
}

static struct str in_entry(struct str kept, struct range range) {
    return str_sub(kept, range.from, range.from + range.len);
}

/* What other formats have in columns of their own: ` at character 15` behind an error, and with log_error_verbosity = verbose
 * the SQLSTATE before each message. */
static void split_message(struct postgresql_entry *entry) {
    static const char at_character[] = " at character ";
    struct str *message = &entry->message;
    size_t state = 0;
    while (state < 5 && state < message->len &&
           ((message->ptr[state] >= '0' && message->ptr[state] <= '9') ||
            (message->ptr[state] >= 'A' && message->ptr[state] <= 'Z')))
        state++;
    if (state == 5 && str_starts(str_sub(*message, 5, message->len), ": ")) {
        entry->sqlstate = str_sub(*message, 0, 5);
        *message = str_sub(*message, 7, message->len);
    }
    size_t digits = message->len, len = sizeof(at_character) - 1;
    while (digits > 0 && message->ptr[digits - 1] >= '0' && message->ptr[digits - 1] <= '9')
        digits--;
    if (entry->severity != POSTGRESQL_LOG && digits < message->len && digits > len &&
        memcmp(message->ptr + digits - len, at_character, len) == 0)
        message->len = digits - len;
}

/* Tells the entry that is kept. */
static void take_entry(struct stderr_log *log, bool is_cut) {
    if (!log->has_entry)
        return;
    log->has_entry = false;
    struct str kept = log_lines_kept(&log->lines);
    struct postgresql_entry entry = {
        .pid = log->header.pid,
        .start = log->header.start,
        .time_us = log->header.time_us,
        .severity = postgresql_severity_of(log->header.severity),
        .user = in_entry(kept, log->user),
        .database = in_entry(kept, log->database),
        .application = in_entry(kept, log->application),
        .sqlstate = in_entry(kept, log->sqlstate),
        .is_cut = is_cut,
        .offset = log->offset,
        .line = log->line,
    };
    if (entry.severity == POSTGRESQL_OTHER)
        return;
    size_t to = kept.len;
    for (size_t i = log->part_count; i-- > 0;) {
        struct part *part = &log->parts[i];
        set_part(log, &entry, part->kind, str_sub(kept, part->from, to));
        to = part->line_from > 0 ? part->line_from - 1 : 0;
    }
    split_message(&entry);
    postgresql_log_take(&log->log, &entry);
}

static enum part_kind part_of(struct str severity) {
    switch (severity.ptr[0]) {
    case 'S':
        return PART_STATEMENT;
    case 'C':
        return PART_CONTEXT;
    case 'D':
        return severity.ptr[2] == 'T' ? PART_DETAIL : PART_MESSAGE;
    case 'H':
    case 'Q':
    case 'B':
        return PART_OTHER;
    case 'L':
        return severity.len == 3 ? PART_MESSAGE : PART_OTHER;
    default:
        return PART_MESSAGE;
    }
}

static enum log_keep lose(struct stderr_log *log, struct str line, const char *reason) {
    log_out_gap(&log->log.out, reason, log_lines_offset(&log->lines), log->lines.line,
                line.len + 1);
    return LOG_KEEP_NONE;
}

static struct range range_of(struct str line, struct str text) {
    return text.len == 0 ? (struct range){0}
                         : (struct range){(size_t)(text.ptr - line.ptr), text.len};
}

static void begin_entry(struct stderr_log *log, struct str line,
                        const struct log_prefix_line *header) {
    log->has_entry = true;
    log->lost = no_entry;
    log->header = *header;
    log->user = range_of(line, header->user);
    log->database = range_of(line, header->database);
    log->application = range_of(line, header->application);
    log->sqlstate = range_of(line, header->sqlstate);
    log->offset = log_lines_offset(&log->lines);
    log->line = log->lines.line;
    log->parts[0] = (struct part){PART_MESSAGE, 0, header->text_from};
    log->part_count = 1;
}

static enum log_keep take_line(void *decoder, struct str line) {
    struct stderr_log *log = decoder;
    log_out_skipped(&log->log.out, &log->lines);
    if (line.len > 0 && line.ptr[0] == '\t')
        return log->has_entry ? LOG_KEEP_ALL : lose(log, line, log->lost);
    struct log_prefix_line header;
    if (!log_prefix_match(&log->prefix, &log->log.clock, line, &header)) {
        take_entry(log, false);
        return line.len == 0 ? LOG_KEEP_NONE
                             : lose(log, line, "lines that do not begin with the log_line_prefix");
    }
    enum part_kind kind = part_of(header.severity);
    if (kind == PART_MESSAGE) {
        take_entry(log, false);
        begin_entry(log, line, &header);
        return LOG_KEEP_FROM;
    }
    if (!log->has_entry)
        return lose(log, line, log->lost);
    if (header.pid != log->header.pid || header.start != log->header.start ||
        log->part_count == PARTS_MAX) {
        take_entry(log, false);
        return lose(log, line, no_entry);
    }
    size_t line_from = log->lines.next - log->lines.kept;
    log->parts[log->part_count++] = (struct part){kind, line_from, line_from + header.text_from};
    return LOG_KEEP_ALL;
}

static void take_too_long(void *decoder) {
    struct stderr_log *log = decoder;
    take_entry(log, true);
    log->lost = log_too_long;
}

static void take_head(struct stderr_log *log) {
    int share;
    if (log->is_prefix_known)
        return;
    /* Without any line of a kind that is known, all of them are left out as they come. */
    if (!log_prefix_guess(buf_str(&log->head), &log->prefix, &share))
        log_prefix_parse(&log->prefix, STR("%m [%p] "));
    log->is_prefix_known = true;
    log_lines_feed(&log->lines, buf_str(&log->head));
    buf_release(&log->head);
}

static void take_unfinished(void *decoder) {
    take_entry(decoder, false);
}

static void *open_log(const struct trace_sink *sink, const struct trace_options *options) {
    static const struct log_line_class class = {take_line, take_too_long, take_unfinished};
    struct stderr_log *log = mem_alloc(sizeof(*log));
    *log = (struct stderr_log){.lost = no_entry};
    postgresql_log_init(&log->log, sink, options);
    log_lines_init(&log->lines, &class, log, &log->log.out);
    if (options->log_line_prefix.len > 0)
        log->is_prefix_known = log_prefix_parse(&log->prefix, options->log_line_prefix);
    return log;
}

static void feed(void *decoder, struct str bytes) {
    struct stderr_log *log = decoder;
    if (log->is_prefix_known) {
        log_lines_feed(&log->lines, bytes);
        return;
    }
    /* What is looked at does not hang on the pieces. */
    size_t wanted = TRACE_HEAD_BYTES - log->head.len;
    wanted = wanted < bytes.len ? wanted : bytes.len;
    buf_add(&log->head, str_sub(bytes, 0, wanted));
    if (log->head.len < TRACE_HEAD_BYTES)
        return;
    take_head(log);
    log_lines_feed(&log->lines, str_sub(bytes, wanted, bytes.len));
}

static void end(void *decoder) {
    take_head(decoder);
    log_end(decoder);
}

static void next_file(void *decoder, struct str file) {
    take_head(decoder);
    log_next_file(decoder, file);
}

static void close_log(void *decoder) {
    struct stderr_log *log = decoder;
    postgresql_log_release(&log->log);
    log_lines_release(&log->lines);
    buf_release(&log->head);
    free(log);
}

/* As sure as the share of its messages whose prefix is understood; less than formats that say what they are. */
static int detect(struct str head) {
    struct log_prefix prefix;
    int share;
    return log_prefix_guess(head, &prefix, &share) ? share * 8 / 10 : 0;
}

const struct trace_decoder_class logs_postgresql_stderr = {
    .name = "postgresql-stderr",
    .title = "PostgreSQL server log",
    .same_as = "postgresql-log",
    .detect = detect,
    .open = open_log,
    .feed = feed,
    .next_file = next_file,
    .end = end,
    .close = close_log,
};
