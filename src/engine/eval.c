/* Expressions: comparison, logic, arithmetic. Functions and casts are in eval_call.c, what columns keep in
 * eval_store.c. The engines differ in what they do with operands of different kinds: PostgreSQL takes a
 * text as a literal of the other side's type or fails, MySQL reads the number at its front, SQLite
 * leaves what is no number a text, which sorts after all numbers. */
#include "engine/eval.h"

#include "base/assert.h"

#include <stdarg.h>

enum { EVAL_NESTING_MAX = 400, ROW_MEMBERS_MAX = 16 };

void eval_init(struct eval *eval, enum engine_kind engine, const struct schema *schema,
               struct text_pool *pool, struct arena *scratch) {
    *eval = (struct eval){.engine = engine, .schema = schema, .pool = pool, .scratch = scratch};
}

bool eval_fail(struct eval *eval, enum db_error error, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(eval->detail, sizeof eval->detail, format, args);
    va_end(args);
    LW_ASSERT(error != DB_OK_NO_ERROR);
    eval->error = error;
    return false;
}

bool eval_is_number(struct value value) {
    return value.kind == VALUE_BOOL || value.kind == VALUE_INT || value.kind == VALUE_DECIMAL;
}

static bool is_mysql(const struct eval *eval) {
    return eval->engine == ENGINE_MYSQL || eval->engine == ENGINE_MARIADB;
}

/* ---- Comparison ---- */

static int fold(char byte) {
    return byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : (unsigned char)byte;
}

/* MySQL's default collations compare without case (ASCII here); MariaDB's also pad with blanks. */
static int compare_nocase(struct str a, struct str b, bool pads) {
    size_t len = a.len > b.len ? a.len : b.len;
    for (size_t i = 0; i < len; i++) {
        int left = i < a.len ? fold(a.ptr[i]) : pads ? ' ' : -1;
        int right = i < b.len ? fold(b.ptr[i]) : pads ? ' ' : -1;
        if (left != right)
            return left < right ? -1 : 1;
    }
    return 0;
}

/* MariaDB's default collation pads with spaces, MySQL 8's does not. */
static int compare_texts(const struct eval *eval, struct str a, struct str b) {
    bool pads = eval->engine == ENGINE_MARIADB;
    int order = compare_nocase(a, b, pads);
    if (eval->twin != NULL && a.len != b.len && compare_nocase(a, b, !pads) != order)
        eval->twin->differs = true;
    return order;
}

static int compare_same_kind(const struct eval *eval, struct value a, struct value b) {
    if (a.kind == VALUE_INT && b.kind == VALUE_INT)
        return (a.number > b.number) - (a.number < b.number);
    if (a.kind == VALUE_TEXT && b.kind == VALUE_TEXT) {
        if (a.number == b.number)
            return 0;
        if (is_mysql(eval))
            return compare_texts(eval, text_pool_get(eval->pool, a.number),
                                 text_pool_get(eval->pool, b.number));
    }
    return value_compare(eval->pool, a, b);
}

/* Makes `text` what `other`, of another kind, can be compared with. False: error. */
static bool coerce_text(struct eval *eval, struct value *text, struct value other) {
    struct value converted;
    bool whole = false;
    if (other.kind == VALUE_TIME) {
        whole = value_parse_time(text_pool_get(eval->pool, text->number), &converted);
    } else if (other.kind == VALUE_BOOL && eval->engine == ENGINE_POSTGRESQL) {
        return eval_cast(eval, STR("boolean"), *text, text);
    } else if (eval_is_number(other)) {
        converted = eval_text_number(eval, *text, &whole);
        whole = whole || is_mysql(eval);
    }
    if (whole) {
        *text = converted;
        return true;
    }
    struct str found = text_pool_get(eval->pool, text->number);
    if (eval->engine == ENGINE_SQLITE)
        return true;
    return eval_fail(eval, DB_ERROR_DATA, "'%.*s'", (int)(found.len < 40 ? found.len : 40),
                     found.ptr);
}

