/* Numbers are exact: a decimal is an integer with a scale, and whatever passes 64 bits is worked
 * out in 128 and checked on the way back. Nothing is ever a float, so outcomes compare without a
 * tolerance. */
#include "sql/value.h"

#include "base/assert.h"
#include "base/vec.h"

#include <inttypes.h>

enum { SCALE_MAX = 18, DIVISION_DIGITS = 12, YEAR_MAX = 9999 };

static const int64_t US_PER_SECOND = 1000000;
static const int64_t US_PER_DAY = 86400000000;

__extension__ typedef __int128 wide; /* not ours to name: C11 has no 128-bit integer */

void text_pool_init(struct text_pool *pool, struct arena *arena) {
    *pool = (struct text_pool){.arena = arena};
    map_init(&pool->index, arena);
}

void text_pool_init_over(struct text_pool *pool, struct arena *arena, const struct text_pool *base) {
    text_pool_init(pool, arena);
    pool->base = base;
    pool->base_count = base->base_count + base->count;
}

/* The number of `text` plus one, 0 if it isn't there. */
static size_t find_text(const struct text_pool *pool, struct str text) {
    for (; pool != NULL; pool = pool->base) {
        uintptr_t known = (uintptr_t)map_get(&pool->index, text);
        if (known > 0)
            return known;
    }
    return 0;
}

int64_t text_pool_add(struct text_pool *pool, struct str text) {
    LW_ASSERT(pool->arena != NULL);
    size_t known = find_text(pool, text);
    if (known > 0)
        return (int64_t)known - 1;
    struct str copy = str_dup(pool->arena, text);
    VEC_PUSH(pool->arena, pool, copy);
    size_t number = pool->base_count + pool->count;
    map_put(&pool->index, copy, (void *)(uintptr_t)number);
    return (int64_t)number - 1;
}

struct str text_pool_get(const struct text_pool *pool, int64_t number) {
    LW_ASSERT(number >= 0);
    while ((uint64_t)number < pool->base_count)
        pool = pool->base;
    LW_ASSERT((uint64_t)number - pool->base_count < pool->count);
    return pool->items[(uint64_t)number - pool->base_count];
}

struct value value_null(void) {
    return (struct value){.kind = VALUE_NULL};
}

struct value value_bool(bool truth) {
    return (struct value){.kind = VALUE_BOOL, .number = truth};
}

struct value value_int(int64_t number) {
    return (struct value){.kind = VALUE_INT, .number = number};
}

struct value value_decimal(int64_t number, uint8_t scale) {
    LW_ASSERT(scale <= SCALE_MAX);
    return (struct value){.kind = VALUE_DECIMAL, .scale = scale, .number = number};
}

struct value value_text(struct text_pool *pool, struct str text) {
    return (struct value){.kind = VALUE_TEXT, .number = text_pool_add(pool, text)};
}

struct value value_time(int64_t microseconds) {
    return (struct value){.kind = VALUE_TIME, .number = microseconds};
}

static bool is_number(struct value v) {
    return v.kind == VALUE_INT || v.kind == VALUE_DECIMAL || v.kind == VALUE_BOOL;
}

static wide power_of_ten(unsigned exponent) {
    LW_ASSERT(exponent <= 2 * SCALE_MAX);
    wide power = 1;
    while (exponent-- > 0)
        power *= 10;
    return power;
}

/* The number as an integer of 10^-scale; the value's own scale must not be larger. */
static wide scaled(struct value v, unsigned scale) {
    LW_ASSERT(v.scale <= scale);
    return (wide)v.number * power_of_ten(scale - v.scale);
}

static int compare_numbers(struct value a, struct value b) {
    unsigned scale = a.scale > b.scale ? a.scale : b.scale;
    wide left = scaled(a, scale), right = scaled(b, scale);
    return left < right ? -1 : left > right;
}

int value_compare(const struct text_pool *pool, struct value a, struct value b) {
    if (is_number(a) && is_number(b))
        return compare_numbers(a, b);
    if (a.kind != b.kind)
        return a.kind < b.kind ? -1 : 1;
    if (a.kind == VALUE_TEXT && a.number != b.number)
        return str_compare(text_pool_get(pool, a.number), text_pool_get(pool, b.number));
    return a.number < b.number ? -1 : a.number > b.number;
}

bool value_equal(const struct text_pool *pool, struct value a, struct value b) {
    (void)pool; /* texts are interned */
    if (is_number(a) && is_number(b) && (a.kind == VALUE_BOOL) == (b.kind == VALUE_BOOL))
        return compare_numbers(a, b) == 0;
    return a.kind == b.kind && (a.kind == VALUE_NULL || a.number == b.number);
}

/* Drops trailing zeros of `number` down to `scale_min` digits after the point; more than
 * SCALE_MAX digits are rounded half away from zero. False if the rest doesn't fit. */
