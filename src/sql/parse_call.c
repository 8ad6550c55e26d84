/* Primary expressions: literals, names, host values, subqueries, calls and what looks like them. */
#include "sql/parse.h"

#include "base/assert.h"

enum { SCALE_MAX = 18, HOSTS_MAX = 60000 };

static struct sql_expr *dummy(struct parser *p) {
    return parse_new_expr(p, SQL_LITERAL, p->token.pos);
}

struct sql_expr *parse_text_literal(struct parser *p, struct pos pos, struct str text) {
    struct sql_expr *expr = parse_new_expr(p, SQL_LITERAL, pos);
    expr->literal = value_text(p->pool, text);
    return expr;
}

/* Digits and the point of `text`: a number and its scale. False if it doesn't fit. */
static bool read_digits(struct str text, bool is_negative, int64_t *number, int *scale,
                        size_t *used) {
    uint64_t limit = is_negative ? (uint64_t)1 << 63 : INT64_MAX, sum = 0;
    bool has_point = false;
    size_t i = 0;
    *scale = 0;
    for (; i < text.len; i++) {
        if (text.ptr[i] == '.') {
            has_point = true;
            continue;
        }
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            break;
        unsigned digit = (unsigned)(text.ptr[i] - '0');
        if (sum > (limit - digit) / 10)
            return false;
        sum = sum * 10 + digit;
        *scale += has_point;
    }
    *number = is_negative ? (int64_t)(0 - sum) : (int64_t)sum;
    *used = i;
    return true;
}

/* Moves the point by the exponent; false if the number doesn't fit then. */
static bool apply_exponent(struct str exponent, int64_t *number, int *scale) {
    bool is_negative = str_starts(exponent, "-");
    if (is_negative || str_starts(exponent, "+"))
        exponent = str_sub(exponent, 1, exponent.len);
    int power = 0;
    for (size_t i = 0; i < exponent.len; i++) {
        if (exponent.ptr[i] < '0' || exponent.ptr[i] > '9' || power > 1000)
            return false;
        power = power * 10 + (exponent.ptr[i] - '0');
    }
    *scale += is_negative ? power : -power;
    for (; *scale < 0; ++*scale)
        if (*number != 0 && __builtin_mul_overflow(*number, 10, number))
            return false;
    for (; *scale > SCALE_MAX && *number % 10 == 0; --*scale)
        *number /= 10;
    return *scale <= SCALE_MAX;
}

struct sql_expr *parse_number(struct parser *p, bool is_negative) {
    struct sql_expr *expr = dummy(p);
    LW_ASSERT(p->token.kind == TOKEN_NUMBER);
    struct str text = p->token.text;
    int64_t number;
    int scale;
    size_t used;
    bool is_integer = str_find(text, '.', 0) == text.len;
    bool fits = read_digits(text, is_negative, &number, &scale, &used);
    struct str rest = fits ? str_sub(text, used, text.len) : STR("");
    if (rest.len > 1 && (rest.ptr[0] == 'e' || rest.ptr[0] == 'E')) {
        is_integer = false;
        fits = apply_exponent(str_sub(rest, 1, rest.len), &number, &scale);
    } else if (rest.len > 0) {
        parse_fail(p, p->token.pos, "%.*s is no number", STR_ARG(text));
        return expr;
    }
    if (!fits || scale > SCALE_MAX) {
        parse_fail(p, p->token.pos, "a number of more than 64 bits is not modelled");
        return expr;
    }
    expr->literal = is_integer ? value_int(number) : value_decimal(number, (uint8_t)scale);
    parse_advance(p);
    return expr;
}

struct sql_expr *parse_host(struct parser *p, bool is_list) {
    struct sql_expr *expr = parse_new_expr(p, SQL_HOST, p->token.pos);
    struct str text = p->token.text;
    struct map *known = is_list ? &p->list_hosts : &p->hosts;
    uintptr_t index = (uintptr_t)map_get(known, text);
    if (index == 0) {
        if (p->holder->hosts.count >= HOSTS_MAX)
            parse_fail(p, p->token.pos, "more than %d host values", HOSTS_MAX);
        size_t dot = str_find(text, '.', 0);
        struct sql_host host = {p->token.pos, str_sub(text, 0, dot), STR(""), is_list};
        if (dot < text.len)
            host.column = str_sub(text, dot + 1, text.len);
        VEC_PUSH(p->arena, &p->holder->hosts, host);
        index = p->holder->hosts.count;
        map_put(known, text, (void *)index);
    }
    expr->host = (uint16_t)(index - 1);
    parse_advance(p);
    return expr;
}