bool eval_compare(struct eval *eval, struct value a, struct value b, int *order) {
    LW_ASSERT(a.kind != VALUE_NULL && b.kind != VALUE_NULL);
    if (a.kind != b.kind && !(eval_is_number(a) && eval_is_number(b))) {
        if (a.kind == VALUE_TEXT && !coerce_text(eval, &a, b))
            return false;
        if (b.kind == VALUE_TEXT && !coerce_text(eval, &b, a))
            return false;
        bool is_mixed = (a.kind == VALUE_TIME) != (b.kind == VALUE_TIME);
        if (is_mixed && eval->engine != ENGINE_SQLITE)
            return eval_fail(eval, DB_ERROR_DATA, "a time compared with a number");
    }
    *order = compare_same_kind(eval, a, b);
    return true;
}

bool eval_same_key(struct eval *eval, struct value a, struct value b) {
    return a.kind != VALUE_NULL && b.kind != VALUE_NULL && compare_same_kind(eval, a, b) == 0;
}

int eval_key_order(const struct eval *eval, struct value a, struct value b) {
    if (a.kind == VALUE_NULL || b.kind == VALUE_NULL)
        return (a.kind != VALUE_NULL) - (b.kind != VALUE_NULL);
    return compare_same_kind(eval, a, b);
}

int eval_sort_order(const struct eval *eval, struct value a, struct value b, bool is_descending) {
    int order;
    if (a.kind == VALUE_NULL || b.kind == VALUE_NULL) {
        order = (a.kind != VALUE_NULL) - (b.kind != VALUE_NULL);
        if (eval->engine == ENGINE_POSTGRESQL) /* NULLs sort as if larger than everything */
            order = -order;
    } else {
        order = compare_same_kind(eval, a, b);
    }
    return is_descending ? -order : order;
}

/* ---- Logic ---- */

enum truth { IS_FALSE, IS_TRUE, IS_UNKNOWN };

static struct value truth_value(enum truth truth) {
    return truth == IS_UNKNOWN ? value_null() : value_bool(truth == IS_TRUE);
}

static bool truth_of(struct eval *eval, struct value value, enum truth *truth) {
    *truth = IS_UNKNOWN;
    if (value.kind == VALUE_TEXT) {
        bool whole;
        if (eval->engine == ENGINE_POSTGRESQL) {
            if (!eval_cast(eval, STR("boolean"), value, &value))
                return false;
        } else {
            value = eval_text_number(eval, value, &whole);
        }
    }
    if (value.kind == VALUE_TIME)
        return eval_fail(eval, DB_ERROR_DATA, "a time is no condition");
    *truth = value.kind == VALUE_NULL ? IS_UNKNOWN : value.number != 0 ? IS_TRUE : IS_FALSE;
    return true;
}

static bool eval_truth(struct eval *eval, const struct sql_expr *expr, enum truth *truth) {
    struct value value;
    *truth = IS_UNKNOWN;
    return eval_expr(eval, expr, &value) && truth_of(eval, value, truth);
}

bool eval_condition(struct eval *eval, const struct sql_expr *expr, bool *holds) {
    *holds = true;
    if (expr == NULL)
        return true;
    enum truth truth;
    if (!eval_truth(eval, expr, &truth))
        return false;
    *holds = truth == IS_TRUE;
    return true;
}

static enum truth truth_not(enum truth truth) {
    return truth == IS_UNKNOWN ? IS_UNKNOWN : truth == IS_TRUE ? IS_FALSE : IS_TRUE;
}

/* AND and OR; the right side is left alone where the left one decides. */
static bool eval_and_or(struct eval *eval, const struct sql_expr *expr, struct value *result) {
    enum truth decides = expr->op == SQL_OP_AND ? IS_FALSE : IS_TRUE, left, right;
    if (!eval_truth(eval, expr->args.items[0], &left))
        return false;
    if (left == decides) {
        *result = truth_value(decides);
        return true;
    }
    if (!eval_truth(eval, expr->args.items[1], &right))
        return false;
    *result = truth_value(right == decides ? decides : left == IS_UNKNOWN ? IS_UNKNOWN : right);
    return true;
}

