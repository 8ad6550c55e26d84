#include "report/layout.h"

#include "base/assert.h"
#include "base/utf8.h"

const char *style(const struct report *report, enum style style) {
    static const char *const codes[] = {
        [STYLE_PLAIN] = "\033[0m",  [STYLE_BOLD] = "\033[1m",    [STYLE_DIM] = "\033[2m",
        [STYLE_RED] = "\033[1;31m", [STYLE_GREEN] = "\033[32m",  [STYLE_CYAN] = "\033[36m",
        [STYLE_YELLOW] = "\033[33m"};
    LW_ASSERT(style < LW_COUNT_OF(codes));
    return report->is_colored ? codes[style] : "";
}

void put_styled(const struct report *report, enum style which, struct str text, struct buf *out) {
    buf_add_c(out, style(report, which));
    buf_add(out, text);
    buf_add_c(out, style(report, STYLE_PLAIN));
}

/* The bytes of the first `width` code points. */
static size_t bytes_of(struct str text, size_t width) {
    size_t at = 0;
    for (size_t i = 0; i < width && at < text.len; i++) {
        size_t len;
        utf8_decode(str_sub(text, at, text.len), &len);
        at += len;
    }
    return at;
}

size_t text_width(struct str text) {
    size_t width = 0;
    for (size_t at = 0; at < text.len; width++) {
        size_t len;
        utf8_decode(str_sub(text, at, text.len), &len);
        at += len;
    }
    return width;
}

static bool is_break(struct str text, size_t at) {
    char before = text.ptr[at - 1];
    return before == ',' || before == '(' || before == '[' || before == '{' || before == '=' ||
           before == '/' || text.ptr[at] == '.';
}

/* A blank before a clause of SQL or an answer, behind a comma, any other, or beside `=`: the lower the better. */
static int blank_rank(struct str text, size_t at) {
    char first = at + 1 < text.len ? text.ptr[at + 1] : ' ';
    char second = at + 2 < text.len ? text.ptr[at + 2] : ' ';
    bool is_clause = first >= 'A' && first <= 'Z' && second >= 'A' && second <= 'Z';
    if (is_clause || (first == '-' && second == '>'))
        return 0;
    if (at > 0 && (text.ptr[at - 1] == ',' || text.ptr[at - 1] == ';'))
        return 1;
    return first == '=' || (at > 0 && text.ptr[at - 1] == '=') ? 3 : 2;
}

/* Where to end a line that has room for `full` bytes. */
static size_t break_at(struct str text, size_t full) {
    for (int rank = 0; rank <= 3; rank++)
        for (size_t at = full; at > full * 3 / 5; at--)
            if (text.ptr[at] == ' ' && blank_rank(text, at) <= rank)
                return at;
    for (size_t at = full; at > full / 2; at--)
        if (is_break(text, at))
            return at;
    return full;
}

static struct str without_blanks_before(struct str text) {
    size_t from = 0;
    while (from < text.len && (text.ptr[from] == ' ' || text.ptr[from] == '\t'))
        from++;
    return str_sub(text, from, text.len);
}

static struct str without_blanks_behind(struct str text) {
    size_t to = text.len;
    while (to > 0 && (text.ptr[to - 1] == ' ' || text.ptr[to - 1] == '\t' ||
                      text.ptr[to - 1] == '\r'))
        to--;
    return str_sub(text, 0, to);
}

struct str trimmed(struct str text) {
    return without_blanks_behind(without_blanks_before(text));
}

struct str wrap_next(struct str *rest, size_t width) {
    struct str text = without_blanks_before(*rest);
    size_t full = bytes_of(text, width > 0 ? width : 1);
    size_t to = full < text.len ? break_at(text, full) : full;
    *rest = str_sub(text, to, text.len);
    return without_blanks_behind(str_sub(text, 0, to));
}

void put_wrapped(struct buf *out, struct str text, size_t indent, size_t further, size_t width) {
    size_t room = width > indent + further + 20 ? width - indent : further + 20;
    struct str line = wrap_next(&text, room);
    for (bool is_first = true; line.len > 0; is_first = false) {
        buf_add_repeat(out, ' ', indent + (is_first ? 0 : further));
        buf_add(out, line);
        buf_add_char(out, '\n');
        line = wrap_next(&text, room - further);
    }
}

void put_cut(struct buf *out, struct str text, size_t width) {
    if (text_width(text) <= width) {
        buf_add(out, text);
        return;
    }
    buf_add(out, str_sub(text, 0, bytes_of(text, width > 3 ? width - 3 : 0)));
    buf_add_c(out, "...");
}
