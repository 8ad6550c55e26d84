/* binlog_events FILE [PIECE_BYTES]: what the decoder tells of a binary log, a line of JSON each; `--count` in place of the
 * size only counts, to measure. */
#include "base/buf.h"
#include "binlog/binlog.h"
#include "print.h"

#include <stdlib.h>

struct counts {
    bool is_silent;
    struct buf line;
    size_t by_kind[TRACE_GAP + 1];
};

static void take_event(void *context, const struct trace_event *event) {
    struct counts *counts = context;
    counts->by_kind[event->kind]++;
    if (counts->is_silent)
        return;
    buf_clear(&counts->line);
    print_event(&counts->line, event);
    fwrite(counts->line.ptr, 1, counts->line.len, stdout);
}

int main(int argc, char **argv) {
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
