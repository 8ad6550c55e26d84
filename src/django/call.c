/* Calls: arguments, frames of functions of the project, decorators, and what is done about a call of
 * something that isn't known. */
#include "base/assert.h"
#include "django/choice.h"
#include "django/form.h"
#include "django/loop.h"
#include "django/orm.h"
#include "django/signal.h"
#include "django/template.h"
#include "django/given.h"
#include "django/param.h"
#include "django/types.h"
#include "django/roots.h"
#include "django/view.h"

static void add_named(struct lowerer *l, struct args *args, struct str name, struct val *val) {
    VEC_PUSH(l->arena, &args->names, name);
    VEC_PUSH(l->arena, &args->values, val);
}

static void add_dict(struct lowerer *l, struct args *args, struct val *dict) {
    struct str name;
    if (dict->kind != VAL_DICT) {
        args->is_open = true;
        return;
    }
    for (size_t i = 0; i < dict->keys.count; i++) {
        if (val_text(l, dict->keys.items[i], &name))
            add_named(l, args, name, dict->items.items[i]);
        else
            args->is_open = true;
    }
    args->is_open |= dict->is_partial;
}

void lower_args(struct lowerer *l, const struct py_node *call, struct args *args) {
    struct str hint = l->hint;
    l->hint = (struct str){0};
    args->node = call;
    for (uint32_t i = 0; i < call->Call.args.count; i++) {
        const struct py_node *node = call->Call.args.items[i];
        if (node->kind != PY_Starred) {
            VEC_PUSH(l->arena, &args->positional, lower_expr(l, node));
            continue;
        }
        struct val *inner = lower_expr(l, node->Starred.value);
        if (inner->kind != VAL_SEQUENCE || inner->is_partial)
            args->rest = inner;
        if (inner->kind != VAL_SEQUENCE)
            args->is_open = true;
        else if (!inner->is_sample)
            for (size_t j = 0; j < inner->items.count; j++)
                VEC_PUSH(l->arena, &args->positional, inner->items.items[j]);
        args->is_open |= inner->is_partial;
    }
    for (uint32_t i = 0; i < call->Call.keywords.count; i++) {
        const struct py_node *keyword = call->Call.keywords.items[i];
        struct val *val = lower_expr(l, keyword->keyword.value);
        if (keyword->keyword.arg.ptr == NULL)
            add_dict(l, args, val);
        else
            add_named(l, args, keyword->keyword.arg, val);
    }
    l->hint = hint;
}

struct val *args_named(const struct args *args, const char *name) {
    for (size_t i = 0; i < args->names.count; i++)
        if (str_is(args->names.items[i], name))
            return args->values.items[i];
    return NULL;
}

struct val *args_get(const struct args *args, size_t position, const char *name) {
    struct val *val = name != NULL ? args_named(args, name) : NULL;
    if (val == NULL && position < args->positional.count)
        val = args->positional.items[position];
    return val;
}

static struct val *format_text(struct lowerer *l, struct val *self, struct str pattern, struct args *args) {
    struct buf text = {0};
    struct txn_expr *call = txn_opaque(&l->b, args->span, STR("format"));
    template_format(l, pattern, args, &text);
    txn_add_arg(&l->b, call, val_expr(l, self));
    for (size_t i = 0; i < args->positional.count; i++)
        txn_add_arg(&l->b, call, val_expr(l, args->positional.items[i]));
    for (size_t i = 0; i < args->values.count; i++)
        txn_add_arg(&l->b, call, val_expr(l, args->values.items[i]));
    struct val *val = args->node == NULL ? val_scalar(l, call)
                                         : val_of_call(l, call, module_text(l->frame->module, args->node));
    return template_done(l, val, &text);
}

