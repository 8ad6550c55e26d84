/* INSERT: its rows one after the other, each evaluated once (generated values and all) and kept
 * in lists.row until it is written, passed over or fails, however often it has to wait.
 */
#include "engine/exec.h"
#include "engine/version.h"

bool serial_next(struct db *db, size_t session, uint16_t table, struct value *value) {
    struct table_state *state = &db->tables.items[table];
    return session_generate(db, session, VALUE_INT, state->serial_next++, value);
}

/* A serial column that was given a value. Moves InnoDB's and SQLite's counters on; PostgreSQL's
 * stays, save for initial rows, whose keys no program should run into. */
static void serial_given(struct db *db, uint16_t table, struct value value) {
    struct table_state *state = &db->tables.items[table];
    bool moves = db->config.engine != ENGINE_POSTGRESQL || db->is_loading;
    if (moves && value.kind == VALUE_INT && value.number >= state->serial_next &&
        value.number < INT64_MAX)
        state->serial_next = value.number + 1;
}

/* Where the column stands among those given, or their count. Mostly they are in the order of the table, with some left
 * out before it. */
static size_t given_at(const struct sql_insert *insert, size_t column) {
    size_t count = insert->column_count, likely = column < count ? column + 1 : count;
    for (size_t i = likely; i-- > 0;)
        if (insert->column_index[i] == column)
            return i;
    for (size_t i = likely; i < count; i++)
        if (insert->column_index[i] == column)
            return i;
    return count;
}

/* Whether a serial column takes the next number although it was given this value. */
static bool asks_for_serial(const struct db *db, const struct column *column, struct value value) {
    if (!column->is_serial || db->config.engine == ENGINE_POSTGRESQL)
        return false;
    if (value.kind == VALUE_NULL)
        return true;
    return db_is_mysql(db) && value.kind == VALUE_INT && value.number == 0;
}

static bool column_value(struct db *db, size_t session, const struct sql_insert *insert, size_t row,
                         size_t index, struct value *value) {
    struct eval *eval = &db->query.eval;
    const struct column *column = &db_table(db, insert->table_index)->columns.items[index];
    size_t at = given_at(insert, index);
    bool is_given = at < insert->column_count;
    if (is_given && insert->select != NULL) {
        *value = db->lists[session].values.items[row * insert->column_count + at];
    } else if (is_given) {
        const struct sql_expr *expr = insert->rows.items[row][at];
        is_given = expr->kind != SQL_DEFAULT;
        if (is_given && !eval_expr(eval, expr, value))
            return false;
    }
    if (is_given && !eval_store(eval, column, *value, value))
        return false;
    if (is_given && !asks_for_serial(db, column, *value)) {
        if (column->is_serial)
            serial_given(db, insert->table_index, *value);
        return true;
    }
    if (!column->is_serial)
        return eval_default(eval, column, value);
    if (!serial_next(db, session, insert->table_index, value))
        return false;
    return true;
}

/* Evaluates row number `row` into lists.row. */
static enum step row_evaluate(struct db *db, size_t session, const struct sql_insert *insert,
                              size_t row) {
    const struct table *table = db_table(db, insert->table_index);
    struct value_list *list = &db->lists[session].row;
    struct exec *exec = session_exec(db, session);
    const struct eval_frame none = {0};
    db->query.eval.frame = &none;
    list->count = 0;
    bool ok = true;
    for (size_t i = 0; i < table->columns.count && ok; i++) {
        struct value value = value_null();
        ok = column_value(db, session, insert, row, i, &value);
        if (ok && table->columns.items[i].is_serial)
            exec->last_insert = value;
        MVEC_PUSH(list, value);
    }
    db->query.eval.frame = NULL;
    if (!ok)
        return db_fail_eval(db);
    exec->has_row = true;
    exec->generated_mark = db->sessions.items[session].generated;
    return STEP_OK;
}

