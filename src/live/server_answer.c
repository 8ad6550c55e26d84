/* The server's answer beside the shadow's. */
#include "base/assert.h"
#include "live/server_run.h"

#include <stdio.h>

/* Saying what an answer is. */

static void put_answer(const struct live_answer *answer, struct buf *out) {
    enum { ROWS_SHOWN_MAX = 3 };
    if (answer->status == LIVE_WAITING) {
        buf_add_c(out, "waits");
        return;
    }
    if (answer->status == LIVE_FAILED) {
        if (answer->sqlstate[0] != '\0' && answer->number == 0)
            buf_printf(out, "error %s: %.*s", answer->sqlstate, STR_ARG(answer->message));
        else
            buf_printf(out, "error %d: %.*s", answer->number, STR_ARG(answer->message));
        return;
    }
    if (!answer->has_rows) {
        buf_printf(out, "%lld row%s", (long long)answer->affected,
                   answer->affected == 1 ? "" : "s");
        return;
    }
    buf_add_c(out, answer->row_count == 0 ? "no row" : "");
    for (size_t i = 0; i < answer->row_count && i < ROWS_SHOWN_MAX; i++) {
        buf_add_c(out, i > 0 ? ", (" : "(");
        for (size_t k = 0; k < answer->column_count; k++) {
            struct str cell = answer->cells[i * answer->column_count + k];
            buf_printf(out, "%s%.*s", k > 0 ? ", " : "", STR_ARG(cell.ptr != NULL ? cell : STR("NULL")));
        }
        buf_add_char(out, ')');
    }
}

static void put_mine(const struct server *server, const struct sql_stmt *stmt,
                     const struct db_result *mine, struct buf *out) {
    enum { ROWS_SHOWN_MAX = 3 };
    if (mine == NULL || mine->status == DB_BLOCKED) {
        buf_add_c(out, "waits");
        return;
    }
    if (mine->status == DB_FAILED) {
        buf_printf(out, "error %s: %s", db_error_code(mine->error, server->engine),
                   db_error_text(mine->error));
        return;
    }
    if (stmt->kind != SQL_STMT_SELECT && stmt->returning.count == 0) {
        buf_printf(out, "%lld row%s", (long long)mine->affected, mine->affected == 1 ? "" : "s");
        return;
    }
    buf_add_c(out, mine->row_count == 0 ? "no row" : "");
    for (size_t i = 0; i < mine->row_count && i < ROWS_SHOWN_MAX; i++) {
        buf_add_c(out, i > 0 ? ", (" : "(");
        for (size_t k = 0; k < mine->column_count; k++) {
            buf_add_c(out, k > 0 ? ", " : "");
            value_print(server->t.pool, mine->rows[i * mine->column_count + k], out);
        }
        buf_add_char(out, ')');
    }
}

void server_note(struct server *server, size_t session, const struct live_answer *answer,
                 const struct db_result *mine) {
    const struct sent *sent = &server->sent[session];
    struct buf text = {0};
    if (server->differs)
        return;
    server->differs = true;
    buf_printf(&text, "%c: ", (char)('A' + session));
    buf_add(&text, buf_str(&sent->text));
    buf_add_c(&text, ": ");
    if (answer != NULL)
        put_answer(answer, &text);
    else
        buf_add_c(&text, "waits");
    buf_add_c(&text, "; the built-in engine: ");
    put_mine(server, sent->stmt, mine, &text);
    snprintf(server->difference, sizeof(server->difference), "%.*s", STR_ARG(buf_str(&text)));
    buf_release(&text);
}

/* Comparing. */

static bool is_lock_timeout(enum db_error error) {
    return error == DB_ERROR_LOCK_TIMEOUT || error == DB_ERROR_LOCK_NOT_AVAILABLE;
}

static bool same_error(enum db_error a, enum db_error b) {
    bool is_foreign = (a == DB_ERROR_FOREIGN_KEY || a == DB_ERROR_REFERENCED) &&
                      (b == DB_ERROR_FOREIGN_KEY || b == DB_ERROR_REFERENCED);
    return a == b || is_foreign || (is_lock_timeout(a) && is_lock_timeout(b));
}

