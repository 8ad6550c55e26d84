#include "proxy/tls.h"

#include "base/assert.h"
#include "base/library.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

static const struct pos no_pos;

#ifdef LW_HAVE_OPENSSL
#include <openssl/err.h>
#include <openssl/ssl.h>

static struct {
#define FUNCTION(name) __typeof__(&name) name;
#include "proxy/libssl.def"
} libssl;

struct tls {
    SSL_CTX *clients, *server; /* NULL: without TLS there */
    enum tls_upstream upstream;
    const char *host;
};

struct tls_stream {
    SSL *ssl;
};

static const unsigned char alpn_name[] = "\x0apostgresql";

static const char *why(void) {
    unsigned long code = libssl.ERR_peek_error();
    const char *reason = ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code)) : libssl.ERR_reason_error_string(code);
    return reason != NULL ? reason : "no reason is told";
}

/* A key under a passphrase can't be used: nobody is there to be asked. */
static int no_passphrase(char *text, int room, int is_writing, void *context) {
    (void)text, (void)room, (void)is_writing, (void)context;
    return 0;
}

static int choose_protocol(SSL *ssl, const unsigned char **chosen, unsigned char *len, const unsigned char *offered,
                           unsigned offered_len, void *context) {
    (void)ssl, (void)context;
    unsigned char *found = NULL;
    int answer = libssl.SSL_select_next_proto(&found, len, alpn_name, sizeof(alpn_name) - 1, offered, offered_len);
    *chosen = found;
    return answer == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

static SSL_CTX *new_context(const SSL_METHOD *method) {
    SSL_CTX *context = libssl.SSL_CTX_new(method);
    if (context == NULL)
        return NULL;
    libssl.SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_2_VERSION, NULL);
    libssl.SSL_CTX_ctrl(context, SSL_CTRL_SET_SESS_CACHE_MODE, SSL_SESS_CACHE_OFF, NULL);
    libssl.SSL_CTX_ctrl(context, SSL_CTRL_MODE,
                        SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS, NULL);
    libssl.SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
    return context;
}

static bool open_clients(struct arena *arena, struct tls *tls, const struct tls_options *options, struct err *err) {
    tls->clients = new_context(libssl.TLS_server_method());
    if (tls->clients == NULL)
        return err_set(err, no_pos, "OpenSSL does not start: %s", why());
    libssl.SSL_CTX_set_num_tickets(tls->clients, 0);
    libssl.SSL_CTX_set_alpn_select_cb(tls->clients, choose_protocol, NULL);
    libssl.SSL_CTX_set_default_passwd_cb(tls->clients, no_passphrase);
    const char *certificate = str_to_c(arena, options->certificate), *key = str_to_c(arena, options->key);
    if (libssl.SSL_CTX_use_certificate_chain_file(tls->clients, certificate) != 1)
        return err_set(err, no_pos, "--tls-cert %s: no certificate in PEM form: %s", certificate, why());
    libssl.ERR_clear_error();
    if (libssl.SSL_CTX_use_PrivateKey_file(tls->clients, key, SSL_FILETYPE_PEM) != 1)
        return err_set(err, no_pos, "--tls-key %s: no private key in PEM form, without a passphrase, of that certificate: %s",
                       key, why());
    if (libssl.SSL_CTX_check_private_key(tls->clients) != 1)
        return err_set(err, no_pos, "--tls-key %s: it is not the key of the certificate in %s", key, certificate);
    return true;
}

static bool open_server(struct arena *arena, struct tls *tls, const struct tls_options *options, struct err *err) {
    tls->server = new_context(libssl.TLS_client_method());
    if (tls->server == NULL)
        return err_set(err, no_pos, "OpenSSL does not start: %s", why());
    if (options->upstream != TLS_VERIFY)
        return true;
    tls->host = str_to_c(arena, options->host);
    const char *file = options->authorities.len > 0 ? str_to_c(arena, options->authorities) : NULL;
    libssl.SSL_CTX_set_verify(tls->server, SSL_VERIFY_PEER, NULL);
    if (file != NULL && libssl.SSL_CTX_load_verify_file(tls->server, file) != 1)
        return err_set(err, no_pos, "--upstream-ca %s: no certificates in PEM form: %s", file, why());
    if (file == NULL && libssl.SSL_CTX_set_default_verify_paths(tls->server) != 1)
        return err_set(err, no_pos, "the system knows no authorities: name a file with --upstream-ca");
    return true;
}

