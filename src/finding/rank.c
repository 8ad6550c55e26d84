/* The order in which findings are worth a look. */
#include "base/assert.h"
#include "finding/finding.h"

#include <stdlib.h>

enum finding_tier finding_tier(enum rule rule) {
    switch (rule) {
    case RULE_READ_MODIFY_WRITE:
    case RULE_STALE_AGGREGATE:
        return TIER_DERIVED;
    case RULE_CHECK_THEN_ACT:
        return TIER_GUARDED;
    case RULE_ALIASED_OBJECTS:
    case RULE_STALE_SAVE:
        return TIER_CLOBBER;
    case RULE_DUPLICATE_CREATE:
        return TIER_DUPLICATE;
    case RULE_LATE_LOCK:
    case RULE_EARLY_UNLOCK:
    case RULE_LOCK_WITHOUT_TRANSACTION:
        return TIER_LOCK;
    case RULE_NEVER_SAVED:
    case RULE_EFFECT_BEFORE_COMMIT:
    case RULE_F_TWICE:
    case RULE_RESURRECTED_ROW:
        return TIER_HAZARD;
    case RULE_COUNT:
        break;
    }
    LW_UNREACHABLE();
}

static int compare(const void *a, const void *b) {
    const struct finding *left = a, *right = b;
    bool is_sure = left->assumption.len == 0;
    if (is_sure != (right->assumption.len == 0))
        return is_sure ? -1 : 1;
    int order = (int)finding_tier(left->rule) - (int)finding_tier(right->rule);
    if (order == 0)
        order = str_compare(left->span.path, right->span.path);
    if (order == 0)
        order = (left->span.start.line > right->span.start.line) -
                (left->span.start.line < right->span.start.line);
    if (order == 0)
        order = (left->span.start.column > right->span.start.column) -
                (left->span.start.column < right->span.start.column);
    return order != 0 ? order : (int)left->rule - (int)right->rule;
}

void findings_rank(struct findings *findings) {
    if (findings->items.count > 1)
        qsort(findings->items.items, findings->items.count, sizeof(struct finding), compare);
    if (findings->suppressed.count > 1)
        qsort(findings->suppressed.items, findings->suppressed.count, sizeof(struct finding),
              compare);
}

static bool is_of_one_write(const struct finding *a, const struct finding *b) {
    return a->span.start.line == b->span.start.line &&
           a->span.start.column == b->span.start.column && str_equal(a->span.path, b->span.path);
}

static void join(struct arena *arena, struct finding *best, struct finding *part) {
    part->part_of = best->id;
    best->also = str_printf(arena, "%.*s%s%s: %.*s", STR_ARG(best->also),
                            best->also.len > 0 ? "; " : "", rule_code(part->rule),
                            STR_ARG(part->message));
    if (part->assumption.len > 0 && best->assumption.len == 0)
        best->also = str_printf(arena, "%.*s (assumes %.*s)", STR_ARG(best->also),
                                STR_ARG(part->assumption));
}

void findings_group(struct arena *arena, struct findings *findings) {
    for (size_t i = 0; i < findings->items.count; i++) {
        struct finding *best = &findings->items.items[i];
        for (size_t k = i + 1; k < findings->items.count && best->part_of.len == 0; k++) {
            struct finding *part = &findings->items.items[k];
            if (part->part_of.len == 0 && is_of_one_write(best, part))
                join(arena, best, part);
        }
    }
}

size_t findings_count(const struct findings *findings) {
    size_t count = 0;
    for (size_t i = 0; i < findings->items.count; i++)
        count += findings->items.items[i].part_of.len == 0;
    return count;
}

size_t findings_drop_assumed(struct findings *findings) {
    size_t kept = 0, count = findings->items.count;
    for (size_t i = 0; i < count; i++)
        if (findings->items.items[i].assumption.len == 0)
            findings->items.items[kept++] = findings->items.items[i];
    findings->items.count = kept;
    return count - kept;
}
