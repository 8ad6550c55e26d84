/* binlog_events FILE [PIECE_BYTES]: what the decoder tells of a binary log, a line of JSON each; `--count` in place of the
 * size only counts, to measure.
 * binlog_events --stream URL FILE LAST: the same of a server's log as a replica gets it, from FILE on ("": from now), up to the
 * statement LAST. Says `listening` on standard error when it has been let in. */
#include "base/buf.h"
#include "binlog/binlog.h"
#include "live/replication.h"
#include "../support/changes.h"

#include <stdlib.h>

struct counts {
    bool is_silent, is_over;
    struct str last; /* the statement to end with; empty: none */
    struct buf line;
    size_t by_kind[TRACE_GAP + 1];
};

static void take_event(void *context, const struct trace_event *event) {
    struct counts *counts = context;
    counts->by_kind[event->kind]++;
    if (event->kind == TRACE_STATEMENT && counts->last.len > 0)
        counts->is_over |= str_equal(event->statement.sql, counts->last);
    if (counts->is_silent)
        return;
    buf_clear(&counts->line);
    print_event(&counts->line, event);
    fwrite(counts->line.ptr, 1, counts->line.len, stdout);
}

static int stream(char **argv) {
    struct counts counts = {.last = str_from_c(argv[4])};
    struct trace_sink sink = {take_event, &counts};
    struct trace_options options = {.file = str_from_c(argv[2])};
    struct replication_start from = {.file = str_from_c(argv[3])};
    struct err err;
    struct str bytes;
    enum replication_state state = REPLICATION_IDLE;
    struct replication *replication = replication_open(str_from_c(argv[2]), &from, &err);
    if (replication == NULL) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    fprintf(stderr, "listening\n");
    void *decoder = binlog_decoder.open(&sink, &options);
    while (!counts.is_over && state != REPLICATION_OVER) {
        state = replication_next(replication, &bytes, &err);
        binlog_decoder.feed(decoder, bytes);
    }
    binlog_decoder.end(decoder);
    binlog_decoder.close(decoder);
    if (state == REPLICATION_OVER)
        fprintf(stderr, "%s\n", err.message);
    struct str file = replication_file(replication);
    fprintf(stderr, "%.*s\n", STR_ARG(file));
    replication_close(replication);
    buf_release(&counts.line);
    return state == REPLICATION_OVER;
}

int main(int argc, char **argv) {
    if (argc == 5 && strcmp(argv[1], "--stream") == 0)
        return stream(argv);
    FILE *file = argc >= 2 ? fopen(argv[1], "rb") : NULL;
    if (file == NULL || argc > 3) {
        fprintf(stderr, "usage: %s FILE [PIECE_BYTES | --count]\n", argv[0]);
        return 2;
    }
    struct counts counts = {.is_silent = argc == 3 && strcmp(argv[2], "--count") == 0};
    size_t size = argc == 3 && !counts.is_silent ? strtoul(argv[2], NULL, 10) : 1 << 18;
    struct trace_sink sink = {take_event, &counts};
    struct trace_options options = {.file = str_from_c(argv[1])};
    void *decoder = binlog_decoder.open(&sink, &options);
    char *bytes = mem_alloc(size);
    for (size_t len; (len = fread(bytes, 1, size, file)) > 0;)
        binlog_decoder.feed(decoder, (struct str){bytes, len});
    binlog_decoder.end(decoder);
    binlog_decoder.close(decoder);
    fclose(file);
    free(bytes);
    if (counts.is_silent)
        printf("begin %zu change %zu commit %zu rollback %zu statement %zu gap %zu\n",
               counts.by_kind[TRACE_BEGIN], counts.by_kind[TRACE_CHANGE],
               counts.by_kind[TRACE_COMMIT], counts.by_kind[TRACE_ROLLBACK],
               counts.by_kind[TRACE_STATEMENT], counts.by_kind[TRACE_GAP]);
    buf_release(&counts.line);
    return 0;
}
