/* Record locks: conflicts, the queue, implicit locks made explicit, gaps that split and merge. */
#include "engine/exec.h"
#include "engine/innodb.h"
#include "engine/version.h"

static bool is_record_lock(const struct lock *lock) {
    return lock->kind == LOCK_POLICY && !(lock->flags & INNODB_EMPTY);
}

static bool is_on(const struct db *db, const struct lock *lock, uint16_t table, uint8_t key,
                  uint32_t version) {
    return is_record_lock(lock) && lock->table == table && lock->key == key &&
           innodb_same_record(db, table, key, (uint32_t)lock->number, version);
}

/* Whether a request has to wait for another transaction's lock on the same record, held or queued. */
static bool has_to_wait(enum innodb_mode mode, unsigned type, bool is_supremum,
                        const struct lock *other) {
    unsigned other_type = other->flags & INNODB_TYPE;
    if (mode == INNODB_S && other->mode == INNODB_S)
        return false;
    if (type != INNODB_INSERT && (is_supremum || type == INNODB_GAP))
        return false; /* gap locks keep out inserts, not each other */
    if (type != INNODB_INSERT && other_type == INNODB_GAP)
        return false;
    if (type == INNODB_INSERT && other_type == INNODB_REC)
        return false;
    return other_type != INNODB_INSERT;
}

/* Whether a lock held covers the request. */
static bool covers(const struct lock *lock, const struct innodb_request *request) {
    unsigned held = lock->flags & INNODB_TYPE;
    if (lock->is_waiting || held == INNODB_INSERT || lock->mode < request->mode)
        return false;
    return held == INNODB_NEXT_KEY || request->version == 0 || held == (unsigned)request->type;
}

/* Whether there is such a record, deleted or not. */
static bool record_is_there(struct db *db, uint16_t table, uint8_t key, uint32_t version) {
    uint16_t row = db->versions.items[version].row;
    if (db->rows.items[row].newest == version && !version_is_deleted(db, version))
        return true;
    struct innodb_records records = innodb_records(db, table, key);
    for (size_t i = 0; i < records.count; i++)
        if (innodb_same_record(db, table, key, records.items[i].version, version))
            return true;
    return false;
}

static struct lock *find_own(struct db *db, size_t session, const struct innodb_request *request,
                             bool is_waiting) {
    for (size_t i = 0; i < db->locks.count; i++) {
        struct lock *lock = &db->locks.items[i];
        if (lock->session != session || lock->is_waiting != is_waiting ||
            !is_on(db, lock, request->table, request->key, request->version))
            continue;
        /* A queued one is granted as it was asked for, though the record may have changed since. */
        if (is_waiting || covers(lock, request))
            return lock;
    }
    return NULL;
}

/* Sessions with locks that the request conflicts with, among the first `count` of the queue: all, or the first one. */
static uint32_t conflicts(const struct db *db, size_t session, const struct innodb_request *request,
                          size_t count, bool only_first) {
    uint32_t sessions = 0;
    for (size_t i = 0; i < count && !(only_first && sessions != 0); i++) {
        const struct lock *lock = &db->locks.items[i];
        if (lock->session != session &&
            is_on(db, lock, request->table, request->key, request->version) &&
            has_to_wait(request->mode, request->type, request->version == 0, lock))
            sessions |= 1u << lock->session;
    }
    return sessions;
}

/* Sessions that a queued lock waits for. */
static uint32_t queue_ahead(const struct db *db, const struct lock *lock, bool only_first) {
    struct innodb_request request = {.table = lock->table,
                                     .key = lock->key,
                                     .version = (uint32_t)lock->number,
                                     .mode = (enum innodb_mode)lock->mode,
                                     .type = (enum innodb_type)(lock->flags & INNODB_TYPE)};
    return conflicts(db, lock->session, &request, (size_t)(lock - db->locks.items), only_first);
}

/* Locks of one transaction, index and kind share a struct (all our tables fit one page), unless somebody
 * waits for this record. The first lock that the added one shares a struct with: an index; db->locks.count: none. */
