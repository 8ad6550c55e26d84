/* Lists, sets and dicts that are changed in place.
 *
 * What a loop over rows puts into a list can't be listed: the list becomes a *sample*, of which one row is known, the
 * last one put in (its variable is null if there is none). What is done with each of the list's rows is done with
 * that one. */
#include "base/assert.h"
#include "django/values.h"

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
