/* A record of one replayed schedule, kept only when a witness is judged or shown (the search itself keeps
 * none). It holds the steps with their SQL and answers, and, for the monitor, what each host value was
 * computed from: a *source* is one column of one row of one read, or whether the read found anything; a set
 * of sources is named by a number, 0 being the empty set.
 */
#ifndef LW_EXPLORE_TRACE_H
#define LW_EXPLORE_TRACE_H

#include "base/vec.h"
#include "engine/engine.h"
#include "program/program.h"

enum { SOURCE_EXISTENCE = 0xffff };

/* `read`: index of the trace event; `row`: of its result; `item`: the result's column, or SOURCE_EXISTENCE. */
struct trace_source {
    uint32_t read;
    uint32_t row;
    uint16_t item;
};

struct trace_set {
    VEC(struct trace_source) sources;
};

enum ran_kind {
    RAN_STATEMENT,
    RAN_BEGIN,
    RAN_SAVEPOINT,
    RAN_RELEASE,
    RAN_COMMIT,
    RAN_ROLLBACK,
    RAN_ROLLBACK_TO,
    RAN_LOCK,   /* a mutex was taken */
    RAN_UNLOCK, /* and let go */
    RAN_EFFECT,
    RAN_RAISE, /* the program raised; or an exception left it */
};

/* A column that a statement wrote from a row object, or an inserted or assigned host value. */
struct trace_cell {
    uint16_t column;     /* of the table written */
    uint32_t deps;       /* of the value */
    bool is_loaded;      /* from a row object that had loaded it */
    bool is_assigned;    /* ... and the program assigned it since */
    bool is_pending;     /* an expression, F() */
    uint8_t times_sent;  /* of that expression before this write */
    struct value value;  /* written; of an expression: NULL */
};

struct ran_event {
    enum ran_kind kind;
    uint8_t session;
    uint32_t step;               /* of the schedule */
    const struct txn_step *at;   /* what caused it; may be NULL (COMMIT at the end of a block has its block) */
    struct str sql;              /* with values; of a lock or effect: its name and arguments */
    struct str result;           /* "UPDATE 1", "(1, 10)", "error 40001: ..."; empty while it waits */
    bool waited;                 /* BLOCKED first; `resumed_step` then tells when it went on */
    struct str waits_for;        /* "A, C" */
    uint32_t resumed_step;
    enum db_error error;
    const struct sql_stmt *stmt; /* STATEMENT */
    const struct db_bind *binds; /* STATEMENT: copies */
    const struct value *rows;    /* STATEMENT: copies of the result */
    const struct db_ref *row_refs;
    size_t row_count, column_count, ref_count;
    const struct db_ref *writes;
    size_t write_count;
    const struct trace_cell *cells; /* UPDATE, INSERT: what was written from host values */
    size_t cell_count;
    uint32_t control_deps;       /* what decided that the step was reached */
    uint32_t where_deps;         /* what its WHERE was computed from */
    uint32_t effect_deps;        /* EFFECT: of its arguments */
    uint32_t transaction;        /* number of the session's transaction, from 1; 0: autocommit */
};

struct trace {
    struct arena *arena;
    VEC(struct ran_event) events; /* in order */
    VEC(struct trace_set) sets;     /* [0] is the empty set */
    uint32_t reading;               /* the event whose answer is being taken in */
    uint32_t step;                  /* of the schedule, being done */
    uint32_t pending[DB_SESSIONS_MAX];     /* the event of each session's statement at hand */
    uint32_t transaction[DB_SESSIONS_MAX]; /* each session's open transaction, 0: none */
    uint32_t transaction_count[DB_SESSIONS_MAX];
    /* Called after each event, with the world as it is then: where the monitor looks at the database. */
    void (*on_event)(void *context, struct trace *trace, uint32_t event, struct db *db);
    void *context;
};

void trace_init(struct trace *trace, struct arena *arena);
/* The set with just this source. */
uint32_t trace_set_of(struct trace *trace, struct trace_source source);
/* The union; trace may be NULL (then 0). */
uint32_t trace_union(struct trace *trace, uint32_t a, uint32_t b);
const struct trace_set *trace_set_get(const struct trace *trace, uint32_t set);

/* The event's statement as it was sent, shortened for people. */
void trace_print_brief(const struct ran_event *event, const struct text_pool *pool,
                       enum sql_dialect dialect, const struct sql_brief *brief, struct buf *out);

#endif
