#include "live/logical.h"

#ifdef LW_HAVE_LIBPQ
#include "base/assert.h"
#include "live/backend.h"
#include "live/libpq.h"
#include "live/url.h"

#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    VERSION_MIN = 100000,
    END_US_MAX = 3000000, /* for the server to end the stream */
    STATUS_US = 1000000, /* between two that are not asked for */
    ANSWER_US_MAX = 30000000, /* of a question to the catalog */
    POLL_MS = 200,
    MESSAGES_A_LOOK = 256, /* after so many it is time to look at the clock */
};

#define POSTGRESQL_EPOCH_S INT64_C(946684800) /* 2000-01-01 UTC */

struct logical {
    struct arena arena;
    struct live_url url;
    const volatile int *stop;
    PGconn *stream, *sql;     /* that of the changes; one for questions, opened when there is one */
    char *message;            /* of the last answer */
    struct str publication;
    bool made_publication;
    bool confirms;            /* the slot is ours: what was read need not be kept */
    bool is_whole, is_streaming;
    uint64_t end, received;   /* places in the WAL: where to end, how far we are */
    uint64_t status_us;       /* when the last status was sent */
    unsigned message_count;
};

static const struct pos no_pos;

static bool is_stopped(void *context) {
    const struct logical *logical = context;
    return logical->stop != NULL && *logical->stop;
}

static bool fail(struct logical *logical, PGconn *conn, const char *what, struct err *err) {
    struct str message = live_libpq_line(libpq.PQerrorMessage(conn));
    if (message.len == 0)
        message = STR("the connection ended");
    message = live_url_scrub(&logical->arena, &logical->url, message);
    return err_set(err, no_pos, "%s: %.*s", what, STR_ARG(message));
}

/* ---- connections and questions ---- */

/* Values are printed alike whatever the user's settings, and nothing can be written by mistake. */
static const char options[] = " -c datestyle=ISO,YMD -c intervalstyle=postgres -c timezone=UTC -c extra_float_digits=3 -c bytea_output=hex"
                              " -c default_transaction_read_only=on -c search_path=pg_catalog";

static PGconn *connect_to(struct logical *logical, bool is_stream, struct err *err) {
    struct str own = live_url_option(&logical->url, "options");
    if (own.ptr == NULL)
        own = str_from_c(getenv("PGOPTIONS"));
    struct str all = str_printf(&logical->arena, "%.*s%s", STR_ARG(own), options);
    const char *names[] = {"dbname", "options", "client_encoding", "fallback_application_name", is_stream ? "replication" : NULL, NULL};
    const char *values[] = {str_to_c(&logical->arena, logical->url.text), all.ptr, "UTF8", "lostwrite", "database", NULL};
    PGconn *conn = libpq.PQconnectStartParams(names, values, 1);
    bool is_connected = conn != NULL && libpq.PQstatus(conn) != CONNECTION_BAD && live_libpq_connect(conn, is_stopped, logical, err);
    if (is_connected && libpq.PQserverVersion(conn) < VERSION_MIN)
        is_connected = err_set(err, no_pos, "the server is older than PostgreSQL 10, which has no publications");
    else if (!is_connected && (conn == NULL || libpq.PQstatus(conn) == CONNECTION_BAD) && !is_stopped(logical))
        fail(logical, conn, "can't connect", err);
    if (is_connected)
        return conn;
    libpq.PQfinish(conn);
    return NULL;
}

static void cancel(PGconn *conn) {
    char ignored[256];
    PGcancel *request = libpq.PQgetCancel(conn);
    if (request != NULL)
        libpq.PQcancel(request, ignored, sizeof(ignored));
    libpq.PQfreeCancel(request);
}

/* Until the answer to what was sent is there. */
static bool wait_for(struct logical *logical, PGconn *conn, uint64_t us_max, struct err *err) {
    uint64_t began_us = live_now_us();
    bool is_cancelled = false;
    while (libpq.PQisBusy(conn)) {
        struct pollfd fd = {.fd = libpq.PQsocket(conn), .events = POLLIN};
        poll(&fd, 1, POLL_MS);
        bool is_late = us_max != 0 && live_now_us() - began_us > us_max;
        if (is_cancelled && is_late)
            return err_set(err, no_pos, "the server does not answer");
        if ((is_stopped(logical) || is_late) && !is_cancelled) {
            cancel(conn);
            is_cancelled = true;
            began_us = live_now_us();
            us_max = LIVE_CONNECT_MS_MAX * 1000ull;
        }
        if (!libpq.PQconsumeInput(conn))
            return fail(logical, conn, "lost the server", err);
    }
    return true;
}

