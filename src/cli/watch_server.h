/* A server as a source of watch: its binary log, as it is sent to a replica. */
#ifndef LW_CLI_WATCH_SERVER_H
#define LW_CLI_WATCH_SERVER_H

#include "trace/source.h"

/* Whether a path is no path but such a server's URL. */
bool watch_is_server(struct str path);

/* Reads all that the server still has, or, if the reader follows, what it writes from now on until `stop`. False if it can't. */
bool watch_server_read(struct trace_reader *reader, struct str url, struct err *err);

#endif
