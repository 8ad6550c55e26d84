/* What a function nobody calls gets for its parameters: model instances are fetched by their key first, the
 * rest is free. */
#include "base/assert.h"
#include "django/form.h"
#include "django/model_meta.h"
#include "django/given.h"
#include "django/orm.h"
#include "django/param.h"
#include "django/roots.h"

struct usage {
    struct str name;
    VEC(struct str) read, assigned;
    bool is_saved;
    struct arena *arena;
};

static bool is_attribute_of(const struct py_node *node, struct str name) {
    return node->kind == PY_Attribute && node->Attribute.value->kind == PY_Name &&
           str_equal(node->Attribute.value->Name.id, name);
}

static void scan_usage(const struct py_node *node, void *context) {
    struct usage *usage = context;
    if (is_attribute_of(node, usage->name)) {
        if (node->ctx == PY_Store)
            VEC_PUSH(usage->arena, &usage->assigned, node->Attribute.attr);
        else
            VEC_PUSH(usage->arena, &usage->read, node->Attribute.attr);
    }
    if (node->kind == PY_Call && is_attribute_of(node->Call.func, usage->name) &&
        str_is(node->Call.func->Attribute.attr, "save"))
        usage->is_saved = true;
    py_visit_children(node, scan_usage, context);
}

static struct model *model_of_annotation(struct lowerer *l, struct module *module,
                                         const struct py_node *node, int depth) {
    struct str text;
    if (node == NULL || depth > 6)
        return NULL;
    if (node->kind == PY_Subscript) /* Optional[Order] */
        return model_of_annotation(l, module, node->Subscript.slice, depth + 1);
    if (node->kind == PY_BinOp) { /* Order | None */
        struct model *model = model_of_annotation(l, module, node->BinOp.left, depth + 1);
        return model != NULL ? model : model_of_annotation(l, module, node->BinOp.right, depth + 1);
    }
    if (node->kind == PY_Constant) {
        if (!constant_text(l->facts, module, node, &text))
            return NULL;
        return model_named(l->facts, NULL, text);
    }
    struct symbol symbol = symbol_of_expr(l->facts, module, node);
    return symbol.kind == SYMBOL_CLASS ? class_model(l->facts, symbol.class_) : NULL;
}

static bool knows(struct lowerer *l, const struct model *model, struct str name) {
    struct py_class *where;
    if (model_attribute(model, name) != NULL || model_reverse(model, name, false) != NULL)
        return true;
    return class_find(l->facts, model->class_, name, &where) != NULL;
}

/* "payment_collection" for PaymentCollection. */
static bool is_named_after(struct lowerer *l, struct str param, const struct model *model) {
    struct str lower = str_lower(l->arena, model->name);
    size_t at = 0;
    for (size_t i = 0; i < param.len; i++) {
        if (param.ptr[i] == '_')
            continue;
        if (at >= lower.len || param.ptr[i] != lower.ptr[at++])
            return false;
    }
    return at == lower.len && param.len > 0;
}

static struct model *model_of_usage(struct lowerer *l, const struct py_func *func, struct str name) {
    struct usage usage = {.name = name, .arena = l->arena};
    struct model *found = NULL;
    struct py_list body = func->node->FunctionDef.body;
    for (uint32_t i = 0; i < body.count; i++)
        scan_usage(body.items[i], &usage);
    if (usage.read.count + usage.assigned.count == 0)
        return NULL;
    for (size_t i = 0; i < l->facts->models.count; i++) {
        struct model *model = l->facts->models.items[i];
        bool is_known = false;
        if (model->is_auto || !is_named_after(l, name, model))
            continue;
        for (size_t j = 0; j < usage.read.count; j++)
            is_known |= knows(l, model, usage.read.items[j]) || str_is(usage.read.items[j], "save");
        for (size_t j = 0; j < usage.assigned.count; j++)
            is_known |= knows(l, model, usage.assigned.items[j]);
        if (is_known)
            return model;
    }
    if (!usage.is_saved || usage.assigned.count == 0)
        return NULL;
    /* Saved, under a name of its own: the one model that has all it is given. */
    for (size_t i = 0; i < l->facts->models.count; i++) {
        struct model *model = l->facts->models.items[i];
        bool has_all = !model->is_auto;
        for (size_t j = 0; has_all && j < usage.assigned.count; j++)
            has_all = model_attribute(model, usage.assigned.items[j]) != NULL;
        if (!has_all)
            continue;
        if (found != NULL)
            return NULL;
        found = model;
    }
    return found;
}

/* The row that a parameter stands for, fetched by a parameter called NAME_id. */
static struct val *fetch(struct lowerer *l, struct txn_span span, struct model *model, struct str name) {
    struct queryset *query = query_new(l, span, model);
    struct str key = str_printf(l->arena, "%.*s_id", STR_ARG(name));
    VEC_PUSH(l->arena, &query->where, cond_lookup(l, span, STR("pk"), val_unknown(l, span, key)));
    struct val *val = query_get(l, span, query, name,
                                str_printf(l->arena, "%.*s.DoesNotExist", STR_ARG(model->name)));
    if (val->kind == VAL_ROW)
        l->b.program->vars.items[val->row->var].is_given = true;
    return val;
}

