/* What text and JSON say alike: private to this folder. */
#ifndef LW_REPORT_COMMON_H
#define LW_REPORT_COMMON_H

#include "report/report.h"

/* The answer to a line: "UPDATE 1", "waits for A". */
void line_result(const struct witness_line *line, struct buf *out);

/* A finding for people, with its table and fixes. */
void finding_print(const struct report *report, const struct finding *finding, struct buf *out);

/* The width to write for. */
size_t report_width(const struct report *report);

/* A line of a source file, empty if it isn't known. */
struct str report_source_line(const struct report *report, struct txn_span span, uint32_t line);

/* "mariadb", with a version "mariadb 11.8". */
void put_engine_name(enum engine_kind engine, uint32_t version, struct buf *out);

#endif
