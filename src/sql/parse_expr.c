/* Expressions, by precedence climbing. The three dialects order their operators differently
 * (PostgreSQL 15 manual 4.1.6, MySQL 8.0 manual 12.4.1, SQLite "SQL Language Expressions"), so
 * the level of an operator is asked of the dialect; the printer puts parentheses wherever they
 * disagree. */
#include "sql/parse.h"

#include "base/assert.h"

enum level {
    LEVEL_OR = 1,
    LEVEL_AND,
    LEVEL_NOT,
    LEVEL_LOOSE,   /* PostgreSQL: IS; MySQL: BETWEEN; SQLite: = <> IS IN LIKE BETWEEN */
    LEVEL_COMPARE, /* PostgreSQL: comparisons; MySQL: those, IS, LIKE and IN; SQLite: < <= > >= */
    LEVEL_MEMBER,  /* PostgreSQL: BETWEEN IN LIKE */
    LEVEL_OPERAND, /* all that follows is an operand of a predicate */
    LEVEL_ADD,
    LEVEL_MUL,
    LEVEL_TIGHT, /* SQLite: || */
};

enum infix_kind {
    INFIX_NONE,
    INFIX_BINARY,
    INFIX_IS,
    INFIX_IN,
    INFIX_LIKE,
    INFIX_BETWEEN,
    INFIX_NULL
};

struct infix {
    enum infix_kind kind;
    enum sql_op op;
    enum level level;
    bool is_negated; /* NOT IN and the like; the token is NOT */
    bool is_nocase;
};

static struct sql_expr *parse_binary(struct parser *p, enum level least);
static struct sql_expr *parse_unary(struct parser *p);

struct sql_expr *parse_new_expr(struct parser *p, enum sql_expr_kind kind, struct pos pos) {
    struct sql_expr *expr = ARENA_NEW(p->arena, struct sql_expr);
    expr->kind = kind;
    expr->pos = pos;
    return expr;
}

struct sql_expr *parse_done(struct parser *p, struct sql_expr *expr) {
    unsigned height = 0;
    for (size_t i = 0; i < expr->args.count; i++)
        if (expr->args.items[i]->height >= height)
            height = expr->args.items[i]->height + 1u;
    if (expr->select != NULL && expr->select->height >= height)
        height = expr->select->height + 1u;
    if (height > SQL_HEIGHT_MAX) {
        parse_fail(p, expr->pos, "expression has more than %d levels", SQL_HEIGHT_MAX);
        height = SQL_HEIGHT_MAX;
    }
    expr->height = (uint16_t)height;
    return expr;
}

static struct sql_expr *make_binary(struct parser *p, enum sql_op op, struct sql_expr *left,
                                    struct sql_expr *right) {
    struct sql_expr *expr = parse_new_expr(p, SQL_BINARY, left->pos);
    expr->op = op;
    VEC_PUSH(p->arena, &expr->args, left);
    VEC_PUSH(p->arena, &expr->args, right);
    return parse_done(p, expr);
}

static struct sql_expr *make_unary(struct parser *p, enum sql_op op, struct pos pos,
                                   struct sql_expr *operand) {
    struct sql_expr *expr = parse_new_expr(p, SQL_UNARY, pos);
    expr->op = op;
    VEC_PUSH(p->arena, &expr->args, operand);
    return parse_done(p, expr);
}

static struct sql_expr *make_bool(struct parser *p, struct pos pos, bool truth) {
    struct sql_expr *expr = parse_new_expr(p, SQL_LITERAL, pos);
    expr->literal = value_bool(truth);
    return expr;
}

static enum level equality_level(const struct parser *p) {
    return p->dialect == SQL_SQLITE ? LEVEL_LOOSE : LEVEL_COMPARE;
}

static struct infix infix_binary(enum sql_op op, enum level level) {
    return (struct infix){INFIX_BINARY, op, level, false, false};
}

