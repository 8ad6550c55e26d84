/* Forwards connections from an address to a server, every byte as it is (save in the logins of those whose TLS is ended here, see
 * proxy/login.h), and puts a copy of what it forwards into a ring
 * (wire/traffic.h). It waits for nobody who reads the ring: where that is full, or its reader dead, it forwards and tells no more.
 * One thread, any number of connections; memory is taken for a connection only while one side is slower than the other.
 */
#ifndef LW_PROXY_RELAY_H
#define LW_PROXY_RELAY_H

#include "base/arena.h"
#include "base/err.h"
#include "proxy/ring.h"
#include "proxy/tls.h"

struct relay_options {
    struct str listen, upstream; /* HOST:PORT, :PORT, [ADDRESS]:PORT, or the path of a socket */
    char protocol;               /* as in TRAFFIC_OPEN */
    struct ring *ring;           /* NULL: only forward */
    struct tls *tls;             /* NULL: TLS is passed through; else it ends here. The caller's */
    /* A login was refused here, and why; may be NULL. */
    void (*note)(void *context, uint64_t connection, const char *why);
    void *note_context;
    const volatile int *stop;    /* set by a signal: all connections end */
    bool (*decoder_lives)(void *context); /* asked now and then; may be NULL */
    void *decoder_context;
};

struct relay_stats {
    uint64_t connection_count, refused_count; /* refused: the server did not take it */
    uint64_t login_refused_count; /* for what TLS is ended here */
    uint64_t byte_count;
    uint64_t lost_count; /* pieces that were forwarded and not told */
    bool has_decoder_died;
};

struct relay;

/* What the certificate of the server at this address must name: its host. False: the address is none, or has no name. */
bool relay_host(struct arena *arena, struct str address, struct str *host, struct err *err);
/* Listens, and knows where the server is (it is not asked yet). NULL with an error, if the addresses are none or can't be had. */
struct relay *relay_open(struct arena *arena, const struct relay_options *options, struct err *err);
/* The port that it listens on (0 of a path): what `:0` came to be. */
unsigned relay_port(const struct relay *relay);
/* Until stopped. */
void relay_run(struct relay *relay);
struct relay_stats relay_stats(const struct relay *relay);
void relay_close(struct relay *relay);
/* In a process that was forked and forwards nothing: gives back what it has of it, and leaves the sockets to the other. */
void relay_leave(struct relay *relay);

#endif
