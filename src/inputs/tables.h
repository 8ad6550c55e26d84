/* Which tables programs touch, and the schema of a run: cut down to those tables and what their rows need. A project has
 * hundreds of tables, a run a handful; what is no part of it costs nothing there.
 */
#ifndef LW_INPUTS_TABLES_H
#define LW_INPUTS_TABLES_H

#include "engine/engine.h"
#include "program/program.h"

/* A set of tables of one schema, as bits. */
struct table_set {
    uint64_t *words;
    size_t word_count;
};

struct table_set table_set_new(struct arena *arena, const struct schema *schema);
bool table_set_has(const struct table_set *set, size_t table);
void table_set_add(struct table_set *set, size_t table);
/* Whether a table is in both; they are of one schema. */
bool table_set_meets(const struct table_set *a, const struct table_set *b);
bool table_set_is_empty(const struct table_set *set);

/* The tables that a checked program reads and writes. */
void program_tables(struct arena *arena, const struct schema *schema,
                    const struct txn_program *program, struct table_set *reads,
                    struct table_set *writes);

/* Programs in a schema of their own: equal to those given but for the numbers of tables. */
struct cut {
    const struct schema *schema;
    const struct txn_program *programs[DB_SESSIONS_MAX];
};

/* Cuts the schema to the tables that the programs name and, again and again, the parents that their rows need. A parent
 * that no program names is reached by NOT NULL keys only, and loses its other keys: its rows hold NULL there. A program
 * that is given twice is copied once; those given must outlive the copies, which share much with them. False if more tables are left than a run can have, TABLES_RUN_MAX. */
bool cut_make(struct arena *arena, const struct schema *schema,
              const struct txn_program *const *programs, size_t count, struct cut *cut);

enum { TABLES_RUN_MAX = 62 }; /* footprints and inputs tell that many apart */

#endif
