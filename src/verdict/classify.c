#include "verdict/classify.h"

#include "base/assert.h"

/* One stale source of one write. */
struct stale {
    const struct trace_source *source;
    const struct ran_event *read;
    const struct ran_event *by; /* the other session's write; NULL: not found, the read was behind */
    bool is_data; /* the value was computed from it; else it decided whether to write */
};

static const struct ran_event *event_at(const struct classify *c, uint32_t index) {
    LW_ASSERT(index < c->trace->events.count);
    return &c->trace->events.items[index];
}

void classify_on_event(void *context, struct trace *trace, uint32_t index, struct db *db) {
    struct classify *c = context;
    const struct ran_event *event = &trace->events.items[index];
    if (event->kind != RAN_STATEMENT || event->stmt->kind != SQL_STMT_SELECT ||
        event->error != DB_OK_NO_ERROR)
        return;
    struct db_result now = {0};
    db_peek(db, event->session, event->stmt, event->binds, &now);
    bool same = now.status == DB_OK && now.row_count == event->row_count &&
                now.column_count == event->column_count;
    for (size_t i = 0; same && i < now.row_count * now.column_count; i++)
        same = value_equal(c->pool, now.rows[i], event->rows[i]);
    if (!same)
        VEC_PUSH(c->arena, &c->behind, (struct read_note){index, true});
}

static bool was_behind(const struct classify *c, uint32_t event) {
    for (size_t i = 0; i < c->behind.count; i++)
        if (c->behind.items[i].event == event)
            return true;
    return false;
}

/* Whether `back` is the ROLLBACK TO of a savepoint that was made before the event. */
static bool goes_back_behind(const struct classify *c, const struct ran_event *back,
                             const struct ran_event *event) {
    if (back->kind != RAN_ROLLBACK_TO || back < event)
        return false;
    const struct ran_event *at = back;
    while (--at > c->trace->events.items)
        if (at->kind == RAN_SAVEPOINT && at->session == back->session && at->at == back->at)
            break;
    return at < event;
}

/* Whether the event's transaction was rolled back in the end, or the event with a savepoint. */
static bool was_undone(const struct classify *c, const struct ran_event *event) {
    for (size_t i = 0; i < c->trace->events.count && event->transaction != 0; i++) {
        const struct ran_event *at = &c->trace->events.items[i];
        bool ends_it = at->kind == RAN_ROLLBACK || at->error == DB_ERROR_DEADLOCK ||
                       at->error == DB_ERROR_CHANGED_ROW ||
                       (at->kind == RAN_COMMIT && at->error != DB_OK_NO_ERROR) ||
                       goes_back_behind(c, at, event);
        if (ends_it && at->session == event->session && at->transaction == event->transaction)
            return true;
    }
    return false;
}

/* A statement that wrote rows, and whose transaction was not rolled back. */
static bool is_write(const struct classify *c, const struct ran_event *event) {
    return event->kind == RAN_STATEMENT && event->error == DB_OK_NO_ERROR &&
           event->write_count > 0 && !was_undone(c, event);
}

static bool reads_table(const struct sql_select *select, uint16_t table);

static bool expr_reads_table(const struct sql_expr *expr, uint16_t table) {
    if (expr == NULL)
        return false;
    if (expr->select != NULL && reads_table(expr->select, table))
        return true;
    for (size_t i = 0; i < expr->args.count; i++)
        if (expr_reads_table(expr->args.items[i], table))
            return true;
    return false;
}

static bool reads_table(const struct sql_select *select, uint16_t table) {
    for (size_t i = 0; i < select->sources.count; i++) {
        const struct sql_source *source = &select->sources.items[i];
        if (source->subquery != NULL ? reads_table(source->subquery, table)
                                     : source->table_index == table)
            return true;
    }
    for (size_t i = 0; i < select->items.count; i++)
        if (expr_reads_table(select->items.items[i].expr, table))
            return true;
    return expr_reads_table(select->where, table);
}

/* Whether an UPDATE changed a column of `source` (an index into the FROM list) that the condition looks at, so that it might
 * choose other rows now. */
