/* SQL text from a queryset: what Django's compiler would send, with host values for what it would bind. */
#include "base/assert.h"
#include "django/sqlgen.h"
#include "django/values.h"

void sql_name(struct lowerer *l, struct str name, struct buf *out) {
    char quote = l->b.dialect == SQL_MYSQL ? '`' : '"';
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] == quote)
            return; /* no such name can be quoted: the statement will not parse, and a note says so */
    buf_add_char(out, quote);
    buf_add(out, name);
    buf_add_char(out, quote);
}

struct txn_step *lower_sql(struct lowerer *l, struct txn_span span, enum txn_into into, uint16_t var,
                           struct buf *sql) {
    struct sql_stmt *stmt = map_get(&l->statements, buf_str(sql));
    struct err err;
    struct str text = stmt == NULL ? str_dup(l->arena, buf_str(sql)) : stmt->text;
    if (stmt == NULL && !sql_parse(l->arena, l->pool, text, (struct pos){1, 1}, l->b.dialect, &stmt, &err)) {
        l->draft_count = l->b.program->vars.count;
        text = lower_show_vars(l, text);
        lower_notef(l, span, "SQL that is not modelled: %s: %.*s", err.message, STR_ARG(text));
        return NULL;
    }
    map_put(&l->statements, text, stmt);
    l->step_count++;
    l->sql_count++;
    l->has_sql = true;
    struct txn_step *step = txn_build_stmt(&l->b, span, into, var, stmt);
    step->is_form = l->form_depth > 0;
    return step;
}

void sqlgen_init(struct sqlgen *gen, struct lowerer *l, struct model *model, struct txn_span span) {
    memset(gen, 0, sizeof(*gen));
    gen->l = l;
    gen->model = model;
    gen->span = span;
    gen->alias = model->table_name;
    gen->alias_count = ARENA_NEW(l->arena, uint32_t);
}

static void qualified(struct sqlgen *gen, struct str alias, struct str column, struct buf *out) {
    if (!gen->is_unqualified) {
        sql_name(gen->l, alias, out);
        buf_add_char(out, '.');
    }
    sql_name(gen->l, column, out);
}

void sqlgen_column(struct sqlgen *gen, struct str column, struct buf *out) {
    qualified(gen, gen->alias, column, out);
}

void sqlgen_fail(struct sqlgen *gen, struct str what) {
    if (!gen->has_failed)
        lower_notef(gen->l, gen->span, "the lookup %.*s is not modelled", STR_ARG(what));
    gen->has_failed = true;
}

static bool is_alias_taken(const struct sqlgen *gen, struct str alias) {
    for (const struct sqlgen *at = gen; at != NULL; at = at->outer) {
        if (str_equal(at->alias, alias))
            return true;
        for (size_t i = 0; i < at->joins.count; i++)
            if (str_equal(at->joins.items[i].alias, alias))
                return true;
    }
    return false;
}

/* The join that a path stands for, made at its first use. */
static struct sql_join *join_for(struct sqlgen *gen, struct str path, struct model *model, bool is_outer) {
    struct arena *arena = gen->l->arena;
    for (size_t i = 0; i < gen->joins.count; i++)
        if (str_equal(gen->joins.items[i].path, path)) {
            if (!is_outer)
                gen->joins.items[i].is_outer = false;
            return &gen->joins.items[i];
        }
    struct sql_join join = {.path = path, .table = model->table_name, .model = model,
                            .is_outer = is_outer};
    join.alias = gen->is_inner_alias ? str_printf(arena, "U%u", ++*gen->alias_count) : model->table_name;
    while (is_alias_taken(gen, join.alias))
        join.alias = str_printf(arena, "T%u", ++*gen->alias_count + 2);
    VEC_PUSH(arena, &gen->joins, join);
    return &gen->joins.items[gen->joins.count - 1];
}

static void set_on(struct sqlgen *gen, struct sql_join *join, struct str left_alias,
                   struct str left_column, struct str right_column) {
    struct buf on = {0};
    if (join->on.len > 0)
        return;
    qualified(gen, left_alias, left_column, &on);
    buf_add_c(&on, " = ");
    qualified(gen, join->alias, right_column, &on);
    join->on = str_dup(gen->l->arena, buf_str(&on));
    buf_release(&on);
}