static bool has_decorator(const struct py_func *func, const char *name) {
    struct py_list decorators = func->node->FunctionDef.decorator_list;
    for (uint32_t i = 0; i < decorators.count; i++)
        if (decorators.items[i]->kind == PY_Name && str_is(decorators.items[i]->Name.id, name))
            return true;
    return false;
}

struct concrete_search {
    struct py_class *wanted;
};

static bool is_class(void *context, struct py_class *class_, struct str dotted) {
    (void)dotted;
    return class_ == ((struct concrete_search *)context)->wanted;
}

static struct model *concrete_model(struct lowerer *l, struct model *model) {
    struct concrete_search search = {model->class_};
    if (!model->is_abstract)
        return model;
    for (size_t i = 0; i < l->facts->models.count; i++) {
        struct model *other = l->facts->models.items[i];
        if (!other->is_auto && class_walk(l->facts, other->class_, is_class, &search))
            return other;
    }
    return NULL;
}

/* A class that is no model itself, and yet among the bases of one. */
static struct model *model_with_mixin(struct lowerer *l, struct py_class *class_) {
    struct concrete_search search = {class_};
    for (size_t i = 0; i < l->facts->models.count; i++) {
        struct model *model = l->facts->models.items[i];
        if (!model->is_auto && model->table >= 0 && !model->class_->module->is_contrib &&
            class_walk(l->facts, model->class_, is_class, &search))
            return model;
    }
    return NULL;
}

static bool contains(struct str text, const char *part) {
    size_t len = strlen(part);
    for (size_t i = 0; i + len <= text.len; i++)
        if (memcmp(text.ptr + i, part, len) == 0)
            return true;
    return false;
}

/* A save() that asks whether the object is a new one. */
static bool asks_for_new(const struct py_func *func) {
    static const char *const parts[] = {"_state.adding", "not self.pk", "not self.id:", "self.pk is None",
                                        "self.id is None", "self.pk == None"};
    struct str text = module_text(func->module, func->node);
    bool is_asked = false;
    for (size_t i = 0; i < LW_COUNT_OF(parts) && str_is(func->name, "save"); i++)
        is_asked |= contains(text, parts[i]);
    return is_asked;
}

/* An object that is new, with any values, or a row that is there: a parameter says which. */
static struct val *new_or_fetched(struct lowerer *l, struct txn_span span, struct model *model) {
    struct args any = {.span = span, .is_open = true};
    struct row *either = row_new(l, model, lower_var(l, STR("self")));
    struct val *is_new = val_unknown(l, span, STR("self._state.adding"));
    l->is_pinned[either->var] = true;
    struct txn_step *step = txn_build_if(&l->b, span, val_truth(l, is_new));
    struct val *made = row_construct(l, span, model, &any);
    txn_build_assign(&l->b, span, either->var, txn_ref(&l->b, span, made->row->var));
    txn_build_else(&l->b, step);
    struct val *there = fetch(l, span, model, STR("self"));
    if (there->kind == VAL_ROW)
        txn_build_assign(&l->b, span, either->var, txn_ref(&l->b, span, there->row->var));
    txn_build_end(&l->b, step);
    l->frame->is_terminated = false;
    either->is_new = true;
    l->b.program->vars.items[either->var].is_given = true;
    cell_set(l, row_cache(l, either, STR("_adding")), is_new);
    return val_row(l, span, either);
}

/* A form is for a row that is there; one of a new row is seen where a view makes it. */
static struct val *form_self(struct lowerer *l, const struct py_func *func, struct txn_span span,
                             struct py_class *class_) {
    struct val *val = val_new(l, VAL_INSTANCE, span);
    val->class_ = class_;
    val->fields = fields_new(l);
    struct model *model = form_model(l, val);
    bool is_init = str_is(func->name, "__init__");
    if (!is_init)
        form_bind(l, span, val, model != NULL ? fetch(l, span, model, STR("instance")) : NULL);
    return val;
}

static bool says_model(struct lowerer *l, struct py_class *class_) {
    static const char *const names[] = {"queryset", "model", "get_queryset"};
    struct py_class *where;
    for (size_t i = 0; i < LW_COUNT_OF(names); i++) {
        const struct binding *binding = class_find(l->facts, class_, str_from_c(names[i]), &where);
        bool is_none = binding != NULL && binding->kind == BIND_VALUE &&
                       (binding->value == NULL || binding->value->kind == PY_Constant);
        if (binding != NULL && !is_none && (binding->kind != BIND_FUNC || where == class_))
            return true;
    }
    return false;
}

/* A view that leaves its model to those below it: the first of them that says one. */
static struct py_class *view_with_model(struct lowerer *l, struct py_class *class_) {
    const struct class_heirs *heirs = type_find(&l->facts->type_index->heirs, class_);
    if (!is_view_class(l->facts, class_) || says_model(l, class_))
        return class_;
    for (size_t i = 0; heirs != NULL && i < heirs->items.count; i++)
        if (says_model(l, heirs->items.items[i]))
            return heirs->items.items[i];
    return class_;
}

