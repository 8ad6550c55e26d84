#include "inputs/domain.h"

#include "base/assert.h"

/* What a host variable stands for as far as it is simply copied around: a parameter, or a column that was
 * read into it. */
struct origin {
    int param;         /* -1: none */
    int table, column; /* -1: none */
    int counted;       /* the table whose rows it is the number of; -1: none */
    int other_param;   /* that another branch assigns; -1: none */
};

struct reader {
    struct domains *domains;
    const struct txn_program *program;
    size_t index; /* of the program */
    struct gate **sought; /* by variable: what the SELECT that filled it looks for; NULL: none did */
    struct gate *seeking; /* of the SELECT at hand */
    struct param_domain *params;
    struct origin *origins; /* per variable */
    bool is_in_choice;      /* in the test of `a if c else b` */
};

void candidates_add(struct candidates *candidates, const struct text_pool *pool,
                    struct value value) {
    for (size_t i = 0; i < candidates->count; i++)
        if (value_equal(pool, candidates->values[i], value))
            return;
    if (candidates->count < CANDIDATES_MAX)
        candidates->values[candidates->count++] = value;
}

/* The constant and, for numbers, its neighbours. */
static void add_around(struct candidates *candidates, const struct text_pool *pool,
                       struct value value) {
    candidates_add(candidates, pool, value);
    if (value.kind != VALUE_INT)
        return;
    candidates_add(candidates, pool, value_int(value.number + 1));
    candidates_add(candidates, pool, value_int(value.number - 1));
}

static struct column_domain *column_domain(struct reader *r, int table, int column) {
    if (table < 0 || column < 0)
        return NULL;
    return &r->domains->columns[table][column];
}

static struct origin no_origin(void) {
    return (struct origin){-1, -1, -1, -1, -1};
}

static struct origin expr_origin(struct reader *r, const struct txn_expr *expr) {
    struct origin origin = no_origin();
    if (expr == NULL)
        return origin;
    if (expr->kind == TXN_EXPR_VAR)
        return r->origins[expr->var];
    if (expr->kind == TXN_EXPR_LEN)
        origin.counted = r->program->vars.items[expr->var].table;
    /* total + amount > limit: the total is what the limit is for */
    if (expr->kind == TXN_EXPR_BINARY && (expr->op == TXN_OP_ADD || expr->op == TXN_OP_SUB))
        return expr_origin(r, expr->args.items[0]);
    if (expr->kind == TXN_EXPR_COLUMN) {
        origin.table = r->program->vars.items[expr->var].table;
        origin.column = expr->column;
    }
    return origin;
}

static void note_constant(struct reader *r, struct origin origin, struct value value) {
    struct column_domain *column = column_domain(r, origin.table, origin.column);
    if (column != NULL)
        add_around(&column->constants, r->domains->pool, value);
    if (column != NULL && r->is_in_choice && value.kind == VALUE_INT) {
        /* Next to the constant two steps may look like one. */
        candidates_add(&column->weighed, r->domains->pool, value_int(value.number - 2));
        candidates_add(&column->weighed, r->domains->pool, value_int(value.number + 2));
    }
    if (origin.param >= 0)
        add_around(&r->params[origin.param].constants, r->domains->pool, value);
    if (origin.counted >= 0)
        add_around(&r->domains->counts[origin.counted], r->domains->pool, value);
}

static void note_compared(struct reader *r, struct origin origin) {
    struct column_domain *column = column_domain(r, origin.table, origin.column);
    if (column != NULL)
        column->is_compared = true;
}

/* A parameter that is compared with a column: what the column holds is the value that matters. */
static void note_bound(struct reader *r, struct origin param, struct origin column) {
    if (param.param < 0 || column.table < 0)
        return;
    r->params[param.param].is_weighed = r->is_in_choice;
    r->params[param.param].bound_table = column.table;
    r->params[param.param].bound_column = column.column;
}

static void note_truth(struct reader *r, const struct txn_expr *expr) {
    struct origin origin = expr_origin(r, expr);
    struct column_domain *column = column_domain(r, origin.table, origin.column);
    if (column != NULL)
        column->is_truth_tested = true;
    if (origin.param >= 0 && r->params[origin.param].use == PARAM_PLAIN)
        r->params[origin.param].use = PARAM_CHOICE;
}

