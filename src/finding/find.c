/* Which programs are run beside which: each alone, each beside itself, then each pair of which one changes what
 * the other writes back. */
#include "base/assert.h"
#include "base/parallel.h"
#include "finding/collect.h"
#include "finding/conflict.h"
#include "finding/writers.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { PARTNERS_MAX = 16, STEPS_MAX = 5000, CROSS_SWITCHES_MAX = 2 };
/* Units at once, how many subjects are looked through for them, and up to how many units are filled up with such as may turn out
 * to have had nothing to do. */
enum { BATCH_MAX = 256, PENDING_SEEN_MAX = 1024, BATCH_FILL = 4 };

/* Two different functions may well guard one row in two ways, each right beside itself; which of them is to change is
 * not to be seen from a schedule. So what counts between two functions is what is wrong in whichever way
 * the other writes: columns written back, a row resurrected. And only of the first: the second has its turn. */
static bool keeps(const struct judged_run *run, const struct culprit *culprit) {
    bool is_written_back = culprit->rule == RULE_STALE_SAVE || culprit->rule == RULE_RESURRECTED_ROW;
    return !run->is_cross || (is_written_back && culprit->session == 0);
}

/* An effect of a session that failed for a reason that only concurrency brings. */
static void find_early_effect(struct unit *unit, const struct judged_run *run,
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
            if (line->kind != RAN_EFFECT || !has_failed[line->session] || !line->in_transaction ||
                effect_kind_of(unit->options, line->at->name) == EFFECT_UNKNOWN)
                continue;
            struct culprit culprit = {.rule = RULE_EFFECT_BEFORE_COMMIT,
                                      .session = line->session, .at = line->at,
                                      .span = line->span, .table = SCHEMA_TABLES_MAX,
                                      .other = (uint8_t)(1 - line->session % 2),
                                      .read_transaction = 1, .write_transaction = 1};
            discover(unit, run, &culprit, schedule, config);
            return;
        }
    }
}

static bool shows_only(const struct witness *witness, enum rule rule) {
    for (size_t i = 0; i < witness->culprits.count; i++)
        if (witness->culprits.items[i].rule != rule)
            return false;
    return true;
}

static void discover_culprits(struct unit *unit, const struct judged_run *run,
                              const struct witness *witness, const struct schedule *schedule,
                              const struct db_config *config) {
    bool ends_alike = !run->is_cross && shows_only(witness, RULE_CHECK_THEN_ACT) &&
                      judge_ends_alike(unit->scratch, &run->setup, config, schedule);
    for (size_t i = 0; i < witness->culprits.count; i++) {
        if (!keeps(run, &witness->culprits.items[i]))
            continue;
        struct discovery *made = discover(unit, run, &witness->culprits.items[i], schedule, config);
        if (made != NULL)
            made->ends_alike = ends_alike;
    }
    if (witness->culprits.count == 0)
        VEC_PUSH(&unit->arena, &unit->stats.unexplained, run->setup.sessions[0].program->span);
}

/* The witness is of the unit's scratch: discoveries point into it. */
static void discover_in(struct unit *unit, const struct judged_run *run,
                        const struct cell_verdict *cell, const struct db_config *config) {
    struct witness witness;
    struct err err;
    if (!witness_make(unit->scratch, &run->setup, config, &cell->witness, &witness, &err))
        return;
    if (cell->verdict == VERDICT_LOST)
        discover_culprits(unit, run, &witness, &cell->witness, config);
    else
        find_early_effect(unit, run, &witness, &cell->witness, config);
}

static void judge_run(struct unit *unit, const struct judged_run *run,
                      const struct db_config *config) {
    struct judge_options options = {.steps_max = STEPS_MAX,
                                    .room = unit->room,
                                    .switches_max = run->is_cross ? CROSS_SWITCHES_MAX : 0,
                                    .only_first_saves = run->is_cross};
    struct cell_verdict cell;
    struct err err;
    struct arena scratch = {0};
    unit->stats.run_count++;
    if (judge_cell(&scratch, &run->setup, config, &options, &cell, &err)) {
        unit->stats.limit_count += cell.verdict == VERDICT_LIMIT;
        if ((cell.verdict == VERDICT_LOST || cell.has_failed_effects) && cell.has_witness)
            discover_in(unit, run, &cell, config);
    }
    arena_release(&scratch);
}

