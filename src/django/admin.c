/* Where models are registered with the admin. */
#include "django/admin.h"

#include "base/assert.h"

struct registering {
    struct django_facts *facts;
    struct module *module;
};

/* A site of Django's, or an instance of the project's own AdminSite. */
static bool is_admin_site(struct django_facts *facts, struct module *module,
                          const struct py_node *node) {
    struct symbol symbol = symbol_of_expr(facts, module, node);
    if (symbol.kind == SYMBOL_EXTERNAL)
        return str_ends(symbol.dotted, "admin.site") || str_ends(symbol.dotted, "admin.sites.site");
    if (symbol.kind != SYMBOL_VALUE || symbol.value == NULL || symbol.value->kind != PY_Call)
        return false;
    struct symbol made = symbol_of_expr(facts, symbol.module, symbol.value->Call.func);
    if (made.kind == SYMBOL_EXTERNAL)
        return str_ends(made.dotted, "AdminSite");
    return made.kind == SYMBOL_CLASS && class_has_external_base(facts, made.class_, "AdminSite");
}

/* has_change_permission() that only says no: the admin shows rows, and writes none. */
static bool can_change(struct django_facts *facts, struct py_class *class_) {
    struct py_class *where;
    const struct binding *binding =
        class_ == NULL ? NULL : class_find(facts, class_, STR("has_change_permission"), &where);
    if (binding == NULL || binding->kind != BIND_FUNC)
        return true;
    struct py_list body = binding->func->node->FunctionDef.body;
    const struct py_node *last = body.items[body.count - 1];
    struct value value;
    return !(body.count <= 2 && last->kind == PY_Return && last->Return.value != NULL &&
             constant_value(facts, where->module, where, last->Return.value, &value) &&
             value.kind == VALUE_BOOL && value.number == 0);
}

/* Methods of the project that are run as parts of the change view are nobody's entry. */
static void add_calls(struct django_facts *facts, size_t caller, struct py_class *class_) {
    static const char *const names[] = {"save_model", "get_queryset"};
    for (size_t i = 0; class_ != NULL && i < LW_COUNT_OF(names); i++) {
        struct py_class *where;
        const struct binding *binding = class_find(facts, class_, str_from_c(names[i]), &where);
        if (binding != NULL && binding->kind == BIND_FUNC)
            callgraph_add(facts, caller, binding->func);
    }
}

/* What else writes: the change list's own form, and functions that are handed the rows somebody ticked. */
static void note_unseen(struct django_facts *facts, struct py_class *class_) {
    static const struct {
        const char *name, *text;
    } notes[] = {{"list_editable", "the save of rows edited in the admin's change list is not modelled"},
                 {"actions", "the rows that the admin hands to its actions are not modelled"}};
    for (size_t i = 0; class_ != NULL && i < LW_COUNT_OF(notes); i++) {
        struct py_class *where;
        const struct binding *binding =
            class_find(facts, class_, str_from_c(notes[i].name), &where);
        const struct py_node *value =
            binding != NULL && binding->kind == BIND_VALUE ? binding->value : NULL;
        bool is_empty = value == NULL || value->kind == PY_Constant ||
                        (value->kind == PY_List && value->List.elts.count == 0) ||
                        (value->kind == PY_Tuple && value->Tuple.elts.count == 0);
        if (!is_empty)
            facts_note(facts, module_span(where->module, binding->node), false,
                       str_from_c(notes[i].text));
    }
}

static void add_function(struct registering *r, const struct py_node *node, struct model *model,
                         struct symbol admin_class, bool is_shared) {
    struct django_facts *facts = r->facts;
    struct admin *admin = ARENA_NEW(facts->arena, struct admin);
    struct py_func *func = ARENA_NEW(facts->arena, struct py_func);
    admin->model = model;
    admin->class_ = admin_class.kind == SYMBOL_CLASS ? admin_class.class_ : NULL;
    admin->span = module_span(r->module, node);
    if (admin_class.kind == SYMBOL_EXTERNAL && !str_ends(admin_class.dotted, "admin.ModelAdmin"))
        admin->outside = admin_class.dotted;
    func->name = admin->class_ != NULL ? admin->class_->name : model->name;
    func->module = r->module;
    func->admin = admin;
    func->function = (int)facts->project->functions.count;
    func->touches_orm = true;
    struct django_function function = {
        .span = admin->span, .path = r->module->path, .touches_orm = true, .is_summary = true};
    if (admin->class_ == NULL)
        function.symbol =
            str_printf(facts->arena, "%.*s (%.*s)", STR_ARG(r->module->name), STR_ARG(model->name));
    else
        function.symbol = str_printf(facts->arena, "%.*s.%.*s",
                                     STR_ARG(admin->class_->module->name), STR_ARG(func->name));
    if (admin->class_ != NULL && is_shared)
        function.symbol =
            str_printf(facts->arena, "%.*s (%.*s)", STR_ARG(function.symbol), STR_ARG(model->name));
    VEC_PUSH(facts->arena, &facts->project->functions, function);
    VEC_PUSH(facts->arena, &facts->funcs, func);
    add_calls(facts, (size_t)func->function, admin->class_);
    note_unseen(facts, admin->class_);
}

