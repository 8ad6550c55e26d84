/* Transactions: their beginning, their two ends, savepoints, and what an error leaves of them. */
#include "engine/exec.h"
#include "engine/version.h"

bool txn_begin(struct db *db, size_t session, enum sql_isolation level, unsigned flags) {
    LW_ASSERT(db->sessions.items[session].txn == 0);
    if (db->txns.count >= STORE_TXNS_MAX) {
        db_fail(db, DB_ERROR_LIMIT, "more than %d transactions", STORE_TXNS_MAX);
        return false;
    }
    struct txn txn = {.session = (uint8_t)session,
                      .status = TXN_ACTIVE,
                      .level = (uint8_t)level,
                      .flags = (uint8_t)flags,
                      .committed = SEQUENCE_ALL,
                      .out_committed = SEQUENCE_ALL};
    MVEC_PUSH(&db->txns, txn);
    struct session *owner = &db->sessions.items[session];
    owner->txn = (uint16_t)(db->txns.count - 1);
    owner->in_transaction = !(flags & TXN_IMPLICIT);
    owner->begins_again = false;
    owner->next_level = 0;
    return true;
}

static void savepoints_drop(struct db *db, size_t session) {
    size_t kept = 0;
    for (size_t i = 0; i < db->savepoints.count; i++)
        if (db->savepoints.items[i].session != session)
            db->savepoints.items[kept++] = db->savepoints.items[i];
    db->savepoints.count = kept;
}

/* What others can see from now on, or could not have before. */
static void note_end(struct db *db, const struct txn *txn) {
    struct db_footprint *footprint = &session_exec(db, db->running)->footprint;
    footprint->ends |= txn->changed | txn->locked;
    footprint->ended_transaction = true;
    for (size_t i = 0; i < db->locks.count; i++) {
        const struct lock *lock = &db->locks.items[i];
        if (lock->kind == LOCK_ADVISORY && lock->session == txn->session && !lock->is_session)
            footprint->is_advisory = true;
    }
}

/* A transaction of which nothing is left needs no number: what only read does not make states
 * grow. */
static void txn_drop_last(struct db *db, uint16_t txn) {
    const struct txn *last = &db->txns.items[txn];
    if (txn + 1u == db->txns.count && last->changed == 0 && last->level != SQL_SERIALIZABLE)
        db->txns.count--;
}

void txn_end(struct db *db, size_t session, enum txn_status status) {
    struct session *owner = &db->sessions.items[session];
    uint16_t txn = owner->txn;
    owner->in_transaction = owner->begins_again = false;
    owner->next_level = 0;
    owner->txn = 0;
    owner->prepared = STR("");
    if (txn == 0)
        return;
    struct txn *ended = &db->txns.items[txn];
    note_end(db, ended);
    if (ended->status == TXN_ACTIVE) {
        if (status == TXN_ABORTED)
            versions_undo(db, txn, 0);
        else
            ended->committed = ++db->core.commits;
        if (!(ended->flags & TXN_PREPARED))
            ended->prepared = ended->committed;
        ended->status = (uint8_t)status;
        db->policy->after_end(db, txn);
    }
    locks_release(db, txn, 0);
    savepoints_drop(db, session);
    foreign_key_forget(db, txn, 0);
    txn_drop_last(db, txn);
}

void txn_prepare(struct db *db, size_t session, struct str name) {
    struct session *owner = &db->sessions.items[session];
    struct txn *txn = session_txn(db, session);
    owner->in_transaction = false;
    owner->next_level = 0;
    owner->prepared = name;
    txn->flags |= TXN_PREPARED;
    txn->prepared = ++db->core.commits;
    savepoints_drop(db, session);
    session_exec(db, session)->footprint.ended_transaction = true;
    session_exec(db, session)->footprint.ends |= txn->changed | txn->locked;
}

/* Undoes to the marks. `is_savepoint`: of a savepoint; else of the running statement. */
static void undo_to(struct db *db, size_t session, uint32_t version_mark, uint32_t lock_mark,
                    uint32_t pending_mark, bool is_savepoint) {
    uint16_t txn = db->sessions.items[session].txn;
    const struct txn *undone = &db->txns.items[txn];
    session_exec(db, session)->footprint.ends |= undone->changed | undone->locked;
    versions_undo(db, txn, version_mark);
    foreign_key_forget(db, txn, pending_mark);
    db->policy->after_undo(db, txn, lock_mark, is_savepoint);
}

