/* The rewritings, one after the other in the order of kind.def. */
#include "fix/rewrite.h"

#include "base/assert.h"

struct rewriting {
    struct mistake *m;
    struct txn_program *program;
    bool has_changed;
};

/* F(): the assignment `x.n = x.n + k` becomes `x.n = sql(n + :k)`, and the save writes only what was assigned. */

struct assignment_search {
    const struct txn_program *program;
    uint16_t var;
    const struct txn_expr *expr;
    size_t count;
};

static bool visit_assignment(void *context, struct txn_block *block, size_t at) {
    struct assignment_search *search = context;
    const struct txn_step *step = block->steps.items[at];
    bool assigns = step->kind == TXN_STEP_ASSIGN && step->var == search->var;
    bool binds = (step->kind == TXN_STEP_SQL && step->sql.into != TXN_INTO_NOTHING &&
                  step->sql.var == search->var) ||
                 ((step->kind == TXN_STEP_FOR || step->kind == TXN_STEP_CALL) &&
                  step->var == search->var);
    if (assigns)
        search->expr = step->expr;
    search->count += assigns || binds;
    return false;
}

/* The one expression that a variable is ever assigned, or NULL. */
static const struct txn_expr *only_value(const struct txn_program *program, uint16_t var) {
    struct assignment_search search = {.program = program, .var = var};
    if (var < program->param_count)
        return NULL;
    rewrite_visit((struct txn_block *)&program->body, visit_assignment, &search);
    return search.count == 1 ? search.expr : NULL;
}

struct to_sql {
    struct mistake *m;
    const struct txn_program *program;
    struct sql_stmt *holder;
    bool mentions_table;
};

static struct sql_expr *sql_node(struct to_sql *t, enum sql_expr_kind kind) {
    struct sql_expr *expr = ARENA_NEW(t->m->arena, struct sql_expr);
    expr->kind = kind;
    expr->pos = t->holder->pos;
    return expr;
}

/* The host expression as SQL over the row's own columns, or NULL if it can't be said so. */
static struct sql_expr *to_sql(struct to_sql *t, const struct txn_expr *expr) {
    static const enum sql_op ops[] = {[TXN_OP_ADD] = SQL_OP_ADD, [TXN_OP_SUB] = SQL_OP_SUB,
                                      [TXN_OP_MUL] = SQL_OP_MUL, [TXN_OP_DIV] = SQL_OP_DIV};
    const struct txn_var *vars = t->program->vars.items;
    struct sql_expr *made;
    switch (expr->kind) {
    case TXN_EXPR_LITERAL:
        made = sql_node(t, SQL_LITERAL);
        made->literal = expr->literal;
        return made;
    case TXN_EXPR_COLUMN:
        if (vars[expr->var].table != t->m->table)
            return NULL;
        t->mentions_table = true;
        made = sql_node(t, SQL_COLUMN);
        made->name = expr->column_name;
        return made;
    case TXN_EXPR_VAR: {
        const struct txn_expr *value = only_value(t->program, expr->var);
        if (value != NULL)
            return to_sql(t, value);
        if (vars[expr->var].type != TXN_SCALAR || !vars[expr->var].is_param)
            return NULL;
        made = new_host(t->m->arena, t->holder, vars[expr->var].name, (struct str){0});
        return made;
    }
    case TXN_EXPR_BINARY: {
        if (expr->op < TXN_OP_ADD || expr->op > TXN_OP_DIV)
            return NULL;
        made = sql_node(t, SQL_BINARY);
        made->op = ops[expr->op];
        for (size_t i = 0; i < 2; i++) {
            struct sql_expr *arg = to_sql(t, expr->args.items[i]);
            if (arg == NULL)
                return NULL;
            VEC_PUSH(t->m->arena, &made->args, arg);
        }
        return made;
    }
    default:
        return NULL;
    }
}

static struct sql_stmt *new_holder(struct mistake *m) {
    struct sql_stmt *holder = ARENA_NEW(m->arena, struct sql_stmt);
    holder->kind = SQL_STMT_SELECT;
    return holder;
}

