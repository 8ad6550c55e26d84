/* From a schedule to something a person can read: the replay's trace, cut into steps. */
#include "verdict/witness.h"

#include "base/assert.h"
#include "live/server.h"
#include "verdict/classify.h"

char session_letter(uint8_t session) {
    return (char)('A' + session);
}

struct txn_span step_span(const struct txn_step *step) {
    return step != NULL ? step->span : (struct txn_span){0};
}

static struct str line_text(struct arena *arena, const struct ran_event *event) {
    switch (event->kind) {
    case RAN_LOCK:
        return str_printf(arena, "lock %.*s", STR_ARG(event->sql));
    case RAN_UNLOCK:
        return str_printf(arena, "unlock %.*s", STR_ARG(event->sql));
    case RAN_EFFECT:
        return str_printf(arena, "effect %.*s", STR_ARG(event->sql));
    default:
        return event->sql;
    }
}

static bool is_visible(const struct ran_event *event) {
    switch (event->kind) {
    case RAN_COMMIT:
    case RAN_ROLLBACK:
    case RAN_ROLLBACK_TO:
    case RAN_LOCK:
        return true;
    case RAN_STATEMENT:
        return event->stmt->kind != SQL_STMT_BEGIN && event->stmt->kind != SQL_STMT_SAVEPOINT &&
               event->stmt->kind != SQL_STMT_RELEASE && event->stmt->kind != SQL_STMT_SET &&
               event->stmt->kind != SQL_STMT_SET_TRANSACTION;
    default:
        return false;
    }
}

static struct witness_line make_line(struct arena *arena, const struct ran_event *event) {
    return (struct witness_line){.session = event->session, .at = event->at,
                                 .span = step_span(event->at), .kind = event->kind,
                                 .event = event,
                                 .text = line_text(arena, event), .result = event->result,
                                 .waits_for = event->waits_for,
                                 .in_transaction = event->transaction != 0};
}

static struct witness_step *step_at(struct arena *arena, struct witness *witness, uint32_t step) {
    while (witness->steps.count <= step)
        VEC_PUSH(arena, &witness->steps, (struct witness_step){.main = SIZE_MAX});
    return &witness->steps.items[step];
}

/* A statement that waited shows twice: where it was sent, and where it went on. */
static bool resumes_later(const struct ran_event *event) {
    return event->waited && event->result.len > 0;
}

static void add_event(struct arena *arena, struct witness *witness,
                      const struct schedule *schedule, const struct ran_event *event) {
    struct witness_step *step = step_at(arena, witness, event->step);
    struct witness_line line = make_line(arena, event);
    if (resumes_later(event))
        line.result = (struct str){0};
    bool steps = event->step < schedule->count &&
                 schedule->sessions[event->step] == event->session;
    if (steps && is_visible(event) && step->main == SIZE_MAX) {
        step->main = step->lines.count;
        step->session = event->session;
    }
    VEC_PUSH(arena, &step->lines, line);
}

/* Behind what let it go on, before what its session did then. */
static void add_resumed(struct arena *arena, struct witness *witness,
                        const struct ran_event *event) {
    struct witness_line line = make_line(arena, event);
    struct witness_step *step = step_at(arena, witness, event->resumed_step);
    line.is_resumed = true;
    line.waits_for = (struct str){0};
    VEC_PUSH(arena, &step->lines, line);
    size_t at = 0, last = step->lines.count - 1;
    while (at < last && step->lines.items[at].session != event->session)
        at++;
    memmove(&step->lines.items[at + 1], &step->lines.items[at],
            (last - at) * sizeof(step->lines.items[0]));
    step->lines.items[at] = line;
    if (step->main != SIZE_MAX && at <= step->main)
        step->main++;
}

/* The programs may be gone when the witness is shown: it gets statements of its own. */
static void make_steps(struct arena *arena, struct trace *trace, const struct schedule *schedule,
                       struct witness *witness) {
    for (size_t i = 0; i < trace->events.count; i++) {
        struct ran_event *event = &trace->events.items[i];
        if (event->stmt != NULL)
            event->stmt = sql_copy(arena, event->stmt);
        add_event(arena, witness, schedule, event);
    }
    for (size_t i = 0; i < trace->events.count; i++)
        if (resumes_later(&trace->events.items[i]))
            add_resumed(arena, witness, &trace->events.items[i]);
    size_t kept = 0;
    for (size_t i = 0; i < witness->steps.count; i++) {
        struct witness_step step = witness->steps.items[i];
        if (step.lines.count == 0)
            continue;
        if (step.main == SIZE_MAX) {
            step.main = 0;
            step.session = step.lines.items[0].session;
        }
        witness->steps.items[kept++] = step;
    }
    witness->steps.count = kept;
}

bool witness_make(struct arena *arena, const struct run_setup *setup,
                  const struct db_config *config, const struct schedule *schedule,
                  struct witness *witness, struct err *err) {
    struct world world;
    struct trace trace;
    struct classify classify = {.arena = arena, .trace = &trace, .schema = setup->schema,
                                .pool = setup->pool};
    *witness = (struct witness){0};
    trace_init(&trace, arena);
    trace.on_event = classify_on_event;
    trace.context = &classify;
    if (!run_start(arena, setup, config, &trace, &world, err))
        return false;
    search_replay(&world, schedule);
    LW_ASSERT(world.trace == &trace);
    classify.db = world.db;
    if (!world.has_differed) /* else its reads and writes have no versions */
        classify_trace(&classify, witness);
    make_steps(arena, &trace, schedule, witness);
    struct buf outcome = {0};
    world_ending(arena, &world, &witness->ending);
    ending_print(&witness->ending, &outcome);
    witness->outcome = str_dup(arena, buf_str(&outcome));
    buf_release(&outcome);
    world_free(&world);
    return setup->server == NULL || !server_failed(setup->server, err);
}
