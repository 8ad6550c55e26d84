#include "verdict/verdict.h"

#include "base/assert.h"
#include "explore/database.h"
#include "live/server.h"

#include <stdlib.h>

enum { SERIAL_RUNS_MAX = 100000, STEPS_MAX_DEFAULT = 200000 };

const struct policy_info *policy_info(enum policy_id policy) {
    static const struct policy_info infos[] = {
#define POLICY(name, engine_, isolation_, snapshot, immediate, heading_)                           \
    [POLICY_##name] = {.heading = heading_,                                                        \
                       .config = {.engine = engine_,                                               \
                                  .isolation = isolation_,                                         \
                                  .autocommit_read_committed = engine_ == ENGINE_POSTGRESQL,       \
                                  .innodb_snapshot_isolation = snapshot,                           \
                                  .sqlite_immediate = immediate}},
#include "verdict/policy.def"
#undef POLICY
    };
    LW_ASSERT(policy < POLICY_COUNT);
    return &infos[policy];
}

const char *verdict_name(enum verdict verdict) {
    static const char *const names[] = {[VERDICT_OK] = "ok",
                                        [VERDICT_LOST] = "lost",
                                        [VERDICT_ERROR] = "error",
                                        [VERDICT_DEADLOCK] = "deadlock",
                                        [VERDICT_LIMIT] = "limit"};
    return names[verdict];
}

/* The allowed outcomes when the sessions of `failed` failed and those of `absent` never ran. */
struct allowed {
    struct allowed *next;
    uint32_t failed, absent;
    bool twin_differs; /* struct db_twin, as of these orders */
    struct map outcomes[2]; /* the second: with who wrote */
};

/* A session's turn in a serial order: to its end, or to before its `kill_at`-th operation, where it breaks off. */
struct turn {
    uint8_t session;
    uint32_t kill_at; /* UINT32_MAX: never */
};

struct judge {
    const struct run_setup *setup;
    const struct judge_options *options;
    struct world start;
    struct serial_orders *serial;
    struct db_twin *twin;
    struct buf outcome;
    struct turn turns[DB_SESSIONS_MAX]; /* of the serial order at hand */
    struct search_room *room;
    struct cell_verdict *cell;
    bool is_simplifying;     /* looking for a simpler witness of what is known to be lost */
};

/* The outcome, and who wrote: where a session overwrote what another had put there, it matters whether either had been
 * told to stay away. */
static struct str outcome_of(struct judge *judge, const struct world *world, uint32_t ignored,
                             bool with_writers) {
    world_outcome(world, ignored, &judge->outcome);
    for (size_t i = 0; with_writers && i < world->session_count; i++)
        if (!(ignored & 1u << i) && (world->sessions[i].flags & SESSION_CHANGED))
            buf_add_char(&judge->outcome, (char)('A' + i));
    return buf_str(&judge->outcome);
}

static void add_outcome(struct judge *judge, struct allowed *allowed, const struct world *world) {
    for (int with_writers = 0; with_writers < 2; with_writers++) {
        struct map *outcomes = &allowed->outcomes[with_writers];
        struct str outcome =
            outcome_of(judge, world, allowed->failed | allowed->absent, with_writers);
        if (!map_has(outcomes, outcome))
            map_put(outcomes, str_dup(judge->serial->arena, outcome), allowed);
    }
}

/* Many sessions that failed could break off in so many ways that not all were tried: the verdict is LIMIT. */
static bool serial_is_cut(const struct judge *judge) {
    return judge->serial->run_count >= SERIAL_RUNS_MAX;
}

/* Where a server did other than the engine, its own answers are what is judged. */
static void note_difference(struct judge *judge, const struct world *end) {
    struct cell_verdict *cell = judge->cell;
    cell->raced += end->has_raced;
    if (!end->has_differed)
        return;
    if (cell->differing++ == 0)
        snprintf(cell->difference, sizeof(cell->difference), "%s", server_differs(end->server));
}

