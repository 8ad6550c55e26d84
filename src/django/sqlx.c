/* F, Q, Value, aggregates, CASE and the operators between them. */
#include "base/assert.h"
#include "django/choice.h"
#include "django/orm.h"
#include "django/values.h"

static struct sqlx *sqlx_new(struct lowerer *l, enum sqlx_kind kind) {
    struct sqlx *sql = ARENA_NEW(l->arena, struct sqlx);
    sql->kind = kind;
    return sql;
}

static struct val *sql_val(struct lowerer *l, struct txn_span span, struct sqlx *sql) {
    struct val *val = val_new(l, VAL_SQL, span);
    val->sql = sql;
    return val;
}

/* An argument: an expression as it is, a text as a field's name (or a value), anything else as a value. */
static struct sqlx *operand(struct lowerer *l, struct val *val, bool is_name) {
    struct sqlx *sql;
    struct str text;
    if (val->kind == VAL_SQL)
        return val->sql;
    if (is_name && val_text(l, val, &text)) {
        sql = sqlx_new(l, SQLX_F);
        sql->name = text;
        return sql;
    }
    if (val->kind == VAL_QUERYSET) {
        sql = sqlx_new(l, SQLX_SUBQUERY);
        sql->query = val->query;
        return sql;
    }
    sql = sqlx_new(l, SQLX_VALUE);
    sql->value = val;
    return sql;
}

static struct cond *cond_new(struct lowerer *l, enum cond_kind kind, struct txn_span span) {
    struct cond *cond = ARENA_NEW(l->arena, struct cond);
    cond->kind = kind;
    cond->span = span;
    return cond;
}

struct cond *cond_lookup(struct lowerer *l, struct txn_span span, struct str path, struct val *val) {
    struct cond *cond = cond_new(l, COND_LOOKUP, span);
    cond->path = path;
    cond->value = val;
    return cond;
}

/* What stands as a condition: Q, Exists(...). */
static struct cond *cond_of(struct lowerer *l, struct val *val) {
    if (val->kind == VAL_COND)
        return val->cond;
    if (val->kind == VAL_SQL) {
        struct cond *cond = cond_new(l, COND_EXPR, val->span);
        cond->expr = val->sql;
        return cond;
    }
    return NULL;
}

/* Conditions that aren't known: a parameter says whether they hold. */
struct cond *cond_unknown(struct lowerer *l, struct txn_span span, struct str name) {
    struct cond *cond = cond_new(l, COND_FREE, span);
    cond->is_unknown = true;
    cond->number = 1;
    cond->value = val_unknown(l, span, name.len > 0 ? name : STR("conditions"));
    return cond;
}

bool cond_is_empty(const struct cond *cond) {
    return cond->kind == COND_AND && cond->args.count == 0;
}

/* a & b, a | b. Q() is left out of both. */
static struct cond *cond_combine(struct lowerer *l, struct txn_span span, bool is_and, struct cond *a, struct cond *b) {
    if (cond_is_empty(a) || cond_is_empty(b))
        return cond_is_empty(a) ? b : a;
    if (!is_and && (a->is_empty_somewhere || b->is_empty_somewhere))
        return cond_unknown(l, span, (struct str){0});
    struct cond *cond = cond_new(l, is_and ? COND_AND : COND_OR, span);
    cond->is_empty_somewhere = a->is_empty_somewhere && b->is_empty_somewhere;
    VEC_PUSH(l->arena, &cond->args, a);
    VEC_PUSH(l->arena, &cond->args, b);
    return cond;
}

/* ~Q() and exclude(Q()) are no conditions. */
static struct cond *cond_negate(struct lowerer *l, struct txn_span span, struct cond *of) {
    if (of->is_empty_somewhere)
        return cond_unknown(l, span, (struct str){0});
    if (cond_is_empty(of))
        return of;
    struct cond *not = cond_new(l, COND_NOT, span);
    VEC_PUSH(l->arena, &not->args, of);
    return not;
}

struct cond *lower_conditions(struct lowerer *l, struct args *args) {
    struct cond *all = cond_new(l, COND_AND, args->span);
    bool is_sure = false;
    for (size_t i = 0; i < args->positional.count; i++) {
        struct cond *cond = cond_of(l, args->positional.items[i]);
        if (cond == NULL)
            cond = cond_unknown(l, args->positional.items[i]->span, args->positional.items[i]->name);
        if (cond_is_empty(cond))
            continue;
        is_sure |= !cond->is_empty_somewhere;
        VEC_PUSH(l->arena, &all->args, cond);
    }
    is_sure |= args->names.count > 0 || args->is_open;
    all->is_empty_somewhere = !is_sure && all->args.count > 0;
    for (size_t i = 0; i < args->names.count; i++)
        VEC_PUSH(l->arena, &all->args,
                 cond_lookup(l, args->span, args->names.items[i], args->values.items[i]));
    if (args->is_open)
        VEC_PUSH(l->arena, &all->args, cond_unknown(l, args->span, (struct str){0}));
    return all;
}

