/* Compound statements: those that own blocks. Each gives one node. */
#include "python/parser.h"

static struct py_list block(struct py_parser *p, const char *what, uint32_t line) {
    py_expect(p, TOK_COLON);
    return py_block(p, what, line);
}

static struct py_list else_block(struct py_parser *p) {
    uint32_t line = p->lexer.tok.line;
    return py_accept(p, TOK_else) ? block(p, "'else' statement", line) : (struct py_list){0};
}

/* Gathers if and elif in a loop (there may be hundreds), then hangs each into the one before. */
static struct py_node *if_stmt(struct py_parser *p) {
    uint32_t mark = p->stack_count;
    do {
        struct py_mark at = py_here(p);
        const char *what = py_tok(p) == TOK_if ? "'if' statement" : "'elif' statement";
        py_next(&p->lexer);
        struct py_node *test = py_named_expr(p);
        struct py_list body = block(p, what, at.line);
        struct py_node *node = PY_NEW(p, at, If);
        node->If.test = test;
        node->If.body = body;
        py_push(p, node);
        p->chain++;
    } while (py_tok(p) == TOK_elif);
    struct py_list orelse = else_block(p);
    uint32_t end = p->lexer.prev_end;
    for (;;) {
        struct py_node *node = p->stack[--p->stack_count];
        node->If.orelse = orelse;
        node->end = end;
        if (p->stack_count == mark)
            return node;
        orelse.items = py_alloc(p, sizeof(*orelse.items));
        orelse.items[0] = node;
        orelse.count = 1;
    }
}

static struct py_node *while_stmt(struct py_parser *p) {
    struct py_mark at = py_here(p);
    py_next(&p->lexer);
    struct py_node *test = py_named_expr(p);
    struct py_list body = block(p, "'while' statement", at.line);
    struct py_list orelse = else_block(p);
    struct py_node *node = PY_NEW(p, at, While);
    node->While.test = test;
    node->While.body = body;
    node->While.orelse = orelse;
    return node;
}

static struct py_node *for_stmt(struct py_parser *p, struct py_mark at, bool is_async) {
    py_next(&p->lexer);
    struct py_node *target = py_star_targets(p);
    py_expect(p, TOK_in);
    struct py_node *iter = py_star_exprs(p);
    struct py_list body = block(p, "'for' statement", at.line);
    struct py_list orelse = else_block(p);
    struct py_node *node = is_async ? PY_NEW(p, at, AsyncFor) : PY_NEW(p, at, For);
    if (is_async)
        node->AsyncFor = (struct py_AsyncFor){target, iter, body, orelse};
    else
        node->For = (struct py_For){target, iter, body, orelse};
    return node;
}

static struct py_node *except_handler(struct py_parser *p, bool *is_star) {
    struct py_mark at = py_here(p);
    struct str name = {0};
    py_next(&p->lexer);
    *is_star = py_accept(p, TOK_STAR);
    struct py_node *type = NULL;
    if (*is_star || py_tok(p) != TOK_COLON) {
        struct py_mark type_at = py_here(p);
        type = py_expr(p);
        if (py_tok(p) == TOK_COMMA) {
            /* Python 3.14: several types need no parentheses if there is no `as`. */
            uint32_t mark = p->stack_count;
            py_push(p, type);
            while (py_accept(p, TOK_COMMA) && py_tok(p) != TOK_COLON)
                py_push(p, py_expr(p));
            if (py_tok(p) == TOK_as)
                py_fail(&p->lexer, type_at.start,
                        "multiple exception types must be parenthesized when using 'as'");
            struct py_list elts = py_pop_list(p, mark);
            type = PY_NEW(p, type_at, Tuple);
            type->Tuple.elts = elts;
        } else if (py_accept(p, TOK_as)) {
            name = py_name(p, "a name after 'as'");
        }
    }
    struct py_list body =
        block(p, *is_star ? "'except*' statement" : "'except' statement", at.line);
    struct py_node *node = PY_NEW(p, at, ExceptHandler);
    node->ExceptHandler.type = type;
    node->ExceptHandler.name = name;
    node->ExceptHandler.body = body;
    return node;
}

