#include "spec/setup.h"

#include "spec/script.h"

struct setup {
    struct arena *arena;
    struct text_pool *pool;
    struct schema *schema;
    VEC(struct sql_stmt *) rows; /* what runs once all tables are known */
    struct err *err;
};

static bool is_ddl(const struct sql_stmt *stmt) {
    return stmt->kind == SQL_STMT_CREATE_TABLE || stmt->kind == SQL_STMT_CREATE_INDEX;
}

static bool read_blocks(struct setup *setup, const struct spec *spec) {
    for (size_t i = 0; i < spec->setups.count; i++) {
        struct script script;
        if (!script_parse(setup->arena, setup->pool, &spec->setups.items[i], SCRIPT_SETUP, &script,
                          setup->err))
            return false;
        for (size_t k = 0; k < script.stmts.count; k++) {
            struct sql_stmt *stmt = script.stmts.items[k];
            if (!is_ddl(stmt))
                VEC_PUSH(setup->arena, &setup->rows, stmt);
            else if (!schema_apply(setup->arena, setup->schema, stmt, setup->err))
                return false;
        }
    }
    return true;
}

/* The item that is generate_series(from, to), or NULL. */
static struct sql_expr *find_series(const struct sql_stmt *stmt) {
    const struct sql_select *select = stmt->kind == SQL_STMT_INSERT ? stmt->insert->select : NULL;
    if (select == NULL || select->sources.count > 0)
        return NULL;
    for (size_t i = 0; i < select->items.count; i++) {
        struct sql_expr *expr = select->items.items[i].expr;
        if (expr != NULL && expr->kind == SQL_CALL && str_is(expr->name, "GENERATE_SERIES"))
            return expr;
    }
    return NULL;
}

static bool is_whole_number(const struct sql_expr *expr) {
    return expr->kind == SQL_LITERAL && expr->literal.kind == VALUE_INT;
}

/* INSERT INTO t SELECT generate_series(1, 10), ...: a row for each number. */
static bool load_series(struct setup *setup, struct db *db, const struct sql_stmt *stmt,
                        struct sql_expr *series) {
    enum { ROWS_MAX = 20000 };
    if (series->args.count != 2 || !is_whole_number(series->args.items[0]) ||
        !is_whole_number(series->args.items[1]))
        return err_set(setup->err, series->pos, "generate_series of this is not modelled");
    int64_t from = series->args.items[0]->literal.number;
    int64_t to = series->args.items[1]->literal.number;
    if (to >= from && (uint64_t)to - (uint64_t)from >= ROWS_MAX)
        return err_set(setup->err, series->pos, "more than %d rows are not modelled", ROWS_MAX);
    series->kind = SQL_LITERAL;
    series->args.count = 0;
    for (int64_t number = from; number <= to; number++) {
        series->literal = value_int(number);
        if (!db_load(db, stmt, setup->err))
            return false;
    }
    return true;
}

static bool load_rows(struct setup *setup, struct db *db) {
    for (size_t i = 0; i < setup->rows.count; i++) {
        struct sql_stmt *stmt = setup->rows.items[i];
        struct sql_expr *series = find_series(stmt);
        bool is_set = stmt->kind == SQL_STMT_SET;
        if (!sql_resolve(setup->arena, setup->schema, stmt, setup->err))
            return false;
        if (stmt->kind != SQL_STMT_INSERT && stmt->kind != SQL_STMT_UPDATE && !is_set)
            return err_set(setup->err, stmt->pos, "this statement in setup is not modelled");
        if (series != NULL ? !load_series(setup, db, stmt, series)
                           : !is_set && !db_load(db, stmt, setup->err))
            return false;
    }
    return true;
}

bool setup_make(struct arena *arena, struct text_pool *pool, const struct spec *spec,
                const struct db_config *config, size_t session_count, struct schema *schema,
                struct db **db, struct err *err) {
    struct setup setup = {.arena = arena, .pool = pool, .schema = schema, .err = err};
    if (!read_blocks(&setup, spec))
        return false;
    *db = db_new(config, schema, pool, session_count);
    return load_rows(&setup, *db);
}
