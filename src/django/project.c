/* Walks the paths given, parses every file, and puts the facts together. Files are taken in the order of
 * their paths, so that what is found never hangs on the order in which a folder lists them. */
#define _XOPEN_SOURCE 700 /* realpath */

#include "base/assert.h"
#include "base/file.h"
#include "django/admin.h"
#include "django/facts.h"
#include "django/roots.h"
#include "django/signal.h"
#include "python/parse.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { FOLDER_DEPTH_MAX = 64 };

struct django_facts *facts_new(struct arena *arena, struct text_pool *pool) {
    struct django_facts *facts = ARENA_NEW(arena, struct django_facts);
    facts->arena = arena;
    facts->pool = pool;
    facts->project = ARENA_NEW(arena, struct django_project);
    facts->project->facts = facts;
    struct map *maps[] = {&facts->by_name,        &facts->by_path,       &facts->packages,
                          &facts->func_by_name,   &facts->model_by_label, &facts->model_by_name,
                          &facts->app_labels,     &facts->noted,         &facts->roots,
                          &facts->by_shown};
    for (size_t i = 0; i < LW_COUNT_OF(maps); i++)
        map_init(maps[i], arena);
    facts->default_auto_field = STR("AutoField");
    facts->user_model = STR("auth.User");
    return facts;
}

uint32_t facts_note(struct django_facts *facts, struct txn_span span, bool is_error,
                    struct str text) {
    struct str key = str_printf(facts->arena, "%.*s:%u:%u:%.*s", STR_ARG(span.path), span.start.line,
                                span.start.column, STR_ARG(text));
    uintptr_t known = (uintptr_t)map_get(&facts->noted, key);
    if (known > 0)
        return (uint32_t)(known - 1);
    struct django_note note = {span, str_dup(facts->arena, text), is_error};
    VEC_PUSH(facts->arena, &facts->project->notes, note);
    known = facts->project->notes.count;
    map_put(&facts->noted, key, (void *)known);
    return (uint32_t)(known - 1);
}

struct txn_span module_span(const struct module *module, const struct py_node *node) {
    struct txn_span span = {.path = module->path};
    span.start = py_pos(module->py, node->start);
    span.end = py_pos(module->py, node->end);
    return span;
}

struct str module_text(const struct module *module, const struct py_node *node) {
    return str_sub(module->py->text, node->start, node->end);
}

static void add_name(struct django_facts *facts, struct str name, struct module *module) {
    struct module_list *list = map_get(&facts->by_name, name);
    if (list == NULL) {
        list = ARENA_NEW(facts->arena, struct module_list);
        map_put(&facts->by_name, name, list);
    }
    VEC_PUSH(facts->arena, &list->items, module);
}

/* Each folder above that is no package itself may be on sys.path, so a module has a name from each. The
 * first such folder gives the name that is shown. */
static void name_module(struct django_facts *facts, struct module *module) {
    struct str folder = folder_of(module->full_path);
    struct str base = str_sub(module->full_path, folder.len > 0 ? folder.len + 1 : 0,
                              module->full_path.len - 3);
    struct str name = module->is_package ? (struct str){0} : base;
    module->name = (struct str){0};
    for (int depth = 0; depth < FOLDER_DEPTH_MAX && folder.len > 0; depth++) {
        if (name.len > 0 && !is_package_folder(facts, folder)) {
            if (module->name.len == 0)
                module->name = name;
            add_name(facts, name, module);
        }
        struct str outer = folder_of(folder);
        size_t from = outer.len > 0 || folder.ptr[0] == '/' ? outer.len + 1 : 0;
        struct str part = str_sub(folder, from < folder.len ? from : folder.len, folder.len);
        name = name.len == 0 ? part
                             : str_printf(facts->arena, "%.*s.%.*s", STR_ARG(part), STR_ARG(name));
        folder = outer;
    }
    if (name.len > 0 && module->name.len == 0)
        module->name = name;
    if (name.len > 0)
        add_name(facts, name, module);
}

static void name_modules(struct django_facts *facts) {
    map_init(&facts->by_name, facts->arena);
    for (size_t i = 0; i < facts->modules.count; i++)
        name_module(facts, facts->modules.items[i]);
}

