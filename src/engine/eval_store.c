/* What a column keeps of a value it is given: conversion to the column's type, with the range and length
 * that the type's text says. PostgreSQL and MySQL (strict mode, as Django sets it) refuse what does not
 * fit; SQLite keeps it as it is (type affinity). */
#include "base/assert.h"
#include "engine/eval.h"

static bool contains_nocase(struct str text, const char *word) {
    struct str wanted = str_from_c(word);
    for (size_t i = 0; i + wanted.len <= text.len; i++)
        if (str_equal_nocase(str_sub(text, i, i + wanted.len), wanted))
            return true;
    return false;
}

/* The first number in parentheses; 0: none. */
static int64_t type_length(struct str type_text, int64_t *scale) {
    size_t at = str_find(type_text, '(', 0);
    int64_t numbers[2] = {0, 0};
    size_t count = 0;
    for (at++; at < type_text.len && type_text.ptr[at] != ')' && count < 2; at++) {
        char byte = type_text.ptr[at];
        if (byte == ',')
            count++;
        else if (byte >= '0' && byte <= '9' && count < 2 && numbers[count] < 1000000)
            numbers[count] = numbers[count] * 10 + (byte - '0');
    }
    *scale = numbers[1];
    return numbers[0];
}

static bool out_of_range(struct eval *eval, const struct column *column) {
    return eval_fail(eval, DB_ERROR_DATA, "column %.*s",
                     (int)(column->name.len < 60 ? column->name.len : 60), column->name.ptr);
}

static bool store_int(struct eval *eval, const struct column *column, struct value value,
                      struct value *result) {
    bool whole = true;
    if (value.kind == VALUE_TEXT) {
        struct value number = eval_text_number(eval, value, &whole);
        if (whole)
            value = number;
    }
    bool is_fraction = value.kind == VALUE_DECIMAL && value.scale > 0;
    if (eval->engine == ENGINE_SQLITE && (!whole || is_fraction || !eval_is_number(value))) {
        *result = value;
        return true;
    }
    if (!whole || !eval_is_number(value))
        return out_of_range(eval, column);
    if (value.kind != VALUE_INT && !eval_cast(eval, STR("bigint"), value, &value))
        return false;
    *result = value;
    if (eval->engine == ENGINE_SQLITE || (value.number >= 0 && value.number <= 127))
        return true;
    struct str type = column->type_text;
    bool is_unsigned = contains_nocase(type, "unsigned");
    int64_t max = INT64_MAX;
    if (contains_nocase(type, "tinyint"))
        max = INT8_MAX;
    else if (contains_nocase(type, "small"))
        max = INT16_MAX;
    else if (contains_nocase(type, "mediumint"))
        max = (1 << 23) - 1;
    else if (!contains_nocase(type, "big") && !contains_nocase(type, "int8"))
        max = INT32_MAX;
    int64_t min = is_unsigned ? 0 : -max - 1;
    if (is_unsigned && max != INT64_MAX)
        max = max * 2 + 1;
    if (value.number < min || value.number > max)
        return out_of_range(eval, column);
    return true;
}

static bool store_decimal(struct eval *eval, const struct column *column, struct value value,
                          struct value *result) {
    bool whole = true;
    if (value.kind == VALUE_TEXT) {
        struct value number = eval_text_number(eval, value, &whole);
        if (whole)
            value = number;
    }
    if (eval->engine == ENGINE_SQLITE) {
        *result = value;
        return true;
    }
    if (!whole || !eval_is_number(value))
        return out_of_range(eval, column);
    int64_t scale, digits = type_length(column->type_text, &scale);
    if (value.kind == VALUE_BOOL)
        value = value_int(value.number);
    if (digits > 0 && !eval_cast(eval, column->type_text, value, &value))
        return false;
    *result = value;
    int64_t limit = 1;
    for (int64_t i = 0; digits > 0 && i < digits - scale + value.scale; i++) {
        if (limit > INT64_MAX / 10)
            return true;
        limit *= 10;
    }
    if (digits > 0 && (value.number >= limit || value.number <= -limit))
        return out_of_range(eval, column);
    return true;
}

static bool store_text(struct eval *eval, const struct column *column, struct value value,
                       struct value *result) {
    *result = value.kind == VALUE_TEXT ? value : eval_to_text(eval, value);
    if (eval->engine == ENGINE_SQLITE)
        return true;
    int64_t scale, length_max = type_length(column->type_text, &scale);
    if (length_max == 0)
        return true;
    struct str text = text_pool_get(eval->pool, result->number);
    int64_t length = 0;
    for (size_t i = 0; i < text.len; i++)
        length += ((unsigned char)text.ptr[i] & 0xC0) != 0x80;
    return length <= length_max || out_of_range(eval, column);
}

static bool store_time(struct eval *eval, const struct column *column, struct value value,
                       struct value *result) {
    *result = value;
    if (value.kind == VALUE_TIME)
        return true;
    if (value.kind == VALUE_TEXT &&
        value_parse_time(text_pool_get(eval->pool, value.number), result))
        return true;
    *result = value;
    return eval->engine == ENGINE_SQLITE || out_of_range(eval, column);
}

bool eval_store(struct eval *eval, const struct column *column, struct value value,
                struct value *result) {
    *result = value;
    if (value.kind == VALUE_NULL)
        return true;
    switch (column->type) {
    case COLUMN_INT:
        return store_int(eval, column, value, result);
    case COLUMN_DECIMAL:
        return store_decimal(eval, column, value, result);
    case COLUMN_TEXT:
        return store_text(eval, column, value, result);
    case COLUMN_BOOL:
        return value.kind == VALUE_BOOL || eval_cast(eval, STR("boolean"), value, result);
    case COLUMN_TIME:
        return store_time(eval, column, value, result);
    case COLUMN_OTHER:
        return true;
    }
    LW_UNREACHABLE();
}

bool eval_default(struct eval *eval, const struct column *column, struct value *result) {
    *result = value_null();
    return column->default_expr == NULL || (eval_expr(eval, column->default_expr, result) &&
                                            eval_store(eval, column, *result, result));
}
