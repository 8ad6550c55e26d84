/* PostgreSQL. READ COMMITTED: a snapshot for each statement; a row found by it that was changed
 * since is locked in its newest version, which is looked at again (EvalPlanQual,
 * executor/README); nothing else is refreshed. REPEATABLE READ: one snapshot; the first updater
 * wins. SERIALIZABLE: the same and ssi.c.
 */
#include "engine/postgres.h"

#include "engine/exec.h"
#include "engine/query_group.h"

static enum step begin_statement(struct db *db, size_t session, const struct sql_stmt *stmt) {
    struct txn *txn = session_txn(db, session);
    struct exec *exec = session_exec(db, session);
    (void)stmt;
    exec->footprint.is_serializable = txn->level == SQL_SERIALIZABLE;
    if ((txn->flags & TXN_DEFERRABLE) && !(txn->flags & TXN_HAS_SNAPSHOT)) {
        exec->footprint.took_snapshot = true;
        enum step step = ssi_await_safe_snapshot(db, session);
        if (step != STEP_OK)
            return step;
    }
    exec->snapshot = (struct snapshot){.sequence = db->core.commits,
                                       .txn = db->sessions.items[session].txn,
                                       .command = txn->command};
    if (!txn_is_snapshot(txn))
        return STEP_OK;
    if (!(txn->flags & TXN_HAS_SNAPSHOT)) {
        txn->snapshot = db->core.commits;
        txn->flags |= TXN_HAS_SNAPSHOT;
        exec->footprint.took_snapshot = !(txn->flags & TXN_IMPLICIT);
    }
    exec->snapshot.sequence = txn->snapshot;
    return STEP_OK;
}

/* ---- scans ---- */

struct heap_scan {
    struct access access;
    uint32_t *versions;
    size_t count;
    bool is_lazy;      /* marks are set row by row, in next */
    bool is_first;     /* scan of the statement: what was marked before a wait is not marked again */
    bool is_sorted;    /* along an index, instead of ORDER BY */
    bool is_backwards; /* along the index */
};

uint32_t heap_chain_root(struct db *db, uint32_t version) {
    const struct table *table = db_table(db, db->rows.items[db->versions.items[version].row].table);
    for (;;) {
        uint32_t previous = db->versions.items[version].previous;
        if (previous == 0)
            return version;
        for (size_t k = 0; k < table->keys.count; k++)
            if (key_changes(&db->query.eval, &table->keys.items[k], version_values(db, previous),
                            version_values(db, version)))
                return version;
        version = previous;
    }
}

int heap_scan_order(struct db *db, uint16_t table, int key, uint32_t a, uint32_t b) {
    int order = 0;
    if (key >= 0) {
        const struct key *index = &db_table(db, table)->keys.items[key];
        order = key_compare(&db->query.eval, index, version_values(db, a), version_values(db, b));
        a = heap_chain_root(db, a);
        b = heap_chain_root(db, b);
    }
    return order != 0 ? order : (a > b) - (a < b);
}

/* Keeps the versions in the order of the scan. */
static void heap_scan_add(struct db *db, struct heap_scan *heap, uint32_t version) {
    const struct access *access = &heap->access;
    size_t at = heap->count++;
    for (; at > 0; at--) {
        uint32_t before = heap->versions[at - 1];
        int order = heap_scan_order(db, access->table, access->key, version, before);
        if (heap->is_backwards ? order < 0 : order > 0)
            break;
        heap->versions[at] = before;
    }
    heap->versions[at] = version;
}

/* Whether ORDER BY is the order of the key, or its reverse. */
static bool is_key_order(const struct query_scan *scan, const struct key *key) {
    if (key->where != NULL || scan->order_count > key->column_count)
        return false;
    for (size_t i = 0; i < scan->order_count; i++) {
        const struct sql_expr *expr = query_item_expr(scan->select, scan->order_by[i].expr);
        if (expr->kind != SQL_COLUMN || expr->depth != 0 || expr->source != scan->source ||
            expr->column != key->columns[i] ||
            scan->order_by[i].is_descending != scan->order_by[0].is_descending)
            return false;
    }
    return true;
}