static struct savepoint *savepoint_innermost(struct db *db, size_t session) {
    for (size_t i = db->savepoints.count; i-- > 0;)
        if (db->savepoints.items[i].session == session)
            return &db->savepoints.items[i];
    return NULL;
}

/* Whoever waits for what was done after it waits no more. */
static void savepoint_renew(struct db *db, struct savepoint *savepoint) {
    savepoint->number = ++db->core.savepoint_number;
    savepoint->xid = 0;
}

/* PostgreSQL: everything since the innermost savepoint is gone at once, the rest waits for
 * ROLLBACK. */
static void txn_enter_failed(struct db *db, size_t session) {
    uint16_t txn = db->sessions.items[session].txn;
    struct txn *failed = &db->txns.items[txn];
    if (failed->flags & TXN_FAILED)
        return;
    failed->flags |= TXN_FAILED;
    struct savepoint *savepoint = savepoint_innermost(db, session);
    if (savepoint != NULL) {
        savepoint_renew(db, savepoint);
        undo_to(db, session, savepoint->version_mark, savepoint->lock_mark, savepoint->pending_mark,
                true);
        return;
    }
    note_end(db, failed);
    versions_undo(db, txn, 0);
    failed->status = TXN_ABORTED;
    db->policy->after_end(db, txn);
    locks_release(db, txn, 0);
    foreign_key_forget(db, txn, 0);
}

void txn_end_by_error(struct db *db, size_t session) {
    struct session *owner = &db->sessions.items[session];
    bool begins_again = db_is_mysql(db) && owner->in_transaction;
    uint8_t level = begins_again ? session_txn(db, session)->level : 0;
    txn_end(db, session, TXN_ABORTED);
    owner->begins_again = begins_again;
    owner->next_level = level;
}

bool txn_begins_by_itself(const struct db *db, size_t session) {
    const struct session *owner = &db->sessions.items[session];
    return owner->no_autocommit ||
           (owner->begins_again && db_config_has(&db->config, TRAIT_BEGINS_AGAIN));
}

void txn_statement_failed(struct db *db, size_t session, enum db_error error) {
    const struct session *owner = &db->sessions.items[session];
    const struct policy *policy = db->policy;
    if (owner->txn == 0 || owner->prepared.len > 0)
        return;
    struct txn *txn = session_txn(db, session);
    bool ends = policy->error_ends_transaction != NULL &&
                policy->error_ends_transaction(db, session, error);
    if (ends || (txn->flags & TXN_IMPLICIT))
        txn_end_by_error(db, session);
    else if (policy->has_failed_state)
        txn_enter_failed(db, session);
    else
        undo_to(db, session, owner->exec.version_mark, owner->exec.lock_mark,
                owner->exec.pending_mark, false);
}

/* ---- savepoints ---- */

/* The index of the session's latest savepoint of that name, or -1. */
static ptrdiff_t savepoint_find(const struct db *db, size_t session, struct str name) {
    for (size_t i = db->savepoints.count; i-- > 0;)
        if (db->savepoints.items[i].session == session &&
            str_equal_nocase(db->savepoints.items[i].name, name))
            return (ptrdiff_t)i;
    return -1;
}

/* On MySQL and MariaDB it takes the place of one of the same name. */
void savepoint_set(struct db *db, size_t session, struct str name) {
    ptrdiff_t same = db_is_mysql(db) ? savepoint_find(db, session, name) : -1;
    if (same >= 0) {
        struct savepoint *at = &db->savepoints.items[same];
        memmove(at, at + 1, (db->savepoints.count - (size_t)same - 1) * sizeof(*at));
        db->savepoints.count--;
    }
    struct savepoint savepoint = {.name = name,
                                  .number = ++db->core.savepoint_number,
                                  .session = (uint8_t)session,
                                  .command = session_txn(db, session)->command,
                                  .version_mark = (uint32_t)db->versions.count,
                                  .lock_mark = db->core.lock_sequence,
                                  .pending_mark = db->core.pending_sequence};
    MVEC_PUSH(&db->savepoints, savepoint);
}

