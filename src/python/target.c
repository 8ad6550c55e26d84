/* Expressions that turn out to be targets: `a, b = ...` is first read as an expression, and becomes a target
 * when the `=` is seen. */
#include "python/parser.h"

static const char *describe(const struct py_node *node) {
    switch (node->kind) {
    case PY_Call:
        return "function call";
    case PY_Compare:
        return "comparison";
    case PY_Constant:
        switch (node->constant) {
        case PY_CONST_None:
            return "None";
        case PY_CONST_True:
            return "True";
        case PY_CONST_False:
            return "False";
        case PY_CONST_Ellipsis:
            return "ellipsis";
        default:
            return "literal";
        }
    case PY_JoinedStr:
        return "f-string expression";
    case PY_TemplateStr:
        return "t-string expression";
    case PY_Lambda:
        return "lambda";
    case PY_IfExp:
        return "conditional expression";
    case PY_Dict:
        return "dict literal";
    case PY_Set:
        return "set display";
    case PY_ListComp:
        return "list comprehension";
    case PY_SetComp:
        return "set comprehension";
    case PY_DictComp:
        return "dict comprehension";
    case PY_GeneratorExp:
        return "generator expression";
    case PY_Yield:
    case PY_YieldFrom:
        return "yield expression";
    case PY_Await:
        return "await expression";
    case PY_NamedExpr:
        return "named expression";
    case PY_Starred:
        return "starred";
    case PY_Tuple:
        return "tuple";
    case PY_List:
        return "list";
    default:
        return "expression";
    }
}

static void reject(struct py_parser *p, const struct py_node *node, enum py_target target) {
    if (target == PY_TARGET_DEL)
        py_fail(&p->lexer, node->start, "cannot delete %s", describe(node));
    else if (target == PY_TARGET_SINGLE)
        py_fail(&p->lexer, node->start, "'%s' is an illegal expression for augmented assignment",
                describe(node));
    else
        py_fail(&p->lexer, node->start, "cannot assign to %s", describe(node));
}

void py_set_target(struct py_parser *p, struct py_node *node, enum py_target target) {
    switch (node->kind) {
    case PY_Name:
    case PY_Attribute:
    case PY_Subscript:
        break;
    case PY_Starred:
        if (target == PY_TARGET_DEL || target == PY_TARGET_SINGLE ||
            node->Starred.value->kind == PY_Starred) {
            reject(p, node, target);
            return;
        }
        py_set_target(p, node->Starred.value, target);
        break;
    case PY_Tuple:
    case PY_List: {
        if (target == PY_TARGET_SINGLE) {
            reject(p, node, target);
            return;
        }
        struct py_list elts = node->kind == PY_Tuple ? node->Tuple.elts : node->List.elts;
        for (uint32_t i = 0; i < elts.count; i++)
            py_set_target(p, elts.items[i], target);
        break;
    }
    default:
        reject(p, node, target);
        return;
    }
    node->ctx = target == PY_TARGET_DEL ? PY_Del : PY_Store;
}

/* Not further than a comparison, so that `in` remains. */
static struct py_node *target_element(struct py_parser *p) {
    return py_tok(p) == TOK_STAR ? py_starred(p, PREC_BIT_OR) : py_operators(p, PREC_BIT_OR);
}

struct py_node *py_star_target(struct py_parser *p) {
    struct py_node *node = target_element(p);
    if (!p->lexer.has_failed)
        py_set_target(p, node, PY_TARGET_FOR);
    return node;
}

struct py_node *py_star_targets(struct py_parser *p) {
    struct py_mark at = py_here(p);
    struct py_node *node = target_element(p);
    if (py_tok(p) == TOK_COMMA) {
        uint32_t mark = p->stack_count;
        py_push(p, node);
        while (py_accept(p, TOK_COMMA) && (py_starts_expr(py_tok(p)) || py_tok(p) == TOK_STAR))
            py_push(p, target_element(p));
        struct py_list elts = py_pop_list(p, mark);
        node = PY_NEW(p, at, Tuple);
        node->Tuple.elts = elts;
    }
    if (!p->lexer.has_failed)
        py_set_target(p, node, PY_TARGET_FOR);
    return node;
}
