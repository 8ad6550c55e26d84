/* MySQL 5.6 and later and MariaDB 10.2 and later, through libmariadb's calls that do not wait (NAME_start, NAME_cont).
 *
 * A statement is a chain of them: the query, its result set, and of a CALL the further ones. After an error one more
 * statement, DO 0, is sent, for only an OK says whether a transaction is still open: 1213 ends it, 1205 does not.
 * A cancelled wait is rolled back as one that timed out: the statement alone (with innodb_rollback_on_timeout, which
 * rolls back all, this is not what a timeout would do).
 */
#include "live/mysql.h"
#include "live/libmariadb.h"

#ifdef LW_HAVE_LIBMARIADB
#include "base/assert.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

enum { CONNECT_MS_MAX = 10000, POLL_MS = 50, CLIENT_ERROR_MIN = 2000, CLIENT_ERROR_MAX = 2999 };
enum { ER_LOCK_WAIT_TIMEOUT_NUMBER = 1205, ER_QUERY_INTERRUPTED_NUMBER = 1317 };

static const struct pos no_pos;

enum phase { PHASE_QUERY, PHASE_STORE, PHASE_NEXT, PHASE_CHECK, PHASE_OVER };

struct connection {
    MYSQL handle;
    enum phase phase;
    int wanted;   /* what the library waits for, of MYSQL_WAIT_*; 0: the call has ended */
    int returned; /* by the query, or the step to the next result */
    MYSQL_RES *result;
    VEC(MYSQL_RES *)
    results; /* of the last statement: cells point into them; with an owner of its own */
};

static struct connection *connection_of(const struct live *live, size_t index) {
    return live->sessions[index].handle;
}

static bool connection_error(struct live *live, size_t index, struct err *err) {
    return live_lose(live, err, "lost the server: %s",
                     libmariadb.mysql_error(&connection_of(live, index)->handle));
}

/* ---- answers ---- */

static void clear_results(struct connection *connection) {
    for (size_t i = 0; i < connection->results.count; i++)
        libmariadb.mysql_free_result(connection->results.items[i]);
    connection->results.count = 0;
}

static enum live_type type_of(const MYSQL_FIELD *field) {
    switch (field->type) {
    case MYSQL_TYPE_TINY:
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_LONGLONG:
    case MYSQL_TYPE_YEAR:
        return LIVE_INTEGER;
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL:
        return LIVE_DECIMAL;
    case MYSQL_TYPE_FLOAT:
    case MYSQL_TYPE_DOUBLE:
        return LIVE_FLOAT;
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_TIME:
    case MYSQL_TYPE_DATETIME:
    case MYSQL_TYPE_TIMESTAMP:
        return LIVE_TIME;
    default:
        return LIVE_TEXT;
    }
}

static void read_rows(struct arena *memory, MYSQL_RES *result, struct live_answer *answer) {
    size_t rows = libmariadb.mysql_num_rows(result), columns = libmariadb.mysql_num_fields(result);
    const MYSQL_FIELD *fields = libmariadb.mysql_fetch_fields(result);
    struct live_column *column = ARENA_ARRAY(memory, struct live_column, columns);
    struct str *cell = ARENA_ARRAY(memory, struct str, rows * columns);
    answer->has_rows = true;
    answer->row_count = rows;
    answer->column_count = columns;
    answer->columns = column;
    answer->cells = cell;
    for (size_t k = 0; k < columns; k++)
        column[k] =
            (struct live_column){{fields[k].name, fields[k].name_length}, type_of(&fields[k])};
    for (size_t i = 0; i < rows; i++) {
        MYSQL_ROW row = libmariadb.mysql_fetch_row(result);
        const unsigned long *lengths = libmariadb.mysql_fetch_lengths(result);
        LW_ASSERT(row != NULL && lengths != NULL);
        for (size_t k = 0; k < columns; k++, cell++)
            if (row[k] != NULL)
                *cell = (struct str){row[k], lengths[k]};
    }
}

