/* Equality of trees: what they say, not where it stood. */
#include "sql/sql.h"

#include "base/assert.h"

/* The statements whose host values are compared by name; they are numbered by where they stood. */
struct holders {
    const struct sql_stmt *a, *b;
};

static bool equal_select(const struct holders *h, const struct sql_select *a,
                         const struct sql_select *b);

static bool equal_names(const struct str *a, size_t a_count, const struct str *b, size_t b_count) {
    if (a_count != b_count)
        return false;
    for (size_t i = 0; i < a_count; i++)
        if (!str_equal(a[i], b[i]))
            return false;
    return true;
}

#define NAMES_EQUAL(a, b) equal_names((a).items, (a).count, (b).items, (b).count)

/* To the digit: 1.0 is not 1 in a text. Interned texts have equal numbers. */
static bool equal_literal(struct value a, struct value b) {
    return a.kind == b.kind && a.scale == b.scale && a.number == b.number && a.origin == b.origin &&
           a.ordinal == b.ordinal;
}

static bool equal_host(const struct holders *h, uint16_t a, uint16_t b) {
    if (h == NULL)
        return a == b;
    LW_ASSERT(a < h->a->hosts.count && b < h->b->hosts.count);
    const struct sql_host *left = &h->a->hosts.items[a], *right = &h->b->hosts.items[b];
    return str_equal(left->name, right->name) && str_equal(left->column, right->column) &&
           left->is_list == right->is_list;
}

static bool equal_expr(const struct holders *h, const struct sql_expr *a,
                       const struct sql_expr *b) {
    if (a == NULL || b == NULL)
        return a == b;
    if (a->kind != b->kind || a->is_negated != b->is_negated || a->is_distinct != b->is_distinct ||
        a->is_star != b->is_star || a->is_nocase != b->is_nocase ||
        a->case_has_base != b->case_has_base || a->case_has_else != b->case_has_else ||
        a->args.count != b->args.count)
        return false;
    if ((a->kind == SQL_UNARY || a->kind == SQL_BINARY) && a->op != b->op)
        return false;
    if (a->kind == SQL_LITERAL && !equal_literal(a->literal, b->literal))
        return false;
    if (a->kind == SQL_HOST && !equal_host(h, a->host, b->host))
        return false;
    if (!str_equal(a->name, b->name) || !str_equal(a->qualifier, b->qualifier))
        return false;
    for (size_t i = 0; i < a->args.count; i++)
        if (!equal_expr(h, a->args.items[i], b->args.items[i]))
            return false;
    return equal_select(h, a->select, b->select);
}

static bool equal_items(const struct holders *h, const struct sql_item *a, size_t a_count,
                        const struct sql_item *b, size_t b_count) {
    if (a_count != b_count)
        return false;
    for (size_t i = 0; i < a_count; i++)
        if (!equal_expr(h, a[i].expr, b[i].expr) || !str_equal(a[i].star_of, b[i].star_of) ||
            !str_equal(a[i].alias, b[i].alias))
            return false;
    return true;
}

static bool equal_source(const struct holders *h, const struct sql_source *a,
                         const struct sql_source *b) {
    return str_equal(a->table, b->table) && str_equal(a->alias, b->alias) && a->join == b->join &&
           equal_select(h, a->subquery, b->subquery) && equal_expr(h, a->on, b->on);
}

static bool equal_sources(const struct holders *h, const struct sql_source *a, size_t a_count,
                          const struct sql_source *b, size_t b_count) {
    if (a_count != b_count)
        return false;
    for (size_t i = 0; i < a_count; i++)
        if (!equal_source(h, &a[i], &b[i]))
            return false;
    return true;
}

static bool equal_order(const struct holders *h, const struct sql_order *a, size_t a_count,
                        const struct sql_order *b, size_t b_count) {
    if (a_count != b_count)
        return false;
    for (size_t i = 0; i < a_count; i++)
        if (a[i].is_descending != b[i].is_descending || !equal_expr(h, a[i].expr, b[i].expr))
            return false;
    return true;
}

static bool equal_select(const struct holders *h, const struct sql_select *a,
                         const struct sql_select *b) {
    if (a == NULL || b == NULL)
        return a == b;
    if (a->is_distinct != b->is_distinct || a->lock != b->lock || a->lock_wait != b->lock_wait ||
        !NAMES_EQUAL(a->lock_of, b->lock_of) || a->group_by.count != b->group_by.count)
        return false;
    for (size_t i = 0; i < a->group_by.count; i++)
        if (!equal_expr(h, a->group_by.items[i], b->group_by.items[i]))
            return false;
    return equal_items(h, a->items.items, a->items.count, b->items.items, b->items.count) &&
           equal_sources(h, a->sources.items, a->sources.count, b->sources.items,
                         b->sources.count) &&
           equal_order(h, a->order_by.items, a->order_by.count, b->order_by.items,
                       b->order_by.count) &&
           equal_expr(h, a->where, b->where) && equal_expr(h, a->having, b->having) &&
           equal_expr(h, a->limit, b->limit) && equal_expr(h, a->offset, b->offset);
}

