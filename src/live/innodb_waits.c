/* Who waits in MySQL and MariaDB.
 *
 * InnoDB's row locks: SHOW ENGINE INNODB STATUS has a section a transaction, with a line "LOCK WAIT ..." if it waits. It
 * is read from the lock tables themselves and takes some 0.2 ms; INFORMATION_SCHEMA.INNODB_TRX is a tenth of a second
 * old, and SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits' neither says who nor is it any faster. Deadlocks are
 * found when a wait begins: by the waiting thread itself, or (MySQL 8.0.18 and later) by a thread that it wakes.
 * Everything else (GET_LOCK, metadata locks, LOCK TABLES): the state in SHOW PROCESSLIST, which a thread that was let
 * go changes only once it runs again.
 *
 * For whom: INFORMATION_SCHEMA.INNODB_LOCK_WAITS, a tenth of a second old counted from when anybody read it last;
 * MySQL 8 has PERFORMANCE_SCHEMA.DATA_LOCK_WAITS, which is not. Of other locks nobody says for whom.
 */
#include "live/mysql.h"

#ifdef LW_HAVE_LIBMARIADB
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    CACHE_US = 101000, /* how long INFORMATION_SCHEMA.INNODB_* stays as it is */
    BLOCKERS_TRIES_MAX = 5,
    DOUBT_MS = 10, /* a state of SHOW PROCESSLIST holds for so long: it still waits */
    BACKGROUND_DEADLOCK_MS = 10,
};

static const struct pos no_pos;

static int session_of_thread(const struct live *live, int64_t id) {
    for (size_t i = 0; i < live->options.session_count; i++)
        if (live->sessions[i].id == id)
            return (int)i;
    return LIVE_NO_SESSION;
}

/* The number behind `key` in `line`, or -1. */
static int64_t number_behind(struct str line, const char *key) {
    size_t len = strlen(key);
    for (size_t i = 0; i + len < line.len; i++)
        if (memcmp(line.ptr + i, key, len) == 0)
            return strtoll(line.ptr + i + len, NULL, 10);
    return -1;
}

/* The sessions whose transaction waits for a row lock. A section's lines stand in this order: "---TRANSACTION", "LOCK
 * WAIT" if so, "... thread id N, ...", then the statement's text, which may hold anything. */
static uint32_t lock_waits(const struct live *live, struct str status) {
    uint32_t mask = 0;
    bool is_before_thread = false, waits = false;
    for (size_t from = 0; from < status.len;) {
        size_t to = str_find(status, '\n', from);
        struct str line = str_sub(status, from, to);
        from = to + 1;
        if (str_starts(line, "---TRANSACTION ")) {
            is_before_thread = true;
            waits = false;
        } else if (is_before_thread && str_starts(line, "LOCK WAIT ")) {
            waits = true;
        } else if (is_before_thread) {
            int64_t id = number_behind(line, " thread id ");
            if (id < 0)
                continue;
            is_before_thread = false;
            int session = session_of_thread(live, id);
            if (waits && session != LIVE_NO_SESSION)
                mask |= 1u << session;
        }
    }
    return mask;
}

static bool ask_innodb(struct live *live, uint32_t *waiting, struct err *err) {
    if (!live_run_ok(live, LIVE_CONTROL_INDEX, STR("SHOW ENGINE INNODB STATUS"), err))
        return false;
    const struct live_answer *answer = live->sessions[LIVE_CONTROL_INDEX].answer;
    *waiting = 0;
    if (answer->row_count == 1 && answer->column_count == 3)
        *waiting = lock_waits(live, answer->cells[2]);
    return true;
}

/* Of other locks than InnoDB's. */
static bool is_state_of_wait(struct str state) {
    return str_is(state, "User lock") || str_starts(state, "Waiting for table") ||
           str_starts(state, "Waiting for global read lock") ||
           str_starts(state, "Waiting for commit lock") ||
           str_starts(state, "Waiting for backup lock") ||
           (str_starts(state, "Waiting for ") && str_ends(state, " metadata lock"));
}

static bool ask_processes(struct live *live, uint32_t *waiting, struct err *err) {
    if (!live_run_ok(live, LIVE_CONTROL_INDEX, STR("SHOW PROCESSLIST"), err))
        return false;
    const struct live_answer *answer = live->sessions[LIVE_CONTROL_INDEX].answer;
    *waiting = 0;
    for (size_t i = 0; i < answer->row_count && answer->column_count >= 7; i++) {
        const struct str *row = answer->cells + i * answer->column_count;
        int session = row[0].ptr == NULL ? LIVE_NO_SESSION
                                         : session_of_thread(live, strtoll(row[0].ptr, NULL, 10));
        if (session != LIVE_NO_SESSION && is_state_of_wait(row[6]))
            *waiting |= 1u << session;
    }
    return true;
}

