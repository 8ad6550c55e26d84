/* The witness as a timeline: one line a step, SQL beside the Python line that sent it, and under the write the
 * value that was lost. Private to this folder.
 */
#ifndef LW_REPORT_TIMELINE_H
#define LW_REPORT_TIMELINE_H

#include "report/brief.h"

/* Where the sessions' places begin, and how far they are apart. */
enum { TIMELINE_LANES_AT = 5, TIMELINE_LANE_WIDTH = 2 };

struct timeline {
    const struct report *report;
    const struct witness *witness;
    size_t session_count;
    struct brief brief;
    struct str path;               /* of the finding: places in other files are shown with theirs */
    const struct culprit *culprit; /* whose write is marked; NULL: none */
};

void timeline_print(const struct timeline *timeline, struct buf *out);

/* The culprit of the witness that the finding is about, or NULL. */
const struct culprit *finding_culprit(const struct finding *finding);

#endif
