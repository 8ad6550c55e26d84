#include "trial.h"

#include "base/assert.h"

static const struct policy_under_test policies[] = {
    {"postgresql read committed", {ENGINE_POSTGRESQL, .isolation = SQL_READ_COMMITTED}, true},
    {"postgresql repeatable read", {ENGINE_POSTGRESQL, .isolation = SQL_REPEATABLE_READ}, true},
    {"postgresql serializable", {ENGINE_POSTGRESQL, .isolation = SQL_SERIALIZABLE}, true},
    {"mariadb read committed", {ENGINE_MARIADB, .isolation = SQL_READ_COMMITTED}, true},
    {"mariadb repeatable read", {ENGINE_MARIADB, .isolation = SQL_REPEATABLE_READ}, true},
    {"mariadb serializable", {ENGINE_MARIADB, .isolation = SQL_SERIALIZABLE}, true},
    {"mariadb read committed snapshot_isolation",
     {ENGINE_MARIADB, .isolation = SQL_READ_COMMITTED, .innodb_snapshot_isolation = true}, true},
    {"mariadb repeatable read snapshot_isolation",
     {ENGINE_MARIADB, .isolation = SQL_REPEATABLE_READ, .innodb_snapshot_isolation = true}, true},
    {"mariadb serializable snapshot_isolation",
     {ENGINE_MARIADB, .isolation = SQL_SERIALIZABLE, .innodb_snapshot_isolation = true}, true},
    {"mysql read committed", {ENGINE_MYSQL, .isolation = SQL_READ_COMMITTED}, false},
    {"mysql repeatable read", {ENGINE_MYSQL, .isolation = SQL_REPEATABLE_READ}, false},
    {"mysql serializable", {ENGINE_MYSQL, .isolation = SQL_SERIALIZABLE}, false},
};

const struct policy_under_test *policy_find(const char *name) {
    for (size_t i = 0; i < LW_COUNT_OF(policies); i++)
        if (strcmp(policies[i].name, name) == 0)
            return &policies[i];
    return NULL;
}
