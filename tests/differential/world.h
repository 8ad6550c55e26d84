/* A random schema: one to three tables of small integers. Every table has a primary key, `id`, maybe of two columns,
 * and a plain column `v`; it may have a unique key, an index, a reference to a table before it.
 *
 * No column leads two indexes, so that what a condition on one column is looked up by is never the planner's choice.
 */
#ifndef LW_TESTS_DIFFERENTIAL_WORLD_H
#define LW_TESTS_DIFFERENTIAL_WORLD_H

#include "engine/engine.h"
#include "random.h"

enum { WORLD_TABLES_MAX = 3, WORLD_COLUMNS_MAX = 7 };

enum role {
    ROLE_ID,
    ROLE_PART,   /* second column of the primary key */
    ROLE_UNIQUE, /* first column of a unique key */
    ROLE_WITH,   /* its second */
    ROLE_KEY,    /* first column of an index */
    ROLE_PARENT, /* refers to the table before */
    ROLE_VALUE,  /* in no key, or the second column of the index */
};

struct world_column {
    const char *name;
    enum role role;
    bool is_nullable;
};

struct world_table {
    const char *name;
    size_t column_count;
    struct world_column columns[WORLD_COLUMNS_MAX];
    int parent;              /* index of the table it refers to; -1: none */
    bool is_parent_indexed;  /* the reference has an index */
    bool is_key_with_value;  /* the index is over (k, v) */
    const char *on_delete;   /* "", " on delete cascade" */
};

struct world {
    struct arena arena;
    enum engine_kind engine;
    size_t table_count;
    struct world_table tables[WORLD_TABLES_MAX];
    VEC(struct str) ddl; /* statements */
};

/* Makes a world; owns memory until world_release. */
void world_make(struct world *world, enum engine_kind engine, struct rng *rng);
void world_release(struct world *world);

/* The column with that role, or NULL. */
const struct world_column *world_find(const struct world_table *table, enum role role);

#endif