void query_filter(struct lowerer *l, struct queryset *query, struct args *args, bool is_excluded) {
    struct cond *cond = lower_conditions(l, args);
    query->is_manager = false;
    if (cond->args.count == 0)
        return;
    if (is_excluded)
        cond = cond_negate(l, args->span, cond);
    VEC_PUSH(l->arena, &query->where, cond);
}

static struct val *cond_val(struct lowerer *l, struct txn_span span, struct cond *cond) {
    struct val *val = val_new(l, VAL_COND, span);
    val->cond = cond;
    return val;
}

struct val *lower_sql_binary(struct lowerer *l, struct txn_span span, enum py_op op, struct val *left,
                             struct val *right) {
    static const struct {
        enum py_op op;
        const char *text;
    } ops[] = {{PY_OP_Add, "+"}, {PY_OP_Sub, "-"}, {PY_OP_Mult, "*"}, {PY_OP_Div, "/"}, {PY_OP_Mod, "%"}};
    if (right == NULL) {
        struct cond *of = op == PY_OP_Invert ? cond_of(l, left) : NULL;
        if (of != NULL)
            return cond_val(l, span, cond_negate(l, span, of));
        if (op == PY_OP_USub && left->kind == VAL_SQL) {
            struct sqlx *sql = sqlx_new(l, SQLX_NEG);
            VEC_PUSH(l->arena, &sql->args, left->sql);
            return sql_val(l, span, sql);
        }
        return val_unknown(l, span, STR("expression"));
    }
    if (op == PY_OP_BitAnd || op == PY_OP_BitOr) {
        struct cond *a = cond_of(l, left), *b = cond_of(l, right);
        if (a == NULL && b != NULL && left->kind == VAL_UNKNOWN)
            a = cond_unknown(l, span, left->name);
        if (b == NULL && a != NULL && right->kind == VAL_UNKNOWN)
            b = cond_unknown(l, span, right->name);
        if (a != NULL && b != NULL)
            return cond_val(l, span, cond_combine(l, span, op == PY_OP_BitAnd, a, b));
    }
    if (left->kind == VAL_QUERYSET && right->kind == VAL_QUERYSET &&
        (op == PY_OP_BitAnd || op == PY_OP_BitOr)) {
        struct queryset *merged = choice_union(l, span, left->query, right->query, op == PY_OP_BitAnd);
        if (merged != NULL)
            return val_query(l, span, merged);
    }
    for (size_t i = 0; i < LW_COUNT_OF(ops); i++)
        if (ops[i].op == op && (left->kind == VAL_SQL || right->kind == VAL_SQL)) {
            struct sqlx *sql = sqlx_new(l, SQLX_BINARY);
            sql->name = str_from_c(ops[i].text);
            VEC_PUSH(l->arena, &sql->args, operand(l, left, false));
            VEC_PUSH(l->arena, &sql->args, operand(l, right, false));
            sql->is_aggregate = sql->args.items[0]->is_aggregate || sql->args.items[1]->is_aggregate;
            return sql_val(l, span, sql);
        }
    if (left->kind == VAL_SQL || right->kind == VAL_SQL)
        lower_note(l, span, STR("this operation on columns is not modelled"));
    struct val *unknown = val_unknown(l, span, STR("expression"));
    unknown->is_orm = true; /* rows that are read, of several tables or in a way that isn't known */
    return unknown;
}

static struct val *aggregate(struct lowerer *l, struct args *args, const char *name) {
    struct sqlx *sql = sqlx_new(l, SQLX_CALL);
    struct value flag;
    struct val *of = args_get(args, 0, "expression");
    struct val *filter = args_named(args, "filter"), *distinct = args_named(args, "distinct");
    struct str text;
    sql->name = str_from_c(name);
    sql->is_aggregate = true;
    sql->is_distinct = distinct != NULL && val_constant(distinct, &flag) && flag.number != 0;
    if (of != NULL && !(val_text(l, of, &text) && str_is(text, "*")))
        VEC_PUSH(l->arena, &sql->args, operand(l, of, true));
    struct cond *cond = filter != NULL ? cond_of(l, filter) : NULL;
    if (cond != NULL)
        VEC_PUSH(l->arena, &sql->conds, cond);
    return sql_val(l, args->span, sql);
}

/* Sum(x, default=0) and the like, and functions of SQL: their arguments are expressions. */
static struct val *function(struct lowerer *l, struct args *args, const char *name) {
    struct sqlx *sql = sqlx_new(l, SQLX_CALL);
    sql->name = str_from_c(name);
    for (size_t i = 0; i < args->positional.count; i++) {
        VEC_PUSH(l->arena, &sql->args, operand(l, args->positional.items[i], true));
        sql->is_aggregate |= sql->args.items[i]->is_aggregate;
    }
    return sql_val(l, args->span, sql);
}