/* A method of a list, dict or scalar. */
static struct val *call_plain_method(struct lowerer *l, struct val *self, struct str name,
                                     struct args *args) {
    if (val_is_by_key(self))
        return by_key_method(l, self, name, args);
    if (self->kind == VAL_DICT && args->positional.count > 0 &&
        (str_is(name, "get") || str_is(name, "pop") || str_is(name, "setdefault"))) {
        struct value wanted, known;
        if (val_constant(args->positional.items[0], &wanted)) {
            for (size_t i = 0; i < self->keys.count; i++)
                if (val_constant(self->keys.items[i], &known) && value_equal(l->pool, wanted, known))
                    return self->items.items[i];
            if (!self->is_partial)
                return args->positional.count > 1 ? args->positional.items[1] : val_null(l, args->span);
        }
    }
    if (self->kind == VAL_DICT && str_is(name, "items")) {
        struct val *pairs = val_new(l, VAL_SEQUENCE, args->span);
        for (size_t i = 0; i < self->keys.count; i++) {
            struct val *pair = val_new(l, VAL_SEQUENCE, args->span);
            VEC_PUSH(l->arena, &pair->items, self->keys.items[i]);
            VEC_PUSH(l->arena, &pair->items, self->items.items[i]);
            VEC_PUSH(l->arena, &pairs->items, pair);
        }
        return pairs;
    }
    if (self->kind == VAL_DICT && (str_is(name, "keys") || str_is(name, "values"))) {
        struct val *all = val_new(l, VAL_SEQUENCE, args->span);
        all->is_partial = self->is_partial;
        for (size_t i = 0; i < self->keys.count; i++)
            VEC_PUSH(l->arena, &all->items,
                     str_is(name, "keys") ? self->keys.items[i] : self->items.items[i]);
        return all;
    }
    if ((self->kind == VAL_SEQUENCE || self->kind == VAL_DICT) && container_method(l, self, name, args))
        return val_null(l, args->span);
    struct str pattern;
    if (str_is(name, "format") && !args->is_open && template_of(l, self, &pattern))
        return format_text(l, self, pattern, args);
    if (self->kind == VAL_SCALAR || self->kind == VAL_SEQUENCE || self->kind == VAL_ROWS) {
        struct txn_expr *call = txn_opaque(&l->b, args->span, lower_identifier(l, name));
        txn_add_arg(&l->b, call, val_expr(l, self));
        for (size_t i = 0; i < args->positional.count; i++)
            txn_add_arg(&l->b, call, val_expr(l, args->positional.items[i]));
        return args->node == NULL
                   ? val_scalar(l, call)
                   : val_of_call(l, call, module_text(l->frame->module, args->node));
    }
    return val_unknown(l, args->span, name);
}

static bool is_program_value(const struct val *val) {
    if (val->kind == VAL_ROW || val->kind == VAL_ROWS || (val->kind == VAL_UNKNOWN && val->expr != NULL))
        return true;
    return val->kind == VAL_SCALAR && val->expr->kind != TXN_EXPR_LITERAL;
}

static struct val *unknown_result(struct lowerer *l, struct args *args, struct str text) {
    bool has_value = false;
    for (size_t i = 0; i < args->positional.count; i++)
        has_value |= is_program_value(args->positional.items[i]);
    for (size_t i = 0; i < args->values.count; i++)
        has_value |= is_program_value(args->values.items[i]);
    if (!has_value)
        return val_unknown(l, args->span, text);
    size_t end = str_find(text, '(', 0);
    struct txn_expr *call =
        txn_opaque(&l->b, args->span, lower_identifier(l, str_sub(text, 0, end)));
    for (size_t i = 0; i < args->positional.count; i++)
        if (args->positional.items[i]->kind != VAL_CHOICE)
            txn_add_arg(&l->b, call, val_expr(l, args->positional.items[i]));
    for (size_t i = 0; i < args->values.count; i++)
        if (args->values.items[i]->kind != VAL_CHOICE)
            txn_add_arg(&l->b, call, val_expr(l, args->values.items[i]));
    return val_of_call(l, call, text);
}

static void add_effect_arg(struct lowerer *l, struct txn_step *step, struct val *val) {
    if (val->kind == VAL_SCALAR || val->kind == VAL_ROW || val->kind == VAL_UNKNOWN) {
        if (val->kind == VAL_UNKNOWN && (str_starts(val->name, "request") || val->is_orm))
            return;
        txn_step_add_arg(&l->b, step, val_expr(l, val));
    } else if (val->kind == VAL_SEQUENCE || val->kind == VAL_DICT) {
        for (size_t i = 0; i < val->items.count; i++)
            add_effect_arg(l, step, val->items.items[i]);
    }
}

struct val *lower_effect(struct lowerer *l, struct args *args, struct str name) {
    if (l->silent_depth > 0)
        return val_unknown(l, args->span, name);
    struct txn_step *step = txn_build_effect(&l->b, args->span, name);
    l->step_count++;
    for (size_t i = 0; i < args->positional.count; i++)
        add_effect_arg(l, step, args->positional.items[i]);
    for (size_t i = 0; i < args->values.count; i++)
        add_effect_arg(l, step, args->values.items[i]);
    return val_unknown(l, args->span, name);
}