static bool equal_set(const struct holders *h, const struct sql_assignment *a, size_t a_count,
                      const struct sql_assignment *b, size_t b_count) {
    if (a_count != b_count)
        return false;
    for (size_t i = 0; i < a_count; i++)
        if (!str_equal(a[i].column, b[i].column) || !equal_expr(h, a[i].value, b[i].value))
            return false;
    return true;
}

static bool equal_insert(const struct holders *h, const struct sql_insert *a,
                         const struct sql_insert *b) {
    if (!str_equal(a->table, b->table) || !NAMES_EQUAL(a->columns, b->columns) ||
        a->rows.count != b->rows.count || a->conflict != b->conflict ||
        (a->select == NULL && a->column_count != b->column_count) ||
        a->is_mysql_duplicate_key != b->is_mysql_duplicate_key ||
        !NAMES_EQUAL(a->conflict_columns, b->conflict_columns) ||
        !str_equal(a->conflict_constraint, b->conflict_constraint))
        return false;
    for (size_t i = 0; i < a->rows.count; i++)
        for (size_t k = 0; k < a->column_count; k++)
            if (!equal_expr(h, a->rows.items[i][k], b->rows.items[i][k]))
                return false;
    return equal_select(h, a->select, b->select) &&
           equal_set(h, a->conflict_set.items, a->conflict_set.count, b->conflict_set.items,
                     b->conflict_set.count) &&
           equal_expr(h, a->conflict_index_where, b->conflict_index_where) &&
           equal_expr(h, a->conflict_where, b->conflict_where);
}

static bool equal_update(const struct holders *h, const struct sql_update *a,
                         const struct sql_update *b) {
    return equal_source(h, &a->target, &b->target) &&
           equal_sources(h, a->from.items, a->from.count, b->from.items, b->from.count) &&
           equal_set(h, a->set.items, a->set.count, b->set.items, b->set.count) &&
           equal_order(h, a->order_by.items, a->order_by.count, b->order_by.items,
                       b->order_by.count) &&
           equal_expr(h, a->where, b->where) && equal_expr(h, a->limit, b->limit);
}

static bool equal_delete(const struct holders *h, const struct sql_delete *a,
                         const struct sql_delete *b) {
    return equal_source(h, &a->target, &b->target) &&
           equal_sources(h, a->using_sources.items, a->using_sources.count, b->using_sources.items,
                         b->using_sources.count) &&
           equal_order(h, a->order_by.items, a->order_by.count, b->order_by.items,
                       b->order_by.count) &&
           equal_expr(h, a->where, b->where) && equal_expr(h, a->limit, b->limit);
}

static bool equal_transaction(const struct sql_transaction *a, const struct sql_transaction *b) {
    return str_equal(a->savepoint, b->savepoint) && a->isolation == b->isolation &&
           a->begin_mode == b->begin_mode && a->is_session == b->is_session &&
           a->is_read_only == b->is_read_only && a->is_deferrable == b->is_deferrable &&
           a->with_snapshot == b->with_snapshot;
}

static bool equal_fk(const struct sql_fk_def *a, const struct sql_fk_def *b) {
    if (a == NULL || b == NULL)
        return a == b;
    return str_equal(a->name, b->name) && NAMES_EQUAL(a->columns, b->columns) &&
           str_equal(a->parent, b->parent) && NAMES_EQUAL(a->parent_columns, b->parent_columns) &&
           a->on_delete == b->on_delete && a->on_update == b->on_update &&
           a->is_deferrable == b->is_deferrable && a->is_deferred == b->is_deferred;
}

static bool equal_column(const struct holders *h, const struct sql_column_def *a,
                         const struct sql_column_def *b) {
    return str_equal(a->name, b->name) && str_equal_nocase(a->type_text, b->type_text) &&
           a->not_null == b->not_null && a->is_primary == b->is_primary &&
           a->is_unique == b->is_unique && a->is_serial == b->is_serial &&
           equal_expr(h, a->default_expr, b->default_expr) && equal_expr(h, a->check, b->check) &&
           equal_fk(a->references, b->references);
}

static bool equal_key(const struct holders *h, const struct sql_key_def *a,
                      const struct sql_key_def *b) {
    return str_equal(a->name, b->name) && a->is_primary == b->is_primary &&
           a->is_unique == b->is_unique && NAMES_EQUAL(a->columns, b->columns) &&
           equal_expr(h, a->where, b->where);
}

