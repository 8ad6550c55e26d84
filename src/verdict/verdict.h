/* Judging a run (which programs side by side, on which rows) on an engine and level: every schedule's outcome is
 * compared with the outcomes of the serial orders.
 *
 * Anomaly: an outcome that no serial order gives. A session that failed with a database error may have ended
 * anywhere in a serial order: the orders in which it breaks off before any one of its operations are
 * allowed too. One that raised an exception of its own refused to work, and one that wrote
 * no row and had no effect did none: orders without it are allowed too. Second, the direct monitor: a column that the program never assigned was written back over a
 * newer value (P4 on that column), which is a lost write even where outcomes look alike.
 */
#ifndef LW_VERDICT_VERDICT_H
#define LW_VERDICT_VERDICT_H

#include "explore/ending.h"
#include "explore/search.h"

enum policy_id {
#define POLICY(name, engine, isolation, snapshot, immediate, heading) POLICY_##name,
#include "verdict/policy.def"
#undef POLICY
    POLICY_COUNT
};

struct policy_info {
    const char *heading;
    struct db_config config;
};

/* The policy's engine and level. */
const struct policy_info *policy_info(enum policy_id policy);

/* What runs side by side. Pointers are shared with the caller and must outlive every use. */
struct run_setup {
    const struct schema *schema;
    struct text_pool *pool;
    struct sql_stmt *const *setup; /* resolved INSERTs */
    size_t setup_count;
    struct world_session sessions[DB_SESSIONS_MAX];
    size_t session_count;
    struct server *server; /* it runs there; NULL: on the built-in engine */
};

enum verdict { VERDICT_OK, VERDICT_LOST, VERDICT_ERROR, VERDICT_DEADLOCK, VERDICT_LIMIT };

/* Of schedules. `wrong`: an outcome that no serial order of those that committed gives; what a session that failed
 * had done outside the database before does not count here (see has_failed_effects). A schedule may count in several. */
struct counts {
    uint64_t schedules, wrong, serialization, deadlock, timeout, unique, waits;
};

/* One engine and level. */
struct cell_verdict {
    enum verdict verdict;
    enum db_error error;      /* ERROR, DEADLOCK: one that a program didn't handle; a deadlock if there is any */
    bool has_failed_effects;  /* a session that failed had done something outside the database */
    bool is_complete;         /* every schedule (up to reduction) was run */
    struct counts counts;     /* complete only if judge_options.all_schedules */
    bool has_witness;         /* of LOST: the schedule with fewest context switches; else of some error */
    struct schedule witness;
    /* On a server: schedules, serial orders among them, in which it did other than the built-in engine, and the first. */
    uint64_t differing;
    uint64_t raced; /* in which it let another go first of two that raced, see server_raced */
    char difference[400];
};

/* What came of one schedule. `error`: of ERROR and DEADLOCK, one that a program didn't handle. */
struct schedule_end {
    const struct schedule *schedule;
    enum verdict verdict;
    enum db_error error;
    bool has_waited;
    bool has_failed_effects; /* as cell_verdict */
};

/* What the serial orders of a setup end in: the same at every level of one engine, so cells can share them. `{.arena = ...}`
 * is empty; what is found is put there. */
struct serial_orders {
    struct arena *arena;
    struct allowed *allowed;
    uint32_t errors; /* bit per enum db_error that came up in one */
    uint32_t run_count;
};

struct judge_options {
    bool all_schedules;  /* no reduction, no early end: counts are exact */
    bool no_reduction;
    bool no_early_end;   /* with reduction, but not ending at the first loss: to measure, to compare */
    bool any_witness;    /* of LOST any schedule will do; else the search goes on for the simplest */
    uint32_t switches_max; /* context switches; 0: any number. With a bound nothing is known of what is not lost. */
    /* Only session 0 is interrupted, and LOST is only what the monitor saw: columns written back, a row resurrected. Serial
     * orders are run when something hangs on them. Nothing is known of what is not lost. */
    bool only_first_saves;
    uint64_t steps_max;    /* 0: the default, 200,000 */
    /* With any_witness: a schedule to try before the search, such as one that shows the loss on another engine. NULL: none. */
    const struct schedule *hint;
    struct search_room *room; /* for searches to come in the same schema; NULL: none will */
    struct serial_orders *serial; /* of this setup on the same engine, built in; NULL: nobody has them */
    const struct schedule *only; /* this schedule and no other, after the serial orders; NULL: all */
    /* Told of each schedule that the search brings to its end, and what comes of it; NULL: nobody asks. */
    void (*on_schedule)(void *context, const struct schedule_end *end);
    void *context;
};

/* Makes the world of a setup at its start, on its server if it has one, with the trace given (may be NULL). False if the
 * rows cannot be loaded. */
bool run_start(struct arena *run, const struct run_setup *setup, const struct db_config *config,
               struct trace *trace, struct world *world, struct err *err);

/* Judges `setup` under `config`. `scratch` is used and not reset. False if the rows cannot be loaded, or the server was
 * lost. */
bool judge_cell(struct arena *scratch, const struct run_setup *setup,
                const struct db_config *config, const struct judge_options *options,
                struct cell_verdict *cell, struct err *err);

/* Whether the schedule of two sessions, without effects, leaves the rows that they leave one after the other, in either order
 * (whoever generated what is in them): then only what the sessions were told may matter. */
bool judge_ends_alike(struct arena *scratch, const struct run_setup *setup,
                      const struct db_config *config, const struct schedule *schedule);

/* The outcomes of the serial orders, for people, each once, in order of first appearance. */
struct serial_end {
    uint8_t order[DB_SESSIONS_MAX]; /* the first order that ends so */
    bool is_only;                   /* every order does */
    struct ending ending;
    struct str text; /* the ending on one line */
};
struct serial_texts {
    VEC(struct serial_end) ends;
};
bool judge_serial_texts(struct arena *arena, const struct run_setup *setup,
                        const struct db_config *config, struct serial_texts *serial,
                        struct err *err);

const char *verdict_name(enum verdict verdict); /* "lost" */

#endif
