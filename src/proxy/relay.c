#include "proxy/relay.h"

#include "proxy/address.h"
#include "wire/traffic.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS_MAX = 256, BACKLOG = 1024, TICK_MS = 200 };

static const struct pos no_pos;

/* One side of a connection: 0 the client's, 1 the server's. */
struct end {
    struct pair *pair;
    int fd;
    uint32_t interest;   /* of epoll, as told to it */
    bool is_at_end;      /* it sends no more */
    bool is_shut;        /* it has been told that no more comes */
    char *waiting;       /* for it, what it did not take yet */
    size_t waiting_from, waiting_len;
};

struct pair {
    struct end ends[2];
    uint64_t number;
    bool is_connecting, is_told, is_dead;
    uint64_t lost_bytes; /* not told, since the last that was */
    struct pair *next, *before, *next_dead;
};

struct relay {
    struct relay_options options;
    struct address listen, upstream;
    int epoll, listener;
    bool is_full;  /* there are no more file descriptors: nobody is taken until one is free */
    int64_t now_us;
    struct pair *pairs, *dead;
    struct relay_stats stats;
    char bytes[TRAFFIC_FRAME_BYTES_MAX];
};

/* --- telling --- */

static bool tell(struct relay *relay, struct pair *pair, enum traffic_kind kind, struct str bytes, uint64_t lost_bytes) {
    unsigned char header[TRAFFIC_HEADER_BYTES];
    struct traffic_frame frame = {kind, (uint32_t)bytes.len, pair->number, relay->now_us, lost_bytes};
    traffic_put_header(&frame, header);
    return ring_write(relay->options.ring, (struct str){(const char *)header, sizeof(header)}, bytes);
}

static void tell_bytes(struct relay *relay, struct pair *pair, int from, struct str bytes) {
    if (relay->options.ring == NULL || !pair->is_told)
        return;
    if (pair->lost_bytes > 0 && tell(relay, pair, TRAFFIC_LOST, (struct str){0}, pair->lost_bytes))
        pair->lost_bytes = 0;
    if (pair->lost_bytes == 0 && tell(relay, pair, from == 0 ? TRAFFIC_CLIENT : TRAFFIC_SERVER, bytes, 0))
        return;
    pair->lost_bytes += bytes.len;
    relay->stats.lost_count++;
}

/* --- connections --- */

static void watch_end(struct relay *relay, struct end *end) {
    const struct end *other = &end->pair->ends[end == &end->pair->ends[0]];
    uint32_t interest = 0;
    if (!end->is_at_end && other->waiting_len == 0 && !end->pair->is_connecting)
        interest |= EPOLLIN;
    if (end->waiting_len > 0 || (end->pair->is_connecting && end == &end->pair->ends[1]))
        interest |= EPOLLOUT;
    if (interest == end->interest)
        return;
    end->interest = interest;
    struct epoll_event event = {.events = interest, .data.ptr = end};
    epoll_ctl(relay->epoll, EPOLL_CTL_MOD, end->fd, &event);
}

static void kill_pair(struct relay *relay, struct pair *pair) {
    if (pair->is_dead)
        return;
    pair->is_dead = true;
    if (relay->options.ring != NULL && pair->is_told && !tell(relay, pair, TRAFFIC_CLOSE, (struct str){0}, 0))
        relay->stats.lost_count++;
    for (int i = 0; i < 2; i++) {
        close(pair->ends[i].fd);
        free(pair->ends[i].waiting);
    }
    *(pair->before != NULL ? &pair->before->next : &relay->pairs) = pair->next;
    if (pair->next != NULL)
        pair->next->before = pair->before;
    pair->next_dead = relay->dead;
    relay->dead = pair;
}