/* What the planner does with ORDER BY of an index's columns on a table it knows nothing of: it
 * goes along the index if that saves sorting everything, or if LIMIT lets it stop early. */
static void choose_index_order(const struct db *db, const struct query_scan *scan,
                               struct heap_scan *heap) {
    const struct table *table = db_table(db, scan->table);
    if (heap->access.key >= 0 || scan->order_count == 0 || scan->select == NULL ||
        (scan->select->limit == NULL && scan->where != NULL))
        return;
    for (size_t k = 0; k < table->keys.count; k++) {
        if (!is_key_order(scan, &table->keys.items[k]))
            continue;
        heap->access.key = (int16_t)k;
        heap->access.range_count = 1;
        memset(&heap->access.ranges[0], 0, sizeof(heap->access.ranges[0]));
        heap->is_sorted = true;
        heap->is_backwards = scan->order_by[0].is_descending;
        return;
    }
}

uint32_t heap_version_met(struct db *db, struct eval *eval, const struct access *access,
                          uint16_t row, uint32_t seen) {
    uint32_t met = 0;
    if (seen != 0 && access_has(eval, access, version_values(db, seen)))
        return seen;
    for (uint32_t v = db->rows.items[row].newest; v != seen && v != 0;
         v = db->versions.items[v].previous)
        if (access_has(eval, access, version_values(db, v)))
            met = v;
    return met;
}

/* Collects the rows the snapshot sees; of a lazy scan also the others, to be met on the way. */
static void heap_scan_fill(struct db *db, struct eval *eval, struct heap_scan *heap) {
    const struct table_state *table = &db->tables.items[heap->access.table];
    const struct snapshot *snapshot = &session_exec(db, db->running)->snapshot;
    heap->versions = ARENA_ARRAY(&db->scratch, uint32_t, table->row_count);
    for (uint16_t row = table->first_row; row != 0; row = db->rows.items[row].next) {
        uint32_t version = row_visible(db, snapshot, row);
        if (heap->is_lazy)
            version = heap_version_met(db, eval, &heap->access, row, version);
        else if (version != 0 && (version_is_deleted(db, version) ||
                                  !access_has(eval, &heap->access, version_values(db, version))))
            version = 0;
        if (version != 0)
            heap_scan_add(db, heap, version);
    }
}

static bool scan_mark(struct db *db, size_t session, struct heap_scan *heap) {
    uint32_t *marked = &session_exec(db, session)->cursor[POSTGRES_MARKED];
    if (heap->is_first && *marked > 0)
        return true;
    if (heap->is_first)
        *marked = 1;
    if (heap->is_lazy)
        return ssi_scan_begin(db, session, &heap->access) == STEP_OK;
    return ssi_scan(db, session, &heap->access, false, heap->versions, heap->count) == STEP_OK;
}

static bool scan_open(void *context, struct eval *eval, struct query_scan *scan) {
    struct db *db = context;
    size_t session = db->running;
    bool is_serializable = false;
    struct heap_scan *heap = ARENA_NEW(&db->scratch, struct heap_scan);
    heap->access.table = scan->table;
    heap->access.key = -1;
    scan->state = heap;
    if (!db->is_peeking) {
        unsigned mode = scan->is_target               ? ROW_EXCLUSIVE
                        : scan->lock != SQL_LOCK_NONE ? ROW_SHARE
                                                      : ACCESS_SHARE;
        session_exec(db, session)->footprint.reads |= table_bit(scan->table);
        if (table_use(db, session, scan->table, mode) != STEP_OK)
            return false;
        is_serializable = session_txn(db, session)->level == SQL_SERIALIZABLE;
        /* Which rows a plain read finds doesn't hang on the way to them; which it locks or marks
         * does. */
        if ((is_serializable || mode != ACCESS_SHARE) && !access_choose(eval, scan, &heap->access))
            return false;
    }
    if (is_serializable)
        choose_index_order(db, scan, heap);
    heap->is_lazy = is_serializable && heap->access.key >= 0 && !heap->access.is_empty;
    heap->is_first = ++db->scan_count == 1;
    heap_scan_fill(db, eval, heap);
    scan->is_sorted = heap->is_sorted;
    return !is_serializable || scan_mark(db, session, heap);
}

