/* Host code: frames, control flow, exceptions. `session_run` goes step by step until one of them queues a
 * visible operation. Leaving a block early (an exception, return, break, continue) unwinds frame by frame; an atomic
 * frame on the way queues its COMMIT or ROLLBACK, and unwinding goes on when that was done. */
#include "base/assert.h"
#include "explore/database.h"
#include "explore/run.h"

/* Django's exception classes, child before parent; a class not listed derives from Exception. */
static const struct {
    const char *child, *parent;
} class_parents[] = {
    {"IntegrityError", "DatabaseError"},      {"OperationalError", "DatabaseError"},
    {"InternalError", "DatabaseError"},       {"DataError", "DatabaseError"},
    {"ProgrammingError", "DatabaseError"},    {"NotSupportedError", "DatabaseError"},
    {"TransactionManagementError", "ProgrammingError"},
    {"DatabaseError", "Error"},               {"DoesNotExist", "ObjectDoesNotExist"},
    {"KeyError", "LookupError"},              {"IndexError", "LookupError"},
    {"ZeroDivisionError", "ArithmeticError"}, {"UnboundLocalError", "NameError"},
};

static struct str class_parent(struct str class_name) {
    for (size_t i = 0; i < LW_COUNT_OF(class_parents); i++)
        if (str_is(class_name, class_parents[i].child))
            return str_from_c(class_parents[i].parent);
    if (str_ends(class_name, ".DoesNotExist"))
        return STR("ObjectDoesNotExist");
    if (str_ends(class_name, ".MultipleObjectsReturned"))
        return STR("MultipleObjectsReturned");
    return (struct str){0};
}

/* "db.IntegrityError" and "IntegrityError" are the same class to a handler. */
static struct str last_part(struct str name) {
    size_t dot = name.len;
    while (dot > 0 && name.ptr[dot - 1] != '.')
        dot--;
    return str_sub(name, dot, name.len);
}

static bool class_matches(struct str raised, struct str wanted) {
    if (str_is(wanted, "Exception") || str_is(wanted, "BaseException"))
        return true;
    for (struct str at = raised; at.len > 0; at = class_parent(at))
        if (str_equal(at, wanted))
            return true;
    bool is_model_error = str_is(last_part(wanted), "DoesNotExist") ||
                          str_is(last_part(wanted), "MultipleObjectsReturned");
    return !is_model_error && str_equal(last_part(raised), last_part(wanted));
}

static bool handler_matches(const struct txn_handler *handler, struct str raised) {
    for (size_t i = 0; i < handler->classes.count; i++)
        if (class_matches(raised, handler->classes.items[i]))
            return true;
    return handler->classes.count == 0;
}

static void queue_op(struct session *session, struct op op) {
    LW_ASSERT(session->op_count < SESSION_OPS_MAX);
    session->ops[session->op_count++] = op;
}

static void push_frame(struct session *session, const struct txn_block *block,
                       const struct txn_step *owner, enum frame_role role) {
    MVEC_PUSH(&session->frames, (struct frame){.block = block,
                                               .owner = owner,
                                               .role = (uint8_t)role,
                                               .deps_outside = session->control_deps});
}

static struct frame *top_frame(struct session *session) {
    LW_ASSERT(session->frames.count > 0);
    return &session->frames.items[session->frames.count - 1];
}

void session_raise(struct session *session, struct str class_name, enum db_error error,
                   const struct txn_step *step) {
    session->exception = (struct exception){class_name, error, step, session->op_number};
    session->leave = LEAVE_EXCEPTION;
}

/* Whether control can leave the block other than at its end: then what decided to enter it or not goes on
 * deciding what comes after. */
static bool may_leave(const struct txn_block *block) {
    for (size_t i = 0; i < block->steps.count; i++) {
        const struct txn_step *step = block->steps.items[i];
        switch (step->kind) {
        case TXN_STEP_RAISE:
        case TXN_STEP_RETURN:
        case TXN_STEP_BREAK:
        case TXN_STEP_CONTINUE:
            return true;
        default:
            if (may_leave(&step->body) || may_leave(&step->else_body))
                return true;
        }
    }
    return false;
}

static void enter_if(struct world *world, struct session *session, const struct txn_step *step) {
    struct host_value cond;
    if (!host_eval(world, session, step->expr, &cond))
        return;
    uint32_t before = session->control_deps;
    if (world->trace != NULL)
        session->control_deps = trace_union(world->trace, before, cond.deps);
    bool is_true = host_is_true(world, cond);
    push_frame(session, is_true ? &step->body : &step->else_body, step,
               is_true ? FRAME_BODY : FRAME_ELSE);
    if (world->trace != NULL && !may_leave(&step->body) && !may_leave(&step->else_body))
        top_frame(session)->deps_outside = before;
}