static void read_error(struct live_session *session) {
    struct connection *connection = session->handle;
    struct live_answer *answer = live_add_answer(session);
    answer->status = LIVE_FAILED;
    answer->number = (int)libmariadb.mysql_errno(&connection->handle);
    snprintf(answer->sqlstate, sizeof(answer->sqlstate), "%s",
             libmariadb.mysql_sqlstate(&connection->handle));
    answer->severity = STR("ERROR");
    answer->message =
        str_dup(&session->memory, str_from_c(libmariadb.mysql_error(&connection->handle)));
}

static void read_result(struct live_session *session) {
    struct connection *connection = session->handle;
    struct live_answer *answer = live_add_answer(session);
    if (connection->result != NULL) {
        MVEC_PUSH(&connection->results, connection->result);
        read_rows(&session->memory, connection->result, answer);
    }
    answer->affected = (int64_t)libmariadb.mysql_affected_rows(&connection->handle);
    answer->last_insert = (int64_t)libmariadb.mysql_insert_id(&connection->handle);
}

/* ---- running ---- */

static int socket_of(struct live *live, size_t index) {
    return (int)libmariadb.mysql_get_socket(&connection_of(live, index)->handle);
}

static void send(struct connection *connection, const char *sql, size_t len, enum phase phase) {
    connection->phase = phase;
    connection->wanted =
        libmariadb.mysql_real_query_start(&connection->returned, &connection->handle, sql, len);
}

/* Goes on with the call under way; `ready`: what it waited for and is there. */
static void go_on(struct connection *connection, int ready) {
    MYSQL *handle = &connection->handle;
    switch (connection->phase) {
    case PHASE_QUERY:
    case PHASE_CHECK:
        connection->wanted = libmariadb.mysql_real_query_cont(&connection->returned, handle, ready);
        break;
    case PHASE_STORE:
        connection->wanted = libmariadb.mysql_store_result_cont(&connection->result, handle, ready);
        break;
    case PHASE_NEXT:
        connection->wanted =
            libmariadb.mysql_next_result_cont(&connection->returned, handle, ready);
        break;
    case PHASE_OVER:
        LW_UNREACHABLE();
    }
}

static bool is_client_error(MYSQL *handle) {
    unsigned number = libmariadb.mysql_errno(handle);
    return number >= CLIENT_ERROR_MIN && number <= CLIENT_ERROR_MAX;
}

/* Not of the program's making, and no outcome: a full disk or table space, no memory. Of mysqld_error.h. */
static bool is_systems_error(unsigned number) {
    static const unsigned numbers[] = {3, 20, 28, 1021, 1026, 1037, 1041, 1114};
    for (size_t i = 0; i < LW_COUNT_OF(numbers); i++)
        if (numbers[i] == number)
            return true;
    return false;
}

/* Notes the error, and asks what is left of the transaction. */
static bool fail(struct live *live, size_t index, struct err *err) {
    struct live_session *session = &live->sessions[index];
    MYSQL *handle = &connection_of(live, index)->handle;
    if (is_client_error(handle))
        return connection_error(live, index, err);
    if (is_systems_error(libmariadb.mysql_errno(handle)))
        return live_lose(live, err, "the server can't go on: %s", libmariadb.mysql_error(handle));
    read_error(session);
    send(session->handle, "DO 0", 4, PHASE_CHECK);
    return true;
}

