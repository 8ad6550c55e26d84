/* A text of several statements is run as PostgreSQL's simple query: one after the other, each when the one before is
 * done, the whole of it one transaction where it opens none itself. */
#include "spec/builtin.h"

#include "base/assert.h"
#include "base/map.h"
#include "spec/message.h"
#include "spec/rows.h"
#include "spec/run.h"
#include "spec/script.h"
#include "spec/setup.h"

#include <stdlib.h>

/* A session's text under way. */
struct chain {
    const struct script *script;
    size_t next;      /* its statement that runs or is to run; count: the COMMIT of `is_implicit` */
    bool is_implicit; /* several statements made one transaction */
    bool is_done;
    struct spec_answer answer;
};

struct builtin {
    struct spec_server server; /* first: functions get this */
    const struct spec *spec;
    struct arena arena;   /* of all permutations: scripts, schema, texts */
    struct arena answers; /* of one */
    struct text_pool pool;
    struct schema schema;
    struct db *base, *db; /* after setup; of the permutation */
    struct db_config config;
    size_t session_count; /* with the control connection, if there is room */
    bool is_set_up;
    struct err setup_err; /* why it can't be, if so */
    struct map scripts;   /* by the address of a block's text */
    struct sql_stmt *begin, *commit, *rollback;
    struct chain chains[DB_SESSIONS_MAX];
};

static struct builtin *builtin_of(struct spec_server *server) {
    return (struct builtin *)(void *)server;
}

static bool not_modelled(struct builtin *b) {
    b->server.is_not_modelled = true;
    return false;
}

/* Scripts. */

/* Settings that say nothing of what sessions see of each other: plans, and who runs them. */
static bool is_known_setting(struct str name) {
    static const char *const known[] = {"deadlock_timeout",     "default_transaction_isolation",
                                        "transaction_isolation", "client_min_messages",
                                        "force_parallel_mode",  "debug_parallel_query"};
    for (size_t i = 0; i < LW_COUNT_OF(known); i++)
        if (str_is(name, known[i]))
            return true;
    return str_starts(name, "enable_") || str_ends(name, "_cost") ||
           str_starts(name, "parallel_") || str_starts(name, "min_parallel_") ||
           str_starts(name, "max_parallel_");
}

static bool resolve_script(struct builtin *b, struct script *script, struct err *err) {
    for (size_t i = 0; i < script->stmts.count; i++) {
        struct sql_stmt *stmt = script->stmts.items[i];
        if (stmt->kind == SQL_STMT_BEGIN && i > 0 &&
            stmt->transaction->isolation != SQL_ISOLATION_DEFAULT)
            return err_set(err, stmt->pos, "BEGIN with a level after another statement is not modelled");
        if (stmt->kind == SQL_STMT_SET && !is_known_setting(stmt->set->name))
            return err_set(err, stmt->pos, "SET %.*s is not modelled", STR_ARG(stmt->set->name));
        if (stmt->hosts.count > 0)
            return err_set(err, stmt->hosts.items[0].pos, "host values are not modelled");
        if (stmt->kind == SQL_STMT_CREATE_TABLE || stmt->kind == SQL_STMT_CREATE_INDEX)
            return err_set(err, stmt->pos, "a schema change in a session is not modelled");
        if (!sql_resolve(&b->arena, &b->schema, stmt, err))
            return false;
    }
    return true;
}

/* The block's statements, parsed and resolved once. */
static bool script_of(struct builtin *b, const struct spec_block *block, enum script_use use,
                      const struct script **script, struct err *err) {
    struct str key = {(const char *)&block->sql.ptr, sizeof(block->sql.ptr)};
    *script = map_get(&b->scripts, key);
    if (*script != NULL)
        return true;
    struct script *made = ARENA_NEW(&b->arena, struct script);
    if (!script_parse(&b->arena, &b->pool, block, use, made, err) || !resolve_script(b, made, err))
        return not_modelled(b);
    map_put(&b->scripts, str_dup(&b->arena, key), made);
    *script = made;
    return true;
}

/* One statement. */

static void add_error(struct builtin *b, struct chain *chain, struct str message) {
    struct spec_part part = {.is_error = true, .severity = STR("ERROR"), .message = message};
    VEC_PUSH(&b->answers, &chain->answer.parts, part);
}

static void warn(struct builtin *b, size_t session, const char *message) {
    b->server.notice(b->server.notice_context, session, STR("WARNING"), str_from_c(message));
}

