/* The multi-version store: tables of rows, each a chain of versions, newest first, and the
 * transactions that wrote them.
 *
 * Invariants. All of it lies in flat arrays addressed by index; indexes are never reused; index 0
 * of rows, versions and txns is "none" (txn 0: loaded, committed long ago). A version that was
 * rolled back is unlinked from its chain and stays in the array, which is its own undo log:
 * undoing to a mark walks it backwards. Only the newest version of a row may be uncommitted:
 * whoever writes it has made sure of that.
 */
#ifndef LW_ENGINE_STORE_H
#define LW_ENGINE_STORE_H

#include "engine/engine.h"

enum {
    SEQUENCE_ALL = UINT32_MAX,
    COMMAND_ALL = UINT16_MAX,
    STORE_ROWS_MAX = 60000,
    STORE_TXNS_MAX = 60000
};

/* FAIL: db_fail was called. WAIT: session_wait was called, and the session waits now. */
enum step { STEP_OK, STEP_WAIT, STEP_FAIL };

/* A growing array with an owner of its own, by MVEC_PUSH; copied with flat arrays' memcpy. */
#define FLAT(type)                                                                                 \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t count, capacity;                                                                    \
    }

struct u32_list {
    uint32_t *items;
    size_t count, capacity;
};

struct value_list {
    struct value *items;
    size_t count, capacity;
};

struct ref_list {
    struct db_ref *items;
    size_t count, capacity;
};

struct row {
    uint32_t newest; /* version; 0: its insert was rolled back */
    uint16_t table;
    uint16_t number; /* in its table, from 0 */
    uint16_t next;   /* next row of the table in order of insertion; 0: last */
};

enum version_flag {
    VERSION_DELETED = 1,      /* the row ends here; its values are those of the version before */
    VERSION_KEY_STRENGTH = 2, /* PostgreSQL: overwrote with the strength of FOR UPDATE */
    VERSION_UNDONE = 4,       /* rolled back, out of its chain */
    VERSION_RELEASED = 8      /* the savepoint it was made after was released */
};

struct version {
    uint32_t previous; /* 0: inserted */
    uint32_t values;   /* where its column values start in db->values */
    uint16_t row;
    uint16_t writer;  /* txn */
    uint16_t command; /* the writer's how-manieth statement made it */
    uint8_t flags;    /* enum version_flag */
    uint8_t keys_done; /* InnoDB: in so many keys of the table its entries were put, or marked as deleted */
};

struct table_state {
    uint16_t first_row, last_row; /* 0: none */
    uint16_t row_count;           /* rows ever */
    int64_t serial_next;
};

enum txn_status { TXN_ACTIVE, TXN_COMMITTED, TXN_ABORTED };

enum txn_flag {
    TXN_HAS_SNAPSHOT = 1,
    TXN_FAILED = 2,   /* PostgreSQL: aborted until ROLLBACK or ROLLBACK TO */
    TXN_IMPLICIT = 4, /* autocommit: ends with its statement */
    TXN_READ_ONLY = 8,
    TXN_WROTE = 16,
    TXN_DOOMED = 32,    /* SSI: must fail at its next step */
    TXN_DEFERRABLE = 64, /* READ ONLY DEFERRABLE: waits for a snapshot that can't make it fail */
    TXN_PREPARED = 128   /* two-phase commit: can't fail any more */
};

struct txn {
    uint8_t session;
    uint8_t status;       /* enum txn_status */
    uint8_t level;        /* enum sql_isolation, never DEFAULT */
    uint8_t flags;        /* enum txn_flag */
    uint16_t command;     /* statements begun */
    uint16_t write_count; /* versions made: InnoDB's undo records */
    uint32_t snapshot;    /* commits it sees; with TXN_HAS_SNAPSHOT */
    uint32_t committed;   /* its number in the order of commits, from 1; SEQUENCE_ALL: not (yet) */
    uint32_t prepared; /* the same number, or that of its PREPARE TRANSACTION */
    uint32_t out_committed; /* SSI: first commit among those it has edges to; SEQUENCE_ALL: none */
    uint32_t xid;           /* in the order of their first write or row lock, from 1; 0: none yet */
    uint32_t now_ordinal;   /* 1 + ordinal of its now(); 0: not asked for yet */
    int64_t now_number;
    uint64_t read, locked, changed; /* bits per table: footprints, PostgreSQL's table locks */
};

/* What a reader sees: versions of commits up to `sequence`, and of `txn` itself by commands
 * before `command`. */
struct snapshot {
    uint32_t sequence;
    uint16_t txn;
    uint16_t command;
};

struct savepoint {
    struct str name; /* of the statement, lives as long as the run */
    uint8_t session;
    uint16_t command; /* statements the transaction had begun */
    uint32_t number;  /* its own; another after each ROLLBACK TO: what came before is undone */
    uint32_t xid;     /* PostgreSQL: of its subtransaction; 0: none yet */
    uint32_t version_mark, lock_mark, pending_mark;
};

/* A foreign key check put off to the end of the statement or to COMMIT. */
struct pending {
    uint16_t txn;
    uint16_t table;       /* the child table */
    uint16_t foreign_key; /* of that table */
    bool is_parent;       /* the parent row of `version` was deleted or its key changed */
    bool is_deferred, is_done;
    uint32_t version;  /* child: the new version. parent: the version that took its key away */
    uint32_t sequence; /* mark for savepoints; from 1 */
};

/* Whether the snapshot sees what this version's writer did. */
bool version_is_visible(const struct db *db, const struct snapshot *snapshot, uint32_t version);

/* The version of `row` that the snapshot sees, deleted ones included (see version_is_deleted); 0:
 * none. */
uint32_t row_visible(const struct db *db, const struct snapshot *snapshot, uint16_t row);

/* The newest version of `row` that is committed or of `txn`; 0: none. */
uint32_t row_newest_committed(const struct db *db, uint16_t txn, uint16_t row);

/* The transaction, still open and not `txn`, that wrote the row's newest version; 0: none. */
uint16_t row_open_writer(const struct db *db, uint16_t txn, uint16_t row);

/* The place of the session's innermost transaction or subtransaction in the order of their first writes or row locks, from 1;
 * it gets one if it has none. */
uint32_t txn_assign_xid(struct db *db, size_t session);

/* A new row of `table` with its first version, a new version of the row of `old` (`values` NULL:
 * deleted), both by the running statement of `session`, which has the right to write there. The
 * version's number; 0 with db_fail called when a limit is passed. Noted in the statement's writes
 * and footprint. `values` may lie in the store. */
uint32_t row_insert(struct db *db, size_t session, uint16_t table, const struct value *values);
uint32_t row_update(struct db *db, size_t session, uint32_t old, const struct value *values);
/* Notes in the statement's writes a row that it matched and left as it was (InnoDB makes no version of it). */
void row_note_unchanged(struct db *db, size_t session, uint32_t version);

/* Unlinks all versions that `txn` made at or after the mark (a count of versions). */
void versions_undo(struct db *db, uint16_t txn, uint32_t version_mark);

#endif
