/* Steps, waits and copies. */
#include "explore/world.h"

#include "base/assert.h"
#include "explore/database.h"
#include "explore/run.h"
#include "live/server.h"

#include <stdlib.h>

static void set_vars(struct session *session, const struct world_session *start) {
    const struct txn_program *program = start->program;
    for (size_t i = 0; i < program->vars.count; i++) {
        struct host_value value = {0};
        if (i < program->param_count)
            value = (struct host_value){.kind = HOST_SCALAR, .scalar = start->args[i]};
        MVEC_PUSH(&session->vars, value);
    }
    MVEC_PUSH(&session->frames, (struct frame){.block = &program->body});
}

/* Transaction control is sent as statements that live as long as the run: a database may keep one while it waits.
 * Each is made when it is first sent. */
struct controls {
    struct sql_stmt *begin[SQL_SERIALIZABLE + 1];
    struct sql_stmt *commit, *rollback;
    struct sql_stmt *savepoint[TXN_DEPTH_MAX], *release[TXN_DEPTH_MAX], *rollback_to[TXN_DEPTH_MAX];
};

bool world_init(struct world *world, struct arena *run, const struct schema *schema,
                struct text_pool *pool, const struct db_config *config,
                struct sql_stmt *const *setup, size_t setup_count,
                const struct world_session *sessions, size_t session_count, struct err *err) {
    LW_ASSERT(session_count <= DB_SESSIONS_MAX);
    *world = (struct world){.schema = schema, .pool = pool, .run = run,
                            .session_count = session_count};
    world->controls = ARENA_NEW(run, struct controls);
    world->db = db_new(config, schema, pool, session_count);
    for (size_t i = 0; i < setup_count; i++) {
        if (!db_load(world->db, setup[i], err)) {
            world_free(world);
            return false;
        }
    }
    for (size_t i = 0; i < session_count; i++) {
        struct session *session = &world->sessions[i];
        session->program = sessions[i].program;
        session->index = (uint8_t)i;
        set_vars(session, &sessions[i]);
    }
    return true;
}

void world_set_args(struct world *world, const struct world_session *sessions) {
    for (size_t i = 0; i < world->session_count; i++)
        for (size_t k = 0; k < sessions[i].program->param_count; k++)
            world->sessions[i].vars.items[k].scalar = sessions[i].args[k];
}

bool world_put_on(struct world *world, struct server *server, const struct server_setup *setup,
                  const struct db_config *config, struct err *err) {
    world->server = server;
    return server_prepare(server, setup, config, err);
}

void world_start(struct world *world, struct trace *trace) {
    world->trace = trace;
    for (size_t i = 0; i < world->session_count; i++)
        session_run(world, &world->sessions[i]);
}

void world_free(struct world *world) {
    for (size_t i = 0; i < world->session_count; i++) {
        struct session *session = &world->sessions[i];
        free(session->vars.items);
        free(session->objects.items);
        free(session->cells.items);
        free(session->items.items);
        free(session->frames.items);
    }
    free(world->effects.items);
    free(world->effect_args.items);
    free(world->end_values.items);
    free(world->end_rows.items);
    if (world->db != NULL)
        db_free(world->db);
    *world = (struct world){0};
}

/* Copies a growable array into one that keeps its own memory. */
static void copy_items(void **into, size_t *into_count, size_t *into_capacity, const void *from,
                       size_t count, size_t byte_size) {
    if (*into_capacity < count) {
        *into_capacity = count * 2;
        *into = mem_realloc(*into, *into_capacity * byte_size);
    }
    if (count > 0)
        memcpy(*into, from, count * byte_size);
    *into_count = count;
}

#define COPY_VEC(into, from)                                                                       \
    do {                                                                                           \
        void *items_ = (into)->items;                                                              \
        copy_items(&items_, &(into)->count, &(into)->capacity, (from)->items, (from)->count,       \
                   sizeof(*(from)->items));                                                        \
        (into)->items = items_;                                                                    \
    } while (0)

static void session_copy(struct session *into, const struct session *from) {
    struct session kept = *into;
    *into = *from;
    into->vars.items = kept.vars.items, into->vars.capacity = kept.vars.capacity;
    into->objects.items = kept.objects.items, into->objects.capacity = kept.objects.capacity;
    into->cells.items = kept.cells.items, into->cells.capacity = kept.cells.capacity;
    into->items.items = kept.items.items, into->items.capacity = kept.items.capacity;
    into->frames.items = kept.frames.items, into->frames.capacity = kept.frames.capacity;
    COPY_VEC(&into->vars, &from->vars);
    COPY_VEC(&into->objects, &from->objects);
    COPY_VEC(&into->cells, &from->cells);
    COPY_VEC(&into->items, &from->items);
    COPY_VEC(&into->frames, &from->frames);
}

