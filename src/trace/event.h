/* What a source saw of a database's work, as its decoder tells it: one event at a time, in the order of the source. A source
 * tells of statements (server logs, a wire capture, a proxy) or of changed rows (a binlog, logical decoding), never of both: the
 * statements that a binlog tells are those that it has no rows of (DDL, DML in statement format).
 *
 * Slices in an event belong to the decoder and live until the sink returns. What a source does not say is absent, never guessed.
 */
#ifndef LW_TRACE_EVENT_H
#define LW_TRACE_EVENT_H

#include "base/str.h"

/* A value in the text form in which its server prints it: numbers without leading zeros or a plus, times as
 * `2026-11-27 10:55:42.000123`, bytes as they are. Of one source, equal values have equal texts. */
enum trace_value_state {
    TRACE_ABSENT, /* not told: a column that a MINIMAL image leaves out, a parameter that a log cut off */
    TRACE_NULL,
    TRACE_VALUE,
};

struct trace_value {
    enum trace_value_state state;
    bool is_text; /* not a number: a text, a time, bytes; only a hint, where a source can't tell it is true */
    struct str text;
};

struct trace_rows {
    const struct str *columns;        /* names, as the server sent them */
    size_t column_count;
    const struct trace_value *values; /* row_count times column_count, row by row */
    size_t row_count;
    bool is_cut; /* there were more rows than the decoder keeps (TRACE_ROWS_MAX) */
};

enum { TRACE_ROWS_MAX = 1000 };

enum trace_outcome { TRACE_OUTCOME_UNKNOWN, TRACE_OK, TRACE_FAILED };

/* Whether a transaction is open behind a statement, as the server itself told: a wire tells it, a log does not. Statements that one
 * text or one pipeline sends to PostgreSQL share a transaction without a BEGIN: it is open behind each but the last. */
enum trace_transaction { TRACE_TRANSACTION_UNKNOWN, TRACE_TRANSACTION_NONE, TRACE_TRANSACTION_OPEN };

/* One statement of a session. BEGIN, COMMIT, SET and the like are statements, too. */
struct trace_statement {
    struct str sql; /* as sent, comments included; `$1` or `?` where a parameter stands */
    const struct trace_value *params;
    size_t param_count; /* 0 if the values stand in the text */
    bool is_cut;        /* the source holds only the beginning of the text */
    bool is_of_test;    /* a test's own: it sets the stage, or looks at what has become */
    bool is_more;           /* nothing ran anew: more rows of one told before (a cursor's, a procedure's next result) */
    enum trace_outcome outcome;
    enum trace_transaction transaction_after;
    struct str error_code; /* FAILED: SQLSTATE of PostgreSQL, number of MySQL; empty: not told */
    struct str error;      /* FAILED: the message */
    int64_t end_us;        /* microseconds since the epoch when the answer came; -1: not told */
    int64_t row_count;     /* rows returned or changed; -1: not told */
    const struct trace_rows *rows; /* NULL: not seen */
};

enum trace_change_kind { TRACE_INSERT, TRACE_UPDATE, TRACE_DELETE };

/* One row that a transaction changed. Columns have the same index in `before` and `after`. */
struct trace_change {
    enum trace_change_kind kind;
    struct str schema, table;
    const struct str *columns; /* names; NULL: the source has none, they are @1, @2, ... by position */
    const bool *is_key;        /* part of the primary key (or replica identity); NULL: not told */
    size_t column_count;
    const struct trace_value *before; /* UPDATE, DELETE; NULL: not told */
    const struct trace_value *after;  /* INSERT, UPDATE: what is absent there was not changed, or a gap says why not told */
    struct str sql; /* the statement that did it, where the source is annotated; else empty */
};

enum trace_server { TRACE_SERVER_UNKNOWN, TRACE_POSTGRESQL, TRACE_MYSQL };

enum trace_event_kind {
    TRACE_SESSION,   /* a session began, or more is known of it: `session_*` */
    TRACE_STATEMENT, /* `statement` */
    TRACE_OUTCOME,   /* of sources that tell a statement as it begins: how the session's last one ended. `statement` without `sql`:
                      * only outcome, error_code, error, end_us and row_count. Before the session's next statement, or never. */
    TRACE_BEGIN,     /* of row sources: what follows with this `transaction` is one */
    TRACE_CHANGE,    /* `change` */
    TRACE_COMMIT,    /* of row sources: the order of commits is that of these events */
    TRACE_ROLLBACK,  /* of row sources (non-transactional rest, XA) */
    TRACE_TEST,      /* a test has wrapped the session: its open transaction, or the next, will be rolled back, and what runs in it stands for
                      * transactions of its own: a savepoint from here on for one, a statement outside of any for one that commits alone */
    TRACE_END,       /* the session ended; a transaction that was open is rolled back */
    TRACE_GAP,       /* something could not be read: `gap`, at `place`; reading goes on behind it */
};

/* Where an event stands in its source. */
struct trace_place {
    struct str file;  /* as given by the user; "-" for standard input */
    uint64_t offset;  /* bytes from the beginning (of what a .gz unpacks to) */
    uint64_t line;    /* from 1; 0 in sources that have no lines */
};

struct trace_gap {
    const char *reason; /* what was met, in the words for a user: "the event's checksum is wrong" */
    uint64_t byte_count; /* left out; 0: nothing but an event that is not modelled */
    bool is_encrypted;  /* a connection that goes on encrypted: counted, not an error */
};

struct trace_event {
    enum trace_event_kind kind;
    enum trace_server server; /* whose SQL and values; MySQL is MariaDB, too */
    struct trace_place place;
    uint64_t session;     /* a connection, unique in this source; 0: not told (row sources) */
    int64_t time_us;      /* microseconds since the epoch, UTC where the source says its zone; -1: not told */
    struct str transaction; /* row sources: GTID or xid, printable */
    struct str user, database, application; /* SESSION; empty: not told */
    union {
        struct trace_statement statement;
        struct trace_change change;
        struct trace_gap gap;
    };
};

/* Who takes the events. */
struct trace_sink {
    void (*event)(void *context, const struct trace_event *event);
    void *context;
};

#endif