static bool visit_f_assignment(void *context, struct txn_block *block, size_t at) {
    struct rewriting *r = context;
    struct txn_step *step = block->steps.items[at];
    if (step->kind != TXN_STEP_SET_COLUMN || step->expr == NULL ||
        r->program->vars.items[step->var].table != r->m->table)
        return false;
    struct to_sql t = {.m = r->m, .program = r->program, .holder = new_holder(r->m)};
    struct sql_expr *sql = to_sql(&t, step->expr);
    if (sql == NULL || !t.mentions_table)
        return false;
    step->sql_expr = sql;
    step->sql_hosts = t.holder;
    step->expr = NULL;
    add_edit(r->m, FIX_EDIT_EXPRESSION, step->span, step->column_name);
    struct buf text = {0};
    sql_print_expr(sql, t.holder, r->m->pool, SQL_POSTGRESQL, &text);
    r->m->text = str_printf(r->m->arena,
                            "assign %.*s as an F() expression (%.*s) and save(update_fields=[\"%.*s\"])",
                            STR_ARG(step->column_name), STR_ARG(buf_str(&text)),
                            STR_ARG(step->column_name));
    buf_release(&text);
    r->has_changed = true;
    return false;
}

/* UPDATE ... SET n = :n with n computed from the row: SET n = n + k. */
static bool visit_f_update(void *context, struct txn_block *block, size_t at) {
    struct rewriting *r = context;
    struct txn_step *step = block->steps.items[at];
    if (step->kind != TXN_STEP_SQL || step->sql.stmt->kind != SQL_STMT_UPDATE ||
        step->sql.stmt->update->target.table_index != r->m->table)
        return false;
    struct sql_stmt *stmt = step->sql.stmt;
    for (size_t i = 0; i < stmt->update->set.count; i++) {
        struct sql_assignment *set = &stmt->update->set.items[i];
        if (set->value->kind != SQL_HOST ||
            step->sql.host_column[set->value->host] != TXN_NO_VAR)
            continue;
        const struct txn_expr *value = only_value(r->program, step->sql.host_var[set->value->host]);
        struct to_sql t = {.m = r->m, .program = r->program, .holder = stmt};
        struct sql_expr *sql = value != NULL ? to_sql(&t, value) : NULL;
        if (sql == NULL || !t.mentions_table)
            continue;
        set->value = sql;
        stmt->is_resolved = false;
        stmt->text = (struct str){0};
        r->has_changed = true;
        add_edit(r->m, FIX_EDIT_UPDATE, step->span, set->column);
        r->m->text = str_printf(r->m->arena, "update(%.*s=...) with an F() expression",
                                STR_ARG(set->column));
    }
    return false;
}

/* The column of an F() that is on the object since an earlier save is not for this one to write again. */
static bool is_for_this_save(const struct mistake *m, uint16_t column) {
    for (size_t i = 0; m->rule == RULE_F_TWICE && i < m->columns.count; i++)
        if (m->columns.items[i] == column)
            return false;
    return true;
}

