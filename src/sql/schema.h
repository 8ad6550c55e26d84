/* Tables as the engines and the checker know them: columns, keys, foreign keys, checks. Made
 * from CREATE TABLE and CREATE INDEX statements, or by the Django front end from models. Plain
 * data in the run arena, immutable once built; tables and columns are referred to by index.
 */
#ifndef LW_SQL_SCHEMA_H
#define LW_SQL_SCHEMA_H

#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"
#include "sql/value.h"

struct sql_expr;
struct sql_stmt;

enum column_type {
    COLUMN_INT,
    COLUMN_DECIMAL,
    COLUMN_TEXT,
    COLUMN_BOOL,
    COLUMN_TIME, /* date, time, timestamp */
    COLUMN_OTHER /* compared for equality only: json, uuid, bytea, arrays */
};

enum { SCHEMA_TABLES_MAX = 64, TABLE_COLUMNS_MAX = 250, KEY_COLUMNS_MAX = 8 };

struct column {
    struct str name;
    struct str type_text; /* as written: "varchar(100)" */
    enum column_type type;
    bool not_null;
    bool is_serial;                      /* filled from the table's sequence when not given */
    const struct sql_expr *default_expr; /* NULL: none */
};

/* A primary key, a unique constraint or index, or a plain index. */
struct key {
    struct str name;
    bool is_primary;
    bool is_unique;
    size_t column_count;
    uint16_t columns[KEY_COLUMNS_MAX];
    const struct sql_expr *where; /* partial index (PostgreSQL, SQLite); NULL: all rows */
};

enum fk_action { FK_NO_ACTION, FK_RESTRICT, FK_CASCADE, FK_SET_NULL, FK_SET_DEFAULT };

struct foreign_key {
    struct str name;
    size_t column_count;
    uint16_t columns[KEY_COLUMNS_MAX];
    uint16_t parent; /* table index */
    uint16_t parent_columns[KEY_COLUMNS_MAX];
    enum fk_action on_delete;
    enum fk_action on_update;
    bool is_deferred; /* DEFERRABLE INITIALLY DEFERRED: checked at COMMIT (PostgreSQL, SQLite) */
};

struct check_constraint {
    struct str name;
    const struct sql_expr *expr;
};

struct table {
    struct str name;
    VEC(struct column) columns;
    VEC(struct key) keys; /* the primary key first, if there is one */
    VEC(struct foreign_key) foreign_keys;
    VEC(struct check_constraint) checks;
    bool has_primary_key;
};

struct schema {
    VEC(struct table *) tables;
};

/* The index of the table called `name` (case ignored), or -1. */
int schema_find_table(const struct schema *schema, struct str name);
/* The index of the column, or -1. */
int table_find_column(const struct table *table, struct str name);

/* What a type's text means: "varchar(100)" is TEXT, "tinyint(1)" BOOL, "jsonb" OTHER. */
enum column_type column_type_of(struct str type_text);

/* Adds what a CREATE TABLE or CREATE INDEX statement says. False, with the statement's position,
 * if a name is taken or unknown, or a limit above is passed. A foreign key's parent must exist
 * already (or be the table itself). */
bool schema_apply(struct arena *arena, struct schema *schema, const struct sql_stmt *ddl,
                  struct err *err);

/* The schema as CREATE TABLE and CREATE INDEX statements that schema_apply would take. */
void schema_print(const struct schema *schema, const struct text_pool *pool, struct buf *out);

#endif
