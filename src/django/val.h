/* Abstract values: what an expression of the source evaluates to while a function is lowered. What the source
 * fixes (functions, classes, querysets not yet sent, constants, containers) is kept as it is; what only the
 * run knows (scalars, rows) stands for variables and expressions of the program.
 *
 * They are held in cells (locals, attributes of instances, relation caches of rows); lower.h says who writes
 * those.
 */
#ifndef LW_DJANGO_VAL_H
#define LW_DJANGO_VAL_H

#include "django/facts.h"
#include "program/program.h"

struct args;
struct cond;
struct frame;
struct queryset;
struct sqlx;

enum val_kind {
    VAL_SCALAR,   /* expr */
    VAL_ROW,      /* row */
    VAL_ROWS,     /* var: a list of rows (model) or of scalars (model NULL) */
    VAL_QUERYSET, /* query; a manager too */
    VAL_SEQUENCE, /* items */
    VAL_DICT,     /* keys, items */
    VAL_CLASS,    /* class_ */
    VAL_INSTANCE, /* of class_, attributes in `fields` */
    VAL_FUNC,     /* func, closure; a lambda: node */
    VAL_BOUND,    /* func with self */
    VAL_METHOD,   /* the ORM's own method `name` of self */
    VAL_SUPER,    /* self, the classes after class_ */
    VAL_MODULE,   /* module */
    VAL_EXTERNAL, /* name: dotted */
    VAL_PARTIAL,  /* self called with items */
    VAL_SQL,      /* sql: F("x") + 1 */
    VAL_COND,     /* cond: Q(...) */
    VAL_LOCK,     /* an application lock: name; expr: its key, or NULL */
    VAL_CHOICE,   /* one of items, as var says: choice.h */
    VAL_UNKNOWN   /* name: its source text. As a scalar it is `expr`, or else a parameter of the program */
};

struct val {
    enum val_kind kind;
    struct txn_span span;
    struct txn_expr *expr;
    struct row *row;
    struct queryset *query;
    uint16_t var;
    struct model *model;
    VEC(struct val *) items;
    VEC(struct val *) keys;
    struct py_class *class_; /* UNKNOWN: the model whose _meta it is */
    struct fields *fields;
    struct py_func *func;
    struct frame *closure;
    const struct py_node *node;
    struct val *self;
    struct module *module;
    struct str name; /* SCALAR: with `row`, the field of it that was read */
    struct str pattern; /* SCALAR, UNKNOWN: what is known of a text (template.h) */
    struct sqlx *sql;
    struct cond *cond;
    struct args *atomic_args;
    const struct prefetch *prefetch; /* PARTIAL "prefetch" */
    struct val *refined_from; /* what it was before a test told more about it */
    struct cell *content; /* SEQUENCE, DICT that was changed in place: what it holds now, for all that hold it */
    bool is_static;     /* FUNC: static method */
    bool is_partial;    /* ROWS: with deferred columns */
    bool is_sample;     /* SEQUENCE: its one item is a row that stands for all, or null: container.c */
    bool is_container;  /* UNKNOWN: a list, set or dict, whose own methods leave the database alone */
    bool is_orm;        /* UNKNOWN: may be a row, a queryset or something of the project that writes */
    bool is_object;     /* UNKNOWN, is_orm: of several things, none of which is a row */
    bool is_request;    /* UNKNOWN: an HTTP request; with a model: a row that one brought */
    bool is_plain;      /* UNKNOWN: none of the ORM's or the project's things */
    bool is_many;       /* UNKNOWN with a model: something that gives rows of it, */
    bool is_null;       /* else a row of it, by its key (given.h); or None */
    bool is_cached;     /* UNKNOWN: what a cache had, which is taken for nothing where that is asked */
};

struct cell {
    struct val *val; /* NULL: unset */
    struct str name;
    bool is_cache;   /* of a relation: unset if branches differ */
    size_t site;     /* the last that was told of its changes, by number */
    size_t merge;    /* the last that it had a part in, by number, */
    size_t merged;   /* as the how-manieth cell */
};

