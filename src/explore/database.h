/* What a world asks of its database: the built-in engine, or a real server with the engine as its shadow (see
 * live/server.h). This folder calls these, and of engine.h only what is about versions.
 */
#ifndef LW_EXPLORE_DATABASE_H
#define LW_EXPLORE_DATABASE_H

#include "explore/world.h"

/* As db_exec, db_resume, db_timeout, db_in_transaction. */
void database_exec(struct world *world, size_t session, const struct sql_stmt *stmt,
                   const struct db_bind *binds, struct db_result *result);
int database_resume(struct world *world, struct db_result *result);
void database_timeout(struct world *world, size_t session, struct db_result *result);
bool database_in_transaction(const struct world *world, size_t session);

/* Whether results come with row versions: always on the built-in engine, on a server until it differs. */
bool database_has_versions(const struct world *world);

/* On a server: takes the rows of all tables into the world, which from then on needs the server no more. To be called
 * when a run has ended, before another begins; nothing on the built-in engine. */
void database_end(struct world *world);
/* As db_visit_rows; on a server after database_end. */
void database_visit_rows(const struct world *world, uint16_t table,
                         void (*visit)(void *context, const struct value *row), void *context);

#endif
