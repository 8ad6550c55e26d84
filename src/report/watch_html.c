/* What watch found as one HTML file that asks nothing of anybody: style, script and drawings are in it. */
#include "report/common.h"
#include "report/watch.h"

static void put_escaped(struct str text, struct buf *out) {
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        if (byte == '<')
            buf_add_c(out, "&lt;");
        else if (byte == '>')
            buf_add_c(out, "&gt;");
        else if (byte == '&')
            buf_add_c(out, "&amp;");
        else if (byte == '"')
            buf_add_c(out, "&quot;");
        else if (byte < 0x20 && byte != '\n' && byte != '\t')
            buf_add_char(out, ' ');
        else
            buf_add_char(out, text.ptr[i]);
    }
}

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n<title>lostwrite watch</title>\n<style>\n"
    "body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:70em;padding:0 1em;color:#1c1c1c;background:#fff}\n"
    "h1{font-size:1.4em}h2{font-size:1.15em;margin-top:2em}code,pre,td.sql{font:13px/1.4 ui-monospace,monospace}\n"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.25em .6em;border-bottom:1px solid #ddd;"
    "vertical-align:top}\n"
    "th[data-sort]{cursor:pointer}th[data-sort]::after{content:' \\2195';color:#999}\n"
    "td.number{text-align:right}.possible{color:#777}.where{color:#666;font-size:.85em}\n"
    "svg{width:100%;height:auto;background:#fafafa;border:1px solid #eee}pre{background:#fafafa;padding:1em;"
    "overflow:auto}\n"
    "@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#161616}th,td{border-color:#333}"
    "svg,pre{background:#1e1e1e;border-color:#333}text{fill:#e6e6e6}}\n"
    "</style>\n</head>\n<body>\n";

/* Sorts a table by the column that is clicked: by `data-value` if a cell has one, else by its text. */
static const char script[] =
    "<script>\n"
    "document.querySelectorAll('th[data-sort]').forEach(function(th){th.addEventListener('click',function(){\n"
    "var row=th.parentNode,body=th.closest('table').tBodies[0],at=Array.prototype.indexOf.call(row.children,th);\n"
    "var up=th.dataset.up!=='1';row.querySelectorAll('th').forEach(function(o){delete o.dataset.up});"
    "th.dataset.up=up?'1':'0';\n"
    "var key=function(tr){var td=tr.children[at],v=td.dataset.value;return v===undefined?td.textContent:Number(v)};\n"
    "Array.from(body.rows).sort(function(a,b){var x=key(a),y=key(b);return(x<y?-1:x>y?1:0)*(up?1:-1)})"
    ".forEach(function(tr){body.appendChild(tr)});\n"
    "})});\n</script>\n";

static void put_columns(const struct watch_loss *loss, struct buf *out) {
    for (size_t i = 0; i < loss->column_count; i++) {
        buf_add_c(out, i > 0 ? ", " : "");
        put_escaped(loss->columns[i], out);
    }
}

static bool is_told(const struct watch_report *report, const struct watch_loss *loss) {
    return report->is_pedantic || !loss->is_possible;
}

static void put_time_cell(int64_t time_us, struct buf *out) {
    buf_printf(out, "<td data-value=\"%lld\">", (long long)time_us);
    put_time(time_us, true, out);
    buf_add_c(out, "</td>");
}

