/* Repairs as edits of the Python source. A fix (fix/fix.h) says place by place what it changes in the programs; here that
 * becomes text put in place of text in the files that the programs were made from. Everything else stays as it is,
 * comments and indentation too; an import is added where a name is wanted that the module does not have.
 *
 * What cannot be written so is refused with a reason: no patch is better than a doubtful one. Whether the patch does what
 * the fix did is for the caller to check, by reading the project again with the files as patched.
 *
 *     if (patch_make(&source, &repair, &patch, &why) && patch_join(&all, &patch))
 *         for each file: patch_diff(path, text, patch_apply(arena, &all, path, text), &out);
 */
#ifndef LW_PATCH_PATCH_H
#define LW_PATCH_PATCH_H

#include "django/facts.h"
#include "fix/fix.h"

/* Bytes [from, to) of a file give way to `text`. */
struct patch_edit {
    struct module *module;
    uint32_t from, to;
    struct str text;
    bool is_import; /* what is inserted at one place by two repairs goes together */
};

/* Edits that do not meet, by path and place. Lines inserted at one place stand in the order in which they were added. */
struct patch {
    struct arena *arena;
    VEC(struct patch_edit) edits;
};

/* Where patches are made. */
struct patch_source {
    struct arena *arena;
    struct django_facts *facts;
    const struct txn_program *const *programs; /* all of the project: who else comes by a line */
    size_t program_count;
};

/* What is to be written into the source. */
struct repair {
    const struct fix_edit *edits;
    size_t edit_count;
    enum rule rule;        /* of the finding, the table it is about, and its place */
    struct str table;
    struct txn_span write;
    enum repair_reach {
        REPAIR_WRITE,   /* of what is written otherwise only the finding's own write, and what else its session does */
        REPAIR_SESSION, /* all that its session does: another writer has a finding of its own */
        REPAIR_RUN
    } reach;
    uint8_t session;
    bool is_wide; /* the transaction around the program's function, not around the one that reads and writes */
};

/* False, with the reason, if it cannot be written. `*patch` need not be initialised. */
bool patch_make(const struct patch_source *source, const struct repair *repair, struct patch *patch,
                struct str *why);

/* Adds the edits of `more`; the same edit twice is one. False, and nothing is added, if two meet. */
bool patch_join(struct patch *into, const struct patch *more);

/* Adds an edit of the same repair: lines may stand at one place. False if it meets another. */
bool patch_add(struct patch *patch, struct patch_edit edit);

bool patch_is_same(const struct patch *a, const struct patch *b);

/* The module's text as patched. */
struct str patch_apply(struct arena *arena, const struct patch *patch, const struct module *module);

/* A unified diff, as `git apply` and `patch -p1` take it; nothing if the texts are equal. */
void patch_diff(struct str path, struct str before, struct str after, struct buf *out);

#endif