static struct infix infix_of_symbol(const struct parser *p) {
    bool is_mysql = p->dialect == SQL_MYSQL;
    switch (p->token.symbol) {
    case SYM1('='):
    case SYM2('=', '='):
        return infix_binary(SQL_OP_EQ, equality_level(p));
    case SYM2('<', '>'):
    case SYM2('!', '='):
        return infix_binary(SQL_OP_NE, equality_level(p));
    case SYM3('<', '=', '>'):
        return infix_binary(SQL_OP_NULL_SAFE_EQ, equality_level(p));
    case SYM1('<'):
        return infix_binary(SQL_OP_LT, LEVEL_COMPARE);
    case SYM1('>'):
        return infix_binary(SQL_OP_GT, LEVEL_COMPARE);
    case SYM2('<', '='):
        return infix_binary(SQL_OP_LE, LEVEL_COMPARE);
    case SYM2('>', '='):
        return infix_binary(SQL_OP_GE, LEVEL_COMPARE);
    case SYM1('+'):
        return infix_binary(SQL_OP_ADD, LEVEL_ADD);
    case SYM1('-'):
        return infix_binary(SQL_OP_SUB, LEVEL_ADD);
    case SYM1('*'):
        return infix_binary(SQL_OP_MUL, LEVEL_MUL);
    case SYM1('/'):
        return infix_binary(SQL_OP_DIV, LEVEL_MUL);
    case SYM1('%'):
        return infix_binary(SQL_OP_MOD, LEVEL_MUL);
    case SYM2('&', '&'):
        return is_mysql ? infix_binary(SQL_OP_AND, LEVEL_AND) : (struct infix){0};
    case SYM2('|', '|'):
        if (is_mysql)
            return infix_binary(SQL_OP_OR, LEVEL_OR);
        return infix_binary(SQL_OP_CONCAT, p->dialect == SQL_SQLITE ? LEVEL_TIGHT : LEVEL_OPERAND);
    default:
        return (struct infix){0};
    }
}

/* IN, LIKE, ILIKE and BETWEEN, at `token`. */
static struct infix infix_of_predicate(const struct parser *p, const struct token *token) {
    enum level level = p->dialect == SQL_POSTGRESQL ? LEVEL_MEMBER
                       : p->dialect == SQL_MYSQL    ? LEVEL_COMPARE
                                                    : LEVEL_LOOSE;
    if (token_is_word(token, "IN"))
        return (struct infix){.kind = INFIX_IN, .level = level};
    if (token_is_word(token, "LIKE"))
        return (struct infix){.kind = INFIX_LIKE, .level = level};
    if (token_is_word(token, "ILIKE"))
        return (struct infix){.kind = INFIX_LIKE, .level = level, .is_nocase = true};
    if (token_is_word(token, "BETWEEN"))
        return (struct infix){.kind = INFIX_BETWEEN,
                              .level = p->dialect == SQL_MYSQL ? LEVEL_LOOSE : level};
    return (struct infix){0};
}

static struct infix infix_of_word(const struct parser *p) {
    enum level is_level = p->dialect == SQL_MYSQL ? LEVEL_COMPARE : LEVEL_LOOSE;
    if (parse_at(p, "AND"))
        return infix_binary(SQL_OP_AND, LEVEL_AND);
    if (parse_at(p, "OR"))
        return infix_binary(SQL_OP_OR, LEVEL_OR);
    if (parse_at(p, "IS"))
        return (struct infix){.kind = INFIX_IS, .level = is_level};
    if (parse_at(p, "ISNULL") || parse_at(p, "NOTNULL"))
        return (struct infix){.kind = INFIX_NULL, .level = is_level};
    if (parse_at(p, "MOD") && p->dialect == SQL_MYSQL)
        return infix_binary(SQL_OP_MOD, LEVEL_MUL);
    if (parse_at(p, "NOT")) {
        struct token next = parse_peek(p);
        struct infix infix = infix_of_predicate(p, &next);
        infix.is_negated = true;
        return infix;
    }
    return infix_of_predicate(p, &p->token);
}

/* Operators of the servers that have no node here: better a clear word than "expected the end". */
static void refuse_operator(struct parser *p) {
    static const char *const words[] = {"DIV",     "XOR",      "REGEXP", "RLIKE", "SIMILAR",
                                        "COLLATE", "OVERLAPS", "GLOB",   "SOUNDS"};
    for (size_t i = 0; i < LW_COUNT_OF(words); i++)
        if (parse_at(p, words[i]))
            parse_fail(p, p->token.pos, "the operator %s is not modelled", words[i]);
    if (parse_at(p, "AT")) {
        struct token next = parse_peek(p);
        if (token_is_word(&next, "TIME"))
            parse_not_modelled(p, p->token.pos, "AT TIME ZONE is");
    }
    if (p->token.kind != TOKEN_SYMBOL)
        return;
    switch (p->token.symbol) {
    case SYM1(')'):
    case SYM1(','):
    case SYM1(';'):
    case SYM1('('):
    case SYM1('.'):
    case SYM1(':'):
    case SYM1(']'):
    case SYM3('/', '*', '!'):
        return;
    case SYM1('['):
        parse_not_modelled(p, p->token.pos, "subscripts are");
        return;
    case SYM1('?'):
        parse_fail(p, p->token.pos, "placeholders are written :name");
        return;
    default:
        parse_fail(p, p->token.pos, "the operator %.*s is not modelled", STR_ARG(p->token.text));
    }
}

