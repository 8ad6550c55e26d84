/* The builder: each maker allocates one node in the arena and fills the fields that its kind
 * has. The cursor `at` is the block that takes the next step; opening a body pushes it,
 * txn_build_end pops it. */
#include "program/build.h"

#include "base/assert.h"
#include "program/fault.h"

void txn_builder_init(struct txn_builder *b, struct arena *arena, struct text_pool *pool,
                      struct txn_program *program, enum sql_dialect dialect) {
    memset(b, 0, sizeof(*b));
    b->arena = arena;
    b->pool = pool;
    b->program = program;
    b->dialect = dialect;
    b->at = &program->body;
}

struct txn_program *txn_program_new(struct arena *arena, struct str name, struct txn_span span) {
    struct txn_program *program = ARENA_NEW(arena, struct txn_program);
    program->name = name;
    program->span = span;
    return program;
}

uint16_t txn_add_param(struct arena *arena, struct txn_program *program, struct str name) {
    LW_ASSERT(program->vars.count == program->param_count);
    uint16_t var = txn_var(arena, program, name);
    LW_ASSERT(var == program->param_count);
    program->vars.items[var].is_param = true;
    program->param_count++;
    return var;
}

/* Only the first error is kept. */
static void build_sql_fail(struct txn_builder *b, struct txn_span span, struct str sql,
                           const struct err *cause) {
    if (!b->has_failed)
        txn_sql_fault(&b->err, span, sql, cause);
    b->has_failed = true;
}

static struct txn_step *step_new(struct txn_builder *b, enum txn_step_kind kind,
                                 struct txn_span span) {
    struct txn_step *step = ARENA_NEW(b->arena, struct txn_step);
    step->kind = kind;
    step->span = span;
    step->var = TXN_NO_VAR;
    step->list_var = TXN_NO_VAR;
    step->sql.var = TXN_NO_VAR;
    if (!b->has_failed)
        VEC_PUSH(b->arena, &b->at->steps, step);
    return step;
}

/* Opens the body of `step`. Beyond the limit the blocks are still counted, so that ends match. */
static struct txn_step *step_open(struct txn_builder *b, struct txn_step *step) {
    if (b->depth < TXN_DEPTH_MAX) {
        b->outer[b->depth] = b->at;
        b->open[b->depth] = step;
    } else {
        if (!b->has_failed)
            txn_fault(&b->err, step->span, "blocks are nested too deeply (%d at most)",
                      (int)TXN_DEPTH_MAX);
        b->has_failed = true;
    }
    b->depth++;
    b->at = &step->body;
    return step;
}

static void step_go_on(struct txn_builder *b, const struct txn_step *step,
                       struct txn_block *block) {
    LW_ASSERT(b->depth > 0);
    LW_ASSERT(b->depth > TXN_DEPTH_MAX || b->open[b->depth - 1] == step);
    b->at = block;
}

void txn_build_else(struct txn_builder *b, struct txn_step *step) {
    LW_ASSERT(step->kind == TXN_STEP_IF || step->kind == TXN_STEP_TRY);
    step_go_on(b, step, &step->else_body);
}

struct txn_handler *txn_build_except(struct txn_builder *b, struct txn_span span,
                                     struct txn_step *step) {
    LW_ASSERT(step->kind == TXN_STEP_TRY);
    VEC_PUSH(b->arena, &step->handlers, (struct txn_handler){.span = span});
    struct txn_handler *handler = &step->handlers.items[step->handlers.count - 1];
    step_go_on(b, step, &handler->body);
    return handler;
}

void txn_build_finally(struct txn_builder *b, struct txn_step *step) {
    LW_ASSERT(step->kind == TXN_STEP_TRY);
    step_go_on(b, step, &step->finally_body);
}

void txn_build_end(struct txn_builder *b, struct txn_step *step) {
    LW_ASSERT(b->depth > 0);
    b->depth--;
    if (b->depth >= TXN_DEPTH_MAX)
        return;
    LW_ASSERT(b->open[b->depth] == step);
    b->at = b->outer[b->depth];
}

struct txn_step *txn_build_stmt(struct txn_builder *b, struct txn_span span, enum txn_into into,
                                uint16_t var, struct sql_stmt *stmt) {
    struct txn_step *step = step_new(b, TXN_STEP_SQL, span);
    step->sql.stmt = stmt;
    step->sql.into = into;
    step->sql.var = var;
    step->sql.column = TXN_NO_VAR;
    return step;
}

struct txn_step *txn_build_sql(struct txn_builder *b, struct txn_span span, enum txn_into into,
                               uint16_t var, struct str sql) {
    struct sql_stmt *stmt = NULL;
    struct err err;
    struct str text = str_dup(b->arena, sql);
    if (!b->has_failed &&
        !sql_parse(b->arena, b->pool, text, (struct pos){1, 1}, b->dialect, &stmt, &err))
        build_sql_fail(b, span, text, &err);
    return txn_build_stmt(b, span, into, var, stmt);
}

