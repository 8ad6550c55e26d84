#include "base/assert.h"
#include "cli/clause.h"
#include "cli/prove_options.h"
#include "cli/scenario.h"
#include "cli/spec_run.h"

enum { ALL_SCHEDULES_STEPS_MAX = 20000000 };

struct compare {
    const struct prove_options *options;
    struct scenario scenario;
    VEC(struct compare_run) runs;
    bool has_lost;
};

/* The server's levels if none were named. SQLite's are the ways in which its transactions begin. */
static size_t levels_of(const struct compare_target *target, struct target *levels) {
    static const char *const names[] = {"read committed", "repeatable read", "serializable"};
    static const char *const sqlite[] = {"deferred", "immediate"};
    bool is_sqlite = target->server.engine == ENGINE_SQLITE;
    size_t count = target->level_count;
    for (size_t i = 0; i < count; i++)
        levels[i] = target->levels[i];
    for (size_t i = 0; target->level_count == 0 && i < (is_sqlite ? 2 : 3); i++) {
        levels[count] = target->server;
        if (target_set_isolation(&levels[count], str_from_c(is_sqlite ? sqlite[i] : names[i]), NULL))
            count++;
    }
    return count;
}

static struct db_config config_of(const struct compare *c, const struct target *target) {
    struct find_options find = {0};
    target_configs(target, c->scenario.project != NULL ? &c->scenario.project->settings : NULL,
                   &find);
    return find.configs[0];
}

static bool same_level(const struct db_config *a, const struct db_config *b) {
    return a->isolation == b->isolation && a->sqlite_immediate == b->sqlite_immediate;
}

static bool judge_side(struct compare *c, const struct run_setup *setup,
                       const struct compare_target *target, struct compare_side *side,
                       struct err *err) {
    struct target levels[COMPARE_LEVELS_MAX];
    struct db_config usual = config_of(c, &target->server);
    struct judge_options judge = {.all_schedules = c->options->all_schedules};
    if (judge.all_schedules)
        judge.steps_max = ALL_SCHEDULES_STEPS_MAX;
    side->engine = target->server.engine;
    side->version = target->server.version;
    side->cell_count = levels_of(target, levels);
    for (size_t i = 0; i < side->cell_count; i++) {
        struct compare_cell *cell = &side->cells[i];
        struct arena scratch = {0};
        cell->config = config_of(c, &levels[i]);
        cell->is_default = same_level(&cell->config, &usual) &&
                           is_snapshot_isolation(&cell->config) == is_snapshot_isolation(&usual);
        bool ok = judge_cell(&scratch, setup, &cell->config, &judge, &cell->cell, err);
        arena_release(&scratch);
        if (!ok)
            return false;
        c->has_lost |= cell->cell.verdict == VERDICT_LOST;
    }
    return true;
}

/* Levels side by side: as they were named, if as many were named of each; else those of one name; last the
 * levels of sessions that ask for none, if that is another pair. */
static void make_pairs(const struct compare_target *targets, struct compare_run *run, size_t move) {
    const struct compare_side *from = &run->sides[move], *to = &run->sides[move + 1];
    struct compare_move *m = &run->moves[move];
    bool in_order = targets[move].level_count > 0 &&
                    targets[move].level_count == targets[move + 1].level_count;
    for (size_t i = 0; i < from->cell_count; i++)
        for (size_t k = 0; k < to->cell_count; k++)
            if (in_order ? i == k : same_level(&from->cells[i].config, &to->cells[k].config)) {
                LW_ASSERT(m->pair_count < COMPARE_LEVELS_MAX);
                m->pairs[m->pair_count++] = (struct compare_pair){.from = i, .to = k};
                break;
            }
    for (size_t i = 0; !in_order && i < from->cell_count; i++)
        for (size_t k = 0; k < to->cell_count; k++)
            if (from->cells[i].is_default && to->cells[k].is_default &&
                !same_level(&from->cells[i].config, &to->cells[k].config)) {
                LW_ASSERT(m->pair_count <= COMPARE_LEVELS_MAX); /* a side has one default */
                m->pairs[m->pair_count++] = (struct compare_pair){.from = i, .to = k};
            }
}

static bool make_end(struct compare *c, const struct run_setup *setup,
                     const struct db_config *config, const struct schedule *schedule,
                     struct compare_end *end, struct err *err) {
    struct arena *arena = c->scenario.arena;
    return witness_make(arena, setup, config, schedule, &end->witness, err) &&
           judge_serial_texts(arena, setup, config, &end->serial, err);
}