static enum row_step scan_next(void *context, struct eval *eval, struct query_scan *scan) {
    struct db *db = context;
    const struct heap_scan *heap = scan->state;
    (void)eval;
    while (scan->place < heap->count) {
        uint32_t version = heap->versions[scan->place++];
        if (heap->is_lazy) {
            struct exec *exec = session_exec(db, db->running);
            uint32_t *marked = &exec->cursor[POSTGRES_MARKED];
            bool is_visible = version_is_visible(db, &exec->snapshot, version) &&
                              !version_is_deleted(db, version);
            bool is_marked = heap->is_first && scan->place < *marked;
            if (heap->is_first && !is_marked)
                *marked = (uint32_t)scan->place + 1;
            if (!is_marked && ssi_scan_row(db, db->running, &heap->access, version, is_visible,
                                           exec->snapshot.sequence) != STEP_OK)
                return ROW_STOP;
            if (!is_visible)
                continue;
        }
        scan->values = version_values_stable(db, version);
        scan->ref = db_ref_of(db, version);
        return ROW_FOUND;
    }
    return ROW_END;
}

/* ---- locking what was found ---- */

/* Locks source `source` of the tuple and puts its newest version there. */
static enum tuple_step tuple_hold(struct db *db, struct query_tuple *tuple, size_t source,
                                  enum sql_lock mode, enum sql_lock_wait wait) {
    uint32_t newest, seen = tuple->refs[source].version;
    switch (row_hold(db, db->running, seen, mode, wait, &newest)) {
    case ROW_HELD:
        if (newest == seen)
            return TUPLE_KEEP;
        tuple->rows[source] = version_values_stable(db, newest);
        tuple->refs[source] = db_ref_of(db, newest);
        return TUPLE_RECHECK;
    case ROW_GONE:
    case ROW_SKIPPED:
        return TUPLE_DROP;
    case ROW_STOPPED:
        return TUPLE_STOP;
    }
    LW_UNREACHABLE();
}

/* What was skipped before the statement waited stays skipped, though it may be free now: lists.work has a word for each row met. */
static enum tuple_step hold_or_skip(struct db *db, struct query_tuple *tuple, size_t source,
                                    enum sql_lock mode) {
    struct u32_list *skipped = &db->lists[db->running].work;
    uint32_t at = db->skip_count++;
    if (at < skipped->count && skipped->items[at])
        return TUPLE_DROP;
    enum tuple_step step = tuple_hold(db, tuple, source, mode, SQL_SKIP_LOCKED);
    if (step != TUPLE_STOP && at == skipped->count)
        MVEC_PUSH(skipped, step == TUPLE_DROP);
    return step;
}

/* LockRows: after ORDER BY, before LIMIT. */
static enum tuple_step lock_tuple(void *context, struct eval *eval, const struct sql_select *select,
                                  struct query_tuple *tuple) {
    struct db *db = context;
    enum tuple_step result = TUPLE_KEEP;
    (void)eval;
    if (db->is_peeking)
        return TUPLE_KEEP;
    for (size_t i = 0; i < select->sources.count; i++) {
        if (!(select->lock_sources & (1u << i)) || tuple->refs[i].version == 0)
            continue;
        enum tuple_step step = select->lock_wait == SQL_SKIP_LOCKED
                                   ? hold_or_skip(db, tuple, i, select->lock)
                                   : tuple_hold(db, tuple, i, select->lock, select->lock_wait);
        if (step == TUPLE_DROP || step == TUPLE_STOP)
            return step;
        if (step == TUPLE_RECHECK)
            result = TUPLE_RECHECK;
    }
    return result;
}

