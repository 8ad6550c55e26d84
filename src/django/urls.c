/* Routes: path(), re_path() and url() in lists, lists and routers included in others, as far as names show it. A list is
 * known by its module and its name; what it stands under is known when all lists have been read. */
#include "base/assert.h"
#include "django/roots.h"

enum { ROUTE_DEPTH_MAX = 12 };

/* A list of routes, or a router. */
struct list_name {
    const struct module *module;
    struct str name; /* of the variable; empty: none */
};

struct route {
    struct list_name list;
    struct str pattern;
    bool is_router;
    struct py_func *func; /* or */
    struct py_class *class_;
};

/* `inner` stands in `outer` under `pattern`. */
struct include {
    struct list_name outer, inner;
    struct str pattern;
};

struct scan {
    struct django_facts *facts;
    struct module *module;
    struct str list;   /* the list at hand */
    struct str prefix; /* of the list that stands in place */
    struct str views;  /* patterns("shop.views", ...): where views named by strings are */
    VEC(struct route) routes;
    VEC(struct include) includes;
};

static struct str last_name(const struct py_node *node) {
    return node->kind == PY_Attribute ? node->Attribute.attr
           : node->kind == PY_Name    ? node->Name.id
                                      : (struct str){0};
}

static bool is_call_of(const struct py_node *node, const char *name) {
    return node->kind == PY_Call && str_is(last_name(node->Call.func), name);
}

static struct str join(struct scan *s, struct str a, struct str b) {
    return str_printf(s->facts->arena, "%.*s%.*s", STR_ARG(a), STR_ARG(b));
}

/* Where the group that begins at `at` ends, behind its bracket. */
static size_t group_end(struct str text, size_t at) {
    size_t depth = 0;
    for (; at < text.len; at++) {
        if (text.ptr[at] == '\\')
            at++;
        else if (text.ptr[at] == '(')
            depth++;
        else if (text.ptr[at] == ')' && --depth == 0)
            return at + 1;
    }
    return text.len;
}

/* "^orders/(?P<pk>\d+)/$" and "orders/<int:pk>/" as "orders/<pk>/". */
static struct str plain_route(struct arena *arena, struct str pattern, bool is_regex) {
    struct buf out = {0};
    for (size_t i = 0; i < pattern.len; i++) {
        char c = pattern.ptr[i];
        if (c == '<') {
            size_t end = str_find(pattern, '>', i), colon = str_find(pattern, ':', i);
            buf_add_char(&out, '<');
            buf_add(&out, str_sub(pattern, colon < end ? colon + 1 : i + 1, end));
            buf_add_char(&out, '>');
            i = end;
        } else if (is_regex && c == '(') {
            size_t end = group_end(pattern, i), name = i + 4;
            bool is_named = str_starts(str_sub(pattern, i, end), "(?P<");
            size_t name_end = is_named ? str_find(pattern, '>', name) : 0;
            buf_add_char(&out, '<');
            if (is_named && name_end < end)
                buf_add(&out, str_sub(pattern, name, name_end));
            buf_add_char(&out, '>');
            i = end - 1;
        } else if (!(is_regex && (c == '^' || c == '$' || c == '\\' || c == '?'))) {
            buf_add_char(&out, c);
        }
    }
    struct str text = str_dup(arena, buf_str(&out));
    buf_release(&out);
    return text;
}

static const struct py_node *argument(const struct py_node *call, uint32_t at, const char *name) {
    for (uint32_t i = 0; i < call->Call.keywords.count; i++)
        if (str_is(call->Call.keywords.items[i]->keyword.arg, name))
            return call->Call.keywords.items[i]->keyword.value;
    return at < call->Call.args.count ? call->Call.args.items[at] : NULL;
}

static struct str pattern_of(struct scan *s, const struct py_node *node, bool is_regex) {
    struct str text = {0};
    if (node != NULL && node->kind == PY_Call && node->Call.args.count > 0)
        node = node->Call.args.items[0]; /* _("orders/") */
    if (node == NULL || !constant_text(s->facts, s->module, node, &text))
        return STR("");
    return plain_route(s->facts->arena, text, is_regex);
}

