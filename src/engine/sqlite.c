/* The policy of SQLite as Django uses it by default: rollback journal, BEGIN DEFERRED (or IMMEDIATE, by
 * config.sqlite_immediate or as written), a busy timeout. https://sqlite.org/lockingv3.html
 *
 * There is one lock on the whole database. Who reads holds SHARED to the end of the transaction; who writes
 * RESERVED, of which there is one, beside readers; COMMIT of a writer takes PENDING, which lets no new
 * readers in, waits for those there are, and is EXCLUSIVE then. So what a transaction reads cannot change
 * under it, and two that have read and want to write stop each other: the second to ask for RESERVED gets
 * SQLITE_BUSY at once, without waiting, because waiting could not help (btreeInvokeBusyHandler is only called
 * where no read transaction is open). All other waits last until the busy timeout: db_timeout.
 *
 * Row locks do not exist: FOR UPDATE is ignored, as Django leaves it out. Not modelled: WAL mode,
 * shared cache, read_uncommitted.
 */
#include "engine/internal.h"

enum sqlite_level {
    SQLITE_UNLOCKED,
    SQLITE_SHARED,
    SQLITE_RESERVED,
    SQLITE_PENDING,
    SQLITE_EXCLUSIVE
};

static struct lock *session_lock(const struct db *db, size_t session) {
    for (size_t i = 0; i < db->locks.count; i++)
        if (db->locks.items[i].kind == LOCK_POLICY && db->locks.items[i].session == session)
            return &db->locks.items[i];
    return NULL;
}

/* Sessions whose lock keeps `session` from `wanted`. */
static uint32_t conflicts(const struct db *db, size_t session, enum sqlite_level wanted) {
    uint32_t sessions = 0;
    for (size_t s = 0; s < db->session_count; s++) {
        const struct lock *lock = s == session ? NULL : session_lock(db, s);
        unsigned held = lock == NULL ? SQLITE_UNLOCKED : lock->mode;
        bool meets = wanted == SQLITE_SHARED     ? held >= SQLITE_PENDING
                     : wanted == SQLITE_RESERVED ? held >= SQLITE_RESERVED
                                                 : held >= SQLITE_SHARED;
        if (meets)
            sessions |= 1u << s;
    }
    return sessions;
}

static void set_lock(struct db *db, size_t session, enum sqlite_level level) {
    struct lock *held = session_lock(db, session);
    struct txn *txn = session_txn(db, session);
    txn->locked = UINT64_MAX;
    if (held != NULL) {
        held->mode = (uint8_t)(held->mode > level ? held->mode : level);
        return;
    }
    struct lock lock = {.kind = LOCK_POLICY,
                        .mode = (uint8_t)level,
                        .session = (uint8_t)session,
                        .txn = db->sessions.items[session].txn};
    lock_add(db, &lock);
}

static enum step wait_for(struct db *db, size_t session, enum sqlite_level wanted) {
    struct wait wait = {.kind = WAIT_POLICY, .lock_kind = LOCK_POLICY, .mode = (uint8_t)wanted};
    return session_wait(db, session, &wait);
}

/* Takes SHARED, or SHARED and RESERVED. */
static enum step acquire(struct db *db, size_t session, enum sqlite_level wanted) {
    struct exec *exec = session_exec(db, session);
    if (db->is_loading || db->is_peeking)
        return STEP_OK;
    exec->footprint.reads = UINT64_MAX;
    if (wanted > SQLITE_SHARED)
        exec->footprint.locks = UINT64_MAX;
    for (;;) {
        const struct lock *held = session_lock(db, session);
        if (held != NULL && held->mode >= wanted)
            return STEP_OK;
        enum sqlite_level missing =
            held == NULL && conflicts(db, session, SQLITE_SHARED) != 0 ? SQLITE_SHARED : wanted;
        if (conflicts(db, session, missing) == 0) {
            set_lock(db, session, wanted);
            return STEP_OK;
        }
        if (held != NULL) /* it reads already: its waiting could keep the other from its COMMIT */
            return db_fail(db, DB_ERROR_LOCK_TIMEOUT, "%s", "database is locked");
        enum step step = wait_for(db, session, missing);
        if (step != STEP_OK)
            return step;
    }
}

static bool stmt_writes(const struct sql_stmt *stmt) {
    return stmt->kind == SQL_STMT_INSERT || stmt->kind == SQL_STMT_UPDATE ||
           stmt->kind == SQL_STMT_DELETE;
}

static enum step acquire_for(struct db *db, size_t session) {
    const struct sql_stmt *stmt = session_exec(db, session)->stmt;
    return acquire(db, session,
                   stmt != NULL && stmt_writes(stmt) ? SQLITE_RESERVED : SQLITE_SHARED);
}

