/* Writing: a row goes into the clustered index, then into each other key, and at each of them it may have
 * to wait: for a duplicate whose fate is open, for a lock on the gap it goes into, for the parent row. What is
 * in already stays in meanwhile, and others run into it.
 */
#include "engine/innodb.h"
#include "engine/version.h"

#include <stdlib.h>

static bool same_key(struct db *db, const struct key *key, const struct value *a,
                     const struct value *b) {
    for (size_t i = 0; i < key->column_count; i++)
        if (eval_key_order(&db->query.eval, a[key->columns[i]], b[key->columns[i]]) != 0)
            return false;
    return true;
}

static bool has_null(const struct key *key, const struct value *values) {
    for (size_t i = 0; i < key->column_count; i++)
        if (values[key->columns[i]].kind == VALUE_NULL)
            return true;
    return false;
}

/* Whether the record is of its row as it is now: not deleted, with that key, also that of the primary key. */
static bool is_live(struct db *db, uint16_t table, uint8_t k, uint32_t version) {
    uint32_t newest = db->rows.items[db->versions.items[version].row].newest;
    return newest != 0 && !version_is_deleted(db, newest) &&
           innodb_same_record(db, table, k, newest, version);
}

static enum step lock_version(struct db *db, size_t session, uint16_t table, uint8_t key,
                              uint32_t version, enum innodb_mode mode, enum innodb_type type,
                              bool is_implicit, bool *is_stale) {
    struct innodb_request request = {.table = table,
                                     .key = key,
                                     .version = version,
                                     .mode = mode,
                                     .type = type,
                                     .is_implicit = is_implicit};
    enum step step = innodb_lock(db, session, &request);
    if (is_stale != NULL)
        *is_stale = request.is_stale;
    return step;
}

/* Waits for whoever locked the gap that an entry goes into, or the deleted record whose place it takes. */
static enum step lock_place(struct db *db, size_t session, uint16_t table, uint8_t key,
                            struct innodb_entry entry, bool *is_reused, uint32_t *next) {
    for (;;) {
        struct innodb_records records = innodb_records(db, table, key);
        size_t at = innodb_seek(db, &records, table, key, entry);
        *next = innodb_record_at(&records, at);
        *is_reused = *next != 0 &&
                     innodb_entry_order(db, table, key, innodb_entry_of(db, *next), entry) == 0;
        bool is_stale;
        enum step step =
            lock_version(db, session, table, key, *next, INNODB_X,
                         *is_reused ? INNODB_REC : INNODB_INSERT, *is_reused, &is_stale);
        if (step != STEP_OK || !is_stale)
            return step;
    }
}

/* ---- duplicates ---- */

/* Initial rows: no locks. */
static enum step check_keys_loading(struct db *db, const struct new_row *row,
                                    struct duplicate *duplicate) {
    const struct table *table = db_table(db, row->table);
    for (size_t k = 0; k < table->keys.count; k++) {
        const struct key *key = &table->keys.items[k];
        uint16_t at = db->tables.items[row->table].first_row;
        if (!key->is_unique || has_null(key, row->values))
            continue;
        for (; at != 0; at = db->rows.items[at].next) {
            uint32_t newest = db->rows.items[at].newest;
            bool is_other =
                newest != 0 && (row->old == 0 || db->versions.items[row->old].row != at);
            if (is_other && !version_is_deleted(db, newest) &&
                same_key(db, key, version_values(db, newest), row->values))
                *duplicate = (struct duplicate){(int)k, newest};
        }
    }
    return STEP_OK;
}

/* Locks the records of a unique key with these values; *found: the live one, 0: none. `is_primary`: at most
 * one is there; in another key deleted ones may stand beside it, and the record after them is locked too. */