/* Sends one statement and waits for its result of that status. NULL: it failed, `what` says at what. us_max 0: however long. */
static PGresult *run(struct logical *logical, PGconn *conn, const char *sql, ExecStatusType wanted, uint64_t us_max, const char *what,
                     struct err *err) {
    if (!libpq.PQsendQuery(conn, sql)) {
        fail(logical, conn, what, err);
        return NULL;
    }
    if (!wait_for(logical, conn, us_max, err))
        return NULL;
    PGresult *result = libpq.PQgetResult(conn);
    if (libpq.PQresultStatus(result) != wanted) {
        if (is_stopped(logical))
            err_set(err, no_pos, "interrupted");
        else
            fail(logical, conn, what, err);
        libpq.PQclear(result);
        result = NULL;
    }
    if (result == NULL || wanted != PGRES_COPY_BOTH)
        for (PGresult *rest; wait_for(logical, conn, us_max, NULL) && (rest = libpq.PQgetResult(conn)) != NULL;)
            libpq.PQclear(rest);
    return result;
}

static PGresult *ask(struct logical *logical, const char *sql, const char *what, struct err *err) {
    if (logical->sql != NULL && libpq.PQstatus(logical->sql) == CONNECTION_BAD) {
        libpq.PQfinish(logical->sql);
        logical->sql = NULL;
    }
    if (logical->sql == NULL)
        logical->sql = connect_to(logical, false, err);
    return logical->sql == NULL ? NULL : run(logical, logical->sql, sql, PGRES_TUPLES_OK, ANSWER_US_MAX, what, err);
}

static bool command(struct logical *logical, const char *sql, const char *what, struct err *err) {
    PGresult *result = run(logical, logical->sql, sql, PGRES_COMMAND_OK, ANSWER_US_MAX, what, err);
    libpq.PQclear(result);
    return result != NULL;
}

/* The only thing that is ever written. */
static bool write_once(struct logical *logical, const char *sql, const char *what, struct err *err) {
    return command(logical, "SET default_transaction_read_only = off", what, err) && command(logical, sql, what, err);
}

/* ---- publications ---- */

/* Only of tables that tell their rows apart: the server refuses UPDATE and DELETE of others once they are published. ONLY: not of those that
 * inherit, each of which counts for itself. */
static const char find_tables[] =
    "SELECT string_agg(format('ONLY %I.%I', n.nspname, c.relname), ', ' ORDER BY c.oid) "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' "
    "AND (c.relreplident = 'f' OR EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND i.indimmediate AND i.indisvalid "
    "AND (c.relreplident = 'd' AND i.indisprimary OR c.relreplident = 'i' AND i.indisreplident)))";

static bool make_publication(struct logical *logical, struct err *err) {
    PGresult *result = ask(logical, find_tables, "can't ask which tables there are", err);
    if (result == NULL)
        return false;
    bool has_tables = !libpq.PQgetisnull(result, 0, 0);
    struct str name = str_printf(&logical->arena, "lostwrite_%d_%" PRIx64, (int)getpid(), live_now_us());
    struct str sql = str_printf(&logical->arena, "CREATE PUBLICATION %.*s FOR TABLE %s", STR_ARG(name),
                                has_tables ? libpq.PQgetvalue(result, 0, 0) : "");
    libpq.PQclear(result);
    if (!has_tables)
        return err_set(err, no_pos, "the database has no table with a primary key or another replica identity");
    logical->made_publication = true; /* whatever comes of it: to drop one that is not there does no harm */
    logical->publication = name;
    return write_once(logical, sql.ptr, "can't create a publication", err);
}

static bool find_publication(struct logical *logical, struct str wanted, struct err *err) {
    PGresult *result = ask(logical, "SELECT pubname FROM pg_publication ORDER BY pubname", "can't ask which publications there are", err);
    if (result == NULL)
        return false;
    struct buf names = {0};
    int count = libpq.PQntuples(result);
    bool is_there = false;
    for (int i = 0; i < count; i++) {
        const char *name = libpq.PQgetvalue(result, i, 0);
        is_there = is_there || str_is(wanted, name);
        buf_printf(&names, "%s%s", i > 0 ? ", " : "", name);
    }
    libpq.PQclear(result);
    if (wanted.len == 0 && count == 0)
        err_set(err, no_pos, "the database has no publication: CREATE PUBLICATION lostwrite FOR TABLE a, b; and --publication lostwrite, or "
                             "--create-publication: made for this run of the tables that have a key, dropped at its end");
    else if (wanted.len == 0)
        err_set(err, no_pos, "--publication says what is read; the database has %.*s", STR_ARG(buf_str(&names)));
    else if (!is_there)
        err_set(err, no_pos, "the database has no publication \"%.*s\"%s%.*s", STR_ARG(wanted), count > 0 ? ", it has " : "",
                STR_ARG(buf_str(&names)));
    buf_release(&names);
    logical->publication = str_dup(&logical->arena, wanted);
    return is_there;
}

