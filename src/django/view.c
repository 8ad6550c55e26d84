/* Generic class-based views: methods that Django has and the project doesn't show. */
#include "base/assert.h"
#include "django/admin.h"
#include "django/form.h"
#include "django/orm.h"
#include "django/param.h"
#include "django/view.h"

struct queryset *view_queryset(struct lowerer *l, struct val *self, struct txn_span span,
                                      bool is_super) {
    struct py_class *where;
    struct val *val = NULL;
    const struct binding *own = class_find(l->facts, self->class_, STR("get_queryset"), &where);
    if (own != NULL && own->kind == BIND_FUNC && !is_super) {
        struct args none = {.span = span};
        val = lower_call_value(l, lower_attribute(l, span, self, STR("get_queryset"), NULL), &none,
                               STR("get_queryset"));
    } else if ((own = class_find(l->facts, self->class_, STR("queryset"), &where)) != NULL &&
               own->kind == BIND_VALUE && own->value != NULL) {
        struct frame *outer = l->frame, *frame = ARENA_NEW(l->arena, struct frame);
        frame->outer = outer;
        frame->module = where->module;
        frame->locals = fields_new(l);
        l->frame = frame;
        val = lower_expr(l, own->value);
        l->frame = outer;
    } else if ((own = class_find(l->facts, self->class_, STR("model"), &where)) != NULL) {
        struct val *class_ = class_member(l, span, self, self->class_, STR("model"));
        struct model *model =
            class_ != NULL && class_->kind == VAL_CLASS ? class_model(l->facts, class_->class_) : NULL;
        if (model != NULL && !model->is_abstract)
            return manager_of(l, span, model, STR("_default_manager"));
    }
    return val != NULL && val->kind == VAL_QUERYSET ? val->query : NULL;
}

static struct str text_attribute(struct lowerer *l, struct val *self, struct str name,
                                 const char *otherwise) {
    struct str text = str_from_c(otherwise);
    struct val *val = class_member(l, self->span, self, self->class_, name);
    if (val != NULL)
        val_text(l, val, &text);
    return text;
}

/* View.dispatch(), come to by super(): it goes on to the method that the request is for. */
static struct val *call_handler(struct lowerer *l, struct val *self, struct txn_span span) {
    const struct py_func *handler = l->handler;
    struct args args = {.span = span};
    l->handler = NULL;
    param_args(l, handler, self, &args);
    return lower_call_value(l, lower_attribute(l, span, self, handler->name, NULL), &args,
                            handler->name);
}

struct val *view_method(struct lowerer *l, struct val *self, struct str name, struct args *args) {
    struct str text = str_printf(l->arena, "self.%.*s()", STR_ARG(name));
    struct val *known = form_method(l, self, name, args);
    if (known == NULL)
        known = admin_method(l, self, name, args);
    if (known == NULL)
        known = view_edit(l, self, name, args);
    if (known != NULL)
        return known;
    if (str_is(name, "dispatch") && l->handler != NULL)
        return call_handler(l, self, args->span);
    if (!str_is(name, "get_object") && !str_is(name, "get_queryset")) {
        if (str_is(name, "form_valid") || str_is(name, "save") || str_starts(name, "perform_"))
            lower_notef(l, args->span, "%.*s of the generic view is not modelled", STR_ARG(name));
        return val_unknown(l, args->span, text);
    }
    struct queryset *query = view_queryset(l, self, args->span, str_is(name, "get_queryset"));
    if (query == NULL) {
        struct val *unknown = val_unknown(l, args->span, text);
        unknown->is_orm = true;
        return unknown;
    }
    if (str_is(name, "get_queryset"))
        return val_query(l, args->span, query);
    bool is_rest = class_has_external_base(l->facts, self->class_, "ViewSet") ||
                   class_has_external_base(l->facts, self->class_, "APIView");
    struct str key = text_attribute(l, self, is_rest ? STR("lookup_url_kwarg") : STR("pk_url_kwarg"),
                                    "pk");
    struct str field = is_rest ? text_attribute(l, self, STR("lookup_field"), "pk") : STR("pk");
    struct queryset *one = query_copy(l, query);
    one->is_manager = false;
    struct val *param =
        val_unknown(l, args->span, str_printf(l->arena, "self.kwargs[\"%.*s\"]", STR_ARG(key)));
    VEC_PUSH(l->arena, &one->where, cond_lookup(l, args->span, field, param));
    return query_get(l, args->span, one, l->hint.len > 0 ? l->hint : STR("object"), STR("Http404"));
}

/* The class that a request makes an object of. */
static struct py_class *request_class(const struct py_func *func) {
    return func->root_class != NULL ? func->root_class : func->owner;
}

static bool is_handler(struct django_facts *facts, const struct py_func *func) {
    static const char *const names[] = {"get", "post", "put", "patch", "delete"};
    for (size_t i = 0; i < LW_COUNT_OF(names); i++)
        if (str_is(func->name, names[i]))
            return func->owner != NULL && class_has_external_base(facts, request_class(func), "View");
    return false;
}

