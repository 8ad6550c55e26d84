/* The search where a world cannot be copied on its way: on a real server. Each schedule is run from its start, in the order
 * of search.h without reduction. Shared by this folder's files only.
 */
#ifndef LW_EXPLORE_RERUN_H
#define LW_EXPLORE_RERUN_H

#include "explore/search.h"

/* As search_run. LIMIT also when the server did not repeat itself: the same steps, and other sessions could go on. Stops
 * when the server is lost. */
enum search_result search_rerun(struct search *search, const struct world *start);

#endif
