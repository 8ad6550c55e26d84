/* Names become indices. A scope is one query's sources; scopes are chained outwards, and a
 * column's `depth` counts them. A subquery in FROM has the query around it as its outer scope,
 * whose own sources it does not see (there is no LATERAL here), so depth counts the same
 * everywhere. */
#include "sql/sql.h"

#include "base/assert.h"

struct scope {
    struct scope *outer;
    const struct sql_source *sources[SQL_SOURCES_MAX];
    size_t source_count;
    const struct sql_select *select; /* whose item aliases may be named; NULL: none */
    bool sees_aliases;
    bool allows_aggregates, in_aggregate, has_aggregate;
    const struct table *excluded; /* ON CONFLICT DO UPDATE: the table; else NULL */
};

struct resolver {
    struct arena *arena;
    const struct schema *schema;
    struct err *err;
};

static bool resolve_select(struct resolver *r, struct scope *outer, struct sql_select *select);
static bool resolve_expr(struct resolver *r, struct scope *scope, struct sql_expr *expr);

static const char *const aggregate_names[] = {
    "COUNT",           "SUM",           "AVG",          "MIN",       "MAX",       "BOOL_AND",
    "BOOL_OR",         "EVERY",         "STRING_AGG",   "ARRAY_AGG", "JSON_AGG",  "JSONB_AGG",
    "JSON_OBJECT_AGG", "JSON_ARRAYAGG", "GROUP_CONCAT", "TOTAL",     "STDDEV",    "STDDEV_POP",
    "STDDEV_SAMP",     "VARIANCE",      "VAR_POP",      "VAR_SAMP",  "STD",       "BIT_AND",
    "BIT_OR",          "BIT_XOR",       "ANY_VALUE",    "CORR",      "COVAR_POP", "COVAR_SAMP",
};

bool sql_is_aggregate(const struct sql_expr *expr) {
    if (expr->kind != SQL_CALL)
        return false;
    bool is_extreme = str_is(expr->name, "MIN") || str_is(expr->name, "MAX");
    if (is_extreme && expr->args.count != 1) /* SQLite's MIN(a, b) is no aggregate */
        return false;
    for (size_t i = 0; i < LW_COUNT_OF(aggregate_names); i++)
        if (str_is(expr->name, aggregate_names[i]))
            return true;
    return false;
}

static struct str source_name(const struct sql_source *source) {
    return source->alias.len > 0 ? source->alias : source->table;
}

static const struct table *table_at(const struct resolver *r, uint16_t index) {
    LW_ASSERT(index < r->schema->tables.count);
    return r->schema->tables.items[index];
}

static struct str item_name(const struct sql_item *item) {
    if (item->alias.len > 0)
        return item->alias;
    return item->expr != NULL && item->expr->kind == SQL_COLUMN ? item->expr->name : STR("");
}

/* The column's index in a table or in the items of a subquery, or -1; -2 if two items bear the
 * name. */
static int find_in_source(const struct resolver *r, const struct sql_source *source,
                          struct str name) {
    if (source->subquery == NULL)
        return table_find_column(table_at(r, source->table_index), name);
    int found = -1;
    for (size_t i = 0; i < source->subquery->items.count; i++)
        if (str_equal_nocase(item_name(&source->subquery->items.items[i]), name))
            found = found == -1 ? (int)i : -2;
    return found;
}

static bool fail_ambiguous(struct resolver *r, const struct sql_expr *expr) {
    return err_set(r->err, expr->pos, "column %.*s is ambiguous", STR_ARG(expr->name));
}

/* Looks in one scope. False only with an error; `*is_found` says the rest. */
static bool find_in_scope(struct resolver *r, const struct scope *scope, struct sql_expr *expr,
                          bool *is_found, bool *is_table_known) {
    *is_found = false;
    for (size_t i = 0; i < scope->source_count; i++) {
        const struct sql_source *source = scope->sources[i];
        if (expr->qualifier.len > 0 && !str_equal_nocase(expr->qualifier, source_name(source)))
            continue;
        *is_table_known |= expr->qualifier.len > 0;
        int column = find_in_source(r, source, expr->name);
        if (column == -2 || (column >= 0 && *is_found))
            return fail_ambiguous(r, expr);
        if (column < 0)
            continue;
        *is_found = true;
        expr->source = (uint8_t)i;
        expr->column = (uint16_t)column;
    }
    return true;
}

