#include "wire/postgresql.h"

#include "base/assert.h"
#include "wire/split.h"

#include <stdlib.h>

enum { STARTUP_BYTES_MAX = 10000, REQUEST_CANCEL = 80877102, REQUEST_SSL, REQUEST_GSS };

static const char not_known[] = "a statement was prepared where the capture did not see it";

static void *pgwire_open(struct wire_connection *c) {
    struct pg *pg = mem_alloc(sizeof(*pg));
    *pg = (struct pg){.phase = c->mode == WIRE_READING ? PG_STARTUP : PG_READY};
    pgwire_open_tables(pg);
    return pg;
}

static void pgwire_close(struct wire_connection *c) {
    struct pg *pg = c->decoder;
    named_release(&pg->portals);
    named_release(&pg->prepared);
    wire_statement_release(&pg->current);
    wire_statement_release(&pg->held);
    free(pg->columns.items);
    buf_release(&pg->user);
    buf_release(&pg->database);
    buf_release(&pg->application);
    free(pg);
}

static size_t pgwire_byte_size(const struct wire_connection *c) {
    const struct pg *pg = c->decoder;
    return sizeof(*pg) + pg->prepared.byte_size + pg->portals.byte_size +
           wire_statement_byte_size(&pg->current) + wire_statement_byte_size(&pg->held);
}

/* --- statements --- */

static void tell_held(struct wire_connection *c, struct pg *pg, enum trace_transaction after) {
    if (!pg->is_held)
        return;
    pg->is_held = false;
    if (pg->held.transaction_after == TRACE_TRANSACTION_UNKNOWN)
        pg->held.transaction_after = after;
    wire_tell(c, &pg->held);
}

static void begin_statement(struct wire_connection *c, struct pg *pg) {
    if (pg->is_begun)
        return;
    wire_statement_begin(&pg->current, c->asked->time_us, c->asked->offset);
    pg->is_begun = true;
}

static void hold(struct wire_connection *c, struct pg *pg) {
    tell_held(c, pg, TRACE_TRANSACTION_OPEN);
    struct wire_statement done = pg->current;
    pg->current = pg->held;
    pg->held = done;
    pg->held.end_us = c->time_us;
    pg->is_held = true;
    pg->is_begun = false;
}

/* The row count at the end of a command tag: INSERT 0 1, UPDATE 3. */
static int64_t count_of_tag(struct str tag) {
    size_t at = tag.len;
    while (at > 0 && tag.ptr[at - 1] >= '0' && tag.ptr[at - 1] <= '9')
        at--;
    if (at == tag.len || at == 0 || tag.ptr[at - 1] != ' ' || tag.len - at > 18)
        return -1;
    int64_t count = 0;
    for (; at < tag.len; at++)
        count = count * 10 + (tag.ptr[at] - '0');
    return count;
}

static void note_tag(struct wire_statement *s, struct str tag) {
    s->outcome = TRACE_OK;
    s->row_count = count_of_tag(tag);
    if (str_is(tag, "COMMIT") || str_is(tag, "ROLLBACK") || str_is(tag, "PREPARE TRANSACTION"))
        s->transaction_after = TRACE_TRANSACTION_NONE;
}

/* Puts the next statement of a simple query's text into pg->current. */
static bool name_next_of_query(struct wire_connection *c, struct pg *pg) {
    struct reader reader = reader_of(wire_ask_body(c->asked));
    struct str text = read_c_string(&reader), one;
    if (!split_next(text, TRACE_POSTGRESQL, &pg->split_at, &one))
        return false;
    pg->current.sql = wire_statement_add(&pg->current, one);
    pg->current.is_cut = c->asked->is_cut && pg->split_at == text.len;
    return true;
}

/* What is answered has no text that was seen. */
static void tell_unknown(struct wire_connection *c, struct pg *pg) {
    tell_held(c, pg, TRACE_TRANSACTION_OPEN);
    pg->is_begun = false;
    wire_gap(c, c->asked->is_cut ? "a statement stands behind what is kept of a long text" : not_known, 0);
}

static void complete_query(struct wire_connection *c, struct pg *pg, struct str tag) {
    if (name_next_of_query(c, pg)) {
        note_tag(&pg->current, tag);
        hold(c, pg);
    } else if (c->asked->is_cut) {
        tell_unknown(c, pg);
    } else {
        wire_doubt(c, "the server answered more statements than were sent");
    }
}

