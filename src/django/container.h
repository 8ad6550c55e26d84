/* Containers whose elements are not all known: lists that a loop builds, dicts that hold rows by a column.
 */
#ifndef LW_DJANGO_CONTAINER_H
#define LW_DJANGO_CONTAINER_H

#include "django/values.h"

/* append() and the like change what the container holds; after what isn't known, so is that. False: another method. */
bool container_method(struct lowerer *l, struct val *self, struct str name, struct args *args);
/* A list of which one row is known, or null, in the variable of `row`. */
struct val *sample_of(struct lowerer *l, struct txn_span span, struct row *row);
/* The row that stands for all of a list: the last one; NULL: it isn't known. */
struct row *sample_row(const struct val *list);
/* Whether a list holds nothing yet but rows of the model. */
bool sample_can_start(const struct val *list, const struct model *model);
/* The steps until the end of the step returned are taken for the one row, if there is one. */
struct txn_step *sample_begin(struct lowerer *l, struct txn_span span, const struct val *sample,
                              struct val **item);

/* A dict that holds rows by one of their columns: in_bulk(), {x.id: x for x in rows}. */
struct val *by_key_new(struct lowerer *l, struct txn_span span, struct val *rows,
                       const struct model_field *field);
bool val_is_by_key(const struct val *val);
/* The row of a key. `is_sure`: KeyError if there is none; else null. */
struct val *by_key_item(struct lowerer *l, struct txn_span span, const struct val *by_key,
                        struct val *key, bool is_sure);
struct val *by_key_method(struct lowerer *l, struct val *by_key, struct str name, struct args *args);

#endif
