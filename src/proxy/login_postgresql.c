/* PostgreSQL: requests for encryption, the startup message, then messages up to AuthenticationOk. */
#include "proxy/login_own.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { REQUEST_CANCEL = 80877102, REQUEST_SSL, REQUEST_GSS };
enum { REQUEST_BYTES = 8, STARTUP_BYTES_MAX = 10000, REQUESTS_MAX = 4, HEADER_BYTES = 5, TLS_HANDSHAKE = 0x16 };
enum { AUTHENTICATION_OK = 0, AUTHENTICATION_SASL = 10 };

static const char plus[] = "SCRAM-SHA-256-PLUS";

static enum login_step read_request(struct login *login);
static enum login_step settle_server(struct login *login);
static enum login_step exchange(struct login *login);

static uint32_t number_at(const struct buf *buf, size_t at) {
    const unsigned char *bytes = (const unsigned char *)buf->ptr + at;
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void add_number(struct buf *buf, uint32_t number) {
    for (int shift = 24; shift >= 0; shift -= 8)
        buf_add_char(buf, (char)(number >> shift & 0xff));
}

/* The length of the message in `buf`, of which HEADER_BYTES are there, its type included; 0: it can't be. */
static size_t message_length(const struct buf *buf) {
    uint32_t length = number_at(buf, 1);
    return length < 4 || length > LOGIN_BYTES_MAX - 1 ? 0 : (size_t)length + 1;
}

/* --- the server's side --- */

static enum login_step go_on_with_client(struct login *login) {
    login->is_decided = true;
    login->step = settle_server;
    return STEP_ON;
}

static enum login_step shake_with_server(struct login *login) {
    enum login_step step = login_shake(login, LOGIN_SERVER);
    return step == STEP_ON ? go_on_with_client(login) : step;
}

static enum login_step read_answer(struct login *login) {
    enum login_step step = login_fill(login, LOGIN_SERVER, 1);
    if (step != STEP_ON)
        return step;
    char answer = login->in[LOGIN_SERVER].ptr[0];
    buf_clear(&login->in[LOGIN_SERVER]);
    if (answer == 'S') {
        login->step = shake_with_server;
        return STEP_ON;
    }
    if (answer != 'N')
        login_refuse(login, "the server does not answer a request for TLS as PostgreSQL does");
    else if (tls_upstream(login->options.tls) != TLS_PREFER)
        login_refuse(login, "the server offers no TLS");
    return go_on_with_client(login);
}

static enum login_step ask_server(struct login *login) {
    if (tls_upstream(login->options.tls) == TLS_DISABLE)
        return go_on_with_client(login);
    struct buf request = {0};
    add_number(&request, REQUEST_BYTES);
    add_number(&request, REQUEST_SSL);
    enum login_step step = login_send(login, LOGIN_SERVER, buf_str(&request));
    buf_release(&request);
    login->step = read_answer;
    return step;
}

/* --- the client's --- */

static enum login_step shake_with_client(struct login *login) {
    enum login_step step = login_drain(login, LOGIN_CLIENT);
    if (step == STEP_ON)
        step = login_shake(login, LOGIN_CLIENT);
    if (step != STEP_ON)
        return step;
    if (login->is_direct && !tls_names_postgresql(login->ends[LOGIN_CLIENT].tls)) {
        login_refuse(login, "a client began with TLS, without naming PostgreSQL's protocol in it (ALPN)");
        return STEP_FAILED;
    }
    login->step = read_request;
    return STEP_ON;
}

static enum login_step answer_client(struct login *login) {
    bool offers = login_may_offer(login);
    login->wants_tls = false;
    login->step = offers ? shake_with_client : read_request;
    if (!login->is_direct)
        return login_send(login, LOGIN_CLIENT, offers ? STR("S") : STR("N"));
    if (!offers)
        login_refuse(login, "a client began with TLS, which it can't have here");
    return offers ? STEP_ON : STEP_FAILED;
}

static enum login_step tell_refusal(struct login *login) {
    struct buf body = {0}, message = {0};
    buf_add(&body, STR("SFATAL\0VFATAL\0C08001\0M"));
    buf_printf(&body, "lostwrite: %s", login->failure.message);
    buf_add(&body, STR("\0\0"));
    buf_add_char(&message, 'E');
    add_number(&message, (uint32_t)body.len + 4);
    buf_add(&message, buf_str(&body));
    login_send(login, LOGIN_CLIENT, buf_str(&message));
    buf_release(&body);
    buf_release(&message);
    return STEP_FAILED;
}

static enum login_step send_startup(struct login *login) {
    if (login->is_refused)
        return tell_refusal(login);
    bool is_cancel = number_at(&login->in[LOGIN_CLIENT], 4) == REQUEST_CANCEL;
    enum login_step step = login_pass(login, LOGIN_CLIENT, (struct str){0});
    login->step = exchange;
    return step == STEP_ON && is_cancel ? STEP_DONE : step;
}

/* Once it is known whether the server has TLS, the client hears whether it may. */
static enum login_step settle_server(struct login *login) {
    login->step = !login->is_decided ? ask_server : login->wants_tls ? answer_client : send_startup;
    return STEP_ON;
}

static enum login_step read_startup(struct login *login) {
    enum login_step step = login_fill(login, LOGIN_CLIENT, number_at(&login->in[LOGIN_CLIENT], 0));
    login->step = step == STEP_ON ? settle_server : read_startup;
    return step;
}

static enum login_step take_request(struct login *login, bool is_gss) {
    if (login->ends[LOGIN_CLIENT].tls != NULL || ++login->asked_count > REQUESTS_MAX) {
        login_refuse(login, "a client asks for encryption again and again");
        return STEP_FAILED;
    }
    buf_clear(&login->in[LOGIN_CLIENT]);
    if (is_gss)
        return login_send(login, LOGIN_CLIENT, STR("N"));
    login->wants_tls = true;
    login->step = settle_server;
    return STEP_ON;
}

static enum login_step read_request(struct login *login) {
    enum login_step step = login_drain(login, LOGIN_CLIENT);
    if (step == STEP_ON)
        step = login_fill(login, LOGIN_CLIENT, REQUEST_BYTES);
    if (step != STEP_ON)
        return step;
    uint32_t length = number_at(&login->in[LOGIN_CLIENT], 0), code = number_at(&login->in[LOGIN_CLIENT], 4);
    if (length == REQUEST_BYTES && (code == REQUEST_SSL || code == REQUEST_GSS))
        return take_request(login, code == REQUEST_GSS);
    if (length < REQUEST_BYTES || length > STARTUP_BYTES_MAX) {
        login_refuse(login, "a client does not begin as PostgreSQL's protocol does");
        return STEP_FAILED;
    }
    login->step = read_startup;
    return STEP_ON;
}

/* A client may begin with TLS at once; what it sent stays there for the handshake. */
enum login_step postgresql_login_begin(struct login *login) {
    char byte;
    ssize_t count = recv(login->ends[LOGIN_CLIENT].fd, &byte, 1, MSG_PEEK);
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
        login->interest[LOGIN_CLIENT] |= EPOLLIN;
        return STEP_WAIT;
    }
    if (count <= 0)
        return STEP_FAILED;
    login->is_direct = login->wants_tls = byte == TLS_HANDSHAKE;
    login->step = login->is_direct ? settle_server : read_request;
    return STEP_ON;
}

