/* The life of a server's tables and rows. */
#include "live/server.h"

#include "base/assert.h"
#include "live/server_run.h"
#include "live/tables.h"

#include <stdlib.h>

static const struct pos nowhere = {0, 0};

bool server_fail(struct server *server, const struct err *err) {
    if (!server->has_failed)
        server->failure = *err;
    server->has_failed = true;
    return false;
}

static bool is_mysql(const struct server *server) {
    return server->engine == ENGINE_MYSQL || server->engine == ENGINE_MARIADB;
}

static enum engine_kind engine_of(enum live_kind kind) {
    switch (kind) {
    case LIVE_POSTGRESQL:
        return ENGINE_POSTGRESQL;
    case LIVE_MYSQL:
        return ENGINE_MYSQL;
    case LIVE_MARIADB:
        return ENGINE_MARIADB;
    case LIVE_SQLITE:
        return ENGINE_SQLITE;
    }
    LW_UNREACHABLE();
}

struct server *server_new(struct live *live, size_t session_count) {
    struct server *server = mem_alloc(sizeof(*server));
    memset(server, 0, sizeof(*server));
    server->live = live;
    server->session_count = session_count;
    server->engine = server->t.engine = engine_of(live_kind(live));
    if (server->engine == ENGINE_MARIADB) {
        const struct live_answer *answer;
        struct err err;
        server->has_snapshot_isolation =
            live_query(live, STR("SHOW VARIABLES LIKE 'innodb_snapshot_isolation'"), &answer,
                       &err) &&
            answer->row_count > 0;
    }
    return server;
}

bool server_close(struct server *server, struct err *err) {
    bool ok = live_close(server->live, err);
    for (size_t i = 0; i < DB_SESSIONS_MAX; i++) {
        buf_release(&server->sent[i].text);
        arena_release(&server->sent[i].memory);
    }
    arena_release(&server->leftovers.memory);
    arena_release(&server->scratch);
    free(server->t.known.items);
    free(server->rows.items);
    free(server);
    return ok;
}

const struct live *server_live(const struct server *server) {
    return server->live;
}

enum engine_kind server_engine(const struct server *server) {
    return server->engine;
}

bool server_has(const struct server *server, const struct db_config *config) {
    return config->engine == server->engine &&
           (!config->innodb_snapshot_isolation || server->has_snapshot_isolation);
}

const char *server_differs(const struct server *server) {
    return server->differs ? server->difference : NULL;
}

bool server_raced(const struct server *server) {
    return server->raced;
}

bool server_failed(const struct server *server, struct err *err) {
    if (server->has_failed)
        *err = server->failure;
    return server->has_failed;
}

uint32_t server_run(const struct server *server) {
    return server->run;
}

/* Tables. */

static bool run_all(struct server *server, const struct statements *statements, struct err *err) {
    for (size_t i = 0; i < statements->items.count; i++)
        if (!live_run(server->live, statements->items.items[i], err))
            return false;
    return true;
}

/* With foreign keys that the statements at hand need not keep to. */
static bool run_unchecked(struct server *server, const struct statements *statements,
                          struct err *err) {
    const char *off = is_mysql(server)                  ? "SET foreign_key_checks = 0"
                      : server->engine == ENGINE_SQLITE ? "PRAGMA foreign_keys = OFF"
                                                        : NULL;
    const char *on = is_mysql(server) ? "SET foreign_key_checks = 1" : "PRAGMA foreign_keys = ON";
    if (statements->items.count == 0)
        return true;
    if (off != NULL && !live_run(server->live, str_from_c(off), err))
        return false;
    return run_all(server, statements, err) &&
           (off == NULL || live_run(server->live, str_from_c(on), err));
}

static bool drop_tables(struct server *server, struct err *err) {
    struct arena memory = {0};
    struct statements drops = {0};
    const struct schema *schema = server->setup.schema;
    if (schema == NULL)
        return true;
    server->setup.schema = NULL;
    tables_drop(&memory, schema, server->engine, &drops);
    bool ok = live_rollback_all(server->live, err) && run_unchecked(server, &drops, err);
    arena_release(&memory);
    return ok;
}

/* Whose rows may go or change with those of each table. */
static void find_reach(struct server *server, const struct schema *schema) {
    size_t count = schema->tables.count;
    for (size_t i = 0; i < count; i++)
        server->reach[i] = 1ull << i;
    for (size_t child = 0; child < count; child++) { /* a parent stands before its children */
        const struct table *table = schema->tables.items[child];
        for (size_t k = 0; k < table->foreign_keys.count; k++)
            for (size_t i = 0; i < count; i++)
                if (server->reach[i] & 1ull << table->foreign_keys.items[k].parent)
                    server->reach[i] |= 1ull << child;
    }
}

