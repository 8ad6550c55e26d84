#include "wire/postgresql_value.h"

#include "wire/reader.h"
#include "wire/value.h"

/* Of pg_type.dat; numbers of built-in types never change. */
enum {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_CHAR = 18,
    OID_NAME = 19,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_OID = 26,
    OID_XID = 28,
    OID_CID = 29,
    OID_JSON = 114,
    OID_XML = 142,
    OID_FLOAT4 = 700,
    OID_FLOAT8 = 701,
    OID_UNKNOWN = 705,
    OID_BPCHAR = 1042,
    OID_VARCHAR = 1043,
    OID_DATE = 1082,
    OID_TIME = 1083,
    OID_TIMESTAMP = 1114,
    OID_TIMESTAMPTZ = 1184,
    OID_TIMETZ = 1266,
    OID_NUMERIC = 1700,
    OID_UUID = 2950,
    OID_JSONB = 3802,
    OID_XID8 = 5069,
};

/* 2000-01-01, from which dates and times count. */
#define PG_EPOCH_DAYS 10957
#define DAY_US INT64_C(86400000000)

enum { NUMERIC_NEGATIVE = 0x4000, NUMERIC_NAN = 0xC000, NUMERIC_INFINITY = 0xD000,
       NUMERIC_MINUS_INFINITY = 0xF000, NUMERIC_DIGITS_MAX = 40000 };

static int64_t signed_of(uint64_t bits, size_t byte_count) {
    int shift = 64 - 8 * (int)byte_count;
    return (int64_t)(bits << shift) >> shift;
}

/* Digits are groups of four; `weight` is the power of 10,000 of the first (numeric_send). */
static bool add_numeric(struct buf *out, struct reader *reader) {
    int64_t count = (int64_t)read_be(reader, 2);
    int64_t weight = signed_of(read_be(reader, 2), 2);
    uint64_t sign = read_be(reader, 2);
    int64_t scale = (int64_t)read_be(reader, 2);
    if (reader->is_short || reader_left(reader) != (size_t)count * 2 || scale > 0x3fff)
        return false;
    if (sign == NUMERIC_NAN || sign == NUMERIC_INFINITY || sign == NUMERIC_MINUS_INFINITY) {
        buf_add_c(out, sign == NUMERIC_NAN ? "NaN" : sign == NUMERIC_INFINITY ? "Infinity" : "-Infinity");
        return true;
    }
    const unsigned char *digits = reader->at;
    if (sign == NUMERIC_NEGATIVE)
        buf_add_char(out, '-');
    if (weight < 0)
        buf_add_char(out, '0');
    for (int64_t i = 0; i <= weight; i++) {
        int digit = i < count ? digits[2 * i] << 8 | digits[2 * i + 1] : 0;
        buf_printf(out, i == 0 ? "%d" : "%04d", digit);
    }
    if (scale == 0)
        return true;
    buf_add_char(out, '.');
    size_t end = out->len + (size_t)scale;
    for (int64_t i = weight + 1; out->len < end; i++) {
        int digit = i >= 0 && i < count ? digits[2 * i] << 8 | digits[2 * i + 1] : 0;
        buf_printf(out, "%04d", digit);
    }
    out->len = end;
    out->ptr[end] = '\0';
    return true;
}

static void add_bc(struct buf *out, int64_t days) {
    if (days < value_days_of(1, 1, 1))
        buf_add_c(out, " BC");
}

static bool add_date(struct buf *out, int64_t days) {
    if (days == INT32_MAX || days == INT32_MIN) {
        buf_add_c(out, days < 0 ? "-infinity" : "infinity");
        return true;
    }
    value_add_date(out, days + PG_EPOCH_DAYS);
    add_bc(out, days + PG_EPOCH_DAYS);
    return true;
}

static bool add_timestamp(struct buf *out, int64_t us, const char *zone) {
    if (us == INT64_MAX || us == INT64_MIN) {
        buf_add_c(out, us < 0 ? "-infinity" : "infinity");
        return true;
    }
    int64_t days = us / DAY_US, rest = us % DAY_US;
    if (rest < 0) {
        rest += DAY_US;
        days--;
    }
    value_add_date(out, days + PG_EPOCH_DAYS);
    buf_add_char(out, ' ');
    value_add_time(out, rest);
    buf_add_c(out, zone);
    add_bc(out, days + PG_EPOCH_DAYS);
    return true;
}