static size_t find_struct(const struct db *db, const struct lock *added) {
    size_t found = db->locks.count;
    if (added->is_waiting)
        return found;
    for (size_t i = 0; i < db->locks.count; i++) {
        const struct lock *lock = &db->locks.items[i];
        if (lock->kind != LOCK_POLICY || lock->table != added->table || lock->key != added->key)
            continue;
        if (lock->is_waiting && is_on(db, lock, added->table, added->key, (uint32_t)added->number))
            return db->locks.count;
        if (found == db->locks.count && !lock->is_waiting && lock->txn == added->txn &&
            lock->mode == added->mode && ((lock->flags ^ added->flags) & INNODB_TYPE) == 0)
            found = i;
    }
    return found;
}

static uint32_t add_lock(struct db *db, size_t session, const struct innodb_request *request,
                         bool is_waiting) {
    struct lock lock = {.kind = LOCK_POLICY,
                        .mode = (uint8_t)request->mode,
                        .flags = (uint8_t)request->type,
                        .key = request->key,
                        .session = (uint8_t)session,
                        .is_waiting = is_waiting,
                        .txn = db->sessions.items[session].txn,
                        .table = request->table,
                        .number = request->version};
    db->txns.items[lock.txn].locked |= table_bit(lock.table);
    size_t shared = find_struct(db, &lock);
    if (shared == db->locks.count)
        lock.flags |= INNODB_STRUCT;
    /* A lock has its struct's place in the queue. */
    size_t index = shared == db->locks.count ? shared : shared + 1;
    lock_insert(db, index, &lock);
    return db->locks.items[index].sequence;
}

static uint32_t oldest_open_xid(const struct db *db) {
    uint32_t oldest = UINT32_MAX;
    for (size_t s = 0; s < db->session_count; s++) {
        uint16_t txn = db->sessions.items[s].txn;
        uint32_t xid = txn != 0 ? db->txns.items[txn].xid : 0;
        if (xid != 0 && xid < oldest)
            oldest = xid;
    }
    return oldest;
}

/* Whether an entry was put into the key, or marked as deleted, by a transaction no older than any that is open: the page,
 * all of a table fits one, has its number (page_get_max_trx_id). */
static bool is_changed_lately(const struct db *db, uint16_t table, uint8_t key) {
    uint32_t oldest = oldest_open_xid(db);
    for (uint32_t i = 1; i < db->versions.count; i++) {
        const struct version *version = &db->versions.items[i];
        if (version->keys_done <= key || db->rows.items[version->row].table != table ||
            db->txns.items[version->writer].xid < oldest)
            continue;
        if (version->previous == 0 || (version->flags & VERSION_DELETED) != 0 ||
            !innodb_same_record(db, table, key, version->previous, i))
            return true;
    }
    return false;
}

/* In MariaDB an entry counts as the transaction's own if it was the last to change the row, be it in another column, and
 * the page with the entry was changed since (lock_sec_rec_read_check_and_lock): seen on 10.11.19. */
static bool counts_as_own(const struct db *db, size_t session, const struct innodb_request *request) {
    uint16_t txn = db->sessions.items[session].txn;
    uint32_t newest = db->rows.items[db->versions.items[request->version].row].newest;
    return request->type == INNODB_REC && !request->is_implicit && newest != 0 &&
           request->key != innodb_clustered(db, request->table) &&
           db->versions.items[newest].writer == txn && txn != 0 &&
           is_changed_lately(db, request->table, request->key) && !innodb_is_mysql(db);
}

/* A transaction that made a record holds it without a lock in the table; who runs into that gives it one, in
 * MySQL also its owner itself (lock_rec_convert_impl_to_expl). */
static bool make_explicit(struct db *db, size_t session, struct innodb_request *request) {
    uint16_t owner = innodb_implicit_owner(db, request->table, request->key, request->version);
    if (owner == 0)
        return counts_as_own(db, session, request);
    if (owner == db->sessions.items[session].txn &&
        (request->is_implicit || !innodb_weighs_as_mysql(db)))
        return request->type == INNODB_REC;
    struct innodb_request held = {.table = request->table,
                                  .key = request->key,
                                  .version = request->version,
                                  .mode = INNODB_X,
                                  .type = INNODB_REC};
    size_t holder = db->txns.items[owner].session;
    if (find_own(db, holder, &held, false) == NULL)
        add_lock(db, holder, &held, false);
    return false;
}