void world_copy(struct world *into, const struct world *from) {
    if (into->db == NULL)
        into->db = db_copy_new(from->db);
    else
        db_copy(into->db, from->db);
    into->schema = from->schema;
    into->pool = from->pool;
    into->session_count = from->session_count;
    for (size_t i = 0; i < from->session_count; i++)
        session_copy(&into->sessions[i], &from->sessions[i]);
    memcpy(into->mutexes, from->mutexes, from->mutex_count * sizeof(*from->mutexes));
    into->mutex_count = from->mutex_count;
    into->clock = from->clock;
    into->has_waited = from->has_waited;
    into->errors = from->errors;
    into->has_hit_limit = from->has_hit_limit;
    COPY_VEC(&into->effects, &from->effects);
    COPY_VEC(&into->effect_args, &from->effect_args);
    into->run = from->run;
    into->bound = from->bound;
    into->controls = from->controls;
    into->trace = NULL;
    LW_ASSERT(from->server == NULL || from->server_run == 0);
    into->server = from->server;
    into->server_run = 0;
    into->has_ended = into->has_differed = into->has_raced = false;
}

uint32_t world_flags(const struct world *world) {
    uint32_t flags = 0;
    for (size_t i = 0; i < world->session_count; i++)
        flags |= world->sessions[i].flags;
    return flags;
}

bool world_has_effects(const struct world *world, size_t session) {
    for (size_t i = 0; i < world->effects.count; i++)
        if (world->effects.items[i].session == session)
            return true;
    return false;
}

bool world_has_failed_effects(const struct world *world) {
    for (size_t i = 0; i < world->session_count; i++)
        if (world->sessions[i].fate == FATE_FAILED && world_has_effects(world, i))
            return true;
    return false;
}

/* A session about to take a mutex that another holds is not offered until it is free. */
static bool waits_for_mutex(const struct world *world, const struct session *session) {
    if (session->op_count == 0 || session->ops[session->op_count - 1].kind != OP_MUTEX)
        return false;
    const struct op *op = &session->ops[session->op_count - 1];
    for (size_t i = 0; i < world->mutex_count; i++) {
        const struct mutex *mutex = &world->mutexes[i];
        if (mutex->holder != DB_NO_SESSION && mutex->holder != session->index &&
            str_equal(mutex->name, op->step->name) &&
            value_equal(world->pool, mutex->key, session->mutex_key))
            return true;
    }
    return false;
}

uint32_t world_enabled(const struct world *world) {
    uint32_t enabled = 0;
    for (size_t i = 0; i < world->session_count; i++) {
        const struct session *session = &world->sessions[i];
        if (session->status == SESSION_READY && !waits_for_mutex(world, session))
            enabled |= 1u << i;
    }
    return enabled;
}

bool world_is_done(const struct world *world) {
    for (size_t i = 0; i < world->session_count; i++)
        if (world->sessions[i].status != SESSION_DONE)
            return false;
    return true;
}

/* Mutexes. */

static void touch_mutex(struct world *world, struct str name) {
    world->touched_mutexes |= 1ull << (str_hash(name) % 64);
}

static struct mutex *find_mutex(struct world *world, struct str name, struct value key) {
    for (size_t i = 0; i < world->mutex_count; i++) {
        struct mutex *mutex = &world->mutexes[i];
        if (str_equal(mutex->name, name) && value_equal(world->pool, mutex->key, key))
            return mutex;
    }
    if (world->mutex_count == WORLD_MUTEXES_MAX) {
        world->has_hit_limit = true;
        return &world->mutexes[0];
    }
    struct mutex *mutex = &world->mutexes[world->mutex_count++];
    *mutex = (struct mutex){.name = name, .key = key, .holder = DB_NO_SESSION};
    return mutex;
}

static void trace_mutex(struct world *world, struct session *session, enum ran_kind kind,
                        const struct txn_step *step, struct value key) {
    struct ran_event *event = trace_add(world, session, kind, step);
    if (event == NULL)
        return;
    struct buf text = {0};
    buf_add(&text, step->name);
    if (step->expr != NULL) {
        buf_add_char(&text, ' ');
        value_print(world->pool, key, &text);
    }
    event->sql = str_dup(world->trace->arena, buf_str(&text));
    buf_release(&text);
    trace_told(world);
}

