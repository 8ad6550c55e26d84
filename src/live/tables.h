/* The tables of a schema as a real server makes them: CREATE TABLE and CREATE INDEX in its words.
 */
#ifndef LW_LIVE_TABLES_H
#define LW_LIVE_TABLES_H

#include "engine/engine.h"

struct statements {
    VEC(struct str) items;
};

/* Appends what makes the tables of `schema`, parents first. Types that only say how a value is written (uuid, json)
 * become texts; on MySQL a text in a key gets a length. False, if the engine has no such thing. */
bool tables_create(struct arena *arena, const struct schema *schema, const struct text_pool *pool,
                   enum engine_kind engine, struct statements *statements, struct err *err);
/* What drops them. */
void tables_drop(struct arena *arena, const struct schema *schema, enum engine_kind engine,
                 struct statements *statements);
/* What empties the tables of `touched` (a bit per table) and sets their counters back. */
void tables_empty(struct arena *arena, const struct schema *schema, enum engine_kind engine,
                  uint64_t touched, struct statements *statements);
/* PostgreSQL: what puts the counters behind the keys that the initial rows have. */
void tables_bump(struct arena *arena, const struct schema *schema, enum engine_kind engine,
                 uint64_t touched, struct statements *statements);
/* SELECT of all columns in order of the primary key, if there is one. */
struct str table_select(struct arena *arena, const struct table *table, enum engine_kind engine);

/* A name in the engine's quotes. */
struct str quoted_name(struct arena *arena, enum engine_kind engine, struct str name);

#endif
