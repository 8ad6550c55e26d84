/* The lines of a log, from bytes that come in pieces of any size. The buffer is the decoder's own: it holds the entry at hand,
 * which may have several lines, and the beginning of the next line. What is told may be changed in place.
 *
 * An entry has at most LOG_ENTRY_BYTES_MAX (and what one piece brings): what is longer is told as it is, its rest left out and counted.
 */
#ifndef LW_LOGS_LINES_H
#define LW_LOGS_LINES_H

#include "base/str.h"

enum {
    LOG_ENTRY_BYTES_MAX = 4 << 20,
    LOG_PIECE_BYTES_MAX = 256 << 10, /* looked at in one go */
};

/* What of the buffer is needed behind a line. */
enum log_keep {
    LOG_KEEP_NONE, /* nothing: also what was kept before has been used */
    LOG_KEEP_FROM, /* from this line on; what was kept before has been used */
    LOG_KEEP_ALL,  /* this line, too, if something is kept; else not */
};

struct log_line_class {
    /* A line, without its line feed; log_lines_kept is what was kept before it. */
    enum log_keep (*line)(void *decoder, struct str line);
    /* The entry is too long: its use, as far as it goes. Nothing is kept of it, its further lines come as others do. */
    void (*too_long)(void *decoder);
    /* No more comes of this file: what is kept is used. NULL: nothing is to do. */
    void (*unfinished)(void *decoder);
};

struct log_out;

struct log_lines {
    const struct log_line_class *class;
    void *decoder;
    struct log_out *out; /* the decoder's (out.h) */
    char *ptr;
    size_t len, capacity;
    size_t kept;   /* where what is kept begins */
    size_t next;   /* where the line at hand begins, or the next one; nothing is kept if it is `kept` */
    size_t sought; /* from `next` up to here there is no line feed */
    uint64_t offset;  /* of `ptr` in the file */
    uint64_t line;    /* number of the line at `next`, from 1 */
    bool is_partial;  /* the line that is told is the beginning of one that is too long */
    bool is_skipping; /* such a line, up to its end */
    uint64_t skipped; /* bytes left out of such lines, until somebody takes note and sets it to 0 */
};

void log_lines_init(struct log_lines *lines, const struct log_line_class *class, void *decoder,
                    struct log_out *out);
void log_lines_release(struct log_lines *lines);

/* Calls `line` for each line that is finished. */
void log_lines_feed(struct log_lines *lines, struct str bytes);

/* Tells the last line if it has no line feed. What is kept stays, for the decoder to use. */
void log_lines_end(struct log_lines *lines);

/* Offset and number count anew, for another file; nothing is kept. */
void log_lines_restart(struct log_lines *lines);

/* What is kept, up to the line at hand, without the last line feed. */
struct str log_lines_kept(const struct log_lines *lines);

/* Bytes within the buffer, to be written to. */
char *log_lines_writable(struct log_lines *lines, struct str bytes);

/* Where the line at hand stands in the file. */
uint64_t log_lines_offset(const struct log_lines *lines);

#endif
