/* Readers of the logs of database servers: what PostgreSQL, MySQL and MariaDB write about the statements that they run.
 * Each is a class of decoders (trace/decoder.h). A statement of over LOG_ENTRY_BYTES_MAX (lines.h) is cut, and the rest
 * a gap.
 */
#ifndef LW_LOGS_LOGS_H
#define LW_LOGS_LOGS_H

#include "trace/decoder.h"

extern const struct trace_decoder_class logs_postgresql_stderr;
extern const struct trace_decoder_class logs_postgresql_csv;
extern const struct trace_decoder_class logs_postgresql_json;
extern const struct trace_decoder_class logs_mysql_general;
extern const struct trace_decoder_class logs_mysql_slow;

#endif
