/* A bump allocator. Everything with one lifetime goes into one arena and is freed at once: a `run`
 * arena lives for one analysis, a `scratch` arena for one function or search (STYLE, "Memory").
 * Memory is zeroed and aligned for any object. Running out of memory ends the program with a message:
 * there is nothing a caller could do about it.
 */
#ifndef LW_BASE_ARENA_H
#define LW_BASE_ARENA_H

#include <stddef.h>

struct arena_chunk;

struct arena {
    struct arena_chunk *chunk; /* newest first */
    char *next;
    char *end;
    size_t byte_count; /* reserved from the system, in bytes */
};

/* An empty arena; `{0}` is one too. Nothing is reserved before the first allocation. */
void arena_init(struct arena *arena);

/* Frees every chunk; the arena is empty and usable again. */
void arena_release(struct arena *arena);

/* Moves what `from` holds to `arena`, where it lives on; `from` is empty then. */
void arena_take(struct arena *arena, struct arena *from);

/* Forgets every allocation but keeps the largest chunk for the next ones. */
void arena_reset(struct arena *arena);

/* `byte_size` zeroed bytes, owned by the arena. Never NULL, also for 0 bytes. */
void *arena_alloc(struct arena *arena, size_t byte_size);

/* `count` zeroed elements of `byte_size`; the product is checked for overflow. */
void *arena_alloc_array(struct arena *arena, size_t count, size_t byte_size);

/* A copy of `byte_size` bytes at `src`, owned by the arena. */
void *arena_copy(struct arena *arena, const void *src, size_t byte_size);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_alloc_array((arena), (count), sizeof(type)))

/* Has memory that is freed used again and not given back to the system before the program ends: what is read, made and
 * let go a thousand times would otherwise be handed to and fro. */
void mem_keep_freed(void);

/* malloc and realloc that end the program when there is no memory; for memory with an owner of its own. */
void *mem_alloc(size_t byte_size);
void *mem_realloc(void *block, size_t byte_size);

#endif
