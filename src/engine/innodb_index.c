/* Index records: which there are, in what order, and who made them. */
#include "engine/innodb.h"

uint8_t innodb_clustered(const struct db *db, uint16_t table) {
    return db_table(db, table)->has_primary_key ? 0 : INNODB_ROWID;
}

struct innodb_entry innodb_entry_of(const struct db *db, uint32_t version) {
    LW_ASSERT(version > 0 && version < db->versions.count);
    return (struct innodb_entry){version_values(db, version), db->versions.items[version].row};
}

static int columns_order(const struct db *db, const struct key *key, const struct value *a,
                         const struct value *b) {
    for (size_t i = 0; i < key->column_count; i++) {
        int order = eval_key_order(&db->query.eval, a[key->columns[i]], b[key->columns[i]]);
        if (order != 0)
            return order;
    }
    return 0;
}

int innodb_entry_order(const struct db *db, uint16_t table, uint8_t key, struct innodb_entry a,
                       struct innodb_entry b) {
    const struct table *schema = db_table(db, table);
    if (key != INNODB_ROWID) {
        int order = columns_order(db, &schema->keys.items[key], a.values, b.values);
        if (order != 0 || (key == 0 && schema->has_primary_key))
            return order;
    }
    if (schema->has_primary_key)
        return columns_order(db, &schema->keys.items[0], a.values, b.values);
    return (a.row > b.row) - (a.row < b.row);
}

bool innodb_same_record(const struct db *db, uint16_t table, uint8_t key, uint32_t a, uint32_t b) {
    if (a == b || a == 0 || b == 0)
        return a == b;
    return innodb_entry_order(db, table, key, innodb_entry_of(db, a), innodb_entry_of(db, b)) == 0;
}

bool innodb_is_purged(const struct db *db, uint32_t version) {
    return db->versions.items[version].writer == 0;
}

/* A row goes into the clustered index first and then into each other one, where it may have to wait (struct row_work).
 * UNTOUCHED: the index has not heard of the version. MARKED: the entry of the version before is marked as deleted. */
enum progress { DONE, UNTOUCHED, MARKED };

static enum progress progress_of(const struct db *db, uint16_t table, uint8_t key, uint32_t version) {
    const struct txn *writer = &db->txns.items[db->versions.items[version].writer];
    if (writer->status != TXN_ACTIVE || key == innodb_clustered(db, table) || db->is_loading)
        return DONE;
    const struct row_works *works = &db->lists[writer->session].under_way;
    for (size_t i = 0; i < works->count; i++)
        if (works->items[i].version == version && key >= works->items[i].keys_done)
            return key == works->items[i].keys_done && works->items[i].is_marked ? MARKED
                                                                                 : UNTOUCHED;
    return DONE;
}

uint32_t innodb_index_version(const struct db *db, uint16_t table, uint8_t key, uint16_t row) {
    uint32_t newest = db->rows.items[row].newest;
    if (newest == 0)
        return 0;
    enum progress progress = progress_of(db, table, key, newest);
    uint32_t version = progress == DONE ? newest : db->versions.items[newest].previous;
    return progress == MARKED || version == 0 || version_is_deleted(db, version) ? 0 : version;
}

uint32_t innodb_replaced_version(const struct db *db, uint32_t version) {
    uint16_t own = db->versions.items[version].row, table = db->rows.items[own].table;
    uint8_t clustered = innodb_clustered(db, table);
    uint32_t replaced = 0;
    for (uint16_t row = db->tables.items[table].first_row; row != 0 && clustered != INNODB_ROWID;
         row = db->rows.items[row].next) {
        uint32_t newest = db->rows.items[row].newest;
        if (row != own && newest > replaced && version_is_deleted(db, newest) &&
            innodb_same_record(db, table, clustered, newest, version))
            replaced = newest;
    }
    return replaced;
}

bool innodb_is_live(const struct db *db, uint16_t table, uint8_t key, uint32_t version) {
    uint32_t live = innodb_index_version(db, table, key, db->versions.items[version].row);
    return live != 0 && innodb_same_record(db, table, key, live, version);
}

uint32_t innodb_live_version(const struct db *db, uint16_t table, uint8_t key, uint32_t version) {
    uint16_t row = db->tables.items[table].first_row;
    for (; row != 0; row = db->rows.items[row].next) {
        uint32_t live = innodb_index_version(db, table, key, row);
        if (live != 0 && innodb_same_record(db, table, key, live, version))
            return live;
    }
    return 0;
}

