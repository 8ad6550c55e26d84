#include "spec/print.h"

struct column {
    size_t width;
    bool is_text;
};

/* Whether PQprint takes the cell for a number: what it looks at is bytes, not types. */
static bool looks_numeric(struct str cell) {
    for (size_t i = 0; i < cell.len; i++) {
        char c = cell.ptr[i];
        bool is_digit = c >= '0' && c <= '9';
        if (!is_digit && c != '.' && c != 'E' && c != 'e' && c != ' ' && c != '-')
            return false;
    }
    char first = cell.ptr[0], last = cell.ptr[cell.len - 1];
    return first != 'E' && first != 'e' && last >= '0' && last <= '9';
}

static void print_line(const struct column *columns, const struct str *cells, size_t count,
                       struct buf *out) {
    for (size_t i = 0; i < count; i++) {
        size_t pad = columns[i].width - cells[i].len;
        if (i > 0)
            buf_add_char(out, '|');
        if (!columns[i].is_text)
            buf_add_repeat(out, ' ', pad);
        buf_add(out, cells[i]);
        if (columns[i].is_text)
            buf_add_repeat(out, ' ', pad);
    }
    buf_add_char(out, '\n');
}

void spec_print_table(struct arena *arena, const struct spec_table *table, struct buf *out) {
    size_t count = table->column_count;
    struct column *columns = ARENA_ARRAY(arena, struct column, count);
    for (size_t i = 0; i < count; i++)
        columns[i].width = table->names[i].len;
    for (size_t i = 0; i < table->row_count * count; i++) {
        struct str cell = table->cells[i];
        struct column *column = &columns[i % count];
        if (cell.len > column->width)
            column->width = cell.len;
        if (cell.len > 0 && !looks_numeric(cell))
            column->is_text = true;
    }
    print_line(columns, table->names, count, out);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add_char(out, '+');
        buf_add_repeat(out, '-', columns[i].width);
    }
    buf_add_char(out, '\n');
    for (size_t r = 0; r < table->row_count; r++)
        print_line(columns, table->cells + r * count, count, out);
    buf_printf(out, "(%zu row%s)\n\n", table->row_count, table->row_count == 1 ? "" : "s");
}