static bool condition_is_changed(const struct classify *c, const struct sql_expr *where,
                                 size_t source, const struct db_ref *wrote) {
    if (where == NULL || wrote->version == 0 || wrote->previous == 0)
        return false;
    if (where->kind == SQL_COLUMN && where->depth == 0 && where->source == source)
        return !value_equal(c->pool, db_version_value(c->db, wrote->version, where->column),
                            db_version_value(c->db, wrote->previous, where->column));
    for (size_t i = 0; i < where->args.count; i++)
        if (condition_is_changed(c, where->args.items[i], source, wrote))
            return true;
    return false;
}

/* Whether a write may change which rows of `source` a condition chooses. */
static bool changes_choice(const struct classify *c, const struct sql_expr *where, size_t source,
                           const struct db_ref *wrote) {
    return wrote->previous == 0 || wrote->version == 0 ||
           condition_is_changed(c, where, source, wrote);
}

/* The plain column that item `item` of a read is, or NULL: an aggregate, an expression, mere existence. */
static const struct sql_expr *plain_item(const struct ran_event *read, uint16_t item) {
    if (item == SOURCE_EXISTENCE || read->stmt->kind != SQL_STMT_SELECT || read->ref_count == 0)
        return NULL;
    const struct sql_expr *expr = read->stmt->select->items.items[item].expr;
    return expr != NULL && expr->kind == SQL_COLUMN && expr->source < read->ref_count ? expr : NULL;
}

/* Where the table stands in the FROM list; its length if it doesn't. */
static size_t source_of(const struct sql_select *select, uint16_t table) {
    size_t i = 0;
    while (i < select->sources.count && (select->sources.items[i].subquery != NULL ||
                                         select->sources.items[i].table_index != table))
        i++;
    return i;
}

/* Whether the write of another session `write` changed what `source` had read. */
static bool write_hits(const struct classify *c, const struct trace_source *source,
                       const struct ran_event *read, const struct ran_event *write) {
    const struct sql_expr *column = plain_item(read, source->item);
    for (size_t i = 0; i < write->write_count; i++) {
        const struct db_ref *wrote = &write->writes[i];
        if (column != NULL && source->row < read->row_count) {
            const struct db_ref *seen =
                &read->row_refs[source->row * read->ref_count + column->source];
            if (seen->table != wrote->table || seen->row != wrote->row ||
                (wrote->version != 0 && wrote->version <= seen->version))
                continue;
            if (wrote->version == 0 ||
                condition_is_changed(c, read->stmt->select->where, column->source, wrote) ||
                !value_equal(c->pool, db_version_value(c->db, wrote->version, column->column),
                             db_version_value(c->db, wrote->previous, column->column)))
                return true;
            continue;
        }
        if (!reads_table(read->stmt->select, wrote->table))
            continue;
        if (source->item != SOURCE_EXISTENCE ||
            changes_choice(c, read->stmt->select->where, source_of(read->stmt->select, wrote->table),
                           wrote))
            return true;
    }
    return false;
}

/* What made a write visible to others: its COMMIT, or in autocommit itself. */
static const struct ran_event *publication(const struct classify *c,
                                             const struct ran_event *write) {
    const struct ran_event *end = c->trace->events.items + c->trace->events.count;
    for (const struct ran_event *at = write; at < end && write->transaction != 0; at++)
        if (at->kind == RAN_COMMIT && at->session == write->session &&
            at->transaction == write->transaction)
            return at;
    return write;
}

static bool is_after(const struct ran_event *a, const struct ran_event *b) {
    return a->resumed_step > b->resumed_step || (a->resumed_step == b->resumed_step && a > b);
}

/* Whether what another session wrote before `write` was done made `source` stale; if so, by which event. */
static bool source_is_stale(const struct classify *c, const struct trace_source *source,
                            const struct ran_event *write, struct stale *stale) {
    const struct ran_event *read = event_at(c, source->read);
    if (read->kind != RAN_STATEMENT || read->stmt->kind != SQL_STMT_SELECT)
        return false;
    bool behind = was_behind(c, source->read);
    for (size_t i = 0; i < c->trace->events.count; i++) {
        const struct ran_event *other = &c->trace->events.items[i];
        if (other->session == write->session || !is_write(c, other) ||
            other->resumed_step > write->resumed_step || other == write)
            continue;
        if ((behind || is_after(publication(c, other), read)) && write_hits(c, source, read, other)) {
            stale->source = source;
            stale->read = read;
            stale->by = other;
            return true;
        }
    }
    return false;
}

