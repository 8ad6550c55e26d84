/* One pass of `check` over a project: read, made into programs, searched.
 */
#ifndef LW_CLI_CHECK_PASS_H
#define LW_CLI_CHECK_PASS_H

#include "cli/check_options.h"
#include "cli/progress.h"
#include "cli/project_run.h"

struct check_pass {
    struct text_pool pool;
    struct django_project *project;
    struct scope scope;
    struct find_options find;
    struct subject *subjects;
    size_t subject_count;
    struct findings findings;
    struct find_stats stats;
    struct progress progress;
};

/* Reads what the options name, with `files.texts` in place of files. Memory is of `arena`. False if a path cannot be read. */
bool check_pass_load(struct arena *arena, const struct check_options *options,
                     struct check_pass *pass, struct err *err);

/* Searches what was read: all findings of the project, in whichever file. */
void check_pass_search(struct arena *arena, const struct check_options *options, bool no_details,
                       struct check_pass *pass);

#endif
