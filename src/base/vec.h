/* A growing array in an arena, as three fields and two macros:
 *
 *     struct { struct stmt **items; uint32_t count, capacity; } body = {0};
 *     VEC_PUSH(arena, &body, stmt);
 *
 * Growth leaves the old copy to the arena: at most as much again as the final array. Memory with an
 * owner of its own (a state that is copied and freed) uses MVEC_PUSH, which reallocates.
 */
#ifndef LW_BASE_VEC_H
#define LW_BASE_VEC_H

#include "base/arena.h"

#include <stddef.h>
#include <stdint.h>

#define VEC(type)                                                                                  \
    struct {                                                                                       \
        type *items;                                                                               \
        uint32_t count, capacity;                                                                  \
    }

/* Appends `item` to `*vec`, growing it in `arena`. */
#define VEC_PUSH(arena, vec, ...)                                                                  \
    do {                                                                                           \
        if ((vec)->count == (vec)->capacity) {                                                     \
            (vec)->capacity = vec_capacity((vec)->capacity);                                       \
            (vec)->items = vec_grow((arena), (vec)->items, (vec)->count, (vec)->capacity,          \
                                    sizeof(*(vec)->items));                                        \
        }                                                                                          \
        (vec)->items[(vec)->count++] = (__VA_ARGS__);                                              \
    } while (0)

/* Appends `item` to `*vec`, growing it with realloc; the owner frees `items`. */
#define MVEC_PUSH(vec, ...)                                                                        \
    do {                                                                                           \
        if ((vec)->count == (vec)->capacity) {                                                     \
            (vec)->capacity = vec_capacity((vec)->capacity);                                       \
            (vec)->items = mem_realloc((vec)->items, (vec)->capacity * sizeof(*(vec)->items));     \
        }                                                                                          \
        (vec)->items[(vec)->count++] = (__VA_ARGS__);                                              \
    } while (0)

/* Used by the macros: the next larger capacity; a copy of `items` that has it. */
size_t vec_capacity(size_t capacity);
void *vec_grow(struct arena *arena, const void *items, size_t count, size_t capacity,
               size_t byte_size);

#endif
