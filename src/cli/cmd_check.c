#include "cli/check_options.h"
#include "cli/command.h"
#include "cli/pipeline.h"

static enum cli_exit run(int argc, char **argv) {
    struct arena arena = {0};
    struct check_options options;
    struct err err;
    enum cli_exit answer;
    if (!check_options_parse(&arena, argc, argv, &options, &err))
        answer = command_error(&cmd_check, &err);
    else if (!check_options_configure(&options, &err))
        answer = pipeline_print_error(&err);
    else
        answer = check_run(&options);
    arena_release(&arena);
    return answer;
}

const struct command cmd_check = {
    .name = "check",
    .summary = "find the writes that Django source can lose, each with a schedule that loses it",
    .usage = "[PATH...] [options]",
    .help = "A path is a file or a folder; without one it is the current folder. Nothing is\n"
            "imported or run, and no database is needed. What git ignores, tests, migrations and virtual\n"
            "environments are left out, unless a path names them.\n"
            "\n"
            "[tool.lostwrite] in pyproject.toml, or lostwrite.toml, configures it: engine, isolation,\n"
            "select, ignore, per-file-ignores, exclude, include-tests, include-migrations, roots,\n"
            "baseline, require-reason. Options on the command line override it.\n"
            "\n"
            "A comment on the line of the write suppresses its finding:\n"
            "    # lostwrite: ignore[LW003] reason\n"
            "    # noqa: LW003\n"
            "Those that suppress nothing are warned of. docs/check.md has more.\n"
            "\n"
            "--diff prints a patch in place of the report, for `git apply` or `patch -p1`: of each\n"
            "finding the first safe fix that is an edit of the source, provided that a check of the\n"
            "patched project (in memory) no longer has the finding, and no new one. Standard error\n"
            "says which findings have no part in it, and why. No file is written.\n"
            "\n"
            "Answers 0 if nothing was found, 1 if something was, 2 if the usage was wrong or a\n"
            "path could not be read.",
    .syntax = &check_syntax,
    .run = run,
};
