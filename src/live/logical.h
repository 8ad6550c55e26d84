/* PostgreSQL's logical decoding as a subscriber gets it: what the plugin pgoutput writes of each transaction that commits, for a decoder of
 * that. It needs wal_level = logical, a user with REPLICATION, and a publication, which says what is told. What is read is confirmed, so that
 * the server keeps nothing; the slot is a temporary one, gone with the connection, unless one that is there is named: that one is read and
 * left as it is.
 *
 *     struct logical *logical = logical_open(url, &from, &err);
 *     while ((state = logical_next(logical, &bytes, &err)) < REPLICATION_END)
 *         ...feed `bytes`, which may be empty...
 */
#ifndef LW_LIVE_LOGICAL_H
#define LW_LIVE_LOGICAL_H

#include "live/replication.h"

struct logical_start {
    struct str publication; /* empty: an error that says which there are, unless one is made */
    bool makes_publication; /* of all tables that tell their rows apart; logical_close drops it */
    struct str slot;        /* one that is there; empty: a temporary one, of what is committed from now on */
    bool is_whole;          /* of a slot: what it holds now, instead of on and on */
    const volatile int *stop; /* set by a signal: no more is waited for; may be NULL */
};

struct logical;

/* Connects and asks for the stream. NULL if that fails; passwords don't show in `err`. */
struct logical *logical_open(struct str url, const struct logical_start *from, struct err *err);

/* Waits for a message, about a second at most: an XLogData as it stands in CopyData. `bytes` lives until the next call. */
enum replication_state logical_next(struct logical *logical, struct str *bytes, struct err *err);

/* What the catalog says of a table, over a connection of its own. False: it is not there, or the server does not answer. */
bool logical_table(struct logical *logical, struct arena *arena, struct str schema, struct str table, struct live_columns *columns);

/* The name of the publication that is read, and of the slot. */
struct str logical_publication(const struct logical *logical);

/* False, with what there is to be done by hand, if something is left behind on the server. NULL is nothing to close. */
bool logical_close(struct logical *logical, struct err *err);

#endif
