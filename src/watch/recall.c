#include "watch/recall.h"

#include <stdlib.h>

void recall_init(struct recall *recall, struct arena *arena, const struct names *names) {
    *recall = (struct recall){.arena = arena, .names = names};
    map_init(&recall->by_key, arena);
}

void loose_free(struct loose_statement *loose) {
    for (size_t i = 0; i < loose->value_count; i++)
        free((char *)loose->values[i].text.ptr);
    free((char *)loose->result.text.ptr);
    free(loose->values);
}

/* What two units must share to be one program. */
struct item_key {
    const struct meaning *meaning;
    uint32_t kind, row;
    bool is_atomic, is_locked;
};

static size_t value_count_of(const struct unit_item *item) {
    if (item->kind == UNIT_WRITE)
        return item->write->column_count + item->write->guard_count;
    return item->kind == UNIT_VALUE || item->kind == UNIT_STATEMENT ? item->loose->value_count : 0;
}

/* The column that the literal is put into or compared with; NO_NAME: none. */
static uint32_t column_of_literal(const struct meaning *meaning, size_t literal) {
    for (size_t i = 0; i < meaning->set.count + meaning->where.count; i++) {
        const struct meant_column *meant =
            i < meaning->set.count ? &meaning->set.items[i] : &meaning->where.items[i - meaning->set.count];
        if (meant->literal == (int)literal)
            return meant->column;
    }
    return NO_NAME;
}

static struct recalled *make(struct recall *recall, const struct unit *unit) {
    struct recalled *made = arena_alloc(recall->arena, sizeof(*made));
    *made = (struct recalled){.item_count = unit->item_count, .row_count = unit->row_count};
    made->items = arena_alloc_array(recall->arena, unit->item_count, sizeof(*made->items));
    for (size_t i = 0; i < unit->item_count; i++) {
        const struct unit_item *item = &unit->items[i];
        made->items[i] = (struct recalled_item){
            .kind = item->kind, .meaning = item->origin->meaning, .tag = item->origin->tag, .row = item->row,
            .is_atomic = item->is_atomic, .is_locked = item->is_locked, .value_count = value_count_of(item)};
        if (item->write != NULL) {
            made->items[i].column_count = item->write->column_count;
            memcpy(made->items[i].key_columns, item->write->key_columns, sizeof(made->items[i].key_columns));
        }
        made->items[i].values =
            arena_alloc_array(recall->arena, made->items[i].value_count, sizeof(*made->items[i].values));
        for (size_t k = 0; item->loose != NULL && k < made->items[i].value_count; k++)
            made->items[i].values[k].column = column_of_literal(item->origin->meaning, k);
    }
    for (size_t i = 0; i < unit->row_count; i++)
        made->rows[i] = (struct recalled_row){.table = unit->rows[i].table, .is_made = unit->rows[i].is_made,
                                              .is_read = unit->rows[i].read != NULL};
    return made;
}

static struct recalled *recalled_of(struct recall *recall, const struct unit *unit) {
    struct item_key key[UNIT_ITEMS_MAX];
    memset(key, 0, sizeof(key));
    for (size_t i = 0; i < unit->item_count; i++) {
        key[i].meaning = unit->items[i].origin->meaning;
        key[i].kind = unit->items[i].kind;
        key[i].row = unit->items[i].row;
        key[i].is_atomic = unit->items[i].is_atomic;
        key[i].is_locked = unit->items[i].is_locked;
    }
    struct str bytes = {(const char *)key, unit->item_count * sizeof(key[0])};
    struct recalled *found = map_get(&recall->by_key, bytes);
    if (found != NULL)
        return found;
    if (recall->by_key.count == RECALLED_MAX) {
        recall->left_out_count++;
        return NULL;
    }
    found = make(recall, unit);
    map_put(&recall->by_key, str_dup(recall->arena, bytes), found);
    return found;
}

/* Beside what was read of the row itself. */
static void note_base(struct recalled_value *known, const struct seen_value *value, const struct seen_value *base) {
    bool is_first = known->known_count == 0;
    known->is_text |= base->state == TRACE_VALUE && !base->is_integer;
    if (base->state == TRACE_ABSENT || value->state == TRACE_ABSENT)
        return;
    known->known_count++;
    known->same_count += seen_equal(base, value);
    if (!base->is_integer || !value->is_integer)
        return;
    int64_t step = (int64_t)((uint64_t)value->number - (uint64_t)base->number);
    if (is_first)
        known->step = step;
    known->step_count += step == known->step && step != 0;
    known->has_bases |= !is_first && base->number != known->last_base;
    known->last_base = base->number;
}

/* --- where it may have come from --- */

struct noting {
    const struct unit *unit;
    const struct seen_value *value;
    size_t item;      /* that has the value; of a row's key: all items count */
    uint32_t own_row; /* whose columns and key are no source */
};

static bool is_known_before(const struct noting *noting, uint32_t row) {
    for (size_t i = 0; i < noting->item; i++)
        if (noting->unit->items[i].row == row)
            return true;
    return false;
}

static bool holds(const struct noting *noting, const struct value_source *source) {
    const struct unit *unit = noting->unit;
    if (source->kind == SOURCE_RESULT)
        return source->index < noting->item && unit->items[source->index].kind == UNIT_VALUE &&
               seen_equal(&unit->items[source->index].loose->result, noting->value);
    if (source->kind == SOURCE_LITERAL)
        return seen_equal(&unit->items[source->index].loose->values[source->column], noting->value);
    const struct unit_row *row = &unit->rows[source->index];
    bool is_given = source->kind == SOURCE_KEY && !row->is_made;
    if (source->index == noting->own_row || (!is_given && !is_known_before(noting, source->index)))
        return false;
    if (source->kind == SOURCE_KEY)
        return seen_equal(row->key, noting->value);
    for (size_t i = 0; row->read != NULL && i < row->read->value_count; i++)
        if (row->read->values[i].column == source->column)
            return seen_equal(&row->read->values[i].value, noting->value);
    return false;
}

