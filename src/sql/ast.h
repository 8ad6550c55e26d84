/* The syntax tree of one SQL statement, for the DML that ORMs send in the PostgreSQL, MySQL and
 * SQLite dialects. Nodes live in an arena and are immutable after sql_resolve. Every node keeps
 * the position of its first byte. What a dialect lacks (LIMIT ... , ... ; RETURNING) the printer
 * writes in the dialect asked for, and the parser accepts in any: which dialect a text is in
 * decides only quoting, operators that differ (|| and `"`), and keywords.
 *
 * Host values stand as `:name` or `:row.column` (also `%s`-free: front ends name every value).
 * They are numbered in order of first appearance; see sql_stmt.hosts.
 */
#ifndef LW_SQL_AST_H
#define LW_SQL_AST_H

#include "sql/expr.h"

struct sql_assignment {
    struct pos pos;
    struct str column;
    struct sql_expr *value; /* kind DEFAULT: the column's default */
    uint16_t column_index;  /* resolved */
};

enum sql_conflict { SQL_CONFLICT_ERROR, SQL_CONFLICT_NOTHING, SQL_CONFLICT_UPDATE };

struct sql_insert {
    struct str table;
    VEC(struct str) columns;      /* as written; empty: all */
    VEC(struct sql_expr **) rows; /* each has column_count values */
    size_t column_count;
    struct sql_select *select;             /* INSERT ... SELECT; then no rows */
    enum sql_conflict conflict;            /* also INSERT IGNORE, ON DUPLICATE KEY UPDATE */
    bool is_mysql_duplicate_key;           /* spelled ON DUPLICATE KEY UPDATE / IGNORE: any key */
    VEC(struct str) conflict_columns;      /* ON CONFLICT (a, b); empty: any */
    struct str conflict_constraint;        /* ON CONFLICT ON CONSTRAINT name; empty: none */
    struct sql_expr *conflict_index_where; /* ON CONFLICT (a) WHERE ...: of a partial index */
    VEC(struct sql_assignment) conflict_set;
    struct sql_expr *conflict_where;
    uint16_t table_index;   /* resolved */
    uint16_t *column_index; /* resolved: column_count of them */
    int conflict_key;       /* resolved: index of the key the conflict columns name, -1: any */
};

struct sql_update {
    struct sql_source target;
    VEC(struct sql_source) from; /* PostgreSQL's FROM; resolved sources are target, then these */
    VEC(struct sql_assignment) set;
    struct sql_expr *where;
    VEC(struct sql_order) order_by; /* MySQL */
    struct sql_expr *limit;         /* MySQL */
};

struct sql_delete {
    struct sql_source target;
    VEC(struct sql_source) using_sources; /* PostgreSQL's USING */
    struct sql_expr *where;
    VEC(struct sql_order) order_by;
    struct sql_expr *limit;
};

enum sql_isolation {
    SQL_ISOLATION_DEFAULT, /* the session's */
    SQL_READ_UNCOMMITTED,
    SQL_READ_COMMITTED,
    SQL_REPEATABLE_READ,
    SQL_SERIALIZABLE
};

enum sql_begin_mode {
    SQL_BEGIN_PLAIN,
    SQL_BEGIN_DEFERRED,
    SQL_BEGIN_IMMEDIATE,
    SQL_BEGIN_EXCLUSIVE
};

/* BEGIN, COMMIT, ROLLBACK, SAVEPOINT name, RELEASE name, ROLLBACK TO name, SET TRANSACTION. */
struct sql_transaction {
    struct str savepoint; /* or the name of a prepared transaction */
    enum sql_isolation isolation; /* BEGIN, SET_TRANSACTION */
    enum sql_begin_mode begin_mode;
    bool is_session; /* SET SESSION TRANSACTION ... / SESSION CHARACTERISTICS */
    bool is_read_only, is_deferrable;
    bool with_snapshot; /* MySQL's WITH CONSISTENT SNAPSHOT: the read view is made at once */
};

/* SET name = value. What the engines understand they act on (autocommit, transaction_isolation,
 * innodb_lock_wait_timeout, lock_timeout); the rest they ignore. */
struct sql_set {
    struct str name;        /* lower case, without @@ and SESSION */
    struct sql_expr *value; /* a bare word (on, off) is a text LITERAL; kind DEFAULT: the default */
    bool is_global;
    bool is_local; /* SET LOCAL: until the transaction ends; in MySQL the same as SESSION */
};

struct sql_lock_table {
    VEC(struct str) tables;
    struct str mode; /* upper case: "SHARE ROW EXCLUSIVE"; MySQL: "READ", "WRITE". UNLOCK TABLES:
                      * "UNLOCK", without tables */
    bool is_nowait;
    uint16_t *table_index; /* resolved */
};

/* CREATE TABLE and CREATE INDEX, kept as written; schema_apply gives them meaning. */
struct sql_column_def {
    struct pos pos;
    struct str name, type_text;
    bool not_null, is_primary, is_unique, is_serial;
    struct sql_expr *default_expr, *check;
    struct sql_fk_def *references; /* NULL: none */
};

struct sql_fk_def {
    struct pos pos;
    struct str name;
    VEC(struct str) columns;
    struct str parent;
    VEC(struct str) parent_columns; /* empty: its primary key */
    uint8_t on_delete, on_update;   /* enum fk_action */
    bool is_deferrable, is_deferred;
};

struct sql_key_def {
    struct pos pos;
    struct str name;
    bool is_primary, is_unique;
    VEC(struct str) columns;
    struct sql_expr *where;
};

struct sql_check_def {
    struct str name;
    struct sql_expr *expr;
};

struct sql_create {
    struct str table;
    bool is_index; /* CREATE [UNIQUE] INDEX: one key only */
    bool if_not_exists;
    VEC(struct sql_column_def) columns;
    VEC(struct sql_key_def) keys;
    VEC(struct sql_fk_def) foreign_keys;
    VEC(struct sql_check_def) checks;
};

enum sql_stmt_kind {
#define SQL_STMT(name, text) SQL_STMT_##name,
#include "sql/stmt.def"
#undef SQL_STMT
};

/* A host value: `:name`, `:row.column`. */
struct sql_host {
    struct pos pos;
    struct str name;
    struct str column; /* empty: a scalar (or, in IN (:ids), a list) */
    bool is_list;      /* stands as the only member of an IN list */
};

struct sql_stmt {
    enum sql_stmt_kind kind;
    struct pos pos;
    struct str text; /* as read; empty for statements built by a program */
    VEC(struct sql_host) hosts;
    VEC(struct sql_item) returning; /* INSERT, UPDATE, DELETE */
    union {
        struct sql_select
            *select; /* SELECT; advisory locks are SELECT of a CALL, see sql_advisory */
        struct sql_insert *insert;
        struct sql_update *update;
        struct sql_delete *delete_;
        struct sql_transaction *transaction;
        struct sql_set *set;
        struct sql_lock_table *lock_table;
        struct sql_create *create;
    };
    bool is_resolved;
};

#endif
