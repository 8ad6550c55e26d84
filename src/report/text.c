/* Findings for people. */
#include "report/common.h"
#include "report/report.h"

enum { WIDTH = 100 };

static const char *bold(const struct report *r) {
    return r->is_colored ? "\033[1m" : "";
}

static const char *red(const struct report *r) {
    return r->is_colored ? "\033[31m" : "";
}

static const char *dim(const struct report *r) {
    return r->is_colored ? "\033[2m" : "";
}

static const char *plain(const struct report *r) {
    return r->is_colored ? "\033[0m" : "";
}

static struct str source_line(const struct report *r, struct txn_span span, uint32_t line) {
    if (r->source == NULL || span.path.len == 0)
        return (struct str){0};
    return text_line(r->source(r->source_context, span.path), line);
}

static struct str trimmed(struct str text) {
    size_t from = 0;
    while (from < text.len && (text.ptr[from] == ' ' || text.ptr[from] == '\t'))
        from++;
    return str_sub(text, from, text.len);
}

/* The line with a caret under the span, and a word beside it. */
static void excerpt(const struct report *r, struct txn_span span, const char *what,
                    struct buf *out) {
    struct str line = source_line(r, span, span.start.line);
    if (line.len == 0)
        return;
    buf_printf(out, "%s%5u |%s %.*s\n", dim(r), span.start.line, plain(r), STR_ARG(line));
    size_t from = span.start.column > 0 ? span.start.column - 1 : 0;
    size_t to = span.end.line == span.start.line && span.end.column > span.start.column
                    ? span.end.column - 1
                    : line.len;
    if (from >= line.len)
        return;
    if (to > line.len)
        to = line.len;
    buf_printf(out, "%s      |%s ", dim(r), plain(r));
    for (size_t i = 0; i < from; i++)
        buf_add_char(out, line.ptr[i] == '\t' ? '\t' : ' ');
    buf_printf(out, "%s", red(r));
    buf_add_repeat(out, '^', to > from ? to - from : 1);
    buf_printf(out, "%s %s\n", plain(r), what);
}

static void put_scope(const struct finding *f, struct buf *out) {
    switch (f->scope) {
    case SCOPE_AUTOCOMMIT:
        buf_add_c(out, "  The read and the write are in no transaction: no isolation level prevents "
                       "this.\n");
        return;
    case SCOPE_MIXED:
        buf_add_c(out, "  The read and the write are in different transactions: no isolation level "
                       "prevents this.\n");
        return;
    case SCOPE_TRANSACTION:
        buf_add_c(out, "  The read and the write are in one transaction: it depends on the isolation "
                       "level.\n");
        return;
    }
}

static void put_places(const struct report *r, const struct finding *f, struct buf *out) {
    for (size_t i = 0; i < f->reads.count; i++) {
        buf_printf(out, "  read here: %.*s:%u\n", STR_ARG(f->reads.items[i].path),
                   f->reads.items[i].start.line);
        excerpt(r, f->reads.items[i], "read here", out);
    }
    if (f->session_count > 1) {
        buf_printf(out, "  other writer: %.*s, %.*s:%u\n", STR_ARG(f->other.symbol),
                   STR_ARG(f->other.span.path), f->other.span.start.line);
        bool is_same = f->other.span.start.line == f->span.start.line &&
                       str_equal(f->other.span.path, f->span.path);
        if (!is_same)
            excerpt(r, f->other.span, "written here", out);
    }
}

/* Timeline: one column a session. */

static void wrap(struct str text, size_t width, size_t line, struct str *part) {
    /* The line-th piece of the text, broken at blanks where there is one. */
    size_t from = 0;
    for (size_t i = 0;; i++) {
        while (i > 0 && from < text.len && text.ptr[from] == ' ')
            from++;
        size_t to = from + width < text.len ? from + width : text.len;
        if (to < text.len)
            for (size_t k = to; k > from + width / 2; k--)
                if (text.ptr[k] == ' ') {
                    to = k;
                    break;
                }
        if (i == line || from >= text.len) {
            *part = i == line ? str_sub(text, from, to) : (struct str){0};
            return;
        }
        from = to;
    }
}

static void put_column(struct buf *out, struct str text, size_t width, size_t indent) {
    for (size_t line = 0;; line++) {
        struct str part;
        wrap(text, width, line, &part);
        if (part.len == 0)
            return;
        buf_add_repeat(out, ' ', indent + (line > 0 ? 2 : 0));
        buf_printf(out, "%.*s\n", STR_ARG(part));
    }
}

