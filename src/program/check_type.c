/* The checker's third pass: the type of each variable, inferred from everything that is put into
 * it. Rounds go on until one changes nothing; each gives at least one variable its type, so they
 * end. */
#include "base/assert.h"
#include "program/check.h"

const char *txn_check_type_text(const struct check *c, struct check_type type) {
    static _Thread_local char texts[8][80];
    static _Thread_local size_t next;
    char *text = texts[next++ % LW_COUNT_OF(texts)];
    struct str table = {0};
    if (type.type == TXN_ROW || type.type == TXN_ROWS)
        table = c->schema->tables.items[type.table]->name;
    int shown = table.len < 40 ? (int)table.len : 40;
    switch (type.type) {
    case TXN_UNKNOWN:
        return "null";
    case TXN_SCALAR:
        return "a scalar";
    case TXN_LIST:
        return "a list of scalars";
    case TXN_ROW:
        snprintf(text, sizeof(texts[0]), "a row of %.*s", shown, table.ptr);
        return text;
    case TXN_ROWS:
        snprintf(text, sizeof(texts[0]), "rows of %.*s", shown, table.ptr);
        return text;
    }
    LW_UNREACHABLE();
}

static struct check_type var_type(const struct check *c, uint16_t var) {
    const struct txn_var *v = &c->program->vars.items[var];
    return (struct check_type){v->type, v->table};
}

/* What one member of a list is. */
static struct check_type member_type(struct check_type list) {
    if (list.type == TXN_ROWS)
        return (struct check_type){TXN_ROW, list.table};
    if (list.type == TXN_LIST)
        return (struct check_type){TXN_SCALAR, 0};
    return (struct check_type){TXN_UNKNOWN, 0};
}

struct check_type txn_check_infer(const struct check *c, const struct txn_expr *expr) {
    struct check_type unknown = {TXN_UNKNOWN, 0}, scalar = {TXN_SCALAR, 0};
    switch (expr->kind) {
    case TXN_EXPR_LITERAL:
        return expr->literal.kind == VALUE_NULL ? unknown : scalar;
    case TXN_EXPR_VAR:
        return var_type(c, expr->var);
    case TXN_EXPR_FIRST:
        return member_type(var_type(c, expr->var));
    case TXN_EXPR_COND: {
        struct check_type type = txn_check_infer(c, expr->args.items[1]);
        return type.type != TXN_UNKNOWN ? type : txn_check_infer(c, expr->args.items[2]);
    }
    default:
        return scalar;
    }
}

/* The type of the first `return` of a call that has one, not looking into calls within. */
static struct check_type return_type(const struct check *c, const struct txn_block *block) {
    struct check_type type = {TXN_UNKNOWN, 0};
    for (size_t i = 0; i < block->steps.count && type.type == TXN_UNKNOWN; i++) {
        const struct txn_step *step = block->steps.items[i];
        if (step->kind == TXN_STEP_RETURN && step->expr != NULL)
            type = txn_check_infer(c, step->expr);
        if (step->kind == TXN_STEP_CALL)
            continue;
        if (type.type == TXN_UNKNOWN)
            type = return_type(c, &step->body);
        if (type.type == TXN_UNKNOWN)
            type = return_type(c, &step->else_body);
        for (size_t h = 0; h < step->handlers.count && type.type == TXN_UNKNOWN; h++)
            type = return_type(c, &step->handlers.items[h].body);
        if (type.type == TXN_UNKNOWN)
            type = return_type(c, &step->finally_body);
    }
    return type;
}

/* What the step puts into its variable. */
static bool step_type(struct check *c, const struct txn_step *step, struct check_type *type) {
    *type = (struct check_type){TXN_SCALAR, 0};
    switch (step->kind) {
    case TXN_STEP_SQL:
        if (step->sql.into == TXN_INTO_LIST)
            type->type = TXN_LIST;
        if (step->sql.into != TXN_INTO_ROW && step->sql.into != TXN_INTO_ROWS)
            return true;
        type->type = step->sql.into == TXN_INTO_ROW ? TXN_ROW : TXN_ROWS;
        return txn_check_result_table(c, step, &type->table);
    case TXN_STEP_ASSIGN:
        *type = txn_check_infer(c, step->expr);
        return true;
    case TXN_STEP_NEW:
        *type = (struct check_type){TXN_ROW, step->table};
        return true;
    case TXN_STEP_FOR:
        *type = member_type(var_type(c, step->list_var));
        return true;
    case TXN_STEP_CALL:
        *type = return_type(c, &step->body);
        return true;
    default:
        LW_UNREACHABLE();
    }
}

static bool bind_step(struct check *c, struct txn_step *step) {
    uint16_t index = txn_check_step_binds(step);
    struct check_type type;
    if (index == TXN_NO_VAR)
        return true;
    if (!step_type(c, step, &type))
        return false;
    struct txn_var *var = &c->program->vars.items[index];
    if (type.type == TXN_UNKNOWN)
        return true;
    if (var->type == TXN_UNKNOWN) {
        var->type = type.type;
        var->table = type.table;
        c->bound_at[index] = step->span;
        c->has_changed = true;
        return true;
    }
    struct check_type had = var_type(c, index);
    bool is_same = had.type == type.type && had.table == type.table;
    if (is_same)
        return true;
    char where[32] = "as a parameter";
    if (!var->is_param)
        snprintf(where, sizeof(where), "at line %u", (unsigned)c->bound_at[index].start.line);
    return txn_fault(c->err, step->span, "`%.*s` is %s here, but %s %s", STR_ARG(var->name),
                     txn_check_type_text(c, type), txn_check_type_text(c, had), where);
}

static bool resolve_new(struct check *c, struct txn_step *step) {
    if (step->kind != TXN_STEP_NEW)
        return true;
    int table = schema_find_table(c->schema, step->name);
    if (table >= 0) {
        step->table = (uint16_t)table;
        return true;
    }
    struct suggestion hint;
    txn_suggestion_init(&hint, step->name);
    for (size_t i = 0; i < c->schema->tables.count; i++)
        txn_suggestion_try(&hint, c->schema->tables.items[i]->name);
    return txn_fault(c->err, step->span, "unknown table `%.*s`%s", STR_ARG(step->name),
                     txn_suggestion_text(&hint));
}

bool txn_check_types(struct check *c) {
    if (!txn_check_each_step(c, &c->program->body, resolve_new))
        return false;
    for (size_t i = 0; i < c->program->vars.count; i++) {
        struct txn_var *var = &c->program->vars.items[i];
        var->type = var->is_param ? TXN_SCALAR : TXN_UNKNOWN;
        var->table = 0;
    }
    do {
        c->has_changed = false;
        if (!txn_check_each_step(c, &c->program->body, bind_step))
            return false;
    } while (c->has_changed);
    /* What never holds anything but null counts as a scalar. */
    for (size_t i = 0; i < c->program->vars.count; i++)
        if (c->is_bound[i] && c->program->vars.items[i].type == TXN_UNKNOWN)
            c->program->vars.items[i].type = TXN_SCALAR;
    return true;
}
