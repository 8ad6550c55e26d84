/* For tests that run .txn files: one read with all its memory, and its runs as what `judge` takes. Faults in the
 * text fail the test, unless the test asks to be told.
 */
#ifndef LW_TESTS_SUPPORT_SCENARIO_H
#define LW_TESTS_SUPPORT_SCENARIO_H

#include "program/notation.h"
#include "verdict/verdict.h"

struct scenario {
    struct arena arena; /* all of it */
    struct text_pool pool;
    struct txn_scenario *txn;
};

/* Reads `text`, SQL in PostgreSQL's dialect. False if it is no .txn file; then nothing is to be released. */
bool scenario_try(struct scenario *scenario, struct str text, struct err *err);
/* The same; a fault fails the test with its place. */
void scenario_read(struct scenario *scenario, const char *text);
/* The same of a file. */
void scenario_load(struct scenario *scenario, const char *path);
void scenario_release(struct scenario *scenario);

/* Run number `run` as a setup, with as many sessions as it names, or `session_count` if that is not 0: its sessions
 * over again, as `--sessions` has it. It lives as long as the scenario. */
void scenario_setup(const struct scenario *scenario, size_t run, size_t session_count,
                    struct run_setup *setup);

#endif