static void put_overview(const struct watch_report *report, struct buf *out) {
    buf_add_c(out, "<table id=\"losses\">\n<thead><tr><th data-sort>table</th><th data-sort>columns</th><th data-sort>code</th>"
                   "<th data-sort>evidence</th><th data-sort>seen</th><th data-sort>first</th><th data-sort>last</th>"
                   "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < report->result->losses.count; i++) {
        const struct watch_loss *loss = &report->result->losses.items[i];
        if (!is_told(report, loss))
            continue;
        buf_printf(out, "<tr%s><td><a href=\"#loss-%zu\">", loss->is_possible ? " class=\"possible\"" : "", i + 1);
        put_escaped(loss->table, out);
        buf_add_c(out, "</a></td><td>");
        put_columns(loss, out);
        buf_printf(out, "</td><td>%s %s</td><td>%s%s</td><td class=\"number\" data-value=\"%llu\">%llu</td>", rule_code(loss->rule),
                   rule_name(loss->rule), loss->is_possible ? "possible, " : "", watch_evidence_name(loss->evidence),
                   (unsigned long long)loss->count, (unsigned long long)loss->count);
        put_time_cell(loss->first_us, out);
        put_time_cell(loss->last_us, out);
        buf_add_c(out, "</tr>\n");
    }
    buf_add_c(out, "</tbody>\n</table>\n");
}

enum { DRAWN_WIDTH = 960, LANE_HEIGHT = 60, MARGIN = 110, SHOWN_MAX = 26 };

/* Where a step stands: by its time, but never so near to the one before that they can't be told apart. */
static double place_of(const struct watch_example *example, size_t at) {
    double even = example->step_count > 1 ? (double)at / (double)(example->step_count - 1) : 0;
    int64_t first = example->steps[0].time_us, last = example->steps[example->step_count - 1].time_us;
    int64_t time = example->steps[at].time_us;
    bool is_timed = first >= 0 && time >= first && last > first && time <= last;
    double by_time = is_timed ? (double)(time - first) / (double)(last - first) : even;
    return MARGIN + (0.5 * even + 0.5 * by_time) * (DRAWN_WIDTH - 2 * MARGIN);
}

static void put_drawing(const struct watch_example *example, struct buf *out) {
    static const char *const colors[] = {[WATCH_READ] = "#2a7ae2", [WATCH_WROTE] = "#d33", [WATCH_COMMITTED] = "#2a2"};
    static const char *const labels[] = {[WATCH_READ] = "read", [WATCH_WROTE] = "wrote", [WATCH_COMMITTED] = "commit"};
    buf_printf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"timeline\">\n", DRAWN_WIDTH, 2 * LANE_HEIGHT + 40);
    for (int lane = 0; lane < 2; lane++) {
        int y = 40 + lane * LANE_HEIGHT;
        buf_printf(out, "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke=\"#bbb\"/><text x=\"12\" y=\"%d\" "
                        "font-size=\"16\" font-weight=\"bold\">%c</text>\n",
                   MARGIN - 70, y, DRAWN_WIDTH - 20, y, y + 5, "AB"[lane]);
    }
    for (size_t i = 0; i < example->step_count; i++) {
        const struct watch_step *step = &example->steps[i];
        double x = place_of(example, i);
        int y = 40 + (step->session == 'B' ? LANE_HEIGHT : 0);
        buf_printf(out, "<circle cx=\"%.1f\" cy=\"%d\" r=\"7\" fill=\"%s\"/><text x=\"%.1f\" y=\"%d\" font-size=\"12\" "
                        "text-anchor=\"middle\">%s</text>",
                   x, y, colors[step->did], x, y - 14, labels[step->did]);
        buf_printf(out, "<text x=\"%.1f\" y=\"%d\" font-size=\"12\" text-anchor=\"middle\">", x, y + 24);
        size_t shown = step->values.len < SHOWN_MAX ? step->values.len : SHOWN_MAX;
        while (shown > 0 && shown < step->values.len && ((unsigned char)step->values.ptr[shown] & 0xc0) == 0x80)
            shown--;
        put_escaped(str_sub(step->values, 0, shown), out);
        buf_add_c(out, shown < step->values.len ? "..." : "");
        buf_add_c(out, "</text>\n");
    }
    buf_add_c(out, "</svg>\n");
}

