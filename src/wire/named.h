/* What a connection names and uses again: prepared statements, portals. A hash table that owns its entries and stays below a
 * number of bytes: the oldest go first. Lookup by name, in constant time. */
#ifndef LW_WIRE_NAMED_H
#define LW_WIRE_NAMED_H

#include "base/str.h"

enum { NAMED_BUCKETS = 256, NAMED_COUNT_MAX = 65536 };

/* First in each entry. */
struct named {
    struct named *next; /* of its bucket */
    struct named *older, *newer;
    char *name; /* owned */
    size_t name_len;
    uint64_t hash;
    size_t byte_size;
};

struct named_table {
    struct named **buckets; /* NULL: none yet */
    struct named *oldest, *newest;
    size_t count, byte_size, bytes_max;
    uint64_t forgotten; /* entries dropped for want of room */
    void (*release)(struct named *entry); /* frees what is in it, and itself */
};

struct named *named_get(const struct named_table *table, struct str name);

/* Puts the entry under a copy of `name`, in place of one that is there; `byte_size` is what it holds beside the name. */
void named_put(struct named_table *table, struct str name, struct named *entry, size_t byte_size);

/* The entry has grown by so many bytes. May let older ones go, never this one. */
void named_grow(struct named_table *table, struct named *entry, size_t more_bytes);

/* Of the entry: it is gone afterwards. */
void named_remove(struct named_table *table, struct named *entry);
void named_clear(struct named_table *table);

/* Clears, and frees the table itself. */
void named_release(struct named_table *table);

#endif
