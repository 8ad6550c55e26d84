/* Which programs are run beside which: each alone, each beside itself, then each pair of which one changes what
 * the other writes back. */
#include "base/assert.h"
#include "finding/collect.h"
#include "finding/conflict.h"
#include "finding/writers.h"

#include <stdlib.h>

enum { PARTNERS_MAX = 16, STEPS_MAX = 5000, CROSS_SWITCHES_MAX = 2 };

static bool is_cross(const struct judged_run *run) {
    return run->setup.session_count > 1 &&
           run->setup.sessions[0].program != run->setup.sessions[1].program;
}

/* Two different functions may well guard one row in two ways, each right beside itself; which of them is to change is
 * not to be seen from a schedule. So what counts between two functions is what is wrong in whichever way
 * the other writes: columns written back, a row resurrected. */
static bool keeps(const struct judged_run *run, const struct culprit *culprit) {
    return !is_cross(run) || culprit->rule == RULE_STALE_SAVE || culprit->rule == RULE_RESURRECTED_ROW;
}

/* What a summary writes back, or writes itself: nobody can change that. Counted. */
static bool is_nobodys(struct collector *c, const struct judged_run *run,
                       const struct culprit *culprit) {
    if (!run->is_summary[culprit->session] ||
        (run->is_editable[culprit->session] && !run->is_summary[culprit->other]))
        return false;
    struct txn_span span = run->setup.sessions[culprit->session].program->span;
    bool is_written_back = culprit->rule == RULE_STALE_SAVE || culprit->rule == RULE_RESURRECTED_ROW;
    if (!is_written_back && !same_place(culprit->span, span))
        return false;
    for (size_t i = 0; i < c->in_summaries.count; i++)
        if (same_place(c->in_summaries.items[i], span))
            return true;
    VEC_PUSH(c->arena, &c->in_summaries, span);
    c->stats->summary_count++;
    return true;
}

/* An effect of a session that failed for a reason that only concurrency brings. */
static void find_early_effect(struct collector *c, const struct judged_run *run,
                              const struct witness *witness, const struct schedule *schedule,
                              const struct db_config *config) {
    bool has_failed[DB_SESSIONS_MAX] = {false};
    for (size_t i = 0; i < witness->steps.count; i++)
        for (size_t k = 0; k < witness->steps.items[i].lines.count; k++) {
            const struct witness_line *line = &witness->steps.items[i].lines.items[k];
            has_failed[line->session] |= str_starts(line->result, "error ");
        }
    for (size_t i = 0; i < witness->steps.count; i++) {
        for (size_t k = 0; k < witness->steps.items[i].lines.count; k++) {
            const struct witness_line *line = &witness->steps.items[i].lines.items[k];
            if (line->kind != TRACE_EFFECT || !has_failed[line->session] || !line->in_transaction)
                continue;
            struct culprit culprit = {.rule = RULE_EFFECT_BEFORE_COMMIT,
                                      .session = line->session, .at = line->at,
                                      .span = line->span, .table = SCHEMA_TABLES_MAX,
                                      .other = (uint8_t)(1 - line->session % 2),
                                      .read_transaction = 1, .write_transaction = 1};
            add_finding(c, run, &culprit, schedule, config);
            return;
        }
    }
}

static void add_culprits(struct collector *c, const struct judged_run *run,
                         const struct witness *witness, const struct schedule *schedule,
                         const struct db_config *config) {
    for (size_t i = 0; i < witness->culprits.count; i++)
        if (keeps(run, &witness->culprits.items[i]) &&
            !is_nobodys(c, run, &witness->culprits.items[i]))
            add_finding(c, run, &witness->culprits.items[i], schedule, config);
    if (witness->culprits.count == 0)
        VEC_PUSH(c->arena, &c->stats->unexplained, run->setup.sessions[0].program->span);
}

