/* Findings as JSON, version 1 (docs/json.md). */
#include "report/json_out.h"

#include "engine/version.h"
#include "report/common.h"

static void put_place(struct json *j, struct txn_span span) {
    put_str(j, "path", span.path);
    put_number(j, "line", span.start.line);
}

void put_tool(struct json *j, const struct report *report) {
    put_number(j, "version", 1);
    key(j, "tool");
    open_in(j, '{');
    put_c(j, "name", "lostwrite");
    put_c(j, "version", report->version);
    close_in(j, '}');
}

void put_config(struct json *j, const struct db_config *config) {
    put_c(j, "engine", engine_name(config->engine));
    if (config->version != 0) {
        struct buf version = {0};
        version_print(config->engine, config->version, &version);
        put_str(j, "version", buf_str(&version));
        buf_release(&version);
    }
    put_c(j, "isolation", level_name(config));
}

void put_counts(struct json *j, const struct counts *counts) {
    key(j, "counts");
    open_in(j, '{');
    put_number(j, "schedules", counts->schedules);
    put_number(j, "wrong", counts->wrong);
    put_number(j, "serialization", counts->serialization);
    put_number(j, "deadlock", counts->deadlock);
    put_number(j, "timeout", counts->timeout);
    put_number(j, "unique", counts->unique);
    put_number(j, "waits", counts->waits);
    close_in(j, '}');
}

static void put_cells(struct json *j, const struct policies *policies,
                      const struct cell_verdict *cells, const bool *is_explored, bool has_counts) {
    key(j, "engines");
    open_in(j, '[');
    for (int i = 0; cells != NULL && i < POLICY_COUNT; i++) {
        struct db_config config = policy_config(policies, (enum policy_id)i);
        if (!policy_is_there(policies, (enum policy_id)i) ||
            (is_explored != NULL && !is_explored[i]))
            continue;
        item(j);
        open_in(j, '{');
        put_config(j, &config);
        put_c(j, "verdict", verdict_name(cells[i].verdict));
        put_c(j, "detail",
              cells[i].error != DB_OK_NO_ERROR ? db_error_code(cells[i].error, config.engine) : "");
        if (cells[i].has_failed_effects) {
            key(j, "effects_before_error");
            buf_add_c(j->out, "true");
        }
        if (has_counts)
            put_counts(j, &cells[i].counts);
        close_in(j, '}');
    }
    close_in(j, ']');
}

static void put_after(struct json *j, const struct witness_line *line) {
    char letter[2] = {session_letter(line->session), '\0'};
    item(j);
    open_in(j, '{');
    put_c(j, "session", letter);
    put_str(j, "text", line->text);
    put_str(j, "result", line->result);
    close_in(j, '}');
}

static void put_step(struct json *j, const struct witness_step *step) {
    const struct witness_line *main = &step->lines.items[step->main];
    char letter[2] = {session_letter(step->session), '\0'};
    item(j);
    open_in(j, '{');
    put_c(j, "session", letter);
    put_str(j, "sql", main->text);
    put_place(j, main->span);
    struct buf result = {0};
    line_result(main, &result);
    put_str(j, "result", buf_str(&result));
    buf_release(&result);
    key(j, "before");
    open_in(j, '[');
    for (size_t i = 0; i < step->main; i++) {
        item(j);
        buf_add_json(j->out, step->lines.items[i].text);
    }
    close_in(j, ']');
    key(j, "after");
    open_in(j, '[');
    for (size_t i = step->main + 1; i < step->lines.count; i++)
        put_after(j, &step->lines.items[i]);
    close_in(j, ']');
    close_in(j, '}');
}

