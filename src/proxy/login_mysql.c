/* MySQL and MariaDB: the greeting, the client's answer (behind a request for TLS, if it wants that), then packets up to OK or an error.
 * A request for TLS is a packet that has a number: where only one side has TLS, the numbers of the two differ by one until then.
 */
#include "proxy/login_own.h"

#include "base/assert.h"

#include <stdio.h>

enum { HEADER_BYTES = 4, REQUEST_BYTES = 32, PROTOCOL_VERSION = 10 };
enum { CONNECT_WITH_DB = 1 << 3, PROTOCOL_41 = 1 << 9, WANTS_TLS = 1 << 11, SECURE = 1 << 15, PLUGIN = 1 << 19, LENENC = 1 << 21 };
enum { PACKET_OK = 0x00, PACKET_MORE = 0x01, PACKET_SWITCH = 0xfe, PACKET_ERROR = 0xff, ASKS_FULL = 0x04, BAD_HANDSHAKE = 1043 };

static enum login_step read_response(struct login *login);
static enum login_step exchange(struct login *login);

static uint64_t number_at(const struct buf *buf, size_t at, size_t count) {
    uint64_t number = 0;
    while (count-- > 0)
        number = number << 8 | (unsigned char)buf->ptr[at + count];
    return number;
}

static unsigned char byte_at(const struct buf *buf, size_t at) {
    return (unsigned char)buf->ptr[at];
}

static void set_tls(struct buf *packet, size_t at, bool has_tls) {
    unsigned char byte = byte_at(packet, at + 1), bit = WANTS_TLS >> 8;
    packet->ptr[at + 1] = (char)(has_tls ? byte | bit : byte & ~bit);
}

/* Reads a packet whole; `*end` is where it ends, 0 if it is longer than one of a login. */
static enum login_step read_packet(struct login *login, int side, size_t *end) {
    enum login_step step = login_drain(login, !side);
    if (step == STEP_ON)
        step = login_fill(login, side, HEADER_BYTES);
    if (step != STEP_ON)
        return step;
    *end = HEADER_BYTES + (size_t)number_at(&login->in[side], 0, 3);
    if (*end > LOGIN_BYTES_MAX)
        *end = 0;
    return *end > 0 ? login_fill(login, side, *end) : STEP_ON;
}

/* An error as the answer to the client's packet of this number; the SQLSTATE only behind a login. */
static enum login_step tell_refusal(struct login *login, unsigned number, bool has_state) {
    struct buf body = {0}, packet = {0};
    buf_add_char(&body, (char)PACKET_ERROR);
    buf_add_char(&body, (char)(BAD_HANDSHAKE & 0xff));
    buf_add_char(&body, (char)(BAD_HANDSHAKE >> 8));
    buf_printf(&body, "%slostwrite: %s", has_state ? "#08S01" : "", login->failure.message);
    for (int shift = 0; shift < 24; shift += 8)
        buf_add_char(&packet, (char)(body.len >> shift & 0xff));
    buf_add_char(&packet, (char)number);
    buf_add(&packet, buf_str(&body));
    login_send(login, LOGIN_CLIENT, buf_str(&packet));
    buf_release(&body);
    buf_release(&packet);
    return STEP_FAILED;
}

/* Whatever this is, it is forwarded, and what is behind it. */
static enum login_step give_up(struct login *login, int side) {
    enum login_step step = login_pass(login, side, (struct str){0});
    return step == STEP_ON ? STEP_DONE : step;
}

/* --- the greeting --- */

/* Where the capabilities stand; 0: it is no greeting of this protocol. */
static size_t capabilities_at(const struct buf *greeting) {
    if (greeting->len <= HEADER_BYTES || byte_at(greeting, HEADER_BYTES) != PROTOCOL_VERSION)
        return 0;
    size_t at = str_find(buf_str(greeting), '\0', HEADER_BYTES + 1) + 1 + 4 + 8 + 1;
    return at + 2 <= greeting->len ? at : 0;
}

enum login_step mysql_login_begin(struct login *login) {
    struct buf *greeting = &login->in[LOGIN_SERVER];
    enum tls_upstream upstream = tls_upstream(login->options.tls);
    bool must = upstream == TLS_REQUIRE || upstream == TLS_VERIFY;
    size_t end;
    enum login_step step = read_packet(login, LOGIN_SERVER, &end);
    if (step != STEP_ON)
        return step;
    size_t at = end > 0 ? capabilities_at(greeting) : 0;
    if (at == 0 && !must)
        return give_up(login, LOGIN_SERVER);
    bool has_tls = at > 0 && (number_at(greeting, at, 2) & WANTS_TLS) != 0;
    if (must && end > HEADER_BYTES && byte_at(greeting, HEADER_BYTES) == PACKET_ERROR)
        return give_up(login, LOGIN_SERVER); /* it takes nobody, and ends the connection */
    if (must && !has_tls) {
        login_refuse(login, "the server offers no TLS");
        return tell_refusal(login, 0, false);
    }
    login->uses_tls = has_tls && upstream != TLS_DISABLE;
    login->offers_tls = tls_has_certificate(login->options.tls) && (login->uses_tls || upstream == TLS_DISABLE);
    set_tls(greeting, at, login->offers_tls);
    login->step = read_response;
    return login_pass(login, LOGIN_SERVER, (struct str){0});
}

