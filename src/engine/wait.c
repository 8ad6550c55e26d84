/* Waiting, and the wait-for graph. Who waits for whom is not stored but asked of the policy each
 * time, so that it can't go stale: there are at most DB_SESSIONS_MAX sessions. */
#include "engine/exec.h"

#include <stdarg.h>

uint32_t wait_holder(const struct db *db, const struct wait *wait) {
    const struct txn *txn = &db->txns.items[wait->txn];
    bool is_held = txn->status == TXN_ACTIVE &&
                   (wait->number == 0 || savepoint_is_set(db, txn->session, wait->number));
    return is_held ? 1u << txn->session : 0;
}

uint32_t session_blockers(const struct db *db, size_t session) {
    const struct wait *wait = &db->sessions.items[session].wait;
    if (wait->kind == WAIT_NOTHING)
        return 0;
    if (wait->kind == WAIT_LOCK && wait->lock_kind == LOCK_ADVISORY)
        return advisory_blockers(db, session, wait->number, wait->mode);
    if (wait->kind == WAIT_TXN)
        return wait_holder(db, wait);
    return db->policy->blockers(db, session) & ~(1u << session);
}

void session_wait_end(struct db *db, size_t session) {
    db->sessions.items[session].wait.kind = WAIT_NOTHING;
}

bool session_any_ready(const struct db *db) {
    for (size_t s = 0; s < db->session_count; s++) {
        const struct session *session = &db->sessions.items[s];
        if (session->doomed != DB_OK_NO_ERROR)
            return true;
        if (session->wait.kind != WAIT_NOTHING && session_blockers(db, s) == 0)
            return true;
    }
    return false;
}

/* The sessions that the search for deadlocks sees the session wait for. */
static uint32_t watched_blockers(const struct db *db, size_t session) {
    const struct wait *wait = &db->sessions.items[session].wait;
    if (wait->kind == WAIT_LOCK && wait->lock_kind == LOCK_POLICY &&
        db->policy->watched_blockers != NULL)
        return db->policy->watched_blockers(db, session) & ~(1u << session);
    return session_blockers(db, session);
}

/* The sessions on a cycle of waits through `session`: those it can reach that can reach it. 0:
 * none. */
static uint32_t wait_cycle(const struct db *db, size_t session) {
    uint32_t reach[DB_SESSIONS_MAX];
    for (size_t s = 0; s < db->session_count; s++)
        reach[s] = watched_blockers(db, s);
    for (size_t via = 0; via < db->session_count; via++)
        for (size_t s = 0; s < db->session_count; s++)
            if (reach[s] & (1u << via))
                reach[s] |= reach[via];
    uint32_t cycle = 0;
    for (size_t s = 0; s < db->session_count; s++)
        if ((reach[session] & (1u << s)) && (reach[s] & (1u << session)))
            cycle |= 1u << s;
    return cycle;
}

/* Of a victim that is told by another: it waits no more, and holds what it holds until session_bury. */
static void doom(struct db *db, size_t session) {
    session_wait_end(db, session);
    locks_unqueue(db, session);
    db->sessions.items[session].doomed = DB_ERROR_DEADLOCK;
}

bool session_bury(struct db *db) {
    bool any = false;
    for (size_t s = 0; s < db->session_count; s++) {
        if (db->sessions.items[s].doomed == DB_OK_NO_ERROR || db->sessions.items[s].txn == 0)
            continue;
        txn_end_by_error(db, s);
        any = true;
    }
    return any;
}

enum step session_close_cycle(struct db *db, size_t session, const struct wait *wait) {
    struct session *waiting = &db->sessions.items[session];
    waiting->wait = *wait;
    if (wait->order == 0)
        waiting->wait.order = ++db->core.wait_order;
    LW_ASSERT(wait->kind != WAIT_NOTHING && session_blockers(db, session) != 0);
    uint32_t cycle = wait_cycle(db, session);
    if (cycle == 0)
        return STEP_WAIT;
    waiting->exec.footprint.waited_or_woke = true;
    int victim = db->policy->deadlock_victim(db, session, cycle);
    if (victim == DB_NO_SESSION)
        return STEP_WAIT;
    session_wait_end(db, session);
    if ((size_t)victim == session)
        return db_fail(db, DB_ERROR_DEADLOCK, "%s", "");
    doom(db, (size_t)victim);
    return STEP_OK;
}

enum step session_wait(struct db *db, size_t session, const struct wait *wait) {
    enum step step = session_close_cycle(db, session, wait);
    if (step != STEP_WAIT || !session_bury(db))
        return step;
    session_wait_end(db, session);
    return STEP_OK;
}

void session_look_for_deadlocks(struct db *db) {
    if (db->policy->late_closer == NULL)
        return; /* all cycles were seen when they were closed */
    for (size_t s = 0; s < db->session_count; s++) {
        bool waits = db->sessions.items[s].wait.kind != WAIT_NOTHING;
        uint32_t cycle = waits ? wait_cycle(db, s) : 0;
        int closer = cycle == 0 ? DB_NO_SESSION : db->policy->late_closer(db, s, cycle);
        int victim = closer == DB_NO_SESSION
                         ? DB_NO_SESSION
                         : db->policy->deadlock_victim(db, (size_t)closer, cycle);
        if (victim == DB_NO_SESSION)
            continue;
        doom(db, (size_t)victim);
        session_bury(db);
        s = SIZE_MAX; /* who waited for it may wait for another now: from the first again */
    }
}

enum step db_fail(struct db *db, enum db_error error, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(db->detail, sizeof(db->detail), format, args);
    va_end(args);
    db->error = error;
    return STEP_FAIL;
}

enum step db_fail_eval(struct db *db) {
    if (db->error != DB_OK_NO_ERROR)
        return STEP_FAIL;
    struct eval *eval = &db->query.eval;
    if (eval->error != DB_OK_NO_ERROR)
        return db_fail(db, eval->error, "%s", eval->detail);
    LW_ASSERT(db->sessions.items[db->running].wait.kind != WAIT_NOTHING);
    return STEP_WAIT;
}

bool session_generate(struct db *db, size_t session, enum value_kind kind, int64_t number,
                      struct value *value) {
    memset(value, 0, sizeof(*value));
    value->kind = (uint8_t)kind;
    value->number = number;
    if (db->is_loading)
        return true;
    uint8_t *ordinal = &db->sessions.items[session].generated;
    if (*ordinal == UINT8_MAX) {
        db_fail(db, DB_ERROR_LIMIT, "more than %d generated values", UINT8_MAX);
        return false;
    }
    value->origin = (uint8_t)(session + 1);
    value->ordinal = (*ordinal)++;
    return true;
}
