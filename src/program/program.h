/* Transaction programs: the waist of the hourglass. A small imperative program whose only shared
 * state is the database, reached by real SQL. Front ends build one with program/build.h or read one
 * from a .txn file; the checker (txn_check) resolves names and types; after that a program is
 * immutable.
 *
 * Host values are scalars, rows and lists of rows. A row is an *object with identity*: two
 * variables may be the same object (assignment copies the reference), or two objects for one
 * database row (two SELECTs). Each column of an object remembers the value it was loaded with and
 * whether the program assigned it since, and may hold an SQL expression not yet evaluated (Django's
 * F()).
 *
 * An exception unwinds: an atomic block rolls back (to its savepoint if nested), `with lock` lets
 * the lock go, a try matches it against its handlers. Database errors arrive as exceptions of
 * Django's classes. A SELECT into a row that finds none gives null; front ends write `if x is null
 * { raise DoesNotExist; }`.
 */
#ifndef LW_PROGRAM_PROGRAM_H
#define LW_PROGRAM_PROGRAM_H

#include "base/map.h"
#include "sql/sql.h"

/* Where a step or expression stands in its source. `path` is the .txn file or the Python file. */
struct txn_span {
    struct str path;
    struct pos start, end; /* end: just after the last byte; {0,0} if not known */
};

enum txn_type { TXN_UNKNOWN, TXN_SCALAR, TXN_ROW, TXN_ROWS, TXN_LIST };

enum { TXN_NO_VAR = 0xffff, TXN_VARS_MAX = 1024, TXN_DEPTH_MAX = 64, TXN_REPEAT_MAX = 16 };
enum { TXN_SESSIONS_MAX = 8 }; /* of a run */

struct txn_var {
    struct str name;
    enum txn_type type; /* filled by txn_check */
    uint16_t table;     /* ROW, ROWS */
    bool is_param;
    struct str source_name; /* what the source calls it: "counter", "self.voucher"; empty: name */
    bool is_shown;          /* a row object that a page is made of: what it holds in memory was wanted for that */
    bool is_given;          /* a row object that the caller holds too: it may well save it later */
};

enum txn_expr_kind {
#define TXN_EXPR(name) TXN_EXPR_##name,
#include "program/expr.def"
#undef TXN_EXPR
};

enum txn_op {
#define TXN_OP(name, text, precedence) TXN_OP_##name,
#include "program/op.def"
#undef TXN_OP
};

struct txn_expr {
    enum txn_expr_kind kind;
    enum txn_op op;         /* BINARY */
    struct txn_span span;
    struct value literal;   /* LITERAL */
    struct str column_name; /* COLUMN */
    struct str name;        /* OPAQUE: a function whose result depends on its arguments only */
    uint16_t var;           /* VAR, COLUMN (a row), LEN and FIRST (rows or list) */
    uint16_t column;        /* COLUMN: resolved */
    /* Operands. COND: condition, then, else. SAME: two rows (identity). */
    VEC(struct txn_expr *) args;
};

struct txn_step;
struct txn_block {
    VEC(struct txn_step *) steps;
};

/* What happens to the result of an SQL step. */
enum txn_into {
    TXN_INTO_NOTHING,
    TXN_INTO_ROW,    /* a new object for the first row, or null: `row x = SELECT ...` */
    TXN_INTO_RELOAD, /* into the existing object, the columns selected: `reload x = SELECT ...` */
    TXN_INTO_ROWS,   /* a list of new objects: `rows xs = SELECT ...` */
    TXN_INTO_VALUE,  /* the first column of the first row, or null: `value n = SELECT ...` */
    TXN_INTO_LIST,   /* the first column of each row: `list ids = SELECT ...` */
    TXN_INTO_COUNT,  /* rows affected: `count n = UPDATE ...` */
    TXN_INTO_KEY     /* the generated key, into a column of an object: `key x.id = INSERT ...` */
};

struct txn_sql {
    struct sql_stmt *stmt;
    enum txn_into into;
    uint16_t var;
    uint16_t column;        /* KEY: resolved */
    struct str column_name; /* KEY */
    /* Per host of the statement, resolved: the variable, and the column of its row (or
     * TXN_NO_VAR). */
    uint16_t *host_var, *host_column;
    /* Part of an ORM's save(): columns that the program did not assign are written back. */
    bool is_save;
};

struct txn_handler {
    struct txn_span span;
    VEC(struct str) classes; /* empty: every exception */
    struct txn_block body;
};

