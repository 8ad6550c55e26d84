/* The state of one connection of MySQL or MariaDB, shared by the files that decode its protocol ("Client/Server Protocol" in
 * MySQL's source documentation, and in MariaDB's). Commands wait in a queue, as some clients send the next before the answer. */
#ifndef LW_WIRE_MYSQL_H
#define LW_WIRE_MYSQL_H

#include "wire/connection.h"
#include "wire/named.h"
#include "wire/reader.h"

enum mywire_command {
    COM_QUIT = 0x01,
    COM_INIT_DB = 0x02,
    COM_QUERY = 0x03,
    COM_FIELD_LIST = 0x04,
    COM_STATISTICS = 0x09,
    COM_PROCESS_INFO = 0x0a,
    COM_PING = 0x0e,
    COM_CHANGE_USER = 0x11,
    COM_BINLOG_DUMP,
    COM_TABLE_DUMP,
    COM_STMT_PREPARE = 0x16,
    COM_STMT_EXECUTE = 0x17,
    COM_STMT_SEND_LONG_DATA = 0x18,
    COM_STMT_CLOSE = 0x19,
    COM_STMT_RESET = 0x1a,
    COM_SET_OPTION = 0x1b,
    COM_STMT_FETCH = 0x1c,
    COM_BINLOG_DUMP_GTID = 0x1e,
    COM_RESET_CONNECTION = 0x1f,
    COM_CLONE = 0x20,
    COM_STMT_BULK_EXECUTE = 0xfa,
};

/* Capabilities of both sides. */
enum {
    MY_CONNECT_WITH_DB = 1 << 3,
    MY_COMPRESS = 1 << 5,
    MY_PROTOCOL_41 = 1 << 9,
    MY_SSL = 1 << 11,
    MY_SECURE_CONNECTION = 1 << 15,
    MY_MULTI_STATEMENTS = 1 << 16,
    MY_PLUGIN_AUTH = 1 << 19,
    MY_CONNECT_ATTRS = 1 << 20,
    MY_LENENC_AUTH = 1 << 21,
    MY_SESSION_TRACK = 1 << 23,
    MY_DEPRECATE_EOF = 1 << 24,
    MY_ZSTD = 1 << 26,
    MY_QUERY_ATTRIBUTES = 1 << 27,
};

enum { MY_IN_TRANSACTION = 1, MY_MORE_RESULTS = 8, MY_CURSOR_EXISTS = 0x40, MY_STATE_CHANGED = 0x4000 };
enum mywire_phase { MY_GREETING, MY_RESPONSE, MY_LOGIN, MY_READY };

/* What comes next of the answer to the first command of the queue. */
enum mywire_state {
    MY_FIRST,
    MY_COLUMNS,     /* descriptions, `left` of them */
    MY_COLUMNS_END, /* an EOF, if there are any */
    MY_ROWS,
    MY_FILE,          /* LOCAL INFILE: the client sends it, then an OK comes */
    MY_PARAMS,        /* of a prepared statement: descriptions, `left` of them */
    MY_PARAMS_END,
    MY_RESULTS,       /* the same for its columns */
    MY_RESULTS_END,
};

enum mywire_eof { MY_EOF_UNKNOWN, MY_EOF_SENT, MY_EOF_NONE }; /* whether an EOF stands behind descriptions */

struct mywire_column {
    struct wire_slice name; /* in mywire_columns.names */
    uint8_t type, decimals;
    uint16_t flags;
};

struct mywire_columns {
    struct buf names;
    VEC(struct mywire_column) list;
};

struct mywire_prepared {
    struct named named; /* under the 4 bytes of its number */
    struct buf sql;
    bool is_cut;
    size_t param_count;
    struct buf types;           /* of the parameters, 2 bytes each, as they were sent last */
    struct mywire_columns columns;  /* of its result, as described last */
    struct buf fetched;         /* the COM_STMT_EXECUTE whose cursor is read */
    struct mywire_long_data *long_data; /* param_count of them, or NULL */
};

struct mywire_long_data {
    struct buf bytes;
    bool is_sent, is_cut;
};

/* One packet, or what several of 16 MB hold together. */
struct mywire_packet {
    struct str bytes;
    uint64_t total; /* bytes it has, of which there may be fewer here */
    uint8_t sequence;
    bool is_cut;
};

struct mywire_side {
    struct buf joined; /* packets of 16 MB, up to the last */
    uint64_t joined_total;
    uint8_t joined_sequence;
    bool is_joining;
    struct buf inner; /* what was compressed: unfinished packets */
    uint64_t inner_skip;
};

