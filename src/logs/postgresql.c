#include "logs/postgresql.h"

#include "base/assert.h"

#include <stdlib.h>

static const struct {
    const char *state, *beginning, *part;
} sqlstates[] = {
#define SQLSTATE(state, beginning, part) {state, beginning, part},
#include "logs/sqlstates.def"
};

void postgresql_log_init(struct postgresql_log *log, const struct trace_sink *sink,
                         const struct trace_options *options) {
    *log = (struct postgresql_log){0};
    log_out_init(&log->out, sink, options, TRACE_POSTGRESQL);
}

void postgresql_log_release(struct postgresql_log *log) {
    log_sessions_release(&log->sessions);
    free(log->params.items);
}

enum postgresql_severity postgresql_severity_of(struct str name) {
    if (str_is(name, "LOG"))
        return POSTGRESQL_LOG;
    if (str_is(name, "ERROR"))
        return POSTGRESQL_ERROR;
    return STR_IS_ONE_OF(name, "FATAL", "PANIC") ? POSTGRESQL_FATAL : POSTGRESQL_OTHER;
}

/* Where `part` begins in `text`, or text.len. */
static size_t find_text(struct str text, const char *part) {
    size_t len = strlen(part);
    for (size_t at = 0; at + len <= text.len; at++) {
        at = str_find(text, part[0], at);
        if (at + len <= text.len && memcmp(text.ptr + at, part, len) == 0)
            return at;
    }
    return text.len;
}

/* Takes `prefix` off the front. */
static bool take(struct str *text, const char *prefix) {
    if (!str_starts(*text, prefix))
        return false;
    *text = str_sub(*text, strlen(prefix), text->len);
    return true;
}

struct str postgresql_sqlstate_of(struct str message) {
    for (size_t i = 0; i < LW_COUNT_OF(sqlstates); i++)
        if (str_starts(message, sqlstates[i].beginning) &&
            (sqlstates[i].part[0] == '\0' || find_text(message, sqlstates[i].part) < message.len))
            return str_from_c(sqlstates[i].state);
    return (struct str){0};
}

static bool looks_like_number(struct str text) {
    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!(c >= '0' && c <= '9') && !(c == '-' && i == 0) && !(c == '.' && i > 0))
            return false;
    }
    return true;
}

/* Takes `'it''s'` off the front; the doubled quotes are undone in place, in the decoder's own buffer. */
static bool take_quoted(struct str *text, struct str *value) {
    char *to = (char *)text->ptr + 1;
    const char *end = text->ptr + text->len;
    const char *begin = to;
    for (const char *from = to; from < end; from++) {
        if (*from == '\'') {
            if (from + 1 == end || from[1] != '\'') {
                *value = (struct str){begin, (size_t)(to - begin)};
                *text = (struct str){from + 1, (size_t)(end - from - 1)};
                return true;
            }
            from++;
        }
        *to++ = *from;
    }
    return false;
}

/* log_parameter_max_length ends what it cuts with an ellipsis. */
static struct trace_value value_of(struct str text) {
    struct trace_value value = {.state = TRACE_VALUE, .is_text = !looks_like_number(text), .text = text};
    if (str_ends(text, "..."))
        value = (struct trace_value){.state = TRACE_ABSENT};
    return value;
}

bool postgresql_params(struct postgresql_log *log, struct str text) {
    log->params.count = 0;
    while (text.len > 0) {
        uint64_t number;
        struct str quoted;
        struct trace_value value = {.state = TRACE_NULL};
        if ((log->params.count > 0 && !take(&text, ", ")) || !take(&text, "$") ||
            !log_number(&text, &number) || number != log->params.count + 1 || !take(&text, " = "))
            return false;
        if (!take(&text, "NULL")) {
            if (text.len == 0 || text.ptr[0] != '\'' || !take_quoted(&text, &quoted))
                return false;
            value = value_of(quoted);
        }
        MVEC_PUSH(&log->params, value);
    }
    return true;
}

static struct trace_event event_of(struct postgresql_log *log, enum trace_event_kind kind,
                                   const struct postgresql_entry *entry, uint64_t session) {
    struct trace_event event = log_out_event(&log->out, kind, entry->offset, entry->line);
    event.session = session;
    event.time_us = entry->time_us;
    return event;
}

static bool is_told(const struct postgresql_entry *entry) {
    return entry->pid != 0 || entry->start != 0;
}

static void end_session(struct postgresql_log *log, const struct postgresql_entry *entry) {
    struct log_session *session = log_sessions_find(&log->sessions, entry->pid, entry->start);
    if (session == NULL)
        return;
    struct trace_event event = event_of(log, TRACE_END, entry, session->number);
    log_sessions_remove(&log->sessions, session);
    log_out_tell(&log->out, &event);
}

