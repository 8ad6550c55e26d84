/* The verdict on every engine and level of each case and of each example: exact counts, what is to blame in
 * the witness, the serial outcomes. That tests/live saw the same on real servers is examples_test.py's part.
 */
#include "../support/corpus.h"
#include "explain/rules.h"
#include "verdict/policies.h"
#include "verdict/witness.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct judge_options all_schedules = {.all_schedules = true, .steps_max = 4000000};

static uint32_t rules_seen;

static void print_count(const char *what, uint64_t count, struct buf *out) {
    if (count > 0)
        buf_printf(out, ", %" PRIu64 " %s", count, what);
}

static void print_cell(const struct cell_verdict *cell, enum engine_kind engine, struct buf *out) {
    const struct counts *c = &cell->counts;
    buf_add_c(out, verdict_name(cell->verdict));
    if (cell->verdict == VERDICT_ERROR || cell->verdict == VERDICT_DEADLOCK)
        buf_printf(out, " %s", db_error_code(cell->error, engine));
    if (cell->has_failed_effects)
        buf_add_c(out, " after an effect");
    buf_printf(out, ": %" PRIu64 " schedules", c->schedules);
    print_count("wrong", c->wrong, out);
    print_count("serialization", c->serialization, out);
    print_count("deadlock", c->deadlock, out);
    print_count("timeout", c->timeout, out);
    print_count("unique", c->unique, out);
    print_count("waits", c->waits, out);
}

static void print_culprit(const struct run_setup *setup, const struct culprit *culprit,
                          struct buf *out) {
    buf_printf(out, "; %s", rule_code(culprit->rule));
    rules_seen |= 1u << culprit->rule;
    if (culprit->table < setup->schema->tables.count) {
        const struct table *table = setup->schema->tables.items[culprit->table];
        buf_printf(out, " %.*s", STR_ARG(table->name));
        for (size_t i = 0; i < culprit->columns.count; i++)
            buf_printf(out, "%c%.*s", i > 0 ? ',' : '.',
                       STR_ARG(table->columns.items[culprit->columns.items[i]].name));
    }
    buf_printf(out, " line %u", culprit->span.start.line);
    for (size_t i = 0; i < culprit->reads.count; i++)
        buf_printf(out, "%s%u", i > 0 ? ", " : " read in ", culprit->reads.items[i].start.line);
    if (culprit->other_at != NULL)
        buf_printf(out, " against %u", culprit->other_span.start.line);
}

static void print_witness(struct scenario *s, const struct run_setup *setup, int policy,
                          const struct cell_verdict *cell, struct buf *out) {
    struct witness witness;
    struct err err;
    buf_add_c(out, "; ");
    for (size_t i = 0; i < cell->witness.count; i++)
        buf_add_char(out, session_letter(cell->witness.sessions[i]));
    assert_true(witness_make(&s->arena, setup, &policy_info(policy)->config, &cell->witness,
                             &witness, &err));
    for (size_t i = 0; i < witness.culprits.count; i++)
        print_culprit(setup, &witness.culprits.items[i], out);
}

static void describe_policy(struct scenario *s, const struct run_setup *setup, int policy,
                            struct buf *out) {
    struct cell_verdict cell, reduced;
    struct err err;
    const struct judge_options plain = {0};
    const struct db_config *config = &policy_info(policy)->config;
    assert_true(judge_cell(&s->arena, setup, config, &all_schedules, &cell, &err));
    assert_true(judge_cell(&s->arena, setup, config, &plain, &reduced, &err));
    assert_true(cell.is_complete);
    assert_int_equal(cell.verdict, reduced.verdict);
    print_cell(&cell, config->engine, out);
    if (cell.verdict == VERDICT_LOST)
        print_witness(s, setup, policy, &cell, out);
}

static void describe_serial(struct scenario *s, const struct run_setup *setup, struct buf *out) {
    struct serial_texts serial = {0};
    struct err err;
    assert_true(judge_serial_texts(&s->arena, setup, &policy_info(0)->config, &serial, &err));
    for (size_t i = 0; i < serial.ends.count; i++)
        buf_printf(out, "serial: %.*s\n", STR_ARG(serial.ends.items[i].text));
}

/* A table in which one run stands for several servers says what each says by itself. */
static void assert_table_agrees(const struct run_setup *setup) {
    const struct policies defaults = {{0}};
    const struct judge_options options = {.no_early_end = true, .any_witness = true};
    struct cell_verdict table[POLICY_COUNT];
    judge_table(setup, &defaults, POLICIES_ALL, &options, table);
    for (int i = 0; i < POLICY_COUNT; i++) {
        struct arena scratch = {0};
        struct cell_verdict cell;
        struct err err;
        struct db_config config = policy_config(&defaults, (enum policy_id)i);
        assert_true(judge_cell(&scratch, setup, &config, &options, &cell, &err));
        assert_int_equal(cell.verdict, table[i].verdict);
        assert_int_equal(cell.error, table[i].error);
        assert_memory_equal(&cell.counts, &table[i].counts, sizeof(cell.counts));
        arena_release(&scratch);
    }
}

/* Each verdict once, below it the engines and levels that give it. */
static void describe_run(struct scenario *s, size_t run, struct buf *out) {
    struct run_setup setup;
    struct str lines[POLICY_COUNT];
    scenario_setup(s, run, 0, &setup);
    describe_serial(s, &setup, out);
    assert_table_agrees(&setup);
    for (int i = 0; i < POLICY_COUNT; i++) {
        struct buf line = {0};
        describe_policy(s, &setup, i, &line);
        lines[i] = str_dup(&s->arena, buf_str(&line));
        buf_release(&line);
    }
    for (int i = 0; i < POLICY_COUNT; i++) {
        if (lines[i].len == 0)
            continue;
        struct str line = lines[i];
        buf_printf(out, "%.*s\n", STR_ARG(line));
        for (int k = i; k < POLICY_COUNT; k++) {
            if (!str_equal(lines[k], line))
                continue;
            buf_printf(out, "    %s\n", policy_info(k)->heading);
            lines[k].len = 0;
        }
    }
}

static void describe(struct scenario *s, struct buf *out) {
    for (size_t i = 0; i < s->txn->runs.count; i++) {
        if (s->txn->runs.count > 1)
            buf_printf(out, "run %.*s\n", STR_ARG(s->txn->runs.items[i].name));
        describe_run(s, i, out);
    }
}

static void cases_are_as_expected(void **state) {
    (void)state;
    corpus_check("tests/verdict/cases", NULL, 1, describe);
}

static void examples_are_as_expected(void **state) {
    (void)state;
    corpus_check("examples/txn", "tests/verdict/examples", 1, describe);
}

/* LW008 and LW009 are no verdict's: tests/finding has them. */
static void every_rule_has_a_case(void **state) {
    uint32_t others = 1u << RULE_NEVER_SAVED | 1u << RULE_EFFECT_BEFORE_COMMIT;
    (void)state;
    assert_int_equal(rules_seen | others, (1u << RULE_COUNT) - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases_are_as_expected),
        cmocka_unit_test(examples_are_as_expected),
        cmocka_unit_test(every_rule_has_a_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
