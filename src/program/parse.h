/* Inside of the notation's parser: recursive descent over the lexer's tokens, one function for each
 * rule of the grammar in docs/notation.md. Programs are put together with the builder. SQL is cut
 * out by sql_statement_end and parsed by sql_parse with its place in the file, so that its errors
 * point there.
 *
 * Every function returns false at the first fault, which `err` then has. Nodes carry spans of the
 * .txn text until all is checked; only then `@` origins take their place (txn_parse_origins), so
 * that faults always point into the file that was read.
 */
#ifndef LW_PROGRAM_PARSE_H
#define LW_PROGRAM_PARSE_H

#include "program/build.h"
#include "program/fault.h"
#include "program/lexer.h"

/* Dots in one name: each copies it. */
enum { TXN_DOTS_MAX = 32 };

/* An `@` origin: what it belongs to, and the place. */
struct parse_origin {
    struct txn_program *program; /* of the step, or itself if `step` is NULL */
    struct txn_step *step;
    size_t handler; /* 1 + index of the step's handler; 0: the step itself */
    struct txn_span span;
};

struct parser {
    struct lexer lexer;
    struct arena *arena;
    struct text_pool *pool;
    struct str path;
    enum sql_dialect dialect;
    struct err *err;
    struct txn_scenario *scenario;
    struct txn_program *program; /* the one being read */
    struct str origin_path;      /* its file, once named; origins without a path are in it */
    struct txn_builder build;
    size_t expr_depth;
    VEC(struct parse_origin) origins;
};

/* A fault at the current token; if that is BAD, its own fault instead. */
bool txn_parse_fault(struct parser *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* "expected X, found Y". */
bool txn_parse_expected(struct parser *p, const char *what);
/* Takes that sign, or fails. */
bool txn_parse_sign(struct parser *p, const char *sign);
/* Takes that sign or word if it stands here. */
bool txn_parse_accept(struct parser *p, const char *sign);
bool txn_parse_accept_word(struct parser *p, const char *word);
/* A name without dots; `what` is for the message. */
bool txn_parse_name(struct parser *p, const char *what, struct str *name);
/* A name that may have dots: shop.views.increment. */
bool txn_parse_dotted(struct parser *p, const char *what, struct str *name);
bool txn_parse_string(struct parser *p, const char *what, struct str *text);
/* A whole number that fits. */
bool txn_parse_count(struct parser *p, const char *what, uint32_t *count);
/* The token after the current one. */
struct token txn_parse_peek(const struct parser *p);

/* The span from `start` to the end of the last token taken or SQL text stepped over. */
struct txn_span txn_parse_span(const struct parser *p, struct pos start, struct pos end);

/* `@ "path":line:column[-line:column]`, if one stands here. */
bool txn_parse_origin(struct parser *p, struct txn_step *step, size_t handler);
/* Gives every step, handler and program its origin. */
void txn_parse_origins(struct parser *p);

/* SQL from the current token to its `;`, which is taken. An origin before the `;` is kept in
 * `*origin` (path empty and line 0: none). `*end`: just after the SQL. */
bool txn_parse_sql(struct parser *p, struct sql_stmt **stmt, struct txn_span *origin,
                   struct pos *end);
/* Whether a word may start an SQL statement. */
bool txn_parse_is_sql_verb(struct str word);

/* A host expression. */
bool txn_parse_expr(struct parser *p, struct txn_expr **expr);
/* A literal value, with a `-` before a number. */
bool txn_parse_value(struct parser *p, struct value *value);
bool txn_parse_starts_value(const struct parser *p);

/* `{ steps }` of a program; declarations of variables may come first. */
bool txn_parse_program_body(struct parser *p);

#endif
