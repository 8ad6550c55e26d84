/* A spec on the built-in engine, as PostgreSQL. */
#ifndef LW_SPEC_BUILTIN_H
#define LW_SPEC_BUILTIN_H

#include "engine/engine.h"
#include "spec/server.h"

struct builtin;

/* The server for a spec of up to DB_SESSIONS_MAX sessions, which must live as long. Sessions begin at `isolation`, as
 * with default_transaction_isolation. Free with builtin_free. */
struct builtin *builtin_new(const struct spec *spec, enum sql_isolation isolation);
void builtin_free(struct builtin *builtin);

/* What spec_run takes; of the same life. */
struct spec_server *builtin_server(struct builtin *builtin);

#endif
