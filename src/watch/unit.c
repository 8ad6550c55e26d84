/* Units of work: what a session has committed together, or would have but for a test, put together for recall.c. */
#include "watch/own.h"

static const struct seen_value not_told = {.state = TRACE_ABSENT};

struct building {
    struct watch *watch;
    const struct session *session;
    uint64_t transaction; /* 0: none, the unit is one statement */
    struct unit unit;
    bool is_whole;
};

static const struct seen_value *key_read(const struct building *b, const struct row_read *read, uint32_t table) {
    uint32_t key = tables_key(&b->watch->tables, table);
    for (size_t i = 0; read != NULL && i < read->value_count; i++)
        if (read->values[i].column == key)
            return &read->values[i].value;
    return &not_told;
}

static uint32_t row_of(struct building *b, uint64_t row, uint32_t table, const struct seen_value *key) {
    struct unit *unit = &b->unit;
    uint32_t name = tables_bare(&b->watch->tables, table); /* programs run in one place */
    for (uint32_t i = 0; i < unit->row_count; i++)
        if (unit->rows[i].row == row && unit->rows[i].table == name)
            return i;
    if (unit->row_count == UNIT_ROWS_MAX) {
        b->is_whole = false;
        return NO_ROW;
    }
    bool is_doubtful;
    const struct row_read *read = session_find_read(b->session, row, table, INT64_MIN, &is_doubtful);
    if (is_doubtful || (read != NULL && (read->origin.meaning == NULL || read->origin.meaning->kind != MEANS_READ)))
        read = NULL;
    unit->rows[unit->row_count] = (struct unit_row){.row = row, .table = name, .read = read,
                                                     .key = key != NULL ? key : key_read(b, read, table)};
    return (uint32_t)unit->row_count++;
}

static void add_item(struct building *b, struct unit_item item) {
    if (b->unit.item_count == UNIT_ITEMS_MAX)
        b->is_whole = false;
    else
        b->unit.items[b->unit.item_count++] = item;
}

static bool has_read(const struct building *b, uint32_t row, uint64_t seq) {
    for (size_t i = 0; i < b->unit.item_count; i++)
        if (b->unit.items[i].kind == UNIT_READ && b->unit.items[i].row == row && b->unit.items[i].seq == seq)
            return true;
    return false;
}

static void add_read(struct building *b, const struct origin *origin, uint32_t row, bool is_atomic, bool is_locked) {
    if (!has_read(b, row, origin->seq))
        add_item(b, (struct unit_item){.kind = UNIT_READ, .origin = origin, .seq = origin->seq, .row = row,
                                       .is_atomic = is_atomic, .is_locked = is_locked});
}

static void add_write(struct building *b, const struct row_write *write) {
    if (write->is_of_absence) {
        add_item(b, (struct unit_item){.kind = UNIT_ABSENCE, .origin = &write->read, .seq = write->read.seq, .row = NO_ROW,
                                       .is_atomic = write->read_is_same_transaction, .write = write});
        return;
    }
    uint32_t row = row_of(b, write->row, write->table, &write->key);
    if (write->kind == WROTE_INSERT)
        return; /* its statement is one by itself */
    bool is_read = write->read.seq != 0 && !write->read_is_doubtful && write->read.meaning != NULL;
    if (is_read && write->read.meaning->kind == MEANS_READ)
        add_read(b, &write->read, row, write->read_is_same_transaction, write->read_is_locked);
    add_item(b, (struct unit_item){.kind = UNIT_WRITE, .origin = &write->origin, .seq = write->origin.seq, .row = row,
                                   .is_atomic = b->transaction != 0, .write = write});
}

/* Rows that are locked while others are written: who locks them too waits. */
static void add_locks(struct building *b) {
    const struct session *session = b->session;
    for (size_t i = 0; b->transaction != 0 && i < session->read_count; i++) {
        const struct row_read *read = &session->reads[i];
        if (read->transaction == b->transaction && read->is_locking && read->row != 0 && !read->is_absence)
            add_read(b, &read->origin, row_of(b, read->row, read->table, NULL), true, true);
    }
}

