/* What is found in programs that come without rows and arguments: each alone, beside itself, and beside the others. */
#include "../support/corpus.h"
#include "finding/finding.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static uint32_t rules_seen;

static void print_places(const char *what, const struct txn_span *spans, size_t count,
                         struct buf *out) {
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%s %u", i > 0 ? "," : what, spans[i].start.line);
}

static void print_cells(const struct finding *finding, struct buf *out) {
    for (int verdict = VERDICT_OK; verdict <= VERDICT_LIMIT; verdict++) {
        size_t count = 0;
        for (int i = 0; i < POLICY_COUNT; i++)
            if (finding->cells[i].verdict == (enum verdict)verdict)
                buf_printf(out, "%s%s", count++ > 0 ? "; " : "\n    ", policy_info(i)->heading);
        if (count > 0)
            buf_printf(out, ": %s", verdict_name((enum verdict)verdict));
    }
}

static void print_finding(const struct finding *finding, struct buf *out) {
    static const char *const scopes[] = {"autocommit", "transaction", "mixed"};
    rules_seen |= 1u << finding->rule;
    buf_printf(out, "%s %.*s line %u: %.*s", rule_code(finding->rule), STR_ARG(finding->symbol),
               finding->span.start.line, STR_ARG(finding->table));
    for (size_t i = 0; i < finding->columns.count; i++)
        buf_printf(out, "%c%.*s", i > 0 ? ',' : '.', STR_ARG(finding->columns.items[i]));
    print_places("; read in", finding->reads.items, finding->reads.count, out);
    if (finding->other.span.start.line > 0)
        buf_printf(out, "; against %.*s line %u", STR_ARG(finding->other.symbol),
                   finding->other.span.start.line);
    if (finding->has_cells) {
        buf_printf(out, "; %s", scopes[finding->scope]);
        print_cells(finding, out);
    }
    buf_add_c(out, "\n");
}

/* A finding is never a mere pattern match: where a schedule is needed, one is there, and it is lost somewhere. */
static void check_proof(const struct finding *finding) {
    bool is_lost = finding->rule == RULE_EFFECT_BEFORE_COMMIT;
    assert_int_equal(finding->has_cells, finding->has_witness);
    for (int i = 0; finding->has_cells && i < POLICY_COUNT; i++)
        is_lost |= finding->cells[i].verdict == VERDICT_LOST;
    assert_true(is_lost || !finding->has_cells);
    assert_true(!finding->has_witness || finding->witness.steps.count > 0);
    assert_true(finding->message.len > 0);
}

static void describe(struct scenario *s, struct buf *out) {
    const struct txn_scenario *txn = s->txn;
    struct find_options options = {.config_count = 2, .no_fixes = true};
    struct findings findings = {0};
    struct find_stats stats;
    struct subject *subjects = ARENA_ARRAY(&s->arena, struct subject, txn->programs.count);
    options.configs[0] = policy_info(POLICY_PG_RC)->config;
    options.configs[1] = policy_info(POLICY_MYSQL_RR)->config;
    for (size_t i = 0; i < txn->programs.count; i++)
        subjects[i] = (struct subject){.program = txn->programs.items[i],
                                       .symbol = txn->programs.items[i]->name,
                                       .has_code = true};
    find_all(&s->arena, &txn->schema, &s->pool, subjects, txn->programs.count, &options, &findings,
             &stats);
    for (size_t i = 0; i < findings.items.count; i++) {
        check_proof(&findings.items.items[i]);
        print_finding(&findings.items.items[i], out);
    }
    if (stats.limit_count > 0)
        buf_printf(out, "%zu at a limit\n", stats.limit_count);
    if (stats.unexplained.count > 0)
        buf_printf(out, "%u not explained\n", stats.unexplained.count);
    if (out->len == 0)
        buf_add_c(out, "nothing\n");
}

static void findings_are_as_expected(void **state) {
    (void)state;
    corpus_check("tests/finding/cases", NULL, 1, describe);
}

static void every_rule_is_found(void **state) {
    (void)state;
    assert_int_equal(rules_seen, (1u << RULE_COUNT) - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(findings_are_as_expected),
        cmocka_unit_test(every_rule_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