static bool is_key_column(const struct table *table, uint16_t column) {
    for (size_t k = 0; k < table->keys.count; k++) {
        const struct key *key = &table->keys.items[k];
        if (!key->is_unique || key->where != NULL)
            continue;
        for (size_t i = 0; i < key->column_count; i++)
            if (key->columns[i] == column)
                return true;
    }
    return false;
}

/* How strongly an UPDATE locks: as FOR UPDATE only if it really changes a column of a unique key.
 */
static bool update_mode(struct db *db, const struct sql_update *update, const struct value *old,
                        enum sql_lock *mode) {
    const struct table *table = db_table(db, update->target.table_index);
    struct eval *eval = &db->query.eval;
    *mode = SQL_LOCK_NO_KEY_UPDATE;
    for (size_t i = 0; i < update->set.count; i++) {
        const struct sql_assignment *set = &update->set.items[i];
        if (!is_key_column(table, set->column_index))
            continue;
        struct value value;
        const struct column *column = &table->columns.items[set->column_index];
        if (set->value->kind == SQL_DEFAULT && column->is_serial) {
            *mode = SQL_LOCK_UPDATE; /* a number that no row has */
            continue;
        }
        bool ok = set->value->kind == SQL_DEFAULT ? eval_default(eval, column, &value)
                                                  : eval_expr(eval, set->value, &value);
        if (!ok || !eval_store(eval, column, value, &value))
            return false;
        if (!value_equal(eval->pool, value, old[set->column_index]))
            *mode = SQL_LOCK_UPDATE;
    }
    return true;
}

/* An UPDATE or DELETE that came too late for its snapshot says whether the row was deleted. */
static void note_deleted(struct db *db, uint32_t seen) {
    uint32_t next = 0;
    for (uint32_t v = db->rows.items[db->versions.items[seen].row].newest; v != seen && v != 0;
         v = db->versions.items[v].previous)
        next = v;
    if (db->error != DB_ERROR_SERIALIZATION || next == 0 || !version_is_deleted(db, next))
        return;
    struct str name = db_table(db, db->rows.items[db->versions.items[seen].row].table)->name;
    db_fail(db, DB_ERROR_SERIALIZATION, "row in table %.*s, deleted", STR_ARG(name));
}

/* An UPDATE checks the row it makes of the version that it found before it meets whoever has the row now. */
static bool check_early(struct db *db, size_t session, const struct sql_update *update,
                        const struct query_tuple *tuple, enum sql_lock mode) {
    uint16_t row = db->versions.items[tuple->refs[0].version].row;
    const struct value *values;
    if (db->rows.items[row].newest == tuple->refs[0].version &&
        !row_is_held(db, session, row, mode))
        return true; /* it will be checked when it is written */
    uint8_t generated = db->sessions.items[session].generated;
    bool ok = row_assign(db, tuple->refs[0].table, update->set.items, update->set.count,
                         tuple->rows[0], &values) == STEP_OK &&
              row_check(db, tuple->refs[0].table, values) == STEP_OK;
    db->sessions.items[session].generated = generated;
    return ok;
}

static enum tuple_step lock_target(struct db *db, size_t session, struct query *query,
                                   const struct query_change *change, struct query_tuple *tuple) {
    const struct sql_stmt *stmt = session_exec(db, session)->stmt;
    enum sql_lock mode = SQL_LOCK_UPDATE;
    bool holds = true;
    if (stmt->kind == SQL_STMT_UPDATE &&
        (!update_mode(db, stmt->update, tuple->rows[0], &mode) ||
         !check_early(db, session, stmt->update, tuple, mode)))
        return TUPLE_STOP;
    enum tuple_step step = tuple_hold(db, tuple, 0, mode, SQL_WAIT);
    if (step == TUPLE_STOP)
        note_deleted(db, tuple->refs[0].version);
    if (step != TUPLE_RECHECK)
        return step;
    if (!query_recheck(query, change, tuple, &holds))
        return TUPLE_STOP;
    return holds ? TUPLE_KEEP : TUPLE_DROP;
}

/* ---- unique keys ---- */

