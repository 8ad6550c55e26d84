/* Inside the InnoDB policy: index records and the locks on them.
 *
 * An index record is named by (table, key, version): any version of a row that has the record's key values.
 * Version 0 is the supremum, which stands after the last record of every index. A row has one record in the
 * clustered index and one in each other key; older key values have one too, marked as deleted. Purge removes
 * those some time after the last transaction that may need them: 0.7 to 0.9 s on an idle MariaDB 10.11, so
 * not within one of our schedules, whose steps follow each other at once. Only what was loaded is purged. What lies between two records, the gap, is locked through the record after it.
 *
 * The rules follow the manual, "Locks Set by Different SQL Statements in InnoDB", and what MariaDB 10.11 was
 * seen to do (tests/engine/transcripts/innodb.txt).
 */
#ifndef LW_ENGINE_INNODB_H
#define LW_ENGINE_INNODB_H

#include "engine/internal.h"

/* The clustered index of a table without primary key: rows in order of insertion. */
enum { INNODB_ROWID = 255 };

enum innodb_mode { INNODB_S, INNODB_X };

/* Of exec.cursor, the policy's words for the statement under way. */
enum innodb_cursor {
    INNODB_HAS_VIEW,  /* READ COMMITTED: the statement has a read view */
    INNODB_REUSED,    /* the row being written takes the place of a deleted record: no gap is split */
    INNODB_LOGGED,    /* undo records of a write that is no version yet */
    INNODB_BY_UNIQUE, /* the rows to change are found as the one of a unique key other than the primary */
    INNODB_WAITED,    /* the record a scan waits for, and in which of its ranges; 0: none */
    INNODB_WAITED_RANGE
};

/* What of record and gap a lock covers. NEXT_KEY: both. INSERT: waits for the gap's locks, keeps nobody out. */
enum innodb_type { INNODB_NEXT_KEY = 0, INNODB_GAP = 1, INNODB_REC = 2, INNODB_INSERT = 4 };

enum innodb_lock_flag {
    INNODB_TYPE = 7,
    INNODB_STRUCT =
        8, /* a lock struct of its own: what counts when a deadlock's victim is chosen */
    INNODB_EMPTY =
        16 /* a struct left without records by RC's unlocking: it counts, and locks nothing */
};

struct innodb_record {
    uint32_t version; /* 0: supremum */
    bool is_deleted;
};

struct innodb_records {
    struct innodb_record *items; /* in order; in scratch; without the supremum */
    size_t count;
};

/* A place in an index, of a row that is or could be there. */
struct innodb_entry {
    const struct value *values;
    uint32_t
        row; /* decides between equal keys where there is no primary key; UINT32_MAX: after all */
};

struct innodb_request {
    uint16_t table;
    uint8_t key;
    uint32_t version;
    enum innodb_mode mode;
    enum innodb_type type;
    enum sql_lock_wait wait;
    bool is_implicit; /* only waits: what is written next holds the record by itself */
    /* Answers. */
    uint32_t granted; /* sequence of a lock that is new, so that it may be let go again; 0: none */
    bool is_skipped;  /* SKIP LOCKED, and it is locked */
    bool is_stale;    /* it ended a deadlock: another's records may have gone, this one too */
};

/* ---- innodb_index.c ---- */

uint8_t innodb_clustered(const struct db *db, uint16_t table);
/* The record's place. */
struct innodb_entry innodb_entry_of(const struct db *db, uint32_t version);
int innodb_entry_order(const struct db *db, uint16_t table, uint8_t key, struct innodb_entry a,
                       struct innodb_entry b);
bool innodb_same_record(const struct db *db, uint16_t table, uint8_t key, uint32_t a, uint32_t b);
/* All records of an index, in order. */
struct innodb_records innodb_records(struct db *db, uint16_t table, uint8_t key);
/* The record at or after a place: its index, records->count if there is none. */
size_t innodb_seek(const struct db *db, const struct innodb_records *records, uint16_t table,
                   uint8_t key, struct innodb_entry entry);
/* How many versions the rows of a table have: at least as many as an index has records. */
size_t innodb_version_count(const struct db *db, uint16_t table);
/* The version that names record `index`, 0 past the end. */
uint32_t innodb_record_at(const struct innodb_records *records, size_t index);
/* The open transaction, other than `txn`, that made or marked the record; 0: none. */
uint16_t innodb_implicit_owner(const struct db *db, uint16_t table, uint8_t key, uint32_t version);
/* The version that the index has of a row, not marked as deleted: not always the newest; 0: none. */
uint32_t innodb_index_version(const struct db *db, uint16_t table, uint8_t key, uint16_t row);
/* The version of a deleted row whose record in the clustered index that of `version` took over; 0: none. */
uint32_t innodb_replaced_version(const struct db *db, uint32_t version);
/* Whether the record is that of its row now, not marked as deleted. */
bool innodb_is_live(const struct db *db, uint16_t table, uint8_t key, uint32_t version);
/* The version that the index has of the row that is at the record now; 0: none. */
uint32_t innodb_live_version(const struct db *db, uint16_t table, uint8_t key, uint32_t version);
/* Whether purge has removed what `version` replaced. */
bool innodb_is_purged(const struct db *db, uint32_t version);

