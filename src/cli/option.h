/* Command lines: a table of options in, calls of their setters out. The same table makes the help page.
 *
 * `--name VALUE`, `--name=VALUE`, `--flag`, `-v`; `--` ends the options; `-` is an argument. An option given
 * twice is set twice. Errors name the argument as it was written and, where one is near, what was meant.
 */
#ifndef LW_CLI_OPTION_H
#define LW_CLI_OPTION_H

#include "base/buf.h"
#include "base/err.h"

/* Takes a value (a flag: the empty one) into the options struct. False, with a message, if it is none.
 * `value` points into argv. */
typedef bool cli_setter(void *options, struct str value, struct err *err);

struct cli_option {
    const char *name;  /* without its hyphens */
    char letter;       /* the short form of a flag, or 0 */
    const char *value; /* what to call the value in the help, or NULL: a flag */
    const char *help;  /* one or more lines, no line end after the last */
    cli_setter *set;
};

struct cli_syntax {
    const struct cli_option *options;
    size_t option_count;
    cli_setter *argument; /* takes what is not an option; NULL: the command takes none */
};

/* Reads `argv[0..argc)` into `options`. False, with a message, at the first thing that is wrong. */
bool cli_parse(const struct cli_syntax *syntax, int argc, char **argv, void *options,
               struct err *err);

/* Whether --help or -h stands among the arguments, before any `--`. */
bool cli_wants_help(int argc, char **argv);

/* One line an option, aligned, with its help. */
void cli_print_options(const struct cli_syntax *syntax, struct buf *out);

/* Which of `names` the text is, letters compared without case, `-` and `_` like a blank. False, with the
 * choices and a guess, if none. `what` names the kind of thing in the message: "engine". */
bool cli_choose(struct str text, const char *what, const char *const *names, size_t count,
                size_t *chosen, struct err *err);

/* A whole number in [min, max], in decimal digits. */
bool cli_number(struct str text, const char *what, unsigned min, unsigned max, unsigned *number,
                struct err *err);

#endif