/* Whether the version is in the index of `key` with the key of `values`. */
static bool version_has_key(struct db *db, uint32_t version, const struct key *key,
                            const struct value *values, bool *has) {
    struct eval *eval = &db->query.eval;
    const struct value *own = version_values(db, version);
    *has = false;
    if (version_is_deleted(db, version) || !key_equal(eval, key, own, values))
        return true;
    return key_covers(eval, key, own, has);
}

/* A row on its way into key `index` of its table. */
struct entry {
    const struct new_row *row;
    int index;
    uint16_t own; /* the row that an UPDATE replaces; 0: none */
    bool is_entering; /* else it is only looked for */
};

/* Waits for transaction `txn`, or for the undoing of what it did after savepoint `number`. The row itself is there
 * already in PostgreSQL, and in the indexes before this one. */
static enum step entry_wait(struct db *db, size_t session, const struct entry *entry, uint16_t txn,
                            uint32_t number) {
    struct wait wait = {.kind = WAIT_TXN,
                        .txn = txn,
                        .number = number,
                        .row = entry->own,
                        .table = entry->row->table,
                        .mode = (uint8_t)entry->index,
                        .has_entered = entry->is_entering && entry->own == 0};
    return session_wait(db, session, &wait);
}

static enum step wait_for_session(struct db *db, size_t session, const struct entry *entry,
                                  size_t other) {
    return entry_wait(db, session, entry, db->sessions.items[other].txn,
                      savepoint_innermost_number(db, other));
}

/* An UPDATE that waits for a key has replaced the row's version already. */
static enum step wait_for_updater(struct db *db, size_t session, const struct entry *entry,
                                  uint16_t row) {
    for (size_t s = 0; s < db->session_count; s++) {
        const struct wait *wait = &db->sessions.items[s].wait;
        if (s != session && wait->kind == WAIT_TXN && wait->row == row)
            return wait_for_session(db, session, entry, s);
    }
    return STEP_OK;
}

/* An INSERT that waits for a key is in those before it already. */
static enum step wait_for_inserter(struct db *db, size_t session, const struct entry *entry) {
    const struct key *key = &db_table(db, entry->row->table)->keys.items[entry->index];
    for (size_t s = 0; s < db->session_count; s++) {
        const struct wait *wait = &db->sessions.items[s].wait;
        if (s == session || wait->kind != WAIT_TXN || !wait->has_entered ||
            wait->table != entry->row->table || entry->index >= wait->mode ||
            !key_equal(&db->query.eval, key, db->lists[s].row.items, entry->row->values))
            continue;
        return wait_for_session(db, session, entry, s);
    }
    return STEP_OK;
}

/* Looks whether `row` has the key; waits while that hangs on an open transaction. *found: its
 * version, or 0. */
static enum step probe_row(struct db *db, size_t session, uint16_t row, const struct entry *entry,
                           uint32_t *found) {
    uint16_t txn = db->sessions.items[session].txn;
    const struct key *key = &db_table(db, entry->row->table)->keys.items[entry->index];
    *found = 0;
    for (;;) {
        uint16_t writer = row_open_writer(db, txn, row);
        uint32_t version = db->rows.items[row].newest, newer = version;
        bool has = false;
        /* With an open writer, what it wrote and what was there before it both count. */
        while (version != 0) {
            if (!version_has_key(db, version, key, entry->row->values, &has))
                return db_fail_eval(db);
            if (has || writer == 0 || db->versions.items[version].writer != writer)
                break;
            newer = version;
            version = db->versions.items[version].previous;
        }
        if (!has)
            return STEP_OK;
        if (writer == 0) {
            *found = version;
            return wait_for_updater(db, session, entry, row);
        }
        bool is_new = db->versions.items[version].writer == writer;
        enum step step = entry_wait(db, session, entry, writer,
                                    savepoint_of_version(db, is_new ? version : newer));
        if (step != STEP_OK)
            return step;
    }
}

