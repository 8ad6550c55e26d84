/* The command line: which command, with help and version beside them. Everything else is in the command's
 * own file. */
#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "cli/command.h"
#include "cli/suggest.h"

#include <stdio.h>

/* To add a command: write cmd_NAME.c, which defines `const struct command cmd_NAME` with its options
 * table and its help; declare it in command.h; put it into this table, which is in the order of the help;
 * run `make sources`; and test it in tests/cli/. */
static const struct command *const commands[] = {
    &cmd_check,
    &cmd_prove,
    &cmd_watch,
    &cmd_explain,
    &cmd_dump,
};

static const struct command *find_command(const char *name) {
    for (size_t i = 0; i < LW_COUNT_OF(commands); i++) {
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    }
    return NULL;
}

static enum cli_exit unknown_command(const char *name) {
    const char *names[LW_COUNT_OF(commands) + 1];
    struct err err;
    for (size_t i = 0; i < LW_COUNT_OF(commands); i++)
        names[i] = commands[i]->name;
    names[LW_COUNT_OF(commands)] = "help";
    const char *meant = suggest(str_from_c(name), names, LW_COUNT_OF(names));
    if (meant == NULL)
        err_set(&err, (struct pos){0, 0}, "unknown command '%s'", name);
    else
        err_set(&err, (struct pos){0, 0}, "unknown command '%s'; did you mean '%s'?", name, meant);
    return command_error(NULL, &err);
}

static enum cli_exit print_out(struct buf *out) {
    fwrite(out->ptr, 1, out->len, stdout);
    buf_release(out);
    return CLI_CLEAN;
}

static enum cli_exit print_overview(void) {
    struct buf out = {0};
    buf_add_c(
        &out,
        "lostwrite finds writes that a Django program can lose when two requests run at once.\n"
        "\n"
        "usage: lostwrite COMMAND [arguments]\n"
        "\n"
        "commands:\n");
    for (size_t i = 0; i < LW_COUNT_OF(commands); i++)
        buf_printf(&out, "  %-9s %s\n", commands[i]->name, commands[i]->summary);
    buf_add_c(&out, "  help      tell more about a command: lostwrite help COMMAND\n"
                    "\n"
                    "      --version   print the version\n"
                    "  -h, --help      print this, or the help of a command\n"
                    "\n"
                    "Answers 0: nothing found, 1: findings, 2: wrong usage or unreadable input.\n");
    return print_out(&out);
}

static enum cli_exit print_help(const struct command *command) {
    struct buf out = {0};
    command_print_help(command, &out);
    return print_out(&out);
}

static enum cli_exit run_help(int argc, char **argv) {
    if (argc == 0)
        return print_overview();
    const struct command *command = find_command(argv[0]);
    if (command == NULL)
        return unknown_command(argv[0]);
    return print_help(command);
}

static enum cli_exit dispatch(int argc, char **argv) {
    struct err err;
    if (argc < 2) {
        err_set(&err, (struct pos){0, 0}, "which command?");
        return command_error(NULL, &err);
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return print_overview();
    if (strcmp(name, "help") == 0)
        return run_help(argc - 2, argv + 2);
    if (strcmp(name, "--version") == 0) {
        printf("lostwrite %s\n", LW_VERSION);
        return CLI_CLEAN;
    }
    if (name[0] == '-') {
        err_set(&err, (struct pos){0, 0}, "unknown option '%s'; options go after the command",
                name);
        return command_error(NULL, &err);
    }
    const struct command *command = find_command(name);
    if (command == NULL)
        return unknown_command(name);
    if (cli_wants_help(argc - 2, argv + 2))
        return print_help(command);
    return command->run(argc - 2, argv + 2);
}

int main(int argc, char **argv) {
    mem_keep_freed();
    enum cli_exit answer = dispatch(argc, argv);
    /* A full disk must not look like "nothing found". */
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("lostwrite: standard output");
        return CLI_ERROR;
    }
    return answer;
}
