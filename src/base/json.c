#include "base/json.h"

#include "base/utf8.h"

struct reader {
    struct arena *arena;
    struct str text;
    size_t at;
    struct err *err;
};

static bool fail(struct reader *r, const char *what) {
    return err_set(r->err, pos_of_offset(r->text, r->at), "no JSON: %s", what);
}

static int peek(const struct reader *r) {
    return r->at < r->text.len ? (unsigned char)r->text.ptr[r->at] : -1;
}

static void skip_blanks(struct reader *r) {
    while (peek(r) == ' ' || peek(r) == '\n' || peek(r) == '\t' || peek(r) == '\r')
        r->at++;
}

static bool accept(struct reader *r, char byte) {
    skip_blanks(r);
    if (peek(r) != byte)
        return false;
    r->at++;
    return true;
}

static bool read_digits(struct reader *r, uint32_t *code) {
    *code = 0;
    for (int i = 0; i < 4; i++, r->at++) {
        int digit = hex_digit(peek(r));
        if (digit < 0)
            return fail(r, "four digits are wanted behind \\u");
        *code = *code * 16 + (uint32_t)digit;
    }
    return true;
}

static void add_code_point(struct buf *out, uint32_t code) {
    char bytes[4];
    buf_add(out, (struct str){bytes, (size_t)(utf8_put(bytes, code) - bytes)});
}

/* Behind \u; two surrogates are one character, one alone is none. */
static bool read_unicode_escape(struct reader *r, struct buf *out) {
    uint32_t code, low;
    if (!read_digits(r, &code))
        return false;
    if (code >= 0xD800 && code < 0xDC00 && peek(r) == '\\') {
        r->at++;
        if (peek(r) != 'u')
            return fail(r, "half a character");
        r->at++;
        if (!read_digits(r, &low))
            return false;
        if (low < 0xDC00 || low >= 0xE000)
            return fail(r, "half a character");
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    if (code >= 0xD800 && code < 0xE000)
        return fail(r, "half a character");
    add_code_point(out, code);
    return true;
}

static bool read_escape(struct reader *r, struct buf *out) {
    static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    int byte = peek(r);
    r->at += byte >= 0;
    if (byte == 'u')
        return read_unicode_escape(r, out);
    for (size_t i = 0; byte > 0 && names[i] != '\0'; i++) {
        if (names[i] != byte)
            continue;
        buf_add_char(out, bytes[i]);
        return true;
    }
    return fail(r, "an unknown escape");
}

static bool read_string(struct reader *r, struct str *value) {
    struct buf out = {0};
    bool ok = accept(r, '"') || fail(r, "a string is wanted here");
    while (ok && peek(r) != '"') {
        if (peek(r) < 0) {
            ok = fail(r, "a string has no end");
        } else if (peek(r) < ' ') {
            ok = fail(r, "a control character in a string");
        } else if (peek(r) == '\\') {
            r->at++;
            ok = read_escape(r, &out);
        } else {
            buf_add_char(&out, r->text.ptr[r->at++]);
        }
    }
    r->at++;
    if (ok)
        *value = str_dup(r->arena, buf_str(&out));
    buf_release(&out);
    return ok;
}

static size_t skip_digits(struct reader *r) {
    size_t from = r->at;
    while (peek(r) >= '0' && peek(r) <= '9')
        r->at++;
    return r->at - from;
}

static bool read_number(struct reader *r, struct json_value *value) {
    size_t from = r->at;
    r->at += peek(r) == '-';
    bool has_zero = peek(r) == '0';
    size_t digits = skip_digits(r);
    if (digits == 0 || (has_zero && digits > 1))
        return fail(r, "a value is wanted here");
    if (peek(r) == '.') {
        r->at++;
        if (skip_digits(r) == 0)
            return fail(r, "digits are wanted behind the point");
    }
    if (peek(r) == 'e' || peek(r) == 'E') {
        r->at++;
        r->at += peek(r) == '+' || peek(r) == '-';
        if (skip_digits(r) == 0)
            return fail(r, "digits are wanted in the exponent");
    }
    value->kind = JSON_NUMBER;
    value->text = str_sub(r->text, from, r->at);
    return true;
}

static bool read_word(struct reader *r, struct json_value *value) {
    static const char *const words[] = {[JSON_NULL] = "null", [JSON_FALSE] = "false",
                                        [JSON_TRUE] = "true"};
    struct str rest = str_sub(r->text, r->at, r->text.len);
    for (int i = 0; i < 3; i++) {
        if (!str_starts(rest, words[i]))
            continue;
        value->kind = (enum json_kind)i;
        r->at += strlen(words[i]);
        return true;
    }
    return read_number(r, value);
}

static bool read_value(struct reader *r, int depth, struct json_value **value);

/* What stands between two brackets: values, or in an object names with values. */
static bool read_items(struct reader *r, int depth, struct json_value *into, char end) {
    struct json_value **last = &into->first;
    struct str name = {0};
    if (accept(r, end))
        return true;
    do {
        if (end == '}') {
            skip_blanks(r);
            if (!read_string(r, &name))
                return false;
            if (!accept(r, ':'))
                return fail(r, "':' is wanted here");
        }
        if (!read_value(r, depth, last))
            return false;
        (*last)->name = name;
        last = &(*last)->next;
    } while (accept(r, ','));
    return accept(r, end) || fail(r, end == '}' ? "',' or '}' is wanted here"
                                                : "',' or ']' is wanted here");
}

static bool read_value(struct reader *r, int depth, struct json_value **value) {
    struct json_value *v = *value = ARENA_NEW(r->arena, struct json_value);
    if (depth == JSON_NESTING_MAX)
        return fail(r, "it is nested too deeply");
    skip_blanks(r);
    v->offset = r->at;
    v->kind = JSON_OBJECT;
    if (accept(r, '{'))
        return read_items(r, depth + 1, v, '}');
    v->kind = JSON_ARRAY;
    if (accept(r, '['))
        return read_items(r, depth + 1, v, ']');
    v->kind = JSON_STRING;
    if (peek(r) == '"')
        return read_string(r, &v->text);
    return read_word(r, v);
}

bool json_parse(struct arena *arena, struct str text, struct json_value **root, struct err *err) {
    struct reader r = {.arena = arena, .text = text, .err = err};
    for (size_t at = 0, len; at < text.len; at += len) {
        len = utf8_sequence_len(str_sub(text, at, text.len));
        r.at = at;
        if (len == 0)
            return fail(&r, "not valid UTF-8");
    }
    r.at = 0;
    if (!read_value(&r, 0, root))
        return false;
    skip_blanks(&r);
    return r.at == text.len || fail(&r, "something stands behind its end");
}

const struct json_value *json_member(const struct json_value *object, const char *name) {
    const struct json_value *found = NULL;
    if (object == NULL || object->kind != JSON_OBJECT)
        return NULL;
    for (const struct json_value *member = object->first; member != NULL; member = member->next)
        if (str_is(member->name, name))
            found = member;
    return found;
}

bool json_count(const struct json_value *value, size_t max, size_t *count) {
    size_t number = 0;
    if (value == NULL || value->kind != JSON_NUMBER || value->text.len > 15)
        return false;
    for (size_t i = 0; i < value->text.len; i++) {
        char digit = value->text.ptr[i];
        if (digit < '0' || digit > '9')
            return false;
        number = number * 10 + (size_t)(digit - '0');
    }
    if (number > max)
        return false;
    *count = number;
    return true;
}
