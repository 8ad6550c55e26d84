#include "binlog/value.h"

#include "base/assert.h"
#include "binlog/binlog.h"

static const char no_zlib[] = "values of compressed columns can't be read: zlib is not there";

static struct str text_of_float(struct arena *arena, const struct column *column, struct str bytes) {
    uint64_t bits = bytes_le(bytes);
    if (column->type == COLUMN_DOUBLE) {
        double value;
        memcpy(&value, &bits, sizeof(value));
        return number_double(arena, value);
    }
    uint32_t low = (uint32_t)bits;
    float value;
    memcpy(&value, &low, sizeof(value));
    return number_float(arena, value);
}

static struct str text_of_integer(struct arena *arena, const struct column *column, struct str bytes) {
    uint64_t value = bytes_le(bytes);
    if (column->is_unsigned)
        return number_unsigned(arena, value);
    unsigned unused = 64 - 8 * (unsigned)bytes.len;
    return number_signed(arena, (int64_t)(value << unused) >> unused);
}

static struct str text_of_enum(struct arena *arena, const struct column *column, uint64_t number) {
    if (column->labels == NULL)
        return number_unsigned(arena, number);
    if (number == 0) /* what was no label, without strict mode */
        return (struct str){0};
    return number <= column->label_count ? column->labels[number - 1] : number_unsigned(arena, number);
}

static struct str text_of_set(struct arena *arena, const struct column *column, uint64_t bits) {
    if (column->labels == NULL)
        return number_unsigned(arena, bits);
    size_t len = 0, count = column->label_count < 64 ? column->label_count : 64;
    for (size_t i = 0; i < count; i++)
        len += (bits >> i & 1) != 0 ? column->labels[i].len + 1 : 0;
    char *text = arena_alloc(arena, len + 1);
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if ((bits >> i & 1) == 0)
            continue;
        if (at > 0)
            text[at++] = ',';
        if (column->labels[i].len > 0)
            memcpy(text + at, column->labels[i].ptr, column->labels[i].len);
        at += column->labels[i].len;
    }
    return (struct str){text, at};
}

/* BINARY(n) is logged without the zeros at its end; a CHAR without its spaces, as SELECT gives it. */
static struct str text_of_fixed(struct arena *arena, const struct column *column, struct str bytes) {
    if (column->charset != CHARSET_BINARY || bytes.len >= column->size)
        return bytes;
    char *text = arena_alloc(arena, column->size);
    if (bytes.len > 0)
        memcpy(text, bytes.ptr, bytes.len);
    return (struct str){text, column->size};
}

/* MariaDB's COMPRESSED columns: the method and the size of the size in a byte, the size, the stream. */
static bool unpack_column(struct value_reader *reader, struct str bytes, struct trace_value *value) {
    enum { METHOD_STORED = 0, METHOD_ZLIB = 8, IS_BARE = 8, SIZE_BYTES = 7 };
    struct cursor in = cursor_of(bytes);
    if (bytes.len == 0)
        return true;
    unsigned head = (unsigned)cursor_le(&in, 1);
    if (head >> 4 == METHOD_STORED) {
        value->text = in.left;
        return true;
    }
    uint64_t size = cursor_be(&in, head & SIZE_BYTES);
    if (head >> 4 != METHOD_ZLIB || in.is_bad || size > BINLOG_EVENT_BYTES_MAX)
        return false;
    bool is_bare = (head & IS_BARE) != 0; /* without zlib's header, as column_compression_zlib_wrap=OFF has it */
    struct unpack **unpack = is_bare ? reader->deflate : reader->zlib;
    if (*unpack == NULL && (*unpack = unpack_new(is_bare ? UNPACK_DEFLATE : UNPACK_ZLIB, NULL)) == NULL) {
        value->state = TRACE_ABSENT;
        reader->gap = no_zlib;
        return true;
    }
    char *text = arena_alloc(reader->scratch, (size_t)size);
    value->text = (struct str){text, (size_t)size};
    return unpack_whole(*unpack, in.left, text, (size_t)size);
}

