#include "base/file.h"
#include "cli/pipeline.h"
#include "cli/prove_options.h"
#include "program/notation.h"

struct prove {
    const struct prove_options *options;
    struct arena *arena;
    struct text_pool pool;
    struct find_options find;
    struct findings *findings; /* one list a run */
    VEC(struct report_run) runs;
    bool has_lost;
};

/* A run whose programs, rows and arguments are known: judged everywhere, shown by the user's own levels first. */
static bool prove_setup(struct prove *p, struct str name, const struct run_setup *setup,
                        const struct str *symbols, struct err *err) {
    struct cell_verdict *cells = ARENA_ARRAY(p->arena, struct cell_verdict, POLICY_COUNT);
    struct findings *findings = ARENA_NEW(p->arena, struct findings);
    struct judge_options judge = {.all_schedules = p->options->all_schedules};
    if (judge.all_schedules)
        judge.steps_max = 20000000;
    if (!find_in_run(p->arena, setup, symbols, &p->find, &judge, cells, findings, err))
        return false;
    struct report_run run = {.name = name,
                             .setup = setup,
                             .symbols = symbols,
                             .cells = cells,
                             .has_counts = p->options->all_schedules,
                             .findings = findings};
    for (size_t i = 0; i < p->find.config_count && !run.has_witness; i++) {
        struct judge_options plain = {0};
        struct cell_verdict cell;
        struct arena scratch = {0};
        bool ok = judge_cell(&scratch, setup, &p->find.configs[i], &plain, &cell, err);
        arena_release(&scratch);
        if (!ok)
            return false;
        p->has_lost |= cell.verdict == VERDICT_LOST;
        if (!cell.has_witness)
            continue;
        run.has_witness = true;
        run.witness_config = p->find.configs[i];
        if (!witness_make(p->arena, setup, &p->find.configs[i], &cell.witness, &run.witness, err) ||
            !judge_serial_texts(p->arena, setup, &p->find.configs[i], &run.serial, err))
            return false;
    }
    VEC_PUSH(p->arena, &p->runs, run);
    return true;
}

static bool too_many(size_t count, struct err *err) {
    return err_set(err, (struct pos){0}, "%zu sessions side by side; at most %d are possible",
                   count, DB_SESSIONS_MAX);
}

/* --sessions N: the run's sessions over again until there are N. */
static bool prove_txn_run(struct prove *p, const struct txn_scenario *scenario,
                          const struct txn_run *run, struct err *err) {
    struct run_setup *setup = ARENA_NEW(p->arena, struct run_setup);
    struct str *symbols = ARENA_ARRAY(p->arena, struct str, DB_SESSIONS_MAX);
    size_t count = p->options->session_count > 0 ? p->options->session_count : run->sessions.count;
    if (count > DB_SESSIONS_MAX)
        return too_many(count, err);
    setup->schema = &scenario->schema;
    setup->pool = &p->pool;
    setup->setup = scenario->setup.items;
    setup->setup_count = scenario->setup.count;
    setup->session_count = count;
    for (size_t i = 0; i < count; i++) {
        const struct txn_session *session = &run->sessions.items[i % run->sessions.count];
        const struct txn_program *program = scenario->programs.items[session->program];
        setup->sessions[i] = (struct world_session){program, session->args.items};
        symbols[i] = program->name;
    }
    return prove_setup(p, run->name, setup, symbols, err);
}

static struct str no_source(void *context, struct str path) {
    (void)path;
    return *(struct str *)context;
}

static enum cli_exit print_runs(struct prove *p, struct report *report) {
    struct buf out = {0};
    report->is_colored = color_wanted(p->options->color, stdout);
    report->width = terminal_width(stdout);
    report->is_verbose = p->options->is_verbose;
    report->pool = &p->pool;
    report->version = LW_VERSION;
    if (p->options->format == PROVE_JSON)
        report_prove_json(report, p->runs.items, p->runs.count, &out);
    else
        report_prove_text(report, p->runs.items, p->runs.count, &out);
    return pipeline_print(&out, p->has_lost ? CLI_FINDINGS : CLI_CLEAN);
}

