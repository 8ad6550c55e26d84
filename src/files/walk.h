/* Which Python files of a folder are a project's: all below it, but those that git ignores, tests, migrations, and what
 * is never anybody's own source (virtual environments, node_modules, hidden folders).
 */
#ifndef LW_FILES_WALK_H
#define LW_FILES_WALK_H

#include "base/err.h"
#include "base/map.h"
#include "files/ignore.h"

struct file_options {
    bool with_tests, with_migrations;
    const struct ignore_list *exclude; /* left out too; NULL: nothing */
    const struct map *texts; /* struct str by path: what is read in place of these files' own; NULL: nothing */
};

/* A folder that could not be read. */
struct walk_failure {
    struct str path, reason;
};

struct file_walk {
    struct arena *arena;
    const struct file_options *options;
    VEC(struct str) paths; /* of the files: the folder's path as it was given, and what is below it */
    VEC(struct walk_failure) failures;
    bool with_tests, with_migrations; /* of the folder at hand */
};

/* A walk with nothing found yet. */
void file_walk_init(struct file_walk *walk, struct arena *arena, const struct file_options *options);

/* Adds the files below a folder, in the order of their names. `full_path` is its path in full. The folder itself is
 * entered whatever it is called. `project`: the full path of the project's folder if the user named this one; if a
 * folder of tests or of migrations stands on the way from there (or it is one itself), those are asked for. Empty: nobody did. */
void file_walk_folder(struct file_walk *walk, struct str path, struct str full_path, struct str project);

/* Whether the name at the end of a path is one of a file of tests. */
bool file_walk_is_test(struct str path);

#endif
