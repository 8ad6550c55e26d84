/* Programs recalled from traffic: each way in which a session read a row and then wrote it, with its values made general. What
 * was always written back as it was read is a column of the row; what was always one more is computed from it; the rest came from outside. They
 * are what the search is given, as text (docs/notation.md). Internal to watch/.
 */
#ifndef LW_WATCH_RECALL_H
#define LW_WATCH_RECALL_H

#include "watch/book.h"

struct recalled_column {
    uint32_t column;
    uint64_t same_count;  /* written as it was read */
    uint64_t known_count; /* what was read is known */
    uint64_t step_count;  /* written `step` more than was read */
    int64_t step, last_base;
    bool has_bases; /* it was computed from more than one old value */
    bool is_text;   /* not always a whole number */
};

struct recalled {
    const struct meaning *read, *write; /* `read` NULL: the row was not read before */
    bool is_atomic, is_locked;          /* in one transaction; with a lock since the read */
    struct str read_tag, write_tag;
    uint64_t count;
    struct recalled_column *columns, *guards; /* as the write's */
    size_t column_count, guard_count;
};

struct recall {
    struct arena *arena;
    const struct names *names;
    struct map by_key; /* struct recalled */
    uint64_t left_out_count;
};

enum { RECALLED_MAX = 2000 };

void recall_init(struct recall *recall, struct arena *arena, const struct names *names);
/* An UPDATE of one row, committed. */
void recall_add(struct recall *recall, const struct row_write *write);

#endif
