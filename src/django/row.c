/* Model instances: their columns, related objects and methods. */
#include "base/assert.h"
#include "django/model_meta.h"
#include "django/orm.h"
#include "django/sqlgen.h"
#include "django/values.h"

static struct str row_text(struct lowerer *l, const struct row *row, struct str name) {
    struct str of = l->b.program->vars.items[row->var].source_name;
    if (of.len == 0)
        of = l->b.program->vars.items[row->var].name;
    return str_printf(l->arena, "%.*s.%.*s", STR_ARG(of), STR_ARG(name));
}

static bool is_loaded(const struct row *row, const struct model_field *field) {
    if (!row->is_partial || field->is_primary)
        return true;
    for (size_t i = 0; i < row->loaded.count; i++)
        if (str_equal(row->loaded.items[i], field->column))
            return true;
    return false;
}

void row_reload(struct lowerer *l, struct txn_span span, struct row *row, const struct model_field *only) {
    struct sqlgen gen;
    struct buf sql = {0};
    sqlgen_init(&gen, l, row->model, span);
    buf_add_c(&sql, "SELECT ");
    sqlgen_column(&gen, row->model->pk->column, &sql);
    for (size_t i = 0; i < row->model->fields.count; i++) {
        const struct model_field *field = row->model->fields.items[i];
        bool is_wanted = only != NULL ? field == only : is_loaded(row, field);
        if (field->kind == FIELD_MANY_TO_MANY || field == row->model->pk || !is_wanted)
            continue;
        buf_add_c(&sql, ", ");
        sqlgen_column(&gen, field->column, &sql);
    }
    sqlgen_from(&gen, &sql);
    buf_add_c(&sql, " WHERE ");
    sqlgen_column(&gen, row->model->pk->column, &sql);
    buf_add_c(&sql, " = ");
    val_sql(l, val_row(l, span, row), &sql);
    buf_add_c(&sql, " LIMIT 21");
    lower_sql(l, span, TXN_INTO_RELOAD, row->var, &sql);
    buf_release(&sql);
}

static struct val *column_value(struct lowerer *l, struct txn_span span, struct row *row,
                                const struct model_field *field) {
    if (!is_loaded(row, field)) {
        /* A deferred column is fetched when it is first looked at. */
        row_reload(l, span, row, field);
        struct row *self = row;
        VEC_PUSH(l->arena, &self->loaded, field->column);
    }
    return val_scalar(l, txn_column(&l->b, span, row->var, field->column));
}

struct cell *row_cache(struct lowerer *l, struct row *row, struct str name) {
    struct cell *cell = fields_cell(l, row->caches, name);
    cell->is_cache = true;
    return cell;
}

static struct queryset *query_by_key(struct lowerer *l, struct txn_span span, struct model *model,
                                     struct val *key) {
    struct queryset *query = query_new(l, span, model);
    VEC_PUSH(l->arena, &query->where, cond_lookup(l, span, STR("pk"), key));
    return query;
}

/* A row of a table that is not in the project: only its key is known, and that there is none if the key is null. */
static struct val *outside_object(struct lowerer *l, struct txn_span span, struct row *row,
                                  const struct model_field *field) {
    struct val *outside = val_unknown(l, span, row_text(l, row, field->name));
    uint16_t var = lower_var(l, field->column);
    outside->is_orm = true;
    txn_build_assign(&l->b, span, var, column_value(l, span, row, field)->expr);
    outside->expr = txn_ref(&l->b, span, var);
    return outside;
}

/* x.parent: the object cached on x, else a SELECT of its own; None without one if the column is null. */
static struct val *related_object(struct lowerer *l, struct txn_span span, struct row *row,
                                  const struct model_field *field, enum sql_lock lock) {
    struct cell *cell = row_cache(l, row, field->name);
    if (cell->val != NULL)
        return cell->val;
    if (field->target == NULL || field->target->table < 0)
        return outside_object(l, span, row, field);
    struct val *key = column_value(l, span, row, field);
    struct queryset *query = query_by_key(l, span, field->target, key);
    struct str missing = str_printf(l->arena, "%.*s.DoesNotExist", STR_ARG(field->target->name));
    struct str name = field->name;
    query->lock = lock;
    struct val *result;
    if (!field->is_null) {
        result = query_get(l, span, query, name, missing);
        if (!l->frame->is_terminated)
            cell_set(l, cell, result);
        return result;
    }
    struct row *related = row_new(l, field->target, lower_var(l, name));
    l->is_pinned[related->var] = true;
    related->is_null_possible = true;
    related->pk_state.val = val_bool(l, span, true);
    struct txn_step *step =
        txn_build_if(&l->b, span, txn_unary(&l->b, span, TXN_EXPR_IS_NULL, key->expr));
    txn_build_assign(&l->b, span, related->var, txn_literal(&l->b, span, value_null()));
    txn_build_else(&l->b, step);
    query_get_into(l, span, query, related, missing);
    txn_build_end(&l->b, step);
    result = val_row(l, span, related);
    cell_set(l, cell, result);
    return result;
}