/* ---- the stream ---- */

static bool parse_place(const char *text, uint64_t *place) {
    unsigned high, low;
    if (sscanf(text, "%X/%X", &high, &low) != 2)
        return false;
    *place = (uint64_t)high << 32 | low;
    return true;
}

static bool identify(struct logical *logical, struct err *err) {
    enum { AT_XLOGPOS = 2 };
    PGresult *result = run(logical, logical->stream, "IDENTIFY_SYSTEM", PGRES_TUPLES_OK, ANSWER_US_MAX, "can't ask where the WAL ends", err);
    if (result == NULL)
        return false;
    bool is_told = libpq.PQntuples(result) == 1 && libpq.PQnfields(result) > AT_XLOGPOS &&
                   parse_place(libpq.PQgetvalue(result, 0, AT_XLOGPOS), &logical->end);
    libpq.PQclear(result);
    return is_told || err_set(err, no_pos, "the server does not say where its WAL ends");
}

/* Waits, as the server does, until each transaction that is open now has ended. */
static bool make_slot(struct logical *logical, struct str *name, struct err *err) {
    *name = str_printf(&logical->arena, "lostwrite_%d_%" PRIx64, (int)getpid(), live_now_us());
    struct str sql = str_printf(&logical->arena, "CREATE_REPLICATION_SLOT \"%.*s\" TEMPORARY LOGICAL pgoutput NOEXPORT_SNAPSHOT", STR_ARG(*name));
    PGresult *result = run(logical, logical->stream, sql.ptr, PGRES_TUPLES_OK, 0, "can't begin logical decoding", err);
    libpq.PQclear(result);
    return result != NULL;
}

static void add_quoted(struct buf *out, struct str text, char quote) {
    for (size_t i = 0; i < text.len; i++)
        buf_add_repeat(out, text.ptr[i], text.ptr[i] == quote ? 2 : 1);
}

static bool start(struct logical *logical, struct str slot, struct err *err) {
    struct buf sql = {0}, name = {0};
    buf_add_c(&sql, "START_REPLICATION SLOT \"");
    add_quoted(&sql, slot, '"');
    buf_add_c(&sql, "\" LOGICAL 0/0 (proto_version '1', publication_names '\"");
    add_quoted(&name, logical->publication, '"'); /* a list of names within a text */
    add_quoted(&sql, buf_str(&name), '\'');
    buf_add_c(&sql, "\"')");
    PGresult *result = run(logical, logical->stream, sql.ptr, PGRES_COPY_BOTH, ANSWER_US_MAX, "the server sends no changes", err);
    libpq.PQclear(result);
    buf_release(&name);
    buf_release(&sql);
    logical->is_streaming = result != NULL;
    return result != NULL;
}

static void put_be(char *out, uint64_t value) {
    for (int i = 0; i < 8; i++)
        out[i] = (char)(value >> (56 - 8 * i));
}

static uint64_t get_be(const char *bytes) {
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | (unsigned char)bytes[i];
    return value;
}

/* How far we are: the server ends a connection that does not tell, and keeps the WAL that is not confirmed. */
static bool send_status(struct logical *logical, bool wants_answer) {
    enum { STATUS_BYTES = 34 };
    char status[STATUS_BYTES] = {'r'};
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t confirmed = logical->confirms ? logical->received : 0;
    put_be(status + 1, logical->received);
    put_be(status + 9, confirmed);
    put_be(status + 17, confirmed);
    put_be(status + 25, (uint64_t)(((int64_t)now.tv_sec - POSTGRESQL_EPOCH_S) * 1000000 + now.tv_nsec / 1000));
    status[33] = wants_answer ? 1 : 0;
    logical->status_us = live_now_us();
    return libpq.PQputCopyData(logical->stream, status, sizeof(status)) == 1 && libpq.PQflush(logical->stream) >= 0;
}

