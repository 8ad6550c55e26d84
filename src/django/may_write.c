/* Which functions may write or lock, themselves or by what they call: before anything is lowered, from the names that a
 * function uses. What a name stands for is looked up where that can be told; a method of something that isn't known may
 * be any of that name. A receiver that is seen to be no row, manager or queryset writes nothing. */
#include "base/assert.h"
#include "django/facts.h"
#include "django/roots.h"
#include "django/types.h"
#include "django/values.h"

enum receiver_kind {
    RECEIVER_EXACT,
    RECEIVER_SELF,
    RECEIVER_ANY,
    RECEIVER_MODULE, /* that the function imports for itself, or an object of it */
    RECEIVER_NONE    /* a name alone */
};

/* A function uses a name, of something. */
struct use {
    struct py_func *user;
    enum receiver_kind receiver;
    bool is_store;
    const struct py_node *call; /* NULL: it is only named */
    struct str guard; /* where it stands under `if guard:`, a parameter; else empty */
    const struct py_func *func;    /* EXACT */
    const struct py_class *class_; /* SELF: of the method that names it */
};

struct uses {
    VEC(struct use) items;
};

/* What a local name, or attributes of a name, were bound to so far. */
enum local { LOCAL_NONE, LOCAL_PLAIN, LOCAL_OTHER, LOCAL_IMPORT };

struct scan {
    struct django_facts *facts;
    struct module *module;
    struct py_func *func;    /* NULL: the whole module */
    struct map *by_name;     /* struct uses */
    struct map *attributes;  /* enum local: of all objects, by name */
    struct map locals;       /* enum local */
    struct str guard;        /* the parameter that the branch at hand asks for; empty: none */
};

static void add_use(struct scan *scan, struct str name, struct use use) {
    if (!map_has(&scan->facts->func_by_name, name))
        return;
    struct uses *uses = map_get(scan->by_name, name);
    if (uses == NULL) {
        uses = ARENA_NEW(scan->facts->arena, struct uses);
        map_put(scan->by_name, name, uses);
    }
    use.user = scan->func;
    use.guard = scan->guard;
    VEC_PUSH(scan->facts->arena, &uses->items, use);
}

static void set_guard(struct py_func *func, struct str guard) {
    if (func->may_write && !str_equal(func->write_guard, guard))
        guard = (struct str){0};
    func->may_write = true;
    func->write_guard = guard;
}

static void add_write(struct scan *scan, bool is_write) {
    if (is_write)
        set_guard(scan->func, scan->guard);
}

static bool is_orm_class(struct django_facts *facts, struct py_class *class_) {
    return class_model(facts, class_) != NULL || class_has_external_base(facts, class_, "Manager") ||
           class_has_external_base(facts, class_, "QuerySet");
}

bool func_takes_call(const struct py_func *func, const struct py_node *call) {
    const struct py_node *node = func->node->FunctionDef.args;
    struct py_list only = node->arguments.posonlyargs, plain = node->arguments.args;
    struct py_list defaults = node->arguments.defaults, named = node->arguments.kwonlyargs;
    uint32_t first = func->owner != NULL && !func_is_decorated(func, "staticmethod");
    uint32_t count = only.count + plain.count, given = call->Call.args.count, found = 0;
    if (func->node->FunctionDef.decorator_list.count > 0 && !func_is_decorated(func, "staticmethod"))
        return true; /* what a decorator makes of it may take more or less */
    for (uint32_t i = 0; i < given; i++)
        if (call->Call.args.items[i]->kind == PY_Starred)
            return true;
    for (uint32_t i = 0; i < call->Call.keywords.count; i++) {
        struct str name = call->Call.keywords.items[i]->keyword.arg;
        bool is_there = false;
        if (name.ptr == NULL)
            return true;
        for (uint32_t k = 0; k < plain.count; k++)
            is_there |= str_equal(plain.items[k]->arg.arg, name);
        found += is_there;
        for (uint32_t k = 0; k < named.count; k++)
            is_there |= str_equal(named.items[k]->arg.arg, name);
        if (!is_there && node->arguments.kwarg == NULL)
            return false;
    }
    /* One more: called through its class, the object is an argument. */
    if (first + given > count + first && node->arguments.vararg == NULL)
        return false;
    return first + given + found + defaults.count >= count;
}

