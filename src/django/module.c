/* The names of module and class bodies: what each top-level name was last bound to, also inside if, try and
 * with at the top level. Functions and classes get their structs here. */
#include "base/assert.h"
#include "django/facts.h"

struct binder {
    struct django_facts *facts;
    struct module *module;
    struct py_class *class_; /* NULL: the module's own body */
    struct map *names;
};

static void bind_body(struct binder *binder, struct py_list body);

static struct binding *bind_name(struct binder *binder, struct str name, enum binding_kind kind,
                                 const struct py_node *node) {
    struct arena *arena = binder->facts->arena;
    struct binding *old = map_get(binder->names, name);
    struct binding *binding = ARENA_NEW(arena, struct binding);
    binding->kind = kind;
    binding->node = node;
    binding->is_rebound = old != NULL && kind == BIND_VALUE;
    map_put(binder->names, name, binding);
    return binding;
}

/* As a function of the project, which may be run by itself. Its span is that of its name. */
static void add_project_function(struct django_facts *facts, struct py_func *func) {
    struct module *module = func->module;
    struct django_function function = {.path = module->path};
    if (func->owner != NULL)
        function.symbol = str_printf(facts->arena, "%.*s.%.*s.%.*s", STR_ARG(module->name),
                                     STR_ARG(func->owner->name), STR_ARG(func->name));
    else
        function.symbol =
            str_printf(facts->arena, "%.*s.%.*s", STR_ARG(module->name), STR_ARG(func->name));
    function.span = module_span(module, func->node);
    struct str text = module->py->text;
    uint32_t at = func->node->start;
    while (at + func->name.len < func->node->end &&
           !(text.ptr[at] == func->name.ptr[0] &&
             memcmp(text.ptr + at, func->name.ptr, func->name.len) == 0 && at > 0 &&
             (text.ptr[at - 1] == ' ' || text.ptr[at - 1] == '\t')))
        at++;
    function.span.start = py_pos(module->py, at);
    function.span.end = function.span.start;
    function.span.end.column += (uint32_t)func->name.len;
    func->function = (int)facts->project->functions.count;
    VEC_PUSH(facts->arena, &facts->project->functions, function);
    VEC_PUSH(facts->arena, &facts->funcs, func);
    struct func_list *list = map_get(&facts->func_by_name, func->name);
    if (list == NULL) {
        list = ARENA_NEW(facts->arena, struct func_list);
        map_put(&facts->func_by_name, func->name, list);
    }
    VEC_PUSH(facts->arena, &list->items, func);
}

static void add_function(struct binder *binder, const struct py_node *node) {
    struct django_facts *facts = binder->facts;
    struct module *module = binder->module;
    struct py_func *func = ARENA_NEW(facts->arena, struct py_func);
    func->name = node->FunctionDef.name;
    func->module = module;
    func->owner = binder->class_;
    func->node = node;
    func->function = -1;
    if (!module->is_contrib)
        add_project_function(facts, func);
    /* A property's setter must not hide its getter. */
    for (uint32_t i = 0; i < node->FunctionDef.decorator_list.count; i++) {
        const struct py_node *decorator = node->FunctionDef.decorator_list.items[i];
        if (decorator->kind == PY_Attribute && (str_is(decorator->Attribute.attr, "setter") ||
                                                str_is(decorator->Attribute.attr, "deleter")))
            return;
    }
    bind_name(binder, func->name, BIND_FUNC, node)->func = func;
}

static void add_class(struct binder *binder, const struct py_node *node) {
    struct django_facts *facts = binder->facts;
    struct py_class *class_ = ARENA_NEW(facts->arena, struct py_class);
    class_->name = node->ClassDef.name;
    class_->module = binder->module;
    class_->node = node;
    class_->outer = binder->class_;
    map_init(&class_->names, facts->arena);
    VEC_PUSH(facts->arena, &facts->classes, class_);
    bind_name(binder, class_->name, BIND_CLASS, node)->class_ = class_;
    struct binder inner = {facts, binder->module, class_, &class_->names};
    bind_body(&inner, node->ClassDef.body);
}

static void bind_target(struct binder *binder, const struct py_node *target,
                        const struct py_node *value, const struct py_node *node) {
    if (target->kind == PY_Name) {
        bind_name(binder, target->Name.id, BIND_VALUE, node)->value = value;
        return;
    }
    if (target->kind != PY_Tuple && target->kind != PY_List)
        return;
    struct py_list targets = target->kind == PY_Tuple ? target->Tuple.elts : target->List.elts;
    bool is_parallel = value != NULL && value->kind == PY_Tuple &&
                       value->Tuple.elts.count == targets.count;
    for (uint32_t i = 0; i < targets.count; i++)
        bind_target(binder, targets.items[i], is_parallel ? value->Tuple.elts.items[i] : NULL, node);
}

