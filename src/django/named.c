/* Which functions of the project anything in it names: by a name, an attribute, a string. One that nothing does may be called
 * from outside, if at all. `self.name` is a use of the methods that the class around it has or inherits, or that are
 * inherited from it. */
#include "base/assert.h"
#include "django/facts.h"
#include "django/roots.h"

struct self_use {
    struct py_class *class_;
    struct str name;
    struct self_use *next; /* of the same name */
};

struct naming {
    struct django_facts *facts;
    struct map any;       /* names that are used as x.name, or in a string */
    struct map plain;     /* names that are used alone: no method's, but in the body of its class */
    struct map self_uses; /* name -> struct self_use */
    struct map classes;   /* address of the node -> struct py_class */
    struct py_class *class_; /* around */
};

static struct str address_key(const struct py_node **node) {
    return (struct str){(const char *)node, sizeof(*node)};
}

static void use(struct naming *naming, struct str name) {
    if (map_has(&naming->facts->func_by_name, name))
        map_put(&naming->any, name, naming);
}

static void use_of_self(struct naming *naming, struct str name) {
    if (!map_has(&naming->facts->func_by_name, name))
        return;
    struct self_use *one = ARENA_NEW(naming->facts->arena, struct self_use);
    *one = (struct self_use){naming->class_, name, map_get(&naming->self_uses, name)};
    map_put(&naming->self_uses, name, one);
}

static bool is_word(char c) {
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* The last name in a string: "reset", "shop.views.reset". */
static void use_text(struct naming *naming, struct str text) {
    size_t end = text.len, start;
    if (str_find(text, ' ', 0) < text.len)
        return;
    while (end > 0 && !is_word(text.ptr[end - 1]))
        end--;
    for (start = end; start > 0 && is_word(text.ptr[start - 1]);)
        start--;
    use(naming, str_sub(text, start, end));
}

static void visit(const struct py_node *node, void *context) {
    struct naming *naming = context;
    struct py_class *outer = naming->class_;
    if (node->kind == PY_Name) {
        if (map_has(&naming->facts->func_by_name, node->Name.id))
            map_put(&naming->plain, node->Name.id, naming);
        if (naming->class_ != NULL)
            use_of_self(naming, node->Name.id);
    } else if (node->kind == PY_Constant && node->constant == PY_CONST_Str) {
        use_text(naming, node->Constant.text);
    } else if (node->kind == PY_Attribute) {
        const struct py_node *of = node->Attribute.value;
        bool is_self = naming->class_ != NULL && of->kind == PY_Name &&
                       (str_is(of->Name.id, "self") || str_is(of->Name.id, "cls"));
        if (is_self)
            use_of_self(naming, node->Attribute.attr);
        else
            use(naming, node->Attribute.attr);
    } else if (node->kind == PY_alias && node->alias.asname.len > 0) {
        use(naming, node->alias.name);
    } else if (node->kind == PY_ClassDef) {
        naming->class_ = map_get(&naming->classes, address_key(&node));
    }
    py_visit_children(node, visit, naming);
    naming->class_ = outer;
}

static bool is_class(void *context, struct py_class *class_, struct str dotted) {
    (void)dotted;
    return class_ == context;
}

static bool is_in_line(struct django_facts *facts, struct py_class *a, struct py_class *b) {
    return class_walk(facts, a, is_class, b) || class_walk(facts, b, is_class, a);
}

static bool is_used(struct naming *naming, const struct py_func *func) {
    if (map_has(&naming->any, func->name) ||
        (func->owner == NULL && map_has(&naming->plain, func->name)))
        return true;
    const struct self_use *one = map_get(&naming->self_uses, func->name);
    for (; one != NULL && func->owner != NULL; one = one->next)
        if (is_in_line(naming->facts, one->class_, func->owner))
            return true;
    return false;
}

/* Only what leaves a function as it is: others may put it into a registry. */
static bool has_registering_decorator(const struct py_func *func) {
    static const char *const plain[] = {"atomic", "staticmethod", "classmethod", "property",
                                        "cached_property", "login_required", "permission_required",
                                        "require_POST", "override"};
    struct py_list decorators = func->node->FunctionDef.decorator_list;
    for (uint32_t i = 0; i < decorators.count; i++) {
        const struct py_node *node = decorators.items[i];
        bool is_plain = false;
        if (node->kind == PY_Call)
            node = node->Call.func;
        struct str name = node->kind == PY_Attribute ? node->Attribute.attr
                          : node->kind == PY_Name    ? node->Name.id
                                                     : (struct str){0};
        for (size_t k = 0; k < LW_COUNT_OF(plain); k++)
            is_plain |= str_is(name, plain[k]);
        if (!is_plain)
            return true;
    }
    return false;
}

static bool is_base_outside(void *context, struct py_class *class_, struct str dotted) {
    (void)context;
    return class_ == NULL && !str_is(dotted, "object") && !str_is(dotted, "builtins.object");
}

/* What a framework may call by a name of its own: a method of a class that has one of its classes among the bases. */
static bool is_framework_name(struct django_facts *facts, const struct py_func *func) {
    bool is_private = str_starts(func->name, "_") && !str_starts(func->name, "__");
    if (str_starts(func->name, "__"))
        return true;
    if (func->owner == NULL || is_private || func->owner->model != NULL)
        return false;
    return class_walk(facts, func->owner, is_base_outside, NULL);
}

bool django_has_routes(const struct django_project *project) {
    for (size_t i = 0; i < project->functions.count; i++) {
        const struct django_function *function = &project->functions.items[i];
        if (function->root == DJANGO_ROOT_VIEW && function->is_root_named)
            return true;
    }
    return false;
}

void named_find(struct django_facts *facts) {
    struct naming naming = {.facts = facts};
    if (!django_has_routes(facts->project))
        return;
    map_init(&naming.any, facts->arena);
    map_init(&naming.plain, facts->arena);
    map_init(&naming.self_uses, facts->arena);
    map_init(&naming.classes, facts->arena);
    for (size_t i = 0; i < facts->classes.count; i++)
        map_put(&naming.classes, address_key(&facts->classes.items[i]->node), facts->classes.items[i]);
    for (size_t i = 0; i < facts->modules.count; i++) {
        py_visit_children(facts->modules.items[i]->py->root, visit, &naming);
    }
    for (size_t i = 0; i < facts->funcs.count; i++) {
        struct py_func *func = facts->funcs.items[i];
        struct django_function *function = &facts->project->functions.items[i];
        bool is_named = func->node == NULL || func->admin != NULL || function->is_hook ||
                        function->is_root_named || is_used(&naming, func) ||
                        has_registering_decorator(func) || is_framework_name(facts, func);
        bool is_registered = function->is_root && function->root != DJANGO_ROOT_VIEW;
        func->is_unnamed = !is_named && !is_registered;
    }
}
