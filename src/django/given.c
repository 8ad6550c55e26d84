/* Values from outside of the function that are known to be rows, objects and the like. */
#include "django/given.h"

#include "base/assert.h"
#include "django/orm.h"

static struct given *find(struct lowerer *l, struct str text) {
    for (size_t i = 0; i < l->given.items.count; i++)
        if (str_equal(l->given.items.items[i]->text, text))
            return l->given.items.items[i];
    return NULL;
}

static struct val *row_by_key(struct lowerer *l, struct txn_span span, struct model *model, struct str text,
                              bool is_null) {
    struct val *val = val_unknown(l, span, text);
    val->model = model;
    val->is_orm = true;
    val->is_null = is_null;
    return val;
}

/* A queryset of which no more is known than the model. */
static struct val *some_query(struct lowerer *l, struct txn_span span, const struct type *type, struct str text) {
    struct queryset *query = query_new(l, span, type->model);
    query->class_ = type->class_;
    VEC_PUSH(l->arena, &query->where, cond_unknown(l, span, text));
    return val_query(l, span, query);
}

struct val *given_request(struct lowerer *l, struct txn_span span, struct str text) {
    struct val *val = val_unknown(l, span, text);
    val->is_request = true;
    return val;
}

struct val *given_value(struct lowerer *l, struct txn_span span, const struct type *type, struct str text) {
    struct val *val;
    switch (type->kind) {
    case TYPE_ROW:
        return type->is_new ? NULL : row_by_key(l, span, type->model, text, type->is_null || type->is_open);
    case TYPE_ROWS:
        if (type->is_new)
            return NULL;
        val = row_by_key(l, span, type->model, text, false);
        val->is_many = val->kind == VAL_UNKNOWN;
        return val->is_many ? val : NULL;
    case TYPE_QUERY:
        return type->is_null ? NULL : some_query(l, span, type, text);
    case TYPE_MODEL:
    case TYPE_CLASS:
        val = val_new(l, VAL_CLASS, span);
        val->class_ = type->kind == TYPE_MODEL ? type->model->class_ : type->class_;
        return type->is_null ? NULL : val;
    case TYPE_OBJECT:
        if (type->is_null)
            return NULL;
        val = val_new(l, VAL_INSTANCE, span);
        val->class_ = type->class_;
        val->fields = fields_new(l);
        return val;
    case TYPE_REQUEST:
        return given_request(l, span, text);
    case TYPE_PLAIN:
        val = val_unknown(l, span, text);
        val->is_plain = true;
        return val;
    default:
        return NULL;
    }
}

static void fetch(struct lowerer *l, struct txn_span span, struct given *given) {
    struct queryset *query = query_new(l, span, given->model);
    struct str missing = str_printf(l->arena, "%.*s.DoesNotExist", STR_ARG(given->model->name));
    struct val *row, *key = val_unknown(l, span, given->text);
    VEC_PUSH(l->arena, &query->where, cond_lookup(l, span, STR("pk"), key));
    struct str hint = l->hint;
    l->hint = (struct str){0};
    row = given->is_null ? query_first(l, span, query, given->text)
                         : query_get(l, span, query, given->text, missing);
    l->hint = hint;
    if (row->kind == VAL_ROW && !given->is_request)
        l->b.program->vars.items[row->row->var].is_given = true;
    cell_set(l, &given->cell, row);
}

/* One like `of`, not fetched yet. */
static struct given *add(struct lowerer *l, const struct given *of) {
    struct given *given = ARENA_NEW(l->arena, struct given);
    given->text = of->text;
    given->model = of->model;
    given->is_null = of->is_null;
    given->is_request = of->is_request;
    given->cell.is_cache = true;
    given->cell.name = of->text;
    VEC_PUSH(l->arena, &l->given.items, given);
    return given;
}

struct val *given_row(struct lowerer *l, struct txn_span span, struct val *val) {
    if (val->kind != VAL_UNKNOWN || val->model == NULL || val->is_many)
        return NULL;
    struct given *given = find(l, val->name);
    if (given == NULL) {
        const struct given one = {.text = val->name, .model = val->model, .is_null = val->is_null,
                                  .is_request = val->is_request};
        given = add(l, &one);
    }
    if (given->cell.val == NULL)
        fetch(l, span, given);
    return given->cell.val->kind == VAL_ROW ? given->cell.val : NULL;
}

void given_fetch(struct lowerer *l, struct txn_span span, const struct given_rows *before) {
    for (size_t i = 0; i < before->items.count; i++) {
        struct given *given = add(l, before->items.items[i]);
        fetch(l, span, given);
    }
}

static bool is_any_of(struct str name, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (str_is(name, names[i]))
            return true;
    return false;
}

static struct val *request_attribute(struct lowerer *l, struct txn_span span, const struct val *of, struct str name) {
    struct str text = str_printf(l->arena, "%.*s.%.*s", STR_ARG(of->name), STR_ARG(name));
    struct type type = type_of_request_member(l->facts, name);
    struct val *val = given_value(l, span, &type, text);
    if (val != NULL)
        val->is_request = val->kind == VAL_UNKNOWN && val->model != NULL;
    return val;
}

/* A method that may do no more than read. */
static bool is_reading_method(struct lowerer *l, struct model *model, struct str name) {
    static const char *const own[] = {"save", "delete", "refresh_from_db", "full_clean", "clean"};
    struct py_class *where;
    const struct binding *binding = class_find(l->facts, model->class_, name, &where);
    return binding != NULL && binding->kind == BIND_FUNC && !is_any_of(name, own, LW_COUNT_OF(own));
}

struct val *given_attribute(struct lowerer *l, struct txn_span span, struct val *of, struct str name) {
    /* Who asks has no row if he is not logged in, and what he may do is asked of him alone. */
    static const char *const free[] = {"is_authenticated", "is_anonymous", "is_active",       "is_staff",
                                       "is_superuser",     "has_perm",     "has_perms",       "has_module_perms"};
    if (of->is_request && of->model == NULL)
        return request_attribute(l, span, of, name);
    if (of->kind != VAL_UNKNOWN || of->model == NULL || of->is_many)
        return NULL;
    struct model_field *field = model_attribute(of->model, name);
    struct str text = str_printf(l->arena, "%.*s.%.*s", STR_ARG(of->name), STR_ARG(name));
    if (field == of->model->pk && field != NULL)
        return val_unknown(l, span, of->name);
    if (is_any_of(name, free, LW_COUNT_OF(free)) && (of->is_request || field == NULL))
        return val_unknown(l, span, text);
    if (find(l, of->name) == NULL) {
        if (field != NULL && (field->kind == FIELD_PLAIN || !str_equal(field->name, name)) &&
            field->kind != FIELD_MANY_TO_MANY)
            return val_unknown(l, span, text);
        if (is_reading_method(l, of->model, name))
            return class_member(l, span, of, of->model->class_, name);
    }
    struct val *row = given_row(l, span, of);
    return row != NULL ? lower_attribute(l, span, row, name, NULL) : NULL;
}
