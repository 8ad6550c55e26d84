/* The types of attributes and calls: see types.h. */
#include "base/assert.h"
#include "django/orm.h"
#include "django/roots.h"
#include "django/type_call.h"
#include "django/values.h"

static struct type query_type(struct typer *typer, struct model *model, struct str manager) {
    struct type type = type_of_model(TYPE_QUERY, model);
    if (type.kind == TYPE_QUERY)
        manager_find(typer->facts, model, manager, &type.class_);
    return type;
}

static struct type method_type(struct typer *typer, struct py_func *func, const struct type *self) {
    struct type type = {.kind = TYPE_METHOD, .func = func};
    if (self != NULL)
        type.self = arena_copy(typer->facts->arena, self, sizeof(*self));
    return type;
}

/* A binding of a class as seen through an object of it, or through the class. */
static struct type member_type(struct typer *typer, struct py_class *class_, const struct type *self, struct str name,
                               bool *is_found) {
    struct py_class *where;
    const struct binding *binding = class_find(typer->facts, class_, name, &where);
    *is_found = binding != NULL;
    if (binding == NULL)
        return (struct type){0};
    if (binding->kind == BIND_CLASS)
        return type_of_class(typer, binding->class_, false);
    if (binding->kind == BIND_VALUE)
        return binding->value != NULL ? type_at_top(typer, where->module, binding->value) : type_unknown();
    if (binding->kind != BIND_FUNC)
        return type_of_symbol(typer, symbol_of_binding(typer->facts, where->module, binding));
    struct py_func *func = binding->func;
    bool is_object = self->kind != TYPE_MODEL && self->kind != TYPE_CLASS;
    if (is_object && func_is_decorated(func, "property"))
        return type_of_return(typer, func, self);
    if (func_is_decorated(func, "staticmethod") || (!is_object && !func_is_decorated(func, "classmethod")))
        return method_type(typer, func, NULL);
    if (is_object && func_is_decorated(func, "classmethod")) {
        struct type of_class = type_of_class(typer, class_, false);
        return method_type(typer, func, &of_class);
    }
    return method_type(typer, func, self);
}

/* Whether the object that is given an attribute is one of that class (NULL: a request). */
static bool is_given_to(struct typer *typer, const struct attribute_site *site, struct py_class *class_) {
    struct type of = type_of(typer, type_scope(typer, site->func, NULL), site->of);
    if (class_ == NULL)
        return of.kind == TYPE_REQUEST;
    struct py_class *other = of.kind == TYPE_ROW      ? of.model->class_
                             : of.kind == TYPE_OBJECT ? of.class_
                                                      : NULL;
    if (site->func->owner != NULL && site->of->kind == PY_Name && str_is(site->of->Name.id, "self"))
        other = site->func->owner;
    return other != NULL && types_are_related(typer->facts, other, class_);
}

struct type type_of_given(struct typer *typer, struct py_class *class_, struct str name) {
    struct member_key {
        const void *class_, *name;
    };
    const struct attribute_sites *sites = map_get(&typer->facts->type_index->attributes, name);
    if (sites == NULL)
        return (struct type){0};
    struct member_key key = {class_, sites};
    struct type_memo *memo = map_get(&typer->members, (struct str){(const char *)&key, sizeof(key)});
    if (memo != NULL)
        return memo->type;
    memo = ARENA_NEW(typer->facts->arena, struct type_memo);
    map_put(&typer->members,
            (struct str){arena_copy(typer->facts->arena, &key, sizeof(key)), sizeof(key)}, memo);
    struct type type = {0};
    for (size_t i = 0; i < sites->items.count; i++) {
        const struct attribute_site *site = &sites->items.items[i];
        if (!is_given_to(typer, site, class_))
            continue;
        type_merge(&type, site->value != NULL
                              ? type_of(typer, type_scope(typer, site->func, NULL), site->value)
                              : type_unknown());
    }
    memo->type = type;
    return type;
}

