/* Text for a terminal: styles, and texts broken into lines of a given width. Widths count code points. Private to
 * this folder.
 */
#ifndef LW_REPORT_LAYOUT_H
#define LW_REPORT_LAYOUT_H

#include "report/report.h"

enum style { STYLE_PLAIN, STYLE_BOLD, STYLE_DIM, STYLE_RED, STYLE_GREEN, STYLE_CYAN, STYLE_YELLOW };

/* What switches a terminal to the style; empty if the report is without colour. */
const char *style(const struct report *report, enum style style);

/* The text in that style, then plain again. */
void put_styled(const struct report *report, enum style which, struct str text, struct buf *out);

size_t text_width(struct str text);

/* Cuts the next line of at most `width` off `*rest`: at a blank (before a clause of SQL if there is one), else
 * behind a comma or bracket, else where it is full. Empty when nothing is left. */
struct str wrap_next(struct str *rest, size_t width);

/* The text at `indent`, its lines after the first `further` more, none wider than `width` in all. */
void put_wrapped(struct buf *out, struct str text, size_t indent, size_t further, size_t width);

/* The text with `...` for what does not fit into `width`. */
void put_cut(struct buf *out, struct str text, size_t width);

/* The text without blanks around it. */
struct str trimmed(struct str text);

#endif
