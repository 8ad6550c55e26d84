/* Rows and arguments for programs that come without any. They are taken from the programs themselves: the
 * constants that a column or parameter is compared with or assigned, values beside them, and fresh ones;
 * and enough assignments of them that every step is reached that can be (DESIGN section 5), also those paths that
 * a program takes only because another has run before it: there the two have something to race for.
 *
 * Parameters that find rows (`WHERE id = :id`) get the same value in every session, so that sessions meet on one
 * row; parameters that are stored get another value in each, so that outcomes tell who wrote.
 */
#ifndef LW_INPUTS_INPUTS_H
#define LW_INPUTS_INPUTS_H

#include "verdict/verdict.h"

enum { INPUT_CASES_MAX = 12, INPUT_RUNS_MAX = 96 };

/* One assignment: rows to load, and the arguments of each session. */
struct input_case {
    VEC(struct sql_stmt *) setup;
    struct value *args[DB_SESSIONS_MAX];
    size_t reached_count; /* steps of all programs that were reached in it */
    uint32_t writers;     /* sessions that sent a statement that writes, each run alone */
};

struct inputs {
    VEC(struct input_case) cases; /* the plainest first; at most INPUT_CASES_MAX */
    size_t step_count, reached_count; /* steps of the programs (each once), and those that some case reached */
    size_t reached_writes;            /* statements that write among these */
    /* In: once so many steps, or so many statements that write, are reached, no more are looked for; 0: not known how many
     * can be. */
    size_t goal, goal_writes;
};

/* What the cases are to reach: every step; or also the paths that hang on who comes first, which takes longer. */
enum inputs_aim { INPUTS_STEPS, INPUTS_PATHS };

/* Makes inputs for `programs` side by side (the same one twice is allowed). Each case was run, program by program,
 * on the built-in engine of `config`. `inputs` is zero but for its goal. Only tables that the programs name get rows, and those their foreign keys need. */
void inputs_make(struct arena *arena, struct arena *scratch, const struct schema *schema,
                 struct text_pool *pool, const struct db_config *config,
                 const struct txn_program *const *programs, size_t program_count,
                 enum inputs_aim aim, struct inputs *inputs);

#endif
