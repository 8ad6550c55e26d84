/* The lexer: one token at a time, no memory for any; comments, and which lines are one statement, it keeps. It knows indentation, brackets (in them line ends don't
 * count), line continuation, numbers and the extent of strings; f-strings it opens only, the parser (fstring.c)
 * reads their pieces and comes back for the expressions between them. There is never a token read ahead, so
 * the parser may move `pos` between two tokens.
 *
 * The first error sticks: from then on every token is TOK_ERROR, so the parser's loops end by themselves and
 * need no checks of their own; the statement loop (parse.c) records the error and starts anew.
 */
#ifndef LW_PYTHON_LEXER_H
#define LW_PYTHON_LEXER_H

#include "base/vec.h"
#include "python/source.h"

enum py_token_type {
#define PY_TOKEN(name, text) TOK_##name,
#define PY_KEYWORD(name, first, second, last, length) TOK_##name,
#include "python/token.def"
#undef PY_TOKEN
#undef PY_KEYWORD
    TOK_COUNT
};

/* Flags of STRING and FSTRING. */
enum {
    PY_TOK_RAW = 1,
    PY_TOK_BYTES = 2,
    PY_TOK_TEMPLATE = 4, /* t-string */
    PY_TOK_TRIPLE = 8,
    PY_TOK_UNICODE = 16,  /* prefix u */
    PY_TOK_BACKSLASH = 32 /* there is one in it (STRING only) */
};

enum { PY_PARENS_MAX = 200, PY_INDENTS_MAX = 100 };

struct py_token {
    uint8_t type;
    uint8_t flags;
    uint16_t prefix_len; /* STRING, FSTRING: bytes before the quote */
    uint32_t line;
    uint32_t start, end;
};

struct py_indent {
    uint32_t column;     /* a tab goes to the next multiple of 8 */
    uint32_t alt_column; /* a tab counts 1: both must agree on every comparison */
};

struct py_lexer {
    const char *text; /* ends with a NUL */
    uint32_t len;
    uint32_t pos;
    const struct py_source *source;
    struct arena *arena; /* for messages, comments, joined lines */

    struct py_token tok;
    uint32_t line;     /* of pos, from 1 */
    uint32_t prev_end; /* end of the last token that is no layout */
    bool is_line_start;
    bool has_failed;
    uint32_t dedent_count; /* DEDENT tokens still to give */

    uint32_t depth;       /* open brackets, replacement fields included */
    uint32_t first_line;   /* of the statement at hand */
    VEC(struct py_comment) comments;
    VEC(struct py_joined) joined;

    uint32_t field_depth; /* `depth` inside the innermost replacement field; 0: in none */
    uint32_t indent_count;
    struct py_indent indents[PY_INDENTS_MAX];
    char parens[PY_PARENS_MAX];
    uint32_t paren_starts[PY_PARENS_MAX];

    uint32_t error_offset;
    const char *error;
};

/* Before the first token; call py_next once to have it in `tok`. */
void py_lexer_init(struct py_lexer *lexer, const struct py_source *source, struct arena *arena);

/* Reads the next token into `lexer->tok`. */
void py_next(struct py_lexer *lexer);

/* Fails at a byte offset, unless it has failed already. Always false. printf style. */
bool py_fail(struct py_lexer *lexer, uint32_t offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Before text from `pos` on is read again: its comments will be met again. (recover.c) */
void py_forget_comments(struct py_lexer *lexer, uint32_t pos);

/* After an error: goes to the start of the next line that can begin a statement of the block that is
 * `indent_count` indentations deep (or of one around it), and forgets the error. `pos`: where the error was
 * met; `first_line`: a line that must not be tried again. (recover.c) */
void py_lexer_recover(struct py_lexer *lexer, uint32_t pos, uint32_t first_line,
                      uint32_t indent_count);

/* Opens a replacement field at the '{' before pos / closes it (the current token is its '}'). */
bool py_open_field(struct py_lexer *lexer, uint32_t offset);

/* Moves pos forward, keeping the line right. */
void py_lexer_seek(struct py_lexer *lexer, uint32_t pos);

/* The byte offset after a number that begins at `pos`, and its type; or false after py_fail. */
bool py_lex_number(struct py_lexer *lexer, uint32_t *pos, enum py_token_type *type);

/* The text of a token in messages: "','". */
const char *py_token_text(enum py_token_type type);

#endif
