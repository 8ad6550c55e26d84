#include "sql/lexer.h"

#include "base/assert.h"

void lexer_init(struct lexer *lexer, struct arena *arena, struct str text, struct pos start,
                enum sql_dialect dialect) {
    *lexer = (struct lexer){.arena = arena, .text = text, .pos = start, .dialect = dialect};
}

static int byte_at(const struct lexer *lexer, size_t offset) {
    return offset < lexer->text.len ? (unsigned char)lexer->text.ptr[offset] : -1;
}

static bool is_space(int byte) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static bool is_digit(int byte) {
    return byte >= '0' && byte <= '9';
}

static bool is_word_start(int byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
           byte >= 0x80;
}

static bool is_word_byte(int byte) {
    return is_word_start(byte) || is_digit(byte) || byte == '$';
}

static struct pos pos_here(const struct lexer *lexer, size_t offset) {
    LW_ASSERT(offset >= lexer->line_start);
    return (struct pos){lexer->pos.line,
                        lexer->pos.column + (uint32_t)(offset - lexer->line_start)};
}

/* Steps to `offset`, counting the lines between. */
static void advance_to(struct lexer *lexer, size_t offset) {
    LW_ASSERT(offset >= lexer->at && offset <= lexer->text.len);
    struct str passed = str_sub(lexer->text, 0, offset);
    for (size_t i = str_find(passed, '\n', lexer->at); i < offset;
         i = str_find(passed, '\n', i + 1)) {
        lexer->pos.line++;
        lexer->pos.column = 1;
        lexer->line_start = i + 1;
    }
    lexer->at = offset;
}

/* The offset after the comment that starts at `from`, or 0 if it is not closed. */
static size_t comment_end(const struct lexer *lexer, size_t from) {
    bool nests = lexer->dialect == SQL_POSTGRESQL;
    size_t depth = 1, i = from + 2;
    while (depth > 0) {
        if (i + 1 >= lexer->text.len)
            return 0;
        int first = byte_at(lexer, i), second = byte_at(lexer, i + 1);
        if (first == '*' && second == '/') {
            depth--;
            i += 2;
        } else if (nests && first == '/' && second == '*') {
            depth++;
            i += 2;
        } else {
            i++;
        }
    }
    return i;
}

/* MySQL takes `--` for a comment only if a space follows: 1--1 is 2. */
static bool starts_line_comment(const struct lexer *lexer, size_t at) {
    int first = byte_at(lexer, at);
    if (first == '#')
        return lexer->dialect == SQL_MYSQL;
    if (first != '-' || byte_at(lexer, at + 1) != '-')
        return false;
    int third = byte_at(lexer, at + 2);
    return lexer->dialect != SQL_MYSQL || third < 0 || third <= ' ';
}

static bool skip_blanks(struct lexer *lexer, struct err *err) {
    for (;;) {
        size_t i = lexer->at;
        while (is_space(byte_at(lexer, i)))
            i++;
        advance_to(lexer, i);
        if (starts_line_comment(lexer, i)) {
            advance_to(lexer, str_find(lexer->text, '\n', i));
        } else if (byte_at(lexer, i) == '/' && byte_at(lexer, i + 1) == '*') {
            if (lexer->dialect == SQL_MYSQL && byte_at(lexer, i + 2) == '!')
                return true;
            size_t end = comment_end(lexer, i);
            if (end == 0)
                return err_set(err, pos_here(lexer, i), "comment is not closed");
            advance_to(lexer, end);
        } else {
            return true;
        }
    }
}

static char unescape(int byte) {
    switch (byte) {
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case 'r':
        return '\r';
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case '0':
        return '\0';
    case 'Z':
        return 26;
    default:
        return (char)byte;
    }
}

/* MySQL keeps the backslash of \% and \_, which LIKE reads. */
struct str lexer_unquote(struct arena *arena, enum sql_dialect dialect, struct str raw, char quote,
                         bool has_escapes) {
    bool is_plain =
        str_find(raw, quote, 0) == raw.len && (!has_escapes || str_find(raw, '\\', 0) == raw.len);
    if (is_plain || arena == NULL)
        return raw;
    char *text = arena_alloc(arena, raw.len);
    size_t len = 0;
    bool is_mysql = dialect == SQL_MYSQL;
    for (size_t i = 0; i < raw.len; i++) {
        char byte = raw.ptr[i];
        if (byte == quote) {
            i++;
        } else if (has_escapes && byte == '\\' && i + 1 < raw.len) {
            char next = raw.ptr[++i];
            bool is_kept = is_mysql && (next == '%' || next == '_');
            if (is_kept)
                text[len++] = '\\';
            byte = is_kept || (!is_mysql && (next == '0' || next == 'Z')) ? next : unescape(next);
        }
        text[len++] = byte;
    }
    return (struct str){text, len};
}

