/* Inside the engine: the store, transactions, locks, statements under way, and `struct policy`, the table
 * of functions by which PostgreSQL, InnoDB and SQLite differ. Only src/engine includes it.
 *
 * Invariants. Everything a search step changes lies in flat arrays addressed by index, so db_copy is a few
 * memcpys; nothing in them points into the db. Indexes are never reused while a search runs, save in the
 * lock table and the lists of statements under way. A row's versions form a chain, newest first; a version
 * that was rolled back is unlinked from the chain. The version array is its own undo log: undoing to a mark
 * walks it backwards. Index 0 of rows, versions and txns is "none" (txn 0: loaded, committed long ago).
 *
 * A statement that must wait returns STEP_WAIT through every caller up to db_exec; what it needs to go on
 * lies in its session's `struct exec` and `struct lists`. When it is resumed it enters at the same phase
 * and the same target row again, so everything done for one target before a wait must be safe to redo.
 */
#ifndef LW_ENGINE_INTERNAL_H
#define LW_ENGINE_INTERNAL_H

#include "base/assert.h"
#include "engine/engine.h"

enum step { STEP_OK, STEP_WAIT, STEP_FAIL };

enum { SEQUENCE_ALL = UINT32_MAX, COMMAND_ALL = UINT16_MAX, ROWS_MAX = 60000, TXNS_MAX = 60000 };

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

/* ---- the store ---- */

struct row {
    uint32_t newest; /* version; 0: its insert was rolled back */
    uint16_t table;
    uint16_t number; /* in its table, from 0 */
    uint16_t next;   /* next row of the table in order of insertion; 0: last */
};

enum version_flag {
    VERSION_DELETED = 1,     /* the row ends here; its values are those of the version before */
    VERSION_KEY_STRENGTH = 2, /* PostgreSQL: overwrote with FOR UPDATE strength (key changed, deleted, locked so) */
    VERSION_UNDONE = 4       /* rolled back, out of its chain */
};

struct version {
    uint32_t previous; /* 0: inserted */
    uint32_t values;   /* where its column values start in db->values */
    uint16_t row;
    uint16_t writer;  /* txn */
    uint16_t command; /* the writer's how-manieth statement made it */
    uint8_t flags;    /* enum version_flag */
    uint8_t spare;
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
    TXN_DOOMED = 32 /* SSI: must fail at its next step */
};

struct txn {
    uint8_t session;
    uint8_t status; /* enum txn_status */
    uint8_t level;  /* enum sql_isolation, never DEFAULT */
    uint8_t flags;  /* enum txn_flag */
    uint16_t command;      /* statements begun */
    uint16_t write_count;  /* versions made: InnoDB's undo records */
    uint32_t snapshot;     /* commits it sees; with TXN_HAS_SNAPSHOT */
    uint32_t committed;    /* its number in the order of commits, from 1 */
    uint32_t out_committed; /* SSI: earliest commit of a txn it has an rw edge to; SEQUENCE_ALL: none */
    uint64_t tables_changed, tables_locked; /* for footprints: bits per table */
};

/* What a reader sees: versions of commits up to `sequence`, and of `txn` itself by commands before `command`. */
struct snapshot {
    uint32_t sequence;
    uint16_t txn;
    uint16_t command;
};

struct savepoint {
    struct str name; /* of the statement, lives as long as the run */
    uint8_t session;
    uint32_t version_mark, lock_mark, pending_mark;
};

/* ---- locks ---- */

enum lock_kind { LOCK_ROW, LOCK_TABLE, LOCK_ADVISORY, LOCK_GAP /* and more of a policy's own */ };

/* One lock held or asked for. What `mode`, `key`, `flags` and `row` of a gap mean is the policy's. */
struct lock {
    uint8_t kind; /* enum lock_kind */
    uint8_t mode;
    uint8_t flags;
    uint8_t key;     /* index of the table's key it is on (InnoDB) */
    uint8_t session;
    bool is_waiting; /* queued, not granted */
    bool is_session; /* kept over the end of the transaction (advisory) */
    uint8_t count;   /* session advisory locks: how often taken */
    uint16_t txn;
    uint16_t table;
    uint16_t row;
    uint32_t sequence; /* from db->core.lock_sequence: order, and mark for savepoints */
    int64_t number;    /* advisory: its key */
};

/* A foreign key check put off to the end of the statement or to COMMIT. */
struct pending {
    uint16_t txn;
    uint16_t table;       /* the child table */
    uint16_t foreign_key; /* of that table */
    bool is_parent;       /* the parent row of `version` was deleted or its key changed */
    bool is_deferred, is_done;
    uint32_t version;     /* child: the new version. parent: the version that lost its key */
    uint32_t sequence;    /* its number: mark for savepoints */
};

