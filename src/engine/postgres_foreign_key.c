/* PostgreSQL's foreign keys: what the triggers of ri_triggers.c do by SQL. A search sees the newest rows when it begins
 * (the parent's, at REPEATABLE READ and above, the transaction's), and is not repeated after a wait.
 */
#include "engine/exec.h"
#include "engine/postgres.h"

static bool parent_matches(struct db *db, const struct foreign_key *fk, const struct value *parent,
                           const struct value *child) {
    for (size_t i = 0; i < fk->column_count; i++)
        if (!eval_same_key(&db->query.eval, parent[fk->parent_columns[i]], child[fk->columns[i]]))
            return false;
    return true;
}

/* WHERE columns = values: through an index that begins with the columns, if there is one. */
static struct access lookup_access(struct db *db, uint16_t table, const uint16_t *columns,
                                   const struct value *values, size_t count) {
    struct access access = {.table = table, .key = -1, .range_count = 1};
    const struct table *schema = db_table(db, table);
    for (size_t k = 0; k < schema->keys.count && access.key < 0; k++) {
        const struct key *key = &schema->keys.items[k];
        bool fits = key->where == NULL && key->column_count >= count;
        for (size_t i = 0; i < count && fits; i++) {
            fits = key->columns[i] == columns[i];
            access.ranges[0].equal[i] = values[i];
        }
        if (fits)
            access.key = (int16_t)k;
    }
    access.ranges[0].equal_count = (uint8_t)(access.key < 0 ? 0 : count);
    return access;
}

static void pick_values(const struct value *row, const uint16_t *columns, size_t count,
                        struct value *values) {
    for (size_t i = 0; i < count; i++)
        values[i] = row[columns[i]];
}

/* SELECT 1 FROM parent WHERE key = ... FOR KEY SHARE, `found` being its row. The search is not repeated after a wait. */
static enum step mark_parent(struct db *db, size_t session, const struct foreign_key *fk,
                             const struct value *child, uint32_t found) {
    uint32_t *is_marked = &session_exec(db, session)->cursor[POSTGRES_CHECK_MARKED];
    struct value values[KEY_COLUMNS_MAX];
    if (*is_marked)
        return STEP_OK;
    *is_marked = true;
    pick_values(child, fk->columns, fk->column_count, values);
    struct access access =
        lookup_access(db, fk->parent, fk->parent_columns, values, fk->column_count);
    return ssi_scan(db, session, &access, false, &found, found != 0);
}

/* The newest rows when the check began: what came while it waits is not seen. */
static enum step lock_parent(struct db *db, size_t session, const struct foreign_key *fk,
                             const struct value *values, uint32_t latest) {
    const struct txn *txn = session_txn(db, session);
    struct snapshot snapshot = {.sequence = txn_is_snapshot(txn) ? txn->snapshot : latest,
                                .txn = db->sessions.items[session].txn,
                                .command = COMMAND_ALL};
    for (uint16_t row = db->tables.items[fk->parent].first_row; row != 0;
         row = db->rows.items[row].next) {
        uint32_t version = row_visible(db, &snapshot, row), newest;
        if (version == 0 || version_is_deleted(db, version) ||
            !parent_matches(db, fk, version_values(db, version), values))
            continue;
        enum step step = mark_parent(db, session, fk, values, version);
        if (step != STEP_OK)
            return step;
        enum row_hold hold = row_hold(db, session, version, SQL_LOCK_KEY_SHARE, SQL_WAIT, &newest);
        if (hold == ROW_STOPPED)
            return db_fail_eval(db);
        if (hold == ROW_HELD && parent_matches(db, fk, version_values(db, newest), values))
            return STEP_OK;
    }
    enum step step = mark_parent(db, session, fk, values, 0);
    if (step != STEP_OK)
        return step;
    return db_fail(db, DB_ERROR_FOREIGN_KEY, "%.*s", STR_ARG(fk->name));
}

enum step postgres_check_parent(struct db *db, size_t session, uint16_t table,
                                const struct foreign_key *fk, const struct value *values) {
    uint32_t *latest = &session_exec(db, session)->cursor[POSTGRES_CHECK_SNAPSHOT];
    if (*latest == 0)
        *latest = db->core.commits + 1;
    enum step step = lock_parent(db, session, fk, values, *latest - 1);
    (void)table;
    if (step != STEP_WAIT)
        *latest = session_exec(db, session)->cursor[POSTGRES_CHECK_MARKED] = 0;
    return step;
}

/* SELECT 1 FROM parent WHERE key = ... FOR KEY SHARE (ri_Check_Pk_Match), before the first look for children. */
enum step postgres_look_for_key(struct db *db, size_t session, const struct foreign_key *fk,
                                const struct value *values) {
    struct value keys[KEY_COLUMNS_MAX];
    if (session_exec(db, session)->cursor[POSTGRES_CHECK_SNAPSHOT] != 0)
        return STEP_OK;
    pick_values(values, fk->parent_columns, fk->column_count, keys);
    struct access access =
        lookup_access(db, fk->parent, fk->parent_columns, keys, fk->column_count);
    return ssi_scan(db, session, &access, true, NULL, 0);
}

static bool child_matches(struct db *db, const struct foreign_key *fk, const struct value *child,
                          const struct value *parent) {
    return parent_matches(db, fk, parent, child);
}

/* A row under the search for children, in lists.work: two words, its version and whether it is a child. */
enum { FOUND_WORDS = 2 };

