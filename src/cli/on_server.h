/* `--on URL`: the real server that prove runs on.
 */
#ifndef LW_CLI_ON_SERVER_H
#define LW_CLI_ON_SERVER_H

#include "cli/progress.h"
#include "cli/target.h"
#include "verdict/proof.h"

/* What was found at the URL before anything was made there. */
struct on_server {
    struct str url;
    struct str shown;        /* the URL without its password */
    struct str name;         /* "PostgreSQL 15.18" */
    enum engine_kind engine;
    uint32_t version;        /* as engine/version.h has it */
    struct server *server;   /* once it is open */
    struct progress progress;
};

/* Asks the server who it is, and makes it the target's engine. False if it can't be reached, or the target says
 * another engine. Texts go to `arena`. */
bool on_server_find(struct arena *arena, struct str url, struct target *target,
                    struct on_server *on, struct err *err);

/* Connects `session_count` sessions, says on standard error what will be made, makes it, and has SIGINT, SIGTERM and SIGHUP
 * end the run in order. */
bool on_server_open(struct on_server *on, size_t session_count, struct err *err);
/* Drops it all, if it was opened. False, with what could not be dropped. */
bool on_server_close(struct on_server *on, struct err *err);

/* As proof_options.on_progress: says on a terminal what runs, once it takes longer than a second. */
void on_server_progress(void *on, enum policy_id policy, uint64_t schedule_count);

#endif
