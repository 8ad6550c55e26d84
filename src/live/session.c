/* When a statement has ended, when it waits, and in what order waits end: the same for every back end.
 *
 * A statement that answers at once costs no question. One that does not is looked at over the control connection, and
 * counts as waiting once the server says so and the back end knows that no deadlock check will still end it. A wait ends by
 * what another session did, so live_resume asks who still waits; those that do not are given the time to end or to wait
 * anew, and all that ended in one such round are handed out in the order in which their waits began, unless one is known to
 * have waited for the other. So the order is the same in every run, though answers arrive as they like.
 */
#include "base/assert.h"
#include "live/backend.h"
#include "live/interrupt.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/select.h>
#include <time.h>

enum {
    ANSWER_MS_MAX = 30000,
    CLOSING_MS_MAX = 10000,   /* for each statement that tidies up */
    POLL_US_MAX = 8000,       /* between two questions to the server */
    IDLE_POLL_US_MAX = 50000, /* where only an answer is waited for: how late a signal is seen */
};

static const struct pos no_pos;

uint64_t live_now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

bool live_lose(struct live *live, struct err *err, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char message[ERR_MESSAGE_BYTES];
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    if (!live->is_lost)
        err_set(&live->lost, no_pos, "%s", message);
    live->is_lost = true;
    return err_set(err, no_pos, "%s", message);
}

bool live_is_interrupted(const struct live *live) {
    return !live->is_closing && live_was_interrupted();
}

bool live_contains(struct str text, const char *word) {
    struct str wanted = str_from_c(word);
    for (size_t i = 0; i + wanted.len <= text.len; i++)
        if (str_equal_nocase(str_sub(text, i, i + wanted.len), wanted))
            return true;
    return false;
}

static bool is_usable(struct live *live, struct err *err) {
    if (live_is_interrupted(live))
        return live_lose(live, err, "interrupted");
    return !live->is_lost || err_set(err, no_pos, "%s", live->lost.message);
}

struct live_answer *live_add_answer(struct live_session *session) {
    struct live_answer *answer = ARENA_NEW(&session->memory, struct live_answer);
    answer->status = LIVE_DONE;
    answer->notices = session->notices.items;
    answer->notice_count = session->notices.count;
    memset(&session->notices, 0, sizeof(session->notices));
    if (session->last != NULL)
        session->last->next = answer;
    else
        session->answer = answer;
    session->last = answer;
    return answer;
}

void live_add_notice(struct live_session *session, struct str severity, struct str message) {
    struct live_notice notice = {str_dup(&session->memory, severity),
                                 str_dup(&session->memory, message)};
    VEC_PUSH(&session->memory, &session->notices, notice);
}

static void note_end(struct live_session *session) {
    LW_ASSERT(session->answer != NULL && session->last != NULL);
    session->last->ended_transaction = session->was_open && !session->is_open;
    if (session->last->ended_transaction)
        session->may_begin_again = session->last->status == LIVE_FAILED;
}

static bool begin(struct live *live, size_t index, struct str sql, struct err *err) {
    struct live_session *session = &live->sessions[index];
    arena_reset(&session->memory);
    session->answer = session->last = NULL;
    memset(&session->notices, 0, sizeof(session->notices));
    session->was_open = session->is_open;
    session->has_ended = session->is_cancelled = false;
    session->is_blocked = session->is_past_deadlock_check = false;
    session->blockers = session->blockers_before = 0;
    session->blocked_since_us = 0;
    session->asked_count = 0;
    session->state = LIVE_RUNNING;
    if (index != LIVE_CONTROL_INDEX)
        live->statement_count++;
    if (!live->backend->start(live, index, sql, err))
        return false;
    if (session->has_ended)
        note_end(session);
    return true;
}

/* Takes in what has come, and notes what the end of the statement means. */
static bool take(struct live *live, size_t index, struct err *err) {
    struct live_session *session = &live->sessions[index];
    if (session->has_ended)
        return true;
    if (!live->backend->take(live, index, err))
        return false;
    if (session->has_ended)
        note_end(session);
    return true;
}