static enum step check_key(struct db *db, size_t session, const struct new_row *row, int index,
                           bool is_entering, struct duplicate *duplicate) {
    struct eval *eval = &db->query.eval;
    const struct key *key = &db_table(db, row->table)->keys.items[index];
    bool covers;
    if (!key_covers(eval, key, row->values, &covers))
        return db_fail_eval(db);
    if (!covers)
        return STEP_OK;
    if (row->old != 0) {
        const struct value *old = version_values(db, row->old);
        if (!key_covers(eval, key, old, &covers))
            return db_fail_eval(db);
        if (covers && !key_changes(eval, key, old, row->values))
            return STEP_OK;
    }
    uint16_t own = row->old != 0 ? db->versions.items[row->old].row : 0;
    const struct entry entry = {row, index, own, is_entering};
    for (uint16_t r = db->tables.items[row->table].first_row; r != 0; r = db->rows.items[r].next) {
        uint32_t found;
        if (r == own)
            continue;
        enum step step = probe_row(db, session, r, &entry, &found);
        if (step != STEP_OK)
            return step;
        if (found != 0) {
            *duplicate = (struct duplicate){.key = index, .version = found};
            return STEP_OK;
        }
    }
    return wait_for_inserter(db, session, &entry);
}

/* A row goes into its keys one by one. Where it waited for one, it is in those before already (`*entered`: that key's number
 * and one). */
static enum step enter_keys(struct db *db, size_t session, const struct new_row *row, int only_key,
                            uint32_t *entered, struct duplicate *duplicate) {
    const struct table *table = db_table(db, row->table);
    size_t first = *entered > 0 ? *entered - 1 : 0;
    enum step step = ssi_write_heap(db, session, row);
    for (size_t i = first; i < table->keys.count && step == STEP_OK; i++) {
        if (only_key >= 0 && (size_t)only_key != i)
            continue;
        *entered = (uint32_t)i + 1;
        if (table->keys.items[i].is_unique)
            step = check_key(db, session, row, (int)i, true, duplicate);
        /* Somebody read the key's absence: that says more than the duplicate. */
        if (step == STEP_OK && duplicate->key >= 0)
            return ssi_write_key(db, session, row->table, i);
        if (step == STEP_OK)
            step = ssi_write_entry(db, session, row, i);
    }
    return step;
}

/* ON CONFLICT looks at its keys first, and writes nothing before that. */
static enum step look_for_conflict(struct db *db, size_t session, const struct new_row *row,
                                   int only_key, struct duplicate *duplicate) {
    const struct table *table = db_table(db, row->table);
    enum step step = STEP_OK;
    for (size_t i = 0; i < table->keys.count && step == STEP_OK && duplicate->key < 0; i++)
        if ((only_key < 0 || (size_t)only_key == i) && table->keys.items[i].is_unique)
            step = check_key(db, session, row, (int)i, false, duplicate);
    return step;
}

static bool has_conflict_clause(const struct db *db, size_t session) {
    const struct sql_stmt *stmt = session_exec(db, session)->stmt;
    return stmt->kind == SQL_STMT_INSERT && stmt->insert->conflict != SQL_CONFLICT_ERROR;
}

static enum step check_keys(struct db *db, size_t session, const struct new_row *row, int only_key,
                            struct duplicate *duplicate) {
    const struct sql_stmt *stmt = session_exec(db, session)->stmt;
    uint32_t *cursor = session_exec(db, session)->cursor;
    bool has_conflict = has_conflict_clause(db, session);
    enum step step = table_use(db, session, row->table, ROW_EXCLUSIVE);
    if (step != STEP_OK)
        return step;
    if (cursor[POSTGRES_CONFLICT] != 0) {
        *duplicate = (struct duplicate){.key = 0, .version = cursor[POSTGRES_CONFLICT]};
        return STEP_OK;
    }
    if (has_conflict && (only_key >= 0 || stmt->insert->conflict_key < 0))
        return look_for_conflict(db, session, row, only_key, duplicate);
    uint32_t anew = 0, *entered = has_conflict ? &anew : &cursor[POSTGRES_ENTERED];
    step = enter_keys(db, session, row, only_key, entered, duplicate);
    if (step != STEP_WAIT)
        *entered = 0;
    return step;
}

