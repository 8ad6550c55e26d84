/* What the logins of both protocols share. Internal to login*.c. */
#ifndef LW_PROXY_LOGIN_OWN_H
#define LW_PROXY_LOGIN_OWN_H

#include "proxy/login.h"

enum { LOGIN_BYTES_MAX = END_WAITING_BYTES_MAX }; /* of one message */

/* A step answers: come again when an event of `interest` is there; go on at once (it has set the next step); or an end. */
enum login_step { STEP_WAIT, STEP_ON, STEP_DONE, STEP_FAILED };

struct login {
    struct login_options options;
    struct pair *pair;
    struct end *ends;
    enum login_step (*step)(struct login *login);
    uint32_t interest[2];
    struct buf in[2]; /* of each side: the message that is being read */
    struct err failure;
    bool is_refused;    /* `failure` says why; the client is told as soon as it can hear it */
    bool is_decided;    /* whether the server has TLS is settled, see ends[LOGIN_SERVER].tls */
    bool wants_tls;     /* PostgreSQL: the client asked for it, and has no answer yet */
    bool is_direct;     /* PostgreSQL: it began with TLS, without asking */
    bool is_sasl_asked; /* PostgreSQL: the client's next message names how it logs in */
    unsigned asked_count;
    bool offers_tls, uses_tls; /* MySQL: to the client, to the server */
    int shift; /* MySQL: by how much the client's numbers of packets are ahead of the server's */
    uint64_t capabilities; /* MySQL: the client's */
};

/* Reads until `count` bytes of that side are in login->in. */
enum login_step login_fill(struct login *login, int side, size_t count);
/* Something waits for that end: nothing more is read for it. Else STEP_ON. */
enum login_step login_drain(struct login *login, int end);
/* Forwards and tells what was read of `side`, and forgets it. `told`: in its place for those who look; NULL ptr: the same. */
enum login_step login_pass(struct login *login, int side, struct str told);
enum login_step login_send(struct login *login, int to, struct str bytes);
/* Notes why it is refused; the first reason counts. */
void login_refuse(struct login *login, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Shakes hands at that end, begun if need be. A failure at the server's end is a refusal, and STEP_ON. */
enum login_step login_shake(struct login *login, int end);
/* Whether the client may be offered TLS, once it is known whether the server has it. */
bool login_may_offer(const struct login *login);

enum login_step postgresql_login_begin(struct login *login);
enum login_step mysql_login_begin(struct login *login);

#endif