static struct py_node *try_stmt(struct py_parser *p) {
    struct py_mark at = py_here(p);
    py_next(&p->lexer);
    struct py_list body = block(p, "'try' statement", at.line), finalbody = {0}, orelse = {0};
    bool has_star = false, is_star = false;
    uint32_t mark = p->stack_count;
    if (py_tok(p) != TOK_except && py_tok(p) != TOK_finally) {
        p->commit_end = UINT32_MAX;
        py_expected(p, "'except' or 'finally' block");
    }
    while (py_tok(p) == TOK_except) {
        struct py_mark handler_at = py_here(p);
        struct py_node *handler = except_handler(p, &is_star);
        if (p->stack_count > mark && is_star != has_star) {
            p->commit_end = UINT32_MAX;
            py_fail(&p->lexer, handler_at.start,
                    "cannot have both 'except' and 'except*' on the same 'try'");
        }
        has_star = is_star;
        if (handler->ExceptHandler.type == NULL && py_tok(p) == TOK_except) {
            p->commit_end = UINT32_MAX;
            py_fail(&p->lexer, handler_at.start, "default 'except:' must be last");
        }
        py_push(p, handler);
    }
    struct py_list handlers = py_pop_list(p, mark);
    if (handlers.count > 0)
        orelse = else_block(p);
    uint32_t line = p->lexer.tok.line;
    if (py_accept(p, TOK_finally))
        finalbody = block(p, "'finally' statement", line);
    struct py_node *node = has_star ? PY_NEW(p, at, TryStar) : PY_NEW(p, at, Try);
    if (has_star)
        node->TryStar = (struct py_TryStar){body, handlers, orelse, finalbody};
    else
        node->Try = (struct py_Try){body, handlers, orelse, finalbody};
    return node;
}

static struct py_node *with_item(struct py_parser *p) {
    struct py_mark at = py_here(p);
    struct py_node *expr = py_expr(p);
    struct py_node *vars = py_accept(p, TOK_as) ? py_star_target(p) : NULL;
    struct py_node *node = PY_NEW(p, at, withitem);
    node->withitem.context_expr = expr;
    node->withitem.optional_vars = vars;
    return node;
}

/* Where a trial began: what may be one statement or another is read as the first, and again if that fails. */
struct trial {
    struct py_lexer lexer;
    uint32_t stack_count, chain;
};

static struct trial trial_begin(const struct py_parser *p) {
    return (struct trial){p->lexer, p->stack_count, p->chain};
}

static void trial_undo(struct py_parser *p, const struct trial *trial) {
    p->lexer = trial->lexer;
    p->stack_count = trial->stack_count;
    p->chain = trial->chain;
    p->in_fstring = false;
}

/* Items in parentheses: with (a as b, c as d):. False, with nothing read, if the parentheses belong to an
 * expression instead; only the end tells: `)` and `:`. */
static bool with_items_in_parens(struct py_parser *p) {
    struct trial trial = trial_begin(p);
    py_next(&p->lexer);
    do
        py_push(p, with_item(p));
    while (py_accept(p, TOK_COMMA) && py_tok(p) != TOK_RPAREN);
    if (py_accept(p, TOK_RPAREN) && py_tok(p) == TOK_COLON)
        return true;
    trial_undo(p, &trial);
    return false;
}

static struct py_node *with_stmt(struct py_parser *p, struct py_mark at, bool is_async) {
    uint32_t mark = p->stack_count;
    py_next(&p->lexer);
    if (py_tok(p) != TOK_LPAREN || !with_items_in_parens(p)) {
        do
            py_push(p, with_item(p));
        while (py_accept(p, TOK_COMMA));
    }
    struct py_list items = py_pop_list(p, mark);
    struct py_list body = block(p, "'with' statement", at.line);
    struct py_node *node = is_async ? PY_NEW(p, at, AsyncWith) : PY_NEW(p, at, With);
    *(is_async ? &node->AsyncWith.items : &node->With.items) = items;
    *(is_async ? &node->AsyncWith.body : &node->With.body) = body;
    return node;
}

static struct py_node *function_def(struct py_parser *p, struct py_mark at,
                                    struct py_list decorators, bool is_async) {
    struct py_FunctionDef def = {.decorator_list = decorators};
    py_next(&p->lexer);
    def.name = py_name(p, "a function name");
    def.type_params = py_type_params(p);
    py_expect(p, TOK_LPAREN);
    def.args = py_params(p, TOK_RPAREN);
    py_expect(p, TOK_RPAREN);
    def.returns = py_accept(p, TOK_ARROW) ? py_expr(p) : NULL;
    def.body = block(p, "function definition", at.line);
    struct py_node *node = is_async ? PY_NEW(p, at, AsyncFunctionDef) : PY_NEW(p, at, FunctionDef);
    if (is_async)
        node->AsyncFunctionDef = (struct py_AsyncFunctionDef){
            def.decorator_list, def.name, def.type_params, def.args, def.returns, def.body};
    else
        node->FunctionDef = def;
    return node;
}

static struct py_node *class_def(struct py_parser *p, struct py_list decorators) {
    struct py_mark at = py_here(p);
    struct py_ClassDef def = {.decorator_list = decorators};
    py_next(&p->lexer);
    def.name = py_name(p, "a class name");
    def.type_params = py_type_params(p);
    if (py_accept(p, TOK_LPAREN)) {
        py_call_args(p, NULL, &def.bases, &def.keywords);
        py_expect(p, TOK_RPAREN);
    }
    def.body = block(p, "class definition", at.line);
    struct py_node *node = PY_NEW(p, at, ClassDef);
    node->ClassDef = def;
    return node;
}