void admin_add_view(struct django_facts *facts, struct py_class *class_, struct model *model) {
    struct registering r = {.facts = facts, .module = class_->module};
    struct symbol symbol = {.kind = SYMBOL_CLASS, .class_ = class_};
    add_function(&r, class_->node, model, symbol, false);
    struct admin *admin = ARENA_NEW(facts->arena, struct admin);
    struct py_func *func = facts->funcs.items[facts->funcs.count - 1];
    *admin = *func->admin;
    admin->is_view = true;
    func->admin = admin;
    facts->project->functions.items[func->function].is_edit_view = true;
}

/* A model of the project, or several in a list. */
static void register_models(struct registering *r, const struct py_node *node,
                            struct symbol admin_class, bool is_shared) {
    if (node->kind == PY_List || node->kind == PY_Tuple) {
        struct py_list models = node->kind == PY_List ? node->List.elts : node->Tuple.elts;
        for (uint32_t i = 0; i < models.count; i++)
            if (models.items[i]->kind != PY_List && models.items[i]->kind != PY_Tuple)
                register_models(r, models.items[i], admin_class, models.count > 1);
        return;
    }
    struct symbol symbol = symbol_of_expr(r->facts, r->module, node);
    struct model *model = NULL;
    if (symbol.kind == SYMBOL_CLASS)
        model = class_model(r->facts, symbol.class_);
    else if (node->kind == PY_Call)
        model = model_of_call(r->facts, r->module, node);
    if (model == NULL && symbol.kind != SYMBOL_EXTERNAL)
        facts_note(r->facts, module_span(r->module, node), false,
                   STR("the model registered with the admin here is not known"));
    if (model != NULL && !model->is_abstract && model->table >= 0 &&
        can_change(r->facts, admin_class.class_))
        add_function(r, node, model, admin_class, is_shared);
}

static const struct py_node *keyword(const struct py_node *call, const char *name) {
    for (uint32_t i = 0; i < call->Call.keywords.count; i++)
        if (str_is(call->Call.keywords.items[i]->keyword.arg, name))
            return call->Call.keywords.items[i]->keyword.value;
    return NULL;
}

/* site.register(Model, Admin) at the top level of a module, also inside of if, try and for. */
static void scan_statement(const struct py_node *node, void *context) {
    struct registering *r = context;
    if (node->kind == PY_FunctionDef || node->kind == PY_AsyncFunctionDef ||
        node->kind == PY_ClassDef || node->kind == PY_Lambda)
        return;
    if (node->kind == PY_Call && node->Call.func->kind == PY_Attribute &&
        node->Call.args.count > 0 && str_is(node->Call.func->Attribute.attr, "register") &&
        is_admin_site(r->facts, r->module, node->Call.func->Attribute.value)) {
        const struct py_node *class_ =
            node->Call.args.count > 1 ? node->Call.args.items[1] : keyword(node, "admin_class");
        struct symbol symbol = {0};
        if (class_ != NULL)
            symbol = symbol_of_expr(r->facts, r->module, class_);
        register_models(r, node->Call.args.items[0], symbol, false);
        return;
    }
    py_visit_children(node, scan_statement, context);
}

/* @admin.register(Model, ...) over a class. */
static void scan_class(struct registering *r, struct py_class *class_) {
    struct py_list decorators = class_->node->ClassDef.decorator_list;
    struct symbol symbol = {.kind = SYMBOL_CLASS, .class_ = class_};
    r->module = class_->module;
    for (uint32_t i = 0; i < decorators.count; i++) {
        const struct py_node *call = decorators.items[i];
        if (call->kind != PY_Call)
            continue;
        struct symbol callee = symbol_of_expr(r->facts, class_->module, call->Call.func);
        if (callee.kind != SYMBOL_EXTERNAL ||
            !(str_ends(callee.dotted, "admin.register") ||
              str_ends(callee.dotted, "admin.decorators.register")))
            continue;
        for (uint32_t k = 0; k < call->Call.args.count; k++)
            register_models(r, call->Call.args.items[k], symbol, call->Call.args.count > 1);
    }
}

void admin_find(struct django_facts *facts) {
    struct registering r = {.facts = facts};
    for (size_t i = 0; i < facts->classes.count; i++)
        scan_class(&r, facts->classes.items[i]);
    for (size_t i = 0; i < facts->modules.count; i++) {
        r.module = facts->modules.items[i];
        py_visit_children(r.module->py->root, scan_statement, &r);
    }
}
