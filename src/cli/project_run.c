#include "cli/project_run.h"

/* Whether a file was asked for and is there, if only as one that cannot be read. */
static bool has_files(struct arena *arena, const struct django_project *project,
                      struct scope *scope) {
    struct str *paths;
    size_t count = django_files(arena, project, &paths);
    for (size_t i = 0; i < count; i++)
        if (scope_has(scope, paths[i]))
            return true;
    for (size_t i = 0; i < project->notes.count; i++)
        if (project->notes.items[i].is_error && scope_has(scope, project->notes.items[i].span.path))
            return true;
    return false;
}

bool project_load(struct arena *arena, struct text_pool *pool, const char *const *paths,
                  size_t path_count, const struct file_options *options, struct scope *scope,
                  struct django_project **project, struct err *err) {
    if (!scope_init(scope, arena, paths, path_count, err) ||
        !django_load_around(arena, pool, paths, path_count, options, project, err))
        return false;
    if (has_files(arena, *project, scope))
        return true;
    err_set(err, (struct pos){0}, "there is no Python source here");
    return err_in_file(err, str_from_c(paths[0]));
}

static bool has_given(const struct txn_program *program) {
    for (size_t i = 0; i < program->vars.count; i++)
        if (program->vars.items[i].is_given)
            return true;
    return false;
}

static struct subject make_subject(struct arena *arena, const struct django_project *project,
                                   size_t function, const struct txn_program *program,
                                   bool is_part) {
    const struct django_function *of = &project->functions.items[function];
    return (struct subject){.program = program,
                            .symbol = of->symbol,
                            .is_summary = of->is_summary,
                            .is_editable = of->is_edit_view,
                            .has_code = of->has_code,
                            .has_gap = of->notes.count > 0,
                            .is_part = is_part,
                            .root = of->root_text,
                            .is_command = of->root == DJANGO_ROOT_COMMAND,
                            .is_uncalled = of->root == DJANGO_ROOT_NONE && !of->is_summary &&
                                           django_has_routes(project),
                            .assumption = django_assumption(arena, project, function, program)};
}

struct subject *project_subjects(struct arena *arena, struct text_pool *pool,
                                 struct django_project *project, enum sql_dialect dialect,
                                 struct progress *progress, size_t *count) {
    size_t function_count = project->functions.count;
    struct subject *subjects = ARENA_ARRAY(arena, struct subject, function_count);
    struct txn_program **programs = ARENA_ARRAY(arena, struct txn_program *, function_count);
    bool *is_lowered = ARENA_ARRAY(arena, bool, function_count);
    bool *is_entry = ARENA_ARRAY(arena, bool, function_count);
    *count = 0;
    for (size_t i = 0; i < function_count; i++) {
        programs[i] = django_lower(arena, pool, project, i, dialect);
        is_lowered[i] = programs[i] != NULL;
        if (progress != NULL)
            progress_show(progress, "%zu of %zu functions read", i + 1, function_count);
    }
    django_entries(project, is_lowered, is_entry);
    for (size_t i = 0; i < function_count; i++)
        if (is_entry[i])
            subjects[(*count)++] = make_subject(arena, project, i, programs[i], false);
    for (size_t i = 0; i < function_count; i++)
        if (is_lowered[i] && !is_entry[i] && has_given(programs[i]) &&
            !project->functions.items[i].is_hook &&
            project->functions.items[i].root != DJANGO_ROOT_RECEIVER)
            subjects[(*count)++] = make_subject(arena, project, i, programs[i], true);
    return subjects;
}
