/* Querysets: lazy until something asks for rows. */
#include "base/assert.h"
#include "django/model_meta.h"
#include "django/orm.h"
#include "django/sqlgen.h"
#include "django/values.h"

struct queryset *query_new(struct lowerer *l, struct txn_span span, struct model *model) {
    struct queryset *query = ARENA_NEW(l->arena, struct queryset);
    query->model = model;
    query->span = span;
    query->cached.is_cache = true;
    return query;
}

struct queryset *query_copy(struct lowerer *l, const struct queryset *query) {
    struct queryset *copy = arena_copy(l->arena, query, sizeof(*query));
    copy->cached.val = NULL;
    /* Vectors that are appended to must not share their room with the original's. */
    copy->where.capacity = copy->where.count;
    copy->order_by.capacity = copy->order_by.count;
    copy->columns.capacity = copy->columns.count;
    copy->only.capacity = copy->only.count;
    copy->defer.capacity = copy->defer.count;
    copy->related.capacity = copy->related.count;
    copy->prefetched.capacity = copy->prefetched.count;
    copy->annotations.capacity = copy->annotations.count;
    copy->lock_of.capacity = copy->lock_of.count;
    return copy;
}

/* The class behind `objects = X()`, `X.as_manager()`, `Manager.from_queryset(X)()`. */
static bool manager_class(struct django_facts *facts, struct module *module, const struct py_node *value,
                          struct py_class **class_, int depth) {
    *class_ = NULL;
    if (value == NULL || value->kind != PY_Call || depth > 4)
        return false;
    const struct py_node *func = value->Call.func;
    if (func->kind == PY_Attribute && str_is(func->Attribute.attr, "as_manager")) {
        struct symbol symbol = symbol_of_expr(facts, module, func->Attribute.value);
        if (symbol.kind == SYMBOL_CLASS)
            *class_ = symbol.class_;
        return symbol.kind == SYMBOL_CLASS;
    }
    if (func->kind == PY_Attribute && str_is(func->Attribute.attr, "from_queryset") &&
        value->Call.args.count > 0) {
        struct symbol symbol = symbol_of_expr(facts, module, value->Call.args.items[0]);
        if (symbol.kind == SYMBOL_CLASS)
            *class_ = symbol.class_;
        return true;
    }
    if (func->kind == PY_Call)
        return manager_class(facts, module, func, class_, depth + 1);
    struct symbol symbol = symbol_of_expr(facts, module, func);
    if (symbol.kind == SYMBOL_VALUE && symbol.value != NULL)
        return manager_class(facts, symbol.module, symbol.value, class_, depth + 1);
    if (symbol.kind == SYMBOL_EXTERNAL)
        return str_ends(symbol.dotted, "Manager");
    if (symbol.kind != SYMBOL_CLASS || !class_has_external_base(facts, symbol.class_, "Manager"))
        return false;
    *class_ = symbol.class_;
    return true;
}

struct manager_search {
    struct django_facts *facts;
    struct str name; /* empty: the first one */
    struct py_class *class_;
    bool found;
};

static bool find_manager(void *context, struct py_class *class_, struct str dotted) {
    struct manager_search *search = context;
    (void)dotted;
    if (class_ == NULL)
        return false;
    for (size_t i = 0; i < class_->names.count; i++) {
        const struct binding *binding = class_->names.entries[i].value;
        if (search->name.len > 0 && !str_equal(class_->names.entries[i].key, search->name))
            continue;
        if (binding->kind == BIND_VALUE &&
            manager_class(search->facts, class_->module, binding->value, &search->class_, 0)) {
            search->found = true;
            return true;
        }
    }
    return false;
}

bool manager_find(struct django_facts *facts, struct model *model, struct str name, struct py_class **class_) {
    bool is_default = str_is(name, "_default_manager") || str_is(name, "_base_manager");
    struct manager_search search = {.facts = facts, .name = is_default ? STR("") : name};
    if (!str_is(name, "_base_manager"))
        class_walk(facts, model->class_, find_manager, &search);
    *class_ = search.class_;
    return search.found || is_default || str_is(name, "objects");
}

