/* The rewritings behind the fixes: private to this folder. Each works on a copy of a program and changes what
 * makes the mistake of `about` in it; false if there is nothing it could change.
 */
#ifndef LW_FIX_REWRITE_H
#define LW_FIX_REWRITE_H

#include "fix/fix.h"

/* What is to be repaired: the mistake, where, and the schema it is in. */
struct mistake {
    struct arena *arena;
    const struct schema *schema;
    struct text_pool *pool;
    enum rule rule;
    uint16_t table;                  /* written */
    VEC(uint16_t) columns;           /* written wrongly, or decided on */
    struct txn_span write;           /* the place of the write */
    struct str text;                 /* what the rewriting did, in words of the source; set by it */
    VEC(struct fix_edit) edits;      /* the same, place by place; added by it */
};

bool rewrite_f_expression(struct mistake *m, struct txn_program *program);
bool rewrite_update_fields(struct mistake *m, struct txn_program *program);
bool rewrite_guarded_update(struct mistake *m, struct txn_program *program);
bool rewrite_reuse_object(struct mistake *m, struct txn_program *program);
bool rewrite_lock_first(struct mistake *m, struct txn_program *program);
bool rewrite_lock_outside(struct mistake *m, struct txn_program *program);
bool rewrite_version_column(struct mistake *m, struct txn_program *program);
bool rewrite_serializable(struct mistake *m, struct txn_program *program);

/* The schema with a `version` column added to the table, or with a unique key over `columns`. */
struct schema *schema_with_version(struct arena *arena, struct text_pool *pool,
                                   const struct schema *schema, uint16_t table);
struct schema *schema_with_key(struct arena *arena, const struct schema *schema, uint16_t table,
                               const uint16_t *columns, size_t column_count);

/* Helpers of the rewritings. */

/* Calls `visit` for each step, outer before inner, with the block it stands in and its place there; stops
 * at the first true and answers it. */

bool rewrite_visit(struct txn_block *block, bool (*visit)(void *context, struct txn_block *block, size_t at),
                   void *context);

struct txn_step *rewrite_step(struct mistake *m, enum txn_step_kind kind, struct txn_span span);
void block_insert(struct arena *arena, struct txn_block *block, size_t at, struct txn_step *step);
void block_remove(struct txn_block *block, size_t at);

/* Adds an edit at that place; of `column`, unless it is empty. */
struct fix_edit *add_edit(struct mistake *m, enum fix_edit_kind kind, struct txn_span span,
                          struct str column);

/* Whether the step is an UPDATE of the mistake's table from a row object. */
bool is_object_update(const struct mistake *m, const struct txn_step *step);
/* The variable of the row object that the UPDATE writes, or TXN_NO_VAR. */
uint16_t updated_object(const struct txn_step *step);
/* Whether some step of the program assigns this column of the variable's object. */
bool is_assigned(const struct txn_program *program, uint16_t var, uint16_t column);
/* Ands `column = :var` (or `:var.host_column`) to the statement's WHERE, null-safe where the column may be NULL. */
void and_where(struct mistake *m, struct txn_step *step, struct str column, struct str var,
               struct str host_column);
/* A new host value of the statement, as an expression. */
struct sql_expr *new_host(struct arena *arena, struct sql_stmt *stmt, struct str name,
                          struct str column);
/* Puts what comes of the statement (`count n = UPDATE`) to a check: raise `class_name` when no row matched. */
void raise_if_none(struct mistake *m, struct txn_program *program, struct txn_block *block, size_t at,
                   struct str class_name);
/* Wraps the whole body: repeat { try { body; return } except `class_name` { } } raise `class_name`. */
void retry_on(struct mistake *m, struct txn_program *program, struct str class_name);

#endif
