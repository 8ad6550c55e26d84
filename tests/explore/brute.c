#include "brute.h"

#include "base/assert.h"
#include "plain_ending.h"

static void start(const struct brute *b, struct world *world) {
    const struct run_setup *s = b->setup;
    struct err err;
    bool ok = world_init(world, b->arena, s->schema, s->pool, b->config, s->setup, s->setup_count,
                         s->sessions, s->session_count, &err);
    LW_ASSERT(ok);
    world_start(world, NULL);
}

/* The sessions that can step; 0 when the run is over. */
static uint32_t choices(struct world *world) {
    while (world_enabled(world) == 0 && !world_is_done(world))
        world_break_tie(world);
    return world_enabled(world);
}

static uint8_t lowest(uint32_t sessions) {
    return (uint8_t)__builtin_ctz(sessions);
}

/* ---- the serial orders ---- */

/* Runs one session until it is over, waits for good, or breaks off before operation `breaks_off`. */
static void run_alone(struct world *world, size_t index, uint32_t breaks_off) {
    const struct session *session = &world->sessions[index];
    struct footprint footprint;
    while (session->status != SESSION_DONE) {
        if (session->status == SESSION_READY && session->op_number >= breaks_off)
            world_kill(world, index);
        else if (world_enabled(world) & 1u << index)
            world_step(world, index, &footprint);
        else if (world_enabled(world) == 0)
            world_break_tie(world);
        else
            return;
    }
}

struct serial {
    struct brute *brute;
    uint32_t failed, absent;
    uint32_t breaks_off[DB_SESSIONS_MAX];
    uint8_t order[DB_SESSIONS_MAX];
    struct map *endings;
};

/* Who changed rows for good; told where one overwrote what another had written. */
static void writers(const struct world *end, uint32_t ignored, struct buf *text) {
    buf_add_c(text, " written by");
    for (size_t i = 0; i < end->session_count; i++)
        if (!(ignored & 1u << i) && (end->sessions[i].flags & SESSION_CHANGED))
            buf_printf(text, " %zu", i);
}

static void play_serial(struct serial *s) {
    struct brute *b = s->brute;
    struct world world;
    struct buf text = {0};
    start(b, &world);
    for (size_t i = 0; i < world.session_count; i++)
        run_alone(&world, s->order[i], s->breaks_off[s->order[i]]);
    plain_ending(&world, s->failed | s->absent, &text);
    map_put(s->endings, str_dup(b->arena, buf_str(&text)), s);
    writers(&world, s->failed | s->absent, &text);
    map_put(s->endings, str_dup(b->arena, buf_str(&text)), s);
    for (size_t i = 0; i < world.session_count; i++)
        if (world.sessions[i].op_number > b->op_count_max)
            b->op_count_max = world.sessions[i].op_number;
    if ((s->failed | s->absent) == 0)
        b->serial_errors |= world.errors;
    buf_release(&text);
    world_free(&world);
}

/* With every choice of where the failed sessions from `from` on break off. */
static void play_breaks(struct serial *s, size_t from) {
    size_t count = s->brute->setup->session_count;
    if (from == count) {
        play_serial(s);
        return;
    }
    s->breaks_off[from] = s->absent & 1u << from ? 0 : UINT32_MAX;
    if ((s->failed & 1u << from) == 0) {
        play_breaks(s, from + 1);
        return;
    }
    for (uint32_t at = 0; at <= s->brute->op_count_max; at++) {
        s->breaks_off[from] = at;
        play_breaks(s, from + 1);
    }
}

/* With every order of the sessions that are not in `placed`. */
static void play_orders(struct serial *s, uint32_t placed, size_t at) {
    size_t count = s->brute->setup->session_count;
    if (at == count) {
        play_breaks(s, 0);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (placed & 1u << i)
            continue;
        s->order[at] = (uint8_t)i;
        play_orders(s, placed | 1u << i, at + 1);
    }
}

