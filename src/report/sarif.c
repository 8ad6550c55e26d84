/* SARIF 2.1.0 (OASIS, "Static Analysis Results Interchange Format"), as code scanning services take it. The witness is a
 * code flow (3.36): a thread flow for each session, its lines in the order of the schedule (3.38.11). */
#include "report/common.h"
#include "report/json_out.h"
#include "report/place.h"

#define SARIF_SCHEMA                                                                               \
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

static void put_text(struct json *j, const char *name, struct str text) {
    key(j, name);
    open_in(j, '{');
    put_str(j, "text", text);
    close_in(j, '}');
}

/* Brackets and backslashes that are no link (3.11.6). */
static void add_unlinked(struct buf *text, struct str plain) {
    for (size_t i = 0; i < plain.len; i++) {
        if (plain.ptr[i] == '[' || plain.ptr[i] == ']' || plain.ptr[i] == '\\')
            buf_add_char(text, '\\');
        buf_add_char(text, plain.ptr[i]);
    }
}

/* Rules. */

/* What follows the heading, up to the first empty line or heading behind it. */
static struct str first_paragraph(struct str page) {
    size_t from = str_find(page, '\n', 0);
    while (from < page.len && page.ptr[from] == '\n')
        from++;
    size_t to = from;
    while (to < page.len && !(page.ptr[to] == '\n' && to + 1 < page.len && page.ptr[to + 1] == '\n'))
        to++;
    return str_sub(page, from, to);
}

static void put_rule(struct json *j, enum rule rule) {
    item(j);
    open_in(j, '{');
    put_c(j, "id", rule_code(rule));
    put_c(j, "name", rule_name(rule));
    put_text(j, "shortDescription", str_from_c(rule_summary(rule)));
    put_text(j, "fullDescription", first_paragraph(rule_page(rule)));
    key(j, "help");
    open_in(j, '{');
    put_str(j, "text", rule_page(rule));
    put_str(j, "markdown", rule_page(rule));
    close_in(j, '}');
    key(j, "defaultConfiguration");
    open_in(j, '{');
    put_c(j, "level", rule_is_error(rule) ? "error" : "warning");
    close_in(j, '}');
    key(j, "properties");
    open_in(j, '{');
    key(j, "tags");
    buf_add_c(j->out, "[\"concurrency\",\"correctness\",\"database\"]");
    put_c(j, "precision", "high");
    close_in(j, '}');
    close_in(j, '}');
}

static void put_driver(struct json *j, const struct report *r) {
    key(j, "tool");
    open_in(j, '{');
    key(j, "driver");
    open_in(j, '{');
    put_c(j, "name", "lostwrite");
    put_c(j, "version", r->version);
    key(j, "rules");
    open_in(j, '[');
    for (int i = 0; i < RULE_COUNT; i++)
        put_rule(j, (enum rule)i);
    close_in(j, ']');
    close_in(j, '}');
    close_in(j, '}');
}

/* Places. */

static void put_physical(struct json *j, const struct report *r, struct txn_span span) {
    struct str path = report_path(r, span.path);
    bool is_absolute = str_starts(path, "/");
    struct buf uri = {0};
    if (is_absolute)
        buf_add_c(&uri, "file://");
    place_uri(path, &uri);
    key(j, "physicalLocation");
    open_in(j, '{');
    key(j, "artifactLocation");
    open_in(j, '{');
    put_str(j, "uri", buf_str(&uri));
    if (!is_absolute)
        put_c(j, "uriBaseId", "SRCROOT");
    close_in(j, '}');
    buf_release(&uri);
    if (span.start.line > 0) {
        struct region region = place_region(r, span);
        key(j, "region");
        open_in(j, '{');
        put_number(j, "startLine", region.start_line);
        put_number(j, "startColumn", region.start_column);
        if (region.end_line > 0) {
            put_number(j, "endLine", region.end_line);
            put_number(j, "endColumn", region.end_column);
        }
        close_in(j, '}');
    }
    close_in(j, '}');
}

static void put_related(struct json *j, const struct report *r, unsigned id, struct txn_span span,
                        struct str what) {
    item(j);
    open_in(j, '{');
    put_number(j, "id", id);
    put_physical(j, r, span);
    put_text(j, "message", what);
    close_in(j, '}');
}

static bool has_other(const struct finding *f) {
    return f->session_count > 1 && f->other.span.start.line > 0;
}