static struct type row_member(struct typer *typer, const struct type *of, struct str name) {
    struct model *model = of->model;
    struct model_field *field = model_attribute(model, name);
    if (field != NULL && field->kind == FIELD_MANY_TO_MANY)
        return query_type(typer, field->target, STR("_default_manager"));
    if (field != NULL && field->kind != FIELD_PLAIN && str_equal(field->name, name)) {
        struct type type = type_of_model(TYPE_ROW, field->target);
        type.is_null = field->is_null;
        return type;
    }
    if (field != NULL)
        return type_plain();
    while (model->is_proxy && model->parent != NULL)
        model = model->parent;
    struct reverse *reverse = model_reverse(model, name, false);
    if (reverse != NULL && reverse->field->kind == FIELD_ONE_TO_ONE)
        return type_of_model(TYPE_ROW, reverse->model);
    if (reverse != NULL)
        return query_type(typer, reverse->model, STR("_default_manager"));
    if (str_is(name, "__class__"))
        return type_of_model(TYPE_MODEL, of->model);
    bool is_found;
    struct type type = member_type(typer, of->model->class_, of, name, &is_found);
    if (!is_found || type.kind == TYPE_NONE)
        type_merge(&type, type_of_given(typer, of->model->class_, name));
    return type;
}

/* The queryset of a generic view, by its class. */
static struct type view_query(struct typer *typer, const struct type *of) {
    bool is_found;
    struct type type = member_type(typer, of->class_, of, STR("get_queryset"), &is_found);
    if (type.kind == TYPE_METHOD)
        type = type_of_return(typer, type.func, type.self);
    if (type.kind != TYPE_QUERY)
        type = member_type(typer, of->class_, of, STR("queryset"), &is_found);
    if (type.kind == TYPE_QUERY)
        return type;
    type = member_type(typer, of->class_, of, STR("model"), &is_found);
    return type.kind == TYPE_MODEL ? query_type(typer, type.model, STR("_default_manager")) : type_unknown();
}

static struct type object_member(struct typer *typer, const struct type *of, struct str name) {
    bool is_found;
    struct type type = member_type(typer, of->class_, of, name, &is_found);
    if (of->kind == TYPE_OBJECT && type.kind != TYPE_METHOD)
        type_merge(&type, type_of_given(typer, of->class_, name));
    if (type.kind != TYPE_NONE || of->kind != TYPE_OBJECT)
        return type;
    if (str_is(name, "__class__"))
        return type_of_class(typer, of->class_, false);
    if (STR_IS_ONE_OF(name, "cleaned_data", "validated_data", "initial_data", "errors", "kwargs", "stdout", "stderr",
                  "style"))
        return type_plain();
    bool is_view = is_view_class(typer->facts, of->class_);
    if (is_view && str_is(name, "request"))
        return (struct type){.kind = TYPE_REQUEST};
    if (is_view && str_is(name, "object")) {
        struct type query = view_query(typer, of);
        return query.kind == TYPE_QUERY ? type_of_model(TYPE_ROW, query.model) : type_unknown();
    }
    return type;
}

static struct type request_member(struct typer *typer, struct str name) {
    static const char *const plain[] = {"session", "GET",   "POST",  "META",    "FILES",   "COOKIES", "headers",
                                        "method",  "path",  "body",  "data",    "query_params", "resolver_match",
                                        "content_type", "path_info", "LANGUAGE_CODE", "encoding", "scheme"};
    if (str_is(name, "user"))
        return type_of_model(TYPE_ROW, model_named(typer->facts, NULL, typer->facts->user_model));
    if (str_is_one_of(name, plain, LW_COUNT_OF(plain)))
        return type_plain();
    return type_of_given(typer, NULL, name);
}

struct type type_of_attribute(struct typer *typer, const struct type *of, struct str name) {
    bool is_found;
    struct type type;
    switch (of->kind) {
    case TYPE_ROW:
        return row_member(typer, of, name);
    case TYPE_MODEL: {
        struct py_class *class_ = NULL;
        if (manager_find(typer->facts, of->model, name, &class_))
            return query_type(typer, of->model, name);
        type = member_type(typer, of->model->class_, of, name, &is_found);
        struct str manager;
        if (!is_found && type_of_set_manager(typer->facts, of->model, name, &manager))
            return query_type(typer, of->model, manager);
        return type;
    }
    case TYPE_QUERY:
        if (str_is(name, "model"))
            return type_of_model(TYPE_MODEL, of->model);
        type = (struct type){0};
        if (of->class_ != NULL)
            type = member_type(typer, of->class_, of, name, &is_found);
        return type;
    case TYPE_OBJECT:
    case TYPE_CLASS:
        return object_member(typer, of, name);
    case TYPE_REQUEST:
        return request_member(typer, name);
    default:
        return type_unknown();
    }
}

/* Something from outside that is none of the ORM's. */
static bool is_plain_outside(struct str dotted) {
    return !str_starts(dotted, "django.db") && !str_starts(dotted, "django.contrib") &&
           !str_starts(dotted, "builtins.");
}

