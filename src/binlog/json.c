/* MySQL's binary JSON as the text that the server prints. A container is a table of entries with offsets from its own start; small
 * ones have offsets of two bytes, large ones of four. https://dev.mysql.com/doc/dev/mysql-server/latest/, json_binary.h.
 *
 * Offsets may point anywhere: entries that share their values could make a text without end, so it has a bound that no
 * document written by a server comes near. */
#include "binlog/value.h"

#include "base/buf.h"

enum json_type {
    JSON_SMALL_OBJECT = 0,
    JSON_LARGE_OBJECT = 1,
    JSON_SMALL_ARRAY = 2,
    JSON_LARGE_ARRAY = 3,
    JSON_LITERAL = 4,
    JSON_INT16 = 5,
    JSON_UINT16 = 6,
    JSON_INT32 = 7,
    JSON_UINT32 = 8,
    JSON_INT64 = 9,
    JSON_UINT64 = 10,
    JSON_DOUBLE = 11,
    JSON_STRING = 12,
    JSON_OPAQUE = 15,
};

enum { DEPTH_MAX = 100, TEXT_PER_BYTE_MAX = 16, TEXT_BYTES_MIN = 64 };

struct printer {
    struct arena *arena;
    struct buf out;
    size_t bytes_max;
};

static bool print_value(struct printer *printer, unsigned type, struct cursor in, unsigned depth);

static void add_quoted(struct buf *out, struct str text) {
    buf_add_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.ptr[i];
        static const char escaped[] = "\"\\\b\t\n\f\r", letters[] = "\"\\btnfr";
        const char *found = byte != '\0' ? strchr(escaped, byte) : NULL;
        if (found != NULL) {
            buf_add_char(out, '\\');
            buf_add_char(out, letters[found - escaped]);
        } else if ((unsigned char)byte < 0x20) {
            buf_printf(out, "\\u%04x", (unsigned)byte);
        } else {
            buf_add_char(out, byte);
        }
    }
    buf_add_char(out, '"');
}

/* A length of seven bits a byte, the lowest first. */
static uint64_t read_length(struct cursor *in) {
    uint64_t length = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        uint64_t byte = cursor_le(in, 1);
        length |= (byte & 0x7F) << shift;
        if ((byte & 0x80) == 0)
            return length;
    }
    in->is_bad = true;
    return 0;
}

static void add_base64(struct buf *out, unsigned type, struct str bytes) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    buf_printf(out, "\"base64:type%u:", type);
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        uint32_t group = (uint32_t)bytes_be(str_sub(bytes, i, i + (left < 3 ? left : 3))) << (left == 1 ? 16 : left == 2 ? 8 : 0);
        buf_add_char(out, digits[group >> 18 & 63]);
        buf_add_char(out, digits[group >> 12 & 63]);
        buf_add_char(out, left > 1 ? digits[group >> 6 & 63] : '=');
        buf_add_char(out, left > 2 ? digits[group & 63] : '=');
    }
    buf_add_char(out, '"');
}

/* A value of SQL: its column type, and its bytes. */
static bool print_opaque(struct printer *printer, struct cursor *in) {
    unsigned type = (unsigned)cursor_le(in, 1);
    struct str bytes = cursor_bytes(in, read_length(in));
    if (in->is_bad)
        return false;
    bool is_time = type == COLUMN_TIME;
    bool is_temporal = is_time || type == COLUMN_DATE || type == COLUMN_DATETIME || type == COLUMN_TIMESTAMP;
    struct str text;
    if (type == COLUMN_NEWDECIMAL && bytes.len > 2) {
        unsigned precision = (uint8_t)bytes.ptr[0], scale = (uint8_t)bytes.ptr[1];
        if (precision == 0 || precision > 81 || scale > precision || bytes.len - 2 != decimal_size(precision, scale))
            return false;
        if (!decimal_text(printer->arena, precision, scale, str_sub(bytes, 2, bytes.len), &text))
            return false;
        buf_add(&printer->out, text);
    } else if (is_temporal && bytes.len == 8) {
        int64_t bits = (int64_t)bytes_le(bytes);
        add_quoted(&printer->out, is_time ? temporal_time(printer->arena, bits, 6)
                                          : temporal_datetime(printer->arena, bits, 6, type == COLUMN_DATE));
    } else {
        add_base64(&printer->out, type, bytes);
    }
    return true;
}

static bool print_double(struct printer *printer, struct cursor *in) {
    uint64_t bits = cursor_le(in, 8);
    double value;
    memcpy(&value, &bits, sizeof(value));
    struct str text = number_double(printer->arena, value);
    buf_add(&printer->out, text);
    if (str_find(text, '.', 0) == text.len && str_find(text, 'e', 0) == text.len &&
        str_find(text, 'n', 0) == text.len)
        buf_add_c(&printer->out, ".0");
    return !in->is_bad;
}

