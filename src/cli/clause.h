/* Clauses that the version of a server that was asked for doesn't know: it answers such a statement with a syntax error.
 */
#ifndef LW_CLI_CLAUSE_H
#define LW_CLI_CLAUSE_H

#include "engine/version.h"
#include "program/program.h"

/* The first statement of the program with such a clause: its place, and "mysql 5.6 has no SKIP LOCKED; ..." (of
 * `arena`). False if there is none, or no version was asked for. */
bool clause_find(struct arena *arena, const struct txn_program *program,
                 const struct db_config *config, struct txn_span *span, struct str *text);

/* The same of all programs, as an error. True if there is none. */
bool clause_check(const struct txn_program *const *programs, size_t count,
                  const struct db_config *config, struct err *err);

#endif
