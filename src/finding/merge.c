/* Units of work, and what becomes of what they show. Which units there are and in which order they are put together
 * does not hang on how many threads there are, so neither do the findings. */
#include "base/assert.h"
#include "base/parallel.h"
#include "finding/collect.h"

void unit_init(struct unit *unit, const struct find_options *options, const struct findings *known,
               const struct text_pool *pool) {
    *unit = (struct unit){.options = options, .known = known};
    text_pool_init_over(&unit->pool, &unit->arena, pool);
    map_init(&unit->reached, &unit->arena);
}

void unit_open(struct unit *unit) {
    struct arena *runs = ARENA_NEW(&unit->arena, struct arena);
    VEC_PUSH(&unit->arena, &unit->runs, runs);
    unit->scratch = runs;
}

static bool has_discovery_of(const struct unit *unit, const struct schema *schema) {
    size_t count = unit->discoveries.count;
    if (count == 0)
        return false;
    const struct discovery *last = &unit->discoveries.items[count - 1];
    return last->plain == NULL && last->run->setup.schema == schema;
}

void unit_close(struct unit *unit) {
    if (!has_discovery_of(unit, unit->schema))
        arena_release(unit->runs.items[--unit->runs.count]);
    unit->scratch = NULL;
}

static void release_runs(struct unit *unit) {
    for (size_t i = 0; i < unit->runs.count; i++)
        arena_release(unit->runs.items[i]);
    unit->runs.count = 0;
}

void unit_release(struct unit *unit) {
    release_runs(unit);
    arena_release(&unit->arena);
}

size_t find_threads(const struct find_options *options) {
    return options->thread_count > 0 ? options->thread_count : parallel_core_count();
}

static void count_nobodys(struct merge *m, const struct discovery *discovery) {
    const struct world_session *session =
        &discovery->run->setup.sessions[discovery->culprit.session];
    for (size_t i = 0; i < m->in_summaries.count; i++)
        if (same_place(m->in_summaries.items[i], session->program->span))
            return;
    VEC_PUSH(m->arena, &m->in_summaries, session->program->span);
    m->stats->summary_count++;
}

/* A discovery that is news, and where its finding goes. */
struct job {
    const struct discovery *discovery; /* NULL: another is the better example */
    size_t finding;
    struct arena *arena;
    struct run_setup run; /* as the finding shows it */
    size_t limit_count;
};

struct jobs {
    const struct merge *merge;
    VEC(struct job) items;
    struct arena scratch;
};

static struct finding *finding_at(const struct findings *findings, enum rule rule,
                                  struct txn_span span) {
    for (size_t i = 0; i < findings->items.count; i++)
        if (is_same_finding(findings->items.items[i].rule, findings->items.items[i].span, rule, span))
            return &findings->items.items[i];
    return NULL;
}

/* What rests on no assumption takes the place of what does; columns written back, of a row inserted again. */
static bool is_better(const struct finding *old, const struct discovery *discovery,
                      struct str assumption) {
    if (discovery->plain != NULL)
        return false;
    if ((old->assumption.len > 0) != (assumption.len > 0))
        return assumption.len == 0;
    return old->rule == RULE_RESURRECTED_ROW && discovery->culprit.rule != RULE_RESURRECTED_ROW;
}

static void choose(struct merge *m, struct jobs *jobs, const struct discovery *discovery) {
    const struct finding *plain = discovery->plain;
    enum rule rule = plain != NULL ? plain->rule : discovery->culprit.rule;
    struct txn_span span = plain != NULL ? plain->span : discovery->culprit.span;
    struct finding *old = finding_at(m->findings, rule, span);
    struct str assumption = discovery_assumption(m->arena, discovery);
    if (old != NULL && !is_better(old, discovery, assumption))
        return;
    struct finding begun = {.rule = rule, .span = span, .assumption = assumption};
    size_t index = m->findings->items.count;
    if (old != NULL) {
        *old = begun;
        index = (size_t)(old - m->findings->items.items);
        for (size_t i = 0; i < jobs->items.count; i++)
            if (jobs->items.items[i].finding == index)
                jobs->items.items[i].discovery = NULL;
    } else {
        VEC_PUSH(m->arena, &m->findings->items, begun);
    }
    VEC_PUSH(&jobs->scratch, &jobs->items,
             (struct job){.discovery = discovery, .finding = index,
                          .arena = ARENA_NEW(m->arena, struct arena)});
}

static void do_job(void *context, size_t item) {
    struct jobs *jobs = context;
    struct job *job = &jobs->items.items[item];
    if (job->discovery != NULL)
        make_finding(job->arena, jobs->merge->options, job->discovery,
                     &jobs->merge->findings->items.items[job->finding], &job->run,
                     &job->limit_count);
}

static void finish_job(struct merge *m, struct job *job) {
    if (job->discovery == NULL)
        return;
    const struct finding *finding = &m->findings->items.items[job->finding];
    m->stats->limit_count += job->limit_count;
    if (m->options->on_finding != NULL && finding->has_witness)
        m->options->on_finding(m->options->finding_context, finding, &job->run,
                               &job->discovery->schedule);
    arena_take(m->arena, job->arena);
}

static void add_stats(struct merge *m, const struct find_stats *stats) {
    m->stats->pair_count += stats->pair_count;
    m->stats->run_count += stats->run_count;
    m->stats->limit_count += stats->limit_count;
    m->stats->skipped_count += stats->skipped_count;
    for (size_t i = 0; i < stats->unexplained.count; i++)
        VEC_PUSH(m->arena, &m->stats->unexplained, stats->unexplained.items[i]);
}

void merge_units(struct merge *m, struct unit *units, size_t count) {
    struct jobs jobs = {.merge = m};
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < units[i].discoveries.count; k++) {
            const struct discovery *discovery = &units[i].discoveries.items[k];
            if (discovery_is_nobodys(discovery))
                count_nobodys(m, discovery);
            else
                choose(m, &jobs, discovery);
        }
        for (size_t k = 0; k < units[i].reached.count; k++)
            map_put(&m->reached, str_dup(m->arena, units[i].reached.entries[k].key), m);
        add_stats(m, &units[i].stats);
    }
    parallel_run(find_threads(m->options), jobs.items.count, do_job, &jobs);
    for (size_t i = 0; i < jobs.items.count; i++)
        finish_job(m, &jobs.items.items[i]);
    for (size_t i = 0; i < count; i++) {
        release_runs(&units[i]);
        if (units[i].discoveries.count > 0)
            arena_take(m->arena, &units[i].arena);
        else
            unit_release(&units[i]);
    }
    arena_release(&jobs.scratch);
}
