#include "explore/search.h"

#include "base/assert.h"
#include "explore/database.h"
#include "explore/rerun.h"

#include <stdlib.h>

struct sleeper {
    bool sleeps;
    struct footprint footprint; /* of the step it would do, as it was done from an earlier state */
};

struct search_node {
    struct world world;
    struct sleeper sleep[DB_SESSIONS_MAX];
};

struct run {
    struct search *search;
    struct search_node **nodes; /* of the room: worlds are reused from branch to branch */
    struct schedule schedule;
    bool has_hit_limit;
};

static struct search_node *node_at(struct run *run, size_t depth) {
    if (run->nodes[depth] == NULL)
        run->nodes[depth] = mem_alloc(sizeof(struct search_node));
    return run->nodes[depth];
}

static bool end_schedule(struct run *run, const struct world *world) {
    run->search->schedule_count++;
    run->has_hit_limit |= world->has_hit_limit;
    return run->search->on_end(run->search->context, world, &run->schedule);
}

/* The sessions worth stepping at a node, in order; the last one that stepped comes first. */
static size_t candidates(const struct run *run, const struct search_node *node, int last,
                         uint8_t order[DB_SESSIONS_MAX]) {
    uint32_t enabled = world_enabled(&node->world);
    size_t count = 0;
    if (last >= 0 && (enabled & 1u << last))
        order[count++] = (uint8_t)last;
    for (int i = 0; i < (int)node->world.session_count; i++)
        if (i != last && (enabled & 1u << i))
            order[count++] = (uint8_t)i;
    if (run->search->only_first_is_interrupted && count > 1 && last != 0)
        count = 1;
    if (!run->search->is_reduced)
        return count;
    size_t awake = 0;
    for (size_t i = 0; i < count; i++)
        if (!node->sleep[order[i]].sleeps)
            order[awake++] = order[i];
    return awake;
}

/* Who sleeps after a step with `footprint`: those that slept or were tried before it, as far as their step
 * commutes with it. `into` may be `from`. */
static void put_to_sleep(struct sleeper *into, const struct sleeper *from, size_t session_count,
                         size_t session, const struct footprint *footprint) {
    for (size_t i = 0; i < session_count; i++) {
        bool sleeps = from[i].sleeps && i != session &&
                      footprint_commutes(&from[i].footprint, footprint);
        if (sleeps && into != from)
            into[i].footprint = from[i].footprint;
        into[i].sleeps = sleeps;
    }
}

static bool explore(struct run *run, size_t depth, uint32_t switches);

/* Steps `session` from the node at `depth` into `child` (which may be the node itself) and goes on there. */
static bool explore_step(struct run *run, size_t depth, struct search_node *child, size_t session,
                         uint32_t switches, struct sleeper *tried) {
    struct footprint footprint;
    struct search_node *node = node_at(run, depth);
    if (child != node)
        world_copy(&child->world, &node->world);
    world_step(&child->world, session, &footprint);
    run->search->step_count++;
    put_to_sleep(child->sleep, node->sleep, node->world.session_count, session, &footprint);
    *tried = (struct sleeper){true, footprint};
    run->schedule.sessions[depth] = (uint8_t)session;
    run->schedule.count = depth + 1;
    if (child == node) {
        /* The last branch: the node's own world is used up, so it moves one level down. */
        run->nodes[depth] = run->nodes[depth + 1];
        run->nodes[depth + 1] = node;
    }
    return explore(run, depth + 1, switches);
}

static bool explore_branches(struct run *run, size_t depth, uint32_t switches,
                             const uint8_t *order, size_t count) {
    int last = depth > 0 ? run->schedule.sessions[depth - 1] : -1;
    for (size_t i = 0; i < count; i++) {
        uint32_t more = last >= 0 && order[i] != last;
        if (switches + more > run->search->switches_max) {
            run->search->has_cut = true;
            continue;
        }
        struct sleeper tried;
        bool is_last = i + 1 == count;
        struct search_node *child = is_last ? node_at(run, depth) : node_at(run, depth + 1);
        if (!explore_step(run, depth, child, order[i], switches + more, &tried))
            return false;
        if (!is_last)
            node_at(run, depth)->sleep[order[i]] = tried;
    }
    return true;
}

