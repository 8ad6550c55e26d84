/* Loops. Before the body is lowered for good it is lowered once for nothing, to see which cells it changes:
 * those get a variable that every round assigns ("pinned"), since the value at the start of a round is either
 * the one from before the loop or the last round's. */
#include "base/assert.h"
#include "django/choice.h"
#include "django/loop.h"
#include "django/orm.h"

static struct val *pair_of(struct loop *loop, struct val *first, struct val *second) {
    struct lowerer *l = loop->l;
    struct val *pair = val_new(l, VAL_SEQUENCE, loop->span);
    VEC_PUSH(l->arena, &pair->items, first);
    VEC_PUSH(l->arena, &pair->items, second);
    return pair;
}

static void count_round(struct loop *loop) {
    struct lowerer *l = loop->l;
    struct txn_expr *next =
        txn_binary(&l->b, loop->span, TXN_OP_ADD, txn_ref(&l->b, loop->span, loop->counter),
                   txn_literal(&l->b, loop->span, value_int(loop->counter_step)));
    txn_build_assign(&l->b, loop->span, loop->counter, next);
    loop->element = val_scalar(l, txn_ref(&l->b, loop->span, loop->counter));
    if (loop->counted != NULL)
        loop->element = pair_of(loop, loop->element, loop->counted);
}

/* The variable that every round adds to before its body. */
static void make_counter(struct loop *loop, struct str name, struct txn_expr *before) {
    struct lowerer *l = loop->l;
    loop->counter = lower_var(l, name);
    l->is_pinned[loop->counter] = true;
    txn_build_assign(&l->b, loop->span, loop->counter, before);
}

/* One round: into b->at. Sites of its ends go to `ends`, of its breaks to `breaks`. */
static void lower_round(struct loop *loop, struct flow_sites *ends, struct flow_sites *breaks) {
    struct lowerer *l = loop->l;
    struct frame *frame = l->frame;
    struct flow_sites *outer_breaks = frame->breaks, *outer_continues = frame->continues;
    size_t outer_mark = frame->loop_mark, mark = flow_mark(l);
    frame->breaks = breaks;
    frame->continues = ends;
    frame->loop_mark = mark;
    if (loop->counter != TXN_NO_VAR)
        count_round(loop);
    struct txn_expr *test = NULL;
    if (loop->test != NULL) {
        struct val *val = lower_expr(l, loop->test);
        if (val_known_truth(l, val) != 1)
            test = txn_unary(&l->b, loop->span, TXN_EXPR_NOT, val_truth(l, val));
    } else if (loop->end != NULL) {
        test = txn_binary(&l->b, loop->span, TXN_OP_GE,
                          txn_ref(&l->b, loop->span, loop->counter), loop->end);
    }
    if (test != NULL) {
        struct txn_step *leave = txn_build_if(&l->b, loop->span, test);
        flow_add_site(l, breaks, mark, NULL, txn_build_break(&l->b, loop->span));
        breaks->items.items[breaks->items.count - 1].is_loop_end = true;
        txn_build_end(&l->b, leave);
    }
    if (loop->is_over_rows)
        prefetch_each(l, loop->span, loop->element);
    if (loop->yielding != NULL)
        generator_yield_element(loop, loop->element);
    else if (loop->element != NULL && loop->target->kind == PY_Name)
        cell_set(l, fields_cell(l, frame->locals, loop->target->Name.id), loop->element);
    else if (loop->element != NULL)
        lower_assign(l, loop->target, loop->element);
    lower_body(l, loop->body);
    flow_add_site(l, ends, mark, NULL, NULL);
    flow_undo(l, mark);
    frame->is_terminated = false;
    frame->breaks = outer_breaks;
    frame->continues = outer_continues;
    frame->loop_mark = outer_mark;
}

static struct val *final_value(struct flow_sites *ends, struct flow_sites *breaks, struct cell *cell) {
    struct flow_sites *both[] = {ends, breaks};
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < both[k]->items.count; i++) {
            struct flow_site *site = &both[k]->items.items[i];
            for (size_t j = 0; j < site->changes.count; j++)
                if (site->changes.items[j].cell == cell && site->changes.items[j].val != NULL)
                    return site->changes.items[j].val;
        }
    return NULL;
}