struct type type_of_symbol(struct typer *typer, struct symbol symbol) {
    switch (symbol.kind) {
    case SYMBOL_FUNC:
        return method_type(typer, symbol.func, NULL);
    case SYMBOL_CLASS:
        return type_of_class(typer, symbol.class_, false);
    case SYMBOL_VALUE:
        if (symbol.value == NULL || symbol.is_rebound)
            return type_unknown();
        return type_at_top(typer, symbol.module, symbol.value);
    case SYMBOL_EXTERNAL:
        return is_plain_outside(symbol.dotted) ? type_plain() : type_unknown();
    default:
        return type_unknown();
    }
}

/* A name that the function itself doesn't bind. */
static bool is_global(const struct scope *scope, const struct py_node *node) {
    while (node->kind == PY_Attribute)
        node = node->Attribute.value;
    return node->kind == PY_Name && (scope->body == NULL || !map_has(&scope->body->names, node->Name.id));
}

struct symbol type_symbol(struct typer *typer, const struct scope *scope, const struct py_node *node) {
    if (!is_global(scope, node))
        return (struct symbol){0};
    if (node->kind == PY_Name)
        return symbol_resolve(typer->facts, scope->module, node->Name.id);
    struct symbol of = symbol_of_expr(typer->facts, scope->module, node->Attribute.value);
    if (of.kind != SYMBOL_MODULE && of.kind != SYMBOL_EXTERNAL)
        return (struct symbol){0};
    return symbol_attribute(typer->facts, of, node->Attribute.attr);
}

static bool is_super(const struct py_node *node) {
    return node->kind == PY_Attribute && node->Attribute.value->kind == PY_Call &&
           node->Attribute.value->Call.func->kind == PY_Name &&
           str_is(node->Attribute.value->Call.func->Name.id, "super");
}

static struct type own_self(struct typer *typer, struct scope *scope) {
    struct py_list args = scope->func->node->FunctionDef.args->arguments.args;
    if (scope->func->owner == NULL || args.count == 0)
        return type_unknown();
    struct py_node name = {.kind = PY_Name};
    name.Name.id = args.items[0]->arg.arg;
    return type_of(typer, scope, &name);
}

/* What is called, as a type. */
static struct type callee_type(struct typer *typer, struct scope *scope, const struct py_node *node) {
    if (is_super(node) && scope->func != NULL) {
        struct type self = own_self(typer, scope);
        struct py_class *start = self.kind == TYPE_ROW || self.kind == TYPE_MODEL ? self.model->class_
                                                                                  : self.class_;
        struct py_func *found =
            class_super(typer->facts, start, scope->func->owner, node->Attribute.attr);
        return found != NULL ? method_type(typer, found, &self) : type_unknown();
    }
    return type_of(typer, scope, node);
}

struct py_func *type_callee(struct typer *typer, struct scope *scope, const struct py_node *call,
                            const struct type **self) {
    struct type type = callee_type(typer, scope, call->Call.func);
    *self = type.self;
    return type.kind == TYPE_METHOD ? type.func : NULL;
}

/* Methods of the ORM's own. */
static struct type query_method_type(const struct type *of, struct str name) {
    name = lower_sync_name(name);
    if (STR_IS_ONE_OF(name, "get", "first", "last", "latest", "earliest", "create")) {
        struct type row = type_of_model(TYPE_ROW, of->model);
        row.is_null = STR_IS_ONE_OF(name, "first", "last");
        return row;
    }
    if (STR_IS_ONE_OF(name, "get_or_create", "update_or_create"))
        return type_of_model(TYPE_PAIR, of->model);
    if (STR_IS_ONE_OF(name, "all", "filter", "exclude", "order_by", "annotate", "alias", "distinct", "select_related",
                  "prefetch_related", "only", "defer", "reverse", "using", "none", "union", "intersection",
                  "difference", "select_for_update", "complex_filter", "iterator", "extra", "get_queryset", "_clone",
                  "db_manager", "get_query_set"))
        return *of;
    if (STR_IS_ONE_OF(name, "count", "exists", "update", "delete", "aggregate", "values", "values_list", "in_bulk",
                  "add", "remove", "set", "clear", "bulk_update", "dates", "datetimes"))
        return type_plain();
    return str_is(name, "bulk_create") ? type_of_model(TYPE_ROWS, of->model) : type_unknown();
}

static struct type argument(struct typer *typer, struct scope *scope, const struct py_node *call, uint32_t i) {
    return i < call->Call.args.count ? type_of(typer, scope, call->Call.args.items[i]) : type_unknown();
}

