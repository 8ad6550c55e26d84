/* Where receivers of signals are connected, and what they run when one is sent. */
#include "django/signal.h"

#include "base/assert.h"
#include "django/values.h"

static const char *const signal_names[] = {[SIGNAL_PRE_SAVE] = "pre_save",
                                           [SIGNAL_POST_SAVE] = "post_save",
                                           [SIGNAL_PRE_DELETE] = "pre_delete",
                                           [SIGNAL_POST_DELETE] = "post_delete",
                                           [SIGNAL_M2M_CHANGED] = "m2m_changed"};

struct connecting {
    struct django_facts *facts;
    struct module *module;
    struct module *local; /* what the function around imports for itself; NULL: none around */
};

static struct symbol symbol_here(struct connecting *c, const struct py_node *node) {
    struct symbol symbol = {0};
    if (c->local != NULL)
        symbol = symbol_of_expr(c->facts, c->local, node);
    return symbol.kind != SYMBOL_NONE ? symbol : symbol_of_expr(c->facts, c->module, node);
}

/* A model signal of Django's; false: something else. */
static bool signal_of(struct connecting *c, const struct py_node *node, enum signal *signal) {
    struct symbol symbol = symbol_here(c, node);
    if (symbol.kind != SYMBOL_EXTERNAL)
        return false;
    for (size_t i = 0; i < LW_COUNT_OF(signal_names); i++) {
        struct str name =
            str_printf(c->facts->arena, "django.db.models.signals.%s", signal_names[i]);
        if (str_equal(symbol.dotted, name)) {
            *signal = (enum signal)i;
            return true;
        }
    }
    return false;
}

static const struct py_node *keyword(const struct py_node *call, const char *name) {
    for (uint32_t i = 0; i < call->Call.keywords.count; i++)
        if (str_is(call->Call.keywords.items[i]->keyword.arg, name))
            return call->Call.keywords.items[i]->keyword.value;
    return NULL;
}

/* Model.field.through */
static struct model *through_of(struct connecting *c, const struct py_node *node) {
    if (node->kind != PY_Attribute || !str_is(node->Attribute.attr, "through") ||
        node->Attribute.value->kind != PY_Attribute)
        return NULL;
    const struct py_node *field_node = node->Attribute.value;
    struct symbol symbol = symbol_here(c, field_node->Attribute.value);
    struct model *model = symbol.kind == SYMBOL_CLASS ? class_model(c->facts, symbol.class_) : NULL;
    struct model_field *field =
        model != NULL ? model_field(model, field_node->Attribute.attr) : NULL;
    return field != NULL ? field->through : NULL;
}

static struct model *model_of(struct connecting *c, const struct py_node *node,
                              struct symbol symbol) {
    struct str label;
    if (symbol.kind == SYMBOL_CLASS)
        return class_model(c->facts, symbol.class_);
    if (symbol.kind == SYMBOL_EXTERNAL && str_ends(symbol.dotted, "settings.AUTH_USER_MODEL"))
        return model_named(c->facts, NULL, c->facts->user_model);
    if (node->kind == PY_Call)
        return model_of_call(c->facts, c->module, node);
    if (constant_text(c->facts, c->module, node, &label))
        return model_named(c->facts, NULL, label);
    return through_of(c, node);
}

enum sender { SENDER_ANY, SENDER_MODEL, SENDER_OUTSIDE, SENDER_UNKNOWN };

static enum sender sender_of(struct connecting *c, const struct py_node *node,
                             struct model **model) {
    *model = NULL;
    if (node == NULL || (node->kind == PY_Constant && node->constant == PY_CONST_None))
        return SENDER_ANY;
    struct symbol symbol = symbol_here(c, node);
    *model = model_of(c, node, symbol);
    if (*model != NULL)
        return SENDER_MODEL;
    return symbol.kind == SYMBOL_EXTERNAL ? SENDER_OUTSIDE : SENDER_UNKNOWN;
}

static void connect(struct connecting *c, const struct py_node *place, enum signal signal,
                    const struct py_node *sender, struct py_func *func) {
    struct django_facts *facts = c->facts;
    struct receiver receiver = {.signal = signal, .func = func};
    enum sender kind = sender_of(c, sender, &receiver.sender);
    if (kind == SENDER_OUTSIDE)
        return;
    if (kind == SENDER_UNKNOWN || func == NULL) {
        facts_note(facts, module_span(c->module, place), false,
                   str_printf(facts->arena, "the %s of %s connected here is not known",
                              func == NULL ? "receiver" : "sender", signal_names[signal]));
        return;
    }
    for (size_t i = 0; i < facts->receivers.count; i++)
        if (facts->receivers.items[i].func == func && facts->receivers.items[i].signal == signal &&
            facts->receivers.items[i].sender == receiver.sender)
            return;
    VEC_PUSH(facts->arena, &facts->receivers, receiver);
}

