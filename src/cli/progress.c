#include "cli/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_MS = 1000, NEXT_MS = 200 };

static uint64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void progress_begin(struct progress *progress) {
    *progress = (struct progress){.began_ms = now_ms(), .is_terminal = isatty(fileno(stderr)) == 1};
    pthread_mutex_init(&progress->mutex, NULL);
}

void progress_show(struct progress *progress, const char *format, ...) {
    va_list arguments;
    if (!progress->is_terminal)
        return;
    pthread_mutex_lock(&progress->mutex);
    uint64_t now = now_ms();
    bool is_due = now >= (progress->shown_ms > 0 ? progress->shown_ms + NEXT_MS
                                                 : progress->began_ms + FIRST_MS);
    if (is_due) {
        progress->shown_ms = now;
        fputs("\r\033[K", stderr);
        va_start(arguments, format);
        vfprintf(stderr, format, arguments);
        va_end(arguments);
        fflush(stderr);
    }
    pthread_mutex_unlock(&progress->mutex);
}

void progress_end(struct progress *progress) {
    if (progress->shown_ms > 0)
        fputs("\r\033[K", stderr);
    progress->shown_ms = 0;
}
