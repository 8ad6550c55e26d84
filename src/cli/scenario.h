/* Runs to look at: those of a .txn file, or functions of a Django project side by side, with rows and arguments made
 * for them. What prove judges and dump lists.
 */
#ifndef LW_CLI_SCENARIO_H
#define LW_CLI_SCENARIO_H

#include "cli/input.h"
#include "cli/pipeline.h"

struct scenario_run {
    struct str name; /* may be empty */
    const struct run_setup *setup;
    const struct str *symbols; /* per session */
};

struct scenario {
    struct arena *arena;
    struct text_pool pool;
    struct find_options find; /* the engines and levels that decide */
    VEC(struct scenario_run) runs;
    struct txn_scenario *txn;       /* of a .txn file, else NULL */
    struct django_project *project; /* else */
    struct str text;                /* of the .txn file */
};

/* Reads one .txn file: its programs and runs, without its own sessions repeated. Runs stay empty. */
bool scenario_read_txn(struct scenario *scenario, struct str path, const struct target *target,
                       struct err *err);

/* Makes the runs of the inputs. `session_count` 0: as many sessions as the run has, two of one function. */
bool scenario_read(struct scenario *scenario, const struct input_list *inputs,
                   const struct target *target, unsigned session_count, struct err *err);

/* The function of a project that is loaded; an error says what was meant. Answers its index, or -1. */
int scenario_function(struct arena *arena, const struct django_project *project,
                      const struct input *input, struct err *err);

/* What a report on the scenario needs of it. */
void scenario_report(struct scenario *scenario, struct report *report);

#endif