static struct infix infix_at(struct parser *p) {
    struct infix infix = {0};
    if (p->token.kind == TOKEN_SYMBOL)
        infix = infix_of_symbol(p);
    else if (p->token.kind == TOKEN_WORD)
        infix = infix_of_word(p);
    if (infix.kind == INFIX_NONE)
        refuse_operator(p);
    return infix;
}

static bool is_boolean(const struct sql_expr *expr) {
    switch (expr->kind) {
    case SQL_IS_NULL:
    case SQL_IN:
    case SQL_BETWEEN:
    case SQL_LIKE:
    case SQL_EXISTS:
        return true;
    case SQL_LITERAL:
        return expr->literal.kind == VALUE_BOOL;
    case SQL_UNARY:
        return expr->op == SQL_OP_NOT;
    case SQL_BINARY:
        return expr->op < SQL_OP_CONCAT;
    default:
        return false;
    }
}

static struct sql_expr *make_is_null(struct parser *p, struct sql_expr *operand, bool is_negated) {
    struct sql_expr *expr = parse_new_expr(p, SQL_IS_NULL, operand->pos);
    expr->is_negated = is_negated;
    VEC_PUSH(p->arena, &expr->args, operand);
    return parse_done(p, expr);
}

/* x IS TRUE is x IS NOT DISTINCT FROM TRUE; where numbers are truth values, of x <> 0. */
static struct sql_expr *make_is_truth(struct parser *p, struct sql_expr *operand, bool truth,
                                      enum sql_op op) {
    if (p->dialect != SQL_POSTGRESQL && !is_boolean(operand)) {
        struct sql_expr *zero = parse_new_expr(p, SQL_LITERAL, operand->pos);
        zero->literal = value_int(0);
        operand = make_binary(p, SQL_OP_NE, operand, zero);
    }
    return make_binary(p, op, operand, make_bool(p, operand->pos, truth));
}

static struct sql_expr *parse_is(struct parser *p, struct sql_expr *left, enum level level) {
    bool is_negated = parse_accept(p, "NOT");
    enum sql_op same = is_negated ? SQL_OP_NULL_SAFE_NE : SQL_OP_NULL_SAFE_EQ;
    enum sql_op differs = is_negated ? SQL_OP_NULL_SAFE_EQ : SQL_OP_NULL_SAFE_NE;
    if (parse_accept(p, "NULL") || parse_accept(p, "UNKNOWN"))
        return make_is_null(p, left, is_negated);
    if (parse_at(p, "TRUE") || parse_at(p, "FALSE")) {
        bool truth = parse_accept(p, "TRUE") || !parse_accept(p, "FALSE");
        return make_is_truth(p, left, truth, same);
    }
    if (parse_accept2(p, "DISTINCT", "FROM"))
        return make_binary(p, differs, left, parse_binary(p, level + 1));
    if (p->dialect == SQL_SQLITE)
        return make_binary(p, same, left, parse_binary(p, level + 1));
    parse_expected(p, "NULL, TRUE, FALSE or DISTINCT FROM");
    return left;
}

static void push_list(struct parser *p, struct sql_expr *in) {
    do {
        struct sql_expr *member = parse_expr(p);
        VEC_PUSH(p->arena, &in->args, member);
    } while (parse_accept_symbol(p, SYM1(',')));
}

static struct sql_expr *new_in(struct parser *p, struct sql_expr *value, bool is_negated) {
    struct sql_expr *in = parse_new_expr(p, SQL_IN, value->pos);
    in->is_negated = is_negated;
    VEC_PUSH(p->arena, &in->args, value);
    return in;
}