static void add_route(struct scan *s, struct str pattern, struct symbol symbol) {
    struct route route = {.list = {s->module, s->list}, .pattern = join(s, s->prefix, pattern)};
    route.func = symbol.kind == SYMBOL_FUNC ? symbol.func : NULL;
    route.class_ = symbol.kind == SYMBOL_CLASS ? symbol.class_ : NULL;
    if (route.func != NULL || route.class_ != NULL)
        VEC_PUSH(s->facts->arena, &s->routes, route);
}

/* "shop.views.order" */
static struct symbol symbol_of_text(struct scan *s, struct str text) {
    size_t dot = text.len;
    while (dot > 0 && text.ptr[dot - 1] != '.')
        dot--;
    struct str module_name = dot > 0 ? str_sub(text, 0, dot - 1) : s->views;
    if (dot > 0 && s->views.len > 0)
        module_name = str_printf(s->facts->arena, "%.*s.%.*s", STR_ARG(s->views),
                                 STR_ARG(module_name));
    struct module *module = module_find(s->facts, s->module, module_name);
    if (module == NULL)
        return (struct symbol){0};
    return symbol_resolve(s->facts, module, str_sub(text, dot, text.len));
}

/* The view behind the decorators it stands in: view, View.as_view(), login_required(view). */
static void add_view(struct scan *s, struct str pattern, const struct py_node *view, int depth) {
    struct str text;
    if (view == NULL || depth > ROUTE_DEPTH_MAX)
        return;
    if (view->kind == PY_Constant) {
        if (constant_text(s->facts, s->module, view, &text))
            add_route(s, pattern, symbol_of_text(s, text));
        return;
    }
    if (view->kind != PY_Call) {
        add_route(s, pattern, symbol_of_expr(s->facts, s->module, view));
        return;
    }
    if (is_call_of(view, "as_view") && view->Call.func->kind == PY_Attribute) {
        add_view(s, pattern, view->Call.func->Attribute.value, depth + 1);
        return;
    }
    struct symbol callee = symbol_of_expr(s->facts, s->module, view->Call.func);
    if (callee.kind == SYMBOL_CLASS) { /* Feed() */
        add_route(s, pattern, callee);
        return;
    }
    for (uint32_t i = 0; i < view->Call.args.count; i++)
        add_view(s, pattern, view->Call.args.items[i], depth + 1);
}

static void add_include(struct scan *s, struct str pattern, struct list_name inner) {
    struct include include = {
        .outer = {s->module, s->list}, .inner = inner, .pattern = join(s, s->prefix, pattern)};
    if (inner.module != NULL)
        VEC_PUSH(s->facts->arena, &s->includes, include);
}

/* `router.urls`, a list's name, a module's. */
static void include_named(struct scan *s, struct str pattern, const struct py_node *node) {
    if (node->kind == PY_Attribute && str_is(node->Attribute.attr, "urls"))
        node = node->Attribute.value;
    struct symbol symbol = symbol_of_expr(s->facts, s->module, node);
    if (symbol.kind == SYMBOL_MODULE)
        add_include(s, pattern, (struct list_name){symbol.module, STR("urlpatterns")});
    else if (symbol.kind == SYMBOL_VALUE)
        add_include(s, pattern, (struct list_name){symbol.module, last_name(node)});
}

static void scan_node(const struct py_node *node, void *context);

static void scan_include(struct scan *s, struct str pattern, const struct py_node *target) {
    struct str text, prefix = s->prefix;
    if (target == NULL)
        return;
    if (target->kind == PY_Tuple && target->Tuple.elts.count > 0)
        target = target->Tuple.elts.items[0]; /* (patterns, app_name) */
    if (target->kind == PY_List) {
        s->prefix = join(s, prefix, pattern);
        py_visit_children(target, scan_node, s);
        s->prefix = prefix;
    } else if (target->kind == PY_Constant && constant_text(s->facts, s->module, target, &text)) {
        add_include(s, pattern, (struct list_name){module_find(s->facts, s->module, text),
                                                   STR("urlpatterns")});
    } else {
        include_named(s, pattern, target);
    }
}

