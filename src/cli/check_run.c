#include "cli/check_diff.h"
#include "cli/clause.h"
#include "cli/triage_run.h"

/* Where the version that was asked for would not understand a program. */
static void report_clauses(struct arena *arena, const struct subject *subjects, size_t count,
                           const struct db_config *config, struct scope *scope,
                           struct report *report) {
    struct report_note *notes = ARENA_ARRAY(arena, struct report_note, report->note_count + count);
    if (report->note_count > 0)
        memcpy(notes, report->notes, report->note_count * sizeof(*notes));
    for (size_t i = 0; i < count; i++) {
        struct report_note note = {0};
        if (clause_find(arena, subjects[i].program, config, &note.span, &note.text) &&
            scope_has(scope, note.span.path))
            notes[report->note_count++] = note;
    }
    report->notes = notes;
}

static void print_report(const struct check_options *options, const struct report *report,
                         struct buf *out) {
    if (options->has_statistics && options->format == CHECK_JSON) {
        report_statistics_json(report, out);
        return;
    }
    if (options->has_statistics) {
        report_statistics_text(report, out);
        return;
    }
    switch (options->format) {
    case CHECK_TEXT:
        report_text(report, out);
        return;
    case CHECK_JSON:
        report_json(report, out);
        return;
    case CHECK_CONCISE:
        report_concise(report, out);
        return;
    case CHECK_SARIF:
        report_sarif(report, out);
        return;
    case CHECK_GITHUB:
        report_github(report, out);
        return;
    case CHECK_GITLAB:
        report_gitlab(report, out);
        return;
    }
}

static enum cli_exit print_files(const struct check_options *options,
                                 const struct django_project *project, struct scope *scope) {
    struct buf out = {0};
    struct str *paths;
    size_t count = django_files(options->arena, project, &paths);
    for (size_t i = 0; i < count; i++)
        if (scope_has(scope, paths[i]))
            buf_printf(&out, "%.*s\n", STR_ARG(paths[i]));
    return pipeline_print(&out, CLI_CLEAN);
}

static enum cli_exit report_run(const struct check_options *options, struct check_pass *pass,
                                struct report *report) {
    struct arena *arena = options->arena;
    struct buf out = {0};
    size_t count = pass->findings.items.count;
    report->summary.program_count = pass->subject_count;
    report_on_search(arena, &pass->stats, report);
    report_clauses(arena, pass->subjects, pass->subject_count, &pass->find.configs[0], &pass->scope,
                   report);
    if (options->write_baseline != NULL) {
        buf_printf(&out, "%s: %zu finding%s\n", options->write_baseline, count,
                   count == 1 ? "" : "s");
        return pipeline_print(&out, CLI_CLEAN);
    }
    print_report(options, report, &out);
    if (report->summary.broken_file_count > 0 && count == 0)
        return pipeline_print(&out, CLI_ERROR);
    return pipeline_print(&out, count == 0 || options->exit_zero ? CLI_CLEAN : CLI_FINDINGS);
}

static struct findings copy_of(struct arena *arena, const struct findings *findings) {
    struct findings copy = {0};
    for (size_t i = 0; i < findings->items.count; i++)
        VEC_PUSH(arena, &copy.items, findings->items.items[i]);
    return copy;
}

enum cli_exit check_run(const struct check_options *options) {
    struct arena *arena = options->arena;
    struct check_pass pass;
    struct err err;
    if (!check_pass_load(arena, options, &pass, &err))
        return pipeline_print_error(&err);
    if (options->shows_files)
        return print_files(options, pass.project, &pass.scope);
    check_pass_search(arena, options, false, &pass);
    struct findings all = copy_of(arena, &pass.findings);
    struct report report = {.findings = &pass.findings,
                            .policies = pass.find.policies,
                            .root = current_folder(arena),
                            .is_verbose = options->is_verbose,
                            .is_quiet = options->is_quiet,
                            .is_colored = color_wanted(options->color, stdout),
                            .width = terminal_width(stdout)};
    report_on_project(arena, pass.project, &pass.pool, &pass.scope, &report);
    if (!triage_run(options, pass.project, &pass.scope, &pass.findings, &report, &err))
        return pipeline_print_error(&err);
    findings_rank(&pass.findings);
    findings_group(arena, &pass.findings);
    return options->is_diff ? check_diff(options, &pass, &all)
                            : report_run(options, &pass, &report);
}
