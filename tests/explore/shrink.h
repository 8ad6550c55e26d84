/* Makes a .txn text that shows something smaller, line by line, as long as it still shows it. For texts with one
 * step a line, blocks opened by a line that ends in `{` and closed by one that begins with `}`.
 */
#ifndef LW_TESTS_EXPLORE_SHRINK_H
#define LW_TESTS_EXPLORE_SHRINK_H

#include "base/buf.h"

/* `shows` is asked of ever smaller texts, most of which are no .txn file any more: of those it must say false. */
void shrink(struct buf *text, bool (*shows)(void *context, struct str text), void *context);

#endif
