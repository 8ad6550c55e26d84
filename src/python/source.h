/* The text of a file made ready for the lexer: decoded into UTF-8, checked, its lines found. A line ends
 * with \n, \r\n or \r alone.
 */
#ifndef LW_PYTHON_SOURCE_H
#define LW_PYTHON_SOURCE_H

#include "python/ast.h"

struct py_source {
    struct str text; /* UTF-8 without NUL bytes, followed by one */
    uint32_t start;  /* 3 after a byte order mark, else 0 */
    uint32_t line_count;
    uint32_t *line_starts; /* line_count + 1 of them: the last is past the end, never reached */
};

/* Reads byte order mark and coding cookie (PEP 263), converts what isn't UTF-8. False, with offset and message
 * in `error`, if the text is too long, in an unknown encoding, not valid in its encoding, or has a NUL byte. */
bool py_source_init(struct py_source *source, struct arena *arena, struct str text,
                    struct py_error *error);

/* The line (from 1) of a byte offset. */
uint32_t py_source_line(const struct py_source *source, uint32_t offset);

#endif
