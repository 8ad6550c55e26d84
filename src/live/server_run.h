/* The inside of a `struct server`, shared by server*.c only. */
#ifndef LW_LIVE_SERVER_RUN_H
#define LW_LIVE_SERVER_RUN_H

#include "live/server.h"
#include "live/translate.h"

/* A session's statement at hand. */
struct sent {
    const struct sql_stmt *stmt;
    struct buf text;
    bool adds_returning;  /* PostgreSQL was asked for the key */
    bool has_result;      /* the shadow's came before the server's */
    struct db_result result; /* it, in `memory` */
    struct arena memory;
};

struct value_list {
    struct value *items;
    size_t count, capacity;
};

/* What the programs left behind in their sessions, beyond transactions. */
struct leftovers {
    VEC(struct str) variables; /* that were SET, of `memory` */
    bool has_advisory, has_table_locks, has_level;
    struct arena memory;
};

struct server {
    struct live *live;
    size_t session_count;
    enum engine_kind engine;
    bool has_snapshot_isolation; /* MariaDB: the variable is there */
    struct server_setup setup;   /* schema NULL: no tables yet */
    struct db_config config;
    bool is_configured;
    uint64_t reach[SCHEMA_TABLES_MAX]; /* the table, and those whose rows hang on it */
    uint64_t touched;                  /* tables that don't hold their first rows any more */
    struct leftovers leftovers;
    struct translator t;
    struct sent sent[DB_SESSIONS_MAX];
    uint8_t generated[DB_SESSIONS_MAX]; /* ordinals that values of the session have taken */
    uint32_t run;
    bool differs, raced;
    char difference[400];
    bool has_failed;
    struct err failure;
    struct arena scratch; /* of the answer at hand */
    struct value_list rows;
};

/* Notes the failure of a call; the first one counts. Always false. */
bool server_fail(struct server *server, const struct err *err);
/* Runs a statement that must not wait, and whose error is a failure of ours. */
bool server_set(struct server *server, size_t session, struct str sql, struct err *err);
/* What the session does beyond its transaction, to be undone. */
void server_note_leftovers(struct server *server, const struct sql_stmt *stmt);
bool server_undo_leftovers(struct server *server, struct err *err);
/* Sets each session's level and the like. */
bool server_set_sessions(struct server *server, struct err *err);

/* The statement of `sent` as it goes to the server, into sent.text. */
void server_write(struct server *server, size_t session, const struct sql_stmt *stmt,
                  const struct db_bind *binds);

/* Takes in how a statement ended: the server's answer and the shadow's (NULL: none yet, though it should have one).
 * Fills `*result` from the shadow if both say the same, else from the server. */
void server_settle(struct server *server, struct db *db, size_t session,
                   const struct live_answer *answer, const struct db_result *mine,
                   struct db_result *result);
/* Notes the run's first difference. `mine` NULL: the engine has nothing to say. */
void server_note(struct server *server, size_t session, const struct live_answer *answer,
                 const struct db_result *mine);

#endif
