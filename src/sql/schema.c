#include "sql/schema.h"

#include "base/assert.h"
#include "sql/sql.h"

int schema_find_table(const struct schema *schema, struct str name) {
    for (size_t i = 0; i < schema->tables.count; i++)
        if (str_equal_nocase(schema->tables.items[i]->name, name))
            return (int)i;
    return -1;
}

int table_find_column(const struct table *table, struct str name) {
    for (size_t i = 0; i < table->columns.count; i++)
        if (str_equal_nocase(table->columns.items[i].name, name))
            return (int)i;
    return -1;
}

static bool type_is_one_of(struct str word, const char *const *names) {
    for (; *names != NULL; names++)
        if (str_equal_nocase(word, str_from_c(*names)))
            return true;
    return false;
}

enum column_type column_type_of(struct str type_text) {
    static const char *const ints[] = {"int",       "integer",     "smallint", "bigint", "tinyint",
                                       "mediumint", "int2",        "int4",     "int8",   "serial",
                                       "bigserial", "smallserial", NULL};
    static const char *const decimals[] = {"decimal", "numeric", "dec",    "real",  "float",
                                           "double",  "float4",  "float8", "fixed", NULL};
    static const char *const texts[] = {"text",       "varchar",  "char",   "character",
                                        "nvarchar",   "nchar",    "clob",   "tinytext",
                                        "mediumtext", "longtext", "bpchar", NULL};
    static const char *const bools[] = {"bool", "boolean", NULL};
    static const char *const times[] = {"date",     "time",   "timestamp", "timestamptz",
                                        "datetime", "timetz", NULL};
    size_t len = 0;
    while (len < type_text.len && type_text.ptr[len] != ' ' && type_text.ptr[len] != '(' &&
           type_text.ptr[len] != '[')
        len++;
    struct str word = str_sub(type_text, 0, len);
    if (str_ends(type_text, "[]"))
        return COLUMN_OTHER;
    if (str_equal_nocase(type_text, STR("tinyint(1)")) || type_is_one_of(word, bools))
        return COLUMN_BOOL;
    if (type_is_one_of(word, ints))
        return COLUMN_INT;
    if (type_is_one_of(word, decimals))
        return COLUMN_DECIMAL;
    if (type_is_one_of(word, texts))
        return COLUMN_TEXT;
    return type_is_one_of(word, times) ? COLUMN_TIME : COLUMN_OTHER;
}

struct name_list {
    VEC(struct str) list;
};

struct applier {
    struct arena *arena;
    struct schema *schema;
    struct err *err;
    const struct sql_stmt *ddl;
    struct table *table;
    uint16_t table_index;
};

static bool find_columns(const struct applier *a, const struct table *table,
                         const struct str *names, size_t count, struct pos pos, uint16_t *columns) {
    if (count > KEY_COLUMNS_MAX)
        return err_set(a->err, pos, "a key has more than %d columns", KEY_COLUMNS_MAX);
    for (size_t i = 0; i < count; i++) {
        int column = table_find_column(table, names[i]);
        if (column < 0)
            return err_set(a->err, pos, "table %.*s has no column %.*s", STR_ARG(table->name),
                           STR_ARG(names[i]));
        columns[i] = (uint16_t)column;
    }
    return true;
}

/* PostgreSQL's name for a key or constraint without one: table_column_suffix. */
static struct str default_name(struct arena *arena, const struct table *table,
                               const uint16_t *columns, size_t count, const char *suffix) {
    struct buf name = {0};
    buf_add(&name, table->name);
    for (size_t i = 0; i < count; i++) {
        buf_add_char(&name, '_');
        buf_add(&name, table->columns.items[columns[i]].name);
    }
    buf_printf(&name, "_%s", suffix);
    struct str text = str_dup(arena, buf_str(&name));
    buf_release(&name);
    return text;
}

static struct str default_key_name(struct arena *arena, const struct table *table,
                                   const struct key *key) {
    if (key->is_primary)
        return default_name(arena, table, NULL, 0, "pkey");
    return default_name(arena, table, key->columns, key->column_count,
                        key->is_unique ? "key" : "idx");
}

