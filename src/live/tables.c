#include "live/tables.h"

#include "base/assert.h"

static const struct pos nowhere = {0, 0};

enum { MYSQL_KEY_CHARS_MAX = 191 }; /* 767 bytes, the least limit of an index, at four bytes a character */

struct maker {
    struct arena *arena;
    const struct schema *schema;
    const struct text_pool *pool;
    enum engine_kind engine;
    struct buf out;
};

static bool is_mysql(enum engine_kind engine) {
    return engine == ENGINE_MYSQL || engine == ENGINE_MARIADB;
}

static void put_name(enum engine_kind engine, struct str name, struct buf *out) {
    char quote = is_mysql(engine) ? '`' : '"';
    buf_add_char(out, quote);
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == quote)
            buf_add_char(out, quote);
        buf_add_char(out, name.ptr[i]);
    }
    buf_add_char(out, quote);
}

static struct str take_text(struct arena *arena, struct buf *text) {
    struct str copy = str_dup(arena, buf_str(text));
    buf_release(text);
    return copy;
}

struct str quoted_name(struct arena *arena, enum engine_kind engine, struct str name) {
    struct buf text = {0};
    put_name(engine, name, &text);
    return take_text(arena, &text);
}

static bool has_word(struct str text, const char *word) {
    struct str wanted = str_from_c(word);
    for (size_t i = 0; i + wanted.len <= text.len; i++)
        if (str_equal_nocase(str_sub(text, i, i + wanted.len), wanted))
            return true;
    return false;
}

/* "(10, 2)" of "numeric(10, 2)", or empty. */
static struct str length_of(struct str type) {
    size_t from = str_find(type, '(', 0), to = str_find(type, ')', from);
    return to < type.len ? str_sub(type, from, to + 1) : (struct str){0};
}

static bool is_in_key(const struct table *table, size_t column) {
    for (size_t i = 0; i < table->keys.count; i++)
        for (size_t k = 0; k < table->keys.items[i].column_count; k++)
            if (table->keys.items[i].columns[k] == column)
                return true;
    return false;
}

static void put_int(struct maker *m, struct str type) {
    const char *name = has_word(type, "big") || has_word(type, "int8")     ? "bigint"
                       : has_word(type, "small") || has_word(type, "int2") ? "smallint"
                       : has_word(type, "tinyint") && is_mysql(m->engine)  ? "tinyint"
                                                                           : "integer";
    buf_add_c(&m->out, name);
    if (is_mysql(m->engine) && has_word(type, "unsigned"))
        buf_add_c(&m->out, " unsigned");
}

static void put_decimal(struct maker *m, struct str type) {
    struct str length = length_of(type);
    bool is_float = has_word(type, "float") || has_word(type, "double") || has_word(type, "real");
    if (is_float)
        buf_add_c(&m->out, "double precision");
    else if (length.len > 0)
        buf_printf(&m->out, "decimal%.*s", STR_ARG(length));
    else
        buf_add_c(&m->out, is_mysql(m->engine) ? "decimal(38,12)" : "decimal");
}

static void put_text(struct maker *m, struct str type, bool has_key) {
    struct str length = length_of(type);
    if (!is_mysql(m->engine)) {
        buf_printf(&m->out, length.len > 0 ? "varchar%.*s" : "text", STR_ARG(length));
        return;
    }
    unsigned chars = 0;
    for (size_t i = 1; i + 1 < length.len && length.ptr[i] >= '0' && length.ptr[i] <= '9'; i++)
        if (chars < 100000)
            chars = chars * 10 + (unsigned)(length.ptr[i] - '0');
    if (has_key && (chars == 0 || chars > MYSQL_KEY_CHARS_MAX))
        chars = MYSQL_KEY_CHARS_MAX;
    if (chars == 0)
        buf_add_c(&m->out, "longtext");
    else
        buf_printf(&m->out, "varchar(%u)", chars);
}

static void put_time(struct maker *m, struct str type) {
    bool has_clock = has_word(type, "stamp") || has_word(type, "datetime");
    if (!has_clock && has_word(type, "date"))
        buf_add_c(&m->out, "date");
    else if (m->engine == ENGINE_POSTGRESQL)
        buf_add_c(&m->out, has_word(type, "tz") || has_word(type, "with time zone") ? "timestamptz"
                                                                                  : "timestamp");
    else
        buf_add_c(&m->out, is_mysql(m->engine) ? "datetime(6)" : "datetime");
}

