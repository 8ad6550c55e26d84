/* What sessions are set to, and how a statement is written for one. */
#include "base/assert.h"
#include "live/server_run.h"

static bool is_mysql(const struct server *server) {
    return server->engine == ENGINE_MYSQL || server->engine == ENGINE_MARIADB;
}

bool server_set(struct server *server, size_t session, struct str sql, struct err *err) {
    const struct live_answer *answer;
    if (!live_exec(server->live, session, sql, &answer, err))
        return false;
    if (answer->status == LIVE_DONE)
        return true;
    return err_set(err, (struct pos){0}, "%.*s: %.*s", STR_ARG(sql),
                   STR_ARG(answer->status == LIVE_FAILED ? answer->message : STR("it waits")));
}

bool server_set_sessions(struct server *server, struct err *err) {
    struct arena memory = {0};
    const struct db_config *config = &server->config;
    struct statements {
        VEC(struct str) items;
    } texts = {0};
    const char *level = sql_isolation_name(config->isolation);
    if (server->engine == ENGINE_POSTGRESQL) {
        VEC_PUSH(&memory, &texts.items, STR("SET TIME ZONE 'UTC'"));
        VEC_PUSH(&memory, &texts.items,
                 str_printf(&memory, "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL %s",
                            config->autocommit_read_committed ? "READ COMMITTED" : level));
    } else if (is_mysql(server)) {
        VEC_PUSH(&memory, &texts.items, STR("SET time_zone = '+00:00'"));
        VEC_PUSH(&memory, &texts.items, STR("SET sql_mode = 'STRICT_TRANS_TABLES'"));
        VEC_PUSH(&memory, &texts.items, STR("SET SQL_AUTO_IS_NULL = 0"));
        VEC_PUSH(&memory, &texts.items,
                 str_printf(&memory, "SET SESSION TRANSACTION ISOLATION LEVEL %s", level));
        if (server->has_snapshot_isolation)
            VEC_PUSH(&memory, &texts.items,
                     str_printf(&memory, "SET innodb_snapshot_isolation = %d",
                                config->innodb_snapshot_isolation));
    }
    bool ok = true;
    for (size_t session = 0; session < server->session_count; session++)
        for (size_t i = 0; i < texts.items.count && ok; i++)
            ok = server_set(server, session, texts.items.items[i], err);
    arena_release(&memory);
    return ok;
}

void server_note_leftovers(struct server *server, const struct sql_stmt *stmt) {
    struct leftovers *left = &server->leftovers;
    if (stmt->kind == SQL_STMT_SET)
        VEC_PUSH(&left->memory, &left->variables, str_dup(&left->memory, stmt->set->name));
    else if (stmt->kind == SQL_STMT_SET_TRANSACTION)
        left->has_level |= stmt->transaction->is_session;
    else if (stmt->kind == SQL_STMT_LOCK_TABLE)
        left->has_table_locks = true;
    else if (stmt->kind == SQL_STMT_SELECT)
        left->has_advisory |= sql_advisory(stmt) != SQL_NO_ADVISORY;
}

bool server_undo_leftovers(struct server *server, struct err *err) {
    struct leftovers *left = &server->leftovers;
    bool ok = true;
    for (size_t session = 0; session < server->session_count && ok; session++) {
        for (size_t i = 0; i < left->variables.count && ok; i++)
            ok = server_set(server, session,
                            str_printf(&left->memory, "SET %.*s = DEFAULT",
                                       STR_ARG(left->variables.items[i])),
                            err);
        if (ok && left->has_advisory && server->engine != ENGINE_SQLITE)
            ok = server_set(server, session,
                            server->engine == ENGINE_POSTGRESQL
                                ? STR("SELECT pg_advisory_unlock_all()")
                                : STR("SELECT RELEASE_ALL_LOCKS()"),
                            err);
        if (ok && left->has_table_locks && is_mysql(server))
            ok = server_set(server, session, STR("UNLOCK TABLES"), err);
    }
    bool has_settings = left->variables.count > 0 || left->has_level;
    arena_release(&left->memory);
    *left = (struct leftovers){0};
    return ok && (!has_settings || server_set_sessions(server, err));
}

/* The column that INSERT gets from the table's counter, which PostgreSQL tells on demand; NULL: none. */
static const struct column *counted_column(const struct server *server,
                                           const struct sql_stmt *stmt) {
    if (stmt->kind != SQL_STMT_INSERT || stmt->returning.count > 0 ||
        server->engine != ENGINE_POSTGRESQL)
        return NULL;
    const struct table *table = server->setup.schema->tables.items[stmt->insert->table_index];
    for (size_t i = 0; i < table->columns.count; i++)
        if (table->columns.items[i].is_serial)
            return &table->columns.items[i];
    return NULL;
}

/* How a transaction begins that names no level of its own. */
static void write_begin(struct server *server, const struct sql_stmt *stmt, struct buf *out) {
    struct sql_transaction transaction = *stmt->transaction;
    struct sql_stmt begin = *stmt;
    const struct db_config *config = &server->config;
    begin.transaction = &transaction;
    if (server->engine == ENGINE_POSTGRESQL && config->autocommit_read_committed &&
        transaction.isolation == SQL_ISOLATION_DEFAULT)
        transaction.isolation = config->isolation;
    if (server->engine == ENGINE_SQLITE) {
        transaction.isolation = SQL_ISOLATION_DEFAULT;
        if (config->sqlite_immediate && transaction.begin_mode == SQL_BEGIN_PLAIN)
            transaction.begin_mode = SQL_BEGIN_IMMEDIATE;
    }
    if (is_mysql(server) && transaction.isolation != SQL_ISOLATION_DEFAULT)
        transaction.isolation = SQL_ISOLATION_DEFAULT; /* sent before, see server_write */
    translate_stmt(&server->t, &begin, NULL, out);
}

/* MySQL has the level of a transaction set by a statement of its own. */
static void set_next_level(struct server *server, size_t session, const struct sql_stmt *stmt) {
    struct err err;
    if (!is_mysql(server) || stmt->transaction->isolation == SQL_ISOLATION_DEFAULT)
        return;
    struct str sql = str_printf(&server->scratch, "SET TRANSACTION ISOLATION LEVEL %s",
                                sql_isolation_name(stmt->transaction->isolation));
    if (!server_set(server, session, sql, &err))
        server_fail(server, &err);
}

void server_write(struct server *server, size_t session, const struct sql_stmt *stmt,
                  const struct db_bind *binds) {
    struct sent *sent = &server->sent[session];
    sent->stmt = stmt;
    buf_clear(&sent->text);
    if (stmt->kind == SQL_STMT_BEGIN) {
        set_next_level(server, session, stmt);
        write_begin(server, stmt, &sent->text);
        return;
    }
    translate_stmt(&server->t, stmt, binds, &sent->text);
    const struct column *counted = counted_column(server, stmt);
    sent->adds_returning = counted != NULL;
    if (counted != NULL) {
        buf_add_c(&sent->text, " RETURNING \"");
        buf_add(&sent->text, counted->name);
        buf_add_c(&sent->text, "\"");
    }
}
