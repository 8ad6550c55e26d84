#define _GNU_SOURCE
#include "jobs.h"

#include "base/assert.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t jobs[JOBS_MAX];

void *jobs_memory(size_t size) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    LW_ASSERT(memory != MAP_FAILED);
    return memory;
}

static void pass_on(int number) {
    for (size_t i = 0; i < JOBS_MAX; i++)
        if (jobs[i] > 0)
            kill(jobs[i], number);
}

static _Noreturn void run_child(pid_t parent, int (*run)(void *context, unsigned job), void *context,
                                unsigned job) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    int answer = getppid() == parent ? run(context, job) : 2;
    fflush(stdout);
    _exit(answer);
}

int jobs_run(unsigned count, int (*run)(void *context, unsigned job), void *context) {
    LW_ASSERT(count >= 1 && count <= JOBS_MAX);
    int worst = 0;
    pid_t parent = getpid();
    if (count == 1)
        return run(context, 0);
    fflush(stdout);
    for (unsigned i = 0; i < count; i++) {
        pid_t child = fork();
        if (child == 0)
            run_child(parent, run, context, i);
        if (child < 0)
            worst = 2;
        jobs[i] = child;
    }
    signal(SIGINT, pass_on);
    signal(SIGTERM, pass_on);
    for (unsigned i = 0; i < count; i++) {
        int status;
        pid_t ended;
        while ((ended = waitpid(jobs[i], &status, 0)) < 0 && errno == EINTR)
            ;
        if (ended < 0)
            continue;
        jobs[i] = 0;
        int answer = WIFEXITED(status) ? WEXITSTATUS(status) : 2;
        worst = answer > worst ? answer : worst;
    }
    return worst;
}
