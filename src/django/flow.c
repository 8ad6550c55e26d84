/* State and branches. A branch is lowered on the live state; what it wrote is read off the log, the log is
 * undone, the sibling is lowered, and the two (or more) outcomes are joined by assigning variables at the
 * ends of the branches: the phi functions of static single assignment form, made where they are needed. */
#include "django/lower.h"

#include "base/assert.h"
#include "django/choice.h"
#include "django/values.h"

struct fields *fields_new(struct lowerer *l) {
    struct fields *fields = ARENA_NEW(l->arena, struct fields);
    map_init(&fields->cells, l->arena);
    return fields;
}

struct cell *fields_find(const struct fields *fields, struct str name) {
    return map_get(&fields->cells, name);
}

struct cell *fields_cell(struct lowerer *l, struct fields *fields, struct str name) {
    struct cell *cell = map_get(&fields->cells, name);
    if (cell == NULL) {
        cell = ARENA_NEW(l->arena, struct cell);
        cell->name = name;
        map_put(&fields->cells, name, cell);
    }
    return cell;
}

void cell_set(struct lowerer *l, struct cell *cell, struct val *val) {
    VEC_PUSH(l->arena, &l->trail, (struct log_entry){cell, cell->val});
    cell->val = val;
}

size_t flow_mark(const struct lowerer *l) {
    return l->trail.count;
}

void flow_undo(struct lowerer *l, size_t mark) {
    LW_ASSERT(mark <= l->trail.count);
    while (l->trail.count > mark) {
        struct log_entry *entry = &l->trail.items[--l->trail.count];
        entry->cell->val = entry->old;
    }
}

void flow_add_site(struct lowerer *l, struct flow_sites *sites, size_t mark, struct val *result,
                   struct txn_step *before) {
    if (l->frame->is_terminated)
        return;
    struct flow_site site = {.block = l->b.at, .before = before, .result = result};
    l->site_count++;
    for (size_t i = mark; i < l->trail.count; i++) {
        struct cell *cell = l->trail.items[i].cell;
        if (cell->site == l->site_count)
            continue;
        cell->site = l->site_count;
        VEC_PUSH(l->arena, &site.changes, (struct change){cell, cell->val});
    }
    VEC_PUSH(l->arena, &sites->items, site);
}

static bool expr_same(const struct txn_expr *a, const struct txn_expr *b) {
    if (a == b)
        return true;
    if (a->kind != b->kind)
        return false;
    if (a->kind == TXN_EXPR_LITERAL)
        return a->literal.kind == b->literal.kind && a->literal.number == b->literal.number &&
               a->literal.scale == b->literal.scale;
    return a->kind == TXN_EXPR_VAR && a->var == b->var;
}

bool val_same(const struct val *a, const struct val *b) {
    if (a == b)
        return true;
    if (a == NULL || b == NULL || a->kind != b->kind)
        return false;
    switch (a->kind) {
    case VAL_SCALAR:
        return expr_same(a->expr, b->expr);
    case VAL_ROW:
        return a->row == b->row || (a->row->var == b->row->var &&
                                    a->row->is_null_possible == b->row->is_null_possible);
    case VAL_ROWS:
        return a->var == b->var;
    case VAL_CLASS:
        return a->class_ == b->class_;
    case VAL_INSTANCE:
        return a->fields == b->fields;
    case VAL_MODULE:
        return a->module == b->module;
    case VAL_FUNC:
        return a->func == b->func && a->node == b->node && a->closure == b->closure;
    case VAL_BOUND:
    case VAL_METHOD:
        return a->func == b->func && val_same(a->self, b->self) && str_equal(a->name, b->name) &&
               a->items.count == b->items.count &&
               (a->items.count == 0 || val_same(a->items.items[0], b->items.items[0]));
    case VAL_QUERYSET:
        return a->query == b->query;
    case VAL_CHOICE:
        if (a->var != b->var || a->items.count != b->items.count)
            return false;
        for (size_t i = 0; i < a->items.count; i++)
            if (!val_same(a->items.items[i], b->items.items[i]))
                return false;
        return true;
    case VAL_UNKNOWN:
    case VAL_EXTERNAL:
        return str_equal(a->name, b->name) && a->expr == b->expr;
    default:
        return false;
    }
}

