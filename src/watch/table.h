/* Tables, told apart by the database and schema that they are in, as far as a source tells: rows of tables that have the same name are
 * different rows. Internal to watch/.
 *
 * The number of a table is that of its name, as meanings have it, where it is in the first database and no schema is told; each other place has
 * numbers of its own. A source that never says where it is has the tables of the first.
 */
#ifndef LW_WATCH_TABLE_H
#define LW_WATCH_TABLE_H

#include "watch/meaning.h"

enum { SPACE_FIRST = 0 };

/* What is known of a table, by its number. */
struct table_state {
    uint32_t key_column;  /* NO_NAME: not known yet */
    bool is_key_sure;     /* the source said so, or it is called `id` */
    uint32_t space, name; /* where it is, what it is called; 0 where its number is that of its name */
    uint32_t met_in;      /* of a number that is a name: 1 + the place where it was first met; 0: nowhere */
    bool has_twins;       /* ... and it was met elsewhere, too */
};

struct tables {
    struct arena *arena;
    struct names *names;
    VEC(struct table_state) states; /* by number */
    struct names spaces;            /* places but the first */
    struct str first_database;      /* empty: none was told */
};

void tables_init(struct tables *tables, struct arena *arena, struct names *names);
/* The number of a place; either may be empty: not told, or what the database has without being asked (`public`). */
uint32_t tables_space(struct tables *tables, struct str database, struct str schema);
/* The number of the table of that name (a number, too) there. */
uint32_t tables_in(struct tables *tables, uint32_t space, uint32_t name);
struct table_state *tables_get(struct tables *tables, uint32_t table);
/* The number of its name alone. */
uint32_t tables_bare(const struct tables *tables, uint32_t table);
/* The column that is its key; NO_NAME: not known. */
uint32_t tables_key(struct tables *tables, uint32_t table);
/* "counter"; if more than one place has it, "shop.counter". Owned by `arena`. */
struct str tables_name(const struct tables *tables, struct arena *arena, uint32_t table);

#endif
