/* Chunks double in size up to CHUNK_BYTES_MAX, so that small arenas stay small and large ones take
 * few system calls. */
#include "base/arena.h"

#include "base/assert.h"

#include <malloc.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES_MIN = 4096, CHUNK_BYTES_MAX = 1 << 20 };

struct arena_chunk {
    struct arena_chunk *older;
    size_t byte_size; /* of `data` */
    alignas(max_align_t) char data[];
};

static _Noreturn void out_of_memory(size_t byte_size) {
    fprintf(stderr, "lostwrite: out of memory (wanted %zu bytes)\n", byte_size);
    exit(2);
}

void mem_keep_freed(void) {
#ifdef M_TRIM_THRESHOLD
    enum { KEPT_BYTES = 1 << 30 };
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
    mallopt(M_MMAP_THRESHOLD, 32 * CHUNK_BYTES_MAX); /* as high as it goes */
#endif
}

void *mem_alloc(size_t byte_size) {
    void *block = calloc(1, byte_size > 0 ? byte_size : 1);
    if (block == NULL)
        out_of_memory(byte_size);
    return block;
}

void *mem_realloc(void *block, size_t byte_size) {
    void *grown = realloc(block, byte_size > 0 ? byte_size : 1);
    if (grown == NULL)
        out_of_memory(byte_size);
    return grown;
}

void arena_init(struct arena *arena) {
    memset(arena, 0, sizeof(*arena));
}

void arena_release(struct arena *arena) {
    struct arena_chunk *chunk = arena->chunk;
    while (chunk != NULL) {
        struct arena_chunk *older = chunk->older;
        free(chunk);
        chunk = older;
    }
    arena_init(arena);
}

void arena_take(struct arena *arena, struct arena *from) {
    struct arena_chunk *oldest = from->chunk;
    if (oldest == NULL)
        return;
    if (arena->chunk == NULL) {
        *arena = *from;
    } else {
        while (oldest->older != NULL)
            oldest = oldest->older;
        oldest->older = arena->chunk->older;
        arena->chunk->older = from->chunk;
        arena->byte_count += from->byte_count;
    }
    arena_init(from);
}

void arena_reset(struct arena *arena) {
    struct arena_chunk *keep = arena->chunk;
    if (keep == NULL)
        return;
    for (struct arena_chunk *chunk = keep->older; chunk != NULL;) {
        struct arena_chunk *older = chunk->older;
        if (chunk->byte_size > keep->byte_size) {
            free(keep);
            keep = chunk;
        } else {
            free(chunk);
        }
        chunk = older;
    }
    keep->older = NULL;
    arena->chunk = keep;
    arena->next = keep->data;
    arena->end = keep->data + keep->byte_size;
    arena->byte_count = keep->byte_size;
}

static void arena_grow(struct arena *arena, size_t byte_size) {
    size_t want = arena->chunk != NULL ? arena->chunk->byte_size * 2 : CHUNK_BYTES_MIN;
    if (want > CHUNK_BYTES_MAX)
        want = CHUNK_BYTES_MAX;
    if (want < byte_size)
        want = byte_size;
    struct arena_chunk *chunk = malloc(sizeof(*chunk) + want);
    if (chunk == NULL)
        out_of_memory(want);
    chunk->older = arena->chunk;
    chunk->byte_size = want;
    arena->chunk = chunk;
    arena->next = chunk->data;
    arena->end = chunk->data + want;
    arena->byte_count += want;
}

void *arena_alloc(struct arena *arena, size_t byte_size) {
    size_t align = alignof(max_align_t);
    if (byte_size > SIZE_MAX / 2)
        out_of_memory(byte_size);
    byte_size = (byte_size + align - 1) & ~(align - 1);
    if (arena->next == NULL || (size_t)(arena->end - arena->next) < byte_size)
        arena_grow(arena, byte_size);
    void *block = arena->next;
    arena->next += byte_size;
    LW_ASSERT(arena->next <= arena->end);
    memset(block, 0, byte_size);
    return block;
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t byte_size) {
    if (byte_size != 0 && count > SIZE_MAX / byte_size)
        out_of_memory(SIZE_MAX);
    return arena_alloc(arena, count * byte_size);
}

void *arena_copy(struct arena *arena, const void *src, size_t byte_size) {
    void *block = arena_alloc(arena, byte_size);
    if (byte_size > 0)
        memcpy(block, src, byte_size);
    return block;
}
