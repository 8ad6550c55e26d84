/* UPDATE and DELETE: for each match, take hold of the target, compute the new row, check it,
 * write it. Also what INSERT shares with them: assignments, constraints of a row, writing a
 * version.
 */
#include "engine/exec.h"

#include "engine/version.h"

enum step fail_unique(struct db *db, uint16_t table, int key) {
    struct str name = db_table(db, table)->keys.items[key].name;
    return db_fail(db, DB_ERROR_UNIQUE, "%.*s", STR_ARG(name));
}

enum step row_check(struct db *db, uint16_t table, const struct value *values) {
    const struct table *schema = db_table(db, table);
    struct eval *eval = &db->query.eval;
    for (size_t i = 0; i < schema->columns.count; i++)
        if (schema->columns.items[i].not_null && values[i].kind == VALUE_NULL)
            return db_fail(db, DB_ERROR_NOT_NULL, "%.*s", STR_ARG(schema->columns.items[i].name));
    if (schema->checks.count == 0 || !db_config_has(&db->config, TRAIT_CHECKS))
        return STEP_OK;
    struct eval_frame frame = {.source_count = 1, .rows = {values}};
    const struct eval_frame *outer = eval->frame;
    eval->frame = &frame;
    enum step step = STEP_OK;
    for (size_t i = 0; i < schema->checks.count && step == STEP_OK; i++) {
        struct value value;
        const struct check_constraint *check = &schema->checks.items[i];
        if (!eval_expr(eval, check->expr, &value))
            step = db_fail_eval(db);
        else if (value.kind != VALUE_NULL && value.number == 0)
            step = db_fail(db, DB_ERROR_CHECK, "%.*s", STR_ARG(check->name));
    }
    eval->frame = outer;
    return step;
}

enum step row_assign(struct db *db, uint16_t table, const struct sql_assignment *set, size_t count,
                     const struct value *old, const struct value **values) {
    const struct table *schema = db_table(db, table);
    struct eval *eval = &db->query.eval;
    const struct eval_frame *frame = eval->frame;
    struct value *row = arena_copy(&db->scratch, old, schema->columns.count * sizeof(struct value));
    /* MySQL assigns from left to right: what comes later sees the new values. */
    struct eval_frame sequential = *frame;
    sequential.rows[0] = row;
    if (db_is_mysql(db))
        eval->frame = &sequential;
    bool ok = true;
    for (size_t i = 0; i < count && ok; i++) {
        const struct column *column = &schema->columns.items[set[i].column_index];
        struct value value;
        bool is_default = set[i].value->kind == SQL_DEFAULT;
        if (is_default && column->is_serial && db->config.engine == ENGINE_POSTGRESQL)
            ok = serial_next(db, db->running, table, &value);
        else if (is_default)
            ok = eval_default(eval, column, &value);
        else
            ok = eval_expr(eval, set[i].value, &value);
        ok = ok && eval_store(eval, column, value, &row[set[i].column_index]);
    }
    eval->frame = frame;
    *values = row;
    return ok ? STEP_OK : db_fail_eval(db);
}

enum step row_write(struct db *db, size_t session, uint32_t old, const struct value *values,
                    uint32_t *written) {
    const struct policy *policy = db->policy;
    uint16_t table = db->rows.items[db->versions.items[old].row].table;
    struct new_row row = {.table = table, .old = old, .values = values};
    enum step step = STEP_OK;
    *written = 0;
    if (values != NULL) {
        step = row_check(db, table, values);
        if (step != STEP_OK)
            return step;
        struct duplicate duplicate = {.key = -1};
        step = policy->check_keys(db, session, &row, -1, &duplicate);
        if (step == STEP_OK && duplicate.key >= 0)
            step = fail_unique(db, table, duplicate.key);
    }
    bool skip = false;
    if (step == STEP_OK && policy->before_write != NULL)
        step = policy->before_write(db, session, &row, &skip);
    if (step != STEP_OK)
        return step;
    if (skip) {
        row_note_unchanged(db, session, old);
        return STEP_OK;
    }
    *written = row_update(db, session, old, values);
    if (*written == 0)
        return STEP_FAIL;
    session_exec(db, session)->written = *written;
    return row_finish(db, session);
}