static void put_line(const struct report *r, const struct witness_line *line, size_t session_count,
                     struct buf *out) {
    size_t columns = session_count <= 2 ? session_count : 1;
    size_t width = (WIDTH - 8) / (columns > 0 ? columns : 1) - 2;
    size_t indent = 6 + (columns > 1 ? line->session * (width + 2) : 0);
    struct buf text = {0};
    buf_printf(&text, "%c  %s", session_letter(line->session), line->is_resumed ? "goes on: " : "");
    if (!line->is_resumed)
        buf_add(&text, line->text);
    struct buf result = {0};
    line_result(line, &result);
    if (result.len > 0)
        buf_printf(&text, "%s%.*s", line->is_resumed ? "" : "  -> ", STR_ARG(buf_str(&result)));
    struct str code = trimmed(source_line(r, line->span, line->span.start.line));
    if (code.len > 0 && !line->is_resumed && line->kind != TRACE_BEGIN &&
        line->kind != TRACE_COMMIT && line->kind != TRACE_ROLLBACK && line->kind != TRACE_UNLOCK)
        buf_printf(&text, "   # %u: %.*s", line->span.start.line, STR_ARG(code));
    put_column(out, buf_str(&text), width, indent);
    buf_release(&text);
    buf_release(&result);
}

static void put_witness(const struct report *r, const struct db_config *config,
                        const struct witness *witness, const struct serial_texts *serial,
                        size_t session_count, struct buf *out) {
    buf_printf(out, "\n  %sWitness%s on %s, %s:\n", bold(r), plain(r), engine_name(config->engine),
               level_name(config));
    for (size_t i = 0; i < witness->steps.count; i++)
        for (size_t k = 0; k < witness->steps.items[i].lines.count; k++)
            put_line(r, &witness->steps.items[i].lines.items[k], session_count, out);
    buf_printf(out, "    ends in   %.*s\n", STR_ARG(witness->outcome));
    for (size_t i = 0; i < serial->ends.count; i++)
        buf_printf(out, "    %s %.*s\n", i == 0 ? "in turn  " : "or       ",
                   STR_ARG(serial->ends.items[i].text));
}

/* The table of engines and levels. */

static void cell_text(const struct cell_verdict *cell, enum engine_kind engine, struct buf *out) {
    switch (cell->verdict) {
    case VERDICT_LOST:
        buf_add_c(out, "LOST");
        return;
    case VERDICT_OK:
        buf_add_c(out, "ok");
        return;
    case VERDICT_LIMIT:
        buf_add_c(out, "LIMIT");
        return;
    case VERDICT_DEADLOCK:
    case VERDICT_ERROR:
        buf_add_c(out, db_error_code(cell->error, engine));
        if (cell->verdict == VERDICT_DEADLOCK)
            buf_add_c(out, " deadlock");
        if (cell->has_failed_effects)
            buf_add_c(out, " after effect");
        return;
    }
}

static void put_table(const struct report *r, const struct cell_verdict *cells,
                      const struct db_config *users, struct buf *out) {
    static const char *const levels[] = {"read committed", "repeatable read", "snapshot isolation",
                                         "serializable", "immediate"};
    enum { CELL_WIDTH = 19 };
    buf_printf(out, "\n  %s%-11s", bold(r), "");
    for (size_t i = 0; i < 5; i++)
        buf_printf(out, "%-*s", i < 4 ? CELL_WIDTH : 0, levels[i]);
    buf_printf(out, "%s\n", plain(r));
    for (int engine = ENGINE_POSTGRESQL; engine <= ENGINE_SQLITE; engine++) {
        buf_printf(out, "  %-11s", engine_name((enum engine_kind)engine));
        for (size_t level = 0; level < 5; level++) {
            struct buf text = {0};
            for (int i = 0; i < POLICY_COUNT; i++) {
                const struct db_config *config = &policy_info(i)->config;
                if ((int)config->engine != engine ||
                    strcmp(level_name(config), levels[level]) != 0)
                    continue;
                cell_text(&cells[i], config->engine, &text);
                if (users != NULL && is_policy(i, users))
                    buf_add_c(&text, " *");
            }
            struct str cell = text.len > 0 ? buf_str(&text) : STR("-");
            buf_add(out, cell);
            if (level < 4)
                buf_add_repeat(out, ' ', cell.len < CELL_WIDTH ? CELL_WIDTH - cell.len : 1);
            buf_release(&text);
        }
        buf_add_char(out, '\n');
    }
}

