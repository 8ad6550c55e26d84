/* A value that is one thing on one path and something else on another. A variable of the program says which, and what is
 * done with the value is done with each thing it can be, under a test of that variable. */
#include "django/choice.h"

#include "base/assert.h"
#include "django/orm.h"

static void add_item(struct lowerer *l, struct val *choice, struct val *item) {
    for (size_t i = 0; i < choice->items.count; i++)
        if (val_same(choice->items.items[i], item))
            return;
    VEC_PUSH(l->arena, &choice->items, item);
}

static size_t index_of(const struct val *choice, const struct val *item) {
    for (size_t i = 0; i < choice->items.count; i++)
        if (val_same(choice->items.items[i], item))
            return i;
    LW_UNREACHABLE();
}

static struct txn_expr *number(struct lowerer *l, struct txn_span span, size_t n) {
    return txn_literal(&l->b, span, value_int((int64_t)n));
}

static struct txn_expr *test_of(struct lowerer *l, struct txn_span span, const struct val *choice,
                                size_t item) {
    return txn_binary(&l->b, span, TXN_OP_EQ, txn_ref(&l->b, span, choice->var), number(l, span, item));
}

/* Which item of `choice` a value is; of one that is a choice itself, its own variable says so. */
static struct txn_expr *which(struct lowerer *l, struct txn_span span, const struct val *choice,
                              const struct val *val) {
    if (val->kind != VAL_CHOICE)
        return number(l, span, index_of(choice, val));
    size_t last = val->items.count - 1;
    struct txn_expr *expr = number(l, span, index_of(choice, val->items.items[last]));
    for (size_t i = last; i-- > 0;)
        expr = txn_cond(&l->b, span, test_of(l, span, val, i),
                        number(l, span, index_of(choice, val->items.items[i])), expr);
    return expr;
}

struct val *choice_merge(struct lowerer *l, struct txn_span span, struct str name,
                         const struct flow_sites *sites, struct val **vals, size_t count) {
    struct val *choice = val_new(l, VAL_CHOICE, span);
    choice->name = name;
    for (size_t i = 0; i < count; i++) {
        if (vals[i] == NULL)
            continue;
        if (vals[i]->kind != VAL_CHOICE)
            add_item(l, choice, vals[i]);
        else
            for (size_t k = 0; k < vals[i]->items.count; k++)
                add_item(l, choice, vals[i]->items.items[k]);
    }
    if (choice->items.count > CHOICE_ITEMS_MAX)
        return NULL;
    LW_ASSERT(choice->items.count > 1);
    choice->var = lower_var(l, str_printf(l->arena, "which_%.*s", STR_ARG(name)));
    for (size_t i = 0; i < count; i++)
        if (vals[i] != NULL)
            flow_assign(l, &sites->items.items[i], span, choice->var, which(l, span, choice, vals[i]));
    return choice;
}

/* Whether an IF over the items did nothing: no branch of it holds a step. */
static bool is_hollow(const struct txn_step *step) {
    const struct txn_block *other = &step->else_body;
    if (step->body.steps.count > 0 || other->steps.count > 1)
        return false;
    return other->steps.count == 0 ||
           (other->steps.items[0]->kind == TXN_STEP_IF && is_hollow(other->steps.items[0]));
}

/* What the items gave, none of which took a step. */
static struct val *joined(struct lowerer *l, struct txn_span span, const struct val *of,
                          struct val **results) {
    size_t last = of->items.count - 1;
    bool is_same = true, is_scalar = true;
    for (size_t i = 0; i <= last; i++) {
        is_same &= val_same(results[i], results[0]);
        is_scalar &= results[i]->kind == VAL_SCALAR;
    }
    if (is_same)
        return results[0];
    if (is_scalar) {
        struct txn_expr *expr = results[last]->expr;
        for (size_t i = last; i-- > 0;)
            expr = txn_cond(&l->b, span, test_of(l, span, of, i), results[i]->expr, expr);
        return val_scalar(l, expr);
    }
    struct val *choice = val_new(l, VAL_CHOICE, span);
    choice->name = of->name;
    choice->var = of->var;
    for (size_t i = 0; i <= last; i++) {
        if (results[i]->kind == VAL_CHOICE) /* of another variable: only a merge can flatten it */
            return NULL;
        VEC_PUSH(l->arena, &choice->items, results[i]);
    }
    return choice;
}

