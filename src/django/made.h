/* Private to this folder: rows that the callers of a function have just made. */
#ifndef LW_DJANGO_MADE_H
#define LW_DJANGO_MADE_H

#include "django/facts.h"

/* Whether all calls that may be of `func`, and there are some, give it for each row that its program is handed one that they, or
 * their callers, have just made: by a model's class, by a function that is named after making, or returns what it made. */
bool callers_made_rows(struct django_facts *facts, const struct py_func *func, const struct txn_program *program);

#endif
