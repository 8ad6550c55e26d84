/* `prove --compare A B ...`: the same runs on two or more servers, and what changes from one to the next. */
#ifndef LW_CLI_COMPARE_H
#define LW_CLI_COMPARE_H

#include "cli/exit.h"
#include "cli/target.h"
#include "report/compare.h"

/* NAME[:VERSION][/LEVEL...] */
struct compare_target {
    struct target server;                     /* without a level */
    struct target levels[COMPARE_LEVELS_MAX]; /* of the same server */
    size_t level_count;                       /* 0: all that it has */
};

struct compare_targets {
    struct compare_target items[COMPARE_SIDES_MAX];
    size_t count; /* 0: nothing is to be compared */
};

struct prove_options;

/* Setter for the value of --compare, and for an argument that is one more of them. */
bool compare_add(struct compare_targets *targets, struct str value, struct err *err);
/* Whether an argument goes to --compare: the second always does, more do if they begin with an engine's name. */
bool compare_takes(const struct compare_targets *targets, struct str argument);
/* Whether what was given goes together. */
bool compare_check(const struct compare_targets *targets, const struct target *target,
                   struct err *err);

/* Judges the runs on each, and prints what changes. Prints its own errors. */
enum cli_exit compare_run(const struct prove_options *options);

#endif