/* Code from outside that makes a user makes a row of the project's; NULL: that is none, or there is no such table. */
static struct val *call_of_user_maker(struct lowerer *l, const struct val *func, struct args *args) {
    bool is_outside = func->kind == VAL_EXTERNAL || func->kind == VAL_UNKNOWN ||
                      (func->kind == VAL_METHOD && func->self->kind == VAL_INSTANCE);
    struct str name = is_outside ? lower_last_part(func->name) : (struct str){0};
    if (!str_is(name, "create_user") && !str_is(name, "create_superuser"))
        return NULL;
    struct model *model = model_named(l->facts, NULL, l->facts->user_model);
    if (model == NULL || model->table < 0)
        return NULL;
    struct args any = {.span = args->span, .is_open = true};
    return query_create(l, args->span, query_new(l, args->span, model), &any);
}

/* A call of something outside. As a statement it is there for what it does; as a value it counts as an effect
 * only where its name says so. */
static struct val *call_unknown(struct lowerer *l, struct args *args, struct str dotted, struct str text) {
    if (lower_is_silent(dotted) || signal_is_own(l->facts, dotted))
        return unknown_result(l, args, text);
    if (l->is_statement || lower_is_effect(dotted)) {
        size_t end = str_find(text, '(', 0);
        lower_effect(l, args, str_sub(text, 0, end));
    }
    return unknown_result(l, args, text);
}

/* An ordinary class of the project: an instance whose attributes __init__ sets. */
static struct val *call_class(struct lowerer *l, struct val *class_val, struct args *args,
                              struct str text) {
    struct py_class *class_ = class_val->class_, *where;
    struct model *model = class_model(l->facts, class_);
    if (model != NULL && !model->is_abstract)
        return row_construct(l, args->span, model, args);
    if (class_has_external_base(l->facts, class_, "Exception") ||
        class_has_external_base(l->facts, class_, "Error"))
        return val_unknown(l, args->span, class_->name);
    if (is_form_class(l, class_) || is_serializer_class(l, class_))
        return form_new(l, class_, args);
    if (class_has_external_base(l->facts, class_, "QuerySet")) {
        struct val *query = query_of_class(l, args, class_);
        return query != NULL ? query : val_unknown(l, args->span, text);
    }
    struct val *instance = val_new(l, VAL_INSTANCE, args->span);
    instance->class_ = class_;
    instance->fields = fields_new(l);
    const struct binding *init = class_find(l->facts, class_, STR("__init__"), &where);
    if (init != NULL && init->kind == BIND_FUNC) {
        lower_call_func(l, func_val(l, init->func), instance, args);
        return instance;
    }
    /* A dataclass, a form, a serializer: its fields by name. */
    for (size_t i = 0; i < args->names.count; i++)
        cell_set(l, fields_cell(l, instance->fields, args->names.items[i]), args->values.items[i]);
    return instance;
}

static struct val *call_partial(struct lowerer *l, struct val *func, struct args *args, struct str text) {
    struct args all = *args;
    if (str_is(func->name, "atomic")) {
        struct txn_step *step = lower_atomic(l, args->span, func->atomic_args);
        struct val *result = lower_call_value(l, func->self, args, text);
        lower_atomic_end(l, step);
        return result;
    }
    if (!str_is(func->name, "partial"))
        return val_unknown(l, args->span, text);
    memset(&all.positional, 0, sizeof(all.positional));
    for (size_t i = 0; i < func->items.count; i++)
        VEC_PUSH(l->arena, &all.positional, func->items.items[i]);
    for (size_t i = 0; i < args->positional.count; i++)
        VEC_PUSH(l->arena, &all.positional, args->positional.items[i]);
    return lower_call_value(l, func->self, &all, text);
}

struct call_of {
    struct args *args;
    struct str text;
};

static struct val *call_item(struct lowerer *l, struct val *item, void *context) {
    struct call_of *call = context;
    return lower_call_value(l, item, call->args, call->text);
}

