/* Walks the paths given, parses every file, and puts the facts together. Files are taken in the order of
 * their paths, so that what is found never hangs on the order in which a folder lists them. */
#define _XOPEN_SOURCE 700 /* realpath */

#include "base/assert.h"
#include "base/file.h"
#include "django/types.h"
#include "django/admin.h"
#include "django/contrib.h"
#include "django/facts.h"
#include "django/roots.h"
#include "django/signal.h"
#include "python/parse.h"

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
    facts->texts.arena = arena;
    map_init(&facts->texts.texts, arena);
    map_init(&facts->texts.statements, arena);
    struct map *maps[] = {&facts->by_name,        &facts->by_path,       &facts->packages,
                          &facts->func_by_name,   &facts->model_by_label, &facts->model_by_name,
                          &facts->app_labels,     &facts->noted,         &facts->roots,
                          &facts->by_shown,       &facts->contrib};
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
    struct django_note note = {.span = span, .text = str_dup(facts->arena, text), .is_error = is_error};
    VEC_PUSH(facts->arena, &facts->project->notes, note);
    known = facts->project->notes.count;
    map_put(&facts->noted, key, (void *)known);
    return (uint32_t)(known - 1);
}

struct txn_span module_span(const struct module *module, const struct py_node *node) {
    struct txn_span span = {.path = module->path};
    span.start = (struct pos){node->line, node->start - module->py->line_starts[node->line - 1] + 1};

    span.end = py_pos_after(module->py, span.start, node->end);
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
    contrib_add(facts);
    models_build(facts);
    facts->is_bound = true; /* get_model() among the bases too */
    for (size_t i = 0; i < facts->classes.count; i++)
        class_line_up(facts, facts->classes.items[i]);
    schema_build(facts);
    callgraph_build(facts);
    admin_find(facts);
    signals_find(facts);
    views_find(facts);
    roots_find(facts);
    named_find(facts);
    types_build(facts);
    may_write_find(facts);
}

static struct str full_path_of(struct arena *arena, struct str path) {
    char *full = realpath(path.ptr, NULL);
    if (full == NULL)
        return path;
    struct str copy = str_dup(arena, str_from_c(full));
    free(full);
    return copy;
}

/* A path that leads up `depth` folders, and then down some of those again that `down` lists, without the detour. */
static struct str shortened(struct arena *arena, struct str path, size_t depth, struct str down) {
    struct str rest = str_sub(path, 3 * depth, path.len), shorter = {0};
    while (depth > 0 && down.len > 0) {
        size_t end = str_find(down, '/', 0);
        if (rest.len <= end || rest.ptr[end] != '/' ||
            !str_equal(str_sub(rest, 0, end), str_sub(down, 0, end)))
            break;
        rest = str_sub(rest, end + 1, rest.len);
        down = str_sub(down, end < down.len ? end + 1 : end, down.len);
        depth--;
    }
    for (size_t i = 0; i < depth; i++)
        shorter = str_printf(arena, "../%.*s", STR_ARG(shorter));
    return str_printf(arena, "%.*s%.*s", STR_ARG(shorter), STR_ARG(rest));
}

/* The last `depth` parts of the current folder's path. */
static struct str way_down(struct arena *arena, size_t depth) {
    struct str here = full_path_of(arena, STR("."));
    size_t at = here.len;
    for (size_t i = 0; i < depth && at > 0; i++)
        for (at--; at > 0 && here.ptr[at] != '/';)
            at--;
    return str_sub(here, at < here.len ? at + 1 : at, here.len);
}

bool path_leads_up(struct str path) {
    for (size_t i = 0; i < path.len; i++)
        if (path.ptr[i] != (i % 3 == 2 ? '/' : '.'))
            return false;
    return path.len % 3 == 2;
}

static void read_folder(struct django_facts *facts, struct file_walk *walk, struct str path,
                        struct str full_path, struct str project) {
    bool is_current = str_is(path, ".");
    size_t first = walk->paths.count;
    while (path.len > 1 && path.ptr[path.len - 1] == '/')
        path = str_dup(facts->arena, str_sub(path, 0, path.len - 1));
    file_walk_folder(walk, path, full_path, project);
    facts->with_tests |= walk->with_tests;
    size_t depth = path_leads_up(path) ? (path.len + 1) / 3 : 0;
    struct str down = depth > 0 ? way_down(facts->arena, depth) : (struct str){0};
    for (size_t i = first; i < walk->paths.count; i++) {
        struct str *found = &walk->paths.items[i];
        if (is_current)
            *found = str_sub(*found, 2, found->len);
        else if (depth > 0)
            *found = shortened(facts->arena, *found, depth, down);
    }
}

