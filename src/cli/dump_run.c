/* Each stage prints what it hands to the next one. */
#include "base/file.h"
#include "cli/dump_options.h"
#include "cli/scenario.h"
#include "program/notation.h"
#include "python/dump.h"
#include "python/parse.h"

#include <sys/stat.h>

struct dump {
    const struct dump_options *options;
    const struct input *input; /* the first */
    struct scenario scenario;
    enum sql_dialect dialect;
    struct buf out;
};

static bool is_folder(struct arena *arena, struct str path) {
    struct stat status;
    return stat(str_to_c(arena, path), &status) == 0 && S_ISDIR(status.st_mode);
}

/* The project of the path; a file's is the one around it. */
static bool load_project(struct dump *dump, struct err *err) {
    struct scenario *scenario = &dump->scenario;
    const char *path = str_to_c(scenario->arena, dump->input->path);
    bool folder = is_folder(scenario->arena, dump->input->path);
    bool ok = folder ? django_load(scenario->arena, &scenario->pool, &path, 1, NULL, &scenario->project, err)
                     : django_load_around(scenario->arena, &scenario->pool, &path, 1, NULL,
                                          &scenario->project, err);
    if (!ok)
        return false;
    target_configs(&dump->options->target, &scenario->project->settings, &scenario->find);
    dump->dialect = target_dialect(&scenario->find);
    return true;
}

/* Syntax. */

static bool dump_file(struct dump *dump, struct str path, bool has_heading, struct err *err) {
    struct arena arena = {0};
    struct str text;
    bool ok = file_read(&arena, str_to_c(&arena, path), &text, err);
    if (ok) {
        if (has_heading)
            buf_printf(&dump->out, "# %.*s\n", STR_ARG(path));
        py_dump(&dump->out, py_parse(&arena, text));
    }
    arena_release(&arena);
    return ok;
}

static bool dump_syntax_of(struct dump *dump, struct err *err) {
    struct str *paths;
    if (!is_folder(dump->scenario.arena, dump->input->path))
        return dump_file(dump, dump->input->path, false, err);
    if (!load_project(dump, err))
        return false;
    size_t count = django_files(dump->scenario.arena, dump->scenario.project, &paths);
    for (size_t i = 0; i < count; i++)
        if (!dump_file(dump, paths[i], true, err))
            return false;
    return true;
}

/* Roots, programs, and the SQL in them. */

static bool is_asked_for(const struct dump *dump, size_t function, int only) {
    const struct django_project *project = dump->scenario.project;
    if (only >= 0)
        return (int)function == only;
    return is_folder(dump->scenario.arena, dump->input->path) ||
           str_equal(project->functions.items[function].path, dump->input->path);
}

/* The programs asked for, as a scenario without runs. */
static bool lower_project(struct dump *dump, struct txn_scenario *into, struct err *err) {
    struct scenario *scenario = &dump->scenario;
    int only = -1;
    if (!load_project(dump, err))
        return false;
    if (dump->input->function.len > 0) {
        only = scenario_function(scenario->arena, scenario->project, dump->input, err);
        if (only < 0)
            return false;
    }
    for (size_t i = 0; i < scenario->project->functions.count; i++) {
        if (!is_asked_for(dump, i, only))
            continue;
        struct txn_program *program = django_lower(scenario->arena, &scenario->pool,
                                                   scenario->project, i, dump->dialect);
        if (program != NULL)
            VEC_PUSH(scenario->arena, &into->programs, program);
    }
    into->schema = scenario->project->schema;
    return true;
}

static bool dump_roots(struct dump *dump, struct err *err) {
    if (!load_project(dump, err))
        return false;
    const struct django_project *project = dump->scenario.project;
    for (size_t i = 0; i < project->functions.count; i++) {
        const struct django_function *function = &project->functions.items[i];
        if (function->root != DJANGO_ROOT_NONE && is_asked_for(dump, i, -1))
            buf_printf(&dump->out, "%.*s:%u: %.*s: %.*s\n", STR_ARG(function->path),
                       function->span.start.line, STR_ARG(function->symbol),
                       STR_ARG(function->root_text));
    }
    return true;
}