/* The read view that is open: the transaction's, or at READ COMMITTED that of a plain read within the statement. */
static bool find_view(const struct db *db, size_t session, uint32_t *sequence) {
    const struct txn *txn = session_txn(db, session);
    const struct exec *exec = session_exec(db, session);
    bool is_of_txn = txn->level > SQL_READ_COMMITTED;
    *sequence = is_of_txn ? txn->snapshot : exec->snapshot.sequence;
    return is_of_txn ? (txn->flags & TXN_HAS_SNAPSHOT) != 0 : exec->cursor[INNODB_HAS_VIEW] != 0;
}

/* The last version that changed the clustered record, be it one that left it for another; 0: none. Rows that were put where
 * one was deleted share its record. */
static uint32_t last_change(const struct db *db, uint16_t table, uint32_t record) {
    uint8_t clustered = innodb_clustered(db, table);
    uint32_t last = 0;
    for (uint16_t row = db->tables.items[table].first_row; row != 0;
         row = db->rows.items[row].next) {
        uint32_t v = db->rows.items[row].newest;
        while (v > last && !innodb_same_record(db, table, clustered, v, record) &&
               !innodb_same_record(db, table, clustered, db->versions.items[v].previous, record))
            v = db->versions.items[v].previous;
        last = v > last ? v : last;
    }
    return last;
}

/* MariaDB's innodb_snapshot_isolation: what is locked must be what the read view shows. */
static enum step check_snapshot(struct db *db, size_t session,
                                const struct innodb_request *request) {
    struct snapshot view = {0, db->sessions.items[session].txn, COMMAND_ALL};
    if (!db->config.innodb_snapshot_isolation || request->version == 0 || request->type == INNODB_GAP ||
        request->type == INNODB_INSERT || request->key != innodb_clustered(db, request->table) ||
        !find_view(db, session, &view.sequence))
        return STEP_OK;
    uint32_t last = last_change(db, request->table, request->version);
    if (last == 0 || version_is_visible(db, &view, last))
        return STEP_OK;
    return db_fail(db, DB_ERROR_CHANGED_ROW, "%.*s", STR_ARG(db_table(db, request->table)->name));
}

/* Whether the record itself is held, so that nobody who queues for it is in the way of its gap. */
static bool holds_record(struct db *db, size_t session, const struct innodb_request *request) {
    struct innodb_request record = *request;
    record.type = INNODB_REC;
    return find_own(db, session, &record, false) != NULL &&
           find_own(db, session, request, false) == NULL;
}

static struct wait wait_for(const struct innodb_request *request, uint32_t sequence) {
    return (struct wait){.kind = WAIT_LOCK,
                         .lock_kind = LOCK_POLICY,
                         .mode = (uint8_t)request->mode,
                         .table = request->table,
                         .lock = sequence};
}

/* Whether another has a lock, not only a request for one, that is in the way. */
static bool is_held_by_other(const struct db *db, size_t session,
                             const struct innodb_request *request) {
    for (size_t i = 0; i < db->locks.count; i++) {
        const struct lock *lock = &db->locks.items[i];
        if (!lock->is_waiting && lock->session != session &&
            is_on(db, lock, request->table, request->key, request->version) &&
            has_to_wait(request->mode, request->type, request->version == 0, lock))
            return true;
    }
    return false;
}

/* MySQL before 8.0.18 queues a request also to see that it is not granted (a semi-consistent read), and that
 * may close a cycle: true if somebody else was its victim; db->error: the session itself is. */
static bool closes_cycle(struct db *db, size_t session, struct innodb_request *request) {
    if (db_config_has(&db->config, TRAIT_FIRST_BLOCKER))
        return false;
    bool is_held = is_held_by_other(db, session, request);
    struct wait wait = wait_for(request, add_lock(db, session, request, true));
    enum step step = session_close_cycle(db, session, &wait);
    if (step == STEP_WAIT)
        session_wait_end(db, session);
    if (step == STEP_OK)
        request->is_stale = true;
    /* A victim lets go of what it holds only when it runs again, of what it waits for at once. */
    struct lock *queued = find_own(db, session, request, true);
    if (step == STEP_OK && !is_held && queued != NULL && queue_ahead(db, queued, false) == 0) {
        queued->is_waiting = false;
        request->granted = queued->sequence;
    }
    locks_unqueue(db, session);
    return step == STEP_OK && !is_held;
}

