/* What a decoder told, as one number: whatever pieces its bytes came in, it must be the same. Every slice is read to its end. */
#ifndef LW_FUZZ_EVENTS_H
#define LW_FUZZ_EVENTS_H

#include "base/assert.h"
#include "trace/event.h"

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

#endif