/* The first stale source of the set, those of the cell (table, column) that is written first. */
static bool find_stale(const struct classify *c, uint32_t deps, const struct ran_event *write,
                       struct stale *stale) {
    const struct trace_set *set = trace_set_get(c->trace, deps);
    for (size_t i = 0; i < set->sources.count; i++)
        if (source_is_stale(c, &set->sources.items[i], write, stale))
            return true;
    return false;
}

/* Whether the stale source is the very cell that is written. */
static bool is_same_cell(const struct stale *stale, const struct ran_event *write,
                         uint16_t column) {
    const struct sql_expr *item = plain_item(stale->read, stale->source->item);
    if (item == NULL || write->write_count == 0)
        return false;
    const struct db_ref *seen =
        &stale->read->row_refs[stale->source->row * stale->read->ref_count + item->source];
    return seen->table == write->writes[0].table && seen->row == write->writes[0].row &&
           item->column == column;
}

/* A read of many rows or of none: an aggregate, EXISTS, a list, an absent row. */
static bool is_predicate_read(const struct stale *stale) {
    if (plain_item(stale->read, stale->source->item) == NULL &&
        stale->source->item != SOURCE_EXISTENCE)
        return true;
    return stale->read->row_count != 1;
}

static bool found_nothing(const struct ran_event *read) {
    if (read->row_count == 0)
        return true;
    /* COUNT(*) = 0 and EXISTS = false. */
    return read->row_count == 1 && read->ref_count == 0 && read->column_count == 1 &&
           read->rows[0].kind != VALUE_TEXT && read->rows[0].kind != VALUE_NULL &&
           read->rows[0].number == 0;
}

/* Locks. */

static bool is_row_lock(const struct ran_event *event) {
    return event->kind == RAN_STATEMENT && event->error == DB_OK_NO_ERROR &&
           event->stmt->kind == SQL_STMT_SELECT && event->stmt->select->lock != SQL_LOCK_NONE;
}

static bool same_row_locked(const struct ran_event *a, const struct ran_event *b) {
    for (size_t i = 0; i < a->row_count * a->ref_count; i++)
        for (size_t k = 0; k < b->row_count * b->ref_count; k++)
            if (a->row_refs[i].table == b->row_refs[k].table &&
                a->row_refs[i].row == b->row_refs[k].row)
                return true;
    return false;
}

/* Whether `other` takes the same lock as `lock`, in another session. */
static bool is_counterpart(const struct ran_event *lock, const struct ran_event *other) {
    if (other->session == lock->session || other->kind != lock->kind)
        return false;
    if (lock->kind == RAN_LOCK)
        return str_equal(lock->sql, other->sql);
    return is_row_lock(other) && same_row_locked(lock, other);
}

static bool has_counterpart(const struct classify *c, const struct ran_event *lock) {
    for (size_t i = 0; i < c->trace->events.count; i++)
        if (is_counterpart(lock, &c->trace->events.items[i]))
            return true;
    return false;
}

/* A statement of the lock's transaction before it: what made the snapshot. */
static bool has_earlier_read(const struct classify *c, const struct ran_event *lock) {
    for (const struct ran_event *at = c->trace->events.items; at < lock; at++)
        if (at->session == lock->session && at->kind == RAN_STATEMENT &&
            at->transaction == lock->transaction && at->transaction != 0 && at != lock)
            return true;
    return false;
}

/* Whether the session lets the mutex go before the transaction that it was taken in ends. */
static bool released_early(const struct classify *c, const struct ran_event *lock) {
    const struct ran_event *end = c->trace->events.items + c->trace->events.count;
    if (lock->kind != RAN_LOCK || lock->transaction == 0)
        return false;
    for (const struct ran_event *at = lock + 1; at < end; at++) {
        if (at->session != lock->session)
            continue;
        if (at->kind == RAN_UNLOCK && str_equal(at->sql, lock->sql))
            return at->transaction == lock->transaction;
        if (at->kind == RAN_COMMIT || at->kind == RAN_ROLLBACK)
            return false;
    }
    return false;
}

/* Whether one call of the source sends both: update_or_create() locks the row it is about to write. */
static bool is_same_call(const struct ran_event *a, const struct ran_event *b) {
    if (a->at == NULL || b->at == NULL)
        return false;
    const struct txn_span *x = &a->at->span, *y = &b->at->span;
    return x->start.line > 0 && x->start.line == y->start.line && x->start.column == y->start.column &&
           str_equal(x->path, y->path);
}