bool func_is_method_of_any(struct django_facts *facts, const struct py_func *func) {
    if (func->owner == NULL)
        return false;
    return lower_is_plain_read(func->name) ? is_orm_class(facts, func->owner)
                                           : !is_view_class(facts, func->owner);
}

static enum local bound_to(const struct map *map, struct str name) {
    return (enum local)(uintptr_t)map_get(map, name);
}

static enum local local_of(const struct scan *scan, struct str name) {
    return bound_to(&scan->locals, name);
}

static void bind(struct map *map, struct str name, enum local as) {
    enum local before = bound_to(map, name);
    map_put(map, name, (void *)(uintptr_t)(before == LOCAL_NONE || before == as ? as : LOCAL_OTHER));
}

static void bind_local(struct scan *scan, struct str name, enum local as) {
    bind(&scan->locals, name, as);
}

static void bind_target(struct scan *scan, const struct py_node *target, enum local as) {
    struct py_list none = {0};
    struct py_list elts = target->kind == PY_Tuple  ? target->Tuple.elts
                          : target->kind == PY_List ? target->List.elts
                                                    : none;
    if (target->kind == PY_Name)
        bind_local(scan, target->Name.id, as);
    else if (target->kind == PY_Starred)
        bind_target(scan, target->Starred.value, as);
    for (uint32_t i = 0; i < elts.count; i++)
        bind_target(scan, elts.items[i], LOCAL_OTHER);
}

/* An object of a class from outside that is none of the ORM's: svgwrite.Drawing. */
static bool is_outside_class(struct str dotted) {
    struct str last = lower_last_part(dotted);
    return last.len > 0 && last.ptr[0] >= 'A' && last.ptr[0] <= 'Z' && !str_starts(dotted, "django.db") &&
           !str_starts(dotted, "django.contrib") && str_find(dotted, '(', 0) == dotted.len &&
           !str_ends(str_sub(dotted, 0, dotted.len - last.len), ".models.");
}

/* A call that gives a container, a text, or an object from outside. */
static bool calls_plain(struct scan *scan, const struct py_node *call) {
    static const char *const makers[] = {"dict",   "list",        "set",       "tuple",   "frozenset", "str",
                                         "bytes",  "int",         "float",     "sorted",  "bytearray", "deque",
                                         "defaultdict", "len", "open", "range"};
    const struct py_node *func = call->Call.func;
    struct str name = func->kind == PY_Name        ? func->Name.id
                      : func->kind == PY_Attribute ? func->Attribute.attr
                                                   : (struct str){0};
    if (func->kind == PY_Attribute && str_is(name, "get_context_data"))
        return true;
    if (func->kind == PY_Name && local_of(scan, name) != LOCAL_NONE)
        return false;
    struct symbol symbol = symbol_of_expr(scan->facts, scan->module, func);
    if (symbol.kind == SYMBOL_EXTERNAL)
        return is_outside_class(symbol.dotted) || str_starts(symbol.dotted, "json.") ||
               str_starts(symbol.dotted, "logging.") || str_starts(symbol.dotted, "collections.");
    return symbol.kind == SYMBOL_NONE && func->kind == PY_Name &&
           str_is_one_of(name, makers, LW_COUNT_OF(makers));
}

/* A container, text or number that is made here, or an object from outside: no row, no manager and nothing of the
 * project. What is in a container may be. */
