/* Patterns that name files, in the form of .gitignore (gitignore(5)): one a line, `!` takes back, `/` at the end means
 * folders only, elsewhere it ties the pattern to the folder of its list. The last that matches decides.
 */
#ifndef LW_FILES_IGNORE_H
#define LW_FILES_IGNORE_H

#include "base/vec.h"
#include "files/glob.h"

struct ignore_pattern {
    struct str text; /* without `!` and slashes at its ends */
    bool is_negated, is_folder_only;
    bool is_tied; /* to the list's folder; else to any name below it */
};

struct ignore_list {
    struct str folder; /* full path of the folder it is about; "/" has an empty one */
    VEC(struct ignore_pattern) patterns;
    const struct ignore_list *outer; /* asked when this one says nothing */
};

enum ignore_answer { IGNORE_UNKNOWN, IGNORE_YES, IGNORE_NO };

/* Adds a pattern; comments and empty lines add nothing. `line` must outlive the list. */
void ignore_add(struct arena *arena, struct ignore_list *list, struct str line);

/* Adds all lines of a text. */
void ignore_add_lines(struct arena *arena, struct ignore_list *list, struct str text);

/* What the list, and those around it, say of the file or folder with this full path; nothing, if it isn't below the
 * list's folder. Of the folders around it nothing is asked: who walks does not enter an ignored one. */
enum ignore_answer ignore_ask(const struct ignore_list *list, struct str full_path, bool is_folder);

/* The same for a path by itself: ignored, too, if a folder of the list's that it stands in is. */
bool ignore_has(const struct ignore_list *list, struct str full_path);

#endif
