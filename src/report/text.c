/* Findings for people: what and where, the witness, the table, the fixes. The parts that need room of their own are
 * in timeline.c, difference.c and table.c. */
#include "base/assert.h"
#include "report/common.h"
#include "report/difference.h"
#include "report/layout.h"
#include "report/proof.h"
#include "report/table.h"
#include "report/timeline.h"

#include <stdarg.h>

enum { PLACES_MAX = 8 };

/* Excerpts. */

struct place {
    struct txn_span span;
    const char *what;
    bool is_main;
};

static bool same_line(struct txn_span a, struct txn_span b) {
    return a.start.line == b.start.line && str_equal(a.path, b.path);
}

static void put_caret(const struct report *r, const struct place *place, struct str line,
                      struct buf *out) {
    size_t from = place->span.start.column > 0 ? place->span.start.column - 1 : 0;
    size_t to = place->span.end.line == place->span.start.line &&
                        place->span.end.column > place->span.start.column
                    ? place->span.end.column - 1
                    : line.len;
    if (from >= line.len)
        return;
    to = to > line.len ? line.len : to;
    put_styled(r, STYLE_DIM, STR("       | "), out);
    for (size_t i = 0; i < from; i++)
        buf_add_char(out, line.ptr[i] == '\t' ? '\t' : ' ');
    size_t carets = text_width(str_sub(line, from, to));
    buf_add_c(out, style(r, STYLE_RED));
    buf_add_repeat(out, '^', carets > 0 ? carets : 1);
    buf_printf(out, " %s%s\n", place->what, style(r, STYLE_PLAIN));
}

/* The place's line; under the main one a caret, beside others what they are. */
static void put_excerpt(const struct report *r, const struct place *place, struct buf *out) {
    struct str line = report_source_line(r, place->span, place->span.start.line);
    char number[16];
    if (line.len == 0)
        return;
    snprintf(number, sizeof(number), "%6u | ", place->span.start.line);
    put_styled(r, STYLE_DIM, str_from_c(number), out);
    buf_add(out, line);
    if (!place->is_main) {
        size_t width = text_width(line), at = report_width(r) < 90 ? 46 : 62;
        buf_add_repeat(out, ' ', width + 2 < at ? at - width : 2);
        buf_printf(out, "%s<- %s%s", style(r, STYLE_CYAN), place->what, style(r, STYLE_PLAIN));
    }
    buf_add_char(out, '\n');
    if (place->is_main)
        put_caret(r, place, line, out);
}

static void add_place(struct place *places, size_t *count, struct place place) {
    for (size_t i = 0; i < *count; i++)
        if (same_line(places[i].span, place.span))
            return;
    if (*count == PLACES_MAX || place.span.start.line == 0)
        return;
    size_t at = (*count)++;
    while (at > 0 && str_equal(places[at - 1].span.path, place.span.path) &&
           places[at - 1].span.start.line > place.span.start.line) {
        places[at] = places[at - 1];
        at--;
    }
    places[at] = place;
}

/* " (view /orders/<pk>/)" */
static void put_root(struct str root, struct buf *out) {
    if (root.len > 0)
        buf_printf(out, " (%.*s)", STR_ARG(root));
}

