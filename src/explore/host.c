/* Host expressions over a session's variables and row objects. */
#include "base/assert.h"
#include "explore/run.h"

bool host_is_true(const struct world *world, struct host_value value) {
    switch (value.kind) {
    case HOST_ROW:
        return value.index != HOST_NO_OBJECT;
    case HOST_LIST:
        return value.count > 0;
    case HOST_SCALAR:
        break;
    default:
        return false;
    }
    switch (value.scalar.kind) {
    case VALUE_NULL:
        return false;
    case VALUE_TEXT:
        return text_pool_get(world->pool, value.scalar.number).len > 0;
    case VALUE_TIME:
        return true;
    default:
        return value.scalar.number != 0;
    }
}

struct cell *host_cell(struct session *session, uint32_t object, uint16_t column) {
    LW_ASSERT(object < session->objects.count);
    uint32_t at = session->objects.items[object].first_cell + column;
    LW_ASSERT(at < session->cells.count);
    return &session->cells.items[at];
}

uint32_t host_new_object(struct world *world, struct session *session, uint16_t table) {
    size_t columns = world->schema->tables.items[table]->columns.count;
    struct object object = {.table = table, .first_cell = (uint32_t)session->cells.count};
    for (size_t i = 0; i < columns; i++)
        MVEC_PUSH(&session->cells, (struct cell){0});
    MVEC_PUSH(&session->objects, object);
    return (uint32_t)session->objects.count - 1;
}

static struct host_value scalar(struct value value, uint32_t deps) {
    return (struct host_value){.kind = HOST_SCALAR, .scalar = value, .deps = deps};
}

static bool type_error(struct session *session, const char *class_name) {
    session_raise(session, str_from_c(class_name), DB_OK_NO_ERROR, NULL);
    return false;
}

/* The pending SQL expression of a column has no value yet: its text stands for it, as in Python, where it is an
 * object of its own that equals nothing else. */
static bool eval_column(struct world *world, struct session *session, const struct txn_expr *expr,
                        struct host_value *value) {
    const struct host_value *row = &session->vars.items[expr->var];
    if (row->kind != HOST_ROW || row->index == HOST_NO_OBJECT)
        return type_error(session, "AttributeError");
    const struct cell *cell = host_cell(session, row->index, expr->column);
    *value = scalar(cell->value, trace_union(world->trace, cell->deps, row->deps));
    return true;
}

static bool equal_values(struct world *world, struct host_value a, struct host_value b) {
    if (a.kind == HOST_ROW || b.kind == HOST_ROW)
        return a.kind == b.kind && a.index == b.index;
    if (a.kind != HOST_SCALAR || b.kind != HOST_SCALAR)
        return false;
    if (a.scalar.kind == VALUE_NULL || b.scalar.kind == VALUE_NULL)
        return a.scalar.kind == b.scalar.kind;
    return value_compare(world->pool, a.scalar, b.scalar) == 0;
}

static bool is_number(struct value value) {
    return value.kind == VALUE_INT || value.kind == VALUE_DECIMAL || value.kind == VALUE_BOOL;
}

/* Text plus text, and anything with text: a new text. */
static struct value concat(struct world *world, struct value a, struct value b) {
    struct buf text = {0};
    struct value parts[] = {a, b};
    for (size_t i = 0; i < 2; i++) {
        if (parts[i].kind == VALUE_TEXT)
            buf_add(&text, text_pool_get(world->pool, parts[i].number));
        else
            value_print(world->pool, parts[i], &text);
    }
    struct value value = value_text(world->pool, buf_str(&text));
    buf_release(&text);
    return value;
}

