/* `prove FINDING --on URL`: a finding of check, replayed on a real server as it is and with each of its fixes.
 */
#ifndef LW_CLI_PROVE_FINDING_H
#define LW_CLI_PROVE_FINDING_H

#include "cli/exit.h"
#include "base/err.h"
#include "base/str.h"

struct prove_options;

/* Which finding: by its id, which a file of check's JSON has the path to, or by the path and line of its write. */
struct finding_input {
    struct str id;   /* empty: not by it */
    struct str path; /* of a Python file */
    unsigned line;   /* 0: not by it */
};

/* Whether the text names a finding: "LW003-1a2b3c4d", "shop/views.py:12". */
bool finding_input_read(struct str text, struct finding_input *input);
bool finding_input_is_given(const struct finding_input *input);

/* Finds and replays it, and prints the outcome. Prints its own errors. */
enum cli_exit prove_finding(const struct prove_options *options);

#endif
