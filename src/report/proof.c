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

/* A finding and its fixes: one line each, one column a level. */

enum { LABEL_WIDTH = 28, COLUMN_WIDTH_MIN = 12 };

static struct str half_of(const char *level, bool is_first) {
    struct str name = str_from_c(level);
    size_t blank = str_find(name, ' ', 0);
    if (is_first)
        return str_sub(name, 0, blank);
    return blank < name.len ? str_sub(name, blank + 1, name.len) : (struct str){0};
}

static size_t column_width(const struct proof_cell *cell) {
    size_t first = half_of(level_name(&cell->config), true).len;
    size_t second = half_of(level_name(&cell->config), false).len;
    size_t width = (first > second ? first : second) + 2;
    return width > COLUMN_WIDTH_MIN ? width : COLUMN_WIDTH_MIN;
}

static void put_level_headings(const struct report *report, const struct proof *proof,
                               struct buf *out) {
    bool has_second = false;
    for (int i = 0; i < POLICY_COUNT; i++)
        has_second |= proof->cells[i].is_run && half_of(level_name(&proof->cells[i].config), false).len > 0;
    for (int half = 0; half < 1 + has_second; half++) {
        buf_add_repeat(out, ' ', LABEL_WIDTH);
        for (int i = 0; i < POLICY_COUNT; i++)
            if (proof->cells[i].is_run)
                put_padded(report, STYLE_BOLD,
                           half_of(level_name(&proof->cells[i].config), half == 0),
                           column_width(&proof->cells[i]), out);
        while (out->len > 0 && out->ptr[out->len - 1] == ' ')
            out->ptr[--out->len] = '\0';
        buf_add_char(out, '\n');
    }
}

/* The server's word, and in brackets the built-in engine's where it is another. */
static void put_both(const struct report *report, const struct proof_cell *cell, size_t width,
                     struct buf *out) {
    struct buf text = {0}, mine = {0};
    cell_print(&cell->server, cell->config.engine, &text);
    cell_print(&cell->builtin, cell->config.engine, &mine);
    if (!str_equal(buf_str(&text), buf_str(&mine)))
        buf_printf(&text, " (%s)", mine.ptr);
    put_padded(report, cell_style(&cell->server), buf_str(&text), width, out);
    buf_release(&text);
    buf_release(&mine);
}

static void put_line(const struct report *report, const char *label, const struct proof *head,
                     const struct proof *proof, struct buf *out) {
    buf_printf(out, "  %-*s", LABEL_WIDTH - 2, label);
    for (int i = 0; i < POLICY_COUNT; i++) {
        if (!head->cells[i].is_run)
            continue;
        if (proof->cells[i].is_run)
            put_both(report, &proof->cells[i], column_width(&head->cells[i]), out);
        else
            put_padded(report, STYLE_PLAIN, STR("-"), column_width(&head->cells[i]), out);
    }
    while (out->len > 0 && out->ptr[out->len - 1] == ' ')
        out->ptr[--out->len] = '\0';
    buf_add_char(out, '\n');
}

static void put_proved(const struct report *report, const char *server,
                       const struct proved_finding *proved, struct buf *out) {
    const struct fixes *fixes = &proved->finding->fixes;
    buf_add_c(out, "  ");
    put_styled(report, STYLE_BOLD, str_from_c(server), out);
    bool is_all = false;
    for (int i = 0; i < POLICY_COUNT; i++)
        is_all |= proved->proof->cells[i].is_run && proved->proof->cells[i].schedules == PROOF_ALL;
    buf_add_c(out, is_all ? ", every schedule:\n" : ", one schedule a cell:\n");
    put_level_headings(report, proved->proof, out);
    put_line(report, "as it is", proved->proof, proved->proof, out);
    for (size_t i = 0; i < fixes->items.count; i++)
        put_line(report, fix_kind_name(fixes->items.items[i].kind), proved->proof,
                 &proved->fixes[i], out);
    buf_add_c(out, style(report, STYLE_DIM));
    if (!is_all)
        put_wrapped(out, STR("the schedule that shows the built-in engine's cell, and where it is ok one that is wrong at "
                             "another level; in brackets what the built-in engine says of all schedules, where that "
                             "is something else"),
                    2, 2, report_width(report));
    buf_add_c(out, style(report, STYLE_PLAIN));
    put_differences(report, proved->proof, out);
    for (size_t i = 0; i < fixes->items.count; i++)
        put_differences(report, &proved->fixes[i], out);
    buf_add_char(out, '\n');
}

void report_proved_text(const struct report *report, const char *server,
                        const struct proved_finding *proved, size_t count, struct buf *out) {
    for (size_t i = 0; i < count; i++) {
        finding_print(report, proved[i].finding, out);
        if (proved[i].proof != NULL)
            put_proved(report, server, &proved[i], out);
    }
}
