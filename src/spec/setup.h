/* What the setup blocks of a spec make, for the built-in engine: tables and rows. */
#ifndef LW_SPEC_SETUP_H
#define LW_SPEC_SETUP_H

#include "engine/engine.h"
#include "spec/spec.h"

/* Reads all setup blocks into `schema`, and makes `*db` with their rows. False, with the position in the spec's file, if
 * something is not modelled or fails. `*db` is the caller's to free. */
bool setup_make(struct arena *arena, struct text_pool *pool, const struct spec *spec,
                const struct db_config *config, size_t session_count, struct schema *schema,
                struct db **db, struct err *err);

#endif
