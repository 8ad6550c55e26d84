/* What a verdict says when it does not know all: LIMIT, never silence; and of any number of sessions. */
#include "../support/scenario.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char schema[] =
    "CREATE TABLE counter (id integer PRIMARY KEY, count integer NOT NULL);\n"
    "INSERT INTO counter (id, count) VALUES (1, 10);\n";

static const char lossy[] = "program f(id) {\n"
                            "    row c = SELECT id, count FROM counter WHERE id = :id;\n"
                            "    c.count = c.count + 1;\n"
                            "    save UPDATE counter SET count = :c.count WHERE id = :c.id;\n"
                            "}\n"
                            "run f(1) || f(1);\n";

static const char careful[] =
    "program f(id) { UPDATE counter SET count = count + 1 WHERE id = :id; }\n"
    "run f(1) || f(1);\n";

static struct cell_verdict judge_at(enum policy_id policy, const char *programs, size_t sessions,
                                    struct judge_options options) {
    struct scenario scenario;
    struct run_setup setup;
    struct cell_verdict cell;
    struct err err;
    char text[4096];
    snprintf(text, sizeof(text), "%s%s", schema, programs);
    scenario_read(&scenario, text);
    scenario_setup(&scenario, 0, sessions, &setup);
    assert_true(
        judge_cell(&scenario.arena, &setup, &policy_info(policy)->config, &options, &cell, &err));
    scenario_release(&scenario);
    return cell;
}

static struct cell_verdict judge(const char *programs, size_t sessions,
                                 struct judge_options options) {
    return judge_at(POLICY_PG_RC, programs, sessions, options);
}

static void enough_steps_are_complete(void **state) {
    (void)state;
    struct cell_verdict cell = judge(careful, 0, (struct judge_options){0});
    assert_int_equal(cell.verdict, VERDICT_OK);
    assert_true(cell.is_complete);
    assert_false(cell.has_witness);
    cell = judge(careful, 0, (struct judge_options){.all_schedules = true});
    assert_true(cell.is_complete);
    assert_int_equal(cell.counts.schedules, 2);
}

static void too_few_steps_are_a_limit(void **state) {
    (void)state;
    for (uint64_t steps = 1; steps <= 3; steps++) {
        struct judge_options options = {.all_schedules = true, .steps_max = steps};
        struct cell_verdict cell = judge(careful, 3, options);
        assert_int_equal(cell.verdict, VERDICT_LIMIT);
        assert_false(cell.is_complete);
    }
}

/* What was found before the limit stands. */
static void a_loss_within_the_limit_is_a_loss(void **state) {
    (void)state;
    struct judge_options options = {.all_schedules = true, .steps_max = 30};
    struct cell_verdict cell = judge(lossy, 4, options);
    assert_int_equal(cell.verdict, VERDICT_LOST);
    assert_false(cell.is_complete);
    assert_true(cell.has_witness);
}

/* 272 steps of one session are more than a schedule holds. */
static void a_long_schedule_is_a_limit(void **state) {
    static const char text[] = "program f(id) {\n"
                               "    repeat 16 { repeat 16 {\n"
                               "        UPDATE counter SET count = count + 1 WHERE id = :id;\n"
                               "    } }\n"
                               "    repeat 16 { UPDATE counter SET count = 1 WHERE id = :id; }\n"
                               "}\n"
                               "run f(1);\n";
    (void)state;
    struct cell_verdict cell = judge(text, 0, (struct judge_options){0});
    assert_int_equal(cell.verdict, VERDICT_LIMIT);
    assert_false(cell.is_complete);
}

/* 16 to the fifth rounds of nothing: a million steps without one that can be seen. */
static void host_code_without_end_is_a_limit(void **state) {
    static const char text[] =
        "program f(id) {\n"
        "    n = 0;\n"
        "    repeat 16 { repeat 16 { repeat 16 { repeat 16 { repeat 16 { n = n + 1; } } } } }\n"
        "    UPDATE counter SET count = :n WHERE id = :id;\n"
        "}\n"
        "run f(1) || f(1);\n";
    (void)state;
    struct cell_verdict cell = judge(text, 0, (struct judge_options){0});
    assert_int_equal(cell.verdict, VERDICT_LIMIT);
    assert_false(cell.is_complete);
}