static enum step begin_statement(struct db *db, size_t session, const struct sql_stmt *stmt) {
    (void)stmt;
    session_exec(db, session)->snapshot =
        (struct snapshot){SEQUENCE_ALL, db->sessions.items[session].txn, COMMAND_ALL};
    return STEP_OK;
}

static enum step begin_transaction(struct db *db, size_t session, enum sql_begin_mode mode) {
    if (mode == SQL_BEGIN_PLAIN && db->config.sqlite_immediate)
        mode = SQL_BEGIN_IMMEDIATE;
    if (mode == SQL_BEGIN_PLAIN || mode == SQL_BEGIN_DEFERRED)
        return STEP_OK;
    if (mode == SQL_BEGIN_IMMEDIATE)
        return acquire(db, session, SQLITE_RESERVED);
    session_exec(db, session)->footprint.locks = UINT64_MAX;
    while (conflicts(db, session, SQLITE_EXCLUSIVE) != 0) {
        enum step step = wait_for(db, session, SQLITE_EXCLUSIVE);
        if (step != STEP_OK)
            return step;
    }
    set_lock(db, session, SQLITE_EXCLUSIVE);
    return STEP_OK;
}

/* ---- reading ---- */

struct sqlite_scan {
    struct access access;
    uint32_t *versions; /* in the order of the index, or of the rowid */
    size_t count;
};

/* The order of the primary key or the index used, which in SQLite is the order rows come in. */
static int version_order(const struct db *db, const struct access *access, uint32_t a, uint32_t b) {
    const struct table *table = db_table(db, access->table);
    int key = access->key >= 0 ? access->key : table->has_primary_key ? 0 : -1;
    int order = 0;
    if (key >= 0)
        order = key_compare(&db->query.eval, &table->keys.items[key], version_values(db, a),
                            version_values(db, b));
    return order != 0 ? order : (int)db->versions.items[a].row - (int)db->versions.items[b].row;
}

static bool scan_open(void *context, struct eval *eval, struct query_scan *scan) {
    struct db *db = context;
    struct sqlite_scan *s = ARENA_NEW(&db->scratch, struct sqlite_scan);
    struct table_state *state = &db->tables.items[scan->table];
    scan->state = s;
    if (acquire_for(db, db->running) != STEP_OK || !access_choose(eval, scan, &s->access))
        return false;
    if (s->access.is_empty)
        return true;
    s->versions = ARENA_ARRAY(&db->scratch, uint32_t, state->row_count);
    const struct snapshot *snapshot = &session_exec(db, db->running)->snapshot;
    for (uint16_t row = state->first_row; row != 0; row = db->rows.items[row].next) {
        uint32_t version = row_visible(db, snapshot, row);
        if (version == 0 || version_is_deleted(db, version) ||
            !access_has(eval, &s->access, version_values(db, version)))
            continue;
        size_t i = s->count++;
        for (; i > 0 && version_order(db, &s->access, s->versions[i - 1], version) > 0; i--)
            s->versions[i] = s->versions[i - 1];
        s->versions[i] = version;
    }
    return true;
}

static enum row_step scan_next(void *context, struct eval *eval, struct query_scan *scan) {
    struct db *db = context;
    struct sqlite_scan *s = scan->state;
    (void)eval;
    if (scan->place >= s->count)
        return ROW_END;
    uint32_t version = s->versions[scan->place++];
    scan->values = version_values_stable(db, version);
    scan->ref = db_ref_of(db, version);
    return ROW_FOUND;
}

/* ---- writing ---- */

static enum tuple_step lock_target(struct db *db, size_t session, struct query *query,
                                   const struct query_change *change, struct query_tuple *tuple) {
    (void)db;
    (void)session;
    (void)query;
    (void)change;
    (void)tuple;
    return TUPLE_KEEP; /* the database was locked when the scan was opened */
}

static bool row_is_live(const struct db *db, uint16_t row, uint32_t *newest) {
    *newest = db->rows.items[row].newest;
    return *newest != 0 && !version_is_deleted(db, *newest);
}

static enum step check_key(struct db *db, const struct new_row *row, size_t k,
                           struct duplicate *duplicate) {
    const struct key *key = &db_table(db, row->table)->keys.items[k];
    struct eval *eval = &db->query.eval;
    uint16_t own = row->old != 0 ? db->versions.items[row->old].row : 0, at;
    bool covers;
    if (!key->is_unique)
        return STEP_OK;
    if (!key_covers(eval, key, row->values, &covers))
        return STEP_FAIL;
    for (at = db->tables.items[row->table].first_row; covers && at != 0;
         at = db->rows.items[at].next) {
        uint32_t newest;
        bool is_in_index;
        if (at == own || !row_is_live(db, at, &newest) ||
            !key_equal(eval, key, version_values(db, newest), row->values))
            continue;
        if (!key_covers(eval, key, version_values(db, newest), &is_in_index))
            return STEP_FAIL;
        if (is_in_index) {
            *duplicate = (struct duplicate){(int)k, newest};
            return STEP_OK;
        }
    }
    return STEP_OK;
}

