/* libpq, loaded, and what all connections through it do alike. */
#ifndef LW_LIVE_LIBPQ_H
#define LW_LIVE_LIBPQ_H

#ifdef LW_HAVE_LIBPQ
#include "base/err.h"

#include <libpq-fe.h>

struct live_libpq {
#define FUNCTION(name) __typeof__(&name) name;
#include "live/libpq.def"
};

/* To be loaded before its first use. */
extern struct live_libpq libpq;
bool live_libpq_load(struct err *err);

enum { LIVE_CONNECT_MS_MAX = 10000 };

/* Waits until a connection that PQconnectStartParams has begun is there. False, with the reason, if there will be none, if it takes longer
 * than LIVE_CONNECT_MS_MAX, or `is_stopped`. */
bool live_libpq_connect(PGconn *conn, bool (*is_stopped)(void *context), void *context, struct err *err);

/* The first line of a message of libpq's, which has further ones behind it. */
struct str live_libpq_line(const char *message);
#endif

#endif
