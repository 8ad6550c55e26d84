/* The engine's outside: making, copying and freeing databases, and the life of a statement as
 * engine.h tells it. */
#include "engine/exec.h"
#include "engine/innodb.h"

#include <stdlib.h>

static const struct policy *policy_of(enum engine_kind engine) {
    switch (engine) {
    case ENGINE_POSTGRESQL:
        return &policy_postgresql;
    case ENGINE_MYSQL:
    case ENGINE_MARIADB:
        return &policy_innodb;
    case ENGINE_SQLITE:
        return &policy_sqlite;
    }
    LW_UNREACHABLE();
}

/* Every flat array that is copied, once. */
#define DB_FLATS(DO)                                                                               \
    DO(tables)                                                                                     \
    DO(sessions)                                                                                   \
    DO(rows)                                                                                       \
    DO(versions) DO(values) DO(txns) DO(locks) DO(savepoints) DO(pending) DO(marks) DO(edges)

#define LISTS_FLATS(DO) DO(writes) DO(work) DO(under_way) DO(row) DO(values) DO(binds) DO(bind_values)

/* Room for `count`, by one allocation: a new copy has it all to get. */
static void *flat_reserve(void *items, size_t *capacity, size_t count, size_t byte_size) {
    enum { CAPACITY_FIRST = 8 };
    *capacity = *capacity > 0 ? *capacity : CAPACITY_FIRST;
    while (*capacity < count)
        *capacity *= 2;
    return mem_realloc(items, *capacity * byte_size);
}

#define FLAT_COPY(into, from)                                                                      \
    do {                                                                                           \
        (into)->count = (from)->count;                                                             \
        if ((from)->count > 0) {                                                                   \
            if ((into)->capacity < (from)->count)                                                  \
                (into)->items = flat_reserve((into)->items, &(into)->capacity, (from)->count,      \
                                             sizeof(*(into)->items));                              \
            memcpy((into)->items, (from)->items, (from)->count * sizeof(*(from)->items));          \
        }                                                                                          \
    } while (0)

struct db *db_new(const struct db_config *config, const struct schema *schema,
                  struct text_pool *pool, size_t session_count) {
    LW_ASSERT(session_count >= 1 && session_count <= DB_SESSIONS_MAX);
    LW_ASSERT(config->isolation != SQL_ISOLATION_DEFAULT);
    struct db *db = mem_alloc(sizeof(*db));
    memset(db, 0, sizeof(*db));
    db->config = *config;
    db->schema = db->given_schema = schema;
    arena_init(&db->own);
    if (db_is_mysql(db))
        db->schema = innodb_schema(&db->own, schema);
    db->policy = policy_of(config->engine);
    db->session_count = session_count;
    arena_init(&db->scratch);
    eval_init(&db->query.eval, config->engine, db->schema, pool, &db->scratch);
    for (size_t i = 0; i < schema->tables.count; i++)
        MVEC_PUSH(&db->tables, (struct table_state){.serial_next = 1});
    for (size_t i = 0; i < session_count; i++)
        MVEC_PUSH(&db->sessions, (struct session){.level = (uint8_t)config->isolation});
    MVEC_PUSH(&db->rows, (struct row){0});
    MVEC_PUSH(&db->versions, (struct version){0});
    MVEC_PUSH(&db->txns, (struct txn){.status = TXN_COMMITTED});
    return db;
}

void db_free(struct db *db) {
    if (db == NULL)
        return;
#define FREE(name) free(db->name.items);
    DB_FLATS(FREE)
#undef FREE
#define FREE(name) free(db->lists[s].name.items);
    for (size_t s = 0; s < db->session_count; s++) {
        LISTS_FLATS(FREE)
    }
#undef FREE
    free(db->children.items);
    arena_release(&db->scratch);
    arena_release(&db->own);
    free(db);
}

void db_copy(struct db *into, const struct db *from) {
    LW_ASSERT(into->given_schema == from->given_schema &&
              into->session_count == from->session_count);
    into->config = from->config;
    into->policy = from->policy;
    into->core = from->core;
#define COPY(name) FLAT_COPY(&into->name, &from->name);
    DB_FLATS(COPY)
#undef COPY
#define COPY(name) FLAT_COPY(&into->lists[s].name, &from->lists[s].name);
    for (size_t s = 0; s < from->session_count; s++) {
        LISTS_FLATS(COPY)
    }
#undef COPY
}

struct db *db_copy_new(const struct db *from) {
    struct db *db =
        db_new(&from->config, from->given_schema, from->query.eval.pool, from->session_count);
    db_copy(db, from);
    return db;
}

enum engine_kind db_engine(const struct db *db) {
    return db->config.engine;
}

