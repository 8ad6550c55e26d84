/* Which lines of a git repository's files changed since a commit: by `git diff`, the working tree beside the commit. A
 * file that git does not know yet is new in all its lines; of a renamed one only the lines that changed are.
 *
 *     struct changes changes;
 *     if (!changes_read(arena, "shop", "origin/main", &changes, err)) return false;
 *     if (changes_touch(&changes, full_path, 10, 12)) ...
 */
#ifndef LW_TRIAGE_CHANGES_H
#define LW_TRIAGE_CHANGES_H

#include "triage/triage.h"

struct changes {
    struct map files;         /* full path -> its lines */
    struct map folders, tops; /* that git was asked about; the folders of repositories */
};

/* An empty set. */
void changes_init(struct changes *changes, struct arena *arena);

/* Adds what changed since `revision` in the repository around `folder`. False if that is in none, if there is no such
 * commit, or no git. */
bool changes_add(struct arena *arena, const char *folder, const char *revision,
                 struct changes *changes, struct err *err);

/* Adds what a `git diff -U0` with prefixes a/ and b/ says. `top`: full path of the repository's folder. False if it is
 * no such text. */
bool changes_add_diff(struct arena *arena, struct str top, struct str diff,
                      struct changes *changes, struct err *err);

/* Whether one of the lines changed. Where lines were taken out, the one before and the one behind count. */
bool changes_touch(const struct changes *changes, struct str full_path, uint32_t first,
                   uint32_t last);

/* Leaves out the findings of which nothing changed: neither the statement of the write, nor that of a read, of the other
 * writer or of any step of the witness; and the warnings about comments on other lines. Answers how many findings. */
size_t triage_changes(struct triage *triage, const struct changes *changes,
                      struct findings *findings);

#endif
