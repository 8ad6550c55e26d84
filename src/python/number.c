/* Numeric literals: decimal, hexadecimal, octal and binary integers, floats and imaginary numbers, with
 * single underscores between digits. */
#include "python/lexer.h"

#include <ctype.h>

static bool is_digit(char c, int base) {
    if (base == 16)
        return isxdigit((unsigned char)c);
    return c >= '0' && c < '0' + base;
}

/* Digits with single underscores between them; a leading one is allowed if `after_prefix`. */
static bool skip_digits(struct py_lexer *lexer, uint32_t *pos, int base, bool after_prefix,
                        const char *kind) {
    const char *text = lexer->text;
    uint32_t at = *pos;
    if (after_prefix && text[at] == '_')
        at++;
    if (!is_digit(text[at], base)) {
        return isdigit((unsigned char)text[at])
                   ? py_fail(lexer, at, "invalid digit '%c' in %s literal", text[at], kind)
                   : py_fail(lexer, *pos, "invalid %s literal", kind);
    }
    for (;;) {
        while (is_digit(text[at], base))
            at++;
        if (text[at] != '_')
            break;
        if (!is_digit(text[at + 1], base))
            return py_fail(lexer, at, "invalid %s literal", kind);
        at++;
    }
    if (base < 10 && isdigit((unsigned char)text[at]))
        return py_fail(lexer, at, "invalid digit '%c' in %s literal", text[at], kind);
    *pos = at;
    return true;
}

/* No name may follow at once, save the keywords that CPython lets pass: 1if x else 2. */
static bool check_end(struct py_lexer *lexer, uint32_t at, const char *kind) {
    static const char *const keywords[] = {"and", "else", "for", "if", "in", "is", "not", "or"};
    const char *text = lexer->text + at;
    unsigned char c = (unsigned char)text[0];
    if (!isalnum(c) && c != '_' && c < 0x80)
        return true;
    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
        if (strncmp(text, keywords[i], strlen(keywords[i])) == 0)
            return true;
    return py_fail(lexer, at, "invalid %s literal", kind);
}

static bool lex_radix(struct py_lexer *lexer, uint32_t *pos, int base, const char *kind) {
    *pos += 2;
    return skip_digits(lexer, pos, base, true, kind) && check_end(lexer, *pos, kind);
}

static bool has_leading_zeros(const char *text, uint32_t len) {
    uint32_t at = 0;
    while (at < len && (text[at] == '0' || text[at] == '_'))
        at++;
    return text[0] == '0' && at < len;
}

bool py_lex_number(struct py_lexer *lexer, uint32_t *pos, enum py_token_type *type) {
    const char *text = lexer->text;
    uint32_t start = *pos, at = start;
    *type = TOK_INT;
    char letter = (char)(text[at] == '0' ? text[at + 1] | 0x20 : 0);
    if (letter == 'x')
        return lex_radix(lexer, pos, 16, "hexadecimal");
    if (letter == 'o')
        return lex_radix(lexer, pos, 8, "octal");
    if (letter == 'b')
        return lex_radix(lexer, pos, 2, "binary");
    if (text[at] != '.' && !skip_digits(lexer, &at, 10, false, "decimal"))
        return false;
    bool has_zeros = has_leading_zeros(text + start, at - start);
    if (text[at] == '.') {
        *type = TOK_FLOAT;
        at++;
        if (isdigit((unsigned char)text[at]) && !skip_digits(lexer, &at, 10, false, "decimal"))
            return false;
    }
    if ((text[at] | 0x20) == 'e') {
        bool is_signed = text[at + 1] == '+' || text[at + 1] == '-';
        uint32_t digits = at + (is_signed ? 2 : 1);
        if (isdigit((unsigned char)text[digits])) {
            *type = TOK_FLOAT;
            at = digits;
            if (!skip_digits(lexer, &at, 10, false, "decimal"))
                return false;
        } else if (is_signed) {
            return py_fail(lexer, start, "invalid decimal literal");
        }
    }
    const char *kind = "decimal";
    if ((text[at] | 0x20) == 'j') {
        *type = TOK_COMPLEX;
        kind = "imaginary";
        at++;
    }
    if (*type == TOK_INT && has_zeros)
        return py_fail(
            lexer, start,
            "leading zeros in decimal integer literals are not permitted; use an 0o prefix "
            "for octal integers");
    *pos = at;
    return check_end(lexer, at, kind);
}