static void note_null_test(struct reader *r, const struct txn_expr *expr) {
    struct origin origin = expr_origin(r, expr);
    struct column_domain *column = column_domain(r, origin.table, origin.column);
    if (column != NULL)
        column->is_null_tested = true;
    if (origin.param >= 0)
        candidates_add(&r->params[origin.param].constants, r->domains->pool, value_null());
}

/* `column = :host` or `SET column = :host`. */
static void link_host(struct reader *r, struct origin column, struct origin host, bool is_lookup) {
    if (host.param < 0 || column.table < 0)
        return;
    if (host.other_param >= 0) {
        struct origin other = host;
        other.param = host.other_param;
        other.other_param = -1;
        link_host(r, column, other, is_lookup);
    }
    struct param_domain *param = &r->params[host.param];
    /* What is looked up by it says more than where it is put; that a row is found by it, more than that some are. */
    const struct schema *schema = r->domains->schema;
    bool is_better = is_lookup && param->table >= 0 &&
                     (param->use != PARAM_LOOKUP ||
                      (is_unique_column(schema->tables.items[column.table], (size_t)column.column) &&
                       !is_unique_column(schema->tables.items[param->table], (size_t)param->column)));
    if (param->table < 0 || is_better) {
        param->table = column.table;
        param->column = column.column;
    }
    if (is_lookup)
        param->use = PARAM_LOOKUP;
}

/* `row.id == wanted`: the parameter names a row, as it would in a WHERE. */
static void link_key(struct reader *r, struct origin column, struct origin param) {
    if (column.table < 0 || param.param < 0)
        return;
    const struct table *table = r->domains->schema->tables.items[column.table];
    const struct key *key = table->has_primary_key ? &table->keys.items[0] : NULL;
    if (key != NULL && key->column_count == 1 && key->columns[0] == column.column)
        link_host(r, column, param, true);
}

static void read_expr(struct reader *r, const struct txn_expr *expr) {
    if (expr == NULL)
        return;
    bool was_in_choice = r->is_in_choice;
    r->is_in_choice |= expr->kind == TXN_EXPR_COND;
    for (size_t i = 0; i < expr->args.count; i++)
        read_expr(r, expr->args.items[i]);
    r->is_in_choice = was_in_choice;
    if (expr->kind == TXN_EXPR_IS_NULL)
        note_null_test(r, expr->args.items[0]);
    else if (expr->kind == TXN_EXPR_NOT || expr->kind == TXN_EXPR_COND)
        note_truth(r, expr->args.items[0]);
    if (expr->kind != TXN_EXPR_BINARY)
        return;
    const struct txn_expr *left = expr->args.items[0], *right = expr->args.items[1];
    if (expr->op == TXN_OP_AND || expr->op == TXN_OP_OR) {
        note_truth(r, left);
        note_truth(r, right);
    } else if (expr->op < TXN_OP_ADD) {
        if (right->kind == TXN_EXPR_LITERAL)
            note_constant(r, expr_origin(r, left), right->literal);
        else if (left->kind == TXN_EXPR_LITERAL)
            note_constant(r, expr_origin(r, right), left->literal);
        else {
            struct origin origins[] = {expr_origin(r, left), expr_origin(r, right)};
            for (int i = 0; i < 2; i++) {
                note_compared(r, origins[i]);
                link_key(r, origins[i], origins[1 - i]);
                note_bound(r, origins[i], origins[1 - i]);
            }
        }
    }
}

/* SQL. `tables` are those of the FROM list at hand. */

struct scope {
    const struct txn_sql *sql;
    const uint16_t *host_var, *host_column;
    const struct sql_source *sources;
    size_t source_count;
};

static struct origin host_origin(struct reader *r, const struct scope *scope, uint16_t host) {
    struct origin origin = no_origin();
    uint16_t var = scope->host_var[host];
    if (scope->host_column[host] == TXN_NO_VAR)
        return r->origins[var];
    origin.table = r->program->vars.items[var].table;
    origin.column = scope->host_column[host];
    return origin;
}

static struct origin column_origin(const struct scope *scope, const struct sql_expr *expr) {
    struct origin origin = no_origin();
    if (expr->kind == SQL_COLUMN && expr->depth == 0 && expr->source < scope->source_count &&
        scope->sources[expr->source].subquery == NULL) {
        origin.table = scope->sources[expr->source].table_index;
        origin.column = expr->column;
    }
    return origin;
}

