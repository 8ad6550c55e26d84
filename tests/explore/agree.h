/* Holds the search and the verdict against the brute-force enumerator, one run on one engine and level at a time.
 */
#ifndef LW_TESTS_EXPLORE_AGREE_H
#define LW_TESTS_EXPLORE_AGREE_H

#include "brute.h"

struct agree_stats {
    uint64_t cells, too_large, limited;
    uint64_t schedules, reduced_schedules;
    uint64_t verdicts[VERDICT_LIMIT + 1];
    uint64_t waits, unique, timeouts; /* schedules */
};

/* Everything that must hold between the search, with reduction and without, with a bound on switches, the
 * verdict in each of its modes, the witness, and what brute force finds. False, and what differs in `what`, if
 * something doesn't. Runs of over `ends_max` schedules are passed over, and counted. */
bool agree(const struct run_setup *setup, enum policy_id policy, size_t ends_max,
           struct agree_stats *stats, struct buf *what);

#endif
