/* Values that are different kinds of things on different paths: VAL_CHOICE. `var` says which of `items` it is, counted from
 * 0. What is done with one is done with each by choice_each.
 */
#ifndef LW_DJANGO_CHOICE_H
#define LW_DJANGO_CHOICE_H

#include "django/values.h"

enum { CHOICE_ITEMS_MAX = 4 };

/* One of the values, as the site that it comes from says; NULL: they are too many. A value may be NULL: unset there. */
struct val *choice_merge(struct lowerer *l, struct txn_span span, struct str name,
                         const struct flow_sites *sites, struct val **vals, size_t count);

/* Querysets that differ in their conditions alone are one, with conditions that hang on the path; NULL: they aren't such. */
struct val *choice_of_queries(struct lowerer *l, struct txn_span span, struct str name,
                              const struct flow_sites *sites, struct val **vals, size_t count);

/* Conditions (Q) as one condition, of which each part hangs on the path; NULL: they aren't all conditions. */
struct val *choice_of_conditions(struct lowerer *l, struct txn_span span, struct str name,
                                 const struct flow_sites *sites, struct val **vals, size_t count);

/* The rows that are in one of two querysets alike, or in both; NULL: they aren't alike. */
struct queryset *choice_union(struct lowerer *l, struct txn_span span, const struct queryset *a,
                              const struct queryset *b, bool is_both);

/* What `each` gives of the item that the value is: it is called for every item, in a branch of its own where it takes
 * steps. */
typedef struct val *choice_case(struct lowerer *l, struct val *item, void *context);
struct val *choice_each(struct lowerer *l, struct txn_span span, struct val *of, choice_case *each,
                        void *context);

#endif