/* The same by what the receiver is seen to be in the source: 1, 0; -1: not known. */
static int typed_may_write(struct lowerer *l, const struct args *args) {
    const struct py_node *callee = args->node != NULL ? args->node->Call.func : NULL;
    const struct type *of = callee != NULL && callee->kind == PY_Attribute ? type_of_receiver(l->facts, callee) : NULL;
    struct py_class *class_, *where;
    if (of == NULL || of->is_open)
        return -1;
    if (of->kind == TYPE_PLAIN || of->kind == TYPE_REQUEST || of->kind == TYPE_ROWS)
        return 0;
    class_ = of->kind == TYPE_ROW || of->kind == TYPE_MODEL ? of->model->class_ : of->class_;
    const struct binding *binding = class_ != NULL ? class_find(l->facts, class_, callee->Attribute.attr, &where) : NULL;
    if (binding != NULL && binding->kind == BIND_FUNC && of->kind != TYPE_OBJECT)
        return binding->func->may_write;
    if (of->kind == TYPE_QUERY)
        return lower_is_write(callee->Attribute.attr);
    return of->kind == TYPE_ROW && lower_is_write(callee->Attribute.attr) ? 1 : -1;
}

/* Whether a call of something that isn't known could be one of the ORM's, or of the project's own functions, that writes or
 * locks; what only reads leaves the database as it is. */
static bool has_text(struct str text, const char *part) {
    for (size_t i = 0; i < text.len; i++)
        if (str_starts(str_sub(text, i, text.len), part))
            return true;
    return false;
}

/* x._meta.get_fields(): Django's description of a model, which reads nothing and writes nothing; what leads to the model
 * itself does more. */
static bool is_of_options(struct str name) {
    size_t at = name.len;
    while (at > 0 && !str_starts(str_sub(name, at, name.len), "._meta."))
        at--;
    struct str rest = str_sub(name, at, name.len);
    return rest.len > 0 && str_find(rest, '(', 0) == rest.len && str_find(rest, '[', 0) == rest.len &&
           !has_text(rest, "model") && !has_text(rest, "manager");
}

static bool may_write(struct lowerer *l, const struct val *func, const struct args *args) {
    int typed = func->is_plain ? 0 : typed_may_write(l, args);
    if (typed >= 0)
        return typed == 1;
    struct str last = lower_last_part(func->name);
    bool is_call = args->node != NULL && args->node->Call.func->kind == PY_Attribute &&
                   str_equal(args->node->Call.func->Attribute.attr, last);
    if (lower_is_write(last) && (!is_call || lower_is_write_call(args->node)))
        return func->is_orm || lower_is_manager_call(func->name) ||
               str_ends(func->name, "cursor.execute");
    if (!func->is_orm || is_of_options(func->name))
        return false;
    bool is_attribute = last.len < func->name.len;
    const struct func_list *same = map_get(&l->facts->func_by_name, last);
    for (size_t i = 0; same != NULL && i < same->items.count; i++) {
        const struct py_func *one = same->items.items[i];
        bool is_meant = func_is_method_of_any(l->facts, one) || (one->owner == NULL && !is_attribute);
        if (one->may_write && is_meant && (!is_call || func_takes_call(one, args->node)))
            return true;
    }
    return false;
}

/* A call of something unknown that gives rows, or what comes of them. */
static struct val *call_reader(struct lowerer *l, struct val *func, struct args *args, struct str text) {
    struct val *result = unknown_result(l, args, text), *unknown;
    if (!func->is_orm && !lower_is_manager_call(func->name))
        return result;
    unknown = val_unknown(l, args->span, text);
    unknown->expr = result->kind == VAL_SCALAR ? result->expr : NULL;
    unknown->is_orm = true;
    return unknown;
}

static void mark_shown(struct lowerer *l, const struct val *val) {
    if (val->kind == VAL_ROW)
        l->b.program->vars.items[val->row->var].is_shown = true;
    for (size_t i = 0; (val->kind == VAL_SEQUENCE || val->kind == VAL_DICT) && i < val->items.count; i++)
        mark_shown(l, val->items.items[i]);
}

/* render(request, template, {"post": post}): a preview is a change that is meant to be seen, not to be saved. */
static void note_shown(struct lowerer *l, struct str dotted, const struct args *args) {
    static const char *const names[] = {"render", "render_to_string", "render_to_response", "TemplateResponse"};
    bool is_page = false;
    for (size_t i = 0; i < LW_COUNT_OF(names); i++)
        is_page |= str_is(lower_last_part(dotted), names[i]);
    for (size_t i = 0; is_page && i < args->positional.count; i++)
        mark_shown(l, args->positional.items[i]);
    for (size_t i = 0; is_page && i < args->values.count; i++)
        mark_shown(l, args->values.items[i]);
}

/* Of the values that columns hold only files have these; they store the file and save the row. */
static bool is_file_call(struct str name, const struct args *args) {
    return (str_is(name, "save") && args->positional.count + args->names.count > 1) || str_is(name, "delete");
}

