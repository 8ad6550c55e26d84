/* Private to this folder: losses of a clock's reading alone. */
#ifndef LW_FINDING_TIMES_H
#define LW_FINDING_TIMES_H

#include "sql/schema.h"
#include "verdict/verdict.h"

/* Whether the end is that of a serial order but for times that a clock gave: `updated_on` of the one in place of the other's. */
bool is_end_but_for_times(const struct schema *schema, const struct ending *ending, const struct serial_texts *serial);

#endif
