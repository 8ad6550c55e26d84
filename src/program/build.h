/* Building programs from a front end: a cursor that appends steps, and short makers for steps and
 * expressions. SQL is given as text in the builder's dialect, with host values `:var` and
 * `:var.column`.
 *
 *     struct txn_builder b;
 *     txn_builder_init(&b, arena, pool, program, SQL_POSTGRESQL);
 *     txn_build_sql(&b, span, TXN_INTO_ROW, counter, "SELECT id, count FROM counter WHERE id = :id");
 *     txn_build_set_column(&b, span, counter, "count", expr);
 *     struct txn_step *block = txn_build_if(&b, span, cond);    // then steps go into its body...
 *     txn_build_else(&b, block);                                // ...now into its else...
 *     txn_build_end(&b, block);                                 // ...and on after it
 */
#ifndef LW_PROGRAM_BUILD_H
#define LW_PROGRAM_BUILD_H

#include "program/program.h"

struct txn_builder {
    struct arena *arena;
    struct text_pool *pool;
    struct txn_program *program;
    enum sql_dialect dialect;
    struct txn_block *at; /* where the next step goes */
    struct txn_block *outer[TXN_DEPTH_MAX];
    struct txn_step *open[TXN_DEPTH_MAX]; /* whose bodies they are, to assert the nesting */
    size_t depth;
    struct err err; /* the first error: bad SQL, too deep; steps after it are dropped */
    bool has_failed;
};

void txn_builder_init(struct txn_builder *b, struct arena *arena, struct text_pool *pool,
                      struct txn_program *program, enum sql_dialect dialect);

/* A fresh program with these parameter names. */
struct txn_program *txn_program_new(struct arena *arena, struct str name, struct txn_span span);
uint16_t txn_add_param(struct arena *arena, struct txn_program *program, struct str name);

/* An SQL step. `var`: TXN_NO_VAR for NOTHING. KEY names its column with txn_step.sql.column_name
 * after. */
struct txn_step *txn_build_sql(struct txn_builder *b, struct txn_span span, enum txn_into into,
                               uint16_t var, struct str sql);
struct txn_step *txn_build_stmt(struct txn_builder *b, struct txn_span span, enum txn_into into,
                                uint16_t var, struct sql_stmt *stmt);
struct txn_step *txn_build_assign(struct txn_builder *b, struct txn_span span, uint16_t var,
                                  struct txn_expr *expr);
struct txn_step *txn_build_set_column(struct txn_builder *b, struct txn_span span, uint16_t var,
                                      struct str column, struct txn_expr *expr);
/* `sql`: an expression over the row's table with host values: "count + :n". */
struct txn_step *txn_build_set_column_sql(struct txn_builder *b, struct txn_span span, uint16_t var,
                                          struct str column, struct str sql);
/* A new object, not in the database; columns and values follow with txn_new_column. */
struct txn_step *txn_build_new(struct txn_builder *b, struct txn_span span, uint16_t var,
                               struct str table);
void txn_new_column(struct txn_builder *b, struct txn_step *step, struct str column,
                    struct txn_expr *expr);
struct txn_step *txn_build_raise(struct txn_builder *b, struct txn_span span,
                                 struct str class_name);
struct txn_step *txn_build_return(struct txn_builder *b, struct txn_span span,
                                  struct txn_expr *expr);
struct txn_step *txn_build_break(struct txn_builder *b, struct txn_span span);
struct txn_step *txn_build_continue(struct txn_builder *b, struct txn_span span);
/* Arguments are added with txn_step_add_arg. */
struct txn_step *txn_build_effect(struct txn_builder *b, struct txn_span span, struct str name);
void txn_step_add_arg(struct txn_builder *b, struct txn_step *step, struct txn_expr *arg);
/* `kind`: TXN_STEP_LOCK or TXN_STEP_UNLOCK. `key`: NULL for a lock that has none. */
struct txn_step *txn_build_lock(struct txn_builder *b, struct txn_span span,
                                enum txn_step_kind kind, struct str name, struct txn_expr *key);

/* Steps with a body: the next steps go into it until txn_build_end. */
struct txn_step *txn_build_if(struct txn_builder *b, struct txn_span span, struct txn_expr *cond);
struct txn_step *txn_build_for(struct txn_builder *b, struct txn_span span, uint16_t row,
                               uint16_t rows);
struct txn_step *txn_build_repeat(struct txn_builder *b, struct txn_span span, uint32_t rounds);
struct txn_step *txn_build_atomic(struct txn_builder *b, struct txn_span span);
struct txn_step *txn_build_call(struct txn_builder *b, struct txn_span span, struct str function,
                                uint16_t result);
struct txn_step *txn_build_with_lock(struct txn_builder *b, struct txn_span span, struct str name,
                                     struct txn_expr *key);
struct txn_step *txn_build_try(struct txn_builder *b, struct txn_span span);
/* Within IF or TRY: the next steps go into its else. */
void txn_build_else(struct txn_builder *b, struct txn_step *step);
/* Within TRY: the next steps go into a new handler; add classes to the handler returned, which
 * is valid until the next txn_build_except of this step. */
struct txn_handler *txn_build_except(struct txn_builder *b, struct txn_span span,
                                     struct txn_step *step);
void txn_build_finally(struct txn_builder *b, struct txn_step *step);
void txn_build_end(struct txn_builder *b, struct txn_step *step);

struct txn_expr *txn_literal(struct txn_builder *b, struct txn_span span, struct value value);
struct txn_expr *txn_ref(struct txn_builder *b, struct txn_span span, uint16_t var);
struct txn_expr *txn_column(struct txn_builder *b, struct txn_span span, uint16_t var,
                            struct str column);
struct txn_expr *txn_binary(struct txn_builder *b, struct txn_span span, enum txn_op op,
                            struct txn_expr *left, struct txn_expr *right);
struct txn_expr *txn_unary(struct txn_builder *b, struct txn_span span, enum txn_expr_kind kind,
                           struct txn_expr *operand);
struct txn_expr *txn_cond(struct txn_builder *b, struct txn_span span, struct txn_expr *cond,
                          struct txn_expr *then_expr, struct txn_expr *else_expr);
/* LEN, FIRST of a list variable. */
struct txn_expr *txn_of_list(struct txn_builder *b, struct txn_span span, enum txn_expr_kind kind,
                             uint16_t list);
/* Whether two rows are the same object. */
struct txn_expr *txn_same(struct txn_builder *b, struct txn_span span, struct txn_expr *left,
                          struct txn_expr *right);
struct txn_expr *txn_now(struct txn_builder *b, struct txn_span span);
struct txn_expr *txn_opaque(struct txn_builder *b, struct txn_span span, struct str name);
void txn_add_arg(struct txn_builder *b, struct txn_expr *call, struct txn_expr *arg);

#endif