/* Whether FOR UPDATE of the query takes the joined row too. */
static bool is_lock_wide(const struct queryset *query, struct str path) {
    for (size_t i = 0; i < query->lock_of.count; i++)
        if (str_equal(query->lock_of.items[i], path))
            return true;
    return query->lock_of.count == 0;
}

/* Django reads them by a join. A statement fills objects of one table, so here each follows at once. */
void row_load_related(struct lowerer *l, struct txn_span span, struct row *row,
                      const struct queryset *query, struct str path) {
    enum sql_lock lock = is_lock_wide(query, path) ? query->lock : SQL_LOCK_NONE;
    for (size_t at = 0; at < path.len && !l->frame->is_terminated;) {
        size_t end = at;
        while (end < path.len && !(path.ptr[end] == '_' && end + 1 < path.len && path.ptr[end + 1] == '_'))
            end++;
        struct model_field *field = model_field(row->model, str_sub(path, at, end));
        if (field == NULL || field->kind == FIELD_PLAIN || field->kind == FIELD_MANY_TO_MANY)
            return;
        struct val *related = related_object(l, span, row, field, lock);
        if (related->kind != VAL_ROW || related->row->is_null_possible)
            return;
        row = related->row;
        at = end + 2;
    }
}

static struct val *reverse_value(struct lowerer *l, struct txn_span span, struct val *of,
                                 struct reverse *reverse) {
    struct row *row = of->row;
    if (reverse->field->kind == FIELD_ONE_TO_ONE) {
        struct cell *cell = row_cache(l, row, reverse->accessor);
        if (cell->val != NULL)
            return cell->val;
        struct queryset *query = query_new(l, span, reverse->model);
        VEC_PUSH(l->arena, &query->where, cond_lookup(l, span, reverse->field->name, of));
        struct str missing = str_printf(l->arena, "%.*s.DoesNotExist", STR_ARG(reverse->model->name));
        struct val *result = query_get(l, span, query, reverse->accessor, missing);
        if (result->kind == VAL_ROW) {
            cell_set(l, row_cache(l, result->row, reverse->field->name), of);
            cell_set(l, cell, result);
        }
        return result;
    }
    struct queryset *query = manager_of(l, span, reverse->model, STR("_default_manager"));
    query->is_manager = true;
    query->owner = row;
    if (reverse->field->kind == FIELD_MANY_TO_MANY) {
        query->owner_reverse = reverse;
        query->owner_m2m = reverse->field;
    } else {
        query->owner_field = reverse->field;
    }
    VEC_PUSH(l->arena, &query->where, cond_lookup(l, span, reverse->field->name, of));
    return val_query(l, span, query);
}

static struct val *m2m_value(struct lowerer *l, struct txn_span span, struct val *of,
                             struct model_field *field) {
    if (field->target == NULL || field->target->table < 0) {
        struct val *outside = val_unknown(l, span, row_text(l, of->row, field->name));
        outside->is_orm = true;
        return outside;
    }
    struct queryset *query = manager_of(l, span, field->target, STR("_default_manager"));
    query->is_manager = true;
    query->owner = of->row;
    query->owner_m2m = field;
    struct cond *cond = cond_lookup(l, span, field->name, of);
    cond->through = field;
    VEC_PUSH(l->arena, &query->where, cond);
    return val_query(l, span, query);
}

struct val *row_related(struct lowerer *l, struct txn_span span, struct val *of, struct str name) {
    struct model_field *field = model_attribute(of->row->model, name);
    if (field != NULL && field->kind == FIELD_MANY_TO_MANY)
        return m2m_value(l, span, of, field);
    if (field != NULL)
        return field->kind != FIELD_PLAIN && str_equal(field->name, name)
                   ? related_object(l, span, of->row, field, SQL_LOCK_NONE)
                   : NULL;
    struct model *model = of->row->model;
    while (model->is_proxy && model->parent != NULL)
        model = model->parent;
    struct reverse *reverse = model_reverse(model, name, false);
    return reverse != NULL ? reverse_value(l, span, of, reverse) : NULL;
}

