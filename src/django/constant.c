/* Values that stand in the source: literals, names bound once to such, attributes of classes (the members of
 * TextChoices too), os.environ.get with a default, and arithmetic on them. */
#include "django/facts.h"
#include "python/value.h"

enum { CONSTANT_DEPTH_MAX = 24 };

struct place {
    struct django_facts *facts;
    struct module *module;
    struct py_class *class_;
    int depth;
};

static bool evaluate(struct place place, const struct py_node *node, struct value *value);

static bool of_literal(struct place *place, const struct py_node *node, struct value *value) {
    struct str text;
    int64_t number;
    switch (node->constant) {
    case PY_CONST_None:
        *value = value_null();
        return true;
    case PY_CONST_True:
    case PY_CONST_False:
        *value = value_bool(node->constant == PY_CONST_True);
        return true;
    case PY_CONST_Int:
        if (!py_int_value(node, &number))
            return false;
        *value = value_int(number);
        return true;
    case PY_CONST_Float: {
        double real = py_float_value(node);
        for (uint8_t scale = 0; scale <= 6; scale++) {
            double scaled = real;
            for (uint8_t i = 0; i < scale; i++)
                scaled *= 10;
            if (scaled > -1e15 && scaled < 1e15 && scaled == (double)(int64_t)scaled) {
                *value = value_decimal((int64_t)scaled, scale);
                return true;
            }
        }
        return false;
    }
    case PY_CONST_Str:
        if (!py_string_value(place->facts->arena, node, &text))
            return false;
        *value = value_text(place->facts->pool, text);
        return true;
    default:
        return false;
    }
}

static bool of_symbol(struct place place, struct symbol symbol, struct value *value) {
    if (symbol.kind != SYMBOL_VALUE || symbol.value == NULL || symbol.is_rebound)
        return false;
    place.module = symbol.module;
    place.class_ = NULL;
    place.depth++;
    return evaluate(place, symbol.value, value);
}

/* A member of a Choices class is `NAME = value, "label"`; .value of it is the value itself. */
static bool of_class_member(struct place place, struct py_class *class_, struct str name,
                            struct value *value) {
    struct py_class *where;
    const struct binding *binding = class_find(place.facts, class_, name, &where);
    if (binding == NULL || binding->kind != BIND_VALUE || binding->value == NULL || binding->is_rebound)
        return false;
    const struct py_node *node = binding->value;
    bool is_choices = class_has_external_base(place.facts, where, "Choices");
    if (is_choices && node->kind == PY_Tuple && node->Tuple.elts.count > 0)
        node = node->Tuple.elts.items[0];
    place.module = where->module;
    place.class_ = where;
    place.depth++;
    return evaluate(place, node, value);
}

static bool of_name(struct place place, const struct py_node *node, struct value *value) {
    for (struct py_class *class_ = place.class_; class_ != NULL; class_ = class_->outer)
        if (class_own(class_, node->Name.id) != NULL)
            return of_class_member(place, class_, node->Name.id, value);
    return of_symbol(place, symbol_resolve(place.facts, place.module, node->Name.id), value);
}

static struct symbol symbol_here(struct place place, const struct py_node *node) {
    if (node->kind == PY_Name)
        for (struct py_class *class_ = place.class_; class_ != NULL; class_ = class_->outer) {
            const struct binding *own = class_own(class_, node->Name.id);
            if (own != NULL)
                return symbol_of_binding(place.facts, class_->module, own);
        }
    if (node->kind == PY_Attribute)
        return symbol_attribute(place.facts, symbol_here(place, node->Attribute.value),
                                node->Attribute.attr);
    return symbol_of_expr(place.facts, place.module, node);
}

static bool of_attribute(struct place place, const struct py_node *node, struct value *value) {
    if (str_is(node->Attribute.attr, "value") && node->Attribute.value->kind == PY_Attribute) {
        place.depth++;
        return evaluate(place, node->Attribute.value, value);
    }
    struct symbol of = symbol_here(place, node->Attribute.value);
    if (of.kind == SYMBOL_CLASS)
        return of_class_member(place, of.class_, node->Attribute.attr, value);
    return of_symbol(place, symbol_attribute(place.facts, of, node->Attribute.attr), value);
}

