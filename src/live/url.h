/* The URL of a database. Percent-encoded parts come out decoded; what is wrong is told by the part's name, never with
 * the password. PostgreSQL's are read by libpq itself, which knows more forms (several hosts, service files); here
 * only what must be known of them before: whose they are, and where a password stands.
 *
 *     postgresql://user:password@host:port/database?sslmode=require      or postgres://
 *     mysql://user:password@host:port/database?ssl-mode=REQUIRED         or mariadb://; database not needed
 *     sqlite:PATH?journal_mode=wal
 */
#ifndef LW_LIVE_URL_H
#define LW_LIVE_URL_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"

enum live_scheme { LIVE_SCHEME_POSTGRESQL, LIVE_SCHEME_MYSQL, LIVE_SCHEME_SQLITE };

struct live_url_option {
    struct str name, value; /* decoded; a name's '_' is '-' */
};

struct live_url {
    enum live_scheme scheme;
    struct str text;           /* as given */
    struct str user, password; /* ptr NULL: not given */
    struct str host;           /* ptr NULL: not given; of several the last */
    unsigned port;             /* 0: not given */
    struct str database;       /* SQLite: the path */
    VEC(struct live_url_option) options;
    VEC(struct str) secrets; /* each form of a password, for live_url_scrub */
};

/* Everything is owned by `arena`. False, with the part that is wrong, if `text` is no such URL. */
bool live_url_parse(struct arena *arena, struct str text, struct live_url *url, struct err *err);

/* The option's value, or ptr NULL. */
struct str live_url_option(const struct live_url *url, const char *name);

/* `message` with each password of `url` replaced, as libraries may echo what they were given; owned by `arena`. */
struct str live_url_scrub(struct arena *arena, const struct live_url *url, struct str message);

#endif
