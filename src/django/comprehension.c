/* Comprehensions. Over what is known each element is evaluated; over rows a loop goes through them, for what the element
 * reads, and the value hangs on all that the elements were. */
#include "base/assert.h"
#include "django/container.h"
#include "django/orm.h"
#include "django/values.h"

struct comprehension {
    struct lowerer *l;
    const struct py_node *node;
    struct py_list generators;
    const struct py_node *elt, *value; /* value: of a dict's */
    struct txn_span span;
    uint16_t all; /* what is collected of rows */
    bool is_orm;  /* elements are rows and the like */
    bool is_sum;  /* what is collected is their sum */
    struct row *sample; /* the elements are rows: `all` is the last of them */
    struct val *first; /* the one element over what isn't known, in a container */
};

static void take_apart(struct comprehension *c) {
    const struct py_node *node = c->node;
    switch (node->kind) {
    case PY_DictComp:
        c->generators = node->DictComp.generators;
        c->elt = node->DictComp.key;
        c->value = node->DictComp.value;
        return;
    case PY_SetComp:
        c->generators = node->SetComp.generators;
        c->elt = node->SetComp.elt;
        return;
    case PY_ListComp:
        c->generators = node->ListComp.generators;
        c->elt = node->ListComp.elt;
        return;
    default:
        c->generators = node->GeneratorExp.generators;
        c->elt = node->GeneratorExp.elt;
    }
}

/* 1 or 0: whether the element is taken; -1: not known. */
static int is_taken(struct comprehension *c, const struct py_node *generator, struct txn_expr **cond) {
    struct lowerer *l = c->l;
    int all = 1;
    *cond = NULL;
    for (uint32_t i = 0; i < generator->comprehension.ifs.count && all != 0; i++) {
        struct val *test = lower_expr(l, generator->comprehension.ifs.items[i]);
        int known = val_known_truth(l, test);
        if (known >= 0) {
            all = known == 0 ? 0 : all;
            continue;
        }
        struct txn_expr *truth = val_truth(l, test);
        *cond = *cond == NULL ? truth : txn_binary(&l->b, c->span, TXN_OP_AND, *cond, truth);
        all = -1;
    }
    return all;
}

/* Each element of a sequence that is known; NULL if one may or may not be taken. */
static struct val *unroll(struct comprehension *c, const struct val *sequence) {
    struct lowerer *l = c->l;
    const struct py_node *generator = c->generators.items[0];
    struct val *result = val_new(l, c->value != NULL ? VAL_DICT : VAL_SEQUENCE, c->span);
    for (size_t i = 0; i < sequence->items.count; i++) {
        struct txn_expr *cond;
        lower_assign(l, generator->comprehension.target, sequence->items.items[i]);
        int taken = is_taken(c, generator, &cond);
        if (taken < 0)
            return NULL;
        if (taken == 0)
            continue;
        struct val *elt = lower_expr(l, c->elt);
        if (c->value == NULL) {
            VEC_PUSH(l->arena, &result->items, elt);
            continue;
        }
        VEC_PUSH(l->arena, &result->keys, elt);
        VEC_PUSH(l->arena, &result->items, lower_expr(l, c->value));
    }
    return result;
}

static void nest(struct comprehension *c, uint32_t level);

