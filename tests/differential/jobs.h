/* Several processes beside one server, each with tables and sessions of its own: most of a trial is waiting for the
 * server to say who waits.
 */
#ifndef LW_TESTS_DIFFERENTIAL_JOBS_H
#define LW_TESTS_DIFFERENTIAL_JOBS_H

#include <stdbool.h>
#include <stddef.h>

enum { JOBS_MAX = 16 };

/* Zeroed, and the same in all jobs that are run after it; for the rest of the program. */
void *jobs_memory(size_t size);

/* Runs jobs 0 to `count` - 1; the largest of what they answer, 2 for one that did not come to its end. More than one: in
 * processes of their own, which end when this one does; SIGINT and SIGTERM are passed on. */
int jobs_run(unsigned count, int (*run)(void *context, unsigned job), void *context);

#endif
