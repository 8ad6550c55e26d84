/* For the engine's tests: a database made from SQL text, and answers as one line of text, in the
 * form of the transcripts (tests/engine/transcripts/README.md).
 */
#ifndef LW_TESTS_ENGINE_SUPPORT_H
#define LW_TESTS_ENGINE_SUPPORT_H

#include "base/buf.h"
#include "engine/engine.h"

struct lab {
    struct arena arena;
    struct text_pool pool;
    struct schema schema;
    struct db_config config;
    struct db *db; /* made by the first statement after the schema */
    size_t session_count;
};

void lab_init(struct lab *lab, enum engine_kind engine, enum sql_isolation isolation,
              size_t session_count);
void lab_release(struct lab *lab);

/* Parses and resolves a statement; the test fails if it can't be. */
const struct sql_stmt *lab_stmt(struct lab *lab, struct str text);

/* CREATE TABLE, CREATE INDEX, and statements that load rows; several, each ended by `;`. */
void lab_setup(struct lab *lab, const char *sql);

/* Runs a statement without host values. */
void lab_exec(struct lab *lab, size_t session, const char *sql, struct db_result *result);

/* "UPDATE 1", "[('1', '2')]", "ERR 40001", "BLOCKED": how a transcript has it. `db`: that the result is of. */
void answer_print(const struct lab *lab, const struct db *db, const struct sql_stmt *stmt,
                  const struct db_result *result, struct buf *out);

#endif