enum step row_finish(struct db *db, size_t session) {
    struct exec *exec = session_exec(db, session);
    uint32_t version = exec->written;
    enum step step = STEP_OK;
    LW_ASSERT(version != 0);
    if (db->policy->after_write != NULL)
        step = db->policy->after_write(db, session, version);
    if (step != STEP_OK)
        return step;
    exec->written = 0;
    exec->is_cascade = false;
    foreign_key_note(db, session, version);
    return STEP_OK;
}

struct change {
    struct db *db;
    size_t session;
    const struct sql_assignment *set; /* NULL: DELETE */
    size_t set_count;
    struct query_change query;
};

/* Takes hold of the match's target and writes it. */
static enum tuple_step change_target(struct change *change, struct query *query,
                                     struct query_tuple *tuple) {
    struct db *db = change->db;
    size_t session = change->session;
    enum tuple_step found = db->policy->lock_target(db, session, query, &change->query, tuple);
    if (found != TUPLE_KEEP)
        return found;
    uint32_t old = tuple->refs[0].version, written;
    const struct value *values = NULL;
    enum step step = STEP_OK;
    if (change->set != NULL)
        step = row_assign(db, tuple->refs[0].table, change->set, change->set_count, tuple->rows[0],
                          &values);
    if (step == STEP_OK)
        step = row_write(db, session, old, values, &written);
    return step == STEP_OK ? TUPLE_KEEP : TUPLE_STOP;
}

static enum tuple_step hold_match(void *context, struct query *query, struct query_tuple *tuple) {
    struct change *change = context;
    return change->db->policy->lock_target(change->db, change->session, query, &change->query,
                                           tuple);
}

/* One match: passed over if it was dealt with before the statement waited. */
static enum tuple_step change_match(void *context, struct query *query, struct query_tuple *tuple) {
    struct change *change = context;
    struct db *db = change->db;
    struct exec *exec = session_exec(db, change->session);
    if (exec->seen++ < exec->position)
        return TUPLE_DROP;
    enum tuple_step result = TUPLE_KEEP;
    if (exec->written == 0)
        result = change_target(change, query, tuple);
    else if (row_finish(db, change->session) != STEP_OK)
        result = TUPLE_STOP;
    if (result == TUPLE_STOP)
        return TUPLE_STOP;
    exec->position++;
    if (result == TUPLE_DROP)
        return TUPLE_DROP;
    exec->affected++;
    exec->generated_mark = db->sessions.items[change->session].generated;
    return TUPLE_KEEP;
}

static enum step change_run(struct db *db, size_t session, struct change *change) {
    change->db = db;
    change->session = session;
    change->query.change = change_match;
    change->query.hold = hold_match;
    change->query.context = change;
    session_exec(db, session)->footprint.locks |= table_bit(change->query.target->table_index);
    if (query_match(&db->query, &change->query))
        return STEP_OK;
    return db_fail_eval(db);
}

enum step exec_update(struct db *db, size_t session, const struct sql_update *update) {
    struct change change = {.set = update->set.items,
                            .set_count = update->set.count,
                            .query = {.target = &update->target,
                                      .others = update->from.items,
                                      .other_count = update->from.count,
                                      .where = update->where,
                                      .order_by = update->order_by.items,
                                      .order_count = update->order_by.count,
                                      .limit = update->limit}};
    return change_run(db, session, &change);
}

enum step exec_delete(struct db *db, size_t session, const struct sql_delete *delete_) {
    struct change change = {.query = {.target = &delete_->target,
                                      .others = delete_->using_sources.items,
                                      .other_count = delete_->using_sources.count,
                                      .where = delete_->where,
                                      .order_by = delete_->order_by.items,
                                      .order_count = delete_->order_by.count,
                                      .limit = delete_->limit}};
    return change_run(db, session, &change);
}
