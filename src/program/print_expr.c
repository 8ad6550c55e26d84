/* The notation's printer: names, values and host expressions. Parentheses stand only where the
 * parser needs them, or where `-5` the number and `-` before 5 would look alike. */
#include "base/assert.h"
#include "program/lexer.h"
#include "program/notation.h"
#include "program/print.h"

#include <inttypes.h>

enum {
    PRECEDENCE_COND = 0,
    PRECEDENCE_NOT = 3,
    PRECEDENCE_COMPARE = 4,
    PRECEDENCE_NEG = 8,
    PRECEDENCE_PRIMARY = 9
};

void txn_print_quoted(struct buf *out, struct str text, char quote) {
    buf_add_char(out, quote);
    for (size_t i = 0; i < text.len; i++) {
        buf_add_char(out, text.ptr[i]);
        if (text.ptr[i] == quote)
            buf_add_char(out, quote);
    }
    buf_add_char(out, quote);
}

void txn_print_name(struct buf *out, struct str name, bool is_in_expr) {
    if (txn_name_is_word(name) && !(is_in_expr && txn_word_is_reserved(name)))
        buf_add(out, name);
    else
        txn_print_quoted(out, name, '`');
}

/* The parts between dots are names of their own, unless one is empty: then the whole is one odd
 * name. */
void txn_print_dotted(struct buf *out, struct str name, bool is_in_expr) {
    bool has_empty = name.len == 0 || name.ptr[0] == '.' || name.ptr[name.len - 1] == '.';
    for (size_t i = 0; i + 1 < name.len; i++)
        has_empty = has_empty || (name.ptr[i] == '.' && name.ptr[i + 1] == '.');
    if (has_empty) {
        txn_print_quoted(out, name, '`');
        return;
    }
    for (size_t from = 0; from <= name.len;) {
        size_t to = str_find(name, '.', from);
        if (from > 0)
            buf_add_char(out, '.');
        txn_print_name(out, str_sub(name, from, to), is_in_expr && from == 0);
        from = to + 1;
    }
}

static void print_decimal(struct buf *out, struct value value) {
    uint64_t magnitude = value.number < 0 ? 0 - (uint64_t)value.number : (uint64_t)value.number;
    char digits[UINT8_MAX + 2]; /* as many as a scale can ask for */
    snprintf(digits, sizeof(digits), "%0*" PRIu64, (int)value.scale + 1, magnitude);
    size_t whole = strlen(digits) - value.scale;
    buf_printf(out, "%s%.*s.%s", value.number < 0 ? "-" : "", (int)whole, digits, digits + whole);
}

/* The date of a day from 1970-01-01; the inverse of the parser's days_from_civil. */
static void civil_from_days(int64_t days, int64_t *year, int64_t *month, int64_t *day) {
    int64_t shifted = days + 719468; /* from 0000-03-01; not negative for years from 1 on */
    int64_t era = shifted / 146097, of_era = shifted % 146097;
    int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t march_month = (5 * day_of_year + 2) / 153;
    *day = day_of_year - (153 * march_month + 2) / 5 + 1;
    *month = march_month < 10 ? march_month + 3 : march_month - 9;
    *year = year_of_era + era * 400 + (*month <= 2);
}

static void print_time(struct buf *out, int64_t microseconds) {
    /* 0001-01-01 and 10000-01-01, in seconds from 1970. */
    const int64_t first = INT64_C(-62135596800), beyond = INT64_C(253402300800);
    int64_t seconds = microseconds / 1000000, fraction = microseconds % 1000000;
    if (fraction < 0) {
        fraction += 1000000;
        seconds--;
    }
    if (seconds < first || seconds >= beyond) {
        buf_printf(out, "time(%" PRId64 ")", microseconds);
        return;
    }
    int64_t days = seconds / 86400, of_day = seconds % 86400, year, month, day;
    if (of_day < 0) {
        of_day += 86400;
        days--;
    }
    civil_from_days(days, &year, &month, &day);
    buf_printf(out, "time \"%04d-%02d-%02d %02d:%02d:%02d", (int)year, (int)month, (int)day,
               (int)(of_day / 3600), (int)(of_day / 60 % 60), (int)(of_day % 60));
    if (fraction != 0)
        buf_printf(out, ".%06d", (int)fraction);
    buf_add_char(out, '"');
}

void txn_print_value(struct buf *out, const struct text_pool *pool, struct value value) {
    switch ((enum value_kind)value.kind) {
    case VALUE_NULL:
        buf_add_c(out, "null");
        return;
    case VALUE_BOOL:
        buf_add_c(out, value.number != 0 ? "true" : "false");
        return;
    case VALUE_INT:
        buf_printf(out, "%" PRId64, value.number);
        return;
    case VALUE_DECIMAL:
        print_decimal(out, value);
        return;
    case VALUE_TEXT:
        txn_print_quoted(out, text_pool_get(pool, value.number), '\'');
        return;
    case VALUE_TIME:
        print_time(out, value.number);
        return;
    }
    LW_UNREACHABLE();
}

struct printer {
    const struct txn_program *program;
    const struct text_pool *pool;
    struct buf *out;
};

static const struct {
    const char *text;
    int precedence;
} operators[] = {
#define TXN_OP(name, spelled, binds) {spelled, binds},
#include "program/op.def"
#undef TXN_OP
};

static bool is_number(const struct txn_expr *expr) {
    return expr->kind == TXN_EXPR_LITERAL &&
           (expr->literal.kind == VALUE_INT || expr->literal.kind == VALUE_DECIMAL);
}

static bool is_negated_is(const struct txn_expr *expr) {
    return expr->kind == TXN_EXPR_NOT && (expr->args.items[0]->kind == TXN_EXPR_IS_NULL ||
                                          expr->args.items[0]->kind == TXN_EXPR_SAME);
}

