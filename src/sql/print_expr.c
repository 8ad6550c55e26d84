#include "base/assert.h"
#include "sql/print.h"
#include "sql/reserved.h"

#include <inttypes.h>

/* Precedence as op.def has it; an atom is never put into parentheses. */
enum { LEVEL_NOT = 3, LEVEL_PREDICATE = 4, LEVEL_CONCAT = 5, LEVEL_NEG = 8, LEVEL_ATOM = 9 };

static const struct {
    const char *text;
    int level;
} ops[] = {
#define SQL_OP(name, text, precedence) {text, precedence},
#include "sql/op.def"
#undef SQL_OP
};

void print_c(struct printer *p, const char *text) {
    buf_add_c(p->out, text);
}

void print_comma(struct printer *p, size_t index) {
    if (index > 0)
        print_c(p, ", ");
}

static bool is_plain_name(const struct printer *p, struct str name) {
    static const unsigned dialect_bit[] = {
        [SQL_POSTGRESQL] = RESERVED_POSTGRESQL,
        [SQL_MYSQL] = RESERVED_MYSQL,
        [SQL_SQLITE] = RESERVED_SQLITE,
    };
    for (size_t i = 0; i < name.len; i++) {
        char byte = name.ptr[i];
        bool is_upper = byte >= 'A' && byte <= 'Z';
        bool is_word = (byte >= 'a' && byte <= 'z') || byte == '_' ||
                       (is_upper && p->dialect != SQL_POSTGRESQL) ||
                       (byte >= '0' && byte <= '9' && i > 0);
        if (!is_word)
            return false;
    }
    return name.len > 0 && (reserved_in(name) &
                            (RESERVED_PARSER | RESERVED_PRINTER | dialect_bit[p->dialect])) == 0;
}

static void print_doubling(struct printer *p, struct str text, char quote) {
    for (size_t from = 0; from < text.len;) {
        size_t at = str_find(text, quote, from);
        buf_add(p->out, str_sub(text, from, at));
        if (at < text.len) {
            buf_add_char(p->out, quote);
            buf_add_char(p->out, quote);
        }
        from = at + 1;
    }
}

void print_name(struct printer *p, struct str name) {
    if (is_plain_name(p, name))
        buf_add(p->out, name);
    else
        print_quoted_name(p, name);
}

void sql_print_name(struct str name, enum sql_dialect dialect, struct buf *out) {
    struct printer printer = {.dialect = dialect, .out = out};
    print_name(&printer, name);
}

void print_quoted_name(struct printer *p, struct str name) {
    char quote = p->dialect == SQL_MYSQL ? '`' : '"';
    buf_add_char(p->out, quote);
    print_doubling(p, name, quote);
    buf_add_char(p->out, quote);
}

void print_names(struct printer *p, const struct str *names, size_t count) {
    for (size_t i = 0; i < count; i++) {
        print_comma(p, i);
        print_name(p, names[i]);
    }
}

static void print_escaped(struct printer *p, struct str text) {
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.ptr[i];
        bool is_kept = p->dialect == SQL_MYSQL && byte == '\\' && i + 1 < text.len &&
                       (text.ptr[i + 1] == '%' || text.ptr[i + 1] == '_');
        if (byte == '\'')
            print_c(p, "''");
        else if (byte == '\n')
            print_c(p, "\\n");
        else if (byte == '\r')
            print_c(p, "\\r");
        else if (byte == '\0' && p->dialect == SQL_MYSQL)
            print_c(p, "\\0");
        else if (byte == '\\' && !is_kept)
            print_c(p, "\\\\");
        else
            buf_add_char(p->out, byte);
    }
}

void print_text(struct printer *p, struct str text) {
    bool has_line = str_find(text, '\n', 0) < text.len || str_find(text, '\r', 0) < text.len;
    bool is_escaped = p->dialect == SQL_MYSQL || (p->dialect == SQL_POSTGRESQL && has_line);
    print_c(p, is_escaped && p->dialect == SQL_POSTGRESQL ? "E'" : "'");
    if (is_escaped)
        print_escaped(p, text);
    else
        print_doubling(p, text, '\'');
    print_c(p, "'");
}

