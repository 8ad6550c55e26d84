/* The notation's parser: host expressions, by precedence climbing. From loosest to closest: `a
 * if c else b`; or; and; not; comparisons and `is`, which do not chain; + -; * / %; - in front. */
#include "base/assert.h"
#include "program/parse.h"

/* Nesting of parentheses and of `-` and `not` in front. Deep enough for the longest expression
 * that the checker takes with all parentheses that the printer may put. */
enum { PARSE_DEPTH_MAX = 400 };
enum { PRECEDENCE_NOT = 3, PRECEDENCE_COMPARE = 4, PRECEDENCE_NEG = 8 };

static struct txn_span here(const struct parser *p) {
    return txn_parse_span(p, p->lexer.token.pos, p->lexer.token.end);
}

static bool parse_binary(struct parser *p, int precedence_min, struct txn_expr **expr);

/* The magnitude of a number and its digits after the point. A point without digits after it
 * makes a decimal of scale 0. */
static bool number_value(struct parser *p, bool is_negative, struct value *value) {
    struct str text = p->lexer.token.text;
    uint64_t magnitude = 0, limit = is_negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
    size_t point = str_find(text, '.', 0);
    if (text.len > point + 19)
        return txn_parse_fault(p, "more than 18 digits after the point");
    for (size_t i = 0; i < text.len; i++) {
        if (i == point)
            continue;
        uint64_t digit = (uint64_t)(text.ptr[i] - '0');
        if (magnitude > (limit - digit) / 10)
            return txn_parse_fault(p, "this number is too large");
        magnitude = magnitude * 10 + digit;
    }
    int64_t number = is_negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    *value = point == text.len ? value_int(number)
                               : value_decimal(number, (uint8_t)(text.len - point - 1));
    txn_lexer_next(&p->lexer);
    return true;
}

/* `count` digits at `*at`, as a number between the bounds. */
static bool time_field(struct str text, size_t *at, size_t count, int64_t low, int64_t high,
                       int64_t *field) {
    *field = 0;
    for (size_t i = 0; i < count; i++, (*at)++) {
        if (*at >= text.len || text.ptr[*at] < '0' || text.ptr[*at] > '9')
            return false;
        *field = *field * 10 + (text.ptr[*at] - '0');
    }
    return *field >= low && *field <= high;
}

static bool time_sign(struct str text, size_t *at, char sign) {
    return *at < text.len && text.ptr[(*at)++] == sign;
}

/* Days from 1970-01-01 in the proleptic Gregorian calendar. Years start in March, so that the
 * leap day is the last of a year. */
static int64_t days_from_civil(int64_t year, int64_t month, int64_t day) {
    if (month <= 2)
        year--;
    int64_t era = year / 400, of_era = year % 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719468;
}

