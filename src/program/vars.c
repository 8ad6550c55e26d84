/* Which variables a program uses where, and giving it others. */
#include "program/vars.h"

typedef void var_visit(void *context, uint16_t *var);

struct visitor {
    var_visit *visit;
    void (*visit_host)(void *context, struct str *name);
    void *context;
};

static void visit_expr(const struct visitor *v, struct txn_expr *expr) {
    if (expr == NULL)
        return;
    if (expr->kind == TXN_EXPR_VAR || expr->kind == TXN_EXPR_COLUMN || expr->kind == TXN_EXPR_LEN ||
        expr->kind == TXN_EXPR_FIRST)
        v->visit(v->context, &expr->var);
    for (size_t i = 0; i < expr->args.count; i++)
        visit_expr(v, expr->args.items[i]);
}

static void visit_hosts(const struct visitor *v, struct sql_stmt *stmt) {
    for (size_t i = 0; stmt != NULL && i < stmt->hosts.count; i++)
        v->visit_host(v->context, &stmt->hosts.items[i].name);
}

static void visit_block(const struct visitor *v, struct txn_block *block);

static void visit_step(const struct visitor *v, struct txn_step *step) {
    bool has_var = step->kind == TXN_STEP_ASSIGN || step->kind == TXN_STEP_SET_COLUMN ||
                   step->kind == TXN_STEP_NEW || step->kind == TXN_STEP_FOR ||
                   (step->kind == TXN_STEP_CALL && step->var != TXN_NO_VAR);
    if (has_var)
        v->visit(v->context, &step->var);
    if (step->kind == TXN_STEP_FOR)
        v->visit(v->context, &step->list_var);
    if (step->kind == TXN_STEP_SQL && step->sql.into != TXN_INTO_NOTHING)
        v->visit(v->context, &step->sql.var);
    visit_hosts(v, step->sql.stmt);
    visit_hosts(v, step->sql_hosts);
    visit_expr(v, step->expr);
    for (size_t i = 0; i < step->args.count; i++)
        visit_expr(v, step->args.items[i]);
    visit_block(v, &step->body);
    visit_block(v, &step->else_body);
    visit_block(v, &step->finally_body);
    for (size_t i = 0; i < step->handlers.count; i++)
        visit_block(v, &step->handlers.items[i].body);
}

static void visit_block(const struct visitor *v, struct txn_block *block) {
    for (size_t i = 0; i < block->steps.count; i++)
        visit_step(v, block->steps.items[i]);
}

struct uses {
    const struct txn_program *program;
    bool *is_used;
};

static void use_var(void *context, uint16_t *var) {
    ((struct uses *)context)->is_used[*var] = true;
}

static void use_host(void *context, struct str *name) {
    struct uses *uses = context;
    uint16_t var = txn_find_var(uses->program, *name);
    if (var != TXN_NO_VAR)
        uses->is_used[var] = true;
}

void txn_find_uses(struct arena *arena, struct txn_program *program, bool *is_used) {
    txn_index_vars(arena, program);
    struct uses uses = {program, is_used};
    struct visitor visitor = {use_var, use_host, &uses};
    visit_block(&visitor, &program->body);
}

struct renaming {
    const struct txn_program *program; /* as it was */
    const struct txn_var *vars;
    const uint16_t *number;
};

static void rename_var(void *context, uint16_t *var) {
    const struct renaming *r = context;
    *var = r->number[*var];
}

static void rename_host(void *context, struct str *name) {
    const struct renaming *r = context;
    uint16_t var = txn_find_var(r->program, *name);
    if (var != TXN_NO_VAR)
        *name = r->vars[r->number[var]].name;
}

void txn_renumber(struct arena *arena, struct txn_program *program, const uint16_t *number,
                  const struct txn_var *vars, size_t var_count, size_t param_count) {
    struct renaming renaming = {program, vars, number};
    if (program->names.count != program->vars.count)
        txn_index_vars(arena, program);
    struct visitor visitor = {rename_var, rename_host, &renaming};
    visit_block(&visitor, &program->body);
    memset(&program->vars, 0, sizeof(program->vars));
    program->names = (struct map){0};
    program->param_count = param_count;
    program->vars.count = program->vars.capacity = (uint32_t)var_count;
    program->vars.items = ARENA_ARRAY(arena, struct txn_var, var_count);
    for (size_t i = 0; i < var_count; i++) {
        program->vars.items[i] = vars[i];
        program->vars.items[i].is_param = i < param_count;
    }
}
