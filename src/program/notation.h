/* The .txn notation: transaction programs as text, for people (docs/notation.md). What txn_print
 * writes, txn_parse reads back to an equal scenario.
 */
#ifndef LW_PROGRAM_NOTATION_H
#define LW_PROGRAM_NOTATION_H

#include "program/program.h"

/* Reads and checks a whole .txn file. SQL in it is read in `dialect`. All memory is of `arena`,
 * slices of `text` are kept. False, with path and position, at the first error. */
bool txn_parse(struct arena *arena, struct text_pool *pool, struct str path, struct str text,
               enum sql_dialect dialect, struct txn_scenario **scenario, struct err *err);

/* Writes the scenario as a .txn file. */
void txn_print(const struct txn_scenario *scenario, const struct text_pool *pool,
               enum sql_dialect dialect, struct buf *out);
/* One program alone. */
void txn_print_program(const struct txn_program *program, const struct text_pool *pool,
                       enum sql_dialect dialect, struct buf *out);
void txn_print_expr(const struct txn_program *program, const struct txn_expr *expr,
                    const struct text_pool *pool, struct buf *out);

/* Equality of scenarios, spans aside. */
bool txn_equal(const struct txn_scenario *a, const struct txn_scenario *b,
               const struct text_pool *pool);

#endif
