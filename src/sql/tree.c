/* Deep copies and equality of trees. Names are shared between a tree and its copy. */
#include "sql/sql.h"

#include "base/assert.h"

/* Copies the array of a VEC: the copy is full, so pushing to it grows it. */
#define VEC_COPY(arena, vec)                                                                       \
    ((vec)->items = (vec)->count > 0                                                               \
                        ? arena_copy((arena), (vec)->items, (vec)->count * sizeof(*(vec)->items))  \
                        : NULL,                                                                    \
     (vec)->capacity = (vec)->count)

#define COPY(arena, node) arena_copy((arena), (node), sizeof(*(node)))

static struct sql_select *copy_select(struct arena *arena, const struct sql_select *from);

struct sql_expr *sql_copy_expr(struct arena *arena, const struct sql_expr *from) {
    if (from == NULL)
        return NULL;
    struct sql_expr *expr = COPY(arena, from);
    VEC_COPY(arena, &expr->args);
    for (size_t i = 0; i < expr->args.count; i++)
        expr->args.items[i] = sql_copy_expr(arena, expr->args.items[i]);
    expr->select = copy_select(arena, from->select);
    return expr;
}

static void copy_source(struct arena *arena, struct sql_source *source) {
    source->subquery = copy_select(arena, source->subquery);
    source->on = sql_copy_expr(arena, source->on);
}

static struct sql_select *copy_select(struct arena *arena, const struct sql_select *from) {
    if (from == NULL)
        return NULL;
    struct sql_select *select = COPY(arena, from);
    VEC_COPY(arena, &select->items);
    VEC_COPY(arena, &select->sources);
    VEC_COPY(arena, &select->group_by);
    VEC_COPY(arena, &select->order_by);
    VEC_COPY(arena, &select->lock_of);
    for (size_t i = 0; i < select->items.count; i++)
        select->items.items[i].expr = sql_copy_expr(arena, select->items.items[i].expr);
    for (size_t i = 0; i < select->sources.count; i++)
        copy_source(arena, &select->sources.items[i]);
    for (size_t i = 0; i < select->group_by.count; i++)
        select->group_by.items[i] = sql_copy_expr(arena, select->group_by.items[i]);
    for (size_t i = 0; i < select->order_by.count; i++)
        select->order_by.items[i].expr = sql_copy_expr(arena, select->order_by.items[i].expr);
    select->where = sql_copy_expr(arena, from->where);
    select->having = sql_copy_expr(arena, from->having);
    select->limit = sql_copy_expr(arena, from->limit);
    select->offset = sql_copy_expr(arena, from->offset);
    return select;
}

static struct sql_insert *copy_insert(struct arena *arena, const struct sql_insert *from) {
    struct sql_insert *insert = COPY(arena, from);
    VEC_COPY(arena, &insert->columns);
    VEC_COPY(arena, &insert->rows);
    VEC_COPY(arena, &insert->conflict_columns);
    VEC_COPY(arena, &insert->conflict_set);
    for (size_t i = 0; i < insert->rows.count; i++) {
        struct sql_expr **row =
            arena_copy(arena, insert->rows.items[i], insert->column_count * sizeof(*row));
        for (size_t k = 0; k < insert->column_count; k++)
            row[k] = sql_copy_expr(arena, row[k]);
        insert->rows.items[i] = row;
    }
    for (size_t i = 0; i < insert->conflict_set.count; i++)
        insert->conflict_set.items[i].value =
            sql_copy_expr(arena, insert->conflict_set.items[i].value);
    insert->select = copy_select(arena, from->select);
    insert->conflict_where = sql_copy_expr(arena, from->conflict_where);
    insert->conflict_index_where = sql_copy_expr(arena, from->conflict_index_where);
    if (from->column_index != NULL)
        insert->column_index =
            arena_copy(arena, from->column_index, from->column_count * sizeof(*from->column_index));
    return insert;
}

static struct sql_update *copy_update(struct arena *arena, const struct sql_update *from) {
    struct sql_update *update = COPY(arena, from);
    VEC_COPY(arena, &update->from);
    VEC_COPY(arena, &update->set);
    VEC_COPY(arena, &update->order_by);
    copy_source(arena, &update->target);
    for (size_t i = 0; i < update->from.count; i++)
        copy_source(arena, &update->from.items[i]);
    for (size_t i = 0; i < update->set.count; i++)
        update->set.items[i].value = sql_copy_expr(arena, update->set.items[i].value);
    for (size_t i = 0; i < update->order_by.count; i++)
        update->order_by.items[i].expr = sql_copy_expr(arena, update->order_by.items[i].expr);
    update->where = sql_copy_expr(arena, from->where);
    update->limit = sql_copy_expr(arena, from->limit);
    return update;
}

