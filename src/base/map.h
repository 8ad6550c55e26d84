/* A hash map from byte strings to pointers, in an arena. Keys are not copied: they must live as long as
 * the map. Iteration is in order of insertion, so output never hangs on hash values.
 */
#ifndef LW_BASE_MAP_H
#define LW_BASE_MAP_H

#include "base/arena.h"
#include "base/str.h"

struct map_entry {
    struct str key;
    void *value;
    uint64_t hash;
};

struct map {
    struct arena *arena;
    struct map_entry *entries; /* in order of insertion */
    size_t count, capacity;
    uint32_t *slots; /* index + 1 into entries, 0: free */
    size_t slot_count;
};

/* An empty map whose memory comes from `arena`. */
void map_init(struct map *map, struct arena *arena);

/* The value under `key`, or NULL. */
void *map_get(const struct map *map, struct str key);
bool map_has(const struct map *map, struct str key);

/* Puts `value` under `key`, in place of what was there. */
void map_put(struct map *map, struct str key, void *value);

#endif
