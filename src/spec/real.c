#include "spec/real.h"

#include "base/assert.h"
#include "spec/run.h"

#include <stdlib.h>
#include <time.h>

static const struct pos nowhere = {0, 0};

struct real {
    struct spec_server server; /* first: functions get this */
    struct live *live;
    size_t session_count;
    unsigned seconds_max;
    struct arena answers; /* of a permutation */
    struct spec_answer done[LIVE_SESSIONS_MAX];
    bool is_done[LIVE_SESSIONS_MAX];
};

static struct real *real_of(struct spec_server *server) {
    return (struct real *)(void *)server;
}

/* A copy of the rows, which hold only until the session's next statement. */
static struct spec_table copy_table(struct real *real, const struct live_answer *answer) {
    size_t columns = answer->column_count, cells = answer->row_count * columns;
    struct str *names = ARENA_ARRAY(&real->answers, struct str, columns);
    struct str *texts = ARENA_ARRAY(&real->answers, struct str, cells);
    for (size_t i = 0; i < columns; i++)
        names[i] = str_dup(&real->answers, answer->columns[i].name);
    for (size_t i = 0; i < cells; i++)
        texts[i] = answer->cells[i].ptr == NULL ? STR("")
                                                : str_dup(&real->answers, answer->cells[i]);
    return (struct spec_table){columns, answer->row_count, names, texts};
}

static void add_answer(struct real *real, const struct live_answer *answer,
                       struct spec_answer *into) {
    struct spec_part part = {.is_error = answer->status == LIVE_FAILED};
    into->ends_without_rows = !answer->has_rows;
    if (part.is_error) {
        part.severity = str_dup(&real->answers, answer->severity);
        part.message = str_dup(&real->answers, answer->message);
    } else if (answer->has_rows) {
        part.table = copy_table(real, answer);
    } else {
        return;
    }
    VEC_PUSH(&real->answers, &into->parts, part);
}

static void tell_notices(struct real *real, size_t session, const struct live_notice *notices,
                         size_t count) {
    for (size_t i = 0; i < count; i++)
        real->server.notice(real->server.notice_context, session, notices[i].severity,
                            notices[i].message);
}

/* What sessions that wait have told since. */
static void tell_early_notices(struct real *real) {
    for (size_t i = 0; i < real->session_count; i++) {
        const struct live_notice *notices;
        size_t count = live_take_notices(real->live, i, &notices);
        tell_notices(real, i, notices, count);
    }
}

/* A text's answer, complete or that it waits. */
static void take_answer(struct real *real, size_t session, const struct live_answer *answer) {
    real->is_done[session] = answer->status != LIVE_WAITING;
    real->done[session] = (struct spec_answer){0};
    for (; answer != NULL; answer = answer->next) {
        tell_notices(real, session, answer->notices, answer->notice_count);
        if (answer->status != LIVE_WAITING)
            add_answer(real, answer, &real->done[session]);
    }
}

static bool settle(struct real *real, struct err *err) {
    for (;;) {
        const struct live_answer *answer;
        int session;
        if (!live_resume(real->live, &session, &answer, err))
            return false;
        tell_early_notices(real);
        if (session == LIVE_NO_SESSION)
            return true;
        take_answer(real, (size_t)session, answer);
    }
}

enum { PAUSE_US = 5000 };

static void pause_a_little(void) {
    const struct timespec pause = {.tv_nsec = PAUSE_US * 1000};
    nanosleep(&pause, NULL);
}

/* live_cancel words the server's answer as that of a lock timeout. */
static void call_it_request(struct spec_answer *answer) {
    for (size_t i = 0; i < answer->parts.count; i++)
        if (str_is(answer->parts.items[i].message, "canceling statement due to lock timeout"))
            answer->parts.items[i].message = STR("canceling statement due to user request");
}

static bool server_wait(struct spec_server *server, size_t session, unsigned *seconds,
                        struct err *err) {
    struct real *real = real_of(server);
    time_t began = time(NULL);
    *seconds = 0;
    while (!real->is_done[session]) {
        if (!settle(real, err))
            return false;
        if (real->is_done[session])
            break;
        if (time(NULL) - began >= (time_t)real->seconds_max) {
            const struct live_answer *answer;
            if (!live_cancel(real->live, session, &answer, err))
                return false;
            *seconds = real->seconds_max;
            take_answer(real, session, answer);
            call_it_request(&real->done[session]);
            break;
        }
        pause_a_little();
    }
    return settle(real, err);
}

