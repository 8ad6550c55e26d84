/* Lostwrite's recording: one JSON object a line, the first a header, each other an event (docs/recording.md). What a recorder in an
 * application writes, where there is no log, capture or proxy; the pytest plugin of integrations/django does.
 *
 * Any bytes are read. A line that can't be is a gap with its place, and reading goes on in the next; behind the header of a newer
 * version nothing is read, and that is one gap. What is kept of an unfinished line is bounded by TRACE_JSONL_LINE_BYTES.
 */
#ifndef LW_TRACE_JSONL_H
#define LW_TRACE_JSONL_H

#include "trace/decoder.h"

enum {
    TRACE_JSONL_VERSION = 1,
    TRACE_JSONL_LINE_BYTES = 1 << 20, /* a longer line is a gap */
};

extern const struct trace_decoder_class trace_jsonl_decoder;

#endif