static bool makes_plain(struct scan *scan, const struct py_node *value) {
    switch (value->kind) {
    case PY_Dict:
    case PY_List:
    case PY_Set:
    case PY_Tuple:
    case PY_ListComp:
    case PY_SetComp:
    case PY_DictComp:
    case PY_GeneratorExp:
    case PY_JoinedStr:
    case PY_Constant:
    case PY_Compare:
        return true;
    case PY_Name:
        return local_of(scan, value->Name.id) == LOCAL_PLAIN;
    case PY_BoolOp:
        for (uint32_t i = 0; i < value->BoolOp.values.count; i++)
            if (!makes_plain(scan, value->BoolOp.values.items[i]))
                return false;
        return true;
    case PY_IfExp:
        return makes_plain(scan, value->IfExp.body) && makes_plain(scan, value->IfExp.orelse);
    case PY_Subscript: { /* json.loads(text)[0]["fields"] */
        const struct py_node *of = value;
        while (of->kind == PY_Subscript)
            of = of->Subscript.value;
        struct symbol symbol = {0};
        if (of->kind == PY_Call)
            symbol = symbol_of_expr(scan->facts, scan->module, of->Call.func);
        return symbol.kind == SYMBOL_EXTERNAL && str_starts(symbol.dotted, "json.");
    }
    case PY_Call:
        return calls_plain(scan, value);
    default:
        return false;
    }
}

static void bind_arguments(struct scan *scan, const struct py_node *arguments) {
    struct py_list lists[] = {arguments->arguments.posonlyargs, arguments->arguments.args,
                              arguments->arguments.kwonlyargs};
    for (size_t k = 0; k < LW_COUNT_OF(lists); k++)
        for (uint32_t i = 0; i < lists[k].count; i++)
            bind_local(scan, lists[k].items[i]->arg.arg, LOCAL_OTHER);
    if (arguments->arguments.vararg != NULL)
        bind_local(scan, arguments->arguments.vararg->arg.arg, LOCAL_PLAIN);
    if (arguments->arguments.kwarg != NULL)
        bind_local(scan, arguments->arguments.kwarg->arg.arg, LOCAL_PLAIN);
}

static void bind_aliases(struct scan *scan, struct py_list names) {
    for (uint32_t i = 0; i < names.count; i++) {
        const struct py_node *alias = names.items[i];
        struct str name = alias->alias.asname.ptr != NULL ? alias->alias.asname : alias->alias.name;
        bind_local(scan, str_sub(name, 0, str_find(name, '.', 0)), LOCAL_IMPORT);
    }
}

/* What the function's own names are bound to, nested functions' taken together with them. */
static void scan_locals(const struct py_node *node, void *context) {
    struct scan *scan = context;
    switch (node->kind) {
    case PY_Assign:
        for (uint32_t i = 0; i < node->Assign.targets.count; i++)
            bind_target(scan, node->Assign.targets.items[i],
                        makes_plain(scan, node->Assign.value) ? LOCAL_PLAIN : LOCAL_OTHER);
        break;
    case PY_AnnAssign:
        if (node->AnnAssign.value != NULL)
            bind_target(scan, node->AnnAssign.target,
                        makes_plain(scan, node->AnnAssign.value) ? LOCAL_PLAIN : LOCAL_OTHER);
        break;
    case PY_NamedExpr:
        bind_target(scan, node->NamedExpr.target,
                    makes_plain(scan, node->NamedExpr.value) ? LOCAL_PLAIN : LOCAL_OTHER);
        break;
    case PY_For:
        bind_target(scan, node->For.target, LOCAL_OTHER);
        break;
    case PY_AsyncFor:
        bind_target(scan, node->AsyncFor.target, LOCAL_OTHER);
        break;
    case PY_comprehension:
        bind_target(scan, node->comprehension.target, LOCAL_OTHER);
        break;
    case PY_withitem:
        if (node->withitem.optional_vars != NULL)
            bind_target(scan, node->withitem.optional_vars, LOCAL_OTHER);
        break;
    case PY_arguments:
        bind_arguments(scan, node);
        break;
    case PY_Import:
        bind_aliases(scan, node->Import.names);
        break;
    case PY_ImportFrom:
        bind_aliases(scan, node->ImportFrom.names);
        break;
    case PY_Global:
        for (uint32_t i = 0; i < node->Global.names.count; i++)
            bind_local(scan, node->Global.names.items[i], LOCAL_OTHER);
        break;
    case PY_MatchAs:
        if (node->MatchAs.name.ptr != NULL)
            bind_local(scan, node->MatchAs.name, LOCAL_OTHER);
        break;
    default:
        break;
    }
    py_visit_children(node, scan_locals, scan);
}