static struct str upper_case(struct parser *p, struct str text) {
    char *upper = str_to_c(p->arena, text);
    for (size_t i = 0; i < text.len; i++)
        if (upper[i] >= 'a' && upper[i] <= 'z')
            upper[i] = (char)(upper[i] - 'a' + 'A');
    return (struct str){upper, text.len};
}

/* @@in_transaction, @@session.autocommit: a call without arguments. */
static struct sql_expr *parse_variable(struct parser *p) {
    struct sql_expr *expr = parse_new_expr(p, SQL_CALL, p->token.pos);
    struct str name = upper_case(p, p->token.text);
    size_t dot = str_find(name, '.', 0);
    if (dot < name.len && (str_starts(name, "SESSION.") || str_starts(name, "LOCAL.")))
        name = str_sub(name, dot + 1, name.len);
    else if (dot < name.len)
        parse_not_modelled(p, p->token.pos, "a variable other than the session's is");
    expr->name = str_printf(p->arena, "@@%.*s", STR_ARG(name));
    parse_advance(p);
    return expr;
}

bool parse_at_subquery(const struct parser *p) {
    if (!parse_at_symbol(p, SYM1('(')))
        return false;
    struct token next = parse_peek(p);
    return token_is_word(&next, "SELECT") || token_is_word(&next, "WITH");
}

void parse_subquery(struct parser *p, struct sql_expr *expr) {
    parse_expect_symbol(p, SYM1('('));
    expr->select = parse_select(p);
    parse_expect_symbol(p, SYM1(')'));
}

static struct sql_expr *parse_parenthesised(struct parser *p) {
    struct pos pos = p->token.pos;
    if (parse_at_subquery(p)) {
        struct sql_expr *expr = parse_new_expr(p, SQL_SUBQUERY, pos);
        parse_subquery(p, expr);
        return parse_done(p, expr);
    }
    parse_advance(p);
    struct sql_expr *first = parse_expr(p);
    if (!parse_at_symbol(p, SYM1(','))) {
        parse_expect_symbol(p, SYM1(')'));
        p->parenthesised = first;
        return first;
    }
    struct sql_expr *row = parse_new_expr(p, SQL_ROW, pos);
    VEC_PUSH(p->arena, &row->args, first);
    while (parse_accept_symbol(p, SYM1(','))) {
        struct sql_expr *member = parse_expr(p);
        VEC_PUSH(p->arena, &row->args, member);
    }
    parse_expect_symbol(p, SYM1(')'));
    return parse_done(p, row);
}

/* In ON CONFLICT the proposed row goes by `excluded`, in MySQL 8 by an alias of its own; an
 * alias of the inserted table is the table. */
static void rename_qualifier(struct parser *p, struct sql_expr *column) {
    struct str qualifier = column->qualifier;
    if (p->in_conflict && (str_equal_nocase(qualifier, STR("excluded")) ||
                           (p->row_alias.len > 0 && str_equal_nocase(qualifier, p->row_alias))))
        column->qualifier = STR("excluded");
    else if (p->insert_alias.len > 0 && p->select_depth == 0 &&
             str_equal_nocase(qualifier, p->insert_alias))
        column->qualifier = p->insert_table;
}

static struct sql_expr *parse_column(struct parser *p) {
    struct sql_expr *expr = parse_new_expr(p, SQL_COLUMN, p->token.pos);
    expr->name = parse_name(p, "an expression");
    if (!parse_accept_symbol(p, SYM1('.')))
        return expr;
    expr->qualifier = expr->name;
    expr->name = parse_name(p, "a column's name");
    if (parse_at_symbol(p, SYM1('.')))
        parse_not_modelled(p, expr->pos, "a column with its schema is");
    rename_qualifier(p, expr);
    return expr;
}

/* TIMESTAMP WITH TIME ZONE before a string is TIMESTAMP: an instant without a zone counts as UTC. */
static bool accept_zone(struct parser *p) {
    struct token next = parse_peek(p), after = parse_peek2(p);
    bool is_zone = token_is_word(&next, "WITH") || token_is_word(&next, "WITHOUT");
    if (!parse_at(p, "TIMESTAMP") || !is_zone || !token_is_word(&after, "TIME"))
        return false;
    parse_advance(p);
    parse_advance(p);
    return true;
}