/* The class of a stale write that a lock was meant to protect, if there was one that both sessions took. */
static bool lock_rule(const struct classify *c, const struct ran_event *write,
                      const struct stale *stale, enum rule *rule) {
    for (const struct ran_event *at = c->trace->events.items; at < write; at++) {
        if (at->session != write->session || !(at->kind == RAN_LOCK || is_row_lock(at)) ||
            !has_counterpart(c, at))
            continue;
        if (is_row_lock(at) && is_same_call(at, write))
            continue;
        if (is_row_lock(at) && at->transaction == 0) {
            *rule = RULE_LOCK_WITHOUT_TRANSACTION;
            return true;
        }
        bool read_before = stale->read < at;
        if (read_before || has_earlier_read(c, at)) {
            *rule = RULE_LATE_LOCK;
            return true;
        }
        if (released_early(c, at)) {
            *rule = RULE_EARLY_UNLOCK;
            return true;
        }
    }
    return false;
}

/* Whether the condition is one of equalities: what is looked up is what would be created. A range, a NOT or an OR asks for
 * more than one row's absence. */
static bool is_lookup(const struct sql_expr *where) {
    if (where == NULL)
        return false;
    if (where->kind == SQL_BINARY && where->op == SQL_OP_AND)
        return is_lookup(where->args.items[0]) && is_lookup(where->args.items[1]);
    return (where->kind == SQL_BINARY && where->op == SQL_OP_EQ) ||
           (where->kind == SQL_IS_NULL && !where->is_negated);
}

static enum rule stale_rule(const struct classify *c, const struct ran_event *write,
                            const struct stale *stale, bool is_same_cell_read) {
    enum rule rule;
    if (lock_rule(c, write, stale, &rule))
        return rule;
    if (is_same_cell_read && stale->is_data)
        return RULE_READ_MODIFY_WRITE;
    bool is_insert = write->stmt != NULL && write->stmt->kind == SQL_STMT_INSERT;
    if (is_insert && found_nothing(stale->read) && write->write_count > 0 &&
        reads_table(stale->read->stmt->select, write->writes[0].table) &&
        is_lookup(stale->read->stmt->select->where))
        return RULE_DUPLICATE_CREATE;
    if (is_predicate_read(stale) || stale->is_data)
        return RULE_STALE_AGGREGATE;
    return RULE_CHECK_THEN_ACT;
}

/* Whether the session of `write` has inserted row `row` before, and has told nobody outside of the database since. */
static bool is_own_row(const struct classify *c, const struct ran_event *write, const struct db_ref *row) {
    bool is_own = false;
    for (const struct ran_event *at = c->trace->events.items; at < write; at++) {
        if (at->session != write->session)
            continue;
        if (at->kind == RAN_EFFECT)
            is_own = false;
        bool is_insert = at->kind == RAN_STATEMENT && at->stmt->kind == SQL_STMT_INSERT;
        for (size_t i = 0; is_insert && i < at->write_count; i++)
            is_own |= at->writes[i].table == row->table && at->writes[i].row == row->row;
    }
    return is_own;
}

/* Culprits. */

static struct culprit *add_culprit(const struct classify *c, struct witness *witness,
                                   const struct ran_event *write, enum rule rule) {
    struct culprit culprit = {.rule = rule, .session = write->session, .at = write->at,
                              .span = step_span(write->at), .table = SCHEMA_TABLES_MAX,
                              .write_transaction = write->transaction};
    if (write->write_count > 0) {
        culprit.table = write->writes[0].table;
        culprit.is_own_row = is_own_row(c, write, &write->writes[0]);
    }
    VEC_PUSH(c->arena, &witness->culprits, culprit);
    return &witness->culprits.items[witness->culprits.count - 1];
}

static void set_stale(const struct classify *c, struct culprit *culprit,
                      const struct stale *stale) {
    VEC_PUSH(c->arena, &culprit->reads, step_span(stale->read->at));
    VEC_PUSH(c->arena, &culprit->read_steps, stale->read->at);
    culprit->read_transaction = stale->read->transaction;
    culprit->other = stale->by->session;
    culprit->other_at = stale->by->at;
    culprit->other_span = step_span(stale->by->at);
}

