/* Inside the engine: a database with its sessions and the statements under way. Only src/engine
 * includes it.
 *
 * Invariants. Everything a search step changes lies in flat arrays (the part of struct db marked
 * "copied"), so db_copy is a few memcpys; nothing in them points into the db. A statement that
 * must wait answers STEP_WAIT through every caller up to db_exec, keeping struct exec and struct
 * lists of its session. Going on means running it again from its start, with the same snapshot
 * and host values: matches dealt with before (exec.position) are passed over, locks are held
 * already, and PostgreSQL's snapshot or InnoDB's log of rows given makes the matches come in the
 * same order.
 */
#ifndef LW_ENGINE_INTERNAL_H
#define LW_ENGINE_INTERNAL_H

#include "base/assert.h"
#include "base/vec.h"
#include "engine/access.h"
#include "engine/engine.h"
#include "engine/lock.h"
#include "engine/policy.h"
#include "engine/query.h"
#include "engine/row_work.h"
#include "engine/store.h"

enum exec_phase { EXEC_ROWS, EXEC_FOREIGN_KEYS, EXEC_COMMIT };

/* The fixed part of a statement under way, also while it waits. */
struct exec {
    const struct sql_stmt *stmt;
    struct snapshot snapshot;
    uint32_t version_mark, lock_mark, pending_mark; /* what undoing the statement goes back to */
    uint8_t phase;                                  /* enum exec_phase */
    bool was_in_transaction;                        /* before it */
    bool has_begun;         /* it has its snapshot */
    bool has_row;           /* INSERT: lists.row holds the row at `position` */
    bool has_rows;          /* INSERT ... SELECT: lists.values holds its rows */
    uint32_t row_count;     /* INSERT ... SELECT: of them */
    uint8_t generated_mark; /* ordinals given before it */
    bool rolled_back;       /* COMMIT of a transaction that had failed */
    bool is_cascade;        /* `written` is a foreign key action's */
    uint32_t written;       /* version written for the row at `position`, after_write still to do */
    uint32_t duplicate;     /* INSERT: in the way of the row at `position`, found when that was in; 0: none */
    uint32_t position;      /* rows or matches dealt with */
    uint32_t seen;          /* matches met in this run of it */
    uint32_t advisory_done; /* advisory locks taken by calls within expressions */
    uint32_t returning;     /* writes that RETURNING gives; those after it are cascades */
    uint32_t cursor[11];     /* the policy's own; zero when the statement starts */
    int64_t affected;
    struct value last_insert;
    struct db_footprint footprint;
};

/* Its growing part; empty when no statement of the session waits. */
struct lists {
    struct ref_list writes;
    struct u32_list work;          /* the policy's own: log of rows given or skipped, children found */
    struct row_works under_way;
    struct value_list row;         /* INSERT: the row being inserted */
    struct value_list values;      /* INSERT ... SELECT: its rows */
    FLAT(struct db_bind) binds;    /* host values, copied while it waits */
    struct value_list bind_values; /* members of their lists, in order */
};

enum wait_kind { WAIT_NOTHING, WAIT_TXN, WAIT_LOCK, WAIT_POLICY };

/* What a session waits for; which fields count is the policy's. */
struct wait {
    uint8_t kind; /* enum wait_kind */
    uint8_t lock_kind, mode;
    bool has_entered; /* PostgreSQL, an INSERT: its row is in the keys before number `mode` of `table` already */
    bool is_unqueued; /* PostgreSQL, a row: it holds no place in the row's queue */
    uint16_t txn, table, row;
    union { uint32_t lock, version; }; /* InnoDB: sequence of the queued lock; PostgreSQL: the version that it queues for */
    uint32_t order; /* sessions are resumed by this */
    int64_t number; /* advisory: its key. WAIT_TXN, LOCK_ROW: of the savepoint of `txn` whose undoing ends it, too */
};

struct session {
    uint16_t txn;        /* 0: none open */
    uint8_t level;       /* of the next transactions */
    uint8_t next_level;  /* SET TRANSACTION: of the next one only; 0: none */
    bool no_autocommit;  /* MySQL: SET autocommit=0 */
    bool in_transaction; /* BEGIN was sent, or the like; also when the txn has failed */
    bool begins_again;   /* an error ended it: in MySQL the next statement begins another */
    bool is_under_way;   /* exec and lists are of a statement that waits */
    struct str prepared; /* `txn` is prepared under this name, and not the session's any more; empty: it isn't */
    uint8_t doomed;    /* enum db_error: deadlock victim while it waited; db_resume hands it out */
    uint8_t generated; /* ordinal of its next generated value */
    struct wait wait;
    struct exec exec;
};

