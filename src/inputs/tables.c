#include "inputs/tables.h"

#include "base/assert.h"

struct table_set table_set_new(struct arena *arena, const struct schema *schema) {
    size_t words = (schema->tables.count + 63) / 64;
    return (struct table_set){ARENA_ARRAY(arena, uint64_t, words), words};
}

bool table_set_has(const struct table_set *set, size_t table) {
    LW_ASSERT(table / 64 < set->word_count);
    return (set->words[table / 64] & UINT64_C(1) << table % 64) != 0;
}

void table_set_add(struct table_set *set, size_t table) {
    LW_ASSERT(table / 64 < set->word_count);
    set->words[table / 64] |= UINT64_C(1) << table % 64;
}

bool table_set_meets(const struct table_set *a, const struct table_set *b) {
    LW_ASSERT(a->word_count == b->word_count);
    for (size_t i = 0; i < a->word_count; i++)
        if (a->words[i] & b->words[i])
            return true;
    return false;
}

bool table_set_is_empty(const struct table_set *set) {
    for (size_t i = 0; i < set->word_count; i++)
        if (set->words[i] != 0)
            return false;
    return true;
}

/* Going through a program. */

/* What is done with the tables of a program: noted, or numbered anew. */
struct usage {
    struct table_set *reads, *writes;
    const uint16_t *number; /* by table; NULL: the program is left as it is */
};

static void use_table(struct usage *usage, struct table_set *set, uint16_t *table) {
    if (usage->number != NULL)
        *table = usage->number[*table];
    else
        table_set_add(set, *table);
}

static void use_select(struct usage *usage, struct sql_select *select);

static void use_expr(struct usage *usage, struct sql_expr *expr) {
    if (expr == NULL)
        return;
    use_select(usage, expr->select);
    for (size_t i = 0; i < expr->args.count; i++)
        use_expr(usage, expr->args.items[i]);
}

static void use_sources(struct usage *usage, struct sql_source *sources, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (sources[i].subquery != NULL)
            use_select(usage, sources[i].subquery);
        else
            use_table(usage, usage->reads, &sources[i].table_index);
        use_expr(usage, sources[i].on);
    }
}

static void use_items(struct usage *usage, const struct sql_item *items, size_t count) {
    for (size_t i = 0; i < count; i++)
        use_expr(usage, items[i].expr);
}

static void use_order(struct usage *usage, const struct sql_order *orders, size_t count) {
    for (size_t i = 0; i < count; i++)
        use_expr(usage, orders[i].expr);
}

static void use_select(struct usage *usage, struct sql_select *select) {
    if (select == NULL)
        return;
    use_sources(usage, select->sources.items, select->sources.count);
    use_items(usage, select->items.items, select->items.count);
    use_expr(usage, select->where);
    for (size_t i = 0; i < select->group_by.count; i++)
        use_expr(usage, select->group_by.items[i]);
    use_expr(usage, select->having);
    use_order(usage, select->order_by.items, select->order_by.count);
    use_expr(usage, select->limit);
    use_expr(usage, select->offset);
}

static void use_set(struct usage *usage, const struct sql_assignment *set, size_t count) {
    for (size_t i = 0; i < count; i++)
        use_expr(usage, set[i].value);
}

static void use_insert(struct usage *usage, struct sql_insert *insert) {
    use_table(usage, usage->writes, &insert->table_index);
    use_select(usage, insert->select);
    for (size_t row = 0; row < insert->rows.count; row++)
        for (size_t i = 0; i < insert->column_count; i++)
            use_expr(usage, insert->rows.items[row][i]);
    use_set(usage, insert->conflict_set.items, insert->conflict_set.count);
    use_expr(usage, insert->conflict_where);
    use_expr(usage, insert->conflict_index_where);
}

static void use_update(struct usage *usage, struct sql_update *update) {
    use_table(usage, usage->writes, &update->target.table_index);
    use_sources(usage, update->from.items, update->from.count);
    use_set(usage, update->set.items, update->set.count);
    use_expr(usage, update->where);
    use_order(usage, update->order_by.items, update->order_by.count);
    use_expr(usage, update->limit);
}

static void use_delete(struct usage *usage, struct sql_delete *delete_) {
    use_table(usage, usage->writes, &delete_->target.table_index);
    use_sources(usage, delete_->using_sources.items, delete_->using_sources.count);
    use_expr(usage, delete_->where);
    use_order(usage, delete_->order_by.items, delete_->order_by.count);
    use_expr(usage, delete_->limit);
}

static void use_stmt(struct usage *usage, struct sql_stmt *stmt) {
    use_items(usage, stmt->returning.items, stmt->returning.count);
    switch (stmt->kind) {
    case SQL_STMT_SELECT:
        use_select(usage, stmt->select);
        return;
    case SQL_STMT_INSERT:
        use_insert(usage, stmt->insert);
        return;
    case SQL_STMT_UPDATE:
        use_update(usage, stmt->update);
        return;
    case SQL_STMT_DELETE:
        use_delete(usage, stmt->delete_);
        return;
    case SQL_STMT_LOCK_TABLE:
        for (size_t i = 0; i < stmt->lock_table->tables.count; i++)
            use_table(usage, usage->reads, &stmt->lock_table->table_index[i]);
        return;
    default:
        return;
    }
}