/* poll(2) of reading, with a finer clock where the numbers of the files allow it. */
static int wait_readable(struct pollfd *fds, nfds_t count, unsigned wait_us) {
    fd_set readable;
    FD_ZERO(&readable);
    int highest = -1;
    for (nfds_t i = 0; i < count; i++) {
        if (fds[i].fd >= FD_SETSIZE || wait_us % 1000 == 0)
            return poll(fds, count, (int)((wait_us + 999) / 1000));
        FD_SET(fds[i].fd, &readable);
        highest = fds[i].fd > highest ? fds[i].fd : highest;
    }
    struct timespec timeout = {.tv_sec = wait_us / 1000000, .tv_nsec = wait_us % 1000000 * 1000l};
    int ready = pselect(highest + 1, &readable, NULL, NULL, &timeout, NULL);
    for (nfds_t i = 0; i < count; i++)
        fds[i].revents = ready > 0 && FD_ISSET(fds[i].fd, &readable) ? POLLIN : 0;
    return ready;
}

/* Waits up to `wait_us` for something from one of `sessions`, and takes it in. */
static bool poll_sessions(struct live *live, uint32_t sessions, unsigned wait_us, struct err *err) {
    struct pollfd fds[LIVE_SESSIONS_MAX + 1];
    size_t indexes[LIVE_SESSIONS_MAX + 1];
    nfds_t count = 0;
    for (size_t i = 0; i <= LIVE_SESSIONS_MAX; i++) {
        if ((sessions & 1u << i) == 0 || live->sessions[i].has_ended)
            continue;
        indexes[count] = i;
        fds[count++] = (struct pollfd){.fd = live->backend->socket(live, i), .events = POLLIN};
    }
    if (count == 0)
        return true;
    int ready = fds[0].fd < 0 ? (int)count : wait_readable(fds, count, wait_us);
    if (ready < 0 && errno != EINTR)
        return live_lose(live, err, "poll: %s", strerror(errno));
    if (live_is_interrupted(live))
        return live_lose(live, err, "interrupted");
    for (nfds_t i = 0; ready > 0 && i < count; i++)
        if ((fds[i].fd < 0 || fds[i].revents != 0) && !take(live, indexes[i], err))
            return false;
    return true;
}

static bool is_late(struct live *live, uint64_t began_us, struct err *err) {
    unsigned ms_max =
        live->options.answer_ms_max != 0 ? live->options.answer_ms_max : ANSWER_MS_MAX;
    if (live->is_closing)
        ms_max = CLOSING_MS_MAX;
    if (live_now_us() - began_us <= (uint64_t)ms_max * 1000)
        return false;
    live_lose(live, err, "the server gave no answer within %u ms", ms_max);
    return true;
}

/* The statements of `sessions` to their ends; nobody asks who waits. */
static bool finish(struct live *live, uint32_t sessions, struct err *err) {
    uint64_t began_us = live_now_us();
    for (;;) {
        uint32_t open = 0;
        for (size_t i = 0; i <= LIVE_SESSIONS_MAX; i++)
            if ((sessions & 1u << i) != 0 && !live->sessions[i].has_ended)
                open |= 1u << i;
        if (open == 0)
            break;
        if (is_late(live, began_us, err) || !poll_sessions(live, open, IDLE_POLL_US_MAX, err))
            return false;
    }
    for (size_t i = 0; i <= LIVE_SESSIONS_MAX; i++)
        if ((sessions & 1u << i) != 0)
            live->sessions[i].state = LIVE_IDLE;
    return true;
}

bool live_run_to_end(struct live *live, size_t index, struct str sql, struct err *err) {
    return begin(live, index, sql, err) && finish(live, 1u << index, err);
}

bool live_run_ok(struct live *live, size_t index, struct str sql, struct err *err) {
    if (!live_run_to_end(live, index, sql, err))
        return false;
    for (const struct live_answer *a = live->sessions[index].answer; a != NULL; a = a->next) {
        if (a->status != LIVE_FAILED)
            continue;
        char number[16] = "";
        if (a->number != 0)
            snprintf(number, sizeof(number), "%d", a->number);
        return err_set(err, no_pos, "%s: %.*s (%s)", live->server,
                       (int)(a->message.len > 180 ? 180 : a->message.len), a->message.ptr,
                       live->kind == LIVE_POSTGRESQL ? a->sqlstate : number);
    }
    return true;
}

/* ---- who waits ---- */

static uint32_t waiting(const struct live *live) {
    uint32_t mask = 0;
    for (size_t i = 0; i < live->options.session_count; i++)
        if (live->sessions[i].state == LIVE_IS_WAITING)
            mask |= 1u << i;
    return mask;
}