struct val *choice_each(struct lowerer *l, struct txn_span span, struct val *of, choice_case *each,
                        void *context) {
    size_t count = of->items.count, opened = 0;
    struct val **results = ARENA_ARRAY(l->arena, struct val *, count);
    struct txn_step **steps = ARENA_ARRAY(l->arena, struct txn_step *, count);
    struct flow_sites sites = {{0}};
    size_t mark = flow_mark(l);
    bool is_statement = l->is_statement, is_unchanged = true;
    struct str hint = l->hint;
    LW_ASSERT(of->kind == VAL_CHOICE && count > 1);
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count)
            steps[opened++] = txn_build_if(&l->b, span, test_of(l, span, of, i));
        l->is_statement = is_statement;
        l->hint = hint;
        results[i] = each(l, of->items.items[i], context);
        is_unchanged &= !l->frame->is_terminated && flow_mark(l) == mark;
        flow_add_site(l, &sites, mark, results[i], NULL);
        flow_undo(l, mark);
        l->frame->is_terminated = false;
        if (i + 1 < count)
            txn_build_else(&l->b, steps[i]);
    }
    while (opened > 0)
        txn_build_end(&l->b, steps[--opened]);
    l->is_statement = is_statement;
    l->hint = hint;
    struct txn_block *at = l->b.at;
    if (is_unchanged && !l->b.has_failed && is_hollow(steps[0])) {
        struct val *result = joined(l, span, of, results);
        if (result != NULL) {
            LW_ASSERT(at->steps.items[at->steps.count - 1] == steps[0]);
            at->steps.count--;
            return result;
        }
    }
    struct val *result = flow_merge(l, span, &sites, of->name);
    return result != NULL ? result : val_null(l, span);
}

/* Two querysets that differ at most in their conditions, of which one adds to the other's. */
static bool is_alike(const struct queryset *a, const struct queryset *b) {
    return a->model == b->model && a->class_ == b->class_ && a->is_manager == b->is_manager &&
           a->is_order_set == b->is_order_set && a->is_reversed == b->is_reversed &&
           a->order_by.items == b->order_by.items && a->order_by.count == b->order_by.count &&
           a->limit == b->limit && a->offset == b->offset && a->lock == b->lock &&
           a->lock_wait == b->lock_wait && a->lock_of.count == b->lock_of.count &&
           a->is_distinct == b->is_distinct && a->result == b->result &&
           a->columns.items == b->columns.items && a->columns.count == b->columns.count &&
           a->only.count == b->only.count && a->defer.count == b->defer.count &&
           a->annotations.items == b->annotations.items &&
           a->annotations.count == b->annotations.count && a->owner == b->owner &&
           a->owner_field == b->owner_field && a->owner_reverse == b->owner_reverse &&
           a->owner_m2m == b->owner_m2m;
}

static size_t common_conditions(const struct queryset *a, const struct queryset *b, size_t count) {
    size_t common = 0;
    while (common < count && common < a->where.count && common < b->where.count &&
           a->where.items[common] == b->where.items[common])
        common++;
    return common;
}

static struct cond *cond_of_kind(struct lowerer *l, enum cond_kind kind, struct txn_span span) {
    struct cond *cond = ARENA_NEW(l->arena, struct cond);
    cond->kind = kind;
    cond->span = span;
    return cond;
}

/* "not on path `site`, or `there`" */
static struct cond *only_on(struct lowerer *l, struct txn_span span, uint16_t var, size_t site, struct cond *there) {
    struct cond *either = cond_of_kind(l, COND_OR, span), *elsewhere = cond_of_kind(l, COND_FREE, span);
    elsewhere->value = val_scalar(l, txn_ref(&l->b, span, var));
    elsewhere->is_unlike = true;
    elsewhere->number = (int64_t)site;
    VEC_PUSH(l->arena, &either->args, elsewhere);
    VEC_PUSH(l->arena, &either->args, there);
    return either;
}

