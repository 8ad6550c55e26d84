/* Opening and closing: what is made here is gone when it is closed, whatever happened in between. */
#include "live/live.h"

#include "base/assert.h"
#include "live/backend.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    ASK_AFTER_US = 300,
    RECONNECT_TRIES_MAX = 15, /* a server that crashed may be about to come back */
    RECONNECT_PAUSE_MS = 200,
};

static const struct pos no_pos;

#ifndef LW_HAVE_LIBPQ
const struct live_backend *const live_postgresql = NULL;
#endif
#ifndef LW_HAVE_LIBMARIADB
const struct live_backend *const live_mysql = NULL;
#endif
#ifndef LW_HAVE_SQLITE
const struct live_backend *const live_sqlite = NULL;
#endif

static bool pick_backend(struct live *live, struct err *err) {
    static const char *const libraries[] = {"libpq", "libmariadb", "SQLite's library"};
    const struct live_backend *const backends[] = {live_postgresql, live_mysql, live_sqlite};
    live->backend = backends[live->url.scheme];
    if (live->backend == NULL)
        return err_set(err, no_pos, "this lostwrite was built without %s, which such a URL needs",
                       libraries[live->url.scheme]);
    return live->backend->load(err);
}

/* A name that nobody else has: other runs may use the same server at the same time. */
static void name_place(struct live *live) {
    unsigned char bytes[6] = {0};
    int file = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    ssize_t count = file < 0 ? -1 : read(file, bytes, sizeof(bytes));
    if (file >= 0)
        close(file);
    if (count != (ssize_t)sizeof(bytes)) {
        uint64_t mixed = live_now_us() * 0x9E3779B97F4A7C15u ^ (uint64_t)getpid();
        memcpy(bytes, &mixed, sizeof(bytes));
    }
    int len = snprintf(live->place_name, sizeof(live->place_name), "lostwrite_");
    for (size_t i = 0; i < sizeof(bytes); i++)
        len += snprintf(live->place_name + len, sizeof(live->place_name) - (size_t)len, "%02x",
                        bytes[i]);
}

/* Messages of libraries may echo what they were given. */
static bool connect_one(struct live *live, size_t index, struct err *err) {
    struct err raw;
    if (live->backend->connect(live, index, &raw))
        return true;
    live->backend->disconnect(live, index);
    struct str message = live_url_scrub(&live->arena, &live->url, str_from_c(raw.message));
    return err_set(err, no_pos, "%.*s", STR_ARG(message));
}

static void release(struct live *live) {
    if (live->backend != NULL) {
        for (size_t i = 0; i <= LIVE_SESSIONS_MAX; i++) {
            live->backend->disconnect(live, i);
            arena_release(&live->sessions[i].memory);
        }
        live->backend->release(live);
    }
    struct arena arena = live->arena;
    arena_release(&arena);
}

bool live_open(struct str url, const struct live_options *options, struct live **opened,
               struct err *err) {
    LW_ASSERT(options->session_count > 0 && options->session_count <= LIVE_SESSIONS_MAX);
    struct arena arena = {0};
    struct live *live = ARENA_NEW(&arena, struct live);
    live->arena = arena;
    live->options = *options;
    live->ask_after_us = ASK_AFTER_US;
    name_place(live);
    bool is_open = live_url_parse(&live->arena, str_dup(&live->arena, url), &live->url, err) &&
                   pick_backend(live, err) && connect_one(live, LIVE_CONTROL_INDEX, err);
    for (size_t i = 0; is_open && i < options->session_count; i++)
        is_open = connect_one(live, i, err);
    if (is_open)
        *opened = live;
    else
        release(live);
    return is_open;
}

/* The control connection, anew if it was lost or something still runs there. */
static bool have_control(struct live *live, struct err *err) {
    struct live_session *control = &live->sessions[LIVE_CONTROL_INDEX];
    struct err ignored;
    if (control->handle != NULL && control->state == LIVE_IDLE &&
        live_run_to_end(live, LIVE_CONTROL_INDEX, STR("SELECT 1"), &ignored))
        return true;
    int64_t old = control->id;
    live->backend->disconnect(live, LIVE_CONTROL_INDEX);
    control->state = LIVE_IDLE;
    for (unsigned tries = 0; !connect_one(live, LIVE_CONTROL_INDEX, err); tries++) {
        struct timespec pause = {.tv_nsec = RECONNECT_PAUSE_MS * 1000000l};
        if (tries == RECONNECT_TRIES_MAX)
            return false;
        nanosleep(&pause, NULL);
    }
    live->backend->kill(live, old);
    return true;
}

/* Ends the sessions. Who waits in the server does not notice that its client has gone, and would keep its locks. */
static void end_sessions(struct live *live, bool has_control) {
    for (size_t i = 0; i < live->options.session_count; i++) {
        struct live_session *session = &live->sessions[i];
        if (has_control && session->handle != NULL &&
            (session->state != LIVE_IDLE || session->is_open))
            live->backend->kill(live, session->id);
        live->backend->disconnect(live, i);
    }
}

bool live_close(struct live *live, struct err *err) {
    if (live == NULL)
        return true;
    live->is_closing = true;
    struct err why;
    bool has_control = have_control(live, &why);
    end_sessions(live, has_control);
    bool is_clean = !live->has_place || (has_control && live->backend->drop_place(live, &why));
    if (!is_clean) {
        struct arena scratch = {0};
        struct str drop = live->backend->drop_text(live, &scratch);
        err_set(err, no_pos, "could not drop %.*s (%.120s); drop it with: %.*s",
                STR_ARG(live->place), why.message, STR_ARG(drop));
        arena_release(&scratch);
    }
    release(live);
    return is_clean;
}

enum live_kind live_kind(const struct live *live) {
    return live->kind;
}

const char *live_server(const struct live *live) {
    return live->server;
}

void live_version(const struct live *live, unsigned version[3]) {
    memcpy(version, live->version, sizeof(live->version));
}

bool live_make_place(struct live *live, struct str *name, struct err *err) {
    LW_ASSERT(!live->has_place);
    live->has_place = true; /* an interrupt leaves it open whether it was made */
    bool is_made = live->backend->make_place(live, err);
    live->has_place = is_made || live->is_lost;
    *name = live->place;
    return is_made;
}