/* TIMESTAMP '2024-01-01 12:00' and DATE '2024-01-01' are instants. */
static struct sql_expr *parse_instant(struct parser *p) {
    struct sql_expr *expr = dummy(p);
    bool has_zone = accept_zone(p);
    if (!has_zone && parse_at(p, "TIME"))
        parse_not_modelled(p, p->token.pos, "a time of day is");
    parse_advance(p);
    if (has_zone)
        parse_expect(p, "ZONE");
    if (p->token.kind != TOKEN_STRING)
        parse_expected(p, "a date and time");
    if (!value_parse_time(p->token.text, &expr->literal))
        parse_fail(p, p->token.pos, "this is no date or time such as 2024-12-31 23:59:59.5");
    parse_advance(p);
    return expr;
}

/* The text of an introduced or prefixed string, which is anything but a text. */
static void refuse_prefixed_string(struct parser *p) {
    struct token next = parse_peek(p);
    if (next.kind != TOKEN_STRING || parse_at(p, "BINARY") || parse_at(p, "CASE"))
        return;
    if (parse_at(p, "INTERVAL"))
        parse_not_modelled(p, p->token.pos, "INTERVAL is");
    parse_fail(p, p->token.pos, "a string prefixed by %.*s is not modelled",
               STR_ARG(p->token.text));
}

static struct sql_expr *parse_word(struct parser *p) {
    struct sql_expr *expr = dummy(p);
    struct token next = parse_peek(p);
    bool is_string_next = next.kind == TOKEN_STRING;
    if (is_string_next && (parse_at(p, "TIMESTAMP") || parse_at(p, "DATE") || parse_at(p, "TIME")))
        return parse_instant(p);
    if (parse_at(p, "TIMESTAMP") &&
        (token_is_word(&next, "WITH") || token_is_word(&next, "WITHOUT")))
        return parse_instant(p);
    if (is_string_next)
        refuse_prefixed_string(p);
    if (parse_accept(p, "NULL"))
        return expr;
    if (parse_at(p, "TRUE") || parse_at(p, "FALSE")) {
        expr->literal = value_bool(parse_at(p, "TRUE"));
        parse_advance(p);
        return expr;
    }
    if (parse_at(p, "DEFAULT")) {
        parse_fail(p, p->token.pos, "DEFAULT can only stand alone, as a column's new value");
        return expr;
    }
    parse_refuse(p, "INTERVAL", "INTERVAL is");
    struct sql_expr *call = parse_call(p);
    return call != NULL ? call : parse_column(p);
}

struct sql_expr *parse_primary(struct parser *p) {
    switch (p->token.kind) {
    case TOKEN_NUMBER:
        return parse_number(p, false);
    case TOKEN_HOST:
        return parse_host(p, false);
    case TOKEN_VARIABLE:
        return parse_variable(p);
    case TOKEN_WORD:
        return parse_word(p);
    case TOKEN_QUOTED:
        return parse_column(p);
    case TOKEN_STRING: {
        struct sql_expr *expr = parse_text_literal(p, p->token.pos, p->token.text);
        parse_advance(p);
        return expr;
    }
    case TOKEN_SYMBOL:
        if (parse_at_symbol(p, SYM1('(')))
            return parse_parenthesised(p);
        if (parse_at_symbol(p, SYM1('%')) || parse_at_symbol(p, SYM1('?')) ||
            parse_at_symbol(p, SYM1('$')))
            parse_fail(p, p->token.pos, "placeholders are written :name");
        if (parse_at_symbol(p, SYM1('@')))
            parse_not_modelled(p, p->token.pos, "a user variable is");
        if (parse_at_symbol(p, SYM3('/', '*', '!')))
            parse_not_modelled(p, p->token.pos, "a conditional comment of MySQL is");
        break;
    case TOKEN_END:
        break;
    }
    parse_expected(p, "an expression");
    return dummy(p);
}