static struct type rows_or_plain(struct type of) {
    if (of.kind != TYPE_QUERY && of.kind != TYPE_ROWS)
        return type_plain();
    struct type rows = type_of_model(TYPE_ROWS, of.model);
    rows.is_new = of.is_new;
    return rows;
}

static struct type builtin_type(struct typer *typer, struct scope *scope, const struct py_node *call, struct str name) {
    struct type of = argument(typer, scope, call, 0);
    bool is_many = of.kind == TYPE_QUERY || of.kind == TYPE_ROWS;
    if (STR_IS_ONE_OF(name, "list", "sorted", "set", "tuple", "reversed", "frozenset", "iter"))
        return rows_or_plain(of);
    if (str_is(name, "filter"))
        return rows_or_plain(argument(typer, scope, call, 1));
    if (str_is(name, "next") || (STR_IS_ONE_OF(name, "min", "max") && is_many && call->Call.args.count == 1))
        return is_many ? type_of_model(TYPE_ROW, of.model) : type_unknown();
    if (str_is(name, "type"))
        return of.kind == TYPE_ROW ? type_of_model(TYPE_MODEL, of.model) : type_unknown();
    struct str text;
    if (str_is(name, "getattr") && call->Call.args.count > 1 && of.kind != TYPE_NONE &&
        constant_text(typer->facts, scope->module, call->Call.args.items[1], &text)) {
        struct type type = type_of_attribute(typer, &of, text);
        if (call->Call.args.count > 2)
            type_merge(&type, argument(typer, scope, call, 2));
        return type;
    }
    if (STR_IS_ONE_OF(name, "str", "int", "float", "len", "bool", "repr", "abs", "sum", "dict", "hasattr", "isinstance",
                  "round", "range", "format", "print", "open", "bytes", "hash", "id", "any", "all", "ord", "chr"))
        return type_plain();
    return type_unknown();
}

static struct type outside_type(struct typer *typer, struct scope *scope, const struct py_node *call,
                                struct str dotted) {
    struct str last = lower_last_part(dotted);
    struct type of = argument(typer, scope, call, 0);
    bool is_fetched = of.kind == TYPE_MODEL || of.kind == TYPE_QUERY;
    if (STR_IS_ONE_OF(last, "get_object_or_404", "aget_object_or_404"))
        return is_fetched ? type_of_model(TYPE_ROW, of.model) : type_unknown();
    if (STR_IS_ONE_OF(last, "get_list_or_404", "aget_list_or_404"))
        return is_fetched ? type_of_model(TYPE_ROWS, of.model) : type_unknown();
    if (str_is(dotted, "itertools.chain"))
        return rows_or_plain(of);
    if (str_is(dotted, "copy.copy") || str_is(dotted, "copy.deepcopy")) {
        of.is_new = true;
        return of;
    }
    bool is_class = last.len > 0 && last.ptr[0] >= 'A' && last.ptr[0] <= 'Z';
    bool is_model = str_ends(str_sub(dotted, 0, dotted.len - last.len), "models.");
    if (is_class && !is_model && is_plain_outside(dotted))
        return type_plain();
    static const char *const modules[] = {"json.", "logging.", "collections.", "datetime.", "django.utils.", "re.",
                                          "os.", "uuid.", "hashlib.", "urllib.", "time.", "random.", "math.",
                                          "django.urls.", "string.", "io.", "decimal.", "tempfile.", "requests."};
    for (size_t i = 0; i < LW_COUNT_OF(modules); i++)
        if (str_starts(dotted, modules[i]))
            return type_plain();
    return type_unknown();
}

/* A method that the project doesn't show, of something known. */
static struct type framework_method(struct typer *typer, const struct type *of, struct str name) {
    if (of->kind == TYPE_QUERY)
        return query_method_type(of, name);
    if (of->kind == TYPE_ROW && STR_IS_ONE_OF(name, "save", "delete", "refresh_from_db", "full_clean", "clean"))
        return type_plain();
    if (of->kind == TYPE_ROWS && STR_IS_ONE_OF(name, "pop"))
        return (struct type){.kind = TYPE_ROW, .model = of->model, .is_new = of->is_new};
    if (of->kind != TYPE_OBJECT)
        return type_unknown();
    if (str_is(name, "get_context_data"))
        return type_plain();
    if (!str_is(name, "get_object") && !str_is(name, "get_queryset"))
        return type_unknown();
    struct type query = view_query(typer, of);
    return str_is(name, "get_queryset") || query.kind != TYPE_QUERY ? query
                                                                    : type_of_model(TYPE_ROW, query.model);
}

