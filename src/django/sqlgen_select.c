/* The other clauses of a SELECT, and expressions: F, aggregates, CASE, subqueries. */
#include "base/assert.h"
#include "django/orm.h"
#include "django/sqlgen.h"
#include "django/values.h"

void sqlgen_subquery(struct sqlgen *gen, const struct queryset *query, struct buf *out) {
    struct sqlgen inner;
    sqlgen_init(&inner, gen->l, query->model, gen->span);
    inner.outer = gen;
    inner.is_inner_alias = true;
    inner.alias = STR("U0");
    buf_add_char(out, '(');
    sqlgen_select(&inner, query, out);
    buf_add_char(out, ')');
    gen->has_failed |= inner.has_failed;
}

void sqlgen_through(struct sqlgen *gen, const struct cond *cond, struct buf *out) {
    struct model_field *field = cond->through;
    struct model *through = field->through;
    struct model_field *near = NULL, *far = NULL;
    if (through == NULL || through->table < 0 || cond->value->kind != VAL_ROW) {
        sqlgen_fail(gen, field->name);
        buf_add_c(out, "1 = 1");
        return;
    }
    for (size_t i = 0; i < through->fields.count; i++) {
        struct model_field *end = through->fields.items[i];
        if (end->kind == FIELD_PLAIN || end->target == NULL)
            continue;
        if (near == NULL && end->target == cond->value->row->model)
            near = end;
        else if (far == NULL && end->target == field->target)
            far = end;
    }
    struct str column;
    if (near == NULL || far == NULL ||
        !sqlgen_join_through(gen, field->name, through, far->column, near->column, &column)) {
        sqlgen_fail(gen, field->name);
        buf_add_c(out, "1 = 1");
        return;
    }
    buf_add(out, column);
    buf_add_c(out, " = ");
    val_sql(gen->l, cond->value, out);
}

bool sqlgen_annotation(struct sqlgen *gen, struct str path, struct str *column, struct str *rest) {
    if (gen->query == NULL)
        return false;
    for (size_t i = 0; i < gen->query->annotations.count; i++) {
        const struct annotation *annotation = &gen->query->annotations.items[i];
        struct str name = annotation->name;
        bool is_whole = str_equal(path, name);
        bool is_start = path.len > name.len + 2 && str_equal(str_sub(path, 0, name.len), name) &&
                        path.ptr[name.len] == '_' && path.ptr[name.len + 1] == '_';
        if ((!is_whole && !is_start) || annotation->sql->is_aggregate)
            continue;
        struct buf buf = {0};
        sqlgen_expr(gen, annotation->sql, &buf);
        *column = str_dup(gen->l->arena, buf_str(&buf));
        *rest = is_whole ? STR("") : str_sub(path, name.len + 2, path.len);
        buf_release(&buf);
        return true;
    }
    return false;
}

static void add_args(struct sqlgen *gen, const struct sqlx *sql, struct buf *out) {
    for (size_t i = 0; i < sql->args.count; i++) {
        buf_add_c(out, i == 0 ? "" : ", ");
        sqlgen_expr(gen, sql->args.items[i], out);
    }
}

static void add_call(struct sqlgen *gen, const struct sqlx *sql, struct buf *out) {
    bool is_count_all = str_is(sql->name, "COUNT") && sql->args.count == 0;
    buf_add(out, sql->name);
    buf_add_char(out, '(');
    if (is_count_all)
        buf_add_char(out, '*');
    if (sql->is_distinct)
        buf_add_c(out, "DISTINCT ");
    if (sql->conds.count == 0) {
        add_args(gen, sql, out);
    } else {
        /* Sum(x, filter=Q(...)) */
        buf_add_c(out, "CASE WHEN ");
        sqlgen_cond(gen, sql->conds.items[0], true, false, out);
        buf_add_c(out, " THEN ");
        add_args(gen, sql, out);
        buf_add_c(out, " ELSE NULL END");
    }
    buf_add_char(out, ')');
}