static bool read_number(struct value_reader *reader, const struct column *column, struct cursor *in,
                        struct trace_value *value) {
    struct arena *arena = reader->scratch;
    value->is_text = false;
    if (column->type == COLUMN_NEWDECIMAL) {
        struct str bytes = cursor_bytes(in, decimal_size(column->precision, column->scale));
        return !in->is_bad && decimal_text(arena, column->precision, column->scale, bytes, &value->text);
    }
    struct str bytes = cursor_bytes(in, column->size);
    if (in->is_bad)
        return false;
    switch (column->type) {
    case COLUMN_FLOAT:
    case COLUMN_DOUBLE:
        value->text = text_of_float(arena, column, bytes);
        break;
    case COLUMN_BIT:
        value->text = number_unsigned(arena, bytes_be(bytes));
        break;
    case COLUMN_ENUM:
        value->is_text = column->labels != NULL;
        value->text = text_of_enum(arena, column, bytes_le(bytes));
        break;
    case COLUMN_SET:
        value->is_text = column->labels != NULL;
        value->text = text_of_set(arena, column, bytes_le(bytes));
        break;
    default:
        value->text = text_of_integer(arena, column, bytes);
    }
    return true;
}

/* Texts and bytes, with their length before them. */
static bool read_text(struct value_reader *reader, const struct column *column, struct cursor *in,
                      struct trace_value *value) {
    size_t length_bytes = column->size > 255 ? 2 : 1;
    switch (column->type) {
    case COLUMN_BLOB:
    case COLUMN_BLOB_COMPRESSED:
    case COLUMN_GEOMETRY:
    case COLUMN_VECTOR:
    case COLUMN_JSON:
        length_bytes = column->size;
        break;
    case COLUMN_TYPED_ARRAY:
        length_bytes = 4;
        break;
    default:
        break;
    }
    struct str bytes = cursor_bytes(in, cursor_le(in, length_bytes));
    if (in->is_bad)
        return false;
    value->text = bytes;
    switch (column->type) {
    case COLUMN_STRING:
        value->text = text_of_fixed(reader->scratch, column, bytes);
        return true;
    case COLUMN_BLOB_COMPRESSED:
    case COLUMN_VARCHAR_COMPRESSED:
        return unpack_column(reader, bytes, value);
    case COLUMN_JSON:
        if (!json_text(reader->scratch, bytes, &value->text)) {
            value->state = TRACE_ABSENT;
            reader->gap = "a JSON value is damaged";
        }
        return true;
    case COLUMN_TYPED_ARRAY:
        value->state = TRACE_ABSENT;
        return true;
    default:
        return true;
    }
}

bool value_read(struct value_reader *reader, const struct column *column, struct cursor *in,
                struct trace_value *value) {
    *value = (struct trace_value){.state = TRACE_VALUE, .is_text = true};
    switch (column->type) {
    case COLUMN_TINY:
    case COLUMN_SHORT:
    case COLUMN_INT24:
    case COLUMN_LONG:
    case COLUMN_LONGLONG:
    case COLUMN_FLOAT:
    case COLUMN_DOUBLE:
    case COLUMN_NEWDECIMAL:
    case COLUMN_BIT:
    case COLUMN_ENUM:
    case COLUMN_SET:
        return read_number(reader, column, in, value);
    case COLUMN_YEAR:
    case COLUMN_DATE:
    case COLUMN_NEWDATE:
    case COLUMN_TIME:
    case COLUMN_TIME2:
    case COLUMN_DATETIME:
    case COLUMN_DATETIME2:
    case COLUMN_TIMESTAMP:
    case COLUMN_TIMESTAMP2:
        value->is_text = column->type != COLUMN_YEAR;
        return temporal_read(reader->scratch, column, in, &value->text);
    case COLUMN_VARCHAR:
    case COLUMN_VARCHAR_COMPRESSED:
    case COLUMN_VAR_STRING:
    case COLUMN_STRING:
    case COLUMN_BLOB:
    case COLUMN_BLOB_COMPRESSED:
    case COLUMN_GEOMETRY:
    case COLUMN_VECTOR:
    case COLUMN_JSON:
    case COLUMN_TYPED_ARRAY:
        return read_text(reader, column, in, value);
    case COLUMN_NULL:
        value->state = TRACE_NULL;
        return true;
    default:
        return false;
    }
}
