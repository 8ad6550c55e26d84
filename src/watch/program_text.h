/* Recalled programs as text: the tables that they need, and what both files of it share. Internal to watch/. */
#ifndef LW_WATCH_PROGRAM_TEXT_H
#define LW_WATCH_PROGRAM_TEXT_H

#include "watch/own.h"

struct table_text {
    uint32_t table, key;
    VEC(uint32_t) columns;
    VEC(uint32_t) texts; /* of these, those that are no numbers */
    bool makes_keys;     /* some row is inserted without its key */
};

struct writing {
    struct watch *watch;
    struct arena *arena;
    struct buf *out;
    VEC(struct table_text) tables;
};

void put_name(const struct writing *w, uint32_t name);
struct table_text *table_of(struct writing *w, uint32_t table);
/* What is assigned to the column by the item's UPDATE; NULL: nothing. */
const struct sql_expr *set_expr(const struct watch *watch, const struct recalled_item *item, uint32_t column);

/* Whether all that it does can be told by one table for each of its statements. */
bool is_tellable(const struct recalled *recalled, struct watch *watch);
void need_columns(struct writing *w, const struct recalled *recalled);
void put_tables(struct writing *w);

#endif
