/* How long a verdict takes: each scenario of the files on every built-in engine and level, with reduction and
 * without, in CPU time; how many schedules were run; and the ratio of the two.
 *
 *     bench_scenarios FILE.txn...     the six bugs if none is named, from the source folder in $LOSTWRITE_SOURCE
 */
#include "base/assert.h"
#include "base/file.h"
#include "program/notation.h"
#include "verdict/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char *const six_bugs[] = {
    "bug1_aliased_objects", "bug2_stale_save",  "bug3_read_modify_write",
    "bug4_check_then_act",  "bug5_stale_total", "bug6_late_lock",
};

struct cost {
    double seconds;
    uint64_t schedules;
    size_t limits;
};

static double seconds_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static _Noreturn void fail(struct err *err) {
    struct buf text = {0};
    err_print(err, &text);
    fputs(text.ptr, stderr);
    exit(2);
}

static struct cost judge_everywhere(const struct run_setup *setup,
                                    const struct judge_options *options) {
    struct cost cost = {0};
    double began = seconds_now();
    for (int i = 0; i < POLICY_COUNT; i++) {
        struct arena scratch = {0};
        struct cell_verdict cell;
        struct err err;
        if (!judge_cell(&scratch, setup, &policy_info(i)->config, options, &cell, &err))
            fail(&err);
        cost.schedules += cell.counts.schedules;
        cost.limits += cell.verdict == VERDICT_LIMIT;
        arena_release(&scratch);
    }
    cost.seconds = seconds_now() - began;
    return cost;
}

static void print_cost(const char *name, struct cost cost) {
    printf("  %s %8.2f ms %7llu schedules %9.0f/s", name, cost.seconds * 1e3,
           (unsigned long long)cost.schedules, (double)cost.schedules / cost.seconds);
    if (cost.limits > 0)
        printf(" (%zu cut short)", cost.limits);
}

/* Adds the file's time with and without reduction to `total`, and the time of a plain verdict. */
static void bench_file(const char *path, double total[3]) {
    struct arena arena = {0};
    struct text_pool pool;
    struct str text;
    struct err err;
    struct txn_scenario *scenario;
    text_pool_init(&pool, &arena);
    if (!file_read(&arena, path, &text, &err) ||
        !txn_parse(&arena, &pool, str_from_c(path), text, SQL_POSTGRESQL, &scenario, &err))
        fail(&err);
    for (size_t i = 0; i < scenario->runs.count; i++) {
        const struct txn_run *run = &scenario->runs.items[i];
        struct run_setup setup = {.schema = &scenario->schema,
                                  .pool = &pool,
                                  .setup = scenario->setup.items,
                                  .setup_count = scenario->setup.count,
                                  .session_count = run->sessions.count};
        for (size_t k = 0; k < run->sessions.count; k++)
            setup.sessions[k] =
                (struct world_session){scenario->programs.items[run->sessions.items[k].program],
                                       run->sessions.items[k].args.items};
        const struct judge_options verdict = {0};
        struct cost plain = judge_everywhere(&setup, &verdict);
        /* To the end, so that both run all they have to. */
        const struct judge_options reduced = {.no_early_end = true};
        const struct judge_options all = {.all_schedules = true, .steps_max = 20000000};
        struct cost fast = judge_everywhere(&setup, &reduced);
        struct cost slow = judge_everywhere(&setup, &all);
        const char *base = strrchr(path, '/');
        printf("%-28.*s verdict %6.2f ms", (int)strcspn(base + 1, "."), base + 1,
               plain.seconds * 1e3);
        print_cost(" reduced", fast);
        print_cost(" all", slow);
        printf("  %.1fx\n", slow.seconds / fast.seconds);
        total[0] += plain.seconds;
        total[1] += fast.seconds;
        total[2] += slow.seconds;
    }
    arena_release(&arena);
}

int main(int argc, char **argv) {
    double total[3] = {0};
    const char *source = getenv("LOSTWRITE_SOURCE");
    for (int i = 1; i < argc; i++)
        bench_file(argv[i], total);
    for (size_t i = 0; argc == 1 && i < LW_COUNT_OF(six_bugs); i++) {
        char path[4096];
        snprintf(path, sizeof(path), "%s/examples/txn/%s.txn", source != NULL ? source : ".",
                 six_bugs[i]);
        bench_file(path, total);
    }
    printf("all on %d engines and levels: verdict %.1f ms, reduced %.1f ms, all %.1f ms of CPU\n",
           POLICY_COUNT, total[0] * 1e3, total[1] * 1e3, total[2] * 1e3);
    return 0;
}
