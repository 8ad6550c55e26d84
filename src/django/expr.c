/* Expressions. */
#include "base/assert.h"
#include "django/choice.h"
#include "django/loop.h"
#include "django/orm.h"
#include "django/template.h"
#include "django/values.h"
#include "python/value.h"

static struct val *text_unknown(struct lowerer *l, const struct py_node *node) {
    return val_unknown(l, lower_span(l, node), module_text(l->frame->module, node));
}

struct val *lower_name(struct lowerer *l, const struct py_node *node) {
    struct str name = node->Name.id;
    for (struct frame *frame = l->frame; frame != NULL; frame = frame->closure) {
        struct cell *cell = fields_find(frame->locals, name);
        if (cell != NULL && cell->val != NULL)
            return cell->val;
    }
    struct symbol symbol = symbol_resolve(l->facts, l->frame->module, name);
    if (symbol.kind == SYMBOL_NONE && !lower_is_builtin(name))
        return text_unknown(l, node);
    if (symbol.kind == SYMBOL_NONE)
        return val_external(l, lower_span(l, node), str_printf(l->arena, "builtins.%.*s", STR_ARG(name)));
    return symbol_val(l, lower_span(l, node), symbol, name);
}

static struct val *lower_constant(struct lowerer *l, const struct py_node *node) {
    struct value value;
    if (constant_value(l->facts, l->frame->module, NULL, node, &value))
        return val_literal(l, lower_span(l, node), value);
    return text_unknown(l, node);
}

static bool is_orm_expr(const struct val *val) {
    return val->kind == VAL_SQL || val->kind == VAL_COND;
}

static bool txn_op_of(enum py_op op, enum txn_op *result) {
    static const struct {
        enum py_op py;
        enum txn_op txn;
    } ops[] = {{PY_OP_Add, TXN_OP_ADD},  {PY_OP_Sub, TXN_OP_SUB}, {PY_OP_Mult, TXN_OP_MUL},
               {PY_OP_Div, TXN_OP_DIV},  {PY_OP_Mod, TXN_OP_MOD}, {PY_OP_FloorDiv, TXN_OP_DIV},
               {PY_OP_Eq, TXN_OP_EQ},    {PY_OP_NotEq, TXN_OP_NE}, {PY_OP_Lt, TXN_OP_LT},
               {PY_OP_LtE, TXN_OP_LE},   {PY_OP_Gt, TXN_OP_GT},   {PY_OP_GtE, TXN_OP_GE},
               {PY_OP_Is, TXN_OP_EQ},    {PY_OP_IsNot, TXN_OP_NE}};
    for (size_t i = 0; i < LW_COUNT_OF(ops); i++)
        if (ops[i].py == op) {
            *result = ops[i].txn;
            return true;
        }
    return false;
}

static bool fold(struct lowerer *l, enum txn_op op, struct value a, struct value b, struct value *out) {
    switch (op) {
    case TXN_OP_EQ:
        *out = value_bool(value_equal(l->pool, a, b));
        return true;
    case TXN_OP_NE:
        *out = value_bool(!value_equal(l->pool, a, b));
        return true;
    case TXN_OP_ADD:
    case TXN_OP_SUB:
    case TXN_OP_MUL:
        if (a.kind != VALUE_INT || b.kind != VALUE_INT)
            return false;
        return value_arith(op == TXN_OP_ADD   ? VALUE_ADD
                           : op == TXN_OP_SUB ? VALUE_SUB
                                              : VALUE_MUL,
                           a, b, true, out);
    default:
        return false;
    }
}

static bool is_text(struct lowerer *l, const struct val *val) {
    struct str text;
    return template_of(l, val, &text);
}