static enum truth order_truth(enum sql_op op, int order) {
    switch (op) {
    case SQL_OP_EQ:
        return order == 0 ? IS_TRUE : IS_FALSE;
    case SQL_OP_NE:
        return order != 0 ? IS_TRUE : IS_FALSE;
    case SQL_OP_LT:
        return order < 0 ? IS_TRUE : IS_FALSE;
    case SQL_OP_LE:
        return order <= 0 ? IS_TRUE : IS_FALSE;
    case SQL_OP_GT:
        return order > 0 ? IS_TRUE : IS_FALSE;
    case SQL_OP_GE:
        return order >= 0 ? IS_TRUE : IS_FALSE;
    default:
        LW_UNREACHABLE();
    }
}

static bool compare_truth(struct eval *eval, enum sql_op op, struct value a, struct value b,
                          enum truth *truth) {
    int order = 0;
    if (op == SQL_OP_NULL_SAFE_EQ || op == SQL_OP_NULL_SAFE_NE) {
        bool same = a.kind == VALUE_NULL && b.kind == VALUE_NULL;
        if (a.kind != VALUE_NULL && b.kind != VALUE_NULL) {
            if (!eval_compare(eval, a, b, &order))
                return false;
            same = order == 0;
        }
        *truth = same == (op == SQL_OP_NULL_SAFE_EQ) ? IS_TRUE : IS_FALSE;
        return true;
    }
    if (a.kind == VALUE_NULL || b.kind == VALUE_NULL) {
        *truth = IS_UNKNOWN;
        return true;
    }
    if (!eval_compare(eval, a, b, &order))
        return false;
    *truth = order_truth(op, order);
    return true;
}

/* The members of a row expression, or the one value. */
static bool eval_members(struct eval *eval, const struct sql_expr *expr, struct value *members,
                         size_t *count) {
    if (expr->kind != SQL_ROW) {
        *count = 1;
        return eval_expr(eval, expr, members);
    }
    if (expr->args.count > ROW_MEMBERS_MAX)
        return eval_fail(eval, DB_ERROR_LIMIT, "row of more than %d values", ROW_MEMBERS_MAX);
    *count = expr->args.count;
    for (size_t i = 0; i < *count; i++)
        if (!eval_expr(eval, expr->args.items[i], &members[i]))
            return false;
    return true;
}

/* Whether two rows are equal: false as soon as one pair differs, unknown if one is unknown. */
static bool equal_members(struct eval *eval, const struct value *a, const struct value *b,
                          size_t count, enum truth *truth) {
    *truth = IS_TRUE;
    for (size_t i = 0; i < count && *truth != IS_FALSE; i++) {
        enum truth pair;
        if (!compare_truth(eval, SQL_OP_EQ, a[i], b[i], &pair))
            return false;
        if (pair != IS_TRUE)
            *truth = pair;
    }
    return true;
}

static bool eval_row_comparison(struct eval *eval, const struct sql_expr *expr,
                                struct value *result) {
    struct value left[ROW_MEMBERS_MAX], right[ROW_MEMBERS_MAX];
    size_t left_count, right_count;
    if (!eval_members(eval, expr->args.items[0], left, &left_count) ||
        !eval_members(eval, expr->args.items[1], right, &right_count))
        return false;
    if (left_count != right_count)
        return eval_fail(eval, DB_ERROR_DATA, "rows of different length compared");
    enum truth truth = IS_TRUE;
    if (expr->op == SQL_OP_EQ || expr->op == SQL_OP_NE) {
        if (!equal_members(eval, left, right, left_count, &truth))
            return false;
        *result = truth_value(expr->op == SQL_OP_EQ ? truth : truth_not(truth));
        return true;
    }
    if (expr->op == SQL_OP_NULL_SAFE_EQ || expr->op == SQL_OP_NULL_SAFE_NE)
        return eval_fail(eval, DB_ERROR_NOT_MODELLED, "IS DISTINCT FROM between rows");
    for (size_t i = 0; i < left_count; i++) { /* the first pair that differs decides */
        if (!compare_truth(eval, SQL_OP_EQ, left[i], right[i], &truth))
            return false;
        if (truth == IS_TRUE && i + 1 < left_count)
            continue;
        if (truth != IS_UNKNOWN && !compare_truth(eval, expr->op, left[i], right[i], &truth))
            return false;
        break;
    }
    *result = truth_value(truth);
    return true;
}

