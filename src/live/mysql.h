/* What the two files of the MySQL and MariaDB back end share. */
#ifndef LW_LIVE_MYSQL_H
#define LW_LIVE_MYSQL_H

#include "live/backend.h"

/* innodb_waits.c: who waits, as the server's monitor and its list of processes tell. */
bool live_innodb_ask(struct live *live, uint32_t sessions, struct err *err);
bool live_innodb_is_settled(const struct live *live, size_t index);
/* Whether the user may see all that live_innodb_ask looks at. */
bool live_innodb_may_ask(struct live *live, struct err *err);

#endif