/* n sessions of two steps: (2n)! / 2^n schedules, n! of them serial. */
static void sessions_over_again(void **state) {
    static const uint64_t schedules[] = {0, 1, 6, 90, 2520}, serial[] = {0, 1, 2, 6, 24};
    (void)state;
    for (size_t n = 1; n <= 4; n++) {
        struct judge_options options = {.all_schedules = true};
        struct cell_verdict cell = judge(lossy, n, options);
        assert_true(cell.is_complete);
        assert_int_equal(cell.counts.schedules, schedules[n]);
        assert_int_equal(cell.counts.wrong, schedules[n] - serial[n]);
        assert_int_equal(cell.verdict, n > 1 ? VERDICT_LOST : VERDICT_OK);
    }
}

/* Eight sessions: the search for the simplest loss ends soon, and says what it is. */
static void eight_sessions_lose(void **state) {
    (void)state;
    struct cell_verdict cell = judge(lossy, DB_SESSIONS_MAX, (struct judge_options){0});
    assert_int_equal(cell.verdict, VERDICT_LOST);
    assert_true(cell.has_witness);
    assert_int_equal(cell.witness.count, 2 * DB_SESSIONS_MAX);
}

static void orders_of_five(void **state) {
    (void)state;
    struct cell_verdict cell = judge(careful, 5, (struct judge_options){.all_schedules = true});
    assert_int_equal(cell.verdict, VERDICT_OK);
    assert_int_equal(cell.counts.schedules, 120);
}

/* Seven of eight fail, each before any one of its operations, in any order: too many ways to try them all. */
static void failures_of_many_sessions_are_a_limit(void **state) {
    static const char text[] = "program f(id) {\n"
                               "    atomic {\n"
                               "        row c = SELECT id, count FROM counter WHERE id = :id;\n"
                               "        UPDATE counter SET count = :c.count WHERE id = :id;\n"
                               "    }\n"
                               "}\n"
                               "run f(1) || f(1);\n";
    (void)state;
    struct cell_verdict cell =
        judge_at(POLICY_PG_SER, text, DB_SESSIONS_MAX, (struct judge_options){0});
    assert_int_equal(cell.verdict, VERDICT_LIMIT);
    assert_false(cell.is_complete);
    cell = judge_at(POLICY_PG_SER, text, 3, (struct judge_options){0});
    assert_int_equal(cell.verdict, VERDICT_ERROR);
    assert_true(cell.is_complete);
}

struct told {
    uint64_t deadlocks, others;
};

static void count_told(void *context, const struct schedule_end *end) {
    struct told *told = context;
    told->deadlocks += end->verdict == VERDICT_DEADLOCK && end->error == DB_ERROR_DEADLOCK;
    told->others += end->verdict == VERDICT_ERROR;
}

/* The first session comes too late while the others lock each other out: each schedule with a deadlock in it is told as
 * one, whichever session had what. */
static void a_deadlock_in_any_session_is_told(void **state) {
    static const char text[] = "INSERT INTO counter (id, count) VALUES (2, 10);\n"
                               "program late() {\n"
                               "    atomic {\n"
                               "        value n = SELECT count FROM counter WHERE id = 1;\n"
                               "        UPDATE counter SET count = count + 1 WHERE id = 2;\n"
                               "    }\n"
                               "}\n"
                               "program both(a, b) {\n"
                               "    atomic {\n"
                               "        UPDATE counter SET count = count + 1 WHERE id = :a;\n"
                               "        UPDATE counter SET count = count + 1 WHERE id = :b;\n"
                               "    }\n"
                               "}\n"
                               "run late() || both(1, 2) || both(2, 1);\n";
    (void)state;
    struct told told = {0};
    struct judge_options options = {
        .all_schedules = true, .on_schedule = count_told, .context = &told};
    struct cell_verdict cell = judge_at(POLICY_PG_RR, text, 0, options);
    assert_int_equal(cell.verdict, VERDICT_DEADLOCK);
    assert_int_equal(cell.counts.wrong, 0);
    assert_true(cell.counts.serialization > 0);
    assert_true(told.others > 0);
    assert_int_equal(told.deadlocks, cell.counts.deadlock);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(enough_steps_are_complete),
        cmocka_unit_test(too_few_steps_are_a_limit),
        cmocka_unit_test(a_loss_within_the_limit_is_a_loss),
        cmocka_unit_test(a_long_schedule_is_a_limit),
        cmocka_unit_test(host_code_without_end_is_a_limit),
        cmocka_unit_test(sessions_over_again),
        cmocka_unit_test(eight_sessions_lose),
        cmocka_unit_test(orders_of_five),
        cmocka_unit_test(failures_of_many_sessions_are_a_limit),
        cmocka_unit_test(a_deadlock_in_any_session_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
