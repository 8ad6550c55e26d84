/* Repairs of a mistake, each tried by the same search that found it. A repair is a rewriting of the program (of every
 * program of the run that makes the same mistake); it is explored on every engine and level, and what it
 * does alone is compared with what the program did alone before.
 */
#ifndef LW_FIX_FIX_H
#define LW_FIX_FIX_H

#include "verdict/policies.h"
#include "verdict/witness.h"

enum fix_kind {
#define FIX(name, kind, text, cost) FIX_##name,
#include "fix/kind.def"
#undef FIX
    FIX_KIND_COUNT
};

/* SAFE: nothing is lost, deadlocks or fails. RETRY: nothing is lost, but there is an error that the program must
 * handle by trying again. CHANGES: alone it does not what the program did. LIMIT: the search was cut short with
 * nothing found yet. */
enum fix_verdict { FIX_SAFE, FIX_LOST, FIX_DEADLOCK, FIX_RETRY, FIX_CHANGES, FIX_LIMIT };

/* What a repair changes at one place of the source; whoever writes it into the source goes by these. */
enum fix_edit_kind {
    FIX_EDIT_FIELDS,        /* this save() writes `columns` only */
    FIX_EDIT_EXPRESSION,    /* the database computes what this assigns to `columns` (one) */
    FIX_EDIT_UPDATE,        /* the same in an update() */
    FIX_EDIT_LOCK,          /* this read takes row locks */
    FIX_EDIT_ATOMIC,        /* all of the program is one transaction; the span is of its function's name */
    FIX_EDIT_RELOAD_AHEAD,  /* the object is loaded again ahead of this assignment to it */
    FIX_EDIT_RELOAD_BEHIND, /* ... behind this save() of it */
    FIX_EDIT_GUARD,         /* this save() becomes an update() of `columns` where `guards` are still what they were at `place`,
                             * their first assignment; no row: what stands at `raise` */
    FIX_EDIT_EFFECT         /* this, done ahead of the write, is done behind it; beside GUARD */
};

struct fix_edit {
    enum fix_edit_kind kind;
    uint8_t session; /* the first of its program */
    struct txn_span span;
    VEC(struct str) columns, guards;
    struct txn_span place, raise;
};

struct fix {
    enum fix_kind kind;
    enum fix_verdict verdict;              /* on the user's engine and level, see fix_options.config */
    struct cell_verdict cells[POLICY_COUNT];
    bool is_explored[POLICY_COUNT];        /* false: the policy doesn't apply (the fix names its own level, the version has no such) */
    struct str text;                       /* for this code: "save(update_fields=[\"foo\"])" */
    const struct txn_program *programs[DB_SESSIONS_MAX]; /* as rewritten, per session */
    struct run_setup run;                  /* of them, with the rows; it lives no longer than the run that was given */
    struct txn_span span;                  /* the statement that changes */
    VEC(struct fix_edit) edits;            /* none: it takes more than edits of this code */
};

struct fixes {
    VEC(struct fix) items; /* in the order to offer them: those that are safe first, then by fix_kind */
};

struct fix_options {
    const struct db_config *config; /* the user's engine and level: what a fix is first judged by */
    uint64_t steps_max;             /* per cell, as judge_options */
    struct policies policies;       /* the versions it is explored on */
    struct search_room *room;       /* for searches in the run's schema; NULL: one of its own */
};

/* Tries every repair that fits `culprit`, found in a run of `setup`. Programs of the run are not changed. False if the
 * rows cannot be loaded. */
bool fix_try_all(struct arena *arena, struct arena *scratch, const struct run_setup *setup,
                 const struct culprit *culprit, const struct fix_options *options,
                 struct fixes *fixes, struct err *err);

/* What a save() at one place does in a program: the columns that the program assigns among those it writes, each added
 * once, and whether it makes the row (an INSERT that is not the one behind an UPDATE that met none). */
struct save_uses {
    VEC(struct str) columns;
    bool may_insert;
};
void save_uses_add(struct arena *arena, const struct txn_program *program, struct txn_span span,
                   struct save_uses *uses);

const char *fix_kind_name(enum fix_kind kind);       /* "f-expression" */
const char *fix_cost(enum fix_kind kind);            /* "the others wait"; empty: nothing to say */
const char *fix_verdict_name(enum fix_verdict verdict); /* "safe" */

#endif
