#include "cli/watch_server.h"

#include "binlog/binlog.h"
#include "live/live.h"
#include "live/replication.h"

bool watch_is_server(struct str path) {
    return str_starts(path, "mysql://") || str_starts(path, "mariadb://");
}

bool watch_server_read(struct trace_reader *reader, struct str url, struct err *err) {
    struct arena arena = {0};
    struct replication_start from = {.is_whole = !reader->follows};
    struct replication *replication = replication_open(url, &from, err);
    if (replication == NULL)
        return false;
    struct trace_options options = reader->options;
    options.file = live_url_shown(&arena, url);
    void *decoder = binlog_decoder.open(&reader->sink, &options);
    enum replication_state state = REPLICATION_IDLE;
    while (state < REPLICATION_END && !(reader->stop != NULL && *reader->stop)) {
        struct str bytes;
        state = replication_next(replication, &bytes, err);
        binlog_decoder.feed(decoder, bytes);
        reader->byte_count += bytes.len;
        if (reader->on_progress != NULL)
            reader->on_progress(reader->progress_context, reader->byte_count);
    }
    binlog_decoder.end(decoder);
    binlog_decoder.close(decoder);
    replication_close(replication);
    arena_release(&arena);
    reader->file_count++;
    return state != REPLICATION_OVER;
}