static const struct sql_stmt *current(const struct builtin *b, const struct chain *chain) {
    return chain->next < chain->script->stmts.count ? chain->script->stmts.items[chain->next]
                                                    : b->commit;
}

static void end_chain(struct builtin *b, size_t session, bool has_failed) {
    struct chain *chain = &b->chains[session];
    struct db_result result;
    if (has_failed && chain->is_implicit && db_in_transaction(b->db, session))
        db_exec(b->db, session, b->rollback, NULL, &result);
    chain->is_done = true;
}

/* Takes the result of the chain's statement, which did not block. */
static bool take_result(struct builtin *b, size_t session, const struct db_result *result,
                        struct err *err) {
    struct chain *chain = &b->chains[session];
    const struct sql_stmt *stmt = current(b, chain);
    bool has_rows = stmt->kind == SQL_STMT_SELECT || stmt->returning.count > 0;
    if (result->status == DB_FAILED) {
        struct str message;
        if (!message_of(&b->answers, &b->schema, stmt, result, &message, err))
            return not_modelled(b);
        add_error(b, chain, message);
        end_chain(b, session, true);
        return true;
    }
    chain->answer.ends_without_rows = !has_rows;
    if (has_rows) {
        struct spec_part part = {.is_error = false};
        if (!rows_to_table(&b->answers, &b->schema, &b->pool, stmt, result, &part.table, err))
            return not_modelled(b);
        VEC_PUSH(&b->answers, &chain->answer.parts, part);
    }
    if (chain->next >= chain->script->stmts.count)
        end_chain(b, session, false);
    chain->next++;
    return true;
}

/* What PostgreSQL says about BEGIN, COMMIT and ROLLBACK at the wrong moment. */
static void warn_about(struct builtin *b, size_t session, const struct sql_stmt *stmt) {
    bool is_open = db_in_transaction(b->db, session) && !b->chains[session].is_implicit;
    bool ends = stmt->kind == SQL_STMT_COMMIT || stmt->kind == SQL_STMT_ROLLBACK;
    if (stmt->kind == SQL_STMT_BEGIN && is_open)
        warn(b, session, "there is already a transaction in progress");
    else if (ends && !is_open)
        warn(b, session, "there is no transaction in progress");
}

/* Begins the transaction that several statements share; whether `stmt` is done by that. */
static bool share_transaction(struct builtin *b, size_t session, const struct sql_stmt *stmt) {
    struct chain *chain = &b->chains[session];
    struct db_result result;
    bool is_begin = stmt->kind == SQL_STMT_BEGIN;
    bool ends = stmt->kind == SQL_STMT_COMMIT || stmt->kind == SQL_STMT_ROLLBACK;
    if (chain->is_implicit && (is_begin || ends)) {
        chain->is_implicit = false;
        return is_begin;
    }
    if (chain->script->stmts.count < 2 || is_begin || ends || stmt->kind == SQL_STMT_SET ||
        db_in_transaction(b->db, session))
        return false;
    db_exec(b->db, session, b->begin, NULL, &result);
    LW_ASSERT(result.status == DB_OK);
    chain->is_implicit = true;
    return false;
}

/* Runs the chain's statements until one blocks or all are done. */
static bool go_on(struct builtin *b, size_t session, struct err *err) {
    struct chain *chain = &b->chains[session];
    while (!chain->is_done) {
        size_t count = chain->script->stmts.count;
        if (chain->next >= count && !chain->is_implicit) {
            chain->answer.ends_without_rows |= chain->script->ends_in_skipped;
            chain->is_done = true;
            break;
        }
        const struct sql_stmt *stmt = current(b, chain);
        struct db_result result = {.status = DB_OK};
        if (chain->next < count) {
            warn_about(b, session, stmt);
            if (share_transaction(b, session, stmt)) {
                chain->next++;
                continue;
            }
        }
        db_exec(b->db, session, stmt, NULL, &result);
        if (result.status == DB_BLOCKED)
            return true;
        if (!take_result(b, session, &result, err))
            return false;
    }
    return true;
}

/* Lets everybody go on who can. */
static bool settle(struct builtin *b, struct err *err) {
    struct db_result result;
    for (;;) {
        int session = db_resume(b->db, &result);
        if (session == DB_NO_SESSION)
            return true;
        if (!take_result(b, (size_t)session, &result, err) || !go_on(b, (size_t)session, err))
            return false;
    }
}