struct fields {
    struct map cells; /* struct cell */
};

/* What prefetch_related() was asked for. */
struct prefetch {
    struct str path;
    struct queryset *query; /* of Prefetch(); NULL: all that the relation leads to */
    struct str to_attr;     /* of Prefetch(); empty: none */
};

/* A model instance: one object of the program. */
/* A column that was assigned, and the block of steps it was done in. */
struct assigned {
    const struct model_field *field;
    const struct txn_block *block;
};

struct row {
    struct model *model;
    uint16_t var;
    struct fields *caches;     /* related objects by field name, other attributes too */
    struct cell pk_state;      /* "set" or "unset" as SCALAR bool; unset cell: not known */
    bool is_null_possible, is_new;
    bool is_changed_here;      /* code of the project assigned columns: not only a form did */
    bool is_partial;           /* only() or defer(): `loaded` names the columns */
    bool is_values;            /* of values() or values_list(): a dict or tuple, not an object */
    VEC(struct str) loaded;
    VEC(struct assigned) assigned; /* by the program, so far */
    VEC(struct prefetch) prefetched; /* relations whose rows came with this one's query */
};

enum sqlx_kind { SQLX_F, SQLX_VALUE, SQLX_BINARY, SQLX_CALL, SQLX_CASE, SQLX_SUBQUERY, SQLX_EXISTS, SQLX_NEG };

/* An SQL expression of the ORM, before it is known for which table. */
struct sqlx {
    enum sqlx_kind kind;
    struct str name; /* F: path; BINARY: operator; CALL: function */
    bool is_distinct, is_aggregate, is_outer;
    VEC(struct sqlx *) args;
    VEC(struct cond *) conds; /* CASE: one for each value in args; one more arg: default. CALL: filter */
    struct val *value;
    struct queryset *query;
};

enum cond_kind { COND_AND, COND_OR, COND_NOT, COND_LOOKUP, COND_EXPR, COND_FREE };

struct cond {
    enum cond_kind kind;
    struct txn_span span;
    VEC(struct cond *) args;
    struct str path;   /* LOOKUP: "collection__id__gt" */
    struct val *value;
    struct model_field *through; /* LOOKUP: rows that this many-to-many field of `value` leads to */
    struct sqlx *expr; /* EXPR: Exists(...) */
    int64_t number;    /* FREE: what `value` is compared with */
    bool is_unlike, is_unknown; /* FREE: unknown: stands for conditions that aren't known */
    bool is_any;       /* FREE: where rows are only read it holds for all of them */
    bool is_empty_somewhere; /* AND: on some path it is Q(), which `|` leaves out */
};

enum query_result { QUERY_ROWS, QUERY_DICTS, QUERY_TUPLES, QUERY_FLAT };

struct annotation {
    struct str name;
    struct sqlx *sql;
};

struct queryset {
    struct model *model;
    struct py_class *class_; /* the manager's or queryset's own class, or NULL */
    struct txn_span span;
    bool is_manager;
    VEC(struct cond *) where;
    VEC(struct str) order_by;
    bool is_order_set, is_reversed;
    struct val *limit, *offset;
    enum sql_lock lock;
    enum sql_lock_wait lock_wait;
    VEC(struct str) lock_of;
    bool is_distinct, is_none;
    bool is_guard; /* what its conditions are decides what is written */
    enum query_result result;
    VEC(struct str) columns;  /* values() */
    VEC(struct str) only, defer, related;
    VEC(struct prefetch) prefetched;
    struct queryset *ready;   /* of a related manager: what all() gives, fetched with the owner; or NULL */
    VEC(struct annotation) annotations;
    struct row *owner;        /* of a related manager: known related object... */
    struct model_field *owner_field;
    struct reverse *owner_reverse;
    struct model_field *owner_m2m;
    struct cell cached;       /* ROWS, once evaluated */
};

#endif
