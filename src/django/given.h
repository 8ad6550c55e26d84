/* Values that come to a function from outside, of which the project says what they are (types.h): the row behind
 * request.user, an attribute that another method set, an argument that callers give. A row of these stays its key until
 * something of it is read or called; then the row is fetched where the function begins, as it was there before.
 */
#ifndef LW_DJANGO_GIVEN_H
#define LW_DJANGO_GIVEN_H

#include "django/types.h"
#include "django/values.h"

/* NULL: the type says nothing that can be used. `text`: what it is called in the source. */
struct val *given_value(struct lowerer *l, struct txn_span span, const struct type *type, struct str text);
/* The request that a view, a middleware and the like get. */
struct val *given_request(struct lowerer *l, struct txn_span span, struct str text);
/* An attribute of a given row or of a request; NULL: neither, or not known. */
struct val *given_attribute(struct lowerer *l, struct txn_span span, struct val *of, struct str name);
/* The row itself; NULL: `val` is none that was given. */
struct val *given_row(struct lowerer *l, struct txn_span span, struct val *val);
/* Fetches what an earlier pass found to be used. */
void given_fetch(struct lowerer *l, struct txn_span span, const struct given_rows *before);

#endif
