/* pgoutput_events FILE [PIECE_BYTES | --count TIMES]: what the decoder tells of a recording of logical decoding, a line of JSON each; or only how
 * many events there are if it is read so often, and how many a second, to measure. */
#include "../support/changes.h"
#include "base/file.h"
#include "pgoutput/pgoutput.h"

#include <stdlib.h>
#include <time.h>

static void count_event(void *context, const struct trace_event *event) {
    (void)event;
    ++*(size_t *)context;
}

static size_t count_events(struct str bytes, unsigned long times) {
    size_t count = 0;
    struct trace_sink sink = {count_event, &count};
    struct trace_options options = {.file = STR("-")};
    void *decoder = pgoutput_decoder.open(&sink, &options);
    enum { PIECE_BYTES = 1 << 18 };
    for (; times > 0; times--) {
        for (size_t at = 0; at < bytes.len; at += PIECE_BYTES)
            pgoutput_decoder.feed(decoder, str_sub(bytes, at, bytes.len - at < PIECE_BYTES ? bytes.len : at + PIECE_BYTES));
        pgoutput_decoder.next_file(decoder, STR("-"));
    }
    pgoutput_decoder.end(decoder);
    pgoutput_decoder.close(decoder);
    return count;
}

int main(int argc, char **argv) {
    struct arena arena = {0};
    struct str bytes;
    struct err err;
    if (argc < 2 || argc > 4) {
        fprintf(stderr, "usage: %s FILE [PIECE_BYTES | --count TIMES]\n", argv[0]);
        return 2;
    }
    if (!file_read(&arena, argv[1], &bytes, &err)) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    if (argc == 4 && strcmp(argv[2], "--count") == 0) {
        clock_t began = clock();
        size_t count = count_events(bytes, strtoul(argv[3], NULL, 10));
        double seconds = (double)(clock() - began) / CLOCKS_PER_SEC;
        printf("%zu events, %.0f a second of CPU\n", count, (double)count / seconds);
    } else {
        struct buf told = {0};
        print_events(&told, &pgoutput_decoder, bytes, argc == 3 ? strtoul(argv[2], NULL, 10) : 0, true);
        fwrite(told.ptr, 1, told.len, stdout);
        buf_release(&told);
    }
    arena_release(&arena);
    return 0;
}
