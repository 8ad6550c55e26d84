/* Triage: which findings are news. A comment in the source or an entry in a baseline suppresses one, which then moves
 * from `findings->items` to `findings->suppressed`, with the reason; findings on unchanged lines can be left out.
 *
 *     struct triage triage = {.arena = arena, .module = module_of, .context = project, .paths = paths, ...};
 *     triage_rules(&triage, &findings);
 *     triage_comments(&triage, &findings);
 *     triage_baseline(&triage, &baseline, &findings);
 *     triage_move(&triage, &findings);
 *
 * Findings are sorted by path and line, and all steps are linear in findings, comments and entries.
 */
#ifndef LW_TRIAGE_TRIAGE_H
#define LW_TRIAGE_TRIAGE_H

#include "base/map.h"
#include "finding/finding.h"
#include "python/ast.h"

/* Something to be said about a suppression. */
struct triage_warning {
    struct txn_span span;
    struct str text;
    bool is_detail; /* of those that a count stands for */
};

struct triage {
    struct arena *arena;
    /* The parsed file of a path as findings have it, or NULL. */
    const struct py_module *(*module)(void *context, struct str path);
    struct str (*full_path)(void *context, struct str path); /* of such a path */
    void *context;
    const struct str *paths; /* of the files whose comments count */
    const uint32_t *path_rules; /* for each, bit per enum rule: what is reported of it; the rest is left out */
    size_t path_count;
    uint32_t rules;      /* bit per enum rule: those looked for; no other can be missed */
    bool require_reason; /* a comment without one suppresses nothing */
    VEC(struct triage_warning) warnings;
    size_t stale_count; /* findings that the baseline has and nobody found */
};

/* Leaves out the findings of rules that are not reported of their file. */
void triage_rules(struct triage *triage, struct findings *findings);

/* Suppresses what `# noqa`, `# noqa: LW003` and `# lostwrite: ignore[LW003] reason` stand beside: on any line of the
 * statement of the finding's write. Warns of those that suppress nothing (a blanket noqa and foreign codes aside), and of
 * those that cannot be understood. */
void triage_comments(struct triage *triage, struct findings *findings);

/* A baseline: findings that are known, by code, function and statement (docs/check.md). */
struct baseline {
    struct str path; /* of the file */
    struct map entries;
};

/* The JSON of the findings in `items`, sorted, one entry a line. */
void baseline_print(struct triage *triage, const struct findings *findings, struct buf *out);

/* Reads the text of the file `path`. False, with the place, if it is no baseline. */
bool baseline_parse(struct arena *arena, struct str path, struct str text,
                    struct baseline *baseline, struct err *err);

/* Suppresses the findings that the baseline has, each entry as many as it counts, and warns of what it has left. */
void triage_baseline(struct triage *triage, struct baseline *baseline, struct findings *findings);

/* Moves what was suppressed from `items` to `suppressed`. */
void triage_move(struct triage *triage, struct findings *findings);

/* The statement that `line` of a file belongs to, its lines joined, without comments; blanks where they don't matter
 * are left out, so that formatting anew changes nothing. Empty if the file isn't known. */
struct str triage_statement(struct triage *triage, struct str path, uint32_t line);

#endif
