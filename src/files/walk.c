#define _XOPEN_SOURCE 700 /* scandir, lstat */

#include "files/walk.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { FOLDER_DEPTH_MAX = 64 };

void file_walk_init(struct file_walk *walk, struct arena *arena, const struct file_options *options) {
    static const struct file_options plain = {0};
    *walk = (struct file_walk){.arena = arena, .options = options != NULL ? options : &plain};
}

static bool is_one_of(struct str name, const char *const *names) {
    for (; *names != NULL; names++)
        if (str_is(name, *names))
            return true;
    return false;
}

static bool is_test_folder(struct str name) {
    static const char *const names[] = {"tests", "test", NULL};
    return is_one_of(name, names);
}

static bool is_migration_folder(struct str name) {
    return str_is(name, "migrations");
}

static bool is_nobodys_folder(struct str name) {
    static const char *const names[] = {"node_modules", "venv", "env", "virtualenv",
                                        "site-packages", "__pycache__", NULL};
    return is_one_of(name, names);
}

static bool is_test_file(struct str name) {
    return str_starts(name, "test_") || str_ends(name, "_test.py") || str_is(name, "tests.py") ||
           str_is(name, "conftest.py");
}

static struct str join(struct arena *arena, struct str folder, struct str name) {
    return str_printf(arena, "%.*s%s%.*s", STR_ARG(folder), str_ends(folder, "/") ? "" : "/",
                      STR_ARG(name));
}

static bool exists(struct arena *arena, struct str folder, const char *name) {
    struct stat status;
    return stat(join(arena, folder, str_from_c(name)).ptr, &status) == 0;
}

/* The patterns of a file, within those around it; `outer` itself if there is no such file. */
static const struct ignore_list *read_list(struct arena *arena, struct str folder, const char *name,
                                           const struct ignore_list *outer) {
    struct str text, path = join(arena, folder, str_from_c(name));
    struct stat status;
    struct err err;
    if (stat(path.ptr, &status) != 0 || !S_ISREG(status.st_mode) ||
        !file_read(arena, path.ptr, &text, &err))
        return outer;
    struct ignore_list *list = ARENA_NEW(arena, struct ignore_list);
    list->folder = str_is(folder, "/") ? STR("") : folder;
    list->outer = outer;
    ignore_add_lines(arena, list, text);
    return list;
}

static struct str parent_of(struct str path) {
    size_t len = path.len;
    while (len > 0 && path.ptr[len - 1] != '/')
        len--;
    return str_sub(path, 0, len > 1 ? len - 1 : len);
}

/* What the repository that `folder` stands in says in the folders above it, and in .git/info/exclude. NULL outside of
 * one: a .gitignore means nothing there. */
static const struct ignore_list *repository_lists(struct arena *arena, struct str folder, int depth,
                                                  bool *is_inside) {
    *is_inside = exists(arena, folder, ".git");
    if (*is_inside)
        return read_list(arena, folder, ".git/info/exclude", NULL);
    if (folder.len <= 1 || depth == FOLDER_DEPTH_MAX)
        return NULL;
    struct str parent = str_dup(arena, parent_of(folder));
    const struct ignore_list *outer = repository_lists(arena, parent, depth + 1, is_inside);
    return *is_inside ? read_list(arena, parent, ".gitignore", outer) : NULL;
}

struct place {
    struct str path, full_path;
    int depth;
    bool in_repository;
    const struct ignore_list *ignored;
};

static void walk_inside(struct file_walk *walk, struct place place);

static bool is_ignored(const struct file_walk *walk, const struct place *place, bool is_folder) {
    return ignore_ask(place->ignored, place->full_path, is_folder) == IGNORE_YES ||
           ignore_ask(walk->options->exclude, place->full_path, is_folder) == IGNORE_YES;
}

static bool wants_folder(const struct file_walk *walk, const struct place *place, struct str name) {
    if (is_nobodys_folder(name) || exists(walk->arena, place->full_path, "pyvenv.cfg"))
        return false;
    return (walk->with_tests || !is_test_folder(name)) &&
           (walk->with_migrations || !is_migration_folder(name)) && !is_ignored(walk, place, true);
}

static bool wants_file(const struct file_walk *walk, const struct place *place, struct str name) {
    return str_ends(name, ".py") && (walk->with_tests || !is_test_file(name)) &&
           !is_ignored(walk, place, false);
}

static void walk_entry(struct file_walk *walk, const struct place *folder, struct str name) {
    struct place place = *folder;
    struct stat status;
    place.path = join(walk->arena, folder->path, name);
    if (name.ptr[0] == '.' || lstat(place.path.ptr, &status) != 0)
        return;
    place.full_path = join(walk->arena, folder->full_path, name);
    place.depth++;
    if (S_ISDIR(status.st_mode) && wants_folder(walk, &place, name))
        walk_inside(walk, place);
    else if (S_ISREG(status.st_mode) && wants_file(walk, &place, name))
        VEC_PUSH(walk->arena, &walk->paths, place.path);
}

/* A repository in a repository has its own say. */
static void enter_repository(struct arena *arena, struct place *place) {
    if (place->depth > 0 && exists(arena, place->full_path, ".git")) {
        place->in_repository = true;
        place->ignored = read_list(arena, place->full_path, ".git/info/exclude", NULL);
    }
    if (place->in_repository)
        place->ignored = read_list(arena, place->full_path, ".gitignore", place->ignored);
}

static void walk_inside(struct file_walk *walk, struct place place) {
    struct dirent **entries;
    errno = ELOOP;
    int count = place.depth < FOLDER_DEPTH_MAX ? scandir(place.path.ptr, &entries, NULL, alphasort) : -1;
    if (count < 0) {
        struct str reason = str_dup(walk->arena, str_from_c(strerror(errno)));
        VEC_PUSH(walk->arena, &walk->failures, (struct walk_failure){place.path, reason});
        return;
    }
    enter_repository(walk->arena, &place);
    for (int i = 0; i < count; i++) {
        walk_entry(walk, &place, str_from_c(entries[i]->d_name));
        free(entries[i]);
    }
    free(entries);
}

/* Whether the folders below `project` down to `folder`, or it alone if they are the same, hold one of a kind. */
static bool stands_in(struct str folder, struct str project, bool (*is_of_kind)(struct str name)) {
    size_t from = folder.len > project.len ? project.len : parent_of(folder).len;
    while (project.len > 0 && from < folder.len) {
        size_t start = folder.ptr[from] == '/' ? from + 1 : from;
        size_t end = str_find(folder, '/', start);
        if (is_of_kind(str_sub(folder, start, end)))
            return true;
        from = end;
    }
    return false;
}

void file_walk_folder(struct file_walk *walk, struct str path, struct str full_path, struct str project) {
    const struct file_options *options = walk->options;
    struct place place = {.path = path, .full_path = full_path};
    walk->with_tests = options->with_tests || stands_in(full_path, project, is_test_folder);
    walk->with_migrations =
        options->with_migrations || stands_in(full_path, project, is_migration_folder);
    place.ignored = repository_lists(walk->arena, full_path, 0, &place.in_repository);
    walk_inside(walk, place);
}

bool file_walk_is_test(struct str path) {
    size_t at = path.len;
    while (at > 0 && path.ptr[at - 1] != '/')
        at--;
    return is_test_file(str_sub(path, at, path.len));
}
