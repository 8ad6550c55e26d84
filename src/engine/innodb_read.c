/* Reading: consistent reads from the read view, and current reads, which lock each index record they meet,
 * whether it fits or not.
 *
 * A current read that had to wait is run again with the statement. What its outermost scans have given is
 * in lists.work, two words each: the version (0: the scan ended) and the range it was found in. It is given
 * again as it was, although the statement itself may have changed the row since.
 */
#include "engine/innodb.h"
#include "engine/query_group.h"
#include "engine/version.h"

#include <limits.h>

struct innodb_scan {
    struct access access;
    struct innodb_records records;
    struct key columns; /* of the ranges */
    uint8_t key;
    enum innodb_mode mode;
    bool is_locking;
    bool is_logged;     /* outermost: in lists.work */
    bool is_semi;       /* READ COMMITTED UPDATE: looks at the committed version of a locked row */
    bool is_covering;   /* the index has all that is asked for: the row itself is not locked */
    bool in_range;      /* the range has been entered */
    bool is_found;      /* a row was given in it */
    bool is_skipped;    /* the record last looked at was locked, and passed over */
    size_t range;       /* index in access.ranges; a whole scan has one */
    size_t at;          /* record to look at next; for plain reads: version to give next */
    uint32_t *versions; /* plain reads */
    size_t version_count;
    uint32_t entry;      /* the record last looked at, for reject: */
    uint32_t granted[2]; /* new locks of that and of its row */
};

/* ---- what to read, and how ---- */

static bool is_plain_select(const struct sql_stmt *stmt) {
    return stmt != NULL && stmt->kind == SQL_STMT_SELECT;
}

/* Whether a scan reads the newest rows and locks them. */
static bool scan_is_locking(const struct db *db, const struct query_scan *scan,
                            enum innodb_mode *mode) {
    const struct exec *exec = session_exec(db, db->running);
    *mode = INNODB_X;
    if (db->is_peeking || db->is_loading)
        return false;
    if (scan->is_target || scan->lock == SQL_LOCK_UPDATE || scan->lock == SQL_LOCK_NO_KEY_UPDATE)
        return true;
    *mode = INNODB_S;
    if (scan->lock != SQL_LOCK_NONE)
        return true;
    const struct txn *txn = session_txn(db, db->running);
    if (!is_plain_select(exec->stmt))
        return txn->level > SQL_READ_COMMITTED;
    return txn->level == SQL_SERIALIZABLE && !(txn->flags & TXN_IMPLICIT);
}

/* The read view of a plain read: made by the first one of the transaction, of the statement at READ COMMITTED. */
static void take_view(struct db *db) {
    struct exec *exec = session_exec(db, db->running);
    struct txn *txn = session_txn(db, db->running);
    if (db->is_peeking || db->is_loading)
        return;
    if (txn->level <= SQL_READ_COMMITTED) {
        if (exec->cursor[INNODB_HAS_VIEW] == 0)
            exec->snapshot.sequence = db->core.commits;
        exec->cursor[INNODB_HAS_VIEW] = 1;
        return;
    }
    if (!(txn->flags & TXN_HAS_SNAPSHOT)) {
        txn->flags |= TXN_HAS_SNAPSHOT;
        txn->snapshot = db->core.commits;
        exec->footprint.took_snapshot = true;
    }
    exec->snapshot.sequence = txn->snapshot;
}

/* What the view shows of a clustered record that a row has or had. */
struct visible {
    uint32_t version; /* with the record's key */
    uint32_t last;    /* the last change of the record that the view shows: `version`, or what ended it */
};

struct visibles {
    struct visible *items; /* in scratch */
    size_t count;
};

static bool is_visible(const struct db *db, uint32_t version) {
    const struct exec *exec = session_exec(db, db->running);
    bool is_dirty = !db->is_peeking && !db->is_loading &&
                    session_txn(db, db->running)->level == SQL_READ_UNCOMMITTED;
    return is_dirty || version_is_visible(db, &exec->snapshot, version);
}

