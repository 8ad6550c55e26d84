#include "explore/database.h"

#include "base/assert.h"
#include "live/server.h"

/* Makes the world's run the server's, if it has not begun yet. */
static struct server *on_server(struct world *world) {
    if (world->server_run == 0)
        world->server_run = server_restart(world->server);
    LW_ASSERT(world->server_run == server_run(world->server) && !world->has_ended);
    return world->server;
}

void database_exec(struct world *world, size_t session, const struct sql_stmt *stmt,
                   const struct db_bind *binds, struct db_result *result) {
    if (world->server == NULL)
        db_exec(world->db, session, stmt, binds, result);
    else
        server_exec(on_server(world), world->db, session, stmt, binds, result);
}

int database_resume(struct world *world, struct db_result *result) {
    if (world->server == NULL)
        return db_resume(world->db, result);
    return server_resume(on_server(world), world->db, result);
}

void database_timeout(struct world *world, size_t session, struct db_result *result) {
    if (world->server == NULL)
        db_timeout(world->db, session, result);
    else
        server_timeout(on_server(world), world->db, session, result);
}

bool database_in_transaction(const struct world *world, size_t session) {
    if (world->server == NULL || world->server_run == 0)
        return db_in_transaction(world->db, session);
    return server_in_transaction(world->server, world->db, session);
}

bool database_has_versions(const struct world *world) {
    return world->server == NULL || server_differs(world->server) == NULL;
}

void database_end(struct world *world) {
    if (world->server == NULL || world->has_ended)
        return;
    struct server *server = on_server(world);
    world->end_values.count = world->end_rows.count = 0;
    for (size_t i = 0; i < world->schema->tables.count; i++) {
        const struct value *values;
        size_t rows = server_rows(server, world->db, (uint16_t)i, &values);
        size_t count = rows * world->schema->tables.items[i]->columns.count;
        for (size_t k = 0; k < count; k++)
            MVEC_PUSH(&world->end_values, values[k]);
        MVEC_PUSH(&world->end_rows, (uint32_t)rows);
    }
    world->has_ended = true;
    world->has_differed = server_differs(server) != NULL;
    world->has_raced = server_raced(server);
}

void database_visit_rows(const struct world *world, uint16_t table,
                         void (*visit)(void *context, const struct value *row), void *context) {
    if (world->server == NULL) {
        db_visit_rows(world->db, table, visit, context);
        return;
    }
    LW_ASSERT(world->has_ended && table < world->end_rows.count);
    size_t at = 0;
    for (size_t i = 0; i < table; i++)
        at += world->end_rows.items[i] * world->schema->tables.items[i]->columns.count;
    size_t columns = world->schema->tables.items[table]->columns.count;
    for (size_t row = 0; row < world->end_rows.items[table]; row++)
        visit(context, &world->end_values.items[at + row * columns]);
}
