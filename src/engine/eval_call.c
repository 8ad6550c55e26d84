/* Functions and casts. A function that is not in the table is not modelled: it is an error with the
 * function's name, never a guess. */
#include "base/assert.h"
#include "base/utf8.h"
#include "engine/eval.h"

static bool is_mysql(const struct eval *eval) {
    return eval->engine == ENGINE_MYSQL || eval->engine == ENGINE_MARIADB;
}

static bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

static bool is_blank(char byte) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* ---- Texts and numbers ---- */

struct value eval_text_number(const struct eval *eval, struct value text, bool *whole) {
    struct str s = text_pool_get(eval->pool, text.number);
    size_t at = 0, digits = 0;
    int64_t number = 0;
    uint8_t scale = 0;
    bool is_negative = false, has_point = false, fits = true;
    while (at < s.len && is_blank(s.ptr[at]))
        at++;
    if (at < s.len && (s.ptr[at] == '-' || s.ptr[at] == '+'))
        is_negative = s.ptr[at++] == '-';
    for (; at < s.len && (is_digit(s.ptr[at]) || (s.ptr[at] == '.' && !has_point)); at++) {
        if (s.ptr[at] == '.') {
            has_point = true;
            continue;
        }
        digits++;
        if (number > (INT64_MAX - 9) / 10 || scale == 18) {
            fits = fits && has_point; /* digits after the point that do not fit are cut off */
            continue;
        }
        number = number * 10 + (s.ptr[at] - '0');
        scale += has_point;
    }
    while (at < s.len && is_blank(s.ptr[at]))
        at++;
    *whole = at == s.len && digits > 0 && fits;
    number = is_negative ? -number : number;
    return has_point ? value_decimal(number, scale) : value_int(number);
}

struct value eval_to_text(struct eval *eval, struct value value) {
    if (value.kind == VALUE_TEXT)
        return value;
    struct buf buf = {0};
    if (value.kind == VALUE_BOOL)
        buf_add_c(&buf, eval->engine != ENGINE_POSTGRESQL ? value.number ? "1" : "0"
                        : value.number                    ? "true"
                                                          : "false");
    else if (value.kind != VALUE_TIME || !value_time_text(value, &buf))
        value_print(eval->pool, value, &buf);
    struct value text = value_text(eval->pool, buf_str(&buf));
    buf_release(&buf);
    return text;
}

static struct value round_to(const struct eval *eval, struct value value, int64_t digits,
                             bool *fits) {
    *fits = true;
    if (value.kind != VALUE_DECIMAL || digits >= value.scale)
        return value;
    int64_t divisor = 1, number = value.number;
    for (int64_t i = digits; i < value.scale; i++) {
        if (divisor > INT64_MAX / 10)
            return value_int(0);
        divisor *= 10;
    }
    int64_t half = divisor / 2, rest = number % divisor;
    number /= divisor;
    number += rest >= half ? 1 : rest <= -half ? -1 : 0; /* away from zero */
    (void)eval;
    if (digits > 0)
        return value_decimal(number, (uint8_t)digits);
    for (int64_t i = digits; i < 0; i++) {
        *fits = number <= INT64_MAX / 10 && number >= INT64_MIN / 10;
        if (!*fits)
            return value_int(0);
        number *= 10;
    }
    return value_int(number);
}

/* ---- CAST ---- */

enum cast_target {
    CAST_INT,
    CAST_DECIMAL,
    CAST_TEXT,
    CAST_BOOL,
    CAST_TIME,
    CAST_FLOAT,
    CAST_UNKNOWN
};

static enum cast_target cast_target(struct str type_text) {
    static const struct {
        const char *name;
        enum cast_target target;
    } names[] = {
        {"int", CAST_INT},         {"integer", CAST_INT},    {"bigint", CAST_INT},
        {"smallint", CAST_INT},    {"tinyint", CAST_INT},    {"mediumint", CAST_INT},
        {"signed", CAST_INT},      {"unsigned", CAST_INT},   {"int4", CAST_INT},
        {"int8", CAST_INT},        {"int2", CAST_INT},       {"decimal", CAST_DECIMAL},
        {"numeric", CAST_DECIMAL}, {"char", CAST_TEXT},      {"varchar", CAST_TEXT},
        {"text", CAST_TEXT},       {"character", CAST_TEXT}, {"nchar", CAST_TEXT},
        {"bool", CAST_BOOL},       {"boolean", CAST_BOOL},   {"date", CAST_TIME},
        {"datetime", CAST_TIME},   {"timestamp", CAST_TIME}, {"timestamptz", CAST_TIME},
        {"float", CAST_FLOAT},     {"double", CAST_FLOAT},   {"real", CAST_FLOAT},
    };
    size_t len = 0;
    while (len < type_text.len &&
           ((type_text.ptr[len] | 0x20) >= 'a' && (type_text.ptr[len] | 0x20) <= 'z'))
        len++;
    if (len < type_text.len && is_digit(type_text.ptr[len]))
        len++;
    for (size_t i = 0; i < LW_COUNT_OF(names); i++)
        if (str_equal_nocase(str_sub(type_text, 0, len), str_from_c(names[i].name)))
            return names[i].target;
    return CAST_UNKNOWN;
}

