/* The smallest trial in which something still goes wrong. */
#ifndef LW_TESTS_DIFFERENTIAL_SHRINK_H
#define LW_TESTS_DIFFERENTIAL_SHRINK_H

#include "trial.h"

/* Whether the trial as it is now still goes wrong in the same way. */
typedef bool shrink_check(void *context, struct trial *trial);

/* Leaves out steps, then initial rows, as long as `check` holds: first many at once, then one by one. */
void trial_shrink(struct trial *trial, shrink_check *check, void *context);

#endif