/* The row that the statement made; its key may be the database's. */
static uint32_t made_row(struct building *b, const struct loose_statement *loose) {
    const struct meaning *meaning = loose->origin.meaning;
    uint32_t key = tables_key(&b->watch->tables, meaning->table);
    for (size_t i = 0; i < b->session->pending.count; i++) {
        const struct row_write *write = b->session->pending.items[i];
        if (write->origin.seq != loose->origin.seq || write->kind != WROTE_INSERT || write->is_of_absence)
            continue;
        uint32_t row = row_of(b, write->row, write->table, &write->key);
        if (row == NO_ROW)
            return row;
        b->unit.rows[row].is_made = true;
        for (size_t k = 0; k < meaning->set.count; k++)
            b->unit.rows[row].is_made &= meaning->set.items[k].column != key;
        return row;
    }
    return NO_ROW;
}

static bool is_written(const struct building *b, const struct seen_value *value) {
    const struct session *session = b->session;
    for (size_t i = 0; i < session->pending.count; i++)
        for (size_t k = 0; k < session->pending.items[i]->column_count; k++)
            if (seen_equal(&session->pending.items[i]->columns[k].value, value))
                return true;
    for (size_t i = 0; i < session->loose.count; i++)
        for (size_t k = 0; session->loose.items[i].origin.meaning->kind != MEANS_READ && k < session->loose.items[i].value_count; k++)
            if (seen_equal(&session->loose.items[i].values[k], value))
                return true;
    return false;
}

static void add_loose(struct building *b, const struct loose_statement *loose) {
    bool is_read = loose->origin.meaning->kind == MEANS_READ, is_atomic = b->transaction != 0 && loose->transaction == b->transaction;
    if (is_read && (loose->result.state != TRACE_VALUE || !is_written(b, &loose->result)))
        return;
    add_item(b, (struct unit_item){.kind = is_read ? UNIT_VALUE : UNIT_STATEMENT, .origin = &loose->origin,
                                   .seq = loose->origin.seq, .row = is_read ? NO_ROW : made_row(b, loose),
                                   .is_atomic = is_atomic, .loose = loose});
}

static void sort(struct unit *unit) {
    for (size_t i = 1; i < unit->item_count; i++) {
        struct unit_item item = unit->items[i];
        size_t at = i;
        for (; at > 0 && unit->items[at - 1].seq > item.seq; at--)
            unit->items[at] = unit->items[at - 1];
        unit->items[at] = item;
    }
}

/* What tests do, and with rows that they have read, is not the application's. */
static bool is_of_test(const struct session *session) {
    for (size_t i = 0; i < session->pending.count; i++)
        if (session->pending.items[i]->origin.is_of_test || session->pending.items[i]->read.is_of_test)
            return true;
    for (size_t i = 0; i < session->loose.count; i++)
        if (session->loose.items[i].origin.is_of_test && session->loose.items[i].origin.meaning->kind != MEANS_READ)
            return true;
    return false;
}

void watch_recall(struct watch *watch, const struct session *session, uint64_t transaction) {
    struct building b = {.watch = watch, .session = session, .transaction = transaction,
                         .is_whole = !session->is_unit_cut && session->pending.count <= UNIT_ITEMS_MAX};
    bool writes = session->pending.count > 0;
    for (size_t i = 0; i < session->loose.count; i++)
        writes |= session->loose.items[i].origin.meaning->kind != MEANS_READ;
    if (!writes || is_of_test(session))
        return;
    for (size_t i = 0; b.is_whole && i < session->pending.count; i++)
        add_write(&b, session->pending.items[i]);
    for (size_t i = 0; b.is_whole && i < session->loose.count; i++)
        add_loose(&b, &session->loose.items[i]);
    if (b.is_whole)
        add_locks(&b);
    sort(&b.unit);
    if (b.is_whole)
        recall_add(&watch->recall, &b.unit);
    else
        watch->recall.left_out_count++;
}
