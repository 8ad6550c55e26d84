/* Logs of servers: the first byte says of which kind, or that it is found by looking; the second in pieces of which size it is read.
 * Whole and in pieces the same is told, and places go forward. */
#include "base/assert.h"
#include "logs/logs.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct trace_decoder_class *const classes[] = {
    &logs_postgresql_stderr, &logs_postgresql_csv, &logs_postgresql_json, &logs_mysql_general,
    &logs_mysql_slow,
};

/* What is told, as a hash, and where. */
struct told {
    uint64_t hash, offset;
    bool is_restarted;
};

static void add(struct told *told, const void *bytes, size_t len) {
    for (size_t i = 0; i < len; i++)
        told->hash = (told->hash ^ ((const unsigned char *)bytes)[i]) * 1099511628211u;
}

static void add_str(struct told *told, struct str text) {
    add(told, &text.len, sizeof(text.len));
    add(told, text.ptr, text.len);
}

static void tell(void *context, const struct trace_event *event) {
    struct told *told = context;
    LW_ASSERT(told->is_restarted || event->place.offset >= told->offset);
    told->is_restarted = false;
    told->offset = event->place.offset;
    add(told, &event->kind, sizeof(event->kind));
    add(told, &event->place.offset, sizeof(event->place.offset));
    add(told, &event->place.line, sizeof(event->place.line));
    add(told, &event->session, sizeof(event->session));
    add(told, &event->time_us, sizeof(event->time_us));
    add_str(told, event->user);
    add_str(told, event->database);
    add_str(told, event->application);
    if (event->kind == TRACE_GAP)
        add(told, &event->gap.byte_count, sizeof(event->gap.byte_count));
    if (event->kind != TRACE_STATEMENT && event->kind != TRACE_OUTCOME)
        return;
    const struct trace_statement *statement = &event->statement;
    add_str(told, statement->sql);
    add_str(told, statement->error);
    add_str(told, statement->error_code);
    add(told, &statement->end_us, sizeof(statement->end_us));
    add(told, &statement->row_count, sizeof(statement->row_count));
    for (size_t i = 0; i < statement->param_count; i++)
        add_str(told, statement->params[i].text);
}

static uint64_t read_log(const struct trace_decoder_class *class, struct str text, size_t piece,
                         bool has_prefix) {
    struct told told = {0};
    struct trace_sink sink = {tell, &told};
    struct trace_options options = {.file = STR("a")};
    if (has_prefix)
        options.log_line_prefix = STR("%m|%-5p %q%u@%d %a,%e ");
    void *decoder = class->open(&sink, &options);
    /* The same twice, as the next file of a log. */
    for (int i = 0; i < 2; i++) {
        for (size_t at = 0; at < text.len; at += piece)
            class->feed(decoder, str_sub(text, at, at + piece < text.len ? at + piece : text.len));
        if (i == 1)
            break;
        class->next_file(decoder, STR("b"));
        told.is_restarted = true;
    }
    class->end(decoder);
    class->close(decoder);
    return told.hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2)
        return 0;
    struct str text = {(const char *)data + 2, size - 2};
    size_t which = data[0] % (LW_COUNT_OF(classes) + 1);
    bool has_prefix = which == LW_COUNT_OF(classes);
    const struct trace_decoder_class *class = classes[has_prefix ? 0 : which];
    int sure = class->detect(text);
    LW_ASSERT(sure >= 0 && sure <= 100);
    uint64_t whole = read_log(class, text, text.len + 1, has_prefix);
    LW_ASSERT(whole == read_log(class, text, data[1] % 64 + 1, has_prefix));
    return 0;
}
