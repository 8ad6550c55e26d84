#include "sql/shape.h"

#include "sql/lexer.h"

#include <stdlib.h>

enum byte_class { BYTE_OTHER, BYTE_SPACE, BYTE_WORD, BYTE_DIGIT, BYTE_QUOTE };

/* What came before, as far as it tells whether a value or an operator stands next. */
enum before { BEFORE_OPERATOR, BEFORE_OPERAND, BEFORE_IS, BEFORE_IN };

struct scan {
    struct sql_shape *shape;
    const char *text;
    size_t len;
    enum sql_dialect dialect;
    enum before before;
    bool in_list, has_member; /* within IN ( ... ), behind a literal of it */
    uint32_t parameter_count;
};

/* Of ASCII, sixteen a line, by the digits of enum byte_class. */
static const char ascii_classes[] = "0000000001111100"
                                    "0000000000000000"
                                    "1040000400000000" /*  !"#$%&'()*+,-./ */
                                    "3333333333000000" /* 0-9 :;<=>? */
                                    "0222222222222222" /* @ A-O */
                                    "2222222222200002" /* P-Z [\]^_ */
                                    "4222222222222222" /* ` a-o */
                                    "2222222222200000" /* p-z {|}~ */;

static enum byte_class class_of(unsigned char byte) {
    return byte < 0x80 ? (enum byte_class)(ascii_classes[byte] - '0') : BYTE_WORD;
}

static uint64_t rotate(uint64_t x, int bits) {
    return x << bits | x >> (64 - bits);
}

static void mix(struct sql_shape *shape, uint64_t word) {
    shape->hash[0] = rotate((shape->hash[0] ^ word) * 0x9E3779B97F4A7C15u, 29);
    shape->hash[1] = rotate(shape->hash[1] + word, 23) * 0xC2B2AE3D27D4EB4Fu;
}

static uint64_t load4(const char *bytes) {
    uint32_t word;
    memcpy(&word, bytes, sizeof(word));
    return word;
}

static uint64_t load8(const char *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    return word;
}

/* Up to 7 bytes as a number. */
static uint64_t load_short(const char *bytes, size_t len) {
    const unsigned char *at = (const unsigned char *)bytes;
    if (len >= 4)
        return load4(bytes) | load4(bytes + len - 4) << (8 * (len - 4));
    size_t middle = len / 2, last = len > 0 ? len - 1 : 0;
    return len > 0 ? at[0] | (uint64_t)at[middle] << (8 * middle) | (uint64_t)at[last] << (8 * last) : 0;
}

/* Texts that differ are mixed in as words that differ, and none is the beginning of another. */
static void mix_bytes(struct sql_shape *shape, const char *bytes, size_t len) {
    if (len < 8) {
        mix(shape, load_short(bytes, len) | (uint64_t)len << 56);
        return;
    }
    mix(shape, (uint64_t)len | (uint64_t)0x80 << 56);
    for (size_t at = 0; at + 8 < len; at += 8)
        mix(shape, load8(bytes + at));
    mix(shape, load8(bytes + len - 8));
}

static void add_literal(struct scan *scan, struct sql_literal literal, size_t start, size_t end) {
    literal.start = start;
    literal.end = end;
    literal.is_member = scan->in_list && scan->has_member;
    if (literal.kind == SQL_LITERAL_PARAMETER && literal.parameter == UINT32_MAX)
        literal.parameter = scan->parameter_count++;
    scan->shape->member_count += literal.is_member;
    if (!literal.is_member)
        mix(scan->shape, 0x11);
    scan->has_member = true;
    scan->before = BEFORE_OPERAND;
    MVEC_PUSH(&scan->shape->literals, literal);
}

static int byte_at(const struct scan *scan, size_t at) {
    return at < scan->len ? (unsigned char)scan->text[at] : -1;
}