struct val *row_is_adding(struct lowerer *l, struct txn_span span, const struct row *row) {
    const struct cell *cell = fields_find(row->caches, STR("_adding"));
    if (cell != NULL && cell->val != NULL)
        return cell->val;
    return row->is_new ? val_unknown(l, span, STR("self._state.adding")) : val_bool(l, span, false);
}

/* A manager whose rows are there. */
static struct val *with_ready(struct lowerer *l, struct val *related, struct queryset *ready) {
    if (related->kind != VAL_QUERYSET || ready == NULL)
        return related;
    struct queryset *manager = query_copy(l, related->query);
    manager->ready = ready;
    return val_query(l, related->span, manager);
}

static struct val *method_of_row(struct lowerer *l, struct txn_span span, struct val *of, struct str name) {
    struct val *val = val_new(l, VAL_METHOD, span);
    val->self = of;
    val->name = name;
    return val;
}

static bool is_translation_method(struct str name) {
    return str_is(name, "get_translation") || str_is(name, "_get_translated_model") ||
           str_is(name, "set_current_language");
}

struct val *row_attribute(struct lowerer *l, struct txn_span span, struct val *of, struct str name) {
    static const char *const methods[] = {"save", "delete", "refresh_from_db", "full_clean", "clean",
                                          "validate_unique", "clean_fields", "serializable_value"};
    struct row *row = of->row;
    struct model_field *field = model_attribute(row->model, name);
    struct queryset *ready = row->prefetched.count > 0 ? prefetch_of(l, span, row, name) : NULL;
    struct val *related = field != NULL ? row_related(l, span, of, name) : NULL;
    if (related != NULL)
        return with_ready(l, related, ready);
    if (field != NULL) {
        struct val *column = column_value(l, span, row, field);
        column->row = row;
        column->name = field->name;
        return column;
    }
    struct cell *cell = fields_find(row->caches, name);
    if (cell != NULL && cell->val != NULL)
        return cell->val;
    if (str_is(name, "_state")) {
        struct val *state = val_new(l, VAL_PARTIAL, span);
        state->name = STR("row_state");
        state->self = of;
        return state;
    }
    related = row_related(l, span, of, name);
    if (related != NULL)
        return with_ready(l, related, ready);
    if (ready != NULL) /* to_attr */
        return query_rows(l, span, ready, name);
    struct val *member = row->model->is_auto ? NULL : class_member(l, span, of, row->model->class_, name);
    if (member != NULL)
        return member;
    if (model_translates(row->model, name))
        return val_unknown(l, span, row_text(l, row, name));
    if (row->model->translations != NULL && is_translation_method(name))
        return method_of_row(l, span, of, name);
    for (size_t i = 0; i < LW_COUNT_OF(methods); i++)
        if (str_is(lower_sync_name(name), methods[i]))
            return method_of_row(l, span, of, name);
    if (str_starts(name, "get_") && str_ends(name, "_display") && name.len > 12) {
        field = model_attribute(row->model, str_sub(name, 4, name.len - 8));
        if (field != NULL) {
            struct val *val = val_new(l, VAL_METHOD, span);
            val->self = column_value(l, span, row, field);
            val->name = name;
            return val;
        }
    }
    struct val *unknown = val_unknown(l, span, row_text(l, row, name));
    unknown->is_orm = true;
    unknown->class_ = str_is(name, "_meta") ? row->model->class_ : NULL;
    return unknown;
}

/* F("n") + 1 in a column: it stays there until the row is loaded anew. */
static void set_sql(struct lowerer *l, struct txn_span span, struct row *row,
                    const struct model_field *field, struct val *val) {
    struct sqlgen gen;
    struct buf sql = {0};
    sqlgen_init(&gen, l, row->model, span);
    gen.is_unqualified = true;
    sqlgen_expr(&gen, val->sql, &sql);
    if (gen.has_failed || gen.joins.count > 0) {
        lower_note(l, span, STR("this expression in a column is not modelled"));
        txn_build_set_column(&l->b, span, row->var, field->column,
                             lower_param(l, span, row_text(l, row, field->name)));
    } else {
        struct sql_stmt *holder = ARENA_NEW(l->arena, struct sql_stmt);
        struct sql_expr *expr;
        struct err err;
        holder->kind = SQL_STMT_SELECT;
        if (sql_parse_expr(l->arena, l->pool, str_dup(l->arena, buf_str(&sql)), (struct pos){1, 1},
                           l->b.dialect, holder, &expr, &err))
            txn_build_set_column_sql(&l->b, span, row->var, field->column, buf_str(&sql));
        else
            lower_notef(l, span, "this expression is not modelled: %s", err.message);
    }
    l->step_count++;
    buf_release(&sql);
}

