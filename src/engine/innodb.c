/* The policy of InnoDB, as MySQL and MariaDB have it: when read views are made, what an error undoes, what
 * goes on behind a transaction's end. Its parts: innodb_index.c (records), innodb_lock.c (locks on them),
 * innodb_read.c (scans), innodb_write.c (changes).
 */
#include "engine/innodb.h"

#include "engine/version.h"

static enum step begin_statement(struct db *db, size_t session, const struct sql_stmt *stmt) {
    struct exec *exec = session_exec(db, session);
    struct txn *txn = session_txn(db, session);
    (void)stmt;
    exec->snapshot =
        (struct snapshot){db->core.commits, db->sessions.items[session].txn, COMMAND_ALL};
    if (db->is_loading)
        return STEP_OK;
    /* With snapshot isolation SERIALIZABLE has its view from the start, although it reads through locks. */
    if (db->config.innodb_snapshot_isolation && txn->level == SQL_SERIALIZABLE &&
        db_config_has(&db->config, TRAIT_SNAPSHOT_SERIALIZABLE) &&
        !(txn->flags & TXN_HAS_SNAPSHOT)) {
        txn->flags |= TXN_HAS_SNAPSHOT;
        txn->snapshot = db->core.commits;
        exec->footprint.took_snapshot = true;
    }
    if (txn->flags & TXN_HAS_SNAPSHOT)
        exec->snapshot.sequence = txn->snapshot;
    innodb_settle_locks(db);
    return STEP_OK;
}

static void after_end(struct db *db, uint16_t txn) {
    locks_release(db, txn, 0);
    innodb_settle_locks(db);
}

/* A savepoint set before the transaction's first statement was set before InnoDB took part in it: going
 * back to it is the end of all that InnoDB did. Any other keeps the locks. */
static bool is_rolled_back_whole(const struct db *db, size_t session) {
    for (size_t i = db->savepoints.count; i-- > 0;)
        if (db->savepoints.items[i].session == session)
            return db->savepoints.items[i].command == 0;
    return false;
}

static void before_undo(struct db *db, uint32_t version) {
    uint32_t old = db->versions.items[version].previous;
    uint16_t table = db->rows.items[db->versions.items[version].row].table;
    if (old == 0 || !innodb_same_record(db, table, innodb_clustered(db, table), old, version))
        old = innodb_replaced_version(db, version);
    if (old != 0 && !version_is_deleted(db, version))
        innodb_move_locks(db, version, old);
}

static void after_undo(struct db *db, uint16_t txn, uint32_t lock_mark, bool is_savepoint) {
    struct txn *undone = &db->txns.items[txn];
    (void)lock_mark;
    if (is_savepoint && is_rolled_back_whole(db, undone->session)) {
        locks_release(db, txn, 0);
        undone->flags &= (uint8_t)~TXN_HAS_SNAPSHOT;
    }
    innodb_settle_locks(db);
}

static bool error_ends_transaction(struct db *db, size_t session, enum db_error error) {
    (void)db;
    (void)session;
    return error == DB_ERROR_DEADLOCK || error == DB_ERROR_CHANGED_ROW;
}

const struct policy policy_innodb = {
    .begin_statement = begin_statement,
    .source = {.open = innodb_open, .next = innodb_next, .reject = innodb_reject},
    .lock_target = innodb_lock_target,
    .check_keys = innodb_check_keys,
    .lock_duplicate = innodb_lock_duplicate,
    .before_write = innodb_before_write,
    .after_write = innodb_after_write,
    .after_end = after_end,
    .before_undo = before_undo,
    .after_undo = after_undo,
    .error_ends_transaction = error_ends_transaction,
    .after_wait = innodb_grant_queued,
    .blockers = innodb_blockers,
    .watched_blockers = innodb_watched_blockers,
    .deadlock_victim = innodb_deadlock_victim,
    .late_closer = innodb_late_closer,
};

/* ---- the schema ---- */

static bool has_key_on(const struct table *table, const struct foreign_key *fk) {
    for (size_t k = 0; k < table->keys.count; k++)
        if (table->keys.items[k].column_count >= fk->column_count &&
            memcmp(table->keys.items[k].columns, fk->columns,
                   fk->column_count * sizeof fk->columns[0]) == 0)
            return true;
    return false;
}

static const struct table *table_with_keys(struct arena *arena, const struct table *table) {
    struct table *copy = NULL;
    for (size_t i = 0; i < table->foreign_keys.count; i++) {
        const struct foreign_key *fk = &table->foreign_keys.items[i];
        if (has_key_on(copy != NULL ? copy : table, fk))
            continue;
        if (copy == NULL) {
            copy = ARENA_NEW(arena, struct table);
            *copy = *table;
            copy->keys.items =
                arena_copy(arena, table->keys.items, table->keys.count * sizeof *table->keys.items);
            copy->keys.capacity = copy->keys.count;
        }
        struct key key = {.name = fk->name, .column_count = fk->column_count};
        memcpy(key.columns, fk->columns, sizeof key.columns);
        VEC_PUSH(arena, &copy->keys, key);
    }
    return copy != NULL ? copy : table;
}

const struct schema *innodb_schema(struct arena *arena, const struct schema *schema) {
    struct schema *copy = ARENA_NEW(arena, struct schema);
    bool any = false;
    for (size_t i = 0; i < schema->tables.count; i++) {
        const struct table *table = table_with_keys(arena, schema->tables.items[i]);
        any = any || table != schema->tables.items[i];
        VEC_PUSH(arena, &copy->tables, (struct table *)table);
    }
    return any ? copy : schema;
}