static bool decimal_result(wide number, unsigned scale, unsigned scale_min, struct value *result) {
    while (scale > scale_min && number % 10 == 0) {
        number /= 10;
        scale--;
    }
    if (scale > SCALE_MAX) {
        wide unit = power_of_ten(scale - SCALE_MAX);
        number = (number + (number < 0 ? -unit / 2 : unit / 2)) / unit;
        scale = SCALE_MAX;
    }
    if (number > INT64_MAX || number < INT64_MIN)
        return false;
    *result = value_decimal((int64_t)number, (uint8_t)scale);
    return true;
}

/* As many digits as fit, up to DIVISION_DIGITS more than the operands have. */
static bool decimal_divide(struct value a, struct value b, struct value *result) {
    unsigned operand_scale = a.scale > b.scale ? a.scale : b.scale;
    unsigned scale = operand_scale + DIVISION_DIGITS;
    if (scale > SCALE_MAX)
        scale = SCALE_MAX;
    wide divisor = b.number;
    for (;; scale--) {
        /* a / 10^sa / (b / 10^sb) = q / 10^scale, so q = a * 10^(scale + sb - sa) / b */
        int shift = (int)scale + b.scale - a.scale;
        if (shift < 0)
            return false;
        bool fits = shift <= 19; /* 2^63 * 10^19 < 2^127 */
        wide dividend = fits ? (wide)a.number * power_of_ten((unsigned)shift) : 0;
        wide quotient = dividend / divisor, rest = dividend % divisor;
        wide half = (rest < 0 ? -rest : rest) * 2, whole = divisor < 0 ? -divisor : divisor;
        if (half >= whole)
            quotient += (a.number < 0) == (b.number < 0) ? 1 : -1;
        unsigned scale_min = operand_scale < scale ? operand_scale : scale;
        if (fits && decimal_result(quotient, scale, scale_min, result))
            return true;
        if (scale == 0)
            return false;
    }
}

static bool int_result(wide number, struct value *result) {
    if (number > INT64_MAX || number < INT64_MIN)
        return false;
    *result = value_int((int64_t)number);
    return true;
}

static bool arith_int(enum value_op op, wide a, wide b, struct value *result) {
    switch (op) {
    case VALUE_ADD:
        return int_result(a + b, result);
    case VALUE_SUB:
        return int_result(a - b, result);
    case VALUE_MUL:
        return int_result(a * b, result);
    case VALUE_DIV:
        return b != 0 && int_result(a / b, result);
    case VALUE_MOD:
        return b != 0 && int_result(a % b, result);
    }
    LW_UNREACHABLE();
}

bool value_arith(enum value_op op, struct value a, struct value b, bool integer_division,
                 struct value *result) {
    if (a.kind == VALUE_NULL || b.kind == VALUE_NULL) {
        *result = value_null();
        return true;
    }
    if (!is_number(a) || !is_number(b))
        return false;
    bool is_decimal = a.kind == VALUE_DECIMAL || b.kind == VALUE_DECIMAL;
    if (!is_decimal && (op != VALUE_DIV || integer_division))
        return arith_int(op, a.number, b.number, result);
    unsigned scale = a.scale > b.scale ? a.scale : b.scale;
    wide left = scaled(a, scale), right = scaled(b, scale);
    switch (op) {
    case VALUE_ADD:
        return decimal_result(left + right, scale, scale, result);
    case VALUE_SUB:
        return decimal_result(left - right, scale, scale, result);
    case VALUE_MUL:
        return decimal_result((wide)a.number * b.number, a.scale + b.scale, scale, result);
    case VALUE_DIV:
        return b.number != 0 && decimal_divide(a, b, result);
    case VALUE_MOD:
        return right != 0 && decimal_result(left % right, scale, scale, result);
    }
    LW_UNREACHABLE();
}

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar, and back. A year begins in
 * March here, so that the leap day is its last. */