struct py_func *view_dispatch(struct django_facts *facts, const struct py_func *func) {
    struct py_class *where;
    if (!is_handler(facts, func))
        return NULL;
    const struct binding *own = class_find(facts, request_class(func), STR("dispatch"), &where);
    return own != NULL && own->kind == BIND_FUNC ? own->func : NULL;
}

/* @method_decorator(..., name="dispatch") */
static bool names_method(struct django_facts *facts, struct module *module, const struct py_node *node,
                         struct str method) {
    struct str text;
    for (uint32_t i = 0; node->kind == PY_Call && i < node->Call.keywords.count; i++) {
        const struct py_node *keyword = node->Call.keywords.items[i];
        if (str_is(keyword->keyword.arg, "name") &&
            constant_text(facts, module, keyword->keyword.value, &text))
            return str_is(text, "dispatch") || str_equal(text, method);
    }
    return false;
}

struct val *view_decorated(struct lowerer *l, const struct py_func *handler, struct py_func *entry) {
    struct val *val =
        lower_decorated(l, func_val(l, entry), entry->node->FunctionDef.decorator_list);
    if (!is_handler(l->facts, handler))
        return val;
    struct py_class *class_ = request_class(handler);
    struct module *module = class_->module;
    struct py_list of_class = class_->node->ClassDef.decorator_list, named = {0};
    named.items = ARENA_ARRAY(l->arena, struct py_node *, of_class.count);
    for (uint32_t i = 0; i < of_class.count; i++)
        if (names_method(l->facts, module, of_class.items[i], handler->name))
            named.items[named.count++] = of_class.items[i];
    return lower_decorated_in(l, module, val, named);
}

static struct symbol named_by(struct django_facts *facts, struct py_class *class_, const char *name) {
    struct py_class *where;
    const struct binding *binding = class_find(facts, class_, str_from_c(name), &where);
    if (binding == NULL || binding->kind != BIND_VALUE || binding->value == NULL)
        return (struct symbol){0};
    const struct py_node *node = binding->value;
    struct symbol symbol = symbol_of_expr(facts, where->module, node);
    /* Order.objects.filter(...) */
    while (symbol.kind != SYMBOL_CLASS && (node->kind == PY_Call || node->kind == PY_Attribute)) {
        node = node->kind == PY_Call ? node->Call.func : node->Attribute.value;
        symbol = symbol_of_expr(facts, where->module, node);
    }
    return symbol;
}

/* The model of `model`, `queryset`, or of the form's or serializer's Meta. */
static struct model *edited_model(struct django_facts *facts, struct py_class *class_) {
    static const char *const direct[] = {"model", "queryset"};
    static const char *const forms[] = {"form_class", "serializer_class"};
    struct py_class *where;
    for (size_t i = 0; i < LW_COUNT_OF(direct); i++) {
        struct symbol symbol = named_by(facts, class_, direct[i]);
        struct model *model = symbol.kind == SYMBOL_CLASS ? class_model(facts, symbol.class_) : NULL;
        if (model != NULL)
            return model;
    }
    for (size_t i = 0; i < LW_COUNT_OF(forms); i++) {
        struct symbol form = named_by(facts, class_, forms[i]);
        const struct binding *meta =
            form.kind == SYMBOL_CLASS ? class_find(facts, form.class_, STR("Meta"), &where) : NULL;
        struct symbol symbol = {0};
        if (meta != NULL && meta->kind == BIND_CLASS)
            symbol = named_by(facts, meta->class_, "model");
        if (symbol.kind == SYMBOL_CLASS)
            return class_model(facts, symbol.class_);
    }
    return NULL;
}

/* What a generic view does by itself: it fetches a row, takes the form's or request's values over and saves it
 * whole. A class that says how (form_valid, perform_update, post) shows that in the source. */
void views_find(struct django_facts *facts) {
    static const struct {
        const char *base, *hook, *handler;
    } edits[] = {{"UpdateView", "form_valid", "post"},
                 {"ModelViewSet", "perform_update", "update"},
                 {"UpdateModelMixin", "perform_update", "update"},
                 {"UpdateAPIView", "perform_update", "update"},
                 {"RetrieveUpdateDestroyAPIView", "perform_update", "update"}};
    for (size_t i = 0; i < facts->classes.count; i++) {
        struct py_class *class_ = facts->classes.items[i], *where;
        for (size_t k = 0; k < LW_COUNT_OF(edits); k++) {
            bool is_read_only = str_is(str_from_c(edits[k].base), "ModelViewSet") &&
                                class_has_external_base(facts, class_, "ReadOnlyModelViewSet");
            if (!class_has_external_base(facts, class_, edits[k].base) || is_read_only ||
                class_find(facts, class_, str_from_c(edits[k].hook), &where) != NULL)
                continue;
            struct model *model = edited_model(facts, class_);
            bool is_own = class_find(facts, class_, str_from_c(edits[k].handler), &where) != NULL;
            if (model != NULL && !model->is_abstract && model->table >= 0 && !is_own)
                admin_add_view(facts, class_, model);
            else
                facts_note(facts, module_span(class_->module, class_->node), false,
                           str_printf(facts->arena, "the save of a whole row by %s is not modelled",
                                      edits[k].base));
            break;
        }
    }
}
