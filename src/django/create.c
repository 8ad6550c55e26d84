/* Writers of managers and querysets: create and its kin, update. */
#include "base/assert.h"
#include "django/choice.h"
#include "django/container.h"
#include "django/model_meta.h"
#include "django/orm.h"
#include "django/signal.h"
#include "django/sqlgen.h"
#include "django/values.h"

/* obj.save(...), by the model's own save() if it has one. */
void row_call_save(struct lowerer *l, struct txn_span span, struct row *row, bool is_insert) {
    struct args args = {.span = span};
    if (is_insert) {
        VEC_PUSH(l->arena, &args.names, STR("force_insert"));
        VEC_PUSH(l->arena, &args.values, val_bool(l, span, true));
    }
    struct val *save = lower_attribute(l, span, val_row(l, span, row), STR("save"), NULL);
    lower_call_value(l, save, &args, STR("save"));
}

static struct args with_owner(struct lowerer *l, const struct queryset *query, const struct args *args) {
    struct args all = *args;
    all.names.capacity = all.names.count;
    all.values.capacity = all.values.count;
    if (query->owner != NULL && query->owner_field != NULL) {
        VEC_PUSH(l->arena, &all.names, query->owner_field->name);
        VEC_PUSH(l->arena, &all.values, val_row(l, args->span, query->owner));
    }
    return all;
}

struct val *query_create(struct lowerer *l, struct txn_span span, struct queryset *query,
                         struct args *args) {
    struct args all = with_owner(l, query, args);
    struct val *made = row_construct(l, span, query->model, &all);
    row_call_save(l, span, made->row, true);
    if (query->owner != NULL && query->owner_m2m != NULL && !l->frame->is_terminated) {
        struct args link = {.span = span};
        VEC_PUSH(l->arena, &link.positional, made);
        relation_method(l, query, STR("add"), &link);
    }
    return made;
}

/* Arguments of the object that get_or_create makes: plain lookups, then the defaults. */
static struct args creation_args(struct lowerer *l, struct args *lookups, struct val *defaults) {
    struct args all = {.span = lookups->span};
    for (size_t i = 0; i < lookups->names.count; i++) {
        struct str name = lookups->names.items[i];
        bool is_lookup = false;
        for (size_t j = 1; j + 2 < name.len; j++)
            is_lookup |= name.ptr[j] == '_' && name.ptr[j + 1] == '_';
        if (is_lookup)
            continue;
        VEC_PUSH(l->arena, &all.names, name);
        VEC_PUSH(l->arena, &all.values, lookups->values.items[i]);
    }
    for (size_t i = 0; defaults != NULL && defaults->kind == VAL_DICT && i < defaults->keys.count; i++) {
        struct str name;
        size_t at = 0;
        if (!val_text(l, defaults->keys.items[i], &name))
            continue;
        while (at < all.names.count && !str_equal(all.names.items[at], name))
            at++;
        if (at == all.names.count) {
            VEC_PUSH(l->arena, &all.names, name);
            VEC_PUSH(l->arena, &all.values, defaults->items.items[i]);
        } else {
            all.values.items[at] = defaults->items.items[i];
        }
    }
    return all;
}

static void split_defaults(struct lowerer *l, struct args *args, struct args *lookups,
                           struct val **defaults) {
    *lookups = (struct args){.span = args->span, .is_open = args->is_open};
    *defaults = NULL;
    for (size_t i = 0; i < args->names.count; i++) {
        if (str_is(args->names.items[i], "defaults")) {
            *defaults = args->values.items[i];
            continue;
        }
        VEC_PUSH(l->arena, &lookups->names, args->names.items[i]);
        VEC_PUSH(l->arena, &lookups->values, args->values.items[i]);
    }
    if (*defaults == NULL && args->positional.count > 0)
        *defaults = args->positional.items[0];
    if (*defaults != NULL && !val_is_none(*defaults) &&
        ((*defaults)->kind != VAL_DICT || (*defaults)->is_partial))
        lower_note(l, args->span, STR("defaults that are not known from the source"));
}