/* The schedule that shows what a pair differs in, on both: the one that loses, if one does. */
static bool make_ends(struct compare *c, const struct compare_run *run, size_t move,
                      struct compare_pair *pair, struct err *err) {
    const struct compare_cell *from = &run->sides[move].cells[pair->from],
                              *to = &run->sides[move + 1].cells[pair->to];
    pair->is_of_to = from->cell.verdict != VERDICT_LOST && to->cell.has_witness;
    const struct cell_verdict *of = pair->is_of_to ? &to->cell : &from->cell;
    pair->has_ends = of->has_witness && compare_differs(run, from, to);
    return !pair->has_ends ||
           (make_end(c, run->setup, &from->config, &of->witness, &pair->from_end, err) &&
            make_end(c, run->setup, &to->config, &of->witness, &pair->to_end, err));
}

static bool make_move(struct compare *c, struct compare_run *run, size_t move, struct err *err) {
    make_pairs(c->options->compare.items, run, move);
    if (run->moves[move].pair_count == 0)
        return err_set(err, (struct pos){0}, "no level in common; name one of each, as in "
                       "mysql/serializable sqlite/immediate");
    for (size_t i = 0; i < run->moves[move].pair_count; i++)
        if (!make_ends(c, run, move, &run->moves[move].pairs[i], err))
            return false;
    return true;
}

/* What a server does not understand at all is not compared. */
static bool check_clauses(const struct compare *c, const struct run_setup *setup, struct err *err) {
    const struct compare_targets *targets = &c->options->compare;
    for (size_t side = 0; side < targets->count; side++)
        for (size_t i = 0; i < setup->session_count; i++) {
            struct db_config config = config_of(c, &targets->items[side].server);
            if (!clause_check(&setup->sessions[i].program, 1, &config, err))
                return false;
        }
    return true;
}

static bool compare_one(struct compare *c, const struct scenario_run *from, struct err *err) {
    const struct compare_targets *targets = &c->options->compare;
    if (!check_clauses(c, from->setup, err))
        return false;
    struct compare_run *run = ARENA_NEW(c->scenario.arena, struct compare_run);
    run->name = from->name;
    run->setup = from->setup;
    run->symbols = from->symbols;
    run->has_counts = c->options->all_schedules;
    run->side_count = targets->count;
    for (size_t i = 0; i < targets->count; i++)
        if (!judge_side(c, from->setup, &targets->items[i], &run->sides[i], err))
            return false;
    for (size_t move = 0; move + 1 < run->side_count; move++)
        if (!make_move(c, run, move, err))
            return false;
    VEC_PUSH(c->scenario.arena, &c->runs, *run);
    return true;
}

/* Reads the inputs as for one of the servers: its dialect decides how SQL is read and written, and what is lost there
 * which rows and arguments are shown. */
static bool compare_as(struct compare *c, size_t side, struct err *err) {
    struct arena *arena = c->options->arena;
    c->scenario = (struct scenario){.arena = arena};
    memset(&c->runs, 0, sizeof(c->runs)); /* those of an attempt before may be kept */
    text_pool_init(&c->scenario.pool, arena);
    if (!scenario_read(&c->scenario, &c->options->inputs, &c->options->compare.items[side].server,
                       c->options->session_count, err))
        return false;
    for (size_t i = 0; i < c->scenario.runs.count; i++)
        if (!compare_one(c, &c->scenario.runs.items[i], err))
            return false;
    return true;
}

/* As for the first server; as for another if that can't be, or if nothing is lost with the rows that it chose. */
static bool compare_all(struct compare *c, struct err *err) {
    struct err later;
    bool is_done = compare_as(c, 0, err);
    for (size_t side = 1; side < c->options->compare.count; side++) {
        bool is_chosen = is_done && c->scenario.project != NULL && !c->has_lost;
        if (is_done && !is_chosen)
            return true;
        struct compare before = *c;
        bool is_better = compare_as(c, side, &later) && (!is_done || c->has_lost);
        if (!is_better)
            *c = before;
        is_done |= is_better;
    }
    return is_done;
}

enum cli_exit compare_run(const struct prove_options *options) {
    struct compare c = {.options = options};
    struct err err;
    struct str path = options->inputs.items.items[0].path;
    if (spec_is_path(path)) {
        err_set(&err, (struct pos){0}, "--compare is for FILE.txn and PATH.py:FUNCTION");
        err_in_file(&err, path);
        return pipeline_print_error(&err);
    }
    if (!compare_all(&c, &err))
        return pipeline_print_error(&err);
    struct report report = {.is_colored = color_wanted(options->color, stdout),
                            .width = terminal_width(stdout),
                            .is_verbose = options->is_verbose};
    struct buf out = {0};
    scenario_report(&c.scenario, &report);
    if (options->format == PROVE_JSON)
        report_compare_json(&report, c.runs.items, c.runs.count, &out);
    else
        report_compare_text(&report, c.runs.items, c.runs.count, &out);
    return pipeline_print(&out, c.has_lost ? CLI_FINDINGS : CLI_CLEAN);
}