static struct sql_expr *parse_in(struct parser *p, struct sql_expr *value, bool is_negated) {
    struct sql_expr *in = new_in(p, value, is_negated);
    if (parse_at_subquery(p)) {
        parse_subquery(p, in);
        return parse_done(p, in);
    }
    parse_expect_symbol(p, SYM1('('));
    if (parse_at_symbol(p, SYM1(')')))
        parse_fail(p, p->token.pos, "an IN list must not be empty");
    struct token next = parse_peek(p);
    if (p->token.kind == TOKEN_HOST && next.symbol == SYM1(')')) {
        struct sql_expr *host = parse_host(p, true);
        VEC_PUSH(p->arena, &in->args, host);
    } else {
        push_list(p, in);
    }
    parse_expect_symbol(p, SYM1(')'));
    return parse_done(p, in);
}

/* `= ANY (...)` is IN, `<> ALL (...)` is NOT IN. */
static struct sql_expr *parse_any(struct parser *p, struct sql_expr *value, enum sql_op op) {
    bool is_all = parse_at(p, "ALL");
    if (!(op == SQL_OP_EQ && !is_all) && !(op == SQL_OP_NE && is_all)) {
        parse_not_modelled(p, p->token.pos, "ANY and ALL other than = ANY and <> ALL are");
        return value;
    }
    parse_advance(p);
    struct sql_expr *in = new_in(p, value, is_all);
    if (parse_at_subquery(p)) {
        parse_subquery(p, in);
        return parse_done(p, in);
    }
    parse_expect_symbol(p, SYM1('('));
    if (p->token.kind == TOKEN_HOST) {
        struct sql_expr *host = parse_host(p, true);
        VEC_PUSH(p->arena, &in->args, host);
    } else {
        parse_expect(p, "ARRAY");
        parse_expect_symbol(p, SYM1('['));
        push_list(p, in);
        parse_expect_symbol(p, SYM1(']'));
    }
    if (parse_accept_symbol(p, SYM2(':', ':')))
        parse_type(p);
    parse_expect_symbol(p, SYM1(')'));
    return parse_done(p, in);
}

static struct sql_expr *parse_like(struct parser *p, struct sql_expr *value,
                                   const struct infix *infix) {
    struct sql_expr *like = parse_new_expr(p, SQL_LIKE, value->pos);
    like->is_negated = infix->is_negated;
    like->is_nocase = infix->is_nocase;
    enum level least = p->dialect == SQL_SQLITE ? infix->level + 1 : LEVEL_OPERAND;
    struct sql_expr *pattern = parse_binary(p, least);
    VEC_PUSH(p->arena, &like->args, value);
    VEC_PUSH(p->arena, &like->args, pattern);
    if (parse_accept(p, "ESCAPE")) {
        struct sql_expr *escape = parse_binary(p, least);
        VEC_PUSH(p->arena, &like->args, escape);
    }
    return parse_done(p, like);
}

static struct sql_expr *parse_between(struct parser *p, struct sql_expr *value,
                                      const struct infix *infix) {
    struct sql_expr *between = parse_new_expr(p, SQL_BETWEEN, value->pos);
    between->is_negated = infix->is_negated;
    parse_refuse(p, "SYMMETRIC", "BETWEEN SYMMETRIC is");
    enum level least = p->dialect == SQL_SQLITE ? infix->level + 1 : LEVEL_OPERAND;
    struct sql_expr *low = parse_binary(p, least);
    parse_expect(p, "AND");
    struct sql_expr *high = parse_binary(p, least);
    VEC_PUSH(p->arena, &between->args, value);
    VEC_PUSH(p->arena, &between->args, low);
    VEC_PUSH(p->arena, &between->args, high);
    return parse_done(p, between);
}

static struct sql_expr *parse_comparison(struct parser *p, struct sql_expr *left,
                                         const struct infix *infix) {
    struct token next = parse_peek(p);
    bool is_any = parse_at(p, "ANY") || parse_at(p, "SOME") || parse_at(p, "ALL");
    if (is_any && next.symbol == SYM1('('))
        return parse_any(p, left, infix->op);
    struct sql_expr *right = parse_binary(p, infix->level + 1);
    if (p->dialect == SQL_POSTGRESQL && infix->level == LEVEL_COMPARE &&
        p->token.kind == TOKEN_SYMBOL && infix_of_symbol(p).level == LEVEL_COMPARE)
        parse_fail(p, p->token.pos, "comparisons don't chain; use parentheses");
    return make_binary(p, infix->op, left, right);
}

