/* PostgreSQL 9.6 and later, through libpq.
 *
 * Who waits is asked with pg_blocking_pids (and pg_safe_snapshot_blocking_pids for SERIALIZABLE READ ONLY
 * DEFERRABLE). A lock wait looks for a deadlock once, deadlock_timeout after it began; until then it is not
 * known whether it will end by itself. A user who may (a superuser) sets that to its least, 1 ms, and log_lock_waits,
 * whose message "still waiting" comes from ProcSleep just behind that check and reaches the client at once: the server
 * itself says that it waits. For others a wait counts when those it waits for do not wait for it in a circle.
 *
 * Cells point into libpq's results, which live until the session's next statement.
 */
#include "live/backend.h"

#ifdef LW_HAVE_LIBPQ
#include "base/assert.h"
#include "base/buf.h"
#include "live/libpq.h"

#include <poll.h>
#include <stdlib.h>

enum {
    KEYWORDS_MAX = 12,
    VERSION_MIN = 90600,
    VERSION_SAFE_SNAPSHOT = 100000, /* pg_safe_snapshot_blocking_pids */
    TELLS_WAIT_US_MAX = 5000, /* past which a server that tells of waits is asked all the same */
    DEADLOCK_MARGIN_MS = 30,
    FOREIGN_WAIT_MS_MAX = 1000, /* past which a wait for others' connections is a wait */
};

static const struct pos no_pos;

/* Of types.dat in pg_catalog; numbers of built-in types never change. */
enum {
    OID_BOOL = 16,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_OID = 26,
    OID_FLOAT4 = 700,
    OID_FLOAT8 = 701,
    OID_DATE = 1082,
    OID_TIME = 1083,
    OID_TIMESTAMP = 1114,
    OID_TIMESTAMPTZ = 1184,
    OID_TIMETZ = 1266,
    OID_NUMERIC = 1700,
};

struct results {
    VEC(PGresult *) all; /* of the session's last statement; with an owner of its own */
};

struct postgresql {
    struct results results[LIVE_SESSIONS_MAX + 1];
    bool tells_waits; /* sessions say when their wait is past the deadlock check */
    unsigned deadlock_ms;
    unsigned release; /* 150018 */
};

static struct postgresql *postgresql_of(const struct live *live) {
    return live->state;
}

static PGconn *handle_of(const struct live *live, size_t index) {
    return live->sessions[index].handle;
}

static bool connection_error(struct live *live, size_t index, struct err *err) {
    struct str message = live_libpq_line(libpq.PQerrorMessage(handle_of(live, index)));
    if (message.len == 0)
        message = STR("the connection ended");
    return live_lose(live, err, "lost the server: %.*s", STR_ARG(message));
}

/* ---- answers ---- */

static void clear_results(struct results *results) {
    for (size_t i = 0; i < results->all.count; i++)
        libpq.PQclear(results->all.items[i]);
    results->all.count = 0;
}

static enum live_type type_of(Oid oid) {
    switch (oid) {
    case OID_BOOL:
        return LIVE_BOOL;
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
    case OID_OID:
        return LIVE_INTEGER;
    case OID_NUMERIC:
        return LIVE_DECIMAL;
    case OID_FLOAT4:
    case OID_FLOAT8:
        return LIVE_FLOAT;
    case OID_DATE:
    case OID_TIME:
    case OID_TIMETZ:
    case OID_TIMESTAMP:
    case OID_TIMESTAMPTZ:
        return LIVE_TIME;
    default:
        return LIVE_TEXT;
    }
}

static void read_rows(struct arena *memory, const PGresult *result, struct live_answer *answer) {
    int rows = libpq.PQntuples(result), columns = libpq.PQnfields(result);
    struct live_column *column = ARENA_ARRAY(memory, struct live_column, (size_t)columns);
    struct str *cell = ARENA_ARRAY(memory, struct str, (size_t)rows * (size_t)columns);
    answer->has_rows = true;
    answer->row_count = (size_t)rows;
    answer->column_count = (size_t)columns;
    answer->columns = column;
    answer->cells = cell;
    for (int k = 0; k < columns; k++)
        column[k] = (struct live_column){str_from_c(libpq.PQfname(result, k)),
                                         type_of(libpq.PQftype(result, k))};
    for (int i = 0; i < rows; i++)
        for (int k = 0; k < columns; k++, cell++)
            if (!libpq.PQgetisnull(result, i, k))
                *cell = (struct str){libpq.PQgetvalue(result, i, k),
                                     (size_t)libpq.PQgetlength(result, i, k)};
}

