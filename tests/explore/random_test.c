/* The search against brute force, on random programs and on those kept from earlier disagreements, on every engine
 * and level. A disagreement is made as small as it goes and printed as a .txn file; it belongs into cases/.
 *
 *     LOSTWRITE_PROGRAMS=10000 LOSTWRITE_SEED=1 build/tests/explore_random_test      the long run
 *
 * Without LOSTWRITE_PROGRAMS a share of it, in seconds.
 */
#include "../support/scenario.h"
#include "agree.h"
#include "base/file.h"
#include "generate.h"
#include "shrink.h"

#include <dirent.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { PROGRAMS = 200, ENDS_MAX = 1000, CASE_ENDS_MAX = 20000 };

static struct agree_stats stats;

static unsigned long number_from(const char *name, unsigned long otherwise) {
    const char *text = getenv(name);
    return text != NULL ? strtoul(text, NULL, 10) : otherwise;
}

struct shown {
    enum policy_id policy;
    struct buf what;
};

/* Whether the text is a run on whose ending search and brute force don't agree. */
static bool disagrees(void *context, struct str text) {
    struct shown *shown = context;
    struct scenario scenario;
    struct run_setup setup;
    struct agree_stats ignored = {0};
    struct err err;
    if (!scenario_try(&scenario, text, &err))
        return false;
    bool does = false;
    if (scenario.txn->runs.count == 1) {
        scenario_setup(&scenario, 0, 0, &setup);
        does = !agree(&setup, shown->policy, CASE_ENDS_MAX, &ignored, &shown->what);
    }
    scenario_release(&scenario);
    return does;
}

static void report(struct str text, enum policy_id policy, const char *name) {
    struct buf small = {0};
    struct shown shown = {.policy = policy};
    buf_add(&small, text);
    shrink(&small, disagrees, &shown);
    disagrees(&shown, buf_str(&small)); /* for its words */
    print_error("%s on %s:\n%s\n%s\n", name, policy_info(policy)->heading, shown.what.ptr,
                small.ptr);
    buf_release(&small);
    buf_release(&shown.what);
}

/* Holds the run of `text` against brute force on every engine and level. 0 if it can't be read, or is too large for
 * one of them. */
static int check_text(struct str text, size_t ends_max, const char *name, int *wrong) {
    struct scenario scenario;
    struct run_setup setup;
    struct buf what = {0};
    struct err err;
    uint64_t had = stats.too_large;
    if (!scenario_try(&scenario, text, &err))
        return 0;
    scenario_setup(&scenario, 0, 0, &setup);
    for (int policy = 0; policy < POLICY_COUNT; policy++) {
        if (agree(&setup, (enum policy_id)policy, ends_max, &stats, &what))
            continue;
        report(text, (enum policy_id)policy, name);
        ++*wrong;
        break;
    }
    buf_release(&what);
    scenario_release(&scenario);
    return stats.too_large == had;
}

static void random_programs_agree(void **state) {
    unsigned long wanted = number_from("LOSTWRITE_PROGRAMS", PROGRAMS), done = 0, drawn = 0;
    unsigned long seed = number_from("LOSTWRITE_SEED", 1);
    int wrong = 0;
    (void)state;
    stats = (struct agree_stats){0};
    for (; done < wanted && wrong < 10; drawn++, seed++) {
        struct buf text = {0};
        char name[32];
        snprintf(name, sizeof(name), "seed %lu", seed);
        generate(seed, &text);
        done += (unsigned long)check_text(buf_str(&text), ENDS_MAX, name, &wrong);
        buf_release(&text);
        assert_true(drawn < 20 * wanted + 100);
    }
    print_message("%lu programs (of %lu drawn), %" PRIu64 " cells (%" PRIu64 " too large, %" PRIu64
                  " at a limit): %" PRIu64 " ok, %" PRIu64 " lost, %" PRIu64 " error, %" PRIu64
                  " deadlock\n",
                  done, drawn, stats.cells, stats.too_large, stats.limited,
                  stats.verdicts[VERDICT_OK], stats.verdicts[VERDICT_LOST],
                  stats.verdicts[VERDICT_ERROR], stats.verdicts[VERDICT_DEADLOCK]);
    print_message("%" PRIu64 " schedules, %" PRIu64 " run with reduction; %" PRIu64
                  " with a wait, %" PRIu64 " with a duplicate key, %" PRIu64 " with a timeout\n",
                  stats.schedules, stats.reduced_schedules, stats.waits, stats.unique,
                  stats.timeouts);
    assert_int_equal(wrong, 0);
    /* The programs are worth running: every verdict comes up, and reduction has something to leave out. */
    for (int i = 0; i < VERDICT_LIMIT; i++)
        assert_true(stats.verdicts[i] > stats.cells / 100);
    assert_true(stats.reduced_schedules < stats.schedules * 9 / 10);
    assert_true(stats.waits > 0 && stats.unique > 0 && stats.timeouts > 0);
}

static void kept_cases_agree(void **state) {
    static const char folder[] = "tests/explore/cases";
    struct dirent *entry;
    int wrong = 0, count = 0;
    DIR *dir = opendir(folder);
    (void)state;
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        struct arena arena = {0};
        struct str text;
        struct err err;
        char path[512];
        if (!str_ends(str_from_c(entry->d_name), ".txn"))
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        assert_true(file_read(&arena, path, &text, &err));
        assert_int_equal(check_text(text, CASE_ENDS_MAX, path, &wrong), 1);
        arena_release(&arena);
        count++;
    }
    closedir(dir);
    assert_true(count > 0);
    assert_int_equal(wrong, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kept_cases_agree),
        cmocka_unit_test(random_programs_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
