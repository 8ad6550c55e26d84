/* A server's binary log as a replica gets it: the events' bytes as they stand in the files, for a decoder of those. Reading takes
 * nothing from the server but a connection that it lists among its replicas; the user needs REPLICATION SLAVE, and to
 * begin with what is written now, REPLICATION CLIENT (MariaDB: BINLOG MONITOR).
 *
 *     struct replication *replication = replication_open(url, &from, &err);
 *     while ((state = replication_next(replication, &bytes, &err)) < REPLICATION_END)
 *         ...feed `bytes`, which may be empty...
 */
#ifndef LW_LIVE_REPLICATION_H
#define LW_LIVE_REPLICATION_H

#include "base/err.h"

/* Where to begin. */
struct replication_start {
    struct str file;    /* "binlog.000007"; empty: with what is written from now on, or with the oldest */
    bool is_whole;      /* from the oldest log that the server has (or `file`) to where it ends now, instead of on and on */
    uint64_t position;  /* of an event in `file`; below 4: its first */
    uint32_t server_id; /* among the server's replicas, of which no other may have it; 0: one is made up */
};

enum replication_state {
    REPLICATION_EVENT, /* `bytes` is one event */
    REPLICATION_IDLE,  /* nothing for a second, or what concerns a replica alone: a chance to look up */
    REPLICATION_END,   /* is_whole: all is told */
    REPLICATION_OVER,  /* the connection is lost, or the server can't send more: `err` says why */
};

/* The columns of a table, in their order, as the server's catalog has them now. */
struct live_columns {
    struct str *names;
    bool *is_key; /* of the primary key */
    size_t count;
};

struct replication;

/* Connects and asks for the log. NULL if that fails; passwords don't show in `err`. */
struct replication *replication_open(struct str url, const struct replication_start *from, struct err *err);

/* Waits for an event, about a second at most. `bytes` lives until the next call. */
enum replication_state replication_next(struct replication *replication, struct str *bytes,
                                        struct err *err);

/* What information_schema says of a table, over a connection of its own. False: the table is not there, or the user may not see it. */
bool replication_table(struct replication *replication, struct arena *arena, struct str schema, struct str table,
                       struct live_columns *columns);

/* The file that the last event stands in. */
struct str replication_file(const struct replication *replication);

/* NULL is nothing to close. */
void replication_close(struct replication *replication);

#endif
