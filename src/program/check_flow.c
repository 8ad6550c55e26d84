/* The checker's fifth pass: on every path to where a variable is read, something was put into it
 * (null counts). The usual forward analysis: a set of variables surely set, joined by
 * intersection where paths meet. An exception may leave a `try` at any of its steps, so its
 * handlers know only what was set before it. */
#include "base/assert.h"
#include "program/check.h"

enum { WORDS = TXN_VARS_MAX / 64 };

/* Variables surely set. A place that no path reaches has them all: the neutral element of the
 * join. */
struct flow {
    uint64_t set[WORDS];
};

struct flow_pass {
    struct check *c;
    /* Where `break`, `continue` and `return` lead in the loop and call around; NULL: nowhere. */
    struct flow *at_break, *at_continue, *at_return;
};

static void flow_unreachable(struct flow *flow) {
    memset(flow, 0xff, sizeof(*flow));
}

static void flow_join(struct flow *into, const struct flow *other) {
    for (size_t i = 0; i < WORDS; i++)
        into->set[i] &= other->set[i];
}

static void flow_set(struct flow *flow, uint16_t var) {
    if (var != TXN_NO_VAR)
        flow->set[var / 64] |= UINT64_C(1) << (var % 64);
}

static bool flow_use(struct flow_pass *p, const struct flow *flow, struct txn_span at,
                     uint16_t var) {
    if (flow->set[var / 64] >> (var % 64) & 1)
        return true;
    struct str name = p->c->program->vars.items[var].name;
    return txn_fault(p->c->err, at,
                     "`%.*s` may not be set yet; put null into it first if that is meant",
                     STR_ARG(name));
}

static bool flow_expr(struct flow_pass *p, const struct flow *flow, const struct txn_expr *expr) {
    bool reads = expr->kind == TXN_EXPR_VAR || expr->kind == TXN_EXPR_COLUMN ||
                 expr->kind == TXN_EXPR_LEN || expr->kind == TXN_EXPR_FIRST;
    if (reads && !flow_use(p, flow, expr->span, expr->var))
        return false;
    for (size_t i = 0; i < expr->args.count; i++)
        if (!flow_expr(p, flow, expr->args.items[i]))
            return false;
    return true;
}

static bool flow_hosts(struct flow_pass *p, const struct flow *flow, const struct txn_step *step,
                       const struct sql_stmt *stmt, const uint16_t *host_var) {
    for (size_t i = 0; i < stmt->hosts.count; i++) {
        struct txn_span at = {.path = step->span.path, .start = stmt->hosts.items[i].pos};
        if (!flow_use(p, flow, at, host_var[i])) {
            struct err cause = *p->c->err;
            return txn_sql_fault(p->c->err, step->span, stmt->text, &cause);
        }
    }
    return true;
}

static bool flow_block(struct flow_pass *p, struct flow *flow, const struct txn_block *block);

static bool flow_if(struct flow_pass *p, struct flow *flow, const struct txn_step *step) {
    struct flow otherwise = *flow;
    if (!flow_block(p, flow, &step->body) || !flow_block(p, &otherwise, &step->else_body))
        return false;
    flow_join(flow, &otherwise);
    return true;
}

/* `for` may run no round at all; `repeat` runs at least one, which ends at its end, by
 * `continue` or by `break`. What a round sets the next one has too, so one pass over the body is
 * enough. */
static bool flow_loop(struct flow_pass *p, struct flow *flow, const struct txn_step *step) {
    struct flow before = *flow, at_break, at_continue;
    struct flow_pass inner = *p;
    flow_unreachable(&at_break);
    flow_unreachable(&at_continue);
    inner.at_break = &at_break;
    inner.at_continue = &at_continue;
    if (step->kind == TXN_STEP_FOR)
        flow_set(flow, step->var);
    if (!flow_block(&inner, flow, &step->body))
        return false;
    flow_join(flow, &at_continue);
    flow_join(flow, &at_break);
    if (step->kind == TXN_STEP_FOR)
        flow_join(flow, &before);
    return true;
}