static struct val *opaque_binary(struct lowerer *l, const struct py_node *node, enum py_op op,
                                 struct val *left, struct val *right) {
    bool is_format = op == PY_OP_Mod && is_text(l, left);
    const char *name = is_format ? "format" : op == PY_OP_Add ? "concat" : "operation";
    struct txn_expr *call = txn_opaque(&l->b, lower_span(l, node), str_from_c(name));
    if (!is_format && op != PY_OP_Add)
        txn_add_arg(&l->b, call,
                    txn_literal(&l->b, lower_span(l, node), value_text(l->pool, str_from_c(py_op_name(op)))));
    txn_add_arg(&l->b, call, val_expr(l, left));
    txn_add_arg(&l->b, call, val_expr(l, right));
    struct str text;
    struct buf pattern = {0};
    bool is_known = template_of(l, left, &text) && (op == PY_OP_Add || op == PY_OP_Mod);
    if (op == PY_OP_Mod && is_known) {
        template_percent(l, text, right, &pattern);
    } else if (is_known || (op == PY_OP_Add && template_of(l, right, &text))) {
        template_add(l, left, &pattern);
        template_add(l, right, &pattern);
    }
    return template_done(l, val_scalar(l, call), &pattern);
}

struct operands {
    const struct py_node *node;
    enum py_op op;
    struct val *left, *right; /* NULL: the item of the choice */
};

static struct val *binary_item(struct lowerer *l, struct val *item, void *context) {
    struct operands *of = context;
    return lower_binary(l, of->node, of->op, of->left != NULL ? of->left : item,
                        of->right != NULL ? of->right : item);
}

struct val *lower_binary(struct lowerer *l, const struct py_node *node, enum py_op op, struct val *left,
                         struct val *right) {
    struct txn_span span = lower_span(l, node);
    struct value a, b, folded;
    enum txn_op txn_op;
    if (left->kind == VAL_CHOICE || right->kind == VAL_CHOICE) {
        bool is_left = left->kind == VAL_CHOICE;
        struct operands of = {node, op, is_left ? NULL : left, is_left ? right : NULL};
        return choice_each(l, span, is_left ? left : right, binary_item, &of);
    }
    if (is_orm_expr(left) || is_orm_expr(right) ||
        (left->kind == VAL_QUERYSET && right->kind == VAL_QUERYSET))
        return lower_sql_binary(l, span, op, left, right);
    if (left->kind == VAL_SEQUENCE && right->kind == VAL_SEQUENCE && op == PY_OP_Add) {
        struct val *all = val_new(l, VAL_SEQUENCE, span);
        for (size_t i = 0; i < left->items.count; i++)
            VEC_PUSH(l->arena, &all->items, left->items.items[i]);
        for (size_t i = 0; i < right->items.count; i++)
            VEC_PUSH(l->arena, &all->items, right->items.items[i]);
        return all;
    }
    bool is_known = txn_op_of(op, &txn_op);
    if (is_known && val_constant(left, &a) && val_constant(right, &b) &&
        fold(l, txn_op, a, b, &folded))
        return val_literal(l, span, folded);
    /* "%s of %s" % (...), text + x: a text made of its parts. */
    if (!is_known || is_text(l, left) || (op == PY_OP_Add && is_text(l, right)))
        return opaque_binary(l, node, op, left, right);
    return val_scalar(l, txn_binary(&l->b, span, txn_op, val_expr(l, left), val_expr(l, right)));
}

/* An IF whose branches turned out to hold no steps is taken out again. True if it was. */
static bool drop_empty(struct lowerer *l, struct txn_step *step) {
    if (l->b.has_failed || step->body.steps.count > 0 || step->else_body.steps.count > 0)
        return false;
    LW_ASSERT(l->b.at->steps.count > 0);
    LW_ASSERT(l->b.at->steps.items[l->b.at->steps.count - 1] == step);
    l->b.at->steps.count--;
    return true;
}

static bool is_scalar_like(const struct val *val) {
    return val->kind == VAL_SCALAR || val->kind == VAL_UNKNOWN || val->kind == VAL_EXTERNAL;
}

