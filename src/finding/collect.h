/* Private to this folder: making one finding out of a culprit, and keeping each write once. */
#ifndef LW_FINDING_COLLECT_H
#define LW_FINDING_COLLECT_H

#include "base/map.h"
#include "finding/finding.h"

struct collector {
    struct arena *arena, *scratch;
    const struct schema *schema;
    struct text_pool *pool;
    const struct find_options *options;
    struct findings *findings;
    struct find_stats *stats;
    struct search_room room; /* for the runs in the schema at hand */
    struct map *reached;     /* writes that some program has come to alone, by place_key() */
    VEC(struct txn_span) in_summaries; /* what stats->summary_count counts, each once */
};

/* A run that was judged, with the programs' names. */
struct judged_run {
    struct run_setup setup;
    struct str symbols[DB_SESSIONS_MAX], roots[DB_SESSIONS_MAX], assumptions[DB_SESSIONS_MAX];
    bool is_summary[DB_SESSIONS_MAX], is_editable[DB_SESSIONS_MAX];
};

bool same_place(struct txn_span a, struct txn_span b);
/* A place as a key of maps; of `arena`. */
struct str place_key(struct arena *arena, struct txn_span span);

/* The finding at this write that stands for `rule`, or NULL. A write has one for what it computes or
 * decides, and one for the columns that it writes back without having changed them: they lose other
 * things, and are repaired in other ways. */
struct finding *finding_at(const struct findings *findings, struct txn_span span, enum rule rule);

/* Whether findings of the rule are wanted. */
bool rule_is_wanted(const struct find_options *options, enum rule rule);

/* Makes a finding of `culprit`, which replaying `schedule` shows: table, witness, fixes. Nothing if its write has one already, or its rule
 * isn't wanted. */
void add_finding(struct collector *c, const struct judged_run *run, const struct culprit *culprit,
                 const struct schedule *schedule, const struct db_config *config);

/* A finding that needs no second session and no table: LW008, LW011. */
struct finding *add_plain_finding(struct collector *c, enum rule rule, struct txn_span span,
                                  const struct subject *subject, struct str table,
                                  struct str column);

/* The one sentence of a finding. */
struct str finding_message(struct arena *arena, const struct finding *finding);

/* Effects in the trace of one program alone that its transaction does not cover (LW009). */
void find_early_alone(struct collector *c, const struct subject *subject,
                      const struct trace *trace);

/* Runs a program alone on the inputs of each case and reports assignments that are never saved and row locks
 * outside of a transaction. */
void find_alone(struct collector *c, const struct subject *subject, const struct inputs *inputs);

#endif
