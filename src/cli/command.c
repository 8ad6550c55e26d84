#include "cli/command.h"

#include <stdio.h>

void command_print_help(const struct command *command, struct buf *out) {
    buf_printf(out, "usage: lostwrite %s%s%s\n\n%s\n", command->name,
               command->usage[0] != '\0' ? " " : "", command->usage, command->summary);
    if (command->syntax->option_count > 0) {
        buf_add_c(out, "\noptions:\n");
        cli_print_options(command->syntax, out);
    }
    if (command->help != NULL)
        buf_printf(out, "\n%s\n", command->help);
}

enum cli_exit command_error(const struct command *command, const struct err *err) {
    if (command == NULL) {
        fprintf(stderr, "lostwrite: %s\nSee `lostwrite --help`.\n", err->message);
    } else {
        fprintf(stderr, "lostwrite %s: %s\nSee `lostwrite help %s`.\n", command->name, err->message,
                command->name);
    }
    return CLI_ERROR;
}
