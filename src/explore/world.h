/* A run at one moment: the database and every session. The search steps it, copies it, and looks at how it
 * ended. A *step* is one visible operation of one session, with the silent ones before it, the host code
 * after it, and whatever other sessions could finish because of it.
 */
#ifndef LW_EXPLORE_WORLD_H
#define LW_EXPLORE_WORLD_H

#include "explore/session.h"

struct server;
struct server_setup;

enum { WORLD_MUTEXES_MAX = 32 };

struct mutex {
    struct str name;
    struct value key;
    int8_t holder;  /* session, or DB_NO_SESSION */
    uint16_t depth; /* how often its holder took it */
};

struct effect {
    uint8_t session;
    struct str name;
    uint32_t first_arg, arg_count; /* in `effect_args` */
    const struct txn_step *step;
};

/* What a step touched: of the database, and mutexes that it took or let go, in bits (by a hash of the name: two that
 * share a bit only look dependent). */
struct footprint {
    struct db_footprint db;
    uint64_t mutexes;
};

/* Whether two steps of different sessions give the same state in either order. */
bool footprint_commutes(const struct footprint *a, const struct footprint *b);

/* Who is told what a run does. Either function may be NULL. */
struct observer {
    /* Before each step of a program. */
    void (*on_step)(void *context, const struct session *session, const struct txn_step *step);
    /* With the answer to each statement, waits aside. */
    void (*on_answer)(void *context, const struct session *session, const struct txn_step *step,
                      const struct db_result *result);
    void *context;
};

struct world {
    const struct schema *schema;
    struct text_pool *pool;
    struct db *db; /* the database; with a server its shadow */
    size_t session_count;
    struct session sessions[DB_SESSIONS_MAX];
    struct mutex mutexes[WORLD_MUTEXES_MAX];
    size_t mutex_count;
    uint64_t touched_mutexes;                /* in the step at hand, see struct footprint */
    uint32_t clock;                          /* steps done */
    bool has_waited;                         /* some step waited */
    uint32_t errors;                         /* bit per enum db_error that came up, caught or not */
    bool has_hit_limit;                      /* a limit of session or world was hit: the end says nothing */
    SESSION_VEC(struct effect) effects;
    SESSION_VEC(struct value) effect_args;
    struct arena *run;       /* for expressions with host values put in */
    struct bound_expr *bound; /* cache of those, shared between copies through `run` */
    struct controls *controls; /* BEGIN, COMMIT, ... as statements; of `run`, shared like `bound` */
    struct trace *trace;     /* NULL: none is kept. Copies keep none. */
    const struct observer *observer; /* NULL: none. Copies keep none. */
    /* A real server in the engine's place (see database.h); NULL: none. */
    struct server *server;
    uint32_t server_run; /* its run that is this world's; 0: not begun */
    bool has_ended;      /* the rows at the end were taken from it */
    bool has_differed;   /* and it had done other than the engine, */
    bool has_raced;      /* or let another go first of two, see server_raced */
    SESSION_VEC(struct value) end_values; /* the rows, table by table */
    SESSION_VEC(uint32_t) end_rows;       /* their count, of each table */
};

/* One session to start: a checked program and its arguments. */
struct world_session {
    const struct txn_program *program;
    const struct value *args;
};

/* A world at its start: rows loaded by `setup`, host code run up to each session's first operation.
 * False if a setup statement fails. Free with world_free. */
bool world_init(struct world *world, struct arena *run, const struct schema *schema,
                struct text_pool *pool, const struct db_config *config,
                struct sql_stmt *const *setup, size_t setup_count,
                const struct world_session *sessions, size_t session_count, struct err *err);
void world_free(struct world *world);

/* Gives the sessions of a world that was not started yet other arguments; their programs stay. */
void world_set_args(struct world *world, const struct world_session *sessions);

/* Has a world that was just made run on a server, whose tables are made anew if they are not those of `setup`. Such a
 * world can be copied only until its first step. False: the server's error. */
bool world_put_on(struct world *world, struct server *server, const struct server_setup *setup,
                  const struct db_config *config, struct err *err);

/* Makes `into` equal to `from`, reusing its memory; `into` is `{0}` or was a copy of the same run. */
void world_copy(struct world *into, const struct world *from);

/* Starts the host code of every session (up to its first operation), with the trace given (may be NULL).
 * Called once, after world_init. */
void world_start(struct world *world, struct trace *trace);

/* What the monitor saw in transactions that were not rolled back: enum session_flag of all sessions. */
uint32_t world_flags(const struct world *world);
/* Whether a session did something outside the database; whether one that failed had, before. */
bool world_has_effects(const struct world *world, size_t session);
bool world_has_failed_effects(const struct world *world);

/* Bits of the sessions that can step now. */
uint32_t world_enabled(const struct world *world);
/* All sessions have ended. */
bool world_is_done(const struct world *world);
/* No session can step, though not all have ended: waits that no engine sees through (a mutex and a row lock
 * crossed). Ends one wait of a statement with the engine's lock wait timeout, so that the run goes on; a session
 * that waits for a mutex for good is FATE_STUCK. */
void world_break_tie(struct world *world);

/* One step of `session`, which must be enabled. The footprint of all that happened in it is put into
 * `*footprint`. */
void world_step(struct world *world, size_t session, struct footprint *footprint);

/* Ends `session` as if its connection had broken before its next operation: its transaction is rolled back. What serial
 * orders allow of a session that failed (see verdict). */
void world_kill(struct world *world, size_t session);

/* The outcome as bytes that are equal if and only if outcomes are: the rows of every table, effects, and
 * fates, with generated values named by session and rank. Of the sessions in `ignored` neither the fate counts nor,
 * unless they raised, their effects. Written to `out`, which is cleared first. */
void world_outcome(const struct world *world, uint32_t ignored, struct buf *out);
/* The rows alone, whoever generated what is in them. */
void world_rows(const struct world *world, struct buf *out);

#endif
