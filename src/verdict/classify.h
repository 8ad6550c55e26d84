/* Which class of mistake a replayed schedule shows: private to witness.c and classify.c.
 *
 * For each write, the sources it was computed from or decided by are looked up in the trace. A source is *stale*
 * if another session changed what it had read before the write was done: it wrote a newer version of
 * that row, or added or removed rows that the read's condition could meet; or if the read was behind the
 * committed state when it was made (an old snapshot).
 */
#ifndef LW_VERDICT_CLASSIFY_H
#define LW_VERDICT_CLASSIFY_H

#include "verdict/witness.h"

/* What on_event notes of each SELECT: whether it answered with less than what was committed then. */
struct read_note {
    uint32_t event;
    bool was_behind;
};

struct classify {
    struct arena *arena;
    const struct trace *trace;
    const struct schema *schema;
    const struct db *db; /* at the end of the schedule: for the values of versions */
    struct text_pool *pool;
    VEC(struct read_note) behind;
};

/* Appends every culprit of the trace to `witness`. */
void classify_trace(struct classify *classify, struct witness *witness);

/* The on_event of a replay: fills `behind`. `context` is a struct classify. */
void classify_on_event(void *context, struct trace *trace, uint32_t event, struct db *db);

#endif