static const struct map *serial_endings(struct brute *b, uint32_t failed, uint32_t absent) {
    struct str key = str_printf(b->arena, "%u/%u", failed, absent);
    struct map *have = map_get(&b->serial, key);
    if (have != NULL)
        return have;
    struct serial serial = {.brute = b, .failed = failed, .absent = absent};
    serial.endings = ARENA_NEW(b->arena, struct map);
    map_init(serial.endings, b->arena);
    map_put(&b->serial, key, serial.endings);
    play_orders(&serial, 0, 0);
    return serial.endings;
}

/* ---- what an ending is worth ---- */

static uint32_t with_fate(const struct world *world, enum fate fate) {
    uint32_t sessions = 0;
    for (size_t i = 0; i < world->session_count; i++)
        sessions |= (uint32_t)(world->sessions[i].fate == fate) << i;
    return sessions;
}

static bool serial_gives(struct brute *b, const struct world *end, uint32_t failed,
                         uint32_t absent) {
    struct buf text = {0};
    plain_ending(end, failed | absent, &text);
    if (world_flags(end) & SESSION_OVERWROTE)
        writers(end, failed | absent, &text);
    bool gives = map_has(serial_endings(b, failed, absent), buf_str(&text));
    buf_release(&text);
    return gives;
}

/* Sessions that ended well and neither wrote nor did anything outside. */
static uint32_t idle(const struct world *end) {
    uint32_t sessions = 0;
    for (size_t i = 0; i < end->session_count; i++) {
        bool is_busy = (end->sessions[i].flags & SESSION_WROTE) != 0;
        for (size_t k = 0; k < end->effects.count; k++)
            is_busy |= end->effects.items[k].session == i;
        sessions |= (uint32_t)(!is_busy && end->sessions[i].fate == FATE_DONE) << i;
    }
    return sessions;
}

static bool is_wrong(struct brute *b, const struct world *end) {
    uint32_t failed = with_fate(end, FATE_FAILED) | with_fate(end, FATE_STUCK);
    uint32_t spare = with_fate(end, FATE_RAISED) | idle(end);
    if (world_flags(end) & (SESSION_CLOBBERED_OWN | SESSION_CLOBBERED_OTHER | SESSION_REPEATED_F))
        return true;
    if (serial_gives(b, end, 0, 0))
        return false;
    for (uint32_t absent = 0; absent <= spare; absent++)
        if ((absent & ~spare) == 0 && serial_gives(b, end, failed, absent))
            return false;
    return true;
}

static uint32_t unhandled(const struct brute *b, const struct world *end) {
    uint32_t errors = with_fate(end, FATE_STUCK) != 0 ? 1u << DB_ERROR_LOCK_TIMEOUT : 0;
    for (size_t i = 0; i < end->session_count; i++)
        if (end->sessions[i].fate == FATE_FAILED)
            errors |= 1u << end->sessions[i].exception.error & ~b->serial_errors;
    return errors;
}

/* ---- all schedules ---- */

/* Whether the outcome's bytes and its text know each other only. */
static void match_outcome(struct brute *b, const struct world *end) {
    struct buf bytes = {0}, text = {0};
    world_outcome(end, 0, &bytes);
    plain_ending(end, 0, &text);
    struct str key = str_dup(b->arena, buf_str(&bytes)), value = str_dup(b->arena, buf_str(&text));
    const struct str *by_key = map_get(&b->outcomes, key);
    const struct str *by_value = map_get(&b->endings, value);
    b->is_one_to_one &= (by_key == NULL) == (by_value == NULL);
    if (by_key != NULL && by_value != NULL)
        b->is_one_to_one &= str_equal(*by_key, value) && str_equal(*by_value, key);
    struct str *kept = ARENA_ARRAY(b->arena, struct str, 2);
    kept[0] = value, kept[1] = key;
    map_put(&b->outcomes, key, &kept[0]);
    map_put(&b->endings, value, &kept[1]);
    buf_release(&bytes);
    buf_release(&text);
}