static bool is_status_due(struct logical *logical) {
    return live_now_us() - logical->status_us >= STATUS_US;
}

static bool set_up(struct logical *logical, const struct logical_start *from, struct err *err) {
    bool is_ready = from->makes_publication ? make_publication(logical, err) : find_publication(logical, from->publication, err);
    struct str slot = from->slot;
    if (!is_ready || (logical->stream = connect_to(logical, true, err)) == NULL || !identify(logical, err) ||
        (slot.len == 0 && !make_slot(logical, &slot, err)) || !start(logical, slot, err))
        return false;
    return send_status(logical, from->is_whole) || fail(logical, logical->stream, "lost the server", err);
}

struct logical *logical_open(struct str url, const struct logical_start *from, struct err *err) {
    struct logical *logical = mem_alloc(sizeof(*logical));
    *logical = (struct logical){.stop = from->stop, .confirms = from->slot.len == 0, .is_whole = from->is_whole};
    bool is_good = live_url_parse(&logical->arena, url, &logical->url, err) &&
                   (logical->url.scheme == LIVE_SCHEME_POSTGRESQL || err_set(err, no_pos, "such a URL has no logical decoding")) &&
                   live_libpq_load(err);
    if (is_good && set_up(logical, from, err))
        return logical;
    if (is_good) {
        struct err left;
        if (!logical_close(logical, &left))
            *err = left;
    } else {
        arena_release(&logical->arena);
        free(logical);
    }
    return NULL;
}

static enum replication_state over(struct logical *logical, const char *what, struct err *err) {
    fail(logical, logical->stream, what, err);
    return REPLICATION_OVER;
}

static enum replication_state take(struct logical *logical, struct str message, struct str *bytes, struct err *err) {
    enum { DATA_BYTES = 25, KEEPALIVE_BYTES = 18, END_AT = 9, KEEPALIVE_END_AT = 1, ANSWER_AT = 17 };
    bool is_data = message.len > DATA_BYTES && message.ptr[0] == 'w';
    if (is_data) {
        uint64_t end = get_be(message.ptr + END_AT);
        logical->received = end > logical->received ? end : logical->received;
        *bytes = message;
        if (++logical->message_count % MESSAGES_A_LOOK == 0 && is_status_due(logical) && !send_status(logical, logical->is_whole))
            return over(logical, "lost the server", err);
        return REPLICATION_EVENT;
    }
    if (message.len != KEEPALIVE_BYTES || message.ptr[0] != 'k') {
        err_set(err, no_pos, "the server sent what is no change");
        return REPLICATION_OVER;
    }
    uint64_t end = get_be(message.ptr + KEEPALIVE_END_AT);
    logical->received = end > logical->received ? end : logical->received;
    if (message.ptr[ANSWER_AT] != 0 && !send_status(logical, false))
        return over(logical, "lost the server", err);
    return logical->is_whole && logical->received >= logical->end ? REPLICATION_END : REPLICATION_IDLE;
}

enum replication_state logical_next(struct logical *logical, struct str *bytes, struct err *err) {
    *bytes = (struct str){0};
    if (logical->message != NULL)
        libpq.PQfreemem(logical->message);
    logical->message = NULL;
    int len = libpq.PQgetCopyData(logical->stream, &logical->message, 1);
    if (len > 0)
        return take(logical, (struct str){logical->message, (size_t)len}, bytes, err);
    if (len == -1) {
        logical->is_streaming = false;
        PGresult *result = libpq.PQgetResult(logical->stream);
        over(logical, "the server sends no more changes", err);
        libpq.PQclear(result);
        return REPLICATION_OVER;
    }
    if (len < -1)
        return over(logical, "lost the server", err);
    if (is_status_due(logical) && !send_status(logical, logical->is_whole))
        return over(logical, "lost the server", err);
    struct pollfd fd = {.fd = libpq.PQsocket(logical->stream), .events = POLLIN};
    if (poll(&fd, 1, STATUS_US / 1000) > 0 && !libpq.PQconsumeInput(logical->stream))
        return over(logical, "lost the server", err);
    return REPLICATION_IDLE;
}

/* ---- what the catalog has ---- */