/* An UPDATE of the primary key ends one record and begins another: a view may show both, or none. */
static void add_visibles(const struct db *db, uint16_t table, uint16_t row,
                         struct visibles *visibles) {
    uint8_t clustered = innodb_clustered(db, table);
    bool is_known = false; /* what the view shows of the record under way */
    uint32_t newer = 0;
    for (uint32_t version = db->rows.items[row].newest; version != 0;
         newer = version, version = db->versions.items[version].previous) {
        bool is_moved =
            newer != 0 && !innodb_same_record(db, table, clustered, newer, version);
        is_known = is_known && !is_moved;
        if (is_known)
            continue;
        uint32_t last = is_moved && is_visible(db, newer) ? newer : version;
        is_known = last == newer || is_visible(db, version);
        if (is_known)
            visibles->items[visibles->count++] = (struct visible){version, last};
    }
}

/* Whether the record is another's since: a row put where one was deleted, or moved there, takes the place of that one's
 * record, and who sees the new one, be it deleted again, does not see the old one, even if the view is older than its end. */
static bool has_lost_place(const struct db *db, uint16_t table, const struct visibles *visibles,
                           const struct visible *one) {
    for (size_t i = 0; i < visibles->count; i++)
        if (visibles->items[i].last > one->last &&
            innodb_same_record(db, table, 0, visibles->items[i].version, one->version))
            return true;
    return false;
}

/* The versions that the view shows, in the order of the index. */
static void find_visible(struct db *db, struct eval *eval, struct innodb_scan *s) {
    uint16_t table = s->access.table;
    struct visibles visibles = {
        ARENA_ARRAY(&db->scratch, struct visible, innodb_version_count(db, table)), 0};
    for (uint16_t row = db->tables.items[table].first_row; row != 0; row = db->rows.items[row].next)
        add_visibles(db, table, row, &visibles);
    s->versions = ARENA_ARRAY(&db->scratch, uint32_t, visibles.count);
    for (size_t v = 0; v < visibles.count; v++) {
        uint32_t version = visibles.items[v].version;
        if (visibles.items[v].last != version || version_is_deleted(db, version) ||
            !access_has(eval, &s->access, version_values(db, version)) ||
            (db_table(db, table)->has_primary_key &&
             has_lost_place(db, table, &visibles, &visibles.items[v])))
            continue;
        size_t i = s->version_count++;
        struct innodb_entry entry = innodb_entry_of(db, version);
        for (; i > 0 && innodb_entry_order(db, table, s->key,
                                           innodb_entry_of(db, s->versions[i - 1]), entry) > 0;
             i--)
            s->versions[i] = s->versions[i - 1];
        s->versions[i] = version;
    }
}

/* ---- whether an index has all columns that are asked for ---- */

static bool key_has_column(const struct table *table, uint8_t key, uint16_t column) {
    for (size_t i = 0; i < table->keys.items[key].column_count; i++)
        if (table->keys.items[key].columns[i] == column)
            return true;
    return table->has_primary_key && key != 0 && key_has_column(table, 0, column);
}

static bool expr_is_covered(const struct table *table, uint8_t key, uint8_t source,
                            const struct sql_expr *expr) {
    if (expr == NULL)
        return true;
    if (expr->kind == SQL_COLUMN)
        return expr->depth != 0 || expr->source != source ||
               key_has_column(table, key, expr->column);
    if (expr->select != NULL)
        return false;
    for (size_t i = 0; i < expr->args.count; i++)
        if (!expr_is_covered(table, key, source, expr->args.items[i]))
            return false;
    return true;
}

static bool is_covered(const struct db *db, const struct query_scan *scan, uint8_t key) {
    const struct table *table = db_table(db, scan->table);
    const struct sql_select *select = scan->select;
    if (select == NULL || key == innodb_clustered(db, scan->table))
        return false;
    for (size_t i = 0; i < select->items.count; i++)
        if (!expr_is_covered(table, key, scan->source, select->items.items[i].expr))
            return false;
    for (size_t i = 0; i < select->sources.count; i++)
        if (!expr_is_covered(table, key, scan->source, select->sources.items[i].on))
            return false;
    for (size_t i = 0; i < select->group_by.count; i++)
        if (!expr_is_covered(table, key, scan->source, select->group_by.items[i]))
            return false;
    for (size_t i = 0; i < select->order_by.count; i++)
        if (!expr_is_covered(table, key, scan->source, select->order_by.items[i].expr))
            return false;
    return expr_is_covered(table, key, scan->source, select->where) &&
           expr_is_covered(table, key, scan->source, select->having);
}