/* ON CONFLICT DO UPDATE on the row found. */
static enum step conflict_update(struct db *db, size_t session, const struct sql_insert *insert,
                                 uint32_t version) {
    struct eval *eval = &db->query.eval;
    struct exec *exec = session_exec(db, session);
    const struct value *old = version_values_stable(db, version), *values;
    struct eval_frame frame = {
        .source_count = 1, .rows = {old}, .excluded = db->lists[session].row.items};
    bool holds = true;
    uint32_t written;
    eval->frame = &frame;
    enum step step =
        eval_condition(eval, insert->conflict_where, &holds) ? STEP_OK : db_fail_eval(db);
    if (step == STEP_OK && holds)
        step = row_assign(db, insert->table_index, insert->conflict_set.items,
                          insert->conflict_set.count, old, &values);
    eval->frame = NULL;
    if (step != STEP_OK || !holds)
        return step;
    step = row_write(db, session, version, values, &written);
    if (step == STEP_OK || (step == STEP_WAIT && exec->written != 0))
        exec->affected += insert->is_mysql_duplicate_key && written != 0 ? 2 : 1;
    return step;
}

/* Deals with a row in the way as ON CONFLICT says; *is_done: false if it has gone meanwhile. */
static enum step conflict_found(struct db *db, size_t session, const struct sql_insert *insert,
                                uint32_t found, bool *is_done) {
    const struct policy *policy = db->policy;
    bool is_update = insert->conflict == SQL_CONFLICT_UPDATE;
    uint32_t version = found;
    enum step step = STEP_OK;
    *is_done = false;
    if (policy->lock_duplicate != NULL)
        step = policy->lock_duplicate(db, session, found, is_update ? &version : NULL);
    if (step != STEP_OK || (is_update && version == 0))
        return step;
    *is_done = true;
    return is_update ? conflict_update(db, session, insert, version) : STEP_OK;
}

/* Looks for a row in the way and deals with it as ON CONFLICT says. *is_done: the row needs no
 * inserting. */
static enum step conflict_resolve(struct db *db, size_t session, const struct sql_insert *insert,
                                  const struct new_row *row, bool *is_done) {
    const struct policy *policy = db->policy;
    int only_key = insert->is_mysql_duplicate_key ? -1 : insert->conflict_key;
    for (;;) {
        struct duplicate duplicate = {.key = -1};
        enum step step = policy->check_keys(db, session, row, only_key, &duplicate);
        if (step != STEP_OK || duplicate.key < 0)
            return step;
        step = conflict_found(db, session, insert, duplicate.version, is_done);
        if (step != STEP_OK || *is_done)
            return step;
    }
}

/* A duplicate was found when the row was in already: it comes out again. */
static void row_take_back(struct db *db, size_t session) {
    struct exec *exec = session_exec(db, session);
    struct ref_list *writes = &db->lists[session].writes;
    uint16_t txn = db->sessions.items[session].txn;
    LW_ASSERT(writes->count > 0 && writes->items[writes->count - 1].version == exec->written);
    writes->count--;
    versions_undo(db, txn, exec->written);
    exec->written = 0;
    exec->affected--;
    db->error = DB_OK_NO_ERROR;
    db->policy->after_undo(db, txn, exec->lock_mark, false);
}

/* Goes on with the row, which is in. INSERT IGNORE passes over one without parent. */
static enum step row_put(struct db *db, size_t session, const struct sql_insert *insert) {
    enum step step = row_finish(db, session);
    bool is_ignored = step == STEP_FAIL && insert->conflict == SQL_CONFLICT_NOTHING &&
                      db->error == DB_ERROR_FOREIGN_KEY &&
                      db_config_has(&db->config, TRAIT_IGNORES_FOREIGN_KEY);
    if (step != STEP_FAIL || (session_exec(db, session)->duplicate == 0 && !is_ignored))
        return step;
    row_take_back(db, session);
    return STEP_OK;
}

