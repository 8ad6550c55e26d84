/* The types of expressions, by types.h: what is asked for is looked at once and kept. Something that hangs on itself adds
 * nothing to itself. */
#include "django/types.h"

#include "base/assert.h"
#include "django/model_meta.h"
#include "django/orm.h"
#include "django/roots.h"
#include "django/signal.h"
#include "django/type_call.h"
#include "django/values.h"

enum { TYPE_DEPTH_MAX = 80 };

struct type type_unknown(void) {
    return (struct type){.is_open = true};
}

struct type type_plain(void) {
    return (struct type){.kind = TYPE_PLAIN};
}

struct type type_of_model(enum type_kind kind, struct model *model) {
    if (model == NULL || model->is_abstract || model->table < 0)
        return type_unknown();
    return (struct type){.kind = kind, .model = model};
}

struct type type_of_class(struct typer *typer, struct py_class *class_, bool is_object) {
    struct model *model = class_model(typer->facts, class_);
    if (model != NULL)
        return type_of_model(is_object ? TYPE_ROW : TYPE_MODEL, model);
    return (struct type){.kind = is_object ? TYPE_OBJECT : TYPE_CLASS, .class_ = class_};
}

void type_merge(struct type *to, struct type more) {
    struct type flags = {.is_null = to->is_null || more.is_null,
                         .is_open = to->is_open || more.is_open,
                         .is_new = to->is_new || more.is_new};
    bool is_many = (to->kind == TYPE_QUERY || to->kind == TYPE_ROWS) &&
                   (more.kind == TYPE_QUERY || more.kind == TYPE_ROWS);
    if (to->kind == TYPE_NONE || (to->kind == TYPE_PLAIN && more.kind == TYPE_ROWS)) {
        *to = more; /* ROWS: a list that is empty first */
    } else if (more.kind == TYPE_NONE || (to->kind == TYPE_ROWS && more.kind == TYPE_PLAIN)) {
        /* as it was */
    } else if (is_many && to->model == more.model) {
        to->kind = to->kind == more.kind ? to->kind : TYPE_ROWS;
        to->class_ = to->class_ == more.class_ ? to->class_ : NULL;
    } else if (to->kind != more.kind || to->model != more.model || to->class_ != more.class_ ||
               to->func != more.func) {
        to->kind = TYPE_MIXED;
    }
    to->is_null = flags.is_null;
    to->is_open = flags.is_open;
    to->is_new = flags.is_new;
}

bool types_are_related(const struct django_facts *facts, const struct py_class *a, const struct py_class *b) {
    const struct class_heirs *of_a = type_find(&facts->type_index->heirs, a);
    const struct class_heirs *of_b = type_find(&facts->type_index->heirs, b);
    if (a == b || of_a == NULL || of_b == NULL)
        return true;
    for (size_t i = 0; i < of_a->items.count; i++)
        for (size_t j = 0; j < of_b->items.count; j++)
            if (of_a->items.items[i] == of_b->items.items[j])
                return true;
    return false;
}

struct scope_key {
    const struct py_func *func;
    const struct model *model;
    const struct py_class *class_;
    uintptr_t kind;
};

struct scope *type_scope(struct typer *typer, struct py_func *func, const struct type *self) {
    struct scope_key key = {.func = func};
    if (self != NULL && func->owner != NULL)
        key = (struct scope_key){func, self->model, self->class_, self->kind};
    struct str text = {(const char *)&key, sizeof(key)};
    struct scope *scope = map_get(&typer->scopes, text);
    if (scope != NULL)
        return scope;
    scope = ARENA_NEW(typer->facts->arena, struct scope);
    scope->func = func;
    scope->module = func->module;
    scope->body = type_find(&typer->facts->type_index->bodies, func);
    if (self != NULL)
        scope->self = arena_copy(typer->facts->arena, self, sizeof(*self));
    map_init(&scope->locals, typer->facts->arena);
    map_put(&typer->scopes,
            (struct str){arena_copy(typer->facts->arena, &key, sizeof(key)), sizeof(key)}, scope);
    return scope;
}

/* The first of the classes below it that is a model with a table, or that the project has none below. */
static struct py_class *concrete(struct typer *typer, struct py_class *class_, bool is_model) {
    const struct class_heirs *heirs = type_find(&typer->facts->type_index->heirs, class_);
    for (size_t i = 0; heirs != NULL && i < heirs->items.count; i++) {
        struct model *model = class_model(typer->facts, heirs->items.items[i]);
        if (is_model ? model != NULL && !model->is_abstract && model->table >= 0 : model == NULL)
            return heirs->items.items[i];
    }
    return NULL;
}

