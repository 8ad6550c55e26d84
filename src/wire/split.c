/* Semicolons in quotes, comments, dollar quotes, parentheses and bodies do not end a statement. What is cut wrongly is found
 * out, as the server then answers another number of statements. */
#include "wire/split.h"

struct scanner {
    struct str text;
    size_t at;
    bool is_mysql;
    size_t depth;    /* of parentheses */
    size_t blocks;   /* PostgreSQL: BEGIN ATOMIC and CASE within it */
    bool is_rest;    /* MySQL: the body of a procedure, up to the end */
    bool is_create, is_begin;
    size_t word_count;
};

static char peek(const struct scanner *s, size_t more) {
    return s->at + more < s->text.len ? s->text.ptr[s->at + more] : '\0';
}

static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static void pass_line(struct scanner *s) {
    while (s->at < s->text.len && s->text.ptr[s->at] != '\n')
        s->at++;
}

static void pass_comment(struct scanner *s) {
    size_t depth = 1;
    for (s->at += 2; s->at < s->text.len && depth > 0; s->at++) {
        if (peek(s, 0) == '*' && peek(s, 1) == '/') {
            depth--;
            s->at++;
        } else if (!s->is_mysql && peek(s, 0) == '/' && peek(s, 1) == '*') {
            depth++;
            s->at++;
        }
    }
}

/* Spaces and comments. A comment of MySQL that is executed (with ! or M!) is none. */
static bool pass_space(struct scanner *s) {
    char c = peek(s, 0), next = peek(s, 1);
    bool is_executed = s->is_mysql && (peek(s, 2) == '!' || (peek(s, 2) == 'M' && peek(s, 3) == '!'));
    if (s->at >= s->text.len)
        return false;
    if (c == ' ' || (c >= '\t' && c <= '\r'))
        s->at++;
    else if (c == '-' && next == '-' &&
             (!s->is_mysql || s->at + 2 >= s->text.len || (unsigned char)peek(s, 2) <= ' '))
        pass_line(s);
    else if (c == '#' && s->is_mysql)
        pass_line(s);
    else if (c == '/' && next == '*' && !is_executed)
        pass_comment(s);
    else
        return false;
    return true;
}

static void pass_quoted(struct scanner *s, char quote, bool is_escaped) {
    for (s->at++; s->at < s->text.len; s->at++) {
        char c = s->text.ptr[s->at];
        if (c == '\\' && is_escaped)
            s->at++;
        else if (c == quote && peek(s, 1) == quote)
            s->at++;
        else if (c == quote)
            break;
    }
    s->at = s->at < s->text.len ? s->at + 1 : s->text.len;
}

/* $tag$ ... $tag$; a lone `$` or `$1` is passed over. */
static void pass_dollar(struct scanner *s) {
    size_t start = s->at++;
    while (is_word(peek(s, 0)) && peek(s, 0) != '$')
        s->at++;
    char first = s->text.ptr[start + 1 < s->text.len ? start + 1 : start];
    if (peek(s, 0) != '$' || (first >= '0' && first <= '9'))
        return;
    struct str tag = str_sub(s->text, start, s->at + 1);
    for (s->at++; s->at < s->text.len; s->at++) {
        const char *found = memchr(s->text.ptr + s->at, '$', s->text.len - s->at);
        if (found == NULL)
            break;
        s->at = (size_t)(found - s->text.ptr);
        if (s->text.len - s->at >= tag.len && memcmp(found, tag.ptr, tag.len) == 0) {
            s->at += tag.len;
            return;
        }
    }
    s->at = s->text.len;
}

static struct str read_word(struct scanner *s) {
    size_t start = s->at;
    while (s->at < s->text.len && is_word(s->text.ptr[s->at]))
        s->at++;
    return str_sub(s->text, start, s->at);
}

static void note_word(struct scanner *s, struct str word) {
    bool is_first = s->word_count++ == 0;
    bool was_begin = s->is_begin;
    s->is_begin = str_equal_nocase(word, STR("begin"));
    if (is_first)
        s->is_create = str_equal_nocase(word, STR("create"));
    if (s->is_mysql) {
        bool is_body = str_equal_nocase(word, STR("procedure")) ||
                       str_equal_nocase(word, STR("function")) ||
                       str_equal_nocase(word, STR("trigger")) ||
                       str_equal_nocase(word, STR("event")) ||
                       str_equal_nocase(word, STR("package"));
        s->is_rest |= s->is_create && is_body && s->word_count <= 12;
        s->is_rest |= was_begin && s->word_count == 2 && str_equal_nocase(word, STR("not"));
    } else if (s->is_create) {
        if (s->blocks == 0 ? was_begin && str_equal_nocase(word, STR("atomic"))
                           : str_equal_nocase(word, STR("case")))
            s->blocks++;
        else if (s->blocks > 0 && str_equal_nocase(word, STR("end")))
            s->blocks--;
    }
}

static void pass_token(struct scanner *s) {
    char c = peek(s, 0), next = peek(s, 1);
    if (c == '\'')
        pass_quoted(s, c, s->is_mysql);
    else if (c == '"' || (c == '`' && s->is_mysql))
        pass_quoted(s, c, s->is_mysql && c == '"');
    else if (!s->is_mysql && (c == 'E' || c == 'e') && next == '\'') {
        s->at++;
        pass_quoted(s, '\'', true);
    } else if (c == '$' && !s->is_mysql)
        pass_dollar(s);
    else if (is_word(c))
        note_word(s, read_word(s));
    else {
        s->depth += c == '(';
        s->depth -= c == ')' && s->depth > 0;
        s->at++;
    }
}

bool split_next(struct str text, enum trace_server server, size_t *at, struct str *statement) {
    struct scanner s = {.text = text, .at = *at, .is_mysql = server == TRACE_MYSQL};
    size_t start = s.at;
    bool is_empty = true;
    while (s.at < text.len) {
        if (pass_space(&s))
            continue;
        bool is_end = text.ptr[s.at] == ';' && s.depth == 0 && s.blocks == 0 && !s.is_rest;
        if (!is_end) {
            pass_token(&s);
            is_empty = false;
            continue;
        }
        if (!is_empty)
            break;
        start = ++s.at;
    }
    if (s.at > text.len)
        s.at = text.len;
    *at = s.at < text.len ? s.at + 1 : text.len;
    while (start < s.at && (unsigned char)text.ptr[start] <= ' ')
        start++;
    *statement = str_sub(text, start, s.at);
    return !is_empty;
}

struct str split_first_word(struct str statement, enum trace_server server) {
    struct scanner s = {.text = statement, .is_mysql = server == TRACE_MYSQL};
    while (pass_space(&s) || peek(&s, 0) == '(')
        s.at += peek(&s, 0) == '(';
    return s.at <= statement.len ? read_word(&s) : (struct str){0};
}
