/* Statements about transactions and sessions rather than rows. */
#include "engine/exec.h"

#include "engine/version.h"

bool stmt_is_control(const struct sql_stmt *stmt) {
    switch (stmt->kind) {
    case SQL_STMT_BEGIN:
    case SQL_STMT_COMMIT:
    case SQL_STMT_ROLLBACK:
    case SQL_STMT_SAVEPOINT:
    case SQL_STMT_RELEASE:
    case SQL_STMT_ROLLBACK_TO:
    case SQL_STMT_PREPARE_TRANSACTION:
    case SQL_STMT_COMMIT_PREPARED:
    case SQL_STMT_ROLLBACK_PREPARED:
    case SQL_STMT_SET_TRANSACTION:
    case SQL_STMT_SET:
    case SQL_STMT_LOCK_TABLE:
        return true;
    default:
        return false;
    }
}

static bool in_failed_txn(const struct db *db, size_t session) {
    return db->sessions.items[session].txn != 0 && (session_txn(db, session)->flags & TXN_FAILED);
}

/* InnoDB: the read view, though nothing has been read; at other levels a warning, no effect. */
static void take_snapshot(struct db *db, size_t session) {
    struct txn *txn = session_txn(db, session);
    bool is_serializable = txn->level == SQL_SERIALIZABLE && db->config.innodb_snapshot_isolation &&
                           db_config_has(&db->config, TRAIT_SNAPSHOT_SERIALIZABLE);
    if (!db_is_mysql(db) || (txn->level != SQL_REPEATABLE_READ && !is_serializable))
        return;
    txn->flags |= TXN_HAS_SNAPSHOT;
    txn->snapshot = db->core.commits;
    session_exec(db, session)->footprint.took_snapshot = true;
}

static enum step control_set_level(struct db *db, size_t session, enum sql_isolation level,
                                   bool is_session) {
    struct session *owner = &db->sessions.items[session];
    if (level == SQL_ISOLATION_DEFAULT)
        return STEP_OK;
    if (is_session) {
        owner->level = (uint8_t)level;
        return STEP_OK;
    }
    if (db_is_mysql(db)) {
        if (owner->in_transaction)
            return db_fail(db, DB_ERROR_ACTIVE_TRANSACTION, "%s",
                           "SET TRANSACTION within a transaction");
        owner->next_level = (uint8_t)level;
        return STEP_OK;
    }
    if (owner->txn == 0)
        return STEP_OK; /* PostgreSQL: a warning, no effect */
    struct txn *txn = session_txn(db, session);
    if (level == SQL_READ_UNCOMMITTED)
        level = SQL_READ_COMMITTED;
    if (level == txn->level)
        return STEP_OK;
    if (txn->command > 0)
        return db_fail(db, DB_ERROR_ACTIVE_TRANSACTION, "%s",
                       "SET TRANSACTION must come before any query");
    txn->level = (uint8_t)level;
    return STEP_OK;
}

static enum step control_begin(struct db *db, size_t session,
                               const struct sql_transaction *transaction) {
    struct session *owner = &db->sessions.items[session];
    if (owner->is_under_way && owner->txn != 0 && db->policy->begin_transaction != NULL)
        return db->policy->begin_transaction(db, session, transaction->begin_mode); /* it waited */
    if (owner->in_transaction && db_is_mysql(db)) {
        uint8_t level = session_txn(db, session)->level;
        enum step step = exec_commit(db, session);
        if (step != STEP_OK)
            return step;
        if (level != owner->level && db_config_has(&db->config, TRAIT_BEGIN_KEEPS_LEVEL))
            owner->next_level = level;
    } else if (owner->in_transaction && db->config.engine == ENGINE_SQLITE) {
        return db_fail(db, DB_ERROR_ACTIVE_TRANSACTION, "%s", "a transaction within a transaction");
    } else if (owner->in_transaction) {
        return control_set_level(db, session, transaction->isolation, false); /* and a warning */
    }
    enum sql_isolation level = transaction->isolation;
    if (level == SQL_ISOLATION_DEFAULT)
        level = exec_level(db, session, false);
    if (level == SQL_READ_UNCOMMITTED && db->config.engine == ENGINE_POSTGRESQL)
        level = SQL_READ_COMMITTED;
    unsigned flags = transaction->is_read_only ? TXN_READ_ONLY : 0;
    if (transaction->is_read_only && transaction->is_deferrable && level == SQL_SERIALIZABLE &&
        db->config.engine == ENGINE_POSTGRESQL)
        flags |= TXN_DEFERRABLE;
    if (!txn_begin(db, session, level, flags))
        return STEP_FAIL;
    if (transaction->with_snapshot)
        take_snapshot(db, session);
    if (db->policy->begin_transaction != NULL)
        return db->policy->begin_transaction(db, session, transaction->begin_mode);
    return STEP_OK;
}

/* SAVEPOINT, RELEASE, ROLLBACK TO. */
static enum step control_savepoint(struct db *db, size_t session, const struct sql_stmt *stmt) {
    const struct session *owner = &db->sessions.items[session];
    struct str name = stmt->transaction->savepoint;
    if (owner->txn == 0 && txn_begins_by_itself(db, session) &&
        !txn_begin(db, session, exec_level(db, session, false), 0))
        return STEP_FAIL;
    if (owner->txn == 0 && db_is_mysql(db))
        return stmt->kind == SQL_STMT_SAVEPOINT
                   ? STEP_OK
                   : db_fail(db, DB_ERROR_NO_SAVEPOINT, "%.*s", STR_ARG(name));
    if (owner->txn == 0 && db->config.engine == ENGINE_SQLITE)
        return db_fail(db, DB_ERROR_NOT_MODELLED, "%s", "SAVEPOINT outside of a transaction");
    if (owner->txn == 0)
        return db_fail(db, DB_ERROR_NO_TRANSACTION, "%s", "");
    if (stmt->kind == SQL_STMT_ROLLBACK_TO)
        return savepoint_rollback(db, session, name);
    if (in_failed_txn(db, session))
        return db_fail(db, DB_ERROR_FAILED_TRANSACTION, "%s", "");
    if (stmt->kind == SQL_STMT_RELEASE)
        return savepoint_release(db, session, name);
    savepoint_set(db, session, name);
    return STEP_OK;
}

