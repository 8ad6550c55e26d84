/* The conversions that stand in most formats (%s, %.*s, %c, %d, %u, %zu, %%) are done here; a format with any other is
 * vsnprintf's. */
#include "base/format.h"

#include "base/assert.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct output {
    char *to;
    size_t room, len;
};

static void put(struct output *out, const char *bytes, size_t count) {
    if (out->len + 1 < out->room && count > 0) {
        size_t fits = out->room - out->len - 1;
        memcpy(out->to + out->len, bytes, count < fits ? count : fits);
    }
    out->len += count;
}

static void put_number(struct output *out, size_t number, bool is_negative) {
    char digits[24];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    if (is_negative)
        digits[--at] = '-';
    put(out, digits + at, sizeof(digits) - at);
}

/* At most `max` bytes, up to a NUL. */
static void put_text(struct output *out, const char *text, int max) {
    const char *end = max > 0 ? memchr(text, '\0', (size_t)max) : text;
    put(out, text, end != NULL ? (size_t)(end - text) : (size_t)max);
}

/* One conversion, behind its `%`. How long it is; 0: none of those done here. */
static size_t put_conversion(struct output *out, const char *at, va_list *args) {
    switch (*at) {
    case '%':
        put(out, at, 1);
        return 1;
    case 'c': {
        char byte = (char)va_arg(*args, int);
        put(out, &byte, 1);
        return 1;
    }
    case 's': {
        const char *text = va_arg(*args, const char *);
        put(out, text, strlen(text));
        return 1;
    }
    case 'd': {
        int number = va_arg(*args, int);
        put_number(out, number < 0 ? 0 - (size_t)number : (size_t)number, number < 0);
        return 1;
    }
    case 'u':
        put_number(out, va_arg(*args, unsigned), false);
        return 1;
    case 'z':
        if (at[1] != 'u')
            return 0;
        put_number(out, va_arg(*args, size_t), false);
        return 2;
    case '.': {
        if (at[1] != '*' || at[2] != 's')
            return 0;
        int max = va_arg(*args, int);
        put_text(out, va_arg(*args, const char *), max);
        return 3;
    }
    default:
        return 0;
    }
}

size_t text_format(char *to, size_t room, const char *format, va_list args) {
    struct output out = {to, room, 0};
    struct { va_list list; } at; /* a va_list that is a parameter may be a pointer: this one is none */
    va_copy(at.list, args);
    for (const char *p = format; *p != '\0';) {
        const char *end = p;
        while (*end != '\0' && *end != '%')
            end++;
        put(&out, p, (size_t)(end - p));
        p = end;
        if (*p == '\0')
            break;
        size_t len = put_conversion(&out, p + 1, &at.list);
        if (len == 0) {
            va_end(at.list);
            int all = vsnprintf(to, room, format, args);
            LW_ASSERT(all >= 0);
            return (size_t)all;
        }
        p += 1 + len;
    }
    va_end(at.list);
    if (room > 0)
        to[out.len < room ? out.len : room - 1] = '\0';
    return out.len;
}