static void run_case(struct unit *unit, const struct subject *subjects, size_t count,
                     const struct input_case *input) {
    struct judged_run run = {.setup = {.schema = unit->schema, .pool = &unit->pool,
                                       .setup = input->setup.items,
                                       .setup_count = input->setup.count,
                                       .session_count = count}};
    run.is_cross = count > 1 && subjects[0].program != subjects[1].program;
    for (size_t i = 0; i < count; i++) {
        run.setup.sessions[i] = (struct world_session){subjects[i].program, input->args[i]};
        run.symbols[i] = subjects[i].symbol;
        run.roots[i] = subjects[i].root;
        run.assumptions[i] = subjects[i].assumption;
        run.is_summary[i] = subjects[i].is_summary;
        run.is_editable[i] = subjects[i].is_editable;
        run.is_command[i] = subjects[i].is_command;
        run.is_uncalled[i] = subjects[i].is_uncalled;
    }
    for (size_t i = 0; i < unit->options->config_count; i++)
        judge_run(unit, &run, &unit->options->configs[i]);
}

/* Steps that some case reached, and statements that write among them; 0: not known. */
struct reach {
    size_t steps, writes;
};

/* Runs the subjects, all in the schema at hand. `goal`: what of them can be reached. Answers what was. */
static struct reach run_inputs(struct unit *unit, const struct subject *subjects, size_t count,
                               struct reach goal) {
    const struct txn_program *programs[DB_SESSIONS_MAX];
    struct inputs inputs = {.goal = goal.steps};
    for (size_t i = 0; i < count; i++)
        programs[i] = subjects[i].program;
    bool is_pair = count > 1 && programs[0] != programs[1];
    if (is_pair)
        inputs.goal_writes = goal.writes;
    inputs_make(unit->scratch, unit->scratch, unit->schema, &unit->pool, &unit->options->configs[0], programs,
                count, is_pair ? INPUTS_STEPS : INPUTS_PATHS, &inputs);
    if (count == 1)
        find_alone(unit, &subjects[0], &inputs);
    for (size_t i = 0; i < inputs.cases.count; i++)
        if (!is_pair || inputs.cases.items[i].writers == (1u << count) - 1)
            run_case(unit, subjects, count, &inputs.cases.items[i]);
    return (struct reach){inputs.reached_count, inputs.reached_writes};
}

/* Subjects in a schema of their own, and what their runs share. */
struct runs {
    struct subject subjects[DB_SESSIONS_MAX];
    struct search_room room;
};

/* False, and noted, if they touch too many tables. */
static bool runs_open(struct unit *unit, const struct schema *schema,
                      const struct subject *const *subjects, size_t count, struct runs *runs) {
    const struct txn_program *programs[DB_SESSIONS_MAX];
    struct cut cut;
    *runs = (struct runs){0};
    for (size_t i = 0; i < count; i++)
        programs[i] = subjects[i]->program;
    unit_open(unit);
    unit->schema = NULL;
    unit->room = &runs->room;
    if (!cut_make(unit->scratch, schema, programs, count, &cut)) {
        unit->stats.run_count++;
        unit->stats.limit_count++;
        return false;
    }
    unit->schema = cut.schema;
    for (size_t i = 0; i < count; i++) {
        runs->subjects[i] = *subjects[i];
        runs->subjects[i].program = cut.programs[i];
    }
    return true;
}

static void runs_close(struct unit *unit, struct runs *runs) {
    search_room_release(&runs->room);
    unit_close(unit);
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
    const struct find_options *options;
    const struct schema *schema;
    struct text_pool *pool;
    const struct subject *subjects;
    size_t count;
    struct write_set *sets; /* and symbols: of each subject */
    struct str *symbols;
    struct reach *reached; /* alone */
    struct merge merge;
};