static void put_related_locations(struct json *j, const struct report *r, const struct finding *f) {
    unsigned id = 0;
    key(j, "relatedLocations");
    open_in(j, '[');
    for (size_t i = 0; i < f->reads.count; i++)
        put_related(j, r, ++id, f->reads.items[i], STR("read here"));
    if (has_other(f)) {
        struct buf what = {0};
        buf_add_c(&what, "the other writer: ");
        add_unlinked(&what, f->other.symbol);
        put_related(j, r, ++id, f->other.span, buf_str(&what));
        buf_release(&what);
    }
    close_in(j, ']');
}

/* A service shows a related location where the message links to it. */
static void put_message(struct json *j, const struct finding *f) {
    struct buf text = {0};
    unsigned id = 0;
    add_unlinked(&text, f->message);
    buf_add_char(&text, '.');
    if (f->also.len > 0) {
        buf_add_c(&text, " Also ");
        add_unlinked(&text, f->also);
        buf_add_char(&text, '.');
    }
    for (size_t i = 0; i < f->reads.count; i++) {
        buf_printf(&text, "%s[%s](%u)", i == 0 ? " Read " : i + 1 == f->reads.count ? " and " : ", ",
                   "here", id + 1);
        id++;
    }
    if (f->reads.count > 0)
        buf_add_char(&text, '.');
    if (has_other(f)) {
        buf_printf(&text, " [Other writer](%u): ", id + 1);
        add_unlinked(&text, f->other.symbol);
        buf_add_char(&text, '.');
    }
    put_text(j, "message", buf_str(&text));
    buf_release(&text);
}

static void put_locations(struct json *j, const struct report *r, const struct finding *f) {
    key(j, "locations");
    open_in(j, '[');
    item(j);
    open_in(j, '{');
    put_physical(j, r, f->span);
    key(j, "logicalLocations");
    open_in(j, '[');
    item(j);
    open_in(j, '{');
    put_str(j, "fullyQualifiedName", f->symbol);
    put_c(j, "kind", "function");
    close_in(j, '}');
    close_in(j, ']');
    close_in(j, '}');
    close_in(j, ']');
}

/* The witness. */

static void put_flow_location(struct json *j, const struct report *r, const struct witness_line *line,
                              struct txn_span span, unsigned order) {
    struct buf text = {0}, result = {0};
    add_unlinked(&text, line->text);
    line_result(line, &result);
    if (result.len > 0) {
        buf_add_c(&text, "  -> ");
        add_unlinked(&text, buf_str(&result));
    }
    item(j);
    open_in(j, '{');
    key(j, "location");
    open_in(j, '{');
    put_physical(j, r, span);
    put_text(j, "message", buf_str(&text));
    close_in(j, '}');
    put_number(j, "executionOrder", order);
    close_in(j, '}');
    buf_release(&text);
    buf_release(&result);
}

/* The lines of one session, numbered over all. One without a place (COMMIT) stands where its step does, else where the
 * session was last. */
static void put_thread(struct json *j, const struct report *r, const struct finding *f,
                       uint8_t session) {
    struct txn_span last = f->span;
    unsigned order = 0;
    item(j);
    open_in(j, '{');
    char letter[2] = {session_letter(session), '\0'};
    put_c(j, "id", letter);
    if (f->session_symbols[session] != NULL) {
        struct buf name = {0};
        add_unlinked(&name, str_from_c(f->session_symbols[session]));
        put_text(j, "message", buf_str(&name));
        buf_release(&name);
    }
    key(j, "locations");
    open_in(j, '[');
    for (size_t i = 0; i < f->witness.steps.count; i++) {
        const struct witness_step *step = &f->witness.steps.items[i];
        const struct witness_line *main = &step->lines.items[step->main];
        for (size_t k = 0; k < step->lines.count; k++) {
            const struct witness_line *line = &step->lines.items[k];
            order++;
            if (line->session != session)
                continue;
            if (line->span.path.len > 0)
                last = line->span;
            else if (main->session == session && main->span.path.len > 0)
                last = main->span;
            put_flow_location(j, r, line, last, order);
        }
    }
    close_in(j, ']');
    close_in(j, '}');
}

static bool takes_part(const struct finding *f, uint8_t session) {
    for (size_t i = 0; i < f->witness.steps.count; i++)
        for (size_t k = 0; k < f->witness.steps.items[i].lines.count; k++)
            if (f->witness.steps.items[i].lines.items[k].session == session)
                return true;
    return false;
}