/* What attributes of that name are ever bound to, in assignments and in the bodies of classes. */
static void bind_attribute(struct scan *scan, const struct py_node *target, enum local as) {
    struct py_list none = {0};
    struct py_list elts = target->kind == PY_Tuple  ? target->Tuple.elts
                          : target->kind == PY_List ? target->List.elts
                                                    : none;
    if (target->kind == PY_Attribute)
        bind(scan->attributes, target->Attribute.attr, as);
    for (uint32_t i = 0; i < elts.count; i++)
        bind_attribute(scan, elts.items[i], LOCAL_OTHER);
}

static void scan_attributes(const struct py_node *node, void *context) {
    struct scan *scan = context;
    switch (node->kind) {
    case PY_Assign:
        for (uint32_t i = 0; i < node->Assign.targets.count; i++)
            bind_attribute(scan, node->Assign.targets.items[i],
                           makes_plain(scan, node->Assign.value) ? LOCAL_PLAIN : LOCAL_OTHER);
        break;
    case PY_AnnAssign:
        bind_attribute(scan, node->AnnAssign.target,
                       node->AnnAssign.value != NULL && makes_plain(scan, node->AnnAssign.value)
                           ? LOCAL_PLAIN
                           : LOCAL_OTHER);
        break;
    case PY_For:
        bind_attribute(scan, node->For.target, LOCAL_OTHER);
        break;
    case PY_withitem:
        if (node->withitem.optional_vars != NULL)
            bind_attribute(scan, node->withitem.optional_vars, LOCAL_OTHER);
        break;
    default:
        break;
    }
    py_visit_children(node, scan_attributes, scan);
}

static void scan_class(struct scan *scan, const struct py_class *class_) {
    for (size_t i = 0; i < class_->names.count; i++) {
        const struct binding *binding = class_->names.entries[i].value;
        bool is_plain = binding->kind == BIND_VALUE && binding->value != NULL && makes_plain(scan, binding->value);
        bind(scan->attributes, class_->names.entries[i].key, is_plain ? LOCAL_PLAIN : LOCAL_OTHER);
    }
}

static void find_attributes(struct django_facts *facts, struct map *attributes) {
    struct scan scan = {.facts = facts, .attributes = attributes};
    map_init(&scan.locals, facts->arena);
    map_init(attributes, facts->arena);
    for (size_t i = 0; i < facts->modules.count; i++) {
        scan.module = facts->modules.items[i];
        scan_attributes(scan.module->py->root, &scan);
    }
    for (size_t i = 0; i < facts->classes.count; i++) {
        scan.module = facts->classes.items[i]->module;
        scan_class(&scan, facts->classes.items[i]);
    }
    for (size_t i = 0; i < facts->models.count; i++)
        for (size_t j = 0; j < facts->models.items[i]->reverses.count; j++)
            bind(attributes, facts->models.items[i]->reverses.items[j].accessor, LOCAL_OTHER);
}

static bool is_self(const struct scan *scan, const struct py_node *node) {
    if (scan->func->owner == NULL)
        return false;
    if (node->kind == PY_Call && node->Call.func->kind == PY_Name)
        return str_is(node->Call.func->Name.id, "super");
    struct py_list args = scan->func->node->FunctionDef.args->arguments.args;
    return node->kind == PY_Name && args.count > 0 && str_equal(args.items[0]->arg.arg, node->Name.id);
}

/* Where the chain of attributes, calls and items begins. */
static const struct py_node *root_of(const struct py_node *node) {
    for (;;) {
        if (node->kind == PY_Attribute)
            node = node->Attribute.value;
        else if (node->kind == PY_Call)
            node = node->Call.func;
        else if (node->kind == PY_Subscript)
            node = node->Subscript.value;
        else
            return node;
    }
}

