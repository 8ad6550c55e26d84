#include "fake_live.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct pos start = {1, 1};

struct fake_session {
    const struct sql_stmt *stmt;
    bool is_waiting, was_open;
    struct arena memory; /* of the answer */
    struct live_answer answer;
};

struct live {
    enum live_kind kind;
    struct db_config config;
    size_t session_count;
    struct arena arena; /* of tables, and of statements sent */
    struct text_pool pool;
    struct schema schema;
    VEC(struct sql_stmt *) rows; /* as they were inserted by live_run */
    struct db *db;               /* NULL: to be made of the rows */
    struct fake_session sessions[LIVE_SESSIONS_MAX];
    struct fake_session control;
    unsigned statement_count, break_after;
};

static enum sql_dialect dialect(const struct live *live) {
    return live->kind == LIVE_POSTGRESQL ? SQL_POSTGRESQL
           : live->kind == LIVE_SQLITE   ? SQL_SQLITE
                                         : SQL_MYSQL;
}

struct live *fake_open(enum live_kind kind, const struct db_config *config, size_t session_count) {
    struct live *live = mem_alloc(sizeof(*live));
    memset(live, 0, sizeof(*live));
    live->kind = kind;
    live->config = *config;
    live->session_count = session_count;
    text_pool_init(&live->pool, &live->arena);
    return live;
}

void fake_break_after(struct live *live, unsigned count) {
    live->break_after = count;
}

unsigned fake_statement_count(const struct live *live) {
    return live->statement_count;
}

bool live_close(struct live *live, struct err *err) {
    (void)err;
    db_free(live->db);
    for (size_t i = 0; i < LIVE_SESSIONS_MAX; i++)
        arena_release(&live->sessions[i].memory);
    arena_release(&live->control.memory);
    arena_release(&live->arena);
    free(live);
    return true;
}

enum live_kind live_kind(const struct live *live) {
    return live->kind;
}

/* The tables and their rows. */

static bool has_text(struct str text, const char *what) {
    struct str wanted = str_from_c(what);
    for (size_t i = 0; i + wanted.len <= text.len; i++)
        if (str_equal(str_sub(text, i, i + wanted.len), wanted))
            return true;
    return false;
}

static bool is_named(struct live *live, struct str text, uint16_t table) {
    struct arena scratch = {0};
    struct str name = live->schema.tables.items[table]->name;
    const char *quote = dialect(live) == SQL_MYSQL ? "`" : "\"";
    struct str quoted = str_printf(&scratch, "%s%.*s%s", quote, STR_ARG(name), quote);
    bool named = has_text(text, str_to_c(&scratch, quoted));
    arena_release(&scratch);
    return named;
}

static void empty(struct live *live, struct str text) {
    size_t kept = 0;
    for (size_t i = 0; i < live->rows.count; i++) {
        const struct sql_stmt *stmt = live->rows.items[i];
        uint16_t table = stmt->kind == SQL_STMT_INSERT ? stmt->insert->table_index
                                                       : stmt->update->target.table_index;
        if (!is_named(live, text, table))
            live->rows.items[kept++] = live->rows.items[i];
    }
    live->rows.count = kept;
}

static bool run_one(struct live *live, struct str text, struct err *err) {
    struct sql_stmt *stmt;
    db_free(live->db);
    live->db = NULL;
    if (str_starts(text, "DROP")) {
        live->schema.tables.count = live->rows.count = 0;
        return true;
    }
    if (str_starts(text, "TRUNCATE") || str_starts(text, "DELETE FROM")) {
        empty(live, text);
        return true;
    }
    if (str_starts(text, "SELECT setval") || str_starts(text, "SET ") || str_starts(text, "PRAGMA"))
        return true;
    text = str_dup(&live->arena, text);
    if (!sql_parse(&live->arena, &live->pool, text, start, dialect(live), &stmt, err))
        return false;
    if (stmt->kind == SQL_STMT_CREATE_TABLE || stmt->kind == SQL_STMT_CREATE_INDEX)
        return schema_apply(&live->arena, &live->schema, stmt, err);
    if (!sql_resolve(&live->arena, &live->schema, stmt, err))
        return false;
    VEC_PUSH(&live->arena, &live->rows, stmt);
    return true;
}

