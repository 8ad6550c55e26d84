/* Serializable snapshot isolation as PostgreSQL does it (README-SSI; Cahill et al. 2008; Ports
 * and Grittner, VLDB 2012).
 *
 * Every serializable transaction leaves SIREAD marks on what it read: rows, the one heap page of
 * our tiny tables once more than PAGE_ROWS_MAX rows of it are marked, the one leaf page of an
 * index it went through, or the whole relation after a sequential scan. A concurrent write of
 * something marked, or a read that meets a version of a concurrent writer, is an edge reader ->
 * writer. An edge in and an edge out of one transaction, the one going out leading to the first
 * of the three to commit, is a dangerous structure, and one of the three is cancelled.
 */
#include "engine/postgres.h"

enum mark_kind { MARK_ROW, MARK_HEAP_PAGE, MARK_INDEX_PAGE, MARK_RELATION };

/* max_pred_locks_per_page: more rows than this of one page are marked as the page. */
enum { PAGE_ROWS_MAX = 2 };

static bool is_serializable(const struct db *db, uint16_t txn) {
    return txn != 0 && db->txns.items[txn].level == SQL_SERIALIZABLE;
}

static bool is_committed(const struct txn *txn) {
    return txn->status == TXN_COMMITTED;
}

/* It can't fail any more: it counts as committed from then on, but for what it lets others see. */
static bool is_prepared(const struct txn *txn) {
    return is_committed(txn) || (txn->flags & TXN_PREPARED) != 0;
}

static enum step fail_pivot(struct db *db, const char *when) {
    return db_fail(db, DB_ERROR_SERIALIZATION, "read/write dependencies, %s", when);
}

/* ---- edges ---- */

static bool edge_has(const struct db *db, uint16_t reader, uint16_t writer) {
    for (size_t i = 0; i < db->edges.count; i++)
        if (db->edges.items[i].reader == reader && db->edges.items[i].writer == writer)
            return true;
    return false;
}

/* R -> W -> T2, T2 committed before both others, and before R's snapshot if R only reads. */
static bool writer_is_pivot(const struct db *db, uint16_t reader, uint16_t writer) {
    const struct txn *r = &db->txns.items[reader], *w = &db->txns.items[writer];
    if (is_committed(w) && w->out_committed != SEQUENCE_ALL)
        return true;
    for (size_t i = 0; i < db->edges.count; i++) {
        if (db->edges.items[i].reader != writer)
            continue;
        const struct txn *t2 = &db->txns.items[db->edges.items[i].writer];
        if (is_prepared(t2) && (!is_committed(r) || t2->prepared <= r->committed) &&
            (!is_committed(w) || t2->prepared <= w->committed) &&
            (!(r->flags & TXN_READ_ONLY) || t2->prepared <= r->snapshot))
            return true;
    }
    return false;
}

/* T0 -> R -> W, W committed, and before T0. */
static bool reader_is_pivot(const struct db *db, uint16_t reader, uint16_t writer) {
    const struct txn *r = &db->txns.items[reader], *w = &db->txns.items[writer];
    if (!is_prepared(w) || (r->flags & TXN_READ_ONLY))
        return false;
    for (size_t i = 0; i < db->edges.count; i++) {
        if (db->edges.items[i].writer != reader)
            continue;
        const struct txn *t0 = &db->txns.items[db->edges.items[i].reader];
        if (!(t0->flags & TXN_DOOMED) && (!is_committed(t0) || t0->committed >= w->prepared) &&
            (!(t0->flags & TXN_READ_ONLY) || t0->snapshot >= w->prepared))
            return true;
    }
    return false;
}

/* Adds the edge, of which `self` is one end. If it closes a dangerous structure the writer goes,
 * unless it has committed: then the reader does. */
static enum step edge_add(struct db *db, uint16_t self, uint16_t reader, uint16_t writer) {
    if (edge_has(db, reader, writer))
        return STEP_OK;
    if (writer_is_pivot(db, reader, writer) || reader_is_pivot(db, reader, writer)) {
        if (self == writer)
            return fail_pivot(db, "as a pivot, during write");
        if (is_prepared(&db->txns.items[writer]))
            return fail_pivot(db, "out to a pivot, during read");
        db->txns.items[writer].flags |= TXN_DOOMED;
    }
    MVEC_PUSH(&db->edges, (struct edge){.reader = reader, .writer = writer});
    return STEP_OK;
}

