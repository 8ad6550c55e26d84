#define _GNU_SOURCE /* sched_getaffinity */

#include "base/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

enum { THREADS_MAX = 64, STACK_BYTES = 64 << 20 /* of addresses: as the recursion of a main thread, and more */ };

struct share {
    parallel_work *work;
    void *context;
    size_t count;
    atomic_size_t next;
};

static void *run_share(void *context) {
    struct share *share = context;
    for (;;) {
        size_t item = atomic_fetch_add(&share->next, 1);
        if (item >= share->count)
            return NULL;
        share->work(share->context, item);
    }
}

void parallel_run(size_t thread_count, size_t count, parallel_work *work, void *context) {
    struct share share = {.work = work, .context = context, .count = count};
    pthread_t threads[THREADS_MAX];
    pthread_attr_t attributes;
    size_t wanted = thread_count < count ? thread_count : count, started = 0;
    if (wanted > 1 && pthread_attr_init(&attributes) == 0) {
        pthread_attr_setstacksize(&attributes, STACK_BYTES);
        while (started + 1 < wanted && started < THREADS_MAX &&
               pthread_create(&threads[started], &attributes, run_share, &share) == 0)
            started++;
        pthread_attr_destroy(&attributes);
    }
    run_share(&share);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}

size_t parallel_core_count(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
        return (size_t)CPU_COUNT(&set);
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (size_t)online : 1;
}