static struct sql_expr *parse_case(struct parser *p) {
    struct sql_expr *expr = parse_new_expr(p, SQL_CASE, p->token.pos);
    parse_advance(p);
    if (!parse_at(p, "WHEN")) {
        struct sql_expr *base = parse_expr(p);
        VEC_PUSH(p->arena, &expr->args, base);
        expr->case_has_base = true;
    }
    if (!parse_at(p, "WHEN"))
        parse_expected(p, "WHEN");
    while (parse_accept(p, "WHEN")) {
        struct sql_expr *when = parse_expr(p);
        parse_expect(p, "THEN");
        struct sql_expr *then = parse_expr(p);
        VEC_PUSH(p->arena, &expr->args, when);
        VEC_PUSH(p->arena, &expr->args, then);
    }
    if (parse_accept(p, "ELSE")) {
        struct sql_expr *otherwise = parse_expr(p);
        VEC_PUSH(p->arena, &expr->args, otherwise);
        expr->case_has_else = true;
    }
    parse_expect(p, "END");
    return parse_done(p, expr);
}

/* CAST(x AS type), and MySQL's BINARY x and CONVERT(x, type). */
static struct sql_expr *parse_cast(struct parser *p) {
    struct sql_expr *expr = parse_new_expr(p, SQL_CAST, p->token.pos);
    bool is_binary = parse_at(p, "BINARY");
    parse_advance(p);
    if (is_binary) {
        struct sql_expr *operand = parse_enter(p) ? parse_primary(p) : dummy(p);
        parse_leave(p);
        expr->qualifier = STR("BINARY");
        VEC_PUSH(p->arena, &expr->args, operand);
        return parse_done(p, expr);
    }
    parse_expect_symbol(p, SYM1('('));
    struct sql_expr *operand = parse_expr(p);
    parse_expect(p, "AS");
    expr->qualifier = parse_type(p);
    VEC_PUSH(p->arena, &expr->args, operand);
    parse_expect_symbol(p, SYM1(')'));
    return parse_done(p, expr);
}

static struct sql_expr *parse_exists(struct parser *p) {
    struct sql_expr *expr = parse_new_expr(p, SQL_EXISTS, p->token.pos);
    parse_advance(p);
    if (!parse_at_subquery(p))
        parse_expected(p, "(SELECT");
    parse_subquery(p, expr);
    return parse_done(p, expr);
}

static struct sql_expr *parse_row(struct parser *p) {
    struct pos pos = p->token.pos;
    parse_advance(p);
    struct sql_expr *row = parse_parenthesised(p);
    if (row->kind != SQL_ROW)
        parse_not_modelled(p, pos, "a row of one column is");
    return row;
}

/* VALUES(column) in ON DUPLICATE KEY UPDATE. */
static struct sql_expr *parse_values_call(struct parser *p) {
    struct sql_expr *expr = parse_new_expr(p, SQL_COLUMN, p->token.pos);
    if (!p->in_conflict)
        parse_not_modelled(p, p->token.pos, "VALUES outside of INSERT is");
    parse_advance(p);
    parse_expect_symbol(p, SYM1('('));
    expr->qualifier = STR("excluded");
    expr->name = parse_name(p, "a column's name");
    parse_expect_symbol(p, SYM1(')'));
    return expr;
}

/* EXTRACT(field FROM x) and SUBSTRING(x FROM a FOR b): arguments with words between. */
static void parse_worded_arguments(struct parser *p, struct sql_expr *call) {
    bool has_words = str_is(call->name, "SUBSTRING") || str_is(call->name, "SUBSTR");
    if (str_is(call->name, "EXTRACT")) {
        struct pos pos = p->token.pos;
        struct str field = p->token.text;
        if (p->token.kind != TOKEN_STRING && p->token.kind != TOKEN_WORD)
            parse_expected(p, "a field such as YEAR");
        parse_advance(p);
        parse_expect(p, "FROM");
        struct sql_expr *name = parse_text_literal(p, pos, upper_case(p, field));
        VEC_PUSH(p->arena, &call->args, name);
        struct sql_expr *instant = parse_expr(p);
        VEC_PUSH(p->arena, &call->args, instant);
        return;
    }
    do {
        if (parse_at(p, "BOTH") || parse_at(p, "LEADING") || parse_at(p, "TRAILING"))
            parse_not_modelled(p, p->token.pos, "TRIM with BOTH, LEADING or TRAILING is");
        struct sql_expr *argument = parse_expr(p);
        VEC_PUSH(p->arena, &call->args, argument);
    } while (parse_accept_symbol(p, SYM1(',')) ||
             (has_words && (parse_accept(p, "FROM") || parse_accept(p, "FOR"))));
}

/* COUNT(*) FILTER (WHERE c) is COUNT(CASE WHEN c THEN 1 ELSE NULL END), and so on: as Django
 * writes it for servers without FILTER. */
