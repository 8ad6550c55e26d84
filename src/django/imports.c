/* What a name stands for. Imports are followed from module to module: absolute and relative ones, `as`,
 * stars, and what a package's __init__ takes in from its modules. A name that leads out of the project is
 * kept as a dotted name. */
#include "base/assert.h"
#include "django/facts.h"

static size_t common_prefix(struct str a, struct str b) {
    size_t len = 0, folder = 0;
    while (len < a.len && len < b.len && a.ptr[len] == b.ptr[len]) {
        len++;
        if (a.ptr[len - 1] == '/')
            folder = len;
    }
    return folder;
}

/* Django's own modules are outside, whatever lies in the project's folders under that name. */
static bool is_outside(struct str dotted) {
    return str_is(dotted, "django") || str_starts(dotted, "django.");
}

struct module *module_find(struct django_facts *facts, const struct module *from, struct str dotted) {
    if (is_outside(dotted))
        return map_get(&facts->contrib, dotted);
    const struct module_list *list = map_get(&facts->by_name, dotted);
    struct module *best = NULL;
    size_t best_len = 0;
    for (size_t i = 0; list != NULL && i < list->items.count; i++) {
        struct module *module = list->items.items[i];
        size_t len = from != NULL ? common_prefix(module->full_path, from->full_path) : 0;
        if (module != from && (best == NULL || len > best_len)) {
            best = module;
            best_len = len;
        }
    }
    return best;
}

/* The package that `level` dots stand for, as a folder of the file system, and the module in it. */
static struct module *relative_find(struct django_facts *facts, const struct module *from,
                                    uint32_t level, struct str dotted) {
    size_t len = from->full_path.len;
    for (uint32_t i = 0; i < level; i++) {
        while (len > 0 && from->full_path.ptr[len - 1] != '/')
            len--;
        if (len == 0 && i + 1 < level)
            return NULL;
        if (i + 1 < level)
            len--;
    }
    char *path = ARENA_ARRAY(facts->arena, char, len + dotted.len + 16);
    memcpy(path, from->full_path.ptr, len);
    size_t at = len;
    for (size_t i = 0; i < dotted.len; i++)
        path[at++] = dotted.ptr[i] == '.' ? '/' : dotted.ptr[i];
    memcpy(path + at, ".py", 4);
    struct module *module = dotted.len > 0 ? map_get(&facts->by_path, str_from_c(path)) : NULL;
    if (module != NULL)
        return module;
    memcpy(path + at, dotted.len > 0 ? "/__init__.py" : "__init__.py", dotted.len > 0 ? 13 : 12);
    return map_get(&facts->by_path, str_from_c(path));
}

static struct symbol external(struct str dotted) {
    return (struct symbol){.kind = SYMBOL_EXTERNAL, .dotted = dotted};
}

static struct symbol of_module(struct module *module) {
    return (struct symbol){.kind = SYMBOL_MODULE, .module = module};
}

static struct str joined(struct django_facts *facts, struct str a, struct str b) {
    if (a.len == 0)
        return b;
    return str_printf(facts->arena, "%.*s.%.*s", STR_ARG(a), STR_ARG(b));
}

static struct symbol module_attribute(struct django_facts *facts, struct module *module,
                                      struct str name) {
    struct symbol symbol = symbol_resolve(facts, module, name);
    if (symbol.kind != SYMBOL_NONE || !module->is_package)
        return symbol;
    struct module *inner = relative_find(facts, module, 1, name);
    return inner != NULL ? of_module(inner) : symbol;
}

static struct symbol follow_from(struct django_facts *facts, struct module *module,
                                 const struct binding *binding, struct str attr) {
    struct module *source = binding->level > 0
                                ? relative_find(facts, module, binding->level, binding->target)
                                : module_find(facts, module, binding->target);
    if (source != NULL && source != module) {
        struct symbol symbol = module_attribute(facts, source, attr);
        if (symbol.kind != SYMBOL_NONE)
            return symbol;
    }
    struct str dotted = joined(facts, binding->target, attr);
    struct module *inner = binding->level > 0 ? relative_find(facts, module, binding->level, dotted)
                                              : module_find(facts, module, dotted);
    return inner != NULL ? of_module(inner) : external(dotted);
}

struct symbol symbol_of_binding(struct django_facts *facts, struct module *module,
                                const struct binding *binding) {
    struct symbol symbol = {0};
    switch (binding->kind) {
    case BIND_FUNC:
        symbol.kind = SYMBOL_FUNC;
        symbol.func = binding->func;
        break;
    case BIND_CLASS:
        symbol.kind = SYMBOL_CLASS;
        symbol.class_ = binding->class_;
        break;
    case BIND_MODULE: {
        struct module *target = module_find(facts, module, binding->target);
        return target != NULL ? of_module(target) : external(binding->target);
    }
    case BIND_FROM:
        return follow_from(facts, module, binding, binding->attr);
    case BIND_VALUE:
        symbol.kind = SYMBOL_VALUE;
        symbol.module = module;
        symbol.value = binding->value;
        symbol.is_rebound = binding->is_rebound;
        break;
    }
    return symbol;
}