static bool is_scalar_like(const struct val *val) {
    return val->kind == VAL_SCALAR || val->kind == VAL_UNKNOWN;
}

/* A list that rows are put into. */
static void pin_sample(struct loop *loop, struct cell *cell, const struct row *last) {
    struct lowerer *l = loop->l;
    const struct row *before = sample_row(cell->val);
    uint16_t var = lower_var(l, STR("item"));
    txn_build_assign(&l->b, loop->span, var,
                     before != NULL ? txn_ref(&l->b, loop->span, before->var)
                                    : txn_literal(&l->b, loop->span, value_null()));
    l->is_pinned[var] = true;
    struct row *row = row_new(l, last->model, var);
    row->is_null_possible = true;
    row->is_new = last->is_new;
    row->pk_state.val = last->pk_state.val;
    struct val *sample = sample_of(l, loop->span, row);
    sample->content = cell->val->content;
    cell_set(l, cell, sample);
    VEC_PUSH(l->arena, &loop->pins, (struct pin){cell, var, true});
}

static void pin_cell(struct loop *loop, struct cell *cell, struct val *last) {
    struct lowerer *l = loop->l;
    if (cell->is_cache || last == NULL) {
        cell_set(l, cell, NULL);
        return;
    }
    if (cell->val == NULL || val_same(cell->val, last))
        return;
    struct model *model = cell->val->kind == VAL_ROW ? cell->val->row->model
                          : last->kind == VAL_ROW    ? last->row->model
                                                     : NULL;
    bool is_row = model != NULL && (last->kind == VAL_ROW || val_is_none(last)) &&
                  (cell->val->kind == VAL_ROW || val_is_none(cell->val)) &&
                  (last->kind != VAL_ROW || last->row->model == model);
    const struct row *sample = sample_row(last);
    if (sample != NULL && sample_can_start(cell->val, sample->model)) {
        pin_sample(loop, cell, sample);
        return;
    }
    if (!is_row && !(is_scalar_like(cell->val) && is_scalar_like(last))) {
        struct val *both[] = {cell->val, last};
        cell_set(l, cell, flow_lost(l, loop->span, cell->name, both, 2));
        return;
    }
    uint16_t var = lower_var(l, cell->name);
    struct txn_expr *start = cell->val->kind == VAL_ROW
                                 ? txn_ref(&l->b, loop->span, cell->val->row->var)
                                 : val_expr(l, cell->val);
    txn_build_assign(&l->b, loop->span, var, start);
    l->is_pinned[var] = true;
    if (is_row) {
        struct row *row = row_new(l, model, var);
        row->is_null_possible = true;
        cell_set(l, cell, val_row(l, loop->span, row));
    } else {
        cell_set(l, cell, val_scalar(l, txn_ref(&l->b, loop->span, var)));
    }
    VEC_PUSH(l->arena, &loop->pins, (struct pin){cell, var, false});
}