static bool reads_column(const struct txn_expr *expr, uint16_t var) {
    if (expr->kind == TXN_EXPR_COLUMN && expr->var == var)
        return true;
    for (size_t i = 0; i < expr->args.count; i++)
        if (reads_column(expr->args.items[i], var))
            return true;
    return false;
}

/* Whether save(), clean() and the like of a model run. */
static bool is_in_hook(const struct lowerer *l) {
    const struct py_func *func = l->frame->func;
    return func != NULL && func->function >= 0 &&
           l->facts->project->functions.items[func->function].is_hook;
}

/* With another key the object is a copy: what it holds of the row that it was is meant for that one. */
static void assign_all(struct lowerer *l, struct txn_span span, struct row *row) {
    for (size_t i = 0; i < row->model->fields.count; i++) {
        const struct model_field *field = row->model->fields.items[i];
        bool is_there = !row->is_partial || is_loaded(row, field);
        if (field->is_primary || field->kind == FIELD_MANY_TO_MANY || !is_there)
            continue;
        txn_build_set_column(&l->b, span, row->var, field->column, txn_column(&l->b, span, row->var, field->column));
        l->step_count++;
    }
}

void row_set_attribute(struct lowerer *l, struct txn_span span, struct row *row, struct str name,
                       struct val *val) {
    struct model_field *field = model_attribute(row->model, name);
    row->is_changed_here |= l->form_depth == 0 && l->saving != row;
    if (field == NULL && model_translates(row->model, name)) {
        translation_set(l, span, row, name, val);
        return;
    }
    if (field == NULL || field->kind == FIELD_MANY_TO_MANY) {
        struct cell *cell = fields_cell(l, row->caches, name);
        cell_set(l, cell, val_stable(l, val, name));
        return;
    }
    VEC_PUSH(l->arena, &row->assigned, ((struct assigned){field, l->b.at}));
    if (l->frame->func != NULL && func_is_decorated(l->frame->func, "property"))
        l->b.program->vars.items[row->var].is_shown = true; /* a value made up for who reads it */
    bool is_relation = field->kind != FIELD_PLAIN;
    bool is_object = is_relation && str_equal(field->name, name);
    if (row->is_partial && !is_loaded(row, field)) {
        VEC_PUSH(l->arena, &row->loaded, field->column);
    }
    if (is_relation) {
        struct cell *cell = row_cache(l, row, field->name);
        bool is_kept = val->kind == VAL_ROW || (val->kind == VAL_UNKNOWN && val->model == field->target) || val_is_none(val);
        cell_set(l, cell, is_object && is_kept ? val : NULL);
    }
    if (field->is_primary && !val_is_none(val))
        assign_all(l, span, row);
    if (field->is_primary)
        cell_set(l, &row->pk_state, val_is_none(val) ? val_bool(l, span, false)
                                                     : val_bool(l, span, true));
    if (val->kind == VAL_SQL) {
        set_sql(l, span, row, field, val);
        return;
    }
    struct txn_expr *expr = val_expr(l, val);
    l->is_saving_own |= l->saving == row && reads_column(expr, row->var);
    struct txn_step *step = txn_build_set_column(&l->b, span, row->var, field->column, expr);
    step->is_form = l->form_depth > 0;
    step->is_hook = l->saving == row || is_in_hook(l);
    l->step_count++;
}

/* What FieldFile.save(name, content) and delete() do to the row: a new name, or none, and then save(). */
struct val *row_file_method(struct lowerer *l, const struct val *file, struct str name, struct args *args) {
    bool is_save = str_is(name, "save");
    struct val *saves = args_get(args, is_save ? 2 : 0, "save"), *stored = val_null(l, args->span);
    if (is_save) {
        struct val *wanted = args_get(args, 0, "name");
        struct txn_expr *call = txn_opaque(&l->b, args->span, STR("stored_as"));
        if (wanted != NULL)
            txn_add_arg(&l->b, call, val_expr(l, wanted));
        stored = val_scalar(l, call);
    }
    row_set_attribute(l, args->span, file->row, file->name, stored);
    if (saves == NULL || val_known_truth(l, saves) != 0)
        row_call_save(l, args->span, file->row, false);
    return val_null(l, args->span);
}