static void read_select(struct reader *r, const struct scope *outer,
                        const struct sql_select *select);

static void add_origin(struct reader *r, struct gate *gate, struct origin origin) {
    if (origin.param < 0 && origin.table < 0)
        return;
    VEC_PUSH(r->domains->arena, &gate->items,
             ((struct asked){r->index, origin.param, origin.table, origin.column}));
    if (origin.other_param >= 0)
        VEC_PUSH(r->domains->arena, &gate->items,
                 ((struct asked){r->index, origin.other_param, -1, -1}));
}

static void note_switch(struct reader *r, struct origin host, struct value value) {
    if (host.param < 0 || r->params[host.param].use != PARAM_PLAIN)
        return;
    r->params[host.param].use = PARAM_SWITCH;
    r->params[host.param].on = value;
}

static void link_pair(struct reader *r, const struct scope *scope, const struct sql_expr *left,
                      const struct sql_expr *right, bool is_equality) {
    struct origin column = column_origin(scope, left);
    if (left->kind == SQL_HOST && right->kind == SQL_LITERAL) {
        struct origin host = host_origin(r, scope, left->host);
        note_switch(r, host, right->literal);
        if (r->seeking != NULL)
            add_origin(r, r->seeking, host);
    }
    if (column.table < 0)
        return;
    if (r->seeking != NULL) {
        add_origin(r, r->seeking, column);
        if (right->kind == SQL_HOST)
            add_origin(r, r->seeking, host_origin(r, scope, right->host));
    }
    if (right->kind == SQL_LITERAL)
        note_constant(r, column, right->literal);
    else if (right->kind == SQL_HOST) {
        struct origin host = host_origin(r, scope, right->host);
        column_domain(r, column.table, column.column)->is_looked_up |= is_equality;
        link_host(r, column, host, is_equality);
        if (!is_equality)
            note_bound(r, host, column);
    } else
        note_compared(r, column);
}

static void read_sql_expr(struct reader *r, const struct scope *scope,
                          const struct sql_expr *expr) {
    if (expr == NULL)
        return;
    for (size_t i = 0; i < expr->args.count; i++)
        read_sql_expr(r, scope, expr->args.items[i]);
    if (expr->select != NULL)
        read_select(r, scope, expr->select);
    if (expr->kind == SQL_BINARY && expr->op >= SQL_OP_EQ && expr->op <= SQL_OP_GE) {
        link_pair(r, scope, expr->args.items[0], expr->args.items[1], expr->op == SQL_OP_EQ);
        link_pair(r, scope, expr->args.items[1], expr->args.items[0], expr->op == SQL_OP_EQ);
    } else if (expr->kind == SQL_IN) {
        for (size_t i = 1; i < expr->args.count; i++)
            link_pair(r, scope, expr->args.items[0], expr->args.items[i], true);
    } else if (expr->kind == SQL_IS_NULL) {
        struct origin origin = column_origin(scope, expr->args.items[0]);
        struct column_domain *column = column_domain(r, origin.table, origin.column);
        if (column != NULL)
            column->is_null_tested = true;
    }
}

static void name_table(struct reader *r, uint16_t table) {
    r->domains->tables |= 1ull << (table < 63 ? table : 63);
}

static void name_written(struct reader *r, uint16_t table) {
    name_table(r, table);
    r->domains->written |= 1ull << (table < 63 ? table : 63);
}

static void read_sources(struct reader *r, const struct scope *scope,
                         const struct sql_source *sources, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (sources[i].subquery != NULL)
            read_select(r, scope, sources[i].subquery);
        else
            name_table(r, sources[i].table_index);
        read_sql_expr(r, scope, sources[i].on);
    }
}

static void read_select(struct reader *r, const struct scope *outer,
                        const struct sql_select *select) {
    struct scope scope = *outer;
    scope.sources = select->sources.items;
    scope.source_count = select->sources.count;
    read_sources(r, &scope, scope.sources, scope.source_count);
    for (size_t i = 0; i < select->items.count; i++)
        read_sql_expr(r, &scope, select->items.items[i].expr);
    read_sql_expr(r, &scope, select->where);
    read_sql_expr(r, &scope, select->having);
}

