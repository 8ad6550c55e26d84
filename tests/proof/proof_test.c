/* A run on a server that is a built-in engine behind SQL texts: what comes of it is what that engine gives, whatever
 * the shadow thinks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fake_live.h"
#include "../support/scenario.h"
#include "verdict/proof.h"

#include <dirent.h>
#include <stdlib.h>

enum { FILES_MAX = 64, SCHEDULES_MAX = 200 };

static bool counts_equal(const struct counts *a, const struct counts *b) {
    return memcmp(a, b, sizeof(*a)) == 0;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t example_files(char *names[FILES_MAX]) {
    DIR *folder = opendir("examples/txn");
    size_t count = 0;
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL && count < FILES_MAX;)
        if (str_ends(str_from_c(entry->d_name), ".txn"))
            names[count++] = strdup(entry->d_name);
    closedir(folder);
    qsort(names, count, sizeof(*names), compare_names);
    assert_true(count > 20);
    return count;
}

static bool is_small(struct run_setup *setup, const struct db_config *config) {
    struct judge_options options = {.all_schedules = true};
    struct cell_verdict cell;
    struct arena scratch = {0};
    struct err err;
    assert_true(judge_cell(&scratch, setup, config, &options, &cell, &err));
    arena_release(&scratch);
    return cell.counts.schedules <= SCHEDULES_MAX;
}

/* Judges on a fake server that passes for the config's engine and is played by `player`. */
static void judge_fake(const struct run_setup *on, const struct db_config *config,
                       const struct db_config *player, const struct judge_options *options,
                       struct cell_verdict *cell) {
    static const enum live_kind kinds[] = {[ENGINE_POSTGRESQL] = LIVE_POSTGRESQL,
                                           [ENGINE_MYSQL] = LIVE_MYSQL,
                                           [ENGINE_MARIADB] = LIVE_MARIADB,
                                           [ENGINE_SQLITE] = LIVE_SQLITE};
    struct run_setup setup = *on;
    struct arena scratch = {0};
    struct err err;
    struct live *live = fake_open(kinds[config->engine], player, setup.session_count);
    setup.server = server_new(live, setup.session_count);
    if (!judge_cell(&scratch, &setup, config, options, cell, &err))
        fail_msg("%s", err.message);
    assert_true(fake_statement_count(live) > 0);
    assert_true(server_close(setup.server, &err));
    arena_release(&scratch);
}

/* The server does as the engine: counts, verdicts, and no difference, in each level of PostgreSQL and MariaDB. */
static void same_file(const char *name) {
    struct scenario scenario;
    struct arena scratch = {0};
    struct err err;
    struct judge_options options = {.all_schedules = true, .any_witness = true};
    char path[300];
    snprintf(path, sizeof(path), "examples/txn/%s", name);
    scenario_load(&scenario, path);
    for (int policy = 0; policy < POLICY_COUNT; policy++) {
        const struct db_config *config = &policy_info((enum policy_id)policy)->config;
        struct run_setup setup;
        struct cell_verdict want, have;
        scenario_setup(&scenario, 0, 0, &setup);
        if (config->engine == ENGINE_SQLITE || !is_small(&setup, config))
            continue;
        assert_true(judge_cell(&scratch, &setup, config, &options, &want, &err));
        judge_fake(&setup, config, config, &options, &have);
        if (have.differing > 0)
            fail_msg("%s, %s: %s", name, policy_info((enum policy_id)policy)->heading,
                     have.difference);
        if (have.verdict != want.verdict || have.error != want.error ||
            !counts_equal(&have.counts, &want.counts))
            fail_msg("%s, %s: other counts", name, policy_info((enum policy_id)policy)->heading);
        assert_true(have.is_complete);
    }
    arena_release(&scratch);
    scenario_release(&scenario);
}

static void test_a_server_that_agrees(void **state) {
    char *names[FILES_MAX];
    size_t count = example_files(names);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        same_file(names[i]);
        free(names[i]);
    }
}

/* Where the server is another engine in disguise, the counts are that engine's. */
static void other_file(const char *path, enum policy_id passes_for, enum policy_id plays,
                       bool shows) {
    struct scenario scenario;
    struct run_setup setup;
    struct arena scratch = {0};
    struct err err;
    struct cell_verdict want, have;
    struct judge_options options = {.all_schedules = true, .any_witness = true};
    const struct db_config *player = &policy_info(plays)->config;
    scenario_load(&scenario, path);
    scenario_setup(&scenario, 0, 0, &setup);
    assert_true(judge_cell(&scratch, &setup, player, &options, &want, &err));
    judge_fake(&setup, &policy_info(passes_for)->config, player, &options, &have);
    assert_int_equal(have.verdict, want.verdict);
    assert_int_equal(have.counts.schedules, want.counts.schedules);
    assert_int_equal(have.counts.wrong, want.counts.wrong);
    assert_int_equal(have.counts.waits, want.counts.waits);
    assert_int_equal(have.counts.deadlock, want.counts.deadlock);
    assert_true((have.differing > 0) == shows);
    assert_true((have.difference[0] != '\0') == shows);
    arena_release(&scratch);
    scenario_release(&scenario);
}

