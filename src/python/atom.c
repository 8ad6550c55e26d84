/* Names, literals and displays, and what follows them: attributes, calls, subscripts. */
#include "python/parser.h"

static struct py_node *constant(struct py_parser *p, enum py_constant kind) {
    struct py_mark at = py_here(p);
    struct str text = py_tok_str(p);
    py_next(&p->lexer);
    struct py_node *node = PY_NEW(p, at, Constant);
    node->constant = (uint8_t)kind;
    node->Constant.text = text;
    return node;
}

struct py_node *py_number(struct py_parser *p) {
    switch (py_tok(p)) {
    case TOK_INT:
        return constant(p, PY_CONST_Int);
    case TOK_FLOAT:
        return constant(p, PY_CONST_Float);
    case TOK_COMPLEX:
        return constant(p, PY_CONST_Complex);
    default:
        py_expected(p, "a number");
        return py_nothing(p);
    }
}

static struct py_node *comprehension(struct py_parser *p) {
    struct py_mark at = py_here(p);
    bool is_async = py_accept(p, TOK_async);
    py_expect(p, TOK_for);
    struct py_node *target = py_star_targets(p);
    py_expect(p, TOK_in);
    struct py_node *iter = py_operators(p, PREC_OR);
    uint32_t mark = p->stack_count;
    while (py_accept(p, TOK_if))
        py_push(p, py_operators(p, PREC_OR));
    struct py_list ifs = py_pop_list(p, mark);
    struct py_node *node = PY_NEW(p, at, comprehension);
    node->is_async = is_async;
    node->comprehension.target = target;
    node->comprehension.iter = iter;
    node->comprehension.ifs = ifs;
    return node;
}

static bool at_comprehension(const struct py_parser *p) {
    return py_tok(p) == TOK_for || py_tok(p) == TOK_async;
}

static struct py_list comprehensions(struct py_parser *p) {
    uint32_t mark = p->stack_count;
    while (at_comprehension(p))
        py_push(p, comprehension(p));
    return py_pop_list(p, mark);
}

static void reject_starred(struct py_parser *p, const struct py_node *element) {
    if (element->kind == PY_Starred)
        py_fail(&p->lexer, element->start, "iterable unpacking cannot be used in comprehension");
}

/* Closes a bracket, telling where the open one is if it stands on another line. */
static void close_bracket(struct py_parser *p, enum py_token_type type, struct py_mark open) {
    if (py_accept(p, type) || p->lexer.has_failed)
        return;
    if (p->lexer.tok.line == open.line)
        py_expected(p, py_token_text(type));
    else
        py_fail(&p->lexer, p->lexer.tok.start,
                "expected %s to close the bracket of line %u, not %s", py_token_text(type),
                (unsigned)open.line, py_token_text(py_tok(p)));
}

static struct py_node *generator(struct py_parser *p, struct py_mark at, struct py_node *elt) {
    reject_starred(p, elt);
    struct py_list generators = comprehensions(p);
    close_bracket(p, TOK_RPAREN, at);
    struct py_node *node = PY_NEW(p, at, GeneratorExp);
    node->GeneratorExp.elt = elt;
    node->GeneratorExp.generators = generators;
    return node;
}

/* Elements and commas up to `close`, after `first`. */
static struct py_list more_elements(struct py_parser *p, struct py_node *first,
                                    enum py_token_type close) {
    uint32_t mark = p->stack_count;
    py_push(p, first);
    while (py_accept(p, TOK_COMMA) && py_tok(p) != close)
        py_push(p, py_star_named_expr(p));
    return py_pop_list(p, mark);
}

/* Behind '(': a tuple, a generator, or something in parentheses, which leave no trace in the tree. */
static struct py_node *parenthesized(struct py_parser *p) {
    struct py_mark at = py_here(p);
    py_next(&p->lexer);
    struct py_list elts = {0};
    if (py_tok(p) == TOK_yield) {
        struct py_node *node = py_yield(p);
        close_bracket(p, TOK_RPAREN, at);
        return node;
    }
    if (py_tok(p) != TOK_RPAREN) {
        struct py_node *first = py_star_named_expr(p);
        if (at_comprehension(p))
            return generator(p, at, first);
        if (py_tok(p) != TOK_COMMA) {
            if (first->kind == PY_Starred)
                py_fail(&p->lexer, first->start, "cannot use starred expression here");
            close_bracket(p, TOK_RPAREN, at);
            return first;
        }
        elts = more_elements(p, first, TOK_RPAREN);
    }
    close_bracket(p, TOK_RPAREN, at);
    struct py_node *node = PY_NEW(p, at, Tuple);
    node->Tuple.elts = elts;
    return node;
}