static void judge_run(struct collector *c, const struct judged_run *run,
                      const struct db_config *config) {
    struct judge_options options = {.steps_max = STEPS_MAX,
                                    .room = &c->room,
                                    .switches_max = is_cross(run) ? CROSS_SWITCHES_MAX : 0,
                                    .only_first_saves = is_cross(run)};
    struct cell_verdict cell;
    struct witness witness;
    struct err err;
    struct arena scratch = {0};
    c->stats->run_count++;
    if (judge_cell(&scratch, &run->setup, config, &options, &cell, &err)) {
        c->stats->limit_count += cell.verdict == VERDICT_LIMIT;
        bool shows = cell.verdict == VERDICT_LOST || cell.has_failed_effects;
        if (shows && cell.has_witness &&
            witness_make(&scratch, &run->setup, config, &cell.witness, &witness, &err)) {
            if (cell.verdict == VERDICT_LOST)
                add_culprits(c, run, &witness, &cell.witness, config);
            else
                find_early_effect(c, run, &witness, &cell.witness, config);
        }
    }
    arena_release(&scratch);
}

static void run_case(struct collector *c, const struct subject *subjects, size_t count,
                     const struct input_case *input) {
    struct judged_run run = {.setup = {.schema = c->schema, .pool = c->pool,
                                       .setup = input->setup.items,
                                       .setup_count = input->setup.count,
                                       .session_count = count}};
    for (size_t i = 0; i < count; i++) {
        run.setup.sessions[i] = (struct world_session){subjects[i].program, input->args[i]};
        run.symbols[i] = subjects[i].symbol;
        run.roots[i] = subjects[i].root;
        run.assumptions[i] = subjects[i].assumption;
        run.is_summary[i] = subjects[i].is_summary;
        run.is_editable[i] = subjects[i].is_editable;
    }
    for (size_t i = 0; i < c->options->config_count; i++)
        judge_run(c, &run, &c->options->configs[i]);
}

/* Steps that some case reached, and statements that write among them; 0: not known. */
struct reach {
    size_t steps, writes;
};

/* Runs the subjects, all in the schema at hand. Answers what of them was reached. */
static struct reach run_inputs(struct collector *c, const struct subject *subjects, size_t count,
                               struct reach goal) {
    const struct txn_program *programs[DB_SESSIONS_MAX];
    struct inputs inputs = {.goal = goal.steps};
    for (size_t i = 0; i < count; i++)
        programs[i] = subjects[i].program;
    bool is_pair = count > 1 && programs[0] != programs[1];
    if (is_pair)
        inputs.goal_writes = goal.writes;
    inputs_make(c->scratch, c->scratch, c->schema, c->pool, &c->options->configs[0], programs,
                count, is_pair ? INPUTS_STEPS : INPUTS_PATHS, &inputs);
    if (count == 1)
        find_alone(c, &subjects[0], &inputs);
    for (size_t i = 0; i < inputs.cases.count; i++)
        if (!is_pair || inputs.cases.items[i].writers == (1u << count) - 1)
            run_case(c, subjects, count, &inputs.cases.items[i]);
    return (struct reach){inputs.reached_count, inputs.reached_writes};
}

/* `goal`: what of them can be reached. Answers what was. */
static struct reach run_subjects(struct collector *c, const struct subject *const *subjects,
                                 size_t count, struct reach goal) {
    struct reach reached = {0};
    const struct txn_program *programs[DB_SESSIONS_MAX];
    const struct schema *whole = c->schema;
    struct subject cut_subjects[DB_SESSIONS_MAX];
    struct cut cut;
    struct arena scratch = {0};
    for (size_t i = 0; i < count; i++)
        programs[i] = subjects[i]->program;
    if (!cut_make(&scratch, whole, c->pool, programs, count, &cut)) {
        c->stats->run_count++;
        c->stats->limit_count++;
    } else {
        for (size_t i = 0; i < count; i++) {
            cut_subjects[i] = *subjects[i];
            cut_subjects[i].program = cut.programs[i];
        }
        c->scratch = &scratch;
        c->schema = cut.schema;
        reached = run_inputs(c, cut_subjects, count, goal);
        search_room_release(&c->room);
        c->schema = whole;
    }
    arena_release(&scratch);
    return reached;
}

static int compare_findings(const void *a, const void *b) {
    const struct finding *left = a, *right = b;
    int order = str_compare(left->span.path, right->span.path);
    if (order != 0)
        return order;
    if (left->span.start.line != right->span.start.line)
        return left->span.start.line < right->span.start.line ? -1 : 1;
    if (left->span.start.column != right->span.start.column)
        return left->span.start.column < right->span.start.column ? -1 : 1;
    return (int)left->rule - (int)right->rule;
}

struct find {
    struct collector *c;
    struct arena *arena;
    const struct subject *subjects;
    size_t count;
    struct write_set *sets; /* and symbols: of each subject */
    struct str *symbols;
    struct reach *reached; /* alone */
};

