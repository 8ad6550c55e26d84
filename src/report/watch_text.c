#include "report/common.h"
#include "report/layout.h"
#include "report/watch.h"

#include <time.h>

const char *watch_evidence_name(enum watch_evidence evidence) {
    static const char *const names[] = {
        [WATCH_ARITHMETIC] = "arithmetic", [WATCH_DUPLICATE] = "duplicate", [WATCH_REVERT] = "revert", [WATCH_ORDER] = "order"};
    return names[evidence];
}

size_t watch_report_count(struct watch_report *report) {
    size_t count = 0;
    report->hidden_count = 0;
    for (size_t i = 0; i < report->result->losses.count; i++) {
        bool is_told = report->is_pedantic || !report->result->losses.items[i].is_possible;
        count += is_told;
        report->hidden_count += !is_told;
    }
    return count;
}

void put_time(int64_t time_us, bool with_date, struct buf *out) {
    if (time_us < 0)
        return;
    time_t seconds = (time_t)(time_us / 1000000);
    struct tm parts;
    if (gmtime_r(&seconds, &parts) == NULL)
        return;
    if (with_date)
        buf_printf(out, "%04d-%02d-%02d ", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
    buf_printf(out, "%02d:%02d:%02d.%06d", parts.tm_hour, parts.tm_min, parts.tm_sec, (int)(time_us % 1000000));
}

static void put_columns(const struct watch_loss *loss, struct buf *out) {
    for (size_t i = 0; i < loss->column_count; i++)
        buf_printf(out, "%s%.*s", i == 0 ? "" : i + 1 == loss->column_count ? " and " : ", ", STR_ARG(loss->columns[i]));
}

void put_watch_sentence(const struct watch_loss *loss, struct buf *out) {
    if (loss->rule == RULE_RESURRECTED_ROW) {
        buf_add_c(out, "A deleted the row, and B inserted it again as it had known it");
        return;
    }
    if (loss->rule == RULE_DUPLICATE_CREATE) {
        buf_add_c(out, "A and B looked for a row with this ");
        put_columns(loss, out);
        buf_add_c(out, loss->evidence == WATCH_DUPLICATE ? ", found none, and both inserted it" : ", and both inserted it");
        return;
    }
    switch (loss->evidence) {
    case WATCH_ARITHMETIC:
        buf_add_c(out, "A and B computed ");
        put_columns(loss, out);
        buf_add_c(out, " from the same old value: what A added is not in what B wrote");
        break;
    case WATCH_DUPLICATE:
        break;
    case WATCH_REVERT:
        buf_add_c(out, "A changed ");
        put_columns(loss, out);
        buf_add_c(out, ", and B wrote the old value back");
        break;
    case WATCH_ORDER:
        buf_add_c(out, "B wrote ");
        put_columns(loss, out);
        buf_add_c(out, " over what A had committed since B read the row, without a lock");
        break;
    }
}

static const char *did_name(enum watch_did did) {
    static const char *const names[] = {[WATCH_READ] = "read", [WATCH_WROTE] = "wrote", [WATCH_COMMITTED] = "commit"};
    return names[did];
}

static void put_step(const struct watch_report *report, const struct watch_step *step, struct buf *out) {
    size_t start = out->len;
    buf_add_c(out, "    ");
    put_time(step->time_us, false, out);
    buf_printf(out, "%s%s  %-6s  ", step->time_us < 0 ? "" : "  ", step->session == 'A' ? "A  " : "  B", did_name(step->did));
    buf_add(out, step->values);
    if (step->sql.len > 0) {
        buf_add_c(out, step->values.len > 0 ? "  " : "");
        size_t width = report_width(report->report), used = out->len - start;
        put_cut(out, step->sql, width > used + 20 ? width - used : 20);
    }
    buf_add_char(out, '\n');
    if (step->did == WATCH_COMMITTED)
        return;
    struct buf where = {0};
    if (step->tag.len > 0)
        buf_printf(&where, "%.*s; ", STR_ARG(step->tag));
    if (step->who.len > 0)
        buf_printf(&where, "%.*s; ", STR_ARG(step->who));
    if (step->place.line > 0)
        buf_printf(&where, "%.*s:%llu", STR_ARG(step->place.file), (unsigned long long)step->place.line);
    else
        buf_printf(&where, "%.*s, byte %llu", STR_ARG(step->place.file), (unsigned long long)step->place.offset);
    buf_add_repeat(out, ' ', 10);
    put_styled(report->report, STYLE_DIM, buf_str(&where), out);
    buf_add_char(out, '\n');
    buf_release(&where);
}

void put_watch_rate(const struct watch_stats *stats, const struct watch_loss *loss, struct buf *out) {
    const double day_us = 86400e6;
    double span = stats->first_us >= 0 ? (double)(stats->last_us - stats->first_us) : 0;
    buf_printf(out, "seen %llu time%s", (unsigned long long)loss->count, loss->count == 1 ? "" : "s");
    if (loss->replayed_count > 0 && loss->replayed_count < loss->count)
        buf_printf(out, " (%llu in no serial order)", (unsigned long long)loss->replayed_count);
    else if (loss->replayed_count > 0)
        buf_add_c(out, " (in no serial order)");
    if (span >= 3600e6)
        buf_printf(out, ", %.1f a day", (double)loss->count * day_us / span);
    if (loss->first_us >= 0) {
        buf_add_c(out, loss->count == 1 ? ", at " : ", from ");
        put_time(loss->first_us, true, out);
        if (loss->count > 1) {
            buf_add_c(out, " to ");
            put_time(loss->last_us, true, out);
        }
    }
}

static void put_list(const struct watch_loss *loss, struct buf *out) {
    for (size_t i = 0; i < loss->column_count; i++)
        buf_printf(out, "%s%.*s", i > 0 ? ", " : "", STR_ARG(loss->columns[i]));
}

/* SQL that shows the rows; values that are hashed are no use for it. */
static void put_rows(const struct watch_report *report, const struct watch_loss *loss, struct buf *out) {
    if (loss->keys.count == 0)
        return;
    if (!report->shows_values) {
        buf_printf(out, "  %u%s row%s (--show-values tells which)\n", loss->keys.count,
                   loss->keys.count == WATCH_KEYS_MAX ? " or more" : "", loss->keys.count == 1 ? "" : "s");
        return;
    }
    struct str first = loss->keys.items[0];
    if (loss->rule == RULE_DUPLICATE_CREATE) {
        buf_printf(out, "  rows: SELECT ");
        put_list(loss, out);
        buf_printf(out, ", COUNT(*) FROM %.*s GROUP BY ", STR_ARG(loss->table));
        put_list(loss, out);
        buf_add_c(out, " HAVING COUNT(*) > 1;\n");
        return;
    }
    size_t equals = str_find(first, '=', 0);
    buf_printf(out, "  rows: SELECT * FROM %.*s WHERE %.*s IN (", STR_ARG(loss->table), STR_ARG(str_sub(first, 0, equals)));
    for (size_t i = 0; i < loss->keys.count; i++) {
        struct str value = str_sub(loss->keys.items[i], equals + 1, loss->keys.items[i].len);
        bool is_number = value.len > 0;
        for (size_t j = 0; j < value.len; j++)
            is_number = is_number && value.ptr[j] >= '0' && value.ptr[j] <= '9';
        buf_add_c(out, i > 0 ? ", " : "");
        if (!is_number)
            buf_add_char(out, '\'');
        for (size_t j = 0; j < value.len; j++)
            buf_add_repeat(out, value.ptr[j], value.ptr[j] == '\'' ? 2 : 1);
        if (!is_number)
            buf_add_char(out, '\'');
    }
    buf_printf(out, ")%s;\n", loss->keys.count == WATCH_KEYS_MAX ? " -- and more" : "");
}

static void put_loss(const struct watch_report *report, const struct watch_loss *loss, struct buf *out) {
    struct buf title = {0};
    buf_printf(&title, "%.*s: %s %s", STR_ARG(loss->table), rule_code(loss->rule), rule_name(loss->rule));
    put_styled(report->report, STYLE_BOLD, buf_str(&title), out);
    buf_release(&title);
    buf_printf(out, " (%s%s)\n", loss->is_possible ? "possible, " : "", watch_evidence_name(loss->evidence));
    struct buf text = {0};
    put_watch_sentence(loss, &text);
    put_wrapped(out, buf_str(&text), 2, 0, report_width(report->report));
    buf_clear(&text);
    if (loss->is_possible) {
        buf_printf(&text, "doubt: %.*s", STR_ARG(loss->doubt));
        put_wrapped(out, buf_str(&text), 2, 2, report_width(report->report));
    }
    buf_clear(&text);
    put_watch_rate(&report->result->stats, loss, &text);
    put_wrapped(out, buf_str(&text), 2, 2, report_width(report->report));
    buf_release(&text);
    const struct watch_example *example = &loss->examples.items[0];
    buf_printf(out, "\n  %.*s\n", STR_ARG(example->key));
    for (size_t i = 0; i < example->step_count; i++)
        put_step(report, &example->steps[i], out);
    buf_add_char(out, '\n');
    put_rows(report, loss, out);
    buf_printf(out, "  More: lostwrite explain %s\n\n", rule_code(loss->rule));
}

static void put_count(struct buf *out, uint64_t count, const char *one, const char *many) {
    buf_printf(out, "%llu %s", (unsigned long long)count, count == 1 ? one : many);
}

static void put_counts_of(const struct watch_report *report, struct buf *out) {
    const struct watch_stats *stats = &report->result->stats;
    buf_add_c(out, "watched ");
    if (stats->write_count > 0)
        buf_printf(out, "%.1f %% of ", 100.0 * (double)stats->watched_count / (double)stats->write_count);
    put_count(out, stats->write_count, "write", "writes");
    buf_add_c(out, " in ");
    put_count(out, stats->transaction_count, "transaction", "transactions");
    if (stats->statement_count > 0) {
        buf_add_c(out, ", ");
        put_count(out, stats->statement_count, "statement", "statements");
    }
    if (stats->session_count > 0) {
        buf_add_c(out, ", ");
        put_count(out, stats->session_count, "session", "sessions");
    }
    buf_add_char(out, '\n');
    const struct {
        uint64_t count;
        const char *one, *many;
    } rest[] = {
        {stats->unknown_row_count, "write of a row that is not told", "writes of rows that are not told"},
        {stats->blind_count, "change of a row whose values before are not told (REPLICA IDENTITY, binlog_row_image: FULL tells them)",
         "changes of rows whose values before are not told (REPLICA IDENTITY, binlog_row_image: FULL tells them)"},
        {stats->unparsed_count, "statement not modelled", "statements not modelled"},
        {stats->prevented_count, "error or guard that kept a write from being lost",
         "errors or guards that kept a write from being lost"},
        {stats->harmless_count, "value written over with the same, or by a clock",
         "values written over with the same, or by a clock"},
        {stats->evicted_count, "row forgotten to stay within memory", "rows forgotten to stay within memory"},
        {stats->dropped_session_count, "session forgotten: too many at once", "sessions forgotten: too many at once"},
        {stats->left_out_count, "write left out of the programs: too many ways to write",
         "writes left out of the programs: too many ways to write"},
        {stats->encrypted_count, "encrypted connection not looked into", "encrypted connections not looked into"},
        {stats->rollback_count, "transaction rolled back", "transactions rolled back"},
    };
    for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++) {
        if (rest[i].count == 0)
            continue;
        buf_add_c(out, "  ");
        put_count(out, rest[i].count, rest[i].one, rest[i].many);
        buf_add_char(out, '\n');
    }
    if (report->hidden_count > 0) {
        buf_add_c(out, "  ");
        put_count(out, report->hidden_count, "loss that may have been meant (--pedantic)",
                  "losses that may have been meant (--pedantic)");
        buf_add_char(out, '\n');
    }
}