static void add_end(struct brute *b, const struct world *end, const uint8_t *picks, size_t count) {
    struct brute_end new = {.errors = end->errors,
                            .has_waited = end->has_waited,
                            .is_stuck = with_fate(end, FATE_STUCK) != 0,
                            .is_wrong = is_wrong(b, end),
                            .unhandled = unhandled(b, end)};
    struct buf text = {0};
    plain_ending_all(end, &text);
    new.ending = str_dup(b->arena, buf_str(&text));
    new.picks = str_dup(b->arena, (struct str){(const char *)picks, count});
    for (size_t i = 1; i < count; i++)
        new.switches += picks[i] != picks[i - 1];
    b->has_hit_limit |= end->has_hit_limit;
    match_outcome(b, end);
    VEC_PUSH(b->arena, &b->ends, new);
    buf_release(&text);
}

bool brute_run(struct brute *b) {
    uint8_t picks[SEARCH_DEPTH_MAX];
    uint32_t offered[SEARCH_DEPTH_MAX];
    size_t given = 0, depth = 0; /* the picks up to `given` are those of the schedule to play */
    b->is_one_to_one = true;
    map_init(&b->serial, b->arena);
    map_init(&b->outcomes, b->arena);
    map_init(&b->endings, b->arena);
    map_init(&b->by_picks, b->arena);
    serial_endings(b, 0, 0);
    do {
        struct world world;
        start(b, &world);
        for (depth = 0; (offered[depth] = choices(&world)) != 0; depth++) {
            struct footprint footprint;
            LW_ASSERT(depth + 1 < SEARCH_DEPTH_MAX);
            if (depth >= given)
                picks[depth] = lowest(offered[depth]);
            world_step(&world, picks[depth], &footprint);
        }
        add_end(b, &world, picks, depth);
        world_free(&world);
        if (b->ends_max > 0 && b->ends.count > b->ends_max)
            return false;
        /* The next schedule differs in the last pick that can be of a later session. */
        for (; depth > 0; depth--) {
            uint32_t later = offered[depth - 1] & ~((2u << picks[depth - 1]) - 1);
            if (later == 0)
                continue;
            picks[depth - 1] = lowest(later);
            break;
        }
        given = depth;
    } while (given > 0);
    for (size_t i = 0; i < b->ends.count; i++)
        map_put(&b->by_picks, b->ends.items[i].picks, &b->ends.items[i]);
    LW_ASSERT(b->by_picks.count == b->ends.count);
    return true;
}

struct counts brute_counts(const struct brute *b) {
    struct counts counts = {.schedules = b->ends.count};
    uint32_t serialization =
        1u << DB_ERROR_SERIALIZATION | 1u << DB_ERROR_CHANGED_ROW | 1u << DB_ERROR_BUSY_SNAPSHOT;
    for (size_t i = 0; i < b->ends.count; i++) {
        const struct brute_end *end = &b->ends.items[i];
        counts.wrong += end->is_wrong;
        counts.waits += end->has_waited;
        counts.serialization += (end->errors & serialization) != 0;
        counts.deadlock += (end->errors & 1u << DB_ERROR_DEADLOCK) != 0;
        counts.unique += (end->errors & 1u << DB_ERROR_UNIQUE) != 0;
        counts.timeout += (end->errors & 1u << DB_ERROR_LOCK_TIMEOUT) != 0 || end->is_stuck;
    }
    return counts;
}

uint32_t brute_fewest_switches(const struct brute *b) {
    uint32_t fewest = UINT32_MAX;
    for (size_t i = 0; i < b->ends.count; i++)
        if (b->ends.items[i].is_wrong && b->ends.items[i].switches < fewest)
            fewest = b->ends.items[i].switches;
    return fewest;
}
