/* Work on several cores at once.
 */
#ifndef LW_BASE_PARALLEL_H
#define LW_BASE_PARALLEL_H

#include <stddef.h>

/* One item of work. Items run at the same time, in any order: what they write must be their own. */
typedef void parallel_work(void *context, size_t item);

/* Runs `work` for each item below `count`, on up to `thread_count` threads, the caller's among them; where a thread
 * cannot be had, on fewer. Lower items begin first. Returns when all are done. */
void parallel_run(size_t thread_count, size_t count, parallel_work *work, void *context);

/* How many cores this process may use; 1 if it cannot be told. */
size_t parallel_core_count(void);

#endif