/* --- the client's answer --- */

/* The parts of a response that are looked at. */
struct response {
    size_t password_from, password_to;
    bool is_text; /* the password: without a length, up to a NUL */
    struct str plugin;
};

static bool skip_string(const struct buf *packet, size_t *at) {
    *at = *at < packet->len ? str_find(buf_str(packet), '\0', *at) + 1 : packet->len + 1;
    return *at <= packet->len;
}

static bool read_length(const struct buf *packet, bool is_lenenc, size_t *at, size_t *count) {
    if (*at >= packet->len)
        return false;
    *count = byte_at(packet, (*at)++);
    size_t bytes = *count == 0xfc ? 2 : *count == 0xfd ? 3 : 0;
    if (!is_lenenc || bytes == 0)
        return true;
    if (*at + bytes > packet->len)
        return false;
    *count = (size_t)number_at(packet, *at, bytes);
    *at += bytes;
    return true;
}

/* False: it is cut. */
static bool read_parts(const struct buf *packet, uint64_t capabilities, struct response *response) {
    *response = (struct response){0};
    size_t at = HEADER_BYTES + REQUEST_BYTES;
    if (!skip_string(packet, &at))
        return false;
    response->is_text = (capabilities & (LENENC | SECURE)) == 0;
    size_t count = 0;
    if (!response->is_text && !read_length(packet, (capabilities & LENENC) != 0, &at, &count))
        return false;
    response->password_from = at;
    if (response->is_text && !skip_string(packet, &at))
        return false;
    response->password_to = at += count;
    if (at > packet->len || ((capabilities & CONNECT_WITH_DB) != 0 && !skip_string(packet, &at)))
        return false;
    if ((capabilities & PLUGIN) != 0 && at < packet->len)
        response->plugin = str_sub(buf_str(packet), at, str_find(buf_str(packet), '\0', at));
    return true;
}

/* Whether the way to log in has the client send its password so that only TLS protects it, or not, as it has TLS itself. */
static bool is_unfit(const struct login *login, struct str plugin) {
    bool client = login->ends[LOGIN_CLIENT].tls != NULL, server = login->uses_tls;
    return (client && !server && STR_IS_ONE_OF(plugin, "mysql_clear_password", "dialog")) ||
           (client != server && str_is(plugin, "sha256_password"));
}

static enum login_step refuse_plugin(struct login *login, unsigned number) {
    login_refuse(login, "this login sends the password itself, in a way that needs TLS on both sides of the proxy or on none");
    return tell_refusal(login, number, true);
}

static enum login_step send_response(struct login *login) {
    struct buf *packet = &login->in[LOGIN_CLIENT];
    unsigned number = byte_at(packet, 3);
    struct response response;
    if (login->is_refused)
        return tell_refusal(login, number + 1, true);
    if (!read_parts(packet, login->capabilities, &response)) {
        login_refuse(login, "the client's login is cut");
        return tell_refusal(login, number + 1, true);
    }
    if (is_unfit(login, response.plugin))
        return refuse_plugin(login, number + 1);
    login->shift = (login->ends[LOGIN_CLIENT].tls != NULL) - (login->ends[LOGIN_SERVER].tls != NULL);
    packet->ptr[3] = (char)(number - (unsigned)login->shift);
    set_tls(packet, HEADER_BYTES, login->ends[LOGIN_SERVER].tls != NULL);
    struct buf told = {0};
    buf_add(&told, buf_str(packet));
    /* Its length stays, so that what is behind it can be read. */
    size_t count = response.password_to - response.password_from;
    memset(told.ptr + response.password_from, response.is_text ? '*' : 0, response.is_text ? count - 1 : count);
    login->step = exchange;
    enum login_step step = login_pass(login, LOGIN_CLIENT, buf_str(&told));
    buf_release(&told);
    return step;
}

static enum login_step shake_with_server(struct login *login) {
    enum login_step step = login_drain(login, LOGIN_SERVER);
    if (step == STEP_ON)
        step = login_shake(login, LOGIN_SERVER);
    if (step == STEP_ON)
        login->step = send_response;
    return step;
}