struct val *lower_call_value(struct lowerer *l, struct val *func, struct args *args, struct str text) {
    struct val *result = call_of_user_maker(l, func, args);
    if (result != NULL)
        return result;
    switch (func->kind) {
    case VAL_CHOICE: {
        struct call_of call = {args, text};
        return choice_each(l, args->span, func, call_item, &call);
    }
    case VAL_FUNC:
        return lower_call_func(l, func, NULL, args);
    case VAL_BOUND: {
        struct val *inner = func->items.items[0];
        if (inner->kind == VAL_FUNC)
            return lower_call_func(l, inner, func->self, args);
        /* Decorated: self is the first argument of what the decorator made. */
        struct args all = *args;
        memset(&all.positional, 0, sizeof(all.positional));
        VEC_PUSH(l->arena, &all.positional, func->self);
        for (size_t i = 0; i < args->positional.count; i++)
            VEC_PUSH(l->arena, &all.positional, args->positional.items[i]);
        return lower_call_value(l, inner, &all, text);
    }
    case VAL_CLASS:
        return call_class(l, func, args, text);
    case VAL_METHOD:
        if (func->self->kind == VAL_ROW)
            return row_method(l, func->self, func->name, args);
        if (func->self->kind == VAL_QUERYSET)
            return query_method(l, func->self, func->name, args);
        if (func->self->kind == VAL_INSTANCE)
            return view_method(l, func->self, func->name, args);
        if (func->self->kind == VAL_FUNC || func->self->kind == VAL_BOUND) /* task.delay(...) */
            return call_unknown(l, args, func->name, text);
        if (func->self->kind == VAL_SCALAR && func->self->row != NULL && is_file_call(func->name, args))
            return row_file_method(l, func->self, func->name, args);
        if (str_is(func->name, "save") && func->self->kind == VAL_SCALAR && !func->self->is_plain)
            lower_notef(l, args->span, "the model behind %.*s is not known", STR_ARG(text));
        return call_plain_method(l, func->self, func->name, args);
    case VAL_PARTIAL:
        return call_partial(l, func, args, text);
    case VAL_EXTERNAL:
        note_shown(l, func->name, args);
        if (str_starts(func->name, "builtins."))
            result = lower_call_builtin(l, str_sub(func->name, 9, func->name.len), args);
        else
            result = lower_call_external(l, func->name, args);
        if (result == NULL)
            result = call_unknown(l, args, func->name, text);
        result->is_plain |= lower_makes_no_rows(func->name);
        return result;
    case VAL_UNKNOWN:
        if (may_write(l, func, args)) {
            lower_notef(l, args->span, "the model behind %.*s is not known", STR_ARG(func->name));
            return unknown_result(l, args, text); /* of the database: undone with the transaction */
        }
        if (!func->is_plain && (func->is_orm || lower_is_manager_call(func->name)))
            return call_reader(l, func, args, text);
        result = call_unknown(l, args, func->name, text);
        result->is_plain |= func->is_plain;
        return result;
    case VAL_SCALAR:
        return call_unknown(l, args, text, text);
    default:
        return val_unknown(l, args->span, text);
    }
}

struct val *lower_call(struct lowerer *l, const struct py_node *node) {
    struct args args = {.span = lower_span(l, node)};
    struct str text = module_text(l->frame->module, node);
    bool is_statement = l->is_statement, is_lazy = l->is_lazy;
    l->is_statement = l->is_lazy = false;
    const struct py_node *callee = node->Call.func;
    /* super().method(...) */
    if (callee->kind == PY_Name && str_is(callee->Name.id, "super") && l->frame->self != NULL) {
        struct val *val = val_new(l, VAL_SUPER, args.span);
        val->self = given_row(l, args.span, l->frame->self);
        val->self = val->self != NULL ? val->self : l->frame->self;
        val->class_ = l->frame->class_;
        l->is_statement = is_statement;
        return val;
    }
    struct val *made = lower_lock_method(l, node);
    if (made == NULL)
        made = lower_made_lock(l, node);
    if (made == NULL)
        made = lower_sum(l, node);
    if (made != NULL)
        return made;
    struct model *model = model_of_call(l->facts, l->frame->module, node);
    if (model != NULL) {
        struct val *val = val_new(l, VAL_CLASS, args.span);
        val->class_ = model->class_;
        return val;
    }
    struct val *func = lower_expr(l, callee);
    lower_args(l, node, &args);
    l->is_statement = is_statement;
    if (l->frame->is_terminated)
        return val_unknown(l, args.span, text);
    l->is_lazy = is_lazy;
    struct val *result = lower_call_value(l, func, &args, text);
    l->is_statement = l->is_lazy = false;
    return result;
}

