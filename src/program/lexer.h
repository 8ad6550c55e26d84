/* Tokens of the notation. The lexer is a small value: copying it is how the parser looks ahead, and
 * setting it to another offset is how it steps over SQL, which it hands to sql/ whole. What is no
 * token is one of kind BAD with a message, so that looking ahead into SQL is harmless; the parser
 * reports it when it stands where a token must.
 */
#ifndef LW_PROGRAM_LEXER_H
#define LW_PROGRAM_LEXER_H

#include "base/err.h"
#include "base/str.h"

enum token_kind {
    TOKEN_END,
    TOKEN_BAD,
    TOKEN_WORD,   /* counter, if */
    TOKEN_NAME,   /* `if`: a reserved word as a name, or any bytes; a ` within is doubled */
    TOKEN_STRING, /* 'it''s' or "shop" */
    TOKEN_NUMBER, /* 7, 1.50 */
    TOKEN_SIGN    /* one or two characters: { } ( ) ; , . = == != < <= > >= + - * / % @ : || */
};

struct token {
    enum token_kind kind;
    struct str text; /* as written, with quotes */
    size_t offset;
    struct pos pos, end;
    const char *fault; /* BAD: what is wrong */
};

struct lexer {
    struct str text;
    size_t offset;
    struct pos pos;
    struct token token;  /* the current one */
    struct pos last_end; /* of the one before it */
};

/* Stands on the first token of `text`. */
void txn_lexer_init(struct lexer *lexer, struct str text);
/* Goes on to the next token, over blanks and comments (`--` to the end of the line). */
void txn_lexer_next(struct lexer *lexer);
/* Goes on to the first token at or after byte `offset`, which is not before the current token. */
void txn_lexer_skip_to(struct lexer *lexer, size_t offset);

/* Whether the token is that sign or that word. */
bool txn_token_is_sign(const struct token *token, const char *sign);
bool txn_token_is_word(const struct token *token, const char *word);
/* A WORD or NAME. */
bool txn_token_is_name(const struct token *token);

/* The text of a WORD, NAME or STRING without quotes; copied to `arena` only if a quote in it was
 * doubled. */
struct str txn_token_content(struct arena *arena, const struct token *token);

/* Words that a bare name in an expression can't be; the printer puts such names into backquotes. */
bool txn_word_is_reserved(struct str word);
bool txn_name_is_word(struct str name);

#endif
