#include "explore/rerun.h"

#include "base/assert.h"
#include "explore/database.h"
#include "live/server.h"

#include <stdlib.h>

/* A step of the schedule at hand, and those that could be in its place. */
struct branch {
    uint8_t order[DB_SESSIONS_MAX]; /* as search.c has it: the last that stepped, then the others */
    uint8_t count, at;
    uint32_t switches; /* before the step */
    uint32_t enabled;
};

struct rerun {
    struct search *search;
    struct world world;
    struct branch *branches; /* SEARCH_DEPTH_MAX of them */
    size_t depth;            /* branches in use */
    struct schedule schedule;
    bool has_hit_limit, has_failed;
};

static int last_session(const struct rerun *run, size_t depth) {
    return depth > 0 ? run->schedule.sessions[depth - 1] : -1;
}

static uint32_t is_switch(const struct rerun *run, size_t depth, uint8_t session) {
    int last = last_session(run, depth);
    return last >= 0 && session != last;
}

/* The sessions to step at the end of the schedule so far; false if the bound leaves none. */
static bool open_branch(struct rerun *run) {
    size_t depth = run->depth;
    struct branch *branch = &run->branches[depth];
    const struct branch *before = depth > 0 ? branch - 1 : NULL;
    int last = last_session(run, depth);
    *branch = (struct branch){.enabled = world_enabled(&run->world)};
    if (before != NULL)
        branch->switches = before->switches + is_switch(run, depth - 1, before->order[before->at]);
    for (int k = -1; k < (int)run->world.session_count; k++) {
        int session = k < 0 ? last : k;
        if (session < 0 || (k >= 0 && session == last) || !(branch->enabled & 1u << session))
            continue;
        if (branch->switches + is_switch(run, depth, (uint8_t)session) > run->search->switches_max)
            run->search->has_cut = true;
        else
            branch->order[branch->count++] = (uint8_t)session;
    }
    run->depth += branch->count > 0;
    return branch->count > 0;
}

static void break_ties(struct rerun *run) {
    while (world_enabled(&run->world) == 0 && !world_is_done(&run->world))
        world_break_tie(&run->world);
}

/* Whether the server is still there to go on with. */
static bool is_there(struct rerun *run) {
    struct err err;
    run->has_failed = server_failed(run->world.server, &err);
    return !run->has_failed;
}

static void step(struct rerun *run, size_t depth) {
    struct footprint footprint;
    const struct branch *branch = &run->branches[depth];
    uint8_t session = branch->order[branch->at];
    world_step(&run->world, session, &footprint);
    run->schedule.sessions[depth] = session;
    run->schedule.count = depth + 1;
}

/* The steps up to the newest branch. False if the server does not take them as it did before. */
static bool repeat(struct rerun *run) {
    for (size_t depth = 0; depth < run->depth; depth++) {
        break_ties(run);
        if (!is_there(run) || world_enabled(&run->world) != run->branches[depth].enabled)
            return false;
        step(run, depth);
    }
    return true;
}

/* On from there to an end. False to stop the search. */
static bool run_on(struct rerun *run) {
    struct search *search = run->search;
    for (;;) {
        break_ties(run);
        if (!is_there(run))
            return false;
        run->schedule.count = run->depth;
        if (world_is_done(&run->world))
            break;
        if (run->depth == SEARCH_DEPTH_MAX || search->step_count >= search->steps_max) {
            run->has_hit_limit = true;
            return run->depth == SEARCH_DEPTH_MAX;
        }
        if (!open_branch(run))
            return true;
        step(run, run->depth - 1);
        search->step_count++;
    }
    database_end(&run->world);
    if (!is_there(run))
        return false;
    search->schedule_count++;
    run->has_hit_limit |= run->world.has_hit_limit;
    return search->on_end(search->context, &run->world, &run->schedule);
}

/* To the deepest step in whose place another is left to try. False: none is. */
static bool backtrack(struct rerun *run) {
    while (run->depth > 0) {
        struct branch *branch = &run->branches[run->depth - 1];
        if (++branch->at < branch->count) {
            run->search->step_count++;
            return true;
        }
        run->depth--;
    }
    return false;
}

enum search_result search_rerun(struct search *search, const struct world *start) {
    struct rerun run = {.search = search};
    bool goes_on = true;
    run.branches = mem_alloc(SEARCH_DEPTH_MAX * sizeof(*run.branches));
    search->step_count = search->schedule_count = 0;
    search->has_cut = false;
    do {
        world_copy(&run.world, start);
        if (repeat(&run))
            goes_on = run_on(&run);
        else
            run.has_hit_limit = true; /* what lies behind it cannot be reached */
        goes_on &= !run.has_failed;
    } while (goes_on && backtrack(&run));
    world_free(&run.world);
    free(run.branches);
    if (run.has_hit_limit)
        return SEARCH_LIMIT;
    return goes_on ? SEARCH_COMPLETE : SEARCH_STOPPED;
}