/* Names that come in by a star: a project module's are looked up there; one from outside can't be known,
 * so it counts only if nothing else of that name exists (builtins don't). */
static struct symbol resolve_star(struct django_facts *facts, struct module *module, struct str name) {
    for (size_t i = module->stars.count; i-- > 0;) {
        const struct binding *star = module->stars.items[i];
        struct module *source = star->level > 0
                                    ? relative_find(facts, module, star->level, star->target)
                                    : module_find(facts, module, star->target);
        if (source == NULL || source == module)
            continue;
        struct symbol symbol = symbol_resolve(facts, source, name);
        if (symbol.kind != SYMBOL_NONE)
            return symbol;
    }
    return (struct symbol){0};
}

static struct symbol resolve(struct django_facts *facts, struct module *module, struct str name) {
    struct symbol symbol = {0};
    /* Modules may import from each other in a ring. */
    if (module->resolve_depth >= IMPORT_DEPTH_MAX || facts->resolve_depth >= IMPORT_DEPTH_MAX)
        return symbol;
    const struct binding *binding = map_get(&module->names, name);
    module->resolve_depth++;
    facts->resolve_depth++;
    symbol = binding != NULL ? symbol_of_binding(facts, module, binding)
                             : resolve_star(facts, module, name);
    facts->resolve_depth--;
    module->resolve_depth--;
    if (symbol.kind == SYMBOL_VALUE && symbol.value != NULL && symbol.value->kind == PY_Call) {
        struct model *model = model_of_call(facts, symbol.module, symbol.value);
        if (model != NULL)
            return (struct symbol){.kind = SYMBOL_CLASS, .class_ = model->class_};
    }
    /* `name = other_name` at the top level is another name for it. */
    if (symbol.kind == SYMBOL_VALUE && symbol.value != NULL && !symbol.is_rebound &&
        symbol.value->kind == PY_Name && facts->resolve_depth < IMPORT_DEPTH_MAX - 1) {
        facts->resolve_depth++;
        struct symbol other = symbol_resolve(facts, symbol.module, symbol.value->Name.id);
        facts->resolve_depth--;
        if (other.kind != SYMBOL_NONE)
            return other;
    }
    return symbol;
}

/* What is met on the way may be cut short by rings of imports; only what was asked for is kept. */
struct symbol symbol_resolve(struct django_facts *facts, struct module *module, struct str name) {
    const struct symbol *known = map_get(&module->resolved, name);
    if (known != NULL)
        return *known;
    struct symbol symbol = resolve(facts, module, name);
    if (facts->is_bound && facts->resolve_depth == 0) {
        if (module->resolved.arena == NULL)
            map_init(&module->resolved, facts->arena);
        map_put(&module->resolved, str_dup(facts->arena, name),
                arena_copy(facts->arena, &symbol, sizeof(symbol)));
    }
    return symbol;
}

struct symbol symbol_attribute(struct django_facts *facts, struct symbol of, struct str name) {
    struct py_class *where;
    const struct binding *binding;
    switch (of.kind) {
    case SYMBOL_MODULE: {
        struct symbol symbol = module_attribute(facts, of.module, name);
        return symbol;
    }
    case SYMBOL_CLASS:
        binding = class_find(facts, of.class_, name, &where);
        if (binding != NULL)
            return symbol_of_binding(facts, where->module, binding);
        return (struct symbol){0};
    case SYMBOL_EXTERNAL:
        return external(joined(facts, of.dotted, name));
    default:
        return (struct symbol){0};
    }
}

struct symbol symbol_of_expr(struct django_facts *facts, struct module *module,
                             const struct py_node *node) {
    if (node->kind == PY_Name)
        return symbol_resolve(facts, module, node->Name.id);
    if (node->kind != PY_Attribute)
        return (struct symbol){0};
    struct symbol of = symbol_of_expr(facts, module, node->Attribute.value);
    return symbol_attribute(facts, of, node->Attribute.attr);
}

static struct symbol base_symbol(struct django_facts *facts, struct py_class *class_,
                                 const struct py_node *base) {
    struct symbol symbol = {0};
    if (base->kind == PY_Subscript) /* Generic[T] */
        base = base->Subscript.value;
    if (base->kind == PY_Name && class_->outer != NULL) {
        const struct binding *own = class_own(class_->outer, base->Name.id);
        if (own != NULL)
            symbol = symbol_of_binding(facts, class_->module, own);
    }
    if (symbol.kind == SYMBOL_NONE)
        symbol = symbol_of_expr(facts, class_->module, base);
    /* Base: models.Model = chosen_by_a_setting() */
    const struct binding *named = base->kind == PY_Name ? map_get(&class_->module->names, base->Name.id) : NULL;
    if (symbol.kind == SYMBOL_VALUE && named != NULL && named->node != NULL && named->node->kind == PY_AnnAssign)
        symbol = symbol_of_expr(facts, class_->module, named->node->AnnAssign.annotation);
    if (symbol.kind != SYMBOL_CLASS && symbol.kind != SYMBOL_EXTERNAL)
        symbol = (struct symbol){.kind = SYMBOL_EXTERNAL,
                                 .dotted = module_text(class_->module, base)};
    return symbol;
}

