#include "wire/named.h"

#include "base/arena.h"
#include "base/assert.h"

#include <stdlib.h>

static struct named **named_bucket(const struct named_table *table, uint64_t hash) {
    return &table->buckets[hash % NAMED_BUCKETS];
}

struct named *named_get(const struct named_table *table, struct str name) {
    if (table->count == 0)
        return NULL;
    uint64_t hash = str_hash(name);
    for (struct named *at = *named_bucket(table, hash); at != NULL; at = at->next)
        if (at->hash == hash && str_equal((struct str){at->name, at->name_len}, name))
            return at;
    return NULL;
}

void named_remove(struct named_table *table, struct named *entry) {
    struct named **at = named_bucket(table, entry->hash);
    while (*at != entry) {
        LW_ASSERT(*at != NULL);
        at = &(*at)->next;
    }
    *at = entry->next;
    *(entry->older != NULL ? &entry->older->newer : &table->oldest) = entry->newer;
    *(entry->newer != NULL ? &entry->newer->older : &table->newest) = entry->older;
    table->count--;
    table->byte_size -= entry->byte_size;
    free(entry->name);
    table->release(entry);
}

static void named_make_room(struct named_table *table, const struct named *kept) {
    while ((table->byte_size > table->bytes_max || table->count > NAMED_COUNT_MAX) &&
           table->oldest != kept) {
        named_remove(table, table->oldest);
        table->forgotten++;
    }
}

void named_put(struct named_table *table, struct str name, struct named *entry, size_t byte_size) {
    struct named *old = named_get(table, name);
    if (old != NULL)
        named_remove(table, old);
    if (table->buckets == NULL) {
        table->buckets = mem_alloc(NAMED_BUCKETS * sizeof(struct named *));
        memset(table->buckets, 0, NAMED_BUCKETS * sizeof(struct named *));
    }
    entry->name = mem_alloc(name.len + 1);
    if (name.len > 0)
        memcpy(entry->name, name.ptr, name.len);
    entry->name_len = name.len;
    entry->hash = str_hash(name);
    entry->byte_size = sizeof(*entry) + name.len + byte_size;
    entry->older = table->newest;
    entry->newer = NULL;
    *(table->newest != NULL ? &table->newest->newer : &table->oldest) = entry;
    table->newest = entry;
    struct named **bucket = named_bucket(table, entry->hash);
    entry->next = *bucket;
    *bucket = entry;
    table->count++;
    table->byte_size += entry->byte_size;
    named_make_room(table, entry);
}

void named_grow(struct named_table *table, struct named *entry, size_t more_bytes) {
    entry->byte_size += more_bytes;
    table->byte_size += more_bytes;
    named_make_room(table, entry);
}

void named_clear(struct named_table *table) {
    while (table->newest != NULL)
        named_remove(table, table->newest);
}

void named_release(struct named_table *table) {
    named_clear(table);
    free(table->buckets);
    table->buckets = NULL;
}