struct queryset *manager_of(struct lowerer *l, struct txn_span span, struct model *model,
                            struct str name) {
    struct py_class *class_;
    if (!manager_find(l->facts, model, name, &class_))
        return NULL;
    struct queryset *query = query_new(l, span, model);
    query->is_manager = true;
    query->class_ = class_;
    return query;
}

struct val *query_of_class(struct lowerer *l, struct args *args, struct py_class *class_) {
    struct val *of = args_get(args, 0, "model");
    struct model *model = of != NULL && of->kind == VAL_CLASS ? class_model(l->facts, of->class_) : NULL;
    if (model == NULL || model->is_abstract || model->table < 0)
        return NULL;
    struct queryset *query = query_new(l, args->span, model);
    query->class_ = class_;
    return val_query(l, args->span, query);
}

/* The model a manager's or queryset's own class belongs to. */
struct model *manager_model(struct django_facts *facts, struct py_class *class_) {
    for (size_t i = 0; i < facts->models.count; i++) {
        struct model *model = facts->models.items[i];
        struct py_class *own = model->class_;
        for (size_t j = 0; !model->is_auto && j < own->names.count; j++) {
            const struct binding *binding = own->names.entries[j].value;
            struct py_class *found;
            if (binding->kind == BIND_VALUE &&
                manager_class(facts, own->module, binding->value, &found, 0) && found == class_)
                return model;
        }
    }
    return NULL;
}

/* A lock outside of a transaction: Django raises before it sends anything. */
static bool is_lock_legal(struct lowerer *l, struct txn_span span, const struct queryset *query) {
    if (query->lock == SQL_LOCK_NONE || l->atomic_depth > 0 || l->b.dialect == SQL_SQLITE)
        return true;
    l->has_sql = true;
    lower_raise_class(l, span, STR("TransactionManagementError"));
    return false;
}

void query_adopt_row(struct lowerer *l, const struct queryset *query, struct row *row) {
    bool is_narrow = query->only.count > 0 || query->defer.count > 0 || query->result != QUERY_ROWS;
    if (is_narrow) {
        row->is_partial = true;
        row->is_values = query->result != QUERY_ROWS;
        if (row->is_values && query->columns.count > 0) {
            for (size_t i = 0; i < query->columns.count; i++) {
                struct model_field *field = model_attribute(query->model, query->columns.items[i]);
                if (field != NULL)
                    VEC_PUSH(l->arena, &row->loaded, field->column);
            }
        } else {
            for (size_t i = 0; i < query->model->fields.count; i++)
                if (query_loads(query, query->model->fields.items[i]))
                    VEC_PUSH(l->arena, &row->loaded, query->model->fields.items[i]->column);
        }
    }
    for (size_t i = 0; i < query->prefetched.count; i++)
        VEC_PUSH(l->arena, &row->prefetched, query->prefetched.items[i]);
    if (query->owner != NULL && query->owner_field != NULL)
        cell_set(l, row_cache(l, row, query->owner_field->name),
                 val_row(l, query->span, query->owner));
}

static struct row *fetched_row(struct lowerer *l, const struct queryset *query, struct str name) {
    struct str hint = name.len > 0 ? name : str_lower(l->arena, query->model->name);
    struct row *row = row_new(l, query->model, lower_var(l, hint));
    row->pk_state.val = val_bool(l, query->span, true);
    query_adopt_row(l, query, row);
    return row;
}

/* Only columns of the model's own table can be put into an object. */
static bool has_plain_columns(const struct queryset *query) {
    if (query->annotations.count > 0 && query->result != QUERY_ROWS)
        return false;
    for (size_t i = 0; query->result != QUERY_ROWS && i < query->columns.count; i++)
        if (model_attribute(query->model, query->columns.items[i]) == NULL)
            return false;
    return true;
}