static void read_error(const PGresult *result, struct live_answer *answer) {
    answer->status = LIVE_FAILED;
    const char *sqlstate = libpq.PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (sqlstate != NULL)
        snprintf(answer->sqlstate, sizeof(answer->sqlstate), "%s", sqlstate);
    answer->severity = str_from_c(libpq.PQresultErrorField(result, PG_DIAG_SEVERITY));
    answer->message = str_from_c(libpq.PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
}

static const char copy_refused[] = "COPY TO STDOUT can't be run here";

/* Data for or from the client is nothing that a schedule has. COPY FROM STDIN the server itself then fails. */
static bool refuse_copy(struct live_session *session, bool is_in) {
    if (is_in) {
        libpq.PQputCopyEnd(session->handle, "lostwrite has no data for COPY FROM STDIN");
        return true;
    }
    char *row;
    while (libpq.PQgetCopyData(session->handle, &row, 0) > 0)
        libpq.PQfreemem(row);
    struct live_answer *answer = live_add_answer(session);
    answer->status = LIVE_FAILED;
    answer->severity = STR("ERROR");
    snprintf(answer->sqlstate, sizeof(answer->sqlstate), "0A000");
    answer->message = str_from_c(copy_refused);
    return true;
}

/* Not of the program's making, and no outcome: a full disk, no memory, a damaged table. */
static bool is_systems_error(const char *sqlstate) {
    return strncmp(sqlstate, "53", 2) == 0 || strncmp(sqlstate, "58", 2) == 0 ||
           strcmp(sqlstate, "XX001") == 0 || strcmp(sqlstate, "XX002") == 0;
}

/* False: the connection is gone, rather than the statement failed. */
static bool read_result(struct live *live, size_t index, PGresult *result) {
    struct live_session *session = &live->sessions[index];
    if (libpq.PQresultStatus(result) == PGRES_FATAL_ERROR &&
        libpq.PQresultErrorField(result, PG_DIAG_SQLSTATE) == NULL)
        return false;
    ExecStatusType status = libpq.PQresultStatus(result);
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT)
        return refuse_copy(session, status == PGRES_COPY_IN);
    if (session->last != NULL && session->last->message.ptr == copy_refused)
        return true; /* it still says how many rows there were */
    struct live_answer *answer = live_add_answer(session);
    switch (status) {
    case PGRES_TUPLES_OK:
        read_rows(&session->memory, result, answer);
        break;
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
        break;
    default:
        read_error(result, answer);
        return true;
    }
    answer->command = str_from_c(libpq.PQcmdStatus(result));
    answer->affected = strtoll(libpq.PQcmdTuples(result), NULL, 10);
    return true;
}

/* Server's notices; those of level LOG are not meant for clients, and tell of waits. */
static void on_notice(void *context, const PGresult *result) {
    struct live_session *session = context;
    const char *severity = libpq.PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *message = libpq.PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (severity == NULL || message == NULL)
        return;
    if (strcmp(severity, "LOG") != 0) {
        live_add_notice(session, str_from_c(severity), str_from_c(message));
        return;
    }
    const char *function = libpq.PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
    if (function == NULL || strcmp(function, "ProcSleep") != 0)
        return;
    session->is_past_deadlock_check = strstr(message, "still waiting for") != NULL;
    if (!session->is_past_deadlock_check)
        session->blocked_since_us = live_now_us(); /* if it waits again, it is for another */
}

/* ---- running ---- */

static int socket_of(struct live *live, size_t index) {
    return libpq.PQsocket(handle_of(live, index));
}

static bool start(struct live *live, size_t index, struct str sql, struct err *err) {
    struct live_session *session = &live->sessions[index];
    clear_results(&postgresql_of(live)->results[index]);
    if (memchr(sql.ptr, '\0', sql.len) != NULL)
        return err_set(err, no_pos, "a statement has a NUL byte");
    if (live_contains(sql, "advisory"))
        session->may_hold_locks = true;
    if (!libpq.PQsendQuery(session->handle, str_to_c(&session->memory, sql)))
        return connection_error(live, index, err);
    return true;
}

