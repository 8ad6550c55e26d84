/* The configuration of a project: `[tool.lostwrite]` of a pyproject.toml, or a lostwrite.toml, in the folder of what is
 * checked or the nearest above it that has one (docs/check.md lists the keys).
 */
#ifndef LW_CLI_CONFIG_H
#define LW_CLI_CONFIG_H

#include "cli/target.h"
#include "explain/rules.h"
#include "files/walk.h"

/* Rules that are not reported in some files. */
struct config_ignore {
    struct ignore_list files; /* one pattern */
    bool is_negated;          /* in all others */
    uint32_t rules;           /* bit per enum rule */
};

struct config {
    struct str path; /* of the file; empty: there is none */
    struct arena *arena;
    struct target target;
    uint32_t selected, ignored; /* bit per enum rule; `selected` 0: all */
    bool with_tests, with_migrations, require_reason;
    struct ignore_list exclude;
    const char *baseline; /* NULL: none */
    VEC(struct config_ignore) per_file_ignores;
    VEC(struct str) roots; /* dotted names, or patterns of such: where requests begin */
};

/* Finds and reads the configuration that is meant for all of the paths, which exist; or reads `file`, if it isn't NULL.
 * False, with the place, if it is wrong, or if two paths have different ones. */
bool config_load(struct arena *arena, const char *const *paths, size_t path_count,
                 const char *file, struct config *config, struct err *err);

/* Reads the text of the file of that path. `folder`: its folder, in full. */
bool config_parse(struct arena *arena, struct str path, struct str folder, struct str text,
                  struct config *config, struct err *err);

#endif