static enum step lock_duplicates(struct db *db, size_t session, uint16_t table, uint8_t k,
                                 const struct value *values, uint32_t own_row,
                                 enum innodb_mode mode, uint32_t *found) {
    const struct key *key = &db_table(db, table)->keys.items[k];
    bool is_primary = k == innodb_clustered(db, table), is_first = true;
    enum innodb_type type = is_primary ? INNODB_REC : INNODB_NEXT_KEY;
    struct innodb_records records = innodb_records(db, table, k);
    *found = 0;
    for (size_t i = 0; i <= records.count; i++) {
        uint32_t version = innodb_record_at(&records, i);
        bool is_equal = version != 0 && same_key(db, key, version_values(db, version), values);
        if (!is_equal && (is_first || is_primary)) {
            if (!is_first)
                return STEP_OK;
            continue;
        }
        is_first = false;
        bool is_stale;
        enum step step = lock_version(db, session, table, k, version, mode, type, false, &is_stale);
        if (step == STEP_OK && is_stale)
            return lock_duplicates(db, session, table, k, values, own_row, mode, found);
        if (step != STEP_OK || !is_equal)
            return step;
        if (db->versions.items[version].row != own_row && is_live(db, table, k, version)) {
            *found = db->rows.items[db->versions.items[version].row].newest;
            return STEP_OK;
        }
    }
    return STEP_OK;
}

static const struct sql_insert *conflict_insert(const struct db *db, size_t session) {
    const struct sql_stmt *stmt = session_exec(db, session)->stmt;
    bool is_insert = stmt->kind == SQL_STMT_INSERT && stmt->insert->conflict != SQL_CONFLICT_ERROR;
    return is_insert ? stmt->insert : NULL;
}

/* Looks at the primary key. Before a row goes to its new place there it leaves the old one: that much is in the
 * undo log when it waits. */
static enum step check_key(struct db *db, size_t session, const struct new_row *row, uint8_t k,
                           enum innodb_mode mode, struct duplicate *duplicate) {
    uint32_t own_row = row->old == 0 ? 0 : db->versions.items[row->old].row, found, next;
    uint32_t *logged = &session_exec(db, session)->cursor[INNODB_LOGGED];
    *logged = row->old != 0;
    enum step step =
        lock_duplicates(db, session, row->table, k, row->values, own_row, mode, &found);
    if (step == STEP_OK && found != 0) {
        *duplicate = (struct duplicate){k, found};
    } else if (step == STEP_OK) {
        struct innodb_entry entry = {row->values, UINT32_MAX};
        bool is_reused;
        step = lock_place(db, session, row->table, k, entry, &is_reused, &next);
    }
    if (step != STEP_WAIT)
        *logged = 0;
    return step;
}

static enum step forbid_children(struct db *db, size_t session, uint16_t table, int k, uint32_t old,
                                 const struct value *values);

enum step innodb_check_keys(struct db *db, size_t session, const struct new_row *row, int only_key,
                            struct duplicate *duplicate) {
    if (db->is_loading)
        return check_keys_loading(db, row, duplicate);
    const struct table *table = db_table(db, row->table);
    const struct sql_insert *conflict = row->old == 0 ? conflict_insert(db, session) : NULL;
    bool takes_x = conflict != NULL && conflict->conflict == SQL_CONFLICT_UPDATE;
    innodb_lock_table(db, session, row->table, INNODB_X);
    /* The others are looked at when the row is in the clustered index, also for ON DUPLICATE KEY UPDATE and
     * INSERT IGNORE. */
    uint8_t k = innodb_clustered(db, row->table);
    if (k == INNODB_ROWID)
        return STEP_OK;
    bool is_changed = row->old == 0 || !same_key(db, &table->keys.items[k],
                                                 version_values(db, row->old), row->values);
    if (!is_changed || (only_key >= 0 && only_key != k))
        return STEP_OK;
    if (row->old != 0) {
        enum step step = forbid_children(db, session, row->table, k, row->old, row->values);
        if (step != STEP_OK)
            return step;
    }
    return check_key(db, session, row, k, takes_x ? INNODB_X : INNODB_S, duplicate);
}

enum step innodb_lock_duplicate(struct db *db, size_t session, uint32_t found, uint32_t *version) {
    uint16_t row = db->versions.items[found].row, table = db->rows.items[row].table;
    if (version == NULL || db->is_loading)
        return STEP_OK;
    enum step step = lock_version(db, session, table, innodb_clustered(db, table), found, INNODB_X,
                                  INNODB_REC, false, NULL);
    if (step != STEP_OK)
        return step;
    uint32_t newest = db->rows.items[row].newest;
    *version = newest != 0 && !version_is_deleted(db, newest) ? newest : 0;
    return STEP_OK;
}