/* What the receiver stands for at the top of the module; a name of the function's own stands for nothing there. */
static struct symbol symbol_of_receiver(struct scan *scan, const struct py_node *node) {
    const struct py_node *root = root_of(node);
    if (root->kind != PY_Name || local_of(scan, root->Name.id) != LOCAL_NONE)
        return (struct symbol){0};
    return symbol_of_expr(scan->facts, scan->module, node);
}

/* Something that is seen to be none of the ORM's, nor the project's. */
static bool is_harmless(struct scan *scan, const struct py_node *of) {
    if (of->kind == PY_Attribute && bound_to(scan->attributes, of->Attribute.attr) == LOCAL_PLAIN)
        return true;
    struct symbol symbol = symbol_of_receiver(scan, of);
    if (symbol.kind == SYMBOL_EXTERNAL)
        return !str_starts(symbol.dotted, "django.db") && str_find(symbol.dotted, '(', 0) == symbol.dotted.len;
    if (symbol.kind == SYMBOL_VALUE && symbol.value != NULL && !symbol.is_rebound) {
        struct scan other = {.facts = scan->facts, .module = symbol.module, .locals = {.arena = scan->facts->arena}};
        return makes_plain(&other, symbol.value);
    }
    return makes_plain(scan, of);
}

/* A method of the class that the project shows, in which nothing from outside may stand in its way. */
static bool is_own_method(struct scan *scan, struct str name) {
    struct py_class *where;
    const struct binding *binding = class_find(scan->facts, scan->func->owner, name, &where);
    return binding != NULL && binding->kind == BIND_FUNC;
}

/* By what the receiver is seen to be. False: not known. */
static bool scan_typed(struct scan *scan, const struct py_node *node, const struct py_node *call, bool is_write) {
    const struct type *of = type_of_receiver(scan->facts, node);
    struct py_class *class_, *where;
    if (of == NULL || of->is_open || of->kind == TYPE_METHOD || of->kind == TYPE_PAIR)
        return false;
    if (of->kind == TYPE_PLAIN || of->kind == TYPE_REQUEST || of->kind == TYPE_ROWS)
        return true;
    class_ = of->kind == TYPE_ROW || of->kind == TYPE_MODEL ? of->model->class_ : of->class_;
    const struct binding *binding =
        class_ != NULL ? class_find(scan->facts, class_, node->Attribute.attr, &where) : NULL;
    if (binding != NULL && binding->kind == BIND_FUNC) {
        add_use(scan, binding->func->name,
                (struct use){.receiver = RECEIVER_EXACT, .func = binding->func, .call = call});
        return true;
    }
    if (of->kind == TYPE_OBJECT || of->kind == TYPE_CLASS)
        return false;
    add_write(scan, is_write);
    return of->kind == TYPE_QUERY || binding != NULL || is_write || node->ctx != PY_Load;
}

/* `call`: of the attribute, or NULL. */
static void scan_attribute(struct scan *scan, const struct py_node *node, const struct py_node *call) {
    const struct py_node *of = node->Attribute.value;
    struct str name = node->Attribute.attr;
    struct use use = {.receiver = RECEIVER_ANY, .call = call, .is_store = node->ctx != PY_Load};
    bool is_write = lower_is_write(name) && !use.is_store && (call == NULL || lower_is_write_call(call));
    add_write(scan, str_is(name, "atomic"));
    if (is_self(scan, of)) {
        bool is_super = of->kind == PY_Call;
        add_write(scan, is_write && (is_super || !is_own_method(scan, name)));
        use.receiver = RECEIVER_SELF;
        use.class_ = scan->func->owner;
        add_use(scan, name, use);
        return;
    }
    if (is_harmless(scan, of))
        return;
    struct symbol symbol = symbol_of_receiver(scan, node);
    if (symbol.kind != SYMBOL_FUNC && scan_typed(scan, node, call, is_write))
        return;
    if (symbol.kind == SYMBOL_FUNC) {
        add_use(scan, symbol.func->name,
                (struct use){.receiver = RECEIVER_EXACT, .func = symbol.func, .call = call});
        return;
    }
    add_write(scan, is_write);
    if (of->kind == PY_Name && local_of(scan, of->Name.id) == LOCAL_IMPORT)
        use.receiver = RECEIVER_MODULE;
    add_use(scan, name, use);
}