static void found_add(struct db *db, struct u32_list *found, const struct access *access,
                      uint32_t version, bool is_child) {
    MVEC_PUSH(found, version);
    MVEC_PUSH(found, is_child);
    for (size_t at = found->count - FOUND_WORDS; at > 0; at -= FOUND_WORDS) {
        uint32_t *words = found->items + at - FOUND_WORDS;
        if (heap_scan_order(db, access->table, access->key, version, words[0]) > 0)
            break;
        memcpy(words + FOUND_WORDS, words, FOUND_WORDS * sizeof(*words));
        words[0] = version;
        words[1] = is_child;
    }
}

/* Collects the children that are there when the check begins, in the order in which it will meet them; for SSI also
 * what it only meets. */
static enum step collect_children(struct db *db, size_t session, const struct access *access,
                                  const struct foreign_key *fk, const struct value *parent) {
    struct u32_list *found = &db->lists[session].work;
    uint16_t txn = db->sessions.items[session].txn;
    bool is_lazy = db->txns.items[txn].level == SQL_SERIALIZABLE && access->key >= 0;
    enum step step = is_lazy ? ssi_scan_begin(db, session, access)
                             : ssi_scan(db, session, access, true, NULL, 0);
    found->count = 0;
    for (uint16_t row = db->tables.items[access->table].first_row; row != 0;
         row = db->rows.items[row].next) {
        uint32_t seen = row_newest_committed(db, txn, row), met = seen;
        bool is_child = seen != 0 && !version_is_deleted(db, seen) &&
                        child_matches(db, fk, version_values(db, seen), parent);
        if (is_lazy)
            met = heap_version_met(db, &db->query.eval, access, row, seen);
        if (is_lazy ? met != 0 : is_child)
            found_add(db, found, access, met, is_child);
    }
    return step;
}

/* Takes hold of a child that was found as version `seen`. One that is deleted while it is waited for is a row changed
 * since the snapshot, as is one that the snapshot does not have. *child: 0 if it is none any more. */
static enum step hold_child(struct db *db, size_t session, const struct foreign_key *fk,
                            const struct value *parent, enum sql_lock lock, uint32_t seen,
                            uint32_t *child) {
    const struct txn *own = session_txn(db, session);
    struct snapshot snapshot = {.sequence = own->snapshot,
                                .txn = db->sessions.items[session].txn,
                                .command = COMMAND_ALL};
    *child = 0;
    uint32_t newest;
    enum row_hold hold = row_hold(db, session, seen, lock, SQL_WAIT, &newest);
    if (hold == ROW_STOPPED)
        return db_fail_eval(db);
    if (hold != ROW_HELD || !child_matches(db, fk, version_values(db, newest), parent))
        return STEP_OK;
    if (lock != SQL_LOCK_KEY_SHARE && txn_is_snapshot(own) &&
        !version_is_visible(db, &snapshot, seen)) {
        uint16_t table = db->rows.items[db->versions.items[seen].row].table;
        return db_fail(db, DB_ERROR_SERIALIZATION, "row in table %.*s",
                       STR_ARG(db_table(db, table)->name));
    }
    *child = newest;
    return STEP_OK;
}

/* The search meets the `i`-th of what was collected; once, though it may wait there. */
static enum step meet_found(struct db *db, size_t session, const struct access *access, size_t i,
                            uint32_t sequence) {
    const struct u32_list *found = &db->lists[session].work;
    uint32_t *met = &session_exec(db, session)->cursor[POSTGRES_CHECK_MARKED];
    if (access->key < 0 || i < *met)
        return STEP_OK;
    *met = (uint32_t)i + FOUND_WORDS;
    return ssi_scan_row(db, session, access, found->items[i], found->items[i + 1], sequence);
}

/* One after the other: the action has written the one before. */
enum step postgres_find_children(struct db *db, size_t session, uint16_t child_table,
                                 const struct foreign_key *fk, const struct value *values,
                                 enum sql_lock lock, struct u32_list *children) {
    uint32_t *cursor = session_exec(db, session)->cursor;
    struct u32_list *found = &db->lists[session].work;
    struct value keys[KEY_COLUMNS_MAX];
    pick_values(values, fk->parent_columns, fk->column_count, keys);
    struct access access = lookup_access(db, child_table, fk->columns, keys, fk->column_count);
    enum step step = STEP_OK;
    if (cursor[POSTGRES_CHECK_SNAPSHOT] == 0) {
        cursor[POSTGRES_CHECK_SNAPSHOT] = db->core.commits + 1;
        step = collect_children(db, session, &access, fk, values);
    }
    for (size_t i = 0; i < found->count && step == STEP_OK; i += FOUND_WORDS) {
        uint32_t seen = found->items[i], child;
        uint32_t newest = db->rows.items[db->versions.items[seen].row].newest;
        if (newest != seen && db->versions.items[newest].writer == db->sessions.items[session].txn)
            continue; /* written */
        step = meet_found(db, session, &access, i, cursor[POSTGRES_CHECK_SNAPSHOT] - 1);
        if (step != STEP_OK || !found->items[i + 1])
            continue;
        step = hold_child(db, session, fk, values, lock, seen, &child);
        if (step == STEP_OK && child != 0) {
            MVEC_PUSH(children, child);
            return STEP_OK;
        }
    }
    if (step == STEP_OK)
        cursor[POSTGRES_CHECK_SNAPSHOT] = cursor[POSTGRES_CHECK_MARKED] = 0;
    return step;
}
