/* TLS on sockets that do not block, by OpenSSL, which is loaded when it is first needed. `struct tls` is what all connections share:
 * the certificate that clients are shown, and how the server's is looked at. `struct tls_stream` is TLS on one socket, which stays the
 * caller's. A stream is used by one thread; what it answers says whether to come again when the socket can be read or written.
 */
#ifndef LW_PROXY_TLS_H
#define LW_PROXY_TLS_H

#include "base/arena.h"
#include "base/err.h"

/* Of the connection to the server. */
enum tls_upstream {
    TLS_PREFER,  /* where the server has it */
    TLS_DISABLE, /* never */
    TLS_REQUIRE, /* always, with whatever certificate */
    TLS_VERIFY,  /* always, with a certificate of that name, from an authority that is known */
};

struct tls_options {
    struct str certificate, key; /* files, PEM; empty: clients are offered no TLS */
    enum tls_upstream upstream;
    struct str authorities; /* a file, PEM; empty: those that the system knows */
    struct str host;        /* the server's name, as its certificate must have it */
};

enum tls_answer {
    TLS_DONE,
    TLS_WAIT_IN, /* again when the socket can be read */
    TLS_WAIT_OUT,
    TLS_OVER, /* the other side has said that no more comes */
    TLS_CUT,  /* no more comes, and the other side has not said so */
    TLS_FAILED,
};

struct tls;
struct tls_stream;

/* NULL, with what is wrong with the files. */
struct tls *tls_open(struct arena *arena, const struct tls_options *options, struct err *err);
void tls_close(struct tls *tls);
enum tls_upstream tls_upstream(const struct tls *tls);
/* Whether clients can be offered TLS. */
bool tls_has_certificate(const struct tls *tls);

/* On a socket whose other side is a client (then there must be a certificate) or the server. */
struct tls_stream *tls_begin(struct tls *tls, int fd, bool is_client, struct err *err);
/* `err` is filled where it fails. */
enum tls_answer tls_handshake(struct tls_stream *stream, struct err *err);
/* With TLS_DONE, `*count` is above 0. What was not written must come again, at another place or longer if need be. */
enum tls_answer tls_read(struct tls_stream *stream, char *bytes, size_t room, size_t *count);
enum tls_answer tls_write(struct tls_stream *stream, struct str bytes, size_t *count);
/* Whether bytes of it can be read without the socket. */
bool tls_has_bytes(const struct tls_stream *stream);
/* Says that no more comes. */
void tls_finish(struct tls_stream *stream);
void tls_free(struct tls_stream *stream);

/* Whether the client named PostgreSQL's protocol in its handshake (ALPN). */
bool tls_names_postgresql(const struct tls_stream *stream);
/* Whether the server showed the certificate that clients are shown: then a login that is bound to it passes through. */
bool tls_is_own_certificate(const struct tls *tls, const struct tls_stream *server);

#endif