static void add_case(struct sqlgen *gen, const struct sqlx *sql, struct buf *out) {
    buf_add_c(out, "CASE");
    for (size_t i = 0; i < sql->conds.count; i++) {
        buf_add_c(out, " WHEN ");
        sqlgen_cond(gen, sql->conds.items[i], true, false, out);
        buf_add_c(out, " THEN ");
        sqlgen_expr(gen, sql->args.items[i], out);
    }
    buf_add_c(out, " ELSE ");
    if (sql->args.count > sql->conds.count)
        sqlgen_expr(gen, sql->args.items[sql->conds.count], out);
    else
        buf_add_c(out, "NULL");
    buf_add_c(out, " END");
}

static void add_f(struct sqlgen *gen, const struct sqlx *sql, struct buf *out) {
    struct sqlgen *of = sql->is_outer && gen->outer != NULL ? gen->outer : gen;
    struct str column, rest;
    struct model_field *field;
    bool is_found = sqlgen_path(of, sql->name, true, &column, &field, &rest) && rest.len == 0;
    if (!is_found && !(sqlgen_annotation(of, sql->name, &column, &rest) && rest.len == 0)) {
        sqlgen_any(gen, sql->name, out);
        return;
    }
    buf_add(out, column);
}

void sqlgen_expr(struct sqlgen *gen, const struct sqlx *sql, struct buf *out) {
    switch (sql->kind) {
    case SQLX_F:
        add_f(gen, sql, out);
        return;
    case SQLX_VALUE:
        val_sql(gen->l, sql->value, out);
        return;
    case SQLX_BINARY:
        buf_add_char(out, '(');
        sqlgen_expr(gen, sql->args.items[0], out);
        buf_add_char(out, ' ');
        buf_add(out, sql->name);
        buf_add_char(out, ' ');
        sqlgen_expr(gen, sql->args.items[1], out);
        buf_add_char(out, ')');
        return;
    case SQLX_NEG:
        buf_add_c(out, "(-");
        sqlgen_expr(gen, sql->args.items[0], out);
        buf_add_char(out, ')');
        return;
    case SQLX_CALL:
        add_call(gen, sql, out);
        return;
    case SQLX_CASE:
        add_case(gen, sql, out);
        return;
    case SQLX_EXISTS:
        buf_add_c(out, "EXISTS ");
        sqlgen_subquery(gen, sql->query, out);
        return;
    case SQLX_SUBQUERY:
        sqlgen_subquery(gen, sql->query, out);
        return;
    }
    LW_UNREACHABLE();
}

void sqlgen_order(struct sqlgen *gen, const struct queryset *query, struct buf *out, bool is_reversed) {
    struct str pk = STR("pk");
    const struct str *items = query->order_by.items;
    size_t count = query->order_by.count;
    if (!query->is_order_set) {
        items = query->model->ordering.items;
        count = query->model->ordering.count;
    }
    if (count == 0 && gen->is_order_needed) {
        items = &pk;
        count = 1;
    }
    is_reversed ^= query->is_reversed;
    bool is_first = true;
    for (size_t i = 0; i < count; i++) {
        struct str name = items[i], column, rest;
        struct model_field *field;
        bool is_down = str_starts(name, "-");
        if (is_down)
            name = str_sub(name, 1, name.len);
        if (str_is(name, "?"))
            continue;
        bool is_found = sqlgen_path(gen, name, true, &column, &field, &rest) && rest.len == 0;
        for (size_t j = 0; j < query->annotations.count && !is_found; j++)
            if (str_equal(query->annotations.items[j].name, name)) {
                struct buf buf = {0};
                sqlgen_expr(gen, query->annotations.items[j].sql, &buf);
                column = str_dup(gen->l->arena, buf_str(&buf));
                buf_release(&buf);
                is_found = true;
            }
        if (!is_found) /* any order will do */
            continue;
        buf_add_c(out, is_first ? " ORDER BY " : ", ");
        is_first = false;
        buf_add(out, column);
        buf_add_c(out, is_down != is_reversed ? " DESC" : " ASC");
    }
}

