/* The sub-commands. Each is one file, cmd_NAME.c, that defines its `struct command`; main.c has the table
 * of them, and says beside it how to add one.
 */
#ifndef LW_CLI_COMMAND_H
#define LW_CLI_COMMAND_H

#include "cli/exit.h"
#include "cli/option.h"

struct command {
    const char *name;
    const char *summary; /* one line, for the list of commands */
    const char *usage;   /* the arguments, as in `lostwrite NAME <usage>`; "" for none */
    const char *help;    /* further paragraphs for `help NAME`, or NULL */
    const struct cli_syntax *syntax;
    /* Runs it with the arguments after its name. Prints its own errors (command_error). */
    enum cli_exit (*run)(int argc, char **argv);
};

/* The page that `help NAME` shows: usage, summary, options, further help. */
void command_print_help(const struct command *command, struct buf *out);

/* Says on standard error what was wrong with the usage of a command (NULL: of none in particular), and
 * where help is. Always CLI_ERROR. */
enum cli_exit command_error(const struct command *command, const struct err *err);

extern const struct command cmd_check, cmd_prove, cmd_watch, cmd_explain, cmd_dump;

#endif
