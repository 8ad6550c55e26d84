/* Prints the events of a capture, a line of JSON each, for the tests written in Python:
 *
 *     wire_events FILE [BYTES [PORT]]     fed in pieces of so many bytes (0: whole; -N: of random sizes up to N)
 *
 * Texts stand byte by byte as code points up to 255. The last line counts bytes and says how much memory was the most.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "wire/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

static void add_text(struct buf *out, struct str text) {
    buf_add_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c < 0x20 || c > 0x7e || c == '"' || c == '\\')
            buf_printf(out, "\\u%04x", c);
        else
            buf_add_char(out, (char)c);
    }
    buf_add_char(out, '"');
}

static void add_member(struct buf *out, const char *name, struct str text) {
    buf_printf(out, ",\"%s\":", name);
    add_text(out, text);
}

/* [text, is_text], null, or "absent". */
static void add_value(struct buf *out, const struct trace_value *value) {
    if (value->state == TRACE_NULL) {
        buf_add_c(out, "null");
    } else if (value->state == TRACE_ABSENT) {
        buf_add_c(out, "\"absent\"");
    } else {
        buf_add_char(out, '[');
        add_text(out, value->text);
        buf_add_c(out, value->is_text ? ",true]" : ",false]");
    }
}

static void add_values(struct buf *out, const struct trace_value *values, size_t count) {
    buf_add_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        buf_add_c(out, i > 0 ? "," : "");
        add_value(out, &values[i]);
    }
    buf_add_char(out, ']');
}

static void add_rows(struct buf *out, const struct trace_rows *rows) {
    buf_add_c(out, ",\"columns\":[");
    for (size_t i = 0; i < rows->column_count; i++) {
        buf_add_c(out, i > 0 ? "," : "");
        add_text(out, rows->columns[i]);
    }
    buf_printf(out, "],\"is_rows_cut\":%d,\"rows\":[", rows->is_cut);
    for (size_t i = 0; i < rows->row_count; i++) {
        buf_add_c(out, i > 0 ? "," : "");
        add_values(out, rows->values + i * rows->column_count, rows->column_count);
    }
    buf_add_char(out, ']');
}

static void add_statement(struct buf *out, const struct trace_statement *s) {
    static const char *const outcomes[] = {"unknown", "ok", "failed"};
    static const char *const after[] = {"unknown", "none", "open"};
    add_member(out, "sql", s->sql);
    buf_add_c(out, ",\"params\":");
    add_values(out, s->params, s->param_count);
    buf_printf(out, ",\"is_cut\":%d,\"is_more\":%d,\"outcome\":\"%s\",\"after\":\"%s\"", s->is_cut, s->is_more,
               outcomes[s->outcome], after[s->transaction_after]);
    buf_printf(out, ",\"end_us\":%lld,\"row_count\":%lld", (long long)s->end_us, (long long)s->row_count);
    add_member(out, "code", s->error_code);
    add_member(out, "error", s->error);
    if (s->rows != NULL)
        add_rows(out, s->rows);
}

static void print_event(void *context, const struct trace_event *event) {
    struct buf *out = context;
    buf_clear(out);
    buf_printf(out, "{\"session\":%llu,\"time_us\":%lld,\"offset\":%llu,\"server\":%d",
               (unsigned long long)event->session, (long long)event->time_us,
               (unsigned long long)event->place.offset, event->server);
    if (event->kind == TRACE_STATEMENT) {
        buf_add_c(out, ",\"kind\":\"statement\"");
        add_statement(out, &event->statement);
    } else if (event->kind == TRACE_SESSION) {
        buf_add_c(out, ",\"kind\":\"session\"");
        add_member(out, "user", event->user);
        add_member(out, "database", event->database);
        add_member(out, "application", event->application);
    } else if (event->kind == TRACE_GAP) {
        buf_printf(out, ",\"kind\":\"gap\",\"byte_count\":%llu,\"is_encrypted\":%d",
                   (unsigned long long)event->gap.byte_count, event->gap.is_encrypted);
        add_member(out, "reason", str_from_c(event->gap.reason));
    } else {
        buf_add_c(out, ",\"kind\":\"end\"");
    }
    buf_add_c(out, "}\n");
    fwrite(out->ptr, 1, out->len, stdout);
}

static void count_event(void *context, const struct trace_event *event) {
    (void)event;
    ++*(uint64_t *)context;
}

int main(int argc, char **argv) {
    enum { CHUNK_BYTES = 1 << 18 };
    struct buf out = {0};
    uint64_t events = 0;
    int piece = argc > 2 ? atoi(argv[2]) : 0;
    FILE *file = argc > 1 ? fopen(argv[1], "rb") : NULL;
    if (file == NULL)
        return 2;
    bool is_quiet = getenv("WIRE_QUIET") != NULL;
    struct trace_sink sink = {is_quiet ? count_event : print_event, is_quiet ? (void *)&events : &out};
    struct trace_options options = {.file = str_from_c(argv[1]), .server_port = (uint16_t)(argc > 3 ? atoi(argv[3]) : 0)};
    void *decoder = pcap_decoder.open(&sink, &options);
    char *chunk = mem_alloc(CHUNK_BYTES);
    for (size_t len; (len = fread(chunk, 1, CHUNK_BYTES, file)) > 0;) {
        for (size_t at = 0, size; at < len; at += size) {
            size = piece == 0 ? len : piece > 0 ? (size_t)piece : 1 + (size_t)(rand() % -piece);
            if (size > len - at)
                size = len - at;
            pcap_decoder.feed(decoder, (struct str){chunk + at, size});
        }
    }
    pcap_decoder.end(decoder);
    pcap_decoder.close(decoder);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    if (is_quiet)
        printf("%llu events, %ld KiB\n", (unsigned long long)events, usage.ru_maxrss);
    free(chunk);
    buf_release(&out);
    fclose(file);
    return 0;
}