/* The parent's column of a foreign key, so that the types agree; else the column itself. */
static const struct column *typed_as(const struct schema *schema, const struct table *table,
                                     size_t column) {
    enum { LINKS_MAX = 8 };
    for (int links = 0; links < LINKS_MAX; links++) {
        bool has_parent = false;
        for (size_t i = 0; i < table->foreign_keys.count && !has_parent; i++) {
            const struct foreign_key *fk = &table->foreign_keys.items[i];
            for (size_t k = 0; k < fk->column_count && !has_parent; k++) {
                if (fk->columns[k] != column)
                    continue;
                table = schema->tables.items[fk->parent];
                column = fk->parent_columns[k];
                has_parent = true;
            }
        }
        if (!has_parent)
            break;
    }
    return &table->columns.items[column];
}

static void put_type(struct maker *m, const struct table *table, size_t index) {
    const struct column *column = typed_as(m->schema, table, index);
    bool has_key = is_in_key(table, index) || column != &table->columns.items[index];
    switch (column->type) {
    case COLUMN_INT:
        put_int(m, column->type_text);
        return;
    case COLUMN_DECIMAL:
        put_decimal(m, column->type_text);
        return;
    case COLUMN_TEXT:
        put_text(m, column->type_text, has_key);
        return;
    case COLUMN_OTHER:
        put_text(m, STR(""), has_key);
        return;
    case COLUMN_BOOL:
        buf_add_c(&m->out, "boolean");
        return;
    case COLUMN_TIME:
        put_time(m, column->type_text);
        return;
    }
    LW_UNREACHABLE();
}

/* SQLite fills a column of its own accord only if the key stands with it. */
static bool is_inline_key(const struct maker *m, const struct table *table, size_t column) {
    return m->engine == ENGINE_SQLITE && table->columns.items[column].is_serial &&
           table->has_primary_key && table->keys.items[0].column_count == 1 &&
           table->keys.items[0].columns[0] == column;
}

static void put_expr(struct maker *m, const struct sql_expr *expr) {
    struct sql_stmt none = {0};
    buf_add_char(&m->out, '(');
    sql_print_expr(expr, &none, m->pool, engine_dialect(m->engine), &m->out);
    buf_add_char(&m->out, ')');
}

static void put_column(struct maker *m, const struct table *table, size_t index) {
    const struct column *column = &table->columns.items[index];
    put_name(m->engine, column->name, &m->out);
    buf_add_char(&m->out, ' ');
    if (is_inline_key(m, table, index)) {
        buf_add_c(&m->out, "integer PRIMARY KEY AUTOINCREMENT");
        return;
    }
    put_type(m, table, index);
    if (column->is_serial)
        buf_add_c(&m->out, is_mysql(m->engine)                ? " AUTO_INCREMENT"
                           : m->engine == ENGINE_POSTGRESQL ? " GENERATED BY DEFAULT AS IDENTITY"
                                                            : "");
    if (column->not_null)
        buf_add_c(&m->out, " NOT NULL");
    if (column->default_expr == NULL)
        return;
    buf_add_c(&m->out, " DEFAULT ");
    bool is_plain = is_mysql(m->engine) && (column->default_expr->kind == SQL_LITERAL ||
                                          column->default_expr->kind == SQL_CALL);
    struct sql_stmt none = {0};
    if (is_plain)
        sql_print_expr(column->default_expr, &none, m->pool, SQL_MYSQL, &m->out);
    else
        put_expr(m, column->default_expr);
}

static void put_columns(struct maker *m, const struct table *table, const uint16_t *columns,
                        size_t count) {
    buf_add_c(&m->out, " (");
    for (size_t i = 0; i < count; i++) {
        buf_add_c(&m->out, i > 0 ? ", " : "");
        put_name(m->engine, table->columns.items[columns[i]].name, &m->out);
    }
    buf_add_char(&m->out, ')');
}