/* The event that gave `column` of the row the value that `write` replaced; NULL if it was loaded. */
static const struct ran_event *writer_of(const struct classify *c,
                                           const struct ran_event *write, uint16_t column) {
    uint32_t version = write->writes[0].previous;
    struct value value = db_version_value(c->db, version, column);
    for (uint32_t before = db_version_previous(c->db, version); before != 0;
         before = db_version_previous(c->db, version)) {
        if (!value_equal(c->pool, db_version_value(c->db, before, column), value))
            break;
        version = before;
    }
    for (size_t i = 0; i < c->trace->events.count; i++) {
        const struct ran_event *event = &c->trace->events.items[i];
        for (size_t k = 0; is_write(c, event) && k < event->write_count; k++)
            if (event->writes[k].version == version)
                return event;
    }
    return NULL;
}

/* Columns that the program never assigned, written back over a newer value. */
static void find_clobber(const struct classify *c, const struct ran_event *write,
                         struct witness *witness) {
    struct culprit *culprit = NULL;
    if (write->stmt->kind != SQL_STMT_UPDATE || write->writes[0].previous == 0)
        return;
    for (size_t i = 0; i < write->cell_count; i++) {
        const struct trace_cell *cell = &write->cells[i];
        if (!cell->is_loaded || cell->is_assigned || cell->is_pending)
            continue;
        struct value old = db_version_value(c->db, write->writes[0].previous, cell->column);
        if (value_equal(c->pool, old, db_version_value(c->db, write->writes[0].version, cell->column)))
            continue;
        const struct ran_event *by = writer_of(c, write, cell->column);
        if (by == NULL)
            continue;
        enum rule rule = by->session == write->session ? RULE_ALIASED_OBJECTS
                                                       : RULE_STALE_SAVE;
        if (culprit == NULL) {
            struct stale stale = {.by = by};
            culprit = add_culprit(c, witness, write, rule);
            const struct trace_set *set = trace_set_get(c->trace, cell->deps);
            if (set->sources.count > 0) {
                stale.source = &set->sources.items[0];
                stale.read = event_at(c, stale.source->read);
                enum rule locked;
                set_stale(c, culprit, &stale);
                if (rule == RULE_STALE_SAVE && lock_rule(c, write, &stale, &locked))
                    culprit->rule = locked;
            } else {
                culprit->other = by->session;
                culprit->other_at = by->at;
                culprit->other_span = step_span(by->at);
            }
        }
        VEC_PUSH(c->arena, &culprit->columns, cell->column);
    }
}

static void find_data(const struct classify *c, const struct ran_event *write,
                      struct witness *witness) {
    struct culprit *culprit = NULL;
    for (size_t i = 0; i < write->cell_count; i++) {
        const struct trace_cell *cell = &write->cells[i];
        struct stale stale = {.is_data = true};
        if (!cell->is_assigned || !find_stale(c, cell->deps, write, &stale))
            continue;
        enum rule rule =
            stale_rule(c, write, &stale, is_same_cell(&stale, write, cell->column));
        if (culprit == NULL) {
            culprit = add_culprit(c, witness, write, rule);
            set_stale(c, culprit, &stale);
        } else if (rule != culprit->rule) {
            continue;
        }
        VEC_PUSH(c->arena, &culprit->columns, cell->column);
    }
}

/* The columns of a condition that a write changed. */
static void push_changed(const struct classify *c, const struct sql_expr *where,
                         const struct db_ref *wrote, struct culprit *culprit) {
    if (where == NULL)
        return;
    bool is_known = false;
    for (size_t i = 0; i < culprit->columns.count; i++)
        is_known |= culprit->columns.items[i] == where->column;
    if (where->kind == SQL_COLUMN && !is_known && condition_is_changed(c, where, where->source, wrote))
        VEC_PUSH(c->arena, &culprit->columns, where->column);
    for (size_t i = 0; i < where->args.count; i++)
        push_changed(c, where->args.items[i], wrote, culprit);
}