/* The element, as one more of what the whole hangs on. */
static void element(struct comprehension *c) {
    struct lowerer *l = c->l;
    struct txn_expr *call = txn_opaque(&l->b, c->span, STR("collected"));
    if (c->is_sum) {
        struct txn_expr *term = val_expr(l, lower_expr(l, c->elt));
        if (!l->frame->is_terminated)
            txn_build_assign(&l->b, c->span, c->all,
                             txn_binary(&l->b, c->span, TXN_OP_ADD,
                                        txn_ref(&l->b, c->span, c->all), term));
        return;
    }
    struct val *vals[] = {lower_expr(l, c->elt), c->value != NULL ? lower_expr(l, c->value) : NULL};
    if (c->all == TXN_NO_VAR && !l->frame->is_terminated) {
        c->first = val_new(l, c->value != NULL ? VAL_DICT : VAL_SEQUENCE, c->span);
        VEC_PUSH(l->arena, &c->first->items, vals[c->value != NULL]);
        if (c->value != NULL)
            VEC_PUSH(l->arena, &c->first->keys, vals[0]);
        return;
    }
    if (vals[0]->kind == VAL_ROW && !vals[0]->row->is_values && c->value == NULL &&
        !l->frame->is_terminated) {
        txn_build_assign(&l->b, c->span, c->all, txn_ref(&l->b, c->span, vals[0]->row->var));
        c->sample = vals[0]->row;
        return;
    }
    txn_add_arg(&l->b, call, txn_ref(&l->b, c->span, c->all));
    for (size_t i = 0; i < 2 && !l->frame->is_terminated; i++) {
        if (vals[i] == NULL)
            continue;
        c->is_orm |= val_is_orm(vals[i]);
        if (vals[i]->kind != VAL_QUERYSET)
            txn_add_arg(&l->b, call, val_expr(l, vals[i]));
    }
    if (!l->frame->is_terminated)
        txn_build_assign(&l->b, c->span, c->all, call);
}

static void guarded(struct comprehension *c, uint32_t level) {
    struct lowerer *l = c->l;
    const struct py_node *generator = c->generators.items[level];
    struct txn_expr *cond;
    int taken = is_taken(c, generator, &cond);
    if (taken == 0 || l->frame->is_terminated)
        return;
    /* The one element of what isn't known is one that is taken. */
    bool is_sure = cond == NULL || c->all == TXN_NO_VAR;
    struct txn_step *step = is_sure ? NULL : txn_build_if(&l->b, c->span, cond);
    size_t mark = flow_mark(l);
    if (level + 1 < c->generators.count)
        nest(c, level + 1);
    else
        element(c);
    if (step != NULL) {
        flow_undo(l, mark);
        txn_build_end(&l->b, step);
    }
}

static struct val *row_of(struct comprehension *c, const struct val *rows, uint16_t var) {
    struct lowerer *l = c->l;
    if (rows->model == NULL)
        return val_scalar(l, txn_ref(&l->b, c->span, var));
    struct row *row = row_new(l, rows->model, var);
    row->pk_state.val = val_bool(l, c->span, true);
    row->is_partial = rows->is_partial;
    if (rows->query != NULL)
        query_adopt_row(l, rows->query, row);
    prefetch_each(l, c->span, val_row(l, c->span, row));
    return val_row(l, c->span, row);
}

/* What the generator goes through. */
static struct val *evaluated(struct comprehension *c, uint32_t level) {
    struct lowerer *l = c->l;
    struct val *iter = lower_expr(l, c->generators.items[level]->comprehension.iter);
    return iter->kind == VAL_QUERYSET ? query_rows(l, iter->span, iter->query, STR("rows")) : iter;
}

/* One generator's loop: over rows, or one round over what isn't known. */
static void over(struct comprehension *c, uint32_t level, struct val *iter) {
    struct lowerer *l = c->l;
    const struct py_node *generator = c->generators.items[level];
    struct val *item;
    struct txn_step *step = NULL;
    size_t mark = flow_mark(l);
    if (iter->kind == VAL_ROWS) {
        const struct py_node *target = generator->comprehension.target;
        uint16_t var = lower_var(l, target->kind == PY_Name ? target->Name.id : STR("item"));
        l->is_pinned[var] = true;
        step = txn_build_for(&l->b, c->span, var, iter->var);
        item = row_of(c, iter, var);
    } else {
        struct str name = iter->name.len > 0 ? iter->name : STR("items");
        item = val_unknown(l, c->span, str_printf(l->arena, "%.*s[]", STR_ARG(name)));
        item->is_orm = val_is_orm(iter);
        item->model = iter->kind == VAL_UNKNOWN && iter->is_many ? iter->model : NULL;
        if (iter->kind == VAL_SEQUENCE && iter->is_sample)
            item = iter->items.items[0];
    }
    if (generator->comprehension.target->kind == PY_Name)
        cell_set(l, fields_cell(l, l->frame->locals, generator->comprehension.target->Name.id), item);
    else
        lower_assign(l, generator->comprehension.target, item);
    guarded(c, level);
    if (step != NULL) {
        flow_undo(l, mark);
        l->frame->is_terminated = false;
        txn_build_end(&l->b, step);
    }
}

