/* Forms and serializers: what they do to the row that they are for. The rows that a form looks up to check a choice of a
 * related object are left out: they are read only. */
#include "django/form.h"

#include "base/assert.h"
#include "django/container.h"
#include "django/model_meta.h"
#include "django/orm.h"

bool is_form_class(struct lowerer *l, struct py_class *class_) {
    return class_ != NULL && class_has_external_base(l->facts, class_, "Form");
}

bool is_serializer_class(struct lowerer *l, struct py_class *class_) {
    return class_ != NULL && class_has_external_base(l->facts, class_, "Serializer");
}

static bool is_serializer(struct lowerer *l, const struct val *self) {
    return is_serializer_class(l, self->class_);
}

static struct val *cell_of(const struct val *self, const char *name) {
    const struct cell *cell = fields_find(self->fields, str_from_c(name));
    struct val *val = cell != NULL ? cell->val : NULL;
    while (val != NULL && val->content != NULL && val->content->val != NULL && val->content->val != val)
        val = val->content->val;
    return val;
}

static void set_cell(struct lowerer *l, struct val *self, const char *name, struct val *val) {
    cell_set(l, fields_cell(l, self->fields, str_from_c(name)), val);
}

static struct val *meta_of(struct lowerer *l, const struct val *self, const char *name) {
    struct py_class *where;
    const struct binding *meta = class_find(l->facts, self->class_, STR("Meta"), &where);
    if (meta == NULL || meta->kind != BIND_CLASS)
        return NULL;
    struct val *class_ = val_new(l, VAL_CLASS, self->span);
    class_->class_ = meta->class_;
    return class_member(l, self->span, class_, meta->class_, str_from_c(name));
}

struct model *form_model(struct lowerer *l, const struct val *self) {
    struct val *of = cell_of(self, "_model");
    if (of == NULL)
        of = meta_of(l, self, "model");
    struct model *model = of != NULL && of->kind == VAL_CLASS ? class_model(l->facts, of->class_) : NULL;
    return model == NULL || model->is_abstract || model->table < 0 ? NULL : model;
}

struct names {
    VEC(struct str) items;
    bool is_all;
};

/* False: they are not all known. */
static bool add_names(struct lowerer *l, const struct val *val, struct names *names) {
    struct str text;
    if (val_text(l, val, &text)) {
        names->is_all |= str_is(text, "__all__");
        VEC_PUSH(l->arena, &names->items, text);
        return true;
    }
    bool is_known = val->kind == VAL_SEQUENCE && !val->is_partial;
    for (size_t i = 0; val->kind == VAL_SEQUENCE && i < val->items.count; i++)
        is_known &= add_names(l, val->items.items[i], names);
    return is_known;
}

static bool has_name(const struct names *names, struct str name) {
    for (size_t i = 0; i < names->items.count; i++)
        if (str_equal(names->items.items[i], name))
            return true;
    return false;
}

/* A field that the class declares, NULL: none; whether it only shows. */
static const struct py_node *declared(struct lowerer *l, const struct val *self, struct str name,
                                      bool *is_read_only) {
    struct py_class *where;
    const struct binding *binding = class_find(l->facts, self->class_, name, &where);
    *is_read_only = false;
    if (binding == NULL || binding->kind != BIND_VALUE || binding->value == NULL ||
        binding->value->kind != PY_Call)
        return NULL;
    const struct py_node *call = binding->value;
    struct str text = module_text(where->module, call->Call.func);
    *is_read_only = str_ends(text, "MethodField") || str_ends(text, "ReadOnlyField");
    for (uint32_t i = 0; i < call->Call.keywords.count; i++) {
        const struct py_node *keyword = call->Call.keywords.items[i];
        bool is_switch = str_is(keyword->keyword.arg, "read_only") ||
                         str_is(keyword->keyword.arg, "disabled");
        if (is_switch && keyword->keyword.value->kind == PY_Constant)
            *is_read_only |= keyword->keyword.value->constant == PY_CONST_True;
    }
    return call;
}

