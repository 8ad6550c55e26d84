/* Parameters of functions and lambdas, and type parameters. */
#include "python/parser.h"

static struct py_node *param(struct py_parser *p, bool is_lambda, bool is_star) {
    struct py_mark at = py_here(p);
    struct str name = py_name(p, "a parameter name");
    struct py_node *annotation = NULL;
    if (!is_lambda && py_accept(p, TOK_COLON)) {
        bool is_unpacked = is_star && py_tok(p) == TOK_STAR;
        annotation = is_unpacked ? py_starred(p, PREC_BIT_OR) : py_expr(p);
    }
    struct py_node *node = PY_NEW(p, at, arg);
    node->arg.arg = name;
    node->arg.annotation = annotation;
    return node;
}

/* Parameters are pushed as pairs of arg and default (or NULL), positional ones first. */
struct param_list {
    uint32_t mark;
    uint32_t posonly_count, positional_count, kwonly_count;
    bool has_slash, has_star, needs_kwonly;
    bool has_default; /* a positional parameter has had one */
    struct py_node *vararg, *kwarg;
};

static void slash(struct py_parser *p, struct param_list *list) {
    if (list->has_slash)
        py_fail(&p->lexer, p->lexer.tok.start, "/ may appear only once");
    else if (list->has_star)
        py_fail(&p->lexer, p->lexer.tok.start, "/ must be ahead of *");
    else if (list->positional_count == 0)
        py_fail(&p->lexer, p->lexer.tok.start, "at least one argument must precede /");
    list->has_slash = true;
    list->posonly_count = list->positional_count;
    py_next(&p->lexer);
}

static void star(struct py_parser *p, struct param_list *list, bool is_lambda) {
    if (list->has_star)
        py_fail(&p->lexer, p->lexer.tok.start, "* argument may appear only once");
    list->has_star = true;
    py_next(&p->lexer);
    if (py_tok(p) == TOK_COMMA) {
        list->needs_kwonly = true;
        return;
    }
    list->vararg = param(p, is_lambda, true);
    if (py_tok(p) == TOK_EQUAL)
        py_fail(&p->lexer, p->lexer.tok.start, "var-positional argument cannot have default value");
}

static void plain_param(struct py_parser *p, struct param_list *list, bool is_lambda) {
    uint32_t start = p->lexer.tok.start;
    py_push(p, param(p, is_lambda, false));
    struct py_node *value = py_accept(p, TOK_EQUAL) ? py_expr(p) : NULL;
    py_push(p, value);
    if (list->has_star) {
        list->kwonly_count++;
        list->needs_kwonly = false;
        return;
    }
    list->positional_count++;
    if (value == NULL && list->has_default)
        py_fail(&p->lexer, start, "parameter without a default follows parameter with a default");
    list->has_default |= value != NULL;
}

static void gather(struct py_parser *p, struct param_list *list, enum py_token_type close) {
    bool is_lambda = close == TOK_COLON;
    while (py_tok(p) != close && !p->lexer.has_failed) {
        if (list->kwarg != NULL) {
            py_fail(&p->lexer, p->lexer.tok.start, "arguments cannot follow var-keyword argument");
        } else if (py_tok(p) == TOK_SLASH) {
            slash(p, list);
        } else if (py_tok(p) == TOK_STAR) {
            star(p, list, is_lambda);
        } else if (py_accept(p, TOK_DOUBLE_STAR)) {
            list->kwarg = param(p, is_lambda, false);
            if (py_tok(p) == TOK_EQUAL)
                py_fail(&p->lexer, p->lexer.tok.start,
                        "var-keyword argument cannot have default value");
            if (list->needs_kwonly)
                py_fail(&p->lexer, list->kwarg->start, "named arguments must follow bare *");
        } else {
            plain_param(p, list, is_lambda);
        }
        if (!py_accept(p, TOK_COMMA) && py_tok(p) != close)
            py_expected(p, is_lambda ? "',' or ':'" : "',' or ')'");
    }
    if (list->needs_kwonly)
        py_fail(&p->lexer, p->lexer.tok.start, "named arguments must follow bare *");
}

/* The args (`offset` 0) or defaults (1) of `count` pairs from pair `first`. */
static struct py_list half(struct py_parser *p, const struct param_list *list, uint32_t first,
                           uint32_t count, uint32_t offset, bool keep_null) {
    struct py_list half = {0};
    if (count == 0)
        return half;
    struct py_node **pairs = p->stack + list->mark + 2 * first;
    uint32_t kept_count = 0;
    for (uint32_t i = 0; i < count; i++)
        kept_count += keep_null || pairs[2 * i + offset] != NULL;
    if (kept_count == 0)
        return half;
    half.items = py_alloc(p, kept_count * sizeof(*half.items));
    for (uint32_t i = 0; i < count; i++)
        if (keep_null || pairs[2 * i + offset] != NULL)
            half.items[half.count++] = pairs[2 * i + offset];
    return half;
}

struct py_node *py_params(struct py_parser *p, enum py_token_type close) {
    struct py_mark at = py_here(p);
    struct param_list list = {.mark = p->stack_count};
    gather(p, &list, close);
    struct py_node *node = PY_NEW(p, at, arguments);
    if (node->end < node->start)
        node->end = node->start;
    uint32_t kwonly_from = list.positional_count;
    struct py_arguments *args = &node->arguments;
    args->posonlyargs = half(p, &list, 0, list.posonly_count, 0, true);
    args->args =
        half(p, &list, list.posonly_count, list.positional_count - list.posonly_count, 0, true);
    args->vararg = list.vararg;
    args->kwonlyargs = half(p, &list, kwonly_from, list.kwonly_count, 0, true);
    args->kw_defaults = half(p, &list, kwonly_from, list.kwonly_count, 1, true);
    args->kwarg = list.kwarg;
    args->defaults = half(p, &list, 0, list.positional_count, 1, false);
    p->stack_count = list.mark;
    return node;
}

static struct py_node *type_param(struct py_parser *p) {
    struct py_mark at = py_here(p);
    enum py_token_type sort = py_tok(p);
    bool is_plain = sort != TOK_STAR && sort != TOK_DOUBLE_STAR;
    if (!is_plain)
        py_next(&p->lexer);
    struct str name = py_name(p, "a type parameter");
    struct py_node *bound = is_plain && py_accept(p, TOK_COLON) ? py_expr(p) : NULL;
    struct py_node *value = NULL;
    if (py_accept(p, TOK_EQUAL))
        value = sort == TOK_STAR && py_tok(p) == TOK_STAR ? py_starred(p, PREC_BIT_OR) : py_expr(p);
    struct py_node *node;
    if (sort == TOK_STAR) {
        node = PY_NEW(p, at, TypeVarTuple);
        node->TypeVarTuple.name = name;
        node->TypeVarTuple.default_value = value;
    } else if (sort == TOK_DOUBLE_STAR) {
        node = PY_NEW(p, at, ParamSpec);
        node->ParamSpec.name = name;
        node->ParamSpec.default_value = value;
    } else {
        node = PY_NEW(p, at, TypeVar);
        node->TypeVar.name = name;
        node->TypeVar.bound = bound;
        node->TypeVar.default_value = value;
    }
    return node;
}

struct py_list py_type_params(struct py_parser *p) {
    if (!py_accept(p, TOK_LBRACKET))
        return (struct py_list){0};
    uint32_t mark = p->stack_count;
    do
        py_push(p, type_param(p));
    while (py_accept(p, TOK_COMMA) && py_tok(p) != TOK_RBRACKET);
    py_expect(p, TOK_RBRACKET);
    return py_pop_list(p, mark);
}
