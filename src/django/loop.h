/* Loops, as the parts of lowering see them that bring elements of their own: generators.
 */
#ifndef LW_DJANGO_LOOP_H
#define LW_DJANGO_LOOP_H

#include "django/container.h"

struct pin {
    struct cell *cell;
    uint16_t var;
    bool is_sample; /* the variable is the row that stands for a list's */
};

struct loop {
    struct lowerer *l;
    const struct py_node *target; /* NULL: while */
    struct py_list body, orelse;
    struct txn_span span;
    struct val *element;          /* of a round; NULL: while */
    const struct py_node *test;   /* while */
    struct txn_expr *end;         /* counter < end, or NULL */
    uint16_t counter;             /* TXN_NO_VAR: none */
    int64_t counter_step;
    struct val *counted;          /* enumerate(): what each count comes in a pair with; else NULL */
    VEC(struct pin) pins;
    uint16_t broken;              /* set by break, for the else clause; TXN_NO_VAR: none */
    bool is_over_rows;            /* `element` is a row of a list, or a pair with one */
    bool is_break_told;           /* set also if there is no such clause */
    struct frame *yielding;       /* `yield from`: the generator that gives each element away; else NULL */
};

/* `rows`: TXN_NO_VAR for a loop that repeats. */
void lower_loop(struct loop *loop, uint16_t rows, uint16_t row, uint32_t rounds);
/* The body for one element, without a jump in it. */
void loop_once(struct loop *loop, struct val *element);
/* The loop over a value of any kind. */
void lower_loop_over(struct loop *loop, struct val *iter);
/* Whether it has a break or continue of its own. */
bool loop_has_jump(struct py_list body);

/* generator.c */

/* A generator that was called and has not begun; what it yields as a list; a yield in its frame, `yield from`. */
struct val *generator_new(struct lowerer *l, struct val *func, struct val *self, const struct args *args);
bool val_is_generator(const struct val *val);
struct val *generator_gather(struct lowerer *l, struct val *generator);
void generator_yield(struct lowerer *l, const struct py_node *node);
void generator_yield_each(struct lowerer *l, const struct py_node *node);

/* The loop for whose sake a generator runs: its body comes in the place of each yield. */
struct consumer {
    struct loop *loop;
    struct frame *frame;
    bool has_break, has_return;
};

void loop_generator(struct loop *loop, struct val *generator);
/* Gives one element of `yield from` away. */
void generator_yield_element(struct loop *loop, struct val *element);
/* call.c: runs a generator's body for a loop, or (NULL) for what the generator around it gathers. `is_call`: in a call step, which a return of its own leaves. */
void generator_run(struct lowerer *l, struct val *func, struct val *self, struct args *args,
                   struct consumer *consumer, bool is_call);

#endif
