#include "cli/watch_server.h"

#include "binlog/binlog.h"
#include "live/live.h"
#include "live/logical.h"
#include "pgoutput/pgoutput.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static const struct pos no_pos;

bool watch_is_postgresql(struct str path) {
    return str_starts(path, "postgresql://") || str_starts(path, "postgres://");
}

bool watch_is_server(struct str path) {
    return str_starts(path, "mysql://") || str_starts(path, "mariadb://") || watch_is_postgresql(path);
}

/* One server that is read. */
struct server {
    struct trace_reader *reader;
    struct replication *replication; /* of MySQL and MariaDB */
    struct logical *logical;         /* of PostgreSQL */
    const struct trace_decoder_class *class;
    void *decoder;
    struct buf message; /* framed, as the decoder takes it */
    const char *record_path;
    int recording; /* -1: none */
};

/* What can't be written ends the recording, not the watching. */
static void record(struct server *server, struct str bytes) {
    while (server->recording >= 0 && bytes.len > 0) {
        ssize_t count = write(server->recording, bytes.ptr, bytes.len);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0) {
            fprintf(stderr, "lostwrite: %s: %s; the recording ends here\n", server->record_path, strerror(errno));
            close(server->recording);
            server->recording = -1;
            return;
        }
        bytes = str_sub(bytes, (size_t)count, bytes.len);
    }
}

static bool look_up(void *context, struct arena *arena, struct str schema, struct str table, struct trace_table *answer) {
    struct server *server = context;
    struct live_columns columns;
    bool is_found = server->logical != NULL ? logical_table(server->logical, arena, schema, table, &columns)
                                            : replication_table(server->replication, arena, schema, table, &columns);
    *answer = (struct trace_table){columns.names, columns.is_key, columns.count};
    if (is_found && server->recording >= 0) { /* before the message that is being looked at */
        struct buf told = {0};
        pgoutput_put_table(schema, table, answer, &told);
        record(server, buf_str(&told));
        buf_release(&told);
    }
    return is_found;
}

static enum replication_state next(struct server *server, struct str *bytes, struct err *err) {
    if (server->replication != NULL)
        return replication_next(server->replication, bytes, err);
    enum replication_state state = logical_next(server->logical, bytes, err);
    if (state != REPLICATION_EVENT)
        return state;
    buf_clear(&server->message);
    pgoutput_put_header(bytes->len, &server->message);
    buf_add(&server->message, *bytes);
    *bytes = buf_str(&server->message);
    return state;
}

static void take(struct server *server, struct str bytes) {
    server->class->feed(server->decoder, bytes);
    record(server, bytes);
    server->reader->byte_count += bytes.len;
    if (server->reader->on_progress != NULL)
        server->reader->on_progress(server->reader->progress_context, server->reader->byte_count);
}

static bool connect_to(struct server *server, struct str url, const struct watch_server_options *options, struct err *err) {
    struct trace_reader *reader = server->reader;
    if (!watch_is_postgresql(url)) {
        struct replication_start from = {.is_whole = !reader->follows};
        server->class = &binlog_decoder;
        server->replication = replication_open(url, &from, err);
        return server->replication != NULL;
    }
    struct logical_start from = {.publication = options->publication, .makes_publication = options->makes_publication,
                                 .slot = options->slot, .is_whole = !reader->follows, .stop = reader->stop};
    if (options->record_path != NULL) {
        server->recording = open(options->record_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (server->recording < 0)
            return err_set(err, no_pos, "%s: %s", options->record_path, strerror(errno));
    }
    server->class = &pgoutput_decoder;
    server->logical = logical_open(url, &from, err);
    return server->logical != NULL;
}

/* Answers how the stream ended. */
static enum replication_state read_stream(struct server *server, struct str shown, struct err *err) {
    struct trace_reader *reader = server->reader;
    struct trace_options options = reader->options;
    struct trace_lookup lookup = {look_up, server};
    options.file = shown;
    options.lookup = &lookup;
    server->decoder = server->class->open(&reader->sink, &options);
    if (server->logical != NULL)
        take(server, STR(PGOUTPUT_MAGIC));
    enum replication_state state = REPLICATION_IDLE;
    while (state < REPLICATION_END && !(reader->stop != NULL && *reader->stop)) {
        struct str bytes;
        state = next(server, &bytes, err);
        take(server, bytes);
    }
    server->class->end(server->decoder);
    server->class->close(server->decoder);
    return state;
}

enum watch_server_end watch_server_read(struct trace_reader *reader, struct str url, const struct watch_server_options *options,
                                        struct err *err) {
    struct arena arena = {0};
    struct server server = {.reader = reader, .record_path = options->record_path, .recording = -1};
    enum watch_server_end answer = WATCH_SERVER_REFUSED;
    if (connect_to(&server, url, options, err)) {
        reader->file_count++;
        answer = read_stream(&server, live_url_shown(&arena, url), err) == REPLICATION_OVER ? WATCH_SERVER_LOST : WATCH_SERVER_READ;
    }
    struct err left;
    if (!logical_close(server.logical, &left)) {
        *err = left;
        answer = WATCH_SERVER_LOST;
    }
    replication_close(server.replication);
    if (server.recording >= 0)
        close(server.recording);
    buf_release(&server.message);
    arena_release(&arena);
    return answer;
}