/* Evaluates `chosen` if the condition holds, else takes `otherwise` (a node, or a value that is there). */
static struct val *lower_choice(struct lowerer *l, struct txn_span span, struct txn_expr *cond,
                                const struct py_node *chosen, const struct py_node *otherwise,
                                struct val *other, struct val **vals) {
    struct flow_sites sites = {{0}};
    struct txn_step *step = txn_build_if(&l->b, span, cond);
    size_t mark = flow_mark(l);
    vals[0] = lower_expr(l, chosen);
    flow_add_site(l, &sites, mark, vals[0], NULL);
    flow_undo(l, mark);
    l->frame->is_terminated = false;
    txn_build_else(&l->b, step);
    vals[1] = otherwise != NULL ? lower_expr(l, otherwise) : other;
    flow_add_site(l, &sites, mark, vals[1], NULL);
    flow_undo(l, mark);
    txn_build_end(&l->b, step);
    l->frame->is_terminated = false;
    if (sites.items.count == 2 && is_scalar_like(vals[0]) && is_scalar_like(vals[1]) &&
        drop_empty(l, step))
        return NULL;
    struct val *result = flow_merge(l, span, &sites, STR("chosen"));
    return result != NULL ? result : val_null(l, span);
}

static struct val *lower_bool(struct lowerer *l, const struct py_node *node) {
    bool is_or = node->op == PY_OP_Or;
    struct txn_span span = lower_span(l, node);
    struct py_list values = node->BoolOp.values;
    struct val *left = lower_expr(l, values.items[0]);
    for (uint32_t i = 1; i < values.count && !l->frame->is_terminated; i++) {
        int known = val_known_truth(l, left);
        struct val *pair[2];
        if (known >= 0) {
            if ((known == 1) == is_or)
                return left;
            left = lower_expr(l, values.items[i]);
            continue;
        }
        struct txn_expr *truth = val_truth(l, left);
        if (left->kind == VAL_ROWS)
            left = val_scalar(l, truth);
        struct txn_expr *cond = is_or ? txn_unary(&l->b, span, TXN_EXPR_NOT, truth) : truth;
        struct val *joined = lower_choice(l, span, cond, values.items[i], NULL,
                                          left->kind == VAL_ROW && !is_or ? val_scalar(l, truth) : left,
                                          pair);
        if (joined == NULL)
            joined = val_scalar(l, txn_binary(&l->b, span, is_or ? TXN_OP_OR : TXN_OP_AND,
                                              left->kind == VAL_ROW ? truth : val_expr(l, left),
                                              val_expr(l, pair[0])));
        left = joined;
    }
    return left;
}

static struct val *lower_if_expr(struct lowerer *l, const struct py_node *node) {
    struct txn_span span = lower_span(l, node);
    struct val *test = lower_expr(l, node->IfExp.test), *vals[2];
    int known = val_known_truth(l, test);
    if (known >= 0)
        return lower_expr(l, known ? node->IfExp.body : node->IfExp.orelse);
    struct txn_expr *cond = val_truth(l, test);
    struct val *joined = lower_choice(l, span, cond, node->IfExp.body, node->IfExp.orelse, NULL, vals);
    if (joined != NULL)
        return joined;
    return val_scalar(l, txn_cond(&l->b, span, cond, val_expr(l, vals[0]), val_expr(l, vals[1])));
}

static struct val *negated(struct lowerer *l, struct txn_span span, struct txn_expr *expr, bool is_not) {
    return val_scalar(l, is_not ? txn_unary(&l->b, span, TXN_EXPR_NOT, expr) : expr);
}

static struct val *compare_in(struct lowerer *l, const struct py_node *node, struct val *left,
                              struct val *right, bool is_not) {
    struct txn_span span = lower_span(l, node);
    if (right->kind == VAL_SEQUENCE) {
        struct txn_expr *any = NULL;
        for (size_t i = 0; i < right->items.count; i++) {
            struct txn_expr *same = txn_binary(&l->b, span, TXN_OP_EQ, val_expr(l, left),
                                               val_expr(l, right->items.items[i]));
            any = any == NULL ? same : txn_binary(&l->b, span, TXN_OP_OR, any, same);
        }
        return any == NULL ? val_bool(l, span, is_not) : negated(l, span, any, is_not);
    }
    if (right->kind == VAL_QUERYSET && left->kind == VAL_ROW && right->query->cached.val == NULL) {
        /* `x in queryset` fetches all rows and compares keys. */
        struct queryset *query = query_copy(l, right->query);
        VEC_PUSH(l->arena, &query->where, cond_lookup(l, span, STR("pk"), left));
        struct val *there = query_exists(l, span, query);
        return negated(l, span, val_expr(l, there), is_not);
    }
    if (right->kind == VAL_DICT) {
        struct value key, known;
        if (val_constant(left, &key)) {
            for (size_t i = 0; i < right->keys.count; i++)
                if (val_constant(right->keys.items[i], &known) && value_equal(l->pool, key, known))
                    return val_bool(l, span, !is_not);
            return val_bool(l, span, is_not);
        }
    }
    if (right->kind == VAL_QUERYSET)
        query_rows(l, span, right->query, STR("rows"));
    return negated(l, span, lower_param(l, span, module_text(l->frame->module, node)), is_not);
}