static bool is_query_class(struct typer *typer, struct py_class *class_) {
    return class_has_external_base(typer->facts, class_, "Manager") ||
           class_has_external_base(typer->facts, class_, "QuerySet");
}

/* Of the first parameter of a method that is looked at by itself. */
static struct type self_type(struct typer *typer, const struct py_func *func) {
    struct py_class *owner = func->owner;
    bool is_class = func_is_decorated(func, "classmethod");
    if (class_model(typer->facts, owner) != NULL) {
        struct py_class *class_ = concrete(typer, owner, true);
        return class_ != NULL ? type_of_class(typer, class_, !is_class) : type_unknown();
    }
    if (is_query_class(typer, owner)) {
        struct type type = type_of_model(TYPE_QUERY, manager_model(typer->facts, owner));
        type.class_ = owner;
        return type;
    }
    return (struct type){.kind = is_class ? TYPE_CLASS : TYPE_OBJECT, .class_ = owner};
}

/* Of what an annotation says. */
/* One of a class of the project's: its own requests are requests. */
static struct type type_of_instance(struct typer *typer, struct py_class *class_) {
    bool is_request = class_has_external_base(typer->facts, class_, "HttpRequest") ||
                      class_has_external_base(typer->facts, class_, "request.Request");
    return is_request ? (struct type){.kind = TYPE_REQUEST} : type_of_class(typer, class_, true);
}

static struct type annotated(struct typer *typer, struct module *module, const struct py_node *node, int depth) {
    static const char *const plain[] = {"str", "int", "bool", "float", "bytes", "dict", "Decimal", "UUID",
                                        "datetime", "date", "Dict", "Mapping"};
    struct str text;
    if (node == NULL || depth > 6)
        return type_unknown();
    if (node->kind == PY_BinOp) {
        struct type type = annotated(typer, module, node->BinOp.left, depth + 1);
        type_merge(&type, annotated(typer, module, node->BinOp.right, depth + 1));
        return type;
    }
    if (node->kind == PY_Constant && node->constant == PY_CONST_None)
        return (struct type){.is_null = true};
    if (node->kind == PY_Constant) {
        bool is_model = constant_text(typer->facts, module, node, &text);
        struct symbol symbol = is_model ? symbol_resolve(typer->facts, module, text) : (struct symbol){0};
        if (symbol.kind == SYMBOL_CLASS)
            return type_of_instance(typer, symbol.class_);
        return is_model ? type_of_model(TYPE_ROW, model_named(typer->facts, NULL, text)) : type_unknown();
    }
    if (node->kind == PY_Subscript) {
        struct type of = annotated(typer, module, node->Subscript.slice, depth + 1);
        const struct py_node *outer = node->Subscript.value;
        struct str name = outer->kind == PY_Name        ? outer->Name.id
                          : outer->kind == PY_Attribute ? outer->Attribute.attr
                                                        : STR("");
        if (str_is(name, "Optional") || str_is(name, "Annotated"))
            return of;
        if (of.kind == TYPE_ROW && str_ends(name, "QuerySet"))
            return type_of_model(TYPE_QUERY, of.model);
        return of.kind == TYPE_ROW && !str_is(name, "Type") && !str_is(name, "type")
                   ? type_of_model(TYPE_ROWS, of.model)
                   : type_unknown();
    }
    struct symbol symbol = symbol_of_expr(typer->facts, module, node);
    if (symbol.kind == SYMBOL_CLASS)
        return type_of_instance(typer, symbol.class_);
    struct str last = symbol.kind == SYMBOL_EXTERNAL ? lower_last_part(symbol.dotted)
                      : node->kind == PY_Name        ? node->Name.id
                                                     : STR("");
    if (str_ends(last, "HttpRequest") || str_is(last, "Request") || str_is(last, "WSGIRequest"))
        return (struct type){.kind = TYPE_REQUEST};
    for (size_t i = 0; i < LW_COUNT_OF(plain); i++)
        if (str_is(last, plain[i]))
            return type_plain();
    return type_unknown();
}