enum step innodb_lock(struct db *db, size_t session, struct innodb_request *request) {
    request->granted = 0;
    request->is_skipped = request->is_stale = false;
    if (request->version == 0 && request->type != INNODB_INSERT)
        request->type = INNODB_NEXT_KEY;
    session_exec(db, session)->footprint.locks |= table_bit(request->table);
    bool is_record = request->type == INNODB_NEXT_KEY || request->type == INNODB_REC;
    if (request->version != 0 && request->type != INNODB_INSERT &&
        make_explicit(db, session, request))
        return STEP_OK;
    /* A row that has changed for good is not worth a wait; at first one whose change is not committed wasn't, either. */
    bool is_open =
        innodb_implicit_owner(db, request->table, request->key, request->version) != 0 &&
        (!db->config.innodb_snapshot_isolation || db_config_has(&db->config, TRAIT_SNAPSHOT_WAITS));
    if (is_record && !is_open && check_snapshot(db, session, request) != STEP_OK)
        return STEP_FAIL;
    if (request->type == INNODB_NEXT_KEY && request->version != 0 &&
        db_config_has(&db->config, TRAIT_GAP_BESIDE_RECORD) && holds_record(db, session, request))
        request->type = INNODB_GAP;
    for (;;) {
        if (request->type != INNODB_INSERT && find_own(db, session, request, false) != NULL)
            return check_snapshot(db, session, request);
        struct lock *queued = find_own(db, session, request, true);
        if (queued != NULL && queue_ahead(db, queued, false) == 0) {
            queued->is_waiting = false;
            continue; /* an insert looks again: gap locks do not wait for it */
        }
        if (queued == NULL && conflicts(db, session, request, db->locks.count, false) == 0) {
            if (request->type != INNODB_INSERT && !request->is_implicit)
                request->granted = add_lock(db, session, request, false);
            return check_snapshot(db, session, request);
        }
        if (request->wait == SQL_SKIP_LOCKED && queued == NULL) {
            if (closes_cycle(db, session, request))
                continue;
            if (db->error != DB_OK_NO_ERROR)
                return STEP_FAIL;
            request->is_skipped = true;
            return STEP_OK;
        }
        if (request->wait == SQL_NOWAIT)
            return db_fail(
                db, innodb_is_mysql(db) ? DB_ERROR_LOCK_NOT_AVAILABLE : DB_ERROR_LOCK_TIMEOUT, "%s",
                "");
        bool is_held = is_held_by_other(db, session, request);
        struct wait wait = wait_for(request, queued != NULL ? queued->sequence
                                                            : add_lock(db, session, request, true));
        enum step step = session_wait(db, session, &wait);
        if (step != STEP_OK)
            return step;
        request->is_stale = true;
        if (request->version != 0 &&
            !record_is_there(db, request->table, request->key, request->version))
            return STEP_OK;
        /* MySQL before 8.0.18 looks for deadlocks as it queues the request, and does not take this for a wait if it was
         * the victim's request alone that was in the way (lock_rec_enqueue_waiting). */
        queued = find_own(db, session, request, true);
        if (queued != NULL && !is_held && queue_ahead(db, queued, false) == 0 &&
            !db_config_has(&db->config, TRAIT_FIRST_BLOCKER))
            request->granted = queued->sequence;
    }
}

uint32_t innodb_lock_held(struct db *db, size_t session, const struct innodb_request *request) {
    const struct lock *lock = find_own(db, session, request, false);
    return lock != NULL ? lock->sequence : 0;
}

void innodb_grant_queued(struct db *db, size_t session) {
    for (size_t i = 0; i < db->locks.count; i++) {
        struct lock *lock = &db->locks.items[i];
        if (lock->session == session && lock->is_waiting && is_record_lock(lock))
            lock->is_waiting = queue_ahead(db, lock, false) != 0;
    }
}

void innodb_unlock(struct db *db, uint32_t sequence) {
    size_t i = 0;
    while (i < db->locks.count && db->locks.items[i].sequence != sequence)
        i++;
    if (i == db->locks.count)
        return;
    /* What goes is the transaction's first lock of that mode on the record, be it of the gap (lock_rec_unlock). */
    const struct lock *meant = &db->locks.items[i];
    size_t first = 0;
    while (first < i && !(db->locks.items[first].txn == meant->txn &&
                          db->locks.items[first].mode == meant->mode &&
                          is_on(db, &db->locks.items[first], meant->table, meant->key,
                                (uint32_t)meant->number)))
        first++;
    if (db->locks.items[first].flags & INNODB_STRUCT)
        db->locks.items[first].flags |= INNODB_EMPTY;
    else
        lock_remove(db, first);
}

