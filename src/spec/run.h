/* Runs the permutations of a spec on a server, and writes the transcript the isolation tester would write. */
#ifndef LW_SPEC_RUN_H
#define LW_SPEC_RUN_H

#include "spec/server.h"

enum { SPEC_PERMUTATIONS_MAX = 100000 };

struct spec_run_options {
    /* Called with the transcript's next piece, a permutation at least. */
    void (*write)(void *context, struct str text);
    void *context;
};

struct spec_counts {
    size_t permutations, not_modelled;
};

/* After how long a step that does not end is canceled: PGISOLATIONTIMEOUT, or 360 seconds, as the tester has it. */
unsigned spec_step_seconds(void);

/* How many permutations there are: those named, or all. SIZE_MAX: more than can be counted. */
size_t spec_permutation_count(const struct spec *spec);

/* Runs all. A permutation that needs what is not modelled is left out: its transcript is one line that says so,
 * with the position. False if the server was lost, a setup failed, or no step can ever go on. */
bool spec_run(const struct spec *spec, struct spec_server *server,
              const struct spec_run_options *options, struct spec_counts *counts, struct err *err);

#endif
