/* Numbers as texts: integers, DECIMAL's base of a thousand million, and the shortest text of a floating-point number. */
#include "base/assert.h"
#include "binlog/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { INTEGER_DIGITS_MAX = 20, DECIMAL_DIGITS_MAX = 81 };

struct str number_unsigned(struct arena *arena, uint64_t value) {
    char digits[INTEGER_DIGITS_MAX];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    return (struct str){arena_copy(arena, digits + at, sizeof(digits) - at), sizeof(digits) - at};
}

struct str number_signed(struct arena *arena, int64_t value) {
    if (value >= 0)
        return number_unsigned(arena, (uint64_t)value);
    char digits[INTEGER_DIGITS_MAX + 1];
    size_t at = sizeof(digits);
    uint64_t left = 0 - (uint64_t)value;
    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    digits[--at] = '-';
    return (struct str){arena_copy(arena, digits + at, sizeof(digits) - at), sizeof(digits) - at};
}

/* A number in the form `1.25e-07` as MySQL writes it: plain as long as no more than 15 digits stand before the point and 14 zeros
 * behind it, else with the point behind the first digit and a bare exponent. */
static struct str in_server_form(struct arena *arena, const char *scientific) {
    enum { PLAIN_DIGITS_MAX = 15 };
    char digits[32];
    size_t count = 0;
    const char *at = scientific;
    bool is_negative = *at == '-';
    for (at += is_negative; *at != 'e' && *at != '\0'; at++)
        if (*at != '.' && count < sizeof(digits))
            digits[count++] = *at;
    int point = (int)strtol(*at == 'e' ? at + 1 : "0", NULL, 10) + 1; /* digits before it */
    while (count > 1 && digits[count - 1] == '0')
        count--;
    char text[64];
    size_t len = 0;
    if (is_negative)
        text[len++] = '-';
    if (point < 1 - PLAIN_DIGITS_MAX || point > PLAIN_DIGITS_MAX) {
        text[len++] = digits[0];
        if (count > 1)
            text[len++] = '.';
        memcpy(text + len, digits + 1, count - 1);
        len += count - 1;
        len += (size_t)snprintf(text + len, sizeof(text) - len, "e%d", point - 1);
    } else {
        if (point <= 0)
            text[len++] = '0';
        for (int i = 0; i < point; i++)
            text[len++] = (size_t)i < count ? digits[i] : '0';
        if ((int)count > point)
            text[len++] = '.';
        for (int i = point; i < 0; i++)
            text[len++] = '0';
        for (int i = point > 0 ? point : 0; i < (int)count; i++)
            text[len++] = digits[i];
    }
    LW_ASSERT(len < sizeof(text));
    return (struct str){arena_copy(arena, text, len), len};
}

struct str number_double(struct arena *arena, double value) {
    if (value == 0)
        return signbit(value) ? STR("-0") : STR("0");
    if (fabs(value) < 1e15 && value == (double)(int64_t)value)
        return number_signed(arena, (int64_t)value);
    if (!isfinite(value))
        return isnan(value) ? STR("nan") : value < 0 ? STR("-inf") : STR("inf");
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*e", digits - 1, value);
        if (strtod(text, NULL) == value)
            break;
    }
    return in_server_form(arena, text);
}

struct str number_float(struct arena *arena, float value) {
    if (value == 0)
        return signbit(value) ? STR("-0") : STR("0");
    if (!isfinite(value))
        return number_double(arena, (double)value);
    char text[40];
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, sizeof(text), "%.*e", digits - 1, (double)value);
        if (strtof(text, NULL) == value)
            break;
    }
    return in_server_form(arena, text);
}

/* Nine digits take four bytes; fewer, at the ends, what they need. */
static const uint8_t group_bytes[] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};

size_t decimal_size(unsigned precision, unsigned scale) {
    unsigned whole = precision - scale;
    return whole / 9 * 4 + group_bytes[whole % 9] + scale / 9 * 4 + group_bytes[scale % 9];
}

/* Writes a group of `digits` digits; false if the number has more. */
static bool put_group(char *out, uint64_t value, unsigned digits) {
    for (unsigned i = digits; i-- > 0; value /= 10)
        out[i] = (char)('0' + value % 10);
    return value == 0;
}

/* https://dev.mysql.com/doc/dev/mysql-server/latest/, decimal2bin: big-endian, the first bit turned over, all of a negative one. */
bool decimal_text(struct arena *arena, unsigned precision, unsigned scale, struct str bytes,
                  struct str *text) {
    LW_ASSERT(precision <= DECIMAL_DIGITS_MAX && scale <= precision &&
              bytes.len == decimal_size(precision, scale));
    char copy[DECIMAL_DIGITS_MAX], digits[DECIMAL_DIGITS_MAX];
    memcpy(copy, bytes.ptr, bytes.len);
    bool is_negative = (copy[0] & 0x80) == 0;
    copy[0] = (char)(copy[0] ^ 0x80);
    for (size_t i = 0; is_negative && i < bytes.len; i++)
        copy[i] = (char)~copy[i];
    struct cursor in = cursor_of((struct str){copy, bytes.len});
    unsigned whole = precision - scale, done = 0;
    bool is_good = true;
    for (unsigned left = whole; left > 0; left = whole - done) {
        unsigned group = left % 9 != 0 ? left % 9 : 9;
        LW_ASSERT(done + group <= sizeof(digits));
        is_good = put_group(digits + done, cursor_be(&in, group_bytes[group]), group) && is_good;
        done += group;
    }
    for (unsigned left = scale; left > 0; left = precision - done) {
        unsigned group = left < 9 ? left : 9;
        LW_ASSERT(done + group <= sizeof(digits));
        is_good = put_group(digits + done, cursor_be(&in, group_bytes[group]), group) && is_good;
        done += group;
    }
    unsigned from = 0;
    while (from + 1 < whole && digits[from] == '0')
        from++;
    *text = str_printf(arena, "%s%s%.*s%s%.*s", is_negative ? "-" : "", whole == 0 ? "0" : "",
                       (int)(whole - from), digits + from, scale > 0 ? "." : "", (int)scale,
                       digits + whole);
    return is_good;
}
