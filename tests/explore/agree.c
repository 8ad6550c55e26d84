#include "agree.h"

#include "base/assert.h"
#include "plain_ending.h"

#include <inttypes.h>

struct agreement {
    struct brute brute;
    struct world start;
    struct buf *what;
    /* Of the search at hand. */
    bool is_exact;      /* no reduction: each schedule once */
    struct map endings; /* distinct ones that it found */
    size_t found;
};

static void print_picks(struct str picks, struct buf *out) {
    for (size_t i = 0; i < picks.len; i++)
        buf_add_char(out, (char)('A' + picks.ptr[i]));
}

static struct str picks_of(const struct schedule *schedule) {
    return (struct str){(const char *)schedule->sessions, schedule->count};
}

/* The world ended as brute force saw it end after the same picks. */
static bool same_ending(struct agreement *a, const struct world *end,
                        const struct schedule *schedule) {
    const struct brute_end *known = map_get(&a->brute.by_picks, picks_of(schedule));
    struct buf text = {0};
    plain_ending_all(end, &text);
    bool is_same =
        known != NULL && str_equal(known->ending, buf_str(&text)) &&
        (!a->is_exact || (known->errors == end->errors && known->has_waited == end->has_waited));
    if (!is_same) {
        print_picks(picks_of(schedule), a->what);
        if (known == NULL)
            buf_add_c(a->what, " is no schedule");
        else
            buf_printf(a->what, " ends\n  %s, not\n  %.*s", text.ptr, STR_ARG(known->ending));
    }
    map_put(&a->endings, str_dup(a->brute.arena, buf_str(&text)), a);
    a->found++;
    buf_release(&text);
    return is_same;
}

static bool on_end(void *context, const struct world *end, const struct schedule *schedule) {
    return same_ending(context, end, schedule);
}

static bool run_search(struct agreement *a, struct search *search) {
    struct search_room room = {0};
    search->room = &room;
    map_init(&a->endings, a->brute.arena);
    a->found = 0;
    a->is_exact = !search->is_reduced;
    search->steps_max = UINT64_MAX;
    search->on_end = on_end;
    search->context = a;
    enum search_result result = search_run(search, &a->start);
    search_room_release(&room);
    if (a->what->len > 0)
        return false;
    if (result == SEARCH_COMPLETE && search->schedule_count == a->found)
        return true;
    buf_printf(a->what, "the search says %d, and counts %" PRIu64 " of %zu schedules", result,
               search->schedule_count, a->found);
    return false;
}

/* Exactly the schedules with at most so many switches. */
static bool bounded_agrees(struct agreement *a, uint32_t switches_max) {
    struct search search = {.switches_max = switches_max};
    size_t expected = 0;
    for (size_t i = 0; i < a->brute.ends.count; i++)
        expected += a->brute.ends.items[i].switches <= switches_max;
    if (!run_search(a, &search))
        return false;
    if (a->found == expected && search.has_cut == (expected < a->brute.ends.count))
        return true;
    buf_printf(a->what, "with at most %u switches: %zu schedules, not %zu", switches_max, a->found,
               expected);
    return false;
}

/* Fewer schedules may be run, but every ending must be found. */
static bool reduced_agrees(struct agreement *a, struct agree_stats *stats) {
    struct search search = {.is_reduced = true, .switches_max = UINT32_MAX};
    if (!run_search(a, &search))
        return false;
    stats->reduced_schedules += a->found;
    for (size_t i = 0; i < a->brute.ends.count; i++) {
        const struct brute_end *end = &a->brute.ends.items[i];
        if (map_has(&a->endings, end->ending))
            continue;
        buf_add_c(a->what, "reduction misses ");
        print_picks(end->picks, a->what);
        buf_printf(a->what, ": %.*s", STR_ARG(end->ending));
        return false;
    }
    return true;
}

static bool searches_agree(struct agreement *a, struct agree_stats *stats) {
    for (uint32_t switches = 0; switches <= 2; switches++)
        if (!bounded_agrees(a, switches))
            return false;
    return bounded_agrees(a, UINT32_MAX) && reduced_agrees(a, stats);
}

static uint32_t all_unhandled(const struct brute *b) {
    uint32_t errors = 0;
    for (size_t i = 0; i < b->ends.count; i++)
        errors |= b->ends.items[i].unhandled;
    return errors;
}

static enum verdict expected_verdict(const struct brute *b) {
    uint32_t errors = all_unhandled(b);
    if (brute_fewest_switches(b) != UINT32_MAX)
        return VERDICT_LOST;
    if (errors & 1u << DB_ERROR_DEADLOCK)
        return VERDICT_DEADLOCK;
    return errors != 0 ? VERDICT_ERROR : VERDICT_OK;
}

/* The witness of a loss is one with fewest switches; that of an error ends with that error. It is played once more, as
 * it is when it is shown: with a trace. */
