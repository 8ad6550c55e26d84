/* Private to this folder: attributes that a row does not have. */
#ifndef LW_DJANGO_LACKS_H
#define LW_DJANGO_LACKS_H

#include "django/lower.h"

/* Whether rows of the model never have an attribute of that name: it is no member, and nothing in the project assigns it. */
bool model_lacks(struct django_facts *facts, struct model *model, struct str name);

/* The same of a row at hand: what assigns it, if anything, is code that this program has not run for the row, nor what loaded
 * it. Not known of a row that the caller holds. */
bool row_lacks(struct lowerer *l, const struct row *row, struct str name);

#endif
