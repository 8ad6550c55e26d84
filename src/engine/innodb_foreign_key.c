/* Foreign keys, checked index by index: a child looks for its parent when its entry goes into the index of the foreign key;
 * children are looked for when the entry they refer to has been marked as deleted, and an action changes each before it
 * goes on to the next, with all its indexes and its own children (row_upd_check_references_constraints,
 * row_ins_check_foreign_constraint, row_ins_foreign_check_on_constraint).
 *
 * A look at an index that had to wait begins anew, with the first foreign key; not so a child's own change.
 */
#include "engine/exec.h"
#include "engine/innodb.h"
#include "engine/version.h"

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

/* The order of two rows by the columns of one and of the other. */
static int columns_order(const struct db *db, const uint16_t *a_columns, const struct value *a,
                         const uint16_t *b_columns, const struct value *b, size_t count) {
    int order = 0;
    for (size_t i = 0; i < count && order == 0; i++)
        order = eval_key_order(&db->query.eval, a[a_columns[i]], b[b_columns[i]]);
    return order;
}

static bool has_null(const uint16_t *columns, size_t count, const struct value *values) {
    for (size_t i = 0; i < count; i++)
        if (values[columns[i]].kind == VALUE_NULL)
            return true;
    return false;
}

static enum step lock_record(struct db *db, size_t session, uint16_t table, uint8_t key,
                             uint32_t version, enum innodb_mode mode, enum innodb_type type) {
    struct innodb_request request = {
        .table = table, .key = key, .version = version, .mode = mode, .type = type};
    return innodb_lock(db, session, &request);
}

/* Whether the gap is locked where a parent or a child is missing: see TRAIT_FOREIGN_KEY_GAPS for READ COMMITTED. */
static bool locks_gaps(const struct db *db, size_t session) {
    return innodb_locks_gaps(db, session) || db_config_has(&db->config, TRAIT_FOREIGN_KEY_GAPS);
}

/* ---- the parent of a child ---- */

static enum step fail_foreign_key(struct db *db, const struct foreign_key *fk) {
    return db_fail(db, DB_ERROR_FOREIGN_KEY, "%.*s", STR_ARG(fk->name));
}

/* Locks the parent of a child with these values, by record alone; the gap where it would be if it is not. */
static enum step lock_parent(struct db *db, size_t session, const struct foreign_key *fk,
                             const struct value *values) {
    int k = key_on(db_table(db, fk->parent), fk->parent_columns, fk->column_count);
    bool gaps = locks_gaps(db, session);
    if (k < 0)
        return fail_foreign_key(db, fk);
    innodb_lock_table(db, session, fk->parent, INNODB_S);
    session_exec(db, session)->footprint.reads |= table_bit(fk->parent);
    struct innodb_records records = innodb_records(db, fk->parent, (uint8_t)k);
    size_t i = 0;
    for (; i < records.count; i++) {
        uint32_t version = records.items[i].version;
        int order = columns_order(db, fk->parent_columns, version_values(db, version), fk->columns,
                                  values, fk->column_count);
        if (order > 0)
            break;
        if (order < 0)
            continue;
        bool live = innodb_is_live(db, fk->parent, (uint8_t)k, version);
        enum step step = lock_record(db, session, fk->parent, (uint8_t)k, version, INNODB_S,
                                     live || !gaps ? INNODB_REC : INNODB_NEXT_KEY);
        if (step != STEP_OK)
            return step;
        if (innodb_is_live(db, fk->parent, (uint8_t)k, version))
            return STEP_OK;
    }
    if (gaps) {
        enum step step = lock_record(db, session, fk->parent, (uint8_t)k,
                                     innodb_record_at(&records, i), INNODB_S, INNODB_GAP);
        if (step != STEP_OK)
            return step;
    }
    return fail_foreign_key(db, fk);
}

