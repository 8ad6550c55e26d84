/* The match statement: its cases one after the other, each under a test of the subject. Patterns that look into the subject
 * may fit or not. */
#include "django/values.h"

static struct val *test_of(struct lowerer *l, const struct py_node *pattern, struct val *subject);

static struct val *any_of(struct lowerer *l, const struct py_node *pattern, struct val *subject) {
    struct txn_span span = lower_span(l, pattern);
    struct val *any = val_bool(l, span, false);
    for (uint32_t i = 0; i < pattern->MatchOr.patterns.count; i++) {
        struct val *one = test_of(l, pattern->MatchOr.patterns.items[i], subject);
        int known = val_known_truth(l, one);
        if (known == 1)
            return one;
        if (known == 0)
            continue;
        any = val_known_truth(l, any) == 0
                  ? one
                  : val_scalar(l, txn_binary(&l->b, span, TXN_OP_OR, val_truth(l, any), val_truth(l, one)));
    }
    return any;
}

/* Whether the pattern fits. */
static struct val *test_of(struct lowerer *l, const struct py_node *pattern, struct val *subject) {
    struct txn_span span = lower_span(l, pattern);
    switch (pattern->kind) {
    case PY_MatchValue:
        return lower_binary(l, pattern, PY_OP_Eq, subject, lower_expr(l, pattern->MatchValue.value));
    case PY_MatchSingleton:
        if (pattern->constant == PY_CONST_None && subject->kind == VAL_ROW && !subject->row->is_null_possible)
            return val_bool(l, span, false);
        if (pattern->constant == PY_CONST_None)
            return val_scalar(l, txn_unary(&l->b, span, TXN_EXPR_IS_NULL, val_expr(l, subject)));
        return lower_binary(l, pattern, PY_OP_Eq, subject,
                            val_bool(l, span, pattern->constant == PY_CONST_True));
    case PY_MatchOr:
        return any_of(l, pattern, subject);
    case PY_MatchAs:
        if (pattern->MatchAs.pattern != NULL)
            return test_of(l, pattern->MatchAs.pattern, subject);
        return val_bool(l, span, true);
    default:
        return val_unknown(l, span, module_text(l->frame->module, pattern));
    }
}

static void bind(struct lowerer *l, const struct py_node *pattern, struct val *subject) {
    if (pattern->kind == PY_MatchAs && pattern->MatchAs.name.ptr != NULL)
        cell_set(l, fields_cell(l, l->frame->locals, pattern->MatchAs.name),
                 val_stable(l, subject, pattern->MatchAs.name));
}

static void lower_case(struct lowerer *l, struct py_list cases, uint32_t i, struct val *subject) {
    if (i == cases.count || l->frame->is_terminated)
        return;
    const struct py_node *node = cases.items[i], *guard = node->match_case.guard;
    const struct py_node *pattern = node->match_case.pattern;
    struct txn_span span = lower_span(l, pattern);
    struct val *test = test_of(l, pattern, subject);
    bool is_bound = pattern->kind == PY_MatchAs && pattern->MatchAs.name.ptr != NULL;
    if (guard != NULL) {
        if (is_bound)
            bind(l, pattern, subject);
        struct val *more = lower_expr(l, guard);
        test = val_known_truth(l, test) == 1
                   ? more
                   : val_scalar(l, txn_binary(&l->b, span, TXN_OP_AND, val_truth(l, test),
                                              val_truth(l, more)));
    }
    int known = val_known_truth(l, test);
    if (known == 0) {
        lower_case(l, cases, i + 1, subject);
        return;
    }
    if (known == 1) {
        bind(l, pattern, subject);
        lower_body(l, node->match_case.body);
        return;
    }
    struct flow_sites sites = {{0}};
    struct txn_step *step = txn_build_if(&l->b, span, val_truth(l, test));
    size_t mark = flow_mark(l);
    bind(l, pattern, subject);
    lower_body(l, node->match_case.body);
    flow_add_site(l, &sites, mark, NULL, NULL);
    flow_undo(l, mark);
    l->frame->is_terminated = false;
    txn_build_else(&l->b, step);
    lower_case(l, cases, i + 1, subject);
    flow_add_site(l, &sites, mark, NULL, NULL);
    flow_undo(l, mark);
    txn_build_end(&l->b, step);
    flow_merge(l, span, &sites, (struct str){0});
}

void lower_match(struct lowerer *l, const struct py_node *node) {
    struct val *subject = lower_expr(l, node->Match.subject);
    if (!l->frame->is_terminated)
        lower_case(l, node->Match.cases, 0, val_stable(l, subject, STR("subject")));
}
