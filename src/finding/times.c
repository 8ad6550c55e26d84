#include "finding/times.h"

/* `now_A3`, or a time that stood there. */
static bool is_time(struct str cell) {
    return str_starts(cell, "now_") || str_starts(cell, "'");
}

/* `clocks`: how many cells differ in a clock's reading only. */
static bool same_cells(const struct table *table, const struct ending_row *a, const struct ending_row *b, size_t count,
                       size_t *clocks) {
    for (size_t i = 0; i < count; i++) {
        struct str left = a->cells[i], right = b->cells[i];
        /* One that may be null mostly says whether something has happened. */
        bool is_clock = i < table->columns.count && table->columns.items[i].type == COLUMN_TIME &&
                        table->columns.items[i].not_null && is_time(left) && is_time(right) &&
                        (str_starts(left, "now_") || str_starts(right, "now_"));
        if (!is_clock && !str_equal(left, right))
            return false;
        *clocks += !str_equal(left, right);
    }
    return true;
}

static bool same_rows(const struct schema *schema, const struct ending_table *a, const struct ending_table *b, size_t *clocks) {
    int index = schema_find_table(schema, a->name);
    if (index < 0 || !str_equal(a->name, b->name) || a->rows.count != b->rows.count || a->column_count != b->column_count)
        return false;
    for (size_t i = 0; i < a->rows.count; i++)
        if (!str_equal(a->rows.items[i].key, b->rows.items[i].key) ||
            !same_cells(schema->tables.items[index], &a->rows.items[i], &b->rows.items[i], a->column_count, clocks))
            return false;
    return true;
}

/* As often each, whoever did it. */
static bool same_effects(const struct ending *a, const struct ending *b) {
    if (a->effects.count != b->effects.count)
        return false;
    for (size_t i = 0; i < a->effects.count; i++) {
        size_t left = 0, right = 0;
        for (size_t k = 0; k < a->effects.count; k++) {
            left += str_equal(a->effects.items[k].name, a->effects.items[i].name);
            right += str_equal(b->effects.items[k].name, a->effects.items[i].name);
        }
        if (left != right)
            return false;
    }
    return true;
}

static bool is_same_but_for_times(const struct schema *schema, const struct ending *a, const struct ending *b, size_t *clocks) {
    if (a->tables.count != b->tables.count || !same_effects(a, b))
        return false;
    for (size_t i = 0; i < a->tables.count; i++)
        if (!same_rows(schema, &a->tables.items[i], &b->tables.items[i], clocks))
            return false;
    for (size_t i = 0; i < a->session_count; i++)
        if (!str_equal(a->fates[i], b->fates[i]))
            return false;
    return true;
}

bool is_end_but_for_times(const struct schema *schema, const struct ending *ending, const struct serial_texts *serial) {
    bool is_found = false;
    for (size_t i = 0; i < serial->ends.count; i++) {
        size_t clocks = 0;
        if (!is_same_but_for_times(schema, ending, &serial->ends.items[i].ending, &clocks))
            continue;
        if (clocks == 0)
            return false; /* it is no end that shows what is lost */
        is_found = true;
    }
    return is_found;
}
