/* Gives every string of a tree a home in one arena, each text once. */
#include "sql/own.h"

struct str own_text(struct owner *owner, struct str text) {
    if (text.len == 0)
        return text.ptr != NULL ? STR("") : text;
    const struct str *known = map_get(&owner->texts, text);
    if (known != NULL)
        return *known;
    struct str *copy = ARENA_NEW(owner->arena, struct str);
    *copy = str_dup(owner->arena, text);
    map_put(&owner->texts, *copy, copy);
    return *copy;
}

#define OWN(owner, field) ((field) = own_text((owner), (field)))

static void own_select(struct owner *owner, struct sql_select *select);

void own_sql_expr(struct owner *owner, struct sql_expr *expr) {
    if (expr == NULL)
        return;
    OWN(owner, expr->qualifier);
    OWN(owner, expr->name);
    for (size_t i = 0; i < expr->args.count; i++)
        own_sql_expr(owner, expr->args.items[i]);
    own_select(owner, expr->select);
}

static void own_sources(struct owner *owner, struct sql_source *sources, size_t count) {
    for (size_t i = 0; i < count; i++) {
        OWN(owner, sources[i].table);
        OWN(owner, sources[i].alias);
        own_select(owner, sources[i].subquery);
        own_sql_expr(owner, sources[i].on);
    }
}

static void own_items(struct owner *owner, struct sql_item *items, size_t count) {
    for (size_t i = 0; i < count; i++) {
        OWN(owner, items[i].star_of);
        OWN(owner, items[i].alias);
        own_sql_expr(owner, items[i].expr);
    }
}

static void own_order(struct owner *owner, struct sql_order *orders, size_t count) {
    for (size_t i = 0; i < count; i++)
        own_sql_expr(owner, orders[i].expr);
}

static void own_texts(struct owner *owner, struct str *texts, size_t count) {
    for (size_t i = 0; i < count; i++)
        OWN(owner, texts[i]);
}

static void own_set(struct owner *owner, struct sql_assignment *set, size_t count) {
    for (size_t i = 0; i < count; i++) {
        OWN(owner, set[i].column);
        own_sql_expr(owner, set[i].value);
    }
}

static void own_select(struct owner *owner, struct sql_select *select) {
    if (select == NULL)
        return;
    own_items(owner, select->items.items, select->items.count);
    own_sources(owner, select->sources.items, select->sources.count);
    own_sql_expr(owner, select->where);
    for (size_t i = 0; i < select->group_by.count; i++)
        own_sql_expr(owner, select->group_by.items[i]);
    own_sql_expr(owner, select->having);
    own_order(owner, select->order_by.items, select->order_by.count);
    own_sql_expr(owner, select->limit);
    own_sql_expr(owner, select->offset);
    own_texts(owner, select->lock_of.items, select->lock_of.count);
}

static void own_insert(struct owner *owner, struct sql_insert *insert) {
    OWN(owner, insert->table);
    OWN(owner, insert->conflict_constraint);
    own_texts(owner, insert->columns.items, insert->columns.count);
    own_texts(owner, insert->conflict_columns.items, insert->conflict_columns.count);
    for (size_t i = 0; i < insert->rows.count; i++)
        for (size_t k = 0; k < insert->column_count; k++)
            own_sql_expr(owner, insert->rows.items[i][k]);
    own_select(owner, insert->select);
    own_sql_expr(owner, insert->conflict_index_where);
    own_set(owner, insert->conflict_set.items, insert->conflict_set.count);
    own_sql_expr(owner, insert->conflict_where);
}

static void own_update(struct owner *owner, struct sql_update *update) {
    own_sources(owner, &update->target, 1);
    own_sources(owner, update->from.items, update->from.count);
    own_set(owner, update->set.items, update->set.count);
    own_sql_expr(owner, update->where);
    own_order(owner, update->order_by.items, update->order_by.count);
    own_sql_expr(owner, update->limit);
}

static void own_delete(struct owner *owner, struct sql_delete *delete_) {
    own_sources(owner, &delete_->target, 1);
    own_sources(owner, delete_->using_sources.items, delete_->using_sources.count);
    own_sql_expr(owner, delete_->where);
    own_order(owner, delete_->order_by.items, delete_->order_by.count);
    own_sql_expr(owner, delete_->limit);
}

