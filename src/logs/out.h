/* What a log's decoder tells: events with their place, and gaps, of which those that follow each other are one. */
#ifndef LW_LOGS_OUT_H
#define LW_LOGS_OUT_H

#include "logs/clock.h"
#include "logs/lines.h"
#include "trace/decoder.h"

struct log_out {
    const struct trace_sink *sink;
    struct str file;
    enum trace_server server;
    bool has_gap;
    struct trace_event gap; /* not told yet */
    bool is_zone_told, are_sessions_told;
};

void log_out_init(struct log_out *out, const struct trace_sink *sink,
                  const struct trace_options *options, enum trace_server server);

/* An event of this kind at a place, all else not told. */
struct trace_event log_out_event(const struct log_out *out, enum trace_event_kind kind,
                                 uint64_t offset, uint64_t line);

/* Tells an event, and a gap before it. */
void log_out_tell(struct log_out *out, const struct trace_event *event);

/* `byte_count` bytes at `offset` are left out. `reason` is a literal. */
void log_out_gap(struct log_out *out, const char *reason, uint64_t offset, uint64_t line,
                 uint64_t byte_count);

/* Tells how much of an overlong line was left out. */
void log_out_skipped(struct log_out *out, struct log_lines *lines);

/* Why what is behind LOG_ENTRY_BYTES_MAX of an entry is left out. */
extern const char *const log_too_long;

/* Says once that the log's times have no zone that is known, if that is so. */
void log_out_zone(struct log_out *out, const struct log_clock *clock, uint64_t offset, uint64_t line);

/* Tells a gap that is left. */
void log_out_flush(struct log_out *out);

/* Members of struct trace_decoder_class for decoders that begin with their struct log_lines. */
void log_feed(void *decoder, struct str bytes);
void log_end(void *decoder);
void log_next_file(void *decoder, struct str file);

#endif
