/* try, raise, and which classes a handler catches. */
#include "base/assert.h"
#include "django/values.h"

static struct str last_part(struct str dotted) {
    size_t dot = dotted.len;
    while (dot > 0 && dotted.ptr[dot - 1] != '.')
        dot--;
    return str_sub(dotted, dot, dotted.len);
}

/* What an exception class is called in the program: Model.DoesNotExist keeps its model. */
static struct str class_name_of(struct lowerer *l, const struct py_node *node) {
    if (node->kind == PY_Call)
        node = node->Call.func;
    if (node->kind == PY_Attribute && (str_is(node->Attribute.attr, "DoesNotExist") ||
                                       str_is(node->Attribute.attr, "MultipleObjectsReturned"))) {
        struct val *of = lower_expr(l, node->Attribute.value);
        if (of->kind == VAL_CLASS)
            return str_printf(l->arena, "%.*s.%.*s", STR_ARG(of->class_->name),
                              STR_ARG(node->Attribute.attr));
    }
    struct str text = module_text(l->frame->module, node);
    if (node->kind != PY_Name && node->kind != PY_Attribute)
        return (struct str){0};
    struct symbol symbol = symbol_of_expr(l->facts, l->frame->module, node);
    if (symbol.kind == SYMBOL_CLASS)
        return symbol.class_->name;
    if (symbol.kind == SYMBOL_EXTERNAL)
        return last_part(symbol.dotted);
    return last_part(text);
}

void lower_raise_class(struct lowerer *l, struct txn_span span, struct str name) {
    if (l->frame->is_terminated)
        return;
    txn_build_raise(&l->b, span, name);
    l->step_count++;
    l->frame->is_terminated = true;
}

void lower_raise(struct lowerer *l, const struct py_node *node) {
    struct txn_span span = lower_span(l, node);
    if (node->Raise.exc == NULL) {
        lower_raise_class(l, span, (struct str){0});
        return;
    }
    const struct py_node *exc = node->Raise.exc;
    /* `except X as e: ... raise e` */
    if (exc->kind == PY_Name) {
        struct cell *cell = fields_find(l->frame->locals, exc->Name.id);
        if (cell != NULL && cell->val != NULL && cell->val->kind == VAL_UNKNOWN) {
            lower_raise_class(l, span, (struct str){0});
            return;
        }
    }
    struct str name = class_name_of(l, exc);
    lower_raise_class(l, span, name.len > 0 ? name : STR("Exception"));
}

struct subclass_search {
    struct py_class *wanted;
    struct str external;
};

static bool is_below(void *context, struct py_class *class_, struct str dotted) {
    struct subclass_search *search = context;
    if (search->wanted != NULL)
        return class_ == search->wanted;
    return class_ == NULL && str_equal(last_part(dotted), search->external);
}

static void add_class(struct lowerer *l, struct txn_handler *handler, struct str name) {
    for (size_t i = 0; i < handler->classes.count; i++)
        if (str_equal(handler->classes.items[i], name))
            return;
    VEC_PUSH(l->arena, &handler->classes, name);
}

/* A handler catches the subclasses of its class too: those of the project are known. */
static void add_handler_class(struct lowerer *l, struct txn_handler *handler,
                              const struct py_node *node) {
    struct str name = class_name_of(l, node);
    if (name.len == 0) {
        lower_note(l, lower_span(l, node), STR("this exception class is not modelled"));
        add_class(l, handler, STR("Exception"));
        return;
    }
    add_class(l, handler, name);
    struct symbol symbol = symbol_of_expr(l->facts, l->frame->module, node);
    struct subclass_search search = {symbol.class_, name};
    if (str_is(name, "Exception") || str_is(name, "BaseException"))
        return;
    for (size_t i = 0; i < l->facts->exceptions.count; i++) {
        struct py_class *class_ = l->facts->exceptions.items[i];
        if (class_ != symbol.class_ && class_walk(l->facts, class_, is_below, &search))
            add_class(l, handler, class_->name);
    }
}

static void begin_handler(struct lowerer *l, struct txn_step *step, const struct py_node *node) {
    struct txn_span span = lower_span(l, node);
    struct txn_handler *handler = txn_build_except(&l->b, span, step);
    const struct py_node *type = node->ExceptHandler.type;
    if (type != NULL && type->kind == PY_Tuple) {
        for (uint32_t i = 0; i < type->Tuple.elts.count; i++)
            add_handler_class(l, handler, type->Tuple.elts.items[i]);
    } else if (type != NULL) {
        add_handler_class(l, handler, type);
    }
    if (node->ExceptHandler.name.ptr != NULL)
        cell_set(l, fields_cell(l, l->frame->locals, node->ExceptHandler.name),
                 val_unknown(l, span, node->ExceptHandler.name));
}

/* A handler may start after any step of the body. Relations cached in it may or may not be there: they are
 * forgotten. A name assigned in it and before has one of two values: which one isn't known. */
static void forget_changes(struct lowerer *l, struct flow_site *body) {
    for (size_t i = 0; i < body->changes.count; i++) {
        struct cell *cell = body->changes.items[i].cell;
        if (cell->is_cache)
            cell_set(l, cell, NULL);
    }
}

static void lower_handlers(struct lowerer *l, const struct py_node *node, struct txn_step *step,
                           struct flow_sites *sites, size_t mark, struct flow_site *changed) {
    struct py_list handlers = node->Try.handlers;
    /* Blocks of handlers are pointed at: they must not move. */
    step->handlers.items = ARENA_ARRAY(l->arena, struct txn_handler, handlers.count + 1);
    step->handlers.capacity = handlers.count + 1;
    for (uint32_t i = 0; i < handlers.count; i++) {
        l->frame->is_terminated = false;
        begin_handler(l, step, handlers.items[i]);
        forget_changes(l, changed);
        lower_body(l, handlers.items[i]->ExceptHandler.body);
        flow_add_site(l, sites, mark, NULL, NULL);
        flow_undo(l, mark);
    }
}

void lower_try(struct lowerer *l, const struct py_node *node) {
    struct txn_span span = lower_span(l, node);
    struct flow_sites sites = {{0}}, body = {{0}};
    span.end = span.start;
    span.end.column += 3;
    struct txn_step *step = txn_build_try(&l->b, span);
    size_t mark = flow_mark(l);
    lower_body(l, node->Try.body);
    bool is_terminated = l->frame->is_terminated;
    l->frame->is_terminated = false;
    flow_add_site(l, &body, mark, NULL, NULL);
    l->frame->is_terminated = is_terminated;
    if (node->Try.orelse.count > 0 && !is_terminated) {
        txn_build_else(&l->b, step);
        lower_body(l, node->Try.orelse);
    }
    flow_add_site(l, &sites, mark, NULL, NULL);
    flow_undo(l, mark);
    lower_handlers(l, node, step, &sites, mark, &body.items.items[0]);
    if (node->Try.finalbody.count > 0) {
        /* It runs on every way out; what it assigns holds afterwards. */
        l->frame->is_terminated = false;
        txn_build_finally(&l->b, step);
        forget_changes(l, &body.items.items[0]);
        lower_body(l, node->Try.finalbody);
        flow_undo(l, mark);
    }
    txn_build_end(&l->b, step);
    flow_merge(l, span, &sites, (struct str){0});
}