/* ---- innodb_lock.c ---- */

/* Takes a lock, or queues for it. */
enum step innodb_lock(struct db *db, size_t session, struct innodb_request *request);
/* The session's own lock that covers the request: its sequence; 0: none. */
uint32_t innodb_lock_held(struct db *db, size_t session, const struct innodb_request *request);
/* What the session waited for is its own now, whether or not it is still of use. */
void innodb_grant_queued(struct db *db, size_t session);
/* Lets go of a lock that was granted to a row that then did not fit (READ COMMITTED). */
void innodb_unlock(struct db *db, uint32_t sequence);
/* The intention lock on a table that comes before record locks. */
void innodb_lock_table(struct db *db, size_t session, uint16_t table, enum innodb_mode mode);
/* A record went in before `next`: it takes over the locks on the gap it split. */
void innodb_split_gap(struct db *db, uint16_t table, uint8_t key, uint32_t version, uint32_t next);
/* Locks on records that are gone pass to the gap they left. */
void innodb_settle_locks(struct db *db);
uint32_t innodb_blockers(const struct db *db, size_t session);
uint32_t innodb_watched_blockers(const struct db *db, size_t session);
int innodb_deadlock_victim(const struct db *db, size_t session, uint32_t cycle);
int innodb_late_closer(const struct db *db, size_t session, uint32_t cycle);
/* A clustered record changes from version `from` to `to`: to its place on the page, if its size changes. */
void innodb_move_locks(struct db *db, uint32_t from, uint32_t to);

/* ---- innodb_read.c ---- */

bool innodb_open(void *context, struct eval *eval, struct query_scan *scan);
enum row_step innodb_next(void *context, struct eval *eval, struct query_scan *scan);
void innodb_reject(void *context, struct eval *eval, struct query_scan *scan);
enum tuple_step innodb_lock_target(struct db *db, size_t session, struct query *query,
                                   const struct query_change *change, struct query_tuple *tuple);

/* ---- innodb_write.c ---- */

enum step innodb_check_keys(struct db *db, size_t session, const struct new_row *row, int only_key,
                            struct duplicate *duplicate);
enum step innodb_lock_duplicate(struct db *db, size_t session, uint32_t found, uint32_t *version);
enum step innodb_before_write(struct db *db, size_t session, const struct new_row *row, bool *skip);
enum step innodb_after_write(struct db *db, size_t session, uint32_t version);
/* Goes on with the row under way at `depth` of lists.under_way, and takes it out there when it is in all keys. */
enum step innodb_finish_row(struct db *db, size_t session, size_t depth);
/* Gives a child, its newest version, other values (NULL: deletes it), through all of its keys. */
enum step innodb_write_child(struct db *db, size_t session, uint32_t child,
                             const struct value *values);

/* ---- innodb_foreign_key.c ---- */

/* Looks for the parents that the row under way at `depth` refers to from key `k`. */
enum step innodb_check_parents(struct db *db, size_t session, size_t depth, uint16_t table, int k,
                               const struct value *values);
/* Fails if there are children that forbid that `old` gives up its key `k` for `values` (NULL: it is deleted). */
enum step innodb_forbid_children(struct db *db, size_t session, uint16_t table, int k,
                                 uint32_t old, const struct value *values);
/* The same for the row under way at `depth` (`forbids`: else that was done), and does what else its foreign keys say. */
enum step innodb_act_on_children(struct db *db, size_t session, size_t depth, int k, uint32_t old,
                                 const struct value *values, bool forbids);

/* ---- innodb.c ---- */

/* MySQL, not MariaDB. To be asked only where the two differ, after what else decides: a run stands for both as
 * long as nobody asked (struct db_twin). */
static inline bool innodb_is_mysql(const struct db *db) {
    if (db->config.twin != NULL && db->config.twin->engine != db->config.engine)
        db->config.twin->differs = true;
    return db->config.engine == ENGINE_MYSQL;
}

/* The same where it shows only in what a transaction weighs, which is asked when a deadlock's victim is chosen. */
static inline bool innodb_weighs_as_mysql(struct db *db) {
    db->core.has_own_weight = true;
    return db->config.engine == ENGINE_MYSQL;
}

/* Whether gaps are locked: above READ COMMITTED. */
static inline bool innodb_locks_gaps(const struct db *db, size_t session) {
    return session_txn(db, session)->level > SQL_READ_COMMITTED;
}

/* The schema as InnoDB has it: a foreign key without an index gets one. `schema` itself if nothing lacks. */
const struct schema *innodb_schema(struct arena *arena, const struct schema *schema);

#endif
