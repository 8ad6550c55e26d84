/* The other side: a real server is asked what the script of a trial says. */
#ifndef LW_TESTS_DIFFERENTIAL_SERVER_H
#define LW_TESTS_DIFFERENTIAL_SERVER_H

#include "live/live.h"
#include "script.h"

struct server {
    struct live *live;
    const struct policy_under_test *policy; /* that the sessions are set up for; NULL: none yet */
    const struct world *world;              /* whose tables are there; NULL: none yet */
    uint64_t world_number;
    size_t used_count; /* times that rows were put back since the tables were emptied */
    bool finds_blockers;
};

/* Where and how a server answered otherwise. */
struct disagreement {
    enum difference kind; /* NONE: nowhere */
    size_t line_count;    /* of the script, up to and with the line that differs */
    struct answer answer; /* the server's */
    bool is_unexpected;   /* it let a session go on that should wait: not one of the script's lines */
    uint8_t session;      /* of that */
    struct str sql;
};

/* Connects; the server makes a place for the run. */
bool server_open(struct server *server, const char *url, bool finds_blockers, struct err *err);
bool server_close(struct server *server, struct err *err);

/* Makes the tables of a world, and has sessions begin at the policy's level. */
bool server_set_up(struct server *server, const struct world *world, uint64_t world_number,
                   const struct policy_under_test *policy, struct err *err);

/* Puts the rows of the trial back and plays the script to its end or to the first difference. */
bool server_play(struct server *server, const struct trial *trial, const struct script *script,
                 struct disagreement *disagreement, struct err *err);

#endif
