#include "world.h"

#include "base/assert.h"

static void add_column(struct world_table *table, const char *name, enum role role,
                       bool is_nullable) {
    LW_ASSERT(table->column_count < WORLD_COLUMNS_MAX);
    table->columns[table->column_count++] = (struct world_column){name, role, is_nullable};
}

const struct world_column *world_find(const struct world_table *table, enum role role) {
    for (size_t i = 0; i < table->column_count; i++)
        if (table->columns[i].role == role)
            return &table->columns[i];
    return NULL;
}

static void make_parent(struct world *world, size_t at, struct rng *rng) {
    struct world_table *table = &world->tables[at];
    int parent = (int)rng_below(rng, (unsigned)at);
    bool is_nullable = rng_chance(rng, 50);
    if (world_find(&world->tables[parent], ROLE_PART) != NULL)
        return; /* what is referred to must be unique */
    table->parent = parent;
    table->is_parent_indexed = rng_chance(rng, 50);
    add_column(table, "p", ROLE_PARENT, is_nullable);
    if (rng_chance(rng, 50))
        table->on_delete = " on delete cascade";
    else if (is_nullable && rng_chance(rng, 60))
        table->on_delete = " on delete set null";
}

static void make_table(struct world *world, size_t at, struct rng *rng) {
    static const char *const names[] = {"t", "c", "d"};
    struct world_table *table = &world->tables[at];
    *table = (struct world_table){.name = names[at], .parent = -1, .on_delete = ""};
    add_column(table, "id", ROLE_ID, false);
    if (rng_chance(rng, 12))
        add_column(table, "g", ROLE_PART, false);
    if (at > 0 && rng_chance(rng, 75))
        make_parent(world, at, rng);
    if (rng_chance(rng, at == 0 ? 45 : 20)) {
        add_column(table, "u", ROLE_UNIQUE, rng_chance(rng, 60));
        if (rng_chance(rng, 25))
            add_column(table, "w", ROLE_WITH, false);
    }
    if (rng_chance(rng, at == 0 ? 45 : 20)) {
        add_column(table, "k", ROLE_KEY, rng_chance(rng, 30));
        table->is_key_with_value = rng_chance(rng, 25);
    }
    add_column(table, "v", ROLE_VALUE, false);
}

static void print_ddl(struct world *world, const struct world_table *table) {
    struct buf out = {0};
    bool is_mysql = world->engine == ENGINE_MYSQL || world->engine == ENGINE_MARIADB;
    const char *key_columns = table->is_key_with_value ? "k, v" : "k";
    buf_printf(&out, "create table %s (", table->name);
    for (size_t i = 0; i < table->column_count; i++)
        buf_printf(&out, "%s integer%s, ", table->columns[i].name,
                   table->columns[i].is_nullable ? "" : " not null");
    buf_printf(&out, "primary key (%s)", world_find(table, ROLE_PART) != NULL ? "id, g" : "id");
    if (world_find(table, ROLE_UNIQUE) != NULL)
        buf_printf(&out, ", unique (%s)", world_find(table, ROLE_WITH) != NULL ? "u, w" : "u");
    if (is_mysql && world_find(table, ROLE_KEY) != NULL)
        buf_printf(&out, ", key (%s)", key_columns);
    if (table->parent >= 0)
        buf_printf(&out, ", foreign key (p) references %s (id)%s",
                   world->tables[table->parent].name, table->on_delete);
    buf_add_char(&out, ')');
    VEC_PUSH(&world->arena, &world->ddl, str_dup(&world->arena, buf_str(&out)));
    if (!is_mysql && world_find(table, ROLE_KEY) != NULL)
        VEC_PUSH(&world->arena, &world->ddl,
                 str_printf(&world->arena, "create index %s_k on %s (%s)", table->name,
                            table->name, key_columns));
    if (!is_mysql && table->parent >= 0 && table->is_parent_indexed)
        VEC_PUSH(&world->arena, &world->ddl,
                 str_printf(&world->arena, "create index %s_p on %s (p)", table->name,
                            table->name));
    buf_release(&out);
}

void world_make(struct world *world, enum engine_kind engine, struct rng *rng) {
    *world = (struct world){.engine = engine, .table_count = 1 + rng_below(rng, WORLD_TABLES_MAX)};
    bool is_mysql = engine == ENGINE_MYSQL || engine == ENGINE_MARIADB;
    for (size_t i = 0; i < world->table_count; i++) {
        make_table(world, i, rng);
        if (is_mysql && world->tables[i].parent >= 0)
            world->tables[i].is_parent_indexed = true; /* InnoDB makes one */
        print_ddl(world, &world->tables[i]);
    }
}

void world_release(struct world *world) {
    arena_release(&world->arena);
    *world = (struct world){0};
}
