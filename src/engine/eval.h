/* The value of a resolved SQL expression, as one engine computes it: three-valued logic, coercion between
 * kinds, functions. A `struct eval` holds what stays the same over a statement (dialect, host values,
 * scratch memory); a `struct eval_frame` is one running query, linked to the query around it, so that a
 * column is `depth` frames outwards. Nothing here allocates but in the scratch arena.
 *
 * Any call that gives false has left the reason in `error` and `detail`; `error` DB_OK_NO_ERROR with false
 * means that a row of a subquery has to be waited for (see query.h, ROW_STOP).
 */
#ifndef LW_ENGINE_EVAL_H
#define LW_ENGINE_EVAL_H

#include "engine/engine.h"

/* What the aggregate calls of one group of rows gave. */
struct eval_group {
    const struct sql_expr *const *calls;
    const struct value *values; /* one per call */
    size_t count;
};

/* The rows that column references of one running query mean. */
struct eval_frame {
    const struct eval_frame *outer; /* NULL: the statement itself */
    size_t source_count;
    const struct value *rows[SQL_SOURCES_MAX]; /* by source; NULL: all columns NULL (outer join) */
    const struct value *excluded;              /* SQL_SOURCE_EXCLUDED; NULL: none */
    const struct value *items;                 /* SQL_SOURCE_ITEM: the values of the select items */
    const struct eval_group *group;            /* what aggregate calls give; NULL: not grouped */
};

enum eval_subquery_mode { EVAL_SUBQUERY_SCALAR, EVAL_SUBQUERY_EXISTS, EVAL_SUBQUERY_IN };

struct eval {
    const struct schema *schema;
    struct text_pool *pool;
    struct arena *scratch; /* reset by the owner between statements */
    enum engine_kind engine;
    struct db_twin *twin; /* of the database, may be NULL */
    const struct db_bind *binds;
    size_t bind_count;
    const struct eval_frame *frame; /* the innermost running query */
    /* now(): a value with origin. NULL: not modelled. */
    struct value (*now)(void *context);
    void *now_context;
    /* Calls that need the session, `now_context` being the same: advisory locks, current_setting. *is_known: it is one.
     * NULL: there is none. */
    bool (*session_call)(struct eval *eval, const struct sql_expr *call, const struct value *args,
                         size_t arg_count, bool *is_known, struct value *result);
    /* Runs a subquery of the current frame; set by query_begin. IN: `needle` has `needle_count` values. */
    bool (*subquery)(struct eval *eval, const struct sql_select *select,
                     enum eval_subquery_mode mode, const struct value *needle, size_t needle_count,
                     struct value *result);
    enum db_error error;
    char detail[96];
    unsigned nesting;
};

/* Fills the fields that stay over all statements; the rest are zero. */
void eval_init(struct eval *eval, enum engine_kind engine, const struct schema *schema,
               struct text_pool *pool, struct arena *scratch);

/* The value of `expr` in the current frame. */
bool eval_expr(struct eval *eval, const struct sql_expr *expr, struct value *result);

/* Whether a condition holds (NULL counts as no). NULL `expr`: it holds. */
bool eval_condition(struct eval *eval, const struct sql_expr *expr, bool *holds);

/* SQL comparison of two values that are not NULL, in the engine's collation and with its coercions:
 * *order <0, 0, >0. */
bool eval_compare(struct eval *eval, struct value a, struct value b, int *order);

/* Whether two values are one value of an index, NULL being different from everything: what unique keys and
 * foreign keys go by. */
bool eval_same_key(struct eval *eval, struct value a, struct value b);
/* The order of an index: a total order, NULL first. */
int eval_key_order(const struct eval *eval, struct value a, struct value b);

/* The order of ORDER BY: NULLs first or last as the engine has it. */
int eval_sort_order(const struct eval *eval, struct value a, struct value b, bool is_descending);

/* What a column keeps when it is given `value`: converted to its type, or DATA if it can't be. */
bool eval_store(struct eval *eval, const struct column *column, struct value value,
                struct value *result);

/* The value of a column's default, NULL if it has none. */
bool eval_default(struct eval *eval, const struct column *column, struct value *result);

/* Whether a CALL is COUNT, SUM, MIN, MAX or AVG over a group. */
bool eval_is_aggregate(const struct sql_expr *call);

/* The value of a function call; the arguments are given. Used by eval_expr alone. */
bool eval_call(struct eval *eval, const struct sql_expr *call, const struct value *args,
               size_t arg_count, struct value *result);
/* CAST to the type written in `type_text`. */
bool eval_cast(struct eval *eval, struct str type_text, struct value value, struct value *result);
/* The number at the front of a text; *whole: nothing but blanks follows it, and there was one. */
struct value eval_text_number(const struct eval *eval, struct value text, bool *whole);
/* A value as text, without quotes. */
struct value eval_to_text(struct eval *eval, struct value value);
bool eval_is_number(struct value value);

/* Leaves an error; always false. */
bool eval_fail(struct eval *eval, enum db_error error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