static void find_decision(const struct classify *c, const struct ran_event *write,
                          struct witness *witness) {
    struct stale stale = {0};
    if (!find_stale(c, write->control_deps, write, &stale) &&
        !find_stale(c, write->where_deps, write, &stale))
        return;
    enum rule rule = write->kind == RAN_EFFECT ? RULE_CHECK_THEN_ACT
                                                 : stale_rule(c, write, &stale, false);
    struct culprit *culprit = add_culprit(c, witness, write, rule);
    set_stale(c, culprit, &stale);
    const struct sql_expr *item = plain_item(stale.read, stale.source->item);
    if (write->kind == RAN_EFFECT || write->write_count == 0 ||
        stale.by->writes[0].table != write->writes[0].table)
        return;
    if (item != NULL)
        VEC_PUSH(c->arena, &culprit->columns, item->column);
    else
        push_changed(c, stale.read->stmt->select->where, &stale.by->writes[0], culprit);
}

static bool writes_pending_twice(const struct ran_event *write) {
    for (size_t i = 0; i < write->cell_count; i++)
        if (write->cells[i].is_pending && write->cells[i].times_sent > 0)
            return true;
    return false;
}

static void classify_hazards(const struct classify *c, const struct ran_event *write,
                             struct witness *witness) {
    if (write->stmt->kind == SQL_STMT_UPDATE && writes_pending_twice(write)) {
        struct culprit *culprit = add_culprit(c, witness, write, RULE_F_TWICE);
        for (size_t i = 0; i < write->cell_count; i++)
            if (write->cells[i].is_pending)
                VEC_PUSH(c->arena, &culprit->columns, write->cells[i].column);
        culprit->other = write->session;
    }
}

/* The read that loaded the object: what `deps` begins with. */
static void set_load(const struct classify *c, struct culprit *culprit, uint32_t deps) {
    const struct trace_set *set = trace_set_get(c->trace, deps);
    if (set->sources.count == 0)
        return;
    const struct ran_event *load = &c->trace->events.items[set->sources.items[0].read];
    VEC_PUSH(c->arena, &culprit->reads, step_span(load->at));
    VEC_PUSH(c->arena, &culprit->read_steps, load->at);
    culprit->read_transaction = load->transaction;
}

/* save() found its row gone and inserted it again. */
static bool find_resurrection(const struct classify *c, const struct ran_event *write,
                              struct witness *witness) {
    if (write->stmt->kind != SQL_STMT_INSERT || write->cell_count == 0 ||
        !write->cells[0].is_loaded || !write->at->sql.is_save)
        return false;
    for (size_t i = 0; i < c->trace->events.count; i++) {
        const struct ran_event *other = &c->trace->events.items[i];
        if (!is_write(c, other) || other->session == write->session ||
            other->stmt->kind != SQL_STMT_DELETE ||
            other->writes[0].table != write->writes[0].table)
            continue;
        struct culprit *culprit = add_culprit(c, witness, write, RULE_RESURRECTED_ROW);
        set_load(c, culprit, write->cells[0].deps);
        culprit->is_own_row = is_own_row(c, write, &other->writes[0]);
        culprit->other = other->session;
        culprit->other_at = other->at;
        culprit->other_span = step_span(other->at);
        return true;
    }
    return false;
}

/* An UPDATE or DELETE of this session before `event` that found no row any more: where it could have noticed. */
static const struct ran_event *vain_write(const struct classify *c, const struct ran_event *event) {
    for (const struct ran_event *at = event; at-- > c->trace->events.items;)
        if (at->session == event->session && at->kind == RAN_STATEMENT &&
            at->error == DB_OK_NO_ERROR && at->write_count == 0 &&
            (at->stmt->kind == SQL_STMT_UPDATE || at->stmt->kind == SQL_STMT_DELETE))
            return at;
    return NULL;
}

/* Something outside the database that was decided by, or told of, what is no longer so. */
static void find_effect(const struct classify *c, const struct ran_event *effect,
                        struct witness *witness) {
    struct stale stale = {0};
    bool is_decided = find_stale(c, effect->control_deps, effect, &stale);
    if (!is_decided) {
        stale.is_data = true;
        if (!find_stale(c, effect->effect_deps, effect, &stale))
            return;
    }
    const struct ran_event *vain = is_decided ? vain_write(c, effect) : NULL;
    struct culprit *culprit = add_culprit(c, witness, vain != NULL ? vain : effect,
                                          is_decided ? RULE_CHECK_THEN_ACT : RULE_STALE_AGGREGATE);
    if (vain != NULL)
        culprit->table = vain->stmt->kind == SQL_STMT_UPDATE
                             ? vain->stmt->update->target.table_index
                             : vain->stmt->delete_->target.table_index;
    set_stale(c, culprit, &stale);
}