/* Alone, and beside itself. */
static void find_own(struct find *find, struct unit *unit, size_t subject) {
    const struct subject *pair[] = {&find->subjects[subject], &find->subjects[subject]};
    struct runs runs;
    bool has_pair = find->sets[subject].has_any;
    unit->stats.pair_count += has_pair;
    if (runs_open(unit, find->schema, pair, 2, &runs)) {
        find->reached[subject] = run_inputs(unit, runs.subjects, 1, (struct reach){0});
        if (has_pair)
            run_inputs(unit, runs.subjects, 2, find->reached[subject]);
    }
    runs_close(unit, &runs);
}

static bool is_sure(const struct find *find, size_t subject) {
    return find->subjects[subject].assumption.len == 0;
}

/* Whether one tells of the columns that the save writes back. */
static bool is_of_columns(enum rule rule, struct txn_span span, struct txn_span save) {
    return rule != RULE_RESURRECTED_ROW && is_same_finding(rule, span, RULE_STALE_SAVE, save);
}

/* Whether a save has a finding already, as sure as the saver can make it. */
static bool is_told(struct unit *unit, struct txn_span save, bool is_sure_of_saver) {
    for (size_t i = 0; i < unit->known->items.count; i++) {
        const struct finding *finding = &unit->known->items.items[i];
        if (is_of_columns(finding->rule, finding->span, save))
            return finding->assumption.len == 0 || !is_sure_of_saver;
    }
    for (size_t i = 0; i < unit->discoveries.count; i++) {
        const struct discovery *of = &unit->discoveries.items[i];
        if (of->plain == NULL && is_of_columns(of->culprit.rule, of->culprit.span, save) &&
            !discovery_is_nobodys(of) &&
            (!is_sure_of_saver || discovery_assumption(&unit->arena, of).len == 0))
            return true;
    }
    return false;
}

/* Whether a save has no finding yet, one that `partner` may show if it isn't NULL. */
static bool has_open_save(const struct find *find, struct unit *unit, size_t subject,
                          const struct write_set *partner) {
    const struct write_set *set = &find->sets[subject];
    for (size_t i = 0; i < set->saves.count; i++)
        if ((partner == NULL || save_is_hit(&set->saves.items[i], partner)) &&
            !is_told(unit, set->saves.items[i].span, is_sure(find, subject)))
            return true;
    return false;
}

/* Beside others that change what it writes back, until each of its saves has a finding. The saver is the first session,
 * the one that is interrupted: two context switches are enough for that, so no more are tried. */
static void find_across(struct find *find, struct unit *unit, size_t saver, bool is_near) {
    struct partners partners;
    struct arena scratch = {0};
    partners_find(&scratch, find->sets, find->symbols, find->count, saver, is_near, &partners);
    partners_sort(&partners, find->subjects);
    size_t tried = 0;
    for (size_t i = 0; i < partners.items.count; i++) {
        size_t partner = partners.items.items[i];
        if (!has_open_save(find, unit, saver, &find->sets[partner]))
            continue;
        if (tried++ >= PARTNERS_MAX) {
            unit->stats.skipped_count++;
            continue;
        }
        const struct subject *pair[] = {&find->subjects[saver], &find->subjects[partner]};
        struct reach a = find->reached[saver], b = find->reached[partner], goal = {0};
        if (b.steps > 0)
            goal = (struct reach){a.steps + b.steps, a.writes + b.writes};
        struct runs runs;
        unit->stats.pair_count++;
        if (runs_open(unit, find->schema, pair, 2, &runs))
            run_inputs(unit, runs.subjects, 2, goal);
        runs_close(unit, &runs);
    }
    arena_release(&scratch);
}

static bool is_reached(const struct find *find, size_t subject) {
    const struct write_set *set = &find->sets[subject];
    struct arena scratch = {0};
    bool is_whole = true;
    for (size_t i = 0; i < set->writes.count && is_whole; i++)
        is_whole = map_has(&find->merge.reached, place_key(&scratch, set->writes.items[i]));
    arena_release(&scratch);
    return is_whole;
}