/* About how long an entry is: the shortest index that has all columns is gone through for a query of all
 * rows. */
static unsigned key_length(const struct table *table, const struct key *key) {
    unsigned length = 0;
    for (size_t i = 0; i < key->column_count; i++) {
        const struct column *column = &table->columns.items[key->columns[i]];
        length += column->type == COLUMN_BOOL ? 1 : column->type == COLUMN_INT ? 4 : 8;
        length += column->type == COLUMN_TEXT ? 100 : 0;
        length += !column->not_null;
    }
    return length;
}

static uint8_t whole_scan_key(const struct db *db, const struct query_scan *scan) {
    const struct table *table = db_table(db, scan->table);
    uint8_t best = innodb_clustered(db, scan->table);
    unsigned shortest = UINT_MAX;
    for (size_t k = 0; k < table->keys.count && scan->order_count == 0; k++) {
        const struct key *key = &table->keys.items[k];
        if (key->where == NULL && key_length(table, key) < shortest &&
            is_covered(db, scan, (uint8_t)k)) {
            shortest = key_length(table, key);
            best = (uint8_t)k;
        }
    }
    return best;
}

/* ---- open ---- */

/* Whether rows come in the order asked for: that of the index' columns, the primary key's behind its own, less
 * those that the one range holds to a value. */
static bool is_in_order(const struct db *db, const struct query_scan *scan,
                        const struct innodb_scan *s) {
    if (scan->order_count == 0 || s->key == INNODB_ROWID || scan->select == NULL)
        return false;
    const struct key *index =
        s->access.key >= 0 ? &s->columns : &db_table(db, scan->table)->keys.items[s->key];
    size_t constant = s->access.range_count == 1 ? s->access.ranges[0].equal_count : 0, at = 0;
    for (size_t i = 0; i < scan->order_count; i++) {
        const struct sql_expr *expr = query_item_expr(scan->select, scan->order_by[i].expr);
        if (scan->order_by[i].is_descending || expr->kind != SQL_COLUMN || expr->depth != 0 ||
            expr->source != scan->source)
            return false;
        while (at < constant && index->columns[at] != expr->column)
            at++;
        if (at >= index->column_count || index->columns[at++] != expr->column)
            return false;
    }
    return true;
}

/* An UPDATE of a column of the index it goes by finds all its rows before it changes the first (sql_update.cc,
 * used_key_is_modified); a whole scan goes by the clustered index, one row of a unique key needs no such thing. */
static bool is_read_first(const struct db *db, const struct innodb_scan *s) {
    const struct sql_stmt *stmt = session_exec(db, db->running)->stmt;
    const struct table *table = db_table(db, s->access.table);
    if (stmt->kind != SQL_STMT_UPDATE || s->key == INNODB_ROWID ||
        (s->access.is_point && s->access.range_count == 1))
        return false;
    for (size_t i = 0; i < stmt->update->set.count; i++)
        if (key_has_column(table, s->key, stmt->update->set.items[i].column_index))
            return true;
    return false;
}

bool innodb_open(void *context, struct eval *eval, struct query_scan *scan) {
    struct db *db = context;
    struct innodb_scan *s = ARENA_NEW(&db->scratch, struct innodb_scan);
    struct exec *exec = session_exec(db, db->running);
    scan->state = s;
    exec->footprint.reads |= table_bit(scan->table);
    s->is_locking = scan_is_locking(db, scan, &s->mode);
    if (!s->is_locking)
        take_view(db);
    if (!access_choose(eval, scan, &s->access))
        return false;
    uint8_t clustered = innodb_clustered(db, scan->table);
    s->key = s->access.key < 0 ? whole_scan_key(db, scan) : (uint8_t)s->access.key;
    if (s->access.key >= 0)
        s->columns = access_key(eval, db_table(db, scan->table), (size_t)s->access.key);
    /* Ranges of one column follow each other in its order. */
    bool is_one_way = s->access.range_count <= 1 || s->access.ranges[0].equal_count == 1;
    scan->is_sorted = is_one_way && is_in_order(db, scan, s);
    if (!s->is_locking) {
        if (!s->access.is_empty)
            find_visible(db, eval, s);
        return true;
    }
    innodb_lock_table(db, db->running, scan->table, s->mode);
    bool is_point = s->access.is_point && s->key == clustered;
    s->is_logged = scan->level == 0;
    s->is_semi = scan->is_target && exec->stmt->kind == SQL_STMT_UPDATE && !is_point &&
                 s->key == clustered && !innodb_locks_gaps(db, db->running) &&
                 !db->config.innodb_snapshot_isolation; /* MDEV-34108 */
    scan->is_read_first = scan->is_target && is_read_first(db, s);
    if (scan->is_target)
        exec->cursor[INNODB_BY_UNIQUE] =
            s->access.is_point && s->key != clustered && s->access.range_count == 1;
    s->is_covering = s->mode == INNODB_S && is_covered(db, scan, s->key);
    s->records = innodb_records(db, scan->table, s->key);
    return true;
}

