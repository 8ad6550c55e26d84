/* Tables as the isolation tester prints them, which is libpq's old PQprint with aligned columns. */
#ifndef LW_SPEC_PRINT_H
#define LW_SPEC_PRINT_H

#include "spec/server.h"

/* A line of names, a rule, the rows, `(2 rows)` and an empty line. A column whose cells all look like numbers is
 * put to the right. */
void spec_print_table(struct arena *arena, const struct spec_table *table, struct buf *out);

#endif