/* The same rows with their own columns and the key: what is joined or computed may be anything. */
static struct queryset *plain_columns(struct lowerer *l, const struct queryset *query) {
    struct queryset *plain = query_copy(l, query);
    memset(&plain->columns, 0, sizeof(plain->columns));
    memset(&plain->annotations, 0, sizeof(plain->annotations));
    VEC_PUSH(l->arena, &plain->columns, query->model->pk->name);
    for (size_t i = 0; i < query->columns.count; i++) {
        const struct model_field *field = model_attribute(query->model, query->columns.items[i]);
        if (field != NULL && field != query->model->pk && field->kind != FIELD_MANY_TO_MANY)
            VEC_PUSH(l->arena, &plain->columns, field->name);
    }
    return plain;
}

static bool select_into(struct lowerer *l, struct txn_span span, const struct queryset *query,
                        enum txn_into into, uint16_t var, const char *limit, bool is_order_needed) {
    struct sqlgen gen;
    struct buf sql = {0};
    sqlgen_init(&gen, l, query->model, span);
    gen.is_order_needed = is_order_needed;
    struct queryset *limited = query_copy(l, query);
    if (limit != NULL && query->limit == NULL)
        limited->limit = val_int(l, span, limit[0] == '1' && limit[1] == '\0' ? 1 : 21);
    sqlgen_select(&gen, limited, &sql);
    struct txn_step *step = lower_sql(l, span, into, var, &sql);
    buf_release(&sql);
    return step != NULL;
}

struct val *query_rows(struct lowerer *l, struct txn_span span, struct queryset *query, struct str name) {
    if (query->is_manager && query->ready != NULL)
        query = query->ready;
    if (query->cached.val != NULL)
        return query->cached.val;
    if (query->is_manager)
        query = query_base(l, span, query);
    if (query->is_none)
        return val_new(l, VAL_SEQUENCE, span);
    if (!is_lock_legal(l, span, query))
        return val_unknown(l, span, name);
    uint16_t var;
    struct val *val;
    if (l->hint.len > 0)
        name = l->hint;
    else if (str_is(name, "rows"))
        name = str_printf(l->arena, "%.*ss", STR_ARG(str_lower(l->arena, query->model->name)));
    if (query->result == QUERY_FLAT) {
        var = lower_var(l, query->columns.count > 0 ? query->columns.items[0] : name);
        select_into(l, span, query, TXN_INTO_LIST, var, NULL, false);
        val = val_rows(l, span, var, NULL);
    } else {
        query = has_plain_columns(query) ? query : plain_columns(l, query);
        var = lower_var(l, name);
        select_into(l, span, query, TXN_INTO_ROWS, var, NULL, false);
        val = val_rows(l, span, var, query->model);
        val->query = query;
    }
    cell_set(l, &query->cached, val);
    return val;
}

/* Whether get() can meet one row at most: its conditions fix a unique key. */
static bool is_key_fixed(const struct queryset *query, const struct model_field *field) {
    for (size_t i = 0; i < query->where.count; i++) {
        const struct cond *all = query->where.items[i];
        size_t count = all->kind == COND_AND ? all->args.count : 1;
        for (size_t j = 0; j < count; j++) {
            const struct cond *cond = all->kind == COND_AND ? all->args.items[j] : all;
            struct str path = cond->path;
            if (cond->kind != COND_LOOKUP)
                continue;
            if (str_ends(path, "__exact"))
                path = str_sub(path, 0, path.len - 7);
            if (str_ends(path, "__id") || str_ends(path, "__pk"))
                path = str_sub(path, 0, path.len - 4);
            if (model_attribute(query->model, path) == field)
                return true;
        }
    }
    return false;
}

