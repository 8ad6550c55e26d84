#include "live/libpq.h"

#ifdef LW_HAVE_LIBPQ
#include "base/library.h"
#include "live/backend.h"

#include <poll.h>

static const struct pos no_pos;

struct live_libpq libpq;

bool live_libpq_load(struct err *err) {
    static const struct library_function functions[] = {
#define FUNCTION(name) {#name, &libpq.name},
#include "live/libpq.def"
    };
    return library_load("libpq.so.5", "such a URL", functions, sizeof(functions) / sizeof(functions[0]), err);
}

struct str live_libpq_line(const char *message) {
    struct str text = str_from_c(message);
    return str_sub(text, 0, str_find(text, '\n', 0));
}

bool live_libpq_connect(PGconn *conn, bool (*is_stopped)(void *context), void *context, struct err *err) {
    uint64_t began_us = live_now_us();
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;
    while (status != PGRES_POLLING_OK && status != PGRES_POLLING_FAILED) {
        short events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        struct pollfd fd = {.fd = libpq.PQsocket(conn), .events = events};
        int ready = poll(&fd, 1, 50);
        if (is_stopped(context))
            return err_set(err, no_pos, "interrupted");
        if (live_now_us() - began_us > LIVE_CONNECT_MS_MAX * 1000ull)
            return err_set(err, no_pos, "no connection to the server within %d ms", LIVE_CONNECT_MS_MAX);
        if (ready > 0)
            status = libpq.PQconnectPoll(conn);
    }
    if (status == PGRES_POLLING_FAILED)
        return err_set(err, no_pos, "%.*s", STR_ARG(live_libpq_line(libpq.PQerrorMessage(conn))));
    return true;
}
#endif