static struct py_node *list(struct py_parser *p) {
    struct py_mark at = py_here(p);
    py_next(&p->lexer);
    struct py_list elts = {0};
    if (py_tok(p) != TOK_RBRACKET) {
        struct py_node *first = py_star_named_expr(p);
        if (at_comprehension(p)) {
            reject_starred(p, first);
            struct py_list generators = comprehensions(p);
            close_bracket(p, TOK_RBRACKET, at);
            struct py_node *node = PY_NEW(p, at, ListComp);
            node->ListComp.elt = first;
            node->ListComp.generators = generators;
            return node;
        }
        elts = more_elements(p, first, TOK_RBRACKET);
    }
    close_bracket(p, TOK_RBRACKET, at);
    struct py_node *node = PY_NEW(p, at, List);
    node->List.elts = elts;
    return node;
}

static struct py_node *set(struct py_parser *p, struct py_mark at, struct py_node *first) {
    if (at_comprehension(p)) {
        reject_starred(p, first);
        struct py_list generators = comprehensions(p);
        close_bracket(p, TOK_RBRACE, at);
        struct py_node *node = PY_NEW(p, at, SetComp);
        node->SetComp.elt = first;
        node->SetComp.generators = generators;
        return node;
    }
    struct py_list elts = more_elements(p, first, TOK_RBRACE);
    close_bracket(p, TOK_RBRACE, at);
    struct py_node *node = PY_NEW(p, at, Set);
    node->Set.elts = elts;
    return node;
}

static struct py_node *dict_comprehension(struct py_parser *p, struct py_mark at,
                                          struct py_node *key, struct py_node *value) {
    struct py_list generators = comprehensions(p);
    close_bracket(p, TOK_RBRACE, at);
    struct py_node *node = PY_NEW(p, at, DictComp);
    node->DictComp.key = key;
    node->DictComp.value = value;
    node->DictComp.generators = generators;
    return node;
}

/* Pushes the key (NULL for **value) and the value. */
static void dict_item(struct py_parser *p) {
    if (py_accept(p, TOK_DOUBLE_STAR)) {
        py_push(p, NULL);
        py_push(p, py_operators(p, PREC_BIT_OR));
        return;
    }
    py_push(p, py_expr(p));
    py_expect(p, TOK_COLON);
    py_push(p, py_expr(p));
}

static struct py_node *dict(struct py_parser *p, struct py_mark at, uint32_t mark) {
    while (py_accept(p, TOK_COMMA) && py_tok(p) != TOK_RBRACE)
        dict_item(p);
    close_bracket(p, TOK_RBRACE, at);
    uint32_t count = (p->stack_count - mark) / 2;
    struct py_node **keys = count > 0 ? py_alloc(p, count * sizeof(*keys)) : NULL;
    struct py_node **values = count > 0 ? py_alloc(p, count * sizeof(*values)) : NULL;
    for (uint32_t i = 0; i < count; i++) {
        keys[i] = p->stack[mark + 2 * i];
        values[i] = p->stack[mark + 2 * i + 1];
    }
    p->stack_count = mark;
    struct py_node *node = PY_NEW(p, at, Dict);
    node->Dict.keys = (struct py_list){keys, count};
    node->Dict.values = (struct py_list){values, count};
    return node;
}

static struct py_node *dict_or_set(struct py_parser *p) {
    struct py_mark at = py_here(p);
    uint32_t mark = p->stack_count;
    py_next(&p->lexer);
    if (py_tok(p) == TOK_RBRACE)
        return dict(p, at, mark);
    if (py_tok(p) == TOK_DOUBLE_STAR) {
        dict_item(p);
        if (at_comprehension(p))
            py_fail(&p->lexer, p->lexer.tok.start,
                    "dict unpacking cannot be used in dict comprehension");
        return dict(p, at, mark);
    }
    struct py_mark first_at = py_here(p);
    struct py_node *first = py_star_named_expr(p);
    if (py_tok(p) != TOK_COLON)
        return set(p, at, first);
    if (first->kind == PY_Starred ||
        (first->kind == PY_NamedExpr && first->start == first_at.start))
        py_expected(p, "',' or '}'");
    py_next(&p->lexer);
    struct py_node *value = py_expr(p);
    if (at_comprehension(p))
        return dict_comprehension(p, at, first, value);
    py_push(p, first);
    py_push(p, value);
    return dict(p, at, mark);
}