static bool take(struct live *live, size_t index, struct err *err) {
    struct live_session *session = &live->sessions[index];
    PGconn *conn = session->handle;
    bool is_gone = !libpq.PQconsumeInput(conn);
    while (!libpq.PQisBusy(conn)) {
        PGresult *result = libpq.PQgetResult(conn);
        if (result == NULL) {
            session->has_ended = session->answer != NULL;
            PGTransactionStatusType status = libpq.PQtransactionStatus(conn);
            session->is_open = status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
            break;
        }
        MVEC_PUSH(&postgresql_of(live)->results[index].all, result);
        if (!read_result(live, index, result))
            is_gone = true;
        if (libpq.PQstatus(conn) == CONNECTION_BAD)
            break;
    }
    if (session->last != NULL && is_systems_error(session->last->sqlstate))
        return live_lose(live, err, "the server can't go on: %.*s",
                         STR_ARG(session->last->message));
    /* The server said why it ends the connection: that is the answer. */
    if (libpq.PQstatus(conn) == CONNECTION_BAD && session->last != NULL &&
        session->last->status == LIVE_FAILED) {
        if (index == LIVE_CONTROL_INDEX)
            return live_lose(live, err, "lost the server: %.*s", STR_ARG(session->last->message));
        session->has_ended = true;
        session->is_open = false;
        return true;
    }
    return (!is_gone && libpq.PQstatus(conn) == CONNECTION_OK) ||
           connection_error(live, index, err);
}

/* ---- who waits ---- */

static uint32_t sessions_of_pids(const struct live *live, const char *text, bool *is_foreign) {
    uint32_t mask = 0;
    *is_foreign = false;
    char *end;
    for (long pid = strtol(text, &end, 10); end != text; pid = strtol(text, &end, 10)) {
        size_t i = 0;
        while (i < live->options.session_count && live->sessions[i].id != pid)
            i++;
        if (i < live->options.session_count)
            mask |= 1u << i;
        else
            *is_foreign = true;
        text = end;
    }
    return mask;
}

/* Sends to the control connection and waits for its one result. */
static PGresult *control_result(struct live *live, struct err *err) {
    PGconn *conn = handle_of(live, LIVE_CONTROL_INDEX);
    uint64_t began_us = live_now_us();
    while (libpq.PQisBusy(conn)) {
        struct pollfd fd = {.fd = libpq.PQsocket(conn), .events = POLLIN};
        poll(&fd, 1, 50);
        if (live_is_interrupted(live)) {
            live_lose(live, err, "interrupted");
            return NULL;
        }
        if (!libpq.PQconsumeInput(conn) || live_now_us() - began_us > LIVE_CONNECT_MS_MAX * 1000ull) {
            connection_error(live, LIVE_CONTROL_INDEX, err);
            return NULL;
        }
    }
    PGresult *result = libpq.PQgetResult(conn);
    if (libpq.PQresultStatus(result) != PGRES_TUPLES_OK) {
        connection_error(live, LIVE_CONTROL_INDEX, err);
        libpq.PQclear(result);
        return NULL;
    }
    for (PGresult *rest; (rest = libpq.PQgetResult(conn)) != NULL;)
        libpq.PQclear(rest);
    return result;
}

static bool ask(struct live *live, uint32_t sessions, struct err *err) {
    char pids[LIVE_SESSIONS_MAX * 12 + 3] = "{";
    size_t len = 1;
    for (size_t i = 0; i < live->options.session_count; i++)
        if ((sessions & 1u << i) != 0)
            len += (size_t)snprintf(pids + len, sizeof(pids) - len, "%s%d", len > 1 ? "," : "",
                                    (int)live->sessions[i].id);
    snprintf(pids + len, sizeof(pids) - len, "}");
    const char *values[] = {pids};
    if (!libpq.PQsendQueryPrepared(handle_of(live, LIVE_CONTROL_INDEX), "lostwrite_waits", 1,
                                   values, NULL, NULL, 0))
        return connection_error(live, LIVE_CONTROL_INDEX, err);
    PGresult *result = control_result(live, err);
    if (result == NULL)
        return false;
    int row = 0;
    for (size_t i = 0; i < live->options.session_count; i++) {
        if ((sessions & 1u << i) == 0)
            continue;
        struct live_session *session = &live->sessions[i];
        bool is_foreign;
        session->blockers = sessions_of_pids(live, libpq.PQgetvalue(result, row, 0), &is_foreign);
        session->is_blocked = session->blockers != 0 || is_foreign;
        row++;
    }
    libpq.PQclear(result);
    return true;
}

