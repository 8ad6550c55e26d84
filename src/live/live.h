/* Real servers: SQL texts in, texts out. A `struct live` is one server with a connection for each session and one
 * more, the control connection, that asks who waits, and makes and drops what the run needs.
 *
 * It gives what the built-in engine gives, for any SQL: a statement runs to its end, to the server's error, or until
 * it must wait for another session, which the server itself says. Nothing here knows how to read SQL.
 *
 * Life of a wait, as of engine.h: live_exec answers LIVE_WAITING; the session takes no further statement until
 * live_resume hands out its answer, or live_cancel ends its wait. What ends a statement may let others go on, so
 * the caller asks live_resume after every live_exec until it answers LIVE_NO_SESSION.
 *
 * Waits end by what sessions do, never by a clock: the lock and statement timeouts of sessions are set to none, until the
 * caller sets others. A deadlock ends as the server ends it, and its victim may be another session than the one that
 * closed the circle: live_exec answers LIVE_WAITING or how its statement ended, live_resume hands out the victim's error.
 * PostgreSQL's victim is always who closed it if the user is a superuser, else mostly who has waited longest.
 *
 * Nothing is touched that the run did not make: live_make_place gives all connections a schema (PostgreSQL), a
 * database (MySQL, MariaDB) or a file (SQLite) of their own, and live_close drops it, also after an error, SIGINT or SIGTERM
 * (see live_interrupt). No other schema is on the path, also after RESET ALL, and no other database is the default; but a
 * statement that names another one reaches it. Passwords come from the URL, the environment or the libraries' usual
 * files, and are in no message.
 *
 * What sessions begin with is the server's or library's own: foreign_keys of SQLite (off) and the isolation level are the
 * caller's to set. Only autocommit is on, the character set UTF-8, and for a superuser PostgreSQL's messages English.
 */
#ifndef LW_LIVE_LIVE_H
#define LW_LIVE_LIVE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum live_kind { LIVE_POSTGRESQL, LIVE_MYSQL, LIVE_MARIADB, LIVE_SQLITE };
enum { LIVE_SESSIONS_MAX = 8, LIVE_NO_SESSION = -1, LIVE_CONTROL = -2 };

struct live;

struct live_options {
    size_t session_count; /* up to LIVE_SESSIONS_MAX */
    /* Of each wait say for whom; on InnoDB that costs a tenth of a second a wait. Without it `blockers` is 0 there. */
    bool finds_blockers;
    unsigned
        answer_ms_max; /* a statement that neither ends nor waits for so long: the server is lost. 0: 30,000 */
};

enum live_status { LIVE_DONE, LIVE_WAITING, LIVE_FAILED };

/* What a column holds, as far as its text is to be read or laid out. */
enum live_type { LIVE_TEXT, LIVE_BOOL, LIVE_INTEGER, LIVE_DECIMAL, LIVE_FLOAT, LIVE_TIME };

struct live_column {
    struct str name;
    enum live_type type;
};

struct live_notice {
    struct str severity, message; /* "NOTICE", "WARNING" */
};

/* The answer to a statement. Of a text with several statements (PostgreSQL's simple query): each has its own, see
 * `next`; a notice may stand with an answer before its own. Everything is of the session's memory and holds until its
 * next statement. */
struct live_answer {
    enum live_status status;
    uint32_t blockers; /* WAITING: bit per session waited for, as far as known */
    size_t row_count, column_count;
    const struct live_column *columns;
    const struct str *cells; /* row_count times column_count; data NULL: the value NULL */
    bool has_rows;           /* a result set, be it empty */
    struct str command;      /* PostgreSQL's command tag, "UPDATE 1"; else empty */
    int64_t affected; /* matched, not changed, rows on MySQL: FOUND_ROWS is set, as Django does */
    int64_t last_insert; /* MySQL, MariaDB, SQLite; 0: none */
    const struct live_notice *notices;
    size_t notice_count;
    /* FAILED. */
    char sqlstate[6];       /* "40001"; SQLite: "" */
    int number;             /* MySQL's, or SQLite's extended code; PostgreSQL: 0 */
    struct str severity;    /* "ERROR", "FATAL" */
    struct str message;     /* the server's, without the severity */
    bool ended_transaction; /* no transaction is open any more, though one was */
    const struct live_answer *next;
};

/* Connects to `url`: postgresql://..., mysql://user@host:port/db?option=..., sqlite:PATH. False, with a message without
 * password, if it is no such URL, the server can't be reached, or this lostwrite was built without the library. */
bool live_open(struct str url, const struct live_options *options, struct live **live,
               struct err *err);
/* Rolls back, ends what still runs, drops the place, closes. Says in `err` what could not be dropped. */
bool live_close(struct live *live, struct err *err);

/* `url` without its password, for messages. */
struct str live_url_shown(struct arena *arena, struct str url);

enum live_kind live_kind(const struct live *live);
/* "PostgreSQL 15.18", "MariaDB 10.11.19", "MySQL 5.6.24", "SQLite 3.40.1". */
const char *live_server(const struct live *live);
/* The version as numbers: 15 18 0; 10 11 19. */
void live_version(const struct live *live, unsigned version[3]);

/* Makes the place and has all connections use it. `*name` says what was made, for the user; it is the live's own. */
bool live_make_place(struct live *live, struct str *name, struct err *err);

/* Runs a text on the control connection to its end: making tables, putting rows back. False: the server's error, also
 * that of a lock some session holds, after 10 s (5 on SQLite). */
bool live_run(struct live *live, struct str sql, struct err *err);
/* The same, with its rows. The answer's memory is the live's, until the next call. */
bool live_query(struct live *live, struct str sql, const struct live_answer **answer,
                struct err *err);

/* Runs a statement in a session that does not wait. False if the server was lost, or a signal came: then only
 * live_close is left to call. The server's errors are answers, but for those that are not of the program's making (a full
 * disk, no memory, a damaged file): they end the run. On MySQL and MariaDB a text is one statement. A wait costs some 1.5
 * ms on PostgreSQL, 0.5 ms on InnoDB, 10 ms for GET_LOCK and metadata locks of MySQL; a statement that answers
 * nothing beyond its round trip. */
bool live_exec(struct live *live, size_t session, struct str sql, const struct live_answer **answer,
               struct err *err);
bool live_is_waiting(const struct live *live, size_t session);
/* What a statement that waits has told so far: each notice is handed out once, here or with an answer. Their memory is the
 * session's, until its next statement. */
size_t live_take_notices(struct live *live, size_t session, const struct live_notice **notices);
/* A waiting session whose statement has ended, in `*session`, and how; LIVE_NO_SESSION once the server says that all that
 * still run do wait. */
bool live_resume(struct live *live, int *session, const struct live_answer **answer,
                 struct err *err);
/* Ends the wait of a session as its lock wait timeout would: 55P03, 1205, SQLITE_BUSY. If it has ended meanwhile, that
 * end is the answer. */
bool live_cancel(struct live *live, size_t session, const struct live_answer **answer,
                 struct err *err);
/* Whether a transaction is open in the session that does not wait. */
bool live_in_transaction(const struct live *live, size_t session);
/* Ends all waits, rolls back every session, and lets go advisory locks and GET_LOCKs that its texts named (LOCK TABLES of
 * MySQL stays). Session settings stay as they are. */
bool live_rollback_all(struct live *live, struct err *err);

/* Makes every call that is under way or to come fail with "interrupted". For signal handlers. */
void live_interrupt(void);

#endif
