/* What check, prove and dump do alike: a Django project or a .txn file read into programs, and the engines and
 * levels that a target means.
 */
#ifndef LW_CLI_PIPELINE_H
#define LW_CLI_PIPELINE_H

#include "cli/exit.h"
#include "cli/scope.h"
#include "cli/target.h"
#include "django/django.h"
#include "finding/finding.h"
#include "report/report.h"

/* The engines and levels that decide: those asked for, else the project's settings (may be NULL), else PostgreSQL at
 * READ COMMITTED and MySQL at REPEATABLE READ. */
void target_configs(const struct target *target, const struct django_settings *settings,
                    struct find_options *options);

/* Bits of the policies of an engine that the target asks for: its level, else all. */
uint32_t target_policies(const struct target *target, enum engine_kind engine);

/* The dialect in which the ORM's SQL is written for the target. */
enum sql_dialect target_dialect(const struct find_options *options);

/* A report on a loaded project, without its findings: source texts, and of the files in `scope` (NULL: all) notes and
 * summary. */
void report_on_project(struct arena *arena, const struct django_project *project,
                       const struct text_pool *pool, struct scope *scope, struct report *report);
/* Adds how the search went: its counts, and a note for each run that no rule explains. */
void report_on_search(struct arena *arena, const struct find_stats *stats, struct report *report);

/* The innermost function of the project around a place; `fallback` if there is none. */
struct str project_symbol(void *project, struct txn_span span, struct str fallback);

/* What the front end knows of an effect by its name. */
enum effect_kind project_effect_kind(struct str name);

/* The folder in which the program runs; empty if it cannot be told. */
struct str current_folder(struct arena *arena);

/* Writes the text to standard output. CLI_ERROR if that fails, else `answer`. */
enum cli_exit pipeline_print(struct buf *text, enum cli_exit answer);
/* Prints an error to standard error: CLI_ERROR. */
enum cli_exit pipeline_print_error(const struct err *err);

#endif
