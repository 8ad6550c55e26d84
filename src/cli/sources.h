/* The kinds of source that watch can read. */
#ifndef LW_CLI_SOURCES_H
#define LW_CLI_SOURCES_H

#include "trace/decoder.h"

extern const struct trace_decoder_class *const source_classes[];
extern const size_t source_class_count;

#endif
