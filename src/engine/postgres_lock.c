/* PostgreSQL's row locks in four strengths and table locks in eight (manual, 13.3 Explicit
 * Locking; README.tuplock). Who must wait for a row takes its tuple lock, so that the next one waits for him, and
 * then waits for one transaction, the first that holds the row. He looks again when that one has ended; one that set
 * a savepoint before it took the row also ends, for him, with the undoing of that.
 */
#include "engine/postgres.h"

static bool row_modes_conflict(enum sql_lock a, enum sql_lock b) {
    static const uint8_t conflicts[] = {
        [SQL_LOCK_KEY_SHARE] = 1 << SQL_LOCK_UPDATE,
        [SQL_LOCK_SHARE] = 1 << SQL_LOCK_NO_KEY_UPDATE | 1 << SQL_LOCK_UPDATE,
        [SQL_LOCK_NO_KEY_UPDATE] =
            1 << SQL_LOCK_SHARE | 1 << SQL_LOCK_NO_KEY_UPDATE | 1 << SQL_LOCK_UPDATE,
        [SQL_LOCK_UPDATE] = 1 << SQL_LOCK_KEY_SHARE | 1 << SQL_LOCK_SHARE |
                            1 << SQL_LOCK_NO_KEY_UPDATE | 1 << SQL_LOCK_UPDATE,
    };
    return conflicts[a] & (1 << b);
}

/* The lock of another on the row that conflicts and is waited for first: the members of a multixact are sorted. With
 * `seen` one that was taken on that version. NULL: none. */
static const struct lock *row_holder(const struct db *db, size_t session, uint16_t row,
                                     enum sql_lock mode, uint32_t seen) {
    const struct lock *first = NULL;
    for (size_t i = 0; i < db->locks.count; i++) {
        const struct lock *lock = &db->locks.items[i];
        if (lock->kind != LOCK_ROW || lock->row != row || lock->session == session ||
            !row_modes_conflict(mode, lock->mode) || (seen != 0 && lock->number != seen))
            continue;
        if (first == NULL || lock->xid < first->xid)
            first = lock;
    }
    return first;
}

bool row_is_held(const struct db *db, size_t session, uint16_t row, enum sql_lock mode) {
    return row_holder(db, session, row, mode, 0) != NULL;
}

/* Who holds the row already, if less strongly, needs no tuple lock to wait for the others that do. */
static bool is_in_queue(const struct db *db, size_t session) {
    const struct wait *wait = &db->sessions.items[session].wait;
    if (wait->kind != WAIT_LOCK || wait->lock_kind != LOCK_ROW || wait->is_unqueued)
        return false;
    for (size_t i = 0; i < db->locks.count; i++) {
        const struct lock *lock = &db->locks.items[i];
        if (lock->kind == LOCK_ROW && lock->row == wait->row && lock->session == session)
            return false;
    }
    return true;
}

uint32_t row_queue_ahead(const struct db *db, size_t session) {
    const struct wait *own = &db->sessions.items[session].wait;
    uint32_t bits = 0;
    if (!is_in_queue(db, session))
        return 0;
    for (size_t s = 0; s < db->session_count; s++) {
        const struct wait *wait = &db->sessions.items[s].wait;
        if (s != session && is_in_queue(db, s) && wait->row == own->row &&
            wait->version == own->version && wait->order < own->order && row_modes_conflict(wait->mode, own->mode))
            bits |= 1u << s;
    }
    return bits;
}

bool row_queue_is_raced(const struct db *db, size_t session, uint32_t ahead) {
    const struct wait *wait = &db->sessions.items[session].wait;
    return is_in_queue(db, session) && row_queue_ahead(db, session) == ahead &&
           wait_holder(db, wait) == 0 && row_newest_committed(db, 0, wait->row) != wait->version;
}

/* Waits for a row, found as version `seen`, that `holder` has; who waited for it before keeps his place. The queue is for a
 * version: that one, as long as somebody has a lock on it, else the newest. */
