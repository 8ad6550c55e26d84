/* SQLite's own library: each session is a connection in this process, to a file that is made here and removed again.
 *
 * A connection has a thread, so that a wait is what it is for a program that sets a busy timeout: SQLite calls the
 * busy handler in the middle of a statement, holding the locks it has by then, and the handler blocks until live_resume has
 * it look again, or live_cancel has it give up, which is SQLITE_BUSY. Where SQLite answers SQLITE_BUSY without calling the
 * handler, as to a writer whose snapshot is old or to two readers that both want to write, that is the answer.
 * Threads take turns: while one runs, the caller waits for it.
 *
 * What connections set (foreign_keys, say) is the caller's to send. Disk writes are not synced: the file is nobody's.
 */
#include "live/backend.h"

#ifdef LW_HAVE_SQLITE
#include "base/assert.h"
#include "base/library.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { CONTROL_BUSY_MS = 5000, LOOK_MS = 20, ANSWER_MS_MAX = 30000 };

static struct {
#define FUNCTION(name) __typeof__(&name) name;
#include "live/libsqlite.def"
} libsqlite;

static bool load(struct err *err) {
    static const struct library_function functions[] = {
#define FUNCTION(name) {#name, &libsqlite.name},
#include "live/libsqlite.def"
    };
    return library_load("libsqlite3.so.0", "such a URL", functions, LW_COUNT_OF(functions), err);
}

static const struct pos no_pos;
static const char *const suffixes[] = {"-journal", "-wal", "-shm"};

enum stage {
    STAGE_IDLE,    /* the thread waits for a text */
    STAGE_RUN,     /* it runs one */
    STAGE_BUSY,    /* its busy handler waits to be told how to go on */
    STAGE_RETRY,   /* told: look again */
    STAGE_GIVE_UP, /* told: SQLITE_BUSY */
    STAGE_QUIT,
};

struct connection {
    sqlite3 *handle;
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    enum stage stage;
    struct live_session *session;
    struct str sql;
    bool is_fresh; /* it was just found to wait: no need to look again */
    int fatal;     /* a result code of which no program is the cause; 0: none */
};

struct sqlite {
    const char *path;
    bool was_there; /* as an empty file */
    bool is_made;   /* by us, or taken over */
};

static struct sqlite *sqlite_of(const struct live *live) {
    return live->state;
}

static struct connection *connection_of(const struct live *live, size_t index) {
    return live->sessions[index].handle;
}

/* ---- in a connection's thread ---- */

static void set_stage(struct connection *connection, enum stage stage) {
    connection->stage = stage;
    pthread_cond_broadcast(&connection->changed);
}

static int on_busy(void *context, int count) {
    (void)count;
    struct connection *connection = context;
    pthread_mutex_lock(&connection->mutex);
    bool gives_up = connection->stage == STAGE_QUIT;
    if (!gives_up) {
        set_stage(connection, STAGE_BUSY);
        while (connection->stage == STAGE_BUSY)
            pthread_cond_wait(&connection->changed, &connection->mutex);
        gives_up = connection->stage != STAGE_RETRY;
        if (connection->stage != STAGE_QUIT)
            connection->stage = STAGE_RUN;
    }
    pthread_mutex_unlock(&connection->mutex);
    return !gives_up;
}

static bool has_word(const char *text, const char *word) {
    return live_contains(str_from_c(text), word);
}

/* As declared, by SQLite's own rules where they say something; else as the first value is stored. */
static enum live_type type_of(const char *declared, int stored) {
    if (declared != NULL) {
        if (has_word(declared, "BOOL"))
            return LIVE_BOOL;
        if (has_word(declared, "DATE") || has_word(declared, "TIME"))
            return LIVE_TIME;
        if (has_word(declared, "DEC") || has_word(declared, "NUMERIC"))
            return LIVE_DECIMAL;
        if (has_word(declared, "INT"))
            return LIVE_INTEGER;
        if (has_word(declared, "CHAR") || has_word(declared, "TEXT"))
            return LIVE_TEXT;
    }
    return stored == SQLITE_INTEGER ? LIVE_INTEGER
           : stored == SQLITE_FLOAT ? LIVE_FLOAT
                                    : LIVE_TEXT;
}

static struct live_column *read_columns(struct arena *memory, sqlite3_stmt *statement, int count) {
    struct live_column *columns = ARENA_ARRAY(memory, struct live_column, (size_t)count);
    for (int k = 0; k < count; k++)
        columns[k] = (struct live_column){
            str_dup(memory, str_from_c(libsqlite.sqlite3_column_name(statement, k))),
            type_of(libsqlite.sqlite3_column_decltype(statement, k), SQLITE_NULL),
        };
    return columns;
}

