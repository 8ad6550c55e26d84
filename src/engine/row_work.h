/* Rows that a statement of InnoDB's is about to write index by index, where it may have to wait (innodb_write.c). */
#ifndef LW_ENGINE_ROW_WORK_H
#define LW_ENGINE_ROW_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A row that was written, and goes into its table's keys one by one; after it stands the child that an action of a foreign
 * key wrote when that was its turn, and so on (InnoDB). */
struct row_work {
    uint32_t version;
    uint32_t keys_done; /* the first key that it is not in yet */
    bool is_marked;     /* the entry it had there is marked as deleted already */
    uint32_t child;     /* the last child dealt with in that key, of the foreign key at work: a version; 0: none */
    uint16_t action;    /* of the foreign keys that refer to that key, the one at work */
    uint16_t acting_table, acting_key; /* that foreign key: whose, and which of its own */
};

struct row_works {
    struct row_work *items;
    size_t count, capacity;
};

#endif
