/* The inside of literals: escapes of strings, digits of numbers. What is decoded is never longer than what
 * it is decoded from. */
#include "python/value.h"

#include "base/utf8.h"

#include "base/assert.h"
#include "python/parser.h"

#include <ctype.h>
#include <stdlib.h>

/* `count` hexadecimal digits at `text`, or -1. */
static int64_t hex_value(const char *text, size_t count) {
    int64_t value = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned char c = (unsigned char)text[i];
        if (!isxdigit(c))
            return -1;
        value = value * 16 + (isdigit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

static size_t hex_count(char escape) {
    return escape == 'x' ? 2 : escape == 'u' ? 4 : 8;
}

/* What the names of characters are made of. */
static bool is_in_name(char c) {
    return isalnum((unsigned char)c) || c == ' ' || c == '-';
}

bool py_check_escapes(struct py_parser *p, uint32_t start, uint32_t end, bool is_bytes) {
    const char *text = p->lexer.text;
    for (uint32_t at = start; at + 1 < end; at++) {
        if (text[at] != '\\')
            continue;
        char escape = text[at + 1];
        if (escape == 'x' || (!is_bytes && (escape == 'u' || escape == 'U'))) {
            /* The text is followed by a quote or NUL, so reading on stops in time. */
            int64_t value = hex_value(text + at + 2, hex_count(escape));
            if (value < 0)
                return py_fail(&p->lexer, at, "truncated \\%c escape", escape);
            if (value > 0x10ffff)
                return py_fail(&p->lexer, at, "illegal Unicode character in \\U escape");
        } else if (!is_bytes && escape == 'N') {
            uint32_t close = at + 3;
            while (close < end && is_in_name(text[close]))
                close++;
            if (text[at + 2] != '{' || close >= end || text[close] != '}' || close == at + 3)
                return py_fail(&p->lexer, at, "malformed \\N character escape");
        }
        at++;
    }
    return true;
}

/* Where the input stands and where the output goes. */
struct decoder {
    const char *at, *end;
    char *out;
    bool is_bytes, is_exact;
};

static void put(struct decoder *d, uint32_t point) {
    if (d->is_bytes)
        *d->out++ = (char)point;
    else
        d->out = utf8_put(d->out, point);
}

static void decode_octal(struct decoder *d) {
    uint32_t value = 0;
    for (int i = 0; i < 3 && d->at < d->end && *d->at >= '0' && *d->at <= '7'; i++)
        value = value * 8 + (uint32_t)(*d->at++ - '0');
    put(d, value);
}

/* Behind a backslash. */
static void decode_escape(struct decoder *d) {
    static const char simple[][2] = {{'\\', '\\'}, {'\'', '\''}, {'"', '"'},  {'a', '\a'},
                                     {'b', '\b'},  {'f', '\f'},  {'n', '\n'}, {'r', '\r'},
                                     {'t', '\t'},  {'v', '\v'}};
    char escape = *d->at;
    for (size_t i = 0; i < LW_COUNT_OF(simple); i++) {
        if (simple[i][0] == escape) {
            *d->out++ = simple[i][1];
            d->at++;
            return;
        }
    }
    if (escape == '\n' || escape == '\r') {
        d->at += escape == '\r' && d->at + 1 < d->end && d->at[1] == '\n' ? 2 : 1;
    } else if (escape >= '0' && escape <= '7') {
        decode_octal(d);
    } else if (escape == 'x' || (!d->is_bytes && (escape == 'u' || escape == 'U'))) {
        size_t count = hex_count(escape);
        int64_t value = (size_t)(d->end - d->at) > count ? hex_value(d->at + 1, count) : -1;
        LW_ASSERT(value >= 0); /* py_check_escapes saw to it */
        put(d, (uint32_t)value);
        d->at += 1 + count;
    } else if (!d->is_bytes && escape == 'N') {
        while (*d->at != '}')
            d->at++;
        d->at++;
        d->is_exact = false;
        put(d, 0xfffd);
    } else {
        *d->out++ = '\\';
    }
}

struct str py_decode(struct arena *arena, struct str text, bool is_raw, bool is_bytes,
                     bool *is_exact) {
    bool has_backslash = !is_raw && text.len > 0 && memchr(text.ptr, '\\', text.len) != NULL;
    if (!has_backslash && (text.len == 0 || memchr(text.ptr, '\r', text.len) == NULL))
        return text;
    char *start = arena_alloc(arena, text.len + 1);
    struct decoder d = {text.ptr, text.ptr + text.len, start, is_bytes, true};
    while (d.at < d.end) {
        char c = *d.at++;
        if (c == '\\' && !is_raw && d.at < d.end) {
            decode_escape(&d);
        } else if (c == '\r') {
            d.at += d.at < d.end && *d.at == '\n';
            *d.out++ = '\n';
        } else {
            *d.out++ = c;
        }
    }
    LW_ASSERT(d.out <= start + text.len);
    if (!d.is_exact)
        *is_exact = false;
    return (struct str){start, (size_t)(d.out - start)};
}

/* The next literal of `text` at or after `*at`: what stands between its quotes. False at the end. */
static bool next_literal(struct str text, size_t *at, struct str *inside, bool *is_raw) {
    size_t i = *at;
    while (i < text.len && !isalpha((unsigned char)text.ptr[i]) && text.ptr[i] != '"' &&
           text.ptr[i] != '\'') {
        if (text.ptr[i] == '#')
            while (i < text.len && text.ptr[i] != '\n' && text.ptr[i] != '\r')
                i++;
        else
            i++;
    }
    if (i >= text.len)
        return false;
    for (*is_raw = false; isalpha((unsigned char)text.ptr[i]); i++)
        *is_raw |= (text.ptr[i] | 0x20) == 'r';
    char quote = text.ptr[i];
    size_t quote_len =
        i + 2 < text.len && text.ptr[i + 1] == quote && text.ptr[i + 2] == quote ? 3 : 1;
    size_t from = i + quote_len, to = from;
    while (to < text.len) {
        if (text.ptr[to] == '\\')
            to++;
        else if (text.ptr[to] == quote &&
                 (quote_len == 1 || (text.ptr[to + 1] == quote && text.ptr[to + 2] == quote)))
            break;
        to++;
    }
    LW_ASSERT(to + quote_len <= text.len);
    *inside = str_sub(text, from, to);
    *at = to + quote_len;
    return true;
}

bool py_string_value(struct arena *arena, const struct py_node *constant, struct str *value) {
    LW_ASSERT(constant->kind == PY_Constant);
    LW_ASSERT(constant->constant == PY_CONST_Str || constant->constant == PY_CONST_Bytes);
    *value = constant->Constant.text;
    if ((constant->form & PY_STRING_DECODED) != 0)
        return (constant->form & PY_STRING_INEXACT) == 0;
    bool is_bytes = constant->constant == PY_CONST_Bytes, is_raw, is_exact = true;
    struct str text = constant->Constant.text, inside;
    size_t at = 0;
    next_literal(text, &at, &inside, &is_raw);
    *value = py_decode(arena, inside, is_raw, is_bytes, &is_exact);
    if (at == text.len)
        return is_exact;
    char *joined = arena_alloc(arena, text.len);
    memcpy(joined, value->ptr, value->len);
    size_t len = value->len;
    while (next_literal(text, &at, &inside, &is_raw)) {
        struct str more = py_decode(arena, inside, is_raw, is_bytes, &is_exact);
        memcpy(joined + len, more.ptr, more.len);
        len += more.len;
    }
    *value = (struct str){joined, len};
    return is_exact;
}

/* The digits without underscores, as a C string of at most `capacity` - 1; false if there are more. */
static bool plain_digits(struct str text, char *out, size_t capacity) {
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '_')
            continue;
        if (len + 1 >= capacity)
            return false;
        out[len++] = text.ptr[i];
    }
    out[len] = '\0';
    return true;
}

