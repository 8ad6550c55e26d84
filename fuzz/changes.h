/* What a decoder of changed rows told, as one number: whatever pieces its bytes came in, it must be the same. Each change stands within a
 * transaction that began, and what it holds is there to be read. */
#ifndef LW_FUZZ_CHANGES_H
#define LW_FUZZ_CHANGES_H

#include "base/assert.h"
#include "trace/decoder.h"

struct changes {
    uint64_t digest;
    size_t size;
    bool is_open;
};

static inline void changes_add(struct changes *told, struct str text) {
    told->digest = told->digest * UINT64_C(0x100000001b3) ^ str_hash(text) ^ text.len;
}

static inline void changes_add_image(struct changes *told, const struct trace_change *change,
                                     const struct trace_value *values) {
    for (size_t i = 0; values != NULL && i < change->column_count; i++) {
        LW_ASSERT(values[i].state <= TRACE_VALUE);
        told->digest += values[i].state;
        if (values[i].state == TRACE_VALUE)
            changes_add(told, values[i].text);
        if (change->columns != NULL)
            changes_add(told, change->columns[i]);
        told->digest += change->is_key != NULL && change->is_key[i];
    }
}

static inline void changes_take(void *context, const struct trace_event *event) {
    struct changes *told = context;
    LW_ASSERT(event->place.offset <= told->size);
    told->digest += event->kind + event->place.offset * 31;
    changes_add(told, event->transaction);
    switch (event->kind) {
    case TRACE_BEGIN:
        LW_ASSERT(event->transaction.len > 0); /* one before it may be prepared, and ends later */
        told->is_open = true;
        break;
    case TRACE_CHANGE:
        LW_ASSERT(told->is_open && event->change.column_count > 0);
        LW_ASSERT(event->change.before == NULL || event->change.kind != TRACE_INSERT);
        LW_ASSERT(event->change.before != NULL || event->change.kind != TRACE_DELETE);
        LW_ASSERT((event->change.after == NULL) == (event->change.kind == TRACE_DELETE));
        changes_add(told, event->change.schema);
        changes_add(told, event->change.table);
        changes_add(told, event->change.sql);
        changes_add_image(told, &event->change, event->change.before);
        changes_add_image(told, &event->change, event->change.after);
        break;
    case TRACE_STATEMENT:
        changes_add(told, event->statement.sql);
        changes_add(told, event->statement.error_code);
        changes_add(told, event->database);
        break;
    case TRACE_COMMIT:
    case TRACE_ROLLBACK:
        LW_ASSERT(event->transaction.len > 0);
        told->is_open = false;
        break;
    case TRACE_GAP:
        LW_ASSERT(event->gap.reason != NULL);
        changes_add(told, str_from_c(event->gap.reason));
        told->digest += event->gap.byte_count;
        break;
    default:
        LW_UNREACHABLE();
    }
}

static inline uint64_t changes_in_pieces(const struct trace_decoder_class *class, struct str bytes, size_t piece_size) {
    struct changes told = {.size = bytes.len};
    struct trace_sink sink = {changes_take, &told};
    struct trace_options options = {.file = STR("-")};
    void *decoder = class->open(&sink, &options);
    for (size_t at = 0; at < bytes.len; at += piece_size) {
        size_t end = bytes.len - at < piece_size ? bytes.len : at + piece_size;
        class->feed(decoder, str_sub(bytes, at, end));
    }
    class->end(decoder);
    class->close(decoder);
    return told.digest;
}

static inline void assert_changes_alike(const struct trace_decoder_class *class, struct str bytes) {
    int sure = class->detect(bytes);
    LW_ASSERT(sure >= 0 && sure <= 100);
    if (bytes.len == 0)
        return;
    uint64_t whole = changes_in_pieces(class, bytes, bytes.len);
    LW_ASSERT(changes_in_pieces(class, bytes, bytes.len % 61 + 1) == whole);
}

#endif