/* Lowers the body for nothing, and pins what it changed. */
static void prepare(struct loop *loop) {
    struct lowerer *l = loop->l;
    struct txn_block scratch = {{0}}, *at = l->b.at;
    struct flow_sites ends = {{0}}, breaks = {{0}};
    size_t var_count = l->b.program->vars.count, on_commit = l->on_commit.count;
    size_t returns[2 * LOWER_CALLS_MAX] = {0}, depth = 0;
    l->dry_depth++;
    l->b.at = &scratch;
    /* The body may stand in a frame around this one: in that of a generator's loop. */
    for (const struct frame *f = l->frame; f != NULL && depth < LW_COUNT_OF(returns); f = f->outer)
        returns[depth++] = f->returns != NULL ? f->returns->items.count : 0;
    struct txn_step *step = txn_build_repeat(&l->b, loop->span, 1);
    lower_round(loop, &ends, &breaks);
    txn_build_end(&l->b, step);
    depth = 0;
    for (const struct frame *f = l->frame; f != NULL && depth < LW_COUNT_OF(returns); f = f->outer)
        if (f->returns != NULL)
            f->returns->items.count = returns[depth++];
        else
            depth++;
    l->b.at = at;
    l->dry_depth--;
    size_t made = l->b.program->vars.count;
    var_count = lower_vars_from(l, var_count);
    l->b.program->vars.count = var_count;
    memset(l->is_outside + var_count, 0, (made - var_count) * sizeof(bool));
    memset(l->is_pinned + var_count, 0, (made - var_count) * sizeof(bool));
    l->on_commit.count = on_commit;
    struct flow_sites *both[] = {&ends, &breaks};
    struct map seen;
    map_init(&seen, l->arena);
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < both[k]->items.count; i++)
            for (size_t j = 0; j < both[k]->items.items[i].changes.count; j++) {
                struct cell **key = &both[k]->items.items[i].changes.items[j].cell;
                struct str bytes = {(const char *)key, sizeof(*key)};
                if (map_has(&seen, bytes))
                    continue;
                map_put(&seen, bytes, *key);
                pin_cell(loop, *key, final_value(&ends, &breaks, *key));
            }
}

static void assign_pins(struct loop *loop, struct flow_sites *sites) {
    struct lowerer *l = loop->l;
    for (size_t i = 0; i < sites->items.count; i++) {
        struct flow_site *site = &sites->items.items[i];
        for (size_t p = 0; p < loop->pins.count; p++)
            for (size_t j = 0; j < site->changes.count; j++) {
                struct val *val = site->changes.items[j].val;
                if (site->changes.items[j].cell != loop->pins.items[p].cell || val == NULL)
                    continue;
                const struct row *row = loop->pins.items[p].is_sample ? sample_row(val)
                                        : val->kind == VAL_ROW        ? val->row
                                                                      : NULL;
                if (row == NULL && loop->pins.items[p].is_sample)
                    continue;
                struct txn_expr *expr =
                    row != NULL ? txn_ref(&l->b, loop->span, row->var) : val_expr(l, val);
                if (expr->kind != TXN_EXPR_VAR || expr->var != loop->pins.items[p].var)
                    flow_assign(l, site, loop->span, loop->pins.items[p].var, expr);
            }
    }
}

static bool is_pinned_cell(const struct loop *loop, const struct cell *cell) {
    for (size_t i = 0; i < loop->pins.count; i++)
        if (loop->pins.items[i].cell == cell)
            return true;
    return false;
}

/* Behind the loop: pinned cells hold their variables, what only the body binds holds the last round's. */
static void settle(struct loop *loop, struct flow_sites *ends, struct flow_sites *breaks) {
    struct lowerer *l = loop->l;
    struct flow_sites *both[] = {ends, breaks};
    assign_pins(loop, ends);
    assign_pins(loop, breaks);
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < both[k]->items.count; i++)
            for (size_t j = 0; j < both[k]->items.items[i].changes.count; j++) {
                struct change *change = &both[k]->items.items[i].changes.items[j];
                if (change->cell->is_cache)
                    cell_set(l, change->cell, NULL);
                else if (change->cell->val == NULL && !is_pinned_cell(loop, change->cell))
                    cell_set(l, change->cell, change->val);
            }
}

/* Ends an `if` that has no other branch, and whose own is lowered; `mark`: where that began. */
static void end_lone_branch(struct loop *loop, struct txn_step *step, size_t mark) {
    struct lowerer *l = loop->l;
    struct flow_sites sites = {{0}};
    flow_add_site(l, &sites, mark, NULL, NULL);
    flow_undo(l, mark);
    l->frame->is_terminated = false;
    txn_build_else(&l->b, step);
    flow_add_site(l, &sites, mark, NULL, NULL);
    txn_build_end(&l->b, step);
    flow_merge(l, loop->span, &sites, (struct str){0});
}