static void read_assigned(struct reader *r, const struct scope *scope, uint16_t table,
                          uint16_t column, const struct sql_expr *value) {
    struct origin origin = {-1, table, column, -1, -1};
    if (value->kind == SQL_LITERAL)
        note_constant(r, origin, value->literal);
    else if (value->kind == SQL_HOST)
        link_host(r, origin, host_origin(r, scope, value->host), false);
    read_sql_expr(r, scope, value);
}

static void read_insert(struct reader *r, struct scope *scope, const struct sql_insert *insert) {
    name_written(r, insert->table_index);
    for (size_t row = 0; row < insert->rows.count; row++)
        for (size_t i = 0; i < insert->column_count; i++)
            read_assigned(r, scope, insert->table_index, insert->column_index[i],
                          insert->rows.items[row][i]);
    if (insert->select != NULL)
        read_select(r, scope, insert->select);
}

static void read_stmt(struct reader *r, const struct txn_sql *sql) {
    struct scope scope = {.sql = sql, .host_var = sql->host_var, .host_column = sql->host_column};
    switch (sql->stmt->kind) {
    case SQL_STMT_SELECT:
        r->seeking = ARENA_NEW(r->domains->arena, struct gate);
        read_select(r, &scope, sql->stmt->select);
        if (sql->var != TXN_NO_VAR)
            r->sought[sql->var] = r->seeking;
        r->seeking = NULL;
        return;
    case SQL_STMT_INSERT:
        read_insert(r, &scope, sql->stmt->insert);
        return;
    case SQL_STMT_UPDATE: {
        const struct sql_update *update = sql->stmt->update;
        scope.sources = &update->target;
        scope.source_count = 1;
        name_written(r, update->target.table_index);
        read_sources(r, &scope, update->from.items, update->from.count);
        for (size_t i = 0; i < update->set.count; i++)
            read_assigned(r, &scope, update->target.table_index, update->set.items[i].column_index,
                          update->set.items[i].value);
        read_sql_expr(r, &scope, update->where);
        return;
    }
    case SQL_STMT_DELETE:
        scope.sources = &sql->stmt->delete_->target;
        scope.source_count = 1;
        name_written(r, scope.sources->table_index);
        read_sql_expr(r, &scope, sql->stmt->delete_->where);
        return;
    default:
        return;
    }
}

static void read_block(struct reader *r, const struct txn_block *block);

static void read_set_column(struct reader *r, const struct txn_step *step) {
    struct origin column = {-1, r->program->vars.items[step->var].table, step->column, -1, -1};
    if (step->expr == NULL)
        return;
    if (step->expr->kind == TXN_EXPR_LITERAL)
        note_constant(r, column, step->expr->literal);
    link_host(r, column, expr_origin(r, step->expr), false);
}

/* What the one value of a SELECT is: a column, its sum, the number of rows. */
static struct origin value_origin(const struct sql_select *select) {
    struct scope scope = {.sources = select->sources.items, .source_count = 1};
    const struct sql_expr *item = select->items.items[0].expr;
    struct origin origin = no_origin();
    if (select->sources.count != 1 || item == NULL)
        return origin;
    if (item->kind == SQL_CALL && str_is(item->name, "COALESCE") && item->args.count > 0)
        item = item->args.items[0];
    if (item->kind != SQL_CALL)
        return column_origin(&scope, item);
    if (str_is(item->name, "COUNT") && select->sources.items[0].subquery == NULL)
        origin.counted = select->sources.items[0].table_index;
    else if (item->args.count == 1)
        return column_origin(&scope, item->args.items[0]);
    return origin;
}

static void add_asked(struct reader *r, struct gate *gate, const struct txn_expr *expr) {
    bool is_of_var = expr->kind == TXN_EXPR_VAR || expr->kind == TXN_EXPR_LEN ||
                     expr->kind == TXN_EXPR_FIRST || expr->kind == TXN_EXPR_COLUMN;
    const struct gate *sought = is_of_var ? r->sought[expr->var] : NULL;
    add_origin(r, gate, expr_origin(r, expr));
    for (size_t i = 0; sought != NULL && i < sought->items.count; i++)
        VEC_PUSH(r->domains->arena, &gate->items, sought->items.items[i]);
    for (size_t i = 0; i < expr->args.count; i++)
        add_asked(r, gate, expr->args.items[i]);
}

