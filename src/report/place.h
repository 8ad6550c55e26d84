/* Places in the source as services take them: paths relative to the folder where the program runs, columns in UTF-16
 * code units. Private to this folder.
 */
#ifndef LW_REPORT_PLACE_H
#define LW_REPORT_PLACE_H

#include "report/report.h"

/* The path as a URI reference: what is neither unreserved nor a slash in %XX. */
void place_uri(struct str path, struct buf *out);

/* Columns from 1, the end behind the last character. `end_line` 0: the end is not known. */
struct region {
    uint32_t start_line, start_column, end_line, end_column;
};
struct region place_region(const struct report *report, struct txn_span span);

#endif