/* The end of the quoted part that begins at `at`, behind its closing quote; 0: there is none. */
static size_t quoted_end(const struct scan *scan, size_t at, bool has_backslashes, bool *is_escaped) {
    char quote = scan->text[at];
    *is_escaped = false;
    for (size_t i = at + 1; i < scan->len; i++) {
        char byte = scan->text[i];
        if (byte == '\\' && has_backslashes) {
            *is_escaped = true;
            i++;
        } else if (byte == quote) {
            if (byte_at(scan, i + 1) != quote)
                return i + 1;
            *is_escaped = true;
            i++;
        }
    }
    return 0;
}

static size_t broken(struct scan *scan) {
    scan->shape->is_broken = true;
    return scan->len;
}

static size_t text_literal(struct scan *scan, size_t start, size_t quote, bool has_backslashes) {
    struct sql_literal literal = {.kind = SQL_LITERAL_TEXT, .has_backslashes = has_backslashes};
    size_t end = quoted_end(scan, quote, has_backslashes, &literal.is_escaped);
    if (end == 0)
        return broken(scan);
    literal.text = (struct str){scan->text + quote + 1, end - quote - 2};
    add_literal(scan, literal, start, end);
    return end;
}

static size_t quoted(struct scan *scan, size_t at) {
    bool is_mysql = scan->dialect == SQL_MYSQL;
    if (scan->text[at] == '\'' || (scan->text[at] == '"' && is_mysql))
        return text_literal(scan, at, at, is_mysql);
    bool is_escaped;
    size_t end = quoted_end(scan, at, false, &is_escaped);
    if (end == 0)
        return broken(scan);
    mix_bytes(scan->shape, scan->text + at + 1, end - at - 2);
    scan->before = BEFORE_OPERAND;
    return end;
}

static size_t word_end(const struct scan *scan, size_t at) {
    while (at < scan->len) {
        enum byte_class class = class_of((unsigned char)scan->text[at]);
        if (class != BYTE_WORD && class != BYTE_DIGIT && scan->text[at] != '$')
            break;
        at++;
    }
    return at;
}

static bool is_value_word(struct str word) {
    return (word.len == 4 && (str_equal_nocase(word, STR("NULL")) || str_equal_nocase(word, STR("TRUE")))) ||
           (word.len == 5 && str_equal_nocase(word, STR("FALSE")));
}

/* Words behind which a value may stand with a sign, of each length. */
static bool is_operator_word(struct str word) {
    static const char *const words[][6] = {
        [2] = {"or", "on", "by"},
        [3] = {"and", "set"},
        [4] = {"then", "else", "when", "case"},
        [5] = {"where", "limit"},
        [6] = {"select", "values", "offset", "return", "having"},
        [7] = {"between", "default"},
    };
    if (word.len >= sizeof(words) / sizeof(words[0]))
        return false;
    for (const char *const *one = words[word.len]; *one != NULL; one++)
        if (**one == (word.ptr[0] | 0x20) && str_equal_nocase(word, (struct str){*one, word.len}))
            return true;
    return false;
}

/* `E'...'`, `X'...'`, `_utf8mb4'...'`: the word is part of the literal. */
static bool is_introducer(struct str word) {
    if (word.ptr[0] == '_')
        return true;
    return word.len == 1 && strchr("eEnNxXbB", word.ptr[0]) != NULL;
}

static size_t word(struct scan *scan, size_t at) {
    size_t end = word_end(scan, at);
    struct str text = {scan->text + at, end - at};
    if (byte_at(scan, end) == '\'' && is_introducer(text))
        return text_literal(scan, at, end,
                            scan->dialect == SQL_MYSQL || (text.ptr[0] | 0x20) == 'e');
    if (scan->before != BEFORE_IS && is_value_word(text)) {
        add_literal(scan, (struct sql_literal){.kind = SQL_LITERAL_WORD, .text = text}, at, end);
        return end;
    }
    mix_bytes(scan->shape, text.ptr, text.len);
    if (text.len == 2 && (text.ptr[0] | 0x20) == 'i')
        scan->before = (text.ptr[1] | 0x20) == 'n'   ? BEFORE_IN
                       : (text.ptr[1] | 0x20) == 's' ? BEFORE_IS
                                                     : BEFORE_OPERAND;
    else if (str_equal_nocase(text, STR("NOT")))
        scan->before = scan->before == BEFORE_IS ? BEFORE_IS : BEFORE_OPERATOR;
    else
        scan->before = is_operator_word(text) ? BEFORE_OPERATOR : BEFORE_OPERAND;
    return end;
}