static void put_constraint(struct maker *m, struct str name) {
    buf_add_c(&m->out, ", ");
    if (name.len == 0)
        return;
    buf_add_c(&m->out, "CONSTRAINT ");
    put_name(m->engine, name, &m->out);
    buf_add_char(&m->out, ' ');
}

static void put_foreign_key(struct maker *m, const struct table *table,
                            const struct foreign_key *fk) {
    static const char *const actions[] = {"NO ACTION", "RESTRICT", "CASCADE", "SET NULL",
                                          "SET DEFAULT"};
    const struct table *parent = m->schema->tables.items[fk->parent];
    put_constraint(m, fk->name);
    buf_add_c(&m->out, "FOREIGN KEY");
    put_columns(m, table, fk->columns, fk->column_count);
    buf_add_c(&m->out, " REFERENCES ");
    put_name(m->engine, parent->name, &m->out);
    put_columns(m, parent, fk->parent_columns, fk->column_count);
    if (fk->on_delete != FK_NO_ACTION)
        buf_printf(&m->out, " ON DELETE %s", actions[fk->on_delete]);
    if (fk->on_update != FK_NO_ACTION)
        buf_printf(&m->out, " ON UPDATE %s", actions[fk->on_update]);
    if (fk->is_deferred && !is_mysql(m->engine))
        buf_add_c(&m->out, " DEFERRABLE INITIALLY DEFERRED");
}

static void put_table(struct maker *m, const struct table *table) {
    buf_add_c(&m->out, "CREATE TABLE ");
    put_name(m->engine, table->name, &m->out);
    buf_add_c(&m->out, " (");
    for (size_t i = 0; i < table->columns.count; i++) {
        buf_add_c(&m->out, i > 0 ? ", " : "");
        put_column(m, table, i);
    }
    for (size_t i = 0; i < table->keys.count; i++) {
        const struct key *key = &table->keys.items[i];
        if (!key->is_unique || key->where != NULL ||
            (key->is_primary && is_inline_key(m, table, key->columns[0])))
            continue;
        put_constraint(m, key->is_primary ? (struct str){0} : key->name);
        buf_add_c(&m->out, key->is_primary ? "PRIMARY KEY" : "UNIQUE");
        put_columns(m, table, key->columns, key->column_count);
    }
    for (size_t i = 0; i < table->foreign_keys.count; i++)
        put_foreign_key(m, table, &table->foreign_keys.items[i]);
    for (size_t i = 0; i < table->checks.count; i++) {
        put_constraint(m, table->checks.items[i].name);
        buf_add_c(&m->out, "CHECK ");
        put_expr(m, table->checks.items[i].expr);
    }
    buf_add_c(&m->out, is_mysql(m->engine)
                         ? ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"
                         : ")");
}

static bool put_index(struct maker *m, const struct table *table, const struct key *key,
                      struct err *err) {
    if (key->where != NULL && is_mysql(m->engine))
        return err_set(err, nowhere, "index %.*s of table %.*s covers a part of its rows; MySQL "
                       "and MariaDB have no such index",
                       STR_ARG(key->name), STR_ARG(table->name));
    buf_add_c(&m->out, key->is_unique ? "CREATE UNIQUE INDEX " : "CREATE INDEX ");
    if (key->name.len > 0)
        put_name(m->engine, key->name, &m->out);
    else
        buf_printf(&m->out, "lw_%zu_%u", table->name.len, key->columns[0]);
    buf_add_c(&m->out, " ON ");
    put_name(m->engine, table->name, &m->out);
    put_columns(m, table, key->columns, key->column_count);
    if (key->where != NULL) {
        buf_add_c(&m->out, " WHERE ");
        put_expr(m, key->where);
    }
    return true;
}

static void push(struct maker *m, struct statements *statements) {
    VEC_PUSH(m->arena, &statements->items, str_dup(m->arena, buf_str(&m->out)));
    buf_clear(&m->out);
}

