/* select_for_update() at a read, and the transaction around it. */
#include "base/assert.h"
#include "patch/make.h"

/* What a queryset is asked for its row or rows: the lock goes before it. */
static bool is_fetch(struct str method) {
    static const char *const names[] = {"get",      "first",  "last",          "earliest",
                                        "latest",   "iterator", "get_or_create", "update_or_create"};
    for (size_t i = 0; i < LW_COUNT_OF(names); i++)
        if (str_is(method, names[i]))
            return true;
    return false;
}

/* Methods that give a queryset of whole rows: the lock goes behind them. */
static bool is_queryset_method(struct str method) {
    static const char *const names[] = {"all",  "filter", "exclude", "order_by", "reverse",
                                        "only", "defer",  "using",   "prefetch_related"};
    for (size_t i = 0; i < LW_COUNT_OF(names); i++)
        if (str_is(method, names[i]))
            return true;
    return false;
}

/* Whether the chain of calls has a method that a row lock does not go with: outer joins, values, a lock it has. */
static bool is_lockable(const struct py_node *node) {
    static const char *const others[] = {"select_related", "select_for_update", "values",
                                         "values_list",    "distinct",          "annotate",
                                         "union",          "dates",             "aggregate"};
    while (node != NULL) {
        const struct py_node *func = node->kind == PY_Call ? node->Call.func : node;
        if (func->kind == PY_Subscript) {
            node = func->Subscript.value;
            continue;
        }
        if (func->kind != PY_Attribute)
            return true;
        for (size_t i = 0; i < LW_COUNT_OF(others); i++)
            if (str_is(func->Attribute.attr, others[i]))
                return false;
        node = func->Attribute.value;
    }
    return true;
}

static const char *const lock_text = ".select_for_update()";

/* get_object_or_404(Model, ...): the first argument is a model, a manager or a queryset. */
static bool lock_shortcut(struct making *m, struct module *module, const struct py_node *call) {
    const struct py_node *first = call->Call.args.count > 0 ? call->Call.args.items[0] : NULL;
    if (first == NULL || !is_lockable(first))
        return refuse(m, "what is read is not to be locked by an edit of this line");
    struct symbol symbol = symbol_of_expr(m->source->facts, module, first);
    bool is_class = symbol.kind == SYMBOL_CLASS;
    if (is_class && !has_objects(m, symbol.class_))
        return refuse(m, "the model has no manager `objects`");
    return add(m, module, first->end, first->end,
               str_printf(m->arena, "%s%s", is_class ? ".objects" : "", lock_text));
}

static bool is_shortcut(const struct py_node *node) {
    if (node->kind != PY_Call)
        return false;
    const struct py_node *func = node->Call.func;
    struct str name = func->kind == PY_Name        ? func->Name.id
                      : func->kind == PY_Attribute ? func->Attribute.attr
                                                   : (struct str){0};
    return str_is(name, "get_object_or_404") || str_is(name, "get_list_or_404");
}

bool make_lock(struct making *m, const struct fix_edit *edit) {
    struct place place;
    if (!place_find(m->source, edit->span, &place, &m->why))
        return false;
    const struct py_node *node = place_node(&place);
    if (is_call_of(node, "refresh_from_db"))
        return true; /* of a row that is locked by then, or the check will say so */
    if (is_shortcut(node))
        return lock_shortcut(m, place.module, node);
    uint32_t at;
    if (node->kind == PY_Call && node->Call.func->kind == PY_Attribute &&
        is_fetch(node->Call.func->Attribute.attr))
        at = node->Call.func->Attribute.value->end;
    else if (node->kind == PY_Call && node->Call.func->kind == PY_Attribute &&
             is_queryset_method(node->Call.func->Attribute.attr))
        at = node->end;
    else if (node->kind == PY_Subscript && node->Subscript.value->kind == PY_Call)
        at = node->Subscript.value->end;
    else
        return refuse(m, "what is read is not to be locked by an edit of this line");
    if (!is_lockable(node))
        return refuse(m, "a row lock does not go with what is read");
    return add(m, place.module, at, at, str_from_c(lock_text));
}

static void find_yield(const struct py_node *node, void *context) {
    *(bool *)context |= node->kind == PY_Yield || node->kind == PY_YieldFrom || node->kind == PY_Await;
}

/* What stands around all that the repair locks, and around the write, in one def. False: nothing does. */
static bool find_common(struct making *m, struct place *common) {
    struct place place;
    struct str why;
    if (!place_find(m->source, m->repair->write, common, &why))
        return false;
    for (size_t i = 0; i < m->repair->edit_count; i++) {
        const struct fix_edit *edit = &m->repair->edits[i];
        if (edit->kind != FIX_EDIT_LOCK || !is_wanted(m, edit))
            continue;
        if (!place_find(m->source, edit->span, &place, &why) || place.module != common->module)
            return false;
        size_t same = 0;
        while (same < place.nodes.count && same < common->nodes.count &&
               place.nodes.items[same] == common->nodes.items[same])
            same++;
        common->nodes.count = same;
    }
    return place_def(common) != NULL;
}

static bool is_atomic(const struct py_node *node) {
    node = node->kind == PY_Call ? node->Call.func : node;
    return (node->kind == PY_Attribute && str_is(node->Attribute.attr, "atomic")) ||
           (node->kind == PY_Name && str_is(node->Name.id, "atomic"));
}

/* Whether it stands in a block of one transaction within its def already. */
static bool stands_in_atomic(const struct place *place) {
    for (size_t i = place->nodes.count; i > 0 && !is_def(place->nodes.items[i - 1]); i--) {
        const struct py_node *node = place->nodes.items[i - 1];
        for (uint32_t k = 0; node->kind == PY_With && k < node->With.items.count; k++)
            if (is_atomic(node->With.items.items[k]->withitem.context_expr))
                return true;
    }
    return false;
}

static bool has_atomic(const struct py_node *def) {
    for (uint32_t i = 0; def->kind == PY_FunctionDef && i < def->FunctionDef.decorator_list.count; i++)
        if (is_atomic(def->FunctionDef.decorator_list.items[i]))
            return true;
    return false;
}

bool make_atomic(struct making *m, const struct fix_edit *edit) {
    struct place place;
    const struct py_node *def;
    if (!m->repair->is_wide && edit->session == m->repair->session && find_common(m, &place)) {
        if (stands_in_atomic(&place))
            return true;
        def = place_def(&place);
    } else if (place_find_def(m->source, edit->span, &place, &m->why)) {
        def = place_node(&place);
    } else {
        return false;
    }
    if (has_atomic(def))
        return true;
    bool yields = false;
    node_walk(def, find_yield, &yields);
    if (def->kind != PY_FunctionDef || yields)
        return refuse(m, "a transaction cannot go around a generator or a coroutine");
    struct str atomic;
    if (!name_atomic(m, place.module, &atomic))
        return false;
    return add_line_before(m, place.module, def, str_printf(m->arena, "@%.*s", STR_ARG(atomic)));
}
