/* Columns and values of both forms of rows. The same value of either form has the same text. */
#include "wire/mysql.h"
#include "wire/value.h"

#include <stdlib.h>

enum {
    TYPE_DECIMAL = 0,
    TYPE_TINY = 1,
    TYPE_SHORT = 2,
    TYPE_LONG = 3,
    TYPE_FLOAT = 4,
    TYPE_DOUBLE = 5,
    TYPE_NULL = 6,
    TYPE_TIMESTAMP = 7,
    TYPE_LONGLONG = 8,
    TYPE_INT24 = 9,
    TYPE_DATE = 10,
    TYPE_TIME = 11,
    TYPE_DATETIME = 12,
    TYPE_YEAR = 13,
    TYPE_NEWDATE = 14,
    TYPE_VARCHAR = 15,
    TYPE_BIT = 16,
    TYPE_TIMESTAMP2 = 17,
    TYPE_DATETIME2 = 18,
    TYPE_TIME2 = 19,
    TYPE_JSON = 245,
    TYPE_NEWDECIMAL = 246,
};

enum { FLAG_UNSIGNED = 32, FLAG_ZEROFILL = 64, DECIMALS_ANY = 31 };

void mywire_columns_clear(struct mywire_columns *columns) {
    buf_clear(&columns->names);
    columns->list.count = 0;
}

void mywire_columns_release(struct mywire_columns *columns) {
    buf_release(&columns->names);
    free(columns->list.items);
    *columns = (struct mywire_columns){0};
}

void mywire_columns_copy(struct mywire_columns *to, const struct mywire_columns *from) {
    mywire_columns_clear(to);
    buf_add(&to->names, buf_str(&from->names));
    for (size_t i = 0; i < from->list.count; i++)
        MVEC_PUSH(&to->list, from->list.items[i]);
}

/* Catalog, schema, table, its own name, name, its own name; MariaDB may add what it is made of; then what has a fixed size. */
bool mywire_columns_add(struct mywire_columns *columns, struct str definition) {
    enum { FIXED_BYTES = 12 };
    struct reader reader = reader_of(definition);
    struct str name = {NULL, 0};
    for (int i = 0; i < 6; i++) {
        struct str text = read_lenenc_str(&reader);
        if (i == 4)
            name = text;
    }
    if (reader_left(&reader) != FIXED_BYTES + 1)
        read_lenenc_str(&reader);
    if (read_lenenc(&reader) != FIXED_BYTES || reader.is_short || reader_left(&reader) < FIXED_BYTES - 2)
        return false;
    struct mywire_column column = {.name = {columns->names.len, name.len}};
    buf_add(&columns->names, name);
    read_le(&reader, 2 + 4); /* character set, width */
    column.type = read_byte(&reader);
    column.flags = (uint16_t)read_le(&reader, 2);
    column.decimals = read_byte(&reader);
    if (reader.is_short)
        return false;
    MVEC_PUSH(&columns->list, column);
    return true;
}

bool mywire_type_is_text(uint8_t type) {
    switch (type) {
    case TYPE_DECIMAL:
    case TYPE_TINY:
    case TYPE_SHORT:
    case TYPE_LONG:
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
    case TYPE_LONGLONG:
    case TYPE_INT24:
    case TYPE_YEAR:
    case TYPE_NEWDECIMAL:
        return false;
    default:
        return true;
    }
}

static bool add_int(struct reader *reader, struct buf *out, const struct mywire_column *column, size_t width) {
    uint64_t bits = read_le(reader, width);
    int shift = 64 - 8 * (int)width;
    if (column->type == TYPE_YEAR)
        buf_printf(out, "%04llu", (unsigned long long)bits);
    else if (column->flags & FLAG_UNSIGNED)
        buf_printf(out, "%llu", (unsigned long long)bits);
    else
        buf_printf(out, "%lld", (long long)((int64_t)(bits << shift) >> shift));
    return !reader->is_short;
}

static bool add_float(struct reader *reader, struct buf *out, const struct mywire_column *column) {
    bool is_double = column->type == TYPE_DOUBLE;
    uint64_t bits = read_le(reader, is_double ? 8 : 4);
    uint32_t half = (uint32_t)bits;
    double number;
    float small;
    memcpy(&number, &bits, sizeof(number));
    memcpy(&small, &half, sizeof(small));
    if (column->decimals < DECIMALS_ANY)
        buf_printf(out, "%.*f", column->decimals, is_double ? number : (double)small);
    else if (is_double)
        value_add_double(out, number, VALUE_MYSQL);
    else
        value_add_float(out, small, VALUE_MYSQL);
    return !reader->is_short;
}

/* As many digits as the column has; where that is not told, six or none. */
static void add_fraction(struct buf *out, const struct mywire_column *column, uint64_t us) {
    char digits[24];
    int count = column->decimals <= 6 ? column->decimals : us > 0 ? 6 : 0;
    if (count == 0)
        return;
    snprintf(digits, sizeof(digits), "%06llu", (unsigned long long)us);
    buf_printf(out, ".%.*s", count, digits);
}