static bool flow_try(struct flow_pass *p, struct flow *flow, const struct txn_step *step) {
    struct flow before = *flow;
    if (!flow_block(p, flow, &step->body) || !flow_block(p, flow, &step->else_body))
        return false;
    for (size_t i = 0; i < step->handlers.count; i++) {
        struct flow handled = before;
        if (!flow_block(p, &handled, &step->handlers.items[i].body))
            return false;
        flow_join(flow, &handled);
    }
    /* `finally` also runs on the way out of an exception; what it sets is set after it in any
     * case. */
    struct flow last = before;
    if (!flow_block(p, &last, &step->finally_body))
        return false;
    for (size_t i = 0; i < WORDS; i++)
        flow->set[i] |= last.set[i];
    return true;
}

static bool flow_call(struct flow_pass *p, struct flow *flow, const struct txn_step *step) {
    struct flow at_return;
    struct flow_pass inner = {.c = p->c, .at_return = &at_return};
    flow_unreachable(&at_return);
    if (!flow_block(&inner, flow, &step->body))
        return false;
    flow_join(flow, &at_return);
    flow_set(flow, step->var);
    return true;
}

/* `target`: NULL at a `return` from the program. */
static void flow_jump(struct flow *flow, struct flow *target) {
    if (target != NULL)
        flow_join(target, flow);
    flow_unreachable(flow);
}

static bool flow_sql(struct flow_pass *p, struct flow *flow, const struct txn_step *step) {
    const struct txn_sql *sql = &step->sql;
    if (!flow_hosts(p, flow, step, sql->stmt, sql->host_var))
        return false;
    if (sql->into == TXN_INTO_RELOAD || sql->into == TXN_INTO_KEY)
        return flow_use(p, flow, step->span, sql->var);
    flow_set(flow, txn_check_step_binds(step));
    return true;
}

static bool flow_reads(struct flow_pass *p, const struct flow *flow, const struct txn_step *step) {
    if (step->expr != NULL && !flow_expr(p, flow, step->expr))
        return false;
    for (size_t i = 0; i < step->args.count; i++)
        if (!flow_expr(p, flow, step->args.items[i]))
            return false;
    if (step->kind == TXN_STEP_FOR)
        return flow_use(p, flow, step->span, step->list_var);
    if (step->kind != TXN_STEP_SET_COLUMN)
        return true;
    if (step->sql_expr != NULL && !flow_hosts(p, flow, step, step->sql_hosts, step->host_var))
        return false;
    return flow_use(p, flow, step->span, step->var);
}

static bool flow_step(struct flow_pass *p, struct flow *flow, const struct txn_step *step) {
    if (!flow_reads(p, flow, step))
        return false;
    switch (step->kind) {
    case TXN_STEP_SQL:
        return flow_sql(p, flow, step);
    case TXN_STEP_ASSIGN:
    case TXN_STEP_NEW:
        flow_set(flow, step->var);
        return true;
    case TXN_STEP_IF:
        return flow_if(p, flow, step);
    case TXN_STEP_FOR:
    case TXN_STEP_REPEAT:
        return flow_loop(p, flow, step);
    case TXN_STEP_TRY:
        return flow_try(p, flow, step);
    case TXN_STEP_CALL:
        return flow_call(p, flow, step);
    case TXN_STEP_ATOMIC:
    case TXN_STEP_WITH_LOCK:
        return flow_block(p, flow, &step->body);
    case TXN_STEP_BREAK:
        flow_jump(flow, p->at_break);
        return true;
    case TXN_STEP_CONTINUE:
        flow_jump(flow, p->at_continue);
        return true;
    case TXN_STEP_RETURN:
        flow_jump(flow, p->at_return);
        return true;
    case TXN_STEP_RAISE:
        flow_unreachable(flow);
        return true;
    case TXN_STEP_SET_COLUMN:
    case TXN_STEP_LOCK:
    case TXN_STEP_UNLOCK:
    case TXN_STEP_EFFECT:
        return true;
    }
    LW_UNREACHABLE();
}

static bool flow_block(struct flow_pass *p, struct flow *flow, const struct txn_block *block) {
    for (size_t i = 0; i < block->steps.count; i++)
        if (!flow_step(p, flow, block->steps.items[i]))
            return false;
    return true;
}

bool txn_check_flow(struct check *c) {
    struct flow_pass pass = {.c = c};
    struct flow flow = {{0}};
    for (size_t i = 0; i < c->program->param_count; i++)
        flow_set(&flow, (uint16_t)i);
    return flow_block(&pass, &flow, &c->program->body);
}
