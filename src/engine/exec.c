/* One statement from its start to its end: its rows, the foreign keys it left to check, and, in
 * autocommit, its commit. Each is a phase, so that a statement that waited in a later one does
 * not repeat an earlier one. */
#include "engine/exec.h"

#include "engine/version.h"

enum sql_isolation exec_level(const struct db *db, size_t session, bool is_implicit) {
    const struct session *owner = &db->sessions.items[session];
    enum sql_isolation level = owner->next_level != 0 ? owner->next_level : owner->level;
    if (is_implicit && db->config.autocommit_read_committed)
        return SQL_READ_COMMITTED;
    if (db->config.twin != NULL && db->config.twin->isolation != db->config.isolation)
        db->config.twin->differs = true;
    if (db->config.engine != ENGINE_POSTGRESQL)
        return level;
    return level == SQL_READ_UNCOMMITTED ? SQL_READ_COMMITTED : level;
}

enum step exec_commit(struct db *db, size_t session) {
    const struct session *owner = &db->sessions.items[session];
    if (owner->txn == 0) {
        txn_end(db, session, TXN_COMMITTED);
        return STEP_OK;
    }
    if (session_txn(db, session)->flags & TXN_FAILED) {
        txn_end(db, session, TXN_ABORTED);
        session_exec(db, session)->rolled_back = true;
        return STEP_OK;
    }
    enum step step = foreign_key_check(db, session, true);
    if (step == STEP_OK && db->policy->before_commit != NULL)
        step = db->policy->before_commit(db, session);
    if (step == STEP_OK)
        txn_end(db, session, TXN_COMMITTED);
    else if (step == STEP_FAIL && !db->policy->outlives_failed_commit)
        txn_end(db, session, TXN_ABORTED);
    return step;
}

enum step exec_prepare(struct db *db, size_t session, struct str name) {
    struct session *owner = &db->sessions.items[session];
    if (owner->txn == 0 || name.len == 0 || db->config.engine != ENGINE_POSTGRESQL)
        return db_fail(db, DB_ERROR_NOT_MODELLED, "%s", "PREPARE TRANSACTION here");
    for (size_t s = 0; s < db->session_count; s++)
        if (str_equal(db->sessions.items[s].prepared, name))
            return db_fail(db, DB_ERROR_NOT_MODELLED, "%s", "a name that is taken");
    if (session_txn(db, session)->flags & TXN_FAILED) {
        txn_end(db, session, TXN_ABORTED);
        session_exec(db, session)->rolled_back = true;
        return STEP_OK;
    }
    enum step step = foreign_key_check(db, session, true);
    if (step == STEP_OK && db->policy->before_commit != NULL)
        step = db->policy->before_commit(db, session);
    if (step == STEP_OK)
        txn_prepare(db, session, name);
    else if (step == STEP_FAIL)
        txn_end(db, session, TXN_ABORTED);
    return step;
}

enum step exec_end_prepared(struct db *db, size_t session, const struct sql_stmt *stmt) {
    struct str name = stmt->transaction->savepoint;
    const struct session *owner = &db->sessions.items[session];
    bool commits = stmt->kind == SQL_STMT_COMMIT_PREPARED;
    if (owner->in_transaction)
        return db_fail(db, DB_ERROR_ACTIVE_TRANSACTION, "%s", "within a transaction");
    for (size_t s = 0; s < db->session_count && name.len > 0; s++) {
        if (!str_equal(db->sessions.items[s].prepared, name))
            continue;
        txn_end(db, s, commits ? TXN_COMMITTED : TXN_ABORTED);
        return STEP_OK;
    }
    return db_fail(db, DB_ERROR_NO_PREPARED, "%.*s", STR_ARG(name));
}

/* A result of one row with one value. */
static void result_scalar(struct db *db, struct value value) {
    db->result.rows = ARENA_NEW(&db->scratch, struct value);
    db->result.rows[0] = value;
    db->result.row_count = db->result.column_count = 1;
}

/* MySQL and MariaDB that are older than the clause take it for a mistake. */
static bool knows_lock_clause(const struct db *db, const struct sql_select *select) {
    if (select->lock_wait == SQL_WAIT || !db_is_mysql(db))
        return true;
    return db_config_has(&db->config, select->lock_wait == SQL_NOWAIT ? TRAIT_NOWAIT
                                                                      : TRAIT_SKIP_LOCKED);
}

static enum step exec_select(struct db *db, size_t session, const struct sql_stmt *stmt) {
    const struct sql_select *select = stmt->select;
    if (select->sources.count == 0 && select->items.count == 1 &&
        sql_advisory(stmt) != SQL_NO_ADVISORY) {
        struct value value;
        enum step step = advisory_call(db, session, stmt, &value);
        if (step == STEP_OK)
            result_scalar(db, value);
        return step;
    }
    if (!knows_lock_clause(db, select))
        return db_fail(db, DB_ERROR_SYNTAX, "%s",
                       select->lock_wait == SQL_NOWAIT ? "NOWAIT" : "SKIP LOCKED");
    if (!query_select(&db->query, select, &db->result))
        return db_fail_eval(db);
    session_exec(db, session)->affected = (int64_t)db->result.row_count;
    return STEP_OK;
}

