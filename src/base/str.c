#include "base/str.h"

#include "base/assert.h"
#include "base/format.h"

#include <stdarg.h>

enum { SHORT_BYTES = 256 }; /* what is printed mostly fits */

static char ascii_lower(char byte) {
    return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

bool str_equal_nocase(struct str a, struct str b) {
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (ascii_lower(a.ptr[i]) != ascii_lower(b.ptr[i]))
            return false;
    return true;
}

bool str_is_one_of(struct str s, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++)
        if ((s.len == 0 || names[i][0] == s.ptr[0]) && str_is(s, names[i]))
            return true;
    return false;
}

int str_compare(struct str a, struct str b) {
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter > 0 ? memcmp(a.ptr, b.ptr, shorter) : 0;
    if (order != 0)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

size_t str_find(struct str s, char byte, size_t from) {
    if (from >= s.len)
        return s.len;
    const char *hit = memchr(s.ptr + from, byte, s.len - from);
    return hit != NULL ? (size_t)(hit - s.ptr) : s.len;
}

char *str_to_c(struct arena *arena, struct str s) {
    char *copy = arena_alloc(arena, s.len + 1);
    if (s.len > 0)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return copy;
}

struct str str_dup(struct arena *arena, struct str s) {
    return (struct str){str_to_c(arena, s), s.len};
}

struct str str_printf(struct arena *arena, const char *format, ...) {
    char few[SHORT_BYTES];
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    size_t len = text_format(few, sizeof(few), format, args);
    va_end(args);
    char *text = arena_alloc(arena, len + 1);
    if (len < sizeof(few))
        memcpy(text, few, len + 1);
    else
        text_format(text, len + 1, format, again);
    va_end(again);
    return (struct str){text, len};
}

/* Eight bytes at a time: outcomes of runs, some kilobytes long, are looked up by it. */
int hex_digit(int byte) {
    return byte >= '0' && byte <= '9'   ? byte - '0'
           : byte >= 'a' && byte <= 'f' ? byte - 'a' + 10
           : byte >= 'A' && byte <= 'F' ? byte - 'A' + 10
                                        : -1;
}

uint64_t str_hash(struct str s) {
    const uint64_t odd = 0x9e3779b97f4a7c15u;
    uint64_t hash = s.len * odd, word;
    size_t i = 0;
    for (; i + sizeof(word) <= s.len; i += sizeof(word)) {
        memcpy(&word, s.ptr + i, sizeof(word));
        hash = (hash ^ word) * odd;
        hash ^= hash >> 32;
    }
    for (word = 0; i < s.len; i++)
        word = word << 8 | (unsigned char)s.ptr[i];
    hash = (hash ^ word) * odd;
    return hash ^ hash >> 32;
}