/* Alone, and beside itself. */
static void find_own(struct find *find, size_t subject) {
    const struct subject *pair[] = {&find->subjects[subject], &find->subjects[subject]};
    if (!pair[0]->has_code)
        return;
    find->reached[subject] = run_subjects(find->c, pair, 1, (struct reach){0});
    if (!find->sets[subject].has_any)
        return;
    find->c->stats->pair_count++;
    run_subjects(find->c, pair, 2, find->reached[subject]);
}

static bool is_sure(const struct find *find, size_t subject) {
    return find->subjects[subject].assumption.len == 0;
}

static bool has_open_save(const struct find *find, size_t subject) {
    const struct write_set *set = &find->sets[subject];
    for (size_t i = 0; i < set->saves.count; i++) {
        const struct finding *finding =
            finding_at(find->c->findings, set->saves.items[i], RULE_STALE_SAVE);
        if (finding == NULL || (finding->assumption.len > 0 && is_sure(find, subject)))
            return true;
    }
    return false;
}

/* Beside others that change what it writes back, until each of its saves has a finding. The saver is the first session,
 * the one that is interrupted: two context switches are enough for that, so no more are tried. */
static void find_across(struct find *find, size_t saver, bool is_near) {
    struct partners partners;
    if (!find->subjects[saver].has_code)
        return;
    partners_find(find->arena, find->sets, find->symbols, find->count, saver, is_near,
                  &partners);
    partners_sort(&partners, find->subjects);
    size_t tried = 0;
    for (size_t i = 0; i < partners.items.count && has_open_save(find, saver); i++) {
        if (tried++ >= PARTNERS_MAX) {
            find->c->stats->skipped_count++;
            continue;
        }
        size_t partner = partners.items.items[i];
        const struct subject *pair[] = {&find->subjects[saver], &find->subjects[partner]};
        struct reach a = find->reached[saver], b = find->reached[partner], goal = {0};
        if (b.steps > 0)
            goal = (struct reach){a.steps + b.steps, a.writes + b.writes};
        find->c->stats->pair_count++;
        run_subjects(find->c, pair, 2, goal);
    }
}

static bool is_reached(const struct find *find, size_t subject) {
    const struct write_set *set = &find->sets[subject];
    for (size_t i = 0; i < set->writes.count; i++)
        if (!map_has(find->c->reached, place_key(find->arena, set->writes.items[i])))
            return false;
    return true;
}

void find_all(struct arena *arena, const struct schema *schema, struct text_pool *pool,
              const struct subject *subjects, size_t subject_count,
              const struct find_options *options, struct findings *findings,
              struct find_stats *stats) {
    struct collector c = {.arena = arena, .schema = schema, .pool = pool, .options = options,
                          .findings = findings, .stats = stats};
    LW_ASSERT(options->config_count > 0);
    *stats = (struct find_stats){0};
    struct arena scratch = {0};
    struct map reached;
    map_init(&reached, arena);
    c.reached = &reached;
    struct find find = {.c = &c,
                        .arena = &scratch,
                        .subjects = subjects,
                        .count = subject_count,
                        .sets = ARENA_ARRAY(&scratch, struct write_set, subject_count),
                        .symbols = ARENA_ARRAY(&scratch, struct str, subject_count),
                        .reached = ARENA_ARRAY(&scratch, struct reach, subject_count)};
    for (size_t i = 0; i < subject_count; i++) {
        find.symbols[i] = subjects[i].symbol;
        write_set_make(&scratch, subjects[i].program, &find.sets[i]);
        if (subjects[i].is_part && is_reached(&find, i))
            find.sets[i] = (struct write_set){0}; /* others have done its work */
        else
            find_own(&find, i);
    }
    /* A writer next door is the better example: first all near ones, then the others. */
    for (size_t i = 0; i < subject_count; i++)
        find_across(&find, i, true);
    for (size_t i = 0; i < subject_count; i++)
        find_across(&find, i, false);
    for (size_t i = 0; i < findings->items.count; i++)
        find_writers(arena, schema, subjects, find.sets, subject_count, &findings->items.items[i]);
    arena_release(&scratch);
    if (findings->items.count > 1)
        qsort(findings->items.items, findings->items.count, sizeof(struct finding),
              compare_findings);
    findings_set_ids(arena, findings);
}