/* ---- current reads ---- */

/* Where a record lies: -1 before the range, 0 in it, 1 after it. */
static int range_side(const struct db *db, const struct innodb_scan *s, uint32_t version) {
    if (s->access.key < 0)
        return 0;
    const struct eval *eval = &db->query.eval;
    const struct key_range *range = &s->access.ranges[s->range];
    const struct key *key = &s->columns;
    const struct value *values = version_values(db, version);
    for (size_t i = 0; i < range->equal_count; i++) {
        int order = eval_key_order(eval, values[key->columns[i]], range->equal[i]);
        if (order != 0)
            return order < 0 ? -1 : 1;
    }
    if (!range->has_low && !range->has_high)
        return 0;
    struct value value = values[key->columns[range->equal_count]];
    if (value.kind == VALUE_NULL)
        return -1;
    int low = range->has_low ? eval_key_order(eval, value, range->low) : 1;
    int high = range->has_high ? eval_key_order(eval, value, range->high) : -1;
    if (low < 0 || (low == 0 && range->low_open))
        return -1;
    return high > 0 || (high == 0 && range->high_open) ? 1 : 0;
}

static bool is_exact(const struct innodb_scan *s) {
    const struct key_range *range = &s->access.ranges[s->range];
    return s->access.key >= 0 && !range->has_low && !range->has_high;
}

/* `id >= 7` and a row 7: nothing can go in before it that would fit. */
static bool starts_range(const struct db *db, const struct innodb_scan *s, uint32_t version) {
    const struct key_range *range = &s->access.ranges[s->range];
    if (s->access.key < 0 || s->key != innodb_clustered(db, s->access.table) || s->in_range ||
        !range->has_low || range->low_open)
        return false;
    const struct key *key = &s->columns;
    return range->equal_count + 1u == key->column_count &&
           eval_key_order(&db->query.eval,
                          version_values(db, version)[key->columns[range->equal_count]],
                          range->low) == 0;
}

static enum row_step lock_record(struct db *db, struct innodb_scan *s,
                                 const struct query_scan *scan, uint8_t key, uint32_t version,
                                 enum innodb_type type, bool is_try,
                                 struct innodb_request *request) {
    *request = (struct innodb_request){.table = scan->table,
                                       .key = key,
                                       .version = version,
                                       .mode = s->mode,
                                       .type = type,
                                       .wait = is_try ? SQL_SKIP_LOCKED : scan->lock_wait};
    return innodb_lock(db, db->running, request) == STEP_OK ? ROW_FOUND : ROW_STOP;
}

static bool record_is_live(const struct db *db, const struct innodb_scan *s, size_t at) {
    const struct innodb_record *record = &s->records.items[at];
    uint16_t row = db->versions.items[record->version].row, table = s->access.table;
    /* It was marked when the scan was opened: whoever did that may have fallen to a deadlock since. */
    if (record->is_deleted)
        return innodb_live_version(db, table, s->key, record->version) != 0;
    return innodb_index_version(db, table, s->key, row) != 0;
}

/* At READ COMMITTED MariaDB does not lock a record whose deletion is committed (row_search_mvcc). */
static bool is_passed_over(const struct db *db, const struct innodb_scan *s, size_t at) {
    return !innodb_locks_gaps(db, db->running) && !record_is_live(db, s, at) &&
           !innodb_is_mysql(db) &&
           innodb_implicit_owner(db, s->access.table, s->key, s->records.items[at].version) == 0;
}