static void complete_execute(struct wire_connection *c, struct pg *pg, struct str tag) {
    if (pgwire_name_statement(pg, c->asked)) {
        note_tag(&pg->current, tag);
        if (tag.len == 0)
            pg->current.row_count = (int64_t)pg->current.rows_seen;
        pgwire_note_run(pg, c->asked);
        hold(c, pg);
    } else {
        tell_unknown(c, pg);
    }
    wire_answered(c);
}

/* CommandComplete, EmptyQueryResponse and PortalSuspended (both: an empty tag). */
static void complete(struct wire_connection *c, struct pg *pg, uint8_t type, struct str tag) {
    begin_statement(c, pg);
    pg->is_copy_in = false;
    if (c->asked->kind == PG_EXECUTE && type == 'I') {
        pg->is_begun = false;
        wire_answered(c);
    } else if (c->asked->kind == PG_EXECUTE) {
        complete_execute(c, pg, tag);
    } else if (type == 'I') {
        pg->is_begun = false;
    } else {
        complete_query(c, pg, tag);
    }
}

/* --- errors --- */

struct pgwire_error {
    struct str severity, code, message;
};

static struct pgwire_error read_error(struct str body) {
    struct pgwire_error error = {{0}, {0}, {0}};
    struct reader reader = reader_of(body);
    for (uint8_t field; (field = read_byte(&reader)) != 0 && !reader.is_short;) {
        struct str text = read_c_string(&reader);
        if (field == 'V' || (field == 'S' && error.severity.len == 0))
            error.severity = text;
        else if (field == 'C')
            error.code = text;
        else if (field == 'M')
            error.message = text;
    }
    return error;
}

static void fail_query(struct wire_connection *c, struct pg *pg, const struct pgwire_error *error) {
    begin_statement(c, pg);
    struct reader reader = reader_of(wire_ask_body(c->asked));
    struct str text = read_c_string(&reader);
    pg->is_failed = true;
    if (pg->split_at == 0 && str_is(error->code, "42601")) {
        /* Nothing ran: the whole text was refused. */
        pg->current.sql = wire_statement_add(&pg->current, text);
        pg->current.is_cut = c->asked->is_cut;
    } else if (!name_next_of_query(c, pg)) {
        if (pg->is_held && !c->asked->is_cut) { /* the commit behind the last of them */
            pg->is_begun = false;
            wire_statement_fail(&pg->held, error->code, error->message);
            pg->held.end_us = c->time_us;
        } else {
            tell_unknown(c, pg);
        }
        return;
    }
    wire_statement_fail(&pg->current, error->code, error->message);
    hold(c, pg);
}

static void skip_to_sync(struct wire_connection *c, struct pg *pg) {
    while (c->asked != NULL && c->asked->kind != PG_SYNC)
        wire_answered(c);
    pg->is_skipping = c->asked == NULL;
}

static void fail_extended(struct wire_connection *c, struct pg *pg, const struct pgwire_error *error) {
    begin_statement(c, pg);
    if (pgwire_name_statement(pg, c->asked)) {
        wire_statement_fail(&pg->current, error->code, error->message);
        hold(c, pg);
    } else {
        tell_unknown(c, pg);
    }
    skip_to_sync(c, pg);
}

static void receive_error(struct wire_connection *c, struct pg *pg, struct str body) {
    struct pgwire_error error = read_error(body);
    bool is_fatal = str_is(error.severity, "FATAL") || str_is(error.severity, "PANIC");
    pg->is_copy_in = false;
    if (c->asked == NULL) {
        if (!is_fatal && pg->phase == PG_READY)
            wire_doubt(c, "an error answers nothing that was asked");
        return;
    }
    if (c->asked->kind == PG_QUERY) {
        if (!pg->is_failed)
            fail_query(c, pg, &error);
    } else if (c->asked->kind == PG_SYNC) {
        /* The commit of what stood before the Sync. */
        if (pg->is_held && pg->held.outcome == TRACE_OK)
            wire_statement_fail(&pg->held, error.code, error.message);
    } else if (c->asked->kind != PG_FUNCTION) {
        fail_extended(c, pg, &error);
    }
}

/* --- what the server sends --- */