/* What the framework gives a method of a class that is there for one model: the admin's, a serializer's. */
static struct type framework_param(struct typer *typer, struct scope *scope, struct str name, size_t place) {
    static const char *const with_row[] = {"save_model", "delete_model", "response_change", "response_add"};
    struct django_facts *facts = typer->facts;
    struct py_func *func = scope->func;
    for (size_t i = 0; i < facts->receivers.count; i++) {
        const struct receiver *receiver = &facts->receivers.items[i];
        if (receiver->func == func && receiver->sender != NULL && str_is(name, "instance"))
            return type_of_model(TYPE_ROW, receiver->sender);
        if (receiver->func == func && receiver->sender != NULL && str_is(name, "sender"))
            return type_of_model(TYPE_MODEL, receiver->sender);
    }
    for (size_t i = 0; func->owner != NULL && i < facts->funcs.count; i++) {
        const struct admin *admin = facts->funcs.items[i]->admin;
        if (admin == NULL || admin->is_view || admin->class_ != func->owner)
            continue;
        bool has_row = place == 1 && func->node->FunctionDef.args->arguments.args.count == 2;
        for (size_t k = 0; place == 2 && k < LW_COUNT_OF(with_row); k++)
            has_row |= str_is(func->name, with_row[k]);
        if (has_row && !str_is(name, "request"))
            return type_of_model(TYPE_ROW, admin->model);
        if (place == 2 && str_is(name, "queryset"))
            return type_of_model(TYPE_QUERY, admin->model);
    }
    return (struct type){0};
}

/* The place of a parameter among posonlyargs and args; -1: none. `otherwise` gets its default or NULL. */
static int param_place(const struct py_func *func, struct str name, const struct py_node **arg,
                       const struct py_node **otherwise) {
    const struct py_node *node = func->node->FunctionDef.args;
    struct py_list only = node->arguments.posonlyargs, plain = node->arguments.args;
    struct py_list defaults = node->arguments.defaults, named = node->arguments.kwonlyargs;
    uint32_t count = only.count + plain.count;
    *arg = *otherwise = NULL;
    for (uint32_t i = 0; i < count; i++) {
        const struct py_node *one = i < only.count ? only.items[i] : plain.items[i - only.count];
        if (!str_equal(one->arg.arg, name))
            continue;
        *arg = one;
        *otherwise = i + defaults.count >= count ? defaults.items[i + defaults.count - count] : NULL;
        return (int)i;
    }
    for (uint32_t i = 0; i < named.count; i++)
        if (str_equal(named.items[i]->arg.arg, name)) {
            *arg = named.items[i];
            *otherwise = node->arguments.kw_defaults.items[i];
        }
    return -1;
}

/* What the calls that are known to be of the function give it. */
static struct type called_with(struct typer *typer, struct scope *scope, struct str name, int place) {
    struct py_func *func = scope->func;
    struct str called = str_is(func->name, "__init__") ? func->owner->name : func->name;
    const struct call_sites *sites = map_get(&typer->facts->type_index->calls, called);
    struct type type = {0};
    for (size_t i = 0; sites != NULL && i < sites->items.count; i++) {
        const struct call_site *site = &sites->items.items[i];
        const struct py_node *call = site->call, *given = NULL;
        uint32_t first;
        if (!type_is_call_of(typer, site, func, &first))
            continue;
        for (uint32_t k = 0; k < call->Call.keywords.count; k++)
            if (str_equal(call->Call.keywords.items[k]->keyword.arg, name))
                given = call->Call.keywords.items[k]->keyword.value;
        uint32_t at = (uint32_t)place - first;
        if (given == NULL && place >= (int)first && at < call->Call.args.count)
            given = call->Call.args.items[at];
        for (uint32_t k = 0; k < call->Call.args.count && given != NULL; k++)
            if (call->Call.args.items[k]->kind == PY_Starred && k <= at)
                given = NULL;
        if (given != NULL)
            type_merge(&type, type_of(typer, type_scope(typer, site->caller, NULL), given));
        else
            type.is_open = true;
    }
    return type;
}

