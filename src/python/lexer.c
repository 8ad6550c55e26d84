/* Characters to tokens. Bytes fall into the classes of `classes`; a switch over them is the whole machine. */
#include "python/lexer.h"

#include "base/assert.h"
#include "base/utf8.h"
#include "python/unicode.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    I, /* letter or underscore */
    D, /* digit; `<= D` asks for either */
    X, /* in no token */
    E, /* end: the NUL after the text */
    S, /* space */
    N, /* newline */
    U, /* beyond ASCII */
    Q, /* quote */
    C, /* comment */
    B, /* backslash */
    O  /* operator */
};

static const uint8_t classes[256] = {
    E, X, X, X, X, X, X, X, X, S, N, X, S, N, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    S, O, Q, C, X, O, O, Q, O, O, O, O, O, O, O, O, D, D, D, D, D, D, D, D, D, D, O, O, O, O, O, X,
    O, I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, O, B, O, O, I,
    X, I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, I, O, O, O, O, X,
    U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U,
    U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U,
    U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U,
    U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U,
};

#define CLASS(c) classes[(unsigned char)(c)]

/* No two keywords meet here; meeting ones would be a compiler warning (override-init). */
#define KEYWORD_HASH(first, second, last, length)                                                  \
    (((first) + (second) + 15 * (length) + (last)) & 127)

