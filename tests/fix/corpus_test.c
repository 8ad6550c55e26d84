/* The repairs of the first mistake of each case: what each made of the program, what the search says of it on every
 * engine and level. */
#include "../support/corpus.h"
#include "fix/fix.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Whose verdict is the fix's own: MySQL's default, which loses most. */
static const enum policy_id chosen = POLICY_MYSQL_RR;

static void print_lines(struct str text, struct buf *out) {
    for (size_t at = 0, end; at < text.len; at = end + 1) {
        end = str_find(text, '\n', at);
        buf_printf(out, "    | %.*s\n", STR_ARG(str_sub(text, at, end)));
    }
}

static void print_programs(const struct run_setup *setup, const struct fix *fix, struct buf *out) {
    for (size_t i = 0; i < setup->session_count; i++) {
        struct buf text = {0};
        bool is_new = fix->programs[i] != NULL && fix->programs[i] != setup->sessions[i].program;
        bool is_same_again = i > 0 && setup->sessions[i].program == setup->sessions[0].program;
        if (!is_new || is_same_again)
            continue;
        txn_print_program(fix->programs[i], setup->pool, SQL_POSTGRESQL, &text);
        print_lines(buf_str(&text), out);
        buf_release(&text);
    }
}

/* The engines and levels that are not simply fine. */
static void print_cells(const struct fix *fix, struct buf *out) {
    for (int i = 0; i < POLICY_COUNT; i++) {
        const struct cell_verdict *cell = &fix->cells[i];
        if (!fix->is_explored[i] || cell->verdict == VERDICT_OK)
            continue;
        buf_printf(out, "    %s: %s", policy_info(i)->heading, verdict_name(cell->verdict));
        if (cell->verdict == VERDICT_ERROR || cell->verdict == VERDICT_DEADLOCK)
            buf_printf(out, " %s", db_error_code(cell->error, policy_info(i)->config.engine));
        buf_add_c(out, "\n");
    }
}

static void print_fix(const struct run_setup *setup, const struct fix *fix, struct buf *out) {
    buf_printf(out, "%s %s: %.*s\n", fix_verdict_name(fix->verdict), fix_kind_name(fix->kind),
               STR_ARG(fix->text));
    print_cells(fix, out);
    print_programs(setup, fix, out);
}

static void check_order(const struct fixes *fixes) {
    for (size_t i = 1; i < fixes->items.count; i++)
        assert_true(fixes->items.items[i].verdict != FIX_SAFE ||
                    fixes->items.items[i - 1].verdict == FIX_SAFE);
}

static void describe(struct scenario *s, struct buf *out) {
    const struct db_config *config = &policy_info(chosen)->config;
    const struct judge_options plain = {0};
    const struct fix_options options = {.config = config};
    struct run_setup setup;
    struct cell_verdict cell;
    struct witness witness;
    struct fixes fixes = {0};
    struct arena scratch = {0};
    struct err err;
    scenario_setup(s, 0, 0, &setup);
    assert_true(judge_cell(&s->arena, &setup, config, &plain, &cell, &err));
    assert_int_equal(cell.verdict, VERDICT_LOST);
    assert_true(witness_make(&s->arena, &setup, config, &cell.witness, &witness, &err));
    assert_true(witness.culprits.count > 0);
    const struct culprit *culprit = &witness.culprits.items[0];
    buf_printf(out, "%s line %u\n", rule_code(culprit->rule), culprit->span.start.line);
    assert_true(fix_try_all(&s->arena, &scratch, &setup, culprit, &options, &fixes, &err));
    check_order(&fixes);
    for (size_t i = 0; i < fixes.items.count; i++)
        print_fix(&setup, &fixes.items.items[i], out);
    arena_release(&scratch);
}

static void repairs_are_as_expected(void **state) {
    (void)state;
    corpus_check("tests/fix/cases", NULL, 1, describe);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(repairs_are_as_expected)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
