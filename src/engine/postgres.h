/* Inside the PostgreSQL policy: row and table locks (postgres_lock.c), foreign keys (postgres_foreign_key.c), serializable snapshot
 * isolation (ssi.c), and what ties them to the executor (postgres.c).
 */
#ifndef LW_ENGINE_POSTGRES_H
#define LW_ENGINE_POSTGRES_H

#include "engine/internal.h"

static inline bool txn_is_snapshot(const struct txn *txn) {
    return txn->level >= SQL_REPEATABLE_READ;
}

/* Of exec.cursor, the policy's words for the statement under way. */
enum postgres_cursor {
    POSTGRES_WAITS_TABLE, /* it waited for a table */
    POSTGRES_CHECK_SNAPSHOT, /* one more than the sequence that a foreign key's trigger sees; 0: none */
    POSTGRES_CHECK_MARKED,   /* what of its search has met SSI: the parent's all at once, of lists.work so many words */
    POSTGRES_ENTERED,        /* one more than the key that the row being written waited for; 0: it is in none */
    POSTGRES_QUEUE_VERSION,  /* the version of a row it waits or waited for, */
    POSTGRES_QUEUE_ORDER,    /* and its place in the queue for that */
    POSTGRES_SAFE_SNAPSHOT, /* one more than the snapshot that is awaited to be safe; 0: none */
    POSTGRES_SAFE_TXNS,     /* how many transactions there had been by then */
    POSTGRES_SAFE_SESSIONS, /* bits of the sessions whose transactions decide */
    POSTGRES_CONFLICT,       /* the version that ON CONFLICT waits for; 0: none */
    POSTGRES_MARKED          /* one more than the rows of its first scan that have SSI's marks; 0: the scan has not begun */
};

/* The version whose place in the heap the index entries of `version` name: where its chain of HOT updates begins. */
uint32_t heap_chain_root(struct db *db, uint32_t version);
/* The order in which a scan meets two versions: that of the heap, or of the index (`key` >= 0). */
int heap_scan_order(struct db *db, uint16_t table, int key, uint32_t a, uint32_t b);
/* What an index search meets of a row: `seen`, which the snapshot sees, or a newer version; 0: nothing. */
uint32_t heap_version_met(struct db *db, struct eval *eval, const struct access *access,
                          uint16_t row, uint32_t seen);

/* ---- postgres_foreign_key.c: see struct policy ---- */

enum step postgres_check_parent(struct db *db, size_t session, uint16_t table,
                                const struct foreign_key *fk, const struct value *values);
enum step postgres_look_for_key(struct db *db, size_t session, const struct foreign_key *fk,
                                const struct value *values);
enum step postgres_find_children(struct db *db, size_t session, uint16_t child_table,
                                 const struct foreign_key *fk, const struct value *values,
                                 enum sql_lock lock, struct u32_list *children);

/* ---- postgres_lock.c ---- */

enum row_hold { ROW_HELD, ROW_GONE, ROW_SKIPPED, ROW_STOPPED };

/* Locks the row that the statement found as version `seen`. HELD: `*newest` is the version to go
 * on with, which is a newer one than `seen` if that was overwritten since (READ COMMITTED).
 * STOPPED: it waits, or failed. */
enum row_hold row_hold(struct db *db, size_t session, uint32_t seen, enum sql_lock mode,
                       enum sql_lock_wait wait, uint32_t *newest);
/* Whether `txn` holds FOR UPDATE strength on the row. */
bool row_is_key_locked(const struct db *db, uint16_t txn, uint16_t row);
/* Whether another session has a lock on the row that conflicts. */
bool row_is_held(const struct db *db, size_t session, uint16_t row, enum sql_lock mode);
/* Bits of the sessions that began before `session`, which waits for a row, to wait for a lock on it that conflicts. */
uint32_t row_queue_ahead(const struct db *db, size_t session);
/* Whether `ahead` are those before the session in the queue for a version that is no longer the newest: the first of them lets
 * the next one in, and both go for the newest, which no queue is for yet (heapam_tuple_lock). */
bool row_queue_is_raced(const struct db *db, size_t session, uint32_t ahead);

/* LOCK TABLE's modes, weakest first; statements take the first three by themselves. */
enum table_mode { ACCESS_SHARE = 1, ROW_SHARE, ROW_EXCLUSIVE };
uint32_t table_lock_blockers(const struct db *db, size_t session, uint16_t table, unsigned mode);
/* Notes that a statement uses the table, after waiting for explicit locks on it. */
enum step table_use(struct db *db, size_t session, uint16_t table, unsigned mode);
enum step table_lock(struct db *db, size_t session, const struct sql_lock_table *lock);

/* ---- ssi.c: all do nothing for transactions that are not serializable ---- */

/* A scan of a table by `access` gave the `count` versions: marks them, and notes what it was too
 * early to see. */
enum step ssi_scan(struct db *db, size_t session, const struct access *access, bool latest,
                   const uint32_t *versions, size_t count);
/* The same row by row, for a scan along a whole index that LIMIT may end early. A row the reader
 * does not see is given by any version; `sequence`: the commits it sees. */
enum step ssi_scan_begin(struct db *db, size_t session, const struct access *access);
enum step ssi_scan_row(struct db *db, size_t session, const struct access *access, uint32_t version,
                       bool is_visible, uint32_t sequence);
/* A row is about to be written: who has read it, or where it would have been? */
enum step ssi_write(struct db *db, size_t session, const struct new_row *row);
/* Its two parts: the row itself, then its entry in each index, which comes after that index has been searched for
 * duplicates. */
enum step ssi_write_heap(struct db *db, size_t session, const struct new_row *row);
enum step ssi_write_entry(struct db *db, size_t session, const struct new_row *row, size_t key);
/* The same for the index page of one key, before a duplicate is reported. */
enum step ssi_write_key(struct db *db, size_t session, uint16_t table, size_t key);
/* READ ONLY DEFERRABLE: waits until its transaction has a snapshot with which no commit can be found to be at odds, and
 * lets it run on as REPEATABLE READ. */
enum step ssi_await_safe_snapshot(struct db *db, size_t session);
uint32_t ssi_snapshot_blockers(const struct db *db, size_t session);
enum step ssi_before_commit(struct db *db, size_t session);
void ssi_after_end(struct db *db, uint16_t txn);

#endif
