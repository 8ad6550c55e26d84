/* What services show beside a change: GitHub's workflow commands, GitLab's Code Quality report. */
#include "report/json_out.h"
#include "report/place.h"

/* github.com/actions/toolkit, core/src/command.ts: what the runner takes back. */
static void put_escaped(struct str text, bool is_property, struct buf *out) {
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.ptr[i];
        if (byte == '%' || byte == '\r' || byte == '\n' || (is_property && (byte == ':' || byte == ',')))
            buf_printf(out, "%%%02X", (unsigned char)byte);
        else
            buf_add_char(out, byte);
    }
}

static void put_command(const struct report *r, const char *level, struct txn_span span,
                        const char *title, struct str message, struct buf *out) {
    struct region region = place_region(r, span);
    buf_printf(out, "::%s file=", level);
    put_escaped(report_path(r, span.path), true, out);
    if (region.start_line > 0)
        buf_printf(out, ",line=%u,col=%u", region.start_line, region.start_column);
    if (region.end_line > 0)
        buf_printf(out, ",endLine=%u", region.end_line);
    if (region.end_line == region.start_line && region.end_column > region.start_column)
        buf_printf(out, ",endColumn=%u", region.end_column); /* GitHub wants one line for columns */
    buf_add_c(out, ",title=");
    put_escaped(str_from_c(title), true, out);
    buf_add_c(out, "::");
    put_escaped(message, false, out);
    buf_add_char(out, '\n');
}

/* All that is said of a write. */
static void put_said(const struct finding *f, struct buf *out) {
    buf_add(out, f->message);
    if (f->also.len > 0)
        buf_printf(out, "; also %.*s", STR_ARG(f->also));
}

void report_github(const struct report *report, struct buf *out) {
    for (size_t i = 0; i < report->findings->items.count; i++) {
        const struct finding *f = &report->findings->items.items[i];
        if (f->part_of.len > 0)
            continue;
        char title[80];
        snprintf(title, sizeof(title), "%s %s", rule_code(f->rule), rule_name(f->rule));
        struct buf message = {0};
        put_said(f, &message);
        put_command(report, rule_is_error(f->rule) ? "error" : "warning", f->span, title,
                    buf_str(&message), out);
        buf_release(&message);
    }
    for (size_t i = 0; i < report->note_count; i++) {
        const struct report_note *note = &report->notes[i];
        if (note->is_error)
            put_command(report, "error", note->span, "lostwrite", note->text, out);
    }
    for (size_t i = 0; i < report->warning_count && !report->is_quiet; i++) {
        const struct report_warning *w = &report->warnings[i];
        if (!w->is_detail)
            put_command(report, "warning", w->span, "lostwrite", w->text, out);
    }
}

struct quality {
    const char *check, *severity;
    struct str description, fingerprint;
    struct txn_span span;
};

static void put_quality(struct json *j, const struct report *r, const struct quality *q) {
    item(j);
    open_in(j, '{');
    put_str(j, "description", q->description);
    put_c(j, "check_name", q->check);
    put_str(j, "fingerprint", q->fingerprint);
    put_c(j, "severity", q->severity);
    key(j, "location");
    open_in(j, '{');
    put_str(j, "path", report_path(r, q->span.path));
    key(j, "lines");
    open_in(j, '{');
    put_number(j, "begin", q->span.start.line > 0 ? q->span.start.line : 1);
    if (q->span.end.line > 0)
        put_number(j, "end", q->span.end.line);
    close_in(j, '}');
    close_in(j, '}');
    close_in(j, '}');
}

static void put_unread(struct json *j, const struct report *r, const struct report_note *note) {
    struct buf identity = {0};
    buf_add(&identity, report_path(r, note->span.path));
    buf_printf(&identity, ":%u:", note->span.start.line);
    buf_add(&identity, note->text);
    char fingerprint[24];
    snprintf(fingerprint, sizeof(fingerprint), "%016llx",
             (unsigned long long)str_hash(buf_str(&identity)));
    buf_release(&identity);
    put_quality(j, r, &(struct quality){"unreadable-source", "minor", note->text,
                                        str_from_c(fingerprint), note->span});
}

void report_gitlab(const struct report *report, struct buf *out) {
    struct json j = {.out = out};
    open_in(&j, '[');
    for (size_t i = 0; i < report->findings->items.count; i++) {
        const struct finding *f = &report->findings->items.items[i];
        if (f->part_of.len > 0)
            continue;
        struct buf description = {0};
        buf_printf(&description, "%s: ", rule_code(f->rule));
        put_said(f, &description);
        put_quality(&j, report, &(struct quality){rule_name(f->rule),
                                                  rule_is_error(f->rule) ? "major" : "minor",
                                                  buf_str(&description), f->id, f->span});
        buf_release(&description);
    }
    for (size_t i = 0; i < report->note_count; i++)
        if (report->notes[i].is_error)
            put_unread(&j, report, &report->notes[i]);
    close_in(&j, ']');
    buf_add_char(out, '\n');
}