void innodb_lock_table(struct db *db, size_t session, uint16_t table, enum innodb_mode mode) {
    uint16_t txn = db->sessions.items[session].txn;
    for (size_t i = 0; i < db->locks.count; i++) {
        const struct lock *lock = &db->locks.items[i];
        if (lock->kind == LOCK_TABLE && lock->txn == txn && lock->table == table &&
            lock->mode >= mode)
            return;
    }
    struct lock lock = {.kind = LOCK_TABLE,
                        .mode = (uint8_t)mode,
                        .session = (uint8_t)session,
                        .flags = INNODB_STRUCT,
                        .txn = txn,
                        .table = table};
    lock_add(db, &lock);
    db->txns.items[txn].locked |= table_bit(table);
    session_exec(db, session)->footprint.locks |= table_bit(table);
}

/* ---- gaps ---- */

/* Gives the transaction of `lock` a lock on the gap before `version`, whatever it has there (lock_rec_add_to_queue): where
 * somebody waits that is one more struct. */
static void inherit(struct db *db, struct lock lock, uint32_t version) {
    struct innodb_request gap = {.table = lock.table,
                                 .key = lock.key,
                                 .version = version,
                                 .mode = (enum innodb_mode)lock.mode,
                                 .type = version == 0 ? INNODB_NEXT_KEY : INNODB_GAP};
    bool is_there = false, is_waited_for = false;
    for (size_t i = 0; i < db->locks.count; i++) {
        const struct lock *other = &db->locks.items[i];
        if (!is_on(db, other, lock.table, lock.key, version))
            continue;
        is_waited_for = is_waited_for || other->is_waiting;
        is_there = is_there || (!other->is_waiting && other->txn == lock.txn &&
                                other->mode == lock.mode && (other->flags & INNODB_TYPE) == gap.type);
    }
    if (!is_there || is_waited_for)
        add_lock(db, lock.session, &gap, false);
}

void innodb_split_gap(struct db *db, uint16_t table, uint8_t key, uint32_t version, uint32_t next) {
    for (size_t i = 0; i < db->locks.count; i++) {
        struct lock lock = db->locks.items[i]; /* inherit may put one before it */
        unsigned type = lock.flags & INNODB_TYPE;
        if (is_on(db, &lock, table, key, next) && type != INNODB_INSERT &&
            (next == 0 || type != INNODB_REC))
            inherit(db, lock, version);
    }
}

/* Whether ON DUPLICATE KEY UPDATE is under way, whose checks of uniqueness take X locks. */
static bool checks_by_x(const struct db *db, size_t session) {
    bool is_running = db->running == session || db->sessions.items[session].is_under_way;
    const struct sql_stmt *stmt = session_exec(db, session)->stmt;
    return is_running && stmt != NULL && stmt->kind == SQL_STMT_INSERT &&
           stmt->insert->conflict == SQL_CONFLICT_UPDATE &&
           db_config_has(&db->config, TRAIT_EXCLUSIVE_CHECK_GAPS);
}

/* READ COMMITTED keeps locks of uniqueness and foreign key checks, not X locks of UPDATE and DELETE; what is of a check
 * goes by the mode alone (lock_rec_inherit_to_gap). */
static bool is_inherited(const struct db *db, const struct lock *lock) {
    enum innodb_mode mode_of_checks = checks_by_x(db, lock->session) ? INNODB_X : INNODB_S;
    return (lock->flags & INNODB_TYPE) != INNODB_INSERT &&
           (db->txns.items[lock->txn].level > SQL_READ_COMMITTED || lock->mode == mode_of_checks);
}

void innodb_settle_locks(struct db *db) {
    for (size_t i = 0; i < db->locks.count;) {
        struct lock lock = db->locks.items[i];
        if (!is_record_lock(&lock) || lock.number == 0 ||
            record_is_there(db, lock.table, lock.key, (uint32_t)lock.number)) {
            i++;
            continue;
        }
        struct innodb_records records = innodb_records(db, lock.table, lock.key);
        size_t next = innodb_seek(db, &records, lock.table, lock.key,
                                  innodb_entry_of(db, (uint32_t)lock.number));
        if (lock.flags & INNODB_STRUCT) {
            db->locks.items[i].flags |= INNODB_EMPTY;
            db->locks.items[i].is_waiting = false; /* who waited for it looks again */
        } else {
            lock_remove(db, i);
        }
        if (is_inherited(db, &lock))
            inherit(db, lock, innodb_record_at(&records, next));
    }
}

