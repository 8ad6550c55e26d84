#include "cli/scenario.h"

#include "base/file.h"
#include "cli/clause.h"
#include "cli/suggest.h"
#include "inputs/tables.h"
#include "program/notation.h"

static const struct pos nowhere = {0, 0};

static bool too_many(size_t count, struct err *err) {
    return err_set(err, nowhere, "%zu sessions side by side; at most %d are possible", count,
                   DB_SESSIONS_MAX);
}

/* A .txn file. */

bool scenario_read_txn(struct scenario *scenario, struct str path, const struct target *target,
                       struct err *err) {
    target_configs(target, NULL, &scenario->find);
    return file_read(scenario->arena, str_to_c(scenario->arena, path), &scenario->text, err) &&
           txn_parse(scenario->arena, &scenario->pool, path, scenario->text,
                     target_dialect(&scenario->find), &scenario->txn, err) &&
           clause_check((const struct txn_program *const *)scenario->txn->programs.items,
                        scenario->txn->programs.count, &scenario->find.configs[0], err);
}

/* --sessions N: the run's sessions over again until there are N. */
static bool add_txn_run(struct scenario *scenario, const struct txn_run *run,
                        unsigned session_count, struct err *err) {
    struct run_setup *setup = ARENA_NEW(scenario->arena, struct run_setup);
    struct str *symbols = ARENA_ARRAY(scenario->arena, struct str, DB_SESSIONS_MAX);
    size_t count = session_count > 0 ? session_count : run->sessions.count;
    if (count > DB_SESSIONS_MAX)
        return too_many(count, err);
    *setup = (struct run_setup){.schema = &scenario->txn->schema,
                                .pool = &scenario->pool,
                                .setup = scenario->txn->setup.items,
                                .setup_count = scenario->txn->setup.count,
                                .session_count = count};
    for (size_t i = 0; i < count; i++) {
        const struct txn_session *session = &run->sessions.items[i % run->sessions.count];
        const struct txn_program *program = scenario->txn->programs.items[session->program];
        setup->sessions[i] = (struct world_session){program, session->args.items};
        symbols[i] = program->name;
    }
    VEC_PUSH(scenario->arena, &scenario->runs, (struct scenario_run){run->name, setup, symbols});
    return true;
}

static bool read_txn_runs(struct scenario *scenario, struct str path, const struct target *target,
                          unsigned session_count, struct err *err) {
    if (!scenario_read_txn(scenario, path, target, err))
        return false;
    if (scenario->txn->runs.count == 0) {
        err_set(err, nowhere, "nothing is run: the file has no `run` line");
        return err_in_file(err, path);
    }
    for (size_t i = 0; i < scenario->txn->runs.count; i++)
        if (!add_txn_run(scenario, &scenario->txn->runs.items[i], session_count, err))
            return false;
    return true;
}

/* Functions of a project. */

/* "Counter.increment" where `increment` was asked for, if only one ends so. */
static const char *only_method(const char *const *names, size_t count, struct str name) {
    const char *found = NULL;
    for (size_t i = 0; i < count; i++) {
        struct str have = str_from_c(names[i]);
        size_t dot = str_find(have, '.', 0);
        if (dot == have.len || !str_equal(str_sub(have, dot + 1, have.len), name))
            continue;
        if (found != NULL)
            return NULL;
        found = names[i];
    }
    return found;
}

static bool no_function(struct arena *arena, const struct django_project *project,
                        const struct input *input, struct err *err) {
    const char **names;
    size_t count = django_function_names(arena, project, input->path, &names);
    const char *meant = only_method(names, count, input->function);
    if (meant == NULL)
        meant = suggest(input->function, names, count);
    if (meant != NULL) {
        err_set(err, nowhere, "there is no function %.*s; did you mean '%s'?",
                STR_ARG(input->function), meant);
        return err_in_file(err, input->path);
    }
    struct buf list = {0};
    for (size_t i = 0; i < count && list.len < 120; i++)
        buf_printf(&list, "%s%s", i > 0 ? ", " : "", names[i]);
    err_set(err, nowhere, "there is no function %.*s; %s%s", STR_ARG(input->function),
            count > 0 ? "there are " : "the file has no function", count > 0 ? list.ptr : "");
    buf_release(&list);
    return err_in_file(err, input->path);
}

int scenario_function(struct arena *arena, const struct django_project *project,
                      const struct input *input, struct err *err) {
    int function = django_find_function(project, input->path, input->function);
    if (function < 0)
        no_function(arena, project, input, err);
    return function;
}

/* What stands in the way of a function's program, by its notes. */
static bool no_program(const struct django_project *project, int function,
                       const struct input *input, struct err *err) {
    const char *what = project->functions.items[function].touches_orm
                           ? "%.*s cannot be made into a program; `lostwrite check --verbose` says why"
                           : "%.*s does not touch the ORM";
    err_set(err, nowhere, what, STR_ARG(input->function));
    return err_in_file(err, input->path);
}