static void receive_ready(struct wire_connection *c, struct pg *pg, struct str body) {
    bool is_first = pg->phase == PG_LOGIN;
    bool is_idle = body.len == 1 && body.ptr[0] == 'I';
    pg->phase = PG_READY;
    if (is_first) {
        wire_tell_session(c, buf_str(&pg->user), buf_str(&pg->database), buf_str(&pg->application));
        return;
    }
    if (c->asked == NULL || body.len != 1 ||
        (c->asked->kind != PG_QUERY && c->asked->kind != PG_SYNC && c->asked->kind != PG_FUNCTION)) {
        wire_doubt(c, "the server is ready while an answer is missing");
        return;
    }
    tell_held(c, pg, is_idle ? TRACE_TRANSACTION_NONE : TRACE_TRANSACTION_OPEN);
    if (c->asked->kind == PG_QUERY && !pg->is_failed && !c->asked->is_cut &&
        (pg->is_begun || name_next_of_query(c, pg))) {
        wire_doubt(c, "the server answered fewer statements than were sent");
        return;
    }
    if (is_idle)
        named_clear(&pg->portals);
    pg->is_begun = pg->is_failed = pg->is_copy_in = false;
    pg->split_at = 0;
    wire_answered(c);
}

static void receive_parameter(struct wire_connection *c, struct pg *pg, struct str body) {
    struct reader reader = reader_of(body);
    struct str name = read_c_string(&reader);
    struct str text = read_c_string(&reader);
    if (!str_is(name, "application_name") || str_equal(text, buf_str(&pg->application)))
        return;
    buf_clear(&pg->application);
    buf_add(&pg->application, text);
    if (pg->phase == PG_READY)
        wire_tell_session(c, buf_str(&pg->user), buf_str(&pg->database), text);
}

static void receive_description(struct wire_connection *c, struct pg *pg, struct str body) {
    if (c->asked->kind == PG_DESCRIBE) {
        pgwire_described(c, pg, body);
    } else if (c->asked->kind == PG_QUERY) {
        begin_statement(c, pg);
        if (!pgwire_begin_rows(pg, body, (struct str){0}))
            wire_doubt(c, "a description of columns is malformed");
    } else {
        wire_doubt(c, "a description of columns answers nothing that was asked");
    }
}

static void receive_row(struct wire_connection *c, struct pg *pg, struct str body, bool is_cut) {
    bool is_first = !pg->is_begun;
    if (c->asked->kind != PG_QUERY && c->asked->kind != PG_EXECUTE) {
        wire_doubt(c, "a row answers nothing that was asked");
        return;
    }
    begin_statement(c, pg);
    if (is_first && c->asked->kind == PG_EXECUTE)
        pgwire_begin_executed_rows(pg, c->asked);
    if (!pgwire_add_row(pg, body, is_cut))
        wire_doubt(c, "a row is malformed");
}

/* The server reads on in copy mode, where it passes over a Sync that was sent ahead. */
static void receive_copy_in(struct wire_connection *c, struct pg *pg) {
    pg->is_copy_in = true;
    begin_statement(c, pg);
    while (c->asked->kind == PG_EXECUTE && c->asked->next != NULL &&
           c->asked->next->kind == PG_SYNC) {
        struct wire_ask *sync = c->asked->next;
        c->asked->next = sync->next;
        if (sync->next == NULL)
            c->asked_last = c->asked;
        c->asked_bytes -= sizeof(*sync) + sync->len;
        free(sync);
    }
}

/* What only answers a question of one kind; 0: it answers none, or several. */
static uint8_t answered_kind(uint8_t type) {
    switch (type) {
    case '1':
        return PG_PARSE;
    case '2':
        return PG_BIND;
    case '3':
        return PG_CLOSE;
    case 't':
    case 'n':
        return PG_DESCRIBE;
    case 'V':
        return PG_FUNCTION;
    case 's':
        return PG_EXECUTE;
    default:
        return 0;
    }
}

