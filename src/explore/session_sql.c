/* Statements: host values go in, answers come out. Here the ORM's memory meets the database, so here is
 * where a write of a column that the program never assigned is noticed. */
#include "base/assert.h"
#include "explore/database.h"
#include "explore/run.h"

enum { HOSTS_MAX = 512, LIST_VALUES_MAX = 256 };

/* `expr` with its host values as literals, made once for each step and set of values. */
struct bound_expr {
    struct bound_expr *older;
    const struct txn_step *step;
    const struct sql_expr *expr;
    size_t value_count;
    struct value values[];
};

static void fill_hosts(struct sql_expr *expr, const struct value *values) {
    if (expr == NULL)
        return;
    if (expr->kind == SQL_HOST) {
        expr->kind = SQL_LITERAL;
        expr->literal = values[expr->host];
    }
    for (size_t i = 0; i < expr->args.count; i++)
        fill_hosts(expr->args.items[i], values);
}

const struct sql_expr *session_fill_expr(struct world *world, struct session *session,
                                         const struct txn_step *step) {
    size_t count = step->sql_hosts != NULL ? step->sql_hosts->hosts.count : 0;
    if (count == 0)
        return step->sql_expr;
    struct value values[HOSTS_MAX];
    LW_ASSERT(count <= HOSTS_MAX);
    for (size_t i = 0; i < count; i++)
        values[i] = session_bind(session, step->host_var[i], step->host_column[i]).value;
    for (const struct bound_expr *have = world->bound; have != NULL; have = have->older)
        if (have->step == step && have->value_count == count &&
            memcmp(have->values, values, count * sizeof(*values)) == 0)
            return have->expr;
    struct bound_expr *made =
        arena_alloc(world->run, sizeof(*made) + count * sizeof(struct value));
    struct sql_expr *copy = sql_copy_expr(world->run, step->sql_expr);
    fill_hosts(copy, values);
    made->older = world->bound;
    made->step = step;
    made->expr = copy;
    made->value_count = count;
    memcpy(made->values, values, count * sizeof(*values));
    world->bound = made;
    return copy;
}

struct db_bind session_bind(struct session *session, uint16_t var, uint16_t column) {
    const struct host_value *value = &session->vars.items[var];
    if (column == TXN_NO_VAR)
        return (struct db_bind){.kind = DB_BIND_VALUE, .value = value->scalar};
    if (value->kind != HOST_ROW || value->index == HOST_NO_OBJECT)
        return (struct db_bind){.kind = DB_BIND_VALUE};
    const struct cell *cell = host_cell(session, value->index, column);
    if (cell->pending != NULL)
        return (struct db_bind){.kind = DB_BIND_EXPR, .expr = cell->pending};
    return (struct db_bind){.kind = DB_BIND_VALUE, .value = cell->value};
}

/* Item `k` of a list as SQL sees it; a row stands for its first column, the key. */
static struct value list_item(struct session *session, const struct host_value *list, uint32_t k) {
    struct host_value item = session->items.items[list->index + k];
    return item.kind == HOST_ROW ? host_cell(session, item.index, 0)->value : item.scalar;
}

/* A host value that names a column of null: Python would have raised before it sent anything. */
static bool has_null_row(const struct session *session, const struct txn_sql *sql) {
    for (size_t i = 0; i < sql->stmt->hosts.count; i++) {
        const struct host_value *value = &session->vars.items[sql->host_var[i]];
        if (value->kind == HOST_UNSET ||
            (sql->host_column[i] != TXN_NO_VAR &&
             (value->kind != HOST_ROW || value->index == HOST_NO_OBJECT)))
            return true;
    }
    return false;
}

