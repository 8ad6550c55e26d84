/* What text and JSON say alike: private to this folder. */
#ifndef LW_REPORT_COMMON_H
#define LW_REPORT_COMMON_H

#include "report/report.h"

/* The answer to a line: "UPDATE 1", "waits for A". */
void line_result(const struct witness_line *line, struct buf *out);

/* The width to write for. */
size_t report_width(const struct report *report);

/* A line of a source file, empty if it isn't known. */
struct str report_source_line(const struct report *report, struct txn_span span, uint32_t line);

/* Whether a policy is the one of the configuration. */
bool is_policy(int policy, const struct db_config *config);

#endif
