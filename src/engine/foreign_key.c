/* Foreign keys. A write leaves notes in db->pending: a child whose parent must be there, a parent
 * whose children must not. They are worked off after the statement, or, deferred, at COMMIT; actions (CASCADE, SET NULL)
 * write rows, which leave notes in turn. Each can be done again after a wait. InnoDB does it all itself, index by index
 * (innodb_foreign_key.c).
 */
#include "engine/exec.h"

static bool has_null(const uint16_t *columns, size_t count, const struct value *values) {
    for (size_t i = 0; i < count; i++)
        if (values[columns[i]].kind == VALUE_NULL)
            return true;
    return false;
}

static bool columns_equal(struct eval *eval, const uint16_t *columns, size_t count,
                          const struct value *a, const struct value *b) {
    for (size_t i = 0; i < count; i++)
        if (!eval_same_key(eval, a[columns[i]], b[columns[i]]))
            return false;
    return true;
}

static void pending_add(struct db *db, size_t session, uint16_t table, size_t foreign_key,
                        bool is_parent, bool is_deferred, uint32_t version) {
    struct pending pending = {.txn = db->sessions.items[session].txn,
                              .table = table,
                              .foreign_key = (uint16_t)foreign_key,
                              .is_parent = is_parent,
                              .is_deferred = is_deferred,
                              .version = version,
                              .sequence = ++db->core.pending_sequence};
    MVEC_PUSH(&db->pending, pending);
}

static void note_child(struct db *db, size_t session, uint16_t table, uint32_t version) {
    const struct version *v = &db->versions.items[version];
    const struct value *values = version_values(db, version);
    const struct table *child = db_table(db, table);
    for (size_t i = 0; i < child->foreign_keys.count; i++) {
        const struct foreign_key *fk = &child->foreign_keys.items[i];
        if (has_null(fk->columns, fk->column_count, values))
            continue;
        /* An unchanged key was checked before, unless that check is still to come and would look
         * at the old version. */
        if (v->previous != 0 && db->versions.items[v->previous].writer != v->writer &&
            columns_equal(&db->query.eval, fk->columns, fk->column_count, values,
                          version_values(db, v->previous)))
            continue;
        pending_add(db, session, table, i, false, fk->is_deferred, version);
    }
}

static enum fk_action pending_action(const struct db *db, const struct foreign_key *fk,
                                     uint32_t version) {
    return version_is_deleted(db, version) ? fk->on_delete : fk->on_update;
}

static void note_parent(struct db *db, size_t session, uint16_t table, uint32_t version) {
    uint32_t previous = db->versions.items[version].previous;
    for (size_t t = 0; t < db->schema->tables.count; t++) {
        const struct table *child = db->schema->tables.items[t];
        for (size_t i = 0; i < child->foreign_keys.count; i++) {
            const struct foreign_key *fk = &child->foreign_keys.items[i];
            const struct value *old = version_values(db, previous);
            if (fk->parent != table || has_null(fk->parent_columns, fk->column_count, old))
                continue;
            if (!version_is_deleted(db, version) &&
                columns_equal(&db->query.eval, fk->parent_columns, fk->column_count, old,
                              version_values(db, version)))
                continue;
            bool is_deferred = fk->is_deferred && pending_action(db, fk, version) == FK_NO_ACTION;
            pending_add(db, session, (uint16_t)t, i, true, is_deferred, version);
        }
    }
}

void foreign_key_note(struct db *db, size_t session, uint32_t version) {
    if (db->is_loading || db->policy->check_parent == NULL)
        return; /* initial rows come in any order, and are trusted */
    uint16_t table = db->rows.items[db->versions.items[version].row].table;
    if (!version_is_deleted(db, version))
        note_child(db, session, table, version);
    if (db->versions.items[version].previous != 0)
        note_parent(db, session, table, version);
}

/* Whether another row of the parent table has the key now. */
static bool key_is_back(struct db *db, size_t session, const struct foreign_key *fk,
                        const struct value *old) {
    uint16_t txn = db->sessions.items[session].txn;
    for (uint16_t r = db->tables.items[fk->parent].first_row; r != 0; r = db->rows.items[r].next) {
        uint32_t version = row_newest_committed(db, txn, r);
        if (version != 0 && !version_is_deleted(db, version) &&
            columns_equal(&db->query.eval, fk->parent_columns, fk->column_count, old,
                          version_values(db, version)))
            return true;
    }
    return false;
}

bool foreign_key_action_values(struct db *db, uint16_t child_table, const struct foreign_key *fk,
                               enum fk_action action, uint32_t child, const struct value *parent,
                               const struct value **values) {
    const struct table *table = db_table(db, child_table);
    *values = NULL;
    if (action == FK_CASCADE && parent == NULL)
        return true;
    struct value *row = arena_copy(&db->scratch, version_values(db, child),
                                   table->columns.count * sizeof(struct value));
    *values = row;
    for (size_t i = 0; i < fk->column_count; i++) {
        struct value *value = &row[fk->columns[i]];
        if (action == FK_SET_NULL)
            *value = value_null();
        else if (action == FK_CASCADE)
            *value = parent[fk->parent_columns[i]];
        else if (!eval_default(&db->query.eval, &table->columns.items[fk->columns[i]], value))
            return false;
    }
    return true;
}