/* SSI: a SIREAD mark. */
struct mark {
    uint16_t txn;
    uint16_t table;
    uint8_t kind;
    uint8_t key;
    uint32_t version;
};

/* SSI: a rw edge: `reader` did not see what `writer` wrote. */
struct edge {
    uint16_t reader, writer;
};

/* ---- statements under way ---- */

enum exec_phase { EXEC_START, EXEC_TARGETS, EXEC_FOREIGN_KEYS, EXEC_END, EXEC_COMMIT };

/* The fixed part of a statement under way, also while it waits. */
struct exec {
    const struct sql_stmt *stmt;
    struct snapshot snapshot; /* of the statement */
    uint32_t version_mark, lock_mark, pending_mark; /* where it began: what undoing the statement goes back to */
    uint8_t phase;      /* enum exec_phase */
    bool has_target;    /* target[] (or lists.row for INSERT) is found and not yet dealt with */
    bool has_generated; /* of lists.row */
    uint8_t generated_mark;
    uint32_t position;  /* INSERT: row of the list; UPDATE, DELETE, locking SELECT: candidate */
    uint32_t kept;      /* locking SELECT: rows that count towards LIMIT */
    uint32_t cursor[4]; /* the policy's own; zero when the statement starts */
    uint32_t target[SQL_SOURCES_MAX]; /* versions of the target combination, one per source; 0: no row */
    int64_t affected;
    struct value last_insert;
    struct db_footprint footprint;
};

/* Its growing part, kept per session, copied only when not empty. */
struct lists {
    struct ref_list reads, writes;
    struct u32_list work;      /* the policy's candidates: combinations of versions */
    struct u32_list done;      /* locking SELECT: combinations kept, source_count versions each */
    struct value_list row;     /* INSERT: the row being inserted */
    struct value_list values;  /* lists of binds; rows of INSERT ... SELECT */
    struct {
        struct db_bind *items;
        size_t count, capacity;
    } binds; /* copies while it waits; `list` set anew by exec_binds */
};

/* What a session waits for. `kind` 0: it does not wait. */
enum wait_kind { WAIT_NOTHING, WAIT_TXN, WAIT_LOCK, WAIT_POLICY };

struct wait {
    uint8_t kind; /* enum wait_kind */
    uint8_t lock_kind, mode;
    uint16_t txn, table, row;
    uint32_t lock;   /* sequence of the queued lock (policies that queue) */
    uint32_t order;  /* sessions are resumed by this */
    int64_t number;
};

struct session {
    uint16_t txn;           /* 0: none open */
    uint8_t level;          /* of the next transactions */
    uint8_t next_level;     /* SET TRANSACTION: of the next one only; 0 */
    bool is_autocommit;     /* MySQL: SET autocommit */
    bool is_under_way;      /* exec and lists are of a statement that waits */
    bool in_transaction;    /* BEGIN was sent (PostgreSQL: also when the txn has failed) */
    uint8_t doomed;         /* enum db_error: what db_resume hands out (deadlock victim while waiting) */
    uint8_t generated;      /* ordinal of its next generated value */
    bool is_mysql_locked;   /* LOCK TABLES */
    struct wait wait;
    struct exec exec;
};

/* ---- the database ---- */

#define FLAT(type)                                                                                 \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t count, capacity;                                                                    \
    }

struct core {
    uint32_t commits;       /* sequence number of the last commit */
    uint32_t lock_sequence; /* of the last lock */
    uint32_t wait_order;
    uint32_t pending_sequence;
    uint32_t policy_word[4]; /* a policy's own */
};

struct db {
    /* Shared, constant. */
    struct db_config config;
    const struct schema *schema;
    struct text_pool *pool;
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
    /* Not copied: the last answer, and scratch. */
    enum db_error error; /* set by db_fail */
    char detail[96];
    struct value_list result_rows;
    struct ref_list result_refs;
    size_t result_columns, result_row_count, result_ref_count;
    const struct db_bind *binds; /* of the statement running */
    uint8_t running;             /* its session */
    bool is_peeking;             /* db_peek: no locks, no marks, no writes */
    bool is_loading;             /* db_load */
    struct value_list scratch_values;
    struct u32_list scratch_versions;
};

/* ---- reading ---- */

/* How a table is gone through: by the values a key's leading columns must have (`range_count` alternatives), or
 * all of it (`key` -1). Chosen by access_choose from the WHERE and ON conditions. Every row that can satisfy them
 * is within, others may be, so the condition is still to be evaluated. */
struct key_range {
    uint8_t equal_count; /* leading columns bound by equality */
    bool has_low, has_high, low_open, high_open; /* on the column after those */
    struct value equal[KEY_COLUMNS_MAX];
    struct value low, high;
};

enum { ACCESS_RANGES_MAX = 8 };