static int64_t days_in_month(int64_t year, int64_t month) {
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (month == 2)
        return is_leap ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* "2024-05-01 12:00:00" or with ".123456"; always UTC. */
static bool time_value(struct str text, int64_t *microseconds) {
    int64_t year, month, day, hour, minute, second, fraction = 0;
    size_t at = 0;
    bool ok = time_field(text, &at, 4, 1, 9999, &year) && time_sign(text, &at, '-') &&
              time_field(text, &at, 2, 1, 12, &month) && time_sign(text, &at, '-') &&
              time_field(text, &at, 2, 1, days_in_month(year, month), &day) &&
              time_sign(text, &at, ' ') && time_field(text, &at, 2, 0, 23, &hour) &&
              time_sign(text, &at, ':') && time_field(text, &at, 2, 0, 59, &minute) &&
              time_sign(text, &at, ':') && time_field(text, &at, 2, 0, 59, &second);
    if (ok && at < text.len)
        ok = time_sign(text, &at, '.') && time_field(text, &at, 6, 0, 999999, &fraction);
    if (!ok || at != text.len)
        return false;
    int64_t seconds =
        days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    *microseconds = seconds * 1000000 + fraction;
    return true;
}

/* After the word `time`: a string, or a number of microseconds since 1970 in parentheses. */
static bool parse_time(struct parser *p, struct value *value) {
    struct value number;
    int64_t microseconds;
    txn_lexer_next(&p->lexer);
    if (p->lexer.token.kind == TOKEN_STRING) {
        if (!time_value(txn_token_content(p->arena, &p->lexer.token), &microseconds))
            return txn_parse_fault(p, "a time is written \"2024-05-01 12:00:00\" or "
                                      "\"2024-05-01 12:00:00.123456\"");
        txn_lexer_next(&p->lexer);
        *value = value_time(microseconds);
        return true;
    }
    if (!txn_parse_sign(p, "("))
        return false;
    bool is_negative = txn_parse_accept(p, "-");
    if (p->lexer.token.kind != TOKEN_NUMBER)
        return txn_parse_expected(p, "a number of microseconds");
    if (str_find(p->lexer.token.text, '.', 0) < p->lexer.token.text.len)
        return txn_parse_fault(p, "microseconds are a whole number");
    if (!number_value(p, is_negative, &number) || !txn_parse_sign(p, ")"))
        return false;
    *value = value_time(number.number);
    return true;
}

/* `time` starts a literal only before a string or parenthesis. */
static bool starts_time(const struct parser *p) {
    if (!txn_token_is_word(&p->lexer.token, "time"))
        return false;
    struct token next = txn_parse_peek(p);
    return next.kind == TOKEN_STRING || txn_token_is_sign(&next, "(");
}

bool txn_parse_starts_value(const struct parser *p) {
    const struct token *token = &p->lexer.token;
    return token->kind == TOKEN_NUMBER || token->kind == TOKEN_STRING ||
           txn_token_is_word(token, "null") || txn_token_is_word(token, "true") ||
           txn_token_is_word(token, "false") || starts_time(p);
}

bool txn_parse_value(struct parser *p, struct value *value) {
    const struct token *token = &p->lexer.token;
    if (txn_token_is_sign(token, "-")) {
        txn_lexer_next(&p->lexer);
        if (token->kind != TOKEN_NUMBER)
            return txn_parse_expected(p, "a number after `-`");
        return number_value(p, true, value);
    }
    if (!txn_parse_starts_value(p))
        return txn_parse_expected(p, "a number, a string, true, false or null");
    if (token->kind == TOKEN_NUMBER)
        return number_value(p, false, value);
    if (starts_time(p))
        return parse_time(p, value);
    if (token->kind == TOKEN_STRING)
        *value = value_text(p->pool, txn_token_content(p->arena, token));
    else if (txn_token_is_word(token, "null"))
        *value = value_null();
    else
        *value = value_bool(txn_token_is_word(token, "true"));
    txn_lexer_next(&p->lexer);
    return true;
}

static bool parse_var(struct parser *p, struct str name, struct txn_span at, uint16_t *var) {
    *var = txn_find_var(p->program, name);
    if (*var == TXN_NO_VAR) {
        if (p->program->vars.count == TXN_VARS_MAX)
            return txn_fault(p->err, at, "more than %d variables", (int)TXN_VARS_MAX);
        *var = txn_var(p->arena, p->program, name);
    }
    return true;
}

/* len(xs), first(xs). */
static bool parse_of_list(struct parser *p, enum txn_expr_kind kind, struct txn_expr **expr) {
    struct pos start = p->lexer.token.pos;
    struct str name;
    uint16_t var;
    txn_lexer_next(&p->lexer);
    txn_lexer_next(&p->lexer);
    struct txn_span at = here(p);
    if (!txn_parse_name(p, "a list variable", &name) || !parse_var(p, name, at, &var))
        return false;
    *expr = txn_of_list(&p->build, txn_parse_span(p, start, p->lexer.token.end), kind, var);
    return txn_parse_sign(p, ")");
}

static bool parse_call(struct parser *p, struct str name, struct pos start,
                       struct txn_expr **expr) {
    *expr = txn_opaque(&p->build, txn_parse_span(p, start, p->lexer.token.end), name);
    txn_lexer_next(&p->lexer);
    if (txn_parse_accept(p, ")"))
        return true;
    do {
        struct txn_expr *arg;
        if (!txn_parse_expr(p, &arg))
            return false;
        txn_add_arg(&p->build, *expr, arg);
    } while (txn_parse_accept(p, ","));
    (*expr)->span.end = p->lexer.token.end;
    return txn_parse_sign(p, ")");
}

/* A variable, a column of one, or a call: name, name.name, a.b.c(...). */
static bool parse_named(struct parser *p, struct txn_expr **expr) {
    struct token first = p->lexer.token, last = first;
    struct str name = txn_token_content(p->arena, &first), column = {0}, whole = name;
    size_t dots = 0;
    uint16_t var;
    txn_lexer_next(&p->lexer);
    while (txn_parse_accept(p, ".")) {
        last = p->lexer.token;
        if (!txn_parse_name(p, "a name after the dot", &column))
            return false;
        if (++dots > TXN_DOTS_MAX)
            return txn_fault(p->err, txn_parse_span(p, first.pos, last.end),
                             "a name has too many dots");
        whole = str_printf(p->arena, "%.*s.%.*s", STR_ARG(whole), STR_ARG(column));
    }
    if (txn_token_is_sign(&p->lexer.token, "("))
        return parse_call(p, whole, first.pos, expr);
    struct txn_span at = txn_parse_span(p, first.pos, last.end);
    if (dots > 1)
        return txn_fault(p->err, at, "`%.*s` is more than a variable and a column", STR_ARG(whole));
    if (!parse_var(p, name, at, &var))
        return false;
    *expr = dots == 0 ? txn_ref(&p->build, at, var) : txn_column(&p->build, at, var, column);
    return true;
}

static bool parse_primary(struct parser *p, struct txn_expr **expr) {
    const struct token *token = &p->lexer.token;
    struct txn_span at = here(p);
    if (txn_parse_accept(p, "("))
        return txn_parse_expr(p, expr) && txn_parse_sign(p, ")");
    if (txn_parse_starts_value(p)) {
        struct value value;
        if (!txn_parse_value(p, &value))
            return false;
        *expr = txn_literal(&p->build, at, value);
        return true;
    }
    if (token->kind == TOKEN_WORD) {
        struct token next = txn_parse_peek(p);
        bool is_call = txn_token_is_sign(&next, "(");
        if (is_call && str_is(token->text, "len"))
            return parse_of_list(p, TXN_EXPR_LEN, expr);
        if (is_call && str_is(token->text, "first"))
            return parse_of_list(p, TXN_EXPR_FIRST, expr);
        if (is_call && str_is(token->text, "now")) {
            txn_lexer_next(&p->lexer);
            txn_lexer_next(&p->lexer);
            *expr = txn_now(&p->build, at);
            return txn_parse_sign(p, ")");
        }
        static const char *const operators[] = {"and", "else", "if", "is", "or"};
        for (size_t i = 0; i < LW_COUNT_OF(operators); i++)
            if (str_is(token->text, operators[i]))
                return txn_parse_expected(p, "an expression");
    }
    return txn_token_is_name(token) ? parse_named(p, expr) : txn_parse_expected(p, "an expression");
}

static bool parse_prefix(struct parser *p, int precedence_min, struct txn_expr **expr) {
    struct txn_expr *operand;
    struct pos start = p->lexer.token.pos;
    bool is_not = txn_token_is_word(&p->lexer.token, "not");
    if (!is_not && !txn_token_is_sign(&p->lexer.token, "-"))
        return parse_primary(p, expr);
    if (is_not && precedence_min > PRECEDENCE_NOT)
        return txn_parse_fault(p, "put `not ...` into parentheses here");
    if (p->expr_depth == PARSE_DEPTH_MAX)
        return txn_parse_fault(p, "the expression is nested too deeply");
    struct token next = txn_parse_peek(p);
    if (!is_not && next.kind == TOKEN_NUMBER) {
        struct value value;
        if (!txn_parse_value(p, &value))
            return false;
        *expr = txn_literal(&p->build, txn_parse_span(p, start, next.end), value);
        return true;
    }
    txn_lexer_next(&p->lexer);
    p->expr_depth++;
    if (!parse_binary(p, is_not ? PRECEDENCE_NOT : PRECEDENCE_NEG, &operand))
        return false;
    p->expr_depth--;
    *expr = txn_unary(&p->build, txn_parse_span(p, start, operand->span.end),
                      is_not ? TXN_EXPR_NOT : TXN_EXPR_NEG, operand);
    return true;
}

/* `is [not] null`, `is [not] row`, after `left`. */
static bool parse_is(struct parser *p, struct txn_expr *left, struct txn_expr **expr) {
    txn_lexer_next(&p->lexer);
    bool is_negated = txn_parse_accept_word(p, "not");
    struct txn_span at = txn_parse_span(p, left->span.start, p->lexer.token.end);
    if (txn_parse_accept_word(p, "null")) {
        *expr = txn_unary(&p->build, at, TXN_EXPR_IS_NULL, left);
    } else {
        struct txn_expr *right;
        if (!parse_binary(p, PRECEDENCE_COMPARE + 1, &right))
            return false;
        at.end = right->span.end;
        *expr = txn_same(&p->build, at, left, right);
    }
    if (is_negated)
        *expr = txn_unary(&p->build, at, TXN_EXPR_NOT, *expr);
    return true;
}

struct operator{
    enum txn_op op;
    int precedence; /* 0: none */
};

static struct operator operator_of(const struct token *token) {
    if (token->kind == TOKEN_SIGN || token->kind == TOKEN_WORD) {
#define TXN_OP(name, spelled, binds)                                                               \
    if (str_is(token->text, spelled))                                                              \
        return (struct operator){TXN_OP_##name, binds};
#include "program/op.def"
#undef TXN_OP
    }
    return (struct operator){TXN_OP_OR, 0};
}

static bool parse_binary(struct parser *p, int precedence_min, struct txn_expr **expr) {
    bool is_compared = false;
    if (!parse_prefix(p, precedence_min, expr))
        return false;
    for (;;) {
        bool is_is = txn_token_is_word(&p->lexer.token, "is");
        struct operator found = operator_of(&p->lexer.token);
        int precedence = is_is ? PRECEDENCE_COMPARE : found.precedence;
        if (precedence == 0 || precedence < precedence_min)
            return true;
        if (precedence == PRECEDENCE_COMPARE && is_compared)
            return txn_parse_fault(p, "comparisons do not chain; use `and` or parentheses");
        is_compared = precedence == PRECEDENCE_COMPARE;
        struct txn_expr *left = *expr, *right;
        if (is_is) {
            if (!parse_is(p, left, expr))
                return false;
            continue;
        }
        txn_lexer_next(&p->lexer);
        if (!parse_binary(p, precedence + 1, &right))
            return false;
        struct txn_span at = txn_parse_span(p, left->span.start, right->span.end);
        *expr = txn_binary(&p->build, at, found.op, left, right);
    }
}

bool txn_parse_expr(struct parser *p, struct txn_expr **expr) {
    struct txn_expr *cond, *otherwise;
    if (p->expr_depth == PARSE_DEPTH_MAX)
        return txn_parse_fault(p, "the expression is nested too deeply");
    p->expr_depth++;
    if (!parse_binary(p, 1, expr))
        return false;
    if (txn_parse_accept_word(p, "if")) {
        if (!parse_binary(p, 1, &cond))
            return false;
        if (!txn_parse_accept_word(p, "else"))
            return txn_parse_expected(p, "`else`");
        if (!txn_parse_expr(p, &otherwise))
            return false;
        struct txn_span at = txn_parse_span(p, (*expr)->span.start, otherwise->span.end);
        *expr = txn_cond(&p->build, at, cond, *expr, otherwise);
    }
    p->expr_depth--;
    return true;
}