static void parse_filter(struct parser *p, struct sql_expr *call) {
    struct sql_expr *choice = parse_new_expr(p, SQL_CASE, p->token.pos);
    struct sql_expr *otherwise = dummy(p), *chosen = dummy(p);
    parse_expect_symbol(p, SYM1('('));
    parse_expect(p, "WHERE");
    struct sql_expr *when = parse_expr(p);
    parse_expect_symbol(p, SYM1(')'));
    chosen->literal = value_int(1);
    if (call->args.count > 1)
        parse_not_modelled(p, choice->pos, "FILTER after several arguments is");
    else if (!call->is_star && call->args.count == 1)
        chosen = call->args.items[0];
    VEC_PUSH(p->arena, &choice->args, when);
    VEC_PUSH(p->arena, &choice->args, chosen);
    VEC_PUSH(p->arena, &choice->args, otherwise);
    choice->case_has_else = true;
    call->is_star = false;
    call->args.count = 0;
    VEC_PUSH(p->arena, &call->args, parse_done(p, choice));
}

static void parse_arguments(struct parser *p, struct sql_expr *call) {
    parse_expect_symbol(p, SYM1('('));
    if (parse_accept_symbol(p, SYM1('*'))) {
        call->is_star = true;
    } else if (!parse_at_symbol(p, SYM1(')'))) {
        call->is_distinct = !str_is(call->name, "EXTRACT") && parse_accept(p, "DISTINCT");
        if (!call->is_distinct)
            parse_accept(p, "ALL");
        parse_worded_arguments(p, call);
    }
    if (parse_at(p, "ORDER"))
        parse_not_modelled(p, p->token.pos, "ORDER BY in an aggregate is");
    if (parse_at(p, "USING") || parse_at(p, "SEPARATOR") || parse_at(p, "AS"))
        parse_fail(p, p->token.pos, "%.*s in a call is not modelled", STR_ARG(p->token.text));
    parse_expect_symbol(p, SYM1(')'));
    if (parse_accept(p, "FILTER"))
        parse_filter(p, call);
    parse_refuse(p, "OVER", "a window function is");
    parse_refuse(p, "WITHIN", "WITHIN GROUP is");
}

/* MySQL's CONCAT is NULL if an argument is, as || is elsewhere; elsewhere CONCAT skips NULLs, as
 * CONCAT_WS('', ...) does everywhere. */
static struct sql_expr *normal_concat(struct parser *p, struct sql_expr *call) {
    bool is_mysql = p->dialect == SQL_MYSQL;
    struct value empty = value_text(p->pool, STR(""));
    if (is_mysql && str_is(call->name, "CONCAT") && call->args.count >= 2 && !call->is_distinct) {
        struct sql_expr *left = call->args.items[0];
        for (size_t i = 1; i < call->args.count; i++) {
            struct sql_expr *both = parse_new_expr(p, SQL_BINARY, call->pos);
            both->op = SQL_OP_CONCAT;
            VEC_PUSH(p->arena, &both->args, left);
            VEC_PUSH(p->arena, &both->args, call->args.items[i]);
            left = parse_done(p, both);
        }
        return left;
    }
    if (str_is(call->name, "CONCAT_WS") && call->args.count >= 2 && !call->is_distinct &&
        call->args.items[0]->kind == SQL_LITERAL &&
        call->args.items[0]->literal.kind == VALUE_TEXT &&
        call->args.items[0]->literal.number == empty.number) {
        call->name = STR("CONCAT");
        call->args.items++;
        call->args.count--;
        call->args.capacity--;
    }
    return call;
}

/* CURRENT_TIMESTAMP and its kin stand without parentheses. */
static bool at_niladic(const struct parser *p) {
    return parse_at(p, "CURRENT_TIMESTAMP") || parse_at(p, "CURRENT_DATE") ||
           parse_at(p, "CURRENT_TIME") || parse_at(p, "LOCALTIMESTAMP") || parse_at(p, "LOCALTIME");
}

/* Reserved words that are functions when `(` follows. */
static bool at_reserved_function(const struct parser *p) {
    return parse_at(p, "LEFT") || parse_at(p, "RIGHT") || parse_at(p, "MOD") ||
           parse_at(p, "EXTRACT") || parse_at(p, "INSERT");
}