static enum step lock_duplicate(struct db *db, size_t session, uint32_t found, uint32_t *version) {
    const struct exec *exec = session_exec(db, session);
    const struct sql_insert *insert = exec->stmt->insert;
    const struct version *v = &db->versions.items[found];
    bool is_own = v->writer == exec->snapshot.txn;
    struct str name = db_table(db, insert->table_index)->name;
    if (txn_is_snapshot(session_txn(db, session)) && !is_own &&
        !version_is_visible(db, &exec->snapshot, found))
        return db_fail(db, DB_ERROR_SERIALIZATION, "row in table %.*s", STR_ARG(name));
    if (version == NULL)
        return STEP_OK;
    if (is_own && v->command == exec->snapshot.command)
        return db_fail(db, DB_ERROR_CARDINALITY, "%s", "ON CONFLICT would update a row twice");
    enum sql_lock mode = SQL_LOCK_NO_KEY_UPDATE;
    for (size_t i = 0; i < insert->conflict_set.count; i++)
        if (is_key_column(db_table(db, insert->table_index),
                          insert->conflict_set.items[i].column_index))
            mode = SQL_LOCK_UPDATE;
    uint32_t newest = 0;
    enum row_hold hold = row_hold(db, session, found, mode, SQL_WAIT, &newest);
    bool waits = db->sessions.items[session].wait.kind != WAIT_NOTHING;
    session_exec(db, session)->cursor[POSTGRES_CONFLICT] = waits ? found : 0;
    if (hold == ROW_STOPPED)
        return db_fail_eval(db);
    *version = hold == ROW_HELD && newest == found ? found : 0;
    return STEP_OK;
}

static enum step before_write(struct db *db, size_t session, const struct new_row *row,
                              bool *skip) {
    bool has_entered = row->values != NULL && !has_conflict_clause(db, session);
    *skip = false;
    return has_entered ? STEP_OK : ssi_write(db, session, row); /* else enter_keys did so */
}

static enum step after_write(struct db *db, size_t session, uint32_t version) {
    struct version *v = &db->versions.items[version];
    if (v->previous != 0 && row_is_key_locked(db, db->sessions.items[session].txn, v->row))
        v->flags |= VERSION_KEY_STRENGTH;
    return STEP_OK;
}

/* ---- ends and waits ---- */

static void after_undo(struct db *db, uint16_t txn, uint32_t lock_mark, bool is_savepoint) {
    (void)is_savepoint;
    locks_release(db, txn, lock_mark);
}

static uint32_t blockers(const struct db *db, size_t session) {
    const struct wait *wait = &db->sessions.items[session].wait;
    if (wait->kind == WAIT_POLICY)
        return ssi_snapshot_blockers(db, session);
    LW_ASSERT(wait->kind == WAIT_LOCK);
    if (wait->lock_kind == LOCK_TABLE)
        return table_lock_blockers(db, session, wait->table, wait->mode);
    uint32_t ahead = row_queue_ahead(db, session);
    return ahead != 0 ? ahead : wait_holder(db, wait);
}

/* Whose deadlock_timeout runs out first with the cycle closed: who closed it, all having begun to
 * wait before. */
static int deadlock_victim(const struct db *db, size_t session, uint32_t cycle) {
    (void)db;
    LW_ASSERT(cycle & (1u << session));
    return (int)session;
}

const struct policy policy_postgresql = {
    .begin_statement = begin_statement,
    .source = {.open = scan_open, .next = scan_next, .lock = lock_tuple},
    .lock_target = lock_target,
    .check_keys = check_keys,
    .lock_duplicate = lock_duplicate,
    .before_write = before_write,
    .after_write = after_write,
    .check_parent = postgres_check_parent,
    .look_for_key = postgres_look_for_key,
    .find_children = postgres_find_children,
    .finds_child_by_child = true,
    .before_commit = ssi_before_commit,
    .after_end = ssi_after_end,
    .after_undo = after_undo,
    .has_failed_state = true,
    .lock_table = table_lock,
    .blockers = blockers,
    .is_raced = row_queue_is_raced,
    .deadlock_victim = deadlock_victim,
};
