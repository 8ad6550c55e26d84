/* Two or more servers side by side, and what changes from each to the next: `prove --compare`. Plain data, and its two
 * forms.
 */
#ifndef LW_REPORT_COMPARE_H
#define LW_REPORT_COMPARE_H

#include "report/report.h"

enum { COMPARE_SIDES_MAX = 4, COMPARE_LEVELS_MAX = 6 };

/* A run at one level of a server. */
struct compare_cell {
    struct db_config config;
    bool is_default; /* the level of a session that asks for none */
    struct cell_verdict cell;
};

struct compare_side {
    enum engine_kind engine;
    uint32_t version; /* 0: the default */
    struct compare_cell cells[COMPARE_LEVELS_MAX];
    size_t cell_count;
};

/* One schedule on both servers of a pair that differs. */
struct compare_end {
    struct witness witness;
    struct serial_texts serial;
};

/* Two cells to be read beside each other; indices into the cells of the two sides. */
struct compare_pair {
    size_t from, to;
    bool has_ends;
    bool is_of_to; /* the schedule is the witness of `to`, and tried on `from`; else the other way round */
    struct compare_end from_end, to_end;
};

/* From one side to the next. */
struct compare_move {
    struct compare_pair pairs[COMPARE_LEVELS_MAX + 1];
    size_t pair_count;
};

struct compare_run {
    struct str name; /* may be empty */
    const struct run_setup *setup;
    const struct str *symbols; /* per session */
    bool has_counts;           /* --all-schedules */
    struct compare_side sides[COMPARE_SIDES_MAX];
    size_t side_count;
    struct compare_move moves[COMPARE_SIDES_MAX - 1]; /* from side i to side i + 1 */
};

/* Whether the two end in different ways: another verdict, another error, effects that stay or don't, with
 * counts other counts. */
bool compare_differs(const struct compare_run *run, const struct compare_cell *from,
                     const struct compare_cell *to);

/* What changes in a pair of move `move`, in a sentence; empty if nothing does. */
void compare_words(const struct compare_run *run, size_t move, const struct compare_pair *pair,
                   struct buf *out);

void report_compare_text(const struct report *report, const struct compare_run *runs,
                         size_t run_count, struct buf *out);
void report_compare_json(const struct report *report, const struct compare_run *runs,
                         size_t run_count, struct buf *out);

#endif