/* Reads and the write, those of one file in the order of its lines. */
static void put_places(const struct report *r, const struct finding *f, struct buf *out) {
    struct place places[PLACES_MAX];
    size_t count = 0;
    const char *main = f->rule == RULE_NEVER_SAVED      ? "assigned here"
                       : f->rule == RULE_EFFECT_BEFORE_COMMIT ? "happens here"
                                                        : "written here";
    add_place(places, &count, (struct place){f->span, main, true});
    for (size_t i = 0; i < f->reads.count; i++)
        add_place(places, &count, (struct place){f->reads.items[i], "read here", false});
    struct str path = f->span.path;
    for (size_t i = 0; i < count; i++) {
        if (!str_equal(places[i].span.path, path))
            buf_printf(out, "  in %.*s\n", STR_ARG(places[i].span.path));
        path = places[i].span.path;
        put_excerpt(r, &places[i], out);
    }
    if (f->session_count < 2 || f->other.span.start.line == 0)
        return;
    struct str other = str_equal(f->other.symbol, f->symbol) ? STR("itself") : f->other.symbol;
    buf_printf(out, "  other writer: %.*s", STR_ARG(other));
    put_root(f->other.root, out);
    buf_add_c(out, ", ");
    if (str_equal(f->other.span.path, f->span.path))
        buf_printf(out, "line %u\n", f->other.span.start.line);
    else
        buf_printf(out, "%.*s:%u\n", STR_ARG(f->other.span.path), f->other.span.start.line);
    for (size_t i = 0; i < count; i++)
        if (same_line(places[i].span, f->other.span))
            return;
    put_excerpt(r, &(struct place){f->other.span, "written here", false}, out);
}

/* How the write comes to be made, who else writes there, and what was assumed. */
static void put_surroundings(const struct report *r, const struct finding *f, struct buf *out) {
    enum { WRITERS_NAMED_MAX = 3 };
    size_t count = f->writers.count;
    struct buf text = {0};
    if (f->root.len > 0 || (f->entry.len > 0 && !str_equal(f->entry, f->symbol))) {
        buf_printf(&text, "run by %.*s", STR_ARG(f->entry));
        put_root(f->root, &text);
        put_wrapped(out, buf_str(&text), 2, 4, report_width(r));
    }
    buf_clear(&text);
    bool is_named = count == 1 && str_equal(f->writers.items[0].symbol, f->other.symbol);
    if (count > 0 && !is_named) {
        buf_printf(&text, "%zu other function%s this row: ", count, count == 1 ? " writes" : "s write");
        for (size_t i = 0; i < count && i < WRITERS_NAMED_MAX; i++) {
            buf_printf(&text, "%s%.*s", i > 0 ? ", " : "", STR_ARG(f->writers.items[i].symbol));
            put_root(f->writers.items[i].root, &text);
        }
        buf_add_c(&text, count > WRITERS_NAMED_MAX ? ", ..." : "");
        put_wrapped(out, buf_str(&text), 2, 4, report_width(r));
    }
    buf_clear(&text);
    if (f->assumption.len > 0) {
        buf_printf(&text, "assumes %.*s", STR_ARG(f->assumption));
        put_wrapped(out, buf_str(&text), 2, 4, report_width(r));
    }
    buf_release(&text);
}

static void put_scope(const struct finding *f, struct buf *out) {
    switch (f->scope) {
    case SCOPE_AUTOCOMMIT:
        buf_add_c(out, "  Read and write are in no transaction: no isolation level prevents "
                       "this.\n");
        return;
    case SCOPE_MIXED:
        buf_add_c(out, "  Read and write are in different transactions: no isolation level "
                       "prevents this.\n");
        return;
    case SCOPE_TRANSACTION:
        buf_add_c(out, "  Read and write are in one transaction: it depends on the isolation "
                       "level.\n");
        return;
    }
}

/* The witness. */

static void put_sessions(const struct report *r, const struct finding *f, struct buf *out) {
    for (size_t i = 0; i < f->session_count; i++) {
        if (f->session_symbols[i] == NULL)
            continue;
        char letter[2] = {session_letter((uint8_t)i), '\0'};
        size_t text_at = TIMELINE_LANES_AT + TIMELINE_LANE_WIDTH * f->session_count + 1;
        size_t lane_at = TIMELINE_LANES_AT + TIMELINE_LANE_WIDTH * i;
        buf_add_repeat(out, ' ', lane_at);
        put_styled(r, i % 2 == 0 ? STYLE_CYAN : STYLE_YELLOW, str_from_c(letter), out);
        buf_add_repeat(out, ' ', text_at - lane_at - 1);
        put_cut(out, str_from_c(f->session_symbols[i]), report_width(r) - text_at);
        buf_add_char(out, '\n');
    }
}