static void test_a_server_that_differs(void **state) {
    (void)state;
    other_file("examples/txn/bug3_atomic.txn", POLICY_PG_RR, POLICY_MYSQL_RR, true);
    other_file("examples/txn/bug4_check_then_act.txn", POLICY_PG_RR, POLICY_MYSQL_RR, true);
    other_file("examples/txn/bug5_stale_total_no_fk.txn", POLICY_PG_RR, POLICY_MYSQL_RR, true);
    other_file("examples/txn/bug6_late_lock.txn", POLICY_PG_RR, POLICY_MYSQL_RR, true);
    other_file("examples/txn/bug3_atomic.txn", POLICY_MARIADB_RR_SI, POLICY_MARIADB_RR, true);
    other_file("examples/txn/bug3_read_modify_write.txn", POLICY_PG_RR, POLICY_MYSQL_RR, false);
}

/* One schedule: that of the built-in engine's witness; the server's cell is the same, and so it is for every example. */
static void test_one_schedule_a_level(void **state) {
    struct scenario scenario;
    struct run_setup setup;
    struct arena scratch = {0};
    struct err err;
    struct proof proof;
    struct proof_options options = {.policies = 1u << POLICY_PG_RC | 1u << POLICY_PG_RR};
    const struct db_config *player = &policy_info(POLICY_PG_RR)->config;
    (void)state;
    scenario_load(&scenario, "examples/txn/bug4_check_then_act.txn");
    scenario_setup(&scenario, 0, 0, &setup);
    struct server *server =
        server_new(fake_open(LIVE_POSTGRESQL, player, setup.session_count), setup.session_count);
    assert_true(proof_begin(&scratch, &setup, &options, NULL, &proof, &err));
    assert_true(proof_on_server(&scratch, &setup, server, &options, &proof, &err));
    assert_false(proof.cells[POLICY_PG_SER].is_run);
    assert_false(proof.cells[POLICY_MYSQL_RR].is_run);
    for (int i = POLICY_PG_RC; i <= POLICY_PG_RR; i++) {
        const struct proof_cell *cell = &proof.cells[i];
        assert_true(cell->is_run && cell->agrees);
        assert_int_equal(cell->schedules, PROOF_WITNESS);
        assert_int_equal(cell->server.verdict, cell->builtin.verdict);
        assert_int_equal(cell->server.error, cell->builtin.error);
        assert_true(cell->server.has_failed_effects == cell->builtin.has_failed_effects);
        assert_int_equal(cell->server.counts.schedules, 1);
    }
    assert_true(proof.cells[POLICY_PG_RR].server.has_failed_effects);
    assert_int_equal(proof_differences(&proof), 0);
    assert_true(server_close(server, &err));
    arena_release(&scratch);
    scenario_release(&scenario);
}

/* However early the server goes, the answer is its error. */
static void test_a_server_that_is_lost(void **state) {
    struct scenario scenario;
    struct run_setup setup;
    const struct db_config *config = &policy_info(POLICY_PG_RC)->config;
    struct judge_options options = {.all_schedules = true, .any_witness = true};
    (void)state;
    scenario_load(&scenario, "examples/txn/bug4_check_then_act.txn");
    for (unsigned count = 1; count < 120; count++) {
        struct arena scratch = {0};
        struct err err = {0}, again = {0};
        struct cell_verdict cell;
        struct live *live = fake_open(LIVE_POSTGRESQL, config, 2);
        scenario_setup(&scenario, 0, 0, &setup);
        setup.server = server_new(live, 2);
        fake_break_after(live, count);
        assert_false(judge_cell(&scratch, &setup, config, &options, &cell, &err));
        assert_string_equal(err.message, "the server is gone");
        assert_false(judge_cell(&scratch, &setup, config, &options, &cell, &again));
        assert_string_equal(again.message, "the server is gone");
        assert_true(server_close(setup.server, &err));
        arena_release(&scratch);
    }
    scenario_release(&scenario);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_server_that_agrees),
        cmocka_unit_test(test_a_server_that_differs),
        cmocka_unit_test(test_one_schedule_a_level),
        cmocka_unit_test(test_a_server_that_is_lost),
    };
    return cmocka_run_group_tests_name("proof", tests, NULL, NULL);
}
