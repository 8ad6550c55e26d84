/* What an entry of a PostgreSQL server's log says, whatever format it was read from (stderr, csvlog, jsonlog).
 *
 * Statements come at their beginning (log_statement: "statement: ...", "execute NAME: ..."), or at their end with their
 * duration (log_min_duration_statement, log_duration); of one that comes at both, the end is a TRACE_OUTCOME. A statement of the
 * extended protocol has up to three entries (parse, bind, execute), of which the last one counts.
 */
#ifndef LW_LOGS_POSTGRESQL_H
#define LW_LOGS_POSTGRESQL_H

#include "base/vec.h"
#include "logs/out.h"
#include "logs/sessions.h"

enum postgresql_severity {
    POSTGRESQL_OTHER, /* DEBUG, INFO, NOTICE, WARNING */
    POSTGRESQL_LOG,
    POSTGRESQL_ERROR,
    POSTGRESQL_FATAL, /* and PANIC: the session ends, too */
};

/* Texts are slices of memory that may be changed; what is not there is empty. */
struct postgresql_entry {
    uint64_t pid, start;   /* the session; `start` 0: not told. Both 0: the log does not tell sessions */
    int64_t time_us;       /* -1: not told */
    struct str user, database, application;
    enum postgresql_severity severity;
    struct str sqlstate, message, detail, context, statement;
    bool is_cut; /* the last of the texts is */
    uint64_t offset, line;
};

struct postgresql_log {
    struct log_out out;
    struct log_clock clock;
    struct log_sessions sessions;
    VEC(struct trace_value) params; /* of the statement at hand, used again */
};

void postgresql_log_init(struct postgresql_log *log, const struct trace_sink *sink,
                         const struct trace_options *options);
void postgresql_log_release(struct postgresql_log *log);

/* Tells what an entry says. Its texts may be changed. */
void postgresql_log_take(struct postgresql_log *log, const struct postgresql_entry *entry);

/* ERROR as in a log; OTHER if it is none of those. */
enum postgresql_severity postgresql_severity_of(struct str name);

/* The SQLSTATE of an error by the beginning of its message (in English); empty: not known. */
struct str postgresql_sqlstate_of(struct str message);

/* `$1 = '7', $2 = NULL`: the values, of which quoted ones lose doubled quotes in place. False if it is not that; what was
 * read before is there. */
bool postgresql_params(struct postgresql_log *log, struct str text);

#endif
