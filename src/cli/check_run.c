#include "cli/check_options.h"
#include "cli/clause.h"
#include "cli/pipeline.h"
#include "cli/project_run.h"
#include "cli/scope.h"
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

enum cli_exit check_run(const struct check_options *options) {
    struct arena *arena = options->arena;
    struct text_pool pool;
    struct django_project *project;
    struct scope scope;
    struct err err;
    text_pool_init(&pool, arena);
    if (!project_load(arena, &pool, options->paths, options->path_count, &options->files, &scope, &project, &err))
        return pipeline_print_error(&err);
    if (options->shows_files)
        return print_files(options, project, &scope);
    struct find_options find = {.rules = options->rules,
                                .symbol_of = project_symbol,
                                .symbol_context = project,
                                .effect_kind = project_effect_kind};
    target_configs(&options->target, &project->settings, &find);
    size_t count;
    struct subject *subjects = project_subjects(arena, &pool, project, target_dialect(&find), &count);
    struct findings findings = {0};
    struct find_stats stats = {0};
    find_all(arena, &project->schema, &pool, subjects, count, &find, &findings, &stats);
    struct report report = {.findings = &findings,
                            .policies = find.policies,
                            .root = current_folder(arena),
                            .is_verbose = options->is_verbose,
                            .is_quiet = options->is_quiet,
                            .is_colored = color_wanted(options->color, stdout),
                            .width = terminal_width(stdout)};
    report_on_project(arena, project, &pool, &scope, &report);
    if (!triage_run(options, project, &scope, &findings, &report, &err))
        return pipeline_print_error(&err);
    findings_rank(&findings);
    report.summary.program_count = count;
    report_on_search(arena, &stats, &report);
    report_clauses(arena, subjects, count, &find.configs[0], &scope, &report);
    struct buf out = {0};
    if (options->write_baseline != NULL) {
        size_t written = findings.items.count;
        buf_printf(&out, "%s: %zu finding%s\n", options->write_baseline, written,
                   written == 1 ? "" : "s");
        return pipeline_print(&out, CLI_CLEAN);
    }
    print_report(options, &report, &out);
    if (report.summary.broken_file_count > 0 && findings.items.count == 0)
        return pipeline_print(&out, CLI_ERROR);
    bool is_clean = findings.items.count == 0 || options->exit_zero;
    return pipeline_print(&out, is_clean ? CLI_CLEAN : CLI_FINDINGS);
}
