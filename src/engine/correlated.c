/* Whether a subquery's answer hangs on the row of the query around it. */
#include "engine/query_join.h"

static bool expr_hangs(const struct eval *eval, const struct sql_expr *expr, unsigned level);

static bool select_hangs(const struct eval *eval, const struct sql_select *select, unsigned level) {
    for (size_t i = 0; i < select->items.count; i++)
        if (expr_hangs(eval, select->items.items[i].expr, level))
            return true;
    for (size_t i = 0; i < select->sources.count; i++) {
        const struct sql_source *source = &select->sources.items[i];
        if (expr_hangs(eval, source->on, level) ||
            (source->subquery != NULL && select_hangs(eval, source->subquery, level + 1)))
            return true;
    }
    for (size_t i = 0; i < select->group_by.count; i++)
        if (expr_hangs(eval, select->group_by.items[i], level))
            return true;
    for (size_t i = 0; i < select->order_by.count; i++)
        if (expr_hangs(eval, select->order_by.items[i].expr, level))
            return true;
    return expr_hangs(eval, select->where, level) || expr_hangs(eval, select->having, level) ||
           expr_hangs(eval, select->limit, level) || expr_hangs(eval, select->offset, level);
}

static bool expr_hangs(const struct eval *eval, const struct sql_expr *expr, unsigned level) {
    if (expr == NULL)
        return false;
    if (expr->kind == SQL_COLUMN)
        return expr->depth > level;
    if (expr->kind == SQL_HOST) /* F() is over the statement's row */
        return expr->host >= eval->bind_count || eval->binds[expr->host].kind == DB_BIND_EXPR;
    if (expr->select != NULL && select_hangs(eval, expr->select, level + 1))
        return true;
    for (size_t i = 0; i < expr->args.count; i++)
        if (expr_hangs(eval, expr->args.items[i], level))
            return true;
    return false;
}

bool query_is_correlated(const struct eval *eval, const struct sql_select *select) {
    return select_hangs(eval, select, 0);
}
