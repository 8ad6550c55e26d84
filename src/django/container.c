/* Lists, sets and dicts that are changed in place.
 *
 * What a loop over rows puts into a list can't be listed: the list becomes a *sample*, of which one row is known, the
 * last one put in (its variable is null if there is none). What is done with each of the list's rows is done with
 * that one. Rows that are kept in a dict by one of their columns stay the list they are. */
#include "django/container.h"

#include "base/assert.h"
#include "django/model_meta.h"
#include "django/orm.h"

static bool is_sample(const struct val *val) {
    return val->kind == VAL_SEQUENCE && val->is_sample;
}

struct val *sample_of(struct lowerer *l, struct txn_span span, struct row *row) {
    struct val *sample = val_new(l, VAL_SEQUENCE, span);
    sample->is_sample = sample->is_partial = true;
    VEC_PUSH(l->arena, &sample->items, val_row(l, span, row));
    return sample;
}

struct row *sample_row(const struct val *list) {
    if (list->kind == VAL_CHOICE) {
        for (size_t i = 0; i < list->items.count; i++)
            if (sample_row(list->items.items[i]) != NULL)
                return sample_row(list->items.items[i]);
        return NULL;
    }
    if (list->kind != VAL_SEQUENCE || list->items.count == 0 || (list->is_partial && !list->is_sample))
        return NULL;
    const struct val *last = list->items.items[list->items.count - 1];
    return last->kind == VAL_ROW && !last->row->is_values ? last->row : NULL;
}

bool sample_can_start(const struct val *list, const struct model *model) {
    const struct row *row = sample_row(list);
    bool is_empty = list->kind == VAL_SEQUENCE && list->items.count == 0 && !list->is_partial;
    return is_empty || (row != NULL && row->model == model);
}

bool container_method(struct lowerer *l, struct val *self, struct str name, struct args *args) {
    static const char *const others[] = {"remove", "clear", "insert", "sort", "reverse", "discard",
                                         "setdefault", "pop", "popitem"};
    bool is_one = str_is(name, "append") || str_is(name, "add");
    bool is_many = str_is(name, "extend") || str_is(name, "update");
    bool is_other = false;
    for (size_t i = 0; i < LW_COUNT_OF(others); i++)
        is_other |= str_is(name, others[i]);
    if (!is_one && !is_many && !is_other)
        return false;
    struct val *changed = val_copy(l, self);
    struct val *more = args->positional.count == 1 ? args->positional.items[0] : NULL;
    if (is_one && is_sample(self) && more != NULL && more->kind == VAL_ROW &&
        more->row->model == sample_row(self)->model) {
        changed->items.items = ARENA_ARRAY(l->arena, struct val *, 1);
        changed->items.items[0] = more;
    } else if (is_one && self->kind == VAL_SEQUENCE && more != NULL) {
        changed->is_partial |= is_sample(self);
        changed->is_sample = false;
        VEC_PUSH(l->arena, &changed->items, val_stable(l, more, STR("item")));
    } else if (is_many && more != NULL && more->kind == self->kind && !more->is_partial &&
               (self->kind == VAL_SEQUENCE || self->keys.count == 0) && args->names.count == 0) {
        changed->is_sample = false;
        for (size_t i = 0; i < more->items.count; i++)
            VEC_PUSH(l->arena, &changed->items, more->items.items[i]);
        for (size_t i = 0; i < more->keys.count; i++)
            VEC_PUSH(l->arena, &changed->keys, more->keys.items[i]);
    } else {
        changed->is_partial = true;
        changed->is_sample = false;
    }
    val_change(l, self, changed);
    return !is_other || str_is(name, "clear") || str_is(name, "sort") || str_is(name, "remove");
}

struct txn_step *sample_begin(struct lowerer *l, struct txn_span span, const struct val *sample,
                              struct val **item) {
    const struct row *row = sample_row(sample);
    struct txn_expr *none =
        txn_unary(&l->b, span, TXN_EXPR_IS_NULL, txn_ref(&l->b, span, row->var));
    struct row *there = arena_copy(l->arena, row, sizeof(*row));
    there->is_null_possible = false;
    *item = val_row(l, span, there);
    lower_bound(l, span, STR("of the rows in this list one is modelled"));
    return txn_build_if(&l->b, span, txn_unary(&l->b, span, TXN_EXPR_NOT, none));
}

bool val_is_by_key(const struct val *val) {
    return val->kind == VAL_PARTIAL && str_is(val->name, "by_key");
}

struct val *by_key_new(struct lowerer *l, struct txn_span span, struct val *rows,
                       const struct model_field *field) {
    struct val *val = val_new(l, VAL_PARTIAL, span);
    val->name = STR("by_key");
    val->self = rows;
    VEC_PUSH(l->arena, &val->items, val_literal(l, span, value_text(l->pool, field->kind == FIELD_PLAIN
                                                      ? field->name
                                                      : str_printf(l->arena, "%.*s_id",
                                                                   STR_ARG(field->name)))));
    return val;
}

struct val *by_key_item(struct lowerer *l, struct txn_span span, const struct val *by_key,
                        struct val *key, bool is_sure) {
    const struct val *rows = by_key->self;
    uint16_t found = lower_var(l, str_lower(l->arena, rows->model->name));
    uint16_t var = lower_var(l, STR("each"));
    struct str name = {0};
    val_text(l, by_key->items.items[0], &name);
    l->is_pinned[found] = l->is_pinned[var] = true;
    key = val_stable(l, key, STR("wanted"));
    txn_build_assign(&l->b, span, found, txn_literal(&l->b, span, value_null()));
    struct txn_step *loop = txn_build_for(&l->b, span, var, rows->var);
    struct row *each = row_new(l, rows->model, var), *row = row_new(l, rows->model, found);
    if (rows->query != NULL)
        query_adopt_row(l, rows->query, each);
    struct val *has = lower_attribute(l, span, val_row(l, span, each), name, NULL);
    struct txn_step *step = txn_build_if(
        &l->b, span, txn_binary(&l->b, span, TXN_OP_EQ, val_expr(l, has), val_expr(l, key)));
    txn_build_assign(&l->b, span, found, txn_ref(&l->b, span, var));
    txn_build_end(&l->b, step);
    txn_build_end(&l->b, loop);
    if (is_sure) {
        struct txn_step *missing = txn_build_if(
            &l->b, span, txn_unary(&l->b, span, TXN_EXPR_IS_NULL, txn_ref(&l->b, span, found)));
        txn_build_raise(&l->b, span, STR("KeyError"));
        txn_build_end(&l->b, missing);
    }
    row->pk_state.val = val_bool(l, span, true);
    row->is_null_possible = !is_sure;
    if (rows->query != NULL)
        query_adopt_row(l, rows->query, row);
    prefetch_row(l, span, row);
    return val_row(l, span, row);
}

struct val *by_key_method(struct lowerer *l, struct val *by_key, struct str name, struct args *args) {
    struct val *key = args_get(args, 0, "key");
    if (str_is(name, "values"))
        return by_key->self;
    if ((str_is(name, "get") || str_is(name, "pop")) && key != NULL)
        return by_key_item(l, args->span, by_key, key,
                           str_is(name, "pop") && args->positional.count == 1);
    if (str_is(name, "items")) {
        struct val *items = val_copy(l, by_key);
        items->name = STR("by_key_items");
        return items;
    }
    struct val *other = val_unknown(l, args->span, name);
    other->is_container = true;
    return other;
}