static void add_value(struct lowerer *l, const struct val *self, struct val *data, struct str name) {
    struct val *value =
        val_unknown(l, self->span, str_printf(l->arena, "%.*s.%.*s", STR_ARG(self->class_->name),
                                              STR_ARG(name)));
    value->is_orm = true;
    VEC_PUSH(l->arena, &data->keys, val_literal(l, self->span, value_text(l->pool, name)));
    VEC_PUSH(l->arena, &data->items, value);
}

static bool is_model_field_shown(const struct model_field *field, const struct names *hidden) {
    return field->is_editable && !field->is_parent_link && !(field->is_primary && field->is_serial) &&
           !has_name(hidden, field->name);
}

/* The fields' values, in the order of the model or of `fields`. */
static struct val *values_of(struct lowerer *l, struct val *self, const struct model *model) {
    struct val *data = val_new(l, VAL_DICT, self->span), *given = cell_of(self, "_fields");
    struct names shown = {{0}, false}, hidden = {{0}, false};
    bool is_read_only, is_known = true;
    static const char *const hiding[] = {"exclude", "read_only_fields"};
    data->name = is_serializer(l, self) ? STR("validated_data") : STR("cleaned_data");
    if (given == NULL)
        given = meta_of(l, self, "fields");
    if (given != NULL)
        is_known = add_names(l, given, &shown);
    for (size_t i = 0; i < LW_COUNT_OF(hiding); i++) {
        struct val *names = meta_of(l, self, hiding[i]);
        if (names != NULL && !val_is_none(names))
            is_known &= add_names(l, names, &hidden);
    }
    bool is_listed = shown.items.count > 0 && !shown.is_all && is_known;
    for (size_t i = 0; model != NULL && i < model->fields.count; i++) {
        const struct model_field *field = model->fields.items[i];
        bool is_wanted = !is_listed || has_name(&shown, field->name);
        declared(l, self, field->name, &is_read_only);
        if (is_wanted && !is_read_only && is_model_field_shown(field, &hidden))
            add_value(l, self, data, field->name);
    }
    for (size_t i = 0; i < shown.items.count && is_listed; i++) {
        struct str name = shown.items.items[i];
        if (declared(l, self, name, &is_read_only) != NULL && !is_read_only && !has_name(&hidden, name) &&
            (model == NULL || model_field(model, name) == NULL))
            add_value(l, self, data, name);
    }
    data->is_partial = model == NULL || !is_known;
    return data;
}

/* A new object for a form that is bound to none; where the row may be null, one or the other. */
static struct val *instance_or_new(struct lowerer *l, struct txn_span span, struct model *model,
                                   struct val *row) {
    struct args none = {.span = span};
    if (row == NULL || val_is_none(row))
        return row_construct(l, span, model, &none);
    if (!row->row->is_null_possible)
        return row;
    struct row *either = row_new(l, model, lower_var(l, STR("instance")));
    l->is_pinned[either->var] = true;
    txn_build_assign(&l->b, span, either->var, txn_ref(&l->b, span, row->row->var));
    struct txn_step *step = txn_build_if(
        &l->b, span, txn_unary(&l->b, span, TXN_EXPR_IS_NULL, txn_ref(&l->b, span, row->row->var)));
    struct val *made = row_construct(l, span, model, &none);
    txn_build_assign(&l->b, span, either->var, txn_ref(&l->b, span, made->row->var));
    txn_build_end(&l->b, step);
    return val_row(l, span, either);
}

void form_bind(struct lowerer *l, struct txn_span span, struct val *form, struct val *row) {
    struct model *model = form_model(l, form);
    bool is_row = row != NULL && row->kind == VAL_ROW;
    bool is_new = row == NULL || val_is_none(row);
    if (is_serializer(l, form))
        set_cell(l, form, "instance", is_new ? val_null(l, span) : row);
    else if (model != NULL && ((is_row && row->row->model == model) || is_new))
        set_cell(l, form, "instance", instance_or_new(l, span, model, row));
    else if (!is_new)
        set_cell(l, form, "instance", row);
    struct val *data = values_of(l, form, model);
    set_cell(l, form, is_serializer(l, form) ? "validated_data" : "cleaned_data", data);
}

