#include "cli/pipeline.h"

#include "base/map.h"
#include "engine/version.h"

#include <stdio.h>
#include <unistd.h>

static enum sql_isolation default_isolation(enum engine_kind engine) {
    switch (engine) {
    case ENGINE_POSTGRESQL:
        return SQL_READ_COMMITTED;
    case ENGINE_MYSQL:
    case ENGINE_MARIADB:
        return SQL_REPEATABLE_READ;
    case ENGINE_SQLITE:
        break;
    }
    return SQL_SERIALIZABLE;
}

static struct db_config make_config(enum engine_kind engine, uint32_t version,
                                    enum sql_isolation isolation) {
    struct db_config config = version_config(engine, version, isolation);
    config.autocommit_read_committed = engine == ENGINE_POSTGRESQL;
    return config;
}

static enum engine_kind settings_engine(const struct django_settings *settings) {
    static const enum engine_kind engines[] = {[DJANGO_POSTGRESQL] = ENGINE_POSTGRESQL,
                                               [DJANGO_MYSQL] = ENGINE_MYSQL,
                                               [DJANGO_SQLITE] = ENGINE_SQLITE};
    return engines[settings->engine];
}

/* The project's level on `engine`, which its settings fit. Where they name none, Django since 2.0 itself sets READ
 * COMMITTED on MySQL; before it is the server's (Django 2.0 release notes, MySQL). */
static struct db_config settings_config(const struct django_settings *settings,
                                        enum engine_kind engine, uint32_t version) {
    enum sql_isolation isolation = settings->isolation;
    if (engine == ENGINE_SQLITE)
        isolation = SQL_SERIALIZABLE;
    else if (isolation == SQL_ISOLATION_DEFAULT && settings->is_before_2_0)
        isolation = default_isolation(engine);
    else if (isolation == SQL_ISOLATION_DEFAULT || isolation == SQL_READ_UNCOMMITTED)
        isolation = SQL_READ_COMMITTED;
    struct db_config config = make_config(engine, version, isolation);
    config.sqlite_immediate = engine == ENGINE_SQLITE && settings->sqlite_immediate;
    return config;
}

/* Django's backend for MySQL is the one for MariaDB too. */
static bool fits_settings(const struct django_settings *settings, enum engine_kind engine) {
    if (settings == NULL || settings->engine == DJANGO_ENGINE_UNKNOWN)
        return false;
    return engine_dialect(engine) == engine_dialect(settings_engine(settings));
}

void target_configs(const struct target *target, const struct django_settings *settings,
                    struct find_options *options) {
    bool has_settings = settings != NULL && settings->engine != DJANGO_ENGINE_UNKNOWN;
    options->config_count = 0;
    if (!target->has_engine && has_settings) {
        options->configs[options->config_count++] =
            settings_config(settings, settings_engine(settings), 0);
    } else if (!target->has_engine) {
        options->configs[options->config_count++] =
            make_config(ENGINE_POSTGRESQL, 0, default_isolation(ENGINE_POSTGRESQL));
        options->configs[options->config_count++] =
            make_config(ENGINE_MYSQL, 0, default_isolation(ENGINE_MYSQL));
    } else if (fits_settings(settings, target->engine)) {
        options->configs[options->config_count++] =
            settings_config(settings, target->engine, target->version);
    } else {
        options->configs[options->config_count++] =
            make_config(target->engine, target->version, default_isolation(target->engine));
    }
    if (target->has_engine)
        options->policies.version[target->engine] = target->version;
    for (size_t i = 0; i < options->config_count; i++) {
        struct db_config *config = &options->configs[i];
        if (target->has_isolation && config->engine != ENGINE_SQLITE)
            config->isolation = target->isolation;
        config->innodb_snapshot_isolation |=
            config->engine == ENGINE_MARIADB && target->innodb_snapshot_isolation;
        config->sqlite_immediate = config->engine == ENGINE_SQLITE && !target->sqlite_deferred &&
                                   (config->sqlite_immediate || target->sqlite_immediate);
    }
}

uint32_t target_policies(const struct target *target, enum engine_kind engine) {
    uint32_t policies = 0;
    for (int i = 0; i < POLICY_COUNT; i++) {
        const struct db_config *config = &policy_info((enum policy_id)i)->config;
        bool is_asked = !target->has_isolation || config->isolation == target->isolation;
        if (target->has_isolation && engine == ENGINE_SQLITE)
            is_asked = config->sqlite_immediate == target->sqlite_immediate;
        else if (target->has_isolation)
            is_asked &= config->innodb_snapshot_isolation == target->innodb_snapshot_isolation;
        if (config->engine == engine && is_asked)
            policies |= 1u << i;
    }
    return policies;
}

enum sql_dialect target_dialect(const struct find_options *options) {
    return engine_dialect(options->configs[0].engine);
}

