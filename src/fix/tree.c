/* Walking and changing program trees. */
#include "base/assert.h"
#include "fix/rewrite.h"

enum { ATTEMPTS = 2 }; /* of a fix that tries again; then it raises */

bool rewrite_visit(struct txn_block *block,
                   bool (*visit)(void *context, struct txn_block *block, size_t at),
                   void *context) {
    for (size_t i = 0; i < block->steps.count; i++) {
        if (visit(context, block, i))
            return true;
        struct txn_step *step = block->steps.items[i];
        if (rewrite_visit(&step->body, visit, context) ||
            rewrite_visit(&step->else_body, visit, context) ||
            rewrite_visit(&step->finally_body, visit, context))
            return true;
        for (size_t k = 0; k < step->handlers.count; k++)
            if (rewrite_visit(&step->handlers.items[k].body, visit, context))
                return true;
    }
    return false;
}

struct txn_step *rewrite_step(struct mistake *m, enum txn_step_kind kind, struct txn_span span) {
    struct txn_step *step = ARENA_NEW(m->arena, struct txn_step);
    step->kind = kind;
    step->span = span;
    step->var = step->list_var = step->sql.var = TXN_NO_VAR;
    return step;
}

void block_insert(struct arena *arena, struct txn_block *block, size_t at, struct txn_step *step) {
    LW_ASSERT(at <= block->steps.count);
    VEC_PUSH(arena, &block->steps, step);
    for (size_t i = block->steps.count - 1; i > at; i--)
        block->steps.items[i] = block->steps.items[i - 1];
    block->steps.items[at] = step;
}

void block_remove(struct txn_block *block, size_t at) {
    LW_ASSERT(at < block->steps.count);
    for (size_t i = at; i + 1 < block->steps.count; i++)
        block->steps.items[i] = block->steps.items[i + 1];
    block->steps.count--;
}

struct fix_edit *add_edit(struct mistake *m, enum fix_edit_kind kind, struct txn_span span,
                          struct str column) {
    VEC_PUSH(m->arena, &m->edits, (struct fix_edit){.kind = kind, .span = span});
    struct fix_edit *edit = &m->edits.items[m->edits.count - 1];
    if (column.len > 0)
        VEC_PUSH(m->arena, &edit->columns, column);
    return edit;
}

uint16_t updated_object(const struct txn_step *step) {
    const struct txn_sql *sql = &step->sql;
    for (size_t i = 0; i < sql->stmt->update->set.count; i++) {
        const struct sql_expr *value = sql->stmt->update->set.items[i].value;
        if (value->kind == SQL_HOST && sql->host_column[value->host] != TXN_NO_VAR)
            return sql->host_var[value->host];
    }
    return TXN_NO_VAR;
}

bool is_object_update(const struct mistake *m, const struct txn_step *step) {
    return step->kind == TXN_STEP_SQL && step->sql.stmt->kind == SQL_STMT_UPDATE &&
           step->sql.stmt->update->target.table_index == m->table &&
           updated_object(step) != TXN_NO_VAR;
}

struct assigned_search {
    uint16_t var, column;
};

static bool visit_assigned(void *context, struct txn_block *block, size_t at) {
    const struct assigned_search *search = context;
    const struct txn_step *step = block->steps.items[at];
    return step->kind == TXN_STEP_SET_COLUMN && step->column == search->column &&
           step->var == search->var;
}

bool is_assigned(const struct txn_program *program, uint16_t var, uint16_t column) {
    struct assigned_search search = {var, column};
    return rewrite_visit((struct txn_block *)&program->body, visit_assigned, &search);
}

struct uses_search {
    struct arena *arena;
    const struct txn_program *program;
    struct txn_span span;
    struct save_uses *uses;
    size_t insert_count, fallback_count;
};

static bool stands_at(const struct txn_step *step, struct txn_span span) {
    return step->span.start.line == span.start.line && step->span.start.column == span.start.column &&
           str_equal(step->span.path, span.path);
}

static bool is_insert(const struct txn_step *step) {
    return step->kind == TXN_STEP_SQL && step->sql.stmt->kind == SQL_STMT_INSERT;
}

static void add_assigned(struct uses_search *search, const struct txn_step *update) {
    uint16_t object = updated_object(update);
    for (size_t i = 0; i < update->sql.stmt->update->set.count; i++) {
        const struct sql_assignment *set = &update->sql.stmt->update->set.items[i];
        bool is_known = object == TXN_NO_VAR ||
                        !is_assigned(search->program, object, set->column_index);
        for (size_t k = 0; k < search->uses->columns.count && !is_known; k++)
            is_known = str_equal(search->uses->columns.items[k], set->column);
        if (!is_known)
            VEC_PUSH(search->arena, &search->uses->columns, set->column);
    }
}

static bool visit_uses(void *context, struct txn_block *block, size_t at) {
    struct uses_search *search = context;
    const struct txn_step *step = block->steps.items[at];
    if (!stands_at(step, search->span))
        return false;
    search->insert_count += is_insert(step);
    if (step->kind != TXN_STEP_SQL || step->sql.stmt->kind != SQL_STMT_UPDATE)
        return false;
    add_assigned(search, step);
    const struct txn_step *next = at + 1 < block->steps.count ? block->steps.items[at + 1] : NULL;
    search->fallback_count += next != NULL && next->kind == TXN_STEP_IF &&
                              next->body.steps.count > 0 && is_insert(next->body.steps.items[0]);
    return false;
}

void save_uses_add(struct arena *arena, const struct txn_program *program, struct txn_span span,
                   struct save_uses *uses) {
    struct uses_search search = {arena, program, span, uses, 0, 0};
    rewrite_visit((struct txn_block *)&program->body, visit_uses, &search);
    uses->may_insert |= search.insert_count > search.fallback_count;
}

