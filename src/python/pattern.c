/* The patterns of `case` (PEP 634). */
#include "python/parser.h"

static struct py_node *pattern(struct py_parser *p);

static struct py_node *value_pattern(struct py_parser *p, struct py_mark at,
                                     struct py_node *value) {
    struct py_node *node = PY_NEW(p, at, MatchValue);
    node->MatchValue.value = value;
    return node;
}

static struct py_node *name_node(struct py_parser *p) {
    struct py_mark at = py_here(p);
    struct str id = py_name(p, "a name");
    struct py_node *node = PY_NEW(p, at, Name);
    node->Name.id = id;
    return node;
}

/* a or a.b.c */
static struct py_node *name_or_attr(struct py_parser *p) {
    struct py_mark at = py_here(p);
    struct py_node *node = name_node(p);
    while (py_accept(p, TOK_DOT)) {
        struct str attr = py_name(p, "a name after '.'");
        struct py_node *value = node;
        node = PY_NEW(p, at, Attribute);
        node->Attribute.value = value;
        node->Attribute.attr = attr;
        p->chain++;
    }
    return node;
}

static struct py_node *signed_number(struct py_parser *p) {
    struct py_mark at = py_here(p);
    if (!py_accept(p, TOK_MINUS))
        return py_number(p);
    struct py_node *number = py_number(p);
    struct py_node *node = PY_NEW(p, at, UnaryOp);
    node->op = PY_OP_USub;
    node->UnaryOp.operand = number;
    return node;
}

/* -1, 2.5, 1 - 2j */
static struct py_node *number_value(struct py_parser *p) {
    struct py_mark at = py_here(p);
    bool is_complex = false;
    struct py_node *left = signed_number(p);
    const struct py_node *digits = left->kind == PY_UnaryOp ? left->UnaryOp.operand : left;
    is_complex = digits->constant == PY_CONST_Complex;
    if (py_tok(p) != TOK_PLUS && py_tok(p) != TOK_MINUS)
        return left;
    if (is_complex)
        py_fail(&p->lexer, at.start, "real number required in complex literal");
    enum py_op op = py_tok(p) == TOK_PLUS ? PY_OP_Add : PY_OP_Sub;
    py_next(&p->lexer);
    uint32_t right_start = p->lexer.tok.start;
    struct py_node *right = py_number(p);
    if (right->constant != PY_CONST_Complex)
        py_fail(&p->lexer, right_start, "imaginary number required in complex literal");
    struct py_node *node = PY_NEW(p, at, BinOp);
    node->op = (uint8_t)op;
    node->BinOp.left = left;
    node->BinOp.right = right;
    return node;
}

static bool at_singleton(const struct py_parser *p) {
    return py_tok(p) == TOK_None || py_tok(p) == TOK_True || py_tok(p) == TOK_False;
}

static struct py_node *singleton(struct py_parser *p) {
    struct py_mark at = py_here(p);
    enum py_token_type type = py_tok(p);
    py_next(&p->lexer);
    struct py_node *node = PY_NEW(p, at, MatchSingleton);
    node->constant = type == TOK_None   ? PY_CONST_None
                     : type == TOK_True ? PY_CONST_True
                                        : PY_CONST_False;
    return node;
}

static struct py_node *star_pattern(struct py_parser *p) {
    struct py_mark at = py_here(p);
    py_next(&p->lexer);
    struct str name = py_name(p, "a name after '*'");
    struct py_node *node = PY_NEW(p, at, MatchStar);
    if (!str_is(name, "_"))
        node->MatchStar.name = name;
    return node;
}

static struct py_node *star_or_pattern(struct py_parser *p) {
    return py_tok(p) == TOK_STAR ? star_pattern(p) : pattern(p);
}

static struct py_list more_patterns(struct py_parser *p, struct py_node *first,
                                    enum py_token_type close) {
    uint32_t mark = p->stack_count;
    py_push(p, first);
    while (py_accept(p, TOK_COMMA) && py_tok(p) != close && py_tok(p) != TOK_COLON &&
           py_tok(p) != TOK_if)
        py_push(p, star_or_pattern(p));
    return py_pop_list(p, mark);
}

