/* What ModelAdmin.changeform_view sends when a change form is posted, all in one transaction
 * (django/contrib/admin/options.py, django/forms/models.py; tests/live compares it with Django's):
 *
 *     get_object()      SELECT the row, without a lock
 *     form.is_valid()   assign each field of the form; SELECT each related object by its key, then
 *                       whether it exists, then whether a unique value is taken
 *     each inline       SELECT its rows; for each the same, and the row once more by its key
 *     save_model()      obj.save(): every column, changed or not
 *     each inline       save() of the rows that were changed: here one, whose key is a parameter
 *
 * Left out: the session and the user, read before the transaction begins; the entry in the admin's
 * log; rows that inlines add or delete; the add and delete views. A delete would show nearly every
 * save() of a registered model to resurrect a row, and say nothing about the code that is shown.
 */
#include "base/assert.h"
#include "django/admin.h"
#include "django/model_meta.h"
#include "django/orm.h"
#include "django/values.h"

struct name_list {
    VEC(struct str) items;
};

/* A form of a row: of the model registered, or of an inline's. */
struct form {
    struct lowerer *l;
    struct txn_span span;
    bool is_view;
    struct val *self; /* the ModelAdmin, the inline or the view; NULL: Django's own */
    struct model *model;
    const struct model_field *parent;       /* an inline's link to the row above */
    struct str prefix;                      /* of the parameters' names */
    VEC(const struct model_field *) fields; /* in the form's order */
    struct row *row;
    struct val *rows; /* an inline's */
};

static struct val *attribute(struct form *form, struct val *of, const char *name) {
    if (of == NULL)
        return NULL;
    struct val *val = class_member(form->l, form->span, of, of->class_, str_from_c(name));
    return val == NULL || val_is_none(val) ? NULL : val;
}

/* False: not all names are known. */
static bool collect_names(struct lowerer *l, struct val *val, struct name_list *names) {
    struct str text;
    if (val_text(l, val, &text)) {
        VEC_PUSH(l->arena, &names->items, text);
        return true;
    }
    bool is_known = val->kind == VAL_SEQUENCE && !val->is_partial;
    for (size_t i = 0; is_known && i < val->items.count; i++)
        is_known = collect_names(l, val->items.items[i], names);
    return is_known;
}

static bool has_name(const struct name_list *names, struct str name) {
    for (size_t i = 0; i < names->items.count; i++)
        if (str_equal(names->items.items[i], name))
            return true;
    return false;
}

/* Adds the names in an attribute of the class; false if it has none. */
static bool read_names(struct form *form, struct val *of, const char *name,
                       struct name_list *names) {
    struct val *val = attribute(form, of, name);
    if (val == NULL)
        return false;
    if (!collect_names(form->l, val, names))
        lower_notef(form->l, form->span, "%s of the admin is not known from the source", name);
    return true;
}

/* fieldsets = [(title, {"fields": [...]}), ...] */
static bool read_fieldsets(struct form *form, struct name_list *names) {
    struct lowerer *l = form->l;
    struct val *sets = attribute(form, form->self, "fieldsets");
    if (sets == NULL)
        return false;
    bool is_known = sets->kind == VAL_SEQUENCE && !sets->is_partial;
    for (size_t i = 0; is_known && i < sets->items.count; i++) {
        const struct val *set = sets->items.items[i];
        is_known = set->kind == VAL_SEQUENCE && set->items.count == 2;
        const struct val *options = is_known ? set->items.items[1] : NULL;
        for (size_t k = 0; is_known && options->kind == VAL_DICT && k < options->keys.count; k++) {
            struct str key;
            if (val_text(l, options->keys.items[k], &key) && str_is(key, "fields"))
                is_known = collect_names(l, options->items.items[k], names);
        }
    }
    if (!is_known)
        lower_note(l, form->span, STR("fieldsets of the admin is not known from the source"));
    return true;
}