/* ---- waiting ---- */

static uint32_t blockers(const struct db *db, size_t session, bool only_first) {
    const struct wait *wait = &db->sessions.items[session].wait;
    LW_ASSERT(wait->kind == WAIT_LOCK);
    for (size_t i = 0; i < db->locks.count; i++) {
        const struct lock *lock = &db->locks.items[i];
        if (lock->sequence != wait->lock || !is_record_lock(lock))
            continue;
        return queue_ahead(db, lock, only_first);
    }
    return 0;
}

uint32_t innodb_blockers(const struct db *db, size_t session) {
    return blockers(db, session, false);
}

/* MariaDB since 10.6 and MySQL since 8.0.18 keep one edge a transaction: to the first lock in the queue that is
 * in the way. A cycle over another is seen when that one has gone. */
uint32_t innodb_watched_blockers(const struct db *db, size_t session) {
    return blockers(db, session, db_config_has(&db->config, TRAIT_FIRST_BLOCKER));
}

/* ---- deadlocks ---- */

static bool changes_place(const struct db *db, uint32_t from, uint32_t to) {
    const struct table *table = db_table(db, db->rows.items[db->versions.items[to].row].table);
    const struct value *a = version_values(db, from), *b = version_values(db, to);
    for (size_t i = 0; i < table->columns.count; i++) {
        if ((a[i].kind == VALUE_NULL) != (b[i].kind == VALUE_NULL))
            return true;
        if (a[i].kind == VALUE_TEXT && b[i].kind == VALUE_TEXT && a[i].number != b[i].number &&
            text_pool_get(db->query.eval.pool, a[i].number).len !=
                text_pool_get(db->query.eval.pool, b[i].number).len)
            return true;
    }
    return false;
}

/* A struct without records beside a transaction's others of its kind. */
static void add_empty_struct(struct db *db, struct lock like) {
    for (size_t i = 0; i < db->locks.count; i++) {
        struct lock *lock = &db->locks.items[i];
        if (lock->kind == LOCK_POLICY && (lock->flags & INNODB_EMPTY) && lock->txn == like.txn &&
            lock->table == like.table && lock->key == like.key && lock->mode == like.mode &&
            ((lock->flags ^ like.flags) & INNODB_TYPE) == 0 && lock->count < UINT8_MAX) {
            lock->count++;
            return;
        }
    }
    like.flags |= INNODB_STRUCT | INNODB_EMPTY;
    like.is_waiting = false;
    like.count = 0;
    lock_add(db, &like);
}

/* A record whose size changes is taken out of its page and put in again, and its locks go to the infimum and
 * back meanwhile (lock_rec_move): a request that waits, and what was granted behind one, leaves a struct behind
 * each time, which counts for its transaction until that ends. */
void innodb_move_locks(struct db *db, uint32_t from, uint32_t to) {
    uint16_t table = db->rows.items[db->versions.items[to].row].table;
    uint8_t clustered = innodb_clustered(db, table);
    bool is_behind_waiting = false;
    size_t count = db->locks.count;
    if (count == 0 || !changes_place(db, from, to))
        return;
    for (size_t i = 0; i < count; i++) {
        struct lock lock = db->locks.items[i];
        if (!is_on(db, &lock, table, clustered, to))
            continue;
        is_behind_waiting = is_behind_waiting || lock.is_waiting;
        for (int moves = 0; is_behind_waiting && moves < 2; moves++)
            add_empty_struct(db, lock);
    }
}

/* An UPDATE of the primary key deletes one record and makes another. */
static size_t undo_records(const struct db *db, uint32_t number) {
    const struct version *version = &db->versions.items[number];
    uint16_t table = db->rows.items[version->row].table;
    uint8_t clustered = innodb_clustered(db, table);
    if (version->previous == 0 || (version->flags & VERSION_DELETED))
        return 1;
    return innodb_same_record(db, table, clustered, version->previous, number) ? 1 : 2;
}

