/* The checker's fourth pass: every variable is used as what it holds, and columns are resolved. */
#include "base/assert.h"
#include "program/check.h"

static struct check_type type_of(const struct check *c, uint16_t var) {
    const struct txn_var *v = &c->program->vars.items[var];
    return (struct check_type){v->type, v->table};
}

static struct str name_of(const struct check *c, uint16_t var) {
    return c->program->vars.items[var].name;
}

bool txn_check_known(struct check *c, struct txn_span at, uint16_t var) {
    LW_ASSERT(var < c->program->vars.count);
    if (c->is_bound[var])
        return true;
    struct suggestion hint;
    txn_suggestion_init(&hint, name_of(c, var));
    for (size_t i = 0; i < c->program->vars.count; i++)
        if (c->is_bound[i])
            txn_suggestion_try(&hint, c->program->vars.items[i].name);
    return txn_fault(c->err, at, "unknown variable `%.*s`%s", STR_ARG(name_of(c, var)),
                     txn_suggestion_text(&hint));
}

static bool find_column(struct check *c, struct txn_span at, uint16_t table_index, struct str name,
                        uint16_t *column) {
    const struct table *table = c->schema->tables.items[table_index];
    int found = table_find_column(table, name);
    if (found >= 0) {
        *column = (uint16_t)found;
        return true;
    }
    struct suggestion hint;
    txn_suggestion_init(&hint, name);
    for (size_t i = 0; i < table->columns.count; i++)
        txn_suggestion_try(&hint, table->columns.items[i].name);
    return txn_fault(c->err, at, "table %.*s has no column `%.*s`%s", STR_ARG(table->name),
                     STR_ARG(name), txn_suggestion_text(&hint));
}

bool txn_check_column(struct check *c, struct txn_span at, uint16_t var, struct str name,
                      uint16_t *column) {
    if (!txn_check_known(c, at, var))
        return false;
    struct check_type type = type_of(c, var);
    if (type.type != TXN_ROW)
        return txn_fault(c->err, at, "`%.*s` is %s, so it has no column `%.*s`",
                         STR_ARG(name_of(c, var)), txn_check_type_text(c, type), STR_ARG(name));
    return find_column(c, at, type.table, name, column);
}

/* A variable that should be a scalar, and is not. */
static bool not_scalar(struct check *c, struct txn_span at, uint16_t var, struct check_type type) {
    struct str name = name_of(c, var);
    if (type.type != TXN_ROW)
        return txn_fault(c->err, at, "`%.*s` is %s, not a scalar", STR_ARG(name),
                         txn_check_type_text(c, type));
    const struct table *table = c->schema->tables.items[type.table];
    struct str column = table->columns.items[0].name;
    return txn_fault(c->err, at, "`%.*s` is %s, not a scalar: name a column, as `%.*s.%.*s`",
                     STR_ARG(name), txn_check_type_text(c, type), STR_ARG(name), STR_ARG(column));
}

bool txn_check_scalar(struct check *c, struct txn_expr *expr) {
    struct check_type type;
    if (!txn_check_expr(c, expr, &type))
        return false;
    if (type.type == TXN_SCALAR || type.type == TXN_UNKNOWN)
        return true;
    if (expr->kind == TXN_EXPR_VAR)
        return not_scalar(c, expr->span, expr->var, type);
    return txn_fault(c->err, expr->span, "this is %s, not a scalar", txn_check_type_text(c, type));
}

/* `a is b`: both rows; null is no object. */
static bool same_at(struct check *c, struct txn_expr *expr) {
    for (size_t i = 0; i < 2; i++) {
        struct check_type type;
        if (!txn_check_expr(c, expr->args.items[i], &type))
            return false;
        if (type.type != TXN_ROW)
            return txn_fault(c->err, expr->args.items[i]->span,
                             "`is` compares two rows, and this is %s",
                             txn_check_type_text(c, type));
    }
    return true;
}

static bool cond_at(struct check *c, struct txn_expr *expr, struct check_type *type) {
    struct check_type other;
    if (!txn_check_scalar(c, expr->args.items[0]) ||
        !txn_check_expr(c, expr->args.items[1], type) ||
        !txn_check_expr(c, expr->args.items[2], &other))
        return false;
    if (type->type == TXN_UNKNOWN)
        *type = other;
    if (other.type == TXN_UNKNOWN || (type->type == other.type && type->table == other.table))
        return true;
    return txn_fault(c->err, expr->args.items[2]->span, "this is %s, and before the `if` stands %s",
                     txn_check_type_text(c, other), txn_check_type_text(c, *type));
}

