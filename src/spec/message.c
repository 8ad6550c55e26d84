#include "spec/message.h"

#include "base/assert.h"

/* Index of the table with a foreign key or check of that name, -1: none. A statement's own table first. */
static int table_with(const struct schema *schema, int first, struct str name, bool is_check) {
    int found = -1;
    for (size_t t = 0; t < schema->tables.count; t++) {
        const struct table *table = schema->tables.items[t];
        bool has = false;
        for (size_t i = 0; !is_check && i < table->foreign_keys.count; i++)
            has |= str_equal(table->foreign_keys.items[i].name, name);
        for (size_t i = 0; is_check && i < table->checks.count; i++)
            has |= str_equal(table->checks.items[i].name, name);
        if (has && (found < 0 || (int)t == first))
            found = (int)t;
    }
    return found;
}

static struct str table_name(const struct schema *schema, int table) {
    return table < 0 ? STR("?") : schema->tables.items[table]->name;
}

static struct str foreign_key_message(struct arena *arena, const struct schema *schema,
                                      const struct sql_stmt *stmt, struct str name,
                                      bool is_parent) {
    int child = table_with(schema, is_parent ? -1 : sql_target_table(stmt), name, false);
    struct str child_name = table_name(schema, child);
    if (!is_parent)
        return str_printf(
            arena, "insert or update on table \"%.*s\" violates foreign key constraint \"%.*s\"",
            STR_ARG(child_name), STR_ARG(name));
    const struct table *table = schema->tables.items[child < 0 ? 0 : child];
    struct str parent = STR("?");
    for (size_t i = 0; i < table->foreign_keys.count; i++)
        if (str_equal(table->foreign_keys.items[i].name, name))
            parent = table_name(schema, table->foreign_keys.items[i].parent);
    return str_printf(arena,
                      "update or delete on table \"%.*s\" violates foreign key constraint "
                      "\"%.*s\" on table \"%.*s\"",
                      STR_ARG(parent), STR_ARG(name), STR_ARG(child_name));
}

static struct str serialization_message(struct str detail) {
    if (str_starts(detail, "read/write"))
        return STR("could not serialize access due to read/write dependencies among transactions");
    if (str_ends(detail, ", deleted"))
        return STR("could not serialize access due to concurrent delete");
    return STR("could not serialize access due to concurrent update");
}

static struct str not_available_message(struct arena *arena, struct str detail) {
    static const char row[] = "row in table ";
    if (!str_starts(detail, row))
        return str_printf(arena, "could not obtain lock on relation \"%.*s\"", STR_ARG(detail));
    struct str table = str_sub(detail, sizeof(row) - 1, detail.len);
    return str_printf(arena, "could not obtain lock on row in relation \"%.*s\"", STR_ARG(table));
}

static struct str no_transaction_message(struct arena *arena, const struct sql_stmt *stmt) {
    const char *what = stmt->kind == SQL_STMT_LOCK_TABLE    ? "LOCK TABLE"
                       : stmt->kind == SQL_STMT_SAVEPOINT   ? "SAVEPOINT"
                       : stmt->kind == SQL_STMT_ROLLBACK_TO ? "ROLLBACK TO SAVEPOINT"
                                                            : "RELEASE SAVEPOINT";
    return str_printf(arena, "%s can only be used in transaction blocks", what);
}

static struct str named_message(struct arena *arena, const struct schema *schema,
                                const struct sql_stmt *stmt, enum db_error error, struct str name) {
    struct str table = table_name(schema, sql_target_table(stmt));
    if (error == DB_ERROR_UNIQUE)
        return str_printf(arena, "duplicate key value violates unique constraint \"%.*s\"",
                          STR_ARG(name));
    if (error == DB_ERROR_NOT_NULL)
        return str_printf(
            arena, "null value in column \"%.*s\" of relation \"%.*s\" violates not-null constraint",
            STR_ARG(name), STR_ARG(table));
    table = table_name(schema, table_with(schema, sql_target_table(stmt), name, true));
    return str_printf(arena, "new row for relation \"%.*s\" violates check constraint \"%.*s\"",
                      STR_ARG(table), STR_ARG(name));
}

bool message_of(struct arena *arena, const struct schema *schema, const struct sql_stmt *stmt,
                const struct db_result *result, struct str *message, struct err *err) {
    struct str detail = str_dup(arena, str_from_c(result->detail));
    switch (result->error) {
    case DB_ERROR_SERIALIZATION:
        *message = serialization_message(detail);
        return true;
    case DB_ERROR_DEADLOCK:
        *message = STR("deadlock detected");
        return true;
    case DB_ERROR_LOCK_TIMEOUT:
        *message = STR("canceling statement due to user request");
        return true;
    case DB_ERROR_LOCK_NOT_AVAILABLE:
        *message = not_available_message(arena, detail);
        return true;
    case DB_ERROR_UNIQUE:
    case DB_ERROR_NOT_NULL:
    case DB_ERROR_CHECK:
        *message = named_message(arena, schema, stmt, result->error, detail);
        return true;
    case DB_ERROR_FOREIGN_KEY:
    case DB_ERROR_REFERENCED:
        *message = foreign_key_message(arena, schema, stmt, detail,
                                       result->error == DB_ERROR_REFERENCED);
        return true;
    case DB_ERROR_FAILED_TRANSACTION:
        *message = STR("current transaction is aborted, commands ignored until end of transaction "
                       "block");
        return true;
    case DB_ERROR_NO_SAVEPOINT:
        *message = str_printf(arena, "savepoint \"%.*s\" does not exist", STR_ARG(detail));
        return true;
    case DB_ERROR_NO_PREPARED:
        *message = str_printf(arena, "prepared transaction with identifier \"%.*s\" does not exist",
                              STR_ARG(detail));
        return true;
    case DB_ERROR_ACTIVE_TRANSACTION:
        *message = stmt->kind == SQL_STMT_COMMIT_PREPARED
                       ? STR("COMMIT PREPARED cannot run inside a transaction block")
                   : stmt->kind == SQL_STMT_ROLLBACK_PREPARED
                       ? STR("ROLLBACK PREPARED cannot run inside a transaction block")
                       : STR("SET TRANSACTION ISOLATION LEVEL must be called before any query");
        return true;
    case DB_ERROR_NO_TRANSACTION:
        *message = no_transaction_message(arena, stmt);
        return true;
    case DB_ERROR_CARDINALITY:
        *message = str_starts(detail, "ON CONFLICT")
                       ? STR("ON CONFLICT DO UPDATE command cannot affect row a second time")
                       : STR("more than one row returned by a subquery used as an expression");
        return true;
    default:
        return err_set(err, stmt->pos, "%s%s%s", db_error_text(result->error),
                       detail.len > 0 ? ": " : "", detail.ptr);
    }
}
