/* Open addressing with linear probing over an index table that is kept at most half full. */
#include "base/map.h"

#include "base/assert.h"
#include "base/vec.h"

void map_init(struct map *map, struct arena *arena) {
    *map = (struct map){.arena = arena};
}

/* The slot that holds `key`, or the free one where it would go. */
static uint32_t *map_slot(const struct map *map, struct str key, uint64_t hash) {
    LW_ASSERT(map->slot_count > map->count);
    for (size_t i = hash & (map->slot_count - 1);; i = (i + 1) & (map->slot_count - 1)) {
        uint32_t index = map->slots[i];
        if (index == 0)
            return &map->slots[i];
        const struct map_entry *entry = &map->entries[index - 1];
        if (entry->hash == hash && str_equal(entry->key, key))
            return &map->slots[i];
    }
}

static const struct map_entry *map_find(const struct map *map, struct str key) {
    if (map->count == 0)
        return NULL;
    uint32_t index = *map_slot(map, key, str_hash(key));
    return index > 0 ? &map->entries[index - 1] : NULL;
}

void *map_get(const struct map *map, struct str key) {
    const struct map_entry *entry = map_find(map, key);
    return entry != NULL ? entry->value : NULL;
}

bool map_has(const struct map *map, struct str key) {
    return map_find(map, key) != NULL;
}

static void map_rehash(struct map *map) {
    map->slot_count = map->slot_count > 0 ? map->slot_count * 2 : 16;
    map->slots = ARENA_ARRAY(map->arena, uint32_t, map->slot_count);
    for (size_t i = 0; i < map->count; i++)
        *map_slot(map, map->entries[i].key, map->entries[i].hash) = (uint32_t)i + 1;
}

void map_put(struct map *map, struct str key, void *value) {
    if ((map->count + 1) * 2 > map->slot_count)
        map_rehash(map);
    uint64_t hash = str_hash(key);
    uint32_t *slot = map_slot(map, key, hash);
    if (*slot > 0) {
        map->entries[*slot - 1].value = value;
        return;
    }
    if (map->count == map->capacity) {
        map->capacity = vec_capacity(map->capacity);
        map->entries = vec_grow(map->arena, map->entries, map->count, map->capacity,
                                sizeof(*map->entries));
    }
    map->entries[map->count++] = (struct map_entry){key, value, hash};
    *slot = (uint32_t)map->count;
}