/* ---- marks ---- */

static bool mark_has(const struct db *db, const struct mark *mark) {
    for (size_t i = 0; i < db->marks.count; i++) {
        const struct mark *m = &db->marks.items[i];
        if (m->txn == mark->txn && m->kind == mark->kind && m->table == mark->table &&
            m->key == mark->key && m->version == mark->version)
            return true;
    }
    return false;
}

/* Takes away the finer marks of the table that one on a page or the relation covers (DeleteChildTargetLocks). */
static void unmark_finer(struct db *db, const struct mark *mark) {
    size_t kept = 0;
    for (size_t i = 0; i < db->marks.count; i++) {
        const struct mark *m = &db->marks.items[i];
        bool is_finer = m->kind == MARK_ROW || (m->kind == MARK_HEAP_PAGE && mark->kind == MARK_RELATION);
        if (m->txn != mark->txn || m->table != mark->table || !is_finer)
            db->marks.items[kept++] = *m;
    }
    db->marks.count = kept;
}

static void mark_add(struct db *db, uint16_t txn, enum mark_kind kind, uint16_t table, uint8_t key,
                     uint32_t version) {
    struct mark mark = {
        .txn = txn, .table = table, .kind = (uint8_t)kind, .key = key, .version = version};
    if (mark_has(db, &mark))
        return;
    if (kind == MARK_HEAP_PAGE || kind == MARK_RELATION)
        unmark_finer(db, &mark);
    MVEC_PUSH(&db->marks, mark);
}

static void mark_row(struct db *db, uint16_t txn, uint16_t table, uint32_t version) {
    if (db->versions.items[version].writer == txn)
        return;
    struct mark relation = {.txn = txn, .table = table, .kind = MARK_RELATION};
    struct mark page = {.txn = txn, .table = table, .kind = MARK_HEAP_PAGE};
    if (mark_has(db, &relation) || mark_has(db, &page))
        return;
    mark_add(db, txn, MARK_ROW, table, 0, version);
    size_t rows = 0;
    for (size_t i = 0; i < db->marks.count; i++) {
        const struct mark *m = &db->marks.items[i];
        rows += m->txn == txn && m->kind == MARK_ROW && m->table == table;
    }
    if (rows > PAGE_ROWS_MAX)
        mark_add(db, txn, MARK_HEAP_PAGE, table, 0, 0);
}

/* Who writes a row needs no mark on it any more. Within a savepoint he keeps it: the write may be undone. */
static void unmark_row(struct db *db, uint16_t txn, uint32_t version) {
    size_t kept = 0;
    for (size_t i = 0; i < db->marks.count; i++) {
        const struct mark *m = &db->marks.items[i];
        if (m->txn != txn || m->kind != MARK_ROW || m->version != version)
            db->marks.items[kept++] = *m;
    }
    db->marks.count = kept;
}

/* ---- reading ---- */

/* The reader met a version of `writer` that its snapshot does not have. */
static enum step meet_writer(struct db *db, uint16_t reader, uint16_t writer) {
    const struct txn *r = &db->txns.items[reader], *w = &db->txns.items[writer];
    if (writer == reader || !is_serializable(db, writer) || (w->flags & TXN_DOOMED))
        return STEP_OK;
    if (is_committed(w) && w->committed <= r->snapshot)
        return STEP_OK;
    if ((r->flags & TXN_READ_ONLY) && is_committed(w) &&
        (w->out_committed == SEQUENCE_ALL || r->snapshot < w->out_committed))
        return STEP_OK;
    return edge_add(db, reader, reader, writer);
}

/* Who is doomed learns of it where it looks at a row: not by a scan that finds none. */
static enum step look_at_row(struct db *db, uint16_t reader) {
    if (db->txns.items[reader].flags & TXN_DOOMED)
        return fail_pivot(db, "during conflict out checking");
    return STEP_OK;
}