/* Seconds west of Greenwich, as the server keeps them. */
static void add_zone(struct buf *out, int64_t west) {
    int64_t off = west <= 0 ? -west : west;
    buf_printf(out, "%c%02d", west <= 0 ? '+' : '-', (int)(off / 3600));
    if (off % 3600 != 0)
        buf_printf(out, ":%02d", (int)(off / 60 % 60));
    if (off % 60 != 0)
        buf_printf(out, ":%02d", (int)(off % 60));
}

static void add_uuid(struct buf *out, struct str bytes) {
    for (size_t i = 0; i < bytes.len; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            buf_add_char(out, '-');
        buf_printf(out, "%02x", (unsigned char)bytes.ptr[i]);
    }
}

static bool add_float(struct buf *out, uint32_t oid, uint64_t bits) {
    if (oid == OID_FLOAT8) {
        double number;
        memcpy(&number, &bits, sizeof(number));
        value_add_double(out, number, VALUE_POSTGRESQL);
        return true;
    }
    uint32_t half = (uint32_t)bits;
    float number;
    memcpy(&number, &half, sizeof(number));
    value_add_float(out, number, VALUE_POSTGRESQL);
    return true;
}

/* Bytes that the type has in binary form; 0: any number. */
static size_t width_of(uint32_t oid) {
    switch (oid) {
    case OID_BOOL:
        return 1;
    case OID_INT2:
        return 2;
    case OID_INT4:
    case OID_OID:
    case OID_XID:
    case OID_CID:
    case OID_FLOAT4:
    case OID_DATE:
        return 4;
    case OID_INT8:
    case OID_XID8:
    case OID_FLOAT8:
    case OID_TIME:
    case OID_TIMESTAMP:
    case OID_TIMESTAMPTZ:
        return 8;
    case OID_TIMETZ:
        return 12;
    case OID_UUID:
        return 16;
    default:
        return 0;
    }
}

static bool add_fixed(struct buf *out, uint32_t oid, struct reader *reader, size_t width) {
    if (oid == OID_UUID) {
        add_uuid(out, read_rest(reader));
        return true;
    }
    uint64_t bits = read_be(reader, width < 8 ? width : 8);
    int64_t number = signed_of(bits, width < 8 ? width : 8);
    switch (oid) {
    case OID_BOOL:
        buf_add_char(out, bits != 0 ? 't' : 'f');
        return true;
    case OID_OID:
    case OID_XID:
    case OID_CID:
    case OID_XID8:
        buf_printf(out, "%llu", (unsigned long long)bits);
        return true;
    case OID_FLOAT4:
    case OID_FLOAT8:
        return add_float(out, oid, bits);
    case OID_DATE:
        return add_date(out, number);
    case OID_TIME:
    case OID_TIMETZ:
        if (number < 0 || number > DAY_US)
            return false;
        value_add_time(out, number);
        if (oid == OID_TIMETZ)
            add_zone(out, signed_of(read_be(reader, 4), 4));
        return true;
    case OID_TIMESTAMP:
        return add_timestamp(out, number, "");
    case OID_TIMESTAMPTZ:
        return add_timestamp(out, number, "+00");
    default:
        buf_printf(out, "%lld", (long long)number);
        return true;
    }
}

static bool add_binary(struct buf *out, uint32_t oid, struct str bytes) {
    struct reader reader = reader_of(bytes);
    size_t width = width_of(oid);
    if (width > 0)
        return bytes.len == width && add_fixed(out, oid, &reader, width);
    switch (oid) {
    case OID_BYTEA:
    case OID_CHAR:
    case OID_NAME:
    case OID_TEXT:
    case OID_JSON:
    case OID_XML:
    case OID_UNKNOWN:
    case OID_BPCHAR:
    case OID_VARCHAR:
        buf_add(out, bytes);
        return true;
    case OID_JSONB:
        if (read_byte(&reader) != 1)
            return false;
        buf_add(out, read_rest(&reader));
        return true;
    case OID_NUMERIC:
        return add_numeric(out, &reader);
    default:
        return false;
    }
}

static int hex_of(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Both settings of bytea_output: \x6869, and hi\\\000. */
static void add_bytea(struct buf *out, struct str text) {
    size_t at = out->len, i;
    if (str_starts(text, "\\x")) {
        for (i = 2; i + 1 < text.len; i += 2) {
            int high = hex_of(text.ptr[i]), low = hex_of(text.ptr[i + 1]);
            if (high < 0 || low < 0)
                break;
            buf_add_char(out, (char)(high << 4 | low));
        }
        if (i == text.len)
            return;
        out->len = at;
        buf_add(out, text);
        return;
    }
    for (i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '\\' && i + 1 < text.len && text.ptr[i + 1] == '\\') {
            i++;
        } else if (c == '\\' && i + 3 < text.len) {
            c = (char)((text.ptr[i + 1] - '0') * 64 + (text.ptr[i + 2] - '0') * 8 + (text.ptr[i + 3] - '0'));
            i += 3;
        }
        buf_add_char(out, c);
    }
}