static void run_turn(struct world *world, struct turn turn) {
    const struct session *session = &world->sessions[turn.session];
    struct footprint footprint;
    for (size_t i = 0; i < SEARCH_DEPTH_MAX; i++) {
        if (session->status == SESSION_READY && session->op_number >= turn.kill_at) {
            world_kill(world, turn.session);
            return;
        }
        if (!search_alone(world, turn.session, &footprint))
            return;
    }
}

/* A world in which the first `count` turns were taken, as in `before`; on a server, where a run begins from the rows each
 * time, `before` is the start. */
static struct world *after_turns(struct judge *judge, const struct world *before, size_t count) {
    if (judge->start.server == NULL)
        return search_room_copy(judge->room, count, before);
    struct world *world = search_room_copy(judge->room, count, before);
    for (size_t i = 0; i < count; i++)
        run_turn(world, judge->turns[i]);
    return world;
}

static void place_next(struct judge *judge, struct allowed *allowed, const struct world *before,
                       size_t count, uint32_t left);

/* A world in which `count` turns were taken: the orders of those left after them, or its outcome. */
static void go_on(struct judge *judge, struct allowed *allowed, struct world *world, size_t count,
                  uint32_t left) {
    if (left != 0) {
        place_next(judge, allowed, world, count, left);
        return;
    }
    judge->serial->run_count++;
    database_end(world);
    note_difference(judge, world);
    add_outcome(judge, allowed, world);
    if ((allowed->failed | allowed->absent) == 0)
        judge->serial->errors |= world->errors;
}

/* The next turn, and all orders of the others after it. */
static void place(struct judge *judge, struct allowed *allowed, const struct world *before,
                  size_t count, uint32_t left, struct turn turn) {
    left &= ~(1u << turn.session);
    judge->turns[count] = turn;
    if (left != 0 && judge->start.server != NULL) {
        place_next(judge, allowed, before, count + 1, left);
        return;
    }
    struct world *world = after_turns(judge, before, count);
    run_turn(world, turn);
    go_on(judge, allowed, world, count + 1, left);
}

/* Whether the session's next operation only reads. All others leave something behind, if only a serial number used up. */
static bool is_about_to_read(const struct session *session) {
    if (session->op_count == 0)
        return false;
    const struct op *op = &session->ops[session->op_count - 1];
    return op->kind == OP_STATEMENT && op->step->kind == TXN_STEP_SQL &&
           op->step->sql.stmt->kind == SQL_STMT_SELECT;
}

/* A session that failed, and may break off anywhere. */
struct breaking {
    struct judge *judge;
    struct allowed *allowed;
    const struct world *before;
    size_t count;
    uint32_t left; /* the session among them */
    uint8_t session;
    VEC(uint32_t) points; /* on a server: the operations to stop at */
};

static void break_off(struct breaking *b, const struct world *world) {
    if (world->server != NULL) {
        VEC_PUSH(b->judge->serial->arena, &b->points, world->sessions[b->session].op_number);
        return;
    }
    struct world *broken =
        search_room_copy(b->judge->room, DB_SESSIONS_MAX + b->count, world);
    world_kill(broken, b->session);
    go_on(b->judge, b->allowed, broken, b->count + 1, b->left & ~(1u << b->session));
}

/* Before its first operation, and after each that did more than read: behind a SELECT, breaking off is no different from before
 * it. `world` is brought to the session's end. */
static void break_off_everywhere(struct breaking *b, struct world *world) {
    const struct session *session = &world->sessions[b->session];
    size_t effect_count = 0;
    bool has_read = false;
    struct footprint footprint = {0};
    for (size_t i = 0; i < SEARCH_DEPTH_MAX && !serial_is_cut(b->judge); i++) {
        bool is_new = !has_read || footprint.db.is_advisory ||
                      world->effects.count != effect_count || world->server != NULL;
        if (session->status == SESSION_READY && is_new)
            break_off(b, world);
        effect_count = world->effects.count;
        has_read = is_about_to_read(session);
        if (!search_alone(world, b->session, &footprint))
            break;
    }
}