static bool add_datetime(struct reader *reader, struct buf *out, const struct mywire_column *column) {
    struct reader r = reader_of(read_bytes(reader, read_byte(reader)));
    size_t len = reader_left(&r);
    if (reader->is_short || (len != 0 && len != 4 && len != 7 && len != 11))
        return false;
    unsigned year = len > 0 ? (unsigned)read_le(&r, 2) : 0, month = len > 0 ? read_byte(&r) : 0;
    unsigned day = len > 0 ? read_byte(&r) : 0;
    buf_printf(out, "%04u-%02u-%02u", year, month, day);
    if (column->type == TYPE_DATE || column->type == TYPE_NEWDATE)
        return true;
    unsigned hour = len > 4 ? read_byte(&r) : 0, minute = len > 4 ? read_byte(&r) : 0;
    unsigned second = len > 4 ? read_byte(&r) : 0;
    buf_printf(out, " %02u:%02u:%02u", hour, minute, second);
    add_fraction(out, column, len > 7 ? read_le(&r, 4) : 0);
    return true;
}

static bool add_time(struct reader *reader, struct buf *out, const struct mywire_column *column) {
    struct reader r = reader_of(read_bytes(reader, read_byte(reader)));
    size_t len = reader_left(&r);
    if (reader->is_short || (len != 0 && len != 8 && len != 12))
        return false;
    bool is_negative = len > 0 && read_byte(&r) != 0;
    uint64_t hours = len > 0 ? read_le(&r, 4) * 24 : 0;
    hours += len > 0 ? read_byte(&r) : 0;
    unsigned minute = len > 0 ? read_byte(&r) : 0, second = len > 0 ? read_byte(&r) : 0;
    buf_printf(out, "%s%02llu:%02u:%02u", is_negative ? "-" : "", (unsigned long long)hours, minute, second);
    add_fraction(out, column, len > 8 ? read_le(&r, 4) : 0);
    return true;
}

bool mywire_read_binary(struct reader *reader, struct buf *out, const struct mywire_column *column) {
    switch (column->type) {
    case TYPE_TINY:
        return add_int(reader, out, column, 1);
    case TYPE_SHORT:
    case TYPE_YEAR:
        return add_int(reader, out, column, 2);
    case TYPE_LONG:
    case TYPE_INT24:
        return add_int(reader, out, column, 4);
    case TYPE_LONGLONG:
        return add_int(reader, out, column, 8);
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
        return add_float(reader, out, column);
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP2:
    case TYPE_DATE:
    case TYPE_NEWDATE:
    case TYPE_DATETIME:
    case TYPE_DATETIME2:
        return add_datetime(reader, out, column);
    case TYPE_TIME:
    case TYPE_TIME2:
        return add_time(reader, out, column);
    case TYPE_NULL:
        return true;
    default:
        if (column->type > TYPE_BIT && column->type < TYPE_JSON && column->type != 242 /* vector */)
            return false;
        buf_add(out, read_lenenc_str(reader));
        return !reader->is_short;
    }
}

void mywire_add_text(struct buf *out, const struct mywire_column *column, struct str text) {
    if (column->flags & FLAG_ZEROFILL && !mywire_type_is_text(column->type) && column->type != TYPE_YEAR)
        while (text.len > 1 && text.ptr[0] == '0' && text.ptr[1] != '.')
            text = str_sub(text, 1, text.len);
    buf_add(out, text);
}

static void add_text_row(struct my *my, struct reader *reader) {
    struct wire_statement *s = &my->current;
    for (size_t i = 0; i < my->columns.list.count; i++) {
        const struct mywire_column *column = &my->columns.list.items[i];
        size_t at = s->text.len;
        bool is_null = reader_left(reader) > 0 && *reader->at == 0xfb;
        struct str text = {NULL, 0};
        if (is_null)
            read_byte(reader);
        else
            text = read_lenenc_str(reader);
        if (!reader->is_short)
            mywire_add_text(&s->text, column, text);
        wire_cell_add(s, &s->values, at,
                      reader->is_short ? TRACE_ABSENT : is_null ? TRACE_NULL : TRACE_VALUE,
                      mywire_type_is_text(column->type));
    }
}

static void add_binary_row(struct my *my, struct reader *reader) {
    struct wire_statement *s = &my->current;
    size_t count = my->columns.list.count;
    read_byte(reader); /* 0 */
    struct str nulls = read_bytes(reader, (count + 9) / 8);
    for (size_t i = 0; i < count; i++) {
        const struct mywire_column *column = &my->columns.list.items[i];
        size_t at = s->text.len;
        enum trace_value_state state = TRACE_VALUE;
        if (reader->is_short)
            state = TRACE_ABSENT;
        else if (nulls.ptr[(i + 2) / 8] >> (i + 2) % 8 & 1)
            state = TRACE_NULL;
        else if (!mywire_read_binary(reader, &s->text, column)) {
            s->text.len = at;
            reader->is_short = true;
            state = TRACE_ABSENT;
        }
        wire_cell_add(s, &s->values, at, state, mywire_type_is_text(column->type));
    }
}

bool mywire_add_row(struct my *my, const struct mywire_packet *packet, bool is_binary) {
    struct reader reader = reader_of(packet->bytes);
    if (my->columns.list.count == 0) {
        my->current.rows_seen++;
        my->current.has_rows = false; /* a cursor whose columns were not seen */
        return true;
    }
    if (!wire_statement_row(&my->current))
        return true;
    if (is_binary)
        add_binary_row(my, &reader);
    else
        add_text_row(my, &reader);
    return packet->is_cut || (!reader.is_short && reader_left(&reader) == 0);
}