static struct type param_type(struct typer *typer, struct scope *scope, struct str name) {
    struct py_func *func = scope->func;
    const struct py_node *arg, *otherwise;
    int place = param_place(func, name, &arg, &otherwise);
    bool is_method = func->owner != NULL && !func_is_decorated(func, "staticmethod");
    if (is_method && place == 0)
        return scope->self != NULL ? *scope->self : self_type(typer, func);
    struct type type = annotated(typer, scope->module, arg->arg.annotation, 0);
    if (type.kind != TYPE_NONE)
        return type;
    if (str_is(name, "request") && place == (is_method ? 1 : 0))
        return (struct type){.kind = TYPE_REQUEST};
    type = framework_param(typer, scope, name, (size_t)(place < 0 ? 0 : place));
    if (type.kind != TYPE_NONE)
        return type;
    if (!lower_is_plain_read(func->name) && !lower_is_write(func->name))
        type = called_with(typer, scope, name, place);
    if (otherwise != NULL)
        type_merge(&type, type_of(typer, type_scope(typer, func, scope->self), otherwise));
    return type;
}

/* Of what goes through something, one by one. */
static struct type element_of(struct type of) {
    if (of.kind == TYPE_QUERY || of.kind == TYPE_ROWS)
        return (struct type){.kind = TYPE_ROW, .model = of.model, .is_new = of.is_new};
    return type_unknown();
}

static struct type element_type(struct typer *typer, struct scope *scope, const struct bound_site *site) {
    const struct py_node *iter = site->node;
    bool is_call = iter->kind == PY_Call && iter->Call.func->kind == PY_Name;
    if (is_call && str_is(iter->Call.func->Name.id, "enumerate") && iter->Call.args.count > 0) {
        if (site->index == 0)
            return type_plain();
        if (site->index == 1)
            return element_of(type_of(typer, scope, iter->Call.args.items[0]));
    }
    if (is_call && str_is(iter->Call.func->Name.id, "zip") && site->index >= 0 &&
        (uint32_t)site->index < iter->Call.args.count)
        return element_of(type_of(typer, scope, iter->Call.args.items[site->index]));
    if (is_call && str_is(iter->Call.func->Name.id, "range"))
        return type_plain();
    return site->index < 0 ? element_of(type_of(typer, scope, iter)) : type_unknown();
}

static struct type part_type(struct typer *typer, struct scope *scope, const struct py_node *node, int index) {
    if (node->kind == PY_Tuple)
        return (uint32_t)index < node->Tuple.elts.count
                   ? type_of(typer, scope, node->Tuple.elts.items[index])
                   : type_unknown();
    struct type of = type_of(typer, scope, node);
    if (of.kind == TYPE_PAIR)
        return index == 0 ? type_of_model(TYPE_ROW, of.model) : type_plain();
    struct py_func *func = NULL;
    const struct type *self = NULL;
    if (node->kind == PY_Call && of.kind != TYPE_ROW)
        func = type_callee(typer, scope, node, &self);
    const struct scope *inner = func != NULL ? type_scope(typer, func, self) : NULL;
    struct type type = {0};
    bool is_tuple = inner != NULL && inner->body != NULL && inner->body->returned.count > 0;
    for (size_t i = 0; is_tuple && i < inner->body->returned.count; i++) {
        const struct py_node *value = inner->body->returned.items[i];
        if (value->kind == PY_Tuple && (uint32_t)index < value->Tuple.elts.count)
            type_merge(&type, type_of(typer, type_scope(typer, func, self), value->Tuple.elts.items[index]));
        else
            type.is_open = true;
    }
    return is_tuple ? type : type_unknown();
}

static struct type site_type(struct typer *typer, struct scope *scope, struct str name,
                             const struct bound_site *site) {
    switch (site->bound) {
    case BOUND_VALUE:
        return type_of(typer, scope, site->node);
    case BOUND_ELEMENT:
        return element_type(typer, scope, site);
    case BOUND_PART:
        return part_type(typer, scope, site->node, site->index);
    case BOUND_PARAM:
        return param_type(typer, scope, name);
    case BOUND_IMPORT: {
        struct py_node *items[] = {(struct py_node *)(uintptr_t)site->node};
        struct module *local =
            module_local_imports(typer->facts, scope->module, (struct py_list){items, 1});
        return type_of_symbol(typer, symbol_resolve(typer->facts, local, name));
    }
    default:
        return type_unknown();
    }
}

