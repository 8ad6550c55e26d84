/* A run proved on a real server, level by level, beside the built-in engine: all schedules, or one a level that the
 * built-in engine picks. What both give of the same schedules is compared.
 */
#ifndef LW_VERDICT_PROOF_H
#define LW_VERDICT_PROOF_H

#include "live/server.h"
#include "verdict/policies.h"

/* Which schedules a level ran on the server, besides the serial orders. */
enum proof_schedules {
    PROOF_ALL,
    PROOF_WITNESS, /* the one that shows the cell's verdict on the built-in engine */
    PROOF_OTHER,   /* there is none: that of another level */
    PROOF_TURNS    /* nor there: the sessions in turns */
};

struct proof_cell {
    bool is_run;                 /* the server has the level, and it was asked for */
    struct db_config config;
    struct cell_verdict builtin; /* every schedule, on the built-in engine */
    struct cell_verdict server;
    enum proof_schedules schedules;
    enum policy_id other;        /* OTHER: whose */
    struct schedule schedule;    /* unless ALL */
    bool agrees;                 /* both give the same of the same schedules */
};

struct proof {
    struct proof_cell cells[POLICY_COUNT];
};

struct proof_options {
    bool all_schedules;
    uint64_t steps_max; /* 0: as judge_options */
    uint32_t policies;  /* bit per policy that was asked for; those of other engines are left out */
    struct policies versions; /* that of the server among them */
    /* Told before each level (schedule_count 0) and after each schedule; NULL: nobody asks. */
    void (*on_progress)(void *context, enum policy_id policy, uint64_t schedule_count);
    void *context;
};

/* The first half, without a server: what the built-in engine says of each level asked for. `known`: what it is known to
 * say of all schedules, POLICY_COUNT cells; NULL: nothing. `scratch` is used and not reset. False if the rows can't be
 * loaded. */
bool proof_begin(struct arena *scratch, const struct run_setup *setup,
                 const struct proof_options *options, const struct cell_verdict *known,
                 struct proof *proof, struct err *err);
/* The second: the same on the server. Levels that it lacks are struck out. False if the server is lost. */
bool proof_on_server(struct arena *scratch, const struct run_setup *setup, struct server *server,
                     const struct proof_options *options, struct proof *proof, struct err *err);

/* How many schedules differed, over all levels. */
uint64_t proof_differences(const struct proof *proof);

#endif
