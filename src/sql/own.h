/* Moving a tree out of the arena that it was built in: a copy shares its strings with the original until each has been
 * given a home of its own, here. What is found twice is kept once.
 */
#ifndef LW_SQL_OWN_H
#define LW_SQL_OWN_H

#include "base/map.h"
#include "sql/sql.h"

struct owner {
    struct arena *arena; /* the strings' home */
    struct map texts;    /* text -> its copy, made with map_init */
    struct map statements; /* those that own_shared() was given, made with map_init */
};

/* The text in the owner's arena. */
struct str own_text(struct owner *owner, struct str text);
/* A statement equal to it, positions aside, in the owner's arena: the same for all that are equal, so none may be changed. */
struct sql_stmt *own_shared(struct owner *owner, const struct sql_stmt *stmt);
/* Every string of the statement (not a CREATE), of an expression, of the names of a statement's host values. */
void own_sql(struct owner *owner, struct sql_stmt *stmt);
void own_sql_expr(struct owner *owner, struct sql_expr *expr);
void own_sql_hosts(struct owner *owner, struct sql_stmt *stmt);

#endif
