#include "cli/check_pass.h"

bool check_pass_load(struct arena *arena, const struct check_options *options,
                     struct check_pass *pass, struct err *err) {
    *pass = (struct check_pass){0};
    text_pool_init(&pass->pool, arena);
    if (!project_load(arena, &pass->pool, options->paths, options->path_count, &options->files,
                      &pass->scope, &pass->project, err))
        return false;
    for (size_t i = 0; i < options->config.roots.count; i++) {
        struct str root = options->config.roots.items[i];
        if (!django_name_roots(pass->project, root))
            return err_set(err, (struct pos){0}, "roots: the project has no function `%.*s`", STR_ARG(root));
    }
    return true;
}

static void show_search(void *progress, bool is_beside_others, size_t done, size_t count) {
    progress_show(progress, "%zu of %zu functions searched%s", done, count,
                  is_beside_others ? " beside others" : "");
}

void check_pass_search(struct arena *arena, const struct check_options *options, bool no_details,
                       struct check_pass *pass) {
    progress_begin(&pass->progress);
    pass->find = (struct find_options){.rules = options->rules,
                                       .thread_count = options->jobs,
                                       .no_details = no_details,
                                       .symbol_of = project_symbol,
                                       .symbol_context = pass->project,
                                       .effect_kind = project_effect_kind,
                                       .on_progress = show_search,
                                       .progress_context = &pass->progress};
    target_configs(&options->target, &pass->project->settings, &pass->find);
    pass->subjects = project_subjects(arena, &pass->pool, pass->project, target_dialect(&pass->find),
                                      &pass->progress, &pass->subject_count);
    find_all(arena, &pass->project->schema, &pass->pool, pass->subjects, pass->subject_count,
             &pass->find, &pass->findings, &pass->stats);
    progress_end(&pass->progress);
}
