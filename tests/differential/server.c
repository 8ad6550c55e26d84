#include "server.h"

#include "base/assert.h"

/* Rows are put back by DELETE, which is fast; what that leaves behind in pages and indexes must not come to count. */
enum { USES_MAX = 8 };

enum { ANSWER_MS_MAX = 300000 }; /* a long run is to give way to all else on the machine */

static bool is_postgresql(const struct server *server) {
    return live_kind(server->live) == LIVE_POSTGRESQL;
}

static bool run(struct server *server, const char *sql, struct err *err) {
    return live_run(server->live, str_from_c(sql), err);
}

bool server_open(struct server *server, const char *url, bool finds_blockers, struct err *err) {
    struct live_options options = {.session_count = TRIAL_SESSIONS_MAX,
                                   .finds_blockers = finds_blockers,
                                   .answer_ms_max = ANSWER_MS_MAX};
    struct str place;
    *server = (struct server){.finds_blockers = finds_blockers};
    return live_open(str_from_c(url), &options, &server->live, err) &&
           live_make_place(server->live, &place, err) &&
           /* The control connection puts rows back, in an order that is right anyway. */
           (is_postgresql(server) || run(server, "set foreign_key_checks = 0", err));
}

bool server_close(struct server *server, struct err *err) {
    return server->live == NULL || live_close(server->live, err);
}

/* ---- tables and sessions ---- */

/* In every session; must not fail. */
static bool run_everywhere(struct server *server, const char *sql, struct err *err) {
    for (size_t s = 0; s < TRIAL_SESSIONS_MAX; s++) {
        const struct live_answer *answer;
        if (!live_exec(server->live, s, str_from_c(sql), &answer, err))
            return false;
        if (answer->status != LIVE_DONE)
            return err_set(err, (struct pos){0}, "%s: %.*s", sql, STR_ARG(answer->message));
    }
    return true;
}

/* Waits end by what the script says, never by the clock; indexes are used wherever there is one to use. */
static bool set_up_sessions(struct server *server, const struct policy_under_test *policy,
                            struct err *err) {
    static const char *const postgresql[] = {"set lock_timeout = 0", "set enable_seqscan = off",
                                             "set enable_bitmapscan = off",
                                             "set enable_indexonlyscan = off", NULL};
    static const char *const mysql[] = {"set innodb_lock_wait_timeout = 1000", NULL};
    const char *const *settings = is_postgresql(server) ? postgresql : mysql;
    char sql[128];
    for (size_t i = 0; settings[i] != NULL; i++)
        if (!run_everywhere(server, settings[i], err))
            return false;
    snprintf(sql, sizeof(sql), "set session %stransaction isolation level %s",
             is_postgresql(server) ? "characteristics as " : "",
             sql_isolation_name(policy->config.isolation));
    if (!run_everywhere(server, sql, err))
        return false;
    if (policy->config.engine != ENGINE_MARIADB)
        return true;
    snprintf(sql, sizeof(sql), "set innodb_snapshot_isolation = %d",
             policy->config.innodb_snapshot_isolation);
    return run_everywhere(server, sql, err);
}

/* Of a table that counts as large no statement looks at all rows if an index finds fewer. MariaDB's own statistics say so,
 * and outlive a TRUNCATE; in MySQL those of InnoDB, which are read when a table is opened that nobody had open. */
static bool pretend_large(struct server *server, const struct world *world, struct err *err) {
    bool is_mariadb = live_kind(server->live) == LIVE_MARIADB;
    struct buf tables = {0};
    char sql[128];
    bool ok = is_mariadb ||
              run(server,
                  "update mysql.innodb_table_stats set n_rows = 100000, clustered_index_size = 1000"
                  " where database_name = database()",
                  err);
    for (size_t t = 0; t < world->table_count && ok; t++) {
        const char *name = world->tables[t].name;
        snprintf(sql, sizeof(sql), "replace into mysql.table_stats values (database(), '%s', 100000)", name);
        ok = !is_mariadb || run(server, sql, err);
        buf_printf(&tables, "%s%s", t == 0 ? "flush tables " : ", ", name);
    }
    ok = ok && live_run(server->live, buf_str(&tables), err);
    buf_release(&tables);
    return ok;
}

