/* Events as text, one JSON object a line: for tests to compare. */
#ifndef LW_TESTS_LOGS_DUMP_H
#define LW_TESTS_LOGS_DUMP_H

#include "base/buf.h"
#include "trace/decoder.h"

/* A sink's function; the context is a struct buf. */
void dump_event(void *context, const struct trace_event *event);

/* Of all log classes the one that is surest of these bytes; NULL if none is, or two are. */
const struct trace_decoder_class *dump_class_of(struct str head);
const struct trace_decoder_class *dump_class_named(const char *name);

#endif