static struct val *compare_null(struct lowerer *l, struct txn_span span, struct val *val, bool is_not) {
    if (val_is_none(val) || val->is_cached)
        return val_bool(l, span, !is_not);
    if (val->kind == VAL_ROW) {
        if (!val->row->is_null_possible)
            return val_bool(l, span, is_not);
        struct txn_expr *ref = txn_ref(&l->b, span, val->row->var);
        return negated(l, span, txn_unary(&l->b, span, TXN_EXPR_IS_NULL, ref), is_not);
    }
    if (!is_scalar_like(val))
        return val_bool(l, span, is_not);
    return negated(l, span, txn_unary(&l->b, span, TXN_EXPR_IS_NULL, val_expr(l, val)), is_not);
}

static struct val *compare_pair(struct lowerer *l, const struct py_node *node, enum py_op op,
                                struct val *left, struct val *right);

static struct val *compare_item(struct lowerer *l, struct val *item, void *context) {
    struct operands *of = context;
    return compare_pair(l, of->node, of->op, of->left != NULL ? of->left : item,
                        of->right != NULL ? of->right : item);
}

static struct val *compare_pair(struct lowerer *l, const struct py_node *node, enum py_op op,
                                struct val *left, struct val *right) {
    struct txn_span span = lower_span(l, node);
    if (left->kind == VAL_CHOICE || right->kind == VAL_CHOICE) {
        bool is_left = left->kind == VAL_CHOICE;
        struct operands of = {node, op, is_left ? NULL : left, is_left ? right : NULL};
        return choice_each(l, span, is_left ? left : right, compare_item, &of);
    }
    bool is_not = op == PY_OP_NotEq || op == PY_OP_IsNot || op == PY_OP_NotIn;
    if (op == PY_OP_In || op == PY_OP_NotIn)
        return compare_in(l, node, left, right, is_not);
    bool is_equality = is_not || op == PY_OP_Eq || op == PY_OP_Is;
    if (is_equality && (val_is_none(right) || val_is_none(left)))
        return compare_null(l, span, val_is_none(right) ? left : right, is_not);
    if ((op == PY_OP_Is || op == PY_OP_IsNot) && left->kind == VAL_ROW && right->kind == VAL_ROW)
        return negated(l, span, txn_same(&l->b, span, txn_ref(&l->b, span, left->row->var),
                                         txn_ref(&l->b, span, right->row->var)), is_not);
    if (is_equality && left->kind == VAL_CLASS && right->kind == VAL_CLASS)
        return val_bool(l, span, (left->class_ == right->class_) != is_not);
    return lower_binary(l, node, op, left, right);
}

static struct val *lower_compare(struct lowerer *l, const struct py_node *node) {
    struct val *left = lower_expr(l, node->Compare.left), *all = NULL;
    struct txn_span span = lower_span(l, node);
    for (uint32_t i = 0; i < node->Compare.ops.count; i++) {
        struct val *right = lower_expr(l, node->Compare.comparators.items[i]);
        struct val *one = compare_pair(l, node, node->Compare.ops.items[i], left, right);
        all = all == NULL ? one
                          : val_scalar(l, txn_binary(&l->b, span, TXN_OP_AND, val_expr(l, all),
                                                     val_expr(l, one)));
        left = right;
    }
    return all;
}