/* The bases, resolved once. Manager.from_queryset(Q) has the methods of both. */
static void resolve_bases(struct django_facts *facts, struct py_class *class_) {
    struct py_list bases = class_->node->ClassDef.bases;
    class_->has_bases = true;
    for (uint32_t i = 0; i < bases.count; i++) {
        const struct py_node *base = bases.items[i];
        if (base->kind == PY_Call && base->Call.func->kind == PY_Attribute &&
            str_is(base->Call.func->Attribute.attr, "from_queryset") && base->Call.args.count > 0) {
            VEC_PUSH(facts->arena, &class_->bases,
                     base_symbol(facts, class_, base->Call.args.items[0]));
            base = base->Call.func->Attribute.value;
        }
        VEC_PUSH(facts->arena, &class_->bases, base_symbol(facts, class_, base));
    }
}

static bool walk_class(struct django_facts *facts, struct py_class *class_, class_visit *visit,
                       void *context, int depth) {
    if (depth > MODEL_DEPTH_MAX || class_->is_resolving)
        return false;
    if (visit(context, class_, (struct str){0}))
        return true;
    class_->is_resolving = true;
    if (!class_->has_bases)
        resolve_bases(facts, class_);
    bool is_done = false;
    for (size_t i = 0; i < class_->bases.count && !is_done; i++) {
        struct symbol base = class_->bases.items[i];
        is_done = base.kind == SYMBOL_CLASS
                      ? walk_class(facts, base.class_, visit, context, depth + 1)
                      : visit(context, NULL, base.dotted);
    }
    class_->is_resolving = false;
    return is_done;
}

bool class_walk(struct django_facts *facts, struct py_class *class_, class_visit *visit,
                void *context) {
    if (!class_->has_line)
        return walk_class(facts, class_, visit, context, 0);
    for (size_t i = 0; i < class_->line.count; i++)
        if (visit(context, class_->line.items[i].class_, class_->line.items[i].dotted))
            return true;
    return false;
}

struct line_up {
    struct arena *arena;
    struct py_class *class_;
};

/* Of what comes by several ways the last place counts, as in Python ("The Python 2.3 Method Resolution Order"). */
static bool add_to_line(void *context, struct py_class *class_, struct str dotted) {
    struct line_up *line_up = context;
    struct py_class *of = line_up->class_;
    size_t kept = 0;
    for (size_t i = 0; i < of->line.count; i++)
        if (of->line.items[i].class_ != class_ || !str_equal(of->line.items[i].dotted, dotted))
            of->line.items[kept++] = of->line.items[i];
    of->line.count = kept;
    struct symbol met = {.kind = class_ != NULL ? SYMBOL_CLASS : SYMBOL_EXTERNAL,
                         .class_ = class_, .dotted = dotted};
    VEC_PUSH(line_up->arena, &of->line, met);
    return false;
}

void class_line_up(struct django_facts *facts, struct py_class *class_) {
    struct line_up line_up = {facts->arena, class_};
    walk_class(facts, class_, add_to_line, &line_up, 0);
    class_->has_line = true;
}

struct name_search {
    struct str name;
    const struct binding *found;
    struct py_class *where;
};

static bool has_name(void *context, struct py_class *class_, struct str dotted) {
    struct name_search *search = context;
    (void)dotted;
    if (class_ == NULL)
        return false;
    search->found = class_own(class_, search->name);
    search->where = class_;
    return search->found != NULL;
}

const struct binding *class_find(struct django_facts *facts, struct py_class *class_, struct str name,
                                 struct py_class **where) {
    struct name_search search = {.name = name};
    class_walk(facts, class_, has_name, &search);
    *where = search.found != NULL ? search.where : NULL;
    return search.found;
}

static bool has_suffix(void *context, struct py_class *class_, struct str dotted) {
    return class_ == NULL && str_ends(dotted, context);
}

bool class_has_external_base(struct django_facts *facts, struct py_class *class_, const char *suffix) {
    return class_walk(facts, class_, has_suffix, (void *)(uintptr_t)suffix);
}

struct super_search {
    struct str name;
    const struct py_class *after;
    bool is_after;
    struct py_func *found;
};

static bool find_super(void *context, struct py_class *class_, struct str dotted) {
    struct super_search *search = context;
    (void)dotted;
    if (class_ == NULL)
        return false;
    if (search->is_after) {
        const struct binding *binding = class_own(class_, search->name);
        if (binding != NULL && binding->kind == BIND_FUNC) {
            search->found = binding->func;
            return true;
        }
    }
    search->is_after |= class_ == search->after;
    return false;
}

struct py_func *class_super(struct django_facts *facts, struct py_class *start,
                            const struct py_class *after, struct str name) {
    struct super_search search = {.name = name, .after = after};
    if (start != NULL)
        class_walk(facts, start, find_super, &search);
    return search.found;
}
