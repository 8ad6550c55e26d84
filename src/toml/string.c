/* Strings: basic and literal, of one line and of several (TOML 1.0, "String"). */
#include "base/utf8.h"
#include "toml/reader.h"

static bool is_control(char byte) {
    return ((unsigned char)byte < 0x20 && byte != '\t') || byte == 0x7f;
}

static void add_code_point(struct buf *out, uint32_t code) {
    char bytes[4];
    buf_add(out, (struct str){bytes, (size_t)(utf8_put(bytes, code) - bytes)});
}

/* The digits of \u or \U. */
static bool read_code_point(struct toml_reader *r, size_t digit_count, struct buf *out) {
    size_t from = r->at - 2;
    uint32_t code = 0;
    for (size_t i = 0; i < digit_count; i++, r->at++) {
        int digit = hex_digit(toml_peek(r, 0));
        if (digit < 0)
            return toml_fail(r, from, "%zu hexadecimal digits are wanted behind \\%c", digit_count,
                             digit_count == 4 ? 'u' : 'U');
        code = code << 4 | (uint32_t)digit;
    }
    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
        return toml_fail(r, from, "no character has this number");
    add_code_point(out, code);
    return true;
}

/* A backslash that ends its line, blanks aside: it takes all blanks and line ends behind it away. */
static bool skip_line_break(struct toml_reader *r) {
    size_t at = r->at;
    while (toml_peek(r, 0) == ' ' || toml_peek(r, 0) == '\t')
        r->at++;
    if (toml_line_end(r) == 0) {
        r->at = at;
        return false;
    }
    while (toml_line_end(r) > 0 || toml_peek(r, 0) == ' ' || toml_peek(r, 0) == '\t')
        r->at += toml_line_end(r) > 0 ? toml_line_end(r) : 1;
    return true;
}

static bool read_escape(struct toml_reader *r, bool is_multi, struct buf *out) {
    static const char names[] = "btnfr\"\\", bytes[] = "\b\t\n\f\r\"\\";
    r->at++;
    if (is_multi && skip_line_break(r))
        return true;
    char name = toml_peek(r, 0);
    r->at++;
    if (name == 'u' || name == 'U')
        return read_code_point(r, name == 'u' ? 4 : 8, out);
    for (size_t i = 0; name != '\0' && names[i] != '\0'; i++) {
        if (names[i] != name)
            continue;
        buf_add_char(out, bytes[i]);
        return true;
    }
    return toml_fail(r, r->at - 2, "an unknown escape");
}

/* At a quote. Three end a string of several lines; one or two, also before those, are part of it. */
static bool read_end(struct toml_reader *r, char quote, bool is_multi, struct buf *out) {
    size_t count = 0;
    while (count < 5 && toml_peek(r, count) == quote)
        count++;
    if (!is_multi) {
        r->at++;
        return true;
    }
    for (size_t i = count < 3 ? 0 : 3; i < count; i++)
        buf_add_char(out, quote);
    r->at += count;
    return count >= 3;
}

static bool read_inside(struct toml_reader *r, size_t start, char quote, bool is_multi,
                        struct buf *out) {
    for (;;) {
        char byte = toml_peek(r, 0);
        if (r->at >= r->text.len)
            return toml_fail(r, start, "a string without an end");
        if (byte == quote) {
            if (read_end(r, quote, is_multi, out))
                return true;
        } else if (byte == '\\' && quote == '"') {
            if (!read_escape(r, is_multi, out))
                return false;
        } else if (toml_line_end(r) > 0 && is_multi) {
            r->at += toml_line_end(r);
            buf_add_char(out, '\n');
        } else if (toml_line_end(r) > 0) {
            return toml_fail(r, start, "a string without an end on its line");
        } else if (is_control(byte)) {
            return toml_fail(r, r->at, "a control character in a string");
        } else {
            buf_add_char(out, byte);
            r->at++;
        }
    }
}

bool toml_read_string(struct toml_reader *r, bool is_key, struct str *text) {
    size_t start = r->at;
    char quote = toml_peek(r, 0);
    bool is_multi = !is_key && toml_peek(r, 1) == quote && toml_peek(r, 2) == quote;
    struct buf out = {0};
    r->at += is_multi ? 3 : 1;
    if (is_multi)
        r->at += toml_line_end(r);
    bool ok = read_inside(r, start, quote, is_multi, &out);
    if (ok)
        *text = str_dup(r->arena, buf_str(&out));
    buf_release(&out);
    return ok;
}
