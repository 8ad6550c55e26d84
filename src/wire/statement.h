/* A statement as it is put together from the messages of both sides, until it is told. All its texts stand in one buffer;
 * it is cleared and used again. */
#ifndef LW_WIRE_STATEMENT_H
#define LW_WIRE_STATEMENT_H

#include "base/buf.h"
#include "base/vec.h"
#include "trace/event.h"

/* Bytes [at, at + len) of a statement's buffer. */
struct wire_slice {
    size_t at, len;
};

struct wire_cell {
    struct wire_slice text;
    enum trace_value_state state;
    bool is_text;
};

struct wire_cells {
    struct wire_cell *items;
    size_t count, capacity;
};

struct wire_statement {
    struct buf text;
    struct wire_slice sql, error_code, error;
    bool is_cut, is_more, has_rows, is_rows_cut;
    enum trace_outcome outcome;
    enum trace_transaction transaction_after;
    int64_t sent_us, end_us, row_count;
    uint64_t offset; /* where it was sent */
    struct wire_cells params;
    VEC(struct wire_slice) columns;
    struct wire_cells values;
    size_t rows_kept;
    uint64_t rows_seen;
    size_t rows_at; /* where the rows' texts begin */
};

/* Empty, of unknown outcome, sent at this time and place. */
void wire_statement_begin(struct wire_statement *s, int64_t sent_us, uint64_t offset);
struct wire_slice wire_statement_add(struct wire_statement *s, struct str text);
void wire_statement_fail(struct wire_statement *s, struct str code, struct str message);

/* Begins the rows: names follow by wire_statement_column, then rows. What it had of rows is forgotten. */
void wire_statement_rows(struct wire_statement *s);
void wire_statement_column(struct wire_statement *s, struct str name);
/* Counts a row, and answers whether its values are wanted: one cell a column then follows in `values`. */
bool wire_statement_row(struct wire_statement *s);

/* Adds a cell; its text is what was added to s->text since `at`. */
void wire_cell_add(struct wire_statement *s, struct wire_cells *cells, size_t at,
                   enum trace_value_state state, bool is_text);

/* Fills what an event tells of it; the arrays are in the arena, the texts in `s`. */
void wire_statement_tell(const struct wire_statement *s, struct arena *arena,
                         struct trace_statement *told, struct trace_rows *rows);

size_t wire_statement_byte_size(const struct wire_statement *s);
void wire_statement_release(struct wire_statement *s);

#endif
