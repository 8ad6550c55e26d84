/* The built-in engine: one in-memory multi-version store, with a policy for each engine and
 * isolation level (DESIGN section 4). A `struct db` is a whole database with its open sessions at
 * one moment. It can be copied, so a search keeps one per branch. Each call runs one SQL
 * statement for one session: to its end, to an error, or until it must wait for another session.
 *
 * Life of a wait: db_exec answers DB_BLOCKED; the session takes no further statement until
 * db_resume hands out its result (or the caller ends the wait with db_timeout). Whatever ends a
 * transaction, a statement or a lock may let others go on, so the caller asks db_resume after
 * every db_exec until it answers -1. Sessions are resumed in the order in which they began to
 * wait.
 *
 * Nothing here knows of Python, of programs, or of who is to step next.
 */
#ifndef LW_ENGINE_ENGINE_H
#define LW_ENGINE_ENGINE_H

#include "sql/sql.h"

enum engine_kind { ENGINE_POSTGRESQL, ENGINE_MYSQL, ENGINE_MARIADB, ENGINE_SQLITE };

enum { DB_SESSIONS_MAX = 8, DB_NO_SESSION = -1 };

/* Another server of the same family (MySQL beside MariaDB), or the same one at another level, whose runs may be spared:
 * `differs` becomes true once an answer hangs on which of the two it is, in whichever copy of the database. */
struct db_twin {
    enum engine_kind engine;
    uint32_t version;
    enum sql_isolation isolation;
    bool differs;
};

/* Which server, as which level sessions begin, and the settings that change what isolation means.
 */
struct db_config {
    enum engine_kind engine;
    uint32_t version; /* of the server, as in version.h: 101119 is MariaDB 10.11.19; 0: its default */
    enum sql_isolation isolation; /* of what names none, also in autocommit; never DEFAULT */
    /* PostgreSQL under Django: `isolation` holds inside transactions only, autocommit statements
     * run at READ COMMITTED (ENGINES, Django fact 2). */
    bool autocommit_read_committed;
    bool innodb_snapshot_isolation; /* MariaDB, as the setting is; see version_config */
    bool sqlite_immediate;          /* BEGIN means BEGIN IMMEDIATE (Django's transaction_mode) */
    struct db_twin *twin;           /* NULL: nobody asks */
};

enum db_error {
    DB_OK_NO_ERROR,
#define DB_ERROR(name, what, postgresql, mysql, sqlite, django) DB_ERROR_##name,
#include "engine/error.def"
#undef DB_ERROR
};

enum db_status { DB_OK, DB_BLOCKED, DB_FAILED };

/* What stands for a host value: a value; an expression over the updated row's columns (F()), with
 * its own host values already put in as literals; a list, in IN. The engine copies what it needs.
 */
enum db_bind_kind { DB_BIND_VALUE, DB_BIND_EXPR, DB_BIND_LIST };

struct db_bind {
    enum db_bind_kind kind;
    struct value value;
    const struct sql_expr *expr; /* resolved against the table; lives as long as the run */
    const struct value *list;
    size_t list_count;
};

/* One row version that a statement read or wrote. Versions are numbered over the whole database
 * and never reused, so a number taken earlier stays valid in later states and in copies. */
struct db_ref {
    uint16_t table;
    uint16_t row;     /* the row's number in its table; kept over updates */
    uint32_t version; /* read: the version seen. written: the new one; 0: deleted */
    /* written: the version it replaced; 0: inserted; `version` itself: nothing changed, no new version */
    uint32_t previous;
};

/* What a step touched, in bits per table (bit 63 stands for tables 63 and up): two steps of
 * different sessions whose footprints don't meet commute (see db_commutes). */
struct db_footprint {
    uint64_t reads, writes, locks;
    uint64_t ends;      /* tables whose changes or locks it made visible or let go */
    bool took_snapshot; /* one that later statements go on using */
    bool ended_transaction;
    bool is_serializable; /* PostgreSQL SSI: commits order against everything of the same tables */
    bool waited_or_woke;
    bool is_advisory; /* took or gave back an advisory lock */
};

