#include "base/assert.h"
#include "binlog/internal.h"

#include <stdlib.h>

static int detect(struct str head) {
    static const char *const magics[] = {"\xfe\x62\x69\x6e", "\xfd\x62\x69\x6e"};
    for (size_t i = 0; i < LW_COUNT_OF(magics); i++)
        if (str_starts(head, magics[i]))
            return 100;
    return 0;
}

static void *open_binlog(const struct trace_sink *sink, const struct trace_options *options) {
    struct binlog *log = mem_alloc(sizeof(*log));
    *log = (struct binlog){.sink = sink, .lookup = options->lookup, .file = options->file};
    log->transaction.commit_us = -1;
    return log;
}

static void feed(void *decoder, struct str bytes) {
    split_feed(decoder, bytes);
}

static void next_file(void *decoder, struct str file) {
    struct binlog *log = decoder;
    split_end(log);
    log->before_file += log->split.offset;
    log->split = (struct split){0};
    log->file = file;
}

static void end(void *decoder) {
    split_end(decoder);
}

static void close_binlog(void *decoder) {
    struct binlog *log = decoder;
    buf_release(&log->split.pieces.held);
    buf_release(&log->annotation);
    buf_release(&log->unpacked);
    buf_release(&log->inner);
    transaction_release(log);
    table_cache_clear(&log->tables);
    arena_release(&log->scratch);
    unpack_free(log->zlib);
    unpack_free(log->zstd);
    unpack_free(log->deflate);
    free(log->images.before);
    free(log->images.after);
    free(log);
}

const struct trace_decoder_class binlog_decoder = {
    .name = "mysql-binlog",
    .title = "MySQL or MariaDB binary log",
    .detect = detect,
    .open = open_binlog,
    .feed = feed,
    .next_file = next_file,
    .end = end,
    .close = close_binlog,
};