/* try: create in a transaction of its own; IntegrityError: somebody else did, get it. */
static void create_or_get(struct lowerer *l, struct txn_span span, struct queryset *query,
                          struct queryset *plain, struct args *creation, struct row *row,
                          uint16_t created) {
    struct txn_step *attempt = txn_build_try(&l->b, span);
    attempt->handlers.items = ARENA_ARRAY(l->arena, struct txn_handler, 2);
    attempt->handlers.capacity = 2;
    struct txn_step *atomic = lower_atomic(l, span, NULL);
    size_t mark = flow_mark(l);
    struct val *made = query_create(l, span, plain, creation);
    txn_build_assign(&l->b, span, row->var, txn_ref(&l->b, span, made->row->var));
    flow_undo(l, mark);
    lower_atomic_end(l, atomic);
    txn_build_assign(&l->b, span, created, txn_literal(&l->b, span, value_bool(true)));
    struct txn_handler *handler = txn_build_except(&l->b, span, attempt);
    VEC_PUSH(l->arena, &handler->classes, STR("IntegrityError"));
    query_get_into(l, span, query, row, STR(""));
    struct txn_expr *none =
        txn_unary(&l->b, span, TXN_EXPR_IS_NULL, txn_ref(&l->b, span, row->var));
    struct txn_step *again = txn_build_if(&l->b, span, none);
    txn_build_raise(&l->b, span, (struct str){0});
    txn_build_end(&l->b, again);
    txn_build_end(&l->b, attempt);
}

static void set_defaults(struct lowerer *l, struct txn_span span, struct row *row, struct val *defaults) {
    for (size_t i = 0; defaults != NULL && defaults->kind == VAL_DICT && i < defaults->keys.count; i++) {
        struct str name;
        if (val_text(l, defaults->keys.items[i], &name))
            lower_set_attribute(l, span, val_row(l, span, row), name, defaults->items.items[i]);
    }
    row_call_save(l, span, row, false);
}

static void update_existing(struct lowerer *l, struct txn_span span, struct row *row, uint16_t created,
                            struct val *defaults) {
    struct txn_step *step = txn_build_if(
        &l->b, span, txn_unary(&l->b, span, TXN_EXPR_NOT, txn_ref(&l->b, span, created)));
    size_t mark = flow_mark(l);
    set_defaults(l, span, row, defaults);
    flow_undo(l, mark);
    txn_build_end(&l->b, step);
}

struct val *query_get_or_create(struct lowerer *l, struct queryset *query, struct args *args,
                                bool is_update) {
    struct txn_span span = args->span;
    struct args lookups;
    struct val *defaults;
    split_defaults(l, args, &lookups, &defaults);
    struct txn_step *atomic = is_update ? lower_atomic(l, span, NULL) : NULL;
    struct queryset *get = query_copy(l, query);
    query_filter(l, get, &lookups, false);
    get->is_manager = false;
    get->is_guard = true;
    if (is_update)
        get->lock = SQL_LOCK_UPDATE;
    struct args creation = creation_args(l, &lookups, defaults);
    creation.is_open = args->is_open;
    struct row *row = row_new(l, query->model,
                              lower_var(l, l->hint.len > 0 ? l->hint : str_lower(l->arena, query->model->name)));
    uint16_t created = lower_var(l, STR("created"));
    l->is_pinned[row->var] = true;
    l->is_pinned[created] = true;
    row->pk_state.val = val_bool(l, span, true);
    query_get_into(l, span, get, row, STR(""));
    txn_build_assign(&l->b, span, created, txn_literal(&l->b, span, value_bool(false)));
    struct txn_expr *none =
        txn_unary(&l->b, span, TXN_EXPR_IS_NULL, txn_ref(&l->b, span, row->var));
    struct txn_step *absent = txn_build_if(&l->b, span, none);
    create_or_get(l, span, get, query, &creation, row, created);
    txn_build_end(&l->b, absent);
    if (is_update) {
        update_existing(l, span, row, created, defaults);
        lower_atomic_end(l, atomic);
    }
    if (query->owner != NULL && query->owner_field != NULL)
        cell_set(l, row_cache(l, row, query->owner_field->name), val_row(l, span, query->owner));
    l->is_pinned[created] = false;
    struct val *pair = val_new(l, VAL_SEQUENCE, span);
    VEC_PUSH(l->arena, &pair->items, val_row(l, span, row));
    VEC_PUSH(l->arena, &pair->items, val_scalar(l, txn_ref(&l->b, span, created)));
    return pair;
}

