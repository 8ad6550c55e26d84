/* The built-in engine's errors in PostgreSQL's words. */
#ifndef LW_SPEC_MESSAGE_H
#define LW_SPEC_MESSAGE_H

#include "engine/engine.h"

/* The primary message, in the arena. False if no wording is known, or the engine says that it does not model
 * what it was asked, in `err` with the statement's position. */
bool message_of(struct arena *arena, const struct schema *schema, const struct sql_stmt *stmt,
                const struct db_result *result, struct str *message, struct err *err);

#endif
