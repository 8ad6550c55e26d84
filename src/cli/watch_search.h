/* What the recorded transactions can lose: the programs that watch recalls from traffic, given to the search of `check`. */
#ifndef LW_CLI_WATCH_SEARCH_H
#define LW_CLI_WATCH_SEARCH_H

#include "cli/pipeline.h"
#include "watch/watch.h"

/* A run that showed a finding, as it is written to files. */
struct shown_run {
    struct str base_id, txn, spec;
    bool is_taken;
};

struct watch_search {
    struct arena *arena;
    struct text_pool pool;
    struct find_options find;
    struct txn_scenario *scenario; /* the programs, without runs */
    struct str text;               /* as .txn */
    struct findings findings;
    struct find_stats stats;
    size_t program_count;
    bool is_pedantic; /* findings too that rest on an assumption */
    size_t assumed_count; /* those that are left out */
    VEC(struct shown_run) runs;
};

/* Reads the programs and searches them. False if the text is not read, which is an error of lostwrite's. */
bool watch_search(struct watch_search *search, struct str text, const struct watch_programs *programs,
                  const struct target *target, struct err *err);

/* What a report on it needs. */
void watch_search_report(struct watch_search *search, struct report *report);

/* Writes a file for each finding into the folder, made if need be, as `lostwrite prove` takes it: LW003-1a2b3c4d.txn. */
bool watch_emit(struct watch_search *search, const char *folder, size_t *count, struct err *err);

#endif
