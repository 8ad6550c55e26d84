/* ioctl's TIOCGWINSZ is in no standard, but on every Unix. */
#define _DEFAULT_SOURCE
#include "cli/terminal.h"

#include "base/assert.h"
#include "cli/option.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool color_set(enum color_when *when, struct str value, struct err *err) {
    static const char *const names[] = {"auto", "always", "never"}; /* as enum color_when */
    size_t chosen;
    if (!cli_choose(value, "choice", names, LW_COUNT_OF(names), &chosen, err))
        return false;
    *when = (enum color_when)chosen;
    return true;
}

bool color_wanted(enum color_when when, FILE *stream) {
    if (when != COLOR_AUTO)
        return when == COLOR_ALWAYS;
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    if (no_color != NULL && no_color[0] != '\0')
        return false;
    if (term != NULL && strcmp(term, "dumb") == 0)
        return false;
    return isatty(fileno(stream)) == 1;
}

unsigned terminal_width(FILE *stream) {
    const char *columns = getenv("COLUMNS");
    struct winsize size;
    unsigned number;
    if (columns != NULL && cli_number(str_from_c(columns), "COLUMNS", 1, 10000, &number, NULL))
        return number;
    if (isatty(fileno(stream)) == 1 && ioctl(fileno(stream), TIOCGWINSZ, &size) == 0)
        return size.ws_col;
    return 0;
}