static void print_literal(struct printer *p, struct value value) {
    switch ((enum value_kind)value.kind) {
    case VALUE_BOOL:
        print_c(p, value.number != 0 ? "TRUE" : "FALSE");
        return;
    case VALUE_TEXT:
        print_text(p, text_pool_get(p->pool, value.number));
        return;
    case VALUE_TIME: {
        bool has_words = p->hosts == NULL || p->dialect != SQL_SQLITE;
        struct buf text = {0};
        bool is_date = value_time_text(value, &text);
        if (is_date)
            buf_printf(p->out, "%s'%s'", has_words ? "TIMESTAMP " : "", text.ptr);
        else
            buf_printf(p->out, "%" PRId64, value.number);
        buf_release(&text);
        return;
    }
    case VALUE_NULL:
    case VALUE_INT:
    case VALUE_DECIMAL:
        value_print(p->pool, value, p->out);
        break;
    }
    if (value.kind == VALUE_DECIMAL && value.scale == 0)
        print_c(p, "."); /* 7. is a decimal, 7 an integer */
}

/* In MySQL: NULL_SAFE_NE, which is written NOT a <=> b. */
static bool is_not_spaceship(const struct printer *p, const struct sql_expr *expr) {
    return p->dialect == SQL_MYSQL && expr->op == SQL_OP_NULL_SAFE_NE;
}

static int level_of(const struct printer *p, const struct sql_expr *expr) {
    switch (expr->kind) {
    case SQL_UNARY:
        return ops[expr->op].level;
    case SQL_BINARY:
        if (expr->op == SQL_OP_CONCAT && p->dialect == SQL_MYSQL)
            return LEVEL_ATOM; /* CONCAT(a, b) */
        return is_not_spaceship(p, expr) ? LEVEL_NOT : ops[expr->op].level;
    case SQL_IS_NULL:
    case SQL_IN:
    case SQL_BETWEEN:
    case SQL_LIKE:
        return LEVEL_PREDICATE;
    case SQL_EXISTS:
        return expr->is_negated ? LEVEL_NOT : LEVEL_ATOM;
    case SQL_LITERAL:
        return (expr->literal.kind == VALUE_INT || expr->literal.kind == VALUE_DECIMAL) &&
                       expr->literal.number < 0
                   ? LEVEL_NEG
                   : LEVEL_ATOM;
    default:
        return LEVEL_ATOM;
    }
}

static void print_parenthesised(struct printer *p, const struct sql_expr *expr) {
    print_c(p, "(");
    print_expr(p, expr);
    print_c(p, ")");
}

/* In parentheses if it binds looser than `least`. */
static void print_operand(struct printer *p, const struct sql_expr *expr, int least) {
    int level = level_of(p, expr);
    /* Whether || or arithmetic binds closer hangs on the dialect. */
    bool is_disputed = level == LEVEL_CONCAT ? least > LEVEL_CONCAT : false;
    if (level < least || is_disputed)
        print_parenthesised(p, expr);
    else
        print_expr(p, expr);
}

/* An operand of ||: arithmetic stands in parentheses too. */
static void print_concat_operand(struct printer *p, const struct sql_expr *expr, bool is_left) {
    int level = level_of(p, expr);
    bool is_chain = is_left && level == LEVEL_CONCAT;
    if (is_chain || level >= LEVEL_NEG)
        print_expr(p, expr);
    else
        print_parenthesised(p, expr);
}

static void print_not(struct printer *p, const struct sql_expr *operand) {
    print_c(p, "NOT ");
    bool is_atom = level_of(p, operand) == LEVEL_ATOM && operand->kind != SQL_EXISTS;
    if (is_atom)
        print_expr(p, operand);
    else
        print_parenthesised(p, operand);
}

static void print_neg(struct printer *p, const struct sql_expr *operand) {
    print_c(p, "-");
    if (level_of(p, operand) == LEVEL_ATOM && operand->kind != SQL_LITERAL)
        print_expr(p, operand);
    else
        print_parenthesised(p, operand);
}

/* MySQL has no ||: the chain is one call. */
static void print_concat_chain(struct printer *p, const struct sql_expr *expr) {
    const struct sql_expr *left = expr->args.items[0];
    if (left->kind == SQL_BINARY && left->op == SQL_OP_CONCAT)
        print_concat_chain(p, left);
    else
        print_expr(p, left);
    print_c(p, ", ");
    print_expr(p, expr->args.items[1]);
}

static void print_concat(struct printer *p, const struct sql_expr *expr) {
    if (p->dialect == SQL_MYSQL) {
        print_c(p, "CONCAT(");
        print_concat_chain(p, expr);
        print_c(p, ")");
        return;
    }
    print_concat_operand(p, expr->args.items[0], true);
    print_c(p, " || ");
    print_concat_operand(p, expr->args.items[1], false);
}

static bool is_truth_test(const struct printer *p, const struct sql_expr *expr) {
    const struct sql_expr *right = expr->args.items[1];
    return p->dialect == SQL_POSTGRESQL && right->kind == SQL_LITERAL &&
           right->literal.kind == VALUE_BOOL &&
           (expr->op == SQL_OP_NULL_SAFE_EQ || expr->op == SQL_OP_NULL_SAFE_NE);
}