static bool read_digits(struct str text, size_t *at, size_t count, int64_t *number) {
    *number = 0;
    for (size_t i = 0; i < count; i++, (*at)++) {
        if (*at >= text.len || text.ptr[*at] < '0' || text.ptr[*at] > '9')
            return false;
        *number = *number * 10 + (text.ptr[*at] - '0');
    }
    return true;
}

/* `+02`, `+05:30`, `+01:23:45` at the end of the text: how many seconds east. */
static bool read_zone(struct str text, size_t at, int64_t *east) {
    int64_t part[3] = {0};
    if (at >= text.len || (text.ptr[at] != '+' && text.ptr[at] != '-'))
        return false;
    bool is_west = text.ptr[at++] == '-';
    for (int i = 0; i < 3 && at < text.len; i++) {
        if (i > 0 && text.ptr[at] == ':')
            at++;
        if (!read_digits(text, &at, 2, &part[i]))
            return false;
    }
    *east = (part[0] * 60 + part[1]) * 60 + part[2];
    *east = is_west ? -*east : *east;
    return at == text.len;
}

/* Two sessions with different time zones print one instant in two ways; binary has no zone. So all are told as UTC. */
static bool add_timestamptz(struct buf *out, struct str text) {
    int64_t year, month, day, hour, minute, second, fraction = 0, east;
    size_t at = 0;
    if (!read_digits(text, &at, 4, &year) || at >= text.len || text.ptr[at++] != '-' ||
        !read_digits(text, &at, 2, &month) || at >= text.len || text.ptr[at++] != '-' ||
        !read_digits(text, &at, 2, &day) || at >= text.len ||
        (text.ptr[at] != ' ' && text.ptr[at] != 'T') || !read_digits(text, (at++, &at), 2, &hour) ||
        at >= text.len || text.ptr[at++] != ':' || !read_digits(text, &at, 2, &minute) ||
        at >= text.len || text.ptr[at++] != ':' || !read_digits(text, &at, 2, &second))
        return false;
    if (at < text.len && text.ptr[at] == '.') {
        at++;
        for (int64_t unit = 100000; at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9';
             at++, unit /= 10)
            fraction += unit * (text.ptr[at] - '0');
    }
    if (!read_zone(text, at, &east) || month < 1 || month > 12)
        return false;
    int64_t days = value_days_of(year, (unsigned)month, (unsigned)day) - PG_EPOCH_DAYS;
    int64_t seconds = days * 86400 + hour * 3600 + minute * 60 + second - east;
    return add_timestamp(out, seconds * 1000000 + fraction, "+00");
}

static void add_text(struct buf *out, uint32_t oid, struct str text) {
    if (oid == OID_BYTEA)
        add_bytea(out, text);
    else if (oid == OID_TIMESTAMPTZ && add_timestamptz(out, text))
        return;
    else if (oid == OID_BOOL && text.len > 0)
        buf_add_char(out, strchr("tTyY1", text.ptr[0]) != NULL || str_equal_nocase(text, STR("on"))
                              ? 't' : 'f');
    else
        buf_add(out, text);
}

enum trace_value_state pgwire_value_add(struct buf *out, uint32_t oid, bool is_binary,
                                    struct str bytes) {
    if (!is_binary) {
        add_text(out, oid, bytes);
        return TRACE_VALUE;
    }
    size_t before = out->len;
    if (add_binary(out, oid, bytes))
        return TRACE_VALUE;
    out->len = before;
    return TRACE_ABSENT;
}

static bool is_number(struct str text) {
    size_t i = text.len > 0 && text.ptr[0] == '-';
    size_t digits = 0;
    for (; i < text.len; i++) {
        if (text.ptr[i] >= '0' && text.ptr[i] <= '9')
            digits++;
        else if (text.ptr[i] != '.')
            return false;
    }
    return digits > 0;
}

bool pgwire_type_is_text(uint32_t oid, struct str text) {
    switch (oid) {
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
    case OID_OID:
    case OID_XID:
    case OID_CID:
    case OID_XID8:
    case OID_FLOAT4:
    case OID_FLOAT8:
    case OID_NUMERIC:
        return false;
    case PG_TYPE_UNKNOWN:
        return !is_number(text);
    default:
        return true;
    }
}
