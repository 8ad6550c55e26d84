/* Decodes what clients and servers of PostgreSQL and MySQL (MariaDB) say to each other. One struct wire_connection follows one
 * connection: it is fed the bytes of both sides, in pieces of any size, and tells events (trace/event.h). It does not care where
 * they come from: pcap_decoder below takes them from a capture, a proxy from its sockets.
 *
 *     struct wire_connection *c = wire_open(WIRE_POSTGRESQL, &(struct wire_source){.sink = sink, .session = 1});
 *     wire_feed(c, WIRE_CLIENT, bytes, now_us, offset);    in the order of cause and effect: no answer before its question
 *     wire_end(c, now_us, offset, true); wire_close(c);
 *
 * Whatever it cannot be sure of is a TRACE_GAP; it goes on at the next point where both sides wait for a command, and tells
 * then how much it passed over. It never fails, and holds no more than WIRE_BYTES_MAX (compression: WIRE_COMPRESSED_BYTES_MAX more).
 */
#ifndef LW_WIRE_WIRE_H
#define LW_WIRE_WIRE_H

#include "trace/decoder.h"

/* A capture, pcap or pcapng, of any number of connections. */
extern const struct trace_decoder_class pcap_decoder;

enum wire_protocol { WIRE_POSTGRESQL, WIRE_MYSQL };
enum wire_side { WIRE_CLIENT, WIRE_SERVER }; /* who sent it */

enum {
    WIRE_MESSAGE_BYTES_MAX = 1 << 20, /* of one message; what is longer is read up to here, and passed over from here */
    WIRE_ROWS_BYTES_MAX = 1 << 20,    /* of the rows of one statement (beside TRACE_ROWS_MAX) */
    WIRE_ASKED_BYTES_MAX = 8 << 20,   /* of what waits for an answer */
    WIRE_PREPARED_BYTES_MAX = 8 << 20, /* of prepared statements and portals: the oldest go first */
    WIRE_BYTES_MAX = 32 << 20,
    WIRE_COMPRESSED_BYTES_MAX = 34 << 20,
    WIRE_DOUBTS_MAX = 100, /* then the rest of the connection is one gap */
};

struct wire_source {
    const struct trace_sink *sink; /* must outlive the connection, as must the file's name */
    struct str file;
    uint64_t session;
    bool is_midway; /* its beginning was not seen */
};

struct wire_connection;

/* Never NULL; to be closed. */
struct wire_connection *wire_open(enum wire_protocol protocol, const struct wire_source *source);

/* Bytes that `side` sent at `time_us` (since the epoch); they stand at `offset` of the source. */
void wire_feed(struct wire_connection *c, enum wire_side side, struct str bytes, int64_t time_us,
               uint64_t offset);

/* The next `byte_count` bytes of `side` (0: nobody knows how many) are missing; `reason` is a literal. */
void wire_lost(struct wire_connection *c, uint64_t byte_count, const char *reason, int64_t time_us,
               uint64_t offset);

/* What comes from now on stands in this file. */
void wire_go_on_in(struct wire_connection *c, struct str file);

/* No more comes, of either side: what waits for an answer is told as it stands, and TRACE_END if the connection `is_closed`. */
void wire_end(struct wire_connection *c, int64_t time_us, uint64_t offset, bool is_closed);

void wire_close(struct wire_connection *c);

/* Encrypted, or given up: feeding it tells nothing more, it only counts. */
bool wire_is_blind(const struct wire_connection *c);

/* Memory it holds. */
size_t wire_byte_size(const struct wire_connection *c);

/* What a connection is, by the first bytes that one side of it sent. `*sender`: who speaks like this. False: neither, or not
 * enough to tell (fewer than WIRE_GUESS_BYTES). */
bool wire_guess(struct str bytes, enum wire_protocol *protocol, enum wire_side *sender);

/* The same by what a client may have sent amid a connection: whole commands. */
bool wire_guess_command(struct str bytes, enum wire_protocol *protocol);

enum { WIRE_GUESS_BYTES = 8 };

#endif
