#include "explore/ending.h"

#include "explore/database.h"

struct row_taker {
    struct arena *arena;
    const struct text_pool *pool;
    const struct table *table;
    struct ending_table *into;
};

static struct str cell_text(struct arena *arena, const struct text_pool *pool, struct value value) {
    if (value.origin != 0)
        return str_printf(arena, "%s%c%u", value.kind == VALUE_TIME ? "now_" : "new_",
                          'A' + value.origin - 1, value.ordinal);
    struct buf text = {0};
    value_print(pool, value, &text);
    struct str copy = str_dup(arena, buf_str(&text));
    buf_release(&text);
    return copy;
}

static struct str key_text(struct arena *arena, const struct table *table,
                           const struct str *cells) {
    struct str text = {0};
    for (size_t i = 0; table->has_primary_key && i < table->keys.items[0].column_count; i++)
        text = str_printf(arena, "%.*s%s%.*s", STR_ARG(text), i > 0 ? "," : "",
                          STR_ARG(cells[table->keys.items[0].columns[i]]));
    return text;
}

static void take_row(void *context, const struct value *row) {
    struct row_taker *taker = context;
    size_t count = taker->into->column_count;
    struct str *cells = ARENA_ARRAY(taker->arena, struct str, count);
    for (size_t i = 0; i < count; i++)
        cells[i] = cell_text(taker->arena, taker->pool, row[i]);
    struct ending_row taken = {key_text(taker->arena, taker->table, cells), cells};
    VEC_PUSH(taker->arena, &taker->into->rows, taken);
}

static void take_table(struct arena *arena, const struct world *world, uint16_t index,
                       struct ending *ending) {
    const struct table *table = world->schema->tables.items[index];
    size_t count = table->columns.count;
    struct ending_table taken = {.name = str_dup(arena, table->name), .column_count = count,
                                 .columns = ARENA_ARRAY(arena, struct str, count)};
    struct row_taker taker = {arena, world->pool, table, &taken};
    for (size_t i = 0; i < count; i++)
        taken.columns[i] = str_dup(arena, table->columns.items[i].name);
    database_visit_rows(world, index, take_row, &taker);
    if (taken.rows.count > 0)
        VEC_PUSH(arena, &ending->tables, taken);
}

static struct str fate_text(struct arena *arena, const struct world *world, size_t index) {
    const struct session *session = &world->sessions[index];
    switch ((enum fate)session->fate) {
    case FATE_DONE:
        return (session->flags & SESSION_CHANGED) || world_has_effects(world, index)
                   ? STR("done")
                   : STR("done without a write");
    case FATE_RAISED:
        return str_printf(arena, "raised %.*s", STR_ARG(session->exception.class_name));
    case FATE_FAILED:
        if (session->exception.error == DB_ERROR_LIMIT && session->exception.step == NULL)
            return STR("broken off");
        return str_printf(arena, "failed with %s (%s)",
                          db_error_code(session->exception.error, db_engine(world->db)),
                          db_error_text(session->exception.error));
    case FATE_STUCK:
        return STR("waits for ever");
    case FATE_RUNNING:
        break;
    }
    return STR("still runs");
}

void world_ending(struct arena *arena, const struct world *world, struct ending *ending) {
    *ending = (struct ending){.session_count = world->session_count};
    for (size_t i = 0; i < world->schema->tables.count; i++)
        take_table(arena, world, (uint16_t)i, ending);
    for (size_t i = 0; i < world->effects.count; i++) {
        const struct effect *from = &world->effects.items[i];
        struct ending_effect effect = {from->session, str_dup(arena, from->name)};
        VEC_PUSH(arena, &ending->effects, effect);
    }
    for (size_t i = 0; i < world->session_count; i++)
        ending->fates[i] = fate_text(arena, world, i);
}

static void print_table(const struct ending_table *table, struct buf *out) {
    buf_printf(out, "%.*s: ", STR_ARG(table->name));
    for (size_t row = 0; row < table->rows.count; row++) {
        buf_add_c(out, row > 0 ? ", (" : "(");
        for (size_t i = 0; i < table->column_count; i++) {
            buf_add_c(out, i > 0 ? ", " : "");
            buf_add(out, table->rows.items[row].cells[i]);
        }
        buf_add_char(out, ')');
    }
    buf_add_c(out, "; ");
}

void ending_print(const struct ending *ending, struct buf *out) {
    for (size_t i = 0; i < ending->tables.count; i++)
        print_table(&ending->tables.items[i], out);
    for (size_t i = 0; i < ending->effects.count; i++)
        buf_printf(out, "effect %.*s by %c; ", STR_ARG(ending->effects.items[i].name),
                   'A' + ending->effects.items[i].session);
    for (size_t i = 0; i < ending->session_count; i++)
        buf_printf(out, "%s%c %.*s", i > 0 ? ", " : "", (char)('A' + i),
                   STR_ARG(ending->fates[i]));
}
