/* What Unicode says of identifiers (UAX 31 as Python uses it): which characters may begin and continue one,
 * and their normal form NFKC, under which two spellings are the same name.
 */
#ifndef LW_PYTHON_UNICODE_H
#define LW_PYTHON_UNICODE_H

#include "base/arena.h"
#include "base/str.h"

/* XID_Start (and '_') and XID_Continue, for points from U+0080 on. */
bool py_is_id_start(uint32_t point);
bool py_is_id_continue(uint32_t point);

/* The NFKC form of a valid UTF-8 text; the text itself where it is normal already, else arena memory. */
struct str py_nfkc(struct arena *arena, struct str text);

#endif
