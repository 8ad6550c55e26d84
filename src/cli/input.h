/* What a command is to run, as it stands on the command line: FILE.txn, `-`, PATH.py:FUNCTION. Slices are into argv.
 */
#ifndef LW_CLI_INPUT_H
#define LW_CLI_INPUT_H

#include "base/err.h"
#include "base/vec.h"

struct input {
    struct str path;     /* of the .txn file ("-": standard input), or of the Python file */
    struct str function; /* "increment", "Counter.increment"; empty for a .txn file */
};

struct input_list {
    VEC(struct input) items;
};

/* Whether the text names a .txn file. */
bool input_is_txn(struct str text);

/* Reads one. False, with a message, if it is neither. */
bool input_read(struct str text, struct input *input, struct err *err);

/* Whether they can be run: one .txn file, or at most as many functions as sessions are possible. */
bool inputs_check(const struct input_list *inputs, struct err *err);

#endif