/* Asks the server about `sessions`, then takes in what they were told before that. */
static bool ask(struct live *live, uint32_t sessions, struct err *err) {
    if (!live->backend->ask(live, sessions, err))
        return false;
    uint64_t now_us = live_now_us();
    for (size_t i = 0; i < live->options.session_count; i++) {
        struct live_session *session = &live->sessions[i];
        if ((sessions & 1u << i) == 0)
            continue;
        if (!session->is_blocked) {
            session->blocked_since_us = 0;
            session->asked_count = 0;
        } else {
            if (session->blocked_since_us == 0)
                session->blocked_since_us = now_us;
            session->asked_count++;
            if (session->blockers != 0)
                session->blockers_before = session->blockers;
        }
    }
    return poll_sessions(live, sessions, 0, err);
}

/* Those of `sessions` that still run and do not wait for good. Of `others`, whose callers know them to wait, one that
 * does not any more is on its way to its end, as a deadlock's victim is, and may let them go. `other_ended`: one had come
 * there; who is blocked then is told to wait, so that the caller learns of that end first. */
static uint32_t unsettled(const struct live *live, uint32_t sessions, uint32_t others,
                          bool other_ended) {
    uint32_t mask = 0;
    bool other_runs = false;
    for (size_t i = 0; i < live->options.session_count; i++)
        if ((others & 1u << i) != 0 && !live->sessions[i].is_blocked)
            other_runs = true;
    for (size_t i = 0; i < live->options.session_count; i++) {
        const struct live_session *session = &live->sessions[i];
        if ((sessions & 1u << i) == 0 || session->has_ended)
            continue;
        bool is_settled = !other_runs && live->backend->is_settled(live, i);
        if (!session->is_blocked || (!other_ended && !is_settled))
            mask |= 1u << i;
    }
    return mask;
}

static bool has_ended_any(const struct live *live, uint32_t sessions) {
    for (size_t i = 0; i < live->options.session_count; i++)
        if ((sessions & 1u << i) != 0 && live->sessions[i].has_ended)
            return true;
    return false;
}

static bool knows_to_wait(const struct live *live, uint32_t sessions) {
    for (size_t i = 0; i < live->options.session_count; i++)
        if ((sessions & 1u << i) != 0 && live->sessions[i].is_past_deadlock_check)
            return true;
    return false;
}

static uint32_t not_ended(const struct live *live, uint32_t sessions) {
    for (size_t i = 0; i < live->options.session_count; i++)
        if (live->sessions[i].has_ended)
            sessions &= ~(1u << i);
    return sessions;
}

static void note_doubts(struct live *live, uint32_t sessions) {
    for (size_t i = 0; i < live->options.session_count; i++)
        if ((sessions & 1u << i) != 0)
            live->sessions[i].doubted_at = live->statement_count;
}

/* Notes that all of `sessions`, and so all that wait, were seen to wait by the same answer of the server. */
static void note_known(struct live *live, uint32_t sessions) {
    for (size_t i = 0; i < live->options.session_count; i++)
        if ((sessions & 1u << i) != 0 &&
            (live->sessions[i].has_ended || !live->sessions[i].is_blocked))
            return;
    live->known_at = live->statement_count;
}

/* The server need not be asked: the session itself told that it waits, and nobody wants to know for whom. */
static bool told_enough(struct live *live, uint32_t sessions, uint32_t others) {
    if (live->options.finds_blockers || others != 0 || !knows_to_wait(live, sessions))
        return false;
    for (size_t i = 0; i < live->options.session_count; i++) {
        struct live_session *session = &live->sessions[i];
        if ((sessions & 1u << i) == 0)
            continue;
        if (!session->is_past_deadlock_check)
            return false;
        session->is_blocked = true;
    }
    note_known(live, sessions);
    return true;
}

