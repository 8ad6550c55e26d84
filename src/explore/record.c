/* Writing the trace of a replayed schedule. */
#include "base/assert.h"
#include "explore/database.h"
#include "explore/run.h"

struct ran_event *trace_add(struct world *world, struct session *session, enum ran_kind kind,
                              const struct txn_step *at) {
    struct trace *trace = world->trace;
    if (trace == NULL)
        return NULL;
    struct ran_event event = {.kind = kind, .session = session->index, .step = trace->step,
                                .resumed_step = trace->step,
                                .at = at, .control_deps = session->control_deps,
                                .transaction = trace->transaction[session->index]};
    VEC_PUSH(trace->arena, &trace->events, event);
    return &trace->events.items[trace->events.count - 1];
}

void trace_told(struct world *world) {
    struct trace *trace = world->trace;
    if (trace->on_event != NULL && database_has_versions(world))
        trace->on_event(trace->context, trace, (uint32_t)trace->events.count - 1, world->db);
}

struct fill {
    const struct db_bind *binds;
    const struct sql_stmt *stmt;
    const struct text_pool *pool;
    enum sql_dialect dialect;
};

static void print_bind(void *context, uint16_t host, struct buf *out) {
    const struct fill *fill = context;
    const struct db_bind *bind = &fill->binds[host];
    switch (bind->kind) {
    case DB_BIND_VALUE:
        value_print(fill->pool, bind->value, out);
        return;
    case DB_BIND_EXPR:
        sql_print_expr(bind->expr, fill->stmt, fill->pool, fill->dialect, out);
        return;
    case DB_BIND_LIST:
        for (size_t i = 0; i < bind->list_count; i++) {
            buf_add_c(out, i > 0 ? ", " : "");
            value_print(fill->pool, bind->list[i], out);
        }
        if (bind->list_count == 0)
            buf_add_c(out, "NULL");
        return;
    }
}

static struct str filled_sql(struct world *world, const struct sql_stmt *stmt,
                             const struct db_bind *binds) {
    enum sql_dialect dialect = engine_dialect(db_engine(world->db));
    struct fill fill = {binds, stmt, world->pool, dialect};
    struct sql_host_printer printer = {print_bind, &fill};
    struct buf text = {0};
    sql_print_filled(stmt, world->pool, dialect, &printer, &text);
    struct str sql = str_dup(world->trace->arena, buf_str(&text));
    buf_release(&text);
    return sql;
}

void trace_print_brief(const struct ran_event *event, const struct text_pool *pool,
                       enum sql_dialect dialect, const struct sql_brief *brief, struct buf *out) {
    struct fill fill = {event->binds, event->stmt, pool, dialect};
    struct sql_host_printer printer = {print_bind, &fill};
    LW_ASSERT(event->stmt != NULL);
    sql_print_brief(event->stmt, pool, dialect, &printer, brief, out);
}

/* What a host value of a statement was computed from. */
static uint32_t host_deps(struct world *world, struct session *session, const struct txn_sql *sql,
                          size_t host) {
    const struct host_value *value = &session->vars.items[sql->host_var[host]];
    if (sql->host_column[host] == TXN_NO_VAR)
        return value->deps;
    return trace_union(world->trace,
                       host_cell(session, value->index, sql->host_column[host])->deps,
                       value->deps);
}

static uint32_t expr_deps(struct world *world, struct session *session, const struct txn_sql *sql,
                          const struct sql_expr *expr) {
    if (expr == NULL)
        return 0;
    uint32_t deps = expr->kind == SQL_HOST ? host_deps(world, session, sql, expr->host) : 0;
    for (size_t i = 0; i < expr->args.count; i++)
        deps = trace_union(world->trace, deps,
                           expr_deps(world, session, sql, expr->args.items[i]));
    return deps;
}

static struct trace_cell written_cell(struct world *world, struct session *session,
                                      const struct txn_sql *sql, uint16_t column,
                                      const struct sql_expr *expr, const struct db_bind *binds) {
    struct trace_cell written = {.column = column,
                                 .deps = expr_deps(world, session, sql, expr),
                                 .is_assigned = true};
    if (expr->kind == SQL_LITERAL) {
        written.value = expr->literal;
    } else if (expr->kind == SQL_HOST) {
        written.value = binds[expr->host].value;
        uint16_t from = sql->host_column[expr->host];
        if (from != TXN_NO_VAR) {
            const struct host_value *row = &session->vars.items[sql->host_var[expr->host]];
            const struct cell *cell = host_cell(session, row->index, from);
            written.deps = cell->deps; /* which row it is written to is the condition's business */
            written.is_loaded = cell->is_loaded;
            written.is_assigned = cell->is_assigned;
            written.is_pending = cell->pending != NULL;
            written.times_sent = cell->times_sent;
        }
    } else {
        written.is_pending = true;
    }
    return written;
}