/* Parameters in order: positional ones, *args, keyword-only ones, **kwargs. */
struct binder {
    struct lowerer *l;
    struct frame *frame;
    struct args *args;
    size_t next;      /* positional argument */
    struct map used;  /* keyword arguments taken */
    struct txn_span span;
};

static void bind_cell(struct binder *binder, struct str name, struct val *val) {
    struct lowerer *l = binder->l;
    struct cell *cell = fields_cell(l, binder->frame->locals, name);
    cell_set(l, cell, val_stable(l, val, name));
}

static void bind_one(struct binder *binder, const struct py_node *arg, const struct py_node *otherwise,
                     bool is_positional) {
    struct lowerer *l = binder->l;
    struct str name = arg->arg.arg;
    if (is_positional && binder->next < binder->args->positional.count) {
        bind_cell(binder, name, binder->args->positional.items[binder->next++]);
        return;
    }
    for (size_t i = 0; i < binder->args->names.count; i++)
        if (str_equal(binder->args->names.items[i], name)) {
            map_put(&binder->used, name, l);
            bind_cell(binder, name, binder->args->values.items[i]);
            return;
        }
    if (otherwise != NULL && !binder->args->is_open) {
        /* A default is evaluated where the function stands. */
        struct frame *frame = l->frame;
        l->frame = binder->frame;
        struct val *val = lower_expr(l, otherwise);
        l->frame = frame;
        bind_cell(binder, name, val);
        return;
    }
    bind_cell(binder, name, val_unknown(l, binder->span, name));
}

void lower_bind(struct lowerer *l, struct frame *frame, const struct py_node *arguments,
                struct val *self, struct args *args, struct txn_span span) {
    struct binder binder = {.l = l, .frame = frame, .args = args, .span = span};
    struct py_list only = arguments->arguments.posonlyargs, plain = arguments->arguments.args;
    struct py_list defaults = arguments->arguments.defaults;
    uint32_t count = only.count + plain.count, start = 0;
    map_init(&binder.used, l->arena);
    for (uint32_t i = 0; i < count; i++) {
        const struct py_node *arg = i < only.count ? only.items[i] : plain.items[i - only.count];
        const struct py_node *otherwise =
            i + defaults.count >= count ? defaults.items[i + defaults.count - count] : NULL;
        if (i == start && self != NULL) {
            cell_set(l, fields_cell(l, frame->locals, arg->arg.arg), self);
            self = NULL;
            continue;
        }
        bind_one(&binder, arg, otherwise, true);
    }
    if (arguments->arguments.vararg != NULL) {
        struct val *rest = val_new(l, VAL_SEQUENCE, span);
        for (; binder.next < args->positional.count; binder.next++)
            VEC_PUSH(l->arena, &rest->items, args->positional.items[binder.next]);
        rest->is_partial = args->is_open;
        cell_set(l, fields_cell(l, frame->locals, arguments->arguments.vararg->arg.arg), rest);
    }
    for (uint32_t i = 0; i < arguments->arguments.kwonlyargs.count; i++)
        bind_one(&binder, arguments->arguments.kwonlyargs.items[i],
                 arguments->arguments.kw_defaults.items[i], false);
    if (arguments->arguments.kwarg == NULL)
        return;
    struct val *rest = val_new(l, VAL_DICT, span);
    for (size_t i = 0; i < args->names.count; i++) {
        if (map_has(&binder.used, args->names.items[i]))
            continue;
        VEC_PUSH(l->arena, &rest->keys,
                 val_literal(l, span, value_text(l->pool, args->names.items[i])));
        VEC_PUSH(l->arena, &rest->items, args->values.items[i]);
    }
    rest->is_partial = args->is_open;
    cell_set(l, fields_cell(l, frame->locals, arguments->arguments.kwarg->arg.arg), rest);
}

/* How often the function is being inlined already. */
static size_t depth_in_itself(const struct lowerer *l, const struct py_func *func) {
    size_t seen = 0;
    for (size_t i = 0; i < l->stack.count; i++)
        seen += l->stack.items[i]->node == func->node;
    return seen;
}