static enum cli_exit prove_txn(struct prove *p, struct str path) {
    struct str text;
    struct err err;
    struct txn_scenario *scenario;
    target_configs(&p->options->target, NULL, &p->find);
    if (!file_read(p->arena, str_to_c(p->arena, path), &text, &err) ||
        !txn_parse(p->arena, &p->pool, path, text, target_dialect(&p->find), &scenario, &err))
        return pipeline_print_error(&err);
    if (scenario->runs.count == 0) {
        err_set(&err, (struct pos){0}, "nothing is run: the file has no `run` line");
        err_in_file(&err, path);
        return pipeline_print_error(&err);
    }
    for (size_t i = 0; i < scenario->runs.count; i++)
        if (!prove_txn_run(p, scenario, &scenario->runs.items[i], &err))
            return pipeline_print_error(&err);
    struct report report = {
        .schema = &scenario->schema, .source = no_source, .source_context = &text};
    return print_runs(p, &report);
}

/* Functions of a Django project: rows and arguments are made from the programs. The case shown is the first in which
 * something is lost, else the one that reaches most. */
static bool prove_functions(struct prove *p, struct django_project *project,
                            const struct txn_program *const *programs, struct str *symbols,
                            size_t count, struct err *err) {
    struct inputs inputs;
    struct arena scratch = {0};
    const struct input_case *chosen = NULL;
    inputs_make(p->arena, &scratch, &project->schema, &p->pool, &p->find.configs[0], programs,
                count, &inputs);
    struct run_setup *setup = ARENA_NEW(p->arena, struct run_setup);
    struct run_setup best = {0};
    for (size_t i = 0; i < inputs.cases.count; i++) {
        const struct input_case *input = &inputs.cases.items[i];
        struct cell_verdict cell;
        struct judge_options plain = {0};
        *setup = (struct run_setup){.schema = &project->schema,
                                    .pool = &p->pool,
                                    .setup = input->setup.items,
                                    .setup_count = input->setup.count,
                                    .session_count = count};
        for (size_t k = 0; k < count; k++)
            setup->sessions[k] = (struct world_session){programs[k], input->args[k]};
        if (!judge_cell(&scratch, setup, &p->find.configs[0], &plain, &cell, err))
            break;
        if (cell.verdict == VERDICT_LOST) {
            best = *setup;
            break;
        }
        if (chosen == NULL || input->reached_count > chosen->reached_count) {
            chosen = input;
            best = *setup;
        }
    }
    arena_release(&scratch);
    if (best.schema == NULL)
        return false;
    *setup = best;
    return prove_setup(p, (struct str){0}, setup, symbols, err);
}

static enum cli_exit prove_django(struct prove *p) {
    const struct prove_options *options = p->options;
    const char *paths[DB_SESSIONS_MAX];
    struct django_project *project;
    struct err err;
    size_t given = options->input_count;
    size_t count = options->session_count > 0 ? options->session_count : given == 1 ? 2 : given;
    if (count > DB_SESSIONS_MAX) {
        too_many(count, &err);
        return pipeline_print_error(&err);
    }
    for (size_t i = 0; i < given; i++)
        paths[i] = str_to_c(p->arena, options->inputs[i].path);
    if (!django_load_around(p->arena, &p->pool, paths, given, &project, &err))
        return pipeline_print_error(&err);
    target_configs(&options->target, &project->settings, &p->find);
    const struct txn_program *programs[DB_SESSIONS_MAX];
    struct str *symbols = ARENA_ARRAY(p->arena, struct str, DB_SESSIONS_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct prove_input *input = &options->inputs[i % given];
        if (i >= given) {
            programs[i] = programs[i % given];
            symbols[i] = symbols[i % given];
            continue;
        }
        int function = django_find_function(project, input->path, input->function);
        const struct txn_program *program =
            function < 0 ? NULL
                         : django_lower(p->arena, &p->pool, project, (size_t)function,
                                        target_dialect(&p->find));
        if (program == NULL) {
            err_set(&err, (struct pos){0},
                    function < 0 ? "there is no function %.*s" : "%.*s does not touch the ORM",
                    STR_ARG(input->function));
            err_in_file(&err, input->path);
            return pipeline_print_error(&err);
        }
        programs[i] = program;
        symbols[i] = project->functions.items[function].symbol;
    }
    if (!prove_functions(p, project, programs, symbols, count, &err))
        return pipeline_print_error(&err);
    struct report report = {0};
    report_on_project(p->arena, project, &p->pool, &report);
    return print_runs(p, &report);
}

enum cli_exit prove_run(const struct prove_options *options) {
    struct prove prove = {.options = options, .arena = options->arena};
    text_pool_init(&prove.pool, options->arena);
    if (options->input_count == 1 && options->inputs[0].function.len == 0)
        return prove_txn(&prove, options->inputs[0].path);
    return prove_django(&prove);
}
