#include "logs/out.h"

const char *const log_too_long = "the rest of an entry that is longer than is read";

void log_out_init(struct log_out *out, const struct trace_sink *sink,
                  const struct trace_options *options, enum trace_server server) {
    *out = (struct log_out){.sink = sink, .file = options->file, .server = server};
}

struct trace_event log_out_event(const struct log_out *out, enum trace_event_kind kind,
                                 uint64_t offset, uint64_t line) {
    struct trace_event event = {
        .kind = kind,
        .server = out->server,
        .place = {.file = out->file, .offset = offset, .line = line},
        .time_us = -1,
    };
    if (kind == TRACE_STATEMENT || kind == TRACE_OUTCOME)
        event.statement.end_us = event.statement.row_count = -1;
    return event;
}

void log_out_flush(struct log_out *out) {
    if (!out->has_gap)
        return;
    out->has_gap = false;
    out->sink->event(out->sink->context, &out->gap);
}

void log_out_tell(struct log_out *out, const struct trace_event *event) {
    log_out_flush(out);
    out->sink->event(out->sink->context, event);
}

void log_out_gap(struct log_out *out, const char *reason, uint64_t offset, uint64_t line,
                 uint64_t byte_count) {
    if (out->has_gap && out->gap.gap.reason == reason && byte_count > 0) {
        out->gap.gap.byte_count += byte_count;
        return;
    }
    log_out_flush(out);
    out->gap = log_out_event(out, TRACE_GAP, offset, line);
    out->gap.gap.reason = reason;
    out->gap.gap.byte_count = byte_count;
    out->has_gap = true;
}

void log_out_skipped(struct log_out *out, struct log_lines *lines) {
    if (lines->skipped > 0)
        log_out_gap(out, log_too_long, log_lines_offset(lines), lines->line, lines->skipped);
    lines->skipped = 0;
}

void log_out_zone(struct log_out *out, const struct log_clock *clock, uint64_t offset,
                  uint64_t line) {
    if (!clock->is_zone_assumed || out->is_zone_told)
        return;
    out->is_zone_told = true;
    log_out_gap(out, "times without a known zone are taken as UTC", offset, line, 0);
    log_out_flush(out);
}

void log_feed(void *decoder, struct str bytes) {
    log_lines_feed(decoder, bytes);
}

void log_end(void *decoder) {
    struct log_lines *lines = decoder;
    log_lines_end(lines);
    if (lines->class->unfinished != NULL)
        lines->class->unfinished(decoder);
    log_out_skipped(lines->out, lines);
    log_out_flush(lines->out);
}

void log_next_file(void *decoder, struct str file) {
    struct log_lines *lines = decoder;
    log_end(decoder);
    lines->out->file = file;
    log_lines_restart(lines);
}