/* Table options are no business of the parser's. */
static struct str without_options(struct str text) {
    size_t at = 0;
    for (size_t i = 0; i < text.len; i++)
        if (str_starts(str_sub(text, i, text.len), ") ENGINE=InnoDB"))
            at = i + 1;
    return at > 0 ? str_sub(text, 0, at) : text;
}

bool live_run(struct live *live, struct str sql, struct err *err) {
    for (size_t from = 0; from < sql.len;) {
        size_t end;
        if (!sql_statement_end(sql, from, start, dialect(live), &end, err))
            return false;
        while (from < end && sql.ptr[from] == ' ')
            from++;
        if (!run_one(live, without_options(str_sub(sql, from, end)), err))
            return false;
        from = end + 1;
    }
    return true;
}

static struct db *database(struct live *live) {
    struct err err;
    if (live->db != NULL)
        return live->db;
    live->db = db_new(&live->config, &live->schema, &live->pool, live->session_count + 1);
    for (size_t i = 0; i < live->rows.count; i++)
        if (!db_load(live->db, live->rows.items[i], &err))
            fail_msg("%s", err.message);
    return live->db;
}

/* Answers. */

static struct str cell_text(const struct live *live, struct arena *memory, struct value value) {
    struct buf text = {0};
    if (value.kind == VALUE_NULL)
        return (struct str){0};
    if (value.kind == VALUE_TEXT)
        return str_dup(memory, text_pool_get(&live->pool, value.number));
    if (value.kind == VALUE_TIME)
        assert_true(value_time_text(value, &text));
    else if (value.kind == VALUE_BOOL)
        buf_add_c(&text, live->kind == LIVE_POSTGRESQL ? value.number ? "t" : "f"
                         : value.number                ? "1"
                                                       : "0");
    else
        value_print(&live->pool, value, &text);
    struct str copy = str_dup(memory, buf_str(&text));
    buf_release(&text);
    return copy;
}

static enum live_type type_of(struct value value) {
    static const enum live_type types[] = {[VALUE_NULL] = LIVE_TEXT,       [VALUE_BOOL] = LIVE_BOOL,
                                           [VALUE_INT] = LIVE_INTEGER,     [VALUE_TEXT] = LIVE_TEXT,
                                           [VALUE_DECIMAL] = LIVE_DECIMAL, [VALUE_TIME] = LIVE_TIME};
    return types[value.kind];
}

static enum engine_kind spoken(const struct live *live) {
    static const enum engine_kind engines[] = {[LIVE_POSTGRESQL] = ENGINE_POSTGRESQL,
                                               [LIVE_MYSQL] = ENGINE_MYSQL,
                                               [LIVE_MARIADB] = ENGINE_MARIADB,
                                               [LIVE_SQLITE] = ENGINE_SQLITE};
    return engines[live->kind];
}

static void put_rows(const struct live *live, struct fake_session *session,
                     const struct db_result *result) {
    struct live_answer *answer = &session->answer;
    size_t count = result->row_count * result->column_count;
    struct str *cells = ARENA_ARRAY(&session->memory, struct str, count);
    struct live_column *columns =
        ARENA_ARRAY(&session->memory, struct live_column, result->column_count);
    for (size_t i = 0; i < count; i++) {
        cells[i] = cell_text(live, &session->memory, result->rows[i]);
        if (result->rows[i].kind != VALUE_NULL)
            columns[i % result->column_count].type = type_of(result->rows[i]);
    }
    answer->has_rows = true;
    answer->row_count = result->row_count;
    answer->column_count = result->column_count;
    answer->cells = cells;
    answer->columns = columns;
}