bool server_set_up(struct server *server, const struct world *world, uint64_t world_number,
                   const struct policy_under_test *policy, struct err *err) {
    if (server->policy != policy && !set_up_sessions(server, policy, err))
        return false;
    server->policy = policy;
    if (server->world != NULL && server->world_number == world_number)
        return true;
    if (!is_postgresql(server) && !run(server, "commit", err))
        return false;
    if (!run(server, "drop table if exists d, c, t", err))
        return false;
    for (size_t i = 0; i < world->ddl.count; i++)
        if (!live_run(server->live, world->ddl.items[i], err))
            return false;
    if (live_kind(server->live) == LIVE_MARIADB && !pretend_large(server, world, err))
        return false;
    server->world = world;
    server->world_number = world_number;
    server->used_count = 0;
    return true;
}

/* PostgreSQL takes it all at once. */
static bool put_rows_at_once(struct server *server, const struct trial *trial, struct err *err) {
    struct buf sql = {0};
    const struct world *world = trial->world;
    /* SSI looks at dead entries, too. */
    bool is_serializable =
        server->policy->config.isolation == SQL_SERIALIZABLE || trial->is_mixed;
    for (size_t t = world->table_count; t-- > 0 && server->used_count > 0;)
        if (server->used_count % USES_MAX != 0 && !is_serializable)
            buf_printf(&sql, "delete from %s;", world->tables[t].name);
        else
            buf_printf(&sql, "truncate %s cascade;", world->tables[t].name);
    for (size_t i = 0; i < trial->rows.count; i++)
        buf_printf(&sql, "%.*s;", STR_ARG(trial->rows.items[i]));
    server->used_count++;
    bool ok = live_run(server->live, buf_str(&sql), err);
    buf_release(&sql);
    return ok;
}

static bool truncate_tables(struct server *server, const struct world *world, struct err *err) {
    char sql[64];
    bool ok = true;
    for (size_t t = world->table_count; t-- > 0 && ok;) {
        snprintf(sql, sizeof(sql), "truncate %s", world->tables[t].name);
        ok = run(server, sql, err);
    }
    return ok;
}

/* On InnoDB a view of the control connection holds purge off: a trial takes longer than purge does, a schedule of the
 * engine no time. */
static bool put_rows(struct server *server, const struct trial *trial, struct err *err) {
    if (is_postgresql(server))
        return put_rows_at_once(server, trial, err);
    if (!run(server, "commit", err) ||
        (server->used_count > 0 && !truncate_tables(server, trial->world, err)) ||
        (live_kind(server->live) == LIVE_MYSQL && !pretend_large(server, trial->world, err)))
        return false;
    server->used_count++;
    for (size_t i = 0; i < trial->rows.count; i++)
        if (!live_run(server->live, trial->rows.items[i], err))
            return false;
    return run(server, "start transaction with consistent snapshot", err);
}

/* ---- answers ---- */

static void take_failure(const struct server *server, struct arena *arena,
                         const struct live_answer *from, struct answer *answer) {
    answer->kind = ANSWER_FAILED;
    answer->ended_transaction = from->ended_transaction;
    if (is_postgresql(server))
        snprintf(answer->code, sizeof(answer->code), "%s", from->sqlstate);
    else
        snprintf(answer->code, sizeof(answer->code), "%d", from->number);
    answer->shown =
        str_printf(arena, "ERR %s %.*s", answer->code, STR_ARG(from->message));
}

static void take_answer(const struct server *server, struct arena *arena, struct str sql,
                        const struct live_answer *from, struct answer *answer) {
    *answer = (struct answer){.kind = ANSWER_DONE, .affected = -1};
    if (from->status == LIVE_WAITING) {
        answer->kind = ANSWER_WAITS;
        answer->blockers = from->blockers;
        answer->shown = STR("BLOCKED");
    } else if (from->status == LIVE_FAILED) {
        take_failure(server, arena, from, answer);
    } else if (from->has_rows) {
        answer->kind = ANSWER_ROWS;
        answer->rows = rows_shown(arena, from->cells, from->row_count, from->column_count,
                                  sql_is_ordered(sql));
        answer->shown = answer->rows;
    } else {
        bool is_change = sql_is(sql, "insert") || sql_is(sql, "update") || sql_is(sql, "delete");
        answer->affected = is_change ? from->affected : -1;
        answer->rolled_back = sql_is(sql, "commit") && str_is(from->command, "ROLLBACK");
        answer->shown = is_postgresql(server)
                            ? str_dup(arena, from->command)
                            : str_printf(arena, "affected %lld",
                                         is_change ? (long long)from->affected : 0);
    }
}

/* ---- playing ---- */

struct run_state {
    struct server *server;
    const struct trial *trial;
    const struct script *script;
    struct disagreement *found;
    struct str sqls[TRIAL_SESSIONS_MAX]; /* of sessions that wait */
};