static void lower_else(struct loop *loop, struct flow_sites *breaks) {
    struct lowerer *l = loop->l;
    bool has_break = false;
    for (size_t i = 0; i < breaks->items.count; i++)
        has_break |= !breaks->items.items[i].is_loop_end;
    if (!has_break) {
        lower_body(l, loop->orelse);
        return;
    }
    struct txn_expr *cond = txn_unary(&l->b, loop->span, TXN_EXPR_NOT,
                                      txn_ref(&l->b, loop->span, loop->broken));
    struct txn_step *step = txn_build_if(&l->b, loop->span, cond);
    size_t mark = flow_mark(l);
    lower_body(l, loop->orelse);
    end_lone_branch(loop, step, mark);
}

void lower_loop(struct loop *loop, uint16_t rows, uint16_t row, uint32_t rounds) {
    struct lowerer *l = loop->l;
    struct flow_sites ends = {{0}}, breaks = {{0}};
    loop->broken = TXN_NO_VAR;
    prepare(loop);
    if (loop->orelse.count > 0 || loop->is_break_told) {
        loop->broken = lower_var(l, STR("is_broken"));
        l->is_pinned[loop->broken] = true;
        txn_build_assign(&l->b, loop->span, loop->broken,
                         txn_literal(&l->b, loop->span, value_bool(false)));
    }
    struct txn_step *step = rows != TXN_NO_VAR ? txn_build_for(&l->b, loop->span, row, rows)
                                               : txn_build_repeat(&l->b, loop->span, rounds);
    lower_round(loop, &ends, &breaks);
    for (size_t i = 0; i < breaks.items.count && loop->broken != TXN_NO_VAR; i++)
        if (!breaks.items.items[i].is_loop_end)
            flow_assign(l, &breaks.items.items[i], loop->span, loop->broken,
                        txn_literal(&l->b, loop->span, value_bool(true)));
    settle(loop, &ends, &breaks);
    txn_build_end(&l->b, step);
    /* Every round leaves by return or raise. */
    if (rows == TXN_NO_VAR && ends.items.count == 0 && breaks.items.count == 0)
        l->frame->is_terminated = true;
    else if (loop->orelse.count > 0)
        lower_else(loop, &breaks);
}

void loop_once(struct loop *loop, struct val *element) {
    struct lowerer *l = loop->l;
    struct flow_sites *breaks = l->frame->breaks, *continues = l->frame->continues;
    if (loop->yielding != NULL) {
        generator_yield_element(loop, element);
        return;
    }
    l->frame->breaks = l->frame->continues = NULL;
    lower_assign(l, loop->target, element);
    lower_body(l, loop->body);
    l->frame->breaks = breaks;
    l->frame->continues = continues;
}

static void unroll(struct loop *loop, struct val *sequence) {
    struct lowerer *l = loop->l;
    for (size_t i = 0; i < sequence->items.count && !l->frame->is_terminated; i++)
        loop_once(loop, sequence->items.items[i]);
    if (!l->frame->is_terminated)
        lower_body(l, loop->orelse);
}

struct jump_search {
    bool has_jump;
};

static void find_jump(const struct py_node *node, void *context) {
    struct jump_search *search = context;
    if (node->kind == PY_Break || node->kind == PY_Continue)
        search->has_jump = true;
    if (node->kind != PY_For && node->kind != PY_AsyncFor && node->kind != PY_While &&
        node->kind != PY_FunctionDef && node->kind != PY_AsyncFunctionDef)
        py_visit_children(node, find_jump, context);
}

bool loop_has_jump(struct py_list body) {
    struct jump_search search = {false};
    for (uint32_t i = 0; i < body.count; i++)
        find_jump(body.items[i], &search);
    return search.has_jump;
}

/* `key`: the column that each row comes in a pair with, as its key in a dict; empty: it comes alone. `start`: what
 * enumerate() counts from; NULL: nothing does. */
