/* Events of a binary log as lines of JSON, for goldens and for the program that reads them in Python. */
#ifndef LW_TESTS_BINLOG_PRINT_H
#define LW_TESTS_BINLOG_PRINT_H

#include "base/buf.h"
#include "trace/decoder.h"

/* Adds one line. */
void print_event(struct buf *out, const struct trace_event *event);

/* Decodes `bytes` in pieces of `piece_size` (0: in one), and at last says whether `is_ended`. */
void print_events(struct buf *out, struct str bytes, size_t piece_size, bool is_ended);

#endif