static bool read_programs(struct dump *dump, struct txn_scenario *into, struct err *err) {
    struct scenario *scenario = &dump->scenario;
    if (!input_is_txn(dump->input->path))
        return lower_project(dump, into, err);
    if (!scenario_read_txn(scenario, dump->input->path, &dump->options->target, err))
        return false;
    *into = *scenario->txn;
    dump->dialect = target_dialect(&scenario->find);
    return true;
}

static void put_notes(struct dump *dump) {
    const struct django_project *project = dump->scenario.project;
    for (size_t i = 0; project != NULL && i < project->notes.count; i++) {
        const struct django_note *note = &project->notes.items[i];
        buf_printf(&dump->out, "-- %.*s:%u:%u: %s: %.*s\n", STR_ARG(note->span.path),
                   note->span.start.line, note->span.start.column,
                   note->is_error ? "error" : "not modelled", STR_ARG(note->text));
    }
}

static bool dump_programs(struct dump *dump, struct err *err) {
    struct txn_scenario programs = {0};
    if (!read_programs(dump, &programs, err))
        return false;
    txn_print(&programs, &dump->scenario.pool, dump->dialect, &dump->out);
    put_notes(dump);
    return true;
}

/* Functions, and what of each isn't modelled. */

static bool dump_functions(struct dump *dump, struct err *err) {
    struct txn_scenario programs = {0};
    if (!lower_project(dump, &programs, err))
        return false;
    const struct django_project *project = dump->scenario.project;
    for (size_t i = 0; i < project->functions.count; i++) {
        const struct django_function *function = &project->functions.items[i];
        if (!function->touches_orm || (!function->is_modelled && function->notes.count == 0))
            continue;
        buf_printf(&dump->out, "%.*s:%u: %.*s: %s\n", STR_ARG(function->path),
                   function->span.start.line, STR_ARG(function->symbol),
                   function->is_summary    ? "summary"
                   : function->is_modelled ? "modelled"
                                           : "not modelled");
        for (size_t k = 0; k < function->notes.count; k++) {
            const struct django_note *note = &project->notes.items[function->notes.items[k]];
            buf_printf(&dump->out, "    %.*s:%u:%u: %.*s\n", STR_ARG(note->span.path),
                       note->span.start.line, note->span.start.column, STR_ARG(note->text));
        }
    }
    return true;
}

static void put_sql(struct dump *dump, const struct txn_step *step, const struct sql_stmt *stmt,
                    const char *text) {
    buf_printf(&dump->out, "%.*s:%u: ", STR_ARG(step->span.path), step->span.start.line);
    if (stmt != NULL)
        sql_print(stmt, &dump->scenario.pool, dump->dialect, &dump->out);
    else
        buf_add_c(&dump->out, text);
    buf_add_char(&dump->out, '\n');
}

static void put_block_sql(struct dump *dump, const struct txn_block *block) {
    for (size_t i = 0; i < block->steps.count; i++) {
        const struct txn_step *step = block->steps.items[i];
        if (step->kind == TXN_STEP_SQL)
            put_sql(dump, step, step->sql.stmt, NULL);
        if (step->kind == TXN_STEP_ATOMIC)
            put_sql(dump, step, NULL, "BEGIN, or SAVEPOINT if one is open");
        put_block_sql(dump, &step->body);
        if (step->kind == TXN_STEP_ATOMIC)
            put_sql(dump, step, NULL, "COMMIT, or RELEASE");
        put_block_sql(dump, &step->else_body);
        for (size_t k = 0; k < step->handlers.count; k++)
            put_block_sql(dump, &step->handlers.items[k].body);
        put_block_sql(dump, &step->finally_body);
    }
}

static bool dump_sql_of(struct dump *dump, struct err *err) {
    struct txn_scenario programs = {0};
    if (!read_programs(dump, &programs, err))
        return false;
    for (size_t i = 0; i < programs.programs.count; i++) {
        const struct txn_program *program = programs.programs.items[i];
        buf_printf(&dump->out, "%s-- %.*s\n", i > 0 ? "\n" : "", STR_ARG(program->name));
        put_block_sql(dump, &program->body);
    }
    put_notes(dump);
    return true;
}

