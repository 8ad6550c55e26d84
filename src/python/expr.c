/* Expressions: operators by their precedence, conditionals, lambda, walrus, yield. What stands between the
 * operators is in atom.c. */
#include "python/parser.h"

static const struct {
    uint8_t prec;
    uint8_t op;
} infix[TOK_COUNT] = {
    [TOK_or] = {PREC_OR, PY_OP_Or},
    [TOK_and] = {PREC_AND, PY_OP_And},
    [TOK_not] = {PREC_COMPARE, PY_OP_NotIn},
    [TOK_in] = {PREC_COMPARE, PY_OP_In},
    [TOK_is] = {PREC_COMPARE, PY_OP_Is},
    [TOK_EQ] = {PREC_COMPARE, PY_OP_Eq},
    [TOK_NOT_EQ] = {PREC_COMPARE, PY_OP_NotEq},
    [TOK_LESS] = {PREC_COMPARE, PY_OP_Lt},
    [TOK_LESS_EQ] = {PREC_COMPARE, PY_OP_LtE},
    [TOK_GREATER] = {PREC_COMPARE, PY_OP_Gt},
    [TOK_GREATER_EQ] = {PREC_COMPARE, PY_OP_GtE},
    [TOK_BAR] = {PREC_BIT_OR, PY_OP_BitOr},
    [TOK_CARET] = {PREC_BIT_XOR, PY_OP_BitXor},
    [TOK_AMPERSAND] = {PREC_BIT_AND, PY_OP_BitAnd},
    [TOK_LEFT_SHIFT] = {PREC_SHIFT, PY_OP_LShift},
    [TOK_RIGHT_SHIFT] = {PREC_SHIFT, PY_OP_RShift},
    [TOK_PLUS] = {PREC_SUM, PY_OP_Add},
    [TOK_MINUS] = {PREC_SUM, PY_OP_Sub},
    [TOK_STAR] = {PREC_TERM, PY_OP_Mult},
    [TOK_AT] = {PREC_TERM, PY_OP_MatMult},
    [TOK_SLASH] = {PREC_TERM, PY_OP_Div},
    [TOK_PERCENT] = {PREC_TERM, PY_OP_Mod},
    [TOK_DOUBLE_SLASH] = {PREC_TERM, PY_OP_FloorDiv},
};

bool py_starts_expr(enum py_token_type type) {
    switch (type) {
    case TOK_NAME:
    case TOK_INT:
    case TOK_FLOAT:
    case TOK_COMPLEX:
    case TOK_STRING:
    case TOK_FSTRING:
    case TOK_LPAREN:
    case TOK_LBRACKET:
    case TOK_LBRACE:
    case TOK_ELLIPSIS:
    case TOK_PLUS:
    case TOK_MINUS:
    case TOK_TILDE:
    case TOK_None:
    case TOK_True:
    case TOK_False:
    case TOK_not:
    case TOK_lambda:
    case TOK_await:
        return true;
    default:
        return false;
    }
}

static struct py_node *unary(struct py_parser *p, enum py_op op, enum py_prec least);

static struct py_node *power(struct py_parser *p) {
    struct py_mark at = py_here(p);
    struct py_node *base;
    if (py_accept(p, TOK_await)) {
        struct py_node *value = py_primary(p);
        base = PY_NEW(p, at, Await);
        base->Await.value = value;
    } else {
        base = py_primary(p);
    }
    if (!py_accept(p, TOK_DOUBLE_STAR))
        return base;
    struct py_node *exponent = py_enter(p) ? py_operators(p, PREC_UNARY) : py_nothing(p);
    py_leave(p);
    struct py_node *node = PY_NEW(p, at, BinOp);
    node->op = PY_OP_Pow;
    node->BinOp.left = base;
    node->BinOp.right = exponent;
    return node;
}