static bool eval_comparison(struct eval *eval, const struct sql_expr *expr, struct value *result) {
    if (expr->args.items[0]->kind == SQL_ROW || expr->args.items[1]->kind == SQL_ROW)
        return eval_row_comparison(eval, expr, result);
    struct value left, right;
    enum truth truth;
    if (!eval_expr(eval, expr->args.items[0], &left) ||
        !eval_expr(eval, expr->args.items[1], &right) ||
        !compare_truth(eval, expr->op, left, right, &truth))
        return false;
    *result = truth_value(truth);
    return true;
}

/* ---- IN, BETWEEN, LIKE, CASE ---- */

/* One more candidate of an IN list; `*truth` is what the ones before gave. */
static bool in_candidate(struct eval *eval, const struct value *needle, const struct value *item,
                         size_t count, enum truth *truth) {
    enum truth pair;
    if (!equal_members(eval, needle, item, count, &pair))
        return false;
    if (pair == IS_TRUE || (pair == IS_UNKNOWN && *truth == IS_FALSE))
        *truth = pair;
    return true;
}

static const struct db_bind *list_bind(struct eval *eval, const struct sql_expr *expr) {
    if (expr->kind != SQL_HOST || expr->host >= eval->bind_count)
        return NULL;
    const struct db_bind *bind = &eval->binds[expr->host];
    return bind->kind == DB_BIND_LIST ? bind : NULL;
}

static bool eval_in_list(struct eval *eval, const struct sql_expr *expr, const struct value *needle,
                         size_t needle_count, enum truth *truth) {
    *truth = IS_FALSE;
    for (size_t i = 1; i < expr->args.count && *truth != IS_TRUE; i++) {
        const struct sql_expr *arg = expr->args.items[i];
        const struct db_bind *list = list_bind(eval, arg);
        for (size_t k = 0; list != NULL && k < list->list_count && *truth != IS_TRUE; k++)
            if (!in_candidate(eval, needle, &list->list[k], 1, truth))
                return false;
        if (list != NULL)
            continue;
        struct value item[ROW_MEMBERS_MAX];
        size_t count;
        if (!eval_members(eval, arg, item, &count))
            return false;
        if (count != needle_count)
            return eval_fail(eval, DB_ERROR_DATA, "rows of different length compared");
        if (!in_candidate(eval, needle, item, count, truth))
            return false;
    }
    return true;
}

static bool eval_in(struct eval *eval, const struct sql_expr *expr, struct value *result) {
    struct value needle[ROW_MEMBERS_MAX];
    size_t count;
    enum truth truth;
    if (!eval_members(eval, expr->args.items[0], needle, &count))
        return false;
    if (expr->select != NULL) {
        struct value found;
        if (!eval->subquery(eval, expr->select, EVAL_SUBQUERY_IN, needle, count, &found) ||
            !truth_of(eval, found, &truth))
            return false;
    } else if (!eval_in_list(eval, expr, needle, count, &truth)) {
        return false;
    }
    *result = truth_value(expr->is_negated ? truth_not(truth) : truth);
    return true;
}

static bool eval_between(struct eval *eval, const struct sql_expr *expr, struct value *result) {
    struct value value, low, high;
    enum truth above, below;
    if (!eval_expr(eval, expr->args.items[0], &value) ||
        !eval_expr(eval, expr->args.items[1], &low) ||
        !eval_expr(eval, expr->args.items[2], &high) ||
        !compare_truth(eval, SQL_OP_GE, value, low, &above) ||
        !compare_truth(eval, SQL_OP_LE, value, high, &below))
        return false;
    enum truth truth = above == IS_FALSE || below == IS_FALSE       ? IS_FALSE
                       : above == IS_UNKNOWN || below == IS_UNKNOWN ? IS_UNKNOWN
                                                                    : IS_TRUE;
    *result = truth_value(expr->is_negated ? truth_not(truth) : truth);
    return true;
}

static size_t char_len(struct str text, size_t at) {
    size_t len = 1;
    while (at + len < text.len && ((unsigned char)text.ptr[at + len] & 0xC0) == 0x80)
        len++;
    return len;
}

