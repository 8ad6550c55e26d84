/* How a run ended, as text: written for the tests anew, by the words of explore/world.h and in the plainest way, so
 * that it can be held against world_outcome.
 */
#ifndef LW_TESTS_EXPLORE_PLAIN_ENDING_H
#define LW_TESTS_EXPLORE_PLAIN_ENDING_H

#include "explore/world.h"

/* What counts when outcomes are compared: rows, effects, fates. Of the sessions in `hidden` neither the fate counts
 * nor, unless they raised, their effects. */
void plain_ending(const struct world *world, uint32_t hidden, struct buf *out);

/* The same of all sessions, and who did each effect, the error that each failed with, and what the monitor saw. */
void plain_ending_all(const struct world *world, struct buf *out);

#endif
