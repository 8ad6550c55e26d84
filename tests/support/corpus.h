/* A corpus of .txn files with what is expected of each: in the file itself, as comments behind a line `-- expected`, or
 * in a file apart, for those that people read. LOSTWRITE_UPDATE=1 writes anew what is expected; look at the
 * difference before you believe it.
 */
#ifndef LW_TESTS_SUPPORT_CORPUS_H
#define LW_TESTS_SUPPORT_CORPUS_H

#include "scenario.h"

/* Says what is to be seen of a scenario, in lines. */
typedef void corpus_describe(struct scenario *scenario, struct buf *out);

/* Holds each .txn file of `folder` against what it expects. `apart`: the folder of the NAME.expected; NULL: they are in
 * the files. The test fails if one differs, or if there are fewer than `count_min`. */
void corpus_check(const char *folder, const char *apart, size_t count_min,
                  corpus_describe *describe);

#endif
