#include "base/vec.h"

#include "base/assert.h"

#include <string.h>

enum { CAPACITY_FIRST = 4 };

void *vec_grow(struct arena *arena, const void *items, size_t count, size_t *capacity,
               size_t byte_size) {
    LW_ASSERT(count <= *capacity);
    *capacity = *capacity > 0 ? *capacity * 2 : CAPACITY_FIRST;
    void *grown = arena_alloc_array(arena, *capacity, byte_size);
    if (count > 0)
        memcpy(grown, items, count * byte_size);
    return grown;
}

void *mvec_grow(void *items, size_t *capacity, size_t byte_size) {
    *capacity = *capacity > 0 ? *capacity * 2 : CAPACITY_FIRST;
    LW_ASSERT(*capacity < (size_t)-1 / byte_size);
    return mem_realloc(items, *capacity * byte_size);
}