static bool equal_create(const struct holders *h, const struct sql_create *a,
                         const struct sql_create *b) {
    if (!str_equal(a->table, b->table) || a->is_index != b->is_index ||
        a->if_not_exists != b->if_not_exists || a->columns.count != b->columns.count ||
        a->keys.count != b->keys.count || a->foreign_keys.count != b->foreign_keys.count ||
        a->checks.count != b->checks.count)
        return false;
    for (size_t i = 0; i < a->columns.count; i++)
        if (!equal_column(h, &a->columns.items[i], &b->columns.items[i]))
            return false;
    for (size_t i = 0; i < a->keys.count; i++)
        if (!equal_key(h, &a->keys.items[i], &b->keys.items[i]))
            return false;
    for (size_t i = 0; i < a->foreign_keys.count; i++)
        if (!equal_fk(&a->foreign_keys.items[i], &b->foreign_keys.items[i]))
            return false;
    for (size_t i = 0; i < a->checks.count; i++)
        if (!str_equal(a->checks.items[i].name, b->checks.items[i].name) ||
            !equal_expr(h, a->checks.items[i].expr, b->checks.items[i].expr))
            return false;
    return true;
}

static bool equal_variable(const struct holders *h, const struct sql_set *a,
                           const struct sql_set *b) {
    return str_equal(a->name, b->name) && a->is_global == b->is_global &&
           a->is_local == b->is_local && equal_expr(h, a->value, b->value);
}

static bool equal_lock_table(const struct sql_lock_table *a, const struct sql_lock_table *b) {
    return NAMES_EQUAL(a->tables, b->tables) && str_equal(a->mode, b->mode) &&
           a->is_nowait == b->is_nowait;
}

bool sql_expr_equal(const struct sql_expr *a, const struct sql_expr *b,
                    const struct text_pool *pool) {
    (void)pool; /* texts are interned */
    return equal_expr(NULL, a, b);
}

bool sql_equal(const struct sql_stmt *a, const struct sql_stmt *b, const struct text_pool *pool) {
    (void)pool;
    const struct holders holders = {a, b}, *h = &holders;
    if (a->kind != b->kind || !equal_items(h, a->returning.items, a->returning.count,
                                           b->returning.items, b->returning.count))
        return false;
    switch (a->kind) {
    case SQL_STMT_SELECT:
        return equal_select(h, a->select, b->select);
    case SQL_STMT_INSERT:
        return equal_insert(h, a->insert, b->insert);
    case SQL_STMT_UPDATE:
        return equal_update(h, a->update, b->update);
    case SQL_STMT_DELETE:
        return equal_delete(h, a->delete_, b->delete_);
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
        return equal_transaction(a->transaction, b->transaction);
    case SQL_STMT_SET:
        return equal_variable(h, a->set, b->set);
    case SQL_STMT_LOCK_TABLE:
        return equal_lock_table(a->lock_table, b->lock_table);
    case SQL_STMT_CREATE_TABLE:
    case SQL_STMT_CREATE_INDEX:
        return equal_create(h, a->create, b->create);
    }
    LW_UNREACHABLE();
}

enum sql_advisory sql_advisory_call(const struct sql_expr *call) {
    if (call == NULL || call->kind != SQL_CALL)
        return SQL_NO_ADVISORY;
    if (str_starts(call->name, "PG_ADVISORY_UNLOCK") || str_is(call->name, "RELEASE_LOCK") ||
        str_is(call->name, "RELEASE_ALL_LOCKS"))
        return SQL_ADVISORY_UNLOCK;
    if (str_starts(call->name, "PG_ADVISORY_XACT_LOCK") ||
        str_starts(call->name, "PG_TRY_ADVISORY_XACT_LOCK"))
        return SQL_ADVISORY_XACT;
    if (str_starts(call->name, "PG_ADVISORY_LOCK") ||
        str_starts(call->name, "PG_TRY_ADVISORY_LOCK") || str_is(call->name, "GET_LOCK"))
        return SQL_ADVISORY_SESSION;
    return SQL_NO_ADVISORY;
}

enum sql_advisory sql_advisory(const struct sql_stmt *stmt) {
    if (stmt->kind != SQL_STMT_SELECT)
        return SQL_NO_ADVISORY;
    for (size_t i = 0; i < stmt->select->items.count; i++) {
        enum sql_advisory kind = sql_advisory_call(stmt->select->items.items[i].expr);
        if (kind != SQL_NO_ADVISORY)
            return kind;
    }
    return SQL_NO_ADVISORY;
}
