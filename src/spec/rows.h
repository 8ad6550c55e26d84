/* A result of the built-in engine as the texts that PostgreSQL sends: names of columns, cells. */
#ifndef LW_SPEC_ROWS_H
#define LW_SPEC_ROWS_H

#include "engine/engine.h"
#include "spec/server.h"

/* The rows of SELECT or RETURNING, in the arena; dates in the style "Postgres, MDY", as the tester sets it. False, with the
 * item's position, if the text of a value is not known. */
bool rows_to_table(struct arena *arena, const struct schema *schema, const struct text_pool *pool,
                   const struct sql_stmt *stmt, const struct db_result *result,
                   struct spec_table *table, struct err *err);

#endif