static void scan_name(struct scan *scan, const struct py_node *node) {
    struct py_class *where;
    struct str name = node->Name.id;
    enum local local = local_of(scan, name);
    if (local == LOCAL_IMPORT)
        add_use(scan, name, (struct use){.receiver = RECEIVER_NONE});
    if (local != LOCAL_NONE)
        return;
    struct symbol symbol = symbol_resolve(scan->facts, scan->module, name);
    if (symbol.kind == SYMBOL_FUNC)
        add_use(scan, symbol.func->name, (struct use){.receiver = RECEIVER_EXACT, .func = symbol.func});
    if ((symbol.kind == SYMBOL_NONE && !lower_is_builtin(name)) || symbol.kind == SYMBOL_VALUE)
        add_use(scan, name, (struct use){.receiver = RECEIVER_NONE});
    if (symbol.kind != SYMBOL_CLASS)
        return;
    const struct binding *init = class_find(scan->facts, symbol.class_, STR("__init__"), &where);
    if (init != NULL && init->kind == BIND_FUNC)
        add_use(scan, init->func->name, (struct use){.receiver = RECEIVER_EXACT, .func = init->func});
}

/* A parameter that is bound to nothing else. */
static bool is_param(const struct scan *scan, struct str name) {
    const struct type_body *body = type_find(&scan->facts->type_index->bodies, scan->func);
    const struct bound_sites *sites = body != NULL ? map_get(&body->names, name) : NULL;
    return sites != NULL && sites->items.count == 1 && sites->items.items[0].bound == BOUND_PARAM;
}

static void scan_imported(struct scan *scan, const struct py_node *node) {
    /* Under another name: any function of the first. */
    for (uint32_t i = 0; i < node->ImportFrom.names.count; i++)
        add_use(scan, node->ImportFrom.names.items[i]->alias.name, (struct use){.receiver = RECEIVER_NONE});
}

static void scan_node(const struct py_node *node, void *context);

/* `if save:`, of a parameter that keeps what it was given. */
static void scan_if(struct scan *scan, const struct py_node *node) {
    struct str outer = scan->guard;
    const struct py_node *test = node->If.test;
    scan_node(test, scan);
    if (test->kind == PY_Name && outer.len == 0 && is_param(scan, test->Name.id))
        scan->guard = test->Name.id;
    for (uint32_t i = 0; i < node->If.body.count; i++)
        scan_node(node->If.body.items[i], scan);
    scan->guard = outer;
    for (uint32_t i = 0; i < node->If.orelse.count; i++)
        scan_node(node->If.orelse.items[i], scan);
}

static void scan_node(const struct py_node *node, void *context) {
    struct scan *scan = context;
    if (node->kind == PY_If) {
        scan_if(scan, node);
        return;
    }
    if (node->kind == PY_Call && node->Call.func->kind == PY_Attribute) {
        scan_attribute(scan, node->Call.func, node);
        scan_node(node->Call.func->Attribute.value, scan);
        for (uint32_t i = 0; i < node->Call.args.count; i++)
            scan_node(node->Call.args.items[i], scan);
        for (uint32_t i = 0; i < node->Call.keywords.count; i++)
            scan_node(node->Call.keywords.items[i], scan);
        return;
    }
    if (node->kind == PY_Attribute)
        scan_attribute(scan, node, NULL);
    else if (node->kind == PY_Name)
        scan_name(scan, node);
    else if (node->kind == PY_ImportFrom)
        scan_imported(scan, node);
    py_visit_children(node, scan_node, context);
}

