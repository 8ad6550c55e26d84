/* What engines differ in: a table of functions for PostgreSQL, InnoDB and SQLite each. The
 * executor calls them, they call store.h, lock.h and session_*. See internal.h for waiting: a
 * statement that waited is run again with the same snapshot, passing over the matches already
 * dealt with, so whatever these functions do for one row before they answer STEP_WAIT must be
 * safe to do again.
 *
 * To add an engine: fill a struct policy in a file of its own and name it in policy_of
 * (session.c).
 */
#ifndef LW_ENGINE_POLICY_H
#define LW_ENGINE_POLICY_H

#include "engine/query.h"
#include "engine/store.h"

/* A row about to be written. */
struct new_row {
    uint16_t table;
    uint32_t old;               /* the version it replaces; 0: INSERT */
    const struct value *values; /* one per column; NULL: DELETE */
};

/* A row that stands in the way of a key. */
struct duplicate {
    int key;          /* -1: none */
    uint32_t version; /* that row's newest version */
};

struct policy {
    /* After BEGIN opened a transaction: SQLite's IMMEDIATE, START TRANSACTION WITH CONSISTENT
     * SNAPSHOT. NULL: nothing. */
    enum step (*begin_transaction)(struct db *db, size_t session, enum sql_begin_mode mode);

    /* Before a statement's first step, not again after a wait of a later one: makes exec.snapshot. May refuse, or wait. */
    enum step (*begin_statement)(struct db *db, size_t session, const struct sql_stmt *stmt);

    /* Where rows come from; context is the db, the reader its running session. `lock`: locking
     * SELECT. */
    struct row_source source;

    /* UPDATE, DELETE: takes hold of the target (source 0) of a match: KEEP, maybe with newer
     * values in `tuple`, which were re-checked; DROP; or STOP, having failed or waiting. */
    enum tuple_step (*lock_target)(struct db *db, size_t session, struct query *query,
                                   const struct query_change *change, struct query_tuple *tuple);

    /* Looks for other rows with the same unique keys (only key `only_key`, -1: any), waiting for
     * those whose fate is open. One that is there is put in *duplicate, which is no failure here,
     * save where the engine fails otherwise. Keys may be left to after_write, which then fails, and for
     * ON CONFLICT notes the row in exec.duplicate: the row put in is taken out again. */
    enum step (*check_keys)(struct db *db, size_t session, const struct new_row *row, int only_key,
                            struct duplicate *duplicate);

    /* ON CONFLICT DO UPDATE: takes hold of the row found; *version: what to update; 0: look for
     * the key again. DO NOTHING: `version` is NULL, and all there is to do is to fail where the
     * engine does. */
    enum step (*lock_duplicate)(struct db *db, size_t session, uint32_t found, uint32_t *version);

    /* Just before a row is written, all checks done. *skip: change nothing, but count the row. */
    enum step (*before_write)(struct db *db, size_t session, const struct new_row *row, bool *skip);
    /* Just after; `version` is the new one. May wait, and is then called again for it. */
    enum step (*after_write)(struct db *db, size_t session, uint32_t version);

    /* Finds and locks the parent of a child with `values`; fails if there is none. NULL: foreign keys are after_write's. */
    enum step (*check_parent)(struct db *db, size_t session, uint16_t table,
                              const struct foreign_key *fk, const struct value *values);
    /* Before it is looked whether the key that a parent had, its row's `values`, is there again (NO ACTION). NULL: nothing. */
    enum step (*look_for_key)(struct db *db, size_t session, const struct foreign_key *fk,
                              const struct value *values);
    /* Appends the newest versions of children that refer to a parent with `values`, locked if
     * `lock`. */
    enum step (*find_children)(struct db *db, size_t session, uint16_t child_table,
                               const struct foreign_key *fk, const struct value *values,
                               enum sql_lock lock, struct u32_list *children);
    /* find_children appends one that is not written yet, and is asked again until it finds none. */
    bool finds_child_by_child;

    /* Before COMMIT takes effect, after deferred checks. */
    enum step (*before_commit)(struct db *db, size_t session);
    /* A COMMIT that fails leaves the transaction open (SQLite), else it is a ROLLBACK. */
    bool outlives_failed_commit;
    /* `txn` has ended: its status is set, its versions undone if it aborted, its locks still
     * there. */
    void (*after_end)(struct db *db, uint16_t txn);
    /* `version`, a row's newest, is about to be undone. NULL: nothing. */
    void (*before_undo)(struct db *db, uint32_t version);
    /* The versions of `txn` since a mark were undone: a statement failed or, `is_savepoint`,
     * ROLLBACK TO. */
    void (*after_undo)(struct db *db, uint16_t txn, uint32_t lock_mark, bool is_savepoint);

    /* An error inside BEGIN undoes all up to the innermost savepoint, and refuses the rest
     * (PostgreSQL). */
    bool has_failed_state;
    /* Whether the error rolls back the whole transaction, not just the statement. NULL: none
     * does. */
    bool (*error_ends_transaction)(struct db *db, size_t session, enum db_error error);

    enum step (*lock_table)(struct db *db, size_t session, const struct sql_lock_table *lock);

    /* The session's wait is over; it goes on with its statement. NULL: nothing to do. */
    void (*after_wait)(struct db *db, size_t session);
    /* Bits of the sessions that the waiting session waits for; 0: it can go on. */
    uint32_t (*blockers)(const struct db *db, size_t session);
    /* Whether `ahead`, those of them, can be overtaken once they can go on. NULL: never. */
    bool (*is_raced)(const struct db *db, size_t session, uint32_t ahead);
    /* Those of them that the search for deadlocks follows. NULL: all. */
    uint32_t (*watched_blockers)(const struct db *db, size_t session);
    /* `session` closed a cycle of waits, its members' bits in `cycle`: whose transaction goes.
     * DB_NO_SESSION: nobody notices (a mutex, SQLite). */
    int (*deadlock_victim)(const struct db *db, size_t session, uint32_t cycle);
    /* A cycle through `session` that showed when another let go: who counts as having closed it. DB_NO_SESSION: nobody
     * notices. NULL: there is no such cycle. */
    int (*late_closer)(const struct db *db, size_t session, uint32_t cycle);
};

extern const struct policy policy_postgresql, policy_innodb, policy_sqlite;

#endif
