/* "Did you mean ...?": the nearest of some names to a mistyped one. */
#ifndef LW_CLI_SUGGEST_H
#define LW_CLI_SUGGEST_H

#include "base/str.h"

/* The name that is fewest typing errors away (letters changed, left out, added, or two swapped; case does
 * not count), if that is at most a third of its length; else NULL. Of two as near, the first. */
const char *suggest(struct str word, const char *const *names, size_t count);

#endif
