#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void lw_assert_fail(const char *condition, const char *file, int line) {
    fprintf(stderr, "lostwrite: internal error at %s:%d: %s\n", file, line, condition);
    abort();
}
