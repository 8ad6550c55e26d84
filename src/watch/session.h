/* Sessions: what each has read, its open transaction, and what that has written. Internal to watch/. */
#ifndef LW_WATCH_SESSION_H
#define LW_WATCH_SESSION_H

#include "watch/recall.h"

enum { READS_MAX = 256, PENDING_MAX = 100000, LOOSE_MAX = 32 };

struct savepoint {
    struct str name; /* of a meaning, lives as long as the watch */
    size_t pending_count;
    uint64_t seq;
};

struct session {
    uint64_t id;
    struct str database, schema; /* of names without one; interned; empty: not told, the one that there is without being asked */
    uint32_t space;              /* these, as tables count places */
    struct str who; /* "shop@shop 4711": user, database, number; interned */
    struct row_read *reads; /* a ring */
    uint64_t *read_rows;    /* their rows, looked through for each write */
    size_t read_count, read_next, read_capacity;
    size_t unknown_read_count; /* of row 0 */
    uint16_t *read_filter; /* how many reads have a row of each hash; NULL while there are few */
    VEC(struct row_write *) pending; /* MVEC */
    VEC(struct loose_statement) loose; /* MVEC: of its unit of work */
    bool is_unit_cut;                  /* not all of them are kept */
    VEC(struct savepoint) savepoints; /* MVEC */
    bool in_transaction, is_autocommit_off, has_failed;
    uint64_t transaction;    /* number of the open one; 0: none */
    uint64_t snapshot_seq;   /* of the transaction's first read, where all its reads are as of then; 0: none */
    enum sql_isolation isolation, next_isolation; /* of the session; of the next transaction, DEFAULT: the session's */
    uint64_t last_seq;
    bool is_test;            /* its transaction is a test's, see TRACE_TEST */
    size_t test_depth;       /* savepoints that the test has made around what it runs */
    const struct meaning *last; /* of its last statement, of which the outcome may yet be told */
    /* Its pending writes are committed if the last statement has not failed, which is not told yet. */
    bool is_unsettled;
    uint64_t commit_seq;
    int64_t commit_us;
    uint64_t settled_transaction;  /* number of the one that is committed then; 0: a statement of its own */
    struct session *settles_next; /* the unsettled one that committed after it */
    struct session *newer, *older; /* by their last statement */
    struct session *next; /* of the same slot */
};

struct sessions {
    struct session **slots;
    size_t slot_count, count;
    uint64_t dropped_count; /* ended for want of room: what they had read is forgotten */
    struct session *newest, *oldest;
    struct session *settles_first, *settles_last; /* the unsettled ones, in the order of their commits */
};

enum { SESSIONS_MAX = 20000 };

void sessions_init(struct sessions *sessions);
void sessions_release(struct sessions *sessions);
/* The session of that number, now the newest; NULL: there is none. */
struct session *session_find(struct sessions *sessions, uint64_t id);
/* One that is not there yet. Of SESSIONS_MAX the one that was silent longest ends; none may be unsettled then. */
struct session *session_add(struct sessions *sessions, uint64_t id);
/* It must not be unsettled. */
void session_end(struct sessions *sessions, uint64_t id);

/* A place for a new read of the row; what stood there is freed. */
struct row_read *session_add_read(struct session *session, uint64_t row);
/* Its last read of the row, or of some row of the table (*is_doubtful), before `seq` and not older than `since_us`. */
const struct row_read *session_find_read(const struct session *session, uint64_t row, uint32_t table,
                                         int64_t since_us, bool *is_doubtful);
/* How often it has read the row since then, as far as is kept. */
uint32_t session_count_reads(const struct session *session, uint64_t row, int64_t since_us);
/* Whether a statement now stands for a transaction of its own, which a test keeps from committing. */
bool session_is_in_test_alone(const struct session *session);
/* What it has read is not known any more. */
void session_forget_reads(struct session *session);
void session_drop_pending(struct session *session, size_t from);
/* Takes it over. */
void session_add_loose(struct session *session, struct loose_statement loose);
/* Those since `seq`. */
void session_drop_loose(struct session *session, uint64_t seq);
/* Its unit of work is over: what was read in no transaction may yet be for the next one. */
void session_end_unit(struct session *session);
/* Those that the statement with this number made. */
void session_drop_written(struct session *session, uint64_t seq);
/* Puts it behind the others that are unsettled. */
void session_unsettle(struct sessions *sessions, struct session *session);
/* Takes the first of them out; NULL: there is none. */
struct session *session_settle_first(struct sessions *sessions);

#endif
