#include "cli/on_server.h"
#include "cli/prove_options.h"
#include "cli/scenario.h"
#include "cli/spec_run.h"

enum { ALL_SCHEDULES_STEPS_MAX = 20000000 };

struct prove {
    const struct prove_options *options;
    struct scenario scenario;
    VEC(struct report_run) runs;
    struct target target;
    struct on_server on;
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

static struct proof_options proof_options(struct prove *p) {
    struct proof_options options = {.all_schedules = p->options->all_schedules,
                                    .policies = target_policies(&p->target, p->on.engine),
                                    .versions = p->scenario.find.policies,
                                    .on_progress = on_server_progress,
                                    .context = &p->on};
    if (options.all_schedules)
        options.steps_max = ALL_SCHEDULES_STEPS_MAX;
    return options;
}

/* Whether the server lost a write at a level that decides. */
static bool server_lost(const struct prove *p, const struct proof *proof) {
    const struct find_options *find = &p->scenario.find;
    for (int i = 0; i < POLICY_COUNT; i++) {
        const struct proof_cell *cell = &proof->cells[i];
        for (size_t k = 0; cell->is_run && k < find->config_count; k++)
            if (cell->config.isolation == find->configs[k].isolation &&
                cell->config.innodb_snapshot_isolation ==
                    find->configs[k].innodb_snapshot_isolation &&
                cell->config.sqlite_immediate == find->configs[k].sqlite_immediate &&
                cell->server.verdict == VERDICT_LOST)
                return true;
    }
    return false;
}

/* The same runs on the real server. */
static bool prove_on_server(struct prove *p, struct err *err) {
    struct proof_options options = proof_options(p);
    struct arena scratch = {0};
    struct proof *proofs = ARENA_ARRAY(p->scenario.arena, struct proof, p->runs.count);
    size_t session_count = 1;
    bool ok = true;
    for (size_t i = 0; i < p->runs.count && ok; i++) {
        struct report_run *run = &p->runs.items[i];
        ok = proof_begin(&scratch, run->setup, &options, run->cells, &proofs[i], err);
        if (run->setup->session_count > session_count)
            session_count = run->setup->session_count;
    }
    ok = ok && on_server_open(&p->on, session_count, err);
    for (size_t i = 0; i < p->runs.count && ok; i++) {
        struct report_run *run = &p->runs.items[i];
        ok = proof_on_server(&scratch, run->setup, p->on.server, &options, &proofs[i], err);
        run->proof = &proofs[i];
        run->server = str_to_c(p->scenario.arena, p->on.name);
        p->has_lost |= ok && server_lost(p, &proofs[i]);
    }
    struct err left;
    if (!on_server_close(&p->on, &left)) {
        if (ok)
            *err = left;
        else
            pipeline_print_error(&left);
        ok = false;
    }
    arena_release(&scratch);
    return ok;
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
    struct prove prove = {.options = options, .target = options->target,
                          .scenario = {.arena = options->arena}};
    struct err err;
    if (finding_input_is_given(&options->finding))
        return prove_finding(options);
    if (options->compare.count > 0 && options->on.len > 0) {
        err_set(&err, (struct pos){0}, "--on: --compare is of built-in engines");
        return pipeline_print_error(&err);
    }
    if (options->compare.count > 0)
        return compare_run(options);
    if (spec_is_path(options->inputs.items.items[0].path))
        return spec_prove(options);
    text_pool_init(&prove.scenario.pool, options->arena);
    if (options->on.len > 0 &&
        !on_server_find(options->arena, options->on, &prove.target, &prove.on, &err))
        return pipeline_print_error(&err);
    if (!scenario_read(&prove.scenario, &options->inputs, &prove.target,
                       options->session_count, &err))
        return pipeline_print_error(&err);
    for (size_t i = 0; i < prove.scenario.runs.count; i++)
        if (!prove_one(&prove, &prove.scenario.runs.items[i], &err))
            return pipeline_print_error(&err);
    if (options->on.len > 0 && !prove_on_server(&prove, &err))
        return pipeline_print_error(&err);
    return print_runs(&prove);
}