/* Whether `index` waits for itself, by way of others that wait. */
static bool is_in_circle(const struct live *live, size_t index) {
    uint32_t reached = live->sessions[index].blockers, before = 0;
    while (reached != before) {
        before = reached;
        for (size_t i = 0; i < live->options.session_count; i++)
            if ((before & 1u << i) != 0 && live->sessions[i].is_blocked)
                reached |= live->sessions[i].blockers;
    }
    return (reached & 1u << index) != 0;
}

static bool is_settled(const struct live *live, size_t index) {
    const struct live_session *session = &live->sessions[index];
    const struct postgresql *state = postgresql_of(live);
    uint64_t blocked_ms = (live_now_us() - session->blocked_since_us) / 1000;
    if (session->blockers == 0) /* others than ours: autovacuum, say, which gives way */
        return blocked_ms >= FOREIGN_WAIT_MS_MAX;
    if (session->is_past_deadlock_check || blocked_ms >= state->deadlock_ms + DEADLOCK_MARGIN_MS)
        return true;
    return !state->tells_waits && !is_in_circle(live, index);
}

/* Over the control connection: true if it worked. */
static bool signal_backend(struct live *live, const char *function, int64_t pid, struct err *err) {
    char sql[80];
    snprintf(sql, sizeof(sql), "SELECT pg_catalog.%s(%d)", function, (int)pid);
    return live_run_ok(live, LIVE_CONTROL_INDEX, str_from_c(sql), err);
}

static bool cancel(struct live *live, size_t index, struct err *err) {
    return signal_backend(live, "pg_cancel_backend", live->sessions[index].id, err);
}

static void kill_backend(struct live *live, int64_t id) {
    struct err ignored;
    signal_backend(live, "pg_terminate_backend", id, &ignored);
}

static void as_timeout(struct live *live, size_t index) {
    struct live_answer *answer = live->sessions[index].last;
    if (answer->status != LIVE_FAILED || strcmp(answer->sqlstate, "57014") != 0)
        return;
    snprintf(answer->sqlstate, sizeof(answer->sqlstate), "55P03");
    answer->message = STR("canceling statement due to lock timeout");
}

/* ---- connecting ---- */

struct keywords {
    const char *names[KEYWORDS_MAX], *values[KEYWORDS_MAX];
    size_t count;
};

static void add_keyword(struct keywords *keywords, const char *name, const char *value) {
    LW_ASSERT(keywords->count + 1 < KEYWORDS_MAX);
    keywords->names[keywords->count] = name;
    keywords->values[keywords->count++] = value;
}

/* Waits end by what sessions do, never by a clock of the server's. */
static const char session_settings[] =
    "SET lock_timeout = 0; SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0";
static const char session_options[] =
    " -c lock_timeout=0 -c statement_timeout=0 -c idle_in_transaction_session_timeout=0";
/* What only a superuser may; messages in English, and none of it in the server's log. */
static const char telling_settings[] =
    "SET deadlock_timeout = '1ms'; SET log_lock_waits = on; SET log_min_messages = fatal; "
    "SET lc_messages = 'C'; SET client_min_messages = log";
static const char telling_options[] =
    " -c deadlock_timeout=1ms -c log_lock_waits=on -c log_min_messages=fatal -c lc_messages=C "
    "-c client_min_messages=log";
static const char control_settings[] =
    "SET lock_timeout = '10s'; SET client_min_messages = warning";

/* Given as options, so that RESET ALL and DISCARD ALL come back to them: above all to the place as the path, without
 * which something of the user's could be found by its name alone. */