static bool is_set_fixed(const struct queryset *query, struct str names) {
    while (names.len > 0) {
        size_t end = str_find(names, ',', 0);
        struct model_field *field = model_attribute(query->model, str_sub(names, 0, end));
        if (field == NULL || !is_key_fixed(query, field))
            return false;
        names = str_sub(names, end < names.len ? end + 1 : end, names.len);
    }
    return true;
}

static bool is_unique_get(const struct queryset *query) {
    const struct model *model = query->model;
    if (query->limit != NULL)
        return true;
    for (size_t i = 0; i < model->fields.count; i++) {
        const struct model_field *field = model->fields.items[i];
        if ((field->is_primary || field->is_unique) && is_key_fixed(query, field))
            return true;
    }
    for (size_t i = 0; i < model->unique_sets.count; i++)
        if (model->unique_conditions.items[i].len == 0 &&
            is_set_fixed(query, model->unique_sets.items[i]))
            return true;
    return false;
}

static void raise_if(struct lowerer *l, struct txn_span span, struct txn_expr *cond, struct str name) {
    struct txn_step *step = txn_build_if(&l->b, span, cond);
    txn_build_raise(&l->b, span, name);
    txn_build_end(&l->b, step);
    l->step_count += 2;
}

/* get() takes no heed of an order, unless it is of a slice. */
static struct queryset *unordered(struct lowerer *l, struct queryset *query) {
    if (query->limit != NULL)
        return query;
    struct queryset *copy = query_copy(l, query);
    copy->is_order_set = true;
    memset(&copy->order_by, 0, sizeof(copy->order_by));
    return copy;
}

void query_get_into(struct lowerer *l, struct txn_span span, struct queryset *query, struct row *row,
                    struct str missing) {
    query = unordered(l, query);
    if (!is_lock_legal(l, span, query))
        return;
    if (is_unique_get(query)) {
        select_into(l, span, query, TXN_INTO_ROW, row->var, "21", false);
    } else {
        uint16_t all = lower_var(l, STR("matches"));
        select_into(l, span, query, TXN_INTO_ROWS, all, "21", false);
        struct txn_expr *many = txn_binary(&l->b, span, TXN_OP_GT,
                                           txn_of_list(&l->b, span, TXN_EXPR_LEN, all),
                                           txn_literal(&l->b, span, value_int(1)));
        raise_if(l, span, many,
                 str_printf(l->arena, "%.*s.MultipleObjectsReturned", STR_ARG(query->model->name)));
        txn_build_assign(&l->b, span, row->var, txn_of_list(&l->b, span, TXN_EXPR_FIRST, all));
    }
    if (missing.len > 0)
        raise_if(l, span,
                 txn_unary(&l->b, span, TXN_EXPR_IS_NULL, txn_ref(&l->b, span, row->var)), missing);
}

struct val *query_get(struct lowerer *l, struct txn_span span, struct queryset *query, struct str name,
                      struct str missing) {
    if (query->is_manager)
        query = query_base(l, span, query);
    query = unordered(l, query);
    if (query->result != QUERY_FLAT && !has_plain_columns(query))
        query = plain_columns(l, query);
    if (query->result == QUERY_FLAT) {
        uint16_t var = lower_var(l, name.len > 0 ? name : STR("fetched"));
        select_into(l, span, query, TXN_INTO_VALUE, var, "21", false);
        return val_scalar(l, txn_ref(&l->b, span, var));
    }
    struct row *row = fetched_row(l, query, name);
    query_get_into(l, span, query, row, missing);
    prefetch_row(l, span, row);
    for (size_t i = 0; missing.len > 0 && i < query->related.count; i++)
        row_load_related(l, span, row, query, query->related.items[i]);
    return val_row(l, span, row);
}

