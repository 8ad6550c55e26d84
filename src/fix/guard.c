/* Rewritings that put what was read into the WHERE of the write: a guarded update, a version column. */
#include "base/assert.h"
#include "fix/rewrite.h"

struct guarding {
    struct mistake *m;
    struct txn_program *program;
    struct str raises; /* what the program's own check raises; empty: none */
    struct txn_span raise;
    bool has_changed;
};

static bool expr_mentions(const struct mistake *m, const struct txn_program *program,
                          const struct txn_expr *expr) {
    if (expr == NULL)
        return false;
    if (expr->kind == TXN_EXPR_COLUMN && program->vars.items[expr->var].table == m->table)
        for (size_t i = 0; i < m->columns.count; i++)
            if (m->columns.items[i] == expr->column)
                return true;
    for (size_t i = 0; i < expr->args.count; i++)
        if (expr_mentions(m, program, expr->args.items[i]))
            return true;
    return false;
}

/* `if x.state == DONE { raise AlreadyDone; }`: then losing the race is being too late in the same way. */
static bool visit_check(void *context, struct txn_block *block, size_t at) {
    struct guarding *g = context;
    const struct txn_step *step = block->steps.items[at];
    if (step->kind != TXN_STEP_IF || !expr_mentions(g->m, g->program, step->expr) ||
        step->body.steps.count == 0)
        return false;
    const struct txn_step *last = step->body.steps.items[step->body.steps.count - 1];
    if (last->kind != TXN_STEP_RAISE || last->name.len == 0)
        return false;
    g->raises = last->name;
    g->raise = last->span;
    return true;
}

static struct str old_name(struct mistake *m, struct str column) {
    return str_printf(m->arena, "old_%.*s", STR_ARG(column));
}

/* old_state = x.state, before the first assignment of x in this block, whose place it answers. */
static struct txn_span keep_old_value(struct guarding *g, struct txn_block *block, size_t *at,
                                      uint16_t var, uint16_t column) {
    struct mistake *m = g->m;
    struct str name = m->schema->tables.items[m->table]->columns.items[column].name;
    size_t first = *at;
    for (size_t i = *at; i > 0; i--) {
        const struct txn_step *before = block->steps.items[i - 1];
        if (before->kind == TXN_STEP_SET_COLUMN && before->var == var && before->column == column)
            first = i - 1;
    }
    struct txn_step *keep = rewrite_step(m, TXN_STEP_ASSIGN, block->steps.items[first]->span);
    struct txn_expr *value = ARENA_NEW(m->arena, struct txn_expr);
    value->kind = TXN_EXPR_COLUMN;
    value->span = keep->span;
    value->var = var;
    value->column_name = name;
    keep->var = txn_var(m->arena, g->program, old_name(m, name));
    keep->expr = value;
    block_insert(m->arena, block, first, keep);
    (*at)++;
    return keep->span;
}

/* An effect, or a call of a function that does nothing else. */
static bool is_effect_only(const struct txn_step *step) {
    if (step->kind == TXN_STEP_EFFECT)
        return true;
    if (step->kind != TXN_STEP_CALL || step->body.steps.count == 0)
        return false;
    for (size_t i = 0; i < step->body.steps.count; i++)
        if (!is_effect_only(step->body.steps.items[i]))
            return false;
    return true;
}

/* What happens outside the database ahead of the write goes behind it: only who wins the race does it. */
static void move_effects(struct guarding *g, struct txn_block *block, size_t *at, size_t behind) {
    for (size_t i = 0; i < *at;) {
        struct txn_step *step = block->steps.items[i];
        if (!is_effect_only(step)) {
            i++;
            continue;
        }
        block_remove(block, i);
        add_edit(g->m, FIX_EDIT_EFFECT, step->span, (struct str){0});
        (*at)--;
        block_insert(g->m->arena, block, *at + behind, step);
    }
}

static void add_guard_edit(struct guarding *g, const struct txn_step *save) {
    struct mistake *m = g->m;
    const struct table *table = m->schema->tables.items[m->table];
    const struct sql_update *update = save->sql.stmt->update;
    struct fix_edit *edit = add_edit(m, FIX_EDIT_GUARD, save->span, (struct str){0});
    edit->raise = g->raise;
    for (size_t i = 0; i < update->set.count; i++)
        if (is_assigned(g->program, updated_object(save), update->set.items[i].column_index))
            VEC_PUSH(m->arena, &edit->columns, update->set.items[i].column);
    for (size_t i = 0; i < m->columns.count; i++)
        VEC_PUSH(m->arena, &edit->guards, table->columns.items[m->columns.items[i]].name);
}

static bool visit_guard(void *context, struct txn_block *block, size_t at) {
    struct guarding *g = context;
    struct mistake *m = g->m;
    struct txn_step *step = block->steps.items[at];
    if (!is_object_update(m, step) || m->columns.count == 0)
        return false;
    uint16_t var = updated_object(step);
    const struct table *table = m->schema->tables.items[m->table];
    struct str names = {0};
    add_guard_edit(g, step);
    for (size_t i = 0; i < m->columns.count; i++) {
        struct str name = table->columns.items[m->columns.items[i]].name;
        struct txn_span place = keep_old_value(g, block, &at, var, m->columns.items[i]);
        struct fix_edit *edit = &m->edits.items[m->edits.count - 1];
        if (i == 0 || place.start.line < edit->place.start.line)
            edit->place = place;
        and_where(m, block->steps.items[at], name, old_name(m, name), (struct str){0});
        names = str_printf(m->arena, "%.*s, %.*s=%.*s", STR_ARG(names), STR_ARG(name),
                           STR_ARG(old_name(m, name)));
    }
    raise_if_none(m, g->program, block, at,
                  g->raises.len > 0 ? g->raises : STR("LostRace"));
    move_effects(g, block, &at, 2);
    g->has_changed = true;
    m->text = str_printf(m->arena, "filter(pk=...%.*s).update(...), and %s when it returns 0",
                         STR_ARG(names), g->raises.len > 0 ? "raise as the check does" : "try again");
    return true;
}

