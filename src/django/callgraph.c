/* Which functions touch the ORM, and which are called: by names, before anything is lowered. Both are first
 * answers that lowering makes exact. */
#include "base/assert.h"
#include "django/facts.h"
#include "django/values.h"

#include "django/roots.h"

struct scan {
    struct django_facts *facts;
    struct py_func *func;
    bool has_verb, has_lock;
    VEC(struct str) called; /* simple names */
};

static bool is_orm_name(struct str name) {
    static const char *const names[] = {"objects", "select_for_update", "refresh_from_db", "save",
                                        "get_or_create", "update_or_create", "bulk_create",
                                        "bulk_update", "get_object_or_404", "get_list_or_404",
                                        "_default_manager", "get_object", "get_queryset", "cursor",
                                        "aggregate", "values_list", "form_valid", "perform_create",
                                        "perform_update", "perform_destroy"};
    for (size_t i = 0; i < LW_COUNT_OF(names); i++)
        if (str_is(name, names[i]))
            return true;
    return str_ends(name, "_set");
}

static bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}

/* select_for_update, or a name with the word "lock" in it: cache.lock, RLock, advisory_lock. */
static bool is_lock_name(struct str name) {
    for (size_t i = 0; i + 4 <= name.len; i++) {
        struct str word = str_sub(name, i, i + 4);
        bool is_word = str_is(word, "Lock") || str_is(word, "LOCK") ||
                       (str_is(word, "lock") && (i == 0 || !is_lower(name.ptr[i - 1])));
        if (is_word && (i + 4 == name.len || !is_lower(name.ptr[i + 4])))
            return true;
    }
    return str_is(name, "select_for_update");
}

void callgraph_add(struct django_facts *facts, size_t caller, const struct py_func *callee) {
    if (callee == NULL || callee->function < 0 || (size_t)callee->function == caller)
        return;
    struct django_function *function = &facts->project->functions.items[caller];
    for (size_t i = 0; i < function->calls.count; i++)
        if (function->calls.items[i] == (uint32_t)callee->function)
            return;
    VEC_PUSH(facts->arena, &function->calls, (uint32_t)callee->function);
}

/* A call whose callee can be told from names alone: f(), module.f(), self.f(), Class.f(). */
static void scan_call(struct scan *scan, const struct py_node *callee) {
    struct py_func *func = scan->func;
    struct symbol symbol = symbol_of_expr(scan->facts, func->module, callee);
    if (symbol.kind == SYMBOL_FUNC) {
        callgraph_add(scan->facts, (size_t)func->function, symbol.func);
        VEC_PUSH(scan->facts->arena, &scan->called, symbol.func->name); /* imported under another */
    }
    if (callee->kind != PY_Attribute)
        return;
    const struct py_node *of = callee->Attribute.value;
    if (of->kind == PY_Name && func->owner != NULL &&
        (str_is(of->Name.id, "self") || str_is(of->Name.id, "cls"))) {
        struct py_class *where;
        const struct binding *binding =
            class_find(scan->facts, func->owner, callee->Attribute.attr, &where);
        if (binding != NULL && binding->kind == BIND_FUNC)
            callgraph_add(scan->facts, (size_t)func->function, binding->func);
    }
}

static void scan_node(const struct py_node *node, void *context) {
    struct scan *scan = context;
    if (node->kind == PY_Attribute) {
        scan->has_verb |= is_orm_name(node->Attribute.attr);
        scan->has_lock |= is_lock_name(node->Attribute.attr);
        VEC_PUSH(scan->facts->arena, &scan->called, node->Attribute.attr);
    } else if (node->kind == PY_Name) {
        scan->has_verb |= is_orm_name(node->Name.id);
        scan->has_lock |= is_lock_name(node->Name.id);
        VEC_PUSH(scan->facts->arena, &scan->called, node->Name.id);
    } else if (node->kind == PY_Call) {
        scan_call(scan, node->Call.func);
    }
    py_visit_children(node, scan_node, context);
}

