#include "support.h"

#include "base/assert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

void lab_init(struct lab *lab, enum engine_kind engine, enum sql_isolation isolation,
              size_t session_count) {
    memset(lab, 0, sizeof(*lab));
    text_pool_init(&lab->pool, &lab->arena);
    lab->config.engine = engine;
    lab->config.isolation = isolation;
    lab->session_count = session_count;
}

void lab_release(struct lab *lab) {
    db_free(lab->db);
    arena_release(&lab->arena);
}

static struct sql_stmt *parse(struct lab *lab, struct str text) {
    struct sql_stmt *stmt = NULL;
    struct err err;
    struct pos start = {1, 1};
    enum sql_dialect dialect = engine_dialect(lab->config.engine);
    if (!sql_parse(&lab->arena, &lab->pool, text, start, dialect, &stmt, &err))
        fail_msg("%.*s: %u:%u: %s", STR_ARG(text), err.pos.line, err.pos.column, err.message);
    return stmt;
}

const struct sql_stmt *lab_stmt(struct lab *lab, struct str text) {
    struct err err;
    struct sql_stmt *stmt = parse(lab, text);
    if (!sql_resolve(&lab->arena, &lab->schema, stmt, &err))
        fail_msg("%.*s: %u:%u: %s", STR_ARG(text), err.pos.line, err.pos.column, err.message);
    return stmt;
}

static void setup_one(struct lab *lab, struct str text) {
    struct err err;
    struct sql_stmt *stmt = parse(lab, text);
    bool is_ddl = stmt->kind == SQL_STMT_CREATE_TABLE || stmt->kind == SQL_STMT_CREATE_INDEX;
    if (is_ddl) {
        assert_null(lab->db);
        if (!schema_apply(&lab->arena, &lab->schema, stmt, &err))
            fail_msg("%.*s: %s", STR_ARG(text), err.message);
        return;
    }
    if (lab->db == NULL)
        lab->db = db_new(&lab->config, &lab->schema, &lab->pool, lab->session_count);
    if (!sql_resolve(&lab->arena, &lab->schema, stmt, &err) || !db_load(lab->db, stmt, &err))
        fail_msg("%.*s: %s", STR_ARG(text), err.message);
}

void lab_setup(struct lab *lab, const char *sql) {
    struct str text = str_dup(&lab->arena, str_from_c(sql));
    enum sql_dialect dialect = engine_dialect(lab->config.engine);
    size_t at = 0, end;
    struct err err;
    for (; at < text.len; at = end + 1) {
        if (!sql_statement_end(text, at, (struct pos){1, 1}, dialect, &end, &err))
            fail_msg("%s", err.message);
        struct str one = str_sub(text, at, end);
        while (one.len > 0 && (one.ptr[0] == ' ' || one.ptr[0] == '\n'))
            one = str_sub(one, 1, one.len);
        if (one.len > 0)
            setup_one(lab, one);
    }
    if (lab->db == NULL)
        lab->db = db_new(&lab->config, &lab->schema, &lab->pool, lab->session_count);
}

void lab_exec(struct lab *lab, size_t session, const char *sql, struct db_result *result) {
    struct str text = str_dup(&lab->arena, str_from_c(sql));
    db_exec(lab->db, session, lab_stmt(lab, text), NULL, result);
}

static bool is_mysql(const struct lab *lab) {
    return lab->config.engine == ENGINE_MYSQL || lab->config.engine == ENGINE_MARIADB;
}

static void rows_print(const struct lab *lab, const struct db_result *result, struct buf *out) {
    buf_add_char(out, '[');
    for (size_t r = 0; r < result->row_count; r++) {
        buf_add_c(out, r > 0 ? ", (" : "(");
        for (size_t c = 0; c < result->column_count; c++) {
            struct value value = result->rows[r * result->column_count + c];
            if (c > 0)
                buf_add_c(out, ", ");
            if (value.kind == VALUE_NULL)
                buf_add_c(out, "None");
            else if (value.kind == VALUE_TEXT)
                buf_printf(out, "'%.*s'", STR_ARG(text_pool_get(&lab->pool, value.number)));
            else {
                buf_add_char(out, '\'');
                value_print(&lab->pool, value, out);
                buf_add_char(out, '\'');
            }
        }
        buf_add_c(out, result->column_count == 1 ? ",)" : ")");
    }
    buf_add_char(out, ']');
}

/* A version was made, or none, and no column differs. */
static bool is_unchanged(const struct lab *lab, const struct db *db, const struct db_ref *write) {
    const struct table *table = lab->schema.tables.items[write->table];
    if (write->version == 0 || write->previous == 0)
        return false;
    for (uint16_t c = 0; c < table->columns.count; c++) {
        struct value new = db_version_value(db, write->version, c);
        struct value old = db_version_value(db, write->previous, c);
        if (new.kind != old.kind || !value_equal(&lab->pool, new, old))
            return false;
    }
    return true;
}

/* What MySQL tells without FOUND_ROWS: rows matched, less those that were so already. */
static int64_t changed_rows(const struct lab *lab, const struct db *db,
                            const struct db_result *result) {
    int64_t count = result->affected;
    for (size_t i = 0; i < result->write_count; i++)
        count -= is_unchanged(lab, db, &result->writes[i]);
    return count;
}

void answer_print(const struct lab *lab, const struct db *db, const struct sql_stmt *stmt,
                  const struct db_result *result, struct buf *out) {
    static const char *const tags[] = {
#define SQL_STMT(name, text) text,
#include "sql/stmt.def"
#undef SQL_STMT
    };
    bool is_dml = stmt->kind == SQL_STMT_INSERT || stmt->kind == SQL_STMT_UPDATE ||
                  stmt->kind == SQL_STMT_DELETE;
    if (result->status == DB_BLOCKED) {
        buf_add_c(out, "BLOCKED");
    } else if (result->status == DB_FAILED) {
        buf_printf(out, "ERR %s", db_error_code(result->error, lab->config.engine));
    } else if (stmt->kind == SQL_STMT_SELECT || stmt->returning.count > 0) {
        rows_print(lab, result, out);
    } else if (is_mysql(lab)) {
        /* The transcripts were made without FOUND_ROWS: rows changed, not matched. */
        buf_printf(out, "affected %lld", is_dml ? (long long)changed_rows(lab, db, result) : 0);
    } else if (is_dml) {
        buf_printf(out, "%s%s %lld", tags[stmt->kind], stmt->kind == SQL_STMT_INSERT ? " 0" : "",
                   (long long)result->affected);
    } else if (stmt->kind == SQL_STMT_COMMIT && result->ended_transaction) {
        buf_add_c(out, "ROLLBACK");
    } else {
        buf_add_c(out, tags[stmt->kind]);
    }
}