/* Adds the records of one row: of the newest version, and of older ones with other keys until purge. */
static void add_row_records(struct db *db, uint16_t table, uint8_t key, uint16_t row,
                            struct innodb_records *records) {
    size_t first = records->count;
    uint32_t version = db->rows.items[row].newest, newer = 0;
    enum progress progress = version != 0 ? progress_of(db, table, key, version) : DONE;
    if (progress != DONE) {
        newer = progress == MARKED ? version : 0;
        version = db->versions.items[version].previous;
    }
    for (; version != 0; newer = version, version = db->versions.items[version].previous) {
        if (newer != 0 && innodb_is_purged(db, newer))
            return;
        if (version_is_deleted(db, version))
            continue; /* its values are those of the version before, which comes next */
        bool is_known = false;
        for (size_t i = first; i < records->count && !is_known; i++)
            is_known = innodb_same_record(db, table, key, records->items[i].version, version);
        if (!is_known)
            records->items[records->count++] = (struct innodb_record){version, newer != 0};
    }
}

size_t innodb_version_count(const struct db *db, uint16_t table) {
    size_t bound = 0;
    for (uint16_t row = db->tables.items[table].first_row; row != 0; row = db->rows.items[row].next)
        for (uint32_t v = db->rows.items[row].newest; v != 0; v = db->versions.items[v].previous)
            bound++;
    return bound;
}

/* Insertion sort: rows mostly come in order of their keys. A record that was deleted and put in again is
 * one record, of the later row. */
static void sort_records(const struct db *db, uint16_t table, uint8_t key,
                         struct innodb_records *records) {
    size_t count = 0;
    for (size_t i = 0; i < records->count; i++) {
        struct innodb_record record = records->items[i];
        struct innodb_entry entry = innodb_entry_of(db, record.version);
        size_t at = count;
        int order = -1;
        while (at > 0) {
            order = innodb_entry_order(db, table, key,
                                       innodb_entry_of(db, records->items[at - 1].version), entry);
            if (order <= 0)
                break;
            at--;
        }
        if (at > 0 && order == 0) {
            if (records->items[at - 1].is_deleted)
                records->items[at - 1] = record;
            continue;
        }
        for (size_t k = count; k > at; k--)
            records->items[k] = records->items[k - 1];
        records->items[at] = record;
        count++;
    }
    records->count = count;
}

struct innodb_records innodb_records(struct db *db, uint16_t table, uint8_t key) {
    struct innodb_records records = {
        ARENA_ARRAY(&db->scratch, struct innodb_record, innodb_version_count(db, table)), 0};
    for (uint16_t row = db->tables.items[table].first_row; row != 0; row = db->rows.items[row].next)
        add_row_records(db, table, key, row, &records);
    sort_records(db, table, key, &records);
    return records;
}

size_t innodb_seek(const struct db *db, const struct innodb_records *records, uint16_t table,
                   uint8_t key, struct innodb_entry entry) {
    size_t i = 0;
    while (i < records->count &&
           innodb_entry_order(db, table, key, innodb_entry_of(db, records->items[i].version),
                              entry) < 0)
        i++;
    return i;
}

uint32_t innodb_record_at(const struct innodb_records *records, size_t index) {
    return index < records->count ? records->items[index].version : 0;
}

/* In the clustered index every change of a row marks its record; in another only one that puts a record
 * there or deletes it. */
static uint16_t row_implicit_owner(const struct db *db, uint16_t table, uint8_t key, uint16_t row,
                                   uint32_t record) {
    uint32_t newest = db->rows.items[row].newest;
    enum progress progress = newest != 0 ? progress_of(db, table, key, newest) : DONE;
    if (progress == UNTOUCHED)
        newest = db->versions.items[newest].previous;
    if (newest == 0)
        return 0;
    uint16_t writer = db->versions.items[newest].writer;
    if (db->txns.items[writer].status != TXN_ACTIVE)
        return 0;
    bool is_clustered = key == innodb_clustered(db, table), is_touched = is_clustered;
    bool was_there = false, is_there = progress != MARKED && !version_is_deleted(db, newest) &&
                                       innodb_same_record(db, table, key, newest, record);
    bool was_ever = is_there;
    for (uint32_t v = newest; v != 0; v = db->versions.items[v].previous) {
        bool has = v == newest ? is_there
                               : !version_is_deleted(db, v) &&
                                     innodb_same_record(db, table, key, v, record);
        was_ever = was_ever || has;
        if (db->versions.items[v].writer != writer) {
            was_there = has;
            break;
        }
        if (has != is_there)
            is_touched = true;
    }
    return was_ever && (is_touched || was_there != is_there) ? writer : 0;
}

uint16_t innodb_implicit_owner(const struct db *db, uint16_t table, uint8_t key, uint32_t version) {
    if (version == 0)
        return 0;
    uint16_t owner = row_implicit_owner(db, table, key, db->versions.items[version].row, version);
    uint16_t row = db->tables.items[table].first_row;
    for (; row != 0 && owner == 0; row = db->rows.items[row].next)
        owner = row_implicit_owner(db, table, key, row, version);
    return owner;
}
