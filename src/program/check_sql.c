/* The checker's second pass: statements are resolved, their host names become variables, and
 * each is of a kind that gives what the program takes from it. */
#include "base/assert.h"
#include "program/check.h"

static bool gives_rows(const struct sql_stmt *stmt) {
    return stmt->kind == SQL_STMT_SELECT || stmt->returning.count > 0;
}

static bool is_dml(const struct sql_stmt *stmt) {
    return stmt->kind == SQL_STMT_INSERT || stmt->kind == SQL_STMT_UPDATE ||
           stmt->kind == SQL_STMT_DELETE;
}

static const char *stmt_kind_text(const struct sql_stmt *stmt) {
    static const char *const texts[] = {
#define SQL_STMT(name, text) text,
#include "sql/stmt.def"
#undef SQL_STMT
    };
    LW_ASSERT(stmt->kind < LW_COUNT_OF(texts));
    return texts[stmt->kind];
}

/* Whether the statement can give what is taken from it. */
static bool into_fits(struct check *c, const struct txn_step *step) {
    static const char *const words[] = {
        [TXN_INTO_ROW] = "row",     [TXN_INTO_RELOAD] = "reload", [TXN_INTO_ROWS] = "rows",
        [TXN_INTO_VALUE] = "value", [TXN_INTO_LIST] = "list",     [TXN_INTO_COUNT] = "count",
        [TXN_INTO_KEY] = "key",
    };
    const struct sql_stmt *stmt = step->sql.stmt;
    const char *kind = stmt_kind_text(stmt);
    if (stmt->kind == SQL_STMT_CREATE_TABLE || stmt->kind == SQL_STMT_CREATE_INDEX)
        return txn_fault(c->err, step->span, "%s stands outside of programs", kind);
    if (stmt->kind == SQL_STMT_PREPARE_TRANSACTION || stmt->kind == SQL_STMT_COMMIT_PREPARED ||
        stmt->kind == SQL_STMT_ROLLBACK_PREPARED)
        return txn_fault(c->err, step->span, "%s is not modelled in programs", kind);
    if (step->sql.is_save && stmt->kind != SQL_STMT_UPDATE && stmt->kind != SQL_STMT_INSERT)
        return txn_fault(c->err, step->span, "`save` goes with UPDATE or INSERT, not %s", kind);
    switch (step->sql.into) {
    case TXN_INTO_NOTHING:
        return true;
    case TXN_INTO_ROW:
    case TXN_INTO_RELOAD:
    case TXN_INTO_ROWS:
    case TXN_INTO_VALUE:
    case TXN_INTO_LIST:
        if (gives_rows(stmt))
            return true;
        return txn_fault(c->err, step->span, "`%s` needs rows, and this %s gives none",
                         words[step->sql.into], kind);
    case TXN_INTO_COUNT:
        if (is_dml(stmt))
            return true;
        return txn_fault(c->err, step->span,
                         "`count` is of rows that INSERT, UPDATE or DELETE changed, not of %s",
                         kind);
    case TXN_INTO_KEY:
        if (stmt->kind == SQL_STMT_INSERT)
            return true;
        return txn_fault(c->err, step->span, "`key` needs an INSERT, not %s", kind);
    }
    LW_UNREACHABLE();
}

static struct txn_span span_at(const struct txn_step *step, struct pos pos) {
    return (struct txn_span){.path = step->span.path, .start = pos};
}

/* An error at a host value or name in the step's SQL. */
static bool sql_place_fault(struct check *c, const struct txn_step *step, struct str text) {
    struct err cause = *c->err;
    return txn_sql_fault(c->err, step->span, text, &cause);
}

static bool name_hosts(struct check *c, struct txn_step *step, const struct sql_stmt *stmt,
                       uint16_t **host_var, uint16_t **host_column) {
    size_t count = stmt->hosts.count;
    *host_var = ARENA_ARRAY(c->arena, uint16_t, count);
    *host_column = ARENA_ARRAY(c->arena, uint16_t, count);
    for (size_t i = 0; i < count; i++) {
        const struct sql_host *host = &stmt->hosts.items[i];
        uint16_t var = txn_find_var(c->program, host->name);
        (*host_column)[i] = TXN_NO_VAR;
        (*host_var)[i] = var;
        if (var != TXN_NO_VAR && c->is_bound[var])
            continue;
        struct suggestion hint;
        txn_suggestion_init(&hint, host->name);
        for (size_t v = 0; v < c->program->vars.count; v++)
            if (c->is_bound[v])
                txn_suggestion_try(&hint, c->program->vars.items[v].name);
        txn_fault(c->err, span_at(step, host->pos), "unknown variable `%.*s`%s",
                  STR_ARG(host->name), txn_suggestion_text(&hint));
        return sql_place_fault(c, step, stmt->text);
    }
    return true;
}

static bool resolve_step(struct check *c, struct txn_step *step) {
    if (step->kind == TXN_STEP_SET_COLUMN && step->sql_expr != NULL)
        return name_hosts(c, step, step->sql_hosts, &step->host_var, &step->host_column);
    if (step->kind != TXN_STEP_SQL)
        return true;
    struct sql_stmt *stmt = step->sql.stmt;
    if (!into_fits(c, step))
        return false;
    if (!sql_resolve(c->arena, c->schema, stmt, c->err))
        return sql_place_fault(c, step, stmt->text);
    return name_hosts(c, step, stmt, &step->sql.host_var, &step->sql.host_column);
}

bool txn_check_statements(struct check *c) {
    return txn_check_each_step(c, &c->program->body, resolve_step);
}

static const struct sql_source *source_at(const struct sql_stmt *stmt, size_t index) {
    switch (stmt->kind) {
    case SQL_STMT_SELECT:
        return index < stmt->select->sources.count ? &stmt->select->sources.items[index] : NULL;
    case SQL_STMT_UPDATE:
        if (index > 0 && index - 1 < stmt->update->from.count)
            return &stmt->update->from.items[index - 1];
        return NULL;
    case SQL_STMT_DELETE:
        if (index > 0 && index - 1 < stmt->delete_->using_sources.count)
            return &stmt->delete_->using_sources.items[index - 1];
        return NULL;
    default:
        return NULL;
    }
}

bool txn_check_result_table(struct check *c, const struct txn_step *step, uint16_t *table) {
    const struct sql_stmt *stmt = step->sql.stmt;
    bool is_select = stmt->kind == SQL_STMT_SELECT;
    size_t count = is_select ? stmt->select->items.count : stmt->returning.count;
    const struct sql_item *items = is_select ? stmt->select->items.items : stmt->returning.items;
    LW_ASSERT(count > 0);
    for (size_t i = 0; i < count; i++) {
        const struct sql_expr *expr = items[i].expr;
        LW_ASSERT(expr != NULL); /* sql_resolve expands stars */
        const struct sql_source *source =
            expr->kind == SQL_COLUMN ? source_at(stmt, expr->source) : NULL;
        bool is_target = expr->kind == SQL_COLUMN && !is_select && expr->source == 0;
        bool is_of_table = is_target || (source != NULL && source->subquery == NULL);
        if (!is_of_table || expr->source != items[0].expr->source) {
            txn_fault(c->err, span_at(step, expr->pos),
                      is_of_table ? "a row holds columns of one table, and this is another's"
                                  : "a row holds columns of a table, and this is none; "
                                    "take it with `value` or `list`");
            return sql_place_fault(c, step, stmt->text);
        }
        int target = sql_target_table(stmt);
        LW_ASSERT(!is_target || target >= 0);
        *table = is_target ? (uint16_t)target : source->table_index;
    }
    return true;
}
