/* The Python parser: every syntax of Python 3.6 to 3.14 (3.14's reading where versions differ: `async` and
 * `await` are keywords, `print` is a name). A hand-written lexer gives tokens on demand to a recursive
 * descent; nothing is imported or run. It checks what CPython's parser checks (targets of assignments,
 * order of parameters and arguments, escapes), not what its compiler checks later (`return` outside a
 * function, duplicate parameters).
 *
 *     struct py_module *module = py_parse(arena, text);
 *     for (uint32_t i = 0; i < module->error_count; i++) report(module->errors[i]);
 *     for (uint32_t i = 0; i < module->root->Module.body.count; i++) ...
 *
 * After an error the statement is dropped and parsing goes on at the next line that can begin one.
 */
#ifndef LW_PYTHON_PARSE_H
#define LW_PYTHON_PARSE_H

#include "python/ast.h"

/* Parses a whole file. `text` must be followed by a NUL byte that is not counted (file_read and str_dup see to that) and
 * outlive the module; a text in another encoding (by its coding cookie) is converted into the arena.
 * Never fails: what is wrong is in the module's errors. Memory is of `arena`. */
struct py_module *py_parse(struct arena *arena, struct str text);

#endif
