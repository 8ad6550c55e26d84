/* Error messages with a place, and spelling hints. */
#include "program/fault.h"

#include <stdarg.h>

/* How many bytes of a name or an SQL text a message shows. */
enum { NAME_SHOWN_MAX = 40, SQL_SHOWN_MAX = 100, CAUSE_SHOWN_MAX = 120 };

bool txn_fault(struct err *err, struct txn_span span, const char *format, ...) {
    char message[ERR_MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    err_set(err, span.start, "%s", message);
    return err_in_file(err, span.path);
}

static bool pos_is_before(struct pos a, struct pos b) {
    return a.line != b.line ? a.line < b.line : a.column < b.column;
}

static bool span_holds(struct txn_span span, struct pos pos) {
    if (pos_is_before(pos, span.start))
        return false;
    return span.end.line == 0 || !pos_is_before(span.end, pos);
}

bool txn_sql_fault(struct err *err, struct txn_span span, struct str sql, const struct err *cause) {
    struct err found = *cause; /* `cause` may be `err` */
    if (span_holds(span, found.pos)) {
        err_set(err, found.pos, "%s", found.message);
        return err_in_file(err, span.path);
    }
    size_t shown = sql.len < SQL_SHOWN_MAX ? sql.len : SQL_SHOWN_MAX;
    return txn_fault(err, span, "in the SQL at %u:%u: %.*s%s%.*s%s", (unsigned)found.pos.line,
                     (unsigned)found.pos.column, CAUSE_SHOWN_MAX, found.message,
                     sql.len > 0 ? ": " : "", (int)shown, sql.len > 0 ? sql.ptr : "",
                     shown < sql.len ? "..." : "");
}

void txn_suggestion_init(struct suggestion *s, struct str name) {
    s->name = name;
    s->nearest = (struct str){0};
    s->distance = name.len <= 3 ? 2 : 3; /* one less is near enough */
    s->text[0] = '\0';
}

static size_t min3(size_t a, size_t b, size_t c) {
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* Edit distance with swaps of neighbours (optimal string alignment), in three rows. */
static size_t edit_distance(struct str a, struct str b) {
    size_t rows[3][NAME_SHOWN_MAX + 1];
    for (size_t j = 0; j <= b.len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t *now = rows[i % 3];
        const size_t *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t change = last[j - 1] + (a.ptr[i - 1] != b.ptr[j - 1]);
            now[j] = min3(last[j] + 1, now[j - 1] + 1, change);
            bool swapped =
                i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] && a.ptr[i - 2] == b.ptr[j - 1];
            if (swapped && before[j - 2] + 1 < now[j])
                now[j] = before[j - 2] + 1;
        }
    }
    return rows[a.len % 3][b.len];
}

void txn_suggestion_try(struct suggestion *s, struct str candidate) {
    bool is_short = s->name.len > 0 && s->name.len <= NAME_SHOWN_MAX && candidate.len > 0 &&
                    candidate.len <= NAME_SHOWN_MAX;
    if (!is_short)
        return;
    size_t distance = edit_distance(s->name, candidate);
    if (distance < s->distance && distance < candidate.len) {
        s->distance = distance;
        s->nearest = candidate;
    }
}

const char *txn_suggestion_text(struct suggestion *s) {
    if (s->nearest.len > 0)
        snprintf(s->text, sizeof(s->text), "; did you mean `%.*s`?", STR_ARG(s->nearest));
    return s->text;
}