static enum step row_wait(struct db *db, size_t session, const struct lock *holder, uint32_t seen,
                          enum sql_lock mode, bool is_unqueued) {
    uint32_t *cursor = session_exec(db, session)->cursor;
    struct wait on = {.kind = WAIT_LOCK,
                      .lock_kind = LOCK_ROW,
                      .mode = (uint8_t)mode,
                      .is_unqueued = is_unqueued,
                      .row = holder->row,
                      .version = (uint32_t)holder->number == seen
                                     ? seen
                                     : row_newest_committed(db, 0, holder->row),
                      .txn = holder->txn,
                      .number = savepoint_of_lock(db, holder)};
    if (cursor[POSTGRES_QUEUE_VERSION] == on.version)
        on.order = cursor[POSTGRES_QUEUE_ORDER];
    enum step step = session_wait(db, session, &on);
    cursor[POSTGRES_QUEUE_VERSION] = on.version;
    cursor[POSTGRES_QUEUE_ORDER] = db->sessions.items[session].wait.order;
    return step;
}

bool row_is_key_locked(const struct db *db, uint16_t txn, uint16_t row) {
    for (size_t i = 0; i < db->locks.count; i++) {
        const struct lock *lock = &db->locks.items[i];
        if (lock->kind == LOCK_ROW && lock->row == row && lock->txn == txn &&
            lock->mode == SQL_LOCK_UPDATE)
            return true;
    }
    return false;
}

static void row_lock_take(struct db *db, size_t session, uint16_t row, uint32_t seen,
                          enum sql_lock mode) {
    struct lock lock = {.kind = LOCK_ROW,
                        .mode = (uint8_t)mode,
                        .session = (uint8_t)session,
                        .txn = db->sessions.items[session].txn,
                        .table = db->rows.items[row].table,
                        .row = row,
                        .xid = txn_assign_xid(db, session),
                        .number = seen};
    uint64_t bit = table_bit(lock.table);
    session_exec(db, session)->footprint.locks |= bit;
    struct txn *txn = session_txn(db, session);
    txn->locked |= bit;
    for (size_t i = 0; i < db->locks.count; i++) {
        const struct lock *held = &db->locks.items[i];
        if (held->kind == LOCK_ROW && held->row == row && held->txn == lock.txn &&
            held->mode >= mode)
            return;
    }
    lock_add(db, &lock);
}

/* Whether some version after `seen` up to `now` rules out a lock of this mode on `seen`. A key
 * share lock does not mind that other columns were changed. */
static bool is_overwritten(const struct db *db, uint32_t seen, uint32_t now, enum sql_lock mode) {
    for (uint32_t v = now; v != seen; v = db->versions.items[v].previous) {
        LW_ASSERT(v != 0);
        const unsigned strong = VERSION_KEY_STRENGTH | VERSION_DELETED;
        if (mode != SQL_LOCK_KEY_SHARE || (db->versions.items[v].flags & strong))
            return true;
    }
    return false;
}

/* What stands in the way is not the version itself but one after it, made by a transaction whose first change left the
 * key as it is: that is waited for, whatever was said (heap_lock_updated_tuple). */
static bool is_late_obstacle(const struct db *db, uint32_t seen, enum sql_lock mode,
                             const struct lock *holder) {
    uint32_t next = 0;
    for (uint32_t v = db->rows.items[db->versions.items[seen].row].newest; v != seen && v != 0;
         v = db->versions.items[v].previous)
        next = v;
    return mode == SQL_LOCK_KEY_SHARE && next != 0 &&
           db->versions.items[next].writer == holder->txn &&
           !(db->versions.items[next].flags & (VERSION_KEY_STRENGTH | VERSION_DELETED));
}