/* Begins the next round of a FOR or REPEAT; false if there is none. */
static bool next_round(struct world *world, struct session *session, struct frame *frame) {
    const struct txn_step *step = frame->owner;
    if (step->kind == TXN_STEP_REPEAT) {
        frame->next = 0;
        return frame->round++ < step->repeat_max;
    }
    const struct host_value *list = &session->vars.items[step->list_var];
    if (list->kind != HOST_LIST || frame->round >= list->count)
        return false;
    struct host_value item = session->items.items[list->index + frame->round];
    item.deps = trace_union(world->trace, item.deps, list->deps);
    session->vars.items[step->var] = item;
    frame->round++;
    frame->next = 0;
    return true;
}

static void enter_loop(struct world *world, struct session *session, const struct txn_step *step) {
    push_frame(session, &step->body, step, FRAME_BODY);
    if (world->trace != NULL && step->kind == TXN_STEP_FOR)
        session->control_deps = trace_union(world->trace, session->control_deps,
                                            session->vars.items[step->list_var].deps);
    if (!next_round(world, session, top_frame(session)))
        session->frames.count--;
}

/* What was rolled back was not written; that the session meant to write stands. */
static void undo_flags(struct session *session, uint8_t before) {
    session->flags = before | (session->flags & SESSION_WROTE);
}

static void enter_atomic(struct session *session, const struct txn_step *step) {
    push_frame(session, &step->body, step, FRAME_BODY);
    session->atomic_depth++;
    if (session->atomic_depth == 1) {
        session->needs_rollback = false;
        session->flags_at_begin = session->flags;
        queue_op(session, (struct op){.kind = OP_BEGIN, .isolation = (uint8_t)step->isolation,
                                      .step = step});
    } else if (!step->is_savepoint_off) {
        top_frame(session)->has_savepoint = true;
        top_frame(session)->flags_at_savepoint = session->flags;
        queue_op(session, (struct op){.kind = OP_SAVEPOINT, .level = session->atomic_depth,
                                      .step = step});
    }
}

/* What an unknown function gives is a text, but a column of numbers gets a number that tells it apart as well. */
static struct value value_for_column(const struct world *world, size_t table, size_t column,
                                     const struct host_value *value) {
    enum { NUMBER_MIN = 1000, NUMBER_COUNT = 29989 }; /* any integer column holds these */
    enum column_type type = world->schema->tables.items[table]->columns.items[column].type;
    bool is_number = type == COLUMN_INT || type == COLUMN_DECIMAL;
    if (!value->is_opaque || value->scalar.kind != VALUE_TEXT || !is_number)
        return value->scalar;
    uint64_t hash = str_hash(text_pool_get(world->pool, value->scalar.number));
    return value_int(NUMBER_MIN + (int64_t)(hash % NUMBER_COUNT));
}

static void do_new(struct world *world, struct session *session, const struct txn_step *step) {
    uint32_t object = host_new_object(world, session, step->table);
    for (size_t i = 0; i < step->new_columns.count; i++) {
        struct host_value value;
        if (!host_eval(world, session, step->args.items[i], &value))
            return;
        uint16_t column = step->new_column_index[i];
        *host_cell(session, object, column) =
            (struct cell){.value = value_for_column(world, (size_t)step->table, column, &value),
                          .deps = value.deps,
                          .is_assigned = true};
    }
    session->vars.items[step->var] = (struct host_value){.kind = HOST_ROW, .index = object};
}

static void do_set_column(struct world *world, struct session *session,
                          const struct txn_step *step) {
    const struct host_value *row = &session->vars.items[step->var];
    if (row->kind != HOST_ROW || row->index == HOST_NO_OBJECT) {
        session_raise(session, STR("AttributeError"), DB_OK_NO_ERROR, step);
        return;
    }
    struct cell new_cell = {.is_assigned = true, .assigned_at = step};
    if (step->sql_expr != NULL) {
        new_cell.pending = session_fill_expr(world, session, step);
    } else {
        struct host_value value;
        if (!host_eval(world, session, step->expr, &value))
            return;
        size_t table = session->objects.items[row->index].table;
        new_cell.value = value_for_column(world, table, step->column, &value);
        new_cell.deps = value.deps;
    }
    struct cell *cell = host_cell(session, row->index, step->column);
    new_cell.is_loaded = cell->is_loaded;
    *cell = new_cell;
}