void facts_add_file(struct django_facts *facts, struct str path, struct str full_path,
                    struct str text) {
    struct module *module = ARENA_NEW(facts->arena, struct module);
    module->path = path;
    module->full_path = full_path;
    module->text = text;
    module->is_package = str_ends(full_path, "/__init__.py") || str_is(full_path, "__init__.py");
    module->py = py_parse(facts->arena, text);
    for (uint32_t i = 0; i < module->py->error_count; i++) {
        struct txn_span span = {path, module->py->errors[i].pos, module->py->errors[i].pos};
        facts_note(facts, span, true, str_from_c(module->py->errors[i].message));
    }
    facts->project->file_count++;
    facts->project->line_count += module->py->line_count - (text.len == 0 || str_ends(text, "\n"));
    facts->project->broken_file_count += module->py->error_count > 0;
    map_put(&facts->by_path, full_path, module);
    map_put(&facts->by_shown, path, module);
    VEC_PUSH(facts->arena, &facts->modules, module);
}

void facts_finish(struct django_facts *facts) {
    name_modules(facts);
    if (packages_infer(facts))
        name_modules(facts);
    for (size_t i = 0; i < facts->modules.count; i++)
        module_bind(facts, facts->modules.items[i]);
    settings_read(facts);
    models_build(facts);
    schema_build(facts);
    callgraph_build(facts);
    admin_find(facts);
    signals_find(facts);
    roots_find(facts);
    views_note(facts);
}

struct walk {
    struct django_facts *facts;
    VEC(struct str) paths;
    bool is_before_2_0; /* Django, by the requirements */
};

