/* Simple statements: those that end with their line or a semicolon. */
#include "python/parser.h"

#include "base/buf.h"

static void assign(struct py_parser *p, struct py_mark at, struct py_node *first) {
    uint32_t mark = p->stack_count;
    struct py_node *value = first;
    while (py_tok(p) == TOK_EQUAL) {
        py_set_target(p, value, PY_TARGET_ASSIGN);
        py_push(p, value);
        py_next(&p->lexer);
        value = py_yield_or_star_exprs(p);
    }
    struct py_list targets = py_pop_list(p, mark);
    struct py_node *node = PY_NEW(p, at, Assign);
    node->Assign.targets = targets;
    node->Assign.value = value;
    py_push(p, node);
}

static void annotated_assign(struct py_parser *p, struct py_mark at, struct py_node *target) {
    if (target->kind != PY_Name && target->kind != PY_Attribute && target->kind != PY_Subscript) {
        if (target->kind == PY_Tuple || target->kind == PY_List)
            py_fail(&p->lexer, at.start, "only single target (not %s) can be annotated",
                    target->kind == PY_Tuple ? "tuple" : "list");
        else
            py_fail(&p->lexer, at.start, "illegal target for annotation");
        return;
    }
    target->ctx = PY_Store;
    py_next(&p->lexer);
    struct py_node *annotation = py_expr(p);
    struct py_node *value = py_accept(p, TOK_EQUAL) ? py_yield_or_star_exprs(p) : NULL;
    struct py_node *node = PY_NEW(p, at, AnnAssign);
    node->simple = target->kind == PY_Name && target->start == at.start;
    node->AnnAssign.target = target;
    node->AnnAssign.annotation = annotation;
    node->AnnAssign.value = value;
    py_push(p, node);
}

static void augmented_assign(struct py_parser *p, struct py_mark at, struct py_node *target) {
    static const uint8_t ops[] = {PY_OP_Add,     PY_OP_Sub,   PY_OP_Mult,   PY_OP_MatMult,
                                  PY_OP_Div,     PY_OP_Mod,   PY_OP_Pow,    PY_OP_LShift,
                                  PY_OP_RShift,  PY_OP_BitOr, PY_OP_BitXor, PY_OP_BitAnd,
                                  PY_OP_FloorDiv};
    enum py_op op = ops[py_tok(p) - TOK_PLUS_EQUAL];
    py_set_target(p, target, PY_TARGET_SINGLE);
    py_next(&p->lexer);
    struct py_node *value = py_yield_or_star_exprs(p);
    struct py_node *node = PY_NEW(p, at, AugAssign);
    node->op = (uint8_t)op;
    node->AugAssign.target = target;
    node->AugAssign.value = value;
    py_push(p, node);
}

static void expr_stmt(struct py_parser *p) {
    struct py_mark at = py_here(p);
    struct py_node *value = py_yield_or_star_exprs(p);
    enum py_token_type type = py_tok(p);
    if (type == TOK_EQUAL) {
        assign(p, at, value);
    } else if (type == TOK_COLON) {
        annotated_assign(p, at, value);
    } else if (type >= TOK_PLUS_EQUAL && type <= TOK_DOUBLE_SLASH_EQUAL) {
        augmented_assign(p, at, value);
    } else {
        struct py_node *node = PY_NEW(p, at, Expr);
        node->Expr.value = value;
        py_push(p, node);
    }
}

static bool at_stmt_end(const struct py_parser *p) {
    return py_tok(p) == TOK_NEWLINE || py_tok(p) == TOK_SEMICOLON;
}

static void return_stmt(struct py_parser *p) {
    struct py_mark at = py_here(p);
    py_next(&p->lexer);
    struct py_node *value = at_stmt_end(p) ? NULL : py_star_exprs(p);
    struct py_node *node = PY_NEW(p, at, Return);
    node->Return.value = value;
    py_push(p, node);
}