static bool start(struct builtin *b, size_t session, const struct spec_block *block,
                  enum script_use use, struct err *err) {
    struct chain *chain = &b->chains[session];
    *chain = (struct chain){0};
    return script_of(b, block, use, &chain->script, err) && go_on(b, session, err) &&
           settle(b, err);
}

/* The server's functions. */

static bool make_base(struct builtin *b, struct err *err) {
    if (!b->is_set_up) {
        b->is_set_up = true;
        b->setup_err.message[0] = '\0';
        if (setup_make(&b->arena, &b->pool, b->spec, &b->config, b->session_count, &b->schema,
                       &b->base, &b->setup_err))
            b->db = db_copy_new(b->base);
    }
    if (b->db != NULL)
        return true;
    *err = b->setup_err;
    return not_modelled(b);
}

static bool server_begin(struct spec_server *server, struct err *err) {
    struct builtin *b = builtin_of(server);
    arena_reset(&b->answers);
    memset(b->chains, 0, sizeof(b->chains));
    if (!make_base(b, err))
        return false;
    db_copy(b->db, b->base);
    return true;
}

static bool is_setup(const struct builtin *b, const struct spec_block *block) {
    for (size_t i = 0; i < b->spec->setups.count; i++)
        if (block == &b->spec->setups.items[i])
            return true;
    return false;
}

static bool server_run(struct spec_server *server, size_t session, const struct spec_block *block,
                       struct spec_answer *answer, struct err *err) {
    struct builtin *b = builtin_of(server);
    bool is_control = session == SPEC_CONTROL;
    if (is_control && is_setup(b, block))
        return true; /* `begin` has done it */
    if (is_control)
        session = b->session_count - 1;
    if (!start(b, session, block, is_control ? SCRIPT_TEARDOWN : SCRIPT_STEP, err))
        return false;
    if (!b->chains[session].is_done) {
        err_set(err, block->pos, "a wait in setup or teardown is not modelled");
        return not_modelled(b);
    }
    *answer = b->chains[session].answer;
    return true;
}

static bool server_send(struct spec_server *server, size_t session, const struct spec_block *block,
                        struct err *err) {
    return start(builtin_of(server), session, block, SCRIPT_STEP, err);
}

static const struct spec_answer *server_answer(struct spec_server *server, size_t session) {
    const struct chain *chain = &builtin_of(server)->chains[session];
    return chain->is_done ? &chain->answer : NULL;
}

/* Nothing here happens by itself: a session that waits now waits until the tester gives up. */
static bool server_wait(struct spec_server *server, size_t session, unsigned *seconds,
                        struct err *err) {
    struct builtin *b = builtin_of(server);
    struct db_result result;
    LW_ASSERT(!b->chains[session].is_done);
    db_timeout(b->db, session, &result);
    *seconds = spec_step_seconds();
    return take_result(b, session, &result, err) && settle(b, err);
}

static struct sql_stmt *control_stmt(struct builtin *b, enum sql_stmt_kind kind) {
    struct sql_stmt *stmt = ARENA_NEW(&b->arena, struct sql_stmt);
    stmt->kind = kind;
    stmt->transaction = ARENA_NEW(&b->arena, struct sql_transaction);
    stmt->is_resolved = true;
    return stmt;
}

struct builtin *builtin_new(const struct spec *spec, enum sql_isolation isolation) {
    struct builtin *b = mem_alloc(sizeof(*b));
    *b = (struct builtin){.spec = spec};
    b->server = (struct spec_server){.begin = server_begin,
                                     .run = server_run,
                                     .send = server_send,
                                     .answer = server_answer,
                                     .wait = server_wait};
    b->config = (struct db_config){.engine = ENGINE_POSTGRESQL, .isolation = isolation};
    size_t count = spec->sessions.count;
    b->session_count = count < DB_SESSIONS_MAX ? count + 1 : DB_SESSIONS_MAX;
    text_pool_init(&b->pool, &b->arena);
    map_init(&b->scripts, &b->arena);
    b->begin = control_stmt(b, SQL_STMT_BEGIN);
    b->commit = control_stmt(b, SQL_STMT_COMMIT);
    b->rollback = control_stmt(b, SQL_STMT_ROLLBACK);
    return b;
}

void builtin_free(struct builtin *b) {
    db_free(b->db);
    db_free(b->base);
    arena_release(&b->answers);
    arena_release(&b->arena);
    free(b);
}

struct spec_server *builtin_server(struct builtin *builtin) {
    return &builtin->server;
}
