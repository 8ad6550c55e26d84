#include "logs/lines.h"

#include "base/assert.h"

#include <stdlib.h>

void log_lines_init(struct log_lines *lines, const struct log_line_class *class, void *decoder,
                    struct log_out *out) {
    *lines = (struct log_lines){.class = class, .decoder = decoder, .out = out, .line = 1};
}

void log_lines_release(struct log_lines *lines) {
    free(lines->ptr);
    *lines = (struct log_lines){0};
}

struct str log_lines_kept(const struct log_lines *lines) {
    size_t to = lines->next;
    if (to > lines->kept && lines->ptr[to - 1] == '\n')
        to--;
    return (struct str){lines->ptr + lines->kept, to - lines->kept};
}

char *log_lines_writable(struct log_lines *lines, struct str bytes) {
    LW_ASSERT(bytes.ptr >= lines->ptr && bytes.ptr + bytes.len <= lines->ptr + lines->len);
    return lines->ptr + (bytes.ptr - lines->ptr);
}

uint64_t log_lines_offset(const struct log_lines *lines) {
    return lines->offset + lines->next;
}

/* What is done goes, the rest moves to the front. */
static void drop_done(struct log_lines *lines) {
    size_t done = lines->kept;
    if (done == 0)
        return;
    memmove(lines->ptr, lines->ptr + done, lines->len - done);
    lines->offset += done;
    lines->len -= done;
    lines->next -= done;
    lines->sought -= done;
    lines->kept = 0;
}

static void append(struct log_lines *lines, struct str bytes) {
    if (lines->len + bytes.len > lines->capacity) {
        size_t want = lines->len + bytes.len;
        lines->capacity = want > 2 * lines->capacity ? want : 2 * lines->capacity;
        lines->ptr = mem_realloc(lines->ptr, lines->capacity);
    }
    if (bytes.len > 0)
        memcpy(lines->ptr + lines->len, bytes.ptr, bytes.len);
    lines->len += bytes.len;
}

/* The line at `next` ends at `to`, the one behind it begins at `behind`. */
static void tell(struct log_lines *lines, size_t to, size_t behind) {
    LW_ASSERT(lines->kept <= lines->next && lines->next <= to && behind <= lines->len);
    struct str line = {lines->ptr + lines->next, to - lines->next};
    enum log_keep keep = lines->class->line(lines->decoder, line);
    if (keep == LOG_KEEP_FROM)
        lines->kept = lines->next;
    else if (keep == LOG_KEEP_NONE || lines->kept == lines->next)
        lines->kept = behind;
    lines->next = lines->sought = behind;
    lines->line++;
}

static void tell_too_long(struct log_lines *lines) {
    if (lines->kept < lines->next)
        lines->class->too_long(lines->decoder);
    lines->kept = lines->next;
}

/* The rest of a line that was too long is left out. */
static struct str skip(struct log_lines *lines, struct str bytes) {
    size_t end = str_find(bytes, '\n', 0);
    lines->skipped += end;
    lines->offset += end;
    if (end == bytes.len)
        return str_sub(bytes, end, bytes.len);
    lines->is_skipping = false;
    lines->offset++;
    return str_sub(bytes, end + 1, bytes.len);
}

static void feed_piece(struct log_lines *lines, struct str bytes) {
    append(lines, bytes);
    for (;;) {
        const char *from = lines->ptr + lines->sought;
        const char *end = memchr(from, '\n', lines->len - lines->sought);
        if (end == NULL)
            break;
        size_t to = (size_t)(end - lines->ptr);
        tell(lines, to, to + 1);
    }
    lines->sought = lines->len;
    if (lines->len - lines->kept > LOG_ENTRY_BYTES_MAX) {
        /* Either many lines make it so long, or the one that is not finished. */
        bool is_line = lines->len - lines->next > LOG_ENTRY_BYTES_MAX / 2;
        if (is_line) {
            lines->is_partial = lines->is_skipping = true;
            tell(lines, lines->len, lines->len);
            lines->is_partial = false;
        }
        tell_too_long(lines);
    }
    drop_done(lines);
}

void log_lines_feed(struct log_lines *lines, struct str bytes) {
    while (bytes.len > 0) {
        if (lines->is_skipping) {
            bytes = skip(lines, bytes);
            continue;
        }
        size_t len = bytes.len < LOG_PIECE_BYTES_MAX ? bytes.len : LOG_PIECE_BYTES_MAX;
        feed_piece(lines, str_sub(bytes, 0, len));
        bytes = str_sub(bytes, len, bytes.len);
    }
}

void log_lines_end(struct log_lines *lines) {
    if (lines->next < lines->len)
        tell(lines, lines->len, lines->len);
}

void log_lines_restart(struct log_lines *lines) {
    lines->len = lines->kept = lines->next = lines->sought = 0;
    lines->offset = 0;
    lines->line = 1;
    lines->is_skipping = false;
}