static void record_writes(struct world *world, struct session *session, const struct txn_sql *sql,
                          const struct db_bind *binds, struct ran_event *event) {
    VEC(struct trace_cell) cells = {0};
    const struct sql_stmt *stmt = sql->stmt;
    struct arena *arena = world->trace->arena;
    if (stmt->kind == SQL_STMT_UPDATE) {
        for (size_t i = 0; i < stmt->update->set.count; i++) {
            const struct sql_assignment *set = &stmt->update->set.items[i];
            VEC_PUSH(arena, &cells, written_cell(world, session, sql, set->column_index, set->value,
                                                 binds));
        }
        event->where_deps = expr_deps(world, session, sql, stmt->update->where);
    } else if (stmt->kind == SQL_STMT_INSERT && stmt->insert->rows.count > 0) {
        for (size_t i = 0; i < stmt->insert->column_count; i++)
            VEC_PUSH(arena, &cells,
                     written_cell(world, session, sql, stmt->insert->column_index[i],
                                  stmt->insert->rows.items[0][i], binds));
    } else if (stmt->kind == SQL_STMT_DELETE) {
        event->where_deps = expr_deps(world, session, sql, stmt->delete_->where);
    }
    event->cells = cells.items;
    event->cell_count = cells.count;
}

static const struct db_bind *copy_binds(struct arena *arena, const struct db_bind *binds,
                                        size_t count) {
    struct db_bind *copies = arena_copy(arena, binds, count * sizeof(*binds));
    for (size_t i = 0; i < count; i++) {
        if (copies[i].kind == DB_BIND_LIST)
            copies[i].list = arena_copy(arena, copies[i].list,
                                        copies[i].list_count * sizeof(struct value));
        if (copies[i].kind == DB_BIND_EXPR)
            copies[i].expr = sql_copy_expr(arena, copies[i].expr);
    }
    return copies;
}

static void begin_transaction(struct world *world, const struct session *session,
                              const struct sql_stmt *stmt) {
    struct trace *trace = world->trace;
    uint32_t *open = &trace->transaction[session->index];
    if (stmt->kind == SQL_STMT_BEGIN)
        *open = ++trace->transaction_count[session->index];
}

void trace_statement(struct world *world, struct session *session, const struct txn_step *step,
                     const struct db_bind *binds) {
    struct trace *trace = world->trace;
    if (trace == NULL)
        return;
    const struct sql_stmt *stmt = step->sql.stmt;
    begin_transaction(world, session, stmt);
    struct ran_event *event = trace_add(world, session, RAN_STATEMENT, step);
    event->stmt = stmt;
    event->sql = filled_sql(world, stmt, binds);
    event->binds = copy_binds(trace->arena, binds, stmt->hosts.count);
    record_writes(world, session, &step->sql, binds, event);
    trace->pending[session->index] = (uint32_t)trace->events.count - 1;
}

void trace_control(struct world *world, struct session *session, struct op op,
                   const struct sql_stmt *stmt) {
    struct trace *trace = world->trace;
    if (trace == NULL)
        return;
    static const enum ran_kind kinds[] = {
        [OP_BEGIN] = RAN_BEGIN,       [OP_SAVEPOINT] = RAN_SAVEPOINT,
        [OP_RELEASE] = RAN_RELEASE,   [OP_COMMIT] = RAN_COMMIT,
        [OP_ROLLBACK] = RAN_ROLLBACK, [OP_ROLLBACK_TO] = RAN_ROLLBACK_TO};
    begin_transaction(world, session, stmt);
    struct ran_event *event = trace_add(world, session, kinds[op.kind], op.step);
    event->sql = filled_sql(world, stmt, NULL);
    trace->pending[session->index] = (uint32_t)trace->events.count - 1;
}