struct core {
    uint32_t commits;       /* number of the last commit */
    uint32_t lock_sequence, wait_order, pending_sequence; /* of the last lock, wait and note (struct pending) */
    bool has_own_weight; /* InnoDB: MySQL and MariaDB differ in what a transaction weighs */
    uint32_t savepoint_number, xid; /* of the last one */
    uint32_t policy_word[4]; /* the policy's own */
};

struct db {
    /* Shared, constant. */
    struct db_config config;
    const struct schema *schema;       /* as the engine has it: InnoDB adds indexes */
    const struct schema *given_schema; /* of db_new */
    struct arena own;                  /* of `schema`, if it is another */
    const struct policy *policy;
    size_t session_count;
    /* Copied. */
    struct core core;
    FLAT(struct table_state) tables;
    FLAT(struct session) sessions;
    FLAT(struct row) rows;
    FLAT(struct version) versions;
    FLAT(struct value) values;
    FLAT(struct txn) txns;
    FLAT(struct lock) locks;
    FLAT(struct savepoint) savepoints;
    FLAT(struct pending) pending;
    FLAT(struct mark) marks;
    FLAT(struct edge) edges;
    struct lists lists[DB_SESSIONS_MAX];
    /* Not copied: the statement running and its answer. */
    struct arena scratch; /* reset when a statement starts */
    struct query query;
    uint8_t running;     /* its session */
    bool is_peeking;     /* db_peek: no locks, no marks, no writes */
    bool is_loading;     /* db_load: by nobody, committed at once */
    uint32_t advisory_seen; /* advisory locks in expressions met in this run of it */
    uint32_t scan_count, skip_count; /* for policies: scans opened, rows met under SKIP LOCKED in this run of it */
    enum db_error error; /* set by db_fail */
    char detail[96];
    struct query_result result;
    struct u32_list children; /* of a foreign key action */
};

/* The values of a version, one per column; valid until the next row_insert or row_update. */
static inline const struct value *version_values(const struct db *db, uint32_t version) {
    return db->values.items + db->versions.items[version].values;
}

/* The same, valid to the end of the statement. */
const struct value *version_values_stable(struct db *db, uint32_t version);

static inline bool version_is_deleted(const struct db *db, uint32_t version) {
    return db->versions.items[version].flags & VERSION_DELETED;
}

static inline struct txn *session_txn(const struct db *db, size_t session) {
    return &db->txns.items[db->sessions.items[session].txn];
}

static inline struct exec *session_exec(const struct db *db, size_t session) {
    return &db->sessions.items[session].exec;
}

static inline const struct table *db_table(const struct db *db, uint16_t table) {
    return db->schema->tables.items[table];
}

static inline uint64_t table_bit(uint16_t table) {
    return (uint64_t)1 << (table < 63 ? table : 63);
}

/* The reference to a version, as reads, rows and writes give it. */
struct db_ref db_ref_of(const struct db *db, uint32_t version);

static inline bool db_is_mysql(const struct db *db) {
    return db->config.engine == ENGINE_MYSQL || db->config.engine == ENGINE_MARIADB;
}

/* Notes why the statement fails. Always STEP_FAIL. db_fail_eval: what eval or a source of rows
 * left, which may be that the session waits: STEP_FAIL or STEP_WAIT. */
enum step db_fail(struct db *db, enum db_error error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

enum step db_fail_eval(struct db *db);

/* The session must wait for what `wait` says (kind set). STEP_WAIT, or: STEP_FAIL, it is the victim of a
 * deadlock; STEP_OK, somebody else was, look again whether there is still something to wait for: who is told to be the
 * victim withdraws its own request, and lets go of what it holds when the one who told it waits or its statement ends. */
enum step session_wait(struct db *db, size_t session, const struct wait *wait);

/* The bit of the session whose transaction, or what it did after a savepoint, `wait` is for; 0: that is over. */
uint32_t wait_holder(const struct db *db, const struct wait *wait);

/* Numbers of the savepoints after which a lock was taken or a version made, the innermost each; 0: none, or it was
 * released: then only the end of the transaction ends it for those who wait (PostgreSQL's subtransactions). */
uint32_t savepoint_of_lock(const struct db *db, const struct lock *lock);
uint32_t savepoint_of_version(const struct db *db, uint32_t version);
uint32_t savepoint_innermost_number(const struct db *db, size_t session); /* 0: none */
bool savepoint_is_set(const struct db *db, size_t session, int64_t number);

/* A value made by the database, named after the session. False: too many (db_fail called). */
bool session_generate(struct db *db, size_t session, enum value_kind kind, int64_t number,
                      struct value *value);

#endif