static struct py_node *operand(struct py_parser *p, enum py_prec least) {
    switch (py_tok(p)) {
    case TOK_not:
        if (least > PREC_NOT)
            py_expected(p, "an expression");
        return unary(p, PY_OP_Not, PREC_NOT);
    case TOK_MINUS:
        return unary(p, PY_OP_USub, PREC_UNARY);
    case TOK_PLUS:
        return unary(p, PY_OP_UAdd, PREC_UNARY);
    case TOK_TILDE:
        return unary(p, PY_OP_Invert, PREC_UNARY);
    default:
        return power(p);
    }
}

static struct py_node *unary(struct py_parser *p, enum py_op op, enum py_prec least) {
    struct py_mark at = py_here(p);
    py_next(&p->lexer);
    struct py_node *value = py_enter(p) ? py_operators(p, least) : py_nothing(p);
    py_leave(p);
    struct py_node *node = PY_NEW(p, at, UnaryOp);
    node->op = (uint8_t)op;
    node->UnaryOp.operand = value;
    return node;
}

/* a and b and c: one node for operators in a row that are alike. */
static struct py_node *bool_op(struct py_parser *p, struct py_mark at, struct py_node *left) {
    enum py_token_type type = py_tok(p);
    uint32_t mark = p->stack_count;
    py_push(p, left);
    while (py_accept(p, type))
        py_push(p, py_operators(p, infix[type].prec + 1));
    struct py_list values = py_pop_list(p, mark);
    struct py_node *node = PY_NEW(p, at, BoolOp);
    node->op = infix[type].op;
    node->BoolOp.values = values;
    return node;
}

static enum py_op comparison_op(struct py_parser *p) {
    enum py_token_type type = py_tok(p);
    py_next(&p->lexer);
    if (type == TOK_is && py_accept(p, TOK_not))
        return PY_OP_IsNot;
    if (type == TOK_not)
        py_expect(p, TOK_in);
    return infix[type].op;
}

static struct py_node *comparison(struct py_parser *p, struct py_mark at, struct py_node *left) {
    uint32_t mark = p->stack_count;
    uint8_t few[16], *ops = few;
    uint32_t count = 0, capacity = sizeof(few);
    do {
        if (count == capacity) {
            uint8_t *grown = py_alloc(p, (size_t)capacity * 2);
            memcpy(grown, ops, count);
            ops = grown;
            capacity *= 2;
        }
        ops[count++] = (uint8_t)comparison_op(p);
        py_push(p, py_operators(p, PREC_BIT_OR));
    } while (infix[py_tok(p)].prec == PREC_COMPARE);
    struct py_list comparators = py_pop_list(p, mark);
    uint8_t *kept = py_alloc(p, count);
    memcpy(kept, ops, count);
    struct py_node *node = PY_NEW(p, at, Compare);
    node->Compare.left = left;
    node->Compare.ops = (struct py_ops){kept, count};
    node->Compare.comparators = comparators;
    return node;
}

struct py_node *py_operators(struct py_parser *p, enum py_prec least) {
    struct py_mark at = py_here(p);
    struct py_node *left = operand(p, least);
    for (;;) {
        enum py_token_type type = py_tok(p);
        enum py_prec prec = infix[type].prec;
        if (prec == PREC_NONE || prec < least)
            return left;
        if (prec <= PREC_AND) {
            left = bool_op(p, at, left);
        } else if (prec == PREC_COMPARE) {
            left = comparison(p, at, left);
        } else {
            py_next(&p->lexer);
            struct py_node *right = py_operators(p, prec + 1);
            struct py_node *node = PY_NEW(p, at, BinOp);
            node->op = infix[type].op;
            node->BinOp.left = left;
            node->BinOp.right = right;
            left = node;
        }
        p->chain++;
    }
}

static struct py_node *lambda(struct py_parser *p) {
    struct py_mark at = py_here(p);
    if (p->lexer.field_depth > 0 && p->lexer.depth == p->lexer.field_depth)
        py_fail(&p->lexer, at.start, "lambda in an f-string needs parentheses");
    py_next(&p->lexer);
    struct py_node *params = py_params(p, TOK_COLON);
    py_expect(p, TOK_COLON);
    struct py_node *body = py_expr(p);
    struct py_node *node = PY_NEW(p, at, Lambda);
    node->Lambda.args = params;
    node->Lambda.body = body;
    return node;
}