enum row_hold row_hold(struct db *db, size_t session, uint32_t seen, enum sql_lock mode,
                       enum sql_lock_wait wait, uint32_t *newest) {
    uint16_t row = db->versions.items[seen].row, txn = db->sessions.items[session].txn;
    struct str table = db_table(db, db->rows.items[row].table)->name;
    session_exec(db, session)->footprint.locks |= table_bit(db->rows.items[row].table);
    for (;;) {
        uint32_t now = row_newest_committed(db, txn, row);
        bool overwritten = is_overwritten(db, seen, now, mode);
        bool is_own = db->versions.items[now].writer == txn;
        bool is_stale = overwritten && !is_own && txn_is_snapshot(session_txn(db, session));
        const struct lock *holder = row_holder(db, session, row, mode, is_stale ? seen : 0);
        if (is_stale && holder == NULL) {
            db_fail(db, DB_ERROR_SERIALIZATION, "row in table %.*s", STR_ARG(table));
            return ROW_STOPPED;
        }
        if (holder == NULL) {
            *newest = overwritten ? now : seen;
            if (version_is_deleted(db, *newest))
                return ROW_GONE;
            row_lock_take(db, session, row, *newest, mode);
            return ROW_HELD;
        }
        bool is_late = is_late_obstacle(db, seen, mode, holder);
        if (is_late)
            wait = SQL_WAIT;
        if (wait == SQL_SKIP_LOCKED)
            return ROW_SKIPPED;
        if (wait == SQL_NOWAIT) {
            db_fail(db, DB_ERROR_LOCK_NOT_AVAILABLE, "row in table %.*s", STR_ARG(table));
            return ROW_STOPPED;
        }
        if (row_wait(db, session, holder, seen, mode, is_late) != STEP_OK)
            return ROW_STOPPED;
    }
}

/* ---- tables ---- */

enum { SHARE_UPDATE_EXCLUSIVE = 4, SHARE, SHARE_ROW_EXCLUSIVE, EXCLUSIVE, ACCESS_EXCLUSIVE };

static bool table_modes_conflict(unsigned a, unsigned b) {
    /* Manual, table 13.2: bit per mode. */
    static const uint16_t conflicts[] = {
        [ACCESS_SHARE] = 1 << ACCESS_EXCLUSIVE,
        [ROW_SHARE] = 1 << EXCLUSIVE | 1 << ACCESS_EXCLUSIVE,
        [ROW_EXCLUSIVE] =
            1 << SHARE | 1 << SHARE_ROW_EXCLUSIVE | 1 << EXCLUSIVE | 1 << ACCESS_EXCLUSIVE,
        [SHARE_UPDATE_EXCLUSIVE] = 1 << SHARE_UPDATE_EXCLUSIVE | 1 << SHARE |
                                   1 << SHARE_ROW_EXCLUSIVE | 1 << EXCLUSIVE |
                                   1 << ACCESS_EXCLUSIVE,
        [SHARE] = 1 << ROW_EXCLUSIVE | 1 << SHARE_UPDATE_EXCLUSIVE | 1 << SHARE_ROW_EXCLUSIVE |
                  1 << EXCLUSIVE | 1 << ACCESS_EXCLUSIVE,
        [SHARE_ROW_EXCLUSIVE] = 1 << ROW_EXCLUSIVE | 1 << SHARE_UPDATE_EXCLUSIVE | 1 << SHARE |
                                1 << SHARE_ROW_EXCLUSIVE | 1 << EXCLUSIVE | 1 << ACCESS_EXCLUSIVE,
        [EXCLUSIVE] = 0x1fe & ~(1 << ACCESS_SHARE),
        [ACCESS_EXCLUSIVE] = 0x1fe,
    };
    return conflicts[a] & (1 << b);
}

/* Whether the open transaction's statements hold a conflicting lock on the table by themselves. */
static bool implied_conflicts(const struct txn *txn, uint64_t bit, unsigned mode) {
    return ((txn->read & bit) && table_modes_conflict(mode, ACCESS_SHARE)) ||
           ((txn->locked & bit) && table_modes_conflict(mode, ROW_SHARE)) ||
           ((txn->changed & bit) && table_modes_conflict(mode, ROW_EXCLUSIVE));
}