/* The shadow's rows in the order of the server's: without ORDER BY any is as good. False: they are not the same ones. */
static bool order_rows(struct server *server, const struct live_answer *answer,
                       const struct db_result *mine, struct db_result *result) {
    size_t rows = answer->row_count, columns = answer->column_count, refs = mine->ref_count;
    if (rows != mine->row_count || (rows > 0 && columns != mine->column_count))
        return false;
    struct value *values = ARENA_ARRAY(&server->scratch, struct value, rows * columns);
    struct db_ref *row_refs = ARENA_ARRAY(&server->scratch, struct db_ref, rows * refs);
    bool *is_taken = ARENA_ARRAY(&server->scratch, bool, rows);
    for (size_t i = 0; i < rows; i++) {
        size_t from = 0;
        for (; from < rows; from++) {
            bool same = !is_taken[from];
            for (size_t k = 0; k < columns && same; k++)
                same = text_is_value(&server->t, answer->cells[i * columns + k],
                                     mine->rows[from * columns + k]);
            if (same)
                break;
        }
        if (from == rows)
            return false;
        is_taken[from] = true;
        memcpy(&values[i * columns], &mine->rows[from * columns], columns * sizeof(*values));
        if (refs > 0)
            memcpy(&row_refs[i * refs], &mine->row_refs[from * refs], refs * sizeof(*row_refs));
    }
    result->rows = values;
    result->row_refs = row_refs;
    return true;
}

/* The numbers that the server gave to the rows of an INSERT beside the shadow's names for them. */
static void bind_keys(struct server *server, const struct db *db, const struct sql_stmt *stmt,
                      const struct live_answer *answer, const struct db_result *mine) {
    uint16_t index = stmt->insert->table_index, serial = 0;
    const struct table *table = server->setup.schema->tables.items[index];
    while (serial < table->columns.count && !table->columns.items[serial].is_serial)
        serial++;
    if (serial == table->columns.count)
        return;
    int64_t given = 0, count = 0;
    for (size_t i = 0; i < mine->write_count; i++)
        count += mine->writes[i].previous == 0 && mine->writes[i].version != 0;
    for (size_t i = 0; i < mine->write_count; i++) {
        const struct db_ref *wrote = &mine->writes[i];
        if (wrote->previous != 0 || wrote->version == 0)
            continue;
        struct value key = db_version_value(db, wrote->version, serial);
        int64_t number = answer->last_insert + given;
        if (server->engine == ENGINE_SQLITE)
            number -= count - 1;
        if (answer->has_rows && (size_t)given < answer->row_count) {
            struct value told = translate_text(&server->t, answer->cells[(size_t)given * answer->column_count],
                                               LIVE_INTEGER, NULL, NO_TABLE, 0);
            number = told.number;
        }
        given++;
        if (key.origin != 0 && number != 0)
            translate_bind(&server->t, key, index, number);
    }
}

static bool has_rows(const struct sql_stmt *stmt) {
    return stmt->kind == SQL_STMT_SELECT || stmt->returning.count > 0;
}

static bool is_write(const struct sql_stmt *stmt) {
    return stmt->kind == SQL_STMT_INSERT || stmt->kind == SQL_STMT_UPDATE ||
           stmt->kind == SQL_STMT_DELETE;
}

/* MySQL counts a row twice that ON DUPLICATE KEY UPDATE changed. */
static bool counts_alike(const struct server *server, const struct sql_stmt *stmt) {
    bool is_mysql = server->engine == ENGINE_MYSQL || server->engine == ENGINE_MARIADB;
    return is_write(stmt) && !(is_mysql && stmt->kind == SQL_STMT_INSERT &&
                               stmt->insert->conflict == SQL_CONFLICT_UPDATE);
}