static void put_code_flows(struct json *j, const struct report *r, const struct finding *f) {
    struct buf level = {0};
    buf_add_c(&level, "a schedule that shows it on ");
    put_level(&f->witness_config, &level);
    key(j, "codeFlows");
    open_in(j, '[');
    item(j);
    open_in(j, '{');
    put_text(j, "message", buf_str(&level));
    key(j, "threadFlows");
    open_in(j, '[');
    for (size_t i = 0; i < f->session_count; i++)
        if (takes_part(f, (uint8_t)i))
            put_thread(j, r, f, (uint8_t)i);
    close_in(j, ']');
    close_in(j, '}');
    close_in(j, ']');
    buf_release(&level);
}

/* Results. */

/* A comment stands in the source; the baseline's entry does not (3.35). */
static void put_suppression(struct json *j, const struct report *r, const struct suppression *s) {
    key(j, "suppressions");
    open_in(j, '[');
    if (s->kind != SUPPRESSION_NONE) {
        item(j);
        open_in(j, '{');
        put_c(j, "kind", s->kind == SUPPRESSION_COMMENT ? "inSource" : "external");
        put_c(j, "status", "accepted");
        if (s->reason.len > 0)
            put_str(j, "justification", s->reason);
        if (s->span.path.len > 0) {
            key(j, "location");
            open_in(j, '{');
            put_physical(j, r, s->span);
            close_in(j, '}');
        }
        close_in(j, '}');
    }
    close_in(j, ']');
}

static void put_result(struct json *j, const struct report *r, const struct finding *f) {
    item(j);
    open_in(j, '{');
    put_c(j, "ruleId", rule_code(f->rule));
    put_number(j, "ruleIndex", (uint64_t)f->rule);
    put_c(j, "level", rule_is_error(f->rule) ? "error" : "warning");
    put_message(j, f);
    put_locations(j, r, f);
    put_related_locations(j, r, f);
    if (f->has_witness)
        put_code_flows(j, r, f);
    key(j, "partialFingerprints");
    open_in(j, '{');
    put_str(j, "lostwriteFinding/v1", f->id);
    close_in(j, '}');
    put_suppression(j, r, &f->suppression);
    close_in(j, '}');
}

static void put_notification(struct json *j, const struct report *r, const char *level,
                             struct str text, struct txn_span span) {
    item(j);
    open_in(j, '{');
    put_c(j, "level", level);
    put_text(j, "message", text);
    key(j, "locations");
    open_in(j, '[');
    item(j);
    open_in(j, '{');
    put_physical(j, r, span);
    close_in(j, '}');
    close_in(j, ']');
    close_in(j, '}');
}

/* A file that could not be read in full is a part of the project that nothing is known of. */
static void put_invocation(struct json *j, const struct report *r) {
    key(j, "invocations");
    open_in(j, '[');
    item(j);
    open_in(j, '{');
    key(j, "executionSuccessful");
    buf_add_c(j->out, r->summary.broken_file_count == 0 ? "true" : "false");
    key(j, "toolExecutionNotifications");
    open_in(j, '[');
    for (size_t i = 0; i < r->note_count; i++)
        if (r->notes[i].is_error || r->is_verbose)
            put_notification(j, r, r->notes[i].is_error ? "error" : "note", r->notes[i].text,
                             r->notes[i].span);
    for (size_t i = 0; i < r->warning_count; i++)
        if (!r->warnings[i].is_detail)
            put_notification(j, r, "warning", r->warnings[i].text, r->warnings[i].span);
    close_in(j, ']');
    close_in(j, '}');
    close_in(j, ']');
}

void report_sarif(const struct report *report, struct buf *out) {
    struct json j = {.out = out};
    open_in(&j, '{');
    put_c(&j, "$schema", SARIF_SCHEMA);
    put_c(&j, "version", "2.1.0");
    key(&j, "runs");
    open_in(&j, '[');
    item(&j);
    open_in(&j, '{');
    put_driver(&j, report);
    put_c(&j, "columnKind", "utf16CodeUnits");
    key(&j, "originalUriBaseIds");
    open_in(&j, '{');
    key(&j, "SRCROOT");
    open_in(&j, '{');
    put_text(&j, "description", STR("The folder in which lostwrite ran."));
    close_in(&j, '}');
    close_in(&j, '}');
    put_invocation(&j, report);
    key(&j, "results");
    open_in(&j, '[');
    for (size_t i = 0; i < report->findings->items.count; i++)
        if (report->findings->items.items[i].part_of.len == 0)
            put_result(&j, report, &report->findings->items.items[i]);
    for (size_t i = 0; i < report->findings->suppressed.count; i++)
        put_result(&j, report, &report->findings->suppressed.items[i]);
    close_in(&j, ']');
    close_in(&j, '}');
    close_in(&j, ']');
    close_in(&j, '}');
    buf_add_char(out, '\n');
}
