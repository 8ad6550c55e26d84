/* The SELECT pipeline over any source of rows: nested-loop joins, WHERE, subqueries, grouping, HAVING,
 * DISTINCT, ORDER BY, LIMIT. The engines give a `struct row_source`, which says what rows this reader sees
 * and takes the locks; UPDATE and DELETE use the part up to WHERE (query_match).
 *
 * Order of calls for each source of a query, from left to right: open, then next until ROW_END. After each
 * row that was given, either it took part in a match or `reject` is called (RC lets its lock go). A ROW_STOP
 * ends the query at once with false: the source must wait, or left an error in `eval`. The statement is run
 * again from the start later; what has to outlast that is the source's to keep.
 *
 * All memory is in eval.scratch; nothing is allocated from the system once that has grown.
 */
#ifndef LW_ENGINE_QUERY_H
#define LW_ENGINE_QUERY_H

#include "engine/eval.h"

enum { QUERY_STEPS_MAX = 4000000, QUERY_NESTING_MAX = 24 };

enum row_step { ROW_FOUND, ROW_END, ROW_STOP };

/* One scan of one table by one query. */
struct query_scan {
    uint16_t table;
    uint8_t source;     /* index in the query's FROM list */
    uint8_t level;      /* 0: the statement's own query; subqueries are deeper */
    bool is_target;     /* the table that UPDATE or DELETE changes */
    enum sql_lock lock; /* what the statement asks for this source; NONE: plain read */
    enum sql_lock_wait lock_wait;
    const struct sql_expr *where,
        *on; /* conditions whose conjuncts may give an access path; may be NULL */
    const struct sql_select *select; /* the query; NULL: UPDATE or DELETE */
    const struct sql_order
        *order_by; /* set if nothing but this source's rows in this order is asked for */
    size_t order_count;
    /* Set by open: rows come in the order of order_by, so LIMIT may end the scan early. */
    bool is_sorted;
    /* Set by open, of the target of an UPDATE: all matches are found before the first is changed. */
    bool is_read_first;
    /* The source's own place in the scan; zero before open. */
    size_t place;
    uint64_t note[4];
    void *state;
    /* Set by next, on ROW_FOUND. The values must hold until the statement ends. */
    const struct value *values;
    struct db_ref ref;
};

/* A match of all sources of a query. */
struct query_tuple {
    const struct value **rows; /* by source; NULL: no row of an outer join */
    struct db_ref *refs;       /* by source; version 0 likewise and for FROM subqueries */
};

enum tuple_step { TUPLE_KEEP, TUPLE_DROP, TUPLE_RECHECK, TUPLE_STOP };

struct row_source {
    void *context;
    /* Begins a scan. `eval.frame` has the rows of the sources to the left, so that the value a key is
     * compared with can be computed. False: stop, as ROW_STOP. */
    bool (*open)(void *context, struct eval *eval, struct query_scan *scan);
    enum row_step (*next)(void *context, struct eval *eval, struct query_scan *scan);
    /* The row last given matches nothing; may be NULL. */
    void (*reject)(void *context, struct eval *eval, struct query_scan *scan);
    /* PostgreSQL's LockRows: called for each match of a query that locks, after ORDER BY, before LIMIT. May
     * put newer versions into `tuple` and ask for RECHECK: the conditions are evaluated again on it, and
     * the tuple is kept if they hold. NULL: not called. */
    enum tuple_step (*lock)(void *context, struct eval *eval, const struct sql_select *select,
                            struct query_tuple *tuple);
};

struct query_result {
    size_t row_count, column_count, ref_count;
    struct value *rows;
    struct db_ref *row_refs; /* row_count times ref_count; NULL if ref_count is 0 */
};

/* A scalar subquery met in the statement: PostgreSQL runs one that hangs on no row around it once (an InitPlan). */
struct query_once {
    const struct sql_select *select;
    bool is_correlated;
    struct value value;
};

struct query {
    struct eval eval; /* first: a struct eval that was begun is a struct query */
    struct row_source source;
    VEC(struct db_ref) reads; /* each row version that a match rests on, once */
    VEC(struct query_once) once;
    unsigned step_count;      /* rows looked at, bounded by QUERY_STEPS_MAX */
    uint8_t level;
};

/* Makes `query` ready for one statement: `eval` is as eval_init left it, with binds and now set. */
void query_begin(struct query *query, const struct row_source *source);

/* Runs a SELECT; *result is in the scratch arena. False: error or wait, see eval.h. */
bool query_select(struct query *query, const struct sql_select *select,
                  struct query_result *result);

/* UPDATE and DELETE: the target, then the sources of FROM or USING. */
struct query_change {
    const struct sql_source *target;
    const struct sql_source *others;
    size_t other_count;
    const struct sql_expr *where;
    const struct sql_order *order_by;
    size_t order_count;
    const struct sql_expr *limit;
    /* Called for each match in order, with the frame set to it: locks, looks at it again, changes it. With
     * ORDER BY, all matches are found first. A target row is given once. TUPLE_STOP ends with false;
     * TUPLE_DROP does not count towards LIMIT; TUPLE_RECHECK is not an answer here, see query_recheck. */
    enum tuple_step (*change)(void *context, struct query *query, struct query_tuple *tuple);
    /* Where a scan is_read_first: takes hold of a match when it is found, `change` then again. */
    enum tuple_step (*hold)(void *context, struct query *query, struct query_tuple *tuple);
    void *context;
};

bool query_match(struct query *query, const struct query_change *change);

/* Whether the conditions of `change` hold for `tuple`, whose rows may have been replaced by newer versions;
 * the frame is set to it. For use inside `change`. */
bool query_recheck(struct query *query, const struct query_change *change,
                   const struct query_tuple *tuple, bool *holds);

/* RETURNING: the items' values for one row of the target, one per item (resolved: no `*` is left). */
bool query_returning(struct query *query, const struct sql_item *items, size_t item_count,
                     const struct value *row, struct value *out);

#endif
