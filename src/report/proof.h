/* The tables of a proof on a real server. Private to this folder. */
#ifndef LW_REPORT_PROOF_H
#define LW_REPORT_PROOF_H

#include "report/report.h"

/* One line a level: what the built-in engine says, what the server did, and in which schedules. `server`: its name and
 * version. */
void proof_print(const struct report *report, const char *server, const struct proof *proof,
                 struct buf *out);

/* The counts of --all-schedules, two lines a level. */
void proof_print_counts(const struct proof *proof, struct buf *out);

#endif
