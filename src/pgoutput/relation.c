/* What a message R says of a table, kept for the rows that follow it. The server sends it once, and again when the table has changed. */
#include "pgoutput/internal.h"

#include <stdlib.h>

enum { SLOTS_FIRST = 64, IDENTITY_FLAG = 1 };

static struct relation **place_of(const struct relations *relations, uint32_t oid) {
    size_t at = (size_t)(oid * UINT64_C(0x9E3779B97F4A7C15) >> 32) & (relations->slot_count - 1);
    while (relations->slots[at] != NULL && relations->slots[at]->oid != oid)
        at = (at + 1) & (relations->slot_count - 1);
    return &relations->slots[at];
}

const struct relation *pgout_relation(const struct relations *relations, uint32_t oid) {
    return relations->slot_count == 0 ? NULL : *place_of(relations, oid);
}

static void free_relation(struct relations *relations, struct relation *relation) {
    relations->byte_count -= relation->arena.byte_count;
    arena_release(&relation->arena);
    free(relation);
}

void pgout_clear(struct relations *relations) {
    for (size_t i = 0; i < relations->slot_count; i++)
        if (relations->slots[i] != NULL)
            free_relation(relations, relations->slots[i]);
    free(relations->slots);
    *relations = (struct relations){0};
}

static void grow(struct relations *relations) {
    struct relations old = *relations;
    relations->slot_count = old.slot_count == 0 ? SLOTS_FIRST : old.slot_count * 2;
    relations->slots = mem_alloc(relations->slot_count * sizeof(*relations->slots));
    memset(relations->slots, 0, relations->slot_count * sizeof(*relations->slots));
    for (size_t i = 0; i < old.slot_count; i++)
        if (old.slots[i] != NULL)
            *place_of(relations, old.slots[i]->oid) = old.slots[i];
    free(old.slots);
}

static void add(struct relations *relations, struct relation *relation) {
    if ((relations->count + 1) * 2 > relations->slot_count)
        grow(relations);
    struct relation **place = place_of(relations, relation->oid);
    if (*place != NULL)
        free_relation(relations, *place);
    else
        relations->count++;
    relations->byte_count += relation->arena.byte_count;
    *place = relation;
}

/* A column of that name becomes one of the key. */
static void add_key(const struct relation *relation, bool *is_key, struct str name) {
    for (size_t i = 0; i < relation->column_count; i++)
        if (str_equal(relation->columns[i], name))
            is_key[i] = true;
}

/* The key as the catalog has it: asked for, or told before in a message `t`. NULL: it is not told. */
static const bool *look_up_key(struct pgoutput *stream, struct relation *relation) {
    bool *is_key = ARENA_ARRAY(&relation->arena, bool, relation->column_count);
    struct reader reader = reader_of(buf_str(&stream->described));
    struct str schema = read_c_string(&reader), table = read_c_string(&reader);
    struct trace_table found;
    if (!reader.is_short && str_equal(schema, relation->schema) && str_equal(table, relation->name)) {
        while (reader_left(&reader) > 0) {
            char kind = (char)read_byte(&reader);
            struct str name = read_c_string(&reader);
            if (reader.is_short)
                return NULL;
            if (kind == 'k')
                add_key(relation, is_key, name);
        }
        return is_key;
    }
    const struct trace_lookup *lookup = stream->lookup;
    struct arena scratch = {0};
    bool is_found = lookup != NULL && lookup->table(lookup->context, &scratch, relation->schema, relation->name, &found);
    for (size_t i = 0; is_found && i < found.column_count; i++)
        if (found.is_key[i])
            add_key(relation, is_key, found.columns[i]);
    arena_release(&scratch);
    return is_found ? is_key : NULL;
}

/* `schema` empty: pg_catalog, which nobody publishes. */
static bool read_columns(struct relation *relation, struct reader *reader) {
    relation->columns = ARENA_ARRAY(&relation->arena, struct str, relation->column_count);
    relation->types = ARENA_ARRAY(&relation->arena, uint32_t, relation->column_count);
    relation->is_identity = ARENA_ARRAY(&relation->arena, bool, relation->column_count);
    for (size_t i = 0; i < relation->column_count && !reader->is_short; i++) {
        relation->is_identity[i] = (read_byte(reader) & IDENTITY_FLAG) != 0;
        relation->columns[i] = str_dup(&relation->arena, read_c_string(reader));
        relation->types[i] = (uint32_t)read_be(reader, 4);
        read_be(reader, 4);
    }
    return !reader->is_short && reader_left(reader) == 0;
}

bool pgout_describe(struct pgoutput *stream, struct str body) {
    struct reader reader = reader_of(body);
    struct relation *relation = mem_alloc(sizeof(*relation));
    *relation = (struct relation){.oid = (uint32_t)read_be(&reader, 4)};
    struct str schema = read_c_string(&reader);
    relation->schema = str_dup(&relation->arena, schema.len > 0 ? schema : STR("pg_catalog"));
    relation->name = str_dup(&relation->arena, read_c_string(&reader));
    char identity = (char)read_byte(&reader);
    relation->column_count = (size_t)read_be(&reader, 2);
    if (relation->column_count > COLUMNS_MAX || !read_columns(relation, &reader)) {
        arena_release(&relation->arena);
        free(relation);
        return false;
    }
    /* Of the default identity and of an index the flags are the key; FULL has it of all columns, NOTHING of none. */
    relation->is_key = identity == 'f' || identity == 'n' ? look_up_key(stream, relation) : relation->is_identity;
    buf_clear(&stream->described);
    if (stream->relations.byte_count + relation->arena.byte_count > PGOUTPUT_TABLE_BYTES_MAX) {
        pgout_gap(stream, stream->place, "too many tables are described: all but the last are forgotten", 0);
        pgout_clear(&stream->relations);
    }
    add(&stream->relations, relation);
    return true;
}