static struct val *init(struct lowerer *l, struct val *self, struct args *args) {
    bool is_rest = is_serializer(l, self);
    struct val *row = args_get(args, is_rest ? 0 : SIZE_MAX, "instance");
    struct val *many = args_named(args, "many");
    if (many != NULL && val_known_truth(l, many) == 1)
        set_cell(l, self, "_many", many);
    if (row == NULL && args->is_open) {
        row = val_unknown(l, args->span, STR("instance"));
        row->is_orm = true;
    }
    form_bind(l, args->span, self, row);
    return val_null(l, args->span);
}

static struct val *made(struct lowerer *l, struct val *self, struct args *args) {
    struct py_class *where;
    const struct binding *own = class_find(l->facts, self->class_, STR("__init__"), &where);
    if (own != NULL && own->kind == BIND_FUNC)
        lower_call_func(l, func_val(l, own->func), self, args);
    if (cell_of(self, "instance") == NULL && !l->frame->is_terminated)
        init(l, self, args);
    return self;
}

struct val *form_new(struct lowerer *l, struct py_class *class_, struct args *args) {
    struct val *self = val_new(l, VAL_INSTANCE, args->span);
    self->class_ = class_;
    self->fields = fields_new(l);
    return made(l, self, args);
}

struct val *form_of_model(struct lowerer *l, struct txn_span span, struct model *model,
                          struct val *fields, struct args *args) {
    struct val *self = val_new(l, VAL_INSTANCE, span), *of = val_new(l, VAL_CLASS, span);
    struct symbol base = {.kind = SYMBOL_EXTERNAL, .dotted = STR("django.forms.ModelForm")};
    self->class_ = ARENA_NEW(l->arena, struct py_class);
    *self->class_ = (struct py_class){.name = str_printf(l->arena, "%.*sForm", STR_ARG(model->name)),
                                      .module = model->class_->module, .node = model->class_->node,
                                      .has_bases = true};
    map_init(&self->class_->names, l->arena);
    VEC_PUSH(l->arena, &self->class_->bases, base);
    self->fields = fields_new(l);
    of->class_ = model->class_;
    set_cell(l, self, "_model", of);
    if (fields != NULL)
        set_cell(l, self, "_fields", fields);
    return made(l, self, args);
}

/* The project's method, or NULL. */
static struct py_func *own_method(struct lowerer *l, const struct val *self, struct str name) {
    struct py_class *where;
    const struct binding *own = class_find(l->facts, self->class_, name, &where);
    return own != NULL && own->kind == BIND_FUNC ? own->func : NULL;
}

static struct val *call_own(struct lowerer *l, struct val *self, struct str name, struct args *args) {
    return lower_call_value(l, lower_attribute(l, args->span, self, name, NULL), args, name);
}

/* clean_title(), validate_title(value): for the fields that are there. */
static void clean_each(struct lowerer *l, struct txn_span span, struct val *self, struct val *data) {
    const char *prefix = is_serializer(l, self) ? "validate" : "clean";
    for (size_t i = 0; i < data->keys.count && !l->frame->is_terminated; i++) {
        struct str name;
        struct args args = {.span = span};
        if (!val_text(l, data->keys.items[i], &name))
            continue;
        struct str method = str_printf(l->arena, "%s_%.*s", prefix, STR_ARG(name));
        if (own_method(l, self, method) == NULL)
            continue;
        if (is_serializer(l, self))
            VEC_PUSH(l->arena, &args.positional, data->items.items[i]);
        call_own(l, self, method, &args);
    }
}

/* construct_instance(): what was sent goes into the row, before it is known whether all of it is right. */
static void fill(struct lowerer *l, struct txn_span span, struct val *self) {
    struct val *row = cell_of(self, "instance"), *data = cell_of(self, "cleaned_data");
    if (row == NULL || row->kind != VAL_ROW || data == NULL || data->kind != VAL_DICT)
        return;
    for (size_t i = 0; i < data->keys.count; i++) {
        struct str name;
        struct model_field *field = val_text(l, data->keys.items[i], &name)
                                        ? model_field(row->row->model, name)
                                        : NULL;
        if (field == NULL || field->kind == FIELD_MANY_TO_MANY || field->is_primary)
            continue;
        l->form_depth++;
        lower_set_attribute(l, span, row, name, data->items.items[i]);
        l->form_depth--;
    }
}

