/* Preloaded into MySQL 5.6, which looks once a second whether a statement that waits for a lock was killed
 * (lock_wait_timeout_thread): a wait of a second ends after a hundredth. Nothing else of the server's is changed. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <time.h>

enum { TICK_MS_MIN = 900, TICK_MS_MAX = 1000, SHORT_NS = 10000000, SECOND_NS = 1000000000 };

typedef int wait_fn(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *until);

int pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict until) {
    union {
        void *symbol;
        wait_fn *call;
    } next = {.symbol = dlsym(RTLD_NEXT, "pthread_cond_timedwait")};
    struct timespec now, soon;
    clock_gettime(CLOCK_REALTIME, &now);
    long wait_ms = (until->tv_sec - now.tv_sec) * 1000 + (until->tv_nsec - now.tv_nsec) / 1000000;
    if (wait_ms < TICK_MS_MIN || wait_ms > TICK_MS_MAX)
        return next.call(cond, mutex, until);
    soon = now;
    soon.tv_nsec += SHORT_NS;
    if (soon.tv_nsec >= SECOND_NS) {
        soon.tv_nsec -= SECOND_NS;
        soon.tv_sec++;
    }
    return next.call(cond, mutex, &soon);
}
