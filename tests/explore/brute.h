/* Every schedule of a run by brute force: each is played from the start, pick by pick, through the plain step
 * interface. Nothing is copied, remembered or left out. What each ending is worth follows from the serial
 * orders as verdict.h words it, and those are played in the same way.
 */
#ifndef LW_TESTS_EXPLORE_BRUTE_H
#define LW_TESTS_EXPLORE_BRUTE_H

#include "verdict/verdict.h"

/* One schedule and how it ended. */
struct brute_end {
    struct str picks;  /* one byte a step: the session that made it */
    struct str ending; /* plain_ending_all */
    uint32_t switches; /* picks of another session than the one before */
    uint32_t errors;   /* bit per enum db_error that came up */
    bool has_waited;
    bool is_wrong;      /* no serial order gives it */
    bool is_stuck;      /* some session waits for ever */
    uint32_t unhandled; /* bit per error that a session failed with, and in no serial order */
};

struct brute {
    struct arena *arena;
    const struct run_setup *setup;
    const struct db_config *config;
    size_t ends_max; /* 0: any number */
    VEC(struct brute_end) ends;
    struct map by_picks; /* to struct brute_end */
    struct map outcomes; /* world_outcome's bytes, to the text that plain_ending has for them */
    struct map endings;  /* distinct ones */
    bool has_hit_limit;  /* of a session or world: the run says nothing */
    bool is_one_to_one;  /* two outcomes are the same bytes if and only if they are the same text */
    /* Private. */
    struct map serial; /* "failed/absent" to a map of endings */
    uint32_t serial_errors;
    uint32_t op_count_max;
};

/* Plays them all into `brute`, of which `arena`, `setup`, `config` and `ends_max` are given. False if there are more than
 * `ends_max`. */
bool brute_run(struct brute *brute);

/* What `judge_cell` should count. */
struct counts brute_counts(const struct brute *brute);
/* Fewest context switches of a schedule that is wrong; UINT32_MAX if none is. */
uint32_t brute_fewest_switches(const struct brute *brute);

#endif