/* The server may yet do something by itself. */
static bool server_idle(struct spec_server *server, uint64_t *idle_us, struct err *err) {
    struct real *real = real_of(server);
    pause_a_little();
    *idle_us += PAUSE_US;
    if (*idle_us < 2000000ull * real->seconds_max)
        return settle(real, err);
    return err_set(err, nowhere, "nothing happened for %u seconds", 2 * real->seconds_max);
}

static bool server_begin(struct spec_server *server, struct err *err) {
    (void)err;
    arena_reset(&real_of(server)->answers);
    return true;
}

/* The control connection runs setup and teardown; whose error is not of the connection is an answer. */
static bool run_control(struct real *real, const struct spec_block *block,
                        struct spec_answer *answer, struct err *err) {
    const struct live_answer *from;
    if (live_query(real->live, block->sql, &from, err)) {
        for (; from != NULL; from = from->next)
            add_answer(real, from, answer);
        return true;
    }
    struct err ignored, why = *err;
    if (!live_run(real->live, STR("SELECT 1"), &ignored))
        return false;
    struct spec_part part = {.is_error = true, .severity = STR("ERROR")};
    part.message = str_dup(&real->answers, str_from_c(why.message));
    VEC_PUSH(&real->answers, &answer->parts, part);
    return true;
}

static bool server_send(struct spec_server *server, size_t session, const struct spec_block *block,
                        struct err *err) {
    struct real *real = real_of(server);
    const struct live_answer *answer;
    LW_ASSERT(session < real->session_count);
    if (!live_exec(real->live, session, block->sql, &answer, err))
        return false;
    take_answer(real, session, answer);
    return settle(real, err);
}

static bool server_run(struct spec_server *server, size_t session, const struct spec_block *block,
                       struct spec_answer *answer, struct err *err) {
    struct real *real = real_of(server);
    unsigned seconds;
    if (session == SPEC_CONTROL)
        return run_control(real, block, answer, err);
    if (!server_send(server, session, block, err) || !server_wait(server, session, &seconds, err))
        return false;
    *answer = real->done[session];
    return true;
}

static const struct spec_answer *server_answer(struct spec_server *server, size_t session) {
    struct real *real = real_of(server);
    return real->is_done[session] ? &real->done[session] : NULL;
}

static bool set_session(struct real *real, size_t session, struct str sql, struct err *err) {
    const struct live_answer *answer;
    if (!live_exec(real->live, session, sql, &answer, err))
        return false;
    if (answer->status == LIVE_DONE)
        return true;
    return err_set(err, nowhere, "%.*s: %.*s", STR_ARG(sql), STR_ARG(answer->message));
}

static bool set_all(struct real *real, enum sql_isolation isolation, struct err *err) {
    struct str settings = STR("SET datestyle = 'Postgres, MDY'; SET timezone = 'PST8PDT'");
    /* A role that a spec makes may use the place, as it may the schema public. */
    struct str grant = STR("DO $$ BEGIN EXECUTE pg_catalog.format('GRANT USAGE ON SCHEMA %I TO "
                           "PUBLIC', pg_catalog.current_schema()); END $$");
    if (!live_run(real->live, settings, err) || !live_run(real->live, grant, err))
        return false;
    for (size_t i = 0; i < real->session_count; i++) {
        struct str level =
            isolation == SQL_ISOLATION_DEFAULT
                ? settings
                : str_printf(&real->answers, "%.*s; SET default_transaction_isolation = '%s'",
                             STR_ARG(settings), sql_isolation_name(isolation));
        if (!set_session(real, i, level, err))
            return false;
    }
    return true;
}

bool real_new(struct live *live, const struct spec *spec, enum sql_isolation isolation,
              struct real **made, struct err *err) {
    struct real *real = mem_alloc(sizeof(*real));
    *real = (struct real){.live = live,
                          .session_count = spec->sessions.count,
                          .seconds_max = spec_step_seconds()};
    real->server = (struct spec_server){.begin = server_begin,
                                        .run = server_run,
                                        .send = server_send,
                                        .answer = server_answer,
                                        .wait = server_wait,
                                        .idle = server_idle};
    LW_ASSERT(real->session_count <= LIVE_SESSIONS_MAX);
    if (set_all(real, isolation, err)) {
        *made = real;
        return true;
    }
    real_free(real);
    return false;
}

void real_free(struct real *real) {
    arena_release(&real->answers);
    free(real);
}

struct spec_server *real_server(struct real *real) {
    return &real->server;
}