/* A write that follows an UPDATE or DELETE of the same session that did not see what another wrote: it was to come upon
 * every row of some kind, and one more came to be. */
static void find_stale_choice(const struct classify *c, const struct ran_event *write,
                              struct witness *witness) {
    for (const struct ran_event *at = c->trace->events.items; at < write; at++) {
        bool is_choice = at->kind == RAN_STATEMENT && at->error == DB_OK_NO_ERROR &&
                         (at->stmt->kind == SQL_STMT_UPDATE || at->stmt->kind == SQL_STMT_DELETE);
        if (!is_choice || at->session != write->session)
            continue;
        bool is_update = at->stmt->kind == SQL_STMT_UPDATE;
        const struct sql_source *target = is_update ? &at->stmt->update->target
                                                    : &at->stmt->delete_->target;
        const struct sql_expr *where = is_update ? at->stmt->update->where : at->stmt->delete_->where;
        for (size_t i = 0; i < c->trace->events.count; i++) {
            const struct ran_event *other = &c->trace->events.items[i];
            if (other->session == write->session || !is_write(c, other) ||
                other->writes[0].table != target->table_index ||
                !is_after(publication(c, other), at) ||
                !changes_choice(c, where, 0, &other->writes[0]))
                continue;
            struct culprit *culprit = add_culprit(c, witness, write, RULE_STALE_AGGREGATE);
            struct stale stale = {.read = at, .by = other};
            set_stale(c, culprit, &stale);
            for (size_t k = 0; k < write->cell_count; k++)
                VEC_PUSH(c->arena, &culprit->columns, write->cells[k].column);
            return;
        }
    }
}

static bool shares_read(const struct culprit *a, const struct culprit *b) {
    for (size_t i = 0; i < a->read_steps.count; i++)
        for (size_t k = 0; k < b->read_steps.count; k++)
            if (a->read_steps.items[i] == b->read_steps.items[k])
                return true;
    return false;
}

static bool comes_after(const struct culprit *a, const struct culprit *b, bool in_trace) {
    if (a->session == b->session || !str_equal(a->span.path, b->span.path))
        return in_trace;
    return a->span.start.line > b->span.start.line;
}

/* Whether `a` follows from the mistake that `b` tells: decided by the same stale read, be it in another session with the same
 * program. Of an effect and a write the write tells it, of two decisions the first. */
static bool is_consequence(const struct culprit *a, const struct culprit *b, bool is_later) {
    bool is_decision = a->rule == RULE_CHECK_THEN_ACT || a->rule == RULE_STALE_AGGREGATE ||
                       a->rule == RULE_DUPLICATE_CREATE;
    if (b->table == SCHEMA_TABLES_MAX || !shares_read(a, b))
        return false;
    return a->table == SCHEMA_TABLES_MAX || (is_decision && comes_after(a, b, is_later));
}

static void drop_consequences(struct arena *arena, struct witness *witness) {
    size_t kept = 0, count = witness->culprits.count;
    struct culprit *items = witness->culprits.items;
    bool *is_told = ARENA_ARRAY(arena, bool, count);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < count; k++)
            is_told[i] |= k != i && is_consequence(&items[i], &items[k], k < i);
    for (size_t i = 0; i < count; i++)
        if (!is_told[i])
            items[kept++] = items[i];
    witness->culprits.count = kept;
}

void classify_trace(struct classify *c, struct witness *witness) {
    for (size_t i = 0; i < c->trace->events.count; i++) {
        const struct ran_event *event = &c->trace->events.items[i];
        if (is_write(c, event)) {
            size_t before = witness->culprits.count;
            classify_hazards(c, event, witness);
            if (find_resurrection(c, event, witness))
                continue;
            find_data(c, event, witness);
            find_clobber(c, event, witness);
            if (witness->culprits.count == before)
                find_decision(c, event, witness);
        } else if (event->kind == RAN_EFFECT) {
            find_effect(c, event, witness);
        }
    }
    drop_consequences(c->arena, witness);
    for (size_t i = 0; i < c->trace->events.count && witness->culprits.count == 0; i++)
        if (is_write(c, &c->trace->events.items[i]))
            find_stale_choice(c, &c->trace->events.items[i], witness);
}
