/* The lock table, and advisory locks, which are the same in all engines that have them. */
#include "engine/exec.h"

size_t lock_add(struct db *db, const struct lock *lock) {
    MVEC_PUSH(&db->locks, *lock);
    db->locks.items[db->locks.count - 1].sequence = ++db->core.lock_sequence;
    return db->locks.count - 1;
}

void lock_insert(struct db *db, size_t index, const struct lock *lock) {
    size_t last = lock_add(db, lock);
    LW_ASSERT(index <= last);
    struct lock added = db->locks.items[last], *at = &db->locks.items[index];
    memmove(at + 1, at, (last - index) * sizeof(*at));
    *at = added;
}

void lock_remove(struct db *db, size_t index) {
    LW_ASSERT(index < db->locks.count);
    struct lock *at = &db->locks.items[index];
    memmove(at, at + 1, (db->locks.count - index - 1) * sizeof(*at));
    db->locks.count--;
}

void locks_release(struct db *db, uint16_t txn, uint32_t mark) {
    size_t kept = 0;
    for (size_t i = 0; i < db->locks.count; i++) {
        const struct lock *lock = &db->locks.items[i];
        bool goes = lock->txn == txn && lock->sequence > mark && !lock->is_session;
        if (!goes)
            db->locks.items[kept++] = *lock;
    }
    db->locks.count = kept;
}

void locks_unqueue(struct db *db, size_t session) {
    for (size_t i = db->locks.count; i-- > 0;)
        if (db->locks.items[i].is_waiting && db->locks.items[i].session == session)
            lock_remove(db, i);
}

/* ---- advisory locks ---- */

enum { ADVISORY_SHARED, ADVISORY_EXCLUSIVE };

/* A lock's number: the value itself, two int4 packed, or a text's number. */
static bool advisory_number(struct eval *eval, const struct sql_expr *call, int64_t *number) {
    bool is_mysql = eval->engine == ENGINE_MYSQL || eval->engine == ENGINE_MARIADB;
    size_t count = is_mysql && call->args.count > 1 ? 1 : call->args.count;
    *number = 0;
    for (size_t i = 0; i < count; i++) {
        struct value value;
        if (!eval_expr(eval, call->args.items[i], &value))
            return false;
        uint64_t part = (uint64_t)value.number;
        *number = count == 1 ? value.number : (int64_t)(((uint64_t)*number << 32) | (uint32_t)part);
    }
    return true;
}

/* Sessions other than `session` with a conflicting lock. */
uint32_t advisory_blockers(const struct db *db, size_t session, int64_t number, uint8_t mode) {
    uint32_t bits = 0;
    for (size_t i = 0; i < db->locks.count; i++) {
        const struct lock *lock = &db->locks.items[i];
        if (lock->kind == LOCK_ADVISORY && lock->number == number && lock->session != session &&
            (mode == ADVISORY_EXCLUSIVE || lock->mode == ADVISORY_EXCLUSIVE))
            bits |= 1u << lock->session;
    }
    return bits;
}

/* Lets one hold of a session lock go; whether there was one. */
static bool advisory_unlock(struct db *db, size_t session, int64_t number, uint8_t mode) {
    for (size_t i = db->locks.count; i-- > 0;) {
        struct lock *lock = &db->locks.items[i];
        if (lock->kind != LOCK_ADVISORY || lock->number != number || lock->session != session ||
            !lock->is_session || lock->mode != mode)
            continue;
        if (--lock->count == 0)
            lock_remove(db, i);
        return true;
    }
    return false;
}

static void advisory_take(struct db *db, size_t session, const struct lock *wanted) {
    for (size_t i = 0; i < db->locks.count; i++) {
        struct lock *lock = &db->locks.items[i];
        if (lock->kind == LOCK_ADVISORY && lock->session == session &&
            lock->number == wanted->number && lock->mode == wanted->mode &&
            lock->is_session == wanted->is_session) {
            if (lock->count < UINT8_MAX)
                lock->count++;
            return;
        }
    }
    lock_add(db, wanted);
}

