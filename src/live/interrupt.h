/* Whether a signal asked for the end: looked at wherever this folder waits. */
#ifndef LW_LIVE_INTERRUPT_H
#define LW_LIVE_INTERRUPT_H

#include <stdbool.h>

bool live_was_interrupted(void);

#endif