static bool is_recursive(struct lowerer *l, const struct py_func *func) {
    /* A wrapper that a decorator makes may run around another: only some deep it is taken for the same. */
    enum { WRAPPERS_MAX = 3 };
    size_t seen = depth_in_itself(l, func);
    if (func->function < 0 && !func->module->is_contrib)
        return seen >= WRAPPERS_MAX;
    l->has_recursion |= seen > 0;
    return seen > (l->is_small ? 0 : LOWER_RECURSION_MAX);
}

/* A function within another may write if the other one may. */
static bool body_may_write(const struct lowerer *l, const struct py_func *func) {
    if (func->may_write || func->function >= 0)
        return func->may_write;
    for (size_t i = l->stack.count; i-- > 0;) {
        const struct py_func *outer = l->stack.items[i];
        if (outer != NULL && outer->function >= 0 && outer->module == func->module &&
            outer->node->start <= func->node->start && func->node->end <= outer->node->end)
            return outer->may_write;
    }
    return true;
}

static bool can_inline(struct lowerer *l, struct py_func *func, struct args *args) {
    const char *reason = NULL;
    if (is_recursive(l, func))
        reason = "recursion";
    else if (l->call_depth >= LOWER_CALLS_MAX || l->b.depth >= LOWER_BLOCKS_MAX)
        reason = "calls this deep";
    /* What only reads leaves the database as it is: what it gives may be anything. */
    if (reason == NULL || !body_may_write(l, func))
        return reason == NULL;
    if (is_recursive(l, func) && !l->is_small)
        lower_bound(l, args->span,
                    str_printf(l->arena, "recursion: %.*s is followed %d deep here",
                               STR_ARG(func->name), LOWER_RECURSION_MAX + 1));
    else
        lower_notef(l, args->span, "%s: %.*s is not followed here", reason, STR_ARG(func->name));
    return reason == NULL;
}

static struct str frame_name(struct lowerer *l, const struct py_func *func) {
    if (func->owner != NULL)
        return str_printf(l->arena, "%.*s.%.*s", STR_ARG(func->owner->name), STR_ARG(func->name));
    return func->name;
}

struct val *lower_run_frame(struct lowerer *l, struct frame *frame, const struct py_node *node) {
    struct flow_sites returns = {{0}};
    struct txn_block *top = l->b.at;
    frame->returns = &returns;
    frame->mark = flow_mark(l);
    l->frame = frame;
    VEC_PUSH(l->arena, &l->stack, frame->func);
    l->call_depth++;
    if (node->kind == PY_Lambda) {
        l->is_statement = frame->is_statement && node->Lambda.body->kind == PY_Call;
        struct val *val = lower_expr(l, node->Lambda.body);
        flow_add_site(l, &returns, frame->mark, val, NULL);
    } else {
        lower_body(l, node->FunctionDef.body);
        flow_add_site(l, &returns, frame->mark, val_null(l, lower_span(l, node)), NULL);
    }
    l->call_depth--;
    l->stack.count--;
    flow_undo(l, frame->mark);
    frame->is_terminated = false;
    /* What the root returns goes nowhere. */
    for (size_t i = 0; frame->is_root && i < returns.items.count; i++)
        returns.items.items[i].result = NULL;
    /* A return that is the last step of the body needs no step of its own. */
    struct val *result =
        flow_merge(l, lower_span(l, node), &returns, lower_identifier(l, frame->func->name));
    bool is_left = frame->is_terminated;
    if (!l->b.has_failed && top->steps.count > 0 &&
        top->steps.items[top->steps.count - 1]->kind == TXN_STEP_RETURN)
        top->steps.count--;
    l->frame = frame->outer;
    if (l->frame != NULL)
        l->frame->is_terminated = is_left;
    return result;
}

static struct frame *frame_of_call(struct lowerer *l, const struct val *func_value, struct val *self,
                                   const struct args *args) {
    struct py_func *func = func_value->func;
    struct frame *frame = ARENA_NEW(l->arena, struct frame);
    frame->outer = l->frame;
    frame->closure = func_value->closure;
    frame->func = func;
    frame->module = func->module;
    frame->class_ = func->owner != NULL || frame->closure == NULL ? func->owner : frame->closure->class_;
    frame->call_span = args->span;
    frame->self = self != NULL ? self : frame->closure != NULL ? frame->closure->self : NULL;
    frame->locals = fields_new(l);
    frame->is_statement = l->is_statement;
    return frame;
}

