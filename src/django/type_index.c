/* What types.c goes by: who calls what, which attributes are set where, what the names of a function are bound to. */
#include "base/assert.h"
#include "django/types.h"

struct indexer {
    struct django_facts *facts;
    struct type_index *index;
    struct py_func *func;
    struct type_body *body;
    uint32_t nested; /* functions within the function */
};

struct str type_key(struct arena *arena, const void *pointer) {
    return (struct str){arena_copy(arena, &pointer, sizeof(pointer)), sizeof(pointer)};
}

void *type_find(const struct map *map, const void *pointer) {
    return map_get(map, (struct str){(const char *)&pointer, sizeof(pointer)});
}

struct heir_scan {
    struct indexer *indexer;
    struct py_class *heir;
};

static bool add_heir(void *context, struct py_class *class_, struct str dotted) {
    struct heir_scan *scan = context;
    struct indexer *x = scan->indexer;
    (void)dotted;
    if (class_ == NULL)
        return false;
    struct class_heirs *heirs = type_find(&x->index->heirs, class_);
    if (heirs == NULL) {
        heirs = ARENA_NEW(x->facts->arena, struct class_heirs);
        map_put(&x->index->heirs, type_key(x->facts->arena, class_), heirs);
    }
    if (heirs->items.count == 0 || heirs->items.items[heirs->items.count - 1] != scan->heir)
        VEC_PUSH(x->facts->arena, &heirs->items, scan->heir);
    return false;
}

static void bind_name(struct indexer *x, struct str name, enum bound bound, const struct py_node *node, int index) {
    struct bound_sites *sites = map_get(&x->body->names, name);
    if (sites == NULL) {
        sites = ARENA_NEW(x->facts->arena, struct bound_sites);
        map_put(&x->body->names, name, sites);
    }
    VEC_PUSH(x->facts->arena, &sites->items, (struct bound_site){bound, node, index});
}

static void bind_attribute(struct indexer *x, const struct py_node *target, const struct py_node *value) {
    struct attribute_sites *sites = map_get(&x->index->attributes, target->Attribute.attr);
    if (sites == NULL) {
        sites = ARENA_NEW(x->facts->arena, struct attribute_sites);
        map_put(&x->index->attributes, target->Attribute.attr, sites);
    }
    VEC_PUSH(x->facts->arena, &sites->items,
             (struct attribute_site){x->func, target->Attribute.value, value});
}

static void bind_target(struct indexer *x, const struct py_node *target, enum bound bound,
                        const struct py_node *node, int index) {
    if (target->kind == PY_Name) {
        bind_name(x, target->Name.id, bound, node, index);
    } else if (target->kind == PY_Attribute) {
        bind_attribute(x, target, bound == BOUND_VALUE ? node : NULL);
    } else if (target->kind == PY_Tuple || target->kind == PY_List) {
        struct py_list elts = target->kind == PY_Tuple ? target->Tuple.elts : target->List.elts;
        bool is_part = index < 0 && (bound == BOUND_VALUE || bound == BOUND_ELEMENT);
        for (uint32_t i = 0; i < elts.count; i++)
            bind_target(x, elts.items[i],
                        !is_part ? BOUND_OTHER : bound == BOUND_VALUE ? BOUND_PART : BOUND_ELEMENT, node,
                        (int)i);
    } else if (target->kind == PY_Starred) {
        bind_target(x, target->Starred.value, BOUND_OTHER, NULL, -1);
    }
}

static void bind_params(struct indexer *x, const struct py_node *arguments) {
    struct py_list lists[] = {arguments->arguments.posonlyargs, arguments->arguments.args,
                              arguments->arguments.kwonlyargs};
    enum bound bound = x->nested == 0 ? BOUND_PARAM : BOUND_OTHER;
    for (size_t k = 0; k < LW_COUNT_OF(lists); k++)
        for (uint32_t i = 0; i < lists[k].count; i++)
            bind_name(x, lists[k].items[i]->arg.arg, bound, lists[k].items[i], -1);
    if (arguments->arguments.vararg != NULL)
        bind_name(x, arguments->arguments.vararg->arg.arg, BOUND_OTHER, NULL, -1);
    if (arguments->arguments.kwarg != NULL)
        bind_name(x, arguments->arguments.kwarg->arg.arg, BOUND_OTHER, NULL, -1);
}

static void bind_imports(struct indexer *x, const struct py_node *node) {
    struct py_list names = node->kind == PY_Import ? node->Import.names : node->ImportFrom.names;
    for (uint32_t i = 0; i < names.count; i++) {
        const struct py_node *alias = names.items[i];
        struct str name = alias->alias.asname.ptr != NULL ? alias->alias.asname : alias->alias.name;
        bind_name(x, str_sub(name, 0, str_find(name, '.', 0)), BOUND_IMPORT, node, -1);
    }
}

static void add_site(struct indexer *x, struct str name, const struct py_node *call, bool is_task) {
    struct call_sites *sites = map_get(&x->index->calls, name);
    if (sites == NULL) {
        sites = ARENA_NEW(x->facts->arena, struct call_sites);
        map_put(&x->index->calls, name, sites);
    }
    VEC_PUSH(x->facts->arena, &sites->items, (struct call_site){x->func, call, is_task});
}