/* What is new to be told of a session; true if `text` is. */
static bool is_news(uint64_t *hash, struct str text) {
    uint64_t now = log_hash(text);
    if (text.len == 0 || *hash == now)
        return false;
    *hash = now;
    return true;
}

/* A process's number is used again: another user or database is another session. */
static bool is_other(const struct log_session *session, const struct postgresql_entry *entry) {
    return (session->user_hash != 0 && entry->user.len > 0 &&
            session->user_hash != log_hash(entry->user)) ||
           (session->database_hash != 0 && entry->database.len > 0 &&
            session->database_hash != log_hash(entry->database));
}

/* The entry's session, what is new of it told; NULL if the log does not tell sessions. */
static struct log_session *session_of(struct postgresql_log *log,
                                      const struct postgresql_entry *entry) {
    if (!is_told(entry)) {
        if (!log->out.are_sessions_told)
            log_out_gap(&log->out, "log_line_prefix has neither %p nor %c: sessions are not told apart",
                        entry->offset, entry->line, 0);
        log->out.are_sessions_told = true;
        return NULL;
    }
    struct log_session *session = log_sessions_get(&log->sessions, entry->pid, entry->start);
    if (is_other(session, entry)) {
        end_session(log, entry);
        session = log_sessions_get(&log->sessions, entry->pid, entry->start);
    }
    bool is_user = is_news(&session->user_hash, entry->user);
    bool is_database = is_news(&session->database_hash, entry->database);
    bool is_application = is_news(&session->application_hash, entry->application);
    if (is_user || is_database || is_application) {
        struct trace_event event = event_of(log, TRACE_SESSION, entry, session->number);
        event.user = entry->user;
        event.database = entry->database;
        event.application = entry->application;
        log_out_tell(&log->out, &event);
    }
    return session;
}

/* The values of a DETAIL or CONTEXT that holds some. */
static void take_params(struct postgresql_log *log, const struct postgresql_entry *entry,
                        struct trace_statement *statement) {
    struct str text = entry->detail;
    log->params.count = 0;
    if (!take(&text, "parameters: ") && !take(&text, "Parameters: ")) {
        const char *mark = " with parameters: ";
        text = entry->context;
        size_t at = find_text(text, mark);
        if (at == text.len)
            return;
        text = str_sub(text, at + strlen(mark), text.len);
    }
    /* Behind the values of a CONTEXT may stand further lines of it. */
    if (!postgresql_params(log, text) && log->params.count == 0)
        return;
    statement->params = log->params.items;
    statement->param_count = log->params.count;
}

/* A statement whose end is not told with it. */
static void tell_begun(struct postgresql_log *log, const struct postgresql_entry *entry,
                       struct str sql, bool is_more) {
    struct log_session *session = session_of(log, entry);
    struct trace_event event =
        event_of(log, TRACE_STATEMENT, entry, session != NULL ? session->number : 0);
    event.statement.sql = sql;
    event.statement.is_more = is_more;
    event.statement.is_cut = entry->is_cut;
    take_params(log, entry, &event.statement);
    if (session != NULL)
        session->pending_hash = log_hash(sql);
    log_out_tell(&log->out, &event);
}

static void tell_ended(struct postgresql_log *log, const struct postgresql_entry *entry,
                       struct str sql, bool is_more, int64_t duration_us) {
    struct log_session *session = session_of(log, entry);
    struct trace_event event =
        event_of(log, TRACE_STATEMENT, entry, session != NULL ? session->number : 0);
    if (entry->time_us >= 0 && duration_us <= entry->time_us)
        event.time_us = entry->time_us - duration_us;
    event.statement.sql = sql;
    event.statement.is_more = is_more;
    event.statement.is_cut = entry->is_cut;
    event.statement.outcome = TRACE_OK;
    event.statement.end_us = entry->time_us;
    take_params(log, entry, &event.statement);
    if (session != NULL)
        session->pending_hash = 0;
    log_out_tell(&log->out, &event);
}

static void tell_outcome(struct postgresql_log *log, const struct postgresql_entry *entry,
                         struct log_session *session, enum trace_outcome outcome) {
    struct trace_event event = event_of(log, TRACE_OUTCOME, entry, session->number);
    event.statement.outcome = outcome;
    event.statement.end_us = entry->time_us;
    if (outcome == TRACE_FAILED) {
        event.statement.error = entry->message;
        event.statement.error_code = entry->sqlstate;
    }
    session->pending_hash = 0;
    log_out_tell(&log->out, &event);
}

