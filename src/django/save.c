/* What save() sends: an UPDATE of all columns but the key, and an INSERT if that met no row; an INSERT alone
 * for an object without a key. */
#include "base/assert.h"
#include "django/choice.h"
#include "django/orm.h"
#include "django/signal.h"
#include "django/values.h"

/* What save() was asked for. */
struct save {
    struct lowerer *l;
    struct txn_span span;
    struct row *row;
    bool is_force_insert, is_force_update;
    bool is_narrow; /* update_fields, or deferred columns: only `wanted` */
    VEC(const struct model_field *) wanted;
};

static bool is_true(struct val *val) {
    struct value value;
    return val != NULL && val_constant(val, &value) && value.kind == VALUE_BOOL &&
           value.number != 0;
}

static bool is_written(const struct save *save, const struct model_field *field) {
    if (field->kind == FIELD_MANY_TO_MANY || field == save->row->model->pk)
        return false;
    for (size_t i = 0; i < save->wanted.count; i++)
        if (save->wanted.items[i] == field)
            return true;
    return !save->is_narrow;
}

/* Whether the steps at hand are taken only after those of the block. */
static bool is_within(const struct lowerer *l, const struct txn_block *block) {
    bool is_open = l->b.at == block;
    for (size_t i = 0; i < l->b.depth && !is_open; i++)
        is_open = l->b.outer[i] == block;
    return is_open;
}

/* Of update_fields that are not known: what was assigned on every path; where that is nothing, what was on some. */
static void want_assigned(struct save *save) {
    const struct row *row = save->row;
    for (int is_sure = 1; is_sure >= 0 && save->wanted.count == 0; is_sure--)
        for (size_t i = 0; i < row->assigned.count; i++)
            if (!is_sure || is_within(save->l, row->assigned.items[i].block))
                VEC_PUSH(save->l->arena, &save->wanted, row->assigned.items[i].field);
}

/* False: nothing is to be saved, or it isn't known what. */
static bool read_update_fields(struct save *save, struct val *fields) {
    struct lowerer *l = save->l;
    struct str name;
    if (fields == NULL || val_is_none(fields))
        return true;
    if (fields->kind != VAL_SEQUENCE || fields->is_partial) {
        lower_note(l, save->span,
                   STR("update_fields that are not known: taken as what was assigned"));
        save->is_narrow = true;
        want_assigned(save);
        return save->wanted.count > 0;
    }
    save->is_narrow = true;
    for (size_t i = 0; i < fields->items.count; i++) {
        struct model_field *field = NULL;
        if (val_text(l, fields->items.items[i], &name))
            field = model_attribute(save->row->model, name);
        if (field == NULL)
            lower_note(l, save->span, STR("update_fields names a field that is not known"));
        else
            VEC_PUSH(l->arena, &save->wanted, field);
    }
    return fields->items.count > 0;
}

static void add_loaded(struct save *save) {
    const struct row *row = save->row;
    if (!row->is_partial || save->is_narrow || save->is_force_insert)
        return;
    save->is_narrow = true;
    for (size_t i = 0; i < row->model->fields.count; i++)
        for (size_t j = 0; j < row->loaded.count; j++)
            if (str_equal(row->model->fields.items[i]->column, row->loaded.items[j]))
                VEC_PUSH(save->l->arena, &save->wanted, row->model->fields.items[i]);
}

/* auto_now columns are set when they are written. */
static void set_times(struct save *save) {
    struct lowerer *l = save->l;
    for (size_t i = 0; i < save->row->model->fields.count; i++) {
        const struct model_field *field = save->row->model->fields.items[i];
        if (!field->is_auto_now || !is_written(save, field))
            continue;
        txn_build_set_column(&l->b, save->span, save->row->var, field->column,
                             txn_now(&l->b, save->span));
        l->step_count++;
    }
}

/* Nothing but what a form brought along is to be saved. */
static bool is_form_save(const struct lowerer *l, const struct row *row) {
    bool is_form = l->form_depth > 0 || (l->saving == row && l->is_saving_form);
    return is_form && !row->is_changed_here;
}

static void add_host(struct lowerer *l, const struct row *row, struct str column, struct buf *sql) {
    buf_printf(sql, ":%.*s.%.*s", STR_ARG(l->b.program->vars.items[row->var].name),
               STR_ARG(column));
}