/* Schedules. */

struct schedule_list {
    struct dump *dump;
    enum engine_kind engine;
    size_t by_verdict[VERDICT_LIMIT + 1];
    size_t count;
};

static void put_schedule(void *context, const struct schedule_end *end) {
    struct schedule_list *list = context;
    struct buf *out = &list->dump->out;
    list->count++;
    list->by_verdict[end->verdict]++;
    buf_add_c(out, "  ");
    for (size_t i = 0; i < end->schedule->count; i++)
        buf_add_char(out, session_letter(end->schedule->sessions[i]));
    buf_printf(out, "  %s", verdict_name(end->verdict));
    if (end->error != DB_OK_NO_ERROR)
        buf_printf(out, " %s", db_error_code(end->error, list->engine));
    buf_add_c(out, end->has_waited ? ", waits\n" : "\n");
}

static bool put_schedules(struct dump *dump, const struct scenario_run *run,
                          const struct db_config *config, struct err *err) {
    struct schedule_list list = {.dump = dump, .engine = config->engine};
    struct judge_options judge = {.all_schedules = dump->options->all_schedules,
                                  .no_early_end = true,
                                  .any_witness = true,
                                  .on_schedule = put_schedule,
                                  .context = &list};
    struct cell_verdict cell;
    struct arena scratch = {0};
    buf_add_c(&dump->out, "-- ");
    for (size_t i = 0; i < run->setup->session_count; i++)
        buf_printf(&dump->out, "%s%c %.*s", i > 0 ? " || " : "", session_letter((uint8_t)i),
                   STR_ARG(run->symbols[i]));
    buf_add_c(&dump->out, " on ");
    put_level(config, &dump->out);
    buf_add_char(&dump->out, '\n');
    bool ok = judge_cell(&scratch, run->setup, config, &judge, &cell, err);
    arena_release(&scratch);
    if (!ok)
        return false;
    buf_printf(&dump->out, "  %s: %zu schedule%s", cell.is_complete ? "COMPLETE" : "LIMIT",
               list.count, list.count == 1 ? "" : "s");
    for (int i = 0; i <= VERDICT_LIMIT; i++)
        if (list.by_verdict[i] > 0)
            buf_printf(&dump->out, ", %zu %s", list.by_verdict[i], verdict_name((enum verdict)i));
    buf_add_char(&dump->out, '\n');
    return true;
}

static bool dump_schedules(struct dump *dump, struct err *err) {
    struct scenario *scenario = &dump->scenario;
    if (!scenario_read(scenario, &dump->options->inputs, &dump->options->target,
                       dump->options->session_count, err))
        return false;
    for (size_t i = 0; i < scenario->runs.count; i++)
        for (size_t k = 0; k < scenario->find.config_count; k++)
            if (!put_schedules(dump, &scenario->runs.items[i], &scenario->find.configs[k], err))
                return false;
    return true;
}

enum cli_exit dump_run(const struct dump_options *options) {
    static bool (*const stages[])(struct dump *, struct err *) = {[DUMP_SYNTAX] = dump_syntax_of,
                                                                  [DUMP_ROOTS] = dump_roots,
                                                                  [DUMP_FUNCTIONS] = dump_functions,
                                                                  [DUMP_PROGRAM] = dump_programs,
                                                                  [DUMP_SQL] = dump_sql_of,
                                                                  [DUMP_SCHEDULES] = dump_schedules};
    struct dump dump = {.options = options,
                        .input = &options->inputs.items.items[0],
                        .scenario = {.arena = options->arena}};
    struct err err;
    text_pool_init(&dump.scenario.pool, options->arena);
    if (!stages[options->stage](&dump, &err)) {
        buf_release(&dump.out);
        return pipeline_print_error(&err);
    }
    return pipeline_print(&dump.out, CLI_CLEAN);
}
