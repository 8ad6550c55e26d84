/* What several commands ask alike: the engine and level to explore. As the user said it; what stands in place
 * of something not said is the command's business.
 */
#ifndef LW_CLI_TARGET_H
#define LW_CLI_TARGET_H

#include "base/err.h"
#include "engine/engine.h"

/* The engine and level given by --engine and --isolation. */
struct target {
    bool has_engine, has_isolation;
    enum engine_kind engine; /* if has_engine */
    uint32_t version;        /* of `engine`, as in engine/version.h; 0: its default */
    enum sql_isolation
        isolation; /* if has_isolation; SERIALIZABLE for SQLite, which has no other */
    bool
        innodb_snapshot_isolation; /* "snapshot isolation": MariaDB's REPEATABLE READ with the setting ON */
    bool sqlite_immediate;         /* "immediate": SQLite */
    bool sqlite_deferred;          /* "deferred": SQLite */
};

/* Setters for the value of --engine, NAME or NAME:VERSION, and of --isolation. */
bool target_set_engine(struct target *target, struct str value, struct err *err);
bool target_set_isolation(struct target *target, struct str value, struct err *err);

/* Takes from `other` what `target` doesn't say: its level, too, unless `target` has an engine of its own. */
void target_take(struct target *target, const struct target *other);

/* Whether the level is one that the engine has; to be asked when all options are read. A level that
 * only one engine has ("snapshot isolation", "immediate", "deferred") sets the engine, if none was given. */
bool target_check(struct target *target, struct err *err);

#endif