/* The digits after the point of "decimal(10, 2)"; -1: none are said. */
static int64_t cast_scale(struct str type_text) {
    size_t open = str_find(type_text, '(', 0), comma = str_find(type_text, ',', 0);
    if (open == type_text.len)
        return -1;
    int64_t scale = 0;
    for (size_t i = comma + 1; i < type_text.len && scale < 1000; i++)
        if (is_digit(type_text.ptr[i]))
            scale = scale * 10 + (type_text.ptr[i] - '0');
    return scale;
}

static bool cast_bool(struct eval *eval, struct value value, struct value *result) {
    static const char *const words[] = {"f", "false", "no",  "off", "0", "n",
                                        "t", "true",  "yes", "on",  "1", "y"};
    if (value.kind == VALUE_TEXT) {
        struct str text = text_pool_get(eval->pool, value.number);
        for (size_t i = 0; i < LW_COUNT_OF(words); i++) {
            if (str_equal_nocase(text, str_from_c(words[i]))) {
                *result = value_bool(i >= LW_COUNT_OF(words) / 2);
                return true;
            }
        }
    }
    if (!eval_is_number(value))
        return eval_fail(eval, DB_ERROR_DATA, "not a boolean");
    *result = value_bool(value.number != 0);
    return true;
}

static bool cast_number(struct eval *eval, struct value value, int64_t scale, bool to_int,
                        struct value *result) {
    bool whole = true, fits;
    if (value.kind == VALUE_TEXT)
        value = eval_text_number(eval, value, &whole);
    if (!eval_is_number(value) || (!whole && eval->engine == ENGINE_POSTGRESQL))
        return eval_fail(eval, DB_ERROR_DATA, "not a number");
    if (value.kind == VALUE_BOOL)
        value = value_int(value.number);
    if (to_int && eval->engine == ENGINE_SQLITE && value.kind == VALUE_DECIMAL) {
        for (; value.scale > 0; value.scale--) /* SQLite cuts off, the others round */
            value.number /= 10;
        value = value_int(value.number);
    }
    *result = scale < 0 && !to_int ? value : round_to(eval, value, to_int ? 0 : scale, &fits);
    return true;
}

bool eval_cast(struct eval *eval, struct str type_text, struct value value, struct value *result) {
    enum cast_target target = cast_target(type_text);
    if (value.kind == VALUE_NULL && target != CAST_UNKNOWN) {
        *result = value;
        return true;
    }
    switch (target) {
    case CAST_INT:
        if (value.kind == VALUE_INT) {
            *result = value;
            return true;
        }
        return cast_number(eval, value, 0, true, result);
    case CAST_DECIMAL: {
        int64_t scale = cast_scale(type_text);
        if (scale < 0 && is_mysql(eval)) /* DECIMAL is DECIMAL(10, 0) there */
            scale = 0;
        return cast_number(eval, value, eval->engine == ENGINE_SQLITE ? -1 : scale, false, result);
    }
    case CAST_FLOAT:
        return cast_number(eval, value, -1, false, result);
    case CAST_TEXT:
        *result = eval_to_text(eval, value);
        return true;
    case CAST_BOOL:
        return cast_bool(eval, value, result);
    case CAST_TIME:
        *result = value;
        if (value.kind == VALUE_TIME)
            return true;
        if (value.kind == VALUE_TEXT &&
            value_parse_time(text_pool_get(eval->pool, value.number), result))
            return true;
        return eval_fail(eval, DB_ERROR_DATA, "not a time");
    case CAST_UNKNOWN:
        break;
    }
    return eval_fail(eval, DB_ERROR_NOT_MODELLED, "CAST to %.*s",
                     (int)(type_text.len < 60 ? type_text.len : 60), type_text.ptr);
}