static bool set_up(int fd) {
    int on = 1;
    /* Of a Unix socket that is none of TCP these fail, and nobody minds. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

static void add_pair(struct relay *relay, int client, int server, bool is_connecting) {
    struct pair *pair = mem_alloc(sizeof(*pair));
    *pair = (struct pair){.number = ++relay->stats.connection_count, .is_connecting = is_connecting, .next = relay->pairs};
    int fds[2] = {client, server};
    for (int i = 0; i < 2; i++) {
        struct epoll_event event = {.data.ptr = &pair->ends[i]};
        pair->ends[i] = (struct end){.pair = pair, .fd = fds[i]};
        epoll_ctl(relay->epoll, EPOLL_CTL_ADD, fds[i], &event);
    }
    if (relay->pairs != NULL)
        relay->pairs->before = pair;
    relay->pairs = pair;
    if (relay->options.ring != NULL) {
        pair->is_told = tell(relay, pair, TRAFFIC_OPEN, (struct str){&relay->options.protocol, 1}, 0);
        relay->stats.lost_count += !pair->is_told;
    }
    for (int i = 0; i < 2; i++)
        watch_end(relay, &pair->ends[i]);
}

/* The server's side; -1: it can't be reached. */
static int connect_upstream(struct relay *relay, bool *is_connecting) {
    int fd = socket(relay->upstream.storage.ss_family, SOCK_STREAM, 0);
    if (fd < 0)
        return -1;
    bool is_up = set_up(fd) && connect(fd, (struct sockaddr *)&relay->upstream.storage, relay->upstream.len) == 0;
    *is_connecting = !is_up && errno == EINPROGRESS;
    if (is_up || *is_connecting)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static void watch_listener(struct relay *relay, bool is_full) {
    struct epoll_event event = {.events = is_full ? 0 : EPOLLIN, .data.ptr = NULL};
    relay->is_full = is_full;
    epoll_ctl(relay->epoll, EPOLL_CTL_MOD, relay->listener, &event);
}

static void take_clients(struct relay *relay) {
    for (int i = 0; i < BACKLOG; i++) {
        bool is_connecting = false;
        int client = accept(relay->listener, NULL, NULL);
        if (client < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                watch_listener(relay, true);
            return;
        }
        int server = set_up(client) ? connect_upstream(relay, &is_connecting) : -1;
        if (server < 0) {
            close(client);
            relay->stats.refused_count++;
            continue;
        }
        add_pair(relay, client, server, is_connecting);
    }
}

static void keep_waiting(struct end *end, struct str bytes) {
    if (end->waiting == NULL)
        end->waiting = mem_alloc(TRAFFIC_FRAME_BYTES_MAX);
    memcpy(end->waiting, bytes.ptr, bytes.len);
    end->waiting_from = 0;
    end->waiting_len = bytes.len;
}

/* How much of it the end takes at once; -1: it is gone. */
static ssize_t send_some(struct end *end, struct str bytes) {
    ssize_t sent = send(end->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
    if (sent < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -1;
    return sent;
}

/* What one end no longer sends the other is told so; a connection of which neither sends any more is over. */
static void pass_end(struct relay *relay, struct pair *pair) {
    for (int i = 0; i < 2; i++) {
        struct end *from = &pair->ends[i], *to = &pair->ends[!i];
        if (from->is_at_end && to->waiting_len == 0 && !to->is_shut) {
            shutdown(to->fd, SHUT_WR);
            to->is_shut = true;
        }
    }
    if (pair->ends[0].is_shut && pair->ends[1].is_shut)
        kill_pair(relay, pair);
}

static void forward(struct relay *relay, struct end *end) {
    struct pair *pair = end->pair;
    int from = end == &pair->ends[1];
    struct end *to = &pair->ends[!from];
    ssize_t count = recv(end->fd, relay->bytes, sizeof(relay->bytes), 0);
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (count < 0) {
        kill_pair(relay, pair);
        return;
    }
    if (count == 0) {
        end->is_at_end = true;
        pass_end(relay, pair);
        return;
    }
    struct str bytes = {relay->bytes, (size_t)count};
    relay->stats.byte_count += bytes.len;
    /* The copy first: no answer before its question. */
    tell_bytes(relay, pair, from, bytes);
    ssize_t sent = send_some(to, bytes);
    if (sent < 0)
        kill_pair(relay, pair);
    else if ((size_t)sent < bytes.len)
        keep_waiting(to, str_sub(bytes, (size_t)sent, bytes.len));
}

static void flush(struct relay *relay, struct end *end) {
    struct str rest = {end->waiting + end->waiting_from, end->waiting_len};
    ssize_t sent = send_some(end, rest);
    if (sent < 0) {
        kill_pair(relay, end->pair);
        return;
    }
    end->waiting_from += (size_t)sent;
    end->waiting_len -= (size_t)sent;
    if (end->waiting_len > 0)
        return;
    free(end->waiting);
    end->waiting = NULL;
    pass_end(relay, end->pair);
}

static void connected(struct relay *relay, struct pair *pair) {
    int failure = 0;
    socklen_t len = sizeof(failure);
    if (getsockopt(pair->ends[1].fd, SOL_SOCKET, SO_ERROR, &failure, &len) != 0 || failure != 0) {
        relay->stats.refused_count++;
        kill_pair(relay, pair);
        return;
    }
    pair->is_connecting = false;
}

static void serve(struct relay *relay, struct end *end, uint32_t events) {
    struct pair *pair = end->pair;
    if (!pair->is_dead && pair->is_connecting && end == &pair->ends[1])
        connected(relay, pair);
    if (!pair->is_dead && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0 && end->waiting_len > 0)
        flush(relay, end);
    bool may_read = !pair->is_dead && !pair->is_connecting && !end->is_at_end &&
                    pair->ends[end == &pair->ends[0]].waiting_len == 0;
    if (may_read && (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0)
        forward(relay, end);
    else if (!pair->is_dead && (events & EPOLLERR) != 0 && !pair->is_connecting)
        kill_pair(relay, pair);
    for (int i = 0; i < 2 && !pair->is_dead; i++)
        watch_end(relay, &pair->ends[i]);
}

static void bury(struct relay *relay) {
    if (relay->dead != NULL && relay->is_full)
        watch_listener(relay, false);
    while (relay->dead != NULL) {
        struct pair *pair = relay->dead;
        relay->dead = pair->next_dead;
        free(pair);
    }
}

static void tell_time(struct relay *relay) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    relay->now_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void relay_run(struct relay *relay) {
    struct epoll_event events[EVENTS_MAX];
    int64_t asked_us = 0;
    while (*relay->options.stop == 0) {
        int count = epoll_wait(relay->epoll, events, EVENTS_MAX, TICK_MS);
        tell_time(relay);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == NULL)
                take_clients(relay);
            else
                serve(relay, events[i].data.ptr, events[i].events);
        }
        bury(relay);
        bool is_due = relay->now_us - asked_us > TICK_MS * 1000 || relay->now_us < asked_us;
        if (relay->options.ring == NULL || relay->options.decoder_lives == NULL || !is_due)
            continue;
        asked_us = relay->now_us;
        if (!relay->options.decoder_lives(relay->options.decoder_context)) {
            relay->options.ring = NULL;
            relay->stats.has_decoder_died = true;
        }
    }
    while (relay->pairs != NULL)
        kill_pair(relay, relay->pairs);
    bury(relay);
}

static bool listen_there(struct relay *relay, struct err *err) {
    int on = 1;
    relay->listener = socket(relay->listen.storage.ss_family, SOCK_STREAM, 0);
    if (relay->listener >= 0)
        setsockopt(relay->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (relay->listener < 0 || !set_up(relay->listener) ||
        bind(relay->listener, (struct sockaddr *)&relay->listen.storage, relay->listen.len) != 0 ||
        listen(relay->listener, BACKLOG) != 0)
        return err_set(err, no_pos, "cannot listen on '%.*s': %s", STR_ARG(relay->listen.text), strerror(errno));
    return true;
}

struct relay *relay_open(struct arena *arena, const struct relay_options *options, struct err *err) {
    struct relay *relay = mem_alloc(sizeof(*relay));
    memset(relay, 0, sizeof(*relay));
    relay->options = *options;
    relay->listener = -1;
    relay->epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (!address_parse(arena, options->upstream, false, &relay->upstream, err) ||
        !address_parse(arena, options->listen, true, &relay->listen, err) || !listen_there(relay, err)) {
        relay_close(relay);
        return NULL;
    }
    epoll_ctl(relay->epoll, EPOLL_CTL_ADD, relay->listener, &event);
    tell_time(relay);
    return relay;
}

unsigned relay_port(const struct relay *relay) {
    struct sockaddr_storage at;
    socklen_t len = sizeof(at);
    if (getsockname(relay->listener, (struct sockaddr *)&at, &len) != 0)
        return 0;
    if (at.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)&at)->sin_port);
    return at.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&at)->sin6_port) : 0;
}

struct relay_stats relay_stats(const struct relay *relay) {
    return relay->stats;
}

void relay_leave(struct relay *relay) {
    if (relay->listener >= 0)
        close(relay->listener);
    close(relay->epoll);
    free(relay);
}

void relay_close(struct relay *relay) {
    if (relay->listener >= 0 && relay->listen.storage.ss_family == AF_UNIX)
        unlink(((const struct sockaddr_un *)&relay->listen.storage)->sun_path);
    relay_leave(relay);
}