static struct py_node *name(struct py_parser *p) {
    struct py_mark at = py_here(p);
    struct str id = py_name(p, "a name");
    struct py_node *node = PY_NEW(p, at, Name);
    node->Name.id = id;
    return node;
}

struct py_node *py_atom(struct py_parser *p) {
    switch (py_tok(p)) {
    case TOK_NAME:
        return name(p);
    case TOK_STRING:
    case TOK_FSTRING:
        return py_strings(p);
    case TOK_INT:
    case TOK_FLOAT:
    case TOK_COMPLEX:
        return py_number(p);
    case TOK_None:
        return constant(p, PY_CONST_None);
    case TOK_True:
        return constant(p, PY_CONST_True);
    case TOK_False:
        return constant(p, PY_CONST_False);
    case TOK_ELLIPSIS:
        return constant(p, PY_CONST_Ellipsis);
    case TOK_LPAREN:
        return parenthesized(p);
    case TOK_LBRACKET:
        return list(p);
    case TOK_LBRACE:
        return dict_or_set(p);
    default:
        py_expected(p, "an expression");
        return py_nothing(p);
    }
}

static struct py_node *keyword(struct py_parser *p, struct py_mark at, struct str name_text) {
    struct py_node *value = py_expr(p);
    struct py_node *node = PY_NEW(p, at, keyword);
    node->keyword.arg = name_text;
    node->keyword.value = value;
    return node;
}

/* What has been seen of a call's arguments. */
struct arg_order {
    bool has_keyword, has_double_star;
};

/* f(x for x in y): only as the lone argument, in the parentheses of the call. */
static struct py_node *generator_arg(struct py_parser *p, const struct py_mark *open, bool is_first,
                                     struct py_node *elt) {
    reject_starred(p, elt);
    struct py_list generators = comprehensions(p);
    if (open == NULL || !is_first || py_tok(p) != TOK_RPAREN)
        py_fail(&p->lexer, elt->start, "generator expression must be parenthesized");
    struct py_node *node = PY_NEW(p, open != NULL ? *open : py_here(p), GeneratorExp);
    node->end = p->lexer.tok.end;
    node->GeneratorExp.elt = elt;
    node->GeneratorExp.generators = generators;
    return node;
}

static struct py_node *call_arg(struct py_parser *p, const struct py_mark *open,
                                struct arg_order *order, bool is_first) {
    struct py_mark at = py_here(p);
    if (py_accept(p, TOK_DOUBLE_STAR)) {
        order->has_double_star = true;
        return keyword(p, at, (struct str){0});
    }
    if (py_tok(p) == TOK_STAR) {
        if (order->has_double_star)
            py_fail(&p->lexer, at.start,
                    "iterable argument unpacking follows keyword argument unpacking");
        return py_starred(p, PREC_NONE);
    }
    struct py_node *node = py_named_expr(p);
    if (py_tok(p) == TOK_EQUAL) {
        if (node->kind != PY_Name || node->start != at.start)
            py_fail(&p->lexer, at.start,
                    "expression cannot contain assignment, perhaps you meant \"==\"?");
        order->has_keyword = true;
        struct str name_text = node->kind == PY_Name ? node->Name.id : (struct str){0};
        py_next(&p->lexer);
        return keyword(p, at, name_text);
    }
    if (at_comprehension(p))
        return generator_arg(p, open, is_first, node);
    if (order->has_double_star)
        py_fail(&p->lexer, p->lexer.prev_end - 1,
                "positional argument follows keyword argument unpacking");
    else if (order->has_keyword)
        py_fail(&p->lexer, p->lexer.prev_end - 1, "positional argument follows keyword argument");
    return node;
}

