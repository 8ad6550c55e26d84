/* What statements of one shape do to rows: found out once a shape, by the SQL parser. Internal to watch/. */
#ifndef LW_WATCH_MEANING_H
#define LW_WATCH_MEANING_H

#include "sql/shape.h"

enum meaning_kind {
    MEANS_NOTHING, /* to rows: SET, SHOW, SELECT 1 */
    MEANS_UNKNOWN, /* not modelled: `reason` */
    MEANS_READ,
    MEANS_INSERT,
    MEANS_UPDATE,
    MEANS_DELETE,
    MEANS_BEGIN,
    MEANS_COMMIT,
    MEANS_ROLLBACK,
    MEANS_SAVEPOINT,
    MEANS_RELEASE,
    MEANS_ROLLBACK_TO,
    MEANS_ISOLATION, /* SET TRANSACTION, of the next or this transaction; `is_session`: of all */
    MEANS_PATH,      /* SET search_path of PostgreSQL: where tables are looked for */
    MEANS_AUTOCOMMIT, /* SET autocommit: `autocommit` */
};

/* A column that is compared or set. */
struct meant_column {
    uint32_t table;      /* of a read's sources; else the target */
    uint32_t column;     /* number of its name */
    int literal;         /* its number, see sql_shape_literal; -1: computed */
    bool is_list;
    bool is_own;         /* set: computed from a column of the row itself, by the database */
};

/* What stands in a result's column. */
struct meant_item {
    uint32_t table; /* NO_NAME: no plain column of a table */
    uint32_t column;
};

enum { NO_NAME = 0 };

struct meaning {
    uint64_t hash[2];
    enum meaning_kind kind;
    enum sql_dialect dialect;
    uint32_t table;  /* of a write; of a read the first source */
    VEC(uint32_t) tables; /* of a read: all sources */
    VEC(struct meant_column) set, where;
    VEC(struct meant_item) items; /* of a read or RETURNING; empty: `*`, by the names that the server sends */
    bool is_star;
    bool is_exact;   /* the WHERE is nothing but these equalities */
    bool is_locking; /* FOR UPDATE and its kin */
    bool is_group;   /* the result has no rows of the table's: aggregates, GROUP BY, DISTINCT */
    bool is_one;     /* INSERT: one row of values, `set`; else several or a query */
    bool is_session;
    bool is_off;     /* AUTOCOMMIT: `off` */
    bool commits;    /* the transaction that is open before it: MySQL's DDL and what else is in none */
    enum sql_isolation isolation; /* BEGIN, ISOLATION */
    struct str savepoint;
    int literal;            /* AUTOCOMMIT: that says whether it is on; -1: it is what DEFAULT is, on */
    struct str reason;      /* UNKNOWN */
    struct str sql;         /* one statement of the shape, literals as `?`; shortened */
    const struct sql_stmt *stmt;
    uint64_t count;
};

/* Numbers of names of tables and columns, 1 and up. */
struct names {
    struct arena *arena;
    struct map index;
    VEC(struct str) items;
};

uint32_t names_add(struct names *names, struct str name);
struct str names_get(const struct names *names, uint32_t number);

/* The meanings met so far. */
struct meanings {
    struct arena *arena;
    struct names *names;
    struct text_pool pool;
    struct meaning **slots; /* by hash, a power of two of them */
    size_t slot_count, count;
    struct meaning too_many; /* of each shape beyond SHAPES_MAX */
};

void meanings_init(struct meanings *meanings, struct arena *arena, struct names *names);

/* What the statement means; never NULL. `shape` is that of `text`. */
struct meaning *meaning_of(struct meanings *meanings, const struct sql_shape *shape, struct str text,
                           enum sql_dialect dialect);

#endif