void db_set_isolation(struct db *db, size_t session, enum sql_isolation isolation) {
    LW_ASSERT(session < db->session_count && isolation != SQL_ISOLATION_DEFAULT);
    db->sessions.items[session].level = (uint8_t)isolation;
}

bool db_is_waiting(const struct db *db, size_t session) {
    const struct session *s = &db->sessions.items[session];
    return s->wait.kind != WAIT_NOTHING || s->doomed != DB_OK_NO_ERROR;
}

uint32_t db_blockers(const struct db *db, size_t session) {
    LW_ASSERT(session < db->session_count);
    return session_blockers(db, session);
}

uint32_t db_wait_number(const struct db *db, size_t session) {
    LW_ASSERT(session < db->session_count);
    const struct wait *wait = &db->sessions.items[session].wait;
    return wait->kind == WAIT_NOTHING ? 0 : wait->order;
}

bool db_in_transaction(const struct db *db, size_t session) {
    return db->sessions.items[session].in_transaction;
}

/* ---- statements ---- */

/* Puts the copied host values of a waiting statement back in place. */
static const struct db_bind *binds_restore(struct lists *lists) {
    size_t next = 0;
    for (size_t i = 0; i < lists->binds.count; i++) {
        struct db_bind *bind = &lists->binds.items[i];
        if (bind->kind != DB_BIND_LIST)
            continue;
        bind->list = lists->bind_values.items + next;
        next += bind->list_count;
    }
    return lists->binds.items;
}

static void binds_keep(struct lists *lists, const struct db_bind *binds, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct db_bind bind = binds[i];
        if (bind.kind == DB_BIND_LIST)
            for (size_t k = 0; k < bind.list_count; k++)
                MVEC_PUSH(&lists->bind_values, bind.list[k]);
        bind.list = NULL;
        MVEC_PUSH(&lists->binds, bind);
    }
}

static void lists_clear(struct lists *lists) {
#define CLEAR(name) lists->name.count = 0;
    LISTS_FLATS(CLEAR)
#undef CLEAR
}

static struct value time_now(void *context) {
    /* 2030-01-01; only the order of instants means anything. */
    const int64_t base_microseconds = (int64_t)1893456000 * 1000000;
    struct db *db = context;
    struct value value = value_null();
    size_t session = db->running;
    uint16_t txn = db->sessions.items[session].txn;
    struct txn *at = &db->txns.items[txn];
    bool once = db->config.engine == ENGINE_POSTGRESQL && txn != 0;
    if (!once || at->now_ordinal == 0) {
        int64_t number = base_microseconds + 1000000 * (int64_t)(db->core.commits + 1);
        if (!session_generate(db, session, VALUE_TIME, number, &value))
            return value_null();
        if (once) {
            at->now_ordinal = 1u + value.ordinal;
            at->now_number = number;
        }
        return value;
    }
    value.kind = VALUE_TIME;
    value.origin = (uint8_t)(session + 1);
    value.ordinal = (uint8_t)(at->now_ordinal - 1);
    value.number = at->now_number;
    return value;
}

/* What PostgreSQL's current_setting says of the session; NULL of a setting that is not kept here. */
static const char *setting_of(const struct db *db, size_t session, struct str name) {
    const struct session *owner = &db->sessions.items[session];
    if (str_is(name, "default_transaction_isolation"))
        return sql_isolation_name(owner->level);
    if (str_is(name, "transaction_isolation") && owner->txn != 0)
        return sql_isolation_name(session_txn(db, session)->level);
    return NULL;
}

static bool session_call(struct eval *eval, const struct sql_expr *call, const struct value *args,
                         size_t arg_count, bool *is_known, struct value *result) {
    struct db *db = eval->now_context;
    *is_known = true;
    if (sql_advisory_call(call) != SQL_NO_ADVISORY)
        return advisory_in_expression(db, call, result);
    const char *setting = NULL;
    if (str_is(call->name, "CURRENT_SETTING") && arg_count == 1 && args[0].kind == VALUE_TEXT &&
        db->config.engine == ENGINE_POSTGRESQL)
        setting = setting_of(db, db->running, text_pool_get(eval->pool, args[0].number));
    *is_known = setting != NULL;
    if (setting == NULL)
        return false;
    char lower[32] = "";
    for (size_t i = 0; setting[i] != '\0' && i + 1 < sizeof(lower); i++)
        lower[i] = setting[i] >= 'A' && setting[i] <= 'Z' ? (char)(setting[i] - 'A' + 'a')
                                                          : setting[i];
    *result = value_text(eval->pool, str_from_c(lower));
    return true;
}