/* What is dead is looked at, too. */
static enum step look_at_dead(struct db *db, uint16_t reader, const struct access *access) {
    if (!(db->txns.items[reader].flags & TXN_DOOMED))
        return STEP_OK;
    for (size_t v = 1; v < db->versions.count; v++)
        if (db->rows.items[db->versions.items[v].row].table == access->table &&
            (access->key < 0 ||
             access_has(&db->query.eval, access, version_values(db, (uint32_t)v))))
            return look_at_row(db, reader);
    return STEP_OK;
}

static uint32_t version_after(const struct db *db, uint16_t row, uint32_t version) {
    uint32_t v = db->rows.items[row].newest;
    while (v != 0 && v != version && db->versions.items[v].previous != version)
        v = db->versions.items[v].previous;
    return v == version ? 0 : v;
}

/* Whether a scan meets who made `version`, which is newer than `seen` (0: none): as the one that has taken `seen`'s place, or as
 * a tuple that it looks at. An index leads to a chain of HOT updates, which is followed up to the version seen. */
static bool meets_version(struct db *db, const struct access *access, uint32_t seen, bool is_seen,
                          uint32_t version) {
    if (seen != 0 && db->versions.items[version].previous == seen &&
        (is_seen || access->key < 0))
        return true;
    if (version_is_deleted(db, version))
        return false;
    if (access->key < 0)
        return true;
    return access_has(&db->query.eval, access, version_values(db, version)) &&
           (!is_seen || heap_chain_root(db, version) != heap_chain_root(db, seen));
}

/* One row under a scan. A sequential scan looks at every version. */
static enum step scan_row(struct db *db, const struct snapshot *snapshot,
                          const struct access *access, uint16_t row) {
    struct eval *eval = &db->query.eval;
    uint32_t seen = row_visible(db, snapshot, row);
    bool is_seen = seen != 0 && access_has(eval, access, version_values(db, seen));
    enum step step = access->key < 0 || is_seen ? look_at_row(db, snapshot->txn) : STEP_OK;
    /* A foreign key's trigger sees what is newer than the transaction's snapshot, and so what that replaced. */
    bool is_latest = snapshot->sequence > db->txns.items[snapshot->txn].snapshot;
    for (uint32_t v = seen == 0 ? 0 : db->versions.items[seen].previous;
         v != 0 && is_latest && step == STEP_OK; v = db->versions.items[v].previous)
        if (access->key < 0 || access_has(eval, access, version_values(db, v)))
            step = meet_writer(db, snapshot->txn, db->versions.items[v].writer);
    for (uint32_t v = version_after(db, row, seen); v != 0 && step == STEP_OK;
         v = version_after(db, row, v)) {
        if (!meets_version(db, access, seen, is_seen, v))
            continue;
        step = look_at_row(db, snapshot->txn);
        if (step == STEP_OK)
            step = meet_writer(db, snapshot->txn, db->versions.items[v].writer);
    }
    return step;
}

/* A row that waits for a key is in the heap and in the keys before that one already; one that is replaced has its mark. */
static enum step meet_entering(struct db *db, size_t session, const struct access *access) {
    struct eval *eval = &db->query.eval;
    enum step step = STEP_OK;
    for (size_t s = 0; s < db->session_count && step == STEP_OK; s++) {
        const struct wait *wait = &db->sessions.items[s].wait;
        if (s == session || wait->kind != WAIT_TXN || wait->table != access->table ||
            (!wait->has_entered && wait->row == 0))
            continue;
        bool is_met = access->key < 0;
        if (!is_met && wait->has_entered)
            is_met = access->key < wait->mode && access_has(eval, access, db->lists[s].row.items);
        else if (!is_met)
            is_met = access_has(eval, access,
                                version_values(db, db->rows.items[wait->row].newest));
        if (is_met)
            step = meet_writer(db, db->sessions.items[session].txn, db->sessions.items[s].txn);
    }
    return step;
}