struct tls *tls_open(struct arena *arena, const struct tls_options *options, struct err *err) {
    static const struct library_function functions[] = {
#define FUNCTION(name) {#name, &libssl.name},
#include "proxy/libssl.def"
    };
    if (!library_load("libssl.so.3", "TLS", functions, LW_COUNT_OF(functions), err))
        return NULL;
    struct tls *tls = mem_alloc(sizeof(*tls));
    *tls = (struct tls){.upstream = options->upstream};
    libssl.ERR_clear_error();
    if ((options->certificate.len == 0 || open_clients(arena, tls, options, err)) &&
        (options->upstream == TLS_DISABLE || open_server(arena, tls, options, err)))
        return tls;
    tls_close(tls);
    return NULL;
}

void tls_close(struct tls *tls) {
    if (tls == NULL)
        return;
    libssl.SSL_CTX_free(tls->clients);
    libssl.SSL_CTX_free(tls->server);
    free(tls);
}

enum tls_upstream tls_upstream(const struct tls *tls) {
    return tls->upstream;
}

bool tls_has_certificate(const struct tls *tls) {
    return tls->clients != NULL;
}

/* The name is told to the server, and what its certificate must have. */
static bool name_host(SSL *ssl, const char *host) {
    if (libssl.X509_VERIFY_PARAM_set1_ip_asc(libssl.SSL_get0_param(ssl), host) == 1)
        return true;
    libssl.SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, (void *)host);
    return libssl.SSL_set1_host(ssl, host) == 1;
}

struct tls_stream *tls_begin(struct tls *tls, int fd, bool is_client, struct err *err) {
    SSL_CTX *context = is_client ? tls->clients : tls->server;
    LW_ASSERT(context != NULL);
    libssl.ERR_clear_error();
    SSL *ssl = libssl.SSL_new(context);
    if (ssl == NULL || libssl.SSL_set_fd(ssl, fd) != 1 || (!is_client && tls->host != NULL && !name_host(ssl, tls->host))) {
        err_set(err, no_pos, "TLS does not begin: %s", why());
        libssl.SSL_free(ssl);
        return NULL;
    }
    if (is_client)
        libssl.SSL_set_accept_state(ssl);
    else
        libssl.SSL_set_connect_state(ssl);
    struct tls_stream *stream = mem_alloc(sizeof(*stream));
    stream->ssl = ssl;
    return stream;
}

