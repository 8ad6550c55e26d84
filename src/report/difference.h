/* What is wrong with the end of a run: only the rows, columns, effects and fates in which it differs from the ends
 * of the serial orders. Private to this folder.
 */
#ifndef LW_REPORT_DIFFERENCE_H
#define LW_REPORT_DIFFERENCE_H

#include "report/report.h"

/* "ends with count=101; in either order it would be count=102", or a line for each order; nothing if no end
 * differs. */
void difference_print(const struct report *report, const struct ending *ending,
                      const struct serial_texts *serial, struct buf *out);

#endif