/* save(update_fields): the UPDATE keeps only columns that the program assigns. */
static bool visit_narrow(void *context, struct txn_block *block, size_t at) {
    struct rewriting *r = context;
    struct txn_step *step = block->steps.items[at];
    if (!is_object_update(r->m, step) ||
        (r->m->rule == RULE_F_TWICE && step->span.start.line != r->m->write.start.line))
        return false;
    struct sql_update *update = step->sql.stmt->update;
    VEC(struct sql_assignment) kept = {0};
    struct str names = {0};
    for (size_t i = 0; i < update->set.count; i++) {
        const struct sql_assignment *set = &update->set.items[i];
        if (!is_assigned(r->program, updated_object(step), set->column_index) ||
            !is_for_this_save(r->m, set->column_index))
            continue;
        VEC_PUSH(r->m->arena, &kept, *set);
        names = str_printf(r->m->arena, "%.*s%s\"%.*s\"", STR_ARG(names), names.len > 0 ? ", " : "",
                           STR_ARG(set->column));
    }
    if (kept.count == 0 || kept.count == update->set.count)
        return false;
    struct fix_edit *edit = add_edit(r->m, FIX_EDIT_FIELDS, step->span, (struct str){0});
    for (size_t i = 0; i < kept.count; i++)
        VEC_PUSH(r->m->arena, &edit->columns, kept.items[i].column);
    update->set.items = kept.items;
    update->set.count = kept.count;
    update->set.capacity = kept.capacity;
    step->sql.stmt->is_resolved = false;
    step->sql.stmt->text = (struct str){0};
    raise_if_none(r->m, r->program, block, at, STR("DatabaseError"));
    r->has_changed = true;
    if (r->m->text.len == 0)
        r->m->text = str_printf(r->m->arena, "save(update_fields=[%.*s])", STR_ARG(names));
    return false;
}

bool rewrite_f_expression(struct mistake *m, struct txn_program *program) {
    struct rewriting r = {m, program, false};
    rewrite_visit(&program->body, visit_f_assignment, &r);
    rewrite_visit(&program->body, visit_f_update, &r);
    bool has_f = r.has_changed;
    if (has_f)
        rewrite_visit(&program->body, visit_narrow, &r);
    return has_f;
}

bool rewrite_update_fields(struct mistake *m, struct txn_program *program) {
    struct rewriting r = {m, program, false};
    rewrite_visit(&program->body, visit_narrow, &r);
    return r.has_changed;
}

/* reload x = SELECT every column WHERE key = :x.key */
static struct txn_step *make_reload(struct rewriting *r, uint16_t var, struct txn_span span) {
    struct mistake *m = r->m;
    const struct table *table = m->schema->tables.items[m->table];
    if (!table->has_primary_key || table->keys.items[0].column_count != 1)
        return NULL;
    struct str key = table->columns.items[table->keys.items[0].columns[0]].name;
    struct buf text = {0};
    buf_add_c(&text, "SELECT ");
    for (size_t i = 0; i < table->columns.count; i++)
        buf_printf(&text, "%s\"%.*s\"", i > 0 ? ", " : "", STR_ARG(table->columns.items[i].name));
    buf_printf(&text, " FROM \"%.*s\" WHERE \"%.*s\" = :%.*s.%.*s", STR_ARG(table->name), STR_ARG(key),
               STR_ARG(r->program->vars.items[var].name), STR_ARG(key));
    struct txn_step *step = rewrite_step(m, TXN_STEP_SQL, span);
    struct str copy = str_dup(m->arena, buf_str(&text));
    struct err err;
    buf_release(&text);
    step->sql.into = TXN_INTO_RELOAD;
    step->sql.var = var;
    return sql_parse(m->arena, m->pool, copy, (struct pos){1, 1}, SQL_POSTGRESQL, &step->sql.stmt,
                     &err)
               ? step
               : NULL;
}

struct save_search {
    const struct mistake *m;
    uint16_t var;
};

static bool visit_save_of(void *context, struct txn_block *block, size_t at) {
    const struct save_search *search = context;
    const struct txn_step *step = block->steps.items[at];
    return is_object_update(search->m, step) && updated_object(step) == search->var;
}

static bool saves_object(struct rewriting *r, struct txn_step *step, uint16_t var) {
    struct save_search search = {r->m, var};
    struct txn_block alone = {0};
    VEC_PUSH(r->m->arena, &alone.steps, step);
    return rewrite_visit(&alone, visit_save_of, &search);
}

/* Behind the save ahead of this one, and behind the INSERT that it falls back on, the object is loaded again: the F()
 * that was saved is then off it. */