static void put_witness_heading(const struct report *r, const char *what,
                                const struct db_config *config, struct buf *out) {
    buf_add_c(out, "\n  ");
    put_styled(r, STYLE_BOLD, str_from_c(what), out);
    buf_add_c(out, " on ");
    put_level(config, out);
    buf_add_c(out, ":\n");
}

static void put_witness(const struct report *r, const struct finding *f, struct buf *out) {
    struct timeline timeline = {
        .report = r,
        .witness = &f->witness,
        .session_count = f->session_count,
        .brief = {.pool = f->pool,
                  .engine = f->witness_config.engine,
                  .focus = {f->table, f->columns.items, f->columns.count}},
        .path = f->span.path,
        .culprit = finding_culprit(f)};
    put_witness_heading(r, "Witness", &f->witness_config, out);
    put_sessions(r, f, out);
    timeline_print(&timeline, out);
    difference_print(r, &f->witness.ending, &f->serial, out);
}

/* Fixes. */

static uint32_t policies_with(const struct fix *fix, enum verdict verdict) {
    uint32_t policies = 0;
    for (int i = 0; i < POLICY_COUNT; i++)
        if (fix->is_explored[i] && fix->cells[i].verdict == verdict)
            policies |= 1u << i;
    return policies;
}

/* What it costs, and where it does not do. */
static void put_costs(const struct fix *fix, struct buf *out) {
    static const struct {
        enum verdict verdict;
        const char *words;
    } others[] = {{VERDICT_LOST, "still loses on "},
                  {VERDICT_DEADLOCK, "deadlocks on "},
                  {VERDICT_ERROR, "an error to handle on "},
                  {VERDICT_LIMIT, "not known on "}};
    uint32_t all = 0;
    buf_add_c(out, fix_cost(fix->kind));
    for (int i = 0; i < POLICY_COUNT; i++)
        all |= fix->is_explored[i] ? 1u << i : 0;
    for (size_t i = 0; i < LW_COUNT_OF(others); i++) {
        uint32_t policies = policies_with(fix, others[i].verdict);
        if (policies == 0)
            continue;
        buf_add_c(out, out->len > 0 ? "; " : "");
        buf_add_c(out, others[i].words);
        if (policies == all)
            buf_add_c(out, "every engine");
        else
            put_policies(policies, all, out);
    }
}

static void put_fix(const struct report *r, const struct fix *fix, struct buf *out) {
    static const struct {
        const char *word;
        enum style style;
    } verdicts[] = {[FIX_SAFE] = {"safe", STYLE_GREEN},
                    [FIX_LOST] = {"loses", STYLE_RED},
                    [FIX_DEADLOCK] = {"deadlocks", STYLE_YELLOW},
                    [FIX_RETRY] = {"retry", STYLE_YELLOW},
                    [FIX_CHANGES] = {"differs", STYLE_YELLOW},
                    [FIX_LIMIT] = {"unknown", STYLE_YELLOW}};
    enum { TEXT_AT = 15 };
    struct str text = fix->text;
    struct str line = wrap_next(&text, report_width(r) - TEXT_AT);
    const char *word = verdicts[fix->verdict].word;
    buf_add_c(out, "    ");
    put_styled(r, verdicts[fix->verdict].style, str_from_c(word), out);
    buf_add_repeat(out, ' ', TEXT_AT - 4 - strlen(word));
    buf_add(out, line);
    buf_add_char(out, '\n');
    put_wrapped(out, text, TEXT_AT, 0, report_width(r));
    struct buf costs = {0};
    if (fix->verdict != FIX_LOST) /* nobody will ask what it costs */
        put_costs(fix, &costs);
    if (costs.len > 0) {
        buf_add_c(out, style(r, STYLE_DIM));
        put_wrapped(out, buf_str(&costs), TEXT_AT + 2, 2, report_width(r));
        buf_add_c(out, style(r, STYLE_PLAIN));
    }
    buf_release(&costs);
}

