#include "cli/command.h"
#include "cli/dump_options.h"

static enum cli_exit run(int argc, char **argv) {
    struct arena arena = {0};
    struct dump_options options;
    struct err err;
    enum cli_exit answer;
    if (dump_options_parse(&arena, argc, argv, &options, &err))
        answer = dump_run(&options);
    else
        answer = command_error(&cmd_dump, &err);
    arena_release(&arena);
    return answer;
}

const struct command cmd_dump = {
    .name = "dump",
    .summary = "show what one stage makes of a path",
    .usage = "--stage=STAGE PATH [options]",
    .help = "A path is a Python file, a folder, a .txn file, or PATH.py:FUNCTION. Schedules are of\n"
            "FILE.txn or PATH.py:FUNCTION..., which run side by side as under prove.\n"
            "\n"
            "For reports of bugs in lostwrite: the first stage whose output is wrong is the one\n"
            "to look at.",
    .syntax = &dump_syntax,
    .run = run,
};