static void refresh(struct lowerer *l, struct row *row, struct args *args) {
    struct val *fields = args_get(args, 1, "fields");
    if (fields == NULL || val_is_none(fields)) {
        row_reload(l, args->span, row, NULL);
        for (size_t i = 0; i < row->model->fields.count; i++)
            if (row->model->fields.items[i]->kind != FIELD_PLAIN)
                cell_set(l, row_cache(l, row, row->model->fields.items[i]->name), NULL);
        return;
    }
    struct row wanted = *row;
    wanted.is_partial = true;
    memset(&wanted.loaded, 0, sizeof(wanted.loaded));
    for (size_t i = 0; fields->kind == VAL_SEQUENCE && i < fields->items.count; i++) {
        struct str name;
        struct model_field *field = NULL;
        if (val_text(l, fields->items.items[i], &name))
            field = model_attribute(row->model, name);
        if (field == NULL) {
            lower_note(l, args->span, STR("refresh_from_db of fields that are not known"));
            return;
        }
        VEC_PUSH(l->arena, &wanted.loaded, field->column);
        if (field->kind != FIELD_PLAIN)
            cell_set(l, row_cache(l, row, field->name), NULL);
    }
    if (fields->kind != VAL_SEQUENCE)
        lower_note(l, args->span, STR("refresh_from_db of fields that are not known"));
    row_reload(l, args->span, &wanted, NULL);
}

struct val *row_method(struct lowerer *l, struct val *self, struct str name, struct args *args) {
    struct row *row = self->row;
    name = lower_sync_name(name);
    struct val *translated = translation_method(l, row, name, args);
    if (translated != NULL)
        return translated;
    if (str_is(name, "save"))
        row_save(l, args->span, row, args);
    else if (str_is(name, "delete"))
        row_delete(l, args->span, row);
    else if (str_is(name, "refresh_from_db"))
        refresh(l, row, args);
    return val_null(l, args->span);
}

/* The value a new object's column has when it isn't given. */
static struct val *default_value(struct lowerer *l, struct txn_span span, const struct model_field *field) {
    struct value value;
    if (field->is_auto_now || field->is_auto_now_add)
        return val_scalar(l, txn_now(&l->b, span));
    if (field->default_node == NULL) {
        bool is_text = field->type == COLUMN_TEXT && !field->is_null;
        return is_text ? val_literal(l, span, value_text(l->pool, STR(""))) : val_null(l, span);
    }
    if (constant_value(l->facts, field->module, field->class_, field->default_node, &value))
        return val_literal(l, span, value);
    struct symbol symbol = symbol_of_expr(l->facts, field->module, field->default_node);
    if (symbol.kind == SYMBOL_EXTERNAL && (str_ends(symbol.dotted, "timezone.now") ||
                                           str_ends(symbol.dotted, "datetime.now") ||
                                           str_ends(symbol.dotted, "date.today")))
        return val_scalar(l, txn_now(&l->b, span));
    struct str text = module_text(field->module, field->default_node);
    struct txn_expr *call = txn_opaque(&l->b, span, lower_identifier(l, text));
    if (field->is_primary || field->is_unique) /* uuid4(): another one each time, and nobody else's */
        txn_add_arg(&l->b, call,
                    lower_param(l, span, str_printf(l->arena, "%.*s() at line %u", STR_ARG(text),
                                                    span.start.line)));
    return val_scalar(l, call);
}

/* The call of GenericForeignKey that a name of the model stands for, or NULL. */
static const struct py_node *generic_call(struct lowerer *l, const struct model *model, struct str name) {
    struct py_class *where;
    const struct binding *binding = class_find(l->facts, model->class_, name, &where);
    if (binding == NULL || binding->kind != BIND_VALUE || binding->value == NULL ||
        binding->value->kind != PY_Call)
        return NULL;
    struct symbol symbol = symbol_of_expr(l->facts, where->module, binding->value->Call.func);
    bool is_generic = symbol.kind == SYMBOL_EXTERNAL && str_ends(symbol.dotted, "GenericForeignKey");
    return is_generic ? binding->value : NULL;
}

static bool is_generic(struct lowerer *l, const struct model *model, struct str name) {
    return generic_call(l, model, name) != NULL;
}

