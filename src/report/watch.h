/* What watch found, as text and JSON (docs/watch.md). */
#ifndef LW_REPORT_WATCH_H
#define LW_REPORT_WATCH_H

#include "report/report.h"
#include "watch/watch.h"

struct watch_report {
    const struct watch_result *result;
    bool shows_values;
    bool is_pedantic;     /* losses that may have been meant are told, too */
    size_t source_count;  /* files that were read */
    size_t hidden_count;  /* losses that are left out for want of `is_pedantic`; set by watch_report_count */
    const struct report *report; /* colour, width, version; `findings`: what can be lost, NULL: it was not looked for */
};

/* How many losses are to be told; sets hidden_count. */
size_t watch_report_count(struct watch_report *report);

void report_watch_text(const struct watch_report *report, struct buf *out);
void report_watch_json(const struct watch_report *report, struct buf *out);

/* One file with style, script and drawings in it. */
void report_watch_html(const struct watch_report *report, struct buf *out);

/* What text and HTML say alike: what happened; how often; how much was looked at, and what was not. */
void put_watch_sentence(const struct watch_loss *loss, struct buf *out);
void put_watch_rate(const struct watch_stats *stats, const struct watch_loss *loss, struct buf *out);
void put_watch_coverage(const struct watch_report *report, struct buf *out);

/* "arithmetic", "revert", "order". */
const char *watch_evidence_name(enum watch_evidence evidence);
/* `2026-11-27 10:55:42.000123`, UTC; empty if it is not told. */
void put_time(int64_t time_us, bool with_date, struct buf *out);

#endif
