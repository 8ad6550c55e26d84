/* What a run ended in, as bytes to compare and as text to read. Generated values (serial keys, now()) differ from
 * schedule to schedule without meaning anything, so each is written as the session that made it and its rank
 * among those of that session that are still there. */
#include "base/assert.h"
#include "explore/database.h"
#include "explore/run.h"

#include <stdlib.h>

struct namer {
    const struct world *world;
    struct buf *out;
    bool is_anonymous; /* who generated a value doesn't count */
    SESSION_VEC(struct value) generated; /* kept sorted by kind, origin, ordinal */
};

static int generated_order(struct value a, struct value b) {
    if (a.kind != b.kind)
        return a.kind < b.kind ? -1 : 1;
    if (a.origin != b.origin)
        return a.origin < b.origin ? -1 : 1;
    return a.ordinal < b.ordinal ? -1 : a.ordinal > b.ordinal;
}

static void collect(struct namer *namer, struct value value) {
    if (value.origin == 0)
        return;
    size_t at = 0;
    while (at < namer->generated.count &&
           generated_order(namer->generated.items[at], value) < 0)
        at++;
    if (at < namer->generated.count && generated_order(namer->generated.items[at], value) == 0)
        return;
    MVEC_PUSH(&namer->generated, value);
    for (size_t i = namer->generated.count - 1; i > at; i--)
        namer->generated.items[i] = namer->generated.items[i - 1];
    namer->generated.items[at] = value;
}

static size_t rank(const struct namer *namer, struct value value) {
    size_t rank = 0;
    for (size_t i = 0; i < namer->generated.count; i++) {
        struct value have = namer->generated.items[i];
        if (have.kind != value.kind || have.origin != value.origin)
            continue;
        if (have.ordinal == value.ordinal)
            return rank;
        rank++;
    }
    return rank;
}

static struct value named(const struct namer *namer, struct value value) {
    if (value.origin == 0)
        return value;
    if (namer->is_anonymous)
        return (struct value){.kind = value.kind, .origin = 1};
    return (struct value){.kind = value.kind, .origin = value.origin,
                          .number = (int64_t)rank(namer, value)};
}

static void put_value(struct namer *namer, struct value value) {
    value = named(namer, value);
    buf_add(namer->out, (struct str){(const char *)&value, sizeof(value)});
}

struct row_list {
    struct namer *namer;
    size_t columns;
};

static void collect_row(void *context, const struct value *row) {
    const struct row_list *list = context;
    for (size_t i = 0; i < list->columns; i++)
        collect(list->namer, row[i]);
    buf_add(list->namer->out, (struct str){(const char *)row, list->columns * sizeof(*row)});
}

/* Names the generated values among those that were written to `out` in `from` to `to`. */
static void name_values(const struct namer *namer, size_t from, size_t to) {
    struct value value;
    for (size_t at = from; at < to; at += sizeof(value)) {
        memcpy(&value, namer->out->ptr + at, sizeof(value));
        if (value.origin == 0)
            continue;
        value = named(namer, value);
        memcpy(namer->out->ptr + at, &value, sizeof(value));
    }
}

static int compare_records(const void *a, const void *b) {
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

static bool is_sorted(const char *records, size_t count, size_t record_size) {
    for (size_t i = 1; i < count; i++)
        if (memcmp(records + (i - 1) * record_size, records + i * record_size, record_size) > 0)
            return false;
    return true;
}

/* Sorts records of equal byte size that were written to `out` in `from` to `to`. */
static void sort_records(struct buf *out, size_t from, size_t to, size_t record_size) {
    size_t count = record_size > 0 ? (to - from) / record_size : 0;
    if (is_sorted(out->ptr + from, count, record_size))
        return;
    char *copy = mem_alloc(to - from);
    struct str *records = mem_alloc(count * sizeof(*records));
    memcpy(copy, out->ptr + from, to - from);
    for (size_t i = 0; i < count; i++)
        records[i] = (struct str){copy + i * record_size, record_size};
    qsort(records, count, sizeof(*records), compare_records);
    for (size_t i = 0; i < count; i++)
        memcpy(out->ptr + from + i * record_size, records[i].ptr, record_size);
    free(records);
    free(copy);
}

/* Effects are told apart by what was done with what, not by who did it. */
static void put_effects(struct namer *namer, uint32_t ignored) {
    const struct world *world = namer->world;
    enum { KINDS_MAX = 64 };
    struct buf texts[KINDS_MAX] = {0};
    size_t count = 0;
    struct buf *out = namer->out;
    for (size_t i = 0; i < world->effects.count && count < KINDS_MAX; i++) {
        const struct effect *effect = &world->effects.items[i];
        if ((ignored & 1u << effect->session) &&
            world->sessions[effect->session].fate != FATE_RAISED)
            continue;
        namer->out = &texts[count];
        buf_add(namer->out, effect->name);
        for (size_t k = 0; k < effect->arg_count; k++)
            put_value(namer, world->effect_args.items[effect->first_arg + k]);
        count++;
    }
    struct str sorted[KINDS_MAX];
    for (size_t i = 0; i < count; i++)
        sorted[i] = buf_str(&texts[i]);
    qsort(sorted, count, sizeof(*sorted), compare_records);
    namer->out = out;
    for (size_t i = 0; i < count; i++) {
        buf_add(out, sorted[i]);
        buf_add_char(out, '\0');
    }
    for (size_t i = 0; i < count; i++)
        buf_release(&texts[i]);
}

static void put_fates(const struct world *world, uint32_t ignored, struct buf *out) {
    for (size_t i = 0; i < world->session_count; i++) {
        const struct session *session = &world->sessions[i];
        if (ignored & 1u << i) {
            buf_add_char(out, 'x');
            continue;
        }
        buf_add_char(out, (char)('0' + session->fate));
        if (session->fate == FATE_RAISED)
            buf_add(out, session->exception.class_name);
        buf_add_char(out, '\0');
    }
}

/* The rows of every table, sorted; what is generated is named when all of it is known. */
static void put_rows(struct namer *namer) {
    const struct schema *schema = namer->world->schema;
    size_t *ends = mem_alloc(schema->tables.count * sizeof(*ends));
    size_t from = 0;
    for (size_t i = 0; i < schema->tables.count; i++) {
        struct row_list list = {namer, schema->tables.items[i]->columns.count};
        database_visit_rows(namer->world, (uint16_t)i, collect_row, &list);
        ends[i] = namer->out->len;
        buf_add_char(namer->out, '|');
    }
    for (size_t i = 0; i < namer->world->effect_args.count; i++)
        collect(namer, namer->world->effect_args.items[i]);
    for (size_t i = 0; i < schema->tables.count; i++) {
        if (namer->generated.count > 0)
            name_values(namer, from, ends[i]);
        sort_records(namer->out, from, ends[i],
                     schema->tables.items[i]->columns.count * sizeof(struct value));
        from = ends[i] + 1;
    }
    free(ends);
}

void world_outcome(const struct world *world, uint32_t ignored, struct buf *out) {
    struct namer namer = {.world = world, .out = out};
    buf_clear(out);
    put_rows(&namer);
    put_effects(&namer, ignored);
    put_fates(world, ignored, out);
    free(namer.generated.items);
}

void world_rows(const struct world *world, struct buf *out) {
    struct namer namer = {.world = world, .out = out, .is_anonymous = true};
    buf_clear(out);
    put_rows(&namer);
    free(namer.generated.items);
}