static void set_keywords(struct live *live, size_t index, struct keywords *keywords) {
    struct str own = live_url_option(&live->url, "options");
    const char *environment = getenv("PGOPTIONS");
    if (own.ptr == NULL)
        own = str_from_c(environment);
    PGconn *control = handle_of(live, LIVE_CONTROL_INDEX);
    bool is_session = index != LIVE_CONTROL_INDEX && control != NULL;
    const char *is_superuser = is_session ? libpq.PQparameterStatus(control, "is_superuser") : NULL;
    bool may_tell = is_superuser != NULL && strcmp(is_superuser, "on") == 0;
    struct str options =
        str_printf(&live->arena, "%.*s -c search_path=%s%s%s", STR_ARG(own), live->place_name,
                   is_session ? session_options : "", may_tell ? telling_options : "");
    add_keyword(keywords, "dbname", str_to_c(&live->arena, live->url.text));
    if (is_session) { /* of several hosts the same */
        add_keyword(keywords, "host", libpq.PQhost(control));
        add_keyword(keywords, "port", libpq.PQport(control));
    }
    add_keyword(keywords, "options", options.ptr);
    add_keyword(keywords, "client_encoding", "UTF8");
    add_keyword(keywords, "fallback_application_name", "lostwrite");
    keywords->names[keywords->count] = NULL;
}

static bool is_stopped(void *live) {
    return live_is_interrupted(live);
}

static bool finish_connecting(struct live *live, PGconn *conn, struct err *err) {
    bool is_connected = live_libpq_connect(conn, is_stopped, live, err);
    return is_connected || (live_is_interrupted(live) ? live_lose(live, err, "interrupted") : false);
}

static bool read_version(struct live *live, struct err *err) {
    PGconn *conn = handle_of(live, LIVE_CONTROL_INDEX);
    struct postgresql *state = postgresql_of(live);
    int release = libpq.PQserverVersion(conn);
    if (release < VERSION_MIN)
        return err_set(err, no_pos,
                       "the server is older than PostgreSQL 9.6, which can't say who waits");
    state->release = (unsigned)release;
    bool is_old = release < 100000; /* 90624: 9.6.24 */
    live->version[0] = state->release / 10000;
    live->version[1] = is_old ? state->release / 100 % 100 : state->release % 10000;
    live->version[2] = is_old ? state->release % 100 : 0;
    snprintf(live->server, sizeof(live->server),
             is_old ? "PostgreSQL %u.%u.%u" : "PostgreSQL %u.%u", live->version[0],
             live->version[1], live->version[2]);
    live->kind = LIVE_POSTGRESQL;
    return true;
}

/* Behind a pooler the numbers of connections are not the server's, and sessions none of their own. */
static bool check_pooler(struct live *live, struct err *err) {
    if (!live_run_ok(live, LIVE_CONTROL_INDEX, STR("SELECT pg_catalog.pg_backend_pid()"), err))
        return false;
    const struct live_session *control = &live->sessions[LIVE_CONTROL_INDEX];
    return strtoll(control->last->cells[0].ptr, NULL, 10) == control->id ||
           err_set(err, no_pos,
                   "a connection pooler stands before the server: connect to the "
                   "server itself");
}

static bool set_up_control(struct live *live, struct err *err) {
    if (!read_version(live, err) || !check_pooler(live, err) ||
        !live_run_ok(live, LIVE_CONTROL_INDEX, str_from_c(control_settings), err) ||
        !live_run_ok(live, LIVE_CONTROL_INDEX,
                     STR("SELECT setting FROM pg_settings WHERE name = 'deadlock_timeout'"), err))
        return false;
    struct postgresql *state = postgresql_of(live);
    const struct live_answer *answer = live->sessions[LIVE_CONTROL_INDEX].last;
    state->deadlock_ms =
        answer->row_count == 1 ? (unsigned)strtoul(answer->cells[0].ptr, NULL, 10) : 1000;
    const char *safe = state->release >= VERSION_SAFE_SNAPSHOT
                           ? " || pg_catalog.pg_safe_snapshot_blocking_pids(p)"
                           : "";
    struct str sql = str_printf(
        &live->arena,
        "SELECT pg_catalog.array_to_string(pg_catalog.pg_blocking_pids(p)%s, ' ') "
        "FROM pg_catalog.unnest($1::pg_catalog.int4[]) WITH ORDINALITY AS u(p, n) ORDER BY n",
        safe);
    PGconn *conn = handle_of(live, LIVE_CONTROL_INDEX);
    PGresult *result = libpq.PQprepare(conn, "lostwrite_waits", sql.ptr, 1, NULL);
    bool is_prepared = libpq.PQresultStatus(result) == PGRES_COMMAND_OK;
    if (!is_prepared)
        err_set(err, no_pos, "%.*s", STR_ARG(live_libpq_line(libpq.PQerrorMessage(conn))));
    libpq.PQclear(result);
    return is_prepared;
}

