/* Booleans, numbers, dates and times (TOML 1.0, "Integer" to "Local Time"). A word is everything up to a blank or a
 * character that ends a value; a date and a time behind it may have one blank between them. */
#include "toml/reader.h"

static bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

static bool is_base_digit(char byte, int base) {
    if (base == 16)
        return is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
    return byte >= '0' && byte < '0' + base;
}

/* Digits with single underscores between them, from `at`; where they end, or `at` if they are none. */
static size_t skip_digits(struct str word, size_t at, int base) {
    size_t from = at;
    while (at < word.len && (is_base_digit(word.ptr[at], base) ||
                             (word.ptr[at] == '_' && at > from && word.ptr[at - 1] != '_' &&
                              at + 1 < word.len && is_base_digit(word.ptr[at + 1], base))))
        at++;
    return at;
}

static bool has_sign(struct str word) {
    return word.len > 0 && (word.ptr[0] == '+' || word.ptr[0] == '-');
}

/* The value, if it fits. */
static void set_integer(struct str word, size_t at, int base, struct toml_value *value) {
    uint64_t number = 0, limit = (uint64_t)INT64_MAX + (word.ptr[0] == '-');
    value->kind = TOML_INTEGER;
    value->is_integer = true;
    for (; at < word.len; at++) {
        char byte = word.ptr[at];
        unsigned digit = is_digit(byte) ? (unsigned)(byte - '0') : ((unsigned)byte & 0xf) + 9;
        if (byte == '_')
            continue;
        if (number > (limit - digit) / (unsigned)base)
            value->is_integer = false;
        number = number * (unsigned)base + digit;
    }
    value->integer = word.ptr[0] == '-' ? (int64_t)(0 - number) : (int64_t)number;
}

static bool read_integer(struct str word, struct toml_value *value) {
    static const struct {
        const char *prefix;
        int base;
    } bases[] = {{"0x", 16}, {"0o", 8}, {"0b", 2}};
    for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
        if (!str_starts(word, bases[i].prefix))
            continue;
        set_integer(word, 2, bases[i].base, value);
        return word.len > 2 && skip_digits(word, 2, bases[i].base) == word.len;
    }
    size_t from = has_sign(word), end = skip_digits(word, from, 10);
    if (end == from || end < word.len || (word.ptr[from] == '0' && end > from + 1))
        return false;
    set_integer(word, from, 10, value);
    return true;
}

static bool is_float(struct str word) {
    size_t from = has_sign(word), at = skip_digits(word, from, 10);
    struct str name = str_sub(word, from, word.len);
    if (str_is(name, "inf") || str_is(name, "nan"))
        return true;
    if (at == from || (word.ptr[from] == '0' && at > from + 1))
        return false;
    if (at < word.len && word.ptr[at] == '.') {
        size_t digits = at + 1;
        at = skip_digits(word, digits, 10);
        if (at == digits)
            return false;
    }
    if (at < word.len && (word.ptr[at] == 'e' || word.ptr[at] == 'E')) {
        size_t digits = at + 1;
        digits += digits < word.len && (word.ptr[digits] == '+' || word.ptr[digits] == '-');
        at = skip_digits(word, digits, 10);
        if (at == digits)
            return false;
    }
    return at == word.len;
}

/* `count` digits at *at, which goes behind them. */
static bool take_number(struct str word, size_t *at, size_t count, int *number) {
    *number = 0;
    for (size_t i = 0; i < count; i++, ++*at) {
        if (*at >= word.len || !is_digit(word.ptr[*at]))
            return false;
        *number = *number * 10 + (word.ptr[*at] - '0');
    }
    return true;
}

static bool take_byte(struct str word, size_t *at, char byte) {
    bool is_there = *at < word.len && word.ptr[*at] == byte;
    *at += is_there;
    return is_there;
}

static bool take_date(struct str word, size_t *at) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day;
    if (!take_number(word, at, 4, &year) || !take_byte(word, at, '-') ||
        !take_number(word, at, 2, &month) || !take_byte(word, at, '-') ||
        !take_number(word, at, 2, &day) || year < 1 || month < 1 || month > 12)
        return false;
    bool is_leap = month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return day >= 1 && day <= days[month - 1] + is_leap;
}

static bool take_time(struct str word, size_t *at) {
    int hour, minute, second, fraction;
    if (!take_number(word, at, 2, &hour) || !take_byte(word, at, ':') ||
        !take_number(word, at, 2, &minute) || !take_byte(word, at, ':') ||
        !take_number(word, at, 2, &second) || hour > 23 || minute > 59 || second > 59)
        return false;
    if (!take_byte(word, at, '.'))
        return true;
    if (!take_number(word, at, 1, &fraction))
        return false;
    while (*at < word.len && is_digit(word.ptr[*at]))
        ++*at;
    return true;
}

static bool take_zone(struct str word, size_t *at) {
    int hour, minute;
    if (take_byte(word, at, 'Z') || take_byte(word, at, 'z'))
        return true;
    if (!take_byte(word, at, '+') && !take_byte(word, at, '-'))
        return true; /* a local time */
    return take_number(word, at, 2, &hour) && take_byte(word, at, ':') &&
           take_number(word, at, 2, &minute) && hour < 24 && minute < 60;
}

static bool is_date_time(struct str word) {
    size_t at = 0;
    if (word.len > 2 && word.ptr[2] == ':')
        return take_time(word, &at) && at == word.len;
    if (!take_date(word, &at))
        return false;
    if (at == word.len)
        return true;
    return (take_byte(word, &at, 'T') || take_byte(word, &at, 't') || take_byte(word, &at, ' ')) &&
           take_time(word, &at) && take_zone(word, &at) && at == word.len;
}

static bool ends_word(char byte) {
    return (unsigned char)byte <= ' ' || strchr(",]}#=[{\"'", byte) != NULL;
}

/* The word at the cursor; with the time behind a date. */
static struct str read_word(struct toml_reader *r) {
    enum { DATE_BYTES = 10 };
    size_t from = r->at;
    while (!ends_word(toml_peek(r, 0)))
        r->at++;
    size_t date = 0;
    struct str word = str_sub(r->text, from, r->at);
    bool is_date = word.len == DATE_BYTES && take_date(word, &date) && date == DATE_BYTES;
    if (is_date && toml_peek(r, 0) == ' ' && is_digit(toml_peek(r, 1))) {
        r->at++;
        while (!ends_word(toml_peek(r, 0)))
            r->at++;
    }
    return str_sub(r->text, from, r->at);
}

bool toml_read_scalar(struct toml_reader *r, struct toml_value *value) {
    struct str word = value->text = read_word(r);
    if (word.len == 0)
        return toml_fail(r, value->offset, "a value is wanted here");
    if (str_is(word, "true") || str_is(word, "false")) {
        value->kind = TOML_BOOLEAN;
        value->is_true = word.ptr[0] == 't';
        return true;
    }
    if (read_integer(word, value))
        return true;
    value->kind = is_float(word) ? TOML_FLOAT : TOML_DATE_TIME;
    if (value->kind == TOML_FLOAT || is_date_time(word))
        return true;
    return toml_fail(r, value->offset, "'%.*s' is no value; a string has quotes",
                     word.len > 40 ? 40 : (int)word.len, word.ptr);
}