static void raise_stmt(struct py_parser *p) {
    struct py_mark at = py_here(p);
    py_next(&p->lexer);
    struct py_node *exc = at_stmt_end(p) ? NULL : py_expr(p);
    struct py_node *cause = exc != NULL && py_accept(p, TOK_from) ? py_expr(p) : NULL;
    struct py_node *node = PY_NEW(p, at, Raise);
    node->Raise.exc = exc;
    node->Raise.cause = cause;
    py_push(p, node);
}

static void assert_stmt(struct py_parser *p) {
    struct py_mark at = py_here(p);
    py_next(&p->lexer);
    struct py_node *test = py_expr(p);
    struct py_node *msg = py_accept(p, TOK_COMMA) ? py_expr(p) : NULL;
    struct py_node *node = PY_NEW(p, at, Assert);
    node->Assert.test = test;
    node->Assert.msg = msg;
    py_push(p, node);
}

static void del_stmt(struct py_parser *p) {
    struct py_mark at = py_here(p);
    py_next(&p->lexer);
    uint32_t mark = p->stack_count;
    do {
        struct py_node *target = py_primary(p);
        if (!p->lexer.has_failed)
            py_set_target(p, target, PY_TARGET_DEL);
        py_push(p, target);
    } while (py_accept(p, TOK_COMMA) && !at_stmt_end(p));
    struct py_list targets = py_pop_list(p, mark);
    struct py_node *node = PY_NEW(p, at, Delete);
    node->Delete.targets = targets;
    py_push(p, node);
}

static void names_stmt(struct py_parser *p) {
    struct py_mark at = py_here(p);
    enum py_token_type type = py_tok(p);
    struct str few[16], *names = few;
    uint32_t count = 0, capacity = 16;
    do {
        py_next(&p->lexer);
        if (count == capacity) {
            struct str *grown = py_alloc(p, 2 * capacity * sizeof(*grown));
            memcpy(grown, names, count * sizeof(*grown));
            names = grown;
            capacity *= 2;
        }
        names[count++] = py_name(p, "a name");
    } while (py_tok(p) == TOK_COMMA);
    struct str *kept = py_alloc(p, count * sizeof(*kept));
    memcpy(kept, names, count * sizeof(*kept));
    struct py_node *node = type == TOK_global ? PY_NEW(p, at, Global) : PY_NEW(p, at, Nonlocal);
    *(type == TOK_global ? &node->Global.names : &node->Nonlocal.names) =
        (struct py_names){kept, count};
    py_push(p, node);
}

/* a.b.c: a slice of the source where it stands there without spaces. */
static struct str dotted_name(struct py_parser *p) {
    uint32_t start = p->lexer.tok.start;
    struct str name = py_name(p, "a module name");
    struct buf joined = {0}; /* the name, if it had to be put together */
    while (py_accept(p, TOK_DOT)) {
        uint32_t part_start = p->lexer.tok.start;
        struct str part = py_name(p, "a name after '.'");
        const char *text = p->lexer.text;
        if (joined.len == 0 && name.ptr == text + start && part.ptr == text + part_start &&
            part_start == start + name.len + 1) {
            name.len += 1 + part.len;
            continue;
        }
        if (joined.len == 0)
            buf_add(&joined, name);
        buf_add_char(&joined, '.');
        buf_add(&joined, part);
    }
    if (joined.len > 0)
        name = str_dup(p->arena, buf_str(&joined));
    buf_release(&joined);
    return name;
}

static struct py_node *alias(struct py_parser *p, bool is_dotted) {
    struct py_mark at = py_here(p);
    struct str name = is_dotted ? dotted_name(p) : py_name(p, "a name to import");
    struct str asname = {0};
    if (py_accept(p, TOK_as))
        asname = py_name(p, "a name after 'as'");
    struct py_node *node = PY_NEW(p, at, alias);
    node->alias.name = name;
    node->alias.asname = asname;
    return node;
}

static void import_stmt(struct py_parser *p) {
    struct py_mark at = py_here(p);
    uint32_t mark = p->stack_count;
    do {
        py_next(&p->lexer);
        py_push(p, alias(p, true));
    } while (py_tok(p) == TOK_COMMA);
    struct py_list names = py_pop_list(p, mark);
    struct py_node *node = PY_NEW(p, at, Import);
    node->Import.names = names;
    py_push(p, node);
}