/* Whether an action that changes the columns changes a key of the child. */
static bool is_in_unique_key(const struct db *db, uint16_t table, const struct foreign_key *fk) {
    const struct table *child = db_table(db, table);
    for (size_t k = 0; k < child->keys.count; k++)
        for (size_t i = 0; i < child->keys.items[k].column_count; i++)
            for (size_t c = 0; c < fk->column_count; c++)
                if (child->keys.items[k].is_unique &&
                    child->keys.items[k].columns[i] == fk->columns[c])
                    return true;
    return false;
}

/* Does to the children found what the foreign key says. */
static enum step write_children(struct db *db, size_t session, const struct pending *pending,
                                const struct foreign_key *fk, enum fk_action action) {
    const struct value *parent = version_is_deleted(db, pending->version)
                                     ? NULL
                                     : version_values_stable(db, pending->version);
    for (size_t i = 0; i < db->children.count; i++) {
        const struct value *values;
        uint32_t child = db->children.items[i], written;
        if (!foreign_key_action_values(db, pending->table, fk, action, child, parent, &values))
            return db_fail_eval(db);
        session_exec(db, session)->is_cascade = true;
        enum step step = row_write(db, session, child, values, &written);
        if (step != STEP_OK)
            return step;
        session_exec(db, session)->is_cascade = false;
    }
    return STEP_OK;
}

static enum step check_parent_gone(struct db *db, size_t session, const struct pending *pending,
                                   const struct foreign_key *fk) {
    uint32_t previous = db->versions.items[pending->version].previous;
    const struct table *parent = db_table(db, fk->parent);
    const struct value *old = arena_copy(&db->scratch, version_values(db, previous),
                                         parent->columns.count * sizeof(struct value));
    enum fk_action action = pending_action(db, fk, pending->version);
    bool forbids = action == FK_NO_ACTION || action == FK_RESTRICT;
    bool deletes = action == FK_CASCADE && version_is_deleted(db, pending->version);
    enum sql_lock lock = forbids                                                  ? SQL_LOCK_KEY_SHARE
                         : deletes || is_in_unique_key(db, pending->table, fk) ? SQL_LOCK_UPDATE
                                                                               : SQL_LOCK_NO_KEY_UPDATE;
    session_exec(db, session)->footprint.locks |= table_bit(pending->table);
    if (action == FK_NO_ACTION) {
        bool looks = db->policy->look_for_key != NULL;
        enum step step = looks ? db->policy->look_for_key(db, session, fk, old) : STEP_OK;
        if (step != STEP_OK || key_is_back(db, session, fk, old))
            return step;
    }
    do {
        db->children.count = 0;
        enum step step =
            db->policy->find_children(db, session, pending->table, fk, old, lock, &db->children);
        if (step == STEP_OK && forbids && db->children.count > 0)
            return db_fail(db, DB_ERROR_REFERENCED, "%.*s", STR_ARG(fk->name));
        if (step == STEP_OK)
            step = write_children(db, session, pending, fk, action);
        if (step != STEP_OK)
            return step;
    } while (db->policy->finds_child_by_child && db->children.count > 0);
    return STEP_OK;
}

static enum step check_child(struct db *db, size_t session, const struct pending *pending,
                             const struct foreign_key *fk) {
    /* A row written again since has a note of its own; a deleted one needs no parent. */
    uint16_t row = db->versions.items[pending->version].row;
    if (db->rows.items[row].newest != pending->version)
        return STEP_OK;
    session_exec(db, session)->footprint.reads |= table_bit(fk->parent);
    const struct table *child = db_table(db, pending->table);
    const struct value *values = arena_copy(&db->scratch, version_values(db, pending->version),
                                            child->columns.count * sizeof(struct value));
    return db->policy->check_parent(db, session, pending->table, fk, values);
}

void foreign_key_forget(struct db *db, uint16_t txn, uint32_t mark) {
    size_t kept = 0;
    for (size_t i = 0; i < db->pending.count; i++) {
        const struct pending *pending = &db->pending.items[i];
        if (pending->txn != txn || pending->sequence <= mark)
            db->pending.items[kept++] = *pending;
    }
    db->pending.count = kept;
}

/* Takes out what is done. */
static void pending_compact(struct db *db) {
    size_t kept = 0;
    for (size_t i = 0; i < db->pending.count; i++)
        if (!db->pending.items[i].is_done)
            db->pending.items[kept++] = db->pending.items[i];
    db->pending.count = kept;
}

enum step foreign_key_check(struct db *db, size_t session, bool at_commit) {
    const struct exec *exec = session_exec(db, session);
    uint16_t txn = db->sessions.items[session].txn;
    bool any = false;
    if (exec->is_cascade && exec->written != 0) {
        enum step step = row_finish(db, session);
        if (step != STEP_OK)
            return step;
    }
    for (size_t i = 0; i < db->pending.count; i++) {
        struct pending pending = db->pending.items[i];
        if (pending.txn != txn || pending.is_done || (pending.is_deferred && !at_commit))
            continue;
        const struct foreign_key *fk =
            &db_table(db, pending.table)->foreign_keys.items[pending.foreign_key];
        enum step step = pending.is_parent ? check_parent_gone(db, session, &pending, fk)
                                           : check_child(db, session, &pending, fk);
        if (step != STEP_OK)
            return step;
        db->pending.items[i].is_done = true;
        any = true;
    }
    if (any)
        pending_compact(db);
    return STEP_OK;
}
