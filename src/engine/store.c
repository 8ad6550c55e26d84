/* Rows, versions and who sees them. Chains are short and tables tiny, so everything here is a
 * plain walk. */
#include "engine/internal.h"

#include <stdlib.h>

/* Whether commits and own commands the snapshot covers include the writer's. */
bool version_is_visible(const struct db *db, const struct snapshot *snapshot, uint32_t version) {
    const struct version *v = &db->versions.items[version];
    if (v->writer == 0)
        return true;
    if (v->writer == snapshot->txn)
        return v->command < snapshot->command;
    const struct txn *writer = &db->txns.items[v->writer];
    return writer->status == TXN_COMMITTED && writer->committed <= snapshot->sequence;
}

uint32_t row_visible(const struct db *db, const struct snapshot *snapshot, uint16_t row) {
    uint32_t version = db->rows.items[row].newest;
    while (version != 0 && !version_is_visible(db, snapshot, version))
        version = db->versions.items[version].previous;
    return version;
}

uint32_t row_newest_committed(const struct db *db, uint16_t txn, uint16_t row) {
    struct snapshot all = {.sequence = SEQUENCE_ALL, .txn = txn, .command = COMMAND_ALL};
    return row_visible(db, &all, row);
}

uint16_t row_open_writer(const struct db *db, uint16_t txn, uint16_t row) {
    uint32_t version = db->rows.items[row].newest;
    if (version == 0)
        return 0;
    uint16_t writer = db->versions.items[version].writer;
    bool is_open = writer != 0 && writer != txn && db->txns.items[writer].status == TXN_ACTIVE;
    return is_open ? writer : 0;
}

/* Makes room for `count` more values; where `values` is afterwards, if it lay in the store
 * itself. */
static const struct value *values_reserve(struct db *db, const struct value *values, size_t count) {
    if (db->values.count + count <= db->values.capacity)
        return values;
    bool is_inside = db->values.items != NULL && values >= db->values.items &&
                     values < db->values.items + db->values.count;
    size_t offset = is_inside ? (size_t)(values - db->values.items) : 0;
    while (db->values.count + count > db->values.capacity)
        db->values.capacity = vec_capacity(db->values.capacity);
    db->values.items = mem_realloc(db->values.items, db->values.capacity * sizeof(struct value));
    return is_inside ? db->values.items + offset : values;
}

uint32_t txn_assign_xid(struct db *db, size_t session) {
    struct txn *txn = session_txn(db, session);
    uint32_t *xid = &txn->xid;
    *xid = *xid != 0 ? *xid : ++db->core.xid;
    for (size_t i = 0; i < db->savepoints.count; i++) {
        if (db->savepoints.items[i].session != session)
            continue;
        xid = &db->savepoints.items[i].xid;
        *xid = *xid != 0 ? *xid : ++db->core.xid;
    }
    return *xid;
}

/* Appends a version with a copy of `values`, or with the values of `previous` if NULL. */
static uint32_t version_add(struct db *db, size_t session, uint16_t row, uint32_t previous,
                            const struct value *values) {
    size_t columns = db_table(db, db->rows.items[row].table)->columns.count;
    struct version version = {.previous = previous, .row = row};
    if (values == NULL) {
        version.flags = VERSION_DELETED;
        version.values = db->versions.items[previous].values;
    } else {
        values = values_reserve(db, values, columns);
        version.values = (uint32_t)db->values.count;
        memcpy(db->values.items + db->values.count, values, columns * sizeof(struct value));
        db->values.count += columns;
    }
    if (!db->is_loading) {
        struct txn *txn = session_txn(db, session);
        version.writer = db->sessions.items[session].txn;
        version.command = txn->command;
        txn->write_count++;
        txn->flags |= TXN_WROTE;
        txn_assign_xid(db, session);
    }
    MVEC_PUSH(&db->versions, version);
    uint32_t number = (uint32_t)db->versions.count - 1;
    db->rows.items[row].newest = number;
    return number;
}

/* What every write leaves for the answer and for footprints. */
static void note_write(struct db *db, size_t session, uint32_t version) {
    struct db_ref ref = db_ref_of(db, version);
    struct version *v = &db->versions.items[version];
    ref.previous = v->previous;
    if (v->flags & VERSION_DELETED)
        ref.version = 0;
    MVEC_PUSH(&db->lists[session].writes, ref);
    uint64_t bit = table_bit(ref.table);
    session_exec(db, session)->footprint.writes |= bit;
    if (!db->is_loading)
        session_txn(db, session)->changed |= bit;
}