static bool set_up_session(struct live *live, size_t index, struct err *err) {
    struct postgresql *state = postgresql_of(live);
    if (!live_run_ok(live, index, str_from_c(session_settings), err) ||
        !live_run_to_end(live, index, str_from_c(telling_settings), err))
        return false;
    /* A text of several statements is one transaction: either all are set or none. */
    state->tells_waits = live->sessions[index].last->status == LIVE_DONE;
    if (state->tells_waits) {
        state->deadlock_ms = 1;
        live->ask_after_us = TELLS_WAIT_US_MAX;
    }
    return true;
}

static bool connect_session(struct live *live, size_t index, struct err *err) {
    if (live->state == NULL)
        live->state = ARENA_NEW(&live->arena, struct postgresql);
    struct keywords keywords = {0};
    set_keywords(live, index, &keywords);
    PGconn *conn = libpq.PQconnectStartParams(keywords.names, keywords.values, 1);
    struct live_session *session = &live->sessions[index];
    session->handle = conn;
    if (conn == NULL)
        return err_set(err, no_pos, "out of memory");
    if (libpq.PQstatus(conn) == CONNECTION_BAD)
        return err_set(err, no_pos, "%.*s", STR_ARG(live_libpq_line(libpq.PQerrorMessage(conn))));
    libpq.PQsetNoticeReceiver(conn, on_notice, session);
    if (!finish_connecting(live, conn, err))
        return false;
    session->id = libpq.PQbackendPID(conn);
    return index == LIVE_CONTROL_INDEX ? set_up_control(live, err)
                                       : set_up_session(live, index, err);
}

static void disconnect(struct live *live, size_t index) {
    struct live_session *session = &live->sessions[index];
    if (session->handle == NULL)
        return;
    clear_results(&postgresql_of(live)->results[index]);
    libpq.PQfinish(session->handle);
    session->handle = NULL;
}

/* ---- the place ---- */

static bool run_on_place(struct live *live, const char *format, struct err *err) {
    char sql[120];
    snprintf(sql, sizeof(sql), format, live->place_name);
    return live_run_ok(live, LIVE_CONTROL_INDEX, str_from_c(sql), err);
}

static bool make_place(struct live *live, struct err *err) {
    live->place = str_printf(&live->arena, "schema %s", live->place_name);
    return run_on_place(live, "CREATE SCHEMA %s", err);
}

static bool drop_place(struct live *live, struct err *err) {
    return run_on_place(live, "DROP SCHEMA IF EXISTS %s CASCADE", err);
}

static struct str drop_text(struct live *live, struct arena *arena) {
    return str_printf(arena, "DROP SCHEMA %s CASCADE", live->place_name);
}

static void release(struct live *live) {
    struct postgresql *state = postgresql_of(live);
    for (size_t i = 0; state != NULL && i <= LIVE_SESSIONS_MAX; i++)
        free(state->results[i].all.items);
}

static const char *unlock_all(const struct live *live) {
    (void)live;
    return "SELECT pg_catalog.pg_advisory_unlock_all()";
}

static const struct live_backend backend = {
    .load = live_libpq_load,
    .connect = connect_session,
    .disconnect = disconnect,
    .socket = socket_of,
    .start = start,
    .take = take,
    .ask = ask,
    .is_settled = is_settled,
    .cancel = cancel,
    .kill = kill_backend,
    .as_timeout = as_timeout,
    .unlock_all = unlock_all,
    .make_place = make_place,
    .drop_place = drop_place,
    .drop_text = drop_text,
    .release = release,
};

const struct live_backend *const live_postgresql = &backend;

#endif
