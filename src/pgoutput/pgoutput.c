#include "base/assert.h"
#include "pgoutput/internal.h"

#include <stdlib.h>

static int detect(struct str head) {
    return str_starts(head, PGOUTPUT_MAGIC) ? 100 : 0;
}

static void *open_stream(const struct trace_sink *sink, const struct trace_options *options) {
    struct pgoutput *stream = mem_alloc(sizeof(*stream));
    *stream = (struct pgoutput){.sink = sink, .lookup = options->lookup, .file = options->file, .commit_us = -1};
    stream->before = mem_alloc(COLUMNS_MAX * sizeof(*stream->before));
    stream->after = mem_alloc(COLUMNS_MAX * sizeof(*stream->after));
    return stream;
}

static void feed(void *decoder, struct str bytes) {
    pgout_feed(decoder, bytes);
}

static void next_file(void *decoder, struct str file) {
    struct pgoutput *stream = decoder;
    pgout_end(stream);
    stream->split = (struct split){0};
    stream->file = file;
}

static void end(void *decoder) {
    pgout_end(decoder);
}

static void close_stream(void *decoder) {
    struct pgoutput *stream = decoder;
    pgout_clear(&stream->relations);
    buf_release(&stream->split.pieces.held);
    buf_release(&stream->described);
    buf_release(&stream->texts);
    buf_release(&stream->sql);
    free(stream->before);
    free(stream->after);
    free(stream);
}

const struct trace_decoder_class pgoutput_decoder = {
    .name = "postgresql-pgoutput",
    .title = "what logical decoding of PostgreSQL sent, recorded by `watch --record`",
    .detect = detect,
    .open = open_stream,
    .feed = feed,
    .next_file = next_file,
    .end = end,
    .close = close_stream,
};

static void put_be(struct buf *out, uint64_t value, size_t byte_count) {
    while (byte_count-- > 0)
        buf_add_char(out, (char)(value >> byte_count * 8));
}

void pgoutput_put_header(size_t len, struct buf *out) {
    LW_ASSERT(len < UINT32_MAX - 4);
    buf_add_char(out, 'd');
    put_be(out, len + 4, 4);
}

void pgoutput_put_table(struct str schema, struct str table, const struct trace_table *columns, struct buf *out) {
    size_t len = schema.len + table.len + 2;
    for (size_t i = 0; i < columns->column_count; i++)
        len += columns->columns[i].len + 2;
    buf_add_char(out, 't');
    put_be(out, len + 4, 4);
    buf_add(out, schema);
    buf_add_char(out, '\0');
    buf_add(out, table);
    buf_add_char(out, '\0');
    for (size_t i = 0; i < columns->column_count; i++) {
        buf_add_char(out, columns->is_key[i] ? 'k' : 'c');
        buf_add(out, columns->columns[i]);
        buf_add_char(out, '\0');
    }
}
