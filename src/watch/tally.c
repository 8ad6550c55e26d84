#include "watch/tally.h"

#include <stdlib.h>

struct tally_group {
    struct watch_loss loss; /* without the table's name: how it is told is known at the end */
    uint32_t table;
};

void tally_init(struct tally *tally, struct arena *arena, const struct names *names, const struct tables *tables,
                bool shows_values) {
    *tally = (struct tally){.arena = arena, .names = names, .tables = tables, .shows_values = shows_values};
    map_init(&tally->groups, arena);
}

/* What two losses must share to be told as one. */
struct group_key {
    uint32_t rule, evidence, table, has_doubt;
    uint32_t columns[16];
    const struct meaning *lost, *by, *read;
};

static void put_values(struct buf *out, const struct tally *tally, const struct seen_loss *loss,
                       const struct row_write *write, bool is_base) {
    for (size_t i = 0; i < loss->column_count; i++) {
        for (size_t j = 0; j < write->column_count; j++) {
            const struct column_write *column = &write->columns[j];
            if (column->column != loss->columns[i])
                continue;
            const struct seen_value *value = is_base ? &column->base : &column->value;
            bool is_told = value->state != TRACE_ABSENT || (!is_base && column->is_computed);
            if (!is_told)
                break;
            buf_printf(out, "%s%.*s=", out->len > 0 ? ", " : "", STR_ARG(names_get(tally->names, column->column)));
            if (!is_base && value->state == TRACE_ABSENT)
                buf_add_c(out, "(computed)");
            else
                seen_print(value, out);
            if (is_base && column->is_inferred)
                buf_add_c(out, " (as last written)");
            break;
        }
    }
}

static void add_step(const struct tally *tally, struct watch_example *example, const struct seen_loss *loss,
                     char session, enum watch_did did) {
    const struct row_write *write = session == 'A' ? loss->lost : loss->by;
    const struct origin *origin = did == WATCH_READ ? &write->read : &write->origin;
    struct buf values = {0};
    if (did != WATCH_COMMITTED && write->kind == WROTE_UPDATE)
        put_values(&values, tally, loss, write, did == WATCH_READ);
    struct watch_step step = {.session = session, .did = did, .time_us = origin->time_us, .place = origin->place,
                              .sql = origin->sql, .values = str_dup(tally->arena, buf_str(&values)),
                              .tag = origin->tag, .who = origin->who};
    buf_release(&values);
    if (did == WATCH_COMMITTED) {
        step.sql = (struct str){0};
        step.time_us = write->commit_us;
    }
    example->steps[example->step_count++] = step;
}

/* In the order in which it was: the reads, A's write, B's. */
static void make_example(const struct tally *tally, const struct seen_loss *loss, struct watch_example *example) {
    enum { STEPS_MAX = 6 };
    example->steps = arena_alloc_array(tally->arena, STEPS_MAX, sizeof(*example->steps));
    const struct row_write *lost = loss->lost, *by = loss->by;
    bool lost_reads = lost->read.seq != 0, by_reads = by->read.seq != 0;
    bool is_lost_first = lost_reads && by_reads && lost->read.seq < by->read.seq;
    if (is_lost_first)
        add_step(tally, example, loss, 'A', WATCH_READ);
    if (by_reads)
        add_step(tally, example, loss, 'B', WATCH_READ);
    if (lost_reads && !is_lost_first)
        add_step(tally, example, loss, 'A', WATCH_READ);
    add_step(tally, example, loss, 'A', WATCH_WROTE);
    if (lost->commit_seq != lost->origin.seq)
        add_step(tally, example, loss, 'A', WATCH_COMMITTED);
    add_step(tally, example, loss, 'B', WATCH_WROTE);
    if (by->commit_seq != by->origin.seq)
        add_step(tally, example, loss, 'B', WATCH_COMMITTED);
    example->time_us = by->origin.time_us;
}

static struct watch_loss *group_of(struct tally *tally, const struct seen_loss *loss) {
    struct group_key key;
    memset(&key, 0, sizeof(key));
    key.rule = loss->rule;
    key.evidence = loss->evidence;
    key.table = loss->by->table;
    key.has_doubt = loss->doubt != NULL;
    memcpy(key.columns, loss->columns, loss->column_count * sizeof(loss->columns[0]));
    key.lost = loss->lost->origin.meaning;
    key.by = loss->by->origin.meaning;
    key.read = loss->by->read.meaning;
    struct str bytes = {(const char *)&key, sizeof(key)};
    struct tally_group *known = map_get(&tally->groups, bytes);
    if (known != NULL)
        return &known->loss;
    known = arena_alloc(tally->arena, sizeof(*known));
    known->table = loss->by->table;
    struct watch_loss *group = &known->loss;
    group->rule = loss->rule;
    group->evidence = loss->evidence;
    group->is_possible = loss->doubt != NULL;
    group->doubt = str_from_c(loss->doubt);
    group->columns = arena_alloc_array(tally->arena, loss->column_count, sizeof(*group->columns));
    for (size_t i = 0; i < loss->column_count; i++)
        group->columns[group->column_count++] = names_get(tally->names, loss->columns[i]);
    group->first_us = group->last_us = -1;
    map_put(&tally->groups, str_dup(tally->arena, bytes), known);
    return group;
}

void tally_add(struct tally *tally, const struct seen_loss *loss, struct str key_column) {
    struct watch_loss *group = group_of(tally, loss);
    int64_t time = loss->by->origin.time_us;
    group->count++;
    group->replayed_count += loss->is_replayed;
    if (group->first_us < 0)
        group->first_us = time;
    group->last_us = time;
    bool wants_example = group->examples.count < WATCH_EXAMPLES_MAX;
    if (!wants_example && group->keys.count == WATCH_KEYS_MAX)
        return;
    struct buf text = {0};
    buf_printf(&text, "%.*s=", STR_ARG(key_column));
    seen_print(&loss->by->key, &text);
    struct str key = str_dup(tally->arena, buf_str(&text));
    buf_release(&text);
    bool is_known = false;
    for (size_t i = 0; i < group->keys.count && !is_known; i++)
        is_known = str_equal(group->keys.items[i], key);
    if (!is_known && group->keys.count < WATCH_KEYS_MAX)
        VEC_PUSH(tally->arena, &group->keys, key);
    if (wants_example) {
        struct watch_example example = {.key = key};
        make_example(tally, loss, &example);
        VEC_PUSH(tally->arena, &group->examples, example);
    }
}

static int by_worth(const void *a, const void *b) {
    const struct watch_loss *left = a, *right = b;
    if (left->is_possible != right->is_possible)
        return left->is_possible ? 1 : -1;
    if ((left->replayed_count > 0) != (right->replayed_count > 0))
        return left->replayed_count > 0 ? -1 : 1;
    if (left->evidence != right->evidence)
        return left->evidence < right->evidence ? -1 : 1;
    if (left->count != right->count)
        return left->count < right->count ? 1 : -1;
    int order = str_compare(left->table, right->table);
    return order != 0 ? order : (left->first_us > right->first_us) - (left->first_us < right->first_us);
}

void tally_result(const struct tally *tally, struct arena *arena, struct watch_result *result) {
    for (size_t i = 0; i < tally->groups.count; i++) {
        const struct tally_group *group = tally->groups.entries[i].value;
        struct watch_loss loss = group->loss;
        loss.table = tables_name(tally->tables, arena, group->table);
        VEC_PUSH(arena, &result->losses, loss);
    }
    if (result->losses.count > 0)
        qsort(result->losses.items, result->losses.count, sizeof(*result->losses.items), by_worth);
}
