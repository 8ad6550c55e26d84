/* Running every schedule of a world, or one. Depth first, the session that stepped last before the others, so that
 * schedules with few context switches come early; with a bound on switches raised from call to call the
 * first witness is the simplest one.
 *
 * Reduction: sleep sets (Godefroid, "Partial-Order Methods for the Verification of Concurrent Systems",
 * 1996): of the schedules that differ only in the order of steps that commute, one is run. What commutes
 * is decided by the footprints of the steps as they happened. Every outcome that exists is still found.
 */
#ifndef LW_EXPLORE_SEARCH_H
#define LW_EXPLORE_SEARCH_H

#include "explore/world.h"

enum { SEARCH_DEPTH_MAX = 256 };

struct schedule {
    uint8_t sessions[SEARCH_DEPTH_MAX]; /* which session made each step */
    size_t count;
};

/* The worlds that searches work in, kept from one to the next. `{0}` is empty. */
enum { SEARCH_SPARE_MAX = 2 * DB_SESSIONS_MAX };
struct search_room {
    struct search_worlds {
        struct world *spare[SEARCH_SPARE_MAX];
        struct search_node *nodes[SEARCH_DEPTH_MAX + 1];
        /* What the worlds can be copies of. */
        const struct schema *schema;
        const struct text_pool *pool;
        size_t session_count;
    } of_engine[ENGINE_SQLITE + 1];
};
void search_room_release(struct search_room *room);
/* A world of the caller's, made equal to `from`: the same one for the same `index`, as long as the room is used for worlds
 * of one schema. */
struct world *search_room_copy(struct search_room *room, size_t index, const struct world *from);

struct search {
    struct search_room *room; /* its worlds are of a schema that still exists, if any */
    bool is_reduced;
    uint32_t switches_max; /* context switches; UINT32_MAX: any number */
    bool only_first_is_interrupted; /* session 0 begins, and the others go on as far as they can once they have begun */
    uint64_t steps_max;    /* over the whole search: beyond it, LIMIT */
    /* Called at the end of each schedule; false stops the search. */
    bool (*on_end)(void *context, const struct world *end, const struct schedule *schedule);
    void *context;
    /* Out. */
    uint64_t step_count, schedule_count;
    bool has_cut; /* a schedule was left out because of switches_max */
};

enum search_result { SEARCH_COMPLETE, SEARCH_STOPPED, SEARCH_LIMIT };

/* Runs the schedules of `start` (started, without trace), which is left as it is. On a server each is run anew, none left
 * out by reduction. LIMIT also when a schedule
 * was longer than SEARCH_DEPTH_MAX or a world hit a limit of its own. */
enum search_result search_run(struct search *search, const struct world *start);

/* Runs one schedule on `world` itself, with its trace if it has one. Steps of sessions that cannot step are passed over;
 * when the schedule is used up, sessions go on in order until all have ended. */
void search_replay(struct world *world, const struct schedule *schedule);

/* The next step of `session`, what it touched in `*footprint`; where no session can step, the end of one's wait. False once
 * the session has ended. */
bool search_alone(struct world *world, size_t session, struct footprint *footprint);

/* All that is left of `session`, the others standing still. */
void search_to_end(struct world *world, size_t session);

/* One session after the other, in `order`. */
void search_serial(struct world *world, const uint8_t *order);

#endif