static void put_steps(const struct watch_example *example, struct buf *out) {
    static const char *const did[] = {[WATCH_READ] = "read", [WATCH_WROTE] = "wrote", [WATCH_COMMITTED] = "commit"};
    buf_add_c(out, "<table>\n<thead><tr><th>time</th><th></th><th></th><th>values</th><th>statement</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < example->step_count; i++) {
        const struct watch_step *step = &example->steps[i];
        buf_add_c(out, "<tr><td>");
        put_time(step->time_us, false, out);
        buf_printf(out, "</td><td>%c</td><td>%s</td><td>", step->session, did[step->did]);
        put_escaped(step->values, out);
        buf_add_c(out, "</td><td class=\"sql\">");
        put_escaped(step->sql, out);
        buf_add_c(out, "<div class=\"where\">");
        const struct str parts[] = {step->tag, step->who, step->place.file};
        bool is_first = true;
        for (size_t k = 0; k < sizeof(parts) / sizeof(parts[0]); k++) {
            if (parts[k].len == 0)
                continue;
            buf_add_c(out, is_first ? "" : "; ");
            put_escaped(parts[k], out);
            is_first = false;
        }
        if (step->place.line > 0)
            buf_printf(out, ":%llu", (unsigned long long)step->place.line);
        else
            buf_printf(out, ", byte %llu", (unsigned long long)step->place.offset);
        buf_add_c(out, "</div></td></tr>\n");
    }
    buf_add_c(out, "</tbody>\n</table>\n");
}

static void put_loss(const struct watch_report *report, const struct watch_loss *loss, size_t number, struct buf *out) {
    buf_printf(out, "<section id=\"loss-%zu\">\n<h2>", number);
    put_escaped(loss->table, out);
    buf_printf(out, ": %s %s</h2>\n<p>", rule_code(loss->rule), rule_name(loss->rule));
    struct buf text = {0};
    put_watch_sentence(loss, &text);
    put_escaped(buf_str(&text), out);
    buf_clear(&text);
    buf_add_c(out, ".</p>\n<p>");
    put_watch_rate(&report->result->stats, loss, &text);
    put_escaped(buf_str(&text), out);
    buf_release(&text);
    buf_add_c(out, ".</p>\n");
    if (loss->is_possible) {
        buf_add_c(out, "<p class=\"possible\">Doubt: ");
        put_escaped(loss->doubt, out);
        buf_add_c(out, ".</p>\n");
    }
    for (size_t i = 0; i < loss->examples.count; i++) {
        buf_add_c(out, "<h3><code>");
        put_escaped(loss->examples.items[i].key, out);
        buf_add_c(out, "</code></h3>\n");
        put_drawing(&loss->examples.items[i], out);
        put_steps(&loss->examples.items[i], out);
    }
    buf_add_c(out, "<details><summary>rows</summary><p><code>");
    for (size_t i = 0; i < loss->keys.count; i++) {
        buf_add_c(out, i > 0 ? ", " : "");
        put_escaped(loss->keys.items[i], out);
    }
    buf_add_c(out, "</code></p></details>\n</section>\n");
}

void report_watch_html(const struct watch_report *report, struct buf *out) {
    buf_add_c(out, head);
    buf_add_c(out, "<h1>Lost writes</h1>\n");
    put_overview(report, out);
    for (size_t i = 0; i < report->result->losses.count; i++)
        if (is_told(report, &report->result->losses.items[i]))
            put_loss(report, &report->result->losses.items[i], i + 1, out);
    struct buf text = {0};
    put_watch_coverage(report, &text);
    buf_add_c(out, "<h2>What was watched</h2>\n<pre>");
    put_escaped(buf_str(&text), out);
    buf_add_c(out, "</pre>\n");
    if (report->report->findings != NULL) {
        struct report plain = *report->report;
        plain.is_colored = false;
        plain.is_quiet = true;
        buf_clear(&text);
        report_text(&plain, &text);
        buf_add_c(out, "<h2 id=\"can-lose\">What these transactions can lose</h2>\n<pre>");
        put_escaped(buf_str(&text), out);
        buf_add_c(out, "</pre>\n");
    }
    buf_release(&text);
    buf_printf(out, "<p class=\"where\">lostwrite %s</p>\n", report->report->version);
    buf_add_c(out, script);
    buf_add_c(out, "</body>\n</html>\n");
}