static struct str session_names(struct arena *arena, uint32_t sessions) {
    struct str names = {0};
    for (int i = 0; i < DB_SESSIONS_MAX; i++)
        if (sessions & 1u << i)
            names = str_printf(arena, "%.*s%s%c", STR_ARG(names), names.len > 0 ? ", " : "",
                               'A' + i);
    return names;
}

void trace_blocked(struct world *world, struct session *session, const struct db_result *result) {
    struct trace *trace = world->trace;
    if (trace == NULL)
        return;
    struct ran_event *event = &trace->events.items[trace->pending[session->index]];
    struct str names = session_names(trace->arena, result->blockers);
    event->waited = true;
    event->waits_for = names;
}

static struct str rows_text(struct world *world, const struct db_result *result) {
    enum { ROWS_SHOWN_MAX = 3 };
    struct buf text = {0};
    if (result->row_count == 0)
        buf_add_c(&text, "no row");
    for (size_t row = 0; row < result->row_count && row < ROWS_SHOWN_MAX; row++) {
        buf_add_c(&text, row > 0 ? ", (" : "(");
        for (size_t i = 0; i < result->column_count; i++) {
            buf_add_c(&text, i > 0 ? ", " : "");
            value_print(world->pool, result->rows[row * result->column_count + i], &text);
        }
        buf_add_char(&text, ')');
    }
    if (result->row_count > ROWS_SHOWN_MAX)
        buf_printf(&text, " and %zu more", result->row_count - ROWS_SHOWN_MAX);
    struct str copy = str_dup(world->trace->arena, buf_str(&text));
    buf_release(&text);
    return copy;
}

static struct str answer_text(struct world *world, const struct ran_event *event,
                              const struct db_result *result) {
    struct arena *arena = world->trace->arena;
    if (result->status == DB_FAILED) {
        enum engine_kind engine = db_engine(world->db);
        return str_printf(arena, "error %s: %s", db_error_code(result->error, engine),
                          db_error_text(result->error));
    }
    if (event->stmt == NULL)
        return (struct str){0};
    switch (event->stmt->kind) {
    case SQL_STMT_SELECT:
        return rows_text(world, result);
    case SQL_STMT_INSERT:
        return str_printf(arena, "INSERT %lld", (long long)result->affected);
    case SQL_STMT_UPDATE:
        return str_printf(arena, "UPDATE %lld", (long long)result->affected);
    case SQL_STMT_DELETE:
        return str_printf(arena, "DELETE %lld", (long long)result->affected);
    default:
        return (struct str){0};
    }
}

static void note_transaction_end(struct world *world, const struct session *session,
                                 const struct ran_event *event,
                                 const struct db_result *result) {
    bool is_end = event->kind == RAN_COMMIT || event->kind == RAN_ROLLBACK ||
                  (event->stmt != NULL && (event->stmt->kind == SQL_STMT_COMMIT ||
                                           event->stmt->kind == SQL_STMT_ROLLBACK));
    if (is_end || result->ended_transaction)
        world->trace->transaction[session->index] = 0;
}

void trace_answer(struct world *world, struct session *session, const struct txn_step *step,
                  const struct db_result *result) {
    (void)step;
    struct trace *trace = world->trace;
    if (trace == NULL)
        return;
    trace->reading = trace->pending[session->index];
    struct ran_event *event = &trace->events.items[trace->reading];
    struct arena *arena = trace->arena;
    event->resumed_step = event->waited ? trace->step : event->step;
    event->result = answer_text(world, event, result);
    event->error = result->status == DB_FAILED ? result->error : DB_OK_NO_ERROR;
    event->row_count = result->row_count;
    event->column_count = result->column_count;
    event->ref_count = result->ref_count;
    event->rows = arena_copy(arena, result->rows,
                             result->row_count * result->column_count * sizeof(struct value));
    event->row_refs = arena_copy(arena, result->row_refs,
                                 result->row_count * result->ref_count * sizeof(struct db_ref));
    event->writes = arena_copy(arena, result->writes, result->write_count * sizeof(struct db_ref));
    event->write_count = result->write_count;
    note_transaction_end(world, session, event, result);
}

void trace_answered(struct world *world) {
    struct trace *trace = world->trace;
    if (trace != NULL && trace->on_event != NULL && database_has_versions(world))
        trace->on_event(trace->context, trace, trace->reading, world->db);
}