struct val *param_self(struct lowerer *l, const struct py_func *func) {
    struct py_class *class_ = func->root_class != NULL ? func->root_class : func->owner;
    struct txn_span span = module_span(func->module, func->node->FunctionDef.args);
    struct py_list args = func->node->FunctionDef.args->arguments.args;
    if (class_ == NULL || has_decorator(func, "staticmethod") || args.count == 0)
        return NULL;
    span = module_span(func->module, args.items[0]);
    struct model *model = class_model(l->facts, class_);
    if (has_decorator(func, "classmethod")) {
        struct val *val = val_new(l, VAL_CLASS, span);
        val->class_ = class_;
        return val;
    }
    if (model != NULL) {
        model = concrete_model(l, model);
        if (model == NULL || model->table < 0)
            return NULL;
        return asks_for_new(func) ? new_or_fetched(l, span, model)
                                  : fetch(l, span, model, args.items[0]->arg.arg);
    }
    if (class_has_external_base(l->facts, class_, "Manager") ||
        class_has_external_base(l->facts, class_, "QuerySet")) {
        model = manager_model(l->facts, class_);
        if (model == NULL || model->is_abstract || model->table < 0)
            return NULL;
        struct queryset *query = query_new(l, span, model);
        query->class_ = class_;
        query->is_manager = class_has_external_base(l->facts, class_, "Manager");
        return val_query(l, span, query);
    }
    model = model_with_mixin(l, class_);
    if (model != NULL)
        return fetch(l, span, model, args.items[0]->arg.arg);
    if (is_form_class(l, class_))
        return form_self(l, func, span, class_);
    struct val *val = val_new(l, VAL_INSTANCE, span);
    val->class_ = view_with_model(l, class_);
    val->fields = fields_new(l);
    if (is_serializer_class(l, class_))
        form_bind(l, span, val, NULL);
    return val;
}

static struct model *param_model(struct lowerer *l, const struct py_func *func,
                                 const struct py_node *arg) {
    struct model *model = model_of_annotation(l, func->module, arg->arg.annotation, 0);
    if (model == NULL && arg->arg.annotation == NULL && !str_is(arg->arg.arg, "request"))
        model = model_of_usage(l, func, arg->arg.arg);
    return model == NULL || model->is_abstract || model->table < 0 ? NULL : model;
}

bool param_is_vague(struct lowerer *l, const struct py_func *func, const struct fields *locals) {
    if (func->node->kind == PY_Lambda || !func->touches_orm)
        return false;
    struct py_list args = func->node->FunctionDef.args->arguments.args;
    for (uint32_t i = func->owner != NULL ? 1 : 0; i < args.count; i++) {
        const struct cell *cell = fields_find(locals, args.items[i]->arg.arg);
        bool is_unknown = cell != NULL && cell->val != NULL && cell->val->kind == VAL_UNKNOWN && cell->val->model == NULL;
        if (is_unknown && param_model(l, func, args.items[i]) != NULL)
            return true;
    }
    return false;
}

static struct val *param_value(struct lowerer *l, const struct py_func *func, struct val *self,
                               const struct py_node *arg) {
    struct str name = arg->arg.arg;
    struct txn_span span = module_span(func->module, arg);
    struct model *model = param_model(l, func, arg);
    struct val *of_form = self != NULL && model == NULL ? form_param(self, name) : NULL;
    if (of_form != NULL)
        return of_form;
    if (self != NULL && str_is(name, "instance") && model == NULL && self->kind == VAL_INSTANCE &&
        is_serializer_class(l, self->class_))
        model = form_model(l, self);
    if (model != NULL)
        return fetch(l, span, model, name);
    const struct type *type = type_of_param(l->facts, arg);
    struct val *given = type != NULL ? given_value(l, span, type, name) : NULL;
    return given != NULL ? given : val_unknown(l, span, name);
}

void param_args(struct lowerer *l, const struct py_func *func, struct val *self, struct args *args) {
    const struct py_node *node = func->node->FunctionDef.args;
    struct py_list only = node->arguments.posonlyargs, plain = node->arguments.args;
    for (uint32_t i = self != NULL ? 1 : 0; i < only.count + plain.count; i++) {
        const struct py_node *arg = i < only.count ? only.items[i] : plain.items[i - only.count];
        VEC_PUSH(l->arena, &args->positional, param_value(l, func, self, arg));
    }
    for (uint32_t i = 0; i < node->arguments.kwonlyargs.count; i++) {
        const struct py_node *arg = node->arguments.kwonlyargs.items[i];
        VEC_PUSH(l->arena, &args->names, arg->arg.arg);
        VEC_PUSH(l->arena, &args->values, param_value(l, func, self, arg));
    }
    /* save(self, *args, **kwargs) of a model is mostly called without any. */
    bool is_model_method = func->owner != NULL && func->owner->model != NULL;
    args->is_open =
        !is_model_method && (node->arguments.vararg != NULL || node->arguments.kwarg != NULL);
}