/* The checks that the project wrote. */
static void run_checks(struct lowerer *l, struct txn_span span, struct val *self) {
    bool is_rest = is_serializer(l, self);
    struct val *data = cell_of(self, is_rest ? "validated_data" : "cleaned_data");
    struct args args = {.span = span};
    if (data == NULL || data->kind != VAL_DICT)
        return;
    clean_each(l, span, self, data);
    if (!l->frame->is_terminated && own_method(l, self, is_rest ? STR("validate") : STR("clean")) != NULL) {
        if (is_rest)
            VEC_PUSH(l->arena, &args.positional, data);
        struct val *got = call_own(l, self, is_rest ? STR("validate") : STR("clean"), &args);
        if (got->kind == VAL_DICT && got != data)
            set_cell(l, self, is_rest ? "validated_data" : "cleaned_data", got);
    }
    if (!is_rest && !l->frame->is_terminated)
        fill(l, span, self);
}

/* Whether there is any such check. */
static bool has_checks(struct lowerer *l, struct val *self) {
    static const char *const whole[] = {"clean", "validate"};
    for (size_t i = 0; i < LW_COUNT_OF(whole); i++)
        if (own_method(l, self, str_from_c(whole[i])) != NULL)
            return true;
    struct val *data = cell_of(self, is_serializer(l, self) ? "validated_data" : "cleaned_data");
    for (size_t i = 0; data != NULL && data->kind == VAL_DICT && i < data->keys.count; i++) {
        struct str name = {0};
        val_text(l, data->keys.items[i], &name);
        for (size_t k = 0; k < LW_COUNT_OF(whole); k++)
            if (own_method(l, self, str_printf(l->arena, "%s_%.*s", whole[k], STR_ARG(name))) != NULL)
                return true;
    }
    return false;
}

static struct val *is_valid(struct lowerer *l, struct val *self, struct args *args) {
    struct txn_span span = args->span;
    struct val *before = cell_of(self, "_valid");
    if (before != NULL)
        return before;
    struct val *free = val_unknown(l, span, str_printf(l->arena, "%.*s.is_valid()",
                                                       STR_ARG(self->class_->name)));
    struct val *result = free;
    if (!has_checks(l, self)) {
        if (!is_serializer(l, self))
            fill(l, span, self);
    } else {
        uint16_t valid = lower_var(l, STR("is_valid"));
        struct flow_sites sites = {{0}};
        l->is_pinned[valid] = true;
        txn_build_assign(&l->b, span, valid, val_expr(l, free));
        struct txn_step *attempt = txn_build_try(&l->b, span);
        attempt->handlers.items = ARENA_ARRAY(l->arena, struct txn_handler, 2);
        attempt->handlers.capacity = 2;
        size_t mark = flow_mark(l);
        run_checks(l, span, self);
        flow_add_site(l, &sites, mark, NULL, NULL);
        flow_undo(l, mark);
        l->frame->is_terminated = false;
        struct txn_handler *handler = txn_build_except(&l->b, span, attempt);
        VEC_PUSH(l->arena, &handler->classes, STR("ValidationError"));
        txn_build_assign(&l->b, span, valid, txn_literal(&l->b, span, value_bool(false)));
        flow_add_site(l, &sites, mark, NULL, NULL);
        txn_build_end(&l->b, attempt);
        flow_merge(l, span, &sites, (struct str){0});
        result = val_scalar(l, txn_ref(&l->b, span, valid));
    }
    set_cell(l, self, "_valid", result);
    struct val *raising = args_get(args, 0, "raise_exception");
    if (raising != NULL && val_known_truth(l, raising) == 1) {
        struct txn_step *step = txn_build_if(
            &l->b, span, txn_unary(&l->b, span, TXN_EXPR_NOT, val_truth(l, result)));
        txn_build_raise(&l->b, span, STR("ValidationError"));
        txn_build_end(&l->b, step);
        return val_bool(l, span, true);
    }
    return result;
}