/* INSERT of all columns. `with_key`: the key is there already. */
static void insert_row(struct lowerer *l, struct txn_span span, struct row *row, bool with_key,
                       bool is_save) {
    struct model *model = row->model;
    struct buf sql = {0}, values = {0};
    bool is_first = true;
    buf_add_c(&sql, "INSERT INTO ");
    sql_name(l, model->table_name, &sql);
    buf_add_c(&sql, " (");
    for (size_t i = 0; i < model->fields.count; i++) {
        const struct model_field *field = model->fields.items[i];
        if (field->kind == FIELD_MANY_TO_MANY || (field == model->pk && !with_key))
            continue;
        buf_add_c(&sql, is_first ? "" : ", ");
        buf_add_c(&values, is_first ? "" : ", ");
        is_first = false;
        sql_name(l, field->column, &sql);
        add_host(l, row, field->column, &values);
    }
    if (is_first) {
        sql_name(l, model->pk->column, &sql);
        buf_add_c(&values, "DEFAULT");
    }
    buf_add_c(&sql, ") VALUES (");
    buf_add(&sql, buf_str(&values));
    buf_add_c(&sql, ")");
    if (l->b.dialect == SQL_POSTGRESQL && model->pk->is_serial) {
        buf_add_c(&sql, " RETURNING ");
        sql_name(l, model->table_name, &sql);
        buf_add_char(&sql, '.');
        sql_name(l, model->pk->column, &sql);
    }
    struct txn_step *step = lower_sql(l, span, with_key ? TXN_INTO_NOTHING : TXN_INTO_KEY,
                                      with_key ? TXN_NO_VAR : row->var, &sql);
    if (step != NULL) {
        step->sql.is_save = is_save;
        step->is_form = is_form_save(l, row);
        if (!with_key)
            step->sql.column_name = model->pk->column;
    }
    buf_release(&sql);
    buf_release(&values);
}

void object_insert(struct lowerer *l, struct txn_span span, struct row *row) {
    insert_row(l, span, row, !row->model->pk->is_serial, false);
    cell_set(l, &row->pk_state, val_bool(l, span, true));
}

static uint16_t update_row(struct save *save) {
    struct lowerer *l = save->l;
    struct row *row = save->row;
    struct model *model = row->model;
    struct buf sql = {0};
    bool is_first = true;
    uint16_t count = lower_var(l, STR("matched"));
    buf_add_c(&sql, "UPDATE ");
    sql_name(l, model->table_name, &sql);
    buf_add_c(&sql, " SET ");
    for (size_t i = 0; i < model->fields.count; i++) {
        const struct model_field *field = model->fields.items[i];
        if (!is_written(save, field))
            continue;
        buf_add_c(&sql, is_first ? "" : ", ");
        is_first = false;
        sql_name(l, field->column, &sql);
        buf_add_c(&sql, " = ");
        add_host(l, row, field->column, &sql);
    }
    buf_add_c(&sql, " WHERE ");
    sql_name(l, model->table_name, &sql);
    buf_add_char(&sql, '.');
    sql_name(l, model->pk->column, &sql);
    buf_add_c(&sql, " = ");
    add_host(l, row, model->pk->column, &sql);
    struct txn_step *step = NULL;
    if (is_first) { /* no column but the key: save() only looks whether the row is there */
        buf_clear(&sql);
        buf_add_c(&sql, "SELECT COUNT(*) AS n FROM ");
        sql_name(l, model->table_name, &sql);
        buf_add_c(&sql, " WHERE ");
        sql_name(l, model->pk->column, &sql);
        buf_add_c(&sql, " = ");
        add_host(l, row, model->pk->column, &sql);
        step = lower_sql(l, save->span, TXN_INTO_VALUE, count, &sql);
    } else {
        step = lower_sql(l, save->span, TXN_INTO_COUNT, count, &sql);
        if (step != NULL) {
            step->sql.is_save = true;
            step->is_form = is_form_save(l, row);
        }
    }
    buf_release(&sql);
    return step != NULL ? count : TXN_NO_VAR;
}

/* Whether it has made the row; NULL: nothing was sent. */
static struct val *update_or_insert(struct save *save) {
    struct lowerer *l = save->l;
    uint16_t count = update_row(save);
    if (count == TXN_NO_VAR)
        return NULL;
    struct txn_expr *none =
        txn_binary(&l->b, save->span, TXN_OP_EQ, txn_ref(&l->b, save->span, count),
                   txn_literal(&l->b, save->span, value_int(0)));
    struct txn_step *step = txn_build_if(&l->b, save->span, none);
    bool is_update = save->is_narrow || save->is_force_update;
    if (is_update)
        txn_build_raise(&l->b, save->span, STR("DatabaseError"));
    else
        insert_row(l, save->span, save->row, true, true);
    txn_build_end(&l->b, step);
    return is_update ? val_bool(l, save->span, false) : val_scalar(l, none);
}

