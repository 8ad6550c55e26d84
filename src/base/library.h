/* A library that is loaded when what needs it is first used. `NAME.def` beside it lists the
 * functions that are used; they are reached through a struct of pointers of the library's own types.
 */
#ifndef LW_BASE_LIBRARY_H
#define LW_BASE_LIBRARY_H

#include "base/err.h"

struct library_function {
    const char *name;
    void *pointer; /* where the function's address goes */
};

/* Finds each of the functions in the shared library `file`. False, with what is missing and that `user` ("such a URL")
 * needs it, if it or one of them is not there. It stays loaded. */
bool library_load(const char *file, const char *user, const struct library_function *functions,
                  size_t count, struct err *err);

#endif