static void put_fixes(const struct report *r, const struct finding *f, struct buf *out) {
    if (f->fixes.items.count == 0)
        return;
    buf_add_c(out, "\n  ");
    put_styled(r, STYLE_BOLD, STR("Fixes"), out);
    buf_add_c(out, ", each put to the same search on ");
    put_level(&f->witness_config, out);
    buf_add_c(out, ":\n");
    for (size_t i = 0; i < f->fixes.items.count; i++)
        put_fix(r, &f->fixes.items.items[i], out);
}

/* What else is wrong with the same write. */
static void put_also(const struct report *r, const struct finding *f, struct buf *out) {
    struct buf text = {0};
    buf_add_c(&text, "also ");
    buf_add(&text, f->also);
    put_wrapped(out, buf_str(&text), 2, 2, report_width(r));
    buf_release(&text);
}

void finding_print(const struct report *r, const struct finding *f, struct buf *out) {
    buf_printf(out, "%s%.*s:%u:%u: %s%s%s %s%s%s in %.*s\n", style(r, STYLE_BOLD),
               STR_ARG(f->span.path), f->span.start.line, f->span.start.column,
               style(r, STYLE_RED), rule_code(f->rule), style(r, STYLE_PLAIN),
               style(r, STYLE_BOLD), rule_name(f->rule), style(r, STYLE_PLAIN),
               STR_ARG(f->symbol));
    put_wrapped(out, f->message, 2, 0, report_width(r));
    if (f->also.len > 0)
        put_also(r, f, out);
    put_places(r, f, out);
    put_surroundings(r, f, out);
    if (f->has_cells && f->session_count > 1)
        put_scope(f, out);
    if (f->has_witness)
        put_witness(r, f, out);
    if (f->has_cells) {
        buf_add_char(out, '\n');
        table_print(r, f->cells, f->has_witness ? &f->witness_config : NULL, out);
    }
    put_fixes(r, f, out);
    buf_printf(out, "  More: lostwrite explain %s; this one is %.*s\n\n", rule_code(f->rule),
               STR_ARG(f->id));
}

static void put_note(const struct report_note *note, struct buf *out) {
    buf_add(out, note->span.path);
    if (note->span.start.line > 0)
        buf_printf(out, ":%u:%u", note->span.start.line, note->span.start.column);
    buf_printf(out, ": %s: %.*s\n", note->is_error ? "error" : "not modelled",
               STR_ARG(note->text));
}

static void put_warnings(const struct report *r, struct buf *out) {
    for (size_t i = 0; i < r->warning_count && !r->is_quiet; i++) {
        const struct report_warning *w = &r->warnings[i];
        if (!w->is_detail || r->is_verbose)
            buf_printf(out, "%.*s:%u:%u: warning: %.*s\n", STR_ARG(w->span.path), w->span.start.line,
                       w->span.start.column, STR_ARG(w->text));
    }
}

/* One line each, for those who ask for more. */
static void put_suppressed_findings(const struct report *r, struct buf *out) {
    for (size_t i = 0; r->is_verbose && i < r->findings->suppressed.count; i++) {
        const struct finding *f = &r->findings->suppressed.items[i];
        struct str reason = f->suppression.reason;
        bool is_comment = f->suppression.kind == SUPPRESSION_COMMENT;
        buf_printf(out, "%.*s:%u:%u: %s: %s%s%.*s\n", STR_ARG(f->span.path), f->span.start.line,
                   f->span.start.column, is_comment ? "suppressed" : "known to the baseline",
                   rule_code(f->rule), reason.len > 0 ? ", " : "", STR_ARG(reason));
    }
}

