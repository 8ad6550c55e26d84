/* One pass over the bytes checks UTF-8, looks for NUL bytes and finds the lines, eight bytes at a time where
 * nothing but printable ASCII stands. Everything after it may rely on valid text. */
#include "python/source.h"

#include "base/assert.h"
#include "base/utf8.h"

#include <ctype.h>
#include <errno.h>
#include <iconv.h>

enum { ENCODING_BYTES_MAX = 64 };

static bool source_fail(struct py_error *error, size_t offset, const char *message) {
    error->offset = (uint32_t)offset;
    error->message = message;
    return false;
}

static size_t line_end(struct str text, size_t from) {
    while (from < text.len && text.ptr[from] != '\n' && text.ptr[from] != '\r')
        from++;
    return from;
}

/* The encoding a comment line names, by PEP 263's pattern coding[:=]\s*([-\w.]+); lower case, '-' for '_'. */
static bool line_cookie(struct str line, char *name) {
    size_t at = 0;
    while (at < line.len && (line.ptr[at] == ' ' || line.ptr[at] == '\t' || line.ptr[at] == '\f'))
        at++;
    if (at == line.len || line.ptr[at] != '#')
        return false;
    for (; at + 7 <= line.len; at++) {
        if (memcmp(line.ptr + at, "coding", 6) != 0 ||
            (line.ptr[at + 6] != ':' && line.ptr[at + 6] != '='))
            continue;
        size_t from = at + 7;
        while (from < line.len && (line.ptr[from] == ' ' || line.ptr[from] == '\t'))
            from++;
        size_t len = 0;
        while (from + len < line.len && len + 1 < ENCODING_BYTES_MAX) {
            char c = line.ptr[from + len];
            if (!isalnum((unsigned char)c) && c != '-' && c != '_' && c != '.')
                break;
            name[len++] = c == '_' ? '-' : (char)tolower((unsigned char)c);
        }
        name[len] = '\0';
        if (len > 0)
            return true;
    }
    return false;
}

static bool is_blank_or_comment(struct str line) {
    size_t at = 0;
    while (at < line.len && (line.ptr[at] == ' ' || line.ptr[at] == '\t' || line.ptr[at] == '\f'))
        at++;
    return at == line.len || line.ptr[at] == '#';
}

/* The cookie stands in the first line, or in the second after a line without code. */
static bool find_cookie(struct str text, char *name) {
    size_t end = line_end(text, 0);
    if (line_cookie(str_sub(text, 0, end), name))
        return true;
    if (!is_blank_or_comment(str_sub(text, 0, end)) || end == text.len)
        return false;
    size_t from = end + 1;
    if (text.ptr[end] == '\r' && from < text.len && text.ptr[from] == '\n')
        from++;
    return line_cookie(str_sub(text, from, line_end(text, from)), name);
}

static bool name_is(const char *name, const char *prefix) {
    size_t len = strlen(prefix);
    return strncmp(name, prefix, len) == 0 && (name[len] == '\0' || name[len] == '-');
}

static bool source_convert(struct arena *arena, const char *encoding, struct str *text,
                           struct py_error *error) {
    bool is_latin1 = name_is(encoding, "latin-1") || name_is(encoding, "iso-8859-1") ||
                     name_is(encoding, "iso-latin-1");
    /* These are no superset of ASCII, so no cookie could be read in them. */
    bool is_wide =
        str_starts(str_from_c(encoding), "utf") || str_starts(str_from_c(encoding), "ucs");
    iconv_t state =
        is_wide ? (iconv_t)-1 : iconv_open("UTF-8", is_latin1 ? "ISO-8859-1" : encoding);
    if (state == (iconv_t)-1)
        return source_fail(error, 0,
                           str_to_c(arena, str_printf(arena, "unknown encoding: %s", encoding)));
    char *in = (char *)(uintptr_t)text->ptr;
    size_t in_left = text->len, out_left = text->len * 4;
    char *converted = arena_alloc(arena, out_left + 1);
    char *out = converted;
    size_t result = iconv(state, &in, &in_left, &out, &out_left);
    iconv_close(state);
    if (result == (size_t)-1)
        return source_fail(
            error, text->len - in_left,
            str_to_c(arena, str_printf(arena, "not valid in the encoding %s", encoding)));
    *text = (struct str){converted, (size_t)(out - converted)};
    converted[text->len] = '\0';
    return true;
}