uint32_t row_insert(struct db *db, size_t session, uint16_t table, const struct value *values) {
    struct table_state *state = &db->tables.items[table];
    if (db->rows.count >= STORE_ROWS_MAX) {
        db_fail(db, DB_ERROR_LIMIT, "more than %d rows", STORE_ROWS_MAX);
        return 0;
    }
    struct row row = {.table = table, .number = state->row_count++};
    MVEC_PUSH(&db->rows, row);
    uint16_t index = (uint16_t)(db->rows.count - 1);
    if (state->first_row == 0)
        state->first_row = index;
    else
        db->rows.items[state->last_row].next = index;
    state->last_row = index;
    uint32_t version = version_add(db, session, index, 0, values);
    note_write(db, session, version);
    return version;
}

uint32_t row_update(struct db *db, size_t session, uint32_t old, const struct value *values) {
    uint16_t row = db->versions.items[old].row;
    LW_ASSERT(db->rows.items[row].newest == old);
    LW_ASSERT(!version_is_deleted(db, old) || values != NULL);
    uint32_t version = version_add(db, session, row, old, values);
    note_write(db, session, version);
    return version;
}

void row_note_unchanged(struct db *db, size_t session, uint32_t version) {
    struct db_ref ref = db_ref_of(db, version);
    ref.previous = version;
    MVEC_PUSH(&db->lists[session].writes, ref);
}

void versions_undo(struct db *db, uint16_t txn, uint32_t version_mark) {
    LW_ASSERT(txn != 0);
    struct txn *writer = &db->txns.items[txn];
    if (writer->write_count == 0)
        return;
    for (size_t i = db->versions.count; i-- > version_mark;) {
        struct version *version = &db->versions.items[i];
        if (version->writer != txn || (version->flags & VERSION_UNDONE))
            continue;
        struct row *row = &db->rows.items[version->row];
        LW_ASSERT(row->newest == i);
        if (db->policy->before_undo != NULL)
            db->policy->before_undo(db, (uint32_t)i);
        version = &db->versions.items[i];
        row->newest = version->previous;
        version->flags |= VERSION_UNDONE;
        if (--writer->write_count == 0)
            break;
    }
}

struct db_ref db_ref_of(const struct db *db, uint32_t version) {
    const struct version *v = &db->versions.items[version];
    const struct row *row = &db->rows.items[v->row];
    return (struct db_ref){.table = row->table, .row = row->number, .version = version};
}

const struct value *version_values_stable(struct db *db, uint32_t version) {
    const struct value *values = version_values(db, version);
    const struct exec *exec = session_exec(db, db->running);
    if (exec->stmt == NULL || exec->stmt->kind == SQL_STMT_SELECT || db->is_peeking)
        return values;
    const struct row *row = &db->rows.items[db->versions.items[version].row];
    size_t columns = db_table(db, row->table)->columns.count;
    return arena_copy(&db->scratch, values, columns * sizeof(struct value));
}

/* ---- reading versions from outside ---- */

struct value db_version_value(const struct db *db, uint32_t version, uint16_t column) {
    LW_ASSERT(version > 0 && version < db->versions.count);
    return version_values(db, version)[column];
}

int db_version_session(const struct db *db, uint32_t version) {
    LW_ASSERT(version > 0 && version < db->versions.count);
    uint16_t writer = db->versions.items[version].writer;
    return writer == 0 ? DB_NO_SESSION : db->txns.items[writer].session;
}

uint32_t db_version_previous(const struct db *db, uint32_t version) {
    LW_ASSERT(version > 0 && version < db->versions.count);
    return db->versions.items[version].previous;
}

/* The order db_visit_rows gives: by primary key, else by insertion. */
static bool row_is_before(const struct db *db, const struct table *table, uint32_t a, uint32_t b) {
    if (!table->has_primary_key)
        return false;
    return key_compare(&db->query.eval, &table->keys.items[0], version_values(db, a),
                       version_values(db, b)) < 0;
}

void db_visit_rows(const struct db *db, uint16_t table,
                   void (*visit)(void *context, const struct value *row), void *context) {
    enum { FEW = 64 };
    uint32_t few[FEW], *versions = few;
    const struct table_state *state = &db->tables.items[table];
    if (state->row_count > FEW)
        versions = mem_alloc(state->row_count * sizeof(*versions));
    size_t count = 0;
    for (uint16_t row = state->first_row; row != 0; row = db->rows.items[row].next) {
        uint32_t version = row_newest_committed(db, 0, row);
        if (version == 0 || version_is_deleted(db, version))
            continue;
        size_t at = count++;
        for (; at > 0 && row_is_before(db, db_table(db, table), version, versions[at - 1]); at--)
            versions[at] = versions[at - 1];
        versions[at] = version;
    }
    for (size_t i = 0; i < count; i++)
        visit(context, version_values(db, versions[i]));
    if (versions != few)
        free(versions);
}
