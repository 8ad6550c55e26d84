/* The printer's shared parts. Internal to sql/.
 *
 * Text is written so that no dialect's precedence can read it otherwise: operands of predicates,
 * of || and of arithmetic stand in parentheses wherever the dialects disagree, and nowhere else.
 */
#ifndef LW_SQL_PRINT_H
#define LW_SQL_PRINT_H

#include "sql/sql.h"

struct printer {
    const struct sql_stmt *holder; /* whose hosts are named */
    const struct text_pool *pool;
    enum sql_dialect dialect;
    /* Not NULL: the text goes to a server, so what the dialect lacks is put into its own words,
     * even where reading it back gives another tree. */
    const struct sql_host_printer *hosts;
    struct buf *out;
    bool in_duplicate_key; /* `excluded.x` is VALUES(x) */
    const struct sql_brief *brief; /* NULL: everything is written */
    size_t source_count;           /* tables and subqueries written so far */
    bool is_unqualified;           /* brief: a column's table is not named */
};

/* A text as it stands. */
void print_c(struct printer *p, const char *text);
/* A name, quoted as the dialect quotes if it must be. */
void print_name(struct printer *p, struct str name);
/* A node with what is below it, without parentheses around it. */
void print_expr(struct printer *p, const struct sql_expr *expr);
void print_select(struct printer *p, const struct sql_select *select);
void print_create(struct printer *p, const struct sql_stmt *stmt);
/* A name in quotes, whether it needs them or not. */
void print_quoted_name(struct printer *p, struct str name);
/* ", " before all but the first. */
void print_comma(struct printer *p, size_t index);
/* Names with commas between. */
void print_names(struct printer *p, const struct str *names, size_t count);
/* A string literal, escaped as the dialect reads it. */
void print_text(struct printer *p, struct str text);

#endif
