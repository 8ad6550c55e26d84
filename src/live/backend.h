/* What a library must do to be a back end: send a text, take in what came, ask the server who waits. A back end is one
 * file and one table of functions; when to poll, what settles a wait and in what order waits end is session.c's, and
 * the same for all.
 *
 * A session is IDLE, RUNNING (a statement was sent, and whether it ends or waits is open), WAITING (the caller was told
 * so), or READY (its statement ended after a wait, and the caller has not been told yet).
 */
#ifndef LW_LIVE_BACKEND_H
#define LW_LIVE_BACKEND_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"
#include "live/live.h"
#include "live/url.h"

enum live_state { LIVE_IDLE, LIVE_RUNNING, LIVE_IS_WAITING, LIVE_READY };

struct live_session {
    void *handle; /* the back end's; NULL: not connected */
    int64_t id;   /* the server's number of the connection */
    enum live_state state;
    bool has_ended;                    /* all of the statement's answer is there */
    bool was_open;                     /* a transaction was, when the statement was sent */
    bool is_open;                      /* after the last statement that ended */
    bool may_begin_again;              /* an error ended it, and the next statement may open another (MySQL) */
    bool may_hold_locks;               /* of the kind that no transaction's end lets go */
    bool is_cancelled;                 /* the cancel was ours */
    struct arena memory;               /* of the answer */
    struct live_answer *answer, *last; /* the first of the chain, and the newest */
    struct live_answer waiting_answer;
    VEC(struct live_notice) notices; /* for the answer that comes next */
    /* As the server said when last asked. */
    bool is_blocked;
    uint32_t blockers;
    uint32_t blockers_before;    /* the last that were known */
    bool is_past_deadlock_check; /* it told that its wait is no deadlock */
    uint64_t blocked_since_us;   /* 0: not blocked */
    unsigned asked_count;        /* times in a row that it was found blocked */
    uint64_t wait_number;        /* grows with each wait that begins */
    bool is_doubtful;            /* what tells that it is blocked may be a little late */
    uint64_t doubted_at;         /* live's statement_count when that was waited out */
};

struct live {
    const struct live_backend *backend;
    struct arena arena;
    struct live_url url;
    struct live_options options;
    struct live_session sessions[LIVE_SESSIONS_MAX + 1];
    uint64_t waits_begun;
    uint64_t statement_count; /* sent in sessions, or ended by us */
    uint64_t known_at;        /* its value when all that waited were known to do so still */
    enum live_kind kind;
    unsigned version[3];
    char server[64];
    char place_name[40]; /* a plain SQL identifier, or empty */
    struct str place;    /* for the user */
    bool has_place;      /* it was made, or its making was begun */
    bool is_closing;     /* an interrupt ends nothing any more */
    bool is_lost;
    struct err lost;       /* why */
    unsigned ask_after_us; /* from sending to the first question who waits; the back end sets it */
    void *state;           /* the back end's, for the whole of it */
};

enum { LIVE_CONTROL_INDEX = LIVE_SESSIONS_MAX };

struct live_backend {
    /* Loads the library. */
    bool (*load)(struct err *err);
    /* Connects session `index` (or LIVE_CONTROL_INDEX) so that it uses the place, which need not exist yet. The control
     * connection comes first, and finds out kind, server and version. */
    bool (*connect)(struct live *live, size_t index, struct err *err);
    void (*disconnect)(struct live *live, size_t index);
    /* What poll(2) waits on. -1: start and take wait by themselves. */
    int (*socket)(struct live *live, size_t index);
    /* Sends a text; as take if its end is there at once. */
    bool (*start)(struct live *live, size_t index, struct str sql, struct err *err);
    /* Takes in what has come, without waiting; sets has_ended, is_open and the answers. False: the connection is gone. */
    bool (*take)(struct live *live, size_t index, struct err *err);
    /* Sets is_blocked and blockers of `sessions`, a bit each. NULL: what has not ended after take waits. */
    bool (*ask)(struct live *live, uint32_t sessions, struct err *err);
    /* Whether a session that is blocked will stay so until another session does something. */
    bool (*is_settled)(const struct live *live, size_t index);
    /* Asks for the end of what runs; the answer comes through take. */
    bool (*cancel)(struct live *live, size_t index, struct err *err);
    /* Has the server end a connection of ours by its number; as far as that can be done. */
    void (*kill)(struct live *live, int64_t id);
    /* Rewrites the answer to a cancel to what a lock wait timeout gives. */
    void (*as_timeout)(struct live *live, size_t index);
    /* The statement that lets go locks that outlive transactions. NULL: there are none. */
    const char *(*unlock_all)(const struct live *live);
    /* Makes it, names it in `place`, and has all connections use it. */
    bool (*make_place)(struct live *live, struct err *err);
    /* Drops it over the control connection. */
    bool (*drop_place)(struct live *live, struct err *err);
    /* How the user can drop it. */
    struct str (*drop_text)(struct live *live, struct arena *arena);
    /* Frees `state`. */
    void (*release)(struct live *live);
};

/* NULL: built without the library. */
extern const struct live_backend *const live_postgresql, *const live_mysql, *const live_sqlite;

/* ---- session.c, for back ends too ---- */

uint64_t live_now_us(void);
/* A long call's way to learn of a signal, without an error yet. */
bool live_is_interrupted(const struct live *live);
/* Whether `word` (ASCII) is in `text`, in any case. */
bool live_contains(struct str text, const char *word);
/* A new answer at the end of the session's chain, in its memory; the notices so far are its. */
struct live_answer *live_add_answer(struct live_session *session);
void live_add_notice(struct live_session *session, struct str severity, struct str message);
/* Runs a text in `index` (usually the control connection) to its end. False only if the connection or the run is over. */
bool live_run_to_end(struct live *live, size_t index, struct str sql, struct err *err);
/* The same, and an error of the server makes it false. */
bool live_run_ok(struct live *live, size_t index, struct str sql, struct err *err);
/* Notes that nothing more can be done, and why; false. */
bool live_lose(struct live *live, struct err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
