/* Texts of which a part is known: the pattern of such a value has a hole where something stands that only the run knows.
 */
#ifndef LW_DJANGO_TEMPLATE_H
#define LW_DJANGO_TEMPLATE_H

#include "django/values.h"

enum { TEMPLATE_HOLE = 1 };

/* The text, or what is known of it. False: nothing. */
bool template_of(struct lowerer *l, const struct val *val, struct str *pattern);
/* Appends a value as it stands in a text; NULL: a hole. */
void template_add(struct lowerer *l, const struct val *val, struct buf *out);
/* The value with that pattern, which is released: a literal, if it has no hole. */
struct val *template_done(struct lowerer *l, struct val *val, struct buf *pattern);
/* format % values. */
void template_percent(struct lowerer *l, struct str format, const struct val *values, struct buf *out);
/* format.format(...). */
void template_format(struct lowerer *l, struct str format, const struct args *args, struct buf *out);
/* Whether the text may turn out to be this one. */
bool template_may_be(struct str pattern, struct str name);

#endif
