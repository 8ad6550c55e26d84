/* A spec on a real PostgreSQL server. */
#ifndef LW_SPEC_REAL_H
#define LW_SPEC_REAL_H

#include "live/live.h"
#include "spec/server.h"
#include "sql/sql.h"

struct real;

/* The server on an open `live` of PostgreSQL with as many sessions as the spec has, whose place is made. Sessions
 * get the settings with which the tester's expected files were made: dates as "Postgres, MDY", the time zone PST8PDT;
 * `isolation` (DEFAULT: the server's) is their default level. A step that does not end is canceled after
 * PGISOLATIONTIMEOUT seconds, or 360. False if the settings fail. Free with real_free; `live` stays the caller's. */
bool real_new(struct live *live, const struct spec *spec, enum sql_isolation isolation,
              struct real **real, struct err *err);
void real_free(struct real *real);

struct spec_server *real_server(struct real *real);

#endif