/* --- passwords --- */

/* A client without TLS can't bind its login to the server's certificate, and libpq gives up if it is offered that. */
static void strip_plus(struct buf *message) {
    struct buf kept = {0};
    struct str body = str_sub(buf_str(message), HEADER_BYTES, message->len);
    buf_add(&kept, str_sub(body, 0, 4));
    for (size_t at = 4, to; at < body.len && (to = str_find(body, '\0', at)) < body.len && to > at; at = to + 1)
        if (!str_is(str_sub(body, at, to), plus))
            buf_add(&kept, str_sub(body, at, to + 1));
    buf_add_char(&kept, '\0');
    buf_clear(message);
    buf_add_char(message, 'R');
    add_number(message, (uint32_t)kept.len + 4);
    buf_add(message, buf_str(&kept));
    buf_release(&kept);
}

static enum login_step take_server(struct login *login) {
    struct buf *message = &login->in[LOGIN_SERVER];
    enum login_step step = login_drain(login, LOGIN_CLIENT);
    if (step == STEP_ON)
        step = login_fill(login, LOGIN_SERVER, HEADER_BYTES);
    if (step != STEP_ON)
        return step;
    size_t length = message_length(message);
    if (length == 0) { /* whatever it is: it is forwarded, and what is behind it */
        step = login_pass(login, LOGIN_SERVER, (struct str){0});
        return step == STEP_ON ? STEP_DONE : step;
    }
    step = login_fill(login, LOGIN_SERVER, length);
    if (step != STEP_ON)
        return step;
    bool is_request = message->ptr[0] == 'R' && length >= HEADER_BYTES + 4;
    uint32_t code = is_request ? number_at(message, HEADER_BYTES) : 0;
    login->is_sasl_asked = is_request && code == AUTHENTICATION_SASL;
    if (login->is_sasl_asked && login->ends[LOGIN_CLIENT].tls == NULL)
        strip_plus(message);
    step = login_pass(login, LOGIN_SERVER, (struct str){0});
    return step == STEP_ON && is_request && code == AUTHENTICATION_OK ? STEP_DONE : step;
}

static bool is_bound_elsewhere(const struct login *login, struct str message) {
    struct str mechanism = str_sub(message, HEADER_BYTES, str_find(message, '\0', HEADER_BYTES));
    return login->is_sasl_asked && str_is(mechanism, plus) && login->ends[LOGIN_SERVER].tls != NULL &&
           !tls_is_own_certificate(login->options.tls, login->ends[LOGIN_SERVER].tls);
}

static enum login_step take_client(struct login *login) {
    struct buf *message = &login->in[LOGIN_CLIENT];
    enum login_step step = login_drain(login, LOGIN_SERVER);
    if (step == STEP_ON)
        step = login_fill(login, LOGIN_CLIENT, HEADER_BYTES);
    if (step != STEP_ON)
        return step;
    size_t length = message_length(message);
    if (length == 0) {
        login_refuse(login, "a client sends a message that is too long for a login");
        return tell_refusal(login);
    }
    step = login_fill(login, LOGIN_CLIENT, length);
    if (step != STEP_ON)
        return step;
    if (message->ptr[0] != 'p')
        return login_pass(login, LOGIN_CLIENT, (struct str){0});
    if (is_bound_elsewhere(login, buf_str(message))) {
        login_refuse(login, "SCRAM-SHA-256-PLUS binds a login to the server's certificate, and TLS is ended here with another: "
                            "connect with channel_binding=disable, or give the server's own to --tls-cert");
        return tell_refusal(login);
    }
    struct buf told = {0};
    buf_add(&told, str_sub(buf_str(message), 0, HEADER_BYTES));
    buf_add_repeat(&told, '\0', length - HEADER_BYTES);
    step = login_pass(login, LOGIN_CLIENT, buf_str(&told));
    buf_release(&told);
    return step;
}

static enum login_step exchange(struct login *login) {
    enum login_step step = take_server(login);
    return step == STEP_WAIT ? take_client(login) : step;
}