/* The Meta of `form = OwnForm`, as a class; NULL: none. */
static struct val *form_meta(struct form *form) {
    struct lowerer *l = form->l;
    struct py_class *where;
    struct val *own = attribute(form, form->self, form->is_view ? "form_class" : "form");
    if (own == NULL && form->is_view)
        own = attribute(form, form->self, "serializer_class");
    if (own == NULL || own->kind != VAL_CLASS)
        return NULL;
    if (class_find(l->facts, own->class_, STR("save"), &where) != NULL)
        lower_note(l, form->span, STR("save() of the admin's own form is not modelled"));
    const struct binding *binding = class_find(l->facts, own->class_, STR("Meta"), &where);
    if (binding == NULL || binding->kind != BIND_CLASS)
        return NULL;
    struct val *meta = val_new(l, VAL_CLASS, form->span);
    meta->class_ = binding->class_;
    return meta;
}

static bool is_form_field(const struct model_field *field) {
    return field->is_editable && !field->is_parent_link && !(field->is_primary && field->is_serial);
}

static void add_field(struct form *form, const struct model_field *field) {
    struct lowerer *l = form->l;
    if (field == NULL || field == form->parent || !is_form_field(field))
        return;
    if (field->kind != FIELD_MANY_TO_MANY)
        VEC_PUSH(l->arena, &form->fields, field);
    else if (field->through == NULL || field->through->is_auto)
        lower_notef(l, form->span,
                    "the many-to-many field %.*s of the admin's form is not modelled",
                    STR_ARG(field->name));
}

/* Which fields the form shows, as ModelAdmin.get_form finds them. */
static void find_fields(struct form *form) {
    struct name_list names = {{0}}, hidden = {{0}};
    struct val *meta = form_meta(form);
    bool is_listed = read_fieldsets(form, &names) ||
                     read_names(form, form->self, "fields", &names) ||
                     read_names(form, meta, "fields", &names);
    if (!read_names(form, form->self, "exclude", &hidden))
        read_names(form, meta, "exclude", &hidden);
    read_names(form, form->self, "readonly_fields", &hidden);
    read_names(form, meta, "read_only_fields", &hidden);
    is_listed &= !has_name(&names, STR("__all__"));
    size_t count = is_listed ? names.items.count : form->model->fields.count;
    for (size_t i = 0; i < count; i++) {
        const struct model_field *field = is_listed ? model_field(form->model, names.items.items[i])
                                                    : form->model->fields.items[i];
        if (field != NULL && !has_name(&hidden, field->name))
            add_field(form, field);
    }
}

static bool is_shown(const struct form *form, struct str name) {
    for (size_t i = 0; i < form->fields.count; i++)
        if (str_equal(form->fields.items[i]->name, name))
            return true;
    return false;
}

/* "owner_id" for a relation. */
static struct str attribute_name(struct form *form, const struct model_field *field) {
    if (field->kind == FIELD_PLAIN)
        return field->name;
    return str_printf(form->l->arena, "%.*s_id", STR_ARG(field->name));
}

static struct val *value_of(struct form *form, const struct model_field *field) {
    struct val *row = val_row(form->l, form->span, form->row);
    return lower_attribute(form->l, form->span, row, attribute_name(form, field), NULL);
}

static struct val *key_of(struct form *form) {
    return lower_attribute(form->l, form->span, val_row(form->l, form->span, form->row), STR("pk"),
                           NULL);
}

/* The form's values, each a parameter of its own: what somebody typed. */
static void set_fields(struct form *form) {
    struct lowerer *l = form->l;
    for (size_t i = 0; i < form->model->fields.count; i++) {
        const struct model_field *field = form->model->fields.items[i];
        if (!is_shown(form, field->name) || field->is_primary)
            continue;
        struct str text =
            str_printf(l->arena, "%.*s%.*s", STR_ARG(form->prefix), STR_ARG(field->name));
        row_set_attribute(l, form->span, form->row, attribute_name(form, field),
                          val_unknown(l, form->span, text));
    }
}

