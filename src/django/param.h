/* Arguments of a function that is lowered as a root: nobody in the project says what they are. */
#ifndef LW_DJANGO_PARAM_H
#define LW_DJANGO_PARAM_H

#include "django/values.h"

/* `self` of a method: a row fetched by its key, a class, a queryset, or an object of a class; NULL if there is
 * none (a function, a static method) or the model isn't known. */
struct val *param_self(struct lowerer *l, const struct py_func *func);
/* Whether a call gives the function something unknown where it takes a row: then its body does less than it might. */
bool param_is_vague(struct lowerer *l, const struct py_func *func, const struct fields *locals);
/* The other parameters, in order. */
void param_args(struct lowerer *l, const struct py_func *func, struct val *self, struct args *args);

#endif
