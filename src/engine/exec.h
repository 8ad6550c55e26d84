/* The executor's parts: transactions (txn.c), statements that control them (control.c), rows
 * changed (modify.c, insert.c), foreign keys (foreign_key.c), and one statement from start to end
 * (exec.c).
 */
#ifndef LW_ENGINE_EXEC_H
#define LW_ENGINE_EXEC_H

#include "engine/internal.h"

/* ---- txn.c ---- */

/* Opens a transaction for a session that has none; false at the limit (db_fail called). */
bool txn_begin(struct db *db, size_t session, enum sql_isolation level, unsigned flags);
/* Ends the session's transaction, if it has one: what it did becomes visible, or undone; its
 * locks are freed. */
void txn_end(struct db *db, size_t session, enum txn_status status);
/* The same for an error that ends the whole transaction. MySQL goes on as if BEGIN had been sent again
 * (trans_rollback_implicit: OPTION_BEGIN is not reset); MariaDB is in autocommit then. In both the next transaction has the
 * same level, as SET TRANSACTION is only over at an end that was asked for. */
void txn_end_by_error(struct db *db, size_t session);
/* Whether the session's next statement begins a transaction though none was asked for: SET autocommit=0, or
 * txn_end_by_error. */
bool txn_begins_by_itself(const struct db *db, size_t session);
/* PREPARE TRANSACTION, its checks done. */
void txn_prepare(struct db *db, size_t session, struct str name);
/* After an error in a transaction: undoes what the engine undoes, up to all of it. */
void txn_statement_failed(struct db *db, size_t session, enum db_error error);
/* SAVEPOINT, RELEASE, ROLLBACK TO. */
void savepoint_set(struct db *db, size_t session, struct str name);
enum step savepoint_release(struct db *db, size_t session, struct str name);
enum step savepoint_rollback(struct db *db, size_t session, struct str name);

/* ---- wait.c ---- */

/* What the waiting session waits for; 0: it can go on. */
uint32_t session_blockers(const struct db *db, size_t session);
/* Ends the wait: nothing is queued any more. */
void session_wait_end(struct db *db, size_t session);
/* Whether some session can go on or has a result to be handed out. */
bool session_any_ready(const struct db *db);
/* session_wait's look for a deadlock alone: where STEP_WAIT leaves the session waiting, nobody has let go of anything. */
enum step session_close_cycle(struct db *db, size_t session, const struct wait *wait);
/* Rolls back the victims of deadlocks that have not let go yet; whether there were any. */
bool session_bury(struct db *db);
/* Ends the deadlocks that show only now that a session in the way has gone. */
void session_look_for_deadlocks(struct db *db);

/* ---- exec.c ---- */

/* Runs the session's statement, or goes on with it after a wait, up to and with its commit if it
 * is on its own. */
enum step exec_run(struct db *db, size_t session);
/* The level of the session's next transaction. */
enum sql_isolation exec_level(const struct db *db, size_t session, bool is_implicit);

/* COMMIT: the checks put off to it (may fail or wait), then the end; a failure rolls back. */
enum step exec_commit(struct db *db, size_t session);
/* PREPARE TRANSACTION: the same, but what ends is the session's part in it, COMMIT PREPARED, ROLLBACK PREPARED. */
enum step exec_prepare(struct db *db, size_t session, struct str name);
enum step exec_end_prepared(struct db *db, size_t session, const struct sql_stmt *stmt);

/* ---- control.c ---- */

bool stmt_is_control(const struct sql_stmt *stmt);
/* BEGIN, COMMIT (once its checks are done), ROLLBACK, savepoints, SET, LOCK TABLE. */
enum step exec_control(struct db *db, size_t session, const struct sql_stmt *stmt);

/* ---- insert.c, modify.c ---- */

enum step exec_insert(struct db *db, size_t session, const struct sql_insert *insert);
enum step exec_update(struct db *db, size_t session, const struct sql_update *update);
enum step exec_delete(struct db *db, size_t session, const struct sql_delete *delete_);

/* Constraints of the row itself: NOT NULL and CHECK. */
enum step row_check(struct db *db, uint16_t table, const struct value *values);
/* Replaces version `old` by `values` (NULL: deletes it), everything evaluated: constraints, keys,
 * the policy's checks, foreign keys noted. *written: the new version, 0 if the policy left the
 * row as it was. */
enum step row_write(struct db *db, size_t session, uint32_t old, const struct value *values,
                    uint32_t *written);
/* Does what is left of a row written before the statement waited: after_write, foreign keys
 * noted. */
enum step row_finish(struct db *db, size_t session);
/* The values that `set` gives the row of the frame at hand, from `old`; in scratch. */
enum step row_assign(struct db *db, uint16_t table, const struct sql_assignment *set, size_t count,
                     const struct value *old, const struct value **values);
/* The next number of the table's sequence, for a serial column. Rolled back transactions leave gaps, as in all engines. */
bool serial_next(struct db *db, size_t session, uint16_t table, struct value *value);
/* Fails with UNIQUE, naming the key. */
enum step fail_unique(struct db *db, uint16_t table, int key);

/* ---- foreign_key.c ---- */

/* Notes what has to be checked after `version` was written. */
void foreign_key_note(struct db *db, size_t session, uint32_t version);
/* Does the checks and actions noted by the running statement; `at_commit`: the deferred ones of
 * the transaction. */
enum step foreign_key_check(struct db *db, size_t session, bool at_commit);
/* The values that a foreign key's action gives the child, a version, in `*values` (in scratch; NULL: deleted), if its parent
 * has `parent` now (NULL: it was deleted). False: db->query.eval says why. */
bool foreign_key_action_values(struct db *db, uint16_t child_table, const struct foreign_key *fk,
                               enum fk_action action, uint32_t child, const struct value *parent,
                               const struct value **values);
/* Forgets the checks of `txn` noted after the mark. */
void foreign_key_forget(struct db *db, uint16_t txn, uint32_t mark);

/* ---- lock.c ---- */

/* Sessions other than `session` with a conflicting advisory lock. */
uint32_t advisory_blockers(const struct db *db, size_t session, int64_t number, uint8_t mode);

#endif
