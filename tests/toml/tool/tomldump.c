/* Reads texts from standard input, each behind a line with its length. Prints one line for each: `error LINE:COLUMN: MESSAGE`, or JSON, in which each scalar is a string: a
 * letter for its kind, then what it is. */
#include "base/file.h"
#include "toml/toml.h"

#include <stdlib.h>

static void print_value(const struct toml_value *value, struct buf *out);

static void print_inside(const struct toml_value *value, struct buf *out) {
    for (const struct toml_value *inner = value->first; inner != NULL; inner = inner->next) {
        buf_add_c(out, inner == value->first ? "" : ",");
        if (value->kind == TOML_TABLE) {
            buf_add_json(out, inner->name);
            buf_add_char(out, ':');
        }
        print_value(inner, out);
    }
}

static void print_value(const struct toml_value *value, struct buf *out) {
    static const char letters[] = "sifbd";
    struct buf text = {0};
    switch (value->kind) {
    case TOML_ARRAY:
        buf_add_char(out, '[');
        print_inside(value, out);
        buf_add_char(out, ']');
        return;
    case TOML_TABLE:
        buf_add_char(out, '{');
        print_inside(value, out);
        buf_add_char(out, '}');
        return;
    default:
        buf_add_char(&text, letters[value->kind]);
        if (value->kind == TOML_INTEGER && value->is_integer)
            buf_printf(&text, "%lld", (long long)value->integer);
        else
            buf_add(&text, value->text);
        buf_add_json(out, buf_str(&text));
        buf_release(&text);
        return;
    }
}

static void print_text(struct str text, struct buf *out) {
    struct arena arena = {0};
    struct toml_value *root;
    struct err err;
    if (toml_parse(&arena, str_dup(&arena, text), &root, &err))
        print_value(root, out);
    else
        buf_printf(out, "error %u:%u: %s", err.pos.line, err.pos.column, err.message);
    buf_add_char(out, '\n');
    arena_release(&arena);
}

int main(void) {
    struct arena arena = {0};
    struct buf out = {0};
    struct str input;
    struct err err;
    if (!file_read(&arena, "-", &input, &err))
        return 2;
    for (size_t at = 0; at < input.len;) {
        size_t end = str_find(input, '\n', at), len = strtoul(input.ptr + at, NULL, 10);
        if (end + 1 + len > input.len)
            return 2;
        print_text(str_sub(input, end + 1, end + 1 + len), &out);
        at = end + 1 + len;
    }
    if (out.len > 0)
        fwrite(out.ptr, 1, out.len, stdout);
    buf_release(&out);
    arena_release(&arena);
    return 0;
}
