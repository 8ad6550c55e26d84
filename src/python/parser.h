/* What the parts of the parser share (parse.c, stmt.c, compound.c, expr.c, atom.c, params.c, pattern.c,
 * fstring.c, target.c). Every function begins at the current token, `p->lexer.tok`, and ends behind what
 * it has read. It always gives a node, also after an error: `p->lexer.has_failed` is then set and the statement
 * loop throws all of the statement away, so nobody else needs to look.
 *
 * Lists are gathered on `p->stack`, from a mark the function takes, and moved to the arena when complete.
 */
#ifndef LW_PYTHON_PARSER_H
#define LW_PYTHON_PARSER_H

#include "python/lexer.h"

enum {
    PY_DEPTH_MAX = 250, /* recursion of the parser; a level adds at most 4 to a tree's height */
    PY_CHAIN_MAX = 200, /* nodes stacked by loops (a.b.c, a + b + c) before a height is measured */
    PY_STMT_HEIGHT_MAX = 1200 /* PY_HEIGHT_MAX less what blocks around a statement add */
};

/* How strongly operators bind. 0: not an operator. */
enum py_prec {
    PREC_NONE,
    PREC_OR,
    PREC_AND,
    PREC_NOT,
    PREC_COMPARE,
    PREC_BIT_OR,
    PREC_BIT_XOR,
    PREC_BIT_AND,
    PREC_SHIFT,
    PREC_SUM,
    PREC_TERM,
    PREC_UNARY,
    PREC_POWER
};

struct py_parser {
    struct py_lexer lexer;
    struct arena *arena;
    char *next, *end; /* the rest of a block taken from the arena */
    struct py_node **stack;
    uint32_t stack_count, stack_capacity;
    uint32_t depth;        /* of recursion */
    uint32_t commit_end;   /* prev_end when the last statement was complete; UINT32_MAX: none was */
    uint32_t chain;        /* nodes that loops have put upon each other in this statement */
    uint32_t string_start; /* of the outermost f-string being read: recovery begins there */
    bool in_fstring;
    struct py_error *errors;
    uint32_t error_count;
    struct py_source source;
};

/* Where a node begins. */
struct py_mark {
    uint32_t start, line;
};

static inline enum py_token_type py_tok(const struct py_parser *p) {
    return p->lexer.tok.type;
}

static inline struct py_mark py_here(const struct py_parser *p) {
    return (struct py_mark){p->lexer.tok.start, p->lexer.tok.line};
}

/* Zeroed memory for nodes and lists, aligned for pointers. */
void *py_alloc_slow(struct py_parser *p, size_t byte_size);

static inline void *py_alloc(struct py_parser *p, size_t byte_size) {
    byte_size = (byte_size + 7) & ~(size_t)7;
    if ((size_t)(p->end - p->next) < byte_size)
        return py_alloc_slow(p, byte_size);
    void *block = p->next;
    p->next += byte_size;
    return block;
}

/* A node from `at` to the end of the last token. */
static inline struct py_node *py_node_new(struct py_parser *p, enum py_kind kind, size_t byte_size,
                                          struct py_mark at) {
    struct py_node *node = py_alloc(p, byte_size);
    node->kind = (uint8_t)kind;
    node->start = at.start;
    node->line = at.line;
    node->end = p->lexer.prev_end;
    return node;
}

