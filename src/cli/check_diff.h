/* `check --diff`: the findings' fixes as a patch of the source. Each finding gets the first safe fix that can be written
 * as an edit, that does not meet another's, and after which a check of the patched project (in memory) has the finding no
 * more, and no other that it did not have.
 */
#ifndef LW_CLI_CHECK_DIFF_H
#define LW_CLI_CHECK_DIFF_H

#include "cli/check_pass.h"

/* Prints the diff for the findings of `pass`, and on standard error why one has no part in it. `all`: those that the search
 * gave, whether they are to be reported or not. CLI_FINDINGS if there are any to repair. */
enum cli_exit check_diff(const struct check_options *options, const struct check_pass *pass,
                         const struct findings *all);

#endif