static struct type local_type(struct typer *typer, struct scope *scope, struct str name,
                              const struct bound_sites *sites) {
    struct type_memo *memo = map_get(&scope->locals, name);
    if (memo != NULL)
        return memo->type;
    memo = ARENA_NEW(typer->facts->arena, struct type_memo);
    map_put(&scope->locals, name, memo);
    struct type type = {0}, more = {0};
    for (size_t i = 0; i < sites->items.count; i++) {
        const struct bound_site *site = &sites->items.items[i];
        if (site->bound != BOUND_APPENDED)
            type_merge(&type, site_type(typer, scope, name, site));
        else if (type.kind == TYPE_PLAIN || type.kind == TYPE_ROWS)
            type_merge(&more, type_of(typer, scope, site->node));
    }
    if (more.kind == TYPE_ROW) {
        struct type rows = type_of_model(TYPE_ROWS, more.model);
        rows.is_new = more.is_new;
        type_merge(&type, rows);
    }
    memo->type = type;
    return type;
}

static struct type name_type(struct typer *typer, struct scope *scope, struct str name) {
    const struct bound_sites *sites = scope->body != NULL ? map_get(&scope->body->names, name) : NULL;
    if (sites != NULL)
        return local_type(typer, scope, name, sites);
    return type_of_symbol(typer, symbol_resolve(typer->facts, scope->module, name));
}

/* A list or the like of these. */
static struct type list_type(struct typer *typer, struct scope *scope, struct py_list elts) {
    struct type type = {0};
    for (uint32_t i = 0; i < elts.count; i++)
        type_merge(&type, type_of(typer, scope, elts.items[i]));
    if (type.kind != TYPE_ROW || type.is_open)
        return type_plain();
    struct type rows = type_of_model(TYPE_ROWS, type.model);
    rows.is_new = type.is_new;
    return rows;
}

static struct type subscript_type(struct typer *typer, struct scope *scope, const struct py_node *node) {
    struct type of = type_of(typer, scope, node->Subscript.value);
    const struct py_node *slice = node->Subscript.slice;
    if (of.kind == TYPE_QUERY || of.kind == TYPE_ROWS)
        return slice->kind == PY_Slice ? of : element_of(of);
    if (of.kind == TYPE_PAIR && slice->kind == PY_Constant && slice->constant == PY_CONST_Int)
        return str_is(slice->Constant.text, "0") ? type_of_model(TYPE_ROW, of.model) : type_plain();
    return type_unknown();
}

static struct type each_type(struct typer *typer, struct scope *scope, const struct py_node *node) {
    struct py_node *items[2] = {NULL, NULL};
    struct py_list list = {items, 2};
    switch (node->kind) {
    case PY_BoolOp:
        list = node->BoolOp.values;
        break;
    case PY_IfExp:
        items[0] = node->IfExp.body;
        items[1] = node->IfExp.orelse;
        break;
    default: /* BinOp */
        items[0] = node->BinOp.left;
        items[1] = node->BinOp.right;
    }
    struct type type = {0};
    for (uint32_t i = 0; i < list.count; i++)
        type_merge(&type, type_of(typer, scope, list.items[i]));
    return type;
}

static struct type node_type(struct typer *typer, struct scope *scope, const struct py_node *node) {
    struct type type;
    switch (node->kind) {
    case PY_Name:
        return name_type(typer, scope, node->Name.id);
    case PY_Attribute: {
        struct symbol symbol = type_symbol(typer, scope, node);
        if (symbol.kind != SYMBOL_NONE)
            return type_of_symbol(typer, symbol);
        type = type_of(typer, scope, node->Attribute.value);
        if (type.kind == TYPE_NONE || type.kind == TYPE_MIXED)
            return type_unknown();
        return type_of_attribute(typer, &type, node->Attribute.attr);
    }
    case PY_Call:
        return type_of_call(typer, scope, node);
    case PY_Subscript:
        return subscript_type(typer, scope, node);
    case PY_Constant:
        return node->constant == PY_CONST_None ? (struct type){.is_null = true} : type_plain();
    case PY_BoolOp:
    case PY_IfExp:
        return each_type(typer, scope, node);
    case PY_BinOp:
        type = each_type(typer, scope, node);
        return type.kind == TYPE_QUERY || type.kind == TYPE_ROWS ? type : type_plain();
    case PY_NamedExpr:
        return type_of(typer, scope, node->NamedExpr.value);
    case PY_Await:
        return type_of(typer, scope, node->Await.value);
    case PY_List:
        return list_type(typer, scope, node->List.elts);
    case PY_Set:
        return list_type(typer, scope, node->Set.elts);
    case PY_Tuple:
        return list_type(typer, scope, node->Tuple.elts);
    case PY_ListComp:
        return list_type(typer, scope, (struct py_list){(struct py_node *[]){node->ListComp.elt}, 1});
    case PY_SetComp:
        return list_type(typer, scope, (struct py_list){(struct py_node *[]){node->SetComp.elt}, 1});
    case PY_GeneratorExp:
        return list_type(typer, scope, (struct py_list){(struct py_node *[]){node->GeneratorExp.elt}, 1});
    case PY_Dict:
    case PY_DictComp:
    case PY_JoinedStr:
    case PY_Compare:
    case PY_UnaryOp:
        return type_plain();
    default:
        return type_unknown();
    }
}