static void do_effect(struct world *world, struct session *session, const struct txn_step *step) {
    struct effect effect = {.session = session->index, .name = step->name, .step = step,
                            .first_arg = (uint32_t)world->effect_args.count,
                            .arg_count = (uint32_t)step->args.count};
    struct buf text = {0};
    uint32_t deps = 0;
    for (size_t i = 0; i < step->args.count; i++) {
        struct host_value value;
        if (!host_eval(world, session, step->args.items[i], &value)) {
            buf_release(&text);
            return;
        }
        MVEC_PUSH(&world->effect_args, value.kind == HOST_SCALAR ? value.scalar : value_null());
        deps = trace_union(world->trace, deps, value.deps);
        if (world->trace != NULL) {
            buf_add_c(&text, i > 0 ? ", " : "");
            value_print(world->pool, world->effect_args.items[effect.first_arg + i], &text);
        }
    }
    MVEC_PUSH(&world->effects, effect);
    struct ran_event *event = trace_add(world, session, RAN_EFFECT, step);
    if (event != NULL) {
        event->sql = str_printf(world->trace->arena, "%.*s(%.*s)", STR_ARG(step->name),
                                STR_ARG(buf_str(&text)));
        event->effect_deps = deps;
        if (event->transaction == 0 && session->atomic_depth > 0) /* BEGIN waits for a statement */
            event->transaction = world->trace->transaction_count[session->index] + 1;
        trace_told(world);
    }
    buf_release(&text);
}

static bool is_statement(const struct txn_step *step, enum sql_stmt_kind kind) {
    return step->sql.stmt->kind == kind;
}

static void queue_sql(struct world *world, struct session *session, const struct txn_step *step) {
    if (session->needs_rollback && session->atomic_depth > 0) {
        session_raise(session, STR("TransactionManagementError"), DB_OK_NO_ERROR, step);
        return;
    }
    (void)world;
    bool is_silent = is_statement(step, SQL_STMT_BEGIN) || is_statement(step, SQL_STMT_SAVEPOINT) ||
                     is_statement(step, SQL_STMT_RELEASE) || is_statement(step, SQL_STMT_SET) ||
                     is_statement(step, SQL_STMT_SET_TRANSACTION);
    queue_op(session, (struct op){.kind = is_silent ? OP_SILENT_STATEMENT : OP_STATEMENT,
                                  .step = step});
}

static void do_return(struct world *world, struct session *session, const struct txn_step *step) {
    struct host_value value = {.kind = HOST_SCALAR};
    if (step->expr != NULL && !host_eval(world, session, step->expr, &value))
        return;
    session->returned = value;
    session->leave = LEAVE_RETURN;
}

static void do_raise(struct session *session, const struct txn_step *step) {
    if (step->name.len > 0) {
        session_raise(session, step->name, DB_OK_NO_ERROR, step);
        return;
    }
    for (size_t i = session->frames.count; i > 0; i--) {
        const struct frame *frame = &session->frames.items[i - 1];
        if (frame->role == FRAME_HANDLER) {
            session->exception = frame->saved;
            session->leave = LEAVE_EXCEPTION;
            return;
        }
    }
    session_raise(session, STR("RuntimeError"), DB_OK_NO_ERROR, step);
}

static void do_assign(struct world *world, struct session *session, const struct txn_step *step) {
    struct host_value value;
    if (host_eval(world, session, step->expr, &value))
        session->vars.items[step->var] = value;
}

static bool lock_key(struct world *world, struct session *session, const struct txn_step *step,
                     struct value *key) {
    struct host_value value = {.kind = HOST_SCALAR};
    if (step->expr != NULL && !host_eval(world, session, step->expr, &value))
        return false;
    *key = value.scalar;
    return true;
}

