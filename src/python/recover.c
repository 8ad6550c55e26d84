/* Where to go on after an error. Brackets can't be trusted then, so this works by lines and indentation: a
 * statement begins on a line that is indented like the block, and doesn't look like the rest of one. */
#include "python/lexer.h"

#include "base/assert.h"

#include <ctype.h>

static bool starts_with_word(const char *text, const char *word) {
    size_t len = strlen(word);
    return strncmp(text, word, len) == 0 && !isalnum((unsigned char)text[len]) && text[len] != '_';
}

/* True for the rest of a statement: a closing bracket, an operator, `else:` of what was dropped. */
static bool is_continuation(const char *text) {
    static const char *const words[] = {"else", "elif", "except", "finally", "and",
                                        "or",   "in",   "is",     "as"};
    if (strchr(")]},:=|&^%<>/", text[0]) != NULL || (text[0] == '.' && text[1] != '.'))
        return true;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (starts_with_word(text, words[i]))
            return true;
    return false;
}

/* Behind the line end after `at`, which is not counted in strings; may be the end of the text. */
static uint32_t skip_line(const struct py_lexer *lexer, uint32_t at) {
    const char *text = lexer->text;
    while (at < lexer->len) {
        char c = text[at];
        if (c == '#') {
            while (at < lexer->len && text[at] != '\n' && text[at] != '\r')
                at++;
        } else if (c == '\n' || c == '\r') {
            return at + (c == '\r' && text[at + 1] == '\n' ? 2 : 1);
        } else if (c == '\\') {
            at += text[at + 1] == '\r' && text[at + 2] == '\n' ? 3 : 2;
        } else if (c == '"' || c == '\'') {
            bool is_triple = text[at + 1] == c && text[at + 2] == c;
            at += is_triple ? 3 : 1;
            while (at < lexer->len) {
                if (text[at] == '\\')
                    at++;
                else if (!is_triple && (text[at] == c || text[at] == '\n' || text[at] == '\r'))
                    break;
                else if (is_triple && text[at] == c && text[at + 1] == c && text[at + 2] == c)
                    break;
                at++;
            }
            if (at < lexer->len && text[at] == c)
                at += is_triple ? 3 : 1;
        } else {
            at++;
        }
    }
    return lexer->len;
}

/* The indentation of the line at `*at`, which goes behind it. False: there is nothing on the line. */
static bool indentation(const struct py_lexer *lexer, uint32_t *at, uint32_t *column) {
    *column = 0;
    for (;; ++*at) {
        char c = lexer->text[*at];
        if (c == ' ')
            ++*column;
        else if (c == '\t')
            *column = (*column / 8 + 1) * 8;
        else if (c == '\f')
            *column = 0;
        else
            return c != '#' && c != '\n' && c != '\r' && *at < lexer->len;
    }
}

static bool is_outer_column(const struct py_lexer *lexer, uint32_t column) {
    for (uint32_t i = 0; i < lexer->indent_count; i++)
        if (lexer->indents[i].column == column)
            return true;
    return false;
}

void py_forget_comments(struct py_lexer *lexer, uint32_t pos) {
    while (lexer->comments.count > 0 &&
           lexer->comments.items[lexer->comments.count - 1].start >= pos)
        lexer->comments.count--;
}

void py_lexer_recover(struct py_lexer *lexer, uint32_t pos, uint32_t first_line,
                      uint32_t indent_count) {
    LW_ASSERT(indent_count >= 1 && pos <= lexer->len);
    lexer->has_failed = false;
    lexer->depth = lexer->field_depth = 0;
    lexer->dedent_count = 0;
    lexer->indent_count = indent_count;
    uint32_t line = py_source_line(lexer->source, pos);
    uint32_t start = lexer->source->line_starts[line - 1], column, at = start;
    uint32_t top = lexer->indents[indent_count - 1].column;
    /* The line of the error itself is tried if the error is its first token. */
    if (line <= first_line || !indentation(lexer, &at, &column) || at < pos)
        start = skip_line(lexer, pos);
    while (start < lexer->len) {
        at = start;
        if (!indentation(lexer, &at, &column))
            start = skip_line(lexer, at);
        else if (column > top || !is_outer_column(lexer, column) ||
                 (column == top && is_continuation(lexer->text + at)))
            start = skip_line(lexer, at);
        else
            break;
    }
    py_forget_comments(lexer, start);
    lexer->pos = start;
    lexer->line = py_source_line(lexer->source, start);
    while (lexer->joined.count > 0 &&
           lexer->joined.items[lexer->joined.count - 1].last >= lexer->line)
        lexer->joined.count--;
    lexer->is_line_start = true;
    lexer->tok =
        (struct py_token){.type = TOK_NEWLINE, .line = lexer->line, .start = start, .end = start};
}
