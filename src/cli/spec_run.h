/* `lostwrite prove FILE.spec`: a spec of PostgreSQL's isolation tester, run as the tester does. */
#ifndef LW_CLI_SPEC_RUN_H
#define LW_CLI_SPEC_RUN_H

#include "cli/prove_options.h"

/* Whether the text names a spec. */
bool spec_is_path(struct str text);

/* Runs the spec that is the only input, and prints its transcript. Prints its own errors: a permutation that is not
 * modelled is counted on standard error. */
enum cli_exit spec_prove(const struct prove_options *options);

#endif