static bool add_key(struct applier *a, const struct sql_key_def *def) {
    struct key key = {.name = def->name,
                      .is_primary = def->is_primary,
                      .is_unique = def->is_unique || def->is_primary,
                      .column_count = def->columns.count};
    struct table *table = a->table;
    if (!find_columns(a, table, def->columns.items, def->columns.count, def->pos, key.columns))
        return false;
    if (key.name.len == 0)
        key.name = default_key_name(a->arena, table, &key);
    for (size_t i = 0; def->name.len > 0 && i < table->keys.count; i++)
        if (str_equal_nocase(table->keys.items[i].name, key.name))
            return err_set(a->err, def->pos, "key %.*s exists already", STR_ARG(key.name));
    if (key.is_primary && table->has_primary_key)
        return err_set(a->err, def->pos, "table %.*s has two primary keys", STR_ARG(table->name));
    if (def->where != NULL) {
        struct sql_expr *where = sql_copy_expr(a->arena, def->where);
        if (!sql_resolve_expr(a->arena, a->schema, a->table_index, where, a->err))
            return false;
        key.where = where;
    }
    VEC_PUSH(a->arena, &table->keys, key);
    if (!key.is_primary)
        return true;
    table->has_primary_key = true;
    for (size_t i = table->keys.count - 1; i > 0; i--)
        table->keys.items[i] = table->keys.items[i - 1];
    table->keys.items[0] = key;
    for (size_t i = 0; i < key.column_count; i++)
        table->columns.items[key.columns[i]].not_null = true;
    return true;
}

static bool add_column_key(struct applier *a, const struct sql_column_def *column,
                           bool is_primary) {
    struct sql_key_def def = {.pos = column->pos, .is_primary = is_primary, .is_unique = true};
    VEC_PUSH(a->arena, &def.columns, column->name);
    return add_key(a, &def);
}

static bool add_foreign_key(struct applier *a, const struct sql_fk_def *def) {
    struct foreign_key fk = {.name = def->name,
                             .column_count = def->columns.count,
                             .on_delete = (enum fk_action)def->on_delete,
                             .on_update = (enum fk_action)def->on_update,
                             .is_deferred = def->is_deferred};
    int parent_index = schema_find_table(a->schema, def->parent);
    if (parent_index < 0)
        return err_set(a->err, def->pos, "table %.*s is unknown", STR_ARG(def->parent));
    const struct table *parent = a->schema->tables.items[parent_index];
    fk.parent = (uint16_t)parent_index;
    if (!find_columns(a, a->table, def->columns.items, def->columns.count, def->pos, fk.columns))
        return false;
    size_t parent_count = def->parent_columns.count;
    if (parent_count > 0) {
        if (!find_columns(a, parent, def->parent_columns.items, parent_count, def->pos,
                          fk.parent_columns))
            return false;
    } else if (parent->has_primary_key) {
        parent_count = parent->keys.items[0].column_count;
        memcpy(fk.parent_columns, parent->keys.items[0].columns, sizeof(fk.parent_columns));
    } else {
        return err_set(a->err, def->pos, "table %.*s has no primary key", STR_ARG(def->parent));
    }
    if (parent_count != fk.column_count)
        return err_set(a->err, def->pos, "%zu columns refer to %zu", fk.column_count, parent_count);
    if (fk.name.len == 0)
        fk.name = default_name(a->arena, a->table, fk.columns, fk.column_count, "fkey");
    VEC_PUSH(a->arena, &a->table->foreign_keys, fk);
    return true;
}

/* Counts the columns of a resolved expression, up to two; `*column` is the first. */
static size_t count_columns(const struct sql_expr *expr, uint16_t *column, size_t count) {
    if (expr->kind == SQL_COLUMN && count == 0)
        *column = expr->column;
    if (expr->kind == SQL_COLUMN)
        return count == 0 ? 1 : expr->column == *column ? count : 2;
    for (size_t i = 0; i < expr->args.count; i++)
        if (expr->args.items[i] != NULL)
            count = count_columns(expr->args.items[i], column, count);
    return count;
}

static bool add_check(struct applier *a, struct str name, const struct sql_expr *expr) {
    struct sql_expr *copy = sql_copy_expr(a->arena, expr);
    if (!sql_resolve_expr(a->arena, a->schema, a->table_index, copy, a->err))
        return false;
    struct check_constraint check = {name, copy};
    uint16_t column;
    if (name.len == 0) /* named after its column if there is just one */
        check.name = default_name(a->arena, a->table, &column,
                                  count_columns(copy, &column, 0) == 1 ? 1 : 0, "check");
    VEC_PUSH(a->arena, &a->table->checks, check);
    return true;
}