/* form.tags: what was chosen takes the place of what was. */
static void save_links(struct lowerer *l, struct txn_span span, struct val *row, struct val *data) {
    for (size_t i = 0; data != NULL && data->kind == VAL_DICT && i < data->keys.count; i++) {
        struct str name;
        struct args args = {.span = span};
        const struct model_field *field = val_text(l, data->keys.items[i], &name)
                                              ? model_field(row->row->model, name)
                                              : NULL;
        if (field == NULL || field->kind != FIELD_MANY_TO_MANY || l->frame->is_terminated)
            continue;
        struct val *manager = lower_attribute(l, span, row, name, NULL);
        VEC_PUSH(l->arena, &args.positional, data->items.items[i]);
        if (manager->kind == VAL_QUERYSET)
            query_method(l, manager, STR("set"), &args);
    }
}

/* ModelForm.save(commit=True) */
static struct val *save_form(struct lowerer *l, struct val *self, struct args *args) {
    struct txn_span span = args->span;
    struct val *row = cell_of(self, "instance"), *commit = args_get(args, 0, "commit");
    if (row == NULL || row->kind != VAL_ROW) {
        if (row != NULL || form_model(l, self) != NULL)
            lower_notef(l, span, "the model behind %.*s.save() is not known", STR_ARG(self->class_->name));
        return val_unknown(l, span, STR("form.save()"));
    }
    if (cell_of(self, "_valid") == NULL) {
        struct args none = {.span = span};
        is_valid(l, self, &none);
    }
    int committed = commit != NULL ? val_known_truth(l, commit) : 1;
    if (committed == 0)
        return row;
    struct txn_step *step =
        committed < 0 ? txn_build_if(&l->b, span, val_truth(l, commit)) : NULL;
    size_t mark = flow_mark(l);
    l->form_depth++;
    row_call_save(l, span, row->row, false);
    if (!l->frame->is_terminated)
        save_links(l, span, row, cell_of(self, "cleaned_data"));
    l->form_depth--;
    if (step != NULL) {
        flow_undo(l, mark);
        l->frame->is_terminated = false;
        txn_build_end(&l->b, step);
    }
    return row;
}

/* ModelSerializer.create(validated_data) and update(instance, validated_data) */
static struct val *create(struct lowerer *l, struct val *self, struct args *args) {
    struct val *data = args_get(args, 0, "validated_data");
    struct model *model = form_model(l, self);
    struct args all = {.span = args->span};
    if (model == NULL || data == NULL || data->kind != VAL_DICT) {
        lower_notef(l, args->span, "the model behind %.*s.create() is not known",
                    STR_ARG(self->class_->name));
        return val_unknown(l, args->span, STR("serializer.save()"));
    }
    all.is_open = data->is_partial;
    for (size_t i = 0; i < data->keys.count; i++) {
        struct str name;
        const struct model_field *field =
            val_text(l, data->keys.items[i], &name) ? model_attribute(model, name) : NULL;
        if (field == NULL || field->kind == FIELD_MANY_TO_MANY)
            continue;
        VEC_PUSH(l->arena, &all.names, name);
        VEC_PUSH(l->arena, &all.values, data->items.items[i]);
    }
    struct val *row = query_create(
        l, args->span, manager_of(l, args->span, model, STR("_default_manager")), &all);
    if (row->kind == VAL_ROW && !l->frame->is_terminated)
        save_links(l, args->span, row, data);
    return row;
}

static struct val *update(struct lowerer *l, struct val *self, struct args *args) {
    struct val *row = args_get(args, 0, "instance"), *data = args_get(args, 1, "validated_data");
    if (row == NULL || row->kind != VAL_ROW || data == NULL || data->kind != VAL_DICT) {
        lower_notef(l, args->span, "the model behind %.*s.update() is not known",
                    STR_ARG(self->class_->name));
        return val_unknown(l, args->span, STR("serializer.save()"));
    }
    l->form_depth++;
    for (size_t i = 0; i < data->keys.count; i++) {
        struct str name;
        const struct model_field *field = val_text(l, data->keys.items[i], &name)
                                              ? model_attribute(row->row->model, name)
                                              : NULL;
        if (field != NULL && field->kind != FIELD_MANY_TO_MANY)
            lower_set_attribute(l, args->span, row, name, data->items.items[i]);
    }
    row_call_save(l, args->span, row->row, false);
    if (!l->frame->is_terminated)
        save_links(l, args->span, row, data);
    l->form_depth--;
    return row;
}