static void refuse(struct form *form, struct txn_expr *cond) {
    struct lowerer *l = form->l;
    struct txn_step *step = txn_build_if(&l->b, form->span, cond);
    txn_build_raise(&l->b, form->span, STR("ValidationError"));
    txn_build_end(&l->b, step);
}

static bool is_related(const struct model_field *field) {
    return field->kind != FIELD_PLAIN && field->target != NULL && field->target->table >= 0;
}

/* The steps until the end returned are taken only if the field has a value. */
static struct txn_step *if_given(struct form *form, const struct model_field *field,
                                 struct val *value) {
    struct txn_builder *b = &form->l->b;
    if (!field->is_null)
        return NULL;
    struct txn_expr *none = txn_unary(b, form->span, TXN_EXPR_IS_NULL, val_expr(form->l, value));
    return txn_build_if(b, form->span, txn_unary(b, form->span, TXN_EXPR_NOT, none));
}

static void end_given(struct form *form, struct txn_step *step) {
    if (step != NULL)
        txn_build_end(&form->l->b, step);
}

/* The field of a form that chooses a related object fetches it. */
static void clean_relation(struct form *form, const struct model_field *field) {
    struct lowerer *l = form->l;
    struct val *value = value_of(form, field);
    struct queryset *query = manager_of(l, form->span, field->target, STR("_default_manager"));
    struct txn_step *step = if_given(form, field, value);
    VEC_PUSH(l->arena, &query->where, cond_lookup(l, form->span, STR("pk"), value));
    query_get(l, form->span, query, field->name, STR("ValidationError"));
    end_given(form, step);
}

/* ForeignKey.validate. */
static void check_relation(struct form *form, const struct model_field *field) {
    struct lowerer *l = form->l;
    struct val *value = value_of(form, field);
    struct queryset *query = manager_of(l, form->span, field->target, STR("_default_manager"));
    struct txn_step *step = if_given(form, field, value);
    VEC_PUSH(l->arena, &query->where, cond_lookup(l, form->span, STR("pk"), value));
    struct val *found = query_exists(l, form->span, query);
    refuse(form, txn_unary(&l->b, form->span, TXN_EXPR_NOT, val_truth(l, found)));
    end_given(form, step);
}

/* Whether another row has the values of these fields (joined by ','), all of which the form shows. */
static void check_unique(struct form *form, struct str names) {
    struct lowerer *l = form->l;
    struct queryset *query = manager_of(l, form->span, form->model, STR("_default_manager"));
    struct txn_step *given[8];
    size_t given_count = 0;
    struct cond *other = ARENA_NEW(l->arena, struct cond);
    for (size_t at = 0, end; at <= names.len; at = end + 1) {
        end = str_find(names, ',', at);
        const struct model_field *field = model_field(form->model, str_sub(names, at, end));
        if (field == NULL || (!is_shown(form, field->name) && field != form->parent) ||
            given_count == LW_COUNT_OF(given))
            return;
    }
    for (size_t at = 0, end; at <= names.len; at = end + 1) {
        end = str_find(names, ',', at);
        const struct model_field *field = model_field(form->model, str_sub(names, at, end));
        struct val *value = value_of(form, field);
        if (field->is_null && given_count < LW_COUNT_OF(given))
            given[given_count++] = if_given(form, field, value);
        VEC_PUSH(l->arena, &query->where, cond_lookup(l, form->span, field->name, value));
    }
    other->kind = COND_NOT;
    other->span = form->span;
    VEC_PUSH(l->arena, &other->args, cond_lookup(l, form->span, STR("pk"), key_of(form)));
    VEC_PUSH(l->arena, &query->where, other);
    refuse(form, val_truth(l, query_exists(l, form->span, query)));
    while (given_count > 0)
        end_given(form, given[--given_count]);
}