/* Fixes. */

static void put_where(const struct fix *fix, enum verdict verdict, struct buf *out) {
    size_t count = 0;
    for (int i = 0; i < POLICY_COUNT; i++)
        if (fix->is_explored[i] && fix->cells[i].verdict == verdict)
            buf_printf(out, "%s%s", count++ > 0 ? "; " : "", policy_info(i)->heading);
}

static bool has_verdict(const struct fix *fix, enum verdict verdict) {
    for (int i = 0; i < POLICY_COUNT; i++)
        if (fix->is_explored[i] && fix->cells[i].verdict == verdict)
            return true;
    return false;
}

static void put_fix(const struct report *r, const struct fix *fix, struct buf *out) {
    static const char *const words[] = {[FIX_SAFE] = "safe",
                                        [FIX_LOST] = "still loses",
                                        [FIX_DEADLOCK] = "deadlocks",
                                        [FIX_RETRY] = "loses nothing, but needs a retry",
                                        [FIX_CHANGES] = "changes what the function does"};
    buf_printf(out, "    %s%s%s: %.*s\n", bold(r), words[fix->verdict], plain(r),
               STR_ARG(fix->text));
    static const struct {
        enum verdict verdict;
        const char *word;
    } others[] = {{VERDICT_LOST, "still loses on "},
                  {VERDICT_DEADLOCK, "deadlocks on "},
                  {VERDICT_ERROR, "needs a retry on "}};
    for (size_t i = 0; i < 3; i++) {
        if (!has_verdict(fix, others[i].verdict))
            continue;
        struct buf text = {0};
        buf_add_c(&text, others[i].word);
        put_where(fix, others[i].verdict, &text);
        put_column(out, buf_str(&text), WIDTH - 12, 10);
        buf_release(&text);
    }
}

static void put_finding(const struct report *r, const struct finding *f, struct buf *out) {
    buf_printf(out, "%s%.*s:%u:%u: %s%s%s %s%s: %.*s\n", bold(r), STR_ARG(f->span.path),
               f->span.start.line, f->span.start.column, red(r), rule_code(f->rule), plain(r),
               bold(r), rule_name(f->rule), STR_ARG(f->message));
    buf_printf(out, "%s", plain(r));
    excerpt(r, f->span, f->rule == RULE_NEVER_SAVED ? "assigned here" : "written here", out);
    put_places(r, f, out);
    if (f->has_cells && f->session_count > 1)
        put_scope(f, out);
    if (f->has_witness)
        put_witness(r, &f->witness_config, &f->witness, &f->serial, f->session_count, out);
    if (f->has_cells)
        put_table(r, f->cells, f->has_witness ? &f->witness_config : NULL, out);
    if (f->fixes.items.count > 0)
        buf_printf(out, "\n  %sFixes%s, each searched in the same way:\n", bold(r), plain(r));
    for (size_t i = 0; i < f->fixes.items.count; i++)
        put_fix(r, &f->fixes.items.items[i], out);
    buf_printf(out, "\n  explain: lostwrite explain %s\n\n", rule_code(f->rule));
}

static void put_notes(const struct report *r, struct buf *out) {
    for (size_t i = 0; i < r->note_count; i++) {
        const struct report_note *note = &r->notes[i];
        if (!note->is_error && !r->is_verbose)
            continue;
        buf_printf(out, "%.*s:%u:%u: %s: %.*s\n", STR_ARG(note->span.path), note->span.start.line,
                   note->span.start.column, note->is_error ? "error" : "not modelled",
                   STR_ARG(note->text));
    }
}

static const char *plural(size_t count) {
    return count == 1 ? "" : "s";
}