static struct val *with_default(struct lowerer *l, struct val *val, struct args *args) {
    struct val *otherwise = args_named(args, "default");
    if (otherwise == NULL || val_is_none(otherwise))
        return val;
    struct sqlx *sql = sqlx_new(l, SQLX_CALL);
    sql->name = STR("COALESCE");
    sql->is_aggregate = true;
    VEC_PUSH(l->arena, &sql->args, val->sql);
    VEC_PUSH(l->arena, &sql->args, operand(l, otherwise, false));
    return sql_val(l, val->span, sql);
}

static struct val *call_case(struct lowerer *l, struct args *args) {
    struct sqlx *sql = sqlx_new(l, SQLX_CASE);
    for (size_t i = 0; i < args->positional.count; i++) {
        struct val *when = args->positional.items[i];
        if (when->kind != VAL_COND || when->sql == NULL)
            return val_unknown(l, args->span, STR("case"));
        VEC_PUSH(l->arena, &sql->conds, when->cond);
        VEC_PUSH(l->arena, &sql->args, when->sql);
    }
    struct val *otherwise = args_named(args, "default");
    if (otherwise != NULL)
        VEC_PUSH(l->arena, &sql->args, operand(l, otherwise, true));
    return sql_val(l, args->span, sql);
}

static struct val *call_when(struct lowerer *l, struct args *args) {
    struct args conditions = *args;
    struct val *then = args_named(args, "then");
    memset(&conditions.names, 0, sizeof(conditions.names));
    memset(&conditions.values, 0, sizeof(conditions.values));
    for (size_t i = 0; i < args->names.count; i++)
        if (!str_is(args->names.items[i], "then")) {
            VEC_PUSH(l->arena, &conditions.names, args->names.items[i]);
            VEC_PUSH(l->arena, &conditions.values, args->values.items[i]);
        }
    struct val *val = cond_val(l, args->span, lower_conditions(l, &conditions));
    val->sql = then != NULL ? operand(l, then, true) : NULL;
    return val;
}

static struct val *call_query(struct lowerer *l, struct args *args, enum sqlx_kind kind) {
    struct val *of = args_get(args, 0, "queryset");
    if (of == NULL || of->kind != VAL_QUERYSET)
        return val_unknown(l, args->span, STR("subquery"));
    struct sqlx *sql = sqlx_new(l, kind);
    sql->query = of->query;
    return sql_val(l, args->span, sql);
}

struct val *lower_call_sqlx(struct lowerer *l, struct str dotted, struct args *args) {
    static const struct {
        const char *name, *sql;
        bool is_aggregate;
    } calls[] = {{"Sum", "SUM", true},       {"Count", "COUNT", true},       {"Max", "MAX", true},
                 {"Min", "MIN", true},       {"Avg", "AVG", true},           {"Coalesce", "COALESCE", false},
                 {"Greatest", "GREATEST", false}, {"Least", "LEAST", false}, {"Lower", "LOWER", false},
                 {"Upper", "UPPER", false},  {"Abs", "ABS", false},          {"Length", "LENGTH", false}};
    size_t dot = dotted.len;
    if (!str_starts(dotted, "django.db.models"))
        return NULL;
    while (dot > 0 && dotted.ptr[dot - 1] != '.')
        dot--;
    struct str name = str_sub(dotted, dot, dotted.len), text;
    struct val *first = args_get(args, 0, "name");
    if (str_is(name, "F") || str_is(name, "OuterRef")) {
        if (first == NULL || !val_text(l, first, &text))
            return val_unknown(l, args->span, STR("F"));
        struct sqlx *sql = sqlx_new(l, SQLX_F);
        sql->name = text;
        sql->is_outer = str_is(name, "OuterRef");
        return sql_val(l, args->span, sql);
    }
    if (str_is(name, "Q"))
        return cond_val(l, args->span, lower_conditions(l, args));
    if (str_is(name, "Value") || str_is(name, "ExpressionWrapper")) {
        first = args_get(args, 0, str_is(name, "Value") ? "value" : "expression");
        return first == NULL ? NULL : sql_val(l, args->span, operand(l, first, false));
    }
    if (str_is(name, "Cast"))
        return first == NULL ? NULL : sql_val(l, args->span, operand(l, first, true));
    if (str_is(name, "Now")) {
        struct sqlx *sql = sqlx_new(l, SQLX_VALUE);
        sql->value = val_scalar(l, txn_now(&l->b, args->span));
        return sql_val(l, args->span, sql);
    }
    if (str_is(name, "Case"))
        return call_case(l, args);
    if (str_is(name, "When"))
        return call_when(l, args);
    if (str_is(name, "Exists"))
        return call_query(l, args, SQLX_EXISTS);
    if (str_is(name, "Subquery"))
        return call_query(l, args, SQLX_SUBQUERY);
    for (size_t i = 0; i < LW_COUNT_OF(calls); i++)
        if (str_is(name, calls[i].name))
            return calls[i].is_aggregate ? with_default(l, aggregate(l, args, calls[i].sql), args)
                                         : function(l, args, calls[i].sql);
    return NULL;
}