static void loop_rows(struct loop *loop, struct val *rows, struct str key, struct val *start) {
    struct lowerer *l = loop->l;
    struct str hint = loop->target != NULL && loop->target->kind == PY_Name ? loop->target->Name.id : STR("item");
    uint16_t var = lower_var(l, hint);
    struct val *element;
    l->is_pinned[var] = true;
    if (rows->model != NULL) {
        struct row *row = row_new(l, rows->model, var);
        row->pk_state.val = val_bool(l, loop->span, true);
        row->is_partial = rows->is_partial;
        if (rows->query != NULL)
            query_adopt_row(l, rows->query, row);
        element = val_row(l, loop->span, row);
    } else {
        element = val_scalar(l, txn_ref(&l->b, loop->span, var));
    }
    if (key.len > 0)
        element = pair_of(loop, element->kind == VAL_ROW
                                    ? lower_attribute(l, loop->span, element, key, NULL)
                                    : val_unknown(l, loop->span, key), element);
    if (start != NULL) {
        make_counter(loop, STR("index"),
                     txn_binary(&l->b, loop->span, TXN_OP_SUB, val_expr(l, start),
                                txn_literal(&l->b, loop->span, value_int(1))));
        loop->counter_step = 1;
        loop->counted = element;
    }
    loop->element = element;
    loop->is_over_rows = true;
    lower_loop(loop, rows->var, var, 0);
}

static void loop_range(struct loop *loop, struct val *range) {
    struct lowerer *l = loop->l;
    struct value start = value_int(0), end = value_int(0), step = value_int(1);
    size_t count = range->items.count;
    bool is_known = val_constant(range->items.items[count > 1 ? 1 : 0], &end) &&
                    (count < 2 || val_constant(range->items.items[0], &start)) &&
                    (count < 3 || val_constant(range->items.items[2], &step)) &&
                    start.kind == VALUE_INT && end.kind == VALUE_INT && step.kind == VALUE_INT &&
                    step.number > 0;
    uint32_t rounds = LOWER_LOOP_ROUNDS;
    loop->counter_step = 1;
    if (is_known) {
        int64_t n = (end.number - start.number + step.number - 1) / step.number;
        if (n <= 0)
            return;
        loop->counter_step = step.number;
        rounds = n > TXN_REPEAT_MAX ? TXN_REPEAT_MAX : (uint32_t)n;
        if (n > TXN_REPEAT_MAX)
            lower_bound(l, loop->span, str_printf(l->arena, "only %d rounds of this loop are modelled",
                                                  TXN_REPEAT_MAX));
    } else {
        loop->end = val_expr(l, range->items.items[count > 1 ? 1 : 0]);
        start = value_int(0);
    }
    make_counter(loop,
                 loop->target != NULL && loop->target->kind == PY_Name ? loop->target->Name.id : STR("i"),
                 txn_literal(&l->b, loop->span, value_int(start.number - loop->counter_step)));
    lower_loop(loop, TXN_NO_VAR, TXN_NO_VAR, rounds);
}

static void loop_unknown(struct loop *loop, struct val *iter) {
    struct lowerer *l = loop->l;
    struct str name = iter->name.len > 0 ? iter->name : STR("items");
    loop->element = val_unknown(l, loop->span, str_printf(l->arena, "%.*s[]", STR_ARG(name)));
    loop->element->is_orm = val_is_orm(iter);
    loop->element->model = iter->kind == VAL_UNKNOWN && iter->is_many ? iter->model : NULL;
    if (loop_has_jump(loop->body)) {
        lower_loop(loop, TXN_NO_VAR, TXN_NO_VAR, 1);
        return;
    }
    /* One element: what the body leaves is what holds behind it. */
    struct val *one = val_new(l, VAL_SEQUENCE, loop->span);
    VEC_PUSH(l->arena, &one->items, loop->element);
    unroll(loop, one);
}

/* The one row that is known of a list. */
static void loop_sample(struct loop *loop, struct val *sample) {
    struct lowerer *l = loop->l;
    struct val *one = val_new(l, VAL_SEQUENCE, loop->span), *item;
    struct txn_step *step = sample_begin(l, loop->span, sample, &item);
    size_t mark = flow_mark(l);
    VEC_PUSH(l->arena, &one->items, item);
    if (loop_has_jump(loop->body)) {
        loop->element = item;
        lower_loop(loop, TXN_NO_VAR, TXN_NO_VAR, 1);
    } else {
        unroll(loop, one);
    }
    end_lone_branch(loop, step, mark);
}

