/* Which steps commute. Safe rather than sharp: a search leaves schedules out by this, so any
 * doubt means that the steps depend on each other. What is told apart, because it is what
 * reduction lives on: a snapshot read and an uncommitted write of the same table commute, a
 * snapshot read and the COMMIT of such a write do not.
 */
#include "engine/engine.h"

/* Whether the end of what `a` did to some table, seen or not, matters to `b`. */
static bool end_meets(const struct db_footprint *a, const struct db_footprint *b) {
    if (a->ends == 0)
        return false;
    /* A snapshot that is kept covers all tables, read by now or not. */
    if (b->took_snapshot)
        return true;
    return (a->ends & (b->reads | b->writes | b->locks)) != 0;
}

bool db_commutes(const struct db_footprint *a, const struct db_footprint *b) {
    if (a->waited_or_woke || b->waited_or_woke)
        return false;
    if (a->is_advisory && b->is_advisory)
        return false;
    /* SSI: marks, edges and the order of commits decide together who is cancelled. */
    if (a->is_serializable && b->is_serializable)
        return false;
    if ((a->writes | a->locks) & (b->writes | b->locks))
        return false;
    return !end_meets(a, b) && !end_meets(b, a);
}
