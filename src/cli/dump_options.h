/* The options of `lostwrite dump`, read and checked. Slices are into argv. */
#ifndef LW_CLI_DUMP_OPTIONS_H
#define LW_CLI_DUMP_OPTIONS_H

#include "base/arena.h"
#include "cli/exit.h"
#include "cli/input.h"
#include "cli/option.h"
#include "cli/target.h"

enum dump_stage {
    DUMP_SYNTAX,
    DUMP_ROOTS,
    DUMP_FUNCTIONS,
    DUMP_PROGRAM,
    DUMP_SQL,
    DUMP_SCHEDULES
};

struct dump_options {
    struct arena *arena; /* for `inputs` */
    enum dump_stage stage;
    bool has_stage; /* always, once parsed */
    /* Schedules: as for prove. Else one: a .txn file, a Python file or folder (no function), or a function. */
    struct input_list inputs;
    struct target target;   /* whose SQL, which level */
    unsigned session_count; /* 0: not given */
    bool all_schedules;
};

extern const struct cli_syntax dump_syntax;

/* Reads the arguments after `dump` into `*options`. */
bool dump_options_parse(struct arena *arena, int argc, char **argv, struct dump_options *options,
                        struct err *err);

/* Prints what the stage makes of the path. Prints its own errors. */
enum cli_exit dump_run(const struct dump_options *options);

#endif
