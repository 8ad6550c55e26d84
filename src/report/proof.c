/* What a real server did, level by level, beside the built-in engine. */
#include "report/proof.h"

#include "base/assert.h"
#include "report/common.h"
#include "report/layout.h"
#include "report/table.h"

enum { CELL_WIDTH = 12, LEVEL_WIDTH = 22 };

static void put_padded(const struct report *report, enum style style, struct str text, size_t width,
                       struct buf *out) {
    put_styled(report, style, text, out);
    buf_add_repeat(out, ' ', text.len < width ? width - text.len : 1);
}

static void put_cell(const struct report *report, const struct cell_verdict *cell,
                     enum engine_kind engine, struct buf *out) {
    struct buf text = {0};
    cell_print(cell, engine, &text);
    put_padded(report, cell_style(cell), buf_str(&text), CELL_WIDTH, out);
    buf_release(&text);
}

static void put_schedules(const struct proof_cell *cell, struct buf *out) {
    switch (cell->schedules) {
    case PROOF_ALL:
        buf_printf(out, "all %llu", (unsigned long long)cell->server.counts.schedules);
        return;
    case PROOF_WITNESS:
        buf_add_c(out, cell->builtin.verdict == VERDICT_LOST ? "the witness" : "one that ends so");
        return;
    case PROOF_OTHER:
        buf_printf(out, "the one of %s", level_name(&policy_info(cell->other)->config));
        return;
    case PROOF_TURNS:
        buf_add_c(out, "turn by turn");
        return;
    }
}

static void put_level_line(const struct report *report, const struct proof_cell *cell,
                      struct buf *out) {
    buf_add_c(out, "  ");
    put_padded(report, STYLE_PLAIN, str_from_c(level_name(&cell->config)), LEVEL_WIDTH, out);
    put_cell(report, &cell->builtin, cell->config.engine, out);
    put_cell(report, &cell->server, cell->config.engine, out);
    put_schedules(cell, out);
    if (!cell->server.is_complete && cell->schedules == PROOF_ALL)
        buf_add_c(out, ", LIMIT");
    if (!cell->agrees)
        put_styled(report, STYLE_RED, STR("  <- differs"), out);
    buf_add_char(out, '\n');
}

static void put_differences(const struct report *report, const struct proof *proof,
                            struct buf *out) {
    uint64_t count = proof_differences(proof);
    const struct proof_cell *first = NULL;
    if (count == 0)
        return;
    for (int i = POLICY_COUNT - 1; i >= 0; i--)
        if (proof->cells[i].is_run && proof->cells[i].server.differing > 0)
            first = &proof->cells[i];
    struct buf text = {0};
    buf_printf(&text, "In %llu schedule%s, serial orders among them, the server did other than the "
               "built-in engine; the first, at %s: %s",
               (unsigned long long)count, count == 1 ? "" : "s", level_name(&first->config),
               first->server.difference);
    put_wrapped(out, buf_str(&text), 2, 2, report_width(report));
    buf_release(&text);
}

void proof_print(const struct report *report, const char *server, const struct proof *proof,
                 struct buf *out) {
    buf_add_c(out, "\n  ");
    put_styled(report, STYLE_BOLD, str_from_c(server), out);
    buf_add_c(out, " beside the built-in engine:\n");
    buf_add_repeat(out, ' ', LEVEL_WIDTH + 2);
    buf_printf(out, "%-*s%-*s%s\n", CELL_WIDTH, "built-in", CELL_WIDTH, "server", "schedules run");
    for (int i = 0; i < POLICY_COUNT; i++)
        if (proof->cells[i].is_run)
            put_level_line(report, &proof->cells[i], out);
    put_differences(report, proof, out);
}

static void put_counts(const char *who, const struct db_config *config,
                       const struct cell_verdict *cell, struct buf *out) {
    const struct counts *c = &cell->counts;
    buf_printf(out, "  %-11s%-24s%10llu%10llu%8llu%10llu%9llu%8llu%8llu%s\n", who,
               level_name(config), (unsigned long long)c->schedules, (unsigned long long)c->wrong,
               (unsigned long long)c->serialization, (unsigned long long)c->deadlock,
               (unsigned long long)c->timeout, (unsigned long long)c->unique,
               (unsigned long long)c->waits, cell->is_complete ? "" : "  LIMIT");
}

void proof_print_counts(const struct proof *proof, struct buf *out) {
    buf_printf(out, "  %-35s%10s%10s%8s%10s%9s%8s%8s\n", "every schedule", "schedules", "wrong",
               "serial.", "deadlock", "timeout", "unique", "waits");
    for (int i = 0; i < POLICY_COUNT; i++) {
        const struct proof_cell *cell = &proof->cells[i];
        if (!cell->is_run)
            continue;
        put_counts("built-in", &cell->config, &cell->builtin, out);
        put_counts("server", &cell->config, &cell->server, out);
    }
}