/* What stands behind `from ... import`. */
static struct py_list imported_names(struct py_parser *p) {
    uint32_t mark = p->stack_count;
    struct py_mark at = py_here(p);
    if (py_accept(p, TOK_STAR)) {
        struct py_node *star = PY_NEW(p, at, alias);
        star->alias.name = STR("*");
        py_push(p, star);
        return py_pop_list(p, mark);
    }
    bool has_parens = py_accept(p, TOK_LPAREN);
    do
        py_push(p, alias(p, false));
    while (py_accept(p, TOK_COMMA) && !(has_parens && py_tok(p) == TOK_RPAREN) &&
           (has_parens || !at_stmt_end(p) ||
            py_fail(&p->lexer, p->lexer.tok.start,
                    "trailing comma not allowed without surrounding parentheses")));
    if (has_parens)
        py_expect(p, TOK_RPAREN);
    return py_pop_list(p, mark);
}

static void import_from_stmt(struct py_parser *p) {
    struct py_mark at = py_here(p);
    uint32_t level = 0;
    py_next(&p->lexer);
    while (py_tok(p) == TOK_DOT || py_tok(p) == TOK_ELLIPSIS) {
        level += py_tok(p) == TOK_DOT ? 1 : 3;
        py_next(&p->lexer);
    }
    struct str module = {0};
    if (level == 0 || py_tok(p) != TOK_import)
        module = dotted_name(p);
    py_expect(p, TOK_import);
    struct py_list names = imported_names(p);
    struct py_node *node = PY_NEW(p, at, ImportFrom);
    node->ImportFrom.module = module;
    node->ImportFrom.names = names;
    node->ImportFrom.level = level;
    py_push(p, node);
}

static void bare_stmt(struct py_parser *p) {
    struct py_mark at = py_here(p);
    enum py_token_type type = py_tok(p);
    py_next(&p->lexer);
    py_push(p, type == TOK_pass    ? PY_NEW(p, at, Pass)
               : type == TOK_break ? PY_NEW(p, at, Break)
                                   : PY_NEW(p, at, Continue));
}

/* `type` is a keyword if a name follows it. */
static bool at_type_alias(const struct py_parser *p) {
    if (!py_tok_is(p, "type"))
        return false;
    struct py_lexer ahead = p->lexer;
    py_next(&ahead);
    return ahead.tok.type == TOK_NAME;
}

static void type_alias(struct py_parser *p) {
    struct py_mark at = py_here(p);
    py_next(&p->lexer);
    struct py_node *name = py_atom(p);
    name->ctx = PY_Store;
    struct py_list params = py_type_params(p);
    py_expect(p, TOK_EQUAL);
    struct py_node *value = py_expr(p);
    struct py_node *node = PY_NEW(p, at, TypeAlias);
    node->TypeAlias.name = name;
    node->TypeAlias.type_params = params;
    node->TypeAlias.value = value;
    py_push(p, node);
}

static void simple_stmt(struct py_parser *p) {
    switch (py_tok(p)) {
    case TOK_return:
        return_stmt(p);
        break;
    case TOK_import:
        import_stmt(p);
        break;
    case TOK_from:
        import_from_stmt(p);
        break;
    case TOK_raise:
        raise_stmt(p);
        break;
    case TOK_assert:
        assert_stmt(p);
        break;
    case TOK_del:
        del_stmt(p);
        break;
    case TOK_global:
    case TOK_nonlocal:
        names_stmt(p);
        break;
    case TOK_pass:
    case TOK_break:
    case TOK_continue:
        bare_stmt(p);
        break;
    default:
        if (at_type_alias(p))
            type_alias(p);
        else
            expr_stmt(p);
    }
}

void py_simple_stmts(struct py_parser *p) {
    do
        simple_stmt(p);
    while (py_accept(p, TOK_SEMICOLON) && py_tok(p) != TOK_NEWLINE);
    if (py_tok(p) != TOK_NEWLINE) {
        py_expected(p, "the end of the statement");
        return;
    }
    /* Whatever is wrong with the next token, these statements are complete. */
    p->commit_end = p->lexer.prev_end;
    py_next(&p->lexer);
}
