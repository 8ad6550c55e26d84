/* The syntax tree as text: `lostwrite dump --stage=syntax`. One line a node, indented by depth:
 *
 *     field: Kind @line:column-line:column attribute=value ...
 *
 * Columns count bytes from 0, as CPython's col_offset, so both can be compared line by line. */
#ifndef LW_PYTHON_DUMP_H
#define LW_PYTHON_DUMP_H

#include "python/ast.h"

/* Appends the tree, then a line `error LINE:COLUMN: message` for each error. */
void py_dump(struct buf *out, const struct py_module *module);

#endif