struct txn_step {
    enum txn_step_kind {
#define TXN_STEP(name, keyword) TXN_STEP_##name,
#include "program/step.def"
#undef TXN_STEP
    } kind;
    uint16_t var;      /* ASSIGN, SET_COLUMN, NEW, FOR (the row), CALL (result, or TXN_NO_VAR) */
    uint16_t list_var; /* FOR */
    struct txn_span span;
    struct str column_name; /* SET_COLUMN */
    uint16_t column;        /* SET_COLUMN: resolved */
    uint16_t table;         /* NEW: resolved */
    /* SET_COLUMN, SQL: a framework's form does it, with values that a person gave. Not in the notation. */
    bool is_form;
    /* SET_COLUMN: while Django saves the object, or in a method that it calls for that. Not in the notation. */
    bool is_hook;
    bool is_savepoint_off; /* ATOMIC: atomic(savepoint=False) */
    /* ASSIGN, SET_COLUMN, IF. RETURN: may be NULL. LOCK, UNLOCK, WITH_LOCK: the key, may be
     * NULL. */
    struct txn_expr *expr;
    /* SET_COLUMN to an SQL expression: `x.n = sql(n + 1)`; else NULL. Its host values are those of
     * `sql_hosts` (kind SELECT, otherwise empty), with host_var and host_column as in txn_sql. */
    struct sql_expr *sql_expr;
    struct sql_stmt *sql_hosts;
    uint16_t *host_var, *host_column;
    struct txn_sql sql; /* SQL */
    /* NEW: table. RAISE: class (empty: the one being handled). CALL: the function. LOCK, UNLOCK,
     * WITH_LOCK: the lock. EFFECT: what happened. */
    struct str name;
    VEC(struct str) new_columns;      /* NEW: columns, with `args` */
    uint16_t *new_column_index;       /* NEW: resolved */
    VEC(struct txn_expr *) args;      /* NEW, EFFECT */
    uint32_t repeat_max;              /* REPEAT: rounds */
    enum sql_isolation isolation;     /* ATOMIC; DEFAULT: the session's */
    struct txn_block body;            /* IF: then. FOR, REPEAT, ATOMIC, TRY, CALL, WITH_LOCK */
    struct txn_block else_body;       /* IF; TRY: else */
    VEC(struct txn_handler) handlers; /* TRY */
    struct txn_block finally_body;    /* TRY */
};

struct txn_program {
    struct str name;          /* "increment", "shop.views.increment" */
    struct txn_span span;     /* of the function's name */
    VEC(struct txn_var) vars; /* parameters first, in order */
    struct map names;         /* index in vars + 1, by name; says nothing unless it has as many */
    size_t param_count;
    struct txn_block body;
    bool is_checked;
};

/* One session of a run: a program and its arguments, in order of its parameters. */
struct txn_session {
    uint16_t program;
    VEC(struct value) args;
    struct txn_span span;
};

struct txn_run {
    struct str name; /* may be empty */
    VEC(struct txn_session) sessions;
};

/* What stands in a .txn file: schema, rows at the start, programs, and which run side by side. */
struct txn_scenario {
    struct str path;
    struct schema schema;
    VEC(struct sql_stmt *) setup; /* INSERT, UPDATE, DELETE; resolved */
    VEC(struct txn_program *) programs;
    VEC(struct txn_run) runs;
};

/* Resolves names, types and statements of a program against the schema, and checks its rules:
 * variables are set before use, rows are not used as scalars, `break` stands in a loop, depth
 * within TXN_DEPTH_MAX. The program is immutable from then on. False, with path and position, at
 * the first fault. */
bool txn_check(struct arena *arena, const struct schema *schema, struct text_pool *pool,
               struct txn_program *program, struct err *err);

/* The program's variable of that name, made if need be. */
uint16_t txn_var(struct arena *arena, struct txn_program *program, struct str name);
/* The one of that name, or TXN_NO_VAR. */
uint16_t txn_find_var(const struct txn_program *program, struct str name);

/* Deep copy, unchecked: what fixes change. Statements and expressions are copied too. */
struct txn_program *txn_copy(struct arena *arena, const struct txn_program *program);
/* A checked program again, with variables, steps and statements of its own; the rest is shared with it. */
struct txn_program *txn_copy_statements(struct arena *arena, const struct txn_program *program);
struct owner;
/* txn_copy with a home for every string too, with `owner` (sql/own.h), paths of spans aside: what outlives the arena it
 * was built in. Statements and variables are still of `statements`, until they are shared and renumbered. */
struct txn_program *txn_move(struct arena *arena, struct arena *statements, struct owner *owner,
                             const struct txn_program *program);
/* Gives each statement of a checked program a home with `owner`: one for all programs that have the same. */
void txn_share_statements(struct owner *owner, struct txn_program *program);

#endif
