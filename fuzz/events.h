/* What a decoder told, as one number: whatever pieces its bytes came in, it must be the same. Every slice is read to its end. */
#ifndef LW_FUZZ_EVENTS_H
#define LW_FUZZ_EVENTS_H

#include "base/assert.h"
#include "trace/decoder.h"

struct told {
    uint64_t hash, count;
};

static inline void told_number(struct told *told, uint64_t number) {
    struct str bytes = {(const char *)&number, sizeof(number)};
    told->hash = (told->hash ^ str_hash(bytes)) * UINT64_C(0x9e3779b97f4a7c15);
}

static inline void told_text(struct told *told, struct str text) {
    told_number(told, text.len);
    told_number(told, text.len > 0 ? str_hash(text) : 0);
}

static inline void told_values(struct told *told, const struct trace_value *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        told_number(told, values[i].state * 2 + values[i].is_text);
        told_text(told, values[i].text);
    }
}

static inline void told_statement(struct told *told, const struct trace_statement *s) {
    told_text(told, s->sql);
    told_values(told, s->params, s->param_count);
    told_number(told, s->outcome * 64 + s->transaction_after * 4 + s->is_cut * 2 + s->is_more);
    told_text(told, s->error_code);
    told_text(told, s->error);
    told_number(told, (uint64_t)s->row_count);
    if (s->rows == NULL)
        return;
    told_number(told, s->rows->is_cut);
    for (size_t i = 0; i < s->rows->column_count; i++)
        told_text(told, s->rows->columns[i]);
    told_values(told, s->rows->values, s->rows->row_count * s->rows->column_count);
}

static inline void told_event(void *context, const struct trace_event *event) {
    struct told *told = context;
    told->count++;
    told_number(told, event->kind);
    told_number(told, event->session);
    told_text(told, event->user);
    told_text(told, event->database);
    told_text(told, event->application);
    if (event->kind == TRACE_STATEMENT)
        told_statement(told, &event->statement);
    if (event->kind == TRACE_GAP) {
        LW_ASSERT(event->gap.reason != NULL);
        told_text(told, str_from_c(event->gap.reason));
        told_number(told, event->gap.byte_count);
    }
}

/* What a decoder tells of the input, fed in pieces of so many bytes. */
static inline struct told told_in_pieces(const struct trace_decoder_class *class, struct str input, size_t step) {
    struct told told = {0, 0};
    struct trace_sink sink = {told_event, &told};
    struct trace_options options = {.file = STR("fuzz")};
    void *decoder = class->open(&sink, &options);
    for (size_t at = 0; at < input.len; at += step) {
        size_t end = input.len - at < step ? input.len : at + step;
        class->feed(decoder, str_sub(input, at, end));
    }
    class->end(decoder);
    class->close(decoder);
    return told;
}

static inline void assert_told_alike(const struct trace_decoder_class *class, struct str input) {
    LW_ASSERT(class->detect(input) <= 100);
    struct told whole = told_in_pieces(class, input, input.len + 1), single = told_in_pieces(class, input, 1),
                some = told_in_pieces(class, input, 19);
    LW_ASSERT(whole.count == single.count && whole.hash == single.hash);
    LW_ASSERT(whole.count == some.count && whole.hash == some.hash);
}

#endif
