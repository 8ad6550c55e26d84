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

size_t findings_drop_assumed(struct findings *findings) {
    size_t kept = 0, count = findings->items.count;
    for (size_t i = 0; i < count; i++)
        if (findings->items.items[i].assumption.len == 0)
            findings->items.items[kept++] = findings->items.items[i];
    findings->items.count = kept;
    return count - kept;
}