/* form.is_valid(). An inline's row is fetched by its key once more. */
static void clean_form(struct form *form) {
    struct lowerer *l = form->l;
    const struct model *model = form->model;
    for (size_t i = 0; i < form->fields.count; i++)
        if (is_related(form->fields.items[i]))
            clean_relation(form, form->fields.items[i]);
    if (form->parent != NULL) {
        struct queryset *query = manager_of(l, form->span, form->model, STR("_default_manager"));
        VEC_PUSH(l->arena, &query->where, cond_lookup(l, form->span, STR("pk"), key_of(form)));
        query_get(l, form->span, query, STR("again"), STR("ValidationError"));
    }
    for (size_t i = 0; i < model->fields.count; i++)
        if (is_shown(form, model->fields.items[i]->name) && is_related(model->fields.items[i]))
            check_relation(form, model->fields.items[i]);
    for (size_t i = 0; i < model->unique_sets.count; i++)
        if (model->unique_conditions.items[i].len == 0)
            check_unique(form, model->unique_sets.items[i]);
    for (size_t i = 0; i < model->fields.count; i++)
        if (model->fields.items[i]->is_unique && !model->fields.items[i]->is_primary)
            check_unique(form, model->fields.items[i]->name);
}

/* Methods of the project's own that decide what the view does, and are not followed. */
static void note_overrides(struct form *form) {
    static const char *const names[] = {
        "changeform_view", "change_view",          "get_object",   "get_form",
        "get_fields",      "get_fieldsets",        "get_exclude",  "get_readonly_fields",
        "get_inlines",     "get_inline_instances", "save_form",    "get_formsets_with_inlines",
        "get_formset",     "save_related",         "save_formset", "log_change",
        "response_change"};
    struct lowerer *l = form->l;
    for (size_t i = 0; form->self != NULL && i < LW_COUNT_OF(names); i++) {
        struct py_class *where;
        const struct binding *binding =
            class_find(l->facts, form->self->class_, str_from_c(names[i]), &where);
        if (binding != NULL && binding->kind == BIND_FUNC)
            lower_notef(l, module_span(where->module, binding->node),
                        "%s() of the admin is not modelled", names[i]);
    }
}

/* The foreign key by which an inline's rows belong to the row above. */
static const struct model_field *parent_field(struct form *form, const struct model *above) {
    struct str name = {0};
    struct val *given = attribute(form, form->self, "fk_name");
    if (given != NULL)
        val_text(form->l, given, &name);
    for (size_t i = 0; i < form->model->fields.count; i++) {
        const struct model_field *field = form->model->fields.items[i];
        bool is_link = field->kind == FIELD_FOREIGN_KEY || field->kind == FIELD_ONE_TO_ONE;
        bool is_to_above =
            field->target == above || (above->is_proxy && field->target == above->parent);
        if (is_link && (name.len > 0 ? str_equal(field->name, name) : is_to_above))
            return field;
    }
    return NULL;
}

/* The inline behind a class that stands in `inlines`; NULL: not one that is modelled. */
static struct form *inline_form(struct form *above, struct val *class_val) {
    struct lowerer *l = above->l;
    struct form *form = ARENA_NEW(l->arena, struct form);
    *form = (struct form){.l = l, .span = above->span};
    if (class_val->kind == VAL_CLASS) {
        form->self = class_val;
        struct val *model = attribute(form, class_val, "model");
        if (model != NULL && model->kind == VAL_CLASS)
            form->model = class_model(l->facts, model->class_);
    }
    if (form->model != NULL && !form->model->is_abstract && form->model->table >= 0)
        form->parent = parent_field(form, above->model);
    if (form->parent == NULL) {
        lower_note(l, above->span, STR("an inline of the admin is not known from the source"));
        return NULL;
    }
    form->prefix = str_printf(l->arena, "%.*s.", STR_ARG(str_lower(l->arena, form->model->name)));
    note_overrides(form);
    find_fields(form);
    return form;
}

/* The row of a loop over an inline's rows; ends with txn_build_end. */
static struct txn_step *for_each_row(struct form *form) {
    struct lowerer *l = form->l;
    uint16_t var = lower_var(l, str_lower(l->arena, form->model->name));
    l->is_pinned[var] = true;
    form->row = row_new(l, form->model, var);
    form->row->pk_state.val = val_bool(l, form->span, true);
    return txn_build_for(&l->b, form->span, var, form->rows->var);
}