static struct str path_part(struct str path, size_t *next) {
    size_t i = 0;
    while (i + 1 < path.len && !(path.ptr[i] == '_' && path.ptr[i + 1] == '_' && i > 0))
        i++;
    bool is_last = i + 1 >= path.len;
    *next = is_last ? path.len : i + 2;
    return str_sub(path, 0, is_last ? path.len : i);
}

struct path_walk {
    struct model *model;
    struct str alias, path; /* so far */
};

static void step_to(struct sqlgen *gen, struct path_walk *walk, struct str part, struct model *model,
                    struct str from, struct str to, bool is_outer) {
    walk->path = str_printf(gen->l->arena, "%.*s__%.*s", STR_ARG(walk->path), STR_ARG(part));
    struct sql_join *join = join_for(gen, walk->path, model, is_outer);
    set_on(gen, join, walk->alias, from, to);
    walk->alias = join->alias;
    walk->model = model;
}

/* Both ends of a many-to-many table, as seen from one model. */
static bool through_fields(const struct model *through, const struct model *from, bool is_reverse,
                           struct model_field **near, struct model_field **far) {
    *near = *far = NULL;
    for (size_t i = 0; i < through->fields.count; i++) {
        struct model_field *field = through->fields.items[i];
        if (field->kind == FIELD_PLAIN || field->target == NULL)
            continue;
        if (*near == NULL && field->target == from && !is_reverse)
            *near = field;
        else if (is_reverse && *far == NULL && field->target != from)
            *far = field;
        else if (is_reverse && field->target == from)
            *near = field;
        else if (*far == NULL)
            *far = field;
    }
    return *near != NULL && *far != NULL;
}

static bool step_through(struct sqlgen *gen, struct path_walk *walk, struct str part,
                         struct model *through, struct model *target, bool is_reverse, bool is_outer) {
    struct model_field *near, *far;
    if (through == NULL || through->table < 0 ||
        !through_fields(through, walk->model, is_reverse, &near, &far))
        return false;
    struct str link = str_printf(gen->l->arena, "%.*s+", STR_ARG(part));
    step_to(gen, walk, link, through, walk->model->pk->column, near->column, is_outer);
    step_to(gen, walk, part, target, far->column, target->pk->column, is_outer);
    return true;
}

static struct str column_text(struct sqlgen *gen, struct str alias, struct str column) {
    struct buf buf = {0};
    qualified(gen, alias, column, &buf);
    struct str text = str_dup(gen->l->arena, buf_str(&buf));
    buf_release(&buf);
    return text;
}

bool sqlgen_join_through(struct sqlgen *gen, struct str name, struct model *through, struct str far,
                         struct str near, struct str *column) {
    struct path_walk walk = {gen->model, gen->alias, STR("")};
    step_to(gen, &walk, str_printf(gen->l->arena, "%.*s+", STR_ARG(name)), through,
            gen->model->pk->column, far, false);
    *column = column_text(gen, walk.alias, near);
    return true;
}

bool sqlgen_path(struct sqlgen *gen, struct str path, bool is_outer, struct str *column,
                 struct model_field **field, struct str *rest) {
    struct path_walk walk = {gen->model, gen->alias, STR("")};
    while (path.len > 0) {
        size_t next;
        struct str part = path_part(path, &next);
        struct str after = str_sub(path, next, path.len);
        struct model_field *here = model_attribute(walk.model, part);
        struct reverse *reverse = here == NULL ? model_reverse(walk.model, part, true) : NULL;
        if (here == NULL && reverse == NULL)
            return false;
        bool is_relation = here != NULL && here->kind != FIELD_PLAIN;
        size_t ignored;
        struct str peek = path_part(after, &ignored);
        bool goes_on = is_relation && here->target != NULL && after.len > 0 &&
                       (model_attribute(here->target, peek) != NULL ||
                        model_reverse(here->target, peek, true) != NULL);
        /* owner__id and owner__pk are in the column already. */
        bool is_key = goes_on && here->kind != FIELD_MANY_TO_MANY &&
                      model_attribute(here->target, peek) == here->target->pk;
        path = after;
        if (reverse != NULL) {
            bool is_ok = true;
            if (reverse->field->kind == FIELD_MANY_TO_MANY)
                is_ok = step_through(gen, &walk, part, reverse->field->through, reverse->model, true,
                                     is_outer);
            else
                step_to(gen, &walk, part, reverse->model, walk.model->pk->column, reverse->field->column,
                        is_outer);
            if (!is_ok)
                return false;
            *field = walk.model->pk;
        } else if (here->kind == FIELD_MANY_TO_MANY) {
            if (here->target == NULL ||
                !step_through(gen, &walk, part, here->through, here->target, false, is_outer))
                return false;
            *field = walk.model->pk;
        } else if (goes_on && !is_key) {
            if (here->target->table < 0)
                return false;
            step_to(gen, &walk, part, here->target, here->column, here->target->pk->column,
                    is_outer && here->is_null);
            continue;
        } else {
            *field = here;
            *column = column_text(gen, walk.alias, here->column);
            *rest = is_key ? str_sub(after, ignored, after.len) : after;
            return true;
        }
        /* A reverse or many-to-many relation: what follows is a field of it, or a lookup of its key. */
        struct str peeked = path_part(path, &ignored);
        if (path.len == 0 || (model_attribute(walk.model, peeked) == NULL &&
                              model_reverse(walk.model, peeked, true) == NULL)) {
            *column = column_text(gen, walk.alias, walk.model->pk->column);
            *rest = path;
            return true;
        }
    }
    return false;
}