static void nest(struct comprehension *c, uint32_t level) {
    over(c, level, evaluated(c, level));
}

/* All rows as they are: a copy of the list. */
static bool is_copy(const struct comprehension *c, const struct val *iter) {
    const struct py_node *generator = c->generators.items[0], *target = generator->comprehension.target;
    return c->generators.count == 1 && generator->comprehension.ifs.count == 0 && c->value == NULL &&
           iter->kind == VAL_ROWS && target->kind == PY_Name && c->elt->kind == PY_Name &&
           str_equal(target->Name.id, c->elt->Name.id);
}

/* {x.id: x for x in rows}: the column; NULL: another. */
static const struct model_field *key_field(const struct comprehension *c, const struct val *iter) {
    const struct py_node *generator = c->generators.items[0], *target = generator->comprehension.target;
    bool is_named = c->value != NULL && target->kind == PY_Name && c->value->kind == PY_Name &&
                    str_equal(target->Name.id, c->value->Name.id);
    if (!is_named || c->generators.count != 1 || generator->comprehension.ifs.count > 0 ||
        iter->kind != VAL_ROWS || iter->model == NULL || c->elt->kind != PY_Attribute ||
        c->elt->Attribute.value->kind != PY_Name ||
        !str_equal(c->elt->Attribute.value->Name.id, target->Name.id))
        return NULL;
    const struct model_field *field = model_attribute(iter->model, c->elt->Attribute.attr);
    return field != NULL && field->kind != FIELD_MANY_TO_MANY ? field : NULL;
}

/* A value that hangs on the elements of each round. */
static struct val *fold(struct comprehension *c, struct val *iter) {
    struct lowerer *l = c->l;
    struct val *val = val_unknown(l, c->span, module_text(l->frame->module, c->node));
    if (iter->kind != VAL_ROWS && c->generators.count == 1) {
        over(c, 0, iter);
        return c->first != NULL ? c->first : val;
    }
    c->all = lower_var(l, STR("collected"));
    l->is_pinned[c->all] = true;
    txn_build_assign(&l->b, c->span, c->all, txn_literal(&l->b, c->span, value_null()));
    over(c, 0, iter);
    if (c->sample != NULL) {
        struct row *row = row_new(l, c->sample->model, c->all);
        row->is_null_possible = true;
        row->is_new = c->sample->is_new;
        row->pk_state.val = c->sample->pk_state.val;
        return sample_of(l, c->span, row);
    }
    val->expr = txn_ref(&l->b, c->span, c->all);
    val->is_orm = c->is_orm;
    return val;
}

struct val *lower_sum(struct lowerer *l, const struct py_node *call) {
    const struct py_node *callee = call->Call.func;
    if (callee->kind != PY_Name || !str_is(callee->Name.id, "sum") || call->Call.args.count != 1 ||
        call->Call.keywords.count > 0)
        return NULL;
    const struct py_node *of = call->Call.args.items[0];
    if (of->kind != PY_GeneratorExp && of->kind != PY_ListComp)
        return NULL;
    struct comprehension c = {.l = l, .node = of, .span = lower_span(l, call), .is_sum = true};
    take_apart(&c);
    c.all = lower_var(l, STR("sum"));
    l->is_pinned[c.all] = true;
    txn_build_assign(&l->b, c.span, c.all, txn_literal(&l->b, c.span, value_int(0)));
    nest(&c, 0);
    return val_scalar(l, txn_ref(&l->b, c.span, c.all));
}

struct val *lower_comprehension(struct lowerer *l, const struct py_node *node) {
    struct comprehension c = {.l = l, .node = node, .span = lower_span(l, node), .all = TXN_NO_VAR};
    take_apart(&c);
    struct val *iter = evaluated(&c, 0), *known;
    if (iter->kind == VAL_SEQUENCE && !iter->is_partial && c.generators.count == 1 &&
        iter->items.count <= LOWER_UNROLL_MAX && (known = unroll(&c, iter)) != NULL)
        return known;
    const struct model_field *key = key_field(&c, iter);
    if (key != NULL)
        return by_key_new(l, c.span, iter, key);
    return is_copy(&c, iter) ? iter : fold(&c, iter);
}
