/* Equality of programs and scenarios, spans aside. Variables are compared by name: their order
 * is that of first mention, which printing and reading back may change. */
#include "base/assert.h"
#include "program/notation.h"

struct pair {
    const struct txn_program *a, *b;
    const struct text_pool *pool;
};

static bool var_equal(const struct pair *p, uint16_t a, uint16_t b) {
    if (a == TXN_NO_VAR || b == TXN_NO_VAR)
        return a == b;
    return str_equal(p->a->vars.items[a].name, p->b->vars.items[b].name);
}

static bool literal_equal(struct value a, struct value b) {
    return a.kind == b.kind && a.scale == b.scale && a.number == b.number && a.origin == b.origin &&
           a.ordinal == b.ordinal;
}

static bool expr_equal(const struct pair *p, const struct txn_expr *a, const struct txn_expr *b) {
    if (a == NULL || b == NULL)
        return a == b;
    if (a->kind != b->kind || a->args.count != b->args.count)
        return false;
    for (size_t i = 0; i < a->args.count; i++)
        if (!expr_equal(p, a->args.items[i], b->args.items[i]))
            return false;
    switch (a->kind) {
    case TXN_EXPR_LITERAL:
        return literal_equal(a->literal, b->literal);
    case TXN_EXPR_VAR:
    case TXN_EXPR_LEN:
    case TXN_EXPR_FIRST:
        return var_equal(p, a->var, b->var);
    case TXN_EXPR_COLUMN:
        return var_equal(p, a->var, b->var) && str_equal(a->column_name, b->column_name);
    case TXN_EXPR_BINARY:
        return a->op == b->op;
    case TXN_EXPR_OPAQUE:
        return str_equal(a->name, b->name);
    case TXN_EXPR_NOT:
    case TXN_EXPR_NEG:
    case TXN_EXPR_IS_NULL:
    case TXN_EXPR_COND:
    case TXN_EXPR_SAME:
    case TXN_EXPR_NOW:
        return true;
    }
    LW_UNREACHABLE();
}

static bool sql_step_equal(const struct pair *p, const struct txn_sql *a, const struct txn_sql *b) {
    return a->into == b->into && a->is_save == b->is_save && var_equal(p, a->var, b->var) &&
           str_equal(a->column_name, b->column_name) && sql_equal(a->stmt, b->stmt, p->pool);
}

/* The SQL of `x.column = sql(...)`: host values are numbered in the holder, so their names count
 * too. */
static bool set_sql_equal(const struct pair *p, const struct txn_step *a,
                          const struct txn_step *b) {
    if (a->sql_expr == NULL || b->sql_expr == NULL)
        return a->sql_expr == b->sql_expr;
    if (a->sql_hosts->hosts.count != b->sql_hosts->hosts.count)
        return false;
    for (size_t i = 0; i < a->sql_hosts->hosts.count; i++) {
        const struct sql_host *left = &a->sql_hosts->hosts.items[i];
        const struct sql_host *right = &b->sql_hosts->hosts.items[i];
        if (!str_equal(left->name, right->name) || !str_equal(left->column, right->column) ||
            left->is_list != right->is_list)
            return false;
    }
    return sql_expr_equal(a->sql_expr, b->sql_expr, p->pool);
}

static bool block_equal(const struct pair *p, const struct txn_block *a, const struct txn_block *b);

static bool handlers_equal(const struct pair *p, const struct txn_step *a,
                           const struct txn_step *b) {
    if (a->handlers.count != b->handlers.count)
        return false;
    for (size_t i = 0; i < a->handlers.count; i++) {
        const struct txn_handler *left = &a->handlers.items[i], *right = &b->handlers.items[i];
        if (left->classes.count != right->classes.count ||
            !block_equal(p, &left->body, &right->body))
            return false;
        for (size_t k = 0; k < left->classes.count; k++)
            if (!str_equal(left->classes.items[k], right->classes.items[k]))
                return false;
    }
    return true;
}

static bool args_equal(const struct pair *p, const struct txn_step *a, const struct txn_step *b) {
    if (a->args.count != b->args.count || a->new_columns.count != b->new_columns.count)
        return false;
    for (size_t i = 0; i < a->args.count; i++)
        if (!expr_equal(p, a->args.items[i], b->args.items[i]))
            return false;
    for (size_t i = 0; i < a->new_columns.count; i++)
        if (!str_equal(a->new_columns.items[i], b->new_columns.items[i]))
            return false;
    return true;
}