/* An alias among the items of the scope's SELECT. */
static bool find_alias(const struct scope *scope, struct sql_expr *expr) {
    if (scope->select == NULL || expr->qualifier.len > 0)
        return false;
    for (size_t i = 0; i < scope->select->items.count; i++) {
        struct str alias = scope->select->items.items[i].alias;
        if (alias.len == 0 || !str_equal_nocase(alias, expr->name))
            continue;
        expr->depth = 0;
        expr->source = SQL_SOURCE_ITEM;
        expr->column = (uint16_t)i;
        return true;
    }
    return false;
}

static bool find_excluded(struct resolver *r, const struct scope *scope, struct sql_expr *expr) {
    int column = table_find_column(scope->excluded, expr->name);
    if (column < 0)
        return err_set(r->err, expr->pos, "table %.*s has no column %.*s",
                       STR_ARG(scope->excluded->name), STR_ARG(expr->name));
    expr->source = SQL_SOURCE_EXCLUDED;
    expr->column = (uint16_t)column;
    return true;
}

static bool resolve_column(struct resolver *r, struct scope *scope, struct sql_expr *expr) {
    unsigned depth = 0;
    bool is_found = false, is_table_known = false;
    for (struct scope *at = scope; at != NULL; at = at->outer, depth++) {
        if (depth > UINT8_MAX)
            return err_set(r->err, expr->pos, "queries are nested too deep");
        expr->depth = (uint8_t)depth;
        if (at->excluded != NULL && str_is(expr->qualifier, "excluded"))
            return find_excluded(r, at, expr);
        if (!find_in_scope(r, at, expr, &is_found, &is_table_known))
            return false;
        if (is_found || (at == scope && at->sees_aliases && find_alias(at, expr)))
            return true;
        if (is_table_known)
            break;
    }
    if (expr->qualifier.len == 0)
        return err_set(r->err, expr->pos, "column %.*s is unknown", STR_ARG(expr->name));
    if (is_table_known)
        return err_set(r->err, expr->pos, "table %.*s has no column %.*s", STR_ARG(expr->qualifier),
                       STR_ARG(expr->name));
    return err_set(r->err, expr->pos, "table %.*s is unknown here", STR_ARG(expr->qualifier));
}

/* Columns that an expression gives: those of a row or of a subquery. */
static size_t width_of(const struct sql_expr *expr) {
    if (expr->kind == SQL_ROW)
        return expr->args.count;
    return expr->kind == SQL_SUBQUERY ? expr->select->items.count : 1;
}

static bool is_comparison(const struct sql_expr *expr) {
    return expr->kind == SQL_BINARY && expr->op >= SQL_OP_EQ && expr->op <= SQL_OP_NULL_SAFE_NE;
}

/* Rows stand only where rows of the same width are compared. */
static bool check_widths(struct resolver *r, const struct sql_expr *expr) {
    bool takes_rows = is_comparison(expr) || expr->kind == SQL_IN;
    size_t width = takes_rows ? width_of(expr->args.items[0]) : 1;
    for (size_t i = 0; i < expr->args.count; i++) {
        const struct sql_expr *arg = expr->args.items[i];
        if (width_of(arg) != width && arg->kind != SQL_HOST)
            return err_set(r->err, arg->pos, "%zu columns where %zu are expected", width_of(arg),
                           width);
    }
    if (expr->kind == SQL_IN && expr->select != NULL && expr->select->items.count != width)
        return err_set(r->err, expr->select->pos, "%u columns where %zu are expected",
                       expr->select->items.count, width);
    return true;
}

