/* Private to this folder: what the runs of one unit of work show, and findings made of it. */
#ifndef LW_FINDING_COLLECT_H
#define LW_FINDING_COLLECT_H

#include "base/map.h"
#include "finding/finding.h"

/* A run that was judged, with the programs' names. */
struct judged_run {
    struct run_setup setup;
    struct str symbols[DB_SESSIONS_MAX], roots[DB_SESSIONS_MAX], assumptions[DB_SESSIONS_MAX];
    bool is_summary[DB_SESSIONS_MAX], is_editable[DB_SESSIONS_MAX];
    bool is_command[DB_SESSIONS_MAX], is_uncalled[DB_SESSIONS_MAX];
    bool is_cross; /* of two different programs, for what the second changes under the first */
};

/* What a run shows; whether it is news is seen when units are put together. */
struct discovery {
    const struct finding *plain; /* needs no second session and no table: all of it; NULL: the rest says */
    const struct judged_run *run;
    struct culprit culprit;
    bool ends_alike; /* judge_ends_alike */
    struct schedule schedule; /* shows it */
    struct db_config config;
};

/* One unit of work: some runs, made by one thread, which knows what was found before the unit began and what it finds itself. */
struct unit {
    const struct find_options *options;
    const struct findings *known;
    struct arena arena;       /* discoveries and texts; kept with the findings, if it makes any */
    VEC(struct arena *) runs; /* those that discoveries are of; kept until findings are made of them */
    struct arena *scratch;    /* of the runs at hand */
    const struct schema *schema;
    struct text_pool pool;
    struct search_room *room; /* for the runs in the schema at hand */
    VEC(struct discovery) discoveries;
    struct map reached;       /* writes that programs have come to alone, by place_key() */
    struct find_stats stats;
};

/* A unit that knows no discoveries yet. It must stay where it is. */
void unit_init(struct unit *unit, const struct find_options *options, const struct findings *known,
               const struct text_pool *pool);
/* Starts and ends the runs of one schema: what they are made of is let go unless they have shown something. */
void unit_open(struct unit *unit);
void unit_close(struct unit *unit);
/* Nothing is left of it. */
void unit_release(struct unit *unit);

/* Puts units together, and makes findings of what is news. */
struct merge {
    struct arena *arena; /* of the findings */
    const struct find_options *options;
    struct findings *findings;
    struct find_stats *stats;
    struct map reached; /* of all units */
    VEC(struct txn_span) in_summaries; /* what stats->summary_count counts, each once */
};

/* In the order of units, whichever was done first. They are released. */
void merge_units(struct merge *merge, struct unit *units, size_t count);

size_t find_threads(const struct find_options *options);

bool same_place(struct txn_span a, struct txn_span b);
/* A place as a key of maps; of `arena`. */
struct str place_key(struct arena *arena, struct txn_span span);

/* Whether it stands for what two rules tell of one write. A write has one finding for what it computes or decides, and one for
 * the columns that it writes back without having changed them, or the whole row: they lose other things, and are repaired in
 * other ways. */
bool is_same_finding(enum rule a, struct txn_span a_span, enum rule b, struct txn_span b_span);

/* Whether findings of the rule are wanted. */
bool rule_is_wanted(const struct find_options *options, enum rule rule);

/* Notes that replaying `schedule` of the run shows `culprit`; NULL: its rule isn't wanted. */
struct discovery *discover(struct unit *unit, const struct judged_run *run,
                           const struct culprit *culprit, const struct schedule *schedule,
                           const struct db_config *config);

/* Notes what needs no second session and no table: LW008, LW009, LW011. */
void discover_plain(struct unit *unit, enum rule rule, struct txn_span span,
                    const struct subject *subject, struct str table, struct str column);

/* What must hold for a discovery; empty: nothing. Of `arena` where it is put together. */
struct str discovery_assumption(struct arena *arena, const struct discovery *discovery);

/* Whether it is of what a summary writes back, or writes itself: nobody can change that. */
bool discovery_is_nobodys(const struct discovery *discovery);

/* The whole finding: table, witness, fixes. What it holds is of `arena`, new texts of its run too: `*run` gets the run with
 * those. */
void make_finding(struct arena *arena, const struct find_options *options,
                  const struct discovery *discovery, struct finding *finding, struct run_setup *run,
                  size_t *limit_count);

/* The one sentence of a finding. */
struct str finding_message(struct arena *arena, const struct finding *finding);

/* What is known of the effect of that name. */
enum effect_kind effect_kind_of(const struct find_options *options, struct str name);

/* Effects in the trace of one program alone that its transaction does not cover (LW009). */
void find_early_alone(struct unit *unit, const struct subject *subject,
                      const struct trace *trace);

/* Runs a program alone on the inputs of each case and reports assignments that are never saved and row locks
 * outside of a transaction. */
void find_alone(struct unit *unit, const struct subject *subject, const struct inputs *inputs);

#endif
