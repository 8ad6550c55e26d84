/* SQL text of a queryset: its columns, joins, conditions, order and lock, as the ORM's compiler writes them. A
 * part that has no SQL here makes a note and marks the text as failed; the statement is then not sent.
 */
#ifndef LW_DJANGO_SQLGEN_H
#define LW_DJANGO_SQLGEN_H

#include "django/lower.h"

struct sql_join {
    struct str path, table, alias, on;
    struct model *model;
    bool is_outer;
};

struct sqlgen {
    struct lowerer *l;
    struct model *model;
    struct str alias; /* of the model's own table */
    VEC(struct sql_join) joins;
    struct txn_span span;
    uint32_t *alias_count;
    struct sqlgen *outer; /* OuterRef */
    bool is_inner_alias;
    bool has_failed; /* something has no SQL here: a note was made */
    bool has_any;    /* a column or value in it may be any */
    bool is_unqualified;
    bool is_order_needed;   /* first(): by the key if nothing else is given */
    struct queryset *query; /* whose annotations can be named */
};
void sqlgen_column(struct sqlgen *gen, struct str column, struct buf *out);
void sqlgen_init(struct sqlgen *gen, struct lowerer *l, struct model *model, struct txn_span span);
void sqlgen_fail(struct sqlgen *gen, struct str what);
/* Whether rows are only read by it: no write and no lock hangs on what it says. */
bool sqlgen_is_read(const struct sqlgen *gen);
/* A column or value that isn't known: any, where rows are only read; else a failure. */
void sqlgen_any(struct sqlgen *gen, struct str name, struct buf *out);
void sqlgen_cond(struct sqlgen *gen, const struct cond *cond, bool is_outer, bool is_negated,
                 struct buf *out);
void sqlgen_subquery(struct sqlgen *gen, const struct queryset *query, struct buf *out);
/* The rows that a many-to-many field of an object leads to. */
void sqlgen_through(struct sqlgen *gen, const struct cond *cond, struct buf *out);
bool sqlgen_join_through(struct sqlgen *gen, struct str name, struct model *through, struct str far,
                         struct str near, struct str *column);
bool sqlgen_annotation(struct sqlgen *gen, struct str path, struct str *column, struct str *rest);
/* " WHERE t.id IN (SELECT ...)": for UPDATE and DELETE over joins. */
void sqlgen_where_keys(struct lowerer *l, const struct queryset *query, struct txn_span span,
                       struct buf *out);
/* " FROM t INNER JOIN ..." */
void sqlgen_from(struct sqlgen *gen, struct buf *out);
/* " WHERE ...", or nothing. */
void sqlgen_where(struct sqlgen *gen, const struct queryset *query, struct buf *out);
void sqlgen_order(struct sqlgen *gen, const struct queryset *query, struct buf *out, bool is_reversed);
void sqlgen_columns(struct sqlgen *gen, const struct queryset *query, struct buf *out);
void sqlgen_expr(struct sqlgen *gen, const struct sqlx *sql, struct buf *out);
/* The column that a path means, joins added. `rest`: the lookups after it. */
bool sqlgen_path(struct sqlgen *gen, struct str path, bool is_outer, struct str *column,
                 struct model_field **field, struct str *rest);
void sqlgen_limit(struct sqlgen *gen, const struct queryset *query, struct buf *out);
void sqlgen_lock(struct sqlgen *gen, const struct queryset *query, struct buf *out);
/* A whole SELECT of the queryset's rows. */
void sqlgen_select(struct sqlgen *gen, const struct queryset *query, struct buf *out);

#endif
