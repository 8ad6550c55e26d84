/* Running another program, without a shell, and reading what it prints. */
#ifndef LW_BASE_PROCESS_H
#define LW_BASE_PROCESS_H

#include "base/err.h"

enum { PROCESS_BYTES_MAX = 256 << 20 };

struct process_output {
    struct str out, err; /* what it wrote to its standard output and error; in the arena, a NUL behind each */
    int code;            /* its exit code; -1: a signal ended it */
};

/* Runs argv[0], looked for in PATH, with standard input closed. `argv` ends with NULL. False if it could not be started,
 * or printed over PROCESS_BYTES_MAX. */
bool process_run(struct arena *arena, const char *const *argv, struct process_output *output,
                 struct err *err);

#endif
