/* What must hold of the callers of a function that was handed a row. Who they are is known by name only: any function
 * that uses the name may be one. If none of those, nor of theirs, takes a lock of any kind, then no lock protects the row. */
#include "base/assert.h"
#include "django/admin.h"
#include "django/facts.h"
#include "django/made.h"

#include <stdlib.h>

enum { CALLERS_DEPTH_MAX = 3 };

struct search {
    const struct django_facts *facts;
    bool *is_seen;
    const struct py_func *locking; /* the first that takes a lock */
};

static void search_callers(struct search *search, const struct py_func *func, int depth) {
    const struct name_users *users = map_get(&search->facts->users, func->name);
    for (size_t i = 0; users != NULL && i < users->items.count && search->locking == NULL; i++) {
        const struct py_func *user = users->items.items[i];
        if (user->function < 0 || search->is_seen[user->function])
            continue;
        search->is_seen[user->function] = true;
        if (user->has_lock)
            search->locking = user;
        else if (depth < CALLERS_DEPTH_MAX)
            search_callers(search, user, depth + 1);
    }
}

static bool has_callers(const struct django_facts *facts, const struct py_func *func) {
    const struct name_users *users = map_get(&facts->users, func->name);
    for (size_t i = 0; users != NULL && i < users->items.count; i++)
        if (users->items.items[i] != func)
            return true;
    return false;
}

static bool has_given(const struct txn_program *program) {
    for (size_t i = 0; i < program->vars.count; i++)
        if (program->vars.items[i].is_given)
            return true;
    return false;
}

/* In a package of helpers for tests that others may use: numpy.testing and the like. */
static bool is_for_tests(const struct django_facts *facts, const struct py_func *func) {
    struct str name = func->module->name;
    for (size_t i = 0; i < name.len && !facts->with_tests; i++) {
        size_t end = str_find(name, '.', i);
        if (end < name.len && str_is(str_sub(name, i, end), "testing"))
            return true;
        i = end;
    }
    return false;
}

struct str django_assumption(struct arena *arena, const struct django_project *project,
                             size_t function, const struct txn_program *program) {
    struct django_facts *facts = project->facts;
    const struct py_func *func = facts->funcs.items[function];
    struct str none = {0}, name = func->name;
    if (func->admin != NULL)
        return none;
    if (func->owner != NULL)
        name = str_printf(arena, "%.*s.%.*s", STR_ARG(func->owner->name), STR_ARG(name));
    if (is_for_tests(facts, func))
        return str_printf(arena, "%.*s() is run, which stands in a package for tests", STR_ARG(name));
    if (func->is_unnamed)
        return str_printf(arena, "%.*s() is called, which nothing in the project names", STR_ARG(name));
    if (!has_given(program))
        return none;
    if (project->functions.items[function].is_hook)
        return str_printf(arena, "%.*s() is called on an object as it was loaded", STR_ARG(name));
    if (!has_callers(facts, func))
        return str_printf(arena, "%.*s() is called outside a lock", STR_ARG(name));
    if (callers_made_rows(facts, func, program))
        return str_printf(arena, "%.*s() is called for a row that others know, not one that its caller has just made",
                          STR_ARG(name));
    struct search search = {.facts = facts};
    search.is_seen = mem_alloc(facts->funcs.count * sizeof(bool));
    memset(search.is_seen, 0, facts->funcs.count * sizeof(bool));
    search.is_seen[function] = true;
    search_callers(&search, func, 1);
    free(search.is_seen);
    if (search.locking == NULL)
        return none;
    return str_printf(arena, "%.*s() is called outside the lock of %.*s", STR_ARG(name),
                      STR_ARG(project->functions.items[search.locking->function].symbol));
}