static void do_step(struct world *world, struct session *session, const struct txn_step *step) {
    if (world->observer != NULL && world->observer->on_step != NULL)
        world->observer->on_step(world->observer->context, session, step);
    switch (step->kind) {
    case TXN_STEP_SQL:
        queue_sql(world, session, step);
        return;
    case TXN_STEP_ASSIGN:
        do_assign(world, session, step);
        return;
    case TXN_STEP_SET_COLUMN:
        do_set_column(world, session, step);
        return;
    case TXN_STEP_NEW:
        do_new(world, session, step);
        return;
    case TXN_STEP_IF:
        enter_if(world, session, step);
        return;
    case TXN_STEP_FOR:
    case TXN_STEP_REPEAT:
        enter_loop(world, session, step);
        return;
    case TXN_STEP_BREAK:
        session->leave = LEAVE_BREAK;
        return;
    case TXN_STEP_CONTINUE:
        session->leave = LEAVE_CONTINUE;
        return;
    case TXN_STEP_ATOMIC:
        enter_atomic(session, step);
        return;
    case TXN_STEP_TRY:
    case TXN_STEP_CALL:
        push_frame(session, &step->body, step, FRAME_BODY);
        return;
    case TXN_STEP_RAISE:
        do_raise(session, step);
        return;
    case TXN_STEP_RETURN:
        do_return(world, session, step);
        return;
    case TXN_STEP_WITH_LOCK:
    case TXN_STEP_LOCK:
        if (lock_key(world, session, step, &session->mutex_key))
            queue_op(session, (struct op){.kind = OP_MUTEX, .step = step});
        return;
    case TXN_STEP_UNLOCK: {
        struct value key;
        if (lock_key(world, session, step, &key))
            world_release_mutex(world, session, step, key);
        return;
    }
    case TXN_STEP_EFFECT:
        do_effect(world, session, step);
        return;
    }
    LW_UNREACHABLE();
}

/* A COMMIT or ROLLBACK of the atomic frame at the top, or the final one of the program. */
static void transaction_ended(struct session *session) {
    session->needs_rollback = session->is_ended = false;
    if (session->frames.count > 0 && session->atomic_depth > 0) {
        session->atomic_depth--;
        session->frames.count--;
    }
}

/* Queues what ends an atomic block: COMMIT or RELEASE if it ended well, else a rollback. The frame is popped
 * when that was done (session_op_done), or at once for a silent RELEASE. */
static void end_atomic(struct world *world, struct session *session, struct frame *frame) {
    bool is_outermost = session->atomic_depth == 1;
    bool ends_well = session->leave != LEAVE_EXCEPTION && !session->needs_rollback;
    struct op op = {.step = frame->owner, .level = session->atomic_depth};
    if (is_outermost && session->is_ended) {
        session_rollback_now(world, session, op.step);
        undo_flags(session, session->flags_at_begin);
        transaction_ended(session);
        return;
    }
    if (is_outermost) {
        op.kind = ends_well ? OP_COMMIT : OP_ROLLBACK;
        queue_op(session, op);
        return;
    }
    if (frame->has_savepoint && !ends_well) {
        op.kind = OP_ROLLBACK_TO;
        queue_op(session, op);
        return;
    }
    if (frame->has_savepoint) {
        op.kind = OP_RELEASE;
        queue_op(session, op);
    } else if (!ends_well) {
        session->needs_rollback = true;
    }
    session->atomic_depth--;
    session->frames.count--;
}

/* The TRY frame at the top ends its body by an exception: to its handler, or to its finally. */
static void leave_try(struct session *session, struct frame *frame) {
    const struct txn_step *step = frame->owner;
    if (session->leave == LEAVE_EXCEPTION && frame->role == FRAME_BODY) {
        for (size_t i = 0; i < step->handlers.count; i++) {
            const struct txn_handler *handler = &step->handlers.items[i];
            if (!handler_matches(handler, session->exception.class_name))
                continue;
            frame->role = FRAME_HANDLER;
            frame->handler = handler;
            frame->block = &handler->body;
            frame->next = 0;
            frame->saved = session->exception;
            session->exception = (struct exception){0};
            session->leave = LEAVE_NONE;
            return;
        }
    }
    if (frame->role != FRAME_FINALLY && step->finally_body.steps.count > 0) {
        frame->role = FRAME_FINALLY;
        frame->block = &step->finally_body;
        frame->next = 0;
        frame->leave = session->leave;
        frame->saved = session->exception;
        session->exception = (struct exception){0};
        session->leave = LEAVE_NONE;
        return;
    }
    session->frames.count--;
}

/* The block of the TRY frame at the top ran to its end. */
static void end_try(struct session *session, struct frame *frame) {
    const struct txn_step *step = frame->owner;
    if (frame->role == FRAME_BODY && step->else_body.steps.count > 0) {
        frame->role = FRAME_ELSE;
        frame->block = &step->else_body;
        frame->next = 0;
    } else if (frame->role != FRAME_FINALLY && step->finally_body.steps.count > 0) {
        leave_try(session, frame);
    } else {
        session->leave = frame->role == FRAME_FINALLY ? frame->leave : LEAVE_NONE;
        if (session->leave == LEAVE_EXCEPTION)
            session->exception = frame->saved;
        session->frames.count--;
    }
}