enum step innodb_check_parents(struct db *db, size_t session, size_t depth, uint16_t table, int k,
                               const struct value *values) {
    const struct table *schema = db_table(db, table);
    const struct row_work *works = db->lists[session].under_way.items;
    for (size_t i = 0; i < schema->foreign_keys.count; i++) {
        const struct foreign_key *fk = &schema->foreign_keys.items[i];
        bool is_action = depth > 0 && works[depth - 1].acting_table == table &&
                         works[depth - 1].acting_key == i; /* the parent may not be there yet */
        if (is_action || key_on(schema, fk->columns, fk->column_count) != k ||
            has_null(fk->columns, fk->column_count, values))
            continue;
        enum step step = lock_parent(db, session, fk, values);
        if (step != STEP_OK)
            return step;
    }
    return STEP_OK;
}

/* ---- the children of a parent ---- */

/* A foreign key that refers to a key, and the table that has it. */
struct referring {
    uint16_t child;
    const struct foreign_key *fk;
};

static bool is_before(const struct referring *a, const struct referring *b) {
    int order = str_compare(a->fk->name, b->fk->name);
    return order < 0 || (order == 0 && a->child < b->child);
}

/* The one that refers to key `k` of the table and follows `*last` (fk NULL: the first), by the names of the constraints
 * (dict_foreign_set); false: none. */
static bool next_referring(const struct db *db, uint16_t table, int k, struct referring *last) {
    struct referring best = {0};
    for (uint16_t t = 0; t < db->schema->tables.count; t++) {
        const struct table *child = db_table(db, t);
        for (size_t i = 0; i < child->foreign_keys.count; i++) {
            struct referring at = {t, &child->foreign_keys.items[i]};
            if (at.fk->parent == table && (last->fk == NULL || is_before(last, &at)) &&
                (best.fk == NULL || is_before(&at, &best)) &&
                key_on(db_table(db, table), at.fk->parent_columns, at.fk->column_count) == k)
                best = at;
        }
    }
    *last = best;
    return best.fk != NULL;
}

static enum fk_action action_of(const struct foreign_key *fk, const struct value *values) {
    return values == NULL ? fk->on_delete : fk->on_update;
}

static bool is_forbidden(const struct foreign_key *fk, const struct value *values) {
    enum fk_action action = action_of(fk, values);
    return action == FK_NO_ACTION || action == FK_RESTRICT;
}

/* A key of a row that is given up: the version that has it, and the values that come after (NULL: the row is deleted). */
struct given_up {
    uint16_t table;
    int key;
    uint32_t old;
    const struct value *values;
};

static bool is_given_up(struct db *db, const struct given_up *given_up,
                        const struct foreign_key *fk) {
    const struct value *before = version_values(db, given_up->old);
    return !has_null(fk->parent_columns, fk->column_count, before) &&
           (given_up->values == NULL ||
            !columns_equal(db, fk->parent_columns, before, fk->parent_columns, given_up->values,
                           fk->column_count));
}

/* Changes a child as the action says. */
static enum step act_on_child(struct db *db, size_t session, const struct given_up *given_up,
                              const struct referring *referring, uint32_t version) {
    const struct value *values;
    uint32_t newest = db->rows.items[db->versions.items[version].row].newest;
    if (!foreign_key_action_values(db, referring->child, referring->fk,
                                   action_of(referring->fk, given_up->values), newest,
                                   given_up->values, &values))
        return db_fail_eval(db);
    return innodb_write_child(db, session, newest, values);
}

/* Locks an entry of the foreign key, S, and if it is to be acted on its row, X. */
static enum step lock_child(struct db *db, size_t session, uint16_t table, uint8_t key,
                            uint32_t version, bool live, bool acts) {
    enum step step = lock_record(db, session, table, key, version, INNODB_S,
                                 live || !locks_gaps(db, session) ? INNODB_REC : INNODB_NEXT_KEY);
    if (step != STEP_OK || !live || !acts)
        return step;
    innodb_lock_table(db, session, table, INNODB_X);
    return lock_record(db, session, table, innodb_clustered(db, table), version, INNODB_X,
                       INNODB_REC);
}

/* Whether the record stands behind the child that was dealt with last. */
static bool is_behind(const struct db *db, uint16_t table, uint8_t key, uint32_t record,
                      uint32_t child) {
    return child == 0 || innodb_entry_order(db, table, key, innodb_entry_of(db, record),
                                            innodb_entry_of(db, child)) > 0;
}

