/* Errors of the program stage: what is wrong, where, and what may have been meant. Used by the
 * builder, the checker and the notation's parser; no other folder includes it.
 *
 *     return txn_fault(err, expr->span, "unknown variable `%.*s`%s", STR_ARG(name), hint.text);
 */
#ifndef LW_PROGRAM_FAULT_H
#define LW_PROGRAM_FAULT_H

#include "program/program.h"

/* Fills `err` with the start of `span` and its path. Always false. */
bool txn_fault(struct err *err, struct txn_span span, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* An error found in the SQL of a step. If its place is within `span`, the SQL stands in the
 * source and the place is kept; otherwise a front end made the text: the error goes to the step
 * and the message says where in the SQL. `sql`: the text, or empty. Always false. */
bool txn_sql_fault(struct err *err, struct txn_span span, struct str sql, const struct err *cause);

/* "; did you mean `count`?" for the candidate nearest to a name, or nothing. */
struct suggestion {
    struct str name;
    struct str nearest;
    size_t distance;
    char text[96];
};
void txn_suggestion_init(struct suggestion *s, struct str name);
void txn_suggestion_try(struct suggestion *s, struct str candidate);
/* The hint's text, owned by `s`: "" if no candidate is near. */
const char *txn_suggestion_text(struct suggestion *s);

#endif