static void put_notes(const struct report *r, struct buf *out) {
    for (size_t i = 0; i < r->note_count; i++) {
        const struct report_note *note = &r->notes[i];
        if (!note->is_error && !r->is_verbose)
            continue;
        put_note(note, out);
    }
}

static const char *plural(size_t count) {
    return count == 1 ? "" : "s";
}

static void put_found(const struct report *r, struct buf *out) {
    const struct report_summary *s = &r->summary;
    size_t count = findings_count(r->findings), by_rule[RULE_COUNT] = {0};
    for (size_t i = 0; i < r->findings->items.count; i++)
        if (r->findings->items.items[i].part_of.len == 0)
            by_rule[r->findings->items.items[i].rule]++;
    buf_printf(out, "%s%zu finding%s%s", style(r, STYLE_BOLD), count, plural(count),
               style(r, STYLE_PLAIN));
    const char *before = " (";
    for (int i = 0; i < RULE_COUNT; i++)
        if (by_rule[i] > 0) {
            buf_printf(out, "%s%zu %s", before, by_rule[i], rule_code((enum rule)i));
            before = ", ";
        }
    buf_add_c(out, count > 0 ? ")" : "");
    buf_printf(out, " in %zu file%s, %zu line%s.\n", s->file_count, plural(s->file_count),
               s->line_count, plural(s->line_count));
}

/* One sentence of the summary, on lines of its own. */
__attribute__((format(printf, 3, 4))) static void put_sentence(const struct report *r,
                                                               struct buf *out,
                                                               const char *format, ...) {
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    put_wrapped(out, str_from_c(text), 0, 0, report_width(r));
}

/* What is left out, and why. */
static void put_suppressed(const struct report *r, struct buf *out) {
    const struct report_summary *s = &r->summary;
    if (s->comment_count > 0)
        put_sentence(r, out, "%zu finding%s suppressed by comments.", s->comment_count,
                     plural(s->comment_count));
    if (s->baseline_count > 0)
        put_sentence(r, out, "%zu finding%s known to the baseline.", s->baseline_count,
                     plural(s->baseline_count));
    if (s->unchanged_count > 0)
        put_sentence(r, out, "%zu finding%s in which no changed line has a part.", s->unchanged_count,
                     plural(s->unchanged_count));
    if (s->stale_count > 0)
        put_sentence(r, out, "%zu finding%s of the baseline no longer found%s.", s->stale_count,
                     plural(s->stale_count), r->is_verbose ? "" : " (--verbose lists them)");
}

static void put_summary(const struct report *r, struct buf *out) {
    const struct report_summary *s = &r->summary;
    size_t not_modelled = 0;
    for (size_t i = 0; i < r->note_count; i++)
        not_modelled += !r->notes[i].is_error;
    put_found(r, out);
    put_sentence(r, out, "%zu function%s that touch%s the ORM, %zu modelled without a gap (%zu %%); "
                 "%zu place%s not modelled%s.",
                 s->function_count, plural(s->function_count), s->function_count == 1 ? "es" : "",
                 s->modelled_count,
                 s->function_count > 0 ? s->modelled_count * 100 / s->function_count : 100,
                 not_modelled, plural(not_modelled),
                 not_modelled > 0 && !r->is_verbose ? " (--verbose lists them)" : "");
    if (s->broken_file_count > 0)
        put_sentence(r, out, "%zu file%s could not be read in full.", s->broken_file_count,
                     plural(s->broken_file_count));
    if (s->limit_count > 0)
        put_sentence(r, out, "%zu search%s hit a limit: those say nothing of what was not reached.",
                     s->limit_count, s->limit_count == 1 ? "" : "es");
    put_suppressed(r, out);
    if (s->assumed_count > 0)
        put_sentence(r, out, "%zu more rest%s on an assumption (--pedantic shows %s).", s->assumed_count,
                     s->assumed_count == 1 ? "s" : "", s->assumed_count == 1 ? "it" : "them");
    if (s->summary_count > 0)
        put_sentence(r, out, "%zu form%s of the framework can lose a write too; the code is Django's, so "
                     "no finding.", s->summary_count, plural(s->summary_count));
    if (s->skipped_count > 0)
        put_sentence(r, out, "%zu pair%s of functions not run: too many write the same rows.",
                     s->skipped_count, plural(s->skipped_count));
}

