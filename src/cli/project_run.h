/* A Django project as check looks at it, and prove at one of its findings: loaded around some paths, its entries made
 * into programs.
 */
#ifndef LW_CLI_PROJECT_RUN_H
#define LW_CLI_PROJECT_RUN_H

#include "cli/pipeline.h"
#include "cli/progress.h"
#include "cli/scope.h"

/* Loads the project around the paths, which become `*scope`. False if one cannot be read, or there is no Python. */
bool project_load(struct arena *arena, struct text_pool *pool, const char *const *paths,
                  size_t path_count, const struct file_options *options, struct scope *scope,
                  struct django_project **project, struct err *err);

/* The entries of the project are what runs concurrently: each becomes a subject. Who calls whom is known when all are
 * lowered. Answers `*count` of them, of `arena`. `progress` may be NULL. */
struct subject *project_subjects(struct arena *arena, struct text_pool *pool,
                                 struct django_project *project, enum sql_dialect dialect,
                                 struct progress *progress, size_t *count);

#endif