/* A call has ended: to the next. False: the connection is gone. */
static bool next_phase(struct live *live, size_t index, struct err *err) {
    struct live_session *session = &live->sessions[index];
    struct connection *connection = session->handle;
    MYSQL *handle = &connection->handle;
    switch (connection->phase) {
    case PHASE_QUERY:
    case PHASE_NEXT:
        if (connection->returned > 0)
            return fail(live, index, err);
        connection->phase = PHASE_STORE;
        connection->result = NULL;
        connection->wanted = libmariadb.mysql_store_result_start(&connection->result, handle);
        return true;
    case PHASE_STORE:
        if (connection->result == NULL && libmariadb.mysql_errno(handle) != 0)
            return fail(live, index, err);
        read_result(session);
        connection->phase = PHASE_OVER;
        if (libmariadb.mysql_more_results(handle)) {
            connection->phase = PHASE_NEXT;
            connection->wanted = libmariadb.mysql_next_result_start(&connection->returned, handle);
        }
        return true;
    case PHASE_CHECK: /* fails if the error before was that the connection ends: that is the answer */
        if (connection->returned != 0)
            handle->server_status &= ~(unsigned)SERVER_STATUS_IN_TRANS;
        connection->phase = PHASE_OVER;
        return true;
    case PHASE_OVER:
        break;
    }
    LW_UNREACHABLE();
}

/* All calls that end without waiting. */
static bool advance(struct live *live, size_t index, struct err *err) {
    struct live_session *session = &live->sessions[index];
    struct connection *connection = session->handle;
    while (connection->phase != PHASE_OVER) {
        if (connection->wanted != 0) {
            short events = (short)((connection->wanted & MYSQL_WAIT_READ ? POLLIN : 0) |
                                   (connection->wanted & MYSQL_WAIT_WRITE ? POLLOUT : 0) |
                                   (connection->wanted & MYSQL_WAIT_EXCEPT ? POLLPRI : 0));
            struct pollfd fd = {.fd = socket_of(live, index), .events = events};
            /* A long text may have to wait until the server takes it; nothing else is waited for here. */
            bool must_write = (connection->wanted & MYSQL_WAIT_WRITE) != 0;
            int count = poll(&fd, 1, must_write ? POLL_MS : 0);
            if (live_is_interrupted(live))
                return live_lose(live, err, "interrupted");
            if (count <= 0 && !must_write)
                return true;
            if (count <= 0)
                continue;
            go_on(connection, (fd.revents & POLLOUT ? MYSQL_WAIT_WRITE : 0) |
                                  (fd.revents & ~POLLOUT ? MYSQL_WAIT_READ : 0));
        } else if (!next_phase(live, index, err)) {
            return false;
        }
    }
    session->has_ended = true;
    session->is_open = (connection->handle.server_status & SERVER_STATUS_IN_TRANS) != 0;
    return true;
}

static bool start(struct live *live, size_t index, struct str sql, struct err *err) {
    struct live_session *session = &live->sessions[index];
    struct connection *connection = session->handle;
    clear_results(connection);
    if (index != LIVE_CONTROL_INDEX && live_contains(sql, "get_lock"))
        session->may_hold_locks = true;
    /* The library reads the text until it has sent it. */
    struct str text = str_dup(&session->memory, sql);
    send(connection, text.ptr, text.len, PHASE_QUERY);
    do { /* the answer may be there at once, and then no more comes that one could wait for */
        if (!advance(live, index, err))
            return false;
    } while (!session->has_ended && (connection->wanted & MYSQL_WAIT_WRITE) != 0);
    return true;
}

/* ---- the end of waits ---- */

static bool kill_by_id(struct live *live, const char *what, int64_t id, struct err *err) {
    char sql[40];
    snprintf(sql, sizeof(sql), "KILL %s %lld", what, (long long)id);
    return live_run_ok(live, LIVE_CONTROL_INDEX, str_from_c(sql), err);
}

static bool cancel(struct live *live, size_t index, struct err *err) {
    return kill_by_id(live, "QUERY", live->sessions[index].id, err);
}

static void kill_connection(struct live *live, int64_t id) {
    struct err ignored;
    kill_by_id(live, "CONNECTION", id, &ignored);
}

