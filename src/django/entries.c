/* Entries: the roots, and, callers first, each function that no program of an entry runs: one that nobody calls, one whose
 * callers could not be lowered, or did not know what to give it. Of functions that only call each other, one is.
 *
 * The last function that a depth-first walk finishes is called by none that it doesn't reach itself, and so, going back
 * from it, is each next one that none of those before reaches (Kosaraju's first half): that is the order. Of a circle it is the function
 * where the walk came in: so the walk begins with those that were lowered, in the order of the source. */
#include "base/assert.h"
#include "django/facts.h"

#include <stdlib.h>

struct visit {
    uint32_t function, next; /* call */
};

struct walk {
    const struct django_project *project;
    bool *is_seen;
    struct visit *stack;
    uint32_t *finished; /* in that order */
    size_t finished_count;
};

static void walk_from(struct walk *walk, size_t start) {
    size_t depth = 0;
    if (walk->is_seen[start])
        return;
    walk->is_seen[start] = true;
    walk->stack[depth++] = (struct visit){(uint32_t)start, 0};
    while (depth > 0) {
        struct visit *top = &walk->stack[depth - 1];
        const struct django_function *function = &walk->project->functions.items[top->function];
        if (top->next == function->calls.count) {
            walk->finished[walk->finished_count++] = top->function;
            depth--;
            continue;
        }
        uint32_t callee = function->calls.items[top->next++];
        LW_ASSERT(callee < walk->project->functions.count);
        if (walk->is_seen[callee])
            continue;
        walk->is_seen[callee] = true;
        walk->stack[depth++] = (struct visit){callee, 0};
    }
}

static void walk_start(struct walk *walk, const struct django_project *project) {
    size_t count = project->functions.count;
    *walk = (struct walk){.project = project,
                          .is_seen = mem_alloc(count * sizeof(*walk->is_seen)),
                          .stack = mem_alloc(count * sizeof(*walk->stack)),
                          .finished = mem_alloc(count * sizeof(*walk->finished))};
    memset(walk->is_seen, 0, count * sizeof(*walk->is_seen));
}

static void walk_end(struct walk *walk) {
    free(walk->is_seen);
    free(walk->stack);
    free(walk->finished);
}

/* Marks what its program runs. */
static void cover(const struct django_project *project, size_t entry, bool *is_covered) {
    const struct django_function *function = &project->functions.items[entry];
    is_covered[entry] = true;
    for (size_t i = 0; i < function->inlined.count; i++)
        is_covered[function->inlined.items[i]] = true;
}

void django_entries(const struct django_project *project, const bool *is_lowered, bool *is_entry) {
    size_t count = project->functions.count;
    struct walk all;
    if (count == 0)
        return;
    walk_start(&all, project);
    for (size_t i = 0; i < count; i++)
        if (is_lowered[i])
            walk_from(&all, i);
    for (size_t i = 0; i < count; i++)
        walk_from(&all, i);
    LW_ASSERT(all.finished_count == count);
    bool *is_covered = all.is_seen;
    memset(is_covered, 0, count * sizeof(*is_covered));
    for (size_t i = 0; i < count; i++) {
        is_entry[i] = is_lowered[i] && project->functions.items[i].is_root;
        if (is_entry[i])
            cover(project, i, is_covered);
    }
    for (size_t i = count; i-- > 0;) {
        uint32_t function = all.finished[i];
        if (!is_lowered[function] || is_covered[function])
            continue;
        is_entry[function] = true;
        cover(project, function, is_covered);
    }
    walk_end(&all);
}