static bool eval_arith(struct world *world, struct session *session, enum txn_op op,
                       struct value a, struct value b, struct value *result) {
    if (a.kind == VALUE_NULL || b.kind == VALUE_NULL)
        return type_error(session, "TypeError");
    if (op == TXN_OP_ADD && (a.kind == VALUE_TEXT || b.kind == VALUE_TEXT)) {
        *result = concat(world, a, b);
        return true;
    }
    /* Instants and intervals: an instant plus something is another, later instant. */
    if (!is_number(a) || !is_number(b)) {
        *result = a;
        return true;
    }
    static const enum value_op ops[] = {[TXN_OP_ADD] = VALUE_ADD, [TXN_OP_SUB] = VALUE_SUB,
                                        [TXN_OP_MUL] = VALUE_MUL, [TXN_OP_DIV] = VALUE_DIV,
                                        [TXN_OP_MOD] = VALUE_MOD};
    if (!value_arith(ops[op], a, b, false, result))
        return type_error(session, "ArithmeticError");
    return true;
}

static bool eval_binary(struct world *world, struct session *session, const struct txn_expr *expr,
                        struct host_value *value) {
    struct host_value a, b;
    if (!host_eval(world, session, expr->args.items[0], &a))
        return false;
    if (expr->op == TXN_OP_AND || expr->op == TXN_OP_OR) {
        if (host_is_true(world, a) == (expr->op == TXN_OP_OR)) {
            *value = a;
            return true;
        }
        if (!host_eval(world, session, expr->args.items[1], value))
            return false;
        value->deps = trace_union(world->trace, a.deps, value->deps);
        return true;
    }
    if (!host_eval(world, session, expr->args.items[1], &b))
        return false;
    uint32_t deps = trace_union(world->trace, a.deps, b.deps);
    if (expr->op == TXN_OP_EQ || expr->op == TXN_OP_NE) {
        bool equal = equal_values(world, a, b);
        *value = scalar(value_bool(equal == (expr->op == TXN_OP_EQ)), deps);
        return true;
    }
    if (a.kind != HOST_SCALAR || b.kind != HOST_SCALAR)
        return type_error(session, "TypeError");
    struct value result;
    if (expr->op >= TXN_OP_ADD) {
        if (!eval_arith(world, session, expr->op, a.scalar, b.scalar, &result))
            return false;
    } else {
        if (a.scalar.kind == VALUE_NULL || b.scalar.kind == VALUE_NULL)
            return type_error(session, "TypeError");
        int order = value_compare(world->pool, a.scalar, b.scalar);
        result = value_bool(expr->op == TXN_OP_LT   ? order < 0
                            : expr->op == TXN_OP_LE ? order <= 0
                            : expr->op == TXN_OP_GT ? order > 0
                                                    : order >= 0);
    }
    *value = scalar(result, deps);
    return true;
}

/* What an unknown function gives is told apart by its text; a long one, of calls within calls, by its hash. */
static struct value opaque_value(struct world *world, struct str name, struct str text) {
    enum { OPAQUE_TEXT_MAX = 120 };
    if (text.len <= OPAQUE_TEXT_MAX)
        return value_text(world->pool, text);
    char shorter[OPAQUE_TEXT_MAX];
    int length = snprintf(shorter, sizeof(shorter), "%.*s(... %016llx)", name.len < 80 ? (int)name.len : 80,
                          name.ptr, (unsigned long long)str_hash(text));
    return value_text(world->pool, (struct str){shorter, (size_t)length});
}

/* An uninterpreted function: equal arguments give equal results, and its name with its arguments is the result. */
static bool eval_opaque(struct world *world, struct session *session, const struct txn_expr *expr,
                        struct host_value *value) {
    struct buf text = {0};
    uint32_t deps = 0;
    bool ok = true;
    buf_printf(&text, "%.*s(", STR_ARG(expr->name));
    for (size_t i = 0; i < expr->args.count && ok; i++) {
        struct host_value arg = {0};
        ok = host_eval(world, session, expr->args.items[i], &arg);
        if (i > 0)
            buf_add_c(&text, ", ");
        if (arg.kind == HOST_SCALAR)
            value_print(world->pool, arg.scalar, &text);
        else
            buf_printf(&text, "#%u/%u", arg.index, arg.count);
        deps = trace_union(world->trace, deps, arg.deps);
    }
    buf_add_char(&text, ')');
    if (ok) {
        *value = scalar(opaque_value(world, expr->name, buf_str(&text)), deps);
        value->is_opaque = true;
    }
    buf_release(&text);
    return ok;
}