void flow_assign(struct lowerer *l, const struct flow_site *site, struct txn_span span, uint16_t var,
                 struct txn_expr *expr) {
    struct txn_block *at = l->b.at;
    l->b.at = site->block;
    struct txn_step *step = txn_build_assign(&l->b, span, var, expr);
    l->b.at = at;
    l->step_count++;
    if (site->before == NULL || l->b.has_failed)
        return;
    struct txn_step **items = site->block->steps.items;
    size_t i = site->block->steps.count - 1;
    LW_ASSERT(items[i] == step);
    while (i > 0 && items[i] != site->before) {
        items[i] = items[i - 1];
        i--;
    }
    LW_ASSERT(items[i] == site->before);
    LW_ASSERT(i + 1 < site->block->steps.count);
    items[i + 1] = items[i];
    items[i] = step;
}

struct phi {
    struct lowerer *l;
    struct txn_span span;
    struct str name;
    struct flow_sites *sites;
    struct val **vals;
    size_t count;
};

static struct val *phi_value(struct phi *phi);

static bool is_null_val(const struct val *val) {
    return val->kind == VAL_SCALAR && val->expr->kind == TXN_EXPR_LITERAL &&
           val->expr->literal.kind == VALUE_NULL;
}

static struct txn_expr *phi_operand(struct phi *phi, struct val *val) {
    struct lowerer *l = phi->l;
    if (val->kind == VAL_ROW)
        return txn_ref(&l->b, phi->span, val->row->var);
    if (val->kind == VAL_ROWS)
        return txn_ref(&l->b, phi->span, val->var);
    return val_expr(l, val);
}

static void phi_assign(struct phi *phi, uint16_t var) {
    bool is_outside = true;
    for (size_t i = 0; i < phi->count; i++) {
        if (phi->vals[i] == NULL)
            continue;
        struct txn_expr *expr = phi_operand(phi, phi->vals[i]);
        if (expr->kind == TXN_EXPR_VAR && expr->var == var)
            continue;
        is_outside = is_outside && expr_is_outside(phi->l, expr);
        flow_assign(phi->l, &phi->sites->items.items[i], phi->span, var, expr);
    }
    phi->l->is_outside[var] = is_outside;
}

/* What the cell holds at the end of a branch; the state at hand is the one before it. */
static struct val *site_value(const struct flow_site *site, const struct cell *cell) {
    for (size_t i = 0; i < site->changes.count; i++)
        if (site->changes.items[i].cell == cell)
            return site->changes.items[i].val;
    return cell->val;
}

static struct val *phi_row(struct phi *phi, struct model *model) {
    struct lowerer *l = phi->l;
    struct row *row = row_new(l, model, lower_var(l, phi->name));
    struct val *state = NULL;
    bool is_first = true, is_partial = false;
    for (size_t i = 0; i < phi->count; i++) {
        struct val *val = phi->vals[i];
        if (val == NULL)
            continue;
        if (val->kind != VAL_ROW) {
            row->is_null_possible = true;
            continue;
        }
        row->is_null_possible |= val->row->is_null_possible;
        row->is_changed_here |= val->row->is_changed_here;
        for (size_t k = 0; k < val->row->assigned.count; k++)
            VEC_PUSH(l->arena, &row->assigned, val->row->assigned.items[k]);
        is_partial |= val->row->is_partial;
        struct val *here = site_value(&phi->sites->items.items[i], &val->row->pk_state);
        if (is_first || val_same(state, here))
            state = here;
        else
            state = NULL;
        is_first = false;
    }
    row->pk_state.val = state;
    if (is_partial)
        lower_note(l, phi->span, STR("rows with deferred columns that differ by branch"));
    phi_assign(phi, row->var);
    return val_row(l, phi->span, row);
}