bool py_int_value(const struct py_node *constant, int64_t *value) {
    LW_ASSERT(constant->kind == PY_Constant && constant->constant == PY_CONST_Int);
    struct str text = constant->Constant.text;
    char second = (char)(text.len > 1 ? text.ptr[1] | 0x20 : '0');
    int base = second == 'x' ? 16 : second == 'o' ? 8 : second == 'b' ? 2 : 10;
    uint64_t sum = 0;
    for (size_t i = base == 10 ? 0 : 2; i < text.len; i++) {
        if (text.ptr[i] == '_')
            continue;
        uint64_t digit = (uint64_t)hex_value(text.ptr + i, 1);
        LW_ASSERT(digit < (uint64_t)base);
        if (sum > (INT64_MAX - digit) / (uint64_t)base)
            return false;
        sum = sum * (uint64_t)base + digit;
    }
    *value = (int64_t)sum;
    return true;
}

double py_float_value(const struct py_node *constant) {
    LW_ASSERT(constant->kind == PY_Constant);
    LW_ASSERT(constant->constant == PY_CONST_Float || constant->constant == PY_CONST_Complex);
    char few[128], *digits = few;
    struct str text = constant->Constant.text;
    if (!plain_digits(text, few, sizeof(few))) {
        digits = mem_alloc(text.len + 1);
        plain_digits(text, digits, text.len + 1);
    }
    double value = strtod(digits, NULL); /* stops at the j of an imaginary number */
    if (digits != few)
        free(digits);
    return value;
}
