/* One line of a witness in few words: SQL without the columns that do not matter, and of what came back the values
 * that do. The JSON report has everything. Private to this folder.
 */
#ifndef LW_REPORT_BRIEF_H
#define LW_REPORT_BRIEF_H

#include "report/report.h"

enum { FOCUS_COLUMNS_MAX = 3 }; /* more than a reader looks at */

/* What the reader looks at: columns of a table, of which the first are shown. Without a table: everything. */
struct focus {
    struct str table;
    const struct str *columns;
    size_t column_count;
};

struct brief {
    const struct text_pool *pool;
    enum engine_kind engine;
    struct focus focus;
};

/* "UPDATE shop_counter SET count = 101 WHERE id = 1", "effect send_mail(...)". */
void brief_text(const struct brief *brief, const struct witness_line *line, struct buf *out);

/* "count=100", "no row", "error 40001: ...", "waits for A"; nothing for a write of one row. */
void brief_result(const struct brief *brief, const struct witness_line *line, struct buf *out);

/* What the line wrote into the column, "101" or "an expression"; false if it wrote none. */
bool brief_written(const struct brief *brief, const struct witness_line *line, struct str column,
                   struct buf *out);

/* The table that the line's statement writes; empty: none. */
struct str written_table(const struct witness_line *line);

#endif