static const struct live_answer *put_answer(struct live *live, struct fake_session *session,
                                            const struct db_result *result) {
    struct live_answer *answer = &session->answer;
    *answer = (struct live_answer){.affected = result->affected,
                                   .last_insert = result->last_insert.number,
                                   .ended_transaction = result->ended_transaction};
    session->is_waiting = result->status == DB_BLOCKED;
    if (result->status == DB_BLOCKED) {
        answer->status = LIVE_WAITING;
        answer->blockers = result->blockers;
    } else if (result->status == DB_FAILED) {
        const char *code = db_error_code(result->error, spoken(live));
        answer->status = LIVE_FAILED;
        answer->message = str_from_c(db_error_text(result->error));
        if (live->kind == LIVE_POSTGRESQL)
            snprintf(answer->sqlstate, sizeof(answer->sqlstate), "%s", code);
        else
            answer->number = atoi(code);
    } else {
        answer->command = session->stmt->kind == SQL_STMT_COMMIT && result->ended_transaction
                              ? STR("ROLLBACK")
                              : STR("");
        if (session->stmt->kind == SQL_STMT_SELECT || session->stmt->returning.count > 0)
            put_rows(live, session, result);
    }
    return answer;
}

bool live_query(struct live *live, struct str sql, const struct live_answer **answer,
                struct err *err) {
    struct sql_stmt *stmt;
    struct db_result result;
    arena_reset(&live->control.memory);
    if (str_starts(sql, "SHOW")) {
        static const struct live_answer one = {.row_count = 1, .has_rows = true};
        *answer = &one;
        return true;
    }
    sql = str_dup(&live->control.memory, sql);
    if (!sql_parse(&live->control.memory, &live->pool, sql, start, dialect(live), &stmt, err) ||
        !sql_resolve(&live->control.memory, &live->schema, stmt, err))
        return false;
    live->control.stmt = stmt;
    db_exec(database(live), live->session_count, stmt, NULL, &result);
    *answer = put_answer(live, &live->control, &result);
    return true;
}

static bool is_broken(const struct live *live, struct err *err) {
    if (live->break_after == 0 || live->statement_count < live->break_after)
        return false;
    err_set(err, start, "the server is gone");
    return true;
}

bool live_exec(struct live *live, size_t index, struct str sql, const struct live_answer **answer,
               struct err *err) {
    struct fake_session *session = &live->sessions[index];
    struct sql_stmt *stmt;
    struct db_result result;
    assert_false(session->is_waiting);
    live->statement_count++;
    if (is_broken(live, err))
        return false;
    arena_reset(&session->memory);
    if (str_starts(sql, "SET ") && !str_starts(sql, "SET TRANSACTION")) {
        session->answer = (struct live_answer){.status = LIVE_DONE};
        *answer = &session->answer;
        return true;
    }
    sql = str_dup(&live->arena, sql);
    if (!sql_parse(&live->arena, &live->pool, sql, start, dialect(live), &stmt, err) ||
        !sql_resolve(&live->arena, &live->schema, stmt, err))
        fail_msg("%.*s: %s", STR_ARG(sql), err->message);
    session->stmt = stmt;
    session->was_open = db_in_transaction(database(live), index);
    db_exec(database(live), index, stmt, NULL, &result);
    *answer = put_answer(live, session, &result);
    return true;
}

bool live_is_waiting(const struct live *live, size_t session) {
    return live->sessions[session].is_waiting;
}

bool live_resume(struct live *live, int *session, const struct live_answer **answer,
                 struct err *err) {
    struct db_result result;
    if (is_broken(live, err))
        return false;
    *session = db_resume(database(live), &result);
    if (*session != LIVE_NO_SESSION)
        *answer = put_answer(live, &live->sessions[*session], &result);
    return true;
}

bool live_cancel(struct live *live, size_t session, const struct live_answer **answer,
                 struct err *err) {
    struct db_result result;
    if (is_broken(live, err))
        return false;
    db_timeout(database(live), session, &result);
    *answer = put_answer(live, &live->sessions[session], &result);
    return true;
}

bool live_in_transaction(const struct live *live, size_t session) {
    return live->db != NULL && db_in_transaction(live->db, session);
}

bool live_rollback_all(struct live *live, struct err *err) {
    if (is_broken(live, err))
        return false;
    /* What its sessions did goes with it: the rows are put back only where something was written. */
    db_free(live->db);
    live->db = NULL;
    for (size_t i = 0; i < LIVE_SESSIONS_MAX; i++)
        live->sessions[i].is_waiting = false;
    return true;
}
