#include "cli/triage_run.h"

#include "base/file.h"
#include "triage/changes.h"

#include <sys/stat.h>

static const char *folder_of(struct arena *arena, struct str file) {
    size_t len = file.len;
    while (len > 0 && file.ptr[len - 1] != '/')
        len--;
    return len > 0 ? str_to_c(arena, str_sub(file, 0, len)) : ".";
}

static const struct py_module *module_of(void *project, struct str path) {
    return django_module(project, path);
}

/* Whoever asks about a part of the project gets the findings of that part, though all of it was looked at. */
static void keep_asked_for(struct findings *findings, struct scope *scope) {
    size_t kept = 0;
    for (size_t i = 0; i < findings->items.count; i++)
        if (scope_has(scope, findings->items.items[i].span.path))
            findings->items.items[kept++] = findings->items.items[i];
    findings->items.count = kept;
    kept = 0;
    for (size_t i = 0; i < findings->suppressed.count; i++)
        if (scope_has(scope, findings->suppressed.items[i].span.path))
            findings->suppressed.items[kept++] = findings->suppressed.items[i];
    findings->suppressed.count = kept;
}

static struct str full_path_of(void *project, struct str path) {
    return django_full_path(project, path);
}

static void report_on_triage(const struct triage *triage, struct scope *scope,
                             struct findings *findings, struct report *report) {
    struct report_warning *warnings =
        ARENA_ARRAY(triage->arena, struct report_warning, triage->warnings.count);
    size_t count = 0;
    for (size_t i = 0; i < triage->warnings.count; i++) {
        const struct triage_warning *w = &triage->warnings.items[i];
        if (w->is_detail || scope_has(scope, w->span.path))
            warnings[count++] = (struct report_warning){w->span, w->text, w->is_detail};
    }
    report->warnings = warnings;
    report->warning_count = count;
    for (size_t i = 0; i < findings->suppressed.count; i++) {
        bool is_comment = findings->suppressed.items[i].suppression.kind == SUPPRESSION_COMMENT;
        report->summary.comment_count += is_comment;
        report->summary.baseline_count += !is_comment;
    }
    report->summary.stale_count = triage->stale_count;
}

static bool use_baseline(const char *path, struct triage *triage, struct findings *findings,
                         struct err *err) {
    struct baseline baseline;
    struct str text, shown = str_from_c(path);
    if (!file_read(triage->arena, path, &text, err))
        return false;
    if (!baseline_parse(triage->arena, shown, text, &baseline, err))
        return err_in_file(err, shown);
    triage_baseline(triage, &baseline, findings);
    return true;
}

static bool write_baseline(const char *path, struct triage *triage, struct findings *findings,
                           struct err *err) {
    struct buf text = {0};
    baseline_print(triage, findings, &text);
    bool ok = file_write(path, buf_str(&text), err);
    buf_release(&text);
    return ok;
}

/* The rules that the configuration leaves for a file. */
static uint32_t rules_of(const struct check_options *options, struct str full_path) {
    uint32_t rules = options->rules;
    for (size_t i = 0; i < options->config.per_file_ignores.count; i++) {
        const struct config_ignore *ignore = &options->config.per_file_ignores.items[i];
        if (ignore_has(&ignore->files, full_path) != ignore->is_negated)
            rules &= ~ignore->rules;
    }
    return rules;
}

static void set_paths(const struct check_options *options, const struct django_project *project,
                      struct triage *triage) {
    struct str *paths;
    triage->path_count = django_files(options->arena, project, &paths);
    uint32_t *rules = ARENA_ARRAY(options->arena, uint32_t, triage->path_count);
    for (size_t i = 0; i < triage->path_count; i++)
        rules[i] = rules_of(options, django_full_path(project, paths[i]));
    triage->paths = paths;
    triage->path_rules = rules;
}

/* What rests on an assumption is no news, and no entry of a baseline, unless it is asked for. */
static void drop_assumed(struct scope *scope, struct findings *findings, struct report *report) {
    for (size_t i = 0; i < findings->items.count; i++)
        report->summary.assumed_count += findings->items.items[i].assumption.len > 0 &&
                                         scope_has(scope, findings->items.items[i].span.path);
    findings_drop_assumed(findings);
}

static bool keep_changed(const struct check_options *options, struct triage *triage,
                         struct findings *findings, struct report *report, struct err *err) {
    struct changes changes;
    changes_init(&changes, options->arena);
    for (size_t i = 0; i < options->path_count; i++) {
        struct str path = str_from_c(options->paths[i]);
        struct stat status;
        bool is_folder = stat(options->paths[i], &status) == 0 && S_ISDIR(status.st_mode);
        const char *folder = is_folder ? options->paths[i] : folder_of(options->arena, path);
        if (!changes_add(options->arena, folder, options->diff_only, &changes, err))
            return false;
    }
    report->summary.unchanged_count = triage_changes(triage, &changes, findings);
    return true;
}

bool triage_run(const struct check_options *options, const struct django_project *project,
                struct scope *scope, struct findings *findings, struct report *report,
                struct err *err) {
    struct triage triage = {.arena = options->arena,
                            .module = module_of,
                            .full_path = full_path_of,
                            .context = (void *)project,
                            .rules = options->rules,
                            .require_reason = options->require_reason};
    set_paths(options, project, &triage);
    triage_rules(&triage, findings);
    triage_comments(&triage, findings);
    triage_move(&triage, findings);
    if (!options->is_pedantic)
        drop_assumed(scope, findings, report);
    bool uses_baseline = options->baseline != NULL && options->write_baseline == NULL;
    if (uses_baseline && !use_baseline(options->baseline, &triage, findings, err))
        return false;
    triage_move(&triage, findings);
    keep_asked_for(findings, scope);
    if (options->diff_only != NULL && !keep_changed(options, &triage, findings, report, err))
        return false;
    report_on_triage(&triage, scope, findings, report);
    return options->write_baseline == NULL ||
           write_baseline(options->write_baseline, &triage, findings, err);
}
