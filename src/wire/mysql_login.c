/* Greeting, login, change of user. */
#include "wire/mysql.h"

enum { SSL_REQUEST_BYTES = 32, FILLER_BYTES = 19 };

void mywire_receive_greeting(struct wire_connection *c, struct my *my, const struct mywire_packet *packet) {
    struct reader reader = reader_of(packet->bytes);
    uint8_t version = read_byte(&reader);
    if (version == 0xff)
        return; /* refused: too many connections, or an unwanted host */
    read_c_string(&reader);
    read_bytes(&reader, 4 + 8 + 1); /* its number, the salt */
    my->server_capabilities = read_le(&reader, 2);
    if (version != 10 || reader.is_short) {
        wire_go_blind(c, "it does not begin as MySQL's protocol does", false);
        return;
    }
    if (reader_left(&reader) >= 5) {
        read_bytes(&reader, 3); /* character set, status */
        my->server_capabilities |= read_le(&reader, 2) << 16;
    }
    my->phase = MY_RESPONSE;
    c->is_client_waiting = false;
}

static void keep(struct buf *kept, struct str text) {
    buf_clear(kept);
    buf_add(kept, text);
}

static void read_attributes(struct my *my, struct reader *reader) {
    struct reader list = reader_of(read_lenenc_str(reader));
    while (!list.is_short && reader_left(&list) > 0) {
        struct str name = read_lenenc_str(&list);
        struct str text = read_lenenc_str(&list);
        if (str_is(name, "program_name") && !list.is_short)
            keep(&my->application, text);
    }
}


void mywire_receive_response(struct wire_connection *c, struct my *my, const struct mywire_packet *packet) {
    struct reader reader = reader_of(packet->bytes);
    uint64_t wanted = read_le(&reader, 4);
    if (wanted & MY_SSL & my->server_capabilities && packet->total <= SSL_REQUEST_BYTES) {
        wire_go_blind(c, "the connection is encrypted", true);
        return;
    }
    if (!(wanted & MY_PROTOCOL_41)) {
        wire_go_blind(c, "a login older than MySQL 4.1 is not decoded", false);
        return;
    }
    my->capabilities = wanted & my->server_capabilities;
    my->is_known = true;
    my->is_multi = (wanted & MY_MULTI_STATEMENTS) != 0;
    my->eof = my->capabilities & MY_DEPRECATE_EOF ? MY_EOF_NONE : MY_EOF_SENT;
    read_bytes(&reader, 4 + 1 + FILLER_BYTES + 4); /* sizes, character set, MariaDB's capabilities */
    keep(&my->user, read_c_string(&reader));
    if (wanted & MY_LENENC_AUTH)
        read_lenenc_str(&reader);
    else if (wanted & MY_SECURE_CONNECTION)
        read_bytes(&reader, read_byte(&reader));
    else
        read_c_string(&reader);
    if (wanted & MY_CONNECT_WITH_DB)
        keep(&my->database, read_c_string(&reader));
    if (wanted & MY_PLUGIN_AUTH)
        read_c_string(&reader);
    if (wanted & MY_CONNECT_ATTRS && !reader.is_short)
        read_attributes(my, &reader);
    my->phase = MY_LOGIN;
}

void mywire_change_user(struct my *my, struct str body) {
    struct reader reader = reader_of(body);
    keep(&my->user, read_c_string(&reader));
    if (my->capabilities & MY_SECURE_CONNECTION || !my->capabilities)
        read_bytes(&reader, read_byte(&reader));
    else
        read_c_string(&reader);
    keep(&my->database, read_c_string(&reader));
    if (reader_left(&reader) >= 2)
        read_bytes(&reader, 2);
    if (my->capabilities & MY_PLUGIN_AUTH && reader_left(&reader) > 0)
        read_c_string(&reader);
    if (my->capabilities & MY_CONNECT_ATTRS && reader_left(&reader) > 0)
        read_attributes(my, &reader);
}

void mywire_begin_session(struct wire_connection *c, struct my *my) {
    wire_tell_session(c, buf_str(&my->user), buf_str(&my->database), buf_str(&my->application));
}
