#include "cli/target.h"

#include "base/assert.h"
#include "cli/option.h"
#include "engine/version.h"

static const struct pos nowhere = {0, 0};

/* In the order of enum engine_kind. */
static const char *const engine_names[] = {"postgresql", "mysql", "mariadb", "sqlite"};

enum level {
    LEVEL_READ_COMMITTED,
    LEVEL_REPEATABLE_READ,
    LEVEL_SERIALIZABLE,
    LEVEL_SNAPSHOT,
    LEVEL_DEFERRED,
    LEVEL_IMMEDIATE,
    LEVEL_COUNT
};

static const char *const level_names[LEVEL_COUNT] = {
    "read committed",     "repeatable read", "serializable",
    "snapshot isolation", "deferred",        "immediate",
};

bool target_set_engine(struct target *target, struct str value, struct err *err) {
    size_t chosen, colon = str_find(value, ':', 0);
    uint32_t version = 0;
    if (!cli_choose(str_sub(value, 0, colon), "engine", engine_names, LW_COUNT_OF(engine_names),
                    &chosen, err))
        return false;
    if (colon < value.len && !version_parse((enum engine_kind)chosen,
                                            str_sub(value, colon + 1, value.len), &version, err))
        return false;
    target->has_engine = true;
    target->engine = (enum engine_kind)chosen;
    target->version = version;
    return true;
}

bool target_set_isolation(struct target *target, struct str value, struct err *err) {
    static const enum sql_isolation isolations[LEVEL_COUNT] = {
        SQL_READ_COMMITTED,  SQL_REPEATABLE_READ, SQL_SERIALIZABLE,
        SQL_REPEATABLE_READ, SQL_SERIALIZABLE,    SQL_SERIALIZABLE,
    };
    size_t level;
    if (!cli_choose(value, "isolation level", level_names, LEVEL_COUNT, &level, err))
        return false;
    target->has_isolation = true;
    target->isolation = isolations[level];
    target->innodb_snapshot_isolation = level == LEVEL_SNAPSHOT;
    target->sqlite_deferred = level == LEVEL_DEFERRED;
    target->sqlite_immediate = level == LEVEL_IMMEDIATE;
    return true;
}

void target_take(struct target *target, const struct target *other) {
    if (target->has_engine)
        return;
    if (!target->has_isolation) {
        *target = *other;
        return;
    }
    target->has_engine = other->has_engine;
    target->engine = other->engine;
    target->version = other->version;
}

/* A level of one engine alone. */
static bool require_engine(struct target *target, enum engine_kind engine, enum level level,
                           struct err *err) {
    if (!target->has_engine) {
        target->has_engine = true;
        target->engine = engine;
    }
    if (target->engine == engine)
        return true;
    return err_set(err, nowhere, "--isolation: only %s has '%s', not %s", engine_names[engine],
                   level_names[level], engine_names[target->engine]);
}

/* The setting is younger than MariaDB's InnoDB. */
static bool require_snapshot_isolation(const struct target *target, struct err *err) {
    if (version_has(target->engine, target->version, TRAIT_SNAPSHOT_ISOLATION))
        return true;
    struct buf version = {0}, since = {0};
    version_print(target->engine, target->version, &version);
    version_print_since(target->engine, TRAIT_SNAPSHOT_ISOLATION, &since);
    err_set(err, nowhere, "--isolation: mariadb %s has no innodb_snapshot_isolation; %s have it",
            version.ptr, since.ptr);
    buf_release(&version);
    buf_release(&since);
    return false;
}

bool target_check(struct target *target, struct err *err) {
    if (!target->has_isolation)
        return true;
    if (target->innodb_snapshot_isolation)
        return require_engine(target, ENGINE_MARIADB, LEVEL_SNAPSHOT, err) &&
               require_snapshot_isolation(target, err);
    if (target->sqlite_deferred)
        return require_engine(target, ENGINE_SQLITE, LEVEL_DEFERRED, err);
    if (target->sqlite_immediate)
        return require_engine(target, ENGINE_SQLITE, LEVEL_IMMEDIATE, err);
    if (!target->has_engine || target->engine != ENGINE_SQLITE)
        return true;
    if (target->isolation != SQL_SERIALIZABLE)
        return err_set(
            err, nowhere,
            "--isolation: sqlite is always serializable; say 'deferred' or 'immediate' for how its "
            "transactions begin");
    target->sqlite_deferred = true; /* as they begin if nobody says otherwise */
    return true;
}
