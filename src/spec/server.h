/* What runs a spec's SQL: the built-in engine (builtin.h) or a real server (real.h). The runner (run.h) knows
 * neither. A text may hold several statements, which are sent at once, as PostgreSQL's simple query: the first
 * that fails ends the text, and what stands outside of an explicit transaction is one transaction.
 *
 * Every call answers false, with a reason, if the permutation can't go on: because what it needs is not
 * modelled (`is_not_modelled`; the next permutation may do), or because the server is lost.
 */
#ifndef LW_SPEC_SERVER_H
#define LW_SPEC_SERVER_H

#include "spec/spec.h"

/* The control connection, which makes and drops what the sessions share. */
enum { SPEC_CONTROL = 100 };

struct spec_table {
    size_t column_count, row_count;
    const struct str *names; /* column_count */
    const struct str *cells; /* row_count times column_count; NULL is the empty text */
};

/* What one statement gave, if anything is to be seen of it: rows or an error. */
struct spec_part {
    bool is_error;
    struct spec_table table;
    struct str severity, message;
};

/* The parts of a text's answer; memory is the server's, until the next permutation begins. */
struct spec_answer {
    VEC(struct spec_part) parts;
    bool ends_without_rows; /* its last statement gave none */
};

struct spec_server {
    /* Makes everything as new. */
    bool (*begin)(struct spec_server *server, struct err *err);
    /* Runs a text to its end. A wait is an error. */
    bool (*run)(struct spec_server *server, size_t session, const struct spec_block *block,
                struct spec_answer *answer, struct err *err);
    /* Sends a text in a session that is not busy, and goes on in all sessions until each has either ended its
     * text or waits for another. */
    bool (*send)(struct spec_server *server, size_t session, const struct spec_block *block,
                 struct err *err);
    /* The answer to the text last sent, NULL while it is not complete. */
    const struct spec_answer *(*answer)(struct spec_server *server, size_t session);
    /* Goes on until the session's text has ended, of which the server's own timeouts may be the cause;
     * after `*seconds` it is canceled. `*seconds` 0: it was not. */
    bool (*wait)(struct spec_server *server, size_t session, unsigned *seconds, struct err *err);
    /* Gives the server a moment to do something by itself; `*idle_us`, 0 at first, counts them. NULL: it never does. */
    bool (*idle)(struct spec_server *server, uint64_t *idle_us, struct err *err);
    /* Called for each notice as it comes in. */
    void (*notice)(void *context, size_t session, struct str severity, struct str message);
    void *notice_context;
    bool is_not_modelled;
};

#endif
