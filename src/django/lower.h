/* Lowering: a partial evaluator of Python. Each expression is evaluated to an abstract value (struct val):
 * what the source fixes (functions, classes, querysets not yet sent, constants, containers) stays in the
 * evaluator; what only the run knows (scalars, rows) becomes variables and steps of the program.
 *
 * State lives in cells (locals, attributes of instances, relation caches of rows). Every write goes through
 * cell_set, which logs it, so that a branch can be undone and its outcome merged with its sibling's: where
 * two branches leave different values in a cell, both assign a variable of the program (flow.c). Program
 * variables are assigned once, except those made by merges and loops ("pinned").
 */
#ifndef LW_DJANGO_LOWER_H
#define LW_DJANGO_LOWER_H

#include "django/facts.h"
#include "program/build.h"

enum {
    LOWER_CALLS_MAX = 12,    /* frames inlined into each other */
    LOWER_BLOCKS_MAX = 48,   /* of TXN_DEPTH_MAX */
    LOWER_STEPS_MAX = 4000,
    LOWER_LOOP_ROUNDS = 2,   /* of a while, and of a for over what is not known */
    LOWER_UNROLL_MAX = 8,
    LOWER_EXPR_DEPTH_MAX = 120
};

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
    VAL_UNKNOWN   /* name: its source text. As a scalar it is a parameter of the program */
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
    struct py_class *class_;
    struct fields *fields;
    struct py_func *func;
    struct frame *closure;
    const struct py_node *node;
    struct val *self;
    struct module *module;
    struct str name;
    struct sqlx *sql;
    struct cond *cond;
    struct args *atomic_args;
    struct val *refined_from; /* what it was before a test told more about it */
    bool is_static;     /* FUNC: static method */
    bool is_partial;    /* ROWS: with deferred columns */
    bool is_merged;     /* UNKNOWN: branches left different things here */
    bool is_called;     /* UNKNOWN: what an unknown call returned; its effect is in the program already */
};

struct cell {
    struct val *val; /* NULL: unset */
    struct str name;
    bool is_cache;   /* of a relation: unset if branches differ */
};

struct fields {
    struct map cells; /* struct cell */
};

