#include "cli/on_server.h"

#include "live/interrupt.h"
#include "live/live.h"
#include "report/report.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static const struct pos nowhere = {0, 0};
static const int end_signals[] = {SIGINT, SIGTERM, SIGHUP};

static bool open_live(struct on_server *on, size_t session_count, struct live **live,
                      struct err *err) {
    struct live_options options = {.session_count = session_count};
    if (live_open(on->url, &options, live, err))
        return true;
    struct err why = *err;
    return err_set(err, nowhere, "%.*s: %s", STR_ARG(on->shown), why.message);
}

static void on_signal(int number) {
    (void)number;
    live_interrupt();
}

static void catch_signals(bool catches) {
    struct sigaction action = {0};
    action.sa_handler = catches ? on_signal : SIG_DFL;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof(end_signals) / sizeof(end_signals[0]); i++)
        sigaction(end_signals[i], &action, NULL);
}

static bool find(struct arena *arena, struct str url, struct target *target, struct on_server *on,
                 struct err *err) {
    struct live *live;
    unsigned version[3];
    *on = (struct on_server){.url = url, .shown = live_url_shown(arena, url)};
    if (!open_live(on, 1, &live, err))
        return false;
    live_version(live, version);
    on->name = str_dup(arena, str_from_c(live_server(live)));
    switch (live_kind(live)) {
    case LIVE_POSTGRESQL:
        on->engine = ENGINE_POSTGRESQL;
        on->version = version[0] * 10000 + version[1];
        break;
    case LIVE_MYSQL:
        on->engine = ENGINE_MYSQL;
        break;
    case LIVE_MARIADB:
        on->engine = ENGINE_MARIADB;
        break;
    case LIVE_SQLITE:
        on->engine = ENGINE_SQLITE;
        break;
    }
    if (on->engine != ENGINE_POSTGRESQL)
        on->version = version[0] * 10000 + version[1] * 100 + version[2];
    if (!live_close(live, err))
        return false;
    if (target->has_engine && target->engine != on->engine)
        return err_set(err, nowhere, "--on: the server is %.*s, not %s", STR_ARG(on->name),
                       engine_name(target->engine));
    target->has_engine = true;
    target->engine = on->engine;
    target->version = on->version;
    return true;
}

bool on_server_find(struct arena *arena, struct str url, struct target *target,
                    struct on_server *on, struct err *err) {
    catch_signals(true); /* SQLite makes its file as it is opened */
    bool ok = find(arena, url, target, on, err);
    catch_signals(false);
    return ok && live_was_interrupted() ? err_set(err, nowhere, "interrupted") : ok;
}

bool on_server_open(struct on_server *on, size_t session_count, struct err *err) {
    static const char *const places[] = {[LIVE_POSTGRESQL] = "a schema", [LIVE_MYSQL] = "a database",
                                         [LIVE_MARIADB] = "a database", [LIVE_SQLITE] = "a file"};
    struct live *live;
    struct str name;
    catch_signals(true);
    if (!open_live(on, session_count, &live, err)) {
        catch_signals(false);
        return false;
    }
    fprintf(stderr, "lostwrite: making %s of its own at %.*s (%.*s), with the tables and rows of the "
            "run; it is dropped at the end, and nothing else is touched\n",
            places[live_kind(live)], STR_ARG(on->shown), STR_ARG(on->name));
    progress_begin(&on->progress);
    if (live_make_place(live, &name, err)) {
        fprintf(stderr, "lostwrite: it is %.*s\n", STR_ARG(name));
        on->server = server_new(live, session_count);
        return true;
    }
    struct err ignored;
    live_close(live, &ignored);
    catch_signals(false);
    return false;
}

bool on_server_close(struct on_server *on, struct err *err) {
    if (on->server == NULL)
        return true;
    progress_end(&on->progress);
    bool ok = server_close(on->server, err);
    on->server = NULL;
    catch_signals(false);
    return ok;
}

void on_server_progress(void *context, enum policy_id policy, uint64_t schedule_count) {
    struct on_server *on = context;
    progress_show(&on->progress, "%.*s, %s: %llu schedule%s", STR_ARG(on->name),
                  level_name(&policy_info(policy)->config), (unsigned long long)schedule_count,
                  schedule_count == 1 ? "" : "s");
}
