#include "dump.h"

#include "base/assert.h"
#include "logs/logs.h"

static const struct trace_decoder_class *const classes[] = {
    &logs_postgresql_stderr, &logs_postgresql_csv, &logs_postgresql_json, &logs_mysql_general,
    &logs_mysql_slow,
};

const struct trace_decoder_class *dump_class_of(struct str head) {
    const struct trace_decoder_class *found = NULL;
    int best = 0;
    for (size_t i = 0; i < LW_COUNT_OF(classes); i++) {
        int sure = classes[i]->detect(head);
        if (sure == best)
            found = NULL;
        if (sure > best) {
            best = sure;
            found = classes[i];
        }
    }
    return found;
}

const struct trace_decoder_class *dump_class_named(const char *name) {
    for (size_t i = 0; i < LW_COUNT_OF(classes); i++)
        if (strcmp(classes[i]->name, name) == 0)
            return classes[i];
    return NULL;
}

static void add_text(struct buf *out, const char *name, struct str text) {
    if (text.len == 0)
        return;
    buf_printf(out, ",\"%s\":", name);
    buf_add_json(out, text);
}

static void add_number(struct buf *out, const char *name, int64_t number, int64_t none) {
    if (number != none)
        buf_printf(out, ",\"%s\":%lld", name, (long long)number);
}

static void add_params(struct buf *out, const struct trace_statement *statement) {
    if (statement->param_count == 0)
        return;
    buf_add_c(out, ",\"params\":[");
    for (size_t i = 0; i < statement->param_count; i++) {
        const struct trace_value *value = &statement->params[i];
        buf_add_c(out, i > 0 ? "," : "");
        if (value->state == TRACE_VALUE)
            buf_add_json(out, value->text);
        else
            buf_add_c(out, value->state == TRACE_NULL ? "null" : "false");
    }
    buf_add_char(out, ']');
}

static void add_statement(struct buf *out, const struct trace_statement *statement) {
    static const char *const outcomes[] = {"", ",\"outcome\":\"ok\"", ",\"outcome\":\"failed\""};
    add_text(out, "sql", statement->sql);
    add_params(out, statement);
    buf_add_c(out, outcomes[statement->outcome]);
    buf_add_c(out, statement->is_cut ? ",\"is_cut\":true" : "");
    buf_add_c(out, statement->is_more ? ",\"is_more\":true" : "");
    add_text(out, "code", statement->error_code);
    add_text(out, "error", statement->error);
    add_number(out, "end_us", statement->end_us, -1);
    add_number(out, "row_count", statement->row_count, -1);
}

void dump_event(void *context, const struct trace_event *event) {
    static const char *const kinds[] = {"session",  "statement", "outcome", "begin", "change",
                                        "commit",   "rollback",  "test",    "end",   "gap"};
    struct buf *out = context;
    LW_ASSERT(event->kind < LW_COUNT_OF(kinds));
    buf_printf(out, "{\"kind\":\"%s\",\"offset\":%llu,\"line\":%llu", kinds[event->kind],
               (unsigned long long)event->place.offset, (unsigned long long)event->place.line);
    add_text(out, "file", event->place.file);
    add_number(out, "session", (int64_t)event->session, 0);
    add_number(out, "time_us", event->time_us, -1);
    add_text(out, "user", event->user);
    add_text(out, "database", event->database);
    add_text(out, "application", event->application);
    if (event->kind == TRACE_STATEMENT || event->kind == TRACE_OUTCOME)
        add_statement(out, &event->statement);
    if (event->kind == TRACE_GAP) {
        add_text(out, "reason", str_from_c(event->gap.reason));
        add_number(out, "bytes", (int64_t)event->gap.byte_count, -1);
    }
    buf_add_c(out, "}\n");
}
