/* What the tests of programs have in common: one arena and pool a test, and parsing that must
 * succeed. */
#ifndef LW_TESTS_PROGRAM_SUPPORT_H
#define LW_TESTS_PROGRAM_SUPPORT_H

#include "program/build.h"
#include "program/notation.h"

struct fixture {
    struct arena arena;
    struct text_pool pool;
};

void fixture_init(struct fixture *f);
void fixture_release(struct fixture *f);

/* Parses `text` as "test.txn"; a fault fails the test with its message. */
struct txn_scenario *fixture_parse(struct fixture *f, const char *text);
/* Parses `text`, which must fail; gives "line:column: message" in the arena. */
const char *fixture_fault(struct fixture *f, const char *text);
/* Prints the scenario, reads that back and fails the test unless the two are equal; gives the
 * second. */
struct txn_scenario *fixture_round_trip(struct fixture *f, const struct txn_scenario *scenario,
                                        enum sql_dialect dialect);

/* A table `counter (id, count, name)` and `other (id, counter_id)`, to put programs after. */
extern const char *const fixture_schema;

#endif