/* The same of all that was added there. */
static struct cond *only_there(struct lowerer *l, struct txn_span span, uint16_t var, size_t site,
                               const struct queryset *query, size_t common) {
    struct cond *all = cond_of_kind(l, COND_AND, span);
    for (size_t i = common; i < query->where.count; i++)
        VEC_PUSH(l->arena, &all->args, query->where.items[i]);
    if (query->is_none) {
        struct cond *never = cond_of_kind(l, COND_OR, span);
        VEC_PUSH(l->arena, &all->args, never);
    }
    return only_on(l, span, var, site, all);
}

struct queryset *choice_union(struct lowerer *l, struct txn_span span, const struct queryset *a,
                              const struct queryset *b, bool is_both) {
    if (!is_alike(a, b) || a->limit != NULL || a->offset != NULL || a->is_none || b->is_none)
        return NULL;
    size_t common = common_conditions(a, b, a->where.count);
    const struct queryset *sides[] = {a, b};
    struct cond *either = cond_of_kind(l, is_both ? COND_AND : COND_OR, span);
    for (int i = 0; i < 2; i++) {
        struct cond *all = cond_of_kind(l, COND_AND, span);
        for (size_t k = common; k < sides[i]->where.count; k++)
            VEC_PUSH(l->arena, &all->args, sides[i]->where.items[k]);
        VEC_PUSH(l->arena, &either->args, all);
    }
    struct queryset *merged = query_copy(l, a);
    merged->where.count = merged->where.capacity = common;
    VEC_PUSH(l->arena, &merged->where, either);
    return merged;
}

struct val *choice_of_queries(struct lowerer *l, struct txn_span span, struct str name,
                              const struct flow_sites *sites, struct val **vals, size_t count) {
    struct queryset *first = NULL;
    size_t common = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        struct val *val = vals[i];
        if (val == NULL || val->kind != VAL_QUERYSET || val->query->owner_m2m != NULL)
            return NULL;
        if (first == NULL)
            first = val->query;
        if (!is_alike(first, val->query))
            return NULL;
        common = common_conditions(first, val->query, common);
    }
    if (first == NULL)
        return NULL;
    struct queryset *merged = query_copy(l, first);
    merged->is_none = false;
    merged->where.count = merged->where.capacity = common;
    uint16_t var = lower_var(l, str_printf(l->arena, "which_%.*s", STR_ARG(name)));
    for (size_t i = 0; i < count; i++) {
        const struct queryset *query = vals[i]->query;
        flow_assign(l, &sites->items.items[i], span, var, number(l, span, i));
        if (query->where.count > common || query->is_none)
            VEC_PUSH(l->arena, &merged->where, only_there(l, span, var, i, query, common));
    }
    return val_query(l, span, merged);
}

struct val *choice_of_conditions(struct lowerer *l, struct txn_span span, struct str name,
                                 const struct flow_sites *sites, struct val **vals, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (vals[i] == NULL || vals[i]->kind != VAL_COND || vals[i]->sql != NULL)
            return NULL;
    struct val *joined = val_new(l, VAL_COND, span);
    joined->cond = cond_of_kind(l, COND_AND, span);
    uint16_t var = lower_var(l, str_printf(l->arena, "which_%.*s", STR_ARG(name)));
    for (size_t i = 0; i < count; i++) {
        struct cond *cond = vals[i]->cond;
        flow_assign(l, &sites->items.items[i], span, var, number(l, span, i));
        joined->cond->is_empty_somewhere |= cond_is_empty(cond) || cond->is_empty_somewhere;
        if (!cond_is_empty(cond))
            VEC_PUSH(l->arena, &joined->cond->args, only_on(l, span, var, i, cond));
    }
    joined->cond->is_empty_somewhere &= joined->cond->args.count > 0;
    return joined;
}
