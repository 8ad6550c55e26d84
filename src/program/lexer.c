/* The tokens of the notation. */
#include "program/lexer.h"

#include "base/assert.h"

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_word_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

/* The byte at `offset`, or NUL at the end. A NUL in the text is no token, so the two never mix. */
static char byte_at(const struct lexer *lexer, size_t offset) {
    return offset < lexer->text.len ? lexer->text.ptr[offset] : '\0';
}

static void advance_to(struct lexer *lexer, size_t offset) {
    LW_ASSERT(offset >= lexer->offset && offset <= lexer->text.len);
    for (; lexer->offset < offset; lexer->offset++) {
        if (lexer->text.ptr[lexer->offset] == '\n') {
            lexer->pos.line++;
            lexer->pos.column = 1;
        } else {
            lexer->pos.column++;
        }
    }
}

static void skip_blanks(struct lexer *lexer) {
    size_t at = lexer->offset;
    for (;;) {
        if (at < lexer->text.len && is_blank(lexer->text.ptr[at]))
            at++;
        else if (byte_at(lexer, at) == '-' && byte_at(lexer, at + 1) == '-')
            at = str_find(lexer->text, '\n', at);
        else
            break;
    }
    advance_to(lexer, at);
}

/* The end of a quoted token that starts at `from`, or 0 if it is not closed. A doubled quote is
 * one of its characters. */
static size_t quoted_end(const struct lexer *lexer, size_t from) {
    char quote = lexer->text.ptr[from];
    for (size_t at = from + 1;;) {
        at = str_find(lexer->text, quote, at);
        if (at == lexer->text.len)
            return 0;
        if (byte_at(lexer, at + 1) != quote)
            return at + 1;
        at += 2;
    }
}

static size_t number_end(const struct lexer *lexer, size_t at) {
    while (is_digit(byte_at(lexer, at)))
        at++;
    if (byte_at(lexer, at) == '.') {
        at++;
        while (is_digit(byte_at(lexer, at)))
            at++;
    }
    return at;
}

static size_t sign_length(const struct lexer *lexer, size_t at) {
    static const char *const pairs[] = {"==", "!=", "<=", ">=", "||"};
    char first = byte_at(lexer, at), second = byte_at(lexer, at + 1);
    for (size_t i = 0; i < LW_COUNT_OF(pairs); i++)
        if (first == pairs[i][0] && second == pairs[i][1])
            return 2;
    return first != '\0' && strchr("{}();,.=<>+-*/%@:", first) != NULL ? 1 : 0;
}

static void bad(struct token *token, const char *fault) {
    token->kind = TOKEN_BAD;
    token->fault = fault;
}

/* Sets kind and fault of the token at the current place, and gives its end. */
static size_t scan_token(struct lexer *lexer, struct token *token) {
    size_t at = lexer->offset, end = at;
    char first = byte_at(lexer, at);
    if (at == lexer->text.len) {
        token->kind = TOKEN_END;
    } else if (is_word_start(first)) {
        token->kind = TOKEN_WORD;
        while (is_word_start(byte_at(lexer, end)) || is_digit(byte_at(lexer, end)))
            end++;
    } else if (is_digit(first)) {
        token->kind = TOKEN_NUMBER;
        end = number_end(lexer, at);
        if (is_word_start(byte_at(lexer, end)))
            bad(token, "a number runs into a word");
    } else if (first == '\'' || first == '"' || first == '`') {
        token->kind = first == '`' ? TOKEN_NAME : TOKEN_STRING;
        end = quoted_end(lexer, at);
        if (end == 0)
            bad(token, first == '`' ? "this name is not closed" : "this string is not closed");
        else if (first == '`' && end == at + 2)
            bad(token, "this name is empty");
        end = end == 0 ? at + 1 : end;
    } else {
        size_t length = sign_length(lexer, at);
        token->kind = TOKEN_SIGN;
        if (length == 0)
            bad(token, "this character has no meaning here");
        end = at + (length == 0 ? 1 : length);
    }
    return end;
}

void txn_lexer_next(struct lexer *lexer) {
    struct token *token = &lexer->token;
    lexer->last_end = token->end;
    skip_blanks(lexer);
    token->offset = lexer->offset;
    token->pos = lexer->pos;
    token->fault = NULL;
    size_t end = scan_token(lexer, token);
    token->text = str_sub(lexer->text, token->offset, end);
    advance_to(lexer, end);
    token->end = lexer->pos;
}

void txn_lexer_init(struct lexer *lexer, struct str text) {
    memset(lexer, 0, sizeof(*lexer));
    lexer->text = text;
    lexer->pos = (struct pos){1, 1};
    if (str_starts(text, "\xEF\xBB\xBF"))
        lexer->offset = 3; /* a byte order mark, which takes no column */
    txn_lexer_next(lexer);
}

void txn_lexer_skip_to(struct lexer *lexer, size_t offset) {
    /* The current token may reach beyond: what looked like one token was the start of SQL. */
    lexer->offset = lexer->token.offset;
    lexer->pos = lexer->token.pos;
    advance_to(lexer, offset);
    txn_lexer_next(lexer);
}

bool txn_token_is_sign(const struct token *token, const char *sign) {
    return token->kind == TOKEN_SIGN && str_is(token->text, sign);
}

bool txn_token_is_word(const struct token *token, const char *word) {
    return token->kind == TOKEN_WORD && str_is(token->text, word);
}

bool txn_token_is_name(const struct token *token) {
    return token->kind == TOKEN_WORD || token->kind == TOKEN_NAME;
}

struct str txn_token_content(struct arena *arena, const struct token *token) {
    if (token->kind == TOKEN_WORD)
        return token->text;
    LW_ASSERT(token->kind == TOKEN_NAME || token->kind == TOKEN_STRING);
    struct str inner = str_sub(token->text, 1, token->text.len - 1);
    char quote = token->text.ptr[0];
    if (str_find(inner, quote, 0) == inner.len)
        return inner;
    char *copy = arena_alloc(arena, inner.len);
    size_t len = 0;
    for (size_t i = 0; i < inner.len; i++) {
        copy[len++] = inner.ptr[i];
        if (inner.ptr[i] == quote)
            i++;
    }
    return (struct str){copy, len};
}

bool txn_word_is_reserved(struct str word) {
    static const char *const words[] = {"and", "call", "else", "false", "first", "if",
                                        "is",  "len",  "new",  "not",   "now",   "null",
                                        "or",  "sql",  "time", "true"};
    for (size_t i = 0; i < LW_COUNT_OF(words); i++)
        if (str_is(word, words[i]))
            return true;
    return false;
}

bool txn_name_is_word(struct str name) {
    for (size_t i = 0; i < name.len; i++)
        if (!is_word_start(name.ptr[i]) && !(i > 0 && is_digit(name.ptr[i])))
            return false;
    return name.len > 0;
}