bool query_loads(const struct queryset *query, const struct model_field *field) {
    if (field->kind == FIELD_MANY_TO_MANY)
        return false;
    if (field == query->model->pk)
        return true;
    for (size_t i = 0; i < query->defer.count; i++)
        if (model_attribute(query->model, query->defer.items[i]) == field)
            return false;
    for (size_t i = 0; i < query->only.count; i++)
        if (model_attribute(query->model, query->only.items[i]) == field)
            return true;
    return query->only.count == 0;
}

static void add_annotations(struct sqlgen *gen, const struct queryset *query, bool is_first,
                            struct buf *out) {
    for (size_t i = 0; i < query->annotations.count; i++) {
        buf_add_c(out, is_first ? "" : ", ");
        is_first = false;
        sqlgen_expr(gen, query->annotations.items[i].sql, out);
        buf_add_c(out, " AS ");
        sql_name(gen->l, query->annotations.items[i].name, out);
    }
}

void sqlgen_columns(struct sqlgen *gen, const struct queryset *query, struct buf *out) {
    bool is_first = true;
    if (query->result != QUERY_ROWS && query->columns.count > 0) {
        for (size_t i = 0; i < query->columns.count; i++) {
            struct str column, rest;
            struct model_field *field;
            bool is_annotation = false;
            for (size_t j = 0; j < query->annotations.count; j++)
                is_annotation |= str_equal(query->annotations.items[j].name, query->columns.items[i]);
            if (is_annotation)
                continue;
            bool is_found = sqlgen_path(gen, query->columns.items[i], true, &column, &field, &rest) &&
                            rest.len == 0;
            buf_add_c(out, is_first ? "" : ", ");
            is_first = false;
            if (is_found)
                buf_add(out, column);
            else
                sqlgen_any(gen, query->columns.items[i], out);
        }
        add_annotations(gen, query, is_first, out);
        return;
    }
    for (size_t i = 0; i < query->model->fields.count; i++) {
        const struct model_field *field = query->model->fields.items[i];
        if (!query_loads(query, field))
            continue;
        buf_add_c(out, is_first ? "" : ", ");
        is_first = false;
        sqlgen_column(gen, field->column, out);
    }
}

void sqlgen_limit(struct sqlgen *gen, const struct queryset *query, struct buf *out) {
    if (query->limit != NULL) {
        buf_add_c(out, " LIMIT ");
        val_sql(gen->l, query->limit, out);
    }
    if (query->offset != NULL) {
        if (query->limit == NULL && gen->l->b.dialect == SQL_MYSQL)
            buf_add_c(out, " LIMIT 18446744073709551615");
        buf_add_c(out, " OFFSET ");
        val_sql(gen->l, query->offset, out);
    }
}

void sqlgen_lock(struct sqlgen *gen, const struct queryset *query, struct buf *out) {
    /* SQLite has no row locks: Django leaves the clause out. */
    if (query->lock == SQL_LOCK_NONE || gen->l->b.dialect == SQL_SQLITE)
        return;
    buf_add_c(out, query->lock == SQL_LOCK_NO_KEY_UPDATE && gen->l->b.dialect == SQL_POSTGRESQL
                       ? " FOR NO KEY UPDATE"
                       : " FOR UPDATE");
    for (size_t i = 0; i < query->lock_of.count; i++) {
        struct str of = query->lock_of.items[i], alias = gen->alias;
        if (!str_is(of, "self"))
            for (size_t j = 0; j < gen->joins.count; j++)
                if (str_equal(str_sub(gen->joins.items[j].path, 2, gen->joins.items[j].path.len), of))
                    alias = gen->joins.items[j].alias;
        buf_add_c(out, i == 0 ? " OF " : ", ");
        sql_name(gen->l, alias, out);
    }
    if (query->lock_wait == SQL_NOWAIT)
        buf_add_c(out, " NOWAIT");
    if (query->lock_wait == SQL_SKIP_LOCKED)
        buf_add_c(out, " SKIP LOCKED");
}