/* Makes everything ready to run a statement, from its start or again. */
static void statement_prepare(struct db *db, size_t session, const struct sql_stmt *stmt,
                              const struct db_bind *binds) {
    struct eval *eval = &db->query.eval;
    struct row_source source = db->policy->source;
    source.context = db;
    arena_reset(&db->scratch);
    db->running = (uint8_t)session;
    db->error = DB_OK_NO_ERROR;
    db->detail[0] = '\0';
    db->scan_count = db->skip_count = 0;
    db->advisory_seen = 0;
    memset(&db->result, 0, sizeof(db->result));
    eval_init(eval, db->config.engine, db->schema, eval->pool, &db->scratch);
    eval->twin = db->config.twin;
    eval->binds = binds;
    eval->bind_count = stmt != NULL ? stmt->hosts.count : 0;
    eval->now = time_now;
    eval->now_context = db;
    eval->session_call = session_call;
    query_begin(&db->query, &source);
}

static void result_fill(struct db *db, size_t session, struct db_result *result) {
    const struct exec *exec = session_exec(db, session);
    const struct lists *lists = &db->lists[session];
    result->row_count = db->result.row_count;
    result->column_count = db->result.column_count;
    result->rows = db->result.rows;
    result->ref_count = db->result.ref_count;
    result->row_refs = db->result.row_refs;
    result->reads = db->query.reads.items;
    result->read_count = db->query.reads.count;
    result->writes = lists->writes.items;
    result->write_count = lists->writes.count;
    result->affected = exec->affected;
    result->last_insert = exec->last_insert;
}

/* Ends a run of a statement, or leaves it waiting. */
static void statement_finish(struct db *db, size_t session, enum step step,
                             struct db_result *result) {
    struct session *owner = &db->sessions.items[session];
    struct lists *lists = &db->lists[session];
    memset(result, 0, sizeof(*result));
    owner->is_under_way = step == STEP_WAIT;
    if (step == STEP_WAIT) {
        owner->exec.footprint.waited_or_woke = true;
        if (lists->binds.count == 0)
            binds_keep(lists, db->query.eval.binds, db->query.eval.bind_count);
        result->status = DB_BLOCKED;
        result->blockers = session_blockers(db, session);
        result->footprint = owner->exec.footprint;
        return;
    }
    session_wait_end(db, session);
    if (step == STEP_FAIL) {
        LW_ASSERT(db->error != DB_OK_NO_ERROR);
        locks_unqueue(db, session);
        txn_statement_failed(db, session, db->error);
        result->status = DB_FAILED;
        result->error = db->error;
        result->ended_transaction = owner->exec.was_in_transaction && !owner->in_transaction;
        memcpy(result->detail, db->detail, sizeof(result->detail));
    } else {
        result_fill(db, session, result);
        result->ended_transaction = owner->exec.rolled_back;
    }
    session_bury(db);
    session_look_for_deadlocks(db);
    if (session_any_ready(db))
        owner->exec.footprint.waited_or_woke = true;
    result->footprint = owner->exec.footprint;
    lists_clear(lists);
}

void db_exec(struct db *db, size_t session, const struct sql_stmt *stmt,
             const struct db_bind *binds, struct db_result *result) {
    LW_ASSERT(session < db->session_count && !db_is_waiting(db, session));
    LW_ASSERT(stmt->is_resolved);
    struct session *owner = &db->sessions.items[session];
    struct exec *exec = &owner->exec;
    memset(exec, 0, sizeof(*exec));
    exec->stmt = stmt;
    exec->was_in_transaction = owner->in_transaction;
    exec->version_mark = (uint32_t)db->versions.count;
    exec->lock_mark = db->core.lock_sequence;
    exec->pending_mark = db->core.pending_sequence;
    exec->generated_mark = owner->generated;
    lists_clear(&db->lists[session]);
    statement_prepare(db, session, stmt, binds);
    statement_finish(db, session, exec_run(db, session), result);
}

/* Hands out the end of a statement whose transaction was rolled back while it waited. */
static void doom_finish(struct db *db, size_t session, struct db_result *result) {
    struct session *owner = &db->sessions.items[session];
    memset(result, 0, sizeof(*result));
    result->status = DB_FAILED;
    result->error = owner->doomed;
    result->ended_transaction = true;
    owner->exec.footprint.waited_or_woke = true;
    result->footprint = owner->exec.footprint;
    owner->doomed = DB_OK_NO_ERROR;
    owner->is_under_way = false;
    lists_clear(&db->lists[session]);
}

/* The session that began to wait first after `order` and can go on, or DB_NO_SESSION. */
static int ready_session(const struct db *db, uint32_t order) {
    int best = DB_NO_SESSION;
    for (size_t s = 0; s < db->session_count; s++) {
        const struct session *session = &db->sessions.items[s];
        if (session->wait.kind == WAIT_NOTHING || session->wait.order <= order)
            continue;
        if (best >= 0 && db->sessions.items[best].wait.order < session->wait.order)
            continue;
        if (session_blockers(db, s) == 0)
            best = (int)s;
    }
    return best;
}