static struct py_func *func_of_def(struct connecting *c, const struct py_node *def) {
    const struct func_list *same = map_get(&c->facts->func_by_name, def->FunctionDef.name);
    for (size_t i = 0; same != NULL && i < same->items.count; i++)
        if (same->items.items[i]->node == def)
            return same->items.items[i];
    return NULL;
}

/* @receiver(signal, sender=...) and @receiver([signal, ...], sender=...) */
static void scan_decorators(struct connecting *c, const struct py_node *def) {
    for (uint32_t i = 0; i < def->FunctionDef.decorator_list.count; i++) {
        const struct py_node *call = def->FunctionDef.decorator_list.items[i];
        if (call->kind != PY_Call || call->Call.args.count == 0)
            continue;
        struct symbol symbol = symbol_here(c, call->Call.func);
        if (symbol.kind != SYMBOL_EXTERNAL || !str_starts(symbol.dotted, "django.dispatch") ||
            !str_ends(symbol.dotted, ".receiver"))
            continue;
        const struct py_node *which = call->Call.args.items[0];
        struct py_list all = {.items = call->Call.args.items, .count = 1};
        if (which->kind == PY_List || which->kind == PY_Tuple)
            all = which->kind == PY_List ? which->List.elts : which->Tuple.elts;
        enum signal signal;
        for (uint32_t k = 0; k < all.count; k++)
            if (signal_of(c, all.items[k], &signal))
                connect(c, call, signal, keyword(call, "sender"), func_of_def(c, def));
    }
}

/* signal.connect(receiver, sender) */
static void scan_call(struct connecting *c, const struct py_node *call) {
    const struct py_node *callee = call->Call.func;
    enum signal signal;
    if (callee->kind != PY_Attribute || !str_is(callee->Attribute.attr, "connect") ||
        !signal_of(c, callee->Attribute.value, &signal))
        return;
    struct py_list args = call->Call.args;
    const struct py_node *receiver = args.count > 0 ? args.items[0] : keyword(call, "receiver");
    const struct py_node *sender = args.count > 1 ? args.items[1] : keyword(call, "sender");
    struct symbol symbol = {0};
    if (receiver != NULL)
        symbol = symbol_here(c, receiver);
    connect(c, call, signal, sender, symbol.kind == SYMBOL_FUNC ? symbol.func : NULL);
}

/* name = Signal() */
static void scan_assign(struct connecting *c, const struct py_node *node) {
    const struct py_node *value = node->Assign.value, *target = node->Assign.targets.items[0];
    if (value->kind != PY_Call || target->kind != PY_Name)
        return;
    const struct py_node *callee = value->Call.func;
    struct str class_name = callee->kind == PY_Name        ? callee->Name.id
                            : callee->kind == PY_Attribute ? callee->Attribute.attr
                                                           : (struct str){0};
    if (str_ends(class_name, "Signal"))
        map_put(&c->facts->own_signals, target->Name.id, c->module);
}

bool signal_is_own(const struct django_facts *facts, struct str dotted) {
    struct str method = lower_last_part(dotted);
    if (method.len + 1 >= dotted.len || !str_starts(method, "send"))
        return false;
    struct str owner = lower_last_part(str_sub(dotted, 0, dotted.len - method.len - 1));
    return map_has(&facts->own_signals, owner);
}

static void scan_node(const struct py_node *node, void *context) {
    struct connecting *c = context;
    struct module *outer = c->local;
    if (node->kind == PY_Assign)
        scan_assign(c, node);
    if (node->kind == PY_Call)
        scan_call(c, node);
    if (node->kind == PY_FunctionDef || node->kind == PY_AsyncFunctionDef) {
        scan_decorators(c, node);
        c->local = module_local_imports(c->facts, c->module, node->FunctionDef.body);
    }
    py_visit_children(node, scan_node, context);
    c->local = outer;
}

void signals_find(struct django_facts *facts) {
    struct connecting c = {.facts = facts};
    map_init(&facts->own_signals, facts->arena);
    for (size_t i = 0; i < facts->modules.count; i++) {
        c.module = facts->modules.items[i];
        py_visit_children(c.module->py->root, scan_node, &c);
    }
}

static bool receives(const struct receiver *receiver, enum signal signal,
                     const struct model *model) {
    return receiver->signal == signal && (receiver->sender == NULL || receiver->sender == model);
}

bool signal_has(const struct django_facts *facts, enum signal signal, const struct model *model) {
    for (size_t i = 0; i < facts->receivers.count; i++)
        if (receives(&facts->receivers.items[i], signal, model))
            return true;
    return false;
}