/* `NAME: SQL` or `fetch from NAME: SQL`, behind "execute ". */
static bool take_execute(struct str text, struct str *sql, bool *is_more) {
    *is_more = take(&text, "fetch from ");
    size_t at = find_text(text, ": ");
    if (at == text.len)
        return false;
    *sql = str_sub(text, at + 2, text.len);
    return true;
}

/* `0.123 ms`, alone or with what took that long. */
static void take_duration(struct postgresql_log *log, const struct postgresql_entry *entry,
                          struct str text) {
    int64_t duration_us;
    struct str sql;
    bool is_more = false;
    if (!log_millionths(&text, &duration_us) || !take(&text, " ms"))
        return;
    duration_us /= 1000;
    if (text.len == 0) {
        struct log_session *session =
            is_told(entry) ? log_sessions_find(&log->sessions, entry->pid, entry->start) : NULL;
        if (session != NULL && session->pending_hash != 0)
            tell_outcome(log, entry, session, TRACE_OK);
    } else if (take(&text, "  statement: ")) {
        tell_ended(log, entry, text, false, duration_us);
    } else if (take(&text, "  execute ") && take_execute(text, &sql, &is_more)) {
        tell_ended(log, entry, sql, is_more, duration_us);
    }
}

/* The value behind `name` ("user=") up to a space; `application_name` may have some: it ends before " SSL enabled (" or
 * " GSS (" or with the text. */
static struct str named(struct str text, const char *name) {
    size_t at = find_text(text, name);
    if (at == text.len)
        return (struct str){0};
    text = str_sub(text, at + strlen(name), text.len);
    bool is_application = str_starts(str_from_c(name), "application_name");
    size_t end = !is_application ? str_find(text, ' ', 0) : find_text(text, " SSL enabled (");
    if (is_application && end == text.len)
        end = find_text(text, " GSS (");
    return str_sub(text, 0, end);
}

static void take_connection(struct postgresql_log *log, const struct postgresql_entry *entry,
                            struct str text) {
    if (take(&text, "received: ")) {
        if (entry->start == 0)
            end_session(log, entry);
    } else if (take(&text, "authorized: ")) {
        struct postgresql_entry told = *entry;
        told.user = named(text, "user=");
        told.database = named(text, "database=");
        told.application = named(text, "application_name=");
        session_of(log, &told);
    }
}

static void take_log(struct postgresql_log *log, const struct postgresql_entry *entry) {
    struct str text = entry->message, sql;
    bool is_more;
    if (take(&text, "statement: ")) {
        tell_begun(log, entry, text, false);
    } else if (take(&text, "duration: ")) {
        take_duration(log, entry, text);
    } else if (take(&text, "execute ")) {
        if (take_execute(text, &sql, &is_more))
            tell_begun(log, entry, sql, is_more);
    } else if (take(&text, "connection ")) {
        take_connection(log, entry, text);
    } else if (str_starts(text, "disconnection: ")) {
        end_session(log, entry);
    }
}

/* A failed statement that was not told when it began. */
static void tell_failed(struct postgresql_log *log, const struct postgresql_entry *entry,
                        struct log_session *session) {
    struct trace_event event =
        event_of(log, TRACE_STATEMENT, entry, session != NULL ? session->number : 0);
    event.statement.sql = entry->statement;
    event.statement.is_cut = entry->is_cut;
    event.statement.outcome = TRACE_FAILED;
    event.statement.error = entry->message;
    event.statement.error_code = entry->sqlstate;
    event.statement.end_us = entry->time_us;
    take_params(log, entry, &event.statement);
    log_out_tell(&log->out, &event);
}

static void take_error(struct postgresql_log *log, const struct postgresql_entry *given) {
    struct postgresql_entry entry = *given;
    struct log_session *session =
        is_told(&entry) ? log_sessions_find(&log->sessions, entry.pid, entry.start) : NULL;
    if (entry.sqlstate.len == 0)
        entry.sqlstate = postgresql_sqlstate_of(entry.message);
    uint64_t pending = session != NULL ? session->pending_hash : 0;
    bool is_pending = pending != 0 && (entry.statement.len == 0 || entry.is_cut ||
                                       pending == log_hash(entry.statement));
    if (is_pending)
        tell_outcome(log, &entry, session, TRACE_FAILED);
    else if (entry.statement.len > 0)
        tell_failed(log, &entry, session_of(log, &entry));
    if (entry.severity == POSTGRESQL_FATAL && is_told(&entry))
        end_session(log, &entry);
}

void postgresql_log_take(struct postgresql_log *log, const struct postgresql_entry *entry) {
    log_out_zone(&log->out, &log->clock, entry->offset, entry->line);
    if (entry->severity == POSTGRESQL_LOG)
        take_log(log, entry);
    else if (entry->severity != POSTGRESQL_OTHER)
        take_error(log, entry);
}