/* Whether the object has a key is known when it runs only. */
static struct val *save_by_key(struct save *save) {
    struct lowerer *l = save->l;
    struct row *row = save->row;
    bool is_told = signal_has(l->facts, SIGNAL_POST_SAVE, row->model);
    uint16_t created = is_told ? lower_var(l, STR("created")) : TXN_NO_VAR;
    struct txn_expr *key = txn_column(&l->b, save->span, row->var, row->model->pk->column);
    struct txn_step *step =
        txn_build_if(&l->b, save->span, txn_unary(&l->b, save->span, TXN_EXPR_IS_NULL, key));
    insert_row(l, save->span, row, !row->model->pk->is_serial, false);
    if (is_told)
        txn_build_assign(&l->b, save->span, created,
                         txn_literal(&l->b, save->span, value_bool(true)));
    txn_build_else(&l->b, step);
    struct val *inserted = update_or_insert(save);
    if (is_told)
        txn_build_assign(&l->b, save->span, created,
                         inserted != NULL ? val_expr(l, inserted)
                                          : txn_literal(&l->b, save->span, value_bool(false)));
    txn_build_end(&l->b, step);
    cell_set(l, &row->pk_state, val_bool(l, save->span, true));
    if (!is_told)
        return NULL;
    l->is_pinned[created] = true;
    return val_scalar(l, txn_ref(&l->b, save->span, created));
}

static struct val *save_row(struct save *save) {
    struct lowerer *l = save->l;
    struct row *row = save->row;
    struct value state;
    if (!save->is_force_insert &&
        (row->pk_state.val == NULL || !val_constant(row->pk_state.val, &state)))
        return save_by_key(save);
    /* A new object whose key has a default is not looked for, since Django 3.0. */
    bool is_made = row->model->pk->default_node != NULL &&
                   val_known_truth(l, row_is_adding(l, save->span, row)) == 1;
    if (!save->is_force_insert && state.number != 0 && !is_made)
        return update_or_insert(save);
    object_insert(l, save->span, row);
    return val_bool(l, save->span, true);
}

static void save_with(struct lowerer *l, struct txn_span span, struct row *row, struct args *args,
                      struct val *fields) {
    struct save save = {.l = l, .span = span, .row = row};
    save.is_force_insert = is_true(args_get(args, 0, "force_insert"));
    save.is_force_update = is_true(args_get(args, 1, "force_update"));
    if (!read_update_fields(&save, fields))
        return;
    VEC_PUSH(l->arena, &l->saved, row->model);
    fields = fields != NULL ? fields : val_null(l, span);
    signal_send(l, span, SIGNAL_PRE_SAVE, row, NULL, fields);
    if (l->frame->is_terminated)
        return;
    add_loaded(&save);
    set_times(&save);
    struct val *created = save_row(&save);
    cell_set(l, row_cache(l, row, STR("_adding")), val_bool(l, span, false));
    if (created != NULL)
        signal_send(l, span, SIGNAL_POST_SAVE, row, created, fields);
    if (row->model->translations != NULL)
        translation_save(l, span, row);
}

struct choice_save {
    struct txn_span span;
    struct row *row;
    struct args *args;
};

static struct val *save_one_of(struct lowerer *l, struct val *fields, void *context) {
    const struct choice_save *save = context;
    save_with(l, save->span, save->row, save->args, fields);
    return val_null(l, save->span);
}

void row_save(struct lowerer *l, struct txn_span span, struct row *row, struct args *args) {
    if (l->saving == row && !l->is_saving_own)
        span = l->saving_span;
    if (args->is_open)
        lower_note(l, span, STR("arguments of save() that are not known"));
    if (row->model->parent != NULL && !row->model->is_proxy)
        lower_note(l, span, STR("save() of a model with multi-table inheritance"));
    struct val *fields = args_get(args, 3, "update_fields");
    struct choice_save each = {span, row, args};
    if (fields != NULL && fields->kind == VAL_CHOICE)
        choice_each(l, span, fields, save_one_of, &each);
    else
        save_with(l, span, row, args, fields);
}
