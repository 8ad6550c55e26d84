/* What is known of the terminal that output goes to. */
#ifndef LW_CLI_TERMINAL_H
#define LW_CLI_TERMINAL_H

#include "base/err.h"

#include <stdio.h>

enum color_when { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

/* Setter for the value of --color. */
bool color_set(enum color_when *when, struct str value, struct err *err);

/* Whether to colour what goes to `stream`: AUTO colours a terminal, unless NO_COLOR is set to something or
 * TERM is "dumb". */
bool color_wanted(enum color_when when, FILE *stream);

/* The columns of `stream`: those of COLUMNS if that is a number, else the terminal's; 0: not known. */
unsigned terminal_width(FILE *stream);

#endif
