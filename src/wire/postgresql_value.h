/* Values of PostgreSQL, in text or binary form, as one text: the same value of either form has the same text. */
#ifndef LW_WIRE_POSTGRESQL_VALUE_H
#define LW_WIRE_POSTGRESQL_VALUE_H

#include "base/buf.h"
#include "trace/event.h"

enum { PG_TYPE_UNKNOWN = 0 };

/* Adds the text of a value of type `oid` (0: not known). ABSENT, with nothing added, for what is not decoded: arrays, ranges,
 * types of extensions in binary form. */
enum trace_value_state pgwire_value_add(struct buf *out, uint32_t oid, bool is_binary, struct str bytes);

/* Whether values of the type are no numbers. Of an unknown type, `text` decides. */
bool pgwire_type_is_text(uint32_t oid, struct str text);

#endif
