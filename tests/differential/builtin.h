/* The built-in engine's side: from a trial to its script. */
#ifndef LW_TESTS_DIFFERENTIAL_BUILTIN_H
#define LW_TESTS_DIFFERENTIAL_BUILTIN_H

#include "script.h"

/* The built-in engine with the tables of a world, and the rows of a trial. */
struct builtin {
    struct arena arena; /* of the world */
    struct arena run;   /* of a trial */
    struct text_pool pool;
    struct schema schema;
    const struct policy_under_test *policy;
    struct db *loaded; /* with the rows, nothing done yet */
    struct db *db, *before;
};

/* Makes it for the tables of a world. False if the engine does not know them. */
bool builtin_open(struct builtin *builtin, const struct world *world,
                  const struct policy_under_test *policy, struct err *err);
void builtin_close(struct builtin *builtin);

/* Plays a trial. `*script` is of the trial's arena. A step is passed over if its session waits, if its transaction has
 * failed and the step does not end it, or if a server would let two go on at once: which is first is chance there.
 * False if the rows can't be loaded. */
bool builtin_play(struct builtin *builtin, struct trial *trial, struct script *script,
                  struct err *err);

/* Whether what the committed transactions of the script answered, and the rows in the end, come out of running them one
 * after the other in some order. What an error told is left out. `*is_known`: false if there were too many. */
bool builtin_is_serializable(struct builtin *builtin, const struct script *script,
                             bool *is_known);

/* A statement, parsed and resolved; NULL, with the reason, if the engine does not know it. */
const struct sql_stmt *builtin_stmt(struct builtin *builtin, struct str sql, struct err *err);

/* Fills an answer from the engine's. */
void builtin_answer(struct builtin *builtin, struct arena *arena, const struct sql_stmt *stmt,
                    struct str sql, const struct db_result *result, struct answer *answer);

#endif