static bool source_decode(struct py_source *source, struct arena *arena, struct py_error *error) {
    struct str text = source->text;
    char name[ENCODING_BYTES_MAX];
    if (text.len >= 3 && memcmp(text.ptr, "\xef\xbb\xbf", 3) == 0)
        source->start = 3;
    if (!find_cookie(str_sub(text, source->start, text.len), name))
        return true;
    if (name_is(name, "utf-8") || (strcmp(name, "utf8") == 0 && source->start == 0))
        return true;
    if (source->start > 0)
        return source_fail(error, 0, "the encoding cookie contradicts the UTF-8 byte order mark");
    return source_convert(arena, name, &source->text, error);
}

static void add_line(struct py_source *source, struct arena *arena, uint32_t *capacity,
                     size_t start) {
    if (source->line_count + 1 >= *capacity) {
        uint32_t *grown = ARENA_ARRAY(arena, uint32_t, *capacity * 2);
        memcpy(grown, source->line_starts, source->line_count * sizeof(*grown));
        source->line_starts = grown;
        *capacity *= 2;
    }
    source->line_starts[source->line_count++] = (uint32_t)start;
}

/* The first byte from `at` that is a control character or not ASCII, or a place up to 7 bytes before it. */
static size_t skip_plain(const char *bytes, size_t at, size_t len) {
    const uint64_t ones = 0x0101010101010101u, highs = ones * 0x80;
    while (at + 8 <= len) {
        uint64_t word;
        memcpy(&word, bytes + at, 8);
        uint64_t special = (((word - ones * 0x0e) & ~word) | word) & highs;
        if (special != 0) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
            at += (size_t)__builtin_ctzll(special) / 8;
#endif
            return at;
        }
        at += 8;
    }
    return at;
}

static bool source_scan(struct py_source *source, struct arena *arena, struct py_error *error) {
    const char *bytes = source->text.ptr;
    size_t len = source->text.len, at = source->start;
    uint32_t capacity = (uint32_t)(len / 24 + 16);
    source->line_starts = ARENA_ARRAY(arena, uint32_t, capacity);
    add_line(source, arena, &capacity, at);
    while ((at = skip_plain(bytes, at, len)) < len) {
        unsigned char byte = (unsigned char)bytes[at];
        if (byte == '\n' || byte == '\r') {
            at += byte == '\r' && at + 1 < len && bytes[at + 1] == '\n' ? 2 : 1;
            add_line(source, arena, &capacity, at);
        } else if (byte >= 0x80) {
            size_t sequence_len = utf8_sequence_len((struct str){bytes + at, len - at});
            if (sequence_len == 0)
                return source_fail(error, at, "not valid UTF-8");
            at += sequence_len;
        } else if (byte == 0) {
            return source_fail(error, at, "source code cannot contain null bytes");
        } else {
            at++;
        }
    }
    source->line_starts[source->line_count] = UINT32_MAX;
    return true;
}

bool py_source_init(struct py_source *source, struct arena *arena, struct str text,
                    struct py_error *error) {
    *source = (struct py_source){.text = text};
    LW_ASSERT(text.ptr != NULL && text.ptr[text.len] == '\0');
    if (text.len > UINT32_MAX / 4)
        return source_fail(error, 0, "the file is too long");
    return source_decode(source, arena, error) && source_scan(source, arena, error);
}

uint32_t py_source_line(const struct py_source *source, uint32_t offset) {
    return py_line_at(source->line_starts, source->line_count, offset);
}