static void place_failed(struct judge *judge, struct allowed *allowed, const struct world *before,
                         size_t count, uint32_t left, uint8_t session) {
    struct breaking breaking = {judge, allowed, before, count, left, session, {0}};
    struct world *world = after_turns(judge, before, count);
    break_off_everywhere(&breaking, world);
    if (world->server == NULL) {
        if (!serial_is_cut(judge))
            go_on(judge, allowed, world, count + 1, left & ~(1u << session));
        return;
    }
    database_end(world);
    for (size_t i = 0; i < breaking.points.count && !serial_is_cut(judge); i++)
        place(judge, allowed, before, count, left, (struct turn){session, breaking.points.items[i]});
    place(judge, allowed, before, count, left, (struct turn){session, UINT32_MAX});
}

/* Each session of `left` next. What orders have in common at their beginning runs once. */
static void place_next(struct judge *judge, struct allowed *allowed, const struct world *before,
                       size_t count, uint32_t left) {
    size_t session_count = judge->setup->session_count;
    for (uint8_t session = 0; session < session_count && !serial_is_cut(judge); session++) {
        if (!(left & 1u << session))
            continue;
        uint32_t kill_at = allowed->absent & 1u << session ? 0 : UINT32_MAX;
        if (allowed->failed & 1u << session)
            place_failed(judge, allowed, before, count, left, session);
        else
            place(judge, allowed, before, count, left, (struct turn){session, kill_at});
    }
}

static struct allowed *make_allowed(struct judge *judge, uint32_t failed, uint32_t absent) {
    struct serial_orders *serial = judge->serial;
    struct allowed *made = ARENA_NEW(serial->arena, struct allowed);
    made->failed = failed;
    made->absent = absent;
    made->next = serial->allowed;
    serial->allowed = made;
    map_init(&made->outcomes[0], serial->arena);
    map_init(&made->outcomes[1], serial->arena);
    bool differed = judge->twin != NULL && judge->twin->differs;
    if (judge->twin != NULL)
        judge->twin->differs = false;
    place_next(judge, made, &judge->start, 0, (1u << judge->setup->session_count) - 1);
    if (judge->twin != NULL) {
        made->twin_differs = judge->twin->differs;
        judge->twin->differs = differed;
    }
    return made;
}

static struct allowed *allowed_for(struct judge *judge, uint32_t failed, uint32_t absent) {
    struct allowed *allowed = judge->serial->allowed;
    while (allowed != NULL && (allowed->failed != failed || allowed->absent != absent))
        allowed = allowed->next;
    if (allowed == NULL)
        allowed = make_allowed(judge, failed, absent);
    if (judge->twin != NULL)
        judge->twin->differs |= allowed->twin_differs;
    return allowed;
}

static uint32_t sessions_with(const struct world *world, enum fate fate) {
    uint32_t sessions = 0;
    for (size_t i = 0; i < world->session_count; i++)
        if (world->sessions[i].fate == fate)
            sessions |= 1u << i;
    return sessions;
}

static bool is_allowed(struct judge *judge, const struct world *end, uint32_t failed,
                       uint32_t absent) {
    const struct allowed *allowed = allowed_for(judge, failed, absent);
    if (serial_is_cut(judge))
        return true; /* not known to be wrong */
    bool with_writers = (world_flags(end) & SESSION_OVERWROTE) != 0;
    return map_has(&allowed->outcomes[with_writers],
                   outcome_of(judge, end, failed | absent, with_writers));
}

/* Sessions that ended well and did nothing: no row written, no effect. */
static uint32_t idle_sessions(const struct world *end) {
    uint32_t idle = sessions_with(end, FATE_DONE);
    for (size_t i = 0; i < end->session_count; i++)
        if ((end->sessions[i].flags & SESSION_WROTE) || world_has_effects(end, i))
            idle &= ~(1u << i);
    return idle;
}

/* A session that failed may have done any part of its work; one that refused (raised an exception of its own) or had
 * nothing to do may as well not have been there, as far as it left nothing behind. */
