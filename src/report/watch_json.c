#include "report/json_out.h"
#include "report/watch.h"

static void put_when(struct json *j, const char *name, int64_t time_us) {
    if (time_us < 0)
        return;
    struct buf text = {0};
    put_time(time_us, true, &text);
    text.ptr[10] = 'T';
    buf_add_char(&text, 'Z');
    put_str(j, name, buf_str(&text));
    buf_release(&text);
}

static void put_place(struct json *j, const struct trace_place *place) {
    put_str(j, "file", place->file);
    if (place->line > 0)
        put_number(j, "line", place->line);
    put_number(j, "offset", place->offset);
}

static void put_optional(struct json *j, const char *name, struct str text) {
    if (text.len > 0)
        put_str(j, name, text);
}

static void put_step(struct json *j, const struct watch_step *step) {
    static const char *const did[] = {[WATCH_READ] = "read", [WATCH_WROTE] = "write", [WATCH_COMMITTED] = "commit"};
    item(j);
    open_in(j, '{');
    put_str(j, "session", (struct str){&step->session, 1});
    put_c(j, "did", did[step->did]);
    put_when(j, "time", step->time_us);
    put_optional(j, "sql", step->sql);
    put_optional(j, "values", step->values);
    put_optional(j, "tag", step->tag);
    put_optional(j, "who", step->who);
    put_place(j, &step->place);
    close_in(j, '}');
}

static void put_examples(struct json *j, const struct watch_loss *loss) {
    key(j, "examples");
    open_in(j, '[');
    for (size_t i = 0; i < loss->examples.count; i++) {
        const struct watch_example *example = &loss->examples.items[i];
        item(j);
        open_in(j, '{');
        put_str(j, "key", example->key);
        put_when(j, "time", example->time_us);
        key(j, "steps");
        open_in(j, '[');
        for (size_t k = 0; k < example->step_count; k++)
            put_step(j, &example->steps[k]);
        close_in(j, ']');
        close_in(j, '}');
    }
    close_in(j, ']');
}

static void put_texts(struct json *j, const char *name, const struct str *texts, size_t count) {
    key(j, name);
    open_in(j, '[');
    for (size_t i = 0; i < count; i++) {
        item(j);
        buf_add_json(j->out, texts[i]);
    }
    close_in(j, ']');
}

static void put_loss(struct json *j, const struct watch_loss *loss) {
    item(j);
    open_in(j, '{');
    put_c(j, "code", rule_code(loss->rule));
    put_c(j, "name", rule_name(loss->rule));
    put_c(j, "evidence", watch_evidence_name(loss->evidence));
    key(j, "possible");
    buf_add_c(j->out, loss->is_possible ? "true" : "false");
    put_optional(j, "doubt", loss->doubt);
    put_str(j, "table", loss->table);
    put_texts(j, "columns", loss->columns, loss->column_count);
    put_number(j, "count", loss->count);
    put_number(j, "in_no_serial_order", loss->replayed_count);
    put_when(j, "first", loss->first_us);
    put_when(j, "last", loss->last_us);
    put_texts(j, "keys", loss->keys.items, loss->keys.count);
    put_examples(j, loss);
    close_in(j, '}');
}

static void put_gaps(struct json *j, const struct watch_result *result) {
    key(j, "gaps");
    open_in(j, '[');
    for (size_t i = 0; i < result->gaps.count; i++) {
        const struct watch_gap *gap = &result->gaps.items[i];
        item(j);
        open_in(j, '{');
        put_str(j, "reason", gap->reason);
        put_number(j, "count", gap->count);
        put_place(j, &gap->place);
        close_in(j, '}');
    }
    close_in(j, ']');
    key(j, "not_modelled");
    open_in(j, '[');
    for (size_t i = 0; i < result->unparsed.count; i++) {
        const struct watch_shape_note *note = &result->unparsed.items[i];
        item(j);
        open_in(j, '{');
        put_str(j, "sql", note->sql);
        put_str(j, "reason", note->reason);
        put_number(j, "count", note->count);
        close_in(j, '}');
    }
    close_in(j, ']');
}

static void put_summary(struct json *j, const struct watch_report *report) {
    const struct watch_stats *stats = &report->result->stats;
    key(j, "summary");
    open_in(j, '{');
    put_number(j, "sources", report->source_count);
    put_number(j, "events", stats->event_count);
    put_number(j, "statements", stats->statement_count);
    put_number(j, "statements_not_modelled", stats->unparsed_count);
    put_number(j, "sessions", stats->session_count);
    put_number(j, "transactions", stats->transaction_count);
    put_number(j, "rollbacks", stats->rollback_count);
    put_number(j, "writes", stats->write_count);
    put_number(j, "writes_watched", stats->watched_count);
    put_number(j, "writes_of_unknown_rows", stats->unknown_row_count);
    put_number(j, "changes_without_before", stats->blind_count);
    put_number(j, "rows_evicted", stats->evicted_count);
    put_number(j, "sessions_dropped", stats->dropped_session_count);
    put_number(j, "writes_left_out_of_programs", stats->left_out_count);
    put_number(j, "prevented", stats->prevented_count);
    put_number(j, "harmless", stats->harmless_count);
    put_number(j, "gaps", stats->gap_count);
    put_number(j, "bytes_not_read", stats->gap_bytes);
    put_number(j, "encrypted_connections", stats->encrypted_count);
    put_number(j, "possible_left_out", report->hidden_count);
    put_when(j, "first", stats->first_us);
    put_when(j, "last", stats->last_us);
    close_in(j, '}');
}

void report_watch_json(const struct watch_report *report, struct buf *out) {
    struct json j = {.out = out};
    open_in(&j, '{');
    put_tool(&j, report->report);
    key(&j, "losses");
    open_in(&j, '[');
    for (size_t i = 0; i < report->result->losses.count; i++)
        if (report->is_pedantic || !report->result->losses.items[i].is_possible)
            put_loss(&j, &report->result->losses.items[i]);
    close_in(&j, ']');
    put_gaps(&j, report->result);
    put_summary(&j, report);
    if (report->report->findings != NULL) {
        key(&j, "can_lose");
        report_json(report->report, out);
        j.has_item = true;
    }
    close_in(&j, '}');
    buf_add_char(out, '\n');
}
