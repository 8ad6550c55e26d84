/* Grouping: collects the matches of an aggregate query into groups and computes COUNT, SUM, MIN, MAX and
 * AVG over each. Only query*.c include it.
 */
#ifndef LW_ENGINE_QUERY_GROUP_H
#define LW_ENGINE_QUERY_GROUP_H

#include "engine/query_join.h"

struct accumulator {
    int64_t count;      /* rows that counted: not NULL, and the first of their kind with DISTINCT */
    struct value total; /* SUM, AVG: the sum; MIN, MAX: the best */
    VEC(struct value) seen; /* DISTINCT */
};

struct group {
    const struct value *keys;         /* GROUP BY's values */
    struct query_tuple tuple;         /* its first match, what columns outside of aggregates mean */
    struct accumulator *accumulators; /* one per call */
};

struct grouping {
    struct join *join;
    const struct sql_select *select;
    VEC(const struct sql_expr *) calls; /* the aggregate calls in items, HAVING and ORDER BY */
    VEC(struct group) groups;
};

/* Finds the aggregate calls of `select`. */
void grouping_begin(struct grouping *grouping, struct join *join, const struct sql_select *select);
/* Adds the match at hand. */
bool grouping_add(struct grouping *grouping);
/* Without GROUP BY there is one group, even of no rows. */
void grouping_end(struct grouping *grouping);
/* Points the join's frame at group `index`; *values gets the results of the calls. */
bool grouping_enter(struct grouping *grouping, size_t index, struct eval_group *values);

/* ORDER BY and GROUP BY may name an item by its alias or its number (from 1): the item's expression then. */
const struct sql_expr *query_item_expr(const struct sql_select *select,
                                       const struct sql_expr *expr);

#endif
