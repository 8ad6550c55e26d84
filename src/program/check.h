/* Inside of the checker (check*.c): its state, and the passes in the order in which txn_check runs
 * them.
 *
 * 1. shape: variables have names, blocks are not too deep, `break` stands in a loop ...
 * 2. statements: resolved against the schema; host names become variables.
 * 3. types: what a variable holds is inferred from what is put into it, to a fixed point.
 * 4. use: every expression and statement uses variables as what they are; columns are resolved.
 * 5. flow: no variable is read on a path on which nothing was put into it.
 *
 * A pass may rely on what those before it established. Each returns false at the first fault.
 */
#ifndef LW_PROGRAM_CHECK_H
#define LW_PROGRAM_CHECK_H

#include "program/fault.h"
#include "program/program.h"

enum { TXN_EXPR_DEPTH_MAX = 128 };

struct check {
    struct arena *arena;
    const struct schema *schema;
    struct text_pool *pool;
    struct txn_program *program;
    struct err *err;
    struct txn_span *bound_at; /* per variable: the step whose value gave it its type */
    bool *is_bound;            /* per variable: something is put into it somewhere */
    bool has_changed;          /* types: another round is needed */
};

/* What an expression or variable holds. UNKNOWN: nothing but null so far, fits everything. */
struct check_type {
    enum txn_type type;
    uint16_t table; /* ROW, ROWS */
};

bool txn_check_shape(struct check *c);
bool txn_check_statements(struct check *c);
bool txn_check_types(struct check *c);
bool txn_check_use(struct check *c);
bool txn_check_flow(struct check *c);

/* Calls `visit` for each step of `block`, outer before inner, in the order of the text. */
typedef bool txn_check_visit(struct check *c, struct txn_step *step);
bool txn_check_each_step(struct check *c, struct txn_block *block, txn_check_visit *visit);

/* The variable that the step's value goes into, or TXN_NO_VAR. RELOAD and KEY change an object
 * and bind nothing. */
uint16_t txn_check_step_binds(const struct txn_step *step);

/* The table whose columns a statement gives: one source of its FROM list, or of its RETURNING. */
bool txn_check_result_table(struct check *c, const struct txn_step *step, uint16_t *table);

/* The type of an expression as far as its variables' types are known. Doesn't check anything. */
struct check_type txn_check_infer(const struct check *c, const struct txn_expr *expr);

/* Checks an expression and resolves its columns; its type goes to `*type`. */
bool txn_check_expr(struct check *c, struct txn_expr *expr, struct check_type *type);
/* The same, and it must be a scalar (or null). */
bool txn_check_scalar(struct check *c, struct txn_expr *expr);

/* Resolves `var.column` of a row variable. */
bool txn_check_column(struct check *c, struct txn_span at, uint16_t var, struct str name,
                      uint16_t *column);
/* Fails unless something is put into the variable somewhere. */
bool txn_check_known(struct check *c, struct txn_span at, uint16_t var);

/* "a row of counter", for messages. Valid until the eighth call after. */
const char *txn_check_type_text(const struct check *c, struct check_type type);

#endif
