#include "proxy/relay.h"

#include "proxy/address.h"
#include "proxy/login.h"
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
enum { CONNECT_MS_MAX = 3000, LOGIN_MS_MAX = 60000 }; /* for each address; PostgreSQL's authentication_timeout */

static const struct pos no_pos;

struct pair {
    struct end ends[2]; /* the client's, the server's */
    uint64_t number;
    bool is_connecting, is_told, is_dead;
    size_t first_place, tried_count; /* of the server's addresses */
    int64_t deadline_ms;    /* of the monotonic clock, for connecting or logging in; 0: none */
    struct login *login;    /* NULL: bytes are forwarded as they are */
    uint64_t lost_bytes;    /* not told, since the last that was */
    struct pair *next, *before, *next_dead;
};

struct relay {
    struct relay_options options;
    struct address listen, upstream;
    size_t place; /* of the server's addresses: the one that answered last */
    int epoll, listener;
    bool is_full;  /* there are no more file descriptors: nobody is taken until one is free */
    int64_t now_us;
    size_t timed_count; /* pairs that have a deadline */
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

static void tell_login(void *context, struct pair *pair, int from, struct str bytes) {
    struct relay *relay = context;
    relay->stats.byte_count += bytes.len;
    tell_bytes(relay, pair, from, bytes);
}

/* --- connections --- */

static int64_t monotonic_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* So long from now; 0: as long as it takes. */
static void limit(struct relay *relay, struct pair *pair, int64_t ms) {
    relay->timed_count -= pair->deadline_ms != 0;
    pair->deadline_ms = ms > 0 ? monotonic_ms() + ms : 0;
    relay->timed_count += pair->deadline_ms != 0;
}

static struct end *other_end(struct end *end) {
    return &end->pair->ends[end == &end->pair->ends[0]];
}

/* Whether there is somewhere to put what it sends. */
static bool may_read(struct end *end) {
    return !end->pair->is_dead && !end->pair->is_connecting && !end->is_at_end && other_end(end)->waiting_len == 0;
}

static void watch_end(struct relay *relay, struct end *end) {
    struct pair *pair = end->pair;
    bool is_client = end == &pair->ends[0];
    uint32_t interest = 0;
    if (pair->is_connecting)
        interest = is_client ? 0 : EPOLLOUT;
    else if (pair->login != NULL)
        interest = login_interest(pair->login, !is_client);
    else if (may_read(end))
        interest = end->reads_want_out ? EPOLLIN | EPOLLOUT : EPOLLIN;
    if (end->waiting_len > 0)
        interest |= end->sends_want_in ? EPOLLIN | EPOLLOUT : EPOLLOUT;
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
    limit(relay, pair, 0);
    login_free(pair->login);
    pair->login = NULL;
    for (int i = 0; i < 2; i++)
        end_release(&pair->ends[i]);
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

static void add_end(struct relay *relay, struct end *end, int fd) {
    struct epoll_event event = {.data.ptr = end};
    end->fd = fd;
    end->interest = 0;
    epoll_ctl(relay->epoll, EPOLL_CTL_ADD, fd, &event);
}

static struct pair *add_pair(struct relay *relay, int client) {
    struct pair *pair = mem_alloc(sizeof(*pair));
    *pair = (struct pair){.number = ++relay->stats.connection_count, .is_connecting = true, .first_place = relay->place,
                          .next = relay->pairs};
    for (int i = 0; i < 2; i++)
        pair->ends[i] = (struct end){.pair = pair, .fd = -1};
    add_end(relay, &pair->ends[0], client);
    if (relay->pairs != NULL)
        relay->pairs->before = pair;
    relay->pairs = pair;
    if (relay->options.ring != NULL) {
        pair->is_told = tell(relay, pair, TRAFFIC_OPEN, (struct str){&relay->options.protocol, 1}, 0);
        relay->stats.lost_count += !pair->is_told;
    }
    return pair;
}

/* Connects to that address, or begins to. -1: it can't be reached. */
static int connect_to(const struct address_place *place, bool *is_connecting) {
    int fd = socket(place->storage.ss_family, SOCK_STREAM, 0);
    if (fd < 0)
        return -1;
    bool is_up = set_up(fd) && connect(fd, (const struct sockaddr *)&place->storage, place->len) == 0;
    *is_connecting = !is_up && errno == EINPROGRESS;
    if (is_up || *is_connecting)
        return fd;
    close(fd);
    return -1;
}

static void be_connected(struct relay *relay, struct pair *pair) {
    pair->is_connecting = false;
    relay->place = (pair->first_place + pair->tried_count - 1) % relay->upstream.place_count;
    limit(relay, pair, relay->options.tls != NULL ? LOGIN_MS_MAX : 0);
    if (relay->options.tls != NULL)
        pair->login = login_new(&(struct login_options){relay->options.tls, relay->options.protocol, relay, tell_login}, pair,
                                pair->ends);
}

/* Goes on to the server's next address, or gives the client up. */
static void connect_next(struct relay *relay, struct pair *pair) {
    struct end *server = &pair->ends[1];
    while (pair->tried_count < relay->upstream.place_count) {
        size_t place = (pair->first_place + pair->tried_count++) % relay->upstream.place_count;
        int fd = connect_to(&relay->upstream.places[place], &pair->is_connecting);
        if (fd < 0)
            continue;
        if (server->fd >= 0)
            close(server->fd);
        add_end(relay, server, fd);
        if (pair->is_connecting)
            limit(relay, pair, CONNECT_MS_MAX);
        else
            be_connected(relay, pair);
        return;
    }
    relay->stats.refused_count++;
    kill_pair(relay, pair);
}

static void watch_listener(struct relay *relay, bool is_full) {
    struct epoll_event event = {.events = is_full ? 0 : EPOLLIN, .data.ptr = NULL};
    relay->is_full = is_full;
    epoll_ctl(relay->epoll, EPOLL_CTL_MOD, relay->listener, &event);
}

static void take_clients(struct relay *relay) {
    for (int i = 0; i < BACKLOG; i++) {
        int client = accept(relay->listener, NULL, NULL);
        if (client < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                watch_listener(relay, true);
            return;
        }
        if (!set_up(client)) {
            close(client);
            continue;
        }
        struct pair *pair = add_pair(relay, client);
        connect_next(relay, pair);
        for (int end = 0; end < 2 && !pair->is_dead; end++)
            watch_end(relay, &pair->ends[end]);
    }
}

/* What one end no longer sends the other is told so; a connection of which neither sends any more is over. */
static void pass_end(struct relay *relay, struct pair *pair) {
    for (int i = 0; i < 2; i++) {
        struct end *from = &pair->ends[i], *to = &pair->ends[!i];
        if (from->is_at_end && to->waiting_len == 0 && !to->is_shut)
            end_finish(to, from->is_cut);
    }
    if (pair->ends[0].is_shut && pair->ends[1].is_shut)
        kill_pair(relay, pair);
}

static void forward(struct relay *relay, struct end *end) {
    struct pair *pair = end->pair;
    int from = end == &pair->ends[1];
    ssize_t count = end_receive(end, relay->bytes, sizeof(relay->bytes));
    if (count == END_BROKEN) {
        kill_pair(relay, pair);
    } else if (count == END_OVER) {
        pass_end(relay, pair);
    } else if (count > 0) {
        struct str bytes = {relay->bytes, (size_t)count};
        relay->stats.byte_count += bytes.len;
        /* The copy first: no answer before its question. */
        tell_bytes(relay, pair, from, bytes);
        if (!end_send(&pair->ends[!from], bytes))
            kill_pair(relay, pair);
    }
}

static void flush(struct relay *relay, struct end *end) {
    if (!end_flush(end))
        kill_pair(relay, end->pair);
    else if (end->waiting_len == 0)
        pass_end(relay, end->pair);
}

static void connected(struct relay *relay, struct pair *pair) {
    int failure = 0;
    socklen_t len = sizeof(failure);
    if (getsockopt(pair->ends[1].fd, SOL_SOCKET, SO_ERROR, &failure, &len) != 0 || failure != 0)
        connect_next(relay, pair);
    else
        be_connected(relay, pair);
}

static void refuse(struct relay *relay, struct pair *pair, const char *why) {
    if (why[0] != '\0') {
        relay->stats.login_refused_count++;
        if (relay->options.note != NULL)
            relay->options.note(relay->options.note_context, pair->number, why);
    }
    if (pair->ends[0].fd >= 0)
        end_finish(&pair->ends[0], false);
    kill_pair(relay, pair);
}

static void run_login(struct relay *relay, struct pair *pair, bool is_gone) {
    enum login_answer answer = login_run(pair->login);
    if (answer == LOGIN_FAILED || (answer == LOGIN_WAIT && is_gone)) {
        refuse(relay, pair, login_failure(pair->login));
    } else if (answer == LOGIN_DONE) {
        login_free(pair->login);
        pair->login = NULL;
        limit(relay, pair, 0);
    }
}

static void serve(struct relay *relay, struct end *end, uint32_t events) {
    static const uint32_t gone = EPOLLERR | EPOLLHUP;
    struct pair *pair = end->pair;
    if (!pair->is_dead && pair->is_connecting) {
        if (end == &pair->ends[1])
            connected(relay, pair);
        else if ((events & gone) != 0)
            kill_pair(relay, pair);
    }
    if (!pair->is_dead && end->waiting_len > 0 && ((events & (EPOLLOUT | gone)) != 0 || end->sends_want_in))
        flush(relay, end);
    if (!pair->is_dead && pair->login != NULL)
        run_login(relay, pair, (events & gone) != 0);
    if (pair->login == NULL && may_read(end) && ((events & (EPOLLIN | gone)) != 0 || end->reads_want_out))
        forward(relay, end);
    else if (!pair->is_dead && (events & EPOLLERR) != 0 && !pair->is_connecting)
        kill_pair(relay, pair);
    for (int i = 0; i < 2; i++) /* of what a login has read ahead no event tells */
        while (!pair->is_dead && pair->login == NULL && end_has_bytes(&pair->ends[i]) && may_read(&pair->ends[i]))
            forward(relay, &pair->ends[i]);
    for (int i = 0; i < 2 && !pair->is_dead; i++)
        watch_end(relay, &pair->ends[i]);
}

/* Of those that take too long. */
static void end_overdue(struct relay *relay) {
    if (relay->timed_count == 0)
        return;
    int64_t now_ms = monotonic_ms();
    for (struct pair *pair = relay->pairs, *next; pair != NULL; pair = next) {
        next = pair->next;
        if (pair->deadline_ms == 0 || now_ms < pair->deadline_ms)
            continue;
        if (!pair->is_connecting) {
            refuse(relay, pair, "the login takes too long");
            continue;
        }
        connect_next(relay, pair);
        for (int i = 0; i < 2 && !pair->is_dead; i++)
            watch_end(relay, &pair->ends[i]);
    }
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
        bool is_due = relay->now_us - asked_us > TICK_MS * 1000 || relay->now_us < asked_us;
        if (is_due) {
            asked_us = relay->now_us;
            end_overdue(relay);
        }
        bury(relay);
        if (relay->options.ring == NULL || relay->options.decoder_lives == NULL || !is_due)
            continue;
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
    const struct address_place *place = &relay->listen.places[0];
    relay->listener = socket(place->storage.ss_family, SOCK_STREAM, 0);
    if (relay->listener >= 0)
        setsockopt(relay->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (relay->listener < 0 || !set_up(relay->listener) ||
        bind(relay->listener, (const struct sockaddr *)&place->storage, place->len) != 0 ||
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

bool relay_host(struct arena *arena, struct str text, struct str *host, struct err *err) {
    struct address address;
    if (!address_parse(arena, text, false, &address, err))
        return false;
    *host = address.host;
    return host->len > 0 || err_set(err, no_pos, "'%.*s' names no host that a certificate could have", STR_ARG(text));
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
    if (relay->listener >= 0 && relay->listen.places[0].storage.ss_family == AF_UNIX)
        unlink(((const struct sockaddr_un *)&relay->listen.places[0].storage)->sun_path);
    relay_leave(relay);
}