/* Matches with one point to go back to: where the last % could swallow one character more. */
static bool like_match(struct str text, struct str pattern, int escape, bool ignore_case) {
    size_t t = 0, p = 0, back_t = 0, back_p = SIZE_MAX;
    while (t < text.len) {
        bool is_escaped = p + 1 < pattern.len && escape >= 0 && pattern.ptr[p] == (char)escape;
        if (p < pattern.len && !is_escaped && pattern.ptr[p] == '%') {
            back_p = ++p;
            back_t = t;
            continue;
        }
        if (p < pattern.len && !is_escaped && pattern.ptr[p] == '_') {
            t += char_len(text, t);
            p++;
            continue;
        }
        size_t at = p + is_escaped;
        if (at < pattern.len && (ignore_case ? fold(text.ptr[t]) == fold(pattern.ptr[at])
                                             : text.ptr[t] == pattern.ptr[at])) {
            t++;
            p = at + 1;
            continue;
        }
        if (back_p == SIZE_MAX)
            return false;
        back_t += char_len(text, back_t);
        t = back_t;
        p = back_p;
    }
    while (p < pattern.len && pattern.ptr[p] == '%')
        p++;
    return p == pattern.len;
}

static bool eval_like(struct eval *eval, const struct sql_expr *expr, struct value *result) {
    struct value text, pattern, escape = value_null();
    if (!eval_expr(eval, expr->args.items[0], &text) ||
        !eval_expr(eval, expr->args.items[1], &pattern) ||
        (expr->args.count > 2 && !eval_expr(eval, expr->args.items[2], &escape)))
        return false;
    if (text.kind == VALUE_NULL || pattern.kind == VALUE_NULL) {
        *result = value_null();
        return true;
    }
    int escape_byte = eval->engine == ENGINE_SQLITE ? -1 : '\\';
    if (escape.kind == VALUE_TEXT) {
        struct str written = text_pool_get(eval->pool, escape.number);
        escape_byte = written.len > 0 ? (unsigned char)written.ptr[0] : -1;
    }
    text = eval_to_text(eval, text);
    pattern = eval_to_text(eval, pattern);
    bool ignore_case = eval->engine != ENGINE_POSTGRESQL;
    bool matches = like_match(text_pool_get(eval->pool, text.number),
                              text_pool_get(eval->pool, pattern.number), escape_byte, ignore_case);
    *result = value_bool(matches != expr->is_negated);
    return true;
}

static bool eval_case(struct eval *eval, const struct sql_expr *expr, struct value *result) {
    size_t at = expr->case_has_base, end = expr->args.count - expr->case_has_else;
    struct value base = value_null();
    if (expr->case_has_base && !eval_expr(eval, expr->args.items[0], &base))
        return false;
    for (; at + 1 < end; at += 2) {
        enum truth truth;
        struct value when;
        if (!eval_expr(eval, expr->args.items[at], &when))
            return false;
        if (!(expr->case_has_base ? compare_truth(eval, SQL_OP_EQ, base, when, &truth)
                                  : truth_of(eval, when, &truth)))
            return false;
        if (truth == IS_TRUE)
            return eval_expr(eval, expr->args.items[at + 1], result);
    }
    if (expr->case_has_else)
        return eval_expr(eval, expr->args.items[end], result);
    *result = value_null();
    return true;
}

/* ---- Operators ---- */

static bool operand_number(struct eval *eval, struct value *value) {
    if (value->kind != VALUE_TEXT)
        return true;
    bool whole;
    struct value number = eval_text_number(eval, *value, &whole);
    if (!whole && eval->engine == ENGINE_POSTGRESQL)
        return eval_fail(eval, DB_ERROR_DATA, "a text in arithmetic");
    *value = number;
    return true;
}

static bool eval_arithmetic(struct eval *eval, enum sql_op op, struct value a, struct value b,
                            struct value *result) {
    static const enum value_op ops[] = {[SQL_OP_ADD] = VALUE_ADD,
                                        [SQL_OP_SUB] = VALUE_SUB,
                                        [SQL_OP_MUL] = VALUE_MUL,
                                        [SQL_OP_DIV] = VALUE_DIV,
                                        [SQL_OP_MOD] = VALUE_MOD};
    if (a.kind == VALUE_NULL || b.kind == VALUE_NULL) {
        *result = value_null();
        return true;
    }
    if (a.kind == VALUE_TIME || b.kind == VALUE_TIME)
        return eval_fail(eval, DB_ERROR_NOT_MODELLED, "arithmetic with times");
    if (!operand_number(eval, &a) || !operand_number(eval, &b))
        return false;
    if ((op == SQL_OP_DIV || op == SQL_OP_MOD) && b.number == 0) {
        *result = value_null();
        return eval->engine != ENGINE_POSTGRESQL ||
               eval_fail(eval, DB_ERROR_DATA, "division by zero");
    }
    if (!value_arith(ops[op], a, b, !is_mysql(eval), result))
        return eval_fail(eval, DB_ERROR_DATA, "number out of range");
    return true;
}

