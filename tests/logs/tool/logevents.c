/* The events of a log's files, one JSON object a line:
 *
 *     logevents [--class NAME] [--prefix LOG_LINE_PREFIX] [--piece BYTES] [--count] FILE...
 *
 * --piece: how many bytes are fed at once; --count: prints only how many statements, others and gaps there are. */
#include "../dump.h"

#include "base/arena.h"

#include <stdlib.h>

enum { PIECE_BYTES = 256 << 10 };

struct counts {
    size_t statements, gaps, others;
};

static void count_event(void *context, const struct trace_event *event) {
    struct counts *counts = context;
    if (event->kind == TRACE_STATEMENT)
        counts->statements++;
    else if (event->kind == TRACE_GAP)
        counts->gaps++;
    else
        counts->others++;
}

struct reading {
    const struct trace_decoder_class *class;
    void *decoder;
    struct trace_sink sink;
    struct trace_options options;
    size_t piece;
    struct buf *out;
};

static bool read_file(struct reading *reading, const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    char *bytes = mem_alloc(reading->piece > TRACE_HEAD_BYTES ? reading->piece : TRACE_HEAD_BYTES);
    if (reading->class == NULL) {
        size_t len = fread(bytes, 1, TRACE_HEAD_BYTES, file);
        reading->class = dump_class_of((struct str){bytes, len});
        rewind(file);
    }
    if (reading->class == NULL)
        return free(bytes), fclose(file), false;
    if (reading->decoder == NULL)
        reading->decoder = reading->class->open(&reading->sink, &reading->options);
    else
        reading->class->next_file(reading->decoder, str_from_c(path));
    for (size_t len; (len = fread(bytes, 1, reading->piece, file)) > 0;) {
        reading->class->feed(reading->decoder, (struct str){bytes, len});
        if (reading->out->len > 0)
            fwrite(reading->out->ptr, 1, reading->out->len, stdout);
        buf_clear(reading->out);
    }
    free(bytes);
    fclose(file);
    return true;
}

int main(int argc, char **argv) {
    struct buf out = {0};
    struct counts counts = {0};
    struct reading reading = {.sink = {dump_event, &out}, .piece = PIECE_BYTES, .out = &out};
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--count") == 0)
            reading.sink = (struct trace_sink){count_event, &counts};
        else if (strcmp(argv[i], "--class") == 0 && i + 1 < argc)
            reading.class = dump_class_named(argv[++i]);
        else if (strcmp(argv[i], "--prefix") == 0 && i + 1 < argc)
            reading.options.log_line_prefix = str_from_c(argv[++i]);
        else if (strcmp(argv[i], "--piece") == 0 && i + 1 < argc)
            reading.piece = strtoul(argv[++i], NULL, 10);
    }
    for (; i < argc; i++) {
        if (!read_file(&reading, argv[i])) {
            fprintf(stderr, "%s: cannot be read, or is no log that is known\n", argv[i]);
            return 2;
        }
    }
    if (reading.class == NULL)
        return 2;
    reading.class->end(reading.decoder);
    reading.class->close(reading.decoder);
    if (reading.sink.event == count_event)
        printf("%zu statements, %zu gaps, %zu others\n", counts.statements, counts.gaps, counts.others);
    else if (out.len > 0)
        fwrite(out.ptr, 1, out.len, stdout);
    fprintf(stderr, "%s\n", reading.class->name);
    buf_release(&out);
    return 0;
}