struct sql_expr *new_host(struct arena *arena, struct sql_stmt *stmt, struct str name,
                          struct str column) {
    struct sql_expr *host = ARENA_NEW(arena, struct sql_expr);
    host->kind = SQL_HOST;
    host->pos = stmt->pos;
    host->host = (uint16_t)stmt->hosts.count;
    for (size_t i = 0; i < stmt->hosts.count; i++) {
        if (str_equal(stmt->hosts.items[i].name, name) &&
            str_equal(stmt->hosts.items[i].column, column)) {
            host->host = (uint16_t)i;
            return host;
        }
    }
    VEC_PUSH(arena, &stmt->hosts, (struct sql_host){.pos = stmt->pos, .name = name, .column = column});
    return host;
}

static bool is_nullable(const struct mistake *m, struct str column) {
    const struct table *table = m->schema->tables.items[m->table];
    for (size_t i = 0; i < table->columns.count; i++)
        if (str_equal(table->columns.items[i].name, column))
            return !table->columns.items[i].not_null;
    return false;
}

void and_where(struct mistake *m, struct txn_step *step, struct str column, struct str var,
               struct str host_column) {
    struct sql_stmt *stmt = step->sql.stmt;
    struct sql_expr *name = ARENA_NEW(m->arena, struct sql_expr);
    struct sql_expr *equal = ARENA_NEW(m->arena, struct sql_expr);
    name->kind = SQL_COLUMN;
    name->name = column;
    name->pos = stmt->pos;
    equal->kind = SQL_BINARY;
    equal->op = is_nullable(m, column) ? SQL_OP_NULL_SAFE_EQ : SQL_OP_EQ;
    equal->pos = stmt->pos;
    VEC_PUSH(m->arena, &equal->args, name);
    VEC_PUSH(m->arena, &equal->args, new_host(m->arena, stmt, var, host_column));
    if (stmt->update->where != NULL) {
        struct sql_expr *both = ARENA_NEW(m->arena, struct sql_expr);
        both->kind = SQL_BINARY;
        both->op = SQL_OP_AND;
        both->pos = stmt->pos;
        VEC_PUSH(m->arena, &both->args, stmt->update->where);
        VEC_PUSH(m->arena, &both->args, equal);
        equal = both;
    }
    stmt->update->where = equal;
    stmt->is_resolved = false;
    stmt->text = (struct str){0};
}

static struct txn_expr *make_expr(struct mistake *m, enum txn_expr_kind kind,
                                  struct txn_span span) {
    struct txn_expr *expr = ARENA_NEW(m->arena, struct txn_expr);
    expr->kind = kind;
    expr->span = span;
    expr->var = TXN_NO_VAR;
    return expr;
}

/* save() goes on to INSERT when its UPDATE matched nothing; a guarded one must not. */
static void drop_insert_fallback(struct txn_block *block, size_t at) {
    if (at + 1 >= block->steps.count)
        return;
    const struct txn_step *next = block->steps.items[at + 1];
    if (next->kind == TXN_STEP_IF && next->body.steps.count > 0 &&
        next->body.steps.items[0]->kind == TXN_STEP_SQL &&
        next->body.steps.items[0]->sql.stmt->kind == SQL_STMT_INSERT)
        block_remove(block, at + 1);
}

void raise_if_none(struct mistake *m, struct txn_program *program, struct txn_block *block, size_t at,
                   struct str class_name) {
    struct txn_step *update = block->steps.items[at];
    drop_insert_fallback(block, at);
    update->sql.into = TXN_INTO_COUNT;
    if (update->sql.var == TXN_NO_VAR)
        update->sql.var = txn_var(m->arena, program, STR("matched_rows"));
    struct txn_expr *none = make_expr(m, TXN_EXPR_BINARY, update->span);
    struct txn_expr *count = make_expr(m, TXN_EXPR_VAR, update->span);
    struct txn_expr *zero = make_expr(m, TXN_EXPR_LITERAL, update->span);
    none->op = TXN_OP_EQ;
    count->var = update->sql.var;
    zero->literal = value_int(0);
    VEC_PUSH(m->arena, &none->args, count);
    VEC_PUSH(m->arena, &none->args, zero);
    struct txn_step *check = rewrite_step(m, TXN_STEP_IF, update->span);
    struct txn_step *raise = rewrite_step(m, TXN_STEP_RAISE, update->span);
    raise->name = class_name;
    check->expr = none;
    VEC_PUSH(m->arena, &check->body.steps, raise);
    block_insert(m->arena, block, at + 1, check);
}

void retry_on(struct mistake *m, struct txn_program *program, struct str class_name) {
    struct txn_step *repeat = rewrite_step(m, TXN_STEP_REPEAT, program->span);
    struct txn_step *attempt = rewrite_step(m, TXN_STEP_TRY, program->span);
    struct txn_step *done = rewrite_step(m, TXN_STEP_RETURN, program->span);
    struct txn_step *give_up = rewrite_step(m, TXN_STEP_RAISE, program->span);
    struct txn_handler handler = {.span = program->span};
    repeat->repeat_max = ATTEMPTS;
    give_up->name = class_name;
    attempt->body = program->body;
    VEC_PUSH(m->arena, &attempt->body.steps, done);
    VEC_PUSH(m->arena, &handler.classes, class_name);
    VEC_PUSH(m->arena, &attempt->handlers, handler);
    VEC_PUSH(m->arena, &repeat->body.steps, attempt);
    program->body = (struct txn_block){0};
    VEC_PUSH(m->arena, &program->body.steps, repeat);
    VEC_PUSH(m->arena, &program->body.steps, give_up);
}
