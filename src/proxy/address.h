/* Addresses of sockets, as users write them. */
#ifndef LW_PROXY_ADDRESS_H
#define LW_PROXY_ADDRESS_H

#include "base/arena.h"
#include "base/err.h"

#include <sys/socket.h>

struct address {
    struct sockaddr_storage storage;
    socklen_t len;
    struct str text; /* as given */
};

/* HOST:PORT, :PORT (to listen: every address; to connect: this machine), [ADDRESS]:PORT, or a path. False, with what is wrong. */
bool address_parse(struct arena *arena, struct str text, bool is_to_listen, struct address *address, struct err *err);

#endif
