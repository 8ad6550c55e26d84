#include "builtin.h"

#include "base/assert.h"

/* ---- statements and answers ---- */

const struct sql_stmt *builtin_stmt(struct builtin *builtin, struct str sql, struct err *err) {
    struct sql_stmt *stmt = NULL;
    enum sql_dialect dialect = engine_dialect(builtin->policy->config.engine);
    if (!sql_parse(&builtin->run, &builtin->pool, sql, (struct pos){1, 1}, dialect, &stmt, err))
        return NULL;
    bool is_ddl = stmt->kind == SQL_STMT_CREATE_TABLE || stmt->kind == SQL_STMT_CREATE_INDEX;
    if (!is_ddl && !sql_resolve(&builtin->run, &builtin->schema, stmt, err))
        return NULL;
    return stmt;
}

static struct str cell_text(const struct builtin *builtin, struct arena *arena,
                            struct value value) {
    struct buf out = {0};
    if (value.kind == VALUE_NULL)
        return (struct str){0};
    if (value.kind == VALUE_TEXT)
        return str_dup(arena, text_pool_get(&builtin->pool, value.number));
    value_print(&builtin->pool, value, &out);
    struct str text = str_dup(arena, buf_str(&out));
    buf_release(&out);
    return text;
}

static bool is_mysql(const struct builtin *builtin) {
    enum engine_kind engine = builtin->policy->config.engine;
    return engine == ENGINE_MYSQL || engine == ENGINE_MARIADB;
}

static bool is_change(const struct sql_stmt *stmt) {
    return stmt->kind == SQL_STMT_INSERT || stmt->kind == SQL_STMT_UPDATE ||
           stmt->kind == SQL_STMT_DELETE;
}

/* A transcript counts rows changed, not matched, on MySQL and MariaDB. */
static int64_t changed_rows(const struct db_result *result) {
    int64_t count = result->affected;
    for (size_t i = 0; i < result->write_count; i++)
        count -= result->writes[i].version == result->writes[i].previous;
    return count;
}

static struct str done_shown(const struct builtin *builtin, struct arena *arena,
                             const struct sql_stmt *stmt, const struct db_result *result) {
    static const char *const tags[] = {
#define SQL_STMT(name, text) text,
#include "sql/stmt.def"
#undef SQL_STMT
    };
    if (is_mysql(builtin))
        return str_printf(arena, "affected %lld",
                          is_change(stmt) ? (long long)changed_rows(result) : 0);
    if (is_change(stmt))
        return str_printf(arena, "%s%s %lld", tags[stmt->kind],
                          stmt->kind == SQL_STMT_INSERT ? " 0" : "", (long long)result->affected);
    if (stmt->kind == SQL_STMT_COMMIT && result->ended_transaction)
        return STR("ROLLBACK");
    return str_from_c(tags[stmt->kind]);
}

void builtin_answer(struct builtin *builtin, struct arena *arena, const struct sql_stmt *stmt,
                    struct str sql, const struct db_result *result, struct answer *answer) {
    *answer = (struct answer){.kind = ANSWER_DONE, .affected = -1};
    if (result->status == DB_BLOCKED) {
        answer->kind = ANSWER_WAITS;
        answer->blockers = result->blockers;
        answer->shown = STR("BLOCKED");
    } else if (result->status == DB_FAILED) {
        answer->kind = ANSWER_FAILED;
        answer->ended_transaction = result->ended_transaction;
        snprintf(answer->code, sizeof(answer->code), "%s",
                 db_error_code(result->error, builtin->policy->config.engine));
        answer->shown = str_printf(arena, "ERR %s", answer->code);
    } else if (stmt->kind == SQL_STMT_SELECT || stmt->returning.count > 0) {
        size_t count = result->row_count * result->column_count;
        struct str *cells = ARENA_ARRAY(arena, struct str, count);
        for (size_t i = 0; i < count; i++)
            cells[i] = cell_text(builtin, arena, result->rows[i]);
        answer->kind = ANSWER_ROWS;
        answer->rows = rows_shown(arena, cells, result->row_count, result->column_count,
                                  sql_is_ordered(sql));
        answer->shown = answer->rows;
    } else {
        answer->rolled_back = stmt->kind == SQL_STMT_COMMIT && result->ended_transaction;
        answer->affected = is_change(stmt) ? result->affected : -1;
        answer->shown = done_shown(builtin, arena, stmt, result);
    }
}

/* ---- opening ---- */

static bool load_one(struct builtin *builtin, struct str sql, struct err *err) {
    const struct sql_stmt *stmt = builtin_stmt(builtin, sql, err);
    return stmt != NULL && db_load(builtin->loaded, stmt, err);
}