/* Steps to the end; the result code. */
static int run_statement(struct live_session *session, sqlite3_stmt *statement,
                         struct live_answer *answer) {
    struct arena *memory = &session->memory;
    int count = libsqlite.sqlite3_column_count(statement);
    struct live_column *columns = read_columns(memory, statement, count);
    VEC(struct str) cells = {0};
    int code;
    while ((code = libsqlite.sqlite3_step(statement)) == SQLITE_ROW) {
        answer->row_count++;
        for (int k = 0; k < count; k++) {
            int stored = libsqlite.sqlite3_column_type(statement, k);
            const char *declared = libsqlite.sqlite3_column_decltype(statement, k);
            if (stored != SQLITE_NULL && columns[k].type == LIVE_TEXT)
                columns[k].type = type_of(declared, stored);
            const char *text = (const char *)libsqlite.sqlite3_column_text(statement, k);
            struct str cell = {text, (size_t)libsqlite.sqlite3_column_bytes(statement, k)};
            if (stored == SQLITE_NULL)
                cell = (struct str){0};
            else
                cell = str_dup(memory, cell.len == 0 ? STR("") : cell);
            VEC_PUSH(memory, &cells, cell);
        }
    }
    answer->has_rows = count > 0;
    answer->column_count = (size_t)count;
    answer->columns = columns;
    answer->cells = cells.items;
    return code;
}

static bool is_fatal(int code) {
    int primary = code & 0xff;
    return primary == SQLITE_FULL || primary == SQLITE_IOERR || primary == SQLITE_CORRUPT ||
           primary == SQLITE_NOTADB || primary == SQLITE_CANTOPEN || primary == SQLITE_NOMEM;
}

static void read_error(struct connection *connection, struct live_answer *answer) {
    struct live_session *session = connection->session;
    const char *message = libsqlite.sqlite3_errmsg(connection->handle);
    *answer = (struct live_answer){
        .status = LIVE_FAILED,
        .number = libsqlite.sqlite3_extended_errcode(connection->handle),
        .severity = STR("ERROR"),
        .message = str_dup(&session->memory, str_from_c(message)),
    };
    if (is_fatal(answer->number))
        connection->fatal = answer->number;
}

/* All statements of the text, to the first that fails. */
static void run_text(struct connection *connection) {
    struct live_session *session = connection->session;
    const char *at = connection->sql.ptr, *end = at + connection->sql.len;
    bool goes_on = true;
    while (goes_on && at < end) {
        sqlite3_stmt *statement = NULL;
        int changes = libsqlite.sqlite3_total_changes(connection->handle);
        int code =
            libsqlite.sqlite3_prepare_v2(connection->handle, at, (int)(end - at), &statement, &at);
        if (code == SQLITE_OK && statement == NULL)
            continue; /* a comment, or what is behind the last ';' */
        struct live_answer *answer = live_add_answer(session);
        if (code == SQLITE_OK)
            code = run_statement(session, statement, answer);
        if (code == SQLITE_DONE && libsqlite.sqlite3_total_changes(connection->handle) != changes) {
            answer->affected = libsqlite.sqlite3_changes(connection->handle);
            answer->last_insert = libsqlite.sqlite3_last_insert_rowid(connection->handle);
        } else if (code != SQLITE_DONE) {
            read_error(connection, answer);
            goes_on = false;
        }
        libsqlite.sqlite3_finalize(statement);
    }
    if (session->answer == NULL)
        live_add_answer(session);
}

static void *thread_of(void *context) {
    struct connection *connection = context;
    pthread_mutex_lock(&connection->mutex);
    while (connection->stage != STAGE_QUIT) {
        if (connection->stage == STAGE_RUN) {
            pthread_mutex_unlock(&connection->mutex);
            run_text(connection);
            pthread_mutex_lock(&connection->mutex);
            if (connection->stage != STAGE_QUIT)
                set_stage(connection, STAGE_IDLE);
        } else {
            pthread_cond_wait(&connection->changed, &connection->mutex);
        }
    }
    pthread_mutex_unlock(&connection->mutex);
    return NULL;
}

/* ---- in the caller's ---- */