struct my {
    enum mywire_phase phase;
    uint64_t server_capabilities, capabilities;
    bool is_known; /* the login was seen, and with it the capabilities */
    bool is_compressed, is_zstd, is_multi, is_sending_file;
    enum mywire_eof eof;
    enum mywire_state state;
    uint64_t left, results_left; /* descriptions to come; of a prepared statement: of parameters, of columns */
    struct mywire_side sides[2];
    struct unpack *unpack; /* NULL: nothing compressed came yet */
    struct mywire_columns columns; /* of the result that is being read */
    struct wire_statement current;
    bool is_begun;
    size_t result_count;   /* of the first command, told so far */
    size_t split_at;       /* in its text */
    struct wire_slice last; /* in the text: the statement that was answered last */
    bool is_call;          /* which was a CALL: more results of it may follow */
    struct named_table prepared;
    struct mywire_prepared *preparing;
    uint32_t preparing_id, last_prepared_id;
    struct buf user, database, application;
};

/* What an OK packet or an EOF says. */
struct mywire_ok {
    uint64_t affected;
    uint16_t status; /* of the session: the MY_ above */
    struct str schema; /* the new current database; NULL: not told */
};

/* mysql_login.c */
void mywire_receive_greeting(struct wire_connection *c, struct my *my, const struct mywire_packet *packet);
void mywire_receive_response(struct wire_connection *c, struct my *my, const struct mywire_packet *packet);
void mywire_change_user(struct my *my, struct str body);
void mywire_begin_session(struct wire_connection *c, struct my *my);

/* mysql_packet.c: packets, whole, of both sides; decompressed. Answers how many bytes are done with. */
size_t mywire_receive_packets(struct wire_connection *c, enum wire_side side, struct str bytes);
void mywire_forget_packets(struct my *my);
void mywire_handle(struct wire_connection *c, enum wire_side side, const struct mywire_packet *packet);

/* mysql_answer.c: a packet of the answer to c->asked. */
void mywire_receive_answer(struct wire_connection *c, struct my *my, const struct mywire_packet *packet);
/* Takes the first command away, and those behind it that have no answer. */
void mywire_answered(struct wire_connection *c, struct my *my);
/* Does what the commands at the front of the queue do that have no answer. */
void mywire_pass_unanswered(struct wire_connection *c, struct my *my);
/* A login that was not seen leaves open whether descriptions end with an EOF: the next command says they did not. */
void mywire_end_unknown_prepare(struct wire_connection *c, struct my *my);
struct mywire_ok mywire_read_ok(const struct my *my, struct str packet);

/* mysql_tell.c: statements from commands. */
void mywire_begin_statement(struct wire_connection *c, struct my *my);
void mywire_tell_ok(struct wire_connection *c, struct my *my, const struct mywire_ok *ok, bool is_rows);
void mywire_tell_error(struct wire_connection *c, struct my *my, struct str packet);
/* The connection ends before the first command is answered. */
void mywire_tell_unanswered(struct wire_connection *c, struct my *my);

/* mysql_prepared.c */
void mywire_open_table(struct my *my);
struct mywire_prepared *mywire_find_prepared(const struct my *my, uint32_t id);
void mywire_prepared_begin(struct wire_connection *c, struct my *my, uint32_t id, size_t param_count);
void mywire_prepared_end(struct my *my);
void mywire_add_long_data(struct my *my, const struct wire_ask *ask);
void mywire_forget_prepared(struct my *my, struct str id);
void mywire_reset_prepared(struct my *my, struct str id);
/* Adds text and parameters of COM_STMT_EXECUTE or COM_STMT_FETCH to my->current. False if the statement is not known. */
bool mywire_name_executed(struct my *my, const struct wire_ask *ask);
/* Reads the next row of parameters of a COM_STMT_BULK_EXECUTE, from `*at` of its body (0: the first), to my->current. */
bool mywire_next_bulk(struct my *my, const struct wire_ask *ask, size_t *at);
struct mywire_prepared *mywire_executed(const struct my *my, const struct wire_ask *ask);
/* Of an execution that has been told. */
void mywire_note_executed(struct my *my, const struct wire_ask *ask, uint16_t status);
/* mysql_value.c */
/* Reads one value of a binary row or a parameter (decimals 31: as many as there are). False if it is malformed or of a type that
 * is not known. */
bool mywire_read_binary(struct reader *reader, struct buf *out, const struct mywire_column *column);
void mywire_add_text(struct buf *out, const struct mywire_column *column, struct str text);
bool mywire_type_is_text(uint8_t type);
/* Adds a row's cells to my->current. False if it is malformed. */
bool mywire_add_row(struct my *my, const struct mywire_packet *packet, bool is_binary);

void mywire_columns_copy(struct mywire_columns *to, const struct mywire_columns *from);
void mywire_columns_clear(struct mywire_columns *columns);
void mywire_columns_release(struct mywire_columns *columns);
bool mywire_columns_add(struct mywire_columns *columns, struct str definition);

#endif