/* Deals with a duplicate that row_put found. *is_done: as ON CONFLICT says; else the row is to be inserted. */
static enum step late_duplicate(struct db *db, size_t session, const struct sql_insert *insert,
                                bool *is_done) {
    struct exec *exec = session_exec(db, session);
    enum step step;
    if (exec->written != 0) { /* its update, which waited */
        step = row_finish(db, session);
        *is_done = true;
    } else {
        step = conflict_found(db, session, insert, exec->duplicate, is_done);
    }
    if (step == STEP_OK)
        exec->duplicate = 0;
    return step;
}

/* Inserts lists.row; leaves exec.duplicate set if that is still to be dealt with. */
static enum step row_insert_checked(struct db *db, size_t session,
                                    const struct sql_insert *insert) {
    const struct policy *policy = db->policy;
    struct exec *exec = session_exec(db, session);
    struct new_row row = {.table = insert->table_index, .values = db->lists[session].row.items};
    if (exec->written != 0)
        return row_put(db, session, insert);
    enum step step = row_check(db, row.table, row.values);
    bool is_done = false, skip = false;
    if (step == STEP_OK && insert->conflict != SQL_CONFLICT_ERROR)
        step = conflict_resolve(db, session, insert, &row, &is_done);
    if (step != STEP_OK || is_done)
        return step;
    struct duplicate duplicate = {.key = -1};
    step = policy->check_keys(db, session, &row, -1, &duplicate);
    if (step == STEP_OK && duplicate.key >= 0)
        return fail_unique(db, row.table, duplicate.key);
    if (step == STEP_OK && policy->before_write != NULL)
        step = policy->before_write(db, session, &row, &skip);
    if (step != STEP_OK || skip)
        return step;
    exec->written = row_insert(db, session, row.table, row.values);
    if (exec->written == 0)
        return STEP_FAIL;
    exec->affected++;
    return row_put(db, session, insert);
}

static enum step row_insert_or_resolve(struct db *db, size_t session,
                                       const struct sql_insert *insert) {
    const struct exec *exec = session_exec(db, session);
    for (;;) {
        bool is_done = false;
        enum step step = STEP_OK;
        if (exec->duplicate != 0)
            step = late_duplicate(db, session, insert, &is_done);
        if (step == STEP_OK && !is_done)
            step = row_insert_checked(db, session, insert);
        if (step != STEP_OK || exec->duplicate == 0)
            return step;
    }
}

/* INSERT ... SELECT: its rows, read once. */
static enum step insert_read_select(struct db *db, size_t session,
                                    const struct sql_insert *insert) {
    struct exec *exec = session_exec(db, session);
    struct value_list *list = &db->lists[session].values;
    struct query_result result;
    if (!query_select(&db->query, insert->select, &result))
        return db_fail_eval(db);
    LW_ASSERT(result.row_count == 0 || result.column_count == insert->column_count);
    for (size_t i = 0; i < result.row_count * result.column_count; i++)
        MVEC_PUSH(list, result.rows[i]);
    exec->has_rows = true;
    exec->row_count = (uint32_t)result.row_count;
    return STEP_OK;
}

enum step exec_insert(struct db *db, size_t session, const struct sql_insert *insert) {
    struct exec *exec = session_exec(db, session);
    exec->footprint.writes |= table_bit(insert->table_index);
    if (insert->select != NULL && !exec->has_rows) {
        enum step step = insert_read_select(db, session, insert);
        if (step != STEP_OK)
            return step;
    }
    size_t row_count = insert->select != NULL ? exec->row_count : insert->rows.count;
    while (exec->position < row_count) {
        enum step step = STEP_OK;
        if (!exec->has_row)
            step = row_evaluate(db, session, insert, exec->position);
        if (step == STEP_OK)
            step = row_insert_or_resolve(db, session, insert);
        if (step != STEP_OK)
            return step;
        exec->has_row = false;
        exec->position++;
    }
    return STEP_OK;
}