/* Whether InnoDB itself sees that a record is behind the range (row_compare_row_to_range): by the clustered index,
 * a range with an upper bound. Its gap is locked then, not the record. */
static bool ends_range(const struct db *db, const struct innodb_scan *s) {
    return s->access.key >= 0 && s->key == innodb_clustered(db, s->access.table) &&
           s->access.ranges[s->range].has_high && db_config_has(&db->config, TRAIT_SEES_RANGE_END);
}

/* Whether the record before is the upper bound itself, with a whole unique key: nothing can go in behind it. */
static bool is_at_bound(const struct db *db, const struct innodb_scan *s) {
    const struct key_range *range = &s->access.ranges[s->range];
    const struct key *key = &db_table(db, s->access.table)->keys.items[s->key];
    uint32_t version = s->at > 0 ? s->records.items[s->at - 1].version : 0;
    return version != 0 && !range->high_open && range->equal_count + 1u == key->column_count &&
           range_side(db, s, version) == 0 &&
           eval_key_order(&db->query.eval,
                          version_values(db, version)[key->columns[range->equal_count]],
                          range->high) == 0;
}

/* The first record behind the range. */
static size_t past_range(const struct db *db, const struct innodb_scan *s) {
    size_t at = 0;
    while (at < s->records.count && range_side(db, s, s->records.items[at].version) <= 0)
        at++;
    return at;
}

/* After a deadlock was ended: where the record `version` behind the range is now. False: it has gone. */
static bool find_again(struct db *db, struct innodb_scan *s, uint32_t version, size_t *at) {
    uint16_t table = s->access.table;
    s->records = innodb_records(db, table, s->key);
    s->at = past_range(db, s);
    *at = version == 0
              ? s->records.count
              : innodb_seek(db, &s->records, table, s->key, innodb_entry_of(db, version));
    return innodb_same_record(db, table, s->key, innodb_record_at(&s->records, *at), version);
}

/* The record after the last one in range, or the supremum: its gap is part of the range. A deleted record does
 * not end a range of more than one value: whether a record is in it is looked at where its row is. */
static enum row_step lock_end(struct db *db, struct innodb_scan *s, const struct query_scan *scan) {
    struct innodb_request request;
    bool gaps = innodb_locks_gaps(db, db->running);
    if (is_exact(s) && !gaps)
        return ROW_FOUND;
    enum innodb_type type = !gaps ? INNODB_REC : is_exact(s) ? INNODB_GAP : INNODB_NEXT_KEY;
    for (size_t at = s->at;; at++) {
        uint32_t version = innodb_record_at(&s->records, at);
        if (version == 0 && !gaps)
            return ROW_FOUND;
        bool is_live = version == 0 || record_is_live(db, s, at);
        if (!is_live && is_passed_over(db, s, at))
            continue;
        if (gaps && version != 0 && ends_range(db, s)) {
            if (is_at_bound(db, s))
                return ROW_FOUND;
            type = INNODB_GAP;
        }
        enum row_step step = lock_record(db, s, scan, s->key, version, type, s->is_semi, &request);
        if (step == ROW_STOP)
            s->at = at; /* where the scan goes on */
        if (step == ROW_FOUND && request.is_stale) { /* the record may have gone, or be there again */
            if (!find_again(db, s, version, &at)) {
                at = s->at - 1;
                continue;
            }
            is_live = version == 0 || record_is_live(db, s, at);
        }
        if (step == ROW_FOUND && !gaps && request.granted != 0)
            innodb_unlock(db, request.granted);
        bool is_passed = request.is_skipped && scan->lock_wait == SQL_SKIP_LOCKED;
        if (step != ROW_FOUND || (is_live && !is_passed) || type == INNODB_GAP)
            return step;
    }
}

/* READ COMMITTED lets a row go again that does not fit (row_unlock_for_mysql): what was found in the clustered
 * index; in MySQL also what was found through another, both records, if the row's own was locked just now. Before 8.0.18
 * that goes for the entry, however long it has been locked. */
