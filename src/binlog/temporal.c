/* Dates and times as texts. What a server refuses to store may still stand in a log (zero dates, dates of MyISAM tables gone
 * wrong): it is printed as it stands, as the server does. */
#include "binlog/value.h"

#include <stdio.h>

enum { FRACTION_BITS = 24, FRACTION_DIGITS = 6 };

static const uint32_t powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000};

struct fields {
    bool is_negative;
    unsigned year, month, day, hour, minute, second, microsecond;
};

static struct str text_of(struct arena *arena, const struct fields *fields, bool has_date, bool has_time,
                          unsigned digits) {
    char text[64];
    size_t len = 0;
    if (fields->is_negative)
        text[len++] = '-';
    if (has_date)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%04u-%02u-%02u%s", fields->year % 10000,
                                fields->month % 100, fields->day % 100, has_time ? " " : "");
    if (has_time)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%02u:%02u:%02u", fields->hour % 10000,
                                fields->minute % 100, fields->second % 100);
    if (has_time && digits > 0)
        len += (size_t)snprintf(text + len, sizeof(text) - len, ".%0*lu", (int)digits,
                                (unsigned long)(fields->microsecond % powers[6] /
                                                powers[FRACTION_DIGITS - digits]));
    return (struct str){arena_copy(arena, text, len), len};
}

struct str temporal_time(struct arena *arena, int64_t bits, unsigned digits) {
    uint64_t size = bits < 0 ? 0 - (uint64_t)bits : (uint64_t)bits;
    uint64_t clock = size >> FRACTION_BITS;
    struct fields fields = {
        .is_negative = bits < 0,
        .hour = (unsigned)(clock >> 12 & 0x3FF),
        .minute = (unsigned)(clock >> 6 & 0x3F),
        .second = (unsigned)(clock & 0x3F),
        .microsecond = (unsigned)(size & ((1U << FRACTION_BITS) - 1)),
    };
    return text_of(arena, &fields, false, true, digits);
}

struct str temporal_datetime(struct arena *arena, int64_t bits, unsigned digits, bool is_date) {
    uint64_t size = bits < 0 ? 0 - (uint64_t)bits : (uint64_t)bits;
    uint64_t date = size >> FRACTION_BITS >> 17, clock = size >> FRACTION_BITS & 0x1FFFF;
    struct fields fields = {
        .year = (unsigned)((date >> 5) / 13),
        .month = (unsigned)((date >> 5) % 13),
        .day = (unsigned)(date & 0x1F),
        .hour = (unsigned)(clock >> 12),
        .minute = (unsigned)(clock >> 6 & 0x3F),
        .second = (unsigned)(clock & 0x3F),
        .microsecond = (unsigned)(size & ((1U << FRACTION_BITS) - 1)),
    };
    return text_of(arena, &fields, true, !is_date, digits);
}

/* The civil date of a day since 1970, by the count of days from a year that begins in March. */
static struct str timestamp_text(struct arena *arena, uint32_t seconds, unsigned microsecond,
                                 unsigned digits) {
    struct fields fields = {.microsecond = microsecond};
    if (seconds != 0 || microsecond != 0) {
        unsigned days = seconds / 86400 + 719468; /* since 0000-03-01 */
        unsigned era = days / 146097, of_era = days % 146097;
        unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
        unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
        unsigned month = (5 * of_year + 2) / 153;
        fields.day = of_year - (153 * month + 2) / 5 + 1;
        fields.month = month < 10 ? month + 3 : month - 9;
        fields.year = year + era * 400 + (fields.month <= 2);
        fields.hour = seconds % 86400 / 3600;
        fields.minute = seconds % 3600 / 60;
        fields.second = seconds % 60;
    }
    return text_of(arena, &fields, true, true, digits);
}

/* A fraction of `digits` digits in as many bytes as it needs; microseconds. */
static unsigned read_fraction(struct cursor *in, unsigned digits) {
    unsigned bytes = (digits + 1) / 2;
    return (unsigned)cursor_be(in, bytes) * powers[FRACTION_DIGITS - 2 * bytes];
}

/* Whole and fraction are one number, of which a negative one is stored as what it lacks to 2^n. */
static int64_t read_time_bits(struct cursor *in, unsigned digits) {
    unsigned bytes = (digits + 1) / 2, bits = 8 * bytes;
    int64_t stored = (int64_t)cursor_be(in, 3 + bytes) - (INT64_C(0x800000) << bits);
    bool is_negative = stored < 0;
    uint64_t size = is_negative ? (uint64_t)-stored : (uint64_t)stored;
    uint64_t fraction = (size & ((UINT64_C(1) << bits) - 1)) * powers[FRACTION_DIGITS - 2 * bytes];
    int64_t value = (int64_t)(size >> bits << FRACTION_BITS | fraction);
    return is_negative ? -value : value;
}

static struct fields fields_of_decimal(uint64_t value) {
    struct fields fields = {
        .second = (unsigned)(value % 100),
        .minute = (unsigned)(value / 100 % 100),
        .hour = (unsigned)(value / 10000 % 100),
        .day = (unsigned)(value / 1000000 % 100),
        .month = (unsigned)(value / 100000000 % 100),
        .year = (unsigned)(value / UINT64_C(10000000000) % 10000),
    };
    return fields;
}

/* TIME before MySQL 5.6: HHMMSS as a decimal number of three bytes with a sign. */
static struct str old_time(struct arena *arena, uint32_t stored) {
    bool is_negative = (stored & 0x800000) != 0;
    uint32_t value = is_negative ? 0x1000000 - stored : stored;
    struct fields fields = {
        .is_negative = is_negative, .hour = value / 10000, .minute = value / 100 % 100, .second = value % 100};
    return text_of(arena, &fields, false, true, 0);
}

bool temporal_read(struct arena *arena, const struct column *column, struct cursor *in,
                   struct str *text) {
    unsigned digits = column->scale;
    switch (column->type) {
    case COLUMN_YEAR: {
        unsigned year = (unsigned)cursor_le(in, 1);
        *text = year == 0 ? STR("0000") : number_unsigned(arena, year + 1900);
        break;
    }
    case COLUMN_DATE:
    case COLUMN_NEWDATE: {
        unsigned date = (unsigned)cursor_le(in, 3);
        struct fields fields = {.day = date & 0x1F, .month = date >> 5 & 0xF, .year = date >> 9};
        *text = text_of(arena, &fields, true, false, 0);
        break;
    }
    case COLUMN_TIME:
        *text = old_time(arena, (uint32_t)cursor_le(in, 3));
        break;
    case COLUMN_TIME2:
        *text = temporal_time(arena, read_time_bits(in, digits), digits);
        break;
    case COLUMN_DATETIME: {
        struct fields fields = fields_of_decimal(cursor_le(in, 8));
        *text = text_of(arena, &fields, true, true, 0);
        break;
    }
    case COLUMN_DATETIME2: {
        int64_t whole = (int64_t)cursor_be(in, 5) - INT64_C(0x8000000000);
        int64_t bits = (whole < 0 ? 0 : whole) << FRACTION_BITS;
        *text = temporal_datetime(arena, bits | read_fraction(in, digits), digits, false);
        break;
    }
    case COLUMN_TIMESTAMP:
        *text = timestamp_text(arena, (uint32_t)cursor_le(in, 4), 0, 0);
        break;
    case COLUMN_TIMESTAMP2: {
        uint32_t seconds = (uint32_t)cursor_be(in, 4);
        *text = timestamp_text(arena, seconds, read_fraction(in, digits), digits);
        break;
    }
    default:
        return false;
    }
    return !in->is_bad;
}
