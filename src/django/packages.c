/* Which folders are packages: those with an __init__.py, and those that the project's own sources take for
 * one, since Python asks for no such file (PEP 420). `from shop.models import X` that finds shop/models.py makes a
 * package of shop/, `from .models import X` one of the folder it stands in, and Django wants models.py in one
 * (not so of a folder that the user names: there the file may stand alone). */
#include "django/facts.h"

#include <sys/stat.h>

struct str folder_of(struct str path) {
    size_t len = path.len;
    while (len > 0 && path.ptr[len - 1] != '/')
        len--;
    return str_sub(path, 0, len > 0 ? len - 1 : 0);
}

static void set_package(struct django_facts *facts, struct str folder, const char *is_package) {
    map_put(&facts->packages, str_dup(facts->arena, folder), (void *)(uintptr_t)is_package);
}

bool is_package_folder(struct django_facts *facts, struct str folder) {
    const char *known = map_get(&facts->packages, folder);
    if (known == NULL) {
        struct str init = str_printf(facts->arena, "%.*s/__init__.py", STR_ARG(folder));
        struct stat status;
        known = map_has(&facts->by_path, init) || stat(init.ptr, &status) == 0 ? "1" : "0";
        set_package(facts, folder, known);
    }
    return known[0] == '1';
}

struct inference {
    struct django_facts *facts;
    bool has_marked;
};

/* The `count` innermost folders around the file. */
static void mark_folders(struct inference *inference, struct str path, size_t count) {
    struct django_facts *facts = inference->facts;
    for (size_t i = 0; i < count; i++) {
        path = folder_of(path);
        if (path.len == 0)
            return;
        if (is_package_folder(facts, path))
            continue;
        set_package(facts, path, "1");
        inference->has_marked = true;
    }
}

static void mark_absolute(struct inference *inference, const struct module *from, struct str dotted) {
    struct module *target = module_find(inference->facts, from, dotted);
    size_t dots = 0;
    for (size_t i = 0; i < dotted.len; i++)
        dots += dotted.ptr[i] == '.';
    if (target != NULL && !target->is_package)
        mark_folders(inference, target->full_path, dots);
}

static void read_import(struct inference *inference, struct module *module,
                        const struct py_node *node) {
    struct py_list names;
    if (node->kind == PY_Import) {
        names = node->Import.names;
        for (uint32_t i = 0; i < names.count; i++)
            mark_absolute(inference, module, names.items[i]->alias.name);
        return;
    }
    if (node->ImportFrom.level > 0) {
        mark_folders(inference, module->full_path, node->ImportFrom.level);
        return;
    }
    mark_absolute(inference, module, node->ImportFrom.module);
    names = node->ImportFrom.names;
    for (uint32_t i = 0; i < names.count; i++) /* from shop import models */
        mark_absolute(inference, module,
                      str_printf(inference->facts->arena, "%.*s.%.*s", STR_ARG(node->ImportFrom.module),
                                 STR_ARG(names.items[i]->alias.name)));
}

bool packages_infer(struct django_facts *facts) {
    struct inference inference = {.facts = facts};
    for (size_t i = 0; i < facts->modules.count; i++) {
        struct module *module = facts->modules.items[i];
        struct py_list body = module->py->root->Module.body;
        for (uint32_t k = 0; k < body.count; k++)
            if (body.items[k]->kind == PY_Import || body.items[k]->kind == PY_ImportFrom)
                read_import(&inference, module, body.items[k]);
        struct str manage = str_printf(facts->arena, "%.*s/manage.py",
                                       STR_ARG(folder_of(module->full_path)));
        if (str_ends(module->full_path, "/models.py") && !map_has(&facts->by_path, manage) &&
            !map_has(&facts->roots, folder_of(module->full_path)))
            mark_folders(&inference, module->full_path, 1);
    }
    return inference.has_marked;
}