static bool resolve_args(struct resolver *r, struct scope *scope, struct sql_expr *expr) {
    for (size_t i = 0; i < expr->args.count; i++)
        if (!resolve_expr(r, scope, expr->args.items[i]))
            return false;
    return expr->args.count == 0 || check_widths(r, expr);
}

static bool resolve_aggregate(struct resolver *r, struct scope *scope, struct sql_expr *expr) {
    if (!scope->allows_aggregates)
        return err_set(r->err, expr->pos, "aggregate %.*s is not allowed here",
                       STR_ARG(expr->name));
    if (scope->in_aggregate)
        return err_set(r->err, expr->pos, "aggregates don't nest");
    scope->has_aggregate = scope->in_aggregate = true;
    bool is_ok = resolve_args(r, scope, expr);
    scope->in_aggregate = false;
    return is_ok;
}

static bool resolve_expr(struct resolver *r, struct scope *scope, struct sql_expr *expr) {
    if (expr->kind == SQL_COLUMN)
        return resolve_column(r, scope, expr);
    if (expr->kind == SQL_DEFAULT)
        return err_set(r->err, expr->pos, "DEFAULT can only stand alone, as a column's new value");
    if (expr->select != NULL && !resolve_select(r, scope, expr->select))
        return false;
    if (sql_is_aggregate(expr))
        return resolve_aggregate(r, scope, expr);
    return resolve_args(r, scope, expr);
}

static bool resolve_scalar(struct resolver *r, struct scope *scope, struct sql_expr *expr) {
    if (expr == NULL)
        return true;
    if (!resolve_expr(r, scope, expr))
        return false;
    if (width_of(expr) != 1)
        return err_set(r->err, expr->pos, "a row where one value is expected");
    return true;
}

/* LIMIT and OFFSET: no columns. */
static bool resolve_constant(struct resolver *r, struct sql_expr *expr) {
    struct scope none = {0};
    return resolve_scalar(r, &none, expr);
}

static bool resolve_table(struct resolver *r, struct str name, struct pos pos, uint16_t *index) {
    int found = schema_find_table(r->schema, name);
    if (found < 0)
        return err_set(r->err, pos, "table %.*s is unknown", STR_ARG(name));
    *index = (uint16_t)found;
    return true;
}

/* Adds one source to the scope and resolves what is in it. */
static bool add_source(struct resolver *r, struct scope *scope, struct sql_source *source) {
    if (source->subquery != NULL) {
        size_t hidden = scope->source_count;
        scope->source_count = 0;
        bool is_ok = resolve_select(r, scope, source->subquery);
        scope->source_count = hidden;
        if (!is_ok)
            return false;
        source->table_index = UINT16_MAX;
    } else if (!resolve_table(r, source->table, source->pos, &source->table_index)) {
        return false;
    }
    for (size_t i = 0; i < scope->source_count; i++)
        if (str_equal_nocase(source_name(scope->sources[i]), source_name(source)))
            return err_set(r->err, source->pos, "table name %.*s stands twice",
                           STR_ARG(source_name(source)));
    if (scope->source_count >= SQL_SOURCES_MAX)
        return err_set(r->err, source->pos, "more than %d tables in one query", SQL_SOURCES_MAX);
    scope->sources[scope->source_count++] = source;
    return resolve_scalar(r, scope, source->on);
}

struct item_list {
    VEC(struct sql_item) list;
};

static void push_star_column(struct resolver *r, const struct scope *scope, size_t source_index,
                             struct str name, struct pos pos, struct item_list *items) {
    const struct sql_source *source = scope->sources[source_index];
    struct sql_expr *column = ARENA_NEW(r->arena, struct sql_expr);
    column->kind = SQL_COLUMN;
    column->pos = pos;
    column->name = name;
    if (scope->source_count > 1)
        column->qualifier = source_name(source);
    struct sql_item item = {.expr = column};
    VEC_PUSH(r->arena, &items->list, item);
}