/* The case to show: the first in which something is lost, else the one that reaches most. */
static bool choose_case(struct scenario *scenario, const struct inputs *inputs,
                        const struct cut *cut, size_t count, struct run_setup *chosen,
                        struct err *err) {
    size_t most = 0;
    *chosen = (struct run_setup){0};
    for (size_t i = 0; i < inputs->cases.count; i++) {
        const struct input_case *input = &inputs->cases.items[i];
        struct judge_options plain = {0};
        struct cell_verdict cell;
        struct arena scratch = {0};
        struct run_setup setup = {.schema = cut->schema,
                                  .pool = &scenario->pool,
                                  .setup = input->setup.items,
                                  .setup_count = input->setup.count,
                                  .session_count = count};
        for (size_t k = 0; k < count; k++)
            setup.sessions[k] = (struct world_session){cut->programs[k], input->args[k]};
        bool ok = judge_cell(&scratch, &setup, &scenario->find.configs[0], &plain, &cell, err);
        arena_release(&scratch);
        if (!ok)
            return false;
        if (chosen->schema == NULL || input->reached_count > most ||
            cell.verdict == VERDICT_LOST) {
            most = input->reached_count;
            *chosen = setup;
        }
        if (cell.verdict == VERDICT_LOST)
            return true;
    }
    if (chosen->schema == NULL)
        return err_set(err, nowhere, "no rows and arguments could be made for it");
    return true;
}

static bool lower_inputs(struct scenario *scenario, const struct input_list *inputs, size_t count,
                         const struct txn_program **programs, struct str *symbols,
                         struct err *err) {
    for (size_t i = 0; i < count; i++) {
        size_t given = inputs->items.count;
        const struct input *input = &inputs->items.items[i % given];
        if (i >= given) {
            programs[i] = programs[i % given];
            symbols[i] = symbols[i % given];
            continue;
        }
        int function = scenario_function(scenario->arena, scenario->project, input, err);
        if (function < 0)
            return false;
        const struct txn_program *program =
            django_lower(scenario->arena, &scenario->pool, scenario->project, (size_t)function,
                         target_dialect(&scenario->find));
        if (program == NULL)
            return no_program(scenario->project, function, input, err);
        if (!clause_check(&program, 1, &scenario->find.configs[0], err))
            return false;
        programs[i] = program;
        symbols[i] = scenario->project->functions.items[function].symbol;
    }
    return true;
}

static bool read_functions(struct scenario *scenario, const struct input_list *inputs,
                           const struct target *target, unsigned session_count, struct err *err) {
    size_t given = inputs->items.count;
    size_t count = session_count > 0 ? session_count : given == 1 ? 2 : given;
    const char *paths[DB_SESSIONS_MAX];
    const struct txn_program *programs[DB_SESSIONS_MAX];
    struct arena *arena = scenario->arena;
    struct str *symbols = ARENA_ARRAY(arena, struct str, DB_SESSIONS_MAX);
    struct run_setup *setup = ARENA_NEW(arena, struct run_setup);
    struct inputs cases = {0};
    if (count > DB_SESSIONS_MAX)
        return too_many(count, err);
    for (size_t i = 0; i < given; i++)
        paths[i] = str_to_c(arena, inputs->items.items[i].path);
    if (!django_load_around(arena, &scenario->pool, paths, given, NULL, &scenario->project, err))
        return false;
    target_configs(target, &scenario->project->settings, &scenario->find);
    if (!lower_inputs(scenario, inputs, count, programs, symbols, err))
        return false;
    struct cut cut;
    if (!cut_make(arena, &scenario->project->schema, programs, count, &cut))
        return err_set(err, nowhere, "these functions touch more than %d tables", TABLES_RUN_MAX);
    struct arena scratch = {0};
    inputs_make(arena, &scratch, cut.schema, &scenario->pool, &scenario->find.configs[0],
                cut.programs, count, INPUTS_PATHS, &cases);
    arena_release(&scratch);
    if (!choose_case(scenario, &cases, &cut, count, setup, err))
        return false;
    VEC_PUSH(arena, &scenario->runs, (struct scenario_run){{0}, setup, symbols});
    return true;
}

bool scenario_read(struct scenario *scenario, const struct input_list *inputs,
                   const struct target *target, unsigned session_count, struct err *err) {
    const struct input *first = &inputs->items.items[0];
    if (first->function.len == 0)
        return read_txn_runs(scenario, first->path, target, session_count, err);
    return read_functions(scenario, inputs, target, session_count, err);
}

static struct str only_source(void *text, struct str path) {
    (void)path;
    return *(struct str *)text;
}

void scenario_report(struct scenario *scenario, struct report *report) {
    report->policies = scenario->find.policies;
    if (scenario->project != NULL) {
        report_on_project(scenario->arena, scenario->project, &scenario->pool, NULL, report);
        return;
    }
    report->schema = &scenario->txn->schema;
    report->pool = &scenario->pool;
    report->version = LW_VERSION;
    report->source = only_source;
    report->source_context = &scenario->text;
}