static struct str source_of(void *project, struct str path) {
    return django_source(project, path);
}

static size_t count_lines(struct str text) {
    size_t lines = text.len > 0 && text.ptr[text.len - 1] != '\n';
    for (size_t at = str_find(text, '\n', 0); at < text.len; at = str_find(text, '\n', at + 1))
        lines++;
    return lines;
}

static bool is_asked_for(struct scope *scope, struct str path) {
    return scope == NULL || scope_has(scope, path);
}

static void summarise(struct arena *arena, const struct django_project *project,
                      struct scope *scope, struct report_summary *summary) {
    struct str *paths;
    size_t file_count = django_files(arena, project, &paths);
    for (size_t i = 0; i < file_count; i++) {
        if (!is_asked_for(scope, paths[i]))
            continue;
        summary->file_count++;
        summary->line_count += count_lines(django_source(project, paths[i]));
    }
    for (size_t i = 0; i < project->functions.count; i++) {
        const struct django_function *function = &project->functions.items[i];
        if (function->is_summary || !is_asked_for(scope, function->path))
            continue;
        summary->function_count += function->touches_orm;
        summary->modelled_count += function->touches_orm && function->is_modelled;
    }
}

/* The notes on files asked for; a file with errors counts once. */
static void take_notes(struct arena *arena, const struct django_project *project,
                       struct scope *scope, struct report *report) {
    struct report_note *notes = ARENA_ARRAY(arena, struct report_note, project->notes.count);
    struct map broken;
    map_init(&broken, arena);
    for (size_t i = 0; i < project->notes.count; i++) {
        const struct django_note *note = &project->notes.items[i];
        if (!is_asked_for(scope, note->span.path))
            continue;
        notes[report->note_count++] = (struct report_note){note->span, note->text, note->is_error};
        if (note->is_error && !map_has(&broken, note->span.path)) {
            map_put(&broken, note->span.path, report);
            report->summary.broken_file_count++;
        }
    }
    report->notes = notes;
}

void report_on_project(struct arena *arena, const struct django_project *project,
                       const struct text_pool *pool, struct scope *scope, struct report *report) {
    report->schema = &project->schema;
    report->pool = pool;
    report->version = LW_VERSION;
    report->source = source_of;
    report->source_context = (void *)project;
    summarise(arena, project, scope, &report->summary);
    take_notes(arena, project, scope, report);
}

void report_on_search(struct arena *arena, const struct find_stats *stats, struct report *report) {
    size_t count = stats->unexplained.count;
    struct report_note *notes = ARENA_ARRAY(arena, struct report_note, report->note_count + count);
    if (report->note_count > 0)
        memcpy(notes, report->notes, report->note_count * sizeof(*notes));
    for (size_t i = 0; i < count; i++)
        notes[report->note_count + i] = (struct report_note){
            stats->unexplained.items[i],
            STR("beside itself this ends as no serial order does, by no write that a rule names"), false};
    report->notes = notes;
    report->note_count += count;
    report->summary.run_count = stats->run_count;
    report->summary.limit_count = stats->limit_count;
    report->summary.skipped_count = stats->skipped_count;
    report->summary.summary_count = stats->summary_count;
}

struct str project_symbol(void *context, struct txn_span span, struct str fallback) {
    const struct django_project *project = context;
    const struct django_function *best = NULL;
    for (size_t i = 0; i < project->functions.count; i++) {
        const struct django_function *function = &project->functions.items[i];
        if (str_equal(function->path, span.path) && function->span.start.line <= span.start.line &&
            (best == NULL || function->span.start.line >= best->span.start.line))
            best = function;
    }
    return best != NULL ? best->symbol : fallback;
}

enum effect_kind project_effect_kind(struct str name) {
    switch (django_effect_kind(name)) {
    case DJANGO_EFFECT_SURE:
        return EFFECT_SURE;
    case DJANGO_EFFECT_TASK:
        return EFFECT_TASK;
    case DJANGO_EFFECT_UNKNOWN:
        break;
    }
    return EFFECT_UNKNOWN;
}

struct str current_folder(struct arena *arena) {
    char folder[4096];
    return getcwd(folder, sizeof(folder)) != NULL ? str_dup(arena, str_from_c(folder))
                                                  : (struct str){0};
}

enum cli_exit pipeline_print(struct buf *text, enum cli_exit answer) {
    size_t written = text->len > 0 ? fwrite(text->ptr, 1, text->len, stdout) : 0;
    if (written != text->len || fflush(stdout) != 0) {
        fprintf(stderr, "lostwrite: cannot write to standard output\n");
        answer = CLI_ERROR;
    }
    buf_release(text);
    return answer;
}

enum cli_exit pipeline_print_error(const struct err *err) {
    struct buf text = {0};
    err_print(err, &text);
    fputs(text.ptr, stderr);
    buf_release(&text);
    return CLI_ERROR;
}