static bool expand_star(struct resolver *r, const struct scope *scope, const struct sql_item *star,
                        struct pos pos, struct item_list *items) {
    bool is_found = false;
    for (size_t i = 0; i < scope->source_count; i++) {
        const struct sql_source *source = scope->sources[i];
        if (star->star_of.len > 0 && !str_equal_nocase(star->star_of, source_name(source)))
            continue;
        is_found = true;
        if (source->subquery == NULL) {
            const struct table *table = table_at(r, source->table_index);
            for (size_t k = 0; k < table->columns.count; k++)
                push_star_column(r, scope, i, table->columns.items[k].name, pos, items);
            continue;
        }
        for (size_t k = 0; k < source->subquery->items.count; k++) {
            struct str name = item_name(&source->subquery->items.items[k]);
            if (name.len == 0)
                return err_set(r->err, source->pos, "column %zu of the subquery has no name",
                               k + 1);
            push_star_column(r, scope, i, name, pos, items);
        }
    }
    if (!is_found && star->star_of.len > 0)
        return err_set(r->err, pos, "table %.*s is unknown here", STR_ARG(star->star_of));
    return is_found || err_set(r->err, pos, "* needs a FROM");
}

/* Expands stars and resolves the items of SELECT or RETURNING. */
static bool has_star(const struct sql_item *items, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (items[i].expr == NULL)
            return true;
    return false;
}

/* The items with a column in the place of each that a star stands for. */
static bool expand_stars(struct resolver *r, struct scope *scope, struct pos pos,
                         struct sql_item **items, uint32_t *count, uint32_t *capacity) {
    struct item_list all = {0};
    for (size_t i = 0; i < *count; i++) {
        const struct sql_item *item = &(*items)[i];
        if (item->expr == NULL && !expand_star(r, scope, item, pos, &all))
            return false;
        if (item->expr != NULL)
            VEC_PUSH(r->arena, &all.list, *item);
    }
    *items = all.list.items;
    *count = all.list.count;
    *capacity = all.list.capacity;
    return true;
}

static bool resolve_items(struct resolver *r, struct scope *scope, struct pos pos,
                          struct sql_item **items, uint32_t *count, uint32_t *capacity) {
    if (has_star(*items, *count) && !expand_stars(r, scope, pos, items, count, capacity))
        return false;
    if (*count > UINT16_MAX)
        return err_set(r->err, pos, "more than %d columns", UINT16_MAX);
    for (size_t i = 0; i < *count; i++)
        if (!resolve_scalar(r, scope, (*items)[i].expr))
            return false;
    return true;
}

/* GROUP BY 2 and ORDER BY 2 stand for the second item. */
static bool replace_position(struct resolver *r, const struct sql_select *select,
                             struct sql_expr **expr) {
    if ((*expr)->kind != SQL_LITERAL || (*expr)->literal.kind != VALUE_INT)
        return true;
    int64_t number = (*expr)->literal.number;
    if (number < 1 || (uint64_t)number > select->items.count)
        return err_set(r->err, (*expr)->pos, "there is no column %lld", (long long)number);
    *expr = sql_copy_expr(r->arena, select->items.items[number - 1].expr);
    return true;
}

/* A plain name in GROUP BY that no source has may be an item's alias: then it stands for the
 * item. */
static bool resolve_group(struct resolver *r, struct scope *scope, struct sql_select *select,
                          struct sql_expr **expr) {
    if (!replace_position(r, select, expr))
        return false;
    bool is_found = false, is_table_known = false;
    if ((*expr)->kind == SQL_COLUMN) {
        if (!find_in_scope(r, scope, *expr, &is_found, &is_table_known))
            return false;
        if (!is_found && find_alias(scope, *expr))
            *expr = sql_copy_expr(r->arena, select->items.items[(*expr)->column].expr);
    }
    return resolve_scalar(r, scope, *expr);
}

