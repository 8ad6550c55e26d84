/* A real server behind what engine.h asks of a database: resolved statements and host values in, db_results out.
 *
 * The built-in engine runs beside it, statement by statement, as its shadow (the `db` of each call). As long as both
 * give the same answers, the shadow's stand for both, with the row versions that no server tells; the numbers that the
 * server gave to generated keys are kept apart and put in where they are sent. Where an answer differs the server is
 * right: its own answers are handed out from there on, without versions, and server_differs says what differed first.
 *
 * One run after the other: server_restart puts the rows back and makes its caller's run the current one. A call that
 * fails (the server is lost, a signal came) makes every later one fail at once; the sessions see database errors, so
 * a run comes to its end, and server_failed says that it means nothing.
 */
#ifndef LW_LIVE_SERVER_H
#define LW_LIVE_SERVER_H

#include "engine/engine.h"
#include "live/live.h"

struct server;

/* What is in the tables when a run begins. Pointers are shared, and outlive the server's use of them. */
struct server_setup {
    const struct schema *schema;
    struct text_pool *pool; /* grows by the texts of answers */
    struct sql_stmt *const *rows; /* resolved INSERTs, UPDATEs, without host values */
    size_t row_count;
};

/* Takes over `live`, which has its place already. */
struct server *server_new(struct live *live, size_t session_count);
/* Frees it, the `live` too; what could not be dropped is said in `err`. */
bool server_close(struct server *server, struct err *err);

const struct live *server_live(const struct server *server);
enum engine_kind server_engine(const struct server *server);
/* Whether the server is of the config's engine and has its setting. */
bool server_has(const struct server *server, const struct db_config *config);

/* Makes the tables of `setup` in the server's place, in place of those of an earlier one, unless they are the same
 * ones, and sets what sessions begin with. False: the server's error, or what it has no tables for. */
bool server_prepare(struct server *server, const struct server_setup *setup,
                    const struct db_config *config, struct err *err);

/* Rolls back all sessions, puts the rows back, and begins a run: its number, from 1. */
uint32_t server_restart(struct server *server);
/* The run that was begun last; 0: none. */
uint32_t server_run(const struct server *server);

/* As db_exec, db_resume, db_timeout, db_in_transaction. `db` is the shadow: it was copied from where the rows had just
 * been loaded, and has done what this run did. */
void server_exec(struct server *server, struct db *db, size_t session, const struct sql_stmt *stmt,
                 const struct db_bind *binds, struct db_result *result);
int server_resume(struct server *server, struct db *db, struct db_result *result);
void server_timeout(struct server *server, struct db *db, size_t session,
                    struct db_result *result);
bool server_in_transaction(const struct server *server, const struct db *db, size_t session);

/* The rows of a table as the server has them committed, in primary key order: `*values` has one value a column, row by
 * row; it holds until the next call. Their count, 0 after a failure. They are held against the shadow's. */
size_t server_rows(struct server *server, const struct db *db, uint16_t table,
                   const struct value **values);

/* What the current run's first difference is, "B: UPDATE ...: UPDATE 1; the built-in engine: waits"; NULL: none. */
const char *server_differs(const struct server *server);
/* Whether in the current run one went on before another that would have been first in the built-in engine, where that is a
 * race: the engine follows. */
bool server_raced(const struct server *server);
/* Whether a call failed, and why. */
bool server_failed(const struct server *server, struct err *err);

#endif