static int64_t days_of_date(int64_t year, int64_t month, int64_t day) {
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400, year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

static void date_of_days(int64_t days, int64_t *year, int64_t *month, int64_t *day) {
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097, day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    *day = day_of_year - (153 * shifted + 2) / 5 + 1;
    *month = shifted < 10 ? shifted + 3 : shifted - 9;
    *year = year_of_era + era * 400 + (*month <= 2);
}

/* Takes `digits` decimal digits off the front of `*text`. */
static bool take_digits(struct str *text, size_t digits, int64_t *number) {
    if (text->len < digits)
        return false;
    *number = 0;
    for (size_t i = 0; i < digits; i++) {
        if (text->ptr[i] < '0' || text->ptr[i] > '9')
            return false;
        *number = *number * 10 + (text->ptr[i] - '0');
    }
    *text = str_sub(*text, digits, text->len);
    return true;
}

static bool take_char(struct str *text, char byte) {
    if (text->len == 0 || text->ptr[0] != byte)
        return false;
    *text = str_sub(*text, 1, text->len);
    return true;
}

static bool take_date(struct str *text, int64_t *days) {
    static const int days_in_month[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t year, month, day;
    if (!take_digits(text, 4, &year) || !take_char(text, '-') || !take_digits(text, 2, &month) ||
        !take_char(text, '-') || !take_digits(text, 2, &day))
        return false;
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (month < 1 || month > 12 || day < 1 ||
        day > days_in_month[month - 1] + (month == 2 && is_leap))
        return false;
    *days = days_of_date(year, month, day);
    return true;
}

static bool take_clock(struct str *text, int64_t *microseconds) {
    int64_t hour, minute, second = 0, fraction = 0;
    if (!take_digits(text, 2, &hour) || !take_char(text, ':') || !take_digits(text, 2, &minute))
        return false;
    if (take_char(text, ':')) {
        if (!take_digits(text, 2, &second))
            return false;
        if (take_char(text, '.')) {
            int64_t unit = US_PER_SECOND / 10, digit;
            size_t before = text->len;
            for (; unit > 0 && take_digits(text, 1, &digit); unit /= 10)
                fraction += digit * unit;
            if (text->len == before)
                return false;
        }
    }
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    *microseconds = ((hour * 60 + minute) * 60 + second) * US_PER_SECOND + fraction;
    return true;
}

/* `Z`, `+02`, `+0200` or `+02:00`. */
static bool take_zone(struct str *text, int64_t *microseconds) {
    *microseconds = 0;
    if (text->len == 0 || take_char(text, 'Z'))
        return true;
    int64_t hours, minutes = 0;
    bool is_east = take_char(text, '+');
    if ((!is_east && !take_char(text, '-')) || !take_digits(text, 2, &hours))
        return false;
    if ((take_char(text, ':') || text->len > 0) && !take_digits(text, 2, &minutes))
        return false;
    if (hours > 15 || minutes > 59)
        return false;
    *microseconds = (hours * 60 + minutes) * 60 * US_PER_SECOND * (is_east ? -1 : 1);
    return true;
}

bool value_parse_time(struct str text, struct value *time) {
    int64_t days, clock = 0, zone = 0;
    if (!take_date(&text, &days))
        return false;
    if ((take_char(&text, ' ') || take_char(&text, 'T')) &&
        (!take_clock(&text, &clock) || !take_zone(&text, &zone)))
        return false;
    if (text.len > 0)
        return false;
    *time = value_time(days * US_PER_DAY + clock + zone);
    return true;
}

bool value_time_text(struct value time, struct buf *out) {
    LW_ASSERT(time.kind == VALUE_TIME);
    int64_t days = time.number / US_PER_DAY, rest = time.number % US_PER_DAY;
    if (rest < 0) {
        rest += US_PER_DAY;
        days--;
    }
    int64_t year, month, day;
    date_of_days(days, &year, &month, &day);
    if (year < 0 || year > YEAR_MAX)
        return false;
    int64_t seconds = rest / US_PER_SECOND, fraction = rest % US_PER_SECOND;
    buf_printf(out, "%04d-%02d-%02d %02d:%02d:%02d", (int)year, (int)month, (int)day,
               (int)(seconds / 3600), (int)(seconds / 60 % 60), (int)(seconds % 60));
    if (fraction > 0)
        buf_printf(out, ".%06d", (int)fraction);
    return true;
}

static void print_decimal(struct value value, struct buf *out) {
    uint64_t digits = value.number < 0 ? 0 - (uint64_t)value.number : (uint64_t)value.number;
    uint64_t unit = (uint64_t)power_of_ten(value.scale);
    if (value.number < 0)
        buf_add_char(out, '-');
    buf_printf(out, "%" PRIu64, digits / unit);
    if (value.scale > 0)
        buf_printf(out, ".%0*" PRIu64, (int)value.scale, digits % unit);
}

static void print_text(struct str text, struct buf *out) {
    buf_add_char(out, '\'');
    for (size_t from = 0; from < text.len;) {
        size_t quote = str_find(text, '\'', from);
        buf_add(out, str_sub(text, from, quote));
        if (quote < text.len)
            buf_add_c(out, "''");
        from = quote + 1;
    }
    buf_add_char(out, '\'');
}

static void print_time(struct value value, struct buf *out) {
    size_t before = out->len;
    buf_add_char(out, '\'');
    if (value.origin == 0 && value_time_text(value, out)) {
        buf_add_char(out, '\'');
        return;
    }
    out->len = before;
    buf_printf(out, "%" PRId64, value.number);
}

void value_print(const struct text_pool *pool, struct value value, struct buf *out) {
    switch ((enum value_kind)value.kind) {
    case VALUE_NULL:
        buf_add_c(out, "NULL");
        return;
    case VALUE_BOOL:
        buf_add_c(out, value.number != 0 ? "true" : "false");
        return;
    case VALUE_INT:
        buf_printf(out, "%" PRId64, value.number);
        return;
    case VALUE_DECIMAL:
        print_decimal(value, out);
        return;
    case VALUE_TEXT:
        print_text(text_pool_get(pool, value.number), out);
        return;
    case VALUE_TIME:
        print_time(value, out);
        return;
    }
    LW_UNREACHABLE();
}
