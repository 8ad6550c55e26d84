/* Writing: a row goes into the clustered index, then into each other key, and at each of them it may have
 * to wait: for a duplicate whose fate is open, for a lock on the gap it goes into, for the parent row. What is
 * in already stays in meanwhile, and others run into it.
 */
#include "engine/exec.h"
#include "engine/innodb.h"

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
        if (db->versions.items[version].row != own_row && innodb_is_live(db, table, k, version)) {
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

/* Looks at the primary key. */
static enum step check_key(struct db *db, size_t session, const struct new_row *row, uint8_t k,
                           enum innodb_mode mode, struct duplicate *duplicate) {
    uint32_t own_row = row->old == 0 ? 0 : db->versions.items[row->old].row, found, next;
    enum step step =
        lock_duplicates(db, session, row->table, k, row->values, own_row, mode, &found);
    if (step == STEP_OK && found != 0) {
        *duplicate = (struct duplicate){k, found};
    } else if (step == STEP_OK) {
        struct innodb_entry entry = {row->values, UINT32_MAX};
        bool is_reused;
        step = lock_place(db, session, row->table, k, entry, &is_reused, &next);
    }
    return step;
}

enum step innodb_check_keys(struct db *db, size_t session, const struct new_row *row, int only_key,
                            struct duplicate *duplicate) {
    if (db->is_loading)
        return check_keys_loading(db, row, duplicate);
    const struct table *table = db_table(db, row->table);
    const struct sql_insert *conflict = row->old == 0 ? conflict_insert(db, session) : NULL;
    bool takes_x = conflict != NULL && conflict->conflict == SQL_CONFLICT_UPDATE;
    innodb_lock_table(db, session, row->table, INNODB_X);
    txn_assign_xid(db, session);
    /* The others are looked at when the row is in the clustered index, also for ON DUPLICATE KEY UPDATE and
     * INSERT IGNORE. */
    uint8_t k = innodb_clustered(db, row->table);
    if (k == INNODB_ROWID)
        return STEP_OK;
    bool is_changed = row->old == 0 || !same_key(db, &table->keys.items[k],
                                                 version_values(db, row->old), row->values);
    if (!is_changed || (only_key >= 0 && only_key != k))
        return STEP_OK;
    /* Before a row goes to its new place it leaves the old one: that much is in the undo log when it waits. */
    uint32_t *logged = &session_exec(db, session)->cursor[INNODB_LOGGED];
    *logged = row->old != 0;
    enum step step = STEP_OK;
    if (row->old != 0)
        step = innodb_forbid_children(db, session, row->table, k, row->old, row->values);
    if (step == STEP_OK)
        step = check_key(db, session, row, k, takes_x ? INNODB_X : INNODB_S, duplicate);
    if (step != STEP_WAIT)
        *logged = 0;
    return step;
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

/* The primary key is read, too, save for the one row of another unique key (mark_columns_needed_for_update: seen). */
static bool has_read_what_it_writes(const struct db *db, size_t session,
                                    const struct sql_update *update) {
    const struct table *table = db_table(db, update->target.table_index);
    bool reads_primary = table->has_primary_key && !session_exec(db, session)->cursor[INNODB_BY_UNIQUE];
    for (size_t i = 0; i < update->set.count; i++) {
        uint16_t column = update->set.items[i].column_index;
        bool is_read = reads_column(update->where, column);
        for (size_t k = 0; reads_primary && k < table->keys.items[0].column_count; k++)
            is_read = is_read || table->keys.items[0].columns[k] == column;
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
    return stmt->kind != SQL_STMT_UPDATE || has_read_what_it_writes(db, session, stmt->update) ||
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

/* ---- the other indexes ---- */

/* Puts the entry of the row under way at `depth` into key `k`. */
static enum step insert_entry(struct db *db, size_t session, size_t depth, size_t k) {
    struct row_work *work = &db->lists[session].under_way.items[depth];
    uint32_t version = work->version, found = 0, next;
    uint16_t row = db->versions.items[version].row, table = db->rows.items[row].table;
    const struct key *key = &db_table(db, table)->keys.items[k];
    const struct value *values = version_values(db, version);
    bool is_insert = db->versions.items[version].previous == 0;
    const struct sql_insert *conflict = is_insert ? conflict_insert(db, session) : NULL;
    bool takes_x = conflict != NULL && conflict->conflict == SQL_CONFLICT_UPDATE;
    enum step step = STEP_OK;
    if (key->is_unique && !has_null(key, values))
        step = lock_duplicates(db, session, table, (uint8_t)k, values, row,
                               takes_x ? INNODB_X : INNODB_S, &found);
    if (step == STEP_OK && found != 0) {
        session_exec(db, session)->duplicate = conflict != NULL ? found : 0;
        return fail_unique(db, table, (int)k);
    }
    bool is_reused;
    if (step == STEP_OK)
        step = lock_place(db, session, table, (uint8_t)k, innodb_entry_of(db, version), &is_reused,
                          &next);
    if (step != STEP_OK)
        return step;
    work->keys_done = (uint32_t)k + 1;
    db->versions.items[version].keys_done = (uint8_t)(k + 1);
    if (!is_reused)
        innodb_split_gap(db, table, (uint8_t)k, version, next);
    return STEP_OK;
}

/* Marks the entry of the row's version before in key `k` as deleted, and puts the new one in. */
static enum step write_entry(struct db *db, size_t session, size_t depth, size_t k) {
    uint32_t version = db->lists[session].under_way.items[depth].version;
    uint32_t old = db->versions.items[version].previous;
    uint16_t table = db->rows.items[db->versions.items[version].row].table;
    const struct value *values = version_values_stable(db, version);
    bool is_delete = version_is_deleted(db, version);
    enum step step = STEP_OK;
    if (old != 0 && !is_delete && innodb_same_record(db, table, (uint8_t)k, old, version))
        return STEP_OK;
    if (old != 0)
        step = lock_version(db, session, table, (uint8_t)k, old, INNODB_X, INNODB_REC, true, NULL);
    if (step == STEP_OK && old != 0) {
        db->lists[session].under_way.items[depth].is_marked = true;
        db->versions.items[version].keys_done = (uint8_t)(k + 1);
    }
    if (step == STEP_OK && old != 0)
        step = innodb_act_on_children(db, session, depth, (int)k, old, is_delete ? NULL : values,
                                      true);
    if (step == STEP_OK && !is_delete)
        step = innodb_check_parents(db, session, depth, table, (int)k, values);
    if (step == STEP_OK && !is_delete)
        step = insert_entry(db, session, depth, k);
    return step;
}

/* What is left of a row when it is in the clustered index. An UPDATE of its key was forbidden before it came to that. */
static enum step write_clustered(struct db *db, size_t session, size_t depth) {
    uint32_t version = db->lists[session].under_way.items[depth].version;
    uint32_t old = db->versions.items[version].previous;
    uint16_t table = db->rows.items[db->versions.items[version].row].table;
    uint8_t clustered = innodb_clustered(db, table);
    const struct value *values = version_values_stable(db, version);
    if (version_is_deleted(db, version))
        return innodb_act_on_children(db, session, depth, clustered, old, NULL, true);
    if (old != 0 && innodb_same_record(db, table, clustered, old, version))
        return STEP_OK;
    enum step step = STEP_OK;
    if (old != 0)
        step = innodb_act_on_children(db, session, depth, clustered, old, values, false);
    return step != STEP_OK ? step
                           : innodb_check_parents(db, session, depth, table, clustered, values);
}

/* The clustered index has the version: what the gap before it was locked for holds on both sides now. */
static void split_clustered_gap(struct db *db, uint16_t table, uint32_t version) {
    uint8_t clustered = innodb_clustered(db, table);
    struct innodb_records records = innodb_records(db, table, clustered);
    size_t at = innodb_seek(db, &records, table, clustered, innodb_entry_of(db, version));
    innodb_split_gap(db, table, clustered, version, innodb_record_at(&records, at + 1));
}

static void begin_row(struct db *db, size_t session, uint32_t version) {
    struct row_works *works = &db->lists[session].under_way;
    uint16_t table = db->rows.items[db->versions.items[version].row].table;
    uint32_t *reused = &session_exec(db, session)->cursor[INNODB_REUSED];
    uint32_t old = db->versions.items[version].previous;
    bool is_new = old == 0 ||
                  !innodb_same_record(db, table, innodb_clustered(db, table), old, version);
    MVEC_PUSH(works, (struct row_work){.version = version});
    if (is_new && !*reused)
        split_clustered_gap(db, table, version);
    if (is_new)
        old = innodb_replaced_version(db, version);
    if (old != 0 && !version_is_deleted(db, version))
        innodb_move_locks(db, old, version);
    *reused = 0;
}

enum step innodb_finish_row(struct db *db, size_t session, size_t depth) {
    struct row_works *works = &db->lists[session].under_way;
    uint32_t version = works->items[depth].version;
    uint16_t table = db->rows.items[db->versions.items[version].row].table;
    const struct table *schema = db_table(db, table);
    for (size_t k = works->items[depth].keys_done; k < schema->keys.count; k++) {
        bool is_clustered = k == innodb_clustered(db, table);
        enum step step = is_clustered ? write_clustered(db, session, depth)
                                      : write_entry(db, session, depth, k);
        if (step != STEP_OK)
            return step;
        works->items[depth] = (struct row_work){.version = version, .keys_done = (uint32_t)k + 1};
    }
    works->count = depth;
    return STEP_OK;
}

enum step innodb_write_child(struct db *db, size_t session, uint32_t child,
                             const struct value *values) {
    struct new_row row = {
        .table = db->rows.items[db->versions.items[child].row].table, .old = child, .values = values};
    struct duplicate duplicate = {.key = -1};
    bool is_skipped = false;
    enum step step = values == NULL ? STEP_OK : row_check(db, row.table, values);
    if (step == STEP_OK && values != NULL)
        step = innodb_check_keys(db, session, &row, -1, &duplicate);
    if (step == STEP_OK && duplicate.key >= 0)
        step = fail_unique(db, row.table, duplicate.key);
    if (step == STEP_OK)
        step = innodb_before_write(db, session, &row, &is_skipped);
    if (step != STEP_OK || is_skipped)
        return step;
    uint32_t written = row_update(db, session, child, values);
    if (written == 0)
        return STEP_FAIL;
    begin_row(db, session, written);
    return innodb_finish_row(db, session, db->lists[session].under_way.count - 1);
}

enum step innodb_after_write(struct db *db, size_t session, uint32_t version) {
    struct row_works *works = &db->lists[session].under_way;
    if (db->is_loading)
        return STEP_OK;
    if (works->count == 0)
        begin_row(db, session, version);
    LW_ASSERT(works->items[0].version == version);
    enum step step = innodb_finish_row(db, session, 0);
    if (step == STEP_FAIL)
        works->count = 0;
    return step;
}