static enum tls_answer answer_of(const struct tls_stream *stream, int answer) {
    switch (libssl.SSL_get_error(stream->ssl, answer)) {
    case SSL_ERROR_WANT_READ:
        return TLS_WAIT_IN;
    case SSL_ERROR_WANT_WRITE:
        return TLS_WAIT_OUT;
    case SSL_ERROR_ZERO_RETURN:
        return TLS_OVER;
    case SSL_ERROR_SSL:
        return ERR_GET_REASON(libssl.ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING ? TLS_CUT : TLS_FAILED;
    default:
        return TLS_FAILED;
    }
}

enum tls_answer tls_handshake(struct tls_stream *stream, struct err *err) {
    libssl.ERR_clear_error();
    errno = 0;
    int done = libssl.SSL_do_handshake(stream->ssl);
    if (done == 1)
        return TLS_DONE;
    enum tls_answer answer = answer_of(stream, done);
    if (answer == TLS_WAIT_IN || answer == TLS_WAIT_OUT)
        return answer;
    long verified = libssl.SSL_get_verify_result(stream->ssl);
    if (verified != X509_V_OK)
        err_set(err, no_pos, "certificate not accepted: %s", libssl.X509_verify_cert_error_string(verified));
    else if (libssl.ERR_peek_error() != 0)
        err_set(err, no_pos, "%s", why());
    else
        err_set(err, no_pos, "%s", errno != 0 ? strerror(errno) : "the other side hung up");
    return TLS_FAILED;
}

enum tls_answer tls_read(struct tls_stream *stream, char *bytes, size_t room, size_t *count) {
    libssl.ERR_clear_error();
    int done = libssl.SSL_read(stream->ssl, bytes, room < INT_MAX ? (int)room : INT_MAX);
    if (done <= 0)
        return answer_of(stream, done);
    *count = (size_t)done;
    return TLS_DONE;
}

enum tls_answer tls_write(struct tls_stream *stream, struct str bytes, size_t *count) {
    libssl.ERR_clear_error();
    int done = libssl.SSL_write(stream->ssl, bytes.ptr, bytes.len < INT_MAX ? (int)bytes.len : INT_MAX);
    if (done <= 0)
        return answer_of(stream, done);
    *count = (size_t)done;
    return TLS_DONE;
}

bool tls_has_bytes(const struct tls_stream *stream) {
    return libssl.SSL_pending(stream->ssl) > 0;
}

void tls_finish(struct tls_stream *stream) {
    libssl.ERR_clear_error();
    libssl.SSL_shutdown(stream->ssl);
}

void tls_free(struct tls_stream *stream) {
    if (stream == NULL)
        return;
    libssl.SSL_free(stream->ssl);
    free(stream);
}

bool tls_names_postgresql(const struct tls_stream *stream) {
    const unsigned char *name;
    unsigned len;
    libssl.SSL_get0_alpn_selected(stream->ssl, &name, &len);
    return len == sizeof(alpn_name) - 2 && memcmp(name, alpn_name + 1, len) == 0;
}

bool tls_is_own_certificate(const struct tls *tls, const struct tls_stream *server) {
    X509 *own = tls->clients != NULL ? libssl.SSL_CTX_get0_certificate(tls->clients) : NULL;
    X509 *shown = libssl.SSL_get0_peer_certificate(server->ssl);
    return own != NULL && shown != NULL && libssl.X509_cmp(own, shown) == 0;
}
#else
struct tls *tls_open(struct arena *arena, const struct tls_options *options, struct err *err) {
    (void)arena, (void)options;
    err_set(err, no_pos, "this lostwrite was built without OpenSSL");
    return NULL;
}

/* Without a struct tls nobody calls these. */
static void never(void) {
    LW_ASSERT(false);
}

void tls_close(struct tls *tls) {
    LW_ASSERT(tls == NULL);
}

enum tls_upstream tls_upstream(const struct tls *tls) {
    (void)tls, never();
    return TLS_DISABLE;
}

bool tls_has_certificate(const struct tls *tls) {
    (void)tls, never();
    return false;
}

struct tls_stream *tls_begin(struct tls *tls, int fd, bool is_client, struct err *err) {
    (void)tls, (void)fd, (void)is_client, (void)err, never();
    return NULL;
}

enum tls_answer tls_handshake(struct tls_stream *stream, struct err *err) {
    (void)stream, (void)err, never();
    return TLS_FAILED;
}

enum tls_answer tls_read(struct tls_stream *stream, char *bytes, size_t room, size_t *count) {
    (void)stream, (void)bytes, (void)room, (void)count, never();
    return TLS_FAILED;
}

enum tls_answer tls_write(struct tls_stream *stream, struct str bytes, size_t *count) {
    (void)stream, (void)bytes, (void)count, never();
    return TLS_FAILED;
}

bool tls_has_bytes(const struct tls_stream *stream) {
    (void)stream, never();
    return false;
}

void tls_finish(struct tls_stream *stream) {
    (void)stream, never();
}

void tls_free(struct tls_stream *stream) {
    LW_ASSERT(stream == NULL);
}

bool tls_names_postgresql(const struct tls_stream *stream) {
    (void)stream, never();
    return false;
}

bool tls_is_own_certificate(const struct tls *tls, const struct tls_stream *server) {
    (void)tls, (void)server, never();
    return false;
}
#endif
