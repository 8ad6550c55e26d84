/* What `prove --compare` tells, as JSON (docs/json.md). */
#include "report/compare.h"
#include "report/json_out.h"

static void put_bool(struct json *j, const char *name, bool value) {
    key(j, name);
    buf_add_c(j->out, value ? "true" : "false");
}

static void put_cell(struct json *j, const struct compare_run *run, const struct compare_cell *cell,
                     const struct compare_end *end) {
    bool has_error = cell->cell.error != DB_OK_NO_ERROR;
    open_in(j, '{');
    put_config(j, &cell->config);
    put_bool(j, "default", cell->is_default);
    put_c(j, "verdict", verdict_name(cell->cell.verdict));
    put_c(j, "detail", has_error ? db_error_code(cell->cell.error, cell->config.engine) : "");
    if (cell->cell.has_failed_effects)
        put_bool(j, "effects_before_error", true);
    if (run->has_counts)
        put_counts(j, &cell->cell.counts);
    if (end != NULL) {
        put_witness(j, &cell->config, &end->witness, &end->serial);
    } else {
        key(j, "witness");
        buf_add_c(j->out, "null");
    }
    close_in(j, '}');
}

static void put_pair(struct json *j, const struct compare_run *run, size_t move,
                     const struct compare_pair *pair) {
    const struct compare_cell *from = &run->sides[move].cells[pair->from],
                              *to = &run->sides[move + 1].cells[pair->to];
    struct buf words = {0};
    compare_words(run, move, pair, &words);
    item(j);
    open_in(j, '{');
    put_bool(j, "changes", compare_differs(run, from, to));
    put_str(j, "text", buf_str(&words));
    key(j, "from");
    put_cell(j, run, from, pair->has_ends ? &pair->from_end : NULL);
    key(j, "to");
    put_cell(j, run, to, pair->has_ends ? &pair->to_end : NULL);
    close_in(j, '}');
    buf_release(&words);
}

static void put_run(struct json *j, const struct compare_run *run) {
    item(j);
    open_in(j, '{');
    put_str(j, "name", run->name);
    key(j, "sessions");
    open_in(j, '[');
    for (size_t i = 0; i < run->setup->session_count; i++) {
        item(j);
        buf_add_json(j->out, run->symbols[i]);
    }
    close_in(j, ']');
    key(j, "pairs");
    open_in(j, '[');
    for (size_t move = 0; move + 1 < run->side_count; move++)
        for (size_t i = 0; i < run->moves[move].pair_count; i++)
            put_pair(j, run, move, &run->moves[move].pairs[i]);
    close_in(j, ']');
    close_in(j, '}');
}

void report_compare_json(const struct report *report, const struct compare_run *runs,
                         size_t run_count, struct buf *out) {
    struct json j = {.out = out};
    open_in(&j, '{');
    put_tool(&j, report);
    key(&j, "compared");
    open_in(&j, '[');
    for (size_t i = 0; i < run_count; i++)
        put_run(&j, &runs[i]);
    close_in(&j, ']');
    close_in(&j, '}');
    buf_add_char(out, '\n');
}