static void put_gaps(const struct watch_report *report, struct buf *out) {
    for (size_t i = 0; i < report->result->gaps.count; i++) {
        const struct watch_gap *gap = &report->result->gaps.items[i];
        buf_printf(out, "%.*s", STR_ARG(gap->place.file));
        if (gap->place.line > 0)
            buf_printf(out, ":%llu", (unsigned long long)gap->place.line);
        else
            buf_printf(out, ", byte %llu", (unsigned long long)gap->place.offset);
        buf_printf(out, ": %.*s", STR_ARG(gap->reason));
        if (gap->count > 1)
            buf_printf(out, " (%llu times)", (unsigned long long)gap->count);
        buf_add_char(out, '\n');
    }
    for (size_t i = 0; report->report->is_verbose && i < report->result->unparsed.count; i++) {
        const struct watch_shape_note *note = &report->result->unparsed.items[i];
        buf_printf(out, "not modelled (%.*s), %llu times: %.*s\n", STR_ARG(note->reason),
                   (unsigned long long)note->count, STR_ARG(note->sql));
    }
}

void put_watch_coverage(const struct watch_report *report, struct buf *out) {
    put_counts_of(report, out);
    put_gaps(report, out);
}

void report_watch_text(const struct watch_report *report, struct buf *out) {
    const struct watch_result *result = report->result;
    size_t told = 0;
    for (size_t i = 0; i < result->losses.count; i++) {
        if (!report->is_pedantic && result->losses.items[i].is_possible)
            continue;
        put_loss(report, &result->losses.items[i], out);
        told++;
    }
    put_gaps(report, out);
    if (told == 0)
        buf_add_c(out, "no lost write seen\n");
    else
        buf_printf(out, "%zu kind%s of lost write%s\n", told, told == 1 ? "" : "s", told == 1 ? "" : "s");
    put_counts_of(report, out);
    if (report->report->findings == NULL)
        return;
    struct report quiet = *report->report;
    quiet.is_quiet = true;
    buf_add_c(out, "\nWhat these transactions can lose:\n\n");
    report_text(&quiet, out);
    put_count(out, quiet.findings->items.count, "way to lose a write", "ways to lose a write");
    buf_add_c(out, " in ");
    put_count(out, quiet.summary.program_count, "program recalled from them\n", "programs recalled from them\n");
}
