/* The parser's shared parts. Internal to sql/.
 *
 * Recursive descent, an expression by precedence climbing. The first error is kept and ends the
 * text: from then on the token is TOKEN_END, nothing is accepted, every function returns an
 * empty but valid node, and sql_parse answers false. So a parse function checks nothing but what
 * it wants to say.
 */
#ifndef LW_SQL_PARSE_H
#define LW_SQL_PARSE_H

#include "sql/lexer.h"

/* VECs that functions append to; VEC_MOVE puts them into the tree's own. */
struct name_vec {
    VEC(struct str) list;
};
struct item_vec {
    VEC(struct sql_item) list;
};
struct order_vec {
    VEC(struct sql_order) list;
};
struct source_vec {
    VEC(struct sql_source) list;
    struct str using_column; /* of the last JOIN ... USING; empty: none */
    bool has_using, has_with;
};
struct assignment_vec {
    VEC(struct sql_assignment) list;
};

#define VEC_MOVE(into, from)                                                                       \
    ((into)->items = (from)->list.items, (into)->count = (from)->list.count,                       \
     (into)->capacity = (from)->list.capacity)

/* NEST_MAX bounds the parser's recursion; SQL_HEIGHT_MAX (ast.h) the height of trees, which a
 * chain such as a + b + c + ... raises without recursion. A printed tree nests at most three
 * times per level. */
enum { NEST_MAX = 3 * SQL_HEIGHT_MAX };

/* A query of WITH: its text begins at `token`. */
struct with_query {
    struct str name;
    struct pos pos;
    struct str *columns; /* names for its columns; none: its own */
    size_t column_count;
    struct lexer lexer;
    struct token token;
    bool is_used;
    struct with_query *before; /* it may name those from there on */
};

struct parser {
    struct arena *arena;
    struct text_pool *pool;
    enum sql_dialect dialect;
    struct lexer lexer;
    struct token token; /* the next one to be read */
    struct sql_stmt *holder;
    struct map hosts, list_hosts; /* host text to index + 1 */
    unsigned nest;
    unsigned select_depth;
    const struct sql_expr *parenthesised; /* the expression that was last read in parentheses */
    /* INSERT INTO t AS alias, and VALUES (...) AS alias: stand for t and for `excluded`. */
    struct str insert_alias, insert_table, row_alias;
    struct with_query *with; /* the last one that is known here; NULL: none */
    bool in_conflict; /* within ON CONFLICT DO UPDATE: `excluded` is known */
    bool has_failed;
    struct err *err;
};

/* Keeps the error if it is the first, and ends the text. */
void parse_fail(struct parser *p, struct pos pos, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* "expected WHAT, found TOKEN" at the token. */
void parse_expected(struct parser *p, const char *what);
/* "WHAT is not modelled" at `pos`. */
void parse_not_modelled(struct parser *p, struct pos pos, const char *what);

/* Reads the next token. */
void parse_advance(struct parser *p);
/* The token after the next one, and the one after that; TOKEN_END if there is none. */
struct token parse_peek(const struct parser *p);
struct token parse_peek2(const struct parser *p);

/* Whether the token is this word (upper case) or symbol; accept reads it then; expect fails if
 * it isn't. */
bool token_is_word(const struct token *token, const char *word);
bool parse_at(const struct parser *p, const char *word);
bool parse_at_symbol(const struct parser *p, uint32_t symbol);
bool parse_accept(struct parser *p, const char *word);
bool parse_accept_symbol(struct parser *p, uint32_t symbol);
void parse_expect(struct parser *p, const char *word);
void parse_expect_symbol(struct parser *p, uint32_t symbol);
/* Two words in a row, both or none. */
bool parse_accept2(struct parser *p, const char *first, const char *second);
/* Fails if the token is the word: "WHAT is not modelled". */
void parse_refuse(struct parser *p, const char *word, const char *what);

/* Whether the token can be a name: quoted, or a word that is not reserved. */
bool parse_at_name(const struct parser *p);
/* A name, folded to lower case if the dialect folds; `what` for the error. */
struct str parse_name(struct parser *p, const char *what);
/* A table's name. `public.` and `main.` before it are dropped, other schemas are not modelled. */
struct str parse_table_name(struct parser *p);
/* `(a, b, c)`, appended to `names`. */
void parse_name_list(struct parser *p, struct name_vec *names);
/* [AS] alias, or empty. */
struct str parse_alias(struct parser *p);

/* Enters and leaves one level of recursion; enter fails at NEST_MAX. */
bool parse_enter(struct parser *p);
void parse_leave(struct parser *p);

/* A node without operands. */
struct sql_expr *parse_new_expr(struct parser *p, enum sql_expr_kind kind, struct pos pos);
/* Sets the height of a node whose operands are complete. */
struct sql_expr *parse_done(struct parser *p, struct sql_expr *expr);
/* Any expression. */
struct sql_expr *parse_expr(struct parser *p);
/* An expression that binds closer than comparisons, as in DEFAULT, LIMIT and SET. */
struct sql_expr *parse_operand(struct parser *p);
/* What has no operator around it. */
struct sql_expr *parse_primary(struct parser *p);
/* CASE, CAST, EXISTS, calls and what looks like them, from their first word on. NULL: no such
 * thing here. */
struct sql_expr *parse_call(struct parser *p);
/* A host value; the token is TOKEN_HOST. */
struct sql_expr *parse_host(struct parser *p, bool is_list);
/* A LITERAL of that text. */
struct sql_expr *parse_text_literal(struct parser *p, struct pos pos, struct str text);
/* Whether `(` SELECT stands here; parse_subquery reads it, with the parentheses, as the `select`
 * of `expr`. */
bool parse_at_subquery(const struct parser *p);
void parse_subquery(struct parser *p, struct sql_expr *expr);
/* `varchar(10)`, `timestamp with time zone`, as one line. */
struct str parse_type(struct parser *p);
/* A signed number. */
struct sql_expr *parse_number(struct parser *p, bool is_negative);

/* SELECT with all its clauses. */
struct sql_select *parse_select(struct parser *p);
/* WITH and its queries, if they stand here; what parse_with_end is to be given when the statement or SELECT that they are for
 * has been read. */
struct with_query *parse_with(struct parser *p);
void parse_with_end(struct parser *p, struct with_query *before);
/* A WITH query's name in place of a table's, with its alias; false: it is not one. */
bool parse_with_source(struct parser *p, struct sql_source *source);
/* A table with its alias. */
struct sql_source parse_target(struct parser *p);
/* What stands after FROM or USING: sources with their joins. */
void parse_sources(struct parser *p, struct source_vec *sources);
/* [ORDER BY ...]; appends to `items`. */
void parse_order_by(struct parser *p, struct order_vec *items);
/* Select items, as after SELECT and RETURNING. */
void parse_items(struct parser *p, struct item_vec *items);

/* A statement each, into p->holder, its first word not yet read. */
void parse_insert(struct parser *p);
void parse_update(struct parser *p);
void parse_delete(struct parser *p);
void parse_begin(struct parser *p);
void parse_end(struct parser *p); /* COMMIT, ROLLBACK, SAVEPOINT, RELEASE */
void parse_prepare_transaction(struct parser *p);
void parse_set(struct parser *p);
void parse_lock_table(struct parser *p);
void parse_create(struct parser *p);
void parse_alter(struct parser *p);

#endif
