/* What is a root by its decorators, its class or the registry that names it; routes are urls.c's. */
#include "django/roots.h"

#include "base/assert.h"
#include "django/admin.h"
#include "django/signal.h"
#include "files/glob.h"

void root_set(struct django_facts *facts, struct py_func *func, enum django_root root, bool is_sure,
              struct str text) {
    if (func == NULL || func->function < 0)
        return;
    struct django_function *function = &facts->project->functions.items[func->function];
    function->is_root |= is_sure;
    if (function->root != DJANGO_ROOT_NONE && (!is_sure || function->is_root_named))
        return;
    function->root = root;
    function->root_text = text;
    function->is_root_named = is_sure && !str_is(text, "view");
}

/* The last name of a decorator: "shared_task" of @celery.shared_task(bind=True). */
static struct str decorator_name(const struct py_node *node) {
    if (node->kind == PY_Call)
        node = node->Call.func;
    return node->kind == PY_Attribute ? node->Attribute.attr
           : node->kind == PY_Name    ? node->Name.id
                                      : (struct str){0};
}

static void mark_decorated(struct django_facts *facts, struct py_func *func) {
    struct py_list decorators = func->node->FunctionDef.decorator_list;
    for (uint32_t i = 0; i < decorators.count; i++) {
        struct str name = decorator_name(decorators.items[i]);
        if (STR_IS_ONE_OF(name, "shared_task", "task", "periodic_task", "db_task", "db_periodic_task",
                      "job", "actor"))
            root_set(facts, func, DJANGO_ROOT_TASK, true, STR("task"));
        else if (str_is(name, "receiver") && func->owner == NULL)
            root_set(facts, func, DJANGO_ROOT_RECEIVER, false, STR("signal receiver"));
        else if (str_is(name, "api_view"))
            root_set(facts, func, DJANGO_ROOT_VIEW, true, STR("view"));
        else if (STR_IS_ONE_OF(name, "action", "detail_route", "list_route") && func->owner != NULL &&
                 is_view_class(facts, func->owner))
            root_set(facts, func, DJANGO_ROOT_VIEW, true, STR("view"));
        else if (str_is(name, "action") && decorators.items[i]->kind != PY_Name)
            root_set(facts, func, DJANGO_ROOT_ADMIN_ACTION, true, STR("admin action"));
    }
}

bool is_view_class(struct django_facts *facts, struct py_class *class_) {
    return class_has_external_base(facts, class_, "View") ||
           class_has_external_base(facts, class_, "ViewSet") ||
           class_has_external_base(facts, class_, "Viewset");
}

static const char *const handlers[] = {"get",    "post",   "put",     "patch",  "delete",
                                       "create", "update", "destroy", "list",   "retrieve",
                                       "partial_update"};
/* Called by a handler that the framework has, if the class has none of its own. */
static const char *const hooks[] = {"form_valid",      "form_invalid",   "perform_create",
                                    "perform_update",  "perform_destroy", "dispatch",
                                    "get_object",      "get_queryset",   "get_context_data",
                                    "formset_valid",   "forms_valid",    "get_success_url"};

static bool is_handler(struct str name) {
    return str_is_one_of(name, handlers, LW_COUNT_OF(handlers));
}

/* A route, and whether a router made it. */
struct way {
    struct str route;
    bool is_router;
};

static bool is_of_one(struct str name) {
    return STR_IS_ONE_OF(name, "retrieve", "update", "partial_update", "destroy", "perform_update",
                     "perform_destroy", "get_object");
}

/* @action(detail=True) */
static bool is_detail(const struct py_func *func) {
    struct py_list decorators = func->node->FunctionDef.decorator_list;
    for (uint32_t i = 0; i < decorators.count; i++) {
        const struct py_node *node = decorators.items[i];
        if (str_is(decorator_name(node), "detail_route"))
            return true;
        for (uint32_t k = 0; node->kind == PY_Call && k < node->Call.keywords.count; k++) {
            const struct py_node *keyword = node->Call.keywords.items[k];
            if (str_is(keyword->keyword.arg, "detail"))
                return keyword->keyword.value->constant == PY_CONST_True;
        }
    }
    return false;
}

/* "view /orders/<pk>/" */
static struct str view_text(struct django_facts *facts, struct way way, const struct py_func *func) {
    struct arena *arena = facts->arena;
    bool is_known = is_handler(func->name) || str_is_one_of(func->name, hooks, LW_COUNT_OF(hooks));
    if (!way.is_router || (is_known && !is_of_one(func->name)))
        return str_printf(arena, "view %.*s", STR_ARG(way.route));
    if (is_known)
        return str_printf(arena, "view %.*s<pk>/", STR_ARG(way.route));
    return str_printf(arena, "view %.*s%s%.*s/", STR_ARG(way.route), is_detail(func) ? "<pk>/" : "",
                      STR_ARG(func->name));
}

static void set_methods(struct django_facts *facts, struct py_class *class_, struct way way,
                        const char *const *names, size_t count, bool is_sure) {
    for (size_t i = 0; i < count; i++) {
        struct py_class *where;
        const struct binding *binding =
            class_find(facts, class_, str_from_c(names[i]), &where);
        if (binding == NULL || binding->kind != BIND_FUNC)
            continue;
        if (where != class_ && binding->func->root_class == NULL)
            binding->func->root_class = class_;
        root_set(facts, binding->func, DJANGO_ROOT_VIEW, is_sure,
                 view_text(facts, way, binding->func));
    }
}