static void use_block(struct usage *usage, struct txn_block *block) {
    for (size_t i = 0; i < block->steps.count; i++) {
        struct txn_step *step = block->steps.items[i];
        if (step->kind == TXN_STEP_SQL)
            use_stmt(usage, step->sql.stmt);
        if (step->kind == TXN_STEP_NEW)
            use_table(usage, usage->reads, &step->table);
        use_expr(usage, step->sql_expr);
        use_block(usage, &step->body);
        use_block(usage, &step->else_body);
        use_block(usage, &step->finally_body);
        for (size_t k = 0; k < step->handlers.count; k++)
            use_block(usage, &step->handlers.items[k].body);
    }
}

void program_tables(struct arena *arena, const struct schema *schema,
                    const struct txn_program *program, struct table_set *reads,
                    struct table_set *writes) {
    LW_ASSERT(program->is_checked);
    *reads = table_set_new(arena, schema);
    *writes = table_set_new(arena, schema);
    struct usage usage = {.reads = reads, .writes = writes};
    use_block(&usage, (struct txn_block *)&program->body); /* which it only reads */
}

/* Cutting. */

static bool is_needed(const struct table *table, const struct foreign_key *fk, bool is_named) {
    for (size_t i = 0; i < fk->column_count && !is_named; i++)
        if (!table->columns.items[fk->columns[i]].not_null)
            return false;
    return true;
}

static void add_parents(const struct schema *schema, const struct table_set *named, size_t index,
                        struct table_set *all) {
    const struct table *table = schema->tables.items[index];
    for (size_t i = 0; i < table->foreign_keys.count; i++) {
        const struct foreign_key *fk = &table->foreign_keys.items[i];
        if (!is_needed(table, fk, table_set_has(named, index)) || table_set_has(all, fk->parent))
            continue;
        table_set_add(all, fk->parent);
        add_parents(schema, named, fk->parent, all);
    }
}

static struct table *cut_table(struct arena *arena, const struct table *from, bool is_named,
                               const uint16_t *number) {
    struct table *table = arena_copy(arena, from, sizeof(*from));
    memset(&table->foreign_keys, 0, sizeof(table->foreign_keys));
    for (size_t i = 0; i < from->foreign_keys.count; i++) {
        struct foreign_key fk = from->foreign_keys.items[i];
        if (!is_needed(from, &fk, is_named))
            continue;
        fk.parent = number[fk.parent];
        VEC_PUSH(arena, &table->foreign_keys, fk);
    }
    return table;
}

/* `number` gets the new number of each table that is left. */
static bool cut_schema(struct arena *arena, const struct schema *from,
                       const struct table_set *named, struct schema *to, uint16_t *number) {
    struct table_set all = table_set_new(arena, from);
    uint16_t count = 0;
    memcpy(all.words, named->words, all.word_count * sizeof(*all.words));
    for (size_t i = 0; i < from->tables.count; i++)
        if (table_set_has(named, i))
            add_parents(from, named, i, &all);
    for (size_t i = 0; i < from->tables.count; i++)
        if (table_set_has(&all, i))
            number[i] = count++;
    if (count > TABLES_RUN_MAX)
        return false;
    for (size_t i = 0; i < from->tables.count; i++)
        if (table_set_has(&all, i))
            VEC_PUSH(arena, &to->tables, cut_table(arena, from->tables.items[i],
                                                   table_set_has(named, i), number));
    return true;
}

static struct txn_program *cut_program(struct arena *arena, const struct txn_program *program,
                                       const uint16_t *number) {
    struct txn_program *copy = txn_copy_statements(arena, program);
    struct usage usage = {.number = number};
    use_block(&usage, &copy->body);
    for (size_t i = 0; i < copy->vars.count; i++)
        if (copy->vars.items[i].type == TXN_ROW || copy->vars.items[i].type == TXN_ROWS)
            copy->vars.items[i].table = number[copy->vars.items[i].table];
    return copy;
}

bool cut_make(struct arena *arena, const struct schema *schema,
              const struct txn_program *const *programs, size_t count, struct cut *cut) {
    struct table_set named = table_set_new(arena, schema);
    struct schema *cut_to = ARENA_NEW(arena, struct schema);
    uint16_t *number = ARENA_ARRAY(arena, uint16_t, schema->tables.count);
    LW_ASSERT(count <= DB_SESSIONS_MAX);
    for (size_t i = 0; i < count; i++) {
        struct usage usage = {.reads = &named, .writes = &named};
        use_block(&usage, (struct txn_block *)&programs[i]->body);
    }
    if (!cut_schema(arena, schema, &named, cut_to, number))
        return false;
    cut->schema = cut_to;
    for (size_t i = 0; i < count; i++) {
        cut->programs[i] = NULL;
        for (size_t k = 0; k < i && cut->programs[i] == NULL; k++)
            if (programs[k] == programs[i])
                cut->programs[i] = cut->programs[k];
        if (cut->programs[i] == NULL)
            cut->programs[i] = cut_program(arena, programs[i], number);
    }
    return true;
}