static bool is_null_at(struct check *c, struct txn_expr *expr) {
    struct check_type type;
    if (!txn_check_expr(c, expr->args.items[0], &type))
        return false;
    if (type.type != TXN_ROWS && type.type != TXN_LIST)
        return true;
    return txn_fault(c->err, expr->span, "this is %s, which is never null; see len()",
                     txn_check_type_text(c, type));
}

static bool of_list_at(struct check *c, struct txn_expr *expr, struct check_type *type) {
    if (!txn_check_known(c, expr->span, expr->var))
        return false;
    struct check_type list = type_of(c, expr->var);
    if (list.type != TXN_ROWS && list.type != TXN_LIST)
        return txn_fault(c->err, expr->span, "`%.*s` is %s, not a list",
                         STR_ARG(name_of(c, expr->var)), txn_check_type_text(c, list));
    *type = txn_check_infer(c, expr);
    return true;
}

static bool args_at(struct check *c, struct txn_expr *expr) {
    for (size_t i = 0; i < expr->args.count; i++)
        if (!txn_check_scalar(c, expr->args.items[i]))
            return false;
    return true;
}

bool txn_check_expr(struct check *c, struct txn_expr *expr, struct check_type *type) {
    *type = (struct check_type){TXN_SCALAR, 0};
    switch (expr->kind) {
    case TXN_EXPR_LITERAL:
        *type = txn_check_infer(c, expr);
        return true;
    case TXN_EXPR_VAR:
        *type = type_of(c, expr->var);
        return txn_check_known(c, expr->span, expr->var);
    case TXN_EXPR_COLUMN:
        return txn_check_column(c, expr->span, expr->var, expr->column_name, &expr->column);
    case TXN_EXPR_LEN:
        return of_list_at(c, expr, type) && (*type = (struct check_type){TXN_SCALAR, 0}, true);
    case TXN_EXPR_FIRST:
        return of_list_at(c, expr, type);
    case TXN_EXPR_IS_NULL:
        return is_null_at(c, expr);
    case TXN_EXPR_SAME:
        return same_at(c, expr);
    case TXN_EXPR_COND:
        return cond_at(c, expr, type);
    case TXN_EXPR_NOT:
    case TXN_EXPR_NEG:
    case TXN_EXPR_BINARY:
    case TXN_EXPR_OPAQUE:
        return args_at(c, expr);
    case TXN_EXPR_NOW:
        return true;
    }
    LW_UNREACHABLE();
}

/* A host value: a scalar, a row's column, or a list that is the whole of an IN list. */
static bool use_host(struct check *c, struct txn_span at, const struct sql_host *host, uint16_t var,
                     uint16_t *column) {
    if (host->column.len > 0)
        return txn_check_column(c, at, var, host->column, column);
    struct check_type type = type_of(c, var);
    if (type.type == TXN_SCALAR || (type.type == TXN_LIST && host->is_list))
        return true;
    if (type.type == TXN_LIST)
        return txn_fault(c->err, at, "`%.*s` is a list: it can stand alone in IN (:%.*s) only",
                         STR_ARG(host->name), STR_ARG(host->name));
    return not_scalar(c, at, var, type);
}

static bool use_hosts(struct check *c, const struct txn_step *step, const struct sql_stmt *stmt,
                      const uint16_t *host_var, uint16_t *host_column) {
    for (size_t i = 0; i < stmt->hosts.count; i++) {
        const struct sql_host *host = &stmt->hosts.items[i];
        struct txn_span at = {.path = step->span.path, .start = host->pos};
        if (!use_host(c, at, host, host_var[i], &host_column[i])) {
            struct err cause = *c->err;
            return txn_sql_fault(c->err, step->span, stmt->text, &cause);
        }
    }
    return true;
}

static bool use_reload(struct check *c, const struct txn_step *step) {
    uint16_t table;
    if (!txn_check_known(c, step->span, step->sql.var) || !txn_check_result_table(c, step, &table))
        return false;
    struct check_type had = type_of(c, step->sql.var), got = {TXN_ROW, table};
    if (had.type == TXN_ROW && had.table == table)
        return true;
    return txn_fault(c->err, step->span, "`%.*s` is %s, and %s can't be loaded into it",
                     STR_ARG(name_of(c, step->sql.var)), txn_check_type_text(c, had),
                     txn_check_type_text(c, got));
}

static bool use_sql(struct check *c, struct txn_step *step) {
    struct txn_sql *sql = &step->sql;
    if (!use_hosts(c, step, sql->stmt, sql->host_var, sql->host_column))
        return false;
    if (sql->into == TXN_INTO_RELOAD)
        return use_reload(c, step);
    if (sql->into == TXN_INTO_KEY)
        return txn_check_column(c, step->span, sql->var, sql->column_name, &sql->column);
    return true;
}

