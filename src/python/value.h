/* The values of Constant nodes, decoded when asked for. */
#ifndef LW_PYTHON_VALUE_H
#define LW_PYTHON_VALUE_H

#include "python/ast.h"

/* The value of a Constant of kind Str or Bytes: escapes decoded, adjacent literals joined, line ends as \n.
 * A slice of the source where nothing had to change, else arena memory. Lone surrogates stand as
 * three bytes each. False if it has a \N{...} escape, whose name is not looked up: U+FFFD stands in its place. */
bool py_string_value(struct arena *arena, const struct py_node *constant, struct str *value);

/* The value of a Constant of kind Int; False if it is over INT64_MAX. */
bool py_int_value(const struct py_node *constant, int64_t *value);

/* The value of a Constant of kind Float, or the imaginary part of a Complex. */
double py_float_value(const struct py_node *constant);

#endif
