/* Descriptions, rows and parameters. */
#include "wire/postgresql.h"
#include "wire/postgresql_value.h"

/* Formats: none is text for all, one is for all, else one each. */
static bool format_at(struct str formats, size_t i) {
    size_t count = formats.len / 2;
    if (count == 0)
        return false;
    return formats.ptr[(count == 1 ? 0 : i < count ? i : count - 1) * 2 + 1] != 0;
}

static struct str read_formats(struct reader *reader) {
    return read_bytes(reader, read_be(reader, 2) * 2);
}

/* Passes over names, formats and values of a Bind; what is left are the formats of its results. */
static struct str result_formats(struct str bind) {
    struct reader reader = reader_of(bind);
    read_c_string(&reader);
    read_c_string(&reader);
    read_formats(&reader);
    uint64_t count = read_be(&reader, 2);
    for (uint64_t i = 0; i < count && !reader.is_short; i++) {
        uint64_t len = read_be(&reader, 4);
        read_bytes(&reader, len == UINT32_MAX ? 0 : len);
    }
    struct str formats = read_formats(&reader);
    return reader.is_short ? (struct str){0} : formats;
}

bool pgwire_begin_rows(struct pg *pg, struct str description, struct str bind) {
    struct reader reader = reader_of(description);
    uint64_t count = read_be(&reader, 2);
    struct str formats = bind.len > 0 ? result_formats(bind) : (struct str){0};
    wire_statement_rows(&pg->current);
    pg->columns.count = 0;
    for (uint64_t i = 0; i < count && !reader.is_short; i++) {
        struct str name = read_c_string(&reader);
        read_bytes(&reader, 6); /* its table and place in it */
        uint32_t type = (uint32_t)read_be(&reader, 4);
        read_bytes(&reader, 6); /* the type's length and modifier */
        bool is_binary = read_be(&reader, 2) != 0;
        if (bind.len > 0)
            is_binary = format_at(formats, i);
        if (reader.is_short)
            break;
        wire_statement_column(&pg->current, name);
        MVEC_PUSH(&pg->columns, (struct pgwire_column){type, is_binary});
    }
    if (!reader.is_short && reader_left(&reader) == 0)
        return true;
    wire_statement_rows(&pg->current);
    pg->current.has_rows = false;
    return false;
}

static void add_cell(struct pg *pg, struct wire_cells *cells, struct reader *reader, uint32_t type,
                     bool is_binary) {
    struct wire_statement *s = &pg->current;
    size_t at = s->text.len;
    uint32_t len = (uint32_t)read_be(reader, 4);
    enum trace_value_state state = TRACE_NULL;
    bool is_text = true;
    if (reader->is_short || (len != UINT32_MAX && len > reader_left(reader))) {
        reader->is_short = true;
        state = TRACE_ABSENT;
    } else if (len != UINT32_MAX) {
        struct str bytes = read_bytes(reader, len);
        state = pgwire_value_add(&s->text, type, is_binary, bytes);
        is_text = pgwire_type_is_text(type, is_binary ? (struct str){0} : bytes);
    }
    wire_cell_add(s, cells, at, state, is_text);
}

bool pgwire_add_row(struct pg *pg, struct str body, bool is_cut) {
    struct reader reader = reader_of(body);
    uint64_t count = read_be(&reader, 2);
    if (!pg->current.has_rows) {
        pg->current.rows_seen++;
        return !reader.is_short;
    }
    if (count != pg->columns.count)
        return false;
    if (!wire_statement_row(&pg->current))
        return true;
    for (size_t i = 0; i < count; i++)
        add_cell(pg, &pg->current.values, &reader, pg->columns.items[i].type,
                 pg->columns.items[i].is_binary);
    return is_cut || (!reader.is_short && reader_left(&reader) == 0);
}

bool pgwire_add_params(struct pg *pg, struct str bind, bool is_cut, struct str types) {
    struct reader reader = reader_of(bind);
    struct reader type_reader = reader_of(types);
    read_c_string(&reader);
    read_c_string(&reader);
    struct str formats = read_formats(&reader);
    uint64_t count = read_be(&reader, 2);
    for (uint64_t i = 0; i < count && (is_cut || !reader.is_short); i++) {
        uint32_t type = reader_left(&type_reader) > 0 ? (uint32_t)read_be(&type_reader, 4) : 0;
        add_cell(pg, &pg->current.params, &reader, type, format_at(formats, i));
    }
    return is_cut || !reader.is_short;
}