static bool is_lost(struct judge *judge, const struct world *end) {
    if (world_flags(end) & (SESSION_CLOBBERED_OWN | SESSION_CLOBBERED_OTHER | SESSION_REPEATED_F))
        return true;
    if (judge->options->only_first_saves && !(world_flags(end) & SESSION_RESURRECTED))
        return false;
    if (is_allowed(judge, end, 0, 0))
        return false;
    uint32_t failed = sessions_with(end, FATE_FAILED) | sessions_with(end, FATE_STUCK);
    uint32_t spare = sessions_with(end, FATE_RAISED) | idle_sessions(end);
    for (uint32_t absent = spare;; absent = (absent - 1) & spare) {
        if ((failed | absent) != 0 && is_allowed(judge, end, failed, absent))
            return false;
        if (absent == 0)
            return true;
    }
}

static void count_end(struct counts *counts, const struct world *end, bool is_wrong) {
    uint32_t serialization = 1u << DB_ERROR_SERIALIZATION | 1u << DB_ERROR_CHANGED_ROW |
                             1u << DB_ERROR_BUSY_SNAPSHOT;
    bool is_stuck = false;
    for (size_t i = 0; i < end->session_count; i++)
        is_stuck |= end->sessions[i].fate == FATE_STUCK;
    counts->schedules++;
    counts->wrong += is_wrong;
    counts->serialization += (end->errors & serialization) != 0;
    counts->deadlock += (end->errors & 1u << DB_ERROR_DEADLOCK) != 0;
    counts->timeout += (end->errors & 1u << DB_ERROR_LOCK_TIMEOUT) != 0 || is_stuck;
    counts->unique += (end->errors & 1u << DB_ERROR_UNIQUE) != 0;
    counts->waits += end->has_waited;
}

static void keep_witness(struct cell_verdict *cell, const struct schedule *schedule) {
    cell->has_witness = true;
    cell->witness = *schedule;
}

/* The error of a session that failed as it would not in a serial order, or DB_OK_NO_ERROR: a deadlock if any has one,
 * else that of the first. */
static enum db_error unhandled_error(struct judge *judge, const struct world *end) {
    enum db_error first = DB_OK_NO_ERROR;
    if (sessions_with(end, FATE_STUCK) | sessions_with(end, FATE_FAILED))
        allowed_for(judge, 0, 0);
    for (size_t i = 0; i < end->session_count; i++) {
        const struct session *session = &end->sessions[i];
        enum db_error error = DB_OK_NO_ERROR;
        if (session->fate == FATE_STUCK)
            error = DB_ERROR_LOCK_TIMEOUT;
        else if (session->fate == FATE_FAILED &&
                 !(judge->serial->errors & 1u << session->exception.error))
            error = session->exception.error;
        if (error == DB_ERROR_DEADLOCK)
            return error;
        if (first == DB_OK_NO_ERROR)
            first = error;
    }
    return first;
}

static enum verdict end_verdict(bool lost, enum db_error error) {
    if (lost)
        return VERDICT_LOST;
    return error == DB_OK_NO_ERROR     ? VERDICT_OK
           : error == DB_ERROR_DEADLOCK ? VERDICT_DEADLOCK
                                        : VERDICT_ERROR;
}

static void tell(const struct judge *judge, const struct world *end,
                 const struct schedule *schedule, bool lost, enum db_error error) {
    if (judge->options->on_schedule == NULL)
        return;
    struct schedule_end told = {schedule, end_verdict(lost, error), error, end->has_waited,
                                world_has_failed_effects(end)};
    judge->options->on_schedule(judge->options->context, &told);
}