/* router.register("orders", OrderViewSet) */
static bool scan_register(struct scan *s, const struct py_node *call) {
    const struct py_node *view = argument(call, 1, "viewset"), *of = call->Call.func;
    if (!is_call_of(call, "register") || of->kind != PY_Attribute || view == NULL)
        return false;
    struct symbol symbol = symbol_of_expr(s->facts, s->module, view);
    struct symbol router = symbol_of_expr(s->facts, s->module, of->Attribute.value);
    if (symbol.kind != SYMBOL_CLASS || !is_view_class(s->facts, symbol.class_))
        return false;
    struct str pattern = pattern_of(s, argument(call, 0, "prefix"), true);
    struct route route = {.class_ = symbol.class_, .is_router = true};
    route.pattern = str_printf(s->facts->arena, "%.*s%s", STR_ARG(pattern),
                               str_ends(pattern, "/") || pattern.len == 0 ? "" : "/");
    route.list = (struct list_name){router.module != NULL ? router.module : s->module,
                                    last_name(of->Attribute.value)};
    VEC_PUSH(s->facts->arena, &s->routes, route);
    return true;
}

static bool scan_path(struct scan *s, const struct py_node *call) {
    struct str name = last_name(call->Call.func);
    bool is_regex = str_is(name, "re_path") || str_is(name, "url");
    if (!is_regex && !str_is(name, "path"))
        return false;
    struct symbol symbol = symbol_of_expr(s->facts, s->module, call->Call.func);
    if (symbol.kind == SYMBOL_FUNC || symbol.kind == SYMBOL_CLASS || call->Call.args.count == 0)
        return false;
    struct str pattern = pattern_of(s, argument(call, 0, "route"), is_regex);
    const struct py_node *view = argument(call, 1, "view");
    if (view != NULL && is_call_of(view, "include"))
        scan_include(s, pattern, argument(view, 0, "arg"));
    else
        add_view(s, pattern, view, 0);
    return true;
}

static void scan_assignment(struct scan *s, const struct py_node *target,
                            const struct py_node *value) {
    struct str outer = s->list;
    if (value == NULL)
        return;
    if (target->kind == PY_Name)
        s->list = target->Name.id;
    if (value->kind == PY_Attribute && str_is(value->Attribute.attr, "urls"))
        include_named(s, STR(""), value);
    else
        scan_node(value, s);
    s->list = outer;
}

static void scan_node(const struct py_node *node, void *context) {
    struct scan *s = context;
    struct str views = s->views;
    if (node->kind == PY_Assign && node->Assign.targets.count > 0) {
        scan_assignment(s, node->Assign.targets.items[0], node->Assign.value);
        return;
    }
    if (node->kind == PY_AugAssign) {
        scan_assignment(s, node->AugAssign.target, node->AugAssign.value);
        return;
    }
    if (node->kind == PY_AnnAssign) {
        scan_assignment(s, node->AnnAssign.target, node->AnnAssign.value);
        return;
    }
    if (node->kind == PY_Call) {
        if (scan_path(s, node) || scan_register(s, node))
            return;
        if (is_call_of(node, "patterns") && node->Call.args.count > 0)
            constant_text(s->facts, s->module, node->Call.args.items[0], &s->views);
    }
    py_visit_children(node, scan_node, s);
    s->views = views;
}

static bool is_list(struct list_name a, struct list_name b) {
    return a.module == b.module && str_equal(a.name, b.name);
}

/* What stands before the routes of a list: by the first way that leads to it. */
static struct str prefix_of(struct scan *s, struct list_name list, int depth) {
    for (size_t i = 0; i < s->includes.count && depth < ROUTE_DEPTH_MAX; i++) {
        const struct include *include = &s->includes.items[i];
        if (is_list(include->inner, list) && !is_list(include->outer, list))
            return join(s, prefix_of(s, include->outer, depth + 1), include->pattern);
    }
    return STR("");
}

static void mark_route(struct scan *s, const struct route *route) {
    struct str prefix = prefix_of(s, route->list, 0);
    struct str path = str_printf(s->facts->arena, "/%.*s%.*s", STR_ARG(prefix),
                                 STR_ARG(route->pattern));
    if (route->class_ != NULL)
        root_set_view(s->facts, route->class_, path, route->is_router);
    else
        root_set(s->facts, route->func, DJANGO_ROOT_VIEW, true,
                 str_printf(s->facts->arena, "view %.*s", STR_ARG(path)));
}

void urls_find(struct django_facts *facts) {
    struct scan s = {.facts = facts};
    for (size_t i = 0; i < facts->modules.count; i++) {
        s.module = facts->modules.items[i];
        s.list = s.prefix = s.views = (struct str){0};
        py_visit_children(s.module->py->root, scan_node, &s);
    }
    for (size_t i = 0; i < s.routes.count; i++)
        mark_route(&s, &s.routes.items[i]);
}