struct access {
    uint16_t table;
    int16_t key;      /* index in the table's keys; -1: whole table */
    bool is_point;    /* every range binds all columns of a unique key: at most one row each */
    bool is_empty;    /* a condition compares with NULL: no row */
    uint8_t range_count;
    struct key_range ranges[ACCESS_RANGES_MAX];
};

/* Who reads, and what it sees. `lock` other than NONE: InnoDB's current read, which locks (PostgreSQL locks row by
 * row afterwards, in next_target, and leaves it NONE). */
struct reader {
    struct db *db;
    uint8_t session;
    bool is_peek;
    bool in_subquery; /* of a statement that writes or locks */
    enum sql_lock lock;
    enum sql_lock_wait lock_wait;
    struct snapshot snapshot;
};

/* A FROM list with its conditions, whatever statement it stands in: SELECT, UPDATE ... FROM, DELETE ... USING. */
struct row_query {
    const struct sql_source *sources[SQL_SOURCES_MAX];
    size_t source_count;
    const struct sql_expr *where;
    const struct sql_order *order_by;
    size_t order_count;
    const struct sql_expr *limit, *offset;
    const struct sql_select *select; /* NULL: UPDATE or DELETE */
    enum sql_lock lock;              /* UPDATE, DELETE: as strong as the statement needs */
    enum sql_lock_wait lock_wait;
    uint32_t lock_sources; /* bit per source locked; UPDATE, DELETE: bit 0 */
};

/* A row about to be written. `old` 0: INSERT. */
struct new_row {
    uint16_t table;
    uint32_t old;               /* the version it replaces */
    const struct value *values; /* one per column; NULL: DELETE */
};

/* A row that stands in the way of a key. */
struct duplicate {
    int key;          /* -1: none */
    uint32_t version; /* the row's newest version */
};

/* ---- what engines differ in ----
 * STEP_FAIL: db_fail was called. STEP_WAIT: session_wait was called. */
struct policy {
    /* Before a statement's first step: takes or makes the snapshot into exec.snapshot; refuses it. */
    enum step (*begin_statement)(struct db *db, size_t session, const struct sql_stmt *stmt);

    /* Appends to `versions` the versions of the table that the reader sees within `access`, in the order the engine
     * finds them. Not filtered by the WHERE. Notes SIREAD marks; takes locks if reader->lock (may wait). */
    enum step (*scan)(const struct reader *reader, const struct access *access, struct u32_list *versions);

    /* The rows a locking SELECT, UPDATE or DELETE is about, one after the other: puts the next one's versions in
     * exec.target, locked and re-checked, or sets *at_end. Called again with the same state after a wait. */
    enum step (*next_target)(struct db *db, size_t session, const struct row_query *query, bool *at_end);

    /* Looks for rows with the same unique keys (of key `only_key`, -1: of any), waiting for those whose fate is open.
     * A committed or own one is put in *duplicate; that is no failure here, save where the engine says 40001. */
    enum step (*check_keys)(struct db *db, size_t session, const struct new_row *row, int only_key,
                            struct duplicate *duplicate);

    /* ON CONFLICT DO UPDATE: locks the row found and gives its version to update; 0: look for it again. */
    enum step (*lock_duplicate)(struct db *db, size_t session, uint32_t found, uint32_t *version);

    /* Just before a row is written, all checks done; for locks and conflicts. *skip: change nothing (no-op UPDATE). */
    enum step (*before_write)(struct db *db, size_t session, const struct new_row *row, bool *skip);
    /* Just after: `version` is the new one. */
    enum step (*after_write)(struct db *db, size_t session, uint32_t version);

    /* Whether foreign keys are checked row by row (InnoDB), not at the end of the statement or COMMIT. */
    bool checks_fk_by_row;
    /* Locks and checks the parent of a child's `values`; it fails if there is none. */
    enum step (*check_parent)(struct db *db, size_t session, uint16_t table, const struct foreign_key *fk,
                              const struct value *values);
    /* Appends the newest versions of children that refer to `values` of the parent, locked if `lock`. */
    enum step (*find_children)(struct db *db, size_t session, uint16_t child_table,
                               const struct foreign_key *fk, const struct value *parent_values,
                               enum sql_lock lock, struct u32_list *children);

    /* Before COMMIT takes effect, after deferred checks: may fail or wait. */
    enum step (*before_commit)(struct db *db, size_t session);
    /* The transaction `txn` has ended, status set, versions undone if aborted: frees its locks. */
    void (*after_end)(struct db *db, uint16_t txn);
    /* Versions since the marks are undone; frees locks where the engine does. `is_savepoint`: ROLLBACK TO; else one
     * statement failed. */
    void (*after_undo)(struct db *db, uint16_t txn, uint32_t lock_mark, bool is_savepoint);

