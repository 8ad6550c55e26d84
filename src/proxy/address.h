/* Addresses of sockets, as users write them. */
#ifndef LW_PROXY_ADDRESS_H
#define LW_PROXY_ADDRESS_H

#include "base/arena.h"
#include "base/err.h"

#include <sys/socket.h>

struct address_place {
    struct sockaddr_storage storage;
    socklen_t len;
};

enum { ADDRESS_PLACES_MAX = 16 };

struct address {
    struct str text, host; /* as given; the host's name or number, empty if there is none */
    struct address_place places[ADDRESS_PLACES_MAX]; /* all that the name has, in the order in which to try them */
    size_t place_count;
};

/* HOST:PORT, :PORT (to listen: every address; to connect: this machine), [ADDRESS]:PORT, or a path. False, with what is wrong. */
bool address_parse(struct arena *arena, struct str text, bool is_to_listen, struct address *address, struct err *err);

#endif
