#include "live/live.h"

#include "live/interrupt.h"

#include <signal.h>

static volatile sig_atomic_t is_interrupted;

void live_interrupt(void) {
    is_interrupted = 1;
}

bool live_was_interrupted(void) {
    return is_interrupted != 0;
}
