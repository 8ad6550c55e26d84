/* What the program answers to its caller. Scripts rely on these numbers: they never change. */
#ifndef LW_CLI_EXIT_H
#define LW_CLI_EXIT_H

enum cli_exit {
    CLI_CLEAN = 0,    /* done, nothing found */
    CLI_FINDINGS = 1, /* done, and something was found */
    CLI_ERROR = 2,    /* wrong usage, or input that could not be read */
};

#endif