void world_take_mutex(struct world *world, struct session *session, const struct txn_step *step) {
    struct mutex *mutex = find_mutex(world, step->name, session->mutex_key);
    touch_mutex(world, step->name);
    LW_ASSERT(mutex->holder == DB_NO_SESSION || mutex->holder == session->index ||
              world->has_hit_limit);
    mutex->holder = (int8_t)session->index;
    mutex->depth++;
    trace_mutex(world, session, RAN_LOCK, step, session->mutex_key);
}

void world_release_mutex(struct world *world, struct session *session, const struct txn_step *step,
                         struct value key) {
    struct mutex *mutex = find_mutex(world, step->name, key);
    if (mutex->holder != session->index || --mutex->depth > 0)
        return;
    touch_mutex(world, step->name);
    mutex->holder = DB_NO_SESSION;
    trace_mutex(world, session, RAN_UNLOCK, step, key);
}

/* Steps. */

static void footprint_add(struct db_footprint *into, const struct db_footprint *from) {
    into->reads |= from->reads;
    into->writes |= from->writes;
    into->locks |= from->locks;
    into->ends |= from->ends;
    into->took_snapshot |= from->took_snapshot;
    into->ended_transaction |= from->ended_transaction;
    into->is_serializable |= from->is_serializable;
    into->waited_or_woke |= from->waited_or_woke;
    into->is_advisory |= from->is_advisory;
}

bool footprint_commutes(const struct footprint *a, const struct footprint *b) {
    return (a->mutexes & b->mutexes) == 0 && db_commutes(&a->db, &b->db);
}

static struct sql_stmt **control_slot(struct controls *controls, struct op op,
                                      enum sql_stmt_kind *kind) {
    LW_ASSERT(op.level < TXN_DEPTH_MAX);
    switch ((enum op_kind)op.kind) {
    case OP_BEGIN:
        *kind = SQL_STMT_BEGIN;
        return &controls->begin[op.isolation];
    case OP_SAVEPOINT:
        *kind = SQL_STMT_SAVEPOINT;
        return &controls->savepoint[op.level];
    case OP_RELEASE:
        *kind = SQL_STMT_RELEASE;
        return &controls->release[op.level];
    case OP_COMMIT:
        *kind = SQL_STMT_COMMIT;
        return &controls->commit;
    case OP_ROLLBACK:
        *kind = SQL_STMT_ROLLBACK;
        return &controls->rollback;
    case OP_ROLLBACK_TO:
        *kind = SQL_STMT_ROLLBACK_TO;
        return &controls->rollback_to[op.level];
    default:
        LW_UNREACHABLE();
    }
}

static const struct sql_stmt *control_stmt(struct world *world, struct op op) {
    enum sql_stmt_kind kind;
    struct sql_stmt **slot = control_slot(world->controls, op, &kind);
    if (*slot != NULL)
        return *slot;
    struct sql_stmt *stmt = *slot = ARENA_NEW(world->run, struct sql_stmt);
    stmt->kind = kind;
    stmt->is_resolved = true;
    stmt->transaction = ARENA_NEW(world->run, struct sql_transaction);
    if (kind == SQL_STMT_BEGIN)
        stmt->transaction->isolation = op.isolation;
    else if (kind != SQL_STMT_COMMIT && kind != SQL_STMT_ROLLBACK)
        stmt->transaction->savepoint = str_printf(world->run, "s%d", op.level);
    return stmt;
}

static void send_control(struct world *world, struct session *session, struct op op,
                         struct db_result *result) {
    const struct sql_stmt *stmt = control_stmt(world, op);
    trace_control(world, session, op, stmt);
    database_exec(world, session->index, stmt, NULL, result);
}

static void control_ended(struct world *world, struct session *session, struct op op,
                          const struct db_result *result) {
    trace_answer(world, session, op.step, result);
    if (result->status != DB_FAILED)
        return;
    world->errors |= 1u << result->error;
    if (op.kind == OP_COMMIT && !database_in_transaction(world, session->index))
        session->is_ended = true;
    if (op.kind == OP_ROLLBACK_TO || op.kind == OP_RELEASE)
        session->needs_rollback = true; /* 1305 after 1213: the first error comes out */
    if (session->leave != LEAVE_EXCEPTION && op.kind != OP_RELEASE)
        session_raise(session, str_from_c(db_error_class(result->error)), result->error, op.step);
}

/* Takes in how an operation ended. False if it was a silent one that raised: the visible one behind it is then not
 * reached. */