void sqlgen_from(struct sqlgen *gen, struct buf *out) {
    buf_add_c(out, " FROM ");
    sql_name(gen->l, gen->model->table_name, out);
    if (!str_equal(gen->alias, gen->model->table_name)) {
        buf_add_char(out, ' ');
        sql_name(gen->l, gen->alias, out);
    }
    for (size_t i = 0; i < gen->joins.count; i++) {
        const struct sql_join *join = &gen->joins.items[i];
        buf_add_c(out, join->is_outer ? " LEFT OUTER JOIN " : " INNER JOIN ");
        sql_name(gen->l, join->table, out);
        if (!str_equal(join->alias, join->table)) {
            buf_add_char(out, ' ');
            sql_name(gen->l, join->alias, out);
        }
        buf_add_c(out, " ON (");
        buf_add(out, join->on);
        buf_add_char(out, ')');
    }
}

static void add_value(struct sqlgen *gen, struct val *val, struct buf *out) {
    if (val->kind == VAL_SQL)
        sqlgen_expr(gen, val->sql, out);
    else
        val_sql(gen->l, val, out);
}

static void lookup_in(struct sqlgen *gen, struct str column, struct val *val, struct buf *out) {
    struct lowerer *l = gen->l;
    buf_add(out, column);
    buf_add_c(out, " IN (");
    if (val->kind == VAL_QUERYSET) {
        struct sqlgen inner;
        sqlgen_init(&inner, l, val->query->model, gen->span);
        inner.outer = gen;
        inner.is_inner_alias = true;
        inner.alias = STR("U0");
        sqlgen_select(&inner, val->query, out);
        gen->has_failed |= inner.has_failed;
    } else if (val->kind == VAL_SEQUENCE) {
        for (size_t i = 0; i < val->items.count; i++) {
            buf_add_c(out, i == 0 ? "" : ", ");
            val_sql(l, val->items.items[i], out);
        }
        if (val->items.count == 0)
            buf_add_c(out, "NULL");
    } else if (val->kind == VAL_ROWS && val->model != NULL) {
        sqlgen_any(gen, STR("in (rows)"), out);
    } else if (val->kind == VAL_UNKNOWN && val->expr != NULL) {
        /* A list that was collected: one key of it, any. */
        val_sql(l, val_unknown(l, val->span, val->name), out);
    } else {
        val_sql(l, val, out);
    }
    buf_add_char(out, ')');
}

static const char *comparison(struct str lookup) {
    static const struct {
        const char *name, *op;
    } ops[] = {{"", " = "}, {"exact", " = "}, {"gt", " > "}, {"gte", " >= "}, {"lt", " < "},
               {"lte", " <= "}};
    for (size_t i = 0; i < LW_COUNT_OF(ops); i++)
        if (str_is(lookup, ops[i].name))
            return ops[i].op;
    return NULL;
}