struct val *query_first(struct lowerer *l, struct txn_span span, struct queryset *query, struct str name) {
    if (query->is_manager)
        query = query_base(l, span, query);
    if (!is_lock_legal(l, span, query) || query->is_none)
        return val_null(l, span);
    if (query->result != QUERY_FLAT && !has_plain_columns(query))
        query = plain_columns(l, query);
    if (query->result == QUERY_FLAT) {
        uint16_t var = lower_var(l, name.len > 0 ? name : STR("first_value"));
        select_into(l, span, query, TXN_INTO_VALUE, var, "1", true);
        return val_scalar(l, txn_ref(&l->b, span, var));
    }
    struct row *row = fetched_row(l, query, name);
    row->is_null_possible = true;
    select_into(l, span, query, TXN_INTO_ROW, row->var, "1", true);
    prefetch_row(l, span, row);
    return val_row(l, span, row);
}

static struct val *select_value(struct lowerer *l, struct txn_span span, struct queryset *query,
                                struct str items, const char *name, bool is_limited, bool is_locked) {
    struct sqlgen gen;
    struct buf sql = {0}, where = {0};
    sqlgen_init(&gen, l, query->model, span);
    sqlgen_where(&gen, query, &where);
    buf_add_c(&sql, "SELECT ");
    buf_add(&sql, items);
    sqlgen_from(&gen, &sql);
    buf_add(&sql, buf_str(&where));
    if (is_limited)
        buf_add_c(&sql, " LIMIT 1");
    if (is_locked)
        sqlgen_lock(&gen, query, &sql);
    uint16_t var = lower_var(l, str_from_c(name));
    struct txn_step *step = lower_sql(l, span, TXN_INTO_VALUE, var, &sql);
    buf_release(&sql);
    buf_release(&where);
    if (step == NULL)
        return val_unknown(l, span, str_from_c(name));
    return val_scalar(l, txn_ref(&l->b, span, var));
}

struct val *query_exists(struct lowerer *l, struct txn_span span, struct queryset *query) {
    if (query->is_manager)
        query = query_base(l, span, query);
    if (query->cached.val != NULL && query->cached.val->kind == VAL_ROWS)
        return val_scalar(l, txn_binary(&l->b, span, TXN_OP_GT,
                                        txn_of_list(&l->b, span, TXN_EXPR_LEN, query->cached.val->var),
                                        txn_literal(&l->b, span, value_int(0))));
    if (query->is_none)
        return val_bool(l, span, false);
    if (!is_lock_legal(l, span, query))
        return val_bool(l, span, false);
    struct val *one = select_value(l, span, query, STR("(1) AS a"), "found", true, true);
    if (one->kind != VAL_SCALAR)
        return one;
    return val_scalar(l, txn_unary(&l->b, span, TXN_EXPR_NOT,
                                   txn_unary(&l->b, span, TXN_EXPR_IS_NULL, one->expr)));
}

struct val *query_count(struct lowerer *l, struct txn_span span, struct queryset *query) {
    if (query->is_manager)
        query = query_base(l, span, query);
    if (query->cached.val != NULL && query->cached.val->kind == VAL_ROWS)
        return val_scalar(l, txn_of_list(&l->b, span, TXN_EXPR_LEN, query->cached.val->var));
    if (query->is_none)
        return val_int(l, span, 0);
    struct val *all = select_value(l, span, query, STR("COUNT(*) AS n"), "counted", false, false);
    if (all->kind != VAL_SCALAR || (query->limit == NULL && !query->is_distinct))
        return all;
    /* Of a slice or of distinct rows: a number that hangs on that of all. */
    struct txn_expr *some = txn_opaque(&l->b, span, STR("counted_of"));
    txn_add_arg(&l->b, some, all->expr);
    return val_scalar(l, some);
}

