/* A slice of bytes that somebody else owns: a file's text, an arena, a literal. Not terminated by NUL,
 * may hold NUL bytes, is passed by value. The empty slice may have a NULL pointer.
 */
#ifndef LW_BASE_STR_H
#define LW_BASE_STR_H

#include "base/arena.h"
#include "base/assert.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *ptr;
    size_t len; /* bytes */
};

/* For string literals: STR("save"). */
#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
/* For printf: printf("%.*s", STR_ARG(name)). */
#define STR_ARG(s) (int)(s).len, (s).ptr

/* The slice over a NUL-terminated string, which must outlive it; NULL gives the empty slice. */
static inline struct str str_from_c(const char *c_string) {
    return (struct str){c_string, c_string != NULL ? strlen(c_string) : 0};
}

/* Bytes [from, to) of `s`; the bounds are asserted. */
static inline struct str str_sub(struct str s, size_t from, size_t to) {
    LW_ASSERT(from <= to && to <= s.len);
    return (struct str){s.ptr != NULL ? s.ptr + from : NULL, to - from};
}

static inline bool str_equal(struct str a, struct str b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* The same, ASCII letters compared without case. */
bool str_equal_nocase(struct str a, struct str b);
/* Against a NUL-terminated string. */
static inline bool str_is(struct str s, const char *c_string) {
    return str_equal(s, str_from_c(c_string));
}

/* Whether it is one of `count` names. */
bool str_is_one_of(struct str s, const char *const *names, size_t count);
#define STR_IS_ONE_OF(s, ...)                                                                      \
    str_is_one_of((s), (const char *const[]){__VA_ARGS__},                                         \
                  sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))
static inline bool str_starts(struct str s, const char *prefix) {
    size_t len = strlen(prefix);
    return s.len >= len && (len == 0 || memcmp(s.ptr, prefix, len) == 0);
}

static inline bool str_ends(struct str s, const char *suffix) {
    size_t len = strlen(suffix);
    return s.len >= len && (len == 0 || memcmp(s.ptr + s.len - len, suffix, len) == 0);
}

/* Byte order, shorter first on a tie: <0, 0, >0 as memcmp. */
int str_compare(struct str a, struct str b);

/* The byte position of `byte` at or after `from`, or `s.len` if there is none. */
size_t str_find(struct str s, char byte, size_t from);

/* A copy in the arena, with a NUL byte after its end that is not counted. */
struct str str_dup(struct arena *arena, struct str s);

/* A NUL-terminated copy in the arena. */
char *str_to_c(struct arena *arena, struct str s);

/* printf into the arena. */
struct str str_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The value of a hexadecimal digit of either case; -1: it is none. */
int hex_digit(int byte);

/* FNV-1a over the bytes. */
uint64_t str_hash(struct str s);

#endif
