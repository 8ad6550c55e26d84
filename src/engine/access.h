/* Access paths: which rows of a table a scan looks at, by the constants its conditions compare
 * key columns with. The tables are tiny, so this is not about speed: it decides what InnoDB locks
 * and what PostgreSQL's SSI marks.
 *
 * The rule is that of a planner without statistics, as real tests on small tables see it: a
 * unique key wholly bound by equality, else the key with the most leading columns bound by
 * equality, else a range, else all of it.
 */
#ifndef LW_ENGINE_ACCESS_H
#define LW_ENGINE_ACCESS_H

#include "engine/query.h"
#include "engine/store.h"

enum { ACCESS_RANGES_MAX = 8 };

struct key_range {
    uint8_t equal_count;                         /* leading columns bound by equality */
    bool has_low, has_high, low_open, high_open; /* on the column after those */
    struct value equal[KEY_COLUMNS_MAX];
    struct value low, high;
};

/* Every row that can satisfy the conditions is within; others may be. */
struct access {
    uint16_t table;
    int16_t key;   /* index in the table's keys; -1: whole table */
    bool is_point; /* every range binds all columns of a unique key: at most one row each */
    bool is_empty; /* a key column is compared with NULL: no row */
    uint8_t range_count;
    struct key_range ranges[ACCESS_RANGES_MAX];
};

/* How the scan is best made, from its conditions; columns of sources to its left and of outer
 * queries are known values. False: evaluation failed or must wait, as eval_expr. */
bool access_choose(struct eval *eval, const struct query_scan *scan, struct access *access);

/* Key `index` with the columns that count for its ranges: in InnoDB a key that is not unique goes on with
 * the primary key's. */
struct key access_key(const struct eval *eval, const struct table *table, size_t index);

/* Whether a row with these values lies within the access. */
bool access_has(struct eval *eval, const struct access *access, const struct value *values);
bool key_range_has(struct eval *eval, const struct key *key, const struct key_range *range,
                   const struct value *values);

/* Whether two rows have the same key, no column of it NULL. A partial index's WHERE is not looked
 * at. */
bool key_equal(struct eval *eval, const struct key *key, const struct value *a,
               const struct value *b);
/* The order of the index. */
int key_compare(const struct eval *eval, const struct key *key, const struct value *a,
                const struct value *b);
/* Whether the row is in the (partial) index. */
bool key_covers(struct eval *eval, const struct key *key, const struct value *values, bool *covers);
/* Whether an UPDATE from `old` to `values` changes a column of the key. */
bool key_changes(struct eval *eval, const struct key *key, const struct value *old,
                 const struct value *values);

#endif