bool rewrite_guarded_update(struct mistake *m, struct txn_program *program) {
    struct guarding g = {.m = m, .program = program};
    rewrite_visit(&program->body, visit_check, &g);
    rewrite_visit(&program->body, visit_guard, &g);
    if (g.has_changed && g.raises.len == 0)
        retry_on(m, program, STR("LostRace"));
    return g.has_changed;
}

/* Version column: every read of the table's objects fetches it, every save asks for it and raises it. */

static bool visit_version(void *context, struct txn_block *block, size_t at) {
    struct guarding *g = context;
    struct mistake *m = g->m;
    struct txn_step *step = block->steps.items[at];
    if (step->kind != TXN_STEP_SQL)
        return false;
    struct sql_stmt *stmt = step->sql.stmt;
    bool is_row = step->sql.into == TXN_INTO_ROW || step->sql.into == TXN_INTO_ROWS ||
                  step->sql.into == TXN_INTO_RELOAD;
    if (stmt->kind == SQL_STMT_SELECT && is_row && stmt->select->sources.count > 0 &&
        stmt->select->sources.items[0].subquery == NULL &&
        stmt->select->sources.items[0].table_index == m->table) {
        struct sql_expr *column = ARENA_NEW(m->arena, struct sql_expr);
        const struct sql_source *source = &stmt->select->sources.items[0];
        column->kind = SQL_COLUMN;
        column->pos = stmt->pos;
        column->name = STR("version");
        column->qualifier = source->alias.len > 0 ? source->alias : source->table;
        VEC_PUSH(m->arena, &stmt->select->items, (struct sql_item){.expr = column});
        stmt->is_resolved = false;
        stmt->text = (struct str){0};
        return false;
    }
    if (!is_object_update(m, step))
        return false;
    struct str var = g->program->vars.items[updated_object(step)].name;
    struct sql_expr *next = ARENA_NEW(m->arena, struct sql_expr);
    struct sql_expr *one = ARENA_NEW(m->arena, struct sql_expr);
    one->kind = SQL_LITERAL;
    one->literal = value_int(1);
    next->kind = SQL_BINARY;
    next->op = SQL_OP_ADD;
    VEC_PUSH(m->arena, &next->args, new_host(m->arena, stmt, var, STR("version")));
    VEC_PUSH(m->arena, &next->args, one);
    VEC_PUSH(m->arena, &stmt->update->set,
             (struct sql_assignment){.pos = stmt->pos, .column = STR("version"), .value = next});
    and_where(m, step, STR("version"), var, STR("version"));
    raise_if_none(m, g->program, block, at, STR("LostRace"));
    g->has_changed = true;
    return false;
}

bool rewrite_version_column(struct mistake *m, struct txn_program *program) {
    struct guarding g = {.m = m, .program = program};
    rewrite_visit(&program->body, visit_version, &g);
    if (!g.has_changed)
        return false;
    retry_on(m, program, STR("LostRace"));
    m->text = str_printf(m->arena, "a version field on %.*s: filter(pk=..., version=old).update(..., "
                         "version=old + 1), and try again when it returns 0",
                         STR_ARG(m->schema->tables.items[m->table]->name));
    return true;
}

static struct schema *copy_schema(struct arena *arena, const struct schema *schema,
                                  uint16_t table, struct table **changed) {
    struct schema *copy = ARENA_NEW(arena, struct schema);
    for (size_t i = 0; i < schema->tables.count; i++)
        VEC_PUSH(arena, &copy->tables, schema->tables.items[i]);
    struct table *own = arena_copy(arena, schema->tables.items[table], sizeof(struct table));
    copy->tables.items[table] = own;
    *changed = own;
    return copy;
}

struct schema *schema_with_version(struct arena *arena, struct text_pool *pool,
                                   const struct schema *schema, uint16_t table) {
    struct table *changed;
    (void)pool;
    if (table_find_column(schema->tables.items[table], STR("version")) >= 0)
        return NULL;
    struct schema *copy = copy_schema(arena, schema, table, &changed);
    struct sql_expr *zero = ARENA_NEW(arena, struct sql_expr);
    zero->kind = SQL_LITERAL;
    zero->literal = value_int(0);
    size_t count = changed->columns.count;
    changed->columns.items = arena_copy(arena, changed->columns.items,
                                        count * sizeof(struct column));
    changed->columns.capacity = count;
    VEC_PUSH(arena, &changed->columns,
             (struct column){.name = STR("version"), .type_text = STR("integer"),
                             .type = COLUMN_INT, .not_null = true, .default_expr = zero});
    return copy;
}

struct schema *schema_with_key(struct arena *arena, const struct schema *schema, uint16_t table,
                               const uint16_t *columns, size_t column_count) {
    struct table *changed;
    if (column_count == 0 || column_count > KEY_COLUMNS_MAX)
        return NULL;
    struct schema *copy = copy_schema(arena, schema, table, &changed);
    struct key key = {.name = STR("unique_lookup"), .is_unique = true,
                      .column_count = column_count};
    memcpy(key.columns, columns, column_count * sizeof(*columns));
    size_t count = changed->keys.count;
    changed->keys.items = arena_copy(arena, changed->keys.items, count * sizeof(struct key));
    changed->keys.capacity = count;
    VEC_PUSH(arena, &changed->keys, key);
    return copy;
}