/* ---- Functions ---- */

struct call {
    struct eval *eval;
    const struct sql_expr *expr;
    const struct value *args;
    size_t count;
};

static bool fn_coalesce(const struct call *call, struct value *result) {
    *result = value_null();
    for (size_t i = 0; i < call->count && result->kind == VALUE_NULL; i++)
        *result = call->args[i];
    return true;
}

static bool fn_nullif(const struct call *call, struct value *result) {
    int order = 1;
    bool is_null = call->args[0].kind == VALUE_NULL || call->args[1].kind == VALUE_NULL;
    if (!is_null && !eval_compare(call->eval, call->args[0], call->args[1], &order))
        return false;
    *result = order == 0 ? value_null() : call->args[0];
    return true;
}

/* PostgreSQL passes NULLs over, the others give NULL. */
static bool extreme(const struct call *call, int sign, struct value *result) {
    *result = value_null();
    for (size_t i = 0; i < call->count; i++) {
        struct value arg = call->args[i];
        int order;
        if (arg.kind == VALUE_NULL && call->eval->engine == ENGINE_POSTGRESQL)
            continue;
        if (arg.kind == VALUE_NULL) {
            *result = arg;
            return true;
        }
        if (result->kind != VALUE_NULL) {
            if (!eval_compare(call->eval, arg, *result, &order))
                return false;
            if (order * sign <= 0)
                continue;
        }
        *result = arg;
    }
    return true;
}

static bool fn_greatest(const struct call *call, struct value *result) {
    return extreme(call, 1, result);
}

static bool fn_least(const struct call *call, struct value *result) {
    return extreme(call, -1, result);
}

static bool fn_abs(const struct call *call, struct value *result) {
    *result = call->args[0];
    if (result->kind == VALUE_NULL)
        return true;
    if (!eval_is_number(*result) || result->number == INT64_MIN)
        return eval_fail(call->eval, DB_ERROR_DATA, "ABS of no number, or out of range");
    if (result->number < 0)
        *result =
            (struct value){.kind = result->kind, .scale = result->scale, .number = -result->number};
    return true;
}

static bool fn_sign(const struct call *call, struct value *result) {
    *result = call->args[0];
    if (result->kind == VALUE_NULL)
        return true;
    if (!eval_is_number(*result))
        return eval_fail(call->eval, DB_ERROR_DATA, "SIGN of no number");
    *result = value_int((result->number > 0) - (result->number < 0));
    return true;
}

static bool fn_round(const struct call *call, struct value *result) {
    *result = call->args[0];
    bool fits = true;
    if (result->kind == VALUE_NULL)
        return true;
    if (!eval_is_number(*result) || (call->count > 1 && call->args[1].kind != VALUE_INT))
        return eval_fail(call->eval, DB_ERROR_DATA, "ROUND of no number");
    int64_t digits = call->count > 1 ? call->args[1].number : 0;
    if (digits < 0 && result->kind != VALUE_DECIMAL)
        *result = (struct value){.kind = VALUE_DECIMAL, .number = result->number};
    *result = round_to(call->eval, *result, digits < -20 ? -20 : digits, &fits);
    return fits || eval_fail(call->eval, DB_ERROR_DATA, "number out of range");
}

static bool floor_or_ceil(const struct call *call, bool up, struct value *result) {
    *result = call->args[0];
    if (result->kind == VALUE_NULL)
        return true;
    if (!eval_is_number(*result))
        return eval_fail(call->eval, DB_ERROR_DATA, "FLOOR of no number");
    bool inexact = false, is_negative = result->number < 0;
    int64_t number = result->number;
    for (unsigned i = 0; i < result->scale; i++) {
        inexact = inexact || number % 10 != 0;
        number /= 10;
    }
    if (inexact && is_negative != up)
        number += up ? 1 : -1;
    *result = value_int(number);
    return true;
}

static bool fn_floor(const struct call *call, struct value *result) {
    return floor_or_ceil(call, false, result);
}

static bool fn_ceil(const struct call *call, struct value *result) {
    return floor_or_ceil(call, true, result);
}

static bool fn_mod(const struct call *call, struct value *result) {
    struct value a = call->args[0], b = call->args[1];
    *result = value_null();
    if (a.kind == VALUE_NULL || b.kind == VALUE_NULL)
        return true;
    if (b.number == 0 && eval_is_number(b) && is_mysql(call->eval))
        return true;
    return value_arith(VALUE_MOD, a, b, true, result) ||
           eval_fail(call->eval, DB_ERROR_DATA, "MOD");
}

