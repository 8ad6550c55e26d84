#include "changes.h"

#include "base/utf8.h"
static bool is_utf8(struct str text) {
    for (size_t at = 0, len; at < text.len; at += len)
        if ((len = utf8_sequence_len(str_sub(text, at, text.len))) == 0)
            return false;
    return true;
}

static void add_text(struct buf *out, struct str text) {
    if (is_utf8(text)) {
        buf_add_json(out, text);
        return;
    }
    buf_add_c(out, "{\"hex\": \"");
    for (size_t i = 0; i < text.len; i++)
        buf_printf(out, "%02x", (unsigned char)text.ptr[i]);
    buf_add_c(out, "\"}");
}

static void add_member(struct buf *out, const char *name, struct str text) {
    if (text.len == 0)
        return;
    buf_printf(out, ", \"%s\": ", name);
    add_text(out, text);
}

static void add_image(struct buf *out, const char *name, const struct trace_change *change,
                      const struct trace_value *values) {
    if (values == NULL)
        return;
    buf_printf(out, ", \"%s\": {", name);
    const char *separator = "";
    for (size_t i = 0; i < change->column_count; i++) {
        if (values[i].state == TRACE_ABSENT)
            continue;
        buf_add_c(out, separator);
        separator = ", ";
        if (change->columns != NULL)
            buf_add_json(out, change->columns[i]);
        else
            buf_printf(out, "\"@%zu\"", i + 1);
        buf_add_c(out, ": ");
        if (values[i].state == TRACE_NULL)
            buf_add_c(out, "null");
        else
            add_text(out, values[i].text);
    }
    buf_add_char(out, '}');
}

static void add_change(struct buf *out, const struct trace_change *change) {
    static const char *const kinds[] = {"insert", "update", "delete"};
    struct buf name = {0};
    buf_printf(&name, "%.*s.%.*s", STR_ARG(change->schema), STR_ARG(change->table));
    buf_printf(out, ", \"op\": \"%s\", \"table\": ", kinds[change->kind]);
    add_text(out, buf_str(&name));
    buf_release(&name);
    const char *separator = ", \"key\": [";
    for (size_t i = 0; change->is_key != NULL && i < change->column_count; i++) {
        if (!change->is_key[i])
            continue;
        buf_printf(out, "%s%zu", separator, i + 1);
        separator = ", ";
    }
    if (separator[2] == '\0')
        buf_add_char(out, ']');
    add_image(out, "before", change, change->before);
    add_image(out, "after", change, change->after);
    add_member(out, "sql", change->sql);
}

void print_event(struct buf *out, const struct trace_event *event) {
    static const char *const kinds[] = {
        [TRACE_STATEMENT] = "statement", [TRACE_BEGIN] = "begin",       [TRACE_CHANGE] = "change",
        [TRACE_COMMIT] = "commit",       [TRACE_ROLLBACK] = "rollback", [TRACE_GAP] = "gap"};
    buf_printf(out, "{\"kind\": \"%s\", \"at\": %llu", kinds[event->kind],
               (unsigned long long)event->place.offset);
    if (event->time_us >= 0)
        buf_printf(out, ", \"time_us\": %lld", (long long)event->time_us);
    add_member(out, "transaction", event->transaction);
    add_member(out, "database", event->database);
    if (event->kind == TRACE_STATEMENT) {
        add_member(out, "sql", event->statement.sql);
        add_member(out, "error", event->statement.error_code);
    }
    if (event->kind == TRACE_CHANGE)
        add_change(out, &event->change);
    if (event->kind == TRACE_GAP) {
        add_member(out, "reason", str_from_c(event->gap.reason));
        buf_printf(out, ", \"bytes\": %llu%s", (unsigned long long)event->gap.byte_count,
                   event->gap.is_encrypted ? ", \"encrypted\": true" : "");
    }
    buf_add_c(out, "}\n");
}

static void take_event(void *context, const struct trace_event *event) {
    print_event(context, event);
}

void print_events(struct buf *out, const struct trace_decoder_class *class, struct str bytes, size_t piece_size, bool is_ended) {
    struct trace_sink sink = {take_event, out};
    struct trace_options options = {.file = STR("-")};
    void *decoder = class->open(&sink, &options);
    if (piece_size == 0 || piece_size > bytes.len)
        piece_size = bytes.len;
    for (size_t at = 0; at < bytes.len; at += piece_size) {
        size_t end = bytes.len - at < piece_size ? bytes.len : at + piece_size;
        class->feed(decoder, str_sub(bytes, at, end));
    }
    if (is_ended)
        class->end(decoder);
    class->close(decoder);
}
