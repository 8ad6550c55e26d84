/* realpath is of X/Open. */
#define _XOPEN_SOURCE 700
#include "cli/scope.h"

#include "cli/input.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

static struct str full_path(struct arena *arena, const char *path) {
    char *full = realpath(path, NULL);
    struct str copy = str_dup(arena, str_from_c(full != NULL ? full : path));
    free(full);
    return copy;
}

static bool check_file(struct str path, struct err *err) {
    if (str_ends(path, ".py"))
        return true;
    err_set(err, (struct pos){0}, "%s",
            input_is_txn(path) ? "a scenario: `lostwrite prove` runs it"
                               : "no Python source (.py)");
    return err_in_file(err, path);
}

bool scope_init(struct scope *scope, struct arena *arena, const char *const *paths, size_t count,
                struct err *err) {
    *scope = (struct scope){.arena = arena};
    for (size_t i = 0; i < count; i++) {
        struct stat status;
        if (stat(paths[i], &status) != 0) {
            err_set(err, (struct pos){0}, "%s", strerror(errno));
            return err_in_file(err, str_from_c(paths[i]));
        }
        if (!S_ISDIR(status.st_mode) && !check_file(str_from_c(paths[i]), err))
            return false;
        VEC_PUSH(arena, &scope->folders, full_path(arena, paths[i]));
    }
    return true;
}

static bool is_below(struct str path, struct str folder) {
    return path.len >= folder.len && str_equal(str_sub(path, 0, folder.len), folder) &&
           (path.len == folder.len || path.ptr[folder.len] == '/' || str_is(folder, "/"));
}

bool scope_has(struct scope *scope, struct str path) {
    if (scope->last_path.len > 0 && str_equal(path, scope->last_path))
        return scope->last_answer;
    struct arena scratch = {0};
    struct str full = full_path(&scratch, str_to_c(&scratch, path));
    bool answer = false;
    for (size_t i = 0; i < scope->folders.count; i++)
        answer |= is_below(full, scope->folders.items[i]);
    arena_release(&scratch);
    scope->last_path = path;
    scope->last_answer = answer;
    return answer;
}