void put_witness(struct json *j, const struct db_config *config,
                 const struct witness *witness, const struct serial_texts *serial) {
    key(j, "witness");
    open_in(j, '{');
    put_config(j, config);
    key(j, "steps");
    open_in(j, '[');
    for (size_t i = 0; i < witness->steps.count; i++)
        put_step(j, &witness->steps.items[i]);
    close_in(j, ']');
    put_str(j, "outcome", witness->outcome);
    key(j, "serial");
    open_in(j, '[');
    for (size_t i = 0; i < serial->ends.count; i++) {
        item(j);
        buf_add_json(j->out, serial->ends.items[i].text);
    }
    close_in(j, ']');
    close_in(j, '}');
}

static void put_judged(struct json *j, const char *name, const struct db_config *config,
                       const struct cell_verdict *cell, bool has_counts) {
    key(j, name);
    open_in(j, '{');
    put_c(j, "verdict", verdict_name(cell->verdict));
    put_c(j, "detail",
          cell->error != DB_OK_NO_ERROR ? db_error_code(cell->error, config->engine) : "");
    if (cell->has_failed_effects) {
        key(j, "effects_before_error");
        buf_add_c(j->out, "true");
    }
    if (has_counts)
        put_counts(j, &cell->counts);
    close_in(j, '}');
}

static void put_proof_cell(struct json *j, const struct proof_cell *cell) {
    static const char *const schedules[] = {[PROOF_ALL] = "all", [PROOF_WITNESS] = "witness",
                                            [PROOF_OTHER] = "other level's witness",
                                            [PROOF_TURNS] = "turns"};
    bool has_counts = cell->schedules == PROOF_ALL;
    open_in(j, '{');
    put_config(j, &cell->config);
    put_judged(j, "builtin", &cell->config, &cell->builtin, has_counts);
    put_judged(j, "server", &cell->config, &cell->server, has_counts);
    put_c(j, "schedules", schedules[cell->schedules]);
    key(j, "agrees");
    buf_add_c(j->out, cell->agrees ? "true" : "false");
    put_number(j, "differing_schedules", cell->server.differing);
    put_c(j, "first_difference", cell->server.difference);
    close_in(j, '}');
}

/* What the server did, level by level. */
static void put_proof(struct json *j, const char *server, const struct proof *proof) {
    key(j, "server");
    open_in(j, '{');
    put_c(j, "name", server);
    key(j, "levels");
    open_in(j, '[');
    for (int i = 0; i < POLICY_COUNT; i++) {
        if (!proof->cells[i].is_run)
            continue;
        item(j);
        put_proof_cell(j, &proof->cells[i]);
    }
    close_in(j, ']');
    put_number(j, "differences", proof_differences(proof));
    close_in(j, '}');
}

/* What a server said of a finding; `proved` NULL: none was asked. */
struct on_server {
    const char *name;
    const struct proved_finding *proved;
};

static void put_fixes(struct json *j, const struct policies *policies, struct on_server on,
                      const struct fixes *fixes) {
    key(j, "fixes");
    open_in(j, '[');
    for (size_t i = 0; i < fixes->items.count; i++) {
        const struct fix *fix = &fixes->items.items[i];
        item(j);
        open_in(j, '{');
        put_c(j, "kind", fix_kind_name(fix->kind));
        put_c(j, "verdict", fix_verdict_name(fix->verdict));
        put_cells(j, policies, fix->cells, fix->is_explored, false);
        if (on.proved != NULL && on.proved->proof != NULL)
            put_proof(j, on.name, &on.proved->fixes[i]);
        put_str(j, "text", fix->text);
        close_in(j, '}');
    }
    close_in(j, ']');
}

static void put_suppression(struct json *j, const struct suppression *suppression) {
    key(j, "suppression");
    open_in(j, '{');
    put_c(j, "kind", suppression->kind == SUPPRESSION_COMMENT ? "comment" : "baseline");
    put_place(j, suppression->span);
    put_number(j, "column", suppression->span.start.column);
    put_str(j, "reason", suppression->reason);
    close_in(j, '}');
}

