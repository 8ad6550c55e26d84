#include "proxy/login_own.h"

#include "base/assert.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

static const struct pos no_pos;

/* --- what both protocols use --- */

enum login_step login_fill(struct login *login, int side, size_t count) {
    char bytes[4096];
    struct buf *in = &login->in[side];
    while (in->len < count) {
        size_t missing = count - in->len;
        ssize_t got = end_receive(&login->ends[side], bytes, missing < sizeof(bytes) ? missing : sizeof(bytes));
        if (got == END_NOTHING) {
            login->interest[side] |= login->ends[side].reads_want_out ? EPOLLOUT : EPOLLIN;
            return STEP_WAIT;
        }
        if (got < 0)
            return STEP_FAILED;
        buf_add(in, (struct str){bytes, (size_t)got});
    }
    return STEP_ON;
}

enum login_step login_drain(struct login *login, int end) {
    if (login->ends[end].waiting_len == 0)
        return STEP_ON;
    login->interest[end] |= EPOLLOUT;
    return STEP_WAIT;
}

enum login_step login_send(struct login *login, int to, struct str bytes) {
    return end_send(&login->ends[to], bytes) ? STEP_ON : STEP_FAILED;
}

enum login_step login_pass(struct login *login, int side, struct str told) {
    struct str bytes = buf_str(&login->in[side]);
    login->options.tell(login->options.context, login->pair, side, told.ptr != NULL ? told : bytes);
    enum login_step step = login_send(login, !side, bytes);
    buf_clear(&login->in[side]);
    return step;
}

void login_refuse(struct login *login, const char *format, ...) {
    if (login->is_refused)
        return;
    char message[ERR_MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    err_set(&login->failure, no_pos, "%s", message);
    login->is_refused = true;
}

enum login_step login_shake(struct login *login, int end) {
    struct end *at = &login->ends[end];
    const char *who = end == LOGIN_CLIENT ? "client" : "server";
    struct err err;
    if (at->tls == NULL)
        at->tls = tls_begin(login->options.tls, at->fd, end == LOGIN_CLIENT, &err);
    enum tls_answer answer = at->tls == NULL ? TLS_FAILED : tls_handshake(at->tls, &err);
    if (answer == TLS_DONE)
        return STEP_ON;
    if (answer != TLS_FAILED) {
        login->interest[end] |= answer == TLS_WAIT_IN ? EPOLLIN : EPOLLOUT;
        return STEP_WAIT;
    }
    login_refuse(login, "TLS with the %s: %s", who, err.message);
    return end == LOGIN_CLIENT ? STEP_FAILED : STEP_ON;
}

bool login_may_offer(const struct login *login) {
    const struct tls *tls = login->options.tls;
    return tls_has_certificate(tls) &&
           (login->ends[LOGIN_SERVER].tls != NULL || tls_upstream(tls) == TLS_DISABLE || login->is_refused);
}

/* --- the run of it --- */

/* Whether that side has sent anything; it stays there. */
static bool has_sent(struct login *login, int side) {
    char byte;
    if (recv(login->ends[side].fd, &byte, 1, MSG_PEEK) >= 0)
        return true;
    login->interest[side] |= EPOLLIN;
    return errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR; /* else the next step finds what is wrong */
}

/* Of PostgreSQL the client speaks first, of MySQL the server. */
static enum login_step begin(struct login *login) {
    char protocol = login->options.protocol;
    if (protocol != 'P' && protocol != 'M') {
        bool is_mysql = has_sent(login, LOGIN_SERVER);
        if (!is_mysql && !has_sent(login, LOGIN_CLIENT))
            return STEP_WAIT;
        protocol = is_mysql ? 'M' : 'P';
    }
    login->step = protocol == 'M' ? mysql_login_begin : postgresql_login_begin;
    return STEP_ON;
}

struct login *login_new(const struct login_options *options, struct pair *pair, struct end *ends) {
    struct login *login = mem_alloc(sizeof(*login));
    *login = (struct login){.options = *options, .pair = pair, .ends = ends, .step = begin};
    return login;
}

enum login_answer login_run(struct login *login) {
    enum login_step step;
    do {
        login->interest[0] = login->interest[1] = 0;
        step = login->step(login);
    } while (step == STEP_ON);
    return step == STEP_WAIT ? LOGIN_WAIT : step == STEP_DONE ? LOGIN_DONE : LOGIN_FAILED;
}

uint32_t login_interest(const struct login *login, int end) {
    return login->interest[end];
}

const char *login_failure(const struct login *login) {
    return login->is_refused ? login->failure.message : "";
}

void login_free(struct login *login) {
    if (login == NULL)
        return;
    for (int side = 0; side < 2; side++)
        buf_release(&login->in[side]);
    free(login);
}
