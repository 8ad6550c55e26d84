/* A server as a source of watch: its binary log, as it is sent to a replica, or its logical decoding, as it is sent to a subscriber. */
#ifndef LW_CLI_WATCH_SERVER_H
#define LW_CLI_WATCH_SERVER_H

#include "trace/source.h"

/* What is asked of PostgreSQL. */
struct watch_server_options {
    struct str publication; /* empty: none is named */
    struct str slot;        /* one that is there; empty: a temporary one */
    bool makes_publication;
    const char *record_path; /* what is sent is written there; NULL: nowhere */
};

/* Whether a path is no path but such a server's URL, and one of PostgreSQL. */
bool watch_is_server(struct str path);
bool watch_is_postgresql(struct str path);

enum watch_server_end { WATCH_SERVER_READ, WATCH_SERVER_LOST, WATCH_SERVER_REFUSED };

/* Reads all that the server still has, or, if the reader follows, what it writes from now on until `stop`. REFUSED, and nothing was read: it
 * can't; LOST: it was cut off, or has left something on the server; `err` says why. */
enum watch_server_end watch_server_read(struct trace_reader *reader, struct str url, const struct watch_server_options *options,
                                        struct err *err);

#endif