static bool resolve_order(struct resolver *r, struct scope *scope, struct sql_order *items,
                          size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (scope->select != NULL && !replace_position(r, scope->select, &items[i].expr))
            return false;
        if (items[i].expr->kind == SQL_COLUMN && find_alias(scope, items[i].expr))
            continue;
        if (!resolve_scalar(r, scope, items[i].expr))
            return false;
    }
    return true;
}

static bool resolve_lock(struct resolver *r, const struct scope *scope, struct sql_select *select) {
    select->lock_sources = 0;
    if (select->lock == SQL_LOCK_NONE)
        return true;
    const char *clause = select->is_distinct          ? "DISTINCT"
                         : select->group_by.count > 0 ? "GROUP BY"
                         : select->having != NULL     ? "HAVING"
                                                      : NULL;
    if (clause != NULL)
        return err_set(r->err, select->pos, "rows of a query with %s cannot be locked", clause);
    for (size_t k = 0; k < select->lock_of.count; k++) {
        bool is_known = false;
        for (size_t i = 0; i < scope->source_count; i++) {
            if (!str_equal_nocase(select->lock_of.items[k], source_name(scope->sources[i])))
                continue;
            select->lock_sources |= 1u << i;
            is_known = true;
        }
        if (!is_known)
            return err_set(r->err, select->pos, "table %.*s of the lock clause is unknown here",
                           STR_ARG(select->lock_of.items[k]));
    }
    if (select->lock_of.count == 0)
        select->lock_sources = (1u << scope->source_count) - 1;
    return true;
}

static bool resolve_clauses(struct resolver *r, struct scope *scope, struct sql_select *select) {
    if (!resolve_scalar(r, scope, select->where))
        return false;
    scope->allows_aggregates = true;
    if (!resolve_items(r, scope, select->pos, &select->items.items, &select->items.count,
                       &select->items.capacity))
        return false;
    scope->select = select;
    scope->allows_aggregates = false;
    for (size_t i = 0; i < select->group_by.count; i++)
        if (!resolve_group(r, scope, select, &select->group_by.items[i]))
            return false;
    scope->allows_aggregates = scope->sees_aliases = true;
    if (!resolve_scalar(r, scope, select->having) ||
        !resolve_order(r, scope, select->order_by.items, select->order_by.count))
        return false;
    select->is_aggregate =
        scope->has_aggregate || select->group_by.count > 0 || select->having != NULL;
    return resolve_constant(r, select->limit) && resolve_constant(r, select->offset) &&
           resolve_lock(r, scope, select);
}

static bool resolve_select(struct resolver *r, struct scope *outer, struct sql_select *select) {
    struct scope scope = {.outer = outer};
    for (size_t i = 0; i < select->sources.count; i++)
        if (!add_source(r, &scope, &select->sources.items[i]))
            return false;
    return resolve_clauses(r, &scope, select);
}

static bool resolve_set(struct resolver *r, struct scope *scope, const struct table *table,
                        struct sql_assignment *set, size_t count) {
    bool is_set[TABLE_COLUMNS_MAX] = {0};
    LW_ASSERT(table->columns.count <= TABLE_COLUMNS_MAX);
    for (size_t i = 0; i < count; i++) {
        int column = table_find_column(table, set[i].column);
        if (column < 0)
            return err_set(r->err, set[i].pos, "table %.*s has no column %.*s",
                           STR_ARG(table->name), STR_ARG(set[i].column));
        if (is_set[column])
            return err_set(r->err, set[i].pos, "column %.*s is set twice", STR_ARG(set[i].column));
        is_set[column] = true;
        set[i].column_index = (uint16_t)column;
        if (set[i].value->kind != SQL_DEFAULT && !resolve_scalar(r, scope, set[i].value))
            return false;
    }
    return true;
}

static bool resolve_returning(struct resolver *r, struct scope *scope, struct sql_stmt *stmt) {
    return resolve_items(r, scope, stmt->pos, &stmt->returning.items, &stmt->returning.count,
                         &stmt->returning.capacity);
}