/* ---- before the clustered index is written ---- */

static bool reads_column(const struct sql_expr *expr, uint16_t column) {
    if (expr == NULL)
        return false;
    if (expr->kind == SQL_COLUMN)
        return expr->depth == 0 && expr->source == 0 && expr->column == column;
    for (size_t i = 0; i < expr->args.count; i++)
        if (reads_column(expr->args.items[i], column))
            return true;
    return false;
}

static bool has_read_what_it_writes(const struct sql_update *update) {
    for (size_t i = 0; i < update->set.count; i++) {
        uint16_t column = update->set.items[i].column_index;
        bool is_read = reads_column(update->where, column);
        for (size_t k = 0; k < update->set.count && !is_read; k++)
            is_read = reads_column(update->set.items[k].value, column);
        if (!is_read)
            return false;
    }
    return true;
}

/* MySQL notices that nothing changes only if it has read the columns it writes. */
static bool notices_no_change(const struct db *db, size_t session) {
    const struct sql_stmt *stmt = session_exec(db, session)->stmt;
    return stmt->kind != SQL_STMT_UPDATE || has_read_what_it_writes(stmt->update) ||
           !innodb_is_mysql(db);
}

static bool is_changed(const struct db *db, const struct new_row *row) {
    const struct value *old = version_values(db, row->old);
    for (size_t i = 0; i < db_table(db, row->table)->columns.count; i++)
        if (old[i].kind != row->values[i].kind ||
            !value_equal(db->query.eval.pool, old[i], row->values[i]))
            return true;
    return false;
}

enum step innodb_before_write(struct db *db, size_t session, const struct new_row *row,
                              bool *skip) {
    if (db->is_loading)
        return STEP_OK;
    uint8_t clustered = innodb_clustered(db, row->table);
    if (row->old != 0 && row->values != NULL && !is_changed(db, row)) {
        *skip = notices_no_change(db, session);
        return STEP_OK;
    }
    bool is_insert = row->old == 0;
    if (!is_insert && row->values != NULL && clustered != INNODB_ROWID)
        is_insert = !same_key(db, &db_table(db, row->table)->keys.items[clustered],
                              version_values(db, row->old), row->values);
    if (!is_insert)
        return STEP_OK;
    bool is_reused;
    uint32_t next;
    struct innodb_entry entry = {row->values, UINT32_MAX};
    enum step step = lock_place(db, session, row->table, clustered, entry, &is_reused, &next);
    session_exec(db, session)->cursor[INNODB_REUSED] = is_reused;
    return step;
}

/* ---- foreign keys ---- */

/* The key whose leading columns are these; -1: none. */
static int key_on(const struct table *table, const uint16_t *columns, size_t count) {
    for (size_t k = 0; k < table->keys.count; k++)
        if (table->keys.items[k].column_count >= count && table->keys.items[k].where == NULL &&
            memcmp(table->keys.items[k].columns, columns, count * sizeof *columns) == 0)
            return (int)k;
    return -1;
}

static bool columns_equal(struct db *db, const uint16_t *a_columns, const struct value *a,
                          const uint16_t *b_columns, const struct value *b, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!eval_same_key(&db->query.eval, a[a_columns[i]], b[b_columns[i]]))
            return false;
    return true;
}

static enum step fail_foreign_key(struct db *db, const struct foreign_key *fk) {
    return db_fail(db, DB_ERROR_FOREIGN_KEY, "%.*s", STR_ARG(fk->name));
}

static bool row_is_live(const struct db *db, uint32_t version) {
    uint32_t newest = db->rows.items[db->versions.items[version].row].newest;
    return newest != 0 && !version_is_deleted(db, newest);
}

/* Whether the gap is locked where a parent or a child is missing: see TRAIT_FOREIGN_KEY_GAPS for READ COMMITTED. */
static bool foreign_keys_lock_gaps(const struct db *db, size_t session) {
    return innodb_locks_gaps(db, session) || db_config_has(&db->config, TRAIT_FOREIGN_KEY_GAPS);
}