static void release_new(struct db *db, struct innodb_scan *s) {
    bool is_clustered = s->key == innodb_clustered(db, s->access.table);
    bool is_row_new = s->granted[1] != 0 && !innodb_locks_gaps(db, db->running) && innodb_is_mysql(db);
    if (is_row_new && !db_config_has(&db->config, TRAIT_UNLOCKS_EITHER)) {
        struct innodb_request entry = {.table = s->access.table,
                                       .key = s->key,
                                       .version = s->entry,
                                       .mode = s->mode,
                                       .type = INNODB_REC};
        s->granted[0] = innodb_lock_held(db, db->running, &entry);
    }
    bool is_let_go = is_clustered || is_row_new ||
                     (s->granted[0] != 0 && db_config_has(&db->config, TRAIT_UNLOCKS_EITHER));
    for (size_t i = 0; i < LW_COUNT_OF(s->granted); i++) {
        if (s->granted[i] != 0 && is_let_go && !innodb_locks_gaps(db, db->running))
            innodb_unlock(db, s->granted[i]);
        s->granted[i] = 0;
    }
}

static bool is_by_statement(const struct db *db, uint32_t version) {
    return version >= session_exec(db, db->running)->version_mark &&
           db->versions.items[version].writer == db->sessions.items[db->running].txn;
}

/* Changed by the running statement itself: not to be found by it again. */
static bool is_own_work(const struct db *db, const struct query_scan *scan, uint32_t version) {
    return scan->is_target && is_by_statement(db, version);
}

/* What of the record at `s->at` is locked. A whole unique key: the record alone, in MariaDB by the primary key
 * only, in MySQL by any, but not a deleted one (row_search_mvcc, unique_search). */
static enum innodb_type scan_lock_type(const struct db *db, const struct innodb_scan *s) {
    uint32_t version = s->records.items[s->at].version;
    bool is_clustered = s->key == innodb_clustered(db, s->access.table);
    if (!innodb_locks_gaps(db, db->running) || starts_range(db, s, version))
        return INNODB_REC;
    if (s->access.is_point &&
        (is_clustered || (record_is_live(db, s, s->at) && innodb_is_mysql(db))))
        return INNODB_REC;
    return INNODB_NEXT_KEY;
}

/* After a deadlock was ended: whether the record under the scan is another now; if not, `*version` is what names it. */
static bool has_gone(struct db *db, struct innodb_scan *s, bool is_stale, uint32_t *version) {
    uint16_t table = s->access.table;
    if (!is_stale)
        return false;
    s->records = innodb_records(db, table, s->key);
    s->at = innodb_seek(db, &s->records, table, s->key, innodb_entry_of(db, *version));
    uint32_t now = innodb_record_at(&s->records, s->at);
    if (!innodb_same_record(db, table, s->key, now, *version))
        return true;
    *version = s->entry = now;
    return false;
}

/* What of a record is committed, or this transaction's own, for a semi-consistent read; 0: nothing, or it was marked as
 * deleted. A row put where one was deleted has that one's record. */
static uint32_t committed_version(const struct db *db, const struct innodb_scan *s,
                                  uint32_t version) {
    uint16_t table = s->access.table, txn = db->sessions.items[db->running].txn;
    for (uint16_t row = db->tables.items[table].first_row; row != 0;
         row = db->rows.items[row].next) {
        uint32_t committed = row_newest_committed(db, txn, row);
        /* The row may be at another record by now: then this one is marked as deleted. */
        if (committed != 0 && !version_is_deleted(db, committed) &&
            innodb_same_record(db, table, s->key, committed, version))
            return committed;
    }
    return 0;
}

/* Locks the record at `s->at`, and the row it belongs to; *given: the version to give, 0: pass over;
 * *is_stale: look again at what is at `s->at` now. */