bool builtin_open(struct builtin *builtin, const struct world *world,
                  const struct policy_under_test *policy, struct err *err) {
    *builtin = (struct builtin){.policy = policy};
    text_pool_init(&builtin->pool, &builtin->arena);
    for (size_t i = 0; i < world->ddl.count; i++) {
        struct sql_stmt *stmt = NULL;
        if (!sql_parse(&builtin->arena, &builtin->pool, world->ddl.items[i], (struct pos){1, 1},
                       engine_dialect(policy->config.engine), &stmt, err) ||
            !schema_apply(&builtin->arena, &builtin->schema, stmt, err))
            return false;
    }
    return true;
}

static void free_databases(struct builtin *builtin) {
    db_free(builtin->loaded);
    db_free(builtin->db);
    db_free(builtin->before);
    builtin->loaded = builtin->db = builtin->before = NULL;
}

void builtin_close(struct builtin *builtin) {
    free_databases(builtin);
    arena_release(&builtin->run);
    arena_release(&builtin->arena);
}

/* ---- playing ---- */

struct play {
    struct builtin *builtin;
    struct trial *trial;
    struct script *script;
    const struct sql_stmt *stmts[TRIAL_SESSIONS_MAX]; /* that wait */
    struct str sqls[TRIAL_SESSIONS_MAX];
    bool is_failed[TRIAL_SESSIONS_MAX]; /* the transaction, on PostgreSQL */
    size_t wait_count;
};

static uint32_t waiting(const struct play *play) {
    uint32_t bits = 0;
    for (size_t s = 0; s < play->trial->session_count; s++)
        if (db_is_waiting(play->builtin->db, s))
            bits |= 1u << s;
    return bits;
}

static void add_line(struct play *play, enum line_kind kind, size_t session, struct str sql,
                     const struct sql_stmt *stmt, const struct db_result *result) {
    struct script_line line = {.kind = kind, .session = (uint8_t)session, .sql = sql};
    builtin_answer(play->builtin, play->script->arena, stmt, sql, result, &line.answer);
    VEC_PUSH(play->script->arena, &play->script->lines, line);
    play->stmts[session] = stmt;
    play->sqls[session] = sql;
    if (line.answer.kind == ANSWER_FAILED)
        play->is_failed[session] = play->builtin->policy->config.engine == ENGINE_POSTGRESQL &&
                                   db_in_transaction(play->builtin->db, session);
    else if (stmt->kind == SQL_STMT_COMMIT || stmt->kind == SQL_STMT_ROLLBACK ||
             stmt->kind == SQL_STMT_ROLLBACK_TO)
        play->is_failed[session] = false;
    if (result->status == DB_FAILED && result->error == DB_ERROR_NOT_MODELLED)
        play->script->not_modelled = str_printf(play->script->arena, "%.*s: %s", STR_ARG(sql),
                                                result->detail);
}

/* Of those that waited, as many as went on and have to wait anew. */
static size_t count_moved(const struct play *play, const uint32_t *waits) {
    size_t count = 0;
    for (size_t s = 0; s < play->trial->session_count; s++) {
        uint32_t now = db_wait_number(play->builtin->db, s);
        count += waits[s] != 0 && now != 0 && now != waits[s];
    }
    return count;
}

/* Who waits for the same as another is a race on PostgreSQL, once that ends; InnoDB's queues are in order, but who was
 * let go and waits anew was on its way at the same time as another. */
static bool is_race(const struct play *play, size_t resumed, uint32_t waited,
                    const uint32_t *blockers, const uint32_t *waits, size_t session) {
    if (play->builtin->policy->config.engine != ENGINE_POSTGRESQL)
        resumed += count_moved(play, waits);
    if (resumed > 1)
        return true;
    if (resumed == 0 || play->builtin->policy->config.engine != ENGINE_POSTGRESQL)
        return false;
    for (size_t s = 0; s < play->trial->session_count; s++)
        if ((waited & (1u << s)) && db_is_waiting(play->builtin->db, s) &&
            (blockers[s] & (1u << session)))
            return true;
    return false;
}

/* Hands out what can go on; false if it came to a race, and the engine and script are as before then. */
static bool take_resumed(struct play *play, size_t session, uint32_t waited,
                         const uint32_t *blockers, const uint32_t *waits, size_t line_count) {
    struct db_result result;
    size_t resumed = 0;
    int next;
    while ((next = db_resume(play->builtin->db, &result)) != DB_NO_SESSION) {
        size_t s = (size_t)next;
        resumed++;
        add_line(play, LINE_RESUMED, s, play->sqls[s], play->stmts[s], &result);
    }
    if (!is_race(play, resumed, waited, blockers, waits, session))
        return true;
    play->script->lines.count = line_count;
    struct db *raced = play->builtin->db;
    play->builtin->db = play->builtin->before;
    play->builtin->before = raced;
    return false;
}

