/* Generators of the project. A for over one runs the generator where it stands, with the loop's body in the place of each
 * yield; elsewhere its values are gathered into a list at once. Contextlib's generators are with.c's. */
#include "base/assert.h"
#include "django/loop.h"
#include "django/values.h"

struct statement_search {
    bool has_yield, has_return, has_break, is_in_loop;
};

static void find_statement(const struct py_node *node, void *context) {
    struct statement_search *search = context;
    bool is_in_loop = search->is_in_loop;
    if (node->kind == PY_Yield || node->kind == PY_YieldFrom)
        search->has_yield = true;
    search->has_return |= node->kind == PY_Return;
    search->has_break |= node->kind == PY_Break && !is_in_loop;
    if (node->kind == PY_FunctionDef || node->kind == PY_AsyncFunctionDef ||
        node->kind == PY_Lambda || node->kind == PY_ClassDef)
        return;
    search->is_in_loop |=
        node->kind == PY_For || node->kind == PY_AsyncFor || node->kind == PY_While;
    py_visit_children(node, find_statement, context);
    search->is_in_loop = is_in_loop;
}

static struct statement_search search_body(struct py_list body) {
    struct statement_search search = {false, false, false, false};
    for (uint32_t i = 0; i < body.count; i++)
        find_statement(body.items[i], &search);
    return search;
}

static bool is_def(const struct py_node *node) {
    return node->kind == PY_FunctionDef || node->kind == PY_AsyncFunctionDef;
}

bool lower_is_generator(struct py_func *func) {
    if (func->yields == YIELDS_NOT_KNOWN)
        func->yields = is_def(func->node) && search_body(func->node->FunctionDef.body).has_yield ? YIELDS : YIELDS_NOTHING;
    return func->yields == YIELDS;
}

struct val *generator_new(struct lowerer *l, struct val *func, struct val *self,
                          const struct args *args) {
    struct val *val = val_new(l, VAL_PARTIAL, args->span);
    val->name = STR("generator");
    val->self = func;
    val->atomic_args = arena_copy(l->arena, args, sizeof(*args));
    if (self != NULL)
        VEC_PUSH(l->arena, &val->items, self);
    return val;
}

bool val_is_generator(const struct val *val) {
    return val->kind == VAL_PARTIAL && str_is(val->name, "generator");
}

struct val *generator_gather(struct lowerer *l, struct val *generator) {
    struct val *self = generator->items.count > 0 ? generator->items.items[0] : NULL;
    return lower_call_func(l, generator->self, self, generator->atomic_args);
}

/* The body of the loop, run for one value, in the frame that it stands in. */
static void run_body(struct lowerer *l, struct consumer *consumer, struct val *val) {
    struct frame *generator = l->frame;
    struct loop round = {.l = l, .target = consumer->loop->target, .body = consumer->loop->body,
                         .span = consumer->loop->span, .counter = TXN_NO_VAR, .element = val,
                         .is_break_told = consumer->has_break};
    l->frame = consumer->frame;
    if (loop_has_jump(round.body))
        lower_loop(&round, TXN_NO_VAR, TXN_NO_VAR, 1);
    else
        loop_once(&round, val);
    generator->is_terminated |= l->frame->is_terminated;
    l->frame->is_terminated = false; /* what comes behind the yield says so for both */
    l->frame = generator;
    if (!consumer->has_break || generator->is_terminated)
        return;
    struct txn_span span = consumer->loop->span;
    struct txn_step *step =
        txn_build_if(&l->b, span, txn_ref(&l->b, span, round.broken));
    flow_add_site(l, generator->returns, generator->mark, val_null(l, span),
                  txn_build_return(&l->b, span, NULL));
    txn_build_end(&l->b, step);
}

static void yield_value(struct lowerer *l, struct txn_span span, struct val *val) {
    struct frame *frame = l->frame;
    if (frame->consumer != NULL) {
        run_body(l, frame->consumer, val);
    } else if (frame->gathered != NULL) {
        struct val *list = frame->gathered;
        struct args args = {.span = span};
        while (list->content != NULL && list->content->val != list)
            list = list->content->val;
        VEC_PUSH(l->arena, &args.positional, val);
        if (list->kind == VAL_SEQUENCE)
            container_method(l, list, STR("append"), &args);
    }
}

void generator_yield(struct lowerer *l, const struct py_node *node) {
    struct txn_span span = lower_span(l, node);
    struct val *val = node->Yield.value != NULL ? lower_expr(l, node->Yield.value)
                                                : val_null(l, span);
    if (!l->frame->is_terminated)
        yield_value(l, span, val);
}

void generator_yield_each(struct lowerer *l, const struct py_node *node) {
    struct txn_span span = lower_span(l, node);
    l->is_lazy = node->YieldFrom.value->kind == PY_Call;
    struct val *val = lower_expr(l, node->YieldFrom.value);
    l->is_lazy = false;
    struct loop loop = {.l = l, .span = span, .counter = TXN_NO_VAR, .yielding = l->frame};
    if (!l->frame->is_terminated)
        lower_loop_over(&loop, val);
}

void generator_yield_element(struct loop *loop, struct val *element) {
    LW_ASSERT(loop->l->frame == loop->yielding);
    yield_value(loop->l, loop->span, element);
}

void loop_generator(struct loop *loop, struct val *generator) {
    struct lowerer *l = loop->l;
    const struct py_node *node = generator->self->func->node;
    struct statement_search body = search_body(loop->body);
    struct statement_search def = search_body(node->FunctionDef.body);
    struct consumer *consumer = ARENA_NEW(l->arena, struct consumer);
    *consumer = (struct consumer){loop, l->frame, body.has_break, body.has_return};
    /* What the body yields to may leave this loop too. */
    const struct consumer *above = l->frame->consumer;
    bool is_above = above != NULL && (body.has_yield || loop->yielding != NULL);
    consumer->has_return |= is_above && above->has_return;
    if (loop->yielding != NULL)
        consumer = loop->yielding->consumer;
    bool is_left = consumer != NULL && consumer->has_return && (consumer->has_break || def.has_return);
    bool is_left_twice = is_above && above->has_break;
    if (is_left || is_left_twice || (body.has_break && loop->orelse.count > 0)) {
        lower_loop_over(loop, generator_gather(l, generator));
        return;
    }
    struct val *self = generator->items.count > 0 ? generator->items.items[0] : NULL;
    generator_run(l, generator->self, self, generator->atomic_args, consumer,
                  consumer == NULL || !consumer->has_return);
    if (!l->frame->is_terminated)
        lower_body(l, loop->orelse);
}