static bool eval_concat(struct eval *eval, struct value a, struct value b, struct value *result) {
    if (a.kind == VALUE_NULL || b.kind == VALUE_NULL) {
        *result = value_null();
        return true;
    }
    struct str left = text_pool_get(eval->pool, eval_to_text(eval, a).number);
    struct str right = text_pool_get(eval->pool, eval_to_text(eval, b).number);
    char *joined = arena_alloc(eval->scratch, left.len + right.len + 1);
    if (left.len > 0)
        memcpy(joined, left.ptr, left.len);
    if (right.len > 0)
        memcpy(joined + left.len, right.ptr, right.len);
    *result = value_text(eval->pool, (struct str){joined, left.len + right.len});
    return true;
}

static bool eval_binary(struct eval *eval, const struct sql_expr *expr, struct value *result) {
    switch (expr->op) {
    case SQL_OP_AND:
    case SQL_OP_OR:
        return eval_and_or(eval, expr, result);
    case SQL_OP_EQ:
    case SQL_OP_NE:
    case SQL_OP_LT:
    case SQL_OP_LE:
    case SQL_OP_GT:
    case SQL_OP_GE:
    case SQL_OP_NULL_SAFE_EQ:
    case SQL_OP_NULL_SAFE_NE:
        return eval_comparison(eval, expr, result);
    default:
        break;
    }
    struct value left, right;
    if (!eval_expr(eval, expr->args.items[0], &left) ||
        !eval_expr(eval, expr->args.items[1], &right))
        return false;
    if (expr->op == SQL_OP_CONCAT)
        return eval_concat(eval, left, right, result);
    LW_ASSERT(expr->op >= SQL_OP_ADD && expr->op <= SQL_OP_MOD);
    return eval_arithmetic(eval, expr->op, left, right, result);
}

static bool eval_unary(struct eval *eval, const struct sql_expr *expr, struct value *result) {
    if (expr->op == SQL_OP_NOT) {
        enum truth truth;
        if (!eval_truth(eval, expr->args.items[0], &truth))
            return false;
        *result = truth_value(truth_not(truth));
        return true;
    }
    LW_ASSERT(expr->op == SQL_OP_NEG);
    struct value value;
    return eval_expr(eval, expr->args.items[0], &value) &&
           eval_arithmetic(eval, SQL_OP_SUB, value_int(0), value, result);
}

/* ---- Leaves ---- */

static bool eval_column(struct eval *eval, const struct sql_expr *expr, struct value *result) {
    const struct eval_frame *frame = eval->frame;
    for (unsigned depth = expr->depth; depth > 0 && frame != NULL; depth--)
        frame = frame->outer;
    if (frame == NULL)
        return eval_fail(eval, DB_ERROR_NOT_MODELLED, "column %.*s without a row",
                         (int)(expr->name.len < 60 ? expr->name.len : 60), expr->name.ptr);
    const struct value *row;
    if (expr->source == SQL_SOURCE_EXCLUDED)
        row = frame->excluded;
    else if (expr->source == SQL_SOURCE_ITEM)
        row = frame->items;
    else if (expr->source < frame->source_count)
        row = frame->rows[expr->source];
    else
        return eval_fail(eval, DB_ERROR_NOT_MODELLED, "column %.*s without a row",
                         (int)(expr->name.len < 60 ? expr->name.len : 60), expr->name.ptr);
    *result = row == NULL ? value_null() : row[expr->column];
    return true;
}