/* A quoted text that starts at `open`, whose opening quote is one byte. */
static bool lex_quoted(struct lexer *lexer, size_t open, char quote, bool has_escapes,
                       struct token *token, struct err *err) {
    size_t i = open + 1;
    for (;; i++) {
        int byte = byte_at(lexer, i);
        if (byte < 0)
            return err_set(err, token->pos, "quote is not closed");
        if (has_escapes && byte == '\\')
            i++;
        else if (byte == (unsigned char)quote && byte_at(lexer, i + 1) == (unsigned char)quote)
            i++;
        else if (byte == (unsigned char)quote)
            break;
    }
    token->text = lexer_unquote(lexer->arena, lexer->dialect, str_sub(lexer->text, open + 1, i),
                                quote, has_escapes);
    token->end = i + 1;
    return true;
}

/* PostgreSQL's $tag$ ... $tag$. `at` is the first dollar. False without an error: no such quote
 * here. */
static bool lex_dollar(struct lexer *lexer, size_t at, struct token *token, bool *is_unclosed) {
    size_t tag_end = at + 1;
    while (is_word_byte(byte_at(lexer, tag_end)) && byte_at(lexer, tag_end) != '$')
        tag_end++;
    if (byte_at(lexer, tag_end) != '$' || is_digit(byte_at(lexer, at + 1)))
        return false;
    struct str tag = str_sub(lexer->text, at, tag_end + 1);
    size_t body = tag_end + 1;
    for (size_t i = str_find(lexer->text, '$', body); i + tag.len <= lexer->text.len;
         i = str_find(lexer->text, '$', i + 1)) {
        if (!str_equal(str_sub(lexer->text, i, i + tag.len), tag))
            continue;
        token->kind = TOKEN_STRING;
        token->text = str_sub(lexer->text, body, i);
        token->end = i + tag.len;
        return true;
    }
    *is_unclosed = true;
    return false;
}

static void lex_number(struct lexer *lexer, struct token *token) {
    size_t i = token->start;
    while (is_digit(byte_at(lexer, i)))
        i++;
    if (byte_at(lexer, i) == '.')
        i++;
    while (is_digit(byte_at(lexer, i)))
        i++;
    int mark = byte_at(lexer, i), sign = byte_at(lexer, i + 1);
    size_t digits = i + 1 + (sign == '+' || sign == '-');
    if ((mark == 'e' || mark == 'E') && is_digit(byte_at(lexer, digits))) {
        i = digits;
        while (is_digit(byte_at(lexer, i)))
            i++;
    }
    while (is_word_byte(byte_at(lexer, i))) /* 12ab: the parser will say what is wrong with it */
        i++;
    token->kind = TOKEN_NUMBER;
    token->end = i;
    token->text = str_sub(lexer->text, token->start, i);
}

/* Bytes of the name at `from`: word bytes, with `.word` after them up to `dot_count` times. */
static size_t dotted_end(const struct lexer *lexer, size_t from, int dot_count) {
    size_t i = from;
    for (;;) {
        while (is_word_byte(byte_at(lexer, i)))
            i++;
        if (dot_count-- == 0 || byte_at(lexer, i) != '.' || !is_word_start(byte_at(lexer, i + 1)))
            return i;
        i++;
    }
}

static bool lex_word(struct lexer *lexer, struct token *token, struct err *err) {
    size_t i = token->start;
    int first = byte_at(lexer, i), second = byte_at(lexer, i + 1);
    if ((first == 'e' || first == 'E') && second == '\'' && lexer->dialect == SQL_POSTGRESQL) {
        token->kind = TOKEN_STRING;
        return lex_quoted(lexer, i + 1, '\'', true, token, err);
    }
    token->kind = TOKEN_WORD;
    token->end = dotted_end(lexer, i, 0);
    token->text = str_sub(lexer->text, i, token->end);
    return true;
}

