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

struct search {
    bool is_reduced;
    uint32_t switches_max; /* context switches; UINT32_MAX: any number */
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

/* One session after the other, in `order`; session `i` is killed before its `kill_at[i]`-th operation
 * (UINT32_MAX: never). */
void search_serial(struct world *world, const uint8_t *order, const uint32_t *kill_at);

#endif
