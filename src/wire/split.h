/* One text that holds several statements, cut at the semicolons between them. */
#ifndef LW_WIRE_SPLIT_H
#define LW_WIRE_SPLIT_H

#include "base/str.h"
#include "trace/event.h"

/* The next statement at `*at`, which moves behind it; comments before it are part of it, its semicolon is not. False if there
 * is none left: only spaces, comments and semicolons. A body in CREATE FUNCTION and the like is part of its statement. */
bool split_next(struct str text, enum trace_server server, size_t *at, struct str *statement);

/* The first word of a statement, behind comments. */
struct str split_first_word(struct str statement, enum trace_server server);

#endif
