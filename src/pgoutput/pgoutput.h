/* What PostgreSQL's logical decoding sends a subscriber through its plugin pgoutput (versions 1 to 4 of its protocol, PostgreSQL 10 and
 * later): changed rows, in the order of commits. The bytes are those of the server's CopyData messages as they stand on the wire, behind
 * PGOUTPUT_MAGIC; so a recording is what was received, no more:
 *
 *     PGOUTPUT_MAGIC
 *     'd' length XLogData or keepalive       a message: its type, its length without the type (4 bytes, the highest first), what it holds
 *     't' length schema NUL table NUL, then for each column 'k' or 'c', its name, NUL
 *
 * `t` is ours: the columns of the table that the next message describes, `k` those of its primary key, as the server's catalog has them. With
 * REPLICA IDENTITY FULL the stream itself takes all columns for the key.
 *
 * What it tells:
 *  - TRACE_BEGIN, TRACE_CHANGE for each row, TRACE_COMMIT, at the time of the commit. `transaction` is the server's number.
 *  - TRACE_STATEMENT, in our words, for TRUNCATE, whose rows are not told.
 *  - TRACE_GAP for what can't be read: damage, messages of over PGOUTPUT_MESSAGE_BYTES_MAX, transactions that are sent before their end
 *    or in two phases (nobody asks for them), binary values of types that are not known.
 * `before` is there with REPLICA IDENTITY FULL, its key alone where an UPDATE changes that or a DELETE tells it; else NULL. A large value
 * (TOAST) that an UPDATE did not touch is not sent: it is absent in `after`, or what `before` has. Values are as trace/event.h has them.
 *
 * Memory: one message, and descriptions of tables of PGOUTPUT_TABLE_BYTES_MAX.
 */
#ifndef LW_PGOUTPUT_PGOUTPUT_H
#define LW_PGOUTPUT_PGOUTPUT_H

#include "base/buf.h"
#include "trace/decoder.h"

#define PGOUTPUT_MAGIC "lostwrite-pgoutput1\n"

enum {
    PGOUTPUT_MAGIC_BYTES = sizeof(PGOUTPUT_MAGIC) - 1,
    PGOUTPUT_HEADER_BYTES = 5,
    PGOUTPUT_MESSAGE_BYTES_MAX = 64 << 20,
    PGOUTPUT_TABLE_BYTES_MAX = 64 << 20,
};

extern const struct trace_decoder_class pgoutput_decoder;

/* Adds the header of a message 'd' of so many bytes, which are to follow. */
void pgoutput_put_header(size_t len, struct buf *out);
/* Adds a message 't'. */
void pgoutput_put_table(struct str schema, struct str table, const struct trace_table *columns, struct buf *out);

#endif
