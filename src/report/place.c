#include "report/place.h"

#include "base/utf8.h"
#include "report/common.h"

struct str report_path(const struct report *report, struct str path) {
    struct str root = report->root;
    while (root.len > 0 && root.ptr[root.len - 1] == '/')
        root.len--;
    if (root.len > 0 && path.len > root.len + 1 && path.ptr[root.len] == '/' &&
        str_equal(str_sub(path, 0, root.len), root))
        path = str_sub(path, root.len + 1, path.len);
    while (str_starts(path, "./"))
        path = str_sub(path, 2, path.len);
    return path;
}

static bool is_unreserved(char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

void place_uri(struct str path, struct buf *out) {
    for (size_t i = 0; i < path.len; i++) {
        if (is_unreserved(path.ptr[i]) || path.ptr[i] == '/')
            buf_add_char(out, path.ptr[i]);
        else
            buf_printf(out, "%%%02X", (unsigned char)path.ptr[i]);
    }
}

/* A byte order mark belongs to the file, not to its first line. */
static uint32_t column_of(struct str line, struct pos pos) {
    size_t from = pos.line == 1 && str_starts(line, "\xef\xbb\xbf") ? 3 : 0;
    size_t to = pos.column > 0 ? pos.column - 1 : 0;
    to = to > line.len ? line.len : to;
    return to > from ? 1 + (uint32_t)utf8_utf16_len(str_sub(line, from, to)) : 1;
}

struct region place_region(const struct report *report, struct txn_span span) {
    struct region region = {.start_line = span.start.line, .end_line = span.end.line};
    region.start_column = column_of(report_source_line(report, span, span.start.line), span.start);
    if (span.end.line > 0)
        region.end_column = column_of(report_source_line(report, span, span.end.line), span.end);
    return region;
}