/* A number, without its sign, to its end. */
static size_t number_end(const struct scan *scan, size_t at) {
    size_t end = at;
    while (end < scan->len) {
        char byte = scan->text[end];
        bool is_sign = (byte == '+' || byte == '-') && end > at && (scan->text[end - 1] | 0x20) == 'e' &&
                       (scan->text[at] != '0' || byte_at(scan, at + 1) != 'x');
        if (!is_sign && byte != '.' && class_of((unsigned char)byte) != BYTE_DIGIT &&
            class_of((unsigned char)byte) != BYTE_WORD)
            break;
        end++;
    }
    return end;
}

static size_t number(struct scan *scan, size_t start, size_t at) {
    size_t end = number_end(scan, at);
    add_literal(scan, (struct sql_literal){.kind = SQL_LITERAL_NUMBER, .text = {scan->text + start, end - start}},
                start, end);
    return end;
}

/* `$1`, `$tag$...$tag$`, or a `$` alone. */
static size_t dollar(struct scan *scan, size_t at) {
    size_t end = at + 1;
    if (class_of((unsigned char)(byte_at(scan, end) & 0xff)) == BYTE_DIGIT && end < scan->len) {
        uint32_t number = 0;
        for (; end < scan->len && class_of((unsigned char)scan->text[end]) == BYTE_DIGIT; end++)
            number = number < 100000 ? number * 10 + (uint32_t)(scan->text[end] - '0') : number;
        add_literal(scan,
                    (struct sql_literal){.kind = SQL_LITERAL_PARAMETER,
                                         .parameter = number > 0 ? number - 1 : 0},
                    at, end);
        return end;
    }
    while (end < scan->len && scan->text[end] != '$' &&
           class_of((unsigned char)scan->text[end]) >= BYTE_WORD &&
           class_of((unsigned char)scan->text[end]) <= BYTE_DIGIT)
        end++;
    if (byte_at(scan, end) != '$')
        return at + 1;
    struct str tag = {scan->text + at, ++end - at};
    for (size_t i = end; i + tag.len <= scan->len; i++) {
        i = str_find((struct str){scan->text, scan->len}, '$', i);
        if (i + tag.len > scan->len)
            break;
        if (memcmp(scan->text + i, tag.ptr, tag.len) == 0) {
            add_literal(scan, (struct sql_literal){.kind = SQL_LITERAL_TEXT, .text = {scan->text + end, i - end}},
                        at, i + tag.len);
            return i + tag.len;
        }
    }
    return broken(scan);
}

static void keep_comment(struct scan *scan, size_t from, size_t to) {
    struct str comment = {scan->text + from, to - from};
    if (str_find(comment, '=', 0) < comment.len)
        scan->shape->comment = comment;
}

static size_t line_comment(struct scan *scan, size_t at, size_t marks) {
    size_t end = str_find((struct str){scan->text, scan->len}, '\n', at);
    keep_comment(scan, at + marks, end);
    return end;
}

static size_t comment(struct scan *scan, size_t at) {
    size_t depth = 1, i = at + 2;
    bool nests = scan->dialect == SQL_POSTGRESQL;
    while (depth > 0) {
        if (i + 1 >= scan->len)
            return broken(scan);
        bool closes = scan->text[i] == '*' && scan->text[i + 1] == '/';
        bool opens = nests && scan->text[i] == '/' && scan->text[i + 1] == '*';
        depth = depth + opens - closes;
        i += closes || opens ? 2 : 1;
    }
    keep_comment(scan, at + 2, i - 2);
    return i;
}