static struct py_node *async_stmt(struct py_parser *p, struct py_list decorators) {
    struct py_mark at = py_here(p);
    py_next(&p->lexer);
    enum py_token_type type = py_tok(p);
    if (type == TOK_def)
        return function_def(p, at, decorators, true);
    if (decorators.count == 0 && type == TOK_for)
        return for_stmt(p, at, true);
    if (decorators.count == 0 && type == TOK_with)
        return with_stmt(p, at, true);
    py_expected(p, decorators.count > 0 ? "'def'" : "'def', 'for' or 'with' after 'async'");
    return py_nothing(p);
}

static struct py_node *decorated(struct py_parser *p) {
    uint32_t mark = p->stack_count;
    while (py_accept(p, TOK_AT)) {
        py_push(p, py_named_expr(p));
        py_expect(p, TOK_NEWLINE);
    }
    struct py_list decorators = py_pop_list(p, mark);
    switch (py_tok(p)) {
    case TOK_def:
        return function_def(p, py_here(p), decorators, false);
    case TOK_class:
        return class_def(p, decorators);
    case TOK_async:
        return async_stmt(p, decorators);
    default:
        py_expected(p, "a function or class after the decorator");
        return py_nothing(p);
    }
}

static struct py_node *case_block(struct py_parser *p) {
    struct py_mark at = py_here(p);
    py_next(&p->lexer);
    struct py_node *pattern = py_case_pattern(p);
    struct py_node *guard = py_accept(p, TOK_if) ? py_named_expr(p) : NULL;
    struct py_list body = block(p, "'case' statement", at.line);
    struct py_node *node = PY_NEW(p, at, match_case);
    node->match_case.pattern = pattern;
    node->match_case.guard = guard;
    node->match_case.body = body;
    return node;
}

static struct py_node *match_subject(struct py_parser *p) {
    struct py_mark at = py_here(p);
    struct py_node *first = py_star_named_expr(p);
    if (py_tok(p) != TOK_COMMA) {
        if (first->kind == PY_Starred)
            py_expected(p, "','");
        return first;
    }
    uint32_t mark = p->stack_count;
    py_push(p, first);
    while (py_accept(p, TOK_COMMA) && py_tok(p) != TOK_COLON)
        py_push(p, py_star_named_expr(p));
    struct py_list elts = py_pop_list(p, mark);
    struct py_node *node = PY_NEW(p, at, Tuple);
    node->Tuple.elts = elts;
    return node;
}

/* `match` is a keyword if what follows cannot go on an expression, or, where it could be either (a call, a
 * subscript, a sum), if it can be read as a subject and ends with a colon and the line. */
static bool at_match(struct py_parser *p) {
    if (!py_tok_is(p, "match"))
        return false;
    struct trial trial = trial_begin(p);
    py_next(&p->lexer);
    bool is_match = py_starts_expr(py_tok(p));
    switch (py_tok(p)) {
    case TOK_LPAREN:
    case TOK_LBRACKET:
    case TOK_PLUS:
    case TOK_MINUS:
    case TOK_STAR:
    case TOK_not:
        match_subject(p);
        is_match = py_accept(p, TOK_COLON) && py_tok(p) == TOK_NEWLINE;
        break;
    default:
        break;
    }
    trial_undo(p, &trial);
    return is_match;
}

static struct py_node *match_stmt(struct py_parser *p) {
    struct py_mark at = py_here(p);
    py_next(&p->lexer);
    struct py_node *subject = match_subject(p);
    py_expect(p, TOK_COLON);
    py_expect(p, TOK_NEWLINE);
    if (py_tok(p) != TOK_INDENT)
        py_fail(&p->lexer, p->lexer.tok.start,
                "expected an indented block after 'match' statement on line %u", (unsigned)at.line);
    py_next(&p->lexer);
    uint32_t mark = p->stack_count;
    do {
        if (!py_tok_is(p, "case")) {
            p->commit_end = UINT32_MAX;
            py_expected(p, "'case'");
        }
        py_push(p, case_block(p));
    } while (py_tok(p) != TOK_DEDENT && !p->lexer.has_failed);
    if (!p->lexer.has_failed)
        p->commit_end = p->lexer.prev_end;
    py_accept(p, TOK_DEDENT);
    struct py_list cases = py_pop_list(p, mark);
    struct py_node *node = PY_NEW(p, at, Match);
    node->Match.subject = subject;
    node->Match.cases = cases;
    return node;
}

struct py_node *py_compound_stmt(struct py_parser *p) {
    static const struct py_list none = {0};
    switch (py_tok(p)) {
    case TOK_if:
        return if_stmt(p);
    case TOK_while:
        return while_stmt(p);
    case TOK_for:
        return for_stmt(p, py_here(p), false);
    case TOK_try:
        return try_stmt(p);
    case TOK_with:
        return with_stmt(p, py_here(p), false);
    case TOK_def:
        return function_def(p, py_here(p), none, false);
    case TOK_class:
        return class_def(p, none);
    case TOK_async:
        return async_stmt(p, none);
    case TOK_AT:
        return decorated(p);
    case TOK_NAME:
        return at_match(p) ? match_stmt(p) : NULL;
    default:
        return NULL;
    }
}