/* BaseSerializer.save(**kwargs) */
static struct val *save_serializer(struct lowerer *l, struct val *self, struct args *args) {
    struct val *row = cell_of(self, "instance"), *data = cell_of(self, "validated_data");
    struct args inner = {.span = args->span};
    if (data == NULL || data->kind != VAL_DICT || cell_of(self, "_many") != NULL) {
        lower_notef(l, args->span, "the model behind %.*s.save() is not known", STR_ARG(self->class_->name));
        return val_unknown(l, args->span, STR("serializer.save()"));
    }
    data = val_copy(l, data);
    data->content = NULL;
    data->is_partial |= args->is_open;
    for (size_t i = 0; i < args->names.count; i++) {
        VEC_PUSH(l->arena, &data->keys,
                 val_literal(l, args->span, value_text(l->pool, args->names.items[i])));
        VEC_PUSH(l->arena, &data->items, args->values.items[i]);
    }
    bool is_update = row != NULL && !val_is_none(row);
    if (is_update && row->kind == VAL_ROW)
        row->row->is_changed_here |= args->names.count > 0;
    if (is_update)
        VEC_PUSH(l->arena, &inner.positional, row);
    VEC_PUSH(l->arena, &inner.positional, data);
    struct val *saved = call_own(l, self, is_update ? STR("update") : STR("create"), &inner);
    if (!l->frame->is_terminated)
        set_cell(l, self, "instance", saved);
    return saved;
}

bool form_has_method(struct lowerer *l, const struct val *self, struct str name) {
    static const char *const both[] = {"is_valid", "save", "__init__", "full_clean", "clean"};
    static const char *const form[] = {"save_m2m", "_save_m2m"};
    static const char *const rest[] = {"create", "update", "validate"};
    bool is_rest = is_serializer(l, self);
    if (!is_rest && !is_form_class(l, self->class_))
        return false;
    for (size_t i = 0; i < LW_COUNT_OF(both); i++)
        if (str_is(name, both[i]))
            return true;
    for (size_t i = 0; !is_rest && i < LW_COUNT_OF(form); i++)
        if (str_is(name, form[i]))
            return true;
    for (size_t i = 0; is_rest && i < LW_COUNT_OF(rest); i++)
        if (str_is(name, rest[i]))
            return true;
    return !is_rest && str_starts(name, "clean_");
}

struct val *form_method(struct lowerer *l, struct val *self, struct str name, struct args *args) {
    bool is_rest = is_serializer(l, self);
    if (!form_has_method(l, self, name))
        return NULL;
    if (str_is(name, "__init__"))
        return init(l, self, args);
    if (str_is(name, "is_valid") || str_is(name, "full_clean"))
        return is_valid(l, self, args);
    if (str_is(name, "save"))
        return is_rest ? save_serializer(l, self, args) : save_form(l, self, args);
    if (str_is(name, "create"))
        return create(l, self, args);
    if (str_is(name, "update"))
        return update(l, self, args);
    if (str_is(name, "validate"))
        return args->positional.count > 0 ? args->positional.items[0] : val_null(l, args->span);
    struct val *row = cell_of(self, "instance"), *data = cell_of(self, "cleaned_data");
    if (str_ends(name, "save_m2m")) {
        if (row != NULL && row->kind == VAL_ROW)
            save_links(l, args->span, row, data);
        return val_null(l, args->span);
    }
    return data != NULL && str_is(name, "clean") ? data : val_unknown(l, args->span, name);
}

struct val *form_check(struct lowerer *l, struct txn_span span, struct val *form) {
    struct args args = {.span = span};
    return call_own(l, form, STR("is_valid"), &args);
}

struct val *form_save(struct lowerer *l, struct txn_span span, struct val *form) {
    struct args args = {.span = span};
    return call_own(l, form, STR("save"), &args);
}

struct val *form_param(const struct val *self, struct str name) {
    if (self->kind != VAL_INSTANCE || self->fields == NULL)
        return NULL;
    if (str_is(name, "validated_data") || str_is(name, "attrs"))
        return cell_of(self, "validated_data");
    return NULL;
}
