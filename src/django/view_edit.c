/* What generic views do with forms and serializers (django/views/generic/edit.py, rest_framework/mixins.py): methods that the
 * project comes to by super() or by self, and what the framework gives to its own methods: form_valid(form) and the like. */
#include "base/assert.h"
#include "django/form.h"
#include "django/orm.h"
#include "django/view.h"

static bool has_base(struct lowerer *l, const struct val *self, const char *suffix) {
    return class_has_external_base(l->facts, self->class_, suffix);
}

static bool is_rest(struct lowerer *l, const struct val *self) {
    return has_base(l, self, "ViewSet") || has_base(l, self, "Viewset") || has_base(l, self, "APIView") ||
           has_base(l, self, "ModelMixin");
}

static struct val *call_self(struct lowerer *l, struct val *self, const char *name, struct args *args) {
    struct val *method = lower_attribute(l, args->span, self, str_from_c(name), NULL);
    return lower_call_value(l, method, args, str_from_c(name));
}

static bool has_own(struct lowerer *l, const struct val *self, const char *name) {
    struct py_class *where;
    const struct binding *own = class_find(l->facts, self->class_, str_from_c(name), &where);
    return own != NULL && own->kind == BIND_FUNC;
}

/* form_class or serializer_class; NULL: neither is known. */
static struct val *form_class(struct lowerer *l, struct val *self, struct txn_span span) {
    bool is_of_rest = is_rest(l, self);
    const char *getter = is_of_rest ? "get_serializer_class" : "get_form_class";
    struct args none = {.span = span};
    struct val *class_ = has_own(l, self, getter) ? call_self(l, self, getter, &none) : NULL;
    if (class_ == NULL)
        class_ = class_member(l, span, self, self->class_,
                              is_of_rest ? STR("serializer_class") : STR("form_class"));
    return class_ != NULL && (class_->kind == VAL_CLASS || class_->kind == VAL_CHOICE) ? class_ : NULL;
}

/* The view's form, for a row or (NULL) a new one; NULL: it isn't known. */
static struct val *make_form(struct lowerer *l, struct val *self, struct args *given, struct val *row) {
    struct args args = *given;
    args.names.capacity = args.names.count;
    args.values.capacity = args.values.count;
    if (row != NULL) {
        VEC_PUSH(l->arena, &args.names, STR("instance"));
        VEC_PUSH(l->arena, &args.values, row);
    }
    struct val *class_ = form_class(l, self, given->span);
    if (class_ != NULL)
        return lower_call_value(l, class_, &args, STR("form"));
    struct queryset *query = is_rest(l, self) ? NULL : view_queryset(l, self, given->span, false);
    struct val *fields = class_member(l, given->span, self, self->class_, STR("fields"));
    if (query == NULL)
        return NULL;
    return form_of_model(l, given->span, query->model, fields, &args);
}

static bool is_form(struct lowerer *l, const struct val *val) {
    return val != NULL && val->kind == VAL_INSTANCE &&
           (is_form_class(l, val->class_) || is_serializer_class(l, val->class_));
}

static bool edits_a_row(struct lowerer *l, const struct val *self, struct str name) {
    return has_base(l, self, "UpdateView") || str_is(name, "perform_update") || str_is(name, "update") ||
           str_is(name, "partial_update") || str_is(name, "put") || str_is(name, "patch");
}

static struct val *object_of(struct lowerer *l, struct val *self, struct txn_span span) {
    struct args none = {.span = span};
    struct val *row = call_self(l, self, "get_object", &none);
    if (!l->frame->is_terminated)
        cell_set(l, fields_cell(l, self->fields, STR("object")), row);
    return row;
}

static struct val *delete_row(struct lowerer *l, struct txn_span span, struct val *row) {
    struct args none = {.span = span};
    l->form_depth++;
    struct val *result = lower_call_value(l, lower_attribute(l, span, row, STR("delete"), NULL), &none,
                                          STR("delete"));
    l->form_depth--;
    return result;
}

/* The form that the framework made and found to be right. */
static struct val *checked_form(struct lowerer *l, struct val *self, struct txn_span span, struct str name) {
    struct args none = {.span = span};
    struct val *row = edits_a_row(l, self, name) ? object_of(l, self, span) : NULL;
    if (l->frame->is_terminated)
        return NULL;
    struct val *form = make_form(l, self, &none, row);
    if (!is_form(l, form))
        return NULL;
    struct val *valid = form_check(l, span, form);
    if (val_known_truth(l, valid) < 0 && !l->frame->is_terminated) {
        struct txn_step *step = txn_build_if(
            &l->b, span, txn_unary(&l->b, span, TXN_EXPR_NOT, val_truth(l, valid)));
        txn_build_raise(&l->b, span, STR("ValidationError"));
        txn_build_end(&l->b, step);
    }
    return form;
}

