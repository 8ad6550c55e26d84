/* Grouping and aggregates: see query_group.h. */
#include "engine/query_group.h"

#include "base/assert.h"

const struct sql_expr *query_item_expr(const struct sql_select *select,
                                       const struct sql_expr *expr) {
    size_t item = SIZE_MAX;
    if (expr->kind == SQL_COLUMN && expr->source == SQL_SOURCE_ITEM && expr->depth == 0)
        item = expr->column;
    else if (expr->kind == SQL_LITERAL && expr->literal.kind == VALUE_INT)
        item = (size_t)expr->literal.number - 1;
    return item < select->items.count ? select->items.items[item].expr : expr;
}

static void find_calls(struct grouping *grouping, const struct sql_expr *expr) {
    if (expr == NULL)
        return;
    if (eval_is_aggregate(expr)) {
        for (size_t i = 0; i < grouping->calls.count; i++)
            if (grouping->calls.items[i] == expr)
                return;
        VEC_PUSH(grouping->join->query->eval.scratch, &grouping->calls, expr);
        return;
    }
    for (size_t i = 0; i < expr->args.count; i++)
        find_calls(grouping, expr->args.items[i]);
}

void grouping_begin(struct grouping *grouping, struct join *join, const struct sql_select *select) {
    *grouping = (struct grouping){.join = join, .select = select};
    for (size_t i = 0; i < select->items.count; i++)
        find_calls(grouping, select->items.items[i].expr);
    find_calls(grouping, select->having);
    for (size_t i = 0; i < select->order_by.count; i++)
        find_calls(grouping, query_item_expr(select, select->order_by.items[i].expr));
}

/* NULLs make one group, unlike in comparisons. */
static bool same_group(const struct eval *eval, const struct value *a, const struct value *b,
                       size_t count) {
    for (size_t i = 0; i < count; i++)
        if (eval_key_order(eval, a[i], b[i]) != 0)
            return false;
    return true;
}

static bool find_group(struct grouping *grouping, struct group **found) {
    struct eval *eval = &grouping->join->query->eval;
    const struct sql_select *select = grouping->select;
    size_t key_count = select->group_by.count;
    struct value *keys = ARENA_ARRAY(eval->scratch, struct value, key_count);
    for (size_t i = 0; i < key_count; i++)
        if (!eval_expr(eval, query_item_expr(select, select->group_by.items[i]), &keys[i]))
            return false;
    for (size_t i = 0; i < grouping->groups.count; i++) {
        *found = &grouping->groups.items[i];
        if (same_group(eval, (*found)->keys, keys, key_count))
            return true;
    }
    struct group group = {.keys = keys, .tuple = join_copy_tuple(grouping->join)};
    group.accumulators = ARENA_ARRAY(eval->scratch, struct accumulator, grouping->calls.count);
    VEC_PUSH(eval->scratch, &grouping->groups, group);
    *found = &grouping->groups.items[grouping->groups.count - 1];
    return true;
}

static bool was_seen(struct eval *eval, struct accumulator *accumulator, struct value value) {
    for (size_t i = 0; i < accumulator->seen.count; i++)
        if (eval_key_order(eval, accumulator->seen.items[i], value) == 0)
            return true;
    VEC_PUSH(eval->scratch, &accumulator->seen, value);
    return false;
}

static bool add_to_sum(struct eval *eval, struct accumulator *accumulator, struct value value) {
    if (value.kind == VALUE_TEXT) {
        bool whole;
        value = eval_text_number(eval, value, &whole);
        if (!whole && eval->engine == ENGINE_POSTGRESQL)
            return eval_fail(eval, DB_ERROR_DATA, "sum of texts");
    }
    if (!eval_is_number(value))
        return eval_fail(eval, DB_ERROR_NOT_MODELLED, "sum of times");
    struct value total = accumulator->count == 0 ? value_int(0) : accumulator->total;
    if (!value_arith(VALUE_ADD, total, value, false, &accumulator->total))
        return eval_fail(eval, DB_ERROR_DATA, "number out of range");
    return true;
}

static bool accumulate(struct eval *eval, const struct sql_expr *call,
                       struct accumulator *accumulator) {
    struct value value;
    if (call->is_star) {
        accumulator->count++;
        return true;
    }
    if (!eval_expr(eval, call->args.items[0], &value))
        return false;
    if (value.kind == VALUE_NULL || (call->is_distinct && was_seen(eval, accumulator, value)))
        return true;
    if (str_is(call->name, "SUM") || str_is(call->name, "AVG")) {
        if (!add_to_sum(eval, accumulator, value))
            return false;
    } else if (!str_is(call->name, "COUNT")) {
        int order = 0, sign = str_is(call->name, "MAX") ? 1 : -1;
        if (accumulator->count > 0 && !eval_compare(eval, value, accumulator->total, &order))
            return false;
        if (accumulator->count == 0 || order * sign > 0)
            accumulator->total = value;
    }
    accumulator->count++;
    return true;
}

bool grouping_add(struct grouping *grouping) {
    struct group *group;
    if (!find_group(grouping, &group))
        return false;
    for (size_t i = 0; i < grouping->calls.count; i++)
        if (!accumulate(&grouping->join->query->eval, grouping->calls.items[i],
                        &group->accumulators[i]))
            return false;
    return true;
}

void grouping_end(struct grouping *grouping) {
    struct join *join = grouping->join;
    struct arena *scratch = join->query->eval.scratch;
    if (grouping->select->group_by.count > 0 || grouping->groups.count > 0)
        return;
    struct group group = {.tuple = {ARENA_ARRAY(scratch, const struct value *, join->source_count),
                                    ARENA_ARRAY(scratch, struct db_ref, join->source_count)},
                          .accumulators =
                              ARENA_ARRAY(scratch, struct accumulator, grouping->calls.count)};
    VEC_PUSH(scratch, &grouping->groups, group);
}

static bool call_value(struct eval *eval, const struct sql_expr *call,
                       const struct accumulator *accumulator, struct value *result) {
    *result = value_null();
    if (str_is(call->name, "COUNT"))
        *result = value_int(accumulator->count);
    else if (accumulator->count == 0)
        return true;
    else if (!str_is(call->name, "AVG"))
        *result = accumulator->total;
    else if (!value_arith(VALUE_DIV, accumulator->total, value_int(accumulator->count), false,
                          result))
        return eval_fail(eval, DB_ERROR_DATA, "number out of range");
    return true;
}

bool grouping_enter(struct grouping *grouping, size_t index, struct eval_group *values) {
    struct join *join = grouping->join;
    struct eval *eval = &join->query->eval;
    const struct group *group = &grouping->groups.items[index];
    size_t count = grouping->calls.count;
    struct value *results = ARENA_ARRAY(eval->scratch, struct value, count);
    for (size_t i = 0; i < count; i++)
        if (!call_value(eval, grouping->calls.items[i], &group->accumulators[i], &results[i]))
            return false;
    *values = (struct eval_group){grouping->calls.items, results, count};
    join_set_tuple(join, &group->tuple);
    join->frame.group = values;
    return true;
}
