#include "watch/table.h"

void tables_init(struct tables *tables, struct arena *arena, struct names *names) {
    *tables = (struct tables){.arena = arena, .names = names, .spaces = {.arena = arena}};
    map_init(&tables->spaces.index, arena);
}

uint32_t tables_space(struct tables *tables, struct str database, struct str schema) {
    if (database.len > 0 && tables->first_database.len == 0)
        tables->first_database = str_dup(tables->arena, database);
    if (str_equal(database, tables->first_database))
        database.len = 0;
    if (str_is(schema, "public"))
        schema.len = 0;
    if (database.len == 0 && schema.len == 0)
        return SPACE_FIRST;
    struct buf name = {0};
    buf_printf(&name, "%.*s%s%.*s", STR_ARG(database), database.len > 0 && schema.len > 0 ? "." : "", STR_ARG(schema));
    uint32_t space = names_add(&tables->spaces, buf_str(&name));
    buf_release(&name);
    return space;
}

struct table_state *tables_get(struct tables *tables, uint32_t table) {
    while (tables->states.count <= table)
        VEC_PUSH(tables->arena, &tables->states, (struct table_state){0});
    return &tables->states.items[table];
}

uint32_t tables_in(struct tables *tables, uint32_t space, uint32_t name) {
    if (name == NO_NAME)
        return name;
    struct table_state *named = tables_get(tables, name);
    if (named->met_in == 0)
        named->met_in = space + 1;
    named->has_twins |= named->met_in != space + 1;
    if (space == SPACE_FIRST)
        return name;
    /* A NUL stands in no name of a table, so that none is taken for this one. */
    char key[2 * sizeof(uint32_t) + 1] = {0};
    memcpy(key + 1, &space, sizeof(space));
    memcpy(key + 1 + sizeof(space), &name, sizeof(name));
    uint32_t table = names_add(tables->names, (struct str){key, sizeof(key)});
    struct table_state *state = tables_get(tables, table);
    state->space = space;
    state->name = name;
    return table;
}

uint32_t tables_bare(const struct tables *tables, uint32_t table) {
    bool is_placed = table < tables->states.count && tables->states.items[table].name != NO_NAME;
    return is_placed ? tables->states.items[table].name : table;
}

uint32_t tables_key(struct tables *tables, uint32_t table) {
    const struct table_state *state = tables_get(tables, table);
    /* What statements tell of a key holds wherever they are sent. */
    return state->key_column != NO_NAME || state->name == NO_NAME ? state->key_column : tables_get(tables, state->name)->key_column;
}

struct str tables_name(const struct tables *tables, struct arena *arena, uint32_t table) {
    const struct table_state *state = &tables->states.items[table];
    uint32_t number = state->name != NO_NAME ? state->name : table;
    struct str name = names_get(tables->names, number);
    struct str place = state->space != SPACE_FIRST ? names_get(&tables->spaces, state->space) : tables->first_database;
    bool is_told = tables->states.items[number].has_twins && place.len > 0;
    return is_told ? str_printf(arena, "%.*s.%.*s", STR_ARG(place), STR_ARG(name)) : name;
}
