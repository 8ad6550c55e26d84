#include "cli/finding_file.h"

enum { NESTING_MAX = 64 };

struct reader {
    struct arena *arena;
    struct str text, id;
    size_t at;
    struct str path; /* of the object found */
    bool is_found;
    struct err *err;
};

static bool fail(struct reader *r, const char *what) {
    return err_set(r->err, pos_of_offset(r->text, r->at), "no JSON: %s", what);
}

static void skip_blanks(struct reader *r) {
    while (r->at < r->text.len && (r->text.ptr[r->at] == ' ' || r->text.ptr[r->at] == '\n' ||
                                   r->text.ptr[r->at] == '\t' || r->text.ptr[r->at] == '\r'))
        r->at++;
}

static bool accept(struct reader *r, char byte) {
    skip_blanks(r);
    if (r->at >= r->text.len || r->text.ptr[r->at] != byte)
        return false;
    r->at++;
    return true;
}

static int hex_digit(char byte) {
    return byte >= '0' && byte <= '9'   ? byte - '0'
           : byte >= 'a' && byte <= 'f' ? byte - 'a' + 10
           : byte >= 'A' && byte <= 'F' ? byte - 'A' + 10
                                        : -1;
}

/* The four digits behind \u. Our own output escapes control characters and broken bytes only. */
static bool read_escape_digits(struct reader *r, struct buf *out) {
    unsigned code = 0;
    for (int i = 0; i < 4; i++, r->at++) {
        int digit = r->at < r->text.len ? hex_digit(r->text.ptr[r->at]) : -1;
        if (digit < 0)
            return fail(r, "four digits are wanted behind \\u");
        code = code * 16 + (unsigned)digit;
    }
    if (code < 0x80) {
        buf_add_char(out, (char)code);
    } else if (code < 0x800) {
        buf_add_char(out, (char)(0xC0 | code >> 6));
        buf_add_char(out, (char)(0x80 | (code & 0x3F)));
    } else {
        buf_add_char(out, (char)(0xE0 | code >> 12));
        buf_add_char(out, (char)(0x80 | (code >> 6 & 0x3F)));
        buf_add_char(out, (char)(0x80 | (code & 0x3F)));
    }
    return true;
}

static bool read_escape(struct reader *r, struct buf *out) {
    static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    char byte = r->at < r->text.len ? r->text.ptr[r->at++] : '\0';
    if (byte == 'u')
        return read_escape_digits(r, out);
    for (size_t i = 0; byte != '\0' && names[i] != '\0'; i++) {
        if (names[i] != byte)
            continue;
        buf_add_char(out, bytes[i]);
        return true;
    }
    return fail(r, "an unknown escape");
}

static bool read_string(struct reader *r, struct str *value) {
    struct buf out = {0};
    bool ok = true;
    if (!accept(r, '"'))
        return fail(r, "a string is wanted here");
    while (ok && r->at < r->text.len && r->text.ptr[r->at] != '"') {
        char byte = r->text.ptr[r->at++];
        if (byte == '\\')
            ok = read_escape(r, &out);
        else
            buf_add_char(&out, byte);
    }
    if (ok && r->at >= r->text.len)
        ok = fail(r, "a string has no end");
    r->at++;
    *value = str_dup(r->arena, buf_str(&out));
    buf_release(&out);
    return ok;
}

static bool read_value(struct reader *r, int depth);

static bool read_word(struct reader *r) {
    size_t from = r->at;
    while (r->at < r->text.len && r->text.ptr[r->at] != ',' && r->text.ptr[r->at] != '}' &&
           r->text.ptr[r->at] != ']' && (unsigned char)r->text.ptr[r->at] > ' ')
        r->at++;
    return r->at > from || fail(r, "a value is wanted here");
}

static bool read_member(struct reader *r, int depth, struct str *id, struct str *path) {
    struct str name, value;
    if (!read_string(r, &name))
        return false;
    if (!accept(r, ':'))
        return fail(r, "':' is wanted here");
    skip_blanks(r);
    bool is_string = r->at < r->text.len && r->text.ptr[r->at] == '"';
    if (!is_string)
        return read_value(r, depth);
    if (!read_string(r, &value))
        return false;
    if (str_is(name, "id"))
        *id = value;
    else if (str_is(name, "path"))
        *path = value;
    return true;
}

static bool read_object(struct reader *r, int depth) {
    struct str id = {0}, path = {0};
    if (!accept(r, '}')) {
        do {
            if (!read_member(r, depth, &id, &path))
                return false;
        } while (accept(r, ','));
        if (!accept(r, '}'))
            return fail(r, "',' or '}' is wanted here");
    }
    if (!r->is_found && path.len > 0 && str_equal(id, r->id)) {
        r->is_found = true;
        r->path = path;
    }
    return true;
}

static bool read_array(struct reader *r, int depth) {
    if (accept(r, ']'))
        return true;
    do {
        if (!read_value(r, depth))
            return false;
    } while (accept(r, ','));
    return accept(r, ']') || fail(r, "',' or ']' is wanted here");
}

static bool read_value(struct reader *r, int depth) {
    struct str ignored;
    if (depth == NESTING_MAX)
        return fail(r, "it is nested too deeply");
    if (accept(r, '{'))
        return read_object(r, depth + 1);
    if (accept(r, '['))
        return read_array(r, depth + 1);
    if (r->at < r->text.len && r->text.ptr[r->at] == '"')
        return read_string(r, &ignored);
    return read_word(r);
}

bool finding_file_path(struct arena *arena, struct str text, struct str id, struct str *path,
                       struct err *err) {
    struct reader r = {.arena = arena, .text = text, .id = id, .err = err};
    if (!read_value(&r, 0))
        return false;
    skip_blanks(&r);
    if (r.at < text.len)
        return fail(&r, "something stands behind its end");
    if (!r.is_found)
        return err_set(err, (struct pos){0}, "there is no finding %.*s", STR_ARG(id));
    *path = r.path;
    return true;
}
