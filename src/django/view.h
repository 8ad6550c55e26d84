/* Generic class-based views: methods that Django and the REST framework have, and the project doesn't show.
 */
#ifndef LW_DJANGO_VIEW_H
#define LW_DJANGO_VIEW_H

#include "django/values.h"

/* Methods of generic views, forms and admins that aren't in the source. */
struct val *view_method(struct lowerer *l, struct val *self, struct str name, struct args *args);
/* The project's dispatch() that a request goes through to get to `func`, a view's get(), post() ...; or NULL. */
struct py_func *view_dispatch(struct django_facts *facts, const struct py_func *func);
/* `entry`, by which a request gets to `handler`, behind its decorators and those that the class has for it. */
struct val *view_decorated(struct lowerer *l, const struct py_func *handler, struct py_func *entry);
/* The queryset a view works on: its get_queryset(), unless that is what asks (`is_super`), `queryset` or `model`; NULL: it
 * isn't known. */
struct queryset *view_queryset(struct lowerer *l, struct val *self, struct txn_span span, bool is_super);

/* view_edit.c: methods that save forms and serializers. NULL: not one of these. */
struct val *view_edit(struct lowerer *l, struct val *self, struct str name, struct args *args);
/* Whether the class has such a method from the framework. */
bool view_edits(struct lowerer *l, const struct val *self, struct str name);
/* What the framework gives to a method of the project that it calls itself: form_valid(form), perform_update(serializer) ...
 * takes the place of the first argument. */
void view_hook_args(struct lowerer *l, const struct py_func *func, struct val *self, struct args *args);

#endif