/* What the call gives a parameter; NULL: not to be seen. */
static const struct py_node *given_to(const struct py_func *func, const struct py_node *call, struct str name) {
    const struct py_node *node = func->node->FunctionDef.args;
    struct py_list only = node->arguments.posonlyargs, plain = node->arguments.args;
    struct py_list defaults = node->arguments.defaults, named = node->arguments.kwonlyargs;
    uint32_t count = only.count + plain.count, first = func->owner != NULL && !func_is_decorated(func, "staticmethod");
    for (uint32_t i = 0; i < call->Call.args.count; i++)
        if (call->Call.args.items[i]->kind == PY_Starred)
            return NULL;
    for (uint32_t i = 0; i < call->Call.keywords.count; i++) {
        const struct py_node *keyword = call->Call.keywords.items[i];
        if (keyword->keyword.arg.ptr == NULL || str_equal(keyword->keyword.arg, name))
            return keyword->keyword.arg.ptr == NULL ? NULL : keyword->keyword.value;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct py_node *arg = i < only.count ? only.items[i] : plain.items[i - only.count];
        if (!str_equal(arg->arg.arg, name))
            continue;
        if (i >= first && i - first < call->Call.args.count)
            return call->Call.args.items[i - first];
        return i + defaults.count >= count ? defaults.items[i + defaults.count - count] : NULL;
    }
    for (uint32_t i = 0; i < named.count; i++)
        if (str_equal(named.items[i]->arg.arg, name))
            return node->arguments.kw_defaults.items[i];
    return NULL;
}

/* Whether the function writes only under a parameter that this call gives False, None or nothing. */
static bool is_guarded(const struct py_func *func, const struct use *use) {
    const struct py_node *given = NULL;
    if (func->write_guard.len > 0 && use->call != NULL)
        given = given_to(func, use->call, func->write_guard);
    return given != NULL && given->kind == PY_Constant &&
           (given->constant == PY_CONST_False || given->constant == PY_CONST_None);
}

static bool is_meant(struct django_facts *facts, const struct use *use, const struct py_func *func) {
    if (use->receiver == RECEIVER_EXACT)
        return use->func == func;
    if (use->is_store != func_is_decorated(func, "setter") ||
        (use->call != NULL && !func_takes_call(func, use->call)))
        return false;
    if (use->receiver == RECEIVER_SELF)
        return func->owner != NULL && types_are_related(facts, use->class_, func->owner);
    if (func->owner == NULL)
        return use->receiver == RECEIVER_NONE || use->receiver == RECEIVER_MODULE;
    /* A method runs where it is called, a property where it is read. */
    return use->receiver != RECEIVER_NONE &&
           (use->call != NULL || use->is_store || func_is_decorated(func, "property")) &&
           func_is_method_of_any(facts, func);
}

/* All that use a function that may write may write. */
static void spread(struct django_facts *facts, const struct map *by_name) {
    VEC(struct py_func *) queue = {0};
    for (size_t i = 0; i < facts->funcs.count; i++)
        if (facts->funcs.items[i]->may_write)
            VEC_PUSH(facts->arena, &queue, facts->funcs.items[i]);
    for (size_t next = 0; next < queue.count; next++) {
        const struct py_func *func = queue.items[next];
        const struct uses *uses = map_get(by_name, func->name);
        for (size_t i = 0; uses != NULL && i < uses->items.count; i++) {
            const struct use *use = &uses->items.items[i];
            struct py_func *user = use->user;
            bool is_known = user->may_write &&
                            (user->write_guard.len == 0 || str_equal(user->write_guard, use->guard));
            if (is_known || !is_meant(facts, use, func) || is_guarded(func, use))
                continue;
            set_guard(user, use->guard);
            VEC_PUSH(facts->arena, &queue, use->user);
        }
    }
}

void may_write_find(struct django_facts *facts) {
    struct map by_name, attributes;
    map_init(&by_name, facts->arena);
    find_attributes(facts, &attributes);
    for (size_t i = 0; i < facts->funcs.count; i++) {
        struct py_func *func = facts->funcs.items[i];
        struct scan scan = {.facts = facts, .module = func->module, .func = func, .by_name = &by_name,
                            .attributes = &attributes};
        if (func->node == NULL) {
            func->may_write = true; /* a form of the admin or of a view */
            continue;
        }
        map_init(&scan.locals, facts->arena);
        py_visit_children(func->node, scan_locals, &scan);
        py_visit_children(func->node, scan_node, &scan);
    }
    spread(facts, &by_name);
}