static void bind_import(struct binder *binder, const struct py_node *node) {
    for (uint32_t i = 0; i < node->Import.names.count; i++) {
        const struct py_node *alias = node->Import.names.items[i];
        struct str name = alias->alias.name;
        struct str bound = alias->alias.asname;
        if (bound.ptr == NULL) {
            /* `import a.b` binds a. */
            bound = name = str_sub(name, 0, str_find(name, '.', 0));
        }
        bind_name(binder, bound, BIND_MODULE, node)->target = name;
    }
}

static void bind_import_from(struct binder *binder, const struct py_node *node) {
    for (uint32_t i = 0; i < node->ImportFrom.names.count; i++) {
        const struct py_node *alias = node->ImportFrom.names.items[i];
        struct binding *binding;
        if (str_is(alias->alias.name, "*")) {
            binding = ARENA_NEW(binder->facts->arena, struct binding);
            binding->kind = BIND_FROM;
            binding->node = node;
            VEC_PUSH(binder->facts->arena, &binder->module->stars, binding);
        } else {
            struct str bound = alias->alias.asname.ptr != NULL ? alias->alias.asname : alias->alias.name;
            binding = bind_name(binder, bound, BIND_FROM, node);
        }
        binding->target = node->ImportFrom.module;
        binding->attr = alias->alias.name;
        binding->level = node->ImportFrom.level;
    }
}

static void bind_try(struct binder *binder, const struct py_node *node) {
    /* The handlers first: what the body binds is what holds when nothing went wrong. */
    for (uint32_t i = 0; i < node->Try.handlers.count; i++)
        bind_body(binder, node->Try.handlers.items[i]->ExceptHandler.body);
    bind_body(binder, node->Try.body);
    bind_body(binder, node->Try.orelse);
    bind_body(binder, node->Try.finalbody);
}

static void bind_statement(struct binder *binder, const struct py_node *node) {
    switch (node->kind) {
    case PY_FunctionDef:
    case PY_AsyncFunctionDef:
        add_function(binder, node);
        break;
    case PY_ClassDef:
        add_class(binder, node);
        break;
    case PY_Assign:
        for (uint32_t i = 0; i < node->Assign.targets.count; i++)
            bind_target(binder, node->Assign.targets.items[i], node->Assign.value, node);
        break;
    case PY_AnnAssign:
        if (node->AnnAssign.value != NULL)
            bind_target(binder, node->AnnAssign.target, node->AnnAssign.value, node);
        break;
    case PY_AugAssign:
        bind_target(binder, node->AugAssign.target, NULL, node);
        break;
    case PY_Import:
        bind_import(binder, node);
        break;
    case PY_ImportFrom:
        bind_import_from(binder, node);
        break;
    case PY_If:
        bind_body(binder, node->If.orelse);
        bind_body(binder, node->If.body);
        break;
    case PY_Try:
        bind_try(binder, node);
        break;
    case PY_With:
        bind_body(binder, node->With.body);
        break;
    case PY_For:
        bind_target(binder, node->For.target, NULL, node);
        bind_body(binder, node->For.body);
        break;
    default:
        break;
    }
}

static void bind_body(struct binder *binder, struct py_list body) {
    for (uint32_t i = 0; i < body.count; i++)
        bind_statement(binder, body.items[i]);
}

void module_bind(struct django_facts *facts, struct module *module) {
    map_init(&module->names, facts->arena);
    struct binder binder = {facts, module, NULL, &module->names};
    bind_body(&binder, module->py->root->Module.body);
}

struct module *module_local_imports(struct django_facts *facts, const struct module *module,
                                    struct py_list body) {
    struct module *local = arena_copy(facts->arena, module, sizeof(*module));
    struct binder binder = {facts, local, NULL, &local->names};
    map_init(&local->names, facts->arena);
    memset(&local->stars, 0, sizeof(local->stars));
    local->resolved = (struct map){0};
    for (uint32_t i = 0; i < body.count; i++)
        if (body.items[i]->kind == PY_Import || body.items[i]->kind == PY_ImportFrom)
            bind_statement(&binder, body.items[i]);
    return local;
}

static struct str decorator_name(const struct py_func *func, uint32_t i) {
    const struct py_node *node = func->node->FunctionDef.decorator_list.items[i];
    return node->kind == PY_Name        ? node->Name.id
           : node->kind == PY_Attribute ? node->Attribute.attr
                                        : (struct str){0};
}

bool func_has_decorator(const struct py_func *func, const char *name) {
    for (uint32_t i = 0; i < func->node->FunctionDef.decorator_list.count; i++)
        if (str_is(decorator_name(func, i), name))
            return true;
    return false;
}

bool func_is_decorated(const struct py_func *func, const char *ending) {
    for (uint32_t i = 0; i < func->node->FunctionDef.decorator_list.count; i++)
        if (str_ends(decorator_name(func, i), ending))
            return true;
    return false;
}

const struct binding *class_own(const struct py_class *class_, struct str name) {
    return map_get(&class_->names, name);
}