/* create(), update() of the REST framework; post() of a view that shows a form. */
static struct val *handle(struct lowerer *l, struct val *self, struct str name, struct txn_span span) {
    bool is_of_rest = is_rest(l, self);
    struct args inner = {.span = span};
    if (str_is(name, "destroy") || str_is(name, "delete") ||
        (str_is(name, "post") && has_base(l, self, "DeleteView"))) {
        struct val *row = object_of(l, self, span);
        if (l->frame->is_terminated)
            return row;
        VEC_PUSH(l->arena, &inner.positional, row);
        if (is_of_rest)
            return call_self(l, self, "perform_destroy", &inner);
        return delete_row(l, span, row);
    }
    struct val *form = checked_form(l, self, span, name);
    if (form == NULL || l->frame->is_terminated) {
        if (form == NULL && !l->frame->is_terminated)
            lower_notef(l, span, "%.*s of the generic view is not modelled", STR_ARG(name));
        return val_unknown(l, span, name);
    }
    VEC_PUSH(l->arena, &inner.positional, form);
    return call_self(l, self,
                     !is_of_rest                  ? "form_valid"
                     : edits_a_row(l, self, name) ? "perform_update"
                                                  : "perform_create",
                     &inner);
}

static const char *const savers[] = {"form_valid", "perform_create", "perform_update"};
static const char *const handlers[] = {"post", "put", "patch", "delete", "create", "update", "partial_update",
                                       "destroy"};
static const char *const makers[] = {"get_form", "get_serializer"};

bool view_edits(struct lowerer *l, const struct val *self, struct str name) {
    bool is_edit = has_base(l, self, "UpdateView") || has_base(l, self, "CreateView") ||
                   has_base(l, self, "FormView") || has_base(l, self, "DeleteView");
    if (str_is_one_of(name, makers, LW_COUNT_OF(makers)) || str_is_one_of(name, savers, LW_COUNT_OF(savers)))
        return is_edit || is_rest(l, self);
    if (str_is(name, "perform_destroy"))
        return is_rest(l, self);
    return (is_edit || has_base(l, self, "ViewSet") || has_base(l, self, "Viewset") ||
            has_base(l, self, "ModelMixin") || has_base(l, self, "CreateAPIView") ||
            has_base(l, self, "UpdateAPIView") || has_base(l, self, "DestroyAPIView")) &&
           str_is_one_of(name, handlers, LW_COUNT_OF(handlers));
}

struct val *view_edit(struct lowerer *l, struct val *self, struct str name, struct args *args) {
    struct txn_span span = args->span;
    struct val *first = args_get(args, 0, NULL);
    if (!view_edits(l, self, name))
        return NULL;
    if (str_is_one_of(name, makers, LW_COUNT_OF(makers))) {
        bool is_bound = str_is(name, "get_form") && has_base(l, self, "UpdateView");
        const struct cell *object = fields_find(self->fields, STR("object"));
        struct args plain = {.span = span};
        struct val *form = make_form(l, self, str_is(name, "get_form") ? &plain : args,
                                     is_bound && object != NULL ? object->val : NULL);
        return form != NULL ? form : val_unknown(l, span, name);
    }
    if (str_is(name, "perform_destroy")) {
        return first != NULL ? delete_row(l, span, first) : NULL;
    }
    if (!str_is_one_of(name, savers, LW_COUNT_OF(savers)))
        return handle(l, self, name, span);
    if (str_is(name, "form_valid") && has_base(l, self, "DeleteView")) {
        struct val *row = object_of(l, self, span);
        return l->frame->is_terminated ? row : delete_row(l, span, row);
    }
    if (str_is(name, "form_valid") && !has_base(l, self, "UpdateView") && !has_base(l, self, "CreateView"))
        return val_unknown(l, span, name); /* FormView: a redirect, no more */
    if (!is_form(l, first))
        return NULL;
    struct val *saved = form_save(l, span, first);
    if (!l->frame->is_terminated && self->kind == VAL_INSTANCE)
        cell_set(l, fields_cell(l, self->fields, STR("object")), saved);
    return saved;
}

void view_hook_args(struct lowerer *l, const struct py_func *func, struct val *self, struct args *args) {
    if (self == NULL || self->kind != VAL_INSTANCE || args->positional.count == 0)
        return;
    struct txn_span span = args->span;
    struct val *given = NULL;
    if (str_is_one_of(func->name, savers, LW_COUNT_OF(savers)) && view_edits(l, self, func->name))
        given = checked_form(l, self, span, func->name);
    else if (str_is(func->name, "perform_destroy") && is_rest(l, self))
        given = object_of(l, self, span);
    if (given != NULL && !l->frame->is_terminated)
        args->positional.items[0] = given;
}