/* contains, startswith...: LIKE with a pattern that hangs on the value. */
static bool lookup_like(struct sqlgen *gen, struct str column, struct str lookup, struct val *val,
                        struct buf *out) {
    static const struct {
        const char *name, *before, *after;
    } likes[] = {{"contains", "%", "%"},    {"icontains", "%", "%"}, {"startswith", "", "%"},
                 {"istartswith", "", "%"},  {"endswith", "%", ""},   {"iendswith", "%", ""},
                 {"iexact", "", ""}};
    struct lowerer *l = gen->l;
    for (size_t i = 0; i < LW_COUNT_OF(likes); i++) {
        struct str text;
        if (!str_is(lookup, likes[i].name))
            continue;
        buf_add(out, column);
        buf_add_c(out, " LIKE ");
        if (val_text(l, val, &text)) {
            struct str pattern = str_printf(l->arena, "%s%.*s%s", likes[i].before, STR_ARG(text),
                                            likes[i].after);
            value_print(l->pool, value_text(l->pool, pattern), out);
        } else {
            struct txn_expr *call = txn_opaque(&l->b, gen->span, STR("pattern"));
            txn_add_arg(&l->b, call, val_expr(l, val));
            val_sql(l, val_scalar(l, call), out);
        }
        return true;
    }
    return false;
}

/* Whether a write or a lock hangs on the conditions: they may be what keeps it safe. */
static bool is_guard(const struct sqlgen *gen) {
    for (; gen != NULL; gen = gen->outer)
        if (gen->query != NULL && (gen->query->is_guard || gen->query->lock != SQL_LOCK_NONE))
            return true;
    return false;
}

bool sqlgen_is_read(const struct sqlgen *gen) {
    bool has_query = false;
    for (const struct sqlgen *at = gen; at != NULL; at = at->outer)
        has_query |= at->query != NULL;
    return has_query && !is_guard(gen);
}

/* A condition that can't be told: it holds for all rows or for none, as a parameter says. Rows that are only read may be
 * any. */
static void add_free(struct sqlgen *gen, struct str path, struct buf *out) {
    struct str text = str_printf(gen->l->arena, "lookup %.*s", STR_ARG(path));
    if (is_guard(gen))
        sqlgen_fail(gen, path);
    val_sql(gen->l, val_unknown(gen->l, gen->span, text), out);
    buf_add_c(out, " = 1");
}

void sqlgen_any(struct sqlgen *gen, struct str name, struct buf *out) {
    if (sqlgen_is_read(gen)) {
        struct str text = str_printf(gen->l->arena, "column %.*s", STR_ARG(name));
        gen->has_any = true;
        val_sql(gen->l, val_unknown(gen->l, gen->span, text), out);
        return;
    }
    sqlgen_fail(gen, name);
    buf_add_c(out, "NULL");
}

static void add_lookup(struct sqlgen *gen, const struct cond *cond, bool is_outer, bool is_negated,
                       struct buf *out);

/* The lookup with each thing that the value can be, next to a test that it is this one. */
static void add_choice(struct sqlgen *gen, const struct cond *cond, bool is_outer, bool is_negated,
                       struct buf *out) {
    const struct val *choice = cond->value;
    buf_add_char(out, '(');
    for (size_t i = 0; i < choice->items.count; i++) {
        struct cond one = *cond;
        one.value = choice->items.items[i];
        buf_add_c(out, i == 0 ? "(" : " OR (");
        val_sql(gen->l, val_scalar(gen->l, txn_ref(&gen->l->b, cond->span, choice->var)), out);
        buf_printf(out, " = %zu AND ", i);
        add_lookup(gen, &one, true, is_negated, out);
        buf_add_char(out, ')');
    }
    buf_add_char(out, ')');
    (void)is_outer; /* under OR, joins are outer ones */
}