static bool judge_end(void *context, const struct world *end, const struct schedule *schedule) {
    struct judge *judge = context;
    struct cell_verdict *cell = judge->cell;
    note_difference(judge, end);
    bool lost = is_lost(judge, end);
    if (judge->is_simplifying) {
        if (lost)
            keep_witness(cell, schedule);
        return !lost;
    }
    if (serial_is_cut(judge))
        return false;
    enum db_error error = lost ? DB_OK_NO_ERROR : unhandled_error(judge, end);
    count_end(&cell->counts, end, lost);
    tell(judge, end, schedule, lost, error);
    if (lost) {
        if (cell->verdict != VERDICT_LOST)
            keep_witness(cell, schedule);
        cell->verdict = VERDICT_LOST;
        return judge->options->all_schedules || judge->options->no_early_end;
    }
    if (error == DB_OK_NO_ERROR || cell->verdict == VERDICT_LOST)
        return true;
    cell->has_failed_effects |= world_has_failed_effects(end);
    if (cell->error == DB_OK_NO_ERROR ||
        (error == DB_ERROR_DEADLOCK && cell->error != DB_ERROR_DEADLOCK)) {
        cell->error = error;
        keep_witness(cell, schedule);
        cell->verdict = end_verdict(false, error);
    }
    return true;
}

static uint32_t switches_of(const struct schedule *schedule) {
    uint32_t switches = 0;
    for (size_t i = 1; i < schedule->count; i++)
        switches += schedule->sessions[i] != schedule->sessions[i - 1];
    return switches;
}

/* The anomaly with the fewest context switches, of which the schedule at hand is one: without reduction, which
 * keeps one schedule of many, with a bound that rises until something is found. */
static void find_simplest(struct judge *judge, uint64_t steps_max) {
    uint32_t have = switches_of(&judge->cell->witness);
    judge->is_simplifying = true;
    for (uint32_t switches = 0; switches < have; switches++) {
        struct search search = {.switches_max = switches, .steps_max = steps_max,
                                .only_first_is_interrupted = judge->options->only_first_saves,
                                .on_end = judge_end, .context = judge, .room = judge->room};
        if (search_run(&search, &judge->start) != SEARCH_COMPLETE)
            break;
    }
    judge->is_simplifying = false;
}

/* One schedule, followed as far as sessions don't wait. False if it came to no end. */
static bool judge_one(struct judge *judge, const struct schedule *schedule) {
    struct world end = {0};
    world_copy(&end, &judge->start);
    search_replay(&end, schedule);
    bool is_whole = world_is_done(&end) && !end.has_hit_limit;
    if (is_whole)
        judge_end(judge, &end, schedule);
    world_free(&end);
    return is_whole;
}

static void judge_only(struct judge *judge) {
    bool is_whole = judge_one(judge, judge->options->only);
    if ((!is_whole || serial_is_cut(judge)) && judge->cell->verdict != VERDICT_LOST)
        judge->cell->verdict = VERDICT_LIMIT;
}

static void judge_all(struct judge *judge) {
    const struct judge_options *options = judge->options;
    struct cell_verdict *cell = judge->cell;
    LW_ASSERT(options->hint == NULL || options->any_witness);
    if (options->hint != NULL && judge_one(judge, options->hint) && cell->verdict == VERDICT_LOST)
        return;
    uint64_t steps_max = options->steps_max > 0 ? options->steps_max : STEPS_MAX_DEFAULT;
    struct search search = {.is_reduced = !options->all_schedules && !options->no_reduction &&
                                          options->switches_max == 0,
                            .switches_max = options->switches_max > 0 ? options->switches_max : UINT32_MAX,
                            .only_first_is_interrupted = options->only_first_saves,
                            .steps_max = steps_max,
                            .on_end = judge_end,
                            .context = judge,
                            .room = judge->room};
    enum search_result result = search_run(&search, &judge->start);
    cell->is_complete = result == SEARCH_COMPLETE && !search.has_cut;
    if ((result == SEARCH_LIMIT || serial_is_cut(judge)) && cell->verdict != VERDICT_LOST)
        cell->verdict = VERDICT_LIMIT;
    if (cell->verdict == VERDICT_LOST && !options->any_witness)
        find_simplest(judge, steps_max);
}

bool run_start(struct arena *run, const struct run_setup *setup, const struct db_config *config,
               struct trace *trace, struct world *world, struct err *err) {
    if (!world_init(world, run, setup->schema, setup->pool, config, setup->setup,
                    setup->setup_count, setup->sessions, setup->session_count, err))
        return false;
    struct server_setup rows = {setup->schema, setup->pool, setup->setup, setup->setup_count};
    if (setup->server != NULL && !world_put_on(world, setup->server, &rows, config, err)) {
        world_free(world);
        return false;
    }
    world_start(world, trace);
    return true;
}