    /* What error `error` undoes besides the statement. */
    bool (*error_ends_transaction)(struct db *db, size_t session, enum db_error error);

    enum step (*lock_table)(struct db *db, size_t session, const struct sql_lock_table *lock);

    /* Sessions that the waiting session still waits for; 0: it can go on. */
    uint32_t (*blockers)(const struct db *db, size_t session);
    /* A cycle closed by `session`; bits of its members. The session to be rolled back. */
    size_t (*deadlock_victim)(const struct db *db, size_t session, uint32_t cycle);
};

extern const struct policy policy_postgresql, policy_innodb, policy_sqlite;

/* ---- store.c ---- */

/* The values of a version, one per column. Valid until the next version_add. */
static inline const struct value *version_values(const struct db *db, uint32_t version)
{
    return db->values.items + db->versions.items[version].values;
}

/* The version of `row` that the snapshot sees, deleted ones included (see version_is_deleted); 0: none. */
uint32_t row_visible(const struct db *db, const struct snapshot *snapshot, uint16_t row);
/* Whether the snapshot sees what this version's writer did. */
bool version_is_visible(const struct db *db, const struct snapshot *snapshot, uint32_t version);
/* The newest version of `row` that is committed or of `txn`; 0: none. */
uint32_t row_newest_committed(const struct db *db, uint16_t txn, uint16_t row);
static inline bool version_is_deleted(const struct db *db, uint32_t version)
{
    return db->versions.items[version].flags & VERSION_DELETED;
}
/* The transaction, still open and not `txn`, that wrote the row's newest version; 0: none. */
uint16_t row_open_writer(const struct db *db, uint16_t txn, uint16_t row);

/* Writes: a new row and its first version; a new version of a row (values NULL: deleted). `txn` is the writer.
 * 0: a limit was passed (db_fail called). They note exec.footprint and lists.writes. */
uint32_t row_insert(struct db *db, size_t session, uint16_t table, const struct value *values);
uint32_t row_update(struct db *db, size_t session, uint32_t old, const struct value *values);
/* Unlinks all versions that `txn` made after the mark (a count of versions). */
void versions_undo(struct db *db, uint16_t txn, uint32_t version_mark);

/* ---- session.c ---- */

static inline struct txn *session_txn(const struct db *db, size_t session)
{
    return &db->txns.items[db->sessions.items[session].txn];
}
/* Notes why the statement fails. Always STEP_FAIL. */
enum step db_fail(struct db *db, enum db_error error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
enum step db_fail_at(struct db *db, enum db_error error, struct str name);
/* The session must wait for the end of `txn`, or as `wait` says. Always STEP_WAIT. */
enum step session_wait_txn(struct db *db, size_t session, uint16_t txn);
enum step session_wait(struct db *db, size_t session, const struct wait *wait);
/* Notes that the statement running rests on `version`. */
void session_note_read(struct db *db, size_t session, uint32_t version);
/* The value is named after the session: kind VALUE_INT, VALUE_TIME or VALUE_TEXT. False at the limit (db_fail called). */
bool session_generate(struct db *db, size_t session, enum value_kind kind, int64_t number,
                      struct value *value);
/* Rolls the session's whole transaction back at once and frees its locks (deadlock victims, 1020). If it is
 * waiting, its statement ends with `error`, handed out by db_resume. */
void session_abort(struct db *db, size_t session, enum db_error error);
static inline uint64_t table_bit(uint16_t table)
{
    return (uint64_t)1 << (table < 63 ? table : 63);
}

/* ---- lock.c ---- */

/* Appends a lock with the next sequence number; gives its index. */
size_t lock_add(struct db *db, const struct lock *lock);
/* Takes out lock `index`; order is kept. */
void lock_remove(struct db *db, size_t index);
/* Takes out the locks of `txn` with a sequence above `mark`, save session locks. */
void locks_release(struct db *db, uint16_t txn, uint32_t mark);

/* ---- access.c ---- */

struct scope; /* of eval.h: rows at hand, binds, outer scopes */

/* How source `source` of the query in `scope` is best found, given conditions `where` and `on` (NULL: none). Columns
 * of sources before it and of outer queries count as known values. */
void access_choose(struct scope *scope, const struct row_query *query, size_t source, struct access *access);
/* Whether a version's key lies within the access. */
bool access_has(const struct db *db, const struct access *access, const struct value *values);
/* Key `key` of two value rows: equal and without NULL. A partial index's WHERE is not looked at. */
bool key_equal(const struct db *db, const struct key *key, const struct value *a, const struct value *b);
/* Orders two rows by the key's columns: NULL first. */
int key_compare(const struct db *db, const struct key *key, const struct value *a, const struct value *b);

#endif
