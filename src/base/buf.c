#include "base/buf.h"

#include "base/assert.h"
#include "base/format.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdlib.h>

static void buf_reserve(struct buf *buf, size_t more) {
    LW_ASSERT(more < ((size_t)-1) / 2 - buf->len);
    size_t want = buf->len + more + 1;
    if (want <= buf->capacity)
        return;
    size_t capacity = buf->capacity > 0 ? buf->capacity * 2 : 64;
    buf->capacity = capacity > want ? capacity : want;
    buf->ptr = mem_realloc(buf->ptr, buf->capacity);
}

void buf_release(struct buf *buf) {
    free(buf->ptr);
    *buf = (struct buf){0};
}

void buf_clear(struct buf *buf) {
    buf->len = 0;
    if (buf->ptr != NULL)
        buf->ptr[0] = '\0';
}

void buf_add(struct buf *buf, struct str text) {
    buf_reserve(buf, text.len);
    if (text.len > 0)
        memcpy(buf->ptr + buf->len, text.ptr, text.len);
    buf->len += text.len;
    buf->ptr[buf->len] = '\0';
}

void buf_add_c(struct buf *buf, const char *c_string) {
    buf_add(buf, str_from_c(c_string));
}

void buf_add_char(struct buf *buf, char byte) {
    buf_add(buf, (struct str){&byte, 1});
}

void buf_add_repeat(struct buf *buf, char byte, size_t count) {
    buf_reserve(buf, count);
    memset(buf->ptr + buf->len, byte, count);
    buf->len += count;
    buf->ptr[buf->len] = '\0';
}

void buf_printf(struct buf *buf, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    buf_reserve(buf, 0);
    size_t room = buf->capacity - buf->len;
    size_t len = text_format(buf->ptr + buf->len, room, format, args);
    va_end(args);
    if (len >= room) {
        buf_reserve(buf, len);
        text_format(buf->ptr + buf->len, len + 1, format, again);
    }
    va_end(again);
    buf->len += len;
}

static void add_json_byte(struct buf *buf, unsigned char byte) {
    static const char escapes[] = {['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r',
                                   ['\t'] = 't', ['"'] = '"',  ['\\'] = '\\'};
    if (byte < sizeof(escapes) && escapes[byte] != 0) {
        buf_add_char(buf, '\\');
        buf_add_char(buf, escapes[byte]);
    } else if (byte < 0x20) {
        buf_printf(buf, "\\u%04x", byte);
    } else {
        buf_add_char(buf, (char)byte);
    }
}

void buf_add_json(struct buf *buf, struct str text) {
    buf_add_char(buf, '"');
    for (size_t i = 0; i < text.len;) {
        unsigned char byte = (unsigned char)text.ptr[i];
        if (byte < 0x80) {
            add_json_byte(buf, byte);
            i++;
            continue;
        }
        size_t len = utf8_sequence_len(str_sub(text, i, text.len));
        if (len == 0) {
            buf_add_c(buf, "\\ufffd");
            i++;
        } else {
            buf_add(buf, str_sub(text, i, i + len));
            i += len;
        }
    }
    buf_add_char(buf, '"');
}

struct str buf_str(const struct buf *buf) {
    return (struct str){buf->ptr != NULL ? buf->ptr : "", buf->len};
}