static bool make_tables(struct server *server, const struct server_setup *setup, struct err *err) {
    struct arena memory = {0};
    struct statements creates = {0};
    bool ok = drop_tables(server, err) &&
              tables_create(&memory, setup->schema, setup->pool, server->engine, &creates, err) &&
              run_all(server, &creates, err);
    arena_release(&memory);
    server->setup = *setup;
    if (!ok)
        return false;
    server->t.schema = setup->schema;
    server->t.pool = setup->pool;
    find_reach(server, setup->schema);
    return true;
}

static bool same_config(const struct db_config *a, const struct db_config *b) {
    return a->engine == b->engine && a->isolation == b->isolation &&
           a->autocommit_read_committed == b->autocommit_read_committed &&
           a->innodb_snapshot_isolation == b->innodb_snapshot_isolation &&
           a->sqlite_immediate == b->sqlite_immediate;
}

bool server_prepare(struct server *server, const struct server_setup *setup,
                    const struct db_config *config, struct err *err) {
    LW_ASSERT(config->engine == server->engine);
    if (server->has_failed) {
        *err = server->failure;
        return false;
    }
    bool same_tables = server->setup.schema == setup->schema && server->setup.rows == setup->rows &&
                       server->setup.row_count == setup->row_count;
    if (!same_tables) {
        server->touched = UINT64_MAX;
        if (server->setup.schema != setup->schema && !make_tables(server, setup, err))
            return server_fail(server, err);
        server->setup = *setup;
    }
    if (server->is_configured && same_config(&server->config, config))
        return true;
    server->config = *config;
    server->is_configured = true;
    if (live_rollback_all(server->live, err) && server_set_sessions(server, err))
        return true;
    return server_fail(server, err);
}

/* Rows. */

static void add_rows(struct server *server, struct arena *memory, struct statements *statements) {
    for (size_t i = 0; i < server->setup.row_count; i++) {
        const struct sql_stmt *stmt = server->setup.rows[i];
        int table = sql_target_table(stmt);
        struct buf text = {0};
        if (table >= 0 && !(server->touched & 1ull << table))
            continue;
        translate_stmt(&server->t, stmt, NULL, &text);
        VEC_PUSH(memory, &statements->items, str_dup(memory, buf_str(&text)));
        buf_release(&text);
    }
}

/* PostgreSQL runs a text of many statements in one go, and in one transaction. */
static bool run_together(struct server *server, const struct statements *statements,
                         struct err *err) {
    struct buf text = {0};
    for (size_t i = 0; i < statements->items.count; i++)
        buf_printf(&text, "%s%.*s", i > 0 ? "; " : "", STR_ARG(statements->items.items[i]));
    bool ok = text.len == 0 || live_run(server->live, buf_str(&text), err);
    buf_release(&text);
    return ok;
}

static bool put_rows_back(struct server *server, struct err *err) {
    struct arena memory = {0};
    struct statements empty = {0}, fill = {0};
    const struct schema *schema = server->setup.schema;
    tables_empty(&memory, schema, server->engine, server->touched, &empty);
    add_rows(server, &memory, &fill);
    tables_bump(&memory, schema, server->engine, server->touched, &fill);
    bool ok;
    if (server->engine == ENGINE_POSTGRESQL) {
        for (size_t i = 0; i < fill.items.count; i++)
            VEC_PUSH(&memory, &empty.items, fill.items.items[i]);
        ok = run_together(server, &empty, err);
    } else {
        ok = run_unchecked(server, &empty, err) && run_all(server, &fill, err);
    }
    arena_release(&memory);
    return ok;
}

uint32_t server_restart(struct server *server) {
    struct err err;
    LW_ASSERT(server->setup.schema != NULL);
    server->run++;
    server->differs = server->raced = false;
    server->t.known.count = 0;
    memset(server->generated, 0, sizeof(server->generated));
    for (size_t i = 0; i < DB_SESSIONS_MAX; i++)
        server->sent[i].has_result = false;
    if (server->has_failed)
        return server->run;
    if (!live_rollback_all(server->live, &err) || !server_undo_leftovers(server, &err) ||
        !put_rows_back(server, &err))
        server_fail(server, &err);
    server->touched = 0;
    return server->run;
}