static bool op_ended(struct world *world, struct session *session, struct op op,
                     const struct db_result *result) {
    bool was_raising = session->leave == LEAVE_EXCEPTION;
    if (op.kind == OP_STATEMENT || op.kind == OP_SILENT_STATEMENT)
        session_receive(world, session, op.step, result);
    else
        control_ended(world, session, op, result);
    if (was_raising || session->leave != LEAVE_EXCEPTION || op.kind >= OP_STATEMENT)
        return true;
    session->op_next = session->op_count = 0;
    session_run(world, session);
    return false;
}

/* Does the session's queued operations from where it is; false when one waits. */
static bool do_ops(struct world *world, struct session *session, struct db_footprint *footprint) {
    while (session->op_next < session->op_count) {
        struct op op = session->ops[session->op_next++];
        struct db_result result = {0};
        if (op.kind == OP_MUTEX && waits_for_mutex(world, session)) {
            /* The BEGIN before it had waited, and meanwhile another session took it. */
            session->op_next--;
            return false;
        }
        if (op.kind == OP_MUTEX) {
            session->op_number++;
            world_take_mutex(world, session, op.step);
            return true;
        }
        if (op.kind == OP_STATEMENT || op.kind == OP_SILENT_STATEMENT)
            session_send(world, session, op.step, &result);
        else
            send_control(world, session, op, &result);
        footprint_add(footprint, &result.footprint);
        session->op_number += op.kind >= OP_STATEMENT;
        if (result.status == DB_BLOCKED) {
            trace_blocked(world, session, &result);
            session->status = SESSION_WAITING;
            world->has_waited = true;
            footprint->waited_or_woke = true;
            return false;
        }
        if (!op_ended(world, session, op, &result))
            return false;
    }
    return true;
}

static void finish_ops(struct world *world, struct session *session,
                       struct db_footprint *footprint) {
    if (do_ops(world, session, footprint))
        session_op_done(world, session);
}

/* Lets every waiting session go on that can, in the order in which they began to wait. */
static void resume_waiting(struct world *world, struct db_footprint *footprint) {
    for (;;) {
        struct db_result result = {0};
        int index = database_resume(world, &result);
        if (index == DB_NO_SESSION)
            return;
        struct session *session = &world->sessions[index];
        footprint_add(footprint, &result.footprint);
        footprint->waited_or_woke = true;
        session->status = SESSION_READY;
        if (op_ended(world, session, session->ops[session->op_next - 1], &result))
            finish_ops(world, session, footprint);
    }
}

void session_rollback_now(struct world *world, struct session *session,
                          const struct txn_step *step) {
    struct db_result result = {0};
    struct op op = {.kind = OP_ROLLBACK, .step = step};
    send_control(world, session, op, &result);
    control_ended(world, session, op, &result);
}

void world_step(struct world *world, size_t index, struct footprint *footprint) {
    struct session *session = &world->sessions[index];
    LW_ASSERT(session->status == SESSION_READY);
    *footprint = (struct footprint){0};
    world->touched_mutexes = 0;
    if (world->trace != NULL)
        world->trace->step = world->clock;
    finish_ops(world, session, &footprint->db);
    resume_waiting(world, &footprint->db);
    footprint->mutexes = world->touched_mutexes;
    world->clock++;
}

void world_break_tie(struct world *world) {
    struct db_footprint footprint = {0};
    for (size_t i = 0; i < world->session_count; i++) {
        struct session *session = &world->sessions[i];
        if (session->status != SESSION_WAITING)
            continue;
        struct db_result result = {0};
        database_timeout(world, i, &result);
        session->status = SESSION_READY;
        if (op_ended(world, session, session->ops[session->op_next - 1], &result))
            finish_ops(world, session, &footprint);
        resume_waiting(world, &footprint);
        return;
    }
    for (size_t i = 0; i < world->session_count; i++) {
        if (world->sessions[i].status == SESSION_READY) {
            world->sessions[i].status = SESSION_DONE;
            world->sessions[i].fate = FATE_STUCK;
        }
    }
}

void world_kill(struct world *world, size_t index) {
    struct session *session = &world->sessions[index];
    struct footprint footprint;
    LW_ASSERT(session->status == SESSION_READY);
    session->op_count = session->op_next = 0;
    session->frames.count = 0;
    for (size_t i = 0; i < world->mutex_count; i++)
        if (world->mutexes[i].holder == (int8_t)index)
            world->mutexes[i].holder = DB_NO_SESSION, world->mutexes[i].depth = 0;
    session->leave = LEAVE_EXCEPTION;
    session->exception = (struct exception){STR("OperationalError"), DB_ERROR_LIMIT, NULL, 0};
    session_run(world, session);
    if (session->status == SESSION_READY)
        world_step(world, index, &footprint);
}