static struct txn_step *if_changed(struct form *form) {
    struct lowerer *l = form->l;
    struct str name = str_printf(l->arena, "%.*sid", STR_ARG(form->prefix));
    struct txn_expr *chosen = lower_param(l, form->span, name);
    return txn_build_if(
        &l->b, form->span,
        txn_binary(&l->b, form->span, TXN_OP_EQ, val_expr(l, key_of(form)), chosen));
}

static void clean_inline(struct form *form, struct row *above) {
    struct lowerer *l = form->l;
    struct queryset *query = manager_of(l, form->span, form->model, STR("_default_manager"));
    query->is_manager = false;
    VEC_PUSH(l->arena, &query->where,
             cond_lookup(l, form->span, form->parent->name, val_row(l, form->span, above)));
    if (form->model->ordering.count == 0) {
        query->is_order_set = true;
        VEC_PUSH(l->arena, &query->order_by, STR("pk"));
    }
    form->rows = query_rows(l, form->span, query, STR("rows"));
    if (form->rows->kind != VAL_ROWS)
        return;
    struct txn_step *loop = for_each_row(form);
    size_t mark = flow_mark(l);
    struct txn_step *changed = if_changed(form);
    set_fields(form);
    txn_build_end(&l->b, changed);
    clean_form(form);
    flow_undo(l, mark);
    txn_build_end(&l->b, loop);
}

static void save_inline(struct form *form) {
    struct lowerer *l = form->l;
    if (form->rows == NULL || form->rows->kind != VAL_ROWS)
        return;
    struct txn_step *loop = for_each_row(form);
    struct txn_step *changed = if_changed(form);
    size_t mark = flow_mark(l);
    row_call_save(l, form->span, form->row, false);
    flow_undo(l, mark);
    txn_build_end(&l->b, changed);
    txn_build_end(&l->b, loop);
}

/* save_model(request, obj, form, change): the project's own, or obj.save(). */
static void save_model(struct form *form) {
    struct lowerer *l = form->l;
    struct txn_span span = form->span;
    struct py_class *where;
    const struct binding *own =
        form->self == NULL ? NULL
                           : class_find(l->facts, form->self->class_, STR("save_model"), &where);
    if (own == NULL || own->kind != BIND_FUNC) {
        row_call_save(l, span, form->row, false);
        return;
    }
    struct args args = {.span = span};
    VEC_PUSH(l->arena, &args.positional, val_unknown(l, span, STR("request")));
    VEC_PUSH(l->arena, &args.positional, val_row(l, span, form->row));
    VEC_PUSH(l->arena, &args.positional, val_unknown(l, span, STR("form")));
    VEC_PUSH(l->arena, &args.positional, val_bool(l, span, true));
    lower_call_value(l, lower_attribute(l, span, form->self, STR("save_model"), NULL), &args,
                     STR("save_model"));
}

/* The rows that the admin shows: its get_queryset(), or all. */
static struct queryset *shown_rows(struct form *form) {
    struct lowerer *l = form->l;
    struct py_class *where;
    struct queryset *all = manager_of(l, form->span, form->model, STR("_default_manager"));
    const struct binding *own =
        form->self == NULL ? NULL
                           : class_find(l->facts, form->self->class_, STR("get_queryset"), &where);
    if (own == NULL || own->kind != BIND_FUNC)
        return all;
    struct args args = {.span = form->span};
    VEC_PUSH(l->arena, &args.positional, val_unknown(l, form->span, STR("request")));
    struct val *rows =
        lower_call_value(l, lower_attribute(l, form->span, form->self, STR("get_queryset"), NULL),
                         &args, STR("get_queryset"));
    if (rows->kind == VAL_QUERYSET && rows->query->model == form->model) {
        struct queryset *query = query_copy(l, rows->query);
        query->is_manager = false;
        return query;
    }
    lower_note(l, form->span, STR("what get_queryset() of the admin gives is not known"));
    return all;
}

