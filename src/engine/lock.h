/* The lock table: one array of locks held and asked for, in order of request. What a mode means,
 * and which modes conflict, is the policy's. Locks carry sequence numbers, so that a savepoint is
 * a mark.
 */
#ifndef LW_ENGINE_LOCK_H
#define LW_ENGINE_LOCK_H

#include "engine/store.h"

enum lock_kind { LOCK_ROW, LOCK_TABLE, LOCK_ADVISORY, LOCK_POLICY /* and on: a policy's own */ };

/* LOCK_ROW: the savepoint it was taken after was released. */
enum { LOCK_RELEASED = 1 };

struct lock {
    uint8_t kind; /* enum lock_kind */
    uint8_t mode;
    uint8_t flags;
    uint8_t key; /* index of the table's key it is on (InnoDB) */
    uint8_t session;
    bool is_waiting; /* queued, not granted */
    bool is_session; /* kept over the end of the transaction (advisory) */
    uint8_t count;   /* session advisory locks: how often taken */
    uint16_t txn;
    uint16_t table;
    uint16_t row;
    uint32_t sequence; /* order, and mark for savepoints; from 1 */
    uint32_t xid;      /* LOCK_ROW: see txn_assign_xid */
    int64_t number;    /* advisory: its key; LOCK_ROW: the version that was locked */
};

/* SSI: a SIREAD mark, and an rw edge: `reader` did not see what `writer` wrote. */
struct mark {
    uint16_t txn;
    uint16_t table;
    uint8_t kind;
    uint8_t key;
    uint32_t version;
};

struct edge {
    uint16_t reader, writer;
};

/* Appends a lock with the next sequence number; its index. */
size_t lock_add(struct db *db, const struct lock *lock);
/* The same, but puts it at `index`. */
void lock_insert(struct db *db, size_t index, const struct lock *lock);
/* Takes out lock `index`; the order of the others is kept. */
void lock_remove(struct db *db, size_t index);
/* Takes out the locks of `txn` with a sequence above `mark`, save session locks. */
void locks_release(struct db *db, uint16_t txn, uint32_t mark);
/* Takes out queued requests of a session. */
void locks_unqueue(struct db *db, size_t session);

/* Advisory locks: pg_advisory_lock and its like, GET_LOCK. Runs the one call of the SELECT; its
 * value in *result. */
enum step advisory_call(struct db *db, size_t session, const struct sql_stmt *stmt,
                        struct value *result);
/* The same for a call within an expression of the running statement, PostgreSQL only: as eval_expr. A statement that waited
 * takes it once for each time that it comes to the call. */
bool advisory_in_expression(struct db *db, const struct sql_expr *call, struct value *result);

#endif