static struct val *over_item(struct lowerer *l, struct val *item, void *context) {
    struct loop loop = *(struct loop *)context;
    lower_loop_over(&loop, item);
    return val_null(l, loop.span);
}

/* Of names and numbers that stand in the source more are gone through: which fields are set may hang on them. */
static size_t unroll_max(const struct val *sequence) {
    struct value value;
    for (size_t i = 0; i < sequence->items.count; i++)
        if (!val_constant(sequence->items.items[i], &value))
            return LOWER_UNROLL_MAX;
    return LOWER_UNROLL_NAMES_MAX;
}

void lower_loop_over(struct loop *loop, struct val *iter) {
    struct lowerer *l = loop->l;
    if (iter->kind == VAL_CHOICE) {
        choice_each(l, loop->span, iter, over_item, loop);
        return;
    }
    struct val *start = NULL; /* of enumerate() */
    if (iter->kind == VAL_PARTIAL && str_is(iter->name, "enumerate")) {
        start = iter->items.count > 0 ? iter->items.items[0] : val_literal(l, loop->span, value_int(0));
        iter = iter->self;
    }
    if (val_is_generator(iter)) {
        loop_generator(loop, iter);
        return;
    }
    if (iter->kind == VAL_QUERYSET)
        iter = query_rows(l, iter->span, iter->query, STR("rows"));
    struct str key = {0};
    if (iter->kind == VAL_PARTIAL && str_is(iter->name, "by_key_items")) {
        val_text(l, iter->items.items[0], &key);
        iter = iter->self;
    }
    if (key.len > 0)
        loop_rows(loop, iter, key, NULL);
    else if (iter->kind == VAL_ROWS)
        loop_rows(loop, iter, key, start);
    else if (iter->kind == VAL_PARTIAL && str_is(iter->name, "range"))
        loop_range(loop, iter);
    else if (iter->kind == VAL_SEQUENCE && !iter->is_partial && start == NULL &&
             iter->items.count <= unroll_max(iter) && !loop_has_jump(loop->body))
        unroll(loop, iter);
    else if (iter->kind == VAL_SEQUENCE && !iter->is_partial && iter->items.count == 0)
        lower_body(l, loop->orelse);
    else if (iter->kind == VAL_SEQUENCE && iter->is_sample && start == NULL)
        loop_sample(loop, iter);
    else
        loop_unknown(loop, iter);
}

void lower_for(struct lowerer *l, const struct py_node *node) {
    struct loop loop = {.l = l, .target = node->For.target, .body = node->For.body,
                        .orelse = node->For.orelse, .counter = TXN_NO_VAR};
    l->is_lazy = node->For.iter->kind == PY_Call || node->For.iter->kind == PY_Await;
    struct val *iter = lower_expr(l, node->For.iter);
    l->is_lazy = false;
    loop.span = lower_span(l, node);
    loop.span.end = lower_span(l, node->For.iter).end;
    if (!l->frame->is_terminated)
        lower_loop_over(&loop, iter);
}

void lower_while(struct lowerer *l, const struct py_node *node) {
    enum { ROUNDS = LOWER_LOOP_ROUNDS + 1 };
    struct loop loop = {.l = l, .body = node->While.body, .orelse = node->While.orelse,
                        .test = node->While.test, .counter = TXN_NO_VAR};
    loop.span = lower_span(l, node);
    loop.span.end = lower_span(l, node->While.test).end;
    uint32_t sql_count = l->sql_count;
    lower_loop(&loop, TXN_NO_VAR, TXN_NO_VAR, ROUNDS);
    if (l->sql_count > sql_count)
        lower_bound(l, loop.span,
                    str_printf(l->arena, "at most %d rounds of this loop are modelled", ROUNDS));
}