struct txn_step *txn_build_assign(struct txn_builder *b, struct txn_span span, uint16_t var,
                                  struct txn_expr *expr) {
    struct txn_step *step = step_new(b, TXN_STEP_ASSIGN, span);
    step->var = var;
    step->expr = expr;
    return step;
}

struct txn_step *txn_build_set_column(struct txn_builder *b, struct txn_span span, uint16_t var,
                                      struct str column, struct txn_expr *expr) {
    struct txn_step *step = step_new(b, TXN_STEP_SET_COLUMN, span);
    step->var = var;
    step->column_name = column;
    step->expr = expr;
    return step;
}

struct txn_step *txn_build_set_column_sql(struct txn_builder *b, struct txn_span span, uint16_t var,
                                          struct str column, struct str sql) {
    struct txn_step *step = txn_build_set_column(b, span, var, column, NULL);
    struct err err;
    struct str text = str_dup(b->arena, sql);
    step->sql_hosts = ARENA_NEW(b->arena, struct sql_stmt);
    step->sql_hosts->kind = SQL_STMT_SELECT;
    step->sql_hosts->pos = (struct pos){1, 1};
    if (!b->has_failed && !sql_parse_expr(b->arena, b->pool, text, (struct pos){1, 1}, b->dialect,
                                          step->sql_hosts, &step->sql_expr, &err))
        build_sql_fail(b, span, text, &err);
    return step;
}

struct txn_step *txn_build_new(struct txn_builder *b, struct txn_span span, uint16_t var,
                               struct str table) {
    struct txn_step *step = step_new(b, TXN_STEP_NEW, span);
    step->var = var;
    step->name = table;
    return step;
}

void txn_new_column(struct txn_builder *b, struct txn_step *step, struct str column,
                    struct txn_expr *expr) {
    LW_ASSERT(step->kind == TXN_STEP_NEW);
    VEC_PUSH(b->arena, &step->new_columns, column);
    VEC_PUSH(b->arena, &step->args, expr);
}

struct txn_step *txn_build_raise(struct txn_builder *b, struct txn_span span,
                                 struct str class_name) {
    struct txn_step *step = step_new(b, TXN_STEP_RAISE, span);
    step->name = class_name;
    return step;
}

struct txn_step *txn_build_return(struct txn_builder *b, struct txn_span span,
                                  struct txn_expr *expr) {
    struct txn_step *step = step_new(b, TXN_STEP_RETURN, span);
    step->expr = expr;
    return step;
}

struct txn_step *txn_build_break(struct txn_builder *b, struct txn_span span) {
    return step_new(b, TXN_STEP_BREAK, span);
}

struct txn_step *txn_build_continue(struct txn_builder *b, struct txn_span span) {
    return step_new(b, TXN_STEP_CONTINUE, span);
}

struct txn_step *txn_build_effect(struct txn_builder *b, struct txn_span span, struct str name) {
    struct txn_step *step = step_new(b, TXN_STEP_EFFECT, span);
    step->name = name;
    return step;
}

void txn_step_add_arg(struct txn_builder *b, struct txn_step *step, struct txn_expr *arg) {
    LW_ASSERT(step->kind == TXN_STEP_EFFECT);
    VEC_PUSH(b->arena, &step->args, arg);
}

struct txn_step *txn_build_lock(struct txn_builder *b, struct txn_span span,
                                enum txn_step_kind kind, struct str name, struct txn_expr *key) {
    LW_ASSERT(kind == TXN_STEP_LOCK || kind == TXN_STEP_UNLOCK);
    struct txn_step *step = step_new(b, kind, span);
    step->name = name;
    step->expr = key;
    return step;
}

struct txn_step *txn_build_if(struct txn_builder *b, struct txn_span span, struct txn_expr *cond) {
    struct txn_step *step = step_new(b, TXN_STEP_IF, span);
    step->expr = cond;
    return step_open(b, step);
}

struct txn_step *txn_build_for(struct txn_builder *b, struct txn_span span, uint16_t row,
                               uint16_t rows) {
    struct txn_step *step = step_new(b, TXN_STEP_FOR, span);
    step->var = row;
    step->list_var = rows;
    return step_open(b, step);
}

struct txn_step *txn_build_repeat(struct txn_builder *b, struct txn_span span, uint32_t rounds) {
    struct txn_step *step = step_new(b, TXN_STEP_REPEAT, span);
    step->repeat_max = rounds;
    return step_open(b, step);
}