static bool of_call(struct place place, const struct py_node *node, struct value *value) {
    struct symbol func = symbol_here(place, node->Call.func);
    if (func.kind == SYMBOL_EXTERNAL &&
        (str_is(func.dotted, "os.environ.get") || str_is(func.dotted, "os.getenv"))) {
        place.depth++;
        return node->Call.args.count == 2 && evaluate(place, node->Call.args.items[1], value);
    }
    bool is_plain = node->Call.func->kind == PY_Name && node->Call.args.count == 1;
    if (is_plain && func.kind == SYMBOL_NONE &&
        (str_is(node->Call.func->Name.id, "int") || str_is(node->Call.func->Name.id, "str") ||
         str_is(node->Call.func->Name.id, "bool"))) {
        place.depth++;
        return evaluate(place, node->Call.args.items[0], value);
    }
    if (func.kind == SYMBOL_EXTERNAL && str_ends(func.dotted, "decimal.Decimal") &&
        node->Call.args.count == 1) {
        place.depth++;
        if (!evaluate(place, node->Call.args.items[0], value))
            return false;
        if (value->kind != VALUE_TEXT)
            return value->kind == VALUE_INT || value->kind == VALUE_DECIMAL;
        struct str text = text_pool_get(place.facts->pool, value->number);
        int64_t number = 0;
        uint8_t scale = 0;
        bool is_fraction = false;
        size_t i = text.len > 0 && text.ptr[0] == '-' ? 1 : 0;
        for (; i < text.len && text.len < 17; i++) {
            if (text.ptr[i] == '.' && !is_fraction) {
                is_fraction = true;
                continue;
            }
            if (text.ptr[i] < '0' || text.ptr[i] > '9')
                return false;
            number = number * 10 + (text.ptr[i] - '0');
            scale = (uint8_t)(scale + is_fraction);
        }
        *value = value_decimal(str_starts(text, "-") ? -number : number, scale);
        return text.len > 0 && text.len < 17;
    }
    /* env("NAME", default=x) of the usual settings helpers. */
    for (uint32_t i = 0; i < node->Call.keywords.count; i++) {
        const struct py_node *keyword = node->Call.keywords.items[i];
        if (str_is(keyword->keyword.arg, "default") && func.kind == SYMBOL_VALUE) {
            place.depth++;
            return evaluate(place, keyword->keyword.value, value);
        }
    }
    return false;
}

static bool of_binary(struct place place, const struct py_node *node, struct value *value) {
    struct value left, right;
    place.depth++;
    if (!evaluate(place, node->BinOp.left, &left) || !evaluate(place, node->BinOp.right, &right))
        return false;
    if (left.kind == VALUE_TEXT && right.kind == VALUE_TEXT && node->op == PY_OP_Add) {
        *value = value_text(place.facts->pool,
                            str_printf(place.facts->arena, "%.*s%.*s",
                                       STR_ARG(text_pool_get(place.facts->pool, left.number)),
                                       STR_ARG(text_pool_get(place.facts->pool, right.number))));
        return true;
    }
    if (left.kind == VALUE_TEXT || right.kind == VALUE_TEXT)
        return false;
    switch (node->op) {
    case PY_OP_Add:
        return value_arith(VALUE_ADD, left, right, true, value);
    case PY_OP_Sub:
        return value_arith(VALUE_SUB, left, right, true, value);
    case PY_OP_Mult:
        return value_arith(VALUE_MUL, left, right, true, value);
    default:
        return false;
    }
}

/* {"a": 1}["a"] and NAMES["a"]: a table of constants, looked up. */
static bool of_subscript(struct place place, const struct py_node *node, struct value *value) {
    const struct py_node *of = node->Subscript.value;
    struct value key, candidate;
    struct symbol symbol = symbol_here(place, of);
    if (symbol.kind == SYMBOL_EXTERNAL)
        return false;
    place.depth++;
    if (!evaluate(place, node->Subscript.slice, &key))
        return false;
    if (symbol.kind == SYMBOL_VALUE && symbol.value != NULL && !symbol.is_rebound) {
        of = symbol.value;
        place.module = symbol.module;
        place.class_ = NULL;
    }
    if (of->kind != PY_Dict)
        return false;
    for (uint32_t i = 0; i < of->Dict.keys.count; i++)
        if (of->Dict.keys.items[i] != NULL && evaluate(place, of->Dict.keys.items[i], &candidate) &&
            value_equal(place.facts->pool, key, candidate))
            return evaluate(place, of->Dict.values.items[i], value);
    return false;
}

static bool evaluate(struct place place, const struct py_node *node, struct value *value) {
    if (place.depth > CONSTANT_DEPTH_MAX)
        return false;
    switch (node->kind) {
    case PY_Constant:
        return of_literal(&place, node, value);
    case PY_Name:
        return of_name(place, node, value);
    case PY_Attribute:
        return of_attribute(place, node, value);
    case PY_Subscript:
        return of_subscript(place, node, value);
    case PY_Call:
        return of_call(place, node, value);
    case PY_BinOp:
        return of_binary(place, node, value);
    case PY_UnaryOp:
        place.depth++;
        return node->op == PY_OP_USub && evaluate(place, node->UnaryOp.operand, value) &&
               (value->kind == VALUE_INT || value->kind == VALUE_DECIMAL) &&
               value_arith(VALUE_SUB, value_int(0), *value, true, value);
    default:
        return false;
    }
}

bool constant_value(struct django_facts *facts, struct module *module, struct py_class *class_,
                    const struct py_node *node, struct value *value) {
    struct place place = {facts, module, class_, 0};
    return evaluate(place, node, value);
}

bool constant_text(struct django_facts *facts, struct module *module, const struct py_node *node,
                   struct str *text) {
    struct value value;
    if (!constant_value(facts, module, NULL, node, &value) || value.kind != VALUE_TEXT)
        return false;
    *text = text_pool_get(facts->pool, value.number);
    return true;
}
