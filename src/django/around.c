/* From a file or folder to the project it belongs to: the nearest folder above it that holds manage.py; else a
 * folder is taken as it is, and a file for the folder above its outermost package. Paths keep the prefix that the user wrote. */
#include "django/facts.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static struct str parent_of(struct str path) {
    size_t at = path.len;
    while (at > 0 && path.ptr[at - 1] != '/')
        at--;
    while (at > 1 && path.ptr[at - 1] == '/')
        at--;
    return str_sub(path, 0, at);
}

static bool holds(struct arena *arena, struct str folder, const char *name) {
    const char *path = folder.len > 0
                           ? str_to_c(arena, str_printf(arena, "%.*s/%s", STR_ARG(folder), name))
                           : name;
    return access(path, F_OK) == 0;
}

static bool is_folder(struct arena *arena, struct str path) {
    struct stat status;
    return stat(str_to_c(arena, path), &status) == 0 && S_ISDIR(status.st_mode);
}

static bool is_root(struct arena *arena, struct str folder) {
    struct stat here, above;
    const char *path = str_to_c(arena, folder);
    const char *outer = str_to_c(arena, str_printf(arena, "%s/..", path));
    return stat(path, &here) != 0 || stat(outer, &above) != 0 ||
           (here.st_dev == above.st_dev && here.st_ino == above.st_ino);
}

/* The nearest folder above `from`, or it itself, that holds manage.py. What was written relative to the current folder may
 * lie in a project that begins above that. Empty: there is none. */
static struct str managed_folder(struct arena *arena, struct str from) {
    enum { DEPTH_MAX = 64 };
    struct str folder = from;
    bool is_relative = from.len == 0 || from.ptr[0] != '/';
    for (;; folder = parent_of(folder)) {
        if (holds(arena, folder, "manage.py"))
            return folder.len > 0 ? folder : STR(".");
        if (folder.len == 0 || str_is(folder, "/") || path_leads_up(folder))
            break;
    }
    for (int depth = 0; is_relative && depth < DEPTH_MAX; depth++) {
        if (is_root(arena, folder.len > 0 ? folder : STR(".")))
            break;
        folder = folder.len > 0 ? str_printf(arena, "%.*s/..", STR_ARG(folder)) : STR("..");
        if (holds(arena, folder, "manage.py"))
            return folder;
    }
    return (struct str){0};
}

static const char *project_folder(struct arena *arena, struct str file) {
    bool from_folder = is_folder(arena, file);
    struct str outermost = from_folder ? file : parent_of(file);
    struct str managed = managed_folder(arena, outermost);
    if (managed.len > 0)
        return str_to_c(arena, managed);
    if (!from_folder)
        while (outermost.len > 0 && holds(arena, outermost, "__init__.py"))
            outermost = parent_of(outermost);
    return outermost.len > 0 ? str_to_c(arena, outermost) : ".";
}

bool django_load_around(struct arena *arena, struct text_pool *pool, const char *const *files,
                        size_t file_count, const struct file_options *options,
                        struct django_project **project, struct err *err) {
    struct load_root *roots = ARENA_ARRAY(arena, struct load_root, 2 * file_count);
    const char **projects = ARENA_ARRAY(arena, const char *, file_count);
    size_t count = 0;
    for (size_t i = 0; i < file_count; i++) {
        const char *folder = projects[i] = project_folder(arena, str_from_c(files[i]));
        bool is_known = false;
        if (access(files[i], R_OK) != 0) {
            err_set(err, (struct pos){0}, "cannot read it");
            return err_in_file(err, str_from_c(files[i]));
        }
        for (size_t k = 0; k < count; k++)
            is_known |= strcmp(roots[k].path, folder) == 0;
        if (!is_known)
            roots[count++] = (struct load_root){folder, NULL};
    }
    for (size_t i = 0; i < file_count; i++) /* what is named is read, be it tests or ignored */
        roots[count++] = (struct load_root){files[i], projects[i]};
    return django_load_roots(arena, pool, roots, count, options, project, err);
}
