/* The part of a query up to WHERE, shared by SELECT, UPDATE and DELETE: nested loops over the sources from
 * left to right, each condition looked at as soon as its sources are there. Only query*.c include it.
 */
#ifndef LW_ENGINE_QUERY_JOIN_H
#define LW_ENGINE_QUERY_JOIN_H

#include "engine/query.h"

struct join;

/* A match: the frame and `tuple` have its rows. False stops the join: because of an error or a wait, or
 * with join.is_done because no more matches are wanted. */
typedef bool join_emit(struct join *join);

/* A condition of WHERE, and the last source it needs. */
struct join_condition {
    const struct sql_expr *expr;
    size_t level;
};

struct join {
    struct query *query;
    const struct sql_source *const *sources;
    size_t source_count;
    const struct sql_expr *where;
    struct eval_frame frame;
    struct query_scan *scans; /* one per source; the caller sets lock, is_target and order_by */
    struct db_ref *refs;      /* one per source */
    struct query_tuple tuple; /* the frame's rows and refs */
    struct join_condition *conditions;
    size_t condition_count;
    struct {
        const struct value *rows; /* of a FROM subquery, column_count each */
        size_t row_count, column_count;
    } * derived; /* one per source */
    join_emit *emit;
    void *context;
    bool is_done;
};

/* Makes a join ready; its frame becomes the innermost one until join_end. False: nested too deeply. */
bool join_begin(struct join *join, struct query *query, const struct sql_source *const *sources,
                size_t source_count, const struct sql_expr *where);
/* Runs FROM subqueries, opens the scans, calls `emit` for each match. False: error or wait. */
bool join_run(struct join *join);
void join_end(struct join *join);

/* Points the frame at `tuple`. */
void join_set_tuple(struct join *join, const struct query_tuple *tuple);
/* Whether all conditions hold for the frame's rows. */
bool join_conditions_hold(struct join *join, bool *holds);
/* A copy of the tuple at hand, in scratch. */
struct query_tuple join_copy_tuple(const struct join *join);
/* Notes that the answer rests on the rows of `tuple`. */
void join_note_reads(struct join *join, const struct query_tuple *tuple);

/* Sorts `count` numbers by `key_count` values each at keys[number * key_count], stable. */
void query_sort(struct query *query, uint32_t *numbers, size_t count, const struct value *keys,
                size_t key_count, const struct sql_order *order_by);

/* Whether a subquery's answer hangs on the row of the query around it. */
bool query_is_correlated(const struct eval *eval, const struct sql_select *select);

#endif