/* Looks for the children that refer to the key given up, and forbids that, or acts on each. `*done`: the version of the
 * last child dealt with, 0: none yet. */
static enum step go_through_children(struct db *db, size_t session,
                                     const struct given_up *given_up,
                                     const struct referring *referring, uint32_t *done) {
    const struct foreign_key *fk = referring->fk;
    uint16_t table = referring->child;
    int k = key_on(db_table(db, table), fk->columns, fk->column_count);
    LW_ASSERT(k >= 0); /* innodb_schema saw to it */
    uint8_t key = (uint8_t)k;
    bool forbids = is_forbidden(fk, given_up->values);
    innodb_lock_table(db, session, table, INNODB_S);
    struct innodb_records records = innodb_records(db, table, key);
    size_t i = 0;
    while (i < records.count) {
        uint32_t version = records.items[i].version;
        int order = columns_order(db, fk->columns, version_values(db, version), fk->parent_columns,
                                  version_values(db, given_up->old), fk->column_count);
        if (order > 0)
            break;
        i++;
        if (order < 0 || !is_behind(db, table, key, version, *done))
            continue;
        bool live = innodb_is_live(db, table, key, version);
        enum step step = lock_child(db, session, table, key, version, live, !forbids);
        if (step != STEP_OK)
            return step;
        if (innodb_is_live(db, table, key, version) != live) {
            /* Whoever was in the way fell to a deadlock, and what it did is undone: look again. */
            records = innodb_records(db, table, key);
            i = 0;
            continue;
        }
        if (!live)
            continue;
        if (forbids)
            return db_fail(db, DB_ERROR_REFERENCED, "%.*s", STR_ARG(fk->name));
        *done = version; /* where to go on, should the child's own change wait */
        step = act_on_child(db, session, given_up, referring, version);
        if (step != STEP_OK)
            return step;
        records = innodb_records(db, table, key);
        i = 0;
    }
    if (!locks_gaps(db, session))
        return STEP_OK;
    return lock_record(db, session, table, key, innodb_record_at(&records, i), INNODB_S, INNODB_GAP);
}

enum step innodb_forbid_children(struct db *db, size_t session, uint16_t table, int k,
                                 uint32_t old, const struct value *values) {
    struct given_up given_up = {table, k, old, values};
    struct referring referring = {0};
    while (next_referring(db, table, k, &referring)) {
        uint32_t done = 0;
        if (!is_forbidden(referring.fk, values) || !is_given_up(db, &given_up, referring.fk))
            continue;
        enum step step = go_through_children(db, session, &given_up, &referring, &done);
        if (step != STEP_OK)
            return step;
    }
    return STEP_OK;
}

enum step innodb_act_on_children(struct db *db, size_t session, size_t depth, int k, uint32_t old,
                                 const struct value *values, bool forbids) {
    struct row_works *works = &db->lists[session].under_way;
    uint16_t table = db->rows.items[db->versions.items[old].row].table;
    struct given_up given_up = {table, k, old, values};
    struct referring referring = {0};
    uint16_t at = 0;
    bool is_child_open = works->count > depth + 1; /* its change had to wait */
    if (is_child_open) {
        enum step step = innodb_finish_row(db, session, depth + 1);
        if (step != STEP_OK)
            return step;
    }
    for (; next_referring(db, table, k, &referring); at++) {
        bool is_skipped = is_forbidden(referring.fk, values) && !forbids;
        if (at < works->items[depth].action || is_skipped ||
            !is_given_up(db, &given_up, referring.fk))
            continue;
        uint32_t done = at == works->items[depth].action ? works->items[depth].child : 0;
        works->items[depth].acting_table = referring.child;
        works->items[depth].acting_key =
            (uint16_t)(referring.fk - db_table(db, referring.child)->foreign_keys.items);
        enum step step = go_through_children(db, session, &given_up, &referring, &done);
        bool goes_on = step == STEP_WAIT && works->count > depth + 1;
        works->items[depth].action = goes_on ? at : 0;
        works->items[depth].child = goes_on ? done : 0;
        if (step != STEP_OK)
            return step;
        works->items[depth].action = at;
    }
    return STEP_OK;
}
