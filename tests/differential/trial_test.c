/* What the comparison with servers stands on: a trial hangs on its numbers alone, all of it is modelled, differences are
 * seen and named, the search for a serial order finds both what has one and what has none, and shrinking keeps what matters.
 */
#include "base/assert.h"
#include "builtin.h"
#include "shrink.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { CASES = 300, SEED = 7 };

static const char *const policies[] = {
    "postgresql read committed", "postgresql repeatable read", "postgresql serializable",
    "mariadb read committed",    "mariadb repeatable read",    "mariadb serializable",
    "mysql repeatable read",
};

static void print_trial(const char *policy, uint64_t number, bool is_wide, struct buf *out) {
    struct world world;
    struct trial trial;
    const struct policy_under_test *under_test = policy_find(policy);
    assert_non_null(under_test);
    trial_world(&world, under_test->config.engine, SEED, number);
    trial_make(&trial, &world, under_test, SEED, number, is_wide);
    trial_print(&trial, out);
    trial_release(&trial);
    world_release(&world);
}

static void test_hangs_on_numbers(void **state) {
    (void)state;
    struct buf a = {0}, b = {0};
    for (uint64_t number = 0; number < 100; number++) {
        buf_clear(&a);
        bool is_wide = number % 2 == 1;
        print_trial("postgresql read committed", number, is_wide, &a);
        assert_false(str_equal(buf_str(&a), buf_str(&b)));
        buf_clear(&b);
        print_trial("postgresql read committed", number, is_wide, &b);
        assert_true(str_equal(buf_str(&a), buf_str(&b)));
    }
    buf_release(&a);
    buf_release(&b);
}

struct tally {
    size_t waits, failures, checked, not_serializable;
};

/* Plays one trial on the built-in engine. */
static void play_one(const struct policy_under_test *policy, uint64_t number, bool is_wide,
                     struct tally *tally) {
    struct world world;
    struct trial trial;
    struct builtin builtin;
    struct script script;
    struct err err;
    trial_world(&world, policy->config.engine, SEED, number);
    trial_make(&trial, &world, policy, SEED, number, is_wide);
    if (!builtin_open(&builtin, &world, policy, &err) ||
        !builtin_play(&builtin, &trial, &script, &err))
        fail_msg("%s: case %d: %s", policy->name, (int)number, err.message);
    if (script.not_modelled.len > 0)
        fail_msg("%s: case %d: %.*s", policy->name, (int)number, STR_ARG(script.not_modelled));
    tally->waits += script.wait_count;
    for (size_t i = 0; i < script.lines.count; i++)
        tally->failures += script.lines.items[i].answer.kind == ANSWER_FAILED;
    bool is_known = false;
    if (!trial.is_mixed) {
        bool is_serializable = builtin_is_serializable(&builtin, &script, &is_known);
        tally->checked += is_known;
        tally->not_serializable += is_known && !is_serializable;
    }
    builtin_close(&builtin);
    trial_release(&trial);
    world_release(&world);
}

static void test_all_is_modelled(void **state) {
    (void)state;
    for (size_t i = 0; i < LW_COUNT_OF(policies); i++) {
        const struct policy_under_test *policy = policy_find(policies[i]);
        struct tally tally = {0};
        for (uint64_t number = 0; number < CASES; number++)
            play_one(policy, number, number % 2 == 1, &tally);
        print_message("%s: %d waits, %d failures, %d of %d not serializable\n", policy->name,
                      (int)tally.waits, (int)tally.failures, (int)tally.not_serializable,
                      (int)tally.checked);
        assert_true(tally.waits > CASES / 10 && tally.failures > CASES / 10);
        assert_true(tally.checked > CASES / 3);
        if (policy->config.isolation != SQL_SERIALIZABLE)
            assert_true(tally.not_serializable > 0);
        else if (policy->config.engine == ENGINE_POSTGRESQL)
            assert_int_equal(tally.not_serializable, 0);
    }
}