static struct sql_delete *copy_delete(struct arena *arena, const struct sql_delete *from) {
    struct sql_delete *delete_ = COPY(arena, from);
    VEC_COPY(arena, &delete_->using_sources);
    VEC_COPY(arena, &delete_->order_by);
    copy_source(arena, &delete_->target);
    for (size_t i = 0; i < delete_->using_sources.count; i++)
        copy_source(arena, &delete_->using_sources.items[i]);
    for (size_t i = 0; i < delete_->order_by.count; i++)
        delete_->order_by.items[i].expr = sql_copy_expr(arena, delete_->order_by.items[i].expr);
    delete_->where = sql_copy_expr(arena, from->where);
    delete_->limit = sql_copy_expr(arena, from->limit);
    return delete_;
}

static struct sql_fk_def copy_fk(struct arena *arena, const struct sql_fk_def *from) {
    struct sql_fk_def fk = *from;
    VEC_COPY(arena, &fk.columns);
    VEC_COPY(arena, &fk.parent_columns);
    return fk;
}

static struct sql_create *copy_create(struct arena *arena, const struct sql_create *from) {
    struct sql_create *create = COPY(arena, from);
    VEC_COPY(arena, &create->columns);
    VEC_COPY(arena, &create->keys);
    VEC_COPY(arena, &create->foreign_keys);
    VEC_COPY(arena, &create->checks);
    for (size_t i = 0; i < create->columns.count; i++) {
        struct sql_column_def *column = &create->columns.items[i];
        column->default_expr = sql_copy_expr(arena, column->default_expr);
        column->check = sql_copy_expr(arena, column->check);
        if (column->references != NULL) {
            struct sql_fk_def fk = copy_fk(arena, column->references);
            column->references = COPY(arena, &fk);
        }
    }
    for (size_t i = 0; i < create->keys.count; i++) {
        VEC_COPY(arena, &create->keys.items[i].columns);
        create->keys.items[i].where = sql_copy_expr(arena, create->keys.items[i].where);
    }
    for (size_t i = 0; i < create->foreign_keys.count; i++)
        create->foreign_keys.items[i] = copy_fk(arena, &create->foreign_keys.items[i]);
    for (size_t i = 0; i < create->checks.count; i++)
        create->checks.items[i].expr = sql_copy_expr(arena, create->checks.items[i].expr);
    return create;
}

static struct sql_set *copy_set(struct arena *arena, const struct sql_set *from) {
    struct sql_set *set = COPY(arena, from);
    set->value = sql_copy_expr(arena, from->value);
    return set;
}

static struct sql_lock_table *copy_lock_table(struct arena *arena,
                                              const struct sql_lock_table *from) {
    struct sql_lock_table *lock = COPY(arena, from);
    VEC_COPY(arena, &lock->tables);
    if (from->table_index != NULL)
        lock->table_index =
            arena_copy(arena, from->table_index, from->tables.count * sizeof(*from->table_index));
    return lock;
}

struct sql_stmt *sql_copy(struct arena *arena, const struct sql_stmt *from) {
    struct sql_stmt *stmt = COPY(arena, from);
    VEC_COPY(arena, &stmt->hosts);
    VEC_COPY(arena, &stmt->returning);
    for (size_t i = 0; i < stmt->returning.count; i++)
        stmt->returning.items[i].expr = sql_copy_expr(arena, stmt->returning.items[i].expr);
    switch (from->kind) {
    case SQL_STMT_SELECT:
        stmt->select = copy_select(arena, from->select);
        break;
    case SQL_STMT_INSERT:
        stmt->insert = copy_insert(arena, from->insert);
        break;
    case SQL_STMT_UPDATE:
        stmt->update = copy_update(arena, from->update);
        break;
    case SQL_STMT_DELETE:
        stmt->delete_ = copy_delete(arena, from->delete_);
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
        stmt->transaction = COPY(arena, from->transaction);
        break;
    case SQL_STMT_SET:
        stmt->set = copy_set(arena, from->set);
        break;
    case SQL_STMT_LOCK_TABLE:
        stmt->lock_table = copy_lock_table(arena, from->lock_table);
        break;
    case SQL_STMT_CREATE_TABLE:
    case SQL_STMT_CREATE_INDEX:
        stmt->create = copy_create(arena, from->create);
        break;
    }
    return stmt;
}

int sql_target_table(const struct sql_stmt *stmt) {
    switch (stmt->kind) {
    case SQL_STMT_INSERT:
        return stmt->insert->table_index;
    case SQL_STMT_UPDATE:
        return stmt->update->target.table_index;
    case SQL_STMT_DELETE:
        return stmt->delete_->target.table_index;
    default:
        return -1;
    }
}