struct val *query_update(struct lowerer *l, struct queryset *query, struct args *args) {
    struct txn_span span = args->span;
    struct model *model = query->model;
    struct sqlgen gen;
    struct buf sql = {0}, where = {0};
    if (query->is_manager)
        query = query_base(l, span, query);
    if (args->is_open)
        lower_note(l, span, STR("columns of update() that are not known"));
    query = query_copy(l, query);
    query->is_guard = true;
    sqlgen_init(&gen, l, model, span);
    gen.query = query;
    buf_add_c(&sql, "UPDATE ");
    sql_name(l, model->table_name, &sql);
    buf_add_c(&sql, " SET ");
    size_t count = 0;
    for (size_t i = 0; i < args->names.count; i++) {
        struct model_field *field = model_attribute(model, args->names.items[i]);
        struct val *val = args->values.items[i];
        if (field == NULL || field->kind == FIELD_MANY_TO_MANY) {
            lower_notef(l, span, "update() of %.*s, which is no known field",
                        STR_ARG(args->names.items[i]));
            continue;
        }
        buf_add_c(&sql, count++ > 0 ? ", " : "");
        sql_name(l, field->column, &sql);
        buf_add_c(&sql, " = ");
        l->sql_hint = str_printf(l->arena, "new_%.*s", STR_ARG(field->name));
        if (val->kind == VAL_SQL)
            sqlgen_expr(&gen, val->sql, &sql);
        else
            val_sql(l, val, &sql);
        l->sql_hint = (struct str){0};
    }
    sqlgen_where(&gen, query, &where);
    if (query->is_none || count == 0) {
        buf_release(&sql);
        buf_release(&where);
        return val_int(l, span, 0);
    }
    if (gen.joins.count == 0 && query->limit == NULL)
        buf_add(&sql, buf_str(&where));
    else
        sqlgen_where_keys(l, query, span, &sql);
    uint16_t var = lower_var(l, l->hint.len > 0 ? l->hint : STR("updated"));
    struct txn_step *step = lower_sql(l, span, TXN_INTO_COUNT, var, &sql);
    buf_release(&sql);
    buf_release(&where);
    return step != NULL ? val_scalar(l, txn_ref(&l->b, span, var)) : val_unknown(l, span, STR("updated"));
}

static void insert_columns(struct lowerer *l, const struct model *model, bool with_key, struct buf *sql) {
    bool is_first = true;
    for (size_t i = 0; i < model->fields.count; i++) {
        const struct model_field *field = model->fields.items[i];
        if (field->kind == FIELD_MANY_TO_MANY || (field == model->pk && !with_key))
            continue;
        buf_add_c(sql, is_first ? "" : ", ");
        is_first = false;
        sql_name(l, field->column, sql);
    }
}

static void insert_values(struct lowerer *l, const struct row *row, bool with_key, struct buf *sql) {
    bool is_first = true;
    for (size_t i = 0; i < row->model->fields.count; i++) {
        const struct model_field *field = row->model->fields.items[i];
        if (field->kind == FIELD_MANY_TO_MANY || (field == row->model->pk && !with_key))
            continue;
        buf_add_c(sql, is_first ? "(" : ", ");
        is_first = false;
        buf_printf(sql, ":%.*s.%.*s", STR_ARG(l->b.program->vars.items[row->var].name),
                   STR_ARG(field->column));
    }
    buf_add_char(sql, ')');
}

struct bulk_create {
    struct queryset *query;
    struct args *args;
};

static struct val *bulk_create_item(struct lowerer *l, struct val *item, void *context) {
    struct bulk_create *create = context;
    struct args args = {.span = create->args->span, .names = {0}};
    VEC_PUSH(l->arena, &args.positional, item);
    for (size_t i = 0; i < create->args->names.count; i++)
        if (!str_is(create->args->names.items[i], "objs")) {
            VEC_PUSH(l->arena, &args.names, create->args->names.items[i]);
            VEC_PUSH(l->arena, &args.values, create->args->values.items[i]);
        }
    return query_bulk_create(l, create->query, &args);
}

struct val *query_bulk_create(struct lowerer *l, struct queryset *query, struct args *args) {
    struct val *objects = args_get(args, 0, "objs");
    struct txn_span span = args->span;
    struct bulk_create create = {query, args};
    if (objects != NULL && objects->kind == VAL_CHOICE)
        return choice_each(l, span, objects, bulk_create_item, &create);
    if (objects != NULL && objects->kind == VAL_SEQUENCE && objects->is_sample) {
        struct val *item, *one = val_new(l, VAL_SEQUENCE, span);
        struct txn_step *step = sample_begin(l, span, objects, &item);
        VEC_PUSH(l->arena, &one->items, item);
        bulk_create_item(l, one, &create);
        txn_build_end(&l->b, step);
        return objects;
    }
    bool is_known = objects != NULL && objects->kind == VAL_SEQUENCE && !objects->is_partial;
    for (size_t i = 0; is_known && i < objects->items.count; i++)
        is_known = objects->items.items[i]->kind == VAL_ROW &&
                   objects->items.items[i]->row->model == query->model;
    if (!is_known) {
        lower_note(l, span, STR("bulk_create of objects that are not known one by one"));
        return val_unknown(l, span, STR("objects"));
    }
    if (objects->items.count == 0)
        return objects;
    bool with_key = !query->model->pk->is_serial;
    struct txn_step *atomic = lower_atomic(l, span, NULL);
    atomic->is_savepoint_off = true;
    struct buf sql = {0};
    struct val *ignore = args_named(args, "ignore_conflicts");
    bool is_ignored = ignore != NULL && val_known_truth(l, ignore) == 1;
    buf_add_c(&sql, is_ignored && l->b.dialect == SQL_MYSQL ? "INSERT IGNORE INTO " : "INSERT INTO ");
    sql_name(l, query->model->table_name, &sql);
    buf_add_c(&sql, " (");
    insert_columns(l, query->model, with_key, &sql);
    buf_add_c(&sql, ") VALUES ");
    for (size_t i = 0; i < objects->items.count; i++) {
        buf_add_c(&sql, i == 0 ? "" : ", ");
        insert_values(l, objects->items.items[i]->row, with_key, &sql);
    }
    if (is_ignored && l->b.dialect != SQL_MYSQL)
        buf_add_c(&sql, " ON CONFLICT DO NOTHING");
    lower_sql(l, span, TXN_INTO_NOTHING, TXN_NO_VAR, &sql);
    buf_release(&sql);
    lower_atomic_end(l, atomic);
    return objects;
}

