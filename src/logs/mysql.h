/* What the general and the slow log of MySQL and MariaDB have in common. */
#ifndef LW_LOGS_MYSQL_H
#define LW_LOGS_MYSQL_H

#include "logs/out.h"

/* The lines that a server writes when it starts: `/usr/sbin/mysqld, Version: ... started with:`, then two more. The
 * threads count anew behind them. */
bool mysql_log_is_banner(struct str line);
bool mysql_log_is_banner_rest(struct str line);

/* Sessions of the server's `run`-th start since the log began. */
uint64_t mysql_log_session(uint64_t run, uint64_t thread);

#endif