static struct str name_of(const struct py_node *node) {
    return node->kind == PY_Name        ? node->Name.id
           : node->kind == PY_Attribute ? node->Attribute.attr
                                        : (struct str){0};
}

static void index_call(struct indexer *x, const struct py_node *call) {
    const struct py_node *func = call->Call.func;
    struct str name = name_of(func);
    if (name.len == 0)
        return;
    add_site(x, name, call, false);
    if (func->kind != PY_Attribute)
        return;
    if (str_is(name, "delay") && name_of(func->Attribute.value).len > 0)
        add_site(x, name_of(func->Attribute.value), call, true);
    bool is_more = str_is(name, "append") || str_is(name, "add");
    if (is_more && func->Attribute.value->kind == PY_Name && call->Call.args.count == 1)
        bind_name(x, func->Attribute.value->Name.id, BOUND_APPENDED, call->Call.args.items[0], -1);
}

static void visit(const struct py_node *node, void *context);

static void visit_nested(struct indexer *x, const struct py_node *node) {
    if (node->kind != PY_Lambda)
        bind_name(x, node->FunctionDef.name, BOUND_OTHER, NULL, -1);
    x->nested++;
    py_visit_children(node, visit, x);
    x->nested--;
}

static void visit_return(struct indexer *x, const struct py_node *node) {
    if (x->nested > 0)
        return;
    if (node->kind == PY_Return && node->Return.value != NULL)
        VEC_PUSH(x->facts->arena, &x->body->returned, node->Return.value);
    if (node->kind == PY_Yield && node->Yield.value != NULL)
        VEC_PUSH(x->facts->arena, &x->body->yielded, node->Yield.value);
}

static void visit(const struct py_node *node, void *context) {
    struct indexer *x = context;
    switch (node->kind) {
    case PY_FunctionDef:
    case PY_AsyncFunctionDef:
    case PY_Lambda:
        visit_nested(x, node);
        return;
    case PY_arguments:
        bind_params(x, node);
        break;
    case PY_Assign:
        for (uint32_t i = 0; i < node->Assign.targets.count; i++)
            bind_target(x, node->Assign.targets.items[i], BOUND_VALUE, node->Assign.value, -1);
        break;
    case PY_AnnAssign:
        if (node->AnnAssign.value != NULL)
            bind_target(x, node->AnnAssign.target, BOUND_VALUE, node->AnnAssign.value, -1);
        break;
    case PY_NamedExpr:
        bind_target(x, node->NamedExpr.target, BOUND_VALUE, node->NamedExpr.value, -1);
        break;
    case PY_For:
        bind_target(x, node->For.target, BOUND_ELEMENT, node->For.iter, -1);
        break;
    case PY_AsyncFor:
        bind_target(x, node->AsyncFor.target, BOUND_ELEMENT, node->AsyncFor.iter, -1);
        break;
    case PY_comprehension:
        bind_target(x, node->comprehension.target, BOUND_ELEMENT, node->comprehension.iter, -1);
        break;
    case PY_withitem:
        if (node->withitem.optional_vars != NULL)
            bind_target(x, node->withitem.optional_vars, BOUND_OTHER, NULL, -1);
        break;
    case PY_ExceptHandler:
        if (node->ExceptHandler.name.ptr != NULL)
            bind_name(x, node->ExceptHandler.name, BOUND_OTHER, NULL, -1);
        break;
    case PY_MatchAs:
        if (node->MatchAs.name.ptr != NULL)
            bind_name(x, node->MatchAs.name, BOUND_OTHER, NULL, -1);
        break;
    case PY_Global:
        for (uint32_t i = 0; i < node->Global.names.count; i++)
            bind_name(x, node->Global.names.items[i], BOUND_OTHER, NULL, -1);
        break;
    case PY_Import:
    case PY_ImportFrom:
        bind_imports(x, node);
        break;
    case PY_Return:
    case PY_Yield:
        visit_return(x, node);
        break;
    case PY_Call:
        index_call(x, node);
        break;
    case PY_Attribute:
        VEC_PUSH(x->facts->arena, &x->body->attributes, node);
        break;
    default:
        break;
    }
    py_visit_children(node, visit, x);
}

struct type_index *type_index_build(struct django_facts *facts) {
    struct type_index *index = ARENA_NEW(facts->arena, struct type_index);
    struct indexer x = {.facts = facts, .index = index};
    map_init(&index->calls, facts->arena);
    map_init(&index->attributes, facts->arena);
    map_init(&index->heirs, facts->arena);
    map_init(&index->bodies, facts->arena);
    for (size_t i = 0; i < facts->classes.count; i++) {
        struct heir_scan scan = {&x, facts->classes.items[i]};
        class_walk(facts, facts->classes.items[i], add_heir, &scan);
    }
    for (size_t i = 0; i < facts->funcs.count; i++) {
        x.func = facts->funcs.items[i];
        if (x.func->node == NULL)
            continue;
        x.body = ARENA_NEW(facts->arena, struct type_body);
        map_init(&x.body->names, facts->arena);
        map_put(&index->bodies, type_key(facts->arena, x.func), x.body);
        py_visit_children(x.func->node, visit, &x);
    }
    return index;
}