static void lex_symbol(struct lexer *lexer, struct token *token) {
    static const char *const symbols[] = {
        "<=>", "->>", "#>>", "<=", ">=", "<>", "!=", "==", "||", "&&",
        "::",  "->",  "#>",  "@>", "<@", "<<", ">>", "!~", "~*", ":="};
    struct str rest = str_sub(lexer->text, token->start, lexer->text.len);
    bool may_go_on = strchr("<>=|&*~@:", byte_at(lexer, token->start + 1)) != NULL;
    size_t len = 1;
    for (size_t i = 0; may_go_on && i < LW_COUNT_OF(symbols) && len == 1; i++)
        if (str_starts(rest, symbols[i]))
            len = strlen(symbols[i]);
    if (rest.ptr[0] == '/' && str_starts(rest, "/*!")) { /* only MySQL's get here */
        size_t end = comment_end(lexer, token->start);
        token->end = end > 0 ? end : lexer->text.len;
        token->symbol = SYM3('/', '*', '!');
    } else {
        token->end = token->start + len;
        for (size_t i = 0; i < len; i++)
            token->symbol = token->symbol << 8 | (unsigned char)rest.ptr[i];
    }
    token->kind = TOKEN_SYMBOL;
    token->text = str_sub(lexer->text, token->start, token->end);
}

/* Quotes of the dialect: 'x' is a string and `x` a name everywhere, "x" a string in MySQL and a
 * name elsewhere, [x] a name in SQLite. False: no quote here. */
static bool quote_kind(const struct lexer *lexer, int byte, enum token_kind *kind, char *close) {
    bool is_mysql = lexer->dialect == SQL_MYSQL;
    *close = (char)byte;
    *kind = byte == '\'' || (byte == '"' && is_mysql) ? TOKEN_STRING : TOKEN_QUOTED;
    if (byte == '[' && lexer->dialect == SQL_SQLITE) {
        *close = ']';
        return true;
    }
    return byte == '\'' || byte == '"' || byte == '`';
}

static bool lex_token(struct lexer *lexer, struct token *token, struct err *err) {
    size_t at = token->start;
    int byte = byte_at(lexer, at), next = byte_at(lexer, at + 1);
    char close;
    bool is_unclosed = false;
    if (quote_kind(lexer, byte, &token->kind, &close))
        return lex_quoted(lexer, at, close,
                          token->kind == TOKEN_STRING && lexer->dialect == SQL_MYSQL, token, err);
    if (byte == '$' && lexer->dialect == SQL_POSTGRESQL &&
        lex_dollar(lexer, at, token, &is_unclosed))
        return true;
    if (is_unclosed)
        return err_set(err, token->pos, "dollar quote is not closed");
    if (is_word_start(byte))
        return lex_word(lexer, token, err);
    if (is_digit(byte) || (byte == '.' && is_digit(next))) {
        lex_number(lexer, token);
    } else if (byte == ':' && is_word_start(next)) {
        token->kind = TOKEN_HOST;
        token->end = dotted_end(lexer, at + 1, 1);
        token->text = str_sub(lexer->text, at + 1, token->end);
    } else if (byte == '@' && next == '@' && is_word_start(byte_at(lexer, at + 2))) {
        token->kind = TOKEN_VARIABLE;
        token->end = dotted_end(lexer, at + 2, 1);
        token->text = str_sub(lexer->text, at + 2, token->end);
    } else {
        lex_symbol(lexer, token);
    }
    return true;
}

bool lexer_next(struct lexer *lexer, struct token *token, struct err *err) {
    if (!skip_blanks(lexer, err))
        return false;
    *token = (struct token){
        .kind = TOKEN_END, .start = lexer->at, .end = lexer->at, .pos = pos_here(lexer, lexer->at)};
    if (lexer->at >= lexer->text.len)
        return true;
    if (!lex_token(lexer, token, err))
        return false;
    advance_to(lexer, token->end);
    return true;
}

/* `start` moved on by the line and column of byte `offset` of `text`. */
static struct pos pos_from(struct str text, size_t offset, struct pos start) {
    struct pos pos = pos_of_offset(text, offset);
    if (pos.line == 1)
        pos.column += start.column - 1;
    pos.line += start.line - 1;
    return pos;
}

bool sql_statement_end(struct str text, size_t offset, struct pos start, enum sql_dialect dialect,
                       size_t *end, struct err *err) {
    LW_ASSERT(offset <= text.len);
    struct lexer lexer;
    struct token token;
    lexer_init(&lexer, NULL, text, start, dialect);
    lexer.at = lexer.line_start = offset;
    struct err inner;
    for (size_t depth = 0;;) {
        if (!lexer_next(&lexer, &token, &inner)) /* the lexer stands before what is not closed */
            return err_set(err, pos_from(text, lexer.at, start), "%s", inner.message);
        if (token.kind == TOKEN_END || (token.symbol == SYM1(';') && depth == 0))
            break;
        if (token.symbol == SYM1('('))
            depth++;
        else if (token.symbol == SYM1(')') && depth > 0)
            depth--;
    }
    *end = token.start;
    return true;
}