bool tables_create(struct arena *arena, const struct schema *schema, const struct text_pool *pool,
                   enum engine_kind engine, struct statements *statements, struct err *err) {
    struct maker m = {arena, schema, pool, engine, {0}};
    bool ok = true;
    for (size_t i = 0; i < schema->tables.count && ok; i++) {
        const struct table *table = schema->tables.items[i];
        put_table(&m, table);
        push(&m, statements);
        for (size_t k = 0; k < table->keys.count && ok; k++) {
            const struct key *key = &table->keys.items[k];
            if (key->is_unique && key->where == NULL)
                continue;
            ok = put_index(&m, table, key, err);
            push(&m, statements);
        }
    }
    buf_release(&m.out);
    return ok;
}

void tables_drop(struct arena *arena, const struct schema *schema, enum engine_kind engine,
                 struct statements *statements) {
    struct maker m = {.arena = arena, .engine = engine};
    for (size_t i = schema->tables.count; i > 0; i--) {
        buf_add_c(&m.out, "DROP TABLE ");
        put_name(engine, schema->tables.items[i - 1]->name, &m.out);
        buf_add_c(&m.out, engine == ENGINE_POSTGRESQL ? " CASCADE" : "");
        push(&m, statements);
    }
    buf_release(&m.out);
}

static bool has_serial(const struct table *table) {
    for (size_t i = 0; i < table->columns.count; i++)
        if (table->columns.items[i].is_serial)
            return true;
    return false;
}

void tables_empty(struct arena *arena, const struct schema *schema, enum engine_kind engine,
                  uint64_t touched, struct statements *statements) {
    struct maker m = {.arena = arena, .engine = engine};
    bool is_first = true;
    for (size_t i = schema->tables.count; i > 0; i--) {
        const struct table *table = schema->tables.items[i - 1];
        if (!(touched & 1ull << (i - 1)))
            continue;
        if (engine == ENGINE_POSTGRESQL)
            buf_add_c(&m.out, is_first ? "TRUNCATE " : ", ");
        else
            buf_add_c(&m.out, is_mysql(engine) ? "TRUNCATE TABLE " : "DELETE FROM ");
        is_first = false;
        put_name(engine, table->name, &m.out);
        if (engine == ENGINE_POSTGRESQL)
            continue;
        push(&m, statements);
        if (engine == ENGINE_SQLITE && has_serial(table))
            VEC_PUSH(arena, &statements->items,
                     str_printf(arena, "DELETE FROM sqlite_sequence WHERE name = '%.*s'",
                                STR_ARG(table->name)));
    }
    if (!is_first && engine == ENGINE_POSTGRESQL) {
        buf_add_c(&m.out, " RESTART IDENTITY CASCADE");
        push(&m, statements);
    }
    buf_release(&m.out);
}

void tables_bump(struct arena *arena, const struct schema *schema, enum engine_kind engine,
                 uint64_t touched, struct statements *statements) {
    for (size_t i = 0; engine == ENGINE_POSTGRESQL && i < schema->tables.count; i++) {
        const struct table *table = schema->tables.items[i];
        for (size_t k = 0; (touched & 1ull << i) && k < table->columns.count; k++) {
            if (!table->columns.items[k].is_serial)
                continue;
            struct str name = quoted_name(arena, engine, table->name);
            struct str column = quoted_name(arena, engine, table->columns.items[k].name);
            VEC_PUSH(arena, &statements->items,
                     str_printf(arena,
                                "SELECT setval(pg_get_serial_sequence('%.*s', '%.*s'), "
                                "(SELECT coalesce(max(%.*s), 0) + 1 FROM %.*s), false)",
                                STR_ARG(name), STR_ARG(table->columns.items[k].name),
                                STR_ARG(column), STR_ARG(name)));
        }
    }
}

struct str table_select(struct arena *arena, const struct table *table, enum engine_kind engine) {
    struct buf text = {0};
    buf_add_c(&text, "SELECT ");
    for (size_t i = 0; i < table->columns.count; i++) {
        buf_add_c(&text, i > 0 ? ", " : "");
        put_name(engine, table->columns.items[i].name, &text);
    }
    buf_add_c(&text, " FROM ");
    put_name(engine, table->name, &text);
    for (size_t i = 0; table->has_primary_key && i < table->keys.items[0].column_count; i++) {
        buf_add_c(&text, i > 0 ? ", " : " ORDER BY ");
        put_name(engine, table->columns.items[table->keys.items[0].columns[i]].name, &text);
    }
    return take_text(arena, &text);
}