static struct val *phi_sequence(struct phi *phi, struct val *first) {
    struct lowerer *l = phi->l;
    struct val *result = val_new(l, VAL_SEQUENCE, phi->span);
    for (size_t i = 0; i < phi->count; i++)
        if (phi->vals[i] != NULL) {
            result->is_partial |= phi->vals[i]->is_partial;
            result->is_sample |= phi->vals[i]->is_sample;
        }
    for (size_t item = 0; item < first->items.count; item++) {
        struct phi part = *phi;
        part.vals = ARENA_ARRAY(l->arena, struct val *, phi->count);
        part.name = str_printf(l->arena, "%.*s_%zu", STR_ARG(phi->name), item + 1);
        for (size_t i = 0; i < phi->count; i++)
            part.vals[i] = phi->vals[i] != NULL ? phi->vals[i]->items.items[item] : NULL;
        VEC_PUSH(l->arena, &result->items, phi_value(&part));
    }
    return result;
}

static struct val *phi_free(struct phi *phi) {
    struct str text = {0};
    for (size_t i = 0; i < phi->count; i++)
        if (phi->vals[i] != NULL && text.len == 0)
            text = phi->vals[i]->name;
        else if (phi->vals[i] != NULL)
            text = str_printf(phi->l->arena, "%.*s or %.*s", STR_ARG(text),
                              STR_ARG(phi->vals[i]->name));
    struct val *val = val_unknown(phi->l, phi->span, text);
    struct val *first = NULL;
    bool is_one = true;
    for (size_t i = 0; i < phi->count; i++) {
        struct val *one = phi->vals[i];
        if (one == NULL)
            continue;
        first = first == NULL ? one : first;
        val->is_orm |= one->is_orm;
        val->is_null |= one->is_null;
        is_one &= one->model == first->model && one->is_many == first->is_many;
    }
    if (first != NULL && is_one) {
        val->model = first->model;
        val->is_many = first->is_many;
    }
    return val;
}

bool val_is_orm(const struct val *val) {
    switch (val->kind) {
    case VAL_ROW:
    case VAL_ROWS:
        return true;
    case VAL_QUERYSET:
    case VAL_CLASS:
    case VAL_INSTANCE:
    case VAL_FUNC:
    case VAL_BOUND:
    case VAL_METHOD:
    case VAL_SUPER:
    case VAL_PARTIAL:
        return true;
    case VAL_SEQUENCE:
    case VAL_DICT:
    case VAL_CHOICE:
        for (size_t i = 0; i < val->items.count; i++)
            if (val_is_orm(val->items.items[i]))
                return true;
        return false;
    default:
        return val->is_orm;
    }
}

/* An object of the project's own, or of none of its classes: no row, nor something that could be one. */
static bool is_object(const struct val *val) {
    return val == NULL || val->kind == VAL_INSTANCE || val->kind == VAL_EXTERNAL || val->kind == VAL_SCALAR ||
           (val->kind == VAL_UNKNOWN && (val->is_object || (!val->is_orm && val->model == NULL)));
}

struct val *flow_lost(struct lowerer *l, struct txn_span span, struct str name, struct val **vals,
                      size_t count) {
    struct val *lost = val_unknown(l, span, name);
    lost->is_container = true;
    for (size_t i = 0; i < count; i++)
        lost->is_container &= vals[i] == NULL || vals[i]->kind == VAL_SEQUENCE ||
                              vals[i]->kind == VAL_DICT || vals[i]->is_container;
    lost->is_object = true;
    for (size_t i = 0; i < count; i++) {
        lost->is_orm |= vals[i] != NULL && val_is_orm(vals[i]);
        lost->is_object &= is_object(vals[i]);
    }
    return lost;
}

