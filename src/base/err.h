/* Why a call could not do its work: a place in a text, and a message. The caller owns the struct, the
 * callee fills it only on failure. The message is kept inside, so an error needs no allocation and can
 * outlive every arena.
 *
 *     struct err err;
 *     if (!sql_parse(arena, text, dialect, &stmt, &err)) return err_report(...);
 */
#ifndef LW_BASE_ERR_H
#define LW_BASE_ERR_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>

enum { ERR_MESSAGE_BYTES = 256, ERR_PATH_BYTES = 512 };

/* A place in a text. Lines and columns count from 1; columns count bytes. 0: no such place. */
struct pos {
    uint32_t line;
    uint32_t column;
};

struct err {
    char path[ERR_PATH_BYTES]; /* "" when the text has no file */
    struct pos pos;
    char message[ERR_MESSAGE_BYTES];
};

/* Fills `err`, with an empty path; a longer message is cut. Always false: `return err_set(err, ...);`.
 * `err` may be NULL. */
bool err_set(struct err *err, struct pos pos, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts a path to an error that was found in that file's text. Always false. */
bool err_in_file(struct err *err, struct str path);

/* The line and column of byte `offset` of `text`. Linear in `offset`. */
struct pos pos_of_offset(struct str text, size_t offset);

/* `path:line:column: error: message`, leaving out what there is not, and a newline. */
void err_print(const struct err *err, struct buf *out);

/* Line `line` of `text` (from 1), without its line end; empty if there is no such line. */
struct str text_line(struct str text, uint32_t line);

#endif