static struct str arg_text(const struct call *call, size_t index) {
    return text_pool_get(call->eval->pool, eval_to_text(call->eval, call->args[index]).number);
}

static bool change_case(const struct call *call, bool upper, struct value *result) {
    *result = call->args[0];
    if (result->kind == VALUE_NULL)
        return true;
    struct str text = arg_text(call, 0);
    char *out = arena_alloc(call->eval->scratch, text.len + 1);
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.ptr[i];
        bool is_letter = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
        out[i] = !is_letter ? byte : upper ? (char)(byte & ~0x20) : (char)(byte | 0x20);
    }
    *result = value_text(call->eval->pool, (struct str){out, text.len});
    return true;
}

static bool fn_upper(const struct call *call, struct value *result) {
    return change_case(call, true, result);
}

static bool fn_lower(const struct call *call, struct value *result) {
    return change_case(call, false, result);
}

static int64_t char_count(struct str text) {
    int64_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += ((unsigned char)text.ptr[i] & 0xC0) != 0x80;
    return count;
}

static bool fn_char_length(const struct call *call, struct value *result) {
    *result =
        call->args[0].kind == VALUE_NULL ? value_null() : value_int(char_count(arg_text(call, 0)));
    return true;
}

/* Bytes on MySQL, characters elsewhere. */
static bool fn_length(const struct call *call, struct value *result) {
    if (!is_mysql(call->eval) || call->args[0].kind == VALUE_NULL)
        return fn_char_length(call, result);
    *result = value_int((int64_t)arg_text(call, 0).len);
    return true;
}

static bool join_texts(const struct call *call, size_t first, struct str separator, bool skip_null,
                       struct value *result) {
    struct buf buf = {0};
    bool is_null = false, is_first = true;
    for (size_t i = first; i < call->count; i++) {
        if (call->args[i].kind == VALUE_NULL) {
            is_null = true;
            continue;
        }
        if (!is_first)
            buf_add(&buf, separator);
        is_first = false;
        buf_add(&buf, arg_text(call, i));
    }
    *result = is_null && !skip_null ? value_null() : value_text(call->eval->pool, buf_str(&buf));
    buf_release(&buf);
    return true;
}

static bool fn_concat(const struct call *call, struct value *result) {
    return join_texts(call, 0, STR(""), call->eval->engine == ENGINE_POSTGRESQL, result);
}

static bool fn_concat_ws(const struct call *call, struct value *result) {
    if (call->args[0].kind == VALUE_NULL) {
        *result = value_null();
        return true;
    }
    return join_texts(call, 1, arg_text(call, 0), true, result);
}

/* SUBSTRING(text, from, count), from 1. From 0 and below the engines differ. */
static bool fn_substring(const struct call *call, struct value *result) {
    *result = value_null();
    for (size_t i = 0; i < call->count; i++)
        if (call->args[i].kind == VALUE_NULL)
            return true;
    if (call->args[1].kind != VALUE_INT || (call->count > 2 && call->args[2].kind != VALUE_INT))
        return eval_fail(call->eval, DB_ERROR_DATA, "SUBSTRING from no number");
    struct str text = arg_text(call, 0);
    int64_t from = call->args[1].number, count = call->count > 2 ? call->args[2].number : INT64_MAX;
    if (from < 1 || count < 0)
        return eval_fail(call->eval, DB_ERROR_NOT_MODELLED, "SUBSTRING from before the text");
    size_t start = 0, end;
    for (int64_t i = 1; i < from && start < text.len; i++)
        start += utf8_sequence_len(str_sub(text, start, text.len)) + 0 > 0
                     ? utf8_sequence_len(str_sub(text, start, text.len))
                     : 1;
    end = start;
    for (int64_t i = 0; i < count && end < text.len; i++) {
        size_t len = utf8_sequence_len(str_sub(text, end, text.len));
        end += len > 0 ? len : 1;
    }
    *result = value_text(call->eval->pool, str_sub(text, start, end));
    return true;
}

static bool fn_trim(const struct call *call, struct value *result) {
    *result = call->args[0];
    if (result->kind == VALUE_NULL)
        return true;
    struct str text = arg_text(call, 0);
    size_t from = 0, to = text.len;
    while (from < to && text.ptr[from] == ' ')
        from++;
    while (to > from && text.ptr[to - 1] == ' ')
        to--;
    *result = value_text(call->eval->pool, str_sub(text, from, to));
    return true;
}