static void put_writers(struct json *j, const struct finding *f) {
    key(j, "writers");
    open_in(j, '[');
    for (size_t i = 0; i < f->writers.count; i++) {
        item(j);
        open_in(j, '{');
        put_str(j, "symbol", f->writers.items[i].symbol);
        put_str(j, "root", f->writers.items[i].root);
        put_place(j, f->writers.items[i].span);
        close_in(j, '}');
    }
    close_in(j, ']');
}

static void put_finding(struct json *j, const struct policies *policies, struct on_server on,
                        const struct finding *f) {
    static const char *const scopes[] = {[SCOPE_AUTOCOMMIT] = "autocommit",
                                         [SCOPE_TRANSACTION] = "transaction",
                                         [SCOPE_MIXED] = "mixed"};
    item(j);
    open_in(j, '{');
    put_c(j, "code", rule_code(f->rule));
    put_c(j, "name", rule_name(f->rule));
    put_str(j, "id", f->id);
    put_place(j, f->span);
    put_number(j, "column", f->span.start.column);
    put_str(j, "symbol", f->symbol);
    put_str(j, "table", f->table);
    key(j, "columns");
    open_in(j, '[');
    for (size_t i = 0; i < f->columns.count; i++) {
        item(j);
        buf_add_json(j->out, f->columns.items[i]);
    }
    close_in(j, ']');
    put_str(j, "message", f->message);
    put_str(j, "entry", f->entry);
    put_str(j, "root", f->root);
    put_str(j, "assumption", f->assumption);
    put_str(j, "part_of", f->part_of);
    key(j, "reads");
    open_in(j, '[');
    for (size_t i = 0; i < f->reads.count; i++) {
        item(j);
        open_in(j, '{');
        put_place(j, f->reads.items[i]);
        close_in(j, '}');
    }
    close_in(j, ']');
    key(j, "other");
    if (f->session_count > 1) {
        open_in(j, '{');
        put_str(j, "symbol", f->other.symbol);
        put_str(j, "root", f->other.root);
        put_place(j, f->other.span);
        close_in(j, '}');
    } else {
        buf_add_c(j->out, "null");
    }
    put_writers(j, f);
    put_c(j, "scope", scopes[f->scope]);
    put_cells(j, policies, f->has_cells ? f->cells : NULL, NULL, false);
    if (on.proved != NULL && on.proved->proof != NULL)
        put_proof(j, on.name, on.proved->proof);
    if (f->has_witness) {
        put_witness(j, &f->witness_config, &f->witness, &f->serial);
    } else {
        key(j, "witness");
        buf_add_c(j->out, "null");
    }
    put_fixes(j, policies, on, &f->fixes);
    if (f->suppression.kind != SUPPRESSION_NONE)
        put_suppression(j, &f->suppression);
    close_in(j, '}');
}

/* Those that a comment or the baseline suppresses. */
static void put_suppressed(struct json *j, const struct policies *policies,
                           const struct findings *findings) {
    key(j, "suppressed");
    open_in(j, '[');
    for (size_t i = 0; i < findings->suppressed.count; i++)
        put_finding(j, policies, (struct on_server){0}, &findings->suppressed.items[i]);
    close_in(j, ']');
}

static void put_findings(struct json *j, const struct policies *policies,
                         const struct findings *findings) {
    key(j, "findings");
    open_in(j, '[');
    for (size_t i = 0; i < findings->items.count; i++)
        put_finding(j, policies, (struct on_server){0}, &findings->items.items[i]);
    close_in(j, ']');
}

static void put_remark(struct json *j, struct txn_span span, struct str text) {
    item(j);
    open_in(j, '{');
    put_place(j, span);
    put_number(j, "column", span.start.column);
    put_str(j, "text", text);
    close_in(j, '}');
}

static void put_notes(struct json *j, const struct report *report, bool errors) {
    key(j, errors ? "errors" : "not_modelled");
    open_in(j, '[');
    for (size_t i = 0; i < report->note_count; i++) {
        const struct report_note *note = &report->notes[i];
        if (note->is_error != errors)
            continue;
        put_remark(j, note->span, note->text);
    }
    close_in(j, ']');
}