struct txn_step *txn_build_atomic(struct txn_builder *b, struct txn_span span) {
    return step_open(b, step_new(b, TXN_STEP_ATOMIC, span));
}

struct txn_step *txn_build_call(struct txn_builder *b, struct txn_span span, struct str function,
                                uint16_t result) {
    struct txn_step *step = step_new(b, TXN_STEP_CALL, span);
    step->name = function;
    step->var = result;
    return step_open(b, step);
}

struct txn_step *txn_build_with_lock(struct txn_builder *b, struct txn_span span, struct str name,
                                     struct txn_expr *key) {
    struct txn_step *step = step_new(b, TXN_STEP_WITH_LOCK, span);
    step->name = name;
    step->expr = key;
    return step_open(b, step);
}

struct txn_step *txn_build_try(struct txn_builder *b, struct txn_span span) {
    return step_open(b, step_new(b, TXN_STEP_TRY, span));
}

static struct txn_expr *expr_new(struct txn_builder *b, enum txn_expr_kind kind,
                                 struct txn_span span) {
    struct txn_expr *expr = ARENA_NEW(b->arena, struct txn_expr);
    expr->kind = kind;
    expr->span = span;
    expr->var = TXN_NO_VAR;
    expr->column = TXN_NO_VAR;
    return expr;
}

struct txn_expr *txn_literal(struct txn_builder *b, struct txn_span span, struct value value) {
    struct txn_expr *expr = expr_new(b, TXN_EXPR_LITERAL, span);
    expr->literal = value;
    return expr;
}

struct txn_expr *txn_ref(struct txn_builder *b, struct txn_span span, uint16_t var) {
    struct txn_expr *expr = expr_new(b, TXN_EXPR_VAR, span);
    expr->var = var;
    return expr;
}

struct txn_expr *txn_column(struct txn_builder *b, struct txn_span span, uint16_t var,
                            struct str column) {
    struct txn_expr *expr = expr_new(b, TXN_EXPR_COLUMN, span);
    expr->var = var;
    expr->column_name = column;
    return expr;
}

struct txn_expr *txn_binary(struct txn_builder *b, struct txn_span span, enum txn_op op,
                            struct txn_expr *left, struct txn_expr *right) {
    struct txn_expr *expr = expr_new(b, TXN_EXPR_BINARY, span);
    expr->op = op;
    VEC_PUSH(b->arena, &expr->args, left);
    VEC_PUSH(b->arena, &expr->args, right);
    return expr;
}

struct txn_expr *txn_unary(struct txn_builder *b, struct txn_span span, enum txn_expr_kind kind,
                           struct txn_expr *operand) {
    LW_ASSERT(kind == TXN_EXPR_NOT || kind == TXN_EXPR_NEG || kind == TXN_EXPR_IS_NULL);
    struct txn_expr *expr = expr_new(b, kind, span);
    VEC_PUSH(b->arena, &expr->args, operand);
    return expr;
}

struct txn_expr *txn_cond(struct txn_builder *b, struct txn_span span, struct txn_expr *cond,
                          struct txn_expr *then_expr, struct txn_expr *else_expr) {
    struct txn_expr *expr = expr_new(b, TXN_EXPR_COND, span);
    VEC_PUSH(b->arena, &expr->args, cond);
    VEC_PUSH(b->arena, &expr->args, then_expr);
    VEC_PUSH(b->arena, &expr->args, else_expr);
    return expr;
}

struct txn_expr *txn_of_list(struct txn_builder *b, struct txn_span span, enum txn_expr_kind kind,
                             uint16_t list) {
    LW_ASSERT(kind == TXN_EXPR_LEN || kind == TXN_EXPR_FIRST);
    struct txn_expr *expr = expr_new(b, kind, span);
    expr->var = list;
    return expr;
}

struct txn_expr *txn_same(struct txn_builder *b, struct txn_span span, struct txn_expr *left,
                          struct txn_expr *right) {
    struct txn_expr *expr = expr_new(b, TXN_EXPR_SAME, span);
    VEC_PUSH(b->arena, &expr->args, left);
    VEC_PUSH(b->arena, &expr->args, right);
    return expr;
}

struct txn_expr *txn_now(struct txn_builder *b, struct txn_span span) {
    return expr_new(b, TXN_EXPR_NOW, span);
}

struct txn_expr *txn_opaque(struct txn_builder *b, struct txn_span span, struct str name) {
    struct txn_expr *expr = expr_new(b, TXN_EXPR_OPAQUE, span);
    expr->name = name;
    return expr;
}

void txn_add_arg(struct txn_builder *b, struct txn_expr *call, struct txn_expr *arg) {
    LW_ASSERT(call->kind == TXN_EXPR_OPAQUE);
    VEC_PUSH(b->arena, &call->args, arg);
}