static bool resolve_insert_columns(struct resolver *r, struct sql_insert *insert, struct pos pos) {
    const struct table *table = table_at(r, insert->table_index);
    bool is_named[TABLE_COLUMNS_MAX] = {0};
    LW_ASSERT(table->columns.count <= TABLE_COLUMNS_MAX);
    if (insert->select != NULL && insert->columns.count == 0)
        insert->column_count = insert->select->items.count;
    if (insert->select != NULL && insert->select->items.count != insert->column_count)
        return err_set(r->err, insert->select->pos, "%u columns where %zu are expected",
                       insert->select->items.count, insert->column_count);
    if (insert->columns.count == 0 && insert->column_count > table->columns.count)
        return err_set(r->err, pos, "%zu values for the %u columns of table %.*s",
                       insert->column_count, table->columns.count, STR_ARG(table->name));
    insert->column_index = ARENA_ARRAY(r->arena, uint16_t, insert->column_count);
    for (size_t i = 0; i < insert->column_count; i++) {
        int column = (int)i;
        if (insert->columns.count > 0) {
            column = table_find_column(table, insert->columns.items[i]);
            if (column < 0)
                return err_set(r->err, pos, "table %.*s has no column %.*s", STR_ARG(table->name),
                               STR_ARG(insert->columns.items[i]));
            if (is_named[column])
                return err_set(r->err, pos, "column %.*s is named twice",
                               STR_ARG(insert->columns.items[i]));
            is_named[column] = true;
        }
        insert->column_index[i] = (uint16_t)column;
    }
    return true;
}

static bool resolve_rows(struct resolver *r, struct sql_insert *insert) {
    struct scope none = {0};
    for (size_t i = 0; i < insert->rows.count; i++)
        for (size_t k = 0; k < insert->column_count; k++) {
            struct sql_expr *value = insert->rows.items[i][k];
            if (value->kind != SQL_DEFAULT && !resolve_scalar(r, &none, value))
                return false;
        }
    return true;
}

/* Whether the key is the one that ON CONFLICT (columns) [WHERE ...] names. */
static bool is_conflict_key(const struct table *table, const struct key *key,
                            const struct sql_insert *insert) {
    if (insert->conflict_constraint.len > 0)
        return key->is_unique && str_equal_nocase(key->name, insert->conflict_constraint);
    if (!key->is_unique || key->column_count != insert->conflict_columns.count)
        return false;
    bool is_partial = key->where != NULL;
    if (is_partial && (insert->conflict_index_where == NULL ||
                       !sql_expr_equal(key->where, insert->conflict_index_where, NULL)))
        return false;
    for (size_t i = 0; i < key->column_count; i++) {
        bool is_named = false;
        for (size_t k = 0; k < insert->conflict_columns.count; k++)
            is_named |=
                table_find_column(table, insert->conflict_columns.items[k]) == (int)key->columns[i];
        if (!is_named)
            return false;
    }
    return true;
}

static bool resolve_conflict(struct resolver *r, struct scope *scope, struct sql_insert *insert,
                             struct pos pos) {
    const struct table *table = table_at(r, insert->table_index);
    insert->conflict_key = -1;
    if (!resolve_scalar(r, scope, insert->conflict_index_where))
        return false;
    bool names_key = insert->conflict_columns.count > 0 || insert->conflict_constraint.len > 0;
    for (size_t i = 0; names_key && i < table->keys.count && insert->conflict_key < 0; i++)
        if (is_conflict_key(table, &table->keys.items[i], insert))
            insert->conflict_key = (int)i;
    if (names_key && insert->conflict_key < 0)
        return err_set(r->err, pos, "ON CONFLICT names no unique key of table %.*s",
                       STR_ARG(table->name));
    scope->excluded = table;
    bool is_ok =
        resolve_set(r, scope, table, insert->conflict_set.items, insert->conflict_set.count) &&
        resolve_scalar(r, scope, insert->conflict_where);
    scope->excluded = NULL;
    return is_ok;
}