/* The answer to a statement. All pointers are into the db and hold until its next call or copy. */
struct db_result {
    enum db_status status;
    enum db_error error; /* DB_FAILED */
    char detail[96];     /* DB_FAILED: "t_pkey", "row in table t"; may be empty */
    /* DB_FAILED: the whole transaction is gone (1213, 1020). COMMIT with DB_OK: it had failed
     * before, and was rolled back (PostgreSQL). */
    bool ended_transaction;
    uint32_t blockers; /* DB_BLOCKED: bit per session waited for */
    size_t row_count;  /* SELECT or RETURNING */
    size_t column_count;
    const struct value *rows;      /* row_count times column_count */
    size_t ref_count;              /* per row: how many sources; 0 for aggregates */
    const struct db_ref *row_refs; /* row_count times ref_count; version 0: no row (outer join) */
    const struct db_ref *reads;    /* every row version the answer rests on, aggregates too */
    size_t read_count;
    const struct db_ref *writes;
    size_t write_count;
    int64_t affected; /* rows INSERTed, UPDATEd or DELETEd; matched, not changed, rows: Django sets
                                  FOUND_ROWS on MySQL */
    struct value
        last_insert; /* INSERT into a table with a serial column: its (last) value; else NULL */
    struct db_footprint footprint;
};

struct db;

/* An empty database with `session_count` sessions (at most DB_SESSIONS_MAX). Schema and pool are
 * shared, not owned; the pool grows when texts are made. Free with db_free. */
struct db *db_new(const struct db_config *config, const struct schema *schema,
                  struct text_pool *pool, size_t session_count);
void db_free(struct db *db);

/* Makes `*into` equal to `from`, reusing its memory; both must be of the same schema. Cheap: a few
 * memory copies whose size is that of the live state. */
void db_copy(struct db *into, const struct db *from);
/* A new database equal to `from`. Free with db_free. */
struct db *db_copy_new(const struct db *from);

/* Runs a setup statement (INSERT, UPDATE) as if committed long ago: generated values have no
 * origin. False, with the statement's position, if it fails. */
bool db_load(struct db *db, const struct sql_stmt *stmt, struct err *err);

/* The engine that `db` was made as. */
enum engine_kind db_engine(const struct db *db);

/* The level in force for a session's transactions from now on (SET SESSION ...; 0-th use of
 * `config`). */
void db_set_isolation(struct db *db, size_t session, enum sql_isolation isolation);

/* Runs a resolved statement. `binds` has one entry per host of the statement. The session must
 * not be waiting. A statement outside of a transaction commits on its own. */
void db_exec(struct db *db, size_t session, const struct sql_stmt *stmt,
             const struct db_bind *binds, struct db_result *result);

/* Whether the session's last statement still waits. */
bool db_is_waiting(const struct db *db, size_t session);
/* Bits of the sessions that `session` waits for, 0 if it doesn't wait. */
uint32_t db_blockers(const struct db *db, size_t session);

/* Which of its waits the session is in; 0: it doesn't wait. Other than before: it went on, and had to wait anew. */
uint32_t db_wait_number(const struct db *db, size_t session);

/* Goes on with the first waiting session that can: its number, and how its statement ended in
 * `*result` (never DB_BLOCKED). DB_NO_SESSION if none can. */
int db_resume(struct db *db, struct db_result *result);

/* Whether `session` waits only for such as can go on now, and is behind them by a race on the real server.
 * db_resume_before lets it go on before them, as db_resume does; false if it has to wait anew. */
bool db_is_raced(const struct db *db, size_t session);
bool db_resume_before(struct db *db, size_t session, struct db_result *result);

/* Ends the wait of `session` with the engine's lock wait timeout. */
void db_timeout(struct db *db, size_t session, struct db_result *result);

/* Whether a transaction is open (also one that failed and waits for its ROLLBACK). */
bool db_in_transaction(const struct db *db, size_t session);

/* What a SELECT would give `session` now on the newest committed rows plus its own changes,
 * whatever its snapshot: how the monitor tells that an earlier read is out of date. Changes
 * nothing, takes no lock. */
void db_peek(struct db *db, size_t session, const struct sql_stmt *select,
             const struct db_bind *binds, struct db_result *result);

/* Whether two steps of different sessions, each with this footprint, give the same state in
 * either order. */
bool db_commutes(const struct db_footprint *a, const struct db_footprint *b);

/* The committed rows of a table, in primary key order (else in order of insertion): calls `visit`
 * with each row's values, one per column. For outcomes. */
void db_visit_rows(const struct db *db, uint16_t table,
                   void (*visit)(void *context, const struct value *row), void *context);

/* Version `version`: its column's value; the session that wrote it (DB_NO_SESSION: loaded), and
 * the version before it (0: none). */
struct value db_version_value(const struct db *db, uint32_t version, uint16_t column);
int db_version_session(const struct db *db, uint32_t version);
uint32_t db_version_previous(const struct db *db, uint32_t version);

const char *engine_name(enum engine_kind engine); /* "postgresql" */
enum sql_dialect engine_dialect(enum engine_kind engine);
const char *db_error_text(enum db_error error); /* "serialization failure" */
const char *db_error_code(enum db_error error, enum engine_kind engine); /* "40001", "1213" */
const char *db_error_class(enum db_error error);                         /* Django's exception */

#endif