void session_send(struct world *world, struct session *session, const struct txn_step *step,
                  struct db_result *result) {
    const struct txn_sql *sql = &step->sql;
    if (has_null_row(session, sql)) {
        *result = (struct db_result){.status = DB_OK};
        session_raise(session, STR("AttributeError"), DB_OK_NO_ERROR, step);
        return;
    }
    struct db_bind binds[HOSTS_MAX];
    struct value list_values[LIST_VALUES_MAX];
    size_t list_value_count = 0;
    LW_ASSERT(sql->stmt->hosts.count <= HOSTS_MAX);
    for (size_t i = 0; i < sql->stmt->hosts.count; i++) {
        const struct host_value *var = &session->vars.items[sql->host_var[i]];
        binds[i] = session_bind(session, sql->host_var[i], sql->host_column[i]);
        if (var->kind != HOST_LIST)
            continue;
        binds[i] = (struct db_bind){.kind = DB_BIND_LIST, .list = list_values + list_value_count};
        for (uint32_t k = 0; k < var->count && list_value_count < LIST_VALUES_MAX; k++)
            list_values[list_value_count++] = list_item(session, var, k);
        binds[i].list_count = (size_t)(list_values + list_value_count - binds[i].list);
        world->has_hit_limit |= binds[i].list_count < var->count;
    }
    trace_statement(world, session, step, binds);
    database_exec(world, session->index, sql->stmt, binds, result);
}

/* The column of the object's table that select item `item` holds. */
static uint16_t item_column(const struct sql_stmt *stmt, size_t item) {
    const struct sql_expr *expr = stmt->kind == SQL_STMT_SELECT
                                      ? stmt->select->items.items[item].expr
                                      : stmt->returning.items[item].expr;
    LW_ASSERT(expr != NULL && expr->kind == SQL_COLUMN);
    return expr->column;
}

static uint32_t source_of(struct world *world, size_t row, size_t item) {
    if (world->trace == NULL)
        return 0;
    return trace_set_of(world->trace,
                        (struct trace_source){.read = world->trace->reading,
                                              .row = (uint32_t)row,
                                              .item = (uint16_t)item});
}

static void load_object(struct world *world, struct session *session, uint32_t index,
                        const struct sql_stmt *stmt, const struct db_result *result, size_t row) {
    for (size_t item = 0; item < result->column_count; item++) {
        struct cell *cell = host_cell(session, index, item_column(stmt, item));
        *cell = (struct cell){.value = result->rows[row * result->column_count + item],
                              .deps = source_of(world, row, item),
                              .is_loaded = true};
    }
    if (result->ref_count > 0)
        session->objects.items[index].ref = result->row_refs[row * result->ref_count];
}

static struct host_value new_row(struct world *world, struct session *session,
                                 const struct txn_step *step, uint16_t table,
                                 const struct db_result *result, size_t row) {
    uint32_t index = host_new_object(world, session, table);
    load_object(world, session, index, step->sql.stmt, result, row);
    return (struct host_value){.kind = HOST_ROW, .index = index,
                               .deps = source_of(world, row, SOURCE_EXISTENCE)};
}

static void receive_list(struct world *world, struct session *session,
                         const struct txn_step *step, const struct db_result *result) {
    bool is_rows = step->sql.into == TXN_INTO_ROWS;
    uint16_t table = session->program->vars.items[step->sql.var].table;
    struct host_value list = {.kind = HOST_LIST, .is_rows = is_rows,
                              .count = (uint32_t)result->row_count,
                              .deps = source_of(world, 0, SOURCE_EXISTENCE)};
    struct host_value first[64];
    for (size_t row = 0; row < result->row_count; row++) {
        struct host_value item =
            is_rows ? new_row(world, session, step, table, result, row)
                    : (struct host_value){.kind = HOST_SCALAR,
                                          .scalar = result->rows[row * result->column_count],
                                          .deps = source_of(world, row, 0)};
        if (row < LW_COUNT_OF(first))
            first[row] = item;
        else
            world->has_hit_limit = true;
    }
    if (list.count > LW_COUNT_OF(first))
        list.count = LW_COUNT_OF(first);
    list.index = (uint32_t)session->items.count;
    for (size_t i = 0; i < list.count; i++)
        MVEC_PUSH(&session->items, first[i]);
    session->vars.items[step->sql.var] = list;
}