/* 'read committed', 'REPEATABLE-READ': the level, or DEFAULT if it is none. */
static enum sql_isolation level_named(struct str text) {
    char name[32] = "";
    if (text.len >= sizeof(name))
        return SQL_ISOLATION_DEFAULT;
    for (size_t i = 0; i < text.len; i++)
        name[i] = text.ptr[i] == '-' ? ' ' : text.ptr[i];
    for (enum sql_isolation level = SQL_READ_UNCOMMITTED; level <= SQL_SERIALIZABLE; level++)
        if (str_equal_nocase(str_from_c(name), str_from_c(sql_isolation_name(level))))
            return level;
    return SQL_ISOLATION_DEFAULT;
}

static enum step control_autocommit(struct db *db, size_t session, struct value value) {
    struct session *owner = &db->sessions.items[session];
    bool turns_on = value.number != 0;
    owner->no_autocommit = !turns_on;
    if (turns_on && owner->in_transaction)
        return exec_commit(db, session);
    return STEP_OK;
}

static enum step control_set(struct db *db, size_t session, const struct sql_set *set) {
    struct eval *eval = &db->query.eval;
    struct value value = value_null();
    if (set->is_global || set->value == NULL)
        return STEP_OK;
    bool is_autocommit = str_is(set->name, "autocommit") && db_is_mysql(db);
    bool is_txn = str_is(set->name, "transaction_isolation") || str_is(set->name, "tx_isolation");
    bool is_default = str_is(set->name, "default_transaction_isolation");
    if (!is_autocommit && !is_txn && !is_default)
        return STEP_OK;
    if (set->value->kind == SQL_DEFAULT)
        return STEP_OK;
    if (!eval_expr(eval, set->value, &value))
        return db_fail_eval(db);
    if (is_autocommit && (value.kind == VALUE_INT || value.kind == VALUE_BOOL))
        return control_autocommit(db, session, value);
    if (is_autocommit || value.kind != VALUE_TEXT)
        return db_fail(db, DB_ERROR_NOT_MODELLED, "SET %.*s", STR_ARG(set->name));
    enum sql_isolation level = level_named(text_pool_get(eval->pool, value.number));
    if (level == SQL_ISOLATION_DEFAULT)
        return db_fail(db, DB_ERROR_DATA, "SET %.*s", STR_ARG(set->name));
    return control_set_level(db, session, level, is_default || db_is_mysql(db));
}

static enum step control_lock_table(struct db *db, size_t session,
                                    const struct sql_lock_table *lock) {
    const struct session *owner = &db->sessions.items[session];
    if (in_failed_txn(db, session))
        return db_fail(db, DB_ERROR_FAILED_TRANSACTION, "%s", "");
    if (db->policy->lock_table == NULL)
        return db_fail(db, DB_ERROR_NOT_MODELLED, "%s", "LOCK TABLE");
    if (owner->txn == 0 && db->config.engine == ENGINE_POSTGRESQL)
        return db_fail(db, DB_ERROR_NO_TRANSACTION, "%s", "");
    return db->policy->lock_table(db, session, lock);
}

enum step exec_control(struct db *db, size_t session, const struct sql_stmt *stmt) {
    const struct session *owner = &db->sessions.items[session];
    switch (stmt->kind) {
    case SQL_STMT_BEGIN:
        if (in_failed_txn(db, session))
            return db_fail(db, DB_ERROR_FAILED_TRANSACTION, "%s", "");
        return control_begin(db, session, stmt->transaction);
    case SQL_STMT_COMMIT:
        if (owner->txn == 0 && db->config.engine == ENGINE_SQLITE)
            return db_fail(db, DB_ERROR_NO_TRANSACTION, "%s", "");
        return exec_commit(db, session);
    case SQL_STMT_ROLLBACK:
        if (owner->txn == 0 && db->config.engine == ENGINE_SQLITE)
            return db_fail(db, DB_ERROR_NO_TRANSACTION, "%s", "");
        txn_end(db, session, TXN_ABORTED);
        return STEP_OK;
    case SQL_STMT_SAVEPOINT:
    case SQL_STMT_RELEASE:
    case SQL_STMT_ROLLBACK_TO:
        return control_savepoint(db, session, stmt);
    case SQL_STMT_PREPARE_TRANSACTION:
        return exec_prepare(db, session, stmt->transaction->savepoint);
    case SQL_STMT_COMMIT_PREPARED:
    case SQL_STMT_ROLLBACK_PREPARED:
        return exec_end_prepared(db, session, stmt);
    case SQL_STMT_SET_TRANSACTION:
        return control_set_level(db, session, stmt->transaction->isolation,
                                 stmt->transaction->is_session);
    case SQL_STMT_SET:
        return control_set(db, session, stmt->set);
    case SQL_STMT_LOCK_TABLE:
        return control_lock_table(db, session, stmt->lock_table);
    default:
        LW_UNREACHABLE();
    }
}
