#include "finding/conflict.h"

#include "base/assert.h"

struct reader {
    struct arena *arena;
    const struct txn_program *program;
    struct write_set *set;
};

static struct table_writes *writes_of(struct reader *r, uint16_t table) {
    for (size_t i = 0; i < r->set->tables.count; i++)
        if (r->set->tables.items[i].table == table)
            return &r->set->tables.items[i];
    VEC_PUSH(r->arena, &r->set->tables, (struct table_writes){.table = table});
    return &r->set->tables.items[r->set->tables.count - 1];
}

static uint64_t bit(uint16_t column) {
    return 1ull << column % 64;
}

static void read_update(struct reader *r, const struct txn_step *step) {
    const struct txn_sql *sql = &step->sql;
    const struct sql_update *update = sql->stmt->update;
    struct table_writes *writes = writes_of(r, update->target.table_index);
    struct table_save save = {step->span, update->target.table_index, 0};
    for (size_t i = 0; i < update->set.count; i++) {
        const struct sql_assignment *set = &update->set.items[i];
        bool is_carried = set->value->kind == SQL_HOST &&
                          sql->host_column[set->value->host] == set->column_index;
        *(is_carried ? &save.carried : &writes->changed) |= bit(set->column_index);
    }
    writes->carried |= save.carried;
    if (save.carried != 0)
        VEC_PUSH(r->arena, &r->set->saves, save);
}

static void read_sql(struct reader *r, const struct txn_step *step) {
    const struct txn_sql *sql = &step->sql;
    switch (sql->stmt->kind) {
    case SQL_STMT_UPDATE:
        read_update(r, step);
        break;
    case SQL_STMT_DELETE:
        writes_of(r, sql->stmt->delete_->target.table_index)->deletes = true;
        break;
    case SQL_STMT_INSERT:
        /* ON CONFLICT DO UPDATE, ON DUPLICATE KEY UPDATE */
        for (size_t i = 0; i < sql->stmt->insert->conflict_set.count; i++)
            writes_of(r, sql->stmt->insert->table_index)->changed |=
                bit(sql->stmt->insert->conflict_set.items[i].column_index);
        break;
    default:
        return;
    }
    r->set->has_any = true;
    VEC_PUSH(r->arena, &r->set->writes, step->span);
}

static void read_block(struct reader *r, const struct txn_block *block) {
    for (size_t i = 0; i < block->steps.count; i++) {
        const struct txn_step *step = block->steps.items[i];
        if (step->kind == TXN_STEP_SQL)
            read_sql(r, step);
        else if (step->kind == TXN_STEP_SET_COLUMN)
            writes_of(r, r->program->vars.items[step->var].table)->changed |= bit(step->column);
        read_block(r, &step->body);
        read_block(r, &step->else_body);
        read_block(r, &step->finally_body);
        for (size_t k = 0; k < step->handlers.count; k++)
            read_block(r, &step->handlers.items[k].body);
    }
}

void write_set_make(struct arena *arena, const struct txn_program *program, struct write_set *set) {
    struct reader reader = {arena, program, set};
    LW_ASSERT(program->is_checked);
    *set = (struct write_set){0};
    read_block(&reader, &program->body);
}

bool save_is_hit(const struct table_save *save, const struct write_set *other) {
    for (size_t i = 0; i < other->tables.count; i++) {
        const struct table_writes *by = &other->tables.items[i];
        if (by->table == save->table && ((by->changed & save->carried) != 0 || by->deletes))
            return true;
    }
    return false;
}

static bool is_hit(const struct write_set *saver, const struct write_set *other) {
    for (size_t i = 0; i < saver->saves.count; i++)
        if (save_is_hit(&saver->saves.items[i], other))
            return true;
    return false;
}

/* "shop.views" of "shop.views.increment". */
static struct str module_of(struct str symbol) {
    size_t dot = symbol.len;
    while (dot > 0 && symbol.ptr[dot - 1] != '.')
        dot--;
    return str_sub(symbol, 0, dot);
}

void partners_find(struct arena *arena, const struct write_set *sets, const struct str *symbols,
                   size_t count, size_t saver, bool is_near, struct partners *partners) {
    *partners = (struct partners){0};
    struct str module = module_of(symbols[saver]);
    for (size_t i = 0; i < count; i++)
        if (i != saver && str_equal(module_of(symbols[i]), module) == is_near &&
            is_hit(&sets[saver], &sets[i]))
            VEC_PUSH(arena, &partners->items, (uint32_t)i);
}