/* Lets each of `sessions` end, or wait for another session. */
static bool settle(struct live *live, uint32_t sessions, struct err *err) {
    uint64_t began_us = live_now_us();
    unsigned wait_us = live->ask_after_us;
    uint32_t others = waiting(live) & ~sessions;
    note_doubts(live, sessions);
    while ((sessions = not_ended(live, sessions)) != 0) {
        uint64_t from_us = live_now_us();
        if (!poll_sessions(live, sessions | not_ended(live, others), wait_us, err))
            return false;
        if ((sessions = not_ended(live, sessions)) == 0 || live->backend->ask == NULL ||
            told_enough(live, sessions, others))
            return true;
        /* Something came, but neither an end nor the news that it waits. */
        uint64_t passed_us = live_now_us() - from_us;
        if (passed_us < wait_us && !knows_to_wait(live, sessions)) {
            wait_us -= (unsigned)passed_us;
            continue;
        }
        uint32_t asked = sessions | not_ended(live, others);
        bool other_ended = has_ended_any(live, others); /* one that ends only now may have let somebody go since */
        if (!ask(live, asked, err))
            return false;
        sessions = unsettled(live, sessions, others, other_ended);
        if (sessions == 0)
            note_known(live, asked);
        if (is_late(live, began_us, err))
            return false;
        wait_us = knows_to_wait(live, sessions) ? live->ask_after_us / 2
                  : wait_us >= POLL_US_MAX / 2  ? POLL_US_MAX
                                                : wait_us * 2;
    }
    return true;
}

/* ---- what callers ask for ---- */

bool live_exec(struct live *live, size_t index, struct str sql, const struct live_answer **answer,
               struct err *err) {
    LW_ASSERT(index < live->options.session_count);
    struct live_session *session = &live->sessions[index];
    LW_ASSERT(session->state == LIVE_IDLE || live->is_lost);
    if (!is_usable(live, err) || !begin(live, index, sql, err) || !settle(live, 1u << index, err))
        return false;
    if (session->has_ended) {
        session->state = LIVE_IDLE;
        *answer = session->answer;
        return true;
    }
    session->state = LIVE_IS_WAITING;
    session->wait_number = ++live->waits_begun;
    session->waiting_answer =
        (struct live_answer){.status = LIVE_WAITING, .blockers = session->blockers};
    *answer = &session->waiting_answer;
    return true;
}

bool live_is_waiting(const struct live *live, size_t index) {
    LW_ASSERT(index < live->options.session_count);
    enum live_state state = live->sessions[index].state;
    return state == LIVE_IS_WAITING || state == LIVE_READY;
}

size_t live_take_notices(struct live *live, size_t index, const struct live_notice **notices) {
    LW_ASSERT(index < live->options.session_count);
    struct live_session *session = &live->sessions[index];
    size_t count = session->notices.count;
    *notices = session->notices.items;
    memset(&session->notices, 0, sizeof(session->notices));
    return count;
}

/* Of those in `state` the one that goes first, or LIVE_NO_SESSION. */
static int first_in(const struct live *live, enum live_state state) {
    int first = LIVE_NO_SESSION;
    for (size_t i = 0; i < live->options.session_count; i++) {
        const struct live_session *one = &live->sessions[i];
        if (one->state != state)
            continue;
        if (first == LIVE_NO_SESSION) {
            first = (int)i;
            continue;
        }
        const struct live_session *best = &live->sessions[first];
        bool waited_for = (best->blockers_before & 1u << i) != 0;
        bool waits_for = (one->blockers_before & 1u << first) != 0;
        if (waited_for != waits_for ? waited_for : one->wait_number < best->wait_number)
            first = (int)i;
    }
    return first;
}

static void mark_ready(struct live *live, uint32_t sessions) {
    for (size_t i = 0; i < live->options.session_count; i++)
        if ((sessions & 1u << i) != 0 && live->sessions[i].has_ended)
            live->sessions[i].state = LIVE_READY;
}

/* Without anybody to ask, each in its turn tries again; the first that ends may let others go on. */
static bool retry(struct live *live, uint32_t sessions, struct err *err) {
    while (sessions != 0) {
        uint32_t tried = 0;
        for (size_t i = 0; i < live->options.session_count; i++)
            if ((sessions & 1u << i) != 0 &&
                (tried == 0 ||
                 live->sessions[i].wait_number < live->sessions[__builtin_ctz(tried)].wait_number))
                tried = 1u << i;
        if (!poll_sessions(live, tried, 0, err))
            return false;
        if (has_ended_any(live, tried))
            return true;
        sessions &= ~tried;
    }
    return true;
}

/* Those of `asked` that are not known to wait still. What may be late to tell is watched anew after each statement. */
static uint32_t maybe_free(struct live *live, uint32_t asked) {
    uint32_t mask = 0;
    for (size_t i = 0; i < live->options.session_count; i++) {
        struct live_session *session = &live->sessions[i];
        bool is_doubtful = session->is_doubtful && session->doubted_at != live->statement_count;
        /* Its wait ended, and it waits again: the deadlock check is still to come. */
        bool waits_anew = live->kind == LIVE_POSTGRESQL && !live->backend->is_settled(live, i);
        if ((asked & 1u << i) == 0 ||
            (!session->has_ended && session->is_blocked && !is_doubtful && !waits_anew))
            continue;
        mask |= 1u << i;
        session->blocked_since_us = 0;
        session->asked_count = 0;
        session->is_past_deadlock_check = false; /* that was the wait before */
    }
    return mask;
}