/* Lets the thread go on in `stage` until its statement ends or waits. */
static bool turn(struct live *live, size_t index, enum stage stage, struct err *err) {
    struct live_session *session = &live->sessions[index];
    struct connection *connection = session->handle;
    uint64_t began_us = live_now_us();
    uint64_t ms_max =
        live->options.answer_ms_max != 0 ? live->options.answer_ms_max : ANSWER_MS_MAX;
    bool is_late = false, is_interrupted = false;
    pthread_mutex_lock(&connection->mutex);
    set_stage(connection, stage);
    while (connection->stage != STAGE_IDLE && connection->stage != STAGE_BUSY && !is_late &&
           !is_interrupted) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += LOOK_MS * 1000000l;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&connection->changed, &connection->mutex, &until);
        is_late = live_now_us() - began_us > ms_max * 1000;
        is_interrupted = live_is_interrupted(live);
    }
    session->has_ended = connection->stage == STAGE_IDLE;
    session->is_blocked = connection->stage == STAGE_BUSY;
    pthread_mutex_unlock(&connection->mutex);
    if (is_interrupted)
        return live_lose(live, err, "interrupted");
    if (!session->has_ended && !session->is_blocked)
        return live_lose(live, err, "SQLite gave no answer within %u ms", (unsigned)ms_max);
    if (session->has_ended && connection->fatal != 0)
        return live_lose(live, err, "SQLite: %s", libsqlite.sqlite3_errstr(connection->fatal));
    session->is_open = !libsqlite.sqlite3_get_autocommit(connection->handle);
    return true;
}

static bool start(struct live *live, size_t index, struct str sql, struct err *err) {
    connection_of(live, index)->sql = str_dup(&live->sessions[index].memory, sql);
    if (!turn(live, index, STAGE_RUN, err))
        return false;
    connection_of(live, index)->is_fresh = !live->sessions[index].has_ended;
    return true;
}

static bool take(struct live *live, size_t index, struct err *err) {
    struct connection *connection = connection_of(live, index);
    if (connection->is_fresh) {
        connection->is_fresh = false;
        return true;
    }
    return turn(live, index, STAGE_RETRY, err);
}

static bool cancel(struct live *live, size_t index, struct err *err) {
    struct live_session *session = &live->sessions[index];
    while (!session->has_ended)
        if (!turn(live, index, STAGE_GIVE_UP, err))
            return false;
    return true;
}

static void as_timeout(struct live *live, size_t index) {
    (void)live;
    (void)index;
}

static void kill_nothing(struct live *live, int64_t id) {
    (void)live;
    (void)id;
}

static int socket_of(struct live *live, size_t index) {
    (void)live;
    (void)index;
    return -1;
}

/* ---- the file ---- */

static const char *beside(struct arena *arena, const char *path, const char *suffix) {
    return str_printf(arena, "%s%s", path, suffix).ptr;
}

/* Makes the file, or takes over an empty one. What is there already is somebody's. */
static bool make_file(struct live *live, struct err *err) {
    struct sqlite *state = sqlite_of(live);
    struct stat info;
    if (strcmp(state->path, ":memory:") == 0)
        return err_set(err, no_pos,
                       "sqlite::memory: is one connection's alone: give the path of a file");
    for (size_t i = 0; i < LW_COUNT_OF(suffixes); i++)
        if (lstat(beside(&live->arena, state->path, suffixes[i]), &info) == 0)
            return err_set(err, no_pos,
                           "%s%s is there already: what is run is run in a new file only",
                           state->path, suffixes[i]);
    int file = open(state->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file >= 0) {
        close(file);
    } else if (errno != EEXIST) {
        return err_set(err, no_pos, "%s: %s", state->path, strerror(errno));
    } else if (stat(state->path, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size > 0) {
        return err_set(err, no_pos, "%s is there already: what is run is run in a new file only",
                       state->path);
    } else {
        state->was_there = true;
    }
    state->is_made = true;
    return true;
}

static bool remove_file(struct live *live, struct err *err) {
    struct sqlite *state = sqlite_of(live);
    if (state == NULL || !state->is_made)
        return true;
    state->is_made = false;
    for (size_t i = 0; i < LW_COUNT_OF(suffixes); i++)
        unlink(beside(&live->arena, state->path, suffixes[i]));
    int failed = state->was_there ? truncate(state->path, 0) : unlink(state->path);
    return failed == 0 || errno == ENOENT || err_set(err, no_pos, "%s", strerror(errno));
}

static bool check_options(const struct live_url *url, struct err *err) {
    for (size_t i = 0; i < url->options.count; i++)
        if (!str_is(url->options.items[i].name, "journal-mode"))
            return err_set(err, no_pos, "the URL's option is unknown: there is journal_mode");
    struct str mode = live_url_option(url, "journal-mode");
    return mode.ptr == NULL || str_equal_nocase(mode, STR("wal")) ||
           str_equal_nocase(mode, STR("delete")) ||
           err_set(err, no_pos, "the URL's journal_mode is neither wal nor delete");
}

/* ---- connecting ---- */

static bool start_thread(struct connection *connection) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before); /* signals are the caller's */
    connection->has_thread = pthread_create(&connection->thread, NULL, thread_of, connection) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return connection->has_thread;
}