static bool add_column(struct applier *a, const struct sql_column_def *def) {
    struct column column = {.name = def->name,
                            .type_text = def->type_text,
                            .type = column_type_of(def->type_text),
                            .not_null = def->not_null,
                            .is_serial = def->is_serial};
    if (table_find_column(a->table, def->name) >= 0)
        return err_set(a->err, def->pos, "column %.*s stands twice", STR_ARG(def->name));
    if (a->table->columns.count >= TABLE_COLUMNS_MAX)
        return err_set(a->err, def->pos, "a table has more than %d columns", TABLE_COLUMNS_MAX);
    if (def->default_expr != NULL) {
        struct sql_expr *value = sql_copy_expr(a->arena, def->default_expr);
        if (!sql_resolve_expr(a->arena, a->schema, a->table_index, value, a->err))
            return false;
        column.default_expr = value;
    }
    VEC_PUSH(a->arena, &a->table->columns, column);
    return true;
}

/* Keys and constraints that stand with a column, once all columns are known. */
static bool add_column_constraints(struct applier *a, const struct sql_column_def *def) {
    return (!def->is_primary || add_column_key(a, def, true)) &&
           (!def->is_unique || add_column_key(a, def, false)) &&
           (def->check == NULL || add_check(a, STR(""), def->check)) &&
           (def->references == NULL || add_foreign_key(a, def->references));
}

static bool fill_table(struct applier *a, const struct sql_create *create) {
    for (size_t i = 0; i < create->columns.count; i++)
        if (!add_column(a, &create->columns.items[i]))
            return false;
    for (size_t i = 0; i < create->keys.count; i++)
        if (create->keys.items[i].is_primary && !add_key(a, &create->keys.items[i]))
            return false;
    for (size_t i = 0; i < create->columns.count; i++)
        if (!add_column_constraints(a, &create->columns.items[i]))
            return false;
    for (size_t i = 0; i < create->keys.count; i++)
        if (!create->keys.items[i].is_primary && !add_key(a, &create->keys.items[i]))
            return false;
    for (size_t i = 0; i < create->foreign_keys.count; i++)
        if (!add_foreign_key(a, &create->foreign_keys.items[i]))
            return false;
    for (size_t i = 0; i < create->checks.count; i++)
        if (!add_check(a, create->checks.items[i].name, create->checks.items[i].expr))
            return false;
    return true;
}

static bool apply_table(struct applier *a, const struct sql_create *create) {
    if (schema_find_table(a->schema, create->table) >= 0)
        return create->if_not_exists ||
               err_set(a->err, a->ddl->pos, "table %.*s exists already", STR_ARG(create->table));
    if (a->schema->tables.count >= SCHEMA_TABLES_MAX)
        return err_set(a->err, a->ddl->pos, "more than %d tables", SCHEMA_TABLES_MAX);
    if (create->columns.count == 0)
        return err_set(a->err, a->ddl->pos, "table %.*s has no columns", STR_ARG(create->table));
    a->table = ARENA_NEW(a->arena, struct table);
    a->table->name = create->table;
    a->table_index = (uint16_t)a->schema->tables.count;
    VEC_PUSH(a->arena, &a->schema->tables, a->table);
    if (fill_table(a, create))
        return true;
    a->schema->tables.count--;
    return false;
}

static bool apply_index(struct applier *a, const struct sql_create *create) {
    int index = schema_find_table(a->schema, create->table);
    LW_ASSERT(create->keys.count == 1);
    const struct sql_key_def *def = &create->keys.items[0];
    if (index < 0)
        return err_set(a->err, a->ddl->pos, "table %.*s is unknown", STR_ARG(create->table));
    a->table = a->schema->tables.items[index];
    a->table_index = (uint16_t)index;
    for (size_t i = 0; create->if_not_exists && i < a->table->keys.count; i++)
        if (def->name.len > 0 && str_equal_nocase(a->table->keys.items[i].name, def->name))
            return true;
    return add_key(a, def);
}

bool schema_apply(struct arena *arena, struct schema *schema, const struct sql_stmt *ddl,
                  struct err *err) {
    struct applier applier = {.arena = arena, .schema = schema, .err = err, .ddl = ddl};
    if (ddl->kind == SQL_STMT_CREATE_TABLE)
        return apply_table(&applier, ddl->create);
    if (ddl->kind == SQL_STMT_CREATE_INDEX)
        return apply_index(&applier, ddl->create);
    return err_set(err, ddl->pos, "expected CREATE TABLE or CREATE INDEX");
}
