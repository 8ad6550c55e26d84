/* Giving a program its variables while it is built, and others once it is.
 */
#ifndef LW_PROGRAM_VARS_H
#define LW_PROGRAM_VARS_H

#include "program/program.h"

/* Another one; no variable has that name. */
uint16_t txn_new_var(struct arena *arena, struct txn_program *program, struct str name);
/* txn_copy with the statements, and variables yet to be renumbered, in an arena of their own. */
struct txn_program *txn_copy_apart(struct arena *arena, struct arena *statements,
                                   const struct txn_program *program);
/* Makes look-ups by name quick, until another variable is made without them. */
void txn_index_vars(struct arena *arena, struct txn_program *program);

/* Marks the variables that steps of an unchecked program use, among `is_used`, one a variable. */
void txn_find_uses(struct arena *arena, struct txn_program *program, bool *is_used);
/* Gives an unchecked program, no part of which stands in it twice, other variables, the first `param_count` of them its
 * parameters: `vars[number[i]]` for variable i. The number of one that nothing uses is not looked at. */
void txn_renumber(struct arena *arena, struct txn_program *program, const uint16_t *number,
                  const struct txn_var *vars, size_t var_count, size_t param_count);

#endif