/* Locks the parent of a child with these values, by record alone; the gap where it would be if it is not. */
static enum step lock_parent(struct db *db, size_t session, const struct foreign_key *fk,
                             const struct value *values) {
    int k = key_on(db_table(db, fk->parent), fk->parent_columns, fk->column_count);
    bool gaps = foreign_keys_lock_gaps(db, session), was_equal = false;
    if (k < 0)
        return fail_foreign_key(db, fk);
    innodb_lock_table(db, session, fk->parent, INNODB_S);
    session_exec(db, session)->footprint.reads |= table_bit(fk->parent);
    struct innodb_records records = innodb_records(db, fk->parent, (uint8_t)k);
    size_t next = records.count;
    for (size_t i = 0; i < records.count; i++) {
        uint32_t version = records.items[i].version;
        const struct value *parent = version_values(db, version);
        if (!columns_equal(db, fk->columns, values, fk->parent_columns, parent, fk->column_count)) {
            bool is_after = was_equal;
            for (size_t c = 0; c < fk->column_count && !is_after; c++) {
                int order = eval_key_order(&db->query.eval, parent[fk->parent_columns[c]],
                                           values[fk->columns[c]]);
                is_after = order > 0;
                if (order != 0)
                    break;
            }
            if (!is_after)
                continue;
            next = i;
            break;
        }
        was_equal = true;
        bool live = row_is_live(db, version);
        enum step step = lock_version(db, session, fk->parent, (uint8_t)k, version, INNODB_S,
                                      live || !gaps ? INNODB_REC : INNODB_NEXT_KEY, false, NULL);
        if (step != STEP_OK)
            return step;
        if (is_live(db, fk->parent, (uint8_t)k, version))
            return STEP_OK;
    }
    if (gaps) {
        enum step step =
            lock_version(db, session, fk->parent, (uint8_t)k, innodb_record_at(&records, next),
                         INNODB_S, INNODB_GAP, false, NULL);
        if (step != STEP_OK)
            return step;
    }
    return fail_foreign_key(db, fk);
}

static bool fk_has_null(const struct foreign_key *fk, const struct value *values) {
    for (size_t i = 0; i < fk->column_count; i++)
        if (values[fk->columns[i]].kind == VALUE_NULL)
            return true;
    return false;
}

/* The foreign keys that are looked up when the row goes into key `k`. */
static enum step check_foreign_keys(struct db *db, size_t session, uint16_t table, int k,
                                    const struct value *old, const struct value *values) {
    const struct table *schema = db_table(db, table);
    for (size_t i = 0; i < schema->foreign_keys.count; i++) {
        const struct foreign_key *fk = &schema->foreign_keys.items[i];
        if (key_on(schema, fk->columns, fk->column_count) != k || fk_has_null(fk, values))
            continue;
        if (old != NULL &&
            columns_equal(db, fk->columns, old, fk->columns, values, fk->column_count))
            continue;
        enum step step = lock_parent(db, session, fk, values);
        if (step != STEP_OK)
            return step;
    }
    return STEP_OK;
}

enum step innodb_check_parent(struct db *db, size_t session, uint16_t table,
                              const struct foreign_key *fk, const struct value *values) {
    (void)session;
    (void)table;
    if (!db->is_loading)
        return STEP_OK; /* innodb_after_write did it, index by index */
    uint16_t row = db->tables.items[fk->parent].first_row;
    for (; row != 0; row = db->rows.items[row].next) {
        uint32_t newest = db->rows.items[row].newest;
        if (newest != 0 && !version_is_deleted(db, newest) &&
            columns_equal(db, fk->columns, values, fk->parent_columns, version_values(db, newest),
                          fk->column_count))
            return STEP_OK;
    }
    return fail_foreign_key(db, fk);
}