static bool visit_refresh_between(void *context, struct txn_block *block, size_t at) {
    struct rewriting *r = context;
    struct txn_step *step = block->steps.items[at];
    if (!is_object_update(r->m, step) || step->span.start.line != r->m->write.start.line)
        return false;
    uint16_t var = updated_object(step);
    size_t behind = at;
    while (behind > 0 && !saves_object(r, block->steps.items[behind - 1], var))
        behind--;
    if (behind == 0)
        return false;
    struct txn_span span = block->steps.items[behind - 1]->span;
    if (behind < at && block->steps.items[behind]->kind == TXN_STEP_IF &&
        block->steps.items[behind]->span.start.line == span.start.line)
        behind++;
    struct txn_step *reload = make_reload(r, var, span);
    if (reload == NULL)
        return false;
    block_insert(r->m->arena, block, behind, reload);
    add_edit(r->m, FIX_EDIT_RELOAD_BEHIND, span, (struct str){0});
    r->has_changed = true;
    const struct txn_var *object = &r->program->vars.items[var];
    r->m->text =
        str_printf(r->m->arena, "%.*s.refresh_from_db() after the earlier save()",
                   STR_ARG(object->source_name.len > 0 ? object->source_name : object->name));
    return true;
}

/* Before the last assignments ahead of the UPDATE, the object is loaded again. */
static bool visit_reuse(void *context, struct txn_block *block, size_t at) {
    struct rewriting *r = context;
    struct txn_step *step = block->steps.items[at];
    if (!is_object_update(r->m, step) || step->span.start.line != r->m->write.start.line)
        return false;
    uint16_t var = updated_object(step);
    for (size_t i = at; i > 0; i--) {
        const struct txn_step *before = block->steps.items[i - 1];
        if (before->kind != TXN_STEP_SET_COLUMN || before->var != var)
            continue;
        size_t first = i - 1;
        while (first > 0 && block->steps.items[first - 1]->kind == TXN_STEP_SET_COLUMN &&
               block->steps.items[first - 1]->var == var)
            first--;
        struct txn_step *reload = make_reload(r, var, before->span);
        if (reload == NULL)
            return false;
        add_edit(r->m, FIX_EDIT_RELOAD_AHEAD, block->steps.items[first]->span, (struct str){0});
        block_insert(r->m->arena, block, first, reload);
        r->has_changed = true;
        struct str name = r->program->vars.items[var].source_name;
        r->m->text = str_printf(r->m->arena, "%.*s.refresh_from_db() before it is changed, or hand the "
                                "object itself on", STR_ARG(name.len > 0 ? name
                                                            : r->program->vars.items[var].name));
        return true;
    }
    return false;
}

bool rewrite_reuse_object(struct mistake *m, struct txn_program *program) {
    struct rewriting r = {m, program, false};
    rewrite_visit(&program->body, m->rule == RULE_F_TWICE ? visit_refresh_between : visit_reuse,
                  &r);
    return r.has_changed;
}

/* select_for_update() before anything is read. */
static bool visit_lock(void *context, struct txn_block *block, size_t at) {
    struct rewriting *r = context;
    struct txn_step *step = block->steps.items[at];
    if (step->kind != TXN_STEP_SQL || step->sql.stmt->kind != SQL_STMT_SELECT)
        return false;
    struct sql_select *select = step->sql.stmt->select;
    if (select->is_aggregate || select->is_distinct || select->sources.count == 0 ||
        step->sql.into == TXN_INTO_VALUE || select->lock != SQL_LOCK_NONE)
        return false;
    bool is_first = !r->has_changed;
    bool is_table = select->sources.items[0].subquery == NULL &&
                    select->sources.items[0].table_index == r->m->table;
    if (!is_first && !is_table)
        return false;
    select->lock = SQL_LOCK_UPDATE;
    add_edit(r->m, FIX_EDIT_LOCK, step->span, (struct str){0});
    step->sql.stmt->is_resolved = false;
    step->sql.stmt->text = (struct str){0};
    r->has_changed = true;
    return false;
}

static bool is_one_atomic(const struct txn_program *program) {
    return program->body.steps.count == 1 && program->body.steps.items[0]->kind == TXN_STEP_ATOMIC;
}