/* GET_LOCK does not fail when its time is over, so its cancel stays what it is. */
static void as_timeout(struct live *live, size_t index) {
    struct live_answer *answer = live->sessions[index].last;
    if (answer->status != LIVE_FAILED || answer->number != ER_QUERY_INTERRUPTED_NUMBER ||
        live->sessions[index].may_hold_locks)
        return;
    answer->number = ER_LOCK_WAIT_TIMEOUT_NUMBER;
    snprintf(answer->sqlstate, sizeof(answer->sqlstate), "HY000");
    answer->message = STR("Lock wait timeout exceeded; try restarting transaction");
}

static const char *unlock_all(const struct live *live) {
    bool has_release_all =
        live->kind == LIVE_MARIADB
            ? live->version[0] > 10 || (live->version[0] == 10 && live->version[1] >= 5)
            : live->version[0] > 5 || live->version[1] >= 7;
    if (has_release_all)
        return "DO RELEASE_ALL_LOCKS()";
    /* A session has one lock, which it lets go when it asks for another. */
    return "DO GET_LOCK(CONCAT('lostwrite', CONNECTION_ID()), 0), "
           "RELEASE_LOCK(CONCAT('lostwrite', CONNECTION_ID()))";
}

/* ---- connecting ---- */

/* Without a default database: nothing of the user's is found by its name alone. */
static bool connect_handle(struct live *live, struct connection *connection, struct err *err) {
    struct arena *arena = &live->arena;
    const struct live_url *url = &live->url;
    MYSQL *handle = &connection->handle, *connected = NULL;
    struct live_mysql_target target = live_mysql_target(arena, url);
    unsigned protocol = MYSQL_PROTOCOL_TCP;
    if (target.host != NULL && url->port != 0) /* else "localhost" is a socket, whatever the port */
        libmariadb.mysql_optionsv(handle, MYSQL_OPT_PROTOCOL, &protocol);
    int wanted = libmariadb.mysql_real_connect_start(
        &connected, handle, target.host, target.user, target.password, NULL, url->port,
        target.socket, CLIENT_FOUND_ROWS | CLIENT_MULTI_RESULTS);
    uint64_t began_us = live_now_us();
    while (wanted != 0) {
        struct pollfd fd = {.fd = (int)libmariadb.mysql_get_socket(handle)};
        fd.events = (short)((wanted & MYSQL_WAIT_READ ? POLLIN : 0) |
                            (wanted & MYSQL_WAIT_WRITE ? POLLOUT : 0));
        int count = poll(&fd, 1, POLL_MS);
        if (live_is_interrupted(live))
            return live_lose(live, err, "interrupted");
        bool is_late = live_now_us() - began_us > CONNECT_MS_MAX * 1000ull;
        if (count <= 0 && !is_late)
            continue;
        int ready = (fd.revents & POLLOUT ? MYSQL_WAIT_WRITE : 0) |
                    (fd.revents & ~POLLOUT ? MYSQL_WAIT_READ : 0);
        wanted = libmariadb.mysql_real_connect_cont(&connected, handle,
                                                    count > 0 ? ready : MYSQL_WAIT_TIMEOUT);
    }
    if (connected == NULL)
        return err_set(err, no_pos, "%s", libmariadb.mysql_error(handle));
    return live_mysql_has_tls(url, handle, err);
}

static bool read_version(struct live *live, MYSQL *handle, struct err *err) {
    const char *text = libmariadb.mysql_get_server_info(handle);
    live->kind = libmariadb.mariadb_connection(handle) ? LIVE_MARIADB : LIVE_MYSQL;
    if (sscanf(text, "%u.%u.%u", &live->version[0], &live->version[1], &live->version[2]) != 3)
        return err_set(err, no_pos, "the server's version \"%.40s\" has no three numbers", text);
    snprintf(live->server, sizeof(live->server), "%s %u.%u.%u",
             live->kind == LIVE_MARIADB ? "MariaDB" : "MySQL", live->version[0], live->version[1],
             live->version[2]);
    return true;
}

