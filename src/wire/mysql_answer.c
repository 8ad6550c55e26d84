/* The answers to commands, packet by packet. */
#include "wire/mysql.h"

enum { TRACK_SCHEMA = 1, COLUMNS_MAX = 65535, EOF_BYTES = 5, ERROR_PROGRESS = 0xffff };

static struct str read_tracked_schema(struct reader *reader) {
    struct str schema = {NULL, 0};
    struct reader list = reader_of(read_lenenc_str(reader));
    while (!list.is_short && reader_left(&list) > 0) {
        uint8_t type = read_byte(&list);
        struct reader one = reader_of(read_lenenc_str(&list));
        if (type == TRACK_SCHEMA && !list.is_short)
            schema = read_lenenc_str(&one);
    }
    return schema;
}

static bool is_error(const struct mywire_packet *packet) {
    return packet->bytes.len > 0 && (unsigned char)packet->bytes.ptr[0] == 0xff;
}

static bool is_eof(const struct my *my, const struct mywire_packet *packet) {
    if (packet->bytes.len == 0 || (unsigned char)packet->bytes.ptr[0] != 0xfe)
        return false;
    return my->eof == MY_EOF_NONE ? packet->total < 0xffffff : packet->total < 9;
}

struct mywire_ok mywire_read_ok(const struct my *my, struct str packet) {
    struct mywire_ok ok = {0, 0, {NULL, 0}};
    struct reader reader = reader_of(packet);
    bool is_short_eof = read_byte(&reader) == 0xfe && packet.len == EOF_BYTES;
    if (is_short_eof) {
        read_le(&reader, 2);
        ok.status = (uint16_t)read_le(&reader, 2);
        return ok;
    }
    ok.affected = read_lenenc(&reader);
    read_lenenc(&reader); /* the last inserted number */
    ok.status = (uint16_t)read_le(&reader, 2);
    read_le(&reader, 2); /* warnings */
    if (my->capabilities & MY_SESSION_TRACK && reader_left(&reader) > 0) {
        read_lenenc_str(&reader);
        if (ok.status & MY_STATE_CHANGED)
            ok.schema = read_tracked_schema(&reader);
    }
    return ok;
}

void mywire_pass_unanswered(struct wire_connection *c, struct my *my) {
    for (; c->asked != NULL; wire_answered(c)) {
        if (c->asked->kind == COM_STMT_SEND_LONG_DATA)
            mywire_add_long_data(my, c->asked);
        else if (c->asked->kind == COM_STMT_CLOSE)
            mywire_forget_prepared(my, wire_ask_body(c->asked));
        else
            return;
    }
}

void mywire_answered(struct wire_connection *c, struct my *my) {
    my->state = MY_FIRST;
    my->is_begun = my->is_call = my->is_sending_file = false;
    my->result_count = my->split_at = 0;
    wire_answered(c);
    mywire_pass_unanswered(c, my);
}

static void use_database(struct wire_connection *c, struct my *my, struct str database) {
    if (database.ptr == NULL || str_equal(database, buf_str(&my->database)))
        return;
    buf_clear(&my->database);
    buf_add(&my->database, database);
    mywire_begin_session(c, my);
}

/* The end of one result: its OK or EOF. */
static void end_result(struct wire_connection *c, struct my *my, const struct mywire_packet *packet,
                       bool is_rows) {
    struct mywire_ok ok = mywire_read_ok(my, packet->bytes);
    mywire_tell_ok(c, my, &ok, is_rows);
    if (c->mode != WIRE_READING)
        return;
    use_database(c, my, ok.schema);
    my->state = MY_FIRST;
    if (!(ok.status & MY_MORE_RESULTS) || c->asked->kind == COM_STMT_FETCH)
        mywire_answered(c, my);
}

static void end_with_error(struct wire_connection *c, struct my *my, const struct mywire_packet *packet) {
    struct reader reader = reader_of(packet->bytes);
    read_byte(&reader);
    if (read_le(&reader, 2) == ERROR_PROGRESS) /* MariaDB tells how far a statement is */
        return;
    mywire_tell_error(c, my, packet->bytes);
    mywire_answered(c, my);
}

/* How many columns: then their descriptions, unless the client has them already. */
static void begin_result(struct wire_connection *c, struct my *my, const struct mywire_packet *packet) {
    struct reader reader = reader_of(packet->bytes);
    uint64_t count = read_lenenc(&reader);
    bool is_described = true;
    if (reader_left(&reader) == 1)
        is_described = read_byte(&reader) != 0;
    if (reader.is_short || reader_left(&reader) > 0 || count == 0 || count > COLUMNS_MAX) {
        wire_doubt(c, "an answer is malformed");
        return;
    }
    mywire_begin_statement(c, my);
    wire_statement_rows(&my->current);
    my->left = count;
    my->state = MY_COLUMNS;
    if (is_described) {
        mywire_columns_clear(&my->columns);
        return;
    }
    const struct mywire_prepared *prepared = mywire_executed(my, c->asked);
    if (prepared == NULL || prepared->columns.list.count != count) {
        wire_doubt(c, "the columns were described where the capture did not see it");
        return;
    }
    mywire_columns_copy(&my->columns, &prepared->columns);
    my->state = my->eof == MY_EOF_NONE ? MY_ROWS : MY_COLUMNS_END;
}