static void receive_one(struct world *world, struct session *session, const struct txn_step *step,
                        const struct db_result *result) {
    struct host_value *var = &session->vars.items[step->sql.var];
    uint32_t existence = source_of(world, 0, SOURCE_EXISTENCE);
    switch (step->sql.into) {
    case TXN_INTO_ROW:
        if (result->row_count > 0)
            *var = new_row(world, session, step,
                           session->program->vars.items[step->sql.var].table, result, 0);
        else
            *var = (struct host_value){.kind = HOST_ROW, .index = HOST_NO_OBJECT,
                                       .deps = existence};
        return;
    case TXN_INTO_RELOAD:
        if (result->row_count == 0 || var->kind != HOST_ROW || var->index == HOST_NO_OBJECT)
            session_raise(session, STR("DoesNotExist"), DB_OK_NO_ERROR, step);
        else
            load_object(world, session, var->index, step->sql.stmt, result, 0);
        return;
    case TXN_INTO_VALUE:
        *var = (struct host_value){.kind = HOST_SCALAR, .scalar = value_null(), .deps = existence};
        if (result->row_count > 0) {
            var->scalar = result->rows[0];
            var->deps = source_of(world, 0, 0);
        }
        return;
    case TXN_INTO_COUNT:
        *var = (struct host_value){.kind = HOST_SCALAR, .scalar = value_int(result->affected)};
        return;
    case TXN_INTO_KEY:
        if (var->kind == HOST_ROW && var->index != HOST_NO_OBJECT) {
            struct cell *cell = host_cell(session, var->index, step->sql.column);
            *cell = (struct cell){.value = result->last_insert, .is_loaded = true};
        }
        return;
    default:
        return;
    }
}

/* Whether the row version that a write replaced holds, in a column that the program never assigned, something
 * else than what is written back. The culprit is this very session if another object of it wrote that. */
static void note_clobber(struct world *world, struct session *session,
                         const struct db_ref *write, uint16_t column) {
    struct value old = db_version_value(world->db, write->previous, column);
    struct value sent = db_version_value(world->db, write->version, column); /* as the column keeps it */
    if (value_equal(world->pool, old, sent))
        return;
    uint32_t writer = write->previous;
    for (uint32_t before = db_version_previous(world->db, writer); before != 0;
         before = db_version_previous(world->db, writer)) {
        if (!value_equal(world->pool, db_version_value(world->db, before, column), old))
            break;
        writer = before;
    }
    int by = db_version_session(world->db, writer);
    if (by == session->index)
        session->flags |= SESSION_CLOBBERED_OWN;
    else if (by != DB_NO_SESSION)
        session->flags |= SESSION_CLOBBERED_OTHER;
}

/* Whether the UPDATE put other values where another session had written. */
static void note_overwrite(const struct world *world, struct session *session,
                           const struct sql_update *update, const struct db_result *result) {
    for (size_t i = 0; i < result->write_count; i++) {
        const struct db_ref *wrote = &result->writes[i];
        if (wrote->previous == 0 || wrote->version == 0 || wrote->previous == wrote->version)
            continue;
        int writer = db_version_session(world->db, wrote->previous);
        if (writer == DB_NO_SESSION || writer == session->index)
            continue;
        for (size_t k = 0; k < update->set.count; k++) {
            uint16_t column = update->set.items[k].column_index;
            if (!value_equal(world->pool, db_version_value(world->db, wrote->version, column),
                             db_version_value(world->db, wrote->previous, column)))
                session->flags |= SESSION_OVERWROTE;
        }
    }
}

/* A server without versions tells only how many rows. */
static bool has_written(const struct world *world, const struct txn_step *step,
                        const struct db_result *result) {
    if (database_has_versions(world))
        return result->write_count > 0;
    return step->sql.stmt->kind != SQL_STMT_SELECT && result->affected > 0;
}