/* What the test of an if asks about; what the second reading knows counts. */
static void note_gate(struct reader *r, const struct txn_step *step) {
    struct str key = {(const char *)&step, sizeof(step)};
    struct gate *gate = ARENA_NEW(r->domains->arena, struct gate);
    add_asked(r, gate, step->expr);
    const struct txn_step **kept = ARENA_NEW(r->domains->arena, const struct txn_step *);
    *kept = step;
    key.ptr = (const char *)kept;
    map_put(&r->domains->gates, key, gate);
}

/* Where one branch assigns a constant and another a parameter, the latter is what can be chosen. */
static void keep_origin(struct origin *of, struct origin origin) {
    int before = of->param;
    if (origin.param < 0 && origin.table < 0 && origin.counted < 0)
        return;
    *of = origin;
    if (origin.param >= 0 && before >= 0 && before != origin.param)
        of->other_param = before;
}

static void read_step(struct reader *r, const struct txn_step *step) {
    read_expr(r, step->expr);
    for (size_t i = 0; i < step->args.count; i++)
        read_expr(r, step->args.items[i]);
    switch (step->kind) {
    case TXN_STEP_SQL:
        read_stmt(r, &step->sql);
        if (step->sql.into == TXN_INTO_VALUE && step->sql.stmt->kind == SQL_STMT_SELECT)
            r->origins[step->sql.var] = value_origin(step->sql.stmt->select);
        break;
    case TXN_STEP_ASSIGN:
        keep_origin(&r->origins[step->var], expr_origin(r, step->expr));
        if ((step->expr->kind == TXN_EXPR_VAR || step->expr->kind == TXN_EXPR_FIRST) &&
            r->sought[step->expr->var] != NULL)
            r->sought[step->var] = r->sought[step->expr->var];
        break;
    case TXN_STEP_SET_COLUMN:
        read_set_column(r, step);
        break;
    case TXN_STEP_NEW:
        name_table(r, step->table);
        for (size_t i = 0; i < step->new_columns.count; i++) {
            struct origin column = {-1, step->table, step->new_column_index[i], -1, -1};
            link_host(r, column, expr_origin(r, step->args.items[i]), false);
        }
        break;
    case TXN_STEP_IF:
        note_truth(r, step->expr);
        note_gate(r, step);
        break;
    default:
        break;
    }
    read_block(r, &step->body);
    read_block(r, &step->else_body);
    for (size_t i = 0; i < step->handlers.count; i++)
        read_block(r, &step->handlers.items[i].body);
    read_block(r, &step->finally_body);
}

static void read_block(struct reader *r, const struct txn_block *block) {
    for (size_t i = 0; i < block->steps.count; i++)
        read_step(r, block->steps.items[i]);
}

static void read_program(struct domains *domains, const struct txn_program *program, size_t index,
                         struct param_domain *params) {
    struct reader r = {.domains = domains,
                       .program = program,
                       .index = index,
                       .params = params,
                       .sought = ARENA_ARRAY(domains->arena, struct gate *, program->vars.count),
                       .origins = ARENA_ARRAY(domains->arena, struct origin, program->vars.count)};
    for (size_t i = 0; i < program->vars.count; i++) {
        r.origins[i] = no_origin();
        if (i < program->param_count)
            r.origins[i].param = (int)i;
    }
    for (size_t i = 0; i < program->param_count; i++)
        params[i] =
            (struct param_domain){.table = -1, .column = -1, .bound_table = -1, .bound_column = -1};
    /* Twice, so that what a later step tells of a variable is known to an earlier one. */
    read_block(&r, &program->body);
    read_block(&r, &program->body);
}

void domains_read(struct domains *domains, const struct txn_program *const *programs,
                  size_t program_count) {
    size_t tables = domains->schema->tables.count;
    map_init(&domains->gates, domains->arena);
    domains->columns = ARENA_ARRAY(domains->arena, struct column_domain *, tables);
    domains->counts = ARENA_ARRAY(domains->arena, struct candidates, tables);
    for (size_t i = 0; i < tables; i++)
        domains->columns[i] = ARENA_ARRAY(domains->arena, struct column_domain,
                                          domains->schema->tables.items[i]->columns.count);
    for (size_t i = 0; i < program_count; i++) {
        struct param_domain *params =
            ARENA_ARRAY(domains->arena, struct param_domain, programs[i]->param_count);
        VEC_PUSH(domains->arena, &domains->params, params);
        read_program(domains, programs[i], i, params);
    }
}