static const char new_blockers[] =
    "SELECT r.processlist_id, b.processlist_id FROM performance_schema.data_lock_waits w "
    "JOIN performance_schema.threads r ON r.thread_id = w.requesting_thread_id "
    "JOIN performance_schema.threads b ON b.thread_id = w.blocking_thread_id";
static const char old_blockers[] =
    "SELECT r.trx_mysql_thread_id, b.trx_mysql_thread_id FROM information_schema.innodb_lock_waits "
    "w "
    "JOIN information_schema.innodb_trx r ON r.trx_id = w.requesting_trx_id "
    "JOIN information_schema.innodb_trx b ON b.trx_id = w.blocking_trx_id";

static bool has_data_lock_waits(const struct live *live) {
    return live->kind == LIVE_MYSQL && live->version[0] >= 8;
}

/* Whether all of `waiting` were found to wait for somebody. */
static bool read_blockers(struct live *live, uint32_t waiting) {
    const struct live_answer *answer = live->sessions[LIVE_CONTROL_INDEX].answer;
    for (size_t i = 0; i < answer->row_count; i++) {
        const struct str *row = answer->cells + i * 2;
        if (row[0].ptr == NULL || row[1].ptr == NULL)
            continue;
        int one = session_of_thread(live, strtoll(row[0].ptr, NULL, 10));
        int other = session_of_thread(live, strtoll(row[1].ptr, NULL, 10));
        if (one != LIVE_NO_SESSION && other != LIVE_NO_SESSION && (waiting & 1u << one) != 0)
            live->sessions[one].blockers |= 1u << other;
    }
    for (size_t i = 0; i < live->options.session_count; i++)
        if ((waiting & 1u << i) != 0 && live->sessions[i].blockers == 0)
            return false;
    return true;
}

static bool find_blockers(struct live *live, uint32_t waiting, struct err *err) {
    bool is_new = has_data_lock_waits(live);
    for (int tries = 0; tries < BLOCKERS_TRIES_MAX; tries++) {
        struct timespec pause = {0, CACHE_US * 1000l};
        if (!is_new)
            nanosleep(&pause, NULL);
        if (!live_run_ok(live, LIVE_CONTROL_INDEX, str_from_c(is_new ? new_blockers : old_blockers),
                         err))
            return false;
        if (read_blockers(live, waiting) || is_new || live_is_interrupted(live))
            return true;
    }
    return true;
}

/* Blockers are looked for once a wait, for those that were not blocked when last asked. */
bool live_innodb_ask(struct live *live, uint32_t sessions, struct err *err) {
    uint32_t in_innodb, elsewhere = 0, new_ones = 0, let_go = 0;
    for (size_t i = 0; i < live->options.session_count; i++)
        if (live->sessions[i].is_blocked && !live->sessions[i].is_doubtful)
            let_go |= 1u << i;
    if (!ask_innodb(live, &in_innodb, err))
        return false;
    let_go &= ~in_innodb; /* if they wait for something else now, the next question finds it out */
    if ((sessions & ~in_innodb & ~let_go) != 0 && !ask_processes(live, &elsewhere, err))
        return false;
    for (size_t i = 0; i < live->options.session_count; i++) {
        struct live_session *session = &live->sessions[i];
        if ((sessions & 1u << i) == 0)
            continue;
        bool waits = ((in_innodb | elsewhere) & 1u << i) != 0;
        if (!waits || !session->is_blocked)
            session->blockers = 0;
        if ((in_innodb & 1u << i) != 0 && session->blockers == 0)
            new_ones |= 1u << i;
        session->is_blocked = waits;
        session->is_doubtful = (in_innodb & 1u << i) == 0 && waits;
    }
    return !live->options.finds_blockers || new_ones == 0 || find_blockers(live, new_ones, err);
}

bool live_innodb_is_settled(const struct live *live, size_t index) {
    const struct live_session *session = &live->sessions[index];
    uint64_t blocked_ms = (live_now_us() - session->blocked_since_us) / 1000;
    if (session->is_doubtful)
        return blocked_ms >= DOUBT_MS;
    bool is_alone = true;
    for (size_t i = 0; i < live->options.session_count; i++)
        if (i != index &&
            (live->sessions[i].state == LIVE_IS_WAITING || live->sessions[i].state == LIVE_RUNNING))
            is_alone = false;
    /* Where nobody else waits there is no circle. */
    return is_alone || (session->asked_count >= 2 &&
                        (!has_data_lock_waits(live) || blocked_ms >= BACKGROUND_DEADLOCK_MS));
}

bool live_innodb_may_ask(struct live *live, struct err *err) {
    struct err why;
    uint32_t ignored;
    if (ask_innodb(live, &ignored, &why))
        return true;
    return err_set(err, no_pos,
                   "this user can't see who waits, and needs the PROCESS privilege: %.120s",
                   why.message);
}

#endif
