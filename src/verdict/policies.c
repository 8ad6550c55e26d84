#include "verdict/policies.h"

#include "engine/version.h"

struct db_config policy_config(const struct policies *policies, enum policy_id policy) {
    struct db_config config = policy_info(policy)->config;
    config.version = policies->version[config.engine];
    if (config.isolation != SQL_REPEATABLE_READ)
        config.innodb_snapshot_isolation = db_config_has(&config, TRAIT_SNAPSHOT_ISOLATION_ON);
    return config;
}

bool policy_is_there(const struct policies *policies, enum policy_id policy) {
    struct db_config config = policy_config(policies, policy);
    return !config.innodb_snapshot_isolation || db_config_has(&config, TRAIT_SNAPSHOT_ISOLATION);
}

bool is_snapshot_isolation(const struct db_config *config) {
    return config->isolation == SQL_REPEATABLE_READ && config->innodb_snapshot_isolation;
}

bool policy_is(enum policy_id policy, const struct db_config *config) {
    const struct db_config *own = &policy_info(policy)->config;
    return own->engine == config->engine && own->isolation == config->isolation &&
           is_snapshot_isolation(own) == is_snapshot_isolation(config) &&
           own->sqlite_immediate == config->sqlite_immediate;
}