static void print_binary(struct printer *p, const struct sql_expr *expr) {
    const struct sql_expr *left = expr->args.items[0], *right = expr->args.items[1];
    int level = ops[expr->op].level;
    if (expr->op == SQL_OP_CONCAT) {
        print_concat(p, expr);
        return;
    }
    bool is_spaceship = p->dialect == SQL_MYSQL &&
                        (expr->op == SQL_OP_NULL_SAFE_EQ || expr->op == SQL_OP_NULL_SAFE_NE);
    if (is_not_spaceship(p, expr))
        print_c(p, "NOT ");
    print_operand(p, left, level == LEVEL_PREDICATE ? LEVEL_CONCAT : level);
    print_c(p, " ");
    if (is_truth_test(p, expr))
        print_c(p, expr->op == SQL_OP_NULL_SAFE_EQ ? "IS" : "IS NOT");
    else
        print_c(p, is_spaceship ? "<=>" : ops[expr->op].text);
    print_c(p, " ");
    print_operand(p, right, level + 1);
}

static void print_list(struct printer *p, const struct sql_expr *expr, size_t from) {
    for (size_t i = from; i < expr->args.count; i++) {
        print_comma(p, i - from);
        print_expr(p, expr->args.items[i]);
    }
}

static void print_subquery(struct printer *p, const struct sql_expr *expr) {
    print_c(p, "(");
    print_select(p, expr->select);
    print_c(p, ")");
}

static void print_in(struct printer *p, const struct sql_expr *expr) {
    print_operand(p, expr->args.items[0], LEVEL_CONCAT);
    print_c(p, expr->is_negated ? " NOT IN " : " IN ");
    if (expr->select != NULL) {
        print_subquery(p, expr);
        return;
    }
    print_c(p, "(");
    bool is_lone_scalar = p->hosts == NULL && expr->args.count == 2 &&
                          expr->args.items[1]->kind == SQL_HOST &&
                          expr->args.items[1]->host < p->holder->hosts.count &&
                          !p->holder->hosts.items[expr->args.items[1]->host].is_list;
    if (is_lone_scalar) /* (:x) would be a list, ((:x)) is one value */
        print_parenthesised(p, expr->args.items[1]);
    else
        print_list(p, expr, 1);
    print_c(p, ")");
}

static void print_between(struct printer *p, const struct sql_expr *expr) {
    print_operand(p, expr->args.items[0], LEVEL_CONCAT);
    print_c(p, expr->is_negated ? " NOT BETWEEN " : " BETWEEN ");
    print_operand(p, expr->args.items[1], LEVEL_CONCAT);
    print_c(p, " AND ");
    print_operand(p, expr->args.items[2], LEVEL_CONCAT);
}

static void print_like(struct printer *p, const struct sql_expr *expr) {
    bool is_ilike = expr->is_nocase && (p->hosts == NULL || p->dialect == SQL_POSTGRESQL);
    print_operand(p, expr->args.items[0], LEVEL_CONCAT);
    print_c(p, expr->is_negated ? " NOT" : "");
    print_c(p, is_ilike ? " ILIKE " : " LIKE ");
    print_operand(p, expr->args.items[1], LEVEL_CONCAT);
    if (expr->args.count > 2) {
        print_c(p, " ESCAPE ");
        print_operand(p, expr->args.items[2], LEVEL_CONCAT);
    }
}

static void print_case(struct printer *p, const struct sql_expr *expr) {
    size_t i = 0, end = expr->args.count - expr->case_has_else;
    print_c(p, "CASE");
    if (expr->case_has_base) {
        print_c(p, " ");
        print_expr(p, expr->args.items[i++]);
    }
    for (; i + 1 < end; i += 2) {
        print_c(p, " WHEN ");
        print_expr(p, expr->args.items[i]);
        print_c(p, " THEN ");
        print_expr(p, expr->args.items[i + 1]);
    }
    if (expr->case_has_else) {
        print_c(p, " ELSE ");
        print_expr(p, expr->args.items[end]);
    }
    print_c(p, " END");
}

/* CURRENT_TIMESTAMP and its kin are calls without parentheses. */
static bool is_niladic(const struct sql_expr *expr) {
    static const char *const names[] = {"CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME",
                                        "LOCALTIMESTAMP", "LOCALTIME"};
    for (size_t i = 0; i < LW_COUNT_OF(names); i++)
        if (expr->args.count == 0 && str_is(expr->name, names[i]))
            return true;
    return false;
}