static int precedence_of(const struct txn_expr *expr) {
    switch (expr->kind) {
    case TXN_EXPR_COND:
        return PRECEDENCE_COND;
    case TXN_EXPR_BINARY:
        return operators[expr->op].precedence;
    case TXN_EXPR_NOT:
        return is_negated_is(expr) ? PRECEDENCE_COMPARE : PRECEDENCE_NOT;
    case TXN_EXPR_IS_NULL:
    case TXN_EXPR_SAME:
        return PRECEDENCE_COMPARE;
    case TXN_EXPR_NEG:
        return PRECEDENCE_NEG;
    case TXN_EXPR_LITERAL:
        return is_number(expr) && expr->literal.number < 0 ? PRECEDENCE_NEG : PRECEDENCE_PRIMARY;
    default:
        return PRECEDENCE_PRIMARY;
    }
}

static void print_at(struct printer *p, const struct txn_expr *expr);

static void print_operand(struct printer *p, const struct txn_expr *expr, int precedence_min) {
    bool needs_parentheses = precedence_of(expr) < precedence_min;
    if (needs_parentheses)
        buf_add_char(p->out, '(');
    print_at(p, expr);
    if (needs_parentheses)
        buf_add_char(p->out, ')');
}

static void print_var(struct printer *p, uint16_t var) {
    LW_ASSERT(var < p->program->vars.count);
    txn_print_name(p->out, p->program->vars.items[var].name, true);
}

/* IS_NULL and SAME, and NOT of them. A literal null beside `is` would read as IS_NULL. */
static void print_is(struct printer *p, const struct txn_expr *expr, bool is_negated) {
    print_operand(p, expr->args.items[0], PRECEDENCE_COMPARE + 1);
    buf_add_c(p->out, is_negated ? " is not " : " is ");
    if (expr->kind == TXN_EXPR_IS_NULL) {
        buf_add_c(p->out, "null");
        return;
    }
    const struct txn_expr *right = expr->args.items[1];
    bool is_null = right->kind == TXN_EXPR_LITERAL && right->literal.kind == VALUE_NULL;
    print_operand(p, right, is_null ? PRECEDENCE_PRIMARY + 1 : PRECEDENCE_COMPARE + 1);
}

static void print_binary(struct printer *p, const struct txn_expr *expr) {
    int precedence = operators[expr->op].precedence;
    bool chains = precedence != PRECEDENCE_COMPARE;
    print_operand(p, expr->args.items[0], chains ? precedence : precedence + 1);
    buf_printf(p->out, " %s ", operators[expr->op].text);
    print_operand(p, expr->args.items[1], precedence + 1);
}

static void print_cond(struct printer *p, const struct txn_expr *expr) {
    print_operand(p, expr->args.items[1], PRECEDENCE_COND + 1);
    buf_add_c(p->out, " if ");
    print_operand(p, expr->args.items[0], PRECEDENCE_COND + 1);
    buf_add_c(p->out, " else ");
    print_operand(p, expr->args.items[2], PRECEDENCE_COND);
}

static void print_neg(struct printer *p, const struct txn_expr *expr) {
    const struct txn_expr *operand = expr->args.items[0];
    buf_add_char(p->out, '-');
    print_operand(p, operand, is_number(operand) ? PRECEDENCE_PRIMARY + 1 : PRECEDENCE_PRIMARY);
}

static void print_opaque(struct printer *p, const struct txn_expr *expr) {
    txn_print_dotted(p->out, expr->name, true);
    buf_add_char(p->out, '(');
    for (size_t i = 0; i < expr->args.count; i++) {
        if (i > 0)
            buf_add_c(p->out, ", ");
        print_at(p, expr->args.items[i]);
    }
    buf_add_char(p->out, ')');
}

static void print_at(struct printer *p, const struct txn_expr *expr) {
    switch (expr->kind) {
    case TXN_EXPR_LITERAL:
        txn_print_value(p->out, p->pool, expr->literal);
        return;
    case TXN_EXPR_VAR:
        print_var(p, expr->var);
        return;
    case TXN_EXPR_COLUMN:
        print_var(p, expr->var);
        buf_add_char(p->out, '.');
        txn_print_name(p->out, expr->column_name, false);
        return;
    case TXN_EXPR_NOT:
        if (is_negated_is(expr)) {
            print_is(p, expr->args.items[0], true);
            return;
        }
        buf_add_c(p->out, "not ");
        print_operand(p, expr->args.items[0], PRECEDENCE_NOT);
        return;
    case TXN_EXPR_NEG:
        print_neg(p, expr);
        return;
    case TXN_EXPR_BINARY:
        print_binary(p, expr);
        return;
    case TXN_EXPR_IS_NULL:
    case TXN_EXPR_SAME:
        print_is(p, expr, false);
        return;
    case TXN_EXPR_LEN:
    case TXN_EXPR_FIRST:
        buf_add_c(p->out, expr->kind == TXN_EXPR_LEN ? "len(" : "first(");
        print_var(p, expr->var);
        buf_add_char(p->out, ')');
        return;
    case TXN_EXPR_COND:
        print_cond(p, expr);
        return;
    case TXN_EXPR_OPAQUE:
        print_opaque(p, expr);
        return;
    case TXN_EXPR_NOW:
        buf_add_c(p->out, "now()");
        return;
    }
    LW_UNREACHABLE();
}

void txn_print_expr(const struct txn_program *program, const struct txn_expr *expr,
                    const struct text_pool *pool, struct buf *out) {
    struct printer p = {program, pool, out};
    print_at(&p, expr);
}