/* Units that are worked at side by side: one a subject. */
struct batch {
    struct find *find;
    enum batch_kind { OWN, OWN_OF_PART, ACROSS_NEAR, ACROSS_FAR } kind;
    size_t subjects[BATCH_MAX];
    size_t count;
    struct unit *units;
    size_t passed, total; /* subjects of earlier batches, and of all batches of the kind */
    atomic_size_t finished;
};

static void do_unit(void *context, size_t item) {
    struct batch *batch = context;
    struct unit *unit = &batch->units[item];
    size_t subject = batch->subjects[item];
    if (batch->kind == OWN || batch->kind == OWN_OF_PART)
        find_own(batch->find, unit, subject);
    else
        find_across(batch->find, unit, subject, batch->kind == ACROSS_NEAR);
    const struct find_options *options = batch->find->options;
    if (options->on_progress != NULL)
        options->on_progress(options->progress_context, batch->kind > OWN_OF_PART,
                             batch->passed + atomic_fetch_add(&batch->finished, 1) + 1,
                             batch->total);
}

static void run_batch(struct batch *batch) {
    struct find *find = batch->find;
    batch->units = ARENA_ARRAY(find->merge.arena, struct unit, batch->count);
    for (size_t i = 0; i < batch->count; i++)
        unit_init(&batch->units[i], find->options, find->merge.findings, find->pool);
    atomic_init(&batch->finished, 0);
    parallel_run(find_threads(find->options), batch->count, do_unit, batch);
    merge_units(&find->merge, batch->units, batch->count);
    batch->count = 0;
}

/* Whether there is anything to do for a subject, as things stand. */
static bool is_due(struct find *find, enum batch_kind kind, size_t subject) {
    if (kind == OWN)
        return true;
    if (kind == OWN_OF_PART && is_reached(find, subject)) {
        find->sets[subject] = (struct write_set){0}; /* others have done its work */
        return false;
    }
    struct unit known = {.known = find->merge.findings};
    return kind == OWN_OF_PART || has_open_save(find, &known, subject, NULL);
}

/* Takes the places that a subject's work hangs on: what others before it come to. False if somebody has one already. */
static bool claim(struct find *find, enum batch_kind kind, size_t subject, struct map *claimed) {
    const struct write_set *set = &find->sets[subject];
    size_t count = kind == OWN ? 0 : kind == OWN_OF_PART ? set->writes.count : set->saves.count;
    bool is_free = true;
    for (size_t i = 0; i < count; i++) {
        struct txn_span place = kind == OWN_OF_PART ? set->writes.items[i] : set->saves.items[i].span;
        struct str key = place_key(claimed->arena, place);
        const void *owner = map_get(claimed, key);
        is_free &= owner == NULL || owner == set;
        if (owner == NULL)
            map_put(claimed, key, (void *)set);
    }
    return is_free;
}

/* Small batches are filled up, so that there is work for more than one core. A part can't be guessed at: what it does wrong
 * alone may be right where it is called. */
static size_t fill_up(struct batch *batch, size_t *kept, size_t kept_count) {
    size_t left = 0;
    for (size_t i = 0; i < kept_count; i++)
        if (batch->count < BATCH_FILL && batch->kind != OWN_OF_PART)
            batch->subjects[batch->count++] = kept[i];
        else
            kept[left++] = kept[i];
    return left;
}

/* What hangs on another subject's work waits for a later batch, so all is found as if one subject were worked at after the
 * other. */
