/* libmariadb, loaded, and what all connections to MySQL and MariaDB take from their URL. */
#ifndef LW_LIVE_LIBMARIADB_H
#define LW_LIVE_LIBMARIADB_H

#ifdef LW_HAVE_LIBMARIADB
#include "live/url.h"

#include <mysql.h>

struct live_libmariadb {
#define FUNCTION(name) __typeof__(&name) name;
#include "live/libmariadb.def"
};

/* To be loaded before its first use. */
extern struct live_libmariadb libmariadb;
bool live_libmariadb_load(struct err *err);

/* Checks the URL's options, and sets those of TLS. */
bool live_mysql_set_options(const struct live_url *url, MYSQL *handle, struct err *err);

/* Whether the connection has the TLS that the URL asks for. */
bool live_mysql_has_tls(const struct live_url *url, MYSQL *handle, struct err *err);

/* Where and as whom to connect; NULL: the library's own. Owned by `arena`. */
struct live_mysql_target {
    const char *host, *user, *password, *socket;
};
struct live_mysql_target live_mysql_target(struct arena *arena, const struct live_url *url);
#endif

#endif
