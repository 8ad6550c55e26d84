/* The options of `lostwrite prove`, read and checked. Slices and pointers are into argv. */
#ifndef LW_CLI_PROVE_OPTIONS_H
#define LW_CLI_PROVE_OPTIONS_H

#include "base/arena.h"
#include "cli/compare.h"
#include "cli/exit.h"
#include "cli/input.h"
#include "cli/option.h"
#include "cli/prove_finding.h"
#include "cli/target.h"
#include "cli/terminal.h"

enum prove_format { PROVE_TEXT, PROVE_JSON };

struct prove_options {
    struct arena *arena; /* for `inputs` */
    struct input_list inputs; /* one .txn file, or functions in the order given */
    struct target target;
    struct compare_targets compare; /* instead of `target` */
    unsigned session_count; /* 1 to DB_SESSIONS_MAX; 0: not given */
    enum prove_format format;
    bool all_schedules; /* no reduction, and count them */
    struct finding_input finding; /* instead of `inputs` */
    struct str from;    /* the JSON file that has its path; empty: none */
    struct str on;      /* URL of a real server to run on; empty: none */
    enum color_when color;
    bool is_verbose;
};

extern const struct cli_syntax prove_syntax;

/* Reads the arguments after `prove` into `*options`. The input array goes to `arena`. */
bool prove_options_parse(struct arena *arena, int argc, char **argv, struct prove_options *options,
                         struct err *err);

/* Explores what the options name, and prints the outcome. Prints its own errors. */
enum cli_exit prove_run(const struct prove_options *options);

#endif
