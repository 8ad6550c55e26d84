/* Binary logs of MySQL 5.6 to 9.x and MariaDB 10.0 to 12.x (version 4 of the format), and relay logs: what changed, row by row,
 * in the order of commits. Files one behind the other are one source. What it tells:
 *
 *  - TRACE_BEGIN, TRACE_CHANGE for each row, TRACE_COMMIT or TRACE_ROLLBACK. `transaction` is the GTID; without one `@N`, how many
 *    bytes of the source stand before the transaction. An XA transaction has its COMMIT where XA COMMIT stands.
 *  - TRACE_STATEMENT for what was logged as a text: DDL, and DML of statement or mixed format, whose rows a log does not have.
 *  - TRACE_GAP for what can't be read: damage, encrypted files, incidents, values that only a difference is known of.
 *
 * Values are as SELECT gives them, with these differences:
 *  - integers and decimals are taken for signed, ENUM and SET are numbers, BINARY has no zeros at its end, where the log does not say
 *    more: binlog_row_metadata=FULL has all of it, MINIMAL the sign and the character set (MariaDB's default, NO_LOG, nothing);
 *  - FLOAT and DOUBLE have as many digits as tell the number, BIT is a number, TIMESTAMP is in UTC;
 *  - texts are in their column's character set, UUID and INET6 are their bytes.
 * Names of columns are there with binlog_row_metadata=FULL; else the server's catalog has them, if it can be asked (trace_options.lookup).
 *
 * Memory: an event of at most BINLOG_EVENT_BYTES_MAX, packed and unpacked (a larger one is a gap), and descriptions of tables.
 */
#ifndef LW_BINLOG_BINLOG_H
#define LW_BINLOG_BINLOG_H

#include "trace/decoder.h"

enum { BINLOG_EVENT_BYTES_MAX = 64 << 20 };

extern const struct trace_decoder_class binlog_decoder;

#endif
