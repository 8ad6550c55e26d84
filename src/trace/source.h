/* Sources as files: any number of them, plain or packed (.gz, .zst, told by their first bytes), each read as a stream by the decoder
 * that knows it. Files of one kind are one source that goes on: a rotated log, the binlogs of a server. Of what a server logs in
 * several forms side by side, as PostgreSQL's stderr, csvlog and jsonlog, the first one is read, and each other file is a gap.
 */
#ifndef LW_TRACE_SOURCE_H
#define LW_TRACE_SOURCE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/vec.h"
#include "trace/decoder.h"

enum { SOURCE_CLASSES_MAX = 16 };

struct trace_input;

struct trace_reader {
    const struct trace_decoder_class *const *classes; /* of which one reads a file */
    size_t class_count;
    const struct trace_decoder_class *only; /* what the user says that all are; NULL: it is found by looking */
    struct trace_options options;           /* `file` aside */
    struct trace_sink sink;
    bool follows; /* at the end of the last file waits for more, until `stop` */
    const volatile int *stop; /* set by a signal: no more is read; may be NULL */
    /* Told how many bytes of all files were read so far; may be NULL. */
    void (*on_progress)(void *context, uint64_t byte_count);
    void *progress_context;

    /* its own */
    void *decoders[SOURCE_CLASSES_MAX]; /* one a class that was met */
    struct trace_input *sinks[SOURCE_CLASSES_MAX];
    struct str folders[SOURCE_CLASSES_MAX]; /* of the last file of each */
    uint64_t byte_count;
    size_t file_count;
};

/* The files that a path means, in the order in which they are to be read: itself ("-": standard input), or those in the folder, a rotated log's
 * oldest first (`a.log.2.gz`, `a.log.1`, `a.log`). False, with the system's reason, if there is none. */
struct trace_path {
    struct str path; /* terminated by NUL */
    bool is_found;   /* in a folder: if nobody knows what it is, it is left out, and that is told */
};
struct trace_paths {
    VEC(struct trace_path) items;
};
bool trace_paths_add(struct arena *arena, struct str path, struct trace_paths *paths, struct err *err);

/* Reads one file to its end; it lives as long as the reader. False if it can't be read, or nobody knows what it is. */
bool trace_read(struct trace_reader *reader, const struct trace_path *path, bool is_last, struct err *err);

/* No more files come: decoders tell what is unfinished, and go. */
void trace_reader_end(struct trace_reader *reader);

#endif