static enum step exec_rows(struct db *db, size_t session) {
    const struct sql_stmt *stmt = session_exec(db, session)->stmt;
    switch (stmt->kind) {
    case SQL_STMT_SELECT:
        return exec_select(db, session, stmt);
    case SQL_STMT_INSERT:
        return exec_insert(db, session, stmt->insert);
    case SQL_STMT_UPDATE:
        return exec_update(db, session, stmt->update);
    case SQL_STMT_DELETE:
        return exec_delete(db, session, stmt->delete_);
    default:
        return db_fail(db, DB_ERROR_NOT_MODELLED, "%s", "schema change in a session");
    }
}

/* Evaluates RETURNING for the rows written; not for those of other tables that foreign keys' actions wrote between them. */
static enum step exec_returning(struct db *db, size_t session) {
    const struct exec *exec = session_exec(db, session);
    const struct sql_stmt *stmt = exec->stmt;
    size_t columns = stmt->returning.count;
    struct query_result *result = &db->result;
    result->rows = ARENA_ARRAY(&db->scratch, struct value, exec->returning * columns);
    result->row_refs = ARENA_ARRAY(&db->scratch, struct db_ref, exec->returning);
    result->column_count = columns;
    result->ref_count = 1;
    for (uint32_t i = 0; i < exec->returning; i++) {
        struct db_ref ref = db->lists[session].writes.items[i];
        if (ref.table != sql_target_table(stmt))
            continue;
        if (ref.version == 0)
            ref.version = ref.previous;
        ref.previous = 0;
        result->row_refs[result->row_count] = ref;
        if (!query_returning(&db->query, stmt->returning.items, columns,
                             version_values(db, ref.version),
                             result->rows + result->row_count * columns))
            return db_fail_eval(db);
        result->row_count++;
    }
    return STEP_OK;
}

/* What comes before a statement's first step: its transaction, its number, its snapshot. */
static enum step exec_begin(struct db *db, size_t session) {
    struct session *owner = &db->sessions.items[session];
    const struct sql_stmt *stmt = owner->exec.stmt;
    if (owner->txn == 0) {
        bool is_implicit = !txn_begins_by_itself(db, session);
        if (!txn_begin(db, session, exec_level(db, session, is_implicit),
                       is_implicit ? TXN_IMPLICIT : 0))
            return STEP_FAIL;
    }
    struct txn *txn = session_txn(db, session);
    if (txn->command >= COMMAND_ALL - 1)
        return db_fail(db, DB_ERROR_LIMIT, "%s", "too many statements in a transaction");
    if (!owner->is_under_way)
        txn->command++;
    enum step step = db->policy->begin_statement(db, session, stmt);
    owner->exec.has_begun = step == STEP_OK;
    return step;
}

enum step exec_run(struct db *db, size_t session) {
    struct session *owner = &db->sessions.items[session];
    struct exec *exec = &owner->exec;
    const struct sql_stmt *stmt = exec->stmt;
    enum step step = STEP_OK;
    exec->seen = 0;
    if (owner->prepared.len > 0 && stmt->kind != SQL_STMT_COMMIT_PREPARED &&
        stmt->kind != SQL_STMT_ROLLBACK_PREPARED)
        return db_fail(db, DB_ERROR_NOT_MODELLED, "%s", "a session with a prepared transaction");
    if (stmt_is_control(stmt))
        return exec_control(db, session, stmt);
    if (owner->txn != 0 && (session_txn(db, session)->flags & TXN_FAILED))
        return db_fail(db, DB_ERROR_FAILED_TRANSACTION, "%s", "");
    if (!exec->has_begun)
        step = exec_begin(db, session);
    if (step == STEP_OK && exec->phase == EXEC_ROWS) {
        if (!exec->has_row)
            owner->generated = exec->generated_mark;
        step = exec_rows(db, session);
        if (step != STEP_OK)
            return step;
        exec->phase = EXEC_FOREIGN_KEYS;
        exec->returning = (uint32_t)db->lists[session].writes.count;
    }
    if (step == STEP_OK && exec->phase == EXEC_FOREIGN_KEYS) {
        step = foreign_key_check(db, session, false);
        if (step != STEP_OK)
            return step;
        exec->phase = EXEC_COMMIT;
    }
    if (step == STEP_OK && stmt->returning.count > 0)
        step = exec_returning(db, session);
    if (step == STEP_OK && (session_txn(db, session)->flags & TXN_IMPLICIT))
        step = exec_commit(db, session);
    return step;
}
