#include "logs/clock.h"

#include "base/assert.h"

static const int64_t second_us = 1000000;

static const struct {
    const char *name;
    int minutes;
} zones[] = {
#define ZONE(name, minutes) {name, minutes},
#include "logs/zones.def"
};

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* `count` digits at `at`, or -1. */
static int digits(const char *at, size_t count) {
    int value = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_digit(at[i]))
            return -1;
        value = value * 10 + (at[i] - '0');
    }
    return value;
}

/* Days since 1970-01-01 in the Gregorian calendar, by counting years from March. */
static int64_t days_since_epoch(int year, int month, int day) {
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = y / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static bool minute_us(int year, int month, int day, int hour, int minute, int64_t *us) {
    if (year < 0 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 23 ||
        minute < 0 || minute > 59)
        return false;
    *us = ((days_since_epoch(year, month, day) * 24 + hour) * 60 + minute) * 60 * second_us;
    return true;
}

/* Digits of a fraction at `*at` of the text, in millionths; those behind the sixth do not count. */
static int64_t take_fraction(struct str text, size_t *at) {
    static const int64_t units[] = {1000000, 100000, 10000, 1000, 100, 10, 1};
    int64_t value = 0;
    size_t count = 0;
    for (; *at < text.len && is_digit(text.ptr[*at]); (*at)++) {
        if (count == 6)
            continue;
        value = value * 10 + (text.ptr[*at] - '0');
        count++;
    }
    return value * units[count];
}

/* `:SS` and a fraction, which are added. */
static bool take_seconds(struct str *text, int64_t *time_us) {
    const char *at = text->ptr;
    if (text->len < 3 || at[0] != ':' || !is_digit(at[1]) || !is_digit(at[2]))
        return false;
    *time_us += digits(at + 1, 2) * second_us;
    size_t i = 3;
    if (i + 1 < text->len && at[i] == '.' && is_digit(at[i + 1])) {
        i++;
        *time_us += take_fraction(*text, &i);
    }
    *text = str_sub(*text, i, text->len);
    return true;
}

bool log_clock_date(struct log_clock *clock, struct str *text, int64_t *time_us) {
    const char *at = text->ptr;
    if (text->len < LOG_MINUTE_BYTES + 3)
        return false;
    if (memcmp(at, clock->minute, LOG_MINUTE_BYTES) != 0) {
        int64_t us;
        if (at[4] != '-' || at[7] != '-' || (at[10] != ' ' && at[10] != 'T') || at[13] != ':' ||
            !minute_us(digits(at, 4), digits(at + 5, 2), digits(at + 8, 2), digits(at + 11, 2),
                       digits(at + 14, 2), &us))
            return false;
        memcpy(clock->minute, at, LOG_MINUTE_BYTES);
        clock->minute_us = us;
    }
    struct str rest = str_sub(*text, LOG_MINUTE_BYTES, text->len);
    int64_t us = clock->minute_us;
    if (!take_seconds(&rest, &us))
        return false;
    *text = rest;
    *time_us = us;
    return true;
}

bool log_clock_short_date(struct log_clock *clock, struct str *text, int64_t *time_us) {
    enum { SHORT_BYTES = 12 };
    const char *at = text->ptr;
    if (text->len < SHORT_BYTES + 3)
        return false;
    if (memcmp(at, clock->minute, SHORT_BYTES) != 0 || clock->minute[SHORT_BYTES] != 0) {
        int hour = at[7] == ' ' ? digits(at + 8, 1) : digits(at + 7, 2);
        int64_t us;
        int year = digits(at, 2);
        if (year < 0 || at[6] != ' ' || at[9] != ':' ||
            !minute_us(2000 + year, digits(at + 2, 2), digits(at + 4, 2), hour,
                       digits(at + 10, 2), &us))
            return false;
        memset(clock->minute, 0, LOG_MINUTE_BYTES);
        memcpy(clock->minute, at, SHORT_BYTES);
        clock->minute_us = us;
    }
    struct str rest = str_sub(*text, SHORT_BYTES, text->len);
    int64_t us = clock->minute_us;
    if (!take_seconds(&rest, &us))
        return false;
    *text = rest;
    *time_us = us;
    return true;
}

/* `+01`, `-0330`, `+05:30`: minutes, and how many bytes. */
static size_t offset_minutes(struct str text, int *minutes) {
    if (text.len < 3 || (text.ptr[0] != '+' && text.ptr[0] != '-') || digits(text.ptr + 1, 2) < 0)
        return 0;
    size_t len = 3;
    int value = digits(text.ptr + 1, 2) * 60;
    size_t at = text.len > 3 && text.ptr[3] == ':' ? 4 : 3;
    if (text.len >= at + 2 && digits(text.ptr + at, 2) >= 0) {
        value += digits(text.ptr + at, 2);
        len = at + 2;
    }
    *minutes = text.ptr[0] == '-' ? -value : value;
    return len;
}

static bool is_zone_byte(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '/';
}

static bool zone_minutes(struct str name, int *minutes) {
    if (str_is(name, "Z"))
        return *minutes = 0, true;
    for (size_t i = 0; i < LW_COUNT_OF(zones); i++)
        if (str_is(name, zones[i].name))
            return *minutes = zones[i].minutes, true;
    return false;
}

bool log_clock_zone(struct log_clock *clock, struct str *text, int64_t *time_us) {
    int minutes = 0;
    size_t len = offset_minutes(*text, &minutes);
    if (len == 0) {
        while (len < text->len && is_zone_byte(text->ptr[len]))
            len++;
        if (len == 0)
            return false;
        struct str name = str_sub(*text, 0, len);
        char key[LOG_ZONE_BYTES] = {0};
        memcpy(key, name.ptr, len < LOG_ZONE_BYTES ? len : LOG_ZONE_BYTES);
        if (memcmp(key, clock->zone, LOG_ZONE_BYTES) != 0 || len >= LOG_ZONE_BYTES) {
            if (!zone_minutes(name, &minutes))
                clock->is_zone_assumed = true;
            memcpy(clock->zone, key, LOG_ZONE_BYTES);
            clock->zone_us = minutes * 60 * second_us;
        }
        *time_us -= clock->zone_us;
    } else {
        *time_us -= minutes * 60 * second_us;
    }
    *text = str_sub(*text, len, text->len);
    return true;
}

bool log_number(struct str *text, uint64_t *number) {
    uint64_t value = 0;
    size_t i = 0;
    for (; i < text->len && i < 19 && is_digit(text->ptr[i]); i++)
        value = value * 10 + (uint64_t)(text->ptr[i] - '0');
    if (i == 0 || (i < text->len && is_digit(text->ptr[i])))
        return false;
    *text = str_sub(*text, i, text->len);
    *number = value;
    return true;
}

bool log_hex_number(struct str *text, uint64_t *number) {
    uint64_t value = 0;
    size_t i = 0;
    for (; i < text->len && i <= 16; i++) {
        char c = text->ptr[i];
        if (!is_digit(c) && !(c >= 'a' && c <= 'f'))
            break;
        value = value * 16 + (uint64_t)(is_digit(c) ? c - '0' : c - 'a' + 10);
    }
    if (i == 0 || i > 16)
        return false;
    *text = str_sub(*text, i, text->len);
    *number = value;
    return true;
}

bool log_millionths(struct str *text, int64_t *millionths) {
    struct str rest = *text;
    uint64_t whole;
    if (!log_number(&rest, &whole) || whole > INT64_MAX / 2 / 1000000)
        return false;
    int64_t value = (int64_t)whole * 1000000;
    if (rest.len > 1 && rest.ptr[0] == '.' && is_digit(rest.ptr[1])) {
        size_t i = 1;
        value += take_fraction(rest, &i);
        rest = str_sub(rest, i, rest.len);
    }
    *text = rest;
    *millionths = value;
    return true;
}
