#include "proxy/address.h"

#include <netdb.h>
#include <stddef.h>
#include <sys/un.h>

static const struct pos no_pos;

static bool parse_path(struct str text, struct address *address, struct err *err) {
    struct sockaddr_un path = {.sun_family = AF_UNIX};
    if (text.len >= sizeof(path.sun_path))
        return err_set(err, no_pos, "the path of a socket has at most %zu bytes", sizeof(path.sun_path) - 1);
    memcpy(path.sun_path, text.ptr, text.len);
    memcpy(&address->places[0].storage, &path, sizeof(path));
    address->places[0].len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + text.len + 1);
    address->place_count = 1;
    return true;
}

bool address_parse(struct arena *arena, struct str text, bool is_to_listen, struct address *address, struct err *err) {
    *address = (struct address){.text = text};
    if (str_starts(text, "/"))
        return parse_path(text, address, err);
    size_t colon = text.len;
    while (colon > 0 && text.ptr[colon - 1] != ':')
        colon--;
    struct str host = str_sub(text, 0, colon > 0 ? colon - 1 : 0), port = str_sub(text, colon, text.len);
    if (colon == 0 || port.len == 0)
        return err_set(err, no_pos, "'%.*s' is no address: HOST:PORT, :PORT, [ADDRESS]:PORT, or the path of a socket",
                       STR_ARG(text));
    if (host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        host = str_sub(host, 1, host.len - 1);
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM,
                             .ai_flags = is_to_listen ? AI_PASSIVE : 0}, *found = NULL;
    int failure = getaddrinfo(host.len > 0 ? str_to_c(arena, host) : NULL, str_to_c(arena, port), &hints, &found);
    if (failure != 0)
        return err_set(err, no_pos, "'%.*s': %s", STR_ARG(text), gai_strerror(failure));
    address->host = host;
    for (const struct addrinfo *one = found; one != NULL && address->place_count < ADDRESS_PLACES_MAX; one = one->ai_next) {
        struct address_place *place = &address->places[address->place_count++];
        memcpy(&place->storage, one->ai_addr, one->ai_addrlen);
        place->len = one->ai_addrlen;
    }
    freeaddrinfo(found);
    return true;
}
