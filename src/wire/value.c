#include "wire/value.h"

#include <math.h>
#include <stdlib.h>

/* Days of the civil calendar in eras of 400 years that begin on March 1st. */
enum { ERA_DAYS = 146097, EPOCH_DAYS = 719468 };

int64_t value_days_of(int64_t year, unsigned month, unsigned day) {
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * ERA_DAYS + day_of_era - EPOCH_DAYS;
}

void value_add_date(struct buf *out, int64_t days) {
    days += EPOCH_DAYS;
    int64_t era = (days >= 0 ? days : days - ERA_DAYS + 1) / ERA_DAYS;
    int64_t day_of_era = days - era * ERA_DAYS;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    int64_t day = day_of_year - (153 * month + 2) / 5 + 1;
    month += month < 10 ? 3 : -9;
    int64_t year = year_of_era + era * 400 + (month <= 2);
    bool is_before_christ = year <= 0;
    buf_printf(out, "%04lld-%02d-%02d", (long long)(is_before_christ ? 1 - year : year),
               (int)month, (int)day);
}

void value_add_time(struct buf *out, int64_t us) {
    int64_t seconds = us / 1000000;
    int fraction = (int)(us % 1000000);
    buf_printf(out, "%02lld:%02d:%02d", (long long)(seconds / 3600), (int)(seconds / 60 % 60),
               (int)(seconds % 60));
    if (fraction == 0)
        return;
    buf_printf(out, ".%06d", fraction);
    while (out->ptr[out->len - 1] == '0')
        out->ptr[--out->len] = '\0';
}

struct decimal {
    char digits[24];
    int count;    /* of digits, without trailing zeros */
    int exponent; /* of the first */
};

static struct decimal decimal_of(const char *printed) {
    /* d.ddde+xx */
    struct decimal d = {{0}, 0, 0};
    const char *at = printed;
    for (; *at != 'e' && *at != '\0'; at++)
        if (*at >= '0' && *at <= '9' && d.count < 20)
            d.digits[d.count++] = *at;
    d.exponent = *at == 'e' ? atoi(at + 1) : 0;
    while (d.count > 1 && d.digits[d.count - 1] == '0')
        d.count--;
    return d;
}

static void add_decimal(struct buf *out, const struct decimal *d, bool is_scientific,
                        enum value_float_style style) {
    if (is_scientific) {
        buf_add_char(out, d->digits[0]);
        if (d->count > 1) {
            buf_add_char(out, '.');
            buf_add(out, (struct str){d->digits + 1, (size_t)d->count - 1});
        }
        buf_printf(out, style == VALUE_POSTGRESQL ? "e%+03d" : "e%d", d->exponent);
        return;
    }
    if (d->exponent < 0) {
        buf_add_c(out, "0.");
        buf_add_repeat(out, '0', (size_t)(-d->exponent - 1));
        buf_add(out, (struct str){d->digits, (size_t)d->count});
        return;
    }
    for (int i = 0; i < d->count || i <= d->exponent; i++) {
        if (i == d->exponent + 1)
            buf_add_char(out, '.');
        buf_add_char(out, i < d->count ? d->digits[i] : '0');
    }
}

static bool add_special(struct buf *out, double number) {
    if (isnan(number))
        buf_add_c(out, "NaN");
    else if (isinf(number))
        buf_add_c(out, number < 0 ? "-Infinity" : "Infinity");
    else if (number == 0)
        buf_add_c(out, signbit(number) ? "-0" : "0");
    else
        return false;
    return true;
}

void value_add_double(struct buf *out, double number, enum value_float_style style) {
    char text[40];
    if (add_special(out, number))
        return;
    for (int precision = 14; precision < 17; precision++) {
        snprintf(text, sizeof(text), "%.*e", precision, fabs(number));
        if (strtod(text, NULL) == fabs(number))
            break;
    }
    struct decimal d = decimal_of(text);
    if (number < 0)
        buf_add_char(out, '-');
    bool is_scientific = style == VALUE_POSTGRESQL ? d.exponent < -4 || d.exponent >= 15
                                                   : d.exponent < -15 || d.exponent >= 15;
    add_decimal(out, &d, is_scientific, style);
}

void value_add_float(struct buf *out, float number, enum value_float_style style) {
    char text[40];
    if (add_special(out, (double)number))
        return;
    /* MySQL prints FLOAT with FLT_DIG digits, whether that is the same number or not. */
    for (int precision = 5; precision < 9; precision++) {
        snprintf(text, sizeof(text), "%.*e", precision, fabs((double)number));
        if (style == VALUE_MYSQL || strtof(text, NULL) == fabsf(number))
            break;
    }
    struct decimal d = decimal_of(text);
    if (number < 0)
        buf_add_char(out, '-');
    bool is_scientific = style == VALUE_POSTGRESQL ? d.exponent < -4 || d.exponent >= 6
                                                   : d.exponent < -15 || d.exponent >= 15;
    add_decimal(out, &d, is_scientific, style);
}