/* Joins of select_related: the rows joined are locked and read too. */
static void add_related(struct sqlgen *gen, const struct queryset *query) {
    for (size_t i = 0; i < query->related.count; i++) {
        struct str column, rest;
        struct model_field *field;
        struct str path = str_printf(gen->l->arena, "%.*s__", STR_ARG(query->related.items[i]));
        struct model_field *first = model_attribute(query->model, query->related.items[i]);
        if (first == NULL || first->target == NULL || first->target->table < 0)
            continue;
        /* A column of the target that is not its key makes the join. */
        for (size_t j = 0; j < first->target->fields.count; j++) {
            const struct model_field *other = first->target->fields.items[j];
            if (other == first->target->pk || other->kind != FIELD_PLAIN)
                continue;
            path = str_printf(gen->l->arena, "%.*s%.*s", STR_ARG(path), STR_ARG(other->name));
            sqlgen_path(gen, path, true, &column, &field, &rest);
            break;
        }
    }
}

static void add_group_by(struct sqlgen *gen, const struct queryset *query, struct buf *out) {
    bool is_aggregate = false;
    for (size_t i = 0; i < query->annotations.count; i++)
        is_aggregate |= query->annotations.items[i].sql->is_aggregate;
    if (!is_aggregate)
        return;
    struct queryset plain = *query;
    memset(&plain.annotations, 0, sizeof(plain.annotations));
    buf_add_c(out, " GROUP BY ");
    if (query->result != QUERY_ROWS && query->columns.count > 0)
        sqlgen_columns(gen, &plain, out);
    else
        sqlgen_column(gen, query->model->pk->column, out);
}

void sqlgen_select(struct sqlgen *gen, const struct queryset *query, struct buf *out) {
    struct buf columns = {0}, where = {0}, order = {0}, group = {0};
    struct queryset *outer = gen->query;
    bool is_keys_only = gen->outer != NULL && (query->result == QUERY_ROWS || query->columns.count == 0);
    gen->query = (struct queryset *)(uintptr_t)query;
    if (is_keys_only)
        sqlgen_column(gen, query->model->pk->column, &columns);
    else
        sqlgen_columns(gen, query, &columns);
    sqlgen_where(gen, query, &where);
    gen->query = (struct queryset *)(uintptr_t)query;
    add_group_by(gen, query, &group);
    if (gen->outer == NULL || query->limit != NULL)
        sqlgen_order(gen, query, &order, false);
    add_related(gen, query);
    buf_add_c(out, query->is_distinct ? "SELECT DISTINCT " : "SELECT ");
    buf_add(out, buf_str(&columns));
    sqlgen_from(gen, out);
    buf_add(out, buf_str(&where));
    buf_add(out, buf_str(&group));
    buf_add(out, buf_str(&order));
    sqlgen_limit(gen, query, out);
    if (gen->outer == NULL)
        sqlgen_lock(gen, query, out);
    gen->query = outer;
    buf_release(&columns);
    buf_release(&where);
    buf_release(&order);
    buf_release(&group);
}

void sqlgen_where_keys(struct lowerer *l, const struct queryset *query, struct txn_span span,
                       struct buf *out) {
    struct sqlgen outer;
    struct queryset *inner = query_copy(l, query);
    sqlgen_init(&outer, l, query->model, span);
    inner->is_order_set = true;
    memset(&inner->order_by, 0, sizeof(inner->order_by));
    inner->lock = SQL_LOCK_NONE;
    buf_add_c(out, " WHERE ");
    sqlgen_column(&outer, query->model->pk->column, out);
    buf_add_c(out, " IN ");
    sqlgen_subquery(&outer, inner, out);
}
