/* A growing text buffer: printers write into one, the caller writes it out or takes the slice.
 * It owns its memory; `{0}` is an empty one. The text is always terminated by NUL (not counted).
 */
#ifndef LW_BASE_BUF_H
#define LW_BASE_BUF_H

#include "base/str.h"

#include <stdio.h>

struct buf {
    char *ptr;
    size_t len;      /* bytes of text */
    size_t capacity; /* bytes reserved */
};

/* Frees the text; the buffer is empty and usable again. */
void buf_release(struct buf *buf);
/* Forgets the text, keeps the memory. */
void buf_clear(struct buf *buf);

void buf_add(struct buf *buf, struct str text);
void buf_add_c(struct buf *buf, const char *c_string);
void buf_add_char(struct buf *buf, char byte);
/* `count` times `byte`. */
void buf_add_repeat(struct buf *buf, char byte, size_t count);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A JSON string with its quotes: control characters, quotes and bytes that are no UTF-8 escaped. */
void buf_add_json(struct buf *buf, struct str text);

/* The text so far; valid until the buffer is changed. */
struct str buf_str(const struct buf *buf);

#endif