/* What content_object=x says about the columns behind it: the key of x, and the content type of its model. NULL: nothing. */
static struct val *generic_part(struct lowerer *l, struct txn_span span, const struct model *model,
                                const struct model_field *field, const struct args *args) {
    for (size_t i = 0; i < args->names.count; i++) {
        const struct py_node *call = generic_call(l, model, args->names.items[i]);
        struct str names[] = {STR("content_type"), STR("object_id")};
        for (uint32_t k = 0; call != NULL && k < 2 && k < call->Call.args.count; k++)
            constant_text(l->facts, model->class_->module, call->Call.args.items[k], &names[k]);
        for (uint32_t k = 0; call != NULL && k < call->Call.keywords.count; k++) {
            const struct py_node *keyword = call->Call.keywords.items[k];
            bool is_type = str_is(keyword->keyword.arg, "ct_field");
            if (is_type || str_is(keyword->keyword.arg, "fk_field"))
                constant_text(l->facts, model->class_->module, keyword->keyword.value, &names[!is_type]);
        }
        if (call != NULL && str_equal(field->name, names[1]))
            return args->values.items[i];
        if (call != NULL && str_equal(field->name, names[0]))
            return val_unknown(l, span, str_printf(l->arena, "type of %.*s",
                                                   STR_ARG(args->names.items[i])));
    }
    return NULL;
}

/* Model(a=1, b=2): an object that is not in the database. */
struct val *row_construct(struct lowerer *l, struct txn_span span, struct model *model, struct args *args) {
    struct str hint = l->hint.len > 0 ? l->hint : str_lower(l->arena, model->name);
    VEC(struct val *) values = {0};
    VEC(struct val *) objects = {0};
    size_t position = 0;
    for (size_t i = 0; i < model->fields.count; i++) {
        const struct model_field *field = model->fields.items[i];
        struct val *val = NULL;
        if (field->kind != FIELD_MANY_TO_MANY && position < args->positional.count)
            val = args->positional.items[position++];
        for (size_t j = 0; j < args->names.count; j++)
            if (field->kind != FIELD_MANY_TO_MANY &&
                model_attribute(model, args->names.items[j]) == field)
                val = args->values.items[j];
        VEC_PUSH(l->arena, &objects, val);
        if (val == NULL)
            val = generic_part(l, span, model, field, args);
        if (val == NULL)
            val = args->is_open && !field->is_primary
                      ? val_unknown(l, span, field->name)
                      : default_value(l, span, field);
        VEC_PUSH(l->arena, &values, val);
    }
    for (size_t j = 0; j < args->names.count; j++)
        if (model_attribute(model, args->names.items[j]) == NULL && !model_translates(model, args->names.items[j]) &&
            !is_generic(l, model, args->names.items[j]))
            lower_notef(l, span, "%.*s has no field %.*s that is known", STR_ARG(model->name),
                        STR_ARG(args->names.items[j]));
    struct row *row = row_new(l, model, lower_var(l, hint));
    VEC(struct txn_expr *) exprs = {0};
    for (size_t i = 0; i < values.count; i++)
        VEC_PUSH(l->arena, &exprs,
                 values.items[i]->kind == VAL_SQL ? txn_literal(&l->b, span, value_null())
                                                  : val_expr(l, values.items[i]));
    struct txn_step *step = txn_build_new(&l->b, span, row->var, model->table_name);
    l->step_count++;
    bool is_key_set = false;
    for (size_t i = 0; i < model->fields.count; i++) {
        const struct model_field *field = model->fields.items[i];
        if (field->kind == FIELD_MANY_TO_MANY)
            continue;
        if (field == model->pk)
            is_key_set = !val_is_none(values.items[i]);
        if (field == model->pk && !is_key_set)
            continue;
        txn_new_column(&l->b, step, field->column, exprs.items[i]);
        if (field->kind != FIELD_PLAIN && objects.items[i] != NULL &&
            (objects.items[i]->kind == VAL_ROW || val_is_none(objects.items[i])))
            cell_set(l, row_cache(l, row, field->name), objects.items[i]);
        if (values.items[i]->kind == VAL_SQL)
            set_sql(l, span, row, field, values.items[i]);
    }
    row->pk_state.val = val_bool(l, span, is_key_set);
    cell_set(l, row_cache(l, row, STR("_adding")), val_bool(l, span, true));
    row->is_new = true;
    for (size_t j = 0; j < args->names.count; j++)
        if (model_translates(model, args->names.items[j]))
            translation_set(l, span, row, args->names.items[j], args->values.items[j]);
    return val_row(l, span, row);
}