static void add_lookup(struct sqlgen *gen, const struct cond *cond, bool is_outer, bool is_negated,
                       struct buf *out) {
    struct str column, rest;
    struct model_field *field;
    struct value truth;
    const char *op;
    if (cond->value->kind == VAL_CHOICE) {
        add_choice(gen, cond, is_outer, is_negated, out);
        return;
    }
    bool is_null_test = str_ends(cond->path, "__isnull") ||
                        (val_is_none(cond->value) && !str_ends(cond->path, "__in"));
    if (!sqlgen_path(gen, cond->path, is_outer || is_null_test, &column, &field, &rest)) {
        if (!sqlgen_annotation(gen, cond->path, &column, &rest)) {
            add_free(gen, cond->path, out);
            return;
        }
        field = NULL;
    }
    if (is_null_test) {
        bool is_null = str_is(rest, "isnull") ? val_constant(cond->value, &truth) && truth.number != 0
                                              : true;
        buf_add(out, column);
        buf_add_c(out, is_null ? " IS NULL" : " IS NOT NULL");
        return;
    }
    bool is_guarded = is_negated && field != NULL && field->is_null && cond->value->kind != VAL_SQL;
    buf_add_c(out, is_guarded ? "(" : "");
    if (str_is(rest, "in")) {
        lookup_in(gen, column, cond->value, out);
    } else if ((op = comparison(rest)) != NULL) {
        if (cond->value->kind == VAL_QUERYSET) {
            buf_add(out, column);
            buf_add_c(out, op);
            sqlgen_subquery(gen, cond->value->query, out);
        } else {
            buf_add(out, column);
            buf_add_c(out, op);
            add_value(gen, cond->value, out);
        }
    } else if (str_is(rest, "range") && cond->value->kind == VAL_SEQUENCE &&
               cond->value->items.count == 2) {
        buf_add(out, column);
        buf_add_c(out, " BETWEEN ");
        add_value(gen, cond->value->items.items[0], out);
        buf_add_c(out, " AND ");
        add_value(gen, cond->value->items.items[1], out);
    } else if (!lookup_like(gen, column, rest, cond->value, out)) {
        add_free(gen, cond->path, out);
    }
    if (is_guarded) {
        buf_add_c(out, " AND ");
        buf_add(out, column);
        buf_add_c(out, " IS NOT NULL)");
    }
}

void sqlgen_cond(struct sqlgen *gen, const struct cond *cond, bool is_outer, bool is_negated,
                 struct buf *out) {
    switch (cond->kind) {
    case COND_LOOKUP:
        if (cond->through != NULL)
            sqlgen_through(gen, cond, out);
        else
            add_lookup(gen, cond, is_outer, is_negated, out);
        return;
    case COND_NOT:
        buf_add_c(out, "NOT (");
        sqlgen_cond(gen, cond->args.items[0], true, !is_negated, out);
        buf_add_char(out, ')');
        return;
    case COND_EXPR:
        sqlgen_expr(gen, cond->expr, out);
        return;
    case COND_FREE:
        if (cond->is_any && !is_guard(gen)) {
            buf_add_c(out, "1 = 1");
            return;
        }
        if (cond->is_unknown && is_guard(gen))
            lower_note(gen->l, cond->span, STR("conditions that are not known from the source"));
        val_sql(gen->l, cond->value, out);
        buf_printf(out, " %s %lld", cond->is_unlike ? "<>" : "=", (long long)cond->number);
        return;
    case COND_AND:
    case COND_OR:
        if (cond->args.count == 0)
            buf_add_c(out, cond->kind == COND_AND ? "1 = 1" : "1 = 0");
        buf_add_c(out, cond->args.count > 1 ? "(" : "");
        for (size_t i = 0; i < cond->args.count; i++) {
            buf_add_c(out, i == 0 ? "" : cond->kind == COND_AND ? " AND " : " OR ");
            sqlgen_cond(gen, cond->args.items[i], is_outer || cond->kind == COND_OR, is_negated, out);
        }
        buf_add_c(out, cond->args.count > 1 ? ")" : "");
        return;
    }
}

void sqlgen_where(struct sqlgen *gen, const struct queryset *query, struct buf *out) {
    struct queryset *outer = gen->query;
    gen->query = (struct queryset *)(uintptr_t)query;
    bool is_first = true;
    for (size_t i = 0; i < query->where.count; i++) {
        const struct cond *cond = query->where.items[i];
        /* filter(a=1, b=2) is a list of conditions side by side. */
        if (cond->kind == COND_AND && cond->args.count > 0) {
            for (size_t j = 0; j < cond->args.count; j++) {
                buf_add_c(out, is_first ? " WHERE " : " AND ");
                is_first = false;
                sqlgen_cond(gen, cond->args.items[j], false, false, out);
            }
            continue;
        }
        if (cond->kind == COND_AND)
            continue;
        buf_add_c(out, is_first ? " WHERE " : " AND ");
        is_first = false;
        sqlgen_cond(gen, cond, false, false, out);
    }
    gen->query = outer;
}