/* One UPDATE for the row: the column is set by key. */
static void update_columns(struct lowerer *l, struct txn_span span, struct row *row, struct val *fields) {
    struct buf sql = {0};
    struct str name, var = l->b.program->vars.items[row->var].name;
    size_t count = 0;
    buf_add_c(&sql, "UPDATE ");
    sql_name(l, row->model->table_name, &sql);
    buf_add_c(&sql, " SET ");
    for (size_t i = 0; i < fields->items.count; i++) {
        struct model_field *field = NULL;
        if (val_text(l, fields->items.items[i], &name))
            field = model_attribute(row->model, name);
        if (field == NULL) {
            lower_note(l, span, STR("bulk_update of a field that is not known"));
            continue;
        }
        buf_add_c(&sql, count++ > 0 ? ", " : "");
        sql_name(l, field->column, &sql);
        buf_printf(&sql, " = :%.*s.%.*s", STR_ARG(var), STR_ARG(field->column));
    }
    buf_add_c(&sql, " WHERE ");
    sql_name(l, row->model->pk->column, &sql);
    buf_printf(&sql, " = :%.*s.%.*s", STR_ARG(var), STR_ARG(row->model->pk->column));
    if (count > 0) {
        struct txn_step *step = lower_sql(l, span, TXN_INTO_NOTHING, TXN_NO_VAR, &sql);
        if (step != NULL)
            step->sql.is_save = true;
    }
    buf_release(&sql);
}

struct val *query_bulk_update(struct lowerer *l, struct queryset *query, struct args *args) {
    struct val *objects = args_get(args, 0, "objs"), *fields = args_get(args, 1, "fields");
    struct txn_span span = args->span;
    if (objects != NULL && objects->kind == VAL_QUERYSET)
        objects = query_rows(l, span, objects->query, STR("rows"));
    if (objects != NULL && objects->kind == VAL_SEQUENCE && objects->is_sample) {
        struct args one = {.span = span};
        struct val *item, *list = val_new(l, VAL_SEQUENCE, span);
        struct txn_step *step = sample_begin(l, span, objects, &item);
        VEC_PUSH(l->arena, &list->items, item);
        VEC_PUSH(l->arena, &one.positional, list);
        VEC_PUSH(l->arena, &one.positional, fields != NULL ? fields : val_null(l, span));
        query_bulk_update(l, query, &one);
        txn_build_end(&l->b, step);
        return val_null(l, span);
    }
    bool is_rows = objects != NULL && objects->kind == VAL_ROWS && objects->model == query->model;
    bool is_sequence = objects != NULL && objects->kind == VAL_SEQUENCE && !objects->is_partial;
    if ((!is_rows && !is_sequence) || fields == NULL || fields->kind != VAL_SEQUENCE) {
        lower_note(l, span, STR("bulk_update of objects or fields that are not known"));
        return val_null(l, span);
    }
    struct txn_step *atomic = lower_atomic(l, span, NULL);
    atomic->is_savepoint_off = true;
    if (objects->items.count > 1 || is_rows)
        lower_bound(l, span, STR("bulk_update is taken as an UPDATE for each object"));
    for (size_t i = 0; is_sequence && i < objects->items.count; i++)
        if (objects->items.items[i]->kind == VAL_ROW)
            update_columns(l, span, objects->items.items[i]->row, fields);
    if (is_rows) {
        struct row *row = row_new(l, objects->model, lower_var(l, STR("item")));
        struct txn_step *step = txn_build_for(&l->b, span, row->var, objects->var);
        update_columns(l, span, row, fields);
        txn_build_end(&l->b, step);
    }
    lower_atomic_end(l, atomic);
    return val_null(l, span);
}