static bool step_equal(const struct pair *p, const struct txn_step *a, const struct txn_step *b) {
    if (a->kind != b->kind)
        return false;
    if (a->kind == TXN_STEP_SQL)
        return sql_step_equal(p, &a->sql, &b->sql);
    return var_equal(p, a->var, b->var) && var_equal(p, a->list_var, b->list_var) &&
           str_equal(a->column_name, b->column_name) && expr_equal(p, a->expr, b->expr) &&
           set_sql_equal(p, a, b) && str_equal(a->name, b->name) && args_equal(p, a, b) &&
           a->repeat_max == b->repeat_max && a->isolation == b->isolation &&
           a->is_savepoint_off == b->is_savepoint_off && block_equal(p, &a->body, &b->body) &&
           block_equal(p, &a->else_body, &b->else_body) && handlers_equal(p, a, b) &&
           block_equal(p, &a->finally_body, &b->finally_body);
}

static bool block_equal(const struct pair *p, const struct txn_block *a,
                        const struct txn_block *b) {
    if (a->steps.count != b->steps.count)
        return false;
    for (size_t i = 0; i < a->steps.count; i++)
        if (!step_equal(p, a->steps.items[i], b->steps.items[i]))
            return false;
    return true;
}

static struct str shown_name(const struct txn_var *var) {
    return var->source_name.len > 0 ? var->source_name : var->name;
}

/* Every variable of `a` is called the same in `b`, if `b` has it: one that no step mentions may
 * be gone. */
static bool names_equal(const struct txn_program *a, const struct txn_program *b) {
    for (size_t i = 0; i < a->vars.count; i++) {
        uint16_t other = txn_find_var(b, a->vars.items[i].name);
        if (other != TXN_NO_VAR &&
            !str_equal(shown_name(&a->vars.items[i]), shown_name(&b->vars.items[other])))
            return false;
    }
    return true;
}

static bool program_equal(const struct txn_program *a, const struct txn_program *b,
                          const struct text_pool *pool) {
    struct pair pair = {a, b, pool};
    if (!str_equal(a->name, b->name) || a->param_count != b->param_count || !names_equal(a, b))
        return false;
    for (size_t i = 0; i < a->param_count; i++)
        if (!str_equal(a->vars.items[i].name, b->vars.items[i].name))
            return false;
    return block_equal(&pair, &a->body, &b->body);
}

static bool run_equal(const struct txn_run *a, const struct txn_run *b) {
    if (!str_equal(a->name, b->name) || a->sessions.count != b->sessions.count)
        return false;
    for (size_t i = 0; i < a->sessions.count; i++) {
        const struct txn_session *left = &a->sessions.items[i], *right = &b->sessions.items[i];
        if (left->program != right->program || left->args.count != right->args.count)
            return false;
        for (size_t k = 0; k < left->args.count; k++)
            if (!literal_equal(left->args.items[k], right->args.items[k]))
                return false;
    }
    return true;
}

/* Two schemas are equal if they are written the same. */
static bool schema_equal(const struct schema *a, const struct schema *b,
                         const struct text_pool *pool) {
    struct buf left = {0}, right = {0};
    schema_print(a, pool, &left);
    schema_print(b, pool, &right);
    bool is_equal = str_equal(buf_str(&left), buf_str(&right));
    buf_release(&left);
    buf_release(&right);
    return is_equal;
}

bool txn_equal(const struct txn_scenario *a, const struct txn_scenario *b,
               const struct text_pool *pool) {
    if (a->setup.count != b->setup.count || a->programs.count != b->programs.count ||
        a->runs.count != b->runs.count || !schema_equal(&a->schema, &b->schema, pool))
        return false;
    for (size_t i = 0; i < a->setup.count; i++)
        if (!sql_equal(a->setup.items[i], b->setup.items[i], pool))
            return false;
    for (size_t i = 0; i < a->programs.count; i++)
        if (!program_equal(a->programs.items[i], b->programs.items[i], pool))
            return false;
    for (size_t i = 0; i < a->runs.count; i++)
        if (!run_equal(&a->runs.items[i], &b->runs.items[i]))
            return false;
    return true;
}
