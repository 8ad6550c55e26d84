/* The options of `lostwrite prove`, read and checked. Slices and pointers are into argv. */
#ifndef LW_CLI_PROVE_OPTIONS_H
#define LW_CLI_PROVE_OPTIONS_H

#include "base/arena.h"
#include "cli/exit.h"
#include "cli/option.h"
#include "cli/target.h"
#include "cli/terminal.h"

enum prove_format { PROVE_TEXT, PROVE_JSON };

/* One thing to run: a scenario's file, or a function of a Django project. */
struct prove_input {
    struct str path;     /* of the .txn file ("-": standard input), or of the Python file */
    struct str function; /* "increment", "Counter.increment"; empty for a .txn file */
};

struct prove_options {
    struct arena *arena; /* for `inputs` */
    /* Either one .txn file or one or more functions, in the order given. */
    struct prove_input *inputs;
    size_t input_count, input_capacity;
    struct target target;
    unsigned session_count; /* 1 to DB_SESSIONS_MAX; 0: not given */
    enum prove_format format;
    bool all_schedules; /* no reduction, and count them */
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