static void put_warnings(struct json *j, const struct report *report) {
    key(j, "warnings");
    open_in(j, '[');
    for (size_t i = 0; i < report->warning_count; i++) {
        const struct report_warning *warning = &report->warnings[i];
        put_remark(j, warning->span, warning->text);
    }
    close_in(j, ']');
}

static void put_summary(struct json *j, const struct report *report) {
    const struct report_summary *s = &report->summary;
    key(j, "summary");
    open_in(j, '{');
    put_number(j, "findings", findings_count(report->findings));
    put_number(j, "files", s->file_count);
    put_number(j, "lines", s->line_count);
    put_number(j, "broken_files", s->broken_file_count);
    put_number(j, "orm_functions", s->function_count);
    put_number(j, "modelled_functions", s->modelled_count);
    put_number(j, "programs", s->program_count);
    put_number(j, "runs", s->run_count);
    put_number(j, "limits", s->limit_count);
    put_number(j, "admin_forms", s->summary_count);
    put_number(j, "skipped_pairs", s->skipped_count);
    put_number(j, "assumed", s->assumed_count);
    put_number(j, "suppressed_by_comments", s->comment_count);
    put_number(j, "known_to_baseline", s->baseline_count);
    put_number(j, "no_longer_found", s->stale_count);
    put_number(j, "unchanged", s->unchanged_count);
    close_in(j, '}');
}

void report_json(const struct report *report, struct buf *out) {
    struct json j = {.out = out};
    open_in(&j, '{');
    put_tool(&j, report);
    put_findings(&j, &report->policies, report->findings);
    put_suppressed(&j, &report->policies, report->findings);
    put_notes(&j, report, false);
    put_notes(&j, report, true);
    put_warnings(&j, report);
    put_summary(&j, report);
    close_in(&j, '}');
    buf_add_char(out, '\n');
}

static void put_run(struct json *j, const struct policies *policies,
                    const struct report_run *run) {
    put_str(j, "name", run->name);
    key(j, "sessions");
    open_in(j, '[');
    for (size_t i = 0; i < run->setup->session_count; i++) {
        item(j);
        buf_add_json(j->out, run->symbols[i]);
    }
    close_in(j, ']');
    put_cells(j, policies, run->cells, NULL, run->has_counts);
    if (run->proof != NULL)
        put_proof(j, run->server, run->proof);
    if (run->has_witness) {
        put_witness(j, &run->witness_config, &run->witness, &run->serial);
    } else {
        key(j, "witness");
        buf_add_c(j->out, "null");
    }
    put_findings(j, policies, run->findings);
}

void report_prove_json(const struct report *report, const struct report_run *runs, size_t run_count,
                       struct buf *out) {
    struct json j = {.out = out};
    open_in(&j, '{');
    put_tool(&j, report);
    if (run_count == 1)
        put_run(&j, &report->policies, &runs[0]);
    key(&j, "runs");
    open_in(&j, '[');
    for (size_t i = 0; run_count != 1 && i < run_count; i++) {
        item(&j);
        open_in(&j, '{');
        put_run(&j, &report->policies, &runs[i]);
        close_in(&j, '}');
    }
    close_in(&j, ']');
    close_in(&j, '}');
    buf_add_char(out, '\n');
}

void report_proved_json(const struct report *report, const char *server,
                        const struct proved_finding *proved, size_t count, struct buf *out) {
    struct json j = {.out = out};
    open_in(&j, '{');
    put_tool(&j, report);
    key(&j, "proved");
    open_in(&j, '[');
    for (size_t i = 0; i < count; i++)
        put_finding(&j, &report->policies, (struct on_server){server, &proved[i]},
                    proved[i].finding);
    close_in(&j, ']');
    close_in(&j, '}');
    buf_add_char(out, '\n');
}