static bool eval_of_list(struct session *session, const struct txn_expr *expr,
                         struct host_value *value) {
    const struct host_value *list = &session->vars.items[expr->var];
    if (list->kind != HOST_LIST)
        return type_error(session, "TypeError");
    if (expr->kind == TXN_EXPR_LEN) {
        *value = scalar(value_int(list->count), list->deps);
    } else if (list->count > 0) {
        *value = session->items.items[list->index];
    } else if (list->is_rows) {
        *value = (struct host_value){.kind = HOST_ROW, .index = HOST_NO_OBJECT, .deps = list->deps};
    } else {
        *value = scalar(value_null(), list->deps);
    }
    return true;
}

static bool eval_unary(struct world *world, struct session *session, const struct txn_expr *expr,
                       struct host_value *value) {
    struct host_value arg;
    if (!host_eval(world, session, expr->args.items[0], &arg))
        return false;
    if (expr->kind == TXN_EXPR_NOT) {
        *value = scalar(value_bool(!host_is_true(world, arg)), arg.deps);
    } else if (expr->kind == TXN_EXPR_IS_NULL) {
        bool is_null = arg.kind == HOST_ROW ? arg.index == HOST_NO_OBJECT
                                            : arg.kind == HOST_SCALAR && arg.scalar.kind == VALUE_NULL;
        *value = scalar(value_bool(is_null), arg.deps);
    } else {
        struct value result;
        if (arg.kind != HOST_SCALAR ||
            !value_arith(VALUE_SUB, value_int(0), arg.scalar, false, &result))
            return type_error(session, "TypeError");
        *value = scalar(result, arg.deps);
    }
    return true;
}

bool host_eval(struct world *world, struct session *session, const struct txn_expr *expr,
               struct host_value *value) {
    *value = (struct host_value){0};
    switch (expr->kind) {
    case TXN_EXPR_LITERAL:
        *value = scalar(expr->literal, 0);
        return true;
    case TXN_EXPR_VAR:
        *value = session->vars.items[expr->var];
        return value->kind != HOST_UNSET ? true : type_error(session, "UnboundLocalError");
    case TXN_EXPR_COLUMN:
        return eval_column(world, session, expr, value);
    case TXN_EXPR_NOT:
    case TXN_EXPR_NEG:
    case TXN_EXPR_IS_NULL:
        return eval_unary(world, session, expr, value);
    case TXN_EXPR_BINARY:
        return eval_binary(world, session, expr, value);
    case TXN_EXPR_LEN:
    case TXN_EXPR_FIRST:
        return eval_of_list(session, expr, value);
    case TXN_EXPR_COND: {
        struct host_value cond;
        if (!host_eval(world, session, expr->args.items[0], &cond))
            return false;
        if (!host_eval(world, session, expr->args.items[host_is_true(world, cond) ? 1 : 2], value))
            return false;
        value->deps = trace_union(world->trace, value->deps, cond.deps);
        return true;
    }
    case TXN_EXPR_SAME: {
        struct host_value a, b;
        if (!host_eval(world, session, expr->args.items[0], &a) ||
            !host_eval(world, session, expr->args.items[1], &b))
            return false;
        *value = scalar(value_bool(a.kind == b.kind && a.index == b.index), 0);
        return true;
    }
    case TXN_EXPR_OPAQUE:
        return eval_opaque(world, session, expr, value);
    case TXN_EXPR_NOW: {
        struct value now = value_time((int64_t)world->clock);
        now.origin = (uint8_t)(session->index + 1);
        now.ordinal = (uint8_t)(session->op_number < 254 ? session->op_number : 254);
        *value = scalar(now, 0);
        return true;
    }
    }
    LW_UNREACHABLE();
}