static void receive_answer(struct wire_connection *c, struct pg *pg, uint8_t type, struct str body,
                           bool is_cut) {
    uint8_t kind = answered_kind(type);
    if (c->asked == NULL || (kind != 0 && c->asked->kind != kind)) {
        wire_doubt(c, "the server answers what was not asked");
        return;
    }
    bool has_result = c->asked->kind == PG_QUERY || c->asked->kind == PG_EXECUTE;
    if (strchr("CIGHcd", type) != NULL && !has_result) {
        wire_doubt(c, "the server answers what was not asked");
        return;
    }
    switch (type) {
    case '1':
        pgwire_parse_complete(c, pg);
        break;
    case '2':
        pgwire_bind_complete(c, pg);
        break;
    case '3':
        pgwire_close_complete(c, pg);
        break;
    case 't':
        pgwire_described_params(c, pg, body);
        break;
    case 'n':
        pgwire_described(c, pg, (struct str){0});
        break;
    case 'T':
        receive_description(c, pg, body);
        break;
    case 'D':
        receive_row(c, pg, body, is_cut);
        break;
    case 'C':
    case 'I':
    case 's': {
        struct reader reader = reader_of(body);
        complete(c, pg, type, type == 'C' ? read_c_string(&reader) : (struct str){0});
        break;
    }
    case 'G':
        receive_copy_in(c, pg);
        break;
    case 'H':
        begin_statement(c, pg);
        break;
    case 'V':
        wire_gap(c, "a function was called by number", 0);
        break;
    case 'c':
    case 'd':
        break; /* the data of a COPY */
    default:
        wire_doubt(c, "the server sent a message of no known type");
    }
}

static void receive_from_server(struct wire_connection *c, struct pg *pg, uint8_t type,
                                struct str body, bool is_cut) {
    switch (type) {
    case 'E':
        receive_error(c, pg, body);
        break;
    case 'Z':
        receive_ready(c, pg, body);
        break;
    case 'S':
        receive_parameter(c, pg, body);
        break;
    case 'W':
        wire_go_blind(c, "a replication connection is not decoded", false);
        break;
    case 'A': /* a notification */
    case 'K': /* the key for a cancel request */
    case 'N': /* a notice */
    case 'R': /* authentication */
    case 'v': /* the version is negotiated */
        break;
    default:
        receive_answer(c, pg, type, body, is_cut);
    }
}

/* --- what the client sends --- */

static void receive_startup(struct wire_connection *c, struct pg *pg, struct str message) {
    struct reader reader = reader_of(message);
    read_be(&reader, 4);
    uint64_t code = read_be(&reader, 4);
    if (code == REQUEST_SSL || code == REQUEST_GSS) {
        pg->phase = PG_ENCRYPTION;
        c->is_client_waiting = true;
        return;
    }
    if (code == REQUEST_CANCEL) {
        c->is_ended = true; /* it is no session */
        c->mode = WIRE_BLIND;
        return;
    }
    if (code >> 16 != 3) {
        wire_go_blind(c, "it begins with no known version of PostgreSQL's protocol", false);
        return;
    }
    while (!reader.is_short && reader_left(&reader) > 1) {
        struct str name = read_c_string(&reader);
        struct str text = read_c_string(&reader);
        struct buf *kept = str_is(name, "user")               ? &pg->user
                           : str_is(name, "database")         ? &pg->database
                           : str_is(name, "application_name") ? &pg->application
                                                              : NULL;
        if (kept != NULL) {
            buf_clear(kept);
            buf_add(kept, text);
        }
        if (str_is(name, "replication") && !str_is(text, "false") && !str_is(text, "off") && !str_is(text, "0")) {
            wire_go_blind(c, "a replication connection is not decoded", false);
            return;
        }
    }
    if (pg->database.len == 0)
        buf_add(&pg->database, buf_str(&pg->user));
    pg->phase = PG_LOGIN;
}

static void receive_from_client(struct wire_connection *c, struct pg *pg, uint8_t type,
                                struct str body, bool is_cut) {
    switch (type) {
    case PG_SYNC:
        if (pg->is_copy_in)
            return;
        pg->is_skipping = false;
        wire_ask(c, type, (struct str){0}, false);
        return;
    case 'c':
    case 'f':
        pg->is_copy_in = false;
        return;
    case 'd':
    case 'H': /* Flush has no answer */
    case 'p': /* a password */
    case 'X':
        return;
    case PG_FUNCTION:
        body = (struct str){0};
        /* fall through */
    default:
        if (!pg->is_skipping)
            wire_ask(c, type, body, is_cut);
    }
}

/* --- messages --- */

static const char client_types[] = "QPBDECSFHdcfpX";
static const char server_types[] = "123tnTDCIsGHVcdEZSWAKNRv";

static size_t receive_before_login(struct wire_connection *c, struct pg *pg, struct str bytes) {
    struct reader reader = reader_of(bytes);
    if ((unsigned char)bytes.ptr[0] == 0x16) { /* a TLS handshake without a request */
        wire_go_blind(c, "the connection is encrypted", true);
        return 0;
    }
    if (bytes.len < 8)
        return 0;
    uint64_t length = read_be(&reader, 4);
    if (length < 8 || length > STARTUP_BYTES_MAX) {
        wire_go_blind(c, "it does not begin as PostgreSQL's protocol does", false);
        return 0;
    }
    if (bytes.len < length)
        return 0;
    receive_startup(c, pg, str_sub(bytes, 0, (size_t)length));
    return (size_t)length;
}