/* A call step in which nothing happens is none. */
static void end_call(struct lowerer *l, struct txn_step *step, struct txn_block *at) {
    txn_build_end(&l->b, step);
    l->step_count++;
    if (!l->b.has_failed && step->body.steps.count == 0 && at->steps.count > 0 &&
        at->steps.items[at->steps.count - 1] == step)
        at->steps.count--;
}

void generator_run(struct lowerer *l, struct val *func_value, struct val *self, struct args *args,
                   struct consumer *consumer, bool is_call) {
    struct py_func *func = func_value->func;
    struct frame *frame = frame_of_call(l, func_value, self, args);
    struct txn_block *at = l->b.at;
    struct txn_step *step =
        is_call ? txn_build_call(&l->b, args->span, frame_name(l, func), TXN_NO_VAR) : NULL;
    frame->consumer = consumer;
    frame->gathered = consumer == NULL ? l->frame->gathered : NULL;
    frame->is_statement = false;
    VEC_PUSH(l->arena, &l->called, func);
    lower_bind(l, frame, func->node->FunctionDef.args, self, args, args->span);
    if (!param_is_vague(l, func, frame->locals))
        VEC_PUSH(l->arena, &l->covered, func);
    if (is_call) {
        lower_run_frame(l, frame, func->node);
        end_call(l, step, at);
        return;
    }
    /* The body of the loop may return from its own function. */
    struct flow_sites none = {{0}};
    frame->returns = &none;
    frame->mark = flow_mark(l);
    l->frame = frame;
    VEC_PUSH(l->arena, &l->stack, func);
    l->call_depth++;
    lower_body(l, func->node->FunctionDef.body);
    l->call_depth--;
    l->stack.count--;
    l->frame = frame->outer;
    l->frame->is_terminated = frame->is_terminated;
}

/* What was gathered of a generator, as a list. */
static struct val *gathered(const struct frame *frame) {
    struct val *list = frame->gathered;
    while (list->content != NULL && list->content->val != NULL && list->content->val != list)
        list = list->content->val;
    return list;
}

struct val *lower_call_func(struct lowerer *l, struct val *func_value, struct val *self,
                            struct args *args) {
    struct py_func *func = func_value->func;
    bool is_lazy = l->is_lazy;
    l->is_lazy = false;
    if (!can_inline(l, func, args)) {
        /* What a save() of the project's own does besides is left out, not that it saves. */
        if (self != NULL && self->kind == VAL_ROW && str_is(func->name, "save"))
            row_save(l, args->span, self->row, args);
        struct val *unknown = val_unknown(l, args->span, func->name);
        unknown->is_orm = true;
        return unknown;
    }
    if (is_lazy && lower_is_generator(func))
        return generator_new(l, func_value, self, args);
    struct frame *frame = frame_of_call(l, func_value, self, args);
    if (lower_is_generator(func))
        frame->gathered = val_new(l, VAL_SEQUENCE, args->span);
    VEC_PUSH(l->arena, &l->called, func);
    const struct py_node *node = func->node;
    struct txn_block *at = l->b.at;
    struct txn_step *step = txn_build_call(&l->b, args->span, frame_name(l, func), TXN_NO_VAR);
    const struct py_node *arguments =
        node->kind == PY_Lambda ? node->Lambda.args : node->FunctionDef.args;
    bool is_statement = l->is_statement;
    struct str hint = l->hint;
    l->hint = (struct str){0};
    l->is_statement = false;
    lower_bind(l, frame, arguments, self, args, args->span);
    if (!param_is_vague(l, func, frame->locals))
        VEC_PUSH(l->arena, &l->covered, func);
    const struct row *saving = l->saving;
    bool is_saving_form = l->is_saving_form;
    uint32_t form_depth = l->form_depth;
    l->form_depth = 0; /* what the project's own function does */
    struct txn_span saving_span = l->saving_span;
    if (self != NULL && self->kind == VAL_ROW && str_is(func->name, "save") && saving != self->row) {
        l->saving = self->row;
        l->is_saving_form = form_depth > 0;
        l->saving_span = args->span;
        l->is_saving_own = false;
    }
    struct val *result = lower_run_frame(l, frame, node);
    l->saving = saving;
    l->is_saving_form = is_saving_form;
    l->form_depth = form_depth;
    l->saving_span = saving_span;
    l->is_statement = is_statement;
    l->hint = hint;
    end_call(l, step, at);
    if (frame->gathered != NULL)
        return gathered(frame);
    return result != NULL ? result : val_unknown(l, args->span, func->name);
}