static struct py_node *sequence(struct py_parser *p) {
    struct py_mark at = py_here(p);
    bool is_paren = py_tok(p) == TOK_LPAREN;
    enum py_token_type close = is_paren ? TOK_RPAREN : TOK_RBRACKET;
    py_next(&p->lexer);
    struct py_list patterns = {0};
    if (py_tok(p) != close) {
        struct py_node *first = star_or_pattern(p);
        if (is_paren && py_tok(p) != TOK_COMMA && first->kind != PY_MatchStar) {
            py_expect(p, close);
            return first;
        }
        if (is_paren && py_tok(p) != TOK_COMMA)
            py_expected(p, "','");
        patterns = more_patterns(p, first, close);
    }
    py_expect(p, close);
    struct py_node *node = PY_NEW(p, at, MatchSequence);
    node->MatchSequence.patterns = patterns;
    return node;
}

static struct py_node *mapping_key(struct py_parser *p) {
    switch (py_tok(p)) {
    case TOK_MINUS:
    case TOK_INT:
    case TOK_FLOAT:
    case TOK_COMPLEX:
        return number_value(p);
    case TOK_STRING:
    case TOK_FSTRING:
        return py_strings(p);
    case TOK_None:
    case TOK_True:
    case TOK_False:
        return py_atom(p);
    default:
        break;
    }
    struct py_node *key = name_or_attr(p);
    if (key->kind != PY_Attribute)
        py_fail(&p->lexer, key->start,
                "a mapping pattern's key must be a literal or a dotted name");
    return key;
}

static struct py_node *mapping(struct py_parser *p) {
    struct py_mark at = py_here(p);
    uint32_t mark = p->stack_count;
    struct str rest = {0};
    py_next(&p->lexer);
    while (py_tok(p) != TOK_RBRACE && !p->lexer.has_failed) {
        if (rest.ptr != NULL)
            py_fail(&p->lexer, p->lexer.tok.start, "double star pattern must be the last");
        if (py_accept(p, TOK_DOUBLE_STAR)) {
            if (py_tok_is(p, "_"))
                py_expected(p, "a name other than '_'");
            rest = py_name(p, "a name after '**'");
        } else {
            py_push(p, mapping_key(p));
            py_expect(p, TOK_COLON);
            py_push(p, pattern(p));
        }
        if (!py_accept(p, TOK_COMMA) && py_tok(p) != TOK_RBRACE)
            py_expected(p, "',' or '}'");
    }
    py_expect(p, TOK_RBRACE);
    uint32_t count = (p->stack_count - mark) / 2;
    struct py_node **keys = count > 0 ? py_alloc(p, 2 * count * sizeof(*keys)) : NULL;
    for (uint32_t i = 0; i < count; i++) {
        keys[i] = p->stack[mark + 2 * i];
        keys[count + i] = p->stack[mark + 2 * i + 1];
    }
    p->stack_count = mark;
    struct py_node *node = PY_NEW(p, at, MatchMapping);
    node->MatchMapping.keys = (struct py_list){keys, count};
    node->MatchMapping.patterns = (struct py_list){count > 0 ? keys + count : NULL, count};
    node->MatchMapping.rest = rest;
    return node;
}

/* Behind the '(' of a class pattern: pushes patterns; those by keyword are told by `*positional_count`. The
 * names of keywords stand on the stack as Name nodes before their patterns. */
static void class_args(struct py_parser *p, uint32_t *positional_count, uint32_t *keyword_count) {
    while (py_tok(p) != TOK_RPAREN && !p->lexer.has_failed) {
        uint32_t start = p->lexer.tok.start;
        struct py_node *arg = pattern(p);
        if (arg->kind == PY_MatchAs && arg->start == start && arg->MatchAs.pattern == NULL &&
            py_tok(p) == TOK_EQUAL) {
            py_push(p, arg);
            py_next(&p->lexer);
            py_push(p, pattern(p));
            ++*keyword_count;
        } else {
            if (*keyword_count > 0)
                py_fail(&p->lexer, arg->start, "positional patterns follow keyword patterns");
            py_push(p, arg);
            ++*positional_count;
        }
        if (!py_accept(p, TOK_COMMA) && py_tok(p) != TOK_RPAREN)
            py_expected(p, "',' or ')'");
    }
}

