/* The two ends of a connection that is forwarded: sockets that do not block, with or without TLS, and what waits for each because it
 * was not taken at once. Internal to proxy/.
 */
#ifndef LW_PROXY_END_H
#define LW_PROXY_END_H

#include "proxy/tls.h"

#include <sys/types.h>

struct pair;

/* What waits for an end at most; nothing is read for it before that is gone. */
enum { END_WAITING_BYTES_MAX = 1 << 16 };

struct end {
    struct pair *pair;
    int fd;                 /* -1: not there yet */
    uint32_t interest;      /* of epoll, as told to it */
    bool is_at_end;         /* it sends no more */
    bool is_cut;            /* without having said so, in TLS */
    bool is_shut;           /* it has been told that no more comes */
    bool reads_want_out;    /* TLS: reading goes on when it can be written to */
    bool sends_want_in;
    struct tls_stream *tls; /* NULL: without */
    char *waiting;          /* for it, what it did not take yet */
    size_t waiting_from, waiting_len;
};

enum { END_NOTHING = 0, END_OVER = -1, END_BROKEN = -2 };

/* Whether bytes of it are there that the socket no longer has. */
bool end_has_bytes(const struct end *end);
/* The number of bytes; or that there are none now, that no more come, that it is gone. */
ssize_t end_receive(struct end *end, char *bytes, size_t room);
/* Sends, and keeps what is not taken. False: it is gone, or too much waits. */
bool end_send(struct end *end, struct str bytes);
/* Sends of what waits. False: it is gone. */
bool end_flush(struct end *end);
/* Tells it that no more comes; `is_cut`: that it ended otherwise than it should have. */
void end_finish(struct end *end, bool is_cut);
/* Frees what it holds, and closes the socket. */
void end_release(struct end *end);

#endif
