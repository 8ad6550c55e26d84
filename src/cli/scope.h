/* Which files a command line means: its paths and all below them. What is found elsewhere in the project is nobody's
 * question.
 */
#ifndef LW_CLI_SCOPE_H
#define LW_CLI_SCOPE_H

#include "base/err.h"
#include "base/vec.h"

struct scope {
    struct arena *arena;
    VEC(struct str) folders; /* full paths, of files too */
    struct str last_path;    /* the answer is kept: most questions are about the same file */
    bool last_answer;
};

/* Takes the paths, each a folder or a Python file. False if one cannot be read or is no Python. */
bool scope_init(struct scope *scope, struct arena *arena, const char *const *paths, size_t count,
                struct err *err);

bool scope_has(struct scope *scope, struct str path);

#endif