enum step ssi_scan_begin(struct db *db, size_t session, const struct access *access) {
    uint16_t txn = db->sessions.items[session].txn;
    if (!is_serializable(db, txn))
        return STEP_OK;
    if (access->key < 0)
        mark_add(db, txn, MARK_RELATION, access->table, 0, 0);
    else
        mark_add(db, txn, MARK_INDEX_PAGE, access->table, (uint8_t)access->key, 0);
    enum step step = look_at_dead(db, txn, access);
    return step == STEP_OK ? meet_entering(db, session, access) : step;
}

enum step ssi_scan_row(struct db *db, size_t session, const struct access *access, uint32_t version,
                       bool is_visible, uint32_t sequence) {
    uint16_t txn = db->sessions.items[session].txn;
    if (!is_serializable(db, txn))
        return STEP_OK;
    struct snapshot snapshot = {sequence, txn, COMMAND_ALL};
    if (is_visible && access->key >= 0)
        mark_row(db, txn, access->table, version);
    return scan_row(db, &snapshot, access, db->versions.items[version].row);
}

enum step ssi_scan(struct db *db, size_t session, const struct access *access, bool latest,
                   const uint32_t *versions, size_t count) {
    uint16_t txn = db->sessions.items[session].txn;
    if (!is_serializable(db, txn) || access->is_empty)
        return STEP_OK;
    struct snapshot snapshot = {db->txns.items[txn].snapshot, txn, COMMAND_ALL};
    if (latest)
        snapshot.sequence = db->core.commits;
    enum step step = ssi_scan_begin(db, session, access);
    for (size_t i = 0; i < count && access->key >= 0 && step == STEP_OK; i++)
        mark_row(db, txn, access->table, versions[i]);
    for (uint16_t row = db->tables.items[access->table].first_row; row != 0 && step == STEP_OK;
         row = db->rows.items[row].next)
        step = scan_row(db, &snapshot, access, row);
    return step;
}

/* ---- writing ---- */

/* Edges from everybody concurrent who holds such a mark. */
static enum step meet_readers(struct db *db, uint16_t writer, enum mark_kind kind, uint16_t table,
                              uint8_t key, uint32_t version) {
    for (size_t i = 0; i < db->marks.count; i++) {
        const struct mark *m = &db->marks.items[i];
        if (m->txn == writer || m->kind != kind || m->table != table || m->key != key ||
            m->version != version)
            continue;
        const struct txn *reader = &db->txns.items[m->txn];
        if ((reader->flags & TXN_DOOMED) ||
            (is_committed(reader) && reader->committed <= db->txns.items[writer].snapshot))
            continue;
        enum step step = edge_add(db, writer, m->txn, writer);
        if (step != STEP_OK)
            return step;
    }
    return STEP_OK;
}

/* Whether an UPDATE puts a new entry into the indexes: it changes a column of one (else it is a
 * HOT update). */
static bool changes_an_index(struct db *db, const struct new_row *row) {
    const struct table *table = db_table(db, row->table);
    for (size_t k = 0; k < table->keys.count; k++)
        if (key_changes(&db->query.eval, &table->keys.items[k], version_values(db, row->old),
                        row->values))
            return true;
    return false;
}

enum step ssi_write_key(struct db *db, size_t session, uint16_t table, size_t key) {
    uint16_t txn = db->sessions.items[session].txn;
    if (!is_serializable(db, txn))
        return STEP_OK;
    if (db->txns.items[txn].flags & TXN_DOOMED)
        return fail_pivot(db, "during conflict in checking");
    return meet_readers(db, txn, MARK_INDEX_PAGE, table, (uint8_t)key, 0);
}

enum step ssi_write_heap(struct db *db, size_t session, const struct new_row *row) {
    uint16_t txn = db->sessions.items[session].txn;
    if (!is_serializable(db, txn))
        return STEP_OK;
    if (db->txns.items[txn].flags & TXN_DOOMED)
        return fail_pivot(db, "during conflict in checking");
    db->txns.items[txn].flags |= TXN_WROTE; /* also if the row does not stay */
    enum step step = STEP_OK;
    if (row->old != 0 && savepoint_innermost_number(db, session) == 0)
        unmark_row(db, txn, row->old);
    if (row->old != 0) {
        step = meet_readers(db, txn, MARK_ROW, row->table, 0, row->old);
        if (step == STEP_OK)
            step = meet_readers(db, txn, MARK_HEAP_PAGE, row->table, 0, 0);
    }
    if (step == STEP_OK)
        step = meet_readers(db, txn, MARK_RELATION, row->table, 0, 0);
    return step;
}

