/* Texts of which a part is known: "UPDATE %s SET ..." % table, f-strings, "{}".format(x), sums of such. What isn't known is a
 * hole in the pattern of the value. */
#include "django/template.h"

#include "base/assert.h"

bool template_of(struct lowerer *l, const struct val *val, struct str *pattern) {
    if (val->kind == VAL_SCALAR && val_text(l, val, pattern))
        return true;
    *pattern = val->pattern;
    return pattern->len > 0;
}

void template_add(struct lowerer *l, const struct val *val, struct buf *out) {
    struct str pattern;
    struct value value;
    if (val != NULL && template_of(l, val, &pattern))
        buf_add(out, pattern);
    else if (val != NULL && val_constant(val, &value) && value.kind == VALUE_INT)
        buf_printf(out, "%lld", (long long)value.number);
    else
        buf_add_char(out, TEMPLATE_HOLE);
}

struct val *template_done(struct lowerer *l, struct val *val, struct buf *pattern) {
    enum { PATTERN_BYTES_MAX = 16384 };
    struct str text = str_dup(l->arena, buf_str(pattern));
    buf_release(pattern);
    if (text.len > PATTERN_BYTES_MAX || text.len == 0)
        return val;
    if (str_find(text, TEMPLATE_HOLE, 0) == text.len)
        return val_literal(l, val->span, value_text(l->pool, text));
    struct val *with = arena_copy(l->arena, val, sizeof(*val));
    with->pattern = text;
    return with;
}

static const struct val *item_named(struct lowerer *l, const struct val *dict, struct str name) {
    struct str key;
    for (size_t i = 0; dict != NULL && dict->kind == VAL_DICT && i < dict->keys.count; i++)
        if (val_text(l, dict->keys.items[i], &key) && str_equal(key, name))
            return dict->items.items[i];
    return NULL;
}

void template_percent(struct lowerer *l, struct str format, const struct val *values, struct buf *out) {
    size_t next = 0;
    for (size_t i = 0; i < format.len; i++) {
        char after = i + 1 < format.len ? format.ptr[i + 1] : '\0';
        if (format.ptr[i] != '%' || after == '\0') {
            buf_add_char(out, format.ptr[i]);
        } else if (after == '%') {
            buf_add_char(out, '%');
            i++;
        } else if (after == '(') {
            size_t end = str_find(format, ')', i);
            template_add(l, item_named(l, values, str_sub(format, i + 2, end)), out);
            i = end + 1;
        } else {
            bool is_list = values->kind == VAL_SEQUENCE && !values->is_partial;
            const struct val *value = !is_list ? values : next < values->items.count ? values->items.items[next] : NULL;
            next++;
            template_add(l, value, out);
            i++;
        }
    }
}

/* "{}", "{0}", "{name}", with what stands behind them: "{name!r:>10}". */
void template_format(struct lowerer *l, struct str format, const struct args *args, struct buf *out) {
    size_t next = 0;
    for (size_t i = 0; i < format.len; i++) {
        char at = format.ptr[i];
        if ((at == '{' || at == '}') && i + 1 < format.len && format.ptr[i + 1] == at) {
            buf_add_char(out, at);
            i++;
            continue;
        }
        if (at != '{') {
            buf_add_char(out, at);
            continue;
        }
        size_t end = str_find(format, '}', i), name_end = i + 1;
        while (name_end < end && format.ptr[name_end] != '!' && format.ptr[name_end] != ':')
            name_end++;
        struct str name = str_sub(format, i + 1, name_end);
        bool is_number = name.len > 0 && name.len < 3 && name.ptr[0] >= '0' && name.ptr[0] <= '9';
        size_t number = is_number ? (size_t)(name.ptr[0] - '0') : next++;
        const struct val *value = name.len == 0 || is_number
                                      ? (number < args->positional.count ? args->positional.items[number] : NULL)
                                      : args_named(args, str_to_c(l->arena, name));
        template_add(l, name_end == end ? value : NULL, out);
        i = end;
    }
}

bool template_may_be(struct str pattern, struct str name) {
    size_t first = str_find(pattern, TEMPLATE_HOLE, 0), last = pattern.len;
    while (last > 0 && pattern.ptr[last - 1] != TEMPLATE_HOLE)
        last--;
    if (first == pattern.len)
        return str_equal(pattern, name);
    return name.len >= first && str_equal(str_sub(name, 0, first), str_sub(pattern, 0, first)) &&
           name.len >= pattern.len - last &&
           str_equal(str_sub(name, name.len - (pattern.len - last), name.len), str_sub(pattern, last, pattern.len));
}
