#include "base/err.h"

#include <stdarg.h>

bool err_set(struct err *err, struct pos pos, const char *format, ...) {
    if (err == NULL)
        return false;
    err->path[0] = '\0';
    err->pos = pos;
    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof(err->message), format, args);
    va_end(args);
    return false;
}

bool err_in_file(struct err *err, struct str path) {
    if (err != NULL)
        snprintf(err->path, sizeof(err->path), "%.*s", STR_ARG(path));
    return false;
}

struct pos pos_of_offset(struct str text, size_t offset) {
    struct pos pos = {1, 1};
    for (size_t i = 0; i < offset && i < text.len; i++) {
        if (text.ptr[i] == '\n') {
            pos.line++;
            pos.column = 1;
        } else {
            pos.column++;
        }
    }
    return pos;
}

void err_print(const struct err *err, struct buf *out) {
    if (err->path[0] != '\0')
        buf_printf(out, "%s:", err->path);
    if (err->pos.line > 0)
        buf_printf(out, "%u:%u:", err->pos.line, err->pos.column);
    if (out->len > 0 && out->ptr[out->len - 1] == ':')
        buf_add_char(out, ' ');
    buf_printf(out, "error: %s\n", err->message);
}

struct str text_line(struct str text, uint32_t line) {
    size_t from = 0;
    for (uint32_t i = 1; i < line && from < text.len; i++)
        from = str_find(text, '\n', from) + 1;
    if (line == 0 || from > text.len)
        return (struct str){0};
    size_t to = str_find(text, '\n', from);
    if (to > from && text.ptr[to - 1] == '\r')
        to--;
    return str_sub(text, from, to);
}