static void run_batches(struct find *find, enum batch_kind kind) {
    size_t *pending = mem_alloc(find->count * sizeof(*pending)), pending_count = 0;
    struct batch batch = {.find = find, .kind = kind};
    bool is_for_parts = kind == OWN_OF_PART;
    for (size_t i = 0; i < find->count; i++) {
        const struct subject *subject = &find->subjects[i];
        bool is_wanted = kind > OWN_OF_PART || subject->is_part == is_for_parts;
        if (subject->has_code && is_wanted)
            pending[pending_count++] = i;
    }
    batch.total = pending_count;
    while (pending_count > 0) {
        struct arena scratch = {0};
        struct map claimed;
        size_t at = 0, kept = 0;
        map_init(&claimed, &scratch);
        for (; at < pending_count && at < PENDING_SEEN_MAX && batch.count < BATCH_MAX; at++) {
            size_t subject = pending[at];
            if (!is_due(find, kind, subject))
                continue;
            if (claim(find, kind, subject, &claimed))
                batch.subjects[batch.count++] = subject;
            else
                pending[kept++] = subject;
        }
        kept = fill_up(&batch, pending, kept);
        memmove(pending + kept, pending + at, (pending_count - at) * sizeof(*pending));
        pending_count -= at - kept;
        batch.passed = batch.total - pending_count - batch.count;
        arena_release(&scratch);
        run_batch(&batch);
    }
    free(pending);
}

void find_all(struct arena *arena, const struct schema *schema, struct text_pool *pool,
              const struct subject *subjects, size_t subject_count,
              const struct find_options *options, struct findings *findings,
              struct find_stats *stats) {
    LW_ASSERT(options->config_count > 0);
    *stats = (struct find_stats){0};
    struct arena scratch = {0};
    struct find find = {.options = options,
                        .schema = schema,
                        .pool = pool,
                        .subjects = subjects,
                        .count = subject_count,
                        .sets = ARENA_ARRAY(&scratch, struct write_set, subject_count),
                        .symbols = ARENA_ARRAY(&scratch, struct str, subject_count),
                        .reached = ARENA_ARRAY(&scratch, struct reach, subject_count),
                        .merge = {arena, options, findings, stats, {0}, {0}}};
    map_init(&find.merge.reached, &scratch);
    for (size_t i = 0; i < subject_count; i++) {
        find.symbols[i] = subjects[i].symbol;
        write_set_make(&scratch, subjects[i].program, &find.sets[i]);
    }
    run_batches(&find, OWN);
    run_batches(&find, OWN_OF_PART);
    /* A writer next door is the better example: first all near ones, then the others. */
    run_batches(&find, ACROSS_NEAR);
    run_batches(&find, ACROSS_FAR);
    for (size_t i = 0; i < findings->items.count; i++)
        find_writers(arena, schema, subjects, find.sets, subject_count, &findings->items.items[i]);
    arena_release(&scratch);
    if (findings->items.count > 1)
        qsort(findings->items.items, findings->items.count, sizeof(struct finding),
              compare_findings);
    findings_set_ids(arena, findings);
}

bool find_in_run(struct arena *arena, const struct run_setup *setup, const struct str *symbols,
                 const struct find_options *options, const struct judge_options *judge,
                 struct cell_verdict cells[POLICY_COUNT], struct findings *findings,
                 struct err *err) {
    struct find_stats stats = {0};
    struct find_options one_thread = *options; /* a run may be one on a server */
    struct merge merge = {arena, &one_thread, findings, &stats, {0}, {0}};
    struct judged_run run = {.setup = *setup};
    struct unit *unit = ARENA_NEW(arena, struct unit);
    bool is_judged = true;
    one_thread.thread_count = 1;
    map_init(&merge.reached, arena);
    memcpy(run.symbols, symbols, setup->session_count * sizeof(*symbols));
    judge_table(setup, &options->policies, POLICIES_ALL, judge, cells);
    unit_init(unit, options, findings, setup->pool);
    unit_open(unit);
    unit->schema = setup->schema;
    for (size_t i = 0; i < options->config_count && is_judged; i++) {
        struct cell_verdict cell;
        struct judge_options plain = {.steps_max = judge->steps_max};
        is_judged = judge_cell(unit->scratch, setup, &options->configs[i], &plain, &cell, err);
        if (is_judged && cell.verdict == VERDICT_LOST)
            discover_in(unit, &run, &cell, &options->configs[i]);
    }
    unit_close(unit);
    if (is_judged) {
        merge_units(&merge, unit, 1);
        findings_set_ids(arena, findings);
    } else {
        unit_release(unit);
    }
    return is_judged;
}