static void test_differences(void **state) {
    (void)state;
    struct script_line line = {.answer = {.kind = ANSWER_ROWS, .rows = STR("[('1',)]")}};
    struct answer other = line.answer, fails = {.kind = ANSWER_FAILED, .code = "23505"};
    struct answer serialization = {.kind = ANSWER_FAILED, .code = "40001"};
    struct answer waits = {.kind = ANSWER_WAITS, .blockers = 2}, done = {.affected = 1};
    assert_int_equal(answer_compare(&line, &other, SQL_SERIALIZABLE), DIFFERENCE_NONE);
    other.rows = STR("[]");
    assert_int_equal(answer_compare(&line, &other, SQL_SERIALIZABLE), DIFFERENCE_ROWS);
    line.is_final = true;
    assert_int_equal(answer_compare(&line, &other, SQL_SERIALIZABLE), DIFFERENCE_FINAL_ROWS);
    assert_int_equal(answer_compare(&line, &fails, SQL_SERIALIZABLE), DIFFERENCE_ERROR);
    assert_int_equal(answer_compare(&line, &waits, SQL_SERIALIZABLE), DIFFERENCE_WAIT);
    assert_int_equal(answer_compare(&line, &serialization, SQL_SERIALIZABLE), DIFFERENCE_SSI);
    assert_int_equal(answer_compare(&line, &serialization, SQL_REPEATABLE_READ), DIFFERENCE_ERROR);
    line.answer = fails;
    assert_int_equal(answer_compare(&line, &fails, SQL_SERIALIZABLE), DIFFERENCE_NONE);
    assert_int_equal(answer_compare(&line, &serialization, SQL_SERIALIZABLE), DIFFERENCE_SSI);
    line.answer = waits;
    waits.blockers = 4;
    assert_int_equal(answer_compare(&line, &waits, SQL_SERIALIZABLE), DIFFERENCE_BLOCKERS);
    waits.blockers = 0; /* the server did not say */
    assert_int_equal(answer_compare(&line, &waits, SQL_SERIALIZABLE), DIFFERENCE_NONE);
    line.answer = done;
    done.affected = 2;
    assert_int_equal(answer_compare(&line, &done, SQL_SERIALIZABLE), DIFFERENCE_COUNT);
    line.answer.affected = 2;
    assert_int_equal(answer_compare(&line, &done, SQL_SERIALIZABLE), DIFFERENCE_NONE);
    done.rolled_back = true;
    assert_int_equal(answer_compare(&line, &done, SQL_SERIALIZABLE), DIFFERENCE_COUNT);
}

static void test_rows_without_order(void **state) {
    (void)state;
    struct arena arena = {0};
    struct str cells[] = {STR("2"), {0}, STR("1"), STR("x")};
    assert_true(str_is(rows_shown(&arena, cells, 2, 2, true), "[('2', None), ('1', 'x')]"));
    assert_true(str_is(rows_shown(&arena, cells, 2, 2, false), "[('1', 'x'), ('2', None)]"));
    assert_true(str_is(rows_shown(&arena, cells, 1, 1, true), "[('2',)]"));
    assert_true(str_is(rows_shown(&arena, cells, 0, 1, true), "[]"));
    assert_true(sql_is_ordered(STR("select 1 order by id")));
    assert_false(sql_is_ordered(STR("select 1 from border by_")));
    arena_release(&arena);
}

static bool has_deletes(void *context, struct trial *trial) {
    size_t count = 0;
    bool has_row = false;
    (void)context;
    for (size_t i = 0; i < trial->steps.count; i++)
        count += sql_is(trial->steps.items[i].sql, "delete") && trial->steps.items[i].session == 1;
    for (size_t at = 0; at + 3 < trial->rows.items[0].len; at++)
        has_row = has_row || memcmp(trial->rows.items[0].ptr + at, "(2, ", 4) == 0;
    return count >= 2 && has_row;
}

static void test_shrink(void **state) {
    (void)state;
    struct world world;
    struct trial trial;
    const struct policy_under_test *policy = policy_find("postgresql read committed");
    trial_world(&world, ENGINE_POSTGRESQL, SEED, 0);
    trial_make(&trial, &world, policy, SEED, 0, false);
    trial.rows.items[0] = STR("insert into t values (1, 5), (2, 6), (3, 7)");
    for (size_t i = 0; i < 3; i++)
        VEC_PUSH(&trial.arena, &trial.steps, (struct trial_step){1, STR("delete from t")});
    assert_true(has_deletes(NULL, &trial));
    trial_shrink(&trial, has_deletes, NULL);
    assert_int_equal(trial.steps.count, 2);
    assert_true(str_is(trial.rows.items[0], "insert into t values (2, 6)"));
    trial_release(&trial);
    world_release(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hangs_on_numbers),  cmocka_unit_test(test_all_is_modelled),
        cmocka_unit_test(test_differences),       cmocka_unit_test(test_rows_without_order),
        cmocka_unit_test(test_shrink),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
