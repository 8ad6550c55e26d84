/* Inside of the notation's printer: what its two files share. */
#ifndef LW_PROGRAM_PRINT_H
#define LW_PROGRAM_PRINT_H

#include "base/buf.h"
#include "program/program.h"

/* A name, in backquotes if it is no word, or if `is_in_expr` and the word means something there. */
void txn_print_name(struct buf *out, struct str name, bool is_in_expr);
/* A name that may have dots. */
void txn_print_dotted(struct buf *out, struct str name, bool is_in_expr);
/* A text in that kind of quote, which is doubled within. */
void txn_print_quoted(struct buf *out, struct str text, char quote);
/* A literal that txn_parse_value reads back to the same value. */
void txn_print_value(struct buf *out, const struct text_pool *pool, struct value value);

#endif
