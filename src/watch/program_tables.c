/* The tables of recalled programs: as far as their statements name them. */
#include "watch/program_text.h"

void put_name(const struct writing *w, uint32_t name) {
    sql_print_name(names_get(&w->watch->names, name), SQL_POSTGRESQL, w->out);
}

struct table_text *table_of(struct writing *w, uint32_t table) {
    for (size_t i = 0; i < w->tables.count; i++)
        if (w->tables.items[i].table == table)
            return &w->tables.items[i];
    struct table_text new = {.table = table, .key = tables_key(&w->watch->tables, table)};
    if (new.key == NO_NAME)
        new.key = names_add(&w->watch->names, STR("id")); /* no statement goes by it */
    VEC_PUSH(w->arena, &new.columns, new.key);
    VEC_PUSH(w->arena, &w->tables, new);
    return &w->tables.items[w->tables.count - 1];
}

static bool has(const uint32_t *items, size_t count, uint32_t item) {
    for (size_t i = 0; i < count; i++)
        if (items[i] == item)
            return true;
    return false;
}

static void need_column(struct writing *w, struct table_text *table, uint32_t column, bool is_text) {
    if (!has(table->columns.items, table->columns.count, column))
        VEC_PUSH(w->arena, &table->columns, column);
    if (is_text && !has(table->texts.items, table->texts.count, column))
        VEC_PUSH(w->arena, &table->texts, column);
}

/* Columns that an expression of the statement names. */
static void need_of_expr(struct writing *w, struct table_text *table, const struct sql_expr *expr) {
    if (expr == NULL)
        return;
    if (expr->kind == SQL_COLUMN)
        need_column(w, table, names_add(&w->watch->names, expr->name), false);
    for (size_t i = 0; i < expr->args.count; i++)
        need_of_expr(w, table, expr->args.items[i]);
}

const struct sql_expr *set_expr(const struct watch *watch, const struct recalled_item *item, uint32_t column) {
    const struct sql_update *update = item->meaning->stmt->update;
    for (size_t i = 0; i < update->set.count; i++)
        if (str_equal(update->set.items[i].column, names_get(&watch->names, column)))
            return update->set.items[i].value;
    return NULL;
}

static bool has_subquery(const struct sql_expr *expr) {
    if (expr == NULL)
        return false;
    if (expr->select != NULL)
        return true;
    for (size_t i = 0; i < expr->args.count; i++)
        if (has_subquery(expr->args.items[i]))
            return true;
    return false;
}

static bool has_list(const struct sql_stmt *stmt) {
    for (size_t i = 0; i < stmt->hosts.count; i++)
        if (stmt->hosts.items[i].is_list)
            return true;
    return false;
}

static bool is_tellable_write(const struct recalled_item *item, struct watch *watch) {
    const struct meaning *meaning = item->meaning;
    if (!meaning->is_exact || meaning->kind == MEANS_INSERT)
        return false;
    for (size_t i = 0; meaning->kind == MEANS_UPDATE && i < item->column_count; i++) {
        const struct sql_expr *expr = set_expr(watch, item, item->values[i].column);
        if (expr == NULL || has_subquery(expr))
            return false;
    }
    return meaning->kind == MEANS_DELETE || item->column_count > 0;
}

static bool is_tellable_statement(const struct meaning *meaning) {
    const struct sql_stmt *stmt = meaning->stmt;
    if (has_list(stmt))
        return false;
    if (meaning->kind == MEANS_INSERT) {
        for (size_t i = 0; meaning->is_one && i < stmt->insert->column_count; i++)
            if (has_subquery(stmt->insert->rows.items[0][i]))
                return false;
        return meaning->is_one;
    }
    if (meaning->kind == MEANS_UPDATE) {
        for (size_t i = 0; i < stmt->update->set.count; i++)
            if (has_subquery(stmt->update->set.items[i].value))
                return false;
        return stmt->update->from.count == 0 && stmt->update->limit == NULL && !has_subquery(stmt->update->where);
    }
    return meaning->kind == MEANS_DELETE && stmt->delete_->using_sources.count == 0 && stmt->delete_->limit == NULL &&
           !has_subquery(stmt->delete_->where);
}

static bool is_tellable_value(const struct meaning *meaning) {
    const struct sql_select *select = meaning->stmt->select;
    return !has_list(meaning->stmt) && select->sources.count == 1 && select->items.count == 1 &&
           select->items.items[0].expr != NULL && !has_subquery(select->items.items[0].expr) && !has_subquery(select->where) &&
           select->group_by.count == 0 && select->having == NULL;
}