void root_set_view(struct django_facts *facts, struct py_class *class_, struct str route,
                   bool is_router) {
    struct way way = {route, is_router};
    set_methods(facts, class_, way, handlers, LW_COUNT_OF(handlers), true);
    set_methods(facts, class_, way, hooks, LW_COUNT_OF(hooks), false);
    for (size_t i = 0; i < facts->funcs.count; i++) {
        const struct py_func *func = facts->funcs.items[i];
        struct django_function *function = &facts->project->functions.items[i];
        if (func->admin != NULL && func->admin->is_view && func->admin->class_ == class_)
            function->root_text = str_printf(facts->arena, "view %.*s%s", STR_ARG(way.route),
                                             way.is_router ? "<pk>/" : "");
        else if (func->owner == class_ && function->root == DJANGO_ROOT_VIEW)
            function->root_text = view_text(facts, way, func);
    }
}

/* def run_every(self, request, queryset) of a ModelAdmin */
static bool is_admin_action(const struct py_func *func) {
    struct py_list args = func->node->FunctionDef.args->arguments.args;
    return args.count == 3 && str_is(args.items[1]->arg.arg, "request") &&
           str_is(args.items[2]->arg.arg, "queryset") && !str_is(func->name, "get_search_results");
}

static struct str module_last(struct str name) {
    size_t dot = name.len;
    while (dot > 0 && name.ptr[dot - 1] != '.')
        dot--;
    return str_sub(name, dot, name.len);
}

static void mark_method(struct django_facts *facts, struct py_func *func) {
    struct py_class *class_ = func->owner;
    struct str name = func->name;
    if (STR_IS_ONE_OF(name, "handle", "handle_noargs", "handle_app_config", "handle_label") &&
        class_has_external_base(facts, class_, "Command"))
        root_set(facts, func, DJANGO_ROOT_COMMAND, str_starts(name, "handle"),
                 str_printf(facts->arena, "management command %.*s",
                            STR_ARG(module_last(func->module->name))));
    else if (str_is(name, "run") && class_has_external_base(facts, class_, "Task"))
        root_set(facts, func, DJANGO_ROOT_TASK, true, STR("task"));
    else if (STR_IS_ONE_OF(name, "mutate", "perform_mutation", "mutate_and_get_payload") &&
             class_has_external_base(facts, class_, "Mutation"))
        root_set(facts, func, DJANGO_ROOT_MUTATION, true,
                 str_printf(facts->arena, "mutation %.*s", STR_ARG(class_->name)));
    else if (STR_IS_ONE_OF(name, "__call__", "process_request", "process_view", "process_response",
                       "process_exception", "process_template_response") &&
             (str_ends(class_->name, "Middleware") ||
              class_has_external_base(facts, class_, "MiddlewareMixin")))
        root_set(facts, func, DJANGO_ROOT_MIDDLEWARE, true, STR("middleware"));
    else if (class_has_external_base(facts, class_, "Admin") && is_admin_action(func))
        root_set(facts, func, DJANGO_ROOT_ADMIN_ACTION, true, STR("admin action"));
    else if (class_has_external_base(facts, class_, "Admin") &&
             STR_IS_ONE_OF(name, "save_model", "delete_model", "save_related", "save_formset",
                       "delete_queryset", "get_queryset", "response_change", "response_add"))
        root_set(facts, func, DJANGO_ROOT_ADMIN, false, STR("admin"));
    else if (is_view_class(facts, class_) &&
             (is_handler(name) || str_is_one_of(name, hooks, LW_COUNT_OF(hooks))))
        root_set(facts, func, DJANGO_ROOT_VIEW, is_handler(name), STR("view"));
}

static bool takes_request(const struct py_func *func) {
    struct py_list args = func->node->FunctionDef.args->arguments.args;
    uint32_t first = func->owner != NULL ? 1 : 0;
    return args.count > first && str_is(args.items[first]->arg.arg, "request");
}

static void mark_function(struct django_facts *facts, struct py_func *func) {
    if (func->node == NULL)
        return;
    mark_decorated(facts, func);
    if (func->owner != NULL)
        mark_method(facts, func);
    else if (takes_request(func))
        root_set(facts, func, DJANGO_ROOT_VIEW, false, STR("view"));
}

void roots_find(struct django_facts *facts) {
    for (size_t i = 0; i < facts->funcs.count; i++) {
        struct py_func *func = facts->funcs.items[i];
        struct django_function *function = &facts->project->functions.items[i];
        mark_function(facts, func);
        if (func->admin != NULL && func->admin->is_view)
            root_set(facts, func, DJANGO_ROOT_VIEW, true, STR("view"));
        else if (func->admin != NULL)
            root_set(facts, func, DJANGO_ROOT_ADMIN, true,
                     str_printf(facts->arena, "admin form of %.*s",
                                STR_ARG(func->admin->model->name)));
        function->is_view |=
            function->root == DJANGO_ROOT_VIEW && func->owner == NULL && func->node != NULL;
    }
    for (size_t i = 0; i < facts->receivers.count; i++)
        root_set(facts, facts->receivers.items[i].func, DJANGO_ROOT_RECEIVER, false,
                 STR("signal receiver"));
    urls_find(facts);
}

bool django_name_roots(struct django_project *project, struct str pattern) {
    struct django_facts *facts = project->facts;
    bool is_found = false;
    for (size_t i = 0; i < facts->funcs.count; i++) {
        if (!glob_match(pattern, project->functions.items[i].symbol))
            continue;
        root_set(facts, facts->funcs.items[i], DJANGO_ROOT_NAMED, true, STR("named as a root"));
        is_found = true;
    }
    return is_found;
}