/* Whether both say the same; then `*result` is the shadow's, its rows in the server's order. */
static bool same_answer(struct server *server, const struct db *db, size_t session,
                        const struct live_answer *answer, const struct db_result *mine,
                        struct db_result *result) {
    const struct sent *sent = &server->sent[session];
    *result = *mine;
    if (mine->status == DB_BLOCKED ||
        (mine->status == DB_FAILED) != (answer->status == LIVE_FAILED) ||
        live_in_transaction(server->live, session) != db_in_transaction(db, session))
        return false;
    if (mine->status == DB_FAILED)
        return same_error(mine->error, translate_error(server->engine, sent->stmt, answer));
    if (counts_alike(server, sent->stmt) && mine->affected != answer->affected)
        return false;
    if (sent->stmt->kind == SQL_STMT_INSERT)
        bind_keys(server, db, sent->stmt, answer, mine);
    return !has_rows(sent->stmt) || order_rows(server, answer, mine, result);
}

/* The server's own answer. */

static struct value new_key(struct server *server, size_t session, int64_t number, uint16_t table) {
    struct value key = value_int(number);
    if (number == 0)
        return value_null();
    key.origin = (uint8_t)(session + 1);
    key.ordinal = server->generated[session];
    if (server->generated[session] < UINT8_MAX - 1)
        server->generated[session]++;
    translate_bind(&server->t, key, table, number);
    return key;
}

/* Whether INSERT leaves the key to the server. */
static bool leaves_key(const struct server *server, const struct sql_stmt *stmt) {
    const struct table *table = server->setup.schema->tables.items[stmt->insert->table_index];
    for (size_t i = 0; i < stmt->insert->column_count; i++)
        if (table->columns.items[stmt->insert->column_index[i]].is_serial)
            return false;
    return true;
}

static void take_key(struct server *server, size_t session, const struct live_answer *answer,
                     struct db_result *result) {
    const struct sql_stmt *stmt = server->sent[session].stmt;
    if (!leaves_key(server, stmt))
        return;
    int64_t number = answer->last_insert;
    if (server->sent[session].adds_returning) {
        number = 0;
        if (answer->row_count > 0)
            number = translate_text(&server->t, answer->cells[0], LIVE_INTEGER, NULL, NO_TABLE, 0)
                         .number;
    }
    result->last_insert = new_key(server, session, number, stmt->insert->table_index);
}

static void take_rows(struct server *server, size_t session, const struct live_answer *answer,
                      struct db_result *result) {
    const struct sql_stmt *stmt = server->sent[session].stmt;
    size_t columns = answer->column_count;
    struct value *values =
        ARENA_ARRAY(&server->scratch, struct value, answer->row_count * columns);
    for (size_t k = 0; k < columns; k++) {
        uint16_t table, column;
        const struct column *shown = shown_column(&server->t, stmt, k, &table, &column);
        for (size_t i = 0; i < answer->row_count; i++)
            values[i * columns + k] =
                translate_text(&server->t, answer->cells[i * columns + k],
                               answer->columns[k].type, shown, table, column);
    }
    result->rows = values;
    result->row_count = answer->row_count;
    result->column_count = columns;
}

static void own_answer(struct server *server, size_t session, const struct live_answer *answer,
                       struct db_result *result) {
    const struct sql_stmt *stmt = server->sent[session].stmt;
    *result = (struct db_result){.status = DB_OK, .affected = answer->affected};
    result->ended_transaction = answer->ended_transaction;
    if (answer->status == LIVE_FAILED) {
        size_t len = answer->message.len < sizeof(result->detail) - 1 ? answer->message.len
                                                                    : sizeof(result->detail) - 1;
        result->status = DB_FAILED;
        result->error = translate_error(server->engine, stmt, answer);
        memcpy(result->detail, answer->message.ptr, len);
        return;
    }
    /* PostgreSQL answers so to the COMMIT of a transaction that had failed. */
    result->ended_transaction =
        stmt->kind == SQL_STMT_COMMIT && str_is(answer->command, "ROLLBACK");
    if (stmt->kind == SQL_STMT_INSERT)
        take_key(server, session, answer, result);
    if (has_rows(stmt))
        take_rows(server, session, answer, result);
    if (stmt->kind == SQL_STMT_SELECT)
        result->affected = (int64_t)result->row_count;
}

