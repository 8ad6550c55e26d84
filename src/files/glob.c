/* After git's wildmatch.c (documented in gitignore(5), "PATTERN FORMAT"). There a star tries each length in turn, which
 * takes exponential time for many stars; here what has failed once, a place in the pattern at a place in the text, is
 * not tried again. */
#include "files/glob.h"

#include "base/arena.h"

#include <ctype.h>
#include <stdlib.h>

size_t glob_literal_len(struct str pattern) {
    size_t len = 0;
    while (len < pattern.len && strchr("*?[\\", pattern.ptr[len]) == NULL)
        len++;
    return len;
}

struct matcher {
    struct str pattern, text;
    unsigned char *has_failed; /* a bit for a place in the pattern and one in the text; NULL: no star yet */
};

static unsigned char at(struct str s, size_t i) {
    return i < s.len ? (unsigned char)s.ptr[i] : '\0';
}

static bool is_of_class(struct str name, unsigned char byte, bool *is_known) {
    static const struct {
        const char *name;
        int (*test)(int byte);
    } classes[] = {{"alnum", isalnum}, {"alpha", isalpha}, {"blank", isblank}, {"cntrl", iscntrl},
                   {"digit", isdigit}, {"graph", isgraph}, {"lower", islower}, {"print", isprint},
                   {"punct", ispunct}, {"space", isspace}, {"upper", isupper}, {"xdigit", isxdigit}};
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        if (str_is(name, classes[i].name))
            return byte < 0x80 && classes[i].test(byte) != 0;
    *is_known = false;
    return false;
}

/* `[:digit:]`, its '[' at p. Moves *p to its last byte. False: it is no class, but a '['. */
static bool read_class(struct str pattern, size_t *p, unsigned char byte, bool *has_matched,
                       bool *is_known) {
    size_t from = *p + 2, end = str_find(pattern, ']', from < pattern.len ? from : pattern.len);
    if (at(pattern, *p + 1) != ':' || end == pattern.len || end <= from || pattern.ptr[end - 1] != ':')
        return false;
    *has_matched |= is_of_class(str_sub(pattern, from, end - 1), byte, is_known);
    *p = end;
    return true;
}

/* Whether the brackets at *p have the byte; *p is then at the ']'. False too if there is none. */
static bool match_brackets(struct str pattern, size_t *p, unsigned char byte) {
    bool is_negated = at(pattern, *p + 1) == '!' || at(pattern, *p + 1) == '^';
    bool has_matched = false, is_known = true, is_first = true;
    unsigned char before = '\0';
    for (size_t i = *p + 1 + is_negated;; i++, is_first = false) {
        unsigned char c = at(pattern, i);
        if (i >= pattern.len || !is_known)
            return false;
        if (c == ']' && !is_first) {
            *p = i;
            return has_matched != is_negated && byte != '/';
        }
        if (c == '[' && read_class(pattern, &i, byte, &has_matched, &is_known)) {
            before = '\0';
            continue;
        }
        bool is_range = c == '-' && before != '\0' && i + 1 < pattern.len && at(pattern, i + 1) != ']';
        i += is_range;
        c = at(pattern, i);
        if (c == '\\')
            c = at(pattern, ++i);
        has_matched |= is_range ? before <= byte && byte <= c : byte == c;
        before = is_range ? '\0' : c;
    }
}

static bool match_from(struct matcher *m, size_t p, size_t t);

/* The stars at p. */
static bool match_stars(struct matcher *m, size_t p, size_t t) {
    size_t first = p;
    while (at(m->pattern, p) == '*')
        p++;
    unsigned char next = at(m->pattern, p);
    bool is_whole = (first == 0 || at(m->pattern, first - 1) == '/') &&
                    (p == m->pattern.len || next == '/' ||
                     (next == '\\' && at(m->pattern, p + 1) == '/'));
    bool takes_slash = p - first > 1 && is_whole;
    if (takes_slash && next == '/' && match_from(m, p + 1, t))
        return true; /* no folder at all */
    for (;; t++) {
        if (match_from(m, p, t))
            return true;
        if (t == m->text.len || (!takes_slash && m->text.ptr[t] == '/'))
            return false;
    }
}

/* The stars at p, unless they failed here before. */
static bool try_stars(struct matcher *m, size_t p, size_t t) {
    size_t place = p * (m->text.len + 1) + t;
    size_t byte_size = (m->pattern.len + 1) * (m->text.len + 1) / 8 + 1;
    if (m->has_failed == NULL) {
        m->has_failed = mem_alloc(byte_size);
        memset(m->has_failed, 0, byte_size);
    }
    if ((m->has_failed[place / 8] >> place % 8 & 1) != 0)
        return false;
    if (match_stars(m, p, t))
        return true;
    m->has_failed[place / 8] |= (unsigned char)(1 << place % 8);
    return false;
}

/* What stands at *p, which is no star, for one byte. *p is then at its end. */
static bool match_byte(struct str pattern, size_t *p, unsigned char byte) {
    switch (pattern.ptr[*p]) {
    case '?':
        return byte != '/';
    case '[':
        return match_brackets(pattern, p, byte);
    case '\\':
        ++*p;
        return *p < pattern.len && byte == at(pattern, *p);
    default:
        return byte == at(pattern, *p);
    }
}

static bool match_from(struct matcher *m, size_t p, size_t t) {
    for (; p < m->pattern.len; p++, t++) {
        if (m->pattern.ptr[p] == '*')
            return try_stars(m, p, t);
        if (t == m->text.len || !match_byte(m->pattern, &p, at(m->text, t)))
            return false;
    }
    return t == m->text.len;
}

bool glob_match(struct str pattern, struct str text) {
    struct matcher m = {.pattern = pattern, .text = text};
    bool is_match = pattern.len <= GLOB_PATTERN_BYTES_MAX && match_from(&m, 0, 0);
    free(m.has_failed);
    return is_match;
}
