/* What the SQL tests share: one arena and pool a test, and parsing that must succeed or must
 * fail. */
#ifndef LW_TESTS_SQL_SUPPORT_H
#define LW_TESTS_SQL_SUPPORT_H

#include "sql/sql.h"

struct fixture {
    struct arena arena;
    struct text_pool pool;
    struct err err;
};

enum { DIALECT_COUNT = 3 };

void fixture_init(struct fixture *f);
void fixture_release(struct fixture *f);

/* The statement; a text that is refused fails the test with its error. */
struct sql_stmt *must_parse(struct fixture *f, enum sql_dialect dialect, struct str text);
/* The printed statement, in the fixture's arena. */
struct str printed(struct fixture *f, const struct sql_stmt *stmt, enum sql_dialect dialect);
/* Prints in each dialect and reads that again: the trees must be equal, and print alike. */
void must_round_trip(struct fixture *f, const struct sql_stmt *stmt);
/* Applies CREATE statements that are separated by `;`. */
void must_apply(struct fixture *f, struct schema *schema, enum sql_dialect dialect,
                const char *text);
void assert_text(struct str actual, const char *expected);

#endif