/* What the branches have in common decides how their values are joined. */
static struct val *phi_value(struct phi *phi) {
    struct lowerer *l = phi->l;
    struct val *first = NULL;
    struct model *model = NULL;
    bool is_all_same = true, is_row = true, is_scalar = true, is_rows = true, is_sequence = true;
    bool is_free = true;
    for (size_t i = 0; i < phi->count; i++) {
        struct val *val = phi->vals[i];
        if (val == NULL)
            continue;
        if (first == NULL)
            first = val;
        is_all_same &= val_same(first, val);
        if (val->kind == VAL_ROW && model == NULL)
            model = val->row->model;
        is_row &= is_null_val(val) || (val->kind == VAL_ROW && val->row->model == model);
        is_scalar &= val->kind == VAL_SCALAR || val->kind == VAL_UNKNOWN;
        is_free &= (val->kind == VAL_UNKNOWN && val->expr == NULL) || val->kind == VAL_EXTERNAL;
        is_rows &= val->kind == VAL_ROWS && val->model == first->model;
        is_sequence &= val->kind == VAL_SEQUENCE && first->kind == VAL_SEQUENCE &&
                       val->items.count == first->items.count;
    }
    if (first == NULL || is_all_same)
        return first;
    if (is_row && model != NULL)
        return phi_row(phi, model);
    if (is_free) /* one free value or the other is a free value */
        return phi_free(phi);
    if (is_sequence)
        return phi_sequence(phi, first);
    if (is_scalar || is_rows) {
        uint16_t var = lower_var(l, phi->name);
        phi_assign(phi, var);
        return is_scalar ? val_scalar(l, txn_ref(&l->b, phi->span, var))
                         : val_rows(l, phi->span, var, first->model);
    }
    struct val *joined =
        choice_of_queries(l, phi->span, phi->name, phi->sites, phi->vals, phi->count);
    if (joined == NULL)
        joined = choice_of_conditions(l, phi->span, phi->name, phi->sites, phi->vals, phi->count);
    if (joined == NULL)
        joined = choice_merge(l, phi->span, phi->name, phi->sites, phi->vals, phi->count);
    return joined != NULL ? joined : flow_lost(l, phi->span, phi->name, phi->vals, phi->count);
}

/* What a test told about a value holds in its branch only. */
static struct val *unrefined(struct val *val) {
    return val != NULL && val->refined_from != NULL ? val->refined_from : val;
}

/* `vals`: what the cell holds at each site. */
static void merge_cell(struct lowerer *l, struct txn_span span, struct flow_sites *sites,
                       struct cell *cell, struct val **vals) {
    struct phi phi = {l, span, cell->name, sites, vals, sites->items.count};
    bool is_same = true, is_root_same = true;
    for (size_t i = 1; i < phi.count; i++) {
        is_same &= val_same(vals[i], vals[0]);
        is_root_same &= unrefined(vals[i]) == unrefined(vals[0]);
    }
    if (is_same)
        cell_set(l, cell, vals[0]);
    else if (is_root_same)
        cell_set(l, cell, unrefined(vals[0]));
    else if (cell->is_cache)
        cell_set(l, cell, NULL);
    else
        cell_set(l, cell, phi_value(&phi));
}

/* A cell that some branch changed, with what it holds at each site. */
struct merged {
    struct cell *cell;
    struct val **vals;
};

static void merge_cells(struct lowerer *l, struct txn_span span, struct flow_sites *sites) {
    size_t count = sites->items.count;
    VEC(struct merged) cells = {0};
    size_t merge = ++l->merge_count;
    for (size_t i = 0; i < count; i++) {
        struct flow_site *site = &sites->items.items[i];
        for (size_t j = 0; j < site->changes.count; j++) {
            struct change *change = &site->changes.items[j];
            if (change->cell->merge != merge) {
                struct val **vals = ARENA_ARRAY(l->arena, struct val *, count);
                for (size_t k = 0; k < count; k++)
                    vals[k] = change->cell->val;
                change->cell->merge = merge;
                change->cell->merged = cells.count;
                VEC_PUSH(l->arena, &cells, (struct merged){change->cell, vals});
            }
            cells.items[change->cell->merged].vals[i] = change->val;
        }
    }
    for (size_t i = 0; i < cells.count; i++)
        merge_cell(l, span, sites, cells.items[i].cell, cells.items[i].vals);
}

struct val *flow_merge(struct lowerer *l, struct txn_span span, struct flow_sites *sites,
                       struct str result_name) {
    size_t count = sites->items.count;
    l->frame->is_terminated = count == 0;
    if (count == 0)
        return NULL;
    struct phi phi = {l, span, result_name, sites, ARENA_ARRAY(l->arena, struct val *, count), count};
    for (size_t i = 0; i < count; i++)
        phi.vals[i] = sites->items.items[i].result;
    struct val *result = phi_value(&phi);
    merge_cells(l, span, sites);
    return result;
}
