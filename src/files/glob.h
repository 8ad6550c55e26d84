/* Shell patterns on paths, as git's wildmatch has them: `?` and `[...]` stand for a byte that is no '/', `*` for any
 * number of those, `**` between slashes (or at an end) for any number of folders, `\` takes the next byte literally.
 */
#ifndef LW_FILES_GLOB_H
#define LW_FILES_GLOB_H

#include "base/str.h"

enum { GLOB_PATTERN_BYTES_MAX = 4096 };

/* Whether the whole of `text` is meant. A pattern that cannot be read (an open bracket) or is longer than
 * GLOB_PATTERN_BYTES_MAX means nothing. Takes at most pattern.len times the square of
 * text.len steps. */
bool glob_match(struct str pattern, struct str text);

/* How many bytes of the pattern stand for themselves, before the first that has a meaning. */
size_t glob_literal_len(struct str pattern);

#endif