#define PY_NEW(p, at, Kind)                                                                        \
    py_node_new((p), PY_##Kind, offsetof(struct py_node, Kind) + sizeof(struct py_##Kind), (at))

/* Takes the token if it is a `type`. */
static inline bool py_accept(struct py_parser *p, enum py_token_type type) {
    if (py_tok(p) != type)
        return false;
    py_next(&p->lexer);
    return true;
}

/* Fails at the current token. `what` was expected there. Always false. */
bool py_expected(struct py_parser *p, const char *what);

/* Takes the token, which must be a `type`. */
static inline bool py_expect(struct py_parser *p, enum py_token_type type) {
    return py_accept(p, type) || py_expected(p, py_token_text(type));
}

/* The text of the current token. */
struct str py_tok_str(const struct py_parser *p);
/* True if the current token is the name `word` (a soft keyword). */
bool py_tok_is(const struct py_parser *p, const char *word);

/* One level of recursion deeper; false (and failed) at PY_DEPTH_MAX. To be paired with py_leave either way. */
bool py_enter(struct py_parser *p);
static inline void py_leave(struct py_parser *p) {
    p->depth--;
}

void py_push_slow(struct py_parser *p);

static inline void py_push(struct py_parser *p, struct py_node *node) {
    if (p->stack_count == p->stack_capacity)
        py_push_slow(p);
    p->stack[p->stack_count++] = node;
}

/* What was pushed since `mark`, as a list; the stack is back at `mark`. */
struct py_list py_pop_list(struct py_parser *p, uint32_t mark);

/* An identifier, normalised. Fails on another token; `what` is then expected. */
struct str py_name(struct py_parser *p, const char *what);

/* A Constant without text, for what could not be parsed. */
struct py_node *py_nothing(struct py_parser *p);

/* expr.c */
struct py_node *py_expr(struct py_parser *p);            /* expression */
struct py_node *py_named_expr(struct py_parser *p);      /* also x := ... */
struct py_node *py_star_named_expr(struct py_parser *p); /* also *x */
struct py_node *py_star_exprs(struct py_parser *p); /* also *x, and a tuple without parentheses */
struct py_node *py_yield_or_star_exprs(struct py_parser *p);
struct py_node *py_yield(struct py_parser *p);
struct py_node *py_operators(struct py_parser *p, enum py_prec least);
/* `*` and what binds at least as `least`. */
struct py_node *py_starred(struct py_parser *p, enum py_prec least);
bool py_starts_expr(enum py_token_type type);

/* atom.c */
struct py_node *py_atom(struct py_parser *p);
struct py_node *py_primary(struct py_parser *p);
/* Arguments up to the closing parenthesis, which stays. A lone generator expression spans the parentheses
 * that begin at `open`; NULL: there may be none. */
void py_call_args(struct py_parser *p, const struct py_mark *open, struct py_list *args,
                  struct py_list *keywords);
struct py_node *py_number(struct py_parser *p);

/* fstring.c: all adjacent string literals. */
struct py_node *py_strings(struct py_parser *p);

/* target.c: makes an expression a target of `ctx`. */
enum py_target { PY_TARGET_ASSIGN, PY_TARGET_FOR, PY_TARGET_DEL, PY_TARGET_SINGLE };
void py_set_target(struct py_parser *p, struct py_node *node, enum py_target target);
/* The targets of `for` and `as`, which end at `in` or a comma. */
struct py_node *py_star_targets(struct py_parser *p);
struct py_node *py_star_target(struct py_parser *p);

/* params.c: parameters up to `close` (which stays), and [T, *Ts, **P] if there is one. */
struct py_node *py_params(struct py_parser *p, enum py_token_type close);
struct py_list py_type_params(struct py_parser *p);

/* stmt.c: a line of simple statements, pushed; compound.c: the others. */
void py_simple_stmts(struct py_parser *p);
struct py_node *py_compound_stmt(struct py_parser *p);

/* parse.c: what follows a colon: an indented block or simple statements. `what` names the owner. */
struct py_list py_block(struct py_parser *p, const char *what, uint32_t line);

/* pattern.c: the pattern of a case. */
struct py_node *py_case_pattern(struct py_parser *p);

/* value.c: checks the escapes in the source from `start` to `end`, which lies in a literal without prefix r. */
bool py_check_escapes(struct py_parser *p, uint32_t start, uint32_t end, bool is_bytes);
/* Decodes escapes (unless raw) and line ends of `text`; a slice of it if nothing changes. */
struct str py_decode(struct arena *arena, struct str text, bool is_raw, bool is_bytes,
                     bool *is_exact);

#endif
