/* SQL statements: any bytes are read in each dialect. What is read must survive printing in all
 * three: the printed text is read again, to an equal tree. It must resolve against a schema or
 * be refused with a position, twice alike; and a copy must equal what it was made of. CREATE
 * statements are applied. */
#include "sql/sql.h"
#include "base/assert.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DIALECT_COUNT = 3 };

static const char *const schema_text[] = {
    "CREATE TABLE p (id serial PRIMARY KEY, total integer NOT NULL DEFAULT 0, name text UNIQUE)",
    "CREATE TABLE t (id integer PRIMARY KEY, a integer, b decimal(10, 2), s varchar(20), at "
    "timestamp, "
    "p_id integer REFERENCES p (id) ON DELETE CASCADE, UNIQUE (a, b), CHECK (a < 100))",
    "CREATE UNIQUE INDEX t_s ON t (s) WHERE a IS NULL",
};

static void check_position(const struct err *err) {
    LW_ASSERT(err->pos.line > 0 && err->pos.column > 0 && err->message[0] != '\0');
}

static struct sql_stmt *read_again(struct arena *arena, struct text_pool *pool, struct str text,
                                   enum sql_dialect dialect) {
    struct sql_stmt *stmt;
    struct err err;
    if (sql_parse(arena, pool, text, (struct pos){1, 1}, dialect, &stmt, &err))
        return stmt;
    fprintf(stderr, "%s:%u:%u: %s in\n%.*s\n", sql_dialect_name(dialect), err.pos.line,
            err.pos.column, err.message, STR_ARG(text));
    abort();
}

static void check_print(struct arena *arena, struct text_pool *pool, const struct sql_stmt *stmt,
                        enum sql_dialect dialect) {
    struct buf printed = {0}, again = {0};
    sql_print(stmt, pool, dialect, &printed);
    struct sql_stmt *second = read_again(arena, pool, buf_str(&printed), dialect);
    sql_print(second, pool, dialect, &again);
    if (!sql_equal(stmt, second, pool) || !str_equal(buf_str(&printed), buf_str(&again))) {
        fprintf(stderr, "%s: %s\nis read as\n%s\n", sql_dialect_name(dialect), printed.ptr,
                again.ptr);
        abort();
    }
    buf_release(&printed);
    buf_release(&again);
}

static void print_host(void *context, uint16_t host, struct buf *out) {
    const struct sql_stmt *stmt = context;
    LW_ASSERT(host < stmt->hosts.count);
    buf_add_char(out, '0');
}

static void check_meaning(struct arena *arena, struct text_pool *pool, struct schema *schema,
                          struct sql_stmt *stmt) {
    struct err err;
    struct buf schema_printed = {0};
    struct sql_stmt *copy = sql_copy(arena, stmt);
    LW_ASSERT(sql_equal(stmt, copy, pool));
    bool is_ddl = stmt->kind == SQL_STMT_CREATE_TABLE || stmt->kind == SQL_STMT_CREATE_INDEX;
    if (is_ddl && schema_apply(arena, schema, stmt, &err))
        schema_print(schema, pool, &schema_printed);
    else if (is_ddl)
        check_position(&err);
    buf_release(&schema_printed);
    if (!sql_resolve(arena, schema, copy, &err)) {
        check_position(&err);
        return;
    }
    struct sql_stmt *second = sql_copy(arena, copy);
    LW_ASSERT(sql_resolve(arena, schema, second, &err));
    LW_ASSERT(sql_equal(copy, second, pool));
    for (int dialect = 0; dialect < DIALECT_COUNT; dialect++) {
        struct buf filled = {0};
        struct sql_host_printer hosts = {print_host, copy};
        sql_print_filled(copy, pool, (enum sql_dialect)dialect, &hosts, &filled);
        LW_ASSERT(filled.len > 0);
        buf_release(&filled);
    }
}

static void make_schema(struct arena *arena, struct text_pool *pool, struct schema *schema) {
    for (size_t i = 0; i < LW_COUNT_OF(schema_text); i++) {
        struct err err;
        struct sql_stmt *ddl = read_again(arena, pool, str_from_c(schema_text[i]), SQL_POSTGRESQL);
        LW_ASSERT(schema_apply(arena, schema, ddl, &err));
    }
}

static void check_text(struct str text, enum sql_dialect dialect) {
    struct arena arena = {0};
    struct text_pool pool;
    struct sql_stmt *stmt;
    struct err err;
    size_t end;
    arena_init(&arena);
    text_pool_init(&pool, &arena);
    if (sql_statement_end(text, 0, (struct pos){1, 1}, dialect, &end, &err))
        LW_ASSERT(end <= text.len);
    else
        check_position(&err);
    if (sql_parse(&arena, &pool, text, (struct pos){1, 1}, dialect, &stmt, &err)) {
        for (int i = 0; i < DIALECT_COUNT; i++)
            check_print(&arena, &pool, stmt, (enum sql_dialect)i);
        struct schema schema = {0};
        make_schema(&arena, &pool, &schema);
        check_meaning(&arena, &pool, &schema, stmt);
    } else {
        check_position(&err);
    }
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str text = {(const char *)data, size};
    for (int dialect = 0; dialect < DIALECT_COUNT; dialect++)
        check_text(text, (enum sql_dialect)dialect);
    return 0;
}