static void change_row(struct form *form) {
    struct lowerer *l = form->l;
    struct queryset *query = shown_rows(form);
    struct val *inlines = attribute(form, form->self, "inlines");
    VEC(struct form *) below = {0};
    VEC_PUSH(l->arena, &query->where,
             cond_lookup(l, form->span, STR("pk"), val_unknown(l, form->span, STR("object_id"))));
    struct val *obj = query_get(l, form->span, query, STR("obj"), STR("Http404"));
    if (obj->kind != VAL_ROW)
        return;
    form->row = obj->row;
    find_fields(form);
    set_fields(form);
    clean_form(form);
    if (inlines != NULL && inlines->kind != VAL_SEQUENCE)
        lower_note(l, form->span, STR("inlines of the admin is not known from the source"));
    for (size_t i = 0; inlines != NULL && inlines->kind == VAL_SEQUENCE && i < inlines->items.count;
         i++) {
        struct form *inner = inline_form(form, inlines->items.items[i]);
        if (inner == NULL)
            continue;
        clean_inline(inner, form->row);
        VEC_PUSH(l->arena, &below, inner);
    }
    save_model(form);
    for (size_t i = 0; i < below.count; i++)
        save_inline(below.items[i]);
}

void admin_lower(struct lowerer *l, struct module *module, const struct admin *admin) {
    struct frame base = {.module = module, .locals = fields_new(l)};
    struct form form = {
        .l = l, .span = admin->span, .model = admin->model, .is_view = admin->is_view};
    l->frame = arena_copy(l->arena, &base, sizeof(base));
    if (admin->class_ != NULL) {
        form.self = val_new(l, VAL_INSTANCE, admin->span);
        form.self->class_ = admin->class_;
        form.self->fields = fields_new(l);
        struct val *model = val_new(l, VAL_CLASS, admin->span);
        model->class_ = admin->model->class_;
        cell_set(l, fields_cell(l, form.self->fields, STR("model")), model);
    }
    if (admin->outside.len > 0)
        lower_notef(l, admin->span, "%.*s is not part of the project: taken as a plain ModelAdmin",
                    STR_ARG(admin->outside));
    note_overrides(&form);
    if (admin->is_view && !l->facts->project->settings.atomic_requests) {
        change_row(&form);
        return;
    }
    struct txn_step *step = lower_atomic(l, admin->span, NULL);
    change_row(&form);
    lower_atomic_end(l, step);
}

/* The model that an admin's object is for: the one being lowered, else the one its class is first registered for. */
static struct model *model_of(struct lowerer *l, const struct val *self) {
    const struct cell *cell = self->fields == NULL ? NULL : fields_find(self->fields, STR("model"));
    if (cell != NULL && cell->val != NULL && cell->val->kind == VAL_CLASS)
        return class_model(l->facts, cell->val->class_);
    for (size_t i = 0; i < l->facts->funcs.count; i++) {
        const struct admin *admin = l->facts->funcs.items[i]->admin;
        if (admin != NULL && admin->class_ == self->class_)
            return admin->model;
    }
    return NULL;
}

struct val *admin_method(struct lowerer *l, struct val *self, struct str name, struct args *args) {
    struct val *obj = args_get(args, 1, "obj");
    struct model *model =
        class_has_external_base(l->facts, self->class_, "Admin") ? model_of(l, self) : NULL;
    if (model == NULL)
        return NULL;
    if (str_is(name, "get_queryset"))
        return val_query(l, args->span, manager_of(l, args->span, model, STR("_default_manager")));
    if (!str_is(name, "save_model"))
        return NULL;
    if (obj != NULL && obj->kind == VAL_ROW)
        row_call_save(l, args->span, obj->row, false);
    else
        lower_note(l, args->span, STR("save_model() of an object that is not known"));
    return val_null(l, args->span);
}
