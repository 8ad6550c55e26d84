/* What the tests of the Python parser share. */
#ifndef LW_TESTS_PYTHON_SUPPORT_H
#define LW_TESTS_PYTHON_SUPPORT_H

#include "python/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Parses a NUL-terminated text; memory is of `arena`. */
struct py_module *parse_c(struct arena *arena, const char *text);

/* The only statement of the text, which must have no errors; its value, if it is an expression. */
struct py_node *parse_expr(struct arena *arena, const char *text);

/* Asserts that the text has exactly one error, there and with this message, and `kept` statements. */
void assert_error(const char *text, uint32_t line, uint32_t column, const char *message,
                  uint32_t kept);

/* `count` times `part`, then `end`, in the arena. */
struct str repeated(struct arena *arena, const char *start, const char *part, size_t count,
                    const char *end);

#endif
