/* The tables of engines and levels. Private to this folder. */
#ifndef LW_REPORT_TABLE_H
#define LW_REPORT_TABLE_H

#include "report/layout.h"

/* "LOST", "ok", "40001 !". */
void cell_print(const struct cell_verdict *cell, enum engine_kind engine, struct buf *out);
enum style cell_style(const struct cell_verdict *cell);

/* One line an engine, one column a level, and what the marks and error codes mean. `witness`: the cell that is marked;
 * may be NULL. */
void table_print(const struct report *report, const struct cell_verdict *cells,
                 const struct db_config *witness, struct buf *out);

/* The counts of --all-schedules, one line a level. */
void count_table_print(const struct report *report, const struct cell_verdict *cells,
                       struct buf *out);

/* "postgresql read committed, serializable; mysql": the policies in `policies` (bits), an engine's name alone
 * where all of its levels are meant that are in `all`. */
void put_policies(uint32_t policies, uint32_t all, struct buf *out);

#endif
