/* The state of lowering: a partial evaluator of Python. Each expression is evaluated to an abstract value
 * (val.h); statements become steps of the program.
 *
 * State lives in cells (locals, attributes of instances, relation caches of rows). Every write goes through
 * cell_set, which logs it, so that a branch can be undone and its outcome merged with its sibling's: where
 * two branches leave different values in a cell, both assign a variable of the program (flow.c). Program
 * variables are assigned once, except those made by merges and loops ("pinned").
 */
#ifndef LW_DJANGO_LOWER_H
#define LW_DJANGO_LOWER_H

#include "django/val.h"
#include "program/build.h"

enum {
    LOWER_CALLS_MAX = 12,    /* frames inlined into each other */
    LOWER_RECURSION_MAX = 1, /* how often a function is inlined into itself */
    LOWER_BLOCKS_MAX = 48,   /* of TXN_DEPTH_MAX */
    LOWER_STEPS_MAX = 4000,
    LOWER_LOOP_ROUNDS = 2,   /* of a while, and of a for over what is not known */
    LOWER_UNROLL_MAX = 16,
    LOWER_UNROLL_NAMES_MAX = 24,
    LOWER_EXPR_DEPTH_MAX = 120
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
    struct txn_span call_span; /* where the project called it, if it is none of the project's */
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
    struct consumer *consumer; /* of a generator that a loop goes through; or */
    struct val *gathered;    /* the list of what another yields */
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
    bool is_silent; /* what it tells outside, others do too */
};

/* While a program is built; those that loops leave behind are many. */
enum { LOWER_VARS_MAX = 4 * TXN_VARS_MAX };

/* A free value, which is to be a parameter: its text in the source, and its variable. */
struct lower_param {
    struct str text;
    uint16_t var;
};

/* A row that was there before the function began (given.h). */
struct given {
    struct str text;
    struct model *model;
    bool is_null;
    bool is_request; /* of a request: no caller holds it */
    struct cell cell;
};

struct given_rows {
    VEC(struct given *) items;
};

/* An assignment to an attribute of an object that is not known: it may be that of a row which is known elsewhere. */
struct lost_set {
    struct str name;
    struct txn_span span;
};

struct lowerer {
    struct arena *arena;
    struct text_pool *pool;
    struct django_facts *facts;
    struct txn_builder b;
    struct frame *frame;
    const struct py_func *handler; /* what the view's dispatch(), being lowered, is to call; or NULL */
    VEC(struct log_entry) trail;
    size_t site_count, merge_count; /* of all sites and merges so far */
    struct map module_values;       /* constants of modules, by the address of what stands there -> struct val */
    struct map statements;          /* those met so far, by text: what is lowered again mostly has the same */
    VEC(struct lower_param) params; /* free values, in order of first use */
    struct map param_vars;          /* their texts -> var + 1 */
    const uint16_t *settled;        /* the final number of each variable, where it is used; NULL: not settled */
    size_t draft_count;
    struct map *prefetches;         /* relations of tables that an earlier pass found to be used; NULL: none */
    struct map prefetches_used;     /* the same of this pass */
    VEC(struct lost_set) lost_sets;      /* attributes of unknown objects that were assigned */
    VEC(const struct model *) saved;     /* what rows were saved of */
    struct given_rows given;        /* of which something is used */
    VEC(struct django_note) notes; /* of this pass */
    VEC(struct py_func *) called;  /* what was inlined, */
    VEC(struct py_func *) covered; /* and of it, what got all it needs */
    bool is_small;                /* receivers are noted, not run, and recursion isn't followed: with them it got too large */
    bool has_recursion;           /* some was met */
    uint32_t silent_depth;        /* > 0: what is told outside is told of each row of many */
    uint32_t general_depth;       /* > 0: receivers of every model are not run, which is told */
    uint32_t dry_depth;           /* > 0: what is emitted is thrown away, and so are notes */
    uint32_t call_depth, atomic_depth, expr_depth;
    uint32_t step_count, sql_count;
    bool is_too_large, has_note, has_sql;
    const struct row *saving;     /* whose save() of the project is being lowered; NULL: none */
    struct txn_span saving_span;  /* the call of it: the write that is to change if it loses something, */
    bool is_saving_form;          /* a form does so */
    bool is_saving_own;           /* unless save() itself computes a column from one */
    uint32_t form_depth;          /* > 0: what a form or generic view of the framework sends is being lowered */
    uint16_t deleted;             /* what the last queryset delete() counted */
    struct txn_step *outer_atomic;
    struct txn_block *outer_block;   /* the block it stands in */
    struct frame *outer_frame;
    size_t outer_depth, outer_returns;
    bool is_statement;            /* the call being lowered is a statement: its value isn't used */
    bool is_lazy;                 /* a loop goes through its value: a generator need not be gathered */
    struct str sql_hint;          /* what a value computed for a statement will be called */
    struct str hint;              /* what the value being evaluated will be called */
    bool is_outside[LOWER_VARS_MAX]; /* variables whose values come from parameters alone */
    struct map outside_calls;     /* a call's text with what it is given -> the parameter's text; texts -> how many */
    bool is_pinned[LOWER_VARS_MAX]; /* variables that are assigned more than once: loops */
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
/* Something of which no more is known than whether it may be one of the ORM's or the project's things, as one of the values
 * is (NULL: unset). */
struct val *flow_lost(struct lowerer *l, struct txn_span span, struct str name, struct val **vals,
                      size_t count);
/* Whether calls of it can write: a row, a queryset, a function or object of the project, or a container of such. */
bool val_is_orm(const struct val *val);
/* Whether two values can be told to be the same. */
bool val_same(const struct val *a, const struct val *b);

#endif