/* Functions that use the name of one that touches the ORM touch it too. */
static void spread(struct django_facts *facts) {
    VEC(struct py_func *) queue = {0};
    struct map seen;
    map_init(&seen, facts->arena);
    for (size_t i = 0; i < facts->funcs.count; i++)
        if (facts->funcs.items[i]->touches_orm)
            VEC_PUSH(facts->arena, &queue, facts->funcs.items[i]);
    for (size_t next = 0; next < queue.count; next++) {
        struct name_users *of = map_get(&facts->users, queue.items[next]->name);
        if (of == NULL || map_has(&seen, queue.items[next]->name))
            continue;
        map_put(&seen, queue.items[next]->name, of);
        for (size_t i = 0; i < of->items.count; i++) {
            struct py_func *user = of->items.items[i];
            if (user->touches_orm)
                continue;
            user->touches_orm = true;
            VEC_PUSH(facts->arena, &queue, user);
        }
    }
}

static bool is_entry_method(struct str name) {
    static const char *const names[] = {"get", "post", "put", "patch", "delete", "form_valid",
                                        "perform_create", "perform_update", "perform_destroy",
                                        "create", "update", "destroy", "dispatch", "list", "retrieve",
                                        "partial_update", "get_object", "get_queryset"};
    for (size_t i = 0; i < LW_COUNT_OF(names); i++)
        if (str_is(name, names[i]))
            return true;
    return false;
}

static bool is_view(struct django_facts *facts, const struct py_func *func) {
    struct py_list args = func->node->FunctionDef.args->arguments.args;
    uint32_t first = func->owner != NULL ? 1 : 0;
    bool has_request = args.count > first && str_is(args.items[first]->arg.arg, "request");
    if (func->owner == NULL)
        return has_request;
    return (has_request || is_entry_method(func->name)) && is_view_class(facts, func->owner);
}

/* Methods that Django calls on objects: what was done to these before is not to be seen from here. */
static bool is_hook(const struct py_func *func) {
    static const char *const names[] = {"save", "delete", "clean", "full_clean", "__init__"};
    for (size_t i = 0; i < LW_COUNT_OF(names); i++)
        if (str_is(func->name, names[i]))
            return func->owner != NULL && func->owner->model != NULL;
    return false;
}

/* A test, wherever it stands: files of tests are left out by their names. */
static bool is_test(struct django_facts *facts, const struct py_func *func) {
    return !facts->with_tests && func->owner != NULL &&
           class_has_external_base(facts, func->owner, "TestCase");
}

static bool is_exception_base(void *context, struct py_class *class_, struct str dotted) {
    (void)context;
    return class_ == NULL && (str_ends(dotted, "Exception") || str_ends(dotted, "Error") ||
                              str_ends(dotted, "DoesNotExist") || str_ends(dotted, "Http404") ||
                              str_ends(dotted, "PermissionDenied"));
}

static void find_exceptions(struct django_facts *facts) {
    for (size_t i = 0; i < facts->classes.count; i++)
        if (facts->classes.items[i]->model == NULL &&
            class_walk(facts, facts->classes.items[i], is_exception_base, NULL))
            VEC_PUSH(facts->arena, &facts->exceptions, facts->classes.items[i]);
}

void callgraph_build(struct django_facts *facts) {
    find_exceptions(facts);
    map_init(&facts->users, facts->arena);
    for (size_t i = 0; i < facts->funcs.count; i++) {
        struct py_func *func = facts->funcs.items[i];
        struct scan scan = {.facts = facts, .func = func};
        if (is_test(facts, func))
            continue;
        py_visit_children(func->node, scan_node, &scan);
        func->touches_orm = func->has_verb = scan.has_verb;
        func->has_lock = scan.has_lock;
        facts->project->functions.items[i].is_view = is_view(facts, func);
        facts->project->functions.items[i].is_hook = is_hook(func);
        for (size_t j = 0; j < scan.called.count; j++) {
            struct str name = scan.called.items[j];
            if (!map_has(&facts->func_by_name, name))
                continue;
            struct name_users *of = map_get(&facts->users, name);
            if (of == NULL) {
                of = ARENA_NEW(facts->arena, struct name_users);
                map_put(&facts->users, name, of);
            }
            if (of->items.count == 0 || of->items.items[of->items.count - 1] != func)
                VEC_PUSH(facts->arena, &of->items, func);
        }
    }
    spread(facts);
    for (size_t i = 0; i < facts->funcs.count; i++)
        facts->project->functions.items[i].touches_orm = facts->funcs.items[i]->touches_orm;
}