static bool is_skipped_folder(const char *name) {
    static const char *const names[] = {"node_modules", "migrations", "tests", "test", "venv", "env",
                                        "virtualenv", "site-packages", "__pycache__"};
    if (name[0] == '.')
        return true;
    for (size_t i = 0; i < LW_COUNT_OF(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static bool is_source(struct str name) {
    return str_ends(name, ".py") && !str_starts(name, "test_") && !str_ends(name, "_test.py") &&
           !str_is(name, "tests.py") && !str_is(name, "conftest.py");
}

static void walk_folder(struct walk *walk, struct str folder, int depth) {
    struct django_facts *facts = walk->facts;
    struct txn_span span = {.path = folder};
    struct dirent **entries;
    int count = depth < FOLDER_DEPTH_MAX ? scandir(folder.ptr, &entries, NULL, alphasort) : -1;
    if (count < 0) {
        facts_note(facts, span, true,
                   str_printf(facts->arena, "cannot read the folder: %s", strerror(errno)));
        return;
    }
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        struct str path = str_printf(facts->arena, "%.*s%s%s", STR_ARG(folder),
                                     str_ends(folder, "/") ? "" : "/", name);
        struct stat status, venv;
        if (name[0] != '.' && lstat(path.ptr, &status) == 0) {
            if (S_ISDIR(status.st_mode) && !is_skipped_folder(name) &&
                stat(str_printf(facts->arena, "%.*s/pyvenv.cfg", STR_ARG(path)).ptr, &venv) != 0)
                walk_folder(walk, path, depth + 1);
            else if (S_ISREG(status.st_mode) && is_source(str_from_c(name)))
                VEC_PUSH(facts->arena, &walk->paths, path);
        }
        free(entries[i]);
    }
    free(entries);
}

static struct str full_path_of(struct arena *arena, struct str path) {
    char *full = realpath(path.ptr, NULL);
    if (full == NULL)
        return path;
    struct str copy = str_dup(arena, str_from_c(full));
    free(full);
    return copy;
}

static bool walk_path(struct walk *walk, const char *path, struct err *err) {
    struct stat status;
    struct str text = str_dup(walk->facts->arena, str_from_c(path));
    if (stat(path, &status) != 0) {
        err_set(err, (struct pos){0}, "%s", strerror(errno));
        return err_in_file(err, text);
    }
    if (!S_ISDIR(status.st_mode)) {
        VEC_PUSH(walk->facts->arena, &walk->paths, text);
        return true;
    }
    struct str full_path = full_path_of(walk->facts->arena, text);
    map_put(&walk->facts->roots, full_path, walk);
    walk->is_before_2_0 |= requirements_before_2_0(full_path);
    while (text.len > 1 && text.ptr[text.len - 1] == '/')
        text = str_dup(walk->facts->arena, str_sub(text, 0, text.len - 1));
    if (str_is(text, ".")) {
        size_t first = walk->paths.count;
        walk_folder(walk, STR("."), 0);
        for (size_t i = first; i < walk->paths.count; i++)
            walk->paths.items[i] = str_sub(walk->paths.items[i], 2, walk->paths.items[i].len);
        return true;
    }
    walk_folder(walk, text, 0);
    return true;
}

static int compare_paths(const void *a, const void *b) {
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

bool django_load(struct arena *arena, struct text_pool *pool, const char *const *paths,
                 size_t path_count, struct django_project **project, struct err *err) {
    struct django_facts *facts = facts_new(arena, pool);
    struct walk walk = {.facts = facts};
    for (size_t i = 0; i < path_count; i++)
        if (!walk_path(&walk, paths[i], err))
            return false;
    if (walk.paths.count > 0)
        qsort(walk.paths.items, walk.paths.count, sizeof(struct str), compare_paths);
    for (size_t i = 0; i < walk.paths.count; i++) {
        struct str path = walk.paths.items[i], text;
        struct str full_path = full_path_of(arena, path);
        struct err file_err;
        if (map_has(&facts->by_path, full_path))
            continue;
        if (file_read(arena, path.ptr, &text, &file_err)) {
            facts_add_file(facts, path, full_path, text);
            continue;
        }
        facts_note(facts, (struct txn_span){.path = path}, true, str_from_c(file_err.message));
        facts->project->file_count++;
        facts->project->broken_file_count++;
    }
    facts_finish(facts);
    facts->project->settings.is_before_2_0 = walk.is_before_2_0;
    *project = facts->project;
    return true;
}

/* "increment", "Counter.increment". */
static struct str local_name(struct arena *arena, const struct py_func *func) {
    if (func->owner == NULL)
        return func->name;
    return str_printf(arena, "%.*s.%.*s", STR_ARG(func->owner->name), STR_ARG(func->name));
}

size_t django_function_names(struct arena *arena, const struct django_project *project,
                             struct str path, const char ***names) {
    struct str full_path = full_path_of(arena, str_dup(arena, path));
    size_t count = 0;
    *names = ARENA_ARRAY(arena, const char *, project->functions.count);
    for (size_t i = 0; i < project->functions.count; i++) {
        const struct py_func *func = project->facts->funcs.items[i];
        if (str_equal(func->module->full_path, full_path))
            (*names)[count++] = str_to_c(arena, local_name(arena, func));
    }
    return count;
}

int django_find_function(const struct django_project *project, struct str path, struct str name) {
    struct arena scratch = {0};
    struct str full_path = full_path_of(&scratch, str_dup(&scratch, path));
    int found = -1;
    for (size_t i = 0; i < project->functions.count; i++) {
        const struct py_func *func = project->facts->funcs.items[i];
        if (str_equal(func->module->full_path, full_path) &&
            str_equal(local_name(&scratch, func), name))
            found = (int)i; /* a later definition takes the name */
    }
    arena_release(&scratch);
    return found;
}

size_t django_files(struct arena *arena, const struct django_project *project, struct str **paths) {
    size_t count = project->facts->modules.count;
    *paths = ARENA_ARRAY(arena, struct str, count);
    for (size_t i = 0; i < count; i++)
        (*paths)[i] = project->facts->modules.items[i]->path;
    return count;
}

const struct py_module *django_module(const struct django_project *project, struct str path) {
    const struct module *module = map_get(&project->facts->by_shown, path);
    return module != NULL ? module->py : NULL;
}

struct str django_source(const struct django_project *project, struct str path) {
    const struct py_module *module = django_module(project, path);
    return module != NULL ? module->text : (struct str){0};
}
