/* Expressions and SELECT: the part of the syntax tree (ast.h) that nests. Plain data in an arena, immutable after
 * sql_resolve.
 */
#ifndef LW_SQL_EXPR_H
#define LW_SQL_EXPR_H

#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"
#include "sql/value.h"

struct sql_select;
struct sql_stmt;

enum sql_expr_kind {
#define SQL_EXPR(name) SQL_##name,
#include "sql/expr.def"
#undef SQL_EXPR
};

enum sql_op {
#define SQL_OP(name, text, precedence) SQL_OP_##name,
#include "sql/op.def"
#undef SQL_OP
};

/* The height of a tree that the parser makes is at most this: whoever walks trees may recurse. */
enum { SQL_HEIGHT_MAX = 400 };

struct sql_expr {
    enum sql_expr_kind kind;
    uint16_t height; /* levels below, subqueries included; 0 in trees that a program builds */
    uint16_t host;        /* HOST: index into sql_stmt.hosts */
    struct pos pos;
    enum sql_op op;       /* UNARY, BINARY */
    bool is_negated;      /* IN, BETWEEN, LIKE, EXISTS, IS_NULL: NOT in front */
    bool is_distinct;     /* CALL: COUNT(DISTINCT x) */
    bool is_star;         /* CALL: COUNT(*) */
    bool is_nocase;       /* LIKE: ILIKE */
    struct value literal; /* LITERAL */
    struct str qualifier; /* COLUMN: table or alias before the dot, or empty. CAST: type text */
    struct str name;      /* COLUMN, CALL (upper case): the name */
    /* Operands. BINARY: left, right. IN: the value, then the list (unless `select`). BETWEEN:
     * value, low, high. CASE: [base,] then when, then pairs, then else (see case_has_base,
     * case_has_else). CALL: arguments; a server variable @@x is the CALL "@@X" without any. ROW:
     * members. LIKE: value, pattern, then the ESCAPE character if given. UNARY, CAST, IS_NULL:
     * the operand. */
    VEC(struct sql_expr *) args;
    struct sql_select *select; /* SUBQUERY, EXISTS, IN with a subquery */
    bool case_has_base, case_has_else;

    /* Filled by sql_resolve. COLUMN: `depth` queries outwards, source `source` of that query's
     * FROM list, column `column` of its table. A COLUMN of UPDATE, DELETE and INSERT has source
     * 0. In ON CONFLICT DO UPDATE `excluded.x` (and MySQL's VALUES(x)) has source
     * SQL_SOURCE_EXCLUDED. An ORDER BY or HAVING name that is a select item's alias: source
     * SQL_SOURCE_ITEM, column: the item's index. */
    uint8_t depth;
    uint8_t source;
    uint16_t column;
};

enum { SQL_SOURCE_EXCLUDED = 254, SQL_SOURCE_ITEM = 253, SQL_SOURCES_MAX = 16 };

enum sql_join_kind { SQL_JOIN_CROSS, SQL_JOIN_INNER, SQL_JOIN_LEFT };

/* One entry of a FROM list, joined to all before it. */
struct sql_source {
    struct pos pos;
    struct str table;            /* empty: a subquery */
    struct str alias;            /* empty: none */
    struct sql_select *subquery; /* FROM (SELECT ...) alias */
    enum sql_join_kind join;     /* of the first: SQL_JOIN_CROSS */
    struct sql_expr *on;         /* NULL: none */
    uint16_t table_index;        /* resolved */
};

struct sql_item {
    struct sql_expr *expr; /* NULL: `*` or `table.*`; sql_resolve expands those into columns */
    struct str star_of;    /* `table.*` */
    struct str alias;      /* empty: none */
};

struct sql_order {
    struct sql_expr *expr;
    bool is_descending;
};

/* Row lock strengths, weakest first. MySQL's LOCK IN SHARE MODE is SHARE. */
enum sql_lock {
    SQL_LOCK_NONE,
    SQL_LOCK_KEY_SHARE,
    SQL_LOCK_SHARE,
    SQL_LOCK_NO_KEY_UPDATE,
    SQL_LOCK_UPDATE
};
enum sql_lock_wait { SQL_WAIT, SQL_NOWAIT, SQL_SKIP_LOCKED };

struct sql_select {
    struct pos pos;
    uint16_t height; /* as sql_expr.height */
    bool is_distinct;
    VEC(struct sql_item) items;
    VEC(struct sql_source) sources;
    struct sql_expr *where;
    VEC(struct sql_expr *) group_by;
    struct sql_expr *having;
    VEC(struct sql_order) order_by;
    struct sql_expr *limit, *offset;
    enum sql_lock lock;
    enum sql_lock_wait lock_wait;
    VEC(struct str) lock_of; /* FOR UPDATE OF; empty: all */
    uint32_t lock_sources;   /* resolved: bit per source that is locked */
    bool is_aggregate;       /* resolved: GROUP BY, HAVING or an aggregate call in an item */
};

#endif