static bool fn_if(const struct call *call, struct value *result) {
    if (!is_mysql(call->eval) || call->args[0].kind == VALUE_TEXT)
        return eval_fail(call->eval, DB_ERROR_NOT_MODELLED, "IF");
    bool holds = call->args[0].kind != VALUE_NULL && call->args[0].number != 0;
    *result = call->args[holds ? 1 : 2];
    return true;
}

static bool fn_now(const struct call *call, struct value *result) {
    if (call->eval->now == NULL)
        return eval_fail(call->eval, DB_ERROR_NOT_MODELLED, "current time here");
    *result = call->eval->now(call->eval->now_context);
    return true;
}

static const struct {
    const char *name;
    uint8_t args_min, args_max;
    bool (*run)(const struct call *call, struct value *result);
} functions[] = {
    {"COALESCE", 1, 255, fn_coalesce},
    {"IFNULL", 2, 2, fn_coalesce},
    {"NULLIF", 2, 2, fn_nullif},
    {"GREATEST", 1, 255, fn_greatest},
    {"LEAST", 1, 255, fn_least},
    {"MAX", 2, 255, fn_greatest}, /* SQLite's; with one argument they are aggregates */
    {"MIN", 2, 255, fn_least},
    {"ABS", 1, 1, fn_abs},
    {"SIGN", 1, 1, fn_sign},
    {"ROUND", 1, 2, fn_round},
    {"FLOOR", 1, 1, fn_floor},
    {"CEIL", 1, 1, fn_ceil},
    {"CEILING", 1, 1, fn_ceil},
    {"MOD", 2, 2, fn_mod},
    {"UPPER", 1, 1, fn_upper},
    {"UCASE", 1, 1, fn_upper},
    {"LOWER", 1, 1, fn_lower},
    {"LCASE", 1, 1, fn_lower},
    {"LENGTH", 1, 1, fn_length},
    {"CHAR_LENGTH", 1, 1, fn_char_length},
    {"CHARACTER_LENGTH", 1, 1, fn_char_length},
    {"CONCAT", 1, 255, fn_concat},
    {"CONCAT_WS", 2, 255, fn_concat_ws},
    {"SUBSTRING", 2, 3, fn_substring},
    {"SUBSTR", 2, 3, fn_substring},
    {"TRIM", 1, 1, fn_trim},
    {"IF", 3, 3, fn_if},
    {"NOW", 0, 1, fn_now},
    {"CURRENT_TIMESTAMP", 0, 1, fn_now},
    {"LOCALTIMESTAMP", 0, 1, fn_now},
    {"STATEMENT_TIMESTAMP", 0, 0, fn_now},
    {"TRANSACTION_TIMESTAMP", 0, 0, fn_now},
    {"CLOCK_TIMESTAMP", 0, 0, fn_now},
    {"UTC_TIMESTAMP", 0, 1, fn_now},
    {"SYSDATE", 0, 1, fn_now},
};

bool eval_call(struct eval *eval, const struct sql_expr *call, const struct value *args,
               size_t arg_count, struct value *result) {
    const struct call context = {eval, call, args, arg_count};
    for (size_t i = 0; i < LW_COUNT_OF(functions); i++) {
        if (!str_is(call->name, functions[i].name))
            continue;
        if (arg_count < functions[i].args_min || arg_count > functions[i].args_max)
            return eval_fail(eval, DB_ERROR_DATA, "wrong count of arguments of %s",
                             functions[i].name);
        return functions[i].run(&context, result);
    }
    bool is_known = false;
    bool done = eval->session_call != NULL &&
                eval->session_call(eval, call, args, arg_count, &is_known, result);
    if (is_known)
        return done;
    return eval_fail(eval, DB_ERROR_NOT_MODELLED, "function %.*s",
                     (int)(call->name.len < 60 ? call->name.len : 60), call->name.ptr);
}

bool eval_is_aggregate(const struct sql_expr *call) {
    static const char *const names[] = {"COUNT", "SUM", "MIN", "MAX", "AVG"};
    if (call->kind != SQL_CALL || (call->args.count != 1 && !call->is_star))
        return false;
    for (size_t i = 0; i < LW_COUNT_OF(names); i++)
        if (str_is(call->name, names[i]))
            return true;
    return false;
}
