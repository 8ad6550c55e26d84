#include "base/vec.h"

#include "base/assert.h"

#include <string.h>

enum { CAPACITY_FIRST = 4 };

size_t vec_capacity(size_t capacity) {
    LW_ASSERT(capacity <= UINT32_MAX / 2);
    return capacity > 0 ? capacity * 2 : CAPACITY_FIRST;
}

void *vec_grow(struct arena *arena, const void *items, size_t count, size_t capacity,
               size_t byte_size) {
    LW_ASSERT(count < capacity);
    void *grown = arena_alloc_array(arena, capacity, byte_size);
    if (count > 0)
        memcpy(grown, items, count * byte_size);
    return grown;
}