static enum row_step read_record(struct db *db, struct innodb_scan *s,
                                 const struct query_scan *scan, uint32_t *given, bool *is_stale) {
    uint32_t version = s->records.items[s->at].version;
    uint8_t clustered = innodb_clustered(db, scan->table);
    struct innodb_request request;
    *given = 0;
    s->entry = version;
    *is_stale = s->is_skipped = false;
    if (is_passed_over(db, s, s->at))
        return ROW_FOUND;
    enum row_step step =
        lock_record(db, s, scan, s->key, version, scan_lock_type(db, s), s->is_semi, &request);
    if (step != ROW_FOUND)
        return step;
    *is_stale = has_gone(db, s, request.is_stale, &version);
    if (*is_stale)
        return ROW_FOUND;
    if (request.is_skipped) {
        s->is_skipped = true;
        if (s->is_semi)
            *given = committed_version(db, s, version);
        return ROW_FOUND;
    }
    s->granted[0] = request.granted;
    if (s->key != clustered && record_is_live(db, s, s->at) && !s->is_covering) {
        step = lock_record(db, s, scan, clustered, version, INNODB_REC, false, &request);
        if (step != ROW_FOUND)
            return step;
        *is_stale = has_gone(db, s, request.is_stale, &version);
        if (*is_stale)
            return ROW_FOUND;
        s->granted[1] = request.granted;
        if (request.is_skipped)
            return ROW_FOUND;
    }
    uint16_t row = db->versions.items[version].row;
    /* Whose row is not looked up, it is as the index has it. */
    uint32_t newest = s->is_covering ? innodb_index_version(db, scan->table, s->key, row)
                                     : db->rows.items[row].newest;
    if (newest == 0 || version_is_deleted(db, newest) || is_own_work(db, scan, newest) ||
        !innodb_same_record(db, scan->table, s->key, newest, version))
        release_new(db, s);
    else
        *given = newest;
    return ROW_FOUND;
}

static bool next_range(struct innodb_scan *s) {
    s->in_range = s->is_found = false;
    s->at = 0;
    s->range++;
    return s->range < s->access.range_count;
}

/* Whether a whole unique key has been dealt with, and nothing after it is looked at: by the clustered index
 * there is one record; by another, deleted ones may stand before the row. */
static bool point_is_over(const struct db *db, const struct innodb_scan *s) {
    bool is_clustered = s->key == innodb_clustered(db, s->access.table);
    return s->access.is_point && (is_clustered ? s->in_range : s->is_found);
}

static enum row_step next_locked(struct db *db, struct innodb_scan *s,
                                 const struct query_scan *scan, uint32_t *given) {
    bool is_whole = s->access.key < 0;
    if (s->access.is_empty)
        return ROW_END;
    while (is_whole ? s->range == 0 : s->range < s->access.range_count) {
        while (s->at < s->records.count && range_side(db, s, s->records.items[s->at].version) < 0)
            s->at++;
        bool is_end =
            s->at >= s->records.count || range_side(db, s, s->records.items[s->at].version) > 0;
        bool was_found = point_is_over(db, s);
        if (is_end || was_found) {
            enum row_step step = was_found ? ROW_FOUND : lock_end(db, s, scan);
            if (step != ROW_FOUND)
                return step;
            next_range(s);
            continue;
        }
        bool is_stale;
        enum row_step step = read_record(db, s, scan, given, &is_stale);
        if (step != ROW_FOUND)
            return step;
        if (is_stale)
            continue;
        s->in_range = s->in_range || !s->is_skipped; /* where it was skipped the scan goes on */
        s->is_found = *given != 0;
        s->at++;
        if (*given != 0)
            return ROW_FOUND;
    }
    return ROW_END;
}

/* What the scan gave before the statement had to wait. */
static bool next_logged(struct db *db, struct innodb_scan *s, uint32_t *given) {
    const struct u32_list *log = &db->lists[db->running].work;
    if (!s->is_logged || 2u * db->scan_count >= log->count)
        return false;
    *given = log->items[2u * db->scan_count];
    s->range = log->items[2u * db->scan_count + 1];
    db->scan_count++;
    if (*given != 0) {
        s->at = innodb_seek(db, &s->records, s->access.table, s->key, innodb_entry_of(db, *given));
        if (s->at < s->records.count && innodb_same_record(db, s->access.table, s->key,
                                                           s->records.items[s->at].version, *given))
            s->at++;
        s->in_range = s->is_found = true;
    }
    return true;
}

static void log_given(struct db *db, const struct innodb_scan *s, uint32_t given) {
    struct u32_list *log = &db->lists[db->running].work;
    if (!s->is_logged)
        return;
    MVEC_PUSH(log, given);
    MVEC_PUSH(log, (uint32_t)s->range);
    db->scan_count++;
}