static bool connect_file(struct live *live, size_t index, struct err *err) {
    struct live_session *session = &live->sessions[index];
    struct connection *connection = mem_alloc(sizeof(*connection));
    memset(connection, 0, sizeof(*connection));
    pthread_mutex_init(&connection->mutex, NULL);
    pthread_cond_init(&connection->changed, NULL);
    connection->session = session;
    session->handle = connection;
    session->id = (int64_t)index;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX;
    if (libsqlite.sqlite3_open_v2(sqlite_of(live)->path, &connection->handle, flags, NULL) !=
        SQLITE_OK)
        return err_set(err, no_pos, "%s: %s", sqlite_of(live)->path,
                       libsqlite.sqlite3_errmsg(connection->handle));
    libsqlite.sqlite3_extended_result_codes(connection->handle, 1);
    if (index == LIVE_CONTROL_INDEX)
        libsqlite.sqlite3_busy_timeout(connection->handle, CONTROL_BUSY_MS);
    else
        libsqlite.sqlite3_busy_handler(connection->handle, on_busy, connection);
    if (!start_thread(connection))
        return err_set(err, no_pos, "no thread for a session can be started");
    return live_run_ok(live, index, STR("PRAGMA synchronous = OFF"), err);
}

static bool connect_session(struct live *live, size_t index, struct err *err) {
    if (live->state == NULL) {
        struct sqlite *state = ARENA_NEW(&live->arena, struct sqlite);
        live->state = state;
        live->kind = LIVE_SQLITE;
        snprintf(live->server, sizeof(live->server), "SQLite %s", libsqlite.sqlite3_libversion());
        unsigned number = (unsigned)libsqlite.sqlite3_libversion_number();
        live->version[0] = number / 1000000;
        live->version[1] = number / 1000 % 1000;
        live->version[2] = number % 1000;
        state->path = str_to_c(&live->arena, live->url.database);
        if (!check_options(&live->url, err) || !make_file(live, err))
            return false;
    }
    return connect_file(live, index, err);
}

static void disconnect(struct live *live, size_t index) {
    struct connection *connection = connection_of(live, index);
    if (connection == NULL)
        return;
    if (connection->has_thread) {
        libsqlite.sqlite3_interrupt(connection->handle);
        pthread_mutex_lock(&connection->mutex);
        set_stage(connection, STAGE_QUIT);
        pthread_mutex_unlock(&connection->mutex);
        pthread_join(connection->thread, NULL);
    }
    libsqlite.sqlite3_close(connection->handle);
    pthread_cond_destroy(&connection->changed);
    pthread_mutex_destroy(&connection->mutex);
    free(connection);
    live->sessions[index].handle = NULL;
}

/* ---- the place ---- */

static bool make_place(struct live *live, struct err *err) {
    live->place = str_printf(&live->arena, "file %s", sqlite_of(live)->path);
    struct str mode = live_url_option(&live->url, "journal-mode");
    return mode.ptr == NULL || !str_equal_nocase(mode, STR("wal")) ||
           live_run_ok(live, LIVE_CONTROL_INDEX, STR("PRAGMA journal_mode = WAL"), err);
}

static bool drop_place(struct live *live, struct err *err) {
    disconnect(live, LIVE_CONTROL_INDEX);
    return remove_file(live, err);
}

static struct str drop_text(struct live *live, struct arena *arena) {
    return str_printf(arena, "rm %s", sqlite_of(live)->path);
}

static void release(struct live *live) {
    remove_file(live, NULL);
}

static const struct live_backend backend = {
    .load = load,
    .connect = connect_session,
    .disconnect = disconnect,
    .socket = socket_of,
    .start = start,
    .take = take,
    .cancel = cancel,
    .kill = kill_nothing,
    .as_timeout = as_timeout,
    .make_place = make_place,
    .drop_place = drop_place,
    .drop_text = drop_text,
    .release = release,
};

const struct live_backend *const live_sqlite = &backend;

#endif