static bool is_inlined(unsigned type, size_t offset_bytes) {
    return type == JSON_LITERAL || type == JSON_INT16 || type == JSON_UINT16 ||
           (offset_bytes == 4 && (type == JSON_INT32 || type == JSON_UINT32));
}

static bool print_container(struct printer *printer, struct str bytes, bool is_object, size_t offset_bytes,
                            unsigned depth) {
    struct cursor in = cursor_of(bytes);
    uint64_t count = cursor_le(&in, offset_bytes), size = cursor_le(&in, offset_bytes);
    size_t key_bytes = is_object ? offset_bytes + 2 : 0;
    if (in.is_bad || size > bytes.len || depth == DEPTH_MAX)
        return false;
    bytes.len = (size_t)size;
    struct cursor keys = cursor_of(str_sub(bytes, size < 2 * offset_bytes ? (size_t)size : 2 * offset_bytes, bytes.len));
    struct cursor values = keys;
    cursor_bytes(&values, count * key_bytes);
    buf_add_char(&printer->out, is_object ? '{' : '[');
    for (uint64_t i = 0; i < count; i++) {
        if (printer->out.len > printer->bytes_max)
            return false;
        if (i > 0)
            buf_add_c(&printer->out, ", ");
        if (is_object) {
            uint64_t at = cursor_le(&keys, offset_bytes), len = cursor_le(&keys, 2);
            if (keys.is_bad || at > size || len > size - at)
                return false;
            add_quoted(&printer->out, str_sub(bytes, (size_t)at, (size_t)(at + len)));
            buf_add_c(&printer->out, ": ");
        }
        unsigned type = (unsigned)cursor_le(&values, 1);
        struct cursor inlined = cursor_of(cursor_bytes(&values, offset_bytes));
        if (values.is_bad)
            return false;
        uint64_t at = bytes_le(inlined.left);
        if (!is_inlined(type, offset_bytes)) {
            if (at > size)
                return false;
            inlined = cursor_of(str_sub(bytes, (size_t)at, bytes.len));
        }
        if (!print_value(printer, type, inlined, depth + 1))
            return false;
    }
    buf_add_char(&printer->out, is_object ? '}' : ']');
    return true;
}

static bool print_literal(struct buf *out, uint64_t literal) {
    static const char *const names[] = {"null", "true", "false"};
    if (literal > 2)
        return false;
    buf_add_c(out, names[literal]);
    return true;
}

static bool print_value(struct printer *printer, unsigned type, struct cursor in, unsigned depth) {
    struct buf *out = &printer->out;
    switch (type) {
    case JSON_SMALL_OBJECT:
    case JSON_LARGE_OBJECT:
    case JSON_SMALL_ARRAY:
    case JSON_LARGE_ARRAY:
        return print_container(printer, in.left, type <= JSON_LARGE_OBJECT, (type & 1) != 0 ? 4 : 2, depth);
    case JSON_LITERAL:
        return print_literal(out, cursor_le(&in, 1)) && !in.is_bad;
    case JSON_INT16:
        buf_printf(out, "%d", (int)(int16_t)cursor_le(&in, 2));
        return !in.is_bad;
    case JSON_UINT16:
        buf_printf(out, "%u", (unsigned)cursor_le(&in, 2));
        return !in.is_bad;
    case JSON_INT32:
        buf_printf(out, "%ld", (long)(int32_t)cursor_le(&in, 4));
        return !in.is_bad;
    case JSON_UINT32:
        buf_printf(out, "%lu", (unsigned long)cursor_le(&in, 4));
        return !in.is_bad;
    case JSON_INT64:
        buf_printf(out, "%lld", (long long)cursor_le(&in, 8));
        return !in.is_bad;
    case JSON_UINT64:
        buf_printf(out, "%llu", (unsigned long long)cursor_le(&in, 8));
        return !in.is_bad;
    case JSON_DOUBLE:
        return print_double(printer, &in);
    case JSON_STRING: {
        struct str text = cursor_bytes(&in, read_length(&in));
        if (in.is_bad || out->len > printer->bytes_max)
            return false;
        add_quoted(out, text);
        return true;
    }
    case JSON_OPAQUE:
        return out->len <= printer->bytes_max && print_opaque(printer, &in);
    default:
        return false;
    }
}

bool json_text(struct arena *arena, struct str bytes, struct str *text) {
    struct printer printer = {arena, {0}, bytes.len * TEXT_PER_BYTE_MAX + TEXT_BYTES_MIN};
    struct cursor in = cursor_of(bytes);
    bool is_good = true;
    if (bytes.len == 0) /* what INSERT IGNORE puts into a column that must have a value */
        buf_add_c(&printer.out, "null");
    else
        is_good = print_value(&printer, (unsigned)cursor_le(&in, 1), in, 0);
    *text = str_dup(arena, buf_str(&printer.out));
    buf_release(&printer.out);
    return is_good;
}
