/* A trial: rows in a world, and steps, each a statement of a session, in the order in which they are taken. All of it
 * hangs on (seed, number) and the policy alone. A step of a session that waits is passed over.
 */
#ifndef LW_TESTS_DIFFERENTIAL_TRIAL_H
#define LW_TESTS_DIFFERENTIAL_TRIAL_H

#include "world.h"

enum { TRIAL_SESSIONS_MAX = 4, WORLD_TRIALS = 64 /* trials of one world */ };

/* Which server, at which level, and what that server knows. */
struct policy_under_test {
    const char *name; /* as a transcript has it: "mariadb repeatable read snapshot_isolation" */
    struct db_config config;
    bool has_skip_locked; /* NOWAIT and SKIP LOCKED */
};

struct trial_step {
    uint8_t session;
    struct str sql;
};

struct trial {
    struct arena arena;
    const struct world *world; /* not owned */
    const struct policy_under_test *policy;
    uint64_t seed, number;
    size_t session_count;
    bool is_mixed; /* sessions of several levels */
    bool is_wide;  /* statements of further kinds */
    VEC(struct str) rows; /* INSERT statements, parents first */
    VEC(struct trial_step) steps;
};

/* The world of trial `number`. */
void trial_world(struct world *world, enum engine_kind engine, uint64_t seed, uint64_t number);

/* Makes trial `number`; `world` must outlive it. */
void trial_make(struct trial *trial, const struct world *world,
                const struct policy_under_test *policy, uint64_t seed, uint64_t number,
                bool is_wide);
/* Its tables, rows and steps, before anything is played: a transcript without answers. */
void trial_print(const struct trial *trial, struct buf *out);
void trial_release(struct trial *trial);

/* "postgresql repeatable read" and so on. NULL: there is none of that name. */
const struct policy_under_test *policy_find(const char *name);

#endif