bool judge_cell(struct arena *scratch, const struct run_setup *setup,
                const struct db_config *config, const struct judge_options *options,
                struct cell_verdict *cell, struct err *err) {
    struct search_room own = {0};
    struct serial_orders serial = {.arena = scratch};
    struct judge judge = {.setup = setup, .options = options, .cell = cell, .twin = config->twin};
    judge.serial = options->serial != NULL ? options->serial : &serial;
    *cell = (struct cell_verdict){0};
    if (!run_start(scratch, setup, config, NULL, &judge.start, err))
        return false;
    judge.room = options->room != NULL ? options->room : &own;
    if (!options->only_first_saves)
        allowed_for(&judge, 0, 0);
    if (options->only != NULL)
        judge_only(&judge);
    else
        judge_all(&judge);
    search_room_release(&own);
    world_free(&judge.start);
    buf_release(&judge.outcome);
    return setup->server == NULL || !server_failed(setup->server, err);
}

/* The rows at the end of a run without effects; empty if it had some, or came to no end. */
static struct str quiet_rows(struct world *world, struct buf *buf) {
    if (!world_is_done(world) || world->effects.count > 0)
        return (struct str){0};
    database_end(world);
    world_rows(world, buf);
    return buf_str(buf);
}

bool judge_ends_alike(struct arena *scratch, const struct run_setup *setup,
                      const struct db_config *config, const struct schedule *schedule) {
    struct world start;
    struct buf texts[3] = {0};
    struct str rows[3];
    struct err err;
    if (setup->server != NULL || setup->session_count != 2 ||
        !run_start(scratch, setup, config, NULL, &start, &err))
        return false;
    for (uint8_t i = 0; i < 3; i++) {
        const uint8_t order[DB_SESSIONS_MAX] = {i, (uint8_t)(1 - i)};
        struct world world = {0};
        world_copy(&world, &start);
        if (i < 2)
            search_serial(&world, order);
        else
            search_replay(&world, schedule);
        rows[i] = quiet_rows(&world, &texts[i]);
        world_free(&world);
    }
    bool is_alike = rows[2].len > 0 && str_equal(rows[0], rows[2]) && str_equal(rows[1], rows[2]);
    for (size_t i = 0; i < 3; i++)
        buf_release(&texts[i]);
    world_free(&start);
    return is_alike;
}

static void add_end(struct arena *arena, struct serial_texts *serial, const uint8_t *order,
                    const struct world *world) {
    struct serial_end end = {.is_only = true};
    struct buf text = {0};
    world_ending(arena, world, &end.ending);
    ending_print(&end.ending, &text);
    end.text = str_dup(arena, buf_str(&text));
    buf_release(&text);
    memcpy(end.order, order, sizeof(end.order));
    for (size_t i = 0; i < serial->ends.count; i++)
        if (str_equal(serial->ends.items[i].text, end.text))
            return;
    VEC_PUSH(arena, &serial->ends, end);
    for (size_t i = 0; serial->ends.count > 1 && i < serial->ends.count; i++)
        serial->ends.items[i].is_only = false;
}

bool judge_serial_texts(struct arena *arena, const struct run_setup *setup,
                        const struct db_config *config, struct serial_texts *serial,
                        struct err *err) {
    struct world start;
    if (!run_start(arena, setup, config, NULL, &start, err))
        return false;
    size_t count = setup->session_count;
    /* Each session first, the others after it in order: as many orders as people want to read. */
    for (size_t first = 0; first < count; first++) {
        uint8_t order[DB_SESSIONS_MAX] = {0};
        struct world world = {0};
        for (size_t i = 0; i < count; i++)
            order[i] = (uint8_t)((first + i) % count);
        world_copy(&world, &start);
        search_serial(&world, order);
        add_end(arena, serial, order, &world);
        world_free(&world);
    }
    world_free(&start);
    return true;
}
