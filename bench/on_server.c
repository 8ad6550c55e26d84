/* What a proof costs on a real server, and on the built-in engine: three sessions of the fifth bug with its lock behind
 * the read, at READ COMMITTED, where nothing is lost, so that every schedule has to be looked at. Needs a server:
 *
 *     bench_on_server URL     on_servers.py starts one
 *
 * Answers 1 if the built-in engine's proof is not a thousand times faster than all schedules on the server.
 */
#include "base/file.h"
#include "live/server.h"
#include "program/notation.h"
#include "verdict/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SESSIONS = 3, STEPS_MAX = 20000000, FASTER_MIN = 1000 };

static double seconds_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static _Noreturn void fail(struct err *err) {
    struct buf text = {0};
    err_print(err, &text);
    fputs(text.ptr, stderr);
    exit(2);
}

/* Seconds that judging takes. */
static double judge(const char *what, const struct run_setup *setup, const struct db_config *config,
                    const struct judge_options *options, struct cell_verdict *cell) {
    struct arena scratch = {0};
    struct err err;
    double began = seconds_now();
    if (!judge_cell(&scratch, setup, config, options, cell, &err))
        fail(&err);
    double took = seconds_now() - began;
    arena_release(&scratch);
    printf("%-36s %7llu schedules  %10.4f s  %s%s\n", what,
           (unsigned long long)cell->counts.schedules, took, verdict_name(cell->verdict),
           cell->is_complete ? "" : ", cut short");
    return took;
}

static void read_run(struct arena *arena, struct text_pool *pool, struct run_setup *setup) {
    const char *source = getenv("LOSTWRITE_SOURCE");
    struct txn_scenario *scenario;
    struct str text;
    struct err err;
    char path[4096];
    snprintf(path, sizeof(path), "%s/examples/txn/bug5_lock_after_read.txn",
             source != NULL ? source : ".");
    text_pool_init(pool, arena);
    if (!file_read(arena, path, &text, &err) ||
        !txn_parse(arena, pool, str_from_c(path), text, SQL_POSTGRESQL, &scenario, &err))
        fail(&err);
    const struct txn_run *run = &scenario->runs.items[0];
    *setup = (struct run_setup){.schema = &scenario->schema, .pool = pool,
                                .setup = scenario->setup.items,
                                .setup_count = scenario->setup.count,
                                .session_count = SESSIONS};
    for (size_t i = 0; i < SESSIONS; i++) {
        const struct txn_session *session = &run->sessions.items[i % run->sessions.count];
        setup->sessions[i] =
            (struct world_session){scenario->programs.items[session->program], session->args.items};
    }
}

static struct server *open_server(const char *url) {
    const struct live_options options = {.session_count = SESSIONS};
    struct live *live;
    struct str place;
    struct err err;
    if (!live_open(str_from_c(url), &options, &live, &err) ||
        !live_make_place(live, &place, &err))
        fail(&err);
    printf("%s\n", live_server(live));
    return server_new(live, SESSIONS);
}

int main(int argc, char **argv) {
    struct arena arena = {0};
    struct text_pool pool;
    struct run_setup setup;
    struct cell_verdict cell;
    struct err err;
    if (argc < 2) {
        printf("no server named: on_servers starts one\n");
        return 0;
    }
    read_run(&arena, &pool, &setup);
    struct server *server = open_server(argv[1]);
    struct db_config config = policy_info(POLICY_PG_RC)->config;
    config.engine = server_engine(server);
    config.autocommit_read_committed = config.engine == ENGINE_POSTGRESQL;
    const struct judge_options proof = {0};
    const struct judge_options all = {.all_schedules = true, .any_witness = true,
                                      .steps_max = STEPS_MAX};
    double fast = judge("built-in engine, the proof", &setup, &config, &proof, &cell);
    judge("built-in engine, every schedule", &setup, &config, &all, &cell);
    setup.server = server;
    double slow = judge("server, every schedule", &setup, &config, &all, &cell);
    printf("the server takes %.0f times as long; it differed in %llu schedules; in %llu one won a race that "
           "the built-in engine gives to another\n",
           slow / fast, (unsigned long long)cell.differing, (unsigned long long)cell.raced);
    if (!server_close(server, &err))
        fail(&err);
    arena_release(&arena);
    return slow < FASTER_MIN * fast;
}