struct type type_of_call(struct typer *typer, struct scope *scope, const struct py_node *call) {
    const struct py_node *func = call->Call.func;
    struct model *model = model_of_call(typer->facts, scope->module, call);
    if (model != NULL)
        return type_of_model(TYPE_MODEL, model);
    struct symbol symbol = {0};
    if (func->kind == PY_Name || func->kind == PY_Attribute)
        symbol = type_symbol(typer, scope, func);
    if (symbol.kind == SYMBOL_EXTERNAL)
        return outside_type(typer, scope, call, symbol.dotted);
    if (symbol.kind == SYMBOL_NONE && func->kind == PY_Name && is_global(scope, func))
        return builtin_type(typer, scope, call, func->Name.id);
    /* What stands before the dot is looked at once: chains are long. */
    struct type of = type_unknown(), callee;
    bool is_method = func->kind == PY_Attribute && symbol.kind == SYMBOL_NONE && !is_super(func);
    if (is_method)
        of = type_of(typer, scope, func->Attribute.value);
    callee = is_method ? type_of_attribute(typer, &of, func->Attribute.attr) : callee_type(typer, scope, func);
    if (callee.kind == TYPE_METHOD)
        return type_of_return(typer, callee.func, callee.self);
    if (callee.kind == TYPE_MODEL || callee.kind == TYPE_CLASS) {
        struct type made = callee;
        made.kind = callee.kind == TYPE_MODEL ? TYPE_ROW : TYPE_OBJECT;
        made.is_new = true;
        return made;
    }
    if (func->kind != PY_Attribute)
        return type_unknown();
    if (is_super(func) && scope->func != NULL)
        of = own_self(typer, scope);
    return framework_method(typer, &of, func->Attribute.attr);
}

/* The only method of that name, of something that isn't known. */
static bool is_only_one(struct typer *typer, const struct py_func *func) {
    const struct func_list *list = map_get(&typer->facts->func_by_name, func->name);
    return list != NULL && list->items.count == 1 && func->owner != NULL && !lower_is_plain_read(func->name) &&
           !lower_is_write(func->name);
}

bool type_is_call_of(struct typer *typer, const struct call_site *site, const struct py_func *func,
                     uint32_t *first) {
    const struct py_node *callee = site->call->Call.func;
    struct scope *scope = type_scope(typer, site->caller, NULL);
    struct py_class *where;
    if (site->is_task)
        callee = callee->Attribute.value;
    struct type type = callee_type(typer, scope, callee);
    bool is_bound = func->owner != NULL && !func_is_decorated(func, "staticmethod");
    *first = is_bound;
    if (type.kind == TYPE_MODEL || type.kind == TYPE_CLASS) {
        struct py_class *class_ = type.kind == TYPE_MODEL ? type.model->class_ : type.class_;
        const struct binding *init = class_find(typer->facts, class_, STR("__init__"), &where);
        return init != NULL && init->kind == BIND_FUNC && init->func == func;
    }
    if (type.kind == TYPE_METHOD) {
        if (type.func == func)
            *first = is_bound && type.self != NULL;
        return type.func == func ||
               (func->owner != NULL && type.func->owner != NULL && str_equal(type.func->name, func->name) &&
                types_are_related(typer->facts, type.func->owner, func->owner));
    }
    return callee->kind == PY_Attribute && type.kind == TYPE_NONE && is_only_one(typer, func);
}

struct type type_of_member(struct django_facts *facts, struct py_class *class_, struct str name) {
    return type_of_given(facts->typer, class_, name);
}

struct type type_of_request_member(struct django_facts *facts, struct str name) {
    return request_member(facts->typer, name);
}

bool type_of_set_manager(struct django_facts *facts, const struct model *model, struct str name, struct str *manager) {
    const struct attribute_sites *sites = map_get(&facts->type_index->attributes, name);
    bool is_found = false;
    for (size_t i = 0; sites != NULL && i < sites->items.count; i++) {
        const struct attribute_site *site = &sites->items.items[i];
        struct scope *scope = type_scope(facts->typer, site->func, NULL);
        struct type of = type_of(facts->typer, scope, site->of);
        if (of.kind != TYPE_MODEL || of.model != model)
            continue;
        if (is_found || site->value == NULL || site->value->kind != PY_Attribute)
            return false;
        struct type value = type_of(facts->typer, scope, site->value);
        is_found = value.kind == TYPE_QUERY && value.model == model;
        *manager = site->value->Attribute.attr;
    }
    return is_found;
}

bool type_is_ever_given(const struct django_facts *facts, struct str name) {
    return map_has(&facts->type_index->attributes, name);
}