static struct val *lower_unary(struct lowerer *l, const struct py_node *node) {
    struct val *operand = lower_expr(l, node->UnaryOp.operand);
    struct txn_span span = lower_span(l, node);
    struct value value;
    if (operand->kind == VAL_COND || operand->kind == VAL_SQL)
        return lower_sql_binary(l, span, node->op, operand, NULL);
    if (node->op == PY_OP_Not) {
        int known = val_known_truth(l, operand);
        if (known >= 0)
            return val_bool(l, span, !known);
        return val_scalar(l, txn_unary(&l->b, span, TXN_EXPR_NOT, val_truth(l, operand)));
    }
    if (node->op == PY_OP_USub) {
        if (val_constant(operand, &value) && value.kind != VALUE_TEXT &&
            value_arith(VALUE_SUB, value_int(0), value, true, &value))
            return val_literal(l, span, value);
        return val_scalar(l, txn_unary(&l->b, span, TXN_EXPR_NEG, val_expr(l, operand)));
    }
    return operand;
}

static struct val *lower_sequence(struct lowerer *l, const struct py_node *node, struct py_list elts) {
    struct val *val = val_new(l, VAL_SEQUENCE, lower_span(l, node));
    for (uint32_t i = 0; i < elts.count; i++) {
        if (elts.items[i]->kind != PY_Starred) {
            VEC_PUSH(l->arena, &val->items, lower_expr(l, elts.items[i]));
            continue;
        }
        struct val *inner = lower_expr(l, elts.items[i]->Starred.value);
        if (inner->kind != VAL_SEQUENCE)
            return text_unknown(l, node);
        for (size_t j = 0; j < inner->items.count; j++)
            VEC_PUSH(l->arena, &val->items, inner->items.items[j]);
    }
    return val;
}

static struct val *lower_dict(struct lowerer *l, const struct py_node *node) {
    struct val *val = val_new(l, VAL_DICT, lower_span(l, node));
    for (uint32_t i = 0; i < node->Dict.keys.count; i++) {
        struct val *of = lower_expr(l, node->Dict.values.items[i]);
        if (node->Dict.keys.items[i] == NULL) {
            if (of->kind != VAL_DICT)
                return text_unknown(l, node);
            for (size_t j = 0; j < of->keys.count; j++) {
                VEC_PUSH(l->arena, &val->keys, of->keys.items[j]);
                VEC_PUSH(l->arena, &val->items, of->items.items[j]);
            }
            continue;
        }
        VEC_PUSH(l->arena, &val->keys, lower_expr(l, node->Dict.keys.items[i]));
        VEC_PUSH(l->arena, &val->items, of);
    }
    return val;
}

/* A text with values in it hangs on those values alone. */
static struct val *lower_fstring(struct lowerer *l, const struct py_node *node) {
    struct txn_expr *call = txn_opaque(&l->b, lower_span(l, node), STR("format"));
    struct buf pattern = {0};
    for (uint32_t i = 0; i < node->JoinedStr.values.count; i++) {
        const struct py_node *part = node->JoinedStr.values.items[i];
        struct val *val = part->kind == PY_FormattedValue ? lower_expr(l, part->FormattedValue.value)
                          : part->kind == PY_Constant     ? lower_constant(l, part)
                                                          : NULL;
        bool is_plain = part->kind == PY_Constant || part->FormattedValue.format_spec == NULL;
        template_add(l, is_plain ? val : NULL, &pattern);
        if (val != NULL)
            txn_add_arg(&l->b, call, val_expr(l, val));
    }
    return template_done(l, val_scalar(l, call), &pattern);
}

static struct val *lower_lambda(struct lowerer *l, const struct py_node *node) {
    struct val *val = val_new(l, VAL_FUNC, lower_span(l, node));
    struct py_func *func = ARENA_NEW(l->arena, struct py_func);
    func->name = STR("lambda");
    func->module = l->frame->module;
    func->node = node;
    func->function = -1;
    val->func = func;
    val->closure = l->frame;
    return val;
}

