#include "wire/mysql.h"

#include "base/arena.h"
#include "unpack/unpack.h"

#include <stdlib.h>

static void *mywire_open(struct wire_connection *c) {
    struct my *my = mem_alloc(sizeof(*my));
    bool is_whole = c->mode == WIRE_READING;
    *my = (struct my){.phase = is_whole ? MY_GREETING : MY_READY};
    c->is_client_waiting = is_whole;
    mywire_open_table(my);
    return my;
}

static void mywire_close(struct wire_connection *c) {
    struct my *my = c->decoder;
    mywire_prepared_end(my);
    named_release(&my->prepared);
    mywire_columns_release(&my->columns);
    wire_statement_release(&my->current);
    mywire_forget_packets(my);
    unpack_free(my->unpack);
    buf_release(&my->user);
    buf_release(&my->database);
    buf_release(&my->application);
    free(my);
}

static size_t mywire_byte_size(const struct wire_connection *c) {
    const struct my *my = c->decoder;
    size_t size = sizeof(*my) + my->prepared.byte_size + wire_statement_byte_size(&my->current) +
                  my->columns.names.capacity;
    for (int side = 0; side < 2; side++)
        size += my->sides[side].joined.capacity + my->sides[side].inner.capacity;
    return size;
}

static void mywire_restart(struct wire_connection *c) {
    struct my *my = c->decoder;
    mywire_prepared_end(my);
    named_clear(&my->prepared);
    mywire_forget_packets(my);
    my->phase = MY_READY;
    my->state = MY_FIRST;
    my->is_begun = my->is_sending_file = my->is_call = false;
    my->result_count = my->split_at = 0;
}

static void receive_command(struct wire_connection *c, struct my *my, const struct mywire_packet *packet) {
    uint8_t command = (uint8_t)packet->bytes.ptr[0];
    struct str body = str_sub(packet->bytes, 1, packet->bytes.len);
    mywire_end_unknown_prepare(c, my);
    switch (command) {
    case COM_QUIT:
        return;
    case COM_BINLOG_DUMP:
    case COM_BINLOG_DUMP_GTID:
    case COM_TABLE_DUMP:
    case COM_CLONE:
        wire_go_blind(c, "a replication connection is not decoded", false);
        return;
    default:
        if (command > COM_CLONE && command != COM_STMT_BULK_EXECUTE)
            wire_doubt(c, "the client sent a command of no known number");
        else if (wire_ask(c, command, body, packet->is_cut))
            mywire_pass_unanswered(c, my);
    }
}

static void receive_from_client(struct wire_connection *c, struct my *my,
                                const struct mywire_packet *packet) {
    if (my->phase == MY_RESPONSE) {
        mywire_receive_response(c, my, packet);
    } else if (my->phase == MY_LOGIN) {
        return; /* passwords */
    } else if (my->is_sending_file) {
        my->is_sending_file = packet->total > 0;
    } else if (packet->sequence != 0) {
        if (c->asked == NULL || c->asked->kind != COM_CHANGE_USER)
            wire_doubt(c, "a command is not numbered 0");
    } else if (packet->bytes.len == 0) {
        wire_doubt(c, "a command is empty");
    } else {
        receive_command(c, my, packet);
    }
}

static bool is_error(const struct mywire_packet *packet) {
    return packet->bytes.len > 0 && (unsigned char)packet->bytes.ptr[0] == 0xff;
}

static void receive_login(struct wire_connection *c, struct my *my, const struct mywire_packet *packet) {
    if (my->phase == MY_RESPONSE && !is_error(packet)) {
        wire_doubt(c, "the server lets in who has not said who it is");
        return;
    }
    if (packet->bytes.len == 0 || packet->bytes.ptr[0] != 0)
        return; /* an exchange of passwords, or a refusal */
    my->phase = MY_READY;
    my->is_compressed = (my->capabilities & (MY_COMPRESS | MY_ZSTD)) != 0;
    my->is_zstd = (my->capabilities & MY_COMPRESS) == 0;
    mywire_begin_session(c, my);
}

static void receive_from_server(struct wire_connection *c, struct my *my,
                                const struct mywire_packet *packet) {
    if (my->phase == MY_GREETING)
        mywire_receive_greeting(c, my, packet);
    else if (my->phase != MY_READY)
        receive_login(c, my, packet);
    else if (c->asked != NULL)
        mywire_receive_answer(c, my, packet);
    else if (!is_error(packet)) /* an error: the server ends the connection */
        wire_doubt(c, "the server answers what was not asked");
}

void mywire_handle(struct wire_connection *c, enum wire_side side, const struct mywire_packet *packet) {
    struct my *my = c->decoder;
    if (side == WIRE_CLIENT)
        receive_from_client(c, my, packet);
    else
        receive_from_server(c, my, packet);
}

/* Whole packets, each a command; the last has an answer. Of compressed ones only the outer form shows. */
static bool is_commands(struct str burst, size_t header_bytes) {
    struct reader reader = reader_of(burst);
    uint8_t command = 0;
    while (reader_left(&reader) > 0) {
        uint64_t length = read_le(&reader, 3);
        uint8_t sequence = read_byte(&reader);
        if (header_bytes == 7) {
            read_le(&reader, 3);
        } else {
            struct str body = read_bytes(&reader, length);
            command = body.len > 0 ? (uint8_t)body.ptr[0] : 0;
            if (command == 0 || (command > COM_CLONE && command != COM_STMT_BULK_EXECUTE))
                return false;
            length = 0;
        }
        read_bytes(&reader, length);
        if (reader.is_short || sequence != 0)
            return false;
    }
    return command != COM_STMT_CLOSE && command != COM_STMT_SEND_LONG_DATA && command != COM_QUIT;
}

static bool mywire_is_command(struct str burst, struct str tail) {
    (void)tail;
    return is_commands(burst, 4) || is_commands(burst, 7);
}

/* Capabilities that were not seen show in the first command. */
static void guess_compression(struct my *my, enum wire_side side, struct str bytes) {
    if (my->is_known || side != WIRE_CLIENT || my->phase != MY_READY)
        return;
    my->is_known = true;
    my->is_multi = true;
    if (!is_commands(bytes, 4) && is_commands(bytes, 7)) {
        my->is_compressed = true;
        /* The magic number of a frame (RFC 8878, 3.1.1). */
        my->is_zstd = bytes.len > 11 && memcmp(bytes.ptr + 7, "\x28\xb5\x2f\xfd", 4) == 0;
    }
}

static size_t mywire_receive(struct wire_connection *c, enum wire_side side, struct str bytes) {
    struct my *my = c->decoder;
    guess_compression(my, side, bytes);
    return mywire_receive_packets(c, side, bytes);
}

static void mywire_end(struct wire_connection *c) {
    struct my *my = c->decoder;
    for (; c->asked != NULL; mywire_answered(c, my))
        mywire_tell_unanswered(c, my);
}

const struct wire_class mysql_class = {
    .server = TRACE_MYSQL,
    .open = mywire_open,
    .receive = mywire_receive,
    .restart = mywire_restart,
    .is_command = mywire_is_command,
    .end = mywire_end,
    .byte_size = mywire_byte_size,
    .close = mywire_close,
};