uint32_t table_lock_blockers(const struct db *db, size_t session, uint16_t table, unsigned mode) {
    uint32_t bits = 0;
    for (size_t i = 0; i < db->locks.count; i++) {
        const struct lock *lock = &db->locks.items[i];
        if (lock->kind == LOCK_TABLE && lock->table == table && lock->session != session &&
            table_modes_conflict(mode, lock->mode))
            bits |= 1u << lock->session;
    }
    if (mode <= ROW_EXCLUSIVE && mode != ROW_EXCLUSIVE)
        return bits; /* implied locks are at most ROW EXCLUSIVE, which these don't conflict with */
    for (size_t s = 0; s < db->session_count; s++) {
        const struct session *other = &db->sessions.items[s];
        if (s == session || other->txn == 0 || mode <= ROW_EXCLUSIVE)
            continue;
        const struct txn *txn = &db->txns.items[other->txn];
        if (txn->status == TXN_ACTIVE && implied_conflicts(txn, table_bit(table), mode))
            bits |= 1u << s;
    }
    return bits;
}

static enum step table_wait(struct db *db, size_t session, uint16_t table, unsigned mode) {
    struct wait wait = {
        .kind = WAIT_LOCK, .lock_kind = LOCK_TABLE, .mode = (uint8_t)mode, .table = table};
    return session_wait(db, session, &wait);
}

enum step table_use(struct db *db, size_t session, uint16_t table, unsigned mode) {
    struct txn *txn = session_txn(db, session);
    struct exec *exec = session_exec(db, session);
    uint64_t bit = table_bit(table);
    bool waited = exec->cursor[POSTGRES_WAITS_TABLE] != 0;
    while (db->locks.count > 0 && table_lock_blockers(db, session, table, mode) != 0) {
        exec->cursor[POSTGRES_WAITS_TABLE] = 1;
        exec->footprint.locks |= bit;
        enum step step = table_wait(db, session, table, mode);
        if (step != STEP_OK)
            return step;
        waited = true;
    }
    if (waited && exec->position == 0 && !txn_is_snapshot(txn))
        exec->snapshot.sequence =
            db->core.commits; /* tables are locked before the snapshot is taken */
    exec->cursor[POSTGRES_WAITS_TABLE] = 0;
    if (mode == ACCESS_SHARE)
        txn->read |= bit;
    else if (mode == ROW_SHARE)
        txn->locked |= bit;
    else
        txn->changed |= bit;
    return STEP_OK;
}

static unsigned table_mode(struct str name) {
    static const char *const names[] = {
        "ACCESS SHARE", "ROW SHARE",           "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE",
        "SHARE",        "SHARE ROW EXCLUSIVE", "EXCLUSIVE",     "ACCESS EXCLUSIVE"};
    for (unsigned i = 0; i < LW_COUNT_OF(names); i++)
        if (str_equal_nocase(name, str_from_c(names[i])))
            return i + 1;
    return name.len == 0 ? ACCESS_EXCLUSIVE : 0;
}

enum step table_lock(struct db *db, size_t session, const struct sql_lock_table *lock) {
    unsigned mode = table_mode(lock->mode);
    if (mode == 0)
        return db_fail(db, DB_ERROR_NOT_MODELLED, "LOCK TABLE ... %.*s", STR_ARG(lock->mode));
    struct txn *txn = session_txn(db, session);
    for (size_t i = 0; i < lock->tables.count; i++) {
        uint16_t table = lock->table_index[i];
        session_exec(db, session)->footprint.locks |= table_bit(table);
        while (table_lock_blockers(db, session, table, mode) != 0) {
            if (lock->is_nowait)
                return db_fail(db, DB_ERROR_LOCK_NOT_AVAILABLE, "%.*s",
                               STR_ARG(lock->tables.items[i]));
            enum step step = table_wait(db, session, table, mode);
            if (step != STEP_OK)
                return step;
        }
        struct lock held = {.kind = LOCK_TABLE,
                            .mode = (uint8_t)mode,
                            .session = (uint8_t)session,
                            .txn = db->sessions.items[session].txn,
                            .table = table};
        txn->locked |= table_bit(table);
        /* Readers may have to wait from now on, which no other lock makes them do. */
        session_exec(db, session)->footprint.ends |= table_bit(table);
        lock_add(db, &held);
    }
    return STEP_OK;
}