/* One that fell to another's deadlock, or DB_NO_SESSION. */
static int resume_doomed(struct db *db, struct db_result *result) {
    for (size_t s = 0; s < db->session_count; s++) {
        if (db->sessions.items[s].doomed == DB_OK_NO_ERROR)
            continue;
        doom_finish(db, s, result);
        return (int)s;
    }
    return DB_NO_SESSION;
}

/* Goes on with the statement of a session whose wait is over; whether it has come to its end. */
static bool go_on(struct db *db, size_t session, struct db_result *result) {
    struct session *owner = &db->sessions.items[session];
    session_wait_end(db, session);
    if (db->policy->after_wait != NULL)
        db->policy->after_wait(db, session);
    statement_prepare(db, session, owner->exec.stmt, binds_restore(&db->lists[session]));
    owner->exec.footprint.waited_or_woke = true;
    statement_finish(db, session, exec_run(db, session), result);
    return result->status != DB_BLOCKED;
}

bool db_is_raced(const struct db *db, size_t session) {
    uint32_t ahead = db_blockers(db, session);
    if (ahead == 0 || db->policy->is_raced == NULL)
        return false;
    for (size_t s = 0; s < db->session_count; s++)
        if ((ahead & 1u << s) != 0 &&
            (db->sessions.items[s].wait.kind == WAIT_NOTHING || session_blockers(db, s) != 0))
            return false;
    return db->policy->is_raced(db, session, ahead);
}

bool db_resume_before(struct db *db, size_t session, struct db_result *result) {
    LW_ASSERT(db_is_raced(db, session));
    return go_on(db, session, result);
}

int db_resume(struct db *db, struct db_result *result) {
    uint32_t last_order = db->core.wait_order;
    for (uint32_t order = 0;;) {
        int doomed = resume_doomed(db, result); /* before, or by who went on here and waits anew */
        if (doomed != DB_NO_SESSION)
            return doomed;
        int next = ready_session(db, order);
        if (next < 0 || db->sessions.items[next].wait.order > last_order)
            return DB_NO_SESSION;
        order = db->sessions.items[next].wait.order;
        if (go_on(db, (size_t)next, result))
            return next;
    }
}

void db_timeout(struct db *db, size_t session, struct db_result *result) {
    LW_ASSERT(db_is_waiting(db, session));
    if (db->sessions.items[session].doomed != DB_OK_NO_ERROR) {
        doom_finish(db, session, result);
        return;
    }
    statement_prepare(db, session, db->sessions.items[session].exec.stmt,
                      binds_restore(&db->lists[session]));
    enum step step = db_fail(db, DB_ERROR_LOCK_TIMEOUT, "%s", "");
    statement_finish(db, session, step, result);
}

void db_peek(struct db *db, size_t session, const struct sql_stmt *select,
             const struct db_bind *binds, struct db_result *result) {
    LW_ASSERT(select->kind == SQL_STMT_SELECT);
    /* A waiting statement must find its snapshot as it left it. */
    struct snapshot *snapshot = &session_exec(db, session)->snapshot, kept = *snapshot;
    struct db_footprint footprint = session_exec(db, session)->footprint;
    db->is_peeking = true;
    statement_prepare(db, session, select, binds);
    *snapshot = (struct snapshot){
        .sequence = SEQUENCE_ALL, .txn = db->sessions.items[session].txn, .command = COMMAND_ALL};
    memset(result, 0, sizeof(*result));
    if (query_select(&db->query, select->select, &db->result)) {
        result_fill(db, session, result);
        result->writes = NULL;
        result->write_count = 0;
        result->affected = (int64_t)result->row_count;
    } else {
        db_fail_eval(db);
        result->status = DB_FAILED;
        result->error = db->error;
        memcpy(result->detail, db->detail, sizeof(result->detail));
    }
    db->is_peeking = false;
    *snapshot = kept;
    session_exec(db, session)->footprint = footprint;
}

bool db_load(struct db *db, const struct sql_stmt *stmt, struct err *err) {
    struct db_result result;
    LW_ASSERT(stmt->is_resolved);
    if (stmt->hosts.count > 0)
        return err_set(err, stmt->hosts.items[0].pos, "an initial row can't have host values");
    if (stmt->kind != SQL_STMT_INSERT && stmt->kind != SQL_STMT_UPDATE)
        return err_set(err, stmt->pos, "only INSERT and UPDATE can make initial rows");
    db->is_loading = true;
    db_exec(db, 0, stmt, NULL, &result);
    db->is_loading = false;
    if (result.status != DB_OK)
        return err_set(err, stmt->pos, "%s%s%s", db_error_text(result.error),
                       result.detail[0] != '\0' ? ": " : "", result.detail);
    return true;
}
