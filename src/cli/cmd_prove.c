#include "cli/command.h"
#include "cli/prove_options.h"

static enum cli_exit run(int argc, char **argv) {
    struct arena arena = {0};
    struct prove_options options;
    struct err err;
    enum cli_exit answer;
    if (prove_options_parse(&arena, argc, argv, &options, &err))
        answer = prove_run(&options);
    else
        answer = command_error(&cmd_prove, &err);
    arena_release(&arena);
    return answer;
}

const struct command cmd_prove = {
    .name = "prove",
    .summary = "run every interleaving of a scenario, or of functions side by side",
    .usage = "FILE.txn | FILE.spec | PATH.py:FUNCTION... | FINDING [options]",
    .help = "A .txn file says itself which programs run side by side (`-`: standard input). Of a\n"
            "Django project, the functions named run side by side; one alone runs beside itself.\n"
            "A method is named Class.method. A finding of check is named by its id, with --from, or by\n"
            "the place of its write, PATH.py:LINE; with --on it is replayed as it is and with each fix.\n"
            "\n"
            "With --compare they are judged on each of the servers named, and what changes from one to\n"
            "the next is said: --compare mariadb:10.11 mariadb:11.8 for an upgrade, postgresql mysql:8.4\n"
            "for a move, mysql/repeatable-read mysql/serializable for another level.\n"
            "\n"
            "A .spec file of PostgreSQL's isolation tester prints the tester's transcript; nothing is\n"
            "judged. The answer is 2 if a permutation was not run, as not modelled.\n"
            "\n"
            "Answers 0 if every schedule ends as some serial order would, 1 if one does not, 2 if\n"
            "the usage was wrong or a file could not be read.",
    .syntax = &prove_syntax,
    .run = run,
};