enum step ssi_write_entry(struct db *db, size_t session, const struct new_row *row, size_t key) {
    bool covers;
    if (!is_serializable(db, db->sessions.items[session].txn) || row->values == NULL ||
        (row->old != 0 && !changes_an_index(db, row)))
        return STEP_OK;
    if (!key_covers(&db->query.eval, &db_table(db, row->table)->keys.items[key], row->values,
                    &covers))
        return db_fail_eval(db);
    return covers ? ssi_write_key(db, session, row->table, key) : STEP_OK;
}

enum step ssi_write(struct db *db, size_t session, const struct new_row *row) {
    enum step step = ssi_write_heap(db, session, row);
    for (size_t k = 0; k < db_table(db, row->table)->keys.count && step == STEP_OK; k++)
        step = ssi_write_entry(db, session, row, k);
    return step;
}

/* ---- safe snapshots ---- */

/* The sessions whose transactions are serializable, may write, and see what the snapshot sees. */
static uint32_t open_writers(const struct db *db) {
    uint32_t bits = 0;
    for (size_t s = 0; s < db->session_count; s++) {
        uint16_t at = db->sessions.items[s].txn;
        const struct txn *txn = &db->txns.items[at];
        if (is_serializable(db, at) && txn->status == TXN_ACTIVE &&
            (txn->flags & TXN_HAS_SNAPSHOT) && !(txn->flags & TXN_READ_ONLY))
            bits |= 1u << s;
    }
    return bits;
}

uint32_t ssi_snapshot_blockers(const struct db *db, size_t session) {
    const uint32_t *cursor = session_exec(db, session)->cursor;
    uint32_t bits = open_writers(db) & cursor[POSTGRES_SAFE_SESSIONS];
    for (size_t s = 0; s < db->session_count; s++)
        if (db->sessions.items[s].txn >= cursor[POSTGRES_SAFE_TXNS])
            bits &= ~(1u << s); /* a later one of that session */
    return bits;
}

/* One that went on has committed, and did not see what had been committed before the snapshot. */
static bool is_unsafe(const struct db *db, uint32_t snapshot, uint32_t txn_count) {
    for (uint32_t t = 1; t < txn_count && t < db->txns.count; t++) {
        const struct txn *txn = &db->txns.items[t];
        if (is_serializable(db, (uint16_t)t) && is_committed(txn) && txn->committed > snapshot &&
            txn->out_committed <= snapshot)
            return true;
    }
    return false;
}

enum step ssi_await_safe_snapshot(struct db *db, size_t session) {
    uint32_t *cursor = session_exec(db, session)->cursor;
    struct txn *txn = session_txn(db, session);
    for (;;) {
        if (cursor[POSTGRES_SAFE_SNAPSHOT] == 0) {
            cursor[POSTGRES_SAFE_SNAPSHOT] = db->core.commits + 1;
            cursor[POSTGRES_SAFE_TXNS] = (uint32_t)db->txns.count;
            cursor[POSTGRES_SAFE_SESSIONS] = open_writers(db);
        }
        uint32_t snapshot = cursor[POSTGRES_SAFE_SNAPSHOT] - 1;
        if (ssi_snapshot_blockers(db, session) != 0) {
            struct wait wait = {.kind = WAIT_POLICY};
            enum step step = session_wait(db, session, &wait);
            if (step != STEP_OK)
                return step;
        } else if (is_unsafe(db, snapshot, cursor[POSTGRES_SAFE_TXNS])) {
            cursor[POSTGRES_SAFE_SNAPSHOT] = 0;
        } else {
            txn->snapshot = snapshot;
            txn->flags |= TXN_HAS_SNAPSHOT;
            txn->level = SQL_REPEATABLE_READ;
            return STEP_OK;
        }
    }
}

/* ---- ends ---- */

