#include "cli/command.h"
#include "cli/dump_options.h"

static enum cli_exit run(int argc, char **argv) {
    struct dump_options options;
    struct err err;
    if (!dump_options_parse(argc, argv, &options, &err))
        return command_error(&cmd_dump, &err);
    return dump_run(&options);
}

const struct command cmd_dump = {
    .name = "dump",
    .summary = "show what one stage makes of a path",
    .usage = "--stage=STAGE PATH [options]",
    .help = "For reports of bugs in lostwrite: the first stage whose output is wrong is the one\n"
            "to look at.",
    .syntax = &dump_syntax,
    .run = run,
};