static void add_source(const struct noting *noting, struct recalled_value *known, struct value_source source) {
    if (known->source_count < SOURCES_MAX && holds(noting, &source))
        known->sources[known->source_count++] = source;
}

static void find_sources(const struct noting *noting, struct recalled_value *known) {
    const struct unit *unit = noting->unit;
    for (uint32_t r = 0; r < unit->row_count; r++) {
        const struct row_read *read = unit->rows[r].read;
        add_source(noting, known, (struct value_source){SOURCE_KEY, r, NO_NAME});
        for (size_t i = 0; read != NULL && i < read->value_count; i++)
            add_source(noting, known, (struct value_source){SOURCE_COLUMN, r, read->values[i].column});
    }
    for (uint32_t i = 0; i < unit->item_count; i++)
        if (unit->items[i].kind == UNIT_VALUE)
            add_source(noting, known, (struct value_source){SOURCE_RESULT, i, NO_NAME});
    for (uint32_t i = 0; i < noting->item && known->column != NO_NAME; i++)
        for (uint32_t k = 0; unit->items[i].loose != NULL && k < unit->items[i].loose->value_count; k++)
            if (column_of_literal(unit->items[i].origin->meaning, k) == known->column)
                add_source(noting, known, (struct value_source){SOURCE_LITERAL, i, k});
}

static void note_sources(const struct noting *noting, struct recalled_value *known) {
    const struct seen_value *value = noting->value;
    known->is_text |= value->state == TRACE_VALUE && !value->is_integer;
    if (value->state != TRACE_VALUE) {
        known->source_count = 0;
    } else if (!known->is_met) {
        find_sources(noting, known);
    } else {
        size_t kept = 0;
        for (size_t i = 0; i < known->source_count; i++)
            if (holds(noting, &known->sources[i]))
                known->sources[kept++] = known->sources[i];
        known->source_count = kept;
    }
    enum { SMALL = 1000 }; /* numbers below are often equal by chance */
    known->differs |= known->is_met && known->first_hash != value->hash;
    known->is_telling |= value->is_integer && (value->number >= SMALL || value->number <= -SMALL);
    if (!known->is_met)
        known->first_hash = value->hash;
    known->is_met = true;
}

static void note_write(const struct unit *unit, size_t at, struct recalled_item *known) {
    const struct row_write *write = unit->items[at].write;
    for (size_t i = 0; i < known->value_count; i++) {
        const struct column_write *column = i < write->column_count ? &write->columns[i] : &write->guards[i - write->column_count];
        struct noting noting = {unit, &column->value, at, unit->items[at].row};
        known->values[i].column = column->column;
        note_sources(&noting, &known->values[i]);
        note_base(&known->values[i], &column->value, &column->base);
    }
}

static void note_item(const struct unit *unit, size_t at, struct recalled_item *known) {
    const struct unit_item *item = &unit->items[at];
    if (item->kind == UNIT_WRITE) {
        note_write(unit, at, known);
    } else if (item->loose != NULL) {
        for (size_t i = 0; i < known->value_count; i++) {
            struct noting noting = {unit, &item->loose->values[i], at, item->row};
            note_sources(&noting, &known->values[i]);
        }
    }
}

void recall_add(struct recall *recall, const struct unit *unit) {
    struct recalled *recalled = recalled_of(recall, unit);
    if (recalled == NULL)
        return;
    for (size_t i = 0; i < unit->item_count; i++)
        if (recalled->items[i].value_count != value_count_of(&unit->items[i]))
            return;
    recalled->count++;
    for (size_t i = 0; i < unit->item_count; i++)
        note_item(unit, i, &recalled->items[i]);
    for (uint32_t i = 0; i < unit->row_count; i++) {
        struct noting noting = {unit, unit->rows[i].key, unit->item_count, i};
        recalled->rows[i].is_read &= unit->rows[i].read != NULL;
        note_sources(&noting, &recalled->rows[i].key);
    }
}

/* `order_id`, of a table whose name ends in `order`. */
static bool names_table(struct str column, struct str table) {
    if (column.len < 4 || !str_equal_nocase(str_sub(column, column.len - 3, column.len), STR("_id")))
        return false;
    struct str stem = str_sub(column, 0, column.len - 3);
    return stem.len <= table.len && str_equal_nocase(str_sub(table, table.len - stem.len, table.len), stem);
}

/* Whether the column's name tells where the value came from: it is called after the table of whose key it is, or stands for the
 * same column elsewhere. */
static bool is_named(const struct recall *recall, const struct recalled *recalled, const struct recalled_value *value,
                     const struct value_source *source, uint32_t key_row) {
    if (key_row != NO_ROW)
        return source->kind == SOURCE_COLUMN && names_table(names_get(recall->names, source->column),
                                                            names_get(recall->names, recalled->rows[key_row].table));
    return source->kind == SOURCE_LITERAL ||
           (source->kind == SOURCE_KEY && names_table(names_get(recall->names, value->column),
                                                     names_get(recall->names, recalled->rows[source->index].table)));
}

const struct value_source *recall_source(const struct recall *recall, const struct recalled *recalled,
                                         const struct recalled_value *value, uint32_t key_row) {
    const struct value_source *found = NULL;
    for (size_t i = 0; i < value->source_count; i++) {
        const struct value_source *source = &value->sources[i];
        if (is_named(recall, recalled, value, source, key_row))
            return source;
        if (found == NULL && (value->differs || value->is_telling))
            found = source;
    }
    return found;
}