/* A model instance: one object of the program. */
struct row {
    struct model *model;
    uint16_t var;
    struct fields *caches;     /* related objects by field name, other attributes too */
    struct cell pk_state;      /* "set" or "unset" as SCALAR bool; unset cell: not known */
    bool is_null_possible, is_new;
    bool is_partial;           /* only() or defer(): `loaded` names the columns */
    bool is_values;            /* of values() or values_list(): a dict or tuple, not an object */
    VEC(struct str) loaded;
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

enum cond_kind { COND_AND, COND_OR, COND_NOT, COND_LOOKUP, COND_EXPR };

struct cond {
    enum cond_kind kind;
    struct txn_span span;
    VEC(struct cond *) args;
    struct str path;   /* LOOKUP: "collection__id__gt" */
    struct val *value;
    struct model_field *through; /* LOOKUP: rows that this many-to-many field of `value` leads to */
    struct sqlx *expr; /* EXPR: Exists(...) */
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
    enum query_result result;
    VEC(struct str) columns;  /* values() */
    VEC(struct str) only, defer, related;
    VEC(struct annotation) annotations;
    struct row *owner;        /* of a related manager: known related object... */
    struct model_field *owner_field;
    struct reverse *owner_reverse;
    struct model_field *owner_m2m;
    struct cell cached;       /* ROWS, once evaluated */
};

struct change {
    struct cell *cell;
    struct val *val;
};

/* A place from which control goes on behind a branch, with the state there. */
struct flow_site {
    struct txn_block *block;
    struct txn_step *before; /* NULL: at the end of the block */
    VEC(struct change) changes;
    struct val *result;
    bool is_loop_end; /* of a loop: not by a break of the source */
};

struct frame {
    struct frame *outer;   /* who called */
    struct frame *closure; /* names of enclosing functions */
    struct py_func *func;
    struct module *module;
    struct py_class *class_; /* for super() and names of the class body */
    struct val *self;
    struct fields *locals;
    struct map *globals;     /* names declared global or nonlocal */
    size_t mark;             /* of the trail */
    struct flow_sites *returns;
    bool is_terminated;      /* what follows here can't be reached */
    struct flow_sites *breaks, *continues; /* of the innermost loop; NULL: none */
    size_t loop_mark;
    bool is_statement;       /* what it returns isn't used */
    bool is_root;            /* what it returns goes nowhere */
    struct with *with;       /* of a context manager's generator: what its yield stands for */
};

struct log_entry {
    struct cell *cell;
    struct val *old;
};

/* A with statement being lowered: its managers from `item` on, and its body, in frame `frame`. */
struct with {
    const struct py_node *node;
    uint32_t item;
    struct frame *frame;
    bool is_entered; /* the yield was met */
};

struct flow_sites {
    VEC(struct flow_site) items;
};

/* A callable given to on_commit. `flag`: the variable that says whether it was, or TXN_NO_VAR. */
struct pending {
    struct val *func;
    uint16_t flag;
};

struct lowerer {
    struct arena *arena;
    struct text_pool *pool;
    struct django_facts *facts;
    struct txn_builder b;
    struct frame *frame;
    VEC(struct log_entry) trail;
    VEC(struct str) params;       /* found by the first pass: source texts, in order of first use */
    struct map param_vars;        /* text -> var + 1, second pass */
    VEC(struct django_note) notes; /* of this pass */
    VEC(struct py_func *) called;  /* what was inlined */
    bool is_second_pass;
    uint32_t dry_depth;           /* > 0: what is emitted is thrown away, and so are notes */
    uint32_t call_depth, atomic_depth, expr_depth;
    uint32_t step_count, sql_count;
    bool is_too_large, has_note, has_sql;
    uint16_t deleted;             /* what the last queryset delete() counted */
    struct txn_step *outer_atomic;
    struct txn_block *outer_block;   /* the block it stands in */
    struct frame *outer_frame;
    size_t outer_depth, outer_returns;
    bool is_statement;            /* the call being lowered is a statement: its value isn't used */
    struct str sql_hint;          /* what a value computed for a statement will be called */
    struct str hint;              /* what the value being evaluated will be called */
    bool is_pinned[TXN_VARS_MAX]; /* variables that are assigned more than once: loops */
    VEC(struct py_func *) stack;  /* functions being inlined, for recursion */
    VEC(struct pending) on_commit; /* callables waiting for the outermost commit */
};

/* flow.c: state and branches */

struct cell *fields_cell(struct lowerer *l, struct fields *fields, struct str name);
struct cell *fields_find(const struct fields *fields, struct str name);
struct fields *fields_new(struct lowerer *l);
void cell_set(struct lowerer *l, struct cell *cell, struct val *val);
size_t flow_mark(const struct lowerer *l);
/* Takes back what was written since `mark`. */
void flow_undo(struct lowerer *l, size_t mark);
/* Adds "here" to the sites, unless it can't be reached. */
void flow_add_site(struct lowerer *l, struct flow_sites *sites, size_t mark, struct val *result,
                   struct txn_step *before);
/* Joins the sites: the state is that of `mark` and becomes the merged one. Returns the merged result. No
 * site: what follows is not reached. */
struct val *flow_merge(struct lowerer *l, struct txn_span span, struct flow_sites *sites,
                       struct str result_name);
/* `var = expr` at the place where a branch ends. */
void flow_assign(struct lowerer *l, const struct flow_site *site, struct txn_span span, uint16_t var,
                 struct txn_expr *expr);
/* Whether two values can be told to be the same. */
bool val_same(const struct val *a, const struct val *b);

#endif