static void put_summary(const struct report *r, struct buf *out) {
    const struct report_summary *s = &r->summary;
    size_t count = r->findings->items.count, not_modelled = 0;
    size_t by_rule[RULE_COUNT] = {0};
    for (size_t i = 0; i < count; i++)
        by_rule[r->findings->items.items[i].rule]++;
    for (size_t i = 0; i < r->note_count; i++)
        not_modelled += !r->notes[i].is_error;
    buf_printf(out, "%s%zu finding%s%s", bold(r), count, plural(count), plain(r));
    const char *before = " (";
    for (int i = 0; i < RULE_COUNT; i++)
        if (by_rule[i] > 0) {
            buf_printf(out, "%s%zu %s", before, by_rule[i], rule_code((enum rule)i));
            before = ", ";
        }
    buf_add_c(out, count > 0 ? ")" : "");
    buf_printf(out, " in %zu file%s, %zu line%s.\n", s->file_count, plural(s->file_count),
               s->line_count, plural(s->line_count));
    buf_printf(out, "%zu function%s that touch%s the ORM, %zu modelled without a gap (%zu %%); "
                    "%zu place%s not modelled%s.\n",
               s->function_count, plural(s->function_count), s->function_count == 1 ? "es" : "",
               s->modelled_count,
               s->function_count > 0 ? s->modelled_count * 100 / s->function_count : 100,
               not_modelled, plural(not_modelled),
               not_modelled > 0 && !r->is_verbose ? " (--verbose lists them)" : "");
    if (s->broken_file_count > 0)
        buf_printf(out, "%zu file%s could not be read in full.\n", s->broken_file_count,
                   plural(s->broken_file_count));
    if (s->limit_count > 0)
        buf_printf(out, "%zu search%s hit a limit: those say nothing of what was not reached.\n",
                   s->limit_count, s->limit_count == 1 ? "" : "es");
}

void report_text(const struct report *report, struct buf *out) {
    for (size_t i = 0; i < report->findings->items.count; i++)
        put_finding(report, &report->findings->items.items[i], out);
    put_notes(report, out);
    put_summary(report, out);
}

void report_concise(const struct report *report, struct buf *out) {
    for (size_t i = 0; i < report->findings->items.count; i++) {
        const struct finding *f = &report->findings->items.items[i];
        buf_printf(out, "%.*s:%u:%u: %s %.*s\n", STR_ARG(f->span.path), f->span.start.line,
                   f->span.start.column, rule_code(f->rule), STR_ARG(f->message));
    }
    for (size_t i = 0; i < report->note_count; i++)
        if (report->notes[i].is_error)
            buf_printf(out, "%.*s:%u:%u: error %.*s\n", STR_ARG(report->notes[i].span.path),
                       report->notes[i].span.start.line, report->notes[i].span.start.column,
                       STR_ARG(report->notes[i].text));
}

static void put_count_table(const struct cell_verdict *cells, struct buf *out) {
    buf_printf(out, "\n  %-45s %9s %9s %13s %8s %7s %6s %9s\n", "every schedule", "schedules",
               "wrong", "serialization", "deadlock", "timeout", "unique", "waits");
    for (int i = 0; i < POLICY_COUNT; i++) {
        const struct counts *c = &cells[i].counts;
        buf_printf(out, "  %-45s %9llu %9llu %13llu %8llu %7llu %6llu %9llu\n",
                   policy_info(i)->heading, (unsigned long long)c->schedules,
                   (unsigned long long)c->wrong, (unsigned long long)c->serialization,
                   (unsigned long long)c->deadlock, (unsigned long long)c->timeout,
                   (unsigned long long)c->unique, (unsigned long long)c->waits);
    }
}

static void put_run(const struct report *r, const struct report_run *run, struct buf *out) {
    buf_printf(out, "%s", bold(r));
    if (run->name.len > 0)
        buf_printf(out, "%.*s: ", STR_ARG(run->name));
    for (size_t i = 0; i < run->setup->session_count; i++)
        buf_printf(out, "%s%c %.*s", i > 0 ? " || " : "", session_letter((uint8_t)i),
                   STR_ARG(run->symbols[i]));
    buf_printf(out, "%s\n", plain(r));
    put_table(r, run->cells, run->has_witness ? &run->witness_config : NULL, out);
    if (run->has_counts)
        put_count_table(run->cells, out);
    if (run->findings->items.count == 0 && run->has_witness)
        put_witness(r, &run->witness_config, &run->witness, &run->serial, run->setup->session_count,
                    out);
    buf_add_char(out, '\n');
    for (size_t i = 0; i < run->findings->items.count; i++)
        put_finding(r, &run->findings->items.items[i], out);
}

void report_prove_text(const struct report *report, const struct report_run *runs, size_t run_count,
                       struct buf *out) {
    for (size_t i = 0; i < run_count; i++)
        put_run(report, &runs[i], out);
}