static struct txn_step *wrap_atomic(struct mistake *m, struct txn_program *program) {
    if (is_one_atomic(program))
        return program->body.steps.items[0];
    struct txn_step *atomic = rewrite_step(m, TXN_STEP_ATOMIC, program->span);
    atomic->body = program->body;
    program->body = (struct txn_block){0};
    VEC_PUSH(m->arena, &program->body.steps, atomic);
    return atomic;
}

static bool visit_row_lock(void *context, struct txn_block *block, size_t at) {
    (void)context;
    const struct txn_step *step = block->steps.items[at];
    return step->kind == TXN_STEP_SQL && step->sql.stmt->kind == SQL_STMT_SELECT &&
           step->sql.stmt->select->lock != SQL_LOCK_NONE;
}

/* The rows are locked already, and let go at once: what is missing is the transaction. */
static bool hold_locks(struct mistake *m, struct txn_program *program) {
    if (m->rule != RULE_LOCK_WITHOUT_TRANSACTION || is_one_atomic(program) ||
        !rewrite_visit(&program->body, visit_row_lock, NULL))
        return false;
    wrap_atomic(m, program);
    add_edit(m, FIX_EDIT_ATOMIC, program->span, (struct str){0});
    m->text =
        STR("with transaction.atomic(): around it all, so that the lock is held until COMMIT");
    return true;
}

bool rewrite_lock_first(struct mistake *m, struct txn_program *program) {
    struct rewriting r = {m, program, false};
    rewrite_visit(&program->body, visit_lock, &r);
    if (!r.has_changed)
        return hold_locks(m, program);
    bool was_atomic = is_one_atomic(program);
    wrap_atomic(m, program);
    if (!was_atomic)
        add_edit(m, FIX_EDIT_ATOMIC, program->span, (struct str){0});
    m->text = was_atomic ? STR("select_for_update() at the first read")
                         : STR("with transaction.atomic(): around it all, and select_for_update() at the "
                               "first read");
    return true;
}

/* atomic { with lock { } } becomes with lock { atomic { } }. */
struct unlocking {
    struct arena *arena;
    struct txn_step *lock; /* the one that was taken out */
};

static bool visit_inner_lock(void *context, struct txn_block *block, size_t at) {
    struct unlocking *u = context;
    struct txn_step *step = block->steps.items[at];
    if (step->kind != TXN_STEP_WITH_LOCK)
        return false;
    block_remove(block, at);
    for (size_t i = 0; i < step->body.steps.count; i++)
        block_insert(u->arena, block, at + i, step->body.steps.items[i]);
    u->lock = step;
    return true;
}

static bool visit_outer_atomic(void *context, struct txn_block *block, size_t at) {
    struct rewriting *r = context;
    struct txn_step *atomic = block->steps.items[at];
    struct unlocking u = {.arena = r->m->arena};
    if (atomic->kind != TXN_STEP_ATOMIC || !rewrite_visit(&atomic->body, visit_inner_lock, &u))
        return false;
    struct txn_step *lock = rewrite_step(r->m, TXN_STEP_WITH_LOCK, u.lock->span);
    lock->name = u.lock->name;
    lock->expr = u.lock->expr;
    VEC_PUSH(r->m->arena, &lock->body.steps, atomic);
    block->steps.items[at] = lock;
    r->has_changed = true;
    r->m->text = str_printf(r->m->arena, "with %.*s: around the transaction, so that it is let go after "
                            "COMMIT", STR_ARG(lock->name));
    return true;
}

bool rewrite_lock_outside(struct mistake *m, struct txn_program *program) {
    struct rewriting r = {m, program, false};
    rewrite_visit(&program->body, visit_outer_atomic, &r);
    return r.has_changed;
}

bool rewrite_serializable(struct mistake *m, struct txn_program *program) {
    wrap_atomic(m, program)->isolation = SQL_SERIALIZABLE;
    retry_on(m, program, STR("OperationalError"));
    m->text = STR("isolation level SERIALIZABLE, and try the whole function again on OperationalError");
    return true;
}