static void name_columns(struct my *my) {
    for (size_t i = 0; i < my->columns.list.count; i++) {
        struct wire_slice name = my->columns.list.items[i].name;
        wire_statement_column(&my->current, str_sub(buf_str(&my->columns.names), name.at, name.at + name.len));
    }
    my->current.rows_at = my->current.text.len;
}

static void receive_column(struct wire_connection *c, struct my *my, const struct mywire_packet *packet) {
    if (!mywire_columns_add(&my->columns, packet->bytes)) {
        wire_doubt(c, "a description of a column is malformed");
        return;
    }
    if (--my->left > 0)
        return;
    my->state = my->eof == MY_EOF_NONE ? MY_ROWS : MY_COLUMNS_END;
}

static bool is_executed(const struct wire_ask *ask) {
    return ask->kind == COM_STMT_EXECUTE || ask->kind == COM_STMT_FETCH ||
           ask->kind == COM_STMT_BULK_EXECUTE;
}

static void receive_row(struct wire_connection *c, struct my *my, const struct mywire_packet *packet) {
    if (is_error(packet)) {
        end_with_error(c, my, packet);
    } else if (is_eof(my, packet)) {
        if (my->current.columns.count == 0)
            name_columns(my);
        end_result(c, my, packet, true);
    } else {
        if (my->current.columns.count == 0)
            name_columns(my);
        if (!mywire_add_row(my, packet, is_executed(c->asked)))
            wire_doubt(c, "a row is malformed");
    }
}

/* Behind the descriptions; of a connection whose login was not seen, this tells whether an EOF stands there. */
static void receive_columns_end(struct wire_connection *c, struct my *my, const struct mywire_packet *packet) {
    if (my->eof == MY_EOF_UNKNOWN)
        my->eof = is_eof(my, packet) && packet->total == EOF_BYTES ? MY_EOF_SENT : MY_EOF_NONE;
    if (my->eof == MY_EOF_NONE) {
        my->state = MY_ROWS;
        receive_row(c, my, packet);
        return;
    }
    if (is_error(packet)) {
        end_with_error(c, my, packet);
        return;
    }
    if (!is_eof(my, packet)) {
        wire_doubt(c, "the descriptions of columns do not end");
        return;
    }
    name_columns(my);
    struct mywire_ok ok = mywire_read_ok(my, packet->bytes);
    if (ok.status & MY_CURSOR_EXISTS && c->asked->kind == COM_STMT_EXECUTE)
        end_result(c, my, packet, true);
    else
        my->state = MY_ROWS;
}

/* --- COM_STMT_PREPARE --- */

static void next_of_prepare(struct wire_connection *c, struct my *my) {
    my->state = my->left > 0 ? MY_PARAMS : my->results_left > 0 ? MY_RESULTS : MY_FIRST;
    if (my->state != MY_FIRST)
        return;
    mywire_prepared_end(my);
    mywire_answered(c, my);
}

static void begin_prepare(struct wire_connection *c, struct my *my, const struct mywire_packet *packet) {
    struct reader reader = reader_of(packet->bytes);
    uint8_t status = read_byte(&reader);
    uint32_t id = (uint32_t)read_le(&reader, 4);
    my->results_left = read_le(&reader, 2);
    my->left = read_le(&reader, 2);
    if (reader.is_short || status != 0) {
        wire_doubt(c, "an answer is malformed");
        return;
    }
    mywire_prepared_begin(c, my, id, (size_t)my->left);
    if (reader_left(&reader) > 3) {
        read_bytes(&reader, 3);
        if (read_byte(&reader) == 0) /* what the client has already is not described again */
            my->left = my->results_left = 0;
    }
    next_of_prepare(c, my);
}

static void receive_prepared(struct wire_connection *c, struct my *my, const struct mywire_packet *packet) {
    bool is_param = my->state == MY_PARAMS;
    uint64_t *left = is_param ? &my->left : &my->results_left;
    if (!is_param && !mywire_columns_add(&my->preparing->columns, packet->bytes)) {
        wire_doubt(c, "a description of a column is malformed");
        return;
    }
    if (--*left > 0)
        return;
    if (my->eof == MY_EOF_NONE)
        next_of_prepare(c, my);
    else
        my->state = is_param ? MY_PARAMS_END : MY_RESULTS_END;
}

