/* The SQL of a block as statements for the built-in engine. */
#ifndef LW_SPEC_SCRIPT_H
#define LW_SPEC_SCRIPT_H

#include "spec/spec.h"
#include "sql/sql.h"

struct script {
    VEC(struct sql_stmt *) stmts;
    bool ends_in_skipped; /* with a statement that is of no use here, as ANALYZE is */
};

enum script_use {
    SCRIPT_SETUP,   /* tables are made; what only cleans up or tidies is skipped */
    SCRIPT_STEP,    /* as it is */
    SCRIPT_TEARDOWN /* what drops tables is skipped */
};

/* Cuts and parses a block as PostgreSQL. False, with the position in the spec's file, at the first statement that
 * can't be read. Nothing is resolved yet. */
bool script_parse(struct arena *arena, struct text_pool *pool, const struct spec_block *block,
                  enum script_use use, struct script *script, struct err *err);

#endif