struct sql_expr *parse_call(struct parser *p) {
    struct token next = parse_peek(p);
    bool has_paren = next.symbol == SYM1('(');
    if (parse_at(p, "CASE"))
        return parse_case(p);
    if ((parse_at(p, "CAST") && has_paren) || (parse_at(p, "BINARY") && p->dialect == SQL_MYSQL))
        return parse_cast(p);
    if (parse_at(p, "EXISTS"))
        return parse_exists(p);
    if (parse_at(p, "ARRAY") && (has_paren || next.symbol == SYM1('[')))
        parse_not_modelled(p, p->token.pos, "an array outside of = ANY is");
    if (!has_paren && !at_niladic(p))
        return NULL;
    if (parse_at(p, "ROW"))
        return parse_row(p);
    if (parse_at(p, "VALUES"))
        return parse_values_call(p);
    parse_refuse(p, "CONVERT", "CONVERT is");
    parse_refuse(p, "POSITION", "POSITION is");
    parse_refuse(p, "OVERLAY", "OVERLAY is");
    if (!parse_at_name(p) && !at_niladic(p) && !at_reserved_function(p))
        return NULL;
    struct sql_expr *call = parse_new_expr(p, SQL_CALL, p->token.pos);
    call->name = upper_case(p, p->token.text);
    parse_advance(p);
    if (has_paren)
        parse_arguments(p, call);
    return parse_done(p, str_starts(call->name, "CONCAT") ? normal_concat(p, call) : call);
}

/* Words that may follow the first of a type's name. */
static bool at_type_word(const struct parser *p) {
    static const char *const words[] = {"VARYING", "PRECISION", "UNSIGNED", "SIGNED", "ZEROFILL",
                                        "CHAR",    "CHARACTER", "INTEGER",  "INT"};
    struct token next = parse_peek(p);
    if (token_is_word(&next, "SET")) /* CHARACTER SET */
        return false;
    for (size_t i = 0; i < LW_COUNT_OF(words); i++)
        if (parse_at(p, words[i]))
            return true;
    return false;
}

/* An array's brackets, which are an empty quoted name in SQLite. */
static bool accept_brackets(struct parser *p) {
    struct token next = parse_peek(p);
    bool is_quoted = p->token.kind == TOKEN_QUOTED && p->token.text.len == 0 &&
                     p->lexer.text.ptr[p->token.start] == '[';
    if (!is_quoted && !(parse_at_symbol(p, SYM1('[')) && next.symbol == SYM1(']')))
        return false;
    parse_advance(p);
    if (!is_quoted)
        parse_advance(p);
    return true;
}

static void add_type_size(struct parser *p, struct buf *text) {
    if (!parse_accept_symbol(p, SYM1('(')))
        return;
    buf_add_char(text, '(');
    for (bool is_first = true; is_first || parse_accept_symbol(p, SYM1(',')); is_first = false) {
        if (!is_first)
            buf_add_c(text, ", ");
        if (p->token.kind != TOKEN_NUMBER)
            parse_expected(p, "a size");
        buf_add(text, p->token.text);
        parse_advance(p);
    }
    parse_expect_symbol(p, SYM1(')'));
    buf_add_char(text, ')');
}

struct str parse_type(struct parser *p) {
    struct buf text = {0};
    if (p->token.kind != TOKEN_WORD ||
        (!parse_at_name(p) && !parse_at(p, "INTERVAL") && !parse_at(p, "BINARY")))
        parse_expected(p, "a type");
    if (parse_at(p, "ENUM") || parse_at(p, "SET"))
        parse_fail(p, p->token.pos, "the type %.*s is not modelled", STR_ARG(p->token.text));
    buf_add(&text, p->token.text);
    parse_advance(p);
    add_type_size(p, &text);
    while (at_type_word(p)) {
        buf_add_char(&text, ' ');
        buf_add(&text, p->token.text);
        parse_advance(p);
        add_type_size(p, &text);
    }
    if (parse_accept2(p, "WITH", "TIME")) {
        parse_expect(p, "ZONE");
        buf_add_c(&text, " with time zone");
    } else if (parse_accept2(p, "WITHOUT", "TIME")) {
        parse_expect(p, "ZONE");
        buf_add_c(&text, " without time zone");
    }
    while (accept_brackets(p))
        buf_add_c(&text, "[]");
    struct str type = str_dup(p->arena, buf_str(&text));
    buf_release(&text);
    return type;
}