void lower_refine(struct lowerer *l, const struct py_node *test, bool holds) {
    bool wants_row = holds;
    if (test->kind == PY_UnaryOp && test->op == PY_OP_Not) {
        lower_refine(l, test->UnaryOp.operand, !holds);
        return;
    }
    if (test->kind == PY_BoolOp && (test->op == PY_OP_And) == holds) {
        for (uint32_t i = 0; i < test->BoolOp.values.count; i++)
            lower_refine(l, test->BoolOp.values.items[i], holds);
        return;
    }
    const struct py_node *name = test;
    if (test->kind == PY_Compare && test->Compare.ops.count == 1) {
        const struct py_node *right = test->Compare.comparators.items[0];
        enum py_op op = test->Compare.ops.items[0];
        if (right->kind != PY_Constant || right->constant != PY_CONST_None)
            return;
        if (op != PY_OP_Is && op != PY_OP_IsNot && op != PY_OP_Eq && op != PY_OP_NotEq)
            return;
        wants_row = (op == PY_OP_IsNot || op == PY_OP_NotEq) == holds;
        name = test->Compare.left;
    }
    struct cell *cell = NULL;
    if (name->kind == PY_Name)
        cell = fields_find(l->frame->locals, name->Name.id);
    if (name->kind == PY_Attribute && name->Attribute.value->kind == PY_Name) {
        struct cell *of = fields_find(l->frame->locals, name->Attribute.value->Name.id);
        if (of != NULL && of->val != NULL && of->val->kind == VAL_ROW)
            cell = fields_find(of->val->row->caches, name->Attribute.attr);
    }
    if (cell == NULL || cell->val == NULL || cell->val->kind != VAL_ROW ||
        !cell->val->row->is_null_possible)
        return;
    struct val *refined;
    if (wants_row) {
        /* The same object, known not to be None here: same caches. */
        struct row *row = arena_copy(l->arena, cell->val->row, sizeof(*row));
        row->is_null_possible = false;
        refined = val_row(l, cell->val->span, row);
    } else {
        refined = val_null(l, cell->val->span);
    }
    refined->refined_from = cell->val;
    cell_set(l, cell, refined);
}

static struct val *lower_node(struct lowerer *l, const struct py_node *node) {
    switch (node->kind) {
    case PY_Name:
        return lower_name(l, node);
    case PY_Constant:
        return lower_constant(l, node);
    case PY_Attribute: {
        struct val *of = lower_expr(l, node->Attribute.value);
        return lower_attribute(l, lower_span(l, node), of, node->Attribute.attr, node);
    }
    case PY_Subscript:
        return lower_subscript(l, node);
    case PY_Call:
        return lower_call(l, node);
    case PY_BinOp: {
        struct val *left = lower_expr(l, node->BinOp.left);
        struct val *right = lower_expr(l, node->BinOp.right);
        return lower_binary(l, node, node->op, left, right);
    }
    case PY_BoolOp:
        return lower_bool(l, node);
    case PY_Compare:
        return lower_compare(l, node);
    case PY_UnaryOp:
        return lower_unary(l, node);
    case PY_IfExp:
        return lower_if_expr(l, node);
    case PY_Tuple:
        return lower_sequence(l, node, node->Tuple.elts);
    case PY_List:
        return lower_sequence(l, node, node->List.elts);
    case PY_Set:
        return lower_sequence(l, node, node->Set.elts);
    case PY_Dict:
        return lower_dict(l, node);
    case PY_JoinedStr:
        return lower_fstring(l, node);
    case PY_Lambda:
        return lower_lambda(l, node);
    case PY_NamedExpr: {
        struct val *val = lower_expr(l, node->NamedExpr.value);
        lower_assign(l, node->NamedExpr.target, val);
        return val;
    }
    case PY_ListComp:
    case PY_SetComp:
    case PY_GeneratorExp:
    case PY_DictComp:
        return lower_comprehension(l, node);
    case PY_Yield:
        if (l->frame->with != NULL) {
            lower_yield(l, node);
            return val_null(l, lower_span(l, node));
        }
        generator_yield(l, node);
        return text_unknown(l, node);
    case PY_YieldFrom:
        generator_yield_each(l, node);
        return text_unknown(l, node);
    case PY_Await:
        return lower_expr(l, node->Await.value);
    default:
        return text_unknown(l, node);
    }
}

struct val *lower_expr(struct lowerer *l, const struct py_node *node) {
    if (l->expr_depth > LOWER_EXPR_DEPTH_MAX || l->is_too_large || l->frame->is_terminated)
        return text_unknown(l, node);
    l->expr_depth++;
    struct val *val = lower_node(l, node);
    l->expr_depth--;
    while (val->content != NULL && val->content->val != NULL && val->content->val != val)
        val = val->content->val;
    return val;
}