/* Of a slice, or over annotations: a value that hangs on that of all rows. */
static struct val *aggregate_value(struct lowerer *l, struct txn_span span, struct queryset *query,
                                   const struct val *of, struct str name) {
    struct sqlgen gen;
    struct buf sql = {0}, where = {0}, item = {0};
    bool is_whole = query->limit == NULL && query->annotations.count == 0;
    name = name.len > 0 ? name : STR("aggregate");
    if (of->kind != VAL_SQL)
        return val_unknown(l, span, name);
    sqlgen_init(&gen, l, query->model, span);
    gen.query = query;
    sqlgen_expr(&gen, of->sql, &item);
    if (gen.has_any) {
        buf_release(&item);
        return val_unknown(l, span, name);
    }
    sqlgen_where(&gen, query, &where);
    buf_add_c(&sql, "SELECT ");
    buf_add(&sql, buf_str(&item));
    buf_add_c(&sql, " AS ");
    sql_name(l, name, &sql);
    sqlgen_from(&gen, &sql);
    buf_add(&sql, buf_str(&where));
    uint16_t var = lower_var(l, name);
    struct txn_step *step = lower_sql(l, span, TXN_INTO_VALUE, var, &sql);
    buf_release(&sql);
    buf_release(&where);
    buf_release(&item);
    if (step == NULL)
        return val_unknown(l, span, name);
    if (is_whole)
        return val_scalar(l, txn_ref(&l->b, span, var));
    struct txn_expr *some = txn_opaque(&l->b, span, STR("aggregate_of"));
    txn_add_arg(&l->b, some, txn_ref(&l->b, span, var));
    return val_scalar(l, some);
}

struct val *query_aggregate(struct lowerer *l, struct queryset *query, struct args *args) {
    struct val *dict = val_new(l, VAL_DICT, args->span);
    if (query->is_manager)
        query = query_base(l, args->span, query);
    size_t count = args->names.count + args->positional.count;
    if (count > 1)
        lower_bound(l, args->span, STR("aggregates fetched together are taken as one SELECT each"));
    for (size_t i = 0; i < count; i++) {
        bool is_named = i < args->names.count;
        struct val *of = is_named ? args->values.items[i]
                                  : args->positional.items[i - args->names.count];
        struct str name = is_named ? args->names.items[i] : (struct str){0};
        if (!is_named && of->kind == VAL_SQL && of->sql->args.count > 0)
            name = str_printf(l->arena, "%.*s__%.*s", STR_ARG(of->sql->args.items[0]->name),
                              STR_ARG(str_lower(l->arena, of->sql->name)));
        VEC_PUSH(l->arena, &dict->keys, val_literal(l, args->span, value_text(l->pool, name)));
        VEC_PUSH(l->arena, &dict->items, aggregate_value(l, args->span, query, of, name));
    }
    dict->is_partial = args->is_open;
    return dict;
}

struct val *query_index(struct lowerer *l, struct txn_span span, struct queryset *query,
                        struct val *index) {
    struct queryset *one = query_copy(l, query);
    struct value number;
    one->is_manager = false;
    one->limit = val_int(l, span, 1);
    if (!val_constant(index, &number) || number.kind != VALUE_INT || number.number != 0)
        one->offset = index;
    struct val *all = query->cached.val; /* fetched before: nothing is sent */
    bool is_there = all != NULL && all->kind == VAL_ROWS && all->model != NULL && one->offset == NULL;
    if (!is_there && (!is_lock_legal(l, span, one) || !has_plain_columns(one) ||
                      one->result == QUERY_FLAT))
        return query_first(l, span, one, l->hint);
    struct row *row = fetched_row(l, one, l->hint);
    if (is_there)
        txn_build_assign(&l->b, span, row->var, txn_of_list(&l->b, span, TXN_EXPR_FIRST, all->var));
    else
        select_into(l, span, one, TXN_INTO_ROW, row->var, "1", false);
    raise_if(l, span, txn_unary(&l->b, span, TXN_EXPR_IS_NULL, txn_ref(&l->b, span, row->var)),
             STR("IndexError"));
    prefetch_row(l, span, row);
    return val_row(l, span, row);
}