static bool resolve_insert(struct resolver *r, struct sql_stmt *stmt) {
    struct sql_insert *insert = stmt->insert;
    struct sql_source target = {.pos = stmt->pos, .table = insert->table};
    struct scope scope = {0};
    if (!add_source(r, &scope, &target))
        return false;
    insert->table_index = target.table_index;
    if (insert->select != NULL && !resolve_select(r, NULL, insert->select))
        return false;
    return resolve_insert_columns(r, insert, stmt->pos) && resolve_rows(r, insert) &&
           resolve_conflict(r, &scope, insert, stmt->pos) && resolve_returning(r, &scope, stmt);
}

static bool resolve_update(struct resolver *r, struct sql_stmt *stmt) {
    struct sql_update *update = stmt->update;
    struct scope scope = {0};
    if (!add_source(r, &scope, &update->target))
        return false;
    for (size_t i = 0; i < update->from.count; i++)
        if (!add_source(r, &scope, &update->from.items[i]))
            return false;
    return resolve_set(r, &scope, table_at(r, update->target.table_index), update->set.items,
                       update->set.count) &&
           resolve_scalar(r, &scope, update->where) &&
           resolve_order(r, &scope, update->order_by.items, update->order_by.count) &&
           resolve_constant(r, update->limit) && resolve_returning(r, &scope, stmt);
}

static bool resolve_delete(struct resolver *r, struct sql_stmt *stmt) {
    struct sql_delete *delete_ = stmt->delete_;
    struct scope scope = {0};
    if (!add_source(r, &scope, &delete_->target))
        return false;
    for (size_t i = 0; i < delete_->using_sources.count; i++)
        if (!add_source(r, &scope, &delete_->using_sources.items[i]))
            return false;
    return resolve_scalar(r, &scope, delete_->where) &&
           resolve_order(r, &scope, delete_->order_by.items, delete_->order_by.count) &&
           resolve_constant(r, delete_->limit) && resolve_returning(r, &scope, stmt);
}

static bool resolve_lock_table(struct resolver *r, struct sql_stmt *stmt) {
    struct sql_lock_table *lock = stmt->lock_table;
    lock->table_index = ARENA_ARRAY(r->arena, uint16_t, lock->tables.count);
    for (size_t i = 0; i < lock->tables.count; i++)
        if (!resolve_table(r, lock->tables.items[i], stmt->pos, &lock->table_index[i]))
            return false;
    return true;
}

static bool resolve_variable(struct resolver *r, struct sql_set *set) {
    return set->value->kind == SQL_DEFAULT || resolve_constant(r, set->value);
}

bool sql_resolve(struct arena *arena, const struct schema *schema, struct sql_stmt *stmt,
                 struct err *err) {
    struct resolver r = {arena, schema, err};
    bool is_ok = true;
    switch (stmt->kind) {
    case SQL_STMT_SELECT:
        is_ok = resolve_select(&r, NULL, stmt->select);
        break;
    case SQL_STMT_INSERT:
        is_ok = resolve_insert(&r, stmt);
        break;
    case SQL_STMT_UPDATE:
        is_ok = resolve_update(&r, stmt);
        break;
    case SQL_STMT_DELETE:
        is_ok = resolve_delete(&r, stmt);
        break;
    case SQL_STMT_SET:
        is_ok = resolve_variable(&r, stmt->set);
        break;
    case SQL_STMT_LOCK_TABLE:
        is_ok = resolve_lock_table(&r, stmt);
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
    case SQL_STMT_CREATE_TABLE: /* schema_apply resolves these */
    case SQL_STMT_CREATE_INDEX:
        break;
    }
    stmt->is_resolved = is_ok;
    return is_ok;
}

bool sql_resolve_expr(struct arena *arena, const struct schema *schema, uint16_t table,
                      struct sql_expr *expr, struct err *err) {
    struct resolver r = {arena, schema, err};
    struct sql_source source = {.table = table_at(&r, table)->name, .table_index = table};
    struct scope scope = {.sources = {&source}, .source_count = 1};
    return resolve_scalar(&r, &scope, expr);
}