static struct py_node *class_pattern(struct py_parser *p, struct py_mark at, struct py_node *cls) {
    uint32_t mark = p->stack_count, positional_count = 0, keyword_count = 0;
    py_next(&p->lexer);
    class_args(p, &positional_count, &keyword_count);
    py_expect(p, TOK_RPAREN);
    struct py_list keywords = {0};
    struct str *names = NULL;
    if (keyword_count > 0) {
        keywords.items = py_alloc(p, keyword_count * sizeof(*keywords.items));
        names = py_alloc(p, keyword_count * sizeof(*names));
        for (uint32_t i = 0; i < keyword_count; i++) {
            const struct py_node *name = p->stack[mark + positional_count + 2 * i];
            names[i] = name->MatchAs.name.ptr != NULL ? name->MatchAs.name : STR("_");
            keywords.items[i] = p->stack[mark + positional_count + 2 * i + 1];
        }
        keywords.count = keyword_count;
    }
    p->stack_count = mark + positional_count;
    struct py_list patterns = py_pop_list(p, mark);
    struct py_node *node = PY_NEW(p, at, MatchClass);
    node->MatchClass.cls = cls;
    node->MatchClass.patterns = patterns;
    node->MatchClass.kwd_attrs = (struct py_names){names, keyword_count};
    node->MatchClass.kwd_patterns = keywords;
    return node;
}

/* A capture, the wildcard, a dotted value, or a class with its arguments. */
static struct py_node *name_pattern(struct py_parser *p) {
    struct py_mark at = py_here(p);
    struct py_node *name = name_or_attr(p);
    if (py_tok(p) == TOK_LPAREN)
        return class_pattern(p, at, name);
    if (name->kind == PY_Attribute)
        return value_pattern(p, at, name);
    struct py_node *node = PY_NEW(p, at, MatchAs);
    if (name->kind == PY_Name && !str_is(name->Name.id, "_"))
        node->MatchAs.name = name->Name.id;
    return node;
}

static struct py_node *closed_pattern(struct py_parser *p) {
    struct py_mark at = py_here(p);
    switch (py_tok(p)) {
    case TOK_MINUS:
    case TOK_INT:
    case TOK_FLOAT:
    case TOK_COMPLEX:
        return value_pattern(p, at, number_value(p));
    case TOK_STRING:
    case TOK_FSTRING:
        return value_pattern(p, at, py_strings(p));
    case TOK_LPAREN:
    case TOK_LBRACKET:
        return sequence(p);
    case TOK_LBRACE:
        return mapping(p);
    case TOK_NAME:
        return name_pattern(p);
    default:
        break;
    }
    if (at_singleton(p))
        return singleton(p);
    py_expected(p, "a pattern");
    return py_nothing(p);
}

static struct py_node *or_pattern(struct py_parser *p) {
    struct py_mark at = py_here(p);
    struct py_node *first = closed_pattern(p);
    if (py_tok(p) != TOK_BAR)
        return first;
    uint32_t mark = p->stack_count;
    py_push(p, first);
    while (py_accept(p, TOK_BAR))
        py_push(p, closed_pattern(p));
    struct py_list patterns = py_pop_list(p, mark);
    struct py_node *node = PY_NEW(p, at, MatchOr);
    node->MatchOr.patterns = patterns;
    return node;
}

static struct py_node *pattern(struct py_parser *p) {
    struct py_mark at = py_here(p);
    struct py_node *inner = py_enter(p) ? or_pattern(p) : py_nothing(p);
    py_leave(p);
    if (!py_accept(p, TOK_as))
        return inner;
    if (py_tok_is(p, "_"))
        py_fail(&p->lexer, p->lexer.tok.start, "cannot use '_' as a target");
    struct str name = py_name(p, "a name after 'as'");
    struct py_node *node = PY_NEW(p, at, MatchAs);
    node->MatchAs.pattern = inner;
    node->MatchAs.name = name;
    return node;
}

struct py_node *py_case_pattern(struct py_parser *p) {
    struct py_mark at = py_here(p);
    struct py_node *first = star_or_pattern(p);
    if (py_tok(p) != TOK_COMMA) {
        if (first->kind == PY_MatchStar)
            py_expected(p, "','");
        return first;
    }
    struct py_list patterns = more_patterns(p, first, TOK_COLON);
    struct py_node *node = PY_NEW(p, at, MatchSequence);
    node->MatchSequence.patterns = patterns;
    return node;
}