/* Waits end by what sessions do, never by a clock of the server's: for a bit more than a week. */
static const char *const session_settings[] = {
    "SET autocommit = 1",
    "SET SESSION innodb_lock_wait_timeout = 1000000, SESSION lock_wait_timeout = 1000000",
};

static bool connect_session(struct live *live, size_t index, struct err *err) {
    struct live_session *session = &live->sessions[index];
    struct connection *connection = mem_alloc(sizeof(*connection));
    memset(connection, 0, sizeof(*connection));
    connection->phase = PHASE_OVER;
    libmariadb.mysql_init(&connection->handle);
    session->handle = connection;
    MYSQL *handle = &connection->handle;
    my_bool off = 0;
    libmariadb.mysql_optionsv(handle, MYSQL_OPT_NONBLOCK, 0);
    libmariadb.mysql_optionsv(handle, MYSQL_OPT_RECONNECT, &off);
    libmariadb.mysql_optionsv(handle, MYSQL_READ_DEFAULT_GROUP, "client");
    libmariadb.mysql_optionsv(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (!live_mysql_set_options(&live->url, handle, err) ||
        !connect_handle(live, connection, err))
        return false;
    session->id = (int64_t)libmariadb.mysql_thread_id(handle);
    if (index == LIVE_CONTROL_INDEX)
        return read_version(live, handle, err) &&
               live_run_ok(live, index, STR("SET SESSION lock_wait_timeout = 10"), err) &&
               live_run_ok(live, index, STR("SET SESSION innodb_lock_wait_timeout = 10"), err) &&
               live_innodb_may_ask(live, err);
    for (size_t i = 0; i < LW_COUNT_OF(session_settings); i++)
        if (!live_run_ok(live, index, str_from_c(session_settings[i]), err))
            return false;
    return true;
}

static void disconnect(struct live *live, size_t index) {
    struct connection *connection = connection_of(live, index);
    if (connection == NULL)
        return;
    clear_results(connection);
    free(connection->results.items);
    libmariadb.mysql_close(&connection->handle);
    free(connection);
    live->sessions[index].handle = NULL;
}

/* ---- the place ---- */

static bool run_on_place(struct live *live, size_t index, const char *format, struct err *err) {
    char sql[120];
    snprintf(sql, sizeof(sql), format, live->place_name);
    return live_run_ok(live, index, str_from_c(sql), err);
}

static bool make_place(struct live *live, struct err *err) {
    live->place = str_printf(&live->arena, "database %s", live->place_name);
    if (!run_on_place(live, LIVE_CONTROL_INDEX, "CREATE DATABASE %s", err) ||
        !run_on_place(live, LIVE_CONTROL_INDEX, "USE %s", err))
        return false;
    for (size_t i = 0; i < live->options.session_count; i++)
        if (!run_on_place(live, i, "USE %s", err))
            return false;
    return true;
}

static bool drop_place(struct live *live, struct err *err) {
    return run_on_place(live, LIVE_CONTROL_INDEX, "DROP DATABASE IF EXISTS %s", err);
}

static struct str drop_text(struct live *live, struct arena *arena) {
    return str_printf(arena, "DROP DATABASE %s", live->place_name);
}

static void release(struct live *live) {
    (void)live;
}

static const struct live_backend backend = {
    .load = live_libmariadb_load,
    .connect = connect_session,
    .disconnect = disconnect,
    .socket = socket_of,
    .start = start,
    .take = advance,
    .ask = live_innodb_ask,
    .is_settled = live_innodb_is_settled,
    .cancel = cancel,
    .kill = kill_connection,
    .as_timeout = as_timeout,
    .unlock_all = unlock_all,
    .make_place = make_place,
    .drop_place = drop_place,
    .drop_text = drop_text,
    .release = release,
};

const struct live_backend *const live_mysql = &backend;

#endif
