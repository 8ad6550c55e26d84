/* Cuts SQL text into tokens, one at a time. Internal to sql/.
 *
 * The lexer fails only on quotes and comments that are not closed; a byte it doesn't know is a
 * symbol of its own, which the parser refuses where it meets it. It is plain data: copying it
 * and going on with the copy is how the parser looks ahead.
 */
#ifndef LW_SQL_LEXER_H
#define LW_SQL_LEXER_H

#include "sql/sql.h"

enum token_kind {
    TOKEN_END,
    TOKEN_WORD,     /* name or keyword, as written */
    TOKEN_QUOTED,   /* "x", `x`, [x]: text is what stands between, undoubled */
    TOKEN_STRING,   /* text is the content, escapes undone */
    TOKEN_NUMBER,   /* text as written */
    TOKEN_HOST,     /* :name or :row.column, text without the colon */
    TOKEN_VARIABLE, /* @@name or @@session.name, text without @@ */
    TOKEN_SYMBOL,   /* see `symbol` */
};

/* Symbols of one to three bytes as a number: SYM2('<', '='). */
#define SYM1(a) ((uint32_t)(a))
#define SYM2(a, b) ((uint32_t)(a) << 8 | (uint32_t)(b))
#define SYM3(a, b, c) ((uint32_t)(a) << 16 | (uint32_t)(b) << 8 | (uint32_t)(c))

struct token {
    enum token_kind kind;
    uint32_t symbol; /* SYMBOL; SYM3('/', '*', '!') is a whole conditional comment of MySQL */
    struct pos pos;
    size_t start, end; /* bytes of the text */
    struct str text;
};

struct lexer {
    struct arena *arena; /* for texts with escapes; NULL: they stay as written */
    struct str text;
    size_t at;
    struct pos pos; /* of text byte `line_start` */
    size_t line_start;
    enum sql_dialect dialect;
};

void lexer_init(struct lexer *lexer, struct arena *arena, struct str text, struct pos start,
                enum sql_dialect dialect);

/* The next token; at the end of the text TOKEN_END, again and again. */
bool lexer_next(struct lexer *lexer, struct token *token, struct err *err);

/* What stands between quotes, with doubled quotes and, if asked for, backslash escapes undone; a slice of it if there are
 * none, or without an arena. */
struct str lexer_unquote(struct arena *arena, enum sql_dialect dialect, struct str raw, char quote,
                         bool has_escapes);

#endif
