#include "watch/recall.h"

void recall_init(struct recall *recall, struct arena *arena, const struct names *names) {
    *recall = (struct recall){.arena = arena, .names = names};
    map_init(&recall->by_key, arena);
}

/* What two writes must share to be one program. */
struct recall_key {
    const struct meaning *read, *write;
    bool is_atomic, is_locked;
};

static struct recalled *recalled_of(struct recall *recall, const struct row_write *write) {
    struct recall_key key;
    memset(&key, 0, sizeof(key));
    key.read = write->read_is_doubtful ? NULL : write->read.meaning;
    key.write = write->origin.meaning;
    key.is_atomic = write->read_is_same_transaction;
    key.is_locked = write->read_is_locked;
    struct str bytes = {(const char *)&key, sizeof(key)};
    struct recalled *found = map_get(&recall->by_key, bytes);
    if (found != NULL)
        return found;
    if (recall->by_key.count == RECALLED_MAX) {
        recall->left_out_count++;
        return NULL;
    }
    found = arena_alloc(recall->arena, sizeof(*found));
    *found = (struct recalled){.read = key.read, .write = key.write, .is_atomic = key.is_atomic, .is_locked = key.is_locked,
                               .read_tag = write->read.tag, .write_tag = write->origin.tag,
                               .column_count = write->column_count, .guard_count = write->guard_count};
    found->columns = arena_alloc_array(recall->arena, write->column_count, sizeof(*found->columns));
    found->guards = arena_alloc_array(recall->arena, write->guard_count, sizeof(*found->guards));
    map_put(&recall->by_key, str_dup(recall->arena, bytes), found);
    return found;
}

static void note(struct recalled_column *column, const struct column_write *write) {
    const struct seen_value *value = &write->value, *base = &write->base;
    bool is_first = column->known_count == 0;
    column->column = write->column;
    column->is_text |= value->state == TRACE_VALUE && !value->is_integer;
    column->is_text |= base->state == TRACE_VALUE && !base->is_integer;
    if (base->state == TRACE_ABSENT || value->state == TRACE_ABSENT)
        return;
    column->known_count++;
    column->same_count += seen_equal(base, value);
    if (!base->is_integer || !value->is_integer)
        return;
    int64_t step = value->number - base->number;
    if (is_first)
        column->step = step;
    column->step_count += step == column->step && step != 0;
    column->has_bases |= !is_first && base->number != column->last_base;
    column->last_base = base->number;
}

void recall_add(struct recall *recall, const struct row_write *write) {
    /* What tests do, and with rows that they have read, is not the application's. */
    if (write->origin.is_of_test || write->read.is_of_test)
        return;
    struct recalled *recalled = write->origin.meaning != NULL ? recalled_of(recall, write) : NULL;
    if (recalled == NULL || recalled->column_count != write->column_count || recalled->guard_count != write->guard_count)
        return;
    recalled->count++;
    for (size_t i = 0; i < write->column_count; i++)
        note(&recalled->columns[i], &write->columns[i]);
    for (size_t i = 0; i < write->guard_count; i++)
        note(&recalled->guards[i], &write->guards[i]);
}