void py_call_args(struct py_parser *p, const struct py_mark *open, struct py_list *args,
                  struct py_list *keywords) {
    struct arg_order order = {0};
    uint32_t mark = p->stack_count, keyword_count = 0;
    do {
        if (py_tok(p) == TOK_RPAREN)
            break;
        bool is_first = p->stack_count == mark;
        struct py_node *arg = call_arg(p, open, &order, is_first);
        keyword_count += arg->kind == PY_keyword;
        py_push(p, arg);
    } while (py_accept(p, TOK_COMMA));
    if (keyword_count == 0) {
        *args = py_pop_list(p, mark);
        return;
    }
    uint32_t count = p->stack_count - mark;
    struct py_node **items = py_alloc(p, count * sizeof(*items));
    *args = (struct py_list){items, count - keyword_count};
    *keywords = (struct py_list){items + args->count, keyword_count};
    struct py_node **next_arg = args->items, **next_keyword = keywords->items;
    for (uint32_t i = mark; i < p->stack_count; i++)
        *(p->stack[i]->kind == PY_keyword ? next_keyword++ : next_arg++) = p->stack[i];
    p->stack_count = mark;
}

static struct py_node *call(struct py_parser *p, struct py_mark at, struct py_node *func) {
    struct py_mark open = py_here(p);
    struct py_list args = {0}, keywords = {0};
    py_next(&p->lexer);
    py_call_args(p, &open, &args, &keywords);
    close_bracket(p, TOK_RPAREN, open);
    struct py_node *node = PY_NEW(p, at, Call);
    node->Call.func = func;
    node->Call.args = args;
    node->Call.keywords = keywords;
    return node;
}

static bool at_slice_end(const struct py_parser *p) {
    return py_tok(p) == TOK_COLON || py_tok(p) == TOK_COMMA || py_tok(p) == TOK_RBRACKET;
}

/* One element of a subscript: an expression, lower:upper:step, or *x. */
static struct py_node *slice(struct py_parser *p) {
    struct py_mark at = py_here(p);
    if (py_tok(p) == TOK_STAR)
        return py_starred(p, PREC_NONE);
    struct py_node *lower = NULL, *upper = NULL, *step = NULL;
    if (py_tok(p) != TOK_COLON)
        lower = py_named_expr(p);
    if (py_tok(p) != TOK_COLON)
        return lower;
    if (lower != NULL && lower->kind == PY_NamedExpr && lower->start == at.start)
        py_expected(p, "']'");
    py_next(&p->lexer);
    if (!at_slice_end(p))
        upper = py_expr(p);
    if (py_accept(p, TOK_COLON) && !at_slice_end(p))
        step = py_expr(p);
    struct py_node *node = PY_NEW(p, at, Slice);
    node->Slice.lower = lower;
    node->Slice.upper = upper;
    node->Slice.step = step;
    return node;
}

static struct py_node *subscript(struct py_parser *p, struct py_mark at, struct py_node *value) {
    struct py_mark open = py_here(p);
    py_next(&p->lexer);
    struct py_mark slice_at = py_here(p);
    struct py_node *index = slice(p);
    if (py_tok(p) == TOK_COMMA || index->kind == PY_Starred) {
        uint32_t mark = p->stack_count;
        py_push(p, index);
        while (py_accept(p, TOK_COMMA) && py_tok(p) != TOK_RBRACKET)
            py_push(p, slice(p));
        struct py_list elts = py_pop_list(p, mark);
        index = PY_NEW(p, slice_at, Tuple);
        index->Tuple.elts = elts;
    }
    close_bracket(p, TOK_RBRACKET, open);
    struct py_node *node = PY_NEW(p, at, Subscript);
    node->Subscript.value = value;
    node->Subscript.slice = index;
    return node;
}

struct py_node *py_primary(struct py_parser *p) {
    struct py_mark at = py_here(p);
    struct py_node *node = py_atom(p);
    for (;;) {
        switch (py_tok(p)) {
        case TOK_DOT: {
            py_next(&p->lexer);
            struct str attr = py_name(p, "a name after '.'");
            struct py_node *value = node;
            node = PY_NEW(p, at, Attribute);
            node->Attribute.value = value;
            node->Attribute.attr = attr;
            break;
        }
        case TOK_LPAREN:
            node = call(p, at, node);
            break;
        case TOK_LBRACKET:
            node = subscript(p, at, node);
            break;
        default:
            return node;
        }
        p->chain++;
    }
}