/* After an UPDATE: each column set from a row object now holds what the database has. */
static void wrote_columns(struct world *world, struct session *session,
                          const struct txn_step *step, const struct db_result *result) {
    const struct sql_update *update = step->sql.stmt->update;
    for (size_t i = 0; i < update->set.count && has_written(world, step, result); i++) {
        const struct sql_assignment *assignment = &update->set.items[i];
        if (assignment->value->kind != SQL_HOST)
            continue;
        uint16_t host = assignment->value->host, column = step->sql.host_column[host];
        const struct host_value *row = &session->vars.items[step->sql.host_var[host]];
        if (column == TXN_NO_VAR || row->kind != HOST_ROW || row->index == HOST_NO_OBJECT)
            continue;
        struct cell *cell = host_cell(session, row->index, column);
        if (cell->pending != NULL) {
            session->flags |= cell->times_sent > 0 ? SESSION_REPEATED_F : 0;
            cell->times_sent++;
            cell->is_assigned = false;
            continue;
        }
        if (!cell->is_assigned && cell->is_loaded && column == assignment->column_index &&
            result->write_count > 0)
            note_clobber(world, session, &result->writes[0], column);
        cell->is_assigned = false;
        cell->is_loaded = true;
        if (result->write_count > 0)
            session->objects.items[row->index].ref = result->writes[0];
    }
}

/* After an INSERT from a row object. A row that had been loaded is one that somebody deleted since. */
static void wrote_insert(struct session *session, const struct txn_step *step,
                         const struct db_result *result) {
    for (size_t host = 0; host < step->sql.stmt->hosts.count; host++) {
        uint16_t column = step->sql.host_column[host];
        const struct host_value *row = &session->vars.items[step->sql.host_var[host]];
        if (column == TXN_NO_VAR || row->kind != HOST_ROW || row->index == HOST_NO_OBJECT)
            continue;
        struct object *object = &session->objects.items[row->index];
        if (object->table != step->sql.stmt->insert->table_index)
            continue;
        if (object->ref.version != 0 && result->write_count > 0 &&
            object->ref.row != result->writes[0].row)
            session->flags |= SESSION_RESURRECTED;
        struct cell *cell = host_cell(session, row->index, column);
        cell->is_assigned = false;
        cell->is_loaded = true;
        if (result->write_count == 1 && host + 1 == step->sql.stmt->hosts.count)
            object->ref = result->writes[0];
    }
}

void session_note_ended(struct world *world, struct session *session,
                        const struct db_result *result) {
    bool has_savepoint = session->atomic_depth > 1;
    if (result->ended_transaction ||
        (db_engine(world->db) == ENGINE_POSTGRESQL && !has_savepoint &&
         database_in_transaction(world, session->index)))
        session->is_ended = true;
}

static void take_in(struct world *world, struct session *session, const struct txn_step *step,
                    const struct db_result *result) {
    if (result->status == DB_FAILED) {
        world->errors |= 1u << result->error;
        if (session->atomic_depth > 0)
            session->needs_rollback = true;
        session_note_ended(world, session, result);
        session_raise(session, str_from_c(db_error_class(result->error)), result->error, step);
        return;
    }
    LW_ASSERT(result->status == DB_OK);
    session->flags |= has_written(world, step, result) ? SESSION_WROTE | SESSION_CHANGED : 0;
    if (step->sql.stmt->kind == SQL_STMT_UPDATE) {
        note_overwrite(world, session, step->sql.stmt->update, result);
        wrote_columns(world, session, step, result);
    } else if (step->sql.stmt->kind == SQL_STMT_INSERT) {
        wrote_insert(session, step, result);
    }
    if (step->sql.into == TXN_INTO_ROWS || step->sql.into == TXN_INTO_LIST)
        receive_list(world, session, step, result);
    else if (step->sql.into != TXN_INTO_NOTHING)
        receive_one(world, session, step, result);
}

void session_receive(struct world *world, struct session *session, const struct txn_step *step,
                     const struct db_result *result) {
    if (session->leave == LEAVE_EXCEPTION)
        return; /* nothing was sent */
    trace_answer(world, session, step, result);
    if (world->observer != NULL && world->observer->on_answer != NULL)
        world->observer->on_answer(world->observer->context, session, step, result);
    take_in(world, session, step, result);
    trace_answered(world);
}