/* T0 -> near -> me: `near` can't be let commit after me, unless T0 is out of the game. */
static bool has_far_conflict(const struct db *db, uint16_t near, uint16_t self) {
    for (size_t i = 0; i < db->edges.count; i++) {
        if (db->edges.items[i].writer != near)
            continue;
        uint16_t far = db->edges.items[i].reader;
        const struct txn *t0 = &db->txns.items[far];
        if (far == self || (!is_committed(t0) && !(t0->flags & (TXN_READ_ONLY | TXN_DOOMED))))
            return true;
    }
    return false;
}

enum step ssi_before_commit(struct db *db, size_t session) {
    uint16_t self = db->sessions.items[session].txn;
    if (!is_serializable(db, self))
        return STEP_OK;
    session_exec(db, session)->footprint.is_serializable = true;
    if (db->txns.items[self].flags & TXN_DOOMED)
        return fail_pivot(db, "during commit attempt");
    for (size_t i = 0; i < db->edges.count; i++) {
        if (db->edges.items[i].writer != self)
            continue;
        struct txn *near = &db->txns.items[db->edges.items[i].reader];
        if (!is_committed(near) && !(near->flags & TXN_DOOMED) &&
            has_far_conflict(db, db->edges.items[i].reader, self)) {
            if (near->flags & TXN_PREPARED)
                return fail_pivot(db, "with conflict in from prepared pivot");
            near->flags |= TXN_DOOMED;
        }
    }
    return STEP_OK;
}

/* Whether an edge is of no more use once `txn` has committed or rolled back. */
static bool edge_is_over(const struct db *db, const struct edge *edge, uint16_t txn) {
    if (edge->reader != txn && edge->writer != txn)
        return false;
    if (!is_committed(&db->txns.items[txn]))
        return true;
    const struct txn *reader = &db->txns.items[edge->reader];
    if (edge->reader == txn) {
        const struct txn *writer = &db->txns.items[edge->writer];
        return is_committed(writer);
    }
    return is_committed(reader) || (reader->flags & TXN_READ_ONLY);
}

/* Remembers the earliest commit that `txn` has an edge to, now that the edges themselves go. */
static void note_out_committed(struct db *db, uint16_t txn) {
    struct txn *self = &db->txns.items[txn];
    if (self->flags & TXN_READ_ONLY)
        return;
    for (size_t i = 0; i < db->edges.count; i++) {
        const struct txn *writer = &db->txns.items[db->edges.items[i].writer];
        if (db->edges.items[i].reader == txn && is_committed(writer) &&
            writer->prepared < self->out_committed)
            self->out_committed = writer->prepared;
    }
}

static bool any_serializable_open(const struct db *db) {
    for (size_t s = 0; s < db->session_count; s++) {
        uint16_t txn = db->sessions.items[s].txn;
        if (is_serializable(db, txn) && db->txns.items[txn].status == TXN_ACTIVE)
            return true;
    }
    return false;
}

static void drop_traces(struct db *db, uint16_t txn) {
    size_t kept = 0;
    bool aborted = !is_committed(&db->txns.items[txn]);
    for (size_t i = 0; i < db->edges.count; i++)
        if (!edge_is_over(db, &db->edges.items[i], txn))
            db->edges.items[kept++] = db->edges.items[i];
    db->edges.count = kept;
    if (!aborted)
        return;
    kept = 0;
    for (size_t i = 0; i < db->marks.count; i++)
        if (db->marks.items[i].txn != txn)
            db->marks.items[kept++] = db->marks.items[i];
    db->marks.count = kept;
}

void ssi_after_end(struct db *db, uint16_t txn) {
    if (!is_serializable(db, txn))
        return;
    struct txn *self = &db->txns.items[txn];
    session_exec(db, db->running)->footprint.is_serializable = true;
    if (is_committed(self)) {
        if (!(self->flags & TXN_WROTE))
            self->flags |= TXN_READ_ONLY; /* it turned out to be one */
        note_out_committed(db, txn);
    } else {
        self->flags |= TXN_DOOMED;
    }
    if (any_serializable_open(db))
        drop_traces(db, txn);
    else
        db->marks.count = db->edges.count = 0; /* nobody is concurrent with them any more */
}