static bool witness_agrees(struct agreement *a, const struct cell_verdict *cell,
                           const struct judge_options *options) {
    const struct brute_end *end = map_get(&a->brute.by_picks, picks_of(&cell->witness));
    bool is_lost = cell->verdict == VERDICT_LOST;
    if (end == NULL || end->is_wrong != is_lost ||
        (is_lost && !options->any_witness && end->switches != brute_fewest_switches(&a->brute)) ||
        (!is_lost && (end->unhandled & 1u << cell->error) == 0)) {
        buf_add_c(a->what, "the witness ");
        print_picks(picks_of(&cell->witness), a->what);
        buf_printf(a->what, end == NULL ? " is no schedule"
                                        : " shows something else, or another is simpler");
        return false;
    }
    struct world world;
    struct trace trace;
    struct err err;
    const struct run_setup *s = a->brute.setup;
    trace_init(&trace, a->brute.arena);
    bool ok = world_init(&world, a->brute.arena, s->schema, s->pool, a->brute.config, s->setup,
                         s->setup_count, s->sessions, s->session_count, &err);
    LW_ASSERT(ok);
    world_start(&world, &trace);
    search_replay(&world, &cell->witness);
    a->is_exact = true;
    bool is_same = same_ending(a, &world, &cell->witness);
    world_free(&world);
    return is_same;
}

static void print_counts(const struct counts *c, struct buf *out) {
    buf_printf(out,
               "%" PRIu64 " schedules, %" PRIu64 " wrong, %" PRIu64 " serialization, %" PRIu64
               " deadlock, %" PRIu64 " timeout, %" PRIu64 " unique, %" PRIu64 " waits",
               c->schedules, c->wrong, c->serialization, c->deadlock, c->timeout, c->unique,
               c->waits);
}

static bool verdict_agrees(struct agreement *a, const struct judge_options *options) {
    struct cell_verdict cell;
    struct err err;
    const struct brute *b = &a->brute;
    enum verdict expected = expected_verdict(b);
    bool ok = judge_cell(b->arena, b->setup, b->config, options, &cell, &err);
    LW_ASSERT(ok);
    if (cell.verdict != expected) {
        buf_printf(a->what, "the verdict is %s, not %s", verdict_name(cell.verdict),
                   verdict_name(expected));
        return false;
    }
    if (cell.has_witness != (expected != VERDICT_OK)) {
        buf_add_c(a->what, "a witness is missing, or too many");
        return false;
    }
    if (cell.has_witness && !witness_agrees(a, &cell, options))
        return false;
    if (!options->all_schedules)
        return true;
    struct counts counts = brute_counts(b);
    if (cell.is_complete && memcmp(&counts, &cell.counts, sizeof(counts)) == 0)
        return true;
    buf_add_c(a->what, "the verdict counts ");
    print_counts(&cell.counts, a->what);
    buf_add_c(a->what, ", not ");
    print_counts(&counts, a->what);
    return false;
}

static bool verdicts_agree(struct agreement *a) {
    static const struct judge_options modes[] = {
        {.all_schedules = true},
        {.no_reduction = true},
        {.no_early_end = true},
        {.any_witness = true},
        {0},
    };
    if (!a->brute.is_one_to_one) {
        buf_add_c(a->what, "world_outcome takes two outcomes for one, or one for two");
        return false;
    }
    for (size_t i = 0; i < LW_COUNT_OF(modes); i++)
        if (!verdict_agrees(a, &modes[i]))
            return false;
    return true;
}

static void count(struct agree_stats *stats, const struct brute *b) {
    struct counts counts = brute_counts(b);
    stats->cells++;
    stats->schedules += counts.schedules;
    stats->waits += counts.waits;
    stats->unique += counts.unique;
    stats->timeouts += counts.timeout;
    stats->verdicts[expected_verdict(b)]++;
}

bool agree(const struct run_setup *setup, enum policy_id policy, size_t ends_max,
           struct agree_stats *stats, struct buf *what) {
    struct arena arena = {0};
    struct agreement a = {.what = what};
    struct err err;
    bool agrees = true;
    a.brute = (struct brute){.arena = &arena,
                             .setup = setup,
                             .config = &policy_info(policy)->config,
                             .ends_max = ends_max};
    buf_clear(what);
    if (!brute_run(&a.brute)) {
        stats->too_large++;
    } else if (a.brute.has_hit_limit) {
        stats->limited++;
    } else {
        count(stats, &a.brute);
        bool ok =
            world_init(&a.start, &arena, setup->schema, setup->pool, a.brute.config, setup->setup,
                       setup->setup_count, setup->sessions, setup->session_count, &err);
        LW_ASSERT(ok);
        world_start(&a.start, NULL);
        agrees = searches_agree(&a, stats) && verdicts_agree(&a);
        world_free(&a.start);
    }
    arena_release(&arena);
    return agrees;
}