static bool use_set_column(struct check *c, struct txn_step *step) {
    if (!txn_check_column(c, step->span, step->var, step->column_name, &step->column))
        return false;
    if (step->sql_expr == NULL)
        return txn_check_scalar(c, step->expr);
    uint16_t table = c->program->vars.items[step->var].table;
    if (!sql_resolve_expr(c->arena, c->schema, table, step->sql_expr, c->err)) {
        struct err cause = *c->err;
        return txn_sql_fault(c->err, step->span, step->sql_hosts->text, &cause);
    }
    return use_hosts(c, step, step->sql_hosts, step->host_var, step->host_column);
}

static bool use_new(struct check *c, struct txn_step *step) {
    size_t count = step->new_columns.count;
    LW_ASSERT(count == step->args.count);
    step->new_column_index = ARENA_ARRAY(c->arena, uint16_t, count);
    for (size_t i = 0; i < count; i++) {
        struct txn_expr *arg = step->args.items[i];
        struct str name = step->new_columns.items[i];
        if (!find_column(c, step->span, step->table, name, &step->new_column_index[i]) ||
            !txn_check_scalar(c, arg))
            return false;
        for (size_t k = 0; k < i; k++)
            if (step->new_column_index[k] == step->new_column_index[i])
                return txn_fault(c->err, step->span, "column `%.*s` is given twice", STR_ARG(name));
    }
    return true;
}

static bool use_for(struct check *c, const struct txn_step *step) {
    if (!txn_check_known(c, step->span, step->list_var))
        return false;
    struct check_type type = type_of(c, step->list_var);
    if (type.type == TXN_ROWS || type.type == TXN_LIST)
        return true;
    return txn_fault(c->err, step->span, "`%.*s` is %s, not a list",
                     STR_ARG(name_of(c, step->list_var)), txn_check_type_text(c, type));
}

/* Every `return` of a call gives what its variable holds; calls within have returns of their
 * own. */
static bool use_returns(struct check *c, const struct txn_block *block, uint16_t var) {
    struct check_type had = type_of(c, var);
    for (size_t i = 0; i < block->steps.count; i++) {
        const struct txn_step *step = block->steps.items[i];
        if (step->kind == TXN_STEP_RETURN && step->expr != NULL) {
            struct check_type got = txn_check_infer(c, step->expr);
            bool fits = got.type == TXN_UNKNOWN || (got.type == had.type && got.table == had.table);
            if (!fits)
                return txn_fault(c->err, step->span, "this returns %s, but `%.*s` is %s",
                                 txn_check_type_text(c, got), STR_ARG(name_of(c, var)),
                                 txn_check_type_text(c, had));
        }
        if (step->kind == TXN_STEP_CALL)
            continue;
        if (!use_returns(c, &step->body, var) || !use_returns(c, &step->else_body, var) ||
            !use_returns(c, &step->finally_body, var))
            return false;
        for (size_t h = 0; h < step->handlers.count; h++)
            if (!use_returns(c, &step->handlers.items[h].body, var))
                return false;
    }
    return true;
}

static bool use_step(struct check *c, struct txn_step *step) {
    struct check_type type;
    switch (step->kind) {
    case TXN_STEP_SQL:
        return use_sql(c, step);
    case TXN_STEP_ASSIGN:
        return txn_check_expr(c, step->expr, &type);
    case TXN_STEP_RETURN:
        return step->expr == NULL || txn_check_expr(c, step->expr, &type);
    case TXN_STEP_SET_COLUMN:
        return use_set_column(c, step);
    case TXN_STEP_CALL:
        return step->var == TXN_NO_VAR || use_returns(c, &step->body, step->var);
    case TXN_STEP_NEW:
        return use_new(c, step);
    case TXN_STEP_FOR:
        return use_for(c, step);
    case TXN_STEP_IF:
        return txn_check_scalar(c, step->expr);
    case TXN_STEP_LOCK:
    case TXN_STEP_UNLOCK:
    case TXN_STEP_WITH_LOCK:
        return step->expr == NULL || txn_check_scalar(c, step->expr);
    case TXN_STEP_EFFECT:
        for (size_t i = 0; i < step->args.count; i++)
            if (!txn_check_scalar(c, step->args.items[i]))
                return false;
        return true;
    default:
        return true;
    }
}

bool txn_check_use(struct check *c) {
    return txn_check_each_step(c, &c->program->body, use_step);
}