static struct sql_expr *parse_infix(struct parser *p, struct sql_expr *left,
                                    const struct infix *infix) {
    bool is_not_null = parse_at(p, "NOTNULL");
    parse_advance(p);
    if (infix->is_negated)
        parse_advance(p);
    switch (infix->kind) {
    case INFIX_IS:
        return parse_is(p, left, infix->level);
    case INFIX_IN:
        return parse_in(p, left, infix->is_negated);
    case INFIX_LIKE:
        return parse_like(p, left, infix);
    case INFIX_BETWEEN:
        return parse_between(p, left, infix);
    case INFIX_NULL:
        return make_is_null(p, left, is_not_null);
    case INFIX_BINARY:
        if (infix->op >= SQL_OP_EQ && infix->op < SQL_OP_CONCAT)
            return parse_comparison(p, left, infix);
        return make_binary(p, infix->op, left, parse_binary(p, infix->level + 1));
    case INFIX_NONE:
        break;
    }
    LW_UNREACHABLE();
}

/* NOT EXISTS is one node, and so is MySQL's way to write IS DISTINCT FROM: NOT a <=> b. */
static struct sql_expr *parse_not(struct parser *p) {
    struct pos pos = p->token.pos;
    parse_advance(p);
    struct sql_expr *operand = parse_binary(p, LEVEL_NOT);
    bool is_bare = operand != p->parenthesised;
    if (is_bare && operand->kind == SQL_EXISTS && !operand->is_negated) {
        operand->is_negated = true;
        operand->pos = pos;
        return operand;
    }
    if (is_bare && p->dialect == SQL_MYSQL && operand->kind == SQL_BINARY &&
        operand->op == SQL_OP_NULL_SAFE_EQ) {
        operand->op = SQL_OP_NULL_SAFE_NE;
        return operand;
    }
    return make_unary(p, SQL_OP_NOT, pos, operand);
}

static struct sql_expr *parse_casts(struct parser *p, struct sql_expr *expr) {
    while (parse_accept_symbol(p, SYM2(':', ':'))) {
        struct sql_expr *cast = parse_new_expr(p, SQL_CAST, expr->pos);
        cast->qualifier = parse_type(p);
        VEC_PUSH(p->arena, &cast->args, expr);
        expr = parse_done(p, cast);
    }
    return expr;
}

/* -1 is a literal, -1::int is PostgreSQL's -(1::int). */
static struct sql_expr *parse_minus(struct parser *p) {
    struct pos pos = p->token.pos;
    parse_advance(p);
    struct token next = parse_peek(p);
    if (p->token.kind == TOKEN_NUMBER && next.symbol != SYM2(':', ':')) {
        struct sql_expr *number = parse_number(p, true);
        number->pos = pos;
        return number;
    }
    return make_unary(p, SQL_OP_NEG, pos, parse_unary(p));
}

static struct sql_expr *parse_unary(struct parser *p) {
    struct sql_expr *expr;
    struct pos pos = p->token.pos;
    if (!parse_enter(p)) {
        expr = parse_new_expr(p, SQL_LITERAL, pos);
    } else if (parse_at(p, "NOT")) {
        expr = parse_not(p);
    } else if (parse_at_symbol(p, SYM1('-'))) {
        expr = parse_minus(p);
    } else if (parse_accept_symbol(p, SYM1('+'))) {
        expr = parse_unary(p);
    } else if (p->dialect == SQL_MYSQL && parse_accept_symbol(p, SYM1('!'))) {
        expr = make_unary(p, SQL_OP_NOT, pos, parse_unary(p));
    } else {
        expr = parse_casts(p, parse_primary(p));
    }
    parse_leave(p);
    return expr;
}

static struct sql_expr *parse_binary(struct parser *p, enum level least) {
    struct sql_expr *left = parse_unary(p);
    for (;;) {
        struct infix infix = infix_at(p);
        if (infix.kind == INFIX_NONE || infix.level < least)
            return left;
        if (parse_enter(p))
            left = parse_infix(p, left, &infix);
        parse_leave(p);
    }
}

struct sql_expr *parse_expr(struct parser *p) {
    return parse_binary(p, LEVEL_OR);
}

struct sql_expr *parse_operand(struct parser *p) {
    return parse_binary(p, LEVEL_OPERAND);
}