/* Life of a statement. */

static void keep(struct server *server, size_t session, const struct db_result *mine) {
    struct sent *sent = &server->sent[session];
    struct arena *memory = &sent->memory;
    arena_reset(memory);
    sent->has_result = true;
    sent->result = *mine;
    sent->result.rows =
        arena_copy(memory, mine->rows, mine->row_count * mine->column_count * sizeof(struct value));
    sent->result.row_refs =
        arena_copy(memory, mine->row_refs, mine->row_count * mine->ref_count * sizeof(struct db_ref));
    sent->result.reads = arena_copy(memory, mine->reads, mine->read_count * sizeof(struct db_ref));
    sent->result.writes = arena_copy(memory, mine->writes, mine->write_count * sizeof(struct db_ref));
}

/* The end of the session's statement in the shadow, if it has come to one. Those of other sessions are kept. */
static bool shadow_ended(struct server *server, struct db *db, size_t session,
                         struct db_result *mine) {
    struct sent *sent = &server->sent[session];
    if (!sent->has_result && db_is_raced(db, session) && db_resume_before(db, session, mine)) {
        server->raced = true;
        return true;
    }
    while (!sent->has_result) {
        int resumed = db_resume(db, mine);
        if (resumed == DB_NO_SESSION)
            return false;
        keep(server, (size_t)resumed, mine);
    }
    sent->has_result = false;
    *mine = sent->result;
    return true;
}

void server_settle(struct server *server, struct db *db, size_t session,
                   const struct live_answer *answer, const struct db_result *mine,
                   struct db_result *result) {
    struct db_result ended;
    if (answer->status == LIVE_WAITING) {
        *result = (struct db_result){.status = DB_BLOCKED, .blockers = answer->blockers};
        if (mine != NULL && mine->status == DB_BLOCKED)
            result->blockers = mine->blockers;
        else if (mine != NULL)
            keep(server, session, mine); /* to be told with the server's */
        return;
    }
    if (mine != NULL && mine->status == DB_BLOCKED && shadow_ended(server, db, session, &ended))
        mine = &ended;
    if (!server->differs && mine != NULL &&
        same_answer(server, db, session, answer, mine, result)) {
        if (result->last_insert.origin != 0 &&
            result->last_insert.ordinal >= server->generated[session])
            server->generated[session] = (uint8_t)(result->last_insert.ordinal + 1);
        return;
    }
    server_note(server, session, answer, mine);
    own_answer(server, session, answer, result);
}

/* All that still run wait, the server says; so they should in the shadow. */
static void check_waiting(struct server *server, struct db *db) {
    struct db_result mine;
    int resumed;
    if (server->differs)
        return;
    for (size_t i = 0; i < server->session_count; i++) {
        if (server->sent[i].has_result && live_is_waiting(server->live, i)) {
            server_note(server, i, NULL, &server->sent[i].result);
            return;
        }
    }
    resumed = db_resume(db, &mine);
    if (resumed != DB_NO_SESSION)
        server_note(server, (size_t)resumed, NULL, &mine);
}

int server_resume(struct server *server, struct db *db, struct db_result *result) {
    const struct live_answer *answer;
    struct db_result mine;
    struct err err;
    int session;
    arena_reset(&server->scratch);
    if (server->has_failed)
        return DB_NO_SESSION;
    if (!live_resume(server->live, &session, &answer, &err)) {
        server_fail(server, &err);
        return DB_NO_SESSION;
    }
    if (session == LIVE_NO_SESSION) {
        check_waiting(server, db);
        return DB_NO_SESSION;
    }
    bool has_mine = !server->differs && shadow_ended(server, db, (size_t)session, &mine);
    server_settle(server, db, (size_t)session, answer, has_mine ? &mine : NULL, result);
    return session;
}