static bool name_has(struct str name, const char *part) {
    size_t len = strlen(part);
    for (size_t i = 0; i + len <= name.len; i++)
        if (str_equal_nocase(str_sub(name, i, i + len), str_from_c(part)))
            return true;
    return false;
}

/* All session locks of the session, as pg_advisory_unlock_all. */
static void advisory_unlock_all(struct db *db, size_t session) {
    for (size_t i = db->locks.count; i-- > 0;) {
        const struct lock *lock = &db->locks.items[i];
        if (lock->kind == LOCK_ADVISORY && lock->session == session && lock->is_session)
            lock_remove(db, i);
    }
}

/* Takes or gives back the lock `number` as the call says. */
static enum step advisory_run(struct db *db, size_t session, const struct sql_expr *call,
                              int64_t number, struct value *result) {
    enum sql_advisory kind = sql_advisory_call(call);
    bool is_mysql = db_is_mysql(db);
    struct lock lock = {
        .kind = LOCK_ADVISORY, .mode = ADVISORY_EXCLUSIVE, .count = 1, .number = number};
    lock.session = (uint8_t)session;
    lock.is_session = kind == SQL_ADVISORY_SESSION;
    lock.txn = lock.is_session ? 0 : db->sessions.items[session].txn;
    if (name_has(call->name, "shared"))
        lock.mode = ADVISORY_SHARED;
    bool is_try = name_has(call->name, "try");
    session_exec(db, session)->footprint.is_advisory = true;
    *result = value_text(db->query.eval.pool, STR(""));
    if (str_is(call->name, "PG_ADVISORY_UNLOCK_ALL")) {
        advisory_unlock_all(db, session);
        return STEP_OK;
    }
    if (kind == SQL_ADVISORY_UNLOCK) {
        bool held = advisory_unlock(db, session, lock.number, lock.mode);
        *result = is_mysql ? value_int(held) : value_bool(held);
        return STEP_OK;
    }
    while (advisory_blockers(db, session, lock.number, lock.mode) != 0) {
        if (is_try) {
            *result = value_bool(false);
            return STEP_OK;
        }
        struct wait wait = {.kind = WAIT_LOCK,
                            .lock_kind = LOCK_ADVISORY,
                            .mode = lock.mode,
                            .number = lock.number};
        enum step step = session_wait(db, session, &wait);
        if (step != STEP_OK)
            return step;
    }
    advisory_take(db, session, &lock);
    if (is_try || is_mysql)
        *result = is_mysql ? value_int(1) : value_bool(true);
    return STEP_OK;
}

enum step advisory_call(struct db *db, size_t session, const struct sql_stmt *stmt,
                        struct value *result) {
    const struct sql_expr *call = stmt->select->items.items[0].expr;
    int64_t number;
    if (!advisory_number(&db->query.eval, call, &number))
        return db_fail_eval(db);
    return advisory_run(db, session, call, number, result);
}

bool advisory_in_expression(struct db *db, const struct sql_expr *call, struct value *result) {
    struct exec *exec = session_exec(db, db->running);
    enum sql_advisory kind = sql_advisory_call(call);
    int64_t number;
    *result = value_text(db->query.eval.pool, STR(""));
    if (db->is_peeking || db->config.engine != ENGINE_POSTGRESQL || kind == SQL_ADVISORY_UNLOCK ||
        name_has(call->name, "try"))
        return eval_fail(&db->query.eval, DB_ERROR_NOT_MODELLED, "%.*s within an expression",
                         STR_ARG(call->name));
    if (db->advisory_seen++ < exec->advisory_done)
        return true; /* taken before the statement waited */
    if (!advisory_number(&db->query.eval, call, &number) ||
        advisory_run(db, db->running, call, number, result) != STEP_OK)
        return false;
    exec->advisory_done++;
    return true;
}
