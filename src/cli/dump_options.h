/* The options of `lostwrite dump`, read and checked. Pointers are into argv. */
#ifndef LW_CLI_DUMP_OPTIONS_H
#define LW_CLI_DUMP_OPTIONS_H

#include "cli/exit.h"
#include "cli/option.h"
#include "cli/target.h"

enum dump_stage { DUMP_SYNTAX, DUMP_PROGRAM, DUMP_SQL, DUMP_SCHEDULES };

struct dump_options {
    enum dump_stage stage;
    bool has_stage; /* always, once parsed */
    const char *path;
    struct target target; /* whose SQL, which policy */
};

extern const struct cli_syntax dump_syntax;

/* Reads the arguments after `dump` into `*options`. */
bool dump_options_parse(int argc, char **argv, struct dump_options *options, struct err *err);

/* Prints what the stage makes of the path. Prints its own errors. */
enum cli_exit dump_run(const struct dump_options *options);

#endif
