/* What a long run is at, on standard error if that is a terminal: one line, first after a second, and gone in the end.
 */
#ifndef LW_CLI_PROGRESS_H
#define LW_CLI_PROGRESS_H

#include "base/str.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct progress {
    pthread_mutex_t mutex; /* any thread may tell */
    uint64_t began_ms, shown_ms; /* when it was shown last; 0: never */
    bool is_terminal;
};

/* A run begins. */
void progress_begin(struct progress *progress);
/* Shows a line, if one is due. */
void progress_show(struct progress *progress, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Nothing of it is left to see. May be called without a run. */
void progress_end(struct progress *progress);

#endif