enum step innodb_find_children(struct db *db, size_t session, uint16_t child_table,
                               const struct foreign_key *fk, const struct value *values,
                               enum sql_lock lock, struct u32_list *children) {
    int k = key_on(db_table(db, child_table), fk->columns, fk->column_count);
    LW_ASSERT(k >= 0); /* innodb_schema saw to it */
    bool gaps = !db->is_loading && foreign_keys_lock_gaps(db, session);
    uint8_t clustered = innodb_clustered(db, child_table);
    struct innodb_records records = innodb_records(db, child_table, (uint8_t)k);
    size_t next = 0, found_before = children->count;
    if (!db->is_loading)
        innodb_lock_table(db, session, child_table,
                          lock != SQL_LOCK_KEY_SHARE ? INNODB_X : INNODB_S);
    for (size_t i = 0; i < records.count; i++) {
        uint32_t version = records.items[i].version;
        const struct value *child = version_values(db, version);
        int order = 0;
        for (size_t c = 0; c < fk->column_count && order == 0; c++)
            order = eval_key_order(&db->query.eval, child[fk->columns[c]],
                                   values[fk->parent_columns[c]]);
        if (order <= 0)
            next = i + 1;
        if (order != 0)
            continue;
        enum step step = STEP_OK;
        bool live = is_live(db, child_table, (uint8_t)k, version);
        if (!db->is_loading)
            step = lock_version(db, session, child_table, (uint8_t)k, version, INNODB_S,
                                live || !gaps ? INNODB_REC : INNODB_NEXT_KEY, false, NULL);
        if (step == STEP_OK && live && lock != SQL_LOCK_KEY_SHARE && !db->is_loading)
            step = lock_version(db, session, child_table, clustered, version, INNODB_X, INNODB_REC,
                                false, NULL);
        if (step != STEP_OK)
            return step;
        if (is_live(db, child_table, (uint8_t)k, version) != live) {
            /* Whoever was in the way fell to a deadlock, and what it did is undone: look again. */
            children->count = found_before;
            return innodb_find_children(db, session, child_table, fk, values, lock, children);
        }
        if (!live)
            continue;
        MVEC_PUSH(children, db->rows.items[db->versions.items[version].row].newest);
        if (lock == SQL_LOCK_KEY_SHARE)
            return STEP_OK; /* one is enough to forbid it */
    }
    if (db->is_loading || !gaps)
        return STEP_OK;
    return lock_version(db, session, child_table, (uint8_t)k, innodb_record_at(&records, next),
                        INNODB_S, INNODB_GAP, false, NULL);
}

/* Children that forbid what is done to a row are looked for when its old entry in key `k`, which they refer to, has
 * been marked as deleted: before the new one goes in, and before other keys (row_upd_check_references_constraints).
 * `values` NULL: DELETE. */
static enum step forbid_children(struct db *db, size_t session, uint16_t table, int k, uint32_t old,
                                 const struct value *values) {
    for (uint16_t t = 0; t < db->schema->tables.count; t++) {
        const struct table *child = db_table(db, t);
        for (size_t i = 0; i < child->foreign_keys.count; i++) {
            const struct foreign_key *fk = &child->foreign_keys.items[i];
            enum fk_action action = values == NULL ? fk->on_delete : fk->on_update;
            bool forbids = action == FK_NO_ACTION || action == FK_RESTRICT;
            const struct value *before = version_values(db, old);
            if (fk->parent != table || !forbids ||
                key_on(db_table(db, table), fk->parent_columns, fk->column_count) != k ||
                (values != NULL && columns_equal(db, fk->parent_columns, before, fk->parent_columns,
                                                 values, fk->column_count)))
                continue;
            struct u32_list children = {0};
            session_exec(db, session)->footprint.locks |= table_bit(t);
            enum step step =
                innodb_find_children(db, session, t, fk, before, SQL_LOCK_KEY_SHARE, &children);
            bool any = children.count > 0;
            free(children.items);
            if (step == STEP_OK && any)
                step = db_fail(db, DB_ERROR_REFERENCED, "%.*s", STR_ARG(fk->name));
            if (step != STEP_OK)
                return step;
        }
    }
    return STEP_OK;
}

/* ---- the other indexes ---- */

static enum step fail_duplicate(struct db *db, uint16_t table, size_t k) {
    return db_fail(db, DB_ERROR_UNIQUE, "%.*s", STR_ARG(db_table(db, table)->keys.items[k].name));
}