static bool read_root(struct django_facts *facts, struct file_walk *walk, const struct load_root *root,
                      struct err *err) {
    struct stat status;
    struct str path = str_dup(facts->arena, str_from_c(root->path)), project = {0};
    if (stat(root->path, &status) != 0) {
        err_set(err, (struct pos){0}, "%s", strerror(errno));
        return err_in_file(err, path);
    }
    if (!S_ISDIR(status.st_mode)) {
        VEC_PUSH(facts->arena, &walk->paths, path);
        facts->with_tests |= file_walk_is_test(path);
        return true;
    }
    struct str full_path = full_path_of(facts->arena, path);
    if (root->project != NULL)
        project = full_path_of(facts->arena, str_from_c(root->project));
    map_put(&facts->roots, full_path, walk);
    read_folder(facts, walk, path, full_path, project);
    facts->project->settings.is_before_2_0 |= requirements_before_2_0(full_path);
    return true;
}

static int compare_paths(const void *a, const void *b) {
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

static bool read_text(struct arena *arena, const struct file_options *options, struct str path,
                      struct str *text, struct err *err) {
    const struct map *texts = options != NULL ? options->texts : NULL;
    const struct str *other = texts != NULL ? map_get(texts, path) : NULL;
    if (other == NULL)
        return file_read(arena, path.ptr, text, err);
    *text = *other;
    return true;
}

bool django_load_roots(struct arena *arena, struct text_pool *pool, const struct load_root *roots,
                       size_t root_count, const struct file_options *options,
                       struct django_project **project, struct err *err) {
    struct django_facts *facts = facts_new(arena, pool);
    struct file_walk walk;
    file_walk_init(&walk, arena, options);
    for (size_t i = 0; i < root_count; i++)
        if (!read_root(facts, &walk, &roots[i], err))
            return false;
    for (size_t i = 0; i < walk.failures.count; i++)
        facts_note(facts, (struct txn_span){.path = walk.failures.items[i].path}, true,
                   str_printf(arena, "cannot read the folder: %.*s",
                              STR_ARG(walk.failures.items[i].reason)));
    if (walk.paths.count > 0)
        qsort(walk.paths.items, walk.paths.count, sizeof(struct str), compare_paths);
    for (size_t i = 0; i < walk.paths.count; i++) {
        struct str path = walk.paths.items[i], text;
        struct str full_path = full_path_of(arena, path);
        struct err file_err;
        if (map_has(&facts->by_path, full_path))
            continue;
        if (read_text(arena, options, path, &text, &file_err)) {
            facts_add_file(facts, path, full_path, text);
            continue;
        }
        facts_note(facts, (struct txn_span){.path = path}, true, str_from_c(file_err.message));
        facts->project->file_count++;
        facts->project->broken_file_count++;
    }
    bool is_before_2_0 = facts->project->settings.is_before_2_0;
    facts_finish(facts);
    facts->project->settings.is_before_2_0 = is_before_2_0;
    *project = facts->project;
    return true;
}

bool django_load(struct arena *arena, struct text_pool *pool, const char *const *paths,
                 size_t path_count, const struct file_options *options,
                 struct django_project **project, struct err *err) {
    struct load_root *roots = ARENA_ARRAY(arena, struct load_root, path_count);
    for (size_t i = 0; i < path_count; i++)
        roots[i] = (struct load_root){paths[i], paths[i]};
    return django_load_roots(arena, pool, roots, path_count, options, project, err);
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

struct str django_full_path(const struct django_project *project, struct str path) {
    const struct module *module = map_get(&project->facts->by_shown, path);
    return module != NULL ? module->full_path : path;
}

const struct py_module *django_module(const struct django_project *project, struct str path) {
    const struct module *module = map_get(&project->facts->by_shown, path);
    return module != NULL ? module->py : NULL;
}

struct str django_source(const struct django_project *project, struct str path) {
    const struct py_module *module = django_module(project, path);
    return module != NULL ? module->text : (struct str){0};
}