void own_sql_hosts(struct owner *owner, struct sql_stmt *stmt) {
    for (size_t i = 0; i < stmt->hosts.count; i++) {
        OWN(owner, stmt->hosts.items[i].name);
        OWN(owner, stmt->hosts.items[i].column);
    }
}

void own_sql(struct owner *owner, struct sql_stmt *stmt) {
    OWN(owner, stmt->text);
    own_sql_hosts(owner, stmt);
    own_items(owner, stmt->returning.items, stmt->returning.count);
    switch (stmt->kind) {
    case SQL_STMT_SELECT:
        own_select(owner, stmt->select);
        break;
    case SQL_STMT_INSERT:
        own_insert(owner, stmt->insert);
        break;
    case SQL_STMT_UPDATE:
        own_update(owner, stmt->update);
        break;
    case SQL_STMT_DELETE:
        own_delete(owner, stmt->delete_);
        break;
    case SQL_STMT_BEGIN:
    case SQL_STMT_COMMIT:
    case SQL_STMT_ROLLBACK:
    case SQL_STMT_SAVEPOINT:
    case SQL_STMT_RELEASE:
    case SQL_STMT_ROLLBACK_TO:
    case SQL_STMT_PREPARE_TRANSACTION:
    case SQL_STMT_COMMIT_PREPARED:
    case SQL_STMT_ROLLBACK_PREPARED:
    case SQL_STMT_SET_TRANSACTION:
        OWN(owner, stmt->transaction->savepoint);
        break;
    case SQL_STMT_SET:
        OWN(owner, stmt->set->name);
        own_sql_expr(owner, stmt->set->value);
        break;
    case SQL_STMT_LOCK_TABLE:
        OWN(owner, stmt->lock_table->mode);
        own_texts(owner, stmt->lock_table->tables.items, stmt->lock_table->tables.count);
        break;
    case SQL_STMT_CREATE_TABLE: /* stand in no program */
    case SQL_STMT_CREATE_INDEX:
        break;
    }
}

struct shared {
    struct sql_stmt *stmt;
    struct shared *next; /* another of the same key */
};

/* The text and the names of host values. The text may have other, numbered names for them (`:v12`): the numbers are left out. */
static uint64_t key_of(const struct sql_stmt *stmt) {
    uint64_t key = stmt->kind;
    struct str text = stmt->text;
    for (size_t at = 0; at < text.len;) {
        size_t end = str_find(text, ':', at);
        end = end < text.len ? end + 1 : end;
        key = key * 31 + str_hash(str_sub(text, at, end));
        for (at = end; at < text.len && (text.ptr[at] == 'v' || (text.ptr[at] >= '0' && text.ptr[at] <= '9'));)
            at++;
    }
    for (size_t i = 0; i < stmt->hosts.count; i++)
        key = key * 31 + str_hash(stmt->hosts.items[i].name);
    return key;
}

static bool has_same_hosts(const struct sql_stmt *a, const struct sql_stmt *b) {
    if (a->hosts.count != b->hosts.count)
        return false;
    for (size_t i = 0; i < a->hosts.count; i++)
        if (!str_equal(a->hosts.items[i].name, b->hosts.items[i].name) ||
            !str_equal(a->hosts.items[i].column, b->hosts.items[i].column) ||
            a->hosts.items[i].is_list != b->hosts.items[i].is_list)
            return false;
    return true;
}

struct sql_stmt *own_shared(struct owner *owner, const struct sql_stmt *stmt) {
    uint64_t key = key_of(stmt);
    struct str bytes = {(const char *)&key, sizeof(key)};
    struct shared *first = map_get(&owner->statements, bytes);
    for (struct shared *at = first; at != NULL; at = at->next)
        if (at->stmt->is_resolved == stmt->is_resolved && has_same_hosts(at->stmt, stmt) &&
            sql_equal(at->stmt, stmt, NULL))
            return at->stmt;
    struct shared *made = ARENA_NEW(owner->arena, struct shared);
    made->stmt = sql_copy(owner->arena, stmt);
    made->next = first;
    own_sql(owner, made->stmt);
    if (first == NULL)
        bytes.ptr = arena_copy(owner->arena, &key, sizeof(key));
    map_put(&owner->statements, bytes, made);
    return made->stmt;
}