/* In INFORMATION_SCHEMA MariaDB has the id 0 for every transaction that has written nothing: if one of them is in the way,
 * all are named. */
static bool names_others_too(const struct server *server, uint32_t ours, uint32_t theirs) {
    return live_kind(server->live) == LIVE_MARIADB && (theirs & ours) == ours;
}

/* Whether the line, the `at`-th, is answered as it should be. */
static bool check_line(struct run_state *state, size_t at, const struct live_answer *from) {
    const struct script_line *line = &state->script->lines.items[at];
    struct answer answer;
    take_answer(state->server, state->script->arena, line->sql, from, &answer);
    enum difference difference =
        answer_compare(line, &answer, state->trial->policy->config.isolation);
    if (difference == DIFFERENCE_BLOCKERS &&
        names_others_too(state->server, line->answer.blockers, answer.blockers))
        difference = DIFFERENCE_NONE;
    if (difference != DIFFERENCE_NONE)
        *state->found = (struct disagreement){
            .kind = difference, .line_count = at + 1, .answer = answer};
    return difference == DIFFERENCE_NONE;
}

/* The end of a wait that the script has not. */
static void note_unexpected(struct run_state *state, size_t line_count, int session,
                            const struct live_answer *from) {
    struct disagreement *found = state->found;
    *found = (struct disagreement){.kind = DIFFERENCE_WAIT,
                                   .line_count = line_count,
                                   .is_unexpected = true,
                                   .session = (uint8_t)session,
                                   .sql = state->sqls[session]};
    take_answer(state->server, state->script->arena, found->sql, from, &found->answer);
    if (found->answer.kind == ANSWER_FAILED && strcmp(found->answer.code, "40001") == 0 &&
        state->trial->policy->config.isolation == SQL_SERIALIZABLE)
        found->kind = DIFFERENCE_SSI;
}

/* Checks the ends of waits after the line `at` against those that follow it; `*next` is the line after those. */
static bool check_resumed(struct run_state *state, size_t at, size_t *next, struct err *err) {
    const struct script *script = state->script;
    unsigned seen = 0, expected = 0;
    for (*next = at + 1; *next < script->lines.count; (*next)++) {
        const struct script_line *line = &script->lines.items[*next];
        if (line->kind != LINE_RESUMED)
            break;
        expected |= 1u << line->session;
    }
    for (;;) {
        int session;
        const struct live_answer *answer;
        if (!live_resume(state->server->live, &session, &answer, err))
            return false;
        if (session == LIVE_NO_SESSION)
            break;
        size_t line = at + 1;
        while (line < *next && script->lines.items[line].session != session)
            line++;
        if (line == *next)
            note_unexpected(state, *next, session, answer);
        if (line == *next || !check_line(state, line, answer))
            return true;
        seen |= 1u << session;
    }
    for (size_t line = at + 1; line < *next && seen != expected; line++)
        if (!(seen & (1u << script->lines.items[line].session))) {
            *state->found = (struct disagreement){.kind = DIFFERENCE_WAIT,
                                                  .line_count = line + 1,
                                                  .answer = {.kind = ANSWER_WAITS,
                                                             .shown = STR("STILL BLOCKED")}};
            return true;
        }
    return true;
}

static bool play_line(struct run_state *state, size_t at, size_t *next, struct err *err) {
    const struct script_line *line = &state->script->lines.items[at];
    const struct live_answer *answer;
    struct live *live = state->server->live;
    if (line->kind == LINE_STATEMENT) {
        state->sqls[line->session] = line->sql;
        if (!live_exec(live, line->session, line->sql, &answer, err))
            return false;
    } else {
        LW_ASSERT(line->kind == LINE_TIMEOUT);
        if (!live_cancel(live, line->session, &answer, err))
            return false;
    }
    return !check_line(state, at, answer) || check_resumed(state, at, next, err);
}

bool server_play(struct server *server, const struct trial *trial, const struct script *script,
                 struct disagreement *disagreement, struct err *err) {
    struct run_state state = {
        .server = server, .trial = trial, .script = script, .found = disagreement};
    *disagreement = (struct disagreement){.kind = DIFFERENCE_NONE};
    if (!put_rows(server, trial, err))
        return false;
    for (size_t at = 0; at < script->lines.count && disagreement->kind == DIFFERENCE_NONE;) {
        size_t next = at + 1;
        if (!play_line(&state, at, &next, err))
            return false;
        at = next;
    }
    if (trial->is_mixed && !is_postgresql(server))
        server->policy = NULL; /* a level may be set for a transaction that has not begun */
    return live_rollback_all(server->live, err);
}