static bool is_tellable_item(const struct recalled_item *item, struct watch *watch) {
    const struct meaning *meaning = item->meaning;
    if (meaning->table == NO_NAME || meaning->stmt == NULL)
        return false;
    switch (item->kind) {
    case UNIT_READ:
    case UNIT_ABSENCE:
        return true;
    case UNIT_VALUE:
        return is_tellable_value(meaning);
    case UNIT_WRITE:
        return is_tellable_write(item, watch);
    case UNIT_STATEMENT:
        return is_tellable_statement(meaning);
    }
    return false;
}

bool is_tellable(const struct recalled *recalled, struct watch *watch) {
    for (size_t i = 0; i < recalled->item_count; i++)
        if (!is_tellable_item(&recalled->items[i], watch))
            return false;
    for (size_t i = 0; i < recalled->row_count; i++)
        if (tables_key(&watch->tables, recalled->rows[i].table) == NO_NAME)
            return false;
    return true;
}

/* --- what they name --- */

static void need_of_values(struct writing *w, const struct recalled *recalled, const struct recalled_item *item) {
    struct table_text *table = table_of(w, item->meaning->table);
    for (size_t i = 0; i < item->value_count; i++) {
        const struct recalled_value *value = &item->values[i];
        if (value->column != NO_NAME)
            need_column(w, table, value->column, value->is_text);
        const struct value_source *source = recall_source(&w->watch->recall, recalled, value, NO_ROW);
        if (source != NULL && source->kind == SOURCE_COLUMN)
            need_column(w, table_of(w, recalled->rows[source->index].table), source->column, value->is_text);
    }
}

static void need_of_statement(struct writing *w, const struct recalled_item *item) {
    const struct sql_stmt *stmt = item->meaning->stmt;
    struct table_text *table = table_of(w, item->meaning->table);
    if (item->meaning->kind == MEANS_INSERT) {
        bool has_key = false;
        for (size_t i = 0; i < item->meaning->set.count; i++) {
            has_key |= item->meaning->set.items[i].column == table->key;
            need_column(w, table, item->meaning->set.items[i].column, false);
        }
        table->makes_keys |= !has_key;
    } else if (item->meaning->kind == MEANS_UPDATE) {
        for (size_t i = 0; i < stmt->update->set.count; i++) {
            need_column(w, table, names_add(&w->watch->names, stmt->update->set.items[i].column), false);
            need_of_expr(w, table, stmt->update->set.items[i].value);
        }
        need_of_expr(w, table, stmt->update->where);
    } else if (item->meaning->kind == MEANS_DELETE) {
        need_of_expr(w, table, stmt->delete_->where);
    } else {
        need_of_expr(w, table, stmt->select->items.items[0].expr);
        need_of_expr(w, table, stmt->select->where);
    }
}

void need_columns(struct writing *w, const struct recalled *recalled) {
    for (size_t i = 0; i < recalled->item_count; i++) {
        const struct recalled_item *item = &recalled->items[i];
        need_of_values(w, recalled, item);
        if (item->kind == UNIT_STATEMENT || item->kind == UNIT_VALUE)
            need_of_statement(w, item);
        struct table_text *table = table_of(w, item->meaning->table);
        for (size_t k = 0; item->kind == UNIT_WRITE && item->meaning->kind == MEANS_UPDATE && k < item->column_count; k++)
            need_of_expr(w, table, set_expr(w->watch, item, item->values[k].column));
        for (size_t k = 0; item->kind == UNIT_ABSENCE && k < 4 && item->key_columns[k] != NO_NAME; k++)
            need_column(w, table, item->key_columns[k], false);
    }
    for (uint32_t i = 0; i < recalled->row_count; i++) {
        const struct recalled_row *row = &recalled->rows[i];
        struct table_text *table = table_of(w, row->table);
        const struct value_source *source = recall_source(&w->watch->recall, recalled, &row->key, i);
        need_column(w, table, table->key, row->key.is_text);
        if (source != NULL && source->kind == SOURCE_COLUMN)
            need_column(w, table_of(w, recalled->rows[source->index].table), source->column, row->key.is_text);
    }
}

void put_tables(struct writing *w) {
    for (size_t i = 0; i < w->tables.count; i++) {
        const struct table_text *table = &w->tables.items[i];
        buf_add_c(w->out, "CREATE TABLE ");
        put_name(w, table->table);
        for (size_t j = 0; j < table->columns.count; j++) {
            uint32_t column = table->columns.items[j];
            bool is_text = has(table->texts.items, table->texts.count, column);
            buf_add_c(w->out, j == 0 ? " (" : ", ");
            put_name(w, column);
            const char *type = is_text ? "text" : j == 0 && table->makes_keys ? "serial" : "integer";
            buf_printf(w->out, " %s%s", type, j == 0 ? " PRIMARY KEY" : "");
        }
        buf_add_c(w->out, ");\n");
    }
}
