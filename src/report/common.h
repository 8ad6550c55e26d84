/* What text and JSON say alike: private to this folder. */
#ifndef LW_REPORT_COMMON_H
#define LW_REPORT_COMMON_H

#include "report/report.h"

/* The level as users know it: "repeatable read"; MariaDB's setting: "snapshot isolation"; SQLite: "serializable"
 * or "immediate". */
const char *level_name(const struct db_config *config);

/* The answer to a line: "UPDATE 1", "waits for A". */
void line_result(const struct witness_line *line, struct buf *out);

/* Whether a policy is the one of the configuration. */
bool is_policy(int policy, const struct db_config *config);

#endif