void server_exec(struct server *server, struct db *db, size_t session, const struct sql_stmt *stmt,
                 const struct db_bind *binds, struct db_result *result) {
    struct sent *sent = &server->sent[session];
    const struct live_answer *answer;
    struct db_result mine = {0};
    struct err err;
    int table = sql_target_table(stmt);
    *result = (struct db_result){.status = DB_FAILED, .error = DB_ERROR_LIMIT};
    arena_reset(&server->scratch);
    sent->has_result = false;
    if (server->has_failed)
        return;
    server->touched |= table >= 0 ? server->reach[table] : 0;
    server_note_leftovers(server, stmt);
    server_write(server, session, stmt, binds);
    if (!live_exec(server->live, session, buf_str(&sent->text), &answer, &err)) {
        server_fail(server, &err);
        return;
    }
    if (!server->differs)
        db_exec(db, session, stmt, binds, &mine);
    server_settle(server, db, session, answer, server->differs ? NULL : &mine, result);
}

void server_timeout(struct server *server, struct db *db, size_t session,
                    struct db_result *result) {
    const struct live_answer *answer;
    struct db_result mine = {0};
    struct err err;
    *result = (struct db_result){.status = DB_FAILED, .error = DB_ERROR_LIMIT};
    arena_reset(&server->scratch);
    if (server->has_failed)
        return;
    if (!live_cancel(server->live, session, &answer, &err)) {
        server_fail(server, &err);
        return;
    }
    bool has_mine = !server->differs && (server->sent[session].has_result || db_is_waiting(db, session));
    if (has_mine && !server->sent[session].has_result)
        db_timeout(db, session, &mine);
    else if (has_mine)
        mine = server->sent[session].result;
    server_settle(server, db, session, answer, has_mine ? &mine : NULL, result);
}

bool server_in_transaction(const struct server *server, const struct db *db, size_t session) {
    if (server->has_failed)
        return false;
    return server->differs ? live_in_transaction(server->live, session)
                           : db_in_transaction(db, session);
}

/* The rows at the end. */

struct row_check {
    const struct live_answer *answer;
    struct translator *t;
    bool *is_taken;
    size_t row_count;
    bool differs;
};

static void check_row(void *context, const struct value *row) {
    struct row_check *check = context;
    size_t columns = check->answer->column_count;
    check->row_count++;
    for (size_t i = 0; i < check->answer->row_count; i++) {
        bool same = !check->is_taken[i];
        for (size_t k = 0; k < columns && same; k++)
            same = text_is_value(check->t, check->answer->cells[i * columns + k], row[k]);
        if (!same)
            continue;
        check->is_taken[i] = true;
        return;
    }
    check->differs = true;
}

static void check_rows(struct server *server, const struct db *db, uint16_t table,
                       const struct live_answer *answer) {
    struct row_check check = {.answer = answer, .t = &server->t,
                              .is_taken = ARENA_ARRAY(&server->scratch, bool, answer->row_count)};
    db_visit_rows(db, table, check_row, &check);
    if (!check.differs && check.row_count == answer->row_count)
        return;
    server->differs = true;
    struct str name = server->setup.schema->tables.items[table]->name;
    snprintf(server->difference, sizeof(server->difference),
             "at the end the rows of %.*s are others than in the built-in engine", STR_ARG(name));
}

size_t server_rows(struct server *server, const struct db *db, uint16_t table,
                   const struct value **values) {
    const struct table *of = server->setup.schema->tables.items[table];
    const struct live_answer *answer;
    struct err err;
    arena_reset(&server->scratch);
    server->rows.count = 0;
    *values = NULL;
    if (server->has_failed)
        return 0;
    if (!live_query(server->live, table_select(&server->scratch, of, server->engine), &answer,
                    &err)) {
        server_fail(server, &err);
        return 0;
    }
    if (answer->row_count > 0 && answer->column_count != of->columns.count) {
        err_set(&err, nowhere, "table %.*s has %zu columns instead of %u", STR_ARG(of->name),
                answer->column_count, of->columns.count);
        server_fail(server, &err);
        return 0;
    }
    if (!server->differs)
        check_rows(server, db, table, answer);
    for (size_t i = 0; i < answer->row_count; i++)
        for (size_t k = 0; k < answer->column_count; k++)
            MVEC_PUSH(&server->rows,
                      translate_text(&server->t, answer->cells[i * answer->column_count + k],
                                     answer->columns[k].type, &of->columns.items[k], table,
                                     (uint16_t)k));
    *values = server->rows.items;
    return answer->row_count;
}