/* What the server asks for TLS with are the first bytes of the client's answer: of those it reads the capabilities. */
static enum login_step ask_server(struct login *login) {
    static const char header[HEADER_BYTES] = {REQUEST_BYTES, 0, 0, 1};
    struct buf request = {0};
    buf_add(&request, (struct str){header, sizeof(header)});
    buf_add(&request, str_sub(buf_str(&login->in[LOGIN_CLIENT]), HEADER_BYTES, HEADER_BYTES + REQUEST_BYTES));
    set_tls(&request, HEADER_BYTES, true);
    enum login_step step = login_send(login, LOGIN_SERVER, buf_str(&request));
    buf_release(&request);
    login->step = shake_with_server;
    return step;
}

static enum login_step shake_with_client(struct login *login) {
    enum login_step step = login_shake(login, LOGIN_CLIENT);
    if (step == STEP_ON)
        login->step = read_response;
    return step;
}

static enum login_step read_response(struct login *login) {
    struct buf *packet = &login->in[LOGIN_CLIENT];
    size_t end;
    enum login_step step = read_packet(login, LOGIN_CLIENT, &end);
    if (step != STEP_ON)
        return step;
    if (end < HEADER_BYTES + REQUEST_BYTES || (number_at(packet, HEADER_BYTES, 4) & PROTOCOL_41) == 0) {
        login_refuse(login, "a client does not log in as MySQL 4.1 and later do");
        return tell_refusal(login, byte_at(packet, 3) + 1U, false);
    }
    login->capabilities = number_at(packet, HEADER_BYTES, 4);
    bool asks = end == HEADER_BYTES + REQUEST_BYTES && (login->capabilities & WANTS_TLS) != 0;
    if (asks && (!login->offers_tls || login->ends[LOGIN_CLIENT].tls != NULL)) {
        login_refuse(login, "a client asks for TLS, which it can't have here");
        return STEP_FAILED;
    }
    login->step = asks ? shake_with_client : login->uses_tls ? ask_server : send_response;
    if (asks)
        buf_clear(packet);
    return STEP_ON;
}

/* --- passwords, up to OK or an error --- */

static enum login_step take_server(struct login *login) {
    struct buf *packet = &login->in[LOGIN_SERVER];
    size_t end;
    enum login_step step = read_packet(login, LOGIN_SERVER, &end);
    if (step != STEP_ON)
        return step;
    if (end == 0)
        return give_up(login, LOGIN_SERVER);
    unsigned number = (byte_at(packet, 3) + (unsigned)login->shift) & 0xff;
    unsigned char kind = end > HEADER_BYTES ? byte_at(packet, HEADER_BYTES) : PACKET_MORE;
    struct str body = str_sub(buf_str(packet), end > HEADER_BYTES ? HEADER_BYTES + 1 : end, end);
    bool is_full = kind == PACKET_MORE && body.len == 1 && body.ptr[0] == ASKS_FULL;
    bool has_both = (login->ends[LOGIN_CLIENT].tls != NULL) == (login->ends[LOGIN_SERVER].tls != NULL);
    bool is_switch = kind == PACKET_SWITCH && body.len > 0;
    if ((is_full && !has_both) || (is_switch && is_unfit(login, str_sub(body, 0, str_find(body, '\0', 0)))))
        return refuse_plugin(login, number);
    packet->ptr[3] = (char)number;
    step = login_pass(login, LOGIN_SERVER, (struct str){0});
    return step == STEP_ON && (kind == PACKET_OK || kind == PACKET_ERROR) ? STEP_DONE : step;
}

static enum login_step take_client(struct login *login) {
    struct buf *packet = &login->in[LOGIN_CLIENT];
    size_t end;
    enum login_step step = read_packet(login, LOGIN_CLIENT, &end);
    if (step != STEP_ON)
        return step;
    if (end == 0) {
        login_refuse(login, "a client sends a packet that is too long for a login");
        return tell_refusal(login, byte_at(packet, 3) + 1U, true);
    }
    packet->ptr[3] = (char)(byte_at(packet, 3) - (unsigned)login->shift);
    struct buf told = {0};
    buf_add(&told, str_sub(buf_str(packet), 0, HEADER_BYTES));
    buf_add_repeat(&told, '\0', end - HEADER_BYTES);
    step = login_pass(login, LOGIN_CLIENT, buf_str(&told));
    buf_release(&told);
    return step;
}

static enum login_step exchange(struct login *login) {
    enum login_step step = take_server(login);
    return step == STEP_WAIT ? take_client(login) : step;
}
