#include "cli/compare.h"

#include "base/assert.h"
#include "engine/version.h"

static const struct pos nowhere = {0, 0};

/* Asked for, or what the version makes of REPEATABLE READ. */
static bool has_snapshot_isolation(const struct target *level) {
    return level->innodb_snapshot_isolation ||
           version_has(level->engine, level->version, TRAIT_SNAPSHOT_ISOLATION_ON);
}

/* Whether the last level of the target is none that it has already. */
static bool is_new_level(const struct compare_target *target, struct str value, struct err *err) {
    const struct target *last = &target->levels[target->level_count - 1];
    for (const struct target *level = target->levels; level < last; level++)
        if (level->isolation == last->isolation &&
            has_snapshot_isolation(level) == has_snapshot_isolation(last) &&
            level->sqlite_immediate == last->sqlite_immediate)
            return err_set(err, nowhere, "a level stands twice in '%.*s'", STR_ARG(value));
    return true;
}

bool compare_add(struct compare_targets *targets, struct str value, struct err *err) {
    if (targets->count == COMPARE_SIDES_MAX)
        return err_set(err, nowhere, "--compare: more than %d servers", COMPARE_SIDES_MAX);
    struct compare_target target = {0};
    size_t end = str_find(value, '/', 0);
    if (!target_set_engine(&target.server, str_sub(value, 0, end), err))
        return false;
    while (end < value.len) {
        size_t start = end + 1;
        end = str_find(value, '/', start);
        if (target.level_count == COMPARE_LEVELS_MAX)
            return err_set(err, nowhere, "more than %d levels in '%.*s'", COMPARE_LEVELS_MAX,
                           STR_ARG(value));
        struct target *level = &target.levels[target.level_count++];
        *level = target.server;
        if (!target_set_isolation(level, str_sub(value, start, end), err) ||
            !target_check(level, err) || !is_new_level(&target, value, err))
            return false;
    }
    targets->items[targets->count++] = target;
    return true;
}

bool compare_takes(const struct compare_targets *targets, struct str argument) {
    struct target target;
    struct str name = str_sub(argument, 0, str_find(argument, '/', 0));
    name = str_sub(name, 0, str_find(name, ':', 0));
    if (targets->count == 0)
        return false;
    return targets->count == 1 || target_set_engine(&target, name, NULL);
}

bool compare_check(const struct compare_targets *targets, const struct target *target,
                   struct err *err) {
    if (targets->count == 0)
        return true;
    if (targets->count == 1)
        return err_set(err, nowhere, "--compare needs two servers, as in "
                       "`--compare mariadb:10.11 mariadb:11.8`");
    if (target->has_engine || target->has_isolation)
        return err_set(err, nowhere, "--%s does not go with --compare, which names them: "
                       "mysql:8.4/serializable", target->has_engine ? "engine" : "isolation");
    return true;
}