void report_text(const struct report *report, struct buf *out) {
    for (size_t i = 0; i < report->findings->items.count; i++)
        if (report->findings->items.items[i].part_of.len == 0)
            finding_print(report, &report->findings->items.items[i], out);
    put_notes(report, out);
    put_suppressed_findings(report, out);
    put_warnings(report, out);
    if (!report->is_quiet)
        put_summary(report, out);
}

void report_concise(const struct report *report, struct buf *out) {
    for (size_t i = 0; i < report->findings->items.count; i++) {
        const struct finding *f = &report->findings->items.items[i];
        if (f->part_of.len > 0)
            continue;
        buf_printf(out, "%.*s:%u:%u: %s %.*s%s%.*s\n", STR_ARG(f->span.path), f->span.start.line,
                   f->span.start.column, rule_code(f->rule), STR_ARG(f->message),
                   f->also.len > 0 ? "; also " : "", STR_ARG(f->also));
    }
    for (size_t i = 0; i < report->note_count; i++)
        if (report->notes[i].is_error)
            put_note(&report->notes[i], out);
    put_warnings(report, out);
}

/* A run without a finding: the schedule of an anomaly of no known class, or of an error. */
static void put_run_witness(const struct report *r, const struct report_run *run,
                            struct buf *out) {
    struct timeline timeline = {
        .report = r,
        .witness = &run->witness,
        .session_count = run->setup->session_count,
        .brief = {.pool = r->pool, .engine = run->witness_config.engine}};
    if (run->setup->session_count > 0)
        timeline.path = run->setup->sessions[0].program->span.path;
    const char *what = "What happens";
    for (int i = 0; i < POLICY_COUNT; i++)
        if (policy_is((enum policy_id)i, &run->witness_config) && run->cells[i].verdict == VERDICT_LOST)
            what = "Witness";
    put_witness_heading(r, what, &run->witness_config, out);
    timeline_print(&timeline, out);
    difference_print(r, &run->witness.ending, &run->serial, out);
}

static void put_run(const struct report *r, const struct report_run *run, struct buf *out) {
    buf_printf(out, "%s", style(r, STYLE_BOLD));
    if (run->name.len > 0)
        buf_printf(out, "%.*s: ", STR_ARG(run->name));
    for (size_t i = 0; i < run->setup->session_count; i++)
        buf_printf(out, "%s%c %.*s", i > 0 ? " || " : "", session_letter((uint8_t)i),
                   STR_ARG(run->symbols[i]));
    buf_printf(out, "%s\n", style(r, STYLE_PLAIN));
    if (run->findings->items.count == 0) /* else each shows it */
        table_print(r, run->cells, run->has_witness ? &run->witness_config : NULL, out);
    if (run->proof != NULL)
        proof_print(r, run->server, run->proof, out);
    if (run->has_counts) {
        buf_add_char(out, '\n');
        if (run->proof != NULL)
            proof_print_counts(run->proof, out);
        else
            count_table_print(r, run->cells, out);
    }
    if (run->findings->items.count == 0 && run->has_witness)
        put_run_witness(r, run, out);
    buf_add_char(out, '\n');
    for (size_t i = 0; i < run->findings->items.count; i++)
        finding_print(r, &run->findings->items.items[i], out);
}

void report_prove_text(const struct report *report, const struct report_run *runs, size_t run_count,
                       struct buf *out) {
    for (size_t i = 0; i < run_count; i++)
        put_run(report, &runs[i], out);
}