/* The record that the scan waits for, where it goes on: what was put before it meanwhile is not found. */
static void keep_waited(struct db *db, const struct innodb_scan *s) {
    uint32_t *cursor = session_exec(db, db->running)->cursor;
    cursor[INNODB_WAITED] = s->is_logged ? innodb_record_at(&s->records, s->at) : 0;
    cursor[INNODB_WAITED_RANGE] = (uint32_t)s->range;
}

static void go_to_waited(struct db *db, struct innodb_scan *s) {
    uint32_t *cursor = session_exec(db, db->running)->cursor;
    uint32_t version = cursor[INNODB_WAITED];
    if (!s->is_logged || version == 0)
        return;
    if (s->range != cursor[INNODB_WAITED_RANGE])
        s->in_range = s->is_found = false;
    s->range = cursor[INNODB_WAITED_RANGE];
    s->at = innodb_seek(db, &s->records, s->access.table, s->key, innodb_entry_of(db, version));
    cursor[INNODB_WAITED] = 0;
}

enum row_step innodb_next(void *context, struct eval *eval, struct query_scan *scan) {
    struct db *db = context;
    struct innodb_scan *s = scan->state;
    uint32_t given = 0;
    (void)eval;
    s->granted[0] = s->granted[1] = 0;
    if (!s->is_locking) {
        if (s->at >= s->version_count)
            return ROW_END;
        given = s->versions[s->at++];
    } else if (!next_logged(db, s, &given)) {
        go_to_waited(db, s);
        enum row_step step = next_locked(db, s, scan, &given);
        if (step == ROW_STOP) {
            keep_waited(db, s);
            return ROW_STOP;
        }
        log_given(db, s, step == ROW_END ? 0 : given);
        if (step == ROW_END)
            return ROW_END;
    }
    if (given == 0)
        return ROW_END;
    scan->values = version_values_stable(db, given);
    scan->ref = db_ref_of(db, given);
    return ROW_FOUND;
}

/* A SELECT reads the row of a whole unique key as a constant, before it has a condition to reject it by. */
void innodb_reject(void *context, struct eval *eval, struct query_scan *scan) {
    const struct innodb_scan *s = scan->state;
    bool is_constant =
        s->access.is_point && !scan->is_target && scan->source == 0 && scan->level == 0;
    (void)eval;
    if (!is_constant)
        release_new(context, scan->state);
}

/* What the clustered record had, not marked as deleted, before the running statement changed anything; 0: nothing. */
static uint32_t version_before_statement(const struct db *db, uint16_t table, uint32_t record) {
    uint16_t row = db->tables.items[table].first_row;
    for (; row != 0; row = db->rows.items[row].next) {
        uint32_t version = db->rows.items[row].newest;
        while (version != 0 && is_by_statement(db, version))
            version = db->versions.items[version].previous;
        if (version != 0 && !version_is_deleted(db, version) &&
            innodb_same_record(db, table, innodb_clustered(db, table), version, record))
            return version;
    }
    return 0;
}

/* A row looked at in its committed version is locked now, and looked at again. */
enum tuple_step innodb_lock_target(struct db *db, size_t session, struct query *query,
                                   const struct query_change *change, struct query_tuple *tuple) {
    if (db->is_loading || innodb_locks_gaps(db, session))
        return TUPLE_KEEP;
    struct innodb_request request = {.table = tuple->refs[0].table,
                                     .key = innodb_clustered(db, tuple->refs[0].table),
                                     .version = tuple->refs[0].version,
                                     .mode = INNODB_X,
                                     .type = INNODB_REC};
    if (innodb_lock(db, session, &request) != STEP_OK)
        return TUPLE_STOP;
    uint32_t newest = db->rows.items[db->versions.items[tuple->refs[0].version].row].newest;
    if (newest == tuple->refs[0].version || is_by_statement(db, newest))
        return TUPLE_KEEP;
    /* Where it went with another primary key it is met again, if at all. */
    newest = version_before_statement(db, request.table, request.version);
    if (newest == 0)
        return TUPLE_DROP;
    bool holds;
    tuple->rows[0] = version_values_stable(db, newest);
    tuple->refs[0] = db_ref_of(db, newest);
    if (!query_recheck(query, change, tuple, &holds))
        return TUPLE_STOP;
    return holds ? TUPLE_KEEP : TUPLE_DROP;
}