/* EXTRACT('YEAR', x) is EXTRACT(YEAR FROM x). */
static void print_extract(struct printer *p, const struct sql_expr *expr) {
    const struct value field = expr->args.items[0]->literal;
    struct str name = text_pool_get(p->pool, field.number);
    bool is_word = name.len > 0;
    for (size_t i = 0; i < name.len; i++)
        is_word &= name.ptr[i] == '_' || (name.ptr[i] >= 'A' && name.ptr[i] <= 'Z');
    print_c(p, "EXTRACT(");
    if (is_word)
        buf_add(p->out, name);
    else
        print_text(p, name);
    print_c(p, " FROM ");
    print_list(p, expr, 1);
    print_c(p, ")");
}

static void print_variable(struct printer *p, struct str name) {
    for (size_t i = 0; i < name.len; i++) {
        char byte = name.ptr[i];
        buf_add_char(p->out, byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte);
    }
}

static void print_call(struct printer *p, const struct sql_expr *expr) {
    bool skips_nulls = p->dialect == SQL_MYSQL && str_is(expr->name, "CONCAT") &&
                       expr->args.count >= 1 && !expr->is_distinct;
    if (str_starts(expr->name, "@@")) {
        print_variable(p, expr->name);
        return;
    }
    if (str_is(expr->name, "EXTRACT") && expr->args.count == 2 &&
        expr->args.items[0]->kind == SQL_LITERAL &&
        expr->args.items[0]->literal.kind == VALUE_TEXT) {
        print_extract(p, expr);
        return;
    }
    buf_add(p->out, skips_nulls ? STR("CONCAT_WS") : expr->name);
    if (is_niladic(expr))
        return;
    print_c(p, skips_nulls ? "(''" : "(");
    if (skips_nulls && expr->args.count > 0)
        print_c(p, ", ");
    if (expr->is_distinct)
        print_c(p, "DISTINCT ");
    if (expr->is_star)
        print_c(p, "*");
    print_list(p, expr, 0);
    print_c(p, ")");
}

static void print_column(struct printer *p, const struct sql_expr *expr) {
    if (p->in_duplicate_key && str_is(expr->qualifier, "excluded")) {
        print_c(p, "VALUES(");
        print_name(p, expr->name);
        print_c(p, ")");
        return;
    }
    if (expr->qualifier.len > 0 && !p->is_unqualified) {
        print_name(p, expr->qualifier);
        print_c(p, ".");
    }
    print_name(p, expr->name);
}

static void print_host(struct printer *p, uint16_t index) {
    if (p->hosts != NULL) {
        p->hosts->print(p->hosts->context, index, p->out);
        return;
    }
    LW_ASSERT(index < p->holder->hosts.count);
    const struct sql_host *host = &p->holder->hosts.items[index];
    print_c(p, ":");
    buf_add(p->out, host->name);
    if (host->column.len > 0) {
        print_c(p, ".");
        buf_add(p->out, host->column);
    }
}

void print_expr(struct printer *p, const struct sql_expr *expr) {
    switch (expr->kind) {
    case SQL_LITERAL:
        print_literal(p, expr->literal);
        return;
    case SQL_COLUMN:
        print_column(p, expr);
        return;
    case SQL_HOST:
        print_host(p, expr->host);
        return;
    case SQL_UNARY:
        if (expr->op == SQL_OP_NOT)
            print_not(p, expr->args.items[0]);
        else
            print_neg(p, expr->args.items[0]);
        return;
    case SQL_BINARY:
        print_binary(p, expr);
        return;
    case SQL_IS_NULL:
        print_operand(p, expr->args.items[0], LEVEL_CONCAT);
        print_c(p, expr->is_negated ? " IS NOT NULL" : " IS NULL");
        return;
    case SQL_IN:
        print_in(p, expr);
        return;
    case SQL_BETWEEN:
        print_between(p, expr);
        return;
    case SQL_LIKE:
        print_like(p, expr);
        return;
    case SQL_CASE:
        print_case(p, expr);
        return;
    case SQL_CALL:
        print_call(p, expr);
        return;
    case SQL_CAST:
        print_c(p, "CAST(");
        print_expr(p, expr->args.items[0]);
        print_c(p, " AS ");
        buf_add(p->out, expr->qualifier);
        print_c(p, ")");
        return;
    case SQL_ROW:
        print_c(p, "(");
        print_list(p, expr, 0);
        print_c(p, ")");
        return;
    case SQL_SUBQUERY:
        print_subquery(p, expr);
        return;
    case SQL_EXISTS:
        print_c(p, expr->is_negated ? "NOT EXISTS " : "EXISTS ");
        print_subquery(p, expr);
        return;
    case SQL_DEFAULT:
        print_c(p, "DEFAULT");
        return;
    }
    LW_UNREACHABLE();
}