/* Puts the row's entry into key `k`. */
static enum step insert_entry(struct db *db, size_t session, uint16_t table, size_t k,
                              uint32_t version) {
    const struct key *key = &db_table(db, table)->keys.items[k];
    const struct value *values = version_values(db, version);
    uint32_t found = 0, next;
    uint16_t row = db->versions.items[version].row;
    bool is_insert = db->versions.items[version].previous == 0;
    const struct sql_insert *conflict = is_insert ? conflict_insert(db, session) : NULL;
    bool takes_x = conflict != NULL && conflict->conflict == SQL_CONFLICT_UPDATE;
    enum step step = STEP_OK;
    if (key->is_unique && !has_null(key, values))
        step = lock_duplicates(db, session, table, (uint8_t)k, values, row,
                               takes_x ? INNODB_X : INNODB_S, &found);
    if (step == STEP_OK && found != 0) {
        session_exec(db, session)->duplicate = conflict != NULL ? found : 0;
        return fail_duplicate(db, table, k);
    }
    bool is_reused;
    if (step == STEP_OK)
        step = lock_place(db, session, table, (uint8_t)k, innodb_entry_of(db, version), &is_reused,
                          &next);
    if (step != STEP_OK)
        return step;
    session_exec(db, session)->cursor[INNODB_KEYS_DONE] = (uint32_t)k + 1;
    if (!is_reused)
        innodb_split_gap(db, table, (uint8_t)k, version, next);
    return STEP_OK;
}

/* Marks the entry of `old` in key `k` as deleted, and puts the new one in. */
static enum step write_entry(struct db *db, size_t session, uint16_t table, size_t k,
                             uint32_t version, uint32_t old) {
    const struct value *values = version_values(db, version);
    const struct value *old_values = old == 0 ? NULL : version_values(db, old);
    bool is_delete = version_is_deleted(db, version), is_same = false;
    enum step step = STEP_OK;
    if (old != 0)
        is_same = !is_delete && innodb_same_record(db, table, (uint8_t)k, old, version);
    if (!is_delete)
        step = check_foreign_keys(db, session, table, (int)k, old_values, values);
    if (step == STEP_OK && old != 0 && !is_same)
        step = lock_version(db, session, table, (uint8_t)k, old, INNODB_X, INNODB_REC, true, NULL);
    if (step == STEP_OK && old != 0 && !is_same)
        step = forbid_children(db, session, table, (int)k, old, is_delete ? NULL : values);
    if (step == STEP_OK && !is_delete && !is_same)
        step = insert_entry(db, session, table, k, version);
    return step;
}

/* The clustered index has the version: what the gap before it was locked for holds on both sides now. */
static void split_clustered_gap(struct db *db, uint16_t table, uint32_t version) {
    uint8_t clustered = innodb_clustered(db, table);
    struct innodb_records records = innodb_records(db, table, clustered);
    size_t at = innodb_seek(db, &records, table, clustered, innodb_entry_of(db, version));
    innodb_split_gap(db, table, clustered, version, innodb_record_at(&records, at + 1));
}

enum step innodb_after_write(struct db *db, size_t session, uint32_t version) {
    struct exec *exec = session_exec(db, session);
    uint16_t table = db->rows.items[db->versions.items[version].row].table;
    const struct table *schema = db_table(db, table);
    uint32_t old = db->versions.items[version].previous;
    uint8_t clustered = innodb_clustered(db, table);
    if (db->is_loading)
        return STEP_OK;
    if (exec->cursor[INNODB_WRITTEN] != version) {
        exec->cursor[INNODB_WRITTEN] = version;
        exec->cursor[INNODB_KEYS_DONE] = 0;
        bool is_new = old == 0 || !innodb_same_record(db, table, clustered, old, version);
        if (is_new && !exec->cursor[INNODB_REUSED])
            split_clustered_gap(db, table, version);
        if (!is_new && !version_is_deleted(db, version))
            innodb_move_locks(db, old, version);
        exec->cursor[INNODB_REUSED] = 0;
    }
    for (size_t k = exec->cursor[INNODB_KEYS_DONE]; k < schema->keys.count; k++) {
        enum step step = STEP_OK;
        if (k != clustered)
            step = write_entry(db, session, table, k, version, old);
        else if (version_is_deleted(db, version))
            step = forbid_children(db, session, table, (int)k, old, NULL);
        else
            step = check_foreign_keys(db, session, table, (int)k,
                                      old == 0 ? NULL : version_values(db, old),
                                      version_values(db, version));
        if (step != STEP_OK)
            return step;
        exec->cursor[INNODB_KEYS_DONE] = (uint32_t)k + 1;
    }
    exec->cursor[INNODB_WRITTEN] = 0;
    return STEP_OK;
}