static size_t receive_encryption(struct wire_connection *c, struct pg *pg, struct str bytes) {
    c->is_client_waiting = false;
    pg->phase = PG_STARTUP;
    if (bytes.ptr[0] == 'S' || bytes.ptr[0] == 'G')
        wire_go_blind(c, "the connection is encrypted", true);
    else if (bytes.ptr[0] != 'N')
        wire_go_blind(c, "the server does not know about encryption", false);
    return 1;
}

static size_t pgwire_receive(struct wire_connection *c, enum wire_side side, struct str bytes) {
    struct pg *pg = c->decoder;
    if (side == WIRE_CLIENT && pg->phase == PG_STARTUP)
        return receive_before_login(c, pg, bytes);
    if (side == WIRE_SERVER && pg->phase == PG_ENCRYPTION)
        return receive_encryption(c, pg, bytes);
    if (bytes.len < 5)
        return 0;
    struct reader reader = reader_of(bytes);
    uint8_t type = read_byte(&reader);
    uint64_t length = read_be(&reader, 4) + 1;
    if (type == 0 || strchr(side == WIRE_CLIENT ? client_types : server_types, type) == NULL ||
        length < 5 || length > UINT32_C(0x40000000)) {
        wire_doubt(c, "what comes is no message of PostgreSQL's protocol");
        return 0;
    }
    bool is_cut = length > WIRE_MESSAGE_BYTES_MAX;
    size_t kept = is_cut ? WIRE_MESSAGE_BYTES_MAX : (size_t)length;
    if (bytes.len < kept)
        return 0;
    c->streams[side].skip = length - kept;
    struct str body = str_sub(bytes, 5, kept);
    if (side == WIRE_CLIENT)
        receive_from_client(c, pg, type, body, is_cut);
    else
        receive_from_server(c, pg, type, body, is_cut);
    return kept;
}

static void pgwire_restart(struct wire_connection *c) {
    struct pg *pg = c->decoder;
    tell_held(c, pg, TRACE_TRANSACTION_UNKNOWN);
    named_clear(&pg->portals);
    named_clear(&pg->prepared);
    pg->phase = PG_READY;
    pg->is_skipping = pg->is_copy_in = pg->is_begun = pg->is_failed = false;
    pg->split_at = 0;
}

/* Whole messages, the last of which the server answers; after a ReadyForQuery, if the server said anything. */
static bool pgwire_is_command(struct str burst, struct str tail) {
    static const char ready[] = {'Z', 0, 0, 0, 5};
    if (tail.len > 0 && (tail.len < 6 || memcmp(tail.ptr + tail.len - 6, ready, 5) != 0))
        return false;
    struct reader reader = reader_of(burst);
    uint8_t type = 0;
    while (reader_left(&reader) > 0) {
        type = read_byte(&reader);
        uint64_t length = read_be(&reader, 4);
        if (reader.is_short || type == 0 || strchr("QPBDECSFH", type) == NULL || length < 4)
            return false;
        read_bytes(&reader, length - 4);
    }
    return !reader.is_short && strchr("QSHF", type) != NULL;
}

static void pgwire_end(struct wire_connection *c) {
    struct pg *pg = c->decoder;
    tell_held(c, pg, TRACE_TRANSACTION_UNKNOWN);
    /* Sent, and never answered: whether it ran is not known. */
    for (; c->asked != NULL; wire_answered(c)) {
        bool is_query = c->asked->kind == PG_QUERY, is_run = c->asked->kind == PG_EXECUTE;
        begin_statement(c, pg);
        pg->is_begun = false;
        if (is_query && !pg->is_failed && name_next_of_query(c, pg))
            wire_tell(c, &pg->current);
        else if (is_run && pgwire_name_statement(pg, c->asked))
            wire_tell(c, &pg->current);
        pg->split_at = 0;
    }
}

const struct wire_class postgresql_class = {
    .server = TRACE_POSTGRESQL,
    .open = pgwire_open,
    .receive = pgwire_receive,
    .restart = pgwire_restart,
    .is_command = pgwire_is_command,
    .end = pgwire_end,
    .byte_size = pgwire_byte_size,
    .close = pgwire_close,
};
