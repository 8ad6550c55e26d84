/* Recordings: whatever the bytes, they tell the same whole and in pieces, each byte is told of once at most, and events are
 * as event.h promises. */
#include "base/assert.h"
#include "base/buf.h"
#include "trace/jsonl.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct told {
    struct buf text;
    uint64_t gap_bytes;
    uint64_t offset; /* of the last event */
};

static void add_value(struct told *told, const struct trace_value *value) {
    LW_ASSERT(value->state == TRACE_VALUE || value->text.len == 0);
    buf_printf(&told->text, "%d%d:", (int)value->state, value->is_text);
    buf_add(&told->text, value->text);
}

static void add_statement(struct told *told, const struct trace_statement *statement) {
    buf_add(&told->text, statement->sql);
    buf_printf(&told->text, "|%d%d%d|%d %lld %lld", statement->is_cut, statement->is_more, (int)statement->outcome,
               (int)statement->transaction_after, (long long)statement->row_count, (long long)statement->end_us);
    for (size_t i = 0; i < statement->param_count; i++)
        add_value(told, &statement->params[i]);
    if (statement->rows == NULL)
        return;
    LW_ASSERT(statement->rows->row_count <= TRACE_ROWS_MAX);
    for (size_t i = 0; i < statement->rows->column_count; i++)
        buf_add(&told->text, statement->rows->columns[i]);
    for (size_t i = 0; i < statement->rows->row_count * statement->rows->column_count; i++)
        add_value(told, &statement->rows->values[i]);
}

static void take(void *context, const struct trace_event *event) {
    struct told *told = context;
    LW_ASSERT(event->kind == TRACE_GAP || event->session > 0);
    LW_ASSERT(event->kind == TRACE_GAP || event->place.offset >= told->offset);
    told->offset = event->place.offset;
    buf_printf(&told->text, "\n%d %d %llu %llu %llu %lld ", (int)event->kind, (int)event->server,
               (unsigned long long)event->place.offset, (unsigned long long)event->place.line,
               (unsigned long long)event->session, (long long)event->time_us);
    if (event->kind == TRACE_STATEMENT)
        add_statement(told, &event->statement);
    if (event->kind != TRACE_GAP)
        return;
    LW_ASSERT(event->gap.reason != NULL && event->gap.reason[0] != '\0');
    buf_add_c(&told->text, event->gap.reason);
    told->gap_bytes += event->gap.byte_count;
}

static void decode(struct told *told, struct str text, size_t piece) {
    struct trace_sink sink = {take, told};
    struct trace_options options = {.file = STR("-")};
    void *decoder = trace_jsonl_decoder.open(&sink, &options);
    for (size_t at = 0; at < text.len; at += piece)
        trace_jsonl_decoder.feed(decoder, str_sub(text, at, text.len - at < piece ? text.len : at + piece));
    trace_jsonl_decoder.end(decoder);
    trace_jsonl_decoder.close(decoder);
    LW_ASSERT(told->gap_bytes <= text.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str text = {(const char *)data, size};
    struct told whole = {0}, pieces = {0};
    decode(&whole, text, size + 1);
    decode(&pieces, text, size > 0 ? 1 + data[size - 1] % 23 : 1);
    LW_ASSERT(str_equal(buf_str(&whole.text), buf_str(&pieces.text)));
    LW_ASSERT(trace_jsonl_decoder.detect(text) <= 100);
    buf_release(&whole.text);
    buf_release(&pieces.text);
    return 0;
}