/* Drops the session's savepoints from index `from` on. */
static void savepoints_cut(struct db *db, size_t session, size_t from) {
    size_t kept = from;
    for (size_t i = from; i < db->savepoints.count; i++)
        if (db->savepoints.items[i].session != session)
            db->savepoints.items[kept++] = db->savepoints.items[i];
    db->savepoints.count = kept;
}

uint32_t savepoint_innermost_number(const struct db *db, size_t session) {
    uint32_t number = 0;
    for (size_t i = 0; i < db->savepoints.count; i++)
        if (db->savepoints.items[i].session == session)
            number = db->savepoints.items[i].number;
    return number;
}

bool savepoint_is_set(const struct db *db, size_t session, int64_t number) {
    for (size_t i = 0; i < db->savepoints.count; i++)
        if (db->savepoints.items[i].session == session && db->savepoints.items[i].number == number)
            return true;
    return false;
}

uint32_t savepoint_of_lock(const struct db *db, const struct lock *lock) {
    uint32_t number = 0;
    for (size_t i = 0; i < db->savepoints.count; i++)
        if (db->savepoints.items[i].session == lock->session &&
            db->savepoints.items[i].lock_mark < lock->sequence)
            number = db->savepoints.items[i].number;
    return lock->flags & LOCK_RELEASED ? 0 : number;
}

uint32_t savepoint_of_version(const struct db *db, uint32_t version) {
    const struct version *v = &db->versions.items[version];
    size_t session = db->txns.items[v->writer].session;
    uint32_t number = 0;
    for (size_t i = 0; i < db->savepoints.count; i++)
        if (db->savepoints.items[i].session == session &&
            db->savepoints.items[i].version_mark <= version)
            number = db->savepoints.items[i].number;
    return v->flags & VERSION_RELEASED ? 0 : number;
}

/* A subtransaction that has ended well is no more to be waited for: who does so, or comes to do so, waits for the
 * whole transaction, even if this is undone by an outer savepoint (XactLockTableWait). */
static void note_release(struct db *db, size_t session, size_t from) {
    const struct savepoint *released = &db->savepoints.items[from];
    uint16_t txn = db->sessions.items[session].txn;
    for (size_t i = 0; i < db->locks.count; i++) {
        struct lock *lock = &db->locks.items[i];
        if (lock->kind == LOCK_ROW && lock->txn == txn && lock->sequence > released->lock_mark)
            lock->flags |= LOCK_RELEASED;
    }
    for (size_t v = released->version_mark; v < db->versions.count; v++)
        if (db->versions.items[v].writer == txn)
            db->versions.items[v].flags |= VERSION_RELEASED;
    for (size_t s = 0; s < db->session_count; s++) {
        struct wait *wait = &db->sessions.items[s].wait;
        bool is_for_txn = wait->kind == WAIT_TXN ||
                          (wait->kind == WAIT_LOCK && wait->lock_kind == LOCK_ROW);
        if (!is_for_txn || wait->txn != txn || wait->number < released->number)
            continue;
        wait->number = 0;
        session_exec(db, session)->footprint.waited_or_woke = true;
    }
}

enum step savepoint_release(struct db *db, size_t session, struct str name) {
    ptrdiff_t at = savepoint_find(db, session, name);
    if (at < 0)
        return db_fail(db, DB_ERROR_NO_SAVEPOINT, "%.*s", STR_ARG(name));
    if (db->policy->has_failed_state)
        note_release(db, session, (size_t)at);
    savepoints_cut(db, session, (size_t)at);
    return STEP_OK;
}

enum step savepoint_rollback(struct db *db, size_t session, struct str name) {
    ptrdiff_t at = savepoint_find(db, session, name);
    if (at < 0)
        return db_fail(db, DB_ERROR_NO_SAVEPOINT, "%.*s", STR_ARG(name));
    savepoint_renew(db, &db->savepoints.items[at]);
    struct savepoint savepoint = db->savepoints.items[at];
    savepoints_cut(db, session, (size_t)at + 1);
    session_txn(db, session)->flags &= (uint8_t)~TXN_FAILED;
    undo_to(db, session, savepoint.version_mark, savepoint.lock_mark, savepoint.pending_mark, true);
    return STEP_OK;
}
