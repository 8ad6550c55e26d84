/* Events of a source of changed rows (binary logs, logical decoding) as lines of JSON, for goldens and for programs that read them in
 * Python. */
#ifndef LW_TESTS_SUPPORT_CHANGES_H
#define LW_TESTS_SUPPORT_CHANGES_H

#include "base/buf.h"
#include "trace/decoder.h"

/* Adds one line. */
void print_event(struct buf *out, const struct trace_event *event);

/* Decodes `bytes` in pieces of `piece_size` (0: in one), and at last says whether `is_ended`. */
void print_events(struct buf *out, const struct trace_decoder_class *class, struct str bytes, size_t piece_size, bool is_ended);

#endif
