/* How many findings of each rule there are: most first, then by code. */
#include "report/json_out.h"

#include <stdlib.h>

struct row {
    enum rule rule;
    size_t count;
};

static int compare_rows(const void *a, const void *b) {
    const struct row *left = a, *right = b;
    if (left->count != right->count)
        return left->count > right->count ? -1 : 1;
    return (int)left->rule - (int)right->rule;
}

static size_t count_rules(const struct findings *findings, struct row rows[RULE_COUNT]) {
    size_t count = 0;
    for (int i = 0; i < RULE_COUNT; i++)
        rows[i] = (struct row){(enum rule)i, 0};
    for (size_t i = 0; i < findings->items.count; i++)
        rows[findings->items.items[i].rule].count++;
    qsort(rows, RULE_COUNT, sizeof(*rows), compare_rows);
    while (count < RULE_COUNT && rows[count].count > 0)
        count++;
    return count;
}

void report_statistics_text(const struct report *report, struct buf *out) {
    struct row rows[RULE_COUNT];
    size_t count = count_rules(report->findings, rows);
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%6zu  %s  %s\n", rows[i].count, rule_code(rows[i].rule),
                   rule_name(rows[i].rule));
}

void report_statistics_json(const struct report *report, struct buf *out) {
    struct row rows[RULE_COUNT];
    size_t count = count_rules(report->findings, rows);
    struct json j = {.out = out};
    open_in(&j, '{');
    put_tool(&j, report);
    key(&j, "statistics");
    open_in(&j, '[');
    for (size_t i = 0; i < count; i++) {
        item(&j);
        open_in(&j, '{');
        put_c(&j, "code", rule_code(rows[i].rule));
        put_c(&j, "name", rule_name(rows[i].rule));
        put_number(&j, "count", rows[i].count);
        close_in(&j, '}');
    }
    close_in(&j, ']');
    close_in(&j, '}');
    buf_add_char(out, '\n');
}
