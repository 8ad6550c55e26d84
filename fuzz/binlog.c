/* Any bytes as a binary log, read in one and in pieces: the same events are told, each within a transaction that began, and what
 * they hold is there to be read. */
#include "base/assert.h"
#include "binlog/binlog.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct told {
    uint64_t digest;
    size_t size;
    bool is_open;
};

static void add(struct told *told, struct str text) {
    told->digest = told->digest * UINT64_C(0x100000001b3) ^ str_hash(text) ^ text.len;
}

static void add_image(struct told *told, const struct trace_change *change,
                      const struct trace_value *values) {
    for (size_t i = 0; values != NULL && i < change->column_count; i++) {
        LW_ASSERT(values[i].state <= TRACE_VALUE);
        told->digest += values[i].state;
        if (values[i].state == TRACE_VALUE)
            add(told, values[i].text);
        if (change->columns != NULL)
            add(told, change->columns[i]);
        told->digest += change->is_key != NULL && change->is_key[i];
    }
}

static void take_event(void *context, const struct trace_event *event) {
    struct told *told = context;
    LW_ASSERT(event->place.offset <= told->size);
    told->digest += event->kind + event->place.offset * 31;
    add(told, event->transaction);
    switch (event->kind) {
    case TRACE_BEGIN:
        LW_ASSERT(event->transaction.len > 0); /* one before it may be prepared, and ends later */
        told->is_open = true;
        break;
    case TRACE_CHANGE:
        LW_ASSERT(told->is_open && event->change.column_count > 0);
        LW_ASSERT((event->change.before == NULL) == (event->change.kind == TRACE_INSERT));
        LW_ASSERT((event->change.after == NULL) == (event->change.kind == TRACE_DELETE));
        add(told, event->change.schema);
        add(told, event->change.table);
        add(told, event->change.sql);
        add_image(told, &event->change, event->change.before);
        add_image(told, &event->change, event->change.after);
        break;
    case TRACE_STATEMENT:
        add(told, event->statement.sql);
        add(told, event->statement.error_code);
        add(told, event->database);
        break;
    case TRACE_COMMIT:
    case TRACE_ROLLBACK:
        LW_ASSERT(event->transaction.len > 0);
        told->is_open = false;
        break;
    case TRACE_GAP:
        LW_ASSERT(event->gap.reason != NULL);
        add(told, str_from_c(event->gap.reason));
        told->digest += event->gap.byte_count;
        break;
    default:
        LW_UNREACHABLE();
    }
}

static uint64_t read_in_pieces(struct str bytes, size_t piece_size) {
    struct told told = {.size = bytes.len};
    struct trace_sink sink = {take_event, &told};
    struct trace_options options = {.file = STR("-")};
    void *decoder = binlog_decoder.open(&sink, &options);
    for (size_t at = 0; at < bytes.len; at += piece_size) {
        size_t end = bytes.len - at < piece_size ? bytes.len : at + piece_size;
        binlog_decoder.feed(decoder, str_sub(bytes, at, end));
    }
    binlog_decoder.end(decoder);
    binlog_decoder.close(decoder);
    return told.digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str bytes = {(const char *)data, size};
    int sure = binlog_decoder.detect(bytes);
    LW_ASSERT(sure >= 0 && sure <= 100);
    if (size == 0)
        return 0;
    uint64_t whole = read_in_pieces(bytes, size);
    LW_ASSERT(read_in_pieces(bytes, size % 61 + 1) == whole);
    return 0;
}
