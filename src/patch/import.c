/* Names that edits need, and the imports that give them. */
#include "patch/make.h"

/* The name under which the module's own imports have `from package import attr`; empty: they don't. */
static struct str imported_as(const struct module *module, const char *package, const char *attr) {
    struct py_list body = module->py->root->Module.body;
    for (uint32_t i = 0; i < body.count; i++) {
        const struct py_node *node = body.items[i];
        if (node->kind != PY_ImportFrom || node->ImportFrom.level > 0 ||
            !str_is(node->ImportFrom.module, package))
            continue;
        for (uint32_t k = 0; k < node->ImportFrom.names.count; k++) {
            const struct py_node *alias = node->ImportFrom.names.items[k];
            if (str_is(alias->alias.name, attr))
                return alias->alias.asname.ptr != NULL ? alias->alias.asname : alias->alias.name;
        }
    }
    return (struct str){0};
}

static bool is_import(const struct py_node *node) {
    return node->kind == PY_Import || node->kind == PY_ImportFrom;
}

static bool is_docstring(const struct py_node *node) {
    return node->kind == PY_Expr && node->Expr.value->kind == PY_Constant &&
           node->Expr.value->constant == PY_CONST_Str;
}

/* Of a module of the project itself: such imports stand last. */
static bool is_own_import(struct making *m, const struct module *module, const struct py_node *node) {
    struct str name = node->kind == PY_ImportFrom ? node->ImportFrom.module
                                                  : node->Import.names.items[0]->alias.name;
    return (node->kind == PY_ImportFrom && node->ImportFrom.level > 0) ||
           module_find(m->source->facts, module, name) != NULL;
}

/* The statement behind which the line belongs, or else (`*before`) that before which: sorted in among the module's imports
 * of Django; else behind its last import from outside of the project. */
static const struct py_node *neighbour(struct making *m, const struct module *module,
                                       const char *package, const struct py_node **before) {
    struct py_list body = module->py->root->Module.body;
    const struct py_node *behind = NULL, *last = NULL;
    *before = NULL;
    for (uint32_t i = 0; i < body.count; i++) {
        const struct py_node *node = body.items[i];
        if (!is_import(node) && !(i == 0 && is_docstring(node)))
            break;
        if (is_import(node) && is_own_import(m, module, node)) {
            if (*before == NULL && last == NULL)
                *before = node;
            continue;
        }
        last = node;
        if (node->kind != PY_ImportFrom || !str_starts(node->ImportFrom.module, "django"))
            continue;
        if (str_compare(node->ImportFrom.module, str_from_c(package)) <= 0)
            behind = node;
        else if (*before == NULL && behind == NULL)
            *before = node;
    }
    if (behind != NULL)
        *before = NULL;
    if (behind == NULL && *before == NULL) {
        behind = last;
        if (behind == NULL && body.count > 0)
            *before = body.items[0];
    }
    return behind;
}

/* `from package import attr`: a name more in an import that is there, or a line. */
static bool write_import(struct making *m, struct module *module, const char *package,
                       const char *attr) {
    struct py_list body = module->py->root->Module.body;
    for (uint32_t i = 0; i < body.count; i++) {
        const struct py_node *node = body.items[i];
        if (node->kind != PY_ImportFrom || node->ImportFrom.level > 0 ||
            !str_is(node->ImportFrom.module, package) || node->ImportFrom.names.count == 0)
            continue;
        const struct py_node *last =
            node->ImportFrom.names.items[node->ImportFrom.names.count - 1];
        if (str_is(last->alias.name, "*"))
            continue;
        return add(m, module, last->end, last->end, str_printf(m->arena, ", %s", attr));
    }
    const struct py_node *before;
    const struct py_node *behind = neighbour(m, module, package, &before);
    struct str line = str_printf(m->arena, "from %s import %s", package, attr);
    if (behind == NULL && before == NULL)
        return refuse(m, "there is no place for an import");
    if (behind == NULL)
        return add_line_before(m, module, before, line);
    if (is_docstring(behind))
        line = str_printf(m->arena, "%.*s%.*s", STR_ARG(line_end(module)), STR_ARG(line));
    return add_line_behind(m, module, behind, line);
}

static bool add_import(struct making *m, struct module *module, const char *package,
                       const char *attr) {
    m->is_import = true;
    bool ok = write_import(m, module, package, attr);
    m->is_import = false;
    return ok;
}

bool name_f(struct making *m, struct module *module, struct str *name) {
    *name = imported_as(module, "django.db.models", "F");
    if (name->len > 0)
        return true;
    struct str models = imported_as(module, "django.db", "models");
    if (models.len > 0) {
        *name = str_printf(m->arena, "%.*s.F", STR_ARG(models));
        return true;
    }
    if (map_has(&module->names, STR("F")))
        return refuse(m, "F is something else in the file");
    *name = STR("F");
    return add_import(m, module, "django.db.models", "F");
}

bool name_atomic(struct making *m, struct module *module, struct str *name) {
    *name = imported_as(module, "django.db.transaction", "atomic");
    if (name->len > 0)
        return true;
    struct str transaction = imported_as(module, "django.db", "transaction");
    if (transaction.len == 0) {
        if (map_has(&module->names, STR("transaction")))
            return refuse(m, "`transaction` is something else in the file");
        transaction = STR("transaction");
        if (!add_import(m, module, "django.db", "transaction"))
            return false;
    }
    *name = str_printf(m->arena, "%.*s.atomic", STR_ARG(transaction));
    return true;
}

struct manager_search {
    bool has_objects, has_other;
};

static bool is_manager(const struct py_node *value) {
    if (value == NULL || value->kind != PY_Call)
        return false;
    const struct py_node *func = value->Call.func;
    if (func->kind == PY_Call) /* Manager.from_queryset(...)() */
        return is_call_of(func, "from_queryset");
    struct str name = func->kind == PY_Name        ? func->Name.id
                      : func->kind == PY_Attribute ? func->Attribute.attr
                                                   : (struct str){0};
    return str_ends(name, "Manager") || str_is(name, "as_manager");
}

static bool visit_managers(void *context, struct py_class *class_, struct str external) {
    struct manager_search *search = context;
    (void)external;
    for (size_t i = 0; class_ != NULL && i < class_->names.count; i++) {
        const struct binding *binding = class_->names.entries[i].value;
        if (str_is(class_->names.entries[i].key, "objects"))
            search->has_objects = true;
        else if (binding->kind == BIND_VALUE && is_manager(binding->value))
            search->has_other = true;
    }
    return search->has_objects;
}

bool has_objects(struct making *m, struct py_class *class_) {
    struct manager_search search = {false, false};
    class_walk(m->source->facts, class_, visit_managers, &search);
    return search.has_objects || !search.has_other;
}

bool name_model(struct making *m, struct module *module, struct str *name) {
    if (m->model == NULL || m->model->class_ == NULL)
        return refuse(m, "the model is not known");
    for (size_t i = 0; i < module->names.count; i++) {
        struct str candidate = module->names.entries[i].key;
        struct symbol symbol = symbol_resolve(m->source->facts, module, candidate);
        if (symbol.kind == SYMBOL_CLASS && symbol.class_ == m->model->class_) {
            *name = candidate;
            return true;
        }
    }
    return refuse(m, "the file has no name for the model");
}