static void receive_prepared_end(struct wire_connection *c, struct my *my, const struct mywire_packet *packet) {
    bool is_end = is_eof(my, packet) && packet->total == EOF_BYTES;
    if (my->eof == MY_EOF_UNKNOWN)
        my->eof = is_end ? MY_EOF_SENT : MY_EOF_NONE;
    next_of_prepare(c, my);
    if (is_end)
        return;
    if (my->eof == MY_EOF_NONE && my->state == MY_RESULTS)
        receive_prepared(c, my, packet);
    else
        wire_doubt(c, "the descriptions of columns do not end");
}

void mywire_end_unknown_prepare(struct wire_connection *c, struct my *my) {
    bool is_at_end = my->state == MY_PARAMS_END || my->state == MY_RESULTS_END;
    if (my->eof != MY_EOF_UNKNOWN || !is_at_end || my->left > 0 || my->results_left > 0)
        return;
    my->eof = MY_EOF_NONE;
    next_of_prepare(c, my);
}

/* --- the first packet of an answer --- */

static void receive_first_of_result(struct wire_connection *c, struct my *my, const struct mywire_packet *packet) {
    uint8_t first = (uint8_t)packet->bytes.ptr[0];
    if (first == 0) {
        end_result(c, my, packet, false);
    } else if (first == 0xfb && c->asked->kind == COM_QUERY) {
        mywire_begin_statement(c, my);
        my->state = MY_FILE;
        my->is_sending_file = true;
    } else if (first == 0xfe) {
        end_result(c, my, packet, false);
    } else {
        begin_result(c, my, packet);
    }
}

/* COM_INIT_DB, COM_PING and the like: one OK (or, of old, EOF). */
static void receive_simple(struct wire_connection *c, struct my *my, const struct mywire_packet *packet) {
    struct str body = wire_ask_body(c->asked);
    uint8_t first = (uint8_t)packet->bytes.ptr[0];
    if (first != 0 && first != 0xfe) {
        wire_doubt(c, "an answer is malformed");
        return;
    }
    if (c->asked->kind == COM_INIT_DB)
        use_database(c, my, body);
    else if (c->asked->kind == COM_STMT_RESET)
        mywire_reset_prepared(my, body);
    else if (c->asked->kind == COM_SET_OPTION && body.len > 0)
        my->is_multi = body.ptr[0] == 0;
    else if (c->asked->kind == COM_RESET_CONNECTION) {
        named_clear(&my->prepared);
        wire_tell_end(c);
        mywire_begin_session(c, my);
    }
    mywire_answered(c, my);
}

/* A login within the connection: an exchange, then an OK. */
static void receive_change_user(struct wire_connection *c, struct my *my, const struct mywire_packet *packet) {
    if (packet->bytes.ptr[0] != 0)
        return;
    mywire_change_user(my, wire_ask_body(c->asked));
    named_clear(&my->prepared);
    wire_tell_end(c);
    mywire_begin_session(c, my);
    mywire_answered(c, my);
}

static void receive_first(struct wire_connection *c, struct my *my, const struct mywire_packet *packet) {
    if (is_error(packet)) {
        end_with_error(c, my, packet);
        return;
    }
    switch (c->asked->kind) {
    case COM_QUERY:
    case COM_PROCESS_INFO:
    case COM_STMT_EXECUTE:
    case COM_STMT_BULK_EXECUTE:
        receive_first_of_result(c, my, packet);
        break;
    case COM_STMT_PREPARE:
        begin_prepare(c, my, packet);
        break;
    case COM_STMT_FETCH: {
        const struct mywire_prepared *prepared = mywire_executed(my, c->asked);
        mywire_begin_statement(c, my);
        wire_statement_rows(&my->current);
        mywire_columns_clear(&my->columns);
        if (prepared != NULL)
            mywire_columns_copy(&my->columns, &prepared->columns);
        my->state = MY_ROWS;
        receive_row(c, my, packet);
        break;
    }
    case COM_FIELD_LIST:
        if (is_eof(my, packet))
            mywire_answered(c, my);
        break;
    case COM_STATISTICS:
        mywire_answered(c, my);
        break;
    case COM_CHANGE_USER:
        receive_change_user(c, my, packet);
        break;
    default:
        receive_simple(c, my, packet);
    }
}

void mywire_receive_answer(struct wire_connection *c, struct my *my, const struct mywire_packet *packet) {
    if (packet->bytes.len == 0) {
        wire_doubt(c, "an answer is empty");
        return;
    }
    switch (my->state) {
    case MY_FIRST:
        receive_first(c, my, packet);
        break;
    case MY_COLUMNS:
        receive_column(c, my, packet);
        break;
    case MY_COLUMNS_END:
        receive_columns_end(c, my, packet);
        break;
    case MY_ROWS:
        receive_row(c, my, packet);
        break;
    case MY_FILE:
        if (is_error(packet))
            end_with_error(c, my, packet);
        else
            end_result(c, my, packet, false);
        break;
    case MY_PARAMS:
    case MY_RESULTS:
        receive_prepared(c, my, packet);
        break;
    case MY_PARAMS_END:
    case MY_RESULTS_END:
        receive_prepared_end(c, my, packet);
        break;
    }
}
