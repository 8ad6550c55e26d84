/* Versions of servers, and what they differ in (version.def).
 *
 * A version is a number that grows with age: major * 10000 + minor * 100 + patch, as MySQL and MariaDB have it
 * (MariaDB 11.6.2: 110602); PostgreSQL 15.18, which has no minor, 150018. 0 is the engine's default. A patch of
 * VERSION_PATCH_NEWEST is the newest release of its series.
 */
#ifndef LW_ENGINE_VERSION_H
#define LW_ENGINE_VERSION_H

#include "engine/engine.h"

enum { VERSION_PATCH_NEWEST = 99 };

enum version_trait {
#define TRAIT(name, what) TRAIT_##name,
#include "engine/version.def"
    TRAIT_COUNT
};

/* What is meant where nobody names a version. Never 0. */
uint32_t version_default(enum engine_kind engine);

/* Whether that version of the engine has the trait; version 0: its default version. */
bool version_has(enum engine_kind engine, uint32_t version, enum version_trait trait);

/* The same of a database. */
bool db_config_has(const struct db_config *config, enum version_trait trait);

/* "NOWAIT": for messages. */
const char *version_trait_text(enum version_trait trait);

/* The versions that have the trait, as words: "10.6.18, 10.11.8, 11.4.2 and later"; "" if none has. */
void version_print_since(enum engine_kind engine, enum version_trait trait, struct buf *out);

/* Reads "11.8" or "11.6.2". False, with the versions that are known, if it is none of them. */
bool version_parse(enum engine_kind engine, struct str text, uint32_t *version, struct err *err);

/* "11.6.2"; "11.8" if the newest release of a series is meant; 0: the default's. */
void version_print(enum engine_kind engine, uint32_t version, struct buf *out);

/* How a version of an engine is set up at a level if nobody changes a setting: innodb_snapshot_isolation as
 * the version has it. Autocommit is at the same level. `isolation` is not DEFAULT. */
struct db_config version_config(enum engine_kind engine, uint32_t version,
                                enum sql_isolation isolation);

#endif