static struct py_node *conditional(struct py_parser *p, struct py_mark at, struct py_node *body) {
    py_next(&p->lexer);
    struct py_node *test = py_operators(p, PREC_OR);
    if (!py_accept(p, TOK_else))
        py_expected(p, "'else' after 'if' expression");
    struct py_node *orelse = py_expr(p);
    struct py_node *node = PY_NEW(p, at, IfExp);
    node->IfExp.body = body;
    node->IfExp.test = test;
    node->IfExp.orelse = orelse;
    return node;
}

struct py_node *py_expr(struct py_parser *p) {
    struct py_mark at = py_here(p);
    struct py_node *node;
    if (!py_enter(p)) {
        node = py_nothing(p);
    } else if (py_tok(p) == TOK_lambda) {
        node = lambda(p);
    } else {
        node = py_operators(p, PREC_OR);
        if (py_tok(p) == TOK_if)
            node = conditional(p, at, node);
    }
    py_leave(p);
    return node;
}

struct py_node *py_named_expr(struct py_parser *p) {
    struct py_mark at = py_here(p);
    struct py_node *target = py_expr(p);
    if (py_tok(p) != TOK_COLON_EQUAL)
        return target;
    /* A name in parentheses begins after them. */
    if (target->kind != PY_Name || target->start != at.start)
        py_fail(&p->lexer, at.start, "cannot use assignment expressions with this target");
    else
        target->ctx = PY_Store;
    py_next(&p->lexer);
    struct py_node *value = py_expr(p);
    struct py_node *node = PY_NEW(p, at, NamedExpr);
    node->NamedExpr.target = target;
    node->NamedExpr.value = value;
    return node;
}

struct py_node *py_starred(struct py_parser *p, enum py_prec least) {
    struct py_mark at = py_here(p);
    py_next(&p->lexer);
    struct py_node *value = least == PREC_NONE ? py_expr(p) : py_operators(p, least);
    struct py_node *node = PY_NEW(p, at, Starred);
    node->Starred.value = value;
    return node;
}

struct py_node *py_star_named_expr(struct py_parser *p) {
    return py_tok(p) == TOK_STAR ? py_starred(p, PREC_BIT_OR) : py_named_expr(p);
}

static struct py_node *star_expr(struct py_parser *p) {
    return py_tok(p) == TOK_STAR ? py_starred(p, PREC_BIT_OR) : py_expr(p);
}

struct py_node *py_star_exprs(struct py_parser *p) {
    struct py_mark at = py_here(p);
    struct py_node *first = star_expr(p);
    if (py_tok(p) != TOK_COMMA)
        return first;
    uint32_t mark = p->stack_count;
    py_push(p, first);
    while (py_accept(p, TOK_COMMA) && (py_starts_expr(py_tok(p)) || py_tok(p) == TOK_STAR))
        py_push(p, star_expr(p));
    struct py_list elts = py_pop_list(p, mark);
    struct py_node *node = PY_NEW(p, at, Tuple);
    node->Tuple.elts = elts;
    return node;
}

struct py_node *py_yield(struct py_parser *p) {
    struct py_mark at = py_here(p);
    py_next(&p->lexer);
    if (py_accept(p, TOK_from)) {
        struct py_node *value = py_expr(p);
        struct py_node *node = PY_NEW(p, at, YieldFrom);
        node->YieldFrom.value = value;
        return node;
    }
    struct py_node *value = NULL;
    if (py_starts_expr(py_tok(p)) || py_tok(p) == TOK_STAR)
        value = py_star_exprs(p);
    struct py_node *node = PY_NEW(p, at, Yield);
    node->Yield.value = value;
    return node;
}

struct py_node *py_yield_or_star_exprs(struct py_parser *p) {
    return py_tok(p) == TOK_yield ? py_yield(p) : py_star_exprs(p);
}