bool logical_table(struct logical *logical, struct arena *arena, struct str schema, struct str table, struct live_columns *columns) {
    struct err ignored;
    PGresult *result = NULL;
    if (logical->sql == NULL && (logical->sql = connect_to(logical, false, &ignored)) == NULL)
        return false;
    /* NULL: it is no text of the connection's encoding. */
    char *schema_text = libpq.PQescapeLiteral(logical->sql, schema.ptr, schema.len);
    char *table_text = libpq.PQescapeLiteral(logical->sql, table.ptr, table.len);
    if (schema_text != NULL && table_text != NULL) {
        struct buf sql = {0};
        buf_printf(&sql,
                   "SELECT a.attname, EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY (i.indkey)) "
                   "FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
                   "WHERE n.nspname = %s AND c.relname = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
                   schema_text, table_text);
        result = ask(logical, sql.ptr, "can't ask for a table's columns", &ignored);
        buf_release(&sql);
    }
    libpq.PQfreemem(schema_text);
    libpq.PQfreemem(table_text);
    int count = result != NULL ? libpq.PQntuples(result) : 0;
    *columns = (struct live_columns){.count = (size_t)count};
    columns->names = ARENA_ARRAY(arena, struct str, columns->count);
    columns->is_key = ARENA_ARRAY(arena, bool, columns->count);
    for (int i = 0; i < count; i++) {
        columns->names[i] = str_dup(arena, str_from_c(libpq.PQgetvalue(result, i, 0)));
        columns->is_key[i] = libpq.PQgetvalue(result, i, 1)[0] == 't';
    }
    libpq.PQclear(result);
    return count > 0;
}

struct str logical_publication(const struct logical *logical) {
    return logical->publication;
}

/* Ends the stream in due form, so that the slot is let go before we are; a server that takes long is left to notice by itself. */
static void end_stream(struct logical *logical) {
    PGconn *conn = logical->stream;
    uint64_t began_us = live_now_us();
    if (!logical->is_streaming || libpq.PQputCopyEnd(conn, NULL) != 1 || libpq.PQflush(conn) < 0)
        return;
    int len = 0;
    while (len >= 0 && live_now_us() - began_us < END_US_MAX) {
        char *message = NULL;
        len = libpq.PQgetCopyData(conn, &message, 1);
        if (message != NULL)
            libpq.PQfreemem(message);
        struct pollfd fd = {.fd = libpq.PQsocket(conn), .events = POLLIN};
        if (len == 0 && poll(&fd, 1, POLL_MS) > 0 && !libpq.PQconsumeInput(conn))
            return;
    }
    for (PGresult *rest; len == -1 && wait_for(logical, conn, END_US_MAX, NULL) && (rest = libpq.PQgetResult(conn)) != NULL;)
        libpq.PQclear(rest);
}

bool logical_close(struct logical *logical, struct err *err) {
    bool is_clean = true;
    if (logical == NULL)
        return true;
    logical->stop = NULL;
    end_stream(logical);
    if (logical->message != NULL)
        libpq.PQfreemem(logical->message);
    libpq.PQfinish(logical->stream);
    if (logical->made_publication) {
        struct err reason;
        struct str sql = str_printf(&logical->arena, "DROP PUBLICATION IF EXISTS %.*s", STR_ARG(logical->publication));
        if (libpq.PQstatus(logical->sql) == CONNECTION_BAD) {
            libpq.PQfinish(logical->sql);
            logical->sql = connect_to(logical, false, &reason);
        }
        is_clean = logical->sql != NULL && write_once(logical, sql.ptr, "not dropped", &reason);
        if (!is_clean)
            err_set(err, no_pos, "left behind, %.90s: DROP PUBLICATION %.*s;", reason.message, STR_ARG(logical->publication));
    }
    libpq.PQfinish(logical->sql);
    arena_release(&logical->arena);
    free(logical);
    return is_clean;
}

#else
struct logical *logical_open(struct str url, const struct logical_start *from, struct err *err) {
    (void)url;
    (void)from;
    err_set(err, (struct pos){0}, "this lostwrite was built without libpq");
    return NULL;
}

enum replication_state logical_next(struct logical *logical, struct str *bytes, struct err *err) {
    (void)logical;
    *bytes = (struct str){0};
    err_set(err, (struct pos){0}, "this lostwrite was built without libpq");
    return REPLICATION_OVER;
}

bool logical_table(struct logical *logical, struct arena *arena, struct str schema, struct str table, struct live_columns *columns) {
    (void)logical, (void)arena, (void)schema, (void)table;
    *columns = (struct live_columns){0};
    return false;
}

struct str logical_publication(const struct logical *logical) {
    (void)logical;
    return (struct str){0};
}

bool logical_close(struct logical *logical, struct err *err) {
    (void)logical, (void)err;
    return true;
}
#endif