/* A host value that is an expression is over the row that the statement itself is at. */
static bool eval_host(struct eval *eval, const struct sql_expr *expr, struct value *result) {
    if (expr->host >= eval->bind_count)
        return eval_fail(eval, DB_ERROR_DATA, "host value %u is missing", (unsigned)expr->host);
    const struct db_bind *bind = &eval->binds[expr->host];
    if (bind->kind == DB_BIND_VALUE) {
        *result = bind->value;
        return true;
    }
    if (bind->kind == DB_BIND_LIST)
        return eval_fail(eval, DB_ERROR_DATA, "a list outside of IN");
    const struct eval_frame *frame = eval->frame, *statement = frame;
    while (statement != NULL && statement->outer != NULL)
        statement = statement->outer;
    eval->frame = statement;
    bool done = eval_expr(eval, bind->expr, result);
    eval->frame = frame;
    return done;
}

static bool eval_aggregate(struct eval *eval, const struct sql_expr *call, struct value *result) {
    const struct eval_group *group = eval->frame == NULL ? NULL : eval->frame->group;
    for (size_t i = 0; group != NULL && i < group->count; i++) {
        if (group->calls[i] == call) {
            *result = group->values[i];
            return true;
        }
    }
    return eval_fail(eval, DB_ERROR_NOT_MODELLED, "aggregate of an outer query");
}

static bool eval_call_args(struct eval *eval, const struct sql_expr *expr, struct value *result) {
    if (eval_is_aggregate(expr))
        return eval_aggregate(eval, expr, result);
    struct value args[8], *values = args;
    if (expr->args.count > LW_COUNT_OF(args))
        values = ARENA_ARRAY(eval->scratch, struct value, expr->args.count);
    for (size_t i = 0; i < expr->args.count; i++)
        if (!eval_expr(eval, expr->args.items[i], &values[i]))
            return false;
    return eval_call(eval, expr, values, expr->args.count, result);
}

static bool eval_subquery(struct eval *eval, const struct sql_expr *expr, struct value *result) {
    LW_ASSERT(eval->subquery != NULL);
    bool is_exists = expr->kind == SQL_EXISTS;
    if (!eval->subquery(eval, expr->select, is_exists ? EVAL_SUBQUERY_EXISTS : EVAL_SUBQUERY_SCALAR,
                        NULL, 0, result))
        return false;
    if (is_exists && expr->is_negated)
        *result = value_bool(result->number == 0);
    return true;
}

static bool eval_node(struct eval *eval, const struct sql_expr *expr, struct value *result) {
    switch (expr->kind) {
    case SQL_LITERAL:
        *result = expr->literal;
        return true;
    case SQL_COLUMN:
        return eval_column(eval, expr, result);
    case SQL_HOST:
        return eval_host(eval, expr, result);
    case SQL_UNARY:
        return eval_unary(eval, expr, result);
    case SQL_BINARY:
        return eval_binary(eval, expr, result);
    case SQL_IS_NULL:
        if (!eval_expr(eval, expr->args.items[0], result))
            return false;
        *result = value_bool((result->kind == VALUE_NULL) != expr->is_negated);
        return true;
    case SQL_IN:
        return eval_in(eval, expr, result);
    case SQL_BETWEEN:
        return eval_between(eval, expr, result);
    case SQL_LIKE:
        return eval_like(eval, expr, result);
    case SQL_CASE:
        return eval_case(eval, expr, result);
    case SQL_CALL:
        return eval_call_args(eval, expr, result);
    case SQL_CAST:
        return eval_expr(eval, expr->args.items[0], result) &&
               eval_cast(eval, expr->qualifier, *result, result);
    case SQL_ROW:
        return eval_fail(eval, DB_ERROR_NOT_MODELLED, "a row as a value");
    case SQL_SUBQUERY:
    case SQL_EXISTS:
        return eval_subquery(eval, expr, result);
    case SQL_DEFAULT:
        return eval_fail(eval, DB_ERROR_NOT_MODELLED, "DEFAULT in an expression");
    }
    LW_UNREACHABLE();
}

bool eval_expr(struct eval *eval, const struct sql_expr *expr, struct value *result) {
    if (expr->kind == SQL_LITERAL) {
        *result = expr->literal;
        return true;
    }
    if (eval->nesting >= EVAL_NESTING_MAX)
        return eval_fail(eval, DB_ERROR_LIMIT, "expression too deep");
    eval->nesting++;
    bool done = eval_node(eval, expr, result);
    eval->nesting--;
    return done;
}