/* Undo records and lock structs: what InnoDB calls a transaction's weight (TRX_WEIGHT). */
static size_t txn_weight(const struct db *db, size_t session) {
    uint16_t txn = db->sessions.items[session].txn;
    size_t weight = session_exec(db, session)->cursor[INNODB_LOGGED];
    for (size_t i = 0; i < db->locks.count; i++)
        if (db->locks.items[i].txn == txn && (db->locks.items[i].flags & INNODB_STRUCT) != 0)
            weight += 1u + db->locks.items[i].count;
    for (uint32_t i = 1; i < db->versions.count; i++)
        if (db->versions.items[i].writer == txn && !(db->versions.items[i].flags & VERSION_UNDONE))
            weight += undo_records(db, i);
    return weight;
}

/* MySQL before 8.0.18 (lock_deadlock_search) goes through the locks in the way, depth first, and takes the
 * first way back: the session at its end, or -1. */
static int search_way_back(const struct db *db, size_t start, size_t session, uint32_t *visited) {
    *visited |= 1u << session;
    const struct wait *wait = &db->sessions.items[session].wait;
    if (wait->kind != WAIT_LOCK || wait->lock_kind != LOCK_POLICY)
        return -1;
    const struct lock *queued = NULL;
    for (size_t i = 0; i < db->locks.count && queued == NULL; i++)
        if (db->locks.items[i].sequence == wait->lock)
            queued = &db->locks.items[i];
    for (size_t i = 0; queued != NULL && &db->locks.items[i] < queued; i++) {
        const struct lock *lock = &db->locks.items[i];
        if (lock->session == session ||
            !is_on(db, lock, queued->table, queued->key, (uint32_t)queued->number) ||
            !has_to_wait((enum innodb_mode)queued->mode, queued->flags & INNODB_TYPE,
                         queued->number == 0, lock))
            continue;
        if (lock->session == start)
            return (int)session;
        int end = *visited & (1u << lock->session)
                      ? -1
                      : search_way_back(db, start, lock->session, visited);
        if (end >= 0)
            return end;
    }
    return -1;
}

/* Along one edge a transaction: the lightest of the cycle. Of equals the closer; else MariaDB (Deadlock::report)
 * takes the first on the way from it, MySQL (lock_wait_choose_victim) the last. */
static int lightest_of_cycle(const struct db *db, size_t session, uint32_t cycle) {
    int victim = (int)session;
    size_t least = txn_weight(db, session);
    size_t at = session;
    for (size_t steps = 0; steps < db->session_count; steps++) {
        uint32_t next = blockers(db, at, true) & cycle;
        if (next == 0)
            break;
        for (at = 0; !(next & (1u << at));)
            at++;
        if (at == session)
            break;
        size_t weight = txn_weight(db, at);
        if (weight < least ||
            (weight == least && (size_t)victim != session && innodb_is_mysql(db))) {
            least = weight;
            victim = (int)at;
        }
    }
    return victim;
}

int innodb_deadlock_victim(const struct db *db, size_t session, uint32_t cycle) {
    if (db->core.has_own_weight)
        (void)innodb_is_mysql(db);
    if (db_config_has(&db->config, TRAIT_FIRST_BLOCKER))
        return lightest_of_cycle(db, session, cycle);
    uint32_t visited = 0;
    int last = search_way_back(db, session, session, &visited);
    if (last < 0 || txn_weight(db, (size_t)last) >= txn_weight(db, session))
        return (int)session;
    return last;
}

/* MariaDB begins with whom the session waits for (Deadlock::to_check), MySQL with who began to wait last. MySQL before
 * 8.0.18 looks only when somebody begins to wait, and then at all edges. */
int innodb_late_closer(const struct db *db, size_t session, uint32_t cycle) {
    if (!db_config_has(&db->config, TRAIT_FIRST_BLOCKER))
        return DB_NO_SESSION;
    if (!innodb_is_mysql(db))
        return __builtin_ctz(innodb_watched_blockers(db, session) & cycle);
    int last = (int)session;
    for (size_t s = 0; s < db->session_count; s++)
        if ((cycle & (1u << s)) &&
            db->sessions.items[s].wait.order > db->sessions.items[last].wait.order)
            last = (int)s;
    return last;
}