static const struct {
    char text[9];
    uint8_t length;
    uint8_t type;
} keywords[128] = {
#define PY_TOKEN(name, text)
#define PY_KEYWORD(name, first, second, last, length)                                              \
    [KEYWORD_HASH(first, second, last, length)] = {#name, length, TOK_##name},
#include "python/token.def"
#undef PY_TOKEN
#undef PY_KEYWORD
};

const char *py_token_text(enum py_token_type type) {
    static const char *const texts[] = {
#define PY_TOKEN(name, text) text,
#define PY_KEYWORD(name, first, second, last, length) "'" #name "'",
#include "python/token.def"
#undef PY_TOKEN
#undef PY_KEYWORD
    };
    return texts[type];
}

void py_lexer_init(struct py_lexer *lexer, const struct py_source *source, struct arena *arena) {
    memset(lexer, 0, offsetof(struct py_lexer, indents));
    lexer->error = NULL;
    lexer->text = source->text.ptr;
    lexer->len = (uint32_t)source->text.len;
    lexer->source = source;
    lexer->arena = arena;
    lexer->pos = source->start;
    lexer->line = 1;
    lexer->is_line_start = true;
    lexer->tok.type = TOK_NEWLINE;
    lexer->indent_count = 1;
    lexer->indents[0] = (struct py_indent){0};
}

bool py_fail(struct py_lexer *lexer, uint32_t offset, const char *format, ...) {
    lexer->tok.type = TOK_ERROR;
    if (lexer->has_failed)
        return false;
    char message[ERR_MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    lexer->has_failed = true;
    lexer->error_offset = offset;
    lexer->error = str_to_c(lexer->arena, str_from_c(message));
    return false;
}

void py_lexer_seek(struct py_lexer *lexer, uint32_t pos) {
    LW_ASSERT(pos >= lexer->pos && pos <= lexer->len);
    lexer->pos = pos;
    while (lexer->source->line_starts[lexer->line] <= pos)
        lexer->line++;
}

/* The end of the current line, without its \n, \r\n or \r. */
static uint32_t line_end(const struct py_lexer *lexer) {
    uint32_t next = lexer->source->line_starts[lexer->line];
    if (next == UINT32_MAX)
        return lexer->len;
    next--;
    return next > 0 && lexer->text[next] == '\n' && lexer->text[next - 1] == '\r' ? next - 1 : next;
}

static void next_line(struct py_lexer *lexer) {
    uint32_t next = lexer->source->line_starts[lexer->line];
    LW_ASSERT(next != UINT32_MAX);
    lexer->pos = next;
    lexer->line++;
}

static void layout_token(struct py_lexer *lexer, enum py_token_type type) {
    lexer->tok = (struct py_token){
        .type = (uint8_t)type, .line = lexer->line, .start = lexer->pos, .end = lexer->pos};
}

/* A comment stands at pos: goes to its end. */
static void skip_comment(struct py_lexer *lexer, bool is_alone) {
    uint32_t start = lexer->pos;
    lexer->pos = line_end(lexer);
    VEC_PUSH(lexer->arena, &lexer->comments,
             (struct py_comment){start, lexer->pos, lexer->line, is_alone});
}

/* A backslash stands at pos: goes behind the line end after it. */
static bool skip_continuation(struct py_lexer *lexer) {
    lexer->tok.start = lexer->pos;
    lexer->tok.line = lexer->line;
    uint8_t class = CLASS(lexer->text[lexer->pos + 1]);
    if (class == N)
        next_line(lexer);
    else if (class != E)
        return py_fail(lexer, lexer->pos, "unexpected character after line continuation character");
    return (class == N && lexer->pos < lexer->len) ||
           py_fail(lexer, lexer->pos, "unexpected end of file after line continuation character");
}

/* Goes to the first line with code and measures its indentation; pos is then behind it. */
static bool measure_indent(struct py_lexer *lexer, struct py_indent *indent) {
    uint32_t continued_column = 0;
    *indent = (struct py_indent){0};
    for (;;) {
        uint32_t pos = lexer->pos;
        while (lexer->text[pos] == ' ')
            pos++;
        indent->column += pos - lexer->pos;
        indent->alt_column += pos - lexer->pos;
        lexer->pos = pos;
        char c = lexer->text[pos];
        if (c == '\t') {
            indent->column = (indent->column / 8 + 1) * 8;
            indent->alt_column++;
        } else if (c == '\f') {
            *indent = (struct py_indent){0};
        } else if (c == '\\') {
            /* The first backslash says how deep the lines it joins are. */
            if (continued_column == 0)
                continued_column = indent->column;
            if (!skip_continuation(lexer))
                return false;
            continue;
        } else if (c == '#' || CLASS(c) == N) {
            if (c == '#')
                skip_comment(lexer, true);
            lexer->pos = line_end(lexer);
            if (lexer->pos < lexer->len)
                next_line(lexer);
            *indent = (struct py_indent){0};
            continued_column = 0;
            continue;
        } else {
            break;
        }
        lexer->pos++;
    }
    if (lexer->pos >= lexer->len)
        *indent = (struct py_indent){0};
    else if (continued_column > 0)
        indent->column = indent->alt_column = continued_column;
    return true;
}

/* At the start of a line: true if an INDENT or DEDENT (or an error) is the next token. */
static bool lex_indentation(struct py_lexer *lexer) {
    struct py_indent indent;
    if (lexer->dedent_count == 0) {
        if (!measure_indent(lexer, &indent))
            return true;
        lexer->first_line = lexer->line;
        layout_token(lexer, TOK_DEDENT);
        struct py_indent *top = &lexer->indents[lexer->indent_count - 1];
        if (indent.column > top->column) {
            if (indent.alt_column <= top->alt_column)
                return !py_fail(lexer, lexer->pos,
                                "inconsistent use of tabs and spaces in indentation");
            if (lexer->indent_count == PY_INDENTS_MAX)
                return !py_fail(lexer, lexer->pos, "too many levels of indentation");
            lexer->indents[lexer->indent_count++] = indent;
            lexer->is_line_start = false;
            lexer->tok.type = TOK_INDENT;
            return true;
        }
        while (indent.column < top->column)
            top--;
        if (indent.column != top->column)
            return !py_fail(lexer, lexer->pos,
                            "unindent does not match any outer indentation level");
        if (indent.alt_column != top->alt_column)
            return !py_fail(lexer, lexer->pos,
                            "inconsistent use of tabs and spaces in indentation");
        lexer->dedent_count = lexer->indent_count - 1 - (uint32_t)(top - lexer->indents);
        lexer->indent_count -= lexer->dedent_count;
    }
    if (lexer->dedent_count == 0) {
        lexer->is_line_start = false;
        return false;
    }
    layout_token(lexer, TOK_DEDENT);
    lexer->dedent_count--;
    lexer->is_line_start = lexer->dedent_count > 0;
    return true;
}

static void lex_open(struct py_lexer *lexer, uint32_t offset, char bracket) {
    if (lexer->depth == PY_PARENS_MAX) {
        py_fail(lexer, offset, "too many nested parentheses");
        return;
    }
    lexer->parens[lexer->depth] = bracket;
    lexer->paren_starts[lexer->depth++] = offset;
}

static void lex_close(struct py_lexer *lexer, uint32_t offset, char bracket) {
    if (lexer->depth == 0) {
        py_fail(lexer, offset, "unmatched '%c'", bracket);
        return;
    }
    char open = lexer->parens[lexer->depth - 1];
    if (bracket != (open == '(' ? ')' : open == '[' ? ']' : '}'))
        py_fail(lexer, offset, "closing parenthesis '%c' does not match opening parenthesis '%c'",
                bracket, open);
    else
        lexer->depth--;
}

bool py_open_field(struct py_lexer *lexer, uint32_t offset) {
    lex_open(lexer, offset, '{');
    lexer->field_depth = lexer->depth;
    return !lexer->has_failed;
}

/* The prefix of a string by its letters; 0xff if it is none. */
static uint8_t prefix_flags(const char *prefix, uint32_t len, bool *is_format) {
    uint8_t flags = 0;
    for (uint32_t i = 0; i < len; i++) {
        char letter = (char)(prefix[i] | 0x20);
        uint8_t flag = letter == 'r'   ? PY_TOK_RAW
                       : letter == 'b' ? PY_TOK_BYTES
                       : letter == 't' ? PY_TOK_TEMPLATE
                       : letter == 'u' ? PY_TOK_UNICODE
                                       : 0;
        bool is_f = letter == 'f';
        if ((flag == 0 && !is_f) || (i == 1 && ((flags == PY_TOK_RAW) == (flag == PY_TOK_RAW))))
            return 0xff;
        if (i == 1 && ((flags | flag) & PY_TOK_UNICODE) != 0)
            return 0xff;
        flags |= flag;
        *is_format |= is_f || flag == PY_TOK_TEMPLATE;
    }
    return flags;
}

static bool skip_single_quoted(struct py_lexer *lexer, uint32_t *at, char quote) {
    const char *text = lexer->text;
    uint32_t pos = *at;
    bool has_newline = false;
    for (;;) {
        char c = text[pos];
        if (c == quote)
            break;
        if (c == '\\') {
            lexer->tok.flags |= PY_TOK_BACKSLASH;
            if (CLASS(text[pos + 1]) == N) {
                has_newline = true;
                pos += text[pos + 1] == '\r' && text[pos + 2] == '\n';
            }
            pos++;
            c = text[pos] == '\n' || text[pos] == '\r' ? ' ' : text[pos];
        }
        if (CLASS(c) == N || (c == '\0' && pos >= lexer->len))
            return py_fail(lexer, lexer->tok.start, "unterminated string literal");
        pos++;
    }
    *at = pos + 1;
    if (has_newline)
        py_lexer_seek(lexer, *at);
    return true;
}

static bool skip_triple_quoted(struct py_lexer *lexer, uint32_t *at, char quote) {
    const char *text = lexer->text;
    uint32_t pos = *at;
    for (;; pos++) {
        while (text[pos] != quote && text[pos] != '\\' && text[pos] != '\0')
            pos++;
        if (text[pos] == quote && text[pos + 1] == quote && text[pos + 2] == quote)
            break;
        if (text[pos] == '\\') {
            lexer->tok.flags |= PY_TOK_BACKSLASH;
            pos++;
        }
        if (pos >= lexer->len)
            return py_fail(lexer, lexer->tok.start, "unterminated triple-quoted string literal");
    }
    *at = pos + 3;
    py_lexer_seek(lexer, *at);
    return true;
}

/* A string whose quote stands at `quote_pos`. */
static void lex_string(struct py_lexer *lexer, uint32_t start, uint32_t quote_pos, uint8_t flags,
                       bool is_format) {
    const char *text = lexer->text;
    char quote = text[quote_pos];
    bool is_triple = text[quote_pos + 1] == quote && text[quote_pos + 2] == quote;
    lexer->tok.type = is_format ? TOK_FSTRING : TOK_STRING;
    lexer->tok.flags = (uint8_t)(flags | (is_triple ? PY_TOK_TRIPLE : 0));
    lexer->tok.prefix_len = (uint16_t)(quote_pos - start);
    uint32_t at = quote_pos + (is_triple ? 3 : 1);
    if (!is_format) {
        if (!(is_triple ? skip_triple_quoted : skip_single_quoted)(lexer, &at, quote))
            return;
    }
    lexer->pos = lexer->tok.end = at;
}

/* A character beyond ASCII at pos: the length of an identifier character, or 0. */
static uint32_t unicode_id_len(const struct py_lexer *lexer, uint32_t pos, bool is_first) {
    size_t len;
    int32_t point = utf8_decode((struct str){lexer->text + pos, lexer->len - pos}, &len);
    LW_ASSERT(point >= 0x80);
    bool is_id = is_first ? py_is_id_start((uint32_t)point) : py_is_id_continue((uint32_t)point);
    return is_id ? (uint32_t)len : 0;
}

static void lex_unicode_name(struct py_lexer *lexer, uint32_t start, uint32_t at) {
    for (;;) {
        uint8_t class = CLASS(lexer->text[at]);
        if (class == U) {
            uint32_t len = unicode_id_len(lexer, at, at == start);
            if (len == 0) {
                size_t sequence_len;
                int32_t point =
                    utf8_decode((struct str){lexer->text + at, lexer->len - at}, &sequence_len);
                py_fail(lexer, at, "invalid character '%.*s' (U+%04X)", (int)sequence_len,
                        lexer->text + at, (unsigned)point);
                return;
            }
            at += len;
        } else if (class <= D) {
            at++;
        } else {
            break;
        }
    }
    lexer->tok.type = TOK_NAME;
    lexer->tok.flags = PY_TOK_UNICODE;
    lexer->pos = lexer->tok.end = at;
}

static void lex_name(struct py_lexer *lexer, uint32_t start) {
    const char *text = lexer->text;
    uint32_t at = start + 1;
    while (CLASS(text[at]) <= D)
        at++;
    uint32_t len = at - start;
    uint8_t class = CLASS(text[at]);
    if (class == U) {
        lex_unicode_name(lexer, start, at);
        return;
    }
    if (class == Q && len <= 2) {
        bool is_format = false;
        uint8_t flags = prefix_flags(text + start, len, &is_format);
        if (flags != 0xff) {
            lex_string(lexer, start, at, flags, is_format);
            return;
        }
    }
    lexer->pos = lexer->tok.end = at;
    lexer->tok.type = TOK_NAME;
    lexer->tok.flags = 0;
    if (len >= 2 && len <= 8) {
        unsigned slot = KEYWORD_HASH((unsigned char)text[start], (unsigned char)text[start + 1],
                                     (unsigned char)text[at - 1], len);
        if (keywords[slot].length == len && memcmp(keywords[slot].text, text + start, len) == 0)
            lexer->tok.type = keywords[slot].type;
    }
}

static void set_token(struct py_lexer *lexer, enum py_token_type type, uint32_t len) {
    lexer->tok.type = (uint8_t)type;
    lexer->pos = lexer->tok.end = lexer->tok.start + len;
}

/* An operator of one character, or with '=' behind it. */
static void lex_op(struct py_lexer *lexer, enum py_token_type type, enum py_token_type with_equal,
                   uint32_t len) {
    bool has_equal = lexer->text[lexer->tok.start + len] == '=';
    set_token(lexer, has_equal ? with_equal : type, has_equal ? len + 1 : len);
}

static void lex_colon(struct py_lexer *lexer) {
    /* At the top of a replacement field a colon begins the format, whatever follows it. */
    bool in_field = lexer->field_depth > 0 && lexer->depth == lexer->field_depth;
    if (in_field)
        set_token(lexer, TOK_COLON, 1);
    else
        lex_op(lexer, TOK_COLON, TOK_COLON_EQUAL, 1);
}

static void lex_dot(struct py_lexer *lexer, const char *at) {
    if (CLASS(at[1]) == D) {
        uint32_t end = lexer->tok.start;
        enum py_token_type type;
        if (py_lex_number(lexer, &end, &type))
            set_token(lexer, type, end - lexer->tok.start);
    } else if (at[1] == '.' && at[2] == '.') {
        set_token(lexer, TOK_ELLIPSIS, 3);
    } else {
        set_token(lexer, TOK_DOT, 1);
    }
}

/* Operators by their character: alone, and with '=' behind it. */
struct operator{
    uint8_t type, with_equal;
};

static const struct operator single[128] = {
    ['('] = {TOK_LPAREN, 0},
    [')'] = {TOK_RPAREN, 0},
    ['['] = {TOK_LBRACKET, 0},
    [']'] = {TOK_RBRACKET, 0},
    ['{'] = {TOK_LBRACE, 0},
    ['}'] = {TOK_RBRACE, 0},
    [','] = {TOK_COMMA, 0},
    [';'] = {TOK_SEMICOLON, 0},
    ['~'] = {TOK_TILDE, 0},
    ['='] = {TOK_EQUAL, TOK_EQ},
    ['!'] = {TOK_EXCLAIM, TOK_NOT_EQ},
    ['+'] = {TOK_PLUS, TOK_PLUS_EQUAL},
    ['-'] = {TOK_MINUS, TOK_MINUS_EQUAL},
    ['*'] = {TOK_STAR, TOK_STAR_EQUAL},
    ['/'] = {TOK_SLASH, TOK_SLASH_EQUAL},
    ['@'] = {TOK_AT, TOK_AT_EQUAL},
    ['%'] = {TOK_PERCENT, TOK_PERCENT_EQUAL},
    ['|'] = {TOK_BAR, TOK_BAR_EQUAL},
    ['^'] = {TOK_CARET, TOK_CARET_EQUAL},
    ['&'] = {TOK_AMPERSAND, TOK_AMPERSAND_EQUAL},
    ['<'] = {TOK_LESS, TOK_LESS_EQ},
    ['>'] = {TOK_GREATER, TOK_GREATER_EQ},
};

static const struct operator doubled[128] = {
    ['*'] = {TOK_DOUBLE_STAR, TOK_DOUBLE_STAR_EQUAL},
    ['/'] = {TOK_DOUBLE_SLASH, TOK_DOUBLE_SLASH_EQUAL},
    ['<'] = {TOK_LEFT_SHIFT, TOK_LEFT_SHIFT_EQUAL},
    ['>'] = {TOK_RIGHT_SHIFT, TOK_RIGHT_SHIFT_EQUAL},
};

static void lex_operator(struct py_lexer *lexer, uint32_t start) {
    const char *at = lexer->text + start;
    unsigned char c = (unsigned char)at[0];
    LW_ASSERT(c < 128);
    switch (c) {
    case '(':
    case '[':
    case '{':
        set_token(lexer, single[c].type, 1);
        lex_open(lexer, start, at[0]);
        return;
    case ')':
    case ']':
    case '}':
        set_token(lexer, single[c].type, 1);
        lex_close(lexer, start, at[0]);
        return;
    case ':':
        lex_colon(lexer);
        return;
    case '.':
        lex_dot(lexer, at);
        return;
    case ',':
    case ';':
    case '~':
        set_token(lexer, single[c].type, 1);
        return;
    default:
        break;
    }
    if (at[0] == '-' && at[1] == '>')
        set_token(lexer, TOK_ARROW, 2);
    else if (at[1] == at[0] && doubled[c].type != 0)
        lex_op(lexer, doubled[c].type, doubled[c].with_equal, 2);
    else
        lex_op(lexer, single[c].type, single[c].with_equal, 1);
}

/* The statement at hand ends on `line`. */
static void end_statement(struct py_lexer *lexer, uint32_t line) {
    if (line > lexer->first_line)
        VEC_PUSH(lexer->arena, &lexer->joined, (struct py_joined){lexer->first_line, line});
}

/* The end of the text: first the line that has no line end gets one. True: a token was made. */
static bool lex_end(struct py_lexer *lexer) {
    if (lexer->depth > 0) {
        uint32_t start = lexer->paren_starts[lexer->depth - 1];
        lexer->tok.start = start;
        py_fail(lexer, start, "'%c' was never closed", lexer->parens[lexer->depth - 1]);
        return true;
    }
    bool was_line = lexer->tok.type > TOK_DEDENT;
    if (was_line)
        end_statement(lexer, lexer->line);
    layout_token(lexer, was_line ? TOK_NEWLINE : TOK_END);
    lexer->is_line_start = was_line;
    return true;
}

/* A line end: false if it does not count, being in brackets. */
static bool lex_newline(struct py_lexer *lexer, uint32_t start) {
    uint32_t line = lexer->line;
    next_line(lexer);
    if (lexer->depth > 0)
        return false;
    end_statement(lexer, line);
    lexer->tok =
        (struct py_token){.type = TOK_NEWLINE, .line = line, .start = start, .end = lexer->pos};
    lexer->is_line_start = true;
    return true;
}

static void lex_number(struct py_lexer *lexer) {
    uint32_t end = lexer->tok.start;
    enum py_token_type type = TOK_INT;
    if (py_lex_number(lexer, &end, &type))
        set_token(lexer, type, end - lexer->tok.start);
}

/* Spaces, comments, joined lines and line ends that don't count; pos is then at a token. False: a
 * layout token was made, or it failed. */
static bool skip_to_token(struct py_lexer *lexer) {
    for (;;) {
        uint32_t pos = lexer->pos;
        while (CLASS(lexer->text[pos]) == S)
            pos++;
        lexer->pos = pos;
        switch (CLASS(lexer->text[pos])) {
        case C:
            skip_comment(lexer, false);
            break;
        case B:
            if (!skip_continuation(lexer))
                return false;
            break;
        case N:
            if (lex_newline(lexer, pos))
                return false;
            break;
        case E:
            return !lex_end(lexer);
        default:
            return true;
        }
    }
}

void py_next(struct py_lexer *lexer) {
    if (lexer->has_failed)
        return;
    if (lexer->tok.type > TOK_DEDENT)
        lexer->prev_end = lexer->tok.end;
    if (lexer->is_line_start && lex_indentation(lexer))
        return;
    /* Before most tokens there is a space or nothing. */
    uint32_t pos = lexer->pos;
    pos += lexer->text[pos] == ' ';
    for (;;) {
        lexer->tok.line = lexer->line;
        lexer->tok.start = pos;
        switch (CLASS(lexer->text[pos])) {
        case I:
            lex_name(lexer, pos);
            return;
        case D:
            lex_number(lexer);
            return;
        case U:
            lex_unicode_name(lexer, pos, pos);
            return;
        case Q:
            lex_string(lexer, pos, pos, 0, false);
            return;
        case O:
            lex_operator(lexer, pos);
            return;
        case X:
            py_fail(lexer, pos,
                    lexer->text[pos] > ' ' ? "invalid character '%c'"
                                           : "invalid control character 0x%02x",
                    lexer->text[pos]);
            return;
        default:
            break;
        }
        lexer->pos = pos;
        if (!skip_to_token(lexer))
            return;
        pos = lexer->pos;
    }
}