bool live_resume(struct live *live, int *index, const struct live_answer **answer,
                 struct err *err) {
    if (!is_usable(live, err))
        return false;
    while (first_in(live, LIVE_READY) == LIVE_NO_SESSION) {
        uint32_t asked = waiting(live);
        *index = LIVE_NO_SESSION;
        if (asked == 0)
            return true;
        if (live->backend->ask == NULL) {
            if (!retry(live, asked, err))
                return false;
            if (!has_ended_any(live, asked))
                return true;
            mark_ready(live, asked);
            continue;
        }
        if (live->known_at == live->statement_count) { /* nothing was done since */
            if (!poll_sessions(live, asked, 0, err))
                return false;
            if (!has_ended_any(live, asked))
                return true;
            live->known_at = 0;
        }
        /* What has ended is not asked about any more: it has its place in the same round. */
        if (!ask(live, not_ended(live, asked), err))
            return false;
        uint32_t free_ones = maybe_free(live, asked);
        if (free_ones == 0) {
            note_known(live, asked);
            return true;
        }
        if (!settle(live, free_ones, err))
            return false;
        mark_ready(live, free_ones);
    }
    *index = first_in(live, LIVE_READY);
    live->sessions[*index].state = LIVE_IDLE;
    *answer = live->sessions[*index].answer;
    return true;
}

static bool cancel(struct live *live, uint32_t sessions, struct err *err) {
    for (size_t i = 0; i < live->options.session_count; i++) {
        struct live_session *session = &live->sessions[i];
        if ((sessions & 1u << i) == 0 || session->has_ended)
            continue;
        session->is_cancelled = true;
        live->statement_count++;
        if (!live->backend->cancel(live, i, err))
            return false;
    }
    return finish(live, sessions, err);
}

bool live_cancel(struct live *live, size_t index, const struct live_answer **answer,
                 struct err *err) {
    LW_ASSERT(live_is_waiting(live, index) || live->is_lost);
    if (!is_usable(live, err) || !cancel(live, 1u << index, err))
        return false;
    if (live->sessions[index].is_cancelled)
        live->backend->as_timeout(live, index);
    *answer = live->sessions[index].answer;
    return true;
}

bool live_in_transaction(const struct live *live, size_t index) {
    LW_ASSERT(index < live->options.session_count);
    return live->sessions[index].is_open;
}

bool live_rollback_all(struct live *live, struct err *err) {
    if (!is_usable(live, err))
        return false;
    uint32_t waits = 0, open = 0, locks = 0;
    for (size_t i = 0; i < live->options.session_count; i++)
        if (live->sessions[i].state != LIVE_IDLE)
            waits |= 1u << i;
    if (!cancel(live, waits, err))
        return false;
    for (size_t i = 0; i < live->options.session_count; i++) {
        if (!live->sessions[i].is_open && !live->sessions[i].may_begin_again)
            continue;
        live->sessions[i].may_begin_again = false;
        open |= 1u << i;
        if (!begin(live, i, STR("ROLLBACK"), err))
            return false;
    }
    if (!finish(live, open, err))
        return false;
    for (size_t i = 0; i < live->options.session_count; i++) {
        if (!live->sessions[i].may_hold_locks || live->backend->unlock_all == NULL)
            continue;
        locks |= 1u << i;
        live->sessions[i].may_hold_locks = false;
        if (!begin(live, i, str_from_c(live->backend->unlock_all(live)), err))
            return false;
    }
    return finish(live, locks, err);
}

bool live_run(struct live *live, struct str sql, struct err *err) {
    return is_usable(live, err) && live_run_ok(live, LIVE_CONTROL_INDEX, sql, err);
}

bool live_query(struct live *live, struct str sql, const struct live_answer **answer,
                struct err *err) {
    if (!is_usable(live, err) || !live_run_ok(live, LIVE_CONTROL_INDEX, sql, err))
        return false;
    *answer = live->sessions[LIVE_CONTROL_INDEX].answer;
    return true;
}
