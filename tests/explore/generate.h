/* Random small .txn files: two or three sessions, up to five statements each, of everything that the notation has.
 * Equal seeds give equal texts. One step a line, so that a text can be made smaller line by line (shrink.h).
 */
#ifndef LW_TESTS_EXPLORE_GENERATE_H
#define LW_TESTS_EXPLORE_GENERATE_H

#include "base/buf.h"

#include <stdint.h>

/* Appends a .txn file to `out`. Now and then it is none that can be read (a variable of two kinds): then the caller takes
 * another seed. */
void generate(uint64_t seed, struct buf *out);

#endif
