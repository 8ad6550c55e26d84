/* The beginning of a connection of which TLS is ended here: what client and server agree upon before the first command, up to the
 * point from which bytes are only forwarded. The client may have TLS and the server none, or the other way round; each is told of the
 * other what it can have. What either says of passwords is not told to those who look (it is overwritten with zeros).
 *
 * PostgreSQL: PostgreSQL manual, 55.2 and 55.3. MySQL: "Connection Phase" in MySQL's source documentation.
 * Internal to proxy/.
 */
#ifndef LW_PROXY_LOGIN_H
#define LW_PROXY_LOGIN_H

#include "proxy/end.h"

enum { LOGIN_CLIENT, LOGIN_SERVER };

struct login_options {
    struct tls *tls;
    char protocol; /* as in TRAFFIC_OPEN */
    void *context;
    /* What one side said, in the clear, as the other side gets it. */
    void (*tell)(void *context, struct pair *pair, int from, struct str bytes);
};

enum login_answer {
    LOGIN_WAIT, /* for the events in login_interest */
    LOGIN_DONE,
    LOGIN_FAILED, /* the connection is to be closed; if login_failure is not empty, it was refused here */
};

struct login;

/* `ends`: client, server; they stay the caller's. Both are connected when it first runs. */
struct login *login_new(const struct login_options *options, struct pair *pair, struct end *ends);
/* Goes on as far as it can. */
enum login_answer login_run(struct login *login);
/* What it waits for at that end: EPOLLIN, EPOLLOUT. */
uint32_t login_interest(const struct login *login, int end);
const char *login_failure(const struct login *login);
void login_free(struct login *login);

#endif