/* For whom each waits, also by way of others, and in which of its waits it is. */
static void note_waits(const struct play *play, uint32_t *blockers, uint32_t *waits) {
    size_t count = play->trial->session_count;
    for (size_t s = 0; s < count; s++) {
        blockers[s] = db_blockers(play->builtin->db, s);
        waits[s] = db_wait_number(play->builtin->db, s);
    }
    for (size_t via = 0; via < count; via++)
        for (size_t s = 0; s < count; s++)
            if (blockers[s] & (1u << via))
                blockers[s] |= blockers[via];
}

/* One statement, or with `stmt` NULL the timeout of a session's wait. False if passed over. */
static bool take(struct play *play, size_t session, struct str sql, const struct sql_stmt *stmt) {
    struct builtin *builtin = play->builtin;
    uint32_t waited = waiting(play), blockers[TRIAL_SESSIONS_MAX], waits[TRIAL_SESSIONS_MAX];
    size_t line_count = play->script->lines.count;
    struct play kept = *play;
    struct db_result result;
    note_waits(play, blockers, waits);
    if (waited != 0)
        db_copy(builtin->before, builtin->db);
    if (stmt == NULL) {
        db_timeout(builtin->db, session, &result);
        add_line(play, LINE_TIMEOUT, session, play->sqls[session], play->stmts[session], &result);
    } else {
        db_exec(builtin->db, session, stmt, NULL, &result);
        add_line(play, LINE_STATEMENT, session, sql, stmt, &result);
    }
    if (!take_resumed(play, session, waited, blockers, waits, line_count)) {
        *play = kept;
        return false;
    }
    play->wait_count += result.status == DB_BLOCKED;
    return true;
}

static bool take_step(struct play *play, size_t session, struct str sql) {
    struct err err;
    if (db_is_waiting(play->builtin->db, session))
        return false;
    if (play->is_failed[session] && !sql_is(sql, "commit") && !sql_is(sql, "rollback"))
        return false;
    const struct sql_stmt *stmt = builtin_stmt(play->builtin, sql, &err);
    if (stmt == NULL) {
        play->script->not_modelled =
            str_printf(play->script->arena, "%.*s: %s", STR_ARG(sql), err.message);
        return false;
    }
    return take(play, session, sql, stmt);
}

/* Ends every transaction and every wait. */
static void take_ends(struct play *play) {
    struct db *db = play->builtin->db;
    bool is_open = true, goes_on = true;
    while (is_open && goes_on && play->script->not_modelled.len == 0) {
        is_open = goes_on = false;
        for (size_t s = 0; s < play->trial->session_count; s++) {
            db = play->builtin->db;
            if (db_is_waiting(db, s) || !db_in_transaction(db, s))
                continue;
            is_open = true;
            goes_on = take_step(play, s, STR("commit")) || goes_on;
        }
        for (size_t s = 0; s < play->trial->session_count && !goes_on; s++) {
            if (!db_is_waiting(play->builtin->db, s))
                continue;
            is_open = true;
            goes_on = take(play, s, play->sqls[s], NULL);
        }
    }
    play->script->is_cut = is_open;
}

static void take_final_rows(struct play *play) {
    const struct world *world = play->trial->world;
    for (size_t t = 0; t < world->table_count && play->script->not_modelled.len == 0; t++) {
        const struct world_table *table = &world->tables[t];
        size_t count = play->script->lines.count;
        struct str sql = str_printf(play->script->arena, "select * from %s order by id%s",
                                    table->name, world_find(table, ROLE_PART) ? ", g" : "");
        take_step(play, 0, sql);
        if (play->script->lines.count > count)
            play->script->lines.items[count].is_final = true;
    }
}

/* The trial's rows in a new database, and two more for its steps. */
static bool load(struct builtin *builtin, const struct trial *trial, struct err *err) {
    free_databases(builtin);
    arena_reset(&builtin->run);
    builtin->loaded =
        db_new(&builtin->policy->config, &builtin->schema, &builtin->pool, TRIAL_SESSIONS_MAX);
    for (size_t i = 0; i < trial->rows.count; i++)
        if (!load_one(builtin, trial->rows.items[i], err))
            return false;
    builtin->db = db_copy_new(builtin->loaded);
    builtin->before = db_copy_new(builtin->loaded);
    return true;
}

bool builtin_play(struct builtin *builtin, struct trial *trial, struct script *script,
                  struct err *err) {
    *script = (struct script){.arena = &trial->arena};
    struct play play = {.builtin = builtin, .trial = trial, .script = script};
    if (!load(builtin, trial, err))
        return false;
    for (size_t i = 0; i < trial->steps.count && script->not_modelled.len == 0; i++) {
        const struct trial_step *step = &trial->steps.items[i];
        take_step(&play, step->session, step->sql);
    }
    if (script->not_modelled.len == 0)
        take_ends(&play);
    if (!script->is_cut && script->not_modelled.len == 0)
        take_final_rows(&play);
    script->wait_count = play.wait_count;
    script->step_count = script->lines.count;
    return true;
}