/* Whether sending it runs one here. */
bool signal_runs(const struct lowerer *l, enum signal signal, const struct model *model) {
    for (size_t i = 0; i < l->facts->receivers.count; i++) {
        const struct receiver *receiver = &l->facts->receivers.items[i];
        if (receives(receiver, signal, model) && (receiver->sender != NULL || l->general_depth == 0))
            return true;
    }
    return false;
}

bool signal_is_general(const struct lowerer *l, const struct model *model) {
    for (size_t i = 0; i < l->facts->receivers.count; i++) {
        const struct receiver *receiver = &l->facts->receivers.items[i];
        if (receiver->sender != NULL && (receives(receiver, SIGNAL_PRE_DELETE, model) ||
                                         receives(receiver, SIGNAL_POST_DELETE, model)))
            return false;
    }
    return true;
}

static void add_arg(struct lowerer *l, struct args *args, const char *name, struct val *val) {
    VEC_PUSH(l->arena, &args->names, str_from_c(name));
    VEC_PUSH(l->arena, &args->values, val);
}

static void note_general(struct lowerer *l, struct txn_span span, enum signal signal) {
    lower_bound(l, span,
                str_printf(l->arena, "receivers of every model's %s are followed one deep", signal_names[signal]));
}

/* What all signals of models have, and what `more` has beside it, for each receiver. */
static void send(struct lowerer *l, struct txn_span span, enum signal signal,
                 const struct model *sender_model, struct row *row, const struct args *more) {
    const struct django_facts *facts = l->facts;
    bool is_statement = l->is_statement;
    if (l->is_small) {
        signal_note(l, span, signal, sender_model);
        return;
    }
    for (size_t i = 0; i < facts->receivers.count && !l->frame->is_terminated; i++) {
        const struct receiver *receiver = &facts->receivers.items[i];
        bool is_general = receiver->sender == NULL;
        if (!receives(receiver, signal, sender_model))
            continue;
        if (is_general && l->general_depth > 0) {
            note_general(l, span, signal);
            continue;
        }
        struct args args = {.span = span};
        struct val *sender = val_new(l, VAL_CLASS, span);
        sender->class_ = sender_model->class_;
        add_arg(l, &args, "sender", sender);
        add_arg(l, &args, "instance", val_row(l, span, row));
        for (size_t k = 0; k < more->names.count; k++) {
            VEC_PUSH(l->arena, &args.names, more->names.items[k]);
            VEC_PUSH(l->arena, &args.values, more->values.items[k]);
        }
        add_arg(l, &args, "using", val_literal(l, span, value_text(l->pool, STR("default"))));
        struct val *func = lower_decorated(l, func_val(l, receiver->func),
                                           receiver->func->node->FunctionDef.decorator_list);
        l->is_statement = true;
        l->general_depth += is_general;
        lower_call_value(l, func, &args, receiver->func->name);
        l->general_depth -= is_general;
    }
    l->is_statement = is_statement;
}

void signal_send(struct lowerer *l, struct txn_span span, enum signal signal, struct row *row,
                 struct val *created, struct val *fields) {
    struct args more = {.span = span};
    if (created != NULL)
        add_arg(l, &more, "created", created);
    if (fields != NULL)
        add_arg(l, &more, "update_fields", fields);
    add_arg(l, &more, "raw", val_bool(l, span, false));
    send(l, span, signal, row->model, row, &more);
}

void signal_send_changed(struct lowerer *l, struct txn_span span, const struct model *through,
                         struct row *row, struct str action, bool is_reverse,
                         const struct model *model, struct val *target) {
    struct args more = {.span = span};
    struct val *class_ = val_new(l, VAL_CLASS, span), *keys = val_null(l, span);
    if (!signal_has(l->facts, SIGNAL_M2M_CHANGED, through))
        return;
    class_->class_ = model->class_;
    if (target != NULL) {
        keys = val_new(l, VAL_SEQUENCE, span);
        VEC_PUSH(l->arena, &keys->items, val_scalar(l, val_expr(l, target)));
    }
    add_arg(l, &more, "action", val_literal(l, span, value_text(l->pool, action)));
    add_arg(l, &more, "reverse", val_bool(l, span, is_reverse));
    add_arg(l, &more, "model", class_);
    add_arg(l, &more, "pk_set", keys);
    send(l, span, SIGNAL_M2M_CHANGED, through, row, &more);
}

void signal_note(struct lowerer *l, struct txn_span span, enum signal signal,
                 const struct model *model) {
    if (signal_runs(l, signal, model))
        lower_notef(l, span, "a receiver of %s runs here", signal_names[signal]);
    else if (signal_has(l->facts, signal, model))
        note_general(l, span, signal);
}
