/* Where the configuration lies. What it says: config_keys.c. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "cli/config.h"

#include "base/file.h"
#include "cli/config_keys.h"
#include "toml/toml.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char own_name[] = "lostwrite.toml", shared_name[] = "pyproject.toml";

static bool is_file(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

static struct str folder_of(struct str path) {
    size_t len = path.len;
    while (len > 0 && path.ptr[len - 1] != '/')
        len--;
    return str_sub(path, 0, len > 1 ? len - 1 : len);
}

static struct str full_path(struct arena *arena, const char *path) {
    char *full = realpath(path, NULL);
    struct str copy = str_dup(arena, str_from_c(full != NULL ? full : path));
    free(full);
    return copy;
}

/* A file below the current folder is shown from there. */
static struct str shown_path(struct arena *arena, struct str path) {
    struct str current = full_path(arena, ".");
    if (path.len > current.len + 1 && str_equal(str_sub(path, 0, current.len), current) &&
        path.ptr[current.len] == '/')
        return str_sub(path, current.len + 1, path.len);
    return path;
}

bool config_parse(struct arena *arena, struct str path, struct str folder, struct str text,
                  struct config *config, struct err *err) {
    struct toml_value *root;
    const struct toml_value *table;
    bool is_own = !str_ends(path, shared_name);
    *config = (struct config){.path = path, .arena = arena};
    config->exclude.folder = str_is(folder, "/") ? STR("") : folder;
    if (!toml_parse(arena, text, &root, err))
        return err_in_file(err, path);
    table = is_own ? root : toml_member(toml_member(root, STR("tool")), STR("lostwrite"));
    if (table == NULL) {
        config->path = (struct str){0};
        return true;
    }
    return config_read_keys(config, text, table, err) || err_in_file(err, path);
}

static bool read_file(struct arena *arena, struct str full, struct config *config,
                      struct err *err) {
    struct str text, shown = shown_path(arena, full);
    if (!file_read(arena, full.ptr, &text, err))
        return err_in_file(err, shown);
    return config_parse(arena, shown, str_dup(arena, folder_of(full)), text, config, err);
}

/* The configuration for what stands in `folder`, in full. */
static bool find(struct arena *arena, struct str folder, struct config *config, struct err *err) {
    for (;;) {
        static const char *const names[] = {own_name, shared_name};
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            struct str path = str_printf(arena, "%.*s%s%s", STR_ARG(folder),
                                         str_ends(folder, "/") ? "" : "/", names[i]);
            if (!is_file(path.ptr))
                continue;
            if (!read_file(arena, path, config, err))
                return false;
            if (config->path.len > 0)
                return true;
        }
        if (folder.len <= 1)
            break;
        folder = folder_of(folder);
    }
    *config = (struct config){.arena = arena};
    return true;
}

static const char *name_of(struct arena *arena, const struct config *config) {
    return config->path.len > 0 ? str_to_c(arena, config->path) : "nothing";
}

bool config_load(struct arena *arena, const char *const *paths, size_t path_count,
                 const char *file, struct config *config, struct err *err) {
    *config = (struct config){.arena = arena};
    if (file != NULL) {
        if (!read_file(arena, full_path(arena, file), config, err))
            return false;
        if (config->path.len > 0)
            return true;
        err_set(err, (struct pos){0}, "it has no table [tool.lostwrite]");
        return err_in_file(err, str_from_c(file));
    }
    for (size_t i = 0; i < path_count; i++) {
        struct config other;
        struct stat status;
        struct str folder = full_path(arena, paths[i]);
        bool is_folder = stat(paths[i], &status) == 0 && S_ISDIR(status.st_mode);
        if (!find(arena, is_folder ? folder : folder_of(folder), i == 0 ? config : &other, err))
            return false;
        if (i > 0 && !str_equal(other.path, config->path))
            return err_set(err, (struct pos){0},
                           "%s is configured by %s, but %s by %s: check them apart, or give --config",
                           paths[0], name_of(arena, config), paths[i], name_of(arena, &other));
    }
    return true;
}
