/* The engines and levels of a table (policy.def), each as the version of its server that was asked for has it.
 * Zeroed it means the default versions. */
#ifndef LW_VERDICT_POLICIES_H
#define LW_VERDICT_POLICIES_H

#include "verdict/verdict.h"

struct policies {
    uint32_t version[ENGINE_SQLITE + 1]; /* by enum engine_kind; 0: its default */
};

/* What a policy is in its engine's version. From MariaDB 11.6.2 on innodb_snapshot_isolation is ON at every level,
 * save in the policy that is there to show REPEATABLE READ without it. */
struct db_config policy_config(const struct policies *policies, enum policy_id policy);

/* Whether the version has such a level at all: "snapshot isolation" needs a MariaDB that knows the setting. */
bool policy_is_there(const struct policies *policies, enum policy_id policy);

/* Whether a database is at the policy's engine and level, in whatever version. */
bool policy_is(enum policy_id policy, const struct db_config *config);

/* MariaDB's REPEATABLE READ with innodb_snapshot_isolation=ON: a level of its own in tables. */
bool is_snapshot_isolation(const struct db_config *config);

/* Judges `setup` on every engine and level of `wanted` (a bit each) that is there, those that cannot load its rows LIMIT;
 * other cells are zeroed. Where no answer hung on which of two servers it was (struct db_twin), one was run for both. */
enum { POLICIES_ALL = (1 << POLICY_COUNT) - 1 };
void judge_table(const struct run_setup *setup, const struct policies *policies, uint32_t wanted,
                 const struct judge_options *options, struct cell_verdict cells[POLICY_COUNT]);

#endif