static bool explore(struct run *run, size_t depth, uint32_t switches) {
    struct search_node *node = node_at(run, depth);
    while (world_enabled(&node->world) == 0 && !world_is_done(&node->world)) {
        world_break_tie(&node->world);
        memset(node->sleep, 0, sizeof(node->sleep));
    }
    run->schedule.count = depth;
    if (world_is_done(&node->world))
        return end_schedule(run, &node->world);
    if (depth == SEARCH_DEPTH_MAX || run->search->step_count >= run->search->steps_max) {
        run->has_hit_limit = true;
        return depth == SEARCH_DEPTH_MAX;
    }
    uint8_t order[DB_SESSIONS_MAX];
    int last = depth > 0 ? run->schedule.sessions[depth - 1] : -1;
    size_t count = candidates(run, node, last, order);
    return explore_branches(run, depth, switches, order, count);
}

static void release_worlds(struct search_worlds *worlds) {
    for (size_t i = 0; i <= SEARCH_DEPTH_MAX; i++) {
        if (worlds->nodes[i] == NULL)
            continue;
        world_free(&worlds->nodes[i]->world);
        free(worlds->nodes[i]);
    }
    for (size_t i = 0; i < SEARCH_SPARE_MAX; i++) {
        if (worlds->spare[i] == NULL)
            continue;
        world_free(worlds->spare[i]);
        free(worlds->spare[i]);
    }
    *worlds = (struct search_worlds){0};
}

void search_room_release(struct search_room *room) {
    for (size_t i = 0; i < LW_COUNT_OF(room->of_engine); i++)
        release_worlds(&room->of_engine[i]);
}

/* The worlds of the room that can be copies of `start`. */
static struct search_worlds *worlds_for(struct search_room *room, const struct world *start) {
    struct search_worlds *worlds = &room->of_engine[db_engine(start->db)];
    if (worlds->schema == start->schema && worlds->pool == start->pool &&
        worlds->session_count == start->session_count)
        return worlds;
    release_worlds(worlds);
    worlds->schema = start->schema;
    worlds->pool = start->pool;
    worlds->session_count = start->session_count;
    return worlds;
}

struct world *search_room_copy(struct search_room *room, size_t index, const struct world *from) {
    LW_ASSERT(index < SEARCH_SPARE_MAX);
    struct search_worlds *worlds = worlds_for(room, from);
    if (worlds->spare[index] == NULL)
        worlds->spare[index] = mem_alloc(sizeof(struct world));
    world_copy(worlds->spare[index], from);
    return worlds->spare[index];
}

enum search_result search_run(struct search *search, const struct world *start) {
    if (start->server != NULL)
        return search_rerun(search, start);
    struct run run = {.search = search, .nodes = worlds_for(search->room, start)->nodes};
    search->step_count = search->schedule_count = 0;
    search->has_cut = false;
    struct search_node *root = node_at(&run, 0);
    world_copy(&root->world, start);
    memset(root->sleep, 0, sizeof(root->sleep));
    bool went_through = explore(&run, 0, 0);
    if (run.has_hit_limit)
        return SEARCH_LIMIT;
    return went_through ? SEARCH_COMPLETE : SEARCH_STOPPED;
}

static void step_or_break(struct world *world, size_t session, struct footprint *footprint) {
    *footprint = (struct footprint){0};
    if (world_enabled(world) & 1u << session)
        world_step(world, session, footprint);
    else if (world_enabled(world) == 0 && !world_is_done(world))
        world_break_tie(world);
}

void search_replay(struct world *world, const struct schedule *schedule) {
    struct footprint footprint;
    for (size_t i = 0; i < schedule->count; i++) {
        while (world_enabled(world) == 0 && !world_is_done(world))
            world_break_tie(world);
        step_or_break(world, schedule->sessions[i], &footprint);
    }
    for (size_t i = 0; i < SEARCH_DEPTH_MAX && !world_is_done(world); i++)
        for (size_t k = 0; k < world->session_count; k++)
            step_or_break(world, k, &footprint);
    database_end(world);
}

bool search_alone(struct world *world, size_t session, struct footprint *footprint) {
    if (world->sessions[session].status == SESSION_DONE)
        return false;
    step_or_break(world, session, footprint);
    return true;
}

void search_to_end(struct world *world, size_t session) {
    struct footprint footprint;
    for (size_t i = 0; i < SEARCH_DEPTH_MAX; i++)
        if (!search_alone(world, session, &footprint))
            return;
}

void search_serial(struct world *world, const uint8_t *order) {
    for (size_t i = 0; i < world->session_count; i++)
        search_to_end(world, order[i]);
    database_end(world);
}
