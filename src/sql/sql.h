/* Reading, checking and writing SQL statements. Text becomes a tree (ast.h) by sql_parse, names
 * become indices into a schema by sql_resolve, and sql_print writes the tree in a dialect so
 * that parsing it again gives an equal tree.
 */
#ifndef LW_SQL_SQL_H
#define LW_SQL_SQL_H

#include "sql/ast.h"
#include "sql/schema.h"

enum sql_dialect { SQL_POSTGRESQL, SQL_MYSQL, SQL_SQLITE };

/* Parses one statement; a `;` at its end is allowed. Positions are those of `start` (line and
 * column of the first byte of `text`; {1,1} for a text of its own). Nodes go to `arena`; slices
 * of `text` are kept, so it must live as long. Texts in literals go to `pool`. False, with
 * position, on any error. */
bool sql_parse(struct arena *arena, struct text_pool *pool, struct str text, struct pos start,
               enum sql_dialect dialect, struct sql_stmt **stmt, struct err *err);

/* Parses one scalar expression in which columns may stand, as F() gives one: `count + 1`.
 * `hosts` as in sql_stmt: the caller passes the statement or holder it is for. */
bool sql_parse_expr(struct arena *arena, struct text_pool *pool, struct str text, struct pos start,
                    enum sql_dialect dialect, struct sql_stmt *holder, struct sql_expr **expr,
                    struct err *err);

/* The end of the statement that starts at `offset`: the position of the `;` outside of quotes,
 * comments and parentheses that ends it, or text.len. False, with position, if a quote or
 * comment is not closed. */
bool sql_statement_end(struct str text, size_t offset, struct pos start, enum sql_dialect dialect,
                       size_t *end, struct err *err);

/* Fills the resolved fields of every node, expands `*`, marks aggregates and locked sources.
 * Idempotent. False, with the name's position, if a table or column is unknown or ambiguous, or
 * if a rule of SQL is broken (wrong count of values, FOR UPDATE with GROUP BY, aggregate in
 * WHERE). */
bool sql_resolve(struct arena *arena, const struct schema *schema, struct sql_stmt *stmt,
                 struct err *err);

/* Resolves an expression whose columns are those of one table (F(), CHECK, partial index). */
bool sql_resolve_expr(struct arena *arena, const struct schema *schema, uint16_t table,
                      struct sql_expr *expr, struct err *err);

/* Whether the node is a call of an aggregate: COUNT, SUM, MIN of one argument, ... */
bool sql_is_aggregate(const struct sql_expr *expr);

/* The statement on one line, without `;`, as `dialect` writes it. Host values as `:name`. */
void sql_print(const struct sql_stmt *stmt, const struct text_pool *pool, enum sql_dialect dialect,
               struct buf *out);
void sql_print_expr(const struct sql_expr *expr, const struct sql_stmt *holder,
                    const struct text_pool *pool, enum sql_dialect dialect, struct buf *out);

/* A name, quoted as the dialect quotes if it must be. */
void sql_print_name(struct str name, enum sql_dialect dialect, struct buf *out);

/* What stands in place of host value `host` in sql_print_filled; the callback writes it to
 * `out`. */
struct sql_host_printer {
    void (*print)(void *context, uint16_t host, struct buf *out);
    void *context;
};
/* As sql_print, with host values written by the callback: what the engine was really sent. */
void sql_print_filled(const struct sql_stmt *stmt, const struct text_pool *pool,
                      enum sql_dialect dialect, const struct sql_host_printer *hosts,
                      struct buf *out);

/* How a statement is shortened for people; reading it back gives another tree. */
struct sql_brief {
    /* Whether a column that is selected, set or inserted is named; the others become `...`. */
    bool (*shows)(void *context, struct str column);
    void *context;
    int64_t limit_hidden; /* a LIMIT that says nothing; 0: none */
};
/* As sql_print_filled, shortened: qualifiers are left out where one table is in play. */
void sql_print_brief(const struct sql_stmt *stmt, const struct text_pool *pool,
                     enum sql_dialect dialect, const struct sql_host_printer *hosts,
                     const struct sql_brief *brief, struct buf *out);

/* Equality of trees, positions and resolved fields aside; host values by name in sql_equal, by
 * number in sql_expr_equal. */
bool sql_equal(const struct sql_stmt *a, const struct sql_stmt *b, const struct text_pool *pool);
bool sql_expr_equal(const struct sql_expr *a, const struct sql_expr *b,
                    const struct text_pool *pool);

/* A deep copy, resolved fields included: what fixes change. */
struct sql_stmt *sql_copy(struct arena *arena, const struct sql_stmt *stmt);
struct sql_expr *sql_copy_expr(struct arena *arena, const struct sql_expr *expr);

enum sql_advisory { SQL_NO_ADVISORY, SQL_ADVISORY_XACT, SQL_ADVISORY_SESSION, SQL_ADVISORY_UNLOCK };

/* Whether a resolved SELECT takes or gives back an advisory lock: pg_advisory_lock,
 * pg_advisory_xact_lock (also try_ and _shared forms), pg_advisory_unlock, MySQL's GET_LOCK and
 * RELEASE_LOCK. */
enum sql_advisory sql_advisory(const struct sql_stmt *stmt);
/* The same of one expression, NULL being none; what stands within it is not looked at. */
enum sql_advisory sql_advisory_call(const struct sql_expr *call);

const char *sql_dialect_name(enum sql_dialect dialect);
/* "READ COMMITTED" and the like. */
const char *sql_isolation_name(enum sql_isolation isolation);

/* The table that a resolved INSERT, UPDATE or DELETE writes; -1 of any other statement. */
int sql_target_table(const struct sql_stmt *stmt);

#endif
