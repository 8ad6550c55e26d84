#include "cli/prove_options.h"
#include "cli/scenario.h"
#include "cli/spec_run.h"

enum { ALL_SCHEDULES_STEPS_MAX = 20000000 };

struct prove {
    const struct prove_options *options;
    struct scenario scenario;
    VEC(struct report_run) runs;
    bool has_lost;
};

/* The schedule to show of a run: of the first level asked for that loses or fails. */
static bool make_witness(struct prove *p, const struct run_setup *setup, struct report_run *run,
                         struct err *err) {
    const struct find_options *find = &p->scenario.find;
    struct arena *arena = p->scenario.arena;
    for (size_t i = 0; i < find->config_count; i++) {
        const struct db_config *config = &find->configs[i];
        struct judge_options plain = {0};
        struct cell_verdict cell;
        struct arena scratch = {0};
        bool ok = judge_cell(&scratch, setup, config, &plain, &cell, err);
        arena_release(&scratch);
        if (!ok)
            return false;
        p->has_lost |= cell.verdict == VERDICT_LOST;
        if (!cell.has_witness || run->has_witness)
            continue;
        run->has_witness = true;
        run->witness_config = *config;
        if (!witness_make(arena, setup, config, &cell.witness, &run->witness, err) ||
            !judge_serial_texts(arena, setup, config, &run->serial, err))
            return false;
    }
    return true;
}

static bool prove_one(struct prove *p, const struct scenario_run *from, struct err *err) {
    struct arena *arena = p->scenario.arena;
    struct cell_verdict *cells = ARENA_ARRAY(arena, struct cell_verdict, POLICY_COUNT);
    struct findings *findings = ARENA_NEW(arena, struct findings);
    struct judge_options judge = {.all_schedules = p->options->all_schedules};
    if (judge.all_schedules)
        judge.steps_max = ALL_SCHEDULES_STEPS_MAX;
    if (!find_in_run(arena, from->setup, from->symbols, &p->scenario.find, &judge, cells, findings,
                     err))
        return false;
    struct report_run run = {.name = from->name,
                             .setup = from->setup,
                             .symbols = from->symbols,
                             .cells = cells,
                             .has_counts = p->options->all_schedules,
                             .findings = findings};
    if (!make_witness(p, from->setup, &run, err))
        return false;
    VEC_PUSH(arena, &p->runs, run);
    return true;
}

static enum cli_exit print_runs(struct prove *p) {
    struct report report = {.is_colored = color_wanted(p->options->color, stdout),
                            .width = terminal_width(stdout),
                            .is_verbose = p->options->is_verbose};
    struct buf out = {0};
    scenario_report(&p->scenario, &report);
    if (p->options->format == PROVE_JSON)
        report_prove_json(&report, p->runs.items, p->runs.count, &out);
    else
        report_prove_text(&report, p->runs.items, p->runs.count, &out);
    return pipeline_print(&out, p->has_lost ? CLI_FINDINGS : CLI_CLEAN);
}

enum cli_exit prove_run(const struct prove_options *options) {
    if (options->compare.count > 0)
        return compare_run(options);
    if (spec_is_path(options->inputs.items.items[0].path))
        return spec_prove(options);
    struct prove prove = {.options = options, .scenario = {.arena = options->arena}};
    struct err err;
    text_pool_init(&prove.scenario.pool, options->arena);
    if (!scenario_read(&prove.scenario, &options->inputs, &options->target,
                       options->session_count, &err))
        return pipeline_print_error(&err);
    for (size_t i = 0; i < prove.scenario.runs.count; i++)
        if (!prove_one(&prove, &prove.scenario.runs.items[i], &err))
            return pipeline_print_error(&err);
    return print_runs(&prove);
}