static size_t symbol(struct scan *scan, size_t at) {
    char byte = scan->text[at];
    int next = byte_at(scan, at + 1), third = byte_at(scan, at + 2);
    bool is_mysql = scan->dialect == SQL_MYSQL;
    if (byte == '$')
        return dollar(scan, at);
    if (byte == '/' && next == '*')
        return comment(scan, at);
    if ((byte == '-' && next == '-' && (!is_mysql || third <= ' ')) || (byte == '#' && is_mysql))
        return line_comment(scan, at, byte == '#' ? 1 : 2);
    if (byte == '?' && scan->dialect != SQL_POSTGRESQL) {
        add_literal(scan, (struct sql_literal){.kind = SQL_LITERAL_PARAMETER, .parameter = UINT32_MAX}, at, at + 1);
        return at + 1;
    }
    bool is_value = scan->before != BEFORE_OPERAND;
    bool begins_digit = next >= '0' && next <= '9';
    if (is_value && byte == '.' && begins_digit)
        return number(scan, at, at);
    if (is_value && (byte == '-' || byte == '+') && (begins_digit || (next == '.' && third >= '0' && third <= '9')))
        return number(scan, at, at + 1);
    if (byte == ',' && scan->in_list && scan->has_member) {
        scan->before = BEFORE_OPERATOR;
        return at + 1;
    }
    if (byte == '(' && scan->before == BEFORE_IN) {
        scan->in_list = true;
        scan->has_member = false;
    } else if (byte == '(' || byte == ')') {
        scan->in_list = false;
    }
    if (byte != ';' || at + 1 < scan->len)
        mix(scan->shape, (unsigned char)byte);
    scan->before = byte == ')' || byte == ']' ? BEFORE_OPERAND : BEFORE_OPERATOR;
    return at + 1;
}

void sql_shape_read(struct sql_shape *shape, struct str text, enum sql_dialect dialect) {
    shape->hash[0] = shape->hash[1] = (uint64_t)dialect;
    shape->literals.count = shape->member_count = 0;
    shape->comment = (struct str){0};
    shape->is_broken = false;
    struct scan scan = {.shape = shape, .text = text.ptr, .len = text.len, .dialect = dialect};
    for (size_t at = 0; at < text.len;) {
        switch (class_of((unsigned char)text.ptr[at])) {
        case BYTE_SPACE:
            at++;
            break;
        case BYTE_WORD:
            at = word(&scan, at);
            break;
        case BYTE_DIGIT:
            at = number(&scan, at, at);
            break;
        case BYTE_QUOTE:
            at = quoted(&scan, at);
            break;
        case BYTE_OTHER:
            at = symbol(&scan, at);
            break;
        }
    }
}

void sql_shape_release(struct sql_shape *shape) {
    free(shape->literals.items);
    *shape = (struct sql_shape){0};
}

size_t sql_shape_literal(const struct sql_shape *shape, size_t number) {
    if (shape->member_count == 0)
        return number < shape->literals.count ? number : shape->literals.count;
    size_t at = 0;
    for (; at < shape->literals.count; at++)
        if (!shape->literals.items[at].is_member && number-- == 0)
            break;
    return at;
}

void sql_shape_template(const struct sql_shape *shape, struct str text, struct buf *out) {
    size_t at = 0, number = 0;
    for (size_t i = 0; i < shape->literals.count; i++) {
        const struct sql_literal *literal = &shape->literals.items[i];
        if (!literal->is_member) {
            buf_add(out, str_sub(text, at, literal->start));
            buf_printf(out, ":v%zu", number++);
        }
        at = literal->end;
    }
    buf_add(out, str_sub(text, at, text.len));
}

struct str sql_literal_text(struct arena *arena, const struct sql_literal *literal,
                            enum sql_dialect dialect) {
    if (!literal->is_escaped)
        return literal->text;
    return lexer_unquote(arena, dialect, literal->text, literal->text.ptr[-1],
                         literal->has_backslashes);
}