static enum step check_keys(struct db *db, size_t session, const struct new_row *row, int only_key,
                            struct duplicate *duplicate) {
    enum step step = acquire(db, session, SQLITE_RESERVED);
    for (size_t k = 0; k < db_table(db, row->table)->keys.count && step == STEP_OK; k++)
        if ((only_key < 0 || (size_t)only_key == k) && duplicate->key < 0)
            step = check_key(db, row, k, duplicate);
    return step;
}

static enum step check_parent(struct db *db, size_t session, uint16_t table,
                              const struct foreign_key *fk, const struct value *values) {
    (void)session;
    (void)table;
    for (uint16_t row = db->tables.items[fk->parent].first_row; row != 0;
         row = db->rows.items[row].next) {
        uint32_t newest;
        bool is_equal = row_is_live(db, row, &newest);
        for (size_t i = 0; i < fk->column_count && is_equal; i++)
            is_equal = eval_same_key(&db->query.eval, values[fk->columns[i]],
                                     version_values(db, newest)[fk->parent_columns[i]]);
        if (is_equal)
            return STEP_OK;
    }
    return db_fail(db, DB_ERROR_FOREIGN_KEY, "%.*s", STR_ARG(fk->name));
}

static enum step find_children(struct db *db, size_t session, uint16_t child_table,
                               const struct foreign_key *fk, const struct value *values,
                               enum sql_lock lock, struct u32_list *children) {
    (void)session;
    (void)lock;
    for (uint16_t row = db->tables.items[child_table].first_row; row != 0;
         row = db->rows.items[row].next) {
        uint32_t newest;
        bool is_equal = row_is_live(db, row, &newest);
        for (size_t i = 0; i < fk->column_count && is_equal; i++)
            is_equal = eval_same_key(&db->query.eval, version_values(db, newest)[fk->columns[i]],
                                     values[fk->parent_columns[i]]);
        if (is_equal)
            MVEC_PUSH(children, newest);
    }
    return STEP_OK;
}

/* ---- the end ---- */

/* A writer's COMMIT, even if it has written nothing: no new readers, then none at all. */
static enum step before_commit(struct db *db, size_t session) {
    const struct lock *held = session_lock(db, session);
    if (db->is_loading || held == NULL || held->mode < SQLITE_RESERVED)
        return STEP_OK;
    session_exec(db, session)->footprint.locks = UINT64_MAX;
    while (conflicts(db, session, SQLITE_EXCLUSIVE) != 0) {
        set_lock(db, session, SQLITE_PENDING);
        enum step step = wait_for(db, session, SQLITE_EXCLUSIVE);
        if (step != STEP_OK)
            return step;
    }
    return STEP_OK;
}

static void after_end(struct db *db, uint16_t txn) {
    (void)db;
    (void)txn; /* the core frees the lock */
}

/* ROLLBACK TO keeps the lock; so does a statement that failed. */
static void after_undo(struct db *db, uint16_t txn, uint32_t lock_mark, bool is_savepoint) {
    (void)db;
    (void)txn;
    (void)lock_mark;
    (void)is_savepoint;
}

/* BEGIN IMMEDIATE that timed out has begun nothing. */
static bool error_ends_transaction(struct db *db, size_t session, enum db_error error) {
    const struct sql_stmt *stmt = session_exec(db, session)->stmt;
    return error == DB_ERROR_LOCK_TIMEOUT && stmt != NULL && stmt->kind == SQL_STMT_BEGIN;
}

static uint32_t blockers(const struct db *db, size_t session) {
    return conflicts(db, session, (enum sqlite_level)db->sessions.items[session].wait.mode);
}

/* Nobody looks for cycles: the busy timeouts end them. */
static int deadlock_victim(const struct db *db, size_t session, uint32_t cycle) {
    (void)db;
    (void)session;
    (void)cycle;
    return DB_NO_SESSION;
}

const struct policy policy_sqlite = {
    .begin_transaction = begin_transaction,
    .begin_statement = begin_statement,
    .source = {.open = scan_open, .next = scan_next},
    .lock_target = lock_target,
    .check_keys = check_keys,
    .check_parent = check_parent,
    .find_children = find_children,
    .before_commit = before_commit,
    .outlives_failed_commit = true,
    .after_end = after_end,
    .after_undo = after_undo,
    .error_ends_transaction = error_ends_transaction,
    .blockers = blockers,
    .deadlock_victim = deadlock_victim,
};
