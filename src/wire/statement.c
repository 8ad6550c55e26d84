#include "wire/statement.h"

#include "base/assert.h"
#include "wire/wire.h"

#include <stdlib.h>

enum { KEPT_BYTES_MAX = 64 << 10 }; /* of memory that waits for the next statement */

void wire_statement_begin(struct wire_statement *s, int64_t sent_us, uint64_t offset) {
    if (wire_statement_byte_size(s) > KEPT_BYTES_MAX)
        wire_statement_release(s);
    struct wire_statement empty = {
        .text = s->text,
        .sent_us = sent_us,
        .end_us = -1,
        .row_count = -1,
        .offset = offset,
    };
    buf_clear(&empty.text);
    empty.params.items = s->params.items;
    empty.params.capacity = s->params.capacity;
    empty.values.items = s->values.items;
    empty.values.capacity = s->values.capacity;
    empty.columns.items = s->columns.items;
    empty.columns.capacity = s->columns.capacity;
    *s = empty;
}

struct wire_slice wire_statement_add(struct wire_statement *s, struct str text) {
    struct wire_slice slice = {s->text.len, text.len};
    buf_add(&s->text, text);
    return slice;
}

void wire_statement_fail(struct wire_statement *s, struct str code, struct str message) {
    s->outcome = TRACE_FAILED;
    s->error_code = wire_statement_add(s, code);
    s->error = wire_statement_add(s, message);
}

void wire_statement_rows(struct wire_statement *s) {
    s->has_rows = true;
    s->is_rows_cut = false;
    s->columns.count = 0;
    s->values.count = 0;
    s->rows_kept = 0;
    s->rows_seen = 0;
    s->rows_at = s->text.len;
}

void wire_statement_column(struct wire_statement *s, struct str name) {
    struct wire_slice slice = wire_statement_add(s, name);
    MVEC_PUSH(&s->columns, slice);
}

bool wire_statement_row(struct wire_statement *s) {
    s->rows_seen++;
    if (s->is_rows_cut || s->rows_kept == TRACE_ROWS_MAX ||
        s->text.len - s->rows_at + s->values.count * sizeof(struct wire_cell) > WIRE_ROWS_BYTES_MAX) {
        s->is_rows_cut = true;
        return false;
    }
    s->rows_kept++;
    return true;
}

void wire_cell_add(struct wire_statement *s, struct wire_cells *cells, size_t at,
                   enum trace_value_state state, bool is_text) {
    LW_ASSERT(at <= s->text.len);
    struct wire_cell cell = {{at, s->text.len - at}, state, is_text};
    MVEC_PUSH(cells, cell);
}

static struct str text_of(const struct wire_statement *s, struct wire_slice slice) {
    return str_sub(buf_str(&s->text), slice.at, slice.at + slice.len);
}

static const struct trace_value *values_of(const struct wire_statement *s, struct arena *arena,
                                           const struct wire_cells *cells) {
    struct trace_value *values = ARENA_ARRAY(arena, struct trace_value, cells->count);
    for (size_t i = 0; i < cells->count; i++) {
        const struct wire_cell *cell = &cells->items[i];
        values[i] = (struct trace_value){cell->state, cell->is_text, text_of(s, cell->text)};
    }
    return values;
}

void wire_statement_tell(const struct wire_statement *s, struct arena *arena,
                         struct trace_statement *told, struct trace_rows *rows) {
    *told = (struct trace_statement){
        .sql = text_of(s, s->sql),
        .params = values_of(s, arena, &s->params),
        .param_count = s->params.count,
        .is_cut = s->is_cut,
        .is_more = s->is_more,
        .outcome = s->outcome,
        .transaction_after = s->transaction_after,
        .error_code = text_of(s, s->error_code),
        .error = text_of(s, s->error),
        .end_us = s->end_us,
        .row_count = s->row_count,
    };
    if (!s->has_rows)
        return;
    LW_ASSERT(s->values.count == s->rows_kept * s->columns.count);
    struct str *names = ARENA_ARRAY(arena, struct str, s->columns.count);
    for (size_t i = 0; i < s->columns.count; i++)
        names[i] = text_of(s, s->columns.items[i]);
    *rows = (struct trace_rows){
        .columns = names,
        .column_count = s->columns.count,
        .values = values_of(s, arena, &s->values),
        .row_count = s->rows_kept,
        .is_cut = s->is_rows_cut,
    };
    told->rows = rows;
}

size_t wire_statement_byte_size(const struct wire_statement *s) {
    return s->text.capacity + s->columns.capacity * sizeof(struct wire_slice) +
           (s->params.capacity + s->values.capacity) * sizeof(struct wire_cell);
}

void wire_statement_release(struct wire_statement *s) {
    buf_release(&s->text);
    free(s->params.items);
    free(s->values.items);
    free(s->columns.items);
    *s = (struct wire_statement){0};
}