static void end_call(struct session *session, const struct txn_step *step) {
    if (session->leave == LEAVE_EXCEPTION)
        return;
    if (step->var != TXN_NO_VAR)
        session->vars.items[step->var] =
            session->leave == LEAVE_RETURN ? session->returned
                                           : (struct host_value){.kind = HOST_SCALAR};
    session->leave = LEAVE_NONE;
}

/* One frame of unwinding, or of ending a block at its end (leave is LEAVE_NONE). */
static void end_frame(struct world *world, struct session *session) {
    struct frame *frame = top_frame(session);
    const struct txn_step *step = frame->owner;
    if (session->leave == LEAVE_NONE)
        session->control_deps = frame->deps_outside;
    if (step == NULL) {
        session->frames.count--;
        return;
    }
    switch (step->kind) {
    case TXN_STEP_ATOMIC:
        end_atomic(world, session, frame);
        return;
    case TXN_STEP_TRY:
        if (session->leave == LEAVE_NONE)
            end_try(session, frame);
        else
            leave_try(session, frame);
        return;
    case TXN_STEP_CALL:
        session->frames.count--;
        end_call(session, step);
        return;
    case TXN_STEP_WITH_LOCK: {
        struct value key = frame->key;
        session->frames.count--;
        world_release_mutex(world, session, step, key);
        return;
    }
    case TXN_STEP_FOR:
    case TXN_STEP_REPEAT:
        if (session->leave == LEAVE_CONTINUE)
            session->leave = LEAVE_NONE;
        if (session->leave == LEAVE_NONE && next_round(world, session, frame))
            return;
        if (session->leave == LEAVE_BREAK)
            session->leave = LEAVE_NONE;
        session->frames.count--;
        return;
    default:
        session->frames.count--;
    }
}

/* The program is over: whatever transaction it left open is rolled back with its connection. */
static void end_program(struct world *world, struct session *session) {
    if (database_in_transaction(world, session->index) && session->is_ended) {
        session_rollback_now(world, session, NULL);
        session->is_ended = false;
        return;
    }
    if (database_in_transaction(world, session->index)) {
        queue_op(session, (struct op){.kind = OP_ROLLBACK});
        return;
    }
    session->op_count = session->op_next = 0;
    session->status = SESSION_DONE;
    if (session->leave != LEAVE_EXCEPTION)
        session->fate = FATE_DONE;
    else
        session->fate = session->exception.error != DB_OK_NO_ERROR ? FATE_FAILED : FATE_RAISED;
}

static bool has_visible_op(const struct session *session) {
    return session->op_count > 0 && session->ops[session->op_count - 1].kind >= OP_STATEMENT;
}

void session_run(struct world *world, struct session *session) {
    enum { HOST_STEPS_MAX = 100000 };
    for (int i = 0; session->status == SESSION_READY && !has_visible_op(session); i++) {
        if (i == HOST_STEPS_MAX || session->op_count >= SESSION_OPS_MAX - 2) {
            world->has_hit_limit = true;
            session->status = SESSION_DONE;
            session->fate = FATE_STUCK;
            return;
        }
        if (session->frames.count == 0) {
            end_program(world, session);
            continue;
        }
        struct frame *frame = top_frame(session);
        if (session->leave != LEAVE_NONE || frame->next >= frame->block->steps.count)
            end_frame(world, session);
        else
            do_step(world, session, frame->block->steps.items[frame->next++]);
    }
}

void session_op_done(struct world *world, struct session *session) {
    LW_ASSERT(session->op_next > 0);
    struct op op = session->ops[session->op_next - 1];
    if (op.kind >= OP_STATEMENT)
        session->op_count = session->op_next = 0;
    switch ((enum op_kind)op.kind) {
    case OP_COMMIT:
        /* A COMMIT that fails leaves the frame to end_atomic, which rolls back. */
        if (session->leave != LEAVE_EXCEPTION)
            transaction_ended(session);
        break;
    case OP_ROLLBACK:
        undo_flags(session, session->flags_at_begin);
        transaction_ended(session);
        break;
    case OP_ROLLBACK_TO:
        undo_flags(session, top_frame(session)->flags_at_savepoint);
        transaction_ended(session);
        queue_op(session, (struct op){.kind = OP_RELEASE, .level = op.level, .step = op.step});
        break;
    case OP_MUTEX:
        if (op.step->kind == TXN_STEP_WITH_LOCK) {
            push_frame(session, &op.step->body, op.step, FRAME_BODY);
            top_frame(session)->key = session->mutex_key;
        }
        break;
    default:
        break;
    }
    session_run(world, session);
}