struct type type_of(struct typer *typer, struct scope *scope, const struct py_node *node) {
    if (typer->depth >= TYPE_DEPTH_MAX)
        return type_unknown();
    typer->depth++;
    struct type type = node_type(typer, scope, node);
    typer->depth--;
    return type;
}

/* At the top of a module, or in the body of a class. */
struct type type_at_top(struct typer *typer, struct module *module, const struct py_node *node) {
    struct scope top = {.module = module};
    return type_of(typer, &top, node);
}

struct type type_of_return(struct typer *typer, struct py_func *func, const struct type *self) {
    struct scope *scope = type_scope(typer, func, self);
    if (scope->is_returned)
        return scope->returned;
    scope->is_returned = true;
    struct type type = annotated(typer, scope->module, func->node->FunctionDef.returns, 0);
    if (scope->body == NULL || type.kind != TYPE_NONE) {
        scope->returned = type;
        return type;
    }
    type = (struct type){0};
    for (size_t i = 0; i < scope->body->returned.count && scope->body->yielded.count == 0; i++)
        type_merge(&type, type_of(typer, scope, scope->body->returned.items[i]));
    for (size_t i = 0; i < scope->body->yielded.count; i++)
        type_merge(&type, type_of(typer, scope, scope->body->yielded.items[i]));
    if (scope->body->yielded.count > 0)
        type = type.kind == TYPE_ROW ? type_of_model(TYPE_ROWS, type.model) : type_unknown();
    scope->returned = type;
    return type;
}

static void keep(struct typer *typer, struct map *map, const void *key, struct type type) {
    if (type.kind == TYPE_NONE || type.kind == TYPE_MIXED)
        return;
    map_put(map, type_key(typer->facts->arena, key), arena_copy(typer->facts->arena, &type, sizeof(type)));
}

static void find_params(struct typer *typer, struct py_func *func) {
    const struct py_node *node = func->node->FunctionDef.args;
    struct py_list lists[] = {node->arguments.posonlyargs, node->arguments.args, node->arguments.kwonlyargs};
    for (size_t k = 0; k < LW_COUNT_OF(lists); k++)
        for (uint32_t i = 0; i < lists[k].count; i++)
            keep(typer, &typer->facts->param_types, lists[k].items[i],
                 param_type(typer, type_scope(typer, func, NULL), lists[k].items[i]->arg.arg));
}

void types_build(struct django_facts *facts) {
    struct typer *typer = ARENA_NEW(facts->arena, struct typer);
    facts->type_index = type_index_build(facts);
    facts->typer = typer;
    typer->facts = facts;
    map_init(&typer->scopes, facts->arena);
    map_init(&typer->members, facts->arena);
    map_init(&facts->param_types, facts->arena);
    map_init(&facts->receiver_types, facts->arena);
    for (size_t i = 0; i < facts->funcs.count; i++) {
        struct py_func *func = facts->funcs.items[i];
        const struct type_body *body = type_find(&facts->type_index->bodies, func);
        if (body == NULL)
            continue;
        find_params(typer, func);
        for (size_t k = 0; k < body->attributes.count; k++) {
            const struct py_node *node = body->attributes.items[k];
            keep(typer, &facts->receiver_types, node,
                 type_of(typer, type_scope(typer, func, NULL), node->Attribute.value));
        }
    }
}

const struct type *type_of_param(const struct django_facts *facts, const struct py_node *arg) {
    return type_find(&facts->param_types, arg);
}

const struct type *type_of_receiver(const struct django_facts *facts, const struct py_node *attribute) {
    return type_find(&facts->receiver_types, attribute);
}
